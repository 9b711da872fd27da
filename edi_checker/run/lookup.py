"""What tables, lists and rules say of a code or a rule that somebody asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.check.code_advice import Advice
    from edi_checker.check.examples import Shown
    from edi_checker.reference.store import StoredTables
    from edi_checker.reports.answer_codes import Page
    from edi_checker.reports.code_facts import CodeFact
    from edi_checker.rules import Rule, Rulebook

    OpenStore = Callable[[], StoredTables]  # raises StoreError, SettingError


@contextmanager
def reading_store(open_store: OpenStore) -> Iterator[StoredTables]:
    """The imported tables, while they are looked up in. Raises SettingError where they cannot be read."""
    from edi_checker.reference.store import StoreError
    from edi_checker.run.setting import SettingError

    try:
        yield open_store()
    except StoreError as error:
        raise SettingError(str(error)) from None


def look_up(tables: StoredTables, code: str, on: int) -> list[CodeFact]:
    """What is known of one code on a day (CCYYMMDD); where nothing is, one fact with the codes near it.

    Raises StoreError, SettingError.
    """
    from edi_checker.reports.code_facts import CodeFact, facts_of_code, facts_of_lists, is_procedure_here
    from edi_checker.reports.shipped_lists import facts_that_ship, near_codes, shipped_diagnosis

    facts = [*facts_of_lists(tables, code, on), *facts_that_ship(code, on)]
    if all(fact.name != "diagnosis" for fact in facts) and (diagnosis := shipped_diagnosis(code, on)):
        facts.append(diagnosis)
    if is_procedure_here(tables, code, on):
        facts = [*facts_of_code(tables, _advise(tables, code, on)), *facts]
    if facts:
        return facts
    near = near_codes(tables, code, on)
    return [CodeFact("Near codes", "near", "Near codes", near, missing="no list has the code")]


def is_known(facts: list[CodeFact]) -> bool:
    """Whether any list has the code."""
    return facts[0].name != "near"


def _advise(tables: StoredTables, code: str, on: int) -> Advice:
    """What the rules that come with the checker say of a code, with these tables."""
    from edi_checker.check.code_advice import Known, of_one_line, take_advice
    from edi_checker.run.setting import CheckSetting, load_rules

    book = load_rules(())
    checker = CheckSetting(engine="python", rulebook=of_one_line(book)).make().checker
    checker = replace(checker, setting=replace(checker.setting, tables=tables))
    return take_advice(book, checker, Known(code, on, tables.procedure(code, on), tables.partners(code, on)))


def example_checker(book: Rulebook, profile: str) -> Checker:
    """A checker for the examples of rules. Raises SettingError."""
    from edi_checker.run.setting import CheckSetting

    # What an example shows does not hang on what is imported.
    return CheckSetting(profile=profile, isolation="claim", rulebook=book).make().checker


def show_example(checker: Checker, rule: Rule) -> Shown | None:
    """A failing example with its finding; None where there is none, or none that can be read."""
    from edi_checker.check.examples import show_example

    try:
        return show_example(checker, rule)
    except Exception:  # noqa: BLE001  # `rules test` says what is wrong with it
        return None


def page_of_rule(rule: Rule, checker: Checker) -> Page:
    """All that a rule's file says, with an example that `checker` (see example_checker) finds at fault."""
    from edi_checker.reports.answer_codes import Page
    from edi_checker.reports.rule_page import sections_of

    return Page("rule", rule.id, sections_of(rule, show_example(checker, rule)))


def looks_like_a_code(asked: str) -> bool:
    """Rule ids have a dot, and no code of an answer or remittance has one."""
    return "." not in asked


def pages_of_code(asked: str, tables: StoredTables, on: int) -> list[Page]:
    """Every meaning of a code of an answer or remittance, none where none is known. Raises StoreError."""
    from edi_checker.reports.answer_codes import explain_code

    return explain_code(asked, lambda name, code: tables.spans(name, code, on))
