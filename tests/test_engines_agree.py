"""Whatever the rules and the facts: durable-rules, plain Python and the filter before both say the same."""

import json
from random import Random

import pytest

from book import BOOK
from edi_checker.check.engine import Engine
from edi_checker.claims.payer_profiles import BUILT_IN, MEDICARE
from edi_checker.facts import VOCABULARY as REAL
from edi_checker.facts import Fact
from edi_checker.rules.durable import hold_safe, networks
from edi_checker.rules.language import read_rule
from edi_checker.rules.prefilter import Prefilter
from edi_checker.rules.reference_engine import bindings
from edi_checker.rules.rulebook import Rulebook
from toy_rules import VOCABULARY, Spot, fact

RECEIVED = 20260615
BASE = {
    "title": "t",
    "severity": "error",
    "snip": "7",
    "at": "x SV101",
    "message": "{x.code} {x.date}",
    "fix": "f",
    "sources": [{"cite": "c", "seen": "2026-11-21"}],
}

# Few values of each type, so that things meet: what a rule says, and what facts hold.
ASKED = {
    "text": ["A", "B", "02"],
    "int": ["0", "1", "2"],
    "quantity": ["0", "0.5", "1"],
    "money": ["-1", "0", "0.01"],
    "date": ["2026-01-01", "2026-06-30"],
}
HELD = {
    "text": ["", "A", "B", "02", "other", 'é"\\\ud800', "1048576"],
    "int": [None, 0, 1, 2],
    "quantity": [None, 0, 500, 1000],
    "money": [None, -100, 0, 1],
    "date": [None, 20260101, 20260102, 20260630],
    "bool": [False, True],
    "codes": [(), ("A",), ("B",), ("A", "B"), ("B", "02", "B"), ("",)],
}
ORDER = ["at_least", "at_most", "more_than", "less_than"]
IN_FORCE = [
    {},
    {},
    {"from": "2026-01-02"},
    {"until": "2026-01-02"},
    {"from": "2026-06-15", "by": "received"},
    {"until": "2026-06-14", "by": "received"},
]


def condition(random, alias, kind, name, aliases):
    """What is asked of one field; `aliases` (alias -> kind) are the facts it may be compared with."""
    field = VOCABULARY[kind].fields[name]
    if field.type == "codes":
        return codes_condition(random, alias, name)
    same = [
        f"${other}.{other_name}"
        for other, other_kind in aliases.items()
        for other_name, other_field in VOCABULARY[other_kind].fields.items()
        if other_field.type == field.type and (other, other_name) != (alias, name)
    ]
    elsewhere = [reference for reference in same if not reference.startswith(f"${alias}.")]
    words = ["equal", "equal", "not"] + (ORDER if field.type not in ("text", "bool") else [])
    constants = ASKED.get(field.type, ["true", "false"])
    if elsewhere and random.random() < 0.6:
        return {random.choice(words): random.choice(elsewhere)}
    if same and random.random() < 0.3:
        return {random.choice(words): random.choice(same)}
    if field.type != "bool" and random.random() < 0.4:
        return random.choice(
            [
                {"present": "true"},
                {"absent": "true"},
                random.sample(constants, 2),
                {random.choice(["one_of", "none_of"]): random.sample(constants, random.choice([1, 2]))},
            ]
        )
    return {random.choice(words): random.choice(constants)}


def codes_condition(random, alias, name):
    other = "allowed" if name == "modifiers" else "modifiers"
    sets = random.choice([f"${alias}.{other}", random.sample(ASKED["text"], random.choice([1, 2]))])
    return random.choice(
        [
            {random.choice(["present", "absent"]): "true"},
            {"has": random.choice(["A", f"${alias}.code"])},
            {random.choice(["has_any", "has_all", "has_none"]): sets},
            {random.choice(ORDER): random.choice(["0", "1", "2", f"${alias}.count"])},
        ]
    )


def rule_tree(random):
    """A rule file that an author might have written in a dream."""
    aliases = {
        alias: random.choice(["visit", "visit", "visit", "span"])
        for alias in ["x", "y", "z"][: random.choice([1, 1, 2, 2, 2, 3])]
    }

    def asked(alias, kind, counts):
        names = random.sample(list(VOCABULARY[kind].fields), random.choice(counts))
        return {name: condition(random, alias, kind, name, aliases) for name in names}

    match = {alias: {"fact": kind, **asked(alias, kind, [0, 1, 1, 2])} for alias, kind in aliases.items()}
    require = {}
    if random.random() < 0.6:
        require = {
            alias: wanted for alias, kind in aliases.items() if (wanted := asked(alias, kind, [0, 1, 1, 2]))
        }
    tree = {**BASE, "match": match, "in_force": random.choice(IN_FORCE)}
    return {**tree, "require": require} if require else tree


def rule_of(random, name):
    """A rule; where an absent value would make a finding, it is said that it shall, or that it shall not."""
    tree = rule_tree(random)
    rule, faults = read_rule(json.dumps(tree).encode(), name, name, VOCABULARY, ("medicare",))
    for fault in faults:
        assert "would be a finding" in fault.reason, (tree, faults)
        alias, field = fault.reason.split()[2].split(".")
        part = tree[random.choice(["match", "require"])].setdefault(alias, {})
        old = part.get(field, {})
        old = {"one_of": old} if isinstance(old, list) else old
        part[field] = {**old, "present": "true"}
        if "absent" in old:
            del part[field]["absent"]
    if faults:
        rule, faults = read_rule(json.dumps(tree).encode(), name, name, VOCABULARY, ("medicare",))
    assert rule is not None, (tree, faults)
    return rule


def facts_of(random):
    facts = []
    for position in range(random.choice([0, 1, 2, 3, 4, 5, 6])):
        kind = random.choice(["visit", "visit", "visit", "span"])
        fields = VOCABULARY[kind].fields
        values = {name: random.choice(HELD[field.type]) for name, field in fields.items()}
        facts.append(Fact(kind, values, {"": (Spot(position // 2, position),)}))
    return facts


def compare(numbered, sieve, durable, python, facts, profile):
    """Hold every form to the plain one; the number of findings."""
    oracle = {(number, way) for number, case in numbered for way in bindings(case, facts, RECEIVED)}
    passed, kept = sieve.candidates(facts, RECEIVED)
    assert {number for number, _ in oracle} <= set(passed)
    assert {ordinal for _, way in oracle for ordinal in way} <= set(kept)
    single = {number for number, case in numbered if len(case.match) == 1}
    assert {number for number in passed if number in single} == {n for n, _ in oracle if n in single}
    fired = {
        (n, way) for n, way in durable._by_durable(sorted(dict(numbered)), range(len(facts)), facts, RECEIVED)
    }
    assert fired == oracle
    found = durable.judge(facts, profile, RECEIVED)
    assert found == python.judge(facts, profile, RECEIVED)
    assert (durable.kind, durable.fallbacks) == ("durable", 0)
    return len(oracle)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 12))])
def test_all_forms_say_the_same(seed):
    pytest.importorskip("durable_rules_engine", exc_type=ImportError)
    random = Random(seed)
    findings = 0
    for _ in range(40):
        rules = tuple(rule_of(random, f"a.r{number}") for number in range(6))
        numbered = list(enumerate(case for rule in rules for case in rule.cases))
        for network in networks(numbered):
            hold_safe(network)
        durable, python = Engine(Rulebook(rules)), Engine(Rulebook(rules), "python")
        for _ in range(12):
            findings += compare(numbered, Prefilter(numbered), durable, python, facts_of(random), MEDICARE)
    assert findings > 1000


# -- the rules that come with the checker --------------------------------------------------------------------


def _constants(book):
    """Fact type and field -> every constant that some rule compares it with."""
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


def _held(random, field, asked):
    """A value near what the rules ask for."""
    if field.type == "bool":
        return random.choice([False, True])
    if field.type == "text":
        return random.choice(["", "other", *asked])
    if field.type == "codes":
        return tuple(
            random.choices(
                ["GP", "59", *(a for a in asked if isinstance(a, str))], k=random.choice([0, 1, 2])
            )
        )
    if field.type == "date":
        return random.choice([None, 19981231, 20191231, 20200101, 20240701, 20260203, 20270101])
    step = 1000 if field.type == "quantity" else 1
    return random.choice([None, 0, step, 2 * step, *(n + d for n in asked for d in (-step, 0, step))])


@pytest.mark.long
@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=BUILT_IN)
def test_all_forms_say_the_same_by_the_packaged_rules(profile):
    pytest.importorskip("durable_rules_engine", exc_type=ImportError)
    book, random, findings = BOOK, Random(0), 0
    constants = _constants(book)
    kinds = sorted({pattern.kind for rule in book.rules for case in rule.cases for pattern in case.match})
    numbered = list(enumerate(case for rule in book.rules for case in rule.cases))
    sieve, durable, python = Prefilter(numbered), Engine(book), Engine(book, "python")
    for _ in range(400):
        facts = []
        for position in range(random.choice([1, 4, 8])):
            kind = random.choice(kinds)
            values = {
                name: _held(random, field, constants.get((kind, name), []))
                for name, field in REAL[kind].fields.items()
            }
            facts.append(Fact(kind, values, {"": (Spot(position, position),)}))
        findings += compare(numbered, sieve, durable, python, facts, profile)
    assert findings > 200


def test_durable_is_there():
    """Without it the comparisons above would be skipped and nobody would notice."""
    pytest.importorskip("durable_rules_engine", exc_type=ImportError)
    rule, _ = read_rule(
        json.dumps({**BASE, "match": {"x": {"fact": "visit"}}}).encode(),
        "a.b",
        "a",
        VOCABULARY,
        ("medicare",),
    )
    engine = Engine(Rulebook((rule,)))
    assert engine.judge([fact()], MEDICARE, RECEIVED)
    assert (engine.kind, engine.note, engine.fallbacks) == ("durable", "", 0)
