"""The report's parameters."""

import pytest

from covid_cxr.evaluation.inference_settings import Reporting


@pytest.mark.parametrize("name", ["level", "significance"])
@pytest.mark.parametrize("value", [0, 1, 95])
def test_what_is_no_share_is_refused(name, value):
    values = {"level": 0.95, "significance": 0.05, "seed": 1, name: value}

    with pytest.raises(ValueError, match=rf"reporting\.{name}.*{value}"):
        Reporting(**values)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match=r"reporting\.seed.*-1"):
        Reporting(level=0.95, significance=0.05, seed=-1)
