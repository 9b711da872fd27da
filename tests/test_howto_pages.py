"""docs/howto and docs/install.md, followed by a new user: each command says what the page says."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys

import pytest
import yaml

from paths import ROOT
from transcripts import as_pattern, blocks, follow

PAGES = [*sorted((ROOT / "docs" / "howto").glob("*.md")), ROOT / "docs" / "install.md"]
INSTALL = (ROOT / "docs" / "install.md").read_text("utf-8")


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_its_commands_say(page, tmp_path):
    text = page.read_text("utf-8")
    for block in blocks(text, "yaml"):
        if named := re.match(r"# (\S+\.yaml)\n", block):
            (tmp_path / named[1]).write_text(block, "utf-8")
    for command, output, ended in follow(text, tmp_path):
        assert re.fullmatch(as_pattern(output), ended.stdout), f"$ {command}\n{ended.stdout}"
        assert ended.returncode in (0, 1), f"$ {command}\n{ended.stdout}"


@pytest.mark.long
def test_the_program_of_the_page_prints_what_it_says():
    page = (ROOT / "docs" / "howto" / "python.md").read_text("utf-8")
    (program,), (output,) = blocks(page, "python"), blocks(page, "text")
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout == output


def test_the_page_of_the_installation_has_each_extra_and_the_pythons():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    table = INSTALL.partition("## Extras")[2].partition("## Without")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == sorted(
        setup["options.extras_require"]
    )
    (oldest,) = re.findall(r">=(3\.\d+)", setup["options"]["python_requires"])
    assert f"needs Python {oldest} or newer" in INSTALL
    (before,) = re.findall(
        r'durable-rules==[\d.]+; python_version < "(3\.\d+)"', setup["options"]["install_requires"]
    )
    assert f"| {before} and newer | no | plain Python |" in INSTALL


def test_the_inputs_of_the_action_are_those_of_the_page():
    action = yaml.safe_load((ROOT / "deploy" / "action" / "action.yml").read_text("utf-8"))
    page = (ROOT / "docs" / "howto" / "continuous-integration.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| ([^|]*)\|", page, re.MULTILINE)
    told = {name: default.strip().strip("`") for name, default in rows}
    assert told == {name: each["default"] for name, each in action["inputs"].items()} | {"received": "today"}
