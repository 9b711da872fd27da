"""Facts through durable-rules to findings; plain Python decides wherever that engine cannot."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

from edi_checker.check.faulty import FaultyClaims
from edi_checker.check.judgement import MAX_FINDINGS, Fired, Judgement, Spoken, in_order
from edi_checker.check.memo import Decider, Memo, Memos
from edi_checker.claims.profile import Profile
from edi_checker.facts import Fact, Setting
from edi_checker.rules import Rule, Rulebook
from edi_checker.rules.durable import ALIASES, Network, Unsafe, networks
from edi_checker.rules.model import Case, InForce
from edi_checker.rules.prefilter import Prefilter
from edi_checker.rules.reference_engine import Binding, bindings
from edi_checker.x12.blocks import Delimiters
from edi_checker.x12.finding import Finding

Kind = Literal["durable", "python"]

# Beyond these durable's joins cost more than plain Python's, which stop at the first MAX_FINDINGS.
_MAX_FACTS = 60
_MAX_RESULTS = 20_000
# Rebuilding a ruleset after a fault costs memory that durable never gives back.
_MAX_FALLBACKS = 20
_MAX_DATES = 10_000  # distinct dates kept for the tally of one profile


class Tally(NamedTuple):
    """Rules of the book; those in force on some date of the run; those in force on none. The rest is off."""

    rules: int = 0
    applied: int = 0
    not_in_force: int = 0


class Met(NamedTuple):
    """Ids of the rules that are on for the claims that were met, and of those in force on a date of them."""

    active: frozenset[str] = frozenset()
    applied: frozenset[str] = frozenset()

    def join(self, other: Met) -> Met:
        return Met(self.active | other.active, self.applied | other.applied)

    def tally(self, rules: int) -> Tally:
        return Tally(rules, len(self.applied), len(self.active - self.applied))


@dataclass(slots=True)
class RuleRun:
    """What one rule did in a run.

    applied  parts of the input on which the filter let it be decided
    fired    findings
    seconds  its share of deciding those parts; the cases of a part are decided together, each counts alike
    """

    rule: str
    applied: int = 0
    fired: int = 0
    seconds: float = 0.0


class Engine:
    """Decides which rules have something to say about the facts of one part of the input.

    rules      those that it decides
    kind       the engine in use: `durable` until it turns out that it cannot be
    note       why Python took over, "" while nothing happened; to be said once for a run
    fallbacks  parts that Python decided because durable failed on them
    ways       claims by how they were judged: by what is remembered of their pieces, or as a whole
    faulty     what was found of claims of which only the faults can be judged

    `clock`, where one is given, counts seconds for `runs`.

    Holds a live session of durable: one Engine for each process, not shared between threads.
    """

    def __init__(
        self, rulebook: Rulebook, kind: Kind = "durable", clock: Callable[[], float] | None = None
    ) -> None:
        self._clock = clock
        self._runs: dict[str, RuleRun] = {}
        self.kind: Kind = kind
        self.note = ""
        self.fallbacks = 0
        self.ways: Counter[Literal["pieces", "whole"]] = Counter()
        self.rules = rulebook.rules
        self._cases: list[tuple[Rule, Case]] = [
            (rule, case) for rule in rulebook.rules for case in rule.cases
        ]
        self._programs: dict[Profile, _Program] = {}
        self._sieves: dict[tuple[int, ...], Prefilter] = {}  # by their cases
        self._durable: _Durable | None = None
        self._memos = Memos()
        self.faulty = FaultyClaims(rulebook.rules)

    def asking(self, rule: Rule) -> Engine:
        """This engine, or one with the same rules where this one is asked for by name."""
        asked = rule.asked()
        if asked is rule:
            return self
        return Engine(
            Rulebook(tuple(asked if each.id == rule.id else each for each in self.rules)), self.kind
        )

    def judge(self, facts: Sequence[Fact], profile: Profile, received: int) -> list[Finding]:
        """The findings on the facts of one part, in document order; the tally learns of its days by `meet`.

        `received` is the date of receipt, CCYYMMDD. Raises reference_engine.TooMuch where a part is too large
        to be decided, and whatever a fact raises that does not know its own place.
        """
        fired = self._judged(facts, profile, received)
        return in_order(fired) if fired else []

    def memo(self, delimiters: Delimiters, setting: Setting, profile: Profile) -> Memo:
        """What was worked out of such claims so far; `setting` is held to the profile."""
        received = setting.received
        key = (profile, delimiters, setting.tables, received)
        memo = self._memos.get(key)
        if memo is None:
            decider = Decider(
                lambda facts: self._judged(facts, profile, received, counted=False),
                lambda cases, facts: self._bindings(list(cases), list(range(len(facts))), facts, received),
            )
            judgement = self._program(profile).judgement
            memo = Memo(delimiters, setting, profile, judgement, decider, self._memos)
            self._memos.add(key, memo)
        return memo

    def note_remembered(self, findings: Sequence[Finding]) -> None:
        """Count for `runs` what was found in a part of which pieces were remembered."""
        if self._clock is not None:
            self._note_fired({finding.rule for finding in findings}, findings)

    def _judged(
        self, facts: Sequence[Fact], profile: Profile, received: int, *, counted: bool = True
    ) -> list[Fired]:
        """What fires on facts, in no order; `counted` where nobody else counts that for `runs`."""
        program = self._program(profile)
        cases, candidates = program.sieve.candidates(facts, received)
        if not cases:
            return []
        began = self._clock() if self._clock is not None else 0.0
        fired: list[Fired] = []
        for number, binding in self._bindings(cases, candidates, facts, received):
            match = self._cases[number][1].match
            bound = {pattern.alias: facts[ordinal] for pattern, ordinal in zip(match, binding, strict=True)}
            fired.append((number, program.spoken[number].finding(bound)))
        if self._clock is not None:
            seconds = (self._clock() - began) / len(cases)
            rules = [self._cases[number][0].id for number in cases]
            for rule in rules:
                self._runs.setdefault(rule, RuleRun(rule)).seconds += seconds
            if counted:
                self._note_fired(set(rules), [finding for _, finding in fired])
        return fired

    def meet(self, profile: Profile, on: int, received: int) -> None:
        """Note for the tally that something of a day (CCYYMMDD) was met."""
        self._program(profile).note_day(on, received)

    def runs(self) -> list[RuleRun]:
        """What each rule did since the engine was made, the slowest first; [] without a clock."""
        return sorted(self._runs.values(), key=lambda run: (-run.seconds, run.rule))

    def _note_fired(self, applied: set[str], findings: Sequence[Finding]) -> None:
        for rule in applied:
            self._runs.setdefault(rule, RuleRun(rule)).applied += 1
        for finding in findings:
            self._runs[finding.rule].fired += 1

    def tally(self) -> Tally:
        """What was applied since the engine was made or `begin` was called."""
        return self.met().tally(len(self.rules))

    def met(self) -> Met:
        """The rules behind the tally."""
        applied: set[str] = set()
        active: set[str] = set()
        for program in self._programs.values():
            if program.met_anything():
                for period, rules in program.rules_by_period.items():
                    active |= rules
                    if any(map(period.holds, program.dates_of(period))):
                        applied |= rules
        return Met(frozenset(active), frozenset(applied))

    def begin(self) -> None:
        """Start the tally again, for the next input."""
        for program in self._programs.values():
            program.forget_dates()

    def _program(self, profile: Profile) -> _Program:
        program = self._programs.get(profile)
        if program is None:
            program = self._programs[profile] = _Program(self._cases, profile, self._sieves)
        return program

    def _bindings(
        self, cases: list[int], candidates: list[int], facts: Sequence[Fact], received: int
    ) -> list[tuple[int, Binding]]:
        if self.kind == "durable" and len(candidates) <= _MAX_FACTS:
            try:
                return self._by_durable(cases, candidates, facts, received)
            except _OutOfReach:
                pass
            except Exception as error:  # noqa: BLE001  # whatever durable does, the claim is decided
                self._fall_back(error)
            except BaseException:
                self._durable = None  # interrupted half-way: its session holds facts of this claim
                raise
        return self._by_python(cases, candidates, facts, received)

    def _by_durable(
        self, cases: list[int], candidates: list[int], facts: Sequence[Fact], received: int
    ) -> list[tuple[int, Binding]]:
        if self._durable is None:
            self._durable = _Durable(list(enumerate(case for _, case in self._cases)))
        found = sorted(self._durable.fire(set(cases), candidates, facts, received))
        kept: list[tuple[int, Binding]] = []
        for number in cases:
            kept.extend(islice((entry for entry in found if entry[0] == number), MAX_FINDINGS))
        return kept

    def _by_python(
        self, cases: list[int], candidates: list[int], facts: Sequence[Fact], received: int
    ) -> list[tuple[int, Binding]]:
        kept = [facts[ordinal] for ordinal in candidates]
        return [
            (number, tuple(candidates[place] for place in binding))
            for number in cases
            for binding in islice(bindings(self._cases[number][1], kept, received), MAX_FINDINGS)
        ]

    def _fall_back(self, error: Exception) -> None:
        self._durable = None
        if isinstance(error, _NotInstalled):
            self.kind = "python"
            self.note = "durable-rules cannot be used here; the Python engine decides by the same rules."
            return
        self.fallbacks += 1
        if self.fallbacks >= _MAX_FALLBACKS:
            self.kind = "python"
            self.note = "durable-rules failed repeatedly; the Python engine decides by the same rules."


class _Program:
    """What one profile makes of a rulebook: the cases for it, their severity, and their filter."""

    def __init__(
        self,
        cases: Sequence[tuple[Rule, Case]],
        profile: Profile,
        sieves: dict[tuple[int, ...], Prefilter],
    ) -> None:
        self.spoken: dict[int, Spoken] = {}
        self.rules_by_period: dict[InForce, set[str]] = {}
        self._dates: set[int] = set()
        self._received: set[int] = set()
        for number, (rule, case) in enumerate(cases):
            severity = profile.level(rule.id, rule.snip, case.severity, rule.profiles)
            if severity != "off":
                self.spoken[number] = Spoken(number, rule, case, severity, profile)
                self.rules_by_period.setdefault(case.in_force, set()).add(rule.id)
        numbers = tuple(self.spoken)
        sieve = sieves.get(numbers)
        if sieve is None:
            sieve = sieves[numbers] = Prefilter([(each.number, each.case) for each in self.spoken.values()])
        self.sieve = sieve
        self.judgement = Judgement(self.spoken, self.sieve)

    def note_day(self, on: int, received: int) -> None:
        if len(self._dates) < _MAX_DATES:
            self._dates.add(on)
        self._received.add(received)

    def forget_dates(self) -> None:
        self._dates.clear()
        self._received.clear()

    def met_anything(self) -> bool:
        return bool(self._received)

    def dates_of(self, period: InForce) -> set[int]:
        return self._dates if period.by == "service" else self._received


class _NotInstalled(Exception):
    """durable-rules is not there or does not load on this platform."""


class _OutOfReach(Exception):
    """Nothing is wrong, but this part of the input is more than durable should be asked."""


class _Failed(Exception):
    """durable answered as it should not."""


class _Durable:
    """The rulebook as rulesets of durable-rules, each with one live session, made when first needed."""

    def __init__(self, cases: Sequence[tuple[int, Case]]) -> None:
        self._networks = networks(cases)
        self._sessions: dict[int, _Session] = {}
        self._of_case: dict[int, int] = {}
        for place, network in enumerate(self._networks):
            for number, _ in network.fires.values():
                self._of_case[number] = place

    def fire(
        self, cases: set[int], candidates: list[int], facts: Sequence[Fact], received: int
    ) -> set[tuple[int, Binding]]:
        """What fires, of the given cases, on the facts with these ordinals."""
        found: set[tuple[int, Binding]] = set()
        for place in sorted({self._of_case[number] for number in cases}):
            network = self._networks[place]
            texts: dict[str, int] = {}
            try:
                rows = [network.encode(ordinal, facts[ordinal], received, texts) for ordinal in candidates]
            except Unsafe:
                raise _OutOfReach from None
            known = [row for row in rows if row is not None]
            if not known:
                continue
            if place not in self._sessions:
                self._sessions[place] = _Session(f"rules{place}", network)
            fired = self._sessions[place].fire(known)
            found.update((number, binding) for number, binding in fired if number in cases)
        return found


class _Session:
    """One ruleset with its one session. After an exception it must not be used again."""

    def __init__(self, name: str, network: Network) -> None:
        try:
            import durable_rules_engine
            from durable.engine import Host, Ruleset
        except Exception as error:
            raise _NotInstalled from error

        class QuietHost(Host):  # type: ignore[misc]  # durable has no types
            def _run(self) -> None:
                """No timer threads: nothing here waits for time to pass."""

        self._engine: Any = durable_rules_engine
        self._fires = network.fires
        rules = {name: {**rule, "run": _nothing} for name, rule in network.definition.items()}
        self.ruleset = Ruleset(name, QuietHost(), rules)
        self._handle = self.ruleset._handle  # noqa: SLF001  # the way in that does not call back
        # A session that never fired cannot be deleted without a crash; its successors inherit from this one.
        code, state = self._engine.assert_facts(self._handle, '[{"id":"p","k":0,"i":0,"s":1}]')
        if code != 0 or self._engine.start_action_for_state(self._handle, state) is None:
            raise _Failed
        self._engine.complete_and_start_action(self._handle, state)
        self._engine.delete_state(self._handle, None)

    def fire(self, rows: list[dict[str, str | int]]) -> list[tuple[int, Binding]]:
        """Case numbers and the facts they bind; the session is empty afterwards."""
        engine, handle = self._engine, self._handle
        code, state = engine.assert_facts(handle, json.dumps(rows, separators=(",", ":")))
        if code not in (0, 1):
            raise _Failed
        found: list[tuple[int, Binding]] = []
        started = engine.start_action_for_state(handle, state)
        message = started[1] if started else None
        fired = 0
        while message:
            fired += 1
            if fired > _MAX_RESULTS:
                engine.delete_state(handle, None)
                raise _OutOfReach
            [(name, bound)] = json.loads(message).items()
            number, count = self._fires[name]
            found.append((number, tuple(bound[alias]["i"] for alias in ALIASES[:count])))
            message = engine.complete_and_start_action(handle, state)
        engine.delete_state(handle, None)
        return found


def _nothing(_closure: object) -> None:
    """The action that each rule must have; what fired is drained instead."""
