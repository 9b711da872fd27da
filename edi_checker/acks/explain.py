"""Explains what a TA1, 999 or 277CA says, in plain words: what was taken, what was not, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import BinaryIO, Literal

from edi_checker.acks import narrator, words
from edi_checker.acks.narrator import LEVELS, About, plain, split, whole
from edi_checker.acks.totals import Kind, Totals, charged, counted
from edi_checker.acks.words import Outcome
from edi_checker.claims.claim import Segment, element
from edi_checker.guide.table import Composite, Guide
from edi_checker.x12.blocks import Block, NotClaims, read_blocks
from edi_checker.x12.dates import days_of
from edi_checker.x12.fault_codes import GROUP_NUMBER_TWICE, INTERCHANGE_TWICE, SET_NUMBER_TWICE, Code
from edi_checker.x12.kinds import Kind as FileKind
from edi_checker.x12.kinds import is_answer, name_group, name_guide, name_other_set, say_others
from edi_checker.x12.money import cents, show_dollars

Answer = Literal["TA1", "997", "999", "277CA", ""]

_OUTCOMES: tuple[Outcome, ...] = ("accepted", "received", "noted", "unclear", "rejected")  # from good to bad

_LONGEST_TEXT = 264  # STC12
_MOST_ERRORS = 1000  # errors explained of one transaction set
_MOST_STATUSES = 60  # explained of one claim or line
_MOST_OTHERS = 10  # kinds of other transaction sets that are named

_LEVEL_NAMES: dict[About, str] = {
    "interchange": "Answer",
    "batch": "Batch",
    "provider": "Billing provider",
}

# 005010X222, A1 and A2: the guide whose names of segments and elements are known here.
_OUR_GUIDE = "005010X222"


@dataclass(frozen=True, slots=True)
class Subject:
    """By what the claims are found that a statement is about, and what a 277CA repeats of its claim.

    sender, receiver  ISA06 and ISA08 of the answer, without blanks
    made              when the answer was made: ISA09 and ISA10, `YYMMDDHHMM`
    answer            ordinal in its file of the TA1, group of a 999 or transaction set of a 277CA
    interchange       ISA13 of the claims, where a TA1 in the same interchange names it
    group             GS06 of the claims
    batch, provider   BHT03 of the claims; id of their billing provider
    patient           last and first name
    charge            cents
    dates             first and last day of service
    accepted, rejected  how many of the claims (277CA) or transaction sets (999) are counted so, None where
                      they are not counted
    own               the outcome of a level of a 277CA without what is counted below it
    """

    sender: str = ""
    receiver: str = ""
    made: str = ""
    answer: int = 0
    interchange: str = ""
    group: str = ""
    batch: str = ""
    provider: str = ""
    patient: str = ""
    charge: int | None = None
    dates: tuple[int | None, int | None] = (None, None)
    accepted: int | None = None
    rejected: int | None = None
    own: Outcome = "received"


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that an answer says.

    answer       which kind of answer says it; "" where it is said of the file itself
    about, id    of what it is said: its control number, number of the batch or claim (CLM01), ordinal of the
                 line or its control number; "" where the answer names none
    outcome      accepted; received (nothing is decided yet); noted (accepted or pending, with something to
                 know); rejected; unclear (the answer does not say, contradicts itself, or says it with a code
                 that is not known)
    text         what it says; names, ids and birth dates of people are left out
    advice       what to do, "" for nothing
    codes        the codes behind it: `A7:562:85`, `IK304=8`, `IK403=1`, `TA1=021`
    transaction, claim  the 837's set (ST02) and claim (CLM01) that it concerns, None where unknown
    position     of the segment in ST..SE of the 837 (ST = 1), None where none is concerned
    element      `CLM02` or `SV101-3`, None where none is concerned
    subject      what may name a person, and so stands apart
    """

    answer: Answer
    about: About
    id: str
    outcome: Outcome
    text: str
    advice: str = ""
    codes: tuple[str, ...] = ()
    transaction: str | None = None
    claim: str | None = None
    position: int | None = None
    element: str | None = None
    subject: Subject = Subject()


def explain(stream: BinaryIO, guide: Guide) -> Iterator[Statement]:
    """What the answers in a file say, in document order; `guide` has the names of an 837P's elements.

    Takes any delimiters, what answers other transaction sets than the 837P, several answers in a file, and a
    997 as a 999. What cannot be explained is marked so. Holds one block (x12.read_blocks) in memory.

    Raises x12.NotX12 where the file cannot be read at all, NotClaims at its end where it is known for
    something else than an acknowledgement.
    """
    return _Teller(_name_elements(guide)).tell(read_blocks(stream))


def whole_outcome(told: Iterable[tuple[About, Outcome]]) -> Outcome:
    """The outcome of a file. That a batch was received says nothing where more is said of its claims."""
    seen = set(told)
    if any(about in ("batch", "provider", "claim") and outcome != "received" for about, outcome in seen):
        seen = {each for each in seen if each[1] != "received" or each[0] in ("claim", "line")}
    return worst(outcome for _, outcome in seen)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a whole by those of its parts; unclear where there are none."""
    return max(outcomes, key=_OUTCOMES.index, default="unclear")


NameOf = Callable[[str, str], str]


@lru_cache(maxsize=1)
def _name_elements(guide: Guide) -> NameOf:
    """Loop and segment or element (`2300`, `CLM02`) to its name in the guide, "" where it has none."""
    names: dict[tuple[str, str], str] = {}
    for segment in guide.segments:
        named = [(segment.id, segment.name)]
        for item in segment.elements:
            parts = item.components if isinstance(item, Composite) else ()
            named += [(one.ref, one.name) for one in (item, *parts)]
        for ref, name in named:
            names.setdefault((segment.loop, ref), name)
    return lambda loop, ref: names.get((loop, ref), "")


@dataclass(slots=True)
class _SegmentError:
    """IK3 with its CTX and IK4: position, loop and code of the segment, and the errors of its elements."""

    segment: Segment
    claims: list[str] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    elements: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class _Set:
    """AK2 to IK5."""

    number: str
    verdict: Segment = field(default_factory=list)
    errors: list[_SegmentError] = field(default_factory=list)
    more: int = 0


@dataclass(slots=True)
class _Item:
    """A level, claim or line of a 277CA in the making."""

    about: About
    id: str = ""
    statuses: list[Segment] = field(default_factory=list)
    sums: dict[str, str] = field(default_factory=dict)
    payer_number: str = ""
    procedure: str = ""
    dates: tuple[int | None, int | None] = (None, None)
    told: bool = False

    @property
    def charge(self) -> int | None:
        """STC04 of a claim, in cents."""
        return cents(element(self.statuses[0], 4)) if self.statuses else None


class _Teller:
    """Where in the file of answers we are; see explain."""

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self._component = ":"
        self._answer: Answer = ""
        self._open = False  # an interchange whose IEA has not come
        self._told = False
        self._subject = Subject()
        self._head: Segment = []  # GS
        self._others: dict[FileKind, None] = {}
        # of a 999
        self._group: Segment = []
        self._sets: list[_Set] = []
        # of a 277CA
        self._level: _Item | None = None
        self._claim: _Item | None = None
        self._line: _Item | None = None
        self._batch: Totals | None = None
        self._provider: Totals | None = None

    def tell(self, blocks: Iterable[Block]) -> Iterator[Statement]:
        for block in blocks:
            self._component = block.delimiters.component
            for segment in block.segments():
                for statement in self._take(segment):
                    self._told = True
                    yield statement
            if any(fault.kind == "segment" for fault in block.faults):
                yield self._of_file("A part of the file is too long to be read, and is not explained.")
        yield from self._end()

    def _end(self) -> Iterator[Statement]:
        for statement in self._end_transaction():
            self._told = True
            yield statement
        if self._others and not self._told:
            raise NotClaims(say_others(list(self._others), "no acknowledgement"))
        if self._others:
            kinds = ", ".join(kind.name for kind in self._others)
            yield self._of_file(
                f"The file has other transaction sets, which are not acknowledgements: {kinds}."
            )
        elif not self._told:
            yield self._of_file("The file holds no TA1, 999 or 277CA.")
        if self._open:
            yield self._of_file("The file ends before its last segment, IEA: something may be missing.")

    def _of_file(self, text: str) -> Statement:
        return Statement("", "file", "", "unclear", text, advice="Request the acknowledgement again.")

    def _take(self, segment: Segment) -> Iterator[Statement]:
        match segment[0]:
            case "ISA":
                self._open = True
                self._subject = Subject(
                    sender=plain(element(segment, 6)),
                    receiver=plain(element(segment, 8)),
                    made=plain(element(segment, 9) + element(segment, 10), 12),
                    answer=self._subject.answer,
                )
            case "IEA":
                self._open = False
            case "TA1":
                # Two of them say of no group to which interchange it belongs.
                named = "" if self._subject.interchange else plain(element(segment, 1))
                self._subject = replace(self._next_subject(), interchange=named)
                yield self._tell_ta1(segment)
            case "GS":
                self._head = segment
            case "ST":
                yield from self._end_transaction()
                self._batch = self._provider = None  # of a set whose SE did not come
                self._begin_transaction(segment)
            case "SE":
                yield from self._end_transaction()
                yield from self._compare_totals("batch")
            case _ if self._answer in ("999", "997"):
                yield from self._take_999(segment)
            case _ if self._answer == "277CA":
                yield from self._take_277(segment)
            case _:
                pass

    def _next_subject(self) -> Subject:
        """Of the next answer in the same interchange."""
        now = self._subject
        return Subject(now.sender, now.receiver, now.made, now.answer + 1, now.interchange)

    def _begin_transaction(self, segment: Segment) -> None:
        id, version = element(segment, 1), element(segment, 3)
        self._answer = {"999": "999", "997": "997", "277": "277CA"}.get(id, "")  # type: ignore[assignment]  # the values are answers
        guide = name_guide(version) or name_guide(element(self._head, 8))
        if self._answer == "277CA" and guide is not None and not is_answer(guide):
            self._answer = ""
        if self._answer:
            self._subject = self._next_subject()
        elif len(self._others) < _MOST_OTHERS:
            kind = name_group(element(self._head, 1), element(self._head, 8), id, version)
            known = kind is not None and not is_answer(kind)
            self._others[kind if known and kind else name_other_set(plain(id, 6))] = None

    def _end_transaction(self) -> Iterator[Statement]:
        yield from self._end_group([])
        yield from self._end_level()
        self._answer = ""

    # TA1

    def _tell_ta1(self, segment: Segment) -> Statement:
        text, outcome, codes = narrator.say_interchange(segment)
        advice = ""
        if outcome == "rejected":
            advice = "Nothing in it was processed. Correct it and send the whole file again with a new ISA13."
            if INTERCHANGE_TWICE in codes:
                advice = words.INTERCHANGE_TWICE_ADVICE
        elif outcome == "noted":
            advice = "Correct this before the next file."
        number = plain(element(segment, 1))
        subject = replace(self._subject, interchange=number)
        return Statement("TA1", "interchange", number, outcome, text, advice, codes, subject=subject)

    # 999 and 997

    def _take_999(self, segment: Segment) -> Iterator[Statement]:
        match segment[0]:
            case "AK1":
                yield from self._end_group([])
                self._group = segment
                self._subject = replace(self._subject, group=plain(element(segment, 2)))
            case "AK2":
                self._sets.append(_Set(plain(element(segment, 2))))
            case "IK3" | "AK3":
                here = self._set()
                if len(here.errors) < _MOST_ERRORS:
                    here.errors.append(_SegmentError(segment))
                else:
                    here.more += 1
            case "CTX":
                self._take_context(segment)
            case "IK4" | "AK4":
                errors = self._set().errors
                if errors and not self._set().more:
                    errors[-1].elements.append(segment)
            case "IK5" | "AK5":
                self._set().verdict = segment
            case "AK9":
                yield from self._end_group(segment)
            case _:
                pass

    def _set(self) -> _Set:
        if not self._sets:
            self._sets.append(_Set(""))
        return self._sets[-1]

    def _take_context(self, segment: Segment) -> None:
        here = self._set()
        if not here.errors or here.more:
            return
        claim, trigger = narrator.read_context(segment, self._component)
        if claim:
            here.errors[-1].claims.append(claim)
        if trigger:
            here.errors[-1].triggers.append(trigger)

    def _end_group(self, trailer: Segment) -> Iterator[Statement]:
        group, sets = self._group, self._sets
        self._group, self._sets = [], []
        if group or trailer:
            yield self._tell_group(group, trailer, sets)
            yield from self._tell_sets_that_contradict(group, trailer, sets)
        for one in sets:
            told = self._tell_set(one)
            yield told
            for error in one.errors:
                yield from self._tell_error(error, told, group=group)
            if one.more:
                text = f"{one.more} more segments have errors."
                yield Statement(
                    self._answer,
                    "segment",
                    "",
                    told.outcome,
                    text,
                    transaction=one.number,
                    subject=self._subject,
                )

    def _tell_group(self, group: Segment, trailer: Segment, sets: list[_Set]) -> Statement:
        number, version = plain(element(group, 2)), plain(element(group, 3), 12)
        name = f"Group {number or '(not named)'}" + (f" ({version})" if version else "")
        text, outcome, codes = narrator.say_group(name, trailer)
        advice = ""
        if outcome == "rejected" and not any(one.errors or one.verdict for one in sets):
            advice = "Nothing in it was processed. Correct it and send the whole group again, as a new file."
            if GROUP_NUMBER_TWICE in codes:
                advice = words.TWICE_ADVICE
        received, accepted = whole(element(trailer, 3)), whole(element(trailer, 4))
        rejected = received - accepted if received is not None and accepted is not None else None
        subject = replace(self._subject, accepted=accepted, rejected=rejected)
        return Statement(self._answer, "group", number, outcome, text, advice, codes, subject=subject)

    def _tell_sets_that_contradict(
        self, group: Segment, trailer: Segment, sets: list[_Set]
    ) -> Iterator[Statement]:
        """Where more sets are listed than the group counts; an answer may list fewer."""
        received, accepted = whole(element(trailer, 3)), whole(element(trailer, 4))
        if received is None or accepted is None:
            return
        listed = Counter(narrator.say_set("", one.verdict).outcome for one in sets)
        number = plain(element(group, 2))
        for kind, count, most in (
            ("received", len(sets), received),
            ("accepted", listed["accepted"] + listed["noted"], accepted),
            ("rejected", listed["rejected"], received - accepted),
        ):
            if count > most:
                text = (
                    f"Group {number or '(not named)'}: {most} sets are counted as {kind}, but {count} listed."
                )
                yield Statement(self._answer, "group", number, "unclear", text, words.TOTALS_ADVICE)

    def _tell_set(self, one: _Set) -> Statement:
        text, outcome, codes = narrator.say_set(f"Transaction set {one.number or '(not named)'}", one.verdict)
        advice = ""
        if outcome == "rejected":
            advice = "None of its claims was taken. Correct it and send the whole set again, as a new file."
            if SET_NUMBER_TWICE in codes:
                advice = words.TWICE_ADVICE
        elif outcome == "noted":
            advice = "Claims with errors may still be rejected; the 277CA says which."
        return Statement(
            self._answer,
            "transaction",
            one.number,
            outcome,
            text,
            advice,
            codes,
            one.number,
            subject=self._subject,
        )

    def _tell_error(self, error: _SegmentError, of: Statement, group: Segment) -> Iterator[Statement]:
        """One statement of each element with an error, or of the segment where none is named.

        `of` is what is said of the set: an error in one that was accepted is but noted.
        """
        id, code = plain(element(error.segment, 1), 10), plain(element(error.segment, 4), 10)
        loop, position = plain(element(error.segment, 3), 10), whole(element(error.segment, 2))
        claim = error.claims[0] if error.claims else None
        of_claims = element(group, 1) == "HC"
        ours = of_claims and element(group, 3).startswith(_OUR_GUIDE)
        elements: list[Segment | None] = [*error.elements] or [None]
        for segment in elements:
            codes: tuple[str, ...] = (f"IK304={code}",)
            what, at, found = f"segment {id}", "", narrator.error_of("IK304", code)
            if segment is not None:
                at = narrator.name_place(id, split(element(segment, 1), self._component))
                what = at or f"an element of segment {id}"
                found_code = plain(element(segment, 3), 10)
                found = narrator.error_of("IK403", found_code)
                codes = (*codes, f"IK403={found_code}")
            name = self._name_of(loop, at or id) if ours else ""
            places = narrator.locate(error.segment, "number" if segment is None else "segment")
            text = narrator.say_error(f"{what} ({name})" if name else what, places, found)
            if error.triggers:
                text += "; it is required because of " + ", ".join(error.triggers)
            yield Statement(
                self._answer,
                "segment",
                str(position) if position is not None else "",
                "noted" if of.outcome == "accepted" else of.outcome,
                narrator.sentence(f"claim {claim}: {text}" if claim else text),
                _advise_of_error(id if of_claims else "", codes[-1], found, known=bool(name)),
                codes,
                of.transaction,
                claim,
                position,
                at or None,
                self._subject,
            )

    # 277CA

    def _take_277(self, segment: Segment) -> Iterator[Statement]:
        here = self._line or self._claim or self._level
        match segment[0]:
            case "HL":
                yield from self._end_level()
                self._leave_levels(LEVELS.get(element(segment, 3), LEVELS["PT"]).about)
                self._level = _Item(LEVELS.get(element(segment, 3), LEVELS["PT"]).about)
                yield from self._compare_totals(self._level.about)
            case "TRN" if self._level is not None:
                if self._level.about == "claim" and element(segment, 1) == "2":
                    yield from self._end_claim()
                    self._claim = _Item("claim", plain(element(segment, 2)))
                elif self._level.about == "batch":
                    self._level.id = plain(element(segment, 2))
                    self._subject = replace(self._subject, batch=self._level.id)
            case "NM1" if self._level is not None and self._level.about == "provider":
                # Other ids of a provider may be a person's.
                self._level.id = plain(element(segment, 9)) if element(segment, 8) == "XX" else ""
                self._subject = replace(self._subject, provider=plain(element(segment, 9)))
            case "NM1" if self._level is not None and self._level.about == "claim":
                named = ", ".join(filter(None, (plain(element(segment, 3)), plain(element(segment, 4)))))
                self._subject = replace(self._subject, patient=named)
            case "DTP" if self._claim is not None and element(segment, 1) == "472" and self._line is None:
                self._claim.dates = days_of(element(segment, 2), element(segment, 3))[:2]
            case "STC" if here is not None:
                if len(here.statuses) < _MOST_STATUSES:
                    here.statuses.append(segment)
            case "QTY" | "AMT" if here is not None:
                here.sums.setdefault(element(segment, 1)[:3], element(segment, 2))
            case "SVC" if self._claim is not None:
                yield from self._begin_lines()
                yield from self._end_line()
                parts = split(element(segment, 1), self._component)
                self._line = _Item("line", procedure=plain(parts[1], 10) if len(parts) > 1 else "")
            case "REF" if element(segment, 1) == "FJ" and self._line is not None:
                self._line.id = plain(element(segment, 2))
            case "REF" if element(segment, 1) == "1K" and self._claim is not None:
                self._claim.payer_number = plain(element(segment, 2))
            case _:
                pass

    def _leave_levels(self, begun: About) -> None:
        """What was known of the levels that end where this one begins is known of nothing that follows."""
        subject = replace(self._subject, patient="")
        if begun in ("interchange", "batch", "provider"):
            subject = replace(subject, provider="")
        if begun in ("interchange", "batch"):
            subject = replace(subject, batch="")
        self._subject = subject

    def _end_level(self) -> Iterator[Statement]:
        yield from self._end_claim()
        level, self._level = self._level, None
        if level is not None and level.about == "batch":
            self._batch = Totals(level.id, level.sums)
        elif level is not None and level.about == "provider":
            self._provider = Totals(level.id, level.sums)
        if level is not None and (level.statuses or (level.sums and level.about != "claim")):
            yield self._tell_277(level)

    def _end_claim(self) -> Iterator[Statement]:
        yield from self._begin_lines()
        yield from self._end_line()
        self._claim = None

    def _begin_lines(self) -> Iterator[Statement]:
        """The claim itself, before its lines."""
        if self._claim is not None and not self._claim.told:
            self._claim.told = True
            said = self._tell_277(self._claim)
            for totals in filter(None, (self._batch, self._provider)):
                totals.add(said.outcome, self._claim.charge)
            yield said

    def _compare_totals(self, about: About) -> Iterator[Statement]:
        """Where totals differ from the list; `about` is the level that begins and so ends those before it."""
        if about in ("interchange", "batch", "provider") and self._provider is not None:
            yield from _tell_contradictions("provider", self._provider)
            if self._batch is not None:
                self._batch.add_unlisted(self._provider)
            self._provider = None
        if about in ("interchange", "batch") and self._batch is not None:
            yield from _tell_contradictions("batch", self._batch)
            self._batch = None

    def _end_line(self) -> Iterator[Statement]:
        line, self._line = self._line, None
        if line is not None:
            yield self._tell_277(line)

    def _tell_277(self, item: _Item) -> Statement:
        claim = self._claim.id if self._claim is not None else None
        statuses = narrator.say_statuses(item.statuses, self._component)
        verdicts = [status.outcome for status in statuses]
        codes = tuple(code for status in statuses for code in status.codes)
        accepted, rejected = _show_count(item.sums, "accepted"), _show_count(item.sums, "rejected")
        verdicts += ["accepted"] if accepted else []
        verdicts += ["rejected"] if rejected else []
        outcome = worst([each for each in verdicts if each != "received"] or verdicts)
        text = _LEVEL_NAMES.get(item.about, "")
        if item.about == "claim":
            text = f"Claim {item.id or '(not named)'}"
        elif item.about == "line":
            text = f"Line {item.id or '(not named)'} of claim {claim or '(not named)'}"
            text += f", {item.procedure}" if item.procedure else ""
        elif item.id:
            text += f" {item.id}"
        text += ": " + ("; ".join(status.text for status in statuses) or "without a status")
        if accepted or rejected:
            text += "; " + ", ".join(
                filter(None, (accepted and f"{accepted} accepted", rejected and f"{rejected} rejected"))
            )
        text += "."
        if item.payer_number and outcome != "rejected":
            text += f" The payer's number is {item.payer_number}."
        for quote in dict.fromkeys(plain(element(status, 12), _LONGEST_TEXT) for status in item.statuses):
            text += f' The answer says: "{quote}"' if quote else ""
        own = worst(status.outcome for status in statuses)  # without what is counted below it
        advice = advise_of_statuses(item.about, own, codes) if codes else ""
        if outcome == "unclear" and not advice:
            advice = "Ask who sent the answer what it means."
        subject = replace(
            self._subject,
            charge=item.charge,
            dates=item.dates,
            accepted=counted(item.sums, "accepted"),
            rejected=counted(item.sums, "rejected"),
            own=own,
        )
        return Statement(
            "277CA", item.about, item.id, outcome, text, advice, codes, claim=claim, subject=subject
        )


def _advise_of_error(id: str, code: str, found: Code, *, known: bool) -> str:
    """What to do about an error; `id` names a segment of an 837, `known` one that the guide has there."""
    said = words.OPENER_ADVICE.get(code, "") if id in words.OPENERS else ""
    said = said or (words.GUIDE_HAS_IT.get(code, "") if known else "")
    return said or (f"{found.advice}." if found.advice else "")


def advise_of_statuses(about: About, outcome: Outcome, codes: Sequence[str]) -> str:
    """What to do about the statuses of a level, claim or line."""
    if outcome not in ("rejected", "unclear"):
        return ""
    if any(code.startswith("STC03=") for code in codes):
        return words.TORN_ADVICE
    statuses = [(*code.split(":"), "")[1] for code in codes]
    again = next((words.NOT_AGAIN[status] for status in statuses if status in words.NOT_AGAIN), "")
    if again or outcome == "unclear":
        return again
    of_category = words.WHOLE_ADVICE.get(about) or words.ADVICE.get(codes[0].partition(":")[0], "")
    return words.STATUS_ADVICE.get(statuses[0], "") or of_category


def _tell_contradictions(about: About, totals: Totals) -> Iterator[Statement]:
    for found in totals.contradictions():
        name = " ".join(filter(None, (_LEVEL_NAMES[about], totals.id)))
        yield Statement("277CA", about, totals.id, "unclear", f"{name}: {found}.", words.TOTALS_ADVICE)


def _show_count(sums: Mapping[str, str], kind: Kind) -> str:
    """How many claims were accepted, or rejected, and their charges; "" for none."""
    count, charges = counted(sums, kind), charged(sums, kind)
    if not count:
        return ""
    of = f" of {show_dollars(charges)}" if charges is not None and charges >= 0 else ""
    return f"{count} {'claim' if count == 1 else 'claims'}{of}"
