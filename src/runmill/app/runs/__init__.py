"""The Run API: workspaces, experiments and runs; what a script logs to them, and reads back from them."""
