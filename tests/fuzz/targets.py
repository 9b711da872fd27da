"""What is fuzzed: functions of bytes that pass over what is refused and raise where something is wrong."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import edi_checker
from edi_checker import rules
from edi_checker.acks.explain import explain
from edi_checker.check.checker import Checker
from edi_checker.claims.checked import Checked
from edi_checker.claims.minutes import MinutesError, read_minutes
from edi_checker.cli.config import ConfigError, read_config
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import Input, Reading, Unreadable, find_inputs
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.store import StoreError
from edi_checker.reference.store.importing import ImportRefused, plan_import, run_import
from edi_checker.rules.profile_file import ProfileError, read_profiles
from edi_checker.run.one_input import Files, Watcher, check_input
from edi_checker.x12.blocks import NotX12

RECEIVED = (2026, 11, 21)


@cache
def checker() -> Checker:
    from datetime import date

    return edi_checker.make_checker(received=date(*RECEIVED))


def _verdict(given: Checker, data: bytes) -> list[Checked] | str:
    """All that is said of an input, or why it is no X12. Raises where a part could not be checked."""
    given.engine.begin()
    try:
        said = list(given.check(io.BytesIO(data)))
    except NotX12 as reason:
        return str(reason)
    broken = [each.failed for each in said if each.failed]
    assert not broken, broken
    return said


def _of(said: list[Checked] | str) -> object:
    return said if isinstance(said, str) else [(each.findings, each.outcome) for each in said]


def claims(data: bytes) -> None:
    """Reader, walker, facts, rules: no exception, and the same verdict again and without the fast path."""
    first = _of(_verdict(checker(), data))
    assert first == _of(_verdict(checker(), data)), "another verdict the second time"
    assert first == _of(_verdict(replace(checker(), fast=False), data)), "another verdict without patterns"


def files(data: bytes) -> None:
    """All that is written of an input: report, page, acknowledgements, split."""
    crashes: list[Exception] = []
    with tempfile.TemporaryDirectory() as folder:
        given = Input("x.837", "x", None, len(data), None, lambda: Reading(io.BytesIO(data)))
        book = rules.load()
        result = check_input(
            checker(),
            given,
            "x",
            report=None,
            files=Files(OutputFolder(Path(folder)), acks=True, version="0", rules=book.rules, split=True),
            watcher=Watcher(lambda _: None, lambda: None, crashes.append),
        )
        assert not crashes, crashes
        assert result.troubles == (), result.troubles
        for ending in ("999", "277ca"):
            written = Path(folder) / f"x.{ending}"
            if written.exists():
                answers(written.read_bytes())


def answers(data: bytes) -> None:
    """TA1, 999 and 277CA in plain words."""
    with contextlib.suppress(NotX12):
        for _ in explain(io.BytesIO(data), load_guide()):
            pass


def rule(data: bytes) -> None:
    """A rule file of somebody's own."""
    with _file("odd/one.yaml", data) as path, contextlib.suppress(rules.RuleError):
        rules.load((path.parent.parent,), packaged=False)


def profile(data: bytes) -> None:
    with _file("one.yaml", data) as path, contextlib.suppress(ProfileError):
        read_profiles(path)


def config(data: bytes) -> None:
    with _file("edi-checker.toml", data) as path, contextlib.suppress(ConfigError):
        read_config(path, ("check", "batch"))


def minutes(data: bytes) -> None:
    with _file("one.minutes.csv", data) as path, contextlib.suppress(MinutesError):
        read_minutes(path)


TABLE_NAMES = (
    "ccipra-v302r0.txt",
    "MCR_MUE_PractitionerServices_Eff_07-01-2024.csv",
    "AOC_V2024Q3-MCR.txt",
    "PPRRVU2024_JUL.csv",
    "icd10cm-order-2026.txt",
    "HCPC2026_JAN_ANWEB.txt",
    "tables.xlsx",
    "tables.zip",
)


def table(data: bytes) -> None:
    """A table as CMS publishes it; the first byte chooses what the file is called."""
    name = TABLE_NAMES[data[0] % len(TABLE_NAMES)] if data else TABLE_NAMES[0]
    with _file(name, data[1:]) as path, contextlib.suppress(ImportRefused, StoreError):
        run_import(path.parent / "store", plan_import([str(path)], 20240701), accept_shrinkage=True)


def archive(data: bytes) -> None:
    """A file that may be an archive, opened and read to its end."""
    with _file("one.zip", data) as path:
        for given in find_inputs([str(path)]):
            with contextlib.suppress(Unreadable), given.open() as reading:
                while reading.read(1 << 16):
                    pass
                reading.digest()


@contextlib.contextmanager
def _file(name: str, data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield path


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (claims, files, answers, rule, profile, config, minutes, table, archive)
}
