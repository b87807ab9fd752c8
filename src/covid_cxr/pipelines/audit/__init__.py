"""What the splits and the metadata give away, before anything is trained."""
