"""Judges what a watcher left after blows: each input answered exactly once, and nothing half done."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edi_checker.state import Details, State
from edi_checker.watch.places import MARK
from partner import Collected, Sent

# What can be broken, and what it is called in the table:
# lost       an input without its answer, or not at its end after a watcher had the time for it
# different  two answers to one input, whether their contents differ or not, or one that nobody knows of
# twice      the same answer two times; after a power cut nobody can know that it was collected
# wrong      an answer that is not the one of the ledger, such as half a file that was seen for a moment
# numbers    a control number two times
# archive    an input or an answer that is not in the archive, or one that should not be there
# left       something in the inbox, at work, on a stage, or a file with a dot
PROMISES = ("lost", "different", "twice", "wrong", "numbers", "archive", "left")
_ENDED = (State.DONE, State.DUPLICATE, State.FAILED)


@dataclass
class Verdict:
    """The broken promises: which, and what was seen."""

    broken: list[tuple[str, str]] = field(default_factory=list)

    def add(self, promise: str, words: str) -> None:
        assert promise in PROMISES
        self.broken.append((promise, words))

    @property
    def kinds(self) -> set[str]:
        return {promise for promise, _ in self.broken}

    def holds(self, *, power: bool) -> bool:
        """Whether what is promised holds."""
        return self.kinds <= ({"twice"} if power else set())


@dataclass(frozen=True)
class Places:
    """Where a watcher works; `base` is on one file system with all of them."""

    base: Path

    @property
    def inbox(self) -> Path:
        return self.base / "in"

    @property
    def out(self) -> Path:
        return self.base / "out"

    @property
    def archive(self) -> Path:
        return self.base / "archive"

    @property
    def ledger(self) -> Path:
        return self.base / "ledger" / "ledger.db"


def judge(places: Places, sent: Sequence[Sent], rows: Sequence[Details], collected: Collected) -> Verdict:
    """`rows` is all that the ledger knows."""
    verdict = Verdict()
    _judge_rows(sent, rows, verdict)
    _judge_answers(places, rows, collected, verdict)
    _judge_numbers(rows, collected, verdict)
    _judge_archive(places, sent, rows, verdict)
    _judge_rest(places, verdict)
    return verdict


def _judge_rows(sent: Sequence[Sent], rows: Sequence[Details], verdict: Verdict) -> None:
    by_place: dict[tuple[str, str], list[Details]] = {}
    for row in rows:
        if row.file.state != State.VANISHED:
            by_place.setdefault((row.file.partner, row.file.name), []).append(row)
    for each in sent:
        found = by_place.pop((each.partner, each.name), [])
        states = [str(row.file.state) for row in found]
        if not any(row.file.state in _ENDED for row in found):
            verdict.add("lost", f"{each.place}: {states or 'not in the ledger'}")
        elif len(found) > 1:
            verdict.add("different", f"{each.place} was taken in {len(found)} times: {states}")
    for partner, name in by_place:
        verdict.add("wrong", f"{partner}/{name} is in the ledger and was never sent")
    contents = {(each.partner, each.name): each.content for each in sent}
    first = Counter(
        contents.get((row.file.partner, row.file.name)) for row in rows if row.file.state == State.DONE
    )
    if any(count > 1 for count in first.values()):
        verdict.add("different", "two inputs with the same content were both answered")


def _judge_answers(places: Places, rows: Sequence[Details], collected: Collected, verdict: Verdict) -> None:
    there = {str(path.relative_to(places.out)): path for path in _files(places.out)}
    for path in there.values():
        content = path.read_bytes()
        collected.contents[hashlib.sha256(content).hexdigest()] = content
    now = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items()}
    seen = {name: set(digests) for name, digests in collected.seen.items()}
    for name, digest in now.items():
        seen.setdefault(name, set()).add(digest)
    for row in rows:
        for output in row.outputs:
            name = f"{row.file.partner}/{output.name}" if row.file.partner else output.name
            digests = seen.pop(name, set())
            times = len(collected.taken.get(name, [])) + (name in now)
            if not times:
                verdict.add("lost", f"{name} of file {row.file.id} never appeared, or went away again")
            if len(digests) > 1:
                verdict.add("different", f"{name}: {len(digests)} contents")
            elif digests and digests != {output.sha256}:
                verdict.add("wrong", f"{name} is not what the ledger says")
            if times > 1:
                verdict.add("twice", f"{name}: {times} times")
    for name in seen:
        verdict.add("different", f"{name}: an answer of which the ledger knows nothing")


def _judge_numbers(rows: Sequence[Details], collected: Collected, verdict: Verdict) -> None:
    """No control number twice: in what was drawn, and in all answers that were ever seen."""
    drawn = Counter(
        (draw.sender, draw.receiver, draw.kind, number) for row in rows for draw, number in row.numbers
    )
    used = Counter(key for content in collected.contents.values() for key in control_numbers(content))
    for counted in (drawn, used):
        for key, count in counted.items():
            if count > 1:
                verdict.add("numbers", f"{' '.join(map(str, key))}: {count} times")


def control_numbers(content: bytes) -> Iterator[tuple[str, ...]]:
    """Sender, receiver and control number of each interchange and group in an answer."""
    text = content.decode("latin-1")
    if not text.startswith("ISA"):
        return
    for segment in text.split(text[105]):
        words = segment.strip().split(text[3])
        if words[0] == "ISA":
            yield ("ISA", words[6].strip(), words[8].strip(), words[13])
        elif words[0] == "GS":
            yield ("GS", words[1], words[2], words[3], words[6])


def _judge_archive(places: Places, sent: Sequence[Sent], rows: Sequence[Details], verdict: Verdict) -> None:
    kept = {path.name: path for path in _files(places.archive) if _is_archived(path, places.archive)}
    contents = {(each.partner, each.name): each.content for each in sent}
    for row in rows:
        if row.file.state not in _ENDED:
            continue
        name = f"{row.file.id}-{row.file.name}"
        _judge_kept(kept, name, contents.get((row.file.partner, row.file.name)), verdict)
        for output in row.outputs:
            path = kept.pop(f"{row.file.id}-{output.name}", None)
            if path is None:
                verdict.add("archive", f"{row.file.id}-{output.name} is not in the archive")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != output.sha256:
                verdict.add("archive", f"{path.name} is not what the ledger says")
        kept.pop(f"{name}.reason.txt", None)
    for name in kept:
        verdict.add("archive", f"{name} is in the archive, and no file of the ledger")


def _judge_kept(kept: dict[str, Path], name: str, content: bytes | None, verdict: Verdict) -> None:
    path = kept.pop(name, None)
    if path is None:
        verdict.add("archive", f"the input {name} is not in the archive")
    elif path.read_bytes() != content:
        verdict.add("archive", f"{name} is not what was sent")


def _is_archived(path: Path, archive: Path) -> bool:
    return not path.relative_to(archive).parts[0].startswith(".")


def _judge_rest(places: Places, verdict: Verdict) -> None:
    """Nothing is under way: all that is left has its place."""
    work, stage = places.archive / ".work", places.archive / ".stage"
    left = [path for path in places.inbox.rglob("*") if path.is_file()]
    left += [*work.glob("*"), *stage.glob("*")]
    for folder in (places.out, places.archive):
        left += [path for path in folder.rglob(".*") if path not in (work, stage, folder / MARK)]
    for path in left:
        verdict.add("left", str(path.relative_to(places.base)))


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]


def count(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    """In how many of them each promise was broken."""
    return {promise: sum(promise in verdict.kinds for verdict in verdicts) for promise in PROMISES}
