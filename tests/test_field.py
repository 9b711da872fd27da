"""Inputs rebuilt from what people report in the field: what is right today stays right.

tests/data/field/EXPECTED.csv says what is right and why; not_yet.csv, which may only shrink, lists the inputs
that are answered wrong today, and how.
"""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edi_checker.cli import commands
from paths import DATA, read_rows

FIELD = DATA / "field"
ROWS = read_rows(FIELD / "EXPECTED.csv")
NOT_YET = {row["file"]: row["today"] for row in read_rows(FIELD / "not_yet.csv")}


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """What one call of the command says of each input."""
    report = tmp_path_factory.mktemp("field") / "report.json"
    inputs = [str(FIELD / "cases" / row["file"]) for row in ROWS]
    options = ["--format", "json", "--output", str(report), "--received", "2026-09-20", "--fail-on", "never"]
    CliRunner().invoke(commands, ["check", *inputs, *options], catch_exceptions=False)
    return dict(
        zip([row["file"] for row in ROWS], json.loads(report.read_text("utf-8"))["files"], strict=True)
    )


def is_right(want: str, report: dict) -> bool:
    severities = {finding["severity"] for finding in report["findings"]}
    unread = "not_checked" in {report["outcome"], *(claim["outcome"] for claim in report["claims"])}
    return {
        "accept": not unread and "error" not in severities,
        "quiet": not unread and not severities & {"error", "warning"},
        "finding": bool(severities & {"error", "warning"}),
        "reject": "error" in severities,
    }[want]


def in_words(report: dict) -> str:
    """How an input is answered: its outcome, and the rules that object."""
    rules = sorted({finding["rule"] for finding in report["findings"] if finding["severity"] != "info"})
    return f"{report['outcome']}: {' '.join(rules) or 'nothing found'}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"].removesuffix(".837"))
def test_an_input_from_the_field(reports, row):
    report = reports[row["file"]]
    if row["file"] in NOT_YET:
        assert not is_right(row["want"], report), "right now: take it out of not_yet.csv"
        assert in_words(report) == NOT_YET[row["file"]]
    else:
        assert is_right(row["want"], report), f"want {row['want']} ({row['right']}): {in_words(report)}"


def test_the_lists_name_the_inputs_that_there_are():
    files = [row["file"] for row in ROWS]
    assert sorted(files) == sorted(path.name for path in (FIELD / "cases").glob("*.837"))
    assert set(NOT_YET) <= set(files)
