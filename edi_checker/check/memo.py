"""What is written once is worked out once: what rules say of a piece, given back to all that say the same.

A claim without faults is cut into pieces: its head, diagnoses, providers, other payers, lines. The key of a
piece is all that its makers of facts can look at; what they and the rules make of it is worked out when it is
first met, and remembered. What takes several pieces is a short list of joins: sums, the codes and units of a
day, minutes of a day, repeated lines and claims, other payers.

Cutting goes by the text. It knows which elements are columns (facts.columns), not what any of them means.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from edi_checker.check.cutting import MORE, LineText, cutter_for
from edi_checker.check.judgement import NOTHING_SAID, Fired, Judgement, Said, Template, in_order
from edi_checker.claims.claim import (
    BillingProvider,
    Claim,
    Level,
    Patient,
    Subscriber,
)
from edi_checker.claims.profile import Profile
from edi_checker.facts.claims import (
    judging_of,
    make_around_claim,
    make_claim_address,
    make_head,
)
from edi_checker.facts.code_errors import (
    Judging,
    are_plain_diagnoses,
    era_of_diagnoses,
    find_pointer_code_errors,
    has_payer_code_errors,
    judge_member_id,
)
from edi_checker.facts.coding import (
    as_member,
    code_days_of,
    open_code_day,
    open_pairs,
    open_therapy_day,
)
from edi_checker.facts.columns import (
    ADDRESS,
)
from edi_checker.facts.context import Setting
from edi_checker.facts.fact import Fact, Value
from edi_checker.facts.levels import AnyLevel, LevelMet, loops_of, make_level, make_level_address
from edi_checker.facts.lines import (
    OfLine,
    is_following,
    is_of_service,
    make_following,
    make_line,
    make_service,
    service_in,
)
from edi_checker.facts.pieces import (
    Cell,
    Open,
    OpenFact,
    UsesColumn,
    View,
    cell,
    end_of_loop,
    look_at,
    look_at_address,
    place_segments,
    present,
    shape_of_postal_code,
)
from edi_checker.facts.pieces import text as said_in
from edi_checker.facts.triggers import DETAILS, Above, Around
from edi_checker.facts.whole_claim import Line, Service, WholeClaim
from edi_checker.reference.codesets import lists, therapist
from edi_checker.reference.tables import COUNTED_BY_MONTH
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.dates import day, days_of
from edi_checker.x12.finding import Finding

# Answers of a kind and eras that are kept before it starts again, and lines before half of them go, so that
# memory stays bounded: what is known of a line takes some 5 kB, other answers hardly any.
_MOST_REMEMBERED = 20_000
_MOST_LINES = 5_000  # of all memos of an engine together
_MOST_MEMOS = 16  # profiles, sets of delimiters, tables and days of receipt at a time
_MOST_ERAS = 400
_NONE: list[Finding] = []
_MOST_PLACES = 100  # of service, of which a line is known to be right
_NEVER = 1000  # more diagnoses than a claim has
# First and last day of service, and how many days these are.
Dates = tuple[int, int | None, int | None]
OF_SERVICE = 2  # segments of a line that tell its service: LX and SV1


class Remembered(dict[Any, Any]):
    """Answers by key; it starts again when there are too many."""

    def __setitem__(self, key: Any, value: Any) -> None:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        super().__setitem__(key, value)


# What a line may ask for, so that what no line of a claim asks for is passed over at once: that something is
# said of it, of its units, of codes beside it, of its month, of the minutes of a day, of a referral; that its
# notes or minutes are read; that it has providers of its own, or a number (REF*6R) further behind.
HEARD, COUNTS, ADDON, MONTHLY, TIMED, ALWAYS, NOTED, OWN, NUMBERED = (1 << bit for bit in range(9))


class Following:
    """What is known of all lines with one key of what follows their SV1.

    key       these segments, as far as they can be looked at
    said      what the rules say of them; None where that cannot be told without SV1
    segments  their number
    heard     whether the rules say anything of them
    addressed whether there is an address in them
    own       whether there are providers of the line's own; `renders` whether a rendering one, `refers`
              whether a referring one
    noted     whether minutes may be given in them
    decided   whether there are decisions of other payers
    tag       what of them is part of the key of their line's service
    asks      what they ask for
    met       as of LineEntry
    """

    __slots__ = (
        *("addressed", "asks", "decided", "heard", "key", "met", "noted", "own", "refers", "renders"),
        *("said", "segments", "tag"),
    )

    def __init__(self, view: View, said: Said | None, *, numbered: bool) -> None:
        self.key = view.key
        self.said = said
        self.met = 0
        self.segments = len(view.segments) - OF_SERVICE
        self.heard = said is not NOTHING_SAID and said is not None
        self.addressed = view.find(ADDRESS) is not None
        self.own = any(cells[0] == "NM1" for cells in view.segments)
        self.renders = view.find("NM1", "82") is not None
        self.refers = view.find("NM1", "DN") is not None
        self.noted = view.find("NTE") is not None
        self.decided = view.find("SVD") is not None
        self.tag: Following | bool = self if said is None else self.noted
        self.asks = HEARD * self.heard | NOTED * self.noted | OWN * self.own | NUMBERED * numbered


class LineEntry:
    """What is known of all lines with one key of their service.

    number    its own, by which it is known again
    mue_day  what the rules say of it alone on its day; `units` what that comes to, by its units
    heard     whether the rules say anything of it, `counts` whether they do so of its day
    of_place  whether what they say of it rests on the claim's place of service alone; `quiet` are those
              places for which it is nothing
    counted   whether it counts units
    plain     whether no other line bears on it but those of its day, unless what follows it names providers
    always    whether it is an always-therapy service
    asks      what it asks for
    met       how often such a line was met, of late
    """

    __slots__ = (
        *("addon", "always", "asks", "code", "counted", "counts", "heard", "met", "mue_day", "number"),
        *("of_place", "plain", "quiet", "said", "service", "timed", "units", "view"),
    )

    def __init__(self, number: int, view: View, service: Service, said: Said, mue_day: Said) -> None:
        self.number = number
        self.met = 0
        self.view = view
        self.service = service
        self.code = service.code
        self.said = said
        self.mue_day = mue_day
        self.units: dict[int | None, tuple[Template, ...]] = {}
        self.heard = said is not NOTHING_SAID
        self.counts = mue_day is not NOTHING_SAID
        self.of_place = not (said.fires or said.joins or said.facts) and all(
            [name for name, _ in ask.takes] == ["place_of_service"]
            and not ask.joins
            and ask.fact.when is None
            for ask in said.asks
        )
        self.quiet: set[str] = set()
        self.addon = service.addon
        procedure = service.procedure
        self.timed = procedure is not None and procedure.eight_minute
        self.always = procedure is not None and procedure.therapy == "always"
        self.counted = service.unit == "UN"
        self.plain = bool(service.code) and service.unit != "MJ"
        self.asks = (
            HEARD * self.heard
            | COUNTS * self.counts
            | ADDON * self.addon
            | MONTHLY * (service.code in COUNTED_BY_MONTH)
            | TIMED * self.timed
            | ALWAYS * self.always
            | NOTED * (service.unit == "MJ")
        )

    def note_quiet(self, place: str) -> None:
        """The rules say nothing of it at this place of service."""
        if len(self.quiet) < _MOST_PLACES:
            self.quiet.add(place)


class Head(NamedTuple):
    """What is known of all heads with one key; `of_claim` are the questions about the claim as a whole."""

    said: Said
    of_claim: Said
    frequency: str
    place_of_service: str


def _read_level(view: View, kind: type) -> LevelRead:
    """What of a level claims below may rest on."""
    responsible = view.first("SBR")
    begin = view.find("NM1", "IL")
    named = view.segments[begin] if begin is not None else None
    payer = view.first("NM1", "PR")
    person = view.first("NM1", "QC") if kind is Patient else named
    birth, member = cell(view.first("DMG", "D8"), 2), cell(named, 9)
    above = Above(
        said_in(responsible, 1),
        said_in(responsible, 2),
        said_in(responsible, 9),
        said_in(view.first("HL"), 4) == "1",
        begin is not None
        and {str(each[0]) for each in view.segments[begin : end_of_loop(view, begin)]} >= DETAILS,
        identified=view.first("REF", "Y4") is not None,
        whole=True,
        dead=present(cell(view.first("PAT"), 6)),
    )
    return LevelRead(
        loops_of(view, kind),
        above,
        _column_of(birth),
        _column_of(member),
        said_in(named, 2),
        _column_of(cell(payer, 9)),
        _column_of(cell(person, 4)),
    )


def _column_of(found: Cell) -> int | None:
    """The column in which an element stands, None where it is empty."""
    return found.column if isinstance(found, Open) else None


class Party(NamedTuple):
    """What is known of all providers of a claim with one key; `said` what the rules say of them, by era."""

    view: View
    role: str
    taxonomy: str
    loops: tuple[list[str], list[str]]
    addressed: bool
    said: dict[int, Said]


class LevelRead(NamedTuple):
    """What is known of all levels with one key, in whichever claims stand below.

    loops  loop and role of each segment
    above  what a claim below may rest on, of a subscriber or patient
    birth  the column of the day of birth, `member` that of the member id, `payer` that of the payer's id,
           `first_name` that of the person's; None where there is nothing
    entity_type  of the subscriber (NM102)
    """

    loops: tuple[list[str], list[str]]
    above: Above
    birth: int | None
    member: int | None
    entity_type: str
    payer: int | None
    first_name: int | None

    def tell(self, level: AnyLevel, columns: Sequence[str]) -> None:
        """Spare others the work of finding out what is known of a level with these columns."""
        if isinstance(level, BillingProvider):
            return
        birth, first_name = self.birth, self.first_name
        level.birth = day(columns[birth]) if birth is not None else None
        level.first_name = columns[first_name] if first_name is not None else ""
        if isinstance(level, Subscriber):
            member, payer, above = self.member, self.payer, self.above
            level.member_id = columns[member] if member is not None else ""
            level.payer_id = columns[payer] if payer is not None else ""
            level.relationship = above.relationship
            level.payer_responsibility, level.filing_indicator = above.order, above.filing_indicator


# What the rules say of a level, what is known of it, and its text in pieces, as of cutting.LevelText.
LevelFound = tuple[Said, LevelRead, list[str], list[tuple[int, str]]]


class LevelAbove(NamedTuple):
    """A level that was met, and what is known of it."""

    level: Level
    known: LevelRead


class Levels(NamedTuple):
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


class OfEra(NamedTuple):
    """What is known of lines of an era, given by a therapist of this discipline ("" for anybody else), by the
    key of their service; and, whoever gave it, by the key of what follows that.
    """

    therapist: str
    lines: dict[Any, Any]
    following: dict[Any, Any]


class RenderedBy:
    """What decides of lines beside their key and day: what the rendering provider is.

    days  form and text of days of service -> these days, what is known of lines of their era
    """

    __slots__ = ("days", "eras", "therapist")

    def __init__(self, therapist: str) -> None:
        self.therapist = therapist
        self.days = Remembered()
        self.eras: dict[int, OfEra] = {}


class Decider(NamedTuple):
    """Who decides new facts: what fires on them, and how they bind these cases."""

    judged: Callable[[Sequence[Fact]], list[Fired]]
    joined: Callable[[Sequence[int], Sequence[Fact]], list[tuple[int, tuple[int, ...]]]]


class Memos:
    """The memos of an engine, which share the room for lines."""

    def __init__(self) -> None:
        self._known: dict[object, Memo] = {}
        self._lines = 0

    def get(self, key: object) -> Memo | None:
        return self._known.get(key)

    def add(self, key: object, memo: Memo) -> None:
        if len(self._known) >= _MOST_MEMOS:
            self._known.clear()
            self._lines = 0
        self._known[key] = memo

    def make_room(self) -> None:
        """Before one more line is remembered: where there are too many, that half goes that was met least."""
        if self._lines >= _MOST_LINES:
            held = [each for memo in self._known.values() for each in memo.lines()]
            held.sort(key=lambda each: each[0].met)
            half = len(held) // 2
            for _, known, key in held[:half]:
                del known[key]
            for entry, _, _ in held[half:]:
                entry.met //= 2
            self._lines = len(held) - half
        self._lines += 1

    def __iter__(self) -> Iterator[Memo]:
        return iter(self._known.values())


class Memo:
    """What was worked out of the pieces of claims, of one profile, day of receipt and set of delimiters."""

    def __init__(
        self,
        delimiters: Delimiters,
        setting: Setting,
        profile: Profile,
        judgement: Judgement,
        decider: Decider,
        memos: Memos,
    ) -> None:
        self.profile = profile
        self.delimiters = delimiters
        self.judgement = judgement
        self.decider = decider
        self.received = received = setting.received
        self.tables = setting.tables
        self._judging = judging_of(setting, profile, None)
        self.goes_by_day = self._judging.imported is not None
        self._turns = sorted({0, received, received + 1} | judgement.sieve.turns())
        self._eras: dict[object, int] = {}
        self._last_era = 0
        self._memos = memos
        self._era_of_day = Remembered()
        self.cutter = cutter_for(delimiters)
        self._rendered_by: dict[str, RenderedBy] = {}
        self._following: dict[int, Remembered] = {}
        self._heads = Remembered()
        self._arounds = Remembered()
        self._of_era: dict[int, dict[str, Said]] = Remembered()
        self._rested: dict[int, bool] = Remembered()
        self.pointers: dict[str, int] = Remembered()
        self._of_levels = Remembered()
        # Levels that are read and not judged yet.
        self._read_ahead: dict[AnyLevel, LevelFound] = {}
        self._addresses = Remembered()
        self._above: dict[type, LevelAbove] = {}
        self._parties = Remembered()
        self.pairs: dict[tuple[int, int], tuple[Template | None, ...]] = Remembered()
        self._diagnoses: dict[tuple[int, int], dict[str, str]] = Remembered()
        self._may_join: dict[int, bool] = {}
        self._levels: Levels | None = None
        self._numbers = Remembered()
        self._last_number = 0
        self.worked = judgement.hear([open_therapy_day(profile)], {}, received)
        self.needs_diagnoses = "diagnosis" in judgement.sieve.kinds
        self._needs_member_id = profile.member_id is not None or "medicare" in profile.names

    @property
    def above(self) -> Mapping[type, LevelAbove]:
        """The levels that were met last, by their type."""
        return self._above

    def read_levels(self, levels: Iterable[AnyLevel]) -> None:
        """Read levels without faults that are judged next, so that others know what is known of them."""
        self._read_ahead = {level: self._read_level(level) for level in levels}

    def _read_level(self, level: AnyLevel) -> LevelFound:
        text, columns, addresses = self.cutter.cut_level(level.block.text)
        key = (type(level), text)
        known: tuple[Said, LevelRead] | None = self._of_levels.get(key)
        if known is None:
            view = look_at(level.segments, level.component)
            made = make_level(view, type(level), self.judging_on(self.received))
            known = self._of_levels[key] = (
                self.judgement.hear(made, {}, self.received),
                _read_level(view, type(level)),
            )
        said, of_level = known
        of_level.tell(level, columns)
        return said, of_level, columns, addresses

    def judge_level(self, level: AnyLevel) -> list[Finding] | None:
        """The findings on a level without faults; None where it must be looked at as a whole."""
        ahead = self._read_ahead
        read = ahead.pop(level, None) if ahead else None
        said, of_level, columns, addresses = read or self._read_level(level)
        self._above[type(level)] = LevelAbove(level, of_level)
        fired: list[Fired] = []
        joins = 0
        if said is not NOTHING_SAID:
            joins = self.judgement.utter(said, LevelMet(level, columns), self.received, fired)
        for number, address in addresses:
            of_address = self._hear_level_address(address, of_level.loops, number)
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

    def lines(self) -> Iterator[tuple[LineEntry | Following, dict[Any, Any], object]]:
        """What is known of services and of what follows them, each with where it stands and its key there."""
        of_eras = [of_era.lines for by in self._rendered_by.values() for of_era in by.eras.values()]
        for known in (*of_eras, *self._following.values()):
            for key, entry in known.items():
                yield entry, known, key

    def forget(self) -> None:
        """Start again: what a claim in work has in its hands stays right."""
        for known in (
            *(self._eras, self._era_of_day, self._rendered_by, self._heads, self._arounds, self._of_era),
            *(self._addresses, self._parties, self._diagnoses, self._numbers, self.pairs, self._following),
        ):
            known.clear()  # each a dict

    def levels_of(self, claim: Claim, above: Mapping[type, LevelAbove]) -> Levels | None:
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
            odd = bool(judge_member_id(subscriber.member_id, of_subscriber.known.entity_type, self.profile))
        said = of_subscriber.known.above
        if of_patient is not None:
            own_above = of_patient.known.above
            said = said._replace(patient=True, identified=own_above.identified, dead=own_above.dead)
        self._levels = Levels(
            billing,
            subscriber,
            patient,
            Around(said, organization=organization),
            (patient or subscriber).birth,
            npi,
            taxonomy,
            odd,
            (content, *[level.content for level in (subscriber, patient) if level is not None]),
        )
        return self._levels

    def head(self, terms: str, whole: WholeClaim, era: int) -> Head:
        """What is known of a CLM behind its charge."""
        key = (terms, era)
        head: Head | None = self._heads.get(key)
        if head is None:
            claim, on = whole.claim, whole.first or self.received
            facts = make_head(look_at([claim.segment], claim.component), on, self.judging_on(on))
            said = self.hear([fact for fact in facts if fact.kind != "claim"], on)
            of_claim = self.hear([fact for fact in facts if fact.kind == "claim"], on)
            head = self._heads[key] = Head(said, of_claim, claim.frequency, claim.place_of_service)
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
            found = self._of_era[era] = Remembered()
        return found

    def hear(self, facts: Iterable[OpenFact], on: int | None) -> Said:
        """What the rules say of facts of a claim whose first service is in the era of this day."""
        return self.judgement.hear(facts, {"date": on}, self.received)

    def party(self, key: str, claim: Claim, number: int) -> Party:
        party: Party | None = self._parties.get(key)
        if party is None:
            provider = claim.providers[number]
            view = look_at(provider.run.segments, claim.component)
            loops = place_segments(view, "2300")
            addressed = view.find(ADDRESS) is not None
            party = Party(view, provider.role, provider.taxonomy, loops, addressed, Remembered())
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

    def count(self, entry: LineEntry, line: Line) -> tuple[Template, ...]:
        """What the rules say of the units of a line alone on its day."""
        if len(entry.units) >= _MOST_REMEMBERED:
            entry.units.clear()
        found = list(entry.mue_day.fires)
        for ask in entry.mue_day.asks:
            found += self.judgement.fired(ask, ask.bits(line, self.received) & ~ask.joins)
        return tuple(found)

    def rendered_by(self, taxonomy: str) -> RenderedBy:
        who = therapist(taxonomy)
        found = self._rendered_by.get(who)
        if found is None:
            found = self._rendered_by[who] = RenderedBy(who)
        return found

    def day(self, by: RenderedBy, text: str) -> tuple[Dates, OfEra] | None:
        """The days of service of a line, of form and text, and what is known of lines in their era; None for
        no day.
        """
        form, _, said = text.partition(self.cutter.element)
        first, last, days = days_of(form, said)
        if first is None:
            return None
        known = by.days[text] = ((first, last, days), self.lines_of(by, first))
        return known

    def lines_of(self, by: RenderedBy, on: int) -> OfEra:
        """What is known of lines in the era of this day."""
        era = self.era(on)
        found = by.eras.get(era)
        if found is None:
            following = self._following.setdefault(era, Remembered())
            found = by.eras[era] = OfEra(by.therapist, Remembered(), following)
        return found

    def following(self, line: LineText, claim: Claim, on: int, *, single: bool) -> Following:
        """What the rules say of what follows an SV1 and is met for the first time, in the era of this day."""
        self._memos.make_room()
        whole = look_at(self.cutter.segments_of_line(line), self.cutter.component)
        view = whole.part(OF_SERVICE, None, is_of_service)
        near = _near(on, single=single)
        said = None
        if all(cells[0] != "NM1" for cells in view.segments):
            with suppress(UsesColumn):
                made = make_following(view, self._judging_of(claim))
                said = self.judgement.hear(made, near, self.received)
        return Following(view, said, numbered=self.cutter.number_mark in line[MORE])

    def line(
        self,
        key: Hashable,
        line: LineText,
        claim: Claim,
        era: OfEra,
        on: int,
        following: Following,
        *,
        single: bool,
    ) -> LineEntry:
        """What the rules say of a service that is met for the first time, in the era of this day; of what
        follows it too, where neither can be judged without the other.
        """
        found: LineEntry | None = era.lines.get((key, following))
        if found is not None:
            return found
        self._memos.make_room()
        segments = self.cutter.segments_of_line(line)
        view = look_at(segments[:OF_SERVICE], self.cutter.component, is_following)
        service = service_in(view, on, self.tables)
        given = OfLine(self._judging_of(claim), on, era.therapist, timed=following.noted)
        near = _near(on, single=single)
        said = None
        if following.said is not None:
            with suppress(UsesColumn):
                made = make_service(view, service, given, single=single)
                said = self.judgement.hear(made, near, self.received)
        if said is None:
            whole = look_at(segments, self.cutter.component)
            said = self.judgement.hear(make_line(whole, service, given), near, self.received)
            key = (key, following)
        mue_day = self.hear([open_code_day(service, view, self.profile)], on)
        # What two lines are to each other does not rest on who gave the service.
        of_pairs = (view.key, self.era(on))
        own: int | None = self._numbers.get(of_pairs)
        if own is None:
            self._last_number += 1
            own = self._numbers[of_pairs] = self._last_number
        entry = era.lines[key] = LineEntry(own, view, service, said, mue_day)
        return entry

    def pair(
        self, entries: tuple[LineEntry, LineEntry], lines: tuple[Line, Line], on: int
    ) -> tuple[Template | None, ...]:
        """What the rules say of two lines of a day that have different codes, in the order of their entries;
        None where that rests on more than their keys.
        """
        judgement, profile = self.judgement, self.profile
        services = [(entry.service, entry.view) for entry in entries]
        found: list[Template | None] = []
        for fact in open_pairs(services, on, self.tables, profile):
            said = self.hear([fact], on)
            found += [None] if said.asks else said.fires
        bits = entries[0].mue_day.joins | entries[1].mue_day.joins
        cases = [join.case for join in judgement.sieve.day_joins if all(bits & bit for bit in join.bits)]
        if cases:
            facts = list(code_days_of(lines, self.tables, profile))
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
            known = self._diagnoses[eras] = Remembered()
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

    def _judging_of(self, claim: Claim) -> Judging:
        return self.judging_on(claim.dates[0]) if self.goes_by_day else self._judging

    def judging_on(self, first: int | None) -> Judging:
        if not self.goes_by_day:
            return self._judging
        return self._judging._replace(first=min(first or self.received, self.received))


def _near(on: int, *, single: bool) -> dict[str, Value]:
    """What stands for the days of a line in this era, as of Prefilter.ask; `single` as of make_service."""
    near: dict[str, Value] = {"date": on, "repeats": None}
    return {**near, "last_date": on, "days": 1} if single else near
