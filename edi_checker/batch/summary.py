"""What a batch came to: as summary.json, and as a table for the eye."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from edi_checker.batch.resume import Record
from edi_checker.facts import Coverage, Gap
from edi_checker.reports.gaps import gaps_as_json, say_gaps
from edi_checker.reports.stakes import Stake, add_up
from edi_checker.reports.statistics import stakes_as_json
from edi_checker.reports.verdict import say_file, words_of
from edi_checker.x12.money import dollars, show_dollars

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = "edi-checker/batch-summary/1"
_SHOWN = 15  # inputs or rules in the table
_OUTCOMES = ("accepted", "accepted_with_errors", "rejected", "not_checked")
_VERDICTS = ("accepted", "rejected", "not_checked")


@dataclass(frozen=True, slots=True)
class Work:
    """How a run went: seconds, claims that were checked in it, inputs that were done before it."""

    seconds: float
    claims: int
    resumed: int
    workers: int
    deaths: int

    @property
    def speed(self) -> float:
        """Claims in a second."""
        return self.claims / self.seconds if self.seconds > 0 else 0.0


@dataclass(slots=True)
class Totals:
    """The sums over all records.

    `cents` by outcome of the claim, `rules` by severity and rule id; `gaps` are days of service outside the
    tables, `stakes` what the findings of each rule cost.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    cents: Counter[str] = field(default_factory=Counter)
    rules: Counter[tuple[str, str]] = field(default_factory=Counter)
    gaps: tuple[Gap, ...] = ()
    stakes: list[Stake] = field(default_factory=list)

    def add(self, record: Record) -> None:
        if record.skipped:
            return
        self.inputs[record.outcome] += 1
        self.counts.update(record.counts)
        self.cents.update(record.cents)
        for severity, rule, count in record.rules:
            self.rules[severity, rule] += count
        coverage = Coverage()
        coverage.take((*self.gaps, *(Gap(*values) for values in record.gaps)))
        self.gaps = coverage.gaps()
        self.stakes = add_up((*self.stakes, *(Stake(*values) for values in record.stakes)))

    def most_frequent(self) -> list[tuple[tuple[str, str], int]]:
        return sorted(self.rules.items(), key=lambda item: (-item[1], item[0]))


def write_summary(
    out: TextIO, records: list[Record], totals: Totals, work: Work, head: dict[str, Any]
) -> None:
    """Write summary.json: `head` (version, date, tables), the totals, the run, and each input on a line."""
    skipped = [record for record in records if record.skipped]
    records = [record for record in records if not record.skipped]
    whole = {
        "schema": SCHEMA,
        **head,
        "notices": say_gaps(totals.gaps),
        "files": {"total": len(records), **{outcome: totals.inputs[outcome] for outcome in _OUTCOMES}},
        "counts": dict(totals.counts),
        "charges": {
            "total": dollars(totals.cents.total()),
            **{verdict: dollars(totals.cents[verdict]) for verdict in _VERDICTS},
        },
        "findings": [
            {"rule": rule, "severity": severity, "count": count}
            for (severity, rule), count in totals.most_frequent()
        ],
        "statistics": stakes_as_json(totals.stakes),
        "not_covered": gaps_as_json(totals.gaps),
        "run": {
            "seconds": round(work.seconds, 3),
            "claims": work.claims,
            "claims_per_second": round(work.speed, 1),
            "workers": work.workers,
            "resumed_files": work.resumed,
            "workers_replaced": work.deaths,
        },
        "skipped": [{"path": record.path, "reason": record.reason} for record in skipped],
    }
    out.write(json.dumps(whole)[:-1] + ',\n "inputs": [')
    between = "\n  "
    for record in records:
        out.write(between + json.dumps(record.as_json()))
        between = ",\n  "
    out.write("]}\n")


def print_summary(out: TextIO, records: list[Record], totals: Totals, work: Work, width: int) -> None:
    """Print the totals, the most frequent findings and the inputs that need a look."""
    from rich.console import Console

    console = Console(file=out, width=width, highlight=False, markup=False, emoji=False)
    for sentence in say_gaps(totals.gaps):
        console.print(sentence, style="bold")
    _show(console, "Claims", ("",), ("files", "claims", "charges"), _rows_of_claims(totals))
    frequent = totals.most_frequent()
    rows = [(rule, severity, f"{count:,}") for (severity, rule), count in frequent]
    _show(console, "Findings by rule", ("rule", "severity"), ("findings",), rows, "rules")
    left = [each for each in records if each.troubles or (each.outcome != "accepted" and not each.skipped)]
    texts, numbers = ("file", "verdict"), ("claims", "errors", "warnings")
    _show(console, "Files that need work before you send", texts, numbers, [*map(_row_of, left)], "files")
    skipped = [(record.path, record.reason or "") for record in records if record.skipped]
    _show(console, "Skipped: no claim files", ("file", "what it is"), (), skipped, "files")
    console.print(_sentence(work))


def _rows_of_claims(totals: Totals) -> list[tuple[str, ...]]:
    rows = [
        (
            words_of(verdict),
            f"{totals.inputs[verdict]:,}",
            f"{totals.counts[f'claims_{verdict}']:,}",
            show_dollars(totals.cents[verdict], ""),
        )
        for verdict in _VERDICTS
    ]
    rows.append(("some claims rejected", f"{totals.inputs['accepted_with_errors']:,}", "", ""))
    charges = show_dollars(totals.cents.total(), "")
    return [*rows, ("all", f"{totals.inputs.total():,}", f"{totals.counts['claims']:,}", charges)]


def _row_of(record: Record) -> tuple[str, ...]:
    counts = record.counts
    outcome = say_file(record.outcome, counts["claims_rejected"], counts["claims"])
    said = f"{outcome}: {record.reason}" if record.reason else outcome
    return (record.path, said, *(f"{counts[each]:,}" for each in ("claims", "error", "warning")))


def _show(
    console: Console,
    title: str,
    texts: Sequence[str],
    numbers: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    what: str = "",
) -> None:
    """Print a table of the first rows, and how many more of what there are; nothing where there is none."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for column in texts:
        table.add_column(column, overflow="fold" if column == "file" else "ellipsis")
    for column in numbers:
        table.add_column(column, justify="right")
    for row in rows[:_SHOWN]:
        table.add_row(*map(Text, row))
    console.print(table)
    if len(rows) > _SHOWN:
        console.print(f"and {len(rows) - _SHOWN:,} more {what}: see summary.json")


def _sentence(work: Work) -> str:
    said = f"{work.claims:,} claims in {work.seconds:,.1f} s, {work.speed:,.0f} a second"
    if work.resumed:
        said += f"; {work.resumed:,} {'file was' if work.resumed == 1 else 'files were'} done before"
    if work.deaths:
        said += f"; {work.deaths} worker processes died and were replaced"
    return said + "."
