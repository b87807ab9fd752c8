import numpy as np
import pytest

from covid_cxr.synthesis.epidemiology import (
    NIH_EPIDEMIOLOGY,
    NIH_FINDINGS,
    fall_ill,
    images_per_patient,
    mine_labels,
)

SHARES = {row.finding: row.train_val for row in NIH_EPIDEMIOLOGY}


@pytest.fixture(scope="module")
def patients():
    return np.repeat(np.arange(3000), 4)


@pytest.fixture(scope="module")
def severities(patients):
    rng = np.random.default_rng(0)
    return fall_ill(patients, shares=SHARES, least_patients=5, rng=rng)


def test_every_finding_has_its_share(severities):
    shares = (severities > 0).mean()

    assert dict(shares) == pytest.approx(SHARES, abs=1e-3)


def test_severities_are_between_0_and_1(severities):
    assert severities.to_numpy().min() == 0
    assert 0.8 < severities.to_numpy().max() <= 1


def test_a_rare_finding_still_occurs_in_different_patients(patients):
    rare = dict.fromkeys(NIH_FINDINGS, 0.0001)
    rng = np.random.default_rng(1)

    severities = fall_ill(patients, shares=rare, least_patients=7, rng=rng)

    for finding in NIH_FINDINGS:
        assert len(np.unique(patients[severities[finding] > 0])) == 7


def test_too_few_patients_for_every_finding_are_refused():
    rng = np.random.default_rng(1)
    with pytest.raises(ValueError, match="least_patients"):
        fall_ill(np.array([0, 0, 1]), shares=SHARES, least_patients=3, rng=rng)


def test_edema_keeps_company_with_pneumonia(severities):
    is_ill = severities > 0
    together = (is_ill["edema"] & is_ill["pneumonia"]).mean()

    assert together > 2 * is_ill["edema"].mean() * is_ill["pneumonia"].mean()


def test_emphysema_stays_and_edema_goes(patients, severities):
    def share_still_ill_at_the_next_visit(finding):
        is_ill = (severities[finding] > 0).to_numpy().reshape(-1, 4)
        return is_ill[:, 1][is_ill[:, 0]].mean()

    assert patients[:4].tolist() == [0, 0, 0, 0]
    stays = share_still_ill_at_the_next_visit("emphysema")
    assert stays > 0.35
    assert stays > 2 * share_still_ill_at_the_next_visit("edema")


def test_mined_labels_are_wrong_as_often_as_said_and_as_frequent_as_the_truth(
    severities,
):
    rng = np.random.default_rng(2)

    mined = mine_labels(severities, label_noise=0.2, rng=rng)

    is_ill = severities > 0
    assert (mined.sum() == is_ill.sum()).all()
    missed = (is_ill & ~mined).sum() / is_ill.sum()
    assert missed.to_numpy() == pytest.approx(0.2, abs=0.05)


def test_patients_come_as_often_as_the_mean_says_and_never_more_than_most():
    rng = np.random.default_rng(3)

    patients = images_per_patient(50_000, mean=3.1, most=40, rng=rng)

    visits = np.bincount(patients)
    assert len(patients) == 50_000
    assert visits.mean() == pytest.approx(3.1, rel=0.05)
    assert (visits == 1).mean() == pytest.approx(0.5, abs=0.03)
    assert visits.max() <= 40
