"""No regular expression of the package can be made slow by what it is given."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import edi_checker
from edi_checker.check.cutting import Cutter
from edi_checker.claims.minutes import note_pattern
from edi_checker.guide.hierarchy import write_subscriber
from edi_checker.guide.table import load
from edi_checker.serve.endpoints import ENDPOINTS
from edi_checker.x12.blocks import Delimiters

PACKAGE = Path(edi_checker.__file__).parent
CALLS = ("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")
ENDLESS = re._constants.MAXREPEAT
USUAL = Delimiters("*", ":", "^", "~")
CUTTER = Cutter(USUAL)
ALLOWED = (PACKAGE / "check" / "allowed.py").read_text("utf-8")
TRIGGERS = (PACKAGE / "facts" / "triggers.py").read_text("utf-8")

# Patterns that are put together at run time, each with its stand-ins for what is put in, or the test that
# looks at it: file, and the source of the argument.
PUT_TOGETHER = {
    ("batch/ranges.py", "(HL)"): (
        r"(?:(?<=~)|\A)[\r\n]*+(?:(HL)\*([^~*]*)\*[^~*]*\*[^~*]*\*([^~*]*)|(CLM)\*)",
    ),
    ("batch/ranges.py", "(CLM|ST|GS|GE|IEA)"): (
        (
            "~[\r\n]*+(?=[CSGI \t\f\v\x00\x1a]|~)"
            "(?:(CLM|ST|GS|GE|IEA)\\*|(ISA)[^A-Za-z0-9\\s]|([ \t\f\v\x00\x1a]|~))"
        ),
    ),
    ("check/fixes/rewriting.py", "BLANKS + terminator"): (r"[ \t\r\n\f\v\x00\x1a~]*",),
    ("check/redact.py", "re.escape(value)"): (r"(?<![0-9A-Za-z])AAAA(?![0-9A-Za-z])",),
    ("x12/blocks.py", "term"): (
        r"~(?=(?:CLM|HL|SE|ST|GS|GE|IEA|TA1)\*|ISA[^A-Za-z0-9\s])",
        r"~[ \t\r\n]*(?=ISA[^A-Za-z0-9\s])",
    ),
    ("check/allowed.py", "pattern"): tuple(re.findall(r'_like\(r?"([^"]+)"\)', ALLOWED)),
    ("x12/blocks.py", "GS|ST|HL|CLM"): (r"(?:GS|ST|HL|CLM)\*",),
    ("x12/blocks.py", "re.escape(terminator)"): (r"~[ \t\r\n\f\v\x00\x1a~]",),
    ("rules/member_id_forms.py", "_checked"): (),  # test_member_ids.py
    ("rules/member_id_forms.py", "form"): (),
    ("serve/endpoints.py", "self.pattern"): tuple(
        each.pattern
        for endpoint in ENDPOINTS
        for each in (*endpoint.parameters, endpoint.path_parameter)
        if each is not None and each.pattern
    ),
    ("check/cutting.py", "CLM{e}"): (CUTTER._clm.pattern,),
    ("check/cutting.py", "{'|'.join(ends)}"): (CUTTER._head.pattern,),
    ("check/cutting.py", "LX{e}"): (CUTTER._line.pattern,),
    ("check/cutting.py", "{t}SBR{e}"): (CUTTER._order.pattern,),
    ("facts/triggers.py", "form"): tuple(re.findall(r'form_of\([0-9], "([^"]+)"\)', TRIGGERS)),
    ("guide/hierarchy.py", "{e}22(?>"): (write_subscriber(USUAL).pattern,),
    ("claims/minutes.py", "_phrase_pattern"): (note_pattern(("nn MINS", "TIME: nn")).pattern,),
    ("guide/elements.py", "item.pattern"): tuple(
        {
            each.pattern
            for segment in load().segments
            for item in segment.elements
            for each in (*getattr(item, "components", ()), item)
            if getattr(each, "pattern", "")
        }
    ),
}


@dataclass(frozen=True)
class Use:
    """A pattern, where it stands, and the ways in which it is asked."""

    where: str
    pattern: str | bytes
    ways: frozenset[str]


def _calls(file: str) -> Iterator[tuple[int, ast.expr, frozenset[str]]]:
    """Every call into `re` that takes a pattern: line, pattern, ways in which it is asked."""
    source = (PACKAGE / file).read_text("utf-8")
    names = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            names[id(node.value)] = node.targets[0].id
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in CALLS
        ):
            ways = {node.func.attr}
            if node.func.attr == "compile":
                name = names.get(id(node), "nobody")
                ways = set(re.findall(rf"\b{name}\)?\.({'|'.join(CALLS)})\(", source)) or set(CALLS)
            yield node.lineno, node.args[0], frozenset(ways)


@cache
def uses_in(file: str) -> tuple[Use, ...]:
    found: list[Use] = []
    for line, argument, ways in _calls(file):
        where = f"{file}:{line}"
        try:
            found.append(Use(where, ast.literal_eval(argument), ways))
        except ValueError:
            source = ast.unparse(argument)
            known = [made for (name, part), made in PUT_TOGETHER.items() if name == file and part in source]
            assert known, f"{where}: a pattern put together at run time that no test knows: {source}"
            found += [Use(where, made, ways) for made in known[0]]
    return tuple(found)


def _is_led(tree) -> bool:
    """Whether each round begins with one certain character that nothing else in it can take."""
    kind, value = tree[0]
    if str(kind) == "SUBPATTERN":
        return _is_led(value[3])
    if str(kind) != "LITERAL":
        return False
    return not any(_takes(each, value) for each in tree[1:])


def _takes(item, letter: int) -> bool:
    kind, value = str(item[0]), item[1]
    if kind == "LITERAL":
        return value == letter
    if kind == "IN":
        return any(_takes(each, letter) for each in value)
    if kind == "RANGE":
        return value[0] <= letter <= value[1]
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        return any(_takes(each, letter) for each in value[2])
    if kind == "SUBPATTERN":
        return any(_takes(each, letter) for each in value[3])
    return True


def _is_risky(tree, inside=False) -> bool:
    """Whether a repeat without bound stands inside another one, and both can give back what they took."""
    for kind, value in tree:
        name = str(kind)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            _, most, below = value
            endless = most == ENDLESS
            if endless and inside:
                return True
            if _is_risky(below, inside or (endless and not _is_led(below))):
                return True
        elif name == "SUBPATTERN":
            if _is_risky(value[3], inside):
                return True
        elif name == "BRANCH":
            if any(_is_risky(branch, inside) for branch in value[1]):
                return True
        elif name in ("ASSERT", "ASSERT_NOT") and _is_risky(value[1], inside):
            return True
    return False


FILES = sorted(
    str(path.relative_to(PACKAGE))
    for path in PACKAGE.rglob("*.py")
    if "import re\n" in path.read_text("utf-8")
)
EACH_FILE = pytest.mark.parametrize("file", FILES)


def test_the_patterns_are_found():
    assert sum(len(uses_in(file)) for file in FILES) > 80


@EACH_FILE
def test_no_endless_repeat_stands_in_another(file):
    for use in uses_in(file):
        assert not _is_risky(re._parser.parse(use.pattern)), use


def test_the_guard_knows_a_slow_pattern():
    for slow in (r"(a+)+b", r"(?:-[a-]+)*b", r"(?:a*b?)*c", r"(x|y*)+z", r"(?=(a+)+b)"):
        assert _is_risky(re._parser.parse(slow)), slow
    assert not _is_risky(re._parser.parse(r"(?>a+)b*(?:c{1,3}d)*(?:-[a-z]+)*"))


def _repeats_a_group_possessively(tree) -> bool:
    """Also in what is inside; a repeat of one character is sound in every release of Python."""
    for kind, value in tree:
        if str(kind) == "POSSESSIVE_REPEAT" and (
            len(value[2]) > 1 or str(value[2][0][0]) not in ("IN", "LITERAL", "NOT_LITERAL", "ANY")
        ):
            return True
        inside = value if isinstance(value, tuple) else (value,)
        parts = [part for each in inside for part in (each if isinstance(each, list) else (each,))]
        trees = [part for part in parts if isinstance(part, re._parser.SubPattern)]
        if any(_repeats_a_group_possessively(each) for each in trees):
            return True
    return False


@EACH_FILE
def test_no_group_is_repeated_possessively(file):
    """gh-106052: before Python 3.11.5 it ends where its last round failed; `(?>...)` does not."""
    for use in uses_in(file):
        assert not _repeats_a_group_possessively(re._parser.parse(use.pattern)), use


def test_the_guard_knows_such_a_repeat():
    for wrong in (
        r"(?:ab)*+",
        r"a(?:[bc]d)?+",
        r"((?:ab|c){0,2}+)",
        r"x(?=(?:\w|-b)*+y)",
        r"(?>a(?:bc)++)",
        r"a|(bc)?+",
    ):
        assert _repeats_a_group_possessively(re._parser.parse(wrong)), wrong
    assert not _repeats_a_group_possessively(re._parser.parse(r"a*+[bc]?+(?>(?:bc)*)[^d]{1,3}+.++"))


LONG = 20_000


def _hurtful(pattern: str) -> Iterator[str]:
    """Long texts of what the pattern itself is made of, that do not quite fit."""
    letters = set("0Aa *~:-. \t\n'N") | set(re.sub(r"\\.|[\[\](){}?+*|^$.]", "", pattern)[:12])
    for letter in sorted(letters):
        yield letter * LONG
        yield letter * LONG + "\x00"
        yield ("1" + letter) * (LONG // 2)
    plain = re.sub(r"\(\?[:=!<>P]*|\\.|[\[\](){}?+*|^$]", "", pattern)[:40]
    if plain:
        yield plain * (LONG // len(plain))


# Searched in names of files alone, which no system lets grow longer.
NAMES_OF_FILES = (
    "reference/store/importing.py",
    "reference/store/release.py",
    "reference/store/lookup.py",
    "files/output.py",
)


@EACH_FILE
def test_a_text_made_to_hurt_costs_little(file):
    longest = 255 if file in NAMES_OF_FILES else LONG
    for use in uses_in(file):
        made = re.compile(use.pattern)
        shown = use.pattern.decode() if isinstance(use.pattern, bytes) else use.pattern
        begin = time.process_time()
        for text in _hurtful(shown):
            given = text.encode("utf-8") if isinstance(use.pattern, bytes) else text
            given = given[:longest]
            if use.ways & {"match", "split"}:
                made.match(given)
            if "fullmatch" in use.ways:
                made.fullmatch(given)
            if use.ways - {"match", "fullmatch"}:
                made.search(given)
        # Some two million characters; in time that grew with the square it would be minutes.
        assert time.process_time() - begin < 2, use
