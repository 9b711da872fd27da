"""Which profile a claim gets, and what is open about a claim."""

from __future__ import annotations

from io import BytesIO

import pytest

from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import write_example
from edi_checker.claims.claim import Claim
from edi_checker.claims.payer_profiles import BUILT_IN, MEDICARE
from edi_checker.claims.profile import Profile
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.store import open_tables
from edi_checker.reference.tables import built_in
from make_cms_files import MEDICAID_HEAD, ptp_text
from small_tables import import_as_whole

ENGINE = Engine(rules.load(), "python")
MEMBER = {"find": "NM1*IL", "set": {"9": "XYZ12345"}}


def findings(example, profile: Profile | None = None, *, fast: bool = True, tables=None):
    written = write_example(example)
    setting = Setting(written.received, tables or built_in(), None, profile)
    checker = Checker(load_guide(), ENGINE, setting, fast=fast)
    return [f for checked in checker.check(BytesIO(written.text.encode())) for f in checked.findings]


def severities(example, profile: Profile | None = None) -> dict[str, str]:
    found = findings(example, profile)
    assert found == findings(example, profile, fast=False)
    return {f.rule: f.severity for f in found}


def profile_of(example, profile: Profile | None = None, tables=None) -> Profile:
    written = write_example(example)
    setting = Setting(written.received, tables or built_in(), None, profile)
    parts = Checker(load_guide(), ENGINE, setting).check(BytesIO(written.text.encode()))
    [claim] = [checked.part for checked in parts if isinstance(checked.part, Claim)]
    return setting.profile_of(claim)


def of_indicator(code: str):
    return {"edit": [{"find": "SBR*", "set": {"9": code}}]}


@pytest.mark.parametrize(
    ("indicator", "name"),
    [
        ("MA", "medicare"),
        ("MB", "medicare"),
        ("MC", "medicaid-without-tables"),
        ("16", "medicare-advantage"),
        ("CH", "tricare"),
        ("VA", "va"),
        ("WC", "property-casualty"),
        ("AM", "property-casualty"),
        ("LM", "property-casualty"),
        ("CI", "commercial"),
        ("BL", "commercial"),
        ("ZZ", "commercial"),
    ],
)
def test_the_filing_indicator_names_the_profile(indicator, name):
    assert profile_of(of_indicator(indicator)).name == name


def test_the_payers_id_comes_before_the_filing_indicator():
    example = {"claim": {"payer": "medicare", "payer_id": "87726"}}
    assert profile_of(example).name == "uhc"


def test_the_medicaid_plans_of_a_commercial_payer_are_medicaid():
    example = {"claim": {"payer": "medicaid", "payer_id": "87726"}}
    assert profile_of(example).name == "medicaid-without-tables"


def test_property_and_casualty_seldom_asks_for_the_discipline():
    example = {"lines": ["97530 x2"], "edit": [{"find": "SBR*", "set": {"9": "AM"}}]}
    assert severities(example)["therapy.discipline"] == "info"


@pytest.mark.parametrize("segments", ["HI*BK:7242", "HI*ABK:M545"])
def test_codes_of_other_days_warn_where_hipaa_does_not_bind(segments):
    example = {"edit": [{"find": "SBR*", "set": {"9": "WC"}}, {"find": "HI*", "replace": segments}]}
    found = severities(example)
    assert {found[rule] for rule in found if rule.startswith("code.diagnosis")} == {"warning"}


def test_every_shipped_profile_names_its_sources():
    assert [name for name, profile in BUILT_IN.items() if not profile.sources] == ["commercial"]


# -- what is open about a claim


LINES = ["97530:GP x2", "97750:GP x1"]


def test_a_void_repeats_what_was_wrong():
    void = {
        "lines": LINES,
        "claim": {"set": {"CLM05-3": "8"}},
        "edit": [{"find": "HI*", "insert": "REF*F8*A1"}],
    }
    assert severities(void) == {"situation.claim-frequency": "warning"}
    replacement = {**void, "claim": {"set": {"CLM05-3": "7"}}}
    assert severities(replacement) == {"ncci.ptp": "error", "situation.claim-frequency": "warning"}
    wrong = {
        **void,
        "claim": {"set": {"CLM05-3": "8"}, "diagnoses": ["M5450"], "place": "35"},
        "lines": ["97005:GP:GP x1 on 2026-02-03", "97530:KX x9"],
    }
    assert set(severities(wrong).values()) <= {"warning", "info"}


_NAMED = [{"find": "HI*", "insert": "REF*F8*A1"}]
_CONTENT = {
    "situation.note-for-unlisted": {"lines": ["20999 x1"]},
    "situation.units": {"lines": ["97530:GP x1.5"]},
    "situation.rendering-provider": {"edit": [{"find": "NM1*85", "set": {"2": "2", "4": ""}}]},
    "situation.accident-date": {"edit": [{"find": "CLM*", "set": {"11": "OA"}}]},
    "date.future": {"claim": {"date": 20260403, "received": 20260302}},
}


@pytest.mark.parametrize("rule", _CONTENT)
def test_content_that_a_void_only_repeats_is_no_error(rule):
    example = _CONTENT[rule]
    edit = [*example.get("edit", []), *_NAMED]
    found = {
        frequency: severities(
            {
                **example,
                "edit": edit,
                "claim": {**example.get("claim", {}), "set": {"CLM05-3": frequency}},
            }
        )
        for frequency in "178"
    }
    assert found["1"][rule] == found["7"][rule] == "error"
    assert "error" not in found["8"].values()


@pytest.mark.parametrize("payer", ["medicare", "medicaid", "commercial"])
def test_a_void_still_needs_its_structure(payer):
    example = {
        "lines": ["97530:GP x2"],
        "claim": {"payer": payer, "set": {"CLM05-3": "8"}, "charge": "99.00"},
    }
    found = severities(example)
    assert found["balance.claim-charge"] == "error"
    assert "situation.original-reference" in found


def test_encounters_are_not_held_to_edits_of_payment():
    encounter = {"lines": LINES, "edit": [{"find": "BHT*", "set": {"6": "RP"}}]}
    assert severities(encounter)["ncci.ptp"] == "warning"
    noted = severities({"lines": ["97530:GP x2 note MINUTES 8"], "edit": encounter["edit"]})
    assert noted["therapy.minutes"] == "warning"
    assert severities({"lines": ["97530:GP x2 note MINUTES 8"]}) == {"therapy.minutes": "error"}


@pytest.mark.parametrize(
    "example",
    [
        {"lines": ["97530:GP x2"], "claim": {"certified": "false"}},
        {"lines": ["97530 x2"]},
        {"lines": ["97530:KX x2"]},
        {"lines": ["97530:CQ x2"]},
        {"lines": ["97530:GP:26 x2"]},
    ],
)
def test_what_only_medicare_asks_warns_where_the_id_is_none_of_medicares(example):
    assert set(severities(example).values()) == {"error"}
    perhaps = {**example, "edit": [MEMBER]}
    assert set(severities(perhaps).values()) == {"warning"}
    assert set(severities(perhaps, BUILT_IN["medicare"]).values()) == {"error"}


def test_what_binds_everybody_is_an_error_for_such_a_claim_too():
    perhaps = {"lines": LINES, "edit": [MEMBER]}
    assert severities(perhaps)["ncci.ptp"] == "error"


def test_workers_compensation_is_not_held_to_medicares_edits():
    example = {
        "lines": ["97750:GP x16", "97530:GP x2"],
        "edit": [{"find": "SBR*", "set": {"9": "WC"}}, MEMBER],
    }
    found = severities(example)
    assert found["ncci.mue"] == found["ncci.ptp"] == "warning"


# -- whose table it is


@pytest.fixture
def medicaids(tmp_path):
    """Tables in which Medicaid has pairs of its own, of the day, and no limits."""
    path = tmp_path / "mcd-ptp-q3-2026.txt"
    path.write_text(ptp_text([("97530", "97112", "20240101", "*", "1", "Misuse of codes")], MEDICAID_HEAD))
    import_as_whole(tmp_path / "store", [str(path)], None)
    return open_tables(tmp_path / "store", built_in())


def test_an_error_needs_a_table_of_the_payers_own(medicaids):
    example = {"lines": ["97530:GP x7", "97112:GP x1", "97750:GP x1"], "claim": {"payer": "medicaid"}}
    assert profile_of(example, tables=medicaids).name == "medicaid"
    found = {(f.rule, f.severity, f.table.name) for f in findings(example, tables=medicaids) if f.table}
    assert found == {("ncci.ptp", "error", "ncci_ptp_medicaid"), ("ncci.mue", "warning", "ncci_mue")}


def test_a_claim_of_medicaid_without_its_own_tables_warns_and_says_whose_they_are():
    found = findings({"lines": [*LINES, "97112:GP x9"], "claim": {"payer": "medicaid"}})
    assert {(f.rule, f.severity) for f in found if f.rule.startswith("ncci")} == {
        ("ncci.ptp", "warning"),
        ("ncci.mue", "warning"),
    }
    assert all("Medicare's" in f.message for f in found if f.rule.startswith("ncci"))


def test_by_name_the_profile_is_the_same():
    assert profile_of({"claim": {"payer": "medicare"}}, MEDICARE).name == "medicare"
    assert (
        profile_of({"claim": {"payer": "commercial"}}, BUILT_IN["medicaid"]).name == "medicaid-without-tables"
    )


# -- blanks


@pytest.mark.parametrize(
    ("edit", "rules"),
    [
        ({"find": "SV1*", "set": {"1-3": "GP "}}, []),
        ({"find": "NM1*85", "set": {"9": "1234567893 "}}, []),
        ({"find": "HI*", "set": {"1-2": "M6281 "}}, []),
        ({"find": "HI*", "set": {"1-2": "M545 "}}, ["code.diagnosis"]),
        ({"find": "SV1*", "set": {"1-2": "97001 "}}, ["code.procedure"]),
        ({"find": "N4*", "replace": "N4*ALBANY*NY*"}, ["code.zip"]),
    ],
)
def test_what_is_padded_is_read_without_it(edit, rules):
    found = severities({"edit": [edit]})
    assert found.pop("guide.element-padding") == "warning"
    assert found == dict.fromkeys(rules, "error")
