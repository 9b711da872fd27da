"""What the ledger says, as lines for people and as JSON; times for people are those of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from edi_checker.files.names import escape
from edi_checker.state import Counts, Details, File, Output, PartnerAnswers, State

_TIMES = ("seen_at", "answered_at", "finished_at", "lease_until", "not_before")
_UNITS = ((86_400, "days"), (3600, "h"), (60, "min"), (1, "s"))


# -- words


def say_time(time: float) -> str:
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def iso_time(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def say_age(seconds: float) -> str:
    """A time in its largest unit of which there are two, or so."""
    count, unit = next(
        ((int(seconds // size), name) for size, name in _UNITS if seconds >= 2 * size),
        (max(0, int(seconds)), "s"),
    )
    return f"{count} {unit}"


def say_count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def say_name(file: File, *, hide: bool) -> str:
    if hide:
        return f"{escape(file.partner)}/file {file.id}" if file.partner else f"file {file.id}"
    return escape(f"{file.partner}/{file.name}" if file.partner else file.name)


def in_columns(rows: Sequence[Sequence[str]], indent: str = "") -> Iterator[str]:
    """The rows as lines, each cell as wide as the widest of its column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield (
            indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        ).rstrip()


# -- as JSON


def exported_as_json(said: dict[str, Any], *, hide: bool) -> dict[str, Any]:
    """A file as the ledger exports it, with times that people read; without names where they are hidden."""
    record = said["record"]
    shown = {**_with_times(said), "record": None if record is None else json.loads(record)}
    if hide:
        shown["name"] = None
        shown["outputs"] = [{**each, "name": None} for each in said["outputs"]]
    return shown


def details_as_json(each: Details, *, hide: bool) -> dict[str, Any]:
    return exported_as_json(each.as_json(), hide=hide)


def file_as_json(file: File, *, hide: bool) -> dict[str, Any]:
    return {**_with_times(asdict(file)), **({"name": None} if hide else {})}


def _with_times(said: dict[str, Any]) -> dict[str, Any]:
    # A lease that was ended by hand ended before all time.
    times = {name: None if said[name] is None or said[name] < 0 else iso_time(said[name]) for name in _TIMES}
    return {**said, **times}


# -- status


@dataclass(frozen=True, slots=True)
class Overview:
    """What `status` shows; the lists of files are cut, `counts` has their numbers.

    since  from when on answers are counted
    late   how long a file may wait, in seconds
    """

    counts: Counts
    at_work: tuple[File, ...]
    failed: tuple[File, ...]
    duplicates: tuple[File, ...]
    answered: tuple[PartnerAnswers, ...]
    since: float
    late: float

    @property
    def waited(self) -> float:
        """How long the file has waited that waits longest, in seconds."""
        oldest = self.counts.oldest_seen
        return 0.0 if oldest is None else self.counts.now - oldest

    @property
    def unpublished(self) -> float:
        """How long an answer has waited to appear, in seconds."""
        oldest = self.counts.unpublished
        return 0.0 if oldest is None else self.counts.now - oldest

    def needs(self) -> list[str]:
        """What needs attention, in words; nothing where all is well."""
        counts = self.counts
        held = f"an answer is not published for {say_age(self.unpublished)}"
        late = f"a file has waited for {say_age(self.waited)}" if self.waited > self.late else ""
        return [
            *([f"{counts.unsettled:,} failed"] if counts.unsettled else ()),
            *(
                [f"{say_count(counts.other_content, 'duplicate')} with other content"]
                if counts.other_content
                else ()
            ),
            *([f"{say_count(counts.expired, 'lease')} over"] if counts.expired else ()),
            *([late] if late else ()),
            *([held] if self.unpublished > self.late else ()),
            *(
                [f"times in the ledger are {say_age(counts.ahead)} ahead of the clock"]
                if counts.ahead
                else ()
            ),
        ]


def write_status(view: Overview, *, hide: bool) -> Iterator[str]:
    counts, now = view.counts, view.counts.now
    zone = datetime.fromtimestamp(now).astimezone().tzname()
    yield f"{say_time(now)} {zone}: {', '.join(view.needs()) or 'nothing needs attention'}"
    yield ""
    waiting = counts.states[State.SEEN]
    oldest = f", the oldest for {say_age(view.waited)}" if waiting else ""
    yield f"Waiting     {say_count(waiting, 'file')}{oldest}"
    at_work = counts.states[State.CLAIMED] + counts.states[State.ANSWERED]
    yield f"At work     {say_count(at_work, 'file')}"
    yield from _some(at_work, [_work_row(file, now, hide=hide) for file in view.at_work])
    yield f"Failed      {say_count(counts.unsettled, 'file')} not settled"
    yield from _some(counts.unsettled, [_failed_row(file, hide=hide) for file in view.failed])
    yield f"Duplicates  {say_count(counts.other_content, 'file')} with other content under the same number"
    yield from _some(counts.other_content, [_duplicate_row(file, hide=hide) for file in view.duplicates])
    number = sum(each.files for each in view.answered)
    last = counts.last_answered
    newest = f", the newest {say_age(now - last)} ago" if last is not None else ""
    yield f"Answered    {say_count(number, 'file')} since {say_time(view.since)}{newest if number else ''}"
    yield from in_columns([_answer_row(each, now) for each in view.answered], "  ")
    if last is not None and not number:
        yield f"  the newest on {say_time(last)}, {say_age(now - last)} ago"


def _some(number: int, rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield from in_columns(rows, "  ")
    if number > len(rows):
        yield f"  and {number - len(rows):,} more: edi-checker ledger list"


def _work_row(file: File, now: float, *, hide: bool) -> tuple[str, ...]:
    since = file.answered_at if file.answered_at is not None else file.seen_at
    return (
        str(file.id),
        f"{'answered' if file.answered_at is not None else 'seen'} {say_time(since)}",
        f"by {escape(file.owner or '')}",
        _say_lease(file, now),
        say_name(file, hide=hide),
        escape(file.reason or ""),
    )


def _say_lease(file: File, now: float) -> str:
    until = file.lease_until
    if until is None or until < 0:
        return "lease over"
    return f"lease over for {say_age(now - until)}" if until < now else f"lease for {say_age(until - now)}"


def _failed_row(file: File, *, hide: bool) -> tuple[str, ...]:
    return (
        str(file.id),
        say_time(file.finished_at or file.seen_at),
        say_name(file, hide=hide),
        escape(file.reason or ""),
    )


def _duplicate_row(file: File, *, hide: bool) -> tuple[str, ...]:
    return (
        str(file.id),
        say_time(file.finished_at or file.seen_at),
        say_name(file, hide=hide),
        f"as file {file.duplicate_of}",
    )


def _answer_row(each: PartnerAnswers, now: float) -> tuple[str, ...]:
    refused = each.transactions - each.accepted
    return (
        escape(each.partner) or "-",
        say_count(each.files, "file"),
        f"{say_count(each.transactions, 'transaction')}, {refused:,} rejected",
        say_count(each.duplicates, "duplicate"),
        f"the newest {say_age(now - each.last)} ago",
    )


def status_as_json(view: Overview, *, hide: bool) -> dict[str, Any]:
    counts = view.counts

    def some(number: int, files: Iterable[File]) -> dict[str, Any]:
        return {"files": number, "listed": [file_as_json(file, hide=hide) for file in files]}

    oldest, last = counts.oldest_seen, counts.last_answered
    return {
        "schema": "edi-checker/status/1",
        "now": iso_time(counts.now),
        "needs": view.needs(),
        "states": dict(counts.states),
        "waiting": {
            "files": counts.states[State.SEEN],
            "oldest": None if oldest is None else iso_time(oldest),
            "seconds": round(view.waited),
        },
        "at_work": some(counts.states[State.CLAIMED] + counts.states[State.ANSWERED], view.at_work),
        "leases_over": counts.expired,
        "ahead_of_clock_seconds": round(counts.ahead),
        "failed": some(counts.unsettled, view.failed),
        "duplicates": some(counts.other_content, view.duplicates),
        "answered": {
            "since": iso_time(view.since),
            "files": sum(each.files for each in view.answered),
            "newest": None if last is None else iso_time(last),
            "seconds": None if last is None else round(counts.now - last),
            "partners": [{**each._asdict(), "last": iso_time(each.last)} for each in view.answered],
        },
    }


# -- files


def write_list(found: Sequence[File], *, hide: bool) -> Iterator[str]:
    rows = [
        (
            str(file.id),
            file.state,
            say_time(file.seen_at),
            say_name(file, hide=hide),
            _say_end(file),
        )
        for file in found
    ]
    yield from in_columns([("id", "state", "seen", "file", ""), *rows] if rows else [])


def _say_end(file: File) -> str:
    """What the state alone does not say."""
    said = (
        _say_duplicate(file) if file.duplicate_of is not None else "",
        f"replay of {file.replay_of}" if file.replay_of is not None else "",
        escape(file.reason or ""),
        f"by hand: {escape(file.settled_by)}" if file.settled_by is not None else "",
    )
    return "; ".join(filter(None, said))


def _say_duplicate(file: File) -> str:
    same = "the same content" if file.duplicate_by == "content" else "other content, the same control number"
    return f"duplicate of {file.duplicate_of} ({same})"


def write_details(each: Details, duplicates: Sequence[File], *, hide: bool) -> Iterator[str]:
    """Everything of one file; `duplicates` are those that came after it."""
    file = each.file
    parts = [
        (f"File {file.id}", [say_name(file, hide=hide), f"{file.size:,} bytes"]),
        ("State", list(_say_state(file))),
        ("Steps", list(in_columns(list(_steps(file))))),
        ("Content", [f"SHA-256 {file.sha256}"] if file.sha256 else []),
        ("Setting", [file.setting] if file.setting else []),
        (
            "Answer",
            list(in_columns([_output_row(at, one, hide=hide) for at, one in enumerate(each.outputs, 1)])),
        ),
        ("Interchanges", list(_say_interchanges(each))),
        ("Numbers", list(in_columns(_number_rows(each)))),
        (
            "Duplicates",
            [f"file {one.id}, seen {say_time(one.seen_at)}: {_say_duplicate(one)}" for one in duplicates],
        ),
        ("Record", [each.record] if each.record else []),
    ]
    for title, lines in parts:
        for at, line in enumerate(lines):
            yield f"{title if at == 0 else '':14}{line}"


def _say_state(file: File) -> Iterator[str]:
    yield f"{file.state} after {say_count(file.tries, 'failed check')}" if file.tries else str(file.state)
    if file.owner is not None:
        yield f"by {escape(file.owner)}"
    if file.reason:
        yield escape(file.reason)
    if file.settled_by is not None:
        yield f"by hand: {escape(file.settled_by)}"
    if file.duplicate_of is not None:
        yield _say_duplicate(file)
    if file.replay_of is not None:
        yield f"replay of file {file.replay_of}"


def _steps(file: File) -> Iterator[tuple[str, str]]:
    yield "seen", say_time(file.seen_at)
    if file.not_before is not None:
        yield "not before", say_time(file.not_before)
    if file.answered_at is not None:
        yield "answered", say_time(file.answered_at)
    if file.finished_at is not None:
        yield "finished", say_time(file.finished_at)
    if file.owner is not None and file.lease_until is not None and file.lease_until >= 0:
        yield "lease until", say_time(file.lease_until)


def _output_row(at: int, one: Output, *, hide: bool) -> tuple[str, ...]:
    return (f"{at}" if hide else escape(one.name), f"{one.size:,} bytes", f"SHA-256 {one.sha256}")


def _say_interchanges(each: Details) -> Iterator[str]:
    for one in each.interchanges:
        key = one.key
        sender, receiver = (
            f"{key.sender_qualifier}*{key.sender}",
            f"{key.receiver_qualifier}*{key.receiver}",
        )
        yield escape(f"{key.control} from {sender} to {receiver}: {one.verdict}")
        for group in one.groups:
            accepted = f"{group.accepted:,} of {say_count(group.transactions, 'transaction')} accepted"
            between = f"from {group.sender} to {group.receiver}"
            yield escape(f"  group {group.control} {between}: {group.verdict}, {accepted}")


def _number_rows(each: Details) -> list[tuple[str, ...]]:
    return [
        (draw.kind, str(number), escape(f"from {draw.sender} to {draw.receiver}"))
        for draw, number in each.numbers
    ]


def write_numbers(counters: Sequence[tuple[str, str, str, int]]) -> Iterator[str]:
    rows = [(escape(sender), escape(receiver), kind, str(last)) for sender, receiver, kind, last in counters]
    yield from in_columns([("sender", "receiver", "kind", "last"), *rows] if rows else [])
