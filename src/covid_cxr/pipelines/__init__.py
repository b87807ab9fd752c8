"""The flow: what runs on what; one folder per step."""
