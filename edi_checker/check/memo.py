"""What is written once is worked out once: what rules say of a piece, given back to all that say the same.

A claim without faults is cut into pieces: its head, diagnoses, providers, other payers, lines. The key of a
piece is all that its makers of facts can look at; what they and the rules make of it is worked out when it is
first met, and remembered. What takes several pieces is a short list of joins: sums, the codes and units of a
day, minutes of a day, repeated lines and claims, other payers.

Cutting goes by the text. It knows which elements are columns (facts.columns), not what any of them means.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from edi_checker.check.judgement import NOTHING_SAID, Fired, Judgement, Said, Template, in_order
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Level,
    OtherPayer,
    Patient,
    Segment,
    Subscriber,
    once,
)
from edi_checker.claims.minutes import minutes_of
from edi_checker.claims.profile import Profile
from edi_checker.facts.claims import (
    CODE_ERROR_OF_CLAIM,
    Part,
    WholeClaim,
    addresses_in,
    find_line_code_errors,
    judging_of,
    make_around_claim,
    make_claim_address,
    make_diagnoses,
    make_head,
    make_other_payer,
    make_party,
    make_segment,
)
from edi_checker.facts.code_errors import (
    MOST_CODE_ERRORS,
    Judging,
    are_plain_diagnoses,
    era_of_diagnoses,
    find_payer_code_errors,
    find_pointer_code_errors,
    has_payer_code_errors,
    judge_member_id,
    make_diagnosis_code_errors,
)
from edi_checker.facts.coding import (
    DayMet,
    Treated,
    add_coding,
    addon_of,
    as_member,
    by_discipline,
    code_days_of,
    open_code_day,
    open_pairs,
    open_therapy_day,
    pairs_of,
)
from edi_checker.facts.columns import (
    ADDRESS,
    COLUMNS,
    DIAGNOSIS_QUALIFIERS,
    LOOKED_AT_REFERENCES,
    NAME_OF_A_PERSON,
)
from edi_checker.facts.context import Circumstances, note_days
from edi_checker.facts.duplicates import ClaimsSeen, digest_claim, find_earlier_lines, is_first_issue
from edi_checker.facts.fact import Fact, Placed
from edi_checker.facts.levels import AnyLevel, LevelMet, loops_of, make_level, make_level_address
from edi_checker.facts.lines import Line, OfLine, Service, make_line, service_in
from edi_checker.facts.payers import add_other_payers
from edi_checker.facts.pieces import (
    Open,
    OpenFact,
    View,
    cell,
    fill,
    look_at,
    look_at_address,
    place_segments,
    present,
    shape_of_postal_code,
    without_description,
)
from edi_checker.facts.pieces import text as said_in
from edi_checker.facts.places import LOOPS_2310, LOOPS_2330, FixedLocation
from edi_checker.facts.triggers import Above, Around, triggers_of
from edi_checker.finding import Finding
from edi_checker.reference.codesets import lists, therapist
from edi_checker.reference.units import least_minutes
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.dates import day, days_of
from edi_checker.x12.money import cents, thousandths

# Answers of a kind, lines and eras that are kept before it starts afresh, so that memory stays bounded: what
# is known of a line takes some 10 kB, other answers hardly any.
_MOST_REMEMBERED = 20_000
_MOST_ENTRIES = 3_000
_MOST_ERAS = 400
_MOST_LINES = 50  # as the guide allows
_BEFORE_DESCRIPTION = 5  # separators within SV101
_ORIGINAL = "1"  # CLM05-3
_NONE: list[Finding] = []
_NEVER = 1000  # more diagnoses than a claim has


class _Remembered(dict[Any, Any]):
    """Answers by key; it starts afresh when there are too many."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        super().__setitem__(key, value)


class _Entry:
    """What is known of all lines with one key.

    number    its own, by which it is known again
    mue_day  what the rules say of it alone on its day; `units` what that comes to, by its units
    heard     whether the rules say anything of it, `counts` whether they do so of its day
    addressed whether there is an address in it
    own       whether it has providers of its own; `noted` whether minutes may be given in it
    plain     whether neither is so, and no other line bears on it but those of its day
    always    whether it is an always-therapy service and names no referring provider
    """

    __slots__ = (
        *("addon", "addressed", "always", "code", "mue_day", "counts", "heard", "noted", "number", "own"),
        *("plain", "said", "segments", "service", "timed", "units", "view"),
    )

    def __init__(self, number: int, view: View, service: Service, said: Said, mue_day: Said) -> None:
        self.number = number
        self.view = view
        self.service = service
        self.code = service.code
        self.said = said
        self.mue_day = mue_day
        self.units: dict[int | None, tuple[Template, ...]] = {}
        self.heard = said is not NOTHING_SAID
        self.counts = mue_day is not NOTHING_SAID
        self.addon = service.addon
        self.addressed = view.find(ADDRESS) is not None
        self.segments = len(view.segments)
        procedure = service.procedure
        self.timed = procedure is not None and procedure.eight_minute
        self.always = (
            procedure is not None and procedure.therapy == "always" and view.find("NM1", "DN") is None
        )
        self.own = any(cells[0] == "NM1" for cells in view.segments)
        self.noted = service.unit == "MJ" or view.find("NTE") is not None
        self.plain = bool(service.code) and not self.own and service.unit != "MJ"


class _Head(NamedTuple):
    """What is known of all heads with one key; `of_claim` are the questions about the claim as a whole."""

    said: Said
    of_claim: Said
    frequency: str
    place_of_service: str


def _read_level(view: View, kind: type) -> _Level:
    """What of a level claims below may rest on."""
    responsible = view.first("SBR")
    named = view.first("NM1", "IL")
    birth, member = cell(view.first("DMG", "D8"), 2), cell(named, 9)
    above = Above(
        said_in(responsible, 1),
        said_in(responsible, 2),
        said_in(responsible, 9),
        said_in(view.first("HL"), 4) == "0",
        identified=view.first("REF", "Y4") is not None,
        whole=True,
        dead=present(cell(view.first("PAT"), 6)),
    )
    return _Level(
        loops_of(view, kind),
        above,
        birth.column if isinstance(birth, Open) else None,
        (member.column, said_in(named, 2))
        if isinstance(member, Open) and member.column is not None
        else None,
    )


class _Party(NamedTuple):
    """What is known of all providers of a claim with one key; `said` what the rules say of them, by era."""

    view: View
    role: str
    taxonomy: str
    loops: tuple[list[str], list[str]]
    addressed: bool
    said: dict[int, Said]


class _Level(NamedTuple):
    """What is known of all levels with one key, in whichever claims stand below.

    loops  loop and role of each segment
    above  what a claim below may rest on, of a subscriber or patient
    birth  the column of the day of birth; `member` that of the member id, with NM102
    """

    loops: tuple[list[str], list[str]]
    above: Above
    birth: int | None
    member: tuple[int, str] | None


class _LevelMet(NamedTuple):
    """A level that was met: what is known of it, and what stands in its columns."""

    level: Level
    known: _Level
    columns: list[str]


class _Levels(NamedTuple):
    """What is known of the levels above a claim.

    odd      whether the payer may have something to say of them
    content  what they say, as claims are compared
    """

    billing: BillingProvider
    subscriber: Subscriber
    patient: Patient | None
    around: Around
    birth: int | None
    npi: str
    taxonomy: str
    odd: bool
    content: tuple[str, ...]


class _Setting:
    """What decides of lines beside their key and day: what the rendering provider is.

    days  text of a day of service -> the day as dates of a line, the lines of its era by key
    """

    __slots__ = ("days", "eras", "therapist")

    def __init__(self, therapist: str) -> None:
        self.therapist = therapist
        self.days = _Remembered()
        self.eras: dict[int, _Remembered] = {}


class Decider(NamedTuple):
    """Who decides facts that are made anew: what fires on them, and how they bind these cases."""

    judged: Callable[[Sequence[Fact]], list[Fired]]
    joined: Callable[[Sequence[int], Sequence[Fact]], list[tuple[int, tuple[int, ...]]]]


class Memo:
    """What was worked out of the pieces of claims, of one profile, day of receipt and set of delimiters."""

    def __init__(
        self,
        delimiters: Delimiters,
        circumstances: Circumstances,
        profile: Profile,
        judgement: Judgement,
        decider: Decider,
    ) -> None:
        self.profile = profile
        self.delimiters = delimiters
        self.judgement = judgement
        self.decider = decider
        self.received = received = circumstances.received
        self.tables = circumstances.tables
        self._judging = judging_of(circumstances, profile, None)
        self.goes_by_day = self._judging.imported is not None
        self._turns = sorted({0, received, received + 1} | judgement.sieve.turns())
        self._eras: dict[object, int] = {}
        self._last_era = 0
        self._entries = 0
        self._era_of_day = _Remembered()
        self.cutter = _Cutter(delimiters)
        self._settings: dict[str, _Setting] = {}
        self._heads = _Remembered()
        self._arounds = _Remembered()
        self._of_era: dict[int, dict[str, Said]] = _Remembered()
        self._rested: dict[int, bool] = _Remembered()
        self.pointers: dict[str, int] = _Remembered()
        self._of_levels = _Remembered()
        self._addresses = _Remembered()
        self._above: dict[type, _LevelMet] = {}
        self._parties = _Remembered()
        self.pairs: dict[tuple[int, int], tuple[Template | None, ...]] = _Remembered()
        self._diagnoses: dict[tuple[int, int], dict[str, str]] = _Remembered()
        self._may_join: dict[int, bool] = {}
        self._levels: _Levels | None = None
        self._numbers = _Remembered()
        self._last_number = 0
        self.worked = judgement.hear([open_therapy_day(profile)], {}, received)
        self.needs_diagnoses = "diagnosis" in judgement.sieve.kinds
        self._needs_member_id = profile.member_id is not None or "medicare" in profile.names

    def is_for(self, profile: Profile, delimiters: Delimiters, circumstances: Circumstances) -> bool:
        """Whether it is of these very objects."""
        return (
            self.profile is profile
            and self.delimiters is delimiters
            and self.tables is circumstances.tables
            and self.received == circumstances.received
        )

    @property
    def above(self) -> Mapping[type, _LevelMet]:
        """The levels that were met last, by their type."""
        return self._above

    def judge(
        self, claim: Claim, circumstances: Circumstances, above: Mapping[type, _LevelMet]
    ) -> list[Finding] | None:
        """The findings on a claim without faults; None where it must be looked at as a whole.

        `circumstances` are those of this input, held to the profile; `above` the levels that were met last.
        """
        if circumstances.minutes is not None or circumstances.more_facts is not None or claim.cut:
            return None
        levels = self.levels_of(claim, above)
        cut = self.cutter.cut(claim.block.text)
        if levels is None or cut is None:
            return None
        judging = _Judging(self, claim, circumstances, levels, cut)
        found = judging.findings()
        judging.let_go()
        return found

    def judge_level(self, level: AnyLevel) -> list[Finding] | None:
        """The findings on a level without faults; None where it must be looked at as a whole."""
        cutter = self.cutter
        columns: list[str] = []
        texts = level.block.text.split(cutter.terminator)
        key = (type(level), *[cutter.cut_segment(text, columns) for text in texts])
        known: tuple[Said, _Level] | None = self._of_levels.get(key)
        if known is None:
            view = look_at(level.segments, level.component)
            made = make_level(view, type(level), self.judging_on(self.received))
            known = self._of_levels[key] = (
                self.judgement.hear(made, {}, self.received),
                _read_level(view, type(level)),
            )
        said, of_level = known
        self._above[type(level)] = _LevelMet(level, of_level, columns)
        fired: list[Fired] = []
        joins = 0
        if said is not NOTHING_SAID:
            joins = self.judgement.utter(said, LevelMet(level, columns), self.received, fired)
        for number, text in enumerate(texts):
            if text.startswith(cutter.address):
                of_address = self._hear_level_address(text, of_level.loops, number)
                if of_address is not NOTHING_SAID:
                    met = LevelMet(level, [], number)
                    joins |= self.judgement.utter(of_address, met, self.received, fired)
        if self.may_join(joins):
            return None
        return in_order(fired) if fired else _NONE

    def _hear_level_address(self, text: str, loops: tuple[list[str], list[str]], number: int) -> Said:
        loop, role = loops[0][number], loops[1][number]
        _, _, *rest = text.split(self.cutter.element)
        if len(rest) > 1:
            rest[1] = shape_of_postal_code(rest[1])
        key = (loop, role, *rest)
        said: Said | None = self._addresses.get(key)
        if said is None:
            view = look_at_address(text.split(self.cutter.element))
            made = make_level_address(view, loop, role, self.judging_on(self.received))
            said = self._addresses[key] = self.judgement.hear(made, {}, self.received)
        return said

    # -- what is remembered

    def era(self, on: int) -> int:
        """A number for all days on which rules, tables and lists say the same."""
        known: int | None = self._era_of_day.get(on)
        if known is None:
            key: object = on
            if not self.goes_by_day:
                key = (
                    bisect_right(self._turns, on),
                    self.tables.era(on),
                    lists.turn_of(on),
                    era_of_diagnoses(on, self._judging),
                )
            known = self._eras.get(key)
            if known is None:
                if len(self._eras) >= _MOST_ERAS:
                    self.forget()
                self._last_era += 1  # a number is never used again
                known = self._eras[key] = self._last_era
            self._era_of_day[on] = known
        return known

    def forget(self) -> None:
        """Start afresh: what a claim at work has in its hands stays right."""
        self._entries = 0
        for known in (
            *(self._eras, self._era_of_day, self._settings, self._heads, self._arounds, self._of_era),
            *(self._addresses, self._parties, self._diagnoses, self._numbers, self.pairs),
        ):
            known.clear()  # each a dict

    def levels_of(self, claim: Claim, above: Mapping[type, _LevelMet]) -> _Levels | None:
        """What the levels above say; None where one is missing or damaged."""
        billing, subscriber, patient = claim.billing, claim.subscriber, claim.patient
        known = self._levels
        if (
            known is not None
            and known.subscriber is subscriber
            and known.patient is patient
            and known.billing is billing
        ):
            return known
        if billing is None or subscriber is None or billing.faults:
            return None
        of_subscriber = above.get(Subscriber)
        of_patient = above.get(Patient) if patient is not None else None
        if of_subscriber is None or of_subscriber.level is not subscriber:
            return None
        if patient is not None and (of_patient is None or of_patient.level is not patient):
            return None
        if known is not None and known.billing is billing:
            npi, taxonomy, organization = known.npi, known.taxonomy, known.around.organization
            content = known.content[0]
        else:
            own = billing.provider
            npi, taxonomy = own.npi, own.taxonomy or billing.taxonomy
            organization = own.entity_type == "2"
            content = billing.content
        odd = has_payer_code_errors(billing, self.profile)
        if self._needs_member_id and not odd and of_subscriber.known.member is not None:
            column, entity_type = of_subscriber.known.member
            odd = bool(judge_member_id(of_subscriber.columns[column], entity_type, self.profile))
        person = of_patient or of_subscriber
        birth = person.known.birth
        said = of_subscriber.known.above
        if of_patient is not None:
            own_above = of_patient.known.above
            said = said._replace(patient=True, identified=own_above.identified, dead=own_above.dead)
        self._levels = _Levels(
            billing,
            subscriber,
            patient,
            Around(said, organization=organization),
            day(person.columns[birth]) if birth is not None else None,
            npi,
            taxonomy,
            odd,
            (content, *[level.content for level in (subscriber, patient) if level is not None]),
        )
        return self._levels

    def head(self, terms: str, whole: WholeClaim, era: int) -> _Head:
        """What is known of a CLM behind its charge."""
        key = (terms, era)
        head: _Head | None = self._heads.get(key)
        if head is None:
            claim, on = whole.claim, whole.first or self.received
            facts = make_head(look_at([claim.segment], claim.component), on, self.judging_on(on))
            said = self.hear([fact for fact in facts if fact.kind != "claim"], on)
            of_claim = self.hear([fact for fact in facts if fact.kind == "claim"], on)
            head = self._heads[key] = _Head(said, of_claim, claim.frequency, claim.place_of_service)
        return head

    def around(self, around: Around, era: int, on: int) -> Said:
        key = (around, era)
        said: Said | None = self._arounds.get(key)
        if said is None:
            made = make_around_claim(around, self.judging_on(on))
            said = self._arounds[key] = self.hear(made, on)
        return said

    def segments(self, era: int) -> dict[str, Said]:
        """What is known of other pieces of claims of an era, by their keys."""
        found = self._of_era.get(era)
        if found is None:
            found = self._of_era[era] = _Remembered()
        return found

    def hear(self, facts: Iterable[OpenFact], on: int | None) -> Said:
        """What the rules say of facts of a claim whose first service is in the era of this day."""
        return self.judgement.hear(facts, {"date": on}, self.received)

    def party(self, key: str, claim: Claim, number: int) -> _Party:
        party: _Party | None = self._parties.get(key)
        if party is None:
            provider = claim.providers[number]
            view = look_at(provider.run.segments, claim.component)
            loops = place_segments(view, "2300", LOOPS_2310)
            addressed = view.find(ADDRESS) is not None
            party = _Party(view, provider.role, provider.taxonomy, loops, addressed, _Remembered())
            self._parties[key] = party
        return party

    def claim_address(
        self, text: str, loops: tuple[list[str], list[str]], number: int, on: int | None, era: int
    ) -> Said:
        """What the rules say of an N4 of a claim."""
        loop, role = loops[0][number], loops[1][number]
        _, _, *rest = text.split(self.cutter.element)
        if len(rest) > 1:
            rest[1] = shape_of_postal_code(rest[1])
        key = (loop, role, era, *rest)
        said: Said | None = self._addresses.get(key)
        if said is None:
            view = look_at_address(text.split(self.cutter.element))
            made = make_claim_address(view, loop, role, self.judging_on(on))
            said = self._addresses[key] = self.hear(made, on)
        return said

    def is_rested(self, minutes: int) -> bool:
        """Whether no rule asks for more of a day of a provider with so many minutes."""
        known: bool | None = self._rested.get(minutes)
        if known is None:
            fields = {name for ask in self.worked.asks for name, _ in ask.takes}
            known = self.worked is NOTHING_SAID
            if fields == {"provider_minutes"} and not self.worked.fires:
                values = {"provider_minutes": minutes}
                known = not any(ask.holds({**values, **ask.known}, self.received) for ask in self.worked.asks)
            self._rested[minutes] = known
        return known

    def enough(self, pointers: str) -> int:
        """With so many diagnoses nothing is odd about these pointers of a line."""
        texts = pointers.split(self.cutter.component) if pointers else []
        needed = max([int(text) for text in texts if text.isascii() and text.isdigit()], default=0)
        if find_pointer_code_errors(pointers, self.cutter.component, needed):
            needed = _NEVER
        self.pointers[pointers] = needed
        return needed

    def count(self, entry: _Entry, line: Line) -> tuple[Template, ...]:
        """What the rules say of the units of a line alone on its day."""
        if len(entry.units) >= _MOST_REMEMBERED:
            entry.units.clear()
        found = list(entry.mue_day.fires)
        for ask in entry.mue_day.asks:
            found += self.judgement.fired(ask, ask.bits(line, self.received) & ~ask.joins)
        return tuple(found)

    def setting(self, taxonomy: str) -> _Setting:
        who = therapist(taxonomy)
        found = self._settings.get(who)
        if found is None:
            found = self._settings[who] = _Setting(who)
        return found

    def day(self, setting: _Setting, text: str) -> tuple[tuple[int, int, int], _Remembered] | None:
        """A day of service as a line has it, and what is known of lines in its era; None for no day."""
        on = day(text)
        if on is None:
            return None
        era = self.era(on)
        lines = setting.eras.get(era)
        if lines is None:
            lines = setting.eras[era] = _Remembered()
        known = setting.days[text] = ((on, on, 1), lines)
        return known

    def line(self, claim: Claim, number: int, setting: _Setting, on: int, *, single: bool) -> _Entry:
        """What the rules say of a line that is met for the first time, in the era of this day."""
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            self.forget()
        run = claim.lines[number]
        view = look_at(run.segments, run.component)
        service = service_in(view, on, self.tables)
        given = OfLine(self.judging_on(claim.dates[0]), on, setting.therapist, timed=False)
        near: dict[str, Any] = {"date": on, "repeats": None}
        if single:
            near |= {"last_date": on, "days": 1}
        said = self.judgement.hear(make_line(view, service, given), near, self.received)
        mue_day = self.hear([open_code_day(service, view, self.profile.name)], on)
        # What two lines are to each other does not rest on who gave the service.
        key = (view.key, self.era(on))
        own: int | None = self._numbers.get(key)
        if own is None:
            self._last_number += 1
            own = self._numbers[key] = self._last_number
        return _Entry(own, view, service, said, mue_day)

    def pair(self, whole: _Judging, one: int, two: int, on: int) -> tuple[Template | None, ...]:
        """What the rules say of two lines of a day that have different codes, in the order of their entries;
        None where that rests on more than their keys.
        """
        judgement, profile = self.judgement, self.profile.name
        entries = (whole.rows[one].entry, whole.rows[two].entry)
        services = [(entry.service, entry.view) for entry in entries]
        found: list[Template | None] = []
        for fact in open_pairs(services, on, self.tables, profile):
            said = self.hear([fact], on)
            found += [None] if said.asks else said.fires
        bits = entries[0].mue_day.joins | entries[1].mue_day.joins
        cases = [join.case for join in judgement.sieve.day_joins if all(bits & bit for bit in join.bits)]
        if cases:
            facts = list(code_days_of((whole.line(one), whole.line(two)), self.tables, profile))
            for case, binding in self.decider.joined(cases, facts):
                aliases = [pattern.alias for pattern in judgement.spoken[case].case.match]
                bound = {
                    alias: as_member(open_code_day(*services[number], profile), number)
                    for alias, number in zip(aliases, binding, strict=True)
                }
                found.append(Template(judgement.spoken[case], bound))
        return tuple(found)

    def are_plain(self, composites: Sequence[str], first: int, last: int) -> bool:
        """Whether nothing is to be said of diagnoses, as they are written, whoever the patient is."""
        eras = (self.era(first), self.era(last))
        known = self._diagnoses.get(eras)
        if known is None:
            known = self._diagnoses[eras] = _Remembered()
        codes = set()
        for text in composites:
            code = known.get(text)
            if code is None:
                code = known[text] = self._read_diagnosis(text, first, last)
            if not code:
                return False
            codes.add(code)
        return len(codes) == len(composites)

    def _read_diagnosis(self, text: str, first: int, last: int) -> str:
        """The code of a diagnosis of ICD-10 of which by itself nothing is to be said, else ""."""
        component = self.cutter.component
        qualifier, code, *_ = [*text.split(component), ""]
        begin, end = (era_of_diagnoses(on, self._judging) for on in (first, last))
        plain = len(qualifier) == 3 and are_plain_diagnoses(((qualifier, code),), begin, end, self._judging)
        return code if plain else ""

    def may_join(self, bits: int) -> bool:
        known = self._may_join.get(bits)
        if known is None:
            if len(self._may_join) >= _MOST_REMEMBERED:
                self._may_join.clear()
            known = self._may_join[bits] = self.judgement.sieve.may_join(bits)
        return known

    def judging_on(self, first: int | None) -> Judging:
        judging = self._judging
        if judging.imported is None:
            return judging
        return judging._replace(first=min(first or self.received, self.received))


# Columns of an NM1 whose id is taken off.
_OF_NAME = tuple(index - 1 for index in COLUMNS["NM1"])
_LAST_OF_NAME = max(NAME_OF_A_PERSON) - 1
# Segments of the head behind CLM of which a maker of facts may tell.
_TELLING = ("DTP", *[name for name in triggers_of("head") if name not in ("CLM", "DTP")])


# -- cutting -----------------------------------------------------------------------------------------------

_LineText = tuple[str, str, str, str, str, str, str, str, str, str, str, str]


class _Cut(NamedTuple):
    """A claim's text in pieces.

    id, charge  CLM01, CLM02; `terms` what CLM says behind it
    head        key, columns and number of each segment behind CLM of which a rule may be told
    composites  the diagnoses with their qualifiers
    parties     key, columns, NPI and text of each provider; `parties_at` counts the segments before them
    payers      SBR01 of each other payer; `payers_text` all that they say
    lines       of each line: LX01, SV1, its parts, the day and REF*6R behind it, and what else follows
    before      segments before the first line
    """

    id: str
    charge: str
    terms: str
    head: list[tuple[str, list[str], int]]
    composites: list[str]
    parties: list[tuple[str, list[str], str, str]]
    parties_at: int
    payers: tuple[str, ...]
    payers_text: str
    lines: list[_LineText]
    before: int


class _Cutter:
    """Cuts claims with one set of delimiters."""

    # The patterns are written for these columns.
    assert COLUMNS["SV1"] == (2, 4, 7)
    assert (COLUMNS["LX"], COLUMNS["CLM"], COLUMNS["DTP"], COLUMNS["REF"]) == ((1,), (1, 2), (3,), (2,))

    def __init__(self, delimiters: Delimiters) -> None:
        self.element, self.terminator = delimiters.element, delimiters.terminator
        self.component = delimiters.component
        e, t = re.escape(self.element), re.escape(self.terminator)
        one, rest = f"[^{e}{t}]*+", f"[^{t}]*+"
        # Segments whose one column is their last element, and what stands before it.
        ends = [
            f"{name}{e}" + ("(?!X4)" if name == "REF" else "") + f"{one}{e}" * (columns[0] - 1)
            for name, columns in COLUMNS.items()
            if len(columns) == 1 and name in _TELLING
        ]
        self._clm = re.compile(f"CLM{e}({one}){e}({one})({rest})")
        self._head = re.compile(f"{t}(?:({'|'.join(ends)})([^{e}{t}]++)(?={t}|\\Z)|({rest}))")
        self._line = re.compile(
            f"LX{e}({one}){t}"
            f"(SV1{e}({one}){e}({one}){e}({one}){e}({one})((?:{e}{one}){{0,2}}+)(?:{e}({one}))?+({rest}))"
            f"(?:{t}DTP{e}472{e}D8{e}([0-9]{{8}}))?+(?:{t}REF{e}6R{e}([^{e}{t}]++))?+((?:{t}(?!LX{e}){rest})*+)"
        )
        self.address = f"{ADDRESS}{self.element}"
        self._order = re.compile(f"{t}SBR{e}({one})")
        self._hi = tuple(f"HI{self.element}{qualifier}{self.component}" for qualifier in DIAGNOSIS_QUALIFIERS)
        self._qualifiers = tuple(f"{qualifier}{self.component}" for qualifier in DIAGNOSIS_QUALIFIERS)
        assert {"X4"} == LOOKED_AT_REFERENCES

    def cut(self, text: str) -> _Cut | None:
        """A claim without faults in pieces; None where it is not written as the guide orders segments."""
        e, t = self.element, self.terminator
        lines_at = text.find(f"{t}LX{e}")
        written = self._clm.match(text)
        if lines_at < 0 or written is None:
            return None
        top = text[:lines_at]
        payers_at = top.find(f"{t}SBR{e}")
        own = top if payers_at < 0 else top[:payers_at]
        parties_at = own.find(f"{t}NM1{e}")
        id, charge, terms = written.groups()
        head: list[tuple[str, list[str], int]] = []
        composites: list[str] = []
        head_end = parties_at if parties_at >= 0 else len(own)
        number = 0
        for before, column, whole in self._head.findall(own[:head_end], written.end()):
            number += 1
            if before:
                head.append((before, [column], number))
            elif whole.startswith(self._hi):
                composites += [each for each in whole.split(e) if each.startswith(self._qualifiers)]
            elif whole[:3].rstrip(e) in _TELLING:
                held: list[str] = []
                head.append((self.cut_segment(whole, held), held, number))
        parties = []
        if parties_at >= 0:
            for loop in own[parties_at + len(t) + 4 :].split(f"{t}NM1{e}"):
                held = []
                named, _, rest = loop.partition(t)
                cells = named.split(e)
                npi = cells[8] if len(cells) > 8 and cells[7] == "XX" else ""
                person = cells[1] == "1"
                for index in _OF_NAME:
                    if index < len(cells) and (cells[index] or (person and index <= _LAST_OF_NAME)):
                        held.append(cells[index])
                        cells[index] = "\r"
                said = e.join(cells)
                if rest:
                    said += t + t.join([self.cut_segment(segment, held) for segment in rest.split(t)])
                parties.append((said, held, npi, rest))
        of_payers = top[payers_at:] if payers_at >= 0 else ""
        payers = tuple(self._order.findall(of_payers)) if of_payers else ()
        lines: list[_LineText] = self._line.findall(text, lines_at + len(t))
        before_lines = top.count(t) + 1
        return _Cut(
            id, charge, terms, head, composites, parties, number + 1, payers, of_payers, lines, before_lines
        )

    def segments_of_line(self, line: _LineText) -> list[Segment]:
        """The segments of a line."""
        order, said, _, _, _, _, _, _, _, date, control, more = line
        e = self.element
        found = [["LX", order], said.split(e)]
        if date:
            found.append(["DTP", "472", "D8", date])
        if control:
            found.append(["REF", "6R", control])
        return found + [each.split(e) for each in more.split(self.terminator)[1:]]

    def columns_of_line(self, line: _LineText) -> list[str]:
        """What stands in the columns of a line, in their order."""
        order, _, _, charge, _, counted, _, pointers, _, date, control, more = line
        columns = [order, charge, counted]
        columns += [text for text in (pointers, date, control) if text]
        for segment in more.split(self.terminator)[1:] if more else ():
            self.cut_segment(segment, columns)
        return columns

    def cut_segment(self, text: str, columns: list[str]) -> str:
        """The key of a segment; what stands in its columns is added to `columns`."""
        cells = text.split(self.element)
        name = cells[0]
        plan = COLUMNS.get(name)
        if plan is None:
            return text
        if name == ADDRESS:
            return ADDRESS
        if name == "REF" and cells[1] in LOOKED_AT_REFERENCES:
            return text
        person = name == "NM1" and cells[2] == "1"
        count = len(cells)
        for index in plan:
            if index >= count:
                break
            value = cells[index]
            if value or (person and index in NAME_OF_A_PERSON):
                columns.append(value)
                cells[index] = "\r"
        return self.element.join(cells)


# -- one claim ---------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """A line that was met: what is known of it, first and last day, their number, thousandths, its text."""

    entry: _Entry
    dates: tuple[int | None, int | None, int | None]
    units: int | None
    line: _LineText


class _Judging(WholeClaim):
    """A claim while it is judged by what is remembered of its pieces."""

    def __init__(
        self, memo: Memo, claim: Claim, circumstances: Circumstances, levels: _Levels, cut: _Cut
    ) -> None:
        self.claim = claim
        self.circumstances = circumstances
        self.profile = memo.profile
        self.earlier = None
        self.memo = memo
        self.levels = levels
        self.cut = cut
        self.npi = levels.npi
        self.taxonomy = levels.taxonomy
        self.fired: list[Fired] = []
        self.facts: list[Fact] = []
        self.joins = 0
        self.bounded = 0
        self.rows: list[_Row] = []
        # The lines by day, as far as each stands on one day alone and is the claim's provider's.
        self.by_day: dict[int, list[int]] = {}
        self.regular = True
        self.built: dict[int, Line] = {}

    def findings(self) -> list[Finding] | None:
        """The findings; None where the claim must be looked at as a whole."""
        memo, cut, levels = self.memo, self.cut, self.levels
        parties = self._read_parties() if cut.parties else []
        if not self._read_lines():
            return None
        if self.regular:
            first, last = min(self.by_day), max(self.by_day)
            span = (first, last)
        else:
            firsts = [row.dates[0] for row in self.rows if row.dates[0] is not None]
            lasts = [row.dates[1] for row in self.rows if row.dates[1] is not None]
            if not lasts:
                return None
            first, last = min(firsts), max(lasts)
            span = (min(first, *lasts), max(last, *firsts))
        self.first, self.last = first, last
        around = levels.around
        roles: tuple[str, ...] = ()
        if parties or cut.payers:
            roles = tuple(dict.fromkeys([party.role for party in parties]))
            around = Around(around.above, cut.payers, roles, around.organization)
        self.around, self.roles = around, roles
        era = memo.era(first)
        head = memo.head(cut.terms, self, era)
        self._hear(head.said, self)
        self._hear(memo.around(around, era, first), self)
        self._hear_head(era)
        self._hear_parties(parties, era)
        if cut.payers:
            self._hear_payers(era)
        self._hear_lines()
        if not memo.are_plain(cut.composites, first, last):
            self._judge_diagnoses()
        if memo.needs_diagnoses:
            self.facts += make_diagnoses(self)
        if levels.odd:
            self.facts += find_payer_code_errors(self.claim, first, last, memo.judging_on(first))
        if not self._are_apart():
            self.regular = False
            find_earlier_lines(self.lines)
            if any(line.repeated is not None for line in self.lines):
                return None
        joins = self.joins | head.of_claim.joins
        if self.facts:
            self.bounded += sum(fact.kind == "code_error" for fact in self.facts)
            joins |= memo.judgement.sieve.joins_in(self.facts, memo.received)
        for ask in head.of_claim.asks:
            joins |= ask.joins
        if self.bounded > MOST_CODE_ERRORS or memo.may_join(joins):
            return None
        # From here on what is seen is remembered of the input.
        if head.frequency == _ORIGINAL and self.circumstances.claims_seen is not None:
            self._meet(self.circumstances.claims_seen, head.place_of_service)
        if self.regular:
            self._count()
            self._work(head)
        else:
            add_coding(self.facts, self)
        if cut.payers:
            add_other_payers(self.facts, self)
        self._hear(head.of_claim, self)
        self.claim.know(span, len(self.rows))
        note_days(self.circumstances, memo.profile, first, last)
        if self.facts:
            self.fired += memo.decider.judged(self.facts)
        return in_order(self.fired) if self.fired else _NONE

    def let_go(self) -> None:
        """Part what holds each other, so that it goes at once and no collector has to look for it."""
        self.__dict__.clear()

    # -- what it says as a whole

    @once
    def id(self) -> str:
        return self.cut.id

    @once
    def columns(self) -> Sequence[str]:
        return (self.cut.id, self.cut.charge)

    @once
    def charge(self) -> int | None:
        return cents(self.cut.charge)

    @once
    def modifiers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([m for row in self.rows for m in row.entry.service.modifiers]))

    @once
    def uncertified(self) -> tuple[Placed, ...]:
        if "DN" in self.roles:
            return ()
        return tuple([self.line(number) for number, row in enumerate(self.rows) if row.entry.always])

    @once
    def uncertified_lines(self) -> int:
        return 0 if "DN" in self.roles else sum([row.entry.always for row in self.rows])

    @once
    def born_after_service(self) -> bool:
        birth = self.levels.birth
        return birth is not None and self.first is not None and birth > self.first

    @once
    def diagnoses(self) -> tuple[str, ...]:
        component = self.memo.cutter.component
        return tuple([text.split(component, 2)[1] for text in self.cut.composites])

    @once
    def lines(self) -> list[Line]:
        return [self.line(number) for number in range(len(self.rows))]

    def line(self, number: int) -> Line:
        """A line as an object, made when it is asked for."""
        line = self.built.get(number)
        if line is not None:
            return line
        entry, dates, units, text = self.rows[number]
        npi, taxonomy = self.npi, self.taxonomy
        minutes = None
        if entry.own or entry.noted:
            view = self.claim.lines[number]
            if entry.own and (own := view.provider("82")):
                npi, taxonomy = own.npi, own.taxonomy
            if entry.noted:
                minutes = minutes_of(view, None, self.profile.minutes_note)
        _, said, _, charge, _, _, _, pointers, *_ = text
        line = self.built[number] = Line(
            self,
            number + 1,
            self.claim.position + self.cut.before + sum([row.entry.segments for row in self.rows[:number]]),
            entry.service,
            said,
            pointers,
            dates,
            cents(charge),
            units,
            npi,
            taxonomy,
            names_providers=entry.own,
            minutes=minutes,
        )
        return line

    def segments_of_line(self, line: Line) -> list[Segment]:
        return self.memo.cutter.segments_of_line(self.rows[line.ordinal - 1].line)

    def columns_of_line(self, line: Line) -> Sequence[str]:
        return self.memo.cutter.columns_of_line(self.rows[line.ordinal - 1].line)

    # -- its pieces

    def _read_parties(self) -> list[_Party]:
        """The providers of the claim, and who of them gave the service."""
        memo = self.memo
        found: list[_Party] = []
        rendering = False
        for number, (key, _, npi, _) in enumerate(self.cut.parties):
            party = memo.party(key, self.claim, number)
            found.append(party)
            if party.role == "82" and not rendering:
                rendering = True
                self.npi, self.taxonomy = npi, party.taxonomy
        return found

    def _read_lines(self) -> bool:
        """The lines of the claim; False where one cannot be told by its text."""
        memo, lines, by_day = self.memo, self.cut.lines, self.by_day
        if not 0 < len(lines) <= _MOST_LINES:
            return False
        setting = memo.setting(self.taxonomy)
        days = setting.days
        component = memo.cutter.component
        total: int | None = 0
        joins = 0
        for number, line in enumerate(lines):
            _, _, procedure, charge, unit, counted, place, pointers, rest, date, control, more = line
            if procedure.count(component) > _BEFORE_DESCRIPTION:
                procedure = without_description(procedure, component)
            if date and not more:
                known = days.get(date) or memo.day(setting, date)
                if known is None:
                    return False
                dates, of_era = known
                key: tuple[object, ...] = (procedure, unit, place, pointers != "", rest, control != "")
            else:
                segments = more.split(memo.cutter.terminator)[1:] if more else []
                dates = days_of("D8", date) if date else self._dates_in(segments)
                if dates[0] is None:
                    return False
                of_era = setting.eras.setdefault(memo.era(dates[0]), _Remembered())
                said = [memo.cutter.cut_segment(each, []) for each in segments]
                # By imported lists some of its codes are judged as of the claim's first day.
                begin = self.claim.dates[0] if memo.goes_by_day else None
                key = (procedure, unit, place, pointers != "", rest, control != "", date != "", begin, *said)
            entry: _Entry | None = of_era.get(key)
            if entry is None:
                entry = of_era[key] = memo.line(self.claim, number, setting, dates[0], single=date != "")
            units = thousandths(counted) if unit == "UN" else None
            amount = cents(charge)
            total = total + amount if total is not None and amount is not None else None
            joins |= entry.mue_day.joins
            self.rows.append(_Row(entry, dates, units, line))
            if not date or not entry.plain or units is None:
                self.regular = False
            elif dates[0] in by_day:
                by_day[dates[0]].append(number)
            else:
                by_day[dates[0]] = [number]
        claimed = cents(self.cut.charge)
        self.charge, self.line_charges = claimed, total
        self.charge_difference = claimed - total if claimed is not None and total is not None else None
        self.joins = joins
        return True

    def _dates_in(self, segments: Sequence[str]) -> tuple[int | None, int | None, int | None]:
        e = self.memo.cutter.element
        for segment in segments:
            if segment.startswith(f"DTP{e}472{e}"):
                _, _, form, said = segment.split(e)[:4]
                return days_of(form, said)
        return None, None, None

    def _hear(self, said: Said, met: Any) -> None:
        """Take in what the rules say of a piece that was met."""
        if said is not NOTHING_SAID:
            self.bounded += said.facts
            self.joins |= self.memo.judgement.utter(said, met, self.memo.received, self.fired)

    def _hear_head(self, era: int) -> None:
        """The segments of the head behind CLM."""
        memo, claim = self.memo, self.claim
        of_era = memo.segments(era)
        for key, columns, number in self.cut.head:
            said = of_era.get(key)
            if said is None:
                view = look_at([claim.segments[number]], claim.component)
                said = of_era[key] = memo.hear(make_segment(view, memo.judging_on(self.first)), self.first)
            if said is not NOTHING_SAID:
                self._hear(said, Part(self, None, claim.position + number, columns))

    def _hear_parties(self, parties: Sequence[_Party], era: int) -> None:
        memo = self.memo
        position = self.claim.position + self.cut.parties_at
        for party, (_, columns, npi, rest) in zip(parties, self.cut.parties, strict=True):
            said = party.said.get(era)
            if said is None:
                made = make_party(party.view, memo.judging_on(self.first))
                said = party.said[era] = memo.hear(made, self.first)
            if said is not NOTHING_SAID and not said.is_nothing(npi):
                self._hear(said, Part(self, None, position, columns))
            if party.addressed:
                for number, text in enumerate(rest.split(memo.cutter.terminator), 1):
                    if text.startswith(memo.cutter.address):
                        of_address = memo.claim_address(text, party.loops, number, self.first, era)
                        self._hear(of_address, Part(self, None, position + number, []))
            position += len(party.view.segments)

    def _hear_payers(self, era: int) -> None:
        memo, claim, cut = self.memo, self.claim, self.cut
        judging = memo.judging_on(self.first)
        e, t = memo.cutter.element, memo.cutter.terminator
        position = claim.position + cut.before - cut.payers_text.count(t)
        others = []
        for text in cut.payers_text.split(f"{t}SBR{e}")[1:]:
            segments = [segment.split(e) for segment in f"SBR{e}{text}".split(t)]
            others.append(OtherPayer(segments, position, claim.component))
            position += len(segments)
        claim.other_payers = others
        for other in others:
            view = look_at(other.segments, claim.component)
            of_era = memo.segments(era)
            said = of_era.get(view.key)
            if said is None:
                said = of_era[view.key] = memo.hear(make_other_payer(view, judging), self.first)
            if said is not NOTHING_SAID:
                self._hear(said, Part(self, other))
            self.facts += addresses_in(self, other, view, ("2320", LOOPS_2330), judging)

    def _hear_lines(self) -> None:
        memo = self.memo
        count = len(self.cut.composites)
        enough = memo.pointers
        for number, (entry, _, _, line) in enumerate(self.rows):
            if entry.heard:
                self._hear(entry.said, self.line(number))
            needed = enough.get(line[7])
            if needed is None:
                needed = memo.enough(line[7])
            if needed > count or entry.addressed:
                judging = memo.judging_on(self.first)
                self.facts += find_line_code_errors(self.line(number), entry.view, judging)

    def _judge_diagnoses(self) -> None:
        claim = self.claim
        judging = self.memo.judging_on(self.first)
        made = make_diagnosis_code_errors(
            claim, claim.diagnoses, self.first, self.last, judging, CODE_ERROR_OF_CLAIM
        )
        self.facts += fill(made, self)

    # -- what takes several pieces

    def _are_apart(self) -> bool:
        """Whether each line stands on one day alone, no code twice on one, and all are of one provider."""
        if not self.regular:
            return False
        rows = self.rows
        for numbers in self.by_day.values():
            if len(numbers) > 1 and len({rows[number].entry.code for number in numbers}) < len(numbers):
                return False
        return not any(row.entry.noted and self.line(at).minutes is not None for at, row in enumerate(rows))

    def _meet(self, seen: ClaimsSeen, place: str) -> None:
        """Hold the claim against those that came before."""
        if not is_first_issue(self.claim.transaction):
            return
        npi = self.npi
        if any(row.entry.own for row in self.rows):
            served = [f"{line.said} {line.first} {line.last} {line.npi}" for line in self.lines]
        else:
            served = [f"{line[1]} {first} {last} {npi}" for _, (first, last, _), _, line in self.rows]
        digest = digest_claim(self.levels.content, place, self.cut.composites, served)
        where = seen.meet(digest, self.claim)
        if where is not None:
            self.earlier = FixedLocation(where)

    def _count(self) -> None:
        """What the rules say of the units of each line alone on its day."""
        for number, (entry, _, units, _) in enumerate(self.rows):
            if entry.counts:
                templates = entry.units.get(units)
                if templates is None:
                    templates = entry.units[units] = self.memo.count(entry, self.line(number))
                for template in templates:
                    self.fired.append((template.number, template.finding(self.line(number))))
            if entry.addon:
                tables = self.memo.tables
                self.facts.append(addon_of(self.line(number), self.lines, tables, self.profile.name))

    def _work(self, head: _Head) -> None:
        """Pairs and minutes of the days of a claim."""
        memo, rows, npi = self.memo, self.rows, self.npi
        worked = self.circumstances.provider_days if head.frequency == _ORIGINAL and npi else None
        for on, numbers in self.by_day.items():
            if len(numbers) > 1:
                self._pair(numbers, on)
            timed = [number for number in numbers if rows[number].entry.timed]
            if not timed:
                continue
            for discipline, own in self._group(timed):
                busiest = 0
                if worked is not None:
                    units = [(rows[number].units or 0) // 1000 for number in own]
                    if memo.profile.unit_method == "ama":
                        least = sum(map(least_minutes, units))
                    else:
                        least = least_minutes(sum(units))
                    busiest = worked.add(npi, on, least)
                if not memo.is_rested(busiest):
                    treated = Treated(self, on, discipline, own, busiest)
                    asks = memo.worked.asks
                    if memo.worked.fires or any(ask.bits(treated, memo.received) for ask in asks):
                        self.facts.append(treated.fact())

    def _pair(self, numbers: Sequence[int], on: int) -> None:
        """What the rules say of two lines of a day."""
        memo, rows = self.memo, self.rows
        known = memo.pairs
        for at, one in enumerate(numbers):
            for two in numbers[at + 1 :]:
                # In their order: where each is column 1 to the other, the one that stands first is.
                key = rows[one].entry.number, rows[two].entry.number
                found = known.get(key)
                if found == ():
                    continue
                if found is None:
                    found = known[key] = memo.pair(self, one, two, on)
                met = DayMet((self.line(one), self.line(two)))
                for template in found:
                    if template is not None:
                        self.fired.append((template.number, template.finding(met)))
                    else:
                        self.facts += pairs_of(
                            on, (self.line(one), self.line(two)), memo.tables, self.profile.name
                        )

    def _group(self, timed: list[int]) -> Iterable[tuple[str, list[int]]]:
        """The timed lines of a day by discipline, see coding.by_discipline."""
        rows = self.rows
        named: dict[str, list[int]] = {}
        for number in timed:
            disciplines = rows[number].entry.service.disciplines
            if len(disciplines) != 1:
                groups = by_discipline([self.line(each) for each in timed])
                return [(name, [line.ordinal - 1 for line in lines]) for name, lines in groups.items()]
            named.setdefault(disciplines[0], []).append(number)
        return named.items()
