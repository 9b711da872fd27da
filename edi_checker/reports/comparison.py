"""Two JSON reports of one input held against each other: findings, claims, outcome."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, TextIO

from edi_checker.files.names import escape
from edi_checker.reports.json_report import read_parts
from edi_checker.reports.verdict import words_of

_Row = dict[str, Any]
_HEAD = ("schema", "version", "received", "tables", "outcome", "reason", "unlisted")
_DECIDES = ("severity", "status")
_SHOWN = {"version": "edi-checker", "received": "Received", "outcome": "Outcome", "reason": "Reason"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs; pairs are what was before and what is now.

    before, after  version, received, tables, outcome, reason and unlisted of the reports
    changed        findings of one rule at one place, of another severity or status
    reworded       how many findings differ in their words alone, or in the table that decided them
    claims         those with another outcome; None where a report lacks the claim
    """

    before: _Row
    after: _Row
    added: tuple[_Row, ...]
    gone: tuple[_Row, ...]
    changed: tuple[tuple[_Row, _Row], ...]
    reworded: int
    claims: tuple[tuple[_Row | None, _Row | None], ...]

    @property
    def lost(self) -> bool:
        """Whether the input was checked before and cannot be now."""
        return self.after.get("outcome") == "not_checked" != self.before.get("outcome")

    @property
    def differs(self) -> bool:
        """Whether an answer would be another: releases, days and words make none."""
        heads = any(self.before.get(name) != self.after.get(name) for name in ("outcome", "unlisted"))
        return heads or bool(self.added or self.gone or self.changed or self.claims)


def compare(before: TextIO, after: TextIO) -> Comparison:
    """Both streams are read several times. Raises ValueError for what is no such report."""
    gone: dict[str, list[_Row]] = defaultdict(list)
    for row in _rows(before, "findings"):
        gone[_place_of(row)].append(row)
    added, changed, reworded = [], [], 0
    for row in _rows(after, "findings"):
        same = gone[_place_of(row)]
        if not same:
            added.append(row)
            continue
        # Where a rule finds several at one place, those that are alike belong together.
        old = same.pop(same.index(row) if row in same else 0)
        if any(old[name] != row[name] for name in _DECIDES):
            changed.append((old, row))
        elif old != row:
            reworded += 1
    pairs = zip_longest(_rows(before, "claims"), _rows(after, "claims"))
    claims = [(old, new) for old, new in pairs if not (old and new and _is_same_claim(old, new))]
    return Comparison(
        read_head(before),
        read_head(after),
        tuple(added),
        tuple(row for rows in gone.values() for row in rows),
        tuple(changed),
        reworded,
        tuple(claims),
    )


def without_history(found: Comparison) -> Comparison:
    """Where no history was asked now: findings that rest on one are not gone."""
    kept = tuple(row for row in found.gone if not row["rule"].startswith("history."))
    return replace(found, gone=kept)


def _is_same_claim(old: _Row, new: _Row) -> bool:
    return all(old[name] == new[name] for name in ("claim", "transaction", "outcome"))


def _place_of(finding: _Row) -> str:
    return json.dumps([finding["rule"], finding["where"], finding["related"]])


def _rows(file: TextIO, part: str) -> Iterator[_Row]:
    file.seek(0)
    yield from (json.loads(text) for name, text in read_parts(file) if name == part)


def read_head(file: TextIO) -> _Row:
    """What a report says of itself and of its input. Raises ValueError."""
    file.seek(0)
    return {name: json.loads(text) for name, text in read_parts(file) if name in _HEAD}


# -- for people, and for programs


def write_comparison(found: Comparison) -> Iterator[str]:
    for name, title in _SHOWN.items():
        old, new = found.before.get(name), found.after.get(name)
        if old != new:
            yield f"{title:13}{escape(str(old))} before, {escape(str(new))} now"
    yield from _say_tables(found)
    yield f"{'Claims':13}{len(found.claims):,} with another outcome"
    for before, after in found.claims:
        row = after or before or {}
        yield (
            f"  {escape(str(row.get('claim')))} of transaction {escape(str(row.get('transaction')))}:"
            f" {_outcome(before)} before, {_outcome(after)} now"
        )
    yield (
        f"{'Findings':13}{len(found.added):,} added, {len(found.gone):,} gone, {len(found.changed):,} changed"
        f", {found.reworded:,} in other words"
    )
    for mark, findings in (("+", found.added), ("-", found.gone)):
        for finding in findings:
            yield from _say_finding(mark, finding, finding["severity"])
    for old, finding in found.changed:
        yield from _say_finding("~", finding, " ".join(_say_change(old, finding)))
    unlisted = found.before.get("unlisted"), found.after.get("unlisted")
    if unlisted[0] != unlisted[1]:
        yield f"{'Unlisted':13}{_say_tally(unlisted[0])} before, {_say_tally(unlisted[1])} now"


def _say_tables(found: Comparison) -> Iterator[str]:
    releases = [
        {table["name"]: table["version"] for table in head.get("tables", ())}
        for head in (found.before, found.after)
    ]
    for name in sorted(releases[0].keys() | releases[1].keys()):
        old, new = (each.get(name, "none") for each in releases)
        if old != new:
            yield f"{'Table':13}{name}: {old} before, {new} now"


def _outcome(claim: _Row | None) -> str:
    return words_of(claim["outcome"]) if claim is not None else "not there"


def _say_change(old: _Row, new: _Row) -> Iterator[str]:
    if old["severity"] != new["severity"]:
        yield f"{old['severity']} before, {new['severity']} now"
    else:
        yield new["severity"]
        yield "with another status:"
        yield f"{_say_status(old)} before, {_say_status(new)} now"


def _say_status(finding: _Row) -> str:
    codes = [
        code for said in finding["status"].values() for code in ([said] if isinstance(said, str) else said)
    ]
    return " ".join(codes) or "none"


def _say_finding(mark: str, finding: _Row, said: str) -> Iterator[str]:
    where = finding["where"]
    places = [
        f"claim {where['claim']}" if where["claim"] is not None else "",
        f"line {where['line']}" if where["line"] is not None else "",
        " ".join(filter(None, (where["loop"], where["element"] or where["segment"]))),
    ]
    yield f"  {mark} {finding['rule']}  {said}"
    yield f"    {escape(' · '.join(filter(None, places)))}: {escape(finding['message'])}"


def _say_tally(unlisted: dict[str, int] | None) -> str:
    return ", ".join(f"{rule} {number:,}" for rule, number in (unlisted or {}).items()) or "none"


def comparison_as_json(found: Comparison) -> _Row:
    return {
        "differs": found.differs,
        "before": found.before,
        "now": found.after,
        "added": found.added,
        "gone": found.gone,
        "changed": [{"before": old, "now": new} for old, new in found.changed],
        "reworded": found.reworded,
        "claims": [{"before": old, "now": new} for old, new in found.claims],
    }
