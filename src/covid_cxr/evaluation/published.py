"""The numbers that Fricks et al. printed, to stand beside ours.

R. B. Fricks et al., "Deep learning classification of COVID-19 in chest radiographs:
performance and influence of supplemental training", Journal of Medical Imaging 8(6),
064501 (2021). Nothing here is computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from covid_cxr.study.current import current
from covid_cxr.study.design import TrainingPath

CITATION = "Fricks et al., J. Med. Imaging 8(6) 064501 (2021)"


@dataclass(frozen=True, kw_only=True)
class PublishedFinding:
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


@dataclass(frozen=True, kw_only=True)
class PublishedPneumonia:
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


@dataclass(frozen=True, kw_only=True)
class PublishedCovid:
    """One row of Table 3: COVID-19 on the test part, with the 95 % interval."""

    auroc: float
    lower: float
    upper: float


def published_name(path: TrainingPath) -> str:
    """Return the name here of the path whose numbers stand beside `path`'s own."""
    return f"path_{path.published_as}" if current().published else ""


def _finding(
    wang: float, yao: float, guendel: float, baltruschat: float, paper: float
) -> PublishedFinding:
    return PublishedFinding(
        wang=wang, yao=yao, guendel=guendel, baltruschat=baltruschat, paper=paper
    )


def _pneumonia(
    training_images: int,
    training_positives: int,
    prevalence_percent: float,
    auroc: float,
) -> PublishedPneumonia:
    return PublishedPneumonia(
        training_images=training_images,
        training_positives=training_positives,
        prevalence_percent=prevalence_percent,
        auroc=auroc,
    )


def _covid(auroc: float, lower: float, upper: float) -> PublishedCovid:
    return PublishedCovid(auroc=auroc, lower=lower, upper=upper)


TABLE_1: Mapping[str, PublishedFinding] = MappingProxyType(
    {
        "cardiomegaly": _finding(0.810, 0.856, 0.883, 0.875, 0.868),
        "emphysema": _finding(0.833, 0.842, 0.895, 0.895, 0.924),
        "edema": _finding(0.805, 0.806, 0.835, 0.846, 0.834),
        "hernia": _finding(0.872, 0.775, 0.896, 0.937, 0.867),
        "pneumothorax": _finding(0.799, 0.805, 0.846, 0.840, 0.865),
        "effusion": _finding(0.759, 0.806, 0.828, 0.822, 0.828),
        "mass": _finding(0.693, 0.777, 0.821, 0.820, 0.819),
        "fibrosis": _finding(0.786, 0.743, 0.818, 0.816, 0.813),
        "atelectasis": _finding(0.700, 0.733, 0.767, 0.763, 0.761),
        "consolidation": _finding(0.703, 0.711, 0.745, 0.749, 0.739),
        "pleural_thickening": _finding(0.684, 0.724, 0.761, 0.763, 0.766),
        "nodule": _finding(0.669, 0.724, 0.758, 0.747, 0.777),
        "pneumonia": _finding(0.658, 0.684, 0.731, 0.714, 0.722),
        "infiltration": _finding(0.661, 0.673, 0.709, 0.694, 0.696),
        "macro_average": _finding(0.745, 0.761, 0.807, 0.806, 0.806),
    }
)

TABLE_2: Mapping[str, PublishedPneumonia] = MappingProxyType(
    {
        "path_a": _pneumonia(95_828, 5_571, 24.05, 0.885),
        "path_d": _pneumonia(20_000, 4_810, 24.05, 0.877),
        "path_b": _pneumonia(95_919, 1_199, 2.18, 0.716),
        "path_e": _pneumonia(20_091, 438, 2.18, 0.635),
    }
)

TABLE_3: Mapping[str, PublishedCovid] = MappingProxyType(
    {
        "path_a": _covid(0.849, 0.786, 0.912),
        "path_b": _covid(0.857, 0.794, 0.920),
        "path_c": _covid(0.851, 0.794, 0.907),
        "path_d": _covid(0.806, 0.735, 0.876),
        "path_e": _covid(0.765, 0.690, 0.841),
        "path_f": _covid(0.757, 0.683, 0.831),
    }
)

# P values of DeLong's test for each pair, and after the Bonferroni adjustment.
TABLE_4: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("path_a", "path_b"): 0.747,
        ("path_a", "path_c"): 0.960,
        ("path_a", "path_d"): 0.224,
        ("path_a", "path_e"): 0.033,
        ("path_a", "path_f"): 0.047,
        ("path_b", "path_c"): 0.818,
        ("path_b", "path_d"): 0.159,
        ("path_b", "path_e"): 0.025,
        ("path_b", "path_f"): 0.027,
        ("path_c", "path_d"): 0.176,
        ("path_c", "path_e"): 0.025,
        ("path_c", "path_f"): 0.034,
        ("path_d", "path_e"): 0.392,
        ("path_d", "path_f"): 0.300,
        ("path_e", "path_f"): 0.851,
    }
)

TABLE_5: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("path_a", "path_b"): 1.000,
        ("path_a", "path_c"): 1.000,
        ("path_a", "path_d"): 1.000,
        ("path_a", "path_e"): 0.495,
        ("path_a", "path_f"): 0.705,
        ("path_b", "path_c"): 1.000,
        ("path_b", "path_d"): 1.000,
        ("path_b", "path_e"): 0.375,
        ("path_b", "path_f"): 0.405,
        ("path_c", "path_d"): 1.000,
        ("path_c", "path_e"): 0.375,
        ("path_c", "path_f"): 0.510,
        ("path_d", "path_e"): 1.000,
        ("path_d", "path_f"): 1.000,
        ("path_e", "path_f"): 1.000,
    }
)
