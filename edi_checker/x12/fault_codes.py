"""The codes of a TA1 and 999: what each means, and which of them answer a fault of each kind.

A new code is a row here, with a name where a fault is answered by it, and the name stands under its kind in
ANSWERS. The words are our own; which code stands for what is fact (X12's elements I18, 618, 620, 621, 716
and 718). A code that is not here is one whose meaning is not known, and is never guessed at.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """What a code says, as a sentence or as the end of one about the segment or element, and what to do.

    missing    says that something is not there, so that no value can be shown
    condition  says it because of something else that is sent, which an answer names beside it
    """

    words: str
    advice: str = ""
    missing: bool = False
    condition: bool = False


CODES: dict[str, Code] = {}


def _add(code: str, words: str, advice: str = "", *, missing: bool = False, condition: bool = False) -> str:
    CODES[code] = Code(words, advice, missing, condition)
    return code


# IK304, AK304 of a 997: said of a segment
_add("IK304=1", "has a name that does not exist", "Correct the segment's name or take it out")
SEGMENT_UNEXPECTED = _add(
    "IK304=2", "was not expected at this place", "Take it out, or move it to where the guide has it"
)
SEGMENT_MISSING = _add("IK304=3", "is required here and missing", "Send it", missing=True, condition=True)
LOOP_REPEATED = _add(
    "IK304=4", "opens its loop more often than is allowed", "Leave out the loops that are too many"
)
SEGMENT_REPEATED = _add(
    "IK304=5", "is repeated more often than is allowed", "Leave out the ones that are too many"
)
SEGMENT_OF_OTHER_SETS = _add("IK304=6", "does not exist in this transaction set", "Take it out")
SEGMENT_OUT_OF_ORDER = _add("IK304=7", "is out of order", "Move it to where the guide has it")
SEGMENT_HAS_ERRORS = _add("IK304=8", "has elements with errors", "Correct them")
SEGMENT_NOT_USED = _add("IK304=I4", "is not used by the guide", "Take it out")
_add(
    "IK304=I6",
    "is required by what else is sent, and missing",
    "Send it, or correct what requires it",
    missing=True,
    condition=True,
)
_add("IK304=I7", "opens its loop less often than is required", "Send the missing loops", missing=True)
_add("IK304=I8", "is repeated less often than is required", "Send the missing ones", missing=True)
_add(
    "IK304=I9",
    "must not be sent with what else is sent",
    "Take it out, or correct what forbids it",
    condition=True,
)

# IK403, AK403: said of an element
ELEMENT_MISSING = _add("IK403=1", "is required and missing", "Send a value", missing=True)
ELEMENT_MISSING_BESIDE = _add(
    "IK403=2",
    "is required by another element, and missing",
    "Send a value, or leave the other one out",
    missing=True,
    condition=True,
)
ELEMENT_TOO_MANY = _add("IK403=3", "is one too many", "Take it out")
ELEMENT_TOO_SHORT = _add("IK403=4", "is too short", "Send the whole value")
ELEMENT_TOO_LONG = _add("IK403=5", "is too long", "Shorten it")
ELEMENT_CHARACTER = _add("IK403=6", "has a character that is not allowed", "Take the character out")
ELEMENT_CODE = _add("IK403=7", "is a code that does not exist", "Send a code of the guide's list")
ELEMENT_DATE = _add("IK403=8", "is not a valid date", "Correct the date")
ELEMENT_TIME = _add("IK403=9", "is not a valid time", "Correct the time")
ELEMENT_EXCLUDED = _add(
    "IK403=10", "must not be sent with another element that is sent", "Send one of the two", condition=True
)
ELEMENT_REPEATED = _add("IK403=12", "is repeated too often", "Leave out the ones that are too many")
ELEMENT_COMPONENTS = _add("IK403=13", "has too many components", "Leave out the ones that are too many")
_add("IK403=I6", "is a code that the guide does not use here", "Send a code of the guide's list")
_add(
    "IK403=I9",
    "is required by what else is sent, and missing",
    "Send a value, or correct what requires it",
    missing=True,
    condition=True,
)
ELEMENT_NOT_USED = _add("IK403=I10", "is not used by the guide", "Leave it out")
_add("IK403=I11", "is repeated less often than is required", "Send the missing ones")
ELEMENT_PATTERN = _add("IK403=I12", "is not written as the guide requires", "Correct the way it is written")
_add("IK403=I13", "must not be sent with what else is sent", "Leave it out, or correct what forbids it")

# IK502 to IK506, AK502 to AK506: said of a transaction set
SET_KIND = _add("IK502=1", "transaction sets of this kind are not taken here")
SET_TRAILER = _add("IK502=2", "the SE segment is missing")
SET_NUMBERS_DIFFER = _add("IK502=3", "the control numbers of ST02 and SE02 differ")
SET_COUNT = _add("IK502=4", "SE01 does not count the segments right")
SET_SEGMENTS = _add("IK502=5", "segments have errors")
_add("IK502=6", "ST01, the kind of the set, is missing or not valid")
_add("IK502=7", "ST02, the control number, is missing or not valid")
_add("IK502=18", "the set does not belong into a group of this kind")
_add("IK502=19", "ST03, the version of the guide, is not valid")
SET_NUMBER_TWICE = _add("IK502=23", "the control number in ST02 was used before in this group")
_add("IK502=I5", "segments break rules of the guide")
SET_VERSION = _add("IK502=I6", "the version of the guide in ST03 is not taken here")

# AK905 to AK909: said of a group
GROUP_KIND = _add("AK905=1", "groups of this kind are not taken here")
GROUP_VERSION = _add("AK905=2", "the version in GS08 is not taken here")
GROUP_TRAILER = _add("AK905=3", "the GE segment is missing")
GROUP_NUMBERS_DIFFER = _add("AK905=4", "the control numbers of GS06 and GE02 differ")
GROUP_COUNT = _add("AK905=5", "GE01 does not count the transaction sets right")
GROUP_NUMBER = _add("AK905=6", "the control number in GS06 is not written as it must be")
GROUP_NUMBER_TWICE = _add("AK905=19", "the control number in GS06 was used before in this interchange")

_SECURITY = "an element of encryption or authentication"
for _number in (8, 9, 10, 11, 12, 13, 15, 16, 17):
    _add(f"IK502={_number}", f"{_SECURITY} is not right")
for _number in (24, 25, 26, 27):
    _add(f"IK502={_number}", f"{_SECURITY} is missing")
for _number in range(10, 19):
    _add(f"AK905={_number}", f"{_SECURITY} is not right")
for _number in (23, 24, 25, 26):
    _add(f"AK905={_number}", f"{_SECURITY} is missing")

# TA105: said of an interchange
_add("TA1=000", "nothing is wrong")
INTERCHANGE_NUMBERS_DIFFER = _add("TA1=001", "the control numbers of ISA13 and IEA02 differ")
_add("TA1=002", "the standard that ISA11 names is not taken here")
_add("TA1=003", "the version of the interchange is not taken here")
TERMINATOR = _add("TA1=004", "the segment terminator cannot be used")
_add("TA1=005", "ISA05, the kind of the sender's id, is not valid")
_add("TA1=006", "ISA06, the sender's id, is not valid")
_add("TA1=007", "ISA07, the kind of the receiver's id, is not valid")
_add("TA1=008", "ISA08, the receiver's id, is not valid")
_add("TA1=009", "the receiver of ISA08 is not known")
_add("TA1=010", "ISA01, the kind of authorization, is not valid")
_add("TA1=011", "ISA02, the authorization, is not valid")
_add("TA1=012", "ISA03, the kind of security information, is not valid")
_add("TA1=013", "ISA04, the security information, is not valid")
_add("TA1=014", "ISA09, the date, is not valid")
_add("TA1=015", "ISA10, the time, is not valid")
_add("TA1=016", "ISA11, the standard or repetition separator, is not valid")
INTERCHANGE_VERSION = _add("TA1=017", "ISA12, the version, is not valid")
_add("TA1=018", "ISA13, the control number, is not valid")
_add("TA1=019", "ISA14, the wish for an answer, is not valid")
_add("TA1=020", "ISA15, test or production, is not valid")
INTERCHANGE_COUNT = _add("TA1=021", "IEA01 does not count the groups right")
ENVELOPE = _add("TA1=022", "the envelope is not built right")
END_OF_FILE = _add("TA1=023", "the file ends too early")
BETWEEN_SEGMENTS = _add("TA1=024", "what is between the envelope's segments is not valid")
INTERCHANGE_TWICE = _add("TA1=025", "the control number of ISA13 was used before")
ELEMENT_SEPARATOR = _add("TA1=026", "the element separator cannot be used")
COMPONENT_SEPARATOR = _add("TA1=027", "the component separator cannot be used")
_add("TA1=028", "the delivery date asked for is not valid")
_add("TA1=029", "the delivery time asked for is not valid")
_add("TA1=030", "the code of the delivery time is not valid")
_add("TA1=031", "the grade of service is not valid")

MISSING = frozenset(code for code, said in CODES.items() if said.missing)
CONDITIONS = frozenset(code for code, said in CODES.items() if said.condition)
# An interchange whose IEA01 counts wrong is reported, and its groups are still processed (TA104 = E).
NOTED_ONLY = INTERCHANGE_COUNT.removeprefix("TA1=")

# What may answer a fault of each kind; SEGMENT_HAS_ERRORS goes with each code of an element.
ANSWERS: dict[str, tuple[str, ...]] = {
    "segment": (SET_SEGMENTS, ENVELOPE),
    "segment-unexpected": (
        SEGMENT_UNEXPECTED,
        SEGMENT_OF_OTHER_SETS,
        SEGMENT_NOT_USED,
        SET_SEGMENTS,
    ),
    "segment-missing": (SEGMENT_MISSING,),
    "segment-order": (SEGMENT_OUT_OF_ORDER,),
    "segment-repeat": (SEGMENT_REPEATED,),
    "loop-missing": (SEGMENT_MISSING,),
    "loop-repeat": (LOOP_REPEATED,),
    "element-missing": (ELEMENT_MISSING,),
    "element-not-used": (ELEMENT_NOT_USED,),
    "element-extra": (ELEMENT_TOO_MANY,),
    "element-components": (ELEMENT_REPEATED, ELEMENT_COMPONENTS),
    "element-length": (ELEMENT_TOO_SHORT, ELEMENT_TOO_LONG),
    "element-type": (ELEMENT_CHARACTER, ELEMENT_PATTERN),
    "element-character": (ELEMENT_CHARACTER,),
    "element-code": (ELEMENT_CODE,),
    "element-date": (ELEMENT_DATE, ELEMENT_TIME),
    "element-padding": (),
    "relational": (ELEMENT_MISSING_BESIDE, ELEMENT_EXCLUDED),
    "hierarchy": (ELEMENT_CODE,),
    "line-number": (ELEMENT_CODE,),
    "envelope": (
        SET_TRAILER,
        GROUP_KIND,
        GROUP_TRAILER,
        GROUP_NUMBER,
        BETWEEN_SEGMENTS,
        *(f"TA1={number:03d}" for number in range(5, 21) if number != 9),
    ),
    "control-number": (
        SET_NUMBERS_DIFFER,
        SET_NUMBER_TWICE,
        GROUP_NUMBERS_DIFFER,
        GROUP_NUMBER_TWICE,
        INTERCHANGE_NUMBERS_DIFFER,
    ),
    "count": (SET_COUNT, GROUP_COUNT, INTERCHANGE_COUNT),
    "version": (SET_KIND, SET_VERSION, GROUP_VERSION),
    "truncated": (END_OF_FILE,),
    "delimiter": (TERMINATOR, ENVELOPE, ELEMENT_SEPARATOR, COMPONENT_SEPARATOR),
    "interchange-repeated": (INTERCHANGE_TWICE,),
    "stray-text": (),
    "other-group": (),
    "layout": (),
    "batch-repeated": (),
    "too-many-claims": (),
}
