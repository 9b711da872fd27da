"""The command `fix`: what is written where, what is said, and what is refused."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shlex
import subprocess
import sys
import zipfile
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from edi_checker.cli import commands
from edi_checker.rules import RuleError, load
from paths import CLEAN, DATA, ROOT

PATIENTS = (CLEAN / "dependent-patients.837").read_text()
WRONG = PATIENTS.replace("HI*ABK:R2681", "HI*ABK:r26.81", 1).replace("SE*104", "SE*9")


FIX = ("fix", "--received", "2026-10-01")


class Done(NamedTuple):
    """How a command ended, as subprocess has it."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run(*args, given=None, cwd=ROOT):
    """The command in this process."""
    runner = CliRunner(env={"NO_COLOR": "1"})
    with contextlib.chdir(cwd):
        done = runner.invoke(commands, [*FIX, *map(str, args)], input=given, prog_name="edi-checker")
    return Done(done.exit_code, done.stdout_bytes, done.stderr_bytes)


def process(*args, given=None):
    command = [sys.executable, "-m", "edi_checker", *FIX, *map(str, args)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.run(command, input=given, capture_output=True, cwd=ROOT, env=environment, check=False)


@pytest.fixture
def wrong(tmp_path):
    file = tmp_path / "claims.837"
    file.write_text(WRONG)
    return file


def test_the_repaired_file_lies_beside_the_input(wrong, golden):
    done = run(wrong.name, cwd=wrong.parent)
    assert done.returncode == 0, done.stderr
    assert (wrong.parent / "claims.fixed.837").read_text() == PATIENTS
    assert (wrong.parent / "claims.fixed.837").stat().st_mode & 0o777 == 0o600
    assert wrong.read_text() == WRONG
    golden("fix.txt", done.stdout.decode())
    assert sorted(path.name for path in wrong.parent.iterdir()) == ["claims.837", "claims.fixed.837"]


def test_the_input_is_overwritten_only_if_it_is_named(wrong):
    assert run(wrong, "--output", wrong).returncode == 0
    assert wrong.read_text() == PATIENTS


def test_a_diff_writes_nothing(wrong):
    done = run(wrong, "--diff")
    assert done.returncode == 0
    assert [
        line for line in done.stdout.decode().splitlines() if line[0] in "-+" and line[1] not in "-+"
    ] == [
        "-HI*ABK:r26.81",
        "+HI*ABK:R2681",
        "-SE*9*0001",
        "+SE*104*0001",
    ]
    assert list(wrong.parent.iterdir()) == [wrong]
    assert run(wrong, "--diff", "--output", "x").returncode == 2


def test_standard_input_goes_to_standard_output_and_the_list_to_standard_error():
    done = process("-", given=WRONG.encode())
    assert (done.returncode, done.stdout.decode()) == (0, PATIENTS)
    assert b"-: 2 repairs, no error and no warning left" in done.stderr


def test_what_is_left_decides_the_exit_code(wrong):
    wrong.write_text(WRONG.replace("*84***11", "*85***11", 1))
    done = run(wrong)
    assert done.returncode == 1
    assert b"2 repairs, 1 error left" in done.stdout
    assert run(wrong, "--fail-on", "never").returncode == 0


def test_tokens_stand_for_all_values_of_the_list(wrong):
    wrong.write_text(WRONG.replace("DMG*D8*20150302", "DMG*D8*2015-03-02"))
    for how in ("--diff", "--unsafe"):
        done = run(wrong, how, "--redact")
        said = done.stdout + done.stderr
        assert done.returncode == 0
        for secret in (b"2015", b"R2681", b"DEP-4001"):
            assert secret not in said
        assert b"VALUE-" in said
    assert b"DMG*D8*20150302" in (wrong.parent / "claims.fixed.837").read_bytes()


def test_archives_folders_and_what_is_no_claim_file_are_refused(wrong, tmp_path):
    packed, zipped = tmp_path / "a.837.gz", tmp_path / "b.zip"
    packed.write_bytes(gzip.compress(WRONG.encode()))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(wrong, "claims.837")
    (tmp_path / "text.837").write_text("no claims")
    (tmp_path / "empty.837").touch()
    (tmp_path / "ack.837").write_text(WRONG.replace("GS*HC", "GS*FA").replace("ST*837", "ST*999"))
    before = sorted(tmp_path.iterdir())
    for name, why in (
        ("a.837.gz", "archive"),
        ("b.zip", "archive"),
        (".", "folder"),
        ("text.837", "does not begin with an ISA"),
        ("empty.837", "empty"),
        ("ack.837", "999"),
        ("nowhere.837", "no such file"),
        ("/dev/zero", "empty"),
    ):
        done = run(name, cwd=tmp_path)
        assert done.returncode == 2, name
        assert why in done.stderr.decode(), (name, done.stderr)
        assert b"Traceback" not in done.stderr
        assert not done.stdout
    assert run("-", given=packed.read_bytes()).returncode == 2
    assert sorted(tmp_path.iterdir()) == before


def test_where_nothing_can_be_written_nothing_is(wrong, tmp_path):
    done = run(wrong, "--output", tmp_path / "none" / "x.837")
    assert done.returncode == 2
    assert b"there is no folder" in done.stderr
    (tmp_path / "claims.fixed.837").mkdir()
    done = run(wrong)
    assert done.returncode == 2
    assert b"cannot be written" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims.837", "claims.fixed.837"]


def test_a_link_at_the_name_of_the_repaired_file_is_not_followed(wrong, tmp_path):
    other = tmp_path / "other"
    other.write_text("mine")
    (tmp_path / "claims.fixed.837").symlink_to(other)
    assert run(wrong).returncode == 0
    assert other.read_text() == "mine"
    assert (tmp_path / "claims.fixed.837").read_text() == PATIENTS


def test_what_fills_the_terminal_is_bounded_and_moves_no_cursor(wrong):
    wrong.write_text(WRONG.replace("NM1*QC*1*ROWAN", "NM1*QC*1*RO\u202eWAN "))
    done = run(wrong, "--max-findings", "1")
    assert "\u202e" not in done.stdout.decode()
    assert rb"RO\u202eWAN" in done.stdout
    assert b"more of" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize("path", sorted((DATA / "hostile").glob("*")), ids=lambda path: path.name)
def test_hostile_input_gives_an_answer_and_never_half_a_file(path, tmp_path):
    target = tmp_path / "out.837"
    done = run(path, "--output", target, "--max-seconds", "60")
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr
    assert b"internal error" not in done.stderr
    assert target.exists() == (done.returncode != 2)


def test_the_page_says_what_the_command_says(tmp_path):
    page = (ROOT / "docs" / "fix.md").read_text("utf-8")
    told = re.findall(r"```console\n\$ edi-checker fix (.*)\n((?:.*\n)*?)```", page)
    assert len(told) == 2
    for command, says in told:
        args = [str(ROOT / word) if word.startswith("samples") else word for word in shlex.split(command)]
        done = run(*args, cwd=tmp_path)
        assert (done.stdout + done.stderr).decode().replace(f"{ROOT}/", "") == says


# -- `fixable` in a rule file ------------------------------------------------------------------------------

RULE = (ROOT / "rulesets" / "x12" / "stray-text.yaml").read_text()


def read(tmp_path, line):
    folder = tmp_path / "own"
    folder.mkdir(exist_ok=True)
    (folder / "text.yaml").write_text(RULE.replace("snip: 1", f"snip: 1\n{line}"))
    return load((tmp_path,), packaged=False)["own.text"]


@pytest.mark.parametrize(
    ("line", "fixable"),
    [
        ("", ()),
        ("fixable: safe", ("safe",)),
        ("fixable: unsafe", ("unsafe",)),
        ("fixable: [unsafe, safe]", ("safe", "unsafe")),
    ],
)
def test_a_rule_says_how_sure_its_repair_is(tmp_path, line, fixable):
    assert read(tmp_path, line).fixable == fixable


@pytest.mark.parametrize("line", ["fixable: yes", "fixable: []", "fixable: [safe, safe]", "fixable: {a: b}"])
def test_another_word_is_refused(tmp_path, line):
    with pytest.raises(RuleError):
        read(tmp_path, line)


def test_lint_complains_of_fixable_without_a_repair(tmp_path):
    read(tmp_path, "fixable: safe")
    command = [sys.executable, "-m", "edi_checker", "rules", "lint", "--rules", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert b"has no repair in edi-checker fix (fixable)" in done.stdout
