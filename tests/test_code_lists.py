"""Imported lists of taxonomies, reason and remark codes: layouts, releases, and what the rules then say."""

import io
import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.cli import commands
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.codesets.imported import list_versions, releases_in
from edi_checker.reference.periods import last_day
from edi_checker.reference.store import ImportRefused, list_releases, open_tables
from edi_checker.reference.tables import built_in
from make_cms_files import (
    DATED_TAXONOMY_HEAD,
    REASON_HEAD,
    TAXONOMY_HEAD,
    dated_taxonomy_text,
    reasons_text,
    taxonomy_text,
    write_workbook,
)
from small_tables import import_as_whole

ENGINE = Engine(BOOK, "python")
THERAPIST, CLINIC = "225100000X", "261QP2000X"
REASONS = [
    ("45", "01/01/1995", ""),
    ("1", "01/01/1995", ""),
    ("A1", "01/01/1995", ""),
    ("13", "01/01/1995", "06/30/2025"),
]
REMARKS = [("MA01", "01/01/1997", ""), ("N130", "", ""), ("M4", "01/01/1997", "03/31/2026")]
BAD_TAXONOMY = [("taxonomy", "warning", "PRV03")]
BAD_REASON = [("adjustment-reason", "warning", "CAS02")]
BAD_REMARK = [("remark", "warning", "MOA03")]
OTHER_PAYER = (
    "SBR*S*18*******CI~CAS*CO*{reason}*10.00~AMT*D*90~OI***Y***Y~MOA***{remark}~"
    "NM1*IL*1*MAPLE*MARTA****MI*W1~NM1*PR*2*OTHER PAYER*****PI*PAYER2"
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


def put(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    return str(path)


def load(folder, *paths, on=None):
    return import_as_whole(folder, paths, on)


def tables_of(folder, *paths, on=None):
    load(folder, *paths, on=on)
    return open_tables(folder, built_in())


def put_lists(tmp_path, *, month="2026-07"):
    return (
        put(tmp_path, f"carc_{month}.csv", reasons_text(REASONS)),
        put(tmp_path, f"rarc_{month}.csv", reasons_text(REMARKS)),
    )


def told(example, tables):
    """Rule, severity and element of each finding of the code family but the NPI's."""
    return [(f.rule.removeprefix("code."), f.severity, f.where.element) for f in found(example, tables)]


def found(example, tables):
    written = write_example(example)
    checker = Checker(load_guide(), ENGINE, Setting(20260302, tables))
    checker = replace(checker, setting=replace(checker.setting, received=written.received))
    checked = list(checker.check(io.BytesIO(written.text.encode())))
    findings = [finding for each in checked for finding in each.findings]
    return [f for f in findings if f.rule.startswith("code.") and f.rule != "code.npi"]


# -- the files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "release", "since", "until"),
    [
        ("nucc_taxonomy_260.csv", "26.0", 20260401, 20260930),
        ("nucc_taxonomy_251.csv", "25.1", 20251001, 20260331),
        ("NUCC taxonomy 26.1.csv", "26.1", 20261001, 20270331),
    ],
)
def test_a_taxonomy_is_named_by_its_version(tmp_path, folder, name, release, since, until):
    (made,) = load(folder, put(tmp_path, name, taxonomy_text([THERAPIST, CLINIC])))
    assert (made.table, made.name, made.since, made.until, made.rows) == (
        "taxonomy",
        release,
        since,
        until,
        2,
    )
    assert last_day(release) == until


@pytest.mark.parametrize(
    ("on", "release"),
    [(20260331, "25.1"), (20260401, "26.0"), (20260930, "26.0"), (20261001, "26.1"), (20270101, "26.1")],
)
def test_a_taxonomy_without_a_version_takes_that_of_the_day(tmp_path, folder, on, release):
    path = put(tmp_path, "taxonomy.csv", taxonomy_text([THERAPIST]))
    with pytest.raises(ImportRefused, match="--effective"):
        load(folder, path)
    (made,) = load(folder, path, on=on)
    assert made.name == release


@pytest.mark.parametrize(
    ("name", "release", "since_last"),
    [
        ("carc_2026-03.csv", "2026-03", 20260630),
        ("CARC 20260701.csv", "2026-07", 20261031),
        ("carc-11-01-2026.csv", "2026-11", 20270228),
        ("carc_2024-01.csv", "2023-11", 20240229),
    ],
)
def test_reasons_are_named_by_their_month(tmp_path, folder, name, release, since_last):
    (made,) = load(folder, put(tmp_path, name, reasons_text(REASONS)))
    assert (made.table, made.name, made.since, made.until) == ("carc", release, 19950101, since_last)
    assert last_day(release) == since_last


@pytest.mark.parametrize(
    ("on", "release"),
    [
        (20260228, "2025-11"),
        (20260301, "2026-03"),
        (20260701, "2026-07"),
        (20261031, "2026-07"),
        (20261101, "2026-11"),
    ],
)
def test_reasons_without_a_month_take_that_of_the_day(tmp_path, folder, on, release):
    (made,) = load(folder, put(tmp_path, "reasons.csv", reasons_text(REASONS)), on=on)
    assert made.name == release


def test_the_codes_tell_remarks_from_reasons(tmp_path, folder):
    carc, rarc = load(folder, *put_lists(tmp_path))
    assert (carc.table, carc.rows, rarc.table, rarc.rows) == ("carc", 4, "rarc", 3)
    mixed = put(tmp_path, "mixed_2026-07.csv", reasons_text([*REASONS, *REMARKS]))
    with pytest.raises(ImportRefused, match="not a table that is known here"):
        load(folder, mixed)
    with pytest.raises(ImportRefused, match="not a table that is known here"):
        load(folder, put(tmp_path, "empty_2026-07.csv", REASON_HEAD))


def test_workbooks_and_other_captions_are_read(tmp_path, folder):
    path = tmp_path / "RARC 2026-07.xlsx"
    rows = [
        ("Remittance advice remark codes", "", "", ""),
        ("Remark Code", "Effective Date", "Deactivation Date", "Description"),
        ("MA01", 35431, "", "Words"),
        ("M4", 35431, 46112, "Words"),
    ]
    write_workbook(path, rows)
    tables = tables_of(folder, str(path))
    assert tables.spans("rarc", "MA01", 20260801) == ((19970101, 99991231),)
    assert tables.spans("rarc", "M4", 20260801) == ((19970101, 20260331),)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("45", "01/01/1995", ""), *[("1", "", "")] * 50, ("CO-45", "", "")], "line 53: a code of its list"),
        ([("45", "13/01/1995", "")], "line 2: 13/01/1995 is not a date"),
        ([("45", "01/02/1995", "01/01/1995")], "line 2: the last day, 01/01/1995, is before the first"),
    ],
)
def test_a_damaged_list_is_refused_with_its_line(tmp_path, folder, rows, said):
    path = put(tmp_path, "carc_2026-07.csv", reasons_text(rows))
    with pytest.raises(ImportRefused) as caught:
        load(folder, path)
    assert said in str(caught.value)
    assert list_releases(folder) == []


def test_a_damaged_taxonomy_is_refused(tmp_path, folder):
    with pytest.raises(ImportRefused, match="a taxonomy code of ten characters"):
        load(folder, put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text([THERAPIST, "2251"])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["nucc_taxonomy_260.csv", "carc_2026-07.csv", "rarc_2026-07.txt", "cpt-2026Q3.csv"]),
    st.sampled_from([TAXONOMY_HEAD, DATED_TAXONOMY_HEAD, REASON_HEAD, "cpt,from,until\n", ""]),
    st.text(alphabet='MAN0123456789X,"\n\t/- \x00\xe9', max_size=200),
)
def test_whatever_stands_in_a_file_it_is_taken_or_refused(tmp_path, name, head, body):
    try:
        releases = load(tmp_path / "store", put(tmp_path, name, head + body))
    except ImportRefused:
        return
    tables = open_tables(tmp_path / "store", built_in())
    assert all(release.rows and tables.release(release.table, 20260801) for release in releases)


# -- what they say ------------------------------------------------------------------------------------------


def test_the_report_says_what_is_known_by_shape_until_a_list_is_imported(tmp_path, folder):
    by_shape = {name: release for name, release, rows in list_versions(built_in()) if not rows}
    assert by_shape == {
        "taxonomy": "shape and group only",
        "hcpcs": "shape only: no release imported",
        "cpt": "shape only: no list imported",
        "carc": "shape only: no list imported",
        "rarc": "shape only: no list imported",
    }
    taxonomy = put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text([THERAPIST]))
    tables = tables_of(folder, *put_lists(tmp_path), taxonomy)
    assert {name for name, _, rows in list_versions(tables) if not rows} == {"hcpcs", "cpt"}
    assert ("taxonomy", "26.0", 1) in tables.versions()
    assert releases_in(tables) is tables


def test_a_taxonomy_is_looked_up_in_the_list_of_the_day_of_receipt(tmp_path, folder):
    old = put(tmp_path, "nucc_taxonomy_251.csv", taxonomy_text([THERAPIST]))
    new = put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text([THERAPIST, "2251X9999X", CLINIC]))
    tables = tables_of(folder, old, new)

    def claim(code, received, on="2026-02-03"):
        return {"claim": {"payer": "commercial", "taxonomy": code, "date": on, "received": received}}

    assert told(claim(THERAPIST, "2026-03-31"), tables) == []
    (unknown,) = found(claim("2251X9999X", "2026-03-31"), tables)
    assert (unknown.severity, unknown.where.loop, unknown.where.element) == ("warning", "2000A", "PRV03")
    assert "2251X9999X" in unknown.message
    assert "25.1" in unknown.message
    assert unknown.status.ack277ca == ()
    assert told(claim("2251X9999X", "2026-04-01"), tables) == []
    # Past its end the list says so, and knows of no newer code.
    (late,) = found(claim("2251X8888X", "2026-10-01", "2026-09-03"), tables)
    assert late.severity == "warning"
    assert "does not cover 2026-10-01" in late.message
    # Before the first list nothing is known but shape and group.
    assert told(claim("2251X8888X", "2025-09-30", "2025-09-03"), tables) == []
    assert told(claim("995100000X", "2025-09-30", "2025-09-03"), tables) == BAD_TAXONOMY
    assert told(claim("995100000X", "2026-04-01"), tables) == BAD_TAXONOMY
    assert told(claim("PT00000001", "2026-04-01"), tables) == [("taxonomy", "error", "PRV03")]


def test_a_group_that_is_not_known_here_is_right_where_the_list_has_it(tmp_path, folder):
    tables = tables_of(folder, put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text(["995100000X"])))
    example = {"claim": {"payer": "commercial", "taxonomy": "995100000X", "received": "2026-05-01"}}
    assert told(example, tables) == []
    assert told(example, built_in()) == BAD_TAXONOMY


def test_a_rendering_provider_may_have_the_taxonomy_of_the_day_of_service(tmp_path, folder):
    old = put(tmp_path, "nucc_taxonomy_251.csv", taxonomy_text([THERAPIST, "225XX0001X", CLINIC]))
    new = put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text([THERAPIST, CLINIC]))
    tables = tables_of(folder, old, new)

    def example(on):
        return {
            "claim": {
                "payer": "commercial", "rendering": "1679576722", "date": on, "received": "2026-05-01",
            },
            "edit": [{"find": "NM1*82", "append": "PRV*PE*PXC*225XX0001X"}],
        }  # fmt: skip

    assert told(example("2026-03-31"), tables) == []
    assert told(example("2026-04-01"), tables) == BAD_TAXONOMY


@pytest.mark.parametrize(
    ("received", "expected"),
    [("2026-05-31", []), ("2026-06-01", BAD_TAXONOMY)],
)
def test_a_taxonomy_ends_with_its_last_day(tmp_path, folder, received, expected):
    rows = [(THERAPIST, "07/01/2003", ""), (CLINIC, "", "05/31/2026")]
    tables = tables_of(folder, put(tmp_path, "nucc_taxonomy_260.csv", dated_taxonomy_text(rows)))
    example = {"claim": {"payer": "commercial", "taxonomy": CLINIC, "received": received}}
    assert told(example, tables) == expected


def other_payer(reason="45", remark="MA01", on="2026-08-03", received="2026-08-31"):
    return {
        "claim": {"payer": "commercial", "date": on, "received": received},
        "edit": [{"find": "LX*", "insert": OTHER_PAYER.format(reason=reason, remark=remark)}],
    }


@pytest.mark.parametrize(
    ("example", "expected", "says"),
    [
        (other_payer(), [], ""),
        (other_payer("A1", "N130"), [], ""),
        (other_payer("252"), BAD_REASON, "reason code 252 (CAS02, loop 2320) does not exist"),
        (other_payer(remark="N999"), BAD_REMARK, "Remark code N999 (MOA03, loop 2320) does not exist"),
        (other_payer("X4"), BAD_REASON, "is not in the format of"),
        # A code that ended may have been written down before: one day from service to receipt is enough.
        (other_payer("13", on="2025-06-30"), [], ""),
        (other_payer("13", on="2025-07-01"), BAD_REASON, "not in force between service and receipt"),
        (other_payer(remark="M4", on="2026-03-31"), [], ""),
        (other_payer(remark="M4", on="2026-04-01"), BAD_REMARK, "not in force between service and receipt"),
        # What the list does not cover may be new.
        (other_payer("252", received="2026-10-31"), BAD_REASON, "does not exist"),
        (other_payer("252", received="2026-11-01"), BAD_REASON, "does not cover"),
        (other_payer("45", received="2027-06-01"), [], ""),
    ],
)  # fmt: skip
def test_reasons_and_remarks_are_looked_up(tmp_path, folder, example, expected, says):
    findings = found(example, tables_of(folder, *put_lists(tmp_path)))
    assert [(f.rule.removeprefix("code."), f.severity, f.where.element) for f in findings] == expected
    assert all(says in f.message and f.status.ack277ca == () for f in findings)
    assert [f.table.name for f in findings if "in the format" not in f.message] == [
        "carc" if rule == "adjustment-reason" else "rarc"
        for rule, _, _ in expected
        if "in the format" not in says
    ]


def test_the_newest_list_of_reasons_answers_for_all_days(tmp_path, folder):
    old, _ = put_lists(tmp_path, month="2026-03")
    new = put(tmp_path, "carc_2026-07.csv", reasons_text([*REASONS, ("252", "07/01/2026", "")]))
    tables = tables_of(folder, old, new)
    assert told(other_payer("252", on="2026-07-01"), tables) == []
    early = other_payer("252", on="2026-06-01", received="2026-06-30")
    assert told(early, tables) == BAD_REASON


def test_both_ways_of_reading_agree(tmp_path, folder):
    """What a claim is passed over by is the same list."""
    taxonomy = put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text([CLINIC]))
    load(folder, taxonomy)
    file = tmp_path / "claims.837"
    example = {
        "claim": {
            "payer": "commercial",
            "rendering": "1679576722",
            "taxonomy": CLINIC,
            "received": "2026-05-01",
        },
        "edit": [{"find": "NM1*82", "append": f"PRV*PE*PXC*{THERAPIST}"}],
    }
    file.write_text(write_example(example).text)
    words = ("check", str(file), "--format", "json", "--received", "2026-05-01", "--no-progress")
    for engine in ("durable", "python"):
        said = CliRunner().invoke(commands, [*words, "--tables", str(folder), "--engine", engine]).stdout
        report = json.loads(said)
        assert {"name": "taxonomy", "version": "26.0", "rows": 1} in report["tables"]
        (finding,) = [f for f in report["files"][0]["findings"] if f["rule"] == "code.taxonomy"]
        assert (finding["where"]["loop"], finding["table"]["version"]) == ("2310B", "26.0")


def test_a_look_up_names_the_lists(tmp_path, folder):
    taxonomy = put(tmp_path, "nucc_taxonomy_260.csv", taxonomy_text([THERAPIST]))
    load(folder, *put_lists(tmp_path), taxonomy)

    def look_up(code):
        words = ["tables", "--tables", str(folder), "lookup", code, "--on", "2026-08-03"]
        return CliRunner().invoke(commands, words).stdout

    assert "[taxonomy 26.0]\n  Taxonomy            in the list\n" in look_up(THERAPIST.lower())
    assert "  Adjustment reason   from 1995-01-01, to 2025-06-30\n" in look_up("13")
    assert "[rarc 2026-07; icd10cm" in look_up("N130")
    assert "  Remark code         in the list\n" in look_up("N130")
    assert "rarc" not in look_up("97530")
    listed = CliRunner().invoke(commands, ["tables", "--tables", str(folder), "list"]).stdout
    assert "nucc_taxonomy_260.csv" in listed


# -- a list of CPT codes of one's own -----------------------------------------------------------------------


def put_cpt(tmp_path, rows="97530,1995-01-01,\n97532,2006-01-01,2017-12-31\n0770T,20230101,\n"):
    return put(tmp_path, "cpt-2026Q3.csv", "cpt,from,until\n" + rows)


@pytest.mark.parametrize(
    ("line", "on", "expected", "says"),
    [
        ("97530:GP x1", "2026-08-03", [], ""),
        ("0770T:GP x1", "2026-08-03", [], ""),
        ("99213 x1", "2026-08-03", [("procedure", "error", "SV101-2")], "not valid on 2026-08-03"),
        ("97532:GP x1", "2017-12-31", [], ""),
        ("97532:GP x1", "2018-01-01", [("procedure", "error", "SV101-2")], "not valid on 2018-01-01"),
        ("0770T:GP x1", "2022-12-31", [("procedure", "error", "SV101-2")], "not valid on"),
        # What the list does not cover may be new.
        ("99213 x1", "2026-09-30", [("procedure", "error", "SV101-2")], "not valid on"),
        ("99213 x1", "2026-10-01", [("procedure", "warning", "SV101-2")], "does not cover 2026-10-01"),
        ("99213 x1", "1994-12-31", [], ""),
        ("G0283:GP x1", "2026-08-03", [], ""),
    ],
)
def test_cpt_codes_are_looked_up_where_a_list_is_imported(tmp_path, folder, line, on, expected, says):
    tables = tables_of(folder, put_cpt(tmp_path))
    example = {"lines": [line], "claim": {"payer": "commercial", "date": on, "received": "2026-11-21"}}
    findings = [f for f in found(example, tables) if f.rule == "code.procedure"]
    assert [(f.rule.removeprefix("code."), f.severity, f.where.element) for f in findings] == expected
    assert all(says in f.message and f.table.name == "cpt" for f in findings)
    by_lifespan = (line[:5], on) in (("97532", "2018-01-01"), ("0770T", "2022-12-31"))
    assert [f.table.name for f in found(example, built_in()) if f.rule == "code.procedure"] == (
        ["therapy_procedures"] if by_lifespan else []
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("J9271,2023-07-01,\n", "line 2: a CPT code is expected, not J9271"),
        ("97530,,\n", "line 2: a date is expected, not nothing"),
        ("97530,2026-07-02,2026-07-01\n", "line 2: the last day, 2026-07-01, is before the first"),
    ],
)
def test_a_damaged_list_of_cpt_is_refused(tmp_path, folder, rows, said):
    with pytest.raises(ImportRefused) as caught:
        load(folder, put_cpt(tmp_path, rows))
    assert said in str(caught.value)
