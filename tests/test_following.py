"""Rows of NDJSON and CSV leave while the input is read, and are the same rows as at its end."""

import csv
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edi_checker.claims.claim import Claim
from edi_checker.reports.csv_report import CsvReport
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.reports.ndjson import NdjsonReport
from generate_claims import generate
from test_reports import THREE, above, bundled, check

ROOT = Path(__file__).parents[1]
MAKE = {"ndjson": NdjsonReport, "csv": CsvReport}


def written(form, stream, *, follow):
    """What a report writes, and how much of it was there after each part."""
    out, lengths = io.StringIO(newline=""), []
    report = MAKE[form](out)
    with FindingsLog("claims.837", follow=follow) as journal:
        for part in stream:
            journal.add(part)
            if follow:
                report.follow(journal)
            lengths.append((part, out.getvalue().count("\n")))
        report.add(journal, journal.end(sha256="0" * 64))
    report.finish()
    return out.getvalue(), lengths


@pytest.mark.parametrize("form", MAKE)
@pytest.mark.parametrize(
    "findings",
    [
        {"A-1": [bundled], "B-1": [bundled]},
        {"Transaction": [above], "A-1": [bundled], "B-1": [bundled]},
        {"Interchange": [above], "A-2": [bundled], "TransactionEnd": [above]},
        {
            "BillingProvider": [above],
            "Subscriber": [above],
            "A-2": [bundled, bundled],
            "InterchangeEnd": [above],
        },
    ],
    ids=["claims", "sets", "interchange", "levels"],
)
def test_the_rows_are_those_of_the_end(form, findings):
    followed, _ = written(form, check(THREE, findings), follow=True)
    assert followed == written(form, check(THREE, findings), follow=False)[0]
    assert followed.count("\n") >= 2


@pytest.mark.parametrize("form", MAKE)
def test_a_finding_of_a_claim_leaves_with_the_claim(form):
    _, lengths = written(form, check(THREE, {"A-1": [bundled]}), follow=True)
    head = form == "csv"
    assert next(rows for part, rows in lengths if isinstance(part.part, Claim)) == head + 1


def test_a_finding_above_waits_for_its_claims_and_what_is_behind_waits_with_it():
    findings = {"Transaction": [above], "A-1": [bundled], "B-1": [bundled]}
    _, lengths = written("ndjson", check(THREE, findings), follow=True)
    rows = {(type(part.part).__name__, number): rows for number, (part, rows) in enumerate(lengths)}
    counts = [rows for (name, _), rows in rows.items() if name in ("Claim", "TransactionEnd")]
    # and their trailer, B-1 and its trailer.
    assert counts == [0, 0, 2, 2, 4]


def test_csv_never_calls_a_claim_accepted_that_a_trailer_rejects():
    warn = [lambda claim: bundled(claim, severity="warning")]
    text, _ = written(
        "csv", check(THREE, {"A-1": warn, "A-2": [bundled], "TransactionEnd": [above]}), follow=True
    )
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    outcomes = {row["claim"]: row["claim_outcome"] for row in rows if row["claim"]}
    assert outcomes == {"A-1": "", "A-2": "rejected"}


@pytest.mark.long
@pytest.mark.parametrize("form", MAKE)
def test_the_first_row_of_a_long_pipe_comes_before_its_end(form, tmp_path):
    """The process reads from a pipe that stays open: what it says by then, it says while it reads."""
    text = "".join(generate(300, invalid=0.3, seed=4))
    process = subprocess.Popen(
        [sys.executable, "-m", "edi_checker", "check", "--format", form, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    process.stdin.write(text[: len(text) * 2 // 3].encode())
    process.stdin.flush()
    os.set_blocking(process.stdout.fileno(), False)
    early, end = b"", time.monotonic() + 60
    while early.count(b"\n") < 3 and time.monotonic() < end:
        time.sleep(0.05)
        early += process.stdout.read() or b""
    assert early.count(b"\n") >= 3
    os.set_blocking(process.stdout.fileno(), True)
    process.stdin.write(text[len(text) * 2 // 3 :].encode())
    whole = early + process.communicate()[0]
    (tmp_path / "a.837").write_text(text)
    command = [sys.executable, "-m", "edi_checker", "check", "--format", form, str(tmp_path / "a.837")]
    again = subprocess.run(command, capture_output=True, check=False).stdout
    assert whole.count(b"\n") == again.count(b"\n")
    if form == "ndjson":
        rules = [json.loads(line)["rule"] for line in whole.splitlines()]
        assert rules == [json.loads(line)["rule"] for line in again.splitlines()]


def test_a_reader_that_goes_away_ends_the_run_quietly(tmp_path):
    (tmp_path / "a.837").write_text("".join(generate(400, invalid=0.5, seed=6)))
    script = f"{sys.executable} -m edi_checker check --format ndjson a.837 | head -1"
    done = subprocess.run(
        script,
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""
