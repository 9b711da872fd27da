"""Rules, profiles, facts and tables of others: what is remembered changes nothing that they find."""

from __future__ import annotations

from functools import cache

import pytest

from both_ways import (
    Pair,
    assert_same,
    claims_in,
    count,
    findings_in,
    make_pair,
    said,
    watch_memory,
    with_setting,
)
from edi_checker import rules
from edi_checker.check import memo
from edi_checker.check.examples import write_example
from edi_checker.claims.minutes import Minutes
from edi_checker.claims.payer_profiles import AUTO, COMMERCIAL, MEDICAID, MEDICARE, Choice
from edi_checker.claims.profile import Profile
from edi_checker.facts import VOCABULARY, Fact, FactType, Field
from edi_checker.reference.store import open_tables
from edi_checker.reference.tables import built_in
from edi_checker.rules.profile_file import read_profiles
from generate_claims import generate
from make_cms_files import icd_line, reasons_text, taxonomy_text
from second_maker import make
from small_tables import import_as_whole

RULE = """\
title: Its own
fault: Not its own
severity: warning
snip: 7
{match}
at: {at}
message: "{message}"
fix: Nothing.
sources:
  - {{cite: Nobody, seen: 2026-11-21}}
"""


def write_rule(
    folder, match: str, at: str, message: str = "Found.", more: str = "", name: str = "found"
) -> None:
    (folder / "own").mkdir(exist_ok=True)
    text = RULE.format(match=match, at=at, message=message) + more
    (folder / "own" / f"{name}.yaml").write_text(text)


@cache
def texts() -> tuple[str, ...]:
    decided = "".join(generate(60, seed=8, invalid=0.2))
    assert "SVD*" in decided
    return (
        decided,
        "".join(generate(60, seed=6, every_kind=True)),
        "".join(piece.text for piece in make("noisy", 80, seed=2, ordinary=0.5)),
    )


def check_all(pair: Pair) -> int:
    """How much both find, in the same order; the second time all is known."""
    found = [assert_same(text, pair) for text in texts()]
    assert [said(pair.fast, text) for text in texts()] == found
    return sum(len(findings_in(each)) for each in found)


# -- rules

# Fact, conditions, where it is found, what the message says.
ONE = {
    "charge": ("line", "charge: {more_than: 100}", "SV102", "charge"),
    "units": ("line", "units: {at_least: 2}, diagnoses: {has_any: [M6281, I10]}", "SV104", "diagnoses"),
    "payer": ("line", "payer: FTW01, code: {present: true}", "SV1", "payer"),
    "taxonomy": ("line", "taxonomy: 225100000X", "SV1", "taxonomy"),
    "place": ("line", "place_of_service: '11'", "SV1", "place_of_service"),
    "providers": ("line", "providers: {has_any: [DN, DK]}", "SV1", "providers"),
    "repeats": ("line", "repeats: {absent: true}", "SV1", "ordinal"),
    "pointers": ("line", "pointers: {at_least: 2}", "SV107", "pointers"),
    "two columns": ("line", "ordinal: {at_most: $x.pointers}", "SV1", "pointers"),
    "references": ("claim", "references: {has_none: [G1]}", "CLM", "charge"),
    "sums": ("claim", "line_charges: {at_least: $x.charge}", "CLM02", "lines"),
    "diagnosis": ("diagnosis", "qualifier: ABF", "HI", "code"),
    "any NPI": ("provider", "npi: {present: true}", "NM109", "role"),
    "an organization": ("provider", "npi_valid: true, entity_type: '2'", "NM109", "role"),
    "claim_date": ("claim_date", "first: {present: true}", "DTP", "first"),
    "late event": ("claim_date", "first: {at_most: $x.date}", "DTP", "qualifier"),
    "events at the claim": ("claim_date", "last: {at_least: $x.first}", "CLM", "qualifier"),
    "subscriber": ("subscriber", "address: false", "SBR", "relationship"),
    "mue_day": ("mue_day", "units: {at_least: 2}", "SV1", "units"),
    "therapy_day": ("therapy_day", "units: {at_least: 3}", "SV1", "units"),
    "any therapy_day": ("therapy_day", "method: cms", "SV1", "units"),
    "ptp_pair": ("ptp_pair", "indicator: '1'", "SV1", "line_1"),
    "order of a pair": ("ptp_pair", "line_1: {less_than: $x.line_2}", "SV1", "line_1"),
    "lines of a pair": ("ptp_pair", "line_2: {at_least: 2}", "SV1", "line_2"),
    "adjudication": ("adjudication", "paid: {at_least: 0}", "SVD", "paid"),
    "other_payer": ("other_payer", "paid: {at_least: 0}", "SBR", "paid"),
    "code_error": ("code_error", "set: {present: true}", "", "problem"),
    "code_errors at the claim": ("code_error", "date: {present: true}", "CLM", "line"),
    "situation": ("situation", "nature: {absent: true}", "CLM", "kind"),
}
# Two facts with conditions, where it is found, what the message says.
TWO = {
    "line and claim": (
        "line, units: {at_least: 2}",
        "claim, references: {has_none: [G1]}",
        "x SV1",
        "y.charge",
    ),
    "two events": ("claim_date", "claim_date, qualifier: {not: $x.qualifier}", "x CLM", "y.qualifier"),
    "two days": (
        "mue_day",
        "mue_day, code: {equal: $x.code}, date: {more_than: $x.date}",
        "y SV1",
        "x.date",
    ),
    "units of a day": (
        "mue_day, units: {at_least: 1}",
        "mue_day, units: {more_than: $x.units}, date: {equal: $x.date}",
        "y SV1",
        "x.units",
    ),
    "codes of a day": (
        "mue_day",
        "mue_day, code: {not: $x.code}, date: {equal: $x.date}",
        "x SV1",
        "y.code",
    ),
    "two codes": (
        "mue_day, code: '97530'",
        "mue_day, code: '97110', date: {equal: $x.date}",
        "y SV1",
        "y.units",
    ),
    "therapy and line": (
        "therapy_day, units: {at_least: 3}",
        "line, date: {equal: $x.date}",
        "y SV1",
        "y.code",
    ),
    "lines": ("line", "line, code: {equal: $x.code}, ordinal: {more_than: $x.ordinal}", "y SV1", "x.ordinal"),
    "line and pair": (
        "line, code: {present: true}",
        "ptp_pair, column_1: {equal: $x.code}",
        "x SV1",
        "y.column_2",
    ),
    "codes and therapy": (
        "mue_day, units: {at_least: 1}",
        "therapy_day, date: {equal: $x.date}",
        "x SV1",
        "y.units",
    ),
    "pair and mue_day": ("ptp_pair", "mue_day, code: {equal: $x.column_2}", "y SV1", "x.column_1"),
    "diagnosis and other payer": ("diagnosis, ordinal: '1'", "other_payer", "x CLM", "y.paid"),
    "adjudication and pair": (
        "adjudication",
        "other_payer, charge: {at_least: $x.charge}",
        "x CLM",
        "y.paid",
    ),
    "provider and claim": ("provider, npi_valid: true", "claim", "x CLM", "x.role"),
    "situation and code_error": ("situation", "code_error", "x CLM", "y.set"),
    "line and diagnosis": ("line, code: '97530'", "diagnosis, qualifier: ABF", "x SV1", "y.code"),
    "claim and other payer": ("claim", "other_payer, paid: {at_least: 0}", "x CLM", "y.paid"),
}


def write_named(folder, name: str, number: int = 0) -> None:
    """The rule of this name as a file."""
    if name in ONE:
        fact, conditions, at, told = ONE[name]
        match = f"match: {{x: {{fact: {fact}, {conditions}}}}}"
        write_rule(folder, match, f"x {at}".strip(), f"{{x.{told}}}", name=f"r{number}")
    else:
        one, two, at, told = TWO[name]
        match = f"match: {{x: {{fact: {one}}}, y: {{fact: {two}}}}}"
        write_rule(folder, match, at, f"{{{told}}}", name=f"r{number}")


@pytest.mark.parametrize("name", [*ONE, *TWO])
def test_a_rule_of_ones_own(tmp_path, name):
    write_named(tmp_path, name)
    assert check_all(make_pair(rules.load([tmp_path], packaged=False)))


def test_all_of_them_beside_the_packaged_ones(tmp_path):
    for number, name in enumerate((*ONE, *TWO)):
        write_named(tmp_path, name, number)
    assert check_all(make_pair(rules.load([tmp_path]))) > 1000


AUTHORIZATION = """\
match:
  line: {fact: line, code: "97530", payer: "99002"}
  claim: {fact: claim, references: {has_none: [G1]}}
require:
  line: {references: {has: G1}}
"""


def test_a_rule_that_joins_line_and_claim_and_asks_for_a_reference(tmp_path):
    write_rule(tmp_path, AUTHORIZATION, "line SV101-2", "{line.code} on {line.date} for {line.payer}")
    pair = make_pair(rules.load([tmp_path]), 20260302)
    asked = {"payer_id": "99002"}
    on_the_line = {"claim": asked, "edit": [{"find": "REF*6R", "insert": "REF*G1*A1"}]}
    for example, found in (
        ({"claim": {"payer_id": "60054"}}, 0),
        ({"claim": asked}, 1),
        ({"claim": asked | {"authorization": "A1"}}, 0),
        (on_the_line, 0),
        ({"claim": asked, "lines": ["97110:GP x1", "97530:GP x2"]}, 1),
        ({"claim": asked}, 1),
    ):
        assert count(assert_same(write_example(example).text, pair), "own.found") == found


# -- rules in force


@pytest.mark.parametrize(
    ("in_force", "found"),
    [
        ("{from: 2026-02-03}", [0, 1, 1]),
        ("{until: 2026-02-03}", [1, 1, 0]),
        ("{from: 2026-02-03, until: 2026-02-03}", [0, 1, 0]),
        ("{from: 2026-03-02, by: received}", [1, 1, 1]),
        ("{from: 2026-03-03, by: received}", [0, 0, 0]),
        ("{until: 2026-03-02, by: received}", [1, 1, 1]),
        ("{until: 2026-03-01, by: received}", [0, 0, 0]),
    ],
)
@pytest.mark.parametrize(
    "fact", ["line", "claim", "mue_day", "therapy_day", "claim_date", "diagnosis", "provider"]
)
def test_both_edges_of_a_rule_in_force(tmp_path, fact, in_force, found):
    at = {"claim": "x CLM", "claim_date": "x DTP", "diagnosis": "x HI", "provider": "x NM1"}.get(
        fact, "x SV1"
    )
    more = {"diagnosis": ", ordinal: 1", "provider": ", role: DN"}.get(fact, "")
    write_rule(tmp_path, f"match: {{x: {{fact: {fact}{more}}}}}", at, "Found.", f"in_force: {in_force}\n")
    pair = make_pair(rules.load([tmp_path], packaged=False), 20260302)
    edit = [{"find": "HI*", "insert": "DTP*431*D8*20260101"}]
    for _ in range(2):
        for day, expected in zip(("2026-02-02", "2026-02-03", "2026-02-04"), found, strict=True):
            text = write_example({"claim": {"date": day}, "edit": edit}).text
            assert count(assert_same(text, pair), "own.found") == expected


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("date: {at_least: 2026-02-03}", [0, 1, 1]),
        ("date: {at_most: 2026-02-03}", [1, 1, 0]),
        ("date: 2026-02-03", [0, 1, 0]),
        ("date: {not: 2026-02-03}", [1, 0, 1]),
        ("last_date: {more_than: 2026-02-03}", [0, 0, 1]),
        ("date: {one_of: [2026-02-02, 2026-02-04]}", [1, 0, 1]),
    ],
)
def test_a_rule_that_compares_a_day(tmp_path, condition, found):
    write_rule(tmp_path, f"match: {{line: {{fact: line, {condition}}}}}", "line SV1")
    pair = make_pair(rules.load([tmp_path], packaged=False), 20260302)
    for _ in range(2):
        for day, expected in zip(("2026-02-02", "2026-02-03", "2026-02-04"), found, strict=True):
            text = write_example({"claim": {"date": day}}).text
            assert count(assert_same(text, pair), "own.found") == expected


@pytest.mark.parametrize("day", ["2026-02-10", "2026-04-02", "2026-06-03", "2026-10-01"])
def test_rules_in_force_within_the_days_of_files(tmp_path, day):
    for number, in_force in enumerate((f"from: {day}", f"until: {day}", f"from: {day}, until: {day}")):
        for kind, at in (
            ("line", "x SV1"),
            ("claim", "x CLM"),
            ("mue_day", "x SV1"),
            ("claim_date", "x DTP"),
        ):
            more = f"in_force: {{{in_force}}}\n"
            write_rule(
                tmp_path,
                f"match: {{x: {{fact: {kind}}}}}",
                at,
                "{x.date}",
                more,
                f"{kind[:3]}{number}{at[2:].lower()}",
            )
    assert check_all(make_pair(rules.load([tmp_path], packaged=False)))


# -- profiles


PROFILES = {
    "willow": """\
inherits: commercial
payers: ["99002", BMP53, JUN60]
rules: {off: [duplicate], on: [duplicate.line]}
severity:
  rules: {therapy.discipline: error}
  snip: {7: off, 4: error}
unit_method: ama
minutes_note: [TX TIME nn]
member_id: ["[A-Z]{3}[0-9]{9}", "W[0-9]{8}"]
""",
    "mesa": """\
inherits: medicare
payers: ["99003", DRB31]
filing_indicators: [BL]
member_id: ["Z[0-9]{6}"]
""",
    "rest": "inherits: medicaid\nunit_method: ama\n",
}


@pytest.mark.parametrize(
    "profile",
    [MEDICARE, COMMERCIAL, MEDICAID, AUTO, Profile("commercial", unit_method="ama")],
    ids=lambda p: getattr(p, "name", "auto"),
)
def test_profiles(profile):
    assert check_all(make_pair(profile=profile))


def test_profiles_of_files(tmp_path):
    for name, text in PROFILES.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    read = read_profiles(tmp_path)
    assert isinstance(read.choice, Choice)
    found = check_all(make_pair(profile=read.choice))
    assert found
    for profile in read.profiles:
        assert check_all(make_pair(profile=profile))


def test_one_engine_for_several_profiles():
    pair = make_pair()
    for profile in (MEDICARE, COMMERCIAL, AUTO, MEDICARE):
        check_all(with_setting(pair, profile=profile))


# -- facts of others and minutes


def test_facts_of_plugins(tmp_path, monkeypatch):
    kind = FactType(
        "lines of a day",
        {"date": Field("date", "DTP03", "the day"), "lines": Field("int", "computed", "lines")},
    )
    write_rule(tmp_path, "match: {day: {fact: busy_day, lines: {at_least: 2}}}", "day SV1", "{day.lines}")

    def make_facts(claim, received, profile):
        days: dict[int | None, list[object]] = {}
        for line in claim.lines:
            days.setdefault(line.dates[0], []).append(line)
        return [
            Fact("busy_day", {"date": on, "lines": len(each)}, {"": (each[0],)}) for on, each in days.items()
        ]

    book = rules.load([tmp_path], vocabulary={**VOCABULARY, "busy_day": kind})
    pair = make_pair(book, more_facts=make_facts)
    assert sum(count(assert_same(text, pair), "own.found") for text in texts()) > 20
    # Without them the same engine remembers again.
    decided = watch_memory(with_setting(pair, more_facts=None), monkeypatch)
    check_all(with_setting(pair, more_facts=None))
    assert decided()[0] > 100


def test_minutes_beside_the_claims():
    pair = make_pair()
    rows = [
        f"{claim.id},{line.ordinal},{8 + 7 * (line.ordinal % 4)},{5 * (line.ordinal % 2)}"
        for text in texts()
        for claim in claims_in(text)
        for line in claim.lines
    ]
    minutes = Minutes.parse(
        "claim,line,minutes,assistant_minutes\n" + "\n".join(dict.fromkeys(rows)) + "\n", "m.csv"
    )
    alone = check_all(pair)
    assert check_all(with_setting(pair, minutes=minutes)) > alone
    assert check_all(pair) == alone


@pytest.mark.parametrize(
    "lines",
    [
        ["97530:GP x30 MJ", "97110:GP x1"],
        ["97530:GP x2 note MINUTES 20", "97110:GP x1 note 23 MIN"],
        ["97530:GP x2 note MINUTES 8", "97110:GP x1"],
        ["97530:GP x2 note TX TIME 8", "97110:GP x1 note TX TIME 23"],
        ["97530:GP x2 note NOTHING OF MINUTES", "97110:GP x1"],
        ["97530:GP:CQ x2 note MINUTES 38", "97110:GP x1"],
        ["97530:GP x2 on 2026-02-03..2026-02-04", "97110:GP x1 note 8 MIN"],
    ],
)
def test_minutes_that_a_claim_gives(tmp_path, lines):
    (tmp_path / "willow.yaml").write_text(PROFILES["willow"])
    (willow,) = read_profiles(tmp_path).profiles
    pair = make_pair(received=20260302)
    for profile in (None, MEDICARE, willow):
        given = with_setting(pair, profile=profile)
        for _ in range(2):
            assert_same(write_example({"lines": ["97530:GP x2", "97110:GP x1"]}).text, given)
            assert_same(write_example({"lines": lines}).text, given)


# -- imported tables

THERAPIST, CLINIC = "225100000X", "261QP2000X"


@pytest.fixture
def tables(tmp_path):
    """Code sets that change within the days of the files: every day is an era of its own."""
    files = {
        "nucc_taxonomy_251.csv": taxonomy_text([THERAPIST, "225XX0001X", CLINIC]),
        "nucc_taxonomy_260.csv": taxonomy_text([THERAPIST, CLINIC]),
        "carc_2026-07.csv": reasons_text([("45", "01/01/1995", ""), ("13", "01/01/1995", "03/31/2026")]),
        "rarc_2026-07.csv": reasons_text([("MA01", "01/01/1997", "")]),
        "icd10cm_order_2026.txt": "".join(
            icd_line(number, code, True) for number, code in enumerate(["M6281", "R262", "M5450", "I10"], 1)
        ),
    }
    paths = []
    for name, text in files.items():
        path = tmp_path / name
        path.write_bytes(text.encode("latin-1"))
        paths.append(str(path))
    import_as_whole(tmp_path / "store", paths, None)
    return open_tables(tmp_path / "store", built_in())


def test_imported_code_sets(tables):
    pair = make_pair(tables=tables)
    found = check_all(pair)
    assert found != check_all(make_pair())


def test_a_code_of_a_line_is_held_against_the_first_day_of_its_claim(tables):
    def example(first):
        return write_example(
            {
                "lines": [f"97530:GP x1 on {first}", "97110:GP x1 on 2026-04-02 by 1679576722"],
                "claim": {"payer": "commercial"},
                "edit": [{"find": "NM1*82", "append": "PRV*PE*PXC*225XX0001X"}],
            }
        ).text

    held, over = example("2026-03-31"), example("2026-04-02")
    for order in ((held, over), (over, held)):
        pair = make_pair(received=20260501, tables=tables)
        found = {text: count(assert_same(text, pair), "code.taxonomy") for text in order}
        assert found == {held: 0, over: 1}


def test_several_tables_and_days_of_receipt_with_one_engine(tables):
    pair = make_pair()
    for changes in (
        {"tables": tables},
        {},
        {"received": 20260302},
        {"tables": tables, "received": 20260302},
        {},
    ):
        check_all(with_setting(pair, **changes))


def test_more_sets_of_delimiters_than_are_remembered(monkeypatch):
    monkeypatch.setattr(memo, "_MOST_MEMOS", 3)
    text = texts()[1].replace("\n", "")
    pair = make_pair()
    for delimiters in ("*>~", "*<~", "|:~", "*;~", "*!~", "*%~", "|$\n", "*\\'", "]?!", "*:~"):
        found = assert_same(text.translate(str.maketrans("*:~", delimiters)), pair)
        assert len(found[0]) > 60
