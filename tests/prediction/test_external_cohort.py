"""A frozen bundle on another hospital's cohort: `kedro run --pipelines=external`.

The network is arithmetic, and every number is computed once more by another rule.
"""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.metrics import brier_score_loss, roc_auc_score

N_PATIENTS = 40
RESULTS = "08_reporting/external/clinic"
EXTERNAL = {"name": "clinic", "least_patients": 10}


@pytest.fixture
def write_cohort(tmp_path, drawn_chest):
    """Return a function that writes a folder of radiographs; cases are brighter."""

    def write(place="clinic", *, inverted=False, rows=slice(None), **columns):
        folder = tmp_path / place
        (folder / "images").mkdir(parents=True)
        rng = np.random.default_rng(5)
        listed = []
        for number in range(2 * N_PATIENTS):
            patient, is_case = number // 2, number // 2 % 2 == 0
            shade = 14 * is_case + rng.normal(0, 10)
            pixels = np.clip(drawn_chest(number).astype(float) + shade, 0, 255)
            pixels = pixels.astype(np.uint8)
            name = f"{number:03d}.png"
            if number in (4, 9, 13):  # hardly any contrast
                pixels = np.where(pixels > 100, 120, 119).astype(np.uint8)
            shown = 255 - pixels if inverted else pixels
            cv2.imwrite(str(folder / "images" / name), shown)
            listed.append(
                {
                    "image": name,
                    "patient": f"p{patient:02d}",
                    "covid19": "positive" if is_case else "negative",
                    "site": "ward" if patient % 3 else "icu",
                    "view": "PA" if patient % 4 else "AP",
                    "sex": "F" if rng.random() < 0.5 else "M",
                    "age": str(30 + patient),
                }
            )
        table = pd.DataFrame(listed).iloc[rows].assign(**columns)
        table.to_csv(folder / "manifest.csv", index=False)
        return folder

    return write


@pytest.fixture
def validate(run_kedro, tmp_path, write_bundle):
    """Return a function that runs the pipeline and returns the folder of results."""

    def run(cohort, *, bundle=None, **external):
        run_kedro(
            "external",
            data_root=tmp_path / "study",
            params={
                "cohort": str(cohort),
                "bundle": str(bundle or write_bundle()),
                "external": {**EXTERNAL, **external},
            },
        )
        return tmp_path / "study/08_reporting/external" / external.get("name", "clinic")

    return run


@pytest.fixture
def refused(validate):
    """Return a function that runs the pipeline, which stops, and returns why."""

    def run(*arguments, **options):
        with pytest.raises(Exception, match=r".") as stopped:
            validate(*arguments, **options)
        return str(stopped.value)

    return run


def read(results, name):
    return pd.read_csv(results / f"{name}.csv")


def test_every_number_of_the_primary_result_is_that_of_another_rule(
    validate, write_cohort, curated, score_of
):
    cohort = write_cohort()

    results = validate(cohort)

    scores = pd.read_parquet(results / "images/scores.parquet")
    files = [cohort / "images" / name for name in scores["image_id"]]
    expected = np.array([score_of(curated(file)[0]) for file in files])
    is_refused = scores["score"].isna().to_numpy()
    assert scores.loc[is_refused, "image_id"].tolist() == [
        *("004.png", "009.png", "013.png")
    ]
    np.testing.assert_allclose(scores["score"][~is_refused], expected[~is_refused])
    truth = scores["is_case"].to_numpy(bool)
    shown, score = truth[~is_refused], expected[~is_refused]

    (auroc,) = read(results, "discrimination").to_dict("records")
    assert auroc["auroc"] == pytest.approx(roc_auc_score(shown, score))
    assert auroc["lower"] < auroc["auroc"] < auroc["upper"]
    # Each refused case loses against every control, and the other way round.
    won = np.where(is_refused, np.where(truth, -1.0, 2.0), expected)
    assert auroc["auroc_refusals_wrong"] == pytest.approx(roc_auc_score(truth, won))
    assert auroc["refused"] == 3

    for row in read(results, "operating").to_dict("records"):
        called = score >= row["threshold"]
        assert row["sensitivity"] == pytest.approx(called[shown].mean())
        assert row["specificity"] == pytest.approx(1 - called[~shown].mean())
        assert row["ppv"] == pytest.approx(shown[called].mean())
        assert row["npv"] == pytest.approx((~shown[~called]).mean(), nan_ok=True)
        n_cases, n_controls = truth.sum(), (~truth).sum()
        assert row["sensitivity_of_all"] == pytest.approx(called[shown].sum() / n_cases)
        assert row["specificity_of_all"] == pytest.approx(
            (~called[~shown]).sum() / n_controls
        )
        assert row["cases_refused"] == (truth & is_refused).sum() == 2

    # The map of the bundle, at the prevalence of its validation part.
    log_odds = -1 + 2 * np.log(score / (1 - score))
    probability = 1 / (1 + np.exp(-log_odds))
    line = sm.GLM(shown, sm.add_constant(log_odds), sm.families.Binomial()).fit()
    shift = sm.GLM(
        shown, np.ones(len(shown)), sm.families.Binomial(), offset=log_odds
    ).fit()
    (found,) = read(results, "calibration").to_dict("records")
    assert found["slope"] == pytest.approx(line.params[1], abs=1e-6)
    assert found["intercept"] == pytest.approx(shift.params[0], abs=1e-6)
    assert found["brier"] == pytest.approx(brier_score_loss(shown, probability))
    assert found["observed_to_expected"] == pytest.approx(
        shown.sum() / probability.sum()
    )
    clusters = {"groups": np.repeat(np.arange(N_PATIENTS), 2)[~is_refused]}
    robust = sm.GLM(shown, sm.add_constant(log_odds), sm.families.Binomial()).fit(
        cov_type="cluster",
        cov_kwds={**clusters, "use_correction": False},
    )
    scale = np.sqrt(N_PATIENTS / (N_PATIENTS - 1))
    width = 2 * 1.959964 * robust.bse[1] * scale
    assert found["slope_upper"] - found["slope_lower"] == pytest.approx(width, rel=1e-4)

    curve = read(results, "decision").set_index("threshold")
    acted = probability >= 0.3
    benefit = (acted & shown).mean() - (acted & ~shown).mean() * 0.3 / 0.7
    at = curve.iloc[29]
    assert at.name == pytest.approx(0.3)
    assert at["net_benefit"] == pytest.approx(benefit)


def test_the_fitted_half_is_not_the_half_that_judges(validate, write_cohort):
    results = validate(write_cohort())

    table = read(results, "recalibration").set_index("recalibration")
    scores = pd.read_parquet(results / "images/scores.parquet")
    known = scores[scores["probability"].notna()]
    assert (table["fitted_patients"] + table["tested_patients"] == N_PATIENTS).all()
    assert table.loc["logistic", "map_slope"] != pytest.approx(1)
    # The whole cohort's own line would leave no miscalibration in the large.
    assert abs(table.loc["in the large", "intercept"]) > 1e-4
    assert abs(table.loc["in the large", "intercept"]) < abs(
        table.loc["none", "intercept"]
    )
    assert known["patient_id"].nunique() == N_PATIENTS


def test_turned_labels_are_asked_about(validate, write_cohort):
    cohort = write_cohort()
    listed = pd.read_csv(cohort / "manifest.csv")
    turned = listed["covid19"].map({"positive": "negative", "negative": "positive"})
    listed.assign(covid19=turned).to_csv(cohort / "manifest.csv", index=False)

    results = validate(cohort)

    (auroc,) = read(results, "discrimination").to_dict("records")
    flags = read(results, "flags")
    (sentence,) = flags.loc[flags["flag"] == "inverted", "sentence"]
    assert auroc["upper"] < 0.5
    assert "are the labels inverted" in sentence
    assert sentence[:60] in (results / "report.html").read_text()


def test_straight_labels_are_not_asked_about(validate, write_cohort):
    results = validate(write_cohort())

    flags = read(results, "flags")
    assert set(flags["flag"]) == {"protocol", "no difference", "shortcut"}
    assert read(results, "discrimination")["lower"].item() > 0.5


def test_inverted_pictures_are_asked_about(validate, write_cohort):
    results = validate(write_cohort(inverted=True))

    flags = read(results, "flags")
    found = flags.loc[flags["flag"] == "inverted", "sentence"]
    assert found.str.contains("refused as negatives").any()
    flow = read(results, "flow")
    refused = flow[flow["outcome"] == "refused"]
    assert refused.loc[refused["reason"] == "may be a negative", "images"].item() > 40


def test_a_cohort_of_one_class_gets_what_that_allows(validate, write_cohort):
    results = validate(write_cohort(covid19="positive"))

    (auroc,) = read(results, "discrimination").to_dict("records")
    operating = read(results, "operating")
    scores = pd.read_parquet(results / "images/scores.parquet")["score"].dropna()
    assert np.isnan(auroc["auroc"])
    assert "no control" in auroc["caution"]
    assert operating[["specificity", "ppv", "npv"]].isna().all(axis=None)
    assert operating["sensitivity"].tolist() == pytest.approx(
        [(scores >= threshold).mean() for threshold in operating["threshold"]]
    )
    assert (operating["sensitivity_lower"] < operating["sensitivity"]).all()
    assert read(results, "calibration").empty
    assert "one class" in set(read(results, "flags")["flag"])
    quantiles = read(results, "score_quantiles")
    assert quantiles["class"].tolist() == ["case"]
    assert quantiles["q50"].item() == pytest.approx(scores.median())


def test_pictures_that_were_trained_on_are_refused_and_named(
    validate, write_cohort, write_bundle
):
    cohort = write_cohort()
    images = sorted((cohort / "images").iterdir())
    bundle = write_bundle(trained=images[:2], validated=images[2:3])

    results = validate(cohort, bundle=bundle)

    flags = read(results, "flags")
    told = flags.loc[flags["flag"] == "copies", "sentence"].tolist()
    assert told == [
        "2 of 80 pictures were trained on, and are refused.",
        "1 of 80 pictures the classifier was chosen and calibrated on.",
    ]


def test_aggregates_name_no_patient_and_no_image(validate, write_cohort):
    results = validate(write_cohort())

    text = (results / "aggregates.json").read_text()
    listed = pd.read_parquet(results / "images/radiographs.parquet")
    assert not any(name in text for name in listed["image_id"])
    assert not any(f'"{name}"' in text for name in listed["patient_id"])
    assert "000.png" not in text
    rows = json.loads(text)["tables"]["flow"]
    (few,) = (row for row in rows if row["outcome"] == "refused")
    assert few["images"] is None  # three of them
    assert few["reason"] == "hardly any contrast"


def test_three_cohorts_are_summarised(validate, write_cohort, write_bundle):
    bundle = write_bundle()
    cohort = write_cohort()
    for name in ("a", "b"):
        validate(cohort, bundle=bundle, name=name)
        two = read(
            validate(cohort, bundle=bundle, name=name).parent / name, "pooled"
        )
    results = validate(cohort, bundle=bundle, name="c")

    (pooled,) = read(results, "pooled").to_dict("records")
    (alone,) = read(results, "discrimination").to_dict("records")
    assert two.empty
    assert pooled["cohorts"] == 3
    assert pooled["auroc"] == pytest.approx(alone["auroc"])  # alike three times
    assert pooled["between_variance"] == 0
    assert read(results, "cohorts")["cohort"].tolist() == ["a", "b", "c"]


def test_a_protocol_is_drafted_hashed_and_judged(
    run_kedro, validate, tmp_path, write_cohort, write_bundle
):
    cohort, bundle = write_cohort(), write_bundle()
    asked = {"cohort": str(cohort), "bundle": str(bundle)}
    before = validate(cohort, bundle=bundle, name="before")
    run_kedro("external_protocol", data_root=tmp_path / "study", params=asked)
    with pytest.raises(Exception, match="never written over"):
        run_kedro("external_protocol", data_root=tmp_path / "study", params=asked)

    results = validate(cohort, bundle=bundle)

    (met,) = read(results, "hypotheses").to_dict("records")
    (auroc,) = read(results, "discrimination").to_dict("records")
    primary = json.loads((results / "primary.json").read_text())
    unregistered = json.loads((before / "primary.json").read_text())
    assert unregistered["protocol"]["sha256"] is None
    assert "no protocol was registered" in unregistered["protocol"]["caution"]
    assert "No protocol was registered" in (before / "report.html").read_text()
    assert len(primary["protocol"]["sha256"]) == 64
    assert met["lower"] == pytest.approx(auroc["lower"])
    assert met["is_met"] is True


def test_a_protocol_of_other_thresholds_stops_the_run(
    run_kedro, refused, tmp_path, write_cohort, write_bundle
):
    cohort, bundle = write_cohort(), write_bundle()
    asked = {"cohort": str(cohort), "bundle": str(bundle)}
    run_kedro("external_protocol", data_root=tmp_path / "study", params=asked)
    place = cohort / "external_protocol.yml"
    place.write_text(place.read_text().replace("youden: 0.5", "youden: 0.4"))

    told = refused(cohort, bundle=bundle)

    assert "of other thresholds than those that are tested" in told
    assert "'youden': 0.4" in told


def test_a_changed_byte_of_the_bundle_stops_the_run(
    refused, write_cohort, write_bundle
):
    bundle = write_bundle()
    place = bundle / "model.onnx"
    place.write_bytes(place.read_bytes()[:-1] + b"x")

    assert "has changed since it was written: model.onnx" in refused(
        write_cohort(), bundle=bundle
    )


def test_a_later_bundle_stops_the_run(refused, write_cohort, write_bundle):
    bundle = write_bundle()
    place = bundle / "bundle.json"
    place.write_text(place.read_text().replace('"schema_version": 1', '"schema_version": 9'))

    assert "is of schema version 9" in refused(write_cohort(), bundle=bundle)


def test_a_manifest_without_the_outcome_stops_the_run(refused, write_cohort):
    cohort = write_cohort()
    listed = pd.read_csv(cohort / "manifest.csv").rename(columns={"covid19": "result"})
    listed.to_csv(cohort / "manifest.csv", index=False)

    told = refused(cohort)

    assert "no column covid19 or rt_pcr" in told
    assert "result" in told


def test_two_patients_stop_the_run(refused, write_cohort):
    told = refused(write_cohort(rows=slice(4)))

    assert "4 usable radiographs of 2 patients" in told
    assert "external.least_patients" in told


def test_patients_of_the_study_stop_the_run(refused, tmp_path, write_cohort):
    split = pd.DataFrame(
        {"image_id": ["x"], "patient_id": ["covid:p03"], "part": ["train"]}
    )
    place = tmp_path / "study/05_model_input/phase3_split.parquet"
    place.parent.mkdir(parents=True)
    split.to_parquet(place)

    told = refused(write_cohort(source="covid"))

    assert "1 of the cohort's patients are in the study" in told
    assert "covid:p03" in told


def test_a_file_that_is_missing_is_no_refusal(validate, write_cohort):
    cohort = write_cohort()
    (cohort / "images/000.png").unlink()

    flow = read(validate(cohort), "flow")

    assert flow.loc[flow["reason"] == "file missing", "outcome"].item() == (
        "not eligible"
    )
    assert flow.loc[flow["classifier"] != "all", "images"].sum() == 79
