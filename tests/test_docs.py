"""The documentation is whole: pages are found, links lead somewhere, tables hold."""

import importlib
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
BESIDE = [*sorted(ROOT.glob("*.md")), ROOT / "conf/README.md"]  # read in the repository
LINK = re.compile(r"(?<!`)\[[^\]\[]*\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)")
CODE = re.compile(r"```.*?```", re.DOTALL)
PUBLIC = re.findall(
    r"^::: (\S+)$",
    "".join(page.read_text("utf-8") for page in (DOCS / "reference").glob("*.md")),
    re.MULTILINE,
)


def prose(page):
    return CODE.sub("", page.read_text("utf-8"))


def anchors(page):
    """Return the ids of a page's headings, as Python-Markdown makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[-\s]+", "-", one) for one in words}


def entries(nav):
    """Return the pages of a part of the navigation."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in entries(part)]


def test_every_page_is_in_the_navigation_once():
    listed = entries(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])

    assert sorted(listed) == sorted(str(page.relative_to(DOCS)) for page in PAGES)


@pytest.mark.parametrize(
    "page", [*PAGES, *BESIDE], ids=lambda page: str(page.relative_to(ROOT))
)
def test_the_links_of_a_page_lead_somewhere(page):
    lost = []
    for target, anchor in LINK.findall(prose(page)):
        place = (page.parent / target).resolve() if target else page
        is_here = place.exists() and (page not in PAGES or DOCS in place.parents)
        if not is_here or (anchor and anchor not in anchors(place)):
            lost.append(f"{target}#{anchor}")

    assert not lost


@pytest.mark.parametrize("name", PUBLIC)
def test_what_the_reference_lists_is_there_and_says_what_it_is(name):
    module, attribute = name.rsplit(".", 1)

    assert getattr(importlib.import_module(module), attribute).__doc__


def test_the_reference_is_imported_without_kedro_or_tensorflow():
    modules = sorted({name.rsplit(".", 1)[0] for name in PUBLIC})
    heavy = "[m for m in ('kedro', 'keras', 'tensorflow') if m in sys.modules]"
    script = f"import sys, {', '.join(modules)}; print({heavy})"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_example_of_the_statistics_runs():
    page = (DOCS / "reference/statistics.md").read_text("utf-8")
    names = {}
    exec(re.search(r"```python\n(.*?)```", page, re.DOTALL)[1], names)  # noqa: S102

    assert names["lower"].shape == names["upper"].shape == (2,)
    assert 0 <= names["difference"].p_value <= 1


def test_the_page_of_data_sets_is_that_of_the_adapters():
    script = runpy.run_path(str(ROOT / "scripts/list_data_sets.py"))

    assert script["PAGE"].read_text("utf-8") == script["page"]()


@pytest.mark.parametrize(
    "environment",
    ["demo", "test", "public", "tuberculosis", "tuberculosis_demo", "mlflow"],
)
def test_an_environment_says_its_command_its_cost_and_what_to_expect(environment):
    files = (ROOT / "conf" / environment).glob("*.yml")
    heads = [re.match(r"(#.*\n)*", file.read_text("utf-8"))[0] for file in files]

    said = next(head for head in heads if "Cost:" in head)

    assert f"--env={environment}" in said
    assert "Expected:" in said


def test_the_readme_of_conf_names_every_environment_and_file_of_parameters():
    readme = (ROOT / "conf/README.md").read_text("utf-8")
    folders = {one.name for one in (ROOT / "conf").iterdir() if one.is_dir()}
    files = {one.stem for one in (ROOT / "conf/base").glob("parameters_*.yml")}

    assert [one for one in sorted(folders) if f"| `{one}` |" not in readme] == []
    assert [one for one in sorted(files) if one.split("_", 1)[1] not in readme] == []
