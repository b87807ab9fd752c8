"""Numbers to figures; nothing here reads or saves a file."""
