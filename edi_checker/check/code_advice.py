"""What the rules say of a code: modifiers that fit or do not, usual diagnoses, what the record must show.

Nothing of it is written down a second time. Modifiers are tried: a line with the code and each modifier goes
through the whole check, and what the rules find there is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from edi_checker.check.checker import Checker
from edi_checker.check.examples import run_example
from edi_checker.facts.evaluation_codes import surely_visit
from edi_checker.reference.codesets.lists import modifiers
from edi_checker.reference.meanings import MODIFIERS
from edi_checker.reference.tables import Procedure, PtpEdit
from edi_checker.rules import Rule, Rulebook
from edi_checker.rules.model import Pattern, Term
from edi_checker.x12.dates import iso
from edi_checker.x12.finding import Finding

# The rules that speak of modifiers, by the beginnings of their ids.
_FAMILIES = ("modifier", "therapy")

_LINES = 50  # of a claim, the most that the guide allows
_TELEHEALTH = ("93", "95", "GQ", "GT")
_CLINIC = "261QR0400X"  # taxonomy of a practice with therapists of every discipline
_DISCIPLINES = ("GP", "GO", "GN")
_ASSISTANTS = {"CQ": "GP", "CO": "GO"}
# Id of a rule, its severity, and what it says.
_Reason = tuple[str, str, str]
_PAID = frozenset("ACRT")


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say of a code on a day (CCYYMMDD), as far as advice hangs on it."""

    code: str
    on: int
    procedure: Procedure | None
    partners: tuple[PtpEdit, ...]

    @property
    def therapy(self) -> str:
        return self.procedure.therapy if self.procedure is not None else ""

    @property
    def releasable(self) -> bool:
        """Whether a modifier can separate the code from another."""
        return any(edit.indicator == "1" for edit in self.partners)


@dataclass(frozen=True, slots=True)
class Against:
    """Modifiers that one rule does not take on a code, and why; none where it misses one."""

    modifiers: tuple[str, ...]
    rule: str
    severity: str
    why: str


def of_one_line(book: Rulebook) -> Rulebook:
    """The part of the rules by which a line is judged alone, whatever else is on its claim."""
    rules = [
        replace(
            rule, cases=tuple(case for case in rule.cases if [each.kind for each in case.match] == ["line"])
        )
        for rule in book.keep(_FAMILIES).rules
    ]
    return Rulebook(tuple(rule for rule in rules if rule.cases))


def modifiers_against(checker: Checker, known: Known) -> tuple[Against, ...]:
    """The modifiers that the rules do not take on a line of the code, by reason, in the order of their list.

    A code that is always or sometimes therapy is tried as therapy. The checker has the rules `of_one_line`.
    """
    listed = [code for code, (first, last) in modifiers().periods.items() if first <= known.on <= last]
    listed = [code for code in listed if known.therapy or code not in _ASSISTANTS]
    found: dict[_Reason, list[str]] = {}
    without = {key for _, key in _try(checker, known, ("",), "11")}
    for place, codes in (
        ("11", [code for code in listed if code not in _TELEHEALTH]),
        ("10", [code for code in listed if code in _TELEHEALTH]),
    ):
        for start in range(0, len(codes), _LINES):
            for modifier, key in _try(checker, known, codes[start : start + _LINES], place):
                if key not in without:
                    found.setdefault(key, []).append(modifier)
    return tuple(Against(tuple(each), *key) for key, each in found.items())


def _try(checker: Checker, known: Known, tried: Sequence[str], place: str) -> Iterator[tuple[str, _Reason]]:
    """Errors and warnings about each modifier, on a line of its own; "" is a line without."""
    lines = [f"{':'.join((known.code, *_with_discipline(modifier, known)))} x1" for modifier in tried]
    for line, reason in _check_lines(checker, known, lines, place):
        yield tried[line], reason


def _check_lines(
    checker: Checker, known: Known, lines: Sequence[str], place: str
) -> Iterator[tuple[int, _Reason]]:
    """Which line has an error or a warning about its modifiers, from 0, and its rule, severity and reason."""
    claim = {"taxonomy": _CLINIC, "place": place, "date": iso(known.on), "received": iso(known.on)}
    for finding in run_example(checker, {"lines": lines, "claim": claim}):
        if finding.severity != "info" and re.match(r"SV101-[3-6]|SV105", finding.where.element or ""):
            yield (
                (finding.where.line or 1) - 1,
                (finding.rule, finding.severity, _reason(finding, known.code)),
            )


def _with_discipline(modifier: str, known: Known) -> tuple[str, ...]:
    """A modifier with the discipline without which a therapy line would be wrong for that alone."""
    disciplines = known.procedure.disciplines if known.procedure is not None and known.therapy else ()
    if not disciplines or modifier in _DISCIPLINES:
        return (modifier,) if modifier else ()
    with_it = _ASSISTANTS.get(modifier, disciplines[0])
    return (with_it, modifier) if modifier else (with_it,)


_SAID = re.compile(
    r"(?:[0-9A-Z]{2}(?:, | or )?)+(?: \((?P<means>[^)]+)\))?, (?P<joint>but|which) (?P<rest>.*)"
)


def _reason(finding: Finding, code: str) -> str:
    """A finding's message without its line and its modifiers: the same for all modifiers of one case."""
    text, line = finding.message.rstrip("."), finding.where.line
    for start in (f"Line {line} ({code})", f"Line {line}", f"{code} on line {line}"):
        if text.startswith(start):
            text = (code + text.removeprefix(start)).removeprefix(f"{code} has ")
            break
    text = re.sub(r" \((?:[0-9A-Z]{2}, )*[0-9A-Z]{2}\)", "", text)
    found = _SAID.fullmatch(text)
    if found is None:
        return text
    if found["means"]:
        return found["means"] + (": " if found["joint"] == "but" else ", which ") + found["rest"]
    return found["rest"] if found["joint"] == "but" else f"one that {found['rest']}"


@dataclass(frozen=True, slots=True)
class Fitting:
    """A modifier that makes sense on a code, what it says, and what a rule says to it, "" for nothing."""

    modifier: str
    words: str
    caution: str


def modifiers_asked(checker: Checker, known: Known) -> tuple[Against, ...]:
    """What the rules say of the code without any modifier: what they ask for."""
    said = _check_lines(checker, known, (f"{known.code} x1",), "11")
    return tuple(Against((), *reason) for _, reason in said)


def advise(checker: Checker, known: Known) -> tuple[tuple[Fitting, ...], tuple[Against, ...]]:
    """The modifiers that make sense on the code, and those that the rules do not take.

    A discipline of the code stays among the former if the rules do no more than warn.
    """
    against = modifiers_against(checker, known)
    cautions = {
        modifier: each.why
        for each in against
        for modifier in each.modifiers
        if each.severity == "warning" and modifier in _DISCIPLINES and _makes_sense(modifier, known)
    }
    refused = {modifier for each in against for modifier in each.modifiers} - set(cautions)
    fitting = tuple(
        Fitting(modifier, words, cautions.get(modifier, ""))
        for modifier, words in MODIFIERS.items()
        if modifier not in refused and _makes_sense(modifier, known)
    )
    kept = [replace(each, modifiers=tuple(m for m in each.modifiers if m in refused)) for each in against]
    return fitting, tuple(each for each in kept if each.modifiers)


def _makes_sense(modifier: str, known: Known) -> bool:
    procedure = known.procedure
    if modifier in ("GA", "GX", "GY", "GZ", "AT"):
        return True  # notices concern every service; the rules say where AT belongs
    if modifier in ("59", "XE", "XS", "XP", "XU"):
        return known.releasable
    if modifier in ("24", "25", "57"):
        return surely_visit(known.code)
    if modifier in ("93", "95"):
        return known.therapy == "always" or surely_visit(known.code)
    return procedure is not None and _asks_for(modifier, procedure)


def _asks_for(modifier: str, procedure: Procedure) -> bool:
    """Whether the therapy list or an indicator of the fee schedule speaks for a modifier."""
    if modifier in _DISCIPLINES:
        return modifier in procedure.disciplines
    if modifier in _ASSISTANTS:
        return _ASSISTANTS[modifier] in procedure.disciplines
    if modifier in ("KX", "96", "97"):
        return bool(procedure.therapy)
    if modifier in ("JW", "JZ"):
        return procedure.single_dose
    if modifier in ("76", "77"):
        return procedure.status in _PAID
    surgical = procedure.global_days in ("000", "010", "090")
    asked = {
        "26": procedure.pctc in ("1", "6"),
        "TC": procedure.pctc == "1",
        "51": procedure.multiple_procedure in ("1", "2", "3"),
        "22": surgical,
        "62": procedure.co_surgeon in ("1", "2"),
        "66": procedure.team_surgeon in ("1", "2"),
        **dict.fromkeys(("50", "LT", "RT"), procedure.bilateral in ("1", "3")),
        **dict.fromkeys(("54", "55", "56", "58", "78", "79"), procedure.global_days in ("010", "090")),
        **dict.fromkeys(("80", "81", "82", "AS"), procedure.assistant_surgeon == "2"),
    }
    return asked.get(modifier, False)


# -- the record and the diagnoses ---------------------------------------------------------------------------

# Which codes a rule is about that names none: by the kind of its facts, or by a field that it asks for.
_ABOUT: dict[str, Callable[[Known], bool]] = {
    "therapy_day": lambda known: known.procedure is not None and known.procedure.eight_minute,
    "ptp_pair": lambda known: bool(known.partners),
    "therapy_year": lambda known: bool(known.therapy),
    "uncertified_lines": lambda known: known.therapy == "always",
    "therapist": lambda known: bool(known.therapy),
    "single_dose": lambda known: known.procedure is not None and known.procedure.single_dose,
}


def record_of(book: Rulebook, known: Known) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What the record must show, line by line, by the rules about the code, and the ids of these rules."""
    said: dict[str, list[str]] = {}
    for rule in book.rules:
        if _is_about(rule, known):
            for line in rule.documentation:
                only = re.match(r"For ([0-9A-Z]{5}),", line)
                if only is None or only[1] == known.code:
                    said.setdefault(line, []).append(rule.id)
    return tuple((line, tuple(rules)) for line, rules in said.items())


def _is_about(rule: Rule, known: Known) -> bool:
    for case in rule.cases:
        named = [term for pattern in case.match for term in pattern.terms if term.field.field == "code"]
        if any(known.code in _constants(term) for term in named):
            return True
        if not named and any(_concerns(pattern, known) for pattern in case.match):
            return True
    return False


def _concerns(pattern: Pattern, known: Known) -> bool:
    for name in (pattern.kind, *(term.field.field for term in pattern.terms)):
        if name in _ABOUT:
            return _ABOUT[name](known)
    wanted = [term for term in pattern.terms if term.field.field == "therapy"]
    return any(known.therapy in _constants(term) for term in wanted)


def _constants(term: Term) -> tuple[str, ...]:
    """The texts of which a term takes any; none where it takes something else."""
    if term.operator == "equal" and isinstance(term.value, str):
        return (term.value,)
    if term.operator == "one_of" and isinstance(term.value, tuple):
        return tuple(map(str, term.value))
    return ()


def usual_diagnoses(book: Rulebook, code: str) -> tuple[str, ...]:
    """The families of diagnoses that the rules expect with a code."""
    families: dict[str, None] = {}
    for rule in book.rules:
        for pattern in (pattern for case in rule.cases for pattern in case.match):
            if not any(term.field.field == "code" and code in _constants(term) for term in pattern.terms):
                continue
            for term in pattern.terms:
                if term.field.field == "diagnosis_families" and isinstance(term.value, tuple):
                    families.update(dict.fromkeys(map(str, term.value)))
    return tuple(families)


# -- all of it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Advice:
    """What the rules say of a code: see the functions above."""

    known: Known
    asked: tuple[Against, ...]
    fitting: tuple[Fitting, ...]
    against: tuple[Against, ...]
    diagnoses: tuple[str, ...]
    record: tuple[tuple[str, tuple[str, ...]], ...]


def take_advice(book: Rulebook, checker: Checker, known: Known) -> Advice:
    """The checker has the rules `of_one_line` of the book, and the tables of which `known` is taken."""
    fitting, against = advise(checker, known)
    return Advice(
        known=known,
        asked=modifiers_asked(checker, known),
        fitting=fitting,
        against=against,
        diagnoses=usual_diagnoses(book, known.code),
        record=record_of(book, known),
    )
