"""The hospital makes the cohorts of any study, each in the format of its source."""

import inspect
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from covid_cxr.datasets.radiograph_folder import RadiographFolderDataset
from covid_cxr.radiographs.files import read
from covid_cxr.sources.adapters import SOURCES
from covid_cxr.sources.manifest import ManifestIngestion, list_manifest
from covid_cxr.sources.nlm_tuberculosis import list_nlm_tuberculosis
from covid_cxr.study.current import choose, current
from covid_cxr.study.reading import read_study
from covid_cxr.synthesis.defects import Defects, choose_defects, no_defects
from covid_cxr.synthesis.epidemiology import severity_column
from covid_cxr.synthesis.hospital import admit_patients
from covid_cxr.synthesis.writers import WRITERS

SETS = Path(__file__).parents[2] / "conf/tuberculosis/study.yml"
OWN = """\
cohorts:
  ward: {source: manifest}
  clinic: {source: manifest}
related:
  first: {cohort: ward, labels: [effusion, mass], split: {label: mass, validation: 0.2}}
target:
  cohort: clinic
  labels: [pneumothorax]
  name: pneumothorax
  reference: CT
  split: {test: 0.3, validation: 0.2}
paths: {a: [first, target], b: [target]}
"""
NOTHING = dict.fromkeys(Defects.__dataclass_fields__, 0)


@pytest.fixture
def hospital_of(make_synthesis):
    """Return a function that admits the patients of a study; the old one comes back."""
    before = current()

    def admit(text, **sizes):
        choose(read_study(text))
        synthesis = make_synthesis(cohort_images=40, **sizes)
        return admit_patients(synthesis), synthesis

    yield admit
    choose(before)


def test_every_writer_is_that_of_a_source_and_gives_its_tables():
    assert set(WRITERS) == set(SOURCES)
    for source, writer in WRITERS.items():
        needed = {n for n, t in SOURCES[source].tables.items() if not t.is_optional}
        assert {"images", *needed} <= set(writer.outputs)


def test_a_cohort_of_ones_own_is_listed_as_it_was_drawn(hospital_of, tmp_path):
    radiographs, synthesis = hospital_of(OWN, images={"ward": 30})
    own = radiographs[radiographs["cohort"] == "ward"].set_index("image_id")
    images, manifest = WRITERS["manifest"].write(
        radiographs, synthesis, no_defects(), cohort="ward"
    )
    folder = RadiographFolderDataset(filepath=str(tmp_path))
    folder.save(images)

    listed, rejected = list_manifest(
        manifest, None, folder.load(), ["effusion", "mass"], ManifestIngestion()
    )

    assert len(listed) == 30
    assert rejected.empty
    truth = own.loc[listed["image_id"]]
    for label in ("effusion", "mass"):
        assert (listed[label].to_numpy() == (truth[severity_column(label)] > 0)).all()
        assert 0 < listed[label].mean() < 1
    assert {Path(file).suffix for file in listed["file"]} == {".png", ".dcm"}


def test_shenzhen_and_montgomery_are_listed_as_they_were_drawn(hospital_of, tmp_path):
    radiographs, synthesis = hospital_of(SETS.read_text("utf-8"))
    own = radiographs[radiographs["cohort"] == "nlm"].set_index("image_id")
    folder = RadiographFolderDataset(filepath=str(tmp_path))
    folder.save(
        WRITERS["nlm_tuberculosis"].write(
            radiographs, synthesis, no_defects(), cohort="nlm"
        )
    )

    listed, rejected = list_nlm_tuberculosis(folder.load())

    assert rejected.empty
    truth = own.loc[listed["image_id"]]
    assert len(listed) == len(own) == 40
    assert listed["site"].tolist() == truth["site"].tolist()
    assert listed["sex"].tolist() == truth["sex"].tolist()
    assert listed["age_years"].tolist() == truth["age_years"].tolist()
    is_ill = truth["tuberculosis_severity"] > 0
    assert listed["tuberculosis"].tolist() == is_ill.tolist()
    both = listed.groupby("site")["tuberculosis"].nunique()
    assert both.to_dict() == {"Shenzhen": 2, "Montgomery": 2}


def test_another_cohort_moves_no_radiograph_of_the_others(hospital_of, radiographs):
    second, _ = hospital_of(SETS.read_text("utf-8"))

    for cohort in ("nih", "rsna"):
        before, after = (
            table[table["cohort"] == cohort].reset_index(drop=True)
            for table in (radiographs, second)
        )
        pd.testing.assert_frame_equal(before, after, check_dtype=False)


def test_defects_are_planted_in_the_cohorts_of_the_study(hospital_of):
    radiographs, _ = hospital_of(OWN)
    wanted = Defects(**{**NOTHING, "copy": 1, "in_two_cohorts": 1, "mixed_labels": 1})

    chosen = choose_defects(radiographs, wanted)

    assert chosen.groupby("defect")["cohort"].agg(list).to_dict() == {
        "copy": ["ward", "clinic"],
        "in_two_cohorts": ["clinic"],
        "mixed_labels": ["clinic"],
    }
    foreign = chosen[chosen["defect"] == "in_two_cohorts"]
    assert foreign["of_cohort"].tolist() == ["ward"]


def test_a_patient_with_one_radiograph_cannot_have_two_results(hospital_of):
    radiographs, _ = hospital_of(SETS.read_text("utf-8"))

    with pytest.raises(ValueError, match="No patient of the cohort nlm has two"):
        choose_defects(radiographs, Defects(**{**NOTHING, "mixed_labels": 1}))


@pytest.mark.parametrize("label", ["gallstones", "crowding", "sarcoidosis"])
def test_a_label_that_cannot_be_drawn_is_named(hospital_of, label):
    text = re.sub("pneumothorax", label, OWN)

    with pytest.raises(ValueError, match=rf"cannot draw {label} for the cohort clinic"):
        hospital_of(text)


def test_a_size_of_a_cohort_that_the_study_lacks_is_refused(hospital_of):
    with pytest.raises(ValueError, match=r"names the cohorts nlm; .* has ward, clinic"):
        hospital_of(OWN, images={"nlm": 40})


@pytest.fixture
def listed_with_defects(hospital_of, tmp_path):
    """Return a function that lists a study's cohort `clinic` with planted defects."""

    def listed(text, label, **counts):
        source = re.search(r"clinic: {source: (\w+)}", text)[1]
        radiographs, synthesis = hospital_of(text)
        defects = choose_defects(radiographs, Defects(**{**NOTHING, **counts}))
        written = WRITERS[source].write(
            radiographs, synthesis, defects, cohort="clinic"
        )
        folder = RadiographFolderDataset(filepath=str(tmp_path))
        folder.save(written[0])
        tables = dict(zip(WRITERS[source].outputs[1:], written[1:], strict=True))
        as_text = {
            name: table.astype("str").replace("", None)
            for name, table in tables.items()
        }
        adapter = SOURCES[source].list_radiographs
        wanted = inspect.signature(adapter).parameters
        given = {"images": folder.load(), "findings": [label], **as_text}
        given["ingestion"] = wanted["ingestion"].annotation()
        table = adapter(**{name: given.get(name) for name in wanted})[0]
        own = radiographs[radiographs["cohort"] == "clinic"].set_index("image_id")
        return table.set_index("image_id"), own, defects

    return listed


@pytest.mark.parametrize("source", ["chexpert", "idc", "midrc"])
def test_a_patient_has_two_results_in_the_tables_of_a_published_format(
    listed_with_defects, source
):
    label = "covid19" if source != "chexpert" else "effusion"
    text = re.sub(r"  ward.*\n|related:\n.*\n|first, |, b: \[target\]", "", OWN)
    text = text.replace("manifest", source).replace("[pneumothorax]", f"[{label}]")
    every = dict.fromkeys(set(NOTHING) - {"seed"}, 1)

    listed, own, defects = listed_with_defects(text, label, **every)

    turned = defects.loc[defects["defect"] == "mixed_labels", "image_id"].item()
    assert listed.loc[turned, label] != (own.loc[turned, f"{label}_severity"] > 0)


@pytest.mark.parametrize("source", ["idc", "midrc"])
def test_a_copy_in_the_commons_is_of_its_own_patient(
    listed_with_defects, source, tmp_path
):
    text = re.sub(r", b: \[target\]", "", OWN).replace("[pneumothorax]", "[covid19]")
    text = text.replace("clinic: {source: manifest}", f"clinic: {{source: {source}}}")
    counts = {"copy": 4, "stored_anew": 3, "inverted_copy": 3, "in_two_cohorts": 3}

    listed, own, defects = listed_with_defects(text, "covid19", **counts)

    copies = defects[defects["cohort"] == "clinic"]
    patients = own["patient"].to_dict()
    with_files = listed[listed["file"].notna()]
    assert set(own.index) == set(with_files.index)
    pairs = with_files.groupby("patient_id").groups.values()
    assert all(len({patients[image] for image in images}) == 1 for images in pairs)
    assert len(copies) == 13
    for copy in copies.itertuples():
        pixels = read(tmp_path / copy.file).pixels
        content = (tmp_path / copy.file).read_bytes()
        assert (content[128:132] == b"DICM") == copy.file.endswith(".dcm")
        if copy.of_cohort != "clinic":
            continue
        shown = cv2.resize(read(tmp_path / copy.of_file).pixels, pixels.shape[::-1])
        alike = np.corrcoef(shown.ravel(), pixels.ravel())[0, 1]
        assert abs(alike) > 0.95, copy
