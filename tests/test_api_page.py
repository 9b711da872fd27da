"""docs/api.md is what the docstrings say, and its examples and the README's do what they show."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path

import pytest

import edi_checker
import write_api
from paths import ROOT

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page_is_current():
    assert write_api.PAGE.read_text("utf-8") == write_api.write_page(), "python tests/write_api.py writes it"


def test_the_page_has_every_public_name():
    named = [name for names in write_api._GROUPS.values() for name in names]
    assert sorted([*named, "__version__"]) == sorted(edi_checker.__all__)


def test_every_public_name_says_what_it_is():
    for name in edi_checker.__all__:
        if name not in {"__version__", "Severity"}:
            assert getattr(edi_checker, name).__doc__


@pytest.mark.parametrize("page", ["docs/api.md", "README.md"])
def test_the_examples_do_what_they_show(page, tmp_path, monkeypatch):
    """All Python blocks of a page are one program; a text block behind one is what it prints."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "samples/837p/faulty/ncci.mue.97530-x7.837", "claims.837")
    names: dict[str, object] = {}
    blocks = BLOCK.findall((ROOT / page).read_text("utf-8").partition("\n## Calls")[0])
    programs = [number for number, (kind, _) in enumerate(blocks) if kind == "python"]
    assert programs
    for number in programs:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(blocks[number][1], names)
        if number + 1 < len(blocks) and blocks[number + 1][0] == "text":
            assert printed.getvalue() == blocks[number + 1][1]
    assert page != "docs/api.md" or Path("claims.html").exists()
