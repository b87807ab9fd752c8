"""The band about a ROC curve: what it always does, and a slow definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from covid_cxr.statistics.roc import trace_roc
from covid_cxr.statistics.roc_band import roc_band

NORMAL = norm.ppf(0.975)


def study(seed, *, n_patients, n_levels):
    """Return labels, tied scores and patients with more images where scores rise."""
    rng = np.random.default_rng(seed)
    own = rng.standard_normal(n_patients)
    patients = np.repeat(np.arange(n_patients), 1 + rng.poisson(np.exp(own)))
    has_finding = rng.random(n_patients) < 0.6
    has_finding[:2] = True, False
    is_case = has_finding[patients] ^ (rng.random(len(patients)) < 0.1)
    scores = own[patients] + is_case + rng.standard_normal(len(patients))
    return is_case, np.round(scores * n_levels), patients


def at(band, rate):
    """Return the bounds at k / 100: those of the step that ends and that begins there.

    The band's own steps are rounded outwards, from a hundredth to the next.
    """
    k = round(100 * rate)
    lower = np.append(band.lower[::2], band.lower[-1])
    upper = np.append(band.upper[0], band.upper[::2])
    return float(lower[k]), float(upper[k])


def assert_inside(is_case, scores, band):
    """The whole curve is in the band: between cut points, and at each of its steps."""
    curve = trace_roc(is_case, scores)
    along = curve.false_positive_rate + curve.sensitivity
    way = np.union1d(np.linspace(0, 2, 400), along)
    rates = np.interp(way, along, curve.false_positive_rate)
    sensitivity = np.interp(way, along, curve.sensitivity)
    edges = band.false_positive_rate
    for start in range(0, len(edges), 2):
        left, right = edges[start : start + 2]
        inside = (rates >= left - 1e-9) & (rates <= right + 1e-9)
        before = sensitivity[inside & (rates < right - 1e-9)]
        after = sensitivity[inside & (rates > left + 1e-9)]
        assert (after >= band.lower[start] - 1e-9).all()
        assert (before <= band.upper[start] + 1e-9).all()


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([4, 20, 95]),
    st.sampled_from([0.01, 1, 1000]),
)
def test_a_curve_never_leaves_its_own_band(seed, n_patients, n_levels):
    is_case, scores, patients = study(seed, n_patients=n_patients, n_levels=n_levels)
    if is_case.all() or not is_case.any():
        return

    for cluster in (patients, None):
        assert_inside(is_case, scores, roc_band(is_case, scores, cluster=cluster))


def test_a_long_curve_never_leaves_its_own_band():
    # Of which not every cut point is looked at; four of the scores are of many images.
    rng = np.random.default_rng(1)
    is_case = rng.random(200_000) < 0.4
    scores = rng.standard_normal(200_000) + is_case
    for low, high in ((-0.6, -0.2), (0.4, 0.6), (0.9, 0.95), (1.5, 1.9)):
        scores[(scores > low) & (scores < high)] = high

    assert_inside(is_case, scores, roc_band(is_case, scores, cluster=None))


@pytest.mark.parametrize(
    "scores",
    [np.ones(24), np.arange(24.0), -np.arange(24.0), np.arange(24.0) > 11],
    ids=["constant", "perfect", "reversed", "hard"],
)
@pytest.mark.parametrize(
    "patients",
    [None, np.arange(24) // 2, np.arange(24) % 12, np.zeros(24, int)],
    ids=["images", "of one class", "of both classes", "one patient"],
)
def test_scores_and_patients_at_their_limits_have_a_band_that_says_little(
    scores, patients
):
    is_case = np.arange(24) > 11

    band = roc_band(is_case, scores, cluster=patients)

    assert_inside(is_case, scores, band)
    assert (np.diff(band.lower) >= 0).all()
    assert (np.diff(band.upper) >= 0).all()
    assert (band.lower >= 0).all()
    assert (band.upper <= 1).all()
    lower, upper = at(band, 0.5)
    assert upper - lower > 0.15  # as of twelve images, never a line


def slow_shares(is_counted, scores, patients, threshold):
    """Return a share and its effective number of images, patient by patient."""
    called = scores[is_counted] >= threshold
    share, owners = called.mean(), patients[is_counted]
    names, sizes = np.unique(owners, return_counts=True)
    if len(names) == len(owners):
        return share, len(owners)
    variance = sum(((called - share)[owners == name].sum()) ** 2 for name in names)
    alike = len(owners) ** 2 / (sizes**2).sum()
    student = t.ppf(0.975, alike - 1)
    if share in (0, 1):
        return share, len(names)
    variance *= alike / (alike - 1) / len(owners) ** 2
    n = share * (1 - share) / variance * (NORMAL / student) ** 2
    return share, min(max(n, 1), len(owners))


def slow_points(is_case, scores, patients, rates):
    """Return share and n of both classes at each cut point and where rates are met."""
    cuts = [
        [slow_shares(kind, scores, patients, threshold) for kind in (is_case, ~is_case)]
        for threshold in [np.inf, *sorted(set(scores), reverse=True)]
    ]
    # On level pieces, for there are no ties.
    between = [
        (of_cases, (rate, min(n_left, n_right)))
        for (of_cases, (left, n_left)), (_, (right, n_right)) in itertools.pairwise(
            cuts
        )
        for rate in rates
        if left < rate < right
    ]
    return [*cuts, *between]


def slow_bounds(points, rate, grid):
    """Return the ends of the sensitivities that agree with some point at a rate."""
    agrees = np.zeros(len(grid), dtype=bool)
    for (hits, n), (alarms, m) in points:
        z_alarms = (alarms - rate) / np.sqrt(rate * (1 - rate) / m)
        z_hits = (hits - grid) / np.sqrt(grid * (1 - grid) / n)
        agrees |= z_alarms**2 + z_hits**2 <= NORMAL**2
    return grid[agrees].min(), grid[agrees].max()


@pytest.mark.parametrize(
    ("seed", "n", "images"),
    [(1, 30, 1), (2, 80, 1), (3, 20, 3), (4, 60, 2), (5, 95, 2)],
)
def test_the_band_is_what_agrees_with_some_cut_point(seed, n, images):
    rng = np.random.default_rng(seed)
    sizes = np.minimum(images, rng.integers(1, 4, n))
    patients = np.repeat(np.arange(n), sizes)
    is_case = patients % 3 > 0
    scores = rng.standard_normal(n)[patients] + rng.standard_normal(len(patients))
    scores += is_case
    grid = np.linspace(0.0005, 0.9995, 1000)
    rates = np.linspace(0.01, 0.99, 99)

    band = roc_band(is_case, scores, cluster=patients)

    points = slow_points(is_case, scores, patients, rates)
    bounds = np.array([slow_bounds(points, rate, grid) for rate in rates])
    for k in (4, 9, 32, 49, 79):
        slow = bounds[k:, 0].min(), bounds[: k + 1, 1].max()  # never falling
        assert at(band, rates[k]) == pytest.approx(slow, abs=0.001)


def test_copies_of_images_add_nothing_and_images_taken_for_patients_do():
    is_case, scores, patients = study(5, n_patients=60, n_levels=1000)

    by_patient = roc_band(is_case, scores, cluster=patients)
    by_image = roc_band(is_case, scores, cluster=None)
    thrice = roc_band(
        np.tile(is_case, 3), np.tile(scores, 3), cluster=np.tile(patients, 3)
    )

    def width(band):
        return (band.upper - band.lower).mean()

    assert width(thrice) == pytest.approx(width(by_patient), rel=1e-4)
    assert width(by_image) < width(by_patient)


@pytest.mark.parametrize(("n_cases", "n_controls"), [(12, 8), (8, 40), (40, 10)])
def test_it_covers_with_few_images_where_resampled_curves_did_not(n_cases, n_controls):
    rng = np.random.default_rng(7)
    is_case = np.repeat([True, False], [n_cases, n_controls])
    rates = np.array([0.05, 0.1, 0.2, 0.5])
    truth = norm.sf(norm.isf(rates) - 1.5)
    held = np.zeros(4)
    for _ in range(200):
        scores = rng.standard_normal(len(is_case)) + 1.5 * is_case
        band = roc_band(is_case, scores, cluster=None)
        lower, upper = np.transpose([at(band, rate) for rate in rates])
        held += (lower <= truth) & (truth <= upper)
    assert (held >= 0.92 * 200).all()


def test_it_is_narrower_with_more_patients_and_at_a_lower_level():
    widths = []
    for n, level in ((50, 0.95), (500, 0.95), (5000, 0.95), (5000, 0.5)):
        rng = np.random.default_rng(3)
        is_case = np.arange(n) % 2 == 0
        scores = rng.standard_normal(n) + is_case
        band = roc_band(is_case, scores, cluster=np.arange(n) // 4, level=level)
        lower, upper = at(band, 0.5)
        widths.append(upper - lower)

    assert widths == sorted(widths, reverse=True)
    assert widths[2] < 0.1


@pytest.mark.parametrize(
    ("is_case", "level", "message"),
    [
        ([True, True], 0.95, "got 2 and 0"),
        ([False, False], 0.95, "got 0 and 2"),
        ([True, False], 95, "got 95"),
    ],
)
def test_what_has_no_band_is_refused(is_case, level, message):
    with pytest.raises(ValueError, match=message):
        roc_band(is_case, [0.1, 0.2], cluster=None, level=level)
