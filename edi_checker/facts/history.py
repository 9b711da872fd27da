"""What earlier files billed, found by keys: asked for many claims at once, and what this file adds to it.

Keys are made of the full parts with a secret, so that who has only the store cannot try names against it:

    day     person, billing provider, day (or month): what a claim bills, as facts/earlier.py writes it
    year    person, year: charges of therapy, and the days of each claim, so that a replacement finds them
    worked  rendering provider, month: least minutes of each day, of all claims of a file

A claim stands for itself by its billing provider, its number (CLM01) and its person. What is kept of a claim
holds no name, id or birth date. It does hold CLM01, a number of the practice's, without which nobody could be
told which earlier claim is meant, and codes, units, charges and NPIs with their day: it is still PHI.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from edi_checker.claims.claim import (
    VOID,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.claims.payer_profiles import choose
from edi_checker.facts.context import DOUBTFUL, Bill, ServicesSeen, Setting, person_of
from edi_checker.facts.earlier import (
    day_key,
    of_file,
    read_claim,
    year_key,
)
from edi_checker.facts.glance import Glance, glance_at
from edi_checker.x12.finding import Place

_NOBODY = bytes(8)  # in place of a claim
_FIXED = 12  # bytes before the text of a day: digest of the claim and position of its CLM
_MOST = 100_000  # persons, years and provider-days of earlier files that are remembered at once
_USAGE = 15  # ISA: test claims and others never meet


class Keys(Protocol):
    """Makes keys; see state.Secret."""

    def key(self, kind: str, *parts: str) -> bytes: ...

    def keys(self, kind: str, words: Iterable[str]) -> list[bytes]: ...

    def claim(self, *parts: str) -> bytes: ...


class Kept(Protocol):
    """A line of an earlier file as the store gives it; see state.Found."""

    @property
    def claim(self) -> bytes: ...

    @property
    def packed(self) -> bytes: ...

    @property
    def doubtful(self) -> bool: ...


# Gives the lines under each key that has any, in the order in which they came.
LookUp = Callable[[Collection[bytes]], Mapping[bytes, Sequence[Kept]]]

_Day = tuple[int, str]  # as facts/earlier.py numbers it, and ISA15
_Year = tuple[int, int]  # person, as facts/earlier.py numbers them, and CCYY
_Month = tuple[str, int]  # NPI and CCYYMM


_Row = tuple[bytes, bytes, bytes, bool]  # key, claim, packed, void
_Minutes = tuple[str, _Month, int, int]  # ISA15, and of what month and day how many


class KeptLine(NamedTuple):
    """A line of an earlier file; `doubtful` if a claim of this input may have taken it back."""

    claim: bytes
    packed: bytes
    doubtful: bool


class Row(NamedTuple):
    """What a file leaves under a key; see state.Entry."""

    key: bytes
    place: int
    claim: bytes
    packed: bytes
    void: bool


class ClaimHistory:
    """The history as the claims of one input meet it. `received` is the day of this input (CCYYMMDD).

    keeps  whether what the claims leave is collected; `notes` whether what is asked is noted, as with `keeps`
    exact  whether the minutes of providers are noted too: where files of one practice are checked at the
           same time, each would be overtaken by the others
    asked  the keys that were looked up, as far as they are noted
    """

    def __init__(
        self,
        keys: Keys,
        look_up: LookUp,
        received: int,
        *,
        keeps: bool = False,
        notes: bool = False,
        exact: bool = True,
    ) -> None:
        self._exact = exact
        self._keys = keys
        self._look_up = look_up
        self._received = received
        self.keeps = keeps
        self.asked: set[bytes] | None = set() if keeps or notes else None
        # Of the claims that are judged next: their days, by key, of what words the keys were made, and for
        # which claims nothing was found.
        self._days: dict[bytes, Sequence[Kept]] = {}
        self._day_keys: dict[str, bytes] = {}
        self._quiet: frozenset[Claim] | set[Claim] = frozenset()
        # The last interchange and its ISA15; what is known of persons and providers is of that.
        self._interchange: Interchange | None = None
        self._usage = ""
        # Within one input the numbers of facts/earlier.py are enough to tell persons from each other.
        self._persons: dict[int, str] = {}
        self._years: dict[_Year, Sequence[Kept]] = {}
        self._worked: dict[_Month, dict[int, int]] = {}
        # By day the claims that were taken out; None stands for all.
        self._gone: dict[_Day, set[bytes | None]] = {}
        self._pending: dict[int, Bill] = {}
        self._left: list[tuple[list[_Row], list[_Minutes]]] = []
        self._begun: dict[type, int] = {}
        self._turned = 0  # where in `_left` begins what the claims of this input leave

    def turn(self) -> Iterator[Row]:
        """The next input of the same file begins: what those of the last one leave is earlier for it."""
        last, self._turned = self._left[self._turned :], len(self._left)
        self.forget_days()
        self._years, self._worked, self._gone = {}, {}, {}
        return self._rows_of(last)

    # -- looking up

    def fetch(self, glances: Iterable[tuple[Claim, Glance]], setting: Setting) -> None:
        """As of EarlierFiles."""
        self.forget_days()
        self._pending = {}
        for known in (self._persons, self._years, self._worked):
            if len(known) > _MOST:
                known.clear()
        wanted = _Wanted([], [], {}, {}, [])
        words, whose = wanted.words, wanted.whose
        usage = None
        # Done for each claim: what stands in this loop is what the history costs.
        for claim, (days, npis, changes, monthly, therapy) in glances:
            sent = claim.transaction.interchange
            if usage is None:
                usage = self._usage_of(claim)
            elif sent is not self._interchange and element(sent.segment, _USAGE) != usage:
                break  # the others are asked for when they are judged
            for npi in npis:
                for day in days:
                    if (month := (npi, day // 100)) not in self._worked:
                        self._worked[month] = {}
                        wanted.months[self._month_key(usage, month)] = month
            level, billing = claim.patient or claim.subscriber, claim.billing
            if level is None or billing is None or not level.person:
                continue
            # Only therapy is counted by the year. What is open about a claim changes nothing about whose
            # profile it has.
            if changes or (therapy and "medicare" in choose(claim, setting.profile).names):
                self._want_years(wanted, claim, days, beside=changes)
            who = f"{self._persons.get(level.person) or self._person(claim)}{billing.known_by}."
            words += [f"{who}{day}" for day in (_with_months(days) if monthly else days)]
            whose += [claim] * (len(words) - len(whose))
        self._look_up_wanted(wanted)

    def _want_years(self, wanted: _Wanted, claim: Claim, days: Iterable[int], *, beside: bool) -> None:
        years = {day // 10_000 for day in days}
        for year in _with_beside(years) if beside else years:
            charged = person_of(claim), year
            if charged not in self._years:
                self._years[charged] = ()
                wanted.years[self._year_key(claim, year)] = charged
            # A claim that takes out others does so whatever is found.
            wanted.charged.append((claim, None if beside else charged))

    def _look_up_wanted(self, wanted: _Wanted) -> None:
        """Look all up at once, and note for which claims there is nothing."""
        keys = self._keys.keys("day", wanted.words)
        self._day_keys = dict(zip(wanted.words, keys, strict=True))
        self._days = dict.fromkeys(keys, ())
        found = self._ask([*self._days, *wanted.years, *wanted.months])
        if self.asked is not None and not self._exact:
            self.asked.difference_update(wanted.months)
        for key in found:
            if key in self._days:
                self._days[key] = found[key]
            elif key in wanted.years:
                self._years[wanted.years[key]] = found[key]
            else:
                self._worked[wanted.months[key]] = _sum_days(found[key])
        noisy = {claim for claim, year in wanted.charged if year is None or self._years[year]}
        if found:
            noisy.update([claim for claim, key in zip(wanted.whose, keys, strict=True) if key in found])
        self._quiet = set(wanted.whose) - noisy

    def forget_days(self) -> None:
        """Begin with other claims, whose days have not been looked up."""
        self._days, self._day_keys, self._quiet = {}, {}, frozenset()

    def knows(self, claim: Claim) -> bool:
        """As of EarlierFiles."""
        return claim not in self._quiet

    def _ask(self, keys: Collection[bytes]) -> Mapping[bytes, Sequence[Kept]]:
        if not keys:
            return {}
        if self.asked is not None:
            self.asked.update(keys)
        return self._look_up(keys)

    def _usage_of(self, claim: Claim) -> str:
        """ISA15 of a claim, of which everything known then is."""
        sent = claim.transaction.interchange
        if sent is not self._interchange:
            self._interchange, usage = sent, element(sent.segment, _USAGE)
            if usage != self._usage:
                self._usage = usage
                for known in (self._persons, self._years, self._worked):
                    known.clear()
        return self._usage

    def _person(self, claim: Claim) -> str:
        """Digits that stand for the person of a claim."""
        self._usage_of(claim)
        level = claim.patient or claim.subscriber
        assert level is not None
        found = self._persons.get(level.person)
        if found is None:
            found = self._persons[level.person] = self._keys.key("person", self._usage, *level.who).hex()
        return found

    def _day_key(self, claim: Claim, on: int) -> bytes:
        assert claim.billing is not None
        word = f"{self._person(claim)}{claim.billing.known_by}.{on}"
        key = self._day_keys.get(word)
        if key is None:
            [key] = self._keys.keys("day", [word])
            self._day_keys[word] = key
        return key

    def _year_key(self, claim: Claim, year: int) -> bytes:
        return self._keys.key("year", self._person(claim), str(year))

    def _month_key(self, usage: str, month: _Month) -> bytes:
        npi, number = month
        return self._keys.key("worked", usage, npi, str(number))

    def _self(self, claim: Claim) -> bytes:
        """What stands for a claim."""
        known_by = "" if claim.billing is None else claim.billing.known_by
        return self._keys.claim(known_by, claim.id, self._person(claim))

    def _of_day(self, number: int, claim: Claim, on: int) -> Sequence[Kept]:
        key = self._day_key(claim, on)
        found = self._days.get(key)
        if found is None:
            found = self._days[key] = self._ask([key]).get(key, ())
        gone = self._gone.get((number, self._usage_of(claim))) if found else None
        if not gone:
            return found
        left = [each for each in found if each.claim not in gone]
        return [KeptLine(each.claim, each.packed, doubtful=True) for each in left] if None in gone else left

    def _of_year(self, claim: Claim, year: int) -> Sequence[Kept]:
        self._usage_of(claim)
        charged = person_of(claim), year
        found = self._years.get(charged)
        if found is None:
            key = self._year_key(claim, year)
            found = self._years[charged] = self._ask([key]).get(key, ())
        return found

    # -- as of EarlierFiles

    def services(self, key: int, claim: Claim, on: int) -> list[bytes]:
        """As of EarlierFiles; as much of a day as is remembered of one input."""
        texts: list[bytes] = []
        room = ServicesSeen.A_DAY
        for each in self._of_day(key, claim, on):
            room -= len(each.packed)
            if room < 0:
                break
            text = each.packed[_FIXED:]
            texts.append(DOUBTFUL + text if each.doubtful else text)
        return texts

    def charges(self, claim: Claim, year: int, *, occupational: bool) -> int:
        return sum(_read_year(each.packed)[0][occupational] for each in self._of_year(claim, year))

    def minutes(self, npi: str, on: int, claim: Claim) -> int:
        usage, month = self._usage_of(claim), (npi, on // 100)
        found = self._worked.get(month)
        if found is None:
            key = self._month_key(usage, month)
            found = self._worked[month] = _sum_days(self._look_up([key]).get(key, ()))
            if self.asked is not None and self._exact:
                self.asked.add(key)
        return found.get(on, 0)

    def meet(self, digest: int, claim: Claim, on: int) -> Place | None:
        key = day_key(claim, on)
        if not key:
            return None
        said = digest.to_bytes(8)
        for each in self._of_day(key, claim, on):
            if each.packed[:8] == said and not each.doubtful:
                interchange, group, transaction, number, received = read_claim(each.packed[_FIXED:])
                position = int.from_bytes(each.packed[8:_FIXED])
                place = Place(interchange, group, transaction, number, None, "2300", "CLM", position, "CLM01")
                return place._replace(received=received)
        return None

    def days_replaced(self, claim: Claim) -> list[int]:
        own = self._self(claim)
        around = _with_beside({day // 10_000 for day in glance_at(claim).days})
        return sorted(
            {
                day
                for year in sorted(around)
                for each in self._of_year(claim, year)
                if each.claim == own
                for day in _read_year(each.packed)[1]
            }
        )

    def take_out(self, key: int, claim: Claim, *, everything: bool) -> None:
        gone = self._gone.setdefault((key, self._usage_of(claim)), set())
        gone.add(None if everything else self._self(claim))

    def is_changed(self, key: int, claim: Claim) -> bool:
        return bool(self._gone) and (key, self._usage_of(claim)) in self._gone

    # -- what this file leaves

    def remember(self, claim: Claim, bill: Bill) -> None:
        self._pending[id(claim)] = bill

    def take(self, part: Part, *, accepted: bool) -> None:
        if not self.keeps:
            return
        match part:
            case Claim():
                bill = self._pending.pop(id(part), None)
                if accepted and bill is not None:
                    usage = self._usage_of(part)
                    worked = [(usage, (npi, on // 100), on, minutes) for npi, on, minutes in bill.worked]
                    self._left.append((list(self._rows(part, bill)), worked))
            case Interchange() | Group() | Transaction():
                self._begun[type(part)] = len(self._left)
            case TransactionEnd() | GroupEnd() | InterchangeEnd() if not accepted:
                del self._left[self._begun.get(_BEGINS[type(part)], 0) :]

    def rows(self) -> Iterator[Row]:
        """What the accepted claims so far leave, without those that later ones take back."""
        return self._rows_of(self._left)

    def _rows_of(self, left: Sequence[tuple[list[_Row], list[_Minutes]]]) -> Iterator[Row]:
        place = 0
        worked: dict[tuple[str, _Month], dict[int, int]] = {}
        changed = {
            claim: number
            for number, (rows, _) in enumerate(left)
            for _, claim, _, void in rows
            if void and claim != _NOBODY
        }
        for number, (rows, added) in enumerate(left):
            for key, claim, packed, void in rows:
                place += 1
                if void or changed.get(claim, -1) <= number:
                    yield Row(key, place, claim, packed, void)
            for usage, month, on, minutes in added:
                days = worked.setdefault((usage, month), {})
                days[on] = days.get(on, 0) + minutes
        for (usage, month), days in worked.items():
            said = " ".join(f"{on} {minutes}" for on, minutes in days.items())
            yield Row(self._month_key(usage, month), 0, _NOBODY, said.encode(), void=False)

    def _rows(self, claim: Claim, bill: Bill) -> Iterator[_Row]:
        own = self._self(claim)
        for on, everything in bill.replaced:
            yield self._day_key(claim, on), _NOBODY if everything else own, b"", True
        if claim.frequency == VOID:
            for year in {on // 10_000 for on, _ in bill.replaced}:
                yield self._year_key(claim, year), own, b"", True
        head = bill.digest.to_bytes(8) + claim.position.to_bytes(4)
        years: dict[int, list[int]] = {}
        for number, on, text in bill.services:
            if number == day_key(claim, on):
                years.setdefault(on // 10_000, []).append(on)
            else:
                on = on // 100 * 100  # noqa: PLW2901  # what is counted by the month stands under it
            yield self._day_key(claim, on), own, head + of_file(text, self._received), False
        person = person_of(claim)
        for year, days in years.items():
            charges = [
                bill.charges.get(year_key(person, year, occupational=occupational), 0)
                for occupational in (False, True)
            ]
            yield self._year_key(claim, year), own, _write_year(charges, days), False


_BEGINS: dict[type, type] = {
    TransactionEnd: Transaction,
    GroupEnd: Group,
    InterchangeEnd: Interchange,
}


def _sum_days(kept: Iterable[Kept]) -> dict[int, int]:
    """The minutes of each day of a month."""
    days: dict[int, int] = {}
    for each in kept:
        said = iter(map(int, each.packed.split()))
        for on, minutes in zip(said, said, strict=True):
            days[on] = days.get(on, 0) + minutes
    return days


def _write_year(charges: Sequence[int], days: Sequence[int]) -> bytes:
    return " ".join(map(str, (*charges, *days))).encode()


def _read_year(packed: bytes) -> tuple[tuple[int, int], list[int]]:
    """Charges of physical and speech-language therapy, of occupational, and the days of the claim."""
    general, occupational, *days = map(int, packed.split())
    return (general, occupational), days


class _Wanted(NamedTuple):
    """What is to be looked up for some claims.

    words    of which the keys of days are made; `whose` they are, as many
    years    by keys, what these stand for; `months` likewise
    charged  claims with each year that matters to them, None where the claim matters anyway
    """

    words: list[str]
    whose: list[Claim]
    years: dict[bytes, _Year]
    months: dict[bytes, _Month]
    charged: list[tuple[Claim, _Year | None]]


def _with_months(days: Iterable[int]) -> set[int]:
    """The days, and their months as facts/earlier.py writes them."""
    return {each for day in days for each in (day, day // 100 * 100)}


def _with_beside(years: Iterable[int]) -> set[int]:
    return {year + by for year in years for by in (-1, 0, 1)}
