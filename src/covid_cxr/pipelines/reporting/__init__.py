"""Scores and histories to tables, figures and the report."""
