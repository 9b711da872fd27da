"""What became of one input: verdicts, findings, and everything that can be written of it."""

from __future__ import annotations

import io
import json
import os
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO, Literal, NamedTuple, Self, TextIO, get_args

from edi_checker.api.arguments import AnyPath
from edi_checker.check.checker import Checker
from edi_checker.claims.checked import Outcome
from edi_checker.files.output import open_text, write_named
from edi_checker.reports.findings_log import FileOutcome, FindingsLog, Summary
from edi_checker.reports.gaps import say_gaps
from edi_checker.rules.near import ask_near
from edi_checker.run.one_input import Output
from edi_checker.run.one_input import Result as Run
from edi_checker.x12.dates import from_date, to_date
from edi_checker.x12.finding import Finding, Place, Status, TableVersion
from edi_checker.x12.money import exact_dollars

Form = Literal["json", "ndjson", "csv", "html", "xlsx", "999", "277ca", "ta1", "clean.837", "rejected.837"]
_FORMS: tuple[Form, ...] = get_args(Form)


class TableUsed(NamedTuple):
    """A table or code list that decides: its name, its release and its number of rows."""

    name: str
    version: str
    rows: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of each the input has; `error`, `warning` and `info` count findings, listed or not."""

    interchanges: int
    groups: int
    transactions: int
    claims: int
    lines: int
    claims_accepted: int
    claims_rejected: int
    claims_not_checked: int
    error: int
    warning: int
    info: int


@dataclass(frozen=True, slots=True)
class Charges:
    """Sums of CLM02 in dollars, to the cent; a charge that cannot be read counts 0.00."""

    total: Decimal
    accepted: Decimal
    rejected: Decimal
    not_checked: Decimal


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """One claim: CLM01 and ST02 as sent, what becomes of it, CLM02 in dollars, and the findings in it.

    A claim can be rejected without a finding of its own: by one on a level above it (its billing provider,
    its transaction), which is in Result.findings. Result.affected names the claims of such a finding.
    """

    claim: str
    transaction: str
    outcome: Outcome
    charge: Decimal
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The claims as two 837P files: to send, and to fix first; None for the one without a claim."""

    clean: bytes | None
    rejected: bytes | None


class Claims(Collection[ClaimResult]):
    """The claims of an input in document order, read from a temporary file each time: any number of them fit.

    `len()` counts them; `list()` holds all of them in memory.
    """

    def __init__(self, result: Result) -> None:
        self._result = result

    def __len__(self) -> int:
        return self._result.counts.claims

    def __iter__(self) -> Iterator[ClaimResult]:
        by_claim = self._result._by_claim  # noqa: SLF001  # a view of the result
        rows = enumerate(self._result._journal().claims(), 1)  # noqa: SLF001  # the same
        for number, (claim, transaction, outcome, charge) in rows:
            findings = tuple(by_claim.get(number, ()))
            yield ClaimResult(json.loads(claim), json.loads(transaction), outcome, Decimal(charge), findings)

    def __contains__(self, item: object) -> bool:
        return any(each == item for each in self)

    def __repr__(self) -> str:
        return f"<{len(self)} claims>"


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class Result:
    """What became of one input.

    path      as it was given; `-` for bytes and streams
    sha256    of the content, unpacked; None if its end was not reached
    outcome   `accepted`, `accepted_with_errors` (some claims are rejected), `rejected` or `not_checked`
    reason    why the input, or a part of it, could not be checked; None if it could
    received  the date of receipt by which it was checked
    counts    interchanges, groups, transactions, claims, service lines and findings
    charges   sums of CLM02 in dollars
    profiles  number of claims checked with each payer profile
    findings  in document order, at most `max_findings`
    unlisted  number of further findings by rule
    tables    the tables and code lists that decided, with their releases
    notices   what every report says at its top: tables that end before the dates of service
    troubles  why an answer that is due, or the split, could not be made; empty if nothing went wrong

    Large results are in temporary files. These are deleted when the result is no longer used; `close()`, or
    the end of a `with` block, deletes them at once. What is above stays; claims and all that is written are
    then no longer there (ValueError).
    """

    path: str
    sha256: str | None
    outcome: FileOutcome
    reason: str | None
    received: date
    counts: Counts
    charges: Charges
    profiles: Mapping[str, int]
    findings: tuple[Finding, ...]
    unlisted: Mapping[str, int]
    tables: tuple[TableUsed, ...]
    notices: tuple[str, ...]
    troubles: tuple[str, ...]
    _by_claim: Mapping[int, list[Finding]]
    _affected: Mapping[Finding, tuple[str, ...]]
    _summary: Summary
    _version: str
    _output: Output
    _close: Callable[[], object] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_close", weakref.finalize(self, self._output.close))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        counted = f"{self.counts.claims_rejected} of {self.counts.claims} claims rejected"
        return f"<Result {self.path}: {self.reason if self.outcome == 'not_checked' else counted}>"

    @property
    def claims(self) -> Claims:
        """The claims in document order."""
        return Claims(self)

    def affected(self, finding: Finding) -> tuple[str, ...]:
        """CLM01 of the claims, at most 1,000, that a finding above them affects; empty for other findings."""
        return self._affected.get(finding, ())

    def close(self) -> None:
        """Delete the temporary files; may be called again."""
        self._close()

    def json(self) -> bytes:
        """The report that `edi-checker check --format json` writes, byte for byte; see report.schema.json."""
        return self._bytes("json")

    def ndjson(self) -> bytes:
        """One finding a line, as `--format ndjson`."""
        return self._bytes("ndjson")

    def csv(self) -> bytes:
        """One finding a row for spreadsheets, as `--format csv`."""
        return self._bytes("csv")

    def xlsx(self) -> bytes:
        """The workbook, as `--format xlsx`. Raises ModuleNotFoundError without the extra `xlsx`."""
        return self._bytes("xlsx")

    def html(self) -> bytes:
        """The page for people, as `NAME.html` of `--out-dir`. It shows claims, with names unless redacted."""
        return self._bytes("html")

    def ack_999(self) -> bytes | None:
        """The 999, with the TA1 if one is requested; None if none is due."""
        return self._bytes("999") or None

    def ack_277ca(self) -> bytes | None:
        """The 277CA; None if none is due."""
        return self._bytes("277ca") or None

    def ta1(self) -> bytes | None:
        """The TA1 of an interchange that is rejected whole; None otherwise."""
        return self._bytes("ta1") or None

    def split(self) -> Split:
        """The claims to send and those to fix. Raises ValueError if the check was redacted."""
        return Split(self._bytes("clean.837") or None, self._bytes("rejected.837") or None)

    def write(self, form: Form, to: AnyPath | BinaryIO) -> bool:
        """Write one form to a file or binary stream, without holding it in memory; False if there is none to
        write (no answer is due, no claim is on that side): then the file is not made.

        A file appears whole or not at all, readable by its owner alone. Raises ValueError for an unknown
        form, OSError if it cannot be written.
        """
        writer = self._writer(form)
        if writer is None:
            return False
        if isinstance(to, str | os.PathLike):
            with write_named(Path(to)) as out:
                writer(out)
        elif isinstance(to, io.TextIOBase) or not callable(getattr(to, "write", None)):
            raise TypeError(f"a path or a binary stream is expected, not {type(to).__name__}")
        else:
            writer(to)
        return True

    def _bytes(self, form: Form) -> bytes:
        out = io.BytesIO()
        self.write(form, out)
        return out.getvalue()

    def _writer(self, form: Form) -> Callable[[BinaryIO], None] | None:
        """What writes the form; None if there is none to write."""
        journal = self._journal()
        if form not in _FORMS:
            asked = ask_near(str(form), _FORMS)
            raise ValueError(f"form {form!r} is none of {', '.join(_FORMS)}.{asked}")
        if form in {"csv", "ndjson"}:
            return lambda out: _write_rows(form, out, journal, self._summary)
        if form == "xlsx":
            return lambda out: self._write_workbook(out, journal)
        if form in ("clean.837", "rejected.837") and not self._output.splits:
            raise ValueError("a redacted check is not split: what is sent must be what was written")
        return self._output.writers.get(form)

    def _write_workbook(self, out: BinaryIO, journal: FindingsLog) -> None:
        from edi_checker.reports.xlsx_report import XlsxReport

        received, tables = (
            from_date(self.received),
            [(each.name, each.version, each.rows) for each in self.tables],
        )
        report = XlsxReport(out, version=self._version, received=received, tables=tables)
        report.add(journal, self._summary)
        report.finish()

    def _journal(self) -> FindingsLog:
        if not self._close.alive:  # type: ignore[attr-defined]  # a finalizer
            raise ValueError("the result is closed")
        return self._output.journal


def _write_rows(form: Form, out: BinaryIO, journal: FindingsLog, summary: Summary) -> None:
    from edi_checker.reports.csv_report import CsvReport
    from edi_checker.reports.ndjson import NdjsonReport

    make: Callable[[TextIO], CsvReport | NdjsonReport] = CsvReport if form == "csv" else NdjsonReport
    with open_text(out) as text:
        report = make(text)
        report.add(journal, summary)
        report.finish()


def make_result(checker: Checker, run: Run, output: Output, version: str) -> Result:
    """The result of a check whose output is still open, which the result closes."""
    summary = run.summary
    sums = summary.sums
    by_claim: dict[int, list[Finding]] = {}
    findings = []
    affected: dict[Finding, tuple[str, ...]] = {}
    for entry in output.journal.entries():
        finding = _finding(entry.finding)
        findings.append(finding)
        if entry.finding.get("affects"):
            affected[finding] = tuple(entry.finding["affects"])
        if entry.number:
            by_claim.setdefault(entry.number, []).append(finding)
    return Result(
        path=summary.path,
        sha256=summary.sha256,
        outcome=summary.outcome,
        reason=summary.reason,
        received=to_date(checker.setting.received),
        counts=Counts(
            summary.interchanges,
            summary.groups,
            summary.transactions,
            summary.claims,
            summary.lines,
            *(sums.claims[verdict] for verdict in get_args(Outcome)),
            *(summary.severities[severity] for severity in ("error", "warning", "info")),
        ),
        charges=Charges(
            exact_dollars(sum(sums.cents.values())),
            *(exact_dollars(sums.cents[each]) for each in get_args(Outcome)),
        ),
        profiles=MappingProxyType(dict(sorted(summary.profiles.items()))),
        findings=tuple(findings),
        unlisted=MappingProxyType(dict(sorted(summary.unlisted.items()))),
        tables=tuple(TableUsed(*each) for each in checker.setting.versions()),
        notices=tuple(say_gaps(summary.gaps)),
        troubles=run.troubles,
        _by_claim=by_claim,
        _affected=affected,
        _summary=summary,
        _version=version,
        _output=output,
    )


def _finding(said: Mapping[str, Any]) -> Finding:
    """The finding that the report has in this form."""
    status, table = said["status"], said["table"]
    return Finding(
        said["rule"],
        said["severity"],
        said["snip"],
        said["message"],
        said["fix"],
        said["citation"],
        _place(said["where"]),
        tuple(map(_place, said["related"])),
        Status(tuple(status.get("999", ())), tuple(status.get("277CA", ())), status.get("TA1")),
        TableVersion(table["name"], table["version"]) if table is not None else None,
    )


def _place(said: Mapping[str, Any]) -> Place:
    received = said.get("received")
    where = {key: said[key] for key in Place._fields if key != "received"}
    return Place(**where, received=from_date(date.fromisoformat(received)) if received else None)
