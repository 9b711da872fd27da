"""Repairs of numbers that follow from the order of segments: service lines and levels."""

from __future__ import annotations

from edi_checker.check.fixes.spot import Repaired, Spot, repairs
from edi_checker.claims.claim import element


@repairs("guide.line-number", "safe")
def line_number(spot: Spot) -> Repaired | None:
    """LX01 counts the service lines of a claim from 1."""
    if spot.segment[0] != "LX":
        return None
    counted = 1 + sum(segment[0] == "LX" for segment in spot.earlier)
    return None if _is(spot.value, counted) else spot.put(str(counted))


@repairs("guide.hierarchy", "safe", "unsafe")
def level(spot: Spot) -> Repaired | None:
    """HL01 counts the levels of a set, HL02 is that of the level above, HL04 whether one is below.

    Which level is above, the order says, and HL02 as it came must say the same: otherwise it is not sure.
    """
    standing = spot.standing
    if spot.segment[0] != "HL":
        return None
    if spot.element == "HL01":
        return None if _is(spot.value, standing.levels) else spot.put(str(standing.levels))
    if spot.element == "HL02" and standing.above is not None:
        came, written = standing.above
        said = spot.value.strip()
        same = said in (came, written) or (said.isdigit() and said.lstrip("0") in (came, written))
        return spot.put(written, safe=same)
    if spot.element == "HL04" and spot.value in ("0", "1"):
        return spot.put("1" if spot.value == "0" else "0")
    return None


@repairs("guide.element-missing", "safe")
def child_code(spot: Spot) -> Repaired | None:
    """HL04 where the guide lists one code for it."""
    codes = spot.codes()
    if spot.element != "HL04" or len(codes) != 1 or element(spot.segment, 4):
        return None
    return spot.put(min(codes))


def _is(text: str, number: int) -> bool:
    text = text.strip()
    return text.isascii() and text.isdigit() and len(text) <= 12 and int(text) == number
