"""Situational rules: enough of them, no cascade from faults, nothing of plain claims, edges of ranges."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example, write_example
from edi_checker.facts import VOCABULARY, Setting
from edi_checker.facts.situations import MOST_SITUATIONS
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from generate_claims import generate
from parts_of import facts

CHECKER = Checker(load_guide(), Engine(BOOK, "python"), Setting(20260302, built_in()))
DURABLE = Checker(load_guide(), Engine(BOOK, "durable"), Setting(20260302, built_in()))
SITUATIONAL = [rule for rule in BOOK.rules if rule.id.startswith("situation.")]


def told(example):
    """Situational findings on an example: rule without its family, severity, element."""
    return [
        (f.rule.removeprefix("situation."), f.severity, f.where.element)
        for f in run_example(CHECKER, example)
        if f.rule.startswith("situation.")
    ]


def rules_of(example, *, severity="error"):
    return {f.rule for f in run_example(CHECKER, example) if f.severity == severity}


# All of them


def test_there_are_at_least_forty():
    assert len(SITUATIONAL) >= 40
    assert {
        f"situation.{name}"
        for name in (
            "original-reference",
            "accident-date",
            "accident-state",
            "hospitalization-date",
            "patient-details",
            "note-for-unlisted",
        )
    } <= {rule.id for rule in SITUATIONAL}


@pytest.mark.parametrize("rule", SITUATIONAL, ids=lambda rule: rule.id)
def test_a_rule_cites_its_place_and_an_error_its_status(rule):
    assert rule.snip == 4
    assert rule.why
    assert rule.sources
    for case in rule.cases:
        if "error" in case.severity.values():
            assert case.status.ack277ca, "an error has a status for the 277CA"


def test_every_kind_of_situation_is_asked_about_and_no_other():
    known = set(VOCABULARY["situation"].fields["kind"].values)
    asked = {
        value
        for rule in BOOK.rules
        for case in rule.cases
        for pattern in case.match
        if pattern.kind == "situation"
        for term in pattern.terms
        if term.field.field == "kind"
        for value in (term.value if isinstance(term.value, tuple) else (term.value,))
    }
    assert asked == known


# Plain claims


def test_a_plain_claim_makes_no_situation():
    for kind in ("situation", "subscriber", "other_payer", "adjudication"):
        assert facts({"lines": ["97530:GP x2", "97110:GP x1"]}, kind) == []


def test_generated_clean_claims_give_neither_error_nor_warning():
    text = "".join(generate(400, seed=11)).encode()
    findings = [f for part in CHECKER.check(io.BytesIO(text)) for f in part.findings]
    assert [
        f for f in findings if f.severity != "info" and f.rule.startswith(("situation.", "balance."))
    ] == []


# One cause, one finding


@pytest.mark.parametrize(
    ("example", "rule"),
    [
        # The qualifier of the reference is wrong: what was meant is not known.
        (
            {
                "claim": {"payer": "commercial", "set": {"CLM05-3": "7"}},
                "edit": [{"find": "HI*", "insert": "REF*FX*C123"}],
            },
            "guide.",
        ),
        (
            {"claim": {"set": {"CLM11": "OA"}}, "edit": [{"find": "HI*", "insert": "DTP*999*D8*20260101"}]},
            "guide.",
        ),
        ({"edit": [{"find": "SBR*", "delete": "true"}]}, "guide."),
        ({"edit": [{"find": "SBR*", "set": {"1": "Z"}}]}, "guide."),
        ({"edit": [{"find": "NM1*IL", "set": {"9": ""}}]}, "guide."),
        ({"edit": [{"find": "N3*", "after": "NM1*IL", "swap": "true"}]}, "guide."),
        ({"edit": [{"find": "N3*", "after": "NM1*85", "replace": "N9*PO BOX 1"}]}, ("guide.", "x12.")),
    ],
)
def test_a_fault_of_structure_is_not_found_a_second_time(example, rule):
    found = rules_of(example)
    assert found
    assert all(each.startswith(rule) for each in found), found
    assert not {each for each in rules_of(example, severity="warning") if each.startswith("situation.")}


def test_a_child_that_is_not_announced_is_no_missing_patient():
    edits = [
        {"find": "SBR*", "set": {"2": ""}},
        {
            "find": "CLM*",
            "insert": "HL*3*2*23*0~PAT*19~NM1*QC*1*MAPLE*MAX~N3*2 MAPLE STREET~N4*ALBANY*NY*122070002~"
            "DMG*D8*20150101*M",
        },
    ]
    assert all(rule.startswith("guide.") for rule in rules_of({"edit": edits}))


def test_an_unreadable_date_still_counts_as_one():
    example = {
        "claim": {"set": {"CLM11": "OA"}},
        "edit": [{"find": "HI*", "insert": "DTP*439*D8*20261301"}],
    }
    assert told(example) == []


# Places


def test_what_is_asked_of_a_line_may_stand_on_claim_or_line():
    for edit in (
        {"find": "HI*", "insert": "REF*X4*33D1234567"},
        {"find": "SE*", "insert": "REF*X4*33D1234567"},
    ):
        assert told({"lines": ["85025 x1"], "edit": [edit]}) == []


def test_what_stands_on_another_line_does_not_count():
    example = {
        "lines": ["85025 x1", "80053 x1"],
        "edit": [{"find": "LX*2", "insert": "REF*X4*33D1234567"}],
    }
    (finding,) = [f for f in run_example(CHECKER, example) if f.rule == "situation.clia"]
    assert (finding.where.line, finding.where.element) == (2, "SV101-2")


def test_segments_of_a_line_are_found_where_they_stand():
    example = {
        "lines": ["97530:GP x2", "J3301 x1"],
        "edit": [{"find": "SE*", "insert": "LIN**N4*1-2-3~CTP****1*ML"}],
    }
    (finding,) = [f for f in run_example(CHECKER, example) if f.rule == "situation.drug-number"]
    where = finding.where
    assert (where.line, where.loop, where.segment, where.element) == (2, "2410", "LIN", "LIN03")
    segments = write_example(example).text.replace("\n", "").split("~")
    begin = next(i for i, segment in enumerate(segments) if segment.startswith("ST*"))
    assert segments[begin + where.position - 1].startswith("LIN*")


def test_an_attachment_is_found_at_its_own_segment():
    edit = {"find": "HI*", "insert": "PWK*OZ*BM***AC*A1~PWK*DG*FX"}
    (finding,) = [f for f in run_example(CHECKER, {"edit": [edit]}) if f.rule.startswith("situation.")]
    segments = write_example({"edit": [edit]}).text.replace("\n", "").split("~")
    begin = next(i for i, segment in enumerate(segments) if segment.startswith("ST*"))
    assert segments[begin + finding.where.position - 1] == "PWK*DG*FX"


def test_other_payers_segments_say_nothing_of_the_claim():
    other = (
        "SBR*S*18*******CI~OI***Y***Y~NM1*IL*1*MAPLE*MARTA****MI*W1~"
        "NM1*PR*2*OTHER PAYER*****PI*PAYER2~REF*F8*C123"
    )
    claim = {"payer": "commercial", "set": {"CLM05-3": "7"}}
    example = {"claim": claim, "edit": [{"find": "LX*", "insert": other}]}
    assert told(example) == [("original-reference", "error", "CLM05-3")]


def test_the_patient_may_have_a_level_of_its_own():
    example = {
        "claim": {"payer": "commercial", "set": {"CLM11": "EM"}},
        "edit": [
            {"find": "HL*2", "set": {"4": "1"}},
            {"find": "SBR*", "set": {"2": "", "9": "WC"}},
            {
                "find": "CLM*",
                "insert": "HL*3*2*23*0~PAT*20~NM1*QC*1*MAPLE*MAX~N3*2 MAPLE STREET~N4*ALBANY*NY*122070002~"
                "DMG*D8*19800101*M~REF*Y4*N123",
            },
        ],
    }
    assert told(example) == []


def test_both_missing_details_of_a_patient_are_one_finding():
    edits = [{"find": name, "after": "NM1*IL", "delete": "true"} for name in ("N3*", "N4*", "DMG*")]
    assert told({"edit": edits}) == [("patient-details", "error", None)]


def test_an_organization_needs_no_member_id():
    edit = {"find": "NM1*IL", "replace": "NM1*IL*2*MAPLE WORKS"}
    assert "member-id" not in [rule for rule, _, _ in told({"edit": [edit]})]


@pytest.mark.long
def test_messages_name_nobody():
    for rule in SITUATIONAL:
        for example in rule.examples.failing:
            for finding in run_example(CHECKER, example):
                for secret in (
                    "MAPLE",
                    "MARTA",
                    "1EG4TE5MK73",
                    "C123",
                    "W1",
                    "33D1234567",
                    "ALDER",
                    "1679576722",
                ):
                    assert secret not in finding.message


def test_situations_are_bounded():
    example = {"lines": ["85025 x1"] * 50, "claim": {"certified": "false"}}
    assert len(facts(example, "situation")) == 50
    flood = {"edit": [{"find": "HI*", "insert": "~".join(["PWK*OZ*BM"] * 1000)}]}
    assert len(facts(flood, "situation")) <= MOST_SITUATIONS


# Any input


PIECES = st.sampled_from(
    (
        "REF*F8*C1",
        "REF*X4",
        "REF*X4*33D1234567",
        "DTP*439*D8*20260101",
        "DTP*439",
        "PWK*OZ*BM",
        "PWK*OZ*BM***AC*1",
        "CRC*ZZ*N*NU",
        "CRC*ZZ",
        "CR2********A",
        "AMT*F5*1000000",
        "AMT*F5*X",
        "NM1*DN*1*CEDAR",
        "NM1*P3*1*CEDAR",
        "NM1*DQ*1*CEDAR****XX*1679576722",
        "SBR*P*18*******CI",
        "SBR",
        "AMT*D*10",
        "AMT*D",
        "CAS*PR*1*5",
        "CAS*PR",
        "NM1*PR*2*OTHER*****PI*PAYER2",
        "NM1*IL*1*X****MI*W1",
        "LX*2",
        "SV1*HC:A0427*10*UN*1***1",
        "DTP*472*D8*20260203",
        "CR3*R*MO*9",
        "LQ*UT*04.03",
        "LQ",
        "FRM*1*Y",
        "LIN**N4*1",
        "LIN",
        "CTP****0*ML",
        "CTP",
        "PS1*1*1",
        "SVD*PAYER2*5*HC:97530**1",
        "SVD*PAYER9*5*HC:97530**1",
        "SVD",
        "DTP*573*D8*20260210",
        "PAT*****D8*20260101",
    )
)


@pytest.mark.long
@settings(max_examples=120)
@given(
    st.lists(PIECES, max_size=12),
    st.sampled_from(("HI*", "LX*1", "DTP*472", "SE*", "NM1*IL", "CLM*")),
    st.sampled_from(("1", "7", "8", "6", "")),
    st.sampled_from(("", "AA", "AA:::NY", "OA", "EM:AA::::", "::::")),
    st.sampled_from(("P", "S", "U", "")),
)
def test_whatever_stands_there_nothing_fails_and_both_engines_agree(pieces, before, frequency, causes, order):
    example = {
        "claim": {"set": {"CLM05-3": frequency, "CLM11": causes}},
        "edit": [
            {"find": "SBR*", "set": {"1": order}},
            *([{"find": before, "insert": "~".join(pieces)}] if pieces else []),
        ],
    }
    text = write_example(example).text.encode()
    checked = list(CHECKER.check(io.BytesIO(text)))
    assert not [part.failed for part in checked if part.failed]
    again = list(DURABLE.check(io.BytesIO(text)))
    assert [part.findings for part in checked] == [part.findings for part in again]


# One who is the patient, and a patient's level all the same

_DEPENDENT = (
    "HL*3*2*23*0~PAT*19~NM1*QC*1*MAPLE*MAX~N3*2 MAPLE STREET~N4*ALBANY*NY*122070002~DMG*D8*20150101*M"
)
_NO_DETAILS = [
    {"find": "N3*", "after": "NM1*IL", "delete": "true"},
    {"find": "N4*", "after": "NM1*IL", "delete": "true"},
    {"find": "DMG*", "delete": "true"},
]


@pytest.mark.parametrize("announced", ["0", "1"])
@pytest.mark.parametrize("without", [[], _NO_DETAILS, _NO_DETAILS[:2], _NO_DETAILS[2:]])
def test_a_patients_level_below_a_patient_subscriber_is_one_finding(announced, without):
    edit = [
        {"find": "HL*2", "set": {"4": announced}},
        *without,
        {"find": "CLM*", "insert": _DEPENDENT},
    ]
    found = [(f.rule, f.where.element) for f in run_example(CHECKER, {"edit": edit}) if f.severity == "error"]
    assert found == [("situation.subscriber-or-patient", "SBR02")]


def test_a_patients_level_that_hl04_does_not_announce_is_said_where_the_subscriber_is_not_the_patient():
    edit = [{"find": "SBR*", "set": {"2": ""}}, {"find": "CLM*", "insert": _DEPENDENT}]
    assert rules_of({"edit": edit}) == {"guide.hierarchy"}


@pytest.mark.parametrize("without", [_NO_DETAILS, _NO_DETAILS[:2], _NO_DETAILS[2:]])
def test_a_subscriber_who_is_the_patient_still_needs_the_details(without):
    assert rules_of({"edit": without}) == {"situation.patient-details"}
