"""Trained weights that a network starts from, and how they come into it."""
