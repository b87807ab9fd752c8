"""The section "Beyond the AUROC", as text and in a browser."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_parts
from covid_cxr.evaluation.aurocs import tabulate_aurocs
from covid_cxr.evaluation.calibration_tables import tabulate_calibration
from covid_cxr.evaluation.ensembles import tabulate_ensembles
from covid_cxr.evaluation.scored_part import ScoredParts
from covid_cxr.evaluation.subgroups import tabulate_subgroups
from covid_cxr.evaluation.thresholds import tabulate_operating_points
from covid_cxr.figures.note import draw_note
from covid_cxr.figures.roc_curves import draw_interactive_roc
from covid_cxr.report import wording
from covid_cxr.report.beyond_auroc import EvaluationTables
from covid_cxr.report.html import make_environment, write_report
from covid_cxr.statistics.roc import trace_roc
from covid_cxr.statistics.roc_band import roc_band


@pytest.fixture(scope="module")
def tables(validation, test_part, reporting, evaluation, tmp_path_factory):
    place = tmp_path_factory.mktemp("png") / "note.png"
    draw_note("a figure").savefig(place)
    png = place.read_bytes()
    scores = arrange_parts(ScoredParts(validation=validation, test=test_part))
    settings = {"reporting": reporting, "evaluation": evaluation}
    levels = pd.DataFrame(
        {"image_id": test_part.scores.index, "ward": np.resize(["<1>", "2"], 160)}
    )
    return EvaluationTables(
        auroc_results=tabulate_aurocs(scores, **settings),
        operating_results=tabulate_operating_points(scores, **settings),
        calibration_results=tabulate_calibration(
            validation, test_part, reporting=reporting
        ),
        ensemble_results=tabulate_ensembles(scores, reporting=reporting),
        subgroup_results=tabulate_subgroups(scores, levels, **settings),
        reliability_figure=png,
        decision_figure=png,
        forest_figure=png,
    )


@pytest.fixture(scope="module")
def section(tables):
    template = make_environment().get_template("evaluation.html.jinja")
    module = template.make_module({"wording": wording})
    return str(module.whole(tables, "95 %", 0.05, mark="[mark] "))


def rows(section, table):
    body = section.split(f'<table id="{table}">')[1].split("</table>")[0]
    found = body.split("<tbody>")[1].split("</tr>")[:-1]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in found]


def test_every_table_is_filled_and_describes_itself(section):
    sizes = {
        "aurocs": 2,
        "youden": 2,
        "operating": 2 * 2 * 2,
        "calibration-table": 2 * 3,
        "ensembles-chosen": 3,
        "ensembles-table": 3 * 2,
        "subgroups-table": 2 * 2,
    }

    for table, n_rows in sizes.items():
        found = rows(section, table)
        assert len(found) == n_rows, table
        assert all(all(row) for row in found), table
    assert section.count("<table") == section.count("<caption>") == len(sizes)
    assert section.count("[mark] ") == len(sizes) + 3


def test_the_row_of_a_classifier_holds_its_numbers(section, tables):
    row = tables.auroc_results.iloc[0]

    name, auroc, by_patient, *_, on_validation = rows(section, "aurocs")[0]

    assert (name, auroc) == ("sharp", f"{row['auroc']:.3f}")
    assert by_patient == f"{row['lower']:.3f} to {row['upper']:.3f}"
    assert on_validation == f"{row['validation_auroc']:.3f}"


def test_the_chosen_classifier_is_bold_and_the_one_that_ensembles_meet_first(section):
    table = section.split('<table id="aurocs">')[1].split("</table>")[0]

    assert '<tr class="significant"><th scope="row">sharp' in table
    assert table.count('<tr class="significant">') == 1
    assert "Ensembles against sharp" in section


def test_names_from_a_table_are_escaped(section):
    assert "Ward: &lt;1&gt;" in section


def test_cautions_and_certain_outputs_are_said_where_there_are_any(tables, section):
    assert "see below" not in section
    assert "outputs of 0 or 1<" not in section
    aurocs = tables.auroc_results.assign(caution=["", "12 patients: <few>"])
    flags = {"n_certain": 3, "n_certain_validation": 1, "is_decided_by_certain": True}
    changed = replace(
        tables,
        auroc_results=aurocs,
        calibration_results=tables.calibration_results.assign(**flags),
        ensemble_results=tables.ensemble_results.assign(n_certain=5),
    )
    template = make_environment().get_template("evaluation.html.jinja")
    told = str(template.make_module({"wording": wording}).whole(changed, "95 %", 0.05))

    assert told.count("see below") == 1
    assert "dull: 12 patients: &lt;few&gt;." in told
    assert told.count("decided by 4 outputs of 0 or 1") == 6
    assert ">5 outputs of 0 or 1" in told


@pytest.fixture(scope="module")
def page(contents, tables, test_part, open_offline, tmp_path_factory):
    """Return the report with this section and two curves with bands, on a phone."""
    curves = {
        n: trace_roc(test_part.is_case, test_part.scores[n]) for n in ("sharp", "dull")
    }
    bands = {
        name: roc_band(
            test_part.is_case,
            test_part.scores[name],
            cluster=test_part.patients,
        )
        for name in curves
    }
    colours = {"sharp": "#0072b2", "dull": "#d55e00"}
    roc = draw_interactive_roc(curves, bands=bands, first="sharp", colours=colours)
    place = tmp_path_factory.mktemp("report") / "report.html"
    document = write_report(**{**contents, **vars(tables), "figure3_interactive": roc})
    place.write_text(document, encoding="utf-8")
    page = open_offline(place, width=390, height=844)
    page.wait_for_selector("#figure3-plot .scatterlayer .trace")
    return page


def test_the_section_fits_a_phone_unfolded_too(page):
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.complaints == []


def test_a_click_on_the_legend_hides_a_curve_with_its_band(page):
    def n_fills():
        return len(page.query_selector_all("#figure3-plot .fills path.js-fill"))

    assert n_fills() == 2
    page.locator("#figure3-plot .legendtoggle").first.click()
    page.wait_for_function(
        "document.querySelectorAll('#figure3-plot .fills path.js-fill').length == 1"
    )


def test_a_button_shows_all_bands(page):
    opacities = "document.getElementById('figure3-plot').data.map(t => t.opacity ?? 1)"
    assert page.evaluate(opacities)[:2] == [0.14, 0]

    page.locator("#figure3-plot .updatemenu-button", has_text="All bands").click()

    assert page.evaluate(opacities)[:2] == [0.14, 0.14]
