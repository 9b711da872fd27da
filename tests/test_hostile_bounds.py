"""Inputs made to cost much: what is listed, answered and spent on one of them is bounded."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import zipfile

import pytest
from click.testing import CliRunner

import probe
from both_ways import assert_same
from edi_checker.claims.reader import MOST_BROKEN
from edi_checker.cli import commands
from edi_checker.files.inputs import find_inputs
from edi_checker.reports.findings_log import MOST_FINDINGS
from report_schema import validate

BASE = probe.base_text()
TO_GROUP = BASE[: BASE.index("GS*")]
TO_SET = BASE[: BASE.index("ST*837")]
TO_LEVELS = BASE[: BASE.index("HL*1")]
TO_CLAIM = BASE[: BASE.index("CLM*THERAPY1")]
TO_LINE = BASE[: BASE.index("LX*1")]
TAIL = "SE*9*0001~GE*1*1~IEA*1*000000001~"
SIZE = 100_000  # characters of what is repeated
MEGABYTES, SECONDS = 8, 10
PATIENCE = 4  # times as long on a machine that does other work

REPEATS = {
    "claims of one wrong segment": (TO_CLAIM, "CLM*1~A~"),
    "claims of nothing": (TO_CLAIM, "CLM*1~"),
    "claims with wrong diagnoses": (TO_CLAIM, "CLM*A*1~HI*ABK:X*ABF:X~"),
    "sets without end": (TO_SET, "ST*837*0001~"),
    "sets of nothing": (TO_SET, "ST*837*0001~SE*1*0001~"),
    "groups without end": (TO_GROUP, "GS*~"),
    "groups of nothing": (TO_GROUP, "GS*HC~GE*1~"),
    "interchanges without end": ("", TO_GROUP.replace("\n", "")),
    "terminators": (TO_CLAIM, "~"),
    "unknown segments": (TO_CLAIM, "ZZ9*1~"),
    "levels": (TO_LEVELS, "HL*1**20*1~"),
    "patients": (TO_LEVELS, "HL*1**20*1~HL*2*1*23*1~NM1*QC*1*A~"),
    "diagnoses": (TO_CLAIM + "CLM*A*1***11:B:1*Y*A*Y*Y~", "HI*ABK:X~"),
    "references": (TO_LINE, "REF*~"),
    "lines": (TO_LINE, "LX*1~SV1*HC:1*1~"),
}


def check(path, *options: str, form: str = "json") -> tuple[int, str]:
    arguments = ["check", str(path), "--format", form, "--received", "2026-11-21", *options]
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    return result.exit_code, result.stdout


def save(path, begin: str, unit: str, size: int = SIZE):
    path.write_text(begin + unit * (size // len(unit)) + TAIL)
    return path


@pytest.mark.long
@pytest.mark.parametrize("name", REPEATS)
def test_a_repeat_of_100_kb_stays_small_and_quick(tmp_path, name):
    path = save(tmp_path / "a.837", *REPEATS[name])
    began = time.process_time()
    code, text = check(path, "--acks", "--out-dir", str(tmp_path / "out"))
    assert time.process_time() - began < SECONDS * PATIENCE
    assert len(text) < MEGABYTES * 1_000_000
    assert code in (1, 2)
    report = json.loads(text)
    validate(report)
    (file,) = report["files"]
    counts = file["counts"]
    assert len(file["findings"]) <= MOST_FINDINGS
    assert len(file["findings"]) + sum(file["unlisted"].values()) == sum(
        counts[severity] for severity in ("error", "warning", "info")
    )
    for answer in (tmp_path / "out").glob("*.[9277]*"):
        assert answer.stat().st_size < MEGABYTES * 1_000_000


@pytest.mark.parametrize("name", REPEATS)
def test_a_repeat_gives_the_same_with_memory_and_without(name):
    begin, unit = REPEATS[name]
    assert_same(begin + unit * 60 + TAIL)
    assert_same(begin + unit * 3 + "CLM*B*2~A~B*1~" + unit * 3 + TAIL)


@pytest.mark.long
def test_long_values_do_not_make_a_long_report(tmp_path):
    number = "7" * 20_000
    begin = TO_CLAIM.replace("*0001*005010X222A1", f"*{number}*005010X222A1")
    _, text = check(save(tmp_path / "a.837", begin, "CLM*1~A~", 4_000))
    assert len(text) < 3_000_000
    _, text = check(
        save(tmp_path / "a.837", f"{TO_CLAIM}CLM*{number}*1~", "REF*~", 4_000), "--max-findings", "100"
    )
    assert len(text) < 200_000


@pytest.mark.long
def test_what_is_not_listed_is_counted_in_every_form(tmp_path):
    path = save(tmp_path / "a.837", TO_CLAIM, "CLM*1~A~", 400)
    whole = json.loads(check(path)[1])["files"][0]
    assert whole["unlisted"] == {}
    _, text = check(path, "--max-findings", "20")
    validate(json.loads(text))
    (file,) = json.loads(text)["files"]
    assert file["findings"] == whole["findings"][:20]
    assert file["counts"] == whole["counts"]
    rest = [finding["rule"] for finding in whole["findings"][20:]]
    assert file["unlisted"] == {rule: rest.count(rule) for rule in sorted(set(rest))}
    told = {rule: f"and {count:,} more of {rule}" for rule, count in file["unlisted"].items()}
    for form in ("text", "html"):
        _, text = check(path, "--max-findings", "20", form=form)
        assert all(sentence in text for sentence in told.values())
    rows = list(csv.DictReader(io.StringIO(check(path, "--max-findings", "20", form="csv")[1])))
    assert {row["rule"]: row["message"] for row in rows[20:]} == told
    lines = [json.loads(line) for line in check(path, "--max-findings", "20", form="ndjson")[1].splitlines()]
    assert [line["message"] for line in lines[20:]] == list(told.values())
    assert {line["rule"]: line["unlisted"] for line in lines[20:]} == file["unlisted"]


def test_answers_are_bounded_and_say_that_there_is_more(tmp_path):
    path = save(tmp_path / "a.837", TO_CLAIM, "CLM*1~A~", 4_000)
    check(path, "--acks", "--out-dir", str(tmp_path), "--max-findings", "50")
    segments = (tmp_path / "a.999").read_text().split("~\n")
    assert sum(segment.startswith(("IK3", "IK4")) for segment in segments) == 50
    (end,) = [segment.split("*") for segment in segments if segment.startswith("IK5")]
    assert end[1] == "R"
    assert "5" in end[2:]
    assert [segment for segment in segments if segment.startswith("AK9*R*1*1*0")]


def test_each_rejected_claim_stays_in_the_277ca(tmp_path):
    path = tmp_path / "a.837"
    path.write_text(BASE.replace("97530", "97531"))
    counts = []
    for most in ("1000", "1"):
        check(path, "--acks", "--out-dir", str(tmp_path), "--max-findings", most)
        segments = (tmp_path / "a.277ca").read_text().split("~\n")
        counts.append(sum(segment.startswith("TRN*2*") for segment in segments))
        assert len([segment for segment in segments if segment.startswith("STC*A")]) >= counts[-1]
    assert counts[0] == counts[1] > 0


@pytest.mark.long
def test_the_rest_behind_a_hundred_broken_envelopes_is_not_checked(tmp_path):
    for count, given_up in ((MOST_BROKEN - 1, False), (MOST_BROKEN + 1, True)):
        path = save(tmp_path / "a.837", TO_SET, "ST*837*0001*005010X222A1~", count * 25)
        code, text = check(path, "--acks", "--out-dir", str(tmp_path))
        (file,) = json.loads(text)["files"]
        assert (code, file["outcome"] == "not_checked") == ((2, True) if given_up else (1, False))
        assert given_up == ("what follows is not checked" in (file["reason"] or ""))
        assert not (given_up and (tmp_path / "a.999").exists())


def test_time_is_bounded_where_it_is_asked_for(tmp_path):
    path = save(tmp_path / "a.837", TO_CLAIM, "CLM*1~A~", 40_000)
    good = tmp_path / "b.837"
    good.write_text(BASE)
    code, text = check(tmp_path, "--max-seconds", "0.000001")
    first, second = json.loads(text)["files"]
    assert code == 2
    assert {first["outcome"], second["outcome"]} == {"not_checked"}
    assert first["reason"] == "it takes longer than the 1e-06 seconds of --max-seconds"
    assert json.loads(check(good, "--max-seconds", "600")[1])["files"][0]["outcome"] == "accepted"
    assert path.exists()


def test_an_archive_has_one_budget(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.837", BASE)
    assert len(json.loads(check(path, "--max-unpacked", str(4 * len(BASE)))[1])["files"]) == 4
    code, text = check(path, "--max-unpacked", str(4 * len(BASE) - 1))
    (file,) = json.loads(text)["files"]
    assert (code, file["outcome"]) == (2, "not_checked")
    assert "unpacks to more than" in file["reason"]


def test_files_that_share_bytes_in_an_archive_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.837", BASE)
        for number in range(1, 12):
            again = zipfile.ZipInfo(f"{number}.837")
            first = archive.filelist[0]
            for name in ("header_offset", "compress_type", "CRC", "compress_size", "file_size"):
                setattr(again, name, getattr(first, name))
            archive.filelist.append(again)
    (refused,) = find_inputs([str(path)])
    assert refused.reason == "files in the archive overlap"


@pytest.mark.parametrize("kind", ["folder", "pipe", "link without an end", "link to nothing"])
def test_minutes_that_are_no_file_cost_one_input(tmp_path, kind):
    for name in "ab":
        (tmp_path / f"{name}.837").write_text(BASE)
    minutes = tmp_path / "b.minutes.csv"
    match kind:
        case "folder":
            minutes.mkdir()
        case "pipe":
            os.mkfifo(minutes)
        case "link without an end":
            minutes.symlink_to(minutes)
        case _:
            minutes.symlink_to(tmp_path / "gone")
    code, text = check(tmp_path)
    assert code == 2
    said = [(file["outcome"], file["reason"]) for file in json.loads(text)["files"]]
    assert said == [("accepted", None), ("not_checked", "its minutes file is not a regular file")]


def test_one_bad_minutes_file_costs_one_input(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.837").write_text(BASE)
    (tmp_path / "b.minutes.csv").write_text("claim,line,minutes\nTHERAPY1,1,many\n")
    code, text = check(tmp_path)
    assert code == 2
    assert [file["outcome"] for file in json.loads(text)["files"]] == ["accepted", "not_checked", "accepted"]
    result = CliRunner().invoke(
        commands, ["batch", str(tmp_path), "--out-dir", str(tmp_path / "out"), "--workers", "1"]
    )
    assert result.exit_code == 2
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["files"]["not_checked"] == 1
    assert summary["files"]["accepted"] == 2
