"""Every page in a real browser: nothing overflows or asks for a network, all can be read, links lead somewhere.

The pages are those in the folder that PARTIAL_POOLING_REPORTS names; without it a few are made.
"""

import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from analyses import run

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright, which drives a browser, is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe, which checks contrast, is missing")

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.slow,
]
QUICK = ("--draws", "100", "--tune", "200", "--chains", "2", "--quiet")
PHONE, LAPTOP, PAPER = 390, 1280, 718  # pixels; paper is A4 with margins
# Colours hang on the scheme alone, and places on the width alone.
LOOKS = [(PHONE, "light"), (LAPTOP, "light"), (LAPTOP, "dark")]
OVERFLOWING = """() => [...document.querySelectorAll("body *")]
    .filter((e) => !e.closest(".wide") && e.getBoundingClientRect().right > innerWidth + 1)
    .map((e) => e.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    if given := os.environ.get("PARTIAL_POOLING_REPORTS"):
        return Path(given)
    out = tmp_path_factory.mktemp("reports")
    rows = out / "scores.csv"
    rows.write_text("school,score\n" + "".join(f"school {k % 7},{(k * 37) % 11 + k % 7}\n" for k in range(70)))
    run.main(["eight_schools", "published", *QUICK, "--out", str(out)])
    run.main(["one_way", "--data", str(rows), "--group", "school", "--value", "score", *QUICK, "--out", str(out)])
    return out


@pytest.fixture(scope="module")
def pages(reports) -> list[Path]:
    found = sorted(reports.rglob("*.html"))
    assert reports / "index.html" in found
    assert len(found) > 3
    return found


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Open a page of some width; what it complains of, and what it asks of others, fails the test."""
    contexts = []

    def open_page(path, width=LAPTOP, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda said: page.complaints.append(said.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or page.complaints.append(asked.url))
        page.on("requestfailed", lambda asked: page.complaints.append(asked.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [PHONE, LAPTOP])
def test_nothing_overflows_and_nothing_is_complained_of(pages, opened, width):
    for path in pages:
        page = opened(path, width)
        assert page.complaints == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, page.evaluate(OVERFLOWING))


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_everything_can_be_read(pages, opened, width, scheme):
    """Contrast, names of regions, order of headings and the rest of axe's rules."""
    for path in pages:
        found = axe.Axe().run(opened(path, width, scheme)).response["violations"]
        said = [(rule["id"], rule["help"], rule["nodes"][0]["html"][:120]) for rule in found]
        assert said == [], path


def test_every_figure_is_drawn_and_says_what_it_shows(pages, opened):
    for path in pages:
        images = opened(path).evaluate(
            "[...document.images].map((i) => [i.naturalWidth, i.alt.trim().length, i.width])"
        )
        for pixels, words, width in images:
            assert words > 20, path
            assert pixels >= 1.5 * width, f"{path}: blurred on a fine screen"


def test_every_link_leads_somewhere(pages, opened):
    ids = {
        path: set(opened(path).evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")) for path in pages
    }
    for path in pages:
        for href in opened(path).evaluate("[...document.links].map((a) => a.href)"):
            parts = urlsplit(href)
            if parts.scheme != "file":  # to the world outside, where a reader asks for it
                continue
            target = Path(unquote(parts.path))
            assert target.exists(), (path, href)
            assert not parts.fragment or unquote(parts.fragment) in ids[target], (path, href)


def test_every_page_is_reached_from_the_front(pages, reports, opened):
    seen, waiting = set(), [reports / "index.html"]
    while waiting:
        path = waiting.pop()
        seen.add(path)
        linked = opened(path).evaluate("[...document.links].map((a) => a.href.split('#')[0])")
        targets = {Path(unquote(urlsplit(href).path)) for href in linked if href.startswith("file:")}
        waiting += [target for target in targets if target in pages and target not in seen]
    assert seen == set(pages)


def test_paper_holds_all_of_a_page(pages, opened):
    """Nothing is cut off on the right, and what is folded on the screen is open."""
    for path in pages:
        page = opened(path, PAPER)
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER, path
        shut = "[...document.querySelectorAll('details li')].filter((e) => !e.getClientRects().length).length"
        assert page.evaluate(shut) == 0, path


def test_a_click_sorts_a_column_by_its_numbers(reports, opened):
    page = opened(reports / "eight_schools" / "index.html")
    table = page.locator("table", has_text="P(best)").first
    heading = table.locator("th", has_text="estimate")
    at = heading.evaluate("(th) => th.cellIndex")

    def shown():
        return [float(row) for row in table.locator(f"tbody tr td:nth-child({at + 1})").all_inner_texts()]

    heading.locator("button").click()
    assert shown() == sorted(shown())
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.locator("button").click()
    assert shown() == sorted(shown(), reverse=True)
    assert len(set(shown())) > 5
