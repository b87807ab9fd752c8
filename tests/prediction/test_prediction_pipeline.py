"""`kedro run --pipelines=prediction` does what `covid-cxr predict` does."""

import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from kedro.io import DatasetError

from covid_cxr.datasets.place import PlaceDataset
from covid_cxr.prediction.cli import predict


def results(folder):
    """Return the content of every file in a folder of predictions, by its name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_both_write_the_same_bytes(write_bundle, chests, run_kedro, tmp_path):
    bundle = write_bundle()
    (chests / "broken.png").write_bytes(b"no picture")
    crops = tmp_path / "boxes.csv"
    crops.write_text("image,x0,y0,x1,y1\nchest_1.png,4,2,60,62\n")
    done = CliRunner().invoke(
        predict,
        [
            *map(str, (bundle, chests, "--out", tmp_path / "out", "--crops", crops)),
            *("--prevalence", "0.2", "--workers", "1"),
        ],
    )
    assert done.exit_code == 3, done.output

    run_kedro(
        "prediction",
        data_root=tmp_path / "root",
        params={
            "bundle": str(bundle),
            "images": str(chests),
            "crops": str(crops),
            "prediction": {"prevalence": 0.2, "workers": 1},
        },
    )

    found = results(tmp_path / "root/08_reporting/predictions/chests")
    assert found == results(tmp_path / "out")
    assert {"predictions.csv", "index.html", "pictures/0000007.jpg"} <= set(found)


def test_the_only_bundle_of_the_study_is_taken(
    write_bundle, chests, run_kedro, tmp_path
):
    bundles = tmp_path / "root/06_models/bundles"
    shutil.copytree(write_bundle(), bundles / "one")
    stated = {"images": str(chests), "prediction": {"name": "mine", "workers": 1}}

    run_kedro("prediction", data_root=tmp_path / "root", params=stated)

    table = tmp_path / "root/08_reporting/predictions/mine/predictions.csv"
    assert table.read_text().count("predicted") == 6
    shutil.copytree(bundles / "one", bundles / "two")
    with pytest.raises(ValueError, match=r"2 bundles \(one, two\).*params=bundle="):
        run_kedro("prediction", data_root=tmp_path / "root", params=stated)


@pytest.mark.parametrize("absent", ["bundle", "images", "crops"])
def test_what_is_not_there_is_named_before_anything_is_done(
    write_bundle, chests, run_kedro, tmp_path, absent
):
    crops = tmp_path / "boxes.csv"
    crops.write_text("image,x0,y0,x1,y1\nchest_1.png,4,2,60,62\n")
    stated = {"bundle": write_bundle(), "images": chests, "crops": crops}
    stated[absent] = tmp_path / "nowhere.zip"

    with pytest.raises(FileNotFoundError, match=rf"(?s){absent}.*nowhere\.zip.*images"):
        run_kedro(
            "prediction",
            data_root=tmp_path / "root",
            params={name: str(place) for name, place in stated.items()},
        )

    assert not (tmp_path / "root").exists()


def test_the_data_root_is_not_predicted_into_itself(
    write_bundle, chests, run_kedro, tmp_path
):
    stated = {"bundle": str(write_bundle()), "images": str(tmp_path)}

    with pytest.raises(DatasetError, match="would be read as radiographs"):
        run_kedro("prediction", data_root=tmp_path / "root", params=stated)


def test_a_place_is_read_only(tmp_path):
    with pytest.raises(DatasetError, match="never written"):
        PlaceDataset(filepath=str(tmp_path)).save("anything")


def test_the_registry_lists_it_without_what_predicts(project):
    code = (
        "import sys; from covid_cxr.pipeline_registry import register_pipelines; "
        "print('prediction' in register_pipelines(), sorted({'tensorflow', "
        "'onnxruntime'} & set(sys.modules)))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )

    assert finished.stdout.splitlines()[-1] == "True []"
