"""Published formats through `study.yml` and a session, as general and target cohort."""

import gzip
import shutil

import pandas as pd
import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from covid_cxr.cohorts.vocabulary import terms_of
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.study.current import choose, current

STUDY = """\
cohorts:
  first: {{source: {source}}}
  second: {{source: {source}, title: Our copy}}
general:
  cohort: first
  labels: [pneumonia, atelectasis]
  split: {{label: pneumonia, {test}validation: 0.2}}
related:
  again:
    cohort: first
    labels: [atelectasis]
    split: {{validation: 0.2}}
target:
  cohort: second
  labels: [pneumonia]
  name: pneumonia
  reference: what was published
  split: {{test: 0.3, validation: 0.2}}
paths:
  a: [general, again, target]
"""
N = 4


def csv(header, rows):
    return "\n".join([header, *rows, ""])


def observed(k):
    """Return the cells of the 14 observations of image `k`."""
    seen = {"Pneumonia": f"{k % 2}.0", "Atelectasis": "-1.0" if k else "1.0"}
    return ",".join(seen.get(name, "") for name in terms_of("chexpert"))


def chexpert():
    header = f"Path,Sex,Age,Frontal/Lateral,AP/PA,{','.join(terms_of('chexpert'))}"
    names = [f"train/patient{k:05d}/study1/view1_frontal.jpg" for k in range(N)]
    rows = [
        f"CheXpert-v1.0-small/{name},Male,61,Frontal,PA,{observed(k)}"
        for k, name in enumerate(names)
    ]
    return {
        "train.csv": csv(header, rows[:3]),
        "valid.csv": csv(header, rows[3:]),
    }, names


def mimic_cxr_jpg():
    names = [f"files/p10/p1000003{k}/s5000000{k}/a{k}.jpg" for k in range(N)]
    tables = {
        "metadata": csv(
            "dicom_id,subject_id,study_id,ViewPosition,StudyDate",
            [f"a{k},1000003{k},5000000{k},AP,21800506" for k in range(N)],
        ),
        "split": csv(
            "dicom_id,study_id,subject_id,split",
            [
                f"a{k},5000000{k},1000003{k},{'test' if k == 3 else 'train'}"
                for k in range(N)
            ],
        ),
        "chexpert": csv(
            f"subject_id,study_id,{','.join(terms_of('chexpert'))}",
            [f"1000003{k},5000000{k},{observed(k)}" for k in range(N)],
        ),
    }
    packed = {
        f"mimic-cxr-2.0.0-{name}.csv.gz": gzip.compress(text.encode())
        for name, text in tables.items()
        if name != "split"
    }
    return {**packed, "mimic-cxr-2.0.0-split.csv": tables["split"]}, names


def padchest():
    header = (
        ",ImageID,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,"
        "Projection,MethodLabel,Labels"
    )
    labels = ["['normal']", "\"['atelectasis', ' pneumonia']\""] * 2
    rows = [
        f"{k},{k}.png,20140915,{k},{k},1950,M,PA,Physician,{labels[k]}"
        for k in range(N)
    ]
    (table,) = (raw.file for raw in SOURCES["padchest"].tables.values())
    return {table: csv(header, rows)}, [f"0/{k}.png" for k in range(N)]


def vindr_cxr():
    names = [name for name in terms_of("vindr_cxr") if name != "Other disease"]
    votes = [
        ",".join(f"{k % 2}" if name == "Pneumonia" else "0" for name in names)
        for k in range(N)
    ]
    labels = ",".join(names)
    tables = {
        "image_labels_train": csv(
            f"image_id,rad_id,{labels}",
            [f"a{k},R{r},{votes[k]}" for k in range(3) for r in range(3)],
        ),
        "image_labels_test": csv(f"image_id,{labels}", [f"a3,{votes[3]}"]),
        "annotations_train": csv(
            "image_id,rad_id,class_name,x_min,y_min,x_max,y_max",
            ["a1,R1,Pneumonia,1,2,3,4", "a0,R1,No finding,,,,"],
        ),
    }
    files = {f"annotations/{name}.csv": text for name, text in tables.items()}
    return files, [f"{'test' if k == 3 else 'train'}/a{k}.dicom" for k in range(N)]


OPTIONS = {  # of the ingestion, other than the defaults
    "chexpert": {"uncertain_by_finding": {"atelectasis": "ones"}},
    "mimic_cxr_jpg": {"uncertain_by_finding": {"atelectasis": "zeros"}},
    "padchest": {"labelled_by": "physician"},
    "vindr_cxr": {"readers_needed": 3},
}
FORMATS = {one.__name__: one for one in (chexpert, mimic_cxr_jpg, padchest, vindr_cxr)}


def write(folder, tables, images):
    for name, content in {**tables, **dict.fromkeys(images, "no picture")}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        as_bytes = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(as_bytes)


@pytest.fixture(autouse=True)
def _same_study_after():
    before = current()
    yield
    choose(before)
    pipelines.configure("covid_cxr.pipeline_registry")


@pytest.mark.parametrize("source", FORMATS)
def test_a_source_is_listed_by_nothing_but_its_name_in_the_study(
    source, project, tmp_path
):
    shutil.copytree(project / "conf", tmp_path / "conf")
    (tmp_path / "conf/mine").mkdir()
    official = "test: official, " if SOURCES[source].has_official_parts else ""
    study = STUDY.format(source=source, test=official)
    (tmp_path / "conf/mine/study.yml").write_text(study)
    tables, images = FORMATS[source]()
    for cohort in ("first", "second"):
        write(tmp_path / "01_raw" / cohort, tables, images)

    with KedroSession.create(
        project,
        env="mine",
        conf_source=str(tmp_path / "conf"),
        runtime_params={"data_root": str(tmp_path), "first_ingestion": OPTIONS[source]},
    ) as session:
        session.run(pipeline_names=["ingestion"])

    listed = [
        pd.read_parquet(tmp_path / f"02_intermediate/{cohort}_radiographs.parquet")
        for cohort in ("first", "second")
    ]
    for radiographs in listed:
        assert radiographs["pneumonia"].tolist() == [False, True, False, True]
        assert radiographs["pneumonia"].dtype == "boolean"
        assert sorted(radiographs["file"]) == sorted(images)
        assert radiographs["patient_id"].is_unique
    assert (
        listed[0]["atelectasis"].tolist()
        == {
            "chexpert": [True] * 4,
            "mimic_cxr_jpg": [True, False, False, False],
            "padchest": [False, True, False, True],
            "vindr_cxr": [False] * 4,
        }[source]
    )
    if official:
        assert listed[0]["official_part"].tolist() == ["train_val"] * 3 + ["test"]
    if SOURCES[source].has_boxes:
        boxes = pd.read_parquet(tmp_path / "02_intermediate/first_boxes.parquet")
        assert boxes["image_id"].tolist() == ["a1"]
