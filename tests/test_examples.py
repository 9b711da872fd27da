"""Every rule does what its examples say, and the notation of examples says what is wrong with it."""

from __future__ import annotations

from functools import cache

import pytest

from edi_checker import guide, rules
from edi_checker.checker import Checker
from edi_checker.engine import Engine, Kind
from edi_checker.examples import ExampleError, edit_segments, run_example, try_examples, write_example
from edi_checker.facts import Circumstances
from edi_checker.rules import Rule
from edi_checker.tables import built_in

BOOK = rules.load()


@cache
def checker(kind: Kind) -> Checker:
    return Checker(guide.load(), Engine(BOOK, kind), Circumstances(20260302, built_in()))


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_every_rule_does_what_its_examples_say(rule: Rule) -> None:
    assert rule.examples.passing, "a rule shows what passes"
    assert rule.examples.failing, "a rule shows what it finds"
    assert try_examples(checker("durable"), rule) == []


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_both_engines_say_the_same_of_every_example(rule: Rule) -> None:
    for example in (*rule.examples.passing, *rule.examples.failing):
        assert run_example(checker("durable"), example) == run_example(checker("python"), example)


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_failing_example_gives_no_other_error(rule: Rule) -> None:
    for example in rule.examples.failing:
        others = {
            f.rule
            for f in run_example(checker("python"), example)
            if f.severity == "error" and f.rule != rule.id
        }
        assert others == set()


def test_the_base_claim_is_clean() -> None:
    assert run_example(checker("python"), {}) == []


def test_a_line_says_code_modifiers_units_date_charge_provider_pointers_minutes_and_note() -> None:
    line = (
        "97530:GP:59 x2 on 2026-02-03..2026-02-04 $120.00 by 1234567893 dx 1,2 "
        "min 25 assistant 5 note SOME TEXT"
    )
    written = write_example({"lines": [line]})
    for segment in (
        "SV1*HC:97530:GP:59*120.00*UN*2***1:2~",
        "DTP*472*RD8*20260203-20260204~",
        "NM1*82*1*BROOK*LINNEA****XX*1234567893~",
        "NTE*ADD*SOME TEXT~",
        "CLM*EXAMPLE1*120.00***11:B:1*Y*A*Y*Y~",
    ):
        assert segment in written.text
    assert written.minutes == "claim,line,minutes,assistant_minutes\nEXAMPLE1,1,25,5\n"


@pytest.mark.parametrize(
    ("edit", "result"),
    [
        ({"find": "B", "delete": "true"}, ["A*1", "C*3:x"]),
        ({"find": "B", "replace": "D*4"}, ["A*1", "D*4", "C*3:x"]),
        ({"find": "B", "insert": "D*4~E*5"}, ["A*1", "D*4", "E*5", "B*2", "C*3:x"]),
        ({"find": "B", "append": "D*4"}, ["A*1", "B*2", "D*4", "C*3:x"]),
        ({"find": "A", "repeat": "3"}, ["A*1", "A*1", "A*1", "B*2", "C*3:x"]),
        ({"find": "A", "swap": "true"}, ["B*2", "A*1", "C*3:x"]),
        ({"find": "C", "set": {"1-2": "y", "3": "z"}}, ["A*1", "B*2", "C*3:y**z"]),
    ],
)
def test_edits_change_one_segment(edit: dict[str, object], result: list[str]) -> None:
    assert edit_segments(["A*1", "B*2", "C*3:x"], [edit]) == result


@pytest.mark.parametrize(
    ("example", "says"),
    [
        ({"linse": []}, "unknown key 'linse'"),
        ({"claim": {"payor": "x"}}, "unknown key 'payor' in claim"),
        ({"claim": {"payer": "moon"}}, "unknown payer 'moon'"),
        ({"lines": ["97530 2 units"]}, "cannot read the line"),
        ({"edit": [{"find": "ZZ*", "delete": "true"}]}, "no segment begins with 'ZZ*'"),
        ({"edit": [{"find": "N3*"}]}, "does nothing"),
        ({"claim": {"set": {"clm5": "1"}}}, "is no element"),
    ],
)
def test_what_is_not_in_the_notation_is_refused(example: dict[str, object], says: str) -> None:
    with pytest.raises(ExampleError, match=says.replace("*", r"\*")):
        write_example(example)
