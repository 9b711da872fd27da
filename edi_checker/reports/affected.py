"""Which claims stand below the findings above them: the claims that such a finding costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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


class Reaches:
    """The claims below each part that has findings, as numbers of the claims of the file.

    `pass_by` takes each part above claims; `take` gives the number of the reach of the last one.
    """

    def __init__(self) -> None:
        self._found: list[tuple[int, int]] = []  # claims before the first, and up to the last
        self._begin = [0] * (max(_DEPTHS.values()) + 1)  # claims before the part at each depth
        self._open: list[tuple[int, int]] = []  # depth of a part above what follows, and its number in _found
        self._last: tuple[int, int, bool] = (0, 0, False)
        self._taken = False

    def pass_by(self, part: Part, claims: int) -> None:
        """`claims` stand before it."""
        depth = _DEPTHS[type(part)]
        while self._open and self._open[-1][0] >= depth:
            _, number = self._open.pop()
            self._found[number] = (self._found[number][0], claims)
        ends = isinstance(part, (TransactionEnd, GroupEnd, InterchangeEnd))
        if not ends:
            self._begin[depth:] = [claims] * (len(self._begin) - depth)
        self._last, self._taken = (depth, claims, ends), False

    def take(self) -> int:
        if not self._taken:
            depth, claims, ends = self._last
            self._found.append((self._begin[depth], claims))
            if not ends:
                self._open.append((depth, len(self._found) - 1))
            self._taken = True
        return len(self._found) - 1

    def end(self, claims: int) -> None:
        for _, number in self._open:
            self._found[number] = (self._found[number][0], claims)
        self._open.clear()

    def range(self, number: int) -> range:
        first, last = self._found[number]
        return range(first + 1, last + 1)

    def first(self, most: int) -> Iterator[int]:
        """The claims to be named, as many as may be."""
        for number in range(len(self._found)):
            claims = self.range(number)[: min(MOST_AFFECTED, most)]
            most -= len(claims)
            yield from claims


class Affected:
    """Adds to findings the claims that they affect, as long as claims may be named."""

    def __init__(self, reaches: Reaches, names: Mapping[int, str]) -> None:
        self._reaches = reaches
        self._names = names
        self._left = MOST_NAMED

    def add(self, finding: str, reach: int) -> str:
        claims = self._reaches.range(reach)
        named = claims[: min(MOST_AFFECTED, self._left)]
        self._left -= len(named)
        names = ", ".join(self._names[number] for number in named)
        return f'{finding[:-1]}, "affects": [{names}], "affects_count": {len(claims)}}}'
