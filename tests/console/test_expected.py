"""Which errors a message explains, and which need their traceback."""

import pytest
from kedro.io import AbstractDataset, DatasetError

from covid_cxr.console.expected import is_expected
from covid_cxr.data_root import refuse_unwritable
from covid_cxr.study.reading import read_study


def raised(function, *arguments):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any
        function(*arguments)
    return caught.value


def wrapped(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        raise DatasetError("Failed while loading data") from error


def test_what_this_project_refuses_is_explained_by_its_message():
    assert is_expected(raised(read_study, "paths: 3"))


def test_a_file_that_is_not_there_is_explained_wherever_it_was_opened(tmp_path):
    assert is_expected(raised((tmp_path / "nothing").read_text))


@pytest.mark.parametrize(
    ("function", "argument"),
    [
        *((int, "three"), ({}.__getitem__, "three"), (refuse_unwritable, [3])),
        (AbstractDataset._describe, None),  # is not implemented, as Kedro says
    ],
)
def test_a_fault_of_the_program_needs_its_traceback(function, argument):
    assert not is_expected(raised(function, argument))


def test_a_datasets_error_is_what_it_wraps():
    assert is_expected(raised(wrapped, read_study, "paths: 3"))
    assert not is_expected(raised(wrapped, int, "three"))
