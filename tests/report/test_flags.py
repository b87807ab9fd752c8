"""Which flagged radiographs a report counts and shows, and what it says of them."""

import pandas as pd
import pytest

from covid_cxr.cohorts import curated as curation
from covid_cxr.report.flags import (
    FLAGS,
    MOST_SHOWN,
    FlagTables,
    count_flags,
    draw_flagged,
    show_flagged,
)
from covid_cxr.report.html import write_report

PIXEL = "data:image/jpeg;base64,AA=="


def radiographs(n, *, negatives=(), faint=(), reverse=False):
    """Return n curated radiographs; the hashes run in or against their order."""
    rows = range(n)
    return pd.DataFrame(
        {
            "image_id": [f"secret_{row}" for row in rows],
            "patient_id": [f"patient_{row}" for row in rows],
            "row": rows,
            "pixels_sha256": [f"{n - row if reverse else row:064x}" for row in rows],
            "is_polarity_suspect": [row in negatives for row in rows],
            "is_contrast_suspect": [row in faint for row in rows],
        }
    )


def tables(curated):
    drawn = draw_flagged(curated)
    return FlagTables(
        flag_results=count_flags(**curated),
        flagged_radiographs=show_flagged(drawn, [PIXEL] * len(drawn)),
    )


def words(document):
    return " ".join(document.split())


def test_every_flag_of_curation_stands_in_the_report():
    assert set(FLAGS) == set(curation.FLAGS)


def test_flags_are_counted_by_cohort_and_an_image_with_both_once():
    found = tables(
        {
            "nih": radiographs(10, negatives=[1, 2, 3], faint=[3, 4]),
            "covid": radiographs(5, faint=[0]),
            "rsna": radiographs(2),
        }
    )

    assert [(c["name"], c["images"], c["flagged"]) for c in found.cohorts] == [
        ("nih", 10, [3, 2]),
        ("covid", 5, [0, 1]),
        ("rsna", 2, [0, 0]),
    ]
    assert found.n_flagged == 5
    shown = [(case["cohort"], len(case["flags"])) for case in found.flagged_radiographs]
    assert shown.count(("nih", 2)) == 1
    assert len(shown) == 5


def test_at_most_24_are_shown_and_no_cohort_or_flag_crowds_out_another():
    drawn = draw_flagged(
        {
            "nih": radiographs(5000, negatives=range(4000), faint=[4500]),
            "covid": radiographs(100, faint=range(60)),
        }
    )

    assert len(drawn) == MOST_SHOWN == 24
    assert drawn["cohort"].tolist() == sorted(drawn["cohort"], reverse=True)
    by_group = drawn.groupby(["cohort", "is_contrast_suspect"]).size().to_dict()
    assert by_group == {("nih", False): 12, ("nih", True): 1, ("covid", True): 11}


@pytest.mark.parametrize("reverse", [False, True])
def test_what_is_shown_follows_the_pixels_and_not_the_order_of_rows(reverse):
    table = radiographs(100, negatives=range(100), reverse=reverse)
    first = set(range(76, 100)) if reverse else set(range(24))

    for order in (table, table[::-1], table.sample(frac=1, random_state=3)):
        assert set(draw_flagged({"nih": order})["row"]) == first


def test_nothing_flagged_shows_nothing():
    assert draw_flagged({"nih": radiographs(3)}).empty


@pytest.mark.parametrize("make", [lambda t: count_flags(**t), draw_flagged])
@pytest.mark.parametrize("flag", list(FLAGS))
def test_a_table_of_an_earlier_version_is_refused(make, flag):
    with pytest.raises(ValueError, match=f"nih lack {flag}.*Run curation again"):
        make({"nih": radiographs(3).drop(columns=flag)})


def test_the_report_shows_counts_error_rates_and_pictures(make_contents):
    flagged = {"nih": radiographs(40, negatives=range(30)), "covid": radiographs(8)}

    document = write_report(**make_contents(flags=tables(flagged)))

    table = words(document.split('<table id="flags">')[1].split("</table>")[0])
    assert "<td>40</td> <td>30 (75.00 %)</td><td>0</td>" in table
    assert "<td>8</td> <td>0</td><td>0</td>" in table
    for flag in FLAGS.values():
        assert f"{flag.rule}. How often the rule errs: {flag.error_rates}." in words(
            document
        )
    assert document.count(PIXEL) == MOST_SHOWN
    assert "24 of 30 flagged radiographs; the other 6 are not shown" in words(document)


def test_the_report_names_no_flagged_file_or_patient(make_contents):
    flagged = {"covid": radiographs(8, negatives=[1, 2], faint=[2])}

    document = write_report(**make_contents(flags=tables(flagged), gallery=None))

    assert "2 of 2 flagged radiographs</summary>" in document
    assert "secret_" not in document
    assert "patient_1" not in document


def test_a_report_without_flagged_radiographs_says_how_many_were_looked_at(
    make_contents,
):
    document = write_report(**make_contents(flags=tables({"covid": radiographs(8)})))

    assert 'id="flags"' in document
    assert 'id="flagged"' not in document
