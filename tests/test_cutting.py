"""The native cutter: it cuts every text as Python does, and gives equal texts as one object."""

from __future__ import annotations

import gc
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import block_changes
from block_changes import CLAIM, OTHERS, USUAL
from edi_checker.check.cutting import Cut, Cutter
from edi_checker.guide import native
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.money import cents, thousandths
from second_maker import make
from test_scanner import hostile

pytestmark = pytest.mark.skipif(not native.IN_USE, reason="the native module was not built here")
CUTTERS = {delimiters: Cutter(delimiters) for delimiters in (USUAL, *OTHERS)}
FULL = (
    "CLM*A1*100***11:B:1*Y*A*Y*Y~DTP*431*D8*20260101~PWK*OZ*BM***AC*77~AMT*F5*10~REF*X4*12D1~REF*D9*7~"
    "REF*F8*~K3*X~CRC*07*Y*01~HI*ABK:M6281*ABF:R262~HI*BK:7151~NM1*82*1*FIR*ANN****XX*1000001010~PRV*PE*PXC*2251~"
    "NM1*DN*1**~N3*1 A~N4*TOLEDO*OH~REF*0B*7~NM1*77*2*HOME~SBR*P*18***12~CAS*CO*45*10~SBR*S*18~NM1*IL*1*A~"
    "LX*1~SV1*HC:97530:GP*100*UN*2***1~DTP*472*D8*20260901~REF*6R*A1-1~NTE*ADD*X~LX*2~SV1*HC:97110*1*UN*1*11**1:2**Y"
    "~DTP*472*RD8*20260901-20260902~LX*3~SV1*A*1*UN*1~REF*6R*A"
)


def outcome(cut: object, text: str) -> object:
    try:
        return cut(text)  # type: ignore[operator]
    except IndexError:
        return "IndexError"


def assert_same(text: str, delimiters: Delimiters = USUAL) -> bool:
    """Whether the claim was cut; native code and Python agree on it, and on the text as that of a level."""
    cutter = CUTTERS[delimiters]
    assert cutter._native is not None
    as_level = outcome(cutter.cut_level, text)
    assert as_level == outcome(cutter.cut_level_in_python, text), block_changes.shape(text)
    found = outcome(cutter.cut, text)
    assert found == outcome(cutter.cut_in_python, text), block_changes.shape(text)
    assert found is None or type(found) in (Cut, str)
    return isinstance(found, Cut)


def test_every_claim_is_cut_alike():
    made = block_changes.blocks_in("".join(piece.text for piece in make("noisy", 200, seed=6)))
    claims = [text for level, text in (*block_changes.blocks(), *made) if level == "2300"]
    for delimiters in CUTTERS:
        for _, text in block_changes.blocks():
            assert_same(block_changes.turn(text, USUAL, delimiters), delimiters)
        cut = [assert_same(block_changes.turn(text, USUAL, delimiters), delimiters) for text in claims]
        assert sum(cut) > 500


@pytest.mark.parametrize("text", [FULL, CLAIM, *hostile()[:30]], ids=lambda text: ascii(text[:20]))
def test_odd_texts_are_cut_alike(text):
    assert_same(text)
    assert_same("CLM*A*1~HI*ABK:A" + text + "~LX*1~SV1*1*1*1*1")


@pytest.mark.parametrize("count", [3000, pytest.param(50_000, marks=pytest.mark.long)])
def test_changed_claims_are_cut_alike(count):
    cut = 0
    for level, text, delimiters in block_changes.changes(count, seed=count + 1):
        cut += assert_same(text, delimiters) and level == "2300"
    assert cut > count // 10


def test_a_nul_before_an_id_makes_it_another():
    for name in ("DTP", "AMT", "K3", "REF", "PRV", "N4"):
        assert_same(FULL.replace(f"~{name}*", f"~\x00{name}*"))
        assert_same(FULL.replace("~PRV*PE", f"~PRV*PE~\x00{name}*1*2*3"))
    assert_same(FULL.replace("~PRV*PE", "~PRV*PE~\x00HL*1*2*3"))


def test_a_claim_with_all_there_is_may_lack_any_character():
    for at in range(len(FULL)):
        assert_same(FULL[:at] + FULL[at + 1 :])
        assert_same(FULL[:at])
        assert_same(FULL[:at] + "*" + FULL[at:])
        assert_same(FULL[:at] + "~" + FULL[at:])
        assert_same(FULL[:at] + "~LX*" + FULL[at:])


NUMBERS = st.from_regex(r"-?[0]{0,20}[0-9]{0,22}(\.[0-9]{0,10})?[ +,eE-]?", fullmatch=True)


@settings(max_examples=1000)
@given(NUMBERS, NUMBERS)
def test_any_numbers_are_read_alike(charge, count):
    text = f"CLM*A1*{charge}~HI*ABK:M6281~LX*1~SV1*HC:97110*{charge}*UN*{count}***1"
    assert assert_same(text)
    cut = CUTTERS[USUAL].cut(text)
    assert cut is not None
    [line] = cut.lines
    assert (cut.cents, *line[-2:]) == (cents(charge), cents(charge), thousandths(count))


@pytest.mark.parametrize(
    ("text", "amount", "count"),
    [
        *(("12", 1200, 12_000), ("12.5", 1250, 12_500), ("-12.50", -1250, None), (".5", 50, 500)),
        *(("-0", 0, 0), ("-.00", 0, 0), ("0.005", None, 5), ("0.00500000", None, 5), ("12.", 1200, 12_000)),
        *(("99999999.99", 9_999_999_999, 99_999_999_990), ("100000000", None, 100_000_000_000)),
        ("000000000000000012.3", 1230, 12_300),
        ("9" * 18 + ".999", None, 10**21 - 1),
        *(
            (text, None, None)
            for text in ("", ".", "-", "-.", "+1", "1-", "1e2", " 1", "1 ", "1,5", "0" * 19)
        ),
        *((text, None, None) for text in ("1.000000000", "1.0001", "1.000000001", "0x1", "1.2.3", "--1")),
    ],
)
def test_numbers_are_read_as_the_guide_has_them(text, amount, count):
    cut = CUTTERS[USUAL].cut(f"CLM*A1*{text}~HI*ABK:M6281~LX*1~SV1*HC:97110*{text}*UN*{text}***1")
    assert cut is not None
    assert (cut.cents, *cut.lines[0][-2:]) == (amount, amount, count)


def test_lines_with_one_key_differ_in_columns_alone():
    head = "CLM*A1*100***11:B:1~HI*ABK:M6281~LX*1~"
    day = "~DTP*472*D8*20260901"

    def keys(line: str) -> tuple[str, str]:
        cut = CUTTERS[USUAL].cut(head + line)
        assert cut is not None and assert_same(head + line)
        return cut.lines[0][2:4]

    plain = keys(f"SV1*HC:97110:GP*100*UN*2***1{day}")
    assert keys("SV1*HC:97110:GP*99.5*UN*17***2:1~DTP*472*D8*20251231") == plain
    others = [
        *(f"SV1*HC:97110:GO*100*UN*2***1{day}", f"SV1*HC:97110:GP*100*MJ*2***1{day}"),
        *(f"SV1*HC:97110:GP*100*UN*2*11**1{day}", f"SV1*HC:97110:GP*100*UN*2***{day}"),
        *(f"SV1*HC:97110:GP*100*UN*2***1**Y{day}", f"SV1*HC:97110:GP::::A B C*100*UN*2***1{day}"),
        *(f"SV1*HC:97110:GP*100*UN*2***1{day}~REF*6R*A", f"SV1*HC:97110:GP*100*UN*2***1{day}~NTE*ADD*A"),
        "SV1*HC:97110:GP*100*UN*2***1~DTP*472*RD8*20260901-20260901",
    ]
    assert len({plain, *map(keys, others)}) == 1 + len(others)
    # A description is free text unless it is as short as a modifier.
    described = keys(f"SV1*HC:97110:GP::::A B C*100*UN*2***1{day}")
    assert keys(f"SV1*HC:97110:GP::::OF A KIND*100*UN*2***1{day}") == described
    assert keys(f"SV1*HC:97110:GP::::59*100*UN*2***1{day}") != described


WORDS = [
    "LX",
    "SV1",
    "NM1",
    "REF",
    "DTP",
    "472",
    "D8",
    "20260101",
    "6R",
    "X4",
    "SBR",
    "HI",
    "ABK",
    "AMT",
    "PWK",
    "K3",
    "N4",
    "XX",
    "82",
    "LX*1~SV1*1*1*1*1",
    "~NM1*82*1*",
    "~HI*ABK:A",
    "~LX*",
    "~DTP*472*D8*20260101",
    "~DTP*472*RD8*20260101-20260102",
    "::::A B",
    "~REF*6R*",
]


@settings(max_examples=500)
@given(st.lists(st.sampled_from((*"*~:1A\r", "", *WORDS)), max_size=40))
def test_any_words_are_cut_alike(words):
    assert_same("CLM*A*1" + "".join(words))
    assert_same("CLM*A*1~HI*ABK:A" + "".join(words) + "~LX*1~SV1*1*1*1*1" + "".join(reversed(words)))


def test_equal_texts_are_mostly_one_object():
    """All of them, unless two fall on one place, which is seldom: each cutter has a hash of its own."""

    def all_are_one(cutter):
        first, second = cutter.cut(FULL), cutter.cut(FULL.replace("A1*100", "A2*101"))
        assert first is not None and second is not None
        assert first.head and first.parties
        pairs = [
            (first.terms, second.terms),
            *((one[0], two[0]) for one, two in zip(first.head, second.head, strict=True)),
            *((one[0], two[0]) for one, two in zip(first.parties, second.parties, strict=True)),
        ]
        return all(one is two for one, two in pairs)

    assert sum(all_are_one(Cutter(USUAL)) for _ in range(40)) >= 30


def test_what_is_remembered_of_texts_is_bounded_and_freed():
    cutter = Cutter(USUAL)
    cutter.cut(FULL)
    gc.collect()
    before = sys.getallocatedblocks()
    for number in range(3000):
        cutter.cut(FULL.replace("97530", f"{number:05}").replace("D9", f"{number:05}"))
    held = sys.getallocatedblocks() - before
    assert held < 4096 + 500
    del cutter
    gc.collect()
    assert sys.getallocatedblocks() - before < 200


def test_texts_that_are_not_ascii_are_cut_by_python():
    text = FULL.replace("HOME", "H\u00d6ME")
    assert CUTTERS[USUAL].cut(text) == CUTTERS[USUAL].cut_in_python(text)
    for wrong in (text, "CLM\ud800", b"CLM", None):
        with pytest.raises((TypeError, ValueError)):
            CUTTERS[USUAL]._native.cut(wrong)  # type: ignore[union-attr, arg-type]


@pytest.mark.parametrize(
    "delimiters", [Delimiters("*", "*", "", "~"), Delimiters("A", ":", "", "~")], ids=repr
)
def test_delimiters_that_stand_in_values_are_left_to_python(delimiters):
    assert Cutter(delimiters)._native is None


GIVEN = (Cut, b"*:~", (("NM1", 8, 8, 0),), ("BK:",), "X4", 8, b"0" * 16)


@pytest.mark.parametrize(
    ("at", "wrong"),
    [
        *((0, int), (0, 1), (1, b"**~"), (1, b""), (2, ()), (2, (("NM1",),)), (2, (("LONG", 0, 0, 0),) * 2)),
        *(
            (2, (("NM1", 8, 8, 0),) * 65),
            (3, ("x" * 9,)),
            (3, ("A",) * 17),
            (3, (1,)),
            (4, "x" * 9),
            (4, None),
        ),
        *((5, "1"), (6, b""), (6, b"0" * 17)),
    ],
    ids=repr,
)
def test_what_no_cutter_can_be_made_of_is_refused(at, wrong):
    native.Cutter(*GIVEN)
    with pytest.raises((TypeError, ValueError)):
        native.Cutter(*GIVEN[:at], wrong, *GIVEN[at + 1 :])
