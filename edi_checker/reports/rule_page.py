"""Rules for people: one as a page, many as a list."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from edi_checker.check.examples import Shown
from edi_checker.rules import Rule
from edi_checker.rules.explain import Section, explain

_LABEL = 16  # columns for the headings; longer ones get a line of their own


def sections_of(rule: Rule, shown: Shown | None = None) -> tuple[Section, ...]:
    """Everything that the rule's file says, and what came of a failing example."""
    return *explain(rule), *(shown.sections() if shown is not None else ())


def write_page(sections: Iterable[Section], width: int) -> str:
    """The sections as plain text in `width` columns (60 at least)."""
    out: list[str] = []
    case = ""
    for section in sections:
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
    """One line for each rule: id, severities, SNIP type, whether `edi-checker fix` repairs it, fault."""
    rows = [(rule.id, "/".join(levels_of(rule)), str(rule.snip), mark_of(rule), rule.fault) for rule in rules]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    return "".join("  ".join((*map(str.ljust, row[:4], widths), row[4])) + "\n" for row in rows)


def mark_of(rule: Rule) -> str:
    """`fix` where `edi-checker fix` repairs what the rule finds, `fix?` where it needs --unsafe for that."""
    return "fix" if "safe" in rule.fixable else "fix?" if rule.fixable else ""


def levels_of(rule: Rule) -> list[str]:
    """Every severity that the rule may have, the gravest first."""
    given = {level for case in rule.cases for level in case.severity.values()}
    return [level for level in ("error", "warning", "info", "off") if level in given]
