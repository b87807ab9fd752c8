"""Several networks in one bundle, and the rules by which they speak together."""

import json
import math

import numpy as np
import pytest
from safetensors.numpy import save

from covid_cxr.evaluation.ensembles import score_together
from covid_cxr.pipelines.external.nodes import take_internal
from covid_cxr.prediction import open_bundle
from covid_cxr.prediction.combination import ENSEMBLES, combined
from covid_cxr.prediction.files import InvalidBundleError, sha256_of
from covid_cxr.prediction.members import Member, Members
from covid_cxr.prediction.network import OnnxNetwork

KNOWN = [np.array([0.1, 0.2, 0.2, 0.9]), np.array([0.3, 0.5, 0.6, 0.7])]


def slowly(row, rule):
    """Return what a rule says of the scores of one image, in plain Python."""
    if rule == "mean_probability":
        return sum(row) / len(row)
    if rule == "mean_logit":
        mean = sum(math.log(p / (1 - p)) for p in row) / len(row)
        return 1 / (1 + math.exp(-mean))
    ranks = [
        sum((k < p) + (k == p) / 2 for k in known) / len(known)
        for p, known in zip(row, KNOWN, strict=True)
    ]
    return sum(ranks) / len(ranks)


@pytest.mark.parametrize("rule", ENSEMBLES)
def test_a_rule_is_what_it_is_called(rule):
    scores = np.array([[0.2, 0.5], [0.05, 0.99], [0.9, 0.7], [0.5, 0.1]])

    found = combined(scores, rule=rule, known=KNOWN)

    expected = [slowly(row, rule) for row in scores.tolist()]
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    for image, alone in zip(scores, found, strict=True):
        assert combined(image[None], rule=rule, known=KNOWN)[0] == alone
    many = np.random.default_rng(3).random((50, 11))
    known = [*KNOWN, *[KNOWN[0]] * 9]
    np.testing.assert_array_equal(  # sums of so many depend on the order in memory
        combined(np.asfortranarray(many), rule=rule, known=known),
        combined(many, rule=rule, known=known),
    )


@pytest.mark.parametrize("rule", ENSEMBLES)
def test_an_image_that_one_network_gives_no_number_for_has_no_score(rule):
    scores = np.array([[0.2, np.nan], [0.2, 0.5]])

    found = combined(scores, rule=rule, known=KNOWN)

    assert np.isnan(found).tolist() == [True, False]


def test_a_rule_that_is_unknown_or_of_one_is_refused():
    for scores, rule in ((np.ones((1, 2)), "alone"), (np.ones((1, 2)), "median")):
        with pytest.raises(ValueError, match=f"2 classifiers .* by '{rule}'"):
            combined(scores, rule=rule)


@pytest.fixture
def write_ensemble(write_bundle, network_of):
    """Return a function that writes a bundle of two networks."""

    def write(rule, offsets=(0.5, -0.3)):
        folder = write_bundle()
        record = json.loads((folder / "bundle.json").read_text())
        (one,) = record["origin"]["members"]
        names, content = ("path_t", "path_u"), {}
        for name, offset in zip(names, offsets, strict=True):
            content |= {
                f"{name}/model.keras": b"none",
                f"{name}/model.onnx": network_of(offset=offset),
                f"{name}/model.safetensors": save(
                    {"findings/kernel": np.ones((1, 1), np.float32)}
                ),
            }
        content["ranks.safetensors"] = save(dict(zip(names, KNOWN, strict=True)))
        gate = {
            "mean": np.zeros(2),
            "directions": np.eye(2),
            "variances": np.ones(2),
            "floor": np.ones(1),
        }
        content["gate.safetensors"] = save(gate)
        (folder / "path_u").mkdir()
        for file, data in content.items():
            (folder / file).write_bytes(data)
        (image,) = record["self_test"]["images"]
        log_odds = math.log(image["score"] / (1 - image["score"])) - 0.5
        own = [1 / (1 + math.exp(-log_odds - offset)) for offset in offsets]
        record["self_test"]["images"] = [
            image | {"members": own, "score": slowly(own, rule)}
        ]
        record["origin"] |= {
            "classifier": rule,
            "rule": rule,
            "members": [one | {"path": name} for name in names],
        }
        record["files"] |= {name: sha256_of(data) for name, data in content.items()}
        (folder / "bundle.json").write_text(json.dumps(record))
        return folder

    return write


@pytest.mark.parametrize("rule", ENSEMBLES)
def test_an_ensemble_predicts_by_its_rule(
    write_ensemble, chests, curated, score_of, rule
):
    files = sorted(chests.iterdir())

    bundle = open_bundle(write_ensemble(rule))
    table = bundle.predict(files)

    assert bundle.check() < 1e-6
    for file, row in zip(files, table.to_dict("records"), strict=True):
        first = score_of(curated(file)[0])
        log_odds = math.log(first / (1 - first)) - 0.8
        second = 1 / (1 + math.exp(-log_odds))
        expected = slowly([first, second], rule)
        assert row["score"] == pytest.approx(expected, abs=1e-6)
        # The features of both, each of which is the mean of the normalised pixels.
        mean = (math.log(first / (1 - first)) - 0.5) / 3
        assert row["gate_distance"] == pytest.approx(abs(mean) * 2**0.5, rel=1e-4)


def test_one_network_that_computes_otherwise_is_found(write_ensemble):
    """Ranks would hide it: here neither score crosses a known one."""
    folder = write_ensemble("mean_rank")
    record = json.loads((folder / "bundle.json").read_text())
    image = record["self_test"]["images"][0]
    image["members"][1] += 0.0002
    (folder / "bundle.json").write_text(json.dumps(record))

    with pytest.raises(InvalidBundleError, match=r"scores differ by 0\.0002"):
        open_bundle(folder).check()


def test_the_map_is_the_mean_of_the_members_maps_at_the_finest_size():
    fine, coarse = np.zeros((1, 4, 4, 1)), np.zeros((1, 2, 2, 1))
    fine[0, 0, 0], coarse[0, 1, 1] = 5, 3

    def gives(maps):
        def network(images):
            return np.zeros(len(images)), maps

        return Member(network=network, head_kernel=np.ones((1, 1)))

    members = Members(rule="mean_logit", by_name={"a": gives(fine), "b": gives(coarse)})

    (found,) = members(np.zeros((1, 8, 8, 1), np.float32)).heat_maps

    assert found.shape == (4, 4)
    assert found[0, 0] == 0.5
    assert found[3, 3] == 0.5
    assert found[1, 1] < 0.1


def test_scores_of_two_runs_are_not_combined(make_scores):
    first, second = make_scores(1), make_scores(2)
    other = second.assign(image_id=second["image_id"].iloc[::-1].to_numpy())

    with pytest.raises(ValueError, match=r"path_b are of other images than .* path_a"):
        score_together(
            {"path_a": first, "path_b": other}, rule="mean_logit", label="covid19"
        )


def test_an_image_with_an_unknown_label_is_scored_but_not_ranked_among(make_scores):
    tables = {"path_a": make_scores(1), "path_b": make_scores(2)}
    without = {
        name: table[table["covid19"].notna()].reset_index(drop=True)
        for name, table in tables.items()
    }

    found = score_together(tables, rule="mean_rank", label="covid19")
    expected = score_together(without, rule="mean_rank", label="covid19")

    assert found["covid19"].isna().sum() == 1
    assert found["covid19_score"].notna().all()
    is_known = found["covid19"].notna()
    np.testing.assert_array_equal(
        found.loc[is_known, "covid19_score"], expected["covid19_score"]
    )


def test_an_external_validation_compares_with_the_ensemble_in_the_study(make_scores):
    tables = {"path_a": make_scores(1), "path_b": make_scores(2)}
    members = [{"path": name, "weights_sha256": name} for name in tables]
    classifier = {
        "label": {"name": "covid19"},
        "origin": {"rule": "mean_probability", "members": members},
    }
    known = {
        "internal_curated": tables["path_a"][["image_id"]],
        **{f"internal_{name}_scores": one for name, one in tables.items()},
        **{f"internal_{name}_provenance": {"weights_sha256": name} for name in tables},
    }

    internal, _ = take_internal({"both": classifier}, **known)
    of_another, _ = take_internal(
        {"both": classifier},
        **known | {"internal_path_b_provenance": {"weights_sha256": "other"}},
    )

    test = tables["path_a"]["part"] == "test"
    expected = sum(one.loc[test, "covid19_score"] for one in tables.values()) / 2
    assert internal["score"].tolist() == expected.tolist()
    assert of_another.empty


def test_what_stands_beside_an_image_changes_no_bit_of_it(network_of):
    network = OnnxNetwork(network_of(share_of_batch=0.5))
    images = np.random.default_rng(1).normal(size=(5, 32, 32, 1)).astype(np.float32)

    together, maps = network(images)

    alone = [network(image[None]) for image in images]
    np.testing.assert_array_equal(together, [one[0][0] for one in alone])
    np.testing.assert_array_equal(maps, np.concatenate([one[1] for one in alone]))
