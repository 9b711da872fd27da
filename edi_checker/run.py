"""One input from its first byte to its place in the report and the last of its files, whatever it holds."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, Self, cast

from edi_checker.acks import Acknowledger, Answers, ElementNumber, number_elements
from edi_checker.check.checker import Checked, Checker, take_handfuls
from edi_checker.check.split import Split, Splitter
from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes, MinutesError, read_minutes
from edi_checker.facts import Coverage, Gap, InputMemory
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.files.output import open_text, write_whole
from edi_checker.guide.table import Guide
from edi_checker.reports.findings_log import MOST_FINDINGS, FindingsLog, Summary, Tally
from edi_checker.reports.json_report import JsonReport
from edi_checker.rules import Rule
from edi_checker.x12.blocks import NotClaims, NotX12

# lxml is loaded only where a page is written.
if TYPE_CHECKING:
    from edi_checker.check.redact import Redactor
    from edi_checker.reports.html import Answer, ClaimViews, HtmlReport


class Report(Protocol):
    """Takes one file after the other; see edi_checker.reports."""

    def add(self, journal: FindingsLog, summary: Summary) -> None: ...

    def skip(self, summary: Summary) -> None: ...

    def finish(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Files:
    """What is written into `folder` for each input: NAME.json, NAME.html, with `acks` the answers.

    `rules` are those that apply, for what the page says of them; with `page` False there is no NAME.html.
    With `split` the claims go to NAME.clean.837 and NAME.rejected.837.
    """

    folder: Path
    acks: bool
    version: str
    rules: tuple[Rule, ...] = ()
    page: bool = True
    split: bool = False

    def paths(self, name: str) -> list[Path]:
        """Every file that may be written for the input of this name."""
        endings = (
            "json",
            "html",
            "999",
            "277ca",
            "ta1",
            *(("clean.837", "rejected.837") if self.split else ()),
        )
        return [self.folder / f"{name}.{ending}" for ending in endings]


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who gets news of the work on an input: `position` of the reading now and then, `ended` when it is over
    and nothing has been written yet, `crash` of an error of ours.
    """

    position: Callable[[int], None]
    ended: Callable[[], None]
    crash: Callable[[Exception], None]


class TookTooLong(Exception):
    """An input was not checked to its end in the time that it is given."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one input may cost: `findings` that are listed and answered, and `seconds` of `clock`, None for
    any number. An input that takes longer is not checked.
    """

    findings: int = MOST_FINDINGS
    seconds: float | None = None
    clock: Callable[[], float] = field(default=lambda: 0.0, repr=False)

    def timer(self) -> Callable[[], None]:
        """What to call now and then from here on; raises TookTooLong when the time is over."""
        seconds, clock = self.seconds, self.clock
        if seconds is None:
            return _do_nothing
        end = clock() + seconds

        def look() -> None:
            if clock() > end:
                raise TookTooLong(f"it takes longer than the {seconds:g} seconds of --max-seconds")

        return look


def _do_nothing() -> None:
    pass


_USUAL = Limits()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an input. `troubles` says, a sentence each, what could not be written and why."""

    summary: Summary
    troubles: tuple[str, ...]


class Output:
    """All that is written of one input: told of its parts as they are checked, and written at its end.

    `name` is that of its files. It goes into `report`, and into `page` with its answers. With a `redactor`,
    all that is written holds its tokens in place of what identifies.
    """

    def __init__(
        self,
        checker: Checker,
        source: Input,
        name: str,
        *,
        files: Files | None,
        watcher: Watcher,
        report: Report | None = None,
        page: HtmlReport | None = None,
        redactor: Redactor | None = None,
        limits: Limits = _USUAL,
    ) -> None:
        self._checker = checker
        self._name = name
        self._files = files
        self._watcher = watcher
        self._report = report
        self._page = page
        self._redactor = redactor
        self.journal = FindingsLog(source.path, most=limits.findings)
        self._exhibits: ClaimViews | None = None
        self._acknowledger: Acknowledger | None = None
        if page is not None or (files is not None and files.page):
            self._exhibits = _make_exhibits()
        if self._exhibits is not None or (files is not None and files.acks):
            self._acknowledger = Acknowledger(
                checker.setting.received, _numbers_of(checker.guide), most=limits.findings
            )
        self._splitter = Splitter() if files is not None and files.split else None
        takers = (self.journal, self._exhibits, self._acknowledger, self._splitter)
        self._profiles: Counter[str] = Counter()
        self._add = [taker.add for taker in takers if taker is not None]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def show_minutes(self, minutes: Minutes | None) -> None:
        """The minutes that are given beside the claims, for the page."""
        if self._exhibits is not None:
            self._exhibits.minutes = minutes

    def add(self, handful: Sequence[Checked]) -> None:
        """The next parts, in document order."""
        profile_of = self._checker.setting.profile_of
        for each in handful:
            if isinstance(each.part, Claim):
                self._profiles[profile_of(each.part).name] += 1
        if self._redactor is not None:
            handful = [self._redactor.redact(each) for each in handful]
        for add in self._add:
            for each in handful:
                add(each)

    def finish(
        self,
        failure: str,
        *,
        sha256: str | None = None,
        tally: Tally | None = None,
        gaps: tuple[Gap, ...] = (),
    ) -> Result:
        """Write everything. `failure` says why the input was not checked to its end, "" where it was.

        Raises OSError, BrokenPipeError among them, where the report itself cannot be written.
        """
        summary = self.journal.end(
            sha256=sha256, tally=tally, failure=failure, gaps=gaps, profiles=self._profiles
        )
        acknowledger, self._acknowledger = self._acknowledger, None
        answers, withheld = _finish(acknowledger, bool(failure), self._watcher)
        troubles: list[str] = []
        try:
            if self._files is not None:
                troubles = self._write_files(self._files, summary, answers)
                troubles += withheld if self._files.acks else ()
                if self._splitter is not None:
                    troubles += _write_split(
                        self._splitter, bool(failure), self._files, self._name, self._watcher
                    )
            if self._page is not None:
                self._page.add(self.journal, summary, self._exhibits, _shown(answers))
            if self._report is not None:
                self._report.add(self.journal, summary)
        finally:
            answers.close()
        return Result(summary, tuple(troubles))

    def skip(self, reason: str, sha256: str | None) -> Result:
        """Pass over a file of a folder that is no claim file, and take away what was written of it before."""
        summary = replace(self.journal.end(sha256=sha256, failure=reason), skipped=True)
        troubles: list[str] = []
        for path in self._files.paths(self._name) if self._files is not None else ():
            troubles += _write(path, self._watcher, None)
        for report in (self._page, self._report):
            if report is not None:
                report.skip(summary)
        return Result(summary, tuple(troubles))

    def close(self) -> None:
        """Give back the temporary files."""
        self.journal.close()
        if self._acknowledger is not None:
            self._acknowledger.finish().close()
            self._acknowledger = None
        if self._splitter is not None:
            self._splitter.close()

    def _write_files(self, files: Files, summary: Summary, answers: Answers) -> list[str]:
        checker, journal, watcher, name = self._checker, self.journal, self._watcher, self._name
        target = files.folder / f"{name}.json"
        troubles = _write(target, watcher, _json_of(checker, files, journal, summary))
        if files.acks:
            # None takes away an answer of an earlier run that no longer holds.
            for ending, answer in (
                ("999", answers.ack999),
                ("277ca", answers.ack277ca),
                ("ta1", answers.ta1),
            ):
                troubles += _write(files.folder / f"{name}.{ending}", watcher, _copy_of(answer))
        if self._exhibits is not None:
            writer = _page_of(checker, files, journal, summary, self._exhibits, answers)
            troubles += _write(files.folder / f"{name}.html", watcher, writer)
        return troubles


def check_input(
    checker: Checker,
    source: Input,
    name: str,
    *,
    report: Report | None,
    files: Files | None,
    watcher: Watcher,
    page: HtmlReport | None = None,
    redactor: Redactor | None = None,
    limits: Limits = _USUAL,
) -> Result:
    """Check one input and write all that is to be written of it; the arguments as of Output.

    Never raises for what the input holds: then it is not checked, and the reason stands in the summary.
    Raises OSError, BrokenPipeError among them, where the report itself cannot be written.
    """
    checker.engine.begin()
    coverage = Coverage()
    with Output(
        checker,
        source,
        name,
        report=report,
        files=files,
        watcher=watcher,
        page=page,
        redactor=redactor,
        limits=limits,
    ) as output:
        try:
            sha256, failure, other = _read(checker, source, coverage, output, watcher, limits.timer())
        finally:
            watcher.ended()
        if other and source.found:
            return output.skip(failure, sha256)
        tally = Tally(*astuple(checker.engine.tally()))
        return output.finish(failure, sha256=sha256, tally=tally, gaps=coverage.gaps())


def _make_exhibits() -> ClaimViews:
    from edi_checker.reports.html import ClaimViews

    return ClaimViews()


def _write_split(splitter: Splitter, failed: bool, files: Files, name: str, watcher: Watcher) -> list[str]:
    """Write the two files, or take away those of an earlier run; an input that breaks off is not split."""
    troubles: list[str] = []
    made = Split(None, None)
    try:
        if not failed:
            made = splitter.finish()
    except Exception as error:  # noqa: BLE001  # as above
        troubles.append(f"no split: {_name_crash(error, watcher)}")
    for ending, side in (("clean", made.clean), ("rejected", made.rejected)):
        troubles += _write(files.folder / f"{name}.{ending}.837", watcher, _copy_of(side))
    made.close()
    splitter.close()
    return troubles


class _Passed(NamedTuple):
    """The SHA-256 of an input, why it could not be checked to its end, "" where it was, and whether that is
    because it is something else than a claim file.
    """

    sha256: str | None
    failure: str
    other: bool = False


def _read(
    checker: Checker,
    source: Input,
    coverage: Coverage,
    output: Output,
    watcher: Watcher,
    look: Callable[[], None],
) -> _Passed:
    """Pass the input through."""
    failure, other = "", False
    try:
        checker = with_minutes(checker, source)
        output.show_minutes(checker.setting.minutes)
        memory = InputMemory(checker.setting.minutes, coverage)
        with source.open() as reading:
            try:
                checked = _looking(checker.check(cast(BinaryIO, reading), memory), look)
                for handful in take_handfuls(checked, Checked.length):
                    output.add(handful)
                    watcher.position(reading.position())
            except TookTooLong as error:
                return _Passed(None, str(error))
            except (Unreadable, NotX12) as error:
                failure = str(error)
                # A name for claims says more than the look of a text.
                other = isinstance(error, NotClaims) and (error.sure or not source.named_as_claims)
            return _Passed(reading.digest(), failure, other)
    except (Unreadable, MinutesError) as error:
        return _Passed(None, str(error), source.other)
    except Exception as error:  # noqa: BLE001  # no input may end the run of the others
        return _Passed(None, _name_crash(error, watcher))


def _looking(checked: Iterable[Checked], look: Callable[[], None]) -> Iterator[Checked]:
    """The parts as they come, with a look at the time behind each."""
    for each in checked:
        yield each
        look()


def _name_crash(error: Exception, watcher: Watcher) -> str:
    watcher.crash(error)
    # The type alone: the message of an unexpected error may quote the input.
    return f"internal error ({type(error).__name__})"


def with_minutes(checker: Checker, source: Input) -> Checker:
    """The checker with the minutes file beside the input, where none was given for the whole run."""
    if checker.setting.minutes is not None or source.minutes is None:
        return checker
    return replace(checker, setting=replace(checker.setting, minutes=read_minutes(source.minutes)))


def _finish(acknowledger: Acknowledger | None, failed: bool, watcher: Watcher) -> tuple[Answers, list[str]]:
    """The answers, and why one that is due is not among them. The caller closes them."""
    none = Answers(None, None, None)
    if acknowledger is None:
        return none, []
    try:
        answers = acknowledger.finish()
    except Exception as error:  # noqa: BLE001  # as above
        return none, [f"no answers: {_name_crash(error, watcher)}"]
    if failed:
        # An input that breaks off is not answered: an answer to a part would pass for one to the whole.
        answers.close()
        return none, []
    return answers, list(answers.withheld)


Writer = Callable[[BinaryIO], None]


def _copy_of(answer: IO[bytes] | None) -> Writer | None:
    if answer is None:
        return None

    def write(out: BinaryIO) -> None:
        answer.seek(0)
        shutil.copyfileobj(answer, out)

    return write


def _json_of(checker: Checker, files: Files, journal: FindingsLog, summary: Summary) -> Writer:
    def write(out: BinaryIO) -> None:
        with open_text(out) as text:
            report = JsonReport(
                text,
                version=files.version,
                received=checker.setting.received,
                tables=list(checker.setting.versions()),
            )
            report.add(journal, summary)
            report.finish()

    return write


def _page_of(
    checker: Checker,
    files: Files,
    journal: FindingsLog,
    summary: Summary,
    exhibits: ClaimViews,
    answers: Answers,
) -> Writer:
    def write(out: BinaryIO) -> None:
        from edi_checker.reports.html import HtmlReport

        with open_text(out) as text:
            page = HtmlReport(
                text,
                version=files.version,
                received=checker.setting.received,
                tables=list(checker.setting.versions()),
                rules=files.rules,
            )
            page.add(journal, summary, exhibits, _shown(answers))
            page.finish()

    return write


def _shown(answers: Answers) -> list[Answer]:
    """The answers from their start, by the names that people know."""
    from edi_checker.reports.html import Answer

    shown = []
    for name, stream in (("TA1", answers.ta1), ("999", answers.ack999), ("277CA", answers.ack277ca)):
        if stream is not None:
            stream.seek(0)
            shown.append(Answer(name, stream))
    return shown


def _write(path: Path, watcher: Watcher, writer: Writer | None) -> list[str]:
    """Write the file, or take it away where there is no writer; the sentence of what went wrong."""
    try:
        if writer is None:
            path.unlink(missing_ok=True)
        else:
            with write_whole(path) as out:
                writer(out)
    except OSError as error:
        return [f"{path} cannot be written: {error.strerror}"]
    except Exception as error:  # noqa: BLE001  # as above
        return [f"{path} is not written: {_name_crash(error, watcher)}"]
    return []


@cache
def _numbers_of(guide: Guide) -> ElementNumber:
    return number_elements(guide)
