"""What a code of an answer or a remittance means, as a page: `A7:562:85`, `IK403=1`, `CO-97`, `N362`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, NamedTuple

from edi_checker.acks import narrator, words
from edi_checker.acks.explain import Statement, advise_of_statuses, worst
from edi_checker.acks.heaps import HEAPS, Heap, advise, choose_heap
from edi_checker.acks.words import Outcome
from edi_checker.reference.adjustments import GROUPS, REASONS, REMARKS, Meaning
from edi_checker.reports.code_facts import show_days
from edi_checker.rules.explain import Section
from edi_checker.x12.dates import NO_END
from edi_checker.x12.fault_codes import CODES

# First and last days of a code in an imported list (`carc` or `rarc`, and the code).
Spans = Callable[[str, str], tuple[tuple[int, int], ...]]

SCHEMA = "edi-checker/explain/1"
_MOST_NEAR = 5
# The places that have the codes of another: by element, the one under which they are kept.
_SAME = {"AK304": "IK304", "AK403": "IK403", "TA105": "TA1"}
_SAME |= dict.fromkeys(("IK503", "IK504", "IK505", "IK506", *(f"AK50{n}" for n in range(2, 7))), "IK502")
_SAME |= dict.fromkeys(("AK906", "AK907", "AK908", "AK909"), "AK905")
_VERDICTS = {
    "TA104": words.INTERCHANGE_VERDICTS,
    "AK901": words.VERDICTS,
    "IK501": words.VERDICTS,
    "AK501": words.VERDICTS,
}
_WHERE = {
    "IK304": "IK304 of a 999: said of a segment",
    "IK403": "IK403 of a 999: said of an element",
    "IK502": "IK502 to IK506 of a 999: said of a transaction set",
    "AK905": "AK905 to AK909 of a 999: said of a functional group",
    "TA1": "TA105 of a TA1: said of an interchange",
}
# What is done about a group, set or interchange that was rejected.
_WHOLE_ADVICE = {
    "IK502": "If the set is rejected, correct it and send the whole set again, as a new file.",
    "AK905": "If the group is rejected, correct it and send the whole group again, as a new file.",
    "TA1": "If the interchange is rejected, correct it and send the whole file again with a new ISA13.",
}
_NEED_MORE = frozenset(("21", "402", "510", "511", "512", "700", "732"))
_OWN_WORDS = "Our own words for common codes; the full list is X12's."


class Page(NamedTuple):
    """What one code means: its kind, itself as it is written, and the parts of the page."""

    kind: str
    code: str
    sections: tuple[Section, ...]

    def as_json(self) -> dict[str, Any]:
        parts = [{"heading": part.heading, "lines": list(part.lines)} for part in self.sections]
        return {"kind": self.kind, "code": self.code, "sections": parts}


def pages_as_json(pages: Iterable[Page]) -> str:
    """The pages as `explain --format json` prints them."""
    said = {"schema": SCHEMA, "meanings": [page.as_json() for page in pages]}
    return json.dumps(said, indent=1) + "\n"


def explain_code(asked: str, spans: Spans) -> list[Page]:
    """Every meaning that a text has as a code, in any case of letters; none where none is known."""
    text = re.sub(r"\s+", " ", asked.strip().upper())
    return [page for read in _READERS for page in read(text, spans)]


def near_codes(asked: str) -> list[str]:
    """At most five codes that are nearly what was asked for, the likeliest first."""
    text = asked.strip().upper()
    if "=" in text:
        element, _, code = text.partition("=")
        element = _SAME.get(element, element)
        known = [each for each in CODES if each.startswith(f"{element}=")] or list(CODES)
        return get_close_matches(f"{element}={code}", known, _MOST_NEAR, 0.6)
    if ":" in text:
        category, *rest = text.split(":")
        lists: tuple[Iterable[str], ...] = (words.CATEGORIES, words.STATUSES, words.ENTITIES)
        parts = [
            part if part in known else next(iter(get_close_matches(part, list(known), 1, 0.5)), part)
            for part, known in zip((category, *rest), lists, strict=False)
        ]
        near = ":".join(parts)
        return [near] if near != text and explain_code(near, lambda *_: ()) else []
    group, _, reason = text.partition("-")
    if group in GROUPS and reason:
        return [f"{group}-{each}" for each in get_close_matches(reason, list(REASONS), 3, 0.5)]
    everything = [*REMARKS, *words.CATEGORIES, *(f"CO-{each}" for each in REASONS)]
    return get_close_matches(text, everything, _MOST_NEAR, 0.7)


def _of_999_and_ta1(text: str, _: Spans) -> Iterator[Page]:
    element, _sign, code = text.replace(" ", "").partition("=")
    if not _sign:
        if re.fullmatch(r"0[0-9]{2}", text):
            yield from _of_999_and_ta1(f"TA1={text}", _no_spans)
        return
    verdict = _VERDICTS.get(element, {}).get(code)
    if verdict is not None:
        parts = (("Means", verdict.words), ("Outcome", verdict.outcome))
        yield _page("verdict", f"{element}={code}", *parts)
        return
    name = _SAME.get(element, element)
    if name == "TA1":
        code = code.zfill(3)
    known = CODES.get(f"{name}={code}")
    if known is None:
        return
    of = {"IK304": "the segment ", "IK403": "the element "}.get(name, "")
    advice = f"{known.advice}." if known.advice else _WHOLE_ADVICE.get(name, "")
    if f"{name}={code}" in ("IK502=23", "AK905=19"):
        advice = words.TWICE_ADVICE
    if f"{name}={code}" == "TA1=025":
        advice = words.INTERCHANGE_TWICE_ADVICE
    if f"{name}={code}" == "TA1=000":
        advice = ""
    more = words.OPENER_ADVICE.get(f"{name}={code}", "")
    if more:
        more = f"If the segment is {', '.join(sorted(words.OPENERS))}: {more[0].lower()}{more[1:]}"
    place = ("Stands in", _WHERE[name])
    yield _page(
        "acknowledgement", f"{name}={code}", ("Means", of + known.words), place, ("Do", advice), ("", more)
    )


def _of_statuses(text: str, _: Spans) -> Iterator[Page]:
    text = re.sub(r"^STC(?:01|10|11)?[=*]", "", text)
    parts = re.split(r"[:>|/]", text)
    category, status, entity = (*parts, "", "")[:3]
    if len(parts) > 3 or category not in words.CATEGORIES:
        return
    if (status and status not in words.STATUSES) or (entity and entity not in words.ENTITIES):
        return
    verdict = words.CATEGORIES[category]
    code = ":".join(filter(None, (category, status, entity)))
    (said, *_more) = narrator.say_statuses([["STC", code]], ":")
    outcome = worst((said.outcome,))
    advice = advise_of_statuses("claim", outcome, (code,))
    statement = Statement("277CA", "claim", "", outcome, said.text, advice, (code,))
    heap = choose_heap(statement, outcome)
    yield _page(
        "claim status",
        code,
        ("Means", said.text),
        ("Category", f"{category}: {verdict.words}"),
        ("Status", f"{status}: {_of_whom(status, entity)}" if status else ""),
        ("Entity", f"{entity}: {words.ENTITIES[entity]}" if entity else ""),
        ("Outcome", outcome),
        ("To do", _say_to_do(heap, outcome)),
        ("Do", advise(statement, heap)),
        (
            "",
            "This status stands beside another one, which says what exactly." if status in _NEED_MORE else "",
        ),
        (
            "",
            "It is said of a whole batch (STC of the receiver), not of one claim." if status == "746" else "",
        ),
        ("Stands in", "STC01, STC10 or STC11 of a 277CA"),
    )


def _say_to_do(heap: Heap, outcome: Outcome) -> str:
    if heap == "leave":
        return "Leave, do not send it again" if outcome == "rejected" else "Leave, accepted"
    return HEAPS[heap]


def _of_whom(status: str, entity: str) -> str:
    known = words.ENTITIES.get(entity)
    return words.STATUSES[status].format(who=f"the {known}" if known else "the party that a third part names")


def _of_one_list(text: str, _: Spans) -> Iterator[Page]:
    """A status or an entity alone."""
    if text in words.STATUSES:
        said = _of_whom(text, "")
        yield _page("claim status", text, ("Status", f"{text}: {said}"), ("Stands in", "STC01-2 of a 277CA"),
                    ("Do", words.NOT_AGAIN.get(text) or words.STATUS_ADVICE.get(text, "")))  # fmt: skip
    if text in words.ENTITIES:
        yield _page("entity", text, ("Entity", f"{text}: {words.ENTITIES[text]}"),
                    ("Stands in", "STC01-3 of a 277CA"))  # fmt: skip
    if text in GROUPS:
        yield _page(
            "adjustment group", text, *_say(GROUPS[text]), ("Stands in", "CAS01 of an 835 or of loop 2320")
        )


def _of_adjustments(text: str, spans: Spans) -> Iterator[Page]:
    found = re.fullmatch(r"(?:(CO|PR|OA|PI|CR)[- :]?)?([1-9][0-9]{0,2}|[A-LO-Z][0-9]{1,2})", text)
    if found is None:
        return
    group, reason = found.groups()
    days = spans("carc", reason)
    known = REASONS.get(reason)
    if known is None and not (group and days):
        return
    if group is None and reason in words.CATEGORIES:
        return  # more likely meant as the category of a 277CA
    said = (
        _say(known)
        if known
        else (("Means", "a reason of which nothing is said here: see the payer's remittance"),)
    )
    of = GROUPS[group] if group else None
    yield _page(
        "adjustment reason",
        f"{group}-{reason}" if group else reason,
        *said,
        ("Group", f"{group}: {of.words}" if of else ""),
        ("", of.advice if of else ""),
        *_in_force(days),
        ("Stands in", "CAS of an 835, or of loops 2320 and 2430 of a claim"),
        ("Note", _OWN_WORDS if known else ""),
    )


def _of_remarks(text: str, spans: Spans) -> Iterator[Page]:
    if not re.fullmatch(r"(?:MA|M|N)[0-9]{1,4}", text):
        return
    days = spans("rarc", text)
    known = REMARKS.get(text)
    if known is None and not days:
        return
    said = (
        _say(known)
        if known
        else (("Means", "a remark of which nothing is said here: see the payer's remittance"),)
    )
    place = ("Stands in", "LQ, MOA or MIA of an 835")
    yield _page("remark", text, *said, *_in_force(days), place, ("Note", _OWN_WORDS if known else ""))


def _say(known: Meaning) -> tuple[tuple[str, str], ...]:
    return ("Means", known.words), ("Do", known.advice)


def _in_force(days: Iterable[tuple[int, int]]) -> tuple[tuple[str, str], ...]:
    return tuple(("In force", show_days(first, last)) for first, last in days if first or last != NO_END)


def _page(kind: str, code: str, *parts: tuple[str, str]) -> Page:
    sections = [Section("Code", (f"{code} ({kind})",))]
    for heading, line in parts:
        if line and heading:
            sections.append(Section(heading, (line,)))
        elif line:
            sections[-1] = Section(sections[-1].heading, (*sections[-1].lines, line))
    return Page(kind, code, tuple(sections))


def _no_spans(*_: str) -> tuple[tuple[int, int], ...]:
    return ()


_READERS: tuple[Callable[[str, Spans], Iterator[Page]], ...] = (
    _of_999_and_ta1,
    _of_statuses,
    _of_one_list,
    _of_adjustments,
    _of_remarks,
)
