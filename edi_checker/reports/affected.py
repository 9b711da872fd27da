"""Which claims stand below the findings above them: the claims that such a finding costs."""

from __future__ import annotations

from dataclasses import dataclass

from edi_checker.claims.claim import (
    BillingProvider,
    Group,
    GroupEnd,
    Interchange,
    InterchangeEnd,
    Part,
    Patient,
    Subscriber,
    Transaction,
    TransactionEnd,
)

MOST_AFFECTED = 1_000  # claims named below one finding above them
MOST_NAMED = 20_000  # claims named so in one input

# How deep a part stands: it ends what stands as deep or deeper.
_DEPTHS: dict[type, int] = {
    Interchange: 0,
    InterchangeEnd: 0,
    Group: 1,
    GroupEnd: 1,
    Transaction: 2,
    TransactionEnd: 2,
    BillingProvider: 3,
    Subscriber: 4,
    Patient: 5,
}


@dataclass(slots=True)
class _Reach:
    """Claims before the first and up to the last, and CLM01 of the first ones as JSON text."""

    before: int
    last: int
    names: list[str]
    is_open: bool


class Reaches:
    """The claims below each part that has findings, as numbers of the claims of the file.

    `pass_by` takes each part above claims and `note` each claim; `take` gives the number of the reach of the
    last part.
    """

    def __init__(self) -> None:
        self._found: list[_Reach] = []
        depths = max(_DEPTHS.values()) + 1
        self._begin = [0] * depths  # claims before the part at each depth
        self._names: list[list[str]] = [[] for _ in range(depths)]  # the first claims below it
        self._open: list[tuple[int, _Reach]] = []  # with the depth of the part
        self._last: tuple[int, int, bool] = (0, 0, False)
        self._taken = False
        self._kept = 0  # names of the reaches that are closed

    def pass_by(self, part: Part, claims: int) -> None:
        """`claims` stand before it."""
        depth = _DEPTHS[type(part)]
        self._close(depth, claims)
        ends = isinstance(part, (TransactionEnd, GroupEnd, InterchangeEnd))
        if not ends:
            for each in range(depth, len(self._begin)):
                self._begin[each], self._names[each] = claims, []
        self._last, self._taken = (depth, claims, ends), False

    def note(self, name: str) -> None:
        """A claim, by its CLM01 as JSON text."""
        for names in self._names:
            if len(names) < MOST_AFFECTED:
                names.append(name)

    def take(self) -> int:
        if not self._taken:
            depth, claims, ends = self._last
            # No more are named once so many are.
            names = self._names[depth] if self._kept < MOST_NAMED else []
            self._found.append(_Reach(self._begin[depth], claims, names, not ends))
            if ends:
                self._kept += len(names)
            else:
                self._open.append((depth, self._found[-1]))
            self._taken = True
        return len(self._found) - 1

    def end(self, claims: int) -> None:
        """After the last part of the file."""
        self._close(0, claims)

    def is_open(self, number: int) -> bool:
        """Whether more claims may come into it."""
        return self._found[number].is_open

    def range(self, number: int) -> range:
        found = self._found[number]
        return range(found.before + 1, found.last + 1)

    def names(self, number: int) -> list[str]:
        return self._found[number].names

    def _close(self, depth: int, claims: int) -> None:
        while self._open and self._open[-1][0] >= depth:
            _, found = self._open.pop()
            found.last, found.is_open = claims, False
            self._kept += len(found.names)


class Affected:
    """Adds to findings the claims that they affect, as long as claims may be named."""

    def __init__(self, reaches: Reaches) -> None:
        self._reaches = reaches
        self._left = MOST_NAMED

    def add(self, finding: str, reach: int) -> str:
        named = self._reaches.names(reach)[: self._left]
        self._left -= len(named)
        count = len(self._reaches.range(reach))
        return f'{finding[:-1]}, "affects": [{", ".join(named)}], "affects_count": {count}}}'
