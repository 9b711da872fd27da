"""What an answer repeats is cut where the element that holds it ends, at the very character."""

from __future__ import annotations

import pytest

from test_acks import ONE, answer, at_claim, on_claim, recount


def letters(count: int) -> str:
    return "".join(chr(ord("A") + number % 26) for number in range(count))


NAMES = [
    ("NM1*IL*1*{}*IRIS****MI*M2", "NM1*QC*1*{}*IRIS****MI*M2", 60),
    ("NM1*IL*1*ASPEN*{}****MI*M2", "NM1*QC*1*ASPEN*{}****MI*M2", 35),
    ("NM1*IL*1*ASPEN*IRIS*{}***MI*M2", "NM1*QC*1*ASPEN*IRIS*{}***MI*M2", 25),
    ("NM1*IL*1*ASPEN*IRIS****MI*{}", "NM1*QC*1*ASPEN*IRIS****MI*{}", 80),
    ("NM1*85*2*{}*****XX*1234567893", "NM1*85*2*{}*****XX*1234567893", 60),
    ("NM1*41*2*{}*****46*A1", "NM1*41*2*{}*****46*A1", 60),
    ("NM1*40*2*{}*****46*B1", "NM1*PR*2*{}*****46*B1", 60),
    ("CLM*{}", "TRN*2*{}", 50),
    ("BHT*0019*00*{}*20261120*0930*CH", "TRN*2*{}", 50),
]


@pytest.mark.parametrize(("sent", "answered", "longest"), NAMES)
def test_a_name_of_the_277ca(sent, answered, longest):
    place = sent.partition("{}")[0]
    start = ONE.index(place) + len(place)
    end = min(ONE.index(sign, start) for sign in "*~")
    for count in (longest, longest + 1):
        text = ONE[:start] + letters(count) + ONE[end:]
        rows = answer(recount(text), faults=False).rows("ack277ca", "NM1", "TRN")
        assert answered.format(letters(longest)) in rows


@pytest.mark.parametrize("count", [263, 264, 265, 400])
def test_the_words_of_a_status(count):
    written = answer(ONE, on_claim("C1", at_claim("A8:453", message=letters(count))))
    (row,) = [row for row in written.rows("ack277ca", "STC") if row.startswith("STC*A8:453")]
    assert row == f"STC*A8:453*20261121*U*100********{letters(min(count, 264))}"
