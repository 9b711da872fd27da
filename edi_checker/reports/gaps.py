"""Days of service outside the tables: the sentences on top of every report, and the same for programs."""

from __future__ import annotations

from collections.abc import Iterable

from edi_checker.facts import Gap
from edi_checker.reference.periods import last_day
from edi_checker.reference.tables import BUILT_IN
from edi_checker.x12.dates import iso

_NAMES = {
    "ncci_addon": "NCCI add-on codes",
    "ncci_mue": "MUE",
    "ncci_ptp": "PTP edits",
    "mpfs": "Medicare fee schedule",
    "ncci_addon_medicaid": "Medicaid add-on codes",
    "ncci_mue_medicaid": "Medicaid MUE",
    "ncci_ptp_medicaid": "Medicaid PTP edits",
}


def say_gaps(gaps: Iterable[Gap]) -> list[str]:
    """A sentence for all tables of which the same holds, in their order."""
    gaps = list(gaps)
    together: dict[tuple[str, str, int, int, int], list[str]] = {}
    for gap in (gap for gap in gaps if gap.side != "full"):
        key = (gap.version, gap.side, gap.first, gap.last, gap.claims)
        together.setdefault(key, []).append(_NAMES.get(gap.table, gap.table))
    full = [
        f"Dates of service {_days(gap.first, gap.last)} are beyond the room for earlier claims: later claims"
        " of the same patients are not held against them."
        for gap in gaps
        if gap.side == "full"
    ]
    return [
        _say(", ".join(tables), len(tables), version, side, _days(first, last), claims)
        for (version, side, first, last, claims), tables in together.items()
    ] + full


def _say(tables: str, count: int, version: str, side: str, days: str, claims: int) -> str:
    has = "1 claim has" if claims == 1 else f"{claims:,} claims have"
    verb = "s" if count == 1 else ""
    end = last_day(version)
    if side == "after":
        ends = f"end{verb} {iso(end)}" if end else f"end{verb} earlier"
        return (
            f"{tables} {version} {ends}; {has} later dates of service ({days}): later changes are not known."
        )
    known = (
        "only rows whose first day is known are applied"
        if version == BUILT_IN
        else "only the built-in therapy rows are known"
    )
    return f"{tables} {version} begin{verb} later; {has} earlier dates of service ({days}): {known}."


def gaps_as_json(gaps: Iterable[Gap]) -> list[dict[str, str | int]]:
    return [
        {
            "name": gap.table,
            "version": gap.version,
            "side": gap.side,
            "from": iso(gap.first),
            "until": iso(gap.last),
            "claims": gap.claims,
        }
        for gap in gaps
    ]


def _days(first: int, last: int) -> str:
    return iso(first) if first == last else f"{iso(first)} to {iso(last)}"
