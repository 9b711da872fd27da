"""What claims are checked with: the setting of a run, and the memory of one input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple, Protocol

from edi_checker.claims.claim import (
    VOID,
    Claim,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Transaction,
    TransactionEnd,
)
from edi_checker.claims.minutes import Minutes
from edi_checker.claims.payer_profiles import (
    MEDICAID,
    MEDICAID_WITHOUT_TABLES,
    MEDICARE,
    PERHAPS_MEDICARE,
    Choice,
    choose,
    of_encounter,
    of_void,
)
from edi_checker.claims.profile import Profile
from edi_checker.facts.coverage import Coverage
from edi_checker.facts.fact import Fact
from edi_checker.facts.glance import Glance
from edi_checker.facts.seen import Texts, make_digests
from edi_checker.reference.codesets.imported import list_versions
from edi_checker.reference.codesets.member_ids import judge_medicare_id
from edi_checker.reference.tables import Tables
from edi_checker.x12.finding import Place

# Claim, date of receipt and profile to facts.
FactMaker = Callable[[Claim, int, Profile], Iterable[Fact]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What every claim of a run is checked with.

    received    day of receipt, CCYYMMDD
    tables      NCCI and therapy tables
    minutes     minutes of treatment given beside the claims, None where none are
    profile     the payer's profile for all claims, or the choice by each claim's payer; None for SBR09 alone
    more_facts  where given, makes further facts of a claim whose lines can be trusted
    """

    received: int
    tables: Tables
    minutes: Minutes | None = None
    profile: Profile | Choice | None = None
    more_facts: FactMaker | None = None

    def versions(self) -> tuple[tuple[str, str, int], ...]:
        """Name, release and number of rows of every table and code list that decides."""
        return (*self.tables.versions(), *list_versions(self.tables))

    def profile_of(self, claim: Claim) -> Profile:
        """The profile of a claim: that of its payer, with what is open about the claim."""
        profile = choose(claim, self.profile)
        if profile is MEDICARE:
            subscriber = claim.subscriber
            if subscriber is not None and judge_medicare_id(subscriber.member_id):
                profile = PERHAPS_MEDICARE
        elif profile is MEDICAID and not self.held_to(profile).tables.of_program:
            profile = MEDICAID_WITHOUT_TABLES
        if claim.frequency == VOID:
            profile = of_void(profile)
        if claim.transaction.kind == _ENCOUNTERS:
            profile = of_encounter(profile)
        return profile

    def held_to(self, profile: Profile) -> Setting:
        """This setting with the tables of a profile: Medicaid may have some of its own."""
        tables = self.tables
        if "medicaid" in profile.names:
            tables = tables.of("medicaid")
        return self if tables is self.tables else replace(self, tables=tables)


_ENCOUNTERS = "RP"  # BHT06


# A person's services of a day by one billing provider: the key under which they are found, the day, and the
# text that facts/earlier.py writes and reads.
Services = tuple[int, int, bytes]


class HistoryUnreadable(Exception):
    """The history of earlier files cannot be read; the message says why, for the one who runs the check."""


class Bill(NamedTuple):
    """What an accepted claim leaves to later files.

    services  by person and day; `charges` of therapy by person and year, in cents
    digest    under which the same claim is known again, 0 where it is not compared
    worked    NPI, day and least minutes of who gave the services
    replaced  the days on which it replaces or takes back an earlier claim: that one, or (True) all of the day
    """

    services: tuple[Services, ...]
    charges: Mapping[int, int]
    digest: int
    worked: tuple[tuple[str, int, int], ...]
    replaced: tuple[tuple[int, bool], ...]


class EarlierFiles(Protocol):
    """What the claims of earlier files bill; see facts/history.py. All raise HistoryUnreadable."""

    # Whether the claims of this input are to be found by later ones.
    keeps: bool

    def fetch(self, glances: Iterable[tuple[Claim, Glance]], setting: Setting) -> None:
        """Look up at once what will be asked for these claims without faults, which are judged next."""

    def knows(self, claim: Claim) -> bool:
        """Whether earlier files may have anything that matters to a claim, but for minutes."""

    def services(self, key: int, claim: Claim, on: int) -> list[bytes]:
        """The texts of the person's day, as of ServicesSeen.find, each with the day of receipt behind it."""

    def charges(self, claim: Claim, year: int, *, occupational: bool) -> int:
        """The charges of therapy of the claim's person in a year, in cents."""

    def minutes(self, npi: str, on: int, claim: Claim) -> int:
        """The least minutes that a provider worked on a day; `claim` is any of the input."""

    def meet(self, digest: int, claim: Claim, on: int) -> Place | None:
        """The place of the first claim with this digest, `on` being its first day."""

    def days_replaced(self, claim: Claim) -> list[int]:
        """The days of the claim that this one replaces or takes back, known by its number (CLM01)."""

    def take_out(self, key: int, claim: Claim, *, everything: bool) -> None:
        """Show no more of a day, to claims of this input, what this claim replaces; or show all of it as
        doubtful, where it is not known what that is.
        """

    def is_changed(self, key: int, claim: Claim) -> bool:
        """Whether something was taken out of a day."""

    def remember(self, claim: Claim, bill: Bill) -> None:
        """What a claim leaves, unless it is rejected with what stands above it."""

    def take(self, part: Part, *, accepted: bool) -> None:
        """The outcome of the next part of the input."""


class InputMemory:
    """What the checks of one input remember of it, and the minutes given beside it.

    minutes        minutes of treatment by claim and line, None where none are given
    provider_days  what each rendering provider must have worked, added up over the claims
    claims_seen    the claims so far, so that one that comes again is known
    services_seen  what earlier claims billed, by person, provider and day
    years_seen     charges of therapy by person and year
    claim_numbers  the numbers of the claims of the current transaction set
    withdrawn      what of the input does not stand any more
    coverage       the days of service of which the tables do not speak; None where nobody asks
    billed         what the claim that is judged bills by person and day, to be remembered if it is accepted
    charged        its charges of therapy by person and year, with the threshold of each, likewise
    following      claims that come directly behind the one that is judged, whoever they are of
    history        what earlier files billed, None where it is not asked; `past` the same, None where it has
                   nothing that matters to the claim that is judged
    digest         of the claim that is judged, among claims that must not come twice; 0 where it is none
    replaced       days on which it replaces or takes back what an earlier file billed
    """

    __slots__ = (
        *(
            "_note_day",
            "_spans",
            "billed",
            "charged",
            "claim_numbers",
            "claims_seen",
            "coverage",
            "digest",
            "following",
        ),
        *("history", "minutes", "past", "provider_days", "replaced", "services_seen", "withdrawn"),
        "years_seen",
    )

    def __init__(
        self,
        minutes: Minutes | None = None,
        coverage: Coverage | None = None,
        *,
        provider_days: ProviderDays | None = None,
        claims_seen: ClaimsSeen | None = None,
        services_seen: ServicesSeen | None = None,
        years_seen: YearsSeen | None = None,
        claim_numbers: ClaimNumbers | None = None,
        withdrawn: Withdrawn | None = None,
        history: EarlierFiles | None = None,
    ) -> None:
        self.minutes = minutes
        self.coverage = coverage
        self.provider_days = provider_days or ProviderDays()
        self.claims_seen = claims_seen or ClaimsSeen()
        self.services_seen = services_seen or ServicesSeen()
        self.years_seen = years_seen or YearsSeen()
        self.billed: list[Services] = []
        self.charged: list[Charged] = []
        self.following: Iterable[Claim] = ()
        self.claim_numbers = claim_numbers or ClaimNumbers()
        self.withdrawn = withdrawn or Withdrawn()
        self.history = self.past = history
        self.digest = 0
        self.replaced: list[tuple[int, bool]] = []
        if history is not None:
            self.provider_days.ask(history, note=history.keeps)
        self._note_day: Callable[[Profile, int, int], None] | None = None
        self._spans: set[tuple[Profile, int | None, int | None]] = set()

    def report_days(self, note_day: Callable[[Profile, int, int], None]) -> None:
        """Have days reported as they come: profile, day of service (or of receipt), day of receipt."""
        self._note_day = note_day

    def begin(self, following: Iterable[Claim], claim: Claim | None = None) -> None:
        """The next part is judged, a claim or None, with these claims directly behind it."""
        self.following = following
        history = self.history
        self.past = history if history is None or claim is None or history.knows(claim) else None
        self.digest = 0
        self.replaced = []
        self.provider_days.forget_added()

    def find_services(self, key: int, claim: Claim, on: int) -> list[bytes]:
        """What earlier claims bill for the claim's person on a day, or in a month (CCYYMM00)."""
        seen = self.services_seen.find(key)
        if seen and self.withdrawn:
            seen = [self._doubt(text, claim, on) for text in seen]
        before = self.past.services(key, claim, on) if self.past is not None else None
        return before + seen if before else seen

    def _doubt(self, text: bytes, claim: Claim, on: int) -> bytes:
        """A text of this input, marked if its claim does not stand any more."""
        if text.startswith(DOUBTFUL):
            return text
        *numbers, number, _ = text.decode("utf-8", "replace").split(_BETWEEN, 4)
        return DOUBTFUL + text if self.withdrawn.has(numbers, number, claim, on) else text

    def find_charges(self, key: int, claim: Claim, year: int, *, occupational: bool) -> tuple[int, int]:
        """The charges of the person's year, of earlier files and of this input."""
        before = 0
        if self.past is not None:
            before = self.past.charges(claim, year, occupational=occupational)
        return before, self.years_seen.find(key)

    def meet(self, digest: int, claim: Claim, on: int) -> Place | None:
        """The place of the first claim with this digest. `on` is the first day of a line that stands on one
        day alone, 0 where none does.
        """
        self.digest = digest
        where = self.claims_seen.meet(digest, claim)
        if where is not None and self.withdrawn:
            numbers = where.interchange, where.group or "", where.transaction or ""
            if self.withdrawn.has(numbers, where.claim or "", claim):
                where = None
        if where is None and on and self.past is not None:
            return self.past.meet(digest, claim, on)
        return where

    def settle(self, claim: Claim, *, accepted: bool) -> None:
        """The claim that was judged has its findings: what it bills is remembered if none is an error."""
        if accepted and self.history is not None and self.history.keeps and (self.billed or self.replaced):
            self.history.remember(claim, self._bill())
        self.replaced = []
        if self.billed:
            if accepted and not self.services_seen.remember(self.billed) and self.coverage is not None:
                for _, on, _ in self.billed:
                    self.coverage.forget(on)
            self.billed = []
        if self.charged:
            if accepted:
                for key, charges, _ in self.charged:
                    self.years_seen.add(key, charges)
            self.charged = []

    def _bill(self) -> Bill:
        charges = {key: cents for key, cents, _ in self.charged}
        added, replaced = tuple(self.provider_days.added), tuple(self.replaced)
        return Bill(tuple(self.billed), charges, self.digest, added, replaced)

    def note_days(self, setting: Setting, profile: Profile, first: int | None, last: int | None) -> None:
        """Note a claim's days of service, None where they cannot be read."""
        if self.coverage is not None and first is not None:
            self.coverage.meet(first, last if last is not None else first, setting.tables)
        span = (profile, first, last)
        if span in self._spans:
            return
        if len(self._spans) < _MOST_SPANS:
            self._spans.add(span)
        if self._note_day is not None:
            received = setting.received
            self._note_day(profile, first or received, received)
            if last != first:
                self._note_day(profile, last or received, received)


_MOST_SPANS = 10_000


ProviderDay = int | tuple[str, int]


def provider_day(npi: str, on: int) -> ProviderDay:
    """What stands for a provider's day (CCYYMMDD): of ten digits one number, which takes the least room."""
    if len(npi) == 10 and npi.isascii() and npi.isdigit():
        return int(npi) * 100_000_000 + on
    return npi, on


_MOST_MINUTES = 10**15  # of a day that are held: there are 1,440


class ProviderDays:
    """Least minutes of one-on-one treatment by rendering provider and day, added up over claims."""

    LIMIT = (
        200_000  # provider-days held at once; what comes beyond is not added up, so that memory stays bounded
    )

    def __init__(self) -> None:
        self._minutes = make_digests()
        self._of_others: dict[tuple[str, int], int] = {}  # of what is no NPI
        self._history: EarlierFiles | None = None
        self._note = False
        # NPI, day and minutes of what the claim that is judged added, where that is noted.
        self.added: list[tuple[str, int, int]] = []

    def ask(self, history: EarlierFiles, *, note: bool) -> None:
        """Begin each day with the minutes of earlier files; `note` what is added."""
        self._history, self._note = history, note

    def forget_added(self) -> None:
        if self.added:
            self.added = []

    def add(self, npi: str, on: int, minutes: int, claim: Claim | None = None) -> int:
        """Add minutes to a provider's day (CCYYMMDD) and return the sum so far."""
        key = provider_day(npi, on)
        known = self._minutes.get(key) if isinstance(key, int) else self._of_others.get(key)
        so_far = known or 0
        if known is None and self._history is not None and claim is not None:
            so_far = self._history.minutes(npi, on, claim)
        total = so_far + minutes
        if known is not None or len(self._minutes) + len(self._of_others) < self.LIMIT:
            if isinstance(key, int):
                self._minutes.put(key, min(total, _MOST_MINUTES))
            else:
                self._of_others[key] = total
        if self._note:
            self.added.append((npi, on, minutes))
        return total


class ClaimNumbers:
    """The numbers (CLM01) of the claims of one transaction set at a time, with the position of the first."""

    LIMIT = 100_000  # numbers held at once, so that memory stays bounded

    def __init__(self) -> None:
        self._transaction: Transaction | None = None
        self._positions: dict[str, int] = {}

    def meet(self, claim: Claim) -> Place | None:
        """The place of an earlier claim of the set with this number, None where this claim is the first.

        A claim may be met twice: it is not earlier than itself.
        """
        if claim.transaction is not self._transaction:
            self._transaction = claim.transaction
            self._positions = {}
        number = claim.id
        first = self._positions.get(number)
        if first is None:
            if len(self._positions) < self.LIMIT:
                self._positions[number] = claim.position
            return None
        if first == claim.position or not number:
            return None
        return claim.place("CLM", "CLM01", position=first)


class ClaimsSeen:
    """What claims have been seen, so that one that comes again is known, with the place of the first.

    Holds an 8-byte digest and a short text for each, up to LIMIT: some 20 MB. Claims beyond it are still
    compared with those that are held, and are not held.
    """

    LIMIT = 250_000

    def __init__(self) -> None:
        self._begins = make_digests()  # where in `_texts` the text of a digest begins
        self._texts = Texts()

    def meet(self, digest: int, claim: Claim) -> Place | None:
        """The place of the first claim with this digest (never 0); None where this claim is the first."""
        begin = self._begins.get(digest)
        if begin is not None:
            return self._place(begin)
        if len(self._begins) < self.LIMIT:
            self._begins.put(digest, len(self._texts))
            self._texts.add(_written(claim))
        return None

    def _place(self, begin: int) -> Place:
        text = self._texts.read(begin, _END).decode()
        interchange, group, transaction, claim, position = text.split(_BETWEEN)
        return Place(
            interchange, group or None, transaction, claim, None, "2300", "CLM", int(position), "CLM01"
        )


Envelope = TransactionEnd | GroupEnd | InterchangeEnd


class Withdrawn:
    """What of an input does not stand any more, or is of another kind: claims that others replace or take
    back, claims in envelopes that were refused, and test claims for others and the other way round.

    True where there is any. Holds up to LIMIT of each.
    """

    LIMIT = 10_000

    def __init__(self) -> None:
        self._claims: dict[tuple[int, str], set[int]] = {}
        self._envelopes: set[tuple[str, ...]] = set()
        self._usages: dict[str, str] = {}
        self._any = False

    def __bool__(self) -> bool:
        return self._any

    def change(self, claim: Claim, days: Iterable[int]) -> None:
        """This claim replaces or takes back the earlier one with its number, which on these days is taken out
        already: what stands there now came with it, or later.
        """
        if len(self._claims) < self.LIMIT:
            self._claims.setdefault((person_of(claim), claim.id), set()).update(days)
            self._any = True

    def refuse(self, end: Envelope) -> None:
        """What ends here is rejected, with all that stands in it."""
        if len(self._envelopes) < self.LIMIT:
            self._envelopes.add(_numbers_in(end))
            self._any = True

    def begin(self, interchange: Interchange) -> None:
        """An interchange begins: its claims are test claims, or are not (ISA15)."""
        if len(self._usages) < self.LIMIT:
            self._usages[interchange.control_number] = interchange.value(_USAGE)
            self._any = self._any or len(set(self._usages.values())) > 1

    def has(self, numbers: Sequence[str], number: str, claim: Claim, on: int = 0) -> bool:
        """Whether the claim with this number, in envelopes with these, does not count for a later one; `on`
        the day of which that is asked, 0 where it is asked of the whole claim.
        """
        taken_out = self._claims.get((person_of(claim), number))
        if taken_out is not None and on not in taken_out:
            return True
        if any(tuple(numbers[:count]) in self._envelopes for count in (1, 2, 3)):
            return True
        own = claim.transaction.interchange.value(_USAGE)
        return self._usages.get(numbers[0], own) != own


_USAGE = 15  # ISA


def person_of(claim: Claim) -> int:
    """What stands for the patient of a claim, 0 where no id is given."""
    level = claim.patient or claim.subscriber
    return level.person if level is not None else 0


def _numbers_in(end: Envelope) -> tuple[str, ...]:
    """Control numbers of an envelope and those around it."""
    match end:
        case TransactionEnd():
            return end.transaction.numbers
        case GroupEnd():
            return end.group.interchange.control_number, end.group.control_number
        case InterchangeEnd():
            return (end.interchange.control_number,)


class ServicesSeen:
    """What earlier claims billed, by a number that stands for a person, a billing provider and a day.

    Holds up to LIMIT bytes of texts, and up to A_DAY bytes under one number, so that many claims of a person
    on one day do not take the square of their time. Claims beyond that are still held against what is
    remembered, and are not remembered themselves.
    """

    LIMIT = 24 << 20
    A_DAY = 8 << 10

    def __init__(self) -> None:
        self._last = make_digests()  # where in `_texts` the last text of a key begins
        self._texts = Texts()

    def find(self, key: int) -> list[bytes]:
        """What was remembered under a key and has not been taken out, the first claim first; with DOUBTFUL
        before it what may have been.
        """
        found: list[bytes] = []
        begin = self._last.get(key)
        while begin:
            text, before = self._read(begin)
            if text[:1] == _THERE:
                found.append(text[1:])
            elif text[:1] == _DOUBTED:
                found.append(DOUBTFUL + text[1:])
            begin = before
        return found[::-1]

    def take_out(self, key: int, is_meant: Callable[[bytes], bool]) -> None:
        """Forget those texts under a key that are meant: their claim has been replaced or taken back."""
        self._mark(key, is_meant, _GONE)

    def doubt(self, key: int) -> None:
        """One of the claims of a key has been replaced or taken back, and nobody knows which."""
        self._mark(key, lambda _: True, _DOUBTED)

    def _mark(self, key: int, is_meant: Callable[[bytes], bool], mark: bytes) -> None:
        begin = self._last.get(key)
        while begin:
            text, before = self._read(begin)
            if text[:1] != _GONE and is_meant(text[1:]):
                self._texts.change(begin + _FIXED, mark[0])
            begin = before

    def remember(self, services: Sequence[Services]) -> bool:
        """Remember a claim's services, all or none where there is no room; whether there was."""
        if sum(len(text) for *_, text in services) + len(self._texts) > self.LIMIT:
            return False
        for key, _, text in services:
            before = self._last.get(key)
            if len(text) + (self._held(before) if before else 0) > self.A_DAY:
                return False
        if not self._texts:
            self._texts.add(b"\0")  # no text begins at 0
        for key, _, text in services:
            before = self._last.put(key, len(self._texts)) or 0
            held = len(text) + (self._held(before) if before else 0)
            self._texts.add(before.to_bytes(_OFFSET) + held.to_bytes(_SIZE) + _THERE + text + _END)
        return True

    def _held(self, begin: int) -> int:
        """Bytes of the texts under a key whose last begins here."""
        return int.from_bytes(self._texts.read(begin, _END, _FIXED)[_OFFSET:_FIXED])

    def _read(self, begin: int) -> tuple[bytes, int]:
        text = self._texts.read(begin, _END, _FIXED)
        return text[_FIXED:], int.from_bytes(text[:_OFFSET])


_OFFSET, _SIZE = 5, 3  # bytes of a place in the texts, and of a number of them
_FIXED = _OFFSET + _SIZE
_THERE, _DOUBTED, _GONE = b"+", b"?", b"-"
DOUBTFUL = b"\x1c"  # stands in no text at its begin


# A person's year as facts/earlier.py numbers it, charges of therapy, and the threshold of the year less what
# earlier files charged, in cents.
Charged = tuple[int, int, int]


class YearsSeen:
    """Charges of therapy in cents by person, kind of therapy and year, added up over the claims."""

    LIMIT = 200_000  # sums held at once; what comes beyond is not added up, so that memory stays bounded

    def __init__(self) -> None:
        self._charges: dict[int, int] = {}

    def find(self, key: int) -> int:
        """The charges of a person's year so far."""
        return self._charges.get(key, 0)

    def add(self, key: int, charges: int) -> None:
        if key in self._charges or len(self._charges) < self.LIMIT:
            self._charges[key] = self._charges.get(key, 0) + charges


_BETWEEN, _END = "\x1f", b"\x1e"


def _written(claim: Claim) -> bytes:
    id = claim.id
    if _BETWEEN in id or "\x1e" in id:
        id = _clean(id)
    text = f"{_numbers_of(*claim.transaction.numbers)}{_BETWEEN}{id}{_BETWEEN}{claim.position}"
    return text.encode("utf-8", "replace") + _END


@lru_cache(maxsize=256)
def _numbers_of(interchange: str, group: str, transaction: str) -> str:
    return _BETWEEN.join(map(_clean, (interchange, group, transaction)))


def _clean(word: str) -> str:
    """A word without what separates words: a number with it is no control number."""
    return word.replace(_BETWEEN, "").replace("\x1e", "")
