"""Phase 3: COVID-19 (paper, Section 2.3), for every path."""
