"""Examples on disk: their table, and which image stores hold the pixels."""

import os
from dataclasses import asdict
from pathlib import Path

from covid_cxr.datasets.parquet_table import ParquetTableDataset
from covid_cxr.radiographs.normalisation import Intensity
from covid_cxr.radiographs.pooled_store import pooled, stores_of
from covid_cxr.radiographs.store import ImageStore, open_store
from covid_cxr.training.examples import Examples


class ExamplesDataset(ParquetTableDataset):
    """A table with labels, intensity and the places of the image stores.

    The stores are named by their places relative to the file, so that a data root can
    be moved, and by their fingerprints: the file changes with the pixels.

    Example:
        ```yaml
        phase1_examples:
          type: covid_cxr.datasets.examples.ExamplesDataset
          filepath: data/05_model_input/phase1_examples.parquet
        ```
    """

    def load(self) -> Examples:
        """Return the examples; their pixels are read where they are asked for.

        Raises:
            FileNotFoundError: If a store is gone.
            ValueError: If a store was written anew since.
        """
        table = super().load()
        told, table.attrs = table.attrs, {}
        return Examples(
            store=pooled([self._store(**one) for one in told["stores"]]),
            radiographs=table,
            labels=tuple(told["labels"]),
            intensity=Intensity(**told["intensity"]),
        )

    def save(self, data: Examples) -> None:
        """Save the examples `data` without their pixels."""
        folder = Path(self._get_save_path()).parent
        table = data.radiographs.copy()
        table.attrs = {
            "labels": data.labels,
            "intensity": asdict(data.intensity),
            "stores": [
                {
                    "place": Path(os.path.relpath(one.root, folder)).as_posix(),
                    "fingerprint": one.fingerprint,
                }
                for one in stores_of(data.store)
            ],
        }
        super().save(table)

    def _store(self, *, place: str, fingerprint: str) -> ImageStore:
        """Return the open store at a place relative to the file."""
        file = Path(self._get_load_path())
        store = open_store(Path(os.path.normpath(file.parent / place)))
        if store.fingerprint != fingerprint:
            raise ValueError(
                f"{file.name} is of another image store than the one that is in "
                f"{store.root} now: run the curation pipeline again."
            )
        return store
