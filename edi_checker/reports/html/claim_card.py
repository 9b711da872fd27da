"""One faulty part of a file with its findings, laid out for the eye."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from edi_checker.reports.boxes import box_of_fix
from edi_checker.reports.findings_log import Entry
from edi_checker.reports.html.claim_view import ClaimView, LineRow, RawSegment
from edi_checker.reports.html.markup import Element, append, scroll, shorten, tag
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.money import show_dollars

_COLUMNS = (
    ("ordinal", "Line", "Ordinal of the line in the claim"),
    ("dates", "Date", "Date of service"),
    ("code", "Code", "Procedure"),
    ("modifiers", "Modifiers", "Modifiers"),
    ("diagnoses", "Dx", "Diagnoses that the line points to"),
    ("place", "Place", "Place of service"),
    ("units", "Units", "Units billed"),
    ("minutes", "Minutes", "Minutes of treatment"),
    ("charge", "Charge", "Charge in dollars"),
)
_MOST_NAMED = 40  # claims named below a part that takes them with it
_NUMERIC = frozenset(("ordinal", "units", "minutes", "charge"))
# The column in which an element of a line is told; "" stands for any other.
_COLUMN_OF = {
    "DTP": "dates",
    "SV101": "code",
    "SV101-2": "code",
    "SV101-3": "modifiers",
    "SV101-4": "modifiers",
    "SV101-5": "modifiers",
    "SV101-6": "modifiers",
    "SV102": "charge",
    "SV103": "units",
    "SV104": "units",
    "SV105": "place",
    "SV107": "diagnoses",
}
_WORDS = {"error": "Error", "warning": "Warning", "info": "Info"}
OUTCOMES = {"accepted": "Accepted", "rejected": "Rejected", "not_checked": "Not checked"}


class Advice(NamedTuple):
    """What the page knows of a rule: the class of its findings, and what the record must show."""

    mark: str
    documentation: tuple[str, ...]


Advise = Callable[[str], Advice]


class _Mark(NamedTuple):
    """A mark at a place: whose it is, and whether it is the fault itself or only what it speaks of."""

    number: int
    severity: str
    anchor: str
    related: bool


def lay_out(
    exhibit: ClaimView, entries: Sequence[Entry], anchor: str, advise: Advise, left_out: int
) -> Element:
    """The part as a section with this id; `left_out` findings of it stand elsewhere on the page."""
    marks = _place_marks(exhibit, entries, anchor)
    severities = sorted({f"has-{entry.finding['severity']}" for entry in entries})
    left = tag("div", class_="told")
    append(left, _details(exhibit), _costs(entries), _lines(exhibit, marks))
    told: set[tuple[str, str, str]] = set()
    for number, entry in enumerate(entries, 1):
        rule = entry.finding["rule"]
        key = (rule, entry.finding["fix"], entry.finding["citation"])
        left.append(_finding(entry, number, anchor, advise(rule), advice=key not in told))
        told.add(key)
    if left_out:
        left.append(tag("p", f"{left_out:,} more findings of it are in the list below.", class_="quiet"))
    return tag(
        "section",
        _heading(exhibit, entries[0]),
        tag("div", left, _raw(exhibit, marks), class_="sides"),
        class_=" ".join(("card", *severities)),
        id=anchor,
    )


def outcome_tag(outcome: str) -> Element:
    return tag("span", OUTCOMES.get(outcome, outcome), class_=f"tag {outcome}")


def severity_tag(severity: str) -> Element:
    return tag("span", _WORDS.get(severity, severity), class_=f"tag {severity}")


def name_place(where: dict[str, Any], beside: dict[str, Any] | None = None) -> str:
    """The place in words; claim and transaction are named where they are not those of `beside`."""
    words = []
    if beside is not None:
        received = where.get("received")
        if received:
            words += [f"file received {received}", f"interchange {where['interchange']}"]
        if (received or where["transaction"] != beside["transaction"]) and where["transaction"]:
            words.append(f"transaction {where['transaction']}")
        if (received or where["claim"] != beside["claim"]) and where["claim"]:
            words.append(f"claim {where['claim']}")
    if where["line"] is not None:
        words.append(f"line {where['line']}")
    at = where["element"] or where["segment"]
    words.append(at if where["loop"] == where["segment"] else f"{where['loop']} {at}".strip())
    if where["position"]:
        words.append(f"segment {where['position']:,}")
    return " \u00b7 ".join(filter(None, words))


def _heading(exhibit: ClaimView, entry: Entry) -> Element:
    head = tag("header")
    if exhibit.number:
        append(
            head, tag("h3", tag("span", "Claim ", class_="kind"), exhibit.title), outcome_tag(entry.outcome)
        )
        where = entry.finding["where"]
        if entry.cents is not None:
            append(head, tag("span", show_dollars(entry.cents), class_="amount"))
        if where["transaction"]:
            append(head, tag("span", f"transaction {where['transaction']}", class_="quiet"))
    else:
        append(head, tag("h3", exhibit.title))
    return head


def _details(exhibit: ClaimView) -> Element | None:
    if not exhibit.details:
        return None
    items = tag("dl", class_="details")
    for detail in exhibit.details:
        label = tag("dt", detail.label)
        if detail.loop:
            append(label, " ", tag("small", detail.loop))
        value = tag("dd")
        for text in filter(None, detail.texts):
            append(value, tag("span", text), " ")
        items.append(tag("div", label, value))
    return items


def _costs(entries: Sequence[Entry]) -> Element | None:
    """Which claims a part above them takes with it."""
    entry = next((each for each in entries if each.finding["severity"] == "error"), None)
    if entry is None or not entry.finding.get("affects_count"):
        return None
    count, named = entry.finding["affects_count"], entry.finding["affects"][:_MOST_NAMED]
    names = ", ".join(shorten(name or "without a number", 60) for name in named)
    if count > len(named):
        names += f" and {count - len(named):,} more"
    words = "This costs the claim below it: " if count == 1 else f"This costs all {count:,} claims below it: "
    return tag("p", words, tag("strong", names), class_="below")


def _lines(exhibit: ClaimView, marks: _Marks) -> Element | None:
    if not exhibit.lines:
        return None
    # A column that says nothing of any line takes no room.
    shown = [c for c in _COLUMNS if c[0] == "ordinal" or any(getattr(line, c[0]) for line in exhibit.lines)]
    shown_keys = {key for key, _, _ in shown}
    header = tag("tr")
    for key, label, title in shown:
        header.append(
            tag("th", label, title=title, scope="col", class_="number" if key in _NUMERIC else None)
        )
    body = tag("tbody")
    for line in exhibit.lines:
        body.append(_line(line, [key for key, _, _ in shown], marks, shown_keys))
    table = tag("table", tag("thead", header), body, class_="lines")
    left_out = None
    if exhibit.lines_left_out:
        left_out = tag("p", f"{exhibit.lines_left_out:,} more lines are not shown.", class_="quiet")
    return scroll("Service lines", table, left_out)


def _line(line: LineRow, keys: list[str], marks: _Marks, shown: set[str]) -> Element:
    row = tag("tr")
    here = marks.of_line.get(line.ordinal, {})
    for key in keys:
        found = list(here.get(key, ()))
        if key == "ordinal":
            # What has no column of its own is told at the line's number.
            found += [mark for column, more in here.items() if column not in shown for mark in more]
        name = "th" if key == "ordinal" else "td"
        cell = tag(name, scope="row" if key == "ordinal" else None)
        text = str(getattr(line, key))
        if found:
            append(cell, tag("mark", text or "\u25af", class_=_mark_class(found)), *_references(found))
        else:
            append(cell, text)
        if key in _NUMERIC:
            cell.set("class", "number")
        row.append(cell)
    return row


def _finding(entry: Entry, number: int, anchor: str, advice_of: Advice, *, advice: bool) -> Element:
    finding = entry.finding
    severity = finding["severity"]
    head = tag(
        "p",
        tag("span", str(number), class_="count"),
        severity_tag(severity),
        tag("code", finding["rule"], class_="rule"),
        tag("span", name_place(finding["where"]), class_="place"),
        class_="head",
    )
    points = tag("dl")
    if finding["fix"] and advice:
        box = box_of_fix(finding, entry.excerpt.text if entry.excerpt else "")
        _point(points, f"Fix in box {box}" if box else "Fix", [finding["fix"]], "fix")
    if advice and advice_of.documentation:
        listed = tag("ul", *(tag("li", text) for text in advice_of.documentation))
        points.append(tag("div", tag("dt", "The record must show"), tag("dd", listed)))
    if finding["related"]:
        _point(points, "See also", [name_place(place, finding["where"]) for place in finding["related"][:20]])
    source = [finding["citation"]] if finding["citation"] and advice else []
    if finding["table"] is not None:
        source.append(f"table {finding['table']['name']}, release {finding['table']['version']}")
    if source:
        _point(points, "Source", source, "source")
    answers = list(status_words(finding["status"]))
    if answers:
        _point(points, "Answered by", [", ".join(answers)], "answered")
    return tag(
        "article",
        head,
        tag("p", finding["message"], class_="message"),
        points if len(points) else None,
        class_=f"finding {severity} {advice_of.mark}",
        id=f"{anchor}-{number}",
    )


def status_words(status: dict[str, Any]) -> Iterable[str]:
    """The codes of the acknowledgements, each with the name of the one it stands in."""
    if "277CA" in status:
        yield "277CA " + " ".join(status["277CA"])
    if "999" in status:
        yield "999 " + " ".join(status["999"])
    if "TA1" in status:
        yield f"TA1 {status['TA1']}"


def _point(points: Element, label: str, texts: list[str], name: str | None = None) -> None:
    points.append(
        tag("div", tag("dt", label), tag("dd", *(tag("span", text) for text in texts)), class_=name)
    )


# Marks


class _Marks(NamedTuple):
    """Where findings point: by position and element of a segment, and by line and column."""

    of_segment: dict[int, list[tuple[str, str | None, _Mark]]]
    of_line: dict[int, dict[str, list[_Mark]]]


def _place_marks(exhibit: ClaimView, entries: Sequence[Entry], anchor: str) -> _Marks:
    marks = _Marks({}, {})
    positions = {segment.position for segment in exhibit.segments}
    last = max(positions, default=0)
    for number, entry in enumerate(entries, 1):
        where = entry.finding["where"]
        home = _home(where)
        seen: set[tuple[int, str | None]] = set()
        for place, related in ((where, False), *((place, True) for place in entry.finding["related"])):
            position = place["position"]
            # The same position in another transaction is another segment.
            if _home(place) != home or not (position in positions or position == last + 1):
                continue
            if (position, place["element"]) in seen:
                continue
            seen.add((position, place["element"]))
            mark = _Mark(number, entry.finding["severity"], f"{anchor}-{number}", related)
            marks.of_segment.setdefault(position, []).append((place["segment"], place["element"], mark))
            if place["line"] is not None:
                column = _COLUMN_OF.get(place["element"] or "") or _COLUMN_OF.get(place["segment"], "")
                if place["segment"] == "SV1" and not place["element"]:
                    column = "code"
                marks.of_line.setdefault(place["line"], {}).setdefault(column, []).append(mark)
    return marks


def _home(place: dict[str, Any]) -> tuple[Any, ...]:
    return place["interchange"], place["group"], place["transaction"], place.get("received")


def _mark_class(marks: Iterable[_Mark]) -> str:
    """The class of the gravest of several marks."""
    found = {(mark.severity, mark.related) for mark in marks}
    for severity in ("error", "warning", "info"):
        if (severity, False) in found:
            return severity
    return "related"


def _references(marks: Iterable[_Mark]) -> list[Element]:
    numbers = {mark.number: mark for mark in reversed(list(marks))}
    return [
        tag("a", str(number), href=f"#{mark.anchor}", class_="count", title=f"Finding {number}")
        for number, mark in sorted(numbers.items())
    ][:9]


# Raw segments


def _raw(exhibit: ClaimView, marks: _Marks) -> Element | None:
    if not exhibit.segments:
        return None
    rows = tag("div", class_="raw", tabindex="0", role="group", aria_label="Raw segments")
    for segment in exhibit.segments:
        if segment.skipped:
            rows.append(_skipped(segment.skipped))
        if segment.heading:
            rows.append(tag("p", segment.heading, class_="loop"))
        found = marks.of_segment.get(segment.position, [])
        for name in dict.fromkeys(name for name, _, _ in found if name != segment.elements[0]):
            absent = [mark for other, _, mark in found if other == name]
            # A finding that speaks of another segment than the one that stands there misses it.
            rows.append(_absent(name, absent))
        rows.append(
            _segment(segment, [mark for mark in found if mark[0] == segment.elements[0]], exhibit.delimiters)
        )
    if exhibit.segments_left_out:
        rows.append(_skipped(exhibit.segments_left_out))
    after = marks.of_segment.get(max(s.position for s in exhibit.segments) + 1, [])
    for name in dict.fromkeys(name for name, _, _ in after):
        rows.append(_absent(name, [mark for other, _, mark in after if other == name]))
    return rows


def _skipped(count: int) -> Element:
    words = "1 segment" if count == 1 else f"{count:,} segments"
    return tag("p", f"\u2026 {words} not shown", class_="skipped")


def _absent(name: str, marks: list[_Mark]) -> Element:
    what = tag("mark", f"{name} \u25af", class_=f"{_mark_class(marks)} missing")
    return tag("p", tag("span", "", class_="position"), tag("code", what, *_references(marks)))


def _segment(
    segment: RawSegment, found: list[tuple[str, str | None, _Mark]], delimiters: Delimiters
) -> Element:
    whole = [mark for _, at, mark in found if _index(segment.elements[0], at) is None]
    by_index: dict[int, list[tuple[int | None, _Mark]]] = {}
    for _, at, mark in found:
        index = _index(segment.elements[0], at)
        if index is not None:
            by_index.setdefault(index[0], []).append((index[1], mark))
    code = tag("code")
    for number, text in enumerate(segment.elements):
        if number:
            append(code, tag("i", delimiters.element))
        if number == 0:
            name = tag("mark", text, class_=_mark_class(whole)) if whole else tag("b", text)
            append(code, name, *_references(whole))
        elif number in by_index:
            append(code, *_element(text, by_index.pop(number), delimiters.component))
        else:
            append(code, text)
    for _, beyond in sorted(by_index.items()):
        marks = [mark for _, mark in beyond]
        append(code, tag("mark", "\u25af", class_=f"{_mark_class(marks)} missing"), *_references(marks))
    position = str(segment.position) if segment.position else ""
    return tag("p", tag("span", position, class_="position"), code, class_="hit" if found else None)


def _element(text: str, marks: list[tuple[int | None, _Mark]], component: str) -> list[str | Element]:
    """An element with marks on it as a whole, or on components of it."""
    parts = text.split(component) if component else [text]
    all_marks = [mark for _, mark in marks]
    inner: dict[int, list[_Mark]] = {}
    for at, mark in marks:
        if at is None or at > len(parts) + 20:
            inner = {}
            break
        inner.setdefault(at, []).append(mark)
    if not inner:
        return [_marked(text, all_marks), *_references(all_marks)]
    parts += [""] * (max(inner) - len(parts))
    out: list[str | Element] = []
    for number, part in enumerate(parts, 1):
        if number > 1:
            out.append(component)
        if number in inner:
            out += [_marked(part, inner[number]), *_references(inner[number])]
        else:
            out.append(part)
    return out


def _marked(text: str, marks: list[_Mark]) -> Element:
    missing = "" if text else " missing"
    return tag("mark", text or "\u25af", class_=_mark_class(marks) + missing)


def _index(segment: str, at: str | None) -> tuple[int, int | None] | None:
    """`SV101-3` of SV1 as (1, 3), `NM109` as (9, None); None where it names no element of this segment."""
    found = re.fullmatch(r"([0-9]{2})(?:-([0-9]{1,2}))?", (at or "").removeprefix(segment))
    if found is None or not int(found[1]):
        return None
    return int(found[1]), int(found[2]) if found[2] and int(found[2]) else None
