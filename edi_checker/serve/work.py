"""What a worker does with a request: each duty takes what was sent and writes the answer to an open file."""

from __future__ import annotations

import errno
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple, TextIO, cast

from edi_checker.check.checker import Checker
from edi_checker.check.fixes import CannotFix, Fixed
from edi_checker.files.inputs import Input, Unreadable, inputs_in, name_outputs
from edi_checker.files.output import open_text
from edi_checker.rules import Rulebook
from edi_checker.run.one_input import (
    Files,
    Limits,
    Output,
    Report,
    Result,
    TookTooLong,
    Watcher,
    Writer,
    check_into,
    with_sent_minutes,
)
from edi_checker.run.repairing import repair_input
from edi_checker.run.setting import SettingError, choose_profile, day_at_desk
from edi_checker.serve.carried import Carried, way_back
from edi_checker.serve.media import CSV, EDI, HTML, JSON, NDJSON, TEXT, XLSX, ZIP

# What is loaded only in the process that needs it.
if TYPE_CHECKING:
    from edi_checker.reports.html import HtmlReport
    from edi_checker.run.answered import WorkList
    from edi_checker.run.lookup import OpenStore

_MOST_MINUTES = 1 << 22  # bytes of a file with minutes of treatment
_WHEN = (1980, 1, 1, 0, 0, 0)  # of every file in an archive: the same input gives the same bytes
_WATCHER = Watcher()


class Refused(Exception):
    """What was sent cannot be answered as it is asked: an HTTP status, and why, quoting nothing of it."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Reply(NamedTuple):
    """The answer in the open file: its media type, the name under which it is saved, and its HTTP status."""

    media: str
    name: str = ""
    status: int = 200


class Content(NamedTuple):
    """A file that was sent: what it is (`file`, `minutes`), its name there, and itself."""

    role: str
    name: str
    stream: IO[bytes]


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: what is said, by name, and the files."""

    said: Mapping[str, Any]
    contents: tuple[Content, ...]

    @property
    def form(self) -> str:
        """The media type that is asked for."""
        return str(self.said["form"])


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that answers need, made once before the workers are forked.

    profile     the name of the profile that applies where a request names none
    unpacked    bytes to which an archive may unpack
    open_store  opens the imported tables
    """

    checker: Checker
    book: Rulebook
    profile: str
    limits: Limits
    unpacked: int
    version: str
    open_store: OpenStore

    def work(self, request: dict[str, Any], files: list[IO[bytes]]) -> dict[str, Any]:
        """Do what a request asks for; gives the reply for the server. Never raises for what was sent."""
        *given, out = files
        contents = (
            Content(role, name, stream) for (role, name), stream in zip(request["files"], given, strict=True)
        )
        try:
            reply = _DUTIES[request["do"]](self, Sent(request["said"], tuple(contents)), cast(BinaryIO, out))
            out.flush()
            return reply._asdict()
        except Refused as refused:
            return {"status": refused.status, "refused": str(refused)}
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "there is no room for temporary files" if full else "a temporary file cannot be used"
            return {"status": 503, "refused": f"{why}; try again later"}
        except Exception as error:  # noqa: BLE001  # no request may end the worker for the next one
            # The type alone: the message of an unexpected error may quote what was sent.
            return {"status": 500, "refused": f"internal error ({type(error).__name__})"}

    def checker_of(self, sent: Sent) -> Checker:
        """The checker with the day, profile, isolation and minutes of a request. Raises Refused."""
        said, setting = sent.said, self.checker.setting
        setting = replace(
            setting,
            received=day_at_desk(said.get("received")),
        )
        if said.get("profile"):
            setting = replace(setting, profile=choose_profile(said["profile"]))
        isolation = said.get("isolation") or self.checker.isolation
        return _with_minutes(replace(self.checker, setting=setting, isolation=isolation), sent)


def _with_minutes(checker: Checker, sent: Sent) -> Checker:
    """The checker with the minutes that were sent along. Raises Refused."""
    for content in sent.contents:
        if content.role == "minutes":
            data = content.stream.read(_MOST_MINUTES + 1)
            if len(data) > _MOST_MINUTES:
                raise Refused(413, f"the file with minutes has more than {_MOST_MINUTES:,} bytes")
            try:
                return with_sent_minutes(checker, data)
            except Unreadable as error:
                raise Refused(422, f"{error}") from None
    return checker


# -- check


def _check(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """A report, in the form that is asked for."""
    checker = desk.checker_of(sent)
    content = sent.contents[0]
    with inputs_in(content.stream, content.name, desk.unpacked) as inputs:
        first = name_outputs(inputs)[0]
        if sent.form == XLSX:
            report = _xlsx(desk, checker, out)
            runs = [run for _, _, run in _outputs(desk, sent, inputs, checker, report=report)]
            report.finish()
            return Reply(XLSX, f"{first}.xlsx", _status(runs))
        with open_text(out) as text:
            page = _html(desk, checker, text) if sent.form == HTML else None
            plain = _text_report(desk, checker, sent.form, text) if page is None else None
            runs = [run for _, _, run in _outputs(desk, sent, inputs, checker, report=plain, page=page)]
            (page or cast(Report, plain)).finish()
        return Reply(sent.form, f"{first}.csv" if sent.form == CSV else "", _status(runs))


def _check_archive(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """Everything that is written of the file, the files of each input side by side, as one archive."""
    checker = desk.checker_of(sent)
    content = sent.contents[0]
    with inputs_in(content.stream, content.name, desk.unpacked) as inputs:
        files = _files(desk, sent, page=True)
        runs = []
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, output, run in _outputs(desk, sent, inputs, checker, files=files):
                _pack(archive, name, output.writers)
                runs.append(run)
        return Reply(ZIP, f"{name_outputs(inputs)[0]}.zip", _status(runs))


def _check_page(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """The report as a page that carries what else is written of the file, to be saved from there."""
    checker = desk.checker_of(sent)
    content = sent.contents[0]
    carried = Carried()
    with inputs_in(content.stream, content.name, desk.unpacked) as inputs, open_text(out) as text:
        page = _html(desk, checker, text)
        files = _files(desk, sent, page=False)
        runs = []
        with TemporaryFile() as sheet, TemporaryFile() as packed:
            report = _xlsx(desk, checker, cast(BinaryIO, sheet))
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                outputs = _outputs(desk, sent, inputs, checker, files=files, report=report, page=page)
                for name, output, run in outputs:
                    runs.append(run)
                    if len(inputs) > 1:
                        _pack(archive, name, output.writers)
                        continue
                    for ending, writer in output.writers.items():
                        carried.add(ending, f"{name}.{ending}", writer)
            report.finish()
            if _status(runs) == 200:
                first = name_outputs(inputs)[0]
                carried.add("xlsx", f"{first}.xlsx", _copier(sheet))
                if len(inputs) > 1:
                    carried.add("zip", "answers.zip", _copier(packed))
                else:
                    _carry_fixed(desk, checker, inputs[0], first, carried)
        page.finish(carried.bar())
    return Reply(HTML, "", _status(runs))


def _carry_fixed(desk: Desk, checker: Checker, source: Input, name: str, carried: Carried) -> None:
    """The file with repairs of form, where there is something that can be repaired."""
    with TemporaryFile() as copy:
        try:
            fixed = _fixed(desk, checker, source, copy, unsafe=False)
        except Refused:
            return
        with fixed:
            if fixed.count:
                carried.add("fixed.837", f"{name}.fixed.837", _copier(fixed.content), fixed.count)


def _outputs(
    desk: Desk,
    sent: Sent,
    inputs: list[Input],
    checker: Checker,
    *,
    files: Files | None = None,
    report: Report | None = None,
    page: HtmlReport | None = None,
) -> Iterator[tuple[str, Output, Result]]:
    """Check one input after the other: the name of its files, its output while it is open, and its result.

    Raises Refused where something that is to be written cannot be.
    """
    for source, name in zip(inputs, name_outputs(inputs), strict=True):
        redactor = None
        if sent.said.get("redact"):
            import secrets

            from edi_checker.check.redact import Redactor

            redactor = Redactor(secrets.token_bytes(32))
        with Output(
            checker,
            source,
            name,
            files=files,
            watcher=_WATCHER,
            report=report,
            page=page,
            redactor=redactor,
            limits=desk.limits,
        ) as output:
            run = check_into(output, checker, source, watcher=_WATCHER, limits=desk.limits)
            if run.troubles:
                raise Refused(500, f"not everything could be written: {run.troubles[0]}")
            yield name, output, run


def _files(desk: Desk, sent: Sent, *, page: bool) -> Files:
    split = not sent.said.get("redact")
    return Files(None, acks=True, version=desk.version, rules=desk.book.rules, page=page, split=split)


def _status(runs: Iterable[Result]) -> int:
    """Whether anything could be checked."""
    return 200 if any(run.summary.outcome != "not_checked" for run in runs) else 422


def _pack(archive: zipfile.ZipFile, name: str, writers: Mapping[str, Writer]) -> None:
    for ending, writer in writers.items():
        member = zipfile.ZipInfo(f"{name}.{ending}", _WHEN)
        member.compress_type = zipfile.ZIP_DEFLATED
        member.external_attr = 0o600 << 16
        with archive.open(member, "w", force_zip64=True) as out:
            writer(cast(BinaryIO, out))


def _copier(stream: IO[bytes]) -> Writer:
    def write(out: BinaryIO) -> None:
        stream.seek(0)
        shutil.copyfileobj(stream, out)

    return write


def _html(desk: Desk, checker: Checker, out: TextIO) -> HtmlReport:
    from edi_checker.reports.html import HtmlReport

    setting = checker.setting
    return HtmlReport(
        out,
        version=desk.version,
        received=setting.received,
        tables=list(setting.versions()),
        rules=desk.book.rules,
    )


def _xlsx(desk: Desk, checker: Checker, out: BinaryIO) -> Report:
    from edi_checker.reports.xlsx_report import XlsxReport

    setting = checker.setting
    return XlsxReport(out, version=desk.version, received=setting.received, tables=list(setting.versions()))


def _text_report(desk: Desk, checker: Checker, form: str, out: TextIO) -> Report:
    setting = checker.setting
    if form == NDJSON:
        from edi_checker.reports.ndjson import NdjsonReport

        return NdjsonReport(out)
    if form == CSV:
        from edi_checker.reports.csv_report import CsvReport

        return CsvReport(out)
    from edi_checker.reports.json_report import JsonReport

    return JsonReport(out, version=desk.version, received=setting.received, tables=list(setting.versions()))


# -- fix


def _fix(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """The file with its repairs, or what they are, as a text."""
    from edi_checker.reports.repair_list import say_outcome, write_diff

    checker = desk.checker_of(sent)
    unsafe = bool(sent.said.get("unsafe"))
    content = sent.contents[0]
    with inputs_in(content.stream, content.name, desk.unpacked) as inputs:
        if len(inputs) > 1:
            raise Refused(422, "the archive holds several files: send one at a time to be repaired")
        (source,), (name,) = inputs, name_outputs(inputs)
        with TemporaryFile() as copy, _fixed(desk, checker, source, copy, unsafe=unsafe) as fixed:
            if sent.form == EDI:
                _copier(fixed.content)(out)
                return Reply(EDI, f"{name}.fixed.837")
            with open_text(out) as text:
                write_diff(text, source.path, f"{source.path} (fixed)", fixed, token=None)
                text.write(f"{source.path}: {say_outcome(fixed, unsafe=unsafe)}\n")
            return Reply(TEXT)


def _fixed(desk: Desk, checker: Checker, source: Input, copy: IO[bytes], *, unsafe: bool) -> Fixed:
    """Raises Refused."""
    look = desk.limits.timer()
    try:
        return repair_input(checker, source, copy, look, unsafe=unsafe, unpack=True)
    except (CannotFix, TookTooLong) as error:
        raise Refused(422, f"nothing is repaired: {error}") from None


# -- answers of payers


def _explain_ack(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """What answers mean, joined with the claims that are sent along."""
    from edi_checker.run.answered import WorkList

    with WorkList() as work:
        for content in sent.contents:
            with inputs_in(content.stream, content.name, desk.unpacked) as inputs:
                for source in inputs:
                    _take(work, source)
        reasons = [each.reason for each in work.sources() if each.role == "answer"]
        if all(reasons):
            raise Refused(422, reasons[0] if reasons else "a claim file, and no answer to it")
        work.join()
        return _write_answers(desk, sent, work, out)


def _take(work: WorkList, source: Input) -> None:
    """Take an answer or a file of claims, whichever it is."""
    from edi_checker.run.answered import CannotTake, take_answers, take_claims

    try:
        take_answers(work, source)
        return
    except CannotTake as error:
        reason = str(error)
    try:
        take_claims(work, source)
    except CannotTake:
        work.refuse(source.path, "answer", reason)


def _write_answers(desk: Desk, sent: Sent, work: WorkList, out: BinaryIO) -> Reply:
    if sent.form == XLSX:
        from edi_checker.reports.answered_xlsx import write_workbook

        write_workbook(work, out)
        return Reply(XLSX, "answers.xlsx")
    with open_text(out) as text:
        if sent.form == JSON:
            from edi_checker.reports.answered_json import write_json

            write_json(work, text, desk.version)
        elif sent.form == HTML:
            from edi_checker.reports.html.answered_page import write_page

            back = way_back("Explain other answers", "/ack") if sent.said.get("page") else None
            write_page(work, text, desk.version, back)
        else:
            from edi_checker.reports.answered_text import write_text

            write_text(work, text, width=100, colour=False)
    return Reply(sent.form)


# -- rules, codes, tables, units


def _rules(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """The rules that have all words that are asked for."""
    from edi_checker.serve.rule_pages import find_rules, rules_as_json, write_rules

    words = str(sent.said.get("q", ""))
    found = find_rules(desk.book.rules, words)
    with open_text(out) as text:
        if sent.form == JSON:
            text.write(rules_as_json(found))
        else:
            write_rules(text, found, words)
    return Reply(sent.form)


def _rule(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """All that is known of a rule, or what a code of an answer means."""
    from edi_checker.reports.answer_codes import pages_as_json
    from edi_checker.rules.near import ask_near
    from edi_checker.run.lookup import example_checker, page_of_rule
    from edi_checker.serve.rule_pages import write_rule

    asked = str(sent.said["id"]).strip().lower()
    rule = next((each for each in desk.book.rules if each.id.lower() == asked), None)
    if rule is None:
        near = ask_near(asked, [each.id for each in desk.book.rules])
        raise Refused(404, f"no rule has this id.{near}")
    page = page_of_rule(rule, example_checker(desk.book, desk.profile))
    with open_text(out) as text:
        if sent.form == JSON:
            text.write(pages_as_json([page]))
        else:
            write_rule(text, rule, page.sections)
    return Reply(sent.form)


def _codes(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """What is known of a code, of a pair of codes, or of a code of an answer."""
    from edi_checker.reports.answer_codes import pages_as_json
    from edi_checker.reports.code_page import code_as_json
    from edi_checker.reports.table_page import pair_as_json
    from edi_checker.run.lookup import is_known, look_up, looks_like_a_code, pages_of_code, reading_store

    code, other, on = str(sent.said["code"]), sent.said.get("with"), day_at_desk(sent.said.get("on"))
    try:
        with reading_store(desk.open_store) as tables, open_text(out) as text:
            if other:
                text.write(pair_as_json(tables, (code.strip().upper(), str(other).strip().upper()), on))
                return Reply(JSON)
            pages = pages_of_code(code, tables, on) if looks_like_a_code(code) else []
            if pages:
                text.write(pages_as_json(pages))
                return Reply(JSON)
            if not code.replace(".", "").isalnum():
                raise Refused(404, "no list has this code")
            facts = look_up(tables, code.strip().upper(), on)
            text.write(code_as_json(code.strip().upper(), on, facts))
            return Reply(JSON, status=200 if is_known(facts) else 404)
    except SettingError as error:
        raise Refused(500, f"the imported tables cannot be read: {error}") from None


def _tables(desk: Desk, _sent: Sent, out: BinaryIO) -> Reply:
    """The tables that decide, with their releases."""
    import json

    versions = [
        {"name": name, "version": version, "rows": rows}
        for name, version, rows in desk.checker.setting.versions()
    ]
    out.write((json.dumps({"version": desk.version, "tables": versions}, indent=1) + "\n").encode())
    return Reply(JSON)


def _units(desk: Desk, sent: Sent, out: BinaryIO) -> Reply:
    """The units that minutes make, with the working."""
    from edi_checker.reports.unit_page import read_minutes, units_as_json, write_units

    said, tables = sent.said, desk.checker.setting.tables
    try:
        minutes = read_minutes(said["minutes"])
    except ValueError as error:
        raise Refused(422, f"{error}") from None
    on = day_at_desk(said.get("on"))
    with open_text(out) as text:
        if sent.form == JSON:
            text.write(units_as_json(minutes, said["method"], tables, on))
        else:
            rule = next((each for each in desk.book.rules if each.id == "therapy.minutes"), None)
            record = rule.documentation if rule is not None else ()
            text.write(write_units(minutes, said["method"], tables, on, record, 90))
    return Reply(sent.form)


_DUTIES: dict[str, Callable[[Desk, Sent, BinaryIO], Reply]] = {
    "check": _check,
    "check-archive": _check_archive,
    "check-page": _check_page,
    "fix": _fix,
    "explain-ack": _explain_ack,
    "rules": _rules,
    "rule": _rule,
    "codes": _codes,
    "tables": _tables,
    "units": _units,
}
