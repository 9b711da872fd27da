"""One input from its first byte to its place in the report and the last of its files, whatever it holds."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import compress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, Protocol, Self, cast, runtime_checkable

from edi_checker.acks import (
    NOON,
    Acknowledger,
    Answers,
    Draw,
    ElementNumber,
    number_elements,
    numbers_of,
)
from edi_checker.check.checker import Checker, take_handfuls
from edi_checker.check.engine import Tally
from edi_checker.check.fixes import Planner
from edi_checker.check.split import Split, Splitter
from edi_checker.claims.checked import Checked
from edi_checker.claims.claim import Claim
from edi_checker.claims.minutes import Minutes, MinutesError, read_minutes
from edi_checker.facts import Coverage, Gap, HistoryUnreadable, InputMemory
from edi_checker.files.folder import Published, Stage, say_unwritten
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.files.output import open_text
from edi_checker.guide.table import Guide
from edi_checker.reports.findings_log import MOST_FINDINGS, FindingsLog, Summary
from edi_checker.reports.stakes import Stakes
from edi_checker.rules import Rule
from edi_checker.x12.blocks import NotClaims, NotX12

# lxml is loaded only where a page is written.
if TYPE_CHECKING:
    from edi_checker.check.redact import Redactor
    from edi_checker.reports.baseline import Known
    from edi_checker.reports.html import Answer, ClaimViews, HtmlReport
    from edi_checker.run.history import InputHistory


class Report(Protocol):
    """Takes one file after the other; see edi_checker.reports."""

    def add(self, journal: FindingsLog, summary: Summary) -> None: ...

    def skip(self, summary: Summary) -> None: ...

    def finish(self) -> None: ...


@runtime_checkable
class Follower(Protocol):
    """A report that writes findings while the input is still read."""

    def follow(self, journal: FindingsLog) -> None: ...


class Folder(Protocol):
    """Where the files of an input are made and go to; see files.folder.OutputFolder."""

    @property
    def path(self) -> Path: ...

    def stage(self) -> contextlib.AbstractContextManager[Stage]: ...

    def publish(self, stage: Stage, name: str, asked: Sequence[str], others: Sequence[str]) -> Published: ...


_ANSWERS = ("999", "277ca", "ta1")
_SIDES = ("clean.837", "rejected.837")


@dataclass(frozen=True, slots=True)
class Files:
    """What is written into `folder` for each input: NAME.json, NAME.html, with `acks` the answers.

    `rules` are those that apply, for what the page says of them; with `page` False there is no NAME.html.
    With `split` the claims go to NAME.clean.837 and NAME.rejected.837. The answers get the control numbers
    that `draw` gives, without it such as follow from the input, and are dated at `time` (HHMM). Without a
    `folder` nothing is written: Output.write does it, as long as the output is open.
    """

    folder: Folder | None
    acks: bool
    version: str
    rules: tuple[Rule, ...] = ()
    page: bool = True
    split: bool = False
    draw: Draw | None = None
    time: str = NOON

    def endings(self) -> tuple[str, ...]:
        """Of every file that may be written for an input."""
        page = ("html",) if self.page else ()
        return ("json", *page, *(_ANSWERS if self.acks else ()), *(_SIDES if self.split else ()))

    def other_endings(self) -> tuple[str, ...]:
        """Of the files that another run may have written for an input."""
        asked = self.endings()
        return tuple(ending for ending in ("html", *_ANSWERS, *_SIDES) if ending not in asked)

    def paths(self, name: str) -> list[Path]:
        """Every file that may be written for the input of this name."""
        return (
            []
            if self.folder is None
            else [self.folder.path / f"{name}.{ending}" for ending in self.endings()]
        )


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who gets news of the work on an input: `position` of the reading now and then, `ended` when it is over
    and nothing has been written yet, `crash` of an error of ours, `disk` where this machine had no room for
    what is made of it.
    """

    position: Callable[[int], None] = field(default=lambda _: None)
    ended: Callable[[], None] = field(default=lambda: None)
    crash: Callable[[Exception], None] = field(default=lambda _: None)
    disk: Callable[[OSError], None] = field(default=lambda _: None)


class _Unwritable(Exception):
    """The report cannot be written while the input is read; holds the OSError."""


class TookTooLong(Exception):
    """An input was not checked to its end in the time that it is given."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one input may cost: `findings` that are listed and answered, and `seconds` of `clock`, None for
    any number. An input that takes longer is not checked.
    """

    findings: int = MOST_FINDINGS
    seconds: float | None = None
    clock: Callable[[], float] = field(default=float, repr=False)  # stands at 0

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
    """What became of an input: what could not be written and why, and what else is to be known of its files,
    a sentence each; `outputs` are the names of its files with the SHA-256 of each.
    """

    summary: Summary
    troubles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)


class Output:
    """All that is written of one input: told of its parts as they are checked, and written at its end.

    `writers` is what writes each file of the set, by its ending, from the end on until the output is closed.
    `name` is that of its files. It goes into `report`, and into `page` with its answers. With a `redactor`,
    all that is written holds its tokens in place of what identifies. Findings that are `known` decide, and
    are answered, but not reported.
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
        listener: Callable[[Checked], None] | None = None,
        known: Known | None = None,
    ) -> None:
        self._checker = checker
        self._name = name
        self._files = files
        self._watcher = watcher
        self._report = report
        self._page = page
        self._redactor = redactor
        self._known = known
        self._follower = report if report is not None and isinstance(report, Follower) else None
        follow = self._follower is not None
        self.journal = FindingsLog(source.path, most=limits.findings, follow=follow)
        self.writers: Mapping[str, Writer] = {}
        self.splits = files is not None and files.split
        self._exhibits: ClaimViews | None = None
        self._acknowledger: Acknowledger | None = None
        if page is not None or (files is not None and files.page):
            self._exhibits = _make_exhibits()
        if self._exhibits is not None or (files is not None and files.acks):
            self._acknowledger = Acknowledger(
                checker.setting.received,
                _numbers_of(checker.guide),
                files.time if files is not None else NOON,
                most=limits.findings,
            )
        self._splitter: Splitter | None = None
        self._no_split = ""
        if files is not None and files.split:
            try:
                self._splitter = Splitter()
            except OSError as error:
                self._no_split = f"no split: {_name_disk(error, watcher)}"
        self._stakes = Stakes()
        self._answers, self._split = Answers(None, None, None), Split(None, None)
        # Of the reports only that for people says what can be repaired.
        self._planner = Planner(checker.guide, unsafe=False) if report is not None else None
        self._fixable = 0
        self._profiles: Counter[str] = Counter()
        takers = (self._acknowledger, self._splitter, self._stakes)
        self._add: list[Callable[[Checked], None]] = [taker.add for taker in takers if taker is not None]
        self._add += [listener] if listener is not None else []
        # These show findings side by side.
        reporters = (self.journal, self._exhibits)
        self._report_add = [reporter.add for reporter in reporters if reporter is not None]

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
            if self._planner is not None:
                self._fixable += sum(repair.asked for repair in self._planner.plan(each))
        new = None if self._known is None else self._sort_out(self._known, handful)
        if self._redactor is not None:
            handful = [self._redactor.redact(each) for each in handful]
        for add in self._add:
            for each in handful:
                add(each)
        if new is not None:
            handful = [
                each._replace(findings=tuple(compress(each.findings, kept)))
                for each, kept in zip(handful, new, strict=True)
            ]
        for add in self._report_add:
            for each in handful:
                add(each)
        if self._follower is not None:
            try:
                self._follower.follow(self.journal)
            except OSError as error:
                raise _Unwritable(error) from None

    def _sort_out(self, known: Known, handful: Sequence[Checked]) -> list[list[bool]]:
        """Which findings of each part are new; the others are left out."""
        new = []
        for each in handful:
            new.append([known.is_new(finding) for finding in each.findings])
            for finding, kept in zip(each.findings, new[-1], strict=True):
                if not kept:
                    self.journal.leave_out(finding)
        return new

    def finish(
        self,
        failure: str,
        *,
        sha256: str | None = None,
        tally: Tally | None = None,
        gaps: tuple[Gap, ...] = (),
    ) -> Result:
        """Write everything, or get it ready. `failure` says why the input was not checked to its end, ""
        where it was.

        Raises OSError, BrokenPipeError among them, where the report itself cannot be written.
        """
        try:
            summary = self.journal.end(
                sha256=sha256, tally=tally, failure=failure, gaps=gaps, profiles=self._profiles
            )
        except OSError as error:
            return self._give_up(_name_disk(error, self._watcher), sha256)
        summary = replace(summary, stakes=self._stakes.end(failed=bool(failure)), fixable=self._fixable)
        acknowledger, self._acknowledger = self._acknowledger, None
        draw = self._files.draw if self._files is not None else None
        draw = draw or numbers_of(f"{sha256} {self._checker.setting.received}")
        self._answers, withheld = _finish(acknowledger, draw, bool(failure), self._watcher)
        result = Result(summary)
        if self._files is not None:
            result = self._write_files(self._files, summary, withheld, failed=bool(failure))
        self._tell(summary)
        return result

    def skip(self, reason: str, sha256: str | None) -> Result:
        """Pass over a file of a folder that is no claim file, and take away what was written of it before."""
        summary = replace(self.journal.end(sha256=sha256, failure=reason), skipped=True)
        result = Result(summary)
        if self._files is not None and self._files.folder is not None:
            result = self._publish(self._files, self._files.folder, summary, {}, [])
        for report in (self._page, self._report):
            if report is not None:
                report.skip(summary)
        return result

    def _give_up(self, failure: str, sha256: str | None) -> Result:
        """Say that the input is not checked, and nothing else of it: what was noted so far cannot be read."""
        self.close()
        self.journal = FindingsLog(self.journal.path)
        self._exhibits = self._splitter = None
        self._profiles.clear()
        return self.finish(failure, sha256=sha256)

    def _tell(self, summary: Summary) -> None:
        if self._page is not None:
            self._page.add(self.journal, summary, self._exhibits, _shown(self._answers))
        if self._report is not None:
            self._report.add(self.journal, summary)

    def close(self) -> None:
        """Give back the temporary files."""
        acknowledger, self._acknowledger = self._acknowledger, None
        # What a full disk did not take is of no use any more.
        with contextlib.suppress(OSError):
            self.journal.close()
        with contextlib.suppress(OSError):
            if acknowledger is not None:
                acknowledger.finish().close()
        with contextlib.suppress(OSError):
            if self._splitter is not None:
                self._splitter.close()
        for made in (self._answers, self._split):
            with contextlib.suppress(OSError):
                made.close()

    def _write_files(
        self, files: Files, summary: Summary, withheld: Sequence[str], *, failed: bool
    ) -> Result:
        troubles = list(withheld) if files.acks else []
        troubles += [self._no_split] if self._no_split else []
        # An input that breaks off is not split.
        if self._splitter is not None and not failed:
            try:
                self._split = self._splitter.finish()
            except OSError as error:
                troubles.append(f"no split: {_name_disk(error, self._watcher)}")
            except Exception as error:  # noqa: BLE001  # no input may end the run of the others
                troubles.append(f"no split: {_name_crash(error, self._watcher)}")
        self.writers = dict(self._make_writers(files, summary))
        if files.folder is None:
            return Result(summary, tuple(troubles))
        return self._publish(files, files.folder, summary, self.writers, troubles)

    def _make_writers(self, files: Files, summary: Summary) -> Iterator[tuple[str, Writer]]:
        """What writes each file of the set, by its ending."""
        answers, made = self._answers, self._split
        yield "json", _json_of(self._checker, files, self.journal, summary)
        if files.acks:
            found = (answers.ack999, answers.ack277ca, answers.ta1)
            for ending, answer in zip(_ANSWERS, found, strict=True):
                if answer is not None:
                    yield ending, _copy_of(answer)
        if files.page:
            yield (
                "html",
                _page_of(self._checker, files, self.journal, summary, self._exhibits, answers),
            )
        for ending, side in zip(_SIDES, (made.clean, made.rejected), strict=True):
            if side is not None:
                yield ending, _copy_of(side)

    def _publish(
        self,
        files: Files,
        folder: Folder,
        summary: Summary,
        writers: Mapping[str, Writer],
        troubles: list[str],
    ) -> Result:
        """Write the set and put it in its place, taking away what an earlier run left of this input."""
        name = self._name
        with contextlib.ExitStack() as stack:
            stage = Stage()
            try:
                stage = stack.enter_context(folder.stage())
                for ending, writer in writers.items():
                    troubles += self._write(stage, ending, writer)
            except OSError as error:
                stage = Stage()  # nothing is published, and what lies there from before goes
                self._watcher.disk(error)
                troubles.append(say_unwritten(folder.path / f"{name}.json", error.strerror))
            done = folder.publish(stage, name, files.endings(), files.other_endings())
        troubles += done.troubles
        outputs = {f"{name}.{ending}": digest for ending, digest in stage.digests.items()}
        return Result(summary, tuple(troubles), tuple(done.notes), outputs if not done.troubles else {})

    def _write(self, stage: Stage, ending: str, writer: Writer) -> list[str]:
        """Write one file of the set; what went wrong with it alone. Raises OSError."""
        try:
            with stage.write(ending) as out:
                writer(out)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            return [f"{self._name}.{ending} is not written: {_name_crash(error, self._watcher)}"]
        return []


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
    listener: Callable[[Checked], None] | None = None,
    history: InputHistory | None = None,
    known: Known | None = None,
) -> Result:
    """Check one input and write all that is to be written of it; the arguments as of Output.

    `listener` is told of each part; `history` is that of this input alone, what earlier files billed.

    Never raises for what the input holds: then it is not checked, and the reason stands in the summary.
    Raises OSError, BrokenPipeError among them, where the report itself cannot be written.
    """
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
        listener=listener,
        known=known,
    ) as output:
        return check_into(output, checker, source, watcher=watcher, limits=limits, history=history)


def check_into(
    output: Output,
    checker: Checker,
    source: Input,
    *,
    watcher: Watcher,
    limits: Limits = _USUAL,
    history: InputHistory | None = None,
) -> Result:
    """As check_input, with an output that the caller closes."""
    checker.engine.begin()
    coverage = Coverage()
    try:
        sha256, failure, other = _read(checker, source, coverage, output, watcher, limits.timer(), history)
    finally:
        watcher.ended()
    if other and source.found:
        return output.skip(failure, sha256)
    tally = Tally(*checker.engine.tally())
    return output.finish(failure, sha256=sha256, tally=tally, gaps=coverage.gaps())


def _make_exhibits() -> ClaimViews:
    from edi_checker.reports.html import ClaimViews

    return ClaimViews()


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
    history: InputHistory | None,
) -> _Passed:
    """Pass the input through."""
    failure, other = "", False
    try:
        checker = with_minutes(checker, source)
        output.show_minutes(checker.setting.minutes)
        if history is not None:
            history.begin(source)
        memory = InputMemory(checker.setting.minutes, coverage, history=history)
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
    except Unreadable as error:
        return _Passed(None, str(error), source.other)
    except HistoryUnreadable as error:
        return _Passed(None, str(error))
    except _Unwritable as error:
        raise error.args[0] from None
    except OSError as error:  # what goes wrong with the input itself is Unreadable
        return _Passed(None, _name_disk(error, watcher))
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
    """The checker with the minutes file beside the input, where none was given for the whole run.

    Raises Unreadable where that file cannot be used.
    """
    if checker.setting.minutes is not None or source.minutes is None:
        return checker
    try:
        # Not by its path: the input stands beside the message, and its name may be that of a person.
        minutes = read_minutes(source.minutes, "its minutes file")
    except MinutesError as error:
        raise Unreadable(str(error)) from None
    return replace(checker, setting=replace(checker.setting, minutes=minutes))


def with_sent_minutes(checker: Checker, data: bytes) -> Checker:
    """The checker with minutes that were sent as CSV in UTF-8. Raises Unreadable."""
    name = "the file with minutes"
    try:
        minutes = Minutes.parse(data.decode("utf-8-sig"), name)
    except MinutesError as error:
        raise Unreadable(str(error)) from None
    except UnicodeDecodeError:
        raise Unreadable(f"{name} is not UTF-8") from None
    return replace(checker, setting=replace(checker.setting, minutes=minutes))


def _finish(
    acknowledger: Acknowledger | None, draw: Draw, failed: bool, watcher: Watcher
) -> tuple[Answers, list[str]]:
    """The answers, and why one that is due is not among them. The caller closes them."""
    none = Answers(None, None, None)
    if acknowledger is None:
        return none, []
    try:
        answers = acknowledger.finish(numbers_of("") if failed else draw)
    except OSError as error:
        return none, [f"no answers: {_name_disk(error, watcher)}"]
    except Exception as error:  # noqa: BLE001  # as above
        return none, [f"no answers: {_name_crash(error, watcher)}"]
    if failed:
        # An input that breaks off is not answered: an answer to a part would pass for one to the whole.
        answers.close()
        return none, []
    return answers, list(answers.withheld)


Writer = Callable[[BinaryIO], None]


def _copy_of(answer: IO[bytes]) -> Writer:
    def write(out: BinaryIO) -> None:
        answer.seek(0)
        shutil.copyfileobj(answer, out)

    return write


def _json_of(checker: Checker, files: Files, journal: FindingsLog, summary: Summary) -> Writer:
    def write(out: BinaryIO) -> None:
        from edi_checker.reports.json_report import JsonReport

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
    exhibits: ClaimViews | None,
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


def _name_disk(error: OSError, watcher: Watcher) -> str:
    """That what is kept for the time of a check cannot be written or read."""
    watcher.disk(error)
    return f"the temporary folder cannot be used: {error.strerror}"


@cache
def _numbers_of(guide: Guide) -> ElementNumber:
    return number_elements(guide)
