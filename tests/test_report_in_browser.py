"""The whole study's report, and a path's own, in a real browser without a network."""

import pandas as pd
import pytest

MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def report(study):
    return study / "08_reporting/report.html"


@pytest.fixture(scope="module")
def page(report, open_offline):
    page = open_offline(report)
    page.wait_for_selector("#figure3-plot .scatterlayer .trace")
    return page


def test_the_file_is_complete(page):
    assert len(page.requests) == 1
    assert page.complaints == []


def test_the_file_is_small_enough_to_send(report):
    assert report.stat().st_size < MOST_BYTES


def test_every_section_is_there(page):
    sections = page.eval_on_selector_all(
        "main > section", "all => all.map(s => s.getAttribute('aria-labelledby'))"
    )

    assert sections == [
        *("summary", "flow", "data", "phase1", "phase2", "phase3", "evaluation"),
        *("questions", "margins", "measures", "pooled", "saliency", "gallery"),
        *("audit", "trainings", "provenance", "documents", "care"),
    ]


def test_an_entry_of_the_legend_hides_its_curve_with_its_band(page):
    drawn = "#figure3-plot .scatterlayer .trace"
    n_drawn = len(page.query_selector_all(drawn))

    page.click("#figure3-plot .legendtoggle >> nth=0")

    page.wait_for_function(
        "([drawn, n]) => document.querySelectorAll(drawn).length === n",
        arg=[drawn, n_drawn - 2],
    )


def test_every_radiograph_of_the_gallery_has_one_outcome(page):
    cards = page.query_selector_all(".case")
    outcomes = page.eval_on_selector_all(
        "[name=outcome] option", "all => all.map(option => option.value)"
    )
    shown = {}
    for outcome in outcomes:
        page.select_option("[name=outcome]", outcome)
        shown[outcome] = sum(card.is_visible() for card in cards)

    assert shown.pop("") == len(cards) > 0
    assert sum(shown.values()) == len(cards)


# Every table, also those that are folded, with what its place shows of it.
PLACES = """() => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  return [...document.querySelectorAll(".scroll")].map((place) => ({
    table: place.querySelector("table").id,
    is_wider: place.scrollWidth > place.clientWidth,
    says_so: getComputedStyle(place.querySelector("caption > span"), "::before")
      .content.startsWith('"Scrolls sideways'),
  }));
}"""


def places(page):
    page.evaluate(PLACES)
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")  # as seen
    return page.evaluate(PLACES)


def test_every_table_has_room_on_a_wide_screen(report, open_offline):
    found = places(open_offline(report, width=1600))

    assert len(found) > 50
    assert [place["table"] for place in found if place["is_wider"]] == []


@pytest.mark.parametrize("width", [1100, 390])
def test_a_table_that_is_wider_than_its_place_says_that_it_scrolls(
    report, open_offline, width
):
    found = places(open_offline(report, width=width))

    assert sum(place["is_wider"] for place in found) >= 5
    assert [p for p in found if p["is_wider"] != p["says_so"]] == []


def test_nothing_of_the_page_is_wider_than_a_phone(report, open_offline):
    page = open_offline(report, width=390, height=844)

    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("part", ["patient_id", "image_id"])
def test_no_patient_and_no_image_is_named(study, report, part):
    named = pd.read_parquet(study / "03_primary/covid_curated.parquet")[part]

    document = report.read_text(encoding="utf-8")
    assert not [name for name in named if name in document]
