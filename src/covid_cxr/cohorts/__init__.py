"""Many patients: the tables of each source, identities and splits."""
