"""Kedro datasets of this project: how its values are read and written."""
