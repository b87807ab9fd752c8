"""The report from made-up scores, histories and radiographs, through the catalog."""

import json

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.io import MemoryDataset
from kedro.runner import SequentialRunner
from sklearn.metrics import roc_auc_score

from covid_cxr.audit.on_leak import OnLeak
from covid_cxr.cohorts.duplicates import no_duplicates
from covid_cxr.paths import TRAINING_PATHS
from covid_cxr.pipelines.audit.nodes import find_leaks, find_shortcuts
from covid_cxr.pipelines.reporting.nodes import draw_cropping, draw_saliency
from covid_cxr.pipelines.reporting.pipeline import create_path_pipeline, create_pipeline
from covid_cxr.radiographs.curation import Curation, plan_store
from covid_cxr.radiographs.folder import list_folder
from covid_cxr.report.reporting import Reporting

SIZE_PX = 64
FINDINGS = [
    *("cardiomegaly", "emphysema", "edema", "hernia", "pneumothorax", "effusion"),
    *("mass", "fibrosis", "atelectasis", "consolidation", "pleural_thickening"),
    *("nodule", "pneumonia", "infiltration"),
]
SEPARATION = {"a": 1.4, "b": 1.5, "c": 1.45, "d": 1.2, "e": 1.0, "f": 0.9}
REPORTING = Reporting(level=0.95, significance=0.05, seed=1)


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
            "row": np.arange(n_images),
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
    return {"layer": "relu", "threshold": 0.5, "cases": cases}


def train(stage, parents, *, rng):
    """Return a history and a provenance record."""
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
        "seconds": 321.5,
        "seed": 2021,
        "split_sha256": "0123456789abcdef" * 4,
        "versions": {"covid_cxr": "0.1.0", "tensorflow": "2.21.0", "keras": "3.15.0"},
    }
    return history, provenance


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
        **splits,
        "covid_crops": pd.DataFrame(
            {"image": covid["image_id"], "x0": 12, "y0": 20, "x1": 180, "y1": 175}
        ),
        "phase1_scores": score(
            nih, splits["phase1_split"], FINDINGS, separation=1.2, rng=rng
        ),
    }
    study |= audit(study)
    study["phase1_history"], study["phase1_provenance"] = train(
        "phase1", ["initial"], rng=rng
    )
    for path in TRAINING_PATHS:
        study |= make_path(path, study, rng=rng)
    return study


def audit(study):
    """Return what the audit leaves; RSNA patients are patients of phase 1 here."""
    tables = {
        name: study[name] for name in study if name.endswith(("_curated", "_split"))
    }
    none = no_duplicates()
    duplicates = {f"{cohort}_duplicates": none for cohort in ("nih", "rsna", "covid")}
    across = none.assign(first_cohort="", second_cohort="")
    warn = dict.fromkeys(("same_image", "duplicate", "same_patient"), "warn")
    _, leakage, _ = find_leaks(
        OnLeak(**warn, unknown_ancestry="warn"),
        "none",
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
    if path.phase2_cohort is not None:
        name = f"{path.name}_phase2"
        made[f"{name}_scores"] = score(
            study[f"{path.phase2_cohort}_curated"],
            study[f"phase2_{path.phase2_cohort}_split"],
            ["pneumonia"],
            separation=1.5,
            rng=rng,
        )
        made[f"{name}_history"], made[f"{name}_provenance"] = train(
            f"{path.name}.phase2", parents, rng=rng
        )
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
    made[f"{name}_history"], made[f"{name}_provenance"] = train(
        f"{path.name}.phase3", parents, rng=rng
    )
    return made


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
            SequentialRunner().run(pipeline, catalog)
        return data_root / "08_reporting"

    return run


@pytest.fixture(scope="module")
def study_folder(run_reporting, tmp_path_factory):
    return run_reporting(create_pipeline(), tmp_path_factory.mktemp("study"))


def test_the_study_needs_nothing_but_what_the_other_steps_write(inputs):
    free = create_pipeline().inputs()

    data = {name for name in free if not name.startswith("params:")}
    assert data == {*inputs, "covid_store"}


def test_every_table_and_figure_of_the_paper_is_written(study_folder):
    written = {path.name for path in study_folder.iterdir()}

    assert {f"table{n}.csv" for n in range(1, 6)} <= written
    assert {f"figure{n}.png" for n in range(1, 8)} <= written
    assert {"report.html", "figure3.json"} <= written


def test_table_3_holds_the_aurocs_of_the_scores(study_folder, inputs):
    table = pd.read_csv(study_folder / "table3.csv").set_index("path")

    for path in TRAINING_PATHS:
        test = inputs[f"{path.name}_phase3_scores"].query("part == 'test'")
        expected = roc_auc_score(test["covid19"], test["covid19_score"])
        assert table.loc[path.name, "auroc"] == pytest.approx(expected)


def test_the_interactive_figure_has_a_curve_per_path(study_folder):
    figure = json.loads((study_folder / "figure3.json").read_text())

    names = [trace["name"][:8] for trace in figure["data"]]
    assert names == [path.title for path in TRAINING_PATHS]


def test_the_report_embeds_every_figure_and_says_that_the_data_are_synthetic(
    study_folder,
):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    assert report.count('<img src="data:image/png;base64,') == 8
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


def test_the_report_names_no_file_of_a_rejected_radiograph(study_folder):
    report = (study_folder / "report.html").read_text(encoding="utf-8")

    assert "file missing" in report
    assert "x2.dcm" not in report


@pytest.mark.parametrize(
    ("letter", "tables"), [("a", {1, 2, 3}), ("c", {1, 3}), ("f", {3})]
)
def test_a_path_alone_reports_what_it_has(run_reporting, tmp_path, letter, tables):
    path = next(path for path in TRAINING_PATHS if path.letter == letter)

    folder = run_reporting(create_path_pipeline(path), tmp_path) / path.name

    written = {file.name for file in folder.glob("table*.csv")}
    assert written == {f"table{n}.csv" for n in tables}
    assert len(pd.read_csv(folder / "table3.csv")) == 1
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert path.title in report
    others = [p.title for p in TRAINING_PATHS if p is not path]
    assert not [title for title in others if title in report]
    assert 'id="audit"' not in report  # which is of all paths


def test_a_path_without_phase_2_needs_no_phase_2(inputs):
    control = next(path for path in TRAINING_PATHS if path.letter == "f")

    free = create_path_pipeline(control).inputs()

    assert not [name for name in free if "phase2_" in name or name.startswith("nih")]


def test_two_paths_give_two_reports_in_one_run():
    both = create_path_pipeline(TRAINING_PATHS[2]) + create_path_pipeline(
        TRAINING_PATHS[5]
    )

    assert {"path_c.report", "path_f.report"} <= both.outputs()


def test_the_cropping_figure_says_when_there_is_no_crop_table(inputs):
    figure = draw_cropping(
        inputs["covid_images"], None, inputs["covid_curated"], REPORTING
    )

    assert "no crop table" in figure.texts[0].get_text()


def test_the_cropping_figure_passes_over_what_cannot_be_read(inputs, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    radiographs = pd.DataFrame({"image_id": ["1"], "file": ["broken.png"]})
    crops = pd.DataFrame({"image": ["1"], "x0": 0, "y0": 0, "x1": 9, "y1": 9})

    figure = draw_cropping(list_folder(tmp_path), crops, radiographs, REPORTING)

    assert "No radiograph with a crop" in figure.texts[0].get_text()


def test_an_outcome_without_a_case_has_a_figure_that_says_so(inputs):
    table3 = pd.DataFrame({"path": ["path_b"], "validation_auroc": [0.8]})

    figures = draw_saliency(table3, None, inputs["covid_curated"], path_b={"cases": []})

    assert "no false negative" in figures[3].texts[0].get_text()


def test_the_saliency_figures_are_of_the_path_chosen_on_validation(inputs):
    table3 = pd.DataFrame(
        {
            "path": ["path_a", "path_b"],
            "auroc": [0.9, 0.7],
            "validation_auroc": [0.7, 0.8],
        }
    )
    unknown = {"image_id": "not there", "outcome": "true_positive"}

    with pytest.raises(ValueError, match="not there"):
        draw_saliency(
            table3,
            None,
            inputs["covid_curated"],
            path_a={"cases": []},
            path_b={"cases": [unknown]},
        )
