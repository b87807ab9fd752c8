"""The synthetic hospital's admission desk: every radiograph that will be drawn."""

import logging

import pandas as pd

from covid_cxr.synthesis.epidemiology import DRAWN, severity_column
from covid_cxr.synthesis.parameters import Synthesis
from covid_cxr.synthesis.patients_covid import admit_covid
from covid_cxr.synthesis.patients_nih import admit_nih, choose_rsna

logger = logging.getLogger(__name__)

COLUMNS = (
    "cohort",
    "patient",
    "file",
    "nih_file",
    "official_part",
    "sex",
    "age_years",
    "view",
    "site",
    "study_date",
    "finding_labels",
    "rt_pcr",
    "has_devices",
    "anatomy_seed",
    "drawing_seed",
    *(severity_column(finding) for finding in DRAWN),
)


def admit_patients(synthesis: Synthesis) -> pd.DataFrame:
    """Return one row per radiograph to draw, of the three cohorts.

    `<finding>_severity` is the truth that is drawn, from 0 (not there) to 1.
    `finding_labels` (text-mined, with errors) and `rt_pcr` are what the published
    tables say; `nih_file` and `official_part` are set where they apply.

    Args:
        synthesis: Size and difficulty.
    """
    nih = admit_nih(synthesis)
    rsna = choose_rsna(nih, synthesis)
    covid = admit_covid(synthesis)
    admitted = pd.concat([nih, rsna, covid], ignore_index=True)
    severities = [severity_column(finding) for finding in DRAWN]
    # NIH radiographs were taken before COVID-19.
    known = admitted.assign(**admitted[severities].fillna(0.0))
    logger.info(
        "admitted %d NIH, %d RSNA and %d COVID-19 radiographs",
        len(nih),
        len(rsna),
        len(covid),
    )
    return known.reindex(columns=list(COLUMNS))
