"""What `explain` says of a code, and what it says where there is none."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from edi_checker.acks import words
from edi_checker.cli import commands
from edi_checker.reference.adjustments import GROUPS, REASONS, REMARKS
from edi_checker.reports.answer_codes import explain_code, near_codes
from edi_checker.x12.fault_codes import CODES


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands, ["explain", *arguments])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("A7:562:85", ["NPI of the billing provider", "Fix and send again", "not as a replacement"]),
        ("a7:562:85", ["NPI of the billing provider"]),
        ("A7>562>85", ["NPI of the billing provider"]),
        ("A7", ["rejected, something is not valid"]),
        ("A1", ["received, nothing decided yet", "Wait"]),
        ("A8:746", ["do not send it again", "send it with new control numbers", "whole batch"]),
        ("A3:718", ["Do not send it again, it stays late"]),
        ("A3:54", ["If it was sent twice, do nothing"]),
        ("A7:511", ["stands beside another one"]),
        ("A6:178", ["Fill in what is missing"]),
        ("IK304=7", ["the segment is out of order", "Move it"]),
        ("AK304=7", ["IK304=7"]),
        ("ik403=1", ["the element is required and missing"]),
        ("IK403=I12", ["not written as the guide requires"]),
        ("IK304=6", ["Take it out", "CLM", "do not take it out"]),
        ("IK502=5", ["segments have errors"]),
        ("IK503=23", ["was used before in this group", "If it was sent twice, do nothing"]),
        ("AK905=5", ["GE01 does not count"]),
        ("AK901=P", ["accepted in part"]),
        ("TA1=025", ["was used before", "if it was sent twice, do nothing"]),
        ("TA105=25", ["TA1=025"]),
        ("025", ["TA1=025"]),
        ("CO-97", ["paid within another service", "CO: contractual", "do not bill the patient"]),
        ("co97", ["CO-97"]),
        ("PR 1", ["PR-1", "deductible"]),
        ("OA-B15", ["needs another service"]),
        ("97", ["claim status", "adjustment reason"]),
        ("n362", ["more days or units"]),
        ("MA130", ["as a new one, not as a replacement"]),
        ("CO", ["the provider bears the amount"]),
        ("QC", ["patient"]),
    ],
)  # fmt: skip
def test_a_code_is_explained(asked: str, says: list[str]) -> None:
    done = run(asked)
    assert done.exit_code == 0
    shown = " ".join(done.stdout.split())
    for text in says:
        assert text in shown
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_json() -> None:
    made = json.loads(run("A7:562:85", "--format", "json").stdout)
    assert made["schema"] == "edi-checker/explain/1"
    assert [(one["kind"], one["code"]) for one in made["meanings"]] == [("claim status", "A7:562:85")]
    rule = json.loads(run("ncci.ptp", "--format", "json").stdout)
    assert [one["kind"] for one in rule["meanings"]] == ["rule"]
    assert rule["meanings"][0]["sections"][0]["heading"] == "Rule"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("97530", "`edi-checker tables lookup 97530`"),
        ("GP", "`edi-checker tables lookup GP`"),
        ("M54.50", "`edi-checker tables lookup M54.50`"),
        ("A7:5622", "Did you mean A7:562?"),
        ("IK304=77", "Did you mean IK304=7 or"),
        ("CO-9x", "CO-97"),
        ("N36", "Did you mean N386 or N362?"),
        ("ncci.ptpp", "Did you mean ncci.ptp?"),
        ("A7:562:85:1", "is called A7:562:85:1"),
    ],
)
def test_what_is_no_code_gets_the_next_step(asked: str, says: str) -> None:
    done = run(asked)
    assert done.exit_code == 2
    assert says in " ".join(done.stderr.split())


def test_a_rule_id_is_found_in_any_case_of_letters() -> None:
    assert run("NCCI.PTP").stdout == run("ncci.ptp").stdout


def nothing_imported(*_: str) -> tuple[tuple[int, int], ...]:
    return ()


def test_every_known_code_has_a_page() -> None:
    every = [*CODES, *words.CATEGORIES, *words.STATUSES, *words.ENTITIES, *REASONS, *REMARKS, *GROUPS]
    every += [f"A7:{status}:85" for status in words.STATUSES]
    for code in every:
        assert explain_code(code, nothing_imported), code


def test_an_imported_list_gives_the_days_and_knows_more_codes() -> None:
    def spans(name: str, code: str) -> tuple[tuple[int, int], ...]:
        return ((20040101, 20201231),) if (name, code) in {("carc", "B99"), ("rarc", "N999")} else ()

    for asked in ("CO-B99", "N999"):
        (page,) = explain_code(asked, spans)
        said = " ".join(line for part in page.sections for line in part.lines)
        assert "nothing is said here" in said
        assert "2020-12-31" in said
        assert explain_code(asked, nothing_imported) == []


@pytest.mark.parametrize("table", [GROUPS, REASONS, REMARKS])
def test_words_of_adjustments_are_short(table: dict[str, tuple[str, str]]) -> None:
    for code, (said, advice) in table.items():
        assert 5 < len(said) < 90, code
        assert not said.endswith("."), code
        assert advice == "" or advice.endswith("."), code


def test_near_codes_of_nonsense_are_few() -> None:
    for asked in ("", "?", "A7:", ":::", "=", "CO-", "\x00", "A" * 500):
        assert len(near_codes(asked)) <= 5
