"""Makes claim files with one seeded defect each, over all SNIP types, and says what must be found where."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import edi_checker
import pyx12_oracle
from edi_checker.check.checker import Checker
from edi_checker.check.examples import edit_segments
from edi_checker.x12.finding import Finding
from generate_claims import npi

Edit = Mapping[str, Any]

# A clean file of every kind of claim: all defects are seeded into it, so that each has much to disturb.
BASE = f"""\
ISA*00*          *00*          *ZZ*BROOKBILLING   *ZZ*MAPLEHEALTH    *261015*0930*^*00501*000000001*0*T*:
GS*HC*BROOKBILLING*MAPLEHEALTH*20261015*0930*1*X*005010X222A1
ST*837*0001*005010X222A1
BHT*0019*00*BATCH000001*20261015*0930*CH
NM1*41*2*BROOK BILLING*****46*BRK001
PER*IC*CONTACT DESK*TE*6145550100
NM1*40*2*MAPLE HEALTH*****46*99001
HL*1**20*1
PRV*BI*PXC*261QR0400X
NM1*85*2*ALDER CLINIC*****XX*{npi(20_000_001)}
N3*1 CANAL STREET
N4*COLUMBUS*OH*432150001
REF*EI*990000001
PER*IC*FRONT DESK*TE*6145550101
NM1*87*2
N3*2 CANAL STREET
N4*COLUMBUS*OH*432150002
HL*2*1*22*0
SBR*P*18*******MB
NM1*IL*1*ASPEN*IRIS****MI*1AC0AA0AA01
N3*7 MILL ROAD
N4*COLUMBUS*OH*432150011
DMG*D8*19500203*F
NM1*PR*2*MAPLE MEDICARE*****PI*99001
CLM*THERAPY1*184***11:B:1*Y*A*Y*Y
HI*ABK:M6281*ABF:R262
NM1*DN*1*FIR*MORGAN****XX*{npi(30_000_001)}
NM1*82*1*ROWAN*TOM****XX*{npi(10_000_001)}
PRV*PE*PXC*225100000X
LX*1
SV1*HC:97530:59:GP*84*UN*2***1:2
DTP*472*D8*20260603
REF*6R*T1-1
LX*2
SV1*HC:97110:GP*64*UN*2***1
DTP*472*D8*20260603
REF*6R*T1-2
LX*3
SV1*HC:97116:GP*36*UN*1***2
DTP*472*D8*20260605
REF*6R*T1-3
CLM*THERAPY2*84***11:B:1*Y*A*Y*Y
REF*D9*CLEARING1
REF*EA*CHART77
NTE*ADD*SEEN AT HOME BEFORE
HI*ABK:M6281
NM1*DN*1*FIR*MORGAN****XX*{npi(30_000_001)}
NM1*82*1*ROWAN*TOM****XX*{npi(10_000_001)}
PRV*PE*PXC*225100000X
NM1*77*2*ELM HALL*****XX*{npi(20_000_002)}
N3*3 ORCHARD LANE
N4*COLUMBUS*OH*432150003
LX*1
SV1*HC:97530:GP*84*UN*2***1
DTP*472*D8*20260610
REF*6R*T2-1
NTE*ADD*TIME 30
HL*3*1*22*0
SBR*S*18***12****MB
NM1*IL*1*HAZEL*TOM****MI*1AC0AA0AA02
N3*8 MILL ROAD
N4*COLUMBUS*OH*432150012
DMG*D8*19480711*M
NM1*PR*2*MAPLE MEDICARE*****PI*99001
CLM*SECOND1*148***11:B:1*Y*A*Y*Y
HI*ABK:M6281
NM1*DN*1*FIR*MORGAN****XX*{npi(30_000_001)}
NM1*82*1*ROWAN*TOM****XX*{npi(10_000_001)}
PRV*PE*PXC*225100000X
SBR*P*18*G00001******CI
AMT*D*110
OI***Y***Y
NM1*IL*1*HAZEL*TOM****MI*W00000002
N3*8 MILL ROAD
N4*COLUMBUS*OH*432150012
NM1*PR*2*WILLOW HEALTH PLAN*****PI*99002
LX*1
SV1*HC:97530:59:GP*84*UN*2***1
DTP*472*D8*20260602
REF*6R*S1-1
SVD*99002*60*HC:97530:59:GP**2
CAS*CO*45*14
CAS*PR*2*10
DTP*573*D8*20260620
LX*2
SV1*HC:97110:GP*64*UN*2***1
DTP*472*D8*20260602
REF*6R*S1-2
SVD*99002*50*HC:97110:GP**2
CAS*CO*45*4
CAS*PR*2*10
DTP*573*D8*20260620
HL*4*1*22*1
SBR*P********CI
NM1*IL*1*LINDEN*MAE****MI*M00000003
NM1*PR*2*YEW MUTUAL*****PI*99003
HL*5*4*23*0
PAT*19
NM1*QC*1*LINDEN*KIT
N3*9 MILL ROAD
N4*COLUMBUS*OH*432150013
DMG*D8*20120513*M
CLM*VISIT1*112***11:B:1*Y*A*Y*Y**AA:::OH
DTP*439*D8*20260609
REF*X4*36D0000001
HI*ABK:S8001XA*ABF:W010XXA
NM1*82*1*LARCH*ADA****XX*{npi(10_000_002)}
PRV*PE*PXC*207Q00000X
LX*1
SV1*HC:99213:25*92*UN*1***1:2
DTP*472*D8*20260610
REF*6R*V1-1
LX*2
SV1*HC:81003*20*UN*1***1
DTP*472*D8*20260610
REF*6R*V1-2
HL*6*1*22*0
SBR*P*18*******CI
NM1*IL*1*POPLAR*EVE****MI*M00000004
N3*10 MILL ROAD
N4*COLUMBUS*OH*432150014
DMG*D8*19700822*F
NM1*PR*2*YEW MUTUAL*****PI*99003
CLM*RIDE1*620***41:B:1*Y*A*Y*Y
CR1*LB*150**A*DH*12
CRC*07*Y*01
HI*ABK:R531
NM1*PW*2
N3*11 MILL ROAD
N4*COLUMBUS*OH*432150015
NM1*45*2*OAK HOSPITAL
N3*12 WHARF ROW
N4*COLUMBUS*OH*432150016
LX*1
SV1*HC:A0428:RH*500*UN*1***1
DTP*472*D8*20260611
REF*6R*R1-1
LX*2
SV1*HC:A0425:RH*120*UN*12***1
DTP*472*D8*20260611
REF*6R*R1-2
CLM*DRUG1*75***11:B:1*Y*A*Y*Y
HI*ABK:M1711
NM1*82*1*LARCH*ADA****XX*{npi(10_000_002)}
PRV*PE*PXC*207Q00000X
LX*1
SV1*HC:J1885*45*UN*2***1
DTP*472*D8*20260612
REF*6R*D1-1
LIN**N4*00409379601
CTP****1*ML
LX*2
SV1*HC:96372*30*UN*1***1
DTP*472*D8*20260612
REF*6R*D1-2
CLM*SLEEP1*900***22:B:1*Y*A*Y*Y
HI*ABK:M1711
NM1*82*1*SORREL*GIL****XX*{npi(10_000_003)}
PRV*PE*PXC*207L00000X
NM1*77*2*OAK HOSPITAL*****XX*{npi(20_000_003)}
N3*12 WHARF ROW
N4*COLUMBUS*OH*432150016
LX*1
SV1*HC:01402:AA*900*MJ*90***1
DTP*472*D8*20260615
REF*6R*N1-1
CLM*CHAIR1*110***12:B:1*Y*A*Y*Y
HI*ABK:M6281
LX*1
SV1*HC:E0143:NU*110*UN*1***1
DTP*472*D8*20260616
REF*6R*C1-1
NM1*DK*1*FIR*MORGAN****XX*{npi(30_000_001)}
SE*0*0001
GE*1*1
IEA*1*000000001"""
SEGMENTS = tuple(BASE.split("\n"))


@dataclass(frozen=True, slots=True)
class Defect:
    """One change of the base file, and the one finding that must come of it.

    edits      as edi_checker.check.examples.edit_segments takes them
    loop, ref  where it is found: element (`SV101-3`) or segment (`N3`)
    position   of the segment in ST..SE, counted in the changed file; 0 in the envelope
    """

    name: str
    snip: int
    rule: str
    severity: str
    loop: str
    ref: str
    position: int
    edits: tuple[Edit, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a defect.

    found    a finding of the rule with the severity and SNIP type that it must have
    placed   that finding stands at the loop, segment, position and element of the defect
    others   other errors and warnings, as `rule at element`: the cascade
    """

    defect: Defect
    found: bool
    placed: bool
    others: tuple[str, ...]


def put(find: str, elements: dict[str, str], after: str = "") -> Edit:
    return _edit(find, after, set=elements)


def cut(find: str, after: str = "") -> Edit:
    return _edit(find, after, delete="true")


def swap(find: str, after: str = "") -> Edit:
    return _edit(find, after, swap="true")


def add(find: str, text: str, after: str = "") -> Edit:
    """The text behind the segment."""
    return _edit(find, after, append=text)


def before(find: str, text: str, after: str = "") -> Edit:
    return _edit(find, after, insert=text)


def twice(find: str, after: str = "") -> Edit:
    return _edit(find, after, repeat="2")


def change(find: str, text: str, after: str = "") -> Edit:
    return _edit(find, after, replace=text)


def _edit(find: str, after: str, **what: Any) -> Edit:
    return {"find": find, **({"after": after} if after else {}), **what}


_ELEMENT = re.compile(r"([A-Z][A-Z0-9]{1,2}?)([0-9]{2}(?:-[0-9]+)?)")


def seed(
    name: str,
    snip: int,
    rule: str,
    place: str,
    *edits: Edit,
    shift: int = 0,
    at: tuple[str, str] | None = None,
    severity: str = "error",
    padded: bool = False,
) -> Defect:
    """A defect; `place` as `2400 SV101-3`. It stands where the first edit is, `shift` segments on, or at the
    segment `at` (find, after) of the changed file.
    """
    loop, _, ref = place.partition(" ")
    # An element that was emptied at the end leaves no separator behind.
    bare = [
        text.rstrip("*") if text.endswith("*") and not padded else text
        for text in edit_segments(SEGMENTS, edits)
    ]
    changed = recount(bare)
    segment = _segment_of(ref)
    find, after = at or (edits[0]["find"], edits[0].get("after", ""))
    if segment in ("ISA", "GS", "GE", "IEA"):
        position = 0
    else:
        where = _index(changed if at else list(SEGMENTS), find, after) + shift
        position = where - _index(changed, "ST*", "") + 1
    text = "".join(segment + "~\n" for segment in changed)
    return Defect(name, snip, rule, severity, loop, ref, position, edits, text)


def _segment_of(ref: str) -> str:
    found = _ELEMENT.fullmatch(ref)
    return found.group(1) if found else ref


def _index(segments: Iterable[str], find: str, after: str) -> int:
    texts = list(segments)
    start = next(i for i, text in enumerate(texts) if text.startswith(after)) + 1 if after else 0
    return next(i for i in range(start, len(texts)) if texts[i].startswith(find))


def recount(segments: list[str]) -> list[str]:
    """SE01 made right, where the edits left it alone."""
    out = []
    begin = 0
    for at, text in enumerate(segments):
        begin = at if text.startswith("ST*") else begin
        out.append(f"SE*{at - begin + 1}*0001" if text == "SE*0*0001" else text)
    return out


def base_text() -> str:
    return "".join(segment + "~\n" for segment in recount(list(SEGMENTS)))


def run(checker: Checker, defect: Defect) -> Result:
    """Check the defect's file; infos are left out of account."""
    checker.engine.begin()
    findings = [
        finding for checked in checker.check(io.BytesIO(defect.text.encode())) for finding in checked.findings
    ]
    own = [finding for finding in findings if _is_of(finding, defect)]
    placed = [finding for finding in own if _stands(finding, defect)]
    kept = (placed or own or [None])[0]
    others = tuple(
        f"{finding.rule} at {finding.where.loop} {finding.where.element or finding.where.segment}"
        for finding in findings
        if finding is not kept and (finding.severity != "info" or finding.rule == defect.rule)
    )
    return Result(defect, bool(own), bool(placed), others)


def _is_of(finding: Finding, defect: Defect) -> bool:
    return (finding.rule, finding.severity, finding.snip) == (defect.rule, defect.severity, defect.snip)


def _stands(finding: Finding, defect: Defect) -> bool:
    where = finding.where
    segment = _segment_of(defect.ref)
    return (where.loop, where.segment, where.position, where.element or segment) == (
        defect.loop,
        segment if segment != "-" else "",
        defect.position,
        defect.ref,
    )


PERSON = "NM1*IL*1*ASPEN"
RENDERING = "NM1*82"
VISIT = "CLM*VISIT1"
SECOND = "CLM*SECOND1"
T2 = "CLM*THERAPY2"
RIDE = "CLM*RIDE1"
DRUG = "CLM*DRUG1"
SLEEP = "CLM*SLEEP1"
CHAIR = "CLM*CHAIR1"


def defects() -> list[Defect]:
    """Every seeded defect, in order of SNIP type."""
    return [*_envelope(), *_syntax(), *_guide(), *_balance(), *_situation(), *_codes(), *_coding(), *_payer()]


def _envelope() -> list[Defect]:
    isa = SEGMENTS[0]
    return [
        seed(
            "text behind the file",
            1,
            "x12.stray-text",
            "IEA IEA",
            add("IEA*", "END OF FILE"),
            severity="warning",
        ),
        seed(
            "blanks before a segment",
            1,
            "x12.layout",
            "IEA IEA",
            change("HL*6", "  HL*6*1*22*0"),
            at=("IEA*", ""),
            severity="warning",
        ),
        seed("SE01 counts wrong", 1, "x12.count", "SE SE01", put("SE*", {"1": "9"})),
        seed("GE01 counts wrong", 1, "x12.count", "GE GE01", put("GE*", {"1": "2"})),
        seed("IEA01 counts wrong", 1, "x12.count", "IEA IEA01", put("IEA*", {"1": "3"})),
        seed(
            "SE02 is not ST02", 1, "x12.control-number", "SE SE02", put("ST*", {"2": "0002"}), at=("SE*", "")
        ),
        seed("GE02 is not GS06", 1, "x12.control-number", "GE GE02", put("GE*", {"2": "2"})),
        seed("IEA02 is not ISA13", 1, "x12.control-number", "IEA IEA02", put("IEA*", {"2": "000000002"})),
        seed("no SE", 1, "x12.envelope", "SE SE", cut("SE*")),
        seed("no GE", 1, "x12.envelope", "GE GE", cut("GE*")),
        seed("no IEA", 1, "x12.truncated", "IEA IEA", cut("IEA*")),
        seed("no GS", 1, "x12.envelope", "GS GS", cut("GS*")),
        seed(
            "cut within a claim",
            1,
            "x12.truncated",
            "IEA IEA",
            cut("IEA*"),
            cut("GE*"),
            cut("SE*"),
            cut("NM1*DK"),
        ),
        seed("ISA01 unknown", 1, "x12.envelope", "ISA ISA01", put("ISA*", {"1": "07"})),
        seed("ISA05 unknown", 1, "x12.envelope", "ISA ISA05", put("ISA*", {"5": "XX"})),
        seed("ISA06 blank", 1, "x12.envelope", "ISA ISA06", put("ISA*", {"6": " " * 15})),
        seed("ISA08 short", 1, "x12.envelope", "ISA ISA08", put("ISA*", {"8": "MAPLEHEALTH"})),
        seed("ISA09 no date", 1, "x12.envelope", "ISA ISA09", put("ISA*", {"9": "261315"})),
        seed("ISA10 no time", 1, "x12.envelope", "ISA ISA10", put("ISA*", {"10": "2530"})),
        seed("ISA12 other version", 1, "x12.envelope", "ISA ISA12", put("ISA*", {"12": "00401"})),
        seed("ISA14 unknown", 1, "x12.envelope", "ISA ISA14", put("ISA*", {"14": "2"})),
        seed("ISA15 unknown", 1, "x12.envelope", "ISA ISA15", put("ISA*", {"15": "Q"})),
        seed("ISA11 is the component separator", 1, "x12.delimiter", "ISA ISA11", put("ISA*", {"11": ":"})),
        seed(
            "ISA16 is not what the claims use",
            1,
            "x12.delimiter",
            "ISA ISA16",
            change("ISA*", isa[:-1] + ">"),
        ),
        seed("a blank behind ISA16", 1, "x12.delimiter", "ISA ISA16", change("ISA*", f"{isa} ")),
        seed("GS01 of another set", 1, "x12.envelope", "GS GS01", put("GS*", {"1": "HP"})),
        seed("GS04 no date", 1, "x12.envelope", "GS GS04", put("GS*", {"4": "20261315"})),
        seed("GS08 is 4010", 1, "x12.version", "GS GS08", put("GS*", {"8": "004010X098A1"})),
        seed(
            "GS08 without addenda",
            1,
            "x12.version",
            "GS GS08",
            put("GS*", {"8": "005010X222"}),
            severity="warning",
        ),
        seed("ST01 of another set", 1, "x12.version", "ST ST01", put("ST*", {"1": "835"})),
        seed(
            "ST03 of the institutional guide", 1, "x12.version", "ST ST03", put("ST*", {"3": "005010X223A2"})
        ),
        seed(
            "an interchange twice", 1, "duplicate.interchange", "ISA ISA13", add("IEA*", "~".join(SEGMENTS))
        ),
    ]


def _syntax() -> list[Defect]:
    code = "guide.element-code"
    return [
        seed(
            "a segment without an id",
            1,
            "x12.segment",
            "1000A -",
            change("PER*IC*CONTACT", "*IC*CONTACT*TE*6145550100"),
        ),
        seed(
            "an id in small letters", 1, "x12.segment", "2010AA -", change("N4*", "n4*COLUMBUS*OH*432150001")
        ),
        seed(
            "a segment of no guide",
            1,
            "guide.segment-unexpected",
            "2010AA ZZ9",
            add("REF*EI", "ZZ9*1"),
            shift=1,
        ),
        seed(
            "a segment of another set", 1, "guide.segment-unexpected", "2300 CL1", before("HI*", "CL1*1*7*30")
        ),
        seed(
            "a segment of another loop", 1, "guide.segment-unexpected", "2300 PS1", before("HI*", "PS1*X*10")
        ),
        seed("an unknown qualifier of REF", 2, code, "2300 REF01", put("REF*D9", {"1": "ZZ"})),
        seed("N4 before N3", 1, "guide.segment-order", "2010AA N3", swap("N3*1 CANAL"), shift=1),
        seed("DTP before SV1", 1, "guide.segment-order", "2400 SV1", swap("SV1*"), shift=1),
        seed("HI behind the provider", 1, "guide.segment-order", "2300 HI", swap("HI*"), shift=1),
        seed("REF before DTP in a line", 1, "guide.segment-order", "2400 DTP", swap("DTP*472"), shift=1),
        seed("LX behind SV1", 1, "guide.segment-order", "2400 SV1", swap("LX*3")),
        seed("N3 twice", 1, "guide.segment-repeat", "2010AA N3", twice("N3*1 CANAL"), shift=1),
        seed("DMG twice", 1, "guide.segment-repeat", "2010BA DMG", twice("DMG*"), shift=1),
        seed("DTP*472 twice", 1, "guide.segment-repeat", "2400 DTP", twice("DTP*472"), shift=1),
        seed("HI twice", 1, "guide.segment-repeat", "2300 HI", twice("HI*"), shift=1),
        seed("SV1 twice", 1, "guide.segment-repeat", "2400 SV1", twice("SV1*"), shift=1),
        seed("BHT twice", 1, "guide.segment-repeat", "header BHT", twice("BHT*"), shift=1),
        seed("CR1 twice", 1, "guide.segment-repeat", "2300 CR1", twice("CR1*"), shift=1),
        seed(
            "rendering provider twice",
            1,
            "guide.loop-repeat",
            "2310B NM1",
            add("PRV*PE", f"NM1*82*1*LARCH*ADA****XX*{npi(10_000_002)}"),
            shift=1,
        ),
        seed(
            "another receiver",
            1,
            "guide.loop-repeat",
            "1000B NM1",
            add("NM1*40", "NM1*40*2*WILLOW HEALTH*****46*99002"),
            shift=1,
        ),
        seed(
            "another payer",
            1,
            "guide.loop-repeat",
            "2010BB NM1",
            add("NM1*PR", "NM1*PR*2*WILLOW HEALTH PLAN*****PI*99002"),
            shift=1,
        ),
        seed("the same payer twice", 1, "guide.segment-repeat", "2010BB NM1", twice("NM1*PR"), shift=1),
        seed("CLM02 in words", 1, "guide.element-type", "2300 CLM02", put(VISIT, {"2": "FREE"})),
        seed("SV102 with a comma", 1, "guide.element-type", "2400 SV102", put("SV1*HC:97116", {"2": "3,6"})),
        seed("SV104 in words", 1, "guide.element-type", "2400 SV104", put("SV1*HC:97116", {"4": "TWO"})),
        seed(
            "a control character",
            1,
            "guide.element-type",
            "2010AA NM103",
            put("NM1*85", {"3": "ALDER\tCLINIC"}),
        ),
        seed("LX01 in words", 1, "guide.element-type", "2400 LX01", put("LX*2", {"1": "B"})),
        seed("PER05 without PER06", 1, "guide.relational", "1000A PER06", put("PER*IC*CONTACT", {"5": "EX"})),
        seed("NM108 without NM109", 1, "guide.relational", "2310B NM109", put("NM1*82", {"9": ""})),
        seed("CAS05 without CAS06", 1, "guide.relational", "2430 CAS06", put("CAS*PR*2*10", {"5": "3"})),
        seed("CR101 without CR102", 1, "guide.relational", "2300 CR102", put("CR1*", {"2": ""})),
        seed("N403 too short", 1, "guide.element-length", "2010AA N403", put("N4*", {"3": "43"})),
        seed("CLM01 too long", 1, "guide.element-length", "2300 CLM01", put(RIDE, {"1": "R" * 39})),
        seed(
            "NM103 too long", 1, "guide.element-length", "2010AA NM103", put("NM1*85", {"3": "CLINIC" * 11})
        ),
        seed(
            "modifier too long",
            1,
            "guide.element-length",
            "2400 SV101-3",
            put("SV1*HC:97116", {"1-3": "GPX"}),
        ),
        seed("REF02 too long", 1, "guide.element-length", "2300 REF02", put("REF*EA", {"2": "C" * 51})),
        seed(
            "NTE02 too long", 1, "guide.element-length", "2300 NTE02", put("NTE*ADD*SEEN", {"2": "SEEN" * 21})
        ),
        seed(
            "service on February 30",
            1,
            "guide.element-date",
            "2400 DTP03",
            put("DTP*472*D8*20260605", {"3": "20260230"}),
        ),
        seed("born in month 13", 1, "guide.element-date", "2010BA DMG02", put("DMG*", {"2": "19501303"})),
        seed("BHT05 no time", 1, "guide.element-date", "header BHT05", put("BHT*", {"5": "2561"})),
        seed("BHT04 no date", 1, "guide.element-date", "header BHT04", put("BHT*", {"4": "20260931"})),
        seed(
            "a range written as a day",
            1,
            "guide.element-date",
            "2400 DTP03",
            put("DTP*472*D8*20260605", {"3": "20260605-20260606"}),
        ),
        seed(
            "a day written as a range",
            1,
            "guide.element-date",
            "2400 DTP03",
            put("DTP*472*D8*20260605", {"2": "RD8"}),
        ),
        seed("accident on day 0", 1, "guide.element-date", "2300 DTP03", put("DTP*439", {"3": "20260600"})),
        seed("paid on day 32", 1, "guide.element-date", "2430 DTP03", put("DTP*573", {"3": "20260632"})),
        seed(
            "a control character in HL01", 1, "guide.element-type", "2000B HL01", put("HL*3", {"1": "\x01"})
        ),
        seed(
            "a control character in HL02", 1, "guide.element-type", "2000B HL02", put("HL*3", {"2": "\x01"})
        ),
        seed("HL02 names no parent", 1, "guide.hierarchy", "2000B HL02", put("HL*3", {"2": "9"})),
        seed("HL01 skips a number", 1, "guide.hierarchy", "2000B HL01", put("HL*6", {"1": "7"})),
        seed(
            "no HL of a subscriber", 2, "guide.segment-missing", "2000B HL", cut("HL*3"), at=("SBR*S*18", "")
        ),
        seed(
            "no HL of a subscriber above a patient",
            2,
            "guide.segment-missing",
            "2000B HL",
            cut("HL*4"),
            at=("SBR*P********CI", ""),
        ),
        seed("no HL of a patient", 2, "guide.segment-missing", "2000C HL", cut("HL*5"), at=("PAT*19", "")),
        seed("HL04 denies the patient below", 1, "guide.hierarchy", "2000B HL04", put("HL*4", {"4": "0"})),
        seed(
            "HL04 promises a patient",
            1,
            "guide.hierarchy",
            "2000B HL04",
            put("HL*3", {"4": "1"}),
            severity="warning",
        ),
        seed(
            "blanks behind a name",
            1,
            "guide.element-padding",
            "2010AA NM103",
            put("NM1*85", {"3": "ALDER CLINIC  "}),
            severity="warning",
        ),
        seed(
            "separators at the end",
            1,
            "guide.element-padding",
            "2300 REF04",
            put("REF*EA", {"4": ""}),
            severity="warning",
            padded=True,
        ),
        seed(
            "an umlaut",
            1,
            "guide.element-character",
            "2010AA N301",
            put("N3*", {"1": "1 K\u00c4NAL STREET"}),
            severity="warning",
        ),
        seed(
            "a repetition where none may be",
            2,
            "guide.element-components",
            "2300 REF02",
            put("REF*EA", {"2": "CHART^77"}),
        ),
        seed(
            "two parts where one may be",
            2,
            "guide.element-components",
            "2300 REF02",
            put("REF*EA", {"2": "CHART:77"}),
        ),
        *(
            seed(name, 2, "guide.element-components", place, put(find, elements))
            for name, place, find, elements in (
                ("five pointers", "2400 SV107", "SV1*", {"7": "1:1:1:1:1"}),
                ("two parts in CLM01", "2300 CLM01", "CLM*", {"1": "THERAPY:1"}),
                ("two parts in a note", "2300 NTE02", "NTE*", {"2": "SEEN: HOME"}),
                ("a diagnosis in two parts", "2300 HI01", "HI*", {"1": "ABK:M62:81"}),
                ("a repetition of the gender", "2010BA DMG03", "DMG*", {"3": "F^M"}),
            )
        ),
    ]


def _guide() -> list[Defect]:
    missing, code = "guide.segment-missing", "guide.element-code"
    empty, unused = "guide.element-missing", "guide.element-not-used"
    return [
        seed(
            "a place left empty between diagnoses",
            1,
            "guide.relational",
            "2300 HI02",
            change("HI*ABK:S8001XA", "HI*ABK:S8001XA**ABF:W010XXA"),
            put("SV1*HC:99213", {"7": "1"}),
        ),
        seed("a claim number too long", 1, "guide.element-length", "2300 CLM01", put(RIDE, {"1": "R" * 21})),
        seed(
            "a line number too long",
            1,
            "guide.element-length",
            "2400 REF02",
            put("REF*6R*R1-1", {"2": "R" * 31}),
        ),
        seed(
            "units too long", 1, "guide.element-length", "2400 SV104", put("SV1*HC:A0425", {"4": "123456789"})
        ),
        seed(
            "units of four decimals",
            1,
            "guide.element-type",
            "2400 SV104",
            put("SV1*HC:A0425", {"4": "12.0001"}),
        ),
        seed(
            "a charge too long",
            1,
            "guide.element-length",
            "2400 SV102",
            put("SV1*HC:A0425", {"2": "100000000.00"}),
        ),
        seed(
            "a payment too long without its cents",
            1,
            "guide.element-length",
            "2300 AMT02",
            before("CR1*", "AMT*F5*100000000"),
        ),
        seed(
            "a name behind a blank",
            1,
            "guide.element-padding",
            "2010BA NM103",
            put(PERSON, {"3": " ASPEN"}),
            severity="warning",
        ),
        seed("no BHT", 2, missing, "header BHT", cut("BHT*")),
        seed("no contact of the submitter", 2, missing, "1000A PER", cut("PER*IC*CONTACT")),
        seed("no N3 of the billing provider", 2, missing, "2010AA N3", cut("N3*1 CANAL")),
        seed("no N4 of the billing provider", 2, missing, "2010AA N4", cut("N4*COLUMBUS*OH*432150001")),
        seed("no tax id", 2, missing, "2010AA REF", cut("REF*EI")),
        seed("no N3 of the pay-to address", 2, missing, "2010AB N3", cut("N3*2 CANAL")),
        seed("no SBR", 2, missing, "2000B SBR", cut("SBR*S*18***12")),
        seed("no PAT", 2, missing, "2000C PAT", cut("PAT*")),
        seed("no N3 of the patient", 2, missing, "2010CA N3", cut("N3*9 MILL")),
        seed("no DMG of the patient", 2, missing, "2010CA DMG", cut("DMG*D8*20120513")),
        seed("no HI", 2, missing, "2300 HI", cut("HI*", T2)),
        seed("no SV1", 2, missing, "2400 SV1", cut("SV1*HC:97116")),
        seed("no date of service", 2, missing, "2400 DTP", cut("DTP*472*D8*20260605")),
        seed("no LX", 2, missing, "2400 LX", cut("LX*2")),
        seed("no OI", 2, missing, "2320 OI", cut("OI*")),
        seed("no N3 of the pick-up", 2, missing, "2310E N3", cut("N3*11 MILL")),
        seed("no N4 of the drop-off", 2, missing, "2310F N4", cut("N4*", "NM1*45")),
        seed("no CTP for a drug", 2, missing, "2410 CTP", cut("CTP*")),
        seed("no date of payment", 2, missing, "2430 DTP", cut("DTP*573")),
        seed(
            "no submitter",
            2,
            "guide.loop-missing",
            "1000A NM1",
            cut("NM1*41"),
            cut("PER*IC*CONTACT"),
            shift=1,
        ),
        seed("no receiver", 2, "guide.loop-missing", "1000B NM1", cut("NM1*40")),
        seed(
            "no name of the subscriber",
            2,
            "guide.loop-missing",
            "2010BA NM1",
            cut(PERSON),
            cut("N3*7 MILL"),
            cut("N4*", "SBR*P*18*******MB"),
            cut("DMG*"),
            shift=1,
        ),
        seed("no payer", 2, "guide.loop-missing", "2010BB NM1", cut("NM1*PR")),
        seed("no other payer", 2, "guide.loop-missing", "2330B NM1", cut("NM1*PR*2*WILLOW")),
        seed(
            "no other subscriber",
            2,
            "guide.loop-missing",
            "2330A NM1",
            cut("NM1*IL", "OI*"),
            cut("N3*8 MILL", "OI*"),
            cut("N4*", "OI*"),
            shift=1,
        ),
        seed(
            "no service line",
            2,
            "guide.loop-missing",
            "2400 LX",
            cut("LX*1", CHAIR),
            cut("SV1*", CHAIR),
            cut("DTP*", CHAIR),
            cut("REF*", CHAIR),
            cut("NM1*", CHAIR),
        ),
        seed("NM103 of the billing provider empty", 2, empty, "2010AA NM103", put("NM1*85", {"3": ""})),
        seed("NM109 of the payer empty", 2, empty, "2010BB NM109", put("NM1*PR", {"9": ""})),
        seed("CLM01 empty", 2, empty, "2300 CLM01", put(RIDE, {"1": ""})),
        seed("CLM02 empty", 2, empty, "2300 CLM02", put(RIDE, {"2": ""})),
        seed("CLM05-3 empty", 2, empty, "2300 CLM05-3", put(RIDE, {"5": "41:B"})),
        seed("CLM07 empty", 2, empty, "2300 CLM07", put(RIDE, {"7": ""})),
        seed("SBR01 empty", 2, empty, "2000B SBR01", put("SBR*", {"1": ""})),
        seed("SV102 empty", 2, empty, "2400 SV102", put("SV1*HC:97116", {"2": ""})),
        seed("SV103 empty", 2, empty, "2400 SV103", put("SV1*HC:97116", {"3": ""})),
        seed("SV104 empty", 2, empty, "2400 SV104", put("SV1*HC:97116", {"4": ""})),
        seed("no pointer", 2, empty, "2400 SV107", put("SV1*HC:97116", {"7": ""})),
        seed("SV101-2 empty", 2, empty, "2400 SV101-2", put("SV1*HC:97116", {"1-2": ""})),
        seed("N301 empty", 2, empty, "2010BA N301", change("N3*7 MILL", "N3**APT 4")),
        seed("DMG03 empty", 2, empty, "2010BA DMG03", change("DMG*", "DMG*D8*19500203")),
        seed("OI06 empty", 2, empty, "2320 OI06", put("OI*", {"6": ""})),
        seed("SVD02 empty", 2, empty, "2430 SVD02", put("SVD*", {"2": ""})),
        seed("CRC03 empty", 2, empty, "2300 CRC03", change("CRC*", "CRC*07*Y**04")),
        seed("CLM03 filled", 2, unused, "2300 CLM03", put(RIDE, {"3": "X"})),
        seed("NM110 filled", 2, unused, "2010AA NM110", put("NM1*85", {"10": "01"})),
        seed("SV108 filled", 2, unused, "2400 SV108", put("SV1*HC:97116", {"8": "5"})),
        seed("SBR06 filled", 2, unused, "2000B SBR06", put("SBR*P*18", {"6": "1"})),
        seed("a ninth element in HL", 2, unused, "2000B HL05", put("HL*2", {"5": "1"})),
        seed("NM101 unknown", 2, code, "2010AA NM101", put("NM1*85", {"1": "86"})),
        seed("SBR01 unknown", 2, code, "2000B SBR01", put("SBR*", {"1": "1"})),
        seed("SBR09 unknown", 2, code, "2000B SBR09", put("SBR*", {"9": "XX"})),
        seed("CLM05-2 unknown", 2, code, "2300 CLM05-2", put(RIDE, {"5-2": "C"})),
        seed("CLM06 unknown", 2, code, "2300 CLM06", put(RIDE, {"6": "X"})),
        seed("CLM08 unknown", 2, code, "2300 CLM08", put(RIDE, {"8": "X"})),
        seed("CLM11-1 unknown", 2, code, "2300 CLM11-1", put(VISIT, {"11-1": "ZZ"})),
        seed("SV103 unknown", 2, code, "2400 SV103", put("SV1*HC:97116", {"3": "DA"})),
        seed("SV101-1 unknown", 2, code, "2400 SV101-1", put("SV1*HC:97116", {"1-1": "AD"})),
        seed("DMG03 unknown", 2, code, "2010BA DMG03", put("DMG*", {"3": "X"})),
        seed("NM108 unknown", 2, code, "2310B NM108", put("NM1*82", {"8": "24"})),
        seed("DTP01 unknown", 2, code, "2400 DTP01", put("DTP*472*D8*20260605", {"1": "999"})),
        seed("HI01-1 unknown", 2, code, "2300 HI01-1", put("HI*", {"1-1": "ABX"})),
        seed("HL03 unknown", 2, code, "2000B HL03", put("HL*3", {"3": "24"})),
        seed("CAS01 unknown", 2, code, "2430 CAS01", put("CAS*CO*45*14", {"1": "XX"})),
        seed("AMT01 unknown", 2, code, "2320 AMT01", put("AMT*D", {"1": "ZZ"})),
        seed("CR104 unknown", 2, code, "2300 CR104", put("CR1*", {"4": "Z"})),
        seed("NM101 of the referring provider unknown", 2, code, "2310A NM101", put("NM1*DN", {"1": "DX"})),
        seed(
            "HI01-1 unknown before an external cause",
            2,
            code,
            "2300 HI01-1",
            put("HI*ABK:S8001XA", {"1-1": "ABX"}),
        ),
        seed(
            "a visit with characters too many",
            1,
            "guide.element-length",
            "2400 SV101-2",
            put("SV1*HC:99213", {"1-2": "99213" + "X" * 50}),
        ),
        seed("PAT01 unknown", 2, code, "2000C PAT01", put("PAT*", {"1": "99"})),
        seed("LIN02 unknown", 2, code, "2410 LIN02", put("LIN*", {"2": "N9"})),
        seed("BHT06 unknown", 2, code, "header BHT06", put("BHT*", {"6": "ZZ"})),
        seed("LX skips a number", 2, "guide.line-number", "2400 LX01", put("LX*3", {"1": "4"})),
        seed("LX repeats a number", 2, "guide.line-number", "2400 LX01", put("LX*2", {"1": "1"})),
    ]


def _balance() -> list[Defect]:
    return [
        seed("a claim a cent too high", 3, "balance.claim-charge", "2300 CLM02", put(RIDE, {"2": "620.01"})),
        seed("a claim too low", 3, "balance.claim-charge", "2300 CLM02", put(VISIT, {"2": "92"})),
        seed(
            "a line a dollar too high",
            3,
            "balance.claim-charge",
            "2300 CLM02",
            put("SV1*HC:97116", {"2": "37"}),
            at=("CLM*THERAPY1", ""),
        ),
        seed(
            "a claim below zero",
            3,
            "balance.negative-amount",
            "2400 SV102",
            put(VISIT, {"2": "88"}),
            put("SV1*HC:81003", {"2": "-4"}),
            at=("SV1*HC:81003", ""),
        ),
        seed(
            "a patient who paid less than nothing",
            3,
            "balance.negative-amount",
            "2300 AMT02",
            before("CR1*", "AMT*F5*-7"),
        ),
        seed(
            "an amount not covered that is not all",
            3,
            "balance.other-payer",
            "2320 AMT02",
            before(
                "LX*1",
                "SBR*S*18*******CI~AMT*A8*119~OI***Y***Y~NM1*IL*1*POPLAR*EVE****MI*M9~NM1*PR*2*ELM*****PI*99008",
                "CLM*RIDE1",
            ),
            shift=1,
            severity="warning",
        ),
        seed("a claim for nothing", 3, "balance.claim-charge", "2300 CLM02", put(CHAIR, {"2": "0"})),
        seed(
            "a payment that does not add up", 3, "balance.other-payer", "2430 SVD02", put("SVD*", {"2": "59"})
        ),
        seed(
            "an adjustment that does not add up",
            3,
            "balance.other-payer",
            "2430 SVD02",
            put("CAS*CO*45*14", {"3": "15"}),
            at=("SVD*", ""),
        ),
        seed(
            "a payer's total that its lines do not make",
            3,
            "balance.other-payer",
            "2320 AMT02",
            put("AMT*D", {"2": "111"}),
        ),
        seed(
            "a line twice, the total once",
            3,
            "balance.claim-charge",
            "2300 CLM02",
            put("SV1*HC:E0143", {"2": "11000"}),
            at=(CHAIR, ""),
        ),
    ]


def _situation() -> list[Defect]:
    return [
        seed(
            "served after receipt",
            4,
            "date.future",
            "2400 DTP03",
            put("DTP*472*D8*20260605", {"3": "20261205"}),
        ),
        seed(
            "accident after receipt",
            4,
            "date.future",
            "2300 DTP03",
            put("DTP*439", {"3": "20261122"}),
            severity="warning",
        ),
        seed(
            "a period the wrong way round",
            4,
            "date.order",
            "2400 DTP03",
            change("DTP*472*D8*20260616", "DTP*472*RD8*20260617-20260616"),
        ),
        seed(
            "born after the service",
            4,
            "date.order",
            "2300 CLM01",
            put("DMG*D8*20120513", {"2": "20260613"}),
            at=(VISIT, ""),
        ),
        seed(
            "discharged before admitted",
            4,
            "date.order",
            "2300 DTP03",
            before("REF*X4", "DTP*435*D8*20260608~DTP*096*D8*20260607"),
            shift=1,
        ),
        seed(
            "ill after the service",
            4,
            "date.order",
            "2300 DTP03",
            add(T2, "DTP*431*D8*20260711"),
            shift=1,
            severity="warning",
        ),
        seed(
            "an accident without its date",
            4,
            "situation.accident-date",
            "2300 CLM11",
            put(RIDE, {"11": "OA"}),
        ),
        seed(
            "a car accident without its state",
            4,
            "situation.accident-state",
            "2300 CLM11-4",
            put(VISIT, {"11": "AA"}),
        ),
        seed(
            "a replacement of nothing",
            4,
            "situation.original-reference",
            "2300 CLM05-3",
            put(DRUG, {"5-3": "7"}),
        ),
        seed(
            "a number of the original on an original",
            4,
            "situation.reference-of-original",
            "2300 REF01",
            add(RIDE, "REF*F8*C123"),
            shift=1,
            severity="warning",
        ),
        seed(
            "in hospital since when",
            4,
            "situation.hospitalization-date",
            "2300 CLM05-1",
            put(SLEEP, {"5-1": "21"}),
            severity="warning",
        ),
        seed(
            "a visit in hospital since when",
            4,
            "situation.hospitalization-date",
            "2300 CLM05-1",
            put(VISIT, {"5-1": "21"}),
            put("SV1*HC:99213", {"1": "HC:99223"}),
        ),
        seed(
            "nobody is the patient",
            4,
            "situation.patient-details",
            "2300 CLM01",
            put("SBR*S*18***12", {"2": ""}),
            at=(SECOND, ""),
        ),
        seed(
            "the subscriber or the dependent",
            4,
            "situation.subscriber-or-patient",
            "2000B SBR02",
            put("SBR*P********CI", {"2": "18"}),
        ),
        seed(
            "units below zero",
            4,
            "situation.units",
            "2400 SV104",
            put("SV1*HC:J1885", {"4": "-2"}),
            at=("SV1*HC:J1885", ""),
        ),
        seed(
            "no units",
            4,
            "situation.units",
            "2400 SV104",
            put("SV1*HC:J1885", {"4": "0"}),
            severity="warning",
        ),
        seed(
            "a unit and a half of fifteen minutes",
            4,
            "situation.units",
            "2400 SV104",
            put("SV1*HC:97116", {"4": "1.5"}),
        ),
        seed(
            "a payer that paid no units",
            4,
            "situation.units",
            "2430 SVD05",
            put("SVD*", {"5": "0"}),
            severity="warning",
        ),
        seed(
            "a line number twice",
            4,
            "situation.line-control-number",
            "2400 REF02",
            put("REF*6R*V1-2", {"2": "V1-1"}),
            at=("REF*6R*V1-1", "REF*6R*V1-1"),
        ),
        seed(
            "a claim number twice",
            4,
            "duplicate.claim-number",
            "2300 CLM01",
            put(CHAIR, {"1": "DRUG1"}),
            severity="warning",
            at=("CLM*DRUG1", "CLM*SLEEP1"),
        ),
        seed(
            "a frequency of institutions",
            4,
            "situation.claim-frequency",
            "2300 CLM05-3",
            put(CHAIR, {"5-3": "3"}),
        ),
        seed(
            "a correction to Medicare",
            4,
            "situation.claim-frequency",
            "2300 CLM05-3",
            put(T2, {"5-3": "7"}),
            add(T2, "REF*F8*C123"),
            severity="warning",
        ),
        seed(
            "a payer left out of the sequence",
            4,
            "situation.payer-sequence",
            "2320 SBR01",
            put("SBR*P*18*G", {"1": "T"}),
            severity="warning",
        ),
        seed(
            "a payer before that decided nothing",
            4,
            "situation.prior-payer",
            "2320 SBR01",
            before(
                "LX*1",
                "SBR*S*18*******CI~OI***Y***Y~NM1*IL*1*HAZEL*TOM****MI*W9~NM1*PR*2*ELM PLAN*****PI*99008",
                SECOND,
            ),
            put("SBR*S*18***12", {"1": "T"}),
            severity="warning",
        ),
        seed(
            "a day of decision at both levels",
            4,
            "situation.adjudication-date",
            "2330B DTP01",
            add("NM1*PR*2*WILLOW", "DTP*573*D8*20260620"),
            shift=1,
            severity="warning",
        ),
        seed(
            "a ride certified for its line alone",
            4,
            "situation.ambulance-transport",
            "2400 SV101-2",
            cut("CR1*"),
            add("SV1*HC:A0428", "CR1*LB*150**A*DH*12"),
            at=("SV1*HC:A0428", ""),
            severity="warning",
        ),
        seed(
            "two who referred",
            4,
            "situation.two-referring",
            "2310A NM101",
            twice("NM1*DN", T2),
            severity="warning",
        ),
        seed(
            "a price of other equipment",
            4,
            "situation.equipment-code",
            "2400 SV501-2",
            add("SV1*HC:E0143", "SV5*HC:E0470*DA*30*90*1*4"),
            shift=1,
        ),
        seed(
            "one number for referral and authorization",
            4,
            "situation.authorization-number",
            "2300 REF02",
            before("CR1*", "REF*9F*A1~REF*G1*A1"),
            shift=1,
            severity="warning",
        ),
        seed(
            "a fifth modifier",
            4,
            "situation.fifth-modifier",
            "2400 SV101-7",
            put("SV1*HC:J1885", {"1": "HC:J1885:::::76"}),
            severity="warning",
        ),
        seed(
            "a visit in minutes",
            4,
            "situation.minutes-of-visit",
            "2400 SV103",
            put("SV1*HC:99213", {"3": "MJ"}),
            severity="warning",
        ),
        seed(
            "an attachment on request with a number",
            4,
            "situation.attachment-number",
            "2300 PWK06",
            add(CHAIR, "PWK*OZ*AA***AC*A1"),
            shift=1,
            severity="warning",
        ),
        seed(
            "sent again to Medicare",
            4,
            "situation.medicare-transaction",
            "header BHT02",
            put("BHT*", {"2": "18"}),
            severity="warning",
        ),
        seed(
            "older than anybody",
            4,
            "date.order",
            "2300 CLM01",
            put("DMG*D8*19480711", {"2": "18480711"}),
            at=(SECOND, ""),
            severity="warning",
        ),
        seed(
            "admitted after the service",
            4,
            "date.order",
            "2300 DTP03",
            add(T2, "DTP*435*D8*20260615"),
            shift=1,
            severity="warning",
        ),
        seed(
            "discharged before the service",
            4,
            "date.order",
            "2300 DTP03",
            add(T2, "DTP*096*D8*20260601"),
            shift=1,
            severity="warning",
        ),
        seed(
            "supplies for the months ahead",
            4,
            "date.future",
            "2400 DTP03",
            change("DTP*472*D8*20260616", "DTP*472*RD8*20260616-20270101"),
            severity="warning",
        ),
        seed(
            "the envelope written after it was received",
            4,
            "date.received",
            "ISA ISA09",
            put("ISA*", {"9": "261123"}),
            severity="warning",
        ),
        seed(
            "a subscriber as patient without address",
            4,
            "situation.patient-details",
            "2010BA N3",
            cut("N3*7 MILL"),
            cut("N4*", "SBR*P*18*******MB"),
            at=(PERSON, ""),
        ),
        seed(
            "a subscriber as patient without birth date",
            4,
            "situation.patient-details",
            "2010BA DMG",
            cut("DMG*"),
            at=(PERSON, ""),
        ),
        seed(
            "an unlisted service without a word",
            4,
            "situation.note-for-unlisted",
            "2400 SV101-7",
            put("SV1*HC:E0143", {"1": "HC:E1399:NU"}),
        ),
        seed(
            "a ride without its certificate",
            4,
            "situation.ambulance-transport",
            "2400 SV101-2",
            cut("CR1*"),
            at=("SV1*", RIDE),
        ),
        seed(
            "a ride from nowhere",
            4,
            "situation.ambulance-pick-up",
            "2400 SV101-2",
            cut("NM1*PW"),
            cut("N3*11 MILL"),
            cut("N4*COLUMBUS*OH*432150015"),
            at=("SV1*", RIDE),
        ),
        seed(
            "a ride to nowhere",
            4,
            "situation.ambulance-drop-off",
            "2400 SV101-2",
            cut("NM1*45"),
            cut("N3*12 WHARF"),
            cut("N4*COLUMBUS*OH*432150016"),
            at=("SV1*", RIDE),
        ),
        seed(
            "anaesthesia in units",
            4,
            "situation.anesthesia-minutes",
            "2400 SV103",
            put("SV1*HC:01402", {"3": "UN", "4": "6"}),
            severity="warning",
        ),
        seed(
            "an attachment without its number",
            4,
            "situation.attachment-number",
            "2300 PWK06",
            add(RIDE, "PWK*OZ*BM"),
            shift=1,
        ),
        seed(
            "a billing address that is a box",
            4,
            "situation.billing-address",
            "2010AA N301",
            put("N3*", {"1": "PO BOX 45"}),
            severity="warning",
        ),
        seed(
            "a drug number with dashes",
            4,
            "situation.drug-number",
            "2410 LIN03",
            put("LIN*", {"3": "0409-3796-01"}),
        ),
        seed("none of a drug", 4, "situation.drug-quantity", "2410 CTP04", put("CTP*", {"4": "0"})),
        seed(
            "no kind of payer",
            4,
            "situation.filing-indicator",
            "2000B SBR09",
            put("SBR*P*18*******CI", {"9": ""}),
            severity="warning",
        ),
        seed(
            "a laboratory without a number",
            4,
            "situation.clia",
            "2400 SV101-2",
            cut("REF*X4"),
            at=("SV1*HC:81003", ""),
            severity="warning",
        ),
        seed(
            "a laboratory number of odd shape",
            4,
            "situation.clia-form",
            "2300 REF02",
            put("REF*X4", {"2": "36-D1"}),
            severity="warning",
        ),
        seed(
            "a subscriber without number",
            4,
            "situation.member-id",
            "2010BA NM109",
            change(PERSON, "NM1*IL*1*ASPEN*IRIS"),
        ),
        seed(
            "an organization with a first name",
            4,
            "situation.organization-name",
            "2010AA NM104",
            put("NM1*85", {"4": "ANN"}),
            severity="warning",
        ),
        seed(
            "a provider without number",
            4,
            "situation.provider-identifier",
            "2310B NM109",
            change("NM1*82*1*LARCH", "NM1*82*1*LARCH*ADA"),
            severity="warning",
        ),
        seed(
            "nobody gave the therapy of a group",
            4,
            "situation.rendering-provider",
            "2400 SV101-2",
            cut("NM1*82*1*ROWAN"),
            cut("PRV*PE"),
            at=("SV1*HC:97530", ""),
        ),
        seed(
            "a rendering provider without NPI",
            4,
            "situation.rendering-provider",
            "2310B NM109",
            change("NM1*82*1*ROWAN", "NM1*82*1*ROWAN*TOM"),
            add("PRV*PE", "REF*1G*B01010"),
        ),
        seed(
            "a referring provider of lines alone",
            4,
            "situation.referring-provider-of-line",
            "2420F NM109",
            *(add(f"REF*6R*T1-{line}", f"NM1*DN*1*FIR*MORGAN****XX*{npi(30_000_001)}") for line in (1, 2, 3)),
            cut("NM1*DN*1*FIR"),
            at=("NM1*DN", ""),
            severity="warning",
        ),
        seed(
            "two primary payers",
            4,
            "situation.order-of-payers",
            "2320 SBR01",
            put("SBR*S", {"1": "P", "5": ""}),
            at=("SBR*", SECOND),
        ),
        seed(
            "a second payer with no first",
            4,
            "situation.other-payer",
            "2300 CLM01",
            put("SBR*P********CI", {"1": "S"}),
            at=(VISIT, ""),
            severity="warning",
        ),
        seed(
            "Medicare second for no reason",
            4,
            "situation.secondary-payer-reason",
            "2000B SBR05",
            put("SBR*S", {"5": ""}),
        ),
        seed(
            "the patient paid more than all",
            4,
            "situation.patient-paid",
            "2300 AMT02",
            before("CR1*", "AMT*F5*700"),
            severity="warning",
        ),
        seed(
            "a line of a payer that is none",
            4,
            "situation.line-payer",
            "2430 SVD01",
            put("SVD*", {"1": "99009"}),
        ),
        seed(
            "a mammogram without certificate",
            4,
            "situation.mammography-certificate",
            "2400 SV101-2",
            put("SV1*HC:81003", {"1": "HC:77067"}),
            severity="warning",
        ),
        seed(
            "dead before the service",
            4,
            "situation.death",
            "2300 CLM01",
            change("PAT*", "PAT*19****D8*20260601"),
            at=(VISIT, ""),
            severity="warning",
        ),
        seed(
            "who oversees is who treats",
            4,
            "situation.supervising-provider",
            "2310D NM109",
            add("PRV*PE*PXC*207Q", f"NM1*DQ*1*LARCH*ADA****XX*{npi(10_000_002)}"),
            shift=1,
            severity="warning",
        ),
        seed(
            "bought, of a service that is not",
            4,
            "situation.purchased-service",
            "2400 PS101",
            add("REF*6R*V1-2", f"PS1*{npi(20_000_003)}*20"),
            shift=1,
        ),
        seed(
            "written after it was received",
            4,
            "date.received",
            "header BHT04",
            put("BHT*", {"4": "20261123"}),
            severity="info",
        ),
    ]


def _codes() -> list[Defect]:
    return [
        seed(
            "a diagnosis of another line's day",
            5,
            "code.diagnosis",
            "2400 SV107-1",
            put("HI*ABK:S8001XA", {"2": "ABF:G35"}),
            put("SV1*HC:99213", {"7": "1"}),
            put("SV1*HC:81003", {"7": "2"}),
            put("DTP*472*D8*20260610", {"3": "20250930"}, VISIT),
            put("DTP*439", {"3": "20250929"}),
            at=("SV1*HC:81003", ""),
        ),
        seed(
            "a ZIP code that ends with zeros",
            5,
            "code.zip",
            "2010AA N403",
            put("N4*", {"3": "432150000"}),
            severity="warning",
        ),
        seed(
            "a tax number with a hyphen",
            5,
            "code.tax-number",
            "2010AA REF02",
            put("REF*EI", {"2": "99-0000001"}),
            severity="warning",
        ),
        seed(
            "a telephone number with hyphens",
            5,
            "code.phone",
            "2010AA PER04",
            put("PER*IC*FRONT", {"4": "614-555-0101"}),
            severity="warning",
        ),
        seed(
            "the submitter's fax number in parentheses",
            5,
            "code.phone",
            "1000A PER06",
            put("PER*IC*CONTACT", {"5": "FX", "6": "(614)5550100"}),
            severity="warning",
        ),
        seed(
            "an MBI in small letters",
            7,
            "code.member-id",
            "2010BA NM109",
            put("NM1*IL*1*HAZEL", {"9": "1ac0aa0aa02"}),
            severity="warning",
        ),
        seed(
            "NPI of the billing provider", 5, "code.npi", "2010AA NM109", put("NM1*85", {"9": "1234567890"})
        ),
        seed(
            "NPI of the rendering provider", 5, "code.npi", "2310B NM109", put("NM1*82", {"9": "1234567890"})
        ),
        seed(
            "NPI of the referring provider", 5, "code.npi", "2310A NM109", put("NM1*DN", {"9": "1234567890"})
        ),
        seed("NPI of the facility", 5, "code.npi", "2310C NM109", put("NM1*77", {"9": "1234567890"})),
        seed(
            "NPI of the ordering provider", 5, "code.npi", "2420E NM109", put("NM1*DK", {"9": "1234567890"})
        ),
        seed("NPI of nine digits", 5, "code.npi", "2310B NM109", put("NM1*82", {"9": "100000010"})),
        seed(
            "no such diagnosis",
            5,
            "code.diagnosis",
            "2300 HI02-2",
            put("HI*ABK:M6281*ABF:R262", {"2-2": "R2699"}),
        ),
        seed(
            "a diagnosis that is a header",
            5,
            "code.diagnosis",
            "2300 HI01-2",
            put("HI*", {"1-2": "M545"}, CHAIR),
        ),
        seed(
            "a diagnosis with a letter too many",
            5,
            "code.diagnosis",
            "2300 HI01-2",
            put("HI*", {"1-2": "M62819"}, CHAIR),
        ),
        seed(
            "a diagnosis without its seventh character",
            5,
            "code.diagnosis",
            "2300 HI01-2",
            put("HI*ABK:S8001XA", {"1-2": "S8001"}),
        ),
        seed(
            "ICD-9 in 2026", 5, "code.diagnosis-version", "2300 HI01-2", change("HI*", "HI*BK:72887", CHAIR)
        ),
        seed(
            "an external cause first",
            5,
            "code.diagnosis-external-cause",
            "2300 HI01-2",
            change("HI*ABK:S8001XA", "HI*ABK:W010XXA*ABF:S8001XA"),
        ),
        seed(
            "a diagnosis twice",
            5,
            "code.diagnosis-repeated",
            "2300 HI02-2",
            put("HI*ABK:M6281*ABF:R262", {"2-2": "M6281"}),
            severity="warning",
        ),
        seed(
            "a diagnosis of the other sex",
            5,
            "code.diagnosis-sex",
            "2300 HI02-2",
            put("HI*ABK:M6281*ABF:R262", {"2-2": "N401"}),
            severity="warning",
        ),
        seed(
            "a diagnosis of another age",
            5,
            "code.diagnosis-age",
            "2300 HI02-2",
            put("HI*ABK:M6281*ABF:R262", {"2-2": "Z6852"}),
            severity="warning",
        ),
        seed(
            "a pointer beyond the diagnoses",
            5,
            "code.diagnosis-pointer",
            "2400 SV107-1",
            put("SV1*HC:97116", {"7": "3"}),
        ),
        seed(
            "a pointer twice",
            5,
            "code.diagnosis-pointer",
            "2400 SV107-2",
            put("SV1*HC:97530:59", {"7": "1:1"}),
            severity="warning",
        ),
        seed(
            "a procedure of four characters",
            5,
            "code.procedure",
            "2400 SV101-2",
            put("SV1*HC:81003", {"1-2": "8100"}),
        ),
        seed(
            "a procedure with a letter inside",
            5,
            "code.procedure",
            "2400 SV101-2",
            put("SV1*HC:81003", {"1-2": "81A03"}),
        ),
        seed(
            "no such place of service", 5, "code.place-of-service", "2300 CLM05-1", put(VISIT, {"5-1": "98"})
        ),
        seed(
            "no such taxonomy",
            5,
            "code.taxonomy",
            "2310B PRV03",
            put("PRV*PE*PXC*207Q", {"3": "995100000X"}),
            severity="warning",
        ),
        seed(
            "a taxonomy of nine characters",
            5,
            "code.taxonomy",
            "2310B PRV03",
            put("PRV*PE*PXC*207Q", {"3": "207Q00000"}),
        ),
        seed("no such state", 5, "code.state", "2010BA N402", put("N4*", {"2": "XX"}, PERSON)),
        seed("no such state of the accident", 5, "code.state", "2300 CLM11-4", put(VISIT, {"11-4": "XX"})),
        seed(
            "a ZIP code of five digits where nine are asked",
            5,
            "code.zip",
            "2010AA N403",
            put("N4*", {"3": "43215"}),
        ),
        seed("a ZIP code with letters", 5, "code.zip", "2010BA N403", put("N4*", {"3": "4321A"}, PERSON)),
        seed(
            "no such country",
            5,
            "code.country",
            "2010BA N404",
            change("N4*", "N4*LYON**69001*QX", PERSON),
            severity="warning",
        ),
        seed(
            "no such currency",
            5,
            "code.currency",
            "2000A CUR02",
            add("PRV*BI", "CUR*85*XYQ"),
            shift=1,
            severity="warning",
        ),
        seed(
            "no such modifier",
            5,
            "code.modifier",
            "2400 SV101-4",
            put("SV1*HC:97116", {"1-4": "ZQ"}),
            severity="warning",
        ),
        seed(
            "a modifier of odd shape", 5, "code.modifier", "2400 SV101-4", put("SV1*HC:97116", {"1-4": "5."})
        ),
        seed(
            "an adjustment reason of odd shape",
            5,
            "code.adjustment-reason",
            "2430 CAS02",
            put("CAS*CO*45*14", {"2": "X4"}),
            severity="warning",
        ),
        seed(
            "a remark of odd shape",
            5,
            "code.remark",
            "2320 MOA03",
            add("OI*", "MOA***X1"),
            shift=1,
            severity="warning",
        ),
    ]


def _line(code: str, more: dict[str, str] | None = None) -> Edit:
    """The third line of the first claim with another code, modifiers and all."""
    return put("SV1*HC:97116", {"1": f"HC:{code}", **(more or {})})


def _coding() -> list[Defect]:
    same_day = put("DTP*472*D8*20260605", {"3": "20260603"})
    put("SV1*HC:97530:59", {"1": "HC:97530:GP"})
    return [
        seed(
            "two codes that NCCI bundles",
            6,
            "ncci.ptp",
            "2400 SV101-2",
            _line("97537:GP"),
            same_day,
            put("SV1*HC:97530:59", {"1": "HC:97530:GP"}),
            put("SV1*HC:97110", {"1": "HC:97112:GP"}),
        ),
        seed(
            "two codes that nothing releases", 6, "ncci.ptp", "2400 SV101-2", _line("95851:GP:59"), same_day
        ),
        seed(
            "more units than a day has room for",
            6,
            "ncci.mue",
            "2400 SV104",
            put("SV1*HC:97530:59", {"4": "7"}),
        ),
        seed("an evaluation in two units", 6, "ncci.mue", "2400 SV104", _line("97161:GP", {"4": "2"})),
        seed("an add-on alone", 6, "ncci.addon", "2400 SV101-2", _line("0770T:GP")),
        seed("therapy without a discipline", 6, "therapy.discipline", "2400 SV101-3", _line("97116")),
        seed(
            "an evaluation of another discipline",
            6,
            "therapy.discipline-code",
            "2400 SV101-3",
            _line("97165:GP"),
        ),
        seed("two disciplines", 6, "therapy.discipline-conflict", "2400 SV101-3", _line("97116:GP:GO")),
        seed(
            "the discipline of another therapist",
            6,
            "therapy.discipline-provider",
            "2400 SV101-3",
            _line("97116:GO"),
            severity="warning",
        ),
        seed(
            "CQ with GO",
            6,
            "therapy.assistant",
            "2400 SV101-3",
            put("PRV*PE", {"3": "225X00000X"}),
            _line("97535:GO:CQ"),
            put("SV1*HC:97530:59", {"1-4": "GO"}),
            put("SV1*HC:97110", {"1-3": "GO"}),
            at=("SV1*HC:97535", ""),
        ),
        seed("CQ and CO", 6, "therapy.assistant", "2400 SV101-3", _line("97116:GP:CQ:CO")),
        seed("KX without a discipline", 6, "therapy.kx", "2400 SV101-3", _line("97597:KX")),
        seed(
            "therapy over two days",
            6,
            "therapy.date-range",
            "2400 DTP03",
            change("DTP*472*D8*20260605", "DTP*472*RD8*20260605-20260606"),
            severity="warning",
        ),
        seed(
            "nobody certifies",
            6,
            "therapy.certifying-provider",
            "2400 SV101-2",
            cut("NM1*DN"),
            at=("SV1*", ""),
        ),
        seed(
            "units without minutes",
            6,
            "therapy.minutes",
            "2400 SV104",
            put("NTE*ADD*TIME", {"2": "TIME 22"}),
            at=("SV1*", T2),
        ),
        seed(
            "seven minutes",
            6,
            "therapy.minutes",
            "2400 SV104",
            put("NTE*ADD*TIME", {"2": "TIME 7"}),
            put("SV1*", {"4": "1"}, T2),
            at=("SV1*", T2),
        ),
        seed("a code that ended", 5, "code.procedure", "2400 SV101-2", _line("97762:GP")),
        seed(
            "an evaluation by an assistant",
            6,
            "therapy.assistant",
            "2400 SV101-3",
            _line("97164:GP:CQ"),
        ),
        seed(
            "exercise of speech pathology",
            6,
            "therapy.discipline-code",
            "2400 SV101-3",
            _line("97112:GN"),
            change("PRV*PE", "PRV*PE*PXC*235Z00000X"),
            put("SV1*HC:97530", {"1": "HC:92507:GN", "4": "1"}),
            put("SV1*HC:97110", {"1": "HC:92526:GN:59", "4": "1"}),
            at=("SV1*HC:97112", ""),
            severity="warning",
        ),
        seed(
            "an assistant as rendering provider",
            6,
            "therapy.assistant-provider",
            "2310B PRV03",
            change("PRV*PE", "PRV*PE*PXC*225200000X"),
            severity="warning",
        ),
        seed(
            "a visit by a therapist",
            6,
            "therapy.visit",
            "2400 SV101-2",
            _line("99213"),
            severity="warning",
        ),
        seed(
            "a massage by telehealth",
            6,
            "therapy.telehealth",
            "2400 SV105",
            _line("97124:GP", {"5": "10"}),
            severity="warning",
        ),
        seed(
            "GT to Medicare",
            6,
            "modifier.telehealth",
            "2400 SV101-3",
            _line("97116:GP:GT", {"5": "10"}),
            severity="warning",
        ),
        seed(
            "97014 to Medicare",
            7,
            "code.not-paid",
            "2400 SV101-2",
            _line("97014:GP"),
            severity="warning",
        ),
        seed(
            "therapy in a skilled nursing facility",
            7,
            "therapy.nursing-facility",
            "2400 SV105",
            _line("97116:GP", {"5": "31"}),
            severity="warning",
        ),
        seed(
            "KX and GA", 6, "modifier.conflict", "2400 SV101-3", _line("97116:GP:KX:GA"), severity="warning"
        ),
        seed(
            "JZ off a drug",
            6,
            "modifier.not-applicable",
            "2400 SV101-3",
            _line("97116:GP:JZ"),
            severity="warning",
        ),
        seed(
            "equipment on therapy",
            6,
            "modifier.not-applicable",
            "2400 SV101-3",
            _line("97116:GP:NU"),
            severity="warning",
        ),
        seed(
            "53 on timed therapy",
            6,
            "modifier.not-applicable",
            "2400 SV101-3",
            _line("97116:GP:53"),
            severity="warning",
        ),
        seed(
            "76 on a visit",
            6,
            "modifier.not-applicable",
            "2400 SV101-3",
            put("SV1*HC:99213", {"1-3": "76"}),
            severity="warning",
        ),
        seed(
            "GK without GA or GZ",
            6,
            "modifier.missing",
            "2400 SV101-3",
            _line("97116:GP:GK"),
            severity="warning",
        ),
        seed(
            "a discarded amount alone",
            6,
            "modifier.discarded-drug",
            "2400 SV101-3",
            put("SV1*HC:J1885", {"1-3": "JW"}),
            severity="warning",
        ),
        seed(
            "a discarded amount with JZ",
            6,
            "modifier.discarded-drug",
            "2400 SV101-3",
            put("SV1*HC:96372", {"1": "HC:J1885:JW"}),
            add("REF*6R*D1-2", "LIN**N4*00409379601~CTP****1*ML"),
            put("SV1*HC:J1885*45", {"1-3": "JZ"}),
            severity="warning",
        ),
        seed(
            "both codes of a device",
            6,
            "therapy.remote-monitoring",
            "2400 SV101-2",
            _line("98985:GP"),
            put("SV1*HC:97110", {"1": "HC:98977:GP", "4": "1"}),
            at=("SV1*HC:98985", ""),
            severity="warning",
        ),
        seed("a modifier twice", 6, "modifier.repeated", "2400 SV101-3", _line("97116:GP:GP")),
        seed(
            "59 and XE",
            6,
            "modifier.conflict",
            "2400 SV101-3",
            put("SV1*HC:97530:59", {"1": "HC:97530:59:XE:GP"}),
        ),
        seed("GA and GZ", 6, "modifier.conflict", "2400 SV101-3", _line("97116:GP:GA:GZ")),
        seed("26 on therapy", 6, "modifier.not-applicable", "2400 SV101-3", _line("97116:GP:26")),
        seed("50 on therapy", 6, "modifier.not-applicable", "2400 SV101-3", _line("97116:GP:50")),
        seed(
            "59 on a visit", 6, "modifier.not-applicable", "2400 SV101-3", put("SV1*HC:99213", {"1-3": "59"})
        ),
        seed(
            "22 on a visit", 6, "modifier.not-applicable", "2400 SV101-3", put("SV1*HC:99213", {"1-3": "22"})
        ),
        seed("25 off a visit", 6, "modifier.not-applicable", "2400 SV101-3", _line("97116:GP:25")),
        seed(
            "51 on therapy",
            6,
            "modifier.not-applicable",
            "2400 SV101-3",
            _line("97116:GP:51"),
            severity="warning",
        ),
        seed(
            "AT off the spine",
            6,
            "modifier.not-applicable",
            "2400 SV101-3",
            _line("97116:GP:AT"),
            severity="warning",
        ),
        seed(
            "the spine without AT",
            6,
            "modifier.missing",
            "2400 SV101-3",
            _line("98941"),
            add("CLM*THERAPY1", "DTP*454*D8*20260601"),
            at=("SV1*HC:98941", ""),
            severity="warning",
        ),
    ]


def _payer() -> list[Defect]:
    chair = SEGMENTS.index(next(s for s in SEGMENTS if s.startswith(CHAIR)))
    copy = "~".join(SEGMENTS[chair : SEGMENTS.index("SE*0*0001")])
    return [
        seed(
            "a claim twice",
            7,
            "duplicate.claim",
            "2300 CLM01",
            before("SE*", copy.replace("CHAIR1", "CHAIR2")),
            shift=0,
        ),
        seed(
            "activities with exercise",
            7,
            "therapy.activities-with-exercise",
            "2400 SV101-3",
            put("SV1*HC:97530:59", {"1": "HC:97530:GP"}),
            severity="warning",
        ),
        seed(
            "activities with an evaluation",
            7,
            "therapy.activities-with-evaluation",
            "2400 SV101-3",
            put("SV1*HC:97530:59", {"1": "HC:97530:GP"}),
            put("SV1*HC:97110", {"1": "HC:97161:GP", "4": "1"}),
            severity="warning",
        ),
        seed(
            "a member id that is none of Medicare's",
            7,
            "code.member-id",
            "2010BA NM109",
            put("NM1*IL*1*HAZEL", {"9": "1AC0SA0AA02"}),
            severity="warning",
        ),
        seed(
            "a line twice",
            7,
            "duplicate.line",
            "2400 SV101-2",
            add(
                "NM1*DK",
                f"LX*2~SV1*HC:E0143:NU*110*UN*1***1~DTP*472*D8*20260616~REF*6R*C1-2~NM1*DK*1*FIR*MORGAN****XX*{npi(30_000_001)}",
            ),
            put(CHAIR, {"2": "220"}),
            shift=2,
            severity="warning",
        ),
        seed(
            "the patient's liability twice",
            4,
            "situation.patient-liability",
            "2320 AMT01",
            add("AMT*D*110", "AMT*EAF*10", SECOND),
            add("DTP*573", "AMT*EAF*10", SECOND),
            shift=1,
            severity="warning",
        ),
        seed(
            "anesthesia by nobody knows whom",
            6,
            "modifier.anesthesia-provider",
            "2400 SV101-3",
            put("SV1*HC:97530:59", {"1": "HC:00400", "3": "MJ", "4": "30"}),
            severity="warning",
        ),
        seed(
            "units of a day on two claims",
            6,
            "history.mue",
            "2400 SV104",
            put("SV1*HC:97530:GP", {"1": "HC:97530:GP:76", "4": "5"}, T2),
            put("DTP*472", {"3": "20260603"}, T2),
            cut("NTE*ADD*TIME", T2),
        ),
        seed(
            "a pair on two claims",
            6,
            "history.ptp",
            "2400 SV101-2",
            put("SV1*HC:97530:GP", {"1": "HC:97750:GP"}, T2),
            put("DTP*472", {"3": "20260603"}, T2),
            put("SV1*HC:97530:59", {"1": "HC:97530:GP"}),
            put("SV1*HC:97110", {"1": "HC:97116:GP"}),
            cut("NTE*ADD*TIME", T2),
        ),
        seed(
            "a service on two claims",
            7,
            "history.duplicate",
            "2400 SV101-2",
            put("DTP*472", {"3": "20260603"}, T2),
            put("SV1*HC:97530:59", {"1": "HC:97530:GP"}),
            put("SV1*HC:97110", {"1": "HC:97116:GP"}),
            cut("NTE*ADD*TIME", T2),
            at=("SV1*HC:97530:GP", T2),
        ),
    ]


def measure(checker: Checker) -> list[tuple[Result, bool]]:
    """Every defect with what came of it, and whether pyx12 complains of its file at all."""
    return [(run(checker, defect), bool(pyx12_oracle.ask(defect.text))) for defect in defects()]


_SNIP = {
    1: "1, syntax",
    2: "2, the guide",
    3: "3, balance",
    4: "4, situation",
    5: "5, code sets",
    6: "6, kind of service",
    7: "7, payer and history",
}


_INTRODUCTION = """\
Into one clean file of eight kinds of claims {count} single defects are seeded, one at a time
(`tests/probe.py`).
A defect is *found* where its rule gives a finding of the right severity and SNIP type, *placed* where that
stands in the right loop, segment, position and element; every other error or warning is *cascade*. The column
of pyx12 says only whether its validator refuses the file, at whatever place and for whatever reason."""


def write_page(measured: Iterable[tuple[Result, bool]]) -> str:
    """The table of results as a page of Markdown."""
    rows = list(measured)
    lines = [
        "# The probe: single defects, and what is found",
        "",
        _INTRODUCTION.format(count=len(rows)),
        "",
        "Written by `python tests/probe.py`; a test holds it current.",
        "",
        "| SNIP type | defects | found | placed | cascade | pyx12 refuses |",
        "|---|---|---|---|---|---|",
    ]
    for snip, name in _SNIP.items():
        lines.append(_count(name, [row for row in rows if row[0].defect.snip == snip]))
    lines.append(_count("all", rows))
    lines += [
        "",
        "| SNIP | defect | rule | severity | where | found | placed | cascade | pyx12 |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for result, refused in rows:
        defect = result.defect
        loop = "" if defect.loop == _segment_of(defect.ref) or defect.loop == "header" else f"{defect.loop} "
        place = f"{loop}{defect.ref if defect.ref != '-' else 'segment'}, {defect.position}"
        lines.append(
            f"| {defect.snip} | {defect.name} | {defect.rule} | {defect.severity} | {place} "
            f"| {_yes(result.found)} | {_yes(result.placed)} | {'; '.join(result.others) or 'none'} "
            f"| {_yes(refused)} |"
        )
    return "\n".join(lines) + "\n"


def _count(name: str, rows: list[tuple[Result, bool]]) -> str:
    found = sum(result.found for result, _ in rows)
    placed = sum(result.placed for result, _ in rows)
    cascade = sum(len(result.others) for result, _ in rows)
    refused = sum(refused for _, refused in rows)
    return f"| {name} | {len(rows)} | {found} | {placed} | {cascade} | {refused} |"


def _yes(it: bool) -> str:
    return "yes" if it else "**no**"


PAGE = Path(__file__).parent.parent / "docs" / "probe.md"


def make_checker() -> Checker:
    """The checker with which the probe is measured."""
    return edi_checker.make_checker(received=date(2026, 11, 21))


if __name__ == "__main__":
    PAGE.write_text(write_page(measure(make_checker())), "utf-8")
