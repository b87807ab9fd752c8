"""What every source of the table of adapters keeps to."""

import inspect
from pathlib import Path

import pytest

from covid_cxr.sources.adapters import SOURCES, inputs_of

DATA = (Path(__file__).parents[2] / "docs" / "data.md").read_text()


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("function", ["list_radiographs", "list_unmatched"])
def test_arguments_of_an_adapter_are_datasets_that_there_are(name, function):
    source = SOURCES[name]
    adapter = getattr(source, function)

    inputs = inputs_of(adapter, "mine", name)

    assert set(inputs) == set(inspect.signature(adapter).parameters)
    assert {f"mine_{table}" for table in source.tables if table in inputs} <= set(
        inputs.values()
    )


@pytest.mark.parametrize("name", SOURCES)
def test_every_raw_table_is_read(name):
    source = SOURCES[name]
    functions = (source.list_radiographs, source.list_unmatched)
    read = {one for each in functions for one in inspect.signature(each).parameters}

    assert set(source.tables) <= read


@pytest.mark.parametrize("name", SOURCES)
def test_the_defaults_are_choices_that_the_adapter_takes(name):
    source = SOURCES[name]
    parameters = inspect.signature(source.list_radiographs).parameters
    if "ingestion" not in parameters:
        assert set(source.ingestion) == {"max_unmatched_share"}
        return
    choices = parameters["ingestion"].annotation

    assert choices(**source.ingestion).max_unmatched_share == 0.25


@pytest.mark.parametrize("name", SOURCES)
def test_an_adapter_says_that_it_returns_boxes(name):
    source = SOURCES[name]
    returned = inspect.signature(source.list_radiographs).return_annotation

    assert len(returned.__args__) == (3 if source.has_boxes else 2)


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_described_in_the_page_on_data(name):
    assert f"`{name}`" in DATA


@pytest.mark.parametrize(
    "name",
    ["nlm_tuberculosis", "siim_pneumothorax", "tbx11k", "midrc", "idc", "covidx"],
)
def test_the_page_gives_licence_and_citation_of_a_published_source(name):
    title = next(line for line in DATA.split("\n## ") if f"(source `{name}`" in line)

    assert "cite" in title.lower()
    assert any(word in title for word in ("Licence", "licence"))
