"""Where an answer ends: the longest names and words, the largest amounts, the most codes."""

from __future__ import annotations

import pytest

from edi_checker.claims.claim import Transaction
from edi_checker.x12.finding import Place
from test_acks import ONE, answer, at_claim, make_finding, on_claim, recount


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


@pytest.mark.parametrize(
    ("charge", "answered"),
    [("99999999.99", "99999999.99"), ("1000000000000000", "0"), ("-1000000000000000", "0")],
)
def test_the_largest_charge(charge, answered):
    written = answer(ONE.replace("CLM*C1*100*", f"CLM*C1*{charge}*"), faults=False)
    (row,) = [row for row in written.rows("ack277ca", "STC") if row.startswith("STC*A2:20")]
    assert row.split("*")[4] == answered
    assert ("CLM02 cannot be read" in row) is (answered == "0")


def test_that_a_charge_cannot_be_read_is_said_once():
    text = ONE.replace("CLM*C1*100*", "CLM*C1*1E9*")
    errors = [at_claim("A8:453", message="First."), at_claim("A8:454", message="Second.")]
    rows = answer(text, on_claim("C1", *errors), faults=False).rows("ack277ca", "STC")
    assert rows[2:] == [
        "STC*A8:453*20261121*U*0********CLM02 cannot be read and counts as 0. First.",
        "STC*A8:454*20261121*U*0********Second.",
    ]


@pytest.mark.parametrize("code", ["21", "402", "510", "511", "512", "700", "732"])
def test_a_code_that_does_not_say_what_is_wrong_has_another_beside_it(code):
    rows = answer(ONE, on_claim("C1", at_claim(f"A7:{code}"))).rows("ack277ca", "STC")
    assert rows[2] == f"STC*A7:{code}*20261121*U*100******A7:481**Something is wrong."
    rows = answer(ONE, on_claim("C1", at_claim(f"A7:{code}", "A7:562:85"))).rows("ack277ca", "STC")
    assert rows[2] == f"STC*A7:{code}*20261121*U*100******A7:562:85**Something is wrong."


def test_a_segment_has_at_most_so_many_elements_in_error():
    errors = [
        lambda claim, at=at: make_finding(claim.place("CLM", f"CLM{at:02d}"), ack999=("IK403=1",))
        for at in range(1, 100)
    ]
    written = answer(ONE, on_claim("C1", *errors))
    assert [row.split("*")[1] for row in written.rows("ack999", "IK4")] == [str(at) for at in range(1, 100)]
    errors += [lambda claim: make_finding(claim.place("CLM", "CLM01"), ack999=("IK403=2",))]
    assert len(answer(ONE, on_claim("C1", *errors)).rows("ack999", "IK4")) == 99


def test_a_set_and_a_group_have_at_most_five_codes():
    def find(part):
        if not isinstance(part, Transaction):
            return []
        where = Place("000000905", "1", "0001", None, None, "header", "ST", part.position, None)
        codes = tuple(f"{name}={code}" for name in ("IK502", "AK905") for code in range(1, 7))
        return [make_finding(where, ack999=codes)]

    rows = answer(ONE, find).rows("ack999", "IK5", "AK9")
    assert rows == ["IK5*R*1*2*3*4*5", "AK9*R*1*1*0*1*2*3*4*5"]


@pytest.mark.parametrize(
    ("sent", "answered"), [("*261120*0930*", "*261120*0930*"), ("*26112 *093 *", "*261121*1200*")]
)
def test_a_ta1_repeats_date_and_time_where_they_have_their_form(sent, answered):
    text = ONE.replace("*261120*0930*", sent).replace("*000000905*0*T", "*000000905*1*T")
    (row,) = answer(text, faults=False).rows("ack999", "TA1")
    assert row == f"TA1*000000905{answered}A*000"
