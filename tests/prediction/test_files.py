"""A bundle that is not as it was written is not opened."""

import json
import shutil
import zipfile

import numpy as np
import pytest

from covid_cxr.prediction import InvalidBundleError, open_bundle
from covid_cxr.prediction.files import RECORD


def zipped(folder, *, prefix="bundle/"):
    place = folder.with_suffix(".zip")
    with zipfile.ZipFile(place, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{prefix}{path.relative_to(folder)}")
    return place


def change_record(folder, **changes):
    file = folder / RECORD
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


@pytest.mark.parametrize("prefix", ["bundle/", ""])
def test_a_zip_is_the_same_bundle(write_bundle, chests, prefix):
    folder = write_bundle()
    files = sorted(chests.iterdir())

    table = open_bundle(zipped(folder, prefix=prefix)).predict(files)

    assert table.equals(open_bundle(folder).predict(files))


@pytest.mark.parametrize(
    "name", ["path_t/model.onnx", "seen.safetensors", "selftest/chest.png"]
)
def test_a_changed_byte_is_named(write_bundle, name):
    folder = write_bundle()
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)

    with pytest.raises(InvalidBundleError, match=f"has changed.*{name}"):
        open_bundle(folder)


def test_a_lost_or_an_added_file_is_named(write_bundle):
    folder = write_bundle()
    (folder / "strange.txt").write_text("x")
    with pytest.raises(InvalidBundleError, match=r"does not list: strange\.txt"):
        open_bundle(folder)
    (folder / "path_t/model.onnx").unlink()
    with pytest.raises(InvalidBundleError, match=r"lacks path_t/model\.onnx"):
        open_bundle(folder)


def test_a_later_version_says_what_to_install(write_bundle):
    later = write_bundle(schema_version=3, software={"covid_cxr": "9.1"})

    with pytest.raises(InvalidBundleError, match=r"version 3.*wrote it \(9\.1\)"):
        open_bundle(later)


def test_an_earlier_version_is_not_read_as_if_it_were_this_one(write_bundle):
    earlier = write_bundle(schema_version=1, software={"covid_cxr": "0.1.0"})

    with pytest.raises(InvalidBundleError, match=r"version 1, .* reads 2.*0\.1\.0"):
        open_bundle(earlier)


def test_a_record_that_names_a_network_which_it_does_not_list_is_refused(write_bundle):
    folder = write_bundle()
    record = json.loads((folder / RECORD).read_text())
    further = record["origin"]["members"][0] | {"path": "path_u"}
    members = [*record["origin"]["members"], further]
    change_record(
        folder,
        origin=record["origin"] | {"members": members, "rule": "mean_rank"},
    )

    with pytest.raises(
        InvalidBundleError, match=r"lists no path_u/model\.keras.*ranks\.safetensors"
    ):
        open_bundle(folder)


def test_a_later_version_may_tell_of_its_software_in_another_way(write_bundle):
    later = write_bundle(schema_version=3, software=[])

    with pytest.raises(InvalidBundleError, match="which it does not say"):
        open_bundle(later)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prevalence": 1.5}, "prevalence"),
        ({"operating_points": []}, "operating_points"),
        ({"further": 1}, "further"),
        ({"gate": {"limit": 1.0}}, "gate"),
        ({"schema_version": "2"}, "schema_version"),
    ],
)
def test_another_schema_is_refused_with_its_place(write_bundle, changes, said):
    folder = write_bundle()
    change_record(folder, **changes)

    with pytest.raises(InvalidBundleError, match=said):
        open_bundle(folder)


def test_another_rendering_is_refused(write_bundle):
    folder = write_bundle()
    record = json.loads((folder / RECORD).read_text())
    change_record(
        folder, preprocessing=record["preprocessing"] | {"rendering_version": 3}
    )

    with pytest.raises(InvalidBundleError, match="rendering version 3"):
        open_bundle(folder)


@pytest.mark.parametrize(
    "name", ["../evil", "/evil", "a/../../evil", "C:/evil", "a\\b"]
)
def test_a_name_that_leads_out_of_the_zip_is_refused(write_bundle, tmp_path, name):
    place = zipped(write_bundle())
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr(name, "x")

    with pytest.raises(InvalidBundleError, match="leads out"):
        open_bundle(place)

    assert not (tmp_path / "evil").exists()


def test_a_zip_that_breaks_off_is_refused(write_bundle):
    place = zipped(write_bundle())
    place.write_bytes(place.read_bytes()[:-100])

    with pytest.raises(InvalidBundleError, match="cannot be read as a zip"):
        open_bundle(place)


def test_a_zip_with_a_damaged_member_is_refused(write_bundle, tmp_path):
    place = tmp_path / "packed.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(write_bundle() / RECORD, RECORD)
    content = bytearray(place.read_bytes())
    content[30 + len(RECORD) : 38 + len(RECORD)] = b"\xff" * 8
    place.write_bytes(content)

    with pytest.raises(InvalidBundleError, match="cannot be read as a zip"):
        open_bundle(place)


def test_what_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no bundle at"):
        open_bundle(tmp_path / "nothing")
    with pytest.raises(InvalidBundleError, match=r"has no bundle\.json"):
        open_bundle(tmp_path)


def test_a_self_test_with_another_score_is_refused(write_bundle):
    folder = write_bundle()
    assert open_bundle(folder).check() < 1e-6

    record = json.loads((folder / RECORD).read_text())
    record["self_test"]["images"][0]["score"] += 0.001
    (folder / RECORD).write_text(json.dumps(record))

    with pytest.raises(InvalidBundleError, match=r"differ by 0\.001"):
        open_bundle(folder).check()


def no_numbers(images):
    return np.full(len(images), np.nan), np.full((*images.shape[:3], 1), np.nan)


def test_a_network_that_gives_no_numbers_is_refused(write_bundle, chests):
    bundle = open_bundle(write_bundle(), networks={"path_t": no_numbers})

    with pytest.raises(InvalidBundleError, match="differ by nan"):
        bundle.check()
    row = bundle.predict([min(chests.iterdir())]).iloc[0]
    assert (row["status"], row["reason"][:11]) == ("refused", "the network")
    assert row[["score", "youden"]].isna().all()


def test_a_picture_of_which_nobody_knows_how_far_it_is_is_refused(write_bundle, chests):
    def no_features(images):
        return np.zeros(len(images)), no_numbers(images)[1]

    bundle = open_bundle(write_bundle(), networks={"path_t": no_features})

    row = bundle.predict([min(chests.iterdir())]).iloc[0]
    assert (row["status"], row["reason"][:11]) == ("refused", "the network")
    assert row[["score", "youden"]].isna().all()


def test_a_self_test_with_other_pixels_is_refused(write_bundle):
    folder = write_bundle()
    record = json.loads((folder / RECORD).read_text())
    record["self_test"]["images"][0]["pixels_sha256"] = "0" * 64
    (folder / RECORD).write_text(json.dumps(record))

    with pytest.raises(InvalidBundleError, match="does not become the pixels"):
        open_bundle(folder).check()


def test_a_folder_beside_the_bundle_does_not_matter(write_bundle, tmp_path):
    shutil.copytree(write_bundle(), tmp_path / "other" / "place")

    assert open_bundle(tmp_path / "other" / "place").check() < 1e-6
