"""Recovery: each weight decides what is read into a segment without a place."""

from __future__ import annotations

import pytest

from edi_checker.guide import recovery
from test_walker import at, change, delete, rich_segments, swap, told


def move(start: str, by: int, nth: int = 1) -> list[str]:
    segments = rich_segments()
    where = at(segments, start, nth)
    segments.insert(where + by, segments.pop(where))
    return segments


def move_loop(start: str, length: int, behind: str, nth: int) -> list[str]:
    """So many segments from one on, behind another."""
    segments = rich_segments()
    where = at(segments, start)
    moved = segments[where : where + length]
    del segments[where : where + length]
    where = at(segments, behind, nth) + 1
    segments[where:where] = moved
    return segments


def copy(start: str, by: int, nth: int = 1) -> list[str]:
    segments = rich_segments()
    where = at(segments, start, nth)
    segments.insert(where + by, segments[where])
    return segments


def insert(start: str, *more: str) -> list[str]:
    """More segments behind the first that starts so."""
    segments = rich_segments()
    where = at(segments, start) + 1
    segments[where:where] = more
    return segments


HL, SBR, NM1 = "HL*3*1*22*0", "SBR*P*18*******CI", "NM1*IL*1*SAGE*NORA****MI*W1"
ADDRESS = "N3*12 ORCHARD LANE", "N4*COLUMBUS*OH*432150012", "DMG*D8*19800101*F"


def subscriber(*head: str) -> list[str]:
    """A second subscriber, that begins so, in place of the patient."""
    segments = rich_segments()
    payer = "NM1*PR*2*WILLOW PLAN*****PI*99001"
    segments[at(segments, "HL*3") : at(segments, "CLM*RICH-2")] = [*head, payer]
    return segments


def without_next(segments: list[str], start: str) -> list[str]:
    """Without the segment behind the first that starts so."""
    del segments[at(segments, start) + 1]
    return segments


def rewrite(segments: list[str], start: str, to: str) -> list[str]:
    segments[at(segments, start)] = to
    return segments


# A weight, another value for it, a claim, and what is wrong with the claim.
CASES: list[tuple[str, float, list[str], list[str]]] = [
    ("MISFIT", 0.7, copy("SV1*HC:97110", -2), ["segment-repeat 2400 SV1"]),
    ("FARTHER", 0.7, move("REF*F8*OPCTRL", 2), ["segment-order 2330B REF"]),
    ("NEXT_LOOP", 0.6, change("REF*0B*LIC9", "SBR*0B*LIC9"), ["segment-unexpected 2310A SBR"]),
    ("STRAY", 1.3, copy("PAT*19", 3), ["segment-repeat 2000C PAT"]),
    ("STRAY", 1.9, insert("FRM*2", "SBR*P"), ["segment-unexpected 2440 SBR"]),
    (
        "ADDRESS",
        1.6,
        insert("NM1*DQ*1*OAK", ADDRESS[0]),
        ["segment-unexpected 2310D N3"],
    ),
    ("UNKNOWN", 0.7, change("N4*COLUMBUS*OH*432150001", "Nd4*COLUMBUS*OH*432150001"), ["segment 2010AA"]),
    ("MISSPELT", 1.2, change("N4*COLUMBUS*OH*432150001", "Nd4*COLUMBUS*OH*432150001"), ["segment 2010AA"]),
    (
        "MISSPELT_ALIKE",
        0.0,
        without_next(change("N3*PO BOX 41", "Nd4*PO BOX 41"), "Nd4"),
        ["segment 2010AB", "segment-missing 2010AB N3"],
    ),
    (
        "MISSPELT_NEEDED",
        0.0,
        without_next(change("NM1*41", "XM1*41*2*BROOK BILLING*****46*BRK001"), "XM1"),
        ["segment-unexpected header XM1", "segment-missing 1000A PER"],
    ),
    (
        "MISSPELT_FULL",
        0.0,
        insert("REF*0B*LIC8", "NX9*82*1*ALDER*ANN****XX*1000001013"),
        ["segment-unexpected 2310B NX9"],
    ),
    ("MISSPELT_LACKING", 0.0, insert("HI*BG", "NX*1"), ["segment-unexpected 2300 NX"]),
    (
        "MISSPELT_CODE",
        0.0,
        rewrite(move("NM1*87", -2), "NM1*87", "NM31*87*2"),
        ["segment 2010AA", "segment-order 2010AA REF", "segment-order 2010AA PER"],
    ),
    ("MISSPELT_LEVEL", 9.0, change("HL*1", "XL*1**20*1"), ["segment-unexpected 1000B XL"]),
    ("QUALIFIER", 1.05, change("NM1*87*2", "NM1*88*2"), ["element-code 2010AB NM101"]),
    (
        "QUALIFIER_NEEDED",
        0.0,
        rewrite(swap("SV1*HC:97110"), "DTP*472*RD8", "DTP*DN*RD8*20251115-20251116"),
        ["element-code 2400 DTP01", "segment-order 2400 SV1"],
    ),
    ("QUALIFIER_FULL", 0.0, change("NM1*87*2", "NM1*88*2"), ["element-code 2010AB NM101"]),
    (
        "QUALIFIER_FARTHER",
        0.04,
        change("NM1*45*2*DROPOFF", "NM1*P*2*DROPOFF", 2),
        ["element-code 2420H NM101"],
    ),
    ("QUALIFIER_STRAY_NAME", 0.7, change("NM1*87*2", "NM1*88*2"), ["element-code 2010AB NM101"]),
    (
        "QUALIFIER_BEHIND",
        9.0,
        change("DMG*D8*19800101", "SBR*D8*19800101*F"),
        ["element-code 2010BA SBR01"],
    ),
    ("LATE", 1.2, swap("AMT*EAF*15"), ["segment-order 2320 AMT"]),
    ("LATE_FULL", 1.2, copy("PAT*19", 3), ["segment-repeat 2000C PAT"]),
    ("LATE_CLOSED", 0.0, copy("CTP", 4), ["segment-unexpected 2420A CTP"]),
    ("LATE_NEEDED", 0.0, move("FRM*1", 4), ["segment-order 2440 FRM"]),
    (
        "LATE_TWIN",
        0.0,
        insert("REF*9B*RP1", "PWK*CT*AB"),
        ["segment-order 2400 PWK"],
    ),
    ("LATE_REOPENED", 9.0, move("NM1*PE", -3), ["segment-order 2010AC N3"]),
    (
        "REWIND",
        9.0,
        move("NM1*DQ*1", 4, 2),
        ["element-missing 2420D NM103", "segment-order 2400 SV1", "loop-repeat 2420D NM1"],
    ),
    (
        "LOOP_LATE",
        9.0,
        move_loop("LIN", 3, "PRV*PE*PXC", 2),
        ["segment-order 2410 LIN", "segment-order 2420B REF"],
    ),
    (
        "LOOP_LATE_FULL",
        0.0,
        change("LQ", "LIN*UT*02.03B"),
        ["segment-unexpected 2430 LIN", "segment-missing 2440 LQ"],
    ),
    ("LOOP_LATE_LACKING", 0.0, insert("FRM*2", "SBR*P"), ["segment-unexpected 2440 SBR"]),
    ("EARLY", 0.8, swap("LX*2"), ["segment-order 2400 SV1"]),
    ("EARLY_TWICE", 0.0, swap("LQ"), ["segment-missing 2440 LQ"]),
    ("OPENER", 0.7, swap("LX*2"), ["segment-order 2400 SV1"]),
    ("OPENER_FULL", 0.0, delete("NM1*87"), ["segment-missing 2010AB NM1"]),
    ("OPENER_COMES", 0.0, copy("N3*1 PICKUP ROAD", -2, 2), ["segment-repeat 2420E N3"]),
    (
        "OPENER_NEEDED",
        0.0,
        copy("DTP*472*D8*20251115", -2, 2),
        ["segment-missing 2400 LX", "segment-missing 2400 SV1"],
    ),
    (
        "OPENER_INNER",
        0.0,
        change("REF*G2*OPR3", "REF*SY*OPR3"),
        ["segment-unexpected 2330E REF", "segment-missing 2330E REF"],
    ),
    ("OPENER_SKIPPED", 0.0, copy("HCP*00*250", 3), ["segment-repeat 2300 HCP"]),
    (
        "OPENER_WANTED",
        0.0,
        move("NM1*DQ*1", 4, 2),
        ["element-missing 2420D NM103", "segment-order 2400 SV1", "loop-repeat 2420D NM1"],
    ),
    ("LEVEL", 0.75, insert("FRM*2", "SBR*P"), ["segment-unexpected 2440 SBR"]),
    ("LEVEL_SKIPPED", 0.0, insert("FRM*2", "SBR*P"), ["segment-unexpected 2440 SBR"]),
    (
        "LEVEL_CLAIM_COMES",
        0.0,
        subscriber(HL, "HI*ABK:M5450", SBR, NM1, *ADDRESS),
        ["hierarchy 2000B HL04", "segment-unexpected 2000B HI"],
    ),
    (
        "LEVEL_OTHER_PAYER",
        0.0,
        insert("NM1*40", "SBR*S*01*GRP2*OTHER PLAN*12****MB", "OI***Y*P**Y"),
        ["segment-unexpected 1000B SBR", "segment-unexpected 1000B OI"],
    ),
    (
        "LEVEL_WITHOUT_CLAIM",
        0.0,
        subscriber(SBR, NM1, HL),
        [
            "hierarchy 2000B HL04",
            "segment-order 2320 SBR",
            "segment-missing 2320 OI",
            "loop-missing 2330B NM1",
            "segment-missing 2000B SBR",
            "loop-missing 2010BA NM1",
        ],
    ),
]


def read(segments: list[str]) -> list[str]:
    return [f"{kind} {place}" for kind, place, _ in told(segments)]


@pytest.mark.parametrize(
    ("name", "other", "segments", "expected"), CASES, ids=[f"{case[0]}={case[1]}" for case in CASES]
)
def test_each_weight_decides_a_case(
    name: str, other: float, segments: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(segments) == expected
    monkeypatch.setattr(recovery, name, other)
    assert read(segments) != expected


def test_no_weight_is_left_out() -> None:
    weights = {name for name, value in vars(recovery).items() if isinstance(value, float)}
    assert weights == {case[0] for case in CASES}


@pytest.mark.long
@pytest.mark.parametrize("invented", ["XXX*1", "UVW*9", "XX*ABC", "XXX*ABC*2"])
def test_an_invented_segment_is_one_fault_wherever_it_stands(invented: str) -> None:
    segments = rich_segments()
    begin, end = at(segments, "BHT") + 1, at(segments, "SE*")
    for where in range(begin, end + 1):
        assert len(read([*segments[:where], invented, *segments[where:]])) == 1, segments[where]


def test_a_misspelt_line_number_is_still_the_begin_of_a_line() -> None:
    assert read(change("LX*2", "LXX*2")) == ["segment-unexpected 2440 LXX"]
    assert read(change("LX*1", "XX*1")) == ["segment-unexpected 2330G XX"]
