"""The whole check on public claim files by others; skipped where they do not lie beside the project."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import GroupEnd, InterchangeEnd
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.x12.finding import Finding
from paths import CORPUS, read_rows

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="the public corpus is not beside the project")

# What the published samples are known for: invented NPIs, short ZIP codes, ICD-9 codes, other version names.
SOFT = {"code.npi", "code.zip", "code.diagnosis", "code.diagnosis-version", "x12.version"}


def listed() -> list[dict[str, str]]:
    rows = read_rows(CORPUS / "EXPECTED.csv") if CORPUS.is_dir() else []
    return [row for row in rows if row["file"].startswith("837p/")]


ROWS = {Path(row["file"]).name: row for row in listed()}
VALID = [name for name, row in ROWS.items() if row["valid"] == "published as valid"]


@cache
def checked(name: str) -> list[Checked]:
    checker = Checker(load_guide(), Engine(rules.load()), Setting(20261121, built_in()))
    with (CORPUS / "837p" / name).open("rb") as stream:
        return list(checker.check(stream))


def findings(name: str) -> list[Finding]:
    return [finding for each in checked(name) for finding in each.findings]


def counted(name: str, *without: str) -> Counter[tuple[str, str]]:
    """Errors by rule and element (or segment), without those of some rules."""
    return Counter(
        (f.rule, f.where.element or f.where.segment)
        for f in findings(name)
        if f.severity == "error" and f.rule not in SOFT and not f.rule.startswith(without or "-")
    )


@pytest.mark.parametrize("name", VALID)
def test_what_is_published_as_valid_has_no_error(name: str) -> None:
    assert not counted(name)
    # Situational and coding hints may be said of old samples, but nothing of the structure.
    assert not [f for f in findings(name) if f.rule.startswith(("guide.", "x12.")) and f.rule not in SOFT]


@pytest.mark.parametrize("name", ROWS)
def test_nothing_fails_and_no_part_is_lost(name: str) -> None:
    assert not [each.failed for each in checked(name) if each.failed]
    assert isinstance(checked(name)[-1].part, InterchangeEnd)


IMSWEB = "imsweb__x12-parser__837_5010_x12_"
# What every file of that family has besides its named fault: its base file is full of slips of its own.
FAMILY = ("guide.hierarchy", "guide.line-number", "balance.", "code.", "situation.", "date.")


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("loop_errors1_exceeds_max_1_parent", {("guide.loop-repeat", "NM1"): 1}),
        ("loop_errors3_missing_loops", {("guide.loop-missing", "NM1"): 1}),
        ("missing_elements", {("guide.element-missing", "NM102"): 1, ("guide.element-missing", "CLM05"): 1}),
        ("segments_out_of_order", {("guide.segment-order", "N3"): 1, ("guide.segment-order", "N4"): 1}),
        ("bad_segment_identifier", {("x12.segment", ""): 3}),
        ("bad_first_line", {("x12.envelope", "ISA02"): 1}),
        ("missing_first_gs", {("x12.envelope", "GS"): 1}),
        ("missing_last_isa", {("x12.truncated", "IEA"): 1}),
        ("valid_different_separators", {}),
    ],
)
def test_a_seeded_fault_gives_its_finding_and_no_cascade(
    name: str, named: dict[tuple[str, str], int]
) -> None:
    found = counted(f"{IMSWEB}{name}.txt", *FAMILY)
    for malformed in [("guide.element-missing", "HI01-2"), ("x12.count", "SE01")]:
        found.pop(malformed, None)
    assert dict(found) == named


def test_three_groups_each_close_and_the_count_of_groups_is_noted() -> None:
    name = f"{IMSWEB}multiple_gs.txt"
    assert sum(isinstance(each.part, GroupEnd) for each in checked(name)) == 3
    assert [f.status.ta1 for f in findings(name) if f.status.ta1] == ["021"]
    assert checked(name)[-1].outcome == "accepted"


def test_sixteen_interchanges_give_sixteen_answers() -> None:
    name = "kputnam__stupidedi__samples_837_all.txt"
    assert sum(isinstance(each.part, InterchangeEnd) for each in checked(name)) == 16


@pytest.mark.parametrize(
    ("name", "rule", "element"),
    [
        ("LinuxForHealth__x12__837_005010X222A2_demo.cob.example3.A.837", "guide.loop-missing", "NM1"),
        (
            "LinuxForHealth__x12__837_005010X222A2_demo.ambulance.example5.837",
            "guide.element-missing",
            "CLM05-2",
        ),
        ("LinuxForHealth__x12__837_005010X222A2_demo.example11.837", "x12.delimiter", "ISA16"),
    ],
)
def test_odd_files_give_the_one_finding(name: str, rule: str, element: str) -> None:
    assert dict(counted(name)) == {(rule, element): 1}


@pytest.mark.parametrize(
    "name",
    [
        "LinuxForHealth__x12__837_004010X098A1_patient-is-dependent.837",
        "azoner__pyx12__testdata_loop_counting.txt",
    ],
)
def test_other_versions_give_one_finding_of_the_version(name: str) -> None:
    assert [(f.rule, f.severity, f.status.ack999) for f in findings(name)] == [
        ("x12.version", "error", ("AK905=2",))
    ]


def test_eight_hundred_malformed_claims_are_each_told_of_once() -> None:
    found = counted(f"{IMSWEB}many_claims.txt", "guide.hierarchy", "balance.", "code.", "situation.")
    assert found["guide.element-missing", "HI01-2"] == 820
    assert sum(found.values()) < 820 * 2
