"""Where in a radiograph a classifier looks."""
