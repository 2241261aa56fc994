"""Lines of text to log records, without a file or a socket in sight: bytes in, records out."""
