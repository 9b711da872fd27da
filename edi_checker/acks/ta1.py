"""TA1: whether the interchange itself came through."""

from __future__ import annotations

from edi_checker.acks.interchange import Day, Spool, clean, digits
from edi_checker.claims.claim import Interchange


def write_ta1(out: Spool, answered: Interchange, verdict: str, note: str, day: Day) -> None:
    """One TA1 segment. `verdict` is A, E or R (TA104), `note` three digits (TA105).

    Where ISA09, ISA10 or ISA13 of the interchange do not have their form, which a TA1 must echo, the date and
    time of receipt and zeros stand in their place.
    """
    sent, at = (digits(answered.value(9), 6), digits(answered.value(10), 4))
    number = digits(clean(answered.control_number, 9), 9)
    out.write(
        "TA1",
        number.rjust(9, "0"),
        sent if len(sent) == 6 else day.date[2:],
        at if len(at) == 4 else day.time,
        verdict,
        note,
    )
