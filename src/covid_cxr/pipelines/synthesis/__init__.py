"""Writes the synthetic hospital's raw files."""
