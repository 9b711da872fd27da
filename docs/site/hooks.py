"""What mkdocs does with the docs beyond reading them: adds pages, makes links hold in the site too.

The pages in docs/ are written for a code host: links to files of the project are relative. A file that the
site has too is linked there; in code, the id of a rule and the pages that come with a release become links.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from pages import ROOT, make_pages
from rule_pages import FAMILIES

# Files of the project's root that are pages of the site too.
ROOT_PAGES = {
    f"{name}.md": f"project/{name.lower()}.md" for name in ("README", "CONTRIBUTING", "SECURITY", "CHANGELOG")
}
# In code, where a code host has no page to link to.
_MADE = {"docs/rules.md": "rules/index.md", "docs/coverage.md": "reference/coverage.md"}
# `edi-checker rules docs` writes them into docs/; the site has pages of its own for both.
_NOT_PAGES = {"rules.md", "coverage.md"}
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)?(#[^)\s]*)?(?=\))")

_pages: dict[str, str] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages, and put into the navigation those of the rules by family, and what it does not name."""
    _pages.clear()
    _pages.update(make_pages())
    assert config.nav is not None
    (reference,) = (each["Reference"] for each in config.nav if "Reference" in each)
    there = {file.name for file in (ROOT / "docs").glob("*.md")}
    reference += sorted(there - _names(config.nav) - _NOT_PAGES)
    (decisions,) = (each["Decisions"] for part in config.nav for each in _parts(part) if "Decisions" in each)
    decisions += sorted(f"decisions/{file.name}" for file in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    (rules,) = (each["Rules"] for each in config.nav if "Rules" in each)
    ids = [name.removeprefix("rules/").removesuffix(".md") for name in _rule_pages()]
    for family in FAMILIES:
        rules.append({family: [f"rules/{each}.md" for each in ids if each.startswith(f"{family}.")]})
    return config


def _parts(part: Any) -> list[dict[str, Any]]:
    """The entries with a name of their own in a part of the navigation."""
    return [each for below in part.values() for each in below if isinstance(each, dict)]


def _names(nav: Any) -> set[str]:
    """The pages that the navigation names."""
    if isinstance(nav, str):
        return {nav}
    return {name for each in (nav.values() if isinstance(nav, dict) else nav) for name in _names(each)}


def _rule_pages() -> list[str]:
    return [name for name in _pages if name.startswith("rules/") and "." in name[6:-3]]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what lies outside docs/, and what is made."""
    texts = dict(_pages)
    texts["index.md"] = (ROOT / "docs" / "site" / "index.md").read_text("utf-8")
    for name, place in ROOT_PAGES.items():
        texts[place] = (ROOT / name).read_text("utf-8")
    for place, text in texts.items():
        files.append(File.generated(config, place, content=text))
    for sample in _linked_samples(ROOT.glob("docs/*.md")):
        content = (ROOT / sample).read_bytes()
        files.append(File.generated(config, f"{sample}.txt", content=content))
    return files


def _linked_samples(pages: Iterable[Path]) -> set[str]:
    """The samples to which pages in docs/ link, from the root."""
    found = (
        target
        for page in pages
        for target in re.findall(r"\]\(\.\./(samples/[^)]+)\)", page.read_text("utf-8"))
    )
    return {target for target in found if (ROOT / target).is_file()}


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Links of this page as they are in the site."""
    here = page.file.src_uri
    source = next((name for name, place in ROOT_PAGES.items() if place == here), f"docs/{here}")

    def to(place: str) -> str:
        return posixpath.relpath(place, posixpath.dirname(here))

    def link(found: re.Match[str]) -> str:
        target, anchor = found[1] or "", found[2] or ""
        if not target or re.match(r"[a-z]+:", target):
            return found[0]
        place = _place_of(posixpath.normpath(posixpath.join(posixpath.dirname(source), target)))
        return to(place) + anchor if place else found[0]

    parts = _CODE.split(markdown)
    for at, part in enumerate(parts):
        if at % 2 == 0:
            parts[at] = _LINK.sub(link, part)
        elif not part.startswith("```") and not parts[at - 1].endswith("["):
            parts[at] = _linked_code(part, here, to)
    return "".join(parts)


def _place_of(path: str) -> str | None:
    """Where the site has a file of the project; None if it is there as docs/ has it."""
    if path in ROOT_PAGES:
        return ROOT_PAGES[path]
    if path == "docs/howto":
        return "howto/check-a-file.md"
    if path == "docs/decisions":
        return "decisions/index.md"
    if path.startswith("samples/"):
        return f"{path}.txt"
    return path.removeprefix("docs/") if path.startswith("docs/") else None


def _linked_code(code: str, here: str, to: Callable[[str], str]) -> str:
    """The id of a rule, or the name of a page that is made, as a link to it."""
    name = code.strip("`")
    place = _MADE.get(name) or (f"rules/{name}.md" if f"rules/{name}.md" in _pages else None)
    return f"[{code}]({to(place)})" if place and place != here else code


def on_post_build(config: MkDocsConfig, **_: Any) -> None:
    """The map of addresses is for sites with an address of their own."""
    for name in ("sitemap.xml", "sitemap.xml.gz"):
        Path(config.site_dir, name).unlink(missing_ok=True)
