"""The findings of a whole batch in one file, read back from the reports of its inputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal

from edi_checker.batch.resume import Record
from edi_checker.reports.findings_log import say_unlisted
from edi_checker.reports.json_report import read_findings
from edi_checker.reports.ndjson import write_line
from edi_checker.x12.finding import SEVERITIES

Form = Literal["ndjson", "parquet"]
FORMS: tuple[Form, ...] = ("ndjson", "parquet")

_ROWS = 20_000  # findings of one row group of a Parquet file


class NoParquet(Exception):
    """pyarrow is not installed."""


def require(form: Form) -> None:
    """Raise NoParquet where the file could not be written in the end."""
    if form == "parquet":
        try:
            import pyarrow.parquet  # noqa: F401  # the question is whether it can be imported
        except ImportError:
            raise NoParquet from None


def write_findings(form: Form, records: Iterable[Record], folder: Path, out: BinaryIO) -> None:
    """Write the findings of these inputs in their order; the reports NAME.json stand in `folder`.

    An NDJSON line is what `check --format ndjson` writes. A Parquet row has the same in columns: `related` is
    JSON text, the statuses are lists.
    """
    found = ((record.path, each) for record in records for each in _read(folder, record))
    if form == "ndjson":
        out.writelines(write_line(path, each).encode() for path, each in found)
    else:
        _write_parquet(found, out)


def _read(folder: Path, record: Record) -> Iterator[str | tuple[str, int]]:
    """What json_report.read_findings gives of the report of an input; nothing where there is none."""
    report = f"{record.name}.json"
    if report in record.outputs and any(map(record.counts.get, SEVERITIES)):
        with suppress(FileNotFoundError), (folder / report).open(encoding="ascii") as file:
            yield from read_findings(file)


def _write_parquet(found: Iterator[tuple[str, str | tuple[str, int]]], out: BinaryIO) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    text, number, texts = pa.string(), pa.int32(), pa.list_(pa.string())
    schema = pa.schema(
        [
            *((name, text) for name in ("path", "rule", "severity")),
            ("snip", number),
            *((name, text) for name in ("message", "fix", "citation")),
            *((name, text) for name in ("interchange", "group", "transaction", "claim")),
            ("line", number),
            *((name, text) for name in ("loop", "segment")),
            ("position", number),
            *((name, text) for name in ("element", "related")),
            *((name, texts) for name in ("status_999", "status_277ca")),
            *((name, text) for name in ("status_ta1", "table_name", "table_version")),
            ("affects", texts),
            ("affects_count", number),
        ]
    )
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        while rows := [_row(path, each) for path, each in islice(found, _ROWS)]:
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _row(path: str, found: str | tuple[str, int]) -> dict[str, Any]:
    if not isinstance(found, str):
        rule, count = found
        return {"path": path, "rule": rule, "message": say_unlisted(rule, count)}
    finding = json.loads(found)
    status, table = finding["status"], finding["table"] or {}
    return {
        "path": path,
        **{name: finding[name] for name in ("rule", "severity", "snip", "message", "fix", "citation")},
        **finding["where"],
        "related": json.dumps(finding["related"]),
        "status_999": status.get("999", []),
        "status_277ca": status.get("277CA", []),
        "status_ta1": status.get("TA1"),
        "table_name": table.get("name"),
        "table_version": table.get("version"),
        "affects": finding.get("affects"),
        "affects_count": finding.get("affects_count"),
    }
