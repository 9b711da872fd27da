"""Whatever the rules and the facts: durable-rules, plain Python and the filter before both say the same."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_checker.engine import Engine
from edi_checker.facts import VOCABULARY as REAL
from edi_checker.facts import Fact
from edi_checker.profile import BUILT_IN, MEDICARE
from edi_checker.rules.book import Rulebook, load
from edi_checker.rules.language import read_rule
from edi_checker.rules.network import hold_safe, networks
from edi_checker.rules.plain import bindings
from edi_checker.rules.sieve import Sieve
from toy_rules import VOCABULARY, Spot, fact

CODES = ["A", "B", "C", "02"]
DAYS = [20260101, 20260102, 20260630]
TEXT_DAYS = ["2026-01-01", "2026-01-02", "2026-06-30"]
RECEIVED = 20260615

# What a rule file may say of each type of field; small ranges, so that things meet.
_NUMBERS = {"int": st.integers(-1, 3).map(str), "quantity": st.sampled_from(["0", "0.5", "1", "2"])}
_NUMBERS["money"] = st.sampled_from(["-1", "0", "0.01", "10"])
_NUMBERS["date"] = st.sampled_from(TEXT_DAYS)
_ORDER = ["at_least", "at_most", "more_than", "less_than"]
_EXISTS = st.sampled_from([{"present": "true"}, {"absent": "true"}])


def constants(kind):
    return st.sampled_from(CODES) if kind == "text" else _NUMBERS[kind]


@st.composite
def conditions(draw, kind, name, aliases):
    """What is asked of one field; `aliases` (alias -> kind) are the facts it may be compared with."""
    alias_of, fact_kind = name
    field = VOCABULARY[fact_kind].fields[kind]
    if field.type == "bool":
        same = references(aliases, "bool", (alias_of, kind))
        constant = st.sampled_from(["true", "false"])
        return draw(
            st.one_of(
                constant,
                st.fixed_dictionaries({"not": constant}),
                *(
                    [st.fixed_dictionaries({"not": st.sampled_from(same)}), st.sampled_from(same)]
                    if same
                    else []
                ),
            )
        )
    if field.type == "codes":
        return draw(codes_conditions(alias_of, fact_kind, kind))
    values = constants(field.type)
    lists = st.lists(values, min_size=1, max_size=3, unique=True)
    same = references(aliases, field.type, (alias_of, kind))
    one = st.one_of(values, st.sampled_from(same)) if same else values
    words = ["equal", "not"] + ([] if field.type == "text" else _ORDER)
    return draw(
        st.one_of(
            one,
            lists,
            _EXISTS,
            st.dictionaries(st.sampled_from(words), one, min_size=1, max_size=2),
            st.dictionaries(st.sampled_from(["one_of", "none_of"]), lists, min_size=1, max_size=2),
        )
    )


@st.composite
def codes_conditions(draw, alias, fact_kind, name):
    lists = st.lists(st.sampled_from(CODES), min_size=1, max_size=3, unique=True)
    others = [f"${alias}.{other}" for other in ("modifiers", "allowed") if other != name]
    sets = st.one_of(lists, st.sampled_from(others))
    return draw(
        st.one_of(
            _EXISTS,
            st.fixed_dictionaries({"has": st.one_of(st.sampled_from(CODES), st.just(f"${alias}.code"))}),
            st.dictionaries(
                st.sampled_from(["has_any", "has_all", "has_none"]), sets, min_size=1, max_size=2
            ),
            st.dictionaries(
                st.sampled_from(_ORDER),
                st.one_of(st.integers(0, 2).map(str), st.just(f"${alias}.count")),
                min_size=1,
                max_size=2,
            ),
        )
    )


def references(aliases, kind, but):
    return [
        f"${alias}.{name}"
        for alias, fact_kind in aliases.items()
        for name, field in VOCABULARY[fact_kind].fields.items()
        if field.type == kind and (alias, name) != but
    ]


@st.composite
def rule_texts(draw):
    """A rule file."""
    aliases = {
        alias: draw(st.sampled_from(["visit", "visit", "span"]))
        for alias in ["x", "y", "z"][: draw(st.sampled_from([1, 1, 1, 2, 2, 3]))]
    }

    def asked(alias, fact_kind, at_most):
        names = draw(
            st.lists(st.sampled_from(list(VOCABULARY[fact_kind].fields)), max_size=at_most, unique=True)
        )
        return {name: draw(conditions(name, (alias, fact_kind), aliases)) for name in names}

    match = {alias: {"fact": kind, **asked(alias, kind, 3)} for alias, kind in aliases.items()}
    require = {}
    if draw(st.booleans()):
        for alias, kind in aliases.items():
            if wanted := asked(alias, kind, 2):
                require[alias] = wanted
    in_force = draw(
        st.sampled_from(
            [{}, {"from": "2026-01-02"}, {"until": "2026-01-02"}, {"from": "2026-06-15", "by": "received"}]
        )
    )
    rule = {
        "title": "t",
        "severity": "error",
        "snip": 7,
        "match": match,
        "at": "x SV101",
        "message": "{x.code} {x.date}",
        "fix": "f",
        "sources": [{"cite": "c", "seen": "2026-11-21"}],
    }
    if require:
        rule["require"] = require
    if in_force:
        rule["in_force"] = in_force
    return json.dumps(rule)


def rule_of(text, name="a.b"):
    """The rule; what an absent value would make a finding is said to be there, as the reader asks."""
    rule, faults = read_rule(text.encode(), name, name, VOCABULARY, ("medicare",))
    if rule is None and all("would be a finding" in fault.reason for fault in faults):
        tree = json.loads(text)
        for fault in faults:
            alias, field = fault.reason.split()[2].split(".")
            asked = tree["require"].setdefault(alias, {})
            old = asked.get(field)
            if isinstance(old, dict):
                asked[field] = {**old, "present": "true"}
            elif isinstance(old, list):
                asked[field] = {"one_of": old, "present": "true"}
            else:
                asked[field] = {"present": "true"} | ({"equal": old} if old is not None else {})
        rule, faults = read_rule(json.dumps(tree).encode(), name, name, VOCABULARY, ("medicare",))
    assert rule is not None, (text, faults)
    return rule


_VALUES = {
    "text": st.sampled_from(["", *CODES, "other", 'é"\\\ud800', "1048576"]),
    "int": st.sampled_from([None, -1, 0, 1, 2, 3]),
    "quantity": st.sampled_from([None, 0, 500, 1000, 2000, 2001]),
    "money": st.sampled_from([None, -100, 0, 1, 1000, 10**21]),
    "date": st.sampled_from([None, *DAYS]),
    "bool": st.booleans(),
    "codes": st.lists(st.sampled_from(CODES), max_size=3).map(tuple),
}


@st.composite
def fact_lists(draw):
    facts = []
    for position in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(["visit", "visit", "visit", "span"]))
        values = {name: draw(_VALUES[field.type]) for name, field in VOCABULARY[kind].fields.items()}
        facts.append(Fact(kind, values, {"": (Spot(position // 2, position),)}))
    return facts


ENGINES = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def test_durable_is_there():
    """Without it the comparison below would compare Python with itself."""
    pytest.importorskip("durable_rules_engine", exc_type=ImportError)
    book = Rulebook((rule_of(json.dumps({**BASE, "match": {"x": {"fact": "visit"}}})),))
    engine = Engine(book)
    assert engine.decide([fact()], MEDICARE, RECEIVED)
    assert (engine.kind, engine.note, engine.fallbacks) == ("durable", "", 0)


BASE = {
    "title": "t",
    "severity": "error",
    "snip": "7",
    "at": "x SV101",
    "message": "m",
    "fix": "f",
    "sources": [{"cite": "c", "seen": "2026-11-21"}],
}


@ENGINES
@given(st.lists(rule_texts(), min_size=1, max_size=4), st.lists(fact_lists(), min_size=1, max_size=3))
def test_all_forms_say_the_same(texts, parts):
    rules = tuple(rule_of(text, f"a.r{number}") for number, text in enumerate(texts))
    cases = [case for rule in rules for case in rule.cases]
    numbered = list(enumerate(cases))
    sieve = Sieve(numbered)
    for network in networks(numbered):
        hold_safe(network)
    durable, python = Engine(Rulebook(rules)), Engine(Rulebook(rules), "python")
    for facts in parts:
        oracle = {(number, way) for number, case in numbered for way in bindings(case, facts, RECEIVED)}
        passed, kept = sieve.candidates(facts, RECEIVED)
        assert {number for number, _ in oracle} <= set(passed)
        assert {ordinal for _, way in oracle for ordinal in way} <= set(kept)
        single = {number for number, case in numbered if len(case.match) == 1}
        assert {n for n in passed if n in single} == {n for n, _ in oracle if n in single}
        found = python.decide(facts, MEDICARE, RECEIVED)
        assert len(found) <= len(oracle)
        assert bool(found) == bool(oracle)
        assert durable.decide(facts, MEDICARE, RECEIVED) == found
    assert durable.fallbacks == 0


# -- the rules that come with the checker --------------------------------------------------------------------


def _asked(book):
    """Field by field (fact type, field name), every constant that some rule compares it with."""
    constants = {}
    for case in (case for rule in book.rules for case in rule.cases):
        kinds = {pattern.alias: pattern.kind for pattern in case.match}
        for term in [*(term for pattern in case.match for term in pattern.terms), *case.require]:
            values = term.value if isinstance(term.value, tuple) else (term.value,)
            known = constants.setdefault((kinds[term.field.alias], term.field.field), [])
            known += [
                value for value in values if isinstance(value, (str, int)) and not isinstance(value, bool)
            ]
    return constants


BOOK = load()
ASKED = _asked(BOOK)
REAL_DURABLE, REAL_PYTHON = Engine(BOOK), Engine(BOOK, "python")
_AROUND = {"int": 1, "quantity": 1000, "money": 1}


def _real_values(kind, name, field):
    asked = list(dict.fromkeys(ASKED.get((kind, name), [])))
    if field.type == "bool":
        return st.booleans()
    if field.type == "text":
        return st.sampled_from(["", "other", *asked])
    if field.type == "codes":
        return st.lists(
            st.sampled_from(["GP", "59", *(a for a in asked if isinstance(a, str))]), max_size=3
        ).map(tuple)
    if field.type == "date":
        return st.sampled_from([None, 19981231, 20191231, 20200101, 20240701, 20260203, 20270101])
    step = _AROUND[field.type]
    return st.sampled_from([None, 0, step, 2 * step, *(n + d for n in asked for d in (-step, 0, step))])


@st.composite
def real_facts(draw):
    facts = []
    kinds = sorted({pattern.kind for rule in BOOK.rules for case in rule.cases for pattern in case.match})
    for position in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(kinds))
        fields = REAL[kind].fields
        values = {name: draw(_real_values(kind, name, field)) for name, field in fields.items()}
        facts.append(Fact(kind, values, {"": (Spot(position, position),)}))
    return facts


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(real_facts(), min_size=1, max_size=4), st.sampled_from(list(BUILT_IN.values())))
def test_all_forms_say_the_same_of_the_packaged_rules(parts, profile):
    numbered = list(enumerate(case for rule in BOOK.rules for case in rule.cases))
    sieve = Sieve(numbered)
    for facts in parts:
        oracle = {(number, way) for number, case in numbered for way in bindings(case, facts, RECEIVED)}
        passed, kept = sieve.candidates(facts, RECEIVED)
        assert {number for number, _ in oracle} <= set(passed)
        assert {ordinal for _, way in oracle for ordinal in way} <= set(kept)
        found = REAL_DURABLE.decide(facts, profile, RECEIVED)
        assert found == REAL_PYTHON.decide(facts, profile, RECEIVED)
    assert REAL_DURABLE.fallbacks == 0
