"""What becomes of each part: a claim is never accepted under a level that is not certainly its own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import pytest

from book import BOOK
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.check.checker import Checker, take_handfuls
from edi_checker.check.engine import Engine
from edi_checker.check.examples import edit_segments, write_example
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import Claim, TransactionEnd
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in

GUIDE = load_guide()
CHECKER = Checker(GUIDE, Engine(BOOK, "python"), Setting(20260302, built_in()))
BASE = [s.rstrip("~") for s in write_example({"lines": ["97530:GP x2"]}).text.splitlines()]
# Two subscribers below one provider, each with one claim.
HEAD = next(i for i, s in enumerate(BASE) if s.startswith("HL*2"))
TAIL = next(i for i, s in enumerate(BASE) if s.startswith("SE*"))
SECOND = [
    s.replace("HL*2*1", "HL*3*1").replace("EXAMPLE1", "EXAMPLE2").replace("1EG4TE5MK73", "1EG4TE5MK74")
    for s in BASE[HEAD:TAIL]
]
TWO = [*BASE[:TAIL], *SECOND, *BASE[TAIL:]]


def check(segments: Sequence[str], checker: Checker = CHECKER) -> list[Checked]:
    out = list(segments)
    end = next((i for i, s in enumerate(out) if s.startswith("SE*")), None)
    begin = next(i for i, s in enumerate(out) if s.startswith("ST*"))
    if end is not None:
        out[end] = f"SE*{end - begin + 1}*0001"
    return list(checker.check(io.BytesIO("".join(s + "~\n" for s in out).encode())))


def outcomes(parts: Sequence[Checked]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in parts:
        if isinstance(each.part, Claim):
            found.setdefault(each.part.id, []).append(each.outcome)
    return found


def test_two_clean_claims_are_accepted() -> None:
    assert outcomes(check(TWO)) == {"EXAMPLE1": ["accepted"], "EXAMPLE2": ["accepted"]}


def test_a_claim_behind_a_missing_level_is_not_taken_for_the_patient_before() -> None:
    parts = check(edit_segments(TWO, [{"find": "HL*3", "delete": "true"}]))
    assert outcomes(parts)["EXAMPLE2"] == ["rejected"]
    assert [f.rule for each in parts for f in each.findings if f.severity == "error"] == [
        "guide.segment-missing"
    ]


def test_the_levels_behind_the_next_header_are_certain_again() -> None:
    third = [s.replace("HL*3*1", "HL*4*1").replace("EXAMPLE2", "EXAMPLE3") for s in SECOND]
    three = [*TWO[:-3], *third, *TWO[-3:]]
    parts = check(edit_segments(three, [{"find": "HL*3", "delete": "true"}]))
    assert outcomes(parts)["EXAMPLE3"] == ["accepted"]


def test_the_empty_copy_of_a_claim_sent_twice_is_not_accepted() -> None:
    parts = check(edit_segments(TWO, [{"find": "CLM*EXAMPLE1", "repeat": "2"}]))
    assert outcomes(parts)["EXAMPLE1"] == ["rejected", "rejected"]
    assert outcomes(parts)["EXAMPLE2"] == ["accepted"]


@pytest.mark.parametrize(
    "edit",
    [{"find": "HL*3", "delete": "true"}, {"find": "CLM*EXAMPLE1", "repeat": "2"}],
)
def test_what_has_no_finding_of_its_own_is_still_answered_as_rejected(edit: dict[str, str]) -> None:
    parts = check(edit_segments(TWO, [edit]))
    answering = Acknowledger(20260302, number_elements(GUIDE))
    for each in parts:
        answering.add(each)
    answers = answering.finish()
    assert answers.ack277ca is not None
    segments = answers.ack277ca.read().decode().replace("\n", "").split("~")
    rejected = sum(s.startswith(("STC*A3", "STC*A6", "STC*A7", "STC*A8")) for s in segments)
    assert rejected == sum(each.outcome == "rejected" for each in parts if isinstance(each.part, Claim))
    assert next(s for s in segments if s.startswith("QTY*AA")) == f"QTY*AA*{rejected}"
    answers.close()


@pytest.mark.parametrize("instead", ["G S", "XX", "GSA"])
def test_no_claim_is_accepted_behind_a_group_header_that_cannot_be_read(instead: str) -> None:
    parts = check([segment.replace("GS*", f"{instead}*") for segment in TWO])
    assert outcomes(parts) == {"EXAMPLE1": ["rejected"], "EXAMPLE2": ["rejected"]}
    assert [f.rule for each in parts for f in each.findings if f.severity == "error"] == ["x12.envelope"]


@pytest.mark.parametrize(
    ("edit", "outcome"),
    [
        ({"find": "SV1*", "set": {"3": "DA"}}, "rejected"),
        # What the guide has nothing against costs its claim alone.
        ({"find": "HI*", "set": {"1-2": "Z9999"}}, "accepted"),
    ],
)
def test_isolation_by_transaction_rejects_the_set(edit: dict[str, object], outcome: str) -> None:
    parts = check(edit_segments(TWO, [edit]), replace(CHECKER, isolation="transaction"))
    assert [each.outcome for each in parts if isinstance(each.part, TransactionEnd)] == [outcome]
    assert outcomes(parts)["EXAMPLE1"] == ["rejected"]
    assert outcomes(check(edit_segments(TWO, [edit]))) == {"EXAMPLE1": ["rejected"], "EXAMPLE2": ["accepted"]}


def test_a_rejected_patient_costs_no_claim_of_the_next_subscriber() -> None:
    dependent = ["HL*3*2*23*0", "PAT*19", "NM1*QC*1*MAPLE*TOM", "N3*2 MILL ROAD", "N4*COLUMBUS*OH*432150002"]
    claim = next(i for i, s in enumerate(BASE) if s.startswith("CLM*"))
    first = [s.replace("HL*2*1*22*0", "HL*2*1*22*1").replace("SBR*P*18", "SBR*P*") for s in BASE[:claim]]
    second = [s.replace("HL*3*1", "HL*4*1") for s in SECOND]
    for sex, outcome in (("M", "accepted"), ("Q", "rejected")):
        patient = [*dependent, f"DMG*D8*20150412*{sex}"]
        found = outcomes(check([*first, *patient, *BASE[claim:TAIL], *second, *BASE[TAIL:]]))
        assert found == {"EXAMPLE1": [outcome], "EXAMPLE2": ["accepted"]}


def test_a_segment_of_a_level_that_stands_in_a_claim_costs_the_claims_below_the_level() -> None:
    claim = [s.replace("EXAMPLE1", "EXAMPLE9").replace("20260203", "20260204") for s in BASE[HEAD:TAIL]]
    second = [s for s in claim if not s.startswith("HL*")]
    begin = next(i for i, s in enumerate(second) if s.startswith("CLM*"))
    both = [*BASE[:TAIL], *second[begin:], *BASE[TAIL:]]
    assert outcomes(check(both)) == {"EXAMPLE1": ["accepted"], "EXAMPLE9": ["accepted"]}
    # The birth date of the subscriber is sent behind the first claim's header.
    moved = edit_segments(both, [{"find": "DMG*", "delete": "true"}])
    moved = edit_segments(moved, [{"find": "HI*", "append": next(s for s in BASE if s.startswith("DMG*"))}])
    assert outcomes(check(moved)) == {"EXAMPLE1": ["rejected"], "EXAMPLE9": ["rejected"]}


def test_a_level_whose_first_segment_was_sent_before_its_header_is_not_whole() -> None:
    swapped = edit_segments(TWO, [{"find": "HL*3", "swap": "true"}])
    found = outcomes(check(swapped))
    assert found["EXAMPLE2"] == ["rejected"]


def test_claims_below_a_provider_whose_level_is_lost_are_not_those_of_the_one_before() -> None:
    provider = [s.replace("HL*1*", "HL*3*") for s in BASE[BASE.index("HL*1**20*1") : HEAD]]
    subscriber = [s.replace("HL*3*1", "HL*4*3") for s in SECOND]
    parts = check([*BASE[:TAIL], *provider[1:], *subscriber, *BASE[TAIL:]])
    assert [f.where.segment for part in parts for f in part.findings if f.severity == "error"] == ["HL"]
    assert outcomes(parts)["EXAMPLE2"] == ["rejected"]


def test_handfuls_hold_a_fair_length_and_lose_nothing_before_an_error():
    assert [len(each) for each in take_handfuls(range(250), lambda _: 1)] == [100, 100, 50]
    assert [len(each) for each in take_handfuls(range(4), lambda _: 1 << 20)] == [1, 1, 1, 1, 0]

    def break_off():
        yield from range(3)
        raise ValueError("it ends")

    handfuls = take_handfuls(break_off(), lambda _: 1)
    assert next(handfuls) == [0, 1, 2]
    with pytest.raises(ValueError, match="it ends"):
        next(handfuls)
