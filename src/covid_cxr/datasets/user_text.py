"""A text that somebody else wrote, in whichever code it is."""

from kedro_datasets.text import TextDataset

from covid_cxr.user_text import read_user_text, unpack


class UserTextDataset(TextDataset):  # type: ignore[misc]  # has no types
    """`text.TextDataset` that tells the code by the file: UTF-8, UTF-16, Windows-1252.

    Example:
        ```yaml
        nih_test_list:
          type: covid_cxr.datasets.user_text.UserTextDataset
          filepath: data/01_raw/nih/test_list.txt
        ```
    """

    def load(self) -> str:
        """Return the text without a byte-order mark.

        Raises:
            ValueError: If the file is no text.
        """
        path = self._get_load_path()
        with self._fs.open(str(path), mode="rb") as file:
            return read_user_text(unpack(file.read(), path.name), path.name)
