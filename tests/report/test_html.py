"""The report as a document: what it says and what it leaves unsaid."""

import re

import numpy as np
import pandas as pd

from covid_cxr.report.html import write_report
from covid_cxr.report.run_facts import Provenance, list_provenance
from covid_cxr.report.wording import UNKNOWN
from covid_cxr.study.current import current

IMAGES = (
    *(f"figure{number}" for number in range(1, 8)),
    *("flow_figure", "auroc_intervals", "learning_curves"),
)


def test_plotly_is_in_the_file_once(document):
    assert document.count("plotly.js v") == 1


def test_text_from_tables_is_escaped(document):
    assert "not &lt;grey&gt; &amp; odd" in document


def test_the_same_contents_give_the_same_document(document, contents):
    assert write_report(**contents) == document


def test_a_prevalence_is_of_the_radiographs_of_which_the_finding_is_known(contents):
    counts = contents["part_counts"]
    partly = counts.assign(known=[0, *2 * counts["positives"][1:]])
    document = write_report(**contents | {"part_counts": partly})

    [rows] = re.findall(r'<table id="parts">.*?</table>', document, re.DOTALL)
    shown = re.findall(rf"<td>([0-9.]+ %|{UNKNOWN})</td>\n", rows)
    assert shown == [UNKNOWN, *["50.00 %"] * (len(counts) - 1)]
    assert "of which the finding is known" in rows
    assert "of which the finding is known" not in write_report(**contents)


def test_real_data_carry_no_mark(make_contents):
    document = write_report(**make_contents(is_synthetic=False))

    assert 'class="badge"' not in document
    assert "not clinical evidence" not in document


def test_an_interval_that_cannot_be_estimated_is_a_dash_with_its_reason(
    contents, make_contents
):
    table3 = contents["table3"].assign(lower=np.nan, upper=np.nan)

    document = write_report(**make_contents(table3=table3))

    assert "nan" not in document.split('id="table3"')[1].split("</table>")[0]
    assert "too small" in document


def test_other_starting_weights_than_the_papers_are_said(contents, make_contents):
    starting = "started from ImageNet weights, these from"
    imagenet = contents["trainings"].assign(after="ImageNet weights")

    assert f"{starting}\nrandom weights" in write_report(**contents)
    assert starting not in write_report(**make_contents(trainings=imagenet))


def test_a_single_path_shows_no_comparison(make_contents):
    document = write_report(
        **make_contents(
            current().paths[5:],
            table1=None,
            table2=None,
            **dict.fromkeys(IMAGES),
            gallery=None,
        )
    )

    assert 'id="table3"' in document
    assert "chosen on validation" not in document
    for absent in ('id="table1"', 'id="table2"', 'id="table4"', "<img"):
        assert absent not in document


def test_the_report_says_what_reuse_has_saved(contents):
    report = write_report(**contents)

    words = " ".join(report.split())
    assert "2 trainings for 6 paths: 24 epochs, 2,400 image passes" in words
    assert "from scratch</th><td>4</td><td>48</td><td>4,800</td>" in words
    assert "Reused</th><td>2</td><td>24</td><td>2,400</td>" in words


def test_a_path_that_shares_nothing_has_no_table_of_cost(contents, make_contents):
    alone = make_contents(trainings=contents["trainings"].assign(used_by=1))

    assert 'id="cost"' not in write_report(**alone)


def test_several_seeds_have_a_table_and_one_seed_a_warning(make_contents):
    row = {
        "path": "path_b",
        "n_seeds": 3,
        "mean_auroc": 0.8,
        "sd_auroc": 0.02,
        "lowest_auroc": 0.78,
        "highest_auroc": 0.82,
        "sampling_variance": 0.0012,
        "seed_share": 0.25,
    }
    several = write_report(**make_contents(seed_variance=pd.DataFrame([row])))
    one = write_report(
        **make_contents(seed_variance=pd.DataFrame([{**row, "n_seeds": 1}]))
    )

    assert "<td>3</td><td>0.800</td>" in several
    assert "25.00 %" in several
    assert "One seed." not in several
    assert 'id="seeds"' not in one
    assert "One seed." in one


def test_table_5_shows_every_adjustment(make_contents):
    html = write_report(**make_contents())

    table = html.split('<table id="table5">')[1].split("</table>")[0]
    for method in ("Bonferroni, by patient", "Holm", "maxT", "Benjamini-Hochberg"):
        assert f">{method}</th>" in table
    assert table.count("<td") == 15 * 6


def test_a_report_tells_the_commit_only_where_it_is_known(make_contents):
    """Code from an archive has a version and no commit."""

    def tell(code):
        facts = list_provenance(
            code=code, packages={}, data={}, records={}, parameters={}
        )
        provenance = Provenance(provenance_results=facts)
        return write_report(**make_contents(provenance=provenance))

    known = tell({"version": "0.1.0", "commit": "c0ffee", "edited": "no"})
    unknown = tell({"version": "0.1.0"})

    assert "c0ffee" in known
    assert "covid_cxr 0.1.0." in " ".join(unknown.split())


def test_a_report_without_masked_inputs_says_that_it_has_none(document):
    assert "No baseline without lungs is reported here." in " ".join(document.split())
