"""The page of the ledger shows what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from drop_folder import NOW, archive, fill, run
from edi_checker.state import open_ledger

PAGE = Path(__file__).parent.parent / "docs" / "ledger.md"


@pytest.mark.long
def test_the_samples_of_the_page_are_what_is_printed(tmp_path, monkeypatch, request, office):
    monkeypatch.chdir(tmp_path)
    with open_ledger("ledger.db", office) as ledger:
        fill(ledger, office)
        office.now = NOW - 10 * 60
        archive(ledger, tmp_path, "--ignore", "therapy.discipline")
        office.now = NOW
    page = PAGE.read_text()
    (config,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "edi-checker.toml").write_text(config)
    (tmp_path / "out" / "acme").mkdir()
    (tmp_path / "out" / "acme" / "discipline.fail.999").touch()
    shown = re.sub(r"(?<=```console\n)(.*?)(?=```)", _do, page, flags=re.DOTALL)
    shown = shown.replace(f"{tmp_path}/", "")
    # SQLite's own affair.
    shown = re.sub(r"(copy\.db: )[0-9,]+", r"\g<1>126,976", shown)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(shown)
    assert shown == PAGE.read_text()


def _do(block):
    """A block of the page with what its commands print now."""
    said = []
    for line in block[1].splitlines():
        if line.startswith("$ "):
            done = run(*shlex.split(line)[2:])
            assert done.exception is None or done.exit_code in (1, 2)
            said += [line, *done.output.splitlines()]
    return "".join(f"{line}\n" for line in said)
