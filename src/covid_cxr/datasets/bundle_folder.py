"""Bundles: a folder and a zip of each, which appear when they are whole."""

import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from covid_cxr.datasets.local import LocalDataset
from covid_cxr.prediction.files import RECORD


@dataclass(frozen=True, kw_only=True, eq=False)
class BundleFiles:
    """All files of a bundle.

    Attributes:
        name: Of its folder.
        content: By the file's name in it.
    """

    name: str
    content: Mapping[str, bytes]


class BundleFolderDataset(LocalDataset[BundleFiles, list[Path]]):
    """A folder of bundles, each beside its zip.

    Example:
        ```yaml
        bundle:
          type: covid_cxr.datasets.bundle_folder.BundleFolderDataset
          filepath: data/06_models/bundles
        ```
    """

    def load(self) -> list[Path]:
        """Return the folders of the bundles that there are, or the one that it is."""
        if self._filepath.is_file() or (self._filepath / RECORD).is_file():
            return [self._filepath]
        whole = self._filepath.glob("[!.]*")  # a killed run may leave a hidden part
        return sorted(path for path in whole if path.is_dir())

    def save(self, data: BundleFiles) -> None:
        """Write folder and zip; those of the same name are replaced at the end."""
        self._filepath.mkdir(parents=True, exist_ok=True)
        part, zipped = (
            self._filepath / f".{data.name}{end}" for end in (".part", ".zip")
        )
        shutil.rmtree(part, ignore_errors=True)
        try:
            with zipfile.ZipFile(zipped, "w") as archive:
                for name, content in sorted(data.content.items()):
                    place = part / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content)
                    # Dated 1980: the same bundle is the same file.
                    archive.writestr(zipfile.ZipInfo(f"{data.name}/{name}"), content)
            shutil.rmtree(self._filepath / data.name, ignore_errors=True)
            part.replace(self._filepath / data.name)
            zipped.replace(self._filepath / f"{data.name}.zip")
        finally:
            shutil.rmtree(part, ignore_errors=True)
            zipped.unlink(missing_ok=True)

    def _exists(self) -> bool:
        return bool(self.load())
