"""Phase 1: the 14 findings of ChestX-ray14 (paper, Section 2.1)."""
