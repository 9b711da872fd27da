"""Facts that stand on several lines and on tables: pairs, units of a day, add-on codes, therapy of a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from edi_checker.claims.claim import ORIGINAL
from edi_checker.claims.profile import Profile, UnitMethod
from edi_checker.facts.context import ProviderDays
from edi_checker.facts.fact import Fact, Placed, Value
from edi_checker.facts.pieces import Location, Open, OpenFact, OpenValue, Site, View, Within
from edi_checker.facts.vocabulary import VOCABULARY
from edi_checker.facts.whole_claim import Coded, Line, Service, WholeClaim
from edi_checker.reference.tables import MueLimit, PtpEdit, Tables
from edi_checker.reference.units import QUARTER, Working, least_minutes, work
from edi_checker.x12.finding import TableVersion


def add_coding(facts: list[Fact], whole: WholeClaim) -> None:
    """Add the pair, mue_day, addon and therapy_day facts of a claim."""
    lines, tables, profile = whole.lines, whole.setting.tables, whole.profile
    dated = [line for line in lines if line.first is not None and line.service.code]
    for on, group in group_by_day(dated).items():
        if len(group) > 1:
            facts += pairs_of(on, group, tables, profile)
    facts += code_days_of(dated, tables, profile)
    facts += [addon_of(line, lines, tables, profile) for line in dated if line.service.addon]
    timed = [line for line in dated if is_timed(line)]
    if timed:
        facts += _therapy_days_of(whole, timed)


def group_by_day(lines: Iterable[Line]) -> dict[int, list[Line]]:
    """Lines by their first day."""
    by_day: dict[int, list[Line]] = {}
    for line in lines:
        by_day.setdefault(line.first or 0, []).append(line)
    return by_day


def is_timed(line: Line) -> bool:
    """Whether the 8-minute rule counts a line."""
    return line.service.procedure is not None and line.service.procedure.eight_minute


# -- procedure-to-procedure --------------------------------------------------------------------------------


def pairs_of(on: int, group: Sequence[Line], tables: Tables, profile: Profile) -> Iterator[Fact]:
    """The pair facts of a day's lines."""
    edits = edits_between(tuple(dict.fromkeys([line.service.code for line in group])), tables.era(on), tables)
    for edit in edits:
        ones = [line for line in group if line.service.code == edit.column_1]
        for two in group:
            if two.service.code != edit.column_2:
                continue
            sure = [one for one in ones if one.surely_with(two)]
            together = sure or [one for one in ones if one.maybe_with(two)]
            if not together:
                continue
            # One fact a column 2 line: beside several column 1 lines, one that no modifier releases counts.
            one = next((one for one in together if not released_by(one.service, two.service)), together[0])
            yield _pair(on, one, two, edit, profile, one_provider=bool(sure))


@lru_cache(maxsize=16384)
def edits_between(codes: tuple[str, ...], on: int, tables: Tables) -> tuple[PtpEdit, ...]:
    """The edits in force on any day of an era that join two of these codes."""
    found = []
    for index, code in enumerate(codes):
        for other in codes[index + 1 :]:
            edit = tables.ptp(code, other, on)
            if edit is not None:
                found.append(edit)
    return tuple(found)


def released_by(one: Coded, two: Coded) -> tuple[str, ...]:
    """The NCCI-associated modifiers on either of two services."""
    return tuple(dict.fromkeys(one.releasing + two.releasing))


def _pair(on: int, one: Line, two: Line, edit: PtpEdit, profile: Profile, *, one_provider: bool) -> Fact:
    values = _values_of_pair(one.service, two.service, edit, profile)
    return Fact(
        "ptp_pair",
        {
            **values,
            "date": on,
            "line_1": one.ordinal,
            "line_2": two.ordinal,
            "one_provider": one_provider,
        },
        {"": (two,), "column_1": (one,), "column_2": (two,)},
        edit.table,
    )


def _values_of_pair(one: Service, two: Service, edit: PtpEdit, profile: Profile) -> dict[str, Value]:
    return {
        "profile": profile.name,
        "borrowed": is_borrowed(edit.table, profile),
        "column_1": edit.column_1,
        "column_2": edit.column_2,
        "modifiers_1": one.modifiers,
        "modifiers_2": two.modifiers,
        "indicator": edit.indicator,
        "released_by": released_by(one, two),
        "rationale": edit.rationale,
        "effective": edit.effective,
        "deletion": edit.deletion,
    }


def is_borrowed(table: TableVersion | None, profile: Profile) -> bool:
    """Whether a Medicaid program is held to a table of Medicare, for want of its own."""
    return table is not None and "medicaid" in profile.names and not table.name.endswith("_medicaid")


# -- units of a day ----------------------------------------------------------------------------------------


def code_days_of(dated: Sequence[Line], tables: Tables, profile: Profile) -> Iterator[Fact]:
    """The mue_day facts of a claim's lines."""
    together: dict[tuple[str, str, int], list[Line]] = {}
    for line in dated:
        service = line.service
        if line.units is None or line.days is None:
            continue
        # A limit of a line (MAI 1) keeps lines apart.
        alone = line.ordinal if service.mue is not None and service.mue.mai == "1" else 0
        together.setdefault((service.code, line.given_by, alone), []).append(line)
    providers = _number_providers(dated)
    for lines in together.values():
        for on, group in _by_day(lines):
            mue = _limit(on, group, tables)
            main = _crossing(group, mue)
            others = tuple([line for line in group if line is not main])
            units = sum(line.units_a_day for line in group)
            modifiers = tuple(dict.fromkeys([m for line in group for m in line.service.modifiers]))
            yield _code_day(on, main, others, units, mue, modifiers, providers[main.given_by], profile)


def _by_day(lines: list[Line]) -> Iterator[tuple[int, list[Line]]]:
    """The days on which one of the lines begins, for the units of a day are highest on one of them."""
    if len(lines) == 1:
        yield lines[0].first or 0, lines
        return
    for on in dict.fromkeys([line.first or 0 for line in lines]):
        yield on, [line for line in lines if (line.first or 0) <= on <= (line.last or 0)]


def _limit(on: int, group: list[Line], tables: Tables) -> MueLimit | None:
    # What the service says holds on the first day of its line.
    return group[0].service.mue if len(group) == 1 else tables.mue(group[0].service.code, on)


def _crossing(group: list[Line], mue: MueLimit | None) -> Line:
    """The line with which the units of the day pass the limit, else the last one."""
    so_far = 0
    for line in group:
        so_far += line.units_a_day
        if mue is not None and so_far > mue.limit * 1000:
            return line
    return group[-1]


def _number_providers(lines: Sequence[Line]) -> dict[str, int]:
    """A number for who gave each line, the same one where the lines are certainly of one provider."""
    numbers: dict[str, int] = {}
    by_taxonomy: dict[str, int] = {}
    for line in lines:
        given_by = line.given_by
        # The taxonomy of a group is none of its therapists'.
        taxonomy = line.taxonomy if given_by == line.npi else ""
        if given_by not in numbers:
            numbers[given_by] = by_taxonomy.get(taxonomy) or len(numbers) + 1
        if taxonomy:
            by_taxonomy.setdefault(taxonomy, numbers[given_by])
    return numbers


def _code_day(
    on: int,
    main: Line,
    others: tuple[Placed, ...],
    units: int,
    mue: MueLimit | None,
    modifiers: tuple[str, ...],
    provider: int,
    profile: Profile,
) -> Fact:
    values = _values_of_code_day(main.service.code, modifiers, 1 + len(others), mue, profile)
    return Fact(
        "mue_day",
        {**values, "date": on, "units": units, "provider": provider},
        {"": (main,), "others": others},
        mue.table if mue is not None else None,
    )


def _values_of_code_day(
    code: str, modifiers: tuple[str, ...], lines: int, mue: MueLimit | None, profile: Profile
) -> dict[str, Value]:
    return {
        "profile": profile.name,
        "borrowed": is_borrowed(mue.table if mue is not None else None, profile),
        "code": code,
        "lines": lines,
        "modifiers": modifiers,
        "limit": mue.limit * 1000 if mue is not None else None,
        "mai": mue.mai if mue is not None else "",
        "rationale": mue.rationale if mue is not None else "",
    }


# -- add-on codes ------------------------------------------------------------------------------------------


def addon_of(line: Line, lines: Sequence[Line], tables: Tables, profile: Profile) -> Fact:
    """The fact of an add-on code."""
    addon = tables.addon(line.service.code, line.first or 0)
    assert addon is not None
    together = _one_month_of if addon.by_month else _one_day_of
    beside = [
        other for other in lines if other is not line and together(line, other) and line.maybe_with(other)
    ]
    codes = [other.service.code for other in beside]
    return Fact(
        "addon",
        {
            "date": line.first,
            "profile": profile.name,
            "borrowed": is_borrowed(addon.table, profile),
            "code": addon.code,
            "type": addon.type,
            "by_month": addon.by_month,
            "primaries": addon.primaries,
            "found": tuple(code for code in dict.fromkeys(codes) if code in addon.primaries),
            "complete": "" not in codes,
        },
        {"": (line,)},
        addon.table,
    )


def _one_day_of(line: Line, other: Line) -> bool:
    """Whether the lines share a day, or may: a line whose days cannot be read may be on any."""
    if line.first is None or other.first is None or line.last is None or other.last is None:
        return True
    return line.first <= other.last and other.first <= line.last


def _one_month_of(line: Line, other: Line) -> bool:
    """The same of the calendar month."""
    if line.first is None or other.first is None:
        return True
    return line.first // 100 == other.first // 100


# -- timed therapy -----------------------------------------------------------------------------------------


def _therapy_days_of(whole: WholeClaim, timed: list[Line]) -> Iterator[Fact]:
    memory, profile = whole.memory, whole.profile
    expected = memory.minutes is not None or any(line.minutes is not None for line in timed)
    spans = [line for line in timed if line.days != 1]
    for on, group in group_by_day([line for line in timed if line.days == 1]).items():
        # Units of a line over several days fall on this one too, nobody knows how many.
        complete = not any((line.first or 0) <= on <= (line.last or line.first or 0) for line in spans)
        for discipline, lines in by_discipline(group).items():
            least = sum_least_minutes(lines, profile.unit_method)
            # A replaced or voided claim is no further work, and one that comes again is none.
            worked = whole.claim.frequency == ORIGINAL and whole.earlier is None
            busiest = _add_worked(memory.provider_days, on, lines, least) if worked else 0
            yield _therapy_day(on, discipline, lines, complete, expected, least, busiest, profile)


def by_discipline(group: list[Line]) -> dict[str, list[Line]]:
    """Lines by the plan of care they name.

    A line that names none belongs to the only one of the day; where the day has several it could belong to
    any, and nothing can be said of the day.
    """
    named: dict[str, list[Line]] = {}
    unclear = False
    for line in group:
        disciplines = line.service.disciplines
        if len(disciplines) == 1:
            named.setdefault(disciplines[0], []).append(line)
        else:
            unclear = True
    if not unclear:
        return named
    if len(named) > 1:
        return {}
    return {next(iter(named), ""): group}


def _add_worked(worked: ProviderDays, on: int, lines: list[Line], least: int) -> int:
    """Add a day's least minutes to its rendering providers; return the sum of the busiest of them so far."""
    busiest = 0
    # A group that names nobody may have had several therapists at work.
    npis = dict.fromkeys([line.npi for line in lines if line.npi and line.npi != line.whole.group])
    for npi in npis:
        own = [line for line in lines if line.npi == npi]
        if all(line.minutes is not None for line in own):
            minutes = sum(line.minutes.minutes for line in own if line.minutes is not None)
        elif len(npis) == 1:
            minutes = least
        else:
            # The minutes of the others may have carried this provider's units over the edge.
            minutes = sum(max(0, QUARTER * (line.units or 0) // 1000 - QUARTER + 1) for line in own)
        busiest = max(busiest, worked.add(npi, on, minutes, own[0].whole.claim))
    return busiest


def sum_least_minutes(lines: Iterable[Line], method: UnitMethod | None) -> int:
    """The fewest minutes for which the units of these timed lines can be billed: by the AMA, which asks for
    fewer, where no method is named.
    """
    billed: dict[str, int] = {}
    for line in lines:
        billed[line.service.code] = billed.get(line.service.code, 0) + (line.units or 0) // 1000
    if method == "cms":
        return least_minutes(sum(billed.values()))
    return sum(least_minutes(units) for units in billed.values())


def _therapy_day(
    on: int,
    discipline: str,
    lines: list[Line],
    complete: bool,
    expected: bool,
    least: int,
    busiest: int,
    profile: Profile,
) -> Fact:
    method = profile.unit_method
    counted = complete and all(line.units is not None and line.units % 1000 == 0 for line in lines)
    services = _services(lines)
    billed = dict.fromkeys(services.values(), 0)
    minutes = dict.fromkeys(services.values(), 0)
    unknown = 0
    for line in lines:
        service = services[line.service.code]
        billed[service] += (line.units or 0) // 1000
        if line.minutes is None:
            unknown += 1
        else:
            minutes[service] += line.minutes.minutes
    units = sum(billed.values()) if counted else None
    known = complete and not unknown
    workings = [work(minutes, each) for each in _methods(method)] if known and counted else []
    # The one that allows most; what no method would bill so is on the wrong codes.
    working = max(workings, key=lambda each: each.total, default=None)
    wrong = [each.misplaced(billed) for each in workings]
    misplaced = tuple([code for code in wrong[0] if all(code in each for each in wrong)]) if wrong else ()
    main = _faulty_line(lines, services, misplaced)
    return Fact(
        "therapy_day",
        {
            "date": on,
            "profile": profile.name,
            "discipline": discipline,
            "method": method or "",
            "codes": tuple(services),
            "lines": len(lines),
            "units": units,
            "minutes": sum(minutes.values()) if known else None,
            "lines_without_minutes": unknown,
            "minutes_expected": expected,
            "least_minutes": least if counted else None,
            "allowed": working.total if working is not None else None,
            "allowed_at_least": min([each.total for each in workings], default=None),
            "allowed_by_method": _listed_by_method(workings),
            "misplaced": misplaced,
            "minutes_by_code": _listed(minutes, "{} {} min") if known else "",
            "units_by_code": _listed(billed, "{} x{}") if counted else "",
            "right_split": _right_split(working),
            "provider_minutes": busiest,
            "shared": False,
            "right_together": False,
        },
        {"": (main,), "others": tuple([line for line in lines if line is not main])},
    )


def _methods(named: UnitMethod | None) -> tuple[UnitMethod, ...]:
    return (named,) if named is not None else ("cms", "ama")


def _listed_by_method(workings: Sequence[Working]) -> str:
    return ", ".join([f"{each.total} by {each.method.upper()}" for each in workings])


def _services(lines: list[Line]) -> dict[str, str]:
    """Each code and the service with which it is counted: its own, or the code's whose minutes it goes on."""
    codes = dict.fromkeys([line.service.code for line in lines])
    services = {}
    for line in lines:
        procedure = line.service.procedure
        service = procedure.counts_with if procedure is not None else line.service.code
        services[line.service.code] = service if service in codes else line.service.code
    return services


def are_units_supported(
    done: Sequence[tuple[str, int | None, int | None]], tables: Tables, on: int, named: UnitMethod | None
) -> bool:
    """Whether minutes of timed therapy on a day support the units by a method that the payer may follow. Each
    line is code, units (in thousandths) and minutes; False where one of them is not known.
    """
    codes = {code for code, _, _ in done}
    minutes: dict[str, int] = {}
    billed = 0
    for code, units, spent in done:
        if units is None or units % 1000 or spent is None:
            return False
        procedure = tables.procedure(code, on)
        service = procedure.counts_with if procedure is not None else code
        service = service if service in codes else code
        minutes[service] = minutes.get(service, 0) + spent
        billed += units // 1000
    return any(billed <= work(minutes, method).total for method in _methods(named))


def _faulty_line(lines: list[Line], services: Mapping[str, str], misplaced: tuple[str, ...]) -> Line:
    """The last line of the first service that has too many units, else the first line of the day."""
    for line in reversed(lines):
        if misplaced and services[line.service.code] == misplaced[0]:
            return line
    return lines[0]


def _right_split(working: Working | None) -> str:
    if working is None:
        return ""
    split = next(working.allocations())
    return _listed({service: units for service, units in split.items() if units}, "{} x{}")


def _listed(counts: Mapping[str, int], form: str) -> str:
    return ", ".join(form.format(service, count) for service, count in counts.items())


# -- days whose lines are one provider's, each on this day alone, no code twice ----------------------------


class DayMet(NamedTuple):
    """Such a day that was met."""

    lines: Sequence[Line]

    def place_at(self, site: Site) -> Any:
        return self.lines[site.member].place_at(site)


class Member(NamedTuple):
    """A spot of one of the lines of a day."""

    number: int
    spot: Location

    def find(self, name: str, at: str | None, qualifier: str) -> Site | None:
        site = self.spot.find(name, at, qualifier)
        return site._replace(member=self.number) if site is not None else None


def open_code_day(service: Service, view: View, profile: Profile) -> OpenFact:
    """The mue_day of a line alone on its day."""
    mue = service.mue
    values: dict[str, OpenValue] = {
        **_values_of_code_day(service.code, service.modifiers, 1, mue, profile),
        "date": _FIRST,
        "units": _UNITS,
        "provider": 1,
    }
    spots = (Within(view, "2400"),)
    return OpenFact("mue_day", values, {"": spots, "others": ()}, mue.table if mue is not None else None)


def open_pairs(
    day: Sequence[tuple[Service, View]], on: int, tables: Tables, profile: Profile
) -> Iterator[OpenFact]:
    """The pairs of a day's services; `on` is any day of the era."""
    codes = tuple([service.code for service, _ in day])
    for edit in edits_between(codes, tables.era(on), tables):
        one, two = codes.index(edit.column_1), codes.index(edit.column_2)
        values: dict[str, OpenValue] = {
            **_values_of_pair(day[one][0], day[two][0], edit, profile),
            "date": _FIRST_OF_DAY,
            "line_1": _ordinal_of(one),
            "line_2": _ordinal_of(two),
            "one_provider": True,
        }
        first, second = (Member(number, Within(day[number][1], "2400")) for number in (one, two))
        spots = {"": (second,), "column_1": (first,), "column_2": (second,)}
        yield OpenFact("ptp_pair", values, spots, edit.table)  # type: ignore[arg-type]  # dict is invariant


def as_member(fact: OpenFact, number: int) -> OpenFact:
    """The fact of a line as one of its day."""
    values = {name: _of_member(value, number) for name, value in fact.values.items()}
    stands_on = {
        key: tuple([Member(number, spot) for spot in spots])
        for key, spots in fact.stands_on.items()
        if not isinstance(spots, Open)
    }
    return OpenFact(fact.kind, values, stands_on, fact.table)  # type: ignore[arg-type]  # dict is invariant


def _of_member(value: OpenValue, number: int) -> OpenValue:
    if not isinstance(value, Open):
        return value
    take = value.take
    return Open(value.name, lambda met: take(met.lines[number]))


def _ordinal_of(number: int) -> Open:
    return Open("ordinal", lambda met: met.lines[number].ordinal)


_FIRST, _UNITS = Open("date", attrgetter("first")), Open("units", attrgetter("units_a_day"))
_FIRST_OF_DAY = Open("date", lambda met: met.lines[0].first)


class Treated(NamedTuple):
    """The timed therapy of a discipline on such a day, of a claim of which no minutes are known.

    `numbers` are those of its lines in the claim, from 0.
    """

    whole: WholeClaim
    date: int
    discipline: str
    numbers: Sequence[int]
    provider_minutes: int

    def fact(self) -> Fact:
        profile = self.whole.profile
        lines = [self.whole.lines[number] for number in self.numbers]
        least = sum_least_minutes(lines, profile.unit_method)
        return _therapy_day(
            self.date, self.discipline, lines, True, False, least, self.provider_minutes, profile
        )


def open_therapy_day(profile: Profile) -> OpenFact:
    """The therapy_day of it, as far as a question is asked of it."""
    values: dict[str, OpenValue] = {name: _of_therapy_day(name) for name in VOCABULARY["therapy_day"].fields}
    values |= {
        "profile": profile.name,
        "method": profile.unit_method or "",
        "minutes": None,
        "minutes_expected": False,
        "allowed": None,
        "allowed_at_least": None,
        "allowed_by_method": "",
        "misplaced": (),
        "minutes_by_code": "",
        "right_split": "",
        "shared": False,
        "right_together": False,
    }
    for name in ("date", "discipline", "provider_minutes"):
        values[name] = Open(name, attrgetter(name))
    return OpenFact("therapy_day", values, {"": (), "others": ()})


def _of_therapy_day(name: str) -> Open:
    return Open(name, lambda met: met.fact().values[name])
