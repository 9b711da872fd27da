"""An archived input checked again, and held against the report that was archived with it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.archived import find_answer, find_input
from edi_checker.cli.assembly import assemble, make_limits, setting_of
from edi_checker.cli.progress import watch
from edi_checker.cli.refusal import Refusal
from edi_checker.cli.version import version

if TYPE_CHECKING:
    from typing import TextIO

    from edi_checker.cli.options import Shared
    from edi_checker.reports.comparison import Comparison
    from edi_checker.state import Details

_REPORT = ".json"


def replay(details: Details, archive: Path, shared: Shared, *, today: bool) -> Comparison:
    """Check the input of a file again, for the day of receipt of its report or for today."""
    from edi_checker.reports.comparison import compare, read_head
    from edi_checker.reports.json_report import SCHEMA

    file = details.file
    reports = [each for each in details.outputs if each.name.endswith(_REPORT)]
    if not reports:
        raise Refusal(f"file {file.id} has no report to hold a new check against")
    path = find_answer(archive, file, reports[0])
    source = find_input(archive, file)
    with path.open(encoding="utf-8") as before, tempfile.TemporaryFile("w+", encoding="utf-8") as after:
        head = read_head(before)
        if head["schema"] != SCHEMA:
            raise Refusal(f"{path}: a report of another form ({head['schema']})")
        _check(source, shared, None if today else head["received"], after)
        return compare(before, after)


def _check(path: Path, shared: Shared, received: str | None, out: TextIO) -> None:
    from edi_checker.files.inputs import find_inputs
    from edi_checker.reports.json_report import JsonReport
    from edi_checker.run import check_input

    setting = setting_of(shared)
    if received is not None and setting.received is None:
        setting = replace(setting, received=int(received.replace("-", "")))
    checker = assemble(setting).checker
    report = JsonReport(
        out,
        version=version(),
        received=checker.setting.received,
        tables=list(checker.setting.versions()),
    )
    for source in find_inputs([str(path)], shared.max_unpacked):
        result = check_input(
            checker,
            source,
            source.name,
            report=report,
            files=None,
            watcher=watch(source, False, shared.debug),
            limits=make_limits(shared),
        )
        if result.troubles:
            raise Refusal("; ".join(result.troubles))
    report.finish()
