"""Rules on modifiers: every pair that conflicts, every indicator, both ends of every class of codes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from book import BOOK
from edi_checker.check.engine import Engine
from edi_checker.claims.payer_profiles import COMMERCIAL, MEDICAID, MEDICARE
from edi_checker.claims.profile import Profile
from edi_checker.facts import Setting, facts_of
from edi_checker.facts.evaluation_codes import surely_no_visit, surely_visit
from edi_checker.reference.tables import Procedure, Tables, built_in
from edi_checker.x12.finding import Finding
from parts_of import claim_of

ENGINE = Engine(BOOK.keep(select=["modifier"]), "python")


class Fees:
    """The built-in tables, with procedures of one's own beside."""

    def __init__(self, **procedures: dict[str, Any]) -> None:
        like = built_in().procedure("97530", 20260203)
        assert like is not None
        empty = replace(like, therapy="", disciplines=(), timed=False, eight_minute=False)
        self._procedures = {
            code.lstrip("_"): replace(empty, code=code.lstrip("_"), **values)
            for code, values in procedures.items()
        }

    def __getattr__(self, name: str) -> Any:
        return getattr(built_in(), name)

    def procedure(self, code: str, on: int) -> Procedure | None:
        return self._procedures.get(code) or built_in().procedure(code, on)


def decide(
    *lines: str, profile: Profile = MEDICARE, tables: Tables | None = None, **claim: Any
) -> list[Finding]:
    example = {"lines": list(lines), "claim": claim}
    setting = Setting(20261121, tables or built_in(), profile=profile)
    return ENGINE.judge(facts_of(claim_of(example), setting), profile, 20261121)


def said(*lines: str, **more: Any) -> list[tuple[str, str]]:
    """Rule and severity of every finding."""
    return [(f.rule, f.severity) for f in decide(*lines, **more)]


ERROR = [("modifier.conflict", "error")]
WARNING = [("modifier.conflict", "warning")]
CONFLICTS = {
    **{("59", x): ERROR for x in ("XE", "XS", "XP", "XU")},
    ("GA", "GZ"): ERROR,
    ("GX", "GA"): ERROR,
    ("GX", "GZ"): ERROR,
    ("76", "77"): ERROR,
    ("96", "97"): ERROR,
    ("JW", "JZ"): ERROR,
    ("93", "95"): ERROR,
    ("93", "GT"): ERROR,
    ("93", "GQ"): ERROR,
    ("26", "TC"): ERROR,
    ("GY", "GA"): WARNING,
    ("GY", "GZ"): WARNING,
    ("KX", "GA"): WARNING,
    ("KX", "GZ"): WARNING,
    ("KX", "GY"): WARNING,
}
TOGETHER = [("GX", "GY"), ("GP", "59"), ("GP", "KX"), ("95", "GT"), ("76", "59"), ("RT", "50"), ("XE", "XS")]


@pytest.mark.parametrize("pair", CONFLICTS, ids="-".join)
def test_every_pair_that_conflicts_in_either_order_and_place(pair: tuple[str, str]) -> None:
    one, two = pair
    for modifiers in ((one, two), (two, one), (one, "CG", "LT", two)):
        found = decide("99999 x1", f"00000:{':'.join(modifiers)} x1")
        (finding,) = [f for f in found if f.rule == "modifier.conflict"]
        assert [(finding.rule, finding.severity)] == CONFLICTS[pair]
        assert (finding.where.line, finding.where.element) == (2, "SV101-3")
        assert finding.status.ack277ca == (("A8:453",) if finding.severity == "error" else ())
        assert one in finding.message or one.startswith("X")
    assert not [f for f in decide(f"00000:{one} x1", f"00000:{two} x1") if f.rule == "modifier.conflict"]


@pytest.mark.parametrize("pair", TOGETHER, ids="-".join)
def test_pairs_that_go_together(pair: tuple[str, str]) -> None:
    assert not [f for f in decide(f"00000:{':'.join(pair)} x1") if f.rule == "modifier.conflict"]


CODE_ERROR = [("modifier.not-applicable", "error")]
DOUBT = [("modifier.not-applicable", "warning")]
NOTHING: list[tuple[str, str]] = []
INDICATORS = [
    (
        "pctc",
        "26",
        {"1": NOTHING, "6": NOTHING, **dict.fromkeys("023457", CODE_ERROR), "8": CODE_ERROR, "9": CODE_ERROR},
    ),
    ("pctc", "TC", {"1": NOTHING, **dict.fromkeys("0234567", CODE_ERROR), "8": CODE_ERROR, "9": CODE_ERROR}),
    ("bilateral", "50", {"0": CODE_ERROR, "1": NOTHING, "2": CODE_ERROR, "3": NOTHING, "9": CODE_ERROR}),
    ("co_surgeon", "62", {"0": CODE_ERROR, "1": NOTHING, "2": NOTHING, "9": CODE_ERROR}),
    ("team_surgeon", "66", {"0": CODE_ERROR, "1": NOTHING, "2": NOTHING, "9": CODE_ERROR}),
    *[
        ("assistant_surgeon", modifier, {"0": DOUBT, "1": CODE_ERROR, "2": NOTHING, "9": CODE_ERROR})
        for modifier in ("80", "81", "82", "AS")
    ],
    *[
        (
            "global_days",
            modifier,
            {
                "000": CODE_ERROR,
                "010": NOTHING,
                "090": NOTHING,
                "XXX": CODE_ERROR,
                "ZZZ": CODE_ERROR,
                "YYY": NOTHING,
                "MMM": DOUBT,
            },
        )
        for modifier in ("54", "55", "56")
    ],
]


@pytest.mark.parametrize(
    ("indicator", "modifier", "value", "expected"),
    [(i, m, value, expected) for i, m, values in INDICATORS for value, expected in values.items()],
)
def test_every_value_of_every_indicator(
    indicator: str, modifier: str, value: str, expected: list[tuple[str, str]]
) -> None:
    fees = Fees(_12345={indicator: value, "status": "A"})
    line = f"12345:{modifier} x1"
    assert said(line, tables=fees) == expected  # type: ignore[arg-type]
    assert said("12345 x1", tables=fees) == []  # type: ignore[arg-type]
    if value == "9":
        # Other payers price what Medicare does not.
        assert said(line, tables=fees, profile=COMMERCIAL) == DOUBT  # type: ignore[arg-type]
        unpriced = Fees(_12345={indicator: value, "status": "X"})
        assert said(line, tables=unpriced) == []  # type: ignore[arg-type]
    for finding in decide(line, tables=fees):  # type: ignore[arg-type]
        assert finding.status.ack277ca == (("A7:453",) if finding.severity == "error" else ())


@pytest.mark.parametrize("modifier", ["26", "TC", "50", "62", "66", "80", "AS", "54", "55", "56"])
def test_nothing_is_said_of_a_code_whose_indicators_are_not_known(modifier: str) -> None:
    assert said(f"12345:{modifier} x1") == []


@pytest.mark.parametrize("modifier", ["80", "81", "82", "AS"])
def test_no_assistant_at_surgery_on_therapy(modifier: str) -> None:
    assert said(f"97530:GP:{modifier} x1") == CODE_ERROR
    assert said(f"97597:GP:{modifier} x1") == CODE_ERROR
    assert said(f"97597:{modifier} x1", taxonomy="207Q00000X") == DOUBT


VISITS = ["99202", "99205", "99211", "99215", "99223", "99239", "99245", "99285", "99291", "99306", "99397"]
NO_VISITS = [
    *["00100", "20610", "69990", "71046", "80053", "88305", "97010", "97110", "97530", "97750"],
    "98941",
]
BETWEEN = ["92014", "99453", "99406", "G0463", "T1015", "90792", "97161", "96372", "J1100", "59425", ""]


@pytest.mark.parametrize("code", VISITS)
def test_what_is_a_visit(code: str) -> None:
    assert surely_visit(code)
    assert not surely_no_visit(code)
    for modifier in ("59", "XE", "XS", "XP", "XU", "22"):
        assert said(f"{code}:{modifier} x1") == CODE_ERROR
    for modifier in ("24", "25", "57"):
        assert said(f"{code}:{modifier} x1") == []


@pytest.mark.parametrize("code", NO_VISITS)
def test_what_is_no_visit(code: str) -> None:
    assert surely_no_visit(code)
    assert not surely_visit(code)
    for modifier in ("24", "25", "57"):
        found = said(f"{code}:{modifier} x1")
        assert [f for f in found if f[0] == "modifier.not-applicable"] == CODE_ERROR
    for modifier in ("59", "22"):
        assert ("modifier.not-applicable", "error") not in said(f"{code}:{modifier} x1")


@pytest.mark.parametrize("code", BETWEEN)
def test_what_lies_between_is_never_an_error(code: str) -> None:
    assert not surely_visit(code)
    assert not surely_no_visit(code)
    if code:
        for modifier in ("59", "22", "24", "25", "57"):
            assert ("modifier.not-applicable", "error") not in said(f"{code}:{modifier} x1")


@pytest.mark.parametrize(
    ("code", "expected"), [("T1015", []), ("92014", []), ("96372", DOUBT), ("97161", DOUBT)]
)
def test_25_on_what_lies_between(code: str, expected: list[tuple[str, str]]) -> None:
    assert said(f"{code}:25 x1") == expected


def test_warnings_on_therapy() -> None:
    assert said("97110:GP:51 x1") == DOUBT
    assert said("29125:51 x1", taxonomy="207X00000X") == []
    assert said("29125:GO:51 x1") == DOUBT
    assert said("97110:GP:LT x1") == DOUBT
    assert said("97760:GP:LT x1") == []
    assert said("29125:GO:LT x1") == []
    assert said("97110:GP:AT x1") == DOUBT
    assert said("98941:AT x1") == []


MISSING = [("modifier.missing", "warning")]


@pytest.mark.parametrize("code", ["98940", "98941", "98942"])
def test_manipulation_of_the_spine_says_that_it_is_treatment(code: str) -> None:
    assert said(f"{code} x1") == MISSING
    for modifier in ("AT", "GA", "GX", "GY", "GZ"):
        assert said(f"{code}:{modifier} x1") == []
    for profile in (COMMERCIAL, MEDICAID):
        assert said(f"{code} x1", profile=profile) == []


@pytest.mark.parametrize(("on", "expected"), [("2023-06-30", []), ("2023-07-01", MISSING)])
def test_a_single_dose_drug_says_what_was_discarded(on: str, expected: list[tuple[str, str]]) -> None:
    drugs = Fees(J9999={"single_dose": True})
    assert said("J9999 x1", tables=drugs, date=on) == expected  # type: ignore[arg-type]
    for modifier in ("JW", "JZ"):
        found = said(f"J9999:{modifier} x1", tables=drugs, date=on)  # type: ignore[arg-type]
        assert MISSING[0] not in found
    assert said("J9999 x1", date=on) == []


def test_a_modifier_that_stands_twice() -> None:
    (finding,) = decide("97530:GP:59:59 x1")
    assert (finding.rule, finding.status.ack277ca) == ("modifier.repeated", ("A7:453",))
