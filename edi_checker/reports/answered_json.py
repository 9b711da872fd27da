"""What a list of answered claims says at its top, and as JSON; the other forms say the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from edi_checker.acks.answered import Loose, Row, Sums, WorkList
from edi_checker.acks.explain import Statement
from edi_checker.acks.heaps import HEAPS, Heap
from edi_checker.x12.money import dollars, show_dollars

SCHEMA = "edi-checker/explain-ack/1"


def say_top(work: WorkList) -> list[str]:
    """The sentences at the top: how many claims must be fixed, wait, were accepted; none without claims."""
    known, unknown = work.sums(known=True), work.sums(known=False)
    said = [_say_sums(known)] if work.has_claims else []
    if unknown.claims:
        others = _say_sums(unknown)
        if work.has_claims:
            others = f"Answered, but not found in the claim files: {others[0].lower()}{others[1:]}"
        said.append(others)
    return said


def _say_sums(sums: Sums) -> str:
    of, fix = sums.claims.total(), sums.claims["fix"]
    if not of:
        return "The claim files hold no claims."
    if sums.accepted == of:
        return "The claim was accepted." if of == 1 else f"All {of:,} claims were accepted."
    never = sums.claims["leave"] - sums.accepted
    parts = [
        f"{fix or 'None'} of {_count(of)} must be fixed"
        if fix != of or of == 1
        else f"All {of:,} claims must be fixed"
    ]
    for count, one, more in (
        (sums.claims["wait"], "waits for the payer", "wait for the payer"),
        (sums.claims["unanswered"], "is not answered yet", "are not answered yet"),
        (sums.accepted, "was accepted", "were accepted"),
        (never, "was rejected and is not to be sent again", "were rejected and are not to be sent again"),
    ):
        if count:
            parts.append(f"{count:,} {one if count == 1 else more}")
    return ", ".join(parts) + "."


def _count(number: int) -> str:
    return "1 claim" if number == 1 else f"{number:,} claims"


def say_heap(heap: Heap, sums: Sums) -> str:
    """`3 claims, $1,200.00`."""
    return f"{_count(sums.claims[heap])}, {show_dollars(sums.cents[heap])}"


def say_days(row: Row) -> str:
    """`2026-03-31`, or both ends of a period."""
    first, last = row.dates
    return first if last in ("", first) else f"{first} to {last}"


def say_before(row: Row) -> str:
    """What other answers said of the claim, "" for nothing."""
    said = [f"{kind} {outcome} ({source})" for kind, outcome, source in row.before]
    return f"Also: {', '.join(said)}." if said else ""


def rows_of(work: WorkList) -> Iterator[Row]:
    """All claims, heap by heap, those of the claim files first."""
    for known in (True, False):
        for heap in HEAPS:
            yield from work.rows(heap, known=known)


def write_json(work: WorkList, out: TextIO, version: str) -> None:
    """One object, as explain-ack.schema.json says; holds one claim at a time in memory."""
    head = {
        "schema": SCHEMA,
        "version": version,
        "says": say_top(work),
        "outcome": work.outcome(),
        "sources": [source._asdict() for source in work.sources()],
        "in_claim_files": _sums_as_json(work.sums(known=True)),
        "in_answers_alone": _sums_as_json(work.sums(known=False)),
    }
    out.write(json.dumps(head, indent=1)[:-2])
    _write_list(out, "claims", map(_row_as_json, rows_of(work)))
    _write_list(out, "other", map(_loose_as_json, work.loose()))
    _write_list(out, "told", (_statement_as_json(path, said) for _, path, said in work.statements()))
    out.write("\n}\n")


def _write_list(out: TextIO, name: str, items: Iterable[dict[str, Any]]) -> None:
    out.write(f',\n "{name}": [')
    before = "\n  "
    for item in items:
        out.write(before + json.dumps(item))
        before = ",\n  "
    out.write("\n ]")


def _sums_as_json(sums: Sums) -> dict[str, Any]:
    return {
        "claims": {"total": sums.claims.total(), **{heap: sums.claims[heap] for heap in HEAPS}},
        "charges": {
            "total": dollars(sums.cents.total()),
            **{heap: dollars(sums.cents[heap]) for heap in HEAPS},
        },
        "accepted": sums.accepted,
        "without_charge": sums.unpriced,
    }


def _row_as_json(row: Row) -> dict[str, Any]:
    return {
        "claim": row.claim,
        "heap": row.heap,
        "outcome": row.outcome,
        "patient": row.patient or None,
        "from": row.dates[0] or None,
        "to": row.dates[1] or None,
        "charge": None if row.charge is None else dollars(row.charge),
        "says": list(row.says),
        "advice": list(row.advice),
        "codes": list(row.codes),
        "answer": row.kind or None,
        "said_by": row.source or None,
        "claim_file": row.file or None,
        "transaction": row.transaction or None,
        "also": [{"answer": kind, "outcome": outcome, "said_by": path} for kind, outcome, path in row.before],
    }


def _loose_as_json(said: Loose) -> dict[str, Any]:
    return {
        "answer": said.kind or None,
        "outcome": said.outcome,
        "text": said.text,
        "advice": said.advice,
        "codes": list(said.codes),
        "said_by": said.source,
    }


def _statement_as_json(path: str, said: Statement) -> dict[str, Any]:
    return {
        "path": path,
        "answer": said.answer,
        "about": said.about,
        "id": said.id,
        "outcome": said.outcome,
        "text": said.text,
        "advice": said.advice,
        "codes": list(said.codes),
        "transaction": said.transaction,
        "claim": said.claim,
        "position": said.position,
        "element": said.element,
    }
