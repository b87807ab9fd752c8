"""How large is a report, and how long does a browser take to open it?

    python benchmarks/report_opening.py data/08_reporting/report.html     20 seconds

Each time in a fresh profile of a headless Chromium without a network: until the page
has loaded, and until the ROC curves are drawn. The median of seven is printed.
"""

import argparse
import shutil
import statistics
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def measure(browser, place):
    """Return milliseconds until the page has loaded, and until the curves are drawn."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    start = time.perf_counter()
    page.goto(place.resolve().as_uri())
    page.wait_for_selector("#figure3-plot .scatterlayer .trace")
    drawn = 1000 * (time.perf_counter() - start)
    loaded = page.evaluate(LOADED)
    context.close()
    return loaded, drawn


def main():
    """Print the size of the report, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--times", type=int, default=7)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        measured = [measure(browser, options.report) for _ in range(options.times)]
        browser.close()
    loaded, drawn = (statistics.median(times) for times in zip(*measured, strict=True))
    print(f"size    {options.report.stat().st_size / 1e6:6.2f} MB")
    print(f"loaded  {loaded:6.0f} ms")
    print(f"drawn   {drawn:6.0f} ms")


if __name__ == "__main__":
    main()
