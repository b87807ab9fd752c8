import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError

from covid_cxr.datasets.keras_model import KerasModelDataset


@pytest.fixture
def dataset(tmp_path):
    return KerasModelDataset(filepath=str(tmp_path / "models" / "tiny.keras"))


@pytest.fixture(scope="module")
def model():
    import keras  # noqa: PLC0415

    return keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)], name="tiny"
    )


def test_a_model_comes_back_with_its_weights(dataset, model):
    dataset.save(model)

    for loaded, saved in zip(dataset.load().weights, model.weights, strict=True):
        np.testing.assert_array_equal(loaded.numpy(), saved.numpy())


def test_a_save_that_breaks_off_leaves_the_old_model_and_nothing_else(
    dataset, model, tmp_path
):
    class Breaking:
        def save(self, path):
            path.write_bytes(b"half")
            raise OSError("disk full")

    dataset.save(model)
    before = (tmp_path / "models" / "tiny.keras").read_bytes()

    with pytest.raises(DatasetError, match="disk full"):
        dataset.save(Breaking())

    assert (tmp_path / "models" / "tiny.keras").read_bytes() == before
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_the_same_model_is_the_same_file_wherever_its_objects_lie(tmp_path):
    import keras  # noqa: PLC0415

    def build():
        shared = keras.initializers.HeNormal(seed=1)  # numbered by its address
        layers = [keras.layers.Dense(2, kernel_initializer=shared) for _ in range(2)]
        policy = keras.DTypePolicy("float32")
        last = keras.layers.Dense(
            1, dtype=policy, name="last", kernel_initializer="ones"
        )
        for number, layer in enumerate(layers):
            layer.name = f"layer_{number}"
        return keras.Sequential([keras.Input((2,), name="in"), *layers, last], name="m")

    models = [build(), build()]  # both alive, so that no address is used twice
    files = [tmp_path / "first.keras", tmp_path / "second.keras"]
    for model, file in zip(models, files, strict=True):
        KerasModelDataset(filepath=str(file)).save(model)
        loaded = KerasModelDataset(filepath=str(file)).load()
        for weight, expected in zip(loaded.weights, model.weights, strict=True):
            np.testing.assert_array_equal(weight.numpy(), expected.numpy())

    assert files[0].read_bytes() == files[1].read_bytes()


def test_code_stored_in_a_model_is_not_run(dataset, tmp_path):
    import keras  # noqa: PLC0415

    unsafe = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    dataset.save(unsafe)

    with pytest.raises(DatasetError, match="safe_mode"):
        dataset.load()


def test_the_preview_needs_no_keras(dataset, model):
    dataset.save(model)

    shown = json.loads(dataset.preview())

    assert shown["layers"] == 3
    assert shown["name"] == "tiny"
    assert shown["keras_version"].startswith("3.")


@pytest.mark.parametrize("name", ["model.h5", "model.weights.h5", "model"])
def test_other_formats_are_refused(name):
    with pytest.raises(ValueError, match=r"\.keras file"):
        KerasModelDataset(filepath=name)


def test_a_missing_model_is_named(dataset):
    with pytest.raises(DatasetError, match="run the pipeline that trains it"):
        dataset.load()


def test_the_datasets_are_made_without_tensorflow():
    code = (
        "import sys\n"
        "from covid_cxr.datasets import image_store, keras_model, optional\n"
        "from covid_cxr.datasets import radiograph_folder\n"
        "keras_model.KerasModelDataset(filepath='a.keras').exists()\n"
        "print(sorted({'keras', 'tensorflow', 'tensorstore'} & set(sys.modules)))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2] / "src",
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.strip() == "[]"
