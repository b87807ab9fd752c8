"""A frozen bundle on another hospital's cohort: `kedro run --pipelines=external`.

The network is arithmetic, and every number is computed once more by another rule.
"""

import hmac
import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.stats import t
from sklearn.metrics import brier_score_loss, roc_auc_score

from covid_cxr.evaluation.external_scores import ExternalValidation
from covid_cxr.pipelines.external.nodes import (
    leave_out_copies,
    list_cohort,
    refuse_known_patients,
)
from covid_cxr.pipelines.external.pipeline import create_pipeline
from covid_cxr.prediction.bundle import open_bundle
from covid_cxr.radiographs.folder import RadiographFolder

N_PATIENTS = 40
RESULTS = "08_reporting/external/clinic"
EXTERNAL = {"name": "clinic", "least_patients": 10}


@pytest.fixture(scope="module")
def make_cohort(drawn_chest):
    """Return a function that writes a folder of radiographs; cases are brighter."""

    def write(folder, *, inverted=False, rows=slice(None), **columns):
        (folder / "images").mkdir(parents=True)
        rng = np.random.default_rng(5)
        listed = []
        for number in range(2 * N_PATIENTS):
            patient, is_case = number // 2, number // 2 % 2 == 0
            shade = 14 * is_case + rng.normal(0, 10)
            pixels = np.clip(drawn_chest(number).astype(float) + shade, 0, 255)
            pixels = pixels.astype(np.uint8)
            name = f"{number:03d}.png"
            if number in (4, 10, 13):  # hardly any contrast
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
def write_cohort(tmp_path, make_cohort):
    """Return a function that writes a cohort for one test."""
    return lambda **options: make_cohort(tmp_path / "clinic", **options)


@pytest.fixture(scope="module")
def run_external(run_kedro):
    """Return a function that runs the pipeline and returns the folder of results."""

    def run(study, cohort, bundle, **external):
        settings = {**EXTERNAL, **external}
        run_kedro(
            "external",
            data_root=study,
            params={
                "cohort": str(cohort),
                "bundle": str(bundle),
                "external": settings,
            },
        )
        return study / "08_reporting/external" / settings["name"]

    return run


@pytest.fixture
def validate(run_external, tmp_path, write_bundle):
    """Return a function that runs the pipeline for one test."""

    def run(cohort, *, bundle=None, **external):
        where = bundle or write_bundle()
        return run_external(tmp_path / "study", cohort, where, **external)

    return run


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory, make_bundle, make_cohort, run_external):
    """Return the folders of a cohort, a bundle and the results of testing it there."""
    root = tmp_path_factory.mktemp("unchanged")
    points = [
        {"rule": "youden", "target_sensitivity": None, "threshold": 0.7},
        {"rule": "sensitivity", "target_sensitivity": 0.9, "threshold": 0.6},
    ]
    cohort = make_cohort(root / "clinic")
    bundle = make_bundle(root / "bundle", operating_points=points)
    return cohort, bundle, run_external(root / "study", cohort, bundle)


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


@pytest.fixture(scope="module")
def predicted(unchanged):
    """Return results, and of each radiograph the truth, the score and if it has none.

    The predicted ones by themselves are `truth[~refused]` and `score[~refused]`.
    """
    _, _, results = unchanged
    scores = pd.read_parquet(results / "images/scores.parquet")
    refused = scores["score"].isna().to_numpy()
    return (
        results,
        scores["is_case"].to_numpy(bool),
        scores["score"].to_numpy(),
        refused,
    )


@pytest.fixture(scope="module")
def calibrated(predicted):
    """Return truth and log odds by the map of the bundle, of what is predicted."""
    _, truth, score, refused = predicted
    known = score[~refused]
    return truth[~refused], -1 + 2 * np.log(known / (1 - known))


def test_scores_are_those_of_the_bundle(unchanged, curated, score_of):
    cohort, _, results = unchanged
    scores = pd.read_parquet(results / "images/scores.parquet")
    known = scores[scores["score"].notna()]

    expected = [score_of(curated(cohort / "images" / n)[0]) for n in known["image_id"]]

    assert known["score"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert sorted(set(scores["image_id"]) - set(known["image_id"])) == [
        *("004.png", "010.png", "013.png")
    ]


def test_discrimination_with_and_without_refusals(predicted):
    results, truth, score, refused = predicted

    (auroc,) = read(results, "discrimination").to_dict("records")

    assert auroc["auroc"] == pytest.approx(
        roc_auc_score(truth[~refused], score[~refused])
    )
    assert auroc["lower"] < auroc["auroc"] < auroc["upper"]
    # Each refused case loses against every control, and the other way round.
    won = np.where(refused, np.where(truth, -1.0, 2.0), score)
    assert auroc["auroc_refusals_wrong"] == pytest.approx(roc_auc_score(truth, won))
    assert auroc["refused"] == 3


def test_shares_at_the_bundles_thresholds_with_and_without_refusals(predicted):
    results, truth, score, refused = predicted
    shown = truth[~refused]

    table = read(results, "operating")

    assert table["threshold"].tolist() == [0.7, 0.6]
    for row in table.to_dict("records"):
        called = score[~refused] >= row["threshold"]
        hits, passes = (called & shown).sum(), (~called & ~shown).sum()
        assert row["sensitivity"] == pytest.approx(hits / shown.sum())
        assert row["specificity"] == pytest.approx(passes / (~shown).sum())
        assert row["ppv"] == pytest.approx(hits / called.sum())
        assert row["npv"] == pytest.approx(passes / (~called).sum())
        assert row["sensitivity_of_all"] == pytest.approx(hits / truth.sum())
        assert row["specificity_of_all"] == pytest.approx(passes / (~truth).sum())
        assert row["cases_refused"] == (truth & refused).sum() == 2


def test_calibration_is_that_of_a_generalised_linear_model(predicted, calibrated):
    results, _, _, refused = predicted
    truth, log_odds = calibrated
    probability = 1 / (1 + np.exp(-log_odds))
    patients = np.repeat(np.arange(N_PATIENTS), 2)[~refused]
    ones, family = np.ones(len(truth)), sm.families.Binomial()
    line = sm.GLM(truth, sm.add_constant(log_odds), family).fit(
        cov_type="cluster", cov_kwds={"groups": patients, "use_correction": False}
    )
    shift = sm.GLM(truth, ones, family, offset=log_odds).fit()

    (found,) = read(results, "calibration").to_dict("records")

    assert found["slope"] == pytest.approx(line.params[1], abs=1e-6)
    assert found["intercept"] == pytest.approx(shift.params[0], abs=1e-6)
    assert found["brier"] == pytest.approx(brier_score_loss(truth, probability))
    ratio = truth.sum() / probability.sum()
    assert found["observed_to_expected"] == pytest.approx(ratio)
    scale = np.sqrt(N_PATIENTS / (N_PATIENTS - 1))
    width = 2 * 1.959964 * line.bse[1] * scale
    assert found["slope_upper"] - found["slope_lower"] == pytest.approx(width, rel=1e-4)


def test_the_decision_curve_counts_alarms_at_their_price(predicted, calibrated):
    truth, log_odds = calibrated
    acted = log_odds >= np.log(0.3 / 0.7)

    curve = read(predicted[0], "decision")

    at = curve[np.isclose(curve["threshold"], 0.3)]
    benefit = (acted & truth).mean() - (acted & ~truth).mean() * 0.3 / 0.7
    assert at["net_benefit"].item() == pytest.approx(benefit)


def test_the_fitted_half_is_not_the_half_that_judges(unchanged):
    _, _, results = unchanged

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


def test_straight_labels_are_not_asked_about(unchanged):
    _, _, results = unchanged

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


def test_the_drafts_for_reviewers_tell_this_run(unchanged):
    _, _, results = unchanged
    (row,) = read(results, "discrimination").to_dict("records")

    tripod = (results / "tripod_ai.md").read_text()
    probast = (results / "probast_ai.md").read_text()

    told = f"{row['auroc']:.3f} (95 % interval {row['lower']:.3f} to"
    assert told in tripod
    assert told in probast
    assert "hardly any contrast 3" in probast
    assert "TO BE FILLED BY THE AUTHORS" in probast
    assert "p03" not in tripod + probast


def test_aggregates_name_no_patient_and_no_image(unchanged):
    _, _, results = unchanged

    text = (results / "aggregates.json").read_text()
    listed = pd.read_parquet(results / "images/radiographs.parquet")
    assert not any(name in text for name in listed["image_id"])
    assert not any(f'"{name}"' in text for name in listed["patient_id"])
    assert "000.png" not in text
    rows = json.loads(text)["tables"]["flow"]
    (few,) = (row for row in rows if row["outcome"] == "refused")
    assert few["images"] is None  # three of them
    assert few["reason"] == "hardly any contrast"


def test_no_count_of_the_aggregates_is_exact(unchanged):
    _, _, results = unchanged
    aggregates = json.loads((results / "aggregates.json").read_text())

    whole = {
        (name, column, value)
        for name, rows in aggregates["tables"].items()
        for row in rows
        for column, value in row.items()
        if isinstance(value, int | float) and abs(value) >= 2 and value % 1 == 0
    }

    stated = {("discrimination", "bootstrap_replicates")}
    exact = {one for one in whole if one[2] % 5 or one[2] < 8}
    assert {one[:2] for one in exact} <= stated
    assert ("case_mix", "images", 80) in whole


def test_aggregates_of_other_sites_are_summarised_with_ours(unchanged, run_external):
    cohort, bundle, results = unchanged
    own = json.loads((results / "aggregates.json").read_text())
    for name, auroc, error in (("north", 0.7, 0.04), ("south", 0.9, 0.03)):
        (row,) = own["tables"]["discrimination"]
        row |= {"auroc": auroc, "standard_error": error}
        (results.parent / name).mkdir()
        (results.parent / name / "aggregates.json").write_text(
            json.dumps({**own, "cohort": name, "manifest_sha256": name})
        )
    assert read(results, "pooled").empty

    study = results.parents[2]
    again = run_external(study, cohort, bundle)

    alone = read(again, "discrimination").iloc[0]
    (pooled,) = read(again, "pooled").to_dict("records")
    aucs = np.array([alone["auroc"], 0.7, 0.9])
    errors = np.array([alone["standard_error"], 0.04, 0.03]) / (aucs * (1 - aucs))
    expected = random_effects(np.log(aucs / (1 - aucs)), errors**2)
    assert read(again, "cohorts")["cohort"].tolist() == ["clinic", "north", "south"]
    names = [*("auroc", "lower", "upper"), "prediction_lower", "prediction_upper"]
    assert [pooled[name] for name in names] == pytest.approx(expected, abs=1e-5)
    assert "Random effects" in (again / "report.html").read_text()


def random_effects(effects, variances):
    """Return mean, bounds and prediction interval as shares, by their definitions."""
    k = len(effects)

    def fit(between):
        weights = 1 / (variances + between)
        mean = weights @ effects / weights.sum()
        return mean, weights, weights @ (effects - mean) ** 2

    low, high = 0.0, 100.0
    for _ in range(200):  # Paule and Mandel: weighted squares sum to k - 1
        middle = (low + high) / 2
        low, high = (middle, high) if fit(middle)[2] > k - 1 else (low, middle)
    mean, weights, squares = fit(low)
    error = np.sqrt(squares / ((k - 1) * weights.sum()))
    margin = t.ppf(0.975, k - 1) * error
    further = t.ppf(0.975, k - 2) * np.sqrt(low + error**2)
    ends = [mean, mean - margin, mean + margin, mean - further, mean + further]
    return [1 / (1 + np.exp(-end)) for end in ends]


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
    place = bundle / "path_t/model.onnx"
    place.write_bytes(place.read_bytes()[:-1] + b"x")

    assert "has changed since it was written: path_t/model.onnx" in refused(
        write_cohort(), bundle=bundle
    )


def test_a_later_bundle_stops_the_run(refused, write_cohort, write_bundle):
    bundle = write_bundle()
    place = bundle / "bundle.json"
    place.write_text(
        place.read_text().replace('"schema_version": 2', '"schema_version": 9')
    )

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


def test_patients_whom_the_study_knows_by_pseudonyms_stop_the_run():
    salt = "a secret of this study"
    hashed = hmac.new(salt.encode(), b"007", "sha256").hexdigest()[:16]
    split = pd.DataFrame({"patient_id": [f"covid:{hashed}", "covid:8"]})
    listed = pd.DataFrame({"patient_id": ["covid:007", "covid:9", "external:8"]})

    with pytest.raises(ValueError, match=r"1 of the cohort's patients .*covid:007"):
        refuse_known_patients(listed, split=split, other=None, salt=salt)
    other = listed.assign(patient_id="covid:7")
    assert refuse_known_patients(other, split=split, salt=salt) is other


def test_the_salts_of_the_study_reach_the_comparison(project):
    (asked,) = (n for n in create_pipeline().nodes if n.name == "refuse_known_patients")

    assert "params:covid_ingestion.pseudonym_salt" in asked.inputs


def test_a_file_under_two_names_counts_once():
    stated = {"007": "1", "7.png": "yes", "007.png": "1", "008": "NO", "009.png": "2"}
    manifest = pd.DataFrame({"image": [*stated], "covid19": [*stated.values()]})
    described = {"patient": "0001", "site": "A", "view": "PA", "sex": "F", "age": "50"}
    files = ("007.png", "008.png", "009.png", "7.png")

    kept, rejected = list_cohort(
        manifest.assign(**described),
        RadiographFolder(Path("images"), files=files, others=(), is_synthetic=False),
        None,
        {"net": {"label": {"name": "covid19"}}},
        ExternalValidation(name="clinic", least_patients=1, least_cell=5, seed=1),
    )

    assert dict(zip(kept["image_id"], kept["covid19"], strict=True)) == {
        "007": True,
        "7.png": True,
        "008": False,
    }
    assert set(kept["patient_id"]) == {"external:0001"}
    assert dict(zip(rejected["image_id"], rejected["reason"], strict=True)) == {
        "007.png": "the file of an earlier row",
        "009.png": "covid19 not understood",
    }


def test_a_file_that_is_missing_is_no_refusal(validate, write_cohort):
    cohort = write_cohort()
    (cohort / "images/000.png").unlink()

    flow = read(validate(cohort), "flow")

    assert flow.loc[flow["reason"] == "file missing", "outcome"].item() == (
        "not eligible"
    )
    assert flow.loc[flow["classifier"] != "all", "images"].sum() == 79


def test_a_cohort_of_which_nothing_is_predicted_says_so(validate, write_cohort):
    cohort = write_cohort()
    for place in (cohort / "images").iterdir():
        place.write_bytes(b"no picture")

    results = validate(cohort)

    (auroc,) = read(results, "discrimination").to_dict("records")
    assert auroc["refused"] == 80
    assert "no radiograph" in auroc["caution"]
    assert auroc["auroc_refusals_wrong"] == 0
    assert read(results, "operating")["sensitivity_of_all"].tolist() == [0, 0]
    sentences = read(results, "flags")["sentence"]
    assert sentences.str.contains("80 of 80 radiographs .* are refused").any()


def test_a_picture_under_two_names_is_not_counted_twice(validate, write_cohort):
    cohort = write_cohort()
    listed = pd.read_csv(cohort / "manifest.csv").set_index("image", drop=False)
    for image, other, changes in (
        ("001.png", "again.png", {}),
        ("002.png", "renamed.png", {"patient": "somebody"}),
        ("003.png", "turned.png", {"covid19": "unlike its original"}),
    ):
        pixels = cv2.imread(str(cohort / "images" / image), cv2.IMREAD_UNCHANGED)
        stored_otherwise = [cv2.IMWRITE_PNG_COMPRESSION, 0]
        cv2.imwrite(str(cohort / "images" / other), pixels, stored_otherwise)
        row = {**listed.loc[image].to_dict(), "image": other, **changes}
        if "covid19" in changes:
            is_case = listed.loc[image, "covid19"] == "positive"
            row["covid19"] = "negative" if is_case else "positive"
        listed.loc[other] = row
    listed.to_csv(cohort / "manifest.csv", index=False)

    results = validate(cohort)

    rejected = pd.read_parquet(results / "images/rejected.parquet")
    assert dict(zip(rejected["image_id"], rejected["reason"], strict=True)) == {
        "again.png": "the picture of an earlier row",
        "renamed.png": "the picture of another patient",
        "003.png": "the picture of a row with another outcome",
        "turned.png": "the picture of a row with another outcome",
    }
    flow = read(results, "flow")
    is_asked = flow["classifier"] != "all"
    assert flow.loc[is_asked, "images"].sum() == 79
    assert flow.loc[~is_asked, "outcome"].eq("not eligible").all()
    assert (read(results, "flags")["flag"] == "copies").sum() == 3
    kept = pd.read_parquet(results / "images/radiographs.parquet")
    assert len(kept) == 79


def test_crops_of_the_cohort_are_cut(validate, write_cohort, write_bundle):
    cohort, bundle = write_cohort(), write_bundle()
    boxes = {"005.png": (4, 4, 60, 52), "008.png": (0, 8, 48, 64)}
    crops = pd.DataFrame(boxes, index=["x0", "y0", "x1", "y1"]).T
    stray = pd.DataFrame([[0, 0, 9, 9]], columns=crops.columns, index=["stray.png"])
    table = pd.concat([crops, stray]).rename_axis("image")
    table.to_csv(cohort / "crops.csv")

    results = validate(cohort, bundle=bundle)

    scores = pd.read_parquet(results / "images/scores.parquet").set_index("image_id")
    files = sorted((cohort / "images").iterdir())
    whole = open_bundle(bundle).predict(files).set_index("file")["score"]
    cut = open_bundle(bundle).predict(files, boxes=boxes).set_index("file")["score"]
    assert scores["score"].equals(cut.reindex(scores.index).rename("score"))
    differs = scores["score"].ne(whole.reindex(scores.index)) & whole.notna()
    assert differs[differs].index.tolist() == [*boxes]
    unmatched = pd.read_parquet(results / "images/crops_unmatched.parquet")
    assert unmatched["image"].tolist() == ["stray.png"]


def test_crops_of_another_cohort_stop_the_run(refused, write_cohort):
    cohort = write_cohort()
    (cohort / "crops.csv").write_text("image,x0,y0,x1,y1\nother.png,0,0,9,9\n")

    assert "1 of 1 names in crops.csv are of no image" in refused(cohort)


def test_a_class_whose_word_is_not_understood_is_asked_about(validate, write_cohort):
    cohort = write_cohort()
    listed = pd.read_csv(cohort / "manifest.csv").replace("negative", "healthy")
    listed.to_csv(cohort / "manifest.csv", index=False)

    flags = read(validate(cohort), "flags").set_index("flag")["sentence"]

    assert "the cohort has cases only" in flags["one class"].lower()
    assert (
        "40 rows of the manifest are left out: covid19 not understood"
        in (flags["labels"])
    )


def test_a_copy_is_found_whichever_bundle_takes_the_picture():
    names = ["one", "two", "three"]
    known = pd.DataFrame({"image_id": names, "patient_id": names, "covid19": True})
    strict = pd.DataFrame({"image_id": names, "pixels_sha256": [None, None, "c"]})
    mild = pd.DataFrame({"image_id": names, "pixels_sha256": ["a", "a", "b"]})
    none = pd.DataFrame(columns=["image_id", "file", "stage", "reason"], dtype="str")

    scores, kept, rejected = leave_out_copies(
        pd.concat([strict, mild], ignore_index=True),
        known.assign(file=known["image_id"] + ".png"),
        none,
        {"strict": {"label": {"name": "covid19"}}},
    )

    assert kept["image_id"].tolist() == ["one", "three"]
    assert scores["image_id"].tolist() == ["one", "three"] * 2
    assert rejected["reason"].tolist() == ["the picture of another patient"]
