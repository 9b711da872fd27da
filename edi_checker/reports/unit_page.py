"""Minutes and the units they make, with the working shown, as text for people."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Mapping
from itertools import islice

from edi_checker.reference.tables import Tables
from edi_checker.reference.units import QUARTER, ROUNDS_UP, UnitMethod, Working, least_minutes, work
from edi_checker.x12.dates import iso

_NAMES: dict[UnitMethod, str] = {"cms": "CMS 8-minute rule", "ama": "AMA midpoint rule"}
_LEAST_ROWS = 8  # of the table of thresholds
_MOST_SPLITS = 6
_INDENT = "  "


def write_units(
    minutes: Mapping[str, int],
    method: UnitMethod,
    tables: Tables,
    on: int,
    documentation: Iterable[str],
    width: int,
) -> str:
    """The units for the minutes of one discipline on one day by code, as both methods count them.

    `method` is the chosen one; the other is shown next to it. `on` is the day (CCYYMMDD) for which
    the tables say which codes are timed; a code that they do not know is taken as timed. `documentation` says
    what the record should show.
    """
    timed, untimed, counted = _count(minutes, tables, on)
    other: UnitMethod = "ama" if method == "cms" else "cms"
    workings = {each: work(counted, each) for each in (method, other)}
    out = [_headline(counted, workings[method]), ""]
    out += _strips(counted)
    out += _beside(counted, workings, method)
    for each in (method, other):
        out += ["", _NAMES[each]]
        out += [_INDENT + line for line in (_cms if each == "cms" else _ama)(workings[each])]
    for codes in timed.values():
        if len(codes) > 1:
            out += ["", f"Of {'+'.join(codes)} the first unit is {codes[0]}, further ones are {codes[-1]}."]
    out += _untimed(untimed, tables, on)
    strangers = [code for code in minutes if tables.procedure(code, on) is None]
    if strangers:
        out += ["", f"Not in the therapy table, and taken as timed: {', '.join(strangers)}."]
    out += _too_many(timed, workings[method], tables, on)
    most = max(_LEAST_ROWS, *(working.total for working in workings.values()))
    out += ["", f"Minutes for a unit ({_NAMES['cms']}: of all timed codes together; AMA: of each)"]
    for units in range(1, min(most, 96) + 1):
        out.append(f"{_INDENT}{units:>2} {'unit ' if units == 1 else 'units'}  {_span(units)}")
    out += ["", "The record should show"]
    for line in documentation:
        out += textwrap.wrap(line, width, initial_indent=_INDENT + "- ", subsequent_indent=_INDENT * 2)
    return "\n".join(out) + "\n"


def units_as_json(minutes: Mapping[str, int], method: UnitMethod, tables: Tables, on: int) -> str:
    """The same units as JSON, as units.schema.json describes it; arguments as of write_units."""
    _, untimed, counted = _count(minutes, tables, on)
    workings = {each: work(counted, each) for each in _NAMES}
    document = {
        "schema": "edi-checker/units/1",
        "on": iso(on),
        "method": method,
        "minutes": dict(minutes),
        "not_timed": untimed,
        "methods": {
            each: {"units": working.total, "bill": list(islice(working.allocations(), _MOST_SPLITS))}
            for each, working in workings.items()
        },
    }
    return json.dumps(document, indent=2) + "\n"


def _count(
    minutes: Mapping[str, int], tables: Tables, on: int
) -> tuple[dict[str, list[str]], list[str], dict[str, int]]:
    """The timed codes by the one that they are counted with, the others, and the minutes that count."""
    timed: dict[str, list[str]] = {}
    untimed: list[str] = []
    for code in minutes:
        procedure = tables.procedure(code, on)
        if procedure is not None and not procedure.eight_minute:
            untimed.append(code)
        else:
            main = procedure.counts_with if procedure is not None else code
            codes = timed.setdefault(main if main in minutes else code, [])
            codes.insert(0 if code == main else len(codes), code)
    # The minutes of a code that goes on where another ends are counted together with it.
    return timed, untimed, {"+".join(codes): sum(minutes[code] for code in codes) for codes in timed.values()}


_GIVEN = re.compile(r"([A-Za-z0-9]{5})=([0-9]{1,4})")
_DAY = 24 * 60


def read_minutes(given: Iterable[str]) -> dict[str, int]:
    """Minutes by code from `97530=25` and the like. Raises ValueError, with a sentence for the user."""
    minutes: dict[str, int] = {}
    for text in given:
        found = _GIVEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not CODE=MINUTES, such as 97530=25")
        code = found[1].upper()
        if code in minutes:
            raise ValueError(f"{code} is listed twice; add its minutes up")
        minutes[code] = int(found[2])
    if sum(minutes.values()) > _DAY:
        raise ValueError(f"a day has {_DAY} minutes")
    return minutes


def _headline(counted: Mapping[str, int], working: Working) -> str:
    given = ", ".join(f"{code} {minutes} min" for code, minutes in counted.items()) or "no timed code"
    return f"{given}: {_units(working.total)} by the {_NAMES[working.method]}"


def _strips(counted: Mapping[str, int]) -> list[str]:
    """One mark a minute, in quarters of an hour."""
    out = []
    label = max(map(len, counted), default=0)
    for code, minutes in counted.items():
        quarters = ["|" * QUARTER] * (minutes // QUARTER) + ["|" * (minutes % QUARTER)] * (
            minutes % QUARTER > 0
        )
        for row in range(0, max(len(quarters), 1), 4):
            out.append(
                f"{_INDENT}{code if row == 0 else '':<{label}}  {' '.join(quarters[row : row + 4])}".rstrip()
            )
    return [*out, ""] if out else []


def _beside(
    counted: Mapping[str, int], workings: Mapping[UnitMethod, Working], method: UnitMethod
) -> list[str]:
    label = max(len("together"), *map(len, counted)) if counted else len("together")
    heads = ["minutes", *(each.upper() + ("*" if each == method else "") for each in ("cms", "ama"))]
    rows = [
        (code, str(minutes), *(_share(workings[each], code) for each in ("cms", "ama")))
        for code, minutes in counted.items()
    ]
    rows.append(
        ("together", str(sum(counted.values())), str(workings["cms"].total), str(workings["ama"].total))
    )
    out = [f"{_INDENT}{'':<{label}}" + "".join(f"{head:>9}" for head in heads)]
    out += [f"{_INDENT}{code:<{label}}" + "".join(f"{cell:>9}" for cell in cells) for code, *cells in rows]
    return out


def _share(working: Working, code: str) -> str:
    """The units of one code; `1-2` where several ways are right."""
    least = working.whole[code] + (code in working.certain)
    return f"{least}-{least + 1}" if code in working.tied else str(least)


def _cms(working: Working) -> list[str]:
    total = sum(working.minutes.values())
    if not working.minutes:
        return ["no timed minutes"]
    added = " + ".join(map(str, working.minutes.values()))
    out = [f"{added} = {total} timed minutes" if len(working.minutes) > 1 else f"{total} timed minutes"]
    out.append(f"{_divided(total)}: {_units(working.total)}")
    out += [f"{code}: {_divided(minutes, plain=True)}" for code, minutes in working.minutes.items()]
    left = working.total - sum(working.whole.values())
    if left == 0:
        out.append("the full quarter hours are all of them")
        return out
    takers = [f"{code} ({working.rest[code]} min)" for code in working.certain]
    if takers:
        out.append(f"{_units(len(takers))} for the largest rest: {', '.join(takers)}")
    if working.tied:
        tied = " or ".join(working.tied)
        rest = working.rest[working.tied[0]]
        out.append(f"{_units(working.spare)} for equal rests ({rest} min): {tied}, whichever you choose")
    splits = [_split(split) for split in islice(working.allocations(), _MOST_SPLITS + 1)]
    if len(splits) > 1:
        more = " or another" if len(splits) > _MOST_SPLITS else ""
        out.append("right: " + " or ".join(splits[:_MOST_SPLITS]) + more)
    else:
        out.append(f"bill {splits[0]}")
    return out


def _ama(working: Working) -> list[str]:
    if not working.minutes:
        return ["no timed minutes"]
    return [f"{code}: {_divided(m)}: {_units(working.whole[code])}" for code, m in working.minutes.items()]


def _divided(minutes: int, *, plain: bool = False) -> str:
    """`38 = 2 x 15 + 8, and 8 or more is one more`."""
    whole, rest = divmod(minutes, QUARTER)
    said = (
        f"{minutes} = {whole} x {QUARTER} + {rest}" if whole and rest else f"{minutes} = {whole} x {QUARTER}"
    )
    if not whole:
        said = str(minutes)
    if plain:
        return f"{said}, {rest} left" if rest and whole else said + (" left" if rest else "")
    least = QUARTER - ROUNDS_UP
    if rest >= least:
        return f"{said}; {rest} is {least} or more and makes one more"
    return f"{said}; {rest} is under {least} and makes none" if rest else said


def _split(units: Mapping[str, int]) -> str:
    return ", ".join(f"{code} x{count}" for code, count in units.items() if count) or "nothing"


def _units(count: int) -> str:
    return f"{count} unit{'' if count == 1 else 's'}"


def _span(units: int) -> str:
    return f"{least_minutes(units):>4} to {least_minutes(units + 1) - 1} minutes"


def _untimed(codes: Iterable[str], tables: Tables, on: int) -> list[str]:
    out = []
    for code in codes:
        procedure = tables.procedure(code, on)
        if procedure is not None and procedure.minutes_per_unit:
            length = procedure.minutes_per_unit
            said = f"{code} is counted by itself, in units of {length} minutes, outside of this rule."
        else:
            said = f"{code} is not counted by minutes: one unit, however long it takes."
        out.append(said)
    return ["", *out] if out else []


def _too_many(timed: Mapping[str, list[str]], working: Working, tables: Tables, on: int) -> list[str]:
    out = []
    for codes in timed.values():
        limit = tables.mue(codes[0], on)
        units = working.whole["+".join(codes)] + ("+".join(codes) in working.certain)
        if limit is not None and len(codes) == 1 and units > limit.limit > 0:
            out.append(
                f"{codes[0]}: the medically unlikely edit allows {limit.limit} a day ({limit.table.version})."
            )
    return ["", *out] if out else []
