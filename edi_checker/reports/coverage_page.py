"""What watches each segment and element of the guide, as a page of Markdown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from edi_checker.check.checker import Checker
from edi_checker.check.examples import asking, run_example
from edi_checker.guide.table import LEVELS, Composite, Element, Guide, Loop, Segment
from edi_checker.rules import Rule

# The families whose rules say what the guide's table says, of each element alike; two of them say more.
STRUCTURE = ("guide", "x12")
_SAYS_MORE = ("guide.line-number", "guide.hierarchy")

HEAD = """\
# Coverage: what watches each segment and element of the guide

Every loop, segment, element and component of the implementation guide (005010X222A1) as the checker knows
it, in the guide's order. *Use* is the guide's: R required, S situational, N not used. *Structure* are the
rules that the guide's own table gives it, without their `guide.`. *Content* are the rules that have a
finding there; a rule counts where one of the failing examples in its file is found at that place.

What stands for a whole segment or loop: a required one that lacks (`segment-missing`, `loop-missing`), too
many (`segment-repeat`, `loop-repeat`), the wrong place (`segment-order`, `segment-unexpected`), and what is
no segment at all (`x12.segment`). Every element with a type: padding (`element-padding`), characters
(`element-character`) and separators where none belong (`element-components`).

Written by `edi-checker rules docs`.
"""

_Places = dict[tuple[str, str], set[str]]


def write_coverage_page(checker: Checker, rules: Iterable[Rule]) -> str:
    """The guide in its order; the rules beyond it stand where their failing examples are found."""
    guide, places = checker.guide, _found_at(checker, rules)
    out, at, shown = [HEAD, "## Envelope\n"], "", set()
    for loop, segment in _segments(guide):
        if isinstance(loop, Loop) and loop.id != at:
            out.append(f"## {loop.id}: {loop.name} ({_use(loop)})\n")
            at = loop.id
        place = loop.id if isinstance(loop, Loop) else loop
        out += _segment(segment, place, places)
        shown |= {(place, ref) for ref in (segment.id, *(item.ref for item in _items(segment)))}
    if elsewhere := sorted(set(places) - shown):
        out += [
            "## Elsewhere\n",
            *(f"- {' '.join(key)}: {', '.join(sorted(places[key]))}" for key in elsewhere),
            "",
        ]
    elements = [item for segment in guide.segments for item in segment.elements]
    parts = [part for item in elements if isinstance(item, Composite) for part in item.components]
    content = len({rule for each in places.values() for rule in each})
    out += [
        "## In all\n",
        f"{len(guide.segments)} segments, {len(elements)} elements and {len(parts)} components; each is",
        f"watched by the guide's table. {content} rules beyond it have findings at {len(places)} places.",
    ]
    return "\n".join(out) + "\n"


def _found_at(checker: Checker, rules: Iterable[Rule]) -> _Places:
    """The rules beyond the guide's table by loop and element (or segment) at which examples find them."""
    places: _Places = defaultdict(set)
    for rule in rules:
        if rule.id.split(".")[0] in STRUCTURE and rule.id not in _SAYS_MORE:
            continue
        for example in rule.examples.failing:
            for finding in run_example(asking(checker, rule), example):
                if finding.rule == rule.id:
                    where = finding.where
                    places[where.loop, where.element or where.segment].add(rule.id)
    return places


def _segments(guide: Guide) -> Iterator[tuple[Loop | str, Segment]]:
    """Each segment with its loop, or with its own id where it is one of the envelope."""
    yield from guide.envelope.items()
    for level in LEVELS:
        yield from _segments_of(guide.levels[level])


def _segments_of(loop: Loop) -> Iterator[tuple[Loop, Segment]]:
    for child in loop.children:
        if isinstance(child, Segment) and child.id not in ("ST", "SE"):
            yield loop, child
    for child in loop.children:
        if isinstance(child, Loop):
            yield from _segments_of(child)


def _items(segment: Segment) -> Iterator[Element | Composite]:
    """Its elements, each followed by its components."""
    for item in segment.elements:
        yield item
        if isinstance(item, Composite) and item.usage != "N":
            yield from item.components


def _segment(segment: Segment, loop: str, places: _Places) -> Iterator[str]:
    codes = f" {'/'.join(sorted(segment.codes))}" if segment.codes and len(segment.codes) < 9 else ""
    yield f"### {loop} {segment.id}{codes}: {segment.name} ({_use(segment)})\n"
    if whole := places.get((loop, segment.id)):
        yield f"Content: {', '.join(sorted(whole))}\n"
    yield "| element | name | use | structure | content |"
    yield "|---|---|---|---|---|"
    for item in _items(segment):
        checks, content = (
            ", ".join(_structure(segment, item)),
            ", ".join(sorted(places.get((loop, item.ref), ()))),
        )
        yield f"| {item.ref} | {item.name} | {item.usage} | {checks} | {content} |"
    yield ""


def _use(what: Loop | Segment) -> str:
    return f"{what.usage}, at most {what.maximum}" if what.maximum else what.usage


def _structure(segment: Segment, item: Element | Composite) -> Iterator[str]:
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
