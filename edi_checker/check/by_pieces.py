"""One claim judged by what is remembered of its pieces, and the joins of several pieces."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from edi_checker.check.cutting import AMOUNT, CONTROL, MORE, SAID, Cut
from edi_checker.check.judgement import NOTHING_SAID, Fired, Said, in_order
from edi_checker.check.memo import (
    ADDON,
    ALWAYS,
    COUNTS,
    HEARD,
    MONTHLY,
    NOTED,
    NUMBERED,
    OF_SERVICE,
    OWN,
    TIMED,
    Dates,
    Following,
    Head,
    LevelAbove,
    Levels,
    LineEntry,
    Memo,
    OfEra,
    Party,
    RenderedBy,
)
from edi_checker.claims.claim import (
    ORIGINAL,
    Claim,
    OtherPayer,
    Segment,
    once,
)
from edi_checker.claims.minutes import minutes_in_notes, minutes_of
from edi_checker.facts.claims import (
    CODE_ERROR_OF_CLAIM,
    Part,
    addresses_in,
    find_line_code_errors,
    find_line_diagnosis_code_errors,
    find_number_code_errors,
    make_diagnoses,
    make_other_payer,
    make_party,
    make_segment,
)
from edi_checker.facts.code_errors import (
    MOST_CODE_ERRORS,
    find_payer_code_errors,
    make_diagnosis_code_errors,
)
from edi_checker.facts.coding import (
    DayMet,
    Treated,
    add_coding,
    addon_of,
    by_discipline,
    pairs_of,
)
from edi_checker.facts.context import Charged, InputMemory, Setting, person_of
from edi_checker.facts.duplicates import digest_claim, find_earlier_lines, is_first_issue
from edi_checker.facts.earlier import (
    hold_against_others,
    numbers_of_days,
    write_claim,
    write_line,
    year_key,
)
from edi_checker.facts.fact import Fact
from edi_checker.facts.payers import add_other_payers
from edi_checker.facts.pieces import (
    fill,
    look_at,
)
from edi_checker.facts.places import FixedLocation
from edi_checker.facts.situations import name_segments
from edi_checker.facts.triggers import Around
from edi_checker.facts.whole_claim import Line, WholeClaim, repeated
from edi_checker.reference.tables import kx_thresholds
from edi_checker.reference.units import least_minutes
from edi_checker.x12.finding import Finding

_NONE: list[Finding] = []
_MOST_LINES = 50  # as the guide allows


def judge_by_pieces(
    memo: Memo,
    claim: Claim,
    cut: Cut,
    setting: Setting,
    memory: InputMemory,
    above: Mapping[type, LevelAbove],
) -> list[Finding] | None:
    """The findings on a claim without faults; None where it must be looked at as a whole.

    `cut` is its text in pieces, `setting` held to the profile of the memo; `above` are the levels met last.
    """
    if memory.minutes is not None or setting.more_facts is not None or claim.cut:
        return None
    levels = memo.levels_of(claim, above)
    if levels is None:
        return None
    judging = _Judging(memo, claim, setting, memory, levels, cut)
    found = judging.findings()
    judging.let_go()
    return found


class _Judging(WholeClaim):
    """A claim while it is judged by what is remembered of its pieces."""

    def __init__(
        self, memo: Memo, claim: Claim, setting: Setting, memory: InputMemory, levels: Levels, cut: Cut
    ) -> None:
        self.claim = claim
        self.setting = setting
        self.memory = memory
        self.profile = memo.profile
        self.earlier = None
        self.same_number = None
        self.memo = memo
        self.levels = levels
        self.cut = cut
        self.id = cut.id
        self.birth = levels.birth
        self.npi = levels.npi
        self.group = levels.npi if levels.around.organization else ""
        self.taxonomy = levels.taxonomy
        self.fired: list[Fired] = []
        self.facts: list[Fact] = []
        self.joins = 0
        self.bounded = 0
        # Of each line what is known of its service and of what follows it, its days and thousandths.
        self.entries: list[LineEntry] = []
        self.followings: list[Following] = []
        self.dates: list[Dates] = []
        self.units: list[int | None] = []
        # The lines by day, as far as each stands on one day alone and is the claim's provider's.
        self.by_day: dict[int, list[int]] = {}
        self.regular = True
        self.built: dict[int, Line] = {}
        # Lines whose charge, units, pointers or addresses may be such as must not be.
        self.odd: list[int] = []
        self.asked = 0

    def findings(self) -> list[Finding] | None:
        """The findings; None where the claim must be looked at as a whole."""
        memo, cut = self.memo, self.cut
        parties = self._read_parties() if cut.parties else []
        days = self._read_span() if self._read_lines() else None
        if days is None:
            return None
        first, last, span = days
        self.first, self.last = first, last
        self.around, self.roles = self.levels.around, ()
        if parties or cut.payers:
            self.roles = tuple(dict.fromkeys([party.role for party in parties]))
            around = self.levels.around
            twice = repeated([party.role for party in parties])
            self.around = Around(around.above, cut.payers, self.roles, twice, around.organization)
        head = self._hear_pieces(parties, first, last)
        if not self._are_apart():
            self.regular = False
            find_earlier_lines(self.lines)
            if any(line.repeated is not None for line in self.lines):
                return None
        if self._may_join(head):
            return None
        # From here on what is seen is remembered of the input.
        if head.frequency == ORIGINAL:
            self._meet(head.place_of_service)
        self.find_same_number()
        self._join_lines(head)
        self._hold_against_others(head)
        if cut.payers:
            add_other_payers(self.facts, self)
        self._hear(head.of_claim, self)
        self.claim.know_lines(span, len(cut.lines))
        self.memory.note_days(self.setting, memo.profile, first, last)
        if self.facts:
            self.fired += memo.decider.judged(self.facts)
        return in_order(self.fired) if self.fired else _NONE

    def _read_span(self) -> tuple[int, int, tuple[int, int]] | None:
        """First and last day of service and the span of all days; None where none is known."""
        if self.regular:
            first, last = min(self.by_day), max(self.by_day)
            return first, last, (first, last)
        firsts = [first for first, _, _ in self.dates]
        lasts = [last for _, last, _ in self.dates if last is not None]
        if not lasts:
            return None
        first, last = min(firsts), max(lasts)
        return first, last, (min(first, *lasts), max(last, *firsts))

    def _hear_pieces(self, parties: Sequence[Party], first: int, last: int) -> Head:
        """What the rules say of each piece; the head. `first` and `last` are the claim's days of service."""
        memo, cut = self.memo, self.cut
        era = memo.era(first)
        head = memo.head(cut.terms, self, era)
        self._hear(head.said, self)
        self._hear(memo.around(self.around, era, first), self)
        self._hear_head(era)
        self._hear_parties(parties, era)
        if cut.payers:
            self._hear_payers(era)
        self._hear_lines(head.place_of_service)
        if not memo.are_plain(cut.composites, first, last):
            self._judge_diagnoses()
        if memo.needs_diagnoses:
            self.facts += make_diagnoses(self)
        if self.levels.odd:
            self.facts += find_payer_code_errors(self.claim, first, last, memo.judging_on(first))
        return head

    def _may_join(self, head: Head) -> bool:
        """Whether a rule may join facts of several pieces, or there are too many to be told one by one."""
        joins = self.joins | head.of_claim.joins
        if self.facts:
            self.bounded += sum(fact.kind == "code_error" for fact in self.facts)
            joins |= self.memo.judgement.sieve.joins_in(self.facts, self.memo.received)
        for ask in head.of_claim.asks:
            joins |= ask.joins
        return self.bounded > MOST_CODE_ERRORS or self.memo.may_join(joins)

    def _join_lines(self, head: Head) -> None:
        """What the rules say of several lines together."""
        if self.regular:
            self._count()
            self._work(head)
        else:
            add_coding(self.facts, self)

    def _hold_against_others(self, head: Head) -> None:
        """Hold the claim against the others of its person; where there are none, note what it bills."""
        if not self._is_alone(head):
            hold_against_others(self.facts, self)

    def _is_alone(self, head: Head) -> bool:
        """Whether no other claim of the person can matter; then what this one bills is noted."""
        claim, memory = self.claim, self.memory
        if self.earlier is not None or not self.regular or head.frequency != ORIGINAL or self.facts:
            return False
        if not is_first_issue(claim.transaction):
            return True
        person, billing = person_of(claim), claim.billing
        if not person or billing is None:
            return True
        if self.asked & (ADDON | MONTHLY):
            return False
        keys = numbers_of_days(person, billing.known_by, self.by_day)
        for on, key in keys:
            if memory.find_services(key, claim, on):
                return False
        amounts = [line[AMOUNT] for line in self.cut.lines]
        charged = self._charge_years(amounts) if "medicare" in self.profile.names else []
        if charged is None:
            return False
        position = claim.position + self.cut.before
        written = []
        provider = self.npi, self.taxonomy
        for number, entry in enumerate(self.entries):
            units, amount = self.units[number], amounts[number]
            written.append(write_line(number + 1, position, entry.service, units, amount, provider))
            position += OF_SERVICE + self.followings[number].segments
        memory.billed = [
            (key, on, write_claim(self, [written[number] for number in self.by_day[on]])) for on, key in keys
        ]
        memory.charged = charged
        return True

    def _charge_years(self, amounts: Sequence[int | None]) -> list[Charged] | None:
        """The claim's charges of therapy by person and year; None where they pass a threshold."""
        charged: dict[tuple[int, bool], int] = {}
        for entry, (on, _, _), amount in zip(self.entries, self.dates, amounts, strict=True):
            disciplines = entry.service.disciplines
            if len(disciplines) == 1 and amount is not None:
                kind = on // 10000, disciplines[0] == "GO"
                charged[kind] = charged.get(kind, 0) + amount
        if not charged:
            return []
        person = person_of(self.claim)
        found = []
        for (year, occupational), charges in charged.items():
            threshold = kx_thresholds().get(year)
            if threshold is not None:
                key = year_key(person, year, occupational=occupational)
                before, here = self.memory.find_charges(key, self.claim, year, occupational=occupational)
                if before + here + charges > threshold:
                    return None
                found.append((key, charges, threshold - before))
        return found

    def let_go(self) -> None:
        """Part what holds each other, so that it goes at once and no collector has to look for it."""
        self.__dict__.clear()

    # -- what it says as a whole

    @once
    def columns(self) -> Sequence[str]:
        return (self.cut.id, self.cut.charge)

    @once
    def charge(self) -> int | None:
        return self.cut.cents

    @once
    def modifiers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([m for entry in self.entries for m in entry.service.modifiers]))

    @once
    def stated(self) -> tuple[str, ...]:
        element, end = self.memo.cutter.element, self.memo.cutter.terminator
        before_lines = self.claim.block.text.partition(f"{end}LX{element}")[0]
        before_payers = before_lines.partition(f"{end}SBR{element}")[0]
        return name_segments([each.split(element) for each in before_payers.split(end)])

    @once
    def uncertified(self) -> tuple[Line, ...]:
        return tuple([self.line(number) for number in self._uncertified])

    @once
    def uncertified_lines(self) -> int:
        return len(self._uncertified)

    @once
    def uncertified_excluded(self) -> bool:
        services = [self.entries[number].service for number in self._uncertified]
        return bool(services) and all("GY" in service.modifiers for service in services)

    @once
    def _uncertified(self) -> list[int]:
        """The always-therapy lines that name no referring provider."""
        if "DN" in self.roles or not self.asked & ALWAYS:
            return []
        pairs = enumerate(zip(self.entries, self.followings, strict=True))
        return [number for number, (entry, behind) in pairs if entry.always and not behind.refers]

    def is_decided(self, line: Line) -> bool:
        return self.followings[line.ordinal - 1].decided

    def reference(self, qualifier: str) -> str:
        start = f"REF{self.memo.cutter.element}{qualifier}{self.memo.cutter.element}"
        return next((columns[0] for key, columns, _ in self.cut.head if key.startswith(start)), "")

    @once
    def diagnoses(self) -> tuple[str, ...]:
        component = self.memo.cutter.component
        return tuple([text.split(component, 2)[1] for text in self.cut.composites])

    @once
    def lines(self) -> list[Line]:
        return [self.line(number) for number in range(len(self.entries))]

    def line(self, number: int) -> Line:
        """A line as an object, made when it is asked for."""
        line = self.built.get(number)
        if line is not None:
            return line
        entry, following, text = self.entries[number], self.followings[number], self.cut.lines[number]
        npi, taxonomy = self.npi, self.taxonomy
        minutes = None
        if following.renders and (own := self.claim.lines[number].provider("82")):
            npi, taxonomy = own.npi, own.taxonomy
        if entry.service.unit == "MJ":
            minutes = minutes_of(self.claim.lines[number], None, self.profile.minutes_note)
        elif following.noted:
            minutes = minutes_in_notes(self.memo.cutter.notes_of_line(text), self.profile.minutes_note)
        _, said, _, _, pointers, *_, amount, _ = text
        line = self.built[number] = Line(
            self,
            number + 1,
            self.claim.position
            + self.cut.before
            + sum([OF_SERVICE + behind.segments for behind in self.followings[:number]]),
            entry.service,
            said,
            pointers,
            self.dates[number],
            amount,
            self.units[number],
            npi,
            taxonomy,
            names_providers=following.own,
            minutes=minutes,
        )
        return line

    def segments_of_line(self, line: Line) -> list[Segment]:
        return self.memo.cutter.segments_of_line(self.cut.lines[line.ordinal - 1])

    def columns_of_line(self, line: Line) -> Sequence[str]:
        return self.memo.cutter.columns_of_line(self.cut.lines[line.ordinal - 1])

    # -- its pieces

    def _read_parties(self) -> list[Party]:
        """The providers of the claim, and who of them gave the service."""
        memo = self.memo
        found: list[Party] = []
        rendering = False
        for number, (key, _, npi, _) in enumerate(self.cut.parties):
            party = memo.party(key, self.claim, number)
            found.append(party)
            if party.role == "82" and not rendering:
                rendering = True
                self.npi, self.taxonomy = npi, party.taxonomy
        return found

    def _read_lines(self) -> bool:
        """The lines of the claim; False if one cannot be read from its text."""
        memo, lines, by_day = self.memo, self.cut.lines, self.by_day
        if not 0 < len(lines) <= _MOST_LINES:
            return False
        by = memo.rendered_by(self.taxonomy)
        days = by.days
        total: int | None = 0
        joins = asked = 0
        odd = self.odd
        enough, diagnoses = memo.pointers, len(self.cut.composites)
        for number, line in enumerate(lines):
            _, _, key, told, pointers, date, _, more, amount, counted = line
            known: tuple[Dates, OfEra] | None = days.get(date)
            if known is None:
                known = memo.day(by, date) if date else self._day_in(more, by)
                if known is None:
                    return False
            dates, era = known
            # By imported lists some of its codes are judged as of the claim's first day.
            behind: Hashable = (told, self.claim.dates[0]) if more and memo.goes_by_day else told
            single = told[:1] == "D"
            following: Following | None = era.following.get(behind)
            if following is None:
                following = memo.following(line, self.claim, dates[0], single=single)
                era.following[behind] = following
            of_service = (key, single, following.tag)
            entry: LineEntry | None = era.lines.get(of_service)
            if entry is None:
                entry = memo.line(of_service, line, self.claim, era, dates[0], following, single=single)
            entry.met += 1
            following.met += 1
            units = counted if entry.counted else None
            total = total + amount if total is not None and amount is not None else None
            needed: int | None = enough.get(pointers)
            if needed is None:
                needed = memo.enough(pointers)
            if not units or units % 1000 or (amount or 0) < 0 or needed > diagnoses or following.addressed:
                odd.append(number)
            joins |= entry.mue_day.joins
            asked |= entry.asks | following.asks
            self.entries.append(entry)
            self.followings.append(following)
            self.dates.append(dates)
            self.units.append(units)
            if dates[2] != 1 or not entry.plain or following.own or units is None:
                self.regular = False
            elif dates[0] in by_day:
                by_day[dates[0]].append(number)
            else:
                by_day[dates[0]] = [number]
        claimed = self.cut.cents
        self.charge, self.line_charges = claimed, total
        self.charge_difference = claimed - total if claimed is not None and total is not None else None
        self.joins, self.asked = joins, asked
        return True

    def _day_in(self, more: str, by: RenderedBy) -> tuple[Dates, OfEra] | None:
        """As Memo.day, of a day that stands somewhere in what follows a service."""
        mark = f"{self.memo.cutter.terminator}DTP{self.memo.cutter.element}472{self.memo.cutter.element}"
        _, found, behind = more.partition(mark)
        return self.memo.day(by, behind.partition(self.memo.cutter.terminator)[0]) if found else None

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

    def _hear_parties(self, parties: Sequence[Party], era: int) -> None:
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
            self.facts += addresses_in(self, other, view, "2320", judging)

    def _hear_lines(self, place: str) -> None:
        """What the rules say of each line; `place` is the claim's place of service."""
        if self.asked & HEARD:
            for number, entry in enumerate(self.entries):
                following = self.followings[number]
                if entry.heard and place not in entry.quiet:
                    fired = len(self.fired)
                    self._hear(entry.said, self.line(number))
                    if entry.of_place and len(self.fired) == fired:
                        entry.note_quiet(place)
                if following.heard and following.said is not None:
                    self._hear(following.said, self.line(number))
        judging = self.memo.judging_on(self.first)
        for number in self.odd:
            segments = self.memo.cutter.segments_of_line(self.cut.lines[number])
            view = look_at(segments, self.claim.component)
            self.facts += find_line_code_errors(self.line(number), view, judging)
        if (self.charge or 0) < 0 or self._repeats_a_control():
            self.facts += find_number_code_errors(self, judging)

    def _repeats_a_control(self) -> bool:
        """Whether two lines have the same number (REF*6R)."""
        controls = [line[CONTROL] for line in self.cut.lines if line[CONTROL]]
        if self.asked & NUMBERED:
            mark, end = self.memo.cutter.number_mark, self.memo.cutter.terminator
            found = [line[MORE].partition(mark) for line in self.cut.lines]
            controls += [behind.partition(end)[0] for _, mark, behind in found if mark]
        return len(set(controls)) < len(controls)

    def _judge_diagnoses(self) -> None:
        claim = self.claim
        judging = self.memo.judging_on(self.first)
        made = make_diagnosis_code_errors(
            claim, claim.diagnoses, self.first, self.last, judging, CODE_ERROR_OF_CLAIM
        )
        self.facts += fill(made, self)
        self.facts += find_line_diagnosis_code_errors(self, judging)

    # -- what takes several pieces

    def _are_apart(self) -> bool:
        """Whether each line stands on one day alone, no code twice on one, and all are of one provider, whose
        NPI is known.
        """
        if not self.regular or not self.npi:
            return False
        entries = self.entries
        if self.npi == self.group and len({entry.service.disciplines for entry in entries}) > 1:
            return False
        for numbers in self.by_day.values():
            if len(numbers) > 1 and len({entries[number].code for number in numbers}) < len(numbers):
                return False
        return not self.asked & NOTED or all(line.minutes is None for line in self.lines)

    def _meet(self, place: str) -> None:
        """Hold the claim against those that came before."""
        if not is_first_issue(self.claim.transaction):
            return
        npi = self.npi
        if self.asked & OWN:
            served = [f"{line.said} {line.first} {line.last} {line.npi}" for line in self.lines]
        else:
            lines = zip(self.cut.lines, self.dates, strict=True)
            served = [f"{line[SAID]} {first} {last} {npi}" for line, (first, last, _) in lines]
        digest = digest_claim(self.levels.content, place, self.cut.composites, served)
        on = 0
        if self.memory.past is not None:
            dated = zip(self.entries, self.dates, strict=True)
            on = min((first for entry, (first, _, days) in dated if days and entry.code), default=0)
        where = self.memory.meet(digest, self.claim, on)
        if where is not None:
            self.earlier = FixedLocation(where)

    def _count(self) -> None:
        """What the rules say of the units of each line alone on its day."""
        if not self.asked & (COUNTS | ADDON):
            return
        for number, entry in enumerate(self.entries):
            if entry.counts:
                units = self.units[number]
                templates = entry.units.get(units)
                if templates is None:
                    templates = entry.units[units] = self.memo.count(entry, self.line(number))
                for template in templates:
                    self.fired.append((template.number, template.finding(self.line(number))))
            if entry.addon:
                tables = self.memo.tables
                self.facts.append(addon_of(self.line(number), self.lines, tables, self.profile))

    def _work(self, head: Head) -> None:
        """Pairs and minutes of the days of a claim."""
        memo, npi = self.memo, self.npi
        named = npi and npi != self.group
        works = head.frequency == ORIGINAL and self.earlier is None
        worked = self.memory.provider_days if works and named else None
        for on, numbers in self.by_day.items():
            if len(numbers) > 1:
                self._pair(numbers, on)
            timed = [number for number in numbers if self.entries[number].timed] if self.asked & TIMED else []
            if not timed:
                continue
            for discipline, own in self._group(timed):
                busiest = 0
                if worked is not None:
                    units = [(self.units[number] or 0) // 1000 for number in own]
                    if memo.profile.unit_method == "cms":
                        least = least_minutes(sum(units))
                    else:
                        least = sum(map(least_minutes, units))
                    busiest = worked.add(npi, on, least, self.claim)
                if not memo.is_rested(busiest):
                    treated = Treated(self, on, discipline, own, busiest)
                    asks = memo.worked.asks
                    if memo.worked.fires or any(ask.bits(treated, memo.received) for ask in asks):
                        self.facts.append(treated.fact())

    def _pair(self, numbers: Sequence[int], on: int) -> None:
        """What the rules say of two lines of a day."""
        memo, entries = self.memo, self.entries
        known = memo.pairs
        for at, one in enumerate(numbers):
            for two in numbers[at + 1 :]:
                # In their order: where each is column 1 to the other, the one that stands first is.
                key = entries[one].number, entries[two].number
                found = known.get(key)
                if found == ():
                    continue
                if found is None:
                    both = (self.line(one), self.line(two))
                    found = known[key] = memo.pair((entries[one], entries[two]), both, on)
                met = DayMet((self.line(one), self.line(two)))
                for template in found:
                    if template is not None:
                        self.fired.append((template.number, template.finding(met)))
                    else:
                        both = (self.line(one), self.line(two))
                        self.facts += pairs_of(on, both, memo.tables, self.profile)

    def _group(self, timed: list[int]) -> Iterable[tuple[str, list[int]]]:
        """The timed lines of a day by discipline, see coding.by_discipline."""
        named: dict[str, list[int]] = {}
        for number in timed:
            disciplines = self.entries[number].service.disciplines
            if len(disciplines) != 1:
                groups = by_discipline([self.line(each) for each in timed])
                return [(name, [line.ordinal - 1 for line in lines]) for name, lines in groups.items()]
            named.setdefault(disciplines[0], []).append(number)
        return named.items()
