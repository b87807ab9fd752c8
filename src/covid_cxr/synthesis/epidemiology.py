"""How often each finding occurs, with which others, and for how long.

The shares are those of ChestX-ray14's two official parts (Data_Entry_2017_v2020.csv).
Findings occur together because they share causes: heart failure, infection and
chronic lung disease. A finding's liability is the weighted sum of its causes and of
chance, each partly the patient's and partly the day's; the largest liabilities of a
part fall ill, as many as the finding's share says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CAUSES = ("failure", "infection", "chronic")


@dataclass(frozen=True, kw_only=True)
class Epidemiology:
    """One finding of ChestX-ray14.

    Attributes:
        finding: As a parameter names it, "pleural_thickening".
        train_val: Share of the images of `train_val_list.txt`.
        test: Share of the images of `test_list.txt`.
        persistence: From 0 (gone at the next visit) to 1 (there for life).
        causes: Weights of `CAUSES`; their squares sum to less than 1.
    """

    finding: str
    train_val: float
    test: float
    persistence: float
    causes: tuple[float, float, float]

    @property
    def title(self) -> str:
        """The finding in the raw table, "Pleural_Thickening"."""
        return self.finding.title()


_TABLE = (
    # finding, share in train_val and test, persistence, causes
    ("cardiomegaly", 0.0197, 0.0418, 0.9, (0.6, 0.0, 0.0)),
    ("emphysema", 0.0164, 0.0427, 0.9, (0.0, 0.0, 0.6)),
    ("edema", 0.0159, 0.0361, 0.2, (0.6, 0.4, 0.0)),
    ("hernia", 0.0016, 0.0034, 0.9, (0.0, 0.0, 0.1)),
    ("pneumothorax", 0.0305, 0.1041, 0.4, (0.0, 0.0, 0.5)),
    ("effusion", 0.1001, 0.1820, 0.5, (0.6, 0.3, 0.0)),
    ("mass", 0.0466, 0.0683, 0.8, (0.0, 0.0, 0.3)),
    ("fibrosis", 0.0145, 0.0170, 0.9, (0.0, 0.0, 0.4)),
    ("atelectasis", 0.0957, 0.1281, 0.3, (0.3, 0.3, 0.0)),
    ("consolidation", 0.0330, 0.0709, 0.3, (0.2, 0.5, 0.0)),
    ("pleural_thickening", 0.0259, 0.0447, 0.8, (0.0, 0.0, 0.5)),
    ("nodule", 0.0544, 0.0634, 0.8, (0.0, 0.0, 0.3)),
    ("pneumonia", 0.0101, 0.0217, 0.3, (0.2, 0.6, 0.0)),
    ("infiltration", 0.1593, 0.2388, 0.3, (0.2, 0.5, 0.0)),
)
NIH_EPIDEMIOLOGY = tuple(
    Epidemiology(
        finding=finding,
        train_val=train_val,
        test=test,
        persistence=persistence,
        causes=causes,
    )
    for finding, train_val, test, persistence, causes in _TABLE
)
NIH_FINDINGS = tuple(row.finding for row in NIH_EPIDEMIOLOGY)

# Everything that can be drawn; crowding is no disease and has no label.
DRAWN = (*NIH_FINDINGS, "covid19", "tuberculosis", "crowding")
LABELS = DRAWN[:-1]


def severity_column(finding: str) -> str:
    """Return the name of the finding's column in the synthetic radiographs."""
    return f"{finding}_severity"


def fall_ill(
    patients: NDArray[np.intp],
    *,
    shares: Mapping[str, float],
    least_patients: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the severity of each NIH finding, one row per radiograph, 0 to 1.

    Args:
        patients: Number of the patient on each radiograph, from 0, shape (n,).
        shares: Share of the radiographs with each finding.
        least_patients: Different patients that each finding has at least.
        rng: Draws causes, chance and severity.

    Raises:
        ValueError: If there are fewer patients than `least_patients`.
    """
    n_patients = len(np.unique(patients))
    if n_patients < least_patients:
        raise ValueError(
            f"Each finding was to occur in {least_patients} patients of a part that "
            f"has {n_patients}; lower synthesis.least_patients or raise nih_images."
        )
    causes = np.stack([_liability(patients, 0.6, rng) for _ in CAUSES], axis=1)
    severities = {}
    for row in NIH_EPIDEMIOLOGY:
        weights = np.array(row.causes)
        chance = _liability(patients, row.persistence, rng)
        liability = causes @ weights + np.sqrt(1 - weights @ weights) * chance
        n_ill = max(round(shares[row.finding] * len(patients)), least_patients)
        is_ill = _most_liable(liability, patients, n_ill, least_patients)
        severity = _severity(patients, row.persistence, rng)
        severities[row.finding] = np.where(is_ill, severity, 0.0)
    return pd.DataFrame(severities)


def mine_labels(
    severities: pd.DataFrame, *, label_noise: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Return what text mining would say: True or False per radiograph and finding.

    Args:
        severities: Of the findings that are there, one column each.
        label_noise: Share of each finding's labels that go missing; as many are made
            up, so that the finding stays as frequent as it is.
        rng: Draws the errors.
    """
    mined = {}
    for finding, severity in severities.items():
        is_ill = severity.to_numpy() > 0
        n_wrong = int(label_noise * is_ill.sum())
        missed = rng.choice(np.flatnonzero(is_ill), n_wrong, replace=False)
        made_up = rng.choice(np.flatnonzero(~is_ill), n_wrong, replace=False)
        flipped = np.isin(np.arange(len(is_ill)), np.concatenate([missed, made_up]))
        mined[finding] = is_ill ^ flipped
    return pd.DataFrame(mined)


def images_per_patient(
    n_images: int, *, mean: float, most: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return the number of the patient on each radiograph, from 0, shape (n_images,).

    Half of the patients come once, the others again and again, as in ChestX-ray14.

    Args:
        n_images: How many radiographs the patients have together.
        mean: Radiographs per patient, at least 2.
        most: Radiographs that no patient exceeds.
        rng: Draws how often each patient comes.
    """
    again = rng.geometric(1 / (2 * (mean - 1)), n_images)
    visits = np.minimum(1 + np.where(rng.random(n_images) < 0.5, 0, again), most)
    return np.repeat(np.arange(n_images), visits)[:n_images]


def _liability(
    patients: NDArray[np.intp], persistence: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return standard normal values that correlate by `persistence` in a patient."""
    of_patient = rng.standard_normal(patients.max() + 1)[patients]
    of_day = rng.standard_normal(len(patients))
    mixed = np.sqrt(persistence) * of_patient + np.sqrt(1 - persistence) * of_day
    return np.asarray(mixed, np.float64)


def _severity(
    patients: NDArray[np.intp], persistence: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    of_patient = rng.beta(2, 2, patients.max() + 1)[patients]
    of_day = rng.beta(2, 2, len(patients))
    mixed = persistence * of_patient + (1 - persistence) * of_day
    return np.asarray(0.2 + 0.8 * mixed, np.float64)


def _most_liable(
    liability: NDArray[np.float64],
    patients: NDArray[np.intp],
    n_ill: int,
    least_patients: int,
) -> NDArray[np.bool_]:
    order = np.argsort(-liability)
    _, first_visits = np.unique(patients[order], return_index=True)
    sure = order[np.sort(first_visits)[:least_patients]]
    others = order[~np.isin(order, sure)]
    chosen = np.concatenate([sure, others[: n_ill - least_patients]])
    return np.isin(np.arange(len(liability)), chosen)
