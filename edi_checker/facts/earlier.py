"""A claim held against the other claims of its person: what they bill together on a day and in a year.

Each accepted claim leaves a short text for each of its days, under a key that stands for the person, the
billing provider and the day. A later claim finds it there, whether it was remembered of this input or comes
from a store.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from edi_checker.claims.claim import VOID, Claim
from edi_checker.claims.minutes import LineMinutes
from edi_checker.claims.profile import Profile
from edi_checker.facts.coding import (
    are_units_supported,
    edits_between,
    group_by_day,
    is_borrowed,
    released_by,
)
from edi_checker.facts.context import DOUBTFUL, HistoryUnreadable, InputMemory, Services, person_of
from edi_checker.facts.duplicates import is_first_issue
from edi_checker.facts.fact import Fact, Value
from edi_checker.facts.glance import REPLACING, days_of_line, is_change
from edi_checker.facts.lines import read_lines
from edi_checker.facts.whole_claim import Line, Service, WholeClaim
from edi_checker.reference.codesets import DISCIPLINES, releasing
from edi_checker.reference.tables import COUNTED_BY_MONTH, PtpEdit, kx_thresholds
from edi_checker.x12.dates import iso
from edi_checker.x12.finding import Place

_MASK = (1 << 64) - 1
_SPREAD = 0x9E3779B97F4A7C15  # odd: no two days, providers or years come to the same
_BETWEEN, _LINES, _FIELDS = "\x1f", "\x1d", "\x1c"
_SPANS = "+"
_MOST_UNDER_DAYS = 310  # lines over several days times these days: ten whole months


class EarlierService(NamedTuple):
    """What an earlier line says of its service."""

    code: str
    modifiers: tuple[str, ...]
    disciplines: tuple[str, ...]
    releasing: tuple[str, ...]


class EarlierLine(NamedTuple):
    """A service line of an earlier claim of the same person, billing provider and day.

    numbers   control numbers of interchange, group and transaction
    position  of its SV1
    units     thousandths, None where it does not count units; `charge` in cents, None where unreadable
    received  day on which its file was received, None where that is this input
    minutes   of treatment, None where they are not known
    spans     whether it stands on several days; `doubtful` whether its claim may have been replaced or taken
              back: either may speak for a claim, not against it
    """

    numbers: tuple[str, str, str]
    claim: str
    ordinal: int
    position: int
    service: EarlierService
    units: int | None
    charge: int | None
    npi: str
    taxonomy: str
    received: int | None = None
    minutes: int | None = None
    spans: bool = False
    doubtful: bool = False

    @property
    def sending(self) -> tuple[object, ...]:
        """Which sending of its claim it is of: a claim may come again under its number."""
        return self.received, self.numbers

    def place(self, name: str, at: str | None = None, *, qualifier: str = "") -> Place:
        interchange, group, transaction = self.numbers
        place = Place(
            interchange, group or None, transaction, self.claim, self.ordinal, "2400", name, self.position, at
        )
        return place._replace(received=self.received)

    @property
    def whose(self) -> str:
        """The claim that it is of, as a message calls it"""
        if self.received is None:
            return "an earlier claim of the patient"
        return f"a claim of the patient in the file of {iso(self.received)}"

    def may_be(self, whole: WholeClaim, services: Collection[tuple[object, ...]]) -> bool:
        """Whether it may be of the same claim, sent in an earlier file and now again: it has its number, or
        stands among the services of the day (`_same_service`) as it is.
        """
        if self.received is None:
            return False
        return self.claim == _clean(whole.id) or _same_service(self) in services


# -- what is remembered


def day_key(claim: Claim, on: int) -> int:
    """What stands for a claim's person, its billing provider and a day (CCYYMMDD), or a month (CCYYMM00); 0
    where the person is not known by an id.
    """
    person = person_of(claim)
    billing = claim.billing
    if not person or billing is None:
        return 0
    return (person ^ (on * _SPREAD + _spread_of(billing.known_by)) & _MASK) or 1


def numbers_of_days(person: int, npi: str, days: Iterable[int]) -> list[tuple[int, int]]:
    """Each of these days with that number, of a person and the NPI (or tax id) of a billing provider."""
    spread = _spread_of(npi)
    return [(on, (person ^ (on * _SPREAD + spread) & _MASK) or 1) for on in days]


@lru_cache(maxsize=1024)
def _spread_of(npi: str) -> int:
    provider = int(npi) if npi.isascii() and npi.isdigit() else hash_of(npi)
    return provider * (_SPREAD >> 7 | 1)


def hash_of(text: str) -> int:
    """A number for a text, the same in every process."""
    return int.from_bytes(text.encode("utf-8", "replace")[:32])


def write_services(whole: WholeClaim, lines: Sequence[Line]) -> bytes:
    """The text of what a claim bills on a day."""
    return write_claim(
        whole,
        [
            write_line(
                line.ordinal,
                line.position,
                line.service,
                line.units,
                line.charge,
                (line.npi, line.taxonomy),
                line.minutes,
                spans=line.days != 1,
            )
            for line in lines
        ],
    )


def write_line(
    ordinal: int,
    position: int,
    service: Service,
    units: int | None,
    charge: int | None,
    provider: tuple[str, str],
    minutes: LineMinutes | None = None,
    *,
    spans: bool = False,
) -> str:
    """A line, whose first segment stands at this position; `provider` are NPI and taxonomy of who gave it."""
    npi, taxonomy = provider
    counted = "" if units is None else units
    amount = "" if charge is None else charge
    # SV1 comes behind LX.
    said = f"{ordinal}{_FIELDS}{position + 1}{_FIELDS}{service.code}{_FIELDS}{'.'.join(service.modifiers)}"
    text = f"{said}{_FIELDS}{counted}{_FIELDS}{amount}{_FIELDS}{npi}{_FIELDS}{taxonomy}"
    given = "" if minutes is None else minutes.minutes
    if spans:
        return f"{text}{_FIELDS}{given}{_FIELDS}{_SPANS}"
    return text if minutes is None else f"{text}{_FIELDS}{given}"


def write_claim(whole: WholeClaim, lines: Sequence[str]) -> bytes:
    text = f"{_numbers_of(*whole.numbers)}{_clean(whole.id)}{_BETWEEN}{_LINES.join(lines)}"
    return text.encode("utf-8", "replace").replace(b"\x1e", b"")


@lru_cache(maxsize=256)
def _numbers_of(interchange: str, group: str | None, transaction: str) -> str:
    return "".join([f"{_clean(number)}{_BETWEEN}" for number in (interchange, group or "", transaction)])


def of_file(text: bytes, received: int) -> bytes:
    """Such a text with the day on which its file was received, for claims of later files."""
    return b"%b\x1f%d" % (text, received)


def read_claim(text: bytes) -> tuple[str, str | None, str, str, int | None]:
    """Of such a text the control numbers, the claim's own (CLM01) and the day of receipt."""
    interchange, group, transaction, claim, _, *received = text.decode("utf-8", "replace").split(_BETWEEN)
    return interchange, group or None, transaction, claim, int(received[0]) if received else None


def read_services(text: bytes) -> list[EarlierLine]:
    """The lines of such a text."""
    doubtful = text.startswith(DOUBTFUL)
    text = text.removeprefix(DOUBTFUL)
    interchange, group, transaction, claim, written, *behind = text.decode("utf-8", "replace").split(_BETWEEN)
    received = int(behind[0]) if behind else None
    found = []
    for each in written.split(_LINES):
        # Minutes stand there only where they are known, or the line stands on several days.
        ordinal, position, code, said, units, charge, npi, taxonomy, *more = each.split(_FIELDS)
        modifiers = tuple(said.split(".")) if said else ()
        disciplines = tuple(d for d in DISCIPLINES if d in modifiers)
        service = EarlierService(code, modifiers, disciplines, releasing(code, modifiers))
        found.append(
            EarlierLine(
                (interchange, group, transaction),
                claim,
                int(ordinal),
                int(position),
                service,
                int(units) if units else None,
                int(charge) if charge else None,
                npi,
                taxonomy,
                received,
                int(more[0]) if more and more[0] else None,
                spans=more[1:] == [_SPANS],
                doubtful=doubtful,
            )
        )
    return found


def _clean(word: str) -> str:
    if word.isprintable():
        return word
    for mark in (_BETWEEN, _LINES, _FIELDS):
        word = word.replace(mark, "")
    return word


# -- what a claim is held against


def hold_against_others(facts: list[Fact], whole: WholeClaim) -> None:
    """Add what other claims of the input change for a claim, and note what it bills.

    Not compared, and not remembered, is a claim with faults, one that came before as it stands, one whose
    transaction is sent again, and one of a person without an id. What others bill speaks for it all the same.
    """
    claim, memory = whole.claim, whole.memory
    if claim.faults:
        return
    coded = [line for line in whole.lines if line.days and line.service.code]
    by_day = group_by_day([line for line in coded if line.days == 1])
    spans = _by_each_day([line for line in coded if line.days != 1])
    keys = {on: day_key(claim, on) for on in (*by_day, *spans)}
    if not all(keys.values()):
        return
    if whole.earlier is not None or not is_first_issue(claim.transaction):
        _complete(facts, whole, keys, again=True)
        return
    if is_change(claim.frequency):
        _take_out_replaced(memory, claim, keys)
        memory.withdrawn.change(claim, keys)
    if claim.frequency == VOID:
        _complete(facts, whole, keys)
        return
    for on, lines in by_day.items():
        texts = memory.find_services(keys[on], claim, on)
        if texts:
            earlier = _read_all(texts)
            against = [line for line in earlier if not line.doubtful and not line.spans]
            facts += _earlier_pairs(on, lines, against, whole)
            facts += _earlier_days(on, lines, against, whole)
            facts += _repeated_lines(on, lines, against, whole)
    _complete(facts, whole, keys)
    memory.billed = [
        (key, on, write_services(whole, [*by_day.get(on, ()), *spans.get(on, ())]))
        for on, key in keys.items()
    ]
    memory.billed += _billed_by_month(whole, coded)
    # The charges of a claim that is replaced are counted already.
    if "medicare" in whole.profile.names and claim.frequency not in REPLACING:
        facts += _therapy_years(whole)


def _by_each_day(spans: Iterable[Line]) -> dict[int, list[Line]]:
    """Lines over several days under each of them; beyond _MOST_UNDER_DAYS under the first alone, so that what
    a claim leaves stays bounded.
    """
    found: dict[int, list[Line]] = {}
    room = _MOST_UNDER_DAYS
    for line in spans:
        days = days_of_line(line.first, line.last)
        room -= len(days)
        for on in days if room >= 0 else days[:1]:
            found.setdefault(on, []).append(line)
    return found


def _take_out_replaced(memory: InputMemory, claim: Claim, keys: Mapping[int, int]) -> None:
    """Forget the claim that this one replaces or takes back, named by a number of the payer (REF*F8): it
    is the one with this CLM01, else any of the person on these days may be it.
    """
    own = f"{_BETWEEN}{_clean(claim.id)}{_BETWEEN}".encode("utf-8", "replace")
    before = _take_out_of_history(memory, claim, keys)
    for on, key in keys.items():
        texts = memory.services_seen.find(key)
        named = before or any(own in text for text in texts)
        if texts and named:
            memory.services_seen.take_out(key, lambda text: own in text)
        elif texts:
            memory.services_seen.doubt(key)
        if memory.history is not None and not named:
            memory.history.take_out(key, claim, everything=True)
            memory.replaced.append((on, True))


def _take_out_of_history(memory: InputMemory, claim: Claim, keys: Mapping[int, int]) -> bool:
    """Take the claim with this CLM01 out of all its days; whether an earlier file had it."""
    if memory.history is None:
        return False
    days = memory.history.days_replaced(claim)
    for on in sorted({*days, *keys}):
        memory.history.take_out(keys.get(on) or day_key(claim, on), claim, everything=False)
        memory.replaced.append((on, False))
    return bool(days)


def _earlier_pairs(
    on: int, lines: Sequence[Line], earlier: Sequence[EarlierLine], whole: WholeClaim
) -> Iterator[Fact]:
    """The edits that join a line with one of an earlier claim."""
    tables, profile = whole.setting.tables, whole.profile
    earlier = _in_each_sending(earlier)
    codes = {other.service.code for other in earlier}
    services = {_same_service(line) for line in lines}
    for line in lines:
        for code in sorted(codes - {line.service.code}):
            edits = edits_between((line.service.code, code), tables.era(on), tables)
            if not edits:
                continue
            others = [other for other in earlier if other.service.code == code]
            sure = [other for other in others if line.surely_with(other)]
            together = sure or [other for other in others if line.maybe_with(other)]
            if together:
                other = next((o for o in together if not released_by(line.service, o.service)), together[0])
                again = other.may_be(whole, services)
                yield _earlier_pair(
                    on, line, other, edits[0], profile, one_provider=bool(sure), sent_again=again
                )


def _in_each_sending(earlier: Sequence[EarlierLine]) -> list[EarlierLine]:
    """Those of the lines whose code is on the claim however often that was sent: nobody knows which sending
    the payer took.
    """
    codes: dict[str, dict[object, set[str]]] = {}
    for line in earlier:
        codes.setdefault(line.claim, {}).setdefault(line.sending, set()).add(line.service.code)
    return [line for line in earlier if all(line.service.code in said for said in codes[line.claim].values())]


def _earlier_pair(
    on: int,
    line: Line,
    other: EarlierLine,
    edit: PtpEdit,
    profile: Profile,
    *,
    one_provider: bool,
    sent_again: bool,
) -> Fact:
    values: dict[str, Value] = {
        "date": on,
        "profile": profile.name,
        "column_1": edit.column_1,
        "column_2": edit.column_2,
        "code": line.service.code,
        "earlier_code": other.service.code,
        "line": line.ordinal,
        "earlier_line": other.ordinal,
        "indicator": edit.indicator,
        "released_by": released_by(line.service, other.service),
        "one_provider": one_provider,
        "borrowed": is_borrowed(edit.table, profile),
        "rationale": edit.rationale,
        "earlier_claim": other.whose,
        "sent_again": sent_again,
    }
    return Fact("earlier_pair", values, {"": (line,), "earlier": (other,)}, edit.table)


def _earlier_days(
    on: int, lines: Sequence[Line], earlier: Sequence[EarlierLine], whole: WholeClaim
) -> Iterator[Fact]:
    """The units of a code by one rendering provider, on this claim and earlier ones."""
    tables, profile = whole.setting.tables, whole.profile
    services = {_same_service(line) for line in lines}
    for code, given_by in dict.fromkeys([(line.service.code, line.given_by) for line in lines]):
        mue = tables.mue(code, on)
        if mue is None or mue.mai == "1" or not given_by:
            continue  # who has no NPI may be anybody
        own = [line for line in lines if (line.service.code, line.given_by) == (code, given_by)]
        giver_of = own[0].giver_of
        others = [other for other in earlier if (other.service.code, giver_of(other)) == (code, given_by)]
        here = [line.units for line in own]
        before = _units_of_others(others)
        if not others or None in here or before is None:
            continue
        values: dict[str, Value] = {
            "date": on,
            "profile": profile.name,
            "code": code,
            "units": sum(filter(None, here)) + before,
            "units_here": sum(filter(None, here)),
            "claims": len({(other.numbers, other.claim) for other in others}),
            "limit": mue.limit * 1000,
            "mai": mue.mai,
            "rationale": mue.rationale,
            "borrowed": is_borrowed(mue.table, profile),
            "earlier_claim": max(others, key=lambda other: other.received or 0).whose,
            "sent_again": any(other.may_be(whole, services) for other in others),
        }
        yield Fact("earlier_day", values, {"": (own[-1],), "earlier": tuple(others)}, mue.table)


def _units_of_others(others: Sequence[EarlierLine]) -> int | None:
    """The units of lines, None where those of one are not known. Of a claim that was sent several times one
    sending counts, that with the fewest.
    """
    by_claim: dict[str, dict[object, int]] = {}
    for other in others:
        if other.units is None:
            return None
        sendings = by_claim.setdefault(other.claim, {})
        sendings[other.sending] = sendings.get(other.sending, 0) + other.units
    return sum(min(sendings.values()) for sendings in by_claim.values())


def _repeated_lines(
    on: int, lines: Sequence[Line], earlier: Sequence[EarlierLine], whole: WholeClaim
) -> Iterator[Fact]:
    """The lines that an earlier claim has too: code, modifiers, units, charge and rendering provider."""
    known: dict[tuple[object, ...], EarlierLine] = {}
    for other in earlier:
        known.setdefault(_same_service(other), other)
    for line in lines:
        found = known.get(_same_service(line))
        if found is not None and line.units is not None:
            values: dict[str, Value] = {
                "date": on,
                "profile": whole.profile.name,
                "code": line.service.code,
                "modifiers": line.service.modifiers,
                "line": line.ordinal,
                "earlier_line": found.ordinal,
                "earlier_claim": found.whose,
                "earlier_file": found.received is not None,
            }
            yield Fact("earlier_line", values, {"": (line,), "earlier": (found,)})


def _same_service(line: Line | EarlierLine) -> tuple[object, ...]:
    service = line.service
    return service.code, tuple(sorted(service.modifiers)), line.units, line.charge, line.npi


# -- what other claims complete


def _complete(facts: list[Fact], whole: WholeClaim, keys: dict[int, int], *, again: bool = False) -> None:
    """Take into account what stands on other claims of the person: the primary of an add-on code, and timed
    therapy of the same day, without which its minutes are not whole. `again` where the claim may be among
    the others itself.
    """
    for fact in facts:
        if fact.kind == "addon" and not fact.values["found"]:
            fact.values["found"] = _primaries_elsewhere(fact, whole, keys)
        elif fact.kind == "therapy_day" and fact.values["allowed"] is not None:
            others = _of_the_same_day(fact, whole, keys)
            if again:
                own = {_same_service(line) for line in whole.lines}
                others = [other for other in others if _same_service(other) not in own]
            fact.values["shared"] = bool(others)
            fact.values["right_together"] = _is_right_together(fact, others, whole)


def _primaries_elsewhere(fact: Fact, whole: WholeClaim, keys: dict[int, int]) -> tuple[str, ...]:
    [line] = fact.stands_on[""]
    assert isinstance(line, Line)
    days = days_of_line(line.first, line.last)
    others: list[Line | EarlierLine] = []
    for on in days:
        others += _earlier_on(whole, keys.get(on, 0), on)
        others += _following_on(whole, on)
    if fact.values["by_month"]:
        for month in dict.fromkeys([on // 100 * 100 for on in days]):
            others += _earlier_on(whole, day_key(whole.claim, month), month)
            others += _following_on(whole, month, by_month=True)
    primaries = fact.values["primaries"]
    assert isinstance(primaries, tuple)
    codes = [other.service.code for other in others if line.maybe_with(other)]
    return tuple(code for code in dict.fromkeys(codes) if code in primaries)


def _of_the_same_day(fact: Fact, whole: WholeClaim, keys: dict[int, int]) -> list[Line | EarlierLine]:
    """The lines of other claims whose minutes count with those of a therapy_day."""
    on, discipline = fact.values["date"], fact.values["discipline"]
    assert isinstance(on, int)
    others: list[Line | EarlierLine] = list(_earlier_on(whole, keys.get(on, 0), on))
    others += _following_on(whole, on)
    tables = whole.setting.tables
    return [
        other
        for other in others
        if (procedure := tables.procedure(other.service.code, on)) is not None
        and procedure.eight_minute
        and (not other.service.disciplines or discipline in other.service.disciplines)
    ]


def _is_right_together(fact: Fact, others: Sequence[Line | EarlierLine], whole: WholeClaim) -> bool:
    """Whether the minutes of the day support its units, those of earlier files counted in; they must all be
    known, of this day alone and of this discipline. Those of a claim that may have been taken back count, or
    do not, as suits the claim.
    """
    if any(_is_doubtful(other) for other in others):
        return any(_is_right_together(fact, some, whole) for some in _without_taken_back(others))
    if any(other.spans for other in others if isinstance(other, EarlierLine)):
        return False
    known = [other for other in others if isinstance(other, EarlierLine) and other.received is not None]
    discipline = fact.values["discipline"]
    if len(known) < len(others) or any(other.service.disciplines != (discipline,) for other in known):
        return False
    own = [line for line in (*fact.stands_on[""], *fact.stands_on["others"]) if isinstance(line, Line)]
    done = [
        *[(line.service.code, line.units, line.minutes.minutes if line.minutes else None) for line in own],
        *[(other.service.code, other.units, other.minutes) for other in known],
    ]
    on = fact.values["date"]
    assert isinstance(on, int)
    return are_units_supported(done, whole.setting.tables, on, whole.profile.unit_method)


def _is_doubtful(other: Line | EarlierLine) -> bool:
    return isinstance(other, EarlierLine) and other.doubtful


def _without_taken_back(others: Sequence[Line | EarlierLine]) -> Iterator[list[Line | EarlierLine]]:
    """What is left of the lines if one of the claims in doubt was taken back: each, or all, or none."""
    doubtful = [other for other in others if isinstance(other, EarlierLine) and other.doubtful]
    sure = [other for other in others if not _is_doubtful(other)]
    yield sure
    for claim in (None, *dict.fromkeys([other.claim for other in doubtful])):
        yield [*sure, *[other._replace(doubtful=False) for other in doubtful if other.claim != claim]]


def _earlier_on(whole: WholeClaim, key: int, on: int) -> list[EarlierLine]:
    if not key:
        return []
    return _read_all(whole.memory.find_services(key, whole.claim, on))


def _read_all(texts: Iterable[bytes]) -> list[EarlierLine]:
    try:
        return [line for text in texts for line in read_services(text)]
    except ValueError as error:  # those of this input can be read
        raise HistoryUnreadable(f"the history is damaged ({type(error).__name__})") from error


def _following_on(whole: WholeClaim, on: int, *, by_month: bool = False) -> list[Line]:
    """The lines of a day (or its month) on the claims of the person that follow directly, by the same billing
    provider.
    """
    found = []
    own = day_key(whole.claim, on)
    for claim in whole.memory.following:
        if not own or day_key(claim, on) != own:
            break
        if claim.faults or claim.frequency == VOID:
            continue
        other = WholeClaim(claim, whole.setting, InputMemory(), whole.profile)
        read_lines(other)
        for line in other.lines:
            days = days_of_line(line.first, line.last)
            if on in days or (by_month and on // 100 in [day // 100 for day in days]):
                found.append(line)
    return found


def _billed_by_month(whole: WholeClaim, lines: Iterable[Line]) -> Iterator[Services]:
    """What is counted by the month, once for each month of a line."""
    for line in lines:
        if line.service.code in COUNTED_BY_MONTH:
            days = {on // 100 * 100: on for on in days_of_line(line.first, line.last)}
            for month, on in days.items():
                yield day_key(whole.claim, month), on, write_services(whole, [line])


# -- charges of a year


def year_key(person: int, year: int, *, occupational: bool) -> int:
    """What stands for a person's therapy of a year: occupational, or physical and speech-language."""
    return (person ^ (year * 2 + occupational) * _SPREAD) & _MASK


def _therapy_years(whole: WholeClaim) -> Iterator[Fact]:
    """The charges of therapy of a person's year, where they pass the threshold for KX."""
    memory, person = whole.memory, person_of(whole.claim)
    charged: dict[tuple[int, str], list[Line]] = {}
    for line in whole.lines:
        if line.first is not None and line.charge is not None and len(line.service.disciplines) == 1:
            kind = "GO" if line.service.disciplines == ("GO",) else "GP"
            charged.setdefault((line.first // 10000, kind), []).append(line)
    for (year, kind), lines in charged.items():
        threshold = kx_thresholds().get(year)
        if threshold is None:
            continue
        occupational = kind == "GO"
        key = year_key(person, year, occupational=occupational)
        charges = sum(line.charge or 0 for line in lines)
        before, here = memory.find_charges(key, whole.claim, year, occupational=occupational)
        memory.charged.append((key, charges, threshold - before))
        total = before + here + charges
        without = [line for line in lines if "KX" not in line.service.modifiers]
        if total > threshold and without:
            values: dict[str, Value] = {
                "date": without[0].first,
                "profile": whole.profile.name,
                "year": str(year),
                "occupational": occupational,
                "charges": total,
                "threshold": threshold,
            }
            yield Fact("therapy_year", values, {"": (without[0],)})
