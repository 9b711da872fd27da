"""The acknowledgements: what each says of which parts, held to the grammar in ack_grammar.py.

Claims come from text through the reader; the faults that it notes stand for findings, and a test adds the
findings of the rules it speaks of.
"""

import io
import random
import re
import tracemalloc
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyx12.x12file import X12Reader

from ack_grammar import complaints, parse, split
from edi_checker import make_checker
from edi_checker.acks import Acknowledger, number_elements
from edi_checker.acks.ack277ca import _intermediary, statuses
from edi_checker.acks.interchange import Numbers, Spool, Wanted, clean
from edi_checker.check.checker import Outcomes
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Level,
    Patient,
    Subscriber,
    Transaction,
    TransactionEnd,
)
from edi_checker.claims.reader import read_parts
from edi_checker.cli import commands
from edi_checker.facts.levels import level_of
from edi_checker.facts.statuses import answer_fault
from edi_checker.guide.table import load as load_guide
from edi_checker.x12.blocks import Fault, read_blocks
from edi_checker.x12.finding import Finding, Place, Status
from edi_checker.x12.money import x12_amount
from generate_claims import generate

SAMPLES = Path(__file__).parent.parent / "samples" / "837p"
RECEIVED = 20261121
NUMBER_OF = number_elements(load_guide())

ISA = (
    "ISA*00*          *00*          *ZZ*ALDER          *ZZ*BROOK          *261120*0930"
    "*^*00501*000000905*{ask}*T*:~"
)
GS = "GS*HC*ALDER*BROOK*20261120*0930*{gs}*X*{version}~"
HEAD = (
    "ST*837*{st}*005010X222A1~BHT*0019*00*B{st}*20261120*0930*CH~"
    "NM1*41*2*ALDER BILLING*****46*A1~PER*IC*DESK*TE*6145550100~NM1*40*2*BROOK HEALTH*****46*B1~"
)
PROVIDER = (
    "HL*{hl}**20*1~NM1*85*2*ALDER CLINIC*****XX*1234567893~N3*1 CANAL STREET~N4*COLUMBUS*OH*432150001~"
    "REF*EI*990001001~"
)
SUBSCRIBER = (
    "HL*{hl}*{up}*22*0~SBR*P*18*******CI~NM1*IL*1*ASPEN*IRIS****MI*M{hl}~N3*2 MILL ROAD~"
    "N4*COLUMBUS*OH*432150002~DMG*D8*19480412*F~NM1*PR*2*BROOK HEALTH*****PI*B1~"
)
CLAIM = "CLM*{id}*{charge}***11:B:1*Y*A*Y*Y~HI*ABK:M6281~"
LINE = "LX*{lx}~SV1*HC:{code}:GP*{charge}*UN*2***1~DTP*472*D8*{day}~REF*6R*{id}-{lx}~"


def make_claim(id="C1", lines=((10000, "97530"),), charge=None, day=20261102):
    total = sum(cents for cents, _ in lines) if charge is None else charge
    body = "".join(
        LINE.format(lx=lx, code=code, charge=x12_amount(cents), day=day, id=id)
        for lx, (cents, code) in enumerate(lines, 1)
    )
    return CLAIM.format(id=id, charge=x12_amount(total) if isinstance(total, int) else total) + body


def make_set(*providers, st="0001"):
    """A set of providers, each a list of patients, each a list of claims (text)."""
    text, hl = HEAD.format(st=st), 0
    for patients in providers:
        hl += 1
        up = hl
        text += PROVIDER.format(hl=hl)
        for claims in patients:
            hl += 1
            text += SUBSCRIBER.format(hl=hl, up=up) + "".join(claims)
    return text + f"SE*{text.count('~') + 1}*{st}~"


def recount(text):
    """The text of one set with its SE01 made right again."""
    rows = text.split("~")
    begin, end = (next(i for i, row in enumerate(rows) if row.startswith(name)) for name in ("ST*", "SE*"))
    return text.replace(rows[end], f"SE*{end - begin + 1}*{rows[end].split('*')[2]}")


def make_file(*sets, ask=0, version="005010X222A1", groups=None, iea="IEA*{n}*000000905~"):
    groups = groups if groups is not None else [sets]
    text = ISA.format(ask=ask)
    for number, sets_of_group in enumerate(groups, 1):
        text += GS.format(gs=number, version=version) + "".join(sets_of_group)
        text += f"GE*{len(sets_of_group)}*{number}~"
    return text + iea.format(n=len(groups))


ONE = make_file(make_set([[make_claim()]]))


def place_of(part, fault):
    match part:
        case Interchange():
            names = (part.control_number, None, None)
        case Group():
            names = (part.interchange.control_number, part.control_number, None)
        case InterchangeEnd():
            names = (part.interchange.control_number, None, None)
        case GroupEnd():
            names = (part.group.interchange.control_number, part.group.control_number, None)
        case _:
            own = part if isinstance(part, Transaction) else part.transaction
            number = own.group.control_number if own.group is not None else None
            names = (own.interchange.control_number, number, own.control_number)
    claim = line = None
    if isinstance(part, Claim):
        claim = part.id
        if fault.loop.startswith("24"):
            line = max((each.ordinal for each in part.lines if each.position <= fault.position), default=None)
    return Place(*names, claim, line, fault.loop, fault.segment, fault.position, fault.element or None)


def make_finding(
    where, *, rule="test.rule", severity="error", snip=1, message="Something is wrong.", **status
):
    return Finding(rule, severity, snip, message, "", "", where, related=status.pop("related", ()),
                   status=Status(**status))  # fmt: skip


def of_fault(part, fault):
    ack999 = tuple(a for a in fault.answers if not a.startswith("TA1="))
    ta1 = next((a[4:] for a in fault.answers if a.startswith("TA1=")), None)
    severity = "error" if fault.answers else "warning"
    where = place_of(part, fault)
    level = "claim" if isinstance(part, Claim) else level_of(part)
    return make_finding(
        where,
        rule=f"x.{fault.kind}",
        severity=severity,
        ack999=ack999,
        ack277ca=answer_fault(fault, level),
        ta1=ta1,
        related=(where._replace(element=fault.trigger),) if fault.trigger else (),
    )


def check(text, find=lambda _: (), isolation="claim", crash=lambda _: "", faults=True):
    """The checked parts of a text; `find` and `crash` say what the rules make of a part beside its faults."""
    outcomes = Outcomes(isolation)
    stream = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    for part in read_parts(read_blocks(stream), load_guide()):
        findings = tuple(of_fault(part, fault) for fault in part.faults if faults) + tuple(find(part))
        failed = crash(part)
        yield Checked(part, findings, outcomes.of(part, findings, failed), failed)


class Written:
    """The answers to a stream of checked parts, as text, each held to the grammar."""

    def __init__(self, stream, grammatical=True):
        acknowledger = Acknowledger(RECEIVED, NUMBER_OF)
        for checked in stream:
            acknowledger.add(checked)
        answers = acknowledger.finish()
        self.ack999, self.ack277ca, self.ta1 = (
            stream.read().decode() if stream is not None else None
            for stream in (answers.ack999, answers.ack277ca, answers.ta1)
        )
        self.withheld = answers.withheld
        answers.close()
        if grammatical:
            assert self.complaints() == []

    def complaints(self):
        return [c for text in (self.ack999, self.ack277ca, self.ta1) if text for c in complaints(text)]

    def rows(self, kind, *names):
        """The segments with these ids, in order."""
        text = getattr(self, kind) or ""
        return [s for s in text.replace("\n", "").split("~")[:-1] if not names or s.split("*")[0] in names]


def answer(text, *args, **kwargs):
    return Written(check(text, *args, **kwargs))


def on_claim(id, *findings):
    """Findings (as functions of the claim) for one claim."""
    return lambda part: [f(part) for f in findings] if isinstance(part, Claim) and part.id == id else []


def at_level(kind, *codes, element="NM109", when=lambda _: True, snip=6):
    """An error of each part of that kind."""

    def find(part):
        if not isinstance(part, kind) or not when(part):
            return []
        where = Place(
            "000000905", "1", "0001", None, None, "2010AA", element[:-2], part.position + 1, element
        )
        return [make_finding(where, snip=snip, ack277ca=codes)]

    return find


def at_claim(*codes, **more):
    return lambda claim: make_finding(claim.place("CLM"), snip=6, ack277ca=codes, **more)


def on_line(ordinal, *codes, **more):
    return lambda claim: make_finding(
        claim.lines[ordinal - 1].place("SV1", "SV101-2"), snip=6, ack277ca=codes, **more
    )


def test_a_clean_claim_is_accepted_in_both():
    """The whole of both answers, word for word."""
    written = answer(ONE)
    assert written.rows("ack999")[1:] == [
        "GS*FA*BROOK*ALDER*20261121*1200*"
        + (number := written.rows("ack999", "GS")[0].split("*")[6])
        + "*X*005010X231A1",
        "ST*999*0001*005010X231A1",
        "AK1*HC*1*005010X222A1",
        "AK2*837*0001*005010X222A1",
        "IK5*A",
        "AK9*A*1*1*1",
        "SE*6*0001",
        f"GE*1*{number}",
        "IEA*1*" + written.rows("ack999", "ISA")[0].split("*")[13],
    ]
    reference = written.rows("ack277ca", "BHT")[0].split("*")[3]
    assert written.rows("ack277ca")[2:-2] == [
        "ST*277*0001*005010X214",
        f"BHT*0085*08*{reference}*20261121*1200*TH",
        "HL*1**20*1",
        "NM1*PR*2*BROOK HEALTH*****46*B1",
        f"TRN*1*{reference}",
        "DTP*050*D8*20261121",
        "DTP*009*D8*20261121",
        "HL*2*1*21*1",
        "NM1*41*2*ALDER BILLING*****46*A1",
        "TRN*2*B0001",
        "STC*A1:19:PR*20261121*WQ*100",
        "QTY*90*1",
        "AMT*YU*100",
        "HL*3*2*19*1",
        "NM1*85*2*ALDER CLINIC*****XX*1234567893",
        "TRN*1*0",
        "STC*A1:19:PR**WQ*100",
        "QTY*QA*1",
        "AMT*YU*100",
        "HL*4*3*PT",
        "NM1*QC*1*ASPEN*IRIS****MI*M2",
        "TRN*2*C1",
        "STC*A2:20*20261121*WQ*100",
        "DTP*472*D8*20261102",
        "SE*25*0001",
    ]
    assert written.ta1 is None
    assert written.withheld == ()


def test_the_answer_goes_back_to_the_sender():
    head = answer(ONE).ack999.split("~")[0]
    assert len(head) == 105
    assert head.startswith(
        "ISA*00*          *00*          *ZZ*BROOK          *ZZ*ALDER          *261121*1200*^*00501*"
    )
    assert head.endswith("*0*T*:")


def test_an_element_fault_is_placed_and_repeated():
    text = ONE.replace("11:B:1", "11:X:1")
    assert answer(text).rows("ack999", "AK2", "IK3", "CTX", "IK4", "IK5", "AK9") == [
        "AK2*837*0001*005010X222A1",
        "IK3*CLM*18*2300*8",
        "CTX*CLM01:C1",
        "IK4*5:2*1332*7*X",
        "IK5*E*5",
        "AK9*E*1*1*1",
    ]


def test_a_claim_with_a_syntax_error_is_rejected_in_the_277():
    written = answer(ONE.replace("11:B:1", "11:X:1"))
    assert written.rows("ack277ca", "QTY", "AMT") == ["QTY*AA*1", "AMT*YY*100", "QTY*QC*1", "AMT*YY*100"]
    assert written.rows("ack277ca", "STC")[2:] == ["STC*A7:684*20261121*U*100********Something is wrong."]


def test_two_element_faults_of_a_segment_share_one_ik3():
    text = ONE.replace("C1*100***11:B:1*Y", "C1*100***11:X:1*Q")
    assert answer(text).rows("ack999", "IK3", "IK4") == [
        "IK3*CLM*18*2300*8",
        "IK4*5:2*1332*7*X",
        "IK4*6*1073*7*Q",
    ]


def test_the_loop_is_cut_to_four_characters():
    """Element 447 holds four: the trade writes 2010 for 2010AA."""
    text = recount(ONE.replace("N3*1 CANAL STREET~", ""))
    assert answer(text).rows("ack999", "IK3") == ["IK3*N3*8*2010*3"]


def test_a_fault_outside_of_claims_has_no_business_unit():
    assert answer(ONE.replace("*ZZ*", "*ZZ*").replace("NM1*85*2", "NM1*85*9")).rows("ack999", "CTX") == []


def at_element(at, code, related=()):
    return lambda claim: make_finding(
        claim.place("CLM", at), ack999=("IK304=8", f"IK403={code}"), related=related
    )


@pytest.mark.parametrize(
    ("value", "repeated"),
    [("QQQ", "QQQ"), ("Q\x07Q", ""), ("Q^Q", ""), ("Q" * 150, "Q" * 99), (" Q", "Q"), ("Qü", "Qü"), ("", "")],
)
def test_a_bad_value_is_repeated_only_as_it_was_sent(value, repeated):
    text = ONE.replace("CLM*C1*100*", f"CLM*C1*100*{value}")
    written = Written(check(text, on_claim("C1", at_element("CLM03", "7"))))
    found = [row for row in written.rows("ack999", "IK4") if row.startswith("IK4*3*1032*7")]
    assert found == [f"IK4*3*1032*7*{repeated}" if repeated else "IK4*3*1032*7"]


def test_no_value_is_repeated_for_what_is_missing():
    written = answer(ONE, on_claim("C1", at_element("CLM05", "I9")))
    assert written.rows("ack999", "IK4") == ["IK4*5**I9"]


@pytest.mark.parametrize("code", ["1", "2", "I9"])
def test_no_value_is_repeated_for_what_should_be_there(code):
    """Whatever stands at that place, it is not what the code speaks of."""
    assert answer(ONE, on_claim("C1", at_element("CLM02", code))).rows("ack999", "IK4") == [
        f"IK4*2*782*{code}"
    ]


@pytest.mark.parametrize("component", ":>")
def test_a_composite_is_not_repeated_whole(component):
    text = ONE.replace(":", component)
    assert answer(text, on_claim("C1", at_element("CLM05", "7"))).rows("ack999", "IK4") == ["IK4*5**7"]


def test_what_made_an_item_required_is_named():
    trigger = Place("000000905", "1", "0001", "C1", None, "2010BA", "SBR", 14, "SBR02")
    written = answer(ONE, on_claim("C1", at_element("CLM11", "I9", related=(trigger,))))
    assert written.rows("ack999", "IK3", "CTX", "IK4") == [
        "IK3*CLM*18*2300*8",
        "CTX*CLM01:C1",
        "IK4*11**I9",
        "CTX*SITUATIONAL TRIGGER*SBR*14*2010*2*1069",
    ]


@pytest.mark.parametrize("code", ["3", "I6", "I9"])
def test_what_made_a_segment_required_is_named_as_in_the_published_example(code):
    """CLM05-3 asks for the payer's claim number: the trigger stands before the claim."""
    trigger = Place("000000905", "1", "0001", "C1", None, "2300", "CLM", 18, "CLM05-3")
    missing = Place("000000905", "1", "0001", "C1", None, "2300", "REF", 19, None)
    finding = make_finding(missing, ack999=(f"IK304={code}",), related=(trigger,))
    written = answer(ONE, on_claim("C1", lambda _: finding))
    assert written.rows("ack999", "IK3", "CTX") == [
        f"IK3*REF*19*2300*{code}",
        "CTX*SITUATIONAL TRIGGER*CLM*18*2300*5:3",
        "CTX*CLM01:C1",
    ]


def test_a_place_outside_of_loops_names_none():
    text = ONE.replace("0930*CH~", "2561*CH~")
    assert answer(text).rows("ack999", "IK3", "IK4") == ["IK3*BHT*2**8", "IK4*5*337*9*2561"]


def test_the_places_of_a_set_are_bounded(monkeypatch):
    """The guide of the 999 ends at 99,999; what is beyond is counted in the verdict and not listed."""
    monkeypatch.setattr("edi_checker.acks.ack999._MOST_SEGMENTS", 3)
    text = make_file(make_set([[make_claim(f"C{n}").replace("11:B:1", "11:X:1") for n in range(9)]]))
    assert len(answer(text).rows("ack999", "IK3")) == 3


def test_the_other_element_of_a_condition_is_named():
    """A qualifier without its value, and the reader's own word for which made which necessary."""
    text = ONE.replace("PER*IC*DESK*TE*6145550100", "PER*IC*DESK*TE*6145550100*EX")
    assert answer(text).rows("ack999", "IK3", "CTX", "IK4") == [
        "IK3*PER*4*1000*8",
        "IK4*6*364*2",
        "CTX*SITUATIONAL TRIGGER*PER*4*1000*5*365",
    ]


def test_at_most_ten_contexts_stand_under_one_segment():
    triggers = tuple(
        Place("000000905", "1", "0001", "C1", None, "2010BA", "SBR", n, None) for n in range(1, 30)
    )
    findings = [at_element("CLM11", "I9", related=triggers) for _ in range(30)]
    assert len(answer(ONE, on_claim("C1", *findings)).rows("ack999", "CTX")) <= 10


@pytest.mark.parametrize("stray", ["*IC~HI", "XXX*1~HI", "hi", "ABK:M6281~HI", "Z*1~HI"])
def test_a_segment_without_a_legal_id_is_answered_without_naming_it(stray):
    written = answer(recount(ONE.replace("HI*", f"{stray}*")))
    assert written.rows("ack999", "IK3") == []
    assert written.rows("ack999", "IK5") == ["IK5*E*5"]


def test_only_errors_reach_an_answer():
    findings = [
        at_claim("A7:562:85", severity=severity, ack999=("IK304=2",)) for severity in ("warning", "info")
    ]
    written = answer(ONE, on_claim("C1", *findings))
    assert written.rows("ack999", "IK5") == ["IK5*A"]
    assert written.rows("ack277ca", "QTY")[0] == "QTY*90*1"


def test_a_coding_error_leaves_the_999_alone():
    written = answer(ONE, on_claim("C1", on_line(1, "A8:453", "A8:454", message="Clash with line 2.")))
    assert written.rows("ack999", "IK5", "AK9") == ["IK5*A", "AK9*A*1*1*1"]
    assert written.rows("ack277ca")[-11:-3] == [
        "NM1*QC*1*ASPEN*IRIS****MI*M2",
        "TRN*2*C1",
        "STC*A3:247*20261121*U*100********Line 1 - Clash with line 2.",
        "DTP*472*D8*20261102",
        "SVC*HC:97530:GP*100*****2",
        "STC*A8:453**U*******A8:454",
        "REF*FJ*C1-1",
        "DTP*472*D8*20261102",
    ]


def test_a_claim_error_leads_and_its_further_codes_follow():
    written = answer(ONE, on_claim("C1", at_claim("A8:562:85", "A8:128:85", message="They disagree.")))
    assert written.rows("ack277ca", "STC")[2:] == [
        "STC*A8:562:85*20261121*U*100******A8:128:85**They disagree."
    ]


def test_a_line_without_a_code_is_answered_at_the_claim():
    """An SVC needs a procedure code."""
    text = ONE.replace("SV1*HC:97530:GP", "SV1*HC::GP")
    written = Written(check(text, on_claim("C1", on_line(1, "A6:454"))))
    assert written.rows("ack277ca", "SVC") == []
    assert any(row.startswith("STC*A6:454*20261121*U*100") for row in written.rows("ack277ca", "STC"))


def test_a_line_is_known_by_its_lx_where_it_has_no_number():
    text = recount(ONE.replace("REF*6R*C1-1~", ""))
    assert answer(text, on_claim("C1", on_line(1, "A8:453"))).rows("ack277ca", "REF") == ["REF*FJ*1"]


def test_the_ledger_of_the_published_example():
    """200 accepted, 500 and 300 rejected."""
    claims = [make_claim(i, [(c, "97530")]) for i, c in (("A", 20000), ("B", 50000), ("C", 30000))]

    def find(part):
        return [at_claim("A8:453")(part)] if isinstance(part, Claim) and part.id != "A" else []

    rows = answer(make_file(make_set([claims])), find).rows("ack277ca", "STC", "QTY", "AMT")
    assert rows[:5] == ["STC*A1:19:PR*20261121*WQ*1000", "QTY*90*1", "QTY*AA*2", "AMT*YU*200", "AMT*YY*800"]


def test_a_provider_rejected_as_a_whole_lists_nothing_and_counts_everything():
    text = make_file(make_set([[make_claim("A")], [make_claim("B")]], [[make_claim("C")]]))
    written = answer(text, at_level(BillingProvider, "A7:562:85", when=lambda part: part.number == "1"))
    rows = written.rows("ack277ca", "HL", "STC", "QTY", "AMT", "TRN")
    assert rows[2:14] == [
        "HL*2*1*21*1",
        "TRN*2*B0001",
        "STC*A1:19:PR*20261121*WQ*300",
        "QTY*90*1",
        "QTY*AA*2",
        "AMT*YU*100",
        "AMT*YY*200",
        "HL*3*2*19*0",
        "TRN*1*0",
        "STC*A7:562:85**U*200",
        "QTY*QC*2",
        "AMT*YY*200",
    ]
    assert [row for row in rows if row.startswith("TRN*2*")] == ["TRN*2*B0001", "TRN*2*C"]


def test_an_error_of_the_subscriber_explains_the_claims_below():
    """The claim has no error of its own, and still says why it is rejected."""
    written = answer(ONE, at_level(Subscriber, "A7:164:IL"))
    assert written.rows("ack277ca", "STC")[2:] == ["STC*A7:164:IL*20261121*U*100********Something is wrong."]


def test_an_error_of_one_patient_is_not_told_of_another():
    dependent = (
        "HL*3*2*23*0~PAT*19~NM1*QC*1*ASPEN*TOM~N3*2 MILL ROAD~N4*COLUMBUS*OH*432150002~DMG*D8*20150412*M~"
    )
    text = make_file(make_set([[dependent + make_claim("A")], [make_claim("B")]]))
    text = (
        text.replace("HL*2*1*22*0", "HL*2*1*22*1")
        .replace("SBR*P*18", "SBR*P*", 1)
        .replace("HL*3*1", "HL*4*1")
    )
    bad = at_level(Patient, "A7:158:QC")
    written = answer(text, lambda part: bad(part) + on_claim("B", at_claim("A7:178"))(part), faults=False)
    assert [row.split("*")[1] for row in written.rows("ack277ca", "STC")[2:]] == ["A7:158:QC", "A7:178"]
    assert [row for row in written.rows("ack277ca", "NM1") if "QC" in row] == [
        "NM1*QC*1*ASPEN*TOM****MI*M2",
        "NM1*QC*1*ASPEN*IRIS****MI*M3",
    ]


def test_an_error_of_the_subscriber_holds_without_a_billing_provider():
    """The level above the claim is missing, and no other."""
    text = ONE.replace(PROVIDER.format(hl=1), "").replace("HL*2*1*22", "HL*1**22")
    written = answer(text, at_level(Subscriber, "A7:164:IL"), faults=False)
    assert written.rows("ack277ca", "STC")[2].startswith("STC*A7:164:IL*20261121*U*100")
    assert "NM1*85*2*UNKNOWN" in written.rows("ack277ca", "NM1")


@pytest.mark.parametrize(
    "charge", ["9E999999", "1E99999999999999", "-9E99", "1_0", "Infinity", "NaN", "٣", "9" * 20]
)
def test_a_charge_that_is_no_amount_counts_as_nothing(charge):
    stcs = answer(ONE.replace("CLM*C1*100*", f"CLM*C1*{charge}*"), faults=False).rows("ack277ca", "STC")
    assert stcs == [
        "STC*A1:19:PR*20261121*WQ*0",
        "STC*A1:19:PR**WQ*0",
        "STC*A2:20*20261121*WQ*0********CLM02 cannot be read and counts as 0.",
    ]


def test_patients_are_listed_once_and_in_order():
    text = make_file(make_set([[make_claim("A"), make_claim("B")], [make_claim("C")]]))
    rows = answer(text).rows("ack277ca", "HL", "TRN")
    assert rows[5:] == ["TRN*1*0", "HL*4*3*PT", "TRN*2*A", "TRN*2*B", "HL*5*3*PT", "TRN*2*C"]


def test_a_set_rejected_in_the_999_gets_no_277():
    """Isolation by transaction: the syntax error of one claim takes its set with it, and no other."""
    text = make_file(
        make_set([[make_claim("A")]], st="0001"),
        make_set([[make_claim("B").replace("11:B:1", "11:X:1")]], st="0002"),
    )
    written = answer(text, isolation="transaction")
    assert written.rows("ack999", "IK5", "AK9") == ["IK5*A", "IK5*R*5", "AK9*P*2*2*1"]
    assert "TRN*2*B0001" in written.ack277ca
    assert "TRN*2*B0002" not in written.ack277ca


def test_a_set_rejected_for_its_content_is_rejected_by_the_277():
    """Nothing that a 999 can name: the 277CA rejects at receiver level and lists nothing."""
    written = answer(ONE, at_level(Transaction, "A3:746", element="BHT03", snip=7))
    assert written.rows("ack999", "IK5") == ["IK5*A"]
    assert written.rows("ack277ca", "HL", "STC", "QTY", "AMT") == [
        "HL*1**20*1",
        "HL*2*1*21*0",
        "STC*A3:746*20261121*U*100",
        "QTY*AA*1",
        "AMT*YY*100",
    ]


def test_an_unsupported_version_rejects_the_group_and_nothing_else():
    for version in ("004010X098A1", "005010X223A2", "005010X224A2", "", "X" * 40):
        written = answer(make_file(make_set([[make_claim()]]), version=version))
        assert written.rows("ack999", "AK2", "AK9") == ["AK9*R*1*0*0*2"]
        assert written.ack277ca is None
        assert written.ta1 is None


def test_a_wrong_st03_is_answered_at_its_set():
    text = make_file(
        make_set([[make_claim()]]).replace("005010X222A1", "005010X999A9"),
        make_set([[make_claim()]], st="0002"),
    )
    written = answer(text)
    assert written.rows("ack999", "AK2", "IK5", "AK9") == [
        "AK2*837*0001*005010X999A9",
        "IK5*R*I6",
        "AK2*837*0002*005010X222A1",
        "IK5*A",
        "AK9*P*2*2*1",
    ]


def test_a_ge_that_disagrees_rejects_the_group_in_one_word():
    written = answer(ONE.replace("GE*1*1~", "GE*1*7~"))
    assert written.rows("ack999", "AK2", "IK5", "AK9") == ["AK9*R*1*1*0*4"]
    assert written.ack277ca is None


def test_ta1_is_sent_where_it_is_asked_for():
    written = answer(ONE.replace("*000000905*0*T", "*000000905*1*T"))
    assert written.rows("ack999")[1:3] == ["TA1*000000905*261120*0930*A*000", written.rows("ack999", "GS")[0]]
    assert written.ta1 is None


def test_a_wrong_count_of_groups_is_noted():
    written = answer(ONE.replace("IEA*1*", "IEA*3*"))
    assert written.rows("ack999", "TA1") == ["TA1*000000905*261120*0930*E*021"]
    assert written.rows("ack277ca", "QTY")[0] == "QTY*90*1"


def test_the_note_that_rejects_comes_before_the_one_that_does_not():
    stream = list(check(ONE.replace("IEA*1*000000905", "IEA*3*000000906")))
    assert {f.status.ta1 for f in stream[-1].findings} == {"001", "021"}
    for findings in (stream[-1].findings, stream[-1].findings[::-1]):
        written = Written([*stream[:-1], stream[-1]._replace(findings=findings)])
        assert written.rows("ta1", "TA1") == ["TA1*000000905*261120*0930*R*001"]


def test_a_rejection_without_a_note_is_still_a_rejection():
    """Claims that were accepted before the interchange was rejected must not be answered as accepted."""
    stream = [c._replace(outcome="rejected") if isinstance(c.part, InterchangeEnd) else c for c in check(ONE)]
    written = Written(stream)
    assert written.rows("ta1", "TA1") == ["TA1*000000905*261120*0930*R*024"]
    assert written.ack277ca is None


def test_a_group_that_fails_by_its_sets_lets_them_speak():
    text = ONE.replace("11:B:1", "11:X:1")
    stream = check(text, isolation="transaction")
    ends = (GroupEnd, InterchangeEnd)
    written = Written(c._replace(outcome="rejected") if isinstance(c.part, ends) else c for c in stream)
    assert written.rows("ack999", "IK3", "IK5", "AK9") == ["IK3*CLM*18*2300*8", "IK5*R*5", "AK9*R*1*1*0"]
    assert written.ta1 is None


def test_a_rejected_interchange_gets_its_ta1_alone():
    written = answer(
        ONE.replace("IEA*1*000000905", "IEA*1*000000906") + ONE.replace("000000905", "000000907")
    )
    assert written.rows("ta1")[1:] == ["TA1*000000905*261120*0930*R*001", written.rows("ta1")[-1]]
    assert written.rows("ta1")[-1].startswith("IEA*0*")
    assert len(split(written.ack999)) == len(split(written.ack277ca)) == 1
    assert written.rows("ack277ca", "QTY") == ["QTY*90*1", "QTY*QA*1"]


@pytest.mark.parametrize("cut", range(120, len(ONE), 37))
def test_a_file_cut_anywhere_is_rejected(cut):
    written = answer(ONE[:cut])
    assert written.ack999 is None
    assert written.ack277ca is None
    assert written.rows("ta1", "TA1")[0].endswith(("*R*023", "*R*022", "*R*024"))


def test_what_could_not_be_checked_is_not_answered():
    """Neither accepted nor rejected: the set's 277CA and the group's 999 wait."""
    text = make_file(groups=[
        [make_set([[make_claim("A")]], st="0001"), make_set([[make_claim("B")]], st="0002")],
        [make_set([[make_claim("C")]], st="0003")],
    ])  # fmt: skip
    written = answer(text, crash=lambda p: "internal error" if isinstance(p, Claim) and p.id == "A" else "")
    assert written.withheld == (
        "277CA for transaction 0001 of group 1 of interchange 000000905: a part of it could not be checked",
        "999 for group 1 of interchange 000000905: a part of it could not be checked",
    )
    assert written.rows("ack999", "AK1") == ["AK1*HC*2*005010X222A1"]
    batches = [row for row in written.rows("ack277ca", "TRN") if row.startswith("TRN*2*B0")]
    assert batches == ["TRN*2*B0002", "TRN*2*B0003"]


@pytest.mark.parametrize(
    "kind",
    [Interchange, Group, Transaction, BillingProvider, Subscriber, TransactionEnd, GroupEnd, InterchangeEnd],
)
def test_a_crash_on_any_part_accepts_nothing_of_it(kind):
    written = answer(ONE, crash=lambda p: "internal error" if isinstance(p, kind) else "")
    assert written.ack999 is None
    assert written.withheld
    if kind is not GroupEnd:
        assert written.ack277ca is None


def test_an_unchecked_claim_does_not_hold_back_a_rejection():
    """The set is rejected whatever the claim is worth."""
    text = make_file(make_set([[make_claim("A"), make_claim("B").replace("11:B:1", "11:X:1")]]))
    written = answer(
        text, isolation="transaction", crash=lambda p: "x" if isinstance(p, Claim) and p.id == "A" else ""
    )
    assert written.ack277ca is None


def test_the_same_input_gives_the_same_bytes():
    text = "".join(p.read_text() for p in sorted(SAMPLES.glob("clean/*.837"))[:3])
    first, second = answer(text), answer(text)
    assert (first.ack999, first.ack277ca) == (second.ack999, second.ack277ca)


def test_control_numbers_are_all_different():
    written = answer("".join(ONE.replace("000000905", f"{n:09d}") for n in range(1, 30)))
    everything = "".join(f"{text}" for text in (written.ack999, written.ack277ca))
    numbers = Counter(piece.split("*")[13] for piece in split(everything))
    numbers += Counter(
        row.split("*")[6] for kind in ("ack999", "ack277ca") for row in written.rows(kind, "GS")
    )
    assert len(numbers) == 4 * 29
    assert set(numbers.values()) == {1}


def test_files_with_one_header_get_different_numbers(tmp_path):
    """A corrected file may come under the header of the one that was rejected."""
    ours = []
    text = (SAMPLES / "clean" / "pt-clinic.837").read_text()
    for name, sent in (("a", text), ("b", text.replace("*HAZEL*", "*HASEL*"))):
        file = tmp_path / f"{name}.837"
        file.write_text(sent)
        done = CliRunner().invoke(commands, ["check", "--acks", "--out-dir", str(tmp_path), str(file)])
        assert done.exit_code == 0, done.output
        pieces = (tmp_path / f"{name}.999").read_text() + (tmp_path / f"{name}.277ca").read_text()
        ours.append(set(re.findall(r"(?:IEA|GE)\*\d+\*(\d+)", pieces)))
    assert len(ours[0] | ours[1]) == 8


def test_partners_beyond_those_with_a_name_share_counters():
    numbers = Numbers()
    for n in range(Numbers.MOST_PAIRS + 50):
        numbers.want(f"sender {n}", "us", "ISA")
    wanted = []
    numbers.draw(lambda each: wanted.extend(each) or [[1] * one.many for one in each])
    assert len(wanted) == Numbers.MOST_PAIRS + 1
    assert wanted[-1] == Wanted("", "", "ISA", 50)


def test_our_delimiters_in_a_value_become_hyphens():
    text = (
        ONE.translate(str.maketrans("*:^~", "|>!_"))
        .replace("CLM|C1|", "CLM|C*1:~^|")
        .replace("ALDER BILLING", "A*B:C")
    )
    written = answer(text)
    assert "TRN*2*C-1---" in written.rows("ack277ca", "TRN")
    assert written.rows("ack277ca", "NM1")[1] == "NM1*41*2*A-B-C*****46*A1"


def test_names_are_cut_to_their_lengths():
    text = ONE.replace("ALDER CLINIC", "C" * 90).replace("ASPEN*IRIS", "A" * 70 + "*" + "I" * 40)
    names = [row.split("*") for row in answer(text, faults=False).rows("ack277ca", "NM1")]
    assert (len(names[2][3]), len(names[3][3]), len(names[3][4])) == (60, 60, 35)


def test_what_is_not_there_is_not_invented():
    """No names, identifiers, dates or charge: the answer keeps its form, and says that it counts 0."""
    text = ONE.replace("NM1*85*2*ALDER CLINIC*****XX*1234567893", "NM1*85").replace("REF*EI*990001001~", "")
    text = text.replace("NM1*IL*1*ASPEN*IRIS****MI*M2", "NM1*IL").replace(
        "DTP*472*D8*20261102", "DTP*472*D8*nonsense"
    )
    text = text.replace("CLM*C1*100*", "CLM**lots*").replace("NM1*41*2*ALDER BILLING*****46*A1", "NM1*41")
    text = text.replace("NM1*40*2*BROOK HEALTH*****46*B1", "NM1*40").replace(
        "BHT*0019*00*B0001*", "BHT*0019*00**"
    )
    rows = answer(text, on_claim("", at_element("CLM02", "6")), faults=False).rows(
        "ack277ca", "NM1", "TRN", "STC", "DTP", "AMT"
    )
    assert rows == [
        "NM1*AY*2*BROOK*****46*BROOK",
        rows[1],
        "DTP*050*D8*20261121",
        "DTP*009*D8*20261121",
        "NM1*41*2*UNKNOWN*****46*ALDER",
        "TRN*2*0",
        "STC*A1:19:AY*20261121*WQ*0",
        "AMT*YY*0",
        "NM1*85*2*UNKNOWN",
        "TRN*1*0",
        "STC*A1:19:AY**WQ*0",
        "AMT*YY*0",
        "NM1*QC*1*UNKNOWN",
        "TRN*2*0",
        "STC*A3:23:41*20261121*U*0********CLM02 cannot be read and counts as 0. Something is wrong.",
    ]


@pytest.mark.parametrize(
    ("ack277ca", "ack999", "expected"),
    [
        (("A7:562:85",), (), ("A7:562:85",)),
        (("A8:453", "A8:454", "A8:1", "A8:2"), (), ("A8:453", "A8:454", "A8:1")),
        (("A2:20:41",), (), ("A3:23:41",)),
        (("R1:294",), (), ("A3:23:41",)),
        ((), (), ("A3:23:41",)),
        (("A7:700",), (), ("A7:700", "A7:481")),
        (("A7:254", "A7:700"), (), ("A7:254", "A7:700")),
        ((), ("IK304=8", "IK403=1"), ("A3:23:41",)),
        (("nonsense",), ("IK304=2",), ("A3:23:41",)),
    ],
)
def test_the_codes_that_answer_an_error(ack277ca, ack999, expected):
    where = Place("1", "1", "1", "C", None, "2300", "CLM", 5, "CLM02")
    assert statuses(make_finding(where, ack277ca=ack277ca, ack999=ack999)) == expected


@pytest.mark.parametrize(
    ("kind", "loop", "segment", "element", "answers", "expected"),
    [
        ("element-code", "2010AA", "NM1", "NM109", "IK403=7", ("A7:562:85",)),
        ("element-missing", "2010AA", "NM1", "NM109", "IK403=1", ("A6:562:85",)),
        ("element-missing", "2010BB", "NM1", "NM109", "IK403=1", ("A6:153:PR",)),
        ("element-type", "2310B", "NM1", "NM109", "IK403=6", ("A7:511", "A7:562:82")),
        ("element-missing", "2010BA", "NM1", "NM109", "IK403=1", ("A6:164:IL",)),
        ("relational", "2010BA", "NM1", "NM109", "IK403=2", ("A6:164:IL",)),
        ("relational", "2010AA", "N4", "N407", "IK403=10", ("A7:684",)),
        ("element-length", "2010AA", "N4", "N403", "IK403=4", ("A7:512", "A7:500:85")),
        ("element-date", "2010CA", "DMG", "DMG02", "IK403=8", ("A7:158:QC",)),
        ("element-length", "2400", "SV1", "SV101-4", "IK403=5", ("A7:512", "A7:453")),
        ("element-code", "2300", "HI", "HI01-2", "IK403=7", ("A7:254",)),
        ("element-code", "2300", "HI", "HI03-2", "IK403=7", ("A7:255",)),
        ("segment-missing", "2300", "HI", "", "IK304=3", ("A6:254",)),
        ("segment-missing", "2010AA", "N3", "", "IK304=3", ("A6:126:85",)),
        ("loop-missing", "2010BB", "NM1", "", "IK304=3", ("A6:125:PR",)),
        ("loop-missing", "2400", "LX", "", "IK304=3", ("A6:684",)),
        ("loop-repeat", "2310B", "NM1", "", "IK304=4", ("A7:684",)),
        ("segment-order", "2010AA", "N3", "", "IK304=7", ("A7:684",)),
        ("segment-unexpected", "2010AA", "N3", "", "IK304=2", ("A7:684",)),
        ("element-code", "2300", "PWK", "PWK02", "IK403=7", ("A7:684",)),
        ("element-padding", "2010AA", "NM1", "NM103", "", ()),
        ("segment", "2300", "", "", "TA1=022", ()),
    ],
)
def test_a_fault_of_form_is_answered_by_its_element(kind, loop, segment, element, answers, expected):
    fault = Fault(kind, 5, loop, segment, element, answers=(answers,) if answers else ())
    assert answer_fault(fault, "claim") == expected


def test_only_the_date_of_service_is_answered_as_one():
    named = [Fault("segment-missing", 5, "2400", "DTP", answers=("IK304=3",), name=name)
             for name in ("Date - Service Date", "Date - Last Seen Date")]  # fmt: skip
    assert [answer_fault(fault, "claim") for fault in named] == [("A6:187",), ("A6:684",)]


@pytest.mark.parametrize("level", ["interchange", "group", "transaction"])
def test_what_stands_above_the_providers_is_no_matter_of_the_277(level):
    """The 999 rejects the whole set, and no 277CA follows."""
    fault = Fault("segment-missing", 2, "header", "BHT", answers=("IK304=3",))
    assert answer_fault(fault, level) == ()


def test_an_entity_that_a_level_cannot_name_is_left_out():
    assert (
        answer(ONE, at_level(BillingProvider, "A7:145:IL")).rows("ack277ca", "STC")[1] == "STC*A7:145**U*100"
    )


def test_many_errors_of_a_claim_are_bounded():
    many = [at_element("CLM06", "7")] * 500
    many += [
        lambda c, i=i: make_finding(c.place("CLM"), snip=6, ack277ca=(f"A7:{i}",)) for i in range(1, 200)
    ]
    written = answer(ONE, on_claim("C1", *many))
    assert len(written.rows("ack999", "IK4")) == 1
    assert len(written.rows("ack277ca", "STC")) == 2 + 9


def test_values_are_made_fit():
    assert clean(" A*B:C^D~E\r\nF ", 80) == "A-B-C-D-E  F"
    assert clean("AB CD", 3) == "AB"


_ANY = st.text(alphabet=st.sampled_from("AZ09-* :^~.\x07\u00a0\u0663ü\U0001f600"))


@given(_ANY, st.integers(1, 9), st.integers(1, 3))
@example("A-", 1, 1)
@example("--", 9, 2)
def test_plain_values_are_mended_like_all_others(value, longest, shortest):
    shortest = min(longest, shortest)
    mended = "".join("-" if c in "*:^~" else c if c.isprintable() else " " for c in value).strip()
    mended = mended[:longest].rstrip()
    assert clean(value, longest, shortest) == (mended if len(mended) >= shortest else "")


CHECKER = make_checker(received=date(2026, 11, 21))


@pytest.mark.long
@settings(max_examples=25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.3]),
    st.booleans(),
    st.sampled_from(["*~", "|\n", ">'"]),
)
def test_what_is_read_in_a_text_is_what_its_segments_say(seed, invalid, every_kind, delimiters):
    """Answers and reports look into the text of a part without faults, or find what the check left there."""
    chance = random.Random(seed)
    rows = []
    for row in "".join(generate(8, seed=seed, invalid=invalid, every_kind=every_kind)).split("~\n"):
        if row.startswith("HI*") and chance.random() < 0.5:
            rows.append(f"REF*D9*{chance.choice(('CH-1', 'A B', ''))}")
        several = row.startswith("DTP*472*D8*") and chance.random() < 0.2
        last = chance.choice((20260302, 20260301, 20260228))
        rows.append(f"DTP*472*RD8*20260301-{last}" if several else row)
    text = "~".join(rows).translate(str.maketrans("*~", delimiters))
    for part, *_ in CHECKER.check(io.BytesIO(text.encode())):
        if isinstance(part, Claim):
            known = [day for line in part.lines for day in line.dates if day is not None]
            assert part.dates == ((min(known), max(known)) if known else (None, None))
            assert part.line_count == len(part.lines)
            assert _intermediary(part) == clean(part.header.reference("D9"), 50)
        elif isinstance(part, Level):
            for role in ("IL", "QC", "PR", "85", "87"):
                first = next((segment for segment in part.segments if segment[:2] == ["NM1", role]), None)
                assert part.named(role) == first


def test_a_spool_takes_back_what_was_written_after_a_mark():
    spool, other = Spool(), Spool()
    spool.write("AB", "1", "", "")
    mark = spool.mark()
    spool.write("CD")
    spool.cut_back(mark)
    spool.write_all(["EF*2"])
    spool.pour(other)
    assert other.segments == 2
    with other.read(bytes) as answer:
        assert answer.read() == b"AB*1~\nEF*2~\n"
    assert spool.read(bytes) is None


def read_back(text):
    """What an independent reader complains of: syntax, counts and control numbers."""
    reader = X12Reader(io.StringIO(text))
    errors = []
    for _ in reader:
        errors += reader.pop_errors()
    reader.cleanup()
    return errors + reader.pop_errors()


@pytest.mark.long
@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*/*.837")), ids=lambda p: p.stem)
@pytest.mark.parametrize("isolation", ["claim", "transaction"])
def test_every_sample_is_answered_in_good_form(path, isolation):
    stream = list(check(path.read_bytes(), isolation=isolation))
    written = Written(stream)
    for text in (written.ack999, written.ack277ca, written.ta1):
        for piece in split(text or ""):
            assert read_back(piece) == []
    # The sets without a 277CA are those that the 999 rejects.
    listed = sum(len(row.split("*")) > 1 for row in written.rows("ack277ca", "ST"))
    assert listed == sum(row.startswith(("IK5*A", "IK5*E")) for row in written.rows("ack999", "IK5"))


def ledger(written):
    """Claims and dollars accepted and rejected that the 277CAs state, by their receiver levels."""
    found = Counter()
    for piece in split(written.ack277ca or ""):
        for _, node in parse(piece).sets:
            (receiver,) = node.inside("2000A", "2000B")
            for kind, name in (
                ("90", "accepted"),
                ("AA", "rejected"),
                ("YU", "accepted money"),
                ("YY", "rejected money"),
            ):
                for row in receiver.all("QTY", kind) + receiver.all("AMT", kind):
                    found[name] += Decimal(row[2])
    return found


CHARGES = st.integers(0, 10_000_000)
CLAIMS = st.lists(CHARGES, min_size=1, max_size=3)
PATIENTS = st.lists(CLAIMS, min_size=1, max_size=3)
SETS = st.lists(st.lists(PATIENTS, min_size=1, max_size=3), min_size=1, max_size=3)


@pytest.mark.long
@settings(max_examples=60)
@given(SETS, st.randoms(use_true_random=False), st.sampled_from(["claim", "transaction"]))
def test_claims_in_are_claims_accepted_and_rejected_to_the_cent(sets, chance, isolation):
    sent, count = Counter(), 0
    texts = []
    for number, providers in enumerate(sets, 1):
        made = []
        for patients in providers:
            made.append(
                [
                    [make_claim(f"C{number}-{chance.randrange(10**6)}", [(c, "97530")]) for c in claims]
                    for claims in patients
                ]
            )
            count += sum(map(len, patients))
        texts.append(make_set(*made, st=f"{number:04d}"))

    def find(part):
        if isinstance(part, Claim) and chance.random() < 0.3:
            yield chance.choice([on_line(1, "A8:453"), at_element("CLM05-2", "7"), at_element("CLM02", "1")])(
                part
            )
        if isinstance(part, (BillingProvider, Subscriber)) and chance.random() < 0.1:
            yield make_finding(
                Place("1", "1", "1", None, None, "2010AA", "NM1", 9, "NM109"), ack277ca=("A7:562:85",)
            )

    stream = list(check(make_file(*texts), find, isolation))
    rejected_sets = {
        c.part.transaction.control_number
        for c in stream
        if isinstance(c.part, TransactionEnd) and c.outcome == "rejected"
    }
    for checked in stream:
        if isinstance(checked.part, Claim) and checked.part.transaction.control_number not in rejected_sets:
            sent[checked.outcome] += 1
            sent[f"{checked.outcome} money"] += Decimal(checked.part.charge) / 100
    written = Written(stream)
    assert ledger(written) == +sent
    if not rejected_sets:
        assert ledger(written)["accepted"] + ledger(written)["rejected"] == count


@pytest.mark.long
@settings(max_examples=60)
@given(st.integers(0, 2**32))
def test_a_stream_in_any_order_never_raises(seed):
    chance = random.Random(seed)
    parts = list(
        check(make_file(make_set([[make_claim("A")], [make_claim("B")]], [[make_claim("C")]]), ask=1))
    )
    stream = [chance.choice(parts) for _ in range(chance.randrange(40))]
    stream = [
        c._replace(outcome=chance.choice(["accepted", "rejected", "not_checked", c.outcome])) for c in stream
    ]
    Written(stream)


@pytest.mark.long
@settings(max_examples=80)
@given(st.integers(0, 2**32))
def test_a_damaged_file_is_answered_in_good_form(seed):
    """Segments dropped, doubled, moved and mangled: the answers keep their form."""
    chance = random.Random(seed)
    text = make_file(
        make_set([[make_claim("A"), make_claim("B")]], [[make_claim("C")]]),
        make_set([[make_claim("D")]], st="0002"),
    )
    head, *rows = text.split("~")
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(rows))
        kind = chance.randrange(5)
        if kind == 0:
            del rows[at]
        elif kind == 1:
            rows.insert(at, rows[at])
        elif kind == 2:
            rows.insert(at, rows.pop(chance.randrange(len(rows))))
        elif kind == 3:
            rows[at] = rows[at].replace("*", chance.choice(["**", ":", "^", "* ", "*\x07", "*É", ""]), 1)
        else:
            rows[at] = rows[at][: chance.randrange(len(rows[at]) + 1)]
    answer("~".join([head, *rows]))


@pytest.mark.long
def test_memory_does_not_grow_with_the_claims():
    claim = next(c for c in check(ONE) if isinstance(c.part, Claim))
    before = [
        c for c in check(ONE) if not isinstance(c.part, (Claim, TransactionEnd, GroupEnd, InterchangeEnd))
    ]
    after = [c for c in check(ONE) if isinstance(c.part, (TransactionEnd, GroupEnd, InterchangeEnd))]
    bad = on_claim("C1", on_line(1, "A8:453"), at_element("CLM06", "7"))(claim.part)
    acknowledger = Acknowledger(RECEIVED, NUMBER_OF, most=1_000_000)
    tracemalloc.start()
    try:
        for checked in before:
            acknowledger.add(checked)
        for number in range(20_000):
            acknowledger.add(claim if number % 2 else claim._replace(findings=tuple(bad), outcome="rejected"))
        for checked in after:
            acknowledger.add(checked)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    answers = acknowledger.finish()
    size = len(answers.ack277ca.read()) + len(answers.ack999.read())
    answers.close()
    assert size > 2_500_000
    assert peak < 4_000_000, peak
