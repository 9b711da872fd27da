"""The mistakes that are easily made: each is said in words that tell what to do, and leaves 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edi_checker.cli import COMMANDS, commands

CLEAN = Path(__file__).parent.parent / "samples" / "837p" / "clean" / "pt-clinic.837"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in: a clean file, an empty folder, and files that are not what they are named for."""
    monkeypatch.chdir(tmp_path)
    Path("a.837").write_bytes(CLEAN.read_bytes())
    Path("empty").mkdir()
    Path("words.txt").write_text("Good morning\n")
    Path("minutes.csv").write_text("claim,line,minutes\nA,x,2\n")
    Path("own").mkdir()
    Path("own/rule.yaml").write_text("title: [\n")
    Path("wrong.toml").write_text('[check]\nfromat = "json"\n')
    return tmp_path


def run(*words):
    return CliRunner().invoke(commands, list(words))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("a.837", "'a.837' is not a command: `edi-checker check a.837` checks it."),
        ("chekc a.837", "'chekc'"),
        ("check", "FILE..."),
        ("check none.837", "none.837\n  ? not checked: no such file or directory"),
        ("check empty", "empty\n  ? not checked: the folder holds no files"),
        ("check words.txt", "words.txt\n  ? not checked: the input does not begin with an ISA segment"),
        ("check a.837 --fromat json", "--format"),
        ("check a.837 --format pdf", "'text', 'json', 'ndjson', 'csv', 'html'"),
        ("check a.837 --received 03/31/2026", "'--received': '03/31/2026' is not a date such as 2026-03-31."),
        ("check a.837 --received 2026-02-30", "'--received': '2026-02-30' is not a date such as 2026-03-31."),
        ("check a.837 --acks", "--acks needs --out-dir"),
        ("check a.837 --out-dir words.txt", "words.txt"),
        ("check a.837 --out-dir words.txt/out", "words.txt/out: the folder cannot be made: "),
        ("check a.837 --output gone/x.txt", "gone/x.txt: cannot be written: there is no folder gone"),
        ("check a.837 --output a.837", "a.837: this file to check would be written over"),
        ("check a.837 --profile medcare", "'medcare' is none of auto, medicare, medicaid, commercial"),
        ("check a.837 --profile empty", "empty: a folder without profiles (*.yaml)"),
        ("check a.837 --rules empty", "empty: a folder without rules (*.yaml)"),
        ("check a.837 --rules own/rule.yaml", "own/rule.yaml:2: not YAML"),
        ("check a.837 --select no.rule", "and no id begins with it. `edi-checker rules` lists all."),
        ("check a.837 --ignore no.rule", "and no id begins with it. `edi-checker rules` lists all."),
        (
            "check a.837 --tables none",
            "none: no tables are imported there; `edi-checker tables import` does it",
        ),
        ("check a.837 --minutes minutes.csv", "minutes.csv, row 2: line is not a whole number"),
        ("check a.837 --config wrong.toml", "wrong.toml: [check] fromat: no such option"),
        ("batch a.837", "--out-dir"),
        ("batch - --out-dir out", "standard input is for `check`"),
        ("explain balance.claim-chrage", "Did you mean balance.claim-charge"),
        ("explain claim-charge", "No rule is called claim-charge."),
        ("explain ncci", "Did you mean ncci.addon or ncci."),
        ("explain-ack none.999", "none.999: no such file or directory"),
        ("explain-ack words.txt", "words.txt: the input does not begin with an ISA segment"),
        ("rules lits", "'list', 'lint', 'test', 'new', 'docs'"),
        ("rules list no.rule", "and no id begins with it. `edi-checker rules` lists all."),
        ("rules new", "edi-checker rules new acme.kx --rules DIR"),
        ("rules new acme.kx", "edi-checker rules new acme.kx --rules DIR"),
        ("rules lint --rules empty", "a folder without rules (*.yaml)"),
        ("tables import words.txt", "words.txt: not a table that is known here (practitioner PTP"),
        ("tables import empty", "empty: the folder holds no files"),
        ("tables lookup 97530 --tables none", "none: no tables are imported there"),
        ("tables lookup 97530,97140", "'97530,97140' is not a code; put a space between two codes."),
        ("tables lookup 97530 97140 97110", "One code or two are looked up."),
        ("tables lookup 97530 --on 2026-13-01", "'2026-13-01' is not a date such as 2026-03-31."),
        ("units 97530", "'97530' is not CODE=MINUTES, such as 97530=25."),
        ("units 97530=25 --tables none", "none: no tables are imported there"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(folder, words, said):
    done = run(*words.split())
    assert done.exit_code == 2
    assert said in done.output
    assert "Traceback" not in done.output
    assert isinstance(done.exception, SystemExit)


@pytest.mark.long
@pytest.mark.parametrize(
    "words", ["check a.837", "check a.837 --format json", "explain ncci.ptp", "rules", "units 97530=25"]
)
def test_output_that_is_gone_is_no_finding(folder, words):
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "edi_checker", *words.split()],
        stdout=write,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(CLEAN.parents[3])},
        timeout=60,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.parametrize("words", ["check a.837", "batch a.837 --out-dir out", "explain ncci.ptp"])
def test_a_crash_is_one_line_without_what_the_file_holds(folder, words, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("ASPEN")

    monkeypatch.setattr("edi_checker.run.setting.load", broken)
    done = run(*words.split())
    assert (done.exit_code, done.stderr) == (2, "edi-checker: internal error (ZeroDivisionError)\n")


def test_a_crash_shows_its_traceback_to_who_asks(folder, monkeypatch):
    monkeypatch.setattr("edi_checker.run.setting.load", lambda *_, **__: 1 // 0)
    done = run("check", "a.837", "--debug")
    assert done.exit_code == 2
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("edi-checker: internal error (ZeroDivisionError)\n")


def test_the_list_of_commands_is_what_they_say_and_fits_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("--help").stdout
    for name, line in COMMANDS.items():
        command = commands.get_command(click.Context(commands), name)
        assert command.help.partition("\n")[0] == line
        assert f"  {name:11}  {line}\n" in shown
    assert "..." not in run("tables", "--help").stdout.partition("Commands:\n")[2]


def test_a_command_loads_no_other():
    script = (
        "import sys; from edi_checker.cli import commands\n"
        "commands(['units', '--help'], standalone_mode=False)\n"
        "print(*sorted(name for name in sys.modules if name.startswith('edi_checker.cli.')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = {name.rpartition(".")[2].replace("_", "-") for name in done.stdout.splitlines()[-1].split()}
    assert loaded & set(COMMANDS) == {"units"}


def test_links_without_end_cost_themselves_alone(folder):
    Path("loop.837").symlink_to("loop.837")
    done = run("check", "a.837", "loop.837", "--format", "json")
    assert done.exit_code == 2
    assert [each["outcome"] for each in json.loads(done.stdout)["files"]] == ["accepted", "not_checked"]
    # The report takes the place of a link that leads nowhere.
    assert run("check", "a.837", "--output", "loop.837").exit_code == 0
    assert "ready to send" in Path("loop.837").read_text()


def test_what_is_said_of_a_name_moves_no_cursor(folder):
    done = run("check", "a.837", "--tables", "x\x1b[2J")
    assert done.exit_code == 2
    assert "\x1b" not in done.stderr
