"""A batch from its first input to its summary, going on where an earlier one stopped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Any, BinaryIO

from edi_checker.batch.dispatch import Batch, Hire
from edi_checker.batch.findings import FORMS, require, write_findings
from edi_checker.batch.resume import DoneInputs, Record
from edi_checker.batch.summary import Totals, Work, write_summary
from edi_checker.batch.tasks import Settings
from edi_checker.check.checker import Checker
from edi_checker.files.inputs import Input, name_outputs
from edi_checker.files.output import open_text, write_whole
from edi_checker.reports.gaps import say_gaps
from edi_checker.run.one_input import Files
from edi_checker.run.setting import Made, digest_of
from edi_checker.x12.dates import iso

__all__ = ["Outcome", "Settings", "find_paths", "name_all", "run_session"]

OWN_NAMES = ("summary", "findings", "index")  # files of the whole batch have these names before their ending

# Gets files done, bytes done and claims checked.
Look = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch came to; `forgotten` says that an earlier run was made with other options, `troubles` what
    could not be written of the whole batch.
    """

    records: list[Record]
    totals: Totals
    work: Work
    notes: list[str]
    forgotten: bool
    troubles: list[str]


def find_paths(paths: Sequence[str]) -> Iterator[str]:
    """The paths with their patterns resolved, in order of name; a pattern that fits nothing stays."""
    for path in paths:
        found = []
        if has_magic(path) and not Path(path).exists():
            found = sorted(glob(path, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
        yield from found or [path]


def name_all(inputs: Sequence[Input]) -> list[str]:
    """The names of each input's files, none of them that of a file of the whole batch."""
    taken = [Input("", name, None, None, None, _no_start) for name in OWN_NAMES]
    return name_outputs([*taken, *inputs])[len(taken) :]


def _no_start() -> Any:
    raise AssertionError("a name that is reserved for the batch itself is not an input and is never opened")


def run_session(
    made: Made,
    inputs: Sequence[Input],
    names: Sequence[str],
    files: Files,
    settings: Settings,
    *,
    look: Look,
    clock: Callable[[], float],
    hire: Hire | None = None,
) -> Outcome:
    """Check all inputs, write their files, then the findings of all and summary.json; `hire` as of Batch.

    Stopped in the middle it leaves whole files alone, and its notes show another run what is done. Raises
    findings.NoParquet before anything is written; OSError where the notes of an earlier run cannot be read.
    """
    require(settings.findings)
    begin = clock()
    head = _head(made.checker, files)
    digest = _digest_options(made, files, settings, head)
    resume = settings.resume and settings.redactor is None
    assert files.folder is not None  # a batch writes
    folder = files.folder.path
    own = {name: folder / name for name in ("summary.json", f"findings.{settings.findings}", "index.html")}
    with DoneInputs(folder, digest, head, resume=resume) as done_inputs:
        # They would not fit to what is written from now on.
        for old in (own["summary.json"], own["index.html"], *(folder / f"findings.{form}" for form in FORMS)):
            old.unlink(missing_ok=True)
        clear_away(own.values())
        batch = Batch(made, files, done_inputs, settings, hire)
        records: list[Record] = []
        totals = Totals()
        done = batch.run(inputs, names, lambda: look(len(records), batch.bytes, batch.claims))
        with closing(done):
            for record in done:
                records.append(record)
                totals.add(record)
        troubles = [done_inputs.trouble] if done_inputs.trouble else []
        work = Work(clock() - begin, batch.claims, batch.resumed, settings.workers, batch.deaths)
        whole: dict[Path, Callable[[BinaryIO], None]] = {
            own[f"findings.{settings.findings}"]: partial(write_findings, settings.findings, records, folder),
            own["summary.json"]: partial(_write_summary, records, totals, work, head),
        }
        if files.page:
            day = iso(made.checker.setting.received)
            whole[own["index.html"]] = partial(_write_index, records, totals, day, folder)
        for path, write in whole.items():
            try:
                with write_whole(path) as out:
                    write(out)
            except OSError as error:
                troubles.append(f"{path}: cannot be written: {error.strerror}")
        return Outcome(records, totals, work, sorted(batch.notes), done_inputs.forgotten, troubles)


def _write_summary(
    records: list[Record], totals: Totals, work: Work, head: dict[str, Any], out: BinaryIO
) -> None:
    with open_text(out) as text:
        write_summary(text, records, totals, work, head)


def _write_index(records: list[Record], totals: Totals, day: str, folder: Path, out: BinaryIO) -> None:
    from edi_checker.reports.html.index_page import CheckedFile, write_index

    files = [
        CheckedFile(
            record.path,
            f"{record.name}.html" if f"{record.name}.html" in record.outputs else None,
            record.outcome,
            record.reason,
            record.counts["claims"],
            record.counts["claims_rejected"],
            sum(record.cents.values()),
        )
        for record in records
        if not record.skipped
    ]
    with open_text(out) as text:
        write_index(text, files, folder, say_gaps(totals.gaps), day)


def _head(checker: Checker, files: Files) -> dict[str, Any]:
    """Version, date of receipt and tables, as the summary and the notes for another run begin."""
    versions = checker.setting.versions()
    return {
        "version": files.version,
        "received": iso(checker.setting.received),
        "tables": [{"name": name, "version": version, "rows": rows} for name, version, rows in versions],
    }


def _digest_options(made: Made, files: Files, settings: Settings, head: Mapping[str, Any]) -> str:
    """A digest of all that decides what is found, beside the inputs."""
    redacted = settings.redactor is not None
    options = {**settings.options, "head": head, "files": [files.acks, files.page, files.split, redacted]}
    return digest_of(made, options)


def clear_away(targets: Iterable[Path]) -> None:
    """Take away what writers of these files left half written when they were killed."""
    by_folder: dict[Path, set[str]] = {}
    for target in targets:
        by_folder.setdefault(target.parent, set()).add(target.name[:60])
    for folder, starts in by_folder.items():
        for file in folder.glob(".*.part"):
            found = re.fullmatch(r"\.(.+)\.[^.]+\.part", file.name)
            if found is not None and found[1] in starts:
                with suppress(OSError):
                    file.unlink()
