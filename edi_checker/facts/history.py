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

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from edi_checker.claims.claim import (
    VOID,
    BillingProvider,
    Claim,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Patient,
    Subscriber,
    Transaction,
    TransactionEnd,
    element,
)
from edi_checker.claims.payer_profiles import choose
from edi_checker.facts.context import Bill, ServicesSeen, Setting
from edi_checker.facts.earlier import (
    REPLACING,
    day_key,
    numbers_of_days,
    of_file,
    person_of,
    read_claim,
    year_key,
)
from edi_checker.reference.codesets import DISCIPLINES
from edi_checker.reference.tables import COUNTED_BY_MONTH
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.finding import Place

_NOBODY = bytes(8)  # in place of a claim
_FIXED = 12  # bytes before the text of a day: digest of the claim and position of its CLM
_MOST = 100_000  # persons, years and provider-days of earlier files that are remembered at once
_USAGE = 15  # ISA: test claims and others never meet


class Keys(Protocol):
    """Makes keys; see state.Secret."""

    def key(self, kind: str, *parts: str) -> bytes: ...

    def keys(self, kind: str, many: Iterable[Sequence[str]]) -> list[bytes]: ...

    def claim(self, *parts: str) -> bytes: ...


class Kept(Protocol):
    """A line of an earlier file as the store gives it; see state.Found."""

    @property
    def claim(self) -> bytes: ...

    @property
    def packed(self) -> bytes: ...


# Gives the lines under each key that has any, in the order in which they came.
LookUp = Callable[[Collection[bytes]], Mapping[bytes, Sequence[Kept]]]
# Gives at least the keys under which any file left something, and costs far less than to look up.
Sift = Callable[[Collection[bytes]], Collection[bytes]]


def _may_all_be(keys: Collection[bytes]) -> Collection[bytes]:
    return keys


_Day = tuple[int, str]  # as facts/earlier.py numbers it, and ISA15
_Year = tuple[int, str, int]  # person, as facts/earlier.py numbers them, ISA15, and CCYY
_Month = tuple[str, str, int]  # ISA15, NPI, CCYYMM


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
    sift   leaves out what need not be looked up
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
        sift: Sift = _may_all_be,
    ) -> None:
        self._exact = exact
        self._keys = keys
        self._look_up = look_up
        self._sift = sift
        self._received = received
        self.keeps = keeps
        self.asked: set[bytes] | None = set() if keeps or notes else None
        # Within one input the numbers of facts/earlier.py are enough to tell days from each other.
        self._days: dict[_Day, Sequence[Kept]] = {}
        self._day_keys: dict[_Day, bytes] = {}
        # Numbers of days under which there is nothing, which is what is asked most; not where ISA15 differs
        # among the claims that are judged next.
        self._nothing: set[int] = set()
        # By the claims that are judged next, the years in which no file left anything of their persons.
        self._fresh: dict[Claim, list[int]] = {}
        self._fresh_years: dict[_Year, bool] = {}
        self._persons: dict[tuple[int, str], str] = {}
        # Of the claims that are judged next.
        self._year_keys: dict[_Year, bytes] = {}
        # The last interchange, its ISA15, and how its claims are looked through: most claims have the same.
        self._interchange: Interchange | None = None
        self._usage = ""
        self._looks: _Looks | None = None
        self._years: dict[_Year, Sequence[Kept]] = {}
        self._worked: dict[_Month, dict[int, int]] = {}
        # By day the claims that were taken out; None stands for all.
        self._gone: dict[_Day, set[bytes | None]] = {}
        self._pending: dict[int, Bill] = {}
        self._left: list[tuple[list[tuple[bytes, bytes, bytes, bool]], list[tuple[_Month, int, int]]]] = []
        self._begun: dict[type, int] = {}

    # -- looking up

    def fetch(self, claims: Sequence[Claim], setting: Setting) -> None:
        """As of EarlierFiles."""
        self.forget_days()
        self._pending = {}
        for known in (self._persons, self._years, self._worked, self._fresh_years):
            if len(known) > _MOST:
                known.clear()
        seen = [self._see(claim) for claim in claims if not claim.faults]
        self._make_keys(seen)
        wanted = _Wanted({}, {}, {})
        for each in seen:
            self._want_months(wanted, each)
        if self.asked is None:
            seen = self._leave_out_fresh(seen)
        for each in seen:
            self._want(wanted, each, setting)
        # Made at once: there are several a claim.
        words = [(word,) for word in wanted.days.values()]
        self._day_keys = dict(zip(wanted.days, self._keys.keys("day", words), strict=True))
        found = self._ask([*self._day_keys.values(), *wanted.years, *wanted.worked])
        self._days = dict.fromkeys(self._day_keys, ())
        self._forget(wanted.worked)
        for day, key in self._day_keys.items() if found else ():
            if key in found:
                self._days[day] = found[key]
        if len({usage for _, usage in self._days}) == 1:
            self._nothing = {number for (number, _), kept in self._days.items() if not kept}
        for key, year in wanted.years.items():
            if key in found:
                self._years[year] = found[key]
        for key, month in wanted.worked.items():
            if key in found:
                self._worked[month] = _sum_days(found[key])

    def forget_days(self) -> None:
        """Begin with other claims, whose days have not been looked up."""
        self._days, self._day_keys, self._nothing, self._year_keys = {}, {}, set(), {}
        self._fresh = {}

    def _see(self, claim: Claim) -> _Seen:
        usage = self._usage_of(claim)
        assert self._looks is not None
        person = person_of(claim) if claim.billing is not None else 0
        return claim, usage, person, self._looks.days_in(claim.block.text)

    def _make_keys(self, seen: Iterable[_Seen]) -> None:
        """Make the keys of their persons, and of the years of these, that are not known: many at once."""
        persons: dict[tuple[int, str], tuple[str, ...]] = {}
        years: dict[_Year, tuple[int, str]] = {}
        for claim, usage, person, on in seen:
            if person:
                key = person, usage
                if key not in self._persons and key not in persons:
                    persons[key] = usage, *_level_of(claim).who
                for year in {day // 10_000 for day in on}:
                    years[person, usage, year] = key
        made = self._keys.keys("person", persons.values())
        self._persons.update(zip(persons, [key.hex() for key in made], strict=True))
        words = [(self._persons[key], str(year)) for (_, _, year), key in years.items()]
        self._year_keys = dict(zip(years, self._keys.keys("year", words), strict=True))

    def _leave_out_fresh(self, seen: Sequence[_Seen]) -> list[_Seen]:
        """Those of the claims of whose person an earlier file may have left something in a year of theirs.

        What a file leaves of a person's day it leaves of the year too, and both are in one run of the store.
        """
        fresh = self._fresh_years
        new: dict[bytes, _Year] = {}
        of_years: list[tuple[_Seen, set[int]]] = []
        for each in seen:
            claim, usage, person, on = each
            years = {day // 10_000 for day in on}
            of_years.append((each, years))
            for number in years:
                year = person, usage, number
                if year not in fresh:
                    # Nobody leaves nothing.
                    fresh[year] = True
                    if person:
                        new[self._year_key(claim, number)] = year
        for key in self._sift(new) if new else ():
            fresh[new[key]] = False
        left = []
        for each, years in of_years:
            claim, usage, person, _ = each
            here = [year for year in years if fresh[person, usage, year]]
            if here:
                self._fresh[claim] = here
            if len(here) < len(years):
                left.append(each)
        return left

    def _is_fresh(self, claim: Claim, year: int) -> bool:
        return year in self._fresh.get(claim, ())

    def _want(self, wanted: _Wanted, seen: _Seen, setting: Setting) -> None:
        """Add what may be asked for a claim."""
        claim, usage, person, on = seen
        text, billing = claim.block.text, claim.billing
        if not person or billing is None:
            return
        looks = _looks_of(claim.block.delimiters)
        replaces = looks.replaces(text) is not None
        # Only therapy is counted by the year. What is open about a claim changes nothing about whose profile
        # it has.
        if replaces or (looks.therapy(text) and "medicare" in choose(claim, setting.profile).names):
            years = {day // 10_000 for day in on}
            if replaces:
                years |= {year + beside for year in years for beside in (-1, 1)}
            for year in years:
                charged = person, usage, year
                if charged not in self._years:
                    self._years[charged] = ()
                    wanted.years[self._year_key(claim, year)] = charged
        if looks.by_month(text):
            on.update([day // 100 * 100 for day in on])
        provider = billing.known_by
        who = f"{self._person(claim, usage)}{provider}."
        for day, number in numbers_of_days(person, provider, on):
            wanted.days[number, usage] = f"{who}{day}"

    def _ask(self, keys: Collection[bytes]) -> Mapping[bytes, Sequence[Kept]]:
        if not keys:
            return {}
        if self.asked is not None:
            self.asked.update(keys)
        return self._look_up(keys)

    def _forget(self, worked: Iterable[bytes]) -> None:
        if self.asked is not None and not self._exact:
            self.asked.difference_update(worked)

    def _want_months(self, wanted: _Wanted, seen: _Seen) -> None:
        """Add the months of the providers of a claim that are not known."""
        claim, usage, _, on = seen
        npis = _looks_of(claim.block.delimiters).renders(claim.block.text) or _alone(claim.billing)
        if npis:
            for number in {day // 100 for day in on}:
                for npi in npis:
                    month = usage, npi, number
                    if month not in self._worked:
                        self._worked[month] = {}
                        wanted.worked[self._month_key(month)] = month

    def _day_key(self, number: int, claim: Claim, on: int) -> bytes:
        usage = self._usage_of(claim)
        day = number, usage
        key = self._day_keys.get(day)
        if key is None:
            billing = claim.billing
            assert billing is not None
            word = f"{self._person(claim, usage)}{billing.known_by}.{on}"
            key = self._keys.key("day", word)
            self._day_keys[day] = key
        return key

    def _usage_of(self, claim: Claim) -> str:
        """ISA15 of a claim; `_looks` is then for its text."""
        sent = claim.transaction.interchange
        if sent is not self._interchange:
            self._interchange, self._usage = sent, element(sent.segment, _USAGE)
            self._looks = _looks_of(sent.delimiters)
        return self._usage

    def _person(self, claim: Claim, usage: str) -> str:
        """Digits that stand for the person of a claim."""
        level = _level_of(claim)
        found = self._persons.get((level.person, usage))
        if found is None:
            found = self._keys.key("person", usage, *level.who).hex()
            self._persons[level.person, usage] = found
        return found

    def _year_key(self, claim: Claim, year: int) -> bytes:
        usage = self._usage_of(claim)
        found = self._year_keys.get((person_of(claim), usage, year))
        return found or self._keys.key("year", self._person(claim, usage), str(year))

    def _month_key(self, month: _Month) -> bytes:
        usage, npi, number = month
        return self._keys.key("worked", usage, npi, str(number))

    def _self(self, claim: Claim) -> bytes:
        """What stands for a claim."""
        return self._keys.claim(
            "" if claim.billing is None else claim.billing.known_by,
            claim.id,
            self._person(claim, self._usage_of(claim)),
        )

    def _of_day(self, number: int, claim: Claim, on: int) -> Sequence[Kept]:
        day = number, self._usage_of(claim)
        found = self._days.get(day)
        if found is None:
            key = self._day_key(number, claim, on)
            found = self._days[day] = self._ask([key]).get(key, ())
        gone = self._gone.get(day) if found else None
        if not gone:
            return found
        return [] if None in gone else [each for each in found if each.claim not in gone]

    def _of_year(self, claim: Claim, year: int) -> Sequence[Kept]:
        if self._is_fresh(claim, year):
            return ()
        charged = person_of(claim), self._usage_of(claim), year
        found = self._years.get(charged)
        if found is None:
            key = self._year_key(claim, year)
            found = self._years[charged] = self._ask([key]).get(key, ())
        return found

    # -- as of EarlierFiles

    def services(self, key: int, claim: Claim, on: int) -> list[bytes]:
        """As of EarlierFiles; as much of a day as is remembered of one input."""
        texts: list[bytes] = []
        if key in self._nothing or self._is_fresh(claim, on // 10_000):
            return texts
        room = ServicesSeen.A_DAY
        for each in self._of_day(key, claim, on):
            room -= len(each.packed)
            if room < 0:
                break
            texts.append(each.packed[_FIXED:])
        return texts

    def charges(self, claim: Claim, year: int, *, occupational: bool) -> int:
        return sum(_read_year(each.packed)[0][occupational] for each in self._of_year(claim, year))

    def minutes(self, npi: str, on: int, claim: Claim) -> int:
        month = self._usage_of(claim), npi, on // 100
        found = self._worked.get(month)
        if found is None:
            key = self._month_key(month)
            found = self._worked[month] = _sum_days(self._ask([key]).get(key, ()))
            self._forget([key])
        return found.get(on, 0)

    def meet(self, digest: int, claim: Claim, on: int) -> Place | None:
        if self._is_fresh(claim, on // 10_000):
            return None
        key = day_key(claim, on)
        if not key or key in self._nothing:
            return None
        said = digest.to_bytes(8)
        for each in self._of_day(key, claim, on):
            if each.packed[:8] == said:
                interchange, group, transaction, number, received = read_claim(each.packed[_FIXED:])
                position = int.from_bytes(each.packed[8:_FIXED])
                place = Place(interchange, group, transaction, number, None, "2300", "CLM", position, "CLM01")
                return place._replace(received=received)
        return None

    def days_replaced(self, claim: Claim) -> list[int]:
        own = self._self(claim)
        around = {day // 10_000 + beside for day in _days_of(claim) for beside in (-1, 0, 1)}
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
                    worked = [((usage, npi, on // 100), on, minutes) for npi, on, minutes in bill.worked]
                    self._left.append((list(self._rows(part, bill)), worked))
            case Interchange() | Group() | Transaction():
                self._begun[type(part)] = len(self._left)
            case TransactionEnd() | GroupEnd() | InterchangeEnd() if not accepted:
                del self._left[self._begun.get(_BEGINS[type(part)], 0) :]

    def rows(self) -> Iterator[Row]:
        """What the accepted claims so far leave."""
        place = 0
        worked: dict[_Month, dict[int, int]] = {}
        for rows, added in self._left:
            for key, claim, packed, void in rows:
                place += 1
                yield Row(key, place, claim, packed, void)
            for month, on, minutes in added:
                days = worked.setdefault(month, {})
                days[on] = days.get(on, 0) + minutes
        for month, days in worked.items():
            said = " ".join(f"{on} {minutes}" for on, minutes in days.items())
            yield Row(self._month_key(month), 0, _NOBODY, said.encode(), void=False)

    def _rows(self, claim: Claim, bill: Bill) -> Iterator[tuple[bytes, bytes, bytes, bool]]:
        own = self._self(claim)
        for on, everything in bill.replaced:
            yield self._key_of_day(claim, on), _NOBODY if everything else own, b"", True
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
            yield self._day_key(number, claim, on), own, head + of_file(text, self._received), False
        person = person_of(claim)
        for year, days in years.items():
            charges = [
                bill.charges.get(year_key(person, year, occupational=occupational), 0)
                for occupational in (False, True)
            ]
            yield self._year_key(claim, year), own, _write_year(charges, days), False

    def _key_of_day(self, claim: Claim, on: int) -> bytes:
        return self._day_key(day_key(claim, on), claim, on)


_BEGINS: dict[type, type] = {
    TransactionEnd: Transaction,
    GroupEnd: Group,
    InterchangeEnd: Interchange,
}


def _days_of(claim: Claim) -> set[int]:
    return _looks_of(claim.block.delimiters).days_in(claim.block.text)


def _level_of(claim: Claim) -> Patient | Subscriber:
    level = claim.patient or claim.subscriber
    assert level is not None
    return level


def _alone(billing: BillingProvider | None) -> Sequence[str]:
    """Who gave the services where nobody is named: the billing provider, where that is a person."""
    if billing is None or billing.provider.entity_type == "2":
        return ()
    return (billing.provider.npi,)


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


# A claim that is judged next, its ISA15, its person as facts/earlier.py numbers them (0 for nobody), and the
# first days of its lines; no NamedTuple, because a great many are made.
_Seen = tuple[Claim, str, int, set[int]]


class _Wanted(NamedTuple):
    """What is to be looked up: days with what their keys are made of; keys of years and of months with what
    they stand for.
    """

    days: dict[_Day, str]
    years: dict[bytes, _Year]
    worked: dict[bytes, _Month]


class _Looks(NamedTuple):
    """What the text of a claim tells without being read: what may be asked for it, not what it says.

    day       what stands before form and text of a day of service; `renders` NPIs of who gave the services
    replaces  whether it replaces or takes back another; `by_month` whether it has care counted by the month;
              `therapy` whether a line may have a modifier of a discipline
    """

    day: str
    renders: Callable[[str], list[str]]
    replaces: Callable[[str], re.Match[str] | None]
    by_month: Callable[[str], re.Match[str] | None]
    therapy: Callable[[str], re.Match[str] | None]

    def days_in(self, text: str) -> set[int]:
        """The first days of the lines of a claim without faults."""
        found = {each[_AT if each[:1] == "D" else _AT + 1 :][:8] for each in text.split(self.day)[1:]}
        return {int(day) for day in found if day.isascii() and day.isdigit()}


_AT = 3  # where a day begins that stands behind D8
_LONGEST_NAME = 200  # characters of NM102 to NM107; the guide allows 140


@lru_cache(maxsize=16)
def _looks_of(delimiters: Delimiters) -> _Looks:
    e, c, t = (re.escape(each) for each in (delimiters.element, delimiters.component, delimiters.terminator))
    codes = "|".join(sorted(COUNTED_BY_MONTH))
    changing = "".join((*REPLACING, VOID))
    return _Looks(
        f"{delimiters.terminator}DTP{delimiters.element}472{delimiters.element}",
        re.compile(rf"NM1{e}82{e}[^{t}]{{0,{_LONGEST_NAME}}}?{e}XX{e}([0-9]{{10}})").findall,
        re.compile(rf"CLM(?:{e}[^{e}]*){{4}}{e}[^{e}{c}]*{c}[^{e}{c}]*{c}[{changing}]").match,
        re.compile(rf"HC{c}(?:{codes})").search,
        re.compile(rf"{c}(?:{'|'.join(DISCIPLINES)})").search,
    )
