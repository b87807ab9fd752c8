"""Logistic regressions without penalty, whose errors are by patient."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

Floats = NDArray[np.float64]

# A variance below this share of that of independent images is rounding error.
_ROUNDING = 1e-12
_TINY = 1e-12  # keeps the log odds of a probability of 0 or 1 finite
_FLAT = 1e-10  # norm of the mean gradient at which a fit has ended
MANY_IMAGES = 50_000  # from which on a faster way to the same fit is taken
_AT_ONCE = 4096  # images: of more, BLAS has threads that wait for each other
_MOST_STEPS = 50
_SOME = 10  # of so many images one, to begin with
_FAR = 20.0  # log odds that no share of so many images has
_LONGEST_STEP = 2.0  # in log odds


def as_log_odds(probability: ArrayLike) -> Floats:
    """Return the log odds, those of 0 and 1 held at the ones of 1e-12 from there."""
    values = np.asarray(probability, dtype=np.float64)
    return np.asarray(logit(np.clip(values, _TINY, 1 - _TINY)))


def fit_logistic(design: Floats, truth: NDArray[np.bool_], offset: Floats) -> Floats:
    """Return the coefficients with the largest likelihood, shape (c,).

    Args:
        design: Shape (n, c), in which the classes are not separated.
        truth: Shape (n,).
        offset: Added to the log odds, shape (n,).
    """

    def loss(coefficients: Floats) -> float:
        log_odds = design @ coefficients + offset
        return float(np.mean(np.logaddexp(0, log_odds) - truth * log_odds))

    def gradient(coefficients: Floats) -> Floats:
        residuals = expit(design @ coefficients + offset) - truth
        return np.asarray(design.T @ residuals / len(truth))

    def curvature(coefficients: Floats) -> Floats:
        return information_of(design, coefficients, offset) / len(truth)

    start = np.zeros(design.shape[1])
    if len(truth) > MANY_IMAGES:
        found = _fit_by_newton(design, truth, offset)
        if found is not None:
            return found
    return np.asarray(
        minimize(
            loss,
            start,
            jac=gradient,
            hess=curvature,
            method="trust-exact",
            options={"gtol": _FLAT},
        ).x
    )


def _fit_by_newton(
    design: Floats, truth: NDArray[np.bool_], offset: Floats
) -> Floats | None:
    """Return what `fit_logistic` does in a tenth of the time; None without an end.

    Steps of Newton, none of which moves log odds further than where the likelihood is
    like a parabola: a longer one may lead away from outputs that are far too certain.
    """
    furthest = np.abs(design).max(axis=0)
    found = _fit_to_some(design, truth, offset)
    for _ in range(_MOST_STEPS):
        slope, information = _derivatives(design, truth, found, offset)
        if np.linalg.norm(slope / len(truth)) < _FLAT:
            return found
        if not np.linalg.cond(information) < 1 / _FLAT:
            return None
        step = np.linalg.solve(information, slope)
        if furthest @ np.abs(step) > _LONGEST_STEP:
            step *= min(1, _LONGEST_STEP / np.abs(design @ step).max())
        found = found + step
    return None


def _fit_to_some(design: Floats, truth: NDArray[np.bool_], offset: Floats) -> Floats:
    """Return where to begin: the fit to a tenth of very many images, or else zeros."""
    nothing = np.zeros(design.shape[1])
    some = slice(None, None, _SOME)
    if len(truth) <= MANY_IMAGES or len(set(truth[some])) < 2:
        return nothing
    found = _fit_by_newton(design[some], truth[some], offset[some])
    # Where a tenth is almost separated its fit is far from that of the whole.
    if found is None or np.abs(design @ found).max() > _FAR:
        return nothing
    return found


def _derivatives(
    design: Floats, truth: NDArray[np.bool_], coefficients: Floats, offset: Floats
) -> tuple[Floats, Floats]:
    """Return the slope of the log likelihood and its information, (c,) and (c, c)."""
    slope = np.zeros(design.shape[1])
    information = np.zeros((design.shape[1], design.shape[1]))
    for piece in _pieces(len(truth)):
        rows = design[piece]
        expected = expit(rows @ coefficients + offset[piece])
        slope += rows.T @ (truth[piece] - expected)
        information += rows.T @ (rows * (expected * (1 - expected))[:, np.newaxis])
    return slope, information


def _pieces(n_images: int) -> list[slice]:
    """Return the images at once; of many, as many as stay in a processor's cache."""
    at_once = _AT_ONCE if n_images > MANY_IMAGES else n_images
    return [slice(k, k + at_once) for k in range(0, n_images, at_once)]


def clustered_errors(
    design: Floats,
    truth: NDArray[np.bool_],
    offset: Floats,
    coefficients: Floats,
    codes: NDArray[np.int64],
) -> Floats:
    """Return standard errors with patients as independent units, (c,).

    NaN with one patient, and where every patient's residuals cancel, which says
    nothing.
    """
    covariance, is_known = clustered_covariance(
        design, truth, offset, coefficients, codes
    )
    return np.sqrt(np.where(is_known, np.diag(covariance), np.nan))


def clustered_covariance(
    design: Floats,
    truth: NDArray[np.bool_],
    offset: Floats,
    coefficients: Floats,
    codes: NDArray[np.int64],
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the covariance with patients as independent units (sandwich), (c, c).

    And of which coefficients, (c,), it is more than rounding error: of none with one
    patient, nor where every patient's residuals cancel.
    """
    expected = expected_share(design, coefficients, offset)
    residuals = truth - expected
    scores = np.stack([np.bincount(codes, weights=c * residuals) for c in design.T])
    n_clusters, n_coefficients = scores.shape[1], len(coefficients)
    if n_clusters < 2:
        nothing = np.full((n_coefficients, n_coefficients), np.nan)
        return nothing, np.zeros(n_coefficients, dtype=bool)
    bread = np.linalg.inv(_information(design, expected))
    meat = n_clusters / (n_clusters - 1) * scores @ scores.T
    covariance = bread @ meat @ bread
    by_image = np.diag(bread)  # of independent images
    return covariance, np.diag(covariance) > _ROUNDING * by_image


def information_of(design: Floats, coefficients: Floats, offset: Floats) -> Floats:
    """Return the information of the coefficients, shape (c, c)."""
    return _information(design, expected_share(design, coefficients, offset))


def _information(design: Floats, expected: Floats) -> Floats:
    """Return the information by the probabilities of the model, shape (c, c)."""
    weights = (expected * (1 - expected))[:, np.newaxis]
    pieces = _pieces(len(design))
    return np.asarray(sum(design[p].T @ (design[p] * weights[p]) for p in pieces))


def expected_share(design: Floats, coefficients: Floats, offset: Floats) -> Floats:
    """Return the probabilities by the model, shape (n,)."""
    expected = np.empty(len(design))
    for piece in _pieces(len(design)):
        expected[piece] = expit(design[piece] @ coefficients + offset[piece])
    return expected
