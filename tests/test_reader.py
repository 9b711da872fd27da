"""Envelopes: what opens is closed, counts and control numbers are compared, one cause gives one fault."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest

from edi_checker.check.examples import write_example
from edi_checker.claims.claim import (
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Transaction,
    TransactionEnd,
)
from edi_checker.claims.reader import read_parts
from edi_checker.guide.table import load as load_guide
from edi_checker.x12.blocks import Fault, read_blocks

BASE = write_example({"lines": ["97530:GP x2", "97110:GP x1"]}).text.splitlines()


def parts_in(text: str) -> list[Part]:
    return list(read_parts(read_blocks(io.BytesIO(text.encode())), load_guide()))


def faults_in(text: str) -> list[Fault]:
    return [fault for part in parts_in(text) for fault in part.faults]


def parts_of(segments: Sequence[str]) -> list[Part]:
    return parts_in("\n".join(segments))


def faults_of(segments: Sequence[str]) -> list[Fault]:
    return faults_in("\n".join(segments))


def changed(prefix: str, *instead: str) -> list[str]:
    """The base file with the first segment that begins with `prefix` replaced."""
    at = next(i for i, s in enumerate(BASE) if s.startswith(prefix))
    return [*BASE[:at], *(s + "~" for s in instead), *BASE[at + 1 :]]


def test_parts_come_in_order_and_everything_opened_is_closed() -> None:
    names = [type(p).__name__ for p in parts_of(BASE)]
    assert names == [
        "Interchange",
        "Group",
        "Transaction",
        "BillingProvider",
        "Subscriber",
        "Claim",
        "TransactionEnd",
        "GroupEnd",
        "InterchangeEnd",
    ]
    assert faults_of(BASE) == []


def test_a_claim_knows_the_levels_above_it() -> None:
    claim = next(p for p in parts_of(BASE) if isinstance(p, Claim))
    assert claim.billing is not None and claim.billing.npi == "1234567893"
    assert claim.subscriber is not None and claim.subscriber.filing_indicator == "MB"
    assert claim.patient is None
    assert claim.transaction.batch == "BATCH1"
    assert [line.code for line in claim.lines] == ["97530", "97110"]
    assert claim.place("SV1", "SV101-3", loop="2400").group == "1"


@pytest.mark.parametrize(
    ("prefix", "instead", "kind", "segment", "answer"),
    [
        ("SE*", ["SE*99*0001"], "count", "SE01", "IK502=4"),
        ("SE*", ["SE**0001"], "count", "SE01", "IK502=4"),
        ("SE*", ["SE*28*0002"], "control-number", "SE02", "IK502=3"),
        ("SE*", [], "envelope", "SE", "IK502=2"),
        ("GE*", ["GE*7*1"], "count", "GE01", "AK905=5"),
        ("GE*", ["GE*1*9"], "control-number", "GE02", "AK905=4"),
        ("GE*", [], "envelope", "GE", "AK905=3"),
        ("IEA*", ["IEA*2*000000001"], "count", "IEA01", "TA1=021"),
        ("IEA*", ["IEA*1*000000009"], "control-number", "IEA02", "TA1=001"),
        ("IEA*", [], "truncated", "IEA", "TA1=023"),
        ("GS*", [], "envelope", "GS", "TA1=024"),
        ("ST*", [], "envelope", "ST", "TA1=024"),
        ("GS*", ["GS*HC*SUBMITTER*RECEIVER*20260301*1200*1*X*004010X098A1"], "version", "GS08", "AK905=2"),
        ("GS*", ["GS*HC*SUBMITTER*RECEIVER*20260301*1200*1*X*005010X223A2"], "version", "GS08", "AK905=2"),
        ("GS*", ["GS*HC*SUBMITTER*RECEIVER*20260301*1200*1*X*005010X224A2"], "version", "GS08", "AK905=2"),
        ("GS*", ["GS*HC*SUBMITTER*RECEIVER*20260301*1200*A*X*005010X222A1"], "envelope", "GS06", "AK905=6"),
        ("ST*", ["ST*835*0001*005010X222A1"], "version", "ST01", "IK502=1"),
        ("ST*", ["ST*837*0001*005010X223A2"], "version", "ST03", "IK502=I6"),
    ],
)
def test_one_fault_of_the_envelope(
    prefix: str, instead: list[str], kind: str, segment: str, answer: str
) -> None:
    if prefix == "GS*" and instead and "*A*X" in instead[0]:
        lines = [s.replace("GE*1*1", "GE*1*A") for s in changed(prefix, *instead)]
    elif prefix == "SE*" and instead == ["SE*28*0002"]:
        count = sum(1 for _ in BASE) - 4
        lines = changed(prefix, f"SE*{count}*0002")
    else:
        lines = changed(prefix, *instead)
    found = faults_of(lines)
    assert [(f.kind, f.element or f.segment, f.answers) for f in found] == [(kind, segment, (answer,))]


@pytest.mark.parametrize("version", ["005010X222", "005010X222A2"])
def test_other_names_of_the_guide_are_read_as_it(version: str) -> None:
    lines = [s.replace("005010X222A1", version) for s in BASE]
    found = faults_of(lines)
    assert [(f.kind, f.element, f.answers, f.found) for f in found] == [("version", "GS08", (), version)]
    assert any(isinstance(p, Claim) for p in parts_of(lines))


def test_a_group_of_another_version_is_not_read_further() -> None:
    parts = parts_of([s.replace("005010X222A1", "004010X098A1") for s in BASE])
    assert [type(p) for p in parts] == [Interchange, Group, GroupEnd, InterchangeEnd]


@pytest.mark.parametrize("keep", range(2, len(BASE) - 1))
def test_a_file_cut_off_anywhere_gives_the_one_fault_that_it_is_cut_off(keep: int) -> None:
    found = faults_of(BASE[:keep])
    assert [f.kind for f in found] == ["truncated"]
    parts = parts_of(BASE[:keep])
    assert isinstance(parts[-1], InterchangeEnd)
    opened = sum(isinstance(p, Transaction) for p in parts)
    assert opened == sum(isinstance(p, TransactionEnd) for p in parts)


def test_a_file_cut_off_within_a_segment_is_cut_off() -> None:
    text = "\n".join(BASE)
    for size in range(200, len(text) - 30, 17):
        data = text[:size].encode()
        parts = list(read_parts(read_blocks(io.BytesIO(data)), load_guide()))
        assert "truncated" in [f.kind for p in parts for f in p.faults]


def test_control_numbers_used_twice() -> None:
    twice = [*BASE, *BASE]
    assert [(f.kind, f.answers) for f in faults_of(twice)] == [("interchange-repeated", ("TA1=025",))]
    inner = BASE[2:-2]
    group = [*BASE[:2], *inner, *inner, "GE*2*1~", BASE[-1]]
    assert [(f.kind, f.element, f.answers) for f in faults_of(group)] == [
        ("control-number", "ST02", ("IK502=23",))
    ]
    groups = [BASE[0], *BASE[1:-1], *BASE[1:-1], "IEA*2*000000001~"]
    assert [(f.kind, f.element, f.answers) for f in faults_of(groups)] == [
        ("control-number", "GS06", ("AK905=19",))
    ]


def test_several_interchanges_groups_and_transactions_each_close() -> None:
    second = [s.replace("000000001", "000000002").replace("BHT*0019*00*", "BHT*0019*00*2") for s in BASE]
    parts = parts_of([*BASE, *second])
    assert sum(isinstance(p, InterchangeEnd) for p in parts) == 2
    assert not [f for p in parts for f in p.faults]


@pytest.mark.parametrize(
    ("index", "value", "note"),
    [
        (1, "99", "010"),
        (2, "A", "011"),
        (5, "XX", "005"),
        (6, " " * 15, "006"),
        (9, "261301", "014"),
        (10, "2561", "015"),
        (13, "00000000A", "018"),
        (14, "7", "019"),
        (15, "X", "020"),
    ],
)
def test_isa_elements_are_answered_by_their_ta1_note(index: int, value: str, note: str) -> None:
    isa = BASE[0].rstrip("~").split("*")
    isa[index] = value
    lines = ["*".join(isa) + "~", *BASE[1:]]
    if index == 13:
        lines[-1] = f"IEA*1*{value}~"
    assert [f.answers for f in faults_of(lines)] == [(f"TA1={note}",)]


_HEADERS = BASE[0] + BASE[1]


@pytest.mark.parametrize("at", range(4, len(_HEADERS)))
def test_one_blank_in_a_header_is_one_fault_at_most(at: int) -> None:
    found = faults_in(_HEADERS[:at] + " " + _HEADERS[at:] + "".join(BASE[2:]))
    # A blank at the end of a name, and before a GS, rejects nothing.
    assert len(found) == (0 if len(BASE[0]) + 6 <= at <= len(BASE[0]) + 24 else 1)


def test_a_header_that_is_right_is_held_against_its_trailer() -> None:
    other = [
        ("*00501*", "*00401*", "ISA12"),
        ("*000000001*", "*000000002*", "IEA02"),
        ("*1*X*", "*2*X*", "GE02"),
    ]
    for old, new, element in other:
        found = faults_in(_HEADERS.replace(old, new) + "".join(BASE[2:]))
        assert [fault.element for fault in found] == [element]


def test_a_group_without_a_header_is_noted_behind_one_that_is_whole() -> None:
    end = next(at for at, line in enumerate(BASE) if line.startswith("IEA"))
    again = [line.replace("BATCH1", "BATCH2").replace("*0001", "*0002") for line in BASE[2:end]]
    found = faults_of([*BASE[:end], *again, "IEA*2*000000001~"])
    assert [(fault.kind, fault.segment) for fault in found] == [("envelope", "GS")]


def test_stray_text_behind_the_last_trailer_is_noted_with_the_interchange() -> None:
    found = parts_of([*BASE, "THIS IS NOT X12"])
    assert [f.kind for f in found[-1].faults] == ["stray-text"]
    assert [f.kind for p in found for f in p.faults] == ["stray-text"]
    second = [s.replace("000000001", "000000002") for s in BASE]
    between = faults_of([*BASE, "THIS IS NOT X12", *second])
    assert [(f.kind, f.element) for f in between] == [("stray-text", ""), ("batch-repeated", "BHT03")]
    assert not [f for f in between if f.answers]


def test_claims_behind_the_last_trailer_reject_it_for_nobody_reads_them() -> None:
    lost = [line for line in BASE if not line.startswith("ISA")]
    assert [f.kind for f in faults_of([*BASE, *lost])] == ["envelope"]


@pytest.mark.parametrize(
    ("before", "layout"),
    [
        ("", []),
        ("\n\n", []),
        (" ", ["no blanks or tabs before a segment"]),
        ("\t", ["no blanks or tabs before a segment"]),
        ("\r\n  \t", ["no blanks or tabs before a segment"]),
    ],
)
def test_blanks_before_segments_are_noted_once_a_file(before: str, layout: list[str]) -> None:
    second = [line.replace("000000001", "000000002").replace("BATCH1", "BATCH2") for line in BASE]
    for lines in (BASE, [*BASE, *second]):
        found = faults_in(before.join(line.strip() for line in lines))
        assert [f.expected for f in found] == layout
        assert {f.kind for f in found} <= {"layout"}


def test_blanks_in_a_later_interchange_are_noted_there() -> None:
    second = [line.replace("000000001", "000000002").replace("BATCH1", "BATCH2") for line in BASE]
    parts = parts_of([*BASE, second[0], *[f"  {line}" for line in second[1:]]])
    assert [
        part.interchange.control_number for part in parts if isinstance(part, InterchangeEnd) and part.faults
    ] == ["000000002"]


@pytest.mark.parametrize("width", [60, 80, 100, 128])
def test_lines_of_a_fixed_width_are_noted_once(width: int) -> None:
    second = [line.replace("000000001", "000000002").replace("BATCH1", "BATCH2") for line in BASE]
    for lines in (BASE, [*BASE, *second]):
        text = "".join(line.strip() for line in lines)
        wrapped = "\r\n".join(text[at : at + width] for at in range(0, len(text), width))
        assert [f.kind for f in faults_in(wrapped)] == ["layout"]


def test_a_set_of_more_than_5000_claims_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = sum(line.startswith("CLM") for line in BASE)
    for most, kinds in ((claims, []), (claims - 1, ["too-many-claims"])):
        monkeypatch.setattr("edi_checker.claims.reader.MOST_CLAIMS", most)
        assert [f.kind for f in faults_of(BASE)] == kinds


def test_a_batch_number_is_used_once() -> None:
    head, inner = BASE[:2], BASE[2:-2]
    second = [line.replace("*0001", "*0002") for line in inner]
    trailer = ["GE*2*1~", BASE[-1]]
    assert [f.element for f in faults_of([*head, *inner, *second, *trailer])] == ["BHT03"]
    other = [line.replace("BHT*0019*00*", "BHT*0019*00*2") for line in second]
    assert not faults_of([*head, *inner, *other, *trailer])
    again = [line.replace("BHT*0019*00*", "BHT*0019*18*") for line in second]
    assert not faults_of([*head, *inner, *again, *trailer])


def test_a_transaction_without_its_version_lacks_an_element() -> None:
    found = faults_of(changed("ST*", "ST*837*0001"))
    assert [(f.kind, f.element) for f in found] == [("element-missing", "ST03")]
