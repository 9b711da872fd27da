"""The language of rule files: what it means, and what is refused, with the line."""

import json
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import yaml

from edi_checker.rules import RuleError, load
from edi_checker.rules.explain import explain
from edi_checker.rules.language import read_rule
from edi_checker.rules.lint import lint
from edi_checker.rules.model import InForce
from edi_checker.rules.prefilter import Prefilter
from edi_checker.rules.reference_engine import bindings
from edi_checker.rules.yaml_tree import Unreadable, read
from toy_rules import VOCABULARY, fact

RECEIVED = 20260301
PROFILES = ("medicare", "commercial")

RULE = """\
title: A title
severity: error
snip: 7
in_force: {}
match:
  v: {fact: visit}
at: v SV101-2
message: "{v.code} is wrong."
fix: Fix it.
status: {277CA: ["A7:453"]}
sources:
  - {cite: "A book", seen: 2026-11-21}
"""


def reading(*changes, text=RULE):
    """What reading the rule gives after changes: line, its new text, None to take it out."""
    lines = text.splitlines()
    for number, new in changes:
        lines[number - 1] = new or ""
    return read_rule("\n".join(lines).encode(), "a.rule", "a/rule.yaml", VOCABULARY, PROFILES)


def rule(*changes, text=RULE):
    found, faults = reading(*changes, text=text)
    assert not faults, faults
    return found


def fires(match, *facts, require=None, in_force="{}", received=RECEIVED):
    """Which facts a match binds, by the two forms of ours; `match` is what is asked of visit v."""
    match = match if match.startswith("\n") else f"{{v: {{fact: visit, {match}}}}}"
    changes = [(4, f"in_force: {in_force}"), (5, f"match: {match}"), (6, None)]
    text = RULE + (f"require: {require}\n" if require else "")
    [case] = rule(*changes, text=text).cases
    found = list(bindings(case, facts, received))
    passed, kept = Prefilter([(0, case)]).candidates(facts, received)
    assert set(passed) >= {0 for _ in found}
    assert set(kept) >= {ordinal for binding in found for ordinal in binding}
    if len(case.match) == 1:
        assert bool(passed) == bool(found)
    return found


def test_the_base_rule_is_right():
    read_one = rule()
    assert (read_one.id, read_one.title, read_one.snip, read_one.profiles) == ("a.rule", "A title", 7, ())
    assert read_one.sources[0].seen == 20261121
    assert read_one.cases[0].status.ack277ca == ("A7:453",)


def test_texts_are_texts():
    """02 is no number, NO is no truth value, and a date stays as it is written."""
    tree = read(b"a: 02\nNO: NO\nc: [2026-01-31, ~, 1.50, 0x1F]\n")
    assert tree.entries["a"].text == "02"
    assert tree.entries["NO"].text == "NO"
    assert [item.text for item in tree.entries["c"].items] == ["2026-01-31", "~", "1.50", "0x1F"]
    assert fires("code: 02", fact(code="02"), fact(code="2")) == [(0,)]


@pytest.mark.parametrize(
    ("data", "line", "reason"),
    [
        (b"a: 1\nb: &x 1\n", 2, "anchors"),
        (b"a: !!python/object:os.system x\n", 1, "tags"),
        (b"a: 1\nb: 2\na: 3\n", 3, "there twice"),
        (b"{a: {b: 1, b: 2}}\n", 1, "there twice"),
        (b"a: 1\n---\nb: 2\n", 2, "second document"),
        (b"- a\n", 1, "not a mapping"),
        (b"", 1, "empty"),
        (b"a: 1\nb: [1\n", 3, "not YAML"),
        (b"a: b: c\n", 1, "not YAML"),
        (b"a: 1\nb: \xff\n", 2, "UTF-8"),
        (b"a: \x01\n", 0, "not YAML"),
        (b"? [a]\n: b\n", 1, "a key is a plain text"),
        (b"[" * 60_000, 1, "deep"),
        (b"{a: " * 10_000, 1, "deep"),
        (b"a: " + b"x" * 70_000, 0, "larger"),
    ],
)
def test_what_is_no_rule_file(data, line, reason):
    with pytest.raises(Unreadable) as caught:
        read(data)
    assert reason in caught.value.reason
    assert caught.value.line == line


NUMBER, ABSENT = fact(count=2), fact()

MEANINGS = [
    # condition, facts, those that match
    ("code: A", [fact(code="A"), fact(code="B"), fact()], [0]),
    ("code: [A, B]", [fact(code="A"), fact(code="B"), fact(code="C"), fact()], [0, 1]),
    ("code: {not: A}", [fact(code="A"), fact(code="B"), fact()], [1]),
    ("code: {none_of: [A]}", [fact(code="A"), fact(code="B"), fact()], [1]),
    ("code: {one_of: [A, B], not: B}", [fact(code="A"), fact(code="B")], [0]),
    ("code: {present: true}", [fact(code="A"), fact()], [0]),
    ("code: {absent: true}", [fact(code="A"), fact()], [1]),
    ("code: $v.by", [fact(code="A", by="A"), fact(code="A", by="B"), fact()], [0]),
    ("code: {not: $v.by}", [fact(code="A", by="A"), fact(code="A", by="B"), fact(code="A"), fact()], [1]),
    ("count: 2", [fact(count=2), fact(count=3), fact()], [0]),
    ("count: [0, 3]", [fact(count=2), fact(count=3), fact(count=0), fact()], [1, 2]),
    ("count: {at_least: 2}", [fact(count=1), fact(count=2), fact(count=3), fact()], [1, 2]),
    ("count: {at_most: 2}", [fact(count=1), fact(count=2), fact(count=3), fact()], [0, 1]),
    ("count: {more_than: 2}", [fact(count=2), fact(count=3), fact()], [1]),
    ("count: {less_than: 2}", [fact(count=1), fact(count=2), fact()], [0]),
    ("count: {not: 2}", [fact(count=1), fact(count=2), fact()], [0]),
    ("count: {absent: true}", [fact(count=0), fact()], [1]),
    ("count: {present: true}", [fact(count=0), fact()], [0]),
    (
        "count: {at_most: $v.limit}",
        [fact(count=1, limit=1), fact(count=2, limit=1), fact(count=1), fact()],
        [0],
    ),
    ("units: {more_than: 1.5}", [fact(units=1500), fact(units=1501), fact()], [1]),
    ("charge: 12.5", [fact(charge=1250), fact(charge=125), fact()], [0]),
    ("charge: {less_than: -0.01}", [fact(charge=-1), fact(charge=-2)], [1]),
    ("until: {after: 2026-01-31}", [fact(until=20260131), fact(until=20260201), fact()], [1]),
    ("until: {before: 2026-01-31}", [fact(until=20260131), fact(until=20260130), fact()], [1]),
    ("until: {at_least: 2026-01-31}", [fact(until=20260131), fact(until=20260130), fact()], [0]),
    (
        "until: {before: $v.date}",
        [fact(until=20260101, date=20260102), fact(until=20260102, date=20260102)],
        [0],
    ),
    ("timed: true", [fact(timed=True), fact()], [0]),
    ("timed: false", [fact(timed=True), fact()], [1]),
    ("timed: {not: true}", [fact(timed=True), fact()], [1]),
    ("timed: $v.assisted", [fact(timed=True), fact(), fact(timed=True, assisted=True)], [1, 2]),
    ("modifiers: {has: GP}", [fact(modifiers=("59", "GP")), fact(modifiers=("59",)), fact()], [0]),
    ("modifiers: {has_any: [GP, GO]}", [fact(modifiers=("59", "GO")), fact(modifiers=("59",)), fact()], [0]),
    ("modifiers: {has_all: [GP, GO]}", [fact(modifiers=("GO",)), fact(modifiers=("GO", "GP")), fact()], [1]),
    ("modifiers: {has_none: [GP, GO]}", [fact(modifiers=("GO",)), fact(modifiers=("59",)), fact()], [1, 2]),
    ("modifiers: {at_least: 1}", [fact(modifiers=("GO",)), fact()], [0]),
    ("modifiers: {at_least: 2}", [fact(modifiers=("GO", "GO")), fact(modifiers=("GO",)), fact()], [0]),
    ("modifiers: {at_most: 0}", [fact(modifiers=("GO",)), fact()], [1]),
    ("modifiers: {absent: true}", [fact(modifiers=("GO",)), fact()], [1]),
    ("modifiers: {present: true}", [fact(modifiers=("GO",)), fact()], [0]),
    ("modifiers: {has: $v.code}", [fact(modifiers=("A",), code="A"), fact(modifiers=("",)), fact()], [0]),
    (
        "modifiers: {has_any: $v.allowed}",
        [fact(modifiers=("A",), allowed=("B", "A")), fact(modifiers=("A",))],
        [0],
    ),
    (
        "modifiers: {has_none: $v.allowed}",
        [fact(modifiers=("A",), allowed=("A",)), fact(modifiers=("A",))],
        [1],
    ),
]


@pytest.mark.parametrize(("condition", "facts", "expected"), MEANINGS, ids=[m[0] for m in MEANINGS])
def test_meanings(condition, facts, expected):
    assert fires(condition, *facts) == [(ordinal,) for ordinal in expected]


@pytest.mark.parametrize(("condition", "facts", "expected"), MEANINGS, ids=[m[0] for m in MEANINGS])
def test_what_is_required_is_a_finding_where_it_does_not_hold(condition, facts, expected):
    """The same condition under require, absent values spoken for, finds exactly the other facts."""
    name, _, asked = condition.partition(": ")
    if not asked.startswith("{"):
        asked = f"{{one_of: {asked}}}" if asked.startswith("[") else f"{{equal: {asked}}}"
    fields = {name} | {part.split("}")[0] for part in condition.split("$v.")[1:]}
    known = [f for f in fields if VOCABULARY["visit"].fields[f].type not in ("bool", "codes")]
    facts = [f for f in facts if all(f.values[field] not in (None, "") for field in known)]
    expected = [n for n, f in enumerate(facts) if fires(condition, f)]
    match = ", ".join(f"{f}: {{present: true}}" for f in known)
    other = "" if match else "date: {absent: true}"
    found = fires(match or other, *facts, require=f"{{v: {{{name}: {asked}}}}}")
    assert found == [(n,) for n in range(len(facts)) if n not in expected]


def test_all_of_require_must_hold():
    both = "{v: {code: A, timed: true}}"
    facts = [fact(code="A", timed=True), fact(code="A"), fact(code="B", timed=True), fact(code="B")]
    assert fires("date: {absent: true}", *facts, require=both) == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    "condition",
    ["count: {at_most: 3}", "units: {not: 1}", "code: {none_of: [A]}", "code: $v.by", "date: 2026-01-31"],
)
def test_an_absent_value_is_no_finding_unless_the_rule_says_so(condition):
    """A claim must not be rejected because of what nobody could compare."""
    _, faults = reading(text=RULE + f"require: {{v: {{{condition}}}}}\n")
    assert faults
    assert all(fault.line == 13 and "present: true" in fault.reason for fault in faults)


def test_a_missing_text_is_a_finding_where_one_is_demanded():
    assert fires("count: 1", fact(count=1), fact(count=1, code="A"), require="{v: {code: [A, B]}}") == [(0,)]


def test_said_either_way_absent_values_are_accepted():
    assert fires("count: {present: true}", fact(), fact(count=4), require="{v: {count: {at_most: 3}}}") == [
        (1,)
    ]
    needed = "{v: {count: {present: true, at_most: 3}}}"
    assert fires("code: {absent: true}", fact(), fact(count=4), fact(count=3), require=needed) == [(0,), (1,)]


PAIR = "\n  v: {fact: visit, code: A}\n  w: {fact: visit, code: B, date: $v.date}"


def test_facts_are_joined():
    first, second, other = fact(code="A", date=1), fact(code="B", date=1), fact(code="B", date=2)
    assert fires(PAIR, first, second, other) == [(0, 1)]
    assert fires(PAIR, other, second, first) == [(2, 1)]
    assert fires(PAIR, fact(code="A"), fact(code="B")) == []


def test_two_names_never_bind_one_fact():
    match = "\n  v: {fact: visit}\n  w: {fact: visit, date: $v.date}"
    assert fires(match, fact(date=1)) == []
    assert fires(match, fact(date=1), fact(date=2), fact(date=1)) == [(0, 2), (2, 0)]


def test_a_condition_may_name_a_later_fact():
    match = "\n  v: {fact: visit, count: {more_than: $w.count}}\n  w: {fact: visit, date: $v.date}"
    assert fires(match, fact(date=1, count=2), fact(date=1, count=1), fact(date=1)) == [(0, 1)]


def test_require_may_compare_facts():
    require = "{w: {until: {at_least: $v.until}}}"
    match = PAIR.replace("code: A", "code: A, until: {present: true}").replace(
        "code: B", "code: B, until: {present: true}"
    )
    a, b, c = (
        fact(code="A", date=1, until=5),
        fact(code="B", date=1, until=5),
        fact(code="B", date=1, until=4),
    )
    assert fires(match, a, b, c, require=require) == [(0, 2)]


@pytest.mark.parametrize(
    ("on", "expected"),
    [(20251231, False), (20260101, True), (20260131, True), (20260201, False), (None, False)],
)
def test_a_rule_holds_on_its_first_and_last_day(on, expected):
    found = fires("code: A", fact(code="A", date=on), in_force="{from: 2026-01-01, until: 2026-01-31}")
    assert bool(found) == expected


def test_without_a_date_the_day_of_receipt_counts():
    in_force = "{from: 2026-01-01, until: 2026-01-31}"
    assert fires("code: A", fact(code="A"), in_force=in_force, received=20260131)
    assert not fires("code: A", fact(code="A"), in_force=in_force, received=20260201)


def test_a_rule_may_go_by_the_day_of_receipt():
    in_force = "{from: 2026-01-01, by: received}"
    assert fires("code: A", fact(code="A", date=20200101), in_force=in_force, received=20260101)
    assert not fires("code: A", fact(code="A", date=20260102), in_force=in_force, received=20251231)


def test_the_first_fact_says_whether_the_rule_is_in_force():
    match = "\n  v: {fact: visit, code: A}\n  w: {fact: visit, code: B}"
    facts = [fact(code="A", date=20260101), fact(code="B", date=20250101)]
    assert fires(match, *facts, in_force="{from: 2026-01-01}") == [(0, 1)]


def test_cases_share_what_they_do_not_say():
    text = (
        RULE
        + "cases:\n"
        + "  - {severity: warning, match: {w: {fact: visit, code: B}}, at: w SV1, message: b}\n"
        + "  - {}\n"
    )
    first, second = rule(text=text).cases
    assert (first.severity["default"], first.message, first.at.segment) == ("warning", ("b",), "SV1")
    assert (second.severity["default"], second.match[0].alias) == ("error", "v")
    assert first.status == second.status


@pytest.mark.parametrize(
    ("cases", "unused"),
    [
        ("  - match: {v: {fact: visit, code: A}}", ["match is used by no case: each has its own"]),
        ("  - {match: {v: {fact: visit, code: A}}}\n  - {severity: info}", []),
        ("  - {fix: Fix this.}\n  - {fix: Fix that.}", ["fix is used by no case: each has its own"]),
    ],
)
def test_what_no_case_uses_is_refused(cases, unused):
    notes = reading(text=RULE + "cases:\n" + cases + "\n")[1]
    assert [fault.reason for fault in notes] == unused
    lines = RULE.splitlines()
    assert [lines[fault.line - 1].partition(":")[0] for fault in notes] == [r.split()[0] for r in unused]


def test_severity_by_profile():
    [case] = rule((2, "severity: {medicare: error, default: info}")).cases
    assert case.severity == {"medicare": "error", "default": "info"}
    [case] = rule((2, "severity: {medicare: off, default: info}")).cases
    assert case.severity["medicare"] == "off"


@pytest.mark.parametrize(
    ("text", "segment", "element", "qualifier"),
    [
        ("v SV101-3", "SV1", "SV101-3", ""),
        ("v SV1", "SV1", None, ""),
        ("v N3", "N3", None, ""),
        ("v N301", "N3", "N301", ""),
        ("v CLM05-1", "CLM", "CLM05-1", ""),
        ("v DTP03 472", "DTP", "DTP03", "472"),
        ("v REF 6R", "REF", None, "6R"),
        ("v HI01-2", "HI", "HI01-2", ""),
    ],
)
def test_places(text, segment, element, qualifier):
    [case] = rule((7, f"at: {text}")).cases
    assert (case.at.segment, case.at.element, case.at.qualifier) == (segment, element, qualifier)


WRONG = [
    # line, its new text, part of the reason
    (1, "title: ''", "a text is expected"),
    (1, "titel: x", "no key 'titel'"),
    (2, "severity: fatal", "no severity 'fatal'"),
    (2, "severity: off", "no severity 'off'"),
    (2, "severity: {medicare: error}", "default"),
    (2, "severity: {medicar: error, default: info}", "no profile 'medicar'"),
    (3, "snip: 8", "1 to 7"),
    (3, "snip: [7]", "single value"),
    (4, "in_force: {from: 2026-02-30}", "not a date"),
    (4, "in_force: {from: 20260131}", "not a date"),
    (4, "in_force: {from: 2026-W05-6}", "not a date"),
    (4, "in_force: {from: 2026-02-01, until: 2026-01-31}", "ends before"),
    (4, "in_force: {by: weather}", "weather"),
    (4, "in_force: {since: 2026-01-01}", "no key 'since'"),
    (4, "profiles: [medicar]", "no profile"),
    (6, "  v: {fact: vist}", "no fact 'vist'"),
    (6, "  v: {code: A}", "lacks the key 'fact'"),
    (6, "  v: visit", "a fact is a mapping"),
    (6, "  V: {fact: visit}", "cannot name a fact"),
    (6, "  v: {fact: visit, cod: A}", "no field 'cod'"),
    (6, "  v: {fact: visit, code: absent}", "write code: {absent: true}"),
    (6, "  v: {fact: visit, code: present}", "write code: {present: true}"),
    (6, "  v: {fact: visit, code: ''}", "absent: true"),
    (6, "  v: {fact: visit, code: {}}", "no condition"),
    (6, "  v: {fact: visit, code: []}", "followed by a list"),
    (6, "  v: {fact: visit, code: [A, A]}", "twice"),
    (6, "  v: {fact: visit, code: [$v.by]}", "cannot stand here"),
    (6, "  v: {fact: visit, code: {one_of: $v.by}}", "list of constants"),
    (6, "  v: {fact: visit, code: {at_least: A}}", "no operator 'at_least'"),
    (6, "  v: {fact: visit, code: {like: A}}", "no operator 'like'"),
    (6, "  v: {fact: visit, count: {before: 2}}", "no operator 'before'"),
    (6, "  v: {fact: visit, count: 1.5}", "whole number"),
    (6, "  v: {fact: visit, count: x}", "whole number"),
    (6, "  v: {fact: visit, count: 1e3}", "whole number"),
    (6, "  v: {fact: visit, units: 1.2345}", "3 decimals"),
    (6, "  v: {fact: visit, charge: 1.234}", "2 decimals"),
    (6, "  v: {fact: visit, timed: yes}", "true or false"),
    (6, "  v: {fact: visit, timed: {present: true}}", "no operator 'present'"),
    (6, "  v: {fact: visit, code: {absent: false}}", "followed by true"),
    (6, "  v: {fact: visit, modifiers: GP}", "write has"),
    (6, "  v: {fact: visit, modifiers: [GP]}", "write has"),
    (6, "  v: {fact: visit, modifiers: {equal: GP}}", "no operator 'equal'"),
    (6, "  v: {fact: visit, modifiers: {has_any: GP}}", "followed by a list"),
    (6, "  v: {fact: visit, modifiers: {has: $v.count}}", "compared with text"),
    (6, "  v: {fact: visit, count: $v.units}", "compared with int"),
    (6, "  v: {fact: visit, count: $v.count}", "itself"),
    (6, "  v: {fact: visit, count: $v}", "not a reference"),
    (6, "  v: {fact: visit, count: $w.count}", "names no 'w'"),
    (6, "  v: {fact: visit, count: $v.cont}", "no field 'cont'"),
    (6, "  v: {fact: visit}\n  w: {fact: visit, modifiers: {has: $v.code}}", "within one fact"),
    (7, "at: v", "does not know its own"),
    (7, "at: w SV1", "names no 'w'"),
    (7, "at: v.line SV1", "has no place 'line'"),
    (7, "at: v sv101", "not a place"),
    (7, "related: v SV1", "list of places"),
    (8, 'message: "{v.cod}"', "no field 'cod'"),
    (8, 'message: "{w.code}"', "names no 'w'"),
    (8, 'message: "{code}"', "braces"),
    (8, 'message: "a } b"', "braces"),
    (8, 'message: "{v.name}"', "identify a person"),
    (9, 'fix: "{v.name}"', "identify a person"),
    (10, 'status: {277CA: ["A7:453", "A7:453"]}', "twice"),
    (10, 'status: {277CA: ["A7:453:85:1"]}', "not a 277CA status"),
    (10, 'status: {277CA: ["F2:453"]}', "not a 277CA status"),
    (10, 'status: {277CA: "A7:453"}', "list"),
    (10, 'status: {277CA: ["A7:21"]}', "second status"),
    (10, 'status: {277CA: ["A7:1", "A7:2", "A7:3", "A7:4"]}', "holds 3"),
    (10, "status: {999: [IK999=1]}", "not a 999 code"),
    (10, "status: {999: [IK304=Q]}", "not a 999 code"),
    (10, "status: {999: [IK503=5]}", "not a 999 code"),
    (10, "status: {999: [TA1=021]}", "not a 999 code"),
    (10, "status: {999: $v.name}", "identify a person"),
    (10, "status: {999: $v.code}", "holds no codes"),
    (10, "status: {TA1: 21}", "three digits"),
    (10, 'status: {TA1: "032"}', "not a TA1 note code"),
    (10, "status: {997: []}", "no key '997'"),
    (12, '  - {cite: "A book"}', "lacks the key 'seen'"),
    (12, '  - {cite: "A book", seen: lately}', "not a date"),
    (12, '  - {cite: "A book", seen: 2026-11-21}\nexamples: {pass: [{}]}', "lacks the key 'fail'"),
]


@pytest.mark.parametrize(("line", "text", "reason"), WRONG, ids=[w[1].strip() for w in WRONG])
def test_what_is_wrong_is_refused_at_its_line(line, text, reason):
    found, faults = reading((line, text))
    assert found is None
    said = [fault for fault in faults if reason in fault.reason]
    assert said, faults
    assert said[0].line in (line, line + 1, 1)
    assert str(said[0]).startswith("a/rule.yaml:")


@pytest.mark.parametrize("line", [1, 2, 3, 5, 7, 8, 9, 11])
def test_what_is_missing_is_refused(line):
    changes = [(line, None)] + ([(line + 1, None)] if line in (5, 11) else [])
    found, faults = reading(*changes)
    assert found is None
    assert any("lacks the key" in fault.reason for fault in faults)


def test_everything_wrong_is_said_at_once():
    _, faults = reading((2, "severity: fatal"), (3, "snip: 9"), (6, "  v: {fact: visit, cod: A, count: x}"))
    assert [fault.line for fault in faults] == [2, 3, 6, 6]


def test_status_may_come_with_the_fact():
    text = RULE.replace("v: {fact: visit}", "v: {fact: fault}").replace("v.code", "v.name")
    text = text.replace("at: v SV101-2", "at: v").replace(
        '277CA: ["A7:453"]', "999: $v.answers, TA1: $v.answers"
    )
    [case] = rule(text=text).cases
    assert case.status.ack999.field == case.status.ta1.field == "answers"


# -- folders -------------------------------------------------------------------------------------------------


def write(folder, name, text=RULE):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load_toy(*folders):
    return load(folders, packaged=False, vocabulary=VOCABULARY, profiles=PROFILES)


def test_the_path_is_the_id(tmp_path):
    write(tmp_path, "b/one.yaml")
    write(tmp_path, "a/deep/two-three.yml")
    write(tmp_path, "a/.hidden.yaml", "no rule")
    write(tmp_path, "a/readme.txt", "no rule")
    assert [r.id for r in load_toy(tmp_path).rules] == ["a.deep.two-three", "b.one"]
    assert load_toy(tmp_path / "b" / "one.yaml")["b.one"].title == "A title"
    with pytest.raises(KeyError):
        load_toy(tmp_path)["b"]


def test_all_files_are_read_before_any_is_refused(tmp_path):
    write(tmp_path, "a/one.yaml", RULE.replace("error", "fatal"))
    write(tmp_path, "a/two.yaml", "a: [")
    write(tmp_path, "a/Three.yaml")
    write(tmp_path, "a/four.yaml")
    with pytest.raises(RuleError) as caught:
        load_toy(tmp_path, tmp_path / "nowhere")
    said = str(caught.value)
    assert len(caught.value.faults) == 4
    assert f"{tmp_path}/a/one.yaml:2: there is no severity 'fatal'" in said
    assert "a/Three.yaml: a rule's folders" in said
    assert "nowhere: no such file" in said


def test_one_id_is_one_rule(tmp_path):
    write(tmp_path, "x/a/one.yaml")
    write(tmp_path, "y/a/one.yaml")
    with pytest.raises(RuleError, match="already"):
        load_toy(tmp_path / "x", tmp_path / "y")


def test_rules_are_chosen_by_name_or_family(tmp_path):
    for name in ("a/one", "a/two", "ab/one", "b/one"):
        write(tmp_path, f"{name}.yaml")
    book = load_toy(tmp_path)
    assert [r.id for r in book.keep(select=["a"]).rules] == ["a.one", "a.two"]
    assert [r.id for r in book.keep(ignore=["a.one", "b"]).rules] == ["a.two", "ab.one"]
    assert [r.id for r in book.keep(["a"], ["a.two"]).rules] == ["a.one"]
    with pytest.raises(ValueError, match=r"'a\.on'"):
        book.keep(select=["a.on"])


# -- what is said of a rule ----------------------------------------------------------------------------------


def test_explain_says_everything():
    text = RULE + (
        "why: Because.\nrequire: {v: {count: {present: true, at_most: 2}}}\n"
        "examples: {pass: [{lines: [a, b], claim: {date: 2026-02-03}}], fail: [{}]}\n"
        "documentation: [The goal]\n"
    )
    explained = {
        section.heading: section.lines
        for section in explain(
            rule(
                (4, "in_force: {from: 2020-01-01}"),
                (6, "  v: {fact: visit, charge: {more_than: 12.5}, until: {after: 2026-01-31}}"),
                text=text,
            )
        )
    }
    assert explained["Rule"] == ("a.rule: A title",)
    assert explained["In force"] == ("from 2020-01-01, by date of service",)
    assert explained["A finding"] == (
        "when there is a visit (v)",
        "  whose charge is more than 12.50",
        "  whose until is after 2026-01-31",
        "unless",
        "  v.count is present",
        "  and v.count is at most 2",
    )
    assert explained["Message"] == ("{v.code} is wrong.",)
    assert explained["Answered with"] == ("277CA A7:453",)
    assert explained["Sources"] == ("A book (seen 2026-11-21)",)
    assert explained["The record should show"] == ("The goal",)
    assert explained["Passes"] == ("lines: [a, b], claim: date: 2026-02-03",)
    assert explained["Fails"] == ("the base claim as it is",)


def test_lint_asks_for_what_is_missing():
    said = [fault.reason for fault in lint(rule((10, 'status: {277CA: ["A7:9999"]}')))]
    assert [reason.split("(")[-1] for reason in said] == [
        *("fault)", "why)", "examples)", "examples)", "binds)", "status)")
    ]
    said = [fault.reason for fault in lint(rule((10, None)))]
    assert any("has no code for the acknowledgement" in reason for reason in said)


# -- the rules that come with the checker --------------------------------------------------------------------


def test_the_packaged_rules_load_and_lack_nothing():
    book = load()
    assert book.rules
    assert [str(fault) for r in book.rules for fault in lint(r)] == []


class _Plain(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as editors read it, with dates left as text."""


_Plain.yaml_implicit_resolvers = {
    key: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for key, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@cache
def _schema():
    path = Path(__file__).parents[1] / "edi_checker" / "rules" / "rule.schema.json"
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _as_json(tree):
    if isinstance(tree, dict):
        return {str(key): _as_json(value) for key, value in tree.items()}
    return [_as_json(item) for item in tree] if isinstance(tree, list) else tree


def test_the_schema_accepts_what_the_reader_accepts():
    schema = _schema()
    for path in sorted((Path(__file__).parents[1] / "rulesets").rglob("*.yaml")):
        errors = list(schema.iter_errors(_as_json(yaml.load(path.read_text(), _Plain))))
        assert not errors, (path, errors[0].message)
    for condition, _, _ in MEANINGS:
        text = RULE.replace("fact: visit", f"fact: visit, {condition}")
        assert schema.is_valid(_as_json(yaml.load(text, _Plain))), condition


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (1, "titel: x"),
        (2, "severity: fatal"),
        (3, "snip: 8"),
        (6, "  v: {code: A}"),
        (6, "  v: {fact: visit, code: {like: A}}"),
        (7, "at: v sv101"),
        (10, 'status: {277CA: ["F2:453"]}'),
        (12, '  - {cite: "A book"}'),
    ],
)
def test_the_schema_refuses_what_needs_no_vocabulary_to_refuse(line, text):
    lines = RULE.splitlines()
    lines[line - 1] = text
    assert not _schema().is_valid(_as_json(yaml.load("\n".join(lines), _Plain)))


def test_in_force_is_open_at_both_ends():
    assert InForce().holds(0)
    assert InForce(first=5).holds(5)
    assert not InForce(last=5).holds(6)


# -- the heading of a rule's findings ------------------------------------------------------------------------


def test_a_file_without_fault_has_its_title_as_the_heading():
    assert rule().fault == "A title"
    assert any("(fault)" in fault.reason for fault in lint(rule()))


def test_a_fault_is_a_heading():
    found = rule((1, "title: A title\nfault: More units than the daily limit (MUE)"))
    assert (found.title, found.fault) == ("A title", "More units than the daily limit (MUE)")
    assert {section.heading: section.lines for section in explain(found)}["Fault"] == (found.fault,)
    assert not any("(fault)" in fault.reason for fault in lint(found))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("''", "a text is expected"),
        ("It is wrong.", "without a full stop"),
        ("x" * 71, "71 characters: 70 at most"),
        ("'{v.code} is wrong'", "without braces"),
        ("[A, B]", "a single value is expected"),
    ],
)
def test_what_is_no_heading(fault, reason):
    found, faults = reading((1, f"title: A title\nfault: {fault}"))
    assert found is None
    assert [(each.line, reason in each.reason) for each in faults] == [(2, True)], faults
    assert not _schema().is_valid(_as_json(yaml.load(RULE + f"fault: {fault}\n", _Plain)))


def test_every_packaged_rule_has_a_heading_of_its_own():
    book = load()
    for each in book.rules:
        assert each.fault != each.title, f"{each.path} needs fault:"
    by_heading = {each.fault: each.id for each in book.rules}
    assert len(by_heading) == len(book.rules), "two rules have the same heading"
