"""The sections on questions, margins and measures in the report of six paths."""

import io

import numpy as np
import pandas as pd
import pytest

from covid_cxr.evaluation.arranged_scores import arrange_paths
from covid_cxr.evaluation.auroc_questions import tabulate_questions
from covid_cxr.evaluation.further_measures import tabulate_measures
from covid_cxr.evaluation.non_inferiority import tabulate_margins
from covid_cxr.evaluation.thresholds import tabulate_threshold_uncertainty
from covid_cxr.report.html import write_report
from covid_cxr.report.margin_tables import draw_margin_figure
from covid_cxr.report.measure_tables import draw_smooth_calibration
from covid_cxr.study.current import current


def scores_of_a_path(seed):
    rng = np.random.default_rng(seed)
    is_case = np.random.default_rng(0).random(120) < 0.5
    log_odds = rng.standard_normal(120) + is_case
    return pd.DataFrame(
        {
            "image_id": [f"i{i:03d}" for i in range(120)],
            "patient_id": [f"p{i // 3}" for i in range(120)],
            "part": np.where(np.arange(120) < 60, "validation", "test"),
            "covid19": is_case,
            "covid19_score": 1 / (1 + np.exp(-log_odds)),
        }
    )


def as_png(figure):
    stream = io.BytesIO()
    figure.savefig(stream, dpi=30)
    return stream.getvalue()


@pytest.fixture(scope="module")
def document(contents, reporting, evaluation, margins):
    names = [path.name for path in current().paths]
    scores = arrange_paths(**{n: scores_of_a_path(k) for k, n in enumerate(names)})
    settings = {"reporting": reporting, "evaluation": evaluation}
    answers, pairs = tabulate_questions(scores, **settings)
    measured, measured_pairs, curves = tabulate_measures(scores, **settings)
    within = tabulate_margins(scores, **settings, margins=margins)
    return write_report(
        **contents,
        question_results=answers,
        question_pair_results=pairs,
        margin_results=within,
        margin_figure=as_png(draw_margin_figure(within, are_paths=True)),
        measure_results=measured,
        measure_pair_results=measured_pairs,
        threshold_results=tabulate_threshold_uncertainty(scores, **settings),
        smooth_figure=as_png(draw_smooth_calibration(curves, are_paths=True)),
    )


def test_each_is_a_section_with_its_entry(document):
    for name, title in (
        ("questions", "Which AUROC"),
        ("margins", "Within a margin"),
        ("measures", "Further measures"),
    ):
        assert f'<a href="#{name}">{title}</a>' in document
        assert document.count(f'<h2 id="{name}">') == 1


def test_paths_go_by_their_letters(document):
    assert document.count('<th scope="row">(a) minus (b)</th>') > 3
    assert "path_a minus" not in document


def test_the_report_says_that_the_papers_tables_are_of_all_images(document):
    section = document.split('<h2 id="questions">')[1].split("</section>")[0]

    assert "Tables 3 to 5 are of all images, as in the paper" in section.replace(
        "\n", " "
    )


def test_fifteen_pairs_fit_a_phone(document, open_offline, tmp_path):
    place = tmp_path / "report.html"
    place.write_text(document, encoding="utf-8")

    page = open_offline(place, width=390, height=844)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.complaints == []
