"""How many patients a test set needs, before there is one."""
