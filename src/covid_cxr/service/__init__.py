"""A bundle as a service: radiographs come from a PACS, answers go back to it."""
