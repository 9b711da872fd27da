"""Which procedures are evaluation and management beyond doubt, and which are beyond doubt not.

What lies between is left to the payer: some count the codes of eye visits, psychiatric evaluations, remote
monitoring or health centres among the visits, some do not. Modifiers are judged at both ends alone.
"""

from __future__ import annotations

from functools import lru_cache

# CPT: office, hospital, consultation, emergency, critical care, nursing facility, home, preventive medicine.
_VISITS = (
    (99202, 99205),
    (99211, 99215),
    (99217, 99239),
    (99241, 99255),
    (99281, 99285),
    (99291, 99292),
    (99304, 99318),
    (99324, 99337),
    (99341, 99350),
    (99381, 99397),
)
# CPT: anesthesia, surgery without maternity care, radiology, pathology without consultations, and of medicine
# those services that nobody takes for a visit: therapy without its evaluations, manipulation.
_NO_VISITS = (
    (100, 1999),
    (10004, 59399),
    (59510, 69990),
    (70010, 79999),
    (80047, 80499),
    (81000, 88319),
    (88341, 89398),
    (92507, 92508),
    (92526, 92526),
    (97010, 97150),
    (97530, 97546),
    (97597, 97610),
    (97750, 97799),
    (98925, 98943),
)


@lru_cache(maxsize=16384)
def surely_visit(code: str) -> bool:
    """Whether a procedure is evaluation and management beyond doubt."""
    return _within(code, _VISITS)


@lru_cache(maxsize=16384)
def surely_no_visit(code: str) -> bool:
    """Whether a procedure is beyond doubt not evaluation and management."""
    return _within(code, _NO_VISITS)


def _within(code: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    if len(code) != 5 or not code.isascii() or not code.isdigit():
        return False
    return any(first <= int(code) <= last for first, last in ranges)
