"""Numbers to estimates with their uncertainty (NumPy and SciPy only)."""
