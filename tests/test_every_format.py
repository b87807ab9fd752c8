"""What the hospital draws of every source is read again, in every stage of a study."""

import csv
import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import choose, current
from covid_cxr.synthesis.drawing import Look, draw_radiograph
from covid_cxr.synthesis.orders import orders_of

# What the study asks of each source; the first is the label of its draws.
ASKED = {
    "nih": ["pneumonia", "effusion", "pneumothorax"],
    "rsna": ["pneumonia"],
    "chexpert": ["pneumonia", "effusion", "lung_opacity"],
    "mimic_cxr_jpg": ["pneumonia", "effusion"],
    "padchest": ["pneumonia", "effusion"],
    "vindr_cxr": ["pneumonia", "effusion"],
    "siim_pneumothorax": ["pneumothorax"],
    "manifest": ["effusion"],
    "covid": ["covid19"],
    "covidx": ["covid19"],
    "idc": ["covid19"],
    "midrc": ["covid19"],
    "nlm_tuberculosis": ["tuberculosis"],
    "tbx11k": ["tuberculosis"],
}
pytestmark = pytest.mark.slow
N_IMAGES = 30
N_LATERAL = 8  # beside every fourth
# Why rows that the writers plant among them are rejected.
PLANTED = {
    "chexpert": {"lateral view": N_LATERAL},
    "mimic_cxr_jpg": {
        "lateral view": N_LATERAL,
        "its study has no row in the table of labels": 1,
    },
    "padchest": {
        "lateral view": 1,
        "view of the ribs": 1,
        "projection excluded by the publisher": 1,
        "labelled exclude": 1,
        "labelled suboptimal study": 1,
        "no label": 1,
    },
    "covidx": {"class level1 does not say whether it is COVID-19": 1},
    "midrc": {
        "no COVID-19 test within 14 days of the study": 1,
        "in imaging_study.tsv, but none of its files is in the folder": 1,
    },
}
PADCHEST = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
TITLES = {"pneumonia": "Pneumonia", "effusion": "Pleural Effusion"}
TITLES |= {"lung_opacity": "Lung Opacity"}
OPAQUE = ("pneumonia", "consolidation", "infiltration", "covid19", "tuberculosis")
OPAQUE += ("edema", "atelectasis")
SIZES = f"""\
nih_ingestion: {{max_unmatched_share: 0.5}}
synthesis:
  nih_images: 120
  rsna_images: 40
  covid_images: 50
  cohort_images: {N_IMAGES}
  raw_size_px: 32
  least_patients: 8
  workers: 1
curation: {{size_px: 32, shard_images: 64, workers: 1}}
duplicates: {{min_correlation: 0.97}}
"""
LEARNED = [source for source in ASKED if source != "manifest"]


def target(cohort):
    return (
        f"target: {{cohort: {cohort}, labels: [{ASKED[cohort][0]}], name: it, "
        "reference: what is drawn, split: {test: 0.3, validation: 0.3}}\n"
    )


def study_of_all():
    """Return a study that learns from all but the target's cohort, twice."""
    labels = dict.fromkeys(label for source in LEARNED for label in ASKED[source])
    lines = ["cohorts:", *(f"  {source}: {{source: {source}}}" for source in ASKED)]
    lines += ["general:", f"  labels: [{', '.join(labels)}]", "  cohorts:"]
    lines += [
        f"    {source}: {{labels: [{', '.join(ASKED[source])}], split: "
        f"{{label: {ASKED[source][0]}, test: {test}, validation: 0.3}}}}"
        for source in LEARNED
        for test in ["official" if SOURCES[source].has_official_parts else 0.2]
    ]
    lines += ["related:"] + [
        f"  of_{source}: {{cohort: {source}, labels: [{ASKED[source][0]}], "
        "split: {validation: 0.3}}"
        for source in LEARNED
    ]
    sets = ", ".join(f"of_{source}" for source in LEARNED)
    path = f"paths: {{a: [general, {sets}, target]}}\n"
    return "\n".join([*lines, target("manifest") + path])


@pytest.fixture(scope="module")
def run(project, tmp_path_factory):
    """Return a function that runs nodes of a study in this process."""
    before = current()
    conf = tmp_path_factory.mktemp("conf") / "conf"
    shutil.copytree(project / "conf", conf)
    (conf / "formats").mkdir()
    (conf / "formats/parameters.yml").write_text(SIZES)

    def session(study, *names, data_root, **options):
        (conf / "formats/study.yml").write_text(study)
        with KedroSession.create(
            project,
            env="formats",
            conf_source=str(conf),
            runtime_params={"data_root": str(data_root)},
        ) as opened:
            return opened.run(pipeline_names=list(names), **options)

    yield session
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


@pytest.fixture(scope="module")
def curated(run, tmp_path_factory):
    """Return a data root with a cohort of every source, drawn, read and split."""
    data_root = tmp_path_factory.mktemp("formats")
    run(study_of_all(), "synthesis", "ingestion", "curation", data_root=data_root)
    return data_root


@pytest.fixture(scope="module")
def radiographs(curated):
    return pd.read_parquet(curated / "02_intermediate/synthetic_radiographs.parquet")


@pytest.fixture
def truth(radiographs, source):
    """Return what was drawn of a source, by the image's id, a column per finding."""
    own = radiographs[radiographs["cohort"] == source].set_index("image_id")
    drawn = own.filter(regex="_severity$") > 0
    drawn = drawn.rename(columns=lambda name: name.removesuffix("_severity"))
    if source == "nih":  # its table is mined from reports, with errors
        told = own["finding_labels"].str.lower().str.split("|")
        drawn = drawn.apply(lambda column: told.map(lambda names: column.name in names))
    return own.join(drawn.assign(lung_opacity=drawn[[*OPAQUE]].any(axis=1)))


def read(root, place):
    return pd.read_parquet(root / f"{place}.parquet")


def rows_of(path):
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    separator = "\t" if path.suffix == ".tsv" else ","
    return list(csv.DictReader(text.splitlines(), delimiter=separator))


def left_open(source, raw, truth):
    """Return the pairs of image and finding that the raw tables leave open."""
    if source == "chexpert":
        cells = {
            row["Path"].partition("/")[2]: row
            for part in ("train", "valid")
            for row in rows_of(raw / f"{part}.csv")
        }
    elif source == "mimic_cxr_jpg":
        rows = rows_of(raw / "mimic-cxr-2.0.0-chexpert.csv.gz")
        studies = {f"s{row['study_id']}": row for row in rows}
        cells = {
            image: studies[Path(file).parts[-2]]
            for image, file in truth["file"].items()
        }
    elif source == "padchest":
        unchanged = {
            row["ImageID"] for row in rows_of(raw / PADCHEST) if "unch" in row["Labels"]
        }
        return {
            (image, finding)
            for image in unchanged & {*truth.index}
            for finding in ASKED[source]
            if not truth.loc[image, finding]
        }
    else:
        return set()
    return {
        (image, finding)
        for image in truth.index
        for finding in ASKED[source]
        if cells[image][TITLES[finding]] == "-1.0"
    }


def silent_of(source, raw, truth):
    """Return the images of which the raw tables leave open all that is asked."""
    n_open = Counter(image for image, _ in left_open(source, raw, truth))
    return {image for image, n in n_open.items() if n == len(ASKED[source])}


def n_listed(source, raw):
    """Return how many images the raw tables list."""
    if source == "chexpert":
        return sum(len(rows_of(raw / f"{part}.csv")) for part in ("train", "valid"))
    if source == "vindr_cxr":
        names = ("train", "test")
        tables = [rows_of(raw / f"annotations/image_labels_{n}.csv") for n in names]
        assert len(tables[0]) == 3 * len({row["image_id"] for row in tables[0]})
        return len({row["image_id"] for table in tables for row in table})
    if source == "midrc":
        rows = rows_of(raw / "imaging_study.tsv")
        return sum("CT" not in row["study_modality"] for row in rows)
    if source in {"covidx", "tbx11k"}:
        texts = [f.read_text() for f in raw.rglob("*.txt")]
        return sum(len(text.splitlines()) for text in texts)
    table = {
        "nih": "Data_Entry_2017_v2020.csv",
        "mimic_cxr_jpg": "mimic-cxr-2.0.0-metadata.csv.gz",
        "padchest": PADCHEST,
        "siim_pneumothorax": "siim_nih_mapping.csv",
        "covid": "manifest.csv",
        "manifest": "manifest.csv",
    }.get(source)
    return len(rows_of(raw / table)) if table else None


@pytest.mark.parametrize("source", ASKED)
def test_every_row_is_a_radiograph_that_was_drawn_or_rejected(source, curated, truth):
    listed = read(curated, f"02_intermediate/{source}_radiographs")
    rejected = read(curated, f"02_intermediate/{source}_ingestion_rejected")
    broken = listed["image_id"].str.endswith("_broken.png")
    silent = silent_of(source, curated / "01_raw" / source, truth)
    nothing = f"nothing known of {', '.join(ASKED[source])}"
    reasons = Counter({**PLANTED.get(source, {}), nothing: len(silent)})

    assert set(listed["image_id"][~broken]) == set(truth.index) - silent
    assert rejected["reason"].value_counts().to_dict() == +reasons
    n_rows = n_listed(source, curated / "01_raw" / source)
    assert n_rows in (None, len(listed) + len(rejected))
    assert listed["file"].notna().all()
    late = read(curated, f"03_primary/{source}_rejected")
    assert (late["stage"] == "curation").sum() == broken.sum() == (source == "padchest")


@pytest.mark.parametrize("source", ASKED)
def test_patients_and_labels_are_those_that_were_drawn(source, curated, truth):
    listed = read(curated, f"02_intermediate/{source}_radiographs")
    raw = curated / "01_raw" / source
    truth = truth.drop(index=silent_of(source, raw, truth))
    listed = listed.set_index("image_id").loc[truth.index]

    pairs = pd.DataFrame({"read": listed["patient_id"], "drawn": truth["patient"]})
    assert pairs.groupby("read")["drawn"].nunique().max() == 1
    assert pairs.groupby("drawn")["read"].nunique().max() == 1
    for column in ("sex", "age_years"):
        known = listed[column][listed[column].notna() & (listed[column] != "unknown")]
        drawn = truth.loc[known.index, column]
        limit = {"chexpert": 90, "midrc": 89}.get(source, 200)
        if column == "age_years":
            drawn = drawn.clip(upper=limit)
        assert (known == drawn).all()
    open_pairs = left_open(source, raw, truth)
    is_read_anew = source in {"rsna", "siim_pneumothorax"}  # what is faint is not seen
    for finding in ASKED[source]:
        told = listed[finding]
        assert {(i, finding) for i in told.index[told.isna()]} == {
            pair for pair in open_pairs if pair[1] == finding
        }
        assert 0 < told.mean() < 1
        if is_read_anew:
            continue
        assert (told.dropna() == truth.loc[told.dropna().index, finding]).all()


@pytest.mark.parametrize("source", ["rsna", "siim_pneumothorax"])
def test_what_is_read_anew_is_there_and_of_the_nih_patient(source, curated, truth):
    listed = read(curated, f"02_intermediate/{source}_radiographs")
    listed = listed.set_index("image_id").loc[truth.index]
    finding = ASKED[source][0]
    drawn = {"rsna": [*OPAQUE[:5]]}.get(source, [finding])

    assert (truth[drawn].any(axis=1) | ~listed[finding].astype(bool)).all()
    strong = truth[[f"{one}_severity" for one in drawn]].max(axis=1) > 0.6
    assert listed.loc[strong, finding].mean() > 0.7
    assert (listed["patient_id"] == "nih:" + truth["patient"]).all()


@pytest.mark.parametrize("source", ["vindr_cxr", "siim_pneumothorax", "tbx11k"])
def test_boxes_lie_where_the_finding_was_drawn(source, curated, radiographs, truth):
    boxes = read(curated, f"02_intermediate/{source}_boxes")
    listed = read(curated, f"02_intermediate/{source}_radiographs")
    size_px = {"siim_pneumothorax": 1024, "tbx11k": 512}.get(source, 32)
    look = Look(sign_contrast=1, photons=1e9, magnification=1.22)
    orders = {order.file: order for order in orders_of(radiographs, cohort=source)}
    images = truth.sort_values(f"{ASKED[source][0]}_severity").index[-5:]
    assert set(images) <= set(boxes["image_id"]) <= set(listed["image_id"])

    for image in images:
        exam = orders[truth.loc[image, "file"]].exam
        without = {k: v for k, v in exam.severities.items() if k != ASKED[source][0]}
        ill, well = (
            draw_radiograph(one, shape=(128, 128), look=look).density
            for one in (exam, type(exam)(**{**vars(exam), "severities": without}))
        )
        change = cv2.GaussianBlur(np.abs(ill - well), (0, 0), 4)
        y, x = np.unravel_index(change.argmax(), change.shape)
        own = boxes[boxes["image_id"] == image]
        left, top = own["x"] / size_px * 128, own["y"] / size_px * 128
        right = left + own["width"] / size_px * 128
        bottom = top + own["height"] / size_px * 128
        is_in = left.le(x + 6) & right.ge(x - 6) & top.le(y + 6) & bottom.ge(y - 6)
        assert is_in.any(), (image, x, y)


def test_boxes_of_masks_are_those_of_their_pixels(curated):
    raw = curated / "01_raw/siim_pneumothorax"
    expected = set()
    for row in rows_of(raw / "stage_2_train.csv"):
        if row["EncodedPixels"] == "-1":
            continue
        numbers = [int(number) for number in row["EncodedPixels"].split()]
        pixels, place = [], 0
        for left_out, length in zip(numbers[::2], numbers[1::2], strict=True):
            place += left_out
            pixels += range(place, place + length)
            place += length
        x, y = np.divmod(np.array(pixels), 1024)
        edges = (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)
        expected.add((row["ImageId"], *map(float, edges)))
    boxes = read(curated, "02_intermediate/siim_pneumothorax_boxes")

    assert set(boxes.itertuples(index=False, name=None)) == expected
    assert boxes["image_id"].duplicated().any()  # a mask in each lung


@pytest.mark.parametrize("source", ["vindr_cxr"])
def test_boxes_of_a_reader_alone_are_kept_on_positive_images_only(curated, truth):
    raw = curated / "01_raw/vindr_cxr/annotations"
    named = {"Pneumonia": "pneumonia", "Pleural effusion": "effusion"}
    drawn = [
        (row["image_id"], named[row["class_name"]])
        for part in ("train", "test")
        for row in rows_of(raw / f"annotations_{part}.csv")
        if row["class_name"] in named
    ]
    kept = [pair for pair in drawn if truth.loc[pair[0], pair[1]]]
    boxes = read(curated, "02_intermediate/vindr_cxr_boxes")

    assert 0 < len(kept) < len(drawn)
    assert sorted(kept) == sorted(zip(boxes["image_id"], boxes["finding"], strict=True))


def test_raw_files_have_the_traps_of_what_is_published(curated):
    raw = curated / "01_raw"
    names = [file.name for file in (raw / "chexpert").rglob("*.jpg")]
    assert set(names) == {"view1_frontal.jpg", "view2_lateral.jpg"}
    picture = next(
        file for file in (raw / "padchest").rglob("*.png") if "broken" not in file.name
    )
    pixels = cv2.imread(str(picture), cv2.IMREAD_UNCHANGED)
    assert pixels.dtype == np.uint16
    assert pixels.max() > 2**15
    labels = [row["Labels"] for row in rows_of(raw / "padchest" / PADCHEST)]
    assert any("neumonía" in text for text in labels)
    assert any("' pneumonia'" in text for text in labels)
    lists = (raw / "tbx11k/lists/TBX11K_train.txt").read_text()
    assert {line.partition("/")[0] for line in lists.splitlines()} == {
        *("health", "sick", "tb")
    }
    boxes = json.loads((raw / "tbx11k/annotations/json/TBX11K_train.json").read_text())
    assert {one["category_id"] for one in boxes["annotations"]} == {1, 2}
    assert list((raw / "idc").glob("*/*/*/CT_*/*.dcm"))


@pytest.mark.parametrize("source", LEARNED)
def test_a_source_is_a_general_and_a_related_cohort(source, curated):
    listed = read(curated, f"03_primary/{source}_curated").set_index("image_id")

    for place, parts in (
        (f"phase1_{source}_split", {"train", "validation", "test"}),
        (f"phase2_of_{source}_split", {"train", "validation"}),
    ):
        split = read(curated, f"05_model_input/{place}")
        assert set(split["part"]) == parts
        assert split.groupby("patient_id")["part"].nunique().max() == 1
        labels = listed.loc[split["image_id"], ASKED[source][0]]
        known = labels.groupby(split["part"].to_numpy()).agg(["min", "max"])
        assert not known["min"].any()
        assert known["max"].all()


# The others are the targets of whole studies in other tests.
@pytest.mark.parametrize(
    "source", [s for s in ASKED if s not in {"covid", "nlm_tuberculosis", "manifest"}]
)
def test_a_source_is_a_target_cohort(source, curated, run):
    study = f"cohorts: {{{source}: {{source: {source}}}}}\n{target(source)}"
    study += "paths: {a: [target]}\n"
    names = ("split_phase3", "assemble_phase3", f"list_{source}_mixed_results")

    run(
        study,
        "curation",
        data_root=curated,
        node_names=[f"curation.{name}" for name in names],
    )

    split = read(curated, "05_model_input/phase3_split")
    assert set(split["part"]) == {"train", "validation", "test"}
    left_out = read(curated, "05_model_input/phase3_left_out")
    images = read(curated, f"03_primary/{source}_curated")["image_id"]
    assert sorted([*split["image_id"], *left_out["image_id"]]) == sorted(images)
