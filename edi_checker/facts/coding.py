"""Facts that stand on several lines and on tables: pairs, units of a day, add-on codes, therapy of a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from edi_checker.claim import Claim
from edi_checker.facts.circumstances import Circumstances, ProviderDays
from edi_checker.facts.lines import Line, Service
from edi_checker.facts.needs import Needs, Question
from edi_checker.facts.vocabulary import Fact, Placed, Value
from edi_checker.profile import Profile, UnitMethod
from edi_checker.tables import MueLimit, PtpEdit, Tables
from edi_checker.units import QUARTER, Working, least_minutes, work

_ORIGINAL = "1"  # CLM05-3


def add_coding(
    facts: list[Fact],
    claim: Claim,
    lines: list[Line],
    circumstances: Circumstances,
    profile: Profile,
    needs: Needs | None,
) -> None:
    """Add the pair, code_day, addon and therapy_day facts of a claim, whose lines are all given."""
    dated = [line for line in lines if line.first is not None and line.service.code]
    if needs is None or "pair" in needs.kinds:
        by_day: dict[int, list[Line]] = {}
        for line in dated:
            by_day.setdefault(line.first or 0, []).append(line)
        for on, group in by_day.items():
            if len(group) > 1:
                _add_pairs(facts, on, group, circumstances.tables, profile.name, needs)
    if needs is None or "code_day" in needs.kinds:
        _add_code_days(facts, dated, circumstances.tables, profile.name, needs)
    if needs is None or "addon" in needs.kinds:
        for line in dated:
            if line.service.addon:
                facts.append(_addon(line, lines, circumstances.tables, profile.name))
    timed = [
        line for line in dated if line.service.procedure is not None and line.service.procedure.eight_minute
    ]
    if timed:
        _add_therapy_days(facts, claim, timed, circumstances, profile, needs)


# -- procedure-to-procedure --------------------------------------------------------------------------------


def _add_pairs(
    facts: list[Fact], on: int, group: list[Line], tables: Tables, profile: str, needs: Needs | None
) -> None:
    edits = edits_between(tuple(dict.fromkeys([line.service.code for line in group])), tables.era(on), tables)
    for edit in edits:
        ones = [line for line in group if line.service.code == edit.column_1]
        for two in group:
            if two.service.code != edit.column_2:
                continue
            together = [one for one in ones if one.surely_with(two)]
            if not together:
                continue
            # One fact a column 2 line: beside several column 1 lines, one that no modifier releases counts.
            one = next((one for one in together if not _released_by(one.service, two.service)), together[0])
            if needs is None or needs_pair(needs, edit, one.service, two.service, profile):
                facts.append(_pair(on, one, two, edit, profile))


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


def needs_pair(needs: Needs, edit: PtpEdit, one: Service, two: Service, profile: str) -> bool:
    """Whether a rule could need the fact of an edit between these services."""
    released_by = _released_by(one, two)
    key = ("pair", edit.indicator, released_by)
    if key in needs.known:
        return needs.known[key] is not None
    known: dict[str, Value] = {"profile": profile, "indicator": edit.indicator, "released_by": released_by}
    return needs.learn(key, "pair", known) is not None


def _released_by(one: Service, two: Service) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.releasing + two.releasing))


def _pair(on: int, one: Line, two: Line, edit: PtpEdit, profile: str) -> Fact:
    return Fact(
        "pair",
        {
            "date": on,
            "profile": profile,
            "column_1": edit.column_1,
            "column_2": edit.column_2,
            "line_1": one.view.ordinal,
            "line_2": two.view.ordinal,
            "modifiers_1": one.service.modifiers,
            "modifiers_2": two.service.modifiers,
            "indicator": edit.indicator,
            "released_by": _released_by(one.service, two.service),
            "rationale": edit.rationale,
            "effective": edit.effective,
            "deletion": edit.deletion,
        },
        {"": (two.view,), "column_1": (one.view,), "column_2": (two.view,)},
        edit.table,
    )


# -- units of a day ----------------------------------------------------------------------------------------


def _add_code_days(
    facts: list[Fact], dated: list[Line], tables: Tables, profile: str, needs: Needs | None
) -> None:
    together: dict[tuple[str, str, int], list[Line]] = {}
    for line in dated:
        service = line.service
        if service.units is None or line.days is None:
            continue
        # A limit of a line (MAI 1) keeps lines apart.
        alone = line.view.ordinal if service.mue is not None and service.mue.mai == "1" else 0
        together.setdefault((service.code, line.npi, alone), []).append(line)
    days = [(on, group) for lines in together.values() for on, group in _by_day(lines)]
    if needs is not None:
        days = _needed(days, profile, needs)
    providers = _number_providers(dated) if days else {}
    for on, group in days:
        mue = _limit(on, group, tables)
        main = _crossing(group, mue)
        others = tuple([line.view for line in group if line is not main])
        units = sum(line.units_a_day for line in group)
        modifiers = tuple(dict.fromkeys([m for line in group for m in line.service.modifiers]))
        facts.append(_code_day(on, main, others, units, mue, modifiers, providers[main.npi], profile))


def _by_day(lines: list[Line]) -> Iterator[tuple[int, list[Line]]]:
    """The days on which one of the lines begins, for the units of a day are highest on one of them."""
    if len(lines) == 1:
        yield lines[0].first or 0, lines
        return
    for on in dict.fromkeys([line.first or 0 for line in lines]):
        yield on, [line for line in lines if (line.first or 0) <= on <= (line.last or 0)]


def _needed(days: list[tuple[int, list[Line]]], profile: str, needs: Needs) -> list[tuple[int, list[Line]]]:
    """The days of which a rule could need the fact: those of one line on one day are asked for."""
    all_bits = 0
    asked = []
    for each in days:
        _, group = each
        bits = -1
        if len(group) == 1 and group[0].days == 1:
            key = ("code_day", group[0].service)
            try:
                question = needs.known[key]
            except KeyError:
                question = needs.learn(key, "code_day", of_one_line(group[0], profile))
            bits = question.bits if question is not None else 0
        if bits:
            all_bits |= bits
            asked.append((bits, each))
    if not asked:
        return []
    wanted = needs.together("code_day", all_bits)
    return [each for bits, each in asked if bits & wanted]


def of_one_line(line: Line, profile: str) -> dict[str, Value]:
    """The values of every line with this service alone on its one day."""
    mue = line.service.mue
    fact = _code_day(0, line, (), line.units_a_day, mue, line.service.modifiers, 0, profile)
    return {name: value for name, value in fact.values.items() if name not in ("date", "provider")}


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


def _number_providers(lines: list[Line]) -> dict[str, int]:
    """A number for each rendering NPI, the same one where the lines are certainly of one provider."""
    numbers: dict[str, int] = {}
    by_taxonomy: dict[str, int] = {}
    for line in lines:
        if line.npi not in numbers:
            numbers[line.npi] = by_taxonomy.get(line.taxonomy) or len(numbers) + 1
        by_taxonomy.setdefault(line.taxonomy, numbers[line.npi])
    return numbers


def _code_day(
    on: int,
    main: Line,
    others: tuple[Placed, ...],
    units: int,
    mue: MueLimit | None,
    modifiers: tuple[str, ...],
    provider: int,
    profile: str,
) -> Fact:
    return Fact(
        "code_day",
        {
            "date": on,
            "profile": profile,
            "code": main.service.code,
            "units": units,
            "lines": 1 + len(others),
            "modifiers": modifiers,
            "provider": provider,
            "limit": mue.limit * 1000 if mue is not None else None,
            "mai": mue.mai if mue is not None else "",
            "rationale": mue.rationale if mue is not None else "",
        },
        {"": (main.view,), "others": others},
        mue.table if mue is not None else None,
    )


# -- add-on codes ------------------------------------------------------------------------------------------


def _addon(line: Line, lines: list[Line], tables: Tables, profile: str) -> Fact:
    addon = tables.addon(line.service.code, line.first or 0)
    assert addon is not None
    beside = [
        other for other in lines if other is not line and _one_day_of(line, other) and line.maybe_with(other)
    ]
    codes = [other.service.code for other in beside]
    return Fact(
        "addon",
        {
            "date": line.first,
            "profile": profile,
            "code": addon.code,
            "type": addon.type,
            "primaries": addon.primaries,
            "found": tuple(code for code in dict.fromkeys(codes) if code in addon.primaries),
            "complete": "" not in codes,
        },
        {"": (line.view,)},
        addon.table,
    )


def _one_day_of(line: Line, other: Line) -> bool:
    """Whether the lines share a day, or may: a line whose days cannot be read may be on any."""
    if line.first is None or other.first is None or line.last is None or other.last is None:
        return True
    return line.first <= other.last and other.first <= line.last


# -- timed therapy -----------------------------------------------------------------------------------------


def _add_therapy_days(
    facts: list[Fact],
    claim: Claim,
    timed: list[Line],
    circumstances: Circumstances,
    profile: Profile,
    needs: Needs | None,
) -> None:
    worked = circumstances.provider_days or ProviderDays()
    expected = circumstances.minutes is not None or any(line.minutes is not None for line in timed)
    spans = [line for line in timed if line.days != 1]
    by_day: dict[int, list[Line]] = {}
    for line in timed:
        if line.days == 1:
            by_day.setdefault(line.first or 0, []).append(line)
    for on, group in by_day.items():
        # Units of a line over several days fall on this one too, nobody knows how many.
        complete = not any((line.first or 0) <= on <= (line.last or line.first or 0) for line in spans)
        for discipline, lines in by_discipline(group).items():
            least = sum_least_minutes(lines, profile.unit_method)
            # A replaced or voided claim is no further work.
            busiest = _add_worked(worked, on, lines, least) if claim.frequency == _ORIGINAL else 0
            if needs is None or _needs_therapy_day(needs, lines, expected, busiest, circumstances, profile):
                facts.append(_therapy_day(on, discipline, lines, complete, expected, least, busiest, profile))


def _needs_therapy_day(
    needs: Needs,
    lines: list[Line],
    expected: bool,
    busiest: int,
    circumstances: Circumstances,
    profile: Profile,
) -> bool:
    if expected:
        return True
    question = of_therapy_without_minutes(needs, profile)
    if question is None:
        return False
    if not question.fields <= {"provider_minutes", "date"}:
        return True
    values: dict[str, Value] = {"provider_minutes": busiest, "date": lines[0].first}
    return bool(question.holds(values, circumstances.received))


def of_therapy_without_minutes(needs: Needs, profile: Profile) -> Question | None:
    """What is asked of every therapy_day of a claim of which no minutes are known: what follows is absent."""
    key = ("therapy_day",)
    if key in needs.known:
        return needs.known[key]
    known: dict[str, Value] = {
        "profile": profile.name,
        "method": profile.unit_method,
        "minutes": None,
        "minutes_expected": False,
        "allowed": None,
        "misplaced": (),
        "minutes_by_code": "",
        "right_split": "",
    }
    return needs.learn(key, "therapy_day", known)


class Served(Protocol):
    """A line of which no more is looked at than its service."""

    @property
    def service(self) -> Service: ...


_Served = TypeVar("_Served", bound=Served)


def by_discipline(group: list[_Served]) -> dict[str, list[_Served]]:
    """Lines by the plan of care they name.

    A line that names none belongs to the only one of the day; where the day has several it could belong to
    any, and nothing can be said of the day.
    """
    named: dict[str, list[_Served]] = {}
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
    npis = dict.fromkeys([line.npi for line in lines if line.npi])
    for npi in npis:
        own = [line for line in lines if line.npi == npi]
        if all(line.minutes is not None for line in own):
            minutes = sum(line.minutes.minutes for line in own if line.minutes is not None)
        elif len(npis) == 1:
            minutes = least
        else:
            # The minutes of the others may have carried this provider's units over the edge.
            minutes = sum(max(0, QUARTER * (line.service.units or 0) // 1000 - QUARTER + 1) for line in own)
        busiest = max(busiest, worked.add(npi, on, minutes))
    return busiest


def sum_least_minutes(lines: Iterable[Served], method: UnitMethod) -> int:
    """The fewest minutes for which the units of these timed lines can be billed."""
    billed: dict[str, int] = {}
    for line in lines:
        billed[line.service.code] = billed.get(line.service.code, 0) + (line.service.units or 0) // 1000
    if method == "ama":
        return sum(least_minutes(units) for units in billed.values())
    return least_minutes(sum(billed.values()))


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
    counted = complete and all(
        line.service.units is not None and line.service.units % 1000 == 0 for line in lines
    )
    services = _services(lines)
    billed = dict.fromkeys(services.values(), 0)
    minutes = dict.fromkeys(services.values(), 0)
    unknown = 0
    for line in lines:
        service = services[line.service.code]
        billed[service] += (line.service.units or 0) // 1000
        if line.minutes is None:
            unknown += 1
        else:
            minutes[service] += line.minutes.minutes
    units = sum(billed.values()) if counted else None
    known = complete and not unknown
    working = work(minutes, method) if known and counted else None
    misplaced = working.misplaced(billed) if working is not None else ()
    main = _faulty_line(lines, services, misplaced)
    return Fact(
        "therapy_day",
        {
            "date": on,
            "profile": profile.name,
            "discipline": discipline,
            "method": method,
            "codes": tuple(services),
            "lines": len(lines),
            "units": units,
            "minutes": sum(minutes.values()) if known else None,
            "lines_without_minutes": unknown,
            "minutes_expected": expected,
            "least_minutes": least if counted else None,
            "allowed": working.total if working is not None else None,
            "misplaced": misplaced,
            "minutes_by_code": _listed(minutes, "{} {} min") if known else "",
            "units_by_code": _listed(billed, "{} x{}") if counted else "",
            "right_split": _right_split(working),
            "provider_minutes": busiest,
        },
        {"": (main.view,), "others": tuple([line.view for line in lines if line is not main])},
    )


def _services(lines: list[Line]) -> dict[str, str]:
    """Each code and the service with which it is counted: its own, or the code's whose minutes it goes on."""
    codes = dict.fromkeys([line.service.code for line in lines])
    services = {}
    for line in lines:
        procedure = line.service.procedure
        service = procedure.counts_with if procedure is not None else line.service.code
        services[line.service.code] = service if service in codes else line.service.code
    return services


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
