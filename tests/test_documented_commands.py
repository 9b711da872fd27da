"""Every command that a page shows in a block is run by a test, or is listed here with the reason why not."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from edi_checker.cli import commands
from paths import ROOT
from transcripts import is_call, unknown_options

PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", *sorted(
    str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")
)]  # fmt: skip
# Pages whose console blocks are run by a test of their own, which names the page.
RUN_BY = {
    "CONTRIBUTING.md": "test_rules_commands.py",
    "docs/answers.md": "test_answered_claims.py",
    "docs/fact-tables.md": "test_fact_tables.py",
    "docs/fix.md": "test_fix_command.py",
    "docs/ledger.md": "test_ledger_page.py",
    "docs/operations.md": "test_operations_page.py",
    "docs/install.md": "test_howto_pages.py",
    "docs/reports.md": "test_reports_page.py",
    "docs/serve.md": "test_serve_docs.py",
    **{str(page.relative_to(ROOT)): "test_howto_pages.py" for page in (ROOT / "docs" / "howto").glob("*.md")},
}
BUILDS = "installs from the package index; .ci/run does it with these very steps"
TABLES = (
    "needs files that CMS publishes and that are not ours to copy; tests/test_store.py imports such files"
)
HISTORY = "files of a user; tests/test_history_commands.py runs the same with its own"
DOCKER = "needs a container runtime; tests/test_deploy.py holds the image and its calls"
OTHERS = "installs in the home folder by a tool of others; docs/install.md was followed by hand"
# By the start of a command, in any page.
NOT_RUN = {
    "python3 -m venv": BUILDS,
    "PIP_CONSTRAINT=": BUILDS,
    "pip install -e": BUILDS,
    "pip wheel": BUILDS,
    "pip install 'edi-checker[serve]'": BUILDS,
    "edi-checker serve": "serves until it is stopped; tests/test_serve_docs.py starts a server and asks it",
    "pip install --no-index": BUILDS,
    "python -m mkdocs": "tests/test_site.py builds the site in the same way",
    "python -m pytest": "it is what runs this",
    ".ci/run": "it is what runs this",
    "edi-checker tables import": TABLES,
    "edi-checker batch monday/": HISTORY,
    "edi-checker check tuesday.837": HISTORY,
    "edi-checker batch /mnt/claims/in": "needs a cluster; tests/test_spark.py has its own",
    "edi-checker batch in/": "files of a user; tests/test_batch.py runs batch with its own",
    "edi-checker check --rules our-rules FILE": "FILE is the user's; the block above it is run",
    "edi-checker explain-ack answers --state": "files of a user; test_answered_claims.py joins a ledger",
    "edi-checker explain ncci.<Tab>": "a key is pressed; tests/test_help.py asks for what it completes",
    "docker ": DOCKER,
    "python tests/fuzz/fuzz.py": "searches for minutes, and is run by hand",
    "python tests/fuzz/blocks.py": "takes minutes; tests/test_scanner.py tries fewer changes",
    "python bench/native.py": "measures; PATH is the user's",
}
# In these the blocks for a shell need root, another machine or hours; their own tests hold what they name.
HELD_OTHERWISE = {"docs/operations.md": "test_operations_page.py"}

_FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^|\n\n)((?: {4}.*\n)+)")
_COMMAND = re.compile(
    r"(?:\$ )?((?:edi-checker|python3?|pip|pipx|uv|docker|\.ci/\w+|mkdocs|[A-Z_]+=\S+) .*|\.ci/\w+)"
)


def shown(name: str) -> list[tuple[str, str]]:
    """The commands in the blocks of a page, each with the kind of its block."""
    text = (ROOT / name).read_text("utf-8")
    found = [(kind, block) for kind, block in _FENCED.findall(text) if kind in ("console", "sh", "")]
    found += [("indented", block) for block in _INDENTED.findall(_FENCED.sub("", text))]
    return [
        (kind, match[1])
        for kind, block in found
        for line in block.replace("\\\n", " ").splitlines()
        if (match := _COMMAND.fullmatch(line.strip())) and (kind != "console" or line.startswith("$ "))
    ]


def to_run() -> list[str]:
    """The commands that nothing else runs and no reason excuses."""
    found = []
    for name in PAGES:
        for kind, command in shown(name):
            followed = (kind == "console" and name in RUN_BY) or name in HELD_OTHERWISE
            if not followed and not any(command.startswith(start) for start in NOT_RUN):
                found.append(command)
    return list(dict.fromkeys(found))


def test_there_are_commands_to_run():
    assert len(to_run()) > 5


@pytest.mark.long
@pytest.mark.parametrize("command", to_run())
def test_a_command_of_a_page_can_be_run(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *words = shlex.split(command.partition("#")[0])
    assert program == "edi-checker", f"no test runs `{command}`, and NOT_RUN gives no reason"
    ended = CliRunner().invoke(commands, words)
    assert ended.exit_code in (0, 1), ended.output


@pytest.mark.parametrize("start", NOT_RUN)
def test_what_is_excused_is_shown(start):
    assert any(command.startswith(start) for name in PAGES for _, command in shown(name))


@pytest.mark.parametrize(("page", "test"), {**RUN_BY, **HELD_OTHERWISE}.items())
def test_a_page_is_named_by_the_test_that_runs_it(page, test):
    text = (ROOT / "tests" / test).read_text("utf-8")
    assert Path(page).name in text or Path(page).parent.name in text


@pytest.mark.parametrize("name", PAGES)
def test_a_command_of_a_page_has_these_options(name):
    """In blocks and in the text, whether it is run or not."""
    calls = re.findall(
        r"(?:^|[`$ ])edi-checker ([a-z][^`\n#]*)", (ROOT / name).read_text("utf-8"), re.MULTILINE
    )
    calls = [call.replace("...", "").rstrip("\\ |.,") for call in calls if is_call(call)]
    assert {call: unknown for call in calls if (unknown := unknown_options(call))} == {}
