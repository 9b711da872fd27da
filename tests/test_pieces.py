"""Pieces of claims: what stands in a column is never looked at, and cutting the text finds the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from random import Random

import pytest

from both_ways import RECEIVED, make_pair, parts_in, read, said
from edi_checker.check import by_pieces
from edi_checker.check.cutting import Cutter
from edi_checker.check.examples import write_example
from edi_checker.check.memo import OF_SERVICE
from edi_checker.claims.claim import BillingProvider, Claim, Patient, Subscriber
from edi_checker.claims.payer_profiles import MEDICARE
from edi_checker.facts import Fact, Setting, claims, facts_of, levels
from edi_checker.facts.columns import ADDRESS
from edi_checker.facts.lines import is_following, is_of_service
from edi_checker.facts.pieces import (
    Open,
    UsesColumn,
    cell,
    columns_of,
    fill,
    look_at,
    look_at_address,
    present,
    text,
)
from edi_checker.reference.tables import built_in
from edi_checker.x12.blocks import Delimiters, NotX12
from edi_checker.x12.dates import days_of
from edi_checker.x12.money import cents, thousandths
from generate_claims import generate
from paths import CLEAN, CORPUS, DATA
from second_maker import make

Whole = Claim | BillingProvider | Subscriber | Patient
USUAL = Delimiters("*", ":", "^", "~")


def files() -> Iterator[str]:
    yield "".join(generate(60, seed=6, every_kind=True))
    yield "".join(piece.text for piece in make("noisy", 60, seed=2, ordinary=0.5))
    paths = [
        *CLEAN.glob("*.837"),
        *(CORPUS / "837p").glob("*"),
        *(DATA / "field" / "cases").glob("*.837"),
    ]
    for path in sorted(paths):
        yield read(path)


@cache
def right_parts() -> list[Whole]:
    """Claims and levels without faults, of each file some."""
    found: list[Whole] = []
    for written in files():
        try:
            parts = [part for part in parts_in(written) if is_right(part)]
        except NotX12:
            continue
        found += parts[:150]
    assert sum(isinstance(part, Claim) for part in found) > 150
    return found


def is_right(part: object) -> bool:
    return isinstance(part, Whole) and not part.faults and not (isinstance(part, Claim) and part.cut)


def right_claims() -> list[Claim]:
    return [part for part in right_parts() if isinstance(part, Claim)]


# -- columns


@pytest.mark.parametrize(
    "use",
    [
        bool,
        str,
        len,
        list,
        int,
        lambda value: value == "1",
        lambda value: value != "1",
        lambda value: value < "1",
        lambda value: value >= "1",
        lambda value: "1" in value,
        lambda value: value[0],
        lambda value: value + "1",
        lambda value: f"{value}",
        lambda value: text(["SV1", "HC:97530", value], 2),
    ],
)
def test_a_column_can_be_handed_on_and_not_looked_at(use):
    view = look_at([["SV1", "HC:97530:GP", "100", "UN", "2"]], ":")
    with pytest.raises(UsesColumn, match="SV102"):
        use(cell(view.segments[0], 2))


def test_of_a_column_it_is_known_whether_something_stands_there():
    view = look_at([["REF", "G1", "A1"], ["REF", "G1", ""], ["NM1", "IL", "1", ""]], ":")
    sent, empty, name = view.segments
    assert present(cell(sent, 2))
    assert not present(cell(empty, 2))
    with pytest.raises(UsesColumn):
        present(cell(name, 3))


def test_a_claim_whose_maker_looks_at_a_column_is_not_checked(monkeypatch):
    def look(view, judging):
        if text(view.segments[0], 2) == "A1":
            yield from ()

    text_of_claim = write_example({"claim": {"authorization": "A1"}}).text
    for of in make_pair():
        assert [part[3] for part in said(of, text_of_claim)[0] if part[0] == "Claim"] == [""]
    monkeypatch.setattr(claims, "make_segment", look)
    monkeypatch.setattr(by_pieces, "make_segment", look)
    for of in make_pair():
        (claim,) = [part for part in said(of, text_of_claim)[0] if part[0] == "Claim"]
        assert claim[2:4] == ("not_checked", "internal error (UsesColumn)")


# -- blanking each column


def pieces_of(part: Whole) -> list[tuple[int, int]]:
    """First and last segment of each piece."""
    if not isinstance(part, Claim):
        return [(0, len(part.segments))]
    begins = [0, *range(1, len(part.header.segments))]
    begins += [run.position - part.position for run in part._loops[1:]]
    ends = [*begins[1:], len(part.segments)]
    return list(zip(begins, ends, strict=True))


def columns_in(part: Whole) -> list[tuple[int, int]]:
    """Segment and element of each column."""
    found = []
    for number, segment in enumerate(part.segments):
        if segment[0] == ADDRESS:
            found += [(number, 1)] if len(segment) > 1 and segment[1] else []
            continue
        (cells,) = look_at([segment], part.component).segments
        found += [(number, at) for at, each in enumerate(cells) if isinstance(each, Open) and segment[at]]
    return found


def of_the_same_form(value: str, random: Random) -> str:
    """Other digits for digits, other letters for letters; a date stays one of its month."""
    if len(value) in (8, 17) and value[:8].isdigit() and value[:2] in ("19", "20"):
        return "-".join(f"{day[:6]}{random.randint(10, 28)}" for day in value.split("-"))

    def other(letter: str) -> str:
        for letters in ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
            if letter in letters:
                return random.choice(letters.replace(letter, ""))
        return letter

    return "".join(map(other, value))


def with_segments(part: Whole, segments: list[list[str]]) -> Whole:
    """The same part, written otherwise."""
    delimiters = part.block.delimiters
    text = delimiters.terminator.join([delimiters.element.join(segment) for segment in segments])
    block = part.block._replace(text=text)
    if isinstance(part, Claim):
        return Claim(block, part.transaction, part.billing, part.subscriber, part.patient, ())
    above = {Subscriber: "provider", Patient: "subscriber"}.get(type(part))
    return type(part)(block, part.transaction, (), *([getattr(part, above)] if above else []))


def blanked(part: Whole, at: Iterable[tuple[int, int]], random: Random) -> Whole:
    segments = [list(segment) for segment in part.segments]
    for number, index in at:
        segments[number][index] = of_the_same_form(segments[number][index], random)
    return with_segments(part, segments)


def keys_of(part: Whole) -> list[str]:
    keys = [look_at(part.segments[begin:end], part.component).key for begin, end in pieces_of(part)]
    return keys + [look_at_address(segment).key for segment in part.segments if segment[0] == ADDRESS]


@pytest.fixture
def with_open_fields(monkeypatch):
    """The facts that makers made of a part, with the names of their fields that are open."""
    met: list[tuple[Fact, frozenset[str]]] = []

    def watched(made, piece):
        for each in made:
            fields = frozenset(name for name, value in each.values.items() if isinstance(value, Open))
            for fact in fill([each], piece):
                met.append((fact, fields))
                yield fact

    monkeypatch.setattr(claims, "fill", watched)
    monkeypatch.setattr(levels, "fill", watched)

    def make_facts(part: Whole) -> list[tuple[Fact, frozenset[str]]]:
        met.clear()
        facts = facts_of(part, Setting(RECEIVED, built_in()))
        made = {id(fact) for fact in facts}
        return [(fact, fields) for fact, fields in met if id(fact) in made]

    return make_facts


def told(made: list[tuple[Fact, frozenset[str]]]) -> list[object]:
    """What of these facts their keys tell.

    Code errors of pointers and diagnoses rest on several pieces. Whether there is one of a number, or a
    situation, may rest on columns.
    """
    return [
        (fact.kind, fields, {name: value for name, value in fact.values.items() if name not in fields})
        for fact, fields in made
        if not (fact.kind == "code_error" and fact.values["set"] in OF_SEVERAL_OR_COLUMNS)
        and not (fact.kind == "situation" and fact.values["kind"] in RESTS_ON_COLUMNS)
    ]


OF_SEVERAL_OR_COLUMNS = (
    *("pointer", "diagnosis", "line-diagnosis", "line-control"),
    *("amount", "units", "tax-number", "phone", "birth"),
)
RESTS_ON_COLUMNS = ("death", "visit", "billing-box", "self-and-patient", "authorization")


def test_a_column_is_no_part_of_a_key_and_makes_no_other_fact(with_open_fields):
    random = Random(5)
    changed = 0
    seen: set[tuple[object, ...]] = set()
    for part in right_parts():
        keys = keys_of(part)
        kind = (type(part), *keys)
        if kind in seen:
            continue
        seen.add(kind)
        facts = told(with_open_fields(part))
        columns = columns_in(part)
        for at in ([columns], [[each] for each in columns])[len(seen) % 5 == 0]:
            other = blanked(part, at, random)
            assert keys_of(other) == keys
            assert told(with_open_fields(other)) == facts, at
            changed += 1
    assert changed > 1000


# -- cutting by the text


class Watched:
    """What was cut of claims and levels, and what a look at them says."""

    def __init__(self) -> None:
        self.keys: dict[object, str] = {}

    def same(self, kind: str, cut: object, key: str) -> None:
        assert self.keys.setdefault((kind, cut), key) == key


def test_cutting_finds_what_a_look_at_the_pieces_finds():
    watched = Watched()
    cut_claims = 0
    for claim in right_claims():
        cut = Cutter(claim.block.delimiters).cut(claim.block.text)
        if cut is None:
            continue
        cut_claims += 1
        component, delimiters = claim.component, claim.block.delimiters
        assert cut.charge == claim.segment[2]
        watched.same("head", (delimiters, cut.terms), look_at([claim.segment], component).key)
        told_of = {0}
        for key, columns, number in cut.head:
            segment = claim.segments[number]
            watched.same("segment", (delimiters, key), look_at([segment], component).key)
            assert columns == columns_of([segment], component)
            told_of.add(number)
        assert_nothing_to_tell(claim, [at for at in range(len(claim.header.segments)) if at not in told_of])
        assert [text.split(component)[:2] for text in cut.composites] == [
            list(pair) for pair in claim.diagnoses
        ]
        assert cut.parties_at == len(claim.header.segments) or not claim.providers
        assert len(cut.parties) == len(claim.providers)
        for (key, columns, npi, _), provider in zip(cut.parties, claim.providers, strict=True):
            watched.same("party", (delimiters, key), look_at(provider.run.segments, component).key)
            assert columns == columns_of(provider.run.segments, component)
            assert npi == provider.npi
        assert list(cut.payers) == [other.segments[0][1] for other in claim.other_payers]
        assert claim.position + cut.before == claim.lines[0].position
    assert cut_claims > 150


def assert_nothing_to_tell(claim: Claim, numbers: Iterable[int]) -> None:
    judging = claims.judging_of(Setting(RECEIVED, built_in()), MEDICARE, 20260101)
    for number in numbers:
        view = look_at([claim.segments[number]], claim.component)
        assert list(claims.make_segment(view, judging)) == []


def test_lines_are_cut_as_they_are_looked_at(monkeypatch):
    findings = by_pieces._Judging.findings
    lines = 0

    def watched(self):
        nonlocal lines
        found = findings(self)
        if found is not None:
            views = self.claim.lines
            for entry, following, line, view in zip(
                self.entries, self.followings, self.lines, views, strict=True
            ):
                looked_at = look_at(view.segments, view.component)
                assert entry.view.key == looked_at.part(0, OF_SERVICE, is_following).key
                assert following.key == looked_at.part(OF_SERVICE, None, is_of_service).key
                assert list(line.columns) == columns_of(view.segments, view.component)
                _, _, form, on = view.first("DTP", "472")
                assert (line.first, line.last, line.days) == days_of(form, on)
                assert line.charge == cents(view.service[2])
                assert line.units == (thousandths(view.service[4]) if view.service[3] == "UN" else None)
                assert line.said == self.claim.block.delimiters.element.join(view.service)
                assert line.pointers == view.service[7]
                assert (line.npi, line.position) == (view.rendering.npi, view.position)
                lines += 1
        return found

    monkeypatch.setattr(by_pieces._Judging, "findings", watched)
    pair = make_pair()
    for written in files():
        found = said(pair.fast, written)
        assert isinstance(found, str) or not [part[3] for part in found[0] if part[3]]
    assert lines > 300


def test_levels_are_cut_as_they_are_looked_at():
    watched = Watched()
    for part in right_parts():
        if isinstance(part, Claim):
            continue
        delimiters = part.block.delimiters
        cutter = Cutter(delimiters)
        held: list[str] = []
        key = tuple(cutter.cut_segment(text, held) for text in part.block.text.split(delimiters.terminator))
        watched.same(type(part).__name__, (delimiters, key), look_at(part.segments, part.component).key)
        assert held == columns_of(part.segments, part.component)
    assert len(watched.keys) > 20


def test_any_segment_is_cut_as_it_is_looked_at():
    random = Random(9)
    cutter = Cutter(USUAL)
    watched = Watched()
    segments = [
        segment for part in right_parts() if part.block.delimiters == USUAL for segment in part.segments
    ]
    segments = [list(each) for each in dict.fromkeys(map(tuple, segments)) if each[0] not in ("HI", "SV1")]
    for _ in range(3000):
        segment = list(random.choice(segments))
        for _ in range(random.choice([0, 1, 2])):
            at = random.randrange(1, len(segment))
            segment[at] = random.choice(["", "1", "A1", "20260203", segment[at]])
        columns: list[str] = []
        key = cutter.cut_segment("*".join(segment), columns)
        watched.same("segment", key, look_at([segment], ":").key)
        assert columns == columns_of([segment], ":")
