"""Classifiers: the network, the recipe, its training loop and its scores."""
