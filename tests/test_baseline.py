"""An earlier report as baseline: what stood there is not reported again, and all else stays as it is."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_checker.cli import commands
from edi_checker.cli.formats import FORMATS
from edi_checker.reports.baseline import NoBaseline, read_baseline
from report_schema import validate
from test_cli import CLAIM, FAULTY

SAMPLES = Path(__file__).parents[1] / "samples" / "837p"
RECEIVED = ("--received", "2026-09-30")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("claims.837").write_text(FAULTY)
    return tmp_path


def invoke(command, *arguments):
    return CliRunner().invoke(commands, [command, *RECEIVED, *map(str, arguments)])


def baseline_of(*arguments, form="json"):
    made = invoke("check", "--format", form, *arguments)
    Path(f"before.{form}").write_text(made.stdout)
    return ("--baseline", f"before.{form}")


def report(*arguments):
    done = invoke("check", "--format", "json", *arguments)
    made = json.loads(done.stdout)
    validate(made)
    return done, made["files"]


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_what_stood_there_is_not_reported_again(form):
    known = baseline_of("claims.837", form=form)
    done, (file,) = report("claims.837", *known)
    assert (done.exit_code, done.stderr) == (
        0, "edi-checker: 1 finding is in the baseline and not reported again\n",
    )  # fmt: skip
    assert (file["findings"], file["counts"]["error"], file["hidden"]) == ([], 0, 1)
    assert (file["outcome"], file["claims"][0]["outcome"]) == ("rejected", "rejected")


def test_what_is_new_is_reported_and_decides_the_exit_code():
    known = baseline_of("claims.837")
    Path("claims.837").write_text(FAULTY.replace("HC:97530:GP", "HC:97530"))
    done, (file,) = report("claims.837", *known)
    assert done.exit_code == (1 if any(f["severity"] == "error" for f in file["findings"]) else 0)
    assert file["findings"]
    assert "balance.claim-charge" not in {found["rule"] for found in file["findings"]}


def test_another_claim_or_another_name_of_the_file_is_new():
    known = baseline_of("claims.837")
    shutil.copy("claims.837", "other.837")
    assert invoke("check", "other.837", *known).exit_code == 1
    Path("claims.837").write_text(CLAIM.format(claim="A-3", charge="90"))
    assert invoke("check", "claims.837", *known).exit_code == 1


def test_a_file_of_the_same_name_may_lie_elsewhere():
    known = baseline_of("claims.837")
    Path("later").mkdir()
    shutil.move("claims.837", "later/claims.837")
    assert invoke("check", "later", *known).exit_code == 0


def test_two_files_of_one_name_know_their_own_findings_if_their_paths_are_the_same():
    for name in ("a", "b"):
        Path(name).mkdir()
    shutil.copy("claims.837", "a/claims.837")
    Path("b/claims.837").write_text(CLAIM.format(claim="A-1", charge="100"))
    known = baseline_of("a", "b")
    shutil.copy("a/claims.837", "b/claims.837")
    assert invoke("check", "a", *known).exit_code == 0
    assert invoke("check", "b", *known).exit_code == 1


def test_a_second_finding_like_a_known_one_is_new():
    known = baseline_of("claims.837")
    begin, claim, end = FAULTY.partition("CLM*")[0], "CLM*" + FAULTY.partition("CLM*")[2], ""
    claim, _, end = claim.partition("SE*")
    Path("claims.837").write_text(begin + claim + claim + "SE*31*" + end.partition("*")[2])
    done, (file,) = report("claims.837", *known)
    assert done.exit_code == 1
    assert [f["rule"] for f in file["findings"]].count("balance.claim-charge") == 1


def test_answers_and_split_are_those_without_a_baseline():
    known = baseline_of("claims.837")
    invoke("check", "--acks", "--split", "--out-dir", "without", "claims.837")
    invoke("check", "--acks", "--split", "--out-dir", "with", "claims.837", *known)
    for name in ("claims.999", "claims.277ca", "claims.rejected.837"):
        assert Path("with", name).read_bytes() == Path("without", name).read_bytes()
    assert json.loads(Path("with/claims.json").read_text())["files"][0]["findings"] == []


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in ("html", "xlsx")])
def test_no_format_shows_what_is_known(form):
    known = baseline_of("claims.837")
    said = "but its lines add up to"
    assert said in invoke("check", "--format", form, "claims.837").stdout.replace("\n", " ").replace("  ", "")
    assert said not in invoke("check", "--format", form, "claims.837", *known).stdout


def test_text_and_html_say_what_they_do_not_show():
    known = baseline_of("claims.837")
    assert "Nothing found that is not in the baseline." in invoke("check", "claims.837", *known).stdout
    page = invoke("check", "--format", "html", "claims.837", *known).stdout
    assert "balance.claim-charge" not in page.partition("<main>")[2].partition("277CA")[0]


def test_it_may_be_used_with_redaction():
    known = baseline_of("claims.837")
    done = invoke("check", "--redact", "claims.837", *known)
    assert (done.exit_code, "A-2" in done.stdout) == (0, False)


@pytest.mark.long
def test_samples_are_silent_against_themselves():
    known = baseline_of(SAMPLES / "faulty")
    done, files = report(SAMPLES / "faulty", *known)
    assert [file for file in files if file["findings"]] == []
    assert done.exit_code == 0


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_a_batch_takes_it_too(workers):
    known = baseline_of("claims.837")
    arguments = ("batch", "claims.837", "--out-dir", "out", "--workers", workers)
    assert invoke(*arguments).exit_code == 1
    done = invoke(*arguments, "--resume", *known)
    assert done.exit_code == 0
    assert "other options" in done.stderr
    assert "1 finding is in the baseline" in done.stderr
    assert Path("out/findings.ndjson").read_text() == ""
    done = invoke(*arguments, "--resume", *known)
    assert (done.exit_code, "1 finding is in the baseline" in done.stderr) == (0, True)
    assert invoke(*arguments, "--baseline", "out/findings.ndjson").exit_code == 2


def test_it_is_not_written_over():
    known = baseline_of("claims.837")
    before = Path("before.json").read_bytes()
    done = invoke("check", "--format", "json", "--output", "before.json", "claims.837", *known)
    assert (done.exit_code, done.stderr) == (
        2,
        "edi-checker: before.json: the baseline would be written over\n",
    )
    assert Path("before.json").read_bytes() == before


NONE = [
    b"", b"{}", b"[]", b"null", b"\x00" * 100, b"\xff\xfe",
    b'{"schema": "edi-checker/report/2", "files": []}',
    b'{"path": "x"}\n', b'{"path": "x", "rule": "a.b"}\n',
    b'{"schema": "edi-checker/report/1", "files": [{"path": 5, "findings": [5]}]}',
    b'{"schema": "edi-checker/report/1", "files": [{"path": "x", "findings": [{"where": 1}]}]}',
    b'{"schema": "edi-checker/report/1", "files": ' + b"[" * 100_000, FAULTY.encode(),
    b'{"schema": "edi-checker/report/1", "files": [{"path": "x", "findings": [{"rule": "a", "where": {}',
]  # fmt: skip


@pytest.mark.parametrize("data", NONE, ids=range(len(NONE)))
def test_what_is_no_report_of_ours_is_refused(data):
    Path("b.json").write_bytes(data)
    done = invoke("check", "claims.837", "--baseline", "b.json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "edi-checker: --baseline b.json: it is no JSON or NDJSON report of findings\n"


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60), at=st.integers(0, 3000))
def test_a_damaged_report_is_read_or_refused(folder, data, at):
    if not Path("before.json").exists():
        baseline_of("claims.837")
    text = Path("before.json").read_bytes()
    Path("damaged.json").write_bytes(text[:at] + data + text[at + len(data) :])
    with contextlib.suppress(NoBaseline):
        read_baseline(Path("damaged.json"))


def test_a_value_without_an_end_is_not_read_into_memory(monkeypatch):
    monkeypatch.setattr("edi_checker.reports.baseline._LONGEST", 1000)
    Path("b.json").write_text('{"schema": "' + "x" * 500_000)
    with pytest.raises(NoBaseline):
        read_baseline(Path("b.json"))
    monkeypatch.setattr("edi_checker.reports.baseline._MOST", 3)
    baseline_of("claims.837", SAMPLES / "faulty/ncci.ptp.97530-97750.837", "claims.837")
    with pytest.raises(NoBaseline, match="more than 3"):
        read_baseline(Path("before.json"))
