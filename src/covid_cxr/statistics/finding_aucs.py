"""AUCs of several models for several findings of the same patients, taken together.

What is known of one finding on a radiograph says something of the others: AUCs
correlate across findings as they do across models. Each is a sum over patients of their
placements, as in `auc`, so that the covariance of any two is that of the patients'
parts (Obuchowski, Biometrics 1997;53:567). An image that does not know a finding is
left out of that finding alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from covid_cxr.statistics.auc import (
    AucEstimates,
    PlacementSums,
    VariancePart,
    as_codes,
    as_matrix,
    check_classes,
    estimates_from,
    sum_placements,
)
from covid_cxr.statistics.mean_auc import average_aucs
from covid_cxr.statistics.pairs import PairComparisons, compare_pairs_of_sets

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FindingAucs:
    """AUCs of k models for f findings, with the joint covariance of all.

    Attributes:
        estimates: Of each finding, by its name; as `estimate_aucs` of the images that
            know it.
        covariance: Of all AUCs, finding after finding, shape (f k, f k); NaN where a
            class of a finding has fewer than two patients.
        mean: Of each model, the mean over the findings, each counted alike, with
            intervals and paired tests as of one finding. An image counts once for each
            finding among `n_cases` and `n_controls`. Nothing is known of its error
            where a model has an AUC of 0 or 1, or a constant score, for any finding.
    """

    estimates: Mapping[str, AucEstimates]
    covariance: Floats
    mean: AucEstimates

    def compare_all_pairs(self) -> PairComparisons:
        """Return all pairs of models for all findings, as one family of tests.

        Finding after finding, each with its k (k - 1) / 2 pairs in order.
        """
        return compare_pairs_of_sets(list(self.estimates.values()), self.covariance)


def estimate_finding_aucs(
    truth: pd.DataFrame, scores: Mapping[str, pd.DataFrame], *, cluster: Any
) -> FindingAucs:
    """Return the AUCs of each model for each finding, and what they have in common.

    Args:
        truth: A column for each finding: true, false, or missing where an image does
            not know it; n rows.
        scores: Of each model by its name, a column for each finding, n rows in the same
            order. They are not looked at where the truth is missing.
        cluster: Patient of each image, shape (n,); None takes every image as one.

    Raises:
        ValueError: If there is no finding or no model, a model lacks a finding or has
            other rows, or a finding has no case, no control, a truth that is neither
            true nor false, or a score that is not finite.
    """
    _check_scores(truth, scores)
    codes = as_codes(cluster, len(truth))
    found = {}
    for finding in map(str, truth):
        models = pd.DataFrame({name: table[finding] for name, table in scores.items()})
        try:
            found[finding] = _estimate_finding(truth[finding], models, codes)
        except ValueError as error:
            raise ValueError(f"{finding}: {error}") from error
    estimates = {finding: each for finding, (each, _) in found.items()}
    parts = [part for _, part in found.values()]
    n_patients = int(codes.max()) + 1
    covariance = joint_covariance(list(estimates.values()), parts, n_patients)
    return FindingAucs(
        estimates=estimates,
        covariance=covariance,
        mean=_mean(list(estimates.values()), covariance, parts, n_patients),
    )


@dataclass(frozen=True, kw_only=True)
class PatientParts:
    """What patients add to k AUCs, as of models for one finding.

    Attributes:
        sums: Of the I patients who have part in them, as with images that know it.
        patients: Which of all patients these are, shape (I,).
    """

    sums: PlacementSums
    patients: NDArray[np.int64]

    @property
    def raised(self) -> Floats:
        """How much sums of squares are raised for the mean that was taken away.

        For the patients with cases, with controls, and for all; NaN for one patient.
        """
        sums = self.sums
        n = np.array([sums.n_with_case, sums.n_with_control, sums.n_patients])
        if n.min() < 2:
            return np.full(3, np.nan)
        return np.asarray(n / (n - 1))

    def added(self, n_patients: int) -> tuple[Floats, Floats]:
        """Return what all patients' cases and controls add, each (k, n_patients)."""
        cases, controls = np.zeros((2, len(self.sums.cases), n_patients))
        cases[:, self.patients] = self.sums.cases / self.sums.n_cases
        controls[:, self.patients] = self.sums.controls / self.sums.n_controls
        return cases, controls


def _estimate_finding(
    truth: pd.Series, scores: pd.DataFrame, codes: NDArray[np.int64]
) -> tuple[AucEstimates, PatientParts]:
    is_known = truth.notna().to_numpy()
    known = truth[is_known]
    is_boolean = known.isin([0, 1])
    if not is_boolean.all():
        raise ValueError(
            f"the truth must be true, false or missing, got "
            f"{known[~is_boolean].iloc[0]}."
        )
    is_case = known.to_numpy(dtype=bool)
    check_classes(is_case)
    matrix, names = as_matrix(scores[is_known], n_images=len(is_case))
    own, patients = pd.factorize(codes[is_known])
    auc, sums = sum_placements(is_case, matrix, own)
    return estimates_from(names, auc, sums), PatientParts(sums=sums, patients=patients)


def joint_covariance(
    estimates: Sequence[AucEstimates], parts: Sequence[PatientParts], n_patients: int
) -> Floats:
    """Return the covariance of all AUCs, finding after finding, shape (f k, f k).

    Two findings may have other patients each; sums of products are raised by the
    geometric mean of what the two raise sums of squares by. As a sum of three products
    of matrices with their transposes it has no negative eigenvalue.

    Args:
        estimates: Of k models for each of f findings.
        parts: What patients add to them.
        n_patients: All there are.
    """
    rows = []
    for part in parts:
        cases, controls = part.added(n_patients)
        of_cases, of_controls, of_all = part.raised
        rows.append(
            [
                np.sqrt(of_all) * (cases + controls),
                np.sqrt(of_cases - of_all) * cases,
                np.sqrt(of_controls - of_all) * controls,
            ]
        )
    together = (np.concatenate(each) for each in zip(*rows, strict=True))
    covariance = np.asarray(sum(each @ each.T for each in together))
    k = len(estimates[0].names)
    for f, each in enumerate(estimates):  # the same but for rounding
        covariance[f * k : (f + 1) * k, f * k : (f + 1) * k] = each.covariance
    return covariance


def _mean(
    estimates: Sequence[AucEstimates],
    covariance: Floats,
    parts: Sequence[PatientParts],
    n_patients: int,
) -> AucEstimates:
    """Return the mean over f findings of each model, with its covariance."""
    f, k = len(estimates), len(estimates[0].names)
    of_mean = covariance.reshape(f, k, f, k).sum(axis=(0, 2)) / f**2
    # As of sets with no patient in common, but for what they have in common.
    mean = average_aucs(estimates)
    is_unknown = np.isnan(mean.covariance)
    has_parts = mean.variance_parts and not is_unknown.all()
    return replace(
        mean,
        covariance=np.where(is_unknown, np.nan, of_mean),
        n_clusters=n_patients,
        variance_parts=_parts_of_mean(parts, n_patients) if has_parts else (),
    )


def _parts_of_mean(
    parts: Sequence[PatientParts], n_patients: int
) -> tuple[VariancePart, VariancePart]:
    """Return the mean's variance from cases and from controls.

    Each finding has part in it, with its own number of patients less one as degrees of
    freedom. Their errors are taken to go up and down together, as those of alike
    findings do: never more degrees of freedom than that.
    """
    added = [part.added(n_patients) for part in parts]
    found = []
    for kind in (0, 1):
        each = [
            np.sqrt(part.raised[kind]) * both[kind] / len(parts)
            for part, both in zip(parts, added, strict=True)
        ]
        total = np.sum(each, axis=0)  # (k, n_patients)
        shares = np.abs([np.vdot(one, total) for one in each])
        freedoms = [
            (part.sums.n_with_case, part.sums.n_with_control)[kind] - 1
            for part in parts
        ]
        # A class without error, as of cases that all have one score, weighs nothing.
        weights = shares if shares.any() else np.ones(len(parts))
        root = weights.sum() / (weights / np.sqrt(freedoms)).sum()
        found.append(
            VariancePart(covariance=total @ total.T, degrees_of_freedom=float(root**2))
        )
    return found[0], found[1]


def _check_scores(truth: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> None:
    if truth.shape[1] == 0 or not scores:
        raise ValueError(
            f"Expected findings and models, got {truth.shape[1]} findings and "
            f"{len(scores)} models."
        )
    for name, table in scores.items():
        missing = [str(finding) for finding in truth if finding not in table]
        if missing or not table.index.equals(truth.index):
            raise ValueError(
                f"{name} must have scores of every finding for the {len(truth)} images "
                f"of the truth in their order; it has {len(table)} rows and lacks "
                f"{', '.join(missing) or 'no finding'}. Give both one index."
            )
