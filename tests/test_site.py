"""The docs as a site: each rule has a page, all links lead somewhere, no other host is asked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest

from book import BOOK
from edi_checker.acks.words import STATUSES
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.cli import COMMANDS
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from paths import ROOT

SITE = ROOT / "docs" / "site"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def pages():
    sys.path.insert(0, str(SITE))
    try:
        from pages import make_quick_pages

        checker = Checker(load_guide(), Engine(BOOK, "python"), Setting(20260302, built_in()))
        return make_quick_pages(checker, BOOK.rules)
    finally:
        sys.path.remove(str(SITE))


# -- the pages that are made


def test_every_rule_has_a_page_and_every_page_a_rule(pages):
    made = {name for name in pages if re.fullmatch(r"rules/[\w-]+\.[\w.-]+\.md", name)}
    assert made == {f"rules/{rule.id}.md" for rule in BOOK.rules}


def test_a_page_says_what_its_rule_says(pages):
    for rule in BOOK.rules:
        page = pages[f"rules/{rule.id}.md"]
        for heading in (
            "Example",
            "Fix",
            "For whom, and since when",
            "Sources",
            "The conditions",
            "Turn it off",
        ):
            assert f"\n## {heading}\n" in page, rule.id
        assert f"--ignore {rule.id}" in page
        assert page.count(", seen 20") >= len(rule.sources)
        if "error" in {level for case in rule.cases for level in case.severity.values()}:
            assert "\n## How it is answered\n" in page, rule.id
            assert "What binds the payers to it" in page, rule.id


def test_a_code_of_an_answer_has_words_if_the_program_knows_any(pages):
    for name, page in pages.items():
        for code in re.findall(r"status (\w+), whose meaning is not known", page):
            assert code not in STATUSES, name
        assert "category" not in "".join(re.findall(r"(\w+) \w+, whose meaning is not known", page)), name


def test_the_examples_are_those_of_the_rule_and_something_is_marked(pages):
    for rule in BOOK.rules:
        page = pages[f"rules/{rule.id}.md"]
        shown = dict(
            re.findall(r'<pre class="edi-segments edi-(\w+)"><code>(.*?)</code></pre>', page, re.DOTALL)
        )
        assert set(shown) == {"wrong", "right"}, rule.id
        assert "<mark" in shown["wrong"], rule.id
        for side, examples in (("wrong", rule.examples.failing), ("right", rule.examples.passing)):
            texts = [plain(write_example(each).text.replace("\n", "")) for each in examples]
            lines = [plain(line) for line in shown[side].split("\n") if line != "…" and "edi-gap" not in line]
            assert any(all(line in text for line in lines) for text in texts), (rule.id, side, lines)


def plain(line):
    """Without marks, and without the separators of elements that are missing and marked."""
    return re.sub(r"[*:\xa0]", "", unescape(re.sub(r"<[^>]*>", "", line)))


def test_links_between_made_pages_lead_to_pages(pages):
    for name, page in pages.items():
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page):
            if not target.startswith("https://"):
                place = normpath(join(dirname(name), target))
                assert place in pages or (ROOT / "docs" / place).is_file(), (name, target)


def test_no_page_names_a_path_of_a_machine(pages):
    for name, page in pages.items():
        assert not re.search(r"/(?:home|root|tmp|work|Users)/\w", page), name
        assert str(Path.home()) not in page, name


def test_the_indexes_have_every_rule_once(pages):
    for name in ("rules/index.md", "rules/by-severity.md"):
        listed = re.findall(r"^\| \[([\w.-]+)\]", pages[name], re.MULTILINE)
        assert sorted(listed) == [rule.id for rule in BOOK.rules]


def test_the_commands_are_those_that_there_are(pages):
    for name in COMMANDS:
        assert f"\n## {name}\n" in pages["reference/commands.md"]
        assert f"Usage: edi-checker {name} " in pages["reference/commands.md"]
    assert "`[check]` | " in pages["reference/configuration.md"]


# -- the site


class Addresses(HTMLParser):
    """The anchors of a page, where its links lead, and what a browser loads with it."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "link" and given.get("href"):
            self.loads.append(given["href"])
        elif given.get("src"):
            self.loads.append(given["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as .ci/run builds it: a warning stops it."""
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site") / "site"
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(SITE / "mkdocs.yml"),
         "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def addresses(site):
    found = {}
    for page in site.rglob("*.html"):
        parser = Addresses()
        parser.feed(page.read_text("utf-8"))
        found[page.relative_to(site).as_posix()] = parser
    return found


@pytest.mark.long
def test_all_links_lead_somewhere_and_nothing_is_loaded_from_elsewhere(site, addresses):
    for name, page in addresses.items():
        if name == "404.html":
            continue  # a server shows it at any address
        for target in (*page.links, *page.loads):
            if target.startswith(("https://", "mailto:")) and target in page.links:
                continue
            path, _, anchor = target.partition("#")
            place = normpath(join(dirname(name), path)) if path else name
            assert (site / place).exists(), (name, target)
            if anchor and place in addresses and not anchor.startswith("__"):
                assert anchor in addresses[place].ids, (name, target)


@pytest.mark.long
def test_the_site_has_what_it_promises(site, addresses):
    assert {f"rules/{rule.id}.html" for rule in BOOK.rules} <= set(addresses)
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?https?:|@import", style.read_text("utf-8")), style
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        assert str(ROOT) not in text, page
        assert "fonts.googleapis" not in text, page


@pytest.mark.long
@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed here")
def test_the_search_works_from_the_disk(site, tmp_path):
    drawn = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=8000",
         f"--user-data-dir={tmp_path}", "--dump-dom", f"{(site / 'index.html').as_uri()}?q=ncci.mue"],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    assert "rules/ncci.mue.html?h=" in drawn
