"""A rule in words."""

from __future__ import annotations

from typing import NamedTuple

from edi_checker.facts import FieldType
from edi_checker.rules.model import ASKED, Case, Notation, Reference, Rule, StatusForm, Term, Text
from edi_checker.x12.dates import iso
from edi_checker.x12.money import dollars, show_units

_ORDER_OF_DATES = {
    "at_least": "on or after",
    "at_most": "on or before",
    "more_than": "after",
    "less_than": "before",
}
_WORDS = {
    "equal": "is",
    "not": "is there and is not",
    "one_of": "is one of",
    "none_of": "is there and is none of",
    "at_least": "is at least",
    "at_most": "is at most",
    "more_than": "is more than",
    "less_than": "is less than",
    "has": "has",
    "has_any": "has any of",
    "has_all": "has all of",
    "has_none": "has none of",
}


class Section(NamedTuple):
    """One part of an explanation: a heading and its lines, plain text."""

    heading: str
    lines: tuple[str, ...]


def explain(rule: Rule) -> tuple[Section, ...]:
    """Everything a rule file says, in the order in which a reader needs it; nothing empty."""
    sections = [
        ("Rule", [f"{rule.id}: {rule.title}"]),
        ("Fault", [rule.fault]),
        ("Why", [rule.why]),
        ("SNIP type", [str(rule.snip)]),
        ("Profiles", [", ".join(rule.profiles) or "all"]),
        ("Binds", [_bond(profile, source, rule) for profile, source in rule.binds.items()]),
    ]
    for number, case in enumerate(rule.cases, 1):
        of = f" (case {number} of {len(rule.cases)})" if len(rule.cases) > 1 else ""
        sections += [
            (f"Severity{of}", [_severity(case)]),
            (f"In force{of}", [_in_force(case)]),
            (f"A finding{of}", _condition(case)),
            (f"Message{of}", [_template(case.message)]),
            (f"Fix{of}", [_template(case.fix)]),
            (f"Answered with{of}", _statuses(case.status)),
        ]
    sections += [
        ("Repaired by", _repairs(rule)),
        ("The record should show", list(rule.documentation)),
        ("Sources", [_source(source.cite, source.seen, source.note) for source in rule.sources]),
        ("Passes", list(map(say_example, rule.examples.passing))),
        ("Fails", list(map(say_example, rule.examples.failing))),
    ]
    kept = ((heading, tuple(line for line in lines if line)) for heading, lines in sections)
    return tuple(Section(heading, lines) for heading, lines in kept if lines)


def _repairs(rule: Rule) -> list[str]:
    """With which options `edi-checker fix` repairs what the rule finds, where it can."""
    if not rule.fixable:
        return []
    words = {"safe": "`edi-checker fix`", "unsafe": "`edi-checker fix --unsafe`"}
    return [f"{' and '.join(words[safety] for safety in rule.fixable)}, where the form alone is wrong"]


def _bond(profile: str, source: str, rule: Rule) -> str:
    if profile != "default":
        return f"{profile}: {source}"
    return f"{'others' if len(rule.binds) > 1 else 'all payers'}: {source}"


def _severity(case: Case) -> str:
    if len(case.severity) == 1:
        return case.severity["default"]
    others = [
        f"{profile} {severity}" if profile != ASKED else f"{severity} if a profile or --select asks for it"
        for profile, severity in case.severity.items()
        if profile != "default"
    ]
    return f"{', '.join(others)}, else {case.severity['default']}"


def _in_force(case: Case) -> str:
    first, last = case.in_force.first, case.in_force.last
    since = f"from {iso(first)}" if first else ""
    until = f"until {iso(last)}" if last else ""
    span = f"{since} {until}".strip()
    by = "date of service" if case.in_force.by == "service" else "date of receipt"
    return f"{span}, by {by}" if span else "always"


def _condition(case: Case) -> list[str]:
    lines = []
    for pattern in case.match:
        lines.append(f"when there is a {pattern.kind} ({pattern.alias})")
        lines += [f"  whose {_term(term, pattern.alias)}" for term in pattern.terms]
    if case.require:
        lines.append("unless")
        lines += [f"  {'and ' if place else ''}{_term(term, '')}" for place, term in enumerate(case.require)]
    return lines


def _term(term: Term, alias: str) -> str:
    field = term.field
    name = field.field if field.alias == alias else f"{field.alias}.{field.field}"
    if term.operator in ("present", "absent"):
        return f"{name} is {term.operator}"
    words = _WORDS[term.operator]
    kind: FieldType = field.type
    if kind == "date" and term.operator in _ORDER_OF_DATES:
        words = f"is {_ORDER_OF_DATES[term.operator]}"
    if kind == "codes" and not term.operator.startswith("has"):
        name, kind = f"number of {name}", "int"
    value = term.value
    if isinstance(value, Reference):
        return f"{name} {words} {value.alias}.{value.field}"
    if isinstance(value, tuple):
        return f"{name} {words} {', '.join(say(item, kind) for item in value)}"
    return f"{name} {words} {say(value, kind)}"


def say(value: object, kind: FieldType) -> str:
    """A value as a finding says it: 12.50, 1.5, 2026-02-03, GP, KX; "none" if it is absent."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if value is None or value == "":
        return "none"
    if isinstance(value, int):
        if kind == "date":
            return iso(value)
        if kind == "money":
            return dollars(value)
        if kind == "quantity":
            return show_units(value)
    return str(value)


def _template(text: Text) -> str:
    return "".join(part if isinstance(part, str) else f"{{{part.alias}.{part.field}}}" for part in text)


def _statuses(status: StatusForm) -> list[str]:
    lines = []
    for name, codes in (("999", status.ack999), ("277CA", status.ack277ca), ("TA1", status.ta1)):
        if isinstance(codes, Reference):
            lines.append(f"{name} with {codes.alias}.{codes.field}")
        elif codes:
            lines.append(f"{name} {codes if isinstance(codes, str) else ', '.join(codes)}")
    return lines


def _source(cite: str, seen: int, note: str) -> str:
    return f"{cite} (seen {iso(seen)}){': ' + note if note else ''}"


def say_example(value: Notation) -> str:
    """An example, as its file has it, on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "[" + ", ".join(say_example(item) for item in value) + "]"
    return (
        ", ".join(f"{key}: {say_example(item)}" for key, item in value.items()) or "the base claim as it is"
    )
