"""Which 277CA status answers a fault of the file's form: what is at its place, missing or wrong."""

from __future__ import annotations

from edi_checker.x12 import fault_codes
from edi_checker.x12.blocks import Fault

# The levels that a 277CA reports. What is wrong above them, TA1 and 999 answer, and no 277CA follows.
_TOLD = frozenset(("provider", "subscriber", "patient", "claim"))

# These say what is wrong with a value and not with which: they lead, and the code of the value follows.
_CHARACTER, _LENGTH = "511", "512"
_NATURE = {
    fault_codes.ELEMENT_TOO_SHORT: _LENGTH,
    fault_codes.ELEMENT_TOO_LONG: _LENGTH,
    fault_codes.ELEMENT_CHARACTER: _CHARACTER,
}
# The claim has a syntax error that the 999 of its accepted set (IK5*E) shows.
_SYNTAX = "684"

# The entity that a loop speaks of.
_ENTITY = {
    "2000A": "85",
    "2010AA": "85",
    "2010AB": "87",
    "2010BA": "IL",
    "2010BB": "PR",
    "2010CA": "QC",
    "2330A": "IL",
    "2330B": "PR",
    "2310A": "DN",
    "2310B": "82",
    "2310C": "77",
    "2310D": "DQ",
    "2420A": "82",
    "2420B": "QB",
    "2420C": "77",
    "2420D": "DQ",
    "2420E": "DK",
    "2420F": "DN",
}
# The segment stands where it should not: what it holds may be right.
_OUT_OF_PLACE = frozenset(
    ("segment-unexpected", "segment-order", "loop-repeat", "hierarchy", "line-number", "segment")
)
# Segments of many meanings, by the name that the guide gives to this one or to its element.
_OF_NAME = {
    "Date - Service Date": "187",
    "Service Date": "187",
    "Billing Provider Tax Identification": "128:85",
    "Billing Provider Tax Identification Number": "128:85",
}
_WITH_NPI = frozenset(("82", "77", "85", "DK", "DN", "DQ"))

# Status code by element or segment; `+` asks for the entity of the loop.
_CODE_OF = {
    "NM103": "125+",
    "NM104": "125+",
    "N301": "126+",
    "N401": "126+",
    "N402": "126+",
    "N403": "500+",
    "N3": "126+",
    "N4": "126+",
    "PRV03": "145+",
    "PRV": "145+",
    "DMG02": "158+",
    "DMG03": "157+",
    "DMG": "158+",
    "SBR09": "480",
    "PAT01": "156",
    "PAT": "156",
    "CLM01": "478",
    "CLM02": "178",
    "CLM05-1": "249",
    "CLM05-3": "535",
    "HI": "255",
    **{f"HI{number:02d}{part}": "255" for number in range(2, 13) for part in ("", "-1", "-2")},
    "SV1": "454",
    "SV101": "454",
    "SV101-2": "454",
    "SV101-3": "453",
    "SV101-4": "453",
    "SV101-5": "453",
    "SV101-6": "453",
    "SV101-7": "306",
    "SV102": "583",
    "SV104": "476",
    "SV105": "249",
    "SV107": "477",
    "SV107-1": "477",
    "SV107-2": "477",
    "SV107-3": "477",
    "SV107-4": "477",
}


def answer_fault(fault: Fault, level: str) -> tuple[str, ...]:
    """The statuses (category:code[:entity]), the leading one first; () if no 277CA reports the fault.

    `level` is that of the fault fact. A6 says that something is missing, A7 that it is wrong. Where no code
    of source 508 names what stands at the place, 684 refers to the 999.
    """
    if level not in _TOLD or not any(answer.startswith("IK") for answer in fault.answers):
        return ()
    category = "A6" if fault_codes.MISSING.intersection(fault.answers) else "A7"
    code = f"{category}:{_code_of(fault) or _SYNTAX}"
    nature = next((_NATURE[answer] for answer in fault.answers if answer in _NATURE), "")
    return (f"{category}:{nature}", code) if nature else (code,)


def _code_of(fault: Fault) -> str:
    """The status code of what stands at the place of the fault, with the entity; "" where there is none."""
    segment, loop, at = fault.segment, fault.loop, fault.element
    entity = _ENTITY.get(loop, "")
    if fault.kind in _OUT_OF_PLACE:
        return ""
    if at == "NM109":
        if entity == "IL":
            return "164:IL"
        return f"{'562' if entity in _WITH_NPI else '153'}:{entity}" if entity else ""
    if segment == "NM1" and not at:
        return f"125:{entity}" if entity else ""
    if segment == "HI" and (at[:4] == "HI01" or fault.kind == "segment-missing"):
        return "254"
    if fault.name in _OF_NAME:
        return _OF_NAME[fault.name]
    code = _CODE_OF.get(at or segment, "")
    if not code.endswith("+"):
        return code
    return f"{code[:-1]}:{entity}" if entity else ""
