"""Facts are made only as rules need them: the findings are the same as where all of them are made."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest

from edi_checker import guide, rules
from edi_checker.checker import Checker
from edi_checker.claim import Claim
from edi_checker.engine import Engine
from edi_checker.examples import write_example
from edi_checker.facts import VOCABULARY, Circumstances, Fact, facts_of
from edi_checker.profile import MEDICARE
from edi_checker.reader import read_parts
from edi_checker.rules.book import Rulebook
from edi_checker.rules.language import read_rule
from edi_checker.rules.sieve import Sieve
from edi_checker.tables import built_in
from edi_checker.x12 import NotX12, read_blocks
from generate_claims import generate
from pyx12_oracle import mutate
from test_walker import CLEAN, CORPUS

BOOK = rules.load()
GUIDE = guide.load()
RECEIVED = 20261121
SAMPLES = sorted(CLEAN.parent.rglob("*.837"))
MUTATIONS = int(os.environ.get("EDI_CHECKER_MUTATIONS", "400"))


def checker(book: Rulebook, *, fast: bool, received: int = RECEIVED) -> Checker:
    return Checker(GUIDE, Engine(book), Circumstances(received, built_in()), fast=fast)


@cache
def both(received: int = RECEIVED) -> tuple[Checker, Checker]:
    return checker(BOOK, fast=True, received=received), checker(BOOK, fast=False, received=received)


def said(of: Checker, text: str) -> object:
    """All that is said of a text: parts, findings, outcomes, and which rules were in force."""
    of.engine.begin()
    try:
        parts = [
            (type(each.part).__name__, each.findings, each.outcome, each.failed)
            for each in of.check(io.BytesIO(text.encode("utf-8", "surrogateescape")))
        ]
    except NotX12 as error:
        return str(error)
    return parts, of.engine.tally()


def assert_same(text: str, pair: tuple[Checker, Checker] | None = None) -> None:
    fast, slow = pair or both()
    assert said(fast, text) == said(slow, text)


def read(path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples(path):
    assert_same(read(path))


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_examples_of_rules(rule):
    for example in (*rule.examples.passing, *rule.examples.failing):
        assert_same(write_example(example).text, both(20260302))


def test_generated_claims_with_faults():
    for seed in range(3):
        assert_same("".join(generate(150, seed=seed, invalid=0.3)))


def test_claims_that_come_again():
    text = "".join(generate(20, seed=5)).replace("\n", "")
    begin, end = text.index("~HL*2*"), text.index("~SE*")
    assert_same(text[:end] + text[begin:end] + text[end:])


def test_a_provider_whose_day_is_too_long():
    text = re.sub(r"D8\*202602[0-9]{2}~", "D8*20260203~", "".join(generate(80, seed=1)))
    text = re.sub(r"(NM1\*82\*1\*[^~]*\*XX\*)[0-9]{10}", r"\g<1>1234567893", text)
    fast, slow = both()
    assert said(fast, text) == said(slow, text)
    assert "therapy.minutes-implied" in repr(said(fast, text))


def test_random_changes():
    texts = [read(path) for path in sorted(CLEAN.glob("*.837"))]
    texts = [text for text in texts if text[3:4] == "*" and text[105:106] == "~"]
    texts += ["".join(generate(5, seed=seed, invalid=0.1)) for seed in range(6)]
    for change in mutate(texts, MUTATIONS, seed=18):
        assert_same(change.text)


CODES = [
    "97530",
    "97110",
    "97112",
    "97140",
    "97161",
    "97165",
    "92507",
    "97010",
    "99213",
    "59",
    "XS",
    "GP",
    "GO",
    "GN",
    "KX",
    "CQ",
    "CO",
    "76",
    "GA",
    "GZ",
    "26",
    "TC",
    "50",
    "ABK:M1711",
    "ABF:M6281",
    "1",
    "2",
    "3",
    "20260202",
    "20270101",
    "20260203-20260209",
    "RD8",
    "D8",
    "MB",
    "CI",
    "11",
    "12",
    "21",
    "02",
    "7",
    "1.5",
    "0",
    "MJ",
    "XX",
    "1234567890",
    "431",
    "439",
    "435",
    "096",
    "DN",
    "82",
    "Z",
    "WC",
    "AA",
    "P",
    "S",
    "18",
]


def change_codes(text: str, random: Random) -> str:
    segments = text.split("~")
    for _ in range(random.choice([1, 1, 2, 3])):
        at = random.randrange(3, len(segments) - 3)
        elements = segments[at].strip().split("*")
        if random.random() < 0.2:
            segments.insert(at, segments[random.randrange(3, len(segments) - 3)])
        elif len(elements) > 1:
            number = random.randrange(1, len(elements))
            parts = elements[number].split(":")
            part = random.randrange(len(parts))
            parts[part : part + random.choice([0, 1, 1])] = [random.choice(CODES)]
            elements[number] = ":".join(parts)
            segments[at] = "*".join(elements)
    return "~".join(segments)


def test_random_codes():
    random = Random(18)
    texts = ["".join(generate(5, seed=seed, invalid=0.1)) for seed in range(12)]
    texts += ["".join(generate(5, seed=seed, every_kind=True)) for seed in range(4)]
    # Claims on which another payer decided already.
    decided = [text for text in ("".join(generate(2, seed=seed)) for seed in range(60)) if "SVD*" in text]
    assert len(decided) > 5
    for _ in range(MUTATIONS):
        assert_same(change_codes(random.choice(random.choice((texts, texts, decided))), random))


@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus here")
def test_corpus():
    for path in sorted((CORPUS / "837p").glob("*")):
        assert_same(read(path))


# -- rules that nobody has written yet


KINDS = [kind for kind in VOCABULARY if kind not in ("fault", "file", "transaction")]


@cache
def seen() -> dict[tuple[str, str], list[object]]:
    """Values of each field as generated claims have them."""
    values: dict[tuple[str, str], set[object]] = {}
    text = "".join(generate(40, seed=2, invalid=0.2))
    circumstances = Circumstances(RECEIVED, built_in()).for_one_input()
    for part in read_parts(read_blocks(io.BytesIO(text.encode())), GUIDE):
        for fact in facts_of(part, circumstances):
            for name, value in fact.values.items():
                values.setdefault((fact.kind, name), set()).add(value)
    return {key: sorted(held, key=repr) for key, held in values.items()}


def condition(random: Random, kind: str, name: str, alias: str) -> dict[str, object]:
    field = VOCABULARY[kind].fields[name]
    value = random.choice(seen().get((kind, name), [None]))
    if field.type == "bool":
        return {"equal": random.choice(["true", "false"])}
    if value in (None, "", ()) or random.random() < 0.1:
        return {random.choice(["present", "absent"]): "true"}
    if field.type == "codes":
        return {random.choice(["has_any", "has_none", "has_all"]): [random.choice(value)]}
    written = str(value)
    if field.type == "money":
        written = f"{value / 100:.2f}"
    elif field.type == "quantity":
        written = f"{value / 1000:.3f}"
    elif field.type == "date":
        written = f"{value // 10000:04}-{value // 100 % 100:02}-{value % 100:02}"
    words = ["equal", "equal", "not"]
    if field.type != "text":
        words += ["at_least", "less_than"]
        same = [each for each, other in VOCABULARY[kind].fields.items() if other.type == field.type]
        if len(same) > 1 and random.random() < 0.4:
            other = random.choice([each for each in same if each != name])
            return {random.choice(["more_than", "at_most", "not"]): f"${alias}.{other}"}
    return {random.choice(words): written}


def random_book(random: Random) -> Rulebook:
    made = []
    while len(made) < 5:
        aliases = {alias: random.choice(KINDS) for alias in ("x", "y")[: random.choice([1, 1, 1, 2])]}
        match: dict[str, dict[str, object]] = {}
        for alias, kind in aliases.items():
            names = [name for name in VOCABULARY[kind].fields if (kind, name) in seen()] or ["date"]
            chosen = random.sample(names, min(len(names), random.choice([1, 2, 2, 3])))
            match[alias] = {"fact": kind, **{name: condition(random, kind, name, alias) for name in chosen}}
        if len(aliases) == 2:
            match["y"]["date"] = {"equal": "$x.date"}
        knows = VOCABULARY[aliases["x"]].knows_its_place
        tree = {
            "title": "t",
            "severity": "warning",
            "snip": "7",
            "at": "x" if knows else "x CLM",
            "message": "{x.date}",
            "fix": "f",
            "sources": [{"cite": "c", "seen": "2026-11-21"}],
            "match": match,
            "in_force": random.choice([{}, {"from": "2026-02-10"}, {"until": "2026-02-10"}]),
        }
        name = f"r{len(made)}"
        rule, _ = read_rule(json.dumps(tree).encode(), name, name, VOCABULARY, ("medicare",))
        if rule is not None:
            made.append(rule)
    return Rulebook(tuple(made))


def test_random_rules():
    random = Random(4)
    text = "".join(generate(25, seed=8, invalid=0.2))
    assert "SVD*" in text
    found = 0
    for _ in range(25):
        book = random_book(random)
        fast = said(checker(book, fast=True), text)
        assert fast == said(checker(book, fast=False), text), book
        found += repr(fast).count("Finding(")
    assert found > 100


# -- what is not made


def claims(text: str) -> Iterator[Claim]:
    for part in read_parts(read_blocks(io.BytesIO(text.encode())), GUIDE):
        if isinstance(part, Claim):
            yield part


def test_most_plain_claims_make_no_fact():
    engine = Engine(BOOK)
    circumstances = Circumstances(RECEIVED, built_in(), needs=engine.needs).for_one_input()
    made = [facts_of(claim, circumstances) for claim in claims("".join(generate(100, seed=3)))]
    assert sum(not facts for facts in made) > 80


def test_a_question_is_what_is_left_open():
    engine = Engine(BOOK)
    needs = engine.needs(MEDICARE)
    assert "provider" in needs.kinds
    assert needs.ask("provider", {"npi": "1234567893", "npi_valid": True}) is None
    question = needs.ask("provider", {"npi": "1234567890", "npi_valid": False})
    assert question is not None
    assert question.fields == {"role"}
    assert question.holds({"role": "82"}, RECEIVED)
    assert needs.ask("no such kind", {}) is None


def test_one_side_of_a_comparison_that_is_absent_answers_it():
    needs = Engine(BOOK).needs(MEDICARE)
    question = needs.ask("therapy_day", {"allowed": None, "minutes_expected": False})
    assert question is not None
    assert question.fields == {"provider_minutes"}


def test_facts_that_a_rule_joins_are_needed_together():
    case = next(
        case for rule in BOOK.rules if rule.id == "therapy.activities-with-exercise" for case in rule.cases
    )
    sieve = Sieve([(0, case)])
    needs = sieve.needs()
    values = {"modifiers": (), "code": "97530"}
    one = needs.ask("code_day", values)
    two = needs.ask("code_day", {**values, "code": "97110"})
    assert one is not None
    assert two is not None
    assert not needs.together("code_day", one.bits)
    assert needs.together("code_day", one.bits | two.bits) == one.bits | two.bits


def test_answers_are_bounded(monkeypatch):
    needs = Engine(BOOK).needs(MEDICARE)
    monkeypatch.setattr(type(needs), "MOST_KNOWN", 5)
    for number in range(20):
        needs.learn(("provider", number), "provider", {"npi": str(number), "npi_valid": False})
    assert len(needs.known) <= 5


def test_facts_say_what_the_table_of_claim_fields_says():
    [claim] = claims("".join(generate(1, seed=3)))
    facts = facts_of(claim, Circumstances(RECEIVED, built_in()))
    whole: Fact = next(fact for fact in facts if fact.kind == "claim")
    assert whole.values.keys() == VOCABULARY["claim"].fields.keys()
