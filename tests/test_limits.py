"""docs/limits.md says the numbers of the code, and the options change them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import probe
from edi_checker.check import engine, judgement
from edi_checker.claims import minutes
from edi_checker.cli import commands, config
from edi_checker.facts import MOST_LINES, MOST_OF_HEAD, code_errors, context
from edi_checker.files import inputs
from edi_checker.guide import scanner
from edi_checker.rules import profile_file, rule_files, yaml_tree
from edi_checker.x12 import blocks

PAGE = (Path(__file__).parent.parent / "docs" / "limits.md").read_text("utf-8")


def row(begin: str) -> str:
    return next(line for line in PAGE.splitlines() if line.startswith(f"| {begin} |"))


def test_the_numbers_of_the_page_are_those_of_the_code():
    for begin, number in {
        "characters of a segment": blocks.MAX_SEGMENT,
        "characters of a claim with its lines": blocks.MAX_BLOCK,
        "blanks before the first interchange": blocks.MAX_BLOCK,
        "files in an archive": inputs.MAX_MEMBERS,
        "bytes of an archive's list of files": inputs.MAX_DIRECTORY,
        "bytes to which an archive unpacks, all its files together": inputs._BOMB_FLOOR,
        "characters of a block that is proved at once": scanner.MAX_TEXT,
        "findings of one rule in one part of a file": engine.MAX_FINDINGS,
        "characters of one value in a message": judgement._MAX_SAID,
        "lines of a claim that rules look at": MOST_LINES,
        "segments of a claim before its providers and lines that rules look at": MOST_OF_HEAD,
        "diagnoses of a claim that are looked at": code_errors.MOST_DIAGNOSES,
        "claims of a file that are remembered for `duplicate.claim`": context.ClaimsSeen.LIMIT,
        "days of providers whose minutes are added up": context.ProviderDays.LIMIT,
        "bytes of a rule file or of a profile": rule_files.MAX_CHARACTERS,
        "rule files": rule_files.MAX_FILES,
        "levels of a rule file": yaml_tree.MAX_DEPTH,
        "bytes of a minutes file": minutes.MAX_BYTES,
        "minutes of a line": minutes.MAX_MINUTES,
        "profiles in a folder": profile_file.MAX_FILES,
        "bytes of `edi-checker.toml`": config.MAX_BYTES,
    }.items():
        assert f"{number:,} |" in row(begin), begin
    assert f"{inputs._BOMB_RATIO} times" in row("bytes to which an archive unpacks, all its files together")
    helped = CliRunner().invoke(commands, ["check", "--help"]).output.replace("\n", " ")
    for number in (blocks.MAX_SEGMENT, blocks.MAX_BLOCK, inputs._BOMB_FLOOR, inputs._BOMB_RATIO):
        assert str(number) in helped


def check(path: Path, *options: str) -> tuple[int, dict]:
    arguments = ["check", str(path), "--format", "json", "--received", "2026-11-21", *options]
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    return result.exit_code, json.loads(result.stdout)["files"][0]


def test_a_larger_bound_of_a_segment_is_held(tmp_path):
    path = tmp_path / "claims.837"
    path.write_text(probe.base_text().replace("SEEN AT HOME BEFORE", "A" * 3_000_000))
    assert "x12.segment" in [f["rule"] for f in check(path)[1]["findings"]]
    assert [f["rule"] for f in check(path, "--max-segment", "4000000")[1]["findings"]] == [
        "guide.element-length"
    ]


@pytest.mark.long
def test_a_smaller_bound_of_a_claim_is_held(tmp_path):
    path = tmp_path / "claims.837"
    path.write_text(probe.base_text().replace("NTE*ADD*SEEN AT HOME BEFORE~\n", "NTE*ADD*SEEN~\n" * 160_000))
    assert "x12.segment" not in [f["rule"] for f in check(path)[1]["findings"]]
    code, report = check(path, "--max-claim", "1048576")
    assert code == 1
    assert any(f["rule"] == "x12.segment" and "1048576" in f["message"] for f in report["findings"])


def test_a_bound_of_an_archive_is_held(tmp_path):
    path = tmp_path / "claims.837.gz"
    path.write_bytes(gzip.compress(probe.base_text().encode()))
    assert check(path)[0] == 0
    code, report = check(path, "--max-unpacked", "1000")
    assert (code, report["outcome"]) == (2, "not_checked")
    assert "1,000 bytes" in report["reason"]
