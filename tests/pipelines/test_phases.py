"""The phases' wiring: which training starts from what, on which data."""

import json

import keras
import numpy as np
import pandas as pd
import pytest

from covid_cxr.paths import TRAINING_PATHS
from covid_cxr.pipelines.phase1 import pipeline as phase1
from covid_cxr.pipelines.phase2 import pipeline as phase2
from covid_cxr.pipelines.phase3 import pipeline as phase3
from covid_cxr.pipelines.phase3.nodes import explain
from covid_cxr.saliency.cases import SaliencyCases
from covid_cxr.training.network import Network, build_densenet


@pytest.fixture(scope="module")
def pipelines():
    return [module.create_pipeline() for module in (phase1, phase2, phase3)]


@pytest.fixture(scope="module")
def nodes(pipelines):
    return {node.name: node for pipeline in pipelines for node in pipeline.nodes}


def test_there_are_one_and_four_and_six_trainings(pipelines):
    counts = [
        sum("train" in node.tags for node in pipeline.nodes) for pipeline in pipelines
    ]

    assert counts == [1, 4, 6]


def test_every_training_is_scored_and_every_path_explained(nodes):
    trainings = {name for name in nodes if name.endswith(".train")}

    assert {f"{name.removesuffix('train')}score" for name in trainings} <= set(nodes)
    assert {f"{path.name}.phase3.explain" for path in TRAINING_PATHS} <= set(nodes)


@pytest.mark.parametrize(
    ("training", "classifier", "provenance"),
    [
        ("phase1", "initial_classifier", "initial_provenance"),
        ("path_a.phase2", "phase1_classifier", "phase1_provenance"),
        ("path_d.phase2", "initial_classifier", "initial_provenance"),
        ("path_b.phase3", "path_b.phase2.classifier", "path_b_phase2_provenance"),
        ("path_c.phase3", "phase1_classifier", "phase1_provenance"),
        ("path_e.phase3", "path_e.phase2.classifier", "path_e_phase2_provenance"),
        ("path_f.phase3", "initial_classifier", "initial_provenance"),
    ],
)
def test_a_training_starts_from_its_paths_parent(
    nodes, training, classifier, provenance
):
    assert nodes[f"{training}.train"].inputs[:2] == [classifier, provenance]


@pytest.mark.parametrize(
    ("training", "cohort", "training_set"),
    [
        ("phase1", "nih", "phase1"),
        ("path_a.phase2", "rsna", "phase2_rsna"),
        ("path_b.phase2", "nih", "phase2_nih"),
        ("path_f.phase3", "covid", "phase3"),
    ],
)
@pytest.mark.parametrize("step", ["train", "score"])
def test_a_training_and_its_scores_use_the_same_data(
    nodes, training, cohort, training_set, step
):
    data = {
        f"{cohort}_store",
        f"{cohort}_curated",
        f"{training_set}_split",
        f"{training_set}_intensity",
    }

    assert data <= set(nodes[f"{training}.{step}"].inputs)


def test_a_recipe_is_the_paths_own_and_labels_are_the_phases(nodes):
    inputs = nodes["path_b.phase3.train"].inputs

    assert "params:path_b.phase3.recipe" in inputs
    assert "params:phase3.labels" in inputs


def test_every_training_has_its_own_states_and_all_one_compute(nodes):
    trainings = [name for name in nodes if name.endswith(".train")]
    states = {name: nodes[name].inputs[-1] for name in trainings}

    assert states["phase1.train"] == "phase1_state"
    assert states["path_b.phase3.train"] == "path_b_phase3_state"
    assert len(set(states.values())) == len(trainings)
    assert all("params:compute" in nodes[name].inputs for name in trainings)


def test_the_outputs_are_the_catalogs_names(nodes):
    assert nodes["path_b.phase2.train"].outputs == [
        "path_b.phase2.classifier",
        "path_b_phase2_history",
        "path_b_phase2_provenance",
    ]
    assert nodes["path_b.phase3.score"].outputs == ["path_b_phase3_scores"]
    assert nodes["path_b.phase3.explain"].outputs == ["path_b_phase3_saliency"]
    assert nodes["phase1.score"].outputs == ["phase1_scores"]


def test_a_stage_knows_the_name_of_its_node(nodes):
    for name, node in nodes.items():
        if name.endswith(".train"):
            assert f"{node.func.__self__.name}.train" == name


class MemoryStore:
    """Eight images of 32 px, none like another."""

    size_px = 32
    n_images = 8

    def read(self, rows):
        rng = np.random.default_rng(1)
        images = rng.integers(0, 255, (8, 32, 32), dtype=np.uint8)
        return images[rows]


def test_cases_are_explained_with_the_maps_of_their_own_images():
    network = Network(
        size_px=32,
        blocks=[1, 1],
        growth_rate=4,
        initial_filters=8,
        batch_norm_momentum=0.99,
        weights="none",
        seed=3,
    )
    classifier = build_densenet(network, 1)
    ids = [f"image_{number}" for number in range(8)]
    scores = pd.DataFrame(
        {
            "image_id": ids,
            "patient_id": [f"patient_{number}" for number in range(8)],
            "part": ["validation"] * 2 + ["test"] * 6,
            "covid19": [True, False] * 4,
            "covid19_score": [0.9, 0.1] * 4,
        }
    )
    curated = pd.DataFrame({"image_id": ids[::-1], "row": np.arange(8)})
    wanted = {"false_positives": 1, "false_negatives": 1, "seed": 4}
    intensity = {"mean": 0.5, "standard_deviation": 0.25, "n_images": 8}
    explained = explain(
        classifier,
        MemoryStore(),
        curated,
        scores,
        intensity,
        SaliencyCases(true_positives=2, true_negatives=2, **wanted),
    )

    assert json.loads(json.dumps(explained)) == explained
    assert explained["layer"] == "relu"
    assert explained["threshold"] == 0.9
    assert [case["outcome"] for case in explained["cases"]] == [
        "true_positive",
        "true_positive",
        "true_negative",
        "true_negative",
    ]
    for case in explained["cases"]:
        assert set(case) == {"image_id", "patient_index", "outcome", "score", "map"}
        row = 7 - int(case["image_id"].removeprefix("image_"))
        pixels = (MemoryStore().read([row]) / 255 - 0.5) / 0.25
        expected = map_of(classifier, pixels[..., np.newaxis].astype(np.float32))
        np.testing.assert_allclose(case["map"], expected, atol=1e-3)


def map_of(classifier, image):
    """Return the class activation map, written out."""
    relu = keras.Model(classifier.input, classifier.get_layer("relu").output)
    weighted = relu(image, training=False).numpy()[0] @ classifier.layers[-1].kernel
    positive = np.maximum(np.asarray(weighted)[..., 0], 0)
    return positive / max(positive.max(), 1e-12)
