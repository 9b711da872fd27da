"""Claim files of a lake as DataFrames: each file is checked by one task, and all tables come of one check."""

from __future__ import annotations

import io
import pickle  # nosec B403  # what this program made itself, in this run
import secrets
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from edi_checker.files.inputs import Input, readable, take_stream
from edi_checker.reports.fact_tables import TABLES, FactTables, Kind, Row, columns_of, value_of
from edi_checker.run.one_input import Limits, Watcher, check_input
from edi_checker.run.setting import CheckSetting, Made
from edi_checker.spark.carried import Carried, carry

# pyspark comes with the extra `spark`.
if TYPE_CHECKING:
    from pyspark import RDD, Broadcast
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

LARGEST = 1 << 29  # bytes of a file; a task holds it as a whole
_IN_MEMORY = 1 << 22  # bytes of the rows of a file before they go to a temporary file
_ALL = 1 << 62  # findings of a file that are listed


class Tables(NamedTuple):
    """The tables of `edi-checker facts`, with the same columns; docs/fact-tables.md lists them.

    `source` holds what all of them are made of, once it has been made: `source.unpersist()` frees it.
    """

    files: DataFrame
    claims: DataFrame
    lines: DataFrame
    diagnoses: DataFrame
    payers: DataFrame
    findings: DataFrame
    source: RDD[tuple[str, tuple[Any, ...]]]


def check(
    spark: SparkSession, paths: str | Sequence[str], setting: CheckSetting, *, with_phi: bool = False
) -> Tables:
    """Check the files of these paths: files, folders or patterns, wherever Spark reads (`s3a://...`).

    Nothing is checked before a table is used; then each file is, once, for all tables. A file that cannot be
    checked has its row in `files`, with the reason. Raises SettingError, and what Spark raises for a path
    that leads nowhere.
    """
    from pyspark import StorageLevel
    from pyspark.sql import functions

    made = setting.make()
    ours = spark.sparkContext.broadcast(pickle.dumps(carry(spark.sparkContext, setting, made)))
    names = [paths] if isinstance(paths, str) else list(paths)
    found = spark.read.format("binaryFile").load(names).select("path", "length", "content")
    small = functions.when(functions.col("length") <= LARGEST, functions.col("content"))
    files = found.select("path", "length", small.alias("content")).rdd.map(tuple)
    rows = files.mapPartitions(partial(_rows, secrets.token_hex(8), ours, with_phi))
    rows.persist(StorageLevel.MEMORY_AND_DISK)
    tables = {
        name: spark.createDataFrame(
            rows.filter(partial(_is_of, name)).map(_values), _schema(name, with_phi), verifySchema=False
        )
        for name in TABLES
    }
    return Tables(**tables, source=rows)


def _is_of(table: str, row: tuple[str, tuple[Any, ...]]) -> bool:
    return row[0] == table


def _values(row: tuple[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    return row[1]


def _schema(table: str, with_phi: bool) -> StructType:
    from pyspark.sql import types

    kinds: dict[Kind, Any] = {
        "text": types.StringType(),
        "texts": types.ArrayType(types.StringType()),
        "number": types.LongType(),
        "money": types.DecimalType(18, 2),
        "units": types.DecimalType(18, 3),
        "day": types.DateType(),
    }
    return types.StructType(
        [
            types.StructField(
                column.name,
                kinds[column.kind],
                metadata={"comment": column.says, "phi": "yes" if column.phi else "no"},
            )
            for column in columns_of(table, with_phi=with_phi)
        ]
    )


# In the processes of the executors.

# The checker of the tables at hand.
_made: dict[str, Made] = {}


def _rows(
    run: str,
    ours: Broadcast[bytes],
    with_phi: bool,
    files: Iterable[tuple[str, int, bytearray | None]],
) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The rows of the files, each with the name of its table."""
    if run not in _made:
        carried: Carried = pickle.loads(ours.value)  # noqa: S301  # nosec B301  # made by this program
        _made.clear()
        _made[run] = carried.make()
    kinds = {name: [column.kind for column in columns_of(name, with_phi=with_phi)] for name in TABLES}
    for path, length, content in files:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            count = _check_file(_made[run], _input_of(path, length, content), spool, with_phi=with_phi)
            spool.seek(0)
            for _ in range(count):
                table, row = pickle.load(spool)  # noqa: S301  # nosec B301  # as above
                yield table, tuple(map(value_of, kinds[table], row))


def _input_of(path: str, length: int, content: bytearray | None) -> Input:
    if content is None:
        reason = f"larger than {LARGEST:,} bytes; `edi-checker batch --engine spark` checks it in ranges"
        source = replace(take_stream(io.BytesIO(), 0), reason=reason)  # type: ignore[arg-type]  # raw enough to buffer
    else:
        source = take_stream(io.BytesIO(content), length)  # type: ignore[arg-type]  # as above
    return replace(source, path=readable(path))


def _check_file(made: Made, source: Input, spool: Any, *, with_phi: bool) -> int:
    """Write the rows of a file; gives their number."""
    count = 0

    def add(table: str, row: Row) -> None:
        nonlocal count
        count += 1
        pickle.dump((table, row), spool)

    report = FactTables(add, made.checker.setting.profile_of, with_phi=with_phi)
    report.begin(source.path)
    check_input(
        made.checker,
        source,
        source.name,
        report=report,
        files=None,
        watcher=Watcher(),
        limits=Limits(_ALL),
        listener=report.listen,
    )
    report.finish()
    return count
