"""Medicare's public front-end edits: the rule that answers each, and their table in docs/profiles.md."""

import io
import re
from dataclasses import replace

import pytest

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.claims.payer_profiles import BUILT_IN, MEDICARE
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from paths import ROOT, facts_table

ENGINE = Engine(BOOK, "python")

ORGANIZATION = [{"find": "NM1*85", "set": {"2": "2"}}]
FORM = {
    "lines": ["E0748:NU x1"],
    "claim": {"date": "2023-01-01", "received": "2023-01-10"},
    "edit": [
        {"find": "DTP*472", "insert": "CR3*I*MO*99"},
        {"find": "REF*6R", "insert": "DTP*463*D8*20220601~DTP*461*D8*20220601"},
        {"find": "SE*", "insert": "LQ*UT*04.04C~FRM*6*Y"},
    ],
}


def findings(example, profile=None):
    written = write_example(example)
    checker = Checker(load_guide(), ENGINE, Setting(written.received, built_in()))
    checker = replace(checker, setting=replace(checker.setting, profile=profile))
    checked = checker.check(io.BytesIO(written.text.encode()))
    return [finding for each in checked for finding in each.findings]


def edit(find, **change):
    return {"edit": [{"find": find, **change}]}


@pytest.mark.parametrize(
    ("example", "rule", "statuses"),
    [
        (edit("ISA*", set={"1": "05"}), "x12.envelope", ()),
        (edit("ISA*", set={"2": "ABC"}), "x12.envelope", ()),
        (edit("ISA*", set={"3": "05"}), "x12.envelope", ()),
        (edit("HL*1", set={"1": "7"}), "guide.hierarchy", ("A7:684",)),
        (edit("NM1*40", set={"4": "ANN"}), "guide.element-not-used", ()),
        (edit("PRV*", set={"3": "PT00000001"}), "code.taxonomy", ("A7:145:85",)),
        (edit("NM1*85", set={"9": "1234567890"}), "code.npi", ("A7:562:85",)),
        (edit("NM1*85", replace="NM1*85*2*ALDER"), "situation.billing-npi", ("A6:562:85",)),
        ({"claim": {"rendering": "1234567890"}}, "code.npi", ("A7:562:82",)),
        ({"lines": ["97530:GP x2 by 1234567890"]}, "code.npi", ("A7:562:82",)),
        (edit("SBR*", set={"9": "QQ"}), "guide.element-code", ("A7:480",)),
        (edit("SV1*", set={"1-2": "9753"}), "code.procedure", ("A7:507",)),
        ({"lines": ["97530:GP:GP x2"]}, "modifier.repeated", ("A7:453",)),
        ({"lines": ["97799:GP x1"]}, "situation.note-for-unlisted", ("A8:306",)),
        ({"claim": {"diagnoses": ["Z9999"]}}, "code.diagnosis", ("A7:254", "A7:700")),
        ({"claim": {"date": "2026-03-03", "received": "2026-03-02"}}, "date.future", ("A7:187", "A7:510")),
        (FORM, "situation.certificate-ended", ("A7:698",)),
    ],
)
def test_an_edit_rejects_a_claim_to_medicare(example, rule, statuses):
    errors = {f.rule: f.status.ack277ca for f in findings(example) if f.severity == "error"}
    assert errors[rule] == statuses


@pytest.mark.parametrize(("element", "status"), [("4", "A8:505"), ("5", "A8:514"), ("7", "A8:125")])
def test_an_organization_with_the_name_of_a_person(element, status):
    for profile, severity in ((MEDICARE, "error"), (None, "warning")):
        example = edit("NM1*85", set={"2": "2", "4": "", element: "ANN"})
        (finding,) = [f for f in findings(example, profile) if f.rule == "situation.organization-name"]
        assert (finding.severity, finding.where.loop, finding.status.ack277ca) == (
            severity,
            "2010AA",
            (status,),
        )
        assert "ANN" not in finding.message + finding.fix
    # An element that the guide does not use is one finding, not two.
    facility = "NM1*77*2*ELM HALL*ANN****XX*1234567893~N3*3 ELM STREET~N4*ALBANY*NY*122070003"
    assert {f.rule for f in findings(edit("LX*", insert=facility))} == {"guide.element-not-used"}


@pytest.mark.parametrize(
    ("segment", "rule"),
    [
        ("N3*PO BOX 45", "situation.billing-address"),
        ("N3*1 ALDER ROAD*LOCK BIN 45", "situation.billing-address"),
        ("N3*1 LOCK BINDER ROAD", None),
    ],
)
def test_a_box_is_no_street(segment, rule):
    assert [f.rule for f in findings(edit("N3*", replace=segment))] == ([rule] if rule else [])


def test_medicare_takes_no_currency():
    (finding,) = findings(edit("NM1*85", insert="CUR*85*USD"))
    assert (finding.rule, finding.severity, finding.where.loop) == ("code.currency", "warning", "2000A")
    commercial = {**edit("NM1*85", insert="CUR*85*USD"), "claim": {"payer": "commercial"}}
    assert findings(commercial) == []


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("N4*ALBANY*NY*12207", []),
        ("N4*ALBANY**12207", [("code.state", "error", ("A6:501:IL",))]),
        ("N4*ALBANY*NY", [("code.zip", "error", ("A6:500:IL",))]),
        ("N4*LYON", [("code.state", "warning", ())]),
        ("N4*LYON***FR", []),
        ("N4*LYON**69001*FR", []),
        ("N4*TORONTO**M5V 3L9*CA", [("code.state", "error", ("A6:501:IL",))]),
        ("N4*TORONTO*ON**CA", [("code.zip", "error", ("A6:500:IL",))]),
        ("N4*TORONTO***CA", [("code.state", "error", ("A6:501:IL",))]),
    ],
)
def test_what_an_address_lacks(segment, expected):
    found = findings({"edit": [{"find": "N4*", "after": "NM1*IL", "replace": segment}]})
    assert [(f.rule, f.severity, f.status.ack277ca) for f in found] == expected


# -- the table ----------------------------------------------------------------------------------------------


def _rows():
    text = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    section = text.partition("## Medicare's front-end edits")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| ")]
    return [tuple(cell.strip() for cell in row) for row in rows[1:]]


def test_the_table_names_rules_that_exist():
    ids = {rule.id for rule in BOOK.rules}
    for edit_, _, answer in _rows():
        named = re.findall(r"`([a-z0-9-]+\.[a-z0-9-]+)`", answer)
        assert set(named) <= ids, edit_
        assert named or answer.startswith("none: "), edit_


def test_every_public_edit_is_in_the_table():
    said = "\n".join(edit_ for edit_, _, _ in _rows())
    for row in facts_table("cem_edits.csv"):
        for code in re.findall(r"A\d:\d+(?::\w\w)?", row["disposition"]):
            assert code in said, row
        if found := re.fullmatch(r"X222\.\d\d\d\.([0-9A-Z]+)\.([A-Z0-9-]+)\.[\d.-]+", row["edit_reference"]):
            assert f"{found[1]}.{found[2][:5].rstrip('-')}" in said.replace("X222.", ""), row


@pytest.mark.parametrize(
    ("profile", "severity"), [(None, "warning"), (MEDICARE, "warning"), (BUILT_IN["medicare"], "error")]
)
def test_a_member_id_rejects_where_the_claims_go_to_medicares_contractor(profile, severity):
    (finding,) = findings(edit("NM1*IL", set={"9": "W00000001"}), profile)
    assert (finding.rule, finding.severity) == ("code.member-id", severity)
    assert finding.status.ack277ca == ("A7:164:IL",)
    (finding,) = findings(edit("NM1*IL", set={"9": "123456789A"}), profile)
    assert (finding.rule, finding.severity) == ("code.former-member-id", "warning")
