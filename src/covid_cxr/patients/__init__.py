"""Who is who, and who is in which part: pseudonyms, duplicates, splits."""
