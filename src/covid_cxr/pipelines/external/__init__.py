"""Frozen classifiers tested on a cohort that their study never saw."""
