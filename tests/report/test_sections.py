"""Which sections a report has, and that a further one is an entry and a template."""

from dataclasses import dataclass

import pandas as pd
import pytest
from jinja2 import ChoiceLoader, DictLoader

from covid_cxr.pipeline_registry import register_pipelines
from covid_cxr.report import html, sections
from covid_cxr.report.html import make_environment, write_report
from covid_cxr.report.sections import SECTIONS, Section, sections_of, take_record

TABLE = pd.DataFrame({"age": [40]})


@dataclass(frozen=True, kw_only=True)
class Ages:
    """A record that needs one of its two tables."""

    age_results: pd.DataFrame
    band_results: pd.DataFrame | None = None


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.name)
def test_every_section_has_a_template_of_its_name(section):
    environment = make_environment()

    source, *_ = environment.loader.get_source(
        environment, f"{section.name}.html.jinja"
    )

    assert "{% macro section() %}" in source


def test_every_dataset_that_a_section_shows_is_made_by_a_pipeline():
    pipelines = register_pipelines()
    made = set().union(*(pipeline.all_outputs() for pipeline in pipelines.values()))

    shown = {name for one in SECTIONS for name in one.shows(["path_a", "path_f"])}

    assert shown - made == set()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, []),
        ({"gallery": [], "trainings": None}, []),
        ({"gallery": [{}]}, ["gallery"]),
        ({"table2": TABLE, "path_b_site_results": TABLE}, ["phase2", "sites"]),
        ({"path_c_site_results": TABLE}, []),
    ],
)
def test_a_section_is_there_if_the_run_has_anything_of_it(found, expected):
    assert [one.name for one in sections_of(found, ["path_b"])] == expected


@pytest.mark.parametrize(
    ("table", "expected"), [(None, []), (TABLE.head(0), []), (TABLE, ["reference"])]
)
def test_a_section_of_rows_is_not_there_without_them(table, expected):
    found = {"reference_results": table, "tipping_figure": b"png"}

    assert [one.name for one in sections_of(found, ["path_b"])] == expected


def test_a_record_is_there_with_what_it_needs():
    assert take_record(Ages, {"band_results": TABLE}) is None
    alone = take_record(Ages, {"age_results": TABLE, "band_results": None})
    assert alone.age_results is TABLE
    assert alone.band_results is None


def test_a_path_alone_has_nothing_of_the_whole_study():
    audit = next(one for one in SECTIONS if one.name == "audit")

    whole, alone = (audit.shows(["path_a"], is_study=s) for s in (True, False))

    assert set(whole) - set(alone) == {
        *("leakage", "associations", "metadata_auroc", "source_labels"),
    }


def test_a_section_of_ones_own_is_an_entry_and_a_template(contents, monkeypatch):
    own = Section(name="ages", title="Ages", records={"ages": Ages})
    text = "{% macro section() %}<h2 id='ages'>{{ ages.age_results.age[0] }}</h2>"
    plain = make_environment

    def with_template():
        environment = plain()
        added = DictLoader({"ages.html.jinja": text + "{% endmacro %}"})
        environment.loader = ChoiceLoader([added, environment.loader])
        return environment

    monkeypatch.setattr(html, "make_environment", with_template)
    for module in (html, sections):
        monkeypatch.setattr(module, "SECTIONS", (*SECTIONS, own))

    with_it = write_report(**contents, age_results=TABLE)
    without = write_report(**contents)

    assert '<a href="#ages">Ages</a>' in with_it
    assert "<h2 id='ages'>40</h2>" in with_it
    assert "ages" not in without.split("</nav>")[0].split("<nav")[1]
