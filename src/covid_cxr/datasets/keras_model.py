"""Keras models as `.keras` files, without importing Keras before it is needed."""

import json
import zipfile
from pathlib import Path
from typing import Any

from kedro_datasets._typing import JSONPreview

from covid_cxr.datasets.local import LocalDataset


class KerasModelDataset(LocalDataset[Any, Any]):
    """A Keras 3 model in one `.keras` file on a local or shared disk.

    Loaded without its optimizer, and never with code stored in the file (safe mode);
    saved so that the file appears only when it is whole, and so that the same model is
    the same file, whichever process saved it and when.

    Example:
        ```yaml
        phase1_classifier:
          type: covid_cxr.datasets.keras_model.KerasModelDataset
          filepath: data/06_models/phase1_classifier.keras
        ```
    """

    def __init__(
        self, *, filepath: str, metadata: dict[str, Any] | None = None
    ) -> None:
        """Name the file.

        Args:
            filepath: Ends in `.keras`.
            metadata: For kedro-viz.

        Raises:
            ValueError: If the file is of another kind.
        """
        if not filepath.endswith(".keras"):
            raise ValueError(
                f"A Keras model is kept in a .keras file, got {filepath!r}; name it "
                f"so (older formats are not whole models or run code when loaded)."
            )
        super().__init__(filepath=filepath, metadata=metadata)

    def load(self) -> Any:
        """Return the model, not compiled.

        Raises:
            FileNotFoundError: If there is no such file.
        """
        if not self._exists():
            raise FileNotFoundError(
                f"There is no Keras model at {self._filepath}; run the pipeline that "
                f"trains it."
            )
        import keras

        return keras.saving.load_model(self._filepath, compile=False, safe_mode=True)

    def save(self, data: Any) -> None:
        """Save the model `data`; a file of the same name is replaced at the end."""
        self._filepath.parent.mkdir(parents=True, exist_ok=True)
        part = self._filepath.with_suffix(".part.keras")
        try:
            data.save(part)
            _forget_the_process(part)
            part.replace(self._filepath)
        finally:
            part.unlink(missing_ok=True)

    def preview(self) -> JSONPreview:
        """Return what the file says of itself: its layers and Keras version."""
        with zipfile.ZipFile(self._filepath) as archive:
            made = json.loads(archive.read("metadata.json"))
            model = json.loads(archive.read("config.json"))
        config = model["config"]
        shown = {
            "class": model["class_name"],
            "name": config.get("name"),
            "layers": len(config.get("layers", [])),
            "keras_version": made.get("keras_version"),
        }
        return JSONPreview(json.dumps(shown))


def _forget_the_process(path: Path) -> None:
    """Take out of a `.keras` file what depends on the process that saved it.

    Objects that layers share are numbered by their addresses in memory: they get the
    numbers 0, 1, … in the order in which they appear. Dates are left out.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    made = json.loads(members["metadata.json"])
    made.pop("date_saved", None)
    members["metadata.json"] = json.dumps(made).encode()
    config = json.loads(members["config.json"])
    _renumber_shared(config, {})
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)  # dated 1980


def _renumber_shared(config: Any, numbers: dict[int, int]) -> None:
    if isinstance(config, dict):
        if (address := config.get("shared_object_id")) is not None:
            config["shared_object_id"] = numbers.setdefault(address, len(numbers))
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            _renumber_shared(part, numbers)
