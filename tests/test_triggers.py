"""Each row of the table of triggers makes its situation, and who adds a row and a rule has told everybody."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from both_ways import assert_same, count, findings_in, make_pair, parts_in, said, usual
from edi_checker import rules
from edi_checker.check.examples import write_example
from edi_checker.facts import VOCABULARY, Setting, facts_of, triggers
from edi_checker.facts.pieces import look_at
from edi_checker.facts.pieces import text as text_of
from edi_checker.facts.triggers import NOTHING_AROUND, TRIGGERS, Trigger, is_attended, one_of, triggers_of
from edi_checker.reference.tables import built_in
from generate_claims import generate
from second_maker import make

RECEIVED = 20260302
PLAIN = write_example({}).text
ROWS = [pytest.param(row, id=f"{row.kind}-{row.piece}-{number}") for number, row in enumerate(TRIGGERS)]


def with_row(row: Trigger) -> str:
    edits = row.example if isinstance(row.example, tuple) else (row.example,)
    return write_example({"edit": edits}).text


def situations(text: str) -> list[str]:
    given = Setting(RECEIVED, built_in())
    return [
        fact.values["kind"]
        for part in parts_in(text)
        for fact in facts_of(part, given)
        if fact.kind == "situation"
    ]


@pytest.mark.parametrize("row", ROWS)
def test_an_example_makes_its_situation(row):
    text = with_row(row)
    assert not [part.faults for part in parts_in(text) if getattr(part, "faults", ())]
    assert row.kind in situations(text)


def test_a_plain_claim_makes_none():
    assert situations(PLAIN) == []


@pytest.mark.long
@pytest.mark.parametrize("row", ROWS)
def test_a_situation_is_found_with_and_without_memory(row):
    text = with_row(row)
    fresh = make_pair(received=RECEIVED)
    found = assert_same(text, fresh)
    for _ in range(3):
        assert_same(PLAIN, usual(RECEIVED))
    assert assert_same(text, usual(RECEIVED)) == found
    assert assert_same(text, usual(RECEIVED)) == found


def test_a_row_says_itself_in_words():
    for row in TRIGGERS:
        assert row.words()
        assert row.told or row.address in row.words()


# -- code ranges


@pytest.mark.parametrize(
    ("code", "modifiers", "kinds"),
    [
        ("00099", (), ()),
        ("00100", (), ("anesthesia", "anesthesia-provider")),
        ("01992", (), ("anesthesia", "anesthesia-provider")),
        ("01992", ("QZ",), ("anesthesia",)),
        ("01967", (), ("anesthesia-provider",)),
        ("01996", (), ()),
        ("01999", (), ("unlisted",)),
        ("80046", (), ()),
        ("80047", (), ("laboratory",)),
        ("85025", ("90",), ("laboratory", "referred-test")),
        ("88305", ("26",), ()),
        ("86580", (), ()),
        ("88738", (), ()),
        ("70010", (), ("imaging",)),
        ("70010", ("26",), ()),
        ("77067", (), ("mammography",)),
        ("77067", ("26",), ()),
        ("98939", (), ()),
        ("98940", (), ("spinal-manipulation",)),
        ("98942", (), ("spinal-manipulation",)),
        ("98943", (), ()),
        ("11719", (), ("foot-care",)),
        ("G0127", (), ("foot-care",)),
        ("99392", ("EP",), ("screening",)),
        ("99392", (), ()),
        ("99213", ("EP",), ()),
        ("99211", (), ()),
        ("97139", (), ("unlisted",)),
        ("A0424", (), ()),
        ("A0425", (), ("ambulance-route",)),
        ("A0436", ("QL",), ()),
        ("A0437", (), ()),
        ("A0427", (), ("ambulance", "ambulance-route")),
        ("A0427", ("RH",), ("ambulance",)),
        ("A0425", ("GM", "HH"), ("shared-ambulance",)),
        ("E0099", (), ()),
        ("E0143", ("NU",), ("equipment",)),
        ("E1390", ("RR",), ("equipment", "oxygen")),
        ("E1399", (), ("equipment", "unlisted")),
        ("J0120", (), ("drug",)),
        ("J0119", (), ()),
        ("J0881", (), ("anemia-drug", "drug")),
        ("J9999", (), ("drug", "unlisted")),
        ("V2020", (), ("prescription",)),
        ("V5299", (), ("unlisted",)),
        ("G0181", (), ("care-plan-oversight",)),
        ("66984", ("55",), ("post-operative",)),
        ("97530", ("GP", "55"), ()),
        ("29881", ("Q1",), ("clinical-trial",)),
        ("99213", ("GV",), ("hospice",)),
        ("97530", ("GP", "59"), ()),
        ("97530", ("GP", "GK"), ("upgrade",)),
        ("J9035", ("JW",), ("discarded", "drug")),
        ("J9035", ("JZ",), ("drug",)),
        ("99213", ("JW",), ()),
        ("90686", ("JW",), ("discarded",)),
        ("98977", ("GP",), ("remote-monitoring",)),
        ("98981", ("GP",), ()),
        ("0001U", (), ()),
        ("", (), ()),
        ("é1234", (), ()),
        ("A04\u06627", (), ()),
        ("\u0660\u0660\u0661\u0660\u0660", (), ()),
    ],
)
def test_kinds_of_a_code(code, modifiers, kinds):
    view = look_at([["SV1", ":".join(("HC", code, *modifiers)), "1", "UN", "1", "", "", "1"]], ":")
    rows = triggers_of("line")["SV1"]
    found = [row.kind for row in rows if row.holds(view, view.segments[0], NOTHING_AROUND)]
    assert sorted(found) == list(kinds)


def test_a_code_of_another_set_makes_none():
    view = look_at([["SV1", "ER:85025", "1", "UN", "1", "", "", "1"]], ":")
    assert not [
        row for row in triggers_of("line")["SV1"] if row.holds(view, view.segments[0], NOTHING_AROUND)
    ]


def test_attended_services():
    assert is_attended("97530")
    assert not is_attended("71046")
    assert not is_attended("85025")


# -- a row that is added


ASSIGNED = Trigger("not-assigned", "head", "CLM07", one_of("C"), {"find": "CLM*", "set": {"7": "C"}})
ON_A_LINE = Trigger("habilitative", "line", "SV101", triggers.SENT, {}, modifiers=("96",))
PARTY = Trigger("supervised", "party", "NM101", one_of("DQ"), {})
BILLING = Trigger("taxed", "billing", "REF01", one_of("EI"), {})
LATER = Trigger(
    "tertiary", "around", "CLM01", triggers.SENT, {}, also=lambda _v, _c, around: around.above.order == "T"
)

RULE = """\
title: It is found
fault: It is not found
severity: warning
snip: 7
match:
  situation: {fact: situation, kind: KIND}
at: situation SEGMENT
message: It is found.
fix: Nothing.
sources:
  - {cite: Nobody, seen: 2026-11-21}
"""


def book_for(folder, row, segment):
    situation = VOCABULARY["situation"]
    kind = situation.fields["kind"]
    kind = kind._replace(values=(*kind.values, row.kind))
    known = {**VOCABULARY, "situation": situation._replace(fields={**situation.fields, "kind": kind})}
    (folder / "own").mkdir()
    (folder / "own" / "found.yaml").write_text(RULE.replace("KIND", row.kind).replace("SEGMENT", segment))
    return rules.load([folder], vocabulary=known)


@pytest.fixture
def add_row(monkeypatch):
    def add(row):
        monkeypatch.setattr(triggers, "TRIGGERS", (*TRIGGERS, row))
        triggers_of.cache_clear()

    yield add
    monkeypatch.undo()
    triggers_of.cache_clear()


def sixty(change) -> str:
    text = "".join(generate(60, seed=3)).replace("\n", "")
    return "~".join(map(change, text.split("~")))


def change_element(name, number, value):
    def change(segment):
        cells = segment.split("*")
        if cells[0] == name:
            cells[number] = value
        return "*".join(cells)

    return change


def rename_referrer(segment):
    return re.sub(r"^NM1\*DN\*", "NM1*DQ*", segment)


def add_modifier(segment):
    return re.sub(r"^(SV1\*HC:[^*]*)", r"\1:96", segment)


NOT_ASSIGNED = change_element("CLM", 7, "C")


@pytest.mark.long
@pytest.mark.parametrize(
    ("row", "segment", "change"),
    [
        (ASSIGNED, "CLM", NOT_ASSIGNED),
        (ON_A_LINE, "SV1", add_modifier),
        (PARTY, "NM1", rename_referrer),
        (LATER, "CLM", change_element("SBR", 1, "T")),
        (BILLING, "REF", str),
    ],
    ids=["head", "line", "party", "around", "billing"],
)
def test_whoever_adds_a_row_and_a_rule_has_told_everybody(tmp_path, add_row, row, segment, change):
    plain = sixty(str)
    text = sixty(change)
    claims = count_claims(text, row)
    add_row(row)
    pair = make_pair(book_for(tmp_path, row, segment))
    said(pair.fast, plain)
    assert claims
    assert count(said(pair.slow, text), "own.found") == claims
    assert count(said(pair.fast, text), "own.found") == claims
    assert_same(text, pair)


def count_claims(text, row):
    if row.piece == "line":
        return len(re.findall(r"~SV1\*", text))
    if row.piece == "party":
        return len(re.findall(r"~NM1\*DQ\*", text))
    if row.piece == "billing":
        return len(re.findall(r"~REF\*EI\*", text))
    assert text.count("~CLM*") == 60
    return 60


@pytest.mark.long
def test_a_row_that_is_added_when_another_checker_is_warm(tmp_path, add_row):
    text = sixty(NOT_ASSIGNED)
    before = make_pair()
    assert_same(text, before)
    add_row(ASSIGNED)
    assert count(assert_same(text, make_pair(book_for(tmp_path, ASSIGNED, "CLM"))), "own.found") == 60


def test_a_row_may_rest_on_what_only_the_claim_that_is_met_can_say(tmp_path, add_row):
    charged = triggers.Open("charged", lambda met: met.whole.charge is not None and met.whole.charge > 20000)
    row = replace(ASSIGNED, kind="not-assigned", when=charged)
    text = sixty(NOT_ASSIGNED)
    add_row(row)
    found = assert_same(text, make_pair(book_for(tmp_path, row, "CLM")))
    dear = sum(float(charge) > 200 for charge in re.findall(r"~CLM\*[^*]*\*([^*]*)", text))
    assert 0 < dear < 60
    assert count(found, "own.found") == dear


@pytest.mark.parametrize(
    ("row", "segment"),
    [
        (
            Trigger(
                "told-of", "line", "SV101", triggers.SENT, {},
                also=lambda view, _c, _a: view.first("NTE", "ADD") is not None,
            ),
            "SV1",
        ),
        (
            Trigger(
                "told-of", "line", "NTE01", one_of("ADD"), {},
                also=lambda view, _c, _a: text_of(view.first("SV1"), 3) == "UN",
            ),
            "NTE",
        ),
    ],
    ids=["the service looks at what follows", "what follows looks at the service"],
)  # fmt: skip
def test_a_row_may_look_into_the_other_part_of_a_line(tmp_path, add_row, row, segment):
    plain = sixty(str)
    noted = re.sub(r"(~REF\*6R\*[^~]*[02468])(?=~)", r"\1~NTE*ADD*AT THE PATIENT HOME", plain)
    lines = noted.count("~NTE*ADD*")
    add_row(row)
    pair = make_pair(book_for(tmp_path, row, segment))
    said(pair.fast, plain)
    assert lines > 20
    assert count(assert_same(recount(noted), pair), "own.found") == lines


def recount(text: str) -> str:
    """The text with the numbers of segments in SE as they are."""
    sets = re.split(r"(?<=~)(?=ST\*)", text)
    return "".join(
        [re.sub(r"~SE\*[0-9]+", lambda end: f"~SE*{each[: end.end()].count('~') + 1}", each) for each in sets]  # noqa: B023
    )


def test_a_row_that_looks_at_a_column_costs_the_claim_and_never_passes_it(tmp_path, add_row):
    row = replace(ASSIGNED, address="CLM02", test=one_of("100"))
    add_row(row)
    text = write_example({}).text
    for of in make_pair(book_for(tmp_path, row, "CLM"), RECEIVED):
        (claim,) = [part for part in said(of, text)[0] if part[0] == "Claim"]
        assert claim[2:4] == ("not_checked", "internal error (UsesColumn)")
        assert claim[1] == ()


@pytest.mark.long
def test_rows_make_other_claims_say_no_more():
    text = "".join(piece.text for piece in make("clean", 60, seed=4))
    assert [f for f in findings_in(assert_same(text)) if f.rule.startswith("situation.")] == []
