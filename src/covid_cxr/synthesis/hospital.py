"""The synthetic hospital's admission desk: every radiograph that will be drawn."""

import logging

import pandas as pd

from covid_cxr.study.current import current
from covid_cxr.synthesis.epidemiology import DRAWN, severity_column
from covid_cxr.synthesis.hospital_settings import Synthesis
from covid_cxr.synthesis.writers import WRITERS

logger = logging.getLogger(__name__)

COLUMNS = (
    "cohort",
    "patient",
    "file",
    "image_id",
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
    """Return one row per radiograph to draw, of all cohorts that have a writer.

    `<finding>_severity` is the truth that is drawn, from 0 (not there) to 1.
    `finding_labels` (text-mined, with errors) and `rt_pcr` are what the published
    tables say; `nih_file` and `official_part` are set where they apply.

    Args:
        synthesis: Size and difficulty.

    Raises:
        ValueError: If the study has a label that cannot be drawn, or sizes are stated
            of cohorts that it does not have.
    """
    writers = {
        name: WRITERS[cohort.source]
        for name, cohort in current().cohorts.items()
        if cohort.source in WRITERS
    }
    unknown = sorted(set(synthesis.images) - set(writers))
    if unknown:
        raise ValueError(
            f"synthesis.images names the cohorts {', '.join(unknown)}; the hospital "
            f"of this study has {', '.join(writers)}. Remove them."
        )
    cohorts = [writer.admit(name, synthesis) for name, writer in writers.items()]
    admitted = pd.concat(cohorts, ignore_index=True).reindex(columns=list(COLUMNS))
    severities = [severity_column(finding) for finding in DRAWN]
    # What a cohort does not know of is not there: NIH is older than COVID-19.
    known = admitted.assign(**admitted[severities].fillna(0.0))
    logger.info("admitted %d radiographs", len(known))
    return known
