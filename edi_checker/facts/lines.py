"""A service line while the facts of its claim are made: what is read once and asked for many times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from edi_checker.claim import ServiceLine, cents, days, element, quantity
from edi_checker.codesets import DISCIPLINES, is_visit, lists, releasing
from edi_checker.facts.visits import surely_no_visit, surely_visit
from edi_checker.facts.vocabulary import Value
from edi_checker.minutes import LineMinutes
from edi_checker.tables import MueLimit, Procedure, Tables


@dataclass(frozen=True, slots=True, eq=False)  # known again as the object that it is
class Service:
    """What an SV1 segment says, with the rows of the tables.

    units     thousandths, None where the line does not count units or the number cannot be read
    charge    cents, None where it cannot be read
    pointers  SV107 as it stands
    plain     with so many diagnoses on the claim no code of the line can be odd, whatever the day
    said      the whole segment as text
    values    those fields of a line fact that follow from SV1 alone
    """

    code: str
    modifiers: tuple[str, ...]
    disciplines: tuple[str, ...]
    releasing: tuple[str, ...]
    unit: str
    units: int | None
    charge: int | None
    place_of_service: str
    pointers: str
    plain: int
    procedure: Procedure | None
    mue: MueLimit | None
    addon: bool
    said: str
    values: dict[str, Value]


@dataclass(slots=True)
class Line:
    """A service line while the facts of its claim are made.

    first, last      days of service, None where unreadable; `days` counts them, None where they make no range
    npi              of the rendering provider, "" where there is none; `taxonomy` likewise
    names_providers  whether the line has providers of its own (2420)
    references, dates, notes   the qualifiers of its REF, DTP and NTE
    """

    view: ServiceLine
    service: Service
    first: int | None
    last: int | None
    days: int | None
    npi: str
    taxonomy: str
    minutes: LineMinutes | None
    names_providers: bool
    references: list[str]
    dates: list[str]
    notes: list[str]

    @property
    def more_dates(self) -> bool:
        """Whether it has dates other than that of the service."""
        return bool(self.dates) and self.dates != ["472"]

    @property
    def units_a_day(self) -> int:
        """Thousandths of units on each day.

        CMS divides the units of a line over several days and rounds to a whole number.
        """
        units = self.service.units or 0
        if self.days is None or self.days < 2:
            return units
        return (2 * units + 1000 * self.days) // (2000 * self.days) * 1000

    def surely_with(self, other: Line) -> bool:
        """Whether both lines are certainly of one provider.

        Same rendering NPI, or the same rendering taxonomy, or none given; the billing provider is the same.
        """
        return self.npi == other.npi or self.taxonomy == other.taxonomy

    def maybe_with(self, other: Line) -> bool:
        """Whether both lines may be of one provider: not so where both name a taxonomy and these differ."""
        return self.surely_with(other) or not self.taxonomy or not other.taxonomy


# Most claims repeat the services of others: each is read once.
@lru_cache(maxsize=16384)
def read_service(segment: tuple[str, ...], component: str, on: int, tables: Tables) -> Service:
    """Read an SV1 segment; `on` is any day of the era of the tables in which the service was given."""
    service = list(segment)
    parts = element(service, 1).split(component)
    parts += [""] * (8 - len(parts))
    code = parts[1] if parts[0] == "HC" else ""
    modifiers = tuple(m for m in parts[2:6] if m)
    disciplines = tuple(d for d in DISCIPLINES if d in modifiers)
    unit = element(service, 3)
    units = _thousandths(element(service, 4)) if unit == "UN" else None
    charge = cents(element(service, 2))
    pointers = element(service, 7)
    procedure = tables.procedure(code, on)
    released = releasing(code, modifiers)
    values: dict[str, Value] = {
        "code": code,
        "modifiers": modifiers,
        "repeated_modifiers": tuple(m for m in dict.fromkeys(modifiers) if modifiers.count(m) > 1),
        "releasing_modifiers": released,
        "disciplines": disciplines,
        "described": bool(parts[6]),
        "visit": is_visit(code),
        "surely_visit": surely_visit(code),
        "surely_no_visit": surely_no_visit(code),
        "charge": charge,
        "unit": unit,
        "units": units,
        "pointers": pointers.count(component) + 1 if pointers else 0,
        "emergency": element(service, 9),
        "therapy": procedure.therapy if procedure is not None else "",
        "code_disciplines": procedure.disciplines if procedure is not None else (),
        "timed": procedure is not None and procedure.timed,
        "eight_minute": procedure is not None and procedure.eight_minute,
        "minutes_per_unit": procedure.minutes_per_unit if procedure is not None else None,
        "fee_status": procedure.status if procedure is not None else "",
        "pctc": procedure.pctc if procedure is not None else "",
        "multiple_procedure": procedure.multiple_procedure if procedure is not None else "",
        "global_days": procedure.global_days if procedure is not None else "",
        "bilateral": procedure.bilateral if procedure is not None else "",
        "assistant_surgeon": procedure.assistant_surgeon if procedure is not None else "",
        "co_surgeon": procedure.co_surgeon if procedure is not None else "",
        "team_surgeon": procedure.team_surgeon if procedure is not None else "",
        "single_dose": procedure is not None and procedure.single_dose,
    }
    return Service(
        code=code,
        modifiers=modifiers,
        disciplines=disciplines,
        releasing=released,
        unit=unit,
        units=units,
        charge=charge,
        place_of_service=element(service, 5),
        pointers=pointers,
        plain=_plain_from(
            code, modifiers, element(service, 5), pointers.split(component) if pointers else []
        ),
        procedure=procedure,
        mue=tables.mue(code, on),
        addon=tables.addon(code, on) is not None,
        said="*".join(segment),
        values=values,
    )


_NEVER = 1000  # more diagnoses than a line can point to


def _plain_from(code: str, modifiers: tuple[str, ...], place_of_service: str, pointers: list[str]) -> int:
    if (
        (code and not lists.is_procedure(code))
        or not all(map(lists.is_lasting_modifier, modifiers))
        or (place_of_service and not lists.is_lasting_place(place_of_service))
        or not all(text in _POINTERS for text in pointers)
        or len(set(pointers)) < len(pointers)
    ):
        return _NEVER
    return max(map(int, pointers), default=0)


_POINTERS = frozenset(map(str, range(1, 25)))


@lru_cache(maxsize=4096)
def days_of(qualifier: str, text: str) -> tuple[int | None, int | None, int | None]:
    """First and last day of a date as DTP02 and DTP03 say it, and how many days these are."""
    first, last = days(["DTP", "", qualifier, text])
    if first is None or last is None or last < first:
        return first, last, None
    return first, last, (_calendar(last) - _calendar(first)).days + 1


def _calendar(on: int) -> date:
    return date(on // 10000, on // 100 % 100, on % 100)


@lru_cache(maxsize=4096)
def _thousandths(text: str) -> int | None:
    """Units in thousandths; None where they cannot be read, are below zero or finer than thousandths."""
    units = quantity(text)
    if units is None or units < 0 or units != round(units, 3):
        return None
    return int(units * 1000)
