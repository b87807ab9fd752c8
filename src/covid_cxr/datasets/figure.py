"""A matplotlib figure as files: PNG for screens, PDF and SVG for print."""

from typing import Any

from kedro_datasets.matplotlib import MatplotlibDataset

# Without the date, so that the same figure is the same file.
_PRINTED: dict[str, dict[str, Any]] = {
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_PRINT_DPI = 300  # of what is no vector, such as a radiograph


class FigureDataset(MatplotlibDataset):  # type: ignore[misc]  # has no types
    """`MatplotlibDataset` that saves PDF and SVG beside the PNG file, and loads it.

    Saves a `matplotlib.figure.Figure`; loads the bytes of the PNG file, for the report
    to embed.
    """

    def save(self, data: Any) -> None:
        """Save the figure `data` as PNG, PDF and SVG of one name."""
        import matplotlib as mpl

        super().save(data)
        # Names of elements in an SVG file are random without a salt.
        with mpl.rc_context({"svg.hashsalt": "covid_cxr", "svg.fonttype": "none"}):
            for suffix, metadata in _PRINTED.items():
                path = str(self._get_save_path().with_suffix(f".{suffix}"))
                with self._fs.open(path, mode="wb") as file:
                    data.savefig(file, format=suffix, dpi=_PRINT_DPI, metadata=metadata)

    def load(self) -> bytes:
        """Return the content of the PNG file."""
        with self._fs.open(str(self._get_load_path()), mode="rb") as file:
            return bytes(file.read())
