"""The acknowledgements beside their meaning, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import IO

from edi_checker.reports.html.markup import Element, append, shorten, tag
from edi_checker.reports.html.meaning import LINE, PATIENT, PROVIDER, RECEIVER, SOURCE, tell

MOST_SEGMENTS = 600  # segments shown of one answer
MOST_OPEN = 80  # segments of an answer that is shown at once; a longer one is folded
LONGEST = 400  # characters shown of a segment
_LINE = 1 << 16  # bytes of a segment that are looked at

_DEPTHS = {"AK1": 1, "AK2": 1, "IK3": 2, "CTX": 3, "IK4": 3, "IK5": 2, "AK9": 1}
_LEVELS = {"20": SOURCE, "21": RECEIVER, "19": PROVIDER, "PT": PATIENT}
_VERDICTS = {"A": "good", "E": "noted", "P": "noted"}


def lay_out(title: str, stream: IO[bytes], claims: Mapping[str, str], anchor: str) -> Element:
    """An answer of ours, whose segments stand one on a line, as a section.

    `claims` gives the anchor on this page of a claim by its key (see `key_of`).
    """
    body = tag("tbody")
    count = 0
    level = 0
    while line := stream.readline(_LINE):
        text = line.decode("utf-8", "replace").rstrip("\r\n").removesuffix("~")
        if not text:
            continue
        count += 1
        if count > MOST_SEGMENTS:
            continue
        segment = text.split("*")
        level = _level(segment, level)
        body.append(_row(text, segment, level, claims))
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
        open="open" if count <= MOST_OPEN else None,
    )
    if left_out > 0:
        append(section, tag("p", f"{_count(left_out)} more are not shown here.", class_="quiet"))
    return section


def key_of(claim: str) -> str:
    """A CLM01 by which answers name a claim: they cut it at 35 characters and mend what they cannot hold."""
    return re.sub(r"[^0-9A-Za-z]", "-", claim.strip())[:35]


def _header() -> Element:
    return tag("thead", tag("tr", tag("th", "Segment", scope="col"), tag("th", "What it says", scope="col")))


def _row(text: str, segment: list[str], level: int, claims: Mapping[str, str]) -> Element:
    name, _, rest = shorten(text, LONGEST).partition("*")
    code = tag("code", tag("b", name))
    if rest:
        append(code, tag("i", "*"), rest)
    words = tag("td", tell(segment, level))
    claim = _claim_of(segment, level)
    target = claims.get(key_of(claim)) if claim else None
    if target is not None:
        append(words, " ", tag("a", f"see claim {claim}", href=f"#{target}"))
    depth = f"depth-{_depth(segment, level)}"
    return tag("tr", tag("td", code, class_=depth), words, class_=_verdict(segment))


def _level(segment: list[str], level: int) -> int:
    """The level of the 277CA in which a segment stands; 0 outside."""
    match segment[0]:
        case "HL":
            return _LEVELS.get(segment[3], level) if len(segment) > 3 else level
        case "ISA" | "GS" | "ST" | "SE" | "GE" | "IEA":
            return 0
        case "SVC":
            return LINE
        case "TRN":
            return min(level, PATIENT)
        case _:
            return level


def _depth(segment: list[str], level: int) -> int:
    """How far a segment is set in."""
    if segment[0] in _DEPTHS:
        return _DEPTHS[segment[0]]
    return level + 1 if level and segment[0] not in ("HL", "SVC") else level


def _claim_of(segment: list[str], level: int) -> str:
    """The claim that a segment names, "" where it names none."""
    if segment[0] == "CTX" and len(segment) > 1:
        kind, _, number = segment[1].partition(":")
        return number if kind == "CLM01" else ""
    if segment[0] == "TRN" and level == PATIENT and len(segment) > 2:
        return segment[2]
    return ""


def _verdict(segment: list[str]) -> str | None:
    """The class of a segment that says yes or no."""
    code = segment[1] if len(segment) > 1 else ""
    match segment[0]:
        case "IK5" | "AK9":
            return _VERDICTS.get(code, "bad")
        case "TA1":
            return _VERDICTS.get(segment[4] if len(segment) > 4 else "", "bad")
        case "STC":
            return "bad" if code[:2] in ("A3", "A4", "A6", "A7", "A8") else "good"
        case "IK3" | "IK4":
            return "bad"
        case _:
            return None


def _count(segments: int) -> str:
    return "1 segment" if segments == 1 else f"{segments:,} segments"


def unite(parts: Iterable[Element]) -> Element | None:
    """The answers under one heading, None where there is none."""
    shown = list(parts)
    if not shown:
        return None
    return tag("div", tag("h2", "Answers to the sender"), *shown, class_="all-answers")
