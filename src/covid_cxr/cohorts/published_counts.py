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
RSNA = {  # stage_2_train_labels.csv and stage_2_detailed_class_info.csv, counted
    "images": 26_684,
    "pneumonia": 6_012,
    "boxes": 9_555,
    "of class Normal": 8_851,
    "of class No Lung Opacity / Not Normal": 11_821,
    "of class Lung Opacity": 6_012,
}
NLM_TUBERCULOSIS = {  # Jaeger et al. 2014, Quant Imaging Med Surg 4:475, by site
    "Shenzhen": {"images": 662, "with tuberculosis": 336},
    "Montgomery": {"images": 138, "with tuberculosis": 58},
}
COVID_LAYOUTS: Mapping[str, Mapping[str, int]] = {  # by covid_ingestion.layout
    "manifest": {},
    # metadata.csv of June 2020 (751 rows), counted: frontal X-rays with a finding
    "covid_chestxray_dataset": {"rows": 542, "patients": 319, "positive rows": 434},
    # train_COVIDx9B.txt (30,482 lines) and test_COVIDx9B.txt (400 lines)
    "covidx": {"rows": 30_882},
    # The collection's page at TCIA (MIDRC-RICORD-1C): all studies are of COVID-19
    "ricord": {"studies": 998},
    # de la Iglesia Vaya et al. 2020, arXiv:2006.01174, first iteration; CT included
    "bimcv": {"positive patients": 1_311},
}


def log_differences(
    cohort: str, counted: Mapping[str, int], published: Mapping[str, int]
) -> None:
    """Log in one line whether the counts are the published ones, else which are not.

    Args:
        cohort: For the log.
        counted: What the tables at hand hold; the same keys as `published`.
        published: What this module holds of the cohort.
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
    if published:
        logger.info(
            "%s holds what was published: %d counts agree", cohort, len(published)
        )
