"""The acknowledgements beside their meaning, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import IO

from edi_checker.reports.html.markup import Element, append, shorten, tag

MOST_SEGMENTS = 600  # segments shown of one answer
LONGEST = 400  # characters shown of a segment
_LINE = 1 << 16  # bytes of a segment that are looked at

# The meaning in words of a segment, given as its elements; "" where there is none to tell.
Meaning = Callable[[list[str]], str]

_DEPTHS = {"AK1": 1, "AK2": 1, "IK3": 2, "CTX": 3, "IK4": 3, "IK5": 2, "AK9": 1}
_LEVELS = {"20": 1, "21": 2, "19": 3, "PT": 4}
_GOOD = frozenset(("A", "E"))


def lay_out(
    title: str, stream: IO[bytes], meaning: Meaning, claims: Mapping[str, str], anchor: str
) -> Element:
    """An answer of ours, whose segments stand one on a line, as a section.

    `claims` gives the anchor on this page of a claim by its key (see `key_of`).
    """
    body = tag("tbody")
    count = 0
    depth = 0
    while line := stream.readline(_LINE):
        text = line.decode("utf-8", "replace").rstrip("\r\n").removesuffix("~")
        if not text:
            continue
        count += 1
        if count > MOST_SEGMENTS:
            continue
        segment = text.split("*")
        depth = _depth(segment, depth)
        body.append(_row(text, segment, _shown_depth(segment, depth), meaning, claims))
    left_out = count - MOST_SEGMENTS
    section = tag(
        "details",
        tag("summary", tag("h3", title), tag("span", _count(count), class_="quiet")),
        tag(
            "div",
            tag("table", _header(), body, class_="answer"),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label=title,
        ),
        class_="answers",
        id=anchor,
    )
    if left_out > 0:
        append(section, tag("p", f"{_count(left_out)} more are not shown here.", class_="quiet"))
    return section


def key_of(claim: str) -> str:
    """A CLM01 by which the answers name a claim: they cut it at 35 characters and mend what they cannot hold."""
    return re.sub(r"[^0-9A-Za-z]", "-", claim.strip())[:35]


def _header() -> Element:
    return tag("thead", tag("tr", tag("th", "Segment", scope="col"), tag("th", "What it says", scope="col")))


def _row(
    text: str, segment: list[str], depth: int, meaning: Meaning, claims: Mapping[str, str]
) -> Element:
    name, _, rest = shorten(text, LONGEST).partition("*")
    code = tag("code", tag("b", name))
    if rest:
        append(code, tag("i", "*"), rest)
    words = tag("td", _told(segment, meaning))
    claim = _claim_of(segment)
    target = claims.get(key_of(claim)) if claim else None
    if target is not None:
        append(words, " ", tag("a", f"see claim {claim}", href=f"#{target}"))
    return tag("tr", tag("td", code, class_=f"depth-{min(depth, 6)}"), words, class_=_verdict(segment))


def _told(segment: list[str], meaning: Meaning) -> str:
    try:
        return meaning(segment)
    except Exception:  # noqa: BLE001  # a segment whose words cannot be found is shown without them
        return ""


def _depth(segment: list[str], depth: int) -> int:
    """The level of the 277CA in which a segment stands; 0 outside."""
    if segment[0] == "HL" and len(segment) > 3:
        return _LEVELS.get(segment[3], depth)
    return 0 if segment[0] in ("ISA", "GS", "ST", "SE", "GE", "IEA") else 4 if segment[0] == "TRN" and depth >= 4 else (
        5 if segment[0] == "SVC" else depth
    )


def _shown_depth(segment: list[str], depth: int) -> int:
    if segment[0] in _DEPTHS:
        return _DEPTHS[segment[0]]
    return depth + 1 if depth and segment[0] not in ("HL", "SVC") else depth


def _claim_of(segment: list[str]) -> str:
    """The claim that a segment names, "" where it names none."""
    if segment[0] == "CTX" and len(segment) > 1:
        kind, _, number = segment[1].partition(":")
        return number if kind == "CLM01" else ""
    return segment[2] if segment[0] == "TRN" and len(segment) > 2 and segment[1] == "2" else ""


def _verdict(segment: list[str]) -> str | None:
    """The class of a segment that says yes or no."""
    code = segment[1] if len(segment) > 1 else ""
    match segment[0]:
        case "IK5" | "AK9":
            return "good" if code in _GOOD else "bad"
        case "TA1":
            return "good" if len(segment) > 4 and segment[4] in _GOOD else "bad"
        case "STC":
            return "bad" if code[:2] in ("A3", "A4", "A6", "A7", "A8") else "good"
        case "IK3" | "IK4":
            return "bad"
        case _:
            return None


def _count(segments: int) -> str:
    return "1 segment" if segments == 1 else f"{segments:,} segments"


def name_segment(segment: list[str]) -> str:
    """What kind of segment it is, where nothing better is known."""
    return _NAMES.get(segment[0], "")


def unite(parts: Iterable[Element]) -> Element | None:
    """The answers under one heading, None where there is none."""
    shown = list(parts)
    if not shown:
        return None
    return tag("div", tag("h2", "Answers to the sender"), *shown, class_="all-answers")


_NAMES = {
    "ISA": "Interchange: from whom to whom, and when.",
    "TA1": "Whether the interchange itself came through.",
    "GS": "Group header.",
    "ST": "Begin of this answer.",
    "AK1": "The functional group that is answered.",
    "AK2": "The transaction set that is answered.",
    "IK3": "A faulty segment: its id, position, loop and what is wrong with it.",
    "CTX": "To what it belongs.",
    "IK4": "The faulty element of it, what is wrong with it and the bad value.",
    "IK5": "The verdict on the transaction set.",
    "AK9": "The verdict on the group; sets included, received and accepted.",
    "BHT": "Begin of the claim acknowledgement.",
    "HL": "A level of the acknowledgement.",
    "NM1": "Whom the level is about.",
    "TRN": "The number by which it is traced.",
    "DTP": "A date.",
    "STC": "Status: category, code and entity; date, action and charge.",
    "QTY": "Claims counted.",
    "AMT": "Charges summed up.",
    "REF": "A reference number.",
    "SVC": "The service line, with its charge and units.",
    "SE": "End of this answer, with the count of its segments.",
    "GE": "End of the group.",
    "IEA": "End of the interchange.",
}
