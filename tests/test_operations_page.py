"""docs/operations.md, followed by a new user: what can be run here is run, and says what the page says."""

from __future__ import annotations

import re
import subprocess

import pytest

from edi_checker.cli import COMMANDS, commands
from paths import ROOT
from transcripts import BLOCK, as_pattern, blocks, follow, is_call, unknown_options

PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    return follow(PAGE, tmp_path_factory.mktemp("claims"))


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
    code = "\n".join(blocks(PAGE, "sh", "ini", "yaml"))
    calls = re.findall(r"edi-checker ((?:[a-z][\w.-]*|--)[^`\n]*)", code)
    calls += re.findall(r"`edi-checker ([a-z][^`]*)`", PAGE)
    calls = [each for each in calls if is_call(each)]
    assert calls
    assert {call: unknown for call in calls if (unknown := unknown_options(call))} == {}


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


@pytest.mark.parametrize("text", blocks(PAGE, "sh"), ids=lambda text: text.split("\n")[0][:40])
def test_every_block_for_the_shell_is_shell(text):
    read = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (read.stderr, read.returncode) == ("", 0)
