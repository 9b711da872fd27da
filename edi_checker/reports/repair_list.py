"""The repairs of one input for people: each with its place, before and after; and as a diff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import TextIO

from edi_checker.check.fixes import Fixed, Repair, Withheld
from edi_checker.files.names import escape
from edi_checker.x12.finding import SEVERITIES, Place

# Gives the token for a value of a kind; None where values are shown as they are.
Token = Callable[[str, str], str]


def list_repairs(out: TextIO, fixed: Fixed, *, most: int, token: Token | None) -> None:
    """Each repair, at most so many, and those that are not made, with the reason."""
    unlisted: Counter[str] = Counter()
    for number, repair in enumerate(fixed.repairs()):
        if number >= most:
            unlisted[repair.rule] += 1
            continue
        out.write(f"  {repair.rule}   {_place(repair.where, token)}\n")
        out.write(f"    - {_segment(repair.before, repair, token)}\n")
        out.write(f"    + {_segment(repair.after, repair, token)}\n")
    out.writelines(f"  and {count:,} more of {rule}\n" for rule, count in sorted(unlisted.items()))
    if fixed.withheld:
        out.write("  Not repaired:\n")
    for each in fixed.withheld[:most]:
        out.write(f"  {each.repair.rule}   {_place(each.repair.where, token)}\n")
        out.write(f"    {_reason(each)}\n")
    if len(fixed.withheld) > most:
        out.write(f"  and {len(fixed.withheld) - most:,} more\n")


def _reason(withheld: Withheld) -> str:
    if withheld.stays:
        return f"{withheld.rule} would still be found: the value needs more than another form"
    at = f" at {withheld.element}" if withheld.element else ""
    return f"{withheld.rule}{at} would be found then, which is not found now: correct both together"


def write_diff(out: TextIO, name: str, new_name: str, fixed: Fixed, *, token: Token | None) -> None:
    """The repairs as a unified diff of the segments, one in a line, without lines around them."""
    first = True
    for before, after, places in _segments(fixed.repairs()):
        if first:
            out.write(f"--- {escape(name)}\n+++ {escape(new_name)}\n")
            first = False
        rules = ", ".join(dict.fromkeys(repair.rule for repair in places))
        at = places[0].ordinal
        out.write(f"@@ -{at} +{at} @@ {rules}: {_place(places[0].where, token)}\n")
        out.write(f"-{_segment(before, places[0], token)}\n+{_segment(after, places[-1], token)}\n")


def _segments(repairs: Iterable[Repair]) -> Iterator[tuple[str, str, list[Repair]]]:
    """By segment its text before and after all its repairs, and these."""
    for _, several in groupby(repairs, lambda repair: repair.ordinal):
        places = list(several)
        yield places[0].before, places[-1].after, places


def say_outcome(fixed: Fixed, *, unsafe: bool) -> str:
    """What was repaired and what is left, in a sentence or two."""
    left = [
        f"{fixed.severities[severity]:,} {severity}{'s' if fixed.severities[severity] != 1 else ''}"
        for severity in SEVERITIES
        if fixed.severities[severity] and severity != "info"
    ]
    said = f"{_count(fixed.count, 'repair')}, {' and '.join(left) or 'no error and no warning'} left"
    if fixed.left_unsafe and not unsafe:
        said += f"; {_count(fixed.left_unsafe, 'more repair')} with --unsafe, probable but not sure"
    return said


def _place(where: Place, token: Token | None) -> str:
    words = []
    if where.claim is not None:
        words.append(f"claim {where.claim if token is None else token('CLAIM', where.claim)}")
    if where.line is not None:
        words.append(f"line {where.line}")
    at = where.element or where.segment
    words.append(at if where.loop == where.segment else f"{where.loop} {at}".strip())
    if where.position:
        words.append(f"segment {where.position:,}")
    return escape(", ".join(filter(None, words)))


def _segment(text: str, repair: Repair, token: Token | None) -> str:
    if token is None:
        return escape(text)
    name, *values = text.split(repair.separator)
    return escape(repair.separator.join([name, *(token("VALUE", value) for value in values)]))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
