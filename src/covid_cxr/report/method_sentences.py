"""What was done in a comparison, as sentences for a manuscript, with references.

Each sentence is drawn from the settings that were used and from what the table had; a
test holds each against the numbers (`tests/report/test_method_sentences.py`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import covid_cxr
from covid_cxr.evaluation.inference_settings import Evaluation, Margins, Reporting
from covid_cxr.evaluation.non_inferiority import AUROC
from covid_cxr.report.question_tables import question_title
from covid_cxr.statistics.patient_aucs import (
    IMAGE,
    ONE_IMAGE,
    PATIENT_FIRST,
    PATIENT_MAX,
    PATIENT_MEAN,
)

REFERENCES = {
    "delong": "DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845.",
    "obuchowski": "Obuchowski NA. Biometrics 1997;53:567-578.",
    "satterthwaite": "Satterthwaite FE. Biometrics Bulletin 1946;2:110-114.",
    "hoffman": "Hoffman EB, Sen PK, Weinberg CR. Biometrika 2001;88:1121-1134.",
    "efron": "Efron B. J Am Stat Assoc 1987;82:171-185.",
    "holm": "Holm S. Scand J Stat 1979;6:65-70.",
    "westfall": "Westfall PH, Young SS. Resampling-Based Multiple Testing. Wiley 1993.",
    "youden": "Youden WJ. Cancer 1950;3:32-35.",
    "wilson": "Wilson EB. J Am Stat Assoc 1927;22:209-212.",
    "rao": "Rao JNK, Scott AJ. Biometrics 1992;48:577-585.",
    "mcnemar": "McNemar Q. Psychometrika 1947;12:153-157.",
    "mercaldo": "Mercaldo ND, Lau KF, Zhou XH. Stat Med 2007;26:2170-2183.",
    "woodruff": "Woodruff RS. J Am Stat Assoc 1952;47:635-646.",
    "schuirmann": "Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680.",
    "mcclish": "McClish DK. Med Decis Making 1989;9:190-195.",
    "platt": "Platt J. Adv Large Margin Classifiers. MIT Press 1999:61-74.",
    "cox": "Cox DR. Biometrika 1958;45:562-565.",
    "vickers": "Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574.",
    "alonzo": "Alonzo TA, Pepe MS. J R Stat Soc C 2005;54:173-190.",
    "begg": "Begg CB, Greenes RA. Biometrics 1983;39:207-215.",
    "cochran": "Cochran WG. Biometrics 1954;10:101-129.",
    "hartung": "Hartung J, Knapp G. Stat Med 2001;20:3875-3889.",
    "higgins": "Higgins JPT, Thompson SG, Spiegelhalter DJ. J R Stat Soc A "
    "2009;172:137-159.",
    "hillis": "Hillis SL. Stat Med 2007;26:596-619.",
    "paule": "Paule RC, Mandel J. J Res Natl Bur Stand 1982;87:377-385.",
    "rockette": "Obuchowski NA, Rockette HE. Commun Stat Simul Comput 1995;24:285-308.",
    "staquet": "Staquet M, Rozencweig M, Lee YJ, Muggia FM. J Chronic Dis "
    "1981;34:599-610.",
    "austin": "Austin PC, Steyerberg EW. Stat Med 2019;38:4051-4065.",
}

_MEASURES = {
    "auroc": "AUROC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "ppv": "positive predictive value",
    "npv": "negative predictive value",
}


@dataclass(frozen=True, kw_only=True)
class ComparedTable:
    """What a comparison had to work with.

    Attributes:
        names: Of the classifiers.
        n_images: Of the test part.
        n_patients: Of the test part.
        n_replicates: Of the bootstrap, as drawn.
        has_validation: Whether thresholds were chosen.
        has_probabilities: Whether scores are on [0, 1].
        has_map: Whether probabilities were recalibrated.
        has_pooled: Whether any levels were pooled.
        has_levels: Whether levels were compared.
        has_interactions: Whether differences were compared between levels.
        readers_covariance: Of a reader study; None without one.
        reference: Sensitivity and specificity that labels were corrected for, if any.
        is_weighted: Whether AUROCs were weighted for missing labels.
        is_verified: Whether sensitivities were corrected for them.
    """

    names: Sequence[str]
    n_images: int
    n_patients: int
    n_replicates: int
    has_validation: bool
    has_probabilities: bool
    has_map: bool
    has_pooled: bool = False
    has_levels: bool = False
    has_interactions: bool = False
    readers_covariance: str | None = None
    reference: tuple[float, float] | None = None
    is_weighted: bool = False
    is_verified: bool = False

    @property
    def is_clustered(self) -> bool:
        """Whether any patient has several images."""
        return self.n_patients < self.n_images

    @property
    def n_pairs(self) -> int:
        """How many pairs of classifiers there are."""
        return len(self.names) * (len(self.names) - 1) // 2


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of the methods, or a few that belong together.

    Attributes:
        text: Without its references.
        sources: Of `REFERENCES`.
    """

    text: str
    sources: tuple[str, ...] = ()


def describe_method(
    table: ComparedTable,
    reporting: Reporting,
    evaluation: Evaluation,
    margins: Margins,
) -> list[Sentence]:
    """Return the sentences in the order of a methods section.

    Args:
        table: What there was.
        reporting: Level and significance.
        evaluation: Whatever else was chosen.
        margins: As they were stated.
    """
    level = _percent(reporting.level)
    found = [
        _areas(table, level),
        _primary(evaluation),
        *_pairs(table, reporting),
        *_thresholds(table, evaluation, level),
        *_margins(table, margins, reporting),
        _parts_of_the_curve(evaluation),
        *_probabilities(table, evaluation),
        *_levels(table),
        *_labels(table),
        *_readers(table),
    ]
    made = f"The statistics were calculated with covid_cxr {covid_cxr.__version__}."
    return [*found, Sentence(text=made)]


def number_references(sentences: Sequence[Sentence]) -> tuple[str, list[str]]:
    """Return the paragraph with numbers in brackets, and the references in order.

    Args:
        sentences: From `describe_method`.
    """
    order = list(dict.fromkeys(key for one in sentences for key in one.sources))
    numbers = {key: k + 1 for k, key in enumerate(order)}
    told = []
    for one in sentences:
        cited = ", ".join(str(numbers[key]) for key in one.sources)
        text = one.text.removesuffix(".")
        told.append(f"{text} [{cited}]." if cited else f"{text}.")
    return " ".join(told), [REFERENCES[key] for key in order]


def _areas(table: ComparedTable, level: str) -> Sentence:
    replicates = (
        f"; beside them stand BCa intervals from {table.n_replicates:,} bootstrap "
        f"samples of patients within strata of those with cases, controls or both"
    )
    if table.is_clustered:
        return Sentence(
            text=f"Areas under ROC curves (AUROCs) are given with {level} confidence "
            f"intervals on the logit scale, with a covariance that takes patients "
            f"instead of images as independent and Student quantiles with "
            f"Satterthwaite's degrees of freedom{replicates}.",
            sources=("obuchowski", "satterthwaite", "efron"),
        )
    return Sentence(
        text=f"Areas under ROC curves (AUROCs) are given with {level} confidence "
        f"intervals on the logit scale, with DeLong's covariance and normal "
        f"quantiles{replicates}.",
        sources=("delong", "efron"),
    )


def _primary(evaluation: Evaluation) -> Sentence:
    question = evaluation.primary_auroc
    drawn = {
        IMAGE: "in which a patient counts as often as there are images",
        PATIENT_MAX: "with the highest score of each patient's images",
        PATIENT_MEAN: "with the mean score of each patient's images",
        PATIENT_FIRST: "with the score of each patient's first image by name",
        ONE_IMAGE: "in which each image weighs one over its patient's images",
    }[question]
    title = question_title(question).partition(",")[0]
    return Sentence(
        text=f"The primary AUROC is that of {title}, {drawn}.",
        sources=("hoffman",) if question == ONE_IMAGE else (),
    )


def _pairs(table: ComparedTable, reporting: Reporting) -> Iterator[Sentence]:
    if not table.n_pairs:
        return
    kind = "by patient" if table.is_clustered else "by image (DeLong)"
    tested = (
        f"AUROCs of all images were compared in pairs on the same images by two-sided "
        f"tests {kind} at a significance of {reporting.significance:g}"
    )
    if table.n_pairs == 1:
        yield Sentence(text=f"{tested}.")
        return
    yield Sentence(
        text=f"{tested}, with p values adjusted for {table.n_pairs} pairs by Holm's "
        f"procedure and by the step-down maxT procedure with the joint normal "
        f"distribution of all differences.",
        sources=("holm", "westfall"),
    )


def _thresholds(
    table: ComparedTable, evaluation: Evaluation, level: str
) -> Iterator[Sentence]:
    if not table.has_validation:
        return
    yield Sentence(
        text=f"Thresholds were chosen on the validation part by Youden's index and as "
        f"the highest with a sensitivity of at least "
        f"{evaluation.target_sensitivity:g}; sensitivity and specificity on the test "
        f"part have Wilson intervals ({level}) for the effective number of images.",
        sources=("youden", "wilson", "rao"),
    )
    yield Sentence(
        text="The threshold of the target sensitivity has Woodruff's interval.",
        sources=("woodruff",),
    )
    prevalences = ", ".join(_percent(p) for p in evaluation.prevalences)
    yield Sentence(
        text=f"Predictive values are those at a prevalence of {prevalences}, with "
        f"intervals on the scale of log odds by the delta method.",
        sources=("mercaldo",),
    )
    if table.n_pairs:
        yield Sentence(
            text="Sensitivities and specificities of two classifiers were compared by "
            "McNemar's test without continuity correction"
            + (", with a patient's images summed." if table.is_clustered else "."),
            sources=("mcnemar",),
        )


def _margins(
    table: ComparedTable, margins: Margins, reporting: Reporting
) -> Iterator[Sentence]:
    stated = {
        name: m
        for name, m in vars(margins).items()
        if m is not None and (name == AUROC or table.has_validation)
    }
    if not table.n_pairs or not stated:
        return
    named = ", ".join(f"{m:g} in {_MEASURES[name]}" for name, m in stated.items())
    yield Sentence(
        text=f"Non-inferiority and equivalence were judged within margins of {named}, "
        f"by one-sided paired tests at {reporting.significance / 2:g} each, not "
        f"adjusted for their number.",
        sources=("schuirmann",),
    )


def _parts_of_the_curve(evaluation: Evaluation) -> Sentence:
    return Sentence(
        text=f"Partial AUROCs are those up to a false-positive rate of "
        f"{evaluation.max_false_positive_rate:g} and from a sensitivity of "
        f"{evaluation.least_sensitivity:g} on, with and without McClish's correction; "
        f"sensitivities are also given at a specificity of "
        f"{evaluation.specificity:g} of the test part's own controls.",
        sources=("mcclish",),
    )


def _probabilities(table: ComparedTable, evaluation: Evaluation) -> Iterator[Sentence]:
    if not table.has_probabilities:
        return
    if table.has_map:
        yield Sentence(
            text="Probabilities were recalibrated by temperature and by Platt's map, "
            "fitted on the validation part; calibration slope and calibration in the "
            "large have standard errors by patient.",
            sources=("platt", "cox"),
        )
    yield Sentence(
        text=f"Smooth calibration curves are logistic regressions on a restricted "
        f"cubic spline of the log odds with knots at the 10th, 50th and 90th "
        f"percentile; the integrated calibration index is their mean distance from "
        f"the diagonal, and the expected calibration error is over "
        f"{evaluation.calibration_bins} bins of equal width.",
        sources=("austin",),
    )
    yield Sentence(
        text=f"Net benefits are compared at a threshold probability of "
        f"{evaluation.decision_threshold:g}, at the test part's own share of cases.",
        sources=("vickers",),
    )


def _levels(table: ComparedTable) -> Iterator[Sentence]:
    if table.has_pooled:
        yield Sentence(
            text="AUROCs of sites or subgroups without a patient in common were pooled "
            "on the logit scale by a random-effects model with Paule and Mandel's "
            "variance between them, Hartung and Knapp's interval for the average one "
            "and a prediction interval for a further one.",
            sources=("paule", "hartung", "higgins"),
        )
    if table.has_levels:
        yield Sentence(
            text="Two of them were compared by unpaired tests, with Holm's adjustment "
            "for all of a grouping.",
            sources=("holm",),
        )
    if table.has_interactions:
        yield Sentence(
            text="Whether two classifiers differ by as much in each of them was tested "
            "by Cochran's Q of the paired differences, with Holm's adjustment.",
            sources=("cochran", "holm"),
        )


def _labels(table: ComparedTable) -> Iterator[Sentence]:
    if table.reference is not None:
        sensitivity, specificity = table.reference
        yield Sentence(
            text=f"Sensitivity and specificity at the threshold of Youden's index were "
            f"corrected for a reference with a sensitivity of {sensitivity:g} and a "
            f"specificity of {specificity:g}, taken as known, as if it and the "
            f"classifier erred independently, and bounded without this assumption.",
            sources=("staquet",),
        )
    if table.is_weighted:
        yield Sentence(
            text="For images without a label AUROCs were also estimated by inverse "
            "weighting with the share of labelled images within strata of the mean "
            "rank over classifiers, whose estimation is in the intervals.",
            sources=("alonzo",),
        )
    if table.is_verified:
        yield Sentence(
            text="Sensitivity and specificity at the threshold of Youden's index were "
            "also corrected for verification bias, as if within each call those "
            "without a label were as those with one.",
            sources=("begg",),
        )


def _readers(table: ComparedTable) -> Iterator[Sentence]:
    if table.readers_covariance is None:
        return
    kind, source = {
        "delong": ("DeLong's covariance by patient", ("obuchowski",)),
        "jackknife": ("the jackknife's covariance by patient", ()),
    }[table.readers_covariance]
    yield Sentence(
        text=f"Readers and patients were both taken as drawn at random: mean AUROCs "
        f"over readers were compared between modalities by Obuchowski and Rockette's "
        f"method with {kind} and Hillis' degrees of freedom.",
        sources=("rockette", "hillis", *source),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
