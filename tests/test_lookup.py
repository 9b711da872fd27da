"""A code's facts in one look: each of them with its table imported, and without."""

import json
import re

import pytest
from click.testing import CliRunner

from edi_checker.acks.words import STATUSES
from edi_checker.check.code_advice import Known, of_one_line, record_of, take_advice, usual_diagnoses
from edi_checker.cli import commands
from edi_checker.reference.codesets.lists import modifiers
from edi_checker.reference.meanings import FAMILIES, FEE_SCHEDULE, MODIFIERS
from edi_checker.reference.tables import BUILT_IN, built_in
from edi_checker.reports.shipped_lists import facts_that_ship
from edi_checker.rules import load
from edi_checker.run.lookup import example_checker
from make_cms_files import (
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
)
from small_tables import import_as_whole

THERAPY = ("7", "XXX", "5", "0", "0", "0", "0")
KNEE = ("0", "090", "2", "1", "2", "1", "0")
IMAGING = ("1", "XXX", "4", "0", "0", "0", "0")
ON = "2026-07-03"
NAMES = [
    "lifespan", "therapy", "timing", "mue", "add_ons", "primaries", "ptp", "ptp_therapy", "status", "pctc",
    "global_days", "multiple_procedure", "bilateral", "assistant_surgeon", "co_surgeon", "team_surgeon",
    "supervision", "rvus", "type_of_service", "betos", "rbcs", "opps", "modifiers", "modifiers_error",
    "modifiers_warning", "diagnoses", "record",
]  # fmt: skip


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A store that holds nothing of use here."""
    return imported(tmp_path_factory.mktemp("empty"), {"cpt-2026Q3.csv": "cpt,from,until\n99991,20200101,\n"})


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A store of all tables that a look-up asks."""
    units = "0.44,0.66,,0.63,NA,0.01,1.11,1.08"
    fees = (
        MPFS_HEAD
        + mpfs_line("97530", "", "A", THERAPY, units=units)
        + mpfs_line("27447", "", "A", KNEE, units="19.6,18.01,NA,18.01,,3.9,41.51,41.51")
        + mpfs_line("70450", "", "A", IMAGING, supervision="01")
        + mpfs_line("0770T", "", "C", THERAPY)
    )
    why = "Mutually exclusive procedures"
    pairs = [
        ("97150", "97530", "", "20180701", "*", "1", why),
        ("97530", "95851", "", "20180701", "*", "0", why),
        ("97530", "12001", "", "20180701", "*", "1", why),
        ("97530", "97116", "", "20200101", "20200101", "9", why),
        ("97530", "97140", "", "20150101", "20191231", "1", why),
        ("99999", "G0283", "", "20180701", "*", "1", why),
    ]
    return imported(
        tmp_path_factory.mktemp("full"),
        {
            "PPRRVU2026_Apr.csv": fees,
            "PPRRVU2026_Jul.csv": fees + mpfs_line("99213", "", "A", ("0", *THERAPY[1:])),
            "ccipra-v322r0.txt": ptp_text(pairs),
            "mue_2026q3.csv": mue_text(
                [("97530", "6", "3", "Clinical: Data"), ("0770T", "1", "2", "Policy")]
            ),
            "medicaid-2026q3-mue.csv": mue_text([("97530", "4", "1", "z")]),
            "AOC_V2026Q3-MCR.txt": addon_line("3", "0770T", "97530", "2023001")
            + addon_line("1", "0791T", "97116", "2023001"),
            "medicaid-AOC_V2026Q3-MCD.txt": addon_line("1", "0770T", "97110", "2023001"),
            "HCPC2026_JUL_ANWEB.txt": hcpcs_line("97530", "3", "19950101", betos="M5D", types="UW")
            + hcpcs_line("G0283", "3", "20010101", betos="P6C", types="1"),
            "betpuf20.txt": betos_line("97150", "M5D"),
            "RBCS_RY_2025.csv": rbcs_text(
                [("97530", "TP003N", "Treatment", "Therapy", "01/01/1995", "12/31/9999", "1")]
            ),
            "July 2026 Addendum B.csv": opps_text([("97530", "A", ""), ("70450", "Q3", "5522")]),
            "icd10cm_order_2026.txt": icd_line(1, "G35", False),
        },
    )


def imported(folder, files):
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    import_as_whole(folder / "store", [str(folder / name) for name in files])
    return folder / "store"


def look_up(store, *words, on=ON):
    done = CliRunner().invoke(commands, ["tables", "--tables", str(store), "lookup", *words, "--on", on])
    assert done.exit_code == 0, done.output
    return done.stdout


def facts(store, code, on=ON):
    return json.loads(look_up(store, code, "--format", "json", on=on))["facts"]


def test_the_document_has_every_fact_with_and_without_imports(empty, full):
    for store in (empty, full):
        found = json.loads(look_up(store, "97530", "--format", "json"))
        assert list(found) == ["schema", "code", "on", "facts"]
        assert (found["schema"], found["code"], found["on"]) == ("edi-checker/code/1", "97530", ON)
        assert set(NAMES) <= set(found["facts"])
        for fact in found["facts"].values():
            assert list(fact) == ["value", "means", "table", "release", "since", "missing"]
            assert (fact["value"] is None) <= (fact["missing"] is not None or fact["table"] is not None)


IMPORTED = {
    "mue": ({"limit": 6, "mai": "3", "rationale": "Clinical: Data"}, "ncci_mue 2026Q3 2026-07-01"),
    "mue_medicaid": ({"limit": 4, "mai": "1", "rationale": "z"}, "ncci_mue_medicaid 2026Q3 2026-07-01"),
    "add_ons": (["0770T"], "ncci_addon 2026Q3 None"),
    "status": ("A", "mpfs 2026Q3 2026-04-01"),
    "pctc": ("7", "mpfs 2026Q3 2026-04-01"),
    "global_days": ("XXX", "mpfs 2026Q3 2026-04-01"),
    "multiple_procedure": ("5", "mpfs 2026Q3 2026-04-01"),
    "bilateral": ("0", "mpfs 2026Q3 2026-04-01"),
    "assistant_surgeon": ("0", "mpfs 2026Q3 2026-04-01"),
    "co_surgeon": ("0", "mpfs 2026Q3 2026-04-01"),
    "team_surgeon": ("0", "mpfs 2026Q3 2026-04-01"),
    "supervision": ("09", "mpfs 2026Q3 2026-04-01"),
    "rvus": (
        {
            "work": "0.44",
            "practice_expense_non_facility": "0.66",
            "practice_expense_facility": "0.63",
            "malpractice": "0.01",
            "total_non_facility": "1.11",
            "total_facility": "1.08",
            "rare_in_non_facility": False,
            "rare_in_facility": True,
        },
        "mpfs 2026Q3 2026-04-01",
    ),
    "type_of_service": (["U", "W"], "hcpcs 2026Q3 2026-07-01"),
    "betos": ("M5D", "hcpcs 2026Q3 None"),
    "rbcs": ("TP003N", "rbcs 2025 None"),
    "opps": ({"status_indicator": "A", "apc": None}, "opps 2026Q3 2026-07-01"),
    "ptp": (
        {"column_1": {"0": 1, "1": 1}, "column_2": {"0": 0, "1": 1}, "complete": True},
        "ncci_ptp 2026Q3 None",
    ),
}


@pytest.mark.parametrize("name", IMPORTED)
def test_a_fact_comes_from_the_imported_table(full, name):
    fact = facts(full, "97530")[name]
    value, source = IMPORTED[name]
    assert fact["value"] == value
    assert f"{fact['table']} {fact['release']} {fact['since']}" == source
    assert fact["missing"] is None


BUILT = {
    "therapy": {"designation": "always", "disciplines": ["GP", "GO", "GN"]},
    "timing": {"timed": True, "minutes_per_unit": 15, "eight_minute_rule": True},
    "mue": {"limit": 6, "mai": "3", "rationale": "Clinical: Data"},
    "add_ons": ["0770T"],
    "primaries": None,
    "ptp": {"column_1": {"0": 2, "1": 3}, "column_2": {"0": 0, "1": 8}, "complete": False},
    "status": "A",
    "pctc": "7",
    "global_days": "XXX",
    "multiple_procedure": "5",
    "bilateral": "0",
    "assistant_surgeon": "0",
    "co_surgeon": "0",
    "team_surgeon": "0",
}


@pytest.mark.parametrize("name", BUILT)
def test_a_fact_of_a_therapy_code_needs_no_import(empty, name):
    fact = facts(empty, "97530")[name]
    assert (fact["value"], fact["release"], fact["missing"]) == (BUILT[name], BUILT_IN, None)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("supervision", "the relative value file of the physician fee schedule (PPRRVU...)"),
        ("rvus", "the relative value file of the physician fee schedule (PPRRVU...)"),
        ("type_of_service", "the alpha-numeric HCPCS file (HCPC..._ANWEB)"),
        ("betos", "the BETOS file (betpuf...)"),
        ("rbcs", "the RBCS taxonomy (RBCS_RY_...)"),
        ("opps", "addendum B of the outpatient payment system (OPPS)"),
    ],
)
def test_what_needs_an_import_names_the_file(empty, full, name, file):
    table = {"supervision": "mpfs", "rvus": "mpfs", "type_of_service": "hcpcs"}.get(name, name)
    fact = facts(empty, "97530")[name]
    assert (fact["value"], fact["missing"]) == (None, f"{table}: no release covers this day; import {file}")
    # A day before the first release, and a code that the release lacks.
    if table not in ("betos", "rbcs"):
        assert "no release covers this day" in facts(full, "97530", "2026-02-03")[name]["missing"]
    release = {"betos": "2020", "rbcs": "2025"}.get(table, "2026Q3")
    assert facts(full, "97140")[name]["missing"].startswith(f"not in {table} {release}")


@pytest.mark.long
def test_the_days_of_a_code(empty, full):
    assert facts(empty, "97530")["lifespan"]["value"] == {"first": None, "last": None}
    assert facts(empty, "97161")["lifespan"]["value"] == {"first": "2017-01-01", "last": None}
    ended = facts(empty, "97127")["lifespan"]
    assert (ended["value"], ended["table"]) == ({"first": None, "last": "2019-12-31"}, "therapy_procedures")
    assert "to 2019-12-31; not in force on this day" in look_up(empty, "97127")
    assert "not in force" not in look_up(empty, "97127", on="2019-12-31")
    level2 = facts(full, "G0283")["lifespan"]
    assert (level2["value"]["first"], level2["table"]) == ("2001-01-01", "hcpcs")
    assert "a code of level II, from 2001-01-01 with no end" in look_up(full, "G0283")
    assert facts(empty, "99991")["lifespan"]["table"] == "cpt"
    assert "no imported list has its days" in facts(full, "27447")["lifespan"]["missing"]


@pytest.mark.long
def test_pairs_are_those_in_force_with_therapy_codes_named(full, empty):
    found = facts(full, "97530")["ptp_therapy"]["value"]
    said = [(each["code"], each["column_of_code"], each["indicator"], each["since"]) for each in found]
    assert said == [("95851", "1", "0", "2018-07-01"), ("97150", "2", "1", "2018-07-01")]
    assert facts(full, "97530", "2019-12-31")["ptp"]["value"]["column_1"] == {"0": 1, "1": 2}
    assert facts(full, "G0283")["ptp"]["value"]["column_2"] == {"0": 0, "1": 1}
    assert "as column 2 with 90912 (1) 90913 (1) 92507 (1)" in look_up(empty, "97530")
    assert "import the PTP edits" in look_up(empty, "97530")
    assert "import the PTP edits" not in look_up(full, "97530")


@pytest.mark.long
def test_an_add_on_and_its_primaries(full, empty):
    found = facts(full, "0770T")["primaries"]
    assert (found["value"], found["since"]) == ({"type": "3", "codes": ["97530"]}, "2023-01-01")
    medicaid = facts(full, "0770T")["primaries_medicaid"]
    assert (medicaid["value"], medicaid["table"]) == (
        {"type": "1", "codes": ["97110"]},
        "ncci_addon_medicaid",
    )
    assert "97530" in facts(empty, "0770T")["primaries"]["value"]["codes"]
    assert facts(full, "97116")["add_ons"]["value"] == ["0791T"]
    assert facts(full, "97530", "2022-12-31")["add_ons"]["missing"].startswith(
        "ncci_addon: no release covers"
    )


def test_what_does_not_ship_is_not_said_to_be_none(empty):
    """The rows that ship are of therapy codes, and of most of them the first day is not known."""
    for code, on in (("97530", "2024-06-30"), ("99991", ON)):
        found = facts(empty, code, on)
        for name in ("add_ons", "primaries", "ptp", "ptp_therapy"):
            if (code, name) != ("97530", "ptp_therapy"):
                assert "no release covers this day; import" in found[name]["missing"]
    assert "none, it is not an add-on code" in look_up(empty, "97530", on="2024-07-01")


@pytest.mark.long
def test_therapy_and_time(empty):
    assert "not timed" in look_up(empty, "97161")
    assert facts(empty, "97597")["therapy"]["value"]["designation"] == "sometimes"
    assert facts(empty, "97129")["timing"]["value"]["minutes_per_unit"] == 15
    assert "not in the list of therapy codes" in facts(empty, "99991")["therapy"]["missing"]


def fitting(store, code, on=ON):
    return [each["modifier"] for each in facts(store, code, on)["modifiers"]["value"]]


def refused(store, code, severity="error", on=ON):
    said = facts(store, code, on)[f"modifiers_{severity}"]["value"]
    return [modifier for each in said for modifier in each["modifiers"]]


def test_the_modifiers_of_97530(empty):
    assert set("GP GO GN CQ CO KX 59 XE XS XP XU 76 77 96 97 GA GX GY GZ 95".split()) <= set(  # noqa: SIM905
        fitting(empty, "97530")
    )
    assert set(refused(empty, "97530")) == set(
        "24 25 57 26 TC 50 54 55 56 62 66 80 81 82 AS".split()  # noqa: SIM905
    )
    assert {"51", "53", "AT", "LT", "NU", "JZ"} <= set(refused(empty, "97530", "warning"))
    assert not set(fitting(empty, "97530")) & {*refused(empty, "97530"), *refused(empty, "97530", "warning")}
    asked = facts(empty, "97530")["modifiers_asked"]["value"]
    assert [each["rule"] for each in asked] == ["therapy.discipline"]
    (speech,) = [each for each in facts(empty, "97530")["modifiers"]["value"] if each["modifier"] == "GN"]
    assert "bill other codes" in speech["caution"]


@pytest.mark.long
def test_modifiers_follow_the_code_the_tables_and_the_day(empty, full):
    assert {"GO", "GN", "CQ", "CO"} <= set(refused(empty, "97161"))
    assert fitting(empty, "97161")[:2] == ["GP", "KX"]
    assert "CQ" not in refused(empty, "97161", on="2019-12-31")
    knee = fitting(full, "27447")
    assert {"50", "LT", "RT", "51", "22", "54", "78", "62", "80", "AS"} <= set(knee)
    assert {"26", "TC", "66"} <= set(refused(full, "27447"))
    assert {"26", "TC"} <= set(fitting(full, "70450"))
    assert {"25", "24", "57"} <= set(fitting(full, "99213"))
    assert {"59", "XE"} <= set(refused(full, "99213"))
    assert "AT" not in fitting(empty, "97530")
    assert "59" not in fitting(full, "27447")  # no pair


@pytest.mark.long
def test_a_code_without_which_a_payer_denies(empty):
    asked = facts(empty, "98941")["modifiers_asked"]["value"]
    assert [(each["rule"], each["why"]) for each in asked] == [
        ("modifier.missing", "no AT, so Medicare treats it as maintenance and denies it")
    ]
    assert "AT" in fitting(empty, "98941")
    assert "KX" not in refused(empty, "98941", "warning")  # what the bare code lacks is said once


@pytest.mark.long
def test_diagnoses_and_record(empty):
    families = facts(empty, "97530")["diagnoses"]["value"]
    assert {"family": "M62.81", "means": "muscle weakness"} in families
    assert facts(empty, "97140")["diagnoses"]["value"] == []
    record = {each["text"]: each["rules"] for each in facts(empty, "97530")["record"]["value"]}
    assert any("adaptive equipment" in line for line in record)
    assert record["For 97530, how it differs from 97110 and 97112."] == ["therapy.minutes"]
    assert record["The certified plan of care, with the date of certification."] == [
        "therapy.certifying-provider"
    ]
    other = [each["text"] for each in facts(empty, "97140")["record"]["value"]]
    assert "Total timed minutes and total treatment minutes of the day." in other
    assert not any(line.startswith("For 97530") for line in other)


BOOK = load()


def known(code, on=20260703):
    return Known(code, on, built_in().procedure(code, on), built_in().partners(code, on))


def test_rules_about_a_code_are_those_that_name_it_or_its_kind():
    def rules(code):
        return {rule for _, named in record_of(BOOK, known(code)) for rule in named}

    assert {"therapy.activities-with-exercise", "therapy.minutes", "ncci.ptp"} <= rules("97110")
    assert "therapy.minutes" not in rules("97161")
    assert "therapy.activities-with-evaluation" in rules("97161")
    assert rules("97597") >= {"ncci.ptp", "therapy.kx"}
    assert rules("27447") == set()
    assert rules("98941") >= {"modifier.missing"}


def test_every_family_and_every_modifier_has_words():
    assert set(usual_diagnoses(BOOK, "97530")) == set(FAMILIES)
    listed = modifiers().periods
    assert [modifier for modifier in MODIFIERS if modifier not in listed] == []
    assert all(words for table in FEE_SCHEDULE.values() for words in table.values())


@pytest.mark.parametrize("code", ["97530", "97161", "97597", "0770T", "99213", "27447", "J9271", "98941"])
def test_no_reason_names_a_line_or_a_list_of_modifiers(code):
    advice = take_advice(BOOK, example_checker(of_one_line(BOOK), "auto"), known(code))
    for each in (*advice.against, *advice.asked):
        assert re.search(r"\bline \d", each.why, re.IGNORECASE) is None
        assert "{" not in each.why
    assert [each for each in advice.against if each.severity == "info"] == []


@pytest.mark.parametrize("code", ["97530", "0770T", "27447", "G0283", "97127"])
def test_the_page_fits_80_columns(empty, full, code):
    for store in (empty, full):
        for line in look_up(store, code).splitlines():
            assert len(line) <= 80
            assert line == line.rstrip()


def test_the_page_says_it_in_words(full):
    page = look_up(full, "97530")
    for part in (
        "97530 on 2026-07-03\n",
        "Therapy [therapy_codes builtin-therapy-2024Q3]\n",
        "  Designation         always therapy; under GP, GO, GN\n",
        "  Units               timed, 15 minutes a unit, counted by the 8-minute rule\n",
        "  MUE                 at most 6 units on a day, can be appealed (MAI 3)\n",
        "  MUE, Medicaid       at most 4 units on a line (MAI 1)\n",
        "  Add-ons it carries  0770T\n",
        "Fee schedule [mpfs 2026Q3, from 2026-04-01]\n",
        "  Status              A: active, paid by the fee schedule\n",
        "  Supervision         09: does not apply\n",
        "  RVUs                work 0.44, malpractice 0.01\n",
        "                      practice expense 0.66, in a facility 0.63\n",
        "                      total 1.11, in a facility 1.08\n",
        "                      rarely or never given in a facility\n",
        "  Type of service     U: occupational therapy; W: physical therapy\n",
        "  BETOS               M5D: evaluation and management\n",
        "  RBCS                TP003N: Treatment: Therapy\n",
        "  APC status          A: paid by another fee schedule, as to a practice; no APC\n",
        "  26  professional component: 97530 has no such component. Medicare's fee\n",
        "  M62.81  muscle weakness\n",
    ):
        assert part in page
    assert "APC 5522" in look_up(full, "70450")


def test_codes_that_are_no_procedures(full):
    assert "a header, which cannot be billed" in look_up(full, "G35")
    found = facts(full, "G35")
    assert list(found) == ["diagnosis"]
    assert (found["diagnosis"]["value"], found["diagnosis"]["release"]) == ({"billable": False}, "FY2026")
    assert facts(full, "99998")["near"]["missing"] == "no list has the code"
    assert "ncci_mue 2026Q3: none in this release" in look_up(full, "99998")


@pytest.mark.parametrize(
    ("code", "name", "words"),
    [
        ("GP", "modifier", "under a plan of care of physical therapy"),
        ("11", "place_of_service", "in the list"),
        ("M25.561", "diagnosis", "can be billed"),
        ("M2556", "diagnosis", "a header, which cannot be billed"),
        ("A7", "status_category", "rejected"),
        ("562", "status", ""),
        ("85", "entity", ""),
        ("MB", "filing_indicator", "SBR09"),
    ],
)
def test_codes_of_the_lists_that_ship(empty, code, name, words):
    assert words in look_up(empty, code)
    assert name in facts(empty, code)


def test_a_mistyped_code_gets_those_near_it(empty):
    assert "97350? Did you mean 97530 or 97150" in look_up(empty, "97350")
    near = facts(empty, "97350")["near"]
    assert (near["value"][0], near["missing"]) == ("97530", "no list has the code")
    assert "Did you mean" not in look_up(empty, "97530")
    assert "M25.561" in look_up(empty, "M52.561")
    assert "Did you mean" not in look_up(empty, "ZZZZZZZZZZZZ")


def test_a_pair_as_json(full):
    found = json.loads(look_up(full, "97530", "97150", "--format", "json"))
    assert (found["schema"], found["codes"], found["release"]) == (
        "edi-checker/pair/1",
        ["97530", "97150"],
        "2026Q3",
    )
    assert found["edit"]["column_1"] == "97150"
    assert (found["edit"]["since"], found["edit"]["until"]) == ("2018-07-01", None)
    assert json.loads(look_up(full, "97530", "97116", "--format", "json"))["edit"] is None


def test_the_meaning_of_a_status_names_whose_it_is():
    for code, status in STATUSES.items():
        facts = [fact for fact in facts_that_ship(code, 20261121) if fact.name == "status"]
        assert facts, (code, status)
        assert "{" not in str(facts), (code, status)
