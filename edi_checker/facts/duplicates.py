"""Lines and claims that repeat earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from edi_checker.claims.claim import DIAGNOSIS_LISTS, ORIGINAL, REISSUE, Claim, Transaction
from edi_checker.facts.places import FixedLocation
from edi_checker.facts.whole_claim import Line, WholeClaim

_BETWEEN = "\x1f"


def find_earlier_claim(whole: WholeClaim) -> FixedLocation | None:
    """Where the same claim stood before: same levels above it, diagnoses, lines, charges, days and providers.

    Its number (CLM01) may be another. Replacements and voids repeat a claim on purpose, and so does a
    transaction that is reissued: they are neither compared nor remembered. Nor are claims with faults, of
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
        if composite.partition(claim.component)[0] in DIAGNOSIS_LISTS
    ]
    levels = (claim.billing, claim.subscriber, claim.patient)
    above = [level.content for level in levels if level is not None]
    digest = digest_claim(above, claim.place_of_service, diagnoses, served)
    on = min((line.first or 0 for line in whole.lines if line.days and line.service.code), default=0)
    where = whole.memory.meet(digest, claim, on)
    return FixedLocation(where) if where is not None else None


def is_compared(claim: Claim) -> bool:
    """Whether a claim without faults is one that must not come twice."""
    return claim.frequency == ORIGINAL and is_first_issue(claim.transaction)


def is_first_issue(transaction: Transaction) -> bool:
    """Whether the claims of a transaction are sent for the first time, as far as it says itself."""
    interchange = transaction.interchange
    if interchange.faults and any(fault.kind == "interchange-repeated" for fault in interchange.faults):
        return False
    return transaction.purpose != REISSUE


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
    alike: dict[tuple[object, ...], list[Line]] = {}
    for line in lines:
        service = line.service
        if service.code and line.first is not None:
            key = (service.code, tuple(sorted(service.modifiers)), line.charge)
            alike.setdefault(key, []).append(line)
    for group in alike.values():
        if len(group) > 1:
            _find_repeated(group)


def _find_repeated(lines: Sequence[Line]) -> None:
    """As find_earlier_lines, of lines with the same code, modifiers and charge."""
    first: dict[tuple[object, ...], Line] = {}
    for line in lines:
        view = line.view
        rest = tuple(
            [
                tuple(segment)
                for segment in view.segments
                if segment[0] not in ("LX", "SV1") and segment[:2] != ["REF", "6R"]
            ]
        )
        said = (*(view.service or ())[3:], *view.procedure[6:])
        earlier = first.setdefault((said, rest), line)
        if earlier is not line:
            line.repeated = earlier
