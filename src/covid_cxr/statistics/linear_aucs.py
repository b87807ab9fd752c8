"""AUCs of resampled patients as sums of what each patient adds, for very many images.

With a weight w for each patient, cases i, controls j, the AUC A and placements V,

    A(w) = A + sum_i w (V10 - A) / sum_i w + sum_j w (V01 - A) / sum_j w + rest,

which is Hoeffding's decomposition (Ann Math Stat 1948;19:293) with the denominators as
they are. The rest is (w_p - 1) (w_q - 1) times what two patients' images have in common
beyond their placements, summed over pairs of patients: small beside the others by the
square root of the number of patients, unless the classes are almost separated.
"""

from collections.abc import Iterable
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from covid_cxr.statistics.auc import placements_of_models

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_AT_ONCE = 16  # sets of weights in one product of matrices


class LinearAucs:
    """The AUCs of k models in patients with weights, without the rest.

    Attributes:
        auc: With every patient once, shape (k,).
    """

    def __init__(
        self, truth: NDArray[np.bool_], scores: Floats, codes: Integers
    ) -> None:
        """Sum the placements by patient.

        Args:
            truth: With both classes, shape (n,).
            scores: Finite, shape (n, k).
            codes: Patient of each image as 0, 1, …, shape (n,).
        """
        owners, n_patients = (codes[truth], codes[~truth]), int(codes.max()) + 1
        self._k = scores.shape[1]
        # By patient: cases, controls, and what either adds to each model.
        self._sums = np.empty((n_patients, 2 + 2 * self._k))
        for column, owner in enumerate(owners):
            self._sums[:, column] = np.bincount(owner, minlength=n_patients)
        self.auc = np.empty(self._k)
        for k, placed in enumerate(placements_of_models(truth, scores)):
            self.auc[k] = placed[truth].mean()
            for kind, own in enumerate((truth, ~truth)):
                self._sums[:, 2 + kind * self._k + k] = np.bincount(
                    owners[kind], placed[own] - self.auc[k], n_patients
                )

    @property
    def left_out(self) -> Floats:
        """About the rest, as a share of the standard error, shape (k,).

        Its standard deviation, by no more than that of one pair's win, and its mean, by
        no more than the pairs that patients have of their own images.
        """
        images = self._sums[:, :2]
        n_images = images.sum(axis=0)
        patients = n_images**2 / (images**2).sum(axis=0)  # if they were alike
        spread = np.sqrt(self.auc * (1 - self.auc) / patients.prod())
        own_pairs = (images[:, 0] @ images[:, 1]) / n_images.prod()
        cases, controls = self._by_kind(self._sums)
        added = cases / n_images[0] + controls / n_images[1]
        error = np.sqrt((added**2).sum(axis=0))
        # Where no placement differs, as of a constant score, there is no rest.
        share = np.zeros(self._k)
        np.divide(spread + own_pairs, error, out=share, where=error > 0)
        return share

    def weighted(self, weights: Iterable[NDArray[np.uint32]]) -> Floats:
        """Return the AUCs with each of the weights, shape (sets, k); NaN for one class.

        Args:
            weights: Each of shape (patients,); may be one array that changes.
        """
        found = []
        waiting = iter(weights)
        while some := [w.astype(np.float64) for w in islice(waiting, _AT_ONCE)]:
            found.append(self._at(np.stack(some) @ self._sums))
        return np.concatenate(found)

    def jackknife(self) -> Floats:
        """Return the AUCs without each patient, shape (patients, k); NaN likewise."""
        return self._at(self._sums.sum(axis=0) - self._sums)

    def _at(self, sums: Floats) -> Floats:
        """Return the AUCs by weighted sums over patients, shape (sets, 2 + 2 k)."""
        images = np.where(sums[:, :2] > 0, sums[:, :2], np.nan)
        cases, controls = self._by_kind(sums)
        found = self.auc + cases / images[:, :1] + controls / images[:, 1:]
        return np.asarray(np.clip(found, 0, 1))

    def _by_kind(self, sums: Floats) -> tuple[Floats, Floats]:
        return sums[:, 2 : 2 + self._k], sums[:, 2 + self._k :]
