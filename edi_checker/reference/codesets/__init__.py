"""Code sets that need no table: NPI check digits, therapy disciplines, releasing modifiers, E/M codes."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

Discipline = Literal["GP", "GO", "GN"]

# The modifiers that name the plan of care: physical therapy, occupational therapy, speech-language pathology
# (Medicare Claims Processing Manual, ch. 5, section 20.1).
DISCIPLINES: tuple[Discipline, ...] = ("GP", "GO", "GN")

# NCCI-associated modifiers (NCCI Policy Manual, ch. I, section E). 24, 25 and 57 are so on E/M codes alone.
_RELEASING = frozenset(
    "E1 E2 E3 E4 FA F1 F2 F3 F4 F5 F6 F7 F8 F9 TA T1 T2 T3 T4 T5 T6 T7 T8 T9 LT RT LC LD "  # noqa: SIM905
    "RC LM RI 58 78 79 27 59 91 XE XS XP XU".split()
)
_RELEASING_ON_VISITS = _RELEASING | {"24", "25", "57"}


@lru_cache(maxsize=65536)
def npi_valid(npi: str) -> bool:
    """Whether a National Provider Identifier has ten digits and the right last one.

    ISO/IEC 7812 (Luhn) over the number with the prefix 80840 that stands for health applications in the
    United States; the prefix alone adds 24 to the sum (45 CFR 162.406).
    """
    if len(npi) != 10 or not npi.isascii() or not npi.isdigit():
        return False
    total = 24
    for index, digit in enumerate(npi):
        value = int(digit)
        # Counted from the right the check digit is the first: the digits at even indices are doubled.
        if index % 2 == 0:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


@lru_cache(maxsize=4096)
def therapist(taxonomy: str) -> Discipline | Literal[""]:
    """The discipline of a therapist or therapist assistant by provider taxonomy code, "" for anybody else.

    NUCC Health Care Provider Taxonomy: 2251 and 225200000X physical therapist and assistant, 225X and 224Z
    occupational, 235Z and 2355S speech-language.
    """
    head = taxonomy[:4]
    if head == "2251" or taxonomy == "225200000X":
        return "GP"
    if head in ("225X", "224Z"):
        return "GO"
    if head == "235Z" or taxonomy[:5] == "2355S":
        return "GN"
    return ""


@lru_cache(maxsize=16384)
def is_visit(code: str) -> bool:
    """Whether a procedure is evaluation and management, in the wide sense in which modifier 25 is used.

    Wide on purpose: a code counted in here that a payer counts out lets a modifier release a pair, and that
    errs on the side of the claim.
    """
    if len(code) != 5:
        return False
    if code.isascii() and code.isdigit():
        return 99201 <= int(code) <= 99499 or code in ("92002", "92004", "92012", "92014")
    return code in (
        "G0402",
        "G0438",
        "G0439",
        "G0463",
        "G0245",
        "G0246",
        "G0380",
        "G0381",
        "G0382",
        "G0383",
        "G0384",
    )


@lru_cache(maxsize=16384)
def releasing(code: str, modifiers: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a line's modifiers that release a procedure-to-procedure edit with indicator 1, in order."""
    accepted = _RELEASING_ON_VISITS if is_visit(code) else _RELEASING
    return tuple(m for m in modifiers if m in accepted)
