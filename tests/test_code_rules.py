"""The rules of code sets on whole claims: one cause, one finding, at its place; imports; nobody named."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from book import BOOK
from both_ways import assert_same, findings_in
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example, write_example
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.periods import last_day
from edi_checker.reference.tables import TherapyTables, built_in
from edi_checker.x12.finding import TableVersion
from parts_of import facts

ENGINE = Engine(BOOK, "python")


def found(example, tables=None):
    """The findings of the code family on an example, without the NPI's."""
    checker = Checker(load_guide(), ENGINE, Setting(20260302, tables or built_in()))
    written = write_example(example)
    checker = replace(checker, setting=replace(checker.setting, received=written.received))
    checked = list(checker.check(io.BytesIO(written.text.encode())))
    assert not [each.failed for each in checked if each.failed]
    findings = [finding for each in checked for finding in each.findings]
    return [f for f in findings if f.rule.startswith("code.") and f.rule != "code.npi"]


def told(example, tables=None):
    return [
        (f.rule.removeprefix("code."), f.severity, f.where.element, f.status.ack277ca)
        for f in found(example, tables)
    ]


def test_a_clean_claim_has_no_code_error():
    assert facts({}, "code_error") == []
    assert (
        facts(
            {"lines": ["97530:GP:59 x2", "99213:25 x1 dx 1,2"], "claim": {"rendering": "1679576722"}},
            "code_error",
        )
        == []
    )


@pytest.mark.parametrize(
    ("diagnoses", "expected"),
    [
        (["M545"], [("diagnosis", "error", "HI01-2", ("A7:254", "A7:700"))]),
        (["M6281", "M545"], [("diagnosis", "error", "HI02-2", ("A7:255", "A7:700"))]),
        (["Z9999"], [("diagnosis", "error", "HI01-2", ("A7:254", "A7:700"))]),
        (["M6281", "Z9999"], [("diagnosis", "error", "HI02-2", ("A7:255", "A7:700"))]),
        (["M6281", "M5.45"], [("diagnosis", "error", "HI02-2", ("A7:255", "A7:700"))]),
        (["V0001XA", "S8001XA"], [("diagnosis-external-cause", "error", "HI01-2", ("A7:254", "A7:509"))]),
        (["M6281", "M6281"], [("diagnosis-repeated", "warning", "HI02-2", ())]),
    ],
)
def test_a_diagnosis_has_its_status(diagnoses, expected):
    assert told({"claim": {"diagnoses": diagnoses}}) == expected


def test_codes_that_the_list_does_not_reach_are_said_once():
    claim = {"diagnoses": ["M6281", "U9998", "U9999"], "date": "2026-10-01", "received": "2026-11-21"}
    (finding,) = found({"claim": claim})
    assert finding.severity == "warning"
    assert "U9998, U9999" in finding.message
    assert "FY2026" in finding.message
    assert finding.table == TableVersion("icd10cm", "FY2026 (2026-04-01)")


def test_a_header_stays_one_beyond_the_list():
    claim = {"diagnoses": ["M545"], "date": "2026-10-01", "received": "2026-11-21"}
    assert [each[:2] for each in told({"claim": claim})] == [("diagnosis", "error")]


def test_the_wrong_revision_is_one_finding_for_all_codes():
    claim = {"date": "2015-09-30", "received": "2015-10-15", "diagnoses": ["M6281", "R262", "M5450"]}
    assert told({"claim": claim}) == [("diagnosis-version", "error", "HI01-2", ("A7:254",))]


def test_a_service_across_the_turn_may_have_either_revision():
    example = {
        "lines": ["99213 x1 on 2015-09-30..2015-10-01"],
        "claim": {"received": "2015-10-15", "payer": "commercial"},
    }
    assert told(example) == []
    assert told({**example, "edit": [{"find": "HI*", "replace": "HI*BK:72887"}]}) == []


def test_a_code_that_ends_within_the_service_is_left_alone():
    claim = {"payer": "commercial", "received": "2021-10-15", "diagnoses": ["M545"]}
    assert told({"lines": ["99213 x1 on 2021-09-30..2021-10-01"], "claim": claim}) == []


def test_diagnoses_in_a_second_segment_have_their_place():
    # A second HI is a fault of its own; what is in it is still found where it stands.
    (finding,) = [
        f
        for f in found({"edit": [{"find": "HI*", "append": "HI*ABF:R262*ABF:Z9999"}]})
        if f.rule == "code.diagnosis"
    ]
    assert (finding.where.segment, finding.where.element) == ("HI", "HI02-2")


@pytest.mark.parametrize(
    ("line", "element"),
    [
        ("97530:ZQ:GP x1", "SV101-3"),
        ("97530:GP:ZQ x1", "SV101-4"),
        ("97530:GP:59:ZQ x1", "SV101-5"),
        ("97530:GP:59:KX:ZQ x1", "SV101-6"),
    ],
)
def test_a_modifier_has_its_place(line, element):
    assert told({"lines": ["99213 x1", line]}) == [("modifier", "warning", element, ())]


def test_an_element_that_the_guide_refuses_is_no_second_finding():
    edit = [{"find": "N4*", "after": "NM1*85", "set": {"3": "12"}}]
    checker = Checker(load_guide(), ENGINE, Setting(20260302, built_in()))
    assert {f.rule for f in run_example(checker, {"edit": edit})} == {"guide.element-length"}


FACILITY = "NM1*77*2*ELM HALL*****XX*1234567893~N3*3 ELM STREET~N4*ALBANY*NY*12207"


def test_zip_codes_of_nine_digits_where_services_are_given():
    (claim,) = found({"edit": [{"find": "LX*", "insert": FACILITY}]})
    assert (claim.where.loop, claim.where.line, claim.status.ack277ca) == ("2310C", None, ("A7:500:77",))
    (line,) = found({"edit": [{"find": "REF*6R", "append": FACILITY}]})
    assert (line.where.loop, line.where.line, line.status.ack277ca) == ("2420C", 1, ("A7:500:77",))
    assert line.where.position == claim.where.position + 4


def test_addresses_of_the_pay_to_provider_may_have_five_digits():
    edit = [{"find": "HL*2", "insert": "NM1*87*2~N3*3 ELM STREET~N4*ALBANY*NY*12207"}]
    assert told({"edit": edit}) == []


def test_no_finding_tells_an_address_or_what_stands_in_place_of_a_code():
    edits = [
        [{"find": "N4*", "after": "NM1*IL", "set": {"2": "QJ", "3": "9876543"}}],
        [{"find": "HI*", "replace": "HI*ABK:MARTA MAPLE"}],
        [{"find": "SV1*", "set": {"1-2": "MARTA MAPLE"}}],
        [{"find": "PRV*", "set": {"3": "MARTA MAPLE"}}],
    ]
    for edit in edits:
        findings = found({"edit": edit})
        assert findings
        for finding in findings:
            assert "9876543" not in finding.message
            assert "MARTA" not in finding.message + finding.fix


def test_code_errors_are_bounded():
    lines = ["97530:ZQ:ZR:ZT:ZV x1 dx 9,8,7,6"] * 49
    assert len(facts({"lines": lines}, "code_error")) == 200


class Stored(TherapyTables):
    """Tables with releases of ICD-10-CM and HCPCS behind them, as a store has."""

    def __init__(self, name="FY2027"):
        source = built_in()
        for slot in vars(source):
            setattr(self, slot, getattr(source, slot))
        self.name = name

    def whole(self, name, on):
        return True

    def release(self, name, on):
        first = {"icd10cm": last_day(self.name) - 9929, "hcpcs": 20260101}.get(name, 99991231)
        shown = self.name if name == "icd10cm" else "2026Q1"
        return TableVersion(name, shown) if on >= first else None

    def diagnosis(self, code, on):
        known = {"M6281": True, "M999X": True, "R262": False}
        return type("Listed", (), {"billable": known[code]})() if code in known else None

    def hcpcs(self, code, on):
        return code if code == "G0283" else None

    def spans(self, name, code, on):
        return ()


def test_the_release_that_is_imported_decides_in_its_year():
    claim = {"date": "2026-10-01", "received": "2026-11-21"}
    stored = Stored()
    assert told({"claim": {**claim, "diagnoses": ["M6281"]}}, stored) == []
    assert told({"claim": {**claim, "diagnoses": ["M999X"]}}, stored) == []
    (unknown,) = found({"claim": {**claim, "diagnoses": ["M6281", "Z9999"]}}, stored)
    assert (unknown.severity, unknown.table.version) == ("error", "FY2027")
    (header,) = found({"claim": {**claim, "diagnoses": ["M6281", "R262"]}}, stored)
    assert "not specific" in header.message
    (ended,) = found({"claim": {**claim, "diagnoses": ["M6281", "M5450"]}}, stored)
    assert "no longer" in ended.message
    # Before its first day the shipped list goes on answering.
    assert (
        told({"claim": {"date": "2026-09-30", "received": "2026-11-21", "diagnoses": ["M5450"]}}, stored)
        == []
    )


def test_a_release_of_an_earlier_year_takes_nothing_away():
    claim = {"date": "2025-10-01", "received": "2026-02-02"}
    stored = Stored("FY2024")
    assert told({"claim": {**claim, "diagnoses": ["M6281", "G35A"]}}, stored) == []
    assert told({"claim": {**claim, "diagnoses": ["M6281", "G35"]}}, stored)[0][1] == "error"


def test_a_level_2_code_is_looked_up_in_the_release_of_its_day():
    stored = Stored()
    assert told({"lines": ["G0283:GP x1"]}, stored) == []
    assert told({"lines": ["97530:GP x1"]}, stored) == []
    assert told({"lines": ["G9999 x1"]}, stored) == [("procedure", "error", "SV101-2", ("A7:507",))]
    later = {"date": "2026-04-01", "received": "2026-04-02"}
    assert told({"lines": ["G9999 x1"], "claim": later}, stored) == [("procedure", "warning", "SV101-2", ())]
    before = {"date": "2025-12-31", "received": "2026-01-02"}
    assert told({"lines": ["G9999 x1"], "claim": before}, stored) == []


def test_a_flood_of_odd_segments_is_bounded():
    hi = "HI*ABK:M545" + "*ABF:Z9999" * 5000
    cas = "SBR*P*18*******CI~" + "~".join(["CAS*CO" + "*X4*1*" * 6] * 500)
    edit = [{"find": "HI*", "replace": hi}, {"find": "LX*", "insert": cas}]
    assert len(found({"edit": edit, "lines": ["97530:ZQ x1 dx 99"]})) <= 200


@pytest.mark.long
def test_long_texts_in_place_of_codes_are_refused_and_not_kept():
    long = "A" * 100_000
    edits = [
        [{"find": "HI*", "replace": f"HI*ABK:{long}"}],
        [{"find": "SV1*", "set": {"1-2": long, "1-3": long, "5": long, "7": long}}],
        [{"find": "CLM*", "set": {"5-1": long, "11": f"AA:::{long}"}}],
        [{"find": "N4*", "set": {"2": long, "3": long, "4": long}}, {"find": "PRV*", "set": {"3": long}}],
    ]
    for edit in edits:
        assert all(len(f.message) < 500 for f in found({"edit": edit}))


# -- what stands at another place than its own


ROWS = write_example({"lines": ["97530:GP x2", "97110:GP x1"]}).text.splitlines()


def moved(name, by, rows=ROWS):
    """The file with the first segment that begins so moved by some places."""
    rows = [*rows]
    at = next(number for number, row in enumerate(rows) if row.startswith(name))
    rows.insert(at + by, rows.pop(at))
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("NM1*PR", 1),
        ("CLM", -2),
        ("CLM", -1),
        ("CLM", 1),
        ("HI", -1),
        ("NM1*DN", -4),
        ("NM1*DN", -3),
        ("NM1*DN", -2),
        ("NM1*DN", 1),
        ("NM1*DN", 2),
        ("NM1*DN", 3),
        ("LX", -1),
    ],
)
def test_what_stands_at_another_place_is_not_said_to_be_missing(name, by):
    errors = {f.rule for f in findings_in(assert_same(moved(name, by))) if f.severity == "error"}
    assert errors
    assert not {rule for rule in errors if not rule.startswith("guide.")}


def test_a_pointer_beyond_the_diagnoses_is_one_though_another_segment_is_displaced():
    rows = [row.replace("UN*2***1~", "UN*2***7~") for row in ROWS]
    for name, by in (("NM1*IL", 1), ("NM1*IL", 2)):
        found = [f.rule for f in findings_in(assert_same(moved(name, by, rows))) if f.severity == "error"]
        assert "code.diagnosis-pointer" in found


def test_a_provider_who_is_not_there_is_missing_though_another_segment_is_displaced():
    rows = [row for row in ROWS if not row.startswith("NM1*DN")]
    for name, by in (("NM1*IL", 2), ("NM1*PR", 1)):
        found = [f.rule for f in findings_in(assert_same(moved(name, by, rows))) if f.severity == "error"]
        assert "therapy.certifying-provider" in found
