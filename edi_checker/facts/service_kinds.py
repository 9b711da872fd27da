"""What a procedure code says of its service that no table holds: no drug, at the patient's side."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from edi_checker.x12.dates import days_between

# CPT codes that are or may hold a drug: immune globulins, vaccines, supplies without a code of their own.
_MAYBE_DRUGS = ((90281, 90399), (90476, 90759), (99070, 99070))
# Letters of level II under which no drug is listed: dental, equipment, behavioral, orthotics,
# radiology, Medicaid, vision and hearing.
_NO_DRUGS = frozenset("DEHLRTV")
# Modalities, hands and equipment on the patient: strapping, splints, wounds, needles, massage, the pool,
# manipulation.
_HANDS_ON = (
    (20560, 20561),
    (29105, 29584),
    (97010, 97039),
    (97113, 97113),
    (97124, 97124),
    (97140, 97140),
    (98925, 98943),
)
_HANDS_ON_WOUNDS = (97597, 97598, 97602, 97605, 97606, 97607, 97608, 97610)
_HANDS_ON_LEVEL_2 = frozenset(("G0281", "G0282", "G0283", "G0295", "G0329"))

Period = Literal["30 days", "month", "episode"]
# Remote monitoring, and in which time each code is billed once: devices, time of treatment, set-up.
MONITORING: dict[str, Period] = {
    **dict.fromkeys(("98976", "98977", "98978", "98984", "98985", "98986", "99445", "99454"), "30 days"),
    **dict.fromkeys(("98979", "98980", "99457", "99470"), "month"),
    **dict.fromkeys(("98975", "99453"), "episode"),
}


def in_one_period(period: Period, one: int | None, other: int | None) -> bool:
    """Whether two days (CCYYMMDD) are certainly of one period of remote monitoring on a claim."""
    if one is None or other is None:
        return False
    if period == "month":
        return one // 100 == other // 100
    return period == "episode" or abs(days_between(one, other)) < 30


@lru_cache(maxsize=16384)
def surely_no_drug(code: str) -> bool:
    """Whether a procedure is beyond doubt no drug."""
    if len(code) != 5 or not code.isascii():
        return False
    if not code.isdigit():
        return code[0] in _NO_DRUGS or code in _HANDS_ON_LEVEL_2
    return not any(first <= int(code) <= last for first, last in _MAYBE_DRUGS)


@lru_cache(maxsize=16384)
def is_hands_on(code: str) -> bool:
    """Whether a procedure needs the provider at the patient's side: CMS has none of these by telehealth."""
    if len(code) != 5 or not code.isascii() or not code.isdigit():
        return code in _HANDS_ON_LEVEL_2
    return int(code) in _HANDS_ON_WOUNDS or any(first <= int(code) <= last for first, last in _HANDS_ON)
