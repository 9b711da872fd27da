"""Days of service of which the tables do not speak: said once for an input, and no finding."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from click.testing import CliRunner, Result

from edi_checker.check.examples import write_example
from edi_checker.cli import commands
from edi_checker.facts import Coverage, Gap
from edi_checker.facts import coverage as of_days
from edi_checker.reference.tables import BUILT_IN, built_in
from edi_checker.reports.gaps import say_gaps
from make_cms_files import addon_line, mue_text, ptp_text
from report_schema import validate
from small_tables import import_as_whole

ROOT = Path(__file__).resolve().parents[1]
RECEIVED = ("--received", "2026-11-21", "--no-progress")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The third quarter of 2026 of all three tables of edits."""
    files = {
        "ccipra-v322r0.txt": ptp_text([("97530", "97750", "", "20201001", "*", "1", "why")]),
        "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv": mue_text([("97530", "6", "3", "why")]),
        "AOC_V2026Q3-MCR.txt": addon_line("1", "0770T", "97530", "2023001"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, newline="")
    folder = tmp_path / "store"
    import_as_whole(folder, [str(tmp_path / name) for name in files])
    return folder


def write_claims(path: Path, *days: str, **claim: Any) -> Path:
    """A file with one claim for each day of service."""
    given = {"received": "2026-11-21", **claim}
    first, *more = [{"lines": ["97530:GP x2"], "claim": {"date": day}} for day in days]
    example = {"lines": first["lines"], "claim": {**given, **first["claim"]}, "more": more}
    path.write_text(write_example(example).text)
    return path


def run(*words: object) -> Result:
    result = CliRunner().invoke(commands, [str(word) for word in (*words, *RECEIVED)])
    assert not result.exception or isinstance(result.exception, SystemExit)
    return result


def check_json(*words: object) -> dict[str, Any]:
    done = run("check", *words, "--format", "json")
    report: dict[str, Any] = json.loads(done.stdout)
    validate(report)
    return report


def after(table: str, first: str, until: str, version: str = "2026Q3", claims: int = 1) -> dict[str, Any]:
    return {
        "name": table,
        "version": version,
        "side": "after",
        "from": first,
        "until": until,
        "claims": claims,
    }


def test_days_after_a_release_are_said_and_the_file_stays_clean(tmp_path: Path, store: Path) -> None:
    claims = write_claims(tmp_path / "a.837", "2026-10-05", "2026-09-30", "2026-11-02")
    done = run("check", claims, "--tables", store)
    assert done.exit_code == 0
    said = (
        "NCCI add-on codes, MUE, PTP edits 2026Q3 end 2026-09-30; 2 claims have later dates of service"
        " (2026-10-05 to 2026-11-02): later changes are not known."
    )
    assert " ".join(done.stdout.split()).startswith(said)
    assert done.stdout.count("later dates of service") == 1
    (file,) = check_json(claims, "--tables", store)["files"]
    assert file["findings"] == []
    assert file["notices"] == [said]
    assert file["not_covered"] == [
        after(table, "2026-10-05", "2026-11-02", claims=2) for table in ("ncci_addon", "ncci_mue", "ncci_ptp")
    ]


def test_nothing_is_said_of_days_within(tmp_path: Path, store: Path) -> None:
    claims = write_claims(tmp_path / "a.837", "2026-07-01", "2026-09-30")
    (file,) = check_json(claims, "--tables", store)["files"]
    assert file["not_covered"] == []
    assert file["notices"] == []
    assert "later dates" not in run("check", claims, "--tables", store).stdout


def test_a_day_before_the_first_release_is_said_too(tmp_path: Path, store: Path) -> None:
    claims = write_claims(tmp_path / "a.837", "2026-06-30", "2026-07-01")
    (file,) = check_json(claims, "--tables", store)["files"]
    assert [(g["name"], g["side"], g["from"]) for g in file["not_covered"]] == [
        ("ncci_mue", "before", "2026-06-30")
    ]
    said = (
        "MUE 2026Q3 begins later; 1 claim has earlier dates of service (2026-06-30): only the built-in"
        " therapy rows are known."
    )
    assert said in " ".join(run("check", claims, "--tables", store).stdout.split())


def test_each_file_has_its_own_days_and_the_text_ends_with_all(tmp_path: Path, store: Path) -> None:
    one = write_claims(tmp_path / "a.837", "2026-10-05")
    two = write_claims(tmp_path / "b.837", "2026-11-02")
    words = (one, two, "--tables", store)
    files = check_json(*words)["files"]
    assert [file["not_covered"][0]["until"] for file in files] == ["2026-10-05", "2026-11-02"]
    said = " ".join(run("check", *words).stdout.split())
    assert said.count("2 claims have later dates of service (2026-10-05 to 2026-11-02)") == 1
    assert said.count("later dates of service") == 3


def test_the_built_in_tables_are_of_their_quarter(tmp_path: Path) -> None:
    claims = write_claims(tmp_path / "a.837", "2026-02-03")
    (file,) = check_json(claims)["files"]
    assert file["not_covered"] == [
        after(table, "2026-02-03", "2026-02-03", BUILT_IN) for table in ("ncci_addon", "ncci_mue", "ncci_ptp")
    ]


def test_the_page_says_it_once(tmp_path: Path, store: Path) -> None:
    claims = write_claims(tmp_path / "a.837", "2026-10-05")
    page = run("check", claims, "--tables", store, "--format", "html").stdout
    assert len(re.findall("PTP edits 2026Q3 end 2026-09-30; 1 claim has", page)) == 1
    assert page.index("later dates of service") < page.index("<main")


@pytest.mark.long
def test_a_batch_says_the_same(tmp_path: Path, store: Path) -> None:
    # That a file which is checked in ranges gives the same JSON is held in test_batch.py.
    claims = write_claims(tmp_path / "a.837", "2026-10-05", "2026-09-30", "2026-11-02")
    out = tmp_path / "out"
    assert run("batch", claims, "--out-dir", out, "--tables", store, "--workers", "1").exit_code == 0
    report = json.loads((out / "a.json").read_text())
    validate(report)
    assert report["files"][0]["not_covered"] == [
        after(table, "2026-10-05", "2026-11-02", claims=2) for table in ("ncci_addon", "ncci_mue", "ncci_ptp")
    ]


def test_sentences_put_tables_together() -> None:
    gaps = [Gap(name, "2026Q3", "after", 20261001, 20261002, 12) for name in ("ncci_ptp", "ncci_mue")]
    gaps += [Gap("mpfs", "2026Q2", "after", 20261001, 20261001, 1)]
    gaps.append(Gap("ncci_ptp", BUILT_IN, "before", 20230101, 20230101, 2))
    assert say_gaps(gaps) == [
        (
            "PTP edits, MUE 2026Q3 end 2026-09-30; 12 claims have later dates of service"
            " (2026-10-01 to 2026-10-02): later changes are not known."
        ),
        (
            "Medicare fee schedule 2026Q2 ends 2026-06-30; 1 claim has later dates of service"
            " (2026-10-01): later changes are not known."
        ),
        (
            f"PTP edits {BUILT_IN} begins later; 2 claims have earlier dates of service"
            " (2023-01-01): only rows whose first day is known are applied."
        ),
    ]


@pytest.mark.long
def test_claims_are_counted_once_however_a_file_is_checked(tmp_path: Path, store: Path) -> None:
    days = [f"2026-10-{number:02}" for number in range(1, 31)] + ["2026-09-01"] * 7
    claims = write_claims(tmp_path / "a.837", *days)
    counted = [
        [gap["claims"] for gap in check_json(claims, "--tables", store, *more)["files"][0]["not_covered"]]
        for more in ((), ("--no-fast-path",))
    ]
    assert counted == [[30, 30, 30]] * 2


def test_memory_of_days_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_days, "_MOST_KNOWN", 10)
    monkeypatch.setattr(of_days, "_KNOWN", known := WeakKeyDictionary())
    coverage = Coverage()
    for on in range(20250101, 20250131):
        coverage.meet(on, on, built_in())
    assert len(known[built_in()]) <= 10
    assert {(gap.first, gap.last) for gap in coverage.gaps()} == {(20250101, 20250130)}
