"""The report from made-up scores, histories and radiographs, through the catalog."""

import functools
import json
import re

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.io import MemoryDataset
from kedro.runner import SequentialRunner
from sklearn.metrics import roc_auc_score

from covid_cxr.audit.masked_inputs import INPUTS
from covid_cxr.audit.on_leak import OnLeak
from covid_cxr.cohorts.intensity import IntensitySample
from covid_cxr.evaluation.inference_settings import Reporting
from covid_cxr.patients.duplicates import no_duplicates
from covid_cxr.pipeline_registry import register_pipelines
from covid_cxr.pipelines.audit.nodes import audit_leaks, find_shortcuts
from covid_cxr.pipelines.reporting.nodes import draw_cropped_example
from covid_cxr.radiographs.curation import Curation, plan_store
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.saliency.cases import judge_test
from covid_cxr.saliency.map_settings import Saliency
from covid_cxr.saliency.pointing import tabulate_pointing
from covid_cxr.saliency.regions import tabulate_regions
from covid_cxr.saliency.repeatability import tabulate_repeatability
from covid_cxr.sources.nih_adjudicated import read_adjudicated
from covid_cxr.study.current import current
from covid_cxr.training.examples import assemble

SIZE_PX = 64
FINDINGS = [
    *("cardiomegaly", "emphysema", "edema", "hernia", "pneumothorax", "effusion"),
    *("mass", "fibrosis", "atelectasis", "consolidation", "pleural_thickening"),
    *("nodule", "pneumonia", "infiltration"),
]
SEPARATION = {"a": 1.4, "b": 1.5, "c": 1.45, "d": 1.2, "e": 1.0, "f": 0.9}
REPORTING = Reporting(level=0.95, significance=0.05, seed=1)
NO_LUNGS = pd.DataFrame({"image_id": [], "png": []})
SALIENCY = Saliency(
    method="grad_cam",
    layer=None,
    true_positives=2,
    true_negatives=2,
    false_positives=1,
    false_negatives=1,
    seed=1,
    randomised_images=4,
    border_share=0.1,
    corner_share=0.1,
)


def draw_radiograph(rng):
    """Return two dark lungs on a grey chest, with noise and a bright opacity."""
    size = 3 * SIZE_PX
    pixels = np.full((size, size), 150, np.uint8)
    for x in (0.3, 0.7):
        centre = (int(x * size), size // 2)
        cv2.ellipse(pixels, centre, (size // 7, size // 3), 0, 0, 360, 60, -1)
    spot = tuple(int(v) for v in rng.integers(size // 3, 2 * size // 3, 2))
    cv2.circle(pixels, spot, size // 12, 200, -1)
    noisy = cv2.GaussianBlur(pixels, (0, 0), 5) + rng.normal(0, 8, pixels.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def make_cohort(folder, cohort, *, n_images, labels, rng):
    """Return the curated table of a cohort, with about two images per patient."""
    folder.mkdir(parents=True)
    table = pd.DataFrame(
        {
            "image_id": [f"{cohort}_{i:04d}.png" for i in range(n_images)],
            "patient_id": [
                f"{cohort}:{p}"
                for p in np.sort(rng.integers(0, n_images // 2, n_images))
            ],
            "file": [f"{cohort}_{i:04d}.png" for i in range(n_images)],
            "is_synthetic": True,
            "pixels_sha256": [f"{i:064x}" for i in range(n_images)],
            "row": np.arange(n_images),
            "is_polarity_suspect": (np.arange(n_images) % 7 == 3) & (cohort == "covid"),
            "is_contrast_suspect": False,
            "source": cohort,
            "site": cohort,
            "view": np.where(np.arange(n_images) % 3, "PA", "AP"),
            "sex": np.where(np.arange(n_images) % 2, "F", "M"),
            "age_years": np.arange(n_images) % 90.0,
        }
    )
    return table.assign(**{label: rng.random(n_images) < p for label, p in labels})


def split_by_patient(curated, *, shares, rng):
    """Return a split: patients to parts at random."""
    patients = curated["patient_id"].unique()
    parts = dict(
        zip(
            patients,
            rng.choice(list(shares), len(patients), p=[*shares.values()]),
            strict=True,
        )
    )
    split = curated[["image_id", "patient_id"]]
    return split.assign(part=split["patient_id"].map(parts))


def score(curated, split, labels, *, separation, rng):
    """Return a score table for the validation and test parts."""
    scored = split[split["part"] != "train"].merge(curated[["image_id", *labels]])
    for label in labels:
        logit = rng.normal(size=len(scored)) + separation * (scored[label] - 0.5)
        scored[f"{label}_score"] = 1 / (1 + np.exp(-logit))
    return scored


def explain(scores, *, rng):
    """Return a saliency record with two cases of each outcome."""
    test = scores[scores["part"] == "test"]
    cases = []
    for outcome, is_case, is_high in [
        ("true_positive", True, True),
        ("true_negative", False, False),
        ("false_positive", False, True),
        ("false_negative", True, False),
    ]:
        chosen = test[
            (test["covid19"] == is_case) & ((test["covid19_score"] > 0.5) == is_high)
        ].head(2 if outcome.startswith("true") else 1)
        for index, row in chosen.iterrows():
            heat = cv2.GaussianBlur(rng.random((8, 8)), (0, 0), 1.5)
            heat = (heat - heat.min()) / np.ptp(heat)
            cases.append(
                {
                    "image_id": row["image_id"],
                    "patient_index": int(index),
                    "outcome": outcome,
                    "score": row["covid19_score"],
                    "map": heat.tolist(),
                }
            )
    record = {"method": "grad_cam", "layer": "relu", "threshold": 0.5}
    return {**record, "cases": cases}


def judge_maps(scores, *, rng):
    """Return made-up maps of the test part, and what their tests leave."""
    images = judge_test(scores, seed=1).images
    maps, other_maps = (
        images.assign(height=4, width=4, map=[*rng.integers(0, 256, (n, 16), np.uint8)])
        for n in (len(images), len(images))
    )
    seeds = pd.concat([maps.assign(seed=1), other_maps.assign(seed=2)])
    falling = {"similarity": [0.6, 0.4], "between_images": 0.3}
    return {
        "maps": maps,
        "randomisation": pd.DataFrame(
            {"layer": ["findings", "conv2"], "n_randomised": [1, 3], "n_images": 4}
        ).assign(**falling),
        "regions": tabulate_regions(maps, NO_LUNGS, SALIENCY, 0.95),
        "repeatability": tabulate_repeatability(seeds, 0.95),
    }


def hide(scores, *, rng):
    """Return made-up scores of every changed input, for the images of `scores`."""
    tables = []
    for name in INPUTS:
        noise = rng.normal(0, 0.1, len(scores))
        changed = scores.assign(covid19_score=scores["covid19_score"] + noise)
        tables.append(changed.assign(input=name, hidden_share=0.5))
    return pd.concat(tables, ignore_index=True)


def tell_intensity():
    """Return what brightness alone tells, as the audit leaves it."""
    told = {"predicted": "covid19", "level": "positive", "auroc": 0.6}
    bounds = {"lower": 0.5, "upper": 0.7, "n_images": 40, "n_patients": 20}
    return pd.DataFrame(
        [{**told, "part": part, **bounds} for part in ("validation", "test")]
    )


def point(n_images, *, rng):
    """Return the pointing game of made-up maps."""
    return tabulate_pointing(
        rng.random((n_images, 4, 4)),
        [np.array([[0.2, 0.2, 0.5, 0.6]])] * n_images,
        patients=np.arange(n_images).astype(str),
        level=0.95,
    ).assign(finding="pneumonia")


def train(stage, parents, *, rng):
    """Return a history, a provenance record and a clock, by dataset name."""
    epochs = np.arange(1, 13)
    losses = 0.45 + 0.25 * np.exp(-epochs / 4) + rng.normal(0, 0.008, 12)
    history = [
        {
            "epoch": int(epoch),
            "loss": float(loss - 0.01 * epoch),
            "validation_loss": float(loss),
            "learning_rate": 0.01,
        }
        for epoch, loss in zip(epochs, losses, strict=True)
    ]
    provenance = {
        "stage": stage,
        "parents": [{"stage": parent} for parent in parents],
        "n_images": {"train": 126, "validation": 43, "test": 44},
        "n_epochs": 12,
        "best_epoch": int(np.argmin(losses)) + 1,
        "seed": 2021,
        "split_sha256": "0123456789abcdef" * 4,
        "versions": {"covid_cxr": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.0"},
    }
    name = stage.replace(".", "_")
    clock = {"seconds": [27.0] * 12}
    return {
        f"{name}_history": history,
        f"{name}_provenance": provenance,
        f"{name}_clock": clock,
    }


def make_study(root):
    """Return every input of the reporting pipeline, by dataset name."""
    rng = np.random.default_rng(7)
    nih = make_cohort(
        root / "nih", "nih", n_images=600, labels=[(f, 0.2) for f in FINDINGS], rng=rng
    )
    rsna = make_cohort(
        root / "rsna", "rsna", n_images=250, labels=[("pneumonia", 0.24)], rng=rng
    ).assign(patient_id=lambda t: "nih:" + (t.index // 2).astype(str))
    covid = make_cohort(
        root / "covid", "covid", n_images=213, labels=[("covid19", 0.75)], rng=rng
    )
    for file in covid["file"]:
        cv2.imwrite(str(root / "covid" / file), draw_radiograph(rng))
    (root / "covid/SYNTHETIC").touch()
    images = list_folder(root / "covid")
    rejected = pd.DataFrame(
        {
            "image_id": ["x1", "x2", "x3"],
            "file": [None, "x2.dcm", "x3.dcm"],
            "stage": ["ingestion", "curation", "curation"],
            "reason": ["no RT-PCR result", "file missing: x2.dcm", "file missing: x3"],
        }
    )
    three = {"train": 0.6, "validation": 0.2, "test": 0.2}
    two = {"train": 0.8, "validation": 0.2}
    splits = {
        "phase1_split": split_by_patient(nih, shares=three, rng=rng),
        "phase2_nih_split": split_by_patient(nih.tail(300), shares=two, rng=rng),
        "phase2_rsna_split": split_by_patient(rsna, shares=two, rng=rng),
        "phase3_split": split_by_patient(covid, shares=three, rng=rng),
    }
    study = {
        "nih_curated": nih,
        "rsna_curated": rsna,
        "covid_curated": covid,
        "nih_rejected": rejected.head(0),
        "rsna_rejected": rejected.head(0),
        "covid_rejected": rejected,
        "covid_images": images,
        **dict.fromkeys(("nih_store", "rsna_store")),  # nothing there is flagged
        **splits,
        "covid_crops": pd.DataFrame(
            {"image": covid["image_id"], "x0": 12, "y0": 20, "x1": 180, "y1": 175}
        ),
        "phase1_scores": score(
            nih, splits["phase1_split"], FINDINGS, separation=1.2, rng=rng
        ),
    }
    study |= publish()
    study["covid_lungs"] = NO_LUNGS
    study["intensity_auroc"] = tell_intensity()
    study |= follow(study)
    study |= audit(study)
    study |= train("phase1", ["initial"], rng=rng)
    study["phase1_pointing"] = point(20, rng=rng)
    study["nih_adjudicated"] = read_adjudicated(None, study["nih_curated"])
    for path in current().paths:
        study |= make_path(path, study, rng=rng)
    return study


def publish():
    """Return the raw tables, which the report only hashes; four are not there."""
    tables = ("nih_entries", "rsna_labels", "rsna_class_info", "covid_manifest")
    lists = ("nih_train_val_list", "nih_test_list")
    return {
        **{name: pd.DataFrame({"image": [name]}) for name in tables},
        **{name: f"{name}.png\n" for name in lists},
        **dict.fromkeys(("rsna_mapping", "covid_additions")),
        **dict.fromkeys(("nih_box_list", "nih_adjudicated_labels")),
    }


def follow(study):
    """Return what ingestion admitted, and the curated images that are in no part."""
    unread = study["covid_rejected"].query("stage == 'curation'")[["image_id"]]
    covid = pd.concat([study["covid_curated"], unread.assign(patient_id="covid:x")])
    left_out = {
        name.replace("_split", "_left_out"): curated.loc[
            ~curated["image_id"].isin(study[name]["image_id"]),
            ["image_id", "patient_id"],
        ].assign(reason="not drawn")
        for name, curated in [
            ("phase1_split", study["nih_curated"]),
            ("phase2_nih_split", study["nih_curated"]),
            ("phase2_rsna_split", study["rsna_curated"]),
            ("phase3_split", study["covid_curated"]),
        ]
    }
    return {
        "nih_radiographs": study["nih_curated"],
        "rsna_radiographs": study["rsna_curated"],
        "covid_radiographs": covid,
        **left_out,
    }


def audit(study):
    """Return what the audit leaves; RSNA patients are patients of phase 1 here."""
    tables = {
        name: study[name] for name in study if name.endswith(("_curated", "_split"))
    }
    none = no_duplicates()
    duplicates = {f"{cohort}_duplicates": none for cohort in ("nih", "rsna", "covid")}
    across = none.assign(first_cohort="", second_cohort="")
    warn = dict.fromkeys(("same_image", "duplicate", "same_patient"), "warn")
    _, leakage, _ = audit_leaks(
        OnLeak(**warn, unknown_ancestry="warn"),
        network_weights="none",
        **tables,
        **duplicates,
        duplicates_across=across,
    )
    labels = dict.fromkeys(("phase1", "phase2_nih", "phase2_rsna"), "pneumonia")
    labels = {
        f"{s}_label": label for s, label in {**labels, "phase3": "covid19"}.items()
    }
    _, associations, metadata_auroc, source_labels = find_shortcuts(
        0.95, **tables, **labels
    )
    return {
        "leakage": leakage,
        "associations": associations,
        "metadata_auroc": metadata_auroc,
        "source_labels": source_labels,
    }


def make_path(path, study, *, rng):
    """Return what phases 2 and 3 of a path leave."""
    parents = ["initial", *(["phase1"] if path.has_phase1 else [])]
    made = {}
    for training in path.phase2_trainings:
        name = f"{path.name}_phase2"
        made[f"{name}_scores"] = score(
            study[f"{current().training_set_of(training).origin}_curated"],
            study[f"{training.training_set}_split"],
            ["pneumonia"],
            separation=1.5,
            rng=rng,
        )
        made |= train(f"{path.name}.phase2", parents, rng=rng)
        if current().has_pointing(training):
            made[f"{name}_pointing"] = point(20, rng=rng)
        parents = [*parents, f"{path.name}.phase2"]
    name = f"{path.name}_phase3"
    made[f"{name}_scores"] = score(
        study["covid_curated"],
        study["phase3_split"],
        ["covid19"],
        separation=SEPARATION[path.letter],
        rng=rng,
    )
    made[f"{name}_seed_scores"] = made[f"{name}_scores"].assign(seed=1)
    made[f"{name}_saliency"] = explain(made[f"{name}_scores"], rng=rng)
    made[f"{name}_masked_scores"] = hide(made[f"{name}_scores"], rng=rng)
    judged = judge_maps(made[f"{name}_scores"], rng=rng)
    made |= {f"{name}_{what}": table for what, table in judged.items()}
    made |= train(f"{path.name}.phase3", parents, rng=rng)
    return made


def of_scores(path=None):
    """Return what makes a report of scores: of the study, or of a path alone."""
    pipelines = register_pipelines()
    if path is None:
        return pipelines["evaluation"] + pipelines["reporting"]
    steps = (f"{path.name}.evaluation.", f"{path.name}.reporting.")
    whole = pipelines[path.name]
    return whole.only_nodes(*(n.name for n in whole.nodes if n.name.startswith(steps)))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("raw"))


@pytest.fixture(scope="module")
def run_reporting(project, inputs):
    """Return a function that runs a reporting pipeline into a data root."""

    def run(pipeline, data_root):
        with KedroSession.create(
            project, env="test", runtime_params={"data_root": str(data_root)}
        ) as session:
            catalog = session.load_context().catalog
            for name, value in inputs.items():
                catalog[name] = MemoryDataset(value, copy_mode="assign")
            curation = Curation(
                size_px=SIZE_PX,
                shard_images=64,
                compression="none",
                workers=1,
                cluster=None,
            )
            catalog["covid_store"].save(
                plan_store(inputs["covid_curated"], inputs["covid_images"], curation)
            )
            made = assemble(
                *(inputs["covid_curated"], inputs["phase3_split"], ["covid19"]),
                IntensitySample(images=9, seed=1),
                covid_store=catalog.load("covid_store"),
            )
            catalog["phase3_examples"].save(made)
            SequentialRunner().run(pipeline, catalog)
        return data_root / "08_reporting"

    return run


@pytest.fixture(scope="module")
def study_folder(run_reporting, tmp_path_factory):
    both = of_scores()
    return run_reporting(both, tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def folder_of_path(run_reporting, tmp_path_factory):
    """Return a function that reports a path alone, once."""

    @functools.cache
    def report(path):
        root = run_reporting(of_scores(path), tmp_path_factory.mktemp("path"))
        return root / path.name

    return report


def test_the_study_needs_nothing_but_what_the_other_steps_write(inputs):
    free = of_scores().inputs()

    data = {name for name in free if not name.startswith("params:")}
    optional = {name for name in data if "_site_" in name}  # of the pipeline `sites`
    assert data - optional == {*inputs, "covid_store", "phase3_examples"}


def test_every_table_and_figure_of_the_paper_is_written(study_folder):
    written = {path.name for path in study_folder.iterdir()}

    assert {f"table{n}.csv" for n in range(1, 6)} <= written
    assert {f"figure{n}.png" for n in range(1, 8)} <= written
    assert {"report.html", "figure3.json"} <= written
    assert {f"flow.{kind}" for kind in ("png", "pdf", "svg", "csv", "tex")} <= written
    assert {"cohort.csv", "cohort.tex"} <= written


def test_table_3_holds_the_aurocs_of_the_scores(study_folder, inputs):
    table = pd.read_csv(study_folder / "table3.csv").set_index("path")

    for path in current().paths:
        test = inputs[f"{path.name}_phase3_scores"].query("part == 'test'")
        expected = roc_auc_score(test["covid19"], test["covid19_score"])
        assert table.loc[path.name, "auroc"] == pytest.approx(expected)


def test_the_interactive_figure_has_a_curve_per_path(study_folder):
    figure = json.loads((study_folder / "figure3.json").read_text())

    lines = [trace for trace in figure["data"] if trace["mode"] == "lines"]
    names = [trace["name"][:8] for trace in lines]
    assert names == [path.title for path in current().paths]


def test_the_report_embeds_every_figure_and_says_that_the_data_are_synthetic(
    study_folder,
):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    shown = set(re.findall(r'<figure id="(\w+)"', report))
    assert shown >= {f"figure{n}" for n in range(1, 8)}
    assert shown >= {"flow_figure", "auroc_intervals", "learning_curves"}
    assert "Synthetic data: not clinical evidence" in report


def test_the_report_says_which_numbers_are_not_held_out(study_folder):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    rows = report.split('id="leakage-stages"')[1].split("</table>")[0].split("<tr>")
    verdicts = {row.split("</th>")[0][16:]: row for row in rows[2:]}
    assert len(verdicts) == 11
    assert "Not held out: of" in verdicts["Path (a), phase 2"]
    assert "training part of phase 1" in verdicts["Path (a), phase 2"]
    assert "Held out." in verdicts["Path (d), phase 2"]


def test_the_report_shows_metadata_beside_the_classifiers(study_folder, inputs):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    table = report.split('id="metadata-auroc"')[1].split("</table>")[0]
    shown = inputs["metadata_auroc"].query("part == 'test' and predictors == 'view'")
    table3 = pd.read_csv(study_folder / "table3.csv")
    assert f"{shown.set_index('training_set').loc['phase3', 'auroc']:.3f}" in table
    assert f"{table3['auroc'].min():.3f} to {table3['auroc'].max():.3f}" in table


def test_the_report_tells_whether_the_maps_deserve_trust(study_folder, inputs):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    rows = report.split('id="saliency-tests"')[1].split("</table>")[0].split("<tr>")
    assert len(rows) == 2 + len(current().paths)
    assert "0.40 (0.30)" in rows[2]  # all layers randomised, and different radiographs
    hits = inputs["path_a_phase2_pointing"]["hits"][0]
    assert f"{100 * hits:.0f} % (" in rows[2]
    pairs = report.split('id="saliency-repeatability"')[1].split("</table>")[0]
    assert pairs.count("1 and 2") == len(current().paths)


def test_the_report_names_no_file_of_a_rejected_radiograph(study_folder):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    assert "file missing" in report
    assert "x2.dcm" not in report


def test_the_report_counts_flagged_radiographs_and_shows_some(study_folder):
    flags = pd.read_csv(study_folder / "flag.csv").set_index(["cohort", "flag"])
    shown = json.loads((study_folder / "flagged_radiographs.json").read_text())
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    assert flags["flagged"]["covid", "is_polarity_suspect"] == 30
    assert flags["flagged"].sum() == 30
    assert len(shown) == 24
    assert {case["cohort"] for case in shown} == {"covid"}
    assert all(case["radiograph"] in report for case in shown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("letter", "tables"), [("a", {1, 2, 3}), ("c", {1, 3}), ("f", {3})]
)
def test_a_path_alone_reports_what_it_has(folder_of_path, letter, tables):
    path = next(path for path in current().paths if path.letter == letter)

    folder = folder_of_path(path)

    written = {file.name for file in folder.glob("table*.csv")}
    assert written == {f"table{n}.csv" for n in tables}
    assert len(pd.read_csv(folder / "table3.csv")) == 1
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert path.title in report
    others = [p.title for p in current().paths if p != path]
    assert not [title for title in others if title in report]
    assert 'id="leakage-stages"' not in report  # which is of all paths
    assert "24 of 30 flagged radiographs" in report


def test_a_path_without_phase_2_needs_no_phase_2(inputs):
    control = next(path for path in current().paths if path.letter == "f")

    free = of_scores(control).inputs()

    assert not [name for name in free if "phase2_" in name or name.startswith("nih")]


def test_two_paths_give_two_reports_in_one_run():
    both = of_scores(current().paths[2]) + of_scores(current().paths[5])

    assert {"path_c.report", "path_f.report"} <= both.outputs()


def test_the_cropping_figure_says_when_there_is_no_crop_table(inputs):
    figure = draw_cropped_example(
        inputs["covid_images"], None, inputs["covid_curated"], REPORTING
    )

    assert "no crop table" in figure.texts[0].get_text()


def test_the_cropping_figure_passes_over_what_cannot_be_read(inputs, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    radiographs = pd.DataFrame({"image_id": ["1"], "file": ["broken.png"]})
    crops = pd.DataFrame({"image": ["1"], "x0": 0, "y0": 0, "x1": 9, "y1": 9})

    figure = draw_cropped_example(list_folder(tmp_path), crops, radiographs, REPORTING)

    assert "No radiograph with a crop" in figure.texts[0].get_text()


def test_the_drafts_tell_the_numbers_of_the_tables(study_folder):
    table3 = pd.read_csv(study_folder / "table3.csv").set_index("path")
    chosen = table3.loc[table3["validation_auroc"].idxmax()]

    for name in ("model_card", "claim_2024", "tripod_ai"):
        text = (study_folder / f"{name}.md").read_text(encoding="utf-8")
        assert f"AUROC {chosen['auroc']:.3f} (95 % interval" in text
        assert text.splitlines()[2].startswith("> Synthetic data: not clinical")
        assert "[TO BE FILLED BY THE AUTHORS:" in text


def test_the_drafts_and_the_provenance_stand_in_the_report(study_folder):
    report = (study_folder / "report.html").read_text(encoding="utf-8")
    drafts = json.loads((study_folder / "documents.json").read_text())
    facts = pd.read_csv(study_folder / "provenance.csv").set_index("name")["value"]

    assert [draft["name"] for draft in drafts] == [
        *("model_card", "claim_2024", "tripod_ai")
    ]
    for draft in drafts:
        assert f'<details id="{draft["name"]}">' in report
        assert f"({draft['tally']})" in report
    assert facts["covid_images"] in report.split('id="data-hashes"')[1]
    assert facts["rsna_mapping"] == "absent"
    assert "<mark>[TO BE FILLED BY THE AUTHORS:" in report


def test_drafts_and_provenance_name_no_patient_and_no_place(study_folder, inputs):
    curated = [inputs[f"{cohort}_curated"] for cohort in ("nih", "rsna", "covid")]
    ids = {
        one
        for table in curated
        for one in [*table["patient_id"], *table["image_id"], *table["file"]]
    }
    files = [*study_folder.glob("*.md"), study_folder / "documents.json"]
    files += [study_folder / f"provenance.{kind}" for kind in ("csv", "tex")]

    words = set(" ".join(f.read_text(encoding="utf-8") for f in files).split())
    assert len(files) == 6
    assert not ids & {word.strip('",.;:|') for word in words}
    assert not [word for word in words if str(study_folder.parent) in word]


@pytest.mark.slow
def test_a_path_alone_has_drafts_about_itself(folder_of_path):
    folder = folder_of_path(current().paths[5])

    text = (folder / "claim_2024.md").read_text(encoding="utf-8")
    facts = pd.read_csv(folder / "provenance.csv").query("kind == 'data'")["name"]
    assert "Path (f): AUROC" in text
    assert "Path (a)" not in text
    assert not [name for name in facts if name.startswith(("nih", "rsna"))]
