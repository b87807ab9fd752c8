"""The smallest hospital, and exams drawn small."""

import pytest

from covid_cxr.synthesis.drawing import Exam, Look
from covid_cxr.synthesis.hospital import admit_patients
from covid_cxr.synthesis.hospital_settings import Synthesis

SMALLEST = {
    "seed": 7,
    "nih_images": 120,
    "rsna_images": 60,
    "covid_images": 60,
    "raw_size_px": 64,
    "least_patients": 3,
    "sign_contrast": 0.8,
    "confounder_share": 0.3,
    "photons": 1500,
    "label_noise": 0.1,
    "other_disease_share": 0.4,
    "silent_share": 0.1,
    "morbidity": 1.0,
    "workers": 1,
}


@pytest.fixture(scope="session")
def make_synthesis():
    """Return a function that makes parameters; what is not given is the smallest."""
    return lambda **changed: Synthesis(**{**SMALLEST, **changed})


@pytest.fixture(scope="session")
def synthesis(make_synthesis):
    return make_synthesis()


@pytest.fixture(scope="session")
def radiographs(synthesis):
    return admit_patients(synthesis)


@pytest.fixture(scope="session")
def large_radiographs(make_synthesis):
    """Return the radiographs of a hospital as large as the demo's, none drawn."""
    return admit_patients(
        make_synthesis(
            nih_images=4000, rsna_images=700, covid_images=1060, least_patients=8
        )
    )


@pytest.fixture(scope="session")
def look():
    return Look(sign_contrast=1.0, photons=1e6, magnification=1.0)


@pytest.fixture
def make_exam():
    """Return a function that makes an exam of one man with the findings it is given."""

    def make(severities=None, **changed):
        settings = {
            "anatomy_seed": 5,
            "drawing_seed": 6,
            "sex": "M",
            "age_years": 50,
            "view": "PA",
            "severities": severities or {},
            "has_devices": False,
        }
        return Exam(**{**settings, **changed})

    return make
