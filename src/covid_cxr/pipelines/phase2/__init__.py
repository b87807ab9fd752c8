"""Phase 2: pneumonia (paper, Section 2.2), for the paths that have it."""
