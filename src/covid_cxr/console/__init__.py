"""How a run speaks to people: notes, one live display, a log, errors in words."""
