"""Do the gate and the prediction sets of a bundle hold what they promise, by patient?

    python benchmarks/conformal_coverage.py

Draws validation parts of so many patients, one to four images each, images of a patient
alike (correlation 0.6), fits `fit_gate` and `prediction_sets` to them, and judges one
image each of further patients: the share that the gate refuses, beside the share asked
for, and how often the set of a case and of a control has its class in it, beside the
coverage asked for. Features are of a heavy-tailed distribution (Student's t with 4
degrees of freedom), scores overlap. Intervals are of the mean over the validation parts
(95 %).
"""

import numpy as np

from covid_cxr.prediction.conformal import prediction_sets
from covid_cxr.prediction.gate import fit_gate

N_PATIENTS = (30, 100, 250, 600)
SHARES, COVERAGE = (0.01, 0.05), 0.9
VALIDATION_PARTS, NEW_PATIENTS, CHANNELS = 200, 400, 16
ALIKE = 0.6  # correlation of a patient's images


def main():
    """Print shares and coverages by the number of patients."""
    print(f"{VALIDATION_PARTS} validation parts each, coverage asked for {COVERAGE:g}")
    for n_patients in N_PATIENTS:
        found = [one_part(seed, n_patients) for seed in range(VALIDATION_PARTS)]
        told = [
            *(
                f"gate at {share:g}: {shown(found, f'refused {share}')}"
                for share in SHARES
            ),
            *(
                f"{kind} in the set: {shown(found, kind)}"
                for kind in ("case", "control")
            ),
        ]
        print(f"{n_patients:4} patients  {'  '.join(told)}")


def one_part(seed, n_patients):
    """Return what one validation part's limits do to new patients."""
    rng = np.random.default_rng([seed, 1])  # not the numbers that halves are drawn by
    patients = np.repeat(np.arange(n_patients), rng.integers(1, 5, n_patients))
    is_case = rng.random(n_patients)[patients] < 0.4
    scores = drawn_scores(rng, patients, is_case)
    features = drawn_features(rng, patients)
    new = np.arange(NEW_PATIENTS)
    found = {}
    for share in SHARES:
        gate, record = fit_gate(features, patients, refused_share=share, seed=seed)
        if record["limit"] is not None:
            distance = gate.distance(drawn_features(rng, new))
            found[f"refused {share}"] = (distance > record["limit"]).mean()
    sets = prediction_sets(scores, is_case, patients, coverage=COVERAGE, seed=seed)
    cases = drawn_scores(rng, new, np.ones(NEW_PATIENTS, bool))
    controls = drawn_scores(rng, new, np.zeros(NEW_PATIENTS, bool))
    return found | {
        "case": (cases >= sets["least_case_score"]).mean(),
        "control": (controls <= sets["greatest_control_score"]).mean(),
    }


def drawn_features(rng, patients):
    """Return features, shape (images, CHANNELS), of which some tell nothing."""
    scale = np.geomspace(3, 0.03, CHANNELS)
    own = rng.standard_t(4, (patients.max() + 1, CHANNELS))[patients]
    noise = rng.standard_t(4, (len(patients), CHANNELS))
    return scale * (np.sqrt(ALIKE) * own + np.sqrt(1 - ALIKE) * noise)


def drawn_scores(rng, patients, is_case):
    """Return scores on (0, 1)."""
    own = rng.standard_normal(patients.max() + 1)[patients]
    noise = rng.standard_normal(len(patients))
    latent = 1.2 * is_case + np.sqrt(ALIKE) * own + np.sqrt(1 - ALIKE) * noise
    return 1 / (1 + np.exp(-latent))


def shown(found, name):
    """Return the mean and its interval."""
    values = np.array([one[name] for one in found if name in one])
    if not len(values):
        return "too few patients"
    margin = 1.96 * values.std(ddof=1) / np.sqrt(len(values))
    mean = values.mean()
    return f"{mean:.4f} ({mean - margin:.4f} to {mean + margin:.4f})"


if __name__ == "__main__":
    main()
