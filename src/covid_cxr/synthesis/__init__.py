"""A synthetic hospital: drawn radiographs and the raw files of three cohorts."""
