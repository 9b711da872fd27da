"""Lines, claims and interchanges that come twice, and those that only look as if they did."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example, write_example
from edi_checker.facts import InputMemory, Setting
from edi_checker.facts.context import ClaimsSeen
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.x12.finding import Finding
from parts_of import claim_of, facts

CHECKER = Checker(load_guide(), Engine(BOOK, "python"), Setting(20260302, built_in()))


# Without what is remembered of pieces: another way to the same findings.
WHOLE = replace(CHECKER, fast=False)


def found(example: Mapping[str, Any], family: str = "duplicate") -> list[Finding]:
    findings = run_example(CHECKER, example)
    assert findings == run_example(WHOLE, example)
    return [f for f in findings if f.rule.startswith(family)]


# Lines


def test_the_later_of_two_equal_lines_is_named_and_the_earlier_one_cited() -> None:
    (finding,) = found({"lines": ["97530:GP x1", "97112:GP x1", "97530:GP x1"]})
    assert (finding.rule, finding.where.line) == ("duplicate.line", 3)
    assert [place.line for place in finding.related] == [1]
    assert (finding.severity, finding.status.ack277ca) == ("warning", ())


def test_lines_that_have_no_numbers_of_their_own_are_the_same_in_all() -> None:
    edit = [{"find": f"REF*6R*L{number}", "delete": "true"} for number in (1, 2)]
    (finding,) = found({"lines": ["97530:GP x1", "97530:GP x1"], "edit": edit})
    assert (finding.severity, finding.status.ack277ca) == ("error", ("A8:54",))


def test_every_further_line_repeats_the_first() -> None:
    findings = found({"lines": ["97530:GP x1"] * 3})
    assert [(f.where.line, f.related[0].line) for f in findings] == [(2, 1), (3, 1)]


@pytest.mark.parametrize("modifier", ["76", "77", "91", "59", "XE", "XS", "XP", "XU", "27", "58", "78", "79"])
def test_a_modifier_that_says_so_makes_a_repetition_right(modifier: str) -> None:
    # On both lines: the lines are the same, and still no slip.
    assert found({"lines": [f"36415:{modifier} x1"] * 2}) == []


@pytest.mark.parametrize(
    "second",
    [
        "97530:GP x2",
        "97530:GP:KX x1",
        "97530:GP x1 $51.00",
        "97530:GP x1 on 2026-02-04",
        "97530:GP x1 by 1679576722",
        "97530:GP x1 dx 2",
        "97530:GP x1 note SECOND VISIT",
        "97110:GP x1",
    ],
)
def test_lines_that_differ_are_no_duplicates(second: str) -> None:
    assert found({"lines": ["97530:GP x1", second]}, "duplicate.line") == []


@pytest.mark.parametrize(
    "segment",
    ["LIN**N4*01234567891", "REF*G1*A2", "SVD*P1*10*HC:97530:GP**1", "AMT*T*1", "PS1*12345*5", "SV5*X"],
)
def test_a_line_with_something_of_its_own_is_another_one(segment: str) -> None:
    example = {"lines": ["97530:GP x1"] * 2}
    same = facts(example, "line")
    assert [fact.values["repeats"] for fact in same] == [None, 1]
    example = {**example, "edit": [{"find": "SE*", "insert": segment}]}
    assert [fact.values["repeats"] for fact in facts(example, "line")] == [None, None]


def test_the_order_of_the_modifiers_does_not_matter() -> None:
    assert len(found({"lines": ["97530:GP:KX x1", "97530:KX:GP x1"]})) == 1


def test_lines_without_a_readable_date_are_not_compared() -> None:
    example = {"lines": ["97530:GP x1"] * 2, "edit": [{"find": "DTP*472", "set": {"3": "20260231"}}] * 2}
    assert found(example) == []


# Claims


def twice(**claim: Any) -> list[Finding]:
    """What is found where a second claim differs from the first as said."""
    lines = claim.pop("lines", None)
    second: dict[str, Any] = {"claim": claim} | ({"lines": lines} if lines else {})
    return found({"lines": ["97530:GP x2", "97112:GP x1"], "more": [second]})


def test_a_claim_that_comes_again_is_found_and_the_first_one_cited() -> None:
    (finding,) = twice()
    assert (finding.rule, finding.severity) == ("duplicate.claim", "error")
    assert (finding.where.claim, finding.where.element) == ("EXAMPLE2", "CLM01")
    (first,) = finding.related
    example = {"lines": ["97530:GP x2", "97112:GP x1"]}
    assert first == claim_of(example).place("CLM", "CLM01")
    assert finding.status.ack277ca == ("A3:78",)


@pytest.mark.parametrize(
    "claim",
    [
        {"lines": ["97530:GP x2"]},
        {"lines": ["97530:GP x2", "97112:GP x2"]},
        {"lines": ["97530:GP x2", "97112:GP:59 x1"]},
        {"date": "2026-02-04"},
        {"place": "12"},
        {"diagnoses": ["R262", "M6281"]},
        {"rendering": "1679576722"},
        {"set": {"CLM05-3": "7"}},
        {"set": {"CLM05-3": "8"}},
    ],
    ids=str,
)
def test_claims_that_differ_are_no_duplicates(claim: dict[str, Any]) -> None:
    assert twice(**claim) == []


@pytest.mark.parametrize("modifier", ["76", "77", "91", "27", "XE"])
def test_claims_of_repeated_services_are_no_duplicates(modifier: str) -> None:
    lines = [f"97530:GP:{modifier} x1"]
    assert found({"lines": lines, "more": [{}]}) == []


def test_another_patient_or_payer_makes_another_claim() -> None:
    for segment, at in (("NM1*IL*1*MAPLE*MAX****MI*1EG4TE5MK73", "NM1*IL"), ("SBR*S*18*******MB", "SBR*")):
        example = {"lines": ["97530:GP x2"]}
        one = write_example(example).text
        two = one[one.index("HL*2") : one.index("SE*")]
        two = two.replace("HL*2*", "HL*3*")
        lines = [segment if line.startswith(at) else line for line in two.split("~\n")]
        text = one.replace("SE*", "~\n".join(lines) + "SE*")
        checked = CHECKER.check(io.BytesIO(text.encode()))
        rules_found = [f.rule for each in checked for f in each.findings]
        assert "duplicate.claim" not in rules_found


def test_the_same_patient_below_another_number_is_the_same() -> None:
    one = write_example({"lines": ["97530:GP x2"]}).text
    two = one[one.index("HL*2") : one.index("SE*")].replace("HL*2*", "HL*3*")
    text = one.replace("SE*", two + "SE*")
    checked = CHECKER.check(io.BytesIO(text.encode()))
    assert [f.rule for each in checked for f in each.findings if f.rule.startswith("duplicate")] == [
        "duplicate.claim"
    ]


def test_a_transaction_that_is_issued_anew_repeats_on_purpose() -> None:
    example = {"more": [{}]}
    assert len(found(example)) == 1
    assert found({**example, "edit": [{"find": "BHT*", "set": {"2": "18"}}]}) == []


def test_each_input_is_remembered_by_itself() -> None:
    text = write_example({}).text.encode()
    for _ in range(2):
        assert [f for each in CHECKER.check(io.BytesIO(text)) for f in each.findings] == []


def _findings(text: bytes, memory: InputMemory) -> Iterator[Finding]:
    for each in CHECKER.check(io.BytesIO(text), memory):
        yield from each.findings


def test_a_memory_that_is_given_outlasts_an_input() -> None:
    memory = InputMemory()
    text = write_example({}).text.encode()
    counts = [len(list(_findings(text, memory))) for _ in range(2)]
    assert counts == [0, 1]


def test_the_memory_of_claims_finds_each_of_many_again() -> None:
    seen = ClaimsSeen()
    claim = claim_of({})
    numbers = [(n * 0x9E3779B97F4A7C15) % 2**64 for n in range(1, 20_001)]
    assert [n for n in numbers if seen.meet(n, claim)] == []
    assert all(seen.meet(n, claim) == claim.place("CLM", "CLM01") for n in numbers)


def test_the_memory_of_claims_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClaimsSeen, "LIMIT", 2)
    seen = ClaimsSeen()
    claim = claim_of({})
    assert [seen.meet(n, claim) is not None for n in (1, 2, 3, 3, 1)] == [False, False, False, False, True]


# Interchanges


def test_an_interchange_that_comes_twice_is_one_finding() -> None:
    (finding,) = [f for f in run_example(CHECKER, {"twice": "true"}) if f.severity != "info"]
    assert (finding.rule, finding.where.element, finding.status.ta1) == (
        "duplicate.interchange",
        "ISA13",
        "025",
    )


def test_the_same_claims_under_another_control_number_are_duplicates() -> None:
    text = write_example({}).text
    again = text.replace("*000000001*0*T", "*000000002*0*T").replace("IEA*1*000000001", "IEA*1*000000002")
    checked = CHECKER.check(io.BytesIO((text + again).encode()))
    found = [f.rule for each in checked for f in each.findings]
    assert sorted(found) == ["duplicate.batch-number", "duplicate.claim"]
