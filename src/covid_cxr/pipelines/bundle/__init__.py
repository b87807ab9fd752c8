"""A trained classifier to a bundle that others predict with."""
