"""Files as CMS publishes them, imported, and what look-ups then answer."""

import json
import random
import stat
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_checker.check.examples import write_example
from edi_checker.cli import commands
from edi_checker.reference.store import (
    ImportRefused,
    StoreError,
    list_releases,
    open_tables,
)
from edi_checker.reference.store.layouts import parse_day
from edi_checker.reference.store.packed import Damaged, Packed, Packer, Shape
from edi_checker.reference.store.release import SHAPES
from edi_checker.reference.tables import BUILT_IN, built_in
from make_cms_files import (
    ADDON_CAPTIONS,
    MEDICAID_HEAD,
    MPFS_HEAD,
    MUE_HEAD,
    PTP_HEAD,
    addon_line,
    betos_line,
    hcpcs_line,
    icd_line,
    mpfs_line,
    mue_text,
    opps_text,
    ptp_text,
    rbcs_text,
    write_workbook,
)
from paths import REFERENCE
from small_tables import import_as_whole

ROOT = Path(__file__).resolve().parents[1]
CLEAN = ROOT / "samples" / "837p" / "clean" / "pt-clinic.837"
WHY = "Misuse of Column Two code with Column One code"
ROWS = [
    ("97150", "97530", "", "20180701", "*", "1", "Mutually exclusive procedures"),
    ("97530", "97116", "", "20200101", "20200101", "9", WHY),
    ("97530", "97750", "*", "19960101", "20041231", "0", WHY),
    ("97530", "97750", "", "20201001", "*", "1", WHY),
    ("97530", "99999", "", "20180101", "20231231", "0", WHY),
    ("G0283", "97014", "", "20130401", "*", "0", WHY),
]
MEDICAID_ROWS = [("97530", "97110", "20240101", "*", "1", WHY), ("97530", "97112", "20240101", "", "0", WHY)]
THERAPY = ("7", "XXX", "5", "0", "0", "0", "0")


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


def put_ptp(tmp_path, name="ccipra-v322r0.txt", rows=ROWS):
    return put(tmp_path, name, ptp_text(rows))


def put_mue(tmp_path, value="6", quarter="07-01-2026", name="MCR_MUE_PractitionerServices_Eff_{}.csv"):
    return put(
        tmp_path,
        name.format(quarter),
        mue_text([("97530", value, "3", "Clinical: Data"), ("97161", "1", "2", "x")]),
    )


def refusal(folder, *paths, on=None):
    with pytest.raises(ImportRefused) as caught:
        load(folder, *paths, on=on)
    assert list_releases(folder) == []
    assert not list(folder.glob("*.table"))
    return str(caught.value)


# -- procedure-to-procedure edits ---------------------------------------------------------------------------


def test_a_ptp_file_is_read_as_published(tmp_path, folder):
    (release,) = load(folder, put_ptp(tmp_path))
    assert (release.table, release.name, release.rows) == ("ncci_ptp", "2026Q3", 6)
    assert (release.since, release.until) == (19960101, 20260930)
    assert release.sources[0][0] == "ccipra-v322r0.txt"
    assert len(release.sources[0][1]) == 64


@pytest.mark.parametrize(
    ("one", "two", "on", "indicator"),
    [
        ("97530", "97750", 19960101, "0"),
        ("97530", "97750", 20041231, "0"),  # the deletion date is the last day in force
        ("97530", "97750", 20050101, None),
        ("97530", "97750", 20200930, None),
        ("97530", "97750", 20201001, "1"),
        ("97750", "97530", 20260203, "1"),
        ("97530", "97150", 20260203, "1"),
        ("97530", "97116", 20200101, None),  # indicator 9 never bites
        ("97530", "99999", 20231231, "0"),
        ("97530", "99999", 20240101, None),
        ("97530", "9975", 20260203, None),
        ("97530", "97750\u00e9", 20260203, None),
        ("", "", 20260203, None),
    ],
)
def test_an_edit_bites_from_its_first_to_its_last_day(tmp_path, folder, one, two, on, indicator):
    edit = tables_of(folder, put_ptp(tmp_path)).ptp(one, two, on)
    assert (edit.indicator if edit else None) == indicator


def test_an_edit_says_row_and_release(tmp_path, folder):
    edit = tables_of(folder, put_ptp(tmp_path)).ptp("97750", "97530", 20260203)
    assert (edit.column_1, edit.column_2, edit.effective, edit.deletion) == ("97530", "97750", 20201001, None)
    assert edit.rationale == WHY
    assert (edit.table.name, edit.table.version) == ("ncci_ptp", "2026Q3")


def test_of_two_edits_of_a_day_the_one_that_asks_less_counts(tmp_path, folder):
    rows = [
        ("11111", "22222", "", "20200101", "*", "0", WHY),
        ("11111", "22222", "", "20200101", "*", "1", WHY),
        ("G0001", "22222", "", "20200101", "*", "0", WHY),
    ]
    assert tables_of(folder, put_ptp(tmp_path, rows=rows)).ptp("11111", "22222", 20260101).indicator == "1"


def test_where_a_release_answers_the_built_in_table_is_silent(tmp_path, folder):
    assert built_in().ptp("97530", "97537", 20260203)
    tables = tables_of(folder, put_ptp(tmp_path))
    assert tables.ptp("97530", "97537", 20260203) is None
    assert tables.release("ncci_ptp", 20260203).version == "2026Q3"


def test_before_the_first_release_the_built_in_tables_answer(tmp_path, folder):
    tables = tables_of(folder, put_mue(tmp_path, "4"))
    assert tables.ptp("97530", "97537", 20260203).table.version == BUILT_IN
    assert (tables.mue("97530", 20260701).limit, tables.mue("97530", 20260630).limit) == (4, 6)
    assert tables.release("ncci_mue", 20260630) is None
    assert tables.release("ncci_ptp", 20260203) is None


def test_the_newest_ptp_release_answers_for_every_day(tmp_path, folder):
    old = put_ptp(tmp_path, "ccipra-v321r0.txt")
    new = put_ptp(tmp_path, rows=[(*ROWS[3][:4], "20251231", *ROWS[3][5:]), ROWS[5]])
    tables = tables_of(folder, new, old)
    assert tables.ptp("97530", "97750", 20251231).table.version == "2026Q3"
    assert tables.ptp("97530", "97750", 20260401) is None
    assert [release.name for release in list_releases(folder)] == ["2026Q2", "2026Q3"]


def test_medicaid_has_a_shorter_layout_and_its_own_edits(tmp_path, folder):
    path = put(tmp_path, "mcd-ptp-q3-2026.txt", ptp_text(MEDICAID_ROWS, MEDICAID_HEAD))
    tables = tables_of(folder, path, put_ptp(tmp_path))
    assert tables.ptp("97530", "97110", 20260203) is None
    medicaid = tables.of("medicaid")
    assert medicaid.ptp("97110", "97530", 20260203).table.name == "ncci_ptp_medicaid"
    assert medicaid.ptp("97530", "97112", 20260203).indicator == "0"
    assert medicaid.ptp("97530", "97750", 20260203) is None
    assert tables.of("medicare") is tables
    assert tables.of("medicaid") is medicaid


def test_without_tables_of_its_own_medicaid_has_those_of_medicare(tmp_path, folder):
    tables = tables_of(folder, put_ptp(tmp_path)).of("medicaid")
    assert tables.ptp("97530", "97750", 20260203).table.name == "ncci_ptp"


def test_a_ptp_file_without_captions_is_known_by_its_columns(tmp_path, folder):
    load(folder, put(tmp_path, "v322r0.txt", ptp_text(ROWS, "")))
    load(folder, put(tmp_path, "q3-2026.txt", ptp_text(MEDICAID_ROWS, "")))
    assert [(r.table, r.rows) for r in list_releases(folder)] == [("ncci_ptp", 6), ("ncci_ptp_medicaid", 2)]


def test_a_ptp_file_whose_name_tells_nothing_has_the_quarter_of_its_newest_edit(tmp_path, folder):
    (release,) = load(folder, put_ptp(tmp_path, "edits.txt"))
    assert (release.name, release.until) == ("2020Q4", 20201231)
    (release,) = load(folder, put_ptp(tmp_path, "edits.txt"), on=20260815)
    assert release.name == "2026Q3"


@pytest.mark.parametrize("strings", [True, False])
def test_a_workbook_gives_the_same_rows(tmp_path, folder, strings):
    captions = [
        "Column 1",
        "Column 2",
        "*=in existence\nprior to 1996",
        "Effective\nDate",
        "Deletion\nDate",
        "Modifier",
        "PTP Edit Rationale",
    ]
    # Excel keeps dates as numbers, and may keep codes as numbers too.
    rows = [[int(c) if c.isdigit() else c for c in row] for row in ROWS]
    write_workbook(
        tmp_path / "ccipra-v322r0-f1.xlsx",
        [["Notice"], captions, ["", "", "", "", "*=no data"], *rows],
        strings=strings,
    )
    tables = tables_of(folder, str(tmp_path / "ccipra-v322r0-f1.xlsx"))
    text = tables_of(tmp_path / "other", put_ptp(tmp_path))
    for row in ROWS:
        assert [found.record for found in tables.rows(row[0], row[1])] == [
            found.record for found in text.rows(row[0], row[1])
        ]
        assert list(tables.rows(row[0], row[1]))


def test_an_archive_holds_the_parts_as_text_and_as_workbook(tmp_path, folder):
    first, second = ROWS[:5], ROWS[5:]
    write_workbook(
        tmp_path / "x.xlsx",
        [
            ["Column 1", "Column 2", "*=in existence", "Effective", "Deletion", "Modifier", "Rationale"],
            *first,
        ],
    )
    with zipfile.ZipFile(tmp_path / "ptp.zip", "w") as archive:
        archive.writestr("ccipra-v322r0-f1/ccipra-v322r0-f1.TXT", ptp_text(first))
        archive.write(tmp_path / "x.xlsx", "ccipra-v322r0-f1/ccipra-v322r0-f1.xlsx")
        archive.writestr("ccipra-v322r0-f2.TXT", ptp_text(second))
        archive.writestr("readme.pdf", b"%PDF-1.4 nothing to see")
    (release,) = load(folder, str(tmp_path / "ptp.zip"))
    assert release.rows == 6
    assert [name for name, _ in release.sources] == [
        "ptp.zip!ccipra-v322r0-f1/ccipra-v322r0-f1.TXT",
        "ptp.zip!ccipra-v322r0-f2.TXT",
    ]


def test_an_archive_with_nothing_but_a_workbook_is_read(tmp_path, folder):
    write_workbook(
        tmp_path / "x.xlsx",
        [["Column 1", "Column 2", "*=in existence", "Effective", "Deletion", "Modifier", "Rationale"], *ROWS],
    )
    with zipfile.ZipFile(tmp_path / "ptp-2026q3.zip", "w") as archive:
        archive.write(tmp_path / "x.xlsx", "x.xlsx")
    (release,) = load(folder, str(tmp_path / "ptp-2026q3.zip"))
    assert (release.name, release.rows) == ("2026Q3", 6)


def test_parts_must_all_be_there(tmp_path, folder):
    first = put_ptp(tmp_path, "ccipra-v322r0-f1.txt", ROWS[:2])
    second = put_ptp(tmp_path, "ccipra-v322r0-f2.txt", ROWS[2:5])
    third = put_ptp(tmp_path, "ccipra-v322r0-f3.txt", ROWS[5:])
    assert "f2 of the same release" in refusal(folder, first, third)
    assert "end at 97530" in refusal(folder, first, second)
    (release,) = load(folder, third, first, second)
    assert release.rows == 6


@pytest.mark.parametrize(
    "name",
    [
        "medicare-ncci-2026q3-practitioner-quarterly-additions-deletions-revisions-ptp.txt",
        "ccioph-v322r0-f1.txt",
        "medicaid-ncci-q3-2026-ptp-edits-outpatient-hospital-services.txt",
    ],
)
def test_lists_of_changes_and_the_edits_of_hospitals_are_refused(tmp_path, folder, name):
    assert "needed" in refusal(folder, put_ptp(tmp_path, name))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("97530", "97750", "", "20201001", "*"), "5 columns, where 6 are needed"),
        (("97530", "9775", "", "20201001", "*", "1", WHY), "five characters"),
        (("97530", "9775o", "", "20201001", "*", "1", WHY), "five characters"),
        (("97530", "97750", "", "20201301", "*", "1", WHY), "20201301 is not a date"),
        (("97530", "97750", "", "20210229", "*", "1", WHY), "20210229 is not a date"),
        (("97530", "97750", "", "*", "*", "1", WHY), "a date is expected"),
        (("97530", "97750", "", "20201001", "", "1", WHY), "deletion date"),
        (("97530", "97750", "", "20201001", "*", "7", WHY), "indicator of 0, 1 or 9"),
        (("97530", "97750", "20201001", "*", "1", WHY, ""), "column 3"),
        (("97530", "97750", "", "20201001", "*", "1", WHY, "more"), "more columns"),
        (("\x1b[31m\x00",), "columns"),
    ],
)
def test_a_damaged_row_refuses_the_whole_file_with_its_line(tmp_path, folder, row, reason):
    said = refusal(folder, put_ptp(tmp_path, rows=[*ROWS, row]))
    assert "ccipra-v322r0.txt: line 13: " in said
    assert reason in said
    assert said.isprintable()


def test_a_file_that_is_cut_in_a_row_is_refused(tmp_path, folder):
    path = put_ptp(tmp_path)
    text = Path(path).read_bytes()
    Path(path).write_bytes(text[: text.rindex(b"\t0")])
    assert "line 12" in refusal(folder, path)


def test_a_refusal_leaves_the_store_as_it_was(tmp_path, folder):
    load(folder, put_ptp(tmp_path))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    bad = put_ptp(tmp_path, "ccipra-v323r0.txt", [*ROWS, ("97530", "x")])
    with pytest.raises(ImportRefused):
        load(folder, put_mue(tmp_path), bad)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_release_can_be_imported_again(tmp_path, folder):
    load(folder, put_ptp(tmp_path))
    tables = open_tables(folder, built_in())
    load(folder, put_ptp(tmp_path, rows=ROWS[:5]))
    assert [release.rows for release in list_releases(folder)] == [5]
    assert len(list(folder.glob("*.table"))) == 1
    # Whoever has the old one open keeps it.
    assert tables.ptp("G0283", "97014", 20260101)
    assert open_tables(folder, built_in()).ptp("G0283", "97014", 20260101) is None


def test_what_is_no_table_is_refused(tmp_path, folder):
    for name, text in (
        ("a.txt", "ISA*00*"),
        ("b.csv", ""),
        ("c.txt", "\x00\x01\x02" * 99),
        ("d.xlsx", "PK\x03\x04x"),
    ):
        assert name in refusal(folder, put(tmp_path, name, text))
    assert "absent.txt" in refusal(folder, str(tmp_path / "absent.txt"))
    assert "standard input" in refusal(folder, "-")
    assert "empty" in refusal(folder, _empty_folder(tmp_path))
    assert "no row" in refusal(folder, put(tmp_path, "ccipra-v322r0.txt", PTP_HEAD))
    assert "does not end" in refusal(folder, put(tmp_path, "ccipra-v322r0.txt", PTP_HEAD + "9" * 3_000_000))


def _empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    return str(tmp_path / "empty")


def test_files_of_the_store_are_whole_and_private(tmp_path, folder):
    load(folder, put_ptp(tmp_path))
    for path in folder.glob("[!.]*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads((folder / "manifest.json").read_text())["schema"] == "edi-checker/tables/1"
    assert str(tmp_path) not in (folder / "manifest.json").read_text()


# -- the other tables ---------------------------------------------------------------------------------------


def test_limits_are_those_of_the_quarter_of_the_service(tmp_path, folder):
    paths = [
        put_mue(tmp_path, "6", "01-01-2026"),
        put_mue(tmp_path, "8", "04-01-2026"),
        put_mue(tmp_path, "4"),
    ]
    tables = tables_of(folder, *paths)
    said = {
        on: (tables.mue("97530", on).limit, tables.mue("97530", on).table.version)
        for on in (20260331, 20260401, 20260701, 20270101)
    }
    assert said == {
        20260331: (6, "2026Q1"),
        20260401: (8, "2026Q2"),
        20260701: (4, "2026Q3"),
        20270101: (4, "2026Q3"),
    }
    limit = tables.mue("97161", 20260701)
    assert (limit.mai, limit.rationale, limit.table.name) == ("2", "x", "ncci_mue")
    assert tables.mue("97140", 20260701) is None
    assert tables.mue("97140", 20251231).table.version == BUILT_IN


def test_medicaids_limits_are_of_a_line(tmp_path, folder):
    text = "HCPCS/CPT Code,Practitioner Services MUE Values,MUE Rationale\n97530,8,x\n"
    tables = tables_of(folder, put(tmp_path, "medicaid-ncci-2026-q3-mue.csv", text))
    assert (
        tables.of("medicaid").mue("97530", 20260701).limit,
        tables.of("medicaid").mue("97530", 20260701).mai,
    ) == (8, "1")
    assert tables.mue("97530", 20260701).limit == 6


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("97530,six,3 x,y", "number of units"),
        ("97530,6,4 x,y", "adjudication indicator"),
        ("97530,7,3 x,y\n97530,6,3 x,y", "twice"),
        ("9753,6,3 x,y", "five characters"),
        ('97530,"6,3 x,y', "not a row of cells and commas"),
    ],
)
def test_a_damaged_limit_is_refused_with_its_line(tmp_path, folder, line, reason):
    text = MUE_HEAD + "97140,6,3 Date,y\n" + line + "\n"
    said = refusal(folder, put(tmp_path, "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv", text))
    # The notice takes four lines, the captions two.
    assert f"line {8 + line.count(chr(10))}: " in said
    assert reason in said


def test_limits_of_hospitals_and_suppliers_are_refused(tmp_path, folder):
    for setting in ("Outpatient Hospital Services", "DME Supplier Services"):
        text = MUE_HEAD.replace("Practitioner Services", setting) + "97530,6,3 x,y\n"
        assert "another setting" in refusal(folder, put(tmp_path, "mue_2026q3.csv", text))


def test_a_table_whose_release_nothing_tells_is_refused_unless_a_day_is_given(tmp_path, folder):
    path = put_mue(tmp_path, name="mue.csv")
    assert "--effective" in refusal(folder, path)
    (release,) = load(folder, path, on=20260401)
    assert release.name == "2026Q2"


def test_add_on_codes_have_the_primaries_of_the_day(tmp_path, folder):
    lines = [
        addon_line("1", "0770T", "97530", "2023001"),
        addon_line("1", "0770T", "90832", "2023001", "2025365"),
        addon_line("1", "0770T", "90834", "2023001", primary_end="2024366"),
        addon_line("2", "0054T", "CCCCC", "2013091", note="Contractor Defined Primary Codes"),
        addon_line("3", "22222", "33333", "2013091"),
        addon_line("3", "22222", "CCCCC", "2013091"),
        addon_line("1", "44444", "33333", "2013091", addon_end="2024366"),
    ]
    assert {len(line.rstrip("\r\n")) for line in lines} == {97}
    tables = tables_of(folder, put(tmp_path, "AOC_V2026Q3-F-MCR.txt", "".join(lines)))
    assert tables.addon("0770T", 20241231).primaries == ("90832", "90834", "97530")
    assert tables.addon("0770T", 20250101).primaries == ("90832", "97530")
    addon = tables.addon("0770T", 20260101)
    assert (addon.type, addon.primaries, addon.table.version) == ("1", ("97530",), "2026Q3")
    assert (tables.addon("0054T", 20260101).type, tables.addon("0054T", 20260101).primaries) == ("2", ())
    assert (tables.addon("22222", 20260101).type, tables.addon("22222", 20260101).primaries) == (
        "3",
        ("33333",),
    )
    assert tables.addon("44444", 20241231)
    assert tables.addon("44444", 20250101) is None
    assert tables.addon("97530", 20260101) is None
    assert tables.release("ncci_addon", 20130331) is None


def test_add_on_codes_come_in_a_workbook_too(tmp_path, folder):
    rows = [
        ["Notice"],
        ADDON_CAPTIONS,
        [1, "0770T", "", "97530", "", 2023001],
        [1, "0770T", "", "90832", "", 2023001, 2025365],
    ]
    write_workbook(tmp_path / "AOC_V2026Q3-MCR.xlsx", rows)
    tables = tables_of(folder, str(tmp_path / "AOC_V2026Q3-MCR.xlsx"))
    assert tables.addon("0770T", 20260101).primaries == ("97530",)


@pytest.mark.parametrize(
    "line",
    [
        addon_line("4", "0770T", "97530", "2023001"),
        addon_line("1", "0770T", "97530", "2023366"),
        addon_line("1", "0770T", "97530", "2023000"),
        addon_line("1", "0770T", "97530", ""),
        addon_line("1", "0770T", "", "2023001"),
        "10770T\r\n",
    ],
)
def test_a_damaged_add_on_code_is_refused_with_its_line(tmp_path, folder, line):
    good = addon_line("1", "0770T", "97533", "2023001")
    assert "line 3: " in refusal(folder, put(tmp_path, "AOC_V2026Q3-MCR.txt", good * 2 + line))


def test_the_fee_schedule_gives_indicators_and_no_descriptors(tmp_path, folder):
    text = (
        MPFS_HEAD
        + mpfs_line("97530", "", "A", THERAPY)
        + mpfs_line("70450", "", "A", ("1", "XXX", "0", "0", "0", "0", "0"))
    )
    text += mpfs_line("70450", "26", "A", ("1", "XXX", "0", "0", "0", "0", "0")) + mpfs_line(
        "27447", "", "A", ("0", "090", "2", "1", "2", "1", "0")
    )
    tables = tables_of(folder, put(tmp_path, "PPRRVU2026_Jul_nonQPP.csv", text))
    known = tables.procedure("97530", 20260701)
    assert (known.therapy, known.eight_minute, known.pctc, known.multiple_procedure) == (
        "always",
        True,
        "7",
        "5",
    )
    knee = tables.procedure("27447", 20260701)
    assert (knee.status, knee.pctc, knee.global_days) == ("A", "0", "090")
    assert (knee.multiple_procedure, knee.bilateral) == ("2", "1")
    assert (knee.assistant_surgeon, knee.co_surgeon, knee.team_surgeon) == ("2", "1", "0")
    assert (knee.therapy, knee.disciplines, knee.timed, knee.counts_with) == ("", (), False, "27447")
    assert (knee.table.name, knee.table.version) == ("mpfs", "2026Q3")
    assert tables.procedure("27447", 20260630) is None
    assert tables.procedure("97140", 20260701) == built_in().procedure("97140", 20260701)
    assert not any(b"left out" in path.read_bytes() for path in folder.iterdir())


def test_the_fee_schedule_replaces_the_indicators_of_a_therapy_code(tmp_path, folder):
    text = MPFS_HEAD + mpfs_line("97530", "", "R", ("7", "YYY", "9", "0", "0", "0", "0"))
    known = tables_of(folder, put(tmp_path, "PPRRVU.csv", text)).procedure("97530", 20260701)
    assert (known.status, known.global_days, known.multiple_procedure, known.therapy) == (
        "R",
        "YYY",
        "9",
        "always",
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (mpfs_line("97530", "", "", THERAPY), "status code"),
        (mpfs_line("97530", "", "A", ("7", "ABC", *THERAPY[2:])), "global days"),
        (mpfs_line("97530", "", "A", ("x", *THERAPY[1:])), "one digit"),
        ("97530,,x,A\n", "4 columns"),
    ],
)
def test_a_damaged_fee_schedule_is_refused_with_its_line(tmp_path, folder, line, reason):
    said = refusal(
        folder, put(tmp_path, "PPRRVU2026_Jul.csv", MPFS_HEAD + mpfs_line("97140", "", "A", THERAPY) + line)
    )
    assert "line 7: " in said
    assert reason in said


def test_diagnoses_are_those_of_the_fiscal_year(tmp_path, folder):
    old = put(tmp_path, "icd10cm_order_2025.txt", icd_line(1, "G35", True) + icd_line(2, "M5450", True))
    new = put(tmp_path, "icd10cm-order-2026.txt", icd_line(1, "G35", False) + icd_line(2, "G35A", True))
    april = put(
        tmp_path, "icd10cm-order-april-1-2026.txt", icd_line(1, "G35", False) + icd_line(3, "QA00101", True)
    )
    tables = tables_of(folder, old, new, april)
    assert tables.diagnosis("G35", 20250930).billable
    assert not tables.diagnosis("G35", 20251001).billable
    assert tables.diagnosis("G35A", 20251001).billable
    assert tables.diagnosis("G35A", 20251001).table.version == "FY2026"
    assert tables.diagnosis("QA00101", 20260331) is None
    assert tables.diagnosis("QA00101", 20260401).table.version == "FY2026-April"
    assert tables.diagnosis("G3", 20251001) is None
    assert tables.diagnosis("G35A    X", 20251001) is None
    assert tables.diagnosis("", 20251001) is None
    assert tables.release("icd10cm", 20240930) is None
    assert not any(b"Short text" in path.read_bytes() for path in folder.iterdir())


def test_a_damaged_order_file_is_refused_with_its_line(tmp_path, folder):
    good = icd_line(1, "G35", False)
    for line in (
        icd_line(1, "G35A", True),
        "00002 G35A    2 x\r\n",
        "0002 G35A\r\n",
        icd_line(2, "G-5", True),
    ):
        assert "line 2: " in refusal(folder, put(tmp_path, "icd10cm_order_2026.txt", good + line))


def test_hcpcs_holds_level_2_with_its_days(tmp_path, folder):
    text = (
        hcpcs_line("G0283", "3", "20010101")
        + hcpcs_line("", "4", "")
        + hcpcs_line("J1234", "3", "20100101", "20261231")
    )
    text += hcpcs_line("97530", "3", "19950101") + hcpcs_line("   GP", "7", "19990101")
    tables = tables_of(folder, put(tmp_path, "HCPC2026_JUL_ANWEB_06172026.txt", text))
    code = tables.hcpcs("G0283", 20260701)
    assert (code.first, code.last, code.table.version) == (20010101, None, "2026Q3")
    assert tables.hcpcs("J1234", 20261231).last == 20261231
    assert tables.hcpcs("J1234", 20270101) is None
    assert tables.hcpcs("97530", 20260701) is None
    assert tables.hcpcs("G0283", 20260630) is None
    assert tables.release("hcpcs", 20260630) is None


def test_hcpcs_comes_in_a_workbook_too(tmp_path, folder):
    rows = [
        ["HCPC", "SEQNUM", "RECID", "LONG DESCRIPTION", "ADD DT", "ACT EFF DT", "TERM DT"],
        ["G0283", 100, 3, "x", 20010101, 20010101],
    ]
    write_workbook(tmp_path / "HCPC2026_JUL_ANWEB.xlsx", rows)
    assert tables_of(folder, str(tmp_path / "HCPC2026_JUL_ANWEB.xlsx")).hcpcs("G0283", 20260701)


UNITS = "0.44,0.66,,0.63,NA,0.012,1.11,1.082"


def test_the_fee_schedule_gives_relative_values_and_supervision(tmp_path, folder):
    text = (
        MPFS_HEAD
        + mpfs_line("97530", "", "A", THERAPY, units=UNITS, supervision="9")
        + mpfs_line("95886", "", "A", THERAPY, units="NA,,NA,,,1,12.5,", supervision="6A")
        + mpfs_line("99199", "", "A", THERAPY, supervision="")
    )
    tables = tables_of(folder, put(tmp_path, "PPRRVU2026_Jul.csv", text))
    known = tables.value_units("97530", 20260701)
    assert (known.work, known.practice_outside, known.practice_inside, known.malpractice) == (
        440,
        660,
        630,
        12,
    )
    assert (known.total_outside, known.total_inside) == (1110, 1082)
    assert (known.rare_outside, known.rare_inside, known.supervision) == (False, True, "09")
    assert known.table == ("mpfs", "2026Q3")
    other = tables.value_units("95886", 20260701)
    assert (other.work, other.malpractice, other.total_outside, other.total_inside) == (
        None,
        1000,
        12500,
        None,
    )
    assert (other.rare_outside, other.supervision) == (True, "6A")
    assert tables.value_units("99199", 20260701).supervision == ""
    assert tables.value_units("97140", 20260701) is None
    assert tables.value_units("97530", 20260630) is None
    assert not tables.is_outdated("mpfs", 20260701)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"units": "x,0.00,,0.00,,0.00,0.00,0.00"}, "relative value units are expected, not x"),
        ({"units": "0.4401,0.00,,0.00,,0.00,0.00,0.00"}, "relative value units are expected"),
        ({"supervision": "x"}, "a level of supervision is expected, not x"),
    ],
)
def test_a_damaged_relative_value_is_refused_with_its_line(tmp_path, folder, more, reason):
    line = mpfs_line("97530", "", "A", THERAPY, **more)
    good = mpfs_line("97140", "", "A", THERAPY)
    said = refusal(folder, put(tmp_path, "PPRRVU2026_Jul.csv", MPFS_HEAD + good + line))
    assert f"line 7: {reason}" in said


def test_hcpcs_has_types_of_service_of_both_levels(tmp_path, folder):
    text = hcpcs_line("G0283", "3", "20010101", betos="P6C", types="1W") + hcpcs_line(
        "97530", "3", "19950101", betos="M5D", types="UW"
    )
    tables = tables_of(folder, put(tmp_path, "HCPC2026_JUL_ANWEB.txt", text))
    for code, expected in (("G0283", ("P6C", "1W")), ("97530", ("M5D", "UW"))):
        found = tables.service_class("hcpcs", code, 20260701)
        assert (found.name, found.types, found.words) == (*expected, "")
    assert tables.hcpcs("97530", 20260701) is None
    rows = [
        ["HCPC", "SEQNUM", "RECID", "BETOS", "TOS1", "TOS2", "ADD DT", "ACT EFF DT", "TERM DT"],
        ["G0283", 100, 3, "P6C", "1", "W", 20010101, 20010101],
    ]
    write_workbook(tmp_path / "HCPC2026_OCT_ANWEB.xlsx", rows)
    found = tables_of(folder, str(tmp_path / "HCPC2026_OCT_ANWEB.xlsx")).service_class(
        "hcpcs", "G0283", 20261001
    )
    assert (found.name, found.types) == ("P6C", "1W")
    wrong = hcpcs_line("G0283", "3", "20010101", betos="p6c")
    assert "line 1: BETOS class" in refusal(tmp_path / "other", put(tmp_path, "HCPC2026_JUL.txt", wrong))


def test_the_betos_file_has_a_class_and_the_last_day(tmp_path, folder):
    text = betos_line("97530", "M5D") + betos_line("97532", "M5D", "20171231") + betos_line("A0021", "O1A")
    (release,) = load(folder, put(tmp_path, "betpuf20.txt", text))
    assert (release.table, release.name, release.rows) == ("betos", "2020", 3)
    tables = open_tables(folder, built_in())
    # The newest file answers for all days: a code has one class.
    assert [tables.service_class("betos", "97530", on).name for on in (19960101, 20260701)] == ["M5D", "M5D"]
    assert tables.service_class("betos", "97532", 20171231).name == "M5D"
    assert tables.service_class("betos", "97532", 20180101) is None
    assert "line 2: not a record" in refusal(
        tmp_path / "other", put(tmp_path, "betpuf19.txt", betos_line("97530", "M5D") + "97532\r\n")
    )


RBCS = [
    (
        "97530",
        "TP003N",
        "Treatment",
        "Physical, occupational and speech therapy",
        "01/01/1995",
        "12/31/9999",
        "1",
    ),
    ("97530", "TX003N", "Treatment", "Earlier", "01/01/1995", "12/31/9999", "0"),
    ("97532", "TP003N", "Treatment", "Therapy", "01/01/2006", "12/31/2017", "1"),
]


def test_rbcs_has_the_latest_class_and_no_descriptors(tmp_path, folder):
    (release,) = load(folder, put(tmp_path, "RBCS_RY_2025.csv", rbcs_text(RBCS)))
    assert (release.table, release.name, release.rows) == ("rbcs", "2025", 2)
    tables = open_tables(folder, built_in())
    found = tables.service_class("rbcs", "97530", 20260701)
    assert (found.name, found.types) == ("TP003N", "")
    assert found.words == "Treatment: Physical, occupational and speech therapy"
    assert tables.service_class("rbcs", "97532", 20180101) is None
    assert not any(b"(a family)" in path.read_bytes() for path in folder.iterdir())
    wrong = [("97530", "tp003n", "Treatment", "x", "01/01/1995", "", "1")]
    assert "line 2: a class of six" in refusal(
        tmp_path / "other", put(tmp_path, "RBCS_RY_2024.csv", rbcs_text(wrong))
    )


def test_addendum_b_has_status_and_apc_and_no_descriptors(tmp_path, folder):
    text = opps_text([("97530", "A", ""), ("G0463", "J2", "5012"), ("71046", "S", "0260")])
    (release,) = load(folder, put(tmp_path, "July 2026 Web Addendum B.06302026.csv", text))
    assert (release.table, release.name, release.rows) == ("opps", "2026Q3", 3)
    tables = open_tables(folder, built_in())
    found = [tables.outpatient(code, 20260701) for code in ("97530", "G0463", "71046")]
    assert [(each.status, each.group) for each in found] == [("A", ""), ("J2", "5012"), ("S", "0260")]
    assert tables.outpatient("97140", 20260701) is None
    assert tables.outpatient("97530", 20260630) is None
    assert not any(b"left out" in path.read_bytes() for path in folder.iterdir())
    for row, reason in (
        (("97140", "", ""), "a status indicator"),
        (("97140", "S", "x"), "the number of an APC"),
        (("97530", "N", ""), "97530 is there twice"),
        (("9714", "S", ""), "a code of five characters"),
    ):
        path = put(tmp_path, "April 2026 Addendum B.csv", opps_text([("97530", "A", ""), row]))
        assert f"line 6: {reason}" in refusal(tmp_path / "other", path)


def test_addendum_b_comes_in_a_workbook_too(tmp_path, folder):
    rows = [["Addendum B"], ["HCPCS Code", "Short Descriptor", "SI", "APC"], ["G0463", "x", "J2", 5012]]
    write_workbook(tmp_path / "2026_january_addendum_b.xlsx", rows)
    tables = tables_of(folder, str(tmp_path / "2026_january_addendum_b.xlsx"))
    assert tables.outpatient("G0463", 20260203).group == "5012"


def test_tables_for_people_alone_are_no_tables_of_a_check(tmp_path, folder):
    text = opps_text([("97530", "A", "")])
    tables = tables_of(folder, put(tmp_path, "July 2026 Addendum B.csv", text), put_mue(tmp_path))
    assert [name for name, _, _ in tables.versions() if name in ("opps", "ncci_mue")] == ["ncci_mue"] * 2
    assert [release.table for release in list_releases(folder)] == ["ncci_mue", "opps"]


def make_old(folder, table, payload):
    """Write a release of the store as the program did before it took over all fields of the table."""
    (release,) = [each for each in list_releases(folder) if each.table == table]
    path = folder / release.file
    packed = Packed(path, SHAPES[table])
    packer = Packer(Shape(SHAPES[table].key, payload))
    for code in ("97530", "G0283"):
        for record in packed.find(code):
            cut = record.payload[:payload].encode()
            packer.add(record.key.encode(), record.first, record.last, cut, record.text)
    with path.open("wb") as stream:
        packer.write(stream)


def test_a_store_of_an_earlier_version_remains_readable(tmp_path, folder):
    fees = MPFS_HEAD + mpfs_line("97530", "", "R", THERAPY, units=UNITS)
    hcpcs = hcpcs_line("G0283", "3", "20010101", betos="P6C", types="1")
    load(folder, put(tmp_path, "PPRRVU2026_Jul.csv", fees), put(tmp_path, "HCPC2026_JUL.txt", hcpcs))
    make_old(folder, "mpfs", 10)
    make_old(folder, "hcpcs", 0)
    tables = open_tables(folder, built_in())
    assert tables.procedure("97530", 20260701).status == "R"
    assert tables.hcpcs("G0283", 20260701).first == 20010101
    assert tables.value_units("97530", 20260701) is None
    assert tables.service_class("hcpcs", "G0283", 20260701) is None
    assert tables.is_outdated("mpfs", 20260701)
    assert tables.is_outdated("hcpcs", 20260701)
    said = run("tables", "--tables", str(folder), "lookup", "97530", "--on", "2026-07-03").stdout
    assert "mpfs 2026Q3 was imported without it; import the relative" in said
    # Importing it again replaces the old file.
    load(folder, put(tmp_path, "PPRRVU2026_Jul.csv", fees))
    tables = open_tables(folder, built_in())
    assert tables.value_units("97530", 20260701).work == 440
    assert [each.table for each in list_releases(folder)] == ["hcpcs", "mpfs"]


DRUGS = "Code,From,Until\nJ9271,2023-07-01,\nJ9299,20230701,2025-12-31\n"


def put_drugs(tmp_path, text=DRUGS):
    return put(tmp_path, "single-dose-2026q3.csv", text)


def test_a_list_of_single_dose_drugs_has_its_days(tmp_path, folder):
    (release,) = load(folder, put_drugs(tmp_path))
    assert (release.table, release.name, release.rows) == ("single_dose", "2026Q3", 2)
    tables = open_tables(folder, built_in())
    days = {"J9271": (20230630, 20230701, 20261231), "J9299": (20230630, 20230701, 20251231, 20260101)}
    said = {code: [tables.procedure(code, on) for on in each] for code, each in days.items()}
    assert [found is not None and found.single_dose for found in said["J9271"]] == [False, True, True]
    assert [found is not None and found.single_dose for found in said["J9299"]] == [False, True, True, False]
    drug = said["J9271"][1]
    assert (drug.therapy, drug.status, drug.timed) == ("", "", False)
    assert tables.procedure("J0001", 20260203) is None
    assert tables.procedure("97530", 20260203) == built_in().procedure("97530", 20260203)
    assert tables.era(20251231) != tables.era(20260101)


def test_a_single_dose_drug_keeps_its_indicators(tmp_path, folder):
    fees = put(tmp_path, "PPRRVU2026_Jul.csv", MPFS_HEAD + mpfs_line("J9271", "", "E", THERAPY))
    drug = tables_of(folder, put_drugs(tmp_path), fees).procedure("J9271", 20260701)
    assert (drug.status, drug.pctc, drug.single_dose) == ("E", "7", True)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("97530,20230701,", "a HCPCS code of level II is expected, not 97530"),
        ("J9271,2023-13-01,", "2023-13-01 is not a date"),
        ("J9271,,", "a date is expected, not nothing"),
        ("J9271,20230701,20230630", "the last day, 20230630, is before the first"),
    ],
)
def test_a_damaged_list_of_drugs_is_refused_with_its_line(tmp_path, folder, row, reason):
    said = refusal(folder, put_drugs(tmp_path, f"{DRUGS}{row}\n"))
    assert f"line 4: {reason}" in said


@pytest.mark.parametrize(
    ("on", "modifier", "profile", "expected"),
    [
        ("2026-02-03", "", "medicare", ["warning"]),
        ("2023-07-01", "", "medicare", ["warning"]),
        ("2023-06-30", "", "medicare", []),
        ("2026-02-03", ":JZ", "medicare", []),
        ("2026-02-03", ":JW", "medicare", []),
        ("2026-02-03", "", "commercial", []),
    ],
)
def test_a_listed_drug_without_jw_or_jz_is_found(tmp_path, folder, on, modifier, profile, expected):
    load(folder, put_drugs(tmp_path))
    claim = {"payer": profile, "date": on, "received": "2026-11-21"}
    file = tmp_path / "claims.837"
    file.write_text(write_example({"lines": [f"J9271{modifier} x2"], "claim": claim}).text)
    words = ("check", str(file), "--format", "json", "--received", "2026-11-21", "--no-progress")
    (checked,) = json.loads(run(*words, "--tables", str(folder)).stdout)["files"]
    assert [f["severity"] for f in checked["findings"] if f["rule"] == "modifier.missing"] == expected
    (checked,) = json.loads(run(*words).stdout)["files"]
    assert [f for f in checked["findings"] if f["rule"] == "modifier.missing"] == []


def test_a_look_up_names_a_single_dose_drug(tmp_path, folder):
    load(folder, put_drugs(tmp_path))
    said = run("tables", "--tables", str(folder), "lookup", "J9271", "--on", "2026-07-03").stdout
    assert "Limits [single_dose 2026Q3]" in said
    assert "a drug in single-dose containers, billed with JZ or JW" in said
    assert "mpfs: no release covers this day" in said


# -- the tables together ------------------------------------------------------------------------------------


def test_an_empty_store_is_the_built_in_tables(folder):
    tables = open_tables(folder, built_in())
    assert tables.versions() == built_in().versions()
    assert tables.ptp("97530", "97750", 20260203) is built_in().ptp("97530", "97750", 20260203)
    assert tables.mue("97530", 20260203) is built_in().mue("97530", 20260203)
    assert tables.addon("0770T", 20260203) is built_in().addon("0770T", 20260203)
    assert tables.procedure("97530", 20260203) is built_in().procedure("97530", 20260203)
    assert tables.diagnosis("G35", 20260203) is None
    assert tables.hcpcs("G0283", 20260203) is None
    for on in (20240630, 20240701, 20260203):
        assert tables.outside(on) == built_in().outside(on)
        assert tables.era(on) == built_in().era(on)
    assert not folder.exists()


def test_a_day_lies_outside_the_releases_that_do_not_speak_of_it(tmp_path, folder):
    addon = put(tmp_path, "AOC_V2026Q3-MCR.txt", addon_line("1", "0770T", "97530", "2023001"))
    fees = put(tmp_path, "PPRRVU2026_Apr.csv", MPFS_HEAD + mpfs_line("97530", "", "A", THERAPY))
    tables = tables_of(folder, put_ptp(tmp_path), put_mue(tmp_path), addon, fees)
    assert tables.outside(20260701) == (("mpfs", "2026Q2", "after"),)
    assert tables.outside(20260930) == (("mpfs", "2026Q2", "after"),)
    assert tables.outside(20261001) == (
        ("ncci_ptp", "2026Q3", "after"),
        ("ncci_mue", "2026Q3", "after"),
        ("ncci_addon", "2026Q3", "after"),
        ("mpfs", "2026Q2", "after"),
    )
    assert tables.outside(20260630) == (("ncci_mue", "2026Q3", "before"),)
    assert tables.outside(20260401) == (("ncci_mue", "2026Q3", "before"),)
    assert tables.outside(20221231) == (
        ("ncci_mue", "2026Q3", "before"),
        ("ncci_addon", "2026Q3", "before"),
        ("mpfs", "2026Q2", "before"),
    )
    assert tables.outside(19951231)[0] == ("ncci_ptp", "2026Q3", "before")


def test_a_hole_between_two_releases_lies_after_the_earlier_one(tmp_path, folder):
    tables = tables_of(
        folder, put_mue(tmp_path, quarter="01-01-2026"), put_mue(tmp_path, quarter="07-01-2026")
    )
    sides = {on: tables.outside(on)[1] for on in (20251231, 20260401, 20260630, 20261001)}
    assert sides == {
        20251231: ("ncci_mue", "2026Q1", "before"),
        20260401: ("ncci_mue", "2026Q1", "after"),
        20260630: ("ncci_mue", "2026Q1", "after"),
        20261001: ("ncci_mue", "2026Q3", "after"),
    }
    assert "ncci_mue" not in [name for name, _, _ in tables.outside(20260331)]
    assert "ncci_mue" not in [name for name, _, _ in tables.outside(20260701)]


def test_medicaids_claims_lie_outside_medicaids_releases(tmp_path, folder):
    medicaid = put(tmp_path, "mcd-ptp-q1-2026.txt", ptp_text(MEDICAID_ROWS, MEDICAID_HEAD))
    tables = tables_of(folder, medicaid, put_ptp(tmp_path))
    assert tables.outside(20260701)[0] == ("ncci_mue", BUILT_IN, "after")
    assert tables.of("medicaid").outside(20260701)[0] == ("ncci_ptp_medicaid", "2026Q1", "after")


def test_versions_name_what_may_decide(tmp_path, folder):
    tables = tables_of(
        folder,
        put_ptp(tmp_path, "ccipra-v321r0.txt"),
        put_ptp(tmp_path),
        put_mue(tmp_path),
        put_mue(tmp_path, quarter="04-01-2026"),
    )
    assert tables.versions()[:3] == (
        ("ncci_mue", "2026Q2", 2),
        ("ncci_mue", "2026Q3", 2),
        ("ncci_ptp", "2026Q3", 6),
    )
    assert tables.versions()[3:] == built_in().versions()


def test_within_an_era_all_look_ups_are_the_same(tmp_path, folder):
    rows = [*ROWS, ("97530", "97112", "", "20260115", "20260620", "1", WHY)]
    tables = tables_of(folder, put_ptp(tmp_path, rows=rows), put_mue(tmp_path, "4"))
    for on in (
        19951231,
        19960101,
        20041231,
        20050101,
        20260114,
        20260115,
        20260620,
        20260621,
        20260701,
        20261231,
    ):
        era = tables.era(on)
        assert era <= on
        for other in ("97112", "97150", "97750", "99999"):
            assert tables.ptp("97530", other, era) == tables.ptp("97530", other, on)
        assert tables.mue("97530", era) == tables.mue("97530", on)
    assert tables.era(20260114) != tables.era(20260115)
    assert tables.era(20260620) != tables.era(20260621)
    assert tables.era(20260630) != tables.era(20260701)


def test_rows_shows_what_is_there_even_if_it_does_not_bite(tmp_path, folder):
    tables = tables_of(folder, put_ptp(tmp_path), put_mue(tmp_path))
    assert [(found.record.payload, found.record.last) for found in tables.rows("97116", "97530")] == [
        ("9", 20200101)
    ]
    assert [found.release.table for found in tables.rows("97530")] == ["ncci_mue"]


def test_a_damaged_store_is_said(tmp_path, folder):
    load(folder, put_ptp(tmp_path))
    (file,) = folder.glob("*.table")
    whole = file.read_bytes()
    for content in (whole[:-1], whole + b"x", b"", b"nonsense" * 99, whole[:30]):
        file.write_bytes(content)
        with pytest.raises(StoreError, match="import ncci_ptp 2026Q3 again"):
            open_tables(folder, built_in())
    file.unlink()
    with pytest.raises(StoreError, match="cannot be read"):
        open_tables(folder, built_in())
    for manifest in (
        "",
        "{",
        "[]",
        '{"schema": "other"}',
        '{"schema": "edi-checker/tables/1", "releases": [1]}',
    ):
        (folder / "manifest.json").write_text(manifest)
        with pytest.raises(StoreError, match=r"manifest\.json"):
            list_releases(folder)


# -- the parts ----------------------------------------------------------------------------------------------


def test_a_bomb_is_not_unpacked(tmp_path, folder):
    with (
        zipfile.ZipFile(tmp_path / "mue_2026q3.xlsx", "w", zipfile.ZIP_DEFLATED) as book,
        book.open("xl/worksheets/sheet1.xml", "w") as sheet,
    ):
        sheet.write(b"<worksheet><sheetData>")
        for _ in range(300):
            sheet.write(b" " * 1_000_000)
    assert "times its size" in refusal(folder, str(tmp_path / "mue_2026q3.xlsx"))


def test_entities_are_not_expanded(tmp_path, folder):
    for name in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
        with zipfile.ZipFile(tmp_path / "mue_2026q3.xlsx", "w") as book:
            if name != "xl/worksheets/sheet1.xml":
                book.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
            book.writestr(
                name, '<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d SYSTEM "file:///etc/passwd">]><a>&b;&d;</a>'
            )
        assert "document type" in refusal(folder, str(tmp_path / "mue_2026q3.xlsx"))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20260701", 20260701),
        ("2026-07-01", 20260701),
        ("2026-07-01 00:00:00", 20260701),
        ("7/1/2026", 20260701),
        ("46204", 20260701),
        ("20240229", 20240229),
        ("20230229", None),
        ("2026071", None),
        ("\u0662\u0660260701", None),
        ("", None),
        ("*", None),
    ],
)
def test_days(text, day):
    if day is None:
        with pytest.raises(ValueError, match=r"."):
            parse_day(text)
    else:
        assert parse_day(text) == day


CODES = st.text("019AZ", min_size=1, max_size=7).map(lambda code: code.ljust(7))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(CODES, st.integers(1, 3), st.sampled_from(["", "why"])), max_size=60),
    CODES,
    st.integers(5, 7),
)
def test_packed_rows_are_found_by_their_beginning(tmp_path, rows, wanted, size):
    packer = Packer(Shape(7, 1))
    for code, first, text in rows:
        packer.add(code.strip().encode(), first, 99991231, b"x", text)
    with (tmp_path / "t").open("wb") as stream:
        count = packer.write(stream)
    packed = Packed(tmp_path / "t", Shape(7, 1))
    assert count == packed.rows == len(set(rows))
    for code in (wanted, *(row[0] for row in rows)):
        expected = sorted(row for row in set(rows) if row[0].startswith(code[:size]))
        found = [(record.key.ljust(7), record.first, record.text) for record in packed.find(code[:size])]
        assert sorted(found) == expected
        assert [key for key, _, _ in found] == [key for key, _, _ in expected]
    for length in range(1, 8):
        end = wanted.ljust(7)[-length:]
        expected = sorted((row[0].ljust(7), *row[1:]) for row in set(rows) if row[0].ljust(7).endswith(end))
        found = [(record.key.ljust(7), record.first, record.text) for record in packed.find_end(end)]
        assert sorted(found) == expected
    with pytest.raises(Damaged):
        Packed(tmp_path / "t", Shape(7, 2))
    assert Packed(tmp_path / "t", Shape(7, 2), Shape(7, 1)).shape == Shape(7, 1)


SOURCES = {
    "ccipra-v322r0.txt": ptp_text(ROWS),
    "mue_2026q3.csv": mue_text([("97530", "6", "3", "x"), ("97140", "6", "3", "x")]),
    "AOC_V2026Q3.txt": addon_line("1", "0770T", "97530", "2023001") * 3,
    "PPRRVU2026_Jul.csv": MPFS_HEAD + mpfs_line("97530", "", "A", THERAPY),
    "icd10cm_order_2026.txt": icd_line(1, "G35", False) + icd_line(2, "G35A", True),
    "HCPC2026_JUL_ANWEB.txt": hcpcs_line("G0283", "3", "20010101", betos="P6C", types="1") * 2,
    "betpuf20.txt": betos_line("97530", "M5D") + betos_line("97532", "M5D", "20171231"),
    "RBCS_RY_2025.csv": rbcs_text([("97530", "TP003N", "Treatment", "Therapy", "01/01/1995", "", "1")]),
    "July 2026 Addendum B.csv": opps_text([("97530", "A", ""), ("G0463", "J2", "5012")]),
}


def said_of(folder, path):
    """What the import says of a file that it refuses; the file's name where it reads it."""
    try:
        load(folder, str(path))
    except ImportRefused as error:
        return str(error)
    return str(path)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(SOURCES)), st.integers(0, 2**32))
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path, name, seed):
    chance = random.Random(seed)
    data = bytearray(SOURCES[name].encode())
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(1, 40)]
            case 2:
                data[at:at] = bytes([chance.choice(b'\t\n,"\x00*9')])
            case _:
                data[at:at] = data[at : at + 30]
        data = data or bytearray(b"x")
    path = tmp_path / name
    path.write_bytes(data)
    assert said_of(tmp_path / "store", path).startswith(str(path))


def test_whatever_a_workbook_holds_it_is_read_or_refused(tmp_path):
    path = tmp_path / "mue_2026q3.xlsx"
    write_workbook(
        path,
        [
            ["HCPCS/CPT Code", "Practitioner Services MUE Values", "MUE Adjudication Indicator"],
            ["97530", 6, "3 x"],
        ],
    )
    whole = path.read_bytes()
    chance = random.Random(1)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        assert said_of(tmp_path / "store", path).startswith(str(path))


# -- the whole, as it is published --------------------------------------------------------------------------


def shared(name):
    path = REFERENCE / name
    if not path.exists():
        pytest.skip(f"{name} is not at hand")
    return path


@pytest.mark.parametrize(
    ("name", "table", "rows"),
    [
        ("ccipra-v322r0-f1.head.txt", "ncci_ptp", 4),
        ("MCR_MUE_head.csv", "ncci_mue", 2),
        ("PPRRVU2026_Jul_nonQPP.head.csv", "mpfs", 1),
    ],
)
def test_the_first_lines_of_the_real_files(tmp_path, folder, name, table, rows):
    text = shared(name).read_bytes()
    # Under a name without a part number: these are the first lines alone.
    path = tmp_path / name.replace("-f1", "")
    path.write_bytes(text)
    (release,) = load(folder, str(path), on=20260701)
    assert (release.table, release.rows) == (table, rows)
    tables = open_tables(folder, built_in())
    if table == "ncci_ptp":
        assert tables.ptp("0001U", "0029U", 20260630).deletion == 20260630
        assert tables.ptp("0001U", "0029U", 20260701) is None
        assert tables.ptp("0001A", "90473", 20220101) is None
        assert tables.ptp("0591T", "0001A", 20231231).indicator == "1"
    elif table == "ncci_mue":
        assert (tables.mue("0002M", 20260701).limit, tables.mue("0002M", 20260701).mai) == (1, "3")
    else:
        assert tables.procedure("00100", 20260701).status == "J"


# -- the commands -------------------------------------------------------------------------------------------


def run(*words):
    result = CliRunner().invoke(commands, words)
    assert not result.exception or isinstance(result.exception, SystemExit)
    return result


def test_the_commands_import_list_and_look_up(tmp_path, folder):
    done = run(
        "tables",
        "import",
        put_ptp(tmp_path),
        put_mue(tmp_path),
        "--accept-shrinkage",
        "--tables",
        str(folder),
    )
    assert done.exit_code == 0
    excerpt = "an excerpt: a code that it lacks is not an error"
    assert done.stdout == f"ncci_ptp 2026Q3: 6 rows, {excerpt}\nncci_mue 2026Q3: 2 rows, {excerpt}\n"
    listed = run("tables", "list", "--tables", str(folder)).stdout.splitlines()
    assert listed[0].split()[:5] == ["ncci_mue", "2026Q3", "2026-07-01", "to", "2026-09-30"]
    assert listed[1].endswith("ccipra-v322r0.txt (an excerpt)")
    assert run("tables", "--tables", str(folder)).stdout.splitlines() == listed
    said = run("tables", "lookup", "97530", "97150", "--on", "2026-02-03", "--tables", str(folder)).stdout
    assert said.splitlines()[1].startswith(
        "ncci_ptp 2026Q3: 97150 (column 1) and 97530 (column 2), indicator 1: "
    )
    assert "in force from 2018-07-01 with no end" in said
    assert said.splitlines()[2] == "  Mutually exclusive procedures"


def test_no_edit_is_said_as_none_in_this_release(tmp_path, folder):
    load(folder, put_ptp(tmp_path), put_mue(tmp_path))
    said = run("tables", "--tables", str(folder), "lookup", "97530", "97116", "--on", "2026-02-03").stdout
    assert said.splitlines()[1:] == [
        "ncci_ptp 2026Q3: none in this release",
        "  row of ncci_ptp 2026Q3: 97530 / 97116, indicator 9, from 2020-01-01 to 2020-01-01",
    ]
    said = run("tables", "--tables", str(folder), "lookup", "97530", "97116", "--on", "1995-02-03").stdout
    assert f"ncci_ptp: no release covers this day; none in {BUILT_IN} either" in said
    said = run("tables", "--tables", str(folder), "lookup", "99999", "--on", "2026-07-03").stdout
    assert "ncci_mue 2026Q3: none in this release" in said
    assert "mpfs: no release covers this day" in said


def test_a_look_up_of_a_diagnosis_or_a_code_of_level_2(tmp_path, folder):
    icd = put(tmp_path, "icd10cm_order_2026.txt", icd_line(1, "G35", False) + icd_line(2, "G35A", True))
    hcpcs = put(tmp_path, "HCPC2026_JUL_ANWEB.txt", hcpcs_line("G0283", "3", "20010101"))
    load(folder, icd, hcpcs, put_mue(tmp_path))
    words = ("tables", "--tables", str(folder), "lookup")
    assert run(*words, "G35", "--on", "2026-07-03").stdout.splitlines() == [
        "G35 on 2026-07-03",
        "",
        "Other lists [icd10cm FY2026]",
        "  Diagnosis           a header, which cannot be billed",
    ]
    said = run(*words, "X9999", "--on", "2026-07-03").stdout.splitlines()
    assert said[1:6] == [
        "ncci_mue 2026Q3: none in this release",
        f"ncci_addon: no release covers this day; none in {BUILT_IN} either",
        "mpfs: no release covers this day",
        "icd10cm FY2026: none in this release",
        "hcpcs 2026Q3: none in this release",
    ]
    assert "can be billed" in run(*words, "G35.A", "--on", "2026-07-03").stdout
    assert "level II, from 2001-01-01 with no end" in run(*words, "G0283", "--on", "2026-07-03").stdout
    assert run(*words, "1", "2", "3").exit_code == 2


def test_a_refusal_is_one_line_and_exit_code_2(tmp_path, folder):
    done = run("tables", "import", put_ptp(tmp_path, rows=[("97530",)]), "--tables", str(folder))
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "line 7: 1 columns" in done.stderr
    load(folder, put_ptp(tmp_path))
    next(folder.glob("*.table")).write_bytes(b"")
    for words in (("check", str(CLEAN)), ("tables", "lookup", "97530")):
        done = run(*words, "--tables", str(folder))
        assert done.exit_code == 2
        assert "import ncci_ptp 2026Q3 again" in done.stderr
    (folder / "manifest.json").write_text("{")
    assert "damaged" in run("tables", "list", "--tables", str(folder)).stderr
    assert (
        "no tables are imported there" in run("check", str(CLEAN), "--tables", str(tmp_path / "none")).stderr
    )


def test_a_check_is_made_with_the_imported_tables(tmp_path, folder):
    edits = [("97530", "97110", "", "20180101", "*", "0", WHY)]
    load(folder, put_ptp(tmp_path, rows=edits))
    words = ("check", str(CLEAN), "--format", "json", "--received", "2026-11-21")
    before = json.loads(run(*words).stdout)
    after = json.loads(run(*words, "--tables", str(folder)).stdout)
    assert {"name": "ncci_ptp", "version": "2026Q3", "rows": 1} in after["tables"]
    assert not [f for f in before["files"][0]["findings"] if f["rule"] == "ncci.ptp"]
    found = [f for f in after["files"][0]["findings"] if f["rule"] == "ncci.ptp"]
    assert found
    assert found[0]["table"] == {"name": "ncci_ptp", "version": "2026Q3"}
    assert "97110" in found[0]["message"]


@pytest.mark.parametrize(
    ("name", "release"),
    [
        ("MCR_MUE_PractitionerServices_Eff_10-01-2026.csv", "2026Q4"),
        ("medicare-ncci-2026-q3-practitioner-services-mue-table.csv", "2026Q3"),
        ("mue-q1-2025.csv", "2025Q1"),
        ("mue_Jul2026.csv", "2026Q3"),
        ("add-on-effective-04012026.csv", "2026Q2"),
    ],
)
def test_the_name_of_a_file_tells_its_release(tmp_path, folder, name, release):
    (found,) = load(folder, put_mue(tmp_path, name=name))
    assert found.name == release


@pytest.mark.parametrize(
    ("archive", "member", "release"),
    [
        ("rvu26c.zip", "PPRRVU26_QPP.csv", "2026Q3"),
        ("fees.zip", "PPRRVU2026_Apr_nonQPP.csv", "2026Q2"),
        ("fees.zip", "fees.csv", "2026Q3"),
    ],
)
def test_the_name_of_an_archive_or_the_title_tells_the_release(tmp_path, folder, archive, member, release):
    text = MPFS_HEAD + mpfs_line("97530", "", "A", THERAPY)
    with zipfile.ZipFile(tmp_path / archive, "w") as out:
        out.writestr(member, text)
        out.writestr("other_QPP.csv", text)
        out.writestr("GPCI2026.csv", "Locality,GPCI\n1,1\n")
    (found,) = load(folder, str(tmp_path / archive))
    assert found.name == release


def test_a_corrected_release_is_newer_than_the_one_it_corrects(tmp_path, folder):
    corrected = put_ptp(tmp_path, "ccipra-v322r1.txt", ROWS[:1])
    tables = tables_of(folder, corrected, put_ptp(tmp_path))
    assert tables.release("ncci_ptp", 20260701).version == "2026Q3r1"
    assert tables.ptp("97530", "97750", 20260701) is None


def test_an_april_update_of_diagnoses_is_known_by_its_archive(tmp_path, folder):
    with zipfile.ZipFile(tmp_path / "april-1-2026-code-descriptions.zip", "w") as out:
        out.writestr("icd10cm_order_2026.txt", icd_line(1, "G35", False))
    (found,) = load(folder, str(tmp_path / "april-1-2026-code-descriptions.zip"))
    assert (found.name, found.since) == ("FY2026-April", 20260401)


def test_claims_of_medicaid_are_held_to_its_own_tables(tmp_path, folder):
    edits = [("97530", "97110", "20180101", "*", "0", WHY)]
    load(folder, put(tmp_path, "mcd-2026q3.txt", ptp_text(edits, MEDICAID_HEAD)), put_ptp(tmp_path))
    words = ("check", str(CLEAN), "--format", "json", "--received", "2026-11-21", "--tables", str(folder))
    (tmp_path / "plan.yaml").write_text("inherits: medicaid\n")
    for profile in ("medicaid", str(tmp_path / "plan.yaml")):
        own = json.loads(run(*words, "--profile", profile).stdout)["files"][0]["findings"]
        tables = {f["table"]["name"] for f in own if f["rule"] == "ncci.ptp"}
        assert tables == {"ncci_ptp_medicaid"}
    other = json.loads(run(*words, "--profile", "medicare").stdout)["files"][0]["findings"]
    assert not [f for f in other if f["rule"] == "ncci.ptp"]
