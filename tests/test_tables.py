"""The built-in tables: what they hold, on which days, and that they hold nothing else."""

import time

import pytest

from edi_checker.reference.tables import BUILT_IN, RELEASED, built_in
from paths import facts_table


def test_an_edit_is_found_whichever_code_comes_first():
    tables = built_in()
    edit = tables.ptp("97530", "97750", 20260203)
    assert edit is tables.ptp("97750", "97530", 20260203)
    assert (edit.column_1, edit.column_2, edit.indicator) == ("97530", "97750", "1")
    assert (edit.table.name, edit.table.version) == ("ncci_ptp", BUILT_IN)


@pytest.mark.parametrize(
    ("pair", "on", "holds"),
    [
        (("97530", "97750"), 20200930, False),
        (("97530", "97750"), 20201001, True),
        (("97530", "97537"), 20240630, False),
        (("97530", "97537"), RELEASED, True),
        (("97530", "97537"), 20261231, True),
        (("97530", "97116"), 20190101, False),
        (("97530", "97116"), 20201001, False),
        (("97530", "97116"), 20260203, False),
        (("97140", "97530"), 20260203, False),
        (("97530", "97530"), 20260203, False),
    ],
)
def test_an_edit_holds_from_its_first_day(pair, on, holds):
    assert (built_in().ptp(*pair, on) is not None) is holds


@pytest.mark.parametrize(
    ("other", "column_1", "indicator"),
    [
        ("95851", "97530", "0"),
        ("95852", "97530", "0"),
        ("97537", "97530", "1"),
        ("97542", "97530", "1"),
        ("97750", "97530", "1"),
        ("97150", "97150", "1"),
        ("97755", "97755", "1"),
        ("92507", "92507", "1"),
        ("92508", "92508", "1"),
        ("92526", "92526", "1"),
        ("95992", "95992", "1"),
    ],
)
def test_the_edits_of_therapeutic_activities(other, column_1, indicator):
    edit = built_in().ptp("97530", other, 20260203)
    assert (edit.column_1, edit.indicator) == (column_1, indicator)


@pytest.mark.parametrize(
    "other", ["97110", "97112", "97113", "97116", "97140", "97161", "97164", "97165", "97168"]
)
def test_pairs_that_ended_long_ago_are_no_edits(other):
    assert built_in().ptp("97530", other, 20260203) is None


def test_units_have_a_limit_from_the_release_on():
    tables = built_in()
    assert tables.mue("97530", RELEASED - 71) is None  # 2024-06-30
    limit = tables.mue("97530", RELEASED)
    assert (limit.limit, limit.mai) == (6, "3")
    assert tables.mue("97161", 20260203).mai == "2"
    assert tables.mue("97010", 20260203).limit == 0
    assert tables.mue("99999", 20260203) is None


def test_add_on_codes_know_their_primaries():
    addon = built_in().addon("0770T", 20260203)
    assert addon.type == "1"
    assert {"97530", "97110", "90832"} <= set(addon.primaries)
    assert built_in().addon("97530", 20260203) is None
    assert built_in().addon("0770T", 20240630) is None


def test_therapy_codes():
    tables = built_in()
    activities = tables.procedure("97530", 20260203)
    assert (activities.therapy, activities.eight_minute, activities.minutes_per_unit) == ("always", True, 15)
    assert activities.disciplines == ("GP", "GO", "GN")
    assert (activities.pctc, activities.multiple_procedure, activities.global_days) == ("7", "5", "XXX")
    assert tables.procedure("97161", 20260203).disciplines == ("GP",)
    assert tables.procedure("97161", 20161231) is None
    assert tables.procedure("97150", 20260203).eight_minute is False
    assert tables.procedure("97597", 20260203).therapy == "sometimes"
    assert tables.procedure("97014", 20260203).therapy == ""
    assert tables.procedure("97130", 20260203).counts_with == "97129"
    assert tables.procedure("97530", 20121001).therapy == "always"
    assert tables.procedure("99213", 20260203) is None


@pytest.mark.parametrize(
    ("on", "side"),
    [(20240630, "before"), (RELEASED, None), (20240930, None), (20241001, "after"), (20260203, "after")],
)
def test_every_edit_is_known_in_the_quarter_of_the_release_alone(on, side):
    names = ("ncci_ptp", "ncci_mue", "ncci_addon") if side else ()
    assert built_in().outside(on) == tuple((name, BUILT_IN, side) for name in names)


def test_versions_count_their_rows():
    assert built_in().versions() == (
        ("ncci_ptp", BUILT_IN, 524),
        ("ncci_mue", BUILT_IN, 135),
        ("ncci_addon", BUILT_IN, 12),
        ("therapy_codes", BUILT_IN, 133),
    )


def test_loading_takes_no_time():
    built_in.cache_clear()
    best = 1.0
    for _ in range(5):
        built_in.cache_clear()
        start = time.process_time()
        built_in()
        best = min(best, time.process_time() - start)
    assert best < 0.02


def test_every_active_edit_of_the_source_is_there_with_its_dates():
    rows = [row for row in facts_table("therapy_ptp.csv") if row["active_2024q3"] == "Y"]
    assert len(rows) == 386
    for row in rows:
        first = int(row["effective"] or RELEASED)
        edit = built_in().ptp(row["column_2"], row["column_1"], first)
        assert (edit.column_1, edit.column_2) == (row["column_1"], row["column_2"])
        assert (edit.indicator, edit.rationale) == (row["modifier_indicator"], row["rationale"])
        assert built_in().ptp(row["column_1"], row["column_2"], first - 1) is None
        assert built_in().ptp(row["column_1"], row["column_2"], 20261121) is edit


def test_every_further_edit_between_codes_of_the_tables_is_there_from_the_release_on():
    rows = facts_table("therapy_ptp_more.csv")
    assert len(rows) == 138
    for row in rows:
        edit = built_in().ptp(row["column_2"], row["column_1"], RELEASED)
        assert (edit.column_1, edit.column_2) == (row["column_1"], row["column_2"])
        assert (edit.indicator, edit.rationale) == (row["modifier_indicator"], row["rationale"])
        assert edit.deletion is None
        assert built_in().ptp(row["column_1"], row["column_2"], RELEASED - 1) is None


def test_no_ended_edit_of_the_source_is_there():
    rows = facts_table("therapy_ptp.csv")
    active = {(row["column_1"], row["column_2"]) for row in rows if row["active_2024q3"] == "Y"}
    active |= {(column_2, column_1) for column_1, column_2 in active}
    ended = {(row["column_1"], row["column_2"]) for row in rows} - active
    assert ended
    for pair in ended:
        for on in (19960101, 20171231, 20191231, 20201001, 20260203):
            assert built_in().ptp(*pair, on) is None


def test_pairs_without_an_active_edit_give_nothing():
    rows = facts_table("therapy_ptp_no_active_edit.csv")
    assert len(rows) == 554
    for row in rows:
        for on in (20191231, 20201001, 20240701, 20260203):
            assert built_in().ptp(row["code_a"], row["code_b"], on) is None


def test_every_limit_of_the_source_is_there():
    for row in facts_table("therapy_mue.csv"):
        limit = built_in().mue(row["code"], 20260203)
        if row["mue"]:
            assert (limit.limit, limit.mai) == (int(row["mue"]), row["mai"])
        else:
            assert limit is None


def test_every_primary_of_the_source_is_there():
    for row in facts_table("therapy_aoc.csv"):
        addon = built_in().addon(row["add_on"], 20260203)
        assert addon.type == row["aoc_type"]
        assert row["primary"] in addon.primaries


def test_every_therapy_code_of_the_source_is_there():
    for row in facts_table("therapy_codes.csv"):
        procedure = built_in().procedure(row["code"], 20261121)
        if row["class"] in ("always", "sometimes"):
            assert procedure.therapy == row["class"]
        assert procedure.eight_minute is (row["in_15min_8min_rule"] == "Y")
        assert "|".join(procedure.disciplines) == row["cms_enforced_modifiers"]
        assert procedure.pctc == row["pctc"]
