"""The samples: the clean ones give no finding, each faulty one gives its own and no other."""

from __future__ import annotations

import csv
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import pyx12_oracle
from edi_checker.cli import commands
from generate_claims import FAULTS, Seeded, generate, npi

SAMPLES = Path(__file__).parent.parent / "samples" / "837p"
CLEAN = sorted((SAMPLES / "clean").glob("*.837"))
with (SAMPLES / "faulty" / "EXPECTED.csv").open(newline="") as table:
    EXPECTED = list(csv.DictReader(table))

Report = dict[str, Any]

# Findings that say what is in the file for what it is; a clean file may have them.
QUIET = ("info",)
# What pyx12 can see: everything else is content, and pyx12 accepts it.
STRUCTURE = ("x12", "guide")


def check(*paths: Path, received: str = "2026-11-21") -> list[Report]:
    """The `files` of the JSON report on these paths."""
    arguments = ["check", *map(str, paths), "--format", "json", "--received", received, "--no-progress"]
    result = CliRunner().invoke(commands, arguments, catch_exceptions=False)
    files: list[Report] = json.loads(result.stdout)["files"]
    return files


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """The report on every sample, by file name."""
    faulty = [SAMPLES / "faulty" / row["file"] for row in EXPECTED]
    files = check(*CLEAN, *faulty)
    return {path.name: report for path, report in zip([*CLEAN, *faulty], files, strict=True)}


def loud(report: Report) -> list[Report]:
    return [finding for finding in report["findings"] if finding["severity"] not in QUIET]


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_a_clean_sample_gives_no_error_and_no_warning(path: Path, reports: dict[str, Report]) -> None:
    report = reports[path.name]
    assert loud(report) == []
    assert report["outcome"] == "accepted"
    assert report["counts"]["claims"] == len(re.findall(r"\bCLM[*|]", path.read_text()))
    assert report["counts"]["claims_accepted"] == report["counts"]["claims"] > 0


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row["file"].removesuffix(".837"))
def test_a_faulty_sample_gives_its_finding_and_no_other(
    row: dict[str, str], reports: dict[str, Report]
) -> None:
    findings = reports[row["file"]]["findings"]
    if row["severity"] not in QUIET:
        findings = loud(reports[row["file"]])
    else:
        assert loud(reports[row["file"]]) == []
        findings = [finding for finding in findings if finding["rule"] == row["rule"]]
    found = [
        {
            "rule": finding["rule"],
            "severity": finding["severity"],
            "loop": finding["where"]["loop"],
            "segment": finding["where"]["segment"],
            "position": str(finding["where"]["position"]),
            "element": finding["where"]["element"] or "",
        }
        for finding in findings
    ]
    assert found == [{key: value for key, value in row.items() if key != "file"}]


def test_every_faulty_file_is_expected_and_named_by_its_rule() -> None:
    files = {path.name for path in (SAMPLES / "faulty").glob("*.837")}
    assert files == {row["file"] for row in EXPECTED}
    for row in EXPECTED:
        assert row["file"].startswith(row["rule"] + "."), row
        assert (Path(__file__).parent.parent / "rulesets" / f"{row['rule'].replace('.', '/')}.yaml").is_file()


@pytest.mark.long
@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_pyx12_accepts_a_clean_sample(path: Path) -> None:
    assert pyx12_oracle.ask(path.read_text()) == []


@pytest.mark.long
@pytest.mark.parametrize(
    "row",
    [row for row in EXPECTED if not row["rule"].startswith(STRUCTURE)],
    ids=lambda row: row["file"].removesuffix(".837"),
)
def test_pyx12_accepts_a_sample_whose_fault_is_its_content(row: dict[str, str]) -> None:
    assert pyx12_oracle.ask((SAMPLES / "faulty" / row["file"]).read_text()) == []


def personal(text: str) -> Iterator[str]:
    """Names, member ids, birth dates and addresses of the people in a sample."""
    for segment in re.split(r"[~']\s*", text):
        elements = re.split(r"[*|]", segment)
        if elements[:2] in (["NM1", "IL"], ["NM1", "QC"]):
            yield from (elements[at] for at in (3, 4, 9) if at < len(elements))
        elif elements[0] == "DMG":
            yield elements[2]
        elif elements[0] == "N3":
            yield elements[1]


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: row["file"].removesuffix(".837"))
def test_no_finding_names_a_person(row: dict[str, str], reports: dict[str, Report]) -> None:
    said = " ".join(f"{f['message']} {f['fix']}" for f in reports[row["file"]]["findings"]).upper()
    for word in personal((SAMPLES / "faulty" / row["file"]).read_text()):
        # Some invented names are words, too.
        assert len(word) < 4 or not re.search(rf"\b{re.escape(word)}\b", said), word


def test_the_readme_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SAMPLES.parent.parent)
    monkeypatch.setenv("COLUMNS", "100")
    shown = Path("README.md").read_text().partition("## What it answers")[2].partition("Every finding")[0]
    command = ["check", "samples/837p/faulty/ncci.mue.97530-x7.837", "--received", "2026-11-21"]
    printed = CliRunner().invoke(commands, command, catch_exceptions=False).stdout
    printed = "\n".join(line.rstrip() for line in printed.splitlines())
    assert textwrap.dedent(shown).strip() == printed.partition("\n───")[0].strip()


def test_check_digit_of_a_made_npi() -> None:
    # The example with prefix 80840 in the CMS standard: 123456789 takes the digit 3.
    assert npi(23456789) == "1234567893"


def test_generated_claims_are_the_same_for_the_same_seed() -> None:
    first, again, other = ("".join(generate(40, seed=seed, invalid=0.3)) for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.long
@pytest.mark.parametrize(("claims", "seed"), [(1, 1), (2, 2), (260, 3)])
def test_pyx12_accepts_generated_claims(claims: int, seed: int) -> None:
    text = "".join(generate(claims, seed=seed, per_transaction=100))
    assert text.count("~\nCLM*") == claims
    assert pyx12_oracle.ask(text) == []


@pytest.mark.long
def test_generated_clean_claims_give_no_finding(tmp_path: Path) -> None:
    path = tmp_path / "clean.837"
    path.write_text("".join(generate(600, seed=11, per_transaction=250)))
    (report,) = check(path)
    assert loud(report) == []
    assert report["counts"]["claims_accepted"] == 600


@pytest.mark.long
def test_every_seeded_fault_is_found_and_nothing_else(tmp_path: Path) -> None:
    seeded: list[Seeded] = []
    path = tmp_path / "faulty.837"
    path.write_text("".join(generate(600, seed=12, invalid=0.2, per_transaction=250, seeded=seeded)))
    (report,) = check(path)
    assert {fault.kind for fault in seeded} == set(FAULTS)
    # An address that is missing is the patient's level's, which stands above the claim.
    of_claims = [(f.claim, f.rule) for f in seeded if f.kind != "missing-n3"]
    of_levels = [f.rule for f in seeded if f.kind == "missing-n3"]
    found = [(f["where"]["claim"], f["rule"]) for f in loud(report)]
    assert sorted(f for f in found if f[0] is not None) == sorted(of_claims)
    assert [rule for claim, rule in found if claim is None] == of_levels
    assert report["counts"]["claims_rejected"] == len(seeded)
