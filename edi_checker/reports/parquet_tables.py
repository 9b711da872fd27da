"""Tables as Parquet, a file for each, written in row groups while the rows come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from edi_checker.reports.fact_tables import SCHEMA, Column, Kind, Row, value_of
from edi_checker.x12.dates import iso

# pyarrow comes with the extra `parquet`.
if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

_ROWS = 5_000  # that wait as Python values
_GROUP_ROWS = 100_000
_GROUP_BYTES = 1 << 24


class ParquetTables:
    """Takes rows for tables, each with its columns and the stream of its file; `received` is CCYYMMDD.

    Raises ModuleNotFoundError where pyarrow is not installed. Each file is whole when the block has ended.
    """

    def __init__(
        self,
        tables: Mapping[str, tuple[tuple[Column, ...], BinaryIO]],
        *,
        version: str,
        received: int,
    ) -> None:
        about = {"schema": SCHEMA, "edi_checker": version, "received": iso(received)}
        self._tables: dict[str, _Table] = {}
        with ExitStack() as opened:
            for name, (columns, out) in tables.items():
                self._tables[name] = opened.enter_context(_Table(columns, out, about))
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    @property
    def rows(self) -> dict[str, int]:
        """How many each table has so far."""
        return {name: table.rows for name, table in self._tables.items()}

    def add(self, table: str, row: Row) -> None:
        """A row of a table, its values in the order of the columns. Raises OSError."""
        self._tables[table].add(row)


class _Table:
    """One table: rows wait as Python values, then as Arrow, which is small, then they are a row group."""

    def __init__(self, columns: Sequence[Column], out: BinaryIO, about: Mapping[str, str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._kinds = [column.kind for column in columns]
        self._schema = pa.schema([_field(pa, column) for column in columns], dict(about))
        self._writer: ParquetWriter = parquet.ParquetWriter(out, self._schema, compression="zstd")
        self._waiting: list[Row] = []
        self._batches: list[pa.RecordBatch] = []
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._pack()
                self._write_group()
        finally:
            self._writer.close()

    def add(self, row: Row) -> None:
        self.rows += 1
        self._waiting.append(row)
        if len(self._waiting) >= _ROWS:
            self._pack()

    def _pack(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        columns = zip(*self._waiting, strict=True)
        arrays = [
            pa.array([value_of(kind, value) for value in values], field.type)
            for kind, values, field in zip(self._kinds, columns, self._schema, strict=True)
        ]
        self._waiting.clear()
        self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        if (
            sum(batch.num_rows for batch in self._batches) >= _GROUP_ROWS
            or sum(batch.nbytes for batch in self._batches) >= _GROUP_BYTES
        ):
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        if self._batches:
            table = pa.Table.from_batches(self._batches, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
            self._batches.clear()


def _field(pa: Any, column: Column) -> Any:
    types: dict[Kind, Any] = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "number": pa.int64(),
        "money": pa.decimal128(18, 2),
        "units": pa.decimal128(18, 3),
        "day": pa.date32(),
    }
    return pa.field(
        column.name,
        types[column.kind],
        metadata={"comment": column.says, "phi": "yes" if column.phi else "no"},
    )
