"""Therapy codes outside their days: on the last day of an old code and the first of a new one, and beyond."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.examples import run_example
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from paths import facts_table

CHECKER = Checker(
    load_guide(),
    Engine(rules.load().keep(select=["code.procedure"]), "python"),
    Setting(20260302, built_in()),
)
# Beside those of the annual updates: functional reporting, and codes that others have followed.
ENDED = {
    "97504": "2005-12-31",
    "92506": "2013-12-31",
    "G0456": "2014-12-31",
    "29582": "2017-12-31",
    "64550": "2018-12-31",
    "90911": "2019-12-31",
    "G8978": "2019-12-31",
    "G8999": "2019-12-31",
    "G9158": "2019-12-31",
    "G9176": "2019-12-31",
    "G9186": "2019-12-31",
    "G2061": "2020-12-31",
}
BEGUN = {
    "97161": "2017-01-01",
    "97763": "2018-01-01",
    "97129": "2020-01-01",
    "98975": "2022-01-01",
    "98978": "2023-01-01",
    "0770T": "2023-01-01",
    "98986": "2026-01-01",
}


def said(code: str, on: date, payer: str = "medicare") -> list[tuple[str, tuple[str, ...]]]:
    claim = {"date": on.isoformat(), "received": (on + timedelta(30)).isoformat(), "payer": payer}
    example = {"lines": ["99213 x1", f"{code} x1"], "claim": claim}
    if on < date(2015, 10, 1):
        example["edit"] = [{"find": "HI*", "replace": "HI*BK:7393"}]
    found = [f for f in run_example(CHECKER, example) if f.rule == "code.procedure"]
    assert all((f.where.line, f.where.element) == (2, "SV101-2") for f in found)
    return [(f.severity, f.status.ack277ca) for f in found]


@pytest.mark.parametrize("payer", ["medicare", "commercial"])
@pytest.mark.parametrize("row", facts_table("therapy_lifespans.csv"), ids=lambda row: row["code"])
def test_a_code_of_the_annual_updates(row: dict[str, str], payer: str) -> None:
    if row["last"]:
        last = date.fromisoformat(row["last"])
        assert said(row["code"], last, payer) == []
        assert said(row["code"], last + timedelta(1), payer) == [("error", ("A7:507",))]
    if row["confidence_first"] == "high":
        first = date.fromisoformat(row["first"])
        assert said(row["code"], first, payer) == []
        assert said(row["code"], first - timedelta(1), payer) == [("error", ("A7:507",))]
    else:
        assert said(row["code"], date.fromisoformat(row["first"]) - timedelta(1), payer) == []


@pytest.mark.parametrize(("code", "last"), list(ENDED.items()))
def test_a_code_that_ended(code: str, last: str) -> None:
    assert said(code, date.fromisoformat(last)) == []
    assert said(code, date.fromisoformat(last) + timedelta(1)) == [("error", ("A7:507",))]


@pytest.mark.parametrize(("code", "first"), list(BEGUN.items()))
def test_a_code_that_began(code: str, first: str) -> None:
    assert said(code, date.fromisoformat(first)) == []
    assert said(code, date.fromisoformat(first) - timedelta(1)) == [("error", ("A7:507",))]


@pytest.mark.parametrize("code", ["G8977", "G9000", "G9157", "G9177", "G9185", "G9187", "97530", "99213"])
def test_codes_beside_them_have_no_days(code: str) -> None:
    assert said(code, date(2026, 2, 3)) == []
    assert said(code, date(2010, 1, 1)) == []
