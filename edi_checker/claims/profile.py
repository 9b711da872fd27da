"""The payer profile of a claim."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from edi_checker.claims.claim import Claim
from edi_checker.finding import Severity

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
    isolation        what a fault of structure rejects, None to leave it to the run
    minutes_note     how a line note says minutes, None for the ways that are known anyway
    member_id        which form a subscriber's id has, None for any (and for Medicare its own)
    """

    name: str
    unit_method: UnitMethod = "cms"
    severities: Mapping[str, Level] = field(default_factory=dict)
    snip_severities: Mapping[int, Level] = field(default_factory=dict)
    switches: Mapping[str, bool] = field(default_factory=dict)
    statuses: Statuses = PRESETS["default"]
    isolation: Isolation | None = None
    minutes_note: re.Pattern[str] | None = None
    member_id: re.Pattern[str] | None = None
    inherits: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name and those it inherits from, the nearest first."""
        return (self.name, *self.inherits)

    @property
    def built_in(self) -> str:
        """The built-in profile that it is or comes from, `commercial` where there is none."""
        return next((name for name in self.names if name in BUILT_IN), COMMERCIAL.name)

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
        if by_type is None or level == "off" or (level == "info" and by_type != "off"):
            return level
        return by_type

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


MEDICARE = Profile("medicare")
MEDICAID = Profile("medicaid")
COMMERCIAL = Profile("commercial")
# By SBR09 a claim may also be for a Medicare Advantage plan; by name it goes to a contractor of Medicare.
NAMED_MEDICARE = replace(MEDICARE, severities={"code.member-id": "error"})
BUILT_IN = {profile.name: profile for profile in (NAMED_MEDICARE, MEDICAID, COMMERCIAL)}

BY_FILING_INDICATOR = {"MA": MEDICARE, "MB": MEDICARE, "MC": MEDICAID}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which profile a claim gets: by its payer's id (2010BB NM109), else by SBR09, else `others`."""

    by_payer: Mapping[str, Profile] = field(default_factory=dict)
    by_filing_indicator: Mapping[str, Profile] = field(default_factory=lambda: BY_FILING_INDICATOR)
    others: Profile = COMMERCIAL

    def of(self, claim: Claim) -> Profile:
        """The profile of a claim; always one of the few objects that this choice holds."""
        subscriber = claim.subscriber
        if subscriber is None:
            return self.others
        if self.by_payer:
            profile = self.by_payer.get(subscriber.payer.id.strip().upper())
            if profile is not None:
                return profile
        return self.by_filing_indicator.get(subscriber.filing_indicator, self.others)


AUTO = Choice()


def choose(claim: Claim, option: Profile | Choice | None) -> Profile:
    """The profile of a claim: the one given for the whole run, else by the claim's payer."""
    if isinstance(option, Profile):
        return option
    return (option or AUTO).of(claim)


def choose_for_run(option: Profile | Choice | None) -> Profile:
    """The profile of what is no claim: headers, levels, trailers."""
    return option if isinstance(option, Profile) else (option or AUTO).others
