"""The coding rules: every edit that must fire, every pair that must not, both sides of each date."""

import pytest

from book import BOOK
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example
from edi_checker.claims.payer_profiles import COMMERCIAL, MEDICARE
from edi_checker.facts import Setting, facts_of
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.codesets import npi_valid
from edi_checker.reference.tables import RELEASED, built_in
from parts_of import claim_of
from paths import ROOT, facts_table, read_rows

BUILT = ROOT / "edi_checker" / "reference" / "data"
FAMILIES = ("ncci", "therapy", "balance", "code", "date", "modifier")
ANATOMIC = "E1 E2 E3 E4 FA F1 F2 F3 F4 F5 F6 F7 F8 F9 TA T1 T2 T3 T4 T5 T6 T7 T8 T9 LT RT LC LD RC LM RI"
RELEASING = f"{ANATOMIC} 58 78 79 27 59 91 XE XS XP XU".split()
NEVER = ["GP", "GO", "GN", "KX", "CQ", "CO", "50", "51", "76", "77", "24", "25", "57", "95"]


def built_in_edits():
    return read_rows(BUILT / "therapy_ptp.csv")


@pytest.fixture(scope="module")
def decide():
    engine = Engine(BOOK.keep(select=FAMILIES), "python")
    tables = built_in()

    def decide(*lines, profile=MEDICARE, received=20261121, **claim):
        """The findings on a claim with these lines, by rule id."""
        example = {"lines": list(lines), "claim": claim}
        facts = facts_of(claim_of(example), Setting(received, tables, profile=profile))
        found = {}
        for finding in engine.judge(facts, profile, received):
            found.setdefault(finding.rule, []).append(finding)
        return found

    return decide


def day(date):
    text = str(date)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def before(date):
    return {20201001: 20200930, RELEASED: 20240630}[date]


@pytest.mark.long
def test_every_edit_fires_on_its_column_2_line(decide):
    edits = built_in_edits()
    assert len(edits) == 524
    for row in edits:
        one, two = row["column_1"], row["column_2"]
        (finding,) = decide(f"{one} x1", f"{two} x1")["ncci.ptp"]
        assert finding.where.line == 2
        assert finding.where.element == "SV101-2"
        assert [place.line for place in finding.related] == [1]
        assert finding.severity == "error"
        expected = ("A8:454", "A8:735") if row["indicator"] == "0" else ("A8:453", "A8:454")
        assert finding.status.ack277ca == expected
        assert finding.table.name == "ncci_ptp"
        assert row["rationale"] in finding.message
        (finding,) = decide(f"{two} x1", f"{one} x1")["ncci.ptp"]
        assert finding.where.line == 1


def test_every_edit_begins_on_its_first_day(decide):
    for row in built_in_edits()[::8]:
        first = int(row["from"] or RELEASED)
        lines = (f"{row['column_1']} x1", f"{row['column_2']} x1")
        assert "ncci.ptp" in decide(*lines, date=day(first))
        assert "ncci.ptp" not in decide(*lines, date=day(before(first)))


@pytest.mark.long
def test_pairs_without_an_active_edit_are_left_alone(decide):
    rows = facts_table("therapy_ptp_no_active_edit.csv")
    assert len(rows) == 554
    for row in rows:
        found = decide(f"{row['code_a']} x1", f"{row['code_b']} x1")
        assert not {"ncci.ptp", "ncci.ptp-modifier"} & set(found)


@pytest.fixture(scope="module")
def check():
    """The findings of the whole check, all rules on, by claim, on claims with these lines."""
    checker = Checker(load_guide(), Engine(BOOK), Setting(20260302, built_in()))

    def check(claims):
        found = []
        for start in range(0, len(claims), 100):  # as many as a patient may have
            group = [{"lines": list(lines)} for lines in claims[start : start + 100]]
            by_claim = {f"EXAMPLE{number}": [] for number in range(1, len(group) + 1)}
            for finding in run_example(checker, {**group[0], "more": group[1:]}):
                assert finding.where.claim is not None
                by_claim[finding.where.claim].append(finding)
            found += by_claim.values()
        return found

    return check


def ptp_of(findings):
    """Rule, line, other line, statuses."""
    return [
        (f.rule, f.where.line, [place.line for place in f.related], f.status.ack277ca)
        for f in findings
        if f.rule.startswith("ncci.ptp")
    ]


@pytest.mark.long
def test_the_whole_check_finds_no_edit_in_the_negative_list(check):
    rows = facts_table("therapy_ptp_no_active_edit.csv")
    claims = [(f"{row['code_a']}:GP x1", f"{row['code_b']}:GP x1") for row in rows]
    assert len(claims) == 554
    for claim, findings in zip(claims, check(claims), strict=True):
        assert ptp_of(findings) == [], claim


@pytest.mark.long
def test_the_whole_check_finds_each_edit_in_force_once_and_lets_modifiers_release_it(check):
    rows = [row for row in facts_table("therapy_ptp.csv") if row["active_2024q3"] == "Y"]
    assert len(rows) == 386
    pairs = [(row["column_1"], row["column_2"], row["modifier_indicator"]) for row in rows]
    for form, line in (("{one} x1|{two} x1", 2), ("{two}:GP:KX x1|{one}:GP x1", 1)):
        claims = [form.format(one=one, two=two).split("|") for one, two, _ in pairs]
        for (*_, indicator), findings in zip(pairs, check(claims), strict=True):
            codes = ("A8:454", "A8:735") if indicator == "0" else ("A8:453", "A8:454")
            assert ptp_of(findings) == [("ncci.ptp", line, [3 - line], codes)]
    for number, form in enumerate(("{one}:{m} x1|{two} x1", "{one} x1|{two}:{m} x1")):
        releasing = [RELEASING[(place + number) % len(RELEASING)] for place in range(len(pairs))]
        claims = [
            form.format(one=one, two=two, m=m).split("|")
            for (one, two, _), m in zip(pairs, releasing, strict=True)
        ]
        for (*_, indicator), findings in zip(pairs, check(claims), strict=True):
            ((rule, at, others, _),) = ptp_of(findings)
            assert (at, others) == (2, [1])
            assert rule == ("ncci.ptp" if indicator == "0" else "ncci.ptp-modifier")


@pytest.mark.parametrize("modifier", RELEASING)
@pytest.mark.parametrize("lines", [("97530:{} x1", "97750 x1"), ("97530 x1", "97750:GP:{} x1")])
def test_a_releasing_modifier_on_either_line(decide, modifier, lines):
    found = decide(*(line.format(modifier) for line in lines))
    assert "ncci.ptp" not in found
    (finding,) = found["ncci.ptp-modifier"]
    assert (finding.severity, finding.where.line) == ("info", 2)
    assert modifier in finding.message


@pytest.mark.parametrize("modifier", NEVER)
@pytest.mark.parametrize("lines", [("97530:{} x1", "97750 x1"), ("97530 x1", "97750:GP:{} x1")])
def test_other_modifiers_release_nothing(decide, modifier, lines):
    found = decide(*(line.format(modifier) for line in lines))
    assert "ncci.ptp" in found
    assert "ncci.ptp-modifier" not in found


@pytest.mark.parametrize("modifier", ["59", "XE", "LT"])
def test_nothing_releases_an_edit_with_indicator_0(decide, modifier):
    found = decide(f"97530:{modifier} x1", f"95851:GP:{modifier} x1")
    assert "ncci.ptp" in found
    assert "ncci.ptp-modifier" not in found


@pytest.mark.parametrize("modifier", ["24", "25", "57"])
def test_modifiers_of_visits_release_on_visits_alone(modifier):
    example = {"lines": [f"99213:{modifier} x1", f"97530:{modifier} x1"]}
    lines = [
        fact.values["releasing_modifiers"]
        for fact in facts_of(claim_of(example), Setting(20260302, built_in()))
        if fact.kind == "line"
    ]
    assert lines == [(modifier,), ()]


@pytest.mark.long
def test_every_limit_fires_one_unit_above_it(decide):
    rows = read_rows(BUILT / "therapy_mue.csv")
    assert len(rows) == 135
    for row in rows:
        limit = int(row["limit"])
        assert "ncci.mue" not in decide(f"{row['code']} x{limit}")
        found = decide(f"{row['code']} x{limit + 1}")
        if limit == 0:
            assert "ncci.mue" not in found
            # The code that Medicare replaces with another is told of by the rule that names that one.
            if row["code"] == "97014":
                assert found["code.not-paid"][0].severity == "warning"
            else:
                assert found["ncci.mue-zero"][0].severity == "info"
            assert "ncci.mue-zero" not in decide(f"{row['code']} x1", profile=COMMERCIAL)
            continue
        (finding,) = found["ncci.mue"]
        assert finding.where.element == "SV104"
        assert finding.status.ack277ca == ("A8:476", "A8:187")
        assert f"MAI {row['mai']}" in finding.message or f"MAI {row['mai']}" in finding.fix


@pytest.mark.parametrize(
    ("profile", "severity"), [(MEDICARE, "error"), (COMMERCIAL, "warning")], ids=["medicare", "commercial"]
)
def test_a_missing_discipline(decide, profile, severity):
    (finding,) = decide("97530 x1", profile=profile)["therapy.discipline"]
    assert finding.severity == severity
    assert finding.status.ack277ca == ("A6:453",)


def test_one_cause_gives_one_finding(decide):
    for lines, rule in [
        (["97530:CQ x1"], "therapy.assistant"),
        (["97161:GO x1"], "therapy.discipline-code"),
        (["97161 x1"], "therapy.discipline"),
        (["97161:GO:GN x1"], "therapy.discipline-conflict"),
        (["97530:GP:GP x1"], "modifier.repeated"),
        (["97530:GP x7"], "ncci.mue"),
        (["0770T x1"], "ncci.addon"),
    ]:
        assert set(decide(*lines)) == {rule}


def test_clean_therapy_gives_nothing(decide):
    assert decide("97530:GP x2", "97110:GP:59 x1", "97112:GP x1", "97140:GP x1") == {}
    assert decide("97530:GP:59 x2", "97116:GP x1", "97012:GP x1") == {}


def test_messages_name_codes_and_units_and_days(decide):
    (finding,) = decide("97530:GP x7")["ncci.mue"]
    assert finding.message.startswith("97530 is billed with 7 units on 2026-02-03; the limit is 6 a day")
    assert finding.table.version == "builtin-therapy-2024Q3"


@pytest.mark.parametrize("npi", ["1234567893", "1679576722"])
def test_a_valid_npi_and_each_digit_of_it_changed(npi):
    assert npi_valid(npi)
    for index in range(10):
        changed = npi[:index] + str((int(npi[index]) + 1) % 10) + npi[index + 1 :]
        assert not npi_valid(changed)


@pytest.mark.parametrize(
    "npi", ["", "123456789", "12345678930", "123456789A", "\uff11234567893", "1234567839"]
)
def test_what_is_no_npi(npi):
    assert not npi_valid(npi)
