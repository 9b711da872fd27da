"""The facts of one code as a page for people, and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from edi_checker.reports.code_facts import CodeFact
from edi_checker.x12.dates import iso
from edi_checker.x12.finding import TableVersion

SCHEMA = "edi-checker/code/1"
WIDEST = 80
_LABEL = 22
_INDENT = "  "


def write_code(code: str, on: int, facts: Iterable[CodeFact], width: int) -> str:
    """The page, in `width` columns (60 to 80)."""
    width = min(max(width, 60), WIDEST)
    out = [f"{code} on {iso(on)}"]
    for group, members in groupby(facts, key=lambda fact: fact.group):
        out += _group(group, list(members), width)
    return "\n".join(out) + "\n"


def _group(title: str, facts: list[CodeFact], width: int) -> Iterator[str]:
    facts = [fact for fact in facts if fact.lines or fact.missing]
    if not facts:
        return
    sources = "; ".join(_sources(facts))
    yield ""
    yield from _wrap("", f"{title} [{sources}]" if sources else title, width, 2)
    absent = {fact.missing for fact in facts}
    if len(facts) > 1 and len(absent) == 1 and "" not in absent:
        yield from _wrap(_INDENT, absent.pop(), width)
        return
    for fact in _merge(facts):
        if not fact.label:
            for line in fact.lines:
                yield from _wrap(_INDENT, line, width, 2 if line.startswith("- ") else 4)
            continue
        label = f"{_INDENT}{fact.label:<{_LABEL - 2}}"
        for line in (fact.missing,) if fact.missing else fact.lines:
            yield from _wrap(label, line, width)
            label = " " * _LABEL


def _merge(facts: Sequence[CodeFact]) -> Iterator[CodeFact]:
    """Neighbours that lack the same table say so once: side by side if their labels fit, else at the last."""
    for missing, members in groupby(facts, key=lambda fact: fact.missing):
        same = list(members)
        label = ", ".join(fact.label for fact in same)
        if not missing:
            yield from same
        elif len(label) < _LABEL - 2:
            yield replace(same[0], label=label)
        else:
            yield from (replace(fact, missing="", lines=("",)) for fact in same[:-1])
            yield same[-1]


def _sources(facts: Sequence[CodeFact]) -> Iterator[str]:
    """Tables and releases, with the days from which what they say is known to hold."""
    days: dict[TableVersion, set[int]] = {}
    for fact in facts:
        if fact.table is not None:
            days.setdefault(fact.table, set()).update({fact.since} - {0})
    for (name, release), since in days.items():
        begins = " and ".join(map(iso, sorted(since)))
        yield f"{name} {release}" + (f", from {begins}" if begins else "")


def _wrap(label: str, line: str, width: int, hang: int = 0) -> list[str]:
    return textwrap.wrap(
        line,
        width,
        initial_indent=label,
        subsequent_indent=" " * (len(label) + hang),
        break_on_hyphens=False,
        break_long_words=False,
    ) or [label.rstrip()]


def code_as_json(code: str, on: int, facts: Iterable[CodeFact]) -> str:
    document = {
        "schema": SCHEMA,
        "code": code,
        "on": iso(on),
        "facts": {fact.name: fact.as_json() for fact in facts},
    }
    return json.dumps(document, indent=2) + "\n"
