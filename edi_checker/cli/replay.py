"""An archived input checked again, and held against the report that was archived with it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from edi_checker.cli.archived import find_answer, find_input
from edi_checker.cli.assembly import assemble, find_ways, make_limits
from edi_checker.cli.progress import watch
from edi_checker.cli.refusal import Refusal, refusing
from edi_checker.cli.version import version
from edi_checker.files.inputs import find_inputs, name_outputs
from edi_checker.watch.inbox import companions
from edi_checker.watch.places import Places, archive_name, from_text, link, make_folder

if TYPE_CHECKING:
    from edi_checker.check.checker import Checker
    from edi_checker.cli.options import Checking
    from edi_checker.files.inputs import Input
    from edi_checker.reports.comparison import Comparison
    from edi_checker.run.history import InputHistory
    from edi_checker.run.one_input import Limits
    from edi_checker.run.setting import CheckSetting
    from edi_checker.state import Details, File, Secret
    from edi_checker.state.ledger import Ledger

_WAIT = 30.0  # seconds before a watcher may take what is put into its hands here


def check_again(
    ledger: Ledger,
    details: Details,
    archive: Path,
    partners_file: Path | None,
    checking: Checking,
    *,
    secret: Secret | None,
    today: bool,
) -> list[tuple[str, Comparison]]:
    """Check the inputs in a file again, as received on the day of their reports or today, and with the secret
    of the history against what came before this file.

    For each: the name of its report, and what differs. Raises StateError.
    """
    from edi_checker.reports.comparison import compare
    from edi_checker.run.history import InputHistory

    file = details.file
    reports = {each.name: each for each in details.outputs if each.name.endswith(".json")}
    if not reports:
        raise Refusal(f"file {file.id} has no report to hold a new check against")
    with refusing():
        setting = find_ways(checking, partners_file).of(file.partner).setting
    past = None if secret is None else ledger.past(file.sha256 or "")
    found: list[tuple[str, Comparison]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = _as_it_came(file, find_input(archive, file), Path(folder))
        inputs = list(find_inputs([os.fspath(path)], checking.max_unpacked))
        for source, stem in zip(inputs, name_outputs(inputs), strict=True):
            name = next(
                (each for each in (f"{stem}.json", f"{stem}.{file.id}.json") if each in reports), None
            )
            if name is None:
                raise Refusal(f"file {file.id} has no report {stem}.json to hold a new check against")
            answer = find_answer(archive, file, reports[name])
            with (
                answer.open(encoding="utf-8") as before,
                tempfile.TemporaryFile("w+", encoding="utf-8") as now,
            ):
                checker = _make_checker(setting, None if today else _day_of(before, answer))
                history = None
                if secret is not None:
                    history = InputHistory(secret, lambda: ledger, checker.setting.received, past=past)
                _check(checker, source, make_limits(checking), now, history)
                found.append((name, compare(before, now)))
    return found


def publish_again(ledger: Ledger, file: File, archive: Path) -> File:
    """Put an archived input into the hands of the watcher, who answers it as a new file.

    Raises StateError.
    """
    source = find_input(archive, file)
    new = ledger.note_again(file, _WAIT)
    work = Places(archive, archive, archive).work(new.id, new.partner)
    try:
        make_folder(work, archive)
        for kept, name in _belonging(file, source):
            link(kept, work / name)
    except OSError as error:
        raise Refusal(f"{error.filename}: {error.strerror}") from None
    return new


def _as_it_came(file: File, source: Path, folder: Path) -> Path:
    """A link with the name that the input had, beside links to what belongs to it."""
    for kept, name in _belonging(file, source):
        (folder / name).symlink_to(kept.resolve())
    return folder / from_text(file.name)


def _belonging(file: File, source: Path) -> Iterator[tuple[Path, str]]:
    """The archived input and its minutes, with the names that they had."""
    name = from_text(file.name)
    yield source, name
    for each in companions(name, ""):
        kept = source.with_name(archive_name(file.id, each))
        if kept.is_file():
            yield kept, each


def _day_of(report: TextIO, path: Path) -> int:
    """The day of receipt of a report, CCYYMMDD."""
    from edi_checker.reports.comparison import read_head
    from edi_checker.reports.json_report import SCHEMA

    head = read_head(report)
    if head["schema"] != SCHEMA:
        raise Refusal(f"{path}: a report of another form ({head['schema']})")
    return int(head["received"].replace("-", ""))


def _make_checker(setting: CheckSetting, received: int | None) -> Checker:
    return assemble(replace(setting, received=received or setting.received)).checker


def _check(
    checker: Checker, source: Input, limits: Limits, out: TextIO, history: InputHistory | None
) -> None:
    from edi_checker.reports.json_report import JsonReport
    from edi_checker.run.one_input import check_input

    report = JsonReport(
        out,
        version=version(),
        received=checker.setting.received,
        tables=list(checker.setting.versions()),
    )
    result = check_input(
        checker,
        source,
        source.name,
        report=report,
        files=None,
        watcher=watch(source, False, False),
        limits=limits,
        history=history,
    )
    if result.troubles:
        raise Refusal("; ".join(result.troubles))
    report.finish()
