"""Makes samples/837p/97530 and docs/97530.md: what guides say about 97530, and the rule that checks it.

The statements stand in tests/statements_97530.yaml.

By hand: python tests/write_97530.py
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import asking, write_example
from edi_checker.claims.minutes import Minutes
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.x12.finding import Finding

ROOT = Path(__file__).resolve().parent.parent
STATEMENTS = ROOT / "tests" / "statements_97530.yaml"
SAMPLES = ROOT / "samples" / "837p" / "97530"
PAGE = ROOT / "docs" / "97530.md"
RECEIVED = 20261121

_HEAD = """\
# What guides say about 97530, and the rule that checks it

97530 is therapeutic activities. The statements below are from coding guides and payer pages. A rule checks
each that a claim can show: one of its two samples passes and the other fails. Some, at the end, only the
record can show; with the findings of the rule that is named there the report says what the record must
have. Where a guide and the published tables disagree, the tables decide. `tests/write_97530.py` makes this
page and the samples from `tests/statements_97530.yaml`, and a test keeps them current.

    edi-checker check samples/837p/97530 --received 2026-11-21
    edi-checker explain therapy.minutes
"""
_TAIL = """\

## Beyond single claims

| what therapy software should do | where it is |
|---|---|
| a timer for units | `edi-checker units 97530=25 97110=20`: the units for minutes, by both methods |
| guidance on modifiers | the fix of each finding; `edi-checker explain modifier.conflict` |
| alerts, scrubbing of claims | `edi-checker check FILE` before claims are sent |
| reminders to bill | not visible in a claim: what was never billed is in no claim file |
| what the record must show | the documentation of a rule: `explain`, and with its findings in HTML |
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement about 97530; `passing` and `failing` are claims in the notation of examples.

    What no claim shows has none; `unseen` is then a word of the documentation for which the rule asks.
    """

    name: str
    says: str
    rule: str
    passing: dict[str, Any]
    failing: dict[str, Any]
    unseen: str


def statements() -> list[Statement]:
    """The statements, in order."""
    rows = yaml.load(STATEMENTS.read_text(), yaml.BaseLoader)  # only texts
    return [
        Statement(
            row["name"],
            row["says"],
            row["rule"],
            row.get("pass", {}),
            row.get("fail", {}),
            row.get("unseen", ""),
        )
        for row in rows
    ]


def asked_of_the_record(statement: Statement) -> str:
    """The documentation of the rule that has the word of an unseen statement."""
    documentation = BOOK[statement.rule].documentation
    return next(line for line in documentation if statement.unseen in line.lower())


def files(statement: Statement) -> Iterator[tuple[str, str]]:
    """Name and text of every file of a statement."""
    if statement.unseen:
        return
    for ending, example in (("pass", statement.passing), ("fail", statement.failing)):
        written = write_example(example)
        yield f"{statement.name}.{ending}.837", written.text
        if written.minutes:
            yield f"{statement.name}.{ending}.minutes.csv", written.minutes


def find(checker: Checker, example: dict[str, Any]) -> list[Finding]:
    """The findings on a sample as it is checked with its minutes."""
    written = write_example(example)
    minutes = Minutes.parse(written.minutes, "sample") if written.minutes else None
    setting = Setting(RECEIVED, built_in(), minutes)
    checker = Checker(checker.guide, checker.engine, setting)
    return [f for checked in checker.check(io.BytesIO(written.text.encode())) for f in checked.findings]


def make_checker() -> Checker:
    return Checker(load_guide(), Engine(BOOK, "python"), Setting(RECEIVED, built_in()))


def page() -> str:
    """The text of docs/97530.md."""
    checker = make_checker()
    lines = [_HEAD]
    for number, statement in enumerate(statements(), 1):
        lines += [f"## {number}. {statement.says}", ""]
        if statement.unseen:
            words = f"Not visible in a claim. Rule `{statement.rule}` says that the record should show:"
            lines += [words, "", f"> {asked_of_the_record(statement)}", ""]
            continue
        found = find(asking(checker, BOOK[statement.rule]), statement.failing)
        finding = next(f for f in found if f.rule == statement.rule)
        where = finding.where
        place = f"line {where.line}, " if where.line is not None else ""
        name = f"../samples/837p/97530/{statement.name}"
        passing = f"[Passes]({name}.pass.837): {_billed(statement.passing)}"
        failing = f"[Fails]({name}.fail.837): {_billed(statement.failing)}"
        lines += [
            f"Rule `{statement.rule}`. {passing}. {failing}.",
            "",
            f"> {finding.severity}, {place}{where.element or where.segment}: {finding.message}",
            ">",
            f"> {finding.fix}",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n" + _TAIL


def _billed(example: dict[str, Any]) -> str:
    text = ", ".join(f"`{line}`" for line in example["lines"])
    diagnoses = example.get("claim", {}).get("diagnoses")
    return f"{text} for {', '.join(diagnoses)}" if diagnoses else text


def main() -> None:
    kept = set()
    for statement in statements():
        for name, text in files(statement):
            (SAMPLES / name).write_text(text)
            kept.add(name)
    for path in SAMPLES.iterdir():
        if path.name not in kept:
            path.unlink()
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
