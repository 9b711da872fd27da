"""The wrong and the right example of a rule, as segments with what matters marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from html import escape
from itertools import zip_longest
from typing import Any

from edi_checker.check.examples import write_example
from edi_checker.rules.explain import say_example
from edi_checker.x12.finding import SEVERITIES, Finding, Place

# They follow from the units of an example.
_AMOUNTS = ("CLM02", "SV102")
_GAP = '<mark class="edi-gap">missing here</mark>'
_MOST = 14  # segments that are shown of an example
_Example = dict[str, Any]


@dataclass
class Excerpt:
    """The segments of an example that are shown, by their number, and the marked elements of each."""

    segments: Sequence[str]
    shown: set[int] = field(default_factory=set)
    marked: dict[int, list[str | None]] = field(default_factory=dict)
    other_at: int | None = None  # the segment at a place whose own segment is not there
    missing_at: int | None = None

    def mark(self, place: Place) -> None:
        """Mark a place."""
        at = _index_of(self.segments, place)
        if 0 <= at < len(self.segments):
            self.shown.add(at)
            if self.segments[at].partition("*")[0] == place.segment:
                self.marked.setdefault(at, []).append(place.element)
            else:
                self.other_at = at

    def html(self) -> str:
        """The segments, one on a line; dots stand for those left out."""
        lines: list[str] = []
        last = -1
        for at in sorted(self.shown)[:_MOST]:
            if lines and at != last + 1:
                lines.append("…")
            if at == self.missing_at:
                lines.append(_GAP)
            lines.append(mark_elements(self.segments[at], self.marked.get(at, [])) + "~")
            last = at
        if len(self.shown) > _MOST:
            lines.append("…")
        if self.missing_at == len(self.segments):
            lines.append(_GAP)
        return "\n".join(lines)


def _index_of(segments: Sequence[str], place: Place) -> int:
    """Which segment is at a place: in the envelope the first of its name; -1 if there is none."""
    if not place.position:
        return next((at for at, text in enumerate(segments) if text.startswith(place.segment)), -1)
    begin = next((at for at, text in enumerate(segments) if text.startswith("ST*")), 0)
    return begin + place.position - 1


def segment_at(example: _Example, place: Place) -> str:
    """The text of the segment at a place of an example, "" if there is none."""
    segments = _segments(example)
    at = _index_of(segments, place)
    return segments[at] if 0 <= at < len(segments) else ""


def mark_elements(segment: str, elements: Sequence[str | None]) -> str:
    """A segment as HTML; each of the elements (`SV101-3`) is marked, the whole segment for None."""
    name, *values = segment.split("*")
    if not elements:
        return escape(segment)
    if name == "ISA" or not all(each and each.startswith(name) for each in elements):
        return f"<mark>{escape(segment)}</mark>"
    parts = [escape(name), *map(escape, values)]
    for each in sorted(filter(None, elements), key=len):
        number, _, component = each[len(name) :].partition("-")
        at = int(number)
        parts += [""] * (at + 1 - len(parts))
        if component:
            pieces = parts[at].split(":")
            pieces += [""] * (int(component) - len(pieces))
            pieces[int(component) - 1] = _marked(pieces[int(component) - 1])
            parts[at] = ":".join(pieces)
        else:
            parts[at] = _marked(parts[at])
    return "*".join(parts)


def _marked(value: str) -> str:
    return value if value.startswith("<mark") else f"<mark>{value or '&nbsp;'}</mark>"


def choose_pair(passing: Sequence[_Example], failing: Sequence[tuple[_Example, Finding]]) -> Pair:
    """The failing and the passing example that differ least, and best where the finding is."""
    others = [(other, _segments(other)) for other in passing]
    pairs = [
        Pair(example, finding, other, Excerpt(segments), Excerpt(theirs))
        for example, finding in failing
        for segments in (_segments(example),)
        for other, theirs in others
    ]
    return min(pairs, key=Pair.distance)


@dataclass
class Pair:
    """A failing example with its finding, and a passing one beside it."""

    failing: _Example
    finding: Finding
    passing: _Example
    wrong: Excerpt
    right: Excerpt

    def __post_init__(self) -> None:
        for place in (self.finding.where, *self.finding.related):
            if place.received is None:
                self.wrong.mark(place)

    def _steps(self) -> list[tuple[str, int, int, int, int]]:
        """What differs, as of SequenceMatcher; it looks at the part alone that differs."""
        one, two = self.wrong.segments, self.right.segments
        start = next(
            (at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(map(len, (one, two)))
        )
        most = min(len(one), len(two)) - start
        end = next((n for n in range(most) if one[-1 - n] != two[-1 - n]), most)
        matcher = SequenceMatcher(
            None, one[start : len(one) - end], two[start : len(two) - end], autojunk=False
        )
        inner = [
            (kind, a + start, b + start, c + start, d + start) for kind, a, b, c, d in matcher.get_opcodes()
        ]
        around = ("equal", 0, start, 0, start), ("equal", len(one) - end, len(one), len(two) - end, len(two))
        return [around[0], *inner, around[1]]

    def distance(self) -> tuple[bool, int, bool, int]:
        """Another payer or day says least; an error most, and what differs at the place and nowhere else."""
        steps = [step for step in self._steps() if step[0] != "equal"]
        touched = any(
            (kind == "replace" and i1 <= at < i2) or (kind == "insert" and i1 - 1 <= at <= i1)
            for kind, i1, i2, *_ in steps
            for at in self.wrong.shown
        )
        other = sum(self._cost(*step[1:]) for step in steps)
        level = SEVERITIES.index(self.finding.severity)
        return _run_of(self.passing) != _run_of(self.failing), level, not touched, other

    def _cost(self, i1: int, i2: int, j1: int, j2: int) -> int:
        """The elements that differ, where segments stand for each other; ten for each that has none."""
        total = 10 * abs(i2 - i1 - j2 + j1)
        for at, to in zip(range(i1, i2), range(j1, j2), strict=False):
            total += len(list(_changed(self.wrong.segments[at], self.right.segments[to]))) or 10
        return total

    def lay_out(self) -> tuple[str, str]:
        """Both as HTML: where the finding is, and what is other in the passing one."""
        wrong, right = self.wrong, self.right
        for kind, i1, i2, j1, j2 in self._steps():
            if kind == "equal":
                right.shown |= {j1 + at - i1 for at in wrong.shown if i1 <= at < i2}
                continue
            pairs = list(zip(range(i1, i2), range(j1, j2), strict=False)) if i2 - i1 == j2 - j1 else []
            sums = {(at, to) for at, to in pairs if at not in wrong.shown and self._is_sum(at, to)}
            wrong.shown |= set(range(i1, i2)) - {at for at, _ in sums}
            right.shown |= set(range(j1, j2)) - {to for _, to in sums}
            if kind == "insert":
                right.marked |= {at: [None] for at in range(j1, j2)}
                wrong.missing_at = i1 if wrong.other_at is not None else None
                wrong.shown |= {max(i1 - 1, 0), i1} & set(range(len(wrong.segments)))
                right.shown |= {max(j1 - 1, 0), j2} & set(range(len(right.segments)))
            if kind == "delete":
                right.shown |= {max(j1 - 1, 0), min(j1, len(right.segments) - 1)}
            for at, to in pairs:
                changed: list[str | None] = [*_changed(wrong.segments[at], right.segments[to])]
                right.marked[to] = [each for each in changed if each not in _AMOUNTS] or changed or [None]
        if wrong.missing_at is None and not wrong.marked:
            self._mark_without_place()
        return wrong.html(), right.html()

    def _mark_without_place(self) -> None:
        """Mark where the passing example has more, else what stands at the place, else all that is shown."""
        wrong = self.wrong
        wrong.missing_at = next((step[1] for step in self._steps() if step[0] == "insert"), None)
        if wrong.missing_at is None:
            marked = wrong.shown if wrong.other_at is None else {wrong.other_at}
            wrong.marked = {at: [None] for at in marked}

    def _is_sum(self, at: int, to: int) -> bool:
        """Whether two segments differ only in what follows from others: SE01 and CLM02."""
        changed = set(_changed(self.wrong.segments[at], self.right.segments[to]))
        return bool(changed) and changed <= {"SE01", "CLM02"}


def _changed(before: str, after: str) -> Iterable[str]:
    """The elements of a segment that are other than in one of the same name."""
    name, *old = before.split("*")
    other, *new = after.split("*")
    if name != other:
        return
    old += [""] * (len(new) - len(old))
    for number, (was, value) in enumerate(zip(old, new, strict=False), 1):
        if was == value:
            continue
        parts, pieces = was.split(":"), value.split(":")
        if len(pieces) == 1:
            yield f"{name}{number:02}"
        for place, (one, two) in enumerate(zip_longest(parts, pieces, fillvalue=""), 1):
            if one != two and len(pieces) > 1:
                yield f"{name}{number:02}-{place}"


def _segments(example: _Example) -> list[str]:
    return [each for each in write_example(example).text.replace("\n", "").split("~") if each]


def _run_of(example: _Example) -> dict[str, Any]:
    """What decides if a rule applies at all: payer and days."""
    claim = example.get("claim") or {}
    return {name: claim.get(name) for name in ("payer", "payer_id", "date", "received")}


def beside(example: _Example) -> list[str]:
    """What belongs to an example and is not in its file: minutes, and the claims of an earlier file."""
    said = []
    if minutes := write_example(example).minutes:
        said.append("With a minutes file: " + ", ".join(f"`{row}`" for row in minutes.splitlines()[1:]))
    if earlier := example.get("before"):
        said.append(f"After an earlier file with `{say_example(earlier)}`")
    return said
