"""What of a fact the rules in use could need: asked before the fact is made."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from edi_checker.facts.vocabulary import Value

Known = dict[str, Value]


class Question(NamedTuple):
    """What the rules still ask of a fact of which some values are known.

    bits    the tests of the rules that the known values leave open
    fields  whose values `holds` looks at: no known ones but those that are compared with an unknown one
    holds   from the values of these fields and the day of receipt the tests that hold, 0 for none of them
    """

    bits: int
    fields: frozenset[str]
    holds: Callable[[Known, int], int]


class Needs:
    """What the rules that are on for a profile could need.

    kinds  the kinds of facts that they name; no others need be made
    known  answers by whatever decides them, filled by `learn`; a maker puts its kind first in its keys
    memory what a maker learns by many answers, by what else it depends on

    An answer may say yes too often, never no where a rule could fire.
    """

    MOST_KNOWN = 50_000  # answers kept before it starts afresh, so that memory stays bounded

    def __init__(
        self,
        kinds: frozenset[str],
        ask: Callable[[str, Known], Question | None],
        together: Callable[[str, int], int],
    ) -> None:
        self.kinds = kinds
        self.known: dict[Hashable, Question | None] = {}
        self.memory: dict[Hashable, object] = {}
        self.ask = ask
        self._together = together

    def learn(self, key: Hashable, kind: str, known: Known) -> Question | None:
        """Answer for all facts with this key, of which these values are known; None: no rule needs them."""
        if len(self.known) >= self.MOST_KNOWN:
            self.known.clear()
        answer = self.known[key] = self.ask(kind, known)
        return answer

    def together(self, kind: str, bits: int) -> int:
        """Those of the tests on one kind for which its facts are needed where no others are there.

        `bits` are those that hold on the facts of this kind of one part. A rule that joins several of them
        needs none while one of its tests holds on none.
        """
        return self._together(kind, bits)
