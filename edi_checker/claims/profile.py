"""What a payer's profile says: of rules and their severity, units, statuses, isolation, ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from edi_checker.x12.finding import Severity

UnitMethod = Literal["cms", "ama"]
Isolation = Literal["claim", "transaction"]
Level = Literal["error", "warning", "info", "off"]

_GRAVEST_FIRST: tuple[Severity, ...] = ("error", "warning", "info")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Statuses:
    """277CA codes that stand for those of the rule files, by rule id or the id's beginning up to a dot.

    `errors` answer findings that reject the claim, `information` reports those that do not (which is shown,
    and never sent). A single code 21 gets the rule's own code beside it: alone it says nothing.
    """

    errors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    information: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


LONGEST_MEMBER_ID = 80  # characters that NM109 may have
# The rules that ask what was done and how it is coded: what carriers call clinical or policy edits.
_CODING = ("ncci", "modifier", "therapy", "history")

# No national standard says how an edit of coding is answered; these are published practices.
PRESETS: dict[str, Statuses] = {
    "default": Statuses(),
    "mac": Statuses(
        errors=dict.fromkeys(_CODING, ("A3:23:41",)), information=dict.fromkeys(_CODING, ("A2:20:41",))
    ),
    "payer": Statuses(
        errors={
            **dict.fromkeys(_CODING, ("A3:21",)),
            **dict.fromkeys(("balance", "code", "date", "situation"), ("A7:21",)),
            "duplicate": ("A3:54",),
        },
        information={"ncci.ptp-modifier": ("R1:294",)},
    ),
}


@dataclass(frozen=True, slots=True, eq=False)  # what is remembered by profile is found by the object
class Profile:
    """A payer's way, with all that it inherits: what it says of rules, units, statuses and isolation.

    Rules are named by id or by the id's beginning up to a dot (`therapy` is all of `therapy.*`); of several
    names that fit a rule the longest counts.

    inherits         names of the profiles it comes from, the nearest first; what rules say of these by name
                     holds for it too
    switches         rules on and off
    severities       by rule; they win over `snip_severities`, these over the rule's own
    snip_severities  by SNIP type; a finding that is info by its rule stays info, or goes off
    at_most          by rule: a finding that is worse by its rule is lowered to this
    unit_method      how minutes become units, None where the payer has not said
    sure             whether the claim is certainly for the payer; else a rule that is an error only for this
                     payer warns
    isolation        what a fault of structure rejects, None to leave it to the run
    minutes_note     how a line note says minutes, None for the ways that are known anyway
    member_id        which form a subscriber's id has, None for any (and for Medicare its own)
    """

    name: str
    unit_method: UnitMethod | None = None
    severities: Mapping[str, Level] = field(default_factory=dict)
    snip_severities: Mapping[int, Level] = field(default_factory=dict)
    at_most: Mapping[str, Severity] = field(default_factory=dict)
    sure: bool = True
    switches: Mapping[str, bool] = field(default_factory=dict)
    statuses: Statuses = PRESETS["default"]
    isolation: Isolation | None = None
    minutes_note: re.Pattern[str] | None = None
    member_id: re.Pattern[str] | None = None
    inherits: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name and those it inherits from, the nearest first."""
        return (self.name, *self.inherits)

    def level(self, rule: str, snip: int, written: Mapping[str, Level], only: Collection[str] = ()) -> Level:
        """How bad a finding of a rule is here. `written` are the rule's severities by profile name and under
        `default`, `only` the profiles that the rule is for, none for all.
        """
        switch = nearest(self.switches, rule)
        if switch is False or (switch is None and only and not set(only).intersection(self.names)):
            return "off"
        level = next((written[name] for name in self.names if name in written), written["default"])
        by_rule = nearest(self.severities, rule)
        if by_rule is not None:
            return by_rule
        if level == "off" and switch:
            level = next((each for each in _GRAVEST_FIRST if each in written.values()), "off")
        by_type = self.snip_severities.get(snip)
        if by_type is not None and level != "off" and (level != "info" or by_type == "off"):
            return by_type
        return self._lowered(rule, level, written, only)

    def _lowered(self, rule: str, level: Level, written: Mapping[str, Level], only: Collection[str]) -> Level:
        """A rule's own severity, as low as what is open about the claim asks for."""
        if level == "error" and not self.sure and (only or written["default"] != "error"):
            level = "warning"
        most = nearest(self.at_most, rule)
        if most is None or level == "off":
            return level
        return max(level, most, key=_GRAVEST_FIRST.index)

    def answers(self, rule: str, level: Level, written: tuple[str, ...]) -> tuple[str, ...]:
        """The 277CA codes for a finding of a rule whose own are `written`."""
        given = nearest(self.statuses.errors if level == "error" else self.statuses.information, rule)
        if given is None:
            return written
        category, code, *_ = given[0].split(":")
        if len(given) == 1 and code == "21" and written:
            return (given[0], f"{category}:{written[0].partition(':')[2]}")
        return given


def nearest(by_name: Mapping[str, _T], rule: str) -> _T | None:
    """What is said under the longest of the names that stand for a rule."""
    if not by_name:
        return None
    name = rule
    while name not in by_name:
        name = name.rpartition(".")[0]
        if not name:
            return None
    return by_name[name]
