"""Whether the totals of a 277CA agree with the claims that it lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edi_checker.acks.narrator import whole
from edi_checker.acks.words import Outcome
from edi_checker.x12.money import cents, show_dollars

Kind = Literal["accepted", "rejected"]

# Of a batch, of a provider, and the charges of both.
_COUNTS: dict[Kind, tuple[str, str, str]] = {"accepted": ("90", "QA", "YU"), "rejected": ("AA", "QC", "YY")}


def counted(sums: Mapping[str, str], kind: Kind) -> int | None:
    """How many claims the QTY segments of a level count as accepted, or rejected."""
    batch, provider, _ = _COUNTS[kind]
    return whole(sums.get(batch, sums.get(provider, "")))


def charged(sums: Mapping[str, str], kind: Kind) -> int | None:
    """The charges of these claims in cents, from the AMT segments."""
    return cents(sums.get(_COUNTS[kind][2], ""))


@dataclass(slots=True)
class Totals:
    """A batch or provider: what its QTY and AMT say in sum, by qualifier, and what is listed below it."""

    id: str
    sums: Mapping[str, str]
    _claims: Counter[Outcome] = field(default_factory=Counter)
    _cents: Counter[Outcome] = field(default_factory=Counter)
    _listed: int = 0
    _comparable: bool = True
    _priced: bool = True

    def add(self, outcome: Outcome, charge: int | None) -> None:
        """A claim that is listed."""
        self._listed += 1
        self._claims[outcome] += 1
        self._cents[outcome] += charge or 0
        self._priced &= charge is not None

    def add_unlisted(self, provider: Totals) -> None:
        """A provider below this batch; one that was rejected as a whole counts its claims and lists none."""
        if provider._listed:
            return
        for kind in _COUNTS:
            self._claims[kind] += counted(provider.sums, kind) or 0
            self._cents[kind] += charged(provider.sums, kind) or 0
            self._priced &= charged(provider.sums, kind) is not None or not counted(provider.sums, kind)
        self._comparable &= _counts_any(provider.sums)

    def contradictions(self) -> list[str]:
        """Each way in which the sums differ from the list; none where list or counts are left out."""
        if not self._listed or not self._comparable or not _counts_any(self.sums):
            return []
        said = {kind: counted(self.sums, kind) or 0 for kind in _COUNTS}
        if self._claims["accepted"] + self._claims["rejected"] != self._claims.total():
            both, listed = sum(said.values()), self._claims.total()
            return [f"{_claims(both)} counted, but {listed} listed"] if both != listed else []
        found = [
            f"{_claims(said[kind])} counted as {kind}, but {self._claims[kind]} listed as {kind}"
            for kind in _COUNTS
            if said[kind] != self._claims[kind]
        ]
        if found or not self._priced:
            return found
        return [
            f"charges of {show_dollars(sum_)} counted as {kind}, but {show_dollars(self._cents[kind])} listed"
            for kind in _COUNTS
            if (sum_ := charged(self.sums, kind)) is not None and sum_ != self._cents[kind]
        ]


def _counts_any(sums: Mapping[str, str]) -> bool:
    return any(counted(sums, kind) is not None for kind in _COUNTS)


def _claims(number: int) -> str:
    return f"{number} {'claim is' if number == 1 else 'claims are'}"
