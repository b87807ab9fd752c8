"""Who is radiographed in a clinic for one disease: several sites, both results at each.

Site, view, sex and age are drawn nearly alike for both results, so that only the
picture tells them apart. Those without the disease are often ill with something else.
"""

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from covid_cxr.synthesis.epidemiology import DRAWN, LABELS, severity_column
from covid_cxr.synthesis.hospital_settings import Synthesis

POSITIVE_SHARE = 801 / 1060  # of the images (paper, Section 2.3)
IMAGES_PER_PATIENT = 1060 / 475
SITE_SHARES = {"site_a": 0.40, "site_b": 0.35, "site_c": 0.25}

_OF_FURTHER = 0.3  # of the patients have each further finding of a clinic

# What patients of either result have besides.
_BACKGROUND = {
    "cardiomegaly": 0.12,
    "emphysema": 0.06,
    "effusion": 0.10,
    "atelectasis": 0.12,
    "pleural_thickening": 0.04,
    "nodule": 0.04,
    "fibrosis": 0.04,
}
# What patients without the disease came with, if it was anything that shows.
_OTHER_DISEASE = {
    "pneumonia": 0.2,
    "infiltration": 0.1,
    "edema": 0.3,
    "consolidation": 0.1,
    "effusion": 0.2,
    "atelectasis": 0.1,
}


@dataclass(frozen=True, kw_only=True)
class Clinic:
    """Whom a clinic radiographs.

    Attributes:
        cohort: Its name in the study.
        findings: What its labels say. By the first one patients are admitted, as many
            as `positive_share`; the others occur in both.
        n_images: Radiographs.
        initial: What the patients' ids begin with.
        positive_share: Share of the images whose patient has the first finding.
        images_per_patient: In the mean; 1 for one of each.
        site_shares: Share of the patients by site.
        mean_ages: Years, of patients with and without the first finding.
    """

    cohort: str
    findings: tuple[str, ...]
    n_images: int
    initial: str
    positive_share: float = 0.5
    images_per_patient: float = 1.5
    site_shares: Mapping[str, float] = field(default_factory=lambda: dict(SITE_SHARES))
    mean_ages: tuple[float, float] = (58, 56)

    def __post_init__(self) -> None:
        """Refuse findings that cannot be drawn."""
        unknown = [finding for finding in self.findings if finding not in LABELS]
        if unknown or not self.findings:
            raise ValueError(
                f"The synthetic hospital cannot draw {', '.join(unknown) or 'nothing'} "
                f"for the cohort {self.cohort}; it can draw {', '.join(LABELS)}. "
                f"Learn one of these, or take radiographs of your own."
            )

    @cached_property
    def stream(self) -> list[int]:
        """What follows the seed: a stream of random numbers of the cohort's own."""
        own = zlib.crc32(self.cohort.encode())
        return [3] if self.cohort == "covid" else [3, own]


def admit_clinic(clinic: Clinic, synthesis: Synthesis) -> pd.DataFrame:
    """Return the radiographs of a clinic in the order of their names, without files.

    Args:
        clinic: Who comes.
        synthesis: Difficulty.
    """
    rng = np.random.default_rng([synthesis.seed, *clinic.stream])
    patients = _patient_of_each(clinic, rng)
    n_patients = patients.max() + 1
    sites = _sites(n_patients, clinic.site_shares, rng)
    is_positive = _results(patients, sites, clinic.positive_share, rng)
    people = _people(is_positive, sites, clinic, rng)
    visits = people.loc[patients].reset_index(drop=True)
    visit = visits.groupby("patient").cumcount()
    view = _views(visits["is_positive"].to_numpy(), rng)
    has_devices = rng.random(len(visits)) < np.where(view == "PA", 0.04, 0.4)
    return visits.assign(
        cohort=clinic.cohort,
        visit=1 + visit,
        view=view,
        has_devices=has_devices,
        study_date=_dates(visits["admission_day"] + 3 * visit),
        drawing_seed=rng.integers(2**31, size=len(visits)),
        **_severities(patients, is_positive, clinic.findings, synthesis, rng),
    ).drop(columns="admission_day")


def _patient_of_each(clinic: Clinic, rng: np.random.Generator) -> NDArray[np.intp]:
    visits = 1 + rng.poisson(clinic.images_per_patient - 1, clinic.n_images)
    return np.repeat(np.arange(clinic.n_images), visits)[: clinic.n_images]


def _sites(
    n_patients: int, shares: Mapping[str, float], rng: np.random.Generator
) -> NDArray[np.str_]:
    bounds = np.cumsum(list(shares.values())) * n_patients
    ranks = np.searchsorted(bounds, np.arange(n_patients) + 0.5)
    return rng.permutation(np.array(list(shares))[ranks])


def _results(
    patients: NDArray[np.intp],
    sites: NDArray[np.str_],
    positive_share: float,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return each patient's result, the same share of images positive at each site."""
    n_images = np.bincount(patients)
    is_positive = np.zeros(len(n_images), bool)
    for site in dict.fromkeys(np.sort(sites).tolist()):
        here = rng.permutation(np.flatnonzero(sites == site))
        images = np.cumsum(n_images[here])
        n_positive = int(np.sum(images <= positive_share * images[-1] + 0.5))
        # Both results at every site, however small it is.
        is_positive[here[: int(np.clip(n_positive, 1, len(here) - 1))]] = True
    return is_positive


def _people(
    is_positive: NDArray[np.bool_],
    sites: NDArray[np.str_],
    clinic: Clinic,
    rng: np.random.Generator,
) -> pd.DataFrame:
    n_patients = len(is_positive)
    mean_age = np.where(is_positive, *clinic.mean_ages)
    age = mean_age + 16 * ndtri(_evenly(is_positive, rng))
    is_male = _evenly(is_positive, rng) < np.where(is_positive, 0.57, 0.54)
    return pd.DataFrame(
        {
            "patient": [
                f"{clinic.initial}{number:04d}" for number in range(1, n_patients + 1)
            ],
            "is_positive": is_positive,
            "site": sites,
            "sex": np.where(is_male, "M", "F"),
            "age_years": np.clip(np.rint(age), 18, 94).astype(int),
            "admission_day": rng.integers(0, 200, n_patients),
            "anatomy_seed": rng.integers(2**31, size=n_patients),
        }
    )


def _views(
    is_positive: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.str_]:
    """Return a view for each radiograph; the two results differ a little."""
    share = _evenly(is_positive, rng)
    upright = np.where(is_positive, 0.34, 0.40)
    in_bed = np.where(share < upright + 0.2, "AP Supine", "AP")
    return np.where(share < upright, "PA", in_bed)


def _evenly(
    is_positive: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return numbers from 0 to 1 that are spread evenly in either result.

    Left to chance, a small cohort could be told apart by age alone.
    """
    spread = np.empty(len(is_positive))
    for result in (True, False):
        here = is_positive == result
        spread[here] = rng.permutation((np.arange(here.sum()) + 0.5) / here.sum())
    return spread


def _dates(days: pd.Series) -> list[str]:
    """Return DICOM dates (DA) that many days after the first of March 2020."""
    first = dt.date(2020, 3, 1)
    return [f"{first + dt.timedelta(days=int(day)):%Y%m%d}" for day in days]


def _severities(
    patients: NDArray[np.intp],
    is_positive: NDArray[np.bool_],
    findings: tuple[str, ...],
    synthesis: Synthesis,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    """Return the severity of everything drawn, one value per radiograph."""
    n_patients, n_images = len(is_positive), len(patients)
    worst = pd.DataFrame(0.0, index=range(n_patients), columns=list(DRAWN))
    for finding, share in _without(_BACKGROUND, findings).items():
        has_it = rng.random(n_patients) < share
        worst[finding] = np.where(has_it, rng.uniform(0.2, 0.9, n_patients), 0.0)
    other = _without(_OTHER_DISEASE, findings)
    weights = np.array(list(other.values()))
    came_with = rng.choice(list(other), n_patients, p=weights / weights.sum())
    is_other = ~is_positive & (rng.random(n_patients) < synthesis.other_disease_share)
    acute = 0.15 + 0.85 * rng.beta(1.8, 1.8, n_patients)
    for finding in other:
        has_it = is_other & (came_with == finding)
        worst[finding] = np.where(has_it, acute, worst[finding])
    is_silent = rng.random(n_patients) < synthesis.silent_share
    worst[findings[0]] = np.where(is_positive, np.where(is_silent, 0.03, acute), 0.0)
    # The days before and after the worst one.
    course = rng.uniform(0.6, 1.0, n_images)
    is_crowded = rng.random(n_images) < synthesis.confounder_share
    crowding = np.where(is_crowded, rng.uniform(0.3, 1.0, n_images), 0.0)
    for finding in findings[1:]:
        has_it = rng.random(n_patients) < _OF_FURTHER
        worst[finding] = np.where(has_it, rng.uniform(0.2, 0.9, n_patients), 0.0)
    on_day = {
        severity_column(finding): worst[finding].to_numpy()[patients] * course
        for finding in DRAWN
    }
    return {**on_day, severity_column("crowding"): crowding}


def _without(
    shares: Mapping[str, float], findings: tuple[str, ...]
) -> dict[str, float]:
    """Return the shares of what is no label here: a label is drawn as it says."""
    return {name: share for name, share in shares.items() if name not in findings}
