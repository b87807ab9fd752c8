"""The pooled control: one training on all cohorts instead of a sequence (Section 4)."""
