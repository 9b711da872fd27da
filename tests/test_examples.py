"""Every rule does what its examples say, and the notation of examples says what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from book import BOOK
from edi_checker.check import checker as checking
from edi_checker.check import memo
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine, Kind
from edi_checker.check.examples import ExampleError, edit_segments, run_example, try_examples, write_example
from edi_checker.check.memo import Memo
from edi_checker.claims.claim import Claim
from edi_checker.facts import Setting, claims
from edi_checker.facts.pieces import UsesColumn
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.rules import Rule


@cache
def checker(kind: Kind) -> Checker:
    return Checker(load_guide(), Engine(BOOK, kind), Setting(20260302, built_in()))


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_every_rule_does_what_its_examples_say(rule: Rule) -> None:
    assert rule.examples.passing, "a rule shows what passes"
    assert rule.examples.failing, "a rule shows what it finds"
    assert try_examples(checker("durable"), rule) == []


@pytest.mark.long
@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_both_engines_say_the_same_of_every_example(rule: Rule) -> None:
    for example in (*rule.examples.passing, *rule.examples.failing):
        assert run_example(checker("durable"), example) == run_example(checker("python"), example)


@pytest.mark.long
@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda rule: rule.id)
def test_a_failing_example_gives_no_other_error(rule: Rule) -> None:
    for example in rule.examples.failing:
        others = {
            f.rule
            for f in run_example(checker("python"), example)
            if f.severity == "error" and f.rule != rule.id
        }
        assert others == set()


def tried(rule_id: str) -> list[str]:
    """What is wrong with the examples of a rule, without its path; nothing is remembered yet."""
    (rule,) = BOOK.keep([rule_id]).rules
    fresh = replace(checker("python"), engine=Engine(BOOK, "python"))
    return [complaint.partition(": ")[2] for complaint in try_examples(fresh, rule)]


OTHER = "gives other findings with what is remembered of claims before it:"


def test_what_a_memory_loses_is_complained_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried("ncci.mue") == []
    monkeypatch.setattr(checking, "judge_by_pieces", lambda *_: [])
    assert tried("ncci.mue")[0] == f"failing example 1 {OTHER} none of ncci.mue"


def test_what_a_memory_adds_is_complained_of(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_example(checker("python"), {"lines": ["97530:GP x7"]})
    assert [each.rule for each in found] == ["ncci.mue"]
    monkeypatch.setattr(checking, "judge_by_pieces", lambda *_: found)
    lost_and_new = "none of modifier.repeated; also ncci.mue"
    assert f"failing example 1 {OTHER} {lost_and_new}" in tried("modifier.repeated")
    other = found[0]._replace(message="Something else.")
    monkeypatch.setattr(checking, "judge_by_pieces", lambda *_: [other])
    assert tried("ncci.mue")[-1].endswith(f"{OTHER} the same rules say something else")


def test_a_plain_claim_is_checked_before_each_failing_example(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = checking.judge_by_pieces
    judged: list[str] = []

    def watched(memo: Memo, claim: Claim, *given: Any) -> Any:
        judged.append(claim.block.text)
        return judge(memo, claim, *given)

    monkeypatch.setattr(checking, "judge_by_pieces", watched)
    assert tried("balance.claim-charge") == []
    (rule,) = BOOK.keep(["balance.claim-charge"]).rules
    failing = len(rule.examples.failing)
    assert len(judged) == len(rule.examples.passing) + 2 * failing
    plain = judged[-2 * failing :: 2]
    assert all("SV1*HC:97530:GP*100.00*UN*2***1" in text and "CLM*EXAMPLE1*100.00*" in text for text in plain)


@pytest.mark.parametrize("where", [memo, claims])
def test_an_example_that_cannot_be_checked_is_complained_of(
    where: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> Any:
        raise UsesColumn

    monkeypatch.setattr(where, "make_head", crash)
    said = tried("balance.claim-charge")
    if where is memo:
        assert f"failing example 1 {OTHER} internal error (UsesColumn)" in said
        assert "passing example 1 cannot be checked: internal error (UsesColumn)" in said
    else:
        assert "failing example 1 cannot be checked: internal error (UsesColumn)" in said


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
        ({"linse": []}, "unknown key 'linse'. Did you mean lines"),
        ({"claim": {"payor": "x"}}, "unknown key 'payor' in claim. Did you mean payer"),
        ({"claim": {"payer": "moon"}}, "unknown payer 'moon'"),
        ({"lines": ["97530 2 units"]}, "cannot read the line"),
        ({"edit": [{"find": "ZZ*", "delete": "true"}]}, "no segment begins with 'ZZ*'"),
        ({"edit": [{"find": "N3*"}]}, "does nothing"),
        ({"claim": {"set": {"clm5": "1"}}}, "is not an element"),
    ],
)
def test_what_is_not_in_the_notation_is_refused(example: dict[str, object], says: str) -> None:
    with pytest.raises(ExampleError, match=says.replace("*", r"\*")):
        write_example(example)
