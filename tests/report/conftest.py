"""Settings, and scores of two classifiers on a validation and a test part."""

import numpy as np
import pandas as pd
import pytest

from covid_cxr.report.evaluation import Evaluation
from covid_cxr.report.reporting import Reporting
from covid_cxr.report.scored_part import ScoredPart


@pytest.fixture(scope="session")
def reporting():
    return Reporting(level=0.95, significance=0.05, seed=1)


@pytest.fixture(scope="session")
def evaluation():
    return Evaluation(
        target_sensitivity=0.9,
        prevalences=[0.1, 0.5],
        max_false_positive_rate=0.2,
        bootstrap_replicates=200,
        calibration_bins=4,
        age_edges=[40, 60],
        least_subgroup_patients=5,
        power=0.8,
        seed=1,
    )


def scored_part(seed, n_images=160):
    """Return two overconfident classifiers' probabilities, two images a patient."""
    rng = np.random.default_rng(seed)
    is_case = np.repeat(rng.random(n_images // 2) < 0.5, 2)
    signal = 1.5 * (is_case - 0.5)[:, np.newaxis] + rng.standard_normal((n_images, 2))
    scores = 1 / (1 + np.exp(-3 * signal * [1.0, 0.4] - [0.0, 1.0]))
    images = [f"image_{i:03d}" for i in range(n_images)]
    return ScoredPart(
        is_case=is_case,
        scores=pd.DataFrame(scores, columns=["sharp", "dull"], index=images),
        patients=np.repeat([f"p{i}" for i in range(n_images // 2)], 2).astype(object),
    )


@pytest.fixture(scope="session")
def validation():
    return scored_part(1)


@pytest.fixture(scope="session")
def test_part():
    return scored_part(2)
