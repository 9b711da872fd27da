"""Answers told in plain words: ours, published ones of others, damaged ones, and any text at all."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.acks import Acknowledger, number_elements, words
from edi_checker.acks.answered import WorkList
from edi_checker.acks.explain import Statement, explain, whole_outcome, worst
from edi_checker.acks.narrator import Narrator
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.claim import Claim
from edi_checker.cli import commands
from edi_checker.facts import Setting
from edi_checker.guide.table import load
from edi_checker.reference.tables import built_in
from edi_checker.reports.answer_text import open_console, write_statements
from edi_checker.reports.answered_json import write_json
from edi_checker.x12.blocks import NotClaims, NotX12
from generate_claims import generate
from paths import CORPUS, facts_table

PUBLISHED = sorted(path for kind in ("999", "277ca", "ta1") for path in (CORPUS / kind).glob("*"))
GUIDE = load()

ISA = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'BROOK':15}*ZZ*{'ALDER':15}*261121*1200*^*00501*000000001*0*T*:~"
IEA = "IEA*1*000000001~"


def told(text: str | bytes) -> list[Statement]:
    return list(explain(io.BytesIO(text.encode() if isinstance(text, str) else text), GUIDE))


def ack999(body: str, group: str = "AK1*HC*17*005010X222A1~", end: str = "AK9*R*1*1*0~") -> list[Statement]:
    """What is said of a 999 with this body; the last statement but none is of the file."""
    middle = f"ST*999*0001*005010X231A1~{group}{body}{end}SE*5*0001~"
    return told(f"{ISA}GS*FA*BROOK*ALDER*20261121*1200*1*X*005010X231A1~{middle}GE*1*1~{IEA}")


def ack277(body: str) -> list[Statement]:
    head = "ST*277*0001*005010X214~BHT*0085*08*R1*20261121*1200*TH~HL*1**20*1~NM1*PR*2*BROOK*****PI*B1~"
    batch = "TRN*1*R1~HL*2*1*21*1~NM1*41*2*ALDER*****46*A1~TRN*2*BATCH1~STC*A1:19:PR*20261121*WQ*100~"
    provider = "HL*3*2*19*1~NM1*85*2*ALDER CLINIC*****XX*1234567893~TRN*1*0~STC*A1:19:PR**WQ*100~"
    patient = "HL*4*3*PT~NM1*QC*1*ASPEN*IRIS****MI*M100~"
    return told(
        f"{ISA}GS*HN*B*A*20261121*1200*1*X*005010X214~{head}{batch}{provider}{patient}{body}SE*9*0001~GE*1*1~{IEA}"
    )


def of_claims(statements: list[Statement]) -> list[Statement]:
    return [one for one in statements if one.about == "claim"]


def text_of(text: str) -> tuple[str, str]:
    out = io.StringIO()
    statements = told(text)
    write_statements(open_console(out, width=80, colour=False), statements)
    return out.getvalue(), whole_outcome((one.about, one.outcome) for one in statements)


# TA1


@pytest.mark.parametrize(
    ("code", "note", "outcome", "says"),
    [
        ("A", "000", "accepted", "Interchange 000000905 is accepted."),
        ("E", "021", "noted", "IEA01 does not count the groups right"),
        ("R", "025", "rejected", "the control number of ISA13 was used before"),
        ("R", "000", "rejected", "and no reason is given"),
        ("R", "099", "rejected", "code 099, whose meaning is not known here"),
        ("Q", "000", "unclear", "answered with Q, whose meaning is not known here"),
        ("", "", "unclear", "without a verdict"),
    ],
)
def test_ta1(code: str, note: str, outcome: str, says: str) -> None:
    (statement,) = told(f"{ISA}TA1*000000905*261120*0930*{code}*{note}~{IEA}")
    assert (statement.answer, statement.about, statement.outcome) == ("TA1", "interchange", outcome)
    assert says in statement.text
    assert bool(statement.advice) == (outcome in ("rejected", "noted"))


# 999


def test_999_names_claim_element_and_what_to_do() -> None:
    group, of_set, error = ack999(
        "AK2*837*0002*005010X222A1~IK3*CLM*22*2300*8~CTX*CLM01:PT-7~IK4*2*782*1~IK5*R*5~"
    )
    assert (group.about, group.outcome) == ("group", "rejected")
    assert "0 of 1 transaction set accepted" in group.text
    assert of_set.text == "Transaction set 0002 is rejected: segments have errors."
    assert "send the whole set again" in of_set.advice
    assert (error.claim, error.position, error.element) == ("PT-7", 22, "CLM02")
    assert (error.transaction, error.codes) == ("0002", ("IK304=8", "IK403=1"))
    assert error.text.startswith("Claim PT-7: CLM02 (")
    assert error.text.endswith("segment 22 of the set, loop 2300, is required and missing.")
    assert error.advice == "Send a value."


def test_999_says_why_a_segment_is_asked_for() -> None:
    *_, error = ack999(
        "AK2*837*0003~IK3*REF*57**3~CTX*SITUATIONAL TRIGGER*CLM*43**5:3*C023:1325~CTX*CLM01:P~IK5*R*5~"
    )
    assert "because of CLM05-3 in segment 43" in error.text
    assert error.element is None


def test_999_component_other_than_the_one_of_isa16() -> None:
    *_, error = ack999("AK2*837*1~IK3*SV1*30*2400*8~CTX*CLM01>PT-8~IK4*1>3*1339*7~IK5*R*5~")
    assert (error.claim, error.element) == ("PT-8", "SV101-3")


def test_999_every_element_of_a_segment_is_told() -> None:
    statements = ack999("AK2*837*1~IK3*SV1*30*2400*8~IK4*2*782*1~IK4*4*380*6~IK5*R*5~")
    assert [one.element for one in statements if one.about == "segment"] == ["SV102", "SV104"]


def test_999_names_of_the_guide_only_for_its_own_claims() -> None:
    body = "AK2*834*1~IK3*NM1*5*2100A*8~IK4*9*67*1~IK5*R*5~"
    *_, error = ack999(body, group="AK1*BE*3*005010X220A1~")
    assert error.text == "NM109, segment 5 of the set, loop 2100A, is required and missing."


def test_999_error_in_an_accepted_set_is_noted() -> None:
    statements = ack999("AK2*837*1~IK3*N4*9*2010AA*8~IK4*3*116*4~IK5*E*5~", end="AK9*E*1*1*1~")
    assert {one.outcome for one in statements} == {"noted"}


def test_999_group_rejected_as_a_whole() -> None:
    (group,) = ack999("", end="AK9*R*3*3*0*2*5~")
    assert group.text.endswith(
        "the version in GS08 is not taken here; GE01 does not count the transaction sets right."
    )
    assert group.codes == ("AK905=2", "AK905=5")
    assert "send the whole group again" in group.advice


def test_999_unknown_codes_are_said_to_be_unknown() -> None:
    statements = ack999("AK2*837*1~IK3*CLM*2**Z9~IK4*1**Y8~IK5*Q*X7~", end="AK9*P*2*2*1~")
    said = " ".join(one.text for one in statements)
    assert "has the error Y8, whose meaning is not known here" in said
    assert "answered with Q, whose meaning is not known here" in said
    assert "code X7, whose meaning is not known here" in said


@pytest.mark.parametrize("id", ["CLM", "HL", "LX"])
@pytest.mark.parametrize("code", ["1", "2", "4", "6", "I4"])
def test_999_what_opens_a_claim_is_never_to_be_taken_out(id: str, code: str) -> None:
    *_, error = ack999(f"AK2*837*1~IK3*{id}*22*2300*{code}~IK5*R*5~")
    assert re.match("Do not take it out|Send what is too many separately", error.advice)


def test_999_a_segment_that_the_guide_has_is_not_to_be_taken_out_as_unknown() -> None:
    ours, elsewhere, other = (
        ack999(f"AK2*{body}~IK5*R*5~", group=f"AK1*{group}~")[-1].advice
        for body, group in (
            ("837*1~IK3*REF*22*2300*6", "HC*1*005010X222A1"),
            ("837*1~IK3*REF*22*2400*6", "HC*1*004010X098"),
            ("834*1~IK3*HL*22**6", "BE*1*005010X220A1"),
        )
    )
    assert ours.startswith("The guide has this segment here")
    assert elsewhere == other == "Take it out."


@pytest.mark.parametrize(
    ("sets", "end", "said"),
    [
        ("A R", "AK9*P*2*2*1", []),
        ("R", "AK9*P*5*5*4", []),  # those that were accepted may be left out
        ("A R", "AK9*A*2*2*2", ["Group 17: 0 sets are counted as rejected, but 1 listed."]),
        ("A", "AK9*R*1*1*0", ["Group 17: 0 sets are counted as accepted, but 1 listed."]),
        ("E A", "AK9*A*1*1*1", [
            "Group 17: 1 sets are counted as received, but 2 listed.",
            "Group 17: 1 sets are counted as accepted, but 2 listed.",
        ]),
        ("A", "AK9*A", []),
    ],
)  # fmt: skip
def test_999_more_sets_than_the_group_counts_are_said(sets: str, end: str, said: list[str]) -> None:
    body = "".join(f"AK2*837*{number}~IK5*{verdict}~" for number, verdict in enumerate(sets.split()))
    assert [one.text for one in ack999(body, end=f"{end}~") if " counted" in one.text] == said


def test_999_what_came_twice_is_not_to_be_sent_again() -> None:
    (group,) = ack999("", end="AK9*R*1*1*0*19~")
    assert group.advice.startswith("If it was sent twice, do nothing")
    _, of_set = ack999("AK2*837*1~IK5*R*23~")
    assert of_set.advice.startswith("If it was sent twice, do nothing")


def test_997_is_told_as_a_999() -> None:
    body = "ST*997*0001~AK1*HC*17~AK2*837*1~AK3*CLM*22**8~AK4*2*782*1~AK5*R*5~AK9*R*1*1*0~SE*8*0001~"
    statements = told(f"{ISA}GS*FA*B*A*20261121*1200*1*X*004010~{body}GE*1*1~{IEA}")
    assert [one.outcome for one in statements] == ["rejected"] * 3
    assert statements[2].element == "CLM02"


def test_errors_without_end_are_counted() -> None:
    statements = ack999("AK2*837*1~" + "IK3*CLM*22*2300*8~" * 1500 + "IK5*R*5~")
    assert statements[-1].text == "500 more segments have errors."
    assert len(statements) == 1003


# 277CA


def test_277ca_accepted_claim() -> None:
    (claim,) = of_claims(ack277("TRN*2*PT-1~STC*A2:20*20261121*WQ*100~REF*1K*PAYER7~DTP*472*D8*20261101~"))
    assert (claim.outcome, claim.claim, claim.advice) == ("accepted", "PT-1", "")
    assert claim.text == "Claim PT-1: accepted for processing. The payer's number is PAYER7."


def test_277ca_rejected_claim_with_several_codes_and_text() -> None:
    body = "TRN*2*PT-2~STC*A8:562:85*20261121*U*500******A8:128:85*A6:453*SEE THE MANUAL~"
    (claim,) = of_claims(ack277(body))
    assert claim.outcome == "rejected"
    assert claim.codes == ("A8:562:85", "A8:128:85", "A6:453")
    assert claim.text == (
        "Claim PT-2: rejected, values do not fit each other: NPI of the billing provider; tax id of the "
        "billing provider; rejected, something is missing: modifiers of the procedure. "
        'The answer says: "SEE THE MANUAL"'
    )
    assert "send the claim again as a new one" in claim.advice


def test_277ca_lines_follow_their_claim() -> None:
    body = (
        "TRN*2*PT-3~STC*A3:247*20261121*U*350~SVC*HC:97530:GP*350*****1~STC*A8:453**U*******A8:454~REF*FJ*2~"
        "TRN*2*PT-4~STC*A2:20*20261121*WQ*10~"
    )
    statements = ack277(body)[2:]
    assert [(one.about, one.claim, one.outcome) for one in statements] == [
        ("claim", "PT-3", "rejected"),
        ("line", "PT-3", "rejected"),
        ("claim", "PT-4", "accepted"),
    ]
    assert statements[1].text.startswith("Line 2 of claim PT-3, 97530: ")
    assert statements[0].advice == "See its lines."


def test_277ca_names_nobody() -> None:
    said = json.dumps([one.text + one.id + one.advice for one in ack277("TRN*2*PT-5~STC*A7:158:QC**U*1~")])
    assert "birth date of the patient" in said
    for secret in ("ASPEN", "IRIS", "M100"):
        assert secret not in said


@pytest.mark.parametrize(
    ("stc", "outcome", "says"),
    [
        ("A7:9999:85*20261121*U", "rejected", "status 9999, whose meaning is not known here, of the billing"),
        ("A7:562:ZQ*20261121*U", "rejected", "NPI of the party with the code ZQ"),
        ("A7:562*20261121*U", "rejected", "NPI of a party that is not named"),
        ("Z1:20*20261121*U", "unclear", "category Z1, whose meaning is not known here"),
        ("Z1:20*20261121*WQ", "unclear", "category Z1, whose meaning is not known here"),
        ("A1:19*20261121*WQ", "received", "received, nothing decided yet"),
        ("A1:20*20261121", "received", "received, nothing decided yet"),
        ("Z1:20*20261121", "unclear", "category Z1, whose meaning is not known here"),
        ("*20261121*U", "unclear", "without a status"),
        ("P1:20", "noted", "in process"),
        ("A7:562:85*20261121*WQ", "rejected", "but the action code WQ says accepted"),
        ("A2:20*20261121*U", "unclear", "but the action code U says rejected"),
        ("A1:19*20261121*U", "unclear", "but the action code U says rejected"),
        ("R1:294:85*20261121*U", "rejected", "but the action code U says rejected"),
        ("A2:20*20261121*WQ*1******A7:562:85", "rejected", "but the action code WQ says accepted"),
    ],
)  # fmt: skip
def test_277ca_codes_that_say_little(stc: str, outcome: str, says: str) -> None:
    (claim,) = of_claims(ack277(f"TRN*2*PT-6~STC*{stc}~"))
    assert claim.outcome == outcome
    assert says in claim.text


def test_277ca_counts_say_what_no_claim_does() -> None:
    """A provider rejected as a whole has no claims below it."""
    batch = "TRN*2*B~STC*A1:19:PR*20261121*WQ*1000~QTY*90*1~QTY*AA*2~AMT*YU*200~AMT*YY*800~"
    provider = "NM1*85*2*X*****FI*99~STC*A3:496:85**U*800~QTY*QC*2~AMT*YY*800~"
    body = f"ST*277*1*005010X214~HL*1**20*1~HL*2*1*21*1~{batch}HL*3*2*19*0~{provider}SE*9*1~"
    first, second = told(f"{ISA}GS*HN*B*A*20261121*1200*1*X*005010X214~{body}GE*1*1~{IEA}")
    assert "1 claim of $200.00 accepted, 2 claims of $800.00 rejected" in first.text
    assert first.outcome == "rejected"
    assert second.outcome == "rejected"
    assert "99" not in second.text
    assert "None of this provider's claims was taken" in second.advice


@pytest.mark.parametrize("stc", ["A7:562:85*20261121*WQ", "Z1:20*20261121*WQ", "A2:20*20261121*U"])
def test_277ca_nothing_is_sent_again_where_category_and_action_differ(stc: str) -> None:
    (claim,) = of_claims(ack277(f"TRN*2*PT-6~STC*{stc}~"))
    assert claim.codes[-1].startswith("STC03=")
    assert "which of the two holds" in claim.advice


@pytest.mark.parametrize("stc", ["A2:20*2026*WQ", "A7:562:85*2026*U", "A2:20*2026", "P1:20*2026*WQ"])
def test_277ca_an_action_that_agrees_is_not_said(stc: str) -> None:
    (claim,) = of_claims(ack277(f"TRN*2*PT-6~STC*{stc}~"))
    assert "action" not in claim.text


def file_277(batch: str, body: str) -> str:
    """A batch of one provider; both with the segments given."""
    head = f"ST*277*1*005010X214~HL*1**20*1~HL*2*1*21*1~TRN*2*B~{batch}HL*3*2*19*1~NM1*85*2*X*****XX*1~"
    return f"{ISA}GS*HN*B*A*20261121*1200*1*X*005010X214~{head}{body}SE*9*1~GE*1*1~{IEA}"


def claim_277(id: str, stc: str) -> str:
    return f"HL*4*3*PT~NM1*QC*1*A*B****MI*M1~TRN*2*{id}~STC*{stc}~"


GOOD, BAD = claim_277("C1", "A2:20*20261121*WQ*100"), claim_277("C2", "A7:562:85*20261121*U*50")
RECEIPT = "STC*A1:19:PR*20261121*WQ*150~"


@pytest.mark.parametrize("level", ["batch", "provider", "claim", "line"])
@pytest.mark.parametrize(
    ("codes", "says"),
    [
        ("A8:746", "if it is new, send it with new control numbers"),
        ("A3:54", "If it was sent twice, do nothing"),
        ("A3:78", "wait for the answer to the first one"),
        ("A3:718", "Do not send it again"),
        ("A3:21*20261121*U*1******A3:718", "Do not send it again"),  # whatever other codes say
        ("Z1:746", "if it is new, send it with new control numbers"),
    ],
)
def test_277ca_what_came_twice_or_late_is_never_to_be_sent_again(level: str, codes: str, says: str) -> None:
    stc = f"STC*{codes}~"
    text = {
        "batch": file_277(stc, ""),
        "provider": file_277("", stc),
        "claim": file_277("", claim_277("C", codes)),
        "line": file_277("", claim_277("C", "A3:247") + f"SVC*HC:97530*50*****1~{stc}"),
    }[level]
    (said,) = [one for one in told(text) if one.about == level]
    assert says in said.advice
    assert "again as a new one" not in said.advice
    assert "as a new file" not in said.advice


@pytest.mark.parametrize(
    ("batch", "provider", "claims", "said"),
    [
        (
            "QTY*90*1~QTY*AA*1~AMT*YU*100~AMT*YY*50~",
            "QTY*QA*1~QTY*QC*1~AMT*YU*100~AMT*YY*50~",
            GOOD + BAD,
            [],
        ),
        ("", "", GOOD + BAD, []),
        ("QTY*90*1~QTY*AA*2~", "", "", []),  # none is listed
        ("QTY*90*2~", "", GOOD + GOOD, []),
        ("QTY*90*2~", "", GOOD, ["Batch B: 2 claims are counted as accepted, but 1 listed as accepted."]),
        (
            "QTY*90*2~",
            "QTY*QA*1~QTY*QC*1~",
            GOOD + BAD,
            [
                "Batch B: 2 claims are counted as accepted, but 1 listed as accepted.",
                "Batch B: 0 claims are counted as rejected, but 1 listed as rejected.",
            ],
        ),
        ("", "QTY*QC*1~", GOOD, [
            "Billing provider 1: 0 claims are counted as accepted, but 1 listed as accepted.",
            "Billing provider 1: 1 claim is counted as rejected, but 0 listed as rejected.",
        ]),
        ("QTY*90*1~AMT*YU*99~", "", GOOD,
         ["Batch B: charges of $99.00 counted as accepted, but $100.00 listed."]),
        ("QTY*90*1~AMT*YU*99~", "", claim_277("C", "A2:20*20261121*WQ"), []),  # its charge is not said
        ("QTY*90*3~", "", GOOD + claim_277("C3", "A1:19*20261121*WQ*1"),
         ["Batch B: 3 claims are counted, but 2 listed."]),
        ("QTY*90*2~", "", GOOD + claim_277("C3", "A1:19*20261121*WQ*1"), []),
        # A provider that was rejected as a whole lists none of its claims, and counts them.
        ("QTY*90*1~QTY*AA*3~", "", GOOD + "HL*5*2*19*0~NM1*85*2*Y*****XX*2~STC*A3:496:85**U*9~QTY*QC*3~", []),
        ("QTY*90*1~QTY*AA*3~", "", GOOD + "HL*5*2*19*0~NM1*85*2*Y*****XX*2~STC*A3:496:85**U*9~", []),
        ("QTY*90*1~QTY*AA*2~", "", GOOD + "HL*5*2*19*0~NM1*85*2*Y*****XX*2~STC*A3:496:85**U*9~QTY*QC*3~",
         ["Batch B: 2 claims are counted as rejected, but 3 listed as rejected."]),
    ],
)  # fmt: skip
def test_277ca_totals_that_differ_from_the_list_are_said(batch, provider, claims, said) -> None:
    text = file_277(RECEIPT + batch, RECEIPT + provider + claims)
    found = [one for one in told(text) if re.search(" counted.* listed", one.text)]
    assert [one.text for one in found] == said
    assert {one.outcome for one in found} <= {"unclear"}
    cut = text[: text.index("SE*9")]  # what is cut off may lack claims
    assert not any(re.search("Batch.* counted.* listed", one.text) for one in told(cut))


@pytest.mark.parametrize(
    ("claims", "batch", "outcome"),
    [
        (claim_277("C", "A1:19*20261121*WQ*1"), "", "received"),
        (GOOD, "", "accepted"),
        (GOOD + claim_277("C", "A1:19*20261121*WQ*1"), "", "received"),
        (claim_277("C", "A1:19*20261121*WQ*1******A2:20"), "", "accepted"),
        ("", "", "received"),
        ("", "QTY*90*2~", "accepted"),
        (BAD + claim_277("C", "A1:19*20261121*WQ*1"), "", "rejected"),
        (claim_277("C", "Z1:20*20261121*WQ"), "", "unclear"),
    ],
)
def test_277ca_what_was_received_is_not_yet_accepted(claims: str, batch: str, outcome: str) -> None:
    text = file_277(RECEIPT + batch, RECEIPT + claims)
    assert text_of(text)[1] == outcome


# Whole files


def test_an_837_is_no_answer() -> None:
    with pytest.raises(NotClaims, match=r"an 837 .*`edi-checker check` checks it"):
        told("".join(generate(1)))


def test_an_answer_that_breaks_off_is_not_taken_as_accepted() -> None:
    statements = told(f"{ISA}TA1*000000905*261120*0930*A*000~")
    assert [one.outcome for one in statements] == ["accepted", "unclear"]


def test_an_empty_answer_says_so() -> None:
    (statement,) = told(f"{ISA}{IEA}")
    assert statement.text == "The file holds no TA1, 999 or 277CA."


def test_other_delimiters() -> None:
    text = f"{ISA}TA1*000000905*261120*0930*R*022~{IEA}".translate(str.maketrans("*~:", "|\n>"))
    assert told(text)[0].outcome == "rejected"


def test_text_and_json_say_the_same() -> None:
    text = f"{ISA}TA1*000000905*261120*0930*R*022~{IEA}"
    shown, outcome = text_of(text)
    assert shown.startswith("REJECTED Interchange 000000905 is rejected: the envelope is not built right.")
    assert "\n         > Nothing in it was processed." in shown
    assert shown.endswith("\n\nSomething was rejected.\n")
    out = io.StringIO()
    with WorkList() as work:
        work.take_answers("day.ta1", told(text))
        work.join()
        write_json(work, out, "1")
    made = json.loads(out.getvalue())
    assert made["schema"] == "edi-checker/explain-ack/1"
    assert made["outcome"] == outcome == "rejected"
    assert [one["codes"] for one in made["told"]] == [["TA1=022"]]


def test_nothing_in_the_file_can_move_the_cursor() -> None:
    shown, _ = text_of(f"{ISA}TA1*\x1b[2J\u202e9*261120*0930*R*022~{IEA}")
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_worst() -> None:
    assert worst(["accepted", "noted"]) == "noted"
    assert worst(["unclear", "accepted"]) == "unclear"
    assert worst(["unclear", "rejected"]) == "rejected"
    assert worst([]) == "unclear"


# Ours


@pytest.fixture(scope="module")
def ours() -> dict[str, object]:
    """The answers to a batch with faults, and what the checker said of each claim."""
    text = "".join(generate(60, seed=4, invalid=0.4, per_transaction=20)).replace("*0*P*:~", "*1*P*:~")
    checker = Checker(GUIDE, Engine(BOOK, "python"), Setting(20261121, built_in()))
    acknowledger = Acknowledger(20261121, number_elements(GUIDE))
    outcomes = {}
    for one in checker.check(io.BytesIO(text.encode())):
        acknowledger.add(one)
        if isinstance(one.part, Claim):
            outcomes[one.part.id] = one.outcome
    answers = acknowledger.finish()
    assert answers.ack277ca is not None
    assert answers.ack999 is not None
    made = {"277": answers.ack277ca.read(), "999": answers.ack999.read(), "outcomes": outcomes}
    answers.close()
    return made


def test_our_277ca_is_told_claim_by_claim(ours) -> None:
    statements = told(ours["277"])
    assert {one.id: one.outcome for one in of_claims(statements)} == ours["outcomes"]
    assert "not known" not in " ".join(one.text for one in statements)
    assert all(one.advice for one in of_claims(statements) if one.outcome == "rejected")


def test_our_999_is_told_with_its_ta1(ours) -> None:
    statements = told(ours["999"])
    assert statements[0].answer == "TA1"
    assert {one.answer for one in statements} == {"TA1", "999"}
    assert "not known" not in " ".join(one.text for one in statements)
    of_segments = [one for one in statements if one.about == "segment"]
    assert of_segments
    rejected = {claim for claim, outcome in ours["outcomes"].items() if outcome == "rejected"}
    assert {one.claim for one in of_segments} - {None} <= rejected


# Others'


@pytest.mark.skipif(not PUBLISHED, reason="the public corpus is not there")
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem[:60])
def test_published(path: Path) -> None:
    text = path.read_text(encoding="utf-8-sig")
    statements = told(path.read_bytes())
    rejects = re.search(r"IK5\*R|TA1\*.*\*R\*|STC\*A[3678][:|]", text) is not None
    assert worst(one.outcome for one in statements) == ("rejected" if rejects else "accepted")
    assert "not known" not in " ".join(one.text for one in statements if "invalid" not in path.stem)
    # Every claim that the answer names is told.
    named = re.findall(r"CTX\*CLM01.([^*~:|]+)", text) + re.findall(r"NM1\*QC[^~]*~\s*TRN\*2\*([^~]+)", text)
    assert {one.claim for one in statements} >= set(named)


# Words


def test_every_listed_status_has_words() -> None:
    rows = facts_table("stc_codes.csv")
    assert len(rows) > 40
    assert [row["status_code"] for row in rows if row["status_code"] not in words.STATUSES] == []
    assert [row["category"] for row in rows if row["category"] not in words.CATEGORIES] == []


def test_words_are_short_and_read_as_the_end_of_a_sentence() -> None:
    for code, text in words.STATUSES.items():
        assert code.isdigit(), code
        assert len(text) < 90, code
        assert not text.endswith("."), code
        assert text.format(who="x"), code


# Segment by segment, as the HTML page shows our own

SAID = [
    ("TA1*000000905*260201*1200*R*023", "Interchange 000000905 is rejected: the file ends too early."),
    ("TA1*000000905*260201*1200*A*000", "Interchange 000000905 is accepted."),
    ("AK1*HC*17*005010X222A1", "Answers group 17 of the claims file (005010X222A1)."),
    ("IK3*N3*9*2010*3", "Segment N3, number 9 of the set, loop 2010, is required here and missing."),
    ("IK3*CLM*22*2300*8", "Segment CLM, number 22 of the set, loop 2300, has elements with errors."),
    ("IK4*5:3*1325*7*9", "CLM05-3 is a code that does not exist. Its value: 9."),
    ("IK4*2*782*99", "CLM02 has the error 99, whose meaning is not known here."),
    ("CTX*CLM01:C1", "It belongs to claim C1."),
    ("CTX*SITUATIONAL TRIGGER*CLM*43**5:3", "What makes it necessary: CLM05-3 in segment 43."),
    ("IK5*R*5*2", "The transaction set is rejected: segments have errors; the SE segment is missing."),
    ("AK9*P*3*2*1", "The group is accepted in part; 1 of 2 transaction sets accepted."),
    ("BHT*0085*08*R1*20260301*1200*TH", "Answer R1, made on 2026-03-01."),
    ("HL*2*1*21*1", "Information receiver: who sent the claims."),
    ("TRN*2*B1", "Batch B1 of the claims file (BHT03)."),
    ("QTY*AA*3", "Claims rejected in all: 3."),
    ("AMT*YY*12.5", "Charges rejected: $12.5."),
    ("HL*3*2*19*1", "Billing provider of the claims that follow."),
    ("NM1*85*2*CLINIC*****XX*1", "Billing provider: CLINIC, id 1."),
    ("TRN*1*0", "No number to trace it."),
    ("STC*A1:19:PR**WQ*100", "Received, nothing decided yet. Charge $100."),
    ("HL*4*3*PT", "Patient of the claims that follow."),
    ("TRN*2*C1", "Claim C1."),
    ("STC*A7:562:85**U*500", "Rejected, something is not valid: NPI of the billing provider. Charge $500."),
    ("STC*Z9:128:ZZ", "Category Z9, whose meaning is not known here: tax id of the party with the code ZZ."),
    ("DTP*472*RD8*20260115-20260117", "Date of service 2026-01-15 to 2026-01-17."),
    ("SVC*HC:97530:GP*350*****1", "Service line that made the claim fail: 97530 GP, $350, units 1."),
    ("TRN*2*C2", "Claim C2."),
    ("ZZZ*1", ""),
    ("HL*5*3*ZZ", ""),
    ("", ""),
]


def test_words_of_each_segment() -> None:
    narrator = Narrator()
    assert [(text, narrator.say(text.split("*")).text) for text, _ in SAID] == SAID


def test_segments_name_their_claim_and_verdict() -> None:
    narrator = Narrator()
    rows = {text: narrator.say(text.split("*")) for text, _ in SAID}
    assert {text: row.claim for text, row in rows.items() if row.claim} == {
        "CTX*CLM01:C1": "C1",
        "TRN*2*C1": "C1",
        "TRN*2*C2": "C2",
    }
    assert {text.partition("*")[0] for text, row in rows.items() if row.outcome} == {
        "TA1", "IK3", "IK4", "IK5", "AK9", "STC",
    }  # fmt: skip
    assert rows["AK9*P*3*2*1"].outcome == "noted"


@given(st.lists(st.text("AZ09:*-{who}", max_size=12), min_size=1, max_size=20), st.sampled_from(SAID))
def test_words_of_any_segment(elements, said) -> None:
    name = said[0].partition("*")[0]
    assert isinstance(Narrator().say([name, *elements]).text, str)


@pytest.mark.long
@given(st.text("AZ09:", max_size=12), st.text("AZ09:", max_size=3), st.text("AZ09", max_size=3))
def test_the_page_and_explain_ack_have_the_same_words(status, code, note) -> None:
    """What one says of a status, an element's error or a verdict, the other says too."""
    row = Narrator().say(f"STC*{status}**U*1".split("*"))
    (claim,) = of_claims(ack277(f"TRN*2*C~STC*{status}**U*1~"))
    assert row.text.lower().removesuffix(". charge $1.") in claim.text.lower()
    (said, *_) = told(f"{ISA}TA1*000000905*260120*0930*{code[:1]}*{note}~{IEA}")
    assert Narrator().say(["TA1", "000000905", "260120", "0930", code[:1], note]).text == said.text


# Any text

SEGMENTS = """
TA1 GS*FA ST ST*999*1 ST*277*1 AK1 AK1*HC*1 AK2*837*1 IK3*CLM*2*2300*8 IK4*1:2:3*9*1 IK4*x CTX CTX*CLM01:
CTX*SITUATIONAL_TRIGGER*CLM*x**5:y IK5*R*5 AK9 AK9*R*1*1*0 SE*1*1 HL HL*1**20 HL*2*1*21 HL*3*2*PT TRN*2
TRN*2*A STC STC*A7:::*x*U STC*::: SVC SVC*HC REF*FJ REF*1K*9 QTY*90*x QTY*AA*-1 AMT*YU*1e9
NM1*85*2******XX*9 GE IEA ISA
"""
PIECE = st.sampled_from([piece.replace("_", " ") for piece in SEGMENTS.split()])


@pytest.mark.long
@settings(max_examples=300)
@given(st.lists(st.one_of(PIECE, st.text(max_size=12)), max_size=14), st.sampled_from("~\n|*"))
def test_any_segments_can_be_told(pieces: list[str], terminator: str) -> None:
    text = ISA[:-1] + terminator + terminator.join(pieces)
    out = io.StringIO()
    try:
        write_statements(open_console(out, width=80, colour=False), told(text))
    except NotX12:
        return
    assert out.getvalue()


def test_a_set_without_a_number_is_no_acknowledgement() -> None:
    with pytest.raises(
        NotClaims, match=r"^a transaction set \(without a number in ST01\), no acknowledgement"
    ):
        told(ISA.encode() + b"ST~")


@settings(max_examples=100)
@example(b"ST", True)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_told_or_refused(data: bytes, as_answer: bool) -> None:
    try:
        assert told((ISA.encode() if as_answer else b"") + data)
        return
    except NotX12 as error:
        refused = str(error)
    # Behind an ISA only a set of another kind is refused.
    assert not as_answer or "no acknowledgement" in refused


# The command


def command(*arguments: object, **options: object) -> Result:
    return CliRunner().invoke(commands, ["explain-ack", *map(str, arguments)], **options)


@pytest.mark.parametrize(("verdict", "code"), [("A*000", 0), ("E*021", 0), ("R*022", 1), ("Q*000", 2)])
def test_command_exit_codes(tmp_path: Path, verdict: str, code: int) -> None:
    path = tmp_path / "day.ta1"
    path.write_text(f"{ISA}TA1*000000905*261120*0930*{verdict}~{IEA}")
    done = command(path)
    assert (done.exit_code, done.stderr) == (code, "")
    assert "Interchange 000000905" in done.stdout
    assert json.loads(command(path, "--format", "json").stdout)["told"][0]["id"] == "000000905"


@pytest.mark.parametrize(
    ("claims", "batch", "code", "last"),
    [
        (GOOD, "QTY*90*1~", 0, "Everything that is answered here was accepted."),
        (claim_277("C", "A1:19*20261121*WQ*1"), "", 0, "what was received is not yet said to be accepted."),
        (claim_277("C", "Z1:20*20261121*WQ*1"), "", 2, "do not take it as accepted."),
        (claim_277("C", "Z1:20*20261121*U*1"), "", 2, "do not take it as accepted."),
        (claim_277("C", "A2:20*20261121*U*1"), "", 2, "do not take it as accepted."),
        (claim_277("C", "A7:562:85*20261121*WQ*1"), "", 1, "Something was rejected. Claims rejected: 1."),
        (GOOD, "QTY*90*2~", 2, "do not take it as accepted."),
        (GOOD + BAD, "QTY*90*2~", 1, "Something was rejected. Claims rejected: 1."),
    ],
)
def test_command_on_files_of_claims(tmp_path: Path, claims: str, batch: str, code: int, last: str) -> None:
    path = tmp_path / "day.277ca"
    path.write_text(file_277(RECEIPT + batch, RECEIPT + claims))
    done = command(path)
    assert (done.exit_code, done.stderr) == (code, "")
    assert " ".join(done.stdout.split()).endswith(last)


@pytest.mark.long
def test_command_reads_standard_input() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edi_checker", "explain-ack", "-"],
        input=f"{ISA}TA1*000000905*261120*0930*A*000~{IEA}",
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("accepted Interchange 000000905")


@pytest.mark.parametrize("text", ["", "no X12 at all", None])
def test_command_refuses_what_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "day.ta1"
    if text is not None:
        path.write_text(text)
    done = command(path)
    assert done.exit_code == 2
    assert done.stderr.startswith("edi-checker: ")
    assert "Traceback" not in done.stderr
