"""docs/serve.md, followed by a new user: each command says what the page says, and nothing is left out."""

from __future__ import annotations

import re
import shutil

import pytest

from edi_checker.cli import commands
from edi_checker.serve.endpoints import ENDPOINTS
from paths import ROOT
from serving import serving
from transcripts import as_pattern, blocks, follow, unknown_options

PAGE = (ROOT / "docs" / "serve.md").read_text("utf-8")


@pytest.mark.long
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_page_shows_what_its_commands_say(tmp_path):
    with serving() as served:
        page = PAGE.replace("127.0.0.1:8837", f"127.0.0.1:{served.port}")
        done = follow(page, tmp_path)
    assert len(done) > 4
    for command, output, ended in done:
        # An answer of one line ends without a line feed of the page's block or with it.
        assert re.fullmatch(as_pattern(output), ended.stdout), f"$ {command}\n{ended.stdout}"
        assert ended.returncode == 0


def test_the_page_has_every_address_and_the_limits_of_the_command():
    table = PAGE.partition("| address | takes |")[2]
    rows = re.findall(r"^\| `(\w+) (/v1/\S*)` \| (.*?) \|", table, re.MULTILINE)
    assert [(method, path) for method, path, _ in rows] == [(each.method, each.path) for each in ENDPOINTS]
    for (_, path, takes), each in zip(rows, ENDPOINTS, strict=True):
        if path != "/v1/fix":  # "also"
            assert {parameter.name for parameter in each.parameters} <= set(re.findall(r"`(\w+)", takes)), (
                path
            )
    defaults = {each.name: each.default for each in commands.get_command(None, "serve").params}
    assert (defaults["max_body"], defaults["max_seconds"], defaults["port"]) == (100 << 20, 60, 8837)


def test_the_calls_of_the_page_have_options_that_there_are():
    calls = re.findall(r"^edi-checker (serve.*)$", "\n".join(blocks(PAGE, "sh")), re.MULTILINE)
    assert calls
    for call in calls:
        assert unknown_options(call) == set()
