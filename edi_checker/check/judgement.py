"""What the rules say of a piece of a claim: findings with places and values left open, and open questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from edi_checker.check.allowed import NOT_SHOWN, quotable
from edi_checker.claims.profile import Profile
from edi_checker.facts.fact import Fact, Placed, Value
from edi_checker.facts.pieces import Location, Met, Open, OpenFact, OpenValue, Site, Standing
from edi_checker.rules import Rule
from edi_checker.rules.explain import say
from edi_checker.rules.model import Case, Reference, Text, Where
from edi_checker.rules.prefilter import Prefilter
from edi_checker.x12.finding import RETURNED, Finding, Place, Severity, Status

_MOST_ANSWERS = 10_000  # of one question that an NPI answers
_FEW_ANSWERS = 100  # of any other
_MODIFIER = 2  # characters
_OF_THE_FILE = 2  # SNIP types of structure and guide
_MAX_SAID = 80  # characters of one value in a message


class Spoken(NamedTuple):
    """A case of a rule as it speaks for a profile; `number` is its place among all."""

    number: int
    rule: Rule
    case: Case
    severity: Severity
    profile: Profile

    def finding(self, bound: Mapping[str, Fact]) -> Finding:
        """The finding on the facts that are bound."""
        rule, case = self.rule, self.case
        where = next(_places(case.at, bound))
        related: list[Place] = []
        for place in (place for other in case.related for place in _places(other, bound)):
            if place != where and place not in related:
                related.append(place)
        values = {alias: fact.values for alias, fact in bound.items()}
        return Finding(
            rule.id,
            self.severity,
            rule.snip,
            _fill(case.message, values),
            _fill(case.fix, values),
            rule.sources[0].cite,
            where,
            tuple(related),
            self.status(values),
            next((fact.table for fact in bound.values() if fact.table is not None), None),
        )

    def status(self, bound: Mapping[str, Mapping[str, Any]]) -> Status:
        form = self.case.status
        ack999, ack277ca, ta1 = form.ack999, form.ack277ca, form.ta1
        if isinstance(ack999, Reference):
            ack999 = tuple(code for code in _answers(ack999, bound) if not code.startswith("TA1="))
        if isinstance(ta1, Reference):
            ta1 = next((code[4:] for code in _answers(ta1, bound) if code.startswith("TA1=")), None)
        if isinstance(ack277ca, Reference):
            ack277ca = _answers(ack277ca, bound)
        ack277ca = self.profile.answers(self.rule.id, self.severity, ack277ca)
        if self.severity == "error" and not (ack999 or ack277ca or ta1):
            ack277ca = RETURNED
        return Status(ack999, ack277ca, ta1)


def _places(where: Where, bound: Mapping[str, Fact]) -> Iterator[Place]:
    fact = bound[where.alias]
    for placed in fact.stands_on.get(where.key) or (fact.stands_on[""] if where.key else ()):
        yield _place(placed, where)


def _place(placed: Placed, where: Where) -> Place:
    if where.qualifier:
        return placed.place(where.segment, where.element, qualifier=where.qualifier)
    return placed.place(where.segment, where.element)


def _fill(text: Text, bound: Mapping[str, Mapping[str, Value]]) -> str:
    return "".join(
        [part if isinstance(part, str) else _said(bound[part.alias][part.field], part) for part in text]
    )


def _said(value: Value, part: Reference) -> str:
    """A value as a message quotes it: text of the input only if the guide allows it at its place."""
    holds = quotable(part.address) if value else None
    if holds is not None and isinstance(value, str | tuple):
        texts = (value,) if isinstance(value, str) else value
        if not all(holds(text) for text in texts):
            return NOT_SHOWN
    said = say(value, part.type)
    return said if len(said) <= _MAX_SAID else said[: _MAX_SAID - 3] + "..."


def _answers(reference: Reference, bound: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    value = bound[reference.alias][reference.field]
    return value if isinstance(value, tuple) else ()


class Template:
    """A finding on every piece with the same key: `finding` fills in what was left open."""

    __slots__ = ("_at", "_before", "_fix", "_message", "_related", "_rest", "_table", "number")

    def __init__(self, spoken: Spoken, bound: Mapping[str, OpenFact]) -> None:
        rule, case = spoken.rule, spoken.case
        self.number = spoken.number
        self._before = (rule.id, spoken.severity, rule.snip)
        self._message = _bake(case.message, bound)
        self._fix = _bake(case.fix, bound)
        self._at = _OpenPlace(case.at, bound)
        self._related = tuple([_OpenPlace(other, bound) for other in case.related])
        values = {alias: fact.values for alias, fact in bound.items()}
        self._rest = (rule.sources[0].cite, spoken.status(values))
        self._table = next((fact.table for fact in bound.values() if fact.table is not None), None)

    def finding(self, met: Any) -> Finding:
        where = next(self._at.places(met))
        related: tuple[Place, ...] = ()
        if self._related:
            beside = dict.fromkeys(place for other in self._related for place in other.places(met))
            beside.pop(where, None)
            related = tuple(beside)
        message, fix = self._message, self._fix
        if not isinstance(message, str):
            message = "".join(
                [part if isinstance(part, str) else _said(part[0](met), part[1]) for part in message]
            )
        if not isinstance(fix, str):
            fix = "".join([part if isinstance(part, str) else _said(part[0](met), part[1]) for part in fix])
        citation, status = self._rest
        return Finding(*self._before, message, fix, citation, where, related, status, self._table)


_Parts = list[str | tuple[Callable[[Any], Any], Reference]]


def _bake(text: Text, bound: Mapping[str, OpenFact]) -> str | _Parts:
    parts: _Parts = []
    for part in text:
        said: str | tuple[Callable[[Any], Any], Reference]
        if isinstance(part, str):
            said = part
        else:
            value = bound[part.alias].values[part.field]
            said = (value.take, part) if isinstance(value, Open) else _said(value, part)
        if isinstance(said, str) and parts and isinstance(parts[-1], str):
            parts[-1] += said
        else:
            parts.append(said)
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else parts


class _OpenPlace:
    """What a finding points at, found within the piece once for all."""

    __slots__ = ("_else", "_open", "_sites", "_where")

    def __init__(self, where: Where, bound: Mapping[str, OpenFact]) -> None:
        stands_on = bound[where.alias].stands_on
        named = stands_on.get(where.key, ())
        self._where = where
        self._open = named if isinstance(named, Open) else None
        spots = () if isinstance(named, Open) else named
        self._sites = self._find(spots)
        own = stands_on[""]
        # Where nothing of that name stands, it is the fact's own place.
        self._else = self._find(own) if where.key and not self._sites and not isinstance(own, Open) else []

    def _find(self, spots: Sequence[Location]) -> list[Site | Location]:
        where = self._where
        return [spot.find(where.segment, where.element, where.qualifier) or spot for spot in spots]

    def places(self, met: Met) -> Iterator[Place]:
        if self._open is not None:
            placed = self._open.take(met)
            if placed:
                for each in placed:
                    yield _place(each, self._where)
                return
        for site in self._sites or self._else:
            yield met.place_at(site) if isinstance(site, Site) else _place(Standing(met, site), self._where)


def _is_common(value: object) -> bool:
    """Whether a value is the same in many claims, and of nobody: yes, no, none, zero, modifiers."""
    if isinstance(value, tuple):
        return all(isinstance(each, str) and len(each) <= _MODIFIER for each in value)
    return value is None or isinstance(value, bool) or value == 0


class Ask(NamedTuple):
    """A question about a fact that only its columns answer.

    take       takes the values of `takes` from what was met
    joins      the tests of joins that it may answer
    templates  the findings that it has led to, by case
    column     the column that alone answers it, where that is the NPI of a provider
    answers    those known: by the NPI, or by all that stands open where that is common
    """

    fact: OpenFact
    holds: Callable[[Mapping[str, Any], int], int]
    takes: tuple[tuple[str, Callable[[Any], Any]], ...]
    take: Callable[[Any], tuple[Any, ...]]
    known: dict[str, OpenValue]
    joins: int
    templates: dict[int, Template]
    column: int | None
    answers: dict[object, int]

    def bits(self, met: Any, received: int) -> int:
        """The tests that hold on the piece that was met."""
        when = self.fact.when
        if when is not None and not when.take(met):
            return 0
        taken = self.take(met)
        known = self.answers.get(taken)
        if known is None:
            values = {name: value for (name, _), value in zip(self.takes, taken, strict=True)}
            values.update(self.known)
            known = self.holds(values, received)
            if len(self.answers) < _FEW_ANSWERS and all(map(_is_common, taken)):
                self.answers[taken] = known
        return known


class Said(NamedTuple):
    """What the rules say of a piece: findings in any case; questions; tests of joins that hold in any case.

    facts  situations and code_errors among its facts, for their number is bounded
    """

    fires: tuple[Template, ...] = ()
    asks: tuple[Ask, ...] = ()
    joins: int = 0
    facts: int = 0

    def is_nothing(self, npi: str) -> bool:
        """Whether nothing is said where this is the NPI on which alone it rests."""
        if self.fires or self.facts or len(self.asks) != 1:
            return False
        [ask] = self.asks
        return ask.column is not None and ask.answers.get(npi) == 0


NOTHING_SAID = Said()


# Number of the case, and the finding.
Fired = tuple[int, Finding]

MAX_FINDINGS = 1000  # of one case on one part of the input: the first ones say it


def in_order(fired: list[Fired]) -> list[Finding]:
    """The findings of one part in document order, each once."""
    fired.sort(key=_by_place)
    found = list(dict.fromkeys([finding for _, finding in fired]))
    if len(fired) <= MAX_FINDINGS:
        return found
    counts: Counter[int] = Counter()
    kept = []
    for number, finding in dict.fromkeys(fired):
        counts[number] += 1
        if counts[number] <= MAX_FINDINGS:
            kept.append(finding)
    return list(dict.fromkeys(kept))


def _by_place(fired: Fired) -> tuple[int, int, str, list[int], str]:
    number, finding = fired
    where = finding.where
    if finding.snip <= _OF_THE_FILE:
        # Faults stay in the order in which they were noted.
        return where.position, number, "", [], ""
    return (
        where.position,
        number,
        where.element or "",
        [each.position for each in finding.related],
        finding.message,
    )


class Judgement:
    """The rules that speak for a profile, asked about pieces."""

    def __init__(self, spoken: Mapping[int, Spoken], sieve: Prefilter) -> None:
        self.spoken = spoken
        self.sieve = sieve

    def hear(self, facts: Iterable[OpenFact], near: dict[str, Value], received: int) -> Said:
        """What the rules say of these facts of a piece, received on this day; `near` as of Prefilter.ask, for
        the fields that it names.
        """
        fires: list[Template] = []
        asks: list[Ask] = []
        joins = bounded = 0
        for fact in facts:
            bounded += fact.kind in ("code_error", "situation")
            if fact.kind not in self.sieve.kinds:
                continue
            values = fact.values
            opened = {name: value for name, value in values.items() if isinstance(value, Open)}
            close = {name: near[name] for name in near if name in opened}
            same = _same_in(opened, close)
            bits, question = self.sieve.ask(fact.kind, values, frozenset(opened), close, received, same)
            if bits and fact.when is None:
                fires += [
                    Template(self.spoken[case], self._bind(case, fact)) for case in self.sieve.single(bits)
                ]
                joins |= bits & self.sieve.joined_bits
            elif bits:
                # Whether there is such a fact is not known: its tests are asked again.
                joined = bits & self.sieve.joined_bits
                asks.append(Ask(fact, _always(bits), (), _together(()), {}, joined, {}, None, {}))
            if question is not None:
                open_fields = sorted(question.fields & opened.keys())
                takes = tuple([(name, opened[name].take) for name in open_fields])
                held = {name: values[name] for name in question.fields if name not in opened}
                joined = question.bits & self.sieve.joined_bits
                column = _npi_of(fact, open_fields)
                asks.append(Ask(fact, question.holds, takes, _together(takes), held, joined, {}, column, {}))
        if not (fires or asks or joins or bounded):
            return NOTHING_SAID
        return Said(tuple(fires), tuple(asks), joins, bounded)

    def utter(self, said: Said, met: Any, received: int, fired: list[Fired]) -> int:
        """Add what fires on a piece that was met; the tests of joins that hold on it."""
        joins = said.joins
        for template in said.fires:
            fired.append((template.number, template.finding(met)))
        for ask in said.asks:
            if ask.column is None:
                bits = ask.bits(met, received)
            else:
                npi = met.columns[ask.column]
                known = ask.answers.get(npi)
                if known is None:
                    if len(ask.answers) >= _MOST_ANSWERS:
                        ask.answers.clear()
                    known = ask.answers[npi] = ask.bits(met, received)
                bits = known
            if bits:
                joins |= bits & ask.joins
                for template in self.fired(ask, bits & ~ask.joins):
                    fired.append((template.number, template.finding(met)))
        return joins

    def fired(self, ask: Ask, bits: int) -> Iterator[Template]:
        """The findings of the tests that hold on the fact of a question."""
        for case in self.sieve.single(bits):
            template = ask.templates.get(case)
            if template is None:
                template = ask.templates[case] = Template(self.spoken[case], self._bind(case, ask.fact))
            yield template

    def _bind(self, case: int, fact: OpenFact) -> dict[str, OpenFact]:
        return {self.spoken[case].case.match[0].alias: fact}


def _same_in(opened: Mapping[str, Open], near: Iterable[str]) -> frozenset[str]:
    """Those open values that are one and the same column, and a value in any claim without faults."""
    found: dict[int, list[str]] = {}
    for name, value in opened.items():
        if name in near or (value.column is not None and value.name == "first"):
            found.setdefault(id(value), []).append(name)
    return frozenset(name for names in found.values() if len(names) > 1 for name in names)


def _npi_of(fact: OpenFact, fields: Sequence[str]) -> int | None:
    """The column of a provider's NPI, where it is all that a question asks of its fact."""
    columns = {value.column if isinstance(value := fact.values[name], Open) else None for name in fields}
    return columns.pop() if fact.kind == "provider" and fact.when is None and len(columns) == 1 else None


def _together(takes: Sequence[tuple[str, Callable[[Any], Any]]]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes all of these values at once: in one call those that are attributes."""
    each = [take for _, take in takes]
    paths = [path for take in each if isinstance(take, attrgetter) for path in take.__reduce__()[1]]
    if len(paths) == len(each) > 1:
        return attrgetter(*paths)
    return lambda met: tuple([take(met) for take in each])


def _always(bits: int) -> Callable[[Mapping[str, Any], int], int]:
    return lambda _values, _received: bits
