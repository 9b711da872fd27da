"""The views over a claim: every field from its place, nothing raises on damaged segments."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_checker.claims.claim import Claim
from edi_checker.claims.reader import read_parts
from edi_checker.facts.payers import decisions_on
from edi_checker.guide.table import load as load_guide
from edi_checker.x12.blocks import NotX12, read_blocks

SAMPLES = Path(__file__).parent.parent / "samples/837p/clean"


def claims_of(data: bytes) -> list[Claim]:
    return [p for p in read_parts(read_blocks(io.BytesIO(data)), load_guide()) if isinstance(p, Claim)]


def test_a_claim_with_a_secondary_payer_gives_what_it_says() -> None:
    claim = claims_of((SAMPLES / "secondary-payer.837").read_bytes())[0]
    assert claim.charge == sum(line.charge or 0 for line in claim.lines)
    payer = claim.other_payers[0]
    assert payer.payer.role == "PR"
    paid = payer.amount("D")
    assert paid is not None
    decided = [decision for line in claim.lines for decision in decisions_on(line.charge, line.segments)]
    assert [decision.payer for decision in decided] == [payer.payer.id] * len(decided)
    assert sum(decision.paid or 0 for decision in decided) == paid
    assert all(decision.difference == 0 for decision in decided)


def test_a_dependent_has_a_level_of_his_own() -> None:
    claims = claims_of((SAMPLES / "dependent-patients.837").read_bytes())
    with_patient = [c for c in claims if c.patient is not None]
    assert with_patient
    for claim in with_patient:
        assert claim.patient is not None and claim.subscriber is not None
        assert claim.patient_name.role == "QC"
        assert claim.patient.subscriber is claim.subscriber


@pytest.mark.parametrize("sample", sorted(p.name for p in SAMPLES.glob("*.837")))
def test_places_point_at_the_segments_they_name(sample: str) -> None:
    for claim in claims_of((SAMPLES / sample).read_bytes()):
        for line in claim.lines:
            place = line.place("SV1", "SV101-2")
            assert claim.segments[place.position - claim.position] is line.service
            assert (place.line, place.loop, place.claim) == (line.ordinal, "2400", claim.id)
            dated = line.place("DTP", "DTP03", qualifier="472")
            assert claim.segments[dated.position - claim.position][1] == "472"


def test_providers_of_a_line_come_before_those_of_the_claim() -> None:
    data = (SAMPLES / "pt-clinic.837").read_bytes().decode()
    at = data.index("REF*6R")
    end = data.index("~", at)
    changed = data[: end + 1] + "\nNM1*82*1*BROOK*LINNEA****XX*1679576722~" + data[end + 1 :]
    lines = claims_of(changed.encode())[0].lines
    assert lines[0].rendering.npi == "1679576722"
    assert lines[1].rendering.npi != "1679576722"


@pytest.mark.long
@settings(max_examples=150)
@given(st.data())
def test_no_view_raises_on_damaged_text(data: st.DataObject) -> None:
    text = (SAMPLES / "secondary-payer.837").read_text()
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(106, len(text) - 1))
        text = (
            text[:at]
            + data.draw(st.sampled_from(["", "*", "~", ":", "é", "\x00", "9" * 40, "LX", "NM1*"]))
            + text[at + 1 :]
        )
    try:
        claims = claims_of(text.encode())
    except NotX12:
        return
    for claim in claims:
        assert (
            claim.id is not None
            and claim.diagnoses is not None
            and claim.dates
            and claim.patient_name is not None
        )
        assert claim.charge is None or isinstance(claim.charge, int)
        for payer in claim.other_payers:
            assert payer.adjustments is not None and payer.payer is not None
        for line in claim.lines:
            assert line.modifiers is not None and line.rendering is not None
            assert line.place_of_service is not None and line.dates
            assert line.place("SV1", "SV102").claim == claim.id
