"""The phases' wiring: which training starts from what, on which data."""

import json
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest

from covid_cxr.devices.strategy import Compute
from covid_cxr.pipelines.phase1 import pipeline as phase1
from covid_cxr.pipelines.phase2 import pipeline as phase2
from covid_cxr.pipelines.phase3 import pipeline as phase3
from covid_cxr.pipelines.phase3.nodes import RepeatedStage, explain, randomise
from covid_cxr.pipelines.pointing_game import play_pointing_game
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.saliency.grad_cam import explainer
from covid_cxr.saliency.map_settings import Explanation, Saliency
from covid_cxr.saliency.maps import maps_of
from covid_cxr.study.current import current
from covid_cxr.training.examples import Examples
from covid_cxr.training.network import Network, build_classifier, initialise
from covid_cxr.training.seeds import Repetition
from covid_cxr.training.state import StateFolder


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
    assert {f"{path.name}.phase3.explain" for path in current().paths} <= set(nodes)


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
    ("training", "training_set"),
    [
        ("phase1", "phase1"),
        ("path_a.phase2", "phase2_rsna"),
        ("path_b.phase2", "phase2_nih"),
        ("path_f.phase3", "phase3"),
    ],
)
@pytest.mark.parametrize("step", ["train", "score"])
def test_a_training_and_its_scores_use_the_same_data(
    nodes, training, training_set, step
):
    assert f"{training_set}_examples" in nodes[f"{training}.{step}"].inputs


def test_the_recipe_is_the_paths_own(nodes):
    inputs = nodes["path_b.phase3.train"].inputs

    assert "params:path_b.phase3.recipe" in inputs


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
        "path_b_phase2_clock",
    ]
    assert nodes["path_b.phase3.score"].outputs == ["path_b_phase3_scores"]
    assert nodes["path_b.phase3.explain"].outputs == [
        "path_b_phase3_saliency",
        "path_b_phase3_maps",
    ]
    assert nodes["phase1.score"].outputs == ["phase1_scores"]


def test_a_stage_knows_the_name_of_its_node(nodes):
    for name, node in nodes.items():
        if name.endswith(".train"):
            assert f"{node.func.__self__.name}.train" == name


@pytest.mark.parametrize("path", current().paths, ids=lambda path: path.name)
def test_the_maps_of_every_path_are_tested(nodes, path):
    tests = {"randomise", "tabulate_regions", "tabulate_repeatability"}

    assert {f"{path.name}.phase3.{test}" for test in tests} <= set(nodes)


def test_maps_are_held_against_boxes_where_readers_have_drawn_some(nodes):
    played = [name for name in nodes if name.endswith("play_pointing_game")]

    assert sorted(played) == [
        *(f"path_{letter}.phase2.play_pointing_game" for letter in "abde"),
        "phase1.play_pointing_game",
    ]
    assert "rsna_boxes" in nodes["path_a.phase2.play_pointing_game"].inputs
    assert "nih_boxes" in nodes["phase1.play_pointing_game"].inputs


class MemoryStore:
    """Eight images of 32 px, none like another."""

    size_px = 32
    n_images = 8
    fingerprint = "eight"

    @property
    def records(self):
        steps = "8 of 8 bits; resized from 64 x 128"
        return pd.DataFrame({"image_id": IDS, "steps": steps})

    def read(self, rows):
        rng = np.random.default_rng(1)
        images = rng.integers(0, 255, (8, 32, 32), dtype=np.uint8)
        return images[rows]


IDS = [f"image_{number}" for number in range(8)]
INTENSITY = Intensity(mean=0.5, standard_deviation=0.25, n_images=8)
NETWORK = Network(
    size_px=32,
    blocks=[1, 1],
    growth_rate=4,
    initial_filters=8,
    batch_norm_momentum=0.99,
    weights="none",
    seed=3,
)
SALIENCY = Saliency(
    method="grad_cam",
    layer=None,
    true_positives=2,
    true_negatives=2,
    false_positives=1,
    false_negatives=1,
    seed=4,
    randomised_images=5,
    border_share=0.1,
    corner_share=0.2,
)


@pytest.fixture(scope="module")
def classifier():
    return build_classifier(NETWORK, 1)


@pytest.fixture(scope="module")
def scores():
    return pd.DataFrame(
        {
            "image_id": IDS,
            "patient_id": [f"patient_{number}" for number in range(8)],
            "part": ["validation"] * 2 + ["test"] * 6,
            "covid19": [True, False] * 4,
            "covid19_score": [0.9, 0.1] * 4,
        }
    )


@pytest.fixture(scope="module")
def examples():
    """Return the images, whose rows run against the store's."""
    table = {"patient_id": IDS, "covid19": [True, False] * 4}
    parts = ["train", "train", "validation", "validation", *["test"] * 4]
    return Examples(
        store=MemoryStore(),
        radiographs=pd.DataFrame(
            {"image_id": IDS, **table, "row": np.arange(8)[::-1], "part": parts}
        ),
        labels=("covid19",),
        intensity=INTENSITY,
    )


@pytest.fixture(scope="module")
def explained(classifier, scores, examples):
    return explain(classifier, examples, scores, SALIENCY)


def test_cases_are_explained_with_the_maps_of_their_own_images(classifier, explained):
    record, _ = explained

    assert json.loads(json.dumps(record)) == record
    assert (record["method"], record["layer"]) == ("grad_cam", "relu")
    assert record["threshold"] == 0.9
    assert [case["outcome"] for case in record["cases"]] == [
        "true_positive",
        "true_positive",
        "true_negative",
        "true_negative",
    ]
    for case in record["cases"]:
        assert set(case) == {"image_id", "patient_index", "outcome", "score", "map"}
        expected = map_of(classifier, input_of(case["image_id"]))
        np.testing.assert_allclose(case["map"], expected, atol=0.5 / 255 + 1e-4)


def test_the_whole_test_part_is_mapped(classifier, scores, explained):
    _, maps = explained

    columns = ["image_id", "patient_index", "outcome", "score"]
    assert maps.columns.tolist() == [*columns, "height", "width", "map"]
    assert sorted(maps["image_id"]) == IDS[2:]
    assert set(maps["outcome"]) == {"true_positive", "true_negative"}
    for image_id, found in zip(maps["image_id"], maps_of(maps), strict=True):
        expected = map_of(classifier, input_of(image_id))
        np.testing.assert_allclose(found, expected, atol=0.5 / 255 + 1e-4)


def test_maps_are_made_by_the_method_and_of_the_layer_asked_for(
    classifier, scores, examples
):
    how = {"method": "hires_cam", "layer": "conv1_relu"}
    record, maps = explain(classifier, examples, scores, replace(SALIENCY, **how))

    assert (record["method"], record["layer"]) == tuple(how.values())
    [expected] = explainer(classifier, **how)(input_of(maps["image_id"][0]))
    assert expected.shape == (16, 16)
    np.testing.assert_allclose(maps_of(maps)[0], expected, atol=0.5 / 255 + 1e-4)


def test_as_many_images_as_asked_for_are_mapped_by_networks_that_forget(
    classifier, examples, explained
):
    given = (classifier, examples, explained[1])

    assert (randomise(*given, SALIENCY)["n_images"] == 5).all()
    assert randomise(*given, replace(SALIENCY, randomised_images=0)).empty


@pytest.mark.parametrize("has_finding", [False, True])
@pytest.mark.parametrize("others", ["train", "validation"])
def test_boxes_in_pixels_of_the_raw_image_are_pointed_into(
    others, has_finding, classifier, examples
):
    held_out = {"train": "validation", "validation": "test"}[others]
    scores = pd.DataFrame(
        {
            "image_id": IDS,
            "patient_id": [f"patient_{number // 2}" for number in range(8)],
            "part": [held_out] * 6 + [others] * 2,
            "pneumonia": [True] * 5 + [False] + [True] * 2,
            "pneumonia_score": 0.5,
        }
    )
    # The raw images are 64 px wide and 128 high; the fifth case has no box.
    points = [point_of(classifier, input_of(image_id)) for image_id in IDS[:4]]
    boxes = pd.DataFrame(
        {
            "image_id": IDS[:4],
            "x": [64 * x - 2 for x, _ in points],
            "y": [128 * y - 2 for _, y in points],
            "width": 4.0,
            "height": 4.0,
        }
    )
    boxes.loc[3, "x"] += 5  # beside the point of the fourth image
    of_others = pd.DataFrame({**boxes.iloc[0], "image_id": IDS[6]}, index=[4])
    boxes = pd.concat([boxes, of_others])
    if has_finding:  # a box of another finding, in the fifth case and all over it
        whole = {"x": 0.0, "y": 0.0, "width": 64.0, "height": 128.0}
        other = pd.DataFrame({"image_id": IDS[3:5], **whole, "finding": "effusion"})
        boxes = pd.concat([boxes.assign(finding="pneumonia"), other])

    table = play_pointing_game(
        classifier=classifier,
        examples=replace(
            examples,
            radiographs=examples.radiographs.assign(patient_id=scores["patient_id"]),
            labels=("pneumonia",),
        ),
        scores=scores,
        boxes=boxes,
        pointing=Explanation(method="grad_cam", layer=None),
        level=0.95,
    )

    assert table["finding"].tolist() == ["pneumonia"]
    assert table.loc[0, ["n_images", "n_patients", "n_hits"]].tolist() == [4, 2, 3]
    assert table.loc[0, "area"] == pytest.approx(16 / (64 * 128), rel=0.1)


def test_each_findings_own_maps_are_held_against_its_own_boxes(examples):
    labels = ["mass", "edema", "nodule"]
    classifier = build_classifier(NETWORK, 3)
    scores = pd.DataFrame(
        {
            "image_id": IDS,
            "patient_id": IDS,
            "part": ["validation"] * 2 + ["test"] * 6,
            **{label: [True] * 7 + [False] for label in labels},
            **{f"{label}_score": 0.5 for label in labels},
        }
    )
    points = {
        label: [point_of(classifier, input_of(i), output=k) for i in IDS[2:6]]
        for k, label in enumerate(labels)
    }
    # In pixels of an image of 1000 to a side, which the one at hand is not.
    boxes = pd.DataFrame(
        [
            (image, 1000 * x - 20, 1000 * y - 20, 40.0, 40.0, label, 1000)
            for label in ("mass", "nodule")
            for image, (x, y) in zip(IDS[2:6], points[label], strict=True)
        ],
        columns=["image_id", "x", "y", "width", "height", "finding", "of_px"],
    )

    table = play_pointing_game(
        classifier=classifier,
        examples=replace(examples, labels=tuple(labels)),
        scores=scores,
        boxes=boxes,
        pointing=Explanation(method="grad_cam", layer=None),
        level=0.95,
    )

    assert table["finding"].tolist() == ["mass", "nodule"]  # no reader marked edema
    assert table["n_images"].tolist() == [4, 4]
    # A map that is zero everywhere points nowhere.
    lit = {
        k: sum(map_of(classifier, input_of(i), output=k).max() > 0 for i in IDS[2:6])
        for k in (0, 2)
    }
    assert table["n_hits"].tolist() == list(lit.values())
    assert max(lit.values()) == 4


def test_further_seeds_are_scored_and_explained(
    scores, examples, explained, make_recipe, tmp_path
):
    parent, provenance = initialise(NETWORK)
    recipe = make_recipe(
        learning_rate=0.01,
        weight_decay=0.0,
        batch_images=2,
        max_epochs=1,
        flip=False,
        rotation_degrees=0.0,
        crop_share=0.0,
        seed=7,
    )
    seed_scores, seed_maps = RepeatedStage("path_f.phase3").train(
        scores=scores,
        maps=explained[1],
        parent=parent,
        parent_provenance=provenance,
        examples=examples,
        recipe=recipe,
        repetition=Repetition(n_seeds=2),
        saliency=SALIENCY,
        compute=Compute(),
        states=StateFolder(tmp_path),
    )

    assert seed_scores["seed"].unique().tolist() == [7, 8]
    own, further = (seed_maps[seed_maps["seed"] == seed] for seed in (7, 8))
    assert list(own["image_id"]) == list(further["image_id"])
    np.testing.assert_array_equal(maps_of(own), maps_of(explained[1]))
    assert not np.allclose(maps_of(own), maps_of(further), atol=0.1)


def input_of(image_id):
    """Return the network's input for one image: the rows run the other way round."""
    pixels = MemoryStore().read([7 - IDS.index(image_id)])
    return ((pixels / 255 - 0.5) / 0.25)[..., np.newaxis].astype(np.float32)


def map_of(classifier, image, output=0):
    """Return the class activation map, written out."""
    relu = keras.Model(classifier.input, classifier.get_layer("relu").output)
    weighted = relu(image, training=False).numpy()[0] @ classifier.layers[-1].kernel
    positive = np.maximum(np.asarray(weighted)[..., output], 0)
    return positive / max(positive.max(), 1e-12)


def point_of(classifier, image, output=0):
    """Return x and y of the map's largest element, in shares of the image."""
    heat = map_of(classifier, image, output)
    row, column = np.unravel_index(heat.argmax(), heat.shape)
    return (column + 0.5) / heat.shape[1], (row + 0.5) / heat.shape[0]
