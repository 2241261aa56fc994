"""What runs in the user's process: native logging and its way out here, the Run API in `runs`.

Threads, light to import, never raises into the caller.
"""
