"""What other payers paid: lines and claims balance, one cause is one finding, and both sides are said."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example, write_example
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from parts_of import facts

CHECKER = Checker(
    load_guide(),
    Engine(BOOK, "python"),
    Setting(20260302, built_in()),
)
LINES = ["97530:GP x2 $100.00", "97110:GP x1 $50.00"]


def payer(claim: str = "AMT*D*120", number: int = 2, place: str = "S", dated: str = "") -> dict[str, str]:
    """The edit that puts another payer into the claim; `claim` is what it did with the whole."""
    loop = (
        f"SBR*{place}*18*******CI~{claim}~OI***Y***Y~NM1*IL*1*MAPLE*MARTA****MI*W{number}~"
        f"NM1*PR*2*OTHER PAYER*****PI*PAYER{number}{dated}"
    )
    return {"find": "LX*1", "insert": loop.replace("~~", "~")}


def decided(line: int, paid: str, *adjustments: str, number: int = 2, joined: str = "") -> dict[str, str]:
    """The edit that puts another payer's decision behind a line."""
    code = LINES[line - 1].partition(" ")[0]
    decision = "~".join(
        [f"SVD*PAYER{number}*{paid}*HC:{code}**1{joined}", *adjustments, "DTP*573*D8*20260210"]
    )
    following = f"LX*{line + 1}" if line < len(LINES) else "SE*"
    return {"find": following, "insert": decision}


def found(*edits, lines=LINES, **claim):
    """The findings of balance on a claim with these edits, as (severity, element, message)."""
    example = {"lines": lines, "edit": list(edits), "claim": claim}
    findings = run_example(CHECKER, example)
    assert not [f for f in findings if f.rule.startswith(("guide", "x12"))]
    return [f for f in findings if f.rule.startswith("balance.")]


def told(*edits, **claim):
    return [(f.rule, f.severity, f.where.line, f.where.element) for f in found(*edits, **claim)]


BALANCED = (
    payer(),
    decided(1, "80", "CAS*CO*45*15", "CAS*PR*2*5"),
    decided(2, "40", "CAS*PR*1*10"),
)


def test_what_adds_up_is_no_finding():
    assert told(*BALANCED) == []
    assert (
        told(payer("CAS*CO*45*10**PR*5~AMT*D*120"), decided(1, "100"), decided(2, "35", "CAS*CO*45*15")) == []
    )


def test_adjustments_may_be_negative_and_several_in_one_segment():
    edits = (
        payer("AMT*D*120"),
        decided(1, "80", "CAS*CO*45*30**42*-10"),
        decided(2, "40", "CAS*PR*1*4**2*6"),
    )
    assert told(*edits) == []


@pytest.mark.parametrize("bundled", [("*2", ""), ("", "*2")])
def test_two_decisions_of_a_payer_on_a_line_are_one_and_bundled_where_one_is(bundled):
    edits = [payer(), *(decided(1, "40", joined=joined) for joined in bundled)]
    (decision,) = facts({"lines": LINES, "edit": edits}, "adjudication")
    assert (decision.values["paid"], decision.values["bundled"]) == (8000, True)


def test_a_line_that_does_not_add_up_says_both_sides_and_the_difference():
    (finding,) = found(payer(), decided(1, "80", "CAS*CO*45*15"), decided(2, "40", "CAS*PR*1*10"))
    assert (finding.severity, finding.where.loop, finding.where.element) == ("error", "2430", "SVD02")
    assert (finding.where.line, finding.where.segment) == (1, "SVD")
    assert finding.status.ack277ca == ("A8:672",)
    for said in ("100.00", "80.00", "15.00", "difference 5.00"):
        assert said in finding.message


def test_a_claim_payment_that_does_not_add_up_says_both_sides_and_the_difference():
    (finding,) = found(payer("CAS*PR*3*2~AMT*D*121"), *BALANCED[1:])
    assert (finding.severity, finding.where.loop, finding.where.element) == ("error", "2320", "AMT02")
    assert finding.status.ack277ca == ("A8:672",)
    for said in ("121.00", "120.00", "2.00", "118.00", "difference 3.00"):
        assert said in finding.message


def test_a_wrong_line_payment_is_one_finding_not_a_second_one_of_the_claim():
    assert told(payer(), decided(1, "81", "CAS*CO*45*20"), decided(2, "40", "CAS*PR*1*10")) == [
        ("balance.other-payer", "error", 1, "SVD02")
    ]


def test_two_causes_are_two_findings():
    edits = (payer("AMT*D*130"), decided(1, "80", "CAS*CO*45*15"), decided(2, "40", "CAS*PR*1*10"))
    assert told(*edits) == [
        ("balance.other-payer", "error", None, "AMT02"),
        ("balance.other-payer", "error", 1, "SVD02"),
    ]


@pytest.mark.parametrize("charge", ["151.00", "149.00"])
def test_a_wrong_charge_is_found_once(charge):
    assert told(*BALANCED, charge=charge) == [("balance.claim-charge", "error", None, "CLM02")]
    edits = {"lines": LINES, "edit": list(BALANCED), "claim": {"charge": charge}}
    assert facts(edits, "other_payer", "adjudication") == []


def test_a_line_without_a_decision_makes_the_claim_a_warning():
    assert told(payer("AMT*D*90"), decided(1, "80", "CAS*CO*45*20")) == [
        ("balance.other-payer", "warning", None, "AMT02")
    ]
    assert told(payer("AMT*D*80"), decided(1, "80", "CAS*CO*45*20")) == [
        ("balance.other-payer", "warning", None, "AMT02")
    ]
    assert told(payer("CAS*PR*1*50~AMT*D*80"), decided(1, "80", "CAS*CO*45*20")) == []


@pytest.mark.parametrize(
    ("left", "paid", "severity"), [("15", "120", ""), ("14.99", "120", "error"), ("15", "121", "error")]
)
def test_adjustments_of_the_claim_may_complete_those_of_its_lines(left, paid, severity):
    edits = (
        payer(f"CAS*PR*1*{left}~AMT*D*{paid}"),
        decided(1, "80", "CAS*CO*45*5"),
        decided(2, "40", "CAS*PR*1*10"),
    )
    assert {each[1] for each in told(*edits)} == ({severity} if severity else set())


@pytest.mark.parametrize(("adjusted", "found_on"), [("30", []), ("29.99", [1])])
def test_two_policies_of_one_carrier_each_decide_on_the_whole_charge(adjusted, found_on):
    two = {"find": "LX*1", "insert": payer("AMT*D*50", 2, "T")["insert"]}
    second = {"find": "LX*2", "insert": f"SVD*PAYER2*70*HC:97530**1~CAS*OA*23*{adjusted}~DTP*573*D8*20260210"}
    edits = (payer(), two, decided(1, "80", "CAS*CO*45*20"), second, decided(2, "40", "CAS*PR*1*10"))
    assert [each[2] for each in told(*edits)] == found_on


def test_lines_that_a_payer_joined_are_a_warning():
    edits = (payer(), decided(1, "80", "CAS*CO*45*15", joined="*2"), decided(2, "40", "CAS*PR*1*10"))
    assert told(*edits) == [("balance.other-payer", "warning", 1, "SVD02")]


def test_several_entries_of_one_payer_for_a_line_count_together():
    split = {"find": "LX*2", "insert": "SVD*PAYER2*30*HC:97112:GP**1~CAS*CO*45*5~DTP*573*D8*20260210"}
    edits = (payer(), decided(1, "50", "CAS*CO*45*15"), split, decided(2, "40", "CAS*PR*1*10"))
    assert told(*edits) == []


def test_each_payer_is_added_up_by_itself():
    edits = (
        payer("AMT*D*30", 3, "T"),
        BALANCED[0],
        decided(1, "20", "CAS*OA*23*80", number=3),
        BALANCED[1],
        decided(2, "11", "CAS*OA*23*40", number=3),
        BALANCED[2],
    )
    assert told(*edits) == [("balance.other-payer", "error", 2, "SVD02")]


def test_two_payers_with_one_id_are_not_told_apart():
    edits = (payer("AMT*D*1", 2, "T"), *BALANCED)
    assert told(*edits) == []


def test_a_decision_by_a_payer_that_is_not_named_does_not_unbalance_the_claim():
    edits = (payer("AMT*D*120"), decided(1, "80", "CAS*CO*45*15", number=4), BALANCED[2])
    example = {"lines": LINES, "edit": list(edits)}
    assert [
        (f.rule, f.where.line) for f in run_example(CHECKER, example) if f.rule.startswith(("bal", "sit"))
    ] == [("situation.line-payer", 1)]


@pytest.mark.parametrize(
    ("claim", "severity"),
    [("CAS*PR*1*30~AMT*D*120", None), ("CAS*PR*1*31~AMT*D*120", "error"), ("AMT*D*120", "warning")],
)
def test_a_payer_that_decided_on_the_claim_alone(claim, severity):
    findings = found(payer(claim))
    assert [f.severity for f in findings] == ([severity] if severity else [])


def test_a_payer_that_has_not_decided_yet_balances():
    assert told(payer("")) == []


def test_adjustments_of_the_claim_that_do_not_complete_those_of_its_lines_are_one_fault():
    edits = (payer("CAS*PR*3*2~AMT*D*120"), decided(1, "80", "CAS*CO*45*15"), decided(2, "40", "CAS*PR*1*10"))
    assert [f.where.element for f in found(*edits)] == ["SVD02"]


@pytest.mark.parametrize(
    ("amounts", "at"),
    [
        ("CAS*PR*1*30~AMT*D*120~AMT*EAF*30", None),
        ("CAS*PR*1*30~AMT*D*120~AMT*EAF*30.01", "AMT02"),
        ("CAS*PR*1*30~AMT*D*120~AMT*A8*150", "AMT02"),
        ("AMT*A8*150", None),
        ("AMT*A8*150.01", "AMT02"),
        ("AMT*A8*149.99", "AMT02"),
        ("CAS*CO*94*-10~AMT*D*160", None),
        ("AMT*D*160", "AMT02"),
    ],
)
def test_patient_liability_and_totals_stay_within_the_charge(amounts, at):
    findings = found(payer(amounts))
    assert [f.where.element for f in findings] == ([at] if at else [])
    assert {f.severity for f in findings} <= {"warning"}


def test_an_amount_that_cannot_be_read_is_the_guides_finding_alone():
    example = {"lines": LINES, "edit": [payer("AMT*D*MUCH"), *BALANCED[1:]]}
    rules_found = {f.rule for f in run_example(CHECKER, example) if f.severity == "error"}
    assert rules_found
    assert all(rule.startswith("guide.") for rule in rules_found)


def test_a_claim_without_other_payers_has_no_facts_of_them():
    assert facts({"lines": LINES}, "other_payer") == []
    assert facts({"lines": LINES}, "adjudication") == []


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 20_000), st.lists(st.integers(-5000, 5000), max_size=3)),
        min_size=1,
        max_size=4,
    ),
    st.integers(-3000, 3000),
    st.integers(-300, 300),
)
def test_a_claim_balances_exactly_where_the_sums_do(parts, of_claim, off):
    """Each line is paid and adjusted to its charge; the claim's payment is off by so many cents."""

    def money(cents: int) -> str:
        return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"

    lines, edits = [], []
    for number, (paid, adjustments) in enumerate(parts, 1):
        charge = max(0, paid + sum(adjustments))
        rest = charge - paid - sum(adjustments)
        lines.append(f"97530:GP x1 ${money(charge)}")
        adjusted = [f"CAS*CO*45*{money(amount)}" for amount in (*adjustments, rest) if amount]
        decision = [f"SVD*PAYER2*{money(paid)}*HC:97530:GP**1", *adjusted, "DTP*573*D8*20260210"]
        following = f"LX*{number + 1}" if number < len(parts) else "SE*"
        edits.append({"find": following, "insert": "~".join(decision)})
    total = sum(paid for paid, _ in parts) - of_claim + off
    claim = (f"CAS*PR*3*{money(of_claim)}~" if of_claim else "") + f"AMT*D*{money(total)}"
    example = {"lines": lines, "edit": [payer(claim), *edits]}
    text = write_example(example).text.encode()
    findings = [f for part in CHECKER.check(io.BytesIO(text)) for f in part.findings]
    errors = [f for f in findings if f.rule == "balance.other-payer" and f.severity == "error"]
    assert bool(errors) is (off != 0)
    if errors:
        assert f"difference {money(off)}" in errors[0].message
