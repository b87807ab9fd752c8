"""The numbers that Fricks et al. printed, to stand beside ours.

R. B. Fricks et al., "Deep learning classification of COVID-19 in chest radiographs:
performance and influence of supplemental training", Journal of Medical Imaging 8(6),
064501 (2021). Nothing here is computed.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

CITATION = "Fricks et al., J. Med. Imaging 8(6) 064501 (2021)"


class PublishedFinding(NamedTuple):
    """One row of Table 1: AUROCs on the official NIH test list.

    Attributes:
        wang: Wang et al. 2017.
        yao: Yao et al. 2017.
        guendel: Güendel et al. 2018.
        baltruschat: Baltruschat et al. 2019.
        paper: Fricks et al. 2021, "our method".
    """

    wang: float
    yao: float
    guendel: float
    baltruschat: float
    paper: float


class PublishedPneumonia(NamedTuple):
    """One row of Table 2: the refinements of phase 2.

    Attributes:
        training_images: Radiographs in the training parts of phases 1 and 2.
        training_positives: Those with pneumonia.
        prevalence_percent: Of pneumonia in phase 2.
        auroc: Of pneumonia, on the validation part of phase 2.
    """

    training_images: int
    training_positives: int
    prevalence_percent: float
    auroc: float


class PublishedCovid(NamedTuple):
    """One row of Table 3: COVID-19 on the test part, with the 95 % interval."""

    auroc: float
    lower: float
    upper: float


def published_name(path: TrainingPath) -> str:
    """Return the name here of the path whose numbers stand beside `path`'s own."""
    return f"path_{path.published_as}" if current().published else ""


TABLE_1: Mapping[str, PublishedFinding] = MappingProxyType(
    {
        "cardiomegaly": PublishedFinding(0.810, 0.856, 0.883, 0.875, 0.868),
        "emphysema": PublishedFinding(0.833, 0.842, 0.895, 0.895, 0.924),
        "edema": PublishedFinding(0.805, 0.806, 0.835, 0.846, 0.834),
        "hernia": PublishedFinding(0.872, 0.775, 0.896, 0.937, 0.867),
        "pneumothorax": PublishedFinding(0.799, 0.805, 0.846, 0.840, 0.865),
        "effusion": PublishedFinding(0.759, 0.806, 0.828, 0.822, 0.828),
        "mass": PublishedFinding(0.693, 0.777, 0.821, 0.820, 0.819),
        "fibrosis": PublishedFinding(0.786, 0.743, 0.818, 0.816, 0.813),
        "atelectasis": PublishedFinding(0.700, 0.733, 0.767, 0.763, 0.761),
        "consolidation": PublishedFinding(0.703, 0.711, 0.745, 0.749, 0.739),
        "pleural_thickening": PublishedFinding(0.684, 0.724, 0.761, 0.763, 0.766),
        "nodule": PublishedFinding(0.669, 0.724, 0.758, 0.747, 0.777),
        "pneumonia": PublishedFinding(0.658, 0.684, 0.731, 0.714, 0.722),
        "infiltration": PublishedFinding(0.661, 0.673, 0.709, 0.694, 0.696),
        "macro_average": PublishedFinding(0.745, 0.761, 0.807, 0.806, 0.806),
    }
)

TABLE_2: Mapping[str, PublishedPneumonia] = MappingProxyType(
    {
        "path_a": PublishedPneumonia(95_828, 5_571, 24.05, 0.885),
        "path_d": PublishedPneumonia(20_000, 4_810, 24.05, 0.877),
        "path_b": PublishedPneumonia(95_919, 1_199, 2.18, 0.716),
        "path_e": PublishedPneumonia(20_091, 438, 2.18, 0.635),
    }
)

TABLE_3: Mapping[str, PublishedCovid] = MappingProxyType(
    {
        "path_a": PublishedCovid(0.849, 0.786, 0.912),
        "path_b": PublishedCovid(0.857, 0.794, 0.920),
        "path_c": PublishedCovid(0.851, 0.794, 0.907),
        "path_d": PublishedCovid(0.806, 0.735, 0.876),
        "path_e": PublishedCovid(0.765, 0.690, 0.841),
        "path_f": PublishedCovid(0.757, 0.683, 0.831),
    }
)

# P values of DeLong's test for each pair, and after the Bonferroni adjustment.
_PAIRS = (
    *(("a", "b", 0.747, 1.000), ("a", "c", 0.960, 1.000), ("a", "d", 0.224, 1.000)),
    *(("a", "e", 0.033, 0.495), ("a", "f", 0.047, 0.705), ("b", "c", 0.818, 1.000)),
    *(("b", "d", 0.159, 1.000), ("b", "e", 0.025, 0.375), ("b", "f", 0.027, 0.405)),
    *(("c", "d", 0.176, 1.000), ("c", "e", 0.025, 0.375), ("c", "f", 0.034, 0.510)),
    *(("d", "e", 0.392, 1.000), ("d", "f", 0.300, 1.000), ("e", "f", 0.851, 1.000)),
)
TABLE_4: Mapping[tuple[str, str], float] = MappingProxyType(
    {(f"path_{one}", f"path_{other}"): p for one, other, p, _ in _PAIRS}
)
TABLE_5: Mapping[tuple[str, str], float] = MappingProxyType(
    {(f"path_{one}", f"path_{other}"): p for one, other, _, p in _PAIRS}
)
