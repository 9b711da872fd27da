"""Days of service outside the tables, in sentences: what an answer of the tables is worth on them."""

from __future__ import annotations

from collections.abc import Iterable

from edi_checker.facts import Gap
from edi_checker.reference.tables import BUILT_IN
from edi_checker.x12.dates import iso


def say_gaps(gaps: Iterable[Gap]) -> list[str]:
    """A sentence for all tables of which the same holds, in their order."""
    gaps = list(gaps)
    full = [
        f"{_days(gap.first, gap.last)} beyond the room for earlier claims: later claims of the same patients "
        "are not held against them."
        for gap in gaps
        if gap.side == "full"
    ]
    together: dict[tuple[str, str, int, int], list[str]] = {}
    for gap in (gap for gap in gaps if gap.side != "full"):
        together.setdefault((gap.version, gap.side, gap.first, gap.last), []).append(gap.table)
    return [
        f"{_days(first, last)} {side} {', '.join(tables)} {version}: {_consequence(version, side)}."
        for (version, side, first, last), tables in together.items()
    ] + full


def _consequence(version: str, side: str) -> str:
    if side == "after":
        return "what has changed since is not known"
    if version == BUILT_IN:
        return "only rows whose first day is known are applied"
    return "only the built-in therapy rows are known"


def _days(first: int, last: int) -> str:
    if first == last:
        return f"Date of service {iso(first)} lies"
    return f"Dates of service {iso(first)} to {iso(last)} lie"
