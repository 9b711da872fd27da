"""Lines and claims that repeat earlier ones."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from edi_checker.claims.claim import Claim, Transaction
from edi_checker.facts.columns import DIAGNOSIS_QUALIFIERS
from edi_checker.facts.places import FixedLocation
from edi_checker.finding import Place

if TYPE_CHECKING:
    from edi_checker.facts.claims import WholeClaim
    from edi_checker.facts.lines import Line

_REISSUE = "18"  # BHT02: the whole transaction is sent a second time, on purpose


class ClaimsSeen:
    """What claims have been seen, so that one that comes again is known, with the place of the first.

    Holds an 8-byte digest and a short text for each, in tables that grow with the number of claims up to
    LIMIT: some 20 MB. Claims beyond it are still compared with those that are held, and are not held.
    """

    LIMIT = 250_000

    def __init__(self) -> None:
        self._count = 0
        # Open addressing: 0 is an empty slot. `_places` holds where in `_texts` the slot's text begins.
        self._digests = array("Q", bytes(8 << 10))
        self._places = array("Q", bytes(8 << 10))
        self._texts = bytearray()

    def meet(self, digest: int, claim: Claim) -> Place | None:
        """The place of the first claim with this digest (never 0); None where this claim is the first."""
        slot = self._slot(digest)
        if self._digests[slot]:
            return self._place(self._places[slot])
        if self._count < self.LIMIT:
            self._put(slot, digest, _written(claim))
        return None

    def hold(self, digest: int, text: bytes) -> None:
        """Keep a digest that is not there, with the text that says where its claim stands."""
        self._put(self._slot(digest), digest, text)

    def _put(self, slot: int, digest: int, text: bytes) -> None:
        self._digests[slot] = digest
        self._places[slot] = len(self._texts)
        self._texts += text
        self._count += 1
        if 3 * self._count > 2 * len(self._digests):
            self._grow()

    def _slot(self, digest: int) -> int:
        """The slot of a digest, or the empty one where it would stand."""
        digests = self._digests
        last = len(digests) - 1
        slot = digest & last
        while digests[slot] and digests[slot] != digest:
            slot = slot + 1 & last
        return slot

    def _grow(self) -> None:
        digests, places = self._digests, self._places
        self._digests = array("Q", bytes(16 * len(digests)))
        self._places = array("Q", bytes(16 * len(digests)))
        for digest, place in zip(digests, places, strict=True):
            if digest:
                slot = self._slot(digest)
                self._digests[slot] = digest
                self._places[slot] = place

    def _place(self, begin: int) -> Place:
        text = self._texts[begin : self._texts.index(_END, begin)].decode()
        interchange, group, transaction, claim, position = text.split(_BETWEEN)
        return Place(
            interchange, group or None, transaction, claim, None, "2300", "CLM", int(position), "CLM01"
        )


_BETWEEN, _END = "\x1f", b"\x1e"


def _written(claim: Claim) -> bytes:
    id = claim.id
    if _BETWEEN in id or "\x1e" in id:
        id = _clean(id)
    text = f"{_numbers_of(*claim.transaction.numbers)}{_BETWEEN}{id}{_BETWEEN}{claim.position}"
    return text.encode("utf-8", "replace") + _END


@lru_cache(maxsize=256)
def _numbers_of(interchange: str, group: str, transaction: str) -> str:
    return _BETWEEN.join(map(_clean, (interchange, group, transaction)))


def _clean(word: str) -> str:
    """A word without what separates words: a number with it is no control number."""
    return word.replace(_BETWEEN, "").replace("\x1e", "")


def find_earlier_claim(seen: ClaimsSeen, whole: WholeClaim) -> FixedLocation | None:
    """Where the same claim stood before: same levels above it, diagnoses, lines, charges, days and providers.

    Its number (CLM01) may be another. Replacements and voids repeat a claim on purpose, and so does a
    transaction that is issued anew: they are neither compared nor remembered. Nor are claims with faults, of
    which not all may be known, and those of an interchange that comes twice, of which all has been said.
    """
    claim = whole.claim
    if claim.faults or not whole.lines or not is_compared(claim):
        return None
    served = [f"{line.said} {line.first} {line.last} {line.npi}" for line in whole.lines]
    diagnoses = [
        composite
        for segment in claim.header.all("HI")
        for composite in segment[1:]
        if composite.partition(claim.component)[0] in DIAGNOSIS_QUALIFIERS
    ]
    levels = (claim.billing, claim.subscriber, claim.patient)
    above = [level.content for level in levels if level is not None]
    where = seen.meet(digest_claim(above, claim.place_of_service, diagnoses, served), claim)
    return FixedLocation(where) if where is not None else None


def is_compared(claim: Claim) -> bool:
    """Whether a claim without faults is one that must not come twice."""
    return claim.frequency == "1" and is_first_issue(claim.transaction)


def is_first_issue(transaction: Transaction) -> bool:
    """Whether the claims of a transaction are sent for the first time, as far as it says itself."""
    interchange = transaction.interchange
    if interchange.faults and any(fault.kind == "interchange-repeated" for fault in interchange.faults):
        return False
    return transaction.purpose != _REISSUE


def digest_claim(above: Sequence[str], place: str, diagnoses: Sequence[str], served: list[str]) -> int:
    """The digest of all that makes a claim the same as another, never 0: what the levels above it say, place
    of service, diagnoses, lines with their providers.
    """
    served.sort()
    text = _BETWEEN.join([*above, "", place, *diagnoses, "", *served])
    digest = blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") or 1


def find_earlier_lines(lines: Sequence[Line]) -> None:
    """Note of each line of a claim the earlier one that it repeats.

    Two lines are the same where all is but their numbers (LX01, REF*6R) and the order of the modifiers: a
    line that has a note, a drug, a reference or a payment of its own is another one.
    """
    if len({(line.service.code, line.first) for line in lines}) == len(lines):
        return
    first: dict[tuple[object, ...], Line] = {}
    for line in lines:
        service, view = line.service, line.view
        if not service.code or line.first is None:
            continue
        rest = tuple(
            [
                tuple(segment)
                for segment in view.segments
                if segment[0] not in ("LX", "SV1") and segment[:2] != ["REF", "6R"]
            ]
        )
        said = (
            service.code,
            tuple(sorted(service.modifiers)),
            line.charge,
            *(view.service or ())[3:],
            *view.procedure[6:],
        )
        earlier = first.setdefault((said, rest), line)
        if earlier is not line:
            line.repeated = earlier
