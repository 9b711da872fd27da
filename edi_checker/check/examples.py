"""Examples of rule files, written in a short notation, to claim files that go through the whole check.

    lines: ["97530:GP:59 x2", "97110:GP x1 on 2026-02-03 $120.00 by 1234567893 dx 1,2 min 25 note TEXT"]
    claim: {payer: medicare, date: 2026-02-03, received: 2026-03-02, charge: "100.00", place: "11",
            payer_id: "60054", authorization: A1, taxonomy: 225100000X, set: {CLM05-3: "7"}}
    edit:  [{find: "N3*", after: "NM1*85", replace: "N3*"}]     changes of single segments: see
    `edit_segments`
    more:  [{lines: [...], claim: {date: 2026-02-10}}]          further claims of the same patient
           (date, charge, place, diagnoses, rendering, certified and set, where not said, are as in the first)
    before: [{lines: [...], claim: {date: 2026-02-10}}]        claims of the same patient in an earlier file,
           received the day before; their numbers (CLM01) are EARLIER1, EARLIER2
    twice: true                        the whole interchange a second time
    at:    2, or SV101-3, or N3        the line, element or segment at which a failing example is found

Everything that is not said comes from one base claim: a physical therapist's, for a patient who is the
subscriber.
"""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from edi_checker.check.checker import Checker
from edi_checker.claims.minutes import Minutes
from edi_checker.facts import InputMemory
from edi_checker.facts.history import ClaimHistory, KeptLine
from edi_checker.rules import Rule
from edi_checker.rules.explain import Section, say_example
from edi_checker.rules.model import Notation
from edi_checker.rules.near import ask_near
from edi_checker.x12.dates import day_before
from edi_checker.x12.finding import Finding, Place
from edi_checker.x12.money import quantity

# What the notation says, as the rule file holds it: texts in lists and mappings.
Example = Mapping[str, Any]

_ISA = (
    "ISA*00*          *00*          *ZZ*SUBMITTER      *ZZ*RECEIVER       "
    "*{created}*1200*^*00501*000000001*0*T*:"
)
_FILING_INDICATOR = {"medicare": "MB", "medicaid": "MC", "commercial": "CI"}
_LINE = re.compile(
    r"(?P<procedure>\S+)"
    r"(?: x(?P<units>[0-9.]+))?"
    r"(?: (?P<unit>MJ|UN))?"
    r"(?: on (?P<first>[0-9-]{10})(?:\.\.(?P<last>[0-9-]{10}))?)?"
    r"(?: \$(?P<charge>-?[0-9.]+))?"
    r"(?: by (?P<by>[0-9]{10}))?"
    r"(?: dx (?P<pointers>[0-9,]+))?"
    r"(?: min (?P<minutes>[0-9]+))?"
    r"(?: assistant (?P<assistant>[0-9]+))?"
    r"(?: note (?P<note>.+))?"
)


class ExampleError(ValueError):
    """An example that is not written in the notation; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Written:
    """An example as a file: its text, its minutes file (CSV text), the date of receipt (CCYYMMDD)."""

    text: str
    minutes: str
    received: int


_OF_EXAMPLE = ("lines", "claim", "more", "before", "edit", "twice", "at", "severity", "says")
_OF_CLAIM = (
    "payer",
    "date",
    "received",
    "charge",
    "place",
    "taxonomy",
    "rendering",
    "diagnoses",
    "set",
    "certified",
    "payer_id",
    "authorization",
)


def _check_keys(given: Mapping[str, Any], known: Collection[str], where: str = "") -> None:
    unknown = set(given) - set(known)
    if unknown:
        near = ask_near(min(unknown), known)
        raise ExampleError(f"unknown key {min(unknown)!r}{where}{f'.{near}' if near else ''}")


def write_example(example: Example) -> Written:
    """The claim file that an example stands for."""
    _check_keys(example, _OF_EXAMPLE)
    claim = example.get("claim") or {}
    _check_keys(claim, _OF_CLAIM, " in claim")
    lines = example.get("lines") or ["97530:GP x2"]
    segments, minutes = _segments(lines, claim)
    for address, value in (claim.get("set") or {}).items():
        segments = _set_element(segments, address, str(value))
    end = segments.index("SE*0*0001")
    for number, further in enumerate(example.get("more") or (), 2):
        _check_keys(further, ("lines", "claim"), " in more")
        said = {**claim, **(further.get("claim") or {})}
        _check_keys(said, {*claim, *_OF_EACH_CLAIM}, " in a further claim")
        written, more_minutes = _claim(number, further.get("lines") or lines, said)
        for address, value in (said.get("set") or {}).items():
            written = _set_element(written, address, str(value))
        segments[end:end] = written
        end += len(written)
        minutes += more_minutes
    edited = edit_segments(segments, example.get("edit") or ())
    text = "".join(segment + "~\n" for segment in _recount(segments, edited))
    if _is_true(example.get("twice")):
        text += text
    rows = "".join(f"{row}\n" for row in minutes)
    header = "claim,line,minutes,assistant_minutes\n"
    received = _compact(str(claim.get("received", "2026-03-02")))
    return Written(text, header + rows if rows else "", int(received))


def asking(checker: Checker, rule: Rule) -> Checker:
    """The checker where the rule is asked for by name: it may be off until somebody does."""
    return replace(checker, engine=checker.engine.asking(rule))


def run_example(checker: Checker, example: Example) -> list[Finding]:
    """The findings of the whole check on one example, in document order."""
    return _check_example(checker, example)[0]


def _check_example(checker: Checker, example: Example) -> tuple[list[Finding], str]:
    """The findings, and why a part could not be checked, "" where all could."""
    written = write_example(example)
    setting = replace(
        checker.setting,
        received=written.received,
        minutes=Minutes.parse(written.minutes, "example") if written.minutes else None,
    )
    checker = replace(checker, setting=setting)
    memory = InputMemory(setting.minutes, history=_history_of(checker, example))
    parts = list(checker.check(io.BytesIO(written.text.encode()), memory))
    findings = [finding for checked in parts for finding in checked.findings]
    return findings, next((checked.failed for checked in parts if checked.failed), "")


def _history_of(checker: Checker, example: Example) -> ClaimHistory | None:
    """What the earlier file of an example leaves; None where it has none."""
    claims = example.get("before")
    if not claims:
        return None
    first, *more = claims
    claim = {**(example.get("claim") or {}), **(first.get("claim") or {})}
    claim["set"] = dict((first.get("claim") or {}).get("set", {}))
    written = write_example({"lines": first.get("lines") or [], "claim": claim, "more": more})
    text = written.text.replace("CLM*EXAMPLE", "CLM*EARLIER")
    received = day_before(checker.setting.received)
    left = ClaimHistory(_PlainKeys(), lambda _: {}, received, keeps=True)
    earlier = replace(checker, setting=replace(checker.setting, received=received, minutes=None))
    for _ in earlier.check(io.BytesIO(text.encode()), InputMemory(history=left)):
        pass
    found: dict[bytes, list[KeptLine]] = {}
    for row in left.rows():
        if not row.void:  # nothing was before it
            found.setdefault(row.key, []).append(KeptLine(row.claim, row.packed, doubtful=False))
    return ClaimHistory(_PlainKeys(), lambda keys: {key: found.get(key, []) for key in keys}, received)


class _PlainKeys:
    """Keys without a secret: an example has nothing to hide."""

    def key(self, kind: str, *parts: str) -> bytes:
        return blake2b("\x1f".join((kind, *parts)).encode(), digest_size=16).digest()

    def keys(self, kind: str, words: Iterable[str]) -> list[bytes]:
        return [self.key(kind, word) for word in words]

    def claim(self, *parts: str) -> bytes:
        return self.key("claim", *parts)[:8]


@dataclass(frozen=True, slots=True)
class Shown:
    """A failing example: its notation, the segments that its finding points at (its own place first; none
    where the finding is that something is missing), and the finding.
    """

    example: Notation
    segments: tuple[str, ...]
    finding: Finding

    @property
    def given(self) -> list[str]:
        """What goes in: the segments that matter, else the example as it is written."""
        return [f"{segment}~" for segment in self.segments] or [say_example(self.example)]

    def sections(self) -> tuple[Section, ...]:
        """What goes in, what comes out, the codes that answer it, the release of the table that decided."""
        finding = self.finding
        line = f"line {finding.where.line}, " if finding.where.line is not None else ""
        place = f"{line}{finding.where.loop} {finding.where.element or finding.where.segment}"
        status = finding.status
        codes = [
            (name, ", ".join(given)) for name, given in (("999", status.ack999), ("277CA", status.ack277ca))
        ]
        codes.append(("TA1", status.ta1 or ""))
        answered = [f"{name} {given}" for name, given in codes if given]
        table = f"{finding.table.name}, {finding.table.version}" if finding.table is not None else ""
        sections = (
            ("Example in", self.given),
            ("Example out", [f"{finding.severity} at {place}: {finding.message}", f"fix: {finding.fix}"]),
            ("Answered with", ["; ".join(answered)]),
            ("Table", [table]),
        )
        return tuple(Section(heading, tuple(lines)) for heading, lines in sections if any(lines))


def show_example(checker: Checker, rule: Rule) -> Shown | None:
    """The first failing example of a rule that gives its finding, None where none does."""
    checker = asking(checker, rule)
    for example in rule.examples.failing:
        for finding in run_example(checker, example):
            if finding.rule == rule.id:
                segments = write_example(example).text.replace("\n", "").split("~")
                at = tuple(_segments_at(segments, (finding.where, *finding.related)))
                return Shown(example, at, finding)
    return None


def _segments_at(segments: Sequence[str], places: Iterable[Place]) -> Iterable[str]:
    begin = next((index for index, segment in enumerate(segments) if segment.startswith("ST*")), 0)
    for place in places:
        index = begin + place.position - 1
        if not place.position:
            index = next((i for i, segment in enumerate(segments) if segment.startswith(place.segment)), -1)
        # Where something is missing another segment stands in its place.
        if 0 <= index < len(segments) and segments[index].startswith(place.segment):
            yield segments[index]


def try_examples(checker: Checker, rule: Rule) -> list[str]:
    """What is wrong with a rule's examples: one sentence each, none where all do as they say.

    A passing example gives no finding of the rule; a failing one gives the rule's finding, at its place, and
    no other error or warning of the same family (the first part of the id). What is remembered of claims that
    were checked before must change none of its findings.
    """
    complaints = []
    checker = asking(checker, rule)
    family = rule.id.partition(".")[0]
    forgetful, remembering = replace(checker, fast=False), replace(checker, fast=True)
    for number, example in enumerate(rule.examples.passing, 1):
        where = f"{rule.path}: passing example {number}"
        findings, failed = _check_example(checker, example)
        found = [f for f in findings if f.rule == rule.id]
        if failed:
            complaints.append(f"{where} cannot be checked: {failed}")
        elif found:
            complaints.append(f"{where} gives the finding: {found[0].message}")
    for number, example in enumerate(rule.examples.failing, 1):
        where = f"{rule.path}: failing example {number}"
        findings, failed = _check_example(forgetful, example)
        own = [f for f in findings if f.rule == rule.id]
        others = [
            f
            for f in findings
            if f.rule != rule.id and f.rule.startswith(family + ".") and f.severity != "info"
        ]
        if failed:
            complaints.append(f"{where} cannot be checked: {failed}")
        elif not own:
            complaints.append(f"{where} gives no finding of this rule")
        elif others:
            complaints.append(f"{where} also gives {others[0].rule}: {others[0].message}")
        elif (at := example.get("at")) is not None and not any(_stands_at(f, str(at)) for f in own):
            place = own[0].where
            complaints.append(
                f"{where} is found at line {place.line}, {place.element or place.segment}, not at {at}"
            )
        elif (severity := example.get("severity")) and own[0].severity != severity:
            complaints.append(f"{where} is {own[0].severity}, not {severity}")
        elif (says := example.get("says")) and str(says) not in own[0].message:
            complaints.append(f"{where} does not say {says!r} but: {own[0].message}")
        if failed:
            continue
        run_example(remembering, _plain(example))
        remembered, failed = _check_example(remembering, example)
        if failed or remembered != findings:
            difference = failed or _tell_difference(findings, remembered)
            complaints.append(
                f"{where} gives other findings with what is remembered of claims before it: {difference}"
            )
    return complaints


def _plain(example: Example) -> Example:
    """The base claim of the same day, to the same payer: what is remembered of it serves the example too."""
    claim = example.get("claim") or {}
    return {"claim": {name: claim[name] for name in _OF_THE_RUN if name in claim}}


_OF_THE_RUN = ("payer", "payer_id", "received", "date", "place", "taxonomy")


def _tell_difference(without: Sequence[Finding], remembered: Sequence[Finding]) -> str:
    """Which rules speak in one of two lists of findings alone; these are not the same."""
    one, other = ({finding.rule for finding in findings} for findings in (without, remembered))
    lost, new = sorted(one - other), sorted(other - one)
    said = [f"{words} {', '.join(ids)}" for words, ids in (("none of", lost), ("also", new)) if ids]
    return "; ".join(said) or "the same rules say something else"


def _stands_at(finding: Finding, at: str) -> bool:
    if at.isdigit():
        return finding.where.line == int(at)
    return at in (finding.where.element, finding.where.segment, finding.where.loop)


def edit_segments(segments: Sequence[str], edits: Iterable[Mapping[str, Any]]) -> list[str]:
    """Segments changed one by one. Each edit finds the first segment that begins with `find` (from the
    segment that begins with `after` on) and does one thing: `delete: true`, `replace: TEXT`, `insert: TEXT`
    (before it), `append: TEXT` (behind it), `repeat: N` (N times in all), `swap: true` (with the next one),
    `set: {ELEMENT: VALUE}` (by number, `3` or `5-1`).
    """
    out = list(segments)
    for edit in edits:
        start = _index(out, edit["after"], 0) + 1 if "after" in edit else 0
        at = _index(out, edit["find"], start)
        if _is_true(edit.get("delete")):
            del out[at]
        elif "replace" in edit:
            out[at] = edit["replace"]
        elif "insert" in edit:
            out[at:at] = edit["insert"].split("~")
        elif "append" in edit:
            out[at + 1 : at + 1] = edit["append"].split("~")
        elif "repeat" in edit:
            out[at : at + 1] = [out[at]] * int(edit["repeat"])
        elif _is_true(edit.get("swap")):
            out[at], out[at + 1] = out[at + 1], out[at]
        elif "set" in edit:
            for number, value in edit["set"].items():
                out[at] = _with_element(out[at], str(number), str(value))
        else:
            raise ExampleError(f"an edit of {edit['find']!r} does nothing")
    return out


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _index(segments: Sequence[str], prefix: str, start: int) -> int:
    for index in range(start, len(segments)):
        if segments[index].startswith(prefix):
            return index
    raise ExampleError(f"no segment begins with {prefix!r}")


def _with_element(segment: str, number: str, value: str) -> str:
    place, _, component = number.partition("-")
    elements = segment.split("*")
    elements += [""] * (int(place) + 1 - len(elements))
    if component:
        parts = elements[int(place)].split(":")
        parts += [""] * (int(component) - len(parts))
        parts[int(component) - 1] = value
        value = ":".join(parts)
    elements[int(place)] = value
    return "*".join(elements)


def _set_element(segments: Sequence[str], address: str, value: str) -> list[str]:
    found = re.fullmatch(r"([A-Z][A-Z0-9]{1,2})([0-9]{2}(?:-[0-9]+)?)", address)
    if found is None:
        raise ExampleError(f"{address!r} is not an element such as CLM05-3")
    number = found.group(2)
    return edit_segments(
        segments, [{"find": found.group(1) + "*", "set": {number.lstrip("0") or "0": value}}]
    )


def _recount(original: Sequence[str], edited: Sequence[str]) -> list[str]:
    """SE01 counted again, unless the edit speaks of the trailer itself."""
    trailer = next(s for s in original if s.startswith("SE*"))
    out = list(edited)
    begins = [i for i, s in enumerate(out) if s.startswith("ST*")]
    if trailer in out and begins:
        end = out.index(trailer)
        out[end] = _with_element(trailer, "1", str(end - begins[0] + 1))
    return out


def _compact(text: str) -> str:
    return text.replace("-", "")


_OF_EACH_CLAIM = {"date", "charge", "place", "diagnoses", "rendering", "certified", "set"}


def _claim(number: int, lines: Sequence[str], claim: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The segments of the claim that has this number in the file, and the rows of its minutes."""
    on = _compact(str(claim.get("date", "2026-02-03")))
    body: list[str] = []
    minutes: list[str] = []
    total = Decimal(0)
    for ordinal, line in enumerate(lines, 1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise ExampleError(f"cannot read the line {line!r}")
        units = found["units"] or "1"
        charge = found["charge"] or f"{50 * (quantity(units) or 0):.2f}"
        total += quantity(charge) or 0
        first = _compact(found["first"] or on)
        last = _compact(found["last"] or first)
        date = f"DTP*472*D8*{first}" if last == first else f"DTP*472*RD8*{first}-{last}"
        pointers = (found["pointers"] or "1").replace(",", ":")
        body += [
            f"LX*{ordinal}",
            f"SV1*HC:{found['procedure']}*{charge}*{found['unit'] or 'UN'}*{units}***{pointers}",
            date,
            f"REF*6R*L{ordinal}",
        ]
        if found["note"]:
            body.append(f"NTE*ADD*{found['note']}")
        if found["by"]:
            body.append(f"NM1*82*1*BROOK*LINNEA****XX*{found['by']}")
        if found["minutes"]:
            minutes.append(f"EXAMPLE{number},{ordinal},{found['minutes']},{found['assistant'] or ''}")
    diagnoses = claim.get("diagnoses") or ["M6281", "R262"]
    hi = "*".join(f"{'ABF' if i else 'ABK'}:{code}" for i, code in enumerate(diagnoses))
    charge = claim.get("charge") or f"{total:.2f}"
    head = [
        f"CLM*EXAMPLE{number}*{charge}***{claim.get('place', '11')}:B:1*Y*A*Y*Y",
        *([f"REF*G1*{claim['authorization']}"] if claim.get("authorization") else []),
        f"HI*{hi}",
    ]
    if claim.get("certified") != "false":
        head.append("NM1*DN*1*CEDAR*CLARA****XX*1679576722")
    if claim.get("rendering"):
        head.append(f"NM1*82*1*BIRCH*BENNO****XX*{claim['rendering']}")
    return [*head, *body], minutes


def _segments(lines: Sequence[str], claim: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    payer = str(claim.get("payer", "medicare"))
    if payer not in _FILING_INDICATOR:
        raise ExampleError(f"unknown payer {payer!r}")
    written, minutes = _claim(1, lines, claim)
    # Written the day before it is received, where that is not said.
    created = min("20260301", _compact(str(claim.get("received", "2026-03-02"))))
    head = [
        _ISA.format(created=created[2:]),
        f"GS*HC*SUBMITTER*RECEIVER*{created}*1200*1*X*005010X222A1",
        "ST*837*0001*005010X222A1",
        f"BHT*0019*00*BATCH1*{created}*1200*CH",
        "NM1*41*2*ALDER BILLING*****46*SUBMITTER",
        "PER*IC*OFFICE*TE*5550100100",
        "NM1*40*2*EXAMPLE PAYER*****46*RECEIVER",
        "HL*1**20*1",
        f"PRV*BI*PXC*{claim.get('taxonomy', '225100000X')}",
        "NM1*85*1*ALDER*ANN****XX*1234567893",
        "N3*1 ALDER ROAD",
        "N4*ALBANY*NY*122070001",
        "REF*EI*123456789",
        "HL*2*1*22*0",
        f"SBR*P*18*******{_FILING_INDICATOR[payer]}",
        "NM1*IL*1*MAPLE*MARTA****MI*1EG4TE5MK73",
        "N3*2 MAPLE STREET",
        "N4*ALBANY*NY*122070002",
        "DMG*D8*19500101*F",
        f"NM1*PR*2*EXAMPLE PAYER*****PI*{claim.get('payer_id', 'PAYER1')}",
    ]
    return [*head, *written, "SE*0*0001", "GE*1*1", "IEA*1*000000001"], minutes
