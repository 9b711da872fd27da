"""From facts to findings: what a finding says, in which order, and what happens without durable-rules."""

import importlib.util
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from edi_checker.check import engine as engine_module
from edi_checker.check.engine import MAX_FINDINGS, Engine, Tally
from edi_checker.claims.payer_profiles import COMMERCIAL, MEDICARE
from edi_checker.claims.profile import Profile
from edi_checker.rules.durable import Network, Unsafe, hold_safe, networks
from edi_checker.rules.language import read_rule
from edi_checker.rules.reference_engine import MAX_STEPS, TooMuch
from edi_checker.rules.rulebook import Rulebook
from edi_checker.x12.finding import Status, TableVersion
from toy_rules import VOCABULARY, Spot, fact

RECEIVED = 20260301
DURABLE = importlib.util.find_spec("durable_rules_engine") is not None

RULE = """\
title: A title
fault: A fault
severity: error
snip: 7
match: {v: {fact: visit, code: A}}
at: v SV101-2
message: "{v.code}"
fix: Fix it.
sources:
  - {cite: "A book", seen: 2026-11-21}
  - {cite: "Another book", seen: 2026-11-21}
"""


def book(*rules):
    """A rulebook of rule texts, or of changes (old, new) to the one above."""
    made = []
    for number, given in enumerate(rules):
        text = given
        if not isinstance(given, str):
            text = RULE
            for old, new in given:
                assert old in text
                text = text.replace(old, new)
        rule, faults = read_rule(
            text.encode(), f"a.r{number}", "r.yaml", VOCABULARY, ("medicare", "commercial")
        )
        assert rule, faults
        made.append(rule)
    return Rulebook(tuple(made))


@pytest.fixture(
    params=["python", pytest.param("durable", marks=pytest.mark.skipif(not DURABLE, reason="not there"))]
)
def kind(request):
    return request.param


def decide(rules, facts, kind="python", profile=MEDICARE, received=RECEIVED):
    return Engine(rules, kind).judge(facts, profile, received)


def test_a_finding_says_what_its_rule_says(kind):
    table = TableVersion("ptp", "1")
    rules = book(
        [
            (
                "at: v SV101-2",
                'at: v DTP03 472\nrelated: [v.others SV1, v DTP03 472]\nstatus: {277CA: ["A7:453"]}',
            ),
            (
                '"{v.code}"',
                '"{v.code} x{v.units} for {v.charge} on {v.date}, {v.modifiers}, {v.timed}, {v.limit}"',
            ),
            ("Fix it.", '"Mend {v.code}."'),
        ]
    )
    others = (Spot(8, 2), Spot(9, 3), Spot(8, 2))
    facts = [
        fact(
            position=5,
            line=1,
            table=table,
            others=others,
            code="A",
            units=1500,
            charge=-1205,
            date=20260203,
            modifiers=("GP", "KX"),
        )
    ]
    [finding] = decide(rules, facts, kind)
    assert finding.message == "A x1.5 for -12.05 on 2026-02-03, GP, KX, no, none"
    assert finding.fix == "Mend A."
    assert (finding.rule, finding.severity, finding.snip, finding.citation) == ("a.r0", "error", 7, "A book")
    assert (finding.where.segment, finding.where.element, finding.where.position) == ("DTP472", "DTP03", 5)
    assert [place.position for place in finding.related] == [8, 9]
    assert finding.status == Status(ack277ca=("A7:453",))
    assert finding.table is table


def test_a_place_that_is_not_there_is_the_fact_itself(kind):
    [finding] = decide(book([("at: v SV101-2", "at: v.others SV1")]), [fact(code="A", position=3)], kind)
    assert (finding.where.position, finding.related) == (3, ())


def test_whole_numbers_are_written_whole(kind):
    [finding] = decide(book([('"{v.code}"', '"{v.units}"')]), [fact(code="A", units=100000)], kind)
    assert finding.message == "100"


def test_long_values_are_cut(kind):
    [finding] = decide(book([("code: A", "code: {present: true}")]), [fact(code="x" * 5000)], kind)
    assert finding.message == "x" * 77 + "..."


def test_findings_stand_in_document_order(kind):
    rules = book([("code: A", "code: B")], RULE)
    facts = [fact(code="A", position=9), fact(code="B", position=9), fact(code="A", position=2)]
    found = decide(rules, facts, kind)
    assert [(f.where.position, f.rule) for f in found] == [(2, "a.r1"), (9, "a.r0"), (9, "a.r1")]


def test_the_same_finding_is_said_once(kind):
    assert len(decide(book(RULE), [fact(code="A"), fact(code="A")], kind)) == 1


def test_severity_goes_by_profile(kind):
    rules = book([("severity: error", "severity: {medicare: off, commercial: info, default: error}")])
    facts = [fact(code="A")]
    engine = Engine(rules, kind)
    assert engine.judge(facts, MEDICARE, RECEIVED) == []
    assert [f.severity for f in engine.judge(facts, COMMERCIAL, RECEIVED)] == ["info"]
    assert [f.severity for f in engine.judge(facts, Profile("other"), RECEIVED)] == ["error"]
    own = Profile("medicare", severities={"a.r0": "warning"})
    assert [f.severity for f in engine.judge(facts, own, RECEIVED)] == ["warning"]


def test_a_rule_may_be_for_some_profiles_only(kind):
    engine = Engine(book([("snip: 7", "snip: 7\nprofiles: [commercial]")], RULE), kind)
    assert [f.rule for f in engine.judge([fact(code="A")], MEDICARE, RECEIVED)] == ["a.r1"]
    assert [f.rule for f in engine.judge([fact(code="A")], COMMERCIAL, RECEIVED)] == ["a.r0", "a.r1"]


def test_answers_come_with_the_fact(kind):
    rules = book(
        [
            ("match: {v: {fact: visit, code: A}}", "match: {v: {fact: fault}}"),
            ("at: v SV101-2", "at: v\nstatus: {999: $v.answers, 277CA: $v.status, TA1: $v.answers}"),
            ("{v.code}", "{v.kind}"),
        ]
    )
    found = decide(rules, [fact("fault", kind="count", answers=("IK304=8", "TA1=021", "IK403=7"))], kind)
    assert found[0].status == Status(ack999=("IK304=8", "IK403=7"), ta1="021")
    found = decide(rules, [fact("fault", answers=("IK304=3",), status=("A6:254",))], kind)
    assert found[0].status == Status(ack999=("IK304=3",), ack277ca=("A6:254",))
    assert decide(rules, [fact("fault")], kind)[0].status == Status(ack277ca=("A3:23:41",))


def test_cases_are_one_rule(kind):
    rules = book(RULE + "cases:\n  - {match: {v: {fact: visit, code: B}}, severity: info}\n  - {}\n")
    found = decide(rules, [fact(code="A"), fact(code="B")], kind)
    assert [(f.rule, f.severity) for f in found] == [("a.r0", "info"), ("a.r0", "error")]


def test_the_tally_counts_what_was_in_force():
    engine = Engine(
        book(
            RULE,
            [("snip: 7", "snip: 7\nin_force: {from: 2026-02-01}")],
            [("snip: 7", "snip: 7\nin_force: {until: 2026-02-01, by: received}")],
            [("severity: error", "severity: {medicare: off, default: error}")],
        ),
        "python",
    )
    assert engine.tally() == Tally(4, 0, 0)
    engine.meet(MEDICARE, 20260131, RECEIVED)
    assert engine.tally() == Tally(rules=4, applied=1, not_in_force=2)
    engine.meet(MEDICARE, RECEIVED, RECEIVED)
    assert engine.tally() == Tally(rules=4, applied=2, not_in_force=1)


# -- bounds --------------------------------------------------------------------------------------------------

PAIR = [("match: {v: {fact: visit, code: A}}", "match: {v: {fact: visit}, w: {fact: visit, date: $v.date}}")]


def test_no_more_than_so_many_findings_of_a_case(kind):
    facts = [fact(position=n, line=n, code="A") for n in range(MAX_FINDINGS + 5)]
    assert len(decide(book(RULE), facts, kind)) == MAX_FINDINGS


def test_the_engines_stop_at_the_same_finding():
    """60 lines make 3540 pairs: more than are listed, and few enough for durable."""
    rules = book([*PAIR, ('"{v.code}"', '"{v.count} {w.count}"')])
    facts = [fact(position=n, count=n, date=1) for n in range(60)]
    assert decide(rules, facts, "durable") == decide(rules, facts, "python")
    assert len(decide(rules, facts, "python")) == MAX_FINDINGS


def test_what_durable_is_not_asked_python_decides():
    rules = book([*PAIR, ('"{v.code}"', '"{v.count} {w.count}"')])
    for facts in (
        [fact(position=n, count=n, date=n // 2) for n in range(400)],
        [fact(position=n, count=10**30 + n, date=1) for n in range(3)],
    ):
        engine = Engine(rules)
        assert engine.judge(facts, MEDICARE, RECEIVED) == decide(rules, facts, "python")
        assert engine.fallbacks == 0


@pytest.mark.long
def test_a_part_that_would_never_end_is_given_up():
    match = "match: {v: {fact: visit}, w: {fact: visit, count: {less_than: $v.count}}}"
    rules = book([(PAIR[0][0], match)])
    with pytest.raises(TooMuch):
        decide(rules, [fact(count=1) for _ in range(int(MAX_STEPS**0.5) + 50)])


@pytest.mark.long
@pytest.mark.skipif(not DURABLE, reason="durable-rules is not there")
def test_memory_stays_flat():
    engine = Engine(
        book(
            RULE,
            [*PAIR, ("fact: visit,", "fact: visit, code: A,"), ("{fact: visit}", "{fact: visit, by: B}")],
        )
    )
    facts = [fact(position=n, code="A", by="B", date=20260101 + n // 2) for n in range(4)]

    def run(times):
        for _ in range(times):
            assert len(engine.judge(facts, MEDICARE, RECEIVED)) == 8
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = run(1_000)
    after = run(20_000)
    assert after - before < 4_000  # kB on Linux
    assert (engine.kind, engine.fallbacks) == ("durable", 0)


# -- where durable-rules fails -------------------------------------------------------------------------------


class Broken:
    """A session of durable that fails."""

    def __init__(self, name, network):
        pass

    def fire(self, rows):
        raise RuntimeError("Could not assert facts, error code: 302")


def test_a_fault_of_durable_costs_no_finding(monkeypatch):
    engine = Engine(book(RULE))
    session = engine_module._Session
    monkeypatch.setattr(engine_module, "_Session", Broken)
    assert len(engine.judge([fact(code="A")], MEDICARE, RECEIVED)) == 1
    assert (engine.kind, engine.fallbacks) == ("durable", 1)
    if DURABLE:
        monkeypatch.setattr(engine_module, "_Session", session)
        assert len(engine.judge([fact(code="A")], MEDICARE, RECEIVED)) == 1
        assert (engine.kind, engine.fallbacks) == ("durable", 1)


def test_durable_is_given_up_after_many_faults(monkeypatch):
    monkeypatch.setattr(engine_module, "_Session", Broken)
    engine = Engine(book(RULE))
    for _ in range(50):
        assert len(engine.judge([fact(code="A")], MEDICARE, RECEIVED)) == 1
    assert (engine.kind, engine.fallbacks) == ("python", 20)
    assert "failed" in engine.note


@pytest.mark.parametrize("error", [ImportError, SystemError])
def test_without_durable_python_decides_and_says_so_once(monkeypatch, error):
    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in ("durable", "durable_rules_engine"):
                raise error(name)

    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("durable", "durable_rules_engine")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Absent(), *sys.meta_path])
    engine = Engine(book(RULE))
    assert (engine.kind, engine.note) == ("durable", "")
    assert len(engine.judge([fact(code="A")], MEDICARE, RECEIVED)) == 1
    assert (engine.kind, engine.fallbacks) == ("python", 0)
    assert "Python" in engine.note


@pytest.mark.skipif(not DURABLE, reason="durable-rules is not there")
def test_an_interrupted_claim_leaves_nothing_behind(monkeypatch):
    import durable_rules_engine

    engine = Engine(book(PAIR))
    engine.judge([fact(code="A"), fact(code="A")], MEDICARE, RECEIVED)

    def interrupt(handle, sid):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(durable_rules_engine, "delete_state", interrupt)
        with pytest.raises(KeyboardInterrupt):
            engine.judge([fact(date=1, position=1), fact(date=1, position=2)], MEDICARE, RECEIVED)
    assert engine.judge([fact(date=1, position=3), fact(date=1, position=4)], MEDICARE, RECEIVED) == decide(
        book(PAIR), [fact(date=1, position=3), fact(date=1, position=4)]
    )


@pytest.mark.long
@pytest.mark.skipif(not DURABLE, reason="durable-rules is not there")
def test_durable_is_imported_when_it_is_needed_and_starts_no_thread():
    code = (
        "import sys, threading; sys.path[:0] = ['tests', '.']\n"
        "from test_engine import *\n"
        "engine = Engine(book(RULE)); engine.judge([fact(code='B')], MEDICARE, RECEIVED)\n"
        "assert 'durable' not in sys.modules\n"
        "engine.judge([fact(code='A')], MEDICARE, RECEIVED)\n"
        "assert 'durable' in sys.modules and engine.kind == 'durable'\n"
        "assert threading.active_count() == 1\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# -- what durable must not be given --------------------------------------------------------------------------

K1, EQUAL = {"k": 1}, {"s": {"a": "s"}}


@pytest.mark.parametrize(
    "patterns",
    [
        [],
        [{"a": {"$and": []}}],
        [{"a": {"$or": [K1]}}],
        [{"a": {"$and": [{"c1": {"a": "c2"}}]}}],  # a fact compared with itself
        [{"a": {"$and": [{"$nex": {"c1": 1}}]}}],
        [{"a": {"$and": [{"$mt": {"c1": "x"}}]}}],
        [{"a": {"$and": [{"c1": 1, "c2": 2}]}}],  # the second key is ignored
        [{"a": {"$and": [{"c1": "text"}]}}],
        [{"a": {"$and": [{"c1": None}]}}],
        [{"a": {"$and": [{"c1": 1.5}]}}],
        [{"a": {"$and": [{"c1": True}]}}],
        [{"a": {"$and": [{"c1": 1 << 63}]}}],
        [{"a": {"$and": [{"c1": {"$add": {"$l": {"c2": 1}, "$r": 2}}}]}}],
        [{"a": {"$and": [K1]}}, {"b": {"$and": [K1]}}],  # nothing joins them
        [{"a": {"$and": [K1]}}, {"b": {"$and": [K1, {"$gt": {"c1": {"a": "c1"}}}]}}],  # a comparison last
        [{"a": {"$and": [K1]}}, {"b": {"$and": [K1, EQUAL, {"$gt": {"c1": {"a": "c1"}}}]}}],
        [{"a": {"$and": [K1]}}, {"b": {"$and": [EQUAL, K1]}}],
        [{"a": {"$and": [K1]}}, {"b": {"$and": [K1, {"c1": {"z": "c1"}}]}}],
        [{"a": {"$and": [K1]}}, {"b": {"$and": [K1, *[{"c1": {"a": f"c{n}"}} for n in range(30)]]}}],
        [{"a": {"$and": [K1]}}] + [{f"b{n}": {"$and": [K1, EQUAL]}} for n in range(16)],
    ],
)
def test_the_lint_refuses_what_durable_fails_on(patterns):
    with pytest.raises(Unsafe):
        hold_safe(Network({"r": {"all": patterns}}, {}, {}))


def test_the_lint_accepts_the_safe_form():
    join = [{"a": {"$and": [K1]}}, {"b": {"$and": [K1, {"$gt": {"c1": {"a": "c1"}}}, EQUAL]}}]
    hold_safe(Network({"r": {"all": join}}, {}, {}))
    with pytest.raises(Unsafe):
        hold_safe(Network({f"r{n}": {"all": join} for n in range(61)}, {}, {}))
    with pytest.raises(Unsafe):
        hold_safe(Network({"r": {"all": join}}, {}, {"v": (1, dict.fromkeys(map(str, range(241)), None))}))


def test_many_rules_become_several_networks(kind):
    texts = [[("code: A", f"code: [A, C{n}]"), ('"{v.code}"', f'"{n}"')] for n in range(130)]
    rules = book(*texts)
    made = networks(list(enumerate(case for rule in rules.rules for case in rule.cases)))
    assert [len(network.definition) for network in made] == [60, 60, 13]
    assert len(decide(rules, [fact(code="A")], kind)) == 130
    assert [f.message for f in decide(rules, [fact(code="C77")], kind)] == ["77"]


def test_names_given_to_durable_do_not_collide():
    """Names and ids are compared by a 32-bit hash (FNV-1 and FNV-1a are both looked at)."""
    names = ["id", "sid", "k", "i", "s", *(f"c{n}" for n in range(5000)), *(f"f{n}" for n in range(5000))]
    for multiply_first in (True, False):
        hashes = set()
        for name in names:
            value = 2166136261
            for byte in name.encode():
                if multiply_first:
                    value = (value * 16777619 & 0xFFFFFFFF) ^ byte
                else:
                    value = (value ^ byte) * 16777619 & 0xFFFFFFFF
            hashes.add(value)
        assert len(hashes) == len(names)
