"""`covid-cxr predict`: many files, broken ones, archives, interruptions, full disks."""

import csv
import json
import os
import resource
import shutil
import subprocess
import sys
import zipfile

import cv2
import pytest
from click.testing import CliRunner
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from covid_cxr.prediction import open_bundle
from covid_cxr.prediction.cli import check, predict
from covid_cxr.prediction.sources import list_inputs


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def predicted(tmp_path):
    """Return a function that runs the command and returns it with its table."""

    def run(bundle, *places, code=0, options=()):
        out = tmp_path / "out"
        done = CliRunner().invoke(
            predict,
            [*map(str, (bundle, *places)), "-o", str(out), "--workers=1", *options],
        )
        assert done.exit_code == code, done.output
        table = out / "predictions.csv"
        rows = read_table(table) if table.exists() else []
        return done.output, rows

    return run


def test_check_prints_the_largest_difference(write_bundle):
    done = CliRunner().invoke(check, [str(write_bundle())])

    assert done.exit_code == 0
    assert "1 drawn radiographs, largest difference" in done.output


def test_nothing_is_predicted_where_the_self_test_differs(
    write_bundle, chests, predicted, tmp_path
):
    bundle = write_bundle()
    record = json.loads((bundle / "bundle.json").read_text())
    record["self_test"]["images"][0]["score"] += 0.001
    (bundle / "bundle.json").write_text(json.dumps(record))

    said, rows = predicted(bundle, chests, code=1)

    assert "nothing is predicted here" in said
    assert rows == []
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_python_says(write_bundle, chests, predicted, tmp_path):
    bundle = write_bundle()

    said, rows = predicted(bundle, chests)

    expected = open_bundle(bundle).predict(sorted(chests.iterdir()))
    assert "6 files: 6 predicted" in said
    assert [row["file"] for row in rows] == expected["file"].tolist()
    assert [float(row["score"]) for row in rows] == expected["score"].tolist()
    page = (tmp_path / "out/index.html").read_text()
    assert page.count("<img ") == 6
    assert "not for diagnosis" in page


def test_what_holds_for_all_predictions_is_said_wherever_they_are(
    write_bundle, chests, predicted, tmp_path, caplog
):
    bundle = write_bundle(
        gate={"refused_share": 0.01, "n_patients": 98, "limit": None},
        preprocessing=open_bundle(write_bundle("b")).record["preprocessing"]
        | {"cropped_share": 0.25},
    )
    expected = (
        "98 patients are too few to refuse a share of 1 %",
        "25 % of the pictures that the model was trained and chosen on were cut",
    )

    predicted(bundle, chests)

    page = (tmp_path / "out/index.html").read_text()
    checked = CliRunner().invoke(check, [str(bundle)]).output
    for place in (caplog.text, page, checked):
        assert all(sentence in place for sentence in expected)
    assert "too few" not in CliRunner().invoke(check, [str(tmp_path / "b")]).output


def test_processes_change_nothing(write_bundle, chests, predicted, tmp_path):
    bundle = write_bundle()
    _, alone = predicted(bundle, chests)
    out = tmp_path / "shared"
    subprocess.run(
        [
            *(sys.executable, "-m", "covid_cxr", "predict", bundle, chests),
            *("-o", out, "--workers", "2"),
        ],
        check=True,
    )

    assert read_table(out / "predictions.csv") == alone


def test_300_broken_files_among_many_are_named_and_the_rest_predicted(
    write_bundle, chests, predicted
):
    png = min(chests.iterdir()).read_bytes()
    for number in range(300):
        kinds = (b"", png[: 40 + number], b"\0" * 128 + b"DICM" + png[:number])
        suffix = ".dcm" if number % 3 == 2 else ".png"
        (chests / f"broken_{number:03d}{suffix}").write_bytes(kinds[number % 3])

    _, rows = predicted(write_bundle(), chests, code=3)

    broken = [row for row in rows if row["file"].startswith("broken")]
    assert len(broken) == 300
    assert all(row["status"] == "refused" and row["reason"] for row in broken)
    assert sum(row["status"] == "predicted" for row in rows) == 6


def test_members_of_a_zip_are_predicted_and_none_is_unpacked(
    write_bundle, chests, predicted, tmp_path
):
    place = tmp_path / "sent.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.write(min(chests.iterdir()), "a/chest.png")
        archive.write(min(chests.iterdir()), "../../evil.png")
        archive.writestr("notes.txt", "no picture")

    _, rows = predicted(write_bundle(), place, code=3)

    told = {row["file"]: (row["status"], row["reason"]) for row in rows}
    assert told["sent.zip/a/chest.png"][0] == "predicted"
    assert told["sent.zip/../../evil.png"][0] == "refused"
    assert "leads out of the archive" in told["sent.zip/../../evil.png"][1]
    assert len(told) == 2
    assert not list(tmp_path.rglob("evil.png"))


def test_a_damaged_member_of_a_zip_is_refused_and_the_rest_predicted(
    write_bundle, chests, predicted, tmp_path
):
    place = tmp_path / "sent.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.write(min(chests.iterdir()), "whole.png")
        archive.write(min(chests.iterdir()), "damaged.png", zipfile.ZIP_DEFLATED)
        start = archive.getinfo("damaged.png").header_offset + 30 + len("damaged.png")
    content = bytearray(place.read_bytes())
    content[start : start + 8] = b"\xff" * 8
    place.write_bytes(content)

    _, rows = predicted(write_bundle(), place, code=3)

    told = {row["file"]: (row["status"], row["reason"]) for row in rows}
    assert told["sent.zip/whole.png"][0] == "predicted"
    assert told["sent.zip/damaged.png"][0] == "refused"
    assert told["sent.zip/damaged.png"][1].startswith("not taken from the archive")


def test_a_dicomdir_names_its_files(write_bundle, predicted, drawn_chest, tmp_path):
    pixels = drawn_chest(1)
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = SecondaryCaptureImageStorage
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2", "1.2.3"
    image.PatientID, image.PatientName, image.StudyID = "p", "p", "s"
    image.StudyDate, image.StudyTime, image.AccessionNumber = "20200101", "120000", "1"
    image.Modality, image.SeriesNumber, image.InstanceNumber = "CR", 1, 1
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.PixelData = pixels.tobytes()
    files = FileSet()
    files.add(image)
    files.write(tmp_path / "disc")
    files._stage["t"].cleanup()  # pydicom leaves its folder to the garbage collector

    _, rows = predicted(write_bundle(), tmp_path / "disc")

    assert [row["status"] for row in rows] == ["predicted"]
    assert "." not in rows[0]["file"]  # as on the disc, without an ending


def test_what_was_interrupted_goes_on_after_the_last_whole_line(
    write_bundle, chests, predicted, tmp_path
):
    bundle = write_bundle()
    _, whole = predicted(bundle, chests)
    rows = tmp_path / "out/rows.jsonl"
    kept = rows.read_text().splitlines(keepends=True)
    marked = [json.dumps(json.loads(line) | {"steps": "kept"}) for line in kept[:2]]
    rows.write_text("\n".join(marked) + "\n" + kept[2][:20])
    (tmp_path / "out/predictions.csv").unlink()

    _, again = predicted(bundle, chests)

    assert [row["steps"] == "kept" for row in again] == [True, True, *[False] * 4]
    assert again[2:] == whole[2:]


@pytest.mark.parametrize("n_done", [1, 5, 8, 11])
def test_what_goes_on_ends_in_the_same_bits(
    write_bundle, chests, predicted, drawn_chest, tmp_path, n_done
):
    for seed in range(6, 14):
        cv2.imwrite(str(chests / f"chest_{seed}.png"), drawn_chest(seed))
    bundle = write_bundle(share_of_batch=0.01)  # as real ones do in their last bits
    predicted(bundle, chests)
    results = ("rows.jsonl", "predictions.csv", "index.html")
    whole = {name: (tmp_path / "out" / name).read_bytes() for name in results}
    kept = whole["rows.jsonl"].splitlines(keepends=True)[:n_done]
    (tmp_path / "out/rows.jsonl").write_bytes(b"".join(kept))

    predicted(bundle, chests)

    for name in results:
        assert (tmp_path / "out" / name).read_bytes() == whole[name]


def test_other_files_or_another_bundle_do_not_go_on(write_bundle, chests, predicted):
    predicted(write_bundle(), chests)
    said, _ = predicted(write_bundle("b", name="other_bundle"), chests, code=1)
    assert "another run" in said
    first = min(chests.iterdir())
    first.rename(first.with_name("renamed.png"))
    said, _ = predicted(write_bundle("c"), chests, code=1)
    assert "predictions of other files" in said


def test_files_that_are_only_called_alike_do_not_go_on(
    write_bundle, chests, predicted, drawn_chest, tmp_path
):
    bundle = write_bundle()
    predicted(bundle, chests)
    again = (tmp_path / "out/predictions.csv").read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    for number, file in enumerate(sorted(chests.iterdir())):
        cv2.imwrite(str(other / file.name), drawn_chest(50 + number))

    said, _ = predicted(bundle, other, code=1)

    assert "another run" in said
    predicted(bundle, chests)
    assert (tmp_path / "out/predictions.csv").read_bytes() == again


def test_a_bundle_that_was_made_anew_does_not_go_on(write_bundle, chests, predicted):
    predicted(write_bundle(), chests)  # of the same weights, hence name

    said, _ = predicted(write_bundle("b", calibration=None), chests, code=1)

    assert "another run" in said


def test_a_fault_before_the_first_file_does_not_take_the_folder(
    write_bundle, chests, predicted, tmp_path
):
    bundle = write_bundle()
    said, _ = predicted(bundle, chests, code=1, options=["--prevalence=10"])
    assert "between 0 and 1" in said
    (tmp_path / "out/run.json.part").mkdir(parents=True)  # cannot be written
    predicted(bundle, chests, code=1)
    assert not (tmp_path / "out/run.json").exists()
    (tmp_path / "out/run.json.part").rmdir()

    _, rows = predicted(bundle, chests, options=["--prevalence=0.1"])

    assert [row["prevalence"] for row in rows] == ["0.1"] * 6


def test_a_full_disk_keeps_what_is_done_and_the_command_goes_on(
    write_bundle, chests, predicted, tmp_path
):
    bundle, out = write_bundle(), tmp_path / "out"
    for number in range(60):
        name = chests / f"copy_{number}.png"
        cv2.imwrite(str(name), cv2.imread(str(min(chests.iterdir()))))

    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))

    full = subprocess.run(
        [
            *(sys.executable, "-m", "covid_cxr", "predict", bundle, chests),
            *("-o", out, "--workers", "1"),
        ],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit_files,
    )

    assert full.returncode == 1
    assert "disk is full" in full.stderr
    assert not (out / "predictions.csv").exists()
    n_done = (out / "rows.jsonl").read_bytes().count(b"\n")
    assert 0 < n_done < 66
    _, rows = predicted(bundle, chests)
    assert len(rows) == 66


def test_dicom_files_that_are_called_by_their_uids_are_found_in_a_zip(
    write_bundle, predicted, tmp_path
):
    begins = b"\0" * 128 + b"DICM"
    place = tmp_path / "sent.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("a/1.2.840.10008", begins)
        archive.writestr("a/prices.xlsx", "no picture")

    _, rows = predicted(write_bundle(), place, code=3)

    assert [row["file"] for row in rows] == ["sent.zip/a/1.2.840.10008"]


def test_a_folder_is_read_as_a_study_reads_it(
    write_bundle, chests, predicted, tmp_path
):
    cohort = tmp_path / "cohort"
    for folder in ("masks", "disc"):
        (cohort / folder).mkdir(parents=True)
        shutil.copy(min(chests.iterdir()), cohort / folder / "a.png")
    (cohort / "disc/DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    (cohort / "linked").symlink_to(chests)

    _, rows = predicted(write_bundle(), cohort)

    linked = [f"linked/chest_{number}.png" for number in range(6)]
    assert [row["file"] for row in rows] == ["disc/a.png", *linked]


def test_files_that_are_passed_over_are_counted(
    write_bundle, chests, predicted, caplog, tmp_path
):
    for name in ("film.tif", "more.TIF", "notes.txt", "unknown", ".hidden.tif"):
        (chests / name).write_bytes(b"no DICOM")
    place = tmp_path / "sent.zip"
    with zipfile.ZipFile(place, "w") as archive:
        archive.write(min(chests.glob("*.png")), "chest.png")
        archive.writestr("film.bmp", "no DICOM")

    _, rows = predicted(write_bundle(), chests, place)

    assert len(rows) == 7
    said = [record.getMessage() for record in caplog.records]
    assert (
        f"{chests}: 4 files passed over (2 .tif, 1 .txt, 1 without an ending)" in said
    )
    assert f"{place}: 1 files passed over (1 .bmp)" in said


def test_a_disc_says_what_its_dicomdir_does_not_list(tmp_path, caplog):
    (tmp_path / "DICOMDIR").write_bytes(b"")
    record = Dataset()
    record.ReferencedFileID = ["IMAGES", "1"]
    listing = Dataset()
    listing.DirectoryRecordSequence = [record]
    listing.save_as(
        tmp_path / "DICOMDIR", implicit_vr=False, little_endian=True, overwrite=True
    )
    (tmp_path / "IMAGES").mkdir()
    for name in ("1", "2"):
        (tmp_path / "IMAGES" / name).write_bytes(b"")

    assert [one.name for one in list_inputs([tmp_path])] == ["IMAGES/1"]
    assert "1 files passed over (1 without an ending)" in caplog.text


def test_a_name_that_is_no_utf8_is_in_the_table(
    write_bundle, chests, predicted, tmp_path
):
    named = b"Th\xf6rax.png"  # as ISO 8859-1 has it
    min(chests.iterdir()).rename(os.fsdecode(os.fsencode(chests) + b"/" + named))

    done = CliRunner().invoke(
        predict, [*map(str, (write_bundle(), chests)), "-o", str(tmp_path / "out")]
    )

    assert done.exit_code == 0
    table = (tmp_path / "out/predictions.csv").read_bytes()
    assert b"\n" + named + b",predicted" in table
    assert "Th?rax.png" in (tmp_path / "out/index.html").read_text("utf-8")


def test_results_in_a_folder_that_is_read_are_a_fault(write_bundle, chests):
    for out in (chests, chests / "out"):
        done = CliRunner().invoke(
            predict,
            [*map(str, (write_bundle(f"of_{out.name}"), chests)), "-o", str(out)],
        )

        assert done.exit_code == 1
        assert "would be read as radiographs" in done.output
    assert len(list(chests.iterdir())) == 6


def test_two_files_of_one_name_are_a_fault(write_bundle, chests, predicted, tmp_path):
    (tmp_path / "more").mkdir()
    again = shutil.copy(min(chests.iterdir()), tmp_path / "more")

    said, rows = predicted(write_bundle(), chests, again, code=1)

    assert "2 of the files would be chest_0.png in the table" in said
    assert rows == []


def test_places_without_a_radiograph_are_a_fault(write_bundle, predicted, tmp_path):
    said, _ = predicted(write_bundle(), tmp_path / "nowhere", code=1)
    assert "no file or folder" in said
    (tmp_path / "empty").mkdir()
    said, _ = predicted(write_bundle("b"), tmp_path / "empty", code=1)
    assert "no radiographs" in said


def test_crops_are_cut_out_as_a_study_does(
    write_bundle, chests, predicted, curated, tmp_path, score_of
):
    table = tmp_path / "crops.csv"
    # As Excel writes it elsewhere; the second is named as by a study, without suffix.
    table.write_text("image;x0;y0;x1;y1\nchest_1.png;0;1,0;63;64\nchest_3;2;0;62;63\n")
    bundle = write_bundle()

    _, rows = predicted(bundle, chests, options=["--crops", str(table)])

    boxes = {"chest_1.png": (0, 1, 63, 64), "chest_3.png": (2, 0, 62, 63)}
    for row in rows:
        pixels = curated(chests / row["file"], box=boxes.get(row["file"]))[0]
        assert float(row["score"]) == pytest.approx(score_of(pixels), abs=1e-6)
        assert ("cropped to" in row["steps"]) == (row["file"] in boxes)
    other = tmp_path / "other.csv"
    other.write_text("image,x0,y0,x1,y1\nchest_1.png,4,2,60,61\n")
    said, _ = predicted(bundle, chests, code=1, options=["--crops", str(other)])
    assert "another run" in said


def test_crops_of_other_files_are_said_and_those_of_none_a_fault(
    write_bundle, chests, predicted, tmp_path, caplog
):
    table = tmp_path / "crops.csv"
    table.write_text("image,x0,y0,x1,y1\nelsewhere.png,0,0,9,9\n")
    said, _ = predicted(write_bundle(), chests, code=1, options=["--crops", str(table)])
    assert "None of the 1 boxes" in said
    with table.open("a") as more:
        more.write("chest_1.png,0,1,63,64\n")

    predicted(write_bundle("b"), chests, options=["--crops", str(table)])

    assert "1 of 2 boxes are of no file" in caplog.text
    assert "elsewhere.png (line 2 of crops.csv)" in caplog.text


def test_what_the_validation_part_cannot_say_is_said(write_bundle, tmp_path):
    record = open_bundle(write_bundle()).record
    few = {"n_cases": 8, "n_controls": 30, "least_case_score": 0.0}
    sets = record["prediction_sets"] | few

    bundle = write_bundle("b", prediction_sets=sets, calibration=None)
    said = CliRunner().invoke(check, [str(bundle)]).output

    assert "8 patients with the finding and 30 without are too few" in said
    assert "Scores are no probabilities" in said
    before = CliRunner().invoke(check, [str(tmp_path / "bundle")]).output
    assert "too few" not in before
    assert "no probabilities" not in before


def test_broken_files_among_many_are_refused_and_the_others_scored(
    write_bundle, predicted, drawn_chest, tmp_path
):
    folder = tmp_path / "many"
    folder.mkdir()
    whole = [cv2.imencode(".png", drawn_chest(seed))[1].tobytes() for seed in range(3)]
    for number in range(300):
        content = whole[number % 3]
        if number % 10 == 4:  # in turn: cut off, empty, no picture
            content = (content[: len(content) // 2], b"", b"no picture")[number % 3]
        (folder / f"{number:03d}.png").write_bytes(content)

    said, rows = predicted(write_bundle(), folder, code=3)

    assert "300 files: 270 predicted, 30 refused" in said
    assert [row["file"] for row in rows] == [f"{k:03d}.png" for k in range(300)]
    for number, row in enumerate(rows):
        assert (row["status"] == "refused") == (number % 10 == 4)
        assert bool(row["score"]) != bool(row["reason"])
    assert len({row["score"] for row in rows} - {""}) == 3
