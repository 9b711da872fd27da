"""One table of the codes of TA1 and 999: what is answered is in it, and all that is in it is answered."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from book import BOOK
from edi_checker.check.examples import write_example
from edi_checker.claims.reader import read_parts
from edi_checker.facts import VOCABULARY
from edi_checker.guide.table import load
from edi_checker.rules.model import Reference
from edi_checker.x12.blocks import Bounds, read_blocks
from edi_checker.x12.fault_codes import ANSWERS, CODES, NOTED_ONLY, SEGMENT_HAS_ERRORS

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "edi_checker").rglob("*.py"))
FAULTY = sorted((ROOT / "samples" / "837p" / "faulty").glob("*.837"))
GUIDE = load()
PLAIN = write_example({}).text
GROUP = PLAIN[PLAIN.index("GS*") : PLAIN.index("IEA*")]
LONG = 200_000

# What no sample and no rule's example shows: what is replaced in a plain file, and by what.
MORE = {
    ("segment", "TA1=022"): ("IEA*1*000000001~", "X" * LONG),
    ("segment-unexpected", "IK304=6"): ("LX*1~", "LX*1~\nSVC*1~"),
    ("segment-unexpected", "IK502=5"): ("GE*", "REF*1~\nGE*"),
    ("element-extra", "IK403=3"): ("LX*1~", "LX*1*2~"),
    ("element-components", "IK403=12"): ("*UN*2*", "*UN^UN*2*"),
    ("element-components", "IK403=13"): ("*UN*2*", "*UN:UN*2*"),
    ("element-type", "IK403=I12"): ("N3*2 MAPLE", "REF*SY*12345678A~\nN3*2 MAPLE"),
    ("relational", "IK403=10"): ("ALBANY*NY*122070001", "ALBANY*NY*122070001*CA***ON"),
    ("envelope", "AK905=1"): ("GS*HC", "GS*FA"),
    ("envelope", "AK905=6"): ("1200*1*X", "1200*A*X"),
    ("control-number", "AK905=19"): ("IEA*1", f"{GROUP}IEA*2"),
    ("version", "IK502=1"): ("ST*837", "ST*835"),
    ("delimiter", "TA1=004"): ("~", "E"),
    ("delimiter", "TA1=026"): ("*", "é"),
}
# The same of each element of the ISA: its note, its number, what stands in it
ISA = PLAIN.partition("~")[0]
OF_ISA = [
    ("010", 1, "99"),
    ("011", 2, "X"),
    ("012", 3, "99"),
    ("013", 4, "X"),
    ("005", 5, "99"),
    ("006", 6, " " * 15),
    ("007", 7, "99"),
    ("008", 8, " " * 15),
    ("014", 9, "260230"),
    ("015", 10, "2560"),
    ("016", 11, "^^"),
    ("017", 12, "005X1"),
    ("018", 13, "00000000A"),
    ("019", 14, "2"),
    ("020", 15, "X"),
]
for note, at, value in OF_ISA:
    elements = ISA.split("*")
    elements[at] = value
    MORE["envelope", f"TA1={note}"] = (ISA, "*".join(elements))


def edited(shown: tuple[str, str]) -> str:
    old, new = MORE[shown]
    return PLAIN.replace(old, new, 1 if len(old) > 1 else -1)


def answered(text: str) -> set[tuple[str, str]]:
    """Kind and code of every fault of a file."""
    blocks = read_blocks(io.BytesIO(text.encode("utf-8", "surrogateescape")), Bounds(segment=LONG // 2))
    return {
        (fault.kind, code)
        for part in read_parts(blocks, GUIDE)
        for fault in part.faults
        for code in fault.answers or ("",)
    }


@pytest.fixture(scope="module")
def met() -> set[tuple[str, str]]:
    """Every kind of fault with every code by which the reader and the walker answer it."""
    texts = [path.read_text("utf-8", "surrogateescape") for path in FAULTY]
    texts += [write_example(case).text for rule in BOOK.rules for case in rule.examples.failing]
    texts += map(edited, MORE)
    found = set().union(*map(answered, texts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edi_checker.claims.reader.MOST_CLAIMS", 0)
        return found | answered(PLAIN)


def test_every_answer_to_a_fault_is_in_the_table(met) -> None:
    known = {(kind, code) for kind, codes in ANSWERS.items() for code in (*codes, SEGMENT_HAS_ERRORS, "")}
    assert met - known == set()


def test_every_answer_in_the_table_is_given(met) -> None:
    assert {(kind, code) for kind, codes in ANSWERS.items() for code in codes or ("",)} - met == set()


@pytest.mark.parametrize("shown", MORE, ids="-".join)
def test_an_edited_file_is_answered_as_said(shown) -> None:
    assert shown in answered(edited(shown))


def test_every_kind_of_fault_has_a_rule_and_every_rule_a_kind() -> None:
    kinds = set()
    for rule in BOOK.rules:
        for case in rule.cases:
            for pattern in case.match:
                if pattern.kind == "fault":
                    for term in pattern.terms:
                        if term.field.field == "kind":
                            assert not isinstance(term.value, Reference)
                            kinds.update(term.value if isinstance(term.value, tuple) else (term.value,))
    assert kinds == set(ANSWERS)
    assert set(VOCABULARY["fault"].fields["kind"].values) == kinds  # lint knows them


def test_codes_written_anywhere_are_in_the_table() -> None:
    texts = [*SOURCES, *sorted((ROOT / "rulesets").rglob("*.yaml"))]
    written = {
        (code, path.name)
        for path in texts
        for code in re.findall(r"\b(?:IK304|IK403|IK502|AK905|TA1)=[A-Z0-9]+\b", path.read_text("utf-8"))
    }
    assert {code for code, _ in written if code not in CODES} == set()
    assert {code for codes in ANSWERS.values() for code in codes} <= set(CODES)


def test_a_code_stands_once() -> None:
    """A second row of one code would silently take the place of the first."""
    table = (ROOT / "edi_checker" / "x12" / "fault_codes.py").read_text("utf-8")
    rows = re.findall(r'_add\(\s*"([A-Z0-9=]+)"', table)
    assert len(rows) == len(set(rows)) > 60


def test_words_read_as_the_end_of_a_sentence() -> None:
    for code, said in CODES.items():
        assert said.words, code
        assert not said.words.endswith("."), code
        assert not said.advice.endswith("."), code
        assert bool(said.advice) == code.startswith(("IK304", "IK403")), code


def test_the_one_note_that_leaves_an_interchange_accepted() -> None:
    assert CODES[f"TA1={NOTED_ONLY}"].words.startswith("IEA01 does not count")
