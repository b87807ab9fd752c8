"""From score tables to estimates: every table of results with its settings."""
