"""Rules for people: one as a page, many as a list."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from edi_checker.rules import Rule, explain

_LABEL = 22  # columns of the longest heading, and a gap


def write_page(rule: Rule, width: int) -> str:
    """Everything that the rule's file says, as plain text in `width` columns."""
    out = []
    for section in explain(rule):
        label = section.heading
        for line in section.lines:
            stripped = line.lstrip()
            indent = " " * (_LABEL + len(line) - len(stripped))
            start = f"{label:<{_LABEL}}{indent[_LABEL:]}"
            out += textwrap.wrap(
                stripped,
                max(width, 2 * _LABEL),
                initial_indent=start if len(label) < _LABEL else f"{label} ",
                subsequent_indent=indent,
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
