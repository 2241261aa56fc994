"""Files that grow, are renamed, truncated, compressed and deleted: which is which, and how far each is read."""
