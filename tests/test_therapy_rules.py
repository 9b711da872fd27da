"""Rules on therapy: discipline, assistants, days, providers, minutes; edits across providers and units."""

from __future__ import annotations

from typing import Any

import pytest

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example
from edi_checker.claims.payer_profiles import COMMERCIAL, MEDICAID, MEDICARE
from edi_checker.claims.profile import Profile
from edi_checker.facts import Setting, facts_of
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import AddOn, MueLimit, built_in
from edi_checker.x12.finding import Finding, TableVersion
from parts_of import claim_of
from paths import facts_table

ENGINE = Engine(BOOK.keep(select=["therapy", "ncci", "modifier", "date"]), "python")
CHECKER = Checker(load_guide(), ENGINE, Setting(20260302, built_in()))


def decide(*lines: str, profile: Profile | None = None, edit: Any = (), **claim: Any) -> list[Finding]:
    """Errors and warnings of the whole check on a claim with these lines."""
    checker = CHECKER
    if profile is not None:
        setting = Setting(20260302, built_in(), profile=profile)
        checker = Checker(CHECKER.guide, ENGINE, setting)
    example = {"lines": list(lines), "claim": claim, "edit": edit}
    return [f for f in run_example(checker, example) if f.rule.partition(".")[0] != "guide"]


def said(*lines: str, **more: Any) -> list[tuple[str, str]]:
    return [(f.rule, f.severity) for f in decide(*lines, **more) if f.severity != "info"]


PHYSICIAN = "207Q00000X"
OT, SLP = "225X00000X", "235Z00000X"


# Discipline, assistants, KX


@pytest.mark.parametrize("discipline", ["GP", "GO", "GN"])
def test_kx_beside_a_discipline(discipline: str) -> None:
    taxonomy = {"GP": "225100000X", "GO": OT, "GN": SLP}[discipline]
    assert said(f"97535:{discipline}:KX x1", taxonomy=taxonomy) == []
    assert said("97535:KX x1", taxonomy=taxonomy) == [("therapy.kx", "error")]


@pytest.mark.parametrize(("on", "until"), [("2006-01-01", ["therapy.kx"]), ("2005-12-31", [])])
def test_kx_on_both_sides_of_its_date(on: str, until: list[str]) -> None:
    found = said("97530:KX x1", date=on, received="2006-01-15", certified="false")
    assert [rule for rule, _ in found] == until


@pytest.mark.parametrize("modifier", ["CQ", "CO"])
def test_a_line_with_an_assistant_and_no_discipline_is_told_of_once(modifier: str) -> None:
    assert said(f"97530:{modifier}:KX x1") == [("therapy.assistant", "error")]


@pytest.mark.parametrize(
    ("line", "taxonomy", "expected"),
    [
        ("97530:GP x1", OT, ["therapy.discipline-provider"]),
        ("97530:GP x1", SLP, ["therapy.discipline-provider"]),
        ("97530:GO x1", "225100000X", ["therapy.discipline-provider"]),
        ("97530:GN x1", "225100000X", ["therapy.discipline-provider"]),
        ("97530:GN x1", OT, ["therapy.discipline-provider"]),
        ("97530:GP x1", "225200000X", ["therapy.assistant-provider"]),
        ("97530:GO:CO x1", "224Z00000X", ["therapy.assistant-provider"]),
        ("97535:GN x1", "2355S0801X", ["therapy.assistant-provider"]),
        ("97530:GN x1", "2355S0801X", ["therapy.assistant-provider", "therapy.discipline-code"]),
        ("97530:GO x1", PHYSICIAN, []),
        ("97530:GO x1", "261QR0400X", []),
        ("97530:GO:CQ x1", "225100000X", ["therapy.assistant"]),
        ("97161:GO x1", "225100000X", ["therapy.discipline-code"]),
        ("97530:GP:GO x1", "225100000X", ["therapy.discipline-conflict"]),
    ],
)
def test_discipline_against_the_therapist(line: str, taxonomy: str, expected: list[str]) -> None:
    assert [rule for rule, _ in said(line, taxonomy=taxonomy)] == expected


# Whole minutes of a line, the assistant's part of them, units, and units that need the modifier: the examples
# of CMS on the therapist's and the assistant's minutes, with one code.
ASSISTED = [
    (30, 0, 2, 0),
    (30, 3, 2, 0),
    (30, 4, 2, 0),
    (30, 8, 2, 1),
    (30, 30, 2, 2),
    (26, 14, 2, 1),
    (27, 12, 2, 1),
    (37, 14, 2, 0),
    (38, 23, 3, 2),
    (45, 23, 3, 2),
    (45, 22, 3, 1),
    (13, 5, 1, 0),
    (15, 8, 1, 1),
    (8, 8, 1, 1),
]


@pytest.mark.parametrize(("minutes", "assistant", "units", "marked"), ASSISTED)
def test_units_that_an_assistant_earned(minutes: int, assistant: int, units: int, marked: int) -> None:
    line = f"97530:GP x{units} min {minutes} assistant {assistant}"
    expected = [("therapy.assistant", "warning")] if marked else []
    assert [f for f in said(line) if f[0] == "therapy.assistant"] == expected
    flagged = said(line.replace("GP", "GP:CQ"))
    assert [f for f in flagged if f[0] == "therapy.assistant"] == (
        [] if marked else [("therapy.assistant", "warning")]
    )


def test_the_assistants_part_of_untimed_therapy() -> None:
    assert said("97150:GP x1 min 40 assistant 5") == [("therapy.assistant", "warning")]
    assert said("97150:GP x1 min 40 assistant 4") == []


@pytest.mark.parametrize(("on", "expected"), [("2021-12-31", []), ("2022-01-01", ["therapy.assistant"])])
def test_the_assistants_part_on_both_sides_of_its_date(on: str, expected: list[str]) -> None:
    found = said("97530:GP x2 min 30 assistant 30", date=on, received="2022-01-15")
    assert [rule for rule, _ in found] == expected


# Days


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("97530:GP x2 on 2026-02-03..2026-02-04", [("therapy.date-range", "warning")]),
        ("97530:GP x2 on 2026-02-03..2026-02-03", []),
        ("97150:GP x2 on 2026-02-03..2026-02-04", []),
        ("97012:GP x2 on 2026-02-03..2026-02-04", []),
        ("97129 x2 on 2026-02-03..2026-02-04", []),
        ("97129:GN x2 on 2026-02-03..2026-02-04", [("therapy.date-range", "warning")]),
    ],
)
def test_timed_therapy_is_of_one_day(line: str, expected: list[tuple[str, str]]) -> None:
    taxonomy = SLP if "GN" in line else PHYSICIAN
    found = said(line, taxonomy=taxonomy)
    assert [f for f in found if f[0] == "therapy.date-range"] == expected


@pytest.mark.parametrize("payer", ["09102", "09202", "09302"])
def test_first_coast_returns_timed_therapy_of_several_days(payer: str) -> None:
    line = "97530:GP x2 on 2026-02-03..2026-02-04"
    assert said(line, payer_id=payer) == [("therapy.date-range", "error")]


@pytest.mark.parametrize("profile", [MEDICAID, COMMERCIAL], ids=lambda profile: profile.name)
def test_other_payers_are_warned_of_days(profile: Profile) -> None:
    line = "97530:GP x2 on 2026-02-03..2026-02-04"
    assert said(line, profile=profile) == [("therapy.date-range", "warning")]


# The provider who certified


CERTIFIER = "NM1*DN*1*CEDAR*CLARA****XX*1679576722"


def test_one_finding_for_all_lines_that_nobody_certified() -> None:
    (finding,) = decide("97530:GP x1", "97116:GP x1", "98941:AT x1", certified="false")
    assert (finding.rule, finding.where.line) == ("therapy.certifying-provider", 1)
    assert [place.line for place in finding.related] == [2]
    assert finding.status.ack277ca == ("A6:562:DN",)


def test_a_line_may_name_the_provider_itself() -> None:
    lines = ("97530:GP x1", "97116:GP x1")
    both = [{"find": "LX*2", "insert": CERTIFIER}, {"find": "SE*", "insert": CERTIFIER}]
    assert said(*lines, certified="false", edit=both) == []
    (finding,) = decide(*lines, certified="false", edit=both[:1])
    assert finding.where.line == 2


@pytest.mark.parametrize("profile", [MEDICAID, COMMERCIAL], ids=lambda profile: profile.name)
def test_only_medicare_asks_who_certified(profile: Profile) -> None:
    assert said("97530:GP x1", certified="false", profile=profile) == []


# Activities beside exercise, evaluation


SEPARATE = ["59", "XE", "XS", "XP", "XU"]


@pytest.mark.parametrize("modifier", SEPARATE)
@pytest.mark.parametrize("other", ["97110", "97161", "97162", "97163"])
def test_a_modifier_on_either_line_tells_them_apart(modifier: str, other: str) -> None:
    assert said(f"97530:GP:{modifier} x1", f"{other}:GP x1") == []
    assert said("97530:GP x1", f"{other}:GP:{modifier} x1") == []


@pytest.mark.parametrize("other", ["97165", "97166", "97167"])
def test_evaluations_of_occupational_therapy(other: str) -> None:
    (finding,) = decide(f"{other}:GO x1", "97530:GO x1", taxonomy=OT)
    assert (finding.rule, finding.severity) == ("therapy.activities-with-evaluation", "warning")
    assert finding.status.ack277ca == ()
    assert "withdrawn" in finding.message


@pytest.mark.parametrize("other", ["97112", "97116", "97140", "97164", "97168", "97535"])
def test_other_codes_beside_activities(other: str) -> None:
    discipline, taxonomy = ("GO", OT) if other == "97168" else ("GP", "225100000X")
    assert said(f"97530:{discipline} x1", f"{other}:{discipline} x1", taxonomy=taxonomy) == []


def test_activities_and_exercise_by_two_providers() -> None:
    lines = ("97530:GP x1 by 1679576722", "97110:GP x1 by 1234567893")
    assert said(*lines) == []
    same = [
        {"find": "NM1*82", "append": "PRV*PE*PXC*225100000X"},
        {"find": "NM1*82", "after": "LX*2", "append": "PRV*PE*PXC*225100000X"},
    ]
    assert said(*lines, edit=same) == [("therapy.activities-with-exercise", "warning")]
    edit = [
        {"find": "NM1*82", "append": "PRV*PE*PXC*225100000X"},
        {"find": "NM1*82", "after": "LX*2", "append": "PRV*PE*PXC*225X00000X"},
    ]
    assert [rule for rule, _ in said(*lines, edit=edit)] == ["therapy.discipline-provider"]


def test_several_lines_of_both_codes_are_one_finding() -> None:
    lines = ["97530:GP x1", "97110:GP x1", "97530:GP:76 x1", "97110:GP:76 x1"]
    assert said(*lines) == [("therapy.activities-with-exercise", "warning")]


# Edits between lines with providers of their own


def rendered(*taxonomies: str) -> list[dict[str, str]]:
    edits = []
    for number, taxonomy in enumerate(taxonomies, 1):
        if taxonomy:
            edits.append({"find": "NM1*82", "after": f"LX*{number}", "append": f"PRV*PE*PXC*{taxonomy}"})
    return edits


PAIR = ("97530:GP x1 by {}", "97750:GP x1 by {}")
ONE, TWO = "1234567893", "1679576722"


@pytest.mark.parametrize(
    ("npis", "taxonomies", "joined"),
    [
        ((ONE, ONE), ("", ""), "error"),
        ((ONE, ONE), ("225100000X", "225X00000X"), "error"),
        ((ONE, TWO), ("225100000X", "225100000X"), "error"),
        ((ONE, TWO), ("", ""), "warning"),
        ((ONE, TWO), ("225100000X", "225X00000X"), None),
        ((ONE, TWO), ("225100000X", ""), "warning"),
    ],
)
def test_the_same_provider_is_that_of_the_line(
    npis: tuple[str, str], taxonomies: tuple[str, str], joined: str | None
) -> None:
    lines = [line.format(npi) for line, npi in zip(PAIR, npis, strict=True)]
    found = {f.rule: f.severity for f in decide(*lines, edit=rendered(*taxonomies))}
    assert found.get("ncci.ptp") == joined


def test_units_of_a_day_are_those_of_one_rendering_provider() -> None:
    assert "ncci.mue" in [f.rule for f in decide(f"97530:GP x4 by {ONE}", f"97530:GP:76 x3 by {ONE}")]
    assert "ncci.mue" not in [f.rule for f in decide(f"97530:GP x4 by {ONE}", f"97530:GP:76 x3 by {TWO}")]


@pytest.mark.parametrize(
    ("days", "units", "over"), [("04", 12, False), ("04", 14, True), ("05", 18, False), ("05", 20, True)]
)
def test_units_of_a_line_over_days_are_divided(days: str, units: int, over: bool) -> None:
    found = [f.rule for f in decide(f"97530:GP x{units} on 2026-02-03..2026-02-{days}")]
    assert ("ncci.mue" in found) == over


class Toy:
    """The built-in tables with one edit of one's own."""

    def __init__(self, mue: MueLimit | None = None, addon: AddOn | None = None) -> None:
        self._mue, self._addon = mue, addon

    def __getattr__(self, name: str) -> Any:
        return getattr(built_in(), name)

    def mue(self, code: str, on: int) -> MueLimit | None:
        return self._mue if self._mue is not None and code == self._mue.code else None

    def addon(self, code: str, on: int) -> AddOn | None:
        return self._addon if self._addon is not None and code == self._addon.code else None


def with_tables(tables: Any, *lines: str) -> list[Finding]:
    setting = Setting(20260302, tables, profile=MEDICARE)
    facts = facts_of(claim_of({"lines": list(lines)}), setting)
    return [f for f in ENGINE.judge(facts, MEDICARE, 20260302) if f.rule.startswith("ncci.")]


VERSION = TableVersion("toy", "1")


@pytest.mark.parametrize(
    ("mai", "lines", "expected"),
    [
        ("1", ["12345 x2", "12345 x2"], []),
        ("1", ["12345 x3", "12345 x1"], [(1, ("A7:476", "A7:258"))]),
        ("2", ["12345 x2", "12345 x1"], [(2, ("A8:476", "A8:187"))]),
        ("3", ["12345 x2", "12345 x1"], [(2, ("A8:476", "A8:187"))]),
        ("2", ["12345 x2"], []),
        ("3", ["12345 x2"], []),
    ],
)
def test_limits_of_a_line_and_of_a_day(mai: str, lines: list[str], expected: list[Any]) -> None:
    found = with_tables(Toy(mue=MueLimit("12345", 2, mai, "why", VERSION)), *lines)
    assert [(f.where.line, f.status.ack277ca) for f in found] == expected
    for finding in found:
        assert ("appeal" in finding.fix) == (mai != "1")
        assert ("absolute" in finding.fix) == (mai == "2")


@pytest.mark.parametrize(("kind", "severity"), [("1", "error"), ("2", "info"), ("3", "warning")])
def test_every_type_of_add_on(kind: str, severity: str) -> None:
    tables = Toy(addon=AddOn("12346", kind, ("12345",), VERSION))
    (finding,) = with_tables(tables, "12346 x1")
    assert (finding.rule, finding.severity) == ("ncci.addon", severity)
    assert with_tables(tables, "12345 x1", "12346 x1") == []
    assert [f.severity for f in with_tables(tables, "12345 x1 on 2026-02-02", "12346 x1")] == [severity]


# Minutes


def split(text: str) -> dict[str, int]:
    return {code: int(number) for code, _, number in (entry.partition("=") for entry in text.split(";"))}


@pytest.mark.long
def test_the_worked_examples() -> None:
    rows = facts_table("eight_minute_examples.csv")
    assert len(rows) == 47
    timed = 0
    for row in rows:
        minutes = split(row["minutes"])
        known = [built_in().procedure(code, 20260203) for code in minutes]
        if not all(procedure is not None and procedure.eight_minute for procedure in known):
            continue
        timed += 1
        for method, units in (("cms", split(row["cms_units"])), ("ama", split(row["ama_units"]))):
            profile = Profile("commercial", unit_method=method)  # type: ignore[arg-type]
            lines = [f"{code}:GP x{units[code]} min {minutes[code]}" for code in minutes]
            found = [rule for rule, _ in said(*lines, profile=profile) if rule.startswith("therapy.minutes")]
            assert found == [], (row["example_id"], method)
            first = next(iter(minutes))
            more = lines[0].replace(f" x{units[first]} ", f" x{units[first] + 1} ")
            found = [rule for rule, _ in said(more, *lines[1:], profile=profile) if "minutes" in rule]
            assert found == ["therapy.minutes"], (row["example_id"], method)
    assert timed > 40


def test_minutes_come_from_the_file_the_unit_or_the_note() -> None:
    assert said("97530:GP x2 min 22") == [("therapy.minutes", "error")]
    assert said("97530:GP x2 note MINUTES 22") == [("therapy.minutes", "error")]
    assert said("97530:GP x2 note 22 MIN") == [("therapy.minutes", "error")]
    assert said("97530:GP x2 note 22 MIN OF GAIT") == []
    assert said("97530:GP x2 note TIME 23") == []
    assert said("97530:GP x2 min 23 note MINUTES 22") == []
    assert said("97530:GP x22 MJ") == []


def test_ties_may_be_billed_either_way() -> None:
    assert said("97112:GP x1 min 20", "97140:GP x2 min 20") == []
    assert said("97112:GP x2 min 20", "97140:GP x1 min 20") == []
    assert said("97112:GP x3 min 20", "97140:GP x0 min 20") == [("therapy.minutes-allocation", "error")]


@pytest.mark.parametrize("codes", [("97112", "97140", "97116")])
def test_three_short_services_make_what_their_sum_makes(codes: tuple[str, ...]) -> None:
    one, two, three = codes
    assert said(f"{one}:GP x1 min 7", f"{two}:GP x1 min 7", f"{three}:GP x0 min 7") == [
        ("therapy.minutes", "error")
    ]
    assert said(f"{one}:GP x1 min 7", f"{two}:GP x0 min 7", f"{three}:GP x0 min 7") == []


def test_the_midpoint_of_the_ama_is_each_codes_own() -> None:
    ama = Profile("commercial", unit_method="ama")
    lines = ("97112:GP x1 min 8", "97140:GP x1 min 8", "97116:GP x1 min 8")
    assert said(*lines) == [("therapy.minutes", "error")]
    assert said(*lines, profile=ama) == []
    short = ("97112:GP x2 min 33", "97140:GP x1 min 7")
    assert said(*short) == []
    assert said(*short, profile=ama) == [("therapy.minutes", "error")]


LONG_DAY = ["97110:GP x6", "97112:GP x4", "97116:GP x4", "97140:GP x6"]


def implied(*claims: list[str], **claim: Any) -> list[str]:
    first, *rest = claims
    example = {"lines": first, "more": [{"lines": lines, "claim": claim} for lines in rest]}
    found = run_example(CHECKER, example)
    return [f"{f.where.claim} {f.severity}" for f in found if f.rule == "therapy.minutes-implied"]


def test_more_than_twelve_hours_of_one_provider() -> None:
    other = [*LONG_DAY[:3], "97140:GP x5"]
    # 293 and 278 minutes, then 143: 714; one unit more makes 729.
    assert implied(LONG_DAY, other, ["97110:GP x6", "97112:GP x4"]) == []
    assert implied(LONG_DAY, other, ["97110:GP x6", "97112:GP x4", "97116:GP x1"]) == ["EXAMPLE3 warning"]
    third = ["97110:GP x6", "97112:GP x4", "97116:GP x1"]
    assert implied(LONG_DAY, other, third, date="2026-02-04") == []
    assert implied(LONG_DAY, other, third, rendering="1679576722") == []


def test_a_day_is_added_up_anew_for_each_input() -> None:
    for _ in range(3):
        assert implied(LONG_DAY) == []


# Usual diagnoses of activities


def usual(*diagnoses: str, asked: bool = True, profile: Profile | None = None) -> list[tuple[str, str]]:
    """What a claim for 97530 with these diagnoses is told of them, where somebody asks for the rule."""
    book = BOOK.keep(select=["therapy.activities-diagnosis"] if asked else ["therapy"])
    checker = Checker(CHECKER.guide, Engine(book, "python"), Setting(20260302, built_in(), profile=profile))
    claim = {"diagnoses": list(diagnoses)}
    found = run_example(checker, {"lines": ["97530:GP x2"], "claim": claim})
    return [(f.rule, f.severity) for f in found if f.rule == "therapy.activities-diagnosis"]


USUAL = (
    "M6281 R262 R2681 Z96641 Z96642 M5450 M5451 I69351 I69354 G35D M1711 M1712 M170 R270 R278 S72001A "
    "S72001D S72142D M1612 M1611 R531"
)


@pytest.mark.parametrize("code", USUAL.split())
def test_a_family_of_usual_diagnoses(code: str) -> None:
    assert usual(code) == []


@pytest.mark.parametrize(
    "code", ["M25561", "R5383", "Z96651", "I69320", "S82001D", "M5416", "M6289", "Z9911"]
)
def test_a_diagnosis_of_no_usual_family(code: str) -> None:
    assert usual(code) == [("therapy.activities-diagnosis", "info")]


def test_usual_diagnoses_are_looked_at_where_somebody_asks() -> None:
    assert usual("M25561", asked=False) == []
    on = Profile("willow", switches={"therapy.activities-diagnosis": True}, inherits=("commercial",))
    assert usual("M25561", asked=False, profile=on) == [("therapy.activities-diagnosis", "info")]
