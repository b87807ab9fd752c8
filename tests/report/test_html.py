"""The report in a real browser, without a network."""

import io
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from playwright.sync_api import sync_playwright

from covid_cxr.figures.roc import draw_interactive_roc
from covid_cxr.paths import TRAINING_PATHS
from covid_cxr.report.comparisons import adjust_for_all_pairs, compare_paths
from covid_cxr.report.evaluation import Evaluation
from covid_cxr.report.html import ReportContents, write_report
from covid_cxr.report.performance import (
    tabulate_covid,
    tabulate_findings,
    tabulate_pneumonia,
)
from covid_cxr.report.reporting import Reporting
from covid_cxr.statistics.roc import trace_roc

REPORTING = Reporting(level=0.95, significance=0.05, seed=2021)
EVALUATION = Evaluation(
    target_sensitivity=0.9,
    prevalences=[0.1],
    max_false_positive_rate=0.2,
    bootstrap_replicates=200,
    calibration_bins=5,
    age_edges=[40, 60],
    least_subgroup_patients=5,
    power=0.8,
    seed=1,
)
COLOURS = {path.name: "#0072b2" for path in TRAINING_PATHS}
CHROMIUM = shutil.which("chromium")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
    "--disable-sync",
]


def made_up_scores(label, *, seed):
    images = np.random.default_rng(0)
    is_case = images.random(120) < 0.5
    noise = np.random.default_rng(seed).normal(size=120)
    return pd.DataFrame(
        {
            "image_id": [f"i{i:03d}" for i in range(120)],
            "patient_id": [f"p{i // 3}" for i in range(120)],
            "part": np.where(np.arange(120) < 60, "validation", "test"),
            label: is_case,
            f"{label}_score": noise + is_case,
        }
    )


def made_up_counts():
    rows = [
        (training_set, part, label, 100, 50, 30, 7)
        for training_set, label in [
            ("phase1", "pneumonia"),
            ("phase2_nih", "pneumonia"),
            ("phase2_rsna", "pneumonia"),
            ("phase3", "covid19"),
        ]
        for part in ("train", "validation", "test")
    ]
    columns = ["training_set", "part", "label", "images", "patients", "positives"]
    return pd.DataFrame(rows, columns=[*columns, "images_of_phase1_patients"])


def png():
    stream = io.BytesIO()
    Figure(figsize=(2, 1)).savefig(stream)
    return stream.getvalue()


def tabulate_pairs(covid):
    settings = {"label": "covid19", "reporting": REPORTING}
    table4 = compare_paths(covid, **settings, evaluation=EVALUATION)
    return table4, adjust_for_all_pairs(covid, **settings)


def make_contents(paths=TRAINING_PATHS, *, is_synthetic=True, **changes):
    """Return a report's contents from made-up scores of `paths`."""
    covid = {
        path.name: made_up_scores("covid19", seed=seed)
        for seed, path in enumerate(paths)
    }
    pneumonia = {
        path.name: made_up_scores("pneumonia", seed=seed)
        for seed, path in enumerate(paths)
        if path.phase2_cohort
    }
    settings = {"reporting": REPORTING}
    is_study = len(paths) > 1
    table4, table5 = tabulate_pairs(covid) if is_study else (None, None)
    curves = {
        path.title: trace_roc(scores["covid19"], scores["covid19_score"])
        for path, scores in zip(paths, covid.values(), strict=True)
    }
    contents = {
        "reporting": REPORTING,
        "cohorts": pd.DataFrame(
            {
                "cohort": ["nih", "rsna", "covid"],
                "is_synthetic": [False, False, is_synthetic],
                "images": [112120, 26684, 1060],
                "patients": [30805, 11439, 475],
                "rejected": [0, 0, 3],
            }
        ),
        "rejections": pd.DataFrame(
            {
                "cohort": ["covid"],
                "stage": ["curation"],
                "reason": ["not <grey> & odd"],
                "images": [3],
            }
        ),
        "parts": made_up_counts(),
        "trainings": pd.DataFrame(
            {
                "training": ["phase1", "path_b_phase3"],
                "after": ["random weights", "random weights → phase1"],
                "train": 100,
                "validation": 50,
                "test": 50,
                "epochs": 12,
                "kept_epoch": [7, np.nan],
                "hours": [0.5, 0.25],
                "used_by": [3, 1],
                "seed": 2021,
                "split_sha256": "0123456789abcdef",
                "versions": "keras 3.15.0",
            }
        ),
        "table1": tabulate_findings(
            made_up_scores("edema", seed=9), ["edema"], REPORTING
        ),
        "table2": tabulate_pneumonia(
            pneumonia, part_counts=made_up_counts(), label="pneumonia", **settings
        ),
        "table3": tabulate_covid(covid, label="covid19", **settings),
        "table4": table4,
        "table5": table5,
        "images": {
            name: png()
            for name in [
                *("figure1", "figure2", "figure4", "figure5", "figure6", "figure7"),
                *("auroc_intervals", "learning_curves"),
            ]
        },
        "roc": draw_interactive_roc(curves, colours=dict.fromkeys(curves, "#0072b2")),
        "colours": COLOURS,
    }
    return ReportContents(**{**contents, **changes})


@pytest.fixture(scope="module")
def contents():
    return make_contents()


@pytest.fixture(scope="module")
def document(contents):
    return write_report(contents)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def opened(browser, document, tmp_path_factory):
    """Return the page with what it asked for and complained about."""
    place = tmp_path_factory.mktemp("report") / "report.html"
    place.write_text(document, encoding="utf-8")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.requests, page.complaints = [], []
    page.on("request", lambda request: page.requests.append(request.url))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.goto(place.as_uri())
    page.wait_for_selector("#figure3-plot .scatterlayer .trace")
    yield page
    page.close()


def cells(page, table):
    return page.eval_on_selector_all(
        f"#{table} tbody tr",
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))",
    )


def test_the_page_asks_for_nothing_but_itself(opened):
    assert len(opened.requests) == 1
    assert opened.requests[0].startswith("file:")


def test_the_page_has_no_errors(opened):
    assert opened.complaints == []


def test_six_curves_are_drawn(opened):
    lines = opened.eval_on_selector_all(
        "#figure3-plot .scatterlayer .trace path.js-line",
        "paths => paths.map(path => path.getTotalLength())",
    )

    assert len(lines) == 6
    assert min(lines) > 100  # pixels


def test_table_3_shows_the_numbers_beside_the_papers(opened, contents):
    rows = cells(opened, "table3")

    assert len(rows) == 6
    for row, expected in zip(rows, contents.table3.to_dict("records"), strict=True):
        assert row[0].replace("Path (", "path_").strip(")") == expected["path"]
        assert row[2] == f"{expected['auroc']:.3f}"
        assert row[3] == f"{expected['lower']:.3f} to {expected['upper']:.3f}"
        assert row[6] == f"{expected['paper_auroc']:.3f}"


@pytest.mark.parametrize(
    ("table", "n_rows"),
    [("table1", 2), ("table2", 4), ("table4", 15), ("table5", 15), ("parts", 12)],
)
def test_every_table_is_filled(opened, table, n_rows):
    rows = cells(opened, table)

    assert len(rows) == n_rows
    assert all(all(row) for row in rows)


def test_the_page_fits_a_phone(opened):
    width = opened.evaluate("document.documentElement.scrollWidth")

    assert width == 390  # tables scroll by themselves


def test_every_table_has_a_caption_and_every_image_a_description(opened):
    without = opened.evaluate(
        "[...document.querySelectorAll('table')].filter(t => !t.caption).length"
        " + [...document.querySelectorAll('img')].filter(i => !i.alt).length"
    )

    assert without == 0


def test_every_image_is_shown(opened):
    widths = opened.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)")

    assert len(widths) == 8
    assert min(widths) > 0


def test_every_entry_of_the_contents_leads_somewhere(opened):
    lost = opened.evaluate(
        "[...document.querySelectorAll('nav a')]"
        ".filter(a => !document.querySelector(a.getAttribute('href'))).length"
    )

    assert lost == 0


def test_only_what_rests_on_synthetic_cohorts_is_marked_so(opened):
    marked = opened.eval_on_selector_all(
        ".badge", "all => all.map(b => b.closest('table, figure').id)"
    )

    assert "table3" in marked
    assert "figure4" in marked
    assert "table1" not in marked  # the NIH cohort is not synthetic here


def test_plotly_is_in_the_file_once(document):
    assert document.count("plotly.js v") == 1


def test_text_from_tables_is_escaped(document):
    assert "not &lt;grey&gt; &amp; odd" in document


def test_the_same_contents_give_the_same_document(document, contents):
    assert write_report(contents) == document


def test_real_data_carry_no_mark():
    document = write_report(make_contents(is_synthetic=False))

    assert 'class="badge"' not in document
    assert "not clinical evidence" not in document


def test_an_interval_that_cannot_be_estimated_is_a_dash_with_its_reason(contents):
    table3 = contents.table3.assign(lower=np.nan, upper=np.nan)

    document = write_report(make_contents(table3=table3))

    assert "nan" not in document.split('id="table3"')[1].split("</table>")[0]
    assert "too small" in document


def test_other_starting_weights_than_the_papers_are_said(contents):
    starting = "started from ImageNet weights, these from"
    imagenet = contents.trainings.assign(after="ImageNet weights")

    assert f"{starting}\nrandom weights" in write_report(contents)
    assert starting not in write_report(make_contents(trainings=imagenet))


def test_a_single_path_shows_no_comparison():
    document = write_report(
        make_contents(
            TRAINING_PATHS[5:],
            table1=None,
            table2=None,
            images={},
        )
    )

    assert 'id="table3"' in document
    assert "chosen on validation" not in document
    for absent in ('id="table1"', 'id="table2"', 'id="table4"', "<img"):
        assert absent not in document


def test_the_report_says_what_reuse_has_saved(contents):
    report = write_report(contents)

    words = " ".join(report.split())
    assert "2 trainings for 6 paths: 24 epochs, 2,400 image passes" in words
    assert "from scratch</th><td>4</td><td>48</td> <td>4,800</td>" in words
    assert "Reused</th><td>2</td> <td>24</td><td>2,400</td>" in words


def test_a_path_that_shares_nothing_has_no_table_of_cost(contents):
    alone = make_contents(trainings=contents.trainings.assign(used_by=1))

    assert 'id="cost"' not in write_report(alone)


def test_several_seeds_have_a_table_and_one_seed_a_warning():
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
    several = write_report(make_contents(seeds=pd.DataFrame([row])))
    one = write_report(make_contents(seeds=pd.DataFrame([{**row, "n_seeds": 1}])))

    assert "<td>3</td><td>0.800</td>" in several
    assert "25.00 %" in several
    assert "One seed." not in several
    assert 'id="seeds"' not in one
    assert "One seed." in one


def test_table_5_shows_every_adjustment():
    html = write_report(make_contents())

    table = html.split('<table id="table5">')[1].split("</table>")[0]
    for method in ("Bonferroni, by patient", "Holm", "maxT", "Benjamini-Hochberg"):
        assert f">{method}</th>" in table
    assert table.count("<td") == 15 * 6
