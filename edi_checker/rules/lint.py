"""What loads in a rule file and is still wrong: it can never fire, says too little, twice or unclearly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from edi_checker.facts import VOCABULARY, FactType
from edi_checker.rules.model import Case, Constant, Reference, Rule, RuleFault, Term, Text
from edi_checker.rules.new_rule import TODO
from edi_checker.rules.reference_engine import holds
from edi_checker.rules.words import END_OF_SENTENCE, MAX_FIRST, NO_VERBS, objections

# The parts of a file from which a kind of fact is made; kinds without a common part never meet in a match.
_PARTS = ("file", "transaction", "level", "claim")
_MADE_OF = {
    "file": ("file",),
    "transaction": ("transaction",),
    "subscriber": ("level",),
    **dict.fromkeys(("claim", "line", "diagnosis", "claim_date", "ptp_pair", "mue_day"), ("claim",)),
    **dict.fromkeys(("addon", "therapy_day", "other_payer", "adjudication"), ("claim",)),
    **dict.fromkeys(("earlier_pair", "earlier_day", "earlier_line", "therapy_year"), ("claim",)),
}
_ONCE = ("file", "transaction", "claim")

_Field = tuple[str, str]


def lint(rule: Rule, vocabulary: Mapping[str, FactType] = VOCABULARY) -> list[RuleFault]:
    """What one rule lacks: a reason, plain words, examples, known status codes, a chance to fire."""
    at = rule.lines
    faults = [(at.get(key, 0), f"still says {TODO} ({key})") for key in _unwritten(rule)]
    faults += [(line, f"{reason} ({key})") for line, key, text in _read(rule) for reason in _words(key, text)]
    faults += [(case.line, reason) for case in rule.cases for reason in _openings(case)]
    if rule.fault == rule.title:
        faults.append((at.get("title", 0), "has no heading for what is wrong, beside the title (fault)"))
    if not rule.why:
        faults.append((0, "does not say why it exists (why)"))
    if not rule.examples.failing:
        faults.append((0, "has no example that fails (examples)"))
    if not rule.examples.passing:
        faults.append((0, "has no example that passes (examples)"))
    faults += [(at.get("binds", 0), reason) for reason in _unbound(rule)]
    for case in rule.cases:
        faults += [(case.line, reason) for reason in (*_answers(case), *_hindrances(rule, case, vocabulary))]
    return [RuleFault(rule.path, line, reason) for line, reason in dict.fromkeys(faults)]


def lint_twins(rules: Sequence[Rule], chosen: Iterable[Rule]) -> list[RuleFault]:
    """Chosen rules that match the same as another rule, on a day when both are in force."""
    by_match: dict[object, list[tuple[Rule, Case]]] = {}
    for rule in rules:
        for case in rule.cases:
            by_match.setdefault(_normal(case), []).append((rule, case))
    faults = []
    for rule in chosen:
        for case in rule.cases:
            for other, twin in by_match.get(_normal(case), ()):
                if twin is not case and _meet(rule, case, other, twin):
                    where = (
                        f"{other.id} ({other.path}:{twin.line})" if other.id != rule.id else "another case"
                    )
                    faults.append(
                        RuleFault(rule.path, case.line, f"matches and requires the same as {where}")
                    )
    return list(dict.fromkeys(faults))


def _read(rule: Rule) -> Iterator[tuple[int, str, str]]:
    """Line, key and text of all that a biller reads of a rule; what several cases share once."""
    texts = [("title", rule.title), ("fault", rule.fault), ("why", rule.why)]
    for key, text in (*texts, *(("documentation", each) for each in rule.documentation)):
        yield rule.lines.get(key, 0), key, text
    seen = set()
    for case in rule.cases:
        for key, parts in (("message", case.message), ("fix", case.fix)):
            if (key, parts) not in seen:
                seen.add((key, parts))
                yield case.line, key, _template(parts, "{}")


def _template(text: Text, blank: str) -> str:
    """A message or fix with `blank` for each value."""
    return "".join(part if isinstance(part, str) else blank for part in text)


def _words(key: str, text: str) -> Iterator[str]:
    yield from objections(text)
    if key in ("message", "fix") and not text.endswith("."):
        yield "does not end with a full stop"


def _openings(case: Case) -> Iterator[str]:
    """What is wrong with how the message and the fix begin."""
    opening = case.message[0] if case.message else ""
    if isinstance(opening, Reference) and opening.type in ("date", "money", "bool"):
        yield f"begins with {opening.alias}.{opening.field}: say first what that is (message)"
    sentence = END_OF_SENTENCE.split(_template(case.message, "{value}"))[0]
    if len(sentence) > MAX_FIRST:
        length = f"{len(sentence)} characters: {MAX_FIRST} at most"
        yield f"has a first sentence of {length}, it is shown alone (message)"
    first = case.fix[0] if case.fix else ""
    word = first.split(" ", 1)[0] if isinstance(first, str) else f"{{{first.alias}.{first.field}}}"
    if not isinstance(first, str) or word.lower() in NO_VERBS:
        yield f'begins with "{word}": begin with what to do, such as Add, Send, Change or Remove (fix)'


def _unwritten(rule: Rule) -> Iterable[str]:
    """The keys whose text its author has not come to yet."""
    texts = [(key, text) for _, key, text in _read(rule)]
    texts += [("sources", source.cite) for source in rule.sources]
    return dict.fromkeys(key for key, text in texts if TODO in text)


def _unbound(rule: Rule) -> Iterable[str]:
    """The profiles whose claims the rule rejects, and of which it does not say what binds their payers."""
    rejected: set[str] = set()
    for case in rule.cases:
        for profile, severity in case.severity.items():
            if severity == "error":
                rejected.update(rule.profiles if profile == "default" and rule.profiles else (profile,))
    if "default" not in rule.binds:
        for profile in sorted(rejected - set(rule.binds)):
            yield f"rejects claims ({profile}), but does not say what binds their payers (binds)"


def _answers(case: Case) -> Iterable[str]:
    status = case.status
    if "error" in case.severity.values() and not (status.ack999 or status.ack277ca or status.ta1):
        yield "rejects a claim, but has no code for the acknowledgement (status)"
    for text in () if isinstance(status.ack277ca, Reference) else status.ack277ca:
        category, code = text.split(":")[:2]
        if category not in _known("claim_status_cat") or code not in _known("claim_status"):
            yield f"answers with {text}, which is not in code sources 507 and 508 (status)"


@lru_cache(maxsize=2)
def _known(name: str) -> frozenset[str]:
    """A code list of the guide by its name in pyx12's code file."""
    from lxml import etree

    with (files("pyx12") / "map" / "codes.xml").open("rb") as stream:
        tree = etree.parse(stream, etree.XMLParser(resolve_entities=False, no_network=True))
    for codeset in tree.iter("codeset"):
        if codeset.findtext("id") == name:
            return frozenset(code.text or "" for code in codeset.iter("code"))
    return frozenset()


# -- rules that can never fire -----------------------------------------------------------------------------


def _hindrances(rule: Rule, case: Case, vocabulary: Mapping[str, FactType]) -> Iterable[str]:
    """Why a case can never fire; nothing if it can."""
    levels = {case.severity.get(name, case.severity["default"]) for name in rule.profiles}
    if (levels or set(case.severity.values())) == {"off"}:
        yield "can never fire: it is off for every profile (severity)"
    kinds = [pattern.kind for pattern in case.match]
    if not set(_PARTS).intersection(*(_MADE_OF.get(kind, _PARTS) for kind in kinds)):
        several = " and ".join(dict.fromkeys(kinds))
        yield f"can never fire: {several} are never in one part of a file (match)"
    for kind in _ONCE:
        if kinds.count(kind) > 1:
            yield f"can never fire: there is one {kind} at a time, but two are matched (match)"
    wrong = list(dict.fromkeys(_unknown_values(case, vocabulary)))
    yield from wrong
    contradiction = None if wrong else _contradiction(case)
    if contradiction:
        yield f"can never fire: {contradiction} (match)"
    elif case.require and all(_follows(term, case) for term in case.require):
        yield "can never fire: what it requires follows from what it matches (require)"


def _unknown_values(case: Case, vocabulary: Mapping[str, FactType]) -> Iterable[str]:
    """Constants that a field of few values never has."""
    kinds = {pattern.alias: pattern.kind for pattern in case.match}
    for term in (*(term for pattern in case.match for term in pattern.terms), *case.require):
        kind = vocabulary.get(kinds[term.field.alias])
        field = kind.fields[term.field.field] if kind is not None else None
        if field is None or not field.values:
            continue
        for value in term.value if isinstance(term.value, tuple) else (term.value,):
            if isinstance(value, str) and value not in field.values:
                known = ", ".join(field.values)
                name = f"{term.field.alias}.{term.field.field}"
                yield f"{name} is never {value!r}: it is one of {known} (match)"


def _contradiction(case: Case) -> str:
    """The field of which the match requires the impossible, with the reason; "" if there is none."""
    for fields, terms in _by_field(case).items():
        name = " = ".join(f"{alias}.{field}" for alias, field in fields)
        if terms and terms[0].field.type == "codes":
            wrong = _impossible_codes(terms)
        else:
            wrong = _impossible_value(terms, _bounds(case) if (case.match[0].alias, "date") in fields else ())
        if wrong:
            return f"{name} {wrong}"
    return ""


def _by_field(case: Case) -> dict[tuple[_Field, ...], list[Term]]:
    """The terms with constants by their field; fields that must be equal are one entry."""
    group: dict[_Field, set[_Field]] = {}
    terms = [term for pattern in case.match for term in pattern.terms]
    for term in terms:
        here = _field(term.field)
        group.setdefault(here, {here})
        if isinstance(term.value, Reference) and term.operator == "equal":
            there = _field(term.value)
            joined = group[here] | group.get(there, {there})
            for field in joined:
                group[field] = joined
    found: dict[tuple[_Field, ...], list[Term]] = {}
    for term in terms:
        key = tuple(sorted(group[_field(term.field)]))
        own = found.setdefault(key, [])
        if not isinstance(term.value, Reference):
            own.append(term)
    return found


def _field(reference: Reference) -> _Field:
    return reference.alias, reference.field


def _bounds(case: Case) -> tuple[tuple[str, int | None], ...]:
    """The days in force, as bounds of the first fact's date."""
    if case.in_force.by == "received":
        return ()
    return (("at_least", case.in_force.first), ("at_most", case.in_force.last))


def _impossible_value(terms: list[Term], bounds: tuple[tuple[str, int | None], ...]) -> str:
    operators = {term.operator for term in terms}
    if "absent" in operators:
        return "is both absent and present" if len(operators) > 1 else ""
    lows = [value for word, value in bounds if word == "at_least" and value is not None and terms]
    highs = [value for word, value in bounds if word == "at_most" and value is not None and terms]
    for term in terms:
        value = term.value
        if isinstance(value, int) and not isinstance(value, bool):
            if term.operator in ("at_least", "more_than", "equal"):
                lows.append(value + (term.operator == "more_than"))
            if term.operator in ("at_most", "less_than", "equal"):
                highs.append(value - (term.operator == "less_than"))
    if lows and highs and max(lows) > min(highs):
        return "has no value that is allowed"
    values = _few(terms)
    if values is None:
        return ""
    asked = [term for term in terms if term.operator not in ("present", "absent")]
    left = [value for value in values if all(holds(term, value, term.value) for term in asked)]
    left = [value for value in left if not isinstance(value, int) or _within(value, lows, highs)]
    return "" if left else "has no value that is allowed"


def _within(value: int, lows: list[int], highs: list[int]) -> bool:
    return all(value >= low for low in lows) and all(value <= high for high in highs)


def _few(terms: list[Term]) -> list[str | int | bool] | None:
    """The values that a field can have, if the terms name them."""
    for term in terms:
        if term.operator == "equal" and not isinstance(term.value, (Reference, tuple)):
            return [term.value]
        if term.operator == "one_of" and isinstance(term.value, tuple):
            return list(term.value)
    if terms and terms[0].field.type == "bool":
        return [True, False]
    return None


def _impossible_codes(terms: list[Term]) -> str:
    needed: set[str] = set()
    banned: set[str] = set()
    least, most = 0, None
    for term in terms:
        value = term.value
        codes = set(_texts(value))
        if term.operator in ("has", "has_all"):
            needed |= codes
        elif term.operator == "has_none":
            banned |= codes
        elif term.operator == "present":
            least = max(least, 1)
        elif term.operator == "absent":
            most = 0
        elif isinstance(value, int):
            if term.operator in ("at_least", "more_than"):
                least = max(least, value + (term.operator == "more_than"))
            else:
                limit = value - (term.operator == "less_than")
                most = limit if most is None else min(most, limit)
    any_of = [set(_texts(term.value)) for term in terms if term.operator == "has_any"]
    if needed & banned:
        return f"both has and lacks {', '.join(sorted(needed & banned))}"
    if any(codes <= banned for codes in any_of):
        return "has only values that it must not have"
    least = max(least, len(needed), 1 if any_of else 0)
    return "has more entries than are allowed" if most is not None and least > most else ""


def _texts(value: Constant | Reference) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _follows(required: Term, case: Case) -> bool:
    """Whether a required term is true of everything that is matched."""
    terms = [term for pattern in case.match for term in pattern.terms if term.field == required.field]
    if required in terms:
        return True
    if isinstance(required.value, Reference) or required.field.type == "codes":
        return False
    constants = [term for term in terms if not isinstance(term.value, Reference)]
    if required.operator == "present":
        return any(term.operator != "absent" for term in terms)
    values = _few(constants) if constants else None
    return values is not None and all(holds(required, value, required.value) for value in values)


# -- rules that say the same -------------------------------------------------------------------------------


def _normal(case: Case) -> object:
    """What a case matches and requires, whatever names and order it is written in."""
    names = {pattern.alias: number for number, pattern in enumerate(case.match)}

    def plain(term: Term) -> str:
        value = term.value
        other = (names[value.alias], value.field) if isinstance(value, Reference) else _sorted(value)
        return repr((names[term.field.alias], term.field.field, term.operator, other))

    return (
        tuple((pattern.kind, tuple(sorted(map(plain, pattern.terms)))) for pattern in case.match),
        tuple(sorted(map(plain, case.require))),
    )


def _sorted(value: Constant) -> object:
    return tuple(sorted(map(repr, value))) if isinstance(value, tuple) else value


def _meet(rule: Rule, case: Case, other: Rule, twin: Case) -> bool:
    """Whether both can apply to one claim."""
    if rule.profiles and other.profiles and not set(rule.profiles) & set(other.profiles):
        return False
    one, two = case.in_force, twin.in_force
    if one.by != two.by:
        return True
    first = max(one.first or 0, two.first or 0)
    return first <= min(one.last or 99999999, two.last or 99999999)
