"""What goes wrong in claims of the second maker: warnings, errors, and faults of the guide, one in a claim.

A way to put one in says whether it goes with the claim; only where it does has it changed anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

import second_practice as practice
from second_claims import Bill, Work
from second_desk import MOST_DIAGNOSES, MOST_LINES, fee

# After the day of receipt that the bench gives.
_NOT_YET = date(2026, 11, 23)
_NEXT_LIST = date(2026, 10, 1)  # of diagnoses
_EITHER = ("97110", "97112", "97140", "97530", "97116", "97535")  # therapists of both hands and feet
_ALWAYS = (*_EITHER, "92507", "92526")
_OF_OTHERS = ("AT", "51", "LT", "RT")
_SEPARATE = frozenset(("59", "XE", "XU", "XS", "XP"))
_EVALUATIONS = frozenset(("97161", "97162", "97163", "97165", "97166", "97167"))
_MOST_UNITS = {
    "97110": 6, "97112": 4, "97116": 4, "97140": 6, "97530": 6, "97535": 8, "97032": 4, "97750": 8,
}  # fmt: skip


class Fault(NamedTuple):
    """Something that is put into a claim, and the rule that answers it."""

    rule: str
    put: Callable[[Bill, Random], bool]


class GuideFault(NamedTuple):
    """Something that is done to the segments of a claim from CLM on, and the rule that answers it."""

    rule: str
    put: Callable[[list[str], Random], None]


def _plain(bill: Bill, codes: Iterable[str]) -> list[Work]:
    """Lines of therapy of these codes that have no modifier but the discipline."""
    if not bill.treating.kind:
        return []
    return [work for work in bill.work if work.code in codes and len(work.modifiers) == 1]


def _modify(bill: Bill, chance: Random, codes: Iterable[str], modifiers: list[str]) -> bool:
    """Give one plain line these modifiers."""
    works = _plain(bill, codes)
    if works:
        chance.choice(works).modifiers = modifiers
    return bool(works)


def _discipline(bill: Bill) -> str:
    return bill.treating.kind.modifier if bill.treating.kind else ""


# -- warnings ----------------------------------------------------------------------------------------------


def _point_twice(bill: Bill, chance: Random) -> bool:
    work = chance.choice(bill.work)
    work.pointers = [work.pointers[0]] * 2
    return True


def _diagnose_twice(bill: Bill, _chance: Random) -> bool:
    if len(bill.diagnoses) == MOST_DIAGNOSES:
        return False
    bill.diagnoses.append(bill.diagnoses[0])
    return True


def _tell_apart_no_more(bill: Bill, others: Iterable[str]) -> bool:
    for day in dict.fromkeys(work.day for work in bill.work):
        of_day = [work for work in bill.work if work.day == day]
        codes = {work.code for work in of_day}
        if "97530" not in codes or codes.isdisjoint(others) or len(codes) < len(of_day):
            continue
        if any((one, two) in practice.RELEASED for one in codes for two in codes):
            continue
        for work in of_day:
            work.modifiers = [each for each in work.modifiers if each not in _SEPARATE]
        return True
    return False


def _refer_to_earlier(bill: Bill, chance: Random) -> bool:
    if bill.frequency != "1":
        return False
    bill.references.insert(0, f"REF*F8*{chance.randrange(10**11):011}")
    return True


def _leave_npi_out(bill: Bill, _chance: Random) -> bool:
    if bill.payer.kind == "MB" or len(bill.referring) != 1:
        return False
    bill.referring = [bill.referring[0].partition("*XX*")[0].rstrip("*")]
    return True


def _leave_kind_of_payer_out(bill: Bill, _chance: Random) -> bool:
    bill.says_kind = bill.payer.kind in ("MB", "MC", "AM", "WC")
    return not bill.says_kind


def _take_other_discipline(bill: Bill, chance: Random) -> bool:
    other = "GO" if _discipline(bill) == "GP" else "GP"
    return _modify(bill, chance, _EITHER, [other])


def _take_id(bill: Bill, member: str) -> bool:
    if bill.payer.kind != "MB":
        return False
    bill.member = member
    return True


def _pay_too_much(bill: Bill, chance: Random) -> bool:
    if bill.other is not None:
        return False
    bill.patient_paid = bill.charge + chance.randrange(100, 9000)
    return True


def _move_event(bill: Bill, qualifier: str, day: date) -> bool:
    if not bill.treating.kind:
        return False
    bill.dates = [each for each in bill.dates if each[0] != qualifier]
    bill.dates.append((qualifier, day))
    return True


def _leave_clia_out(bill: Bill, _chance: Random) -> bool:
    found = False
    for references in (bill.references, *(work.references for work in bill.work)):
        kept = [each for each in references if not each.startswith("REF*X4")]
        found = found or len(kept) < len(references)
        references[:] = kept
    return found


def _go_on_next_day(bill: Bill, _chance: Random) -> bool:
    works = [work for work in _plain(bill, _EITHER) if work.units > 1]
    if not works or bill.payer.kind == "MB":
        return False
    works[-1].until = works[-1].day + timedelta(1)
    return True


def _take_unknown_taxonomy(bill: Bill, _chance: Random) -> bool:
    bill.treating = bill.treating._replace(taxonomy=f"99{bill.treating.taxonomy[2:]}")
    return True


def _leave_decision_undated(bill: Bill, _chance: Random) -> bool:
    if bill.other is None or not bill.other.decisions or bill.other.by_line:
        return False
    bill.other.on = None
    return True


def _diagnose_other_sex(bill: Bill, chance: Random) -> bool:
    if (bill.patient or bill.subscriber).sex != "M" or len(bill.diagnoses) == MOST_DIAGNOSES:
        return False
    bill.diagnoses.append(chance.choice(("N8110", "N814", "N951")))
    return True


WARNINGS = {
    "pointer-twice": Fault("code.diagnosis-pointer", _point_twice),
    "diagnosis-twice": Fault("code.diagnosis-repeated", _diagnose_twice),
    "activities-and-exercise": Fault(
        "therapy.activities-with-exercise", lambda bill, _: _tell_apart_no_more(bill, ("97110",))
    ),
    "activities-and-evaluation": Fault(
        "therapy.activities-with-evaluation", lambda bill, _: _tell_apart_no_more(bill, _EVALUATIONS)
    ),
    "original-of-another": Fault("situation.reference-of-original", _refer_to_earlier),
    "provider-without-number": Fault("situation.provider-identifier", _leave_npi_out),
    "kind-of-payer-unsaid": Fault("situation.filing-indicator", _leave_kind_of_payer_out),
    "other-discipline": Fault("therapy.discipline-provider", _take_other_discipline),
    "discipline-unsaid": Fault(
        "therapy.discipline",
        lambda bill, chance: bill.payer.kind != "MB" and _modify(bill, chance, _ALWAYS, []),
    ),
    "modifier-of-others": Fault(
        "modifier.not-applicable",
        lambda bill, chance: _modify(bill, chance, _ALWAYS, [_discipline(bill), chance.choice(_OF_OTHERS)]),
    ),
    "modifier-that-is-none": Fault(
        "code.modifier", lambda bill, chance: _modify(bill, chance, _ALWAYS, [_discipline(bill), "Z9"])
    ),
    "id-of-old": Fault(
        "code.former-member-id",
        lambda bill, chance: _take_id(bill, f"{chance.randrange(10**8, 10**9)}A"),
    ),
    "id-of-another-payer": Fault(
        "code.member-id", lambda bill, chance: _take_id(bill, f"H{chance.randrange(10**8):08}")
    ),
    "patient-paid-too-much": Fault("situation.patient-paid", _pay_too_much),
    "ill-after-treatment": Fault(
        "date.order",
        lambda bill, chance: _move_event(bill, "431", bill.last_day + timedelta(chance.randrange(1, 9))),
    ),
    "seen-in-future": Fault(
        "date.future",
        lambda bill, chance: _move_event(bill, "304", _NOT_YET + timedelta(chance.randrange(30))),
    ),
    "laboratory-unnamed": Fault("situation.clia", _leave_clia_out),
    "over-two-days": Fault("therapy.date-range", _go_on_next_day),
    "unknown-taxonomy": Fault("code.taxonomy", _take_unknown_taxonomy),
    "decision-undated": Fault("situation.adjudication-date", _leave_decision_undated),
    "other-sex": Fault("code.diagnosis-sex", _diagnose_other_sex),
}

# -- errors ------------------------------------------------------------------------------------------------


def _is_bound(bill: Bill) -> bool:
    """Whether the payer is bound by edits and code sets that its own tables or law do not put in question."""
    return bill.payer.kind not in ("MC", "AM", "WC", "LM")


def _put_beside(bill: Bill, codes: Iterable[str], *added: str, chance: Random) -> bool:
    """Put lines of other codes on the day of a plain one, with its modifier."""
    works = _plain(bill, codes)
    if not works or bill.other is not None or len(bill.work) + len(added) > MOST_LINES:
        return False
    work = chance.choice(works)
    for code in added:
        own = [f"REF*6R*{bill.number}{len(bill.work) + 1:02}"]
        cents = fee(code, bill.payer, bill.site)
        bill.work.append(
            replace(
                work, code=code, units=1, cents=cents, note="", references=own, modifiers=[*work.modifiers]
            )
        )
    return True


def _treat_too_long(bill: Bill, chance: Random) -> bool:
    works = [work for work in bill.work if work.code in _MOST_UNITS]
    if not works or bill.other is not None:
        return False
    work = chance.choice(works)
    units = _MOST_UNITS[work.code] + chance.randint(1, 3)
    work.cents, work.units = work.cents // work.units * units, units
    return True


def _add_up_wrongly(bill: Bill, chance: Random) -> bool:
    if bill.other is not None:
        return False
    bill.off = chance.choice((1, -1, 100, -250, 1000, 37))
    return True


def _mistype_npi(bill: Bill, chance: Random) -> bool:
    npi = bill.treating.npi
    last = (int(npi[9]) + chance.randint(1, 9)) % 10
    bill.treating = bill.treating._replace(npi=f"{npi[:9]}{last}")
    return True


def _diagnose_too_broadly(bill: Bill, chance: Random) -> bool:
    broad = ("M545", "M171", "S8351", "I6935", "Z9661", "G20", "M7960", "R131")
    bill.diagnoses[chance.randrange(len(bill.diagnoses))] = chance.choice(broad)
    return True


def _diagnose_what_is_none(bill: Bill, chance: Random) -> bool:
    # Of days behind its last release nobody knows what a list will lack.
    if bill.last_day >= _NEXT_LIST:
        return False
    none = ("M5499", "R2699", "M17112", "G8196", "I69355", "S93409Q", "Z9665X", "R1315")
    bill.diagnoses[chance.randrange(len(bill.diagnoses))] = chance.choice(none)
    return True


def _certify_nothing(bill: Bill, _chance: Random) -> bool:
    if bill.payer.kind != "MB" or not _plain(bill, _ALWAYS):
        return False
    bill.referring = []
    return True


def _treat_in_future(bill: Bill, chance: Random) -> bool:
    last, later = bill.last_day, _NOT_YET + timedelta(chance.randrange(40))
    for work in bill.work:
        work.day = later if work.day == last else work.day
    return True


def _write_line_twice(bill: Bill, chance: Random) -> bool:
    works = [work for work in _plain(bill, _EITHER) if work.units == 1]
    if not works or not _is_bound(bill) or bill.other is not None or len(bill.work) == MOST_LINES:
        return False
    work = chance.choice(works)
    work.references = []  # a line with a number of its own was entered on purpose
    bill.work.append(replace(work))
    return True


def _shorten_zip(bill: Bill, _chance: Random) -> bool:
    if not bill.facility:
        return False
    bill.facility[2] = bill.facility[2][:-4]
    return True


def _replace_nothing(bill: Bill, chance: Random) -> bool:
    bill.frequency = chance.choice("78")
    bill.references = [each for each in bill.references if not each.startswith("REF*F8")]
    return True


def _begin_with_cause(bill: Bill, chance: Random) -> bool:
    cause = chance.choice(practice.CAUSES)
    bill.diagnoses = [cause, *(code for code in bill.diagnoses if code != cause)][:MOST_DIAGNOSES]
    return True


def _leave_accident_undated(bill: Bill, _chance: Random) -> bool:
    if bill.causes == "EM":
        return False
    bill.causes = bill.causes or "OA"
    bill.dates = [each for each in bill.dates if each[0] != "439"]
    return True


def _explain_wrongly(bill: Bill, chance: Random) -> bool:
    if bill.other is None or not bill.other.decisions or not bill.other.by_line:
        return False
    decision = bill.other.decisions[0]
    bill.other.decisions[0] = decision._replace(paid=decision.paid + chance.choice((100, 1, 555)))
    return True


def _use_assistant_alone(bill: Bill, chance: Random) -> bool:
    assistant = bill.treating.kind.assistant if bill.treating.kind else ""
    return bool(assistant) and _modify(bill, chance, _EITHER, [assistant])


ERRORS = {
    "too-many-units": Fault(
        "ncci.mue", lambda bill, chance: _is_bound(bill) and _treat_too_long(bill, chance)
    ),
    "discipline-unsaid-to-medicare": Fault(
        "therapy.discipline",
        lambda bill, chance: bill.payer.kind == "MB" and _modify(bill, chance, _ALWAYS, []),
    ),
    "wrong-sum": Fault("balance.claim-charge", _add_up_wrongly),
    "wrong-check-digit": Fault("code.npi", _mistype_npi),
    "no-such-diagnosis": Fault(
        "code.diagnosis", lambda bill, chance: _is_bound(bill) and _diagnose_what_is_none(bill, chance)
    ),
    "header-for-diagnosis": Fault(
        "code.diagnosis", lambda bill, chance: _is_bound(bill) and _diagnose_too_broadly(bill, chance)
    ),
    "nobody-certified": Fault("therapy.certifying-provider", _certify_nothing),
    "treated-in-future": Fault("date.future", _treat_in_future),
    "line-twice": Fault("duplicate.line", _write_line_twice),
    "never-paid-together": Fault(
        "ncci.ptp",
        lambda bill, chance: _is_bound(bill) and _put_beside(bill, ("97140",), "97124", chance=chance),
    ),
    "not-told-apart": Fault(
        "ncci.ptp",
        lambda bill, chance: _is_bound(bill) and _put_beside(bill, _EITHER, "97018", "97022", chance=chance),
    ),
    "added-to-nothing": Fault(
        "ncci.addon",
        lambda bill, chance: bill.payer.kind == "MB" and _put_beside(bill, _EITHER, "97551", chance=chance),
    ),
    "two-ways-to-separate": Fault(
        "modifier.conflict",
        lambda bill, chance: _modify(bill, chance, _ALWAYS, [_discipline(bill), "59", "XE"]),
    ),
    "modifier-twice": Fault(
        "modifier.repeated",
        lambda bill, chance: _modify(bill, chance, _ALWAYS, [_discipline(bill)] * 2),
    ),
    "short-zip": Fault("code.zip", _shorten_zip),
    "replaces-nothing": Fault("situation.original-reference", _replace_nothing),
    "cause-first": Fault("code.diagnosis-external-cause", _begin_with_cause),
    "assistant-alone": Fault(
        "therapy.assistant",
        lambda bill, chance: bill.payer.kind == "MB" and _use_assistant_alone(bill, chance),
    ),
    "accident-undated": Fault("situation.accident-date", _leave_accident_undated),
    "unexplained": Fault("balance.other-payer", _explain_wrongly),
}

# -- faults of the guide -----------------------------------------------------------------------------------


def _which(segments: list[str], beginning: str, chance: Random) -> int:
    return chance.choice([at for at, segment in enumerate(segments) if segment.startswith(beginning)])


def _write(beginning: str, element: int, value: str) -> Callable[[list[str], Random], None]:
    """Write something else into an element of one of the segments that begin so."""

    def put(segments: list[str], chance: Random) -> None:
        at = _which(segments, beginning, chance)
        elements = segments[at].split("*")
        elements += [""] * (element + 1 - len(elements))
        elements[element] = value
        segments[at] = "*".join(elements).rstrip("*")

    return put


def _drop(beginning: str) -> Callable[[list[str], Random], None]:
    def put(segments: list[str], chance: Random) -> None:
        del segments[_which(segments, beginning, chance)]

    return put


def _repeat(segments: list[str], chance: Random) -> None:
    at = _which(segments, "REF*D9", chance)
    segments.insert(at, segments[at])


def _delay(segments: list[str], chance: Random) -> None:
    """HI behind the one who treated."""
    diagnoses = segments.pop(_which(segments, "HI*", chance))
    segments.insert(_which(segments, "NM1*82", chance) + 1, diagnoses)


GUIDE_FAULTS = {
    "facility-code": GuideFault("guide.element-code", _write("CLM*", 5, "11:C:1")),
    "assignment-code": GuideFault("guide.element-code", _write("CLM*", 8, "Q")),
    "qualifier-of-day": GuideFault("guide.element-code", _write("DTP*472", 1, "999")),
    "signature-missing": GuideFault("guide.element-missing", _write("CLM*", 6, "")),
    "units-missing": GuideFault("guide.element-missing", _write("SV1*", 4, "")),
    "name-missing": GuideFault("guide.element-missing", _write("NM1*82", 3, "")),
    "no-day-of-calendar": GuideFault("guide.element-date", _write("DTP*472", 3, "20260231")),
    "no-amount": GuideFault("guide.element-type", _write("SV1*", 2, "12O.5")),
    "long-number": GuideFault("guide.element-length", _write("REF*D9", 2, "7" * 51)),
    "element-of-none": GuideFault("guide.element-not-used", _write("CLM*", 13, "Y")),
    "half-a-pair": GuideFault("guide.relational", _write("NM1*82", 9, "")),
    "no-day": GuideFault("guide.segment-missing", _drop("DTP*472")),
    "no-diagnoses": GuideFault("guide.segment-missing", _drop("HI*")),
    "number-twice": GuideFault("guide.segment-repeat", _repeat),
    "diagnoses-too-late": GuideFault("guide.segment-order", _delay),
    "segment-of-none": GuideFault(
        "guide.segment-unexpected", lambda segments, _: segments.insert(1, "ZZX*1*A")
    ),
}

# -- which claim gets what ---------------------------------------------------------------------------------

WARNED, REJECTED = 0.20, 0.05
OF_THE_GUIDE = 1 / 3  # of those that are rejected
ERRORS_OF_CONTENT = 0.2  # where something of content is put into every claim


_VOID = "8"  # CLM05-3: what was billed is taken back


def must_be_rejected(kind: str) -> bool:
    """Whether a claim into which this kind was put must be rejected."""
    return kind in ERRORS or kind in GUIDE_FAULTS


def put_something_into(bill: Bill, chance: Random) -> tuple[str, GuideFault | None]:
    """Put one thing into some of the claims: its kind, and what is still to be done to the segments."""
    drawn = chance.random()
    if drawn < REJECTED * OF_THE_GUIDE:
        kind = chance.choice(list(GUIDE_FAULTS))
        return kind, GUIDE_FAULTS[kind]
    if drawn < REJECTED + WARNED:
        return _put(bill, chance, ERRORS if drawn < REJECTED else WARNINGS), None
    return "", None


def put_content_into(bill: Bill, chance: Random) -> str:
    """Put one thing of content into the claim, no fault of the guide: its kind, "" where none fits."""
    return _put(bill, chance, ERRORS if chance.random() < ERRORS_OF_CONTENT else WARNINGS)


def _put(bill: Bill, chance: Random, ways: Mapping[str, Fault]) -> str:
    if ways is ERRORS and bill.frequency == _VOID:
        return ""  # of what a void repeats a checker only warns
    for kind in chance.sample(list(ways), len(ways)):
        if ways[kind].put(bill, chance):
            return kind
    return ""
