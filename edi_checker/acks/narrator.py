"""What each segment of a TA1, 997, 999 or 277CA says, in words: for `explain-ack` and for the HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from edi_checker.acks import words
from edi_checker.acks.words import Outcome, Verdict
from edi_checker.claims.claim import Segment, element
from edi_checker.x12.dates import hyphenate
from edi_checker.x12.fault_codes import CODES, Code

About = Literal[
    "file", "interchange", "group", "transaction", "segment", "batch", "provider", "claim", "line"
]

_LONGEST = 50  # characters shown of a value

# STC03
_ACTIONS: dict[str, Outcome] = {"U": "rejected", "WQ": "accepted"}


class Level(NamedTuple):
    """A level of a 277CA: of what it speaks, how deep it lies, and what its HL says."""

    about: About
    depth: int
    words: str = ""


OUTSIDE = Level("file", 0)
# HL03
LEVELS = {
    "20": Level("interchange", 1, "Information source: who gives this answer"),
    "21": Level("batch", 2, "Information receiver: who sent the claims"),
    "19": Level("provider", 3, "Billing provider of the claims that follow"),
    "PT": Level("claim", 4, "Patient of the claims that follow"),
}
_LINE = Level("line", 5)

# What a segment says by its elements alone: {2} is its second one, {day_3} its third one as a date
_SENTENCES = {
    "ISA": "Interchange {13}, from {6} to {8}.",
    "GS*FA": "Group {6} of 999s, made on {day_4}.",
    "GS*HN": "Group {6} of 277CAs, made on {day_4}.",
    "ST*999": "Begin of 999, implementation acknowledgement, number {2}.",
    "ST*277": "Begin of 277, claim acknowledgement, number {2}.",
    "SE": "End of answer {2}; segments: {1}.",
    "GE": "End of group {2}; answers in it: {1}.",
    "IEA": "End of interchange {2}; groups: {1}.",
    "AK1": "Answers group {2} of the claims file ({3}).",
    "AK2": "Answers transaction set {1} number {2}.",
    "BHT": "Answer {3}, made on {day_4}.",
    "TRN*1": "Number by which it is traced: {2}.",
    "QTY*90": "Claims accepted in all: {2}.",
    "QTY*AA": "Claims rejected in all: {2}.",
    "QTY*QA": "Claims of this provider accepted: {2}.",
    "QTY*QC": "Claims of this provider rejected: {2}.",
    "AMT*YU": "Charges accepted: ${2}.",
    "AMT*YY": "Charges rejected: ${2}.",
    "DTP*050": "Received on {day_3}.",
    "DTP*009": "Processed on {day_3}.",
    "DTP*472": "Date of service {day_3}.",
    "REF*1K": "Payer's number of the claim: {2}.",
    "REF*D9": "Clearinghouse's number of the claim: {2}.",
    "REF*FJ": "Line number of the submitter: {2}.",
    "REF*BLT": "Type of bill: {2}.",
}


class Said(NamedTuple):
    """A verdict in words: what becomes of what is answered, and the codes behind it."""

    text: str
    outcome: Outcome
    codes: tuple[str, ...]


class Row(NamedTuple):
    """What one segment says: "" where that is not known; None where it is no verdict; the claim it names."""

    text: str
    outcome: Outcome | None = None
    claim: str = ""


# -- parts of sentences, of which both make theirs ---------------------------------------------------------


def plain(value: str, longest: int = _LONGEST) -> str:
    """A value of the file, fit to be shown: nothing in it can move a cursor, and it is cut where too long."""
    value = "".join(c if c.isprintable() else "?" for c in value[: longest + 1]).strip()
    return value if len(value) <= longest else value[: longest - 3] + "..."


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def split(composite: str, component: str) -> list[str]:
    """The components; some answers separate them by another character than ISA16 says."""
    if component not in composite:
        component = next((c for c in composite if c in ":>|<^"), component)
    return composite.split(component)


def name_place(id: str, at: Sequence[str]) -> str:
    """`CLM` with 5 and 3 to `CLM05-3`; the segment alone where its element is not named."""
    if not (id.isascii() and id.isalnum() and len(id) in (2, 3)):
        return ""
    numbers = [whole(part) for part in at]
    if numbers[0] is None:
        return id
    component = f"-{numbers[1]}" if len(numbers) > 1 and numbers[1] else ""
    return f"{id}{numbers[0]:02d}{component}"


def _verdict(table: dict[str, Verdict], code: str) -> Verdict:
    if not code:
        return Verdict("unclear", "without a verdict")
    return table.get(code) or Verdict("unclear", f"answered with {code}, whose meaning is not known here")


def _reason(code: str) -> str:
    """What a code of a TA1, of an IK5 or AK9 says."""
    known = CODES.get(code)
    return known.words if known else f"code {code.partition('=')[2]}, whose meaning is not known here"


def error_of(name: str, code: str) -> Code:
    """What a code of IK304 or IK403 says."""
    unknown = f"has the error {code or '(not named)'}, whose meaning is not known here"
    return CODES.get(f"{name}={code}") or Code(unknown)


# -- TA1, 999 and 997 --------------------------------------------------------------------------------------


def say_interchange(segment: Segment) -> Said:
    """TA1."""
    number, code, note = (plain(element(segment, index)) for index in (1, 4, 5))
    verdict = _verdict(words.INTERCHANGE_VERDICTS, code)
    text = f"Interchange {number or '(not named)'} is {verdict.words}"
    if note == "000" and verdict.outcome == "rejected":
        text += ", and no reason is given"
    elif note and (note != "000" or verdict.outcome != "accepted"):
        text += f": {_reason(f'TA1={note}')}"
    return Said(text + ".", verdict.outcome, (f"TA1={note}",))


def say_group(name: str, segment: Segment) -> Said:
    """AK9, of a group that is called by this name."""
    verdict = _verdict(words.VERDICTS, plain(element(segment, 1), 10))
    text = f"{name} is {verdict.words}"
    received, accepted = whole(element(segment, 3)), whole(element(segment, 4))
    if received is not None and accepted is not None:
        text += f"; {accepted} of {received} transaction {'set' if received == 1 else 'sets'} accepted"
    return _add_reasons(text, verdict, "AK905", segment[5:10])


def say_set(name: str, segment: Segment) -> Said:
    """IK5 or AK5, of a transaction set that is called by this name."""
    verdict = _verdict(words.VERDICTS, plain(element(segment, 1), 10))
    return _add_reasons(f"{name} is {verdict.words}", verdict, "IK502", segment[2:7])


def _add_reasons(text: str, verdict: Verdict, name: str, faults: Iterable[str]) -> Said:
    codes = tuple(f"{name}={plain(code, 10)}" for code in faults if code)
    text += ": " + "; ".join(map(_reason, codes)) if codes else ""
    return Said(text + ".", verdict.outcome, codes)


def say_error(what: str, places: Sequence[str], error: Code) -> str:
    """That a segment or element at these places has an error, without a full stop."""
    return f"{', '.join((what, *places))}{',' if places else ''} {error.words}"


def locate(segment: Segment, kind: str) -> list[str]:
    """Position and loop of an IK3; `kind` says whose position it is: number, or segment."""
    position, loop = whole(element(segment, 2)), plain(element(segment, 3), 10)
    return [
        *([f"{kind} {position} of the set"] if position is not None else ()),
        *([f"loop {loop}"] if loop else ()),
    ]


def read_context(segment: Segment, component: str) -> tuple[str, str]:
    """CTX: the claim that it names, or the place for whose sake a segment or element is required."""
    name, *values = split(element(segment, 1), component)
    if name == "CLM01" and values:
        return plain(values[0]), ""
    if not name.startswith("SITUATIONAL TRIGGER"):
        return "", ""
    at = name_place(element(segment, 2), split(element(segment, 5), component))
    position = whole(element(segment, 3))
    return "", f"{at} in segment {position}" if at and position is not None else at


# -- 277CA -------------------------------------------------------------------------------------------------


def say_statuses(segments: Iterable[Segment], component: str) -> list[Said]:
    """Each status of the STC segments of one level, claim or line; a category is named where it changes."""
    statuses: list[Said] = []
    last = ""
    for segment in segments:
        before = len(statuses)
        for index in (1, 10, 11):
            parts = [plain(part, 10) for part in split(element(segment, index), component)]
            if not any(parts):
                continue
            category, status, entity = (*parts, "", "")[:3]
            verdict = words.CATEGORIES.get(category)
            if verdict is None:
                known = f"category {category}, whose meaning is not known here" if category else "no category"
                verdict = Verdict("unclear", known)
            reason = _reason_of_status(category, status, entity)
            said = [verdict.words] if category != last or not reason else []
            text = ": ".join([*said, reason] if reason else said)
            code = ":".join(filter(None, (category, status, entity)))
            statuses.append(Said(text, verdict.outcome, (code,)))
            last = category
        action = _say_action(plain(element(segment, 3), 10), {said.outcome for said in statuses[before:]})
        statuses += [action] if action is not None else []
    return statuses


def _say_action(code: str, outcomes: set[Outcome]) -> Said | None:
    """STC03 of a segment whose statuses have these outcomes; None where it says the same as they do."""
    says = _ACTIONS.get(code)
    contrary = {"accepted": bool(outcomes & {"rejected", "unclear"}), "rejected": "rejected" not in outcomes}
    if says is None or not outcomes or not contrary[says]:
        return None
    outcome: Outcome = "rejected" if "rejected" in outcomes or outcomes == {"noted"} else "unclear"
    return Said(f"but the action code {code} says {says}", outcome, (f"STC03={code}",))


def _reason_of_status(category: str, status: str, entity: str) -> str:
    if not status or (category in ("A1", "A2") and status in ("19", "20")):
        return ""  # they say no more than the category
    who = "a party that is not named"
    if entity:
        known = words.ENTITIES.get(entity)
        who = f"the {known}" if known else f"the party with the code {entity}"
    reason = words.STATUSES.get(status)
    if reason is None:
        return f"status {status}, whose meaning is not known here" + (f", of {who}" if entity else "")
    said = reason.format(who=who)
    return said if "{who}" in reason or not entity else f"{said} ({who})"


# -- segment by segment ------------------------------------------------------------------------------------


class Narrator:
    """Says what each segment of one of our own answers says, names included; keeps where it stands."""

    def __init__(self) -> None:
        self.level = OUTSIDE
        self._segment = ""  # the one of the IK3 to which an IK4 belongs

    def say(self, segment: Segment) -> Row:
        """What the next segment says."""
        self._step(segment)
        return self._of_999(segment) or self._of_277(segment) or Row(_fill(segment))

    def _step(self, segment: Segment) -> None:
        match segment[0]:
            case "HL":
                self.level = LEVELS.get(element(segment, 3), self.level)
            case "ISA" | "GS" | "ST" | "SE" | "GE" | "IEA":
                self.level = OUTSIDE
            case "SVC":
                self.level = _LINE
            case "TRN" if self.level is _LINE:
                self.level = LEVELS["PT"]
            case "IK3":
                self._segment = plain(element(segment, 1), 10)
            case _:
                pass

    def _of_999(self, segment: Segment) -> Row | None:
        match segment[0]:
            case "TA1":
                text, outcome, _ = say_interchange(segment)
            case "AK9":
                text, outcome, _ = say_group("The group", segment)
                if element(segment, 1) == "P":
                    outcome = "noted"  # its sets say which of them are rejected
            case "IK5":
                text, outcome, _ = say_set("The transaction set", segment)
            case "IK3":
                error = error_of("IK304", element(segment, 4))
                places = locate(segment, "number")
                text, outcome = sentence(say_error(f"segment {self._segment}", places, error)), "rejected"
            case "IK4":
                at = name_place(self._segment, split(element(segment, 1), ":"))
                error = error_of("IK403", element(segment, 3))
                text, outcome = sentence(say_error(at or "an element", (), error)), "rejected"
                value = plain(element(segment, 4), 60)
                text += f" Its value: {value}." if value else ""
            case "CTX":
                claim, trigger = read_context(segment, ":")
                made_by = f"What makes it necessary: {trigger}." if trigger else ""
                return Row(f"It belongs to claim {claim}." if claim else made_by, claim=claim)
            case _:
                return None
        return Row(text, outcome)

    def _of_277(self, segment: Segment) -> Row | None:
        at = [*segment, *[""] * 10]
        match segment[0]:
            case "HL" if at[3] in LEVELS:
                return Row(f"{LEVELS[at[3]].words}.")
            case "NM1":
                who = words.ENTITIES.get(at[1], f"entity {at[1]}")
                named = ", ".join(filter(None, (at[3], at[4])))
                return Row(sentence(f"{who}: {named}{f', id {at[9]}' if at[9] else ''}"))
            case "TRN" if at[1] == "2" and self.level.about == "batch":
                return Row(f"Batch {at[2]} of the claims file (BHT03).")
            case "TRN" if at[1] == "2":
                return Row(f"Claim {at[2]}.", claim=at[2] if self.level.about == "claim" else "")
            case "TRN" if at[2] == "0":
                return Row("No number to trace it.")
            case "STC":
                statuses = say_statuses((segment,), ":")
                text = "; ".join(status.text for status in statuses)
                charge = f" Charge ${at[4]}." if at[4] else ""
                return Row(sentence(text) + charge, statuses[0].outcome) if statuses else None
            case "SVC":
                code = " ".join(at[1].split(":")[1:] or [at[1]])
                units = f", units {at[7]}" if at[7] else ""
                return Row(f"Service line that made the claim fail: {code}, ${at[2]}{units}.")
            case _:
                return None


def _fill(segment: Segment) -> str:
    at = [part.strip() for part in segment] + [""] * 16
    text = _SENTENCES.get(f"{at[0]}*{at[1]}") or _SENTENCES.get(at[0], "")
    return text.format(*at, day_3=_day(at[3]), day_4=_day(at[4]))


def _day(text: str) -> str:
    """`20260131`, or two of them, with hyphens."""
    return " to ".join(map(hyphenate, text.split("-")))
