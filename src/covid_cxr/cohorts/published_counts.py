"""How many images and patients the publishers' tables hold, to compare with."""

import logging
from collections.abc import Mapping

logger = logging.getLogger(__name__)

NIH = {  # Data_Entry_2017_v2020.csv and the curators' two lists
    "images": 112_120,
    "patients": 30_805,
    "images of train_val_list.txt": 86_524,
    "images of test_list.txt": 25_596,
    "pneumonia in train_val_list.txt": 876,
    "pneumonia in test_list.txt": 555,
}
RSNA = {  # stage_2_train_labels.csv
    "images": 26_684,
    "pneumonia": 6_012,
}


def log_differences(
    cohort: str, counted: Mapping[str, int], published: Mapping[str, int]
) -> None:
    """Log in one line whether the counts are the published ones, else which are not.

    Args:
        cohort: For the log.
        counted: What the tables at hand hold; the same keys as `published`.
        published: `NIH` or `RSNA`.
    """
    differences = [
        f"{counted[what]:,} {what} (published {expected:,})"
        for what, expected in published.items()
        if counted[what] != expected
    ]
    if differences:
        logger.info(
            "%s differs from what was published: %s", cohort, "; ".join(differences)
        )
        return
    logger.info("%s holds what was published: %d counts agree", cohort, len(published))
