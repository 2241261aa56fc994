"""The wire, both directions: bytes to and from what runmill knows. No sockets here."""
