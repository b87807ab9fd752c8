"""The source `manifest`: one row per radiograph of anybody's own collection.

image       file name (unique in the folder) or path below it
patient     whose radiograph it is; any text
site        where it was taken; may be blank, as may the rest
view        PA | AP | …
sex         M | F
age         years, also as in DICOM ("061Y")
source      the collection that the image comes from; "own" where it is left out
study_date  any text

And a column for each label of the study, named as there: positive or negative, in any
spelling of `TEST_RESULTS`. The last two columns may be missing. The COVID-19 cohort's
own manifest (`covid_manifest.py`) has `rt_pcr` in place of labels. A template:
docs/how-to/manifest-template.csv.
"""

from dataclasses import dataclass

import pandas as pd

from covid_cxr.cohorts.manifest_listing import read_listing
from covid_cxr.radiographs.admission import ADMIT, VIEW_CHOICES
from covid_cxr.radiographs.folder import RadiographFolder
from covid_cxr.radiographs.unmatched import names_without_file
from covid_cxr.sources.covid_patients import admit_identified
from covid_cxr.sources.listed import SaltedIngestion

OWN = "own"  # the source of images for which none is named


@dataclass(frozen=True, kw_only=True)
class ManifestIngestion(SaltedIngestion):
    """How a cohort that has a manifest is listed.

    Attributes:
        view_not_understood: Whether rows of a manifest whose view is stated, but not
            understood, are to "admit" or to "reject".
    """

    view_not_understood: str = ADMIT

    def __post_init__(self) -> None:
        """Refuse choices that do not exist, and a salt that can be guessed."""
        super().__post_init__()
        self._check_word("view_not_understood", VIEW_CHOICES)


def list_manifest(
    manifest: pd.DataFrame,
    rsna_mapping: str | None,
    images: RadiographFolder,
    findings: list[str],
    ingestion: ManifestIngestion,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the radiograph table of a manifest, and the rejected rows.

    Patients are "<source>:<id>", those of NIH and RSNA images "nih:<id>". Rows that
    give one image different labels are all rejected. Of several labels some may be
    blank: not known.

    Args:
        manifest: All columns read as text.
        rsna_mapping: As for `list_rsna`, for images whose source is RSNA; or None.
        images: The folder of the image files.
        findings: Labels of the study, each a column of the manifest.
        ingestion: Choices.

    Raises:
        ValueError: If columns are missing, or no row is usable.
    """
    listing = read_listing(
        manifest,
        labels={finding: finding for finding in findings},
        view_not_understood=ingestion.view_not_understood,
    )
    return admit_identified(
        "manifest",
        listing.assign(source=listing["source"].fillna(OWN)),
        images,
        labels=findings,
        rsna_mapping=rsna_mapping,
        salt=ingestion.pseudonym_salt,
    )


def list_unmatched_manifest(listed: pd.DataFrame) -> pd.DataFrame:
    """Return the names that find no file, as `unmatched_names`."""
    return names_without_file(listed, of="the manifest")
