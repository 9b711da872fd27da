"""Which box of the CMS-1500 paper form shows what stands at a place of an 837P claim.

Source: NUCC, 1500 Health Insurance Claim Form Reference Instruction Manual and its map to the 837P (02/12).
"""

from __future__ import annotations

import re
from typing import Any

# By loop and element, or by loop and segment if the whole segment is meant.
_BOXES: dict[str, dict[str, str]] = {
    "2000B": {"SBR01": "1", "SBR02": "6", "SBR03": "11", "SBR04": "11c", "SBR09": "1"},
    "2000C": {"PAT01": "6"},
    "2010BA": {
        # An address and a birth date stand here only if the subscriber is the patient.
        **dict.fromkeys(("NM103", "NM104", "NM105", "NM107"), "4"),
        "NM109": "1a",
        **dict.fromkeys(("N3", "N4"), "5"),
        **dict.fromkeys(("DMG02", "DMG03"), "3"),
    },
    "2010CA": {
        **dict.fromkeys(("NM103", "NM104", "NM105", "NM107"), "2"),
        **dict.fromkeys(("N3", "N4"), "5"),
        **dict.fromkeys(("DMG02", "DMG03"), "3"),
    },
    "2010AA": {
        **dict.fromkeys(("NM103", "NM104", "NM105", "N3", "N4", "PER04"), "33"),
        "NM109": "33a",
    },
    "2000A": {"PRV03": "33b"},
    "2300": {
        "CLM01": "26",
        "CLM02": "28",
        "CLM05-1": "24B",
        "CLM05-3": "22",
        "CLM06": "31",
        "CLM07": "27",
        "CLM08": "13",
        "CLM09": "12",
        "CLM11": "10",
        "HI": "21",
        "NTE": "19",
    },
    "2310A": {**dict.fromkeys(("NM101", "NM103", "NM104"), "17"), "NM109": "17b", "REF": "17a"},
    "2310B": {"NM109": "24J", "PRV03": "24J", "REF": "24J", "NM103": "31", "NM104": "31"},
    "2310C": {**dict.fromkeys(("NM103", "N3", "N4"), "32"), "NM109": "32a", "REF": "32b"},
    "2320": {"SBR03": "9a", "SBR04": "9d"},
    "2330A": {**dict.fromkeys(("NM103", "NM104"), "9"), "NM109": "9a"},
    "2330B": {"NM103": "9d"},
    "2400": {
        "SV101": "24D",
        "SV102": "24F",
        "SV103": "24G",
        "SV104": "24G",
        "SV105": "24B",
        "SV107": "24E",
        "SV109": "24C",
        "SV111": "24H",
        "SV112": "24H",
        "PS102": "20",
    },
    "2420A": {"NM109": "24J", "PRV03": "24J", "REF": "24J"},
}
# By loop, segment and the qualifier in its first element.
_QUALIFIED: dict[tuple[str, str, str], str] = {
    ("2010AA", "REF", "EI"): "25",
    ("2010AA", "REF", "SY"): "25",
    ("2300", "DTP", "431"): "14",
    ("2300", "DTP", "484"): "14",
    **dict.fromkeys(
        (("2300", "DTP", each) for each in ("304", "439", "444", "453", "454", "455", "471")), "15"
    ),
    **dict.fromkeys((("2300", "DTP", each) for each in ("314", "360", "361")), "16"),
    **dict.fromkeys((("2300", "DTP", each) for each in ("096", "435")), "18"),
    ("2300", "REF", "F8"): "22",
    ("2300", "REF", "9F"): "23",
    ("2300", "REF", "G1"): "23",
    ("2300", "REF", "X4"): "23",
    ("2300", "AMT", "F5"): "29",
    ("2400", "DTP", "472"): "24A",
}


# A segment and what follows: the number of an element, or a qualifier behind `*`.
_NAMED = re.compile(
    r"\b(AMT|BHT|CAS|CLM|CN1|CR1|CR2|CRC|CTP|CUR|DMG|DTP|FRM|GE|GS|HCP|HI|HL|IEA|ISA|K3|LIN|LQ|LX|MEA|MOA|N3|N4"
    r"|NM1|NTE|OI|PAT|PER|PRV|PS1|PWK|QTY|REF|SBR|SE|ST|SV1|SV5|SVD|TOO)"
    r"(?:\*([A-Z0-9]{2,3})\b|([0-9]{2}(?:-[0-9])?)\b)"
)


def box_of_fix(finding: dict[str, Any], segment: str = "") -> str:
    """The box in which a finding is fixed: that of its place, or of another that the fix names first, as in
    `Send REF*G1`; `segment` as of box_of.
    """
    where = finding["where"]
    named = _NAMED.search(finding["fix"])
    if named is None or named[1] == where["segment"]:
        return box_of(where, segment)
    if named[2]:
        found = {
            box for (_, name, qualifier), box in _QUALIFIED.items() if (name, qualifier) == named.group(1, 2)
        }
    else:
        found = {boxes[named[1] + named[3]] for boxes in _BOXES.values() if named[1] + named[3] in boxes}
    return found.pop() if len(found) == 1 else ""


def box_of(where: dict[str, Any], segment: str = "") -> str:
    """The box, as `24G`, of a place of a report; "" if the form has none, or not just one, for it.

    `segment` is the text of the segment there, with `*` or any other separator of elements: dates, references
    and amounts say in their first element what they are.
    """
    loop, name, element = where["loop"], where["segment"], where["element"] or ""
    if segment[: len(name)] == name and len(segment) > len(name):
        separator = segment[len(name)]
        qualifier = segment.split(separator, 2)[1]
        if box := _QUALIFIED.get((loop, name, qualifier)):
            return box
    boxes = _BOXES.get(loop, {})
    composite = element.partition("-")[0]
    return boxes.get(element) or boxes.get(composite) or boxes.get(name, "")
