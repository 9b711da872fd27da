"""What a segment of an acknowledgement says, as one sentence."""

from __future__ import annotations

from collections.abc import Iterable

from edi_checker.acks.words import (
    CATEGORIES,
    ELEMENT_ERRORS,
    ENTITIES,
    GROUP_FAULTS,
    INTERCHANGE_NOTES,
    INTERCHANGE_VERDICTS,
    SEGMENT_ERRORS,
    SET_FAULTS,
    STATUSES,
    VERDICTS,
)
from edi_checker.reports.html.markup import shorten
from edi_checker.x12.dates import hyphenate

SOURCE, RECEIVER, PROVIDER, PATIENT, LINE = 1, 2, 3, 4, 5
"""The levels of a 277CA, in which the same segment says different things; 0 is outside of all."""

_LEVELS = {
    "20": "Information source: who gives this answer",
    "21": "Information receiver: who sent the claims",
    "19": "Billing provider of the claims that follow",
    "PT": "Patient of the claims that follow",
}
_COUNTED = {
    "90": "Claims accepted in all",
    "AA": "Claims rejected in all",
    "QA": "Claims of this provider accepted",
    "QC": "Claims of this provider rejected",
}
_SUMMED = {"YU": "Charges accepted", "YY": "Charges rejected"}
_DATES = {"050": "Received on", "009": "Processed on", "472": "Date of service"}
_REFERENCES = {
    "1K": "Payer's number of the claim",
    "D9": "Clearinghouse's number of the claim",
    "FJ": "Line number of the submitter",
    "BLT": "Type of bill",
}


def tell(segment: list[str], level: int) -> str:
    """What a segment, given as its elements, says at a level of the answer; "" where that is not known."""
    at = [*segment, *[""] * 14]
    match segment[0]:
        case "ISA":
            return f"Interchange {at[13]}, from {at[6].strip()} to {at[8].strip()}."
        case "IEA":
            return f"End of interchange {at[2]}; groups: {at[1]}."
        case "GS":
            kind = {"FA": "999s", "HN": "277CAs"}.get(at[1], "answers")
            return f"Group {at[6]} of {kind}, made on {_day(at[4])}."
        case "GE":
            return f"End of group {at[2]}; answers in it: {at[1]}."
        case "ST":
            kind = {"999": "implementation acknowledgement", "277": "claim acknowledgement"}.get(at[1], "")
            return f"Begin of {at[1]}, {kind}, number {at[2]}." if kind else f"Begin of {at[1]}."
        case "SE":
            return f"End of answer {at[2]}; segments: {at[1]}."
        case "TA1":
            verdict, note = INTERCHANGE_VERDICTS.get(at[4]), INTERCHANGE_NOTES.get(at[5], f"note {at[5]}")
            words = verdict.words if verdict is not None else f"code {at[4]}"
            return f"Interchange {at[1]} is {words}: {note}."
        case _:
            return _of_999(segment[0], at) or _of_277(segment[0], at, level)


def _of_999(name: str, at: list[str]) -> str:
    match name:
        case "AK1":
            return f"Answers group {at[2]} of the claims file ({at[3]})."
        case "AK2":
            return f"Answers transaction set {at[1]} number {at[2]}."
        case "IK3":
            error = SEGMENT_ERRORS.get(at[4])
            words = error.words if error is not None else f"has error {at[4]}"
            where = f" in loop {at[3]}" if at[3] else ""
            return f"Segment {at[1]}, number {at[2]} of the set{where}, {words}."
        case "IK4":
            error = ELEMENT_ERRORS.get(at[3])
            words = error.words if error is not None else f"has error {at[3]}"
            value = f" Its value: {shorten(at[4], 60)}." if at[4] else ""
            return f"Element {_element(at[1])} {words}.{value}"
        case "CTX":
            kind, _, number = at[1].partition(":")
            if kind == "CLM01":
                return f"It belongs to claim {number}."
            what = f"element {_element(at[5])} of segment {at[2]}" if at[5] else f"segment {at[2]}"
            return f"What makes it necessary: {what}, number {at[3]} of the set."
        case "IK5":
            return f"The transaction set is {_verdict(at[1])}{_faults(SET_FAULTS, at[2:7])}."
        case "AK9":
            counts = f"sets included {at[2]}, received {at[3]}, accepted {at[4]}"
            return f"The group is {_verdict(at[1])}{_faults(GROUP_FAULTS, at[5:10])}; {counts}."
        case _:
            return ""


def _of_277(name: str, at: list[str], level: int) -> str:
    match name:
        case "BHT":
            return f"Answer {at[3]}, made on {_day(at[4])}."
        case "HL":
            return f"{_LEVELS[at[3]]}." if at[3] in _LEVELS else ""
        case "NM1":
            who = ENTITIES.get(at[1], f"entity {at[1]}")
            named = ", ".join(filter(None, (at[3], at[4])))
            number = f", id {at[9]}" if at[9] else ""
            return f"{who[:1].upper()}{who[1:]}: {named}{number}."
        case "TRN":
            if at[1] != "2":
                return f"Number by which it is traced: {at[2]}." if at[2] != "0" else "No number to trace it."
            return f"Batch {at[2]} of the claims file (BHT03)." if level == RECEIVER else f"Claim {at[2]}."
        case "STC":
            return _status(at)
        case "QTY":
            return f"{_COUNTED[at[1]]}: {at[2]}." if at[1] in _COUNTED else ""
        case "AMT":
            return f"{_SUMMED[at[1]]}: ${at[2]}." if at[1] in _SUMMED else ""
        case "DTP":
            return f"{_DATES[at[1]]} {_day(at[3])}." if at[1] in _DATES else ""
        case "REF":
            return f"{_REFERENCES[at[1]]}: {at[2]}." if at[1] in _REFERENCES else ""
        case "SVC":
            qualified, *modifiers = at[1].split(":")[1:] or [at[1]]
            code = " ".join((qualified, *modifiers))
            units = f", units {at[7]}" if at[7] else ""
            return f"Service line that made the claim fail: {code}, ${at[2]}{units}."
        case _:
            return ""


def _status(at: list[str]) -> str:
    """The verdict and its reasons; codes that are not known stand as they are."""
    codes = [code.split(":") for code in (at[1], at[10], at[11]) if code]
    if not codes:
        return ""
    category = CATEGORIES.get(codes[0][0])
    verdict = category.words if category is not None else f"category {codes[0][0]}"
    reasons = "; ".join(_reason(code) for code in codes)
    charge = f" Charge ${at[4]}." if at[4] else ""
    return f"{verdict[:1].upper()}{verdict[1:]}: {reasons}.{charge}"


def _reason(code: list[str]) -> str:
    _, status, entity = (*code, "", "", "")[:3]
    who = ENTITIES.get(entity, f"entity {entity}") if entity else "the party"
    words = STATUSES.get(status)
    # Texts of ours with one place to fill; replace() leaves whatever else a value holds alone.
    return words.replace("{who}", f"the {who}" if entity else who) if words else f"status {status}"


def _verdict(code: str) -> str:
    verdict = VERDICTS.get(code)
    return verdict.words if verdict is not None else f"answered by code {code}"


def _faults(words: dict[str, str], codes: Iterable[str]) -> str:
    told = [words.get(code, f"code {code}") for code in codes if code]
    return f", because {', and '.join(told)}" if told else ""


def _element(position: str) -> str:
    number, _, component = position.partition(":")
    return f"{number}, component {component.partition(':')[0]}," if component else number


def _day(text: str) -> str:
    """`20260131`, or two of them, with hyphens."""
    return " to ".join(map(hyphenate, text.split("-")))
