"""An input repaired in rounds: find, repair, check again, and take back what brought up something new."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from heapq import merge
from itertools import accumulate, groupby, islice
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Any, BinaryIO, Generic, NamedTuple, Self, TypeVar, cast

from edi_checker.check.checker import Checker
from edi_checker.check.fixes.planning import Name, Planner, Repair
from edi_checker.check.fixes.rewriting import NotFollowed, Window, rewrite
from edi_checker.claims.claim import BlockView, Part
from edi_checker.facts import InputMemory
from edi_checker.x12.finding import Finding, Place

MOST_ATTEMPTS = 8  # to find out which repairs bring up something new
MOST_ROUNDS = 4  # of repairs that others make possible
MOST_NEW = 10_000  # findings that a repair brings to light which are looked into


class CannotFix(Exception):
    """Nothing is repaired; the message says why, without quoting the input."""


class Withheld(NamedTuple):
    """A repair that is not made, and the rule and element of a finding that would come or stay with it."""

    repair: Repair
    rule: str
    element: str
    stays: bool


class _Found(NamedTuple):
    """A finding as it is compared: what names it, and the claims that it also speaks of."""

    ordinal: int
    rule: str
    segment: str
    element: str
    related: tuple[tuple[str | None, str | None], ...]

    @property
    def key(self) -> tuple[str, str, str]:
        return self.rule, self.segment, self.element


_Record = TypeVar("_Record")


class _Journal(Generic[_Record]):
    """Records on the disk, in the order of their segments."""

    def __init__(self, make: Callable[[list[Any]], _Record]) -> None:
        self._make = make
        self._file = TemporaryFile("w+", encoding="utf-8", errors="surrogatepass")  # noqa: SIM115  # closed by close()
        self.count = 0

    def add(self, record: tuple[Any, ...]) -> None:
        self._file.write(json.dumps(record) + "\n")
        self.count += 1

    def read(self) -> Iterator[_Record]:
        """All records; one reading at a time."""
        self._file.seek(0)
        for line in self._file:
            yield self._make(json.loads(line))

    def close(self) -> None:
        self._file.close()


def _repair_of(record: list[Any]) -> Repair:
    repair = Repair(*record)
    return repair._replace(where=Place(*repair.where))


def _found_of(record: list[Any]) -> _Found:
    found = _Found(*record)
    return found._replace(related=tuple((transaction, claim) for transaction, claim in found.related))


class _Repairs:
    """Repairs on the disk. Those that are known only behind their segment are in order among themselves."""

    def __init__(self) -> None:
        self._usual, self._late = _Journal(_repair_of), _Journal(_repair_of)
        self._last = 0

    @property
    def count(self) -> int:
        return self._usual.count + self._late.count

    def add(self, repair: Repair) -> None:
        if repair.ordinal < self._last:
            self._late.add(repair)
        else:
            self._last = repair.ordinal
            self._usual.add(repair)

    def read(self) -> Iterator[Repair]:
        """All, by segment; one reading at a time."""
        return merge(self._usual.read(), self._late.read(), key=lambda repair: repair.ordinal)

    def close(self) -> None:
        self._usual.close()
        self._late.close()


def _merged(rounds: list[_Repairs]) -> Iterator[Repair]:
    """The repairs of all rounds by segment, on each segment in the order in which they were made."""
    return merge(*(each.read() for each in rounds), key=lambda repair: repair.ordinal)


class _Survey:
    """One check of an input: what is found, and what of it can be repaired."""

    def __init__(self) -> None:
        self.findings = _Journal(_found_of)
        self.repairs = _Repairs()
        self.severities: Counter[str] = Counter()
        self.left_unsafe = 0

    def run(
        self,
        checker: Checker,
        source: IO[bytes],
        *,
        unsafe: bool,
        left: AbstractSet[Name],
        look: Callable[[], None],
    ) -> None:
        """Check; `left` are repairs that are not to be made. Raises CannotFix, x12.NotX12."""
        planner, at = Planner(checker.guide, unsafe=unsafe, left=left), 1
        checker.engine.begin()
        memory = InputMemory(checker.setting.minutes)
        for checked in checker.check(cast(BinaryIO, Window(source)), memory):
            look()
            if checked.failed:
                raise CannotFix(f"a part of it could not be checked: {checked.failed}")
            at = max(at, _first_of(checked.part))
            found = [_compared(finding, checked.part, at) for finding in checked.findings]
            for each in sorted(found):
                self.findings.add(each)
            self.severities.update(finding.severity for finding in checked.findings)
            for repair in planner.plan(checked):
                self.repairs.add(repair)
            if isinstance(checked.part, BlockView):
                at += checked.part.block.text.count(checked.part.block.delimiters.terminator)
        self.left_unsafe = planner.left_unsafe

    def close(self) -> None:
        self.findings.close()
        self.repairs.close()


def _first_of(part: Part) -> int:
    return part.block.ordinal if isinstance(part, BlockView) else part.ordinal


def _compared(finding: Finding, part: Part, at: int) -> _Found:
    where = finding.where
    if isinstance(part, BlockView):
        last = part.block.text.count(part.block.delimiters.terminator)
        at += min(max(where.position - part.position, 0), last)
    related = tuple((place.transaction, place.claim) for place in finding.related)
    return _Found(at, finding.rule, where.segment, where.element or "", related)


class Fixed:
    """An input after its repairs, and what is left to find in it.

    content      the input with the repairs
    withheld     what was not repaired because of what would be found then, one of each part
    left_unsafe  how many more repairs there would be with those that are probable
    severities   of the findings that are left
    """

    def __init__(
        self,
        content: IO[bytes],
        survey: _Survey,
        rounds: list[_Repairs],
        withheld: list[Withheld],
        files: ExitStack,
    ) -> None:
        self._files = files
        self.content = content
        self.withheld = withheld
        self.left_unsafe = survey.left_unsafe
        self.severities = survey.severities
        self._rounds = rounds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give back the temporary files; the input is not one of them."""
        self._files.close()

    @property
    def count(self) -> int:
        """How many repairs were made."""
        return sum(each.count for each in self._rounds)

    def repairs(self) -> Iterator[Repair]:
        """Every repair, in the order of the segments; one reading at a time."""
        return _merged(self._rounds)


def fix(checker: Checker, source: IO[bytes], *, unsafe: bool, look: Callable[[], None]) -> Fixed:
    """Repair what the checker finds in an input, a file that is read from its start.

    What is repaired is checked again with the same checker. A repair is taken back with which something is
    found that was not found before, or with which its finding stays. The result has no repair left to make:
    to repair it again changes nothing. `look` is called now and then, to stop by an exception. Memory does
    not grow with the input, but for what is taken back. Raises CannotFix, and x12.NotX12 where the input
    cannot be read.
    """
    run = _Run(checker, unsafe=unsafe, look=look)
    with run.files:
        first = now = run.survey(source)
        for _ in range(MOST_ATTEMPTS):
            content, last, rounds = run.repair(source, now)
            guilty = _find_guilty(first, rounds, last)
            if not guilty:
                run.withheld.sort(key=lambda each: each.repair.ordinal)
                return Fixed(content, last, rounds, run.withheld, run.files.pop_all())
            run.leave(guilty)
            now = run.survey(source)
    raise CannotFix("the repairs bring up something new each time")


class _Run:
    """The repairs of one input, tried until nothing is found with them that was not found without."""

    def __init__(self, checker: Checker, *, unsafe: bool, look: Callable[[], None]) -> None:
        self.files = ExitStack()
        self.withheld: list[Withheld] = []
        self._checker = checker
        self._unsafe = unsafe
        self._look = look
        self._left: set[Name] = set()

    def leave(self, guilty: dict[Name, Withheld]) -> None:
        """Make these repairs no more."""
        self.withheld += islice(guilty.values(), max(MOST_NEW - len(self.withheld), 0))
        self._left.update(guilty)

    def survey(self, content: IO[bytes]) -> _Survey:
        made = _Survey()
        self.files.callback(made.close)
        made.run(self._checker, content, unsafe=self._unsafe, left=self._left, look=self._look)
        return made

    def repair(self, source: IO[bytes], now: _Survey) -> tuple[IO[bytes], _Survey, list[_Repairs]]:
        """The input after its repairs, what is found then, and the repairs; `now` is its survey.

        What one repair brings up may be a matter of form too, as of an NPI with blanks whose qualifier was in
        lower case.
        """
        content, rounds = source, list[_Repairs]()
        while now.repairs.count and len(rounds) < MOST_ROUNDS:
            copy: IO[bytes] = self.files.enter_context(TemporaryFile())  # noqa: SIM115  # closed with the run
            try:
                rewrite(content, copy, now.repairs.read(), self._checker.bounds)
            except NotFollowed as error:
                raise CannotFix(str(error)) from None
            rounds.append(now.repairs)
            if content is not source:
                content.close()
            content, now = copy, self.survey(copy)
        return content, now, rounds


def _find_guilty(first: _Survey, rounds: list[_Repairs], last: _Survey) -> dict[Name, Withheld]:
    """The repairs with which something is found that was not found in the input as it came, and those of
    which the finding stays.
    """
    if not rounds:
        return {}
    guilty = {each.repair.name: each for each in _find_futile(first, rounds, last)}
    for repair in last.repairs.read():  # of repairs that make each other necessary there is no end
        guilty[repair.name] = Withheld(repair, repair.rule, repair.where.element or "", stays=True)
    new = list(islice(_find_new(first, last), MOST_NEW))
    if guilty or not new:
        return guilty
    places = [found.ordinal for found in new]
    nearness = _find_nearest(new, places, rounds)
    in_part = [0, *accumulate(near == _PART for near in nearness)]
    for repair in _merged(rounds):
        on_segment = range(bisect_left(places, repair.ordinal), bisect_right(places, repair.ordinal))
        start, end = bisect_left(places, repair.first), bisect_right(places, repair.last)
        brought = [n for n in on_segment if nearness[n] == _nearness(repair, new[n])]
        if not brought and in_part[end] > in_part[start]:
            brought = [start]
        if brought:
            found = new[brought[0]]
            guilty[repair.name] = Withheld(repair, found.rule, found.element, stays=False)
    return guilty or _find_distant(new, rounds)


# How near the nearest repair stands to a finding that is new.
_ELEMENT, _SEGMENT, _PART, _FAR = range(4)


def _find_nearest(new: list[_Found], places: list[int], rounds: list[_Repairs]) -> list[int]:
    """Of each new finding, how near a repair stands to it; `places` are their ordinals, in order."""
    nearest = [_FAR] * len(new)
    covered = [0] * (len(new) + 1)  # +1 where a part with a repair begins, -1 behind it
    for repair in _merged(rounds):
        covered[bisect_left(places, repair.first)] += 1
        covered[bisect_right(places, repair.last)] -= 1
        for n in range(bisect_left(places, repair.ordinal), bisect_right(places, repair.ordinal)):
            nearest[n] = min(nearest[n], _nearness(repair, new[n]))
    return [
        _PART if near == _FAR and parts else near
        for near, parts in zip(nearest, accumulate(covered), strict=False)
    ]


def _nearness(repair: Repair, found: _Found) -> int:
    """How near a repair stands to a finding on its segment."""
    at = (repair.where.element or "").partition("-")[0]
    return _ELEMENT if at and at == found.element.partition("-")[0] else _SEGMENT


def _find_distant(new: list[_Found], rounds: list[_Repairs]) -> dict[Name, Withheld]:
    """The repairs that bring up something in another part: in a claim that the finding also speaks of, else
    above the claims, else anywhere.
    """
    found = new[0]
    claims = {claim for each in new for claim in each.related}
    tests: tuple[Callable[[Repair], bool], ...] = (
        lambda repair: (repair.where.transaction, repair.where.claim) in claims,
        lambda repair: not repair.of_claim,
        lambda repair: True,
    )
    for holds in tests:
        guilty = {
            repair.name: Withheld(repair, found.rule, found.element, stays=False)
            for repair in _merged(rounds)
            if holds(repair)
        }
        if guilty:
            return guilty
    raise CannotFix("with the repairs more is found, and it is not clear why")


def _find_futile(first: _Survey, rounds: list[_Repairs], last: _Survey) -> Iterator[Withheld]:
    """The repairs of which the finding is still there."""
    repaired = (repair for repair in _merged(rounds) if repair.asked)
    for old, new, repairs in _side_by_side(first.findings.read(), last.findings.read(), repaired):
        was, left = (Counter(found.key for found in side) for side in (old, new))
        for repair in repairs:
            key = repair.rule, repair.where.segment, repair.where.element or ""
            if was[key] and left[key] >= was[key]:
                yield Withheld(repair, key[0], key[2], stays=True)


def _find_new(first: _Survey, last: _Survey) -> Iterator[_Found]:
    """What is found now and was not found in the input as it came."""
    for old, new, _ in _side_by_side(first.findings.read(), last.findings.read(), iter(())):
        known = Counter(found.key for found in old)
        for found in new:
            if known[found.key]:
                known[found.key] -= 1
            else:
                yield found


def _side_by_side(
    old: Iterator[_Found], new: Iterator[_Found], repairs: Iterator[Repair]
) -> Iterator[tuple[list[_Found], list[_Found], list[Repair]]]:
    """What is said of each segment, of which anything is said."""
    tagged: Iterator[tuple[int, int, Any]] = merge(
        ((each.ordinal, 0, each) for each in old),
        ((each.ordinal, 1, each) for each in new),
        ((each.ordinal, 2, each) for each in repairs),
        key=lambda item: item[0],
    )
    for _, several in groupby(tagged, key=lambda item: item[0]):
        sides: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
        for _, side, each in several:
            sides[side].append(each)
        yield sides
