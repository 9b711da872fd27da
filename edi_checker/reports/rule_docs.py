"""Rules and the vocabulary they are written in, as pages of Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from edi_checker.check.examples import Shown
from edi_checker.claims.claim import DIAGNOSIS_LISTS
from edi_checker.facts import FactType, Field
from edi_checker.facts.columns import (
    ADDRESS,
    COLUMNS,
    LOOKED_AT_REFERENCES,
    NAME_OF_A_PERSON,
)
from edi_checker.facts.triggers import TRIGGERS, Piece, Trigger
from edi_checker.reports.rule_page import levels_of, mark_of
from edi_checker.rules import Rule
from edi_checker.rules.conditions import OPERATORS
from edi_checker.rules.explain import explain

# Sections that stand in the line under the heading, or in the example.
_ELSEWHERE = ("Rule", "SNIP type", "Profiles", "Passes", "Fails")


def write_rules_page(rules: Iterable[Rule], show: Callable[[Rule], Shown | None]) -> str:
    """Every rule by family: what its file says, and a failing example (by `show`) with its finding."""
    out = [
        "# Rules",
        "",
        "Written by `edi-checker rules docs` from the rule files; changes belong there.",
        "`edi-checker explain ID` shows one of them in the terminal.",
        "[facts.md](facts.md) says what rules can speak of.",
        "`fix`: `edi-checker fix` repairs it where the form alone is wrong; `fix?`: only with `--unsafe`.",
        "",
    ]
    ordered = sorted(rules, key=lambda rule: rule.id)
    families = [
        (family, list(members)) for family, members in groupby(ordered, lambda rule: rule.id.split(".")[0])
    ]
    for family, members in families:
        out += [f"## {family}", "", "| rule | | SNIP | | finds |", "|---|---|---|---|---|"]
        out += [
            f"| [{rule.id}](#{_anchor(rule.id)}) | {'/'.join(levels_of(rule))} | {rule.snip} "
            f"| {mark_of(rule)} | {_cell(rule.fault)} |"
            for rule in members
        ]
        out.append("")
        for rule in members:
            out += _rule(rule, show(rule))
    return "\n".join(out).rstrip() + "\n"


def _rule(rule: Rule, shown: Shown | None) -> list[str]:
    profiles = ", ".join(rule.profiles) or "all"
    out = [f"### {rule.id}", "", f"{_plain(rule.title)}. SNIP type {rule.snip}; profiles: {profiles}.", ""]
    by_heading: dict[str, list[tuple[str, ...]]] = {}
    for section in explain(rule):
        heading = section.heading.partition(" (case ")[0]
        if heading not in _ELSEWHERE:
            by_heading.setdefault(heading, []).append(section.lines)
    for heading, several in by_heading.items():
        distinct = list(dict.fromkeys(several))
        if heading == "A finding":
            out += _listed(heading, [_sentence(lines) for lines in distinct])
        elif len(distinct) == 1:
            out += _listed(heading, distinct[0])
        else:
            out += _listed(heading, [" / ".join(lines) for lines in distinct])
    if shown is not None:
        finding = shown.finding
        table = f" ({finding.table.name}, {finding.table.version})" if finding.table is not None else ""
        at = finding.where.element or finding.where.segment
        out.append(f"- **Example in**: {' '.join(f'`{text}`' for text in shown.given)}")
        out.append(f"- **Example out**: {finding.severity} at {at}: {_plain(finding.message)}{table}")
    return [*out, ""]


def _sentence(lines: Sequence[str]) -> str:
    """A condition of several lines as one."""
    text = ""
    for line in lines:
        joint = ", " if line.startswith("  whose") and "whose" in text.rpartition("when")[2] else " "
        text += joint + line.strip()
    return text.strip()


def _listed(heading: str, lines: Sequence[str]) -> list[str]:
    if len(lines) == 1:
        return [f"- **{heading}**: {_plain(lines[0])}"]
    return [f"- **{heading}**:", *(f"  - {_plain(line.strip())}" for line in lines)]


def _anchor(rule_id: str) -> str:
    return rule_id.replace(".", "")


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return (
        text.replace("\\", "\\\\")
        .replace("*", "\\*")
        .replace("<", "&lt;")
        .replace("_", "\\_")
        .replace("`", "\\`")
    )


def _cell(text: str) -> str:
    return _plain(text).replace("|", "\\|")


def write_facts_page(vocabulary: Mapping[str, FactType]) -> str:
    """The closed vocabulary: every fact type with its fields, and what can be asked of a field."""
    out = [
        "# Facts",
        "",
        "Written by `edi-checker rules docs` from the vocabulary. Rules speak of these facts and of",
        "nothing else. Under `match` a rule names facts of one part of a file, such as a claim; under",
        "`require` it says what must be true of them. Further down is [what makes a",
        "`situation`](#what-makes-a-situation) and which elements are [columns](#columns).",
        "",
        "    match:",
        '      line: {fact: line, code: "97530", units: {more_than: 2}}',
        "    require:",
        "      line: {modifiers: {has_any: [59, XE]}}",
        "",
        "## What can be asked of a field",
        "",
        "| type | what it holds | operators |",
        "|---|---|---|",
    ]
    held = {
        "text": "a code or short text",
        "int": "a count",
        "quantity": "units, up to three decimals",
        "money": "an amount, two decimals",
        "date": "a day, written 2026-01-31",
        "bool": "true or false",
        "codes": "several codes in their order; a number is compared with how many there are",
    }
    for type_name, operators in OPERATORS.items():
        out.append(f"| {type_name} | {held[type_name]} | {', '.join(operators)} |")
    out += [
        "",
        '`code: "97530"` is short for `equal`, `code: ["97530", "97110"]` for `one_of`. The right side is a',
        "constant, or a field of a fact that is matched: `$line.date`. What is absent makes every operator",
        "false but `absent`, which is written `therapy: {absent: true}`.",
        "",
    ]
    for name, kind in vocabulary.items():
        out += [f"## {name}", "", f"{_plain(kind.about[:1].upper() + kind.about[1:])}.", ""]
        if kind.stands_on:
            places = ", ".join(f"`{name}.{key}`" for key in kind.stands_on)
            out += [f"Other places for `at` and `related`: {places}.", ""]
        out += ["| field | type | from | |", "|---|---|---|---|"]
        out += [
            f"| {field_name} | {field.type} | {_cell(field.address)} | {_about(field)} |"
            for field_name, field in kind.fields.items()
        ]
        out.append("")
    out += [*_tell_triggers(TRIGGERS), *_tell_columns()]
    return "\n".join(out).rstrip() + "\n"


_WRITTEN: dict[Piece, str] = {
    "head": "claim (2300)",
    "around": "claim with the levels above it",
    "party": "provider (2310, 2420)",
    "billing": "billing provider (2000A)",
    "patient": "patient (2000C)",
    "line": "line (2400)",
}


def _tell_triggers(rows: Sequence[Trigger]) -> list[str]:
    """The circumstances in words, by where they are written."""
    out = [
        "## What makes a situation",
        "",
        "A `situation` is made by one of these rows of `edi_checker/facts/triggers.py`, and by nothing",
        "else. Each has `date`, `received`, `profile` and `kind`; those of a claim also have `stated`,",
        "and those of a line `line`, `code`, `modifiers`, `unit` and `described`. What else one says",
        "is in the last column; the other fields are empty. Segments of another payer (2320, 2430)",
        "make none. How to add a row is in",
        "[CONTRIBUTING.md](../CONTRIBUTING.md#a-situational-trigger).",
        "",
        "| kind | written in | when | other fields |",
        "|---|---|---|---|",
    ]
    ordered = sorted(rows, key=lambda row: list(_WRITTEN).index(row.piece))
    out += [
        f"| {row.kind} | {_WRITTEN[row.piece]} | {_cell(row.words())} | {', '.join(map(_cell, row.says))} |"
        for row in ordered
    ]
    return [*out, ""]


def _tell_columns() -> list[str]:
    """Which elements stand open, and what that means to a rule."""
    person = f"NM1{NAME_OF_A_PERSON[0]:02} to NM1{NAME_OF_A_PERSON[-1]:02}"
    out = [
        "## Columns",
        "",
        "What the rules say of a segment of the head, of a provider or of a line is worked out once for",
        "all that are written alike. These elements are left out of that, as *columns*: amounts, units,",
        "numbers, dates, names, addresses and free text. Claims that differ in nothing else are alike,",
        "and cost nothing more. A rule can compare a field that comes from a column and show it in its",
        "message, as any other. Which facts there are, and what their other fields say, goes by all",
        "other elements, and by whether anything is sent in a column.",
        "",
        "| segment | columns |",
        "|---|---|",
    ]
    for name, numbers in COLUMNS.items():
        out.append(f"| {name} | {', '.join(f'{name}{number:02}' for number in numbers)} |")
    kept = " and ".join(f"REF\\*{name}" for name in sorted(LOOKED_AT_REFERENCES))
    out += [
        "",
        f"- The number of {kept} is not a column: a fact says whether it has its format.",
        f"- Of the name of a person (NM102 is 1) it is not even known which of {person} are sent.",
        f"- {ADDRESS} is looked at by itself: {ADDRESS}01 is a column, and of {ADDRESS}03 its shape counts.",
        f"- A diagnosis (HI with {_one_of(sorted(DIAGNOSIS_LISTS))}) is looked at by itself, as a code.",
    ]
    return out


def _one_of(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _about(field: Field) -> str:
    said = _cell(field.about)
    if not all(value in field.about for value in field.values):
        said += f" (one of {', '.join(field.values)})"
    return said + (" **can identify a person: no message may quote it**" if field.phi else "")
