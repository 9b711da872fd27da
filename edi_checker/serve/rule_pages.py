"""Rules that somebody looks for: as a list, one as a page, and both for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TextIO

from edi_checker.reports.html.markup import append, head_of, scroll, tag
from edi_checker.reports.rule_page import levels_of, mark_of
from edi_checker.rules import Rule
from edi_checker.rules.explain import Section
from edi_checker.serve.pages import write_page

_REPAIRED = {"fix": "yes", "fix?": "if asked for", "": ""}


def find_rules(rules: Iterable[Rule], words: str) -> list[Rule]:
    """Those in which every word stands: in the id, the title, the fault, the reason or a message."""
    wanted = words.lower().split()
    return [rule for rule in rules if all(word in _text_of(rule) for word in wanted)]


def _text_of(rule: Rule) -> str:
    messages = (part for case in rule.cases for part in case.message if isinstance(part, str))
    return " ".join((rule.id, rule.title, rule.fault, rule.why, *messages)).lower()


def rules_as_json(rules: Iterable[Rule]) -> str:
    """Each with its id, fault, severities, SNIP type and whether `fix` repairs it."""
    found = [
        {
            "id": rule.id,
            "title": rule.title,
            "fault": rule.fault,
            "severities": levels_of(rule),
            "snip": rule.snip,
            "fixable": list(rule.fixable),
        }
        for rule in rules
    ]
    return json.dumps({"rules": found}, indent=1) + "\n"


def write_rules(out: TextIO, rules: list[Rule], words: str) -> None:
    """The page with the list and its search."""
    field = tag("input", type="search", name="q", id="q", value=words)
    form = tag(
        "form",
        tag("div", tag("label", "Words to look for", for_="q"), field, class_="field"),
        tag("div", tag("button", "Look for rules", type="submit", class_="main"), class_="buttons"),
        method="get",
        action="/rules",
        role="search",
    )
    body = tag("tbody")
    for rule in rules:
        append(
            body,
            tag(
                "tr",
                tag("th", tag("a", rule.id, href=f"/rules/{rule.id}"), scope="row"),
                tag("td", rule.fault),
                tag("td", ", ".join(levels_of(rule))),
                tag("td", str(rule.snip)),
                tag("td", _REPAIRED[mark_of(rule)]),
            ),
        )
    count = f"{len(rules):,} rule{'s' * (len(rules) != 1)}" + (" with these words" if words.strip() else "")
    count += ". Where a rule has several severities, the payer decides."
    head = head_of(("Rule", "What is wrong", "Severity", "SNIP type", "Repaired by fix"))
    table = scroll("Rules", tag("table", head, body, class_="rules")) if rules else None
    title = "What do the rules say?"
    lead = "Why each rule exists, since when it is in force, and where it is written down."
    write_page(out, "/rules", title, lead, form, tag("p", count, class_="hint", role="status"), table)


def write_rule(out: TextIO, rule: Rule, sections: Iterable[Section]) -> None:
    """The page of one rule."""
    parts = tag("dl", class_="parts")
    for section in sections:
        append(parts, tag("dt", section.heading))
        for line in section.lines:
            text = line.lstrip()
            append(parts, tag("dd", text, class_="deeper" if text != line else None))
    back = tag("p", tag("a", "All rules", href="/rules"))
    write_page(out, "/rules", rule.id, f"{rule.title}.", back, parts)
