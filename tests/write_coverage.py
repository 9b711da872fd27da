"""Makes docs/coverage.md: every segment and element of the guide with the rules that watch it.

By hand: python tests/write_coverage.py
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.examples import run_example
from edi_checker.guide.table import LEVELS, Composite, Element, Guide, Loop, Segment
from probe import make_checker

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"

# The families whose rules say what the guide's table says, of each element alike.
STRUCTURE = ("guide", "x12")

HEAD = """\
# Coverage: what watches each segment and element of the guide

Every loop, segment, element and component of the implementation guide (005010X222A1) as the checker knows
it, in the guide's order. *Use* is the guide's: R required, S situational, N not used. *Structure* are the
rules that the guide's own table gives it, without their `guide.`. *Content* are the rules that have a
finding there; a rule counts where one of the failing examples in its file is found at that place.

What stands for a whole segment or loop: a required one that lacks (`segment-missing`, `loop-missing`), too
many (`segment-repeat`, `loop-repeat`), the wrong place (`segment-order`, `segment-unexpected`), and what is
no segment at all (`x12.segment`). Every element with a type: padding (`element-padding`), characters
(`element-character`) and separators where none belong (`element-not-used`).

Written by `python tests/write_coverage.py`; a test holds it current.
"""


def found_at(checker: Checker, book: rules.Rulebook) -> dict[tuple[str, str], set[str]]:
    """The rules beyond the guide's table by loop and element (or segment) at which examples find them."""
    places: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in book.rules:
        if rule.id.split(".")[0] in STRUCTURE and rule.id not in ("guide.line-number", "guide.hierarchy"):
            continue
        for example in rule.examples.failing:
            for finding in run_example(checker, example):
                if finding.rule == rule.id:
                    where = finding.where
                    places[where.loop, where.element or where.segment].add(rule.id)
    return places


def write_page(checker: Checker, book: rules.Rulebook) -> str:
    """The page as Markdown."""
    guide = checker.guide
    places = found_at(checker, book)
    out = [HEAD]
    shown: set[tuple[str, str]] = set()
    out.append("## Envelope\n")
    for id in ("ISA", "GS", "ST", "SE", "GE", "IEA"):
        out += _segment(guide.envelope[id], id, places, shown)
    for level in LEVELS:
        out += _loop(guide.levels[level], places, shown)
    elsewhere = sorted(set(places) - shown)
    assert not elsewhere, f"findings at places that the guide does not have: {elsewhere}"
    out += _totals(guide, places)
    return "\n".join(out).rstrip() + "\n"


def _loop(loop: Loop, places: dict[tuple[str, str], set[str]], shown: set[tuple[str, str]]) -> list[str]:
    most = f", at most {loop.maximum}" if loop.maximum else ""
    out = [f"## {loop.id}: {loop.name} ({loop.usage}{most})\n"]
    inner = [child for child in loop.children if isinstance(child, Loop)]
    for child in loop.children:
        if isinstance(child, Segment) and child.id not in ("ST", "SE"):
            out += _segment(child, loop.id, places, shown)
    for each in inner:
        out += _loop(each, places, shown)
    return out if len(out) > 1 else []


def _segment(
    segment: Segment, loop: str, places: dict[tuple[str, str], set[str]], shown: set[tuple[str, str]]
) -> list[str]:
    most = f", at most {segment.maximum}" if segment.maximum else ""
    codes = f" {'/'.join(sorted(segment.codes))}" if segment.codes and len(segment.codes) < 9 else ""
    whole = _content(segment, loop, segment.id, places, shown)
    out = [
        f"### {loop} {segment.id}{codes}: {segment.name} ({segment.usage}{most})\n",
        *([f"Content: {whole}\n"] if whole else []),
        "| element | name | use | structure | content |",
        "|---|---|---|---|---|",
    ]
    for item in segment.elements:
        out += _rows(segment, item, loop, places, shown)
    return [*out, ""]


def _rows(
    segment: Segment,
    item: Element | Composite,
    loop: str,
    places: dict[tuple[str, str], set[str]],
    shown: set[tuple[str, str]],
) -> Iterable[str]:
    parts = item.components if isinstance(item, Composite) else ()
    content = _content(segment, loop, item.ref, places, shown)
    checks = ", ".join(_structure(segment, item))
    yield f"| {item.ref} | {item.name} | {item.usage} | {checks} | {content} |"
    if item.usage == "N":
        return
    for part in parts:
        content = _content(segment, loop, part.ref, places, shown)
        checks = ", ".join(_structure(segment, part))
        yield f"| {part.ref} | {part.name} | {part.usage} | {checks} | {content} |"


def _structure(segment: Segment, item: Element | Composite) -> Iterable[str]:
    if item.usage == "N":
        yield "element-not-used"
        return
    if item.usage == "R":
        yield "element-missing"
    if isinstance(item, Composite):
        return
    if item.codes:
        yield "element-code"
    elif item.type not in ("DT", "TM"):
        yield "element-length"
    if item.type in ("DT", "TM") or item.number == "1251":
        yield "element-date"
    if item.type in ("R", "N0") or item.pattern:
        yield "element-type"
    at = re.fullmatch(r"[A-Z0-9]{2,3}?([0-9]{2})", item.ref)
    if at and any(int(at.group(1)) in numbers for _, numbers in segment.notes):
        yield "relational"


def _content(
    segment: Segment,
    loop: str,
    ref: str,
    places: dict[tuple[str, str], set[str]],
    shown: set[tuple[str, str]],
) -> str:
    key = (loop, ref)
    shown.add(key)
    return ", ".join(sorted(places.get(key, ())))


def _totals(guide: Guide, places: dict[tuple[str, str], set[str]]) -> list[str]:
    elements = [item for segment in guide.segments for item in segment.elements]
    parts = [part for item in elements if isinstance(item, Composite) for part in item.components]
    unwatched = [
        each.ref
        for segment in guide.segments
        for each in segment.elements
        if isinstance(each, Element) and not list(_structure(segment, each))
    ]
    assert not unwatched, unwatched
    content = len({rule for each in places.values() for rule in each})
    return [
        "## In all\n",
        f"{len(guide.segments)} segments, {len(elements)} elements and {len(parts)} components; each is",
        f"watched by the guide's table. {content} rules beyond it have findings at {len(places)} places.",
    ]


if __name__ == "__main__":
    PAGE.write_text(write_page(make_checker(), rules.load()), "utf-8")
