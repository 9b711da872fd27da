"""Codes that do not fit their code set on their day, or their place.

Facts of what is odd, nothing of what is clean. Each look is remembered by what it looks at, so that claims
like others cost a few look-ups and no fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from edi_checker.claim import (
    BillingProvider,
    Claim,
    Patient,
    Segment,
    Subscriber,
    day,
    element,
    place_in,
)
from edi_checker.codesets import diagnoses as icd
from edi_checker.codesets import lists
from edi_checker.codesets.imported import Releases, Unlisted, judge_listed, last_day, releases_in
from edi_checker.codesets.member_ids import LONGEST, judge_medicare_id
from edi_checker.facts.circumstances import Circumstances
from edi_checker.facts.lines import Line
from edi_checker.facts.places import LOOPS_2310, LOOPS_2420, Known
from edi_checker.facts.vocabulary import Fact, Value
from edi_checker.finding import Place, TableVersion
from edi_checker.profile import Profile
from edi_checker.tables import Tables
from edi_checker.x12 import Fault

_MOST_QUOTED = 8  # characters of a code that a finding may quote; what is longer is no code
_LENGTH_OF_TAXONOMY = 10
MOST_DIAGNOSES = 24  # that are looked at; the guide allows 12
MOST_MISFITS = 200  # of one claim or level: more of them say nothing new


class Misfit(NamedTuple):
    """What is odd about one code; see the fact type `misfit` for the words.

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


class _Site(NamedTuple):
    """Where a segment stands: its position, loop, the NM101 of that loop, and its line."""

    segment: Segment
    position: int
    loop: str
    role: str
    line: int | None


def add_level_misfits(
    facts: list[Fact],
    level: BillingProvider | Subscriber | Patient,
    circumstances: Circumstances,
    profile: str,
) -> None:
    """Add the misfits of a level above claims; they are judged as of the day of receipt."""
    day_of_receipt = circumstances.received
    known = Looked(releases_in(circumstances.tables), day_of_receipt, day_of_receipt)
    for segment in level.segments:
        if _is_odd(segment, level.faults, known):
            break
    else:
        return
    found = [
        (site, misfit)
        for site in _sites_of_level(level)
        for misfit in _look(_key(site.segment, level.faults), site.loop, known)
    ]
    for site, misfit in _without_faulty(found, level.faults):
        place = place_in(level.transaction, site.loop, site.segment[0], site.position, misfit.at)
        facts.append(_fact(misfit, place, site.role, day_of_receipt, None, day_of_receipt, profile))


def add_claim_misfits(
    facts: list[Fact],
    claim: Claim,
    lines: list[Line],
    first: int | None,
    last: int | None,
    circumstances: Circumstances,
    profile: Profile,
) -> None:
    """Add the misfits of a claim; `first` and `last` are its days of service, None where not known."""
    found: list[tuple[_Site, Misfit]] = []
    imported = releases_in(circumstances.tables)
    on = first or circumstances.received

    count = len(claim.diagnoses)
    pairs = claim.diagnoses if count <= MOST_DIAGNOSES else claim.diagnoses[:MOST_DIAGNOSES]
    if claim.faults:
        pairs = [(qualifier, code[:_LONGEST_TEXT]) for qualifier, code in pairs]
    if pairs:
        key = on if imported is not None else _era_of(on)
        end = last or on
        key_of_end = key if end == on else end if imported is not None else _era_of(end)
        oddities, personal = _judge_diagnoses(tuple(pairs), key, key_of_end, first is not None, imported)
        if oddities or personal:
            found += _of_diagnoses(claim, oddities, on)

    for line in lines:
        service = line.service
        if service.plain <= count and imported is None:
            continue
        begin = line.first or circumstances.received
        odd = _judge_line(
            claim.component,
            service.code[:_LONGEST_TEXT],
            # A longer one the guide refuses.
            tuple(modifier for modifier in service.modifiers if len(modifier) <= 2),
            service.place_of_service[:_LONGEST_TEXT],
            service.pointers[:_LONGEST_TEXT],
            count,
            lists.turn_of(begin),
        )
        if imported is not None and service.code:
            odd += _judge_procedure(service.code, begin, imported)
        if odd:
            view = line.view
            position = view.position_of(view.service)
            site = _Site(view.service or ["SV1"], position, "2400", "", view.ordinal)
            found += [(site, misfit) for misfit in _at_modifier(odd, view.procedure)]

    head = _judge_head(
        element(claim.segment, 5)[:_LONGEST_TEXT],
        element(claim.segment, 11)[:_LONGEST_TEXT],
        claim.component,
        lists.turn_of(on),
    )
    if head:
        site = _Site(claim.segment, claim.position, "2300", "", None)
        found += [(site, misfit) for misfit in head]

    known = Looked(imported, min(on, circumstances.received), circumstances.received)
    for each in claim.segments:
        if _is_odd(each, claim.faults, known):
            found += [
                (site, misfit)
                for site in _sites_of_claim(claim)
                for misfit in _look(_key(site.segment, claim.faults), site.loop, known)
            ]
            break

    for misfit, place, role in _of_the_payer(claim, profile):
        facts.append(_fact(misfit, place, role, first, last, circumstances.received, profile.name))
    if not found:
        return
    days_of_lines = {line.view.ordinal: line.first for line in lines}
    for site, misfit in _without_faulty(found, claim.faults)[:MOST_MISFITS]:
        place = claim.place(
            site.segment[0], misfit.at, loop=site.loop, position=site.position, line=site.line
        )
        of_line = days_of_lines.get(site.line) if site.line is not None else None
        facts.append(
            _fact(misfit, place, site.role, of_line or first, last, circumstances.received, profile.name)
        )


def _of_the_payer(claim: Claim, profile: Profile) -> Iterator[tuple[Misfit, Place, str]]:
    """What stands above a claim and does not fit its payer, with its place and the role of the party."""
    problem = _judge_member_id(claim.subscriber, profile)
    if problem and claim.subscriber is not None:
        named = claim.subscriber.name
        position = named.run.position_of(named.name_segment)
        place = place_in(claim.transaction, "2010BA", "NM1", position, "NM109", claim=claim.id)
        yield Misfit("member-id", problem, "NM109"), place, "IL"
    billing = claim.billing
    if billing is None or "medicare" not in profile.names:
        return
    if _lacks_npi(billing):
        named = billing.provider
        position = named.run.position_of(named.name_segment)
        place = place_in(claim.transaction, "2010AA", "NM1", position, "NM109", claim=claim.id)
        yield Misfit("npi", "missing", "NM109"), place, "85"
    for index, segment in enumerate(billing.segments):
        # One that is no currency is found with the level.
        if segment[0] == "CUR" and element(segment, 2) in lists.CURRENCIES:
            position = billing.position + index
            place = place_in(claim.transaction, "2000A", "CUR", position, "CUR02", claim=claim.id)
            yield Misfit("currency", "not-taken", "CUR02"), place, "85"


def is_usual_billing_provider(billing: BillingProvider, profile: Profile) -> bool:
    """Whether nothing is odd for the payer about a billing provider in whose level there are no faults."""
    return "medicare" not in profile.names or not (_lacks_npi(billing) or billing.first("CUR") is not None)


def is_usual_member_id(text: str, profile: Profile) -> bool:
    """Whether nothing is odd for the payer about the id of a subscriber who is a person."""
    return not _judge_form(text, "1", profile)


def _judge_member_id(subscriber: Subscriber | None, profile: Profile) -> str:
    if profile.member_id is None and "medicare" not in profile.names:
        return ""
    if subscriber is None or any(fault.segment == "NM1" for fault in subscriber.faults):
        return ""
    if subscriber.usual is not None:
        return _judge_form(subscriber.usual.id, "1", profile)
    return _judge_form(subscriber.name.id, subscriber.name.entity_type, profile)


def _judge_form(text: str, entity_type: str, profile: Profile) -> str:
    """What is odd about the form of a subscriber's id for the payer: `form` where it is not the one that the
    profile asks for, else as `judge_medicare_id` has it; "" for nothing.
    """
    if not text or len(text) > LONGEST or entity_type != "1":
        return ""
    if profile.member_id is not None:
        return "" if profile.member_id.fullmatch(text) else "form"
    return judge_medicare_id(text) if "medicare" in profile.names else ""


def _lacks_npi(billing: BillingProvider) -> bool:
    named = billing.provider
    if named.npi or named.name_segment is None:
        return False
    return not any(fault.segment == "NM1" and fault.kind != "element-padding" for fault in billing.faults)


def has_name_of_a_person(named: Segment) -> bool:
    """Whether an NM1 of an organisation has what only a person's name has: first and middle name, titles."""
    return len(named) > 4 and named[2] == "2" and any(named[4:8])


def are_usual_diagnoses(pairs: tuple[tuple[str, str], ...], first: int, last: int, tables: Tables) -> bool:
    """Whether nothing is odd about a claim's diagnoses, whoever the patient is."""
    imported = releases_in(tables)
    key = first if imported is not None else _era_of(first)
    key_of_end = key if last == first else last if imported is not None else _era_of(last)
    return not pairs or _judge_diagnoses(pairs, key, key_of_end, True, imported) == ((), False)


def era_of_diagnoses(on: int, tables: Tables) -> int:
    """A day that stands for all on which the lists say the same of diagnoses."""
    return on if releases_in(tables) is not None else _era_of(on)


def is_usual_head(location: str, component: str, on: int) -> bool:
    """Whether nothing is odd about CLM05."""
    return not _judge_head(location[:_LONGEST_TEXT], "", component, lists.turn_of(on))


def is_usual_procedure(code: str, on: int, tables: Tables) -> bool:
    """Whether no imported release says anything of a procedure code on a day."""
    imported = releases_in(tables)
    return imported is None or not _judge_procedure(code, on, imported)


def is_usual_taxonomy(segment: Segment, tables: Tables, received: int) -> bool:
    """Whether nothing is odd about a PRV on the day of receipt."""
    return _is_clean(tuple(segment), Looked(releases_in(tables), received, received))


def is_usual_adjustment(segment: Segment, tables: Tables) -> bool:
    """Whether nothing is odd about a CAS, and no imported list has to be asked."""
    return releases_in(tables) is None and _is_clean(tuple(segment), _BY_SHAPE)


def is_usual_address(segment: Segment) -> bool:
    """Whether nothing is odd about an N4, in whatever loop it stands."""
    return _is_clean(tuple(segment), _BY_SHAPE)


def _without_faulty(
    found: list[tuple[_Site, Misfit]], faults: tuple[Fault, ...]
) -> list[tuple[_Site, Misfit]]:
    """What is left where one cause shall be one finding: without elements that the guide refuses already."""
    refused = {(fault.position, fault.element) for fault in faults}
    if not refused:
        return found
    # Which diagnosis a pointer means, and which is the first, is not known where one is not written right.
    unsure = any(fault.segment == "HI" for fault in faults)
    return [
        (site, misfit)
        for site, misfit in found
        if not (unsure and (misfit.set == "pointer" or misfit.problem == "external-cause-first"))
        and (site.position, misfit.at) not in refused
        and (site.position, misfit.at.partition("-")[0]) not in refused
    ]


def _fact(
    misfit: Misfit, place: Place, role: str, on: int | None, last: int | None, received: int, profile: str
) -> Fact:
    most = _LENGTH_OF_TAXONOMY if misfit.set == "taxonomy" else _MOST_QUOTED
    quotable = len(misfit.code) <= most and misfit.code.isascii() and misfit.code.isalnum()
    values: dict[str, Value] = {
        "date": on,
        "last_date": last if last is not None else on,
        "received": received,
        "profile": profile,
        "set": misfit.set,
        "problem": misfit.problem,
        "code": misfit.code if quotable else "",
        "codes": misfit.codes,
        "first": misfit.first,
        "loop": place.loop,
        "element": misfit.at,
        "role": role,
        "line": place.line,
        "since": misfit.since,
        "until": misfit.until,
        "better": misfit.better,
        "release": misfit.table.version if misfit.table is not None else "",
    }
    return Fact("misfit", values, {"": (Known(place),)}, misfit.table)


# -- diagnoses ---------------------------------------------------------------------------------------------

_SYSTEMS: dict[str, icd.System] = {"ABK": "icd10cm", "ABF": "icd10cm", "BK": "icd9cm", "BF": "icd9cm"}


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
) -> tuple[tuple[tuple[int, Misfit], ...], bool]:
    """What is odd about a claim's diagnoses on the days from `on` to `end`, each with its number from 1.

    And whether one of them asks for the patient's sex or age.
    """
    found: list[tuple[int, Misfit]] = []
    seen: set[tuple[icd.System, str]] = set()
    uncovered: list[tuple[int, str, TableVersion]] = []
    wrong_system = False
    systems = {_SYSTEMS[qualifier] for qualifier, _ in pairs}
    for number, (qualifier, code) in enumerate(pairs, 1):
        if not code:
            continue
        system = _SYSTEMS[qualifier]
        first = number == 1
        late = system == "icd9cm" and on >= icd.TURN
        early = system == "icd10cm" and end < icd.TURN
        if len(systems) > 1 or (dated and (late or early)):
            # One finding says it for all codes.
            if not wrong_system and (late or early or not dated):
                wrong_system = True
                problem = "icd-9-late" if late else "icd-10-early" if early else "icd-mixed"
                found.append((number, Misfit("diagnosis", problem, "-2", code, first)))
            if late or early:
                continue
        unfit, table = _judge_diagnosis(system, code, on, end, imported)
        if unfit is not None and unfit.problem == "uncovered":
            uncovered.append((number, code, table))
        elif unfit is not None:
            found.append(
                (
                    number,
                    Misfit(
                        "diagnosis",
                        unfit.problem,
                        "-2",
                        code,
                        first,
                        unfit.since,
                        unfit.until,
                        unfit.better,
                        table=table,
                    ),
                )
            )
        if (system, code) in seen:
            found.append((number, Misfit("diagnosis", "repeated", "-2", code)))
        seen.add((system, code))
        if first and icd.is_external_cause(system, code) and (unfit is None or unfit.problem != "shape"):
            found.append((number, Misfit("diagnosis", "external-cause-first", "-2", code, first=True)))
    if uncovered:
        number, code, table = uncovered[0]
        codes = tuple(dict.fromkeys(code for _, code, _ in uncovered))
        found.append(
            (number, Misfit("diagnosis", "uncovered", "-2", code, number == 1, codes=codes, table=table))
        )
    personal = any(
        len(qualifier) == 3 and (icd.sex_of(code) or icd.ages_of(code)) for qualifier, code in pairs
    )
    return tuple(found), personal


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
    claim: Claim, oddities: tuple[tuple[int, Misfit], ...], on: int
) -> Iterator[tuple[_Site, Misfit]]:
    sites: list[tuple[_Site, int, str]] = []
    for index, segment in enumerate(claim.header.segments):
        if segment[0] != "HI":
            continue
        for place, composite in enumerate(segment[1:], 1):
            qualifier, _, rest = composite.partition(claim.component)
            if qualifier in _SYSTEMS and len(sites) < MOST_DIAGNOSES:
                site = _Site(segment, claim.position + index, "2300", "", None)
                sites.append((site, place, rest.partition(claim.component)[0]))
    for number, misfit in oddities:
        site, place, _ = sites[number - 1]
        yield site, misfit._replace(at=f"HI{place:02}{misfit.at}")
    patient = claim.patient_name
    segment = patient.run.first("DMG") or []
    sex, birth = element(segment, 3), day(element(segment, 2))
    for site, place, code in sites:
        at = f"HI{place:02}-2"
        expected = icd.sex_of(code)
        if expected and sex in ("F", "M") and sex != expected:
            yield site, Misfit("diagnosis", "sex", at, code)
        ages = icd.ages_of(code)
        if ages is not None and birth is not None and birth <= on and not _is_of_age(ages, birth, on):
            yield site, Misfit("diagnosis", "age", at, code)


def _is_of_age(ages: icd.Ages, birth: int, on: int) -> bool:
    years = (on - birth) // 10000
    days = (_calendar(on) - _calendar(birth)).days
    return not (
        (ages.least_days is not None and days < ages.least_days)
        or (ages.most_days is not None and days > ages.most_days)
        or (ages.least_years is not None and years < ages.least_years)
        or (ages.most_years is not None and years > ages.most_years)
    )


def _calendar(on: int) -> date:
    return date(on // 10000, on // 100 % 100, on % 100)


# -- lines -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=16384)
def _judge_line(
    component: str,
    code: str,
    modifiers: tuple[str, ...],
    place_of_service: str,
    pointers: str,
    diagnoses: int,
    on: int,
) -> tuple[Misfit, ...]:
    """What is odd about a service line; modifiers are at "SV101", and `_at_modifier` finds which."""
    found: list[Misfit] = []
    if code and not lists.is_procedure(code):
        found.append(Misfit("procedure", "shape", "SV101-2", code))
    for modifier in dict.fromkeys(modifiers):
        problem = lists.judge_modifier(modifier, on)
        if problem is not None:
            found.append(_dated("modifier", problem, "SV101", modifier, lists.modifiers()))
    if place_of_service:
        found += _judge_place(place_of_service, "SV105", on)
    found += _judge_pointers(pointers, component, diagnoses)
    return tuple(found)


def _judge_place(code: str, at: str, on: int) -> list[Misfit]:
    if not (len(code) == 2 and code.isascii() and code.isdigit()):
        return [Misfit("place-of-service", "shape", at, code)]
    problem = lists.places_of_service().judge(code, on)
    return (
        [] if problem is None else [_dated("place-of-service", problem, at, code, lists.places_of_service())]
    )


def _dated(name: str, problem: str, at: str, code: str, known: lists.DatedList) -> Misfit:
    first, last = known.periods.get(code, (0, 0))
    return Misfit(
        name,
        problem,
        at,
        code,
        since=first or None,
        until=last if first <= last < 99991231 and last else None,
        table=TableVersion(known.name, known.release),
    )


def _judge_pointers(pointers: str, component: str, diagnoses: int) -> Iterator[Misfit]:
    texts = pointers.split(component) if pointers else []
    seen: set[str] = set()
    for number, text in enumerate(texts, 1):
        # What is no number the guide refuses.
        if not (text.isascii() and text.isdigit() and len(text) <= 2):
            continue
        if not 1 <= int(text) <= diagnoses:
            yield Misfit("pointer", "beyond", f"SV107-{number}", text)
        elif text in seen:
            yield Misfit("pointer", "repeated", f"SV107-{number}", text)
        seen.add(text)


@lru_cache(maxsize=16384)
def _judge_procedure(code: str, on: int, imported: Releases) -> tuple[Misfit, ...]:
    """What the imported release of a day says of a code: HCPCS of level II, a list of one's own of CPT."""
    if lists.is_level_1(code):
        said = judge_listed("cpt", code, on, on, imported)
        if isinstance(said, bool):
            return ()
        problem = "unknown" if said.problem == "not-in-force" else said.problem
        return (Misfit("procedure", problem, "SV101-2", code, table=said.table),)
    if not lists.is_level_2(code):
        return ()
    release = imported.release("hcpcs", on)
    if release is None or imported.hcpcs(code, on) is not None:
        return ()
    problem = "unknown" if on <= last_day(release.version) else "uncovered"
    return (Misfit("procedure", problem, "SV101-2", code, table=release),)


def _at_modifier(odd: tuple[Misfit, ...], procedure: list[str]) -> Iterator[Misfit]:
    """The misfits of a line, each modifier with its place in SV101."""
    for misfit in odd:
        if misfit.at == "SV101":
            yield misfit._replace(at=f"SV101-{procedure.index(misfit.code, 2, 6) + 1}")
        else:
            yield misfit


@lru_cache(maxsize=4096)
def _judge_head(location: str, causes: str, component: str, on: int) -> tuple[Misfit, ...]:
    """What is odd about CLM05-1 and the state and country of an accident in CLM11."""
    found: list[Misfit] = []
    place = location.partition(component)[0]
    if place:
        found += _judge_place(place, "CLM05-1", on)
    parts = causes.split(component)
    state, country = element(parts, 3), element(parts, 4)
    for at, problem in lists.judge_address(state, "", country):
        name, number = ("state", 4) if at == "N402" else ("country", 5)
        found.append(Misfit(name, problem, f"CLM11-{number}", parts[number - 1]))
    return tuple(found)


# -- addresses, taxonomies, adjustments --------------------------------------------------------------------

_LONGEST = 20  # elements with the id: CAS has 19
_LONGEST_TEXT = 80  # characters that are looked at: what is remembered must not grow with a flood of text


def _key(segment: Segment, faults: tuple[Fault, ...]) -> tuple[str, ...]:
    """A segment as it is remembered. Without a fault the guide has seen to its length."""
    if not faults:
        return tuple(segment)
    return tuple([text[:_LONGEST_TEXT] for text in segment[:_LONGEST]])


_LOOKED_AT = frozenset(("N4", "PRV", "CAS", "MOA", "CUR"))
# The billing provider's own address and places where services are given have ZIP codes of nine digits.
_NINE_DIGITS = frozenset(("2010AA", "2310C", "2420C"))


class Looked(NamedTuple):
    """With which imported releases codes are looked up, None for none; a code must hold on one of the days
    from `first` to `last`.
    """

    imported: Releases | None
    first: int
    last: int


_BY_SHAPE = Looked(None, 0, 0)
_LISTED = frozenset(("PRV", "CAS", "MOA"))  # segments whose codes are of lists that can be imported


def _is_odd(segment: Segment, faults: tuple[Fault, ...], known: Looked) -> bool:
    if segment[0] == "NM1":
        return has_name_of_a_person(segment)
    return segment[0] in _LOOKED_AT and not _is_clean(_key(segment, faults), known)


@lru_cache(maxsize=16384)
def _is_clean(segment: tuple[str, ...], known: Looked) -> bool:
    """Whether a segment fits in whatever loop it stands."""
    return not _look(segment, "2010AA", known)


def _look(segment: tuple[str, ...], loop: str, known: Looked) -> tuple[Misfit, ...]:
    # What is remembered of all other segments is right whatever the day.
    if not segment or segment[0] == "NM1":
        return tuple(_of_name(list(segment)))  # names are not remembered
    listed = known.imported is not None and segment[0] in _LISTED
    return _of_segment(segment, loop, known if listed else _BY_SHAPE)


@lru_cache(maxsize=16384)
def _of_segment(segment: tuple[str, ...], loop: str, known: Looked) -> tuple[Misfit, ...]:
    """What is odd about one segment; ZIP codes are not told, they are part of an address."""
    texts = list(segment)
    match segment[0] if segment else "":
        case "N4":
            return tuple(_of_address(texts, loop))
        case "PRV":
            code = element(texts, 3)
            if not code or element(texts, 2) != "PXC":
                return ()
            return tuple(_listed("taxonomy", "taxonomy", code, "PRV03", lists.judge_taxonomy(code), known))
        case "CAS":
            return tuple(_of_reasons("adjustment-reason", "carc", texts, range(2, len(texts), 3), known))
        case "MOA":
            return tuple(_of_reasons("remark", "rarc", texts, range(3, min(len(texts), 8)), known))
        case "CUR":
            code = element(texts, 2)
            return (
                (Misfit("currency", "unknown", "CUR02", code),)
                if code and code not in lists.CURRENCIES
                else ()
            )
    return ()


def _of_name(texts: Segment) -> Iterator[Misfit]:
    if has_name_of_a_person(texts):
        for i, what in ((4, "first"), (5, "middle"), (6, "title"), (7, "title")):
            if element(texts, i):
                yield Misfit("name", what, f"NM1{i:02}")


def _of_reasons(
    name: str, table: str, texts: Segment, places: Iterable[int], known: Looked
) -> Iterator[Misfit]:
    is_one = lists.is_adjustment_reason if table == "carc" else lists.is_remark
    for i in places:
        if texts[i]:
            by_shape: lists.Problem | None = None if is_one(texts[i]) else "shape"
            yield from _listed(name, table, texts[i], f"{texts[0]}{i:02}", by_shape, known)


def _listed(
    name: str, table: str, code: str, at: str, by_shape: lists.Problem | None, known: Looked
) -> Iterator[Misfit]:
    """What is odd about a code by its list, where one is imported that answers, else by its shape."""
    said: Unlisted | bool = False
    if known.imported is not None:
        said = judge_listed(table, code, known.first, known.last, known.imported)
    if said is True:
        return
    if by_shape == "shape" or (said is False and by_shape is not None):
        yield Misfit(name, by_shape, at, code if by_shape != "shape" else "")
    elif said:
        yield Misfit(name, said.problem, at, code, False, said.since, said.until, table=said.table)


def _of_address(texts: Segment, loop: str) -> Iterator[Misfit]:
    state, postal_code, country = element(texts, 2), element(texts, 3), element(texts, 4)
    for at, problem in lists.judge_address(state, postal_code, country):
        if problem == "zip-5" and loop not in _NINE_DIGITS:
            continue
        name = {"N402": "state", "N403": "zip", "N404": "country"}[at]
        code = "" if at == "N403" else state if at == "N402" else country
        yield Misfit(name, problem, at, code if len(code) <= 3 else "")
    for at, problem in lists.find_missing(state, postal_code, country):
        yield Misfit("state" if at == "N402" else "zip", problem, at)


# Loops by the level and the NM101 that opens them.
_LEVELS: dict[type, tuple[str, dict[str, str]]] = {
    BillingProvider: ("2000A", {"85": "2010AA", "87": "2010AB", "PE": "2010AC"}),
    Subscriber: ("2000B", {"IL": "2010BA", "PR": "2010BB"}),
    Patient: ("2000C", {"QC": "2010CA"}),
}
_LOOPS_2330 = {
    "IL": "2330A",
    "PR": "2330B",
    "DN": "2330C",
    "P3": "2330C",
    "82": "2330D",
    "77": "2330E",
    "DQ": "2330F",
    "85": "2330G",
}


def _sites_of_level(level: BillingProvider | Subscriber | Patient) -> Iterator[_Site]:
    loop, loops = _LEVELS[type(level)]
    role = {"2000A": "85", "2000B": "IL", "2000C": "QC"}[loop]
    for index, segment in enumerate(level.segments):
        if segment[0] == "NM1":
            role = element(segment, 1)
            loop = loops.get(role, loop)
        if segment[0] in _LOOKED_AT or segment[0] == "NM1":
            yield _Site(segment, level.position + index, loop, role, None)


def _sites_of_claim(claim: Claim) -> Iterator[_Site]:
    loop, role, line = "2300", "", None
    parties = LOOPS_2310
    for index, segment in enumerate(claim.segments):
        match segment[0]:
            case "NM1":
                role = element(segment, 1)
                loop = parties.get(role, loop)
            case "SBR":
                loop, role, parties = "2320", "", _LOOPS_2330
            case "LX":
                loop, role, parties, line = "2400", "", LOOPS_2420, (line or 0) + 1
            case "SVD":
                loop, role = "2430", ""
        if segment[0] in _LOOKED_AT or segment[0] == "NM1":
            yield _Site(segment, claim.position + index, loop, role, line)
