"""What pages show of the command: blocks of code, transcripts to follow, calls and their options."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from edi_checker.cli import COMMANDS, commands
from paths import ROOT

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, *kinds: str) -> list[str]:
    """The fenced blocks of a page that are of these languages."""
    return [text for _, kind, text in BLOCK.findall(page) if kind in kinds]


def transcripts(page: str) -> list[tuple[str, str]]:
    """Command and output of each `$` in the console blocks, in the order of the page."""
    found = []
    for text in blocks(page, "console"):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, output = part.replace("\\\n", " ").partition("\n")
            found.append((command, output))
    return found


def follow(page: str, folder: Path) -> list[tuple[str, str, subprocess.CompletedProcess[str]]]:
    """In a folder with nothing but the samples: each command of a page, what it shows, what came."""
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
    for command, output in transcripts(page):
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


def unknown_options(call: str) -> set[str]:
    """The options in a call, `check --redact FILE`, that its command does not have."""
    name, *words = shlex.split(call)
    command = commands.get_command(None, name)
    while words and words[0] in getattr(command, "commands", ()):
        command = command.commands[words.pop(0)]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    return {word.partition("=")[0] for word in words if word.startswith("--") and word != "--"} - known


def is_call(words: str) -> bool:
    """Whether what follows `edi-checker` in a text names a command."""
    return words.split(maxsplit=1)[0] in COMMANDS
