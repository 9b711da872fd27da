"""What is said of 97530: each statement has a rule, a sample that passes and one that gives its finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from book import BOOK
from edi_checker.cli import commands
from edi_checker.rules import Rule
from write_97530 import PAGE, SAMPLES, Statement, asked_of_the_record, files, page, statements

STATEMENTS = statements()
SEEN = [statement for statement in STATEMENTS if not statement.unseen]
UNSEEN = [statement for statement in STATEMENTS if statement.unseen]
LOUD = ("error", "warning")


def is_asked_for(rule: Rule) -> bool:
    return rule.asked() is not rule


def run(arguments: list[str]) -> list[dict[str, Any]]:
    """The reports on the files of one call of the command."""
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    files: list[dict[str, Any]] = json.loads(result.stdout)["files"]
    return files


@pytest.fixture(scope="module")
def reports() -> dict[str, Any]:
    """The report on every sample, by file name, as the command line gives it."""
    arguments = ["check", str(SAMPLES), "--format", "json", "--received", "2026-11-21", "--no-progress"]
    found = {Path(report["path"]).name: report for report in run(arguments)}
    # Rules that are off until somebody asks for them.
    for rule in {statement.rule for statement in SEEN if is_asked_for(BOOK[statement.rule])}:
        for report in run([*arguments, "--select", rule]):
            found[Path(report["path"]).name]["findings"] += report["findings"]
    return found


@pytest.mark.parametrize("statement", SEEN, ids=lambda statement: statement.name)
def test_a_statement_passes_what_follows_it_and_finds_what_does_not(
    statement: Statement, reports: dict[str, Any]
) -> None:
    passing = reports[f"{statement.name}.pass.837"]
    assert passing["outcome"] == "accepted"
    assert [f["rule"] for f in passing["findings"] if f["severity"] in LOUD] == []
    assert statement.rule not in [f["rule"] for f in passing["findings"]]
    failing = reports[f"{statement.name}.fail.837"]["findings"]
    assert statement.rule in [f["rule"] for f in failing]
    assert {f["rule"] for f in failing if f["severity"] in LOUD} <= {statement.rule}


@pytest.mark.parametrize("statement", UNSEEN, ids=lambda statement: statement.name)
def test_what_no_claim_shows_is_said_with_a_finding(statement: Statement) -> None:
    assert not statement.passing
    assert not statement.failing
    assert asked_of_the_record(statement)


def test_the_samples_and_the_page_are_those_that_the_statements_make() -> None:
    made = dict(entry for statement in STATEMENTS for entry in files(statement))
    there = {path.name: path.read_text() for path in SAMPLES.iterdir()}
    assert there == made, "run python tests/write_97530.py"
    assert PAGE.read_text() == page(), "run python tests/write_97530.py"


def test_the_record_is_told_what_to_name() -> None:
    shown = " ".join(BOOK["therapy.activities-with-exercise"].documentation).lower()
    for word in (
        "functional task",
        "goal",
        "level of assistance",
        "adaptive equipment",
        "progress",
        "minutes",
        "97110",
        "97112",
    ):
        assert word in shown


def test_the_fix_of_an_edit_names_the_more_precise_modifiers_first() -> None:
    fix = "".join(part for part in BOOK["ncci.ptp"].cases[1].fix if isinstance(part, str))
    assert fix.index("XE") < fix.index("59")
