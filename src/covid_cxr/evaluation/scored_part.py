"""What classifiers said of the same radiographs, lined up for comparison."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.statistics.auc import (
    AucDifference,
    AucEstimates,
    PlacedScores,
    as_codes,
    place_scores,
)
from covid_cxr.statistics.patient_aucs import (
    IMAGE,
    MAY_BE_PRIMARY,
    PATIENT_FIRST,
    QUESTIONS,
    QuestionAucs,
    estimate_aucs_by_question,
)

_LESS_CERTAIN = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)  # a part is like itself alone
class ScoredPart:
    """One label of n radiographs, and k classifiers' scores for it.

    Attributes:
        is_case: Shape (n,).
        scores: One column per classifier, n rows.
        patients: Patient of each radiograph, shape (n,).
    """

    is_case: NDArray[np.bool_]
    scores: pd.DataFrame
    patients: NDArray[np.object_]

    def estimate(self, *, by_patient: bool) -> AucEstimates:
        """Return the AUCs, taking as independent the patients or else the images.

        All that is known of them is NaN where there is no case, or no control.
        """
        return self._by_patient if by_patient else self._by_image

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """The patients numbered 0, 1, … in order of appearance, shape (n,)."""
        return as_codes(self.patients, len(self.is_case))

    @cached_property
    def _by_patient(self) -> AucEstimates:
        return self._estimate(self.clusters)

    @cached_property
    def _by_image(self) -> AucEstimates:
        return self._estimate(None)

    @cached_property
    def _placed(self) -> PlacedScores:
        return place_scores(self.is_case, self.scores)

    def by_question(self, primary: str) -> QuestionAucs:
        """Return the AUCs of each question that these patients answer.

        Args:
            primary: Told beside `statistics.patient_aucs.QUESTIONS`.
        """
        return self._with_first if primary == PATIENT_FIRST else self._by_question

    @cached_property
    def _by_question(self) -> QuestionAucs:
        return self._answer(QUESTIONS)

    @cached_property
    def _with_first(self) -> QuestionAucs:
        return self._answer(MAY_BE_PRIMARY)

    def _answer(self, questions: Sequence[str]) -> QuestionAucs:
        return estimate_aucs_by_question(
            self.is_case,
            self.scores,
            cluster=self.clusters,
            questions=questions,
            placed=self._placed,
        )

    def estimate_for(self, question: str) -> AucEstimates:
        """Return the AUCs of one question; NaN where these patients do not answer it.

        Args:
            question: Of `statistics.patient_aucs.MAY_BE_PRIMARY`.
        """
        if question == IMAGE:  # without sorting for the others
            return self.estimate(by_patient=True)
        found = self.by_question(question).estimates.get(question)
        return self._unknown if found is None else found

    def _estimate(self, cluster: NDArray[np.int64] | None) -> AucEstimates:
        if self.has_both_classes:
            return self._placed.estimate(cluster)
        return self._unknown

    @property
    def _unknown(self) -> AucEstimates:
        sizes, k = self.sizes, self.scores.shape[1]
        return AucEstimates(
            names=tuple(map(str, self.scores)),
            auc=np.full(k, np.nan),
            covariance=np.full((k, k), np.nan),
            n_cases=sizes["cases"],
            n_controls=sizes["controls"],
            n_clusters=sizes["patients"],
        )

    @property
    def sizes(self) -> dict[str, int]:
        """How many `cases`, `controls` and `patients` there are."""
        n_cases = int(self.is_case.sum())
        return {
            "cases": n_cases,
            "controls": len(self.is_case) - n_cases,
            "patients": len(set(self.patients)),
        }

    @property
    def has_both_classes(self) -> bool:
        """Whether there is a case and a control, so that there is an AUROC."""
        return bool(self.is_case.any() and not self.is_case.all())

    @property
    def flaw(self) -> str | None:
        """Why there is no AUROC, in words; None where there is one."""
        n_images = len(self.is_case)
        if self.has_both_classes:
            return None
        if not n_images:
            return "no radiograph of which it is known"
        absent = "control" if self.is_case.any() else "case"
        return f"no {absent} among {n_images:,} radiographs"

    def where(self, inside: NDArray[np.bool_]) -> "ScoredPart":
        """Return the part with some of its radiographs only.

        Args:
            inside: Which, shape (n,).
        """
        return ScoredPart(
            is_case=self.is_case[inside],
            scores=self.scores[inside],
            patients=self.patients[inside],
        )

    @property
    def are_probabilities(self) -> bool:
        """Whether every score lies on [0, 1], as calibration needs it."""
        return bool(
            self.scores.ge(0).all(axis=None) and self.scores.le(1).all(axis=None)
        )

    @property
    def is_certain(self) -> pd.DataFrame:
        """Which outputs are exactly 0 or 1 and so have no log odds, as `scores`."""
        return self.scores.isin([0, 1])

    def with_less_certain(self) -> "ScoredPart":
        """Return the part with outputs of exactly 0 or 1 a millionth from there.

        What is made of log odds holds such outputs somewhere; where it comes out
        otherwise from here, that choice has decided it.
        """
        held = self.scores.clip(_LESS_CERTAIN, 1 - _LESS_CERTAIN)
        return replace(self, scores=self.scores.mask(self.is_certain, held))


@dataclass(frozen=True, kw_only=True)
class ScoredParts:
    """What is chosen on validation is judged on test.

    Attributes:
        validation: None where there is no such part.
        test: Scored by the same classifiers.
    """

    validation: ScoredPart | None
    test: ScoredPart

    @property
    def validation_aurocs(self) -> pd.Series:
        """The AUROC of each classifier on validation; NaN where it has none."""
        names = self.test.scores.columns
        if self.validation is None:
            return pd.Series(np.nan, index=names)
        return pd.Series(self.validation.estimate(by_patient=True).auc, index=names)

    @property
    def chosen(self) -> str | None:
        """The classifier with the highest AUROC on validation, the first of equals.

        None where validation cannot tell; a classifier alone needs no choice.
        """
        aurocs = self.validation_aurocs
        if len(aurocs) == 1:
            return str(aurocs.index[0])
        return None if aurocs.isna().all() else str(aurocs.idxmax())


def auroc_rows(estimates: AucEstimates, level: float) -> list[dict[str, float]]:
    """Return `auroc`, `lower` and `upper` (logit) of each classifier."""
    bounds = estimates.interval(level, "logit")
    return [
        {"auroc": auc, "lower": lower, "upper": upper}
        for auc, (lower, upper) in zip(estimates.auc, bounds, strict=True)
    ]


def difference_row(difference: AucDifference, level: float) -> dict[str, float]:
    """Return `difference`, `difference_lower` and `difference_upper`."""
    lower, upper = difference.interval(level)
    return {
        "difference": difference.estimate,
        "difference_lower": lower,
        "difference_upper": upper,
    }


def line_up(tables: Mapping[str, pd.DataFrame], *, label: str, part: str) -> ScoredPart:
    """Return the scores of all classifiers for the radiographs of one part.

    Radiographs of which the label is not known are left out.

    Args:
        tables: Score table of each classifier: `image_id, patient_id, part`, the
            label and `<label>_score`.
        label: Column of the truth.
        part: `validation` or `test`.

    Raises:
        ValueError: If a column is missing, the part is empty, or the classifiers did
            not see the same radiographs with the same labels.
    """
    chosen = {name: _of_part(name, t, label, part) for name, t in tables.items()}
    first_name, first = next(iter(chosen.items()))
    for name, table in chosen.items():
        if not table[["patient_id", label]].equals(first[["patient_id", label]]):
            raise ValueError(
                f"{name} and {first_name} were not scored on the same {part} "
                f"radiographs with the same labels ({len(table)} and {len(first)}); "
                "run the older one again: it stems from another split."
            )
    return ScoredPart(
        is_case=first[label].to_numpy(dtype=bool),
        scores=pd.DataFrame({k: t[f"{label}_score"] for k, t in chosen.items()}),
        patients=first["patient_id"].to_numpy(dtype=object),
    )


def _of_part(name: str, table: pd.DataFrame, label: str, part: str) -> pd.DataFrame:
    needed = ["image_id", "patient_id", "part", label, f"{label}_score"]
    missing = [column for column in needed if column not in table.columns]
    if missing:
        raise ValueError(
            f"The score table of {name} has no column {', '.join(missing)}; it has "
            f"{', '.join(map(str, table.columns))}."
        )
    rows = table.loc[table["part"] == part, needed].set_index("image_id").sort_index()
    rows = rows[rows[label].notna()]
    if rows.empty:
        raise ValueError(
            f"The score table of {name} has no {part} radiographs of which {label} is "
            f"known; its parts are {', '.join(sorted(set(table['part'])))}. Score that "
            f"part first."
        )
    return rows
