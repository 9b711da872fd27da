"""A program that embeds the checker needs the package's own names and nothing else."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

import edi_checker

SAMPLES = Path(__file__).parent.parent / "samples/837p"


def test_a_program_checks_a_file_with_the_public_names() -> None:
    checker = edi_checker.make_checker(received=date(2026, 11, 21))
    with (SAMPLES / "faulty/ncci.mue.97530-x7.837").open("rb") as stream:
        parts = list(checker.check(stream))
    findings: list[edi_checker.Finding] = [finding for each in parts for finding in each.findings]
    assert [(f.rule, f.severity) for f in findings] == [("ncci.mue", "error")]
    assert all(isinstance(each, edi_checker.Checked) for each in parts)
    assert findings[0].where.line is not None


def test_every_public_name_is_there() -> None:
    for name in edi_checker.__all__:
        assert getattr(edi_checker, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        edi_checker.__getattr__("nonsense")


def test_what_cannot_be_read_is_the_one_exception() -> None:
    checker = edi_checker.make_checker(received=date(2026, 11, 21))
    with pytest.raises(edi_checker.NotX12):
        list(checker.check(BytesIO(b"no claim")))


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, edi_checker; print({'rich', 'durable', 'yaml', 'pyx12', 'lxml'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded == "set()\n"
