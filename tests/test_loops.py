"""The loops that segments open are those of the guide."""

from __future__ import annotations

import pytest

from edi_checker.claims.loops import OPENED, PARTIES, walk_loops
from edi_checker.guide.table import Element, Loop, load
from edi_checker.guide.table import walk_loops as loops_under


def loop_of(id: str) -> Loop:
    return next(loop for level in load().levels.values() for loop in loops_under(level) if loop.id == id)


def roles_of(loop: Loop) -> frozenset[str]:
    first = loop.opener.elements[0]
    assert isinstance(first, Element)
    return first.codes


@pytest.mark.parametrize("around", PARTIES)
def test_parties_are_those_of_the_guide(around: str) -> None:
    named = {
        (role, child.id)
        for child in loop_of(around).children
        if isinstance(child, Loop) and child.opener.id == "NM1"
        for role in roles_of(child)
    }
    ours = set(PARTIES[around].items())
    # The levels share one table: each of its loops stands in one of them.
    assert named <= ours if around.startswith("2000") else named == ours
    assert named


def test_each_party_of_a_level_is_of_some_level() -> None:
    children = [
        child.id
        for around in PARTIES
        if around.startswith("2000")
        for child in loop_of(around).children
        if isinstance(child, Loop)
    ]
    assert sorted(PARTIES["2000A"].values()) == sorted(id for id in children if id.startswith("2010"))


def test_opened_loops_are_those_of_the_guide() -> None:
    opened = {
        loop.opener.id: loop.id
        for loop in loops_under(load().levels["2300"])
        if loop.opener.id not in ("NM1", "CLM")
    }
    assert opened == OPENED


def test_segments_stand_where_the_guide_puts_them() -> None:
    claim = ["CLM", "NM1*82", "PRV", "SBR", "AMT", "NM1*IL", "N3", "LX", "SV1", "NM1*DK", "N4", "SVD", "CAS"]
    stands = list(walk_loops([text.split("*") for text in claim], "2300"))
    assert [(each.loop, each.role) for each in stands] == [
        ("2300", ""), ("2310B", "82"), ("2310B", "82"), ("2320", ""), ("2320", ""), ("2330A", "IL"),
        ("2330A", "IL"), ("2400", ""), ("2400", ""), ("2420E", "DK"), ("2420E", "DK"), ("2430", ""),
        ("2430", ""),
    ]  # fmt: skip
    assert [number for number, each in enumerate(stands) if each.opens] == [1, 3, 5, 7, 9, 11]


def test_a_subscriber_is_no_other_payer() -> None:
    stands = list(
        walk_loops([["HL", "2", "1", "22"], ["SBR", "P"], ["PAT"], ["NM1", "IL"], ["N3"]], "2000B", "IL")
    )
    assert [each.loop for each in stands] == ["2000B", "2000B", "2000B", "2010BA", "2010BA"]
    assert {each.role for each in stands} == {"IL"}


def test_a_party_that_nobody_knows_opens_nothing() -> None:
    stands = list(walk_loops([["LX", "1"], ["NM1", "ZZ"], ["NM1"]], "2400"))
    assert [tuple(each) for each in stands] == [
        ("2400", "", True),
        ("2400", "ZZ", False),
        ("2400", "", False),
    ]
