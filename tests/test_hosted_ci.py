"""What others run: the action and the hook check claim files, workflows are what the host reads."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from paths import ROOT
from transcripts import unknown_options

ACTION = ROOT / "deploy" / "action"
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
GOOD = (ROOT / "samples" / "837p" / "clean" / "pt-clinic.837").read_bytes()
BAD = (ROOT / "samples" / "837p" / "faulty" / "ncci.mue.97530-x7.837").read_bytes()
NO_COMMIT = "0" * 40  # what the host gives as the commit before the first push of a branch


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", sorted(ROOT.glob(".github/workflows/*.yml"))),
        ("vendor.github-actions", [ACTION / "action.yml"]),
    ],
)
def test_the_host_can_read_it(schema, files):
    pytest.importorskip("check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_action_is_pinned_and_puts_no_input_into_a_script():
    action = yaml.safe_load((ACTION / "action.yml").read_text("utf-8"))
    for step in action["runs"]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        assert "${{" not in step.get("run", "")


def test_the_release_publishes_only_for_a_tag():
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8"))
    assert release["permissions"] == {}
    writing = [job for job in release["jobs"].values() if "write" in str(job["permissions"])]
    assert [job["if"] for job in writing] == ["github.event_name == 'push' && github.ref_type == 'tag'"]
    assert "--draft" in writing[0]["steps"][-1]["run"]


# -- the action


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """Two commits: the second changes one claim file, adds two and deletes one."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for name in ("same.837", "changed.837", "gone.837", "letter.txt"):
        (folder / name).write_bytes(GOOD)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=one")
    (folder / "below").mkdir()
    (folder / "below" / "two words.837").write_bytes(BAD)
    (folder / "-new.837").write_bytes(GOOD)
    (folder / "changed.837").write_bytes(BAD)
    (folder / "letter.txt").write_bytes(BAD)
    (folder / "gone.837").unlink()
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=two")
    return folder


def act(folder: Path, program: str, **given: str) -> subprocess.CompletedProcess:
    """The script of the action, with a program of this text in place of the command."""
    binaries = folder.parent / "bin"
    binaries.mkdir(exist_ok=True)
    (binaries / "edi-checker").write_text(f"#!/bin/sh\n{program}\n")
    (binaries / "edi-checker").chmod(0o755)
    values = {
        "FILES": "*.837", "CHANGED_ONLY": "true", "BASE": git(folder, "rev-parse", "HEAD~1"), "RECEIVED": "",
        "PROFILE": "auto", "RULES": "", "IGNORE": "", "FAIL_ON": "error",
    } | given  # fmt: skip
    environment = os.environ | values | {"PATH": f"{binaries}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [ACTION / "check-changed"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


PRINTS = "printf '%s\\n' \"$@\""


def test_the_action_checks_what_was_changed(repository):
    ended = act(repository, PRINTS)
    _, files = ended.stdout.split("\n--\n")
    assert (files.splitlines(), ended.returncode) == (["-new.837", "below/two words.837", "changed.837"], 0)


@pytest.mark.parametrize("given", [{"CHANGED_ONLY": "false"}, {"BASE": ""}, {"BASE": NO_COMMIT}])
def test_the_action_checks_all_if_it_cannot_know_or_is_to(repository, given):
    ended = act(repository, PRINTS, **given)
    options, files = ended.stdout.split("\n--\n")
    assert files.splitlines() == ["-new.837", "below/two words.837", "changed.837", "same.837"]
    assert ("::notice::" in options) == ("BASE" in given)


def test_the_action_does_nothing_if_no_file_is_concerned(repository):
    ended = act(repository, "exit 9", FILES="*.x12 *.edi")
    assert (ended.returncode, ended.stdout) == (0, "no claim file is concerned\n")


def test_the_options_of_the_action_are_those_of_the_command(repository):
    given = {"RECEIVED": "2026-11-21", "RULES": "a folder", "IGNORE": "code.npi", "PROFILE": "medicare"}
    ended = act(repository, PRINTS, **given)
    options = ended.stdout.split("\n--\n")[0].splitlines()
    assert unknown_options(shlex.join(options)) == set()
    assert options[-6:] == ["--received", "2026-11-21", "--rules", "a folder", "--ignore", "code.npi"]


def test_the_action_marks_findings_and_fails(repository):
    ended = act(repository, f'exec "{sys.executable}" -m edi_checker "$@"', RECEIVED="2026-11-21")
    assert ended.returncode == 1, ended.stderr
    assert "::error file=changed.837" in ended.stdout
    assert "ncci.mue" in ended.stdout


# -- the hook


def test_the_hook_is_a_call_of_the_command():
    for hook in HOOKS:
        program, *words = shlex.split(hook["entry"])
        assert program == "edi-checker"
        assert unknown_options(shlex.join(words)) == set()
        assert re.search(hook["files"], "claims/monday.837")
        assert not re.search(hook["files"], "monday.837.txt")


def test_pre_commit_can_read_the_hook():
    pytest.importorskip("pre_commit")
    command = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.long
def test_a_commit_with_a_bad_claim_is_stopped(repository, tmp_path):
    """By pre-commit itself, in an environment that is there: an installation needs the package index."""
    pytest.importorskip("pre_commit")
    (hook,) = HOOKS
    local = {
        **hook,
        "language": "system",
        "entry": hook["entry"].replace("edi-checker", f"{sys.executable} -m edi_checker"),
    }
    (repository / ".pre-commit-config.yaml").write_text(
        yaml.safe_dump({"repos": [{"repo": "local", "hooks": [local]}]})
    )
    git(repository, "add", "--all")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PRE_COMMIT_HOME": str(tmp_path / "cache")}

    def run(*files: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "pre_commit", "run", hook["id"], "--files", *files]
        return subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, text=True, check=False
        )

    stopped = run("same.837", "changed.837")
    assert stopped.returncode == 1
    assert "ncci.mue" in stopped.stdout
    assert run("same.837", "letter.txt").returncode == 0
