"""What rules cost: findings, claims, money, and what would be accepted if a rule were a warning."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from edi_checker.cli import commands
from edi_checker.reports.stakes import Stake, Stakes, add_up
from edi_checker.x12.finding import Finding, Place, Status
from test_reports import check, interchange, transaction

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
RECEIVED = ("--received", "2026-09-30")


def invoke(*arguments):
    return CliRunner().invoke(commands, [str(argument) for argument in arguments])


def stakes_of(stream, *, failed=False):
    """By rule and severity: findings, claims, cents, and what it alone rejects."""
    stakes = Stakes()
    for checked in stream:
        stakes.add(checked)
    return {(stake.rule, stake.severity): stake[2:7] for stake in stakes.end(failed=failed)}


def found(rule, severity="error", *, structural=False):
    """Makes a finding of which only rule, severity and kind of answer matter."""
    status = Status(ack999=("IK304=3",)) if structural else Status()
    place = Place("1", None, None, None, None, "", "", 0)
    return lambda _: Finding(rule, severity, 2, f"The fault of {rule}.", "", "", place, status=status)


CLAIMS = transaction(("A", "10.01"), ("B", "20.02"), ("C", "40.04"), ("D", "80.08"))


def test_each_claim_counts_once_for_a_rule_and_alone_if_no_other_rule_rejects_it():
    findings = {
        "A": [found("r.one"), found("r.one")],
        "B": [found("r.one"), found("r.two")],
        "C": [found("r.two"), found("r.three", "warning")],
    }
    assert stakes_of(check(interchange(CLAIMS), findings)) == {
        ("r.one", "error"): (3, 2, 3003, 1, 1001),
        ("r.two", "error"): (2, 2, 6006, 1, 4004),
        ("r.three", "warning"): (1, 1, 0, 0, 0),
    }


def test_an_error_above_the_claims_rejects_those_below_it():
    text = interchange(CLAIMS, transaction(("E", "1"), st="0002"))
    outcomes = dict.fromkeys("ABCDE", "rejected") | {"BillingProvider": "rejected"}
    findings = {"BillingProvider": [found("r.above")], "A": [found("r.one")]}
    assert stakes_of(check(text, findings, outcomes)) == {
        ("r.above", "error"): (2, 5, 15115, 4, 14114),
        ("r.one", "error"): (1, 1, 1001, 0, 0),
    }


def test_an_error_above_that_rejects_nothing_costs_nothing():
    assert stakes_of(check(interchange(CLAIMS), {"Interchange": [found("r.noted")]})) == {
        ("r.noted", "error"): (1, 0, 0, 0, 0)
    }


@pytest.mark.parametrize("end", ["TransactionEnd", "GroupEnd", "InterchangeEnd"])
def test_what_is_rejected_at_its_end_takes_all_its_claims_along(end):
    findings = {"A": [found("r.one")], "B": [found("r.end")], end: [found("r.end")]}
    assert stakes_of(check(interchange(CLAIMS), findings, {end: "rejected"})) == {
        ("r.end", "error"): (2, 4, 15015, 3, 14014),
        ("r.one", "error"): (1, 1, 1001, 0, 0),
    }


def test_two_rules_at_the_end_free_no_claim_alone():
    findings = {"GroupEnd": [found("r.one"), found("r.two")]}
    stakes = stakes_of(check(interchange(CLAIMS), findings, {"GroupEnd": "rejected"}))
    assert stakes == {(rule, "error"): (1, 4, 15015, 0, 0) for rule in ("r.one", "r.two")}


def test_isolation_by_transaction_lays_the_other_claims_to_the_structural_error():
    findings = {"B": [found("r.structure", structural=True), found("r.one")]}
    outcomes = {"B": "rejected", "C": "rejected", "D": "rejected", "TransactionEnd": "rejected"}
    assert stakes_of(check(interchange(CLAIMS), findings, outcomes)) == {
        ("r.structure", "error"): (1, 4, 15015, 3, 13013),
        ("r.one", "error"): (1, 1, 2002, 0, 0),
    }


def test_of_an_input_that_breaks_off_only_the_findings_are_counted():
    stream = check(interchange(CLAIMS), {"A": [found("r.one")]})
    assert stakes_of(stream, failed=True) == {("r.one", "error"): (1, 0, 0, 0, 0)}


def test_a_claim_that_could_not_be_checked_is_not_at_stake():
    stream = check(interchange(CLAIMS), {"A": [found("r.one")]}, failed={"A": "internal error"})
    assert stakes_of(stream) == {("r.one", "error"): (1, 0, 0, 0, 0)}


def test_sums_of_several_inputs_have_errors_and_the_most_money_first():
    one = Stake("error", "r.one", 1, 1, 100, 1, 100, "First.")
    two = Stake("error", "r.two", 1, 1, 150, 0, 0, "Second.")
    warned = Stake("warning", "r.one", 9, 9, 0, 0, 0, "Third.")
    assert add_up([warned, two, one, one._replace(example="Later.")]) == [
        Stake("error", "r.one", 2, 2, 200, 2, 200, "First."),
        two,
        warned,
    ]


def test_the_page_of_a_folder(golden):
    done = invoke(
        "check", "--statistics", *RECEIVED, SAMPLES / "clean", SAMPLES / "faulty/ncci.ptp.97530-97750.837"
    )
    assert done.exit_code == 1
    golden("statistics.txt", done.stdout)


def test_json_has_the_same():
    file = SAMPLES / "faulty/ncci.ptp.97530-97750.837"
    done = invoke("check", "--statistics", "--format", "json", *RECEIVED, file)
    assert done.exit_code == 1
    made = json.loads(done.stdout)
    (error,) = (rule for rule in made["rules"] if rule["severity"] == "error")
    assert (made["schema"], made["received"]) == ("edi-checker/statistics/1", "2026-09-30")
    assert made["claims"] == {"accepted": 1, "rejected": 1, "not_checked": 0}
    assert made["charges"] == {"accepted": "84.00", "rejected": "115.00", "not_checked": "0.00"}
    assert error == {
        "rule": "ncci.ptp", "severity": "error", "count": 1, "claims": 1, "at_stake": "115.00",
        "if_warning": {"claims": 1, "charge": "115.00"}, "example": error["example"],
    }  # fmt: skip
    assert error["example"].startswith("97750 is not paid with 97530")


def test_it_says_what_could_not_be_checked(tmp_path):
    (tmp_path / "x.837").write_text("no claims")
    done = invoke("check", "--statistics", tmp_path / "x.837")
    assert done.exit_code == 2
    assert re.fullmatch(r".*x\.837: not checked: .*\n", done.stdout)
    clean = invoke("check", "--statistics", *RECEIVED, SAMPLES / "clean/pt-clinic.837")
    assert clean.stdout.endswith("Nothing found.\n")


def test_it_goes_with_text_and_json_alone():
    done = invoke("check", "--statistics", "--format", "html", SAMPLES / "clean/pt-clinic.837")
    assert done.exit_code == 2
    assert "--statistics goes with --format text or json." in done.stderr


@pytest.mark.long
def test_a_batch_comes_to_the_same_also_where_it_goes_on(tmp_path):
    alone = invoke("check", "--statistics", "--format", "json", *RECEIVED, SAMPLES / "faulty")
    arguments = ("batch", "--out-dir", tmp_path, "--workers", "2", *RECEIVED, SAMPLES / "faulty")
    for more in ([], ["--resume", "--statistics"]):
        done = invoke(*arguments, *more)
        summary = json.loads((tmp_path / "summary.json").read_text())
        assert summary["statistics"] == json.loads(alone.stdout)["rules"]
    assert "\nseverity  findings  claims       at stake  rule\n" in done.stdout


FILES = sorted((SAMPLES / "faulty").glob("*.837"))[::9]


@pytest.mark.long
@pytest.mark.parametrize("isolation", ["claim", "transaction"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_profile_with_the_warning_accepts_what_was_said(tmp_path, file, isolation):
    profile = tmp_path / "own.yaml"

    def run(text):
        profile.write_text(f"inherits: medicare\nisolation: {isolation}\n{text}")
        done = invoke("check", "--statistics", "--format", "json", *RECEIVED, "--profile", profile, file)
        return json.loads(done.stdout)

    before = run("")
    for rule in before["rules"]:
        if rule["severity"] == "error":
            after = run(f"severity: {{rules: {{{rule['rule']}: warning}}}}\n")
            more = after["claims"]["accepted"] - before["claims"]["accepted"]
            assert more == rule["if_warning"]["claims"], rule
