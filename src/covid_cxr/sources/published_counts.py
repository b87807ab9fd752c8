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
NIH_BOXES = {  # BBox_List_2017.csv, counted
    "boxes": 984,
    "images": 880,
    "Atelectasis": 180,
    "Effusion": 153,
    "Cardiomegaly": 146,
    "Infiltrate": 123,
    "Pneumonia": 120,
    "Pneumothorax": 98,
    "Mass": 85,
    "Nodule": 79,
}
NIH_ADJUDICATED = {  # four_findings_expert_labels/test_labels.csv, counted
    "images": 1_962,
    "with fracture": 72,
    "with pneumothorax": 195,
    "with airspace_opacity": 1_135,
    "with nodule_or_mass": 295,
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
TBX11K = {  # Liu et al. 2020, Table 2: training and validation set
    "images": 8_400,
    "of class health": 3_800,
    "of class sick": 3_800,
    "of class tb": 800,
}
IDC = {  # CR and DX in the index of the Imaging Data Commons, version 25, counted
    "covid_19_ny_sbu": {"images": 14_132, "patients": 1_365},
    "midrc_ricord_1c": {"images": 1_257, "patients": 361},
    "covid_19_ar": {"images": 262, "patients": 104},
}
COVIDX_VERSIONS: Mapping[str, Mapping[str, int]] = {
    # train_COVIDx9B.txt (30,482 lines) and test_COVIDx9B.txt (400 lines)
    "COVIDx 9B": {"rows": 30_882},
    "COVIDx CXR-4": {"rows": 84_818, "patients": 45_342},  # arXiv:2311.17677
}
CHEXPERT = {  # train.csv and valid.csv, laterals too. Irvin et al. 2019 count 224,316
    # images of 65,240 patients with those of the test set, 668 of 500, which is apart.
    "rows of train.csv": 223_414,
    "patients of train.csv": 64_540,
    "rows of valid.csv": 234,
    "patients of valid.csv": 200,
}
MIMIC_CXR_JPG = {  # Johnson et al. 2019, arXiv:1901.07042; laterals too
    "images": 377_110,
    "studies": 227_827,
    "patients": 65_379,
    "images of the test part": 5_159,
}
PADCHEST = {  # Bustos et al. 2020, arXiv:1901.07441; laterals too
    "images": 160_868,
    "studies": 109_931,
    "patients": 67_625,
}
VINDR_CXR = {  # Nguyen et al. 2022, arXiv:2012.15029
    "images of image_labels_train.csv": 15_000,
    "images of image_labels_test.csv": 3_000,
}
COVID_LAYOUTS: Mapping[str, Mapping[str, int]] = {  # by covid_ingestion.layout
    "manifest": {},
    # metadata.csv of June 2020 (751 rows), counted: frontal X-rays with a finding
    "covid_chestxray_dataset": {"rows": 542, "patients": 319, "positive rows": 434},
    "covidx": {},  # by its version, above
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
        published: As in this module: `NIH`, one of `COVID_LAYOUTS`, …
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
