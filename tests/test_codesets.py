"""Code sets by date: packed diagnosis lists, small dated lists, shapes, and imported releases beside them."""

from __future__ import annotations

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_checker.reference.codesets import diagnoses, lists
from edi_checker.reference.codesets.diagnoses import (
    Unfit,
    ages_of,
    is_external_cause,
    judge,
    load,
    sex_of,
)
from edi_checker.reference.codesets.imported import list_versions, releases_in
from edi_checker.reference.periods import last_day
from edi_checker.reference.store import StoredTables, open_tables
from edi_checker.reference.tables import built_in
from small_tables import import_as_whole


def icd10(code, on):
    return judge("icd10cm", code, load("icd10cm").era(on))


def icd9(code, on):
    return judge("icd9cm", code, load("icd9cm").era(on))


@pytest.mark.long
# Codes that could be billed in a fiscal year, as CMS counts them.
@pytest.mark.parametrize(
    ("on", "count"), [(20181001, 71_932), (20201001, 72_621), (20241001, 74_260), (20251001, 74_719)]
)
def test_as_many_codes_as_cms_counts(on, count):
    known = load("icd10cm")
    era = known.era(on)
    codes = [known._code(row) for row in range(known.rows)]
    assert sum(known.holds(code, era) for code in codes) == count
    assert codes == sorted(set(codes))


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("M545", 20151001, 20210930),
        ("M5450", 20211001, 99991231),
        ("M5459", 20211001, 99991231),
        ("R05", 20151001, 20210930),
        ("G35", 20151001, 20250930),
        ("G35A", 20251001, 99991231),
        ("G35B0", 20251001, 99991231),
        ("G35C2", 20251001, 99991231),
        ("G35D", 20251001, 99991231),
        ("QA00101", 20251001, 99991231),
        ("M6281", 20151001, 99991231),
        ("S72001A", 20151001, 99991231),
    ],
)
def test_both_edges_of_a_code(code, first, last):
    assert icd10(code, first) is None
    if first > 20151001:
        assert icd10(code, first - 1 if first % 100 > 1 else first - 71).problem == "not-in-force"
    if last < 99991231:
        assert icd10(code, last) is None
        unfit = icd10(code, last + 71)
        assert (unfit.problem, unfit.until) == ("subdivided", last)
        assert all(better.startswith(code) and icd10(better, last + 71) is None for better in unfit.better)


def test_what_a_header_offers_instead():
    assert icd10("M545", 20211001) == Unfit("subdivided", None, 20210930, ("M5450", "M5451", "M5459"))
    assert icd10("M54", 20260101).problem == "subdivided"
    assert icd10("S72001", 20260101).better[0] == "S72001A"
    assert len(icd10("S72", 20260101).better) == 8


def test_a_code_too_long_offers_the_shorter_one():
    assert icd10("I101", 20260101) == Unfit("unknown", better=("I10",))


@pytest.mark.parametrize(
    ("on", "problem"),
    [
        (20150930, "uncovered"),
        (20160101, "uncovered"),
        (20181001, "unknown"),
        (20200101, "uncovered"),
        (20201001, "unknown"),
        (20210930, "unknown"),
        (20211001, "uncovered"),
        (20230930, "uncovered"),
        (20231001, "unknown"),
        (20260930, "unknown"),
        (20261001, "uncovered"),
    ],
)
def test_an_unknown_code_is_wrong_only_where_the_list_is_at_hand(on, problem):
    assert icd10("Z9999", on).problem == problem


def test_before_its_first_list_nothing_is_wrong_for_certain():
    # A header of 2019 may have been a code in 2016.
    for code in ("M54", "M5450", "I101"):
        assert icd10(code, 20170101).problem == "uncovered"


@pytest.mark.parametrize(
    "code", ["", "M", "M5", "M54.50", "m5450", "M5450 ", "12345", "M54501234", "\u041c5450"]
)
def test_what_no_diagnosis_looks_like(code):
    assert icd10(code, 20260101) == Unfit("shape")


@pytest.mark.parametrize("code", ["4659", "V9199", "E8859", "72887", "25000"])
def test_icd_9(code):
    assert icd9(code, 20150930) is None
    assert icd9(code, 20050101) is None


def test_icd_9_that_cannot_be_billed():
    assert icd9("250", 20140101).problem == "subdivided"
    assert icd9("25099", 20140101).problem == "unknown"
    assert icd9("25099", 20110930).problem == "uncovered"
    assert icd9("M5450", 20140101).problem == "shape"
    assert icd9("E88", 20140101).problem == "shape"


@pytest.mark.long
@given(st.text(max_size=9), st.integers(0, 99991231))
def test_no_text_makes_a_look_up_fail(code, on):
    for system in ("icd10cm", "icd9cm"):
        judge(system, code, load(system).era(on))


@pytest.mark.long
@given(st.sampled_from("ABMSTVZ"), st.text("0123456789AXDS", min_size=2, max_size=6), st.integers(0, 10))
def test_a_look_up_agrees_with_the_rows(letter, rest, era):
    code = letter + rest
    text = gzip.decompress((_data() / "icd10cm.txt.gz").read_bytes()).decode()
    head, *rows = text.splitlines()
    lives = json.loads(head)["lives"]
    held = {row[:7].strip(): lives[ord(row[7]) - 33] for row in _near(rows, code)}
    billable = held.get(code, "0" * 11)[era] == "1"
    assert (judge("icd10cm", code, era) is None) == billable


def _near(rows, code):
    return [row for row in rows if row.startswith(code[:3])]


def _data():
    return diagnoses.resources.files("edi_checker.reference") / "data" / "codesets"


def test_the_list_is_ready_in_no_time():
    text = (_data() / "icd10cm.txt.gz").read_bytes()
    begin = time.process_time()
    diagnoses.DiagnosisList(gzip.decompress(text))
    assert time.process_time() - begin < 0.5  # 10 ms on an idle machine


def test_external_causes():
    assert is_external_cause("icd10cm", "W010XXA")
    assert is_external_cause("icd10cm", "Y9301")
    assert is_external_cause("icd9cm", "E8859")
    assert not is_external_cause("icd10cm", "E119")
    assert not is_external_cause("icd10cm", "T07XXXA")
    assert not is_external_cause("icd9cm", "V5789")


@pytest.mark.parametrize(
    ("code", "sex"),
    [
        ("O2686", "F"),
        ("Z3A20", "F"),
        ("Z370", "F"),
        ("C50911", "F"),
        ("N8110", "F"),
        ("N3502", "F"),
        ("N35028", "F"),
        ("N401", "M"),
        ("C61", "M"),
        ("C50922", "M"),
        ("N35011", "M"),
        ("N99110", "M"),
        ("N9912", "F"),
        ("N393", ""),
        ("N6012", ""),
        ("C7911", ""),
        ("Z3141", ""),
        ("N9989", ""),
        ("Z3009", ""),
        ("C50A0", ""),
    ],
)
def test_sex_by_icd_10_cm(code, sex):
    assert sex_of(code) == sex


def test_ages_by_icd_10_cm():
    assert ages_of("Z00110").most_days == 28
    assert ages_of("Z00121").least_days == 28
    assert ages_of("Z6854").most_years == 20
    assert ages_of("Z6841").least_years == 20
    assert ages_of("Z0000").least_years == 15
    assert ages_of("Z006") is None
    assert ages_of("M6281") is None


# -- small lists -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("02", 20170101),
        ("10", 20220101),
        ("19", 20160101),
        ("27", 20231001),
        ("58", 20200101),
        ("66", 20240801),
    ],
)
def test_places_of_service_have_a_first_day(code, first):
    known = lists.places_of_service()
    assert known.judge(code, first) is None
    assert known.judge(code, first - 1 if first % 100 > 1 else first - 70) == "not-in-force"


def test_places_of_service_that_there_are_not():
    known = lists.places_of_service()
    for code in ("00", "28", "30", "40", "59", "63", "70", "98"):
        assert known.judge(code, 20260930) == "unknown"
        assert known.judge(code, 20261001) == "uncovered"
    assert len(known.periods) == 52


@pytest.mark.parametrize(
    ("code", "on", "problem"),
    [
        ("GP", 20260101, None),
        ("59", 20260101, None),
        ("KX", 20260101, None),
        ("PT", 20260101, None),
        ("XE", 20141231, "not-in-force"),
        ("XE", 20150101, None),
        ("95", 20161231, "not-in-force"),
        ("95", 20170101, None),
        ("97", 20171231, "not-in-force"),
        ("97", 20180101, None),
        ("SZ", 20171231, None),
        ("SZ", 20180101, "not-in-force"),
        ("93", 20211231, "not-in-force"),
        ("93", 20220101, None),
        ("JZ", 20221231, "not-in-force"),
        ("JZ", 20230101, None),
        ("RH", 20260101, None),
        ("NX", 20260101, None),
        ("ZQ", 20260101, "uncovered"),
        ("00", 20260101, "uncovered"),
        ("G", 20260101, "shape"),
        ("G.", 20260101, "shape"),
        ("GPX", 20260101, "shape"),
    ],
)
def test_modifiers(code, on, problem):
    assert lists.judge_modifier(code, on) == problem
    assert lists.judge_modifier(code, lists.turn_of(on)) == problem


def test_every_releasing_modifier_and_discipline_is_known():
    releasing = (
        "E1 E4 FA F9 TA T9 LT RT LC LD RC LM RI 24 25 57 58 78 79 27 59 91 XE XS XP XU GP GO GN KX CQ CO"
    )
    assert [m for m in releasing.split() if lists.judge_modifier(m, 20260101)] == []


@pytest.mark.parametrize("code", ["97530", "0770T", "0001U", "4040F", "G0283", "A0429", "J1100", "W1234"])
def test_procedures(code):
    assert lists.is_procedure(code)


@pytest.mark.parametrize("code", ["", "9753", "975300", "97A30", "97530 ", "g0283", "GG283", "9753\u0660"])
def test_what_is_no_procedure(code):
    assert not lists.is_procedure(code)


def test_taxonomies():
    assert lists.judge_taxonomy("225100000X") is None
    assert lists.judge_taxonomy("2251X0800X") is None
    assert lists.judge_taxonomy("203BF0100Y") is None
    assert lists.judge_taxonomy("405300000X") is None
    assert lists.judge_taxonomy("995100000X") == "unknown"
    for text in ("", "225100000", "2251000000", "22510000XXX", "X251000000", "225100000x"):
        assert lists.judge_taxonomy(text) == "shape"


@pytest.mark.parametrize(
    ("state", "postal_code", "country", "found"),
    [
        ("NY", "122070001", "", ()),
        ("PR", "009010001", "US", ()),
        ("AE", "09012", "", (("N403", "zip-5"),)),
        ("NY", "12207-0001", "", (("N403", "shape"),)),
        ("NY", "000000000", "", (("N403", "shape"),)),
        ("XX", "1", "", (("N402", "unknown"), ("N403", "shape"))),
        ("ON", "M5V3L9", "CA", ()),
        ("QC", "H2X 1Y4", "CA", ()),
        ("NY", "M5V3L9", "CA", (("N402", "unknown"),)),
        ("ON", "12207", "CA", (("N403", "shape"),)),
        ("ON", "M5V3L9", "", (("N402", "country-missing"),)),
        ("BE", "10115", "DE", ()),
        ("", "", "", ()),
        ("NY", "122070001", "QX", (("N404", "unknown"),)),
    ],
)
def test_addresses(state, postal_code, country, found):
    assert lists.judge_address(state, postal_code, country) == found


def test_adjustments_and_remarks():
    assert all(map(lists.is_adjustment_reason, ("1", "45", "253", "A1", "B13", "P12")))
    assert not any(map(lists.is_adjustment_reason, ("", "045", "X4", "CO", "1234")))
    assert all(map(lists.is_remark, ("M1", "MA130", "N130", "N734")))
    assert not any(map(lists.is_remark, ("", "X1", "130", "MA")))


# -- imported releases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("FY2027", 20270930),
        ("FY2026-April", 20260930),
        ("2026Q3r1", 20260930),
        ("2026Q4", 20261231),
        ("x", 0),
    ],
)
def test_the_last_day_of_a_release_is_in_its_name(name, last):
    assert last_day(name) == last


def test_the_report_says_what_is_known_by_shape_alone():
    versions = {name: (release, rows) for name, release, rows in list_versions(built_in())}
    assert versions["hcpcs"] == ("shape only: no release imported", 0)
    assert versions["taxonomy"][0] == "shape and group only"
    assert versions["icd10cm"] == ("FY2026 (2026-04-01)", 75_215)
    assert releases_in(built_in()) is None


def test_a_store_without_code_sets_is_as_good_as_none(tmp_path):
    assert releases_in(StoredTables(tmp_path, [], built_in())) is None


def test_a_store_answers_for_the_code_sets_that_were_imported(tmp_path):
    orders = "\n".join(
        f"{number:05d} {code:7} {billable} {'x':60} x"
        for number, (code, billable) in enumerate([("M54", 0), ("M545", 0), ("M5450", 1)], 1)
    )
    path = tmp_path / "icd10cm-order-2027.txt"
    path.write_text(orders + "\n")
    import_as_whole(tmp_path / "store", [str(path)])
    tables = open_tables(tmp_path / "store", built_in())
    releases = releases_in(tables)
    assert releases is not None
    assert releases.release("icd10cm", 20261001).version == "FY2027"
    assert releases.release("icd10cm", 20260930) is None
    assert releases.diagnosis("M5450", 20261001).billable
    assert not releases.diagnosis("M545", 20261001).billable
    assert releases.diagnosis("M5451", 20261001) is None
    assert ("hcpcs", "shape only: no release imported", 0) in list_versions(tables)
