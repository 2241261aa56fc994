"""What runs in the user's process: threads, light to import, never raises into the caller."""
