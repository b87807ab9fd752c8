"""What a bundle says of files, and what it does not predict."""

import dataclasses
import io
import math
import subprocess
import sys

import cv2
import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from covid_cxr.prediction import open_bundle
from covid_cxr.prediction.members import Member, Members
from covid_cxr.prediction.network import activation_maps
from covid_cxr.radiographs.dicom_file import quiet


def dicom(path, pixels, *, has_uids=True, **elements):
    """Write a DICOM file of 8 bits."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if has_uids:
        image.SOPClassUID = DigitalXRayImageStorageForPresentation
        image.SOPInstanceUID = image.StudyInstanceUID = "1.2.3"
        image.SeriesInstanceUID = "1.2.3.4"
    image.Modality, image.BodyPartExamined, image.ViewPosition = "DX", "CHEST", "PA"
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.WindowCenter, image.WindowWidth = 128, 256
    image.PixelData = pixels.tobytes()
    for keyword, value in elements.items():
        setattr(image, keyword, value)
    buffer = io.BytesIO()
    dcmwrite(buffer, image, enforce_file_format=has_uids)
    path.write_bytes(buffer.getvalue())
    return path


def test_scores_are_those_of_the_curated_pixels(bundle, chests, curated, score_of):
    files = sorted(chests.iterdir())

    table = bundle.predict(files)

    expected = [score_of(curated(file)[0]) for file in files]
    assert (table["status"] == "predicted").all(), table["reason"]
    assert table["score"].to_numpy() == pytest.approx(expected, abs=1e-6)
    assert table["youden"].tolist() == [
        "positive" if score >= 0.5 else "negative" for score in expected
    ]
    assert table["file"].tolist() == [file.name for file in files]


def test_a_box_of_no_file_or_of_two_is_refused(bundle, chests):
    first = min(chests.iterdir())
    box = (0, 0, 32, 32)

    with pytest.raises(ValueError, match=r"for 'chest.png', .* of 0 of the 1 files"):
        bundle.predict([first], boxes={first.name: box, "chest.png": box})
    with pytest.raises(ValueError, match=r"for 'chest_0.png', .* of 2 of the 2 files"):
        bundle.predict([first, first], boxes={first.name: box})


def test_a_prevalence_moves_the_probability_by_bayes_rule(bundle, chests):
    (file,) = sorted(chests.iterdir())[:1]
    score = bundle.predict([file])["score"].item()
    odds = math.exp(-1.0 + 2.0 * math.log(score / (1 - score)))  # the map, at 1 to 1
    for prevalence in (0.05, 0.5):
        expected = odds * prevalence / (odds * prevalence + 1 - prevalence)

        found = bundle.predict([file], prevalence=prevalence)["probability"].item()

        assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match="between 0 and 1"):
        bundle.predict([file], prevalence=1.5)


@pytest.mark.parametrize(
    ("score", "bounds", "expected"),
    [
        (0.2, (0.3, 0.7), "control"),
        (0.5, (0.3, 0.7), "case or control"),
        (0.8, (0.3, 0.7), "case"),
        (0.5, (0.7, 0.3), "neither"),
    ],
)
def test_a_set_holds_the_classes_whose_bound_the_score_keeps(
    bundle, chests, score, bounds, expected
):
    def says_the_score(images):
        log_odds = np.full(len(images), math.log(score / (1 - score)))
        return log_odds, np.ones((len(images), 1, 1, 1))

    names = ("least_case_score", "greatest_control_score")
    sets = bundle.record["prediction_sets"] | dict(zip(names, bounds, strict=True))
    record = {**bundle.record, "prediction_sets": sets}
    member = Member(network=says_the_score, head_kernel=np.ones((1, 1)))
    other = dataclasses.replace(
        bundle,
        record=record,
        members=Members(rule="alone", by_name={"path_t": member}),
    )

    row = other.predict([min(chests.iterdir())]).iloc[0]

    assert row["score"] == pytest.approx(score)
    assert row["prediction_set"] == expected


def test_a_map_is_what_spoke_for_a_case_by_definition():
    rng = np.random.default_rng(4)
    maps, kernel = rng.normal(size=(3, 4, 5, 6)), rng.normal(size=(6, 1))
    maps[2] = -np.sign(kernel[:, 0])  # nothing speaks for a case

    found = activation_maps(maps, kernel)

    for image, heat in zip(maps, found, strict=True):
        spoke = np.zeros((4, 5))
        for y, x in np.ndindex(4, 5):
            weighed = sum(image[y, x, c] * kernel[c, 0] for c in range(6))
            spoke[y, x] = max(weighed, 0)
        assert heat == pytest.approx(spoke / (spoke.max() or 1))
    assert (found[:2].max(axis=(1, 2)) == 1).all()


def test_a_view_that_is_not_understood_is_a_caution(bundle, tmp_path, drawn_chest):
    file = dicom(tmp_path / "a.dcm", drawn_chest(3), ViewPosition="ODD")

    row = bundle.predict([file]).iloc[0]

    assert row["status"] == "flagged"
    assert row["reason"].startswith("view not understood")
    assert row["score"] > 0


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"ViewPosition": "LL"}, "not frontal"),
        ({"BodyPartExamined": "HAND"}, "not a chest"),
        ({"Modality": "CT"}, "not a radiograph"),
        ({"PatientAge": "007Y"}, "too young: the patient is 7 years old"),
        ({"PatientAge": "006M"}, "too young"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "may be a negative"),
    ],
)
def test_what_a_header_tells_is_refused(
    bundle, tmp_path, drawn_chest, elements, reason
):
    file = dicom(tmp_path / "a.dcm", drawn_chest(3), **elements)

    row = bundle.predict([file]).iloc[0]

    assert row["status"] == "refused"
    assert row["reason"].startswith(reason)
    assert np.isnan(row["score"])


def test_a_header_is_read_once(bundle, tmp_path, drawn_chest, monkeypatch):
    file = dicom(tmp_path / "a.dcm", drawn_chest(3), PatientAge="017Y")
    reads = []
    read = pydicom.dcmread
    monkeypatch.setattr(
        pydicom, "dcmread", lambda *a, **o: reads.append(a) or read(*a, **o)
    )

    row = bundle.predict([file]).iloc[0]

    assert row["reason"].startswith("too young")
    assert len(reads) == 1


@pytest.mark.parametrize("age", ["", "Y", "old", "017", "017X"])
def test_an_age_that_is_none_is_not_known(bundle, tmp_path, drawn_chest, age):
    with quiet():  # pydicom warns of what is written
        file = dicom(tmp_path / "a.dcm", drawn_chest(3), PatientAge=age)

    assert bundle.predict([file]).loc[0, "status"] == "predicted"


def test_a_dicom_file_without_uids_is_predicted(bundle, tmp_path, drawn_chest):
    file = dicom(tmp_path / "a.dcm", drawn_chest(3), has_uids=False)

    assert bundle.predict([file])["status"].item() == "predicted"


def test_what_the_pixels_tell_is_refused(bundle, tmp_path, drawn_chest):
    chest = drawn_chest(3)
    pictures = {
        "negative.png": 255 - chest,
        "faint.png": (chest // 16 + 100).astype(np.uint8),
        "blank.png": np.full((64, 64), 7, np.uint8),
    }
    for name, pixels in pictures.items():
        cv2.imwrite(str(tmp_path / name), pixels)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG no picture")

    table = bundle.predict([tmp_path / name for name in (*pictures, "broken.png")])

    assert (table["status"] == "refused").all()
    reasons = ["may be a negative", "hardly any contrast", "blank", "damaged picture"]
    for found, expected in zip(table["reason"], reasons, strict=True):
        assert found.startswith(expected)


@pytest.mark.parametrize("tag", [0x829A, 0x829D, 0x8827, 0x920A])  # Exif 2.3, 4.6.5
def test_what_a_camera_exposed_is_refused(bundle, tmp_path, drawn_chest, tag):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[tag] = 100
    picture = Image.fromarray(drawn_chest(3))
    picture.save(tmp_path / "photo.jpg", quality=95, exif=exif)
    exif = Image.Exif()
    exif[0x0131] = "a viewer"  # software, and no exposure
    picture.save(tmp_path / "export.jpg", quality=95, exif=exif)

    table = bundle.predict([tmp_path / "photo.jpg", tmp_path / "export.jpg"])

    assert table["status"].tolist() == ["refused", "predicted"]
    assert "a camera exposed it" in table.loc[0, "reason"]


def test_what_is_far_from_the_usual_is_refused(write_bundle, chests, curated):
    file = min(chests.iterdir())
    gate = {"refused_share": 0.01, "n_patients": 200, "limit": 0.0}

    row = open_bundle(write_bundle(gate=gate)).predict([file]).iloc[0]

    pixels, _ = curated(file)
    assert row["status"] == "refused"
    assert row["reason"].startswith("unlike the radiographs")
    assert np.isnan(row["score"])
    distance = abs(pixels.astype(float).mean() / 255 - 0.4) / 0.25
    assert row["gate_distance"] == pytest.approx(distance, abs=1e-6)


def test_pictures_that_it_has_seen_are_named(write_bundle, chests, tmp_path):
    trained, validated, new = sorted(chests.iterdir())[:3]
    again = tmp_path / "again.jpg"
    cv2.imwrite(str(again), cv2.imread(str(trained), cv2.IMREAD_GRAYSCALE))
    bundle = open_bundle(write_bundle(trained=[trained], validated=[validated]))

    table = bundle.predict([trained, validated, again, new])

    assert table["was_trained_on"].tolist() == ["yes", "validation", "maybe", "no"]
    assert table["status"].tolist() == ["refused", "flagged", "flagged", "predicted"]
    assert table["reason"].iloc[0] == "this model was trained on this picture"


def test_prediction_needs_neither_tensorflow_nor_kedro(write_bundle, chests):
    code = (
        "import sys; from covid_cxr.prediction import open_bundle; "
        "table = open_bundle(sys.argv[1]).predict(sys.argv[2:]); "
        "heavy = {'tensorflow', 'keras', 'kedro', 'dask', 'plotly', 'scipy'}; "
        "print(table['status'].item(), sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, write_bundle(), min(chests.iterdir())],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "predicted []\n"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (np.rot90, "may be turned"),
        (np.flipud, "may be turned"),
        (lambda p: np.clip((p - 70.0) * 255 / 90, 0, 255), "may be clipped"),
    ],
)
def test_what_is_turned_or_clipped_is_refused(
    tmp_path, write_bundle, drawn_chest, change, reason
):
    files = [tmp_path / "as_it_is.png", tmp_path / "changed.png"]
    chest = drawn_chest(3, 128)
    for file, pixels in zip(files, (chest, change(chest)), strict=True):
        cv2.imwrite(str(file), np.ascontiguousarray(pixels).astype(np.uint8))

    as_it_is, changed = open_bundle(write_bundle()).predict(files).to_dict("records")

    assert as_it_is["status"] != "refused"
    assert changed["status"] == "refused"
    assert changed["reason"].startswith(reason)
    assert np.isnan(changed["score"])
