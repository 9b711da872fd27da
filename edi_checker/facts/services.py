"""Which circumstances a procedure code and its modifiers make, by the public ranges of the codes."""

from __future__ import annotations

import re
from functools import lru_cache

_LEVEL_1 = re.compile(r"[0-9]{5}")
_LEVEL_2 = re.compile(r"[A-V][0-9]{4}")

# Anesthesia that is not counted in time: by area of a burn, by the day, labor (payers differ), unlisted.
_ANESTHESIA_WITHOUT_TIME = frozenset((1953, 1967, 1968, 1969, 1996, 1999))

# Tests within 80047-89398 under CLIA; blood banking, skin tests and tests through the skin are left out.
_TESTS = (
    range(80047, 80440),
    range(81000, 81600),
    range(82009, 84833),
    range(85002, 85999),
    range(86000, 86485),
    range(86590, 86850),
    range(87003, 87900),
    range(88104, 88300),
    range(88302, 88310),
    range(89049, 89201),
)
_MAMMOGRAPHY = frozenset((77061, 77062, 77063, 77065, 77066, 77067))
_SURGERY = range(10004, 69991)
_IMAGING = range(70010, 77000)
_PREVENTIVE = (range(99381, 99386), range(99391, 99396))
_SPINAL = range(98940, 98943)
_FOOT_CARE = frozenset((11055, 11056, 11057, 11719, 11720, 11721))
_VISITS = (range(99202, 99206), range(99212, 99216), range(99221, 99240))

_TRANSPORTS = frozenset(("A0426", "A0427", "A0428", "A0429", "A0430", "A0431", "A0432", "A0433", "A0434"))
_CARE_PLANS = frozenset(("G0181", "G0182"))
_ANEMIA_DRUGS = frozenset(("J0881", "J0885", "J0888", "Q5106"))
_OXYGEN = frozenset(
    "E0424 E0431 E0433 E0434 E0439 E0441 E0442 E0443 E0444 E0447 E1390 E1391 E1392 E1405 E1406 K0738".split()  # noqa: SIM905
)
# Codes that say "unlisted", "not otherwise classified" or "miscellaneous".
_UNLISTED_LEVEL_2 = frozenset(
    "A0999 A4335 A4421 A4641 A4649 A4913 A6262 A9150 A9698 A9699 A9900 A9999 B9998 B9999 C9399 E0769 E0770 "  # noqa: SIM905
    "E1399 E1699 J3490 J3590 J7199 J7599 J7699 J7799 J7999 J8499 J8597 J8999 J9999 K0108 K0812 K0898 L0999 "
    "L1499 L2999 L3649 L3999 L5999 L7499 L8039 L8499 L8699 Q4050 Q4051 Q4100 V2199 V2299 V2399 V2499 V2599 "
    "V2799 V5298 V5299".split()
)
_UNLISTED_LEVEL_1 = frozenset(
    "01999 15999 17999 19499 20999 21089 21299 21499 21899 22899 22999 23929 24999 25999 26989 27299 27599 "  # noqa: SIM905
    "27899 28899 29799 29999 30999 31299 31599 31899 32999 33999 36299 37501 37799 38129 38589 38999 39499 "
    "39599 40799 40899 41599 41899 42299 42699 42999 43289 43499 43659 43999 44238 44799 44899 44979 45399 "
    "45499 45999 46999 47379 47399 47579 47999 48999 49329 49659 49999 50549 50949 51999 53899 54699 55559 "
    "55899 58578 58579 58679 58999 59897 59898 59899 60659 60699 64999 66999 67299 67399 67599 67999 68399 "
    "68899 69399 69799 69949 69979 76496 76497 76498 76499 76999 77299 77399 77499 77799 78099 78199 78299 "
    "78399 78499 78599 78699 78799 78999 79999 81099 81479 81599 84999 85999 86486 86849 86999 87999 88099 "
    "88199 88299 88399 88749 89240 89398 90399 90749 90899 90999 91299 92499 92700 93799 93998 94799 95199 "
    "95999 96379 96549 96999 97039 97139 97799 99199 99429 99499 99600".split()
)
_ANESTHESIA = range(100, 2000)


@lru_cache(maxsize=16384)
def kinds_of(code: str, modifiers: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds of `situation` that a line with this code and these modifiers makes; most make none."""
    kinds: list[str] = []
    if _LEVEL_1.fullmatch(code):
        kinds += _of_level_1(int(code), modifiers)
    elif _LEVEL_2.fullmatch(code):
        kinds += _of_level_2(code)
    if "GM" in modifiers:
        kinds.append("shared-ambulance")
    if "GV" in modifiers:
        kinds.append("hospice")
    if "Q0" in modifiers or "Q1" in modifiers:
        kinds.append("clinical-trial")
    return tuple(kinds)


def _of_level_1(code: int, modifiers: tuple[str, ...]) -> list[str]:
    kinds = []
    reading = "26" in modifiers
    if f"{code:05}" in _UNLISTED_LEVEL_1:
        kinds.append("unlisted")
    if code in _ANESTHESIA and code not in _ANESTHESIA_WITHOUT_TIME:
        kinds.append("anesthesia")
    elif any(code in tests for tests in _TESTS):
        if not reading:
            kinds.append("laboratory")
            if "90" in modifiers:
                kinds.append("referred-test")
    elif code in _IMAGING and not reading:
        kinds.append("imaging")
    elif code in _MAMMOGRAPHY and not reading:
        kinds.append("mammography")
    elif code in _SPINAL:
        kinds.append("spinal-manipulation")
    elif code in _FOOT_CARE:
        kinds.append("foot-care")
    elif "EP" in modifiers and any(code in visits for visits in _PREVENTIVE):
        kinds.append("screening")
    if "55" in modifiers and code in _SURGERY:
        kinds.append("post-operative")
    return kinds


def _of_level_2(code: str) -> list[str]:
    kinds = []
    number = int(code[1:])
    if code in _UNLISTED_LEVEL_2:
        kinds.append("unlisted")
    if code in _TRANSPORTS:
        kinds.append("ambulance")
    elif code in _CARE_PLANS:
        kinds.append("care-plan-oversight")
    elif code in _OXYGEN:
        kinds += ["oxygen", "equipment"]
    elif (code[0] == "E" and number >= 100) or (code[0] == "K" and number <= 900):
        kinds.append("equipment")
    elif code == "G0127":
        kinds.append("foot-care")
    elif code[0] == "V" and (2020 <= number <= 2799 or 5030 <= number <= 5267):
        kinds.append("prescription")
    elif code[0] == "J" and 120 <= number <= 9999:
        kinds.append("drug")
    if code in _ANEMIA_DRUGS:
        kinds.append("anemia-drug")
    return kinds


def is_attended(code: str) -> bool:
    """Whether a service is more than a laboratory test or the reading of an image (70010 to 89398)."""
    return not (_LEVEL_1.fullmatch(code) and 70010 <= int(code) <= 89398)


def is_visit_of_a_person(code: str) -> bool:
    """Whether a code is a visit that only a person can make (99202-99205, 99212-99215, 99221-99239)."""
    return _LEVEL_1.fullmatch(code) is not None and any(int(code) in visits for visits in _VISITS)
