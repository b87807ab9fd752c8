"""One radiograph: from a file to 8-bit pixels, and the store that keeps them."""
