"""Pages and hosted CI: links and paths lead somewhere, and no action can change by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from edi_checker.cli import COMMANDS
from edi_checker.cli.formats import FORMATS

ROOT = Path(__file__).parent.parent
# The start page of the site is held to its links by tests/test_site.py.
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")} - {ROOT / "docs" / "site" / "index.md"})
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Text in code, and code itself, is not a link.
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
PATH = re.compile(r"`((?:edi_checker|tests|bench|samples|rulesets|docs|\.github|\.ci)/[\w./-]*)`")


def slug(heading: str) -> str:
    """The anchor that a heading has on the host."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(found[1]) for found in re.finditer(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        if target.startswith(("https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


# What `edi-checker rules docs` writes, which is not in git, and a rule that a page has as its example.
NOT_THERE = {"docs/rules.md", "docs/coverage.md", "rulesets/situation/relinquished-care-date.yaml"}


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/releasing.md", "docs/limits.md"]
)
def test_every_path_that_a_page_names_exists(name: str) -> None:
    found = PATH.findall((ROOT / name).read_text("utf-8"))
    assert found
    assert [path for path in found if path not in NOT_THERE and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_promises_a_command_that_is_not_there(page: Path) -> None:
    named = re.findall(r"(?:^\$ |`)edi-checker ([a-z][a-z-]*)", page.read_text("utf-8"), re.MULTILINE)
    assert set(named) <= set(COMMANDS)


def test_the_page_of_reports_names_each_form() -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    assert f"`edi-checker check --format {'|'.join(FORMATS)}`" in page


def test_the_page_of_the_path_names_the_rooms() -> None:
    """The table of floors has every room, in the order that import-linter holds."""
    page = (ROOT / "docs" / "path.md").read_text("utf-8").partition("## Floors")[2]
    named = [
        room for row in page.splitlines() if row.startswith("| ") for room in re.findall(r"`(\w+)`", row)
    ]
    floors = re.search(
        r'containers = \["edi_checker"\].*?layers = \[(.*?)\]',
        (ROOT / "pyproject.toml").read_text(),
        re.DOTALL,
    )
    assert floors is not None
    assert named == [room for room in re.findall(r"\w+", floors[1]) if room != "__main__"]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_is_pinned_and_may_do_little(file: Path) -> None:
    workflow = yaml.safe_load(file.read_text("utf-8"))
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        steps = job["steps"]
        for step in steps:
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step
        if "write" in str(job.get("permissions", "")):
            # Whoever may write runs nothing from the package index and nothing of the repository.
            runs = "\n".join(step.get("run", "") for step in steps)
            assert not re.search(r"^\s*(?:pip|python|\.ci/)", runs, re.MULTILINE)
