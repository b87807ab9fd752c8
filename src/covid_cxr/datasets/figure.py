"""A matplotlib figure as a PNG file that later nodes can read back."""

from kedro_datasets.matplotlib import MatplotlibDataset


class FigureDataset(MatplotlibDataset):  # type: ignore[misc]  # has no types
    """`MatplotlibDataset` whose PNG file can be loaded, for the report to embed.

    Saves a `matplotlib.figure.Figure`; loads the bytes of the PNG file.
    """

    def load(self) -> bytes:
        """Return the content of the PNG file."""
        with self._fs.open(str(self._get_load_path()), mode="rb") as file:
            return bytes(file.read())
