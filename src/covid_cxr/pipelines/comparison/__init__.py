"""Anybody's scores to the same tables, figures and one HTML file."""
