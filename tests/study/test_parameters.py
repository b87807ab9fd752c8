"""What every training gets from the study, its phase and its path."""

from dataclasses import replace

import pytest

from covid_cxr.study.current import current
from covid_cxr.study.parameters import complete

PARAMETERS = {
    "recipe": {"seed": 1, "momentum": 0.9},
    "phase2": {"recipe": {"learning_rate": 0.001}},
    "phase3": {"recipe": {"learning_rate": 0.0005}},
}


def completed(**changes):
    return complete({**PARAMETERS, **changes}, current())


def test_every_path_gets_the_recipe_of_its_phases():
    parameters = completed()

    recipe = {"seed": 1, "momentum": 0.9, "learning_rate": 0.001}
    assert parameters["path_a"]["phase2"]["recipe"] == recipe
    assert parameters["phase1"]["recipe"] == PARAMETERS["recipe"]
    assert "phase2" not in parameters["path_f"]


def test_a_phase_and_a_path_override_single_values_of_the_recipe():
    parameters = completed(
        phase3={"recipe": {"learning_rate": 0.0005, "seed": 2}},
        path_b={"phase3": {"recipe": {"learning_rate": 0.01}}},
    )

    own = parameters["path_b"]["phase3"]["recipe"]
    assert own == {"learning_rate": 0.01, "seed": 2, "momentum": 0.9}
    assert parameters["path_c"]["phase3"]["recipe"]["learning_rate"] == 0.0005


def test_every_training_set_has_its_labels():
    parameters = completed()

    assert len(parameters["phase1_labels"]) == 14
    assert parameters["phase2_rsna_labels"] == ["pneumonia"]
    assert parameters["phase3_labels"] == ["covid19"]


def test_an_environment_changes_single_values_of_how_a_set_is_drawn():
    parameters = completed(phase3_split={"test": 0.5})

    assert parameters["phase3_split"]["test"] == 0.5
    assert parameters["phase3_split"]["validation"] == 0.203774
    assert parameters["phase1_split"]["test"] == "official"


def test_the_given_parameters_are_left_as_they_were():
    before = str(PARAMETERS)

    completed()

    assert str(PARAMETERS) == before


def test_parameters_of_an_unknown_path_are_refused():
    with pytest.raises(ValueError, match=r"'path_z'.*path_a"):
        completed(path_z={"phase3": {}})


def test_parameters_of_a_phase_that_a_path_lacks_are_refused():
    with pytest.raises(ValueError, match=r"path_c name phase2"):
        completed(path_c={"phase2": {"recipe": {}}})


@pytest.mark.parametrize(
    ("phase", "place"),
    [
        ("phase1", "general.labels"),
        ("phase2", "related.<name>.labels"),
        ("phase3", "target.labels"),
    ],
)
def test_labels_among_the_parameters_say_where_they_went(phase, place):
    with pytest.raises(ValueError, match=f"{phase}.labels .* study.yml as {place}"):
        completed(**{phase: {"labels": ["covid19"]}})


def test_a_start_changes_single_values_of_the_network():
    start = {"weights": "none"}
    study = replace(current(), starts={"random": start})
    network = {"weights": "imagenet", "seed": 1}

    parameters = complete({**PARAMETERS, "network": network}, study)

    assert parameters["network_random"] == {"weights": "none", "seed": 1}
    assert parameters["network"] == network
