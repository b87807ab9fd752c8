"""What grey values alone tell of source, site and label."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from covid_cxr.audit.grey_values import measure_features, predict_from_intensity

N_IMAGES = 300
SIZE_PX = 20


@dataclass(frozen=True)
class MemoryStore:
    images: np.ndarray

    def read(self, rows):
        return self.images[rows]


def make_cohort(brighten):
    """Return noise in a store, its table and its split.

    Args:
        brighten: Gives from the table the grey levels that are added to each image.
    """
    rng = np.random.default_rng(3)
    curated = pd.DataFrame(
        {
            "image_id": [f"i{n:03d}" for n in range(N_IMAGES)],
            "patient_id": [f"p{n // 2}" for n in range(N_IMAGES)],
            "covid19": pd.array(rng.random(N_IMAGES) < 0.4, dtype="boolean"),
            "source": "one",
            "site": rng.choice(["here", "there", "far"], N_IMAGES),
            "view": "PA",
            "sex": "F",
            "age_years": 50.0,
            "row": np.arange(N_IMAGES)[::-1],
        }
    )
    images = rng.integers(0, 100, (N_IMAGES, SIZE_PX, SIZE_PX))
    images = images + np.asarray(brighten(curated))[:, np.newaxis, np.newaxis]
    parts = np.repeat(["train", "validation", "test"], [180, 40, 80])
    split = (
        curated[["image_id", "patient_id"]]
        .assign(part=parts)
        .sample(frac=1, random_state=1)
    )
    return MemoryStore(images.astype(np.uint8)[::-1]), curated, split


def aurocs(brighten):
    table = predict_from_intensity(*make_cohort(brighten), "covid19", 0.95)
    return table.set_index(["predicted", "part", "level"]).sort_index()


def nothing(curated):
    return np.zeros(len(curated))


def test_noise_tells_nothing():
    table = aurocs(nothing)

    assert table["auroc"].between(0.3, 0.7).all()
    assert (table["lower"].dropna() <= 0.55).all()
    assert (table["upper"].dropna() >= 0.45).all()


def test_a_site_with_brighter_images_is_told_and_the_others_less_so():
    table = aurocs(lambda curated: 60 * (curated["site"] == "far"))

    for part in ("validation", "test"):
        sites = table.loc["site", part]["auroc"]
        assert sites["far"] == 1.0
        assert sites["here"] < 0.9
        of_all = sites[["far", "here", "there"]].mean()
        assert sites["macro_average"] == pytest.approx(of_all)


def test_brightness_that_goes_with_the_label_tells_it():
    table = aurocs(lambda curated: 60 * curated["covid19"].to_numpy(bool))

    row = table.loc["covid19", "test", "positive"]
    assert row["auroc"] == 1.0
    assert row["lower"] < 1.0
    assert (row["n_images"], row["n_patients"]) == (80, 40)


def test_only_the_training_part_is_learned_from():
    store, curated, split = make_cohort(
        lambda curated: (
            60 * (curated["covid19"].to_numpy(bool) == (curated.index < 180))
        )
    )
    table = predict_from_intensity(store, curated, split, "covid19", 0.95)

    of_label = table[(table["predicted"] == "covid19") & (table["part"] == "test")]
    assert of_label["auroc"].tolist() == [0.0]


def test_what_all_images_have_in_common_has_no_rows():
    assert "source" not in aurocs(nothing).index.get_level_values("predicted")


def test_two_sites_have_one_auroc_whichever_is_asked_for():
    def brighten(curated):
        return curated["site"].map({"here": 0, "there": 3, "far": 3})

    store, curated, split = make_cohort(brighten)
    curated = curated.assign(site=curated["site"].replace("far", "there"))
    table = predict_from_intensity(store, curated, split, "covid19", 0.95)
    sites = table[(table["predicted"] == "site") & (table["part"] == "test")]

    assert len(sites) == 3
    assert np.ptp(sites["auroc"]) == 0
    assert sites["auroc"].iloc[0] > 0.8


def test_features_are_what_their_names_say():
    image = np.zeros((1, 20, 20), np.uint8)
    image[0, :2, -2:] = 255  # the upper right corner
    (row,) = measure_features(image).to_dict("records")

    assert row["upper_right_mean"] == 1.0
    assert row["upper_left_mean"] == row["lower_right_mean"] == 0.0
    assert row["mean"] == pytest.approx(4 / 400)
    assert row["percentile_50"] == 0.0
    # One pixel wide, the frame has 76 pixels, 3 of them white.
    assert row["border_mean"] == pytest.approx(3 / 76)
    # Two edges of two pixels, among 380 neighbours down and as many across.
    assert row["sharpness"] == pytest.approx(2 / 380)


def test_the_mean_over_sites_is_that_of_scikit_learn():
    store, curated, split = make_cohort(
        lambda curated: curated["site"].map({"here": 0, "there": 1, "far": 2})
    )
    table = predict_from_intensity(store, curated, split, "covid19", 0.95)
    found = table.set_index(["predicted", "level", "part"])["auroc"].sort_index()
    train, test = curated.iloc[:180], curated.iloc[220:]
    features = measure_features(store.images)
    regression = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    regression.fit(features.iloc[train["row"]], train["site"])
    shares = regression.predict_proba(features.iloc[test["row"]])

    expected = roc_auc_score(test["site"], shares, multi_class="ovr")
    assert 0.6 < expected < 0.99
    assert found["site", "macro_average", "test"] == pytest.approx(expected, abs=1e-3)
