"""The report in a real browser, without a network."""

import itertools

import pytest

# The contrast of text with what lies behind it, WCAG 2.2, success criterion 1.4.3.
LOW_CONTRASTS = """() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (channels(colour)[3] !== 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const e of document.querySelectorAll("body *:not(script, style)")) {
    if (e.closest("svg")) continue;
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const pair = [getComputedStyle(e).color, behind(e)].map(luminance);
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)}: ${e.textContent.slice(0, 40)}`);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def place(document, tmp_path_factory):
    place = tmp_path_factory.mktemp("report") / "report.html"
    place.write_text(document, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def phone(open_offline, place):
    """Return the page as a phone shows it."""
    page = open_offline(place, width=390, height=844)
    page.wait_for_selector("#figure3-plot .scatterlayer .trace")
    return page


@pytest.fixture(scope="module")
def desktop(open_offline, place):
    return open_offline(place)


@pytest.fixture
def page(desktop):
    """Return the page for a test that does something to it; it is put right after."""
    yield desktop
    desktop.evaluate(
        """() => {
          document.querySelector("h1").removeAttribute("style");
          document.getElementById("case").close();
          const filters = document.getElementById("gallery-filters");
          filters.reset();
          filters.dispatchEvent(new Event("change"));
        }"""
    )
    desktop.emulate_media(media="null", reduced_motion="null")


def cells(page, table):
    return page.eval_on_selector_all(
        f"#{table} tbody tr",
        "rows => rows.map(row => [...row.cells].map(c => c.textContent.trim()))",
    )


def n_visible(page, selector):
    return len([e for e in page.query_selector_all(selector) if e.is_visible()])


def test_the_page_asks_for_nothing_but_itself(phone):
    assert len(phone.requests) == 1
    assert phone.requests[0].startswith("file:")


def test_the_page_has_no_errors(phone):
    assert phone.complaints == []


def test_six_curves_are_drawn(phone):
    lines = phone.eval_on_selector_all(
        "#figure3-plot .scatterlayer .trace path.js-line",
        "paths => paths.map(path => path.getTotalLength())",
    )

    assert len(lines) == 6
    assert min(lines) > 100  # pixels


def test_table_3_shows_the_numbers_beside_the_papers(phone, contents):
    rows = cells(phone, "table3")

    assert len(rows) == 6
    for row, expected in zip(rows, contents["table3"].to_dict("records"), strict=True):
        assert row[0].replace("Path (", "path_").strip(")") == expected["path"]
        assert row[2] == f"{expected['auroc']:.3f}"
        assert row[3] == f"{expected['lower']:.3f} to {expected['upper']:.3f}"
        assert row[6] == f"{expected['paper_auroc']:.3f}"
        assert (
            row[8].replace("\N{MINUS SIGN}", "-") == f"{expected['minus_paper']:+.3f}"
        )


@pytest.mark.parametrize(
    ("table", "n_rows"),
    [
        *(("table1", 2), ("table2", 4), ("table4", 15), ("table5", 15)),
        *(("parts", 12), ("flow-table", 7), ("characteristics-phase3", 15)),
    ],
)
def test_every_table_is_filled(phone, table, n_rows):
    rows = cells(phone, table)

    assert len(rows) == n_rows
    assert all(all(row) for row in rows)


def test_the_page_fits_a_phone(phone):
    width = phone.evaluate("document.documentElement.scrollWidth")

    assert width == 390  # tables scroll by themselves


def test_text_stands_out_from_what_is_behind_it(phone):
    assert phone.evaluate(LOW_CONTRASTS) == []


def test_a_pale_text_would_be_found(page):
    page.evaluate("document.querySelector('h1').style.color = '#8a8a8a'")

    [found] = page.evaluate(LOW_CONTRASTS)
    assert found.startswith("3.45: Six paths")


def test_headings_leave_out_no_level(phone):
    levels = phone.eval_on_selector_all(
        "h1, h2, h3, h4, h5, h6", "all => all.map(h => Number(h.tagName[1]))"
    )

    assert levels.count(1) == 1
    assert levels[0] == 1
    steps = itertools.pairwise(levels)
    assert not [(before, after) for before, after in steps if after > before + 1]


def test_every_table_has_a_caption_and_its_headers_a_scope(phone):
    without = phone.evaluate(
        "[...document.querySelectorAll('table')].filter(t => !t.caption).length"
        " + [...document.querySelectorAll('th')].filter(h => !h.scope).length"
    )

    assert without == 0


def test_every_image_has_a_description_but_the_maps_over_radiographs(phone):
    undescribed = phone.eval_on_selector_all(
        "img:not([alt]), img[alt='']:not(.map, dialog img)", "all => all.length"
    )

    assert undescribed == 0


def test_every_image_is_shown(phone):
    widths = phone.eval_on_selector_all(
        "img:not(dialog img)", "all => all.map(i => i.naturalWidth)"
    )

    assert len(widths) == 9 + 2 * 12  # figures; radiographs with their maps
    assert min(widths) > 0


def test_an_id_stands_for_one_thing(phone):
    ids = phone.eval_on_selector_all("[id]", "all => all.map(e => e.id)")

    assert len(set(ids)) == len(ids)


def test_every_section_is_named_and_in_the_contents(phone):
    sections = phone.eval_on_selector_all(
        "main > section", "all => all.map(s => s.getAttribute('aria-labelledby'))"
    )
    entries = phone.eval_on_selector_all(
        "nav.contents a", "all => all.map(a => a.hash.slice(1))"
    )

    assert entries == sections
    assert all(phone.query_selector(f"h2#{name}") for name in sections)


def test_the_contents_mark_what_is_being_read(page):
    page.evaluate("document.getElementById('trainings').scrollIntoView()")

    page.wait_for_selector("nav.contents a[href='#trainings'][aria-current]")
    assert n_visible(page, "nav.contents a[aria-current]") == 1


def test_the_first_tab_offers_to_skip_the_contents(page):
    page.reload()

    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.hash") == "#main"
    shown = "link => getComputedStyle(link).clipPath"
    assert page.eval_on_selector(".skip", shown) == "none"


def test_only_what_rests_on_synthetic_cohorts_is_marked_so(phone):
    marked = phone.eval_on_selector_all(
        ".badge", "all => all.map(b => b.closest('table, figure').id)"
    )

    assert "table3" in marked
    assert "figure4" in marked
    assert "table1" not in marked  # the NIH cohort is not synthetic here


@pytest.mark.parametrize(
    ("choice", "n_cards"),
    [
        ({"outcome": "false_positive"}, 2),
        ({"site": "north"}, 6),
        ({"outcome": "true_positive", "site": "north"}, 2),
        ({"path": "path_c", "outcome": "true_positive", "site": "south"}, 2),
    ],
)
def test_the_gallery_filters_and_counts(page, choice, n_cards):
    assert n_visible(page, ".case") == 12

    for name, value in choice.items():
        page.select_option(f"#gallery-filters [name={name}]", value)

    assert n_visible(page, ".case") == n_cards
    assert page.inner_text("#gallery-count") == f"{n_cards} of 12 radiographs"


def test_the_gallery_shows_what_the_path_says(page):
    def said():
        return {score.inner_text() for score in page.query_selector_all(".case .score")}

    page.select_option("#gallery-filters [name=path]", "path_a")
    assert len(said()) == 12

    page.select_option("#gallery-filters [name=path]", "path_c")
    assert said() == {"50.0 %"}


def test_a_case_opens_large_and_closes_by_keyboard(page):
    card = page.query_selector(".case")
    card.focus()
    page.keyboard.press("Enter")

    assert page.is_visible("dialog .picture")
    assert page.inner_text("#case-title") == card.inner_text().split(":")[0]
    assert len(cells(page, "case-outputs")) == 6
    assert all(all(row) for row in cells(page, "case-outputs"))
    width = page.eval_on_selector("dialog .picture img", "image => image.naturalWidth")
    assert width == 8  # pixels: the radiograph itself

    page.keyboard.press("Escape")

    assert not page.is_visible("dialog")
    page.wait_for_function("document.activeElement.className === 'case'")


def test_arrows_turn_to_the_next_case_that_the_filters_leave(page):
    page.select_option("#gallery-filters [name=site]", "north")
    first, second, *_, last = [
        card.inner_text().split(":")[0]
        for card in page.query_selector_all(".case")
        if card.is_visible()
    ]
    page.click(".case >> visible=true")
    assert page.inner_text("#case-title") == first

    page.keyboard.press("ArrowRight")
    assert page.inner_text("#case-title") == second
    assert page.inner_text("#case-position") == "2 of 6"

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#case-title") == last

    page.keyboard.press("Escape")
    page.wait_for_function(
        "name => document.activeElement.innerText.startsWith(name)", arg=last
    )


def test_the_map_fades_and_changes_with_the_path(page):
    page.click(".case")
    page.fill("#case-opacity", "75")

    shown = "map => getComputedStyle(map).opacity"
    assert page.eval_on_selector("dialog .map", shown) == "0.75"

    page.check("dialog input[value=path_d]")
    page.keyboard.press("ArrowRight")  # moves on among the paths, not among the cases
    assert page.is_checked("dialog input[value=path_e]")
    assert page.inner_text("#case-position") == "1 of 12"


def test_without_scripts_the_gallery_and_the_curves_are_there(open_offline, place):
    page = open_offline(place, java_script_enabled=False)

    assert n_visible(page, ".case") == 12
    assert n_visible(page, "#figure3 img") == 1
    assert not page.is_visible("#gallery-filters")
    page.context.close()


def test_paper_shows_what_is_folded_and_nothing_to_click(page):
    assert not page.is_visible("#flow-table")

    page.emulate_media(media="print")

    assert page.is_visible("#flow-table")
    assert n_visible(page, "nav, .filters") == 0
    assert page.pdf().startswith(b"%PDF")


def test_who_wants_no_motion_gets_none(page):
    behaviour = "() => getComputedStyle(document.documentElement).scrollBehavior"

    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(behaviour) == "auto"

    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(behaviour) == "smooth"
