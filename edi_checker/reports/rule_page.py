"""Rules for people: one as a page, many as a list."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from edi_checker.finding import Finding
from edi_checker.rules import Rule, Section, explain
from edi_checker.rules.explain import say_example
from edi_checker.rules.model import Notation

_LABEL = 16  # columns for the headings; longer ones get a line of their own


@dataclass(frozen=True, slots=True)
class Shown:
    """A failing example: its notation, the segments that its finding points at (its own place first; none
    where the finding is that something is missing), and the finding.
    """

    example: Notation
    segments: tuple[str, ...]
    finding: Finding

    @property
    def given(self) -> list[str]:
        """What goes in: the segments that matter, else the example as it is written."""
        return [f"{segment}~" for segment in self.segments] or [say_example(self.example)]

    def sections(self) -> tuple[Section, ...]:
        """What goes in, what comes out, the codes that answer it, the release of the table that decided."""
        finding = self.finding
        line = f"line {finding.where.line}, " if finding.where.line is not None else ""
        place = f"{line}{finding.where.loop} {finding.where.element or finding.where.segment}"
        status = finding.status
        codes = [
            (name, ", ".join(given)) for name, given in (("999", status.ack999), ("277CA", status.ack277ca))
        ]
        codes.append(("TA1", status.ta1 or ""))
        answered = [f"{name} {given}" for name, given in codes if given]
        table = f"{finding.table.name}, {finding.table.version}" if finding.table is not None else ""
        sections = (
            ("Example in", self.given),
            ("Example out", [f"{finding.severity} at {place}: {finding.message}", f"fix: {finding.fix}"]),
            ("Answered with", ["; ".join(answered)]),
            ("Table", [table]),
        )
        return tuple(Section(heading, tuple(lines)) for heading, lines in sections if any(lines))


def write_page(rule: Rule, width: int, shown: Shown | None = None) -> str:
    """Everything that the rule's file says, as plain text in `width` columns (60 at least), and what came of
    a failing example.
    """
    out: list[str] = []
    case = ""
    for section in (*explain(rule), *(shown.sections() if shown is not None else ())):
        label, _, of = section.heading.partition(" (case ")
        if of != case or label == "Example in":
            case = of
            out += ["", f"Case {of.rstrip(')')}"] if of else [""]
        if len(label) >= _LABEL:
            out.append(label)
            label = ""
        for line in section.lines:
            text = line.lstrip()
            deeper = " " * (len(line) - len(text))
            out += textwrap.wrap(
                text,
                max(width, 60),
                initial_indent=f"{label:<{_LABEL}}{deeper}",
                subsequent_indent=f"{'':<{_LABEL}}{deeper}",
                break_on_hyphens=False,
            )
            label = ""
    return "\n".join(out) + "\n"


def list_rules(rules: Iterable[Rule]) -> str:
    """One line for each rule: id, severities, SNIP type, title."""
    rows = [(rule.id, _severity(rule), str(rule.snip), rule.title) for rule in rules]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "".join("  ".join((*map(str.ljust, row[:3], widths), row[3])) + "\n" for row in rows)


def _severity(rule: Rule) -> str:
    """Every severity that the rule may have, the gravest first."""
    given = {level for case in rule.cases for level in case.severity.values()}
    return "/".join(level for level in ("error", "warning", "info", "off") if level in given)
