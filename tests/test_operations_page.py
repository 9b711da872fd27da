"""docs/operations.md, followed by a new user: what can be run here is run, and says what the page says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from edi_checker.cli import COMMANDS, commands
from paths import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(*kinds: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(PAGE) if kind in kinds]


def transcripts() -> list[tuple[str, str]]:
    """Command and output of each `$` in the console blocks, in the order of the page."""
    found = []
    for text in blocks("console"):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, output = part.replace("\\\n", " ").partition("\n")
            found.append((command, output))
    return found


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """In a folder with nothing but the samples: each command, what the page shows, what came."""
    folder = tmp_path_factory.mktemp("claims")
    (folder / "samples").symlink_to(ROOT / "samples")
    binaries = folder / "bin"
    binaries.mkdir()
    program = binaries / "edi-checker"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edi_checker "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
        "COLUMNS": "100",
        "TZ": "UTC",
        "LC_ALL": "C",
    }
    done = []
    for command, output in transcripts():
        ended = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        done.append((command, output, ended))
    return done


def as_pattern(output: str) -> str:
    """`...` on a line stands for any lines, within one for any characters."""
    lines = [
        r"(?:.*\n)*?" if line == "...\n" else ".*".join(map(re.escape, line.split("...")))
        for line in output.splitlines(keepends=True)
    ]
    return "".join(lines)


def test_the_page_shows_what_its_commands_say(followed):
    for command, output, ended in followed:
        assert re.fullmatch(as_pattern(output), ended.stdout), f"$ {command}\n{ended.stdout}"


def test_no_command_of_the_page_goes_wrong(followed):
    for command, output, ended in followed:
        expected = {0}
        if "failed" in output and not command.startswith("edi-checker ledger"):
            expected = {1} if command.startswith("edi-checker status") else {2}
        assert ended.returncode in expected, f"$ {command}\n{ended.stdout}"


def test_what_cannot_be_run_here_names_what_there_is():
    """Calls in blocks for root, containers and other machines, and in the text: command, options, files."""
    calls = re.findall(r"edi-checker ((?:[a-z][\w.-]*|--)[^`\n]*)", "\n".join(blocks("sh", "ini", "yaml")))
    calls += re.findall(r"`edi-checker ([a-z][^`]*)`", PAGE)
    calls = [each for each in calls if each.split()[0] in COMMANDS]
    assert calls
    for call in calls:
        name, *words = shlex.split(call)
        command = commands.get_command(None, name)
        while words and words[0] in getattr(command, "commands", ()):
            command = command.commands[words.pop(0)]
        known = {option for each in command.params for option in each.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= known, call


def test_every_option_that_the_page_names_is_one():
    known = {
        option
        for name in COMMANDS
        for command in (commands.get_command(None, name),)
        for each in (command, *getattr(command, "commands", {}).values())
        for param in each.params
        for option in (*param.opts, *param.secondary_opts)
    }
    text = BLOCK.sub("", PAGE)
    named = set(re.findall(r"`(--[a-z][a-z-]+)(?![\w.])", text))
    assert named - known == set()


def test_every_file_of_the_project_that_the_page_names_is_there():
    named = re.findall(r"(?<![\w/.])((?:deploy|samples|\.ci|docs)/[\w./@-]+\w)", PAGE)
    assert named
    assert [each for each in named if not (ROOT / each).exists() and not list(ROOT.glob(f"{each}*"))] == []


@pytest.mark.parametrize("text", blocks("sh"), ids=lambda text: text.split("\n")[0][:40])
def test_every_block_for_the_shell_is_shell(text):
    read = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (read.stderr, read.returncode) == ("", 0)
