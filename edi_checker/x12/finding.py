"""What is wrong, where, how bad, and which status answers it."""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


class Place(NamedTuple):
    """Where something stands: the address that a report prints and an acknowledgement cites.

    `position` counts segments within ST..SE with ST = 1 (IK302); in the envelope, outside ST..SE, it is 0.
    `line` is the ordinal of the service line within its claim, from 1. `element` is written as the guide
    writes it: `NM109`, or `SV101-3` for a component. `received` is the day (CCYYMMDD) on which another file
    was received, in which the place is; None for a place of this input.
    """

    interchange: str
    group: str | None
    transaction: str | None
    claim: str | None
    line: int | None
    loop: str
    segment: str
    position: int
    element: str | None = None
    received: int | None = None


class TableVersion(NamedTuple):
    """The table and release that decided a finding, e.g. `ncci_ptp` / `builtin-therapy-2024Q3`."""

    name: str
    version: str


# Back to the submitter, with the reason in words: for an error that has no code of its own in a 277CA.
RETURNED = ("A3:23:41",)
# Status codes that say that something is wrong and not with what: each needs a second one beside it.
NEED_A_SECOND = frozenset(("21", "402", "510", "511", "512", "700", "732"))


class Status(NamedTuple):
    """The codes by which an acknowledgement answers a finding; only those that apply are filled.

    `ack999` as `IK304=3`, `IK403=7`, `IK502=4`, `AK905=5`; `ack277ca` as `A7:562:85`
    (category:code[:entity]),
    up to three, the first one leading; `ta1` as `021`.
    """

    ack999: tuple[str, ...] = ()
    ack277ca: tuple[str, ...] = ()
    ta1: str | None = None


class Finding(NamedTuple):
    """One finding of one rule. Holds no PHI: codes, amounts, units, dates of service and positions only."""

    rule: str
    severity: Severity
    snip: int
    message: str
    fix: str
    citation: str
    where: Place
    related: tuple[Place, ...] = ()
    status: Status = Status()
    table: TableVersion | None = None
