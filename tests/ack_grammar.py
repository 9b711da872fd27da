"""The grammar of TA1, 999 and 277CA as tables, and a parser that holds every answer to it.

`complaints(text)` lists what is wrong with a file of answers: structure, element requirements, lengths and
codes, control numbers and counts, and what has to agree within an answer (HL numbers, totals, verdicts).
Written from the published examples and code lists, apart from the code that it tests.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise


@dataclass(frozen=True)
class Element:
    """`R` required, `S` situational, `N` not used; type ID, AN, N0, R, DT, TM or C; lengths; codes."""

    usage: str
    type: str = "AN"
    shortest: int = 1
    longest: int = 80
    codes: frozenset[str] = frozenset()
    parts: tuple[Element, ...] = ()


@dataclass(frozen=True)
class Segment:
    """`key` is the element (from 1) whose codes tell segments of one id apart; 0 where the id is enough."""

    id: str
    usage: str
    repeat: int
    elements: tuple[Element, ...]
    key: int = 0


@dataclass(frozen=True)
class Loop:
    """Its first child, a segment, opens it. `repeat` 0 has no limit."""

    id: str
    usage: str
    repeat: int
    children: tuple[Segment | Loop, ...]


def _e(spec: str, *parts: str) -> Element:
    """`R ID 2 3`, `R ID FA|HN` (codes), `S C` with its components, `N`."""
    usage, *rest = spec.split()
    if not rest:
        return Element(usage)
    kind = rest[0]
    if kind == "C":
        return Element(usage, "C", parts=tuple(_e(part) for part in parts))
    if len(rest) == 2:
        codes = frozenset(rest[1].split("|"))
        return Element(usage, kind, min(map(len, codes)), max(map(len, codes)), codes)
    return Element(usage, kind, int(rest[1]), int(rest[2]))


def _s(id: str, usage: str, repeat: int, *elements: str | Element, key: int = 0) -> Segment:
    return Segment(id, usage, repeat, tuple(e if isinstance(e, Element) else _e(e) for e in elements), key)


_IK304 = "1|2|3|4|5|6|7|8|I4|I6|I7|I8|I9"
_IK403 = "1|2|3|4|5|6|7|8|9|10|12|13|I6|I9|I10|I11|I12|I13"
_IK502 = "1|2|3|4|5|6|7|8|9|10|11|12|13|15|16|17|18|19|23|24|25|26|27|I5|I6"
_AK905 = "1|2|3|4|5|6|10|11|12|13|14|15|16|17|18|19|23|24|25|26"
_TA105 = "|".join(f"{n:03d}" for n in range(32))
# CTX06 gives the reference number of the trigger's element: 1325, or C023:1325 within a composite.
_TRIGGER = _s(
    *("CTX", "S", 10, "R ID SITUATIONAL~TRIGGER".replace("ID ", "AN "), "R ID 2 3", "R N0 1 10", "S AN 1 4"),
    _e("S C", "R N0 1 2", "S N0 1 2", "S N0 1 4"),
    _e("S C", "R AN 1 4", "S AN 1 4"),
    key=1,
)

TA1 = _s("TA1", "S", 1, "R N0 9 9", "R DT 6 6", "R TM 4 4", "R ID A|E|R", f"R ID {_TA105}")

# AK103 may be absent where the group names no version; AK202 echoes the ST02 that was sent, however short.
SET_999 = Loop(
    "ST",
    "R",
    0,
    (
        _s("ST", "R", 1, "R ID 999", "R AN 4 9", "R ID 005010X231|005010X231A1"),
        _s("AK1", "R", 1, "R ID 2 2", "R AN 1 9", "S AN 1 12"),
        Loop(
            "2000",
            "S",
            0,
            (
                _s("AK2", "S", 1, "R ID 3 3", "R AN 1 9", "S AN 1 35"),
                Loop(
                    "2100",
                    "S",
                    99_999,
                    (
                        _s("IK3", "S", 1, "R ID 2 3", "R N0 1 10", "S AN 1 4", f"R ID {_IK304}"),
                        _TRIGGER,
                        _s(
                            "CTX",
                            "S",
                            9,
                            _e("R C", "R AN CLM01", "R AN 1 35"),
                            "N",
                            "N",
                            "N",
                            "N",
                            "N",
                            key=1,
                        ),
                        Loop(
                            "2110",
                            "S",
                            99,
                            (
                                _s(
                                    "IK4",
                                    "S",
                                    1,
                                    _e("R C", "R N0 1 2", "S N0 1 2", "S N0 1 4"),
                                    "S N0 1 4",
                                    f"R ID {_IK403}",
                                    "S AN 1 99",
                                ),
                                _TRIGGER,
                            ),
                        ),
                    ),
                ),
                _s("IK5", "R", 1, "R ID A|E|M|R|W|X", *[f"S ID {_IK502}"] * 5),
            ),
        ),
        _s("AK9", "R", 1, "R ID A|E|P|R", *["R N0 1 6"] * 3, *[f"S ID {_AK905}"] * 5),
        _s("SE", "R", 1, "R N0 1 10", "R AN 4 9"),
    ),
)


def _status(entities: str, usage: tuple[str, str, str, str], required: str = "R") -> Segment:
    """STC; `usage` of 02, 03 (with its codes), 04 and 12."""
    entity = f"S ID {entities}"
    composite = ("R ID A0|A1|A2|A3|A4|A6|A7|A8", "R N0 1 4", entity)
    date, action, amount, text = usage
    return _s(
        *("STC", required, 0, _e("R C", *composite), date, action, amount, "N", "N", "N", "N", "N"),
        *(_e("S C", *composite), _e("S C", *composite), text),
    )


def _quantity(code: str) -> Segment:
    return _s("QTY", "S", 1, f"R ID {code}", "R R 1 15", key=1)


def _amount(code: str) -> Segment:
    return _s("AMT", "S", 1, f"R ID {code}", "R R 1 18", key=1)


def _reference(code: str) -> Segment:
    return _s("REF", "S", 1, f"R ID {code}", "R AN 1 50", key=1)


def _trace(kind: str, required: str = "R") -> Segment:
    return _s("TRN", required, 1, f"R ID {kind}", "R AN 1 50")


def _name(codes: str, kinds: str, ids: str, given: str, required: str = "R") -> Segment:
    """NM1; `given` is the usage of NM104 and NM105, `required` that of NM108 and NM109."""
    return _s(
        *(
            "NM1",
            "R",
            1,
            f"R ID {codes}",
            f"R ID {kinds}",
            "R AN 1 60",
            f"{given} AN 1 35",
            f"{given} AN 1 25",
        ),
        *("S AN 1 10" if given == "S" else "N", "S AN 1 10" if given == "S" else "N"),
        *(f"{required} ID {ids}", f"{required} AN 2 80"),
    )


def _level(code: str, child: str) -> Segment:
    parent = "N" if code == "20" else "R AN 1 12"
    return _s("HL", "R", 1, "R AN 1 12", parent, f"R ID {code}", child, key=3)


_ENTITIES_B = "36|40|41|AY|PR"
_ENTITIES_C = f"{_ENTITIES_B}|77|82|85|87"
_ENTITIES_D = "03|1P|1Z|40|41|71|72|73|77|82|85|87|DK|DN|DQ|FA|GB|HK|IL|LI|MSC|PR|PRP|QB|QC|QD|SEP|TL|TTP|TU"
_SERVICE_DATE = _s("DTP", "S", 1, "R ID 472", "R ID D8|RD8", "R AN 8 17", key=1)

_LINE = Loop(
    "2220D",
    "S",
    0,
    (
        _s(
            *("SVC", "S", 1),
            _e(
                *("R C", "R ID AD|ER|HC|HP|IV|NU|WK", "R AN 1 48"),
                *["S AN 2 2"] * 4,
            ),
            *("R R 1 18", "N", "S AN 1 48", "N", "N", "S R 1 15"),
        ),
        _status(_ENTITIES_D, ("N", "R ID U", "N", "N")),
        _reference("FJ"),
        _reference("XZ"),
        _SERVICE_DATE,
    ),
)
# 2200C (from TRN on) is situational, and payers send it with its TRN alone.
# NM108 and NM109 are left out where the claim file names no identifier at all, and DTP*472 where no date of
# service can be read: an answer must not invent what the claim does not say.
_PATIENT = Loop(
    "2000D",
    "S",
    0,
    (
        _level("PT", "N"),
        _name("QC", "1", "II|MI", "S", "S"),
        Loop(
            "2200D",
            "R",
            0,
            (
                _trace("2"),
                _status(_ENTITIES_D, ("R DT 8 8", "R ID U|WQ", "R R 1 18", "S AN 1 264")),
                _reference("1K"),
                _reference("D9"),
                _reference("BLT"),
                _SERVICE_DATE,
                _LINE,
            ),
        ),
    ),
)
_PROVIDER = Loop(
    "2000C",
    "S",
    0,
    (
        _level("19", "R ID 0|1"),
        _name("85", "1|2", "FI|SV|XX", "S", "S"),
        _trace("1", "S"),
        _status(_ENTITIES_C, ("N", "R ID U|WQ", "R R 1 18", "N"), "S"),
        _quantity("QA"),
        _quantity("QC"),
        _amount("YU"),
        _amount("YY"),
        _PATIENT,
    ),
)
SET_277 = Loop(
    "ST",
    "R",
    0,
    (
        _s("ST", "R", 1, "R ID 277", "R AN 4 9", "R ID 005010X214"),
        _s("BHT", "R", 1, "R ID 0085", "R ID 08", "R AN 1 50", "R DT 8 8", "R TM 4 8", "R ID TH"),
        Loop(
            "2000A",
            "R",
            1,
            (
                _level("20", "R ID 1"),
                _name("AY|PR", "2", "46|FI|PI|XV", "N"),
                _trace("1"),
                _s("DTP", "R", 1, "R ID 050", "R ID D8", "R DT 8 8", key=1),
                _s("DTP", "R", 1, "R ID 009", "R ID D8", "R DT 8 8", key=1),
                Loop(
                    "2000B",
                    "R",
                    1,
                    (
                        _level("21", "R ID 0|1"),
                        _name("41", "1|2", "46", "S"),
                        _trace("2"),
                        _status(_ENTITIES_B, ("R DT 8 8", "R ID U|WQ", "R R 1 18", "N")),
                        _quantity("90"),
                        _quantity("AA"),
                        _amount("YU"),
                        _amount("YY"),
                        _PROVIDER,
                    ),
                ),
            ),
        ),
        _s("SE", "R", 1, "R N0 1 10", "R AN 4 9"),
    ),
)

SETS = {"FA": SET_999, "HN": SET_277}
VERSIONS = {"FA": ("005010X231", "005010X231A1"), "HN": ("005010X214",)}
ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
NEEDS_PARTNER = ("21", "402", "510", "511", "512", "700", "732")


@dataclass
class Node:
    """A parsed loop: its own segments, and the loops inside it, in order."""

    id: str
    segments: list[list[str]] = field(default_factory=list)
    loops: list[Node] = field(default_factory=list)

    def all(self, name: str, code: str = "") -> list[list[str]]:
        return [s for s in self.segments if s[0] == name and (not code or s[1] == code)]

    def first(self, name: str, code: str = "") -> list[str] | None:
        found = self.all(name, code)
        return found[0] if found else None

    def inside(self, *path: str) -> Iterator[Node]:
        for loop in self.loops:
            if loop.id == path[0]:
                if len(path) == 1:
                    yield loop
                else:
                    yield from loop.inside(*path[1:])


@dataclass
class Answer:
    """One parsed answer interchange."""

    isa: list[str]
    ta1: list[str] | None = None
    sets: list[tuple[str, Node]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def split(text: str) -> list[str]:
    """The interchanges of a file of answers, each as its own text."""
    text = text.lstrip("\ufeff")
    starts = [m.start() for m in re.finditer(r"ISA(?=[^A-Za-z0-9\s])", text)]
    return [text[a:b] for a, b in pairwise([*starts, len(text)])]


def complaints(text: str) -> list[str]:
    """Everything that is wrong with the answers in a file, over all of its interchanges."""
    found = [complaint for piece in split(text) for complaint in parse(piece).complaints]
    numbers = Counter(parse(piece).isa[13] for piece in split(text))
    return found + [
        f"ISA: control number {n} used {times} times" for n, times in numbers.items() if times > 1
    ]


def parse(text: str) -> Answer:
    """One interchange of answers, from ISA to IEA."""
    separator = text[3]
    head = text.split(separator, 16)
    component, terminator = head[16][0], head[16][1]
    segments = [s.strip("\r\n") for s in text.split(terminator)]
    rows = [s.split(separator) for s in segments if s.strip()]
    answer = Answer(rows[0])
    say = answer.complaints.append
    for width, value, index in zip(ISA_WIDTHS, rows[0][1:], range(1, 17), strict=True):
        if len(value) != width:
            say(f"ISA: ISA{index:02d} is not {width} characters long")
    if not re.fullmatch("[0-9]{9}", rows[0][13]):
        say("ISA: ISA13 is no number")
    at = 1
    if at < len(rows) and rows[at][0] == "TA1":
        answer.ta1 = rows[at]
        _check(rows[at], TA1, component, say)
        at += 1
    groups = 0
    while at < len(rows) and rows[at][0] == "GS":
        at = _group(rows, at, answer, component)
        groups += 1
    if at >= len(rows) or rows[at][0] != "IEA":
        say(f"{rows[at][0] if at < len(rows) else 'end'}: stands where GS or IEA is expected")
        return answer
    if rows[at][1] != str(groups):
        say(f"IEA: counts {rows[at][1]} groups, not {groups}")
    if rows[at][2] != rows[0][13]:
        say("IEA: IEA02 is not ISA13")
    if at + 1 < len(rows):
        say(f"{rows[at + 1][0]}: stands after IEA")
    return answer


def _group(rows: list[list[str]], at: int, answer: Answer, component: str) -> int:
    say = answer.complaints.append
    head = [*rows[at], *[""] * 9]
    at += 1
    kind = head[1]
    if kind not in SETS:
        say(f"GS: GS01 is {kind}")
        kind = {"999": "FA", "277": "HN"}.get(rows[at][1] if at < len(rows) else "", "FA")
    for index in (2, 3):
        if not 2 <= len(head[index]) <= 15:
            say(f"GS: GS{index:02d} is not 2 to 15 characters long")
    if not re.fullmatch("[0-9]{8}", head[4]) or not re.fullmatch("[0-9]{4,8}", head[5]):
        say("GS: date or time")
    if not re.fullmatch("[0-9]{1,9}", head[6]):
        say("GS: GS06 is no number")
    if head[7] != "X" or head[8] not in VERSIONS[kind]:
        say(f"GS: GS08 is {head[8]}")
    numbers: list[str] = []
    while at < len(rows) and rows[at][0] == "ST":
        numbers.append(rows[at][2])
        at = _set(rows, at, kind, answer, component)
    if len(set(numbers)) != len(numbers):
        say("ST: a control number stands twice")
    if at >= len(rows) or rows[at][0] != "GE":
        say(f"{rows[at][0] if at < len(rows) else 'end'}: stands where ST or GE is expected")
        return len(rows) if at >= len(rows) else at + 1
    if rows[at][1] != str(len(numbers)):
        say(f"GE: counts {rows[at][1]} sets, not {len(numbers)}")
    if rows[at][2] != head[6]:
        say("GE: GE02 is not GS06")
    return at + 1


def _set(rows: list[list[str]], at: int, kind: str, answer: Answer, component: str) -> int:
    say = answer.complaints.append
    end = next((i for i in range(at, len(rows)) if rows[i][0] in ("SE", "GE", "IEA")), len(rows))
    if end == len(rows) or rows[end][0] != "SE":
        say("SE: missing")
        return end
    body = rows[at : end + 1]
    node = Node("ST")
    reached = _loop(body, 0, SETS[kind], node, component, say)
    if reached < len(body):
        say(f"{body[reached][0]}: stands out of place at {reached + 1}")
        return end + 1
    if body[-1][1] != str(len(body)):
        say(f"SE: counts {body[-1][1]} segments, not {len(body)}")
    if body[-1][2] != body[0][2]:
        say("SE: SE02 is not ST02")
    answer.sets.append((kind, node))
    (_agree_999 if kind == "FA" else _agree_277)(node, component, say)
    return end + 1


def _loop(
    rows: list[list[str]], at: int, loop: Loop, node: Node, component: str, say: Callable[[str], None]
) -> int:
    for child in loop.children:
        times = 0
        while (
            at < len(rows)
            and _fits(rows[at], child, component)
            and (not child.repeat or times < child.repeat)
        ):
            if isinstance(child, Segment):
                _check(rows[at], child, component, say)
                node.segments.append(rows[at])
                at += 1
            else:
                inner = Node(child.id)
                node.loops.append(inner)
                at = _loop(rows, at, child, inner, component, say)
            times += 1
        if not times and child.usage == "R":
            name = child.id if isinstance(child, Segment) else f"loop {child.id}"
            say(f"{name}: missing in {loop.id}")
    return at


def _fits(row: list[str], child: Segment | Loop, component: str) -> bool:
    segment = child if isinstance(child, Segment) else child.children[0]
    assert isinstance(segment, Segment)
    if row[0] != segment.id:
        return False
    if not segment.key:
        return True
    spec = segment.elements[segment.key - 1]
    value = row[segment.key] if segment.key < len(row) else ""
    if spec.type == "C":
        spec, value = spec.parts[0], value.split(component)[0]
    return value in {code.replace("~", " ") for code in spec.codes}


def _check(row: list[str], segment: Segment, component: str, say: Callable[[str], None]) -> None:
    if row[-1] == "" and len(row) > 1:
        say(f"{segment.id}: ends in an empty element")
    if len(row) - 1 > len(segment.elements):
        say(f"{segment.id}: more than {len(segment.elements)} elements")
    for index, spec in enumerate(segment.elements, 1):
        value = row[index] if index < len(row) else ""
        name = f"{segment.id}{index:02d}"
        if spec.type != "C":
            _check_value(name, value, spec, component, say)
            continue
        if spec.usage == "R" and not value:
            say(f"{name}: missing")
        if not value:
            continue
        parts = value.split(component)
        if parts[-1] == "" or len(parts) > len(spec.parts):
            say(f"{name}: too many components")
        for inner, part_spec in enumerate(spec.parts):
            part = parts[inner] if inner < len(parts) else ""
            _check_value(f"{name}-{inner + 1}", part, part_spec, component, say)


def _check_value(name: str, value: str, spec: Element, component: str, say: Callable[[str], None]) -> None:
    if not value:
        if spec.usage == "R":
            say(f"{name}: missing")
        return
    if spec.usage == "N":
        say(f"{name}: not used")
        return
    codes = {code.replace("~", " ") for code in spec.codes}
    if codes:
        if value not in codes:
            say(f"{name}: code {value}")
        return
    if not spec.shortest <= len(value) <= spec.longest:
        say(f"{name}: {len(value)} characters, not {spec.shortest} to {spec.longest}")
    if not value.isprintable() or value != value.strip() or component in value:
        say(f"{name}: character")
    patterns = {"N0": "[0-9]+", "R": r"-?[0-9]*\.?[0-9]+", "DT": "[0-9]{6}([0-9]{2})?", "TM": "[0-9]{4,8}"}
    if spec.type in patterns and not re.fullmatch(patterns[spec.type], value):
        say(f"{name}: no {spec.type}")


def _agree_999(node: Node, component: str, say: Callable[[str], None]) -> None:
    verdicts = []
    for answered in node.inside("2000"):
        end = answered.first("IK5") or ["IK5", ""]
        verdicts.append(end[1])
        places = list(answered.inside("2100"))
        if end[1] == "A" and (places or len(end) > 2):
            say("IK5: accepted with errors noted")
        if end[1] in ("E", "R") and not any(end[2:]):
            say("IK5: errors without a code")
        if places and end[1] in ("E", "R") and not {"5", "I5"} & set(end[2:]):
            say("IK5: IK3 without code 5")
        for place in places:
            noted = place.first("IK3") or []
            code = noted[4] if len(noted) > 4 else ""
            elements = list(place.inside("2110"))
            if elements and code != "8":
                say("IK4: stands under an IK3 that is not about elements")
            if not elements and code == "8":
                say("IK3: element errors without an IK4")
            if len(place.all("CTX")) > 10:
                say("CTX: more than 10")
            if len({tuple(e.segments[0]) for e in elements}) != len(elements):
                say("IK4: stands twice")
            if noted and noted[2] == "0":
                say("IK302: positions count from 1")
    end = node.first("AK9")
    if end is None or len(end) < 5 or not all(value.isdigit() for value in end[2:5]):
        return
    received, accepted = int(end[3]), int(end[4])
    good = sum(v in ("A", "E") for v in verdicts)
    if accepted != good:
        say(f"AK9: AK904 is {accepted}, accepted are {good}")
    if verdicts and received != len(verdicts):
        say(f"AK9: AK903 is {received}, answered are {len(verdicts)}")
    if not verdicts and end[1] != "R":
        say("AK9: no set answered, and not rejected")
    expected = "R" if not good else "P" if good < received else None
    if expected and end[1] != expected:
        say(f"AK9: {end[1]}, not {expected}")
    noted = any(v == "E" for v in verdicts) or any(end[5:])
    if not expected and end[1] != ("E" if noted else "A"):
        say(f"AK9: {end[1]} with all sets accepted")


def _agree_277(node: Node, component: str, say: Callable[[str], None]) -> None:
    source = next(node.inside("2000A"), None)
    receiver = next(source.inside("2000B"), None) if source is not None else None
    if source is None or receiver is None:
        return
    levels = [(source, "", [receiver]), (receiver, "1", list(receiver.inside("2000C")))]
    for provider in receiver.inside("2000C"):
        patients = list(provider.inside("2000D"))
        levels.append((provider, "2", patients))
        parent = (provider.first("HL") or ["", ""])[1]
        levels += [(patient, parent, []) for patient in patients]
    for number, (level, parent, children) in enumerate(levels, 1):
        row = [*(level.first("HL") or []), "", "", "", "", ""]
        if row[1] != str(number) or row[2] != parent:
            say(f"HL: {row[1]} under {row[2] or 'none'}, not {number} under {parent or 'none'}")
        if row[4] and row[4] != ("1" if children else "0"):
            say(f"HL: HL04 of {level.id} does not tell of its children")
    totals: Counter[str] = Counter()
    for provider in receiver.inside("2000C"):
        sums = _claims(provider, component, say)
        if not provider.all("STC"):
            totals.update(sums)
            continue
        whole = _status_of(provider, component, "2000C", say)
        if not list(provider.inside("2000D")):
            sums = _stated(provider, "QA", "QC")
            if sums["accepted"] or (sums["rejected"] and whole != "U"):
                say("2000C: counts claims that it does not list")
        elif whole == "U":
            say("2000C: rejected as a whole, and lists claims")
        if _stated(provider, "QA", "QC") != sums:
            say("2000C: totals do not agree with its claims")
        totals.update(sums)
        if _amount_of(provider) != sums["accepted cents"] + sums["rejected cents"]:
            say("2000C: STC04 is not the sum")
    whole = _status_of(receiver, component, "2000B", say)
    stated = _stated(receiver, "90", "AA")
    if whole == "U":
        if list(receiver.inside("2000C")) or stated["accepted"]:
            say("2000B: rejected as a whole, and accepts or lists something")
    elif stated != totals:
        say("2000B: totals do not agree with the levels below")
    if _amount_of(receiver) != stated["accepted cents"] + stated["rejected cents"]:
        say("2000B: STC04 is not the sum")


def _claims(provider: Node, component: str, say: Callable[[str], None]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for claim in provider.inside("2000D", "2200D"):
        rejected = _status_of(claim, component, "2200D", say) == "U"
        if list(claim.inside("2220D")) and not rejected:
            say("2220D: stands under an accepted claim")
        for line in claim.inside("2220D"):
            _status_of(line, component, "2220D", say)
        kind = "rejected" if rejected else "accepted"
        sums[kind] += 1
        sums[f"{kind} cents"] += _amount_of(claim)
    return sums


def _stated(level: Node, accepted: str, rejected: str) -> Counter[str]:
    sums: Counter[str] = Counter()
    for kind, quantity, amount in (("accepted", accepted, "YU"), ("rejected", rejected, "YY")):
        row, sum_row = level.first("QTY", quantity), level.first("AMT", amount)
        if row is not None:
            sums[kind] += int(row[2])
        if sum_row is not None:
            sums[f"{kind} cents"] += _cents(sum_row[2])
    return sums


def _cents(text: str) -> int:
    try:
        return int(Decimal(text) * 100)
    except InvalidOperation:
        return -1


def _amount_of(level: Node) -> int:
    amounts = {row[4] if len(row) > 4 else "" for row in level.all("STC")}
    return _cents(amounts.pop()) if len(amounts) == 1 else -1


def _status_of(level: Node, component: str, name: str, say: Callable[[str], None]) -> str:
    """WQ or U, the same in every STC of the level."""
    actions = {row[3] if len(row) > 3 else "" for row in level.all("STC")}
    if len(actions) > 1:
        say(f"{name}: accepts and rejects at once")
    for row in level.all("STC"):
        codes = [row[i].split(component) for i in (1, 10, 11) if i < len(row) and row[i]]
        rejects = row[3:4] == ["U"]
        for category, *rest in codes:
            if rejects != (category in ("A3", "A4", "A6", "A7", "A8")):
                say(f"{name}: category {category} with {row[3]}")
            if rest[:1] == ["746"] and name != "2000B":
                say(f"{name}: 746 stands at receiver level only")
        if len(codes) == 1 and codes[0][1:2] and codes[0][1] in NEEDS_PARTNER:
            say(f"{name}: {codes[0][1]} needs a second code")
    return "U" if "U" in actions else "WQ"
