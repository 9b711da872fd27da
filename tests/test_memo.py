"""What is remembered of pieces of claims: findings, outcomes and tally are the same as without any memory."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from functools import cache
from random import Random
from types import SimpleNamespace

import pytest

from both_ways import (
    BOOK,
    Pair,
    assert_same,
    claims_in,
    count,
    findings_in,
    make_pair,
    parts_in,
    read,
    said,
    usual,
    watch_memory,
)
from edi_checker.check import judgement, memo
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.check.memo import Following, LineEntry
from edi_checker.claims.payer_profiles import MEDICARE
from edi_checker.facts import VOCABULARY, Coverage, InputMemory, Setting, context, facts_of
from edi_checker.facts.context import ClaimsSeen, ProviderDays
from edi_checker.facts.lines import service_in
from edi_checker.facts.pieces import OpenFact, look_at
from edi_checker.facts.seen import DigestsInPython
from edi_checker.reference.tables import built_in
from edi_checker.rules.language import read_rule
from edi_checker.rules.prefilter import NO_ANSWER, Prefilter
from edi_checker.rules.rulebook import Rulebook
from generate_claims import generate
from paths import CLEAN, CORPUS, DATA
from pyx12_oracle import mutate
from second_maker import make

RECEIVED = 20261121
SAMPLES = sorted(CLEAN.parent.rglob("*.837"))
FIELD = sorted((DATA / "field" / "cases").glob("*.837"))
MUTATIONS = int(os.environ.get("EDI_CHECKER_MUTATIONS", "400"))


# -- files


@pytest.mark.long
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples(path):
    assert_same(read(path))


@pytest.mark.long
@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_examples_of_rules(rule):
    for example in (*rule.examples.passing, *rule.examples.failing):
        assert_same(write_example(example).text, usual(20260302))


@pytest.mark.long
def test_generated_claims_with_faults():
    for seed in range(3):
        assert_same("".join(generate(150, seed=seed, invalid=0.3)))


def test_claims_that_come_again():
    text = "".join(generate(20, seed=5)).replace("\n", "")
    begin, end = text.index("~HL*2*"), text.index("~SE*")
    found = assert_same(text[:end] + text[begin:end] + text[end:])
    assert count(found, "duplicate.claim") == 20


def test_a_provider_whose_day_is_too_long():
    text = re.sub(r"D8\*202602[0-9]{2}~", "D8*20260203~", "".join(generate(80, seed=1)))
    text = re.sub(r"(NM1\*82\*1\*[^~]*\*XX\*)[0-9]{10}", r"\g<1>1234567893", text)
    assert count(assert_same(text), "therapy.minutes-implied")


def test_diagnoses_that_stand_in_the_claim_before():
    """Both ways know that the second claim has its HI at another place, though it has no fault itself."""
    text = read(CLEAN / "office-visit.837")
    first, second = re.findall(r"CLM\*OFF-600[12][^~]*~\s*HI\*[^~]*~\s*", text)
    claim, diagnoses = re.fullmatch(r"(CLM[^~]*~\s*)(HI[^~]*~\s*)", second).groups()
    assert first != second
    found = assert_same(text.replace(second, diagnoses + claim))
    assert count(found, "guide.segment-order") == 1
    assert count(found, "code.diagnosis-pointer") == 0


@pytest.mark.long
def test_random_changes():
    texts = [read(path) for path in sorted(CLEAN.glob("*.837"))]
    texts = [text for text in texts if text[3:4] == "*" and text[105:106] == "~"]
    texts += ["".join(generate(5, seed=seed, invalid=0.1)) for seed in range(6)]
    for change in mutate(texts, MUTATIONS, seed=18):
        assert_same(change.text)


CODES = (
    "97530 97110 97112 97140 97161 97165 92507 97010 99213 59 XS GP GO GN KX CQ CO 76 GA GZ 26 TC 50 "  # noqa: SIM905
    "ABK:M1711 ABF:M6281 1 2 3 20260202 20270101 20260203-20260209 RD8 D8 MB CI 11 12 21 02 7 1.5 0 MJ XX "
    "1234567890 431 439 435 096 DN 82 Z WC AA P S 18".split()
)


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


@pytest.mark.long
def test_random_codes():
    random = Random(18)
    texts = ["".join(generate(5, seed=seed, invalid=0.1)) for seed in range(12)]
    texts += ["".join(generate(5, seed=seed, every_kind=True)) for seed in range(4)]
    # Claims on which another payer decided already.
    decided = [text for text in ("".join(generate(2, seed=seed)) for seed in range(60)) if "SVD*" in text]
    assert len(decided) > 5
    for _ in range(MUTATIONS):
        assert_same(change_codes(random.choice(random.choice((texts, texts, decided))), random))


@pytest.mark.long
@pytest.mark.skipif(not CORPUS.exists(), reason="no corpus here")
def test_corpus():
    for path in sorted((CORPUS / "837p").glob("*")):
        assert_same(read(path))


@pytest.mark.long
def test_field_cases():
    for path in FIELD:
        assert_same(read(path))


# -- other claims before


def every_kind(claims: int = 60) -> str:
    return "".join(generate(claims, seed=6, every_kind=True))


def of_the_second_maker(claims: int = 80, shape: str = "noisy") -> str:
    return "".join(piece.text for piece in make(shape, claims, seed=2, ordinary=0.5))


def shuffle(text: str, seed: int) -> str:
    """The same claims in another order: each with the levels above it that it has of its own."""
    segments = [segment.strip("\r\n") for segment in text.split("~")]
    begin = next(at for at, segment in enumerate(segments) if re.match(r"HL\*[^*]*\*[^*]*\*22", segment))
    end = next(at for at, segment in enumerate(segments) if segment.startswith("SE*"))
    families: list[list[str]] = []
    levels = segments[:begin]
    for segment in segments[begin:end]:
        if segment.startswith("HL*") and segment.split("*")[3] != "23":
            if segment.split("*")[3] == "20":
                break
            families.append([])
        families[-1].append(segment)
    Random(seed).shuffle(families)
    body = [segment for family in families for segment in family]
    ends = [f"SE*{begin - 2 + len(body) + 1}*{segments[2].split('*')[2]}"]
    return "~".join(
        [
            *levels,
            *body,
            *ends,
            "GE*1*" + segments[1].split("*")[6],
            "IEA*1*" + segments[0].split("*")[13],
            "",
        ]
    )


@pytest.mark.long
@pytest.mark.parametrize("write", [every_kind, of_the_second_maker], ids=["first maker", "second maker"])
def test_claims_in_any_order(write):
    text = write()
    for seed in range(3):
        found = assert_same(shuffle(text, seed), make_pair())
        assert len(found[0]) > 20


@pytest.mark.long
def test_what_came_before_changes_nothing():
    texts = [every_kind(), of_the_second_maker(), "".join(generate(60, seed=8, invalid=0.2))]
    alone = [assert_same(text, make_pair()) for text in texts]
    fast, _ = make_pair()
    for seed in range(3):
        order = [0, 1, 2, 0, 1, 2]
        Random(seed).shuffle(order)
        for number in order:
            assert said(fast, texts[number]) == alone[number]


def test_most_claims_are_decided_by_memory(monkeypatch):
    pair = make_pair()
    decided = watch_memory(pair, monkeypatch)
    said(pair.fast, "".join(generate(100, seed=3)))
    said(pair.fast, of_the_second_maker(100, "clean"))
    remembered, looked_at = decided()
    assert remembered > 180
    assert looked_at < 5


@pytest.mark.long
def test_claims_are_counted_by_how_they_were_judged():
    text = of_the_second_maker(100, "clean") + "".join(generate(60, seed=8, invalid=0.5))
    ways = []
    for of in make_pair():
        engine = Engine(BOOK)
        said(replace(of, engine=engine), text)
        ways.append(engine.ways)
    fast, slow = ways
    assert fast["pieces"] > fast["whole"] > 0
    assert slow == {"whole": fast.total()}


def held_in(digests):
    return {key: number for key, number in zip(digests._digests, digests._numbers, strict=True) if key}


@pytest.mark.long
def test_what_is_noted_of_an_input_is_the_same(monkeypatch):
    text = every_kind() + of_the_second_maker() + "".join(generate(60, seed=8, invalid=0.2))
    noted = []
    monkeypatch.setattr(context, "make_digests", lambda: DigestsInPython(1))
    for of in make_pair():
        coverage, days, claims = Coverage(), ProviderDays(), ClaimsSeen()
        memory = InputMemory(None, coverage, provider_days=days, claims_seen=claims)
        found = said(of, text, memory)
        noted.append(
            (
                found,
                coverage.gaps(),
                *map(held_in, (days._minutes, claims._begins)),
                bytes(claims._texts._last),
            )
        )
    assert noted[0] == noted[1]
    assert all(noted[0])


@pytest.mark.long
def test_what_fired_is_counted():
    counted = []
    for of in make_pair():
        engine = Engine(BOOK, clock=iter(range(10**9)).__next__)
        for text in (every_kind(), of_the_second_maker()) * 2:
            said(replace(of, engine=engine), text)
        counted.append({run.rule: run.fired for run in engine.runs() if run.fired})
    assert counted[0] == counted[1]


# -- what is kept


@pytest.mark.long
def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(memo, "_MOST_REMEMBERED", 6)
    monkeypatch.setattr(judgement, "_MOST_ANSWERS", 6)
    monkeypatch.setattr(judgement, "_FEW_ANSWERS", 6)
    pair = make_pair()
    assert_same(every_kind(), pair)
    assert_same(of_the_second_maker(), pair)
    fields = {name for kind in VOCABULARY.values() for name in kind.fields}
    held = [each for each in remembered_in(pair) if not each.keys() <= fields]
    assert max(map(len, held)) == 6


@pytest.mark.long
def test_lines_are_bounded_over_all_memos(monkeypatch):
    monkeypatch.setattr(memo, "_MOST_LINES", 60)
    pair = make_pair()
    text = of_the_second_maker()
    for delimiters in ("*:~", "*<~", "|:~"):
        assert_same(text.replace("\n", "").translate(str.maketrans("*:~", delimiters)), pair)
    memos = pair.fast.engine._memos
    assert len(list(memos)) > 3
    held = [
        each
        for each in remembered_in(pair)
        if not {LineEntry, Following}.isdisjoint(map(type, each.values()))
    ]
    assert 0 < sum(map(len, held)) <= 60


def test_lines_that_are_met_least_are_forgotten_first(monkeypatch):
    monkeypatch.setattr(memo, "_MOST_LINES", 4)
    memos = memo.Memos()
    view = look_at([["LX", "1"], ["SV1", "HC:97530:GP", "50", "UN", "1", "", "", "1"]], ":")
    lines = {name: Following(view, None, numbered=False) for name in "abcd"}
    memos.add("key", SimpleNamespace(lines=lambda: [(each, lines, name) for name, each in lines.items()]))
    for name, times in (("a", 9), ("b", 1), ("c", 5), ("d", 2)):
        lines[name].met = times
        memos.make_room()
    memos.make_room()
    assert {name: each.met for name, each in lines.items()} == {"a": 4, "c": 2}


def remembered_in(pair: Pair) -> list[dict[object, object]]:
    """Every dictionary that the memos of a checker hold, however deep."""
    found: list[dict[object, object]] = []
    seen: set[int] = set()

    def walk(item: object) -> None:
        if id(item) in seen:
            return
        seen.add(id(item))
        if isinstance(item, dict):
            found.append(item)
            for key, value in item.items():
                walk(key)
                walk(value)
        elif isinstance(item, (tuple, list, frozenset, set)):
            for each in item:
                walk(each)
        elif type(item).__module__ == "edi_checker.check.memo":
            names = [name for each in type(item).__mro__ for name in getattr(each, "__slots__", ())]
            for name in (*names, *getattr(item, "__dict__", {})):
                walk(getattr(item, name, None))

    for each in pair.fast.engine._memos:
        walk(each)
    return found


def texts_in(key: object) -> list[str]:
    if isinstance(key, tuple | frozenset):
        return [text for each in key for text in texts_in(each)]
    return [str(key)]


# Elements that tell who somebody is, what he owes, or what a person wrote: names, ids, addresses, birth
# dates, numbers of claims and references, amounts, notes.
_PERSONAL = {
    "NM1": (3, 4, 5, 7, 9),
    "N3": (1, 2),
    "N4": (1, 3),
    "DMG": (2,),
    "REF": (2,),
    "CLM": (1, 2),
    "SV1": (2,),
    "AMT": (2,),
    "SVD": (1, 2),
    "CAS": (3, 6, 9),
    "NTE": (2,),
    "SBR": (3, 4),
    "PWK": (6,),
    "PAT": (6,),
    "PER": (2, 4),
    "PS1": (1, 2),
    "K3": (1,),
}


def mark(text: str) -> tuple[str, set[str]]:
    """The text with something in each personal element that stands nowhere else, and all that was put in."""
    random = Random(7)
    marks: set[str] = set()
    begun = False

    def marked(name: str, number: int, cells: list[str]) -> str:
        value = cells[number]
        if name == "DMG":
            made = f"19{random.randrange(30, 70)}{random.randrange(1, 13):02}{random.randrange(1, 29):02}"
        elif name == "N4" and number == 3:
            made = str(random.randrange(10**8, 10**9))
        elif re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) and (name, number) != ("REF", 2):
            made = f"{random.randrange(10**6, 10**7)}.{random.randrange(11, 100)}"
        else:
            made = "Q" + "".join(random.choices("BCDFGHJKLMNPRSTVWXZ", k=9))
        marks.update((made, made.replace(".", "")))
        return made

    segments = text.replace("\n", "").split("~")
    for at, segment in enumerate(segments):
        cells = segment.split("*")
        begun = begun or cells[0] == "HL"
        if not begun or cells[:2] == ["REF", "X4"]:
            continue
        for number in _PERSONAL.get(cells[0], ()):
            # Who gives a service is in a public register.
            if (
                number < len(cells)
                and cells[number]
                and not (cells[0] == "NM1" and number == 9 and "XX" in cells)
            ):
                cells[number] = marked(cells[0], number, cells)
        segments[at] = "*".join(cells)
    return "~".join(segments), marks


@pytest.mark.long
def test_nothing_is_kept_that_tells_of_a_person(monkeypatch):
    pair = make_pair()
    decided = watch_memory(pair, monkeypatch)
    marks: set[str] = set()
    for text in (every_kind(), of_the_second_maker(), "".join(generate(60, seed=8))):
        marked, put_in = mark(text)
        marks |= put_in
        assert_same(marked, pair)
    assert decided()[0] > 100
    assert len(marks) > 1000
    keys = {text for held in remembered_in(pair) for key in held for text in texts_in(key)}
    assert len(keys) > 300
    everything = "\x00".join(keys)
    assert [each for each in marks if each in everything] == []


def test_a_line_is_quiet_at_a_place_only_where_no_rule_joins_it_with_others():
    view = look_at([["LX", "1"], ["SV1", "HC:97530:GP", "50", "UN", "1", "", "", "1"]], ":")
    service = service_in(view, 20260203, built_in())
    fact = OpenFact("line", {}, {})
    takes = (("place_of_service", str),)
    for joins in (0, 4):
        holds = judgement._always(joins)
        ask = judgement.Ask(fact, holds, takes, judgement._together(takes), {}, joins, {}, None, {})
        entry = LineEntry(1, view, service, judgement.Said(asks=(ask,)), judgement.NOTHING_SAID)
        assert entry.of_place == (joins == 0)


# -- what is asked of a fact of which some is known


def sieve() -> Prefilter:
    return Engine(BOOK)._program(MEDICARE).sieve


def ask(asked: Prefilter, kind: str, known: dict[str, object], near=None, same=frozenset()) -> object:
    """As Prefilter.ask of a fact of which this is known and all else is open."""
    fields = VOCABULARY[kind].fields if kind in VOCABULARY else {}
    opened = frozenset(fields.keys() - known.keys())
    return asked.ask(kind, {**dict.fromkeys(opened, object()), **known}, opened, near or {}, RECEIVED, same)


def test_a_question_is_what_is_left_open():
    asked = sieve()
    assert "provider" in asked.kinds
    known = {"npi": "1234567893", "npi_valid": True, "taxonomy": "225100000X"}
    assert ask(asked, "provider", known) == NO_ANSWER
    known |= {"npi": "1234567890", "npi_valid": False}
    bits, question = ask(asked, "provider", known)
    assert bits == 0
    assert question.fields == {"role"}
    assert question.holds({"role": "82"}, RECEIVED)
    bits, question = ask(asked, "provider", {**known, "role": "82"})
    assert bits
    assert question is None
    assert ask(asked, "no such kind", {}) == NO_ANSWER


def test_one_side_of_a_comparison_that_is_absent_answers_it():
    known = {"allowed": None, "allowed_at_least": None, "minutes_expected": False}
    _, question = ask(sieve(), "therapy_day", known)
    assert question.fields == {"provider_minutes"}


def one_rule(**tree: object) -> Prefilter:
    written = {
        "title": "t",
        "severity": "warning",
        "snip": "7",
        "at": "x SV1",
        "message": "m",
        "fix": "f",
        "sources": [{"cite": "c", "seen": "2026-11-21"}],
    }
    rule, faults = read_rule(json.dumps(written | tree).encode(), "r", "r", VOCABULARY, ("medicare",))
    assert not faults
    return Prefilter(list(enumerate(rule.cases)))


def test_a_value_that_is_near_answers_what_compares_it_with_a_constant():
    asked = one_rule(
        match={"x": {"fact": "line", "date": {"at_least": "2026-02-03"}, "units": {"at_least": "2"}}}
    )
    assert asked.turns() == {20260203, 20260204}
    assert ask(asked, "line", {}, {"date": 20260202}) == NO_ANSWER
    _, question = ask(asked, "line", {}, {"date": 20260203})
    assert question.fields == {"units"}
    assert question.holds({"units": 2000}, RECEIVED)
    assert not question.holds({"units": 1000}, RECEIVED)


def test_a_value_that_is_near_says_nothing_of_another_that_is_open():
    asked = one_rule(match={"x": {"fact": "line", "last_date": {"more_than": "$x.date"}}})
    _, question = ask(asked, "line", {}, {"date": 20260203, "last_date": 20260203})
    assert question.fields == {"date", "last_date"}
    same = frozenset(("date", "last_date"))
    assert ask(asked, "line", {}, {"date": 20260203, "last_date": 20260203}, same) == NO_ANSWER


def test_the_days_on_which_a_rule_begins_and_ends_are_turns():
    match = {"x": {"fact": "line", "code": "97530"}}
    in_force = {"from": "2026-02-03", "until": "2026-02-28"}
    assert one_rule(match=match, in_force=in_force).turns() == {20260203, 20260229}
    assert one_rule(match=match, in_force={**in_force, "by": "received"}).turns() == set()


def test_joins_of_a_day_are_told_apart_from_others():
    day = {"y": {"fact": "mue_day", "code": "97110", "date": {"equal": "$x.date"}}}
    asked = one_rule(match={"x": {"fact": "mue_day", "code": "97530"}, **day})
    assert len(asked.day_joins) == 1
    assert not asked.may_join(asked.joined_bits)
    for other in (
        {"x": {"fact": "mue_day", "code": "97530", "units": {"at_least": "2"}}, **day},
        {"x": {"fact": "line", "code": "97530"}, **day},
        {"x": {"fact": "mue_day"}, "y": {"fact": "mue_day", "code": {"equal": "$x.code"}}},
    ):
        asked = one_rule(match=other)
        assert not asked.day_joins
        assert asked.may_join(asked.joined_bits)


def test_facts_say_what_the_table_of_claim_fields_says():
    [claim] = claims_in("".join(generate(1, seed=3)))
    [whole] = [fact for fact in facts_of(claim, Setting(RECEIVED, built_in())) if fact.kind == "claim"]
    assert whole.values.keys() == VOCABULARY["claim"].fields.keys()


# -- rules that nobody has written yet


KINDS = [kind for kind in VOCABULARY if kind not in ("fault", "file", "transaction")]


@cache
def seen() -> dict[tuple[str, str], list[object]]:
    """Values of each field as generated claims have them."""
    values: dict[tuple[str, str], set[object]] = {}
    text = "".join(generate(40, seed=2, invalid=0.2))
    setting = Setting(RECEIVED, built_in())
    for part in parts_in(text):
        for fact in facts_of(part, setting):
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
        known = VOCABULARY[aliases["x"]]
        told = [name for name, field in known.fields.items() if not field.phi]
        tree = {
            "title": "t",
            "severity": "warning",
            "snip": "7",
            "at": "x" if known.knows_its_place and random.random() < 0.5 else "x CLM",
            "message": "".join(f"{{x.{name}}} " for name in random.sample(told, min(2, len(told)))),
            "fix": "f",
            "sources": [{"cite": "c", "seen": "2026-11-21"}],
            "match": match,
            "in_force": random.choice([{}, {"from": "2026-02-10"}, {"until": "2026-02-10"}]),
        }
        if random.random() < 0.3:
            names = [name for name in known.fields if (aliases["x"], name) in seen()] or ["date"]
            name = random.choice(names)
            tree["require"] = {"x": {name: condition(random, aliases["x"], name, "x")}}
        name = f"r{len(made)}"
        rule, _ = read_rule(json.dumps(tree).encode(), name, name, VOCABULARY, ("medicare",))
        if rule is not None:
            made.append(rule)
    return Rulebook(tuple(made))


@pytest.mark.long
def test_random_rules():
    random = Random(4)
    text = "".join(generate(25, seed=8, invalid=0.2))
    assert "SVD*" in text
    found = 0
    for _ in range(25):
        found += len(findings_in(assert_same(text, make_pair(random_book(random)))))
    assert found > 100
