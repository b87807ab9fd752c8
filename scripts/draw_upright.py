"""Draw what a frontal radiograph looks like: src/covid_cxr/radiographs/upright.csv.

    python scripts/draw_upright.py

The mean of radiographs of the synthetic hospital, of both sexes and views, and of their
mirror images, in hundredths of a standard deviation. No radiograph of a patient is in
it, so that what it says of real ones is a test (`benchmarks/refused_pictures.py`).
"""

from pathlib import Path

import numpy as np

from covid_cxr.radiographs.orientation import standardised
from covid_cxr.synthesis.drawing import Exam, Look, draw_radiograph
from covid_cxr.synthesis.exposure import to_grey

PLACE = Path(__file__).parent.parent / "src/covid_cxr/radiographs/upright.csv"
N_DRAWN, SIZE_PX = 40, 128
LOOK = Look(sign_contrast=1.0, photons=20_000, magnification=1.0)


def draw_upright():
    """Return whole numbers, shape as `standardised` has it."""
    drawn = [standardised(draw(seed)) for seed in range(N_DRAWN)]
    mean = np.mean(drawn, axis=0)
    return np.rint(50 * (mean + mean[:, ::-1])).astype(int)


def draw(seed):
    """Return the pixels of a chest without findings."""
    exam = Exam(
        anatomy_seed=seed,
        drawing_seed=seed,
        sex="FM"[seed % 2],
        age_years=30 + seed,
        view=("PA", "AP")[seed // 2 % 2],
        severities={},
        has_devices=False,
    )
    return to_grey(draw_radiograph(exam, shape=(SIZE_PX, SIZE_PX), look=LOOK).density)


if __name__ == "__main__":
    np.savetxt(PLACE, draw_upright(), fmt="%d", delimiter=",")
