"""The walker: one cause, one fault; its place and its answer; against pyx12 and against published files."""

from __future__ import annotations

import csv
import io
import os
import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edi_checker.guide import walker
from edi_checker.guide.table import load as load_guide
from edi_checker.guide.walker import Walker
from edi_checker.x12.blocks import Block, Delimiters, Fault, read_blocks
from pyx12_oracle import Complaint, Mutation, ask, count_again, mutate

HERE = Path(__file__).parent
CLEAN = HERE.parent / "samples" / "837p" / "clean"
CORPUS = Path(os.environ.get("EDI_CHECKER_SHARED", HERE.parent.parent / "shared")) / "corpus"
USUAL = Delimiters("*", ":", "^", "~")

# Every loop and nearly every segment of the guide once; synthetic throughout.
RICH = """
ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260105*1200*^*00501*000000001*0*T*:~
GS*HC*SENDER*RECEIVER*20260105*1200*1*X*005010X222A1~
ST*837*0001*005010X222A1~
BHT*0019*00*BATCH1*20260105*1200*CH~
NM1*41*2*BROOK BILLING*****46*BRK001~
PER*IC*CONTACT DESK*TE*5555550100*EX*12~
NM1*40*2*WILLOW PLAN*****46*99001~
HL*1**20*1~
PRV*BI*PXC*261QP2000X~
CUR*85*USD~
NM1*85*2*ALDER CLINIC*****XX*1000001010~
N3*100 CANAL STREET*SUITE 4~
N4*COLUMBUS*OH*432150001~
REF*EI*990001001~
REF*0B*LIC123~
PER*IC*DESK*TE*5555550101*FX*5555550102~
NM1*87*2~
N3*PO BOX 41~
N4*COLUMBUS*OH*432160001~
NM1*PE*2*PAY TO PLAN*****PI*77001~
N3*1 PLAN ROAD~
N4*DAYTON*OH*454010001~
REF*2U*PLAN2~
REF*EI*990001777~
HL*2*1*22*1~
SBR*P*18*GRP1*WILLOW GOLD*****CI~
PAT*****D8*20260101*01*150*Y~
NM1*IL*1*SAGE*NORA*Q***MI*WHP1000001~
N3*12 ORCHARD LANE~
N4*COLUMBUS*OH*432150012~
DMG*D8*19800101*F~
REF*SY*123456789~
REF*Y4*PC001~
PER*IC*NORA*TE*5555550103*EX*9~
NM1*PR*2*WILLOW PLAN*****PI*99001~
N3*5 PAYER STREET~
N4*TOLEDO*OH*436040001~
REF*2U*PAYR2~
REF*G2*PROV77~
CLM*RICH-1*300***11:B:1*Y*A*Y*Y*P*AA:OA::OH*02********1~
DTP*431*D8*20251101~
DTP*454*D8*20251102~
DTP*439*D8*20251101~
DTP*360*RD8*20251101-20251201~
DTP*435*D8*20251101~
DTP*096*D8*20251103~
DTP*090*D8*20251104~
DTP*091*D8*20251105~
PWK*03*FX***AC*CTRL1~
CN1*02*100*5*CODE*3*V1~
AMT*F5*20~
REF*4N*1~
REF*9F*REFER1~
REF*G1*AUTH1~
REF*F8*CTRL77~
REF*D9*TRACE1~
REF*EA*MRN1~
K3*FIXED FORMAT~
NTE*ADD*A NOTE~
CR1*LB*150**A*DH*12***ROUND TRIP*STRETCHER~
CR2********A**BACK PAIN~
CRC*07*Y*01*04~
CRC*E1*Y*L1~
CRC*75*Y*IH~
CRC*ZZ*Y*AV~
HI*ABK:M5450*ABF:R262*ABF:M6281~
HI*BP:00100*BO:00102~
HI*BG:01*BG:02~
HCP*00*250*50*ORG1*10*APG1*20******T1*1*2~
NM1*DN*1*FIR*MORGAN****XX*1000001011~
REF*0B*LIC9~
NM1*P3*1*ELM*PAT****XX*1000001012~
NM1*82*1*ALDER*ANN****XX*1000001013~
PRV*PE*PXC*225100000X~
REF*0B*LIC8~
NM1*77*2*CLINIC EAST*****XX*1000001014~
N3*200 EAST STREET~
N4*COLUMBUS*OH*432150003~
REF*0B*LIC7~
PER*IC*EAST DESK*TE*5555550105~
NM1*DQ*1*OAK*SAM****XX*1000001015~
NM1*PW*2~
N3*1 PICKUP ROAD~
N4*COLUMBUS*OH*432150004~
NM1*45*2*DROPOFF~
N3*2 DROPOFF ROAD~
N4*COLUMBUS*OH*432150005~
SBR*S*01*GRP2*OTHER PLAN*12****MB~
CAS*CO*45*10*1*97*5*1~
AMT*D*80~
AMT*A8*5~
AMT*EAF*15~
OI***Y*P**Y~
MOA*50*80*MA01*****5*6~
NM1*IL*1*TANSY*RAE****MI*OTH1~
N3*13 ORCHARD LANE~
N4*COLUMBUS*OH*432150013~
REF*SY*123456780~
NM1*PR*2*OTHER PLAN*****PI*OP001~
N3*6 PAYER STREET~
N4*TOLEDO*OH*436040002~
DTP*573*D8*20251220~
REF*2U*OP2~
REF*F8*OPCTRL~
NM1*DN*1~
REF*G2*OPR1~
NM1*82*1~
REF*G2*OPR2~
NM1*77*2~
REF*G2*OPR3~
NM1*DQ*1~
REF*G2*OPR4~
NM1*85*2~
REF*G2*OPR5~
LX*1~
SV1*HC:97530:GP:59:::NOTE*200*UN*2*11**1:2**Y**Y*Y***0~
SV5*HC:97530*DA*30*100*200*1~
PWK*03*FX***AC*CTRL2~
PWK*CT*AA~
CR1*LB*150**A*DH*12~
CR3*I*MO*12~
CRC*07*Y*01~
CRC*70*Y*65~
CRC*09*Y*38~
DTP*472*D8*20251115~
DTP*471*D8*20251110~
DTP*607*D8*20251111~
DTP*463*D8*20251112~
DTP*738*D8*20251113~
QTY*PT*2~
QTY*FL*3~
MEA*TR*HT*70.5~
CN1*02*50~
REF*9B*RP1~
REF*G1*LAUTH1**2U:OP001~
REF*6R*RICH-1-1~
REF*9F*LREF1~
AMT*T*3.37~
AMT*F4*1~
K3*LINE FORMAT~
NTE*ADD*LINE NOTE~
NTE*TPO*THIRD PARTY~
PS1*PSID*50~
HCP*00*100*10*ORG2*5*APG2*6**HC*97530*UN*2*T1*1*2~
LIN**N4*00004196501~
CTP****7*UN~
REF*XZ*2530001~
NM1*82*1*ALDER*ANN****XX*1000001013~
PRV*PE*PXC*225100000X~
REF*0B*LIC8~
NM1*QB*2******XX*1000001016~
NM1*77*2*CLINIC EAST*****XX*1000001014~
N3*200 EAST STREET~
N4*COLUMBUS*OH*432150003~
NM1*DQ*1*OAK*SAM****XX*1000001015~
NM1*DK*1*ASH*KIM****XX*1000001017~
N3*300 WEST STREET~
N4*COLUMBUS*OH*432150006~
REF*1G*U12345~
PER*IC*KIM*TE*5555550106~
NM1*DN*1*FIR*MORGAN****XX*1000001011~
NM1*PW*2~
N3*1 PICKUP ROAD~
N4*COLUMBUS*OH*432150004~
NM1*45*2*DROPOFF~
N3*2 DROPOFF ROAD~
N4*COLUMBUS*OH*432150005~
SVD*OP001*80*HC:97530:GP**2~
CAS*PR*1*10~
DTP*573*D8*20251220~
AMT*EAF*10~
LQ*UT*02.03B~
FRM*1*Y~
FRM*2**TEXT~
LX*2~
SV1*HC:97110:GP*100*UN*1***1~
DTP*472*RD8*20251115-20251116~
HL*3*2*23*0~
PAT*19~
NM1*QC*1*SAGE*LILA~
N3*12 ORCHARD LANE~
N4*COLUMBUS*OH*432150012~
DMG*D8*20150101*F~
REF*Y4*PC002~
CLM*RICH-2*100***11:B:1*Y*A*Y*Y~
HI*ABK:M5450~
LX*1~
SV1*HC:97110:GP*100*UN*1***1~
DTP*472*D8*20251115~
SE*188*0001~
GE*1*1~
IEA*1*000000001~
"""


def walk(data: str | bytes) -> list[tuple[int, Fault]]:
    """Every fault of a text, with the count of its segment in the input, from 1."""
    blocks = list(read_blocks(io.BytesIO(data.encode() if isinstance(data, str) else data)))
    found: list[tuple[int, Fault]] = []
    current: Walker | None = None
    for at, block in enumerate(blocks):
        if block.kind == "ST":
            current = Walker(load_guide(), block.delimiters)
        if current is not None and block.kind in ("ST", "HL", "CLM", "SE"):
            walked = current.walk(block, blocks[at + 1] if at + 1 < len(blocks) else None)
            found += [(block.ordinal + fault.position - block.position, fault) for fault in walked.faults]
    return found


def rich_segments() -> list[str]:
    return [segment.strip() for segment in RICH.split("~") if segment.strip()]


def join(segments: list[str]) -> str:
    return "".join(f"{segment}~\n" for segment in count_again(segments))


def told(segments: list[str]) -> list[tuple[str, str, str]]:
    """Each fault as (kind, `loop segment` or `loop element`, the last and most telling answer)."""
    return [
        (
            fault.kind,
            f"{fault.loop} {fault.element or fault.segment}".strip(),
            fault.answers[-1] if fault.answers else "",
        )
        for _, fault in walk(join(segments))
    ]


def at(segments: list[str], start: str, nth: int = 1) -> int:
    """Index of the nth segment that starts so."""
    return [number for number, segment in enumerate(segments) if segment.startswith(start)][nth - 1]


def change(start: str, to: str, nth: int = 1) -> list[str]:
    segments = rich_segments()
    segments[at(segments, start, nth)] = to
    return segments


def delete(start: str, nth: int = 1) -> list[str]:
    segments = rich_segments()
    del segments[at(segments, start, nth)]
    return segments


def double(start: str, nth: int = 1) -> list[str]:
    segments = rich_segments()
    where = at(segments, start, nth)
    segments.insert(where, segments[where])
    return segments


def swap(start: str, nth: int = 1) -> list[str]:
    """Swap the segment with the one after it."""
    segments = rich_segments()
    where = at(segments, start, nth)
    segments[where], segments[where + 1] = segments[where + 1], segments[where]
    return segments


def edit(find: str, to: str) -> list[str]:
    assert RICH.count(find) >= 1, find
    return [segment.strip() for segment in RICH.replace(find, to, 1).split("~") if segment.strip()]


def test_the_rich_claim_is_clean() -> None:
    assert walk(RICH) == []
    assert ask(RICH.strip()) == []


def clean_samples() -> list[Path]:
    return sorted(CLEAN.glob("*.837"))


@pytest.mark.parametrize("path", clean_samples(), ids=lambda path: path.name)
def test_clean_samples_have_no_fault(path: Path) -> None:
    assert walk(path.read_bytes()) == []


SV1, DATE = "SV1*HC:97110:GP*100*UN*1***1", "DTP*472*D8*20251115"
MISSING, ORDER, REPEAT, UNKNOWN = "IK304=3", "IK304=7", "IK304=5", "IK502=5"

CASES: list[tuple[str, list[str], list[tuple[str, str, str]]]] = [
    # a segment is missing
    ("N3 of 2010AA", delete("N3*100"), [("segment-missing", "2010AA N3", MISSING)]),
    ("REF EI of 2010AA", delete("REF*EI*990001001"), [("segment-missing", "2010AA REF", MISSING)]),
    ("PER of 1000A", delete("PER*IC*CONTACT"), [("segment-missing", "1000A PER", MISSING)]),
    ("SV1", delete("SV1*HC:97110"), [("segment-missing", "2400 SV1", MISSING)]),
    ("service date", delete("DTP*472*RD8"), [("segment-missing", "2400 DTP", MISSING)]),
    ("HI", delete("HI*ABK", 2), [("segment-missing", "2300 HI", MISSING)]),
    ("BHT", delete("BHT"), [("segment-missing", "header BHT", MISSING)]),
    # the segment that opens a loop is missing: one fault, and what follows is read as that loop
    ("NM1*87", delete("NM1*87"), [("segment-missing", "2010AB NM1", MISSING)]),
    ("NM1*85", delete("NM1*85*2*ALDER"), [("segment-missing", "2010AA NM1", MISSING)]),
    ("NM1*IL", delete("NM1*IL*1*SAGE"), [("segment-missing", "2010BA NM1", MISSING)]),
    ("NM1*PR", delete("NM1*PR*2*WILLOW"), [("segment-missing", "2010BB NM1", MISSING)]),
    ("NM1*QC", delete("NM1*QC"), [("segment-missing", "2010CA NM1", MISSING)]),
    ("SBR of 2320", delete("SBR*S"), [("segment-missing", "2320 SBR", MISSING)]),
    ("LX of the first line", delete("LX*1"), [("segment-missing", "2400 LX", MISSING)]),
    ("LX of the second line", delete("LX*2"), [("segment-missing", "2400 LX", MISSING)]),
    ("LX of the only line", delete("LX*1", 2), [("segment-missing", "2400 LX", MISSING)]),
    ("SVD", delete("SVD"), [("segment-missing", "2430 SVD", MISSING)]),
    ("LIN", delete("LIN"), [("segment-missing", "2410 LIN", MISSING)]),
    ("LQ", delete("LQ"), [("segment-missing", "2440 LQ", MISSING)]),
    # the segment that opens a level is missing
    ("HL 20", delete("HL*1"), [("segment-missing", "2000A HL", MISSING)]),
    ("HL 22", delete("HL*2"), [("segment-missing", "2000B HL", MISSING)]),
    ("HL 23", delete("HL*3"), [("segment-missing", "2000C HL", MISSING)]),
    ("first CLM", delete("CLM*RICH-1"), [("segment-missing", "2300 CLM", MISSING)]),
    ("second CLM", delete("CLM*RICH-2"), [("segment-missing", "2300 CLM", MISSING)]),
    ("SBR of 2000B", delete("SBR*P"), [("segment-missing", "2000B SBR", MISSING)]),
    ("PAT of 2000C", delete("PAT*19"), [("segment-missing", "2000C PAT", MISSING)]),
    # a code that places a segment is wrong: one fault there, and what follows stays with it
    (
        "NM101 of 2010AA",
        edit("NM1*85*2*ALDER", "NM1*86*2*ALDER"),
        [("element-code", "2010AA NM101", "IK403=7")],
    ),
    ("NM101 of 2010AB", edit("NM1*87*", "NM1*88*"), [("element-code", "2010AB NM101", "IK403=7")]),
    (
        "NM101 of 2010BA",
        edit("NM1*IL*1*SAGE", "NM1*LI*1*SAGE"),
        [("element-code", "2010BA NM101", "IK403=7")],
    ),
    (
        "NM101 of 2330B",
        edit("NM1*PR*2*OTHER", "NM1*RP*2*OTHER"),
        [("element-code", "2330B NM101", "IK403=7")],
    ),
    (
        "NM101 of 2310C",
        edit("NM1*77*2*CLINIC", "NM1*7X*2*CLINIC"),
        [("element-code", "2310C NM101", "IK403=7")],
    ),
    (
        "REF01 of 2010AA",
        edit("REF*EI*990001001", "REF*E1*990001001"),
        [("element-code", "2010AA REF01", "IK403=7")],
    ),
    ("DTP01 of 2400", edit("DTP*472*RD8", "DTP*473*RD8"), [("element-code", "2400 DTP01", "IK403=7")]),
    ("HI01-1", edit("HI*ABK:M5450*ABF", "HI*ABX:M5450*ABF"), [("element-code", "2300 HI01-1", "IK403=7")]),
    ("HL03", edit("HL*2*1*22*1", "HL*2*1*2Z*1"), [("element-code", "2000B HL03", "IK403=7")]),
    (
        "HL03 of another level",
        edit("HL*2*1*22*1", "HL*2*1*20*1"),
        [("element-code", "2000B HL03", "IK403=7")],
    ),
    ("SBR01", edit("SBR*P*18*GRP1", "SBR*X*18*GRP1"), [("element-code", "2000B SBR01", "IK403=7")]),
    # a segment id is written wrongly: it stands in for the segment that is expected
    ("Nd4", edit("N4*COLUMBUS*OH*432150001", "Nd4*COLUMBUS*OH*432150001"), [("segment", "2010AA", UNKNOWN)]),
    ("NM31", edit("NM1*IL*1*SAGE", "NM31*IL*1*SAGE"), [("segment", "2000B", UNKNOWN)]),
    ("no id", edit("PER*IC*CONTACT", "*IC*CONTACT"), [("segment", "1000A", UNKNOWN)]),
    ("LX misspelt", edit("LX*2~", "XL*2~"), [("segment-unexpected", "2440 XL", UNKNOWN)]),
    ("CLM misspelt", edit("CLM*RICH-2", "CLN*RICH-2"), [("segment-unexpected", "2010CA CLN", UNKNOWN)]),
    ("an empty segment", edit("HI*BG:01*BG:02~", "HI*BG:01*BG:02~*~"), [("segment", "2300", UNKNOWN)]),
    # a segment that is at home elsewhere
    ("of the standard", edit("LX*2~", "SV2*0420~LX*2~"), [("segment-unexpected", "2440 SV2", "IK304=I4")]),
    ("of another set", edit("LX*2~", "SVC*HC:1~LX*2~"), [("segment-unexpected", "2440 SVC", "IK304=6")]),
    ("of another loop", edit("LX*2~", "SBR*P~LX*2~"), [("segment-unexpected", "2440 SBR", "IK304=2")]),
    # order
    ("N4 before N3", swap("N3*100"), [("segment-order", "2010AA N3", ORDER)]),
    ("REF before N4", swap("N4*COLUMBUS*OH*432150001"), [("segment-order", "2010AA N4", ORDER)]),
    ("N3 before its NM1", swap("NM1*87"), [("segment-order", "2010AB N3", ORDER)]),
    ("PER after the receiver", swap("PER*IC*CONTACT"), [("segment-order", "1000A PER", ORDER)]),
    ("SV1 before its LX", swap("LX*2"), [("segment-order", "2400 SV1", ORDER)]),
    (
        "date after the next LX",
        edit("DTP*472*D8*20251115~\nSE*", f"LX*2~{DATE}~{SV1}~{DATE}~SE*"),
        [("segment-order", "2400 DTP", ORDER)],
    ),
    ("SBR before its HL", swap("HL*2"), [("segment-order", "2000B SBR", ORDER)]),
    ("HI before its CLM", swap("CLM*RICH-2"), [("segment-order", "2300 HI", ORDER)]),
    ("payer's REF after the CLM", swap("REF*G2*PROV77"), [("segment-unexpected", "2300 REF", "IK304=2")]),
    # repeats
    ("N3 twice", double("N3*100"), [("segment-repeat", "2010AA N3", REPEAT)]),
    ("HL twice", double("HL*2"), [("segment-repeat", "2000B HL", REPEAT)]),
    ("CLM twice", double("CLM*RICH-1"), [("segment-repeat", "2300 CLM", REPEAT)]),
    ("LX twice", double("LX*1"), [("segment-repeat", "2400 LX", REPEAT)]),
    ("SV1 twice", double("SV1*HC:97110"), [("segment-repeat", "2400 SV1", REPEAT)]),
    ("NM1*85 twice", double("NM1*85*2*ALDER"), [("segment-repeat", "2010AA NM1", REPEAT)]),
    # elements
    (
        "missing",
        edit("NM1*40*2*WILLOW PLAN", "NM1*40**WILLOW PLAN"),
        [("element-missing", "1000B NM102", "IK403=1")],
    ),
    (
        "missing composite",
        edit("11:B:1*Y*A*Y*Y*P", "*Y*A*Y*Y*P"),
        [("element-missing", "2300 CLM05", "IK403=1")],
    ),
    (
        "missing component",
        edit("11:B:1*Y*A*Y*Y~", "11::1*Y*A*Y*Y~"),
        [("element-missing", "2300 CLM05-2", "IK403=1")],
    ),
    ("not used", edit("HL*1**20*1", "HL*1*9*20*1"), [("element-not-used", "2000A HL02", "IK403=I10")]),
    ("too long", edit("REF*EA*MRN1", "REF*EA*" + "M" * 51), [("element-length", "2300 REF02", "IK403=5")]),
    ("too short", edit("N4*DAYTON", "N4*D"), [("element-length", "2010AC N401", "IK403=4")]),
    ("no number", edit("AMT*F5*20", "AMT*F5*2O"), [("element-type", "2300 AMT02", "IK403=6")]),
    ("exponent", edit("AMT*F5*20", "AMT*F5*2E1"), [("element-type", "2300 AMT02", "IK403=6")]),
    ("minus alone", edit("AMT*F5*20", "AMT*F5*-"), [("element-type", "2300 AMT02", "IK403=6")]),
    (
        "control character",
        edit("NTE*ADD*A NOTE", "NTE*ADD*A\tNOTE"),
        [("element-type", "2300 NTE02", "IK403=6")],
    ),
    ("blanks alone", edit("5*CODE*3", "5*  *3"), [("element-type", "2300 CN104", "IK403=6")]),
    (
        "pattern",
        edit("REF*SY*123456789~", "REF*SY*12345678X~"),
        [("element-type", "2010BA REF02", "IK403=I12")],
    ),
    ("code", edit("BHT*0019*00", "BHT*0019*01"), [("element-code", "header BHT02", "IK403=7")]),
    ("no such day", edit("D8*20251101", "D8*20250229"), [("element-date", "2300 DTP03", "IK403=8")]),
    (
        "half a period",
        edit("RD8*20251101-20251201", "RD8*20251101"),
        [("element-date", "2300 DTP03", "IK403=8")],
    ),
    (
        "period for a day",
        edit("DTP*439*D8*20251101", "DTP*439*D8*20251101-20251102"),
        [("element-date", "2300 DTP03", "IK403=8")],
    ),
    (
        "no such hour",
        edit("BHT*0019*00*BATCH1*20260105*1200", "BHT*0019*00*BATCH1*20260105*2400"),
        [("element-date", "header BHT05", "IK403=9")],
    ),
    (
        "paired",
        edit("PER*IC*CONTACT DESK*TE*5555550100*EX*12", "PER*IC*CONTACT DESK*TE*5555550100*EX"),
        [("relational", "1000A PER06", "IK403=2")],
    ),
    (
        "exclusion",
        edit("N4*DAYTON*OH*454010001", "N4*DAYTON*OH*454010001*CA***ON"),
        [("relational", "2010AC N407", "IK403=10")],
    ),
    (
        "too many elements",
        edit("DTP*439*D8*20251101", "DTP*439*D8*20251101*X"),
        [("element-extra", "2300 DTP04", "IK403=3")],
    ),
    (
        "too many components",
        edit("11:B:1*Y*A*Y*Y~", "11:B:1:2*Y*A*Y*Y~"),
        [("element-components", "2300 CLM05", "IK403=13")],
    ),
    (
        "composite where a simple element is",
        edit("REF*EA*MRN1", "REF*EA*MR:N1"),
        [("element-components", "2300 REF02", "IK403=13")],
    ),
    ("a repetition", edit("REF*EA*MRN1", "REF*EA*MR^N1"), [("element-components", "2300 REF02", "IK403=12")]),
    (
        "a separator doubled",
        edit("NM1*IL*1*SAGE*", "NM1*IL**1*SAGE*"),
        [("element-missing", "2010BA NM102", "IK403=1")],
    ),
    (
        "a component separator doubled",
        edit("HI*ABK:M5450*ABF", "HI*ABK::M5450*ABF"),
        [("element-missing", "2300 HI01-2", "IK403=1")],
    ),
    (
        "element separators for component separators",
        edit("HI*ABK:M5450*ABF:R262*", "HI*ABK*M5450*ABF*R262*"),
        [("element-missing", "2300 HI01-2", "IK403=1")],
    ),
    ("a trailing separator", edit("REF*EA*MRN1", "REF*EA*MRN1*"), [("element-padding", "2300 REF03", "")]),
    (
        "a trailing component separator",
        edit("SV1*HC:97110:GP*100*UN*1***1~", "SV1*HC:97110:GP:*100*UN*1***1~"),
        [("element-padding", "2400 SV101", "")],
    ),
    ("trailing blanks", edit("5*CODE*3", "5*CODE *3"), [("element-padding", "2300 CN104", "")]),
    (
        "a letter beyond ASCII",
        edit("NTE*ADD*A NOTE", "NTE*ADD*A NOTÉ"),
        [("element-character", "2300 NTE02", "IK403=6")],
    ),
    # two faults are two faults
    (
        "two causes",
        edit("NM1*40*2*WILLOW PLAN*****46", "NM1*40**WILLOW PLAN*****47"),
        [("element-missing", "1000B NM102", "IK403=1"), ("element-code", "1000B NM108", "IK403=7")],
    ),
    # hierarchy
    ("HL01", edit("HL*2*1*22*1", "HL*7*1*22*1"), [("hierarchy", "2000B HL01", "IK403=7")]),
    ("HL02", edit("HL*3*2*23*0", "HL*3*9*23*0"), [("hierarchy", "2000C HL02", "IK403=7")]),
    ("HL04", edit("HL*2*1*22*1", "HL*2*1*22*0"), [("hierarchy", "2000B HL04", "IK403=7")]),
    ("LX01", edit("LX*2~", "LX*3~"), [("line-number", "2400 LX01", "IK403=7")]),
]


@pytest.mark.parametrize(
    ("segments", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_one_cause_is_one_fault(segments: list[str], expected: list[tuple[str, str, str]]) -> None:
    assert told(segments) == expected


ADDRESS = ("N3*1 SIDE STREET", "N4*COLUMBUS*OH*432150001", "PER*IC*DESK*TE*5555550100")


def insert(start: str, *more: str, nth: int = 1) -> list[str]:
    """More segments behind the one that starts so."""
    segments = rich_segments()
    where = at(segments, start, nth) + 1
    segments[where:where] = more
    return segments


@pytest.mark.parametrize("more", [ADDRESS[:1], ADDRESS[:2], ADDRESS[1:2], ADDRESS[2:], ADDRESS])
@pytest.mark.parametrize(
    ("name", "nth"),
    [("NM1*DN*1*FIR", 1), ("NM1*P3", 1), ("NM1*82", 1), ("NM1*DQ", 1), ("NM1*82", 3)],
)
def test_an_address_or_contact_in_a_loop_that_takes_none(name: str, nth: int, more: tuple[str, ...]) -> None:
    assert [(kind, answer) for kind, _, answer in told(insert(name, *more, nth=nth))] == [
        ("segment-unexpected", "IK304=2") for _ in more
    ]


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (insert("REF*G2*OPR1", "NM1*DN*1"), ("segment-missing", "2330C REF", MISSING)),
        (insert("NM1*DN*1", "NM1*DN*1", nth=2), ("segment-missing", "2330C REF", MISSING)),
        (insert("REF*G2*OPR1", "NM1*P3*1"), ("segment-missing", "2330C REF", MISSING)),
        (
            change("NM1*41*2*BROOK BILLING", "NM1*41*2*BROOK BILLING*******46*BRK001"),
            ("element-missing", "1000A NM108", "IK403=1"),
        ),
        (
            change("NM1*41*2*BROOK BILLING", "NM1*41*2*BROOK BILLING***46*BRK001"),
            ("element-not-used", "1000A NM106", "IK403=I10"),
        ),
    ],
)
def test_a_repeated_or_shifted_name_is_one_cause(segments: list[str], expected: tuple[str, str, str]) -> None:
    assert told(segments) == [expected]


@pytest.mark.parametrize(
    ("code", "name"), [("AA", "Line Supplemental Information"), ("AB", "Durable Medical Equipment")]
)
def test_of_two_nodes_with_one_code_the_one_that_fits_is_out_of_order(code: str, name: str) -> None:
    segments = insert("REF*9B*RP1", f"PWK*CT*{code}")
    [(_, fault)] = walk(join(segments))
    assert fault.kind == "segment-order" and fault.name.startswith(name)


def test_the_position_is_where_the_missing_segment_should_stand() -> None:
    segments = delete("PER*IC*CONTACT")
    (where, fault), *_ = walk(join(segments))
    assert segments[where - 1].startswith("NM1*40")
    assert fault.position == where - 2  # ISA and GS do not count


def test_an_element_fault_says_number_name_and_what_is_asked() -> None:
    ((_, fault),) = walk(join(edit("BHT*0019*00", "BHT*0019*01")))
    assert (fault.element, fault.data_element, fault.answers) == ("BHT02", "353", ("IK304=8", "IK403=7"))
    assert (fault.expected, fault.found, fault.name) == (
        "one of 00, 18",
        "01",
        "Transaction Set Purpose Code",
    )


PRIVATE = (
    "SAGE",
    "NORA",
    "WHP1000001",
    "19800101",
    "ORCHARD",
    "432150012",
    "123456789",
    "5555550103",
    "LILA",
)


@pytest.mark.long
def test_no_fault_repeats_what_may_be_of_a_person() -> None:
    chance = random.Random(7)
    texts = [mutation.text for mutation in mutate([RICH], 400, 7)]
    for _ in range(200):
        # values that slip into the place of another
        segments = rich_segments()
        where = chance.randrange(2, len(segments) - 2)
        elements = segments[where].split("*")
        elements.insert(chance.randrange(1, len(elements) + 1), chance.choice((*PRIVATE, "DOE", "F")))
        segments[where] = "*".join(elements)
        texts.append(join(segments))
    seen = 0
    for text in texts:
        for _, fault in walk(text):
            seen += 1
            assert not any(value in f"{fault.expected} {fault.found}" for value in (*PRIVATE, "DOE")), fault
            assert not (
                fault.data_element in ("1068", "116", "156", "26")
                and fault.kind == "element-code"
                and fault.found
            )
    assert seen > 400


def test_a_loop_is_reported_once_however_often_it_is_too_many() -> None:
    segments = rich_segments()
    where = at(segments, "LX*2")
    line = segments[where : where + 3]
    more = [[f"LX*{number}", *line[1:]] for number in range(3, 60)]
    segments[where + 3 : where + 3] = [segment for each in more for segment in each]
    assert told(segments) == [("loop-repeat", "2400 LX", "IK304=4")]


def test_the_hundred_and_first_claim_of_a_patient() -> None:
    segments = rich_segments()
    where = at(segments, "CLM*RICH-2")
    segments[where:-3] = [part for _ in range(102) for part in segments[where:-3]]
    ((_, fault),) = walk(join(segments))
    assert (fault.kind, fault.loop, fault.expected) == ("loop-repeat", "2300", "at most 100 for one patient")


HEADER = rich_segments()[:7]
TRAILER = rich_segments()[-3:]
LEVELS = rich_segments()


@pytest.mark.parametrize(
    ("middle", "expected"),
    [
        ([], [("loop-missing", "2000A HL", MISSING)]),
        (LEVELS[7:24], [("loop-missing", "2000B HL", MISSING)]),
        (
            [
                *LEVELS[7:24],
                "HL*2*1*22*0",
                "SBR*P*18*******CI",
                "NM1*IL*1*SAGE*NORA****MI*W1",
                "NM1*PR*2*P*****PI*1X",
            ],
            [("loop-missing", "2300 CLM", MISSING)],
        ),
        (
            [
                *LEVELS[7:24],
                "HL*2*1*22*1",
                "SBR*P*********CI"[:-1],
                "NM1*IL*1*SAGE*NORA****MI*W1",
                "NM1*PR*2*P*****PI*1X",
            ],
            None,
        ),
    ],
    ids=["nothing", "provider alone", "subscriber without claim", "promised patient"],
)
def test_a_level_that_must_follow(middle: list[str], expected: list[tuple[str, str, str]] | None) -> None:
    found = told([*HEADER, *middle, *TRAILER])
    if expected is None:
        assert ("hierarchy", "2000B HL04", "IK403=7") in found
    else:
        assert found == expected


def test_numbers_after_a_lost_level_are_not_counted_twice() -> None:
    # HL*2 is lost with all it holds: one gap, one fault at most for the number, one for the parent
    segments = rich_segments()
    del segments[at(segments, "HL*2") : at(segments, "HL*3")]
    kinds = [kind for kind, _, _ in told(segments)]
    assert kinds == ["loop-missing"]


def test_pwk_ct_fits_either_node() -> None:
    for code in ("AD", "AA", "FX"):
        assert told(edit("PWK*CT*AA", f"PWK*CT*{code}")) == []
    assert [kind for kind, *_ in told(edit("PWK*CT*AA", "PWK*CT*Q9"))] == ["element-code"]


@pytest.mark.parametrize("order", [("NM1*82*1", "NM1*DQ*1"), ("NM1*85*2~", "NM1*DN*1~")])
def test_loops_of_one_x12_loop_stand_in_any_order(order: tuple[str, str]) -> None:
    segments = rich_segments()
    first = at(segments, order[0].rstrip("~"), 2 if order[0] == "NM1*82*1" else 1)
    if order[0] == "NM1*85*2~":
        first = at(segments, "NM1*85*2", 2)
        second = at(segments, "NM1*DN*1", 2)
    else:
        second = at(segments, order[1], 2)
    segments[first : first + 2], segments[second : second + 2] = (
        segments[second : second + 2],
        segments[first : first + 2],
    )
    assert told(segments) == []


def test_delimiters_are_those_of_the_interchange() -> None:
    text = RICH.strip().replace(":", "\x1f").replace("*", "|").replace("~\n", "\x1e")
    assert walk(text) == []


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ("1", True),
        ("-1.5", True),
        (".5", True),
        ("1.", True),
        ("+1", False),
        ("1,5", False),
        ("1.5.2", False),
        ("1E2", False),
        (".", False),
        ("--1", False),
    ],
)
def test_decimal_numbers(value: str, good: bool) -> None:
    assert (told(edit("AMT*F5*20", f"AMT*F5*{value}")) == []) is good


# ---- against pyx12

DIFFERENCES = list(csv.DictReader((HERE / "pyx12_differences.csv").read_text(encoding="utf-8").splitlines()))


def side_of(complaints: list[Complaint], found: list[tuple[int, Fault]]) -> str:
    """Who notes something, "" where both note nothing or something in the same segment."""
    theirs = {complaint.ordinal for complaint in complaints}
    ours = {where for where, _ in found}
    # a padding has no answer: enough where pyx12 complains, and nothing where it does not
    if not theirs:
        return "only we" if any(fault.answers for _, fault in found) else ""
    if not ours:
        return "only pyx12"
    return "" if theirs & ours else "elsewhere"


def explain(
    row: dict[str, str], side: str, complaints: list[Complaint], found: list[tuple[int, Fault]], text: str
) -> bool:
    """Whether a row of the list of differences answers for this one, all that is said included."""
    if row["side"] != side:
        return False
    segments = [segment.lstrip() for segment in text.split("~")]
    said = [f"{complaint.level} {complaint.code} {complaint.element}" for complaint in complaints]
    if row["pyx12"] and not all(re.search(row["pyx12"], one) for one in said):
        return False
    if row["ours"] and not all(fault.kind == row["ours"] for _, fault in found):
        return False
    touched = (
        [complaint.ordinal for complaint in complaints]
        if side == "only pyx12"
        else [where for where, _ in found]
    )
    return all(re.search(row["where"], segments[where - 1]) for where in touched)


@pytest.mark.parametrize("row", DIFFERENCES, ids=[row["name"] for row in DIFFERENCES])
def test_each_difference_from_pyx12_is_really_one(row: dict[str, str]) -> None:
    flat = RICH.replace("\n", "")
    assert flat.count(row["find"]) == 1
    text = join([part for part in flat.replace(row["find"], row["replace"]).split("~") if part])
    complaints, found = ask(text), walk(text)
    side = side_of(complaints, found)
    assert side == row["side"]
    assert explain(row, side, complaints, found, text)
    assert row["reason"]


def usual_texts() -> list[str]:
    texts = [path.read_text(encoding="utf-8").replace("\n", "").replace("\r", "") for path in clean_samples()]
    usual = [
        text for text in texts if text[103:106] == "*:~" and text.count("ISA*") == text.count("ST*837") == 1
    ]
    return [*usual, RICH.replace("\n", "")]


def test_the_usual_texts_are_clean_to_both() -> None:
    for text in usual_texts():
        assert (ask(text), walk(text)) == ([], [])


def differ(mutations: Iterator[Mutation]) -> tuple[int, list[str]]:
    agreed = 0
    unexplained = []
    for mutation in mutations:
        complaints, found = ask(mutation.text), walk(mutation.text)
        side = side_of(complaints, found)
        if not side:
            agreed += 1
        elif not any(explain(row, side, complaints, found, mutation.text) for row in DIFFERENCES):
            segment = mutation.text.split("~\n")[mutation.at - 1]
            unexplained.append(
                f"{side}: {mutation.what} {mutation.at} {segment!r}: {complaints[:3]} {found[:3]}"
            )
    return agreed, unexplained


@pytest.mark.long
def test_mutations_are_judged_as_pyx12_judges_them() -> None:
    """More of them: EDI_CHECKER_ALL_DAMAGE=1."""
    count = 2000 if os.environ.get("EDI_CHECKER_ALL_DAMAGE") else 500
    agreed, unexplained = differ(mutate(usual_texts(), count, 20261121))
    assert unexplained == []
    assert agreed > 0.85 * count


@pytest.mark.long
def test_one_mutation_is_hardly_ever_more_than_one_fault() -> None:
    several = []
    total = 0
    for mutation in mutate(usual_texts(), 3000, 41):
        hard = [fault for _, fault in walk(mutation.text) if fault.answers]
        total += bool(hard)
        if len(hard) > 1:
            several.append(
                (mutation.what, mutation.at, [(fault.kind, fault.loop, fault.segment) for fault in hard])
            )
    assert total > 2000
    assert len(several) <= total // 100, several
    assert all(len(faults) <= 3 for _, _, faults in several), several


# ---- published files


def published() -> list[tuple[str, str]]:
    if not (CORPUS / "EXPECTED.csv").exists():
        return []
    with (CORPUS / "EXPECTED.csv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["file"].startswith("837p/")]
    return [(row["file"], row["valid"]) for row in rows]


@pytest.mark.skipif(not published(), reason="the published files are not here")
@pytest.mark.parametrize("file", [file for file, valid in published() if valid == "published as valid"])
def test_files_published_as_valid_have_no_fault(file: str) -> None:
    assert walk((CORPUS / file).read_bytes()) == []


# What the publisher says is wrong, and nothing else in that place. Elsewhere the files of one publisher
# share faults of their own (HI, HL and LX of the second subscriber).
FAULTY = {
    "bad_segment_identifier": [(6, "segment", "1000A"), (11, "segment", "2010AA"), (20, "segment", "2000B")],
    "exceeds_max_1_parent": [(15, "loop-repeat", "2010AA")],
    "loop_errors3_missing_loops": [(12, "loop-missing", "2010AA")],
    "missing_elements": [(7, "element-missing", "1000B"), (31, "element-missing", "2300")],
    "segments_out_of_order": [(12, "segment-order", "2010AA"), (17, "segment-order", "2010AB")],
    "demo.cob.example3": [(44, "loop-missing", "2330B")],
    "demo.ambulance.example5": [(23, "element-missing", "2300")],
}


@pytest.mark.skipif(not published(), reason="the published files are not here")
@pytest.mark.parametrize("name", FAULTY)
def test_files_published_as_faulty_have_the_fault_named(name: str) -> None:
    (file,) = [CORPUS / file for file, _ in published() if name in file]
    found = [(where, fault.kind, fault.loop) for where, fault in walk(file.read_bytes())]
    own = [entry for entry in found if entry in FAULTY[name]]
    assert own == FAULTY[name]
    known = {"hierarchy", "line-number"}
    rest = [(kind, loop) for where, kind, loop in found if (where, kind, loop) not in FAULTY[name]]
    assert all(kind in known or (kind, loop) == ("element-missing", "2300") for kind, loop in rest)


@pytest.mark.long
@pytest.mark.skipif(not published(), reason="the published files are not here")
def test_eight_hundred_claims_with_the_same_slip() -> None:
    (file,) = [CORPUS / file for file, _ in published() if "many_claims" in file]
    found = walk(file.read_bytes())
    slips = [fault for _, fault in found if fault.segment == "HI"]
    assert len(slips) == 820
    assert len(found) < 4000


# ---- anything at all


def garble(chance: random.Random, segment: str) -> str:
    letters = list(segment)
    for _ in range(chance.randint(0, 4)):
        if letters:
            letters[chance.randrange(len(letters))] = chance.choice("*:^\x00é \nA9-.")
    return "".join(letters).replace("~", "")


@pytest.mark.long
def test_no_input_breaks_the_walker() -> None:
    chance = random.Random(5)
    pool = [*rich_segments()[2:-2], "", "*", "ZZ", "HL*", "CLM*", "LX", "REF*:^", "é*1"]
    for _ in range(800):
        current = Walker(load_guide(), USUAL)
        blocks = []
        position = 1
        for _ in range(chance.randint(1, 8)):
            kind = chance.choice(("ST", "HL", "CLM", "SE"))
            first = chance.choice([segment for segment in pool if segment.startswith(f"{kind}*")])
            rest = [garble(chance, chance.choice(pool)) for _ in range(chance.randint(0, 12))]
            text = "~".join([first, *rest])
            blocks.append(Block(kind, text, position, position, USUAL))
            position += len(rest) + 1
        for number, block in enumerate(blocks):
            walked = current.walk(block, blocks[number + 1] if number + 1 < len(blocks) else None)
            assert [fault.position for fault in walked.faults] == sorted(
                fault.position for fault in walked.faults
            )
            assert all(fault.kind and fault.position >= 0 for fault in walked.faults)


@pytest.mark.long
@pytest.mark.parametrize(
    "tail",
    [
        "N3*x~" * 200_000,
        "LX*1~LX*2~" * 100_000,
        "XX*1~" * 200_000,
        "~" * 1_000_000,
        "HI*ABK" + ":" * 1_000_000,
        "NM1*XX~N3*A~" * 90_000,
    ],
    ids=["members", "lines", "unknown", "empty", "components", "names"],
)
def test_a_monstrous_claim_costs_little(tail: str) -> None:
    start = time.perf_counter()
    walked = Walker(load_guide(), USUAL).walk(
        Block("CLM", f"CLM*1*2***11:B:1*Y*A*Y*Y~{tail}", 1, 1, USUAL), None
    )
    assert 0 < len(walked.faults) <= walker.BLOCK_FAULTS
    assert time.perf_counter() - start < 10  # seconds where it takes tenths: a bound on growth, not on speed


def test_blocks_outside_of_a_transaction_are_left_alone() -> None:
    current = Walker(load_guide(), USUAL)
    for kind in ("ISA", "GS", "GE", "IEA", "TA1", "?"):
        assert current.walk(Block(kind, f"{kind}*1", 0, 1, USUAL), None) == walker.Walked("", ())


def test_levels() -> None:
    blocks = [block for block in read_blocks(io.BytesIO(RICH.encode())) if block.position]
    current = Walker(load_guide(), USUAL)
    levels = [current.walk(block, None).level for block in blocks]
    assert levels == ["header", "2000A", "2000B", "2300", "2000C", "2300", "trailer"]
