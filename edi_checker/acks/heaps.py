"""What has to be done about a claim, by the answer that decides on it: fix it, wait, or leave it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from edi_checker.acks.explain import Statement
from edi_checker.acks.words import CATEGORIES, NOT_AGAIN, Outcome
from edi_checker.x12.fault_codes import GROUP_NUMBER_TWICE, INTERCHANGE_TWICE, SET_NUMBER_TWICE

Heap = Literal["fix", "wait", "unanswered", "leave"]

# In the order in which they are shown, with the words for them.
HEAPS: dict[Heap, str] = {
    "fix": "Fix and send again",
    "wait": "Wait",
    "unanswered": "Not answered yet",
    "leave": "Leave: accepted, or not to be sent again",
}
UNANSWERED_ADVICE = "Wait for the answer; if none comes, ask the receiver whether the file has arrived."
_GRAVITY: tuple[Heap, ...] = ("leave", "unanswered", "wait", "fix")

_SENT_TWICE = frozenset((INTERCHANGE_TWICE, GROUP_NUMBER_TWICE, SET_NUMBER_TWICE))
# Of NOT_AGAIN, those of which the answer is still to come.
_STILL_AT_WORK = frozenset(("78", "685"))
# Categories that are noted and end the matter: the remittance advice has it.
_ENDED = frozenset(code for code in CATEGORIES if code.startswith("F") and code not in ("F1", "F2"))
# What the answer of each kind is followed by.
_NEXT = {
    "TA1": "Wait for the 999, which answers the transaction sets.",
    "999": "Wait for the 277CA, which answers the claims.",
    "997": "Wait for the 277CA, which answers the claims.",
    "277CA": "Wait for the payer's decision.",
}


def choose_heap(said: Statement, outcome: Outcome) -> Heap:
    """The heap of the claims to which a statement with this outcome applies."""
    if said.answer != "277CA":
        if outcome == "rejected":
            return "leave" if _SENT_TWICE & set(said.codes) else "fix"
        return "wait"
    if any(code.startswith("STC03=") for code in said.codes):
        return "wait"  # until it is known which of the two holds
    statuses = [(*code.split(":"), "")[1] for code in said.codes]
    if outcome in ("rejected", "unclear"):
        again = next((status for status in statuses if status in NOT_AGAIN), "")
        if again:
            return "wait" if again in _STILL_AT_WORK else "leave"
    if outcome == "noted":
        return "leave" if {code.partition(":")[0] for code in said.codes} <= _ENDED else "wait"
    return {"rejected": "fix", "accepted": "leave"}.get(outcome, "wait")  # type: ignore[return-value]  # the values are heaps


def advise(said: Statement, heap: Heap) -> str:
    """What to do: as the statement says, else what comes next."""
    if said.advice or heap != "wait":
        return said.advice
    if any(code.startswith(("R", "P3")) for code in said.codes):
        return "Send the payer what it asks for; do not send the claim again."
    return _NEXT.get(said.answer, "")


def gravest(heaps: Iterable[Heap]) -> Heap:
    """The heap of a whole by those of its parts."""
    return max(heaps, key=_GRAVITY.index)


def gravity(heap: Heap) -> int:
    return _GRAVITY.index(heap)
