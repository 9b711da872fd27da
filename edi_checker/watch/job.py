"""One file from the inbox to the archive: each step can be done again, and its answer is committed once."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from edi_checker import state
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine, Kind
from edi_checker.claims.checked import Checked
from edi_checker.files.folder import Published, Stage
from edi_checker.files.inputs import Input, find_inputs, name_outputs, readable
from edi_checker.files.names import escape
from edi_checker.files.output import flush_folder
from edi_checker.run.envelopes import Envelopes, Wanted, interchanges_in, reject_repeats
from edi_checker.run.history import InputHistory
from edi_checker.run.one_input import Files, Limits, Result, Watcher, check_input
from edi_checker.run.setting import CheckSetting, Made
from edi_checker.state import AlreadyAnswered, Fenced, Overtaken, Secret, State, StateError
from edi_checker.state.ledger import Ledger
from edi_checker.watch.filing import file_away
from edi_checker.watch.inbox import Arrival, companions
from edi_checker.watch.partners import Partners, Way
from edi_checker.watch.places import (
    ACCEPTED,
    DUPLICATE,
    ENDINGS,
    FAILED,
    REJECTED,
    Places,
    alone_in,
    archive_name,
    free_stem,
    make_folder,
    move,
    remove_folder,
    share,
)

MOST_TRIES = 5  # of a file whose check ends in an error of ours, or the process that does it
MOST_OVERTAKEN = 5  # checks in a row of a file that others overtake
_ON_PYTHON = 2  # tries after which the Python engine takes it
_SOON, _LATE = 10.0, 600.0  # seconds to the next try of what failed: the first time, and at most
_PAUSE = 30.0  # seconds to the next try of what is no fault of the file
_TURN = 0.2  # seconds between two looks at whether an earlier file is answered
_CHUNK = 1 << 20

Event = Literal["answered", "duplicate", "failed", "again", "vanished", "lost", "trouble", "crash"]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file: `again` will be tried again, `lost` is another owner's by now, `trouble` says
    that the ledger could not be asked, `crash` that the error is ours. `kind` is the folder of the archive.
    """

    event: Event
    file_id: int = 0
    partner: str = ""
    name: str = ""
    kind: str = ""
    reason: str = ""
    claims: int = 0
    rejected: int = 0
    findings: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What all files of a watcher are done with; it is made once, and shared by its processes.

    made        checker and rules of each setting, with the digest that the ledger keeps
    lease       seconds for which a file is taken; it is renewed while the check goes on
    settle      seconds after which a file that changed while it was checked is tried again
    unpacked    bytes to which an archive may unpack, None to go by its size
    secret      the key of the history, None where claims are not held against those of earlier files
    """

    places: Places
    partners: Partners
    made: dict[CheckSetting, tuple[Made, str]]
    limits: Limits
    version: str
    lease: float
    settle: float
    done_suffix: str
    unpacked: int | None
    secret: Secret | None = None

    def digests(self) -> dict[str, str]:
        """The digest of what each partner's files are checked with."""
        named = {name: self.made[way.setting][1] for name, way in self.partners.named.items()}
        return {"default": self.made[self.partners.default.setting][1], **named}


@dataclass(slots=True)
class _Faults:
    """What went wrong in a check and is no fault of the file: errors of ours, no room on this machine."""

    crashes: list[Exception] = field(default_factory=list)
    disk: list[OSError] = field(default_factory=list)


class _Changed(Exception):
    """The input was written to while it was checked."""


class Clerk:
    """Does files one after the other, in one process, with a ledger of its own."""

    def __init__(self, desk: Desk, ledger: Ledger) -> None:
        self._desk = desk
        self._places = desk.places
        self._ledger = ledger
        self._engines: dict[tuple[CheckSetting, Kind], Engine] = {}
        self._renew_at = 0.0

    def do(self, task: Arrival | int, owner: str) -> Report | None:
        """Take a file, a new one or the one with this id, and bring it to its end; None where it is not to be
        had.
        """
        begin, mine = time.monotonic(), None
        try:
            mine = self._take(task, owner)
            if mine is None:
                return None
            report = self._bring_to_end(mine)
        except Fenced:
            reason = "somebody else has the file now: another watcher, or who settled it"
            return (
                Report("lost", reason=reason) if mine is None else self._report("lost", mine, reason=reason)
            )
        except StateError as error:
            return Report("trouble", reason=str(error))
        return replace(report, seconds=time.monotonic() - begin)

    def _take(self, task: Arrival | int, owner: str) -> state.File | None:
        lease = self._desk.lease
        self._renew_at = time.monotonic() + lease / 3
        if isinstance(task, int):
            return self._ledger.take(owner, lease, task)
        return self._ledger.begin(task.partner, task.name, task.size, task.mtime_ns, owner, lease)

    def _bring_to_end(self, mine: state.File) -> Report:
        try:
            if mine.state == State.CLAIMED:
                found = self._answer(mine)
                if isinstance(found, Report):
                    return found
                mine = found
            return self._publish(mine)
        except OSError as error:
            return self._again(mine, self._places.find_gone() or error.strerror or "the disk cannot be used")
        except _Changed:
            return self._again(mine, "it was written to while it was checked", self._desk.settle)

    def _again(self, mine: state.File, reason: str, after: float = _PAUSE) -> Report:
        """Leave a file for later: nothing is wrong with itself, and that is not counted as a try."""
        if mine.state == State.ANSWERED:
            self._ledger.renew(mine, after, reason)
        else:
            self._ledger.release(mine, reason, after)
        return self._report("again", mine, reason=reason)

    def _report(self, event: Event, mine: state.File, kind: str = "", reason: str = "") -> Report:
        return Report(event, mine.id, mine.partner, mine.name, kind, reason)

    # -- from the inbox to the answer

    def _answer(self, mine: state.File) -> state.File | Report:
        work = self._move_in(mine)
        if missing := self._places.find_gone():
            return self._again(mine, missing)
        if work is None:
            gone = self._ledger.vanish(mine)
            file_away(self._places, gone, FAILED, "its file vanished from the inbox")
            return self._report("vanished", gone)
        for left in self._places.stages(mine.id):
            if left != self._places.stage(mine.id, mine.token):
                remove_folder(left)
        before = _look_of(work)
        sha256 = self._hash(work, mine)
        way = self._desk.partners.of(mine.partner)
        first = self._ledger.find_duplicate(mine, sha256, [], way.window)
        if first is not None:
            return self._answer_duplicate(mine, first, sha256, work)
        for _ in range(MOST_OVERTAKEN):
            with contextlib.suppress(Overtaken):
                return self._answer_new(mine, way, work, sha256, before)
        return self._again(mine, "other files of its patients are answered meanwhile")

    def _answer_new(
        self, mine: state.File, way: Way, work: Path, sha256: str, before: tuple[int, int, int]
    ) -> state.File | Report:
        """Check and answer a file that looked so before. Raises Overtaken where it must be checked again."""
        envelopes, stage = Envelopes(), self._fresh_stage(mine)
        history = self._history(mine, way, sha256)
        inputs = list(find_inputs([os.fspath(work)], self._desk.unpacked))
        stems = name_outputs(inputs)
        shown = [replace(each, path=_shown(each, work, mine)) for each in inputs]
        faults = _Faults()
        named = list(zip(shown, stems, strict=True))
        results = self._check(mine, way, named, stage, envelopes.add, history, faults)
        if _look_of(work) != before:
            raise _Changed
        if history is not None and history.failed:
            return self._again(mine, history.failed)
        why = self._why_not(mine, results, faults)
        if why is not None:
            return why
        if history is not None and any(result.summary.sums.claims["rejected"] for result in results):
            self._wait_for_earlier(mine)
        said = state.Answer(
            sha256,
            (),
            tuple(envelopes.found),
            self._desk.made[way.setting][1],
            json.dumps(_record(mine, results)),
            way.window,
            history.run() if history is not None else None,
        )
        try:
            return self._commit(mine, stage, stems, said)
        except AlreadyAnswered as error:
            return self._answer_repeated(mine, error.duplicate, said, work)

    def _why_not(self, mine: state.File, results: Sequence[Result], faults: _Faults) -> Report | None:
        """Why a file that was checked is not answered: tried again for what is no fault of its own."""
        troubles = [trouble for result in results for trouble in result.troubles]
        reasons = [result.summary.reason or "" for result in results]
        said = next(filter(None, (*troubles, *reasons)), "it holds nothing that can be checked")
        # A trouble may name what could not be written, and with it the input.
        if faults.disk:
            return self._again(mine, f"the disk cannot be used: {faults.disk[-1].strerror}")
        if faults.crashes:
            said = f"internal error ({type(faults.crashes[-1]).__name__})"
        if faults.crashes and mine.tries < MOST_TRIES:
            after = min(_SOON * 2**mine.tries, _LATE)
            self._ledger.fail(mine, said, again_in=after)
            return self._report("again", mine, reason=said)
        if troubles or all(result.summary.outcome == "not_checked" for result in results):
            return self._fail(mine, said)
        return None

    def _history(self, mine: state.File, way: Way, sha256: str) -> InputHistory | None:
        """What earlier files billed, None where it is not asked for."""
        secret = self._desk.secret
        if secret is None:
            return None
        return InputHistory(
            secret,
            lambda: self._ledger,
            _received(mine, way),
            past=self._ledger.past(sha256),
            keeps=True,
            exact=False,
        )

    def _wait_for_earlier(self, mine: state.File) -> None:
        """Let the files of the partner that came before be answered first: what they leave may be what a
        rejected claim of this one lacks, and then this one is overtaken and checked again. Each waits for
        earlier ones alone, so none waits for ever; one whose lease is over is not waited for.
        """
        while any(
            other.id < mine.id and (other.lease_until or 0) > self._ledger.now()
            for other in self._ledger.list_files(states=(State.CLAIMED,), partner=mine.partner)
        ):
            time.sleep(_TURN)
            self._renew(mine)

    def _move_in(self, mine: state.File) -> Path | None:
        """Move a file from the inbox to its work folder; its path there, None where it is not to be found."""
        folder = self._places.work(mine.id, mine.partner)
        source = self._places.incoming(mine.partner, mine.name)
        work = folder / source.name
        make_folder(folder, self._places.archive)
        if not os.path.lexists(work):
            if _look_of(source)[:2] == (mine.size, mine.mtime_ns):
                for name in companions(source.name, self._desk.done_suffix):
                    _move_companion(source.with_name(name), folder / name)
            else:  # it may have failed before, and be opened again by hand
                archived = self._places.find_archived(mine.id, mine.partner, mine.name, mine.sha256)
                if archived is None:
                    return None
                move(archived, work)
        with contextlib.suppress(FileNotFoundError):
            move_in(source, work)
        return work if os.path.lexists(work) else None

    def _hash(self, path: Path, mine: state.File) -> str:
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                self._renew(mine)
        return digest.hexdigest()

    def _renew(self, mine: state.File) -> None:
        """Keep the file, now and then. Raises Fenced, StateError."""
        now = time.monotonic()
        if now >= self._renew_at:
            self._ledger.renew(mine, self._desk.lease)
            self._renew_at = now + self._desk.lease / 3

    def _fresh_stage(self, mine: state.File) -> Path:
        stage = self._places.stage(mine.id, mine.token)
        remove_folder(stage)
        make_folder(stage, self._places.archive)
        return stage

    def _check(
        self,
        mine: state.File,
        way: Way,
        inputs: Sequence[tuple[Input, str]],
        stage: Path,
        listener: Callable[[Checked], None],
        history: InputHistory | None,
        faults: _Faults,
    ) -> list[Result]:
        """Check all inputs of a file, each with the stem of its answers, and write these into the stage.

        Raises Fenced, StateError.
        """
        lost: list[StateError] = []

        def hold(_: int) -> None:
            try:
                self._renew(mine)
            except StateError as error:
                lost.append(error)
                self._renew_at = float("inf")

        def draw(wanted: Sequence[Wanted]) -> list[list[int]]:
            try:
                return self._draw(mine, wanted, drawn)
            except StateError as error:
                lost.append(error)
                raise

        seen = datetime.fromtimestamp(mine.seen_at)  # noqa: DTZ006  # the day at the desk of the office
        checker = self._checker(mine, way)
        drawn: dict[tuple[str, str, str], int] = {}
        files = Files(
            _StageFolder(stage),
            acks=True,
            version=self._desk.version,
            rules=checker.engine.rules,
            page=way.page,
            split=way.split,
            draw=draw,
            time=f"{seen:%H%M}",
        )
        results = []
        for source, stem in inputs:
            result = check_input(
                checker,
                source,
                stem,
                report=None,
                files=files,
                watcher=Watcher(hold, crash=faults.crashes.append, disk=faults.disk.append),
                limits=self._desk.limits,
                listener=listener,
                history=history,
            )
            results.append(result)
            if lost:
                raise lost[0]
        return results

    def _checker(self, mine: state.File, way: Way) -> Checker:
        made, _ = self._desk.made[way.setting]
        return replace(
            made.checker,
            engine=self._engine(way.setting, made, mine.tries),
            setting=replace(made.checker.setting, received=_received(mine, way)),
        )

    def _engine(self, setting: CheckSetting, made: Made, tries: int) -> Engine:
        kind: Kind = "python" if tries >= _ON_PYTHON else made.checker.engine.kind
        key = setting, kind
        if key not in self._engines:
            self._engines[key] = Engine(made.rulebook, kind)
        return self._engines[key]

    def _draw(
        self, mine: state.File, wanted: Sequence[Wanted], drawn: dict[tuple[str, str, str], int]
    ) -> list[list[int]]:
        """Numbers of the ledger; `drawn` counts those that this file has, the same again in a second try."""
        asked, counts = [], []
        for each in wanted:
            pair = each.sender, each.receiver, each.kind
            first = drawn.get(pair, 0)
            drawn[pair] = first + each.many
            counts.append(each.many)
            asked += [state.Draw(*pair, ordinal) for ordinal in range(first, first + each.many)]
        numbers = iter(self._ledger.draw_numbers(mine, asked))
        return [[next(numbers) for _ in range(count)] for count in counts]

    def _commit(self, mine: state.File, stage: Path, stems: Sequence[str], said: state.Answer) -> state.File:
        """Name what is staged so that nothing is written over, and commit it: the point of no return."""
        out = self._places.outgoing(mine.partner)
        make_folder(out, self._places.out)
        with alone_in(out):
            taken = self._ledger.list_pending(mine.partner)
            for stem in stems:
                free = free_stem(out, stem, taken, mine.id)
                for ending in ENDINGS if free != stem else ():
                    with contextlib.suppress(FileNotFoundError):
                        (stage / f"{stem}.{ending}").rename(stage / f"{free}.{ending}")
            flush_folder(stage)
            flush_folder(stage.parent)
            return self._ledger.answer(mine, replace(said, outputs=tuple(_outputs_in(stage))))

    # -- duplicates and failures

    def _answer_duplicate(
        self, mine: state.File, first: state.Duplicate, sha256: str, work: Path
    ) -> state.File:
        """Say of each interchange that it was answered before."""
        stage = self._fresh_stage(mine)
        seen = datetime.fromtimestamp(mine.seen_at)  # noqa: DTZ006  # as above
        way = self._desk.partners.of(mine.partner)
        checker = self._desk.made[way.setting][0].checker
        inputs = list(find_inputs([os.fspath(work)], self._desk.unpacked))
        drawn: dict[tuple[str, str, str], int] = {}
        folder = _StageFolder(stage)
        for source, name in zip(inputs, name_outputs(inputs), strict=True):
            interchanges = interchanges_in(source, checker)
            with folder.stage() as own:
                if interchanges:
                    with own.write("ta1") as out:
                        reject_repeats(
                            interchanges, seen, lambda wanted: self._draw(mine, wanted, drawn), out
                        )
                with own.write("duplicate.txt") as out:
                    out.write(self._say_first(mine, first).encode())
                folder.publish(own, name, (), ())
        said = state.Answer(
            sha256,
            (),
            (),
            self._desk.made[way.setting][1],
            json.dumps({"kind": DUPLICATE, "token": mine.token}),
            duplicate_of=first,
        )
        return self._commit(mine, stage, name_outputs(inputs), said)

    def _say_first(self, mine: state.File, first: state.Duplicate) -> str:
        details = self._ledger.show(first.of)
        when = datetime.fromtimestamp(first.answered_at)  # noqa: DTZ006  # as above
        name = ""
        if details is not None and details.file.partner == mine.partner:
            name = f", {escape(details.file.name)}"
        what = "the same content" if first.same_content else "the same control number and other content"
        return (
            f"This file was not checked: file {first.of}{name}, with {what}, "
            f"was answered on {when:%Y-%m-%d} at {when:%H:%M}.\n"
        )

    def _answer_repeated(
        self, mine: state.File, first: state.Duplicate, said: state.Answer, work: Path
    ) -> state.File | Report:
        """A file with control numbers that were answered: a duplicate if all of them were."""
        keys = [each.key for each in said.interchanges]
        before = [self._ledger.find_duplicate(mine, said.sha256, [key], said.window) for key in keys]
        if all(before):
            return self._answer_duplicate(mine, first, said.sha256, work)
        repeated = ", ".join(key.control for key, found in zip(keys, before, strict=True) if found)
        return self._fail(
            mine,
            f"interchange {repeated[:100]} was answered in file {first.of}, and others in this file are new: "
            "send the new ones in a file of their own",
        )

    def _fail(self, mine: state.File, reason: str) -> Report:
        failed = self._ledger.fail(mine, reason)
        file_away(self._places, failed, FAILED, reason)
        return self._report("failed", failed, FAILED, reason)

    # -- from the answer to the archive

    def _publish(self, mine: state.File) -> Report:
        details = self._ledger.show(mine.id)
        assert details is not None
        said = json.loads(details.record or "{}")
        kind = said["kind"]
        stage, out = self._places.stage(mine.id, said["token"]), self._places.outgoing(mine.partner)
        kept = self._places.archived(kind, datetime.fromtimestamp(mine.answered_at or 0), mine.partner)  # noqa: DTZ006  # as above
        make_folder(out, self._places.out)
        make_folder(kept, self._places.archive)
        names = [output.name for output in details.outputs]
        for name in names:
            with _unless_published(stage / name):
                share(stage / name, out)
                keep_copy(stage / name, kept / archive_name(mine.id, name))
        flush_folder(kept)
        with alone_in(out):
            for name in names:
                put_out(stage / name, out, name, mine.id)
        flush_folder(out)
        with contextlib.suppress(FileNotFoundError):
            flush_folder(stage)
        file_away(self._places, mine, kind)
        self._ledger.finish(mine)
        event: Event = "duplicate" if kind == DUPLICATE else "answered"
        return replace(
            self._report(event, mine, kind),
            claims=said.get("claims", 0),
            rejected=said.get("rejected", 0),
            findings=said.get("findings", 0),
        )


def move_in(source: Path, work: Path) -> None:
    """Step 2: from the inbox to the work folder. Raises OSError."""
    move(source, work)


def _move_companion(source: Path, work: Path) -> None:
    """Move what belongs to an input, where there is such a file. Raises OSError."""
    try:
        move(source, work)
    except OSError as error:
        # An input may have so long a name that none with an ending behind it can be.
        if error.errno not in (errno.ENOENT, errno.ENAMETOOLONG):
            raise


def keep_copy(staged: Path, target: Path) -> None:
    """A file of the answer in the archive, whole and on the disk when its name appears: a copy, for who
    writes to what was sent must not change it. Raises OSError.
    """
    if os.path.lexists(target):
        return
    with staged.open("rb") as source:
        # Beside the answers, where it goes with the stage if this process ends meanwhile.
        handle, beside = tempfile.mkstemp(prefix=".copy-", dir=staged.parent)
        with os.fdopen(handle, "wb") as out:
            shutil.copyfileobj(source, out)
            out.flush()
            os.fsync(out.fileno())
    Path(beside).rename(target)


def put_out(staged: Path, out: Path, name: str, file_id: int) -> None:
    """Step 7: a file of the answer appears. Nothing is written over. Raises OSError."""
    target = out / name
    with _unless_published(staged):
        if os.path.lexists(target) and not os.path.samestat(staged.lstat(), target.lstat()):
            target = out / archive_name(file_id, name)
        if os.path.lexists(target):
            staged.unlink()
        else:
            staged.rename(target)


@contextlib.contextmanager
def _unless_published(staged: Path) -> Iterator[None]:
    """What is done with a file of the answer, unless another owner has published it meanwhile."""
    try:
        yield
    except FileNotFoundError:
        if os.path.lexists(staged):
            raise  # it is the folder for it that has gone


class _StageFolder:
    """Where the files of an input are made, and stay until they are published; as run.Folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def stage(self) -> Iterator[Stage]:
        own = self.path / ".new"
        own.mkdir(mode=0o700)
        try:
            yield Stage(own)
        finally:
            remove_folder(own)

    def publish(self, stage: Stage, name: str, asked: Sequence[str], others: Sequence[str]) -> Published:
        for ending in stage.digests:
            (stage.folder / ending).rename(self.path / f"{name}.{ending}")
        return Published()


def _record(mine: state.File, results: Iterable[Result]) -> dict[str, object]:
    """What is kept of an answer, without anything that could identify a person."""
    claims = rejected = findings = 0
    clean = True
    for result in results:
        summary = result.summary
        claims += summary.claims
        rejected += summary.sums.claims["rejected"]
        findings += sum(summary.severities.values())
        clean = clean and summary.outcome == "accepted"
    kind = ACCEPTED if clean else REJECTED
    return {"kind": kind, "token": mine.token, "claims": claims, "rejected": rejected, "findings": findings}


def _outputs_in(stage: Path) -> Iterator[state.Output]:
    for path in sorted(stage.iterdir()):
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        yield state.Output(path.name, digest, path.stat().st_size)


def _received(mine: state.File, way: Way) -> int:
    """The day of receipt: that on which the file was seen, at the desk of the office."""
    return way.setting.day_of(datetime.fromtimestamp(mine.seen_at))  # noqa: DTZ006  # as above


def _look_of(path: Path) -> tuple[int, int, int]:
    """Size, time of the last change and inode; zeros where there is no such file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return (-1, 0, 0)
    return status.st_size, status.st_mtime_ns, status.st_ino


def _shown(source: Input, work: Path, mine: state.File) -> str:
    """The input's path as its partner knows it."""
    name = source.path.removeprefix(readable(f"{work.parent}{os.sep}"))
    return f"{escape(mine.partner)}/{name}" if mine.partner else name
