"""The acknowledgements next to their meaning, segment by segment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import IO

from edi_checker.acks.narrator import Narrator, Row
from edi_checker.acks.words import Outcome
from edi_checker.reports.html.markup import Element, append, head_of, scroll, shorten, tag

MOST_SEGMENTS = 600  # segments shown of one answer
LONGEST = 400  # characters shown of a segment
_LINE = 1 << 16  # bytes of a segment that are looked at

_DEPTHS = {"AK1": 1, "AK2": 1, "IK3": 2, "CTX": 3, "IK4": 3, "IK5": 2, "AK9": 1}
_CLASSES: dict[Outcome, str] = {
    "accepted": "good",
    "received": "good",
    "noted": "noted",
    "rejected": "bad",
    "unclear": "bad",
}


def lay_out(title: str, stream: IO[bytes], claims: Mapping[str, str], anchor: str) -> Element:
    """An answer of ours, whose segments stand one on a line, as a section.

    `claims` gives the anchor on this page of a claim by its key (see `key_of`).
    """
    body = tag("tbody")
    count = 0
    narrator = Narrator()
    while line := stream.readline(_LINE):
        text = line.decode("utf-8", "replace").rstrip("\r\n").removesuffix("~")
        if not text:
            continue
        count += 1
        if count > MOST_SEGMENTS:
            continue
        segment = text.split("*")
        said = narrator.say(segment)
        body.append(_row(text, said, _depth(segment, narrator.level.depth), claims))
    left_out = count - MOST_SEGMENTS
    section = tag(
        "details",
        tag("summary", tag("h3", title), tag("span", _count(count), class_="quiet")),
        scroll(title, tag("table", head_of(("Segment", "What it says")), body, class_="answer")),
        class_="answers",
        id=anchor,
    )
    if left_out > 0:
        append(section, tag("p", f"{_count(left_out)} more are not shown here.", class_="quiet"))
    return section


def key_of(claim: str) -> str:
    """A CLM01 by which answers name a claim: they cut it at 35 characters and fix what they cannot hold."""
    return re.sub(r"[^0-9A-Za-z]", "-", claim.strip())[:35]


def _row(text: str, said: Row, depth: int, claims: Mapping[str, str]) -> Element:
    name, _, rest = shorten(text, LONGEST).partition("*")
    code = tag("code", tag("b", name))
    if rest:
        append(code, tag("i", "*"), rest)
    words = tag("td", said.text)
    target = claims.get(key_of(said.claim)) if said.claim else None
    if target is not None:
        append(words, " ", tag("a", f"see claim {said.claim}", href=f"#{target}"))
    verdict = _CLASSES[said.outcome] if said.outcome else None
    return tag("tr", tag("td", code, class_=f"depth-{depth}"), words, class_=verdict)


def _depth(segment: list[str], level: int) -> int:
    """How far a segment is set in."""
    if segment[0] in _DEPTHS:
        return _DEPTHS[segment[0]]
    return level + 1 if level and segment[0] not in ("HL", "SVC") else level


def _count(segments: int) -> str:
    return "1 segment" if segments == 1 else f"{segments:,} segments"


def unite(parts: Iterable[Element]) -> Element | None:
    """The answers under one heading, None where there is none."""
    shown = list(parts)
    if not shown:
        return None
    whose = tag("p", "This check would answer the sender so. No payer has seen the file.", class_="quiet")
    return tag("div", tag("h2", "Our own answers"), whose, *shown, class_="all-answers")
