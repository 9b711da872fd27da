"""The rules that found something, with the claims and the money that they hold up: errors first."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from edi_checker.files.names import escape
from edi_checker.reports.findings_log import FindingsLog, Summary
from edi_checker.reports.stakes import Stake, add_up
from edi_checker.x12.money import dollars, show_dollars

SCHEMA = "edi-checker/statistics/1"
_INDENT = 43
_OUTCOMES = ("accepted", "rejected", "not_checked")


def stakes_as_json(stakes: Iterable[Stake]) -> list[dict[str, Any]]:
    """Each rule with its findings, claims and money; `if_warning` is what would be accepted if it alone were
    a warning.
    """
    return [
        {
            "rule": stake.rule,
            "severity": stake.severity,
            "count": stake.findings,
            "claims": stake.claims,
            "at_stake": dollars(stake.cents),
            "if_warning": {"claims": stake.alone, "charge": dollars(stake.alone_cents)},
            "example": stake.example,
        }
        for stake in stakes
    ]


def print_stakes(out: TextIO, stakes: Iterable[Stake], width: int, faults: Mapping[str, str]) -> None:
    """Print the rules as a table; `faults` has the fault that a rule finds, in words."""
    width = min(max(width, 70), 120)
    out.write(f"{'severity':<8}{'findings':>10}{'claims':>8}{'at stake':>15}  rule\n")
    for stake in stakes:
        at_stake = show_dollars(stake.cents) if stake.severity == "error" else ""
        head = f"{stake.severity:<8}{stake.findings:>10,}{stake.claims:>8,}{at_stake:>15}  {stake.rule}"
        out.write(escape(head) + "\n")
        for sentence in filter(
            None, (faults.get(stake.rule), f"For example: {stake.example}", _say_alone(stake))
        ):
            lines = textwrap.wrap(escape(sentence), width - _INDENT)
            out.write(textwrap.indent("\n".join(lines), " " * _INDENT) + "\n")


def _say_alone(stake: Stake) -> str:
    if stake.severity != "error":
        return ""
    if not stake.alone:
        return "If it were a warning, no more claims would be accepted."
    more = f"{stake.alone:,} more claim{'' if stake.alone == 1 else 's'}"
    return f"If it were a warning, {more} would be accepted, {show_dollars(stake.alone_cents)}."


class StatisticsReport:
    """Writes to `out` at the end what all files come to, as text of this width or as one JSON object that
    begins with `head`; `faults` has the fault that each rule finds, in words.
    """

    def __init__(
        self,
        out: TextIO,
        *,
        width: int = 100,
        head: Mapping[str, Any] | None = None,
        faults: Mapping[str, str] | None = None,
    ) -> None:
        self._out = out
        self._width = width
        self._head = head
        self._faults = faults or {}
        self._stakes: list[Stake] = []
        self._files = 0
        self._claims: Counter[str] = Counter()
        self._cents: Counter[str] = Counter()
        self._unchecked: list[tuple[str, str]] = []

    def add(self, journal: FindingsLog, summary: Summary) -> None:
        self._files += 1
        self._stakes = add_up((*self._stakes, *summary.stakes))
        self._claims.update(summary.sums.claims)
        self._cents.update(summary.sums.cents)
        if summary.reason is not None:
            self._unchecked.append((summary.path, summary.reason))

    def skip(self, summary: Summary) -> None:
        """A file without claims has no part in the sums."""

    def finish(self) -> None:
        if self._head is not None:
            self._write_json(self._head)
        else:
            self._print()

    def _print(self) -> None:
        out = self._out
        for outcome in _OUTCOMES:
            if claims := self._claims[outcome]:
                money = show_dollars(self._cents[outcome])
                out.write(f"{_count(claims)} {outcome.replace('_', ' ')}, {money}\n")
        for path, reason in self._unchecked:
            out.write(f"{escape(path)}: not checked: {escape(reason)}\n")
        if self._stakes:
            out.write("\n")
            print_stakes(out, self._stakes, self._width, self._faults)
        elif len(self._unchecked) < self._files:
            out.write("Nothing found.\n")

    def _write_json(self, head: Mapping[str, Any]) -> None:
        whole = {
            "schema": SCHEMA,
            **head,
            "files": self._files,
            "not_checked": [{"path": path, "reason": reason} for path, reason in self._unchecked],
            "claims": {outcome: self._claims[outcome] for outcome in _OUTCOMES},
            "charges": {outcome: dollars(self._cents[outcome]) for outcome in _OUTCOMES},
            "rules": stakes_as_json(self._stakes),
        }
        self._out.write(json.dumps(whole, indent=1) + "\n")


def _count(claims: int) -> str:
    return f"{claims:,} claim{'' if claims == 1 else 's'}"
