"""Tables that are not whole: cut off, damaged, or much smaller than before; and what an excerpt may say."""

import json
import random
import zipfile
from dataclasses import replace
from unittest import mock

import pytest
from click.testing import CliRunner

from edi_checker.check.examples import write_example
from edi_checker.cli import commands
from edi_checker.reference.store import ImportRefused, list_releases, open_tables, plan_import, run_import
from edi_checker.reference.store.release import MANIFEST, SHAPES
from edi_checker.reference.store.whole import MOST_GONE, WHOLE
from edi_checker.reference.tables import built_in
from make_cms_files import (
    MEDICAID_HEAD,
    MPFS_HEAD,
    addon_line,
    betos_line,
    hcpcs_line,
    icd_line,
    mpfs_line,
    mue_text,
    opps_text,
    ptp_text,
    rbcs_text,
    reasons_text,
    taxonomy_text,
    write_workbook,
)

DIGITS = [f"{number:05}" for number in range(100, 99600, 260)] + ["99605", "99606", "99607"]
LETTERS = [f"{letter}{number:04}" for letter in "ACEGJKLQV" for number in range(21, 5300, 600)]
LETTERS += ["V5362", "V5363", "V5364"]
CODES = DIGITS + LETTERS
THERAPY = ("7", "XXX", "5", "0", "0", "0", "0")


def ptp_rows(codes, *older):
    return [(code, "97530", *older, "20200101", "*", "1", "Mutually exclusive procedures") for code in codes]


def dated(codes, first="2010-01-01", last="2039-12-31"):
    return [(code, first, last) for code in codes]


def whole_files(keep=lambda code: True):
    """A file of each table: its name, text, and number of rows."""
    codes = [code for code in CODES if keep(code)]
    letters = [code for code in LETTERS if keep(code)]
    diagnoses = [f"{letter}{number:02}{digit}" for letter in "ABCDEFGHIJKLMNOPQRSTVWXYZ"
                 for number in range(100) for digit in range(4)]  # fmt: skip
    diagnoses = [code for code in diagnoses if keep(code)]
    add_ons = [code for code in codes if code < "H"]
    taxonomies = [f"{group}{number:03}0000X" for group in range(10, 41) for number in range(0, 100, 7)]
    carc = [*map(str, range(1, 300)), "A0", "A1", "B1", "B7", "P1", "P32", "Y1"]
    rarc = [f"{letters}{number}" for letters, last in (("M", 144), ("MA", 134), ("N", 890))
            for number in range(1, last)]  # fmt: skip
    return {
        "ncci_ptp": ("ccipra-v322r0.txt", ptp_text(ptp_rows(codes, "")), len(codes)),
        "ncci_ptp_medicaid": ("q3-2026.txt", ptp_text(ptp_rows(codes), MEDICAID_HEAD), len(codes)),
        "ncci_mue": (
            "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv",
            mue_text([(code, "6", "3", "Clinical: Data") for code in codes]),
            len(codes),
        ),
        "ncci_mue_medicaid": (
            "MCD_MUE_PractitionerServices_Eff_07-01-2026.csv",
            mue_text([(code, "6", "3", "Clinical: Data") for code in codes]),
            len(codes),
        ),
        "ncci_addon": (
            "AOC_V2026Q3-MCR.txt",
            "".join(addon_line("1", code, "97530", "2023001") for code in add_ons),
            len(add_ons),
        ),
        "ncci_addon_medicaid": (
            "AOC_V2026Q3-MCD.txt",
            "".join(addon_line("1", code, "97530", "2023001") for code in add_ons),
            len(add_ons),
        ),
        "mpfs": (
            "PPRRVU2026_Jul.csv",
            MPFS_HEAD + "".join(mpfs_line(code, "", "A", THERAPY) for code in codes),
            len(codes),
        ),
        "icd10cm": (
            "icd10cm_order_2026.txt",
            "".join(icd_line(order, code, billable=True) for order, code in enumerate(diagnoses, 1)),
            len(diagnoses),
        ),
        "hcpcs": (
            "HCPC2026_JUL_ANWEB.txt",
            "".join(hcpcs_line(code, "3", "20010101") for code in letters),
            len(letters),
        ),
        "taxonomy": ("nucc_taxonomy_261.csv", taxonomy_text(filter(keep, taxonomies)), len(taxonomies)),
        "carc": ("carc_2026-11.csv", reasons_text(dated(filter(keep, carc))), len(carc)),
        "rarc": ("rarc_2026-11.csv", reasons_text(dated(filter(keep, rarc))), len(rarc)),
        "cpt": (
            "cpt-2026Q3.csv",
            "cpt,from,until\n" + "".join(f"{code},20200101,\n" for code in DIGITS if keep(code)),
            len(DIGITS),
        ),
        "betos": ("betpuf20.txt", "".join(betos_line(code, "M5D") for code in codes), len(codes)),
        "rbcs": (
            "RBCS_RY_2025.csv",
            rbcs_text([(code, "TP003N", "T", "P", "01/01/1995", "12/31/9999", "1") for code in codes]),
            len(codes),
        ),
        "opps": ("July 2026 Addendum B.csv", opps_text([(code, "A", "5522") for code in codes]), len(codes)),
    }


FILES = whole_files()
LAYOUTS = sorted(FILES)


@pytest.fixture(autouse=True)
def scaled():
    """The least sizes, made smaller as the tables here are: nearly half of them."""
    sizes = {table: replace(WHOLE[table], least=count * 9 // 20) for table, (_, _, count) in FILES.items()}
    with mock.patch.dict(WHOLE, sizes):
        yield


def put(folder, name, data):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("latin-1"))
    return str(path)


def load(tmp_path, *paths, **options):
    return run_import(tmp_path / "store", plan_import(paths), **options)


def refusal(tmp_path, path, **options):
    before = contents(tmp_path / "store")
    with pytest.raises(ImportRefused) as caught:
        load(tmp_path, path, **options)
    assert contents(tmp_path / "store") == before
    return str(caught.value)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.name != ".lock"}


def run(*words):
    return CliRunner().invoke(commands, [str(word) for word in words])


# -- what is whole ------------------------------------------------------------------------------------------


def test_every_table_says_its_least_size():
    assert set(WHOLE) == set(SHAPES)
    assert set(FILES) == set(SHAPES) - {"single_dose"}


@pytest.mark.parametrize("table", LAYOUTS)
def test_a_whole_file_is_taken(tmp_path, table):
    name, text, count = FILES[table]
    (release,) = load(tmp_path, put(tmp_path, name, text))
    assert (release.table, release.rows, release.whole) == (table, count, True)


@pytest.mark.parametrize("table", LAYOUTS)
def test_hostile_cuts_are_refused_wherever_they_are(tmp_path, table):
    """At each twentieth of the file, and at the bytes around it, also over a whole one imported before."""
    name, text, _ = FILES[table]
    data = text.encode("latin-1")
    cuts = {len(data) * part // 20 + shift for part in range(1, 20) for shift in (0, 7)}
    load(tmp_path, put(tmp_path, name, text))
    for cut in sorted(cuts):
        path = put(tmp_path, name, data[:cut])
        assert name in refusal(tmp_path, path), cut
    with pytest.raises(ImportRefused):
        run_import(tmp_path / "other", plan_import([put(tmp_path, name, data[: len(data) * 19 // 20])]))


@pytest.mark.parametrize("table", LAYOUTS)
def test_hostile_first_imports_that_are_cut_off_are_refused(tmp_path, table):
    """Without a release before there are the least size and the codes at both ends."""
    name, text, _ = FILES[table]
    for part in range(1, 20):
        path = put(tmp_path, name, text[: len(text) * part // 20])
        refusal(tmp_path, path)
    assert list_releases(tmp_path / "store") == []


@pytest.mark.parametrize("table", LAYOUTS)
def test_hostile_archives_that_are_cut_short_are_refused(tmp_path, table):
    name, text, _ = FILES[table]
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    data = (tmp_path / "whole.zip").read_bytes()
    for part in range(1, 20):
        refusal(tmp_path, put(tmp_path, "table.zip", data[: len(data) * part // 20]))
    middle = len(data) // 2
    for damaged in (data[:middle] + b"\0" * 40 + data[middle + 40 :], data[:-30] + b"\0" * 30):
        refusal(tmp_path, put(tmp_path, "table.zip", damaged))


@pytest.mark.parametrize("table", LAYOUTS)
def test_hostile_pages_of_an_error_are_no_table(tmp_path, table):
    name, _, _ = FILES[table]
    for page in (
        "<!DOCTYPE html><html><body>503</body></html>",
        "\r\n <HTML><p>License",
        "<?xml version='1.0'?><Error/>",
    ):
        assert "a web page, not a table" in refusal(tmp_path, put(tmp_path, name, page))
    for nothing in ("", "\r\n", "\0" * 4000, "Not found"):
        refusal(tmp_path, put(tmp_path, name, nothing), accept_shrinkage=True)


@pytest.mark.parametrize("table", [table for table in LAYOUTS if "addon" not in table and table != "icd10cm"])
def test_hostile_captions_alone_are_no_table(tmp_path, table):
    name, text, _ = FILES[table]
    begin = text.find("97530") if "99607" in text else 0
    first = next((text.find(code) for code in ("00100", "1000000") if code in text), begin)
    head = text[: text.rfind("\n", 0, max(first, 0)) + 1]
    refusal(tmp_path, put(tmp_path, name, head), accept_shrinkage=True)


DAMAGED = {
    "ncci_ptp": ("20200101", "2020O101"),
    "ncci_ptp_medicaid": ("20200101", "20201301"),
    "ncci_mue": (",6,", ",six,"),
    "ncci_mue_medicaid": (",6,", ",6.5,"),
    "ncci_addon": ("2023001", "2023400"),
    "ncci_addon_medicaid": ("2023001", "20230x1"),
    "mpfs": (",0.00,0.00,,0.00", ",0.00,0.oo,,0.00"),
    "icd10cm": (" 1 Short", " 7 Short"),
    "hcpcs": ("20010101", "20013101"),
    "taxonomy": ("0000X", "000"),
    "carc": ("2039-12-31", "2039-12-32"),
    "rarc": ("2010-01-01", "1"),
    "cpt": ("20200101", "20200001"),
    "betos": ("M5D", "5D"),
    "rbcs": ("TP003N", "TP0"),
    "opps": (",A,", ",?,"),
}


@pytest.mark.parametrize("table", LAYOUTS)
def test_hostile_rows_in_the_middle_are_refused_with_their_line(tmp_path, table):
    name, text, _ = FILES[table]
    middle = len(text) // 2
    good, bad = DAMAGED[table]
    damaged = text[:middle] + text[middle:].replace(good, bad, 1)
    assert damaged != text
    said = refusal(tmp_path, put(tmp_path, name, damaged), accept_shrinkage=True)
    assert ": line " in said


@pytest.mark.parametrize("table", ["ncci_mue", "mpfs", "opps", "rbcs", "carc", "taxonomy"])
def test_hostile_quotation_marks_swallow_no_rows(tmp_path, table):
    name, text, _ = FILES[table]
    at = text.find("\n", len(text) // 2)
    last = text.rfind(",", 0, at) + 1
    refusal(tmp_path, put(tmp_path, name, text[:last] + '"' + text[last:]), accept_shrinkage=True)


@pytest.mark.parametrize("table", ["ncci_mue", "mpfs", "opps", "rbcs", "taxonomy", "carc", "hcpcs"])
def test_hostile_missing_columns_are_refused(tmp_path, table):
    name, text, _ = FILES[table]
    lost = {
        "ncci_mue": "MUE Values", "mpfs": "DAYS", "opps": ",SI,", "rbcs": "RBCS_Id,",
        "taxonomy": "Specialization", "carc": "Stop Date", "hcpcs": "",
    }[table]  # fmt: skip
    if table == "hcpcs":
        text = "\n".join(line[:200] for line in text.split("\n"))
    else:
        text = text.replace(lost, ",", 1)
    refusal(tmp_path, put(tmp_path, name, text), accept_shrinkage=True)


def test_hostile_workbooks_that_are_cut_off_are_refused(tmp_path):
    captions = [
        "HCPCS/CPT Code",
        "Practitioner Services MUE Values",
        "MUE Adjudication Indicator",
        "Rationale",
    ]
    write_workbook(tmp_path / "w.xlsx", [captions, *([code, 6, "3 Date", "x"] for code in CODES)])
    data = (tmp_path / "w.xlsx").read_bytes()
    name = "MCR_MUE_PractitionerServices_Eff_07-01-2026.xlsx"
    for part in range(1, 20):
        refusal(tmp_path, put(tmp_path, name, data[: len(data) * part // 20]))
    (release,) = load(tmp_path, put(tmp_path, name, data))
    assert release.whole


def test_hostile_last_rows_that_are_cut_say_so(tmp_path):
    text = reasons_text(dated(["1", "2", "45"]))
    path = put(tmp_path, "carc_2026-11.csv", text[: text.rindex("2039")])
    assert "line 4: the last row is cut off" in refusal(tmp_path, path, accept_shrinkage=True)
    text = "".join(hcpcs_line(code, "3", "20010101", "20301231") for code in ("A0021", "A0080"))
    path = put(tmp_path, "HCPC2026_JUL_ANWEB.txt", text[: text.rindex("20301231")])
    assert "line 2: the last line is cut off" in refusal(tmp_path, path, accept_shrinkage=True)


def test_a_last_row_without_a_line_end_is_whole(tmp_path):
    path = put(tmp_path, "single-dose-2026Q3.csv", "code,from,until\nJ9271,2023-07-01,\nJ9299,2023-07-01,")
    assert load(tmp_path, path)[0].rows == 2


# -- the release before -------------------------------------------------------------------------------------


def mue_of(tmp_path, quarter, codes):
    name = f"MCR_MUE_PractitionerServices_Eff_{quarter}.csv"
    return put(tmp_path, name, mue_text([(code, "6", "3", "Clinical: Data") for code in codes]))


def without(share):
    """All codes but a share of them, from the middle: least size and both ends stay."""
    gone = round(len(CODES) * share)
    return CODES[:100] + CODES[100 + gone :]


def test_what_changes_is_told(tmp_path):
    told = []
    load(tmp_path, mue_of(tmp_path, "04-01-2026", CODES), tell=told.append)
    assert told == []
    load(tmp_path, mue_of(tmp_path, "07-01-2026", [*CODES[5:], "00001"]), tell=told.append)
    assert told == [("ncci_mue", "2026Q3", "2026Q2", len(CODES), len(CODES) - 4, 1, 5)]


def test_rows_gone_beyond_the_share_are_refused(tmp_path):
    load(tmp_path, mue_of(tmp_path, "04-01-2026", CODES))
    said = refusal(tmp_path, mue_of(tmp_path, "07-01-2026", without(MOST_GONE + 0.01)))
    assert f"{len(CODES):,} rows in 2026Q2" in said
    assert "more than the 10% that a new release may lose" in said
    assert "--accept-shrinkage" in said
    (release,) = load(tmp_path, mue_of(tmp_path, "07-01-2026", without(MOST_GONE - 0.01)))
    assert release.whole


def test_insisted_on_it_is_an_excerpt_and_the_next_is_held_to_the_whole_one(tmp_path):
    load(tmp_path, mue_of(tmp_path, "04-01-2026", CODES))
    (release,) = load(tmp_path, mue_of(tmp_path, "07-01-2026", without(0.2)), accept_shrinkage=True)
    assert not release.whole
    said = refusal(tmp_path, mue_of(tmp_path, "10-01-2026", without(0.2)))
    assert "2026Q2" in said
    refusal(tmp_path, mue_of(tmp_path, "07-01-2026", without(0.2)))


def test_a_release_is_held_to_the_one_that_it_replaces(tmp_path):
    load(tmp_path, mue_of(tmp_path, "07-01-2026", CODES))
    assert "2026Q3" in refusal(tmp_path, mue_of(tmp_path, "07-01-2026", without(0.2)))
    load(tmp_path, mue_of(tmp_path, "04-01-2026", without(0.2)))  # an earlier one has none before it


def test_an_edit_that_ends_is_the_same_row(tmp_path):
    told = []
    rows = ptp_rows(CODES, "")
    load(tmp_path, put(tmp_path, "ccipra-v321r0.txt", ptp_text(rows)))
    ended = [(*row[:4], "20260630", *row[5:]) for row in rows]
    load(tmp_path, put(tmp_path, "ccipra-v322r0.txt", ptp_text(ended)), tell=told.append)
    assert told[0][5:] == (0, 0)


def test_the_commands_say_all_of_it(tmp_path):
    store = ("--tables", tmp_path / "store")
    assert run("tables", "import", mue_of(tmp_path, "04-01-2026", CODES), *store).exit_code == 0
    done = run("tables", "import", mue_of(tmp_path, "07-01-2026", without(0.2)), *store)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "more than the 10%" in done.stderr
    small = mue_of(tmp_path, "07-01-2026", CODES[:3])
    done = run("tables", "import", small, *store)
    assert done.exit_code == 2
    assert "3 rows, where the whole table has at least" in done.stderr
    done = run("tables", "import", small, "--accept-shrinkage", *store)
    assert done.exit_code == 0
    assert done.stdout == (
        "ncci_mue 2026Q3: 3 rows, an excerpt: a code that it lacks is not an error\n"
        f"  {len(CODES):,} rows in 2026Q2, 3 now: 0 added, {len(CODES) - 3:,} gone\n"
    )
    assert "(an excerpt)" in run("tables", "list", *store).stdout


# -- what an excerpt says -----------------------------------------------------------------------------------

EXCERPTS = {
    "icd10cm_order_2026.txt": icd_line(1, "A000", billable=True),
    "HCPC2026_JUL_ANWEB.txt": hcpcs_line("A0021", "3", "20010101"),
    "cpt-2026Q3.csv": "cpt,from,until\n99213,20200101,\n97110,20200101,20201231\n",
    "nucc_taxonomy_261.csv": taxonomy_text(["103T00000X"]),
    "carc_2026-11.csv": reasons_text(dated(["1"])),
    "rarc_2026-11.csv": reasons_text(dated(["M1"])),
    "AOC_V2026Q3-MCR.txt": addon_line("1", "97110", "99213", "2023001"),
    "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv": mue_text([("99213", "1", "2", "x")]),
}


@pytest.fixture
def excerpts(tmp_path):
    paths = [put(tmp_path, name, text) for name, text in EXCERPTS.items()]
    load(tmp_path, *paths, accept_shrinkage=True)
    return tmp_path / "store"


def findings(tmp_path, store):
    claim = {"date": "2026-11-02", "received": "2026-11-21", "diagnoses": ["M25561"]}
    example = {"lines": ["97110:GP x1", "G0283:GP x1"], "claim": claim}
    (tmp_path / "a.837").write_text(write_example(example).text)
    done = run("check", tmp_path / "a.837", "--tables", store, "--received", "2026-11-21", "--format", "json")
    return [each["rule"] for each in json.loads(done.stdout)["files"][0]["findings"]]


def test_an_excerpt_rejects_no_good_code(tmp_path, excerpts):
    assert findings(tmp_path, excerpts) == []
    assert all(not release.whole for release in list_releases(excerpts))


def test_the_same_rows_as_a_whole_table_do(tmp_path, excerpts):
    manifest = json.loads((excerpts / MANIFEST).read_text())
    for each in manifest["releases"]:
        each["whole"] = True
    (excerpts / MANIFEST).write_text(json.dumps(manifest))
    assert {"code.procedure", "ncci.addon"} <= set(findings(tmp_path, excerpts))


def test_what_an_earlier_version_imported_goes_by_its_size(tmp_path, excerpts):
    manifest = json.loads((excerpts / MANIFEST).read_text())
    for each in manifest["releases"]:
        del each["whole"]
    (excerpts / MANIFEST).write_text(json.dumps(manifest))
    assert findings(tmp_path, excerpts) == []
    assert not any(release.whole for release in list_releases(excerpts))


def test_of_an_add_on_code_every_primary_must_be_known(excerpts):
    assert open_tables(excerpts, built_in()).addon("97110", 20261102) is None


def test_hostile_bytes_never_pass_for_a_whole_table(tmp_path):
    name, text, _ = FILES["ncci_mue"]
    data, chance = text.encode(), random.Random(13)
    for _ in range(60):
        cut = chance.randrange(len(data) * 99 // 100)
        refusal(tmp_path, put(tmp_path, name, data[:cut]))
