"""All findings of a target together: one family of tests, and their mean AUROC."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from covid_cxr.evaluation.arranged_scores import TEST, parts_of
from covid_cxr.evaluation.findings import FINDING, of_finding
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.statistics.finding_aucs import FindingAucs, estimate_finding_aucs
from covid_cxr.statistics.pairs import PairComparisons, compare_pairs_of_sets
from covid_cxr.study.current import current


@dataclass(frozen=True, kw_only=True)
class ScoredFindings:
    """The scores of each finding by the same classifiers.

    Attributes:
        parts: By finding, in the order of the target's labels. One without cases or
            without controls in the test part has no estimates; its comparisons were
            planned, and stay in the family.
    """

    parts: Mapping[str, ScoredParts]

    def estimate(self, *, by_patient: bool) -> FindingAucs:
        """Return the AUCs of all findings that have some on the test part."""
        tests = {n: both.test for n, both in self.parts.items() if not both.test.flaw}
        of_images = {n: one.scores.index for n, one in tests.items()}
        truth = pd.DataFrame(
            {n: pd.Series(one.is_case, of_images[n]) for n, one in tests.items()}
        )
        patients = pd.concat(
            [pd.Series(one.patients, of_images[n]) for n, one in tests.items()]
        )
        patients = patients[~patients.index.duplicated()].loc[truth.index]
        scores = {
            str(name): pd.DataFrame({n: one.scores[name] for n, one in tests.items()})
            for name in next(iter(tests.values())).scores
        }
        return estimate_finding_aucs(
            truth, scores, cluster=patients if by_patient else None
        )

    def compare(self, *, by_patient: bool) -> PairComparisons:
        """Return every pair of classifiers, finding after finding, as one family."""
        tests = [both.test for both in self.parts.values()]
        sets = [test.estimate(by_patient=by_patient) for test in tests]
        if len(sets) == 1:
            return compare_pairs_of_sets(sets, sets[0].covariance)
        is_known = np.repeat([not test.flaw for test in tests], len(sets[0].names))
        covariance = np.full((len(is_known), len(is_known)), np.nan)
        joint = self.estimate(by_patient=by_patient).covariance
        covariance[np.ix_(is_known, is_known)] = joint
        return compare_pairs_of_sets(sets, covariance)

    def name(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table of all findings, one after the other, with their `finding`."""
        if len(self.parts) > 1:
            n_each = len(table) // len(self.parts)
            table.insert(0, FINDING, np.repeat(list(self.parts), n_each))
        return table


def findings_of(scores: pd.DataFrame) -> ScoredFindings:
    """Return the findings of a table of scores; of one without any, its only one.

    Args:
        scores: As arranged.

    Raises:
        ValueError: If none has an AUROC on the test part.
    """
    parts = _parts_of_each(scores)
    flaws = [both.test.flaw for both in parts.values()]
    if all(flaws):
        raise ValueError(
            f"Nothing has an AUROC on the test part: {'; '.join(map(str, flaws))}. "
            f"Draw a split with cases and controls (`kedro run --pipelines=curation`) "
            f"and run the trainings again."
        )
    return ScoredFindings(parts=parts)


def _parts_of_each(scores: pd.DataFrame) -> dict[str, ScoredParts]:
    if FINDING not in scores:
        return {"": parts_of(scores)}
    target = current().target_set
    stated = parts_of(of_finding(scores, target.label)).test
    nothing = stated.where(np.zeros(len(stated.is_case), dtype=bool))
    parts = {}
    for label in target.labels:
        own = of_finding(scores, label)
        is_told = bool((own["part"] == TEST).any())
        none_told = ScoredParts(validation=None, test=nothing)
        parts[label] = parts_of(own) if is_told else none_told
    return parts
