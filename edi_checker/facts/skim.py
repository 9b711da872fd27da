"""Shows of a plain claim or level, by its text, that no rule can need a fact of it.

Most claims of a batch say the usual things in the usual way. What is known of all such claims is asked of
the rules once and remembered; of each claim only its text is looked at. Whatever is not usual, and whatever
a rule asks beyond what is looked at here, is left to the makers of facts: they are the authority. Only parts
in which the guide found no fault are looked at, so that every segment is one that the guide knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from edi_checker.claim import (
    BillingProvider,
    Claim,
    Patient,
    Run,
    Segment,
    ServiceLine,
    Subscriber,
    cents,
    days,
    element,
)
from edi_checker.codesets import therapist
from edi_checker.facts.circumstances import Circumstances, note_days
from edi_checker.facts.claims import MOST_DIAGNOSES, a_year_after, pointed_to, read_line
from edi_checker.facts.coding import (
    by_discipline,
    edits_between,
    needs_pair,
    of_one_line,
    of_therapy_without_minutes,
    sum_least_minutes,
)
from edi_checker.facts.levels import needs_provider
from edi_checker.facts.lines import Line, Service
from edi_checker.facts.misfits import (
    are_usual_diagnoses,
    is_usual_head,
    is_usual_procedure,
    is_usual_segment,
)
from edi_checker.facts.needs import Needs, Question
from edi_checker.facts.places import LOOPS_2310
from edi_checker.facts.repeats import digest_claim, is_compared, said_of_line
from edi_checker.facts.services import is_visit_of_a_person, kinds_of
from edi_checker.facts.vocabulary import Value
from edi_checker.profile import Profile
from edi_checker.x12 import Delimiters

# Kinds of facts of which a claim that passes here has none that a rule needs; of others nothing is known.
_KINDS = frozenset(
    "addon adjudication claim code_day event fault file line misfit other_payer pair provider "  # noqa: SIM905
    "situation subscriber therapy_day transaction".split()
)
_LONGEST_CLM = 10  # elements with the id: CLM10 and what follows tells of the unusual
_INPATIENT = frozenset(("21", "51", "61"))
_ROLES = frozenset(("DN", "82", "77"))
_REFERENCES = frozenset(("6R", "9F", "D9", "EA", "G1"))
_OF_ACCIDENTS = frozenset(("WC", "AM", "LM"))
_MOST_REMEMBERED = 50_000
_MOST_LINES = 50  # as the guide allows


@dataclass(slots=True)
class _Said:
    """A plain line, read once for all lines with the same text: what is asked of it claim by claim.

    service  what its SV1 says
    charge   cents
    on       its one day of service, `era` that of the tables
    plain    as of the service
    always   whether it is always a therapy service
    visit    whether only a person can make it
    asked    what is left to ask of its diagnoses, None where nothing is; `known` is what is known of that
    of_day   the tests that may hold on the units of its day
    served   what it says, as claims are compared
    timed    whether the 8-minute rule counts it
    """

    service: Service
    charge: int
    on: int
    era: int
    plain: int
    always: bool
    visit: bool
    asked: Question | None
    known: dict[str, Value]
    of_day: int
    served: str
    timed: bool


_Pairs = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Diagnosed:
    """Diagnoses of a claim; `usual` says for first and last days whether nothing is odd about them then."""

    pairs: _Pairs
    codes: tuple[str, ...]
    usual: dict[tuple[int, int], bool]


@dataclass(slots=True)
class _Head:
    """What is known of a plain claim as a whole, and what is still to be asked of it."""

    known: dict[str, Value]
    asked: Question | None
    refers: bool


class _Memory:
    """What was learnt of the claims of one profile with the same delimiters, tables and day of receipt.

    None stands for what is not plain.

    lines      rendering taxonomy -> text of a line, without LX and REF*6R -> what it says
    providers  text of NM1 and PRV -> role, NPI and taxonomy
    diagnoses  texts of HI -> the diagnoses
    heads      what CLM says after the charge, SBR, roles, references -> what is known of the claim, what is
               still to be asked of it
    events     qualifier of a date of the claim -> what is asked of it
    leasts     timed services of a day -> least minutes of each discipline
    billing    the provider last met, with its NPI, taxonomy, and whether it is an organisation
    """

    __slots__ = ("billing", "diagnoses", "events", "heads", "leasts", "lines", "providers")

    def __init__(self) -> None:
        self.lines: dict[str, dict[str, _Said | None]] = {}
        self.providers: dict[tuple[str, str], tuple[str, str, str] | None] = {}
        self.diagnoses: dict[tuple[str, ...], _Diagnosed | None] = {}
        self.heads: dict[tuple[object, ...], _Head | None] = {}
        self.events: dict[str, Question | None] = {}
        self.leasts: dict[tuple[Service, ...], list[int]] = {}
        self.billing: tuple[BillingProvider, str, str, bool] | None = None

    def make_room(self) -> None:
        lines = sum(map(len, self.lines.values())) + len(self.lines)
        if lines + len(self.providers) + len(self.diagnoses) + len(self.heads) > _MOST_REMEMBERED:
            self.lines.clear()
            self.providers.clear()
            self.diagnoses.clear()
            self.heads.clear()
            self.events.clear()
            self.leasts.clear()


def skim(claim: Claim, circumstances: Circumstances, profile: Profile, needs: Needs) -> bool:
    """Whether no rule can need a fact of this claim. If so it has been remembered as claims are, else not.

    `circumstances` are held to the profile. The claim has no faults and is not cut.
    """
    if circumstances.minutes is not None or circumstances.more_facts is not None or not needs.kinds <= _KINDS:
        return False
    billing, subscriber, patient = claim.billing, claim.subscriber, claim.patient
    if billing is None or subscriber is None or billing.faults or subscriber.faults:
        return False
    if patient is not None and patient.faults:
        return False
    delimiters = claim.block.delimiters
    key = (circumstances.tables, circumstances.received, delimiters)
    memory = needs.memory.get(key)
    if not isinstance(memory, _Memory):
        memory = needs.memory[key] = _Memory()
    memory.make_room()
    plain = _read(claim, delimiters, memory, circumstances, profile, needs)
    return plain is not None and _pass_over(claim, plain, memory, circumstances, profile, needs)


@dataclass(slots=True)
class _Plain:
    """A claim whose text holds nothing unusual."""

    by_day: dict[int, list[_Said]]
    of_day: int
    served: list[str]
    npi: str
    diagnosed: _Diagnosed
    first: int
    last: int


def _read(
    claim: Claim,
    delimiters: Delimiters,
    memory: _Memory,
    circumstances: Circumstances,
    profile: Profile,
    needs: Needs,
) -> _Plain | None:
    e, end = delimiters.element, delimiters.terminator
    head, *line_texts = claim.block.text.split(f"{end}LX{e}")
    if not line_texts or len(line_texts) > _MOST_LINES:
        return None
    clm_text, *texts = head.split(end)
    header: list[str] = []
    diagnoses: list[str] = []
    references: list[str] = []
    providers: list[list[str]] = []
    for text in texts:
        name = text[:3]
        if name == "NM1":
            providers.append([text])
        elif name == "REF":
            if not providers:
                references.append(text)
            elif text[4:6] == "X4":
                return None
        elif name == "PRV" and providers:
            providers[-1].append(text)
        elif name[:2] == "HI" and name[2:] == e:
            diagnoses.append(text)
        elif name == "DTP":
            header.append(text)
        elif name[:2] in _ADDRESS and name[2:] == e and providers:
            if name[1] == "4" and not is_usual_text(text, e):
                return None
        else:
            return None

    # Who treated.
    billing = claim.billing
    assert billing is not None
    if memory.billing is None or memory.billing[0] is not billing:
        own = billing.provider
        memory.billing = (billing, own.npi, own.taxonomy or billing.taxonomy, own.entity_type == "2")
    _, npi, taxonomy, is_organisation = memory.billing
    roles: list[str] = []
    for named in providers:
        both = (named[0], named[1] if len(named) > 1 else "")
        try:
            who = memory.providers[both]
        except KeyError:
            who = memory.providers[both] = _learn_provider(both, len(named), e, profile, needs)
        if who is None or who[0] in roles:
            return None
        roles.append(who[0])
        if who[0] == "82":
            _, npi, taxonomy = who

    hi = tuple(diagnoses)
    if hi not in memory.diagnoses:
        memory.diagnoses[hi] = _learn_diagnoses(hi, e, delimiters.component)
    diagnosed = memory.diagnoses[hi]
    if diagnosed is None:
        return None
    pairs, codes = diagnosed.pairs, diagnosed.codes

    known_lines = memory.lines.setdefault(taxonomy, {})
    number = f"{end}REF{e}6R{e}"
    count = len(pairs)
    by_day: dict[int, list[_Said]] = {}
    served = []
    charge = of_day = 0
    always = False
    for line_text in line_texts:
        # Without LX01, and without the line's own number where it stands last.
        text = line_text.partition(end)[2]
        before, mark, behind = text.rpartition(number)
        if mark and end not in behind:
            text = before
        try:
            said = known_lines[text]
        except KeyError:
            said = known_lines[text] = _learn_line(
                claim, text, taxonomy, delimiters, circumstances, profile, needs
            )
        if said is None or said.plain > count:
            return None
        if said.asked is not None:
            pointed = pointed_to(said.service.pointers, delimiters.component, codes)
            if said.asked.holds({**said.known, "diagnoses": pointed}, circumstances.received):
                return None
        if is_organisation and said.visit and "82" not in roles:
            return None
        charge += said.charge
        of_day |= said.of_day
        always = always or said.always
        served.append(f"{said.served} {npi}")
        if said.on in by_day:
            by_day[said.on].append(said)
        else:
            by_day[said.on] = [said]

    clm = clm_text.split(e)
    claim.__dict__.setdefault("segment", clm)
    subscriber = claim.subscriber
    assert subscriber is not None
    sbr = subscriber.responsible
    person = claim.patient or subscriber
    order, relationship, indicator = element(sbr, 1), element(sbr, 2), element(sbr, 9)
    qualifiers = [text.split(e)[1] for text in references]
    head_key = (
        *(tuple(clm[3:]), tuple(roles), tuple(qualifiers)),
        *(order, relationship, indicator, claim.patient is None),
    )
    if head_key not in memory.heads:
        memory.heads[head_key] = _learn_head(clm, sbr, roles, qualifiers, claim, profile, needs)
    known = memory.heads[head_key]
    if known is None or f"{delimiters.terminator}PAT{e}" in subscriber.block.text:
        return None
    if claim.patient is not None and len(claim.patient.first("PAT") or ()) > 6:
        return None
    if cents(clm[2]) != charge or (always and not known.refers):
        return None
    first, last = min(by_day), max(by_day)
    birth = person.birth
    if birth is not None and birth > first:
        return None
    received = circumstances.received
    if known.asked is not None:
        asked_of = {
            **known.known,
            "date": first,
            "last_date": last,
            "received": received,
            "a_year_later": a_year_after(first),
        }
        if not known.asked.fields <= asked_of.keys() or known.asked.holds(asked_of, received):
            return None
    for text in header:
        if _needs_event(text, e, first, last, memory, received, profile, needs):
            return None
    usual = diagnosed.usual.get((first, last))
    if usual is None:
        usual = are_usual_diagnoses(pairs, first, last, circumstances.tables)
        diagnosed.usual[first, last] = usual
    if not usual:
        return None
    if not is_usual_head(clm[5], delimiters.component, first):
        return None
    return _Plain(by_day, of_day, served, npi, diagnosed, first, last)


_ADDRESS = frozenset(("N3", "N4"))


def _learn_provider(
    both: tuple[str, str], segments: int, e: str, profile: Profile, needs: Needs
) -> tuple[str, str, str] | None:
    """Role, NPI and taxonomy of a plain provider of the claim."""
    named, prv = both[0].split(e), both[1].split(e)
    role = element(named, 1)
    if role not in _ROLES or segments > 2 or not element(named, 9):
        return None
    if both[1] and not is_usual_segment(prv):
        return None
    taxonomy = element(prv, 3)
    if element(named, 8) != "XX":
        return role, "", taxonomy
    if needs_provider(needs, named, LOOPS_2310[role], taxonomy, profile.name):
        return None
    return role, element(named, 9), taxonomy


def _learn_diagnoses(texts: tuple[str, ...], e: str, component: str) -> _Diagnosed | None:
    pairs: list[tuple[str, str]] = []
    for text in texts:
        for composite in text.split(e)[1:]:
            parts = composite.split(component)
            if parts[0] not in ("ABK", "ABF", "BK", "BF"):
                return None
            pairs.append((parts[0], element(parts, 1)))
    if len(pairs) > MOST_DIAGNOSES:
        return None
    return _Diagnosed(tuple(pairs), tuple([code for _, code in pairs]), {})


def _learn_line(
    claim: Claim,
    text: str,
    taxonomy: str,
    delimiters: Delimiters,
    circumstances: Circumstances,
    profile: Profile,
    needs: Needs,
) -> _Said | None:
    segments = [["LX"], *[each.split(delimiters.element) for each in text.split(delimiters.terminator)]]
    if not {segment[0] for segment in segments} <= {"LX", "SV1", "DTP", "REF"}:
        return None
    view = ServiceLine(Run(segments, 0, delimiters.component), claim, 1)
    line = read_line(view, circumstances, "", taxonomy, profile.minutes_note)
    service = line.service
    if (
        line.first is None
        or line.last is None
        or line.days != 1
        or line.dates != ["472"]
        or line.minutes is not None
        or service.unit != "UN"
        or service.units is None
        or service.charge is None
        or not service.code
        or service.addon
        or not set(line.references) <= _REFERENCES
        or kinds_of(service.code, service.modifiers)
        or (service.place_of_service and service.place_of_service in _INPATIENT)
        or not is_usual_procedure(service.code, line.first, circumstances.tables)
    ):
        return None
    received = circumstances.received
    known = _known_of(line, taxonomy, profile, received)
    question = needs.ask("line", known)
    if question is not None and question.fields <= known.keys():
        if question.holds(known, received):
            return None
        question = None
    if question is not None and not question.fields <= {*known, "diagnoses"}:
        return None
    of_day = {**of_one_line(line, profile.name), "date": line.first}
    day = needs.ask("code_day", of_day)
    return _Said(
        service,
        service.charge,
        line.first,
        circumstances.tables.era(line.first),
        service.plain,
        service.procedure is not None and service.procedure.therapy == "always",
        is_visit_of_a_person(service.code),
        question,
        {name: known[name] for name in question.fields if name in known} if question is not None else {},
        day.bits if day is not None else 0,
        said_of_line(line),
        service.procedure is not None and service.procedure.eight_minute,
    )


def _known_of(line: Line, taxonomy: str, profile: Profile, received: int) -> dict[str, Value]:
    """What is known of every plain line with this text."""
    return {
        **line.service.values,
        "profile": profile.name,
        "received": received,
        "taxonomy": taxonomy,
        "therapist": therapist(taxonomy),
        "minutes": None,
        "assistant_minutes": None,
        "assistant_units": None,
        "repeats": None,
        "date": line.first,
        "last_date": line.last,
        "days": line.days,
        "dates": tuple(line.dates),
        "notes": (),
    }


def _learn_head(
    clm: Segment,
    sbr: Segment | None,
    roles: list[str],
    qualifiers: list[str],
    claim: Claim,
    profile: Profile,
    needs: Needs,
) -> _Head | None:
    """What is known of a plain claim beside its charge, lines, diagnoses and days."""
    location = element(clm, 5).split(claim.component)
    location += [""] * (3 - len(location))
    order = element(sbr, 1)
    if (
        len(clm) > _LONGEST_CLM
        or location[2] != "1"
        or location[0] in _INPATIENT
        or not set(qualifiers) <= _REFERENCES
        or order not in ("P", "U")
        or (not element(sbr, 2) and claim.patient is None)
        or element(sbr, 9) in _OF_ACCIDENTS
    ):
        return None
    known: dict[str, Value] = {
        "profile": profile.name,
        "charge_difference": 0,
        "place_of_service": location[0],
        "frequency": location[2],
        "assignment": element(clm, 7),
        "related_causes": (),
        "accident_state": "",
        "delay_reason": "",
        "filing_indicator": element(sbr, 9),
        "payer_responsibility": order,
        "patient_level": claim.patient is not None,
        "providers": tuple(roles),
        "references": tuple(qualifiers),
        "notes": (),
        "other_payers": 0,
        "uncertified_lines": 0,
        "born_after_service": False,
        "came_before": False,
    }
    asked = needs.ask("claim", known)
    fields = asked.fields if asked is not None else frozenset()
    return _Head({name: known[name] for name in fields if name in known}, asked, "DN" in roles)


def _needs_event(
    text: str, e: str, first: int, last: int, memory: _Memory, received: int, profile: Profile, needs: Needs
) -> bool:
    segment = text.split(e)
    qualifier = element(segment, 1)
    if qualifier not in memory.events:
        known: dict[str, Value] = {"profile": profile.name, "level": "claim", "qualifier": qualifier}
        memory.events[qualifier] = needs.ask("event", known)
    question = memory.events[qualifier]
    if question is None:
        return False
    begin, end = days(segment)
    values: dict[str, Value] = {
        "date": first,
        "received": received,
        "profile": profile.name,
        "level": "claim",
        "qualifier": qualifier,
        "first": begin,
        "last": end,
        "last_service": last,
    }
    return not question.fields <= values.keys() or bool(question.holds(values, received))


def _pass_over(
    claim: Claim,
    plain: _Plain,
    memory: _Memory,
    circumstances: Circumstances,
    profile: Profile,
    needs: Needs,
) -> bool:
    """Look at what stands on several lines or claims; then remember the claim, if all is well."""
    if plain.of_day and needs.together("code_day", plain.of_day):
        return False
    tables = circumstances.tables
    worked: list[tuple[int, int]] = []
    for on, group in plain.by_day.items():
        if len(group) > 1:
            codes = tuple([each.service.code for each in group])
            if len(set(codes)) < len(codes):
                return False
            for edit in edits_between(codes, group[0].era, tables):
                one, two = codes.index(edit.column_1), codes.index(edit.column_2)
                if needs_pair(needs, edit, group[one].service, group[two].service, profile.name):
                    return False
        timed = tuple([each.service for each in group if each.timed])
        if timed:
            if timed not in memory.leasts:
                said = [each for each in group if each.timed]
                memory.leasts[timed] = [
                    sum_least_minutes(lines, profile.unit_method) for lines in by_discipline(said).values()
                ]
            for least in memory.leasts[timed]:
                worked.append((on, least))
    if worked and not _is_rested(worked, plain.npi, circumstances, profile, needs):
        return False
    seen = circumstances.claims_seen
    # A claim that is known stays as it is known, and is met again by the makers of facts.
    if (
        seen is not None
        and is_compared(claim)
        and seen.meet(digest_claim(claim, plain.diagnosed.pairs, plain.served), claim) is not None
    ):
        return False
    if circumstances.provider_days is not None and plain.npi:
        for on, least in worked:
            circumstances.provider_days.add(plain.npi, on, least)
    note_days(circumstances, profile, plain.first, plain.last)
    return True


def _is_rested(
    worked: list[tuple[int, int]], npi: str, circumstances: Circumstances, profile: Profile, needs: Needs
) -> bool:
    """Whether no rule needs to know how long the provider worked on these days."""
    question = of_therapy_without_minutes(needs, profile)
    if question is None:
        return True
    if not question.fields <= {"provider_minutes", "date"}:
        return False
    provider_days = circumstances.provider_days
    added: dict[int, int] = {}
    for on, least in worked:
        total = 0
        if npi:
            added[on] = added.get(on, 0) + least
            total = added[on] + (provider_days.so_far(npi, on) if provider_days is not None else 0)
        if question.holds({"provider_minutes": total, "date": on}, circumstances.received):
            return False
    return True


# -- levels ------------------------------------------------------------------------------------------------


def skim_level(level: Subscriber | Patient) -> bool:
    """Whether there are no facts of a subscriber or patient, in whose level there are no faults."""
    delimiters = level.block.delimiters
    e = delimiters.element
    said: set[str] = set()
    role = ""
    for text in level.block.text.split(delimiters.terminator)[1:]:
        name = text[:3]
        if name == "NM1":
            role = text[4:6]
            if role == "IL" and not element(text.split(e), 9):
                return False
        elif name[:2] in _ADDRESS and name[2:] == e:
            if name[1] == "4" and not is_usual_text(text, e):
                return False
            said.add(role + name[:2])
        elif name == "DMG":
            said.add(role + name)
        elif name not in _OF_LEVELS:
            return False
    if isinstance(level, Patient):
        return True
    sbr = level.responsible
    return (
        element(sbr, 1) == "P"
        and element(sbr, 2) == "18"
        and bool(element(sbr, 9))
        and said.issuperset(("ILN3", "ILN4", "ILDMG"))
    )


_OF_LEVELS = frozenset(("SBR", "PAT", "REF", "PER"))


@lru_cache(maxsize=16384)
def is_usual_text(text: str, e: str) -> bool:
    return is_usual_segment(text.split(e))
