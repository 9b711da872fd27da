"""One page for each rule, and the indexes by family and by severity."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from codes_page import say_code
from edi_checker.check.checker import Checker
from edi_checker.check.examples import asking, run_example
from edi_checker.claims.payer_profiles import BUILT_IN
from edi_checker.reports.boxes import box_of
from edi_checker.rules import Rule
from edi_checker.rules.explain import explain
from edi_checker.rules.model import ASKED
from edi_checker.x12.dates import iso
from edi_checker.x12.finding import Finding
from example_pair import Pair, beside, choose_pair, segment_at
from sources import address_of

LEVELS = ("error", "warning", "info", "off")
FAMILIES = {
    "x12": "The envelope: ISA to IEA, counts, control numbers, what cannot be read",
    "guide": "The implementation guide: segments, loops and elements",
    "balance": "Amounts that must add up",
    "situation": "What the guide requires in a situation, such as an accident",
    "code": "Codes, identifiers and addresses",
    "date": "Dates that cannot be, or do not fit each other",
    "duplicate": "The same claim, line or interchange twice",
    "ncci": "NCCI: pairs of codes, units of a day, add-on codes",
    "modifier": "Modifiers",
    "therapy": "Physical, occupational and speech therapy",
    "history": "Other claims of the patient, in this file and in earlier ones",
}
SNIP = {
    1: "syntax of X12",
    2: "the implementation guide",
    3: "balancing",
    4: "situations",
    5: "code sets",
    6: "services that do not fit each other",
    7: "a payer's own",
}
MOST_RELATED = 8
MOST_FIXES = 6  # besides that of the example; more stand with their cases
_NAMED = re.compile(r"\b[a-z0-9]+(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)\b")


@dataclass(frozen=True)
class Tried:
    """A rule with its failing examples and the rule's finding in each."""

    rule: Rule
    failing: Sequence[tuple[dict[str, Any], Finding]]


def try_rule(checker: Checker, rule: Rule) -> Tried:
    asked = asking(checker, rule)
    found = []
    for example in rule.examples.failing:
        own = [each for each in run_example(asked, example) if each.rule == rule.id]
        found += [(example, each) for each in own[:1]]
    return Tried(rule, found)


def write_rule_page(tried: Tried, related: Sequence[Rule]) -> str:
    """All that the rule's file says, for a reader who has a finding of it."""
    rule = tried.rule
    pair = choose_pair(rule.examples.passing, tried.failing) if tried.failing else None
    levels = [level for level in LEVELS if level in _levels(rule)]
    badges = " ".join(f'<span class="edi-badge edi-{level}">{level}</span>' for level in levels)
    out = [
        f"---\ntitle: {rule.id}\nsearch: {{boost: 4}}\n---",
        f"# {plain(rule.title)}",
        f"`{rule.id}` {badges} SNIP type {rule.snip}, {SNIP[rule.snip]}",
        plain(rule.why),
        *(_example(pair) if pair else []),
        *_boxes(tried),
        "## Fix",
        *_fixes(rule, pair),
        "## For whom, and since when",
        *_severities(rule),
        *_in_force(rule),
        *_binds(rule),
    ]
    if statuses := _statuses(tried):
        out += ["## How it is answered", *statuses]
    if rule.documentation:
        out += ["## What the record should show", _list(map(plain, rule.documentation))]
    out += ["## Sources", _list(map(_source, rule.sources)), "## The conditions", *_conditions(rule)]
    if related:
        rows = [f"[{each.id}]({each.id}.md): {plain(each.title)}" for each in related]
        out += ["## Related rules", _list(rows)]
    out += [
        "## Turn it off",
        f"For one run, `--ignore {rule.id}` leaves this rule out:",
        f"```console\n$ edi-checker check --ignore {rule.id} FILE\n```",
        "For a payer, a [profile](../profiles.md#your-own-profile) turns it off or changes its severity.",
        f"In the terminal, `edi-checker explain {rule.id}` shows this page.",
    ]
    return "\n\n".join(out) + "\n"


def plain(text: str) -> str:
    """Text that Markdown leaves as it is; what stands in backquotes stays code."""
    parts = re.split(r"(`[^`\n]*`)", text)
    return "".join(part if part.startswith("`") else _escaped(part) for part in parts)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_\[\]|#])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;"))


def _template(text: str) -> str:
    """A message of a rule file: what is filled in is set apart."""
    parts = re.split(r"\{(\w+)\.(\w+)\}", text)
    out = [plain(parts[0])]
    for _, name, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        out += [f"<var>{name.replace('_', ' ')}</var>", plain(rest)]
    return "".join(out)


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _sections(rule: Rule, heading: str) -> list[tuple[str, ...]]:
    """What `explain` says under a heading, for each case."""
    return [each.lines for each in explain(rule) if each.heading.partition(" (case ")[0] == heading]


def _example(pair: Pair) -> list[str]:
    wrong, right = pair.lay_out()
    finding, where = pair.finding, pair.finding.where
    line = f"line {where.line}, " if where.line is not None else ""
    place = f"{line}{where.loop} {where.element or where.segment}"
    return [
        "## Example",
        f"**Wrong.** {finding.severity.capitalize()} at {plain(place)}:",
        f"> {plain(finding.message)}",
        f'<pre class="edi-segments edi-wrong"><code>{wrong}</code></pre>',
        *beside(pair.failing),
        "**Right.** What differs is marked:",
        f'<pre class="edi-segments edi-right"><code>{right}</code></pre>',
        *beside(pair.passing),
    ]


def _boxes(tried: Tried) -> list[str]:
    """The boxes of the paper form in which the failing examples have the finding."""
    boxes = set()
    for example, finding in tried.failing:
        where = finding.where
        segment = segment_at(example, where)
        boxes.add(box_of({"loop": where.loop, "segment": where.segment, "element": where.element}, segment))
    known = sorted(boxes - {""}, key=lambda box: (int(re.sub(r"\D", "", box)), box))
    if not known:
        return []
    return [f"On the CMS-1500 paper form it is in box {', '.join(known)}."]


def _fixes(rule: Rule, pair: Pair | None) -> list[str]:
    """The fix of the example, filled in; then those of the other cases as they are written."""
    written = list(dict.fromkeys(" ".join(lines) for lines in _sections(rule, "Fix")))
    if pair is None:
        return [_list(map(_template, written))]
    others = [_template(text) for text in written if not _is_filled(text, pair.finding.fix)]
    if len(others) > MOST_FIXES:
        return [
            plain(pair.finding.fix),
            f"[Other cases](#the-conditions) have fixes of their own ({len(others)}).",
        ]
    return [plain(pair.finding.fix), *(["In other cases:", _list(others)] if others else [])]


def _is_filled(template: str, text: str) -> bool:
    pattern = ".*".join(map(re.escape, re.split(r"\{\w+\.\w+\}", template)))
    return re.fullmatch(pattern, text) is not None


def _levels(rule: Rule) -> set[str]:
    given = {level for case in rule.cases for levels in (levels_of(rule, case),) for level in levels.values()}
    return given - {"off"} or {"off"}


def levels_of(rule: Rule, case: Any) -> dict[str, str]:
    """The severity of one case for each profile that comes with the program."""
    return {
        name: profile.level(rule.id, rule.snip, case.severity, rule.profiles)
        for name, profile in BUILT_IN.items()
    }


def _severities(rule: Rule) -> list[str]:
    """The profiles by severity, or by severities where cases differ."""
    by_case = [levels_of(rule, case) for case in rule.cases]
    groups: dict[str, list[str]] = {}
    for name in BUILT_IN:
        given = {levels[name] for levels in by_case}
        words = ", ".join(level for level in LEVELS if level in given and (level != "off" or len(given) == 1))
        groups.setdefault(words, []).append(name)
    if len(groups) == 1:
        said = [f"Severity for every [profile](../profiles.md): **{next(iter(groups))}**."]
    else:
        rows = [f"| {level} | {', '.join(names)} |" for level, names in groups.items()]
        said = ["| severity | [profiles](../profiles.md) |\n|---|---|\n" + "\n".join(rows)]
    if any("," in level for level in groups):
        said.append("Where there are several, it depends on the case.")
    if any(ASKED in case.severity for case in rule.cases):
        said.append(f"It is off until a profile turns it on or `--select {rule.id}` asks for it.")
    return said


def _in_force(rule: Rule) -> list[str]:
    spans = list(dict.fromkeys(" ".join(lines) for lines in _sections(rule, "In force")))
    return [f"In force: {'; '.join(spans)}."]


def _binds(rule: Rule) -> list[str]:
    if not rule.binds:
        return []
    bonds = [line for lines in _sections(rule, "Binds") for line in lines]
    return ["What binds the payers to it:", _list(map(plain, bonds))]


def _statuses(tried: Tried) -> list[str]:
    """The codes of all failing examples, with what they say."""
    codes = [
        (name, code)
        for _, finding in tried.failing
        for name, given in (
            ("TA1", (finding.status.ta1,) if finding.status.ta1 else ()),
            ("999", finding.status.ack999),
            ("277CA", finding.status.ack277ca),
        )
        for code in given
    ]
    if not codes:
        return []
    rows = [f"| {name} | {code} | {plain(say_code(name, code))} |" for name, code in dict.fromkeys(codes)]
    return ["| answer | code | meaning |\n|---|---|---|\n" + "\n".join(rows)]


def _source(source: Any) -> str:
    address = address_of(source.cite)
    cite = f"[{plain(source.cite)}]({address})" if address else plain(source.cite)
    note = f" {plain(source.note)}" if source.note else ""
    return f"{cite}, seen {iso(source.seen)}.{note}"


def _conditions(rule: Rule) -> list[str]:
    out = []
    conditions, messages, fixes = (_sections(rule, each) for each in ("A finding", "Message", "Fix"))
    several = len(set(fixes)) > 1
    for number, (condition, message, fix) in enumerate(zip(conditions, messages, fixes, strict=True), 1):
        if len(conditions) > 1:
            out.append(f"### Case {number}")
        out += [_template(" ".join(message)), *([_template(" ".join(fix))] if several else [])]
        out.append("```text\n" + "\n".join(condition) + "\n```")
    return [*out, "[Facts](../facts.md) says what the words mean."]


def relate(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    """By id: rules that one names or that name it, then those of its family at the same element."""
    named = {rule.id: _named(rule) for rule in rules}
    places = {rule.id: {case.at.element for case in rule.cases} - {None} for rule in rules}
    related = {}
    for rule in rules:
        family = rule.id.partition(".")[0] + "."
        linked = [each for each in rules if each.id in named[rule.id] or rule.id in named[each.id]]
        alike = [each for each in rules if each.id.startswith(family) and places[rule.id] & places[each.id]]
        kept = {each.id: each for each in (*linked, *alike) if each.id != rule.id}
        related[rule.id] = list(kept.values())[:MOST_RELATED]
    return related


def _named(rule: Rule) -> set[str]:
    """What looks like the id of a rule in all that the rule says."""
    return set(_NAMED.findall(" ".join(line for each in explain(rule) for line in each.lines)))


def write_family_index(rules: Sequence[Rule]) -> str:
    out = [
        "---\ntitle: Rules\n---",
        "# Rules by family",
        f"There are {len(rules)}. [By severity](by-severity.md) has those first that reject a claim.",
    ]
    by_family = {
        family: list(each) for family, each in groupby(rules, lambda rule: rule.id.partition(".")[0])
    }
    for family, words in FAMILIES.items():
        out += [f"## {family}", f"{words}.", _table(by_family[family])]
    return "\n\n".join(out) + "\n"


def _table(rules: Iterable[Rule]) -> str:
    rows = [
        f"| [{rule.id}]({rule.id}.md) | {'/'.join(x for x in LEVELS if x in _levels(rule))} | {rule.snip} "
        f"| {plain(rule.title)} |"
        for rule in rules
    ]
    return "| rule | severity | SNIP | what is true if all is well |\n|---|---|---|---|\n" + "\n".join(rows)


def write_severity_index(rules: Sequence[Rule]) -> str:
    groups: Mapping[str, str] = {
        "error": "They reject the claim, for some payers at least.",
        "warning": "The claim is accepted; a payer may deny it or ask questions.",
        "info": "Worth knowing.",
        "off": "Off until a profile turns them on or `--select` asks for them.",
    }
    out = [
        "---\ntitle: By severity\n---",
        "# Rules by severity",
        "Each rule stands under its gravest severity.",
    ]
    for level, words in groups.items():
        members = [rule for rule in rules if next(x for x in LEVELS if x in _levels(rule)) == level]
        if members:
            out += [f"## {level}", f"{len(members)} rules. {words}", _table(members)]
    return "\n\n".join(out) + "\n"
