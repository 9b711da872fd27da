"""Codes that do not fit their code set on their day, or their place.

Facts of what is odd, nothing of what is clean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from edi_checker.claims.claim import (
    DIAGNOSIS_LISTS,
    BillingProvider,
    Claim,
    Segment,
    Subscriber,
    Transaction,
    element,
    place_in,
)
from edi_checker.claims.profile import LONGEST_MEMBER_ID, Profile
from edi_checker.facts.fact import Fact, Value
from edi_checker.facts.pieces import (
    Cells,
    Exactly,
    Open,
    OpenFact,
    OpenValue,
    Site,
    View,
    cell,
    present,
    text,
)
from edi_checker.facts.places import FixedLocation
from edi_checker.reference.codesets import diagnoses as icd
from edi_checker.reference.codesets import lists
from edi_checker.reference.codesets.imported import Releases, Unlisted, judge_listed
from edi_checker.reference.codesets.member_ids import judge_medicare_id
from edi_checker.reference.periods import last_day
from edi_checker.x12.blocks import Fault
from edi_checker.x12.dates import NO_END, day, days_between, years_between
from edi_checker.x12.finding import Place, TableVersion
from edi_checker.x12.money import cents, quantity

# What a finding may quote as a code; what is longer, or letters alone, may be a name or a number of a person.
_QUOTABLE = re.compile(r"[0-9A-Z]{0,2}|(?=.*[0-9])[0-9A-Z]{3,5}|[A-Z][0-9][0-9A-Z]{1,5}", re.ASCII)
_QUOTABLE_TAXONOMY = re.compile(r"[0-9]{3}[0-9A-Z]{6}X", re.ASCII)
_UNQUOTED = "(not shown)"
_FIRST_SUBSCRIBER = "2"  # HL01
_ORIGINAL, _CHARGEABLE = "00", "CH"  # BHT02 and BHT06 as Medicare takes them
MOST_DIAGNOSES = 24  # that are looked at; the guide allows 12
MOST_CODE_ERRORS = 200  # of one claim or level: more of them say nothing new


class CodeError(NamedTuple):
    """What is odd about one code; see the fact type `code_error` for the words.

    at   element (HI02-2, SV101-4, N403); `code` is "" where it could tell who somebody is
    """

    set: str
    problem: str
    at: str
    code: str = ""
    first: bool = False
    since: int | None = None
    until: int | None = None
    better: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    table: TableVersion | None = None


class Judging(NamedTuple):
    """By what the codes of a piece are judged.

    imported  releases of code sets, None for none; a code must hold on one of the days from `first` to
              `received`
    """

    profile: Profile
    received: int
    imported: Releases | None = None
    first: int = 0


def make_segment_code_errors(
    view: View,
    loops: Sequence[str],
    roles: Sequence[str],
    judging: Judging,
    shared: Mapping[str, OpenValue],
) -> Iterator[OpenFact]:
    """What does not fit in the taxonomies, adjustments and names of a piece."""
    for number, cells in enumerate(view.segments):
        for code_error in _look(cells, judging):
            site = Site(loops[number], str(cells[0]), number, code_error.at)
            yield _open_fact(code_error, site, roles[number], judging, shared)
        for code_error, when in _look_at_columns(cells):
            site = Site(loops[number], str(cells[0]), number, code_error.at)
            yield _open_fact(code_error, site, roles[number], judging, shared)._replace(when=when)


def make_address_code_errors(
    view: View, loop: str, role: str, judging: Judging, shared: Mapping[str, OpenValue]
) -> list[OpenFact]:
    """What does not fit in an address; ZIP codes are not told, they are part of it."""
    return [
        _open_fact(code_error, Site(loop, "N4", 0, code_error.at), role, judging, shared)
        for code_error in _of_address(view.segments[0], loop)
    ]


def find_pointer_code_errors(pointers: str, component: str, diagnoses: int) -> list[CodeError]:
    """What does not fit in SV107 of a claim with so many diagnoses."""
    return list(_judge_pointers(pointers[:_LONGEST_TEXT], component, diagnoses))


def make_pointer_code_errors(
    pointers: str,
    component: str,
    diagnoses: int,
    number: int,
    judging: Judging,
    shared: Mapping[str, OpenValue],
) -> Iterator[OpenFact]:
    """The same as facts; SV1 is segment `number` of its line."""
    for code_error in find_pointer_code_errors(pointers, component, diagnoses):
        yield _open_fact(code_error, Site("2400", "SV1", number, code_error.at), "", judging, shared)


def make_number_code_errors(
    segments: Sequence[Segment],
    *,
    timed: bool,
    judging: Judging,
    shared: Mapping[str, OpenValue],
) -> Iterator[OpenFact]:
    """What does not fit in the charge and units of a line; `timed` says whether a unit is 15 minutes."""
    number = next((at for at, segment in enumerate(segments) if segment[0] == "SV1"), 0)
    written = segments[number]
    for code_error in _judge_numbers(element(written, 2), element(written, 3), element(written, 4), timed):
        yield _open_fact(code_error, Site("2400", "SV1", number, code_error.at), "", judging, shared)


def _judge_numbers(charge: str, unit: str, counted: str, timed: bool) -> Iterator[CodeError]:
    if (cents(charge) or 0) < 0:
        yield CodeError("amount", "negative", "SV102")
    units = quantity(counted)
    if units is None:
        return
    if units <= 0:
        yield CodeError("units", "negative" if units < 0 else "zero", "SV104")
    elif timed and unit == "UN" and units % 1:
        yield CodeError("units", "fraction", "SV104")


def make_charge_code_errors(
    charge: int | None, judging: Judging, shared: Mapping[str, OpenValue]
) -> Iterator[OpenFact]:
    """What does not fit in CLM02, given in cents."""
    if charge is not None and charge < 0:
        code_error = CodeError("amount", "negative", "CLM02")
        yield _open_fact(code_error, Site("2300", "CLM", 0, "CLM02"), "", judging, shared)


def make_control_code_error(
    segments: Sequence[Segment], judging: Judging, shared: Mapping[str, OpenValue]
) -> OpenFact:
    """That a line has the number (REF*6R) of an earlier line of its claim."""
    number = next(at for at, segment in enumerate(segments) if segment[:2] == ["REF", "6R"])
    code_error = CodeError("line-control", "repeated", "REF02")
    return _open_fact(code_error, Site("2400", "REF", number, "REF02"), "", judging, shared)


def make_service_code_errors(
    view: View,
    service: tuple[str, tuple[str, ...]],
    on: int,
    judging: Judging,
    shared: Mapping[str, OpenValue],
) -> Iterator[OpenFact]:
    """What does not fit in SV1, given by its code and modifiers, but for its pointers."""
    number = view.find("SV1")
    cells: Cells = view.segments[number] if number is not None else ["SV1"]
    code, modifiers = service
    odd = _judge_line(
        code[:_LONGEST_TEXT],
        # A longer one the guide refuses.
        tuple(modifier for modifier in modifiers if len(modifier) <= 2),
        text(cells, 5)[:_LONGEST_TEXT],
        lists.turn_of(on),
    )
    if code:
        odd += _judge_procedure(code, on, judging.imported)
    for code_error in _at_modifier(odd, text(cells, 1).split(view.component)):
        yield _open_fact(code_error, Site("2400", "SV1", number or 0, code_error.at), "", judging, shared)


def make_head_code_errors(
    view: View, on: int, judging: Judging, shared: Mapping[str, OpenValue]
) -> Iterator[OpenFact]:
    """What does not fit in CLM."""
    cells = view.segments[0]
    location, causes = text(cells, 5)[:_LONGEST_TEXT], text(cells, 11)[:_LONGEST_TEXT]
    for code_error in _judge_head(location, causes, view.component, lists.turn_of(on)):
        yield _open_fact(code_error, Site("2300", "CLM", 0, code_error.at), "", judging, shared)


def make_diagnosis_code_errors(
    claim: Claim,
    pairs: Sequence[tuple[str, str]],
    first: int | None,
    last: int | None,
    judging: Judging,
    shared: Mapping[str, OpenValue],
) -> Iterator[OpenFact]:
    """What does not fit in the diagnoses of a claim, which are judged together."""
    on = first or judging.received
    key, end = era_of_diagnoses(on, judging), era_of_diagnoses(last or on, judging)
    # A longer code the guide refuses: what is remembered must not grow with a flood of text.
    said = tuple([(qualifier, code[:_LONGEST_TEXT]) for qualifier, code in pairs[:MOST_DIAGNOSES]])
    if not said:
        return
    oddities, personal = _judge_diagnoses(said, key, end, first is not None, judging.imported)
    if oddities or personal:
        for offset, code_error in _of_diagnoses(claim, oddities, on):
            yield _open_fact(code_error, Site("2300", "HI", offset, code_error.at), "", judging, shared)


def are_plain_diagnoses(pairs: tuple[tuple[str, str], ...], first: int, last: int, judging: Judging) -> bool:
    """Whether nothing does not fit in these diagnoses on either day, whoever the patient is; the days are
    eras of them.
    """
    return all(
        _judge_diagnoses(pairs, on, on, True, judging.imported) == ((), False)
        for on in dict.fromkeys((first, last))
    )


def make_line_diagnosis_code_errors(
    pointed: Sequence[tuple[int, str, str]],
    of_claim: tuple[int, int],
    of_line: tuple[int, int],
    number: int,
    judging: Judging,
    shared: Mapping[str, OpenValue],
) -> Iterator[OpenFact]:
    """The diagnoses of a line that hold on a day of its claim and on none of its own.

    pointed   place in SV107, qualifier and code of each; SV1 is segment `number` of the line
    of_claim  first and last day of service of the claim; `of_line` those of the line
    """
    for place, qualifier, code in pointed:
        system = DIAGNOSIS_LISTS[qualifier]
        days = [era_of_diagnoses(on, judging) for on in (*of_claim, *of_line)]
        said = code[:_LONGEST_TEXT]
        if not said or _judge_diagnosis(system, said, days[0], days[1], judging.imported)[0] is not None:
            continue
        unfit, table = _judge_diagnosis(system, said, days[2], days[3], judging.imported)
        if unfit is None or unfit.problem == "uncovered":
            continue
        at = f"SV107-{place}"
        code_error = _of_unfit("line-diagnosis", at, code, False, unfit, table)
        yield _open_fact(code_error, Site("2400", "SV1", number, at), "", judging, shared)


def era_of_diagnoses(on: int, judging: Judging) -> int:
    """A day that stands for all on which the lists say the same of diagnoses."""
    return on if judging.imported is not None else _era_of(on)


def has_payer_code_errors(billing: BillingProvider, profile: Profile) -> bool:
    """Whether a billing provider's level may have code errors of a payer."""
    return "medicare" in profile.names and (
        lacks_npi(billing)
        or billing.first("CUR") is not None
        or (billing.transaction.purpose, billing.transaction.kind) != (_ORIGINAL, _CHARGEABLE)
    )


def find_payer_code_errors(
    claim: Claim, first: int | None, last: int | None, judging: Judging
) -> Iterator[Fact]:
    """The code errors that stand above a claim and are those of its payer."""
    shared: dict[str, OpenValue] = {
        "date": first,
        "last_date": last if last is not None else first,
        "line": None,
    }
    for code_error, place, role in _of_the_payer(claim, judging.profile):
        yield _fixed_fact(code_error, place, role, judging, shared)


def _fixed_fact(
    code_error: CodeError, place: Place, role: str, judging: Judging, shared: Mapping[str, OpenValue]
) -> Fact:
    fact = _open_fact(code_error, Site(place.loop, place.segment, 0, code_error.at), role, judging, shared)
    values: dict[str, Value] = {
        name: value for name, value in fact.values.items() if not isinstance(value, Open)
    }
    return Fact("code_error", values, {"": (FixedLocation(place),)}, fact.table)


def _open_fact(
    code_error: CodeError, site: Site, role: str, judging: Judging, shared: Mapping[str, OpenValue]
) -> OpenFact:
    quotable = _QUOTABLE_TAXONOMY if code_error.set == "taxonomy" else _QUOTABLE
    values: dict[str, OpenValue] = {
        **shared,
        "received": judging.received,
        "profile": judging.profile.name,
        "set": code_error.set,
        "problem": code_error.problem,
        "code": code_error.code if quotable.fullmatch(code_error.code) or not code_error.code else _UNQUOTED,
        "codes": code_error.codes,
        "first": code_error.first,
        "loop": site.loop,
        "element": code_error.at,
        "role": role,
        "since": code_error.since,
        "until": code_error.until,
        "better": code_error.better,
        "release": code_error.table.version if code_error.table is not None else "",
    }
    return OpenFact("code_error", values, {"": (Exactly(site),)}, code_error.table)


def without_refused(facts: list[Fact], faults: tuple[Fault, ...], *, displaced: bool = False) -> list[Fact]:
    """The code errors without those of elements that the guide refuses already: one cause, one finding.

    Padding is no cause of one: what is padded is read without it. `displaced` says that the diagnoses stand
    at another place than theirs.
    """
    refused = {(fault.position, fault.element) for fault in faults if fault.kind != "element-padding"}
    if not refused and not displaced:
        return facts
    # Which diagnosis a pointer means, and which is the first, is not known where one is not written right.
    unsure = displaced or any(fault.segment == "HI" and fault.kind != "element-padding" for fault in faults)
    kept = []
    for fact in facts:
        place, values = fact.stands_on[""][0].place(""), fact.values
        at = place.element or ""
        if not (
            (unsure and (values["set"] == "pointer" or values["problem"] == "external-cause-first"))
            or (place.position, at) in refused
            or (place.position, at.partition("-")[0]) in refused
        ):
            kept.append(fact)
    return kept


def _of_the_payer(claim: Claim, profile: Profile) -> Iterator[tuple[CodeError, Place, str]]:
    """What stands above a claim and does not fit its payer, with its place and the role of the party."""
    problem = _judge_subscriber(claim.subscriber, profile)
    if problem and claim.subscriber is not None:
        named = claim.subscriber.name
        position = named.run.position_of(named.name_segment)
        place = place_in(claim.transaction, "2010BA", "NM1", position, "NM109", claim=claim.id)
        yield CodeError("member-id", problem, "NM109"), place, "IL"
    billing = claim.billing
    if billing is None or "medicare" not in profile.names:
        return
    transaction = claim.transaction
    told = not _is_first(claim) or any(fault.segment == "BHT" for fault in transaction.faults)
    for at, name, said, taken in (
        ("BHT02", "purpose", transaction.purpose, _ORIGINAL),
        ("BHT06", "submission", transaction.kind, _CHARGEABLE),
    ):
        if said and said != taken and not told:
            position = transaction.position_of(transaction.first("BHT"))
            place = place_in(transaction, "header", "BHT", position, at, claim=claim.id)
            yield CodeError(name, "not-taken", at, said), place, ""
    if lacks_npi(billing):
        named = billing.provider
        position = named.run.position_of(named.name_segment)
        place = place_in(claim.transaction, "2010AA", "NM1", position, "NM109", claim=claim.id)
        yield CodeError("npi", "missing", "NM109"), place, "85"
    for index, segment in enumerate(billing.segments):
        # One that is no currency is found with the level.
        if segment[0] == "CUR" and element(segment, 2) in lists.CURRENCIES:
            position = billing.position + index
            place = place_in(claim.transaction, "2000A", "CUR", position, "CUR02", claim=claim.id)
            yield CodeError("currency", "not-taken", "CUR02"), place, "85"


def find_header_code_errors(transaction: Transaction, judging: Judging) -> Iterator[Fact]:
    """The code errors of the submitter's telephone numbers (1000A PER)."""
    shared: dict[str, OpenValue] = {"date": judging.received, "last_date": judging.received, "line": None}
    for index, segment in enumerate(transaction.segments):
        for number in (3, 5, 7) if segment[0] == "PER" else ():
            said = element(segment, number + 1)
            if element(segment, number) in _PHONES and said and not said.isalnum():
                at = f"PER{number + 1:02}"
                place = place_in(transaction, "1000A", "PER", transaction.position + index, at)
                yield _fixed_fact(CodeError("phone", "punctuation", at), place, "41", judging, shared)


def _is_first(claim: Claim) -> bool:
    """Whether a claim is the first of its transaction set: what is wrong with that is said once."""
    level = claim.patient or claim.subscriber
    if level is None or claim.subscriber is None or claim.subscriber.number != _FIRST_SUBSCRIBER:
        return False
    segments = level.block.text.count(level.block.delimiters.terminator) + 1
    return claim.position == level.position + segments


def _judge_subscriber(subscriber: Subscriber | None, profile: Profile) -> str:
    if profile.member_id is None and "medicare" not in profile.names:
        return ""
    if subscriber is None or any(fault.segment == "NM1" for fault in subscriber.faults):
        return ""
    return judge_member_id(subscriber.name.id, subscriber.name.entity_type, profile)


def judge_member_id(text: str, entity_type: str, profile: Profile) -> str:
    """What is odd about the form of a subscriber's id for the payer: `form` where it is not the one that the
    profile asks for, else as `judge_medicare_id` has it; "" for nothing.
    """
    if not text or len(text) > LONGEST_MEMBER_ID or entity_type != "1":
        return ""
    if profile.member_id is not None:
        return "" if profile.member_id.fullmatch(text) else "form"
    return judge_medicare_id(text) if "medicare" in profile.names else ""


def lacks_npi(billing: BillingProvider) -> bool:
    named = billing.provider
    if named.npi or named.name_segment is None:
        return False
    return not any(fault.segment == "NM1" and fault.kind != "element-padding" for fault in billing.faults)


# -- diagnoses ---------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _era_of(on: int) -> int:
    """A day that stands for all on which the shipped lists of diagnoses say the very same."""
    if on < icd.TURN:
        return 20111001 if on >= 20111001 else 20000101
    load = icd.load("icd10cm")
    return load.first_day(load.era(on))


@lru_cache(maxsize=16384)
def _judge_diagnoses(
    pairs: tuple[tuple[str, str], ...], on: int, end: int, dated: bool, imported: Releases | None
) -> tuple[tuple[tuple[int, CodeError], ...], bool]:
    """What is odd about a claim's diagnoses on the days from `on` to `end`, each with its number from 1.

    And whether one of them asks for the patient's sex or age.
    """
    found: list[tuple[int, CodeError]] = []
    seen: set[tuple[icd.System, str]] = set()
    uncovered: list[tuple[int, str, TableVersion]] = []
    wrong_system = False
    systems = {DIAGNOSIS_LISTS[qualifier] for qualifier, _ in pairs}
    for number, (qualifier, code) in enumerate(pairs, 1):
        if not code:
            continue
        system = DIAGNOSIS_LISTS[qualifier]
        first = number == 1
        late = system == "icd9cm" and on >= icd.TURN
        early = system == "icd10cm" and end < icd.TURN
        if len(systems) > 1 or (dated and (late or early)):
            # One finding says it for all codes.
            if not wrong_system and (late or early or not dated):
                wrong_system = True
                problem = "icd-9-late" if late else "icd-10-early" if early else "icd-mixed"
                found.append((number, CodeError("diagnosis", problem, "-2", code, first)))
            if late or early:
                continue
        unfit, table = _judge_diagnosis(system, code, on, end, imported)
        if unfit is not None and unfit.problem == "uncovered":
            uncovered.append((number, code, table))
        elif unfit is not None:
            found.append((number, _of_unfit("diagnosis", "-2", code, first, unfit, table)))
        if (system, code) in seen:
            found.append((number, CodeError("diagnosis", "repeated", "-2", code)))
        seen.add((system, code))
        if first and icd.is_external_cause(system, code) and (unfit is None or unfit.problem != "shape"):
            found.append((number, CodeError("diagnosis", "external-cause-first", "-2", code, first=True)))
    if uncovered:
        number, code, table = uncovered[0]
        codes = tuple(dict.fromkeys(code for _, code, _ in uncovered))
        found.append(
            (number, CodeError("diagnosis", "uncovered", "-2", code, number == 1, codes=codes, table=table))
        )
    personal = any(
        len(qualifier) == 3 and (icd.sex_of(code) or icd.ages_of(code)) for qualifier, code in pairs
    )
    return tuple(found), personal


def _of_unfit(set: str, at: str, code: str, first: bool, unfit: icd.Unfit, table: TableVersion) -> CodeError:
    return CodeError(set, unfit.problem, at, code, first, unfit.since, unfit.until, unfit.better, table=table)


def _judge_diagnosis(
    system: icd.System, code: str, on: int, end: int, imported: Releases | None
) -> tuple[icd.Unfit | None, TableVersion]:
    """Why a code cannot be billed on any day of the service, and the list that says so."""
    known = icd.load(system)
    table = TableVersion(system, known.release)
    unfit = icd.judge(system, code, known.era(on))
    if unfit is not None and end != on and icd.judge(system, code, known.era(end)) is None:
        unfit = None
    if imported is None or system != "icd10cm" or (unfit is not None and unfit.problem == "shape"):
        return unfit, table
    release = imported.release("icd10cm", on)
    if release is None or (last_day(release.version) < on and last_day(release.version) <= known.until):
        return unfit, table  # the shipped list is the newer one
    if on <= known.until and unfit is None:
        return None, table  # what was added within the year may be missing in a release of its first day
    listed = imported.diagnosis(code, on)
    if listed is None and not imported.whole("icd10cm", on):
        return unfit, table
    if listed is not None and listed.billable:
        return None, release
    if listed is not None:
        return icd.Unfit("subdivided", better=unfit.better if unfit is not None else ()), release
    if on > last_day(release.version):
        return icd.Unfit("uncovered"), release
    if unfit is None or unfit.problem == "uncovered":
        return icd.Unfit("not-in-force" if unfit is None else "unknown"), release
    return unfit, release


def _of_diagnoses(
    claim: Claim, oddities: tuple[tuple[int, CodeError], ...], on: int
) -> Iterator[tuple[int, CodeError]]:
    """The code errors of a claim's diagnoses, each with the number of its segment in the claim."""
    sites: list[tuple[int, int, str]] = []
    for index, segment in enumerate(claim.header.segments):
        if segment[0] != "HI":
            continue
        for place, composite in enumerate(segment[1:], 1):
            qualifier, _, rest = composite.partition(claim.component)
            if qualifier in DIAGNOSIS_LISTS and len(sites) < MOST_DIAGNOSES:
                sites.append((index, place, rest.partition(claim.component)[0]))
    for number, code_error in oddities:
        index, place, _ = sites[number - 1]
        yield index, code_error._replace(at=f"HI{place:02}{code_error.at}")
    patient = claim.patient_name
    segment = patient.run.first("DMG") or []
    sex, birth = element(segment, 3), day(element(segment, 2))
    for index, place, code in sites:
        at = f"HI{place:02}-2"
        expected = icd.sex_of(code)
        if expected and sex in ("F", "M") and sex != expected:
            yield index, CodeError("diagnosis", "sex", at, code)
        ages = icd.ages_of(code)
        if ages is not None and birth is not None and birth <= on and not _is_of_age(ages, birth, on):
            yield index, CodeError("diagnosis", "age", at, code)


def _is_of_age(ages: icd.Ages, birth: int, on: int) -> bool:
    years, days = years_between(birth, on), days_between(birth, on)
    return not (
        (ages.least_days is not None and days < ages.least_days)
        or (ages.most_days is not None and days > ages.most_days)
        or (ages.least_years is not None and years < ages.least_years)
        or (ages.most_years is not None and years > ages.most_years)
    )


# -- lines -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16384)
def _judge_line(
    code: str, modifiers: tuple[str, ...], place_of_service: str, on: int
) -> tuple[CodeError, ...]:
    """What is odd about a service; modifiers are at "SV101", and `_at_modifier` finds which."""
    found: list[CodeError] = []
    if code and not lists.is_procedure(code):
        found.append(CodeError("procedure", "shape", "SV101-2", code))
    for modifier in dict.fromkeys(modifiers):
        problem = lists.judge_modifier(modifier, on)
        if problem is not None:
            found.append(_dated("modifier", problem, "SV101", modifier, lists.modifiers()))
    if place_of_service:
        found += _judge_place(place_of_service, "SV105", on)
    return tuple(found)


def _judge_place(code: str, at: str, on: int) -> list[CodeError]:
    if not (len(code) == 2 and code.isascii() and code.isdigit()):
        return [CodeError("place-of-service", "shape", at, code)]
    problem = lists.places_of_service().judge(code, on)
    return (
        [] if problem is None else [_dated("place-of-service", problem, at, code, lists.places_of_service())]
    )


def _dated(name: str, problem: str, at: str, code: str, known: lists.DatedList) -> CodeError:
    first, last = known.periods.get(code, (0, 0))
    return CodeError(
        name,
        problem,
        at,
        code,
        since=first or None,
        until=last if first <= last < NO_END and last else None,
        table=TableVersion(known.name, known.release),
    )


def _judge_pointers(pointers: str, component: str, diagnoses: int) -> Iterator[CodeError]:
    texts = pointers.split(component) if pointers else []
    seen: set[str] = set()
    for number, said in enumerate(texts, 1):
        # What is no number the guide refuses.
        if not (said.isascii() and said.isdigit() and len(said) <= 2):
            continue
        if not 1 <= int(said) <= diagnoses:
            yield CodeError("pointer", "beyond", f"SV107-{number}", said)
        elif said in seen:
            yield CodeError("pointer", "repeated", f"SV107-{number}", said)
        seen.add(said)


@lru_cache(maxsize=16384)
def _judge_procedure(code: str, on: int, imported: Releases | None) -> tuple[CodeError, ...]:
    """What is odd about a code on a day, by an imported release, else by the days of therapy codes."""
    listed = _judge_by_release(code, on, imported) if imported is not None else None
    if listed is not None and not any(error.problem == "uncovered" for error in listed):
        return listed
    known = lists.therapy_procedures()
    if known.judge(code, on) == "not-in-force":
        return (_dated("procedure", "not-in-force", "SV101-2", code, known),)
    return listed or ()


def _judge_by_release(code: str, on: int, imported: Releases) -> tuple[CodeError, ...] | None:
    """What the imported release of a day says, None for none: HCPCS level II, a list of one's own of CPT."""
    if lists.is_level_1(code):
        said = judge_listed("cpt", code, on, on, imported)
        if isinstance(said, bool):
            return () if said else None
        problem = "unknown" if said.problem == "not-in-force" else said.problem
        return (CodeError("procedure", problem, "SV101-2", code, table=said.table),)
    release = imported.release("hcpcs", on) if lists.is_level_2(code) else None
    if release is None:
        return None
    if imported.hcpcs(code, on) is not None:
        return ()
    if not imported.whole("hcpcs", on):
        return None
    problem = "unknown" if on <= last_day(release.version) else "uncovered"
    return (CodeError("procedure", problem, "SV101-2", code, table=release),)


def _at_modifier(odd: tuple[CodeError, ...], procedure: list[str]) -> Iterator[CodeError]:
    """The code errors of a line, each modifier with its place in SV101."""
    for code_error in odd:
        if code_error.at == "SV101":
            yield code_error._replace(at=f"SV101-{procedure.index(code_error.code, 2, 6) + 1}")
        else:
            yield code_error


@lru_cache(maxsize=4096)
def _judge_head(location: str, causes: str, component: str, on: int) -> tuple[CodeError, ...]:
    """What is odd about CLM05-1 and the state and country of an accident in CLM11."""
    found: list[CodeError] = []
    place = location.partition(component)[0]
    if place:
        found += _judge_place(place, "CLM05-1", on)
    parts = causes.split(component)
    state, country = element(parts, 3), element(parts, 4)
    for at, problem in lists.judge_address(state, "", country):
        name, number = ("state", 4) if at == "N402" else ("country", 5)
        found.append(CodeError(name, problem, f"CLM11-{number}", parts[number - 1]))
    return tuple(found)


# -- addresses, taxonomies, adjustments --------------------------------------------------------------------

_LONGEST = 20  # elements with the id: CAS has 19
_LONGEST_TEXT = 80  # characters that are looked at


def _look(cells: Cells, judging: Judging) -> Iterator[CodeError]:
    """What is odd about one segment."""
    match cells[0]:
        case "NM1":
            yield from _of_name(cells)
        case "PRV":
            code = _said(cells, 3)
            if code and text(cells, 2) == "PXC":
                yield from _listed("taxonomy", "taxonomy", code, "PRV03", lists.judge_taxonomy(code), judging)
        case "CAS":
            yield from _of_reasons("adjustment-reason", "carc", cells, range(2, len(cells), 3), judging)
        case "MOA":
            yield from _of_reasons("remark", "rarc", cells, range(3, min(len(cells), 8)), judging)
        case "CUR":
            code = _said(cells, 2)
            if code and code not in lists.CURRENCIES:
                yield CodeError("currency", "unknown", "CUR02", code)


def _look_at_columns(cells: Cells) -> Iterator[tuple[CodeError, Open]]:
    """What may be odd about the columns of one segment, and whether it is."""
    if cells[0] == "REF" and text(cells, 1) in ("EI", "SY"):
        at = [(2, "tax-number")]
    elif cells[0] == "PER":
        at = [(number + 1, "phone") for number in (3, 5, 7) if text(cells, number) in _PHONES]
    else:
        return
    for number, name in at:
        said = cell(cells, number)
        if isinstance(said, Open):
            take = said.take
            when = Open(name, partial(_is_punctuated, take))
            yield CodeError(name, "punctuation", f"{cells[0]}{number:02}"), when


def _is_punctuated(take: Callable[[Any], str], met: Any) -> bool:
    return not take(met).isalnum()


_PHONES = ("TE", "FX")


# The billing provider's own address and places where services are given have ZIP codes of nine digits.
_NINE_DIGITS = frozenset(("2010AA", "2310C", "2420C"))


def _said(cells: Cells, index: int) -> str:
    """An element: what is remembered of it must not grow with a flood of text."""
    return text(cells, index)[:_LONGEST_TEXT]


def _of_name(cells: Cells) -> Iterator[CodeError]:
    """What an organization has that only a person's name has: first and middle name, titles."""
    if len(cells) > 4 and text(cells, 2) == "2":
        for i, what in ((4, "first"), (5, "middle"), (6, "title"), (7, "title")):
            if present(cell(cells, i)):
                yield CodeError("name", what, f"NM1{i:02}")


def _of_reasons(
    name: str, table: str, cells: Cells, places: Iterable[int], judging: Judging
) -> Iterator[CodeError]:
    is_one = lists.is_adjustment_reason if table == "carc" else lists.is_remark
    for i in places:
        code = _said(cells, i) if i < _LONGEST else ""
        if code:
            by_shape: lists.Problem | None = None if is_one(code) else "shape"
            yield from _listed(name, table, code, f"{cells[0]}{i:02}", by_shape, judging)


def _listed(
    name: str, table: str, code: str, at: str, by_shape: lists.Problem | None, judging: Judging
) -> Iterator[CodeError]:
    """What is odd about a code by its list, where one is imported that answers, else by its shape."""
    said: Unlisted | bool = False
    if judging.imported is not None:
        said = judge_listed(table, code, judging.first, judging.received, judging.imported)
    if said is True:
        return
    if by_shape == "shape" or (said is False and by_shape is not None):
        yield CodeError(name, by_shape, at, code if by_shape != "shape" else "")
    elif said:
        yield CodeError(name, said.problem, at, code, False, said.since, said.until, table=said.table)


def _of_address(cells: Cells, loop: str) -> Iterator[CodeError]:
    state, postal_code, country = _said(cells, 2), _said(cells, 3), _said(cells, 4)
    for at, problem in lists.judge_address(state, postal_code, country):
        if problem == "zip-5" and loop not in _NINE_DIGITS:
            continue
        name = {"N402": "state", "N403": "zip", "N404": "country"}[at]
        code = "" if at == "N403" else state if at == "N402" else country
        yield CodeError(name, problem, at, code if len(code) <= 3 else "")
    for at, problem in lists.find_missing(state, postal_code, country):
        yield CodeError("state" if at == "N402" else "zip", problem, at)
