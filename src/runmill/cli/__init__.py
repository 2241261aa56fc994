"""The command line: where everything meets. One module a group of commands; `app` is the table of them."""
