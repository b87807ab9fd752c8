"""The formats that cohorts are published in, an adapter each; the table of them."""
