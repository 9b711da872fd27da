"""The interchange that carries an answer: envelope, control numbers, and values made fit to stand in it."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from edi_checker.claims.claim import Interchange

ELEMENT, COMPONENT, REPETITION, TERMINATOR = "*", ":", "^", "~"

_IN_MEMORY = 1 << 20  # bytes of an unfinished answer held in memory; what is more goes to a temporary file
_PIECE = 1 << 16
_WAITING = 1_000  # segments
# A delimiter of ours within a value would cut it in two; a hyphen keeps an identifier readable and as long.
_DELIMITERS = str.maketrans(dict.fromkeys(ELEMENT + COMPONENT + REPETITION + TERMINATOR, "-"))


def clean(value: str, longest: int, shortest: int = 1) -> str:
    """A value from the input (or a message) as an element of an answer.

    Our four delimiters become hyphens, line breaks and other characters that cannot be printed become blanks,
    blanks at the ends go, and what is longer than `longest` characters is cut. "" where less than `shortest`
    characters remain.
    """
    if not value:
        return ""
    # most values are a word or a number, perhaps with hyphens, in which there is nothing to change
    if not value.isalnum() and not value.replace("-", "0").isalnum():
        if not value.isprintable():
            value = "".join(c if c.isprintable() else " " for c in value)
        value = value.translate(_DELIMITERS).strip()[:longest].rstrip()
    return value[:longest] if len(value) >= shortest else ""


def digits(value: str, longest: int) -> str:
    """A number (N0) from the input, "" where the value is no plain number of at most `longest` digits."""
    value = value.strip()
    return value if value.isascii() and value.isdigit() and len(value) <= longest else ""


@dataclass(frozen=True, slots=True)
class Day:
    """The date (CCYYMMDD) and time (HHMM) at which the answers say they were made."""

    date: str
    time: str


class Spool:
    """Segments on their way into an answer, counted; in memory while few, on disk when many."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close()
        # What is not in the file yet: to write each segment there would take longer than to make it.
        self._waiting: list[str] = []
        self.segments = 0

    def write(self, *elements: str) -> None:
        """One segment, without the empty elements at its end."""
        self.write_all((ELEMENT.join(elements).rstrip(ELEMENT),))

    def write_all(self, segments: Sequence[str]) -> None:
        """Segments that are text already, without terminators and without empty elements at their end."""
        waiting = self._waiting
        waiting += segments
        self.segments += len(segments)
        if len(waiting) >= _WAITING:
            self._flush()

    def _flush(self) -> None:
        waiting = self._waiting
        if waiting:
            waiting.append("")
            self._file.write(f"{TERMINATOR}\n".join(waiting).encode())
            waiting.clear()

    def mark(self) -> tuple[int, int]:
        """This place, to come back to: bytes and segments written."""
        self._flush()
        return self._file.tell(), self.segments

    def cut_back(self, mark: tuple[int, int]) -> None:
        """Forget what was written after the mark."""
        self._waiting.clear()  # a mark never stands behind what waits
        offset, self.segments = mark
        self._file.seek(offset)
        self._file.truncate()

    def pour(self, into: Spool) -> None:
        """Move everything to the end of another spool; this one is empty after."""
        self._flush()
        into._flush()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            into._file.write(piece)
        into.segments += self.segments
        self.cut_back((0, 0))

    def read(self) -> IO[bytes] | None:
        """The bytes from the start, None where nothing was written."""
        if not self.segments:
            self.close()
            return None
        self._flush()
        self._file.seek(0)
        return self._file

    def close(self) -> None:
        self._file.close()


@dataclass(slots=True)
class Room:
    """How many more errors of an input are answered one by one."""

    left: int

    def take(self, count: int = 1) -> bool:
        """Take the places of so many; False where there is not room for all of them."""
        self.left -= count
        return self.left >= 0


class Numbers:
    """Control numbers of the answers to one input: unique within it, and the same again in every run.

    They count up from a checksum of the first interchange's addresses and control number and the date
    of receipt, so that answers to different inputs hardly ever meet.
    """

    def __init__(self, first: Interchange, received: int) -> None:
        key = "|".join([*(first.value(i) for i in (5, 6, 7, 8, 9, 10, 13)), str(received)])
        self._start = zlib.crc32(key.encode("utf-8", "replace"))
        self._drawn = 0

    def draw(self) -> int:
        """The next number, 1 to 999,999,999."""
        self._drawn += 1
        return (self._start + self._drawn) % 999_999_999 + 1


def write_header(out: Spool, answered: Interchange, number: int, day: Day) -> None:
    """ISA, back to the sender of the interchange that is answered."""
    qualifiers = [clean(answered.value(i), 2).ljust(2) if answered.value(i) else "ZZ" for i in (5, 7)]
    addresses = [clean(answered.value(i), 15).ljust(15) for i in (6, 8)]
    usage = answered.value(15)
    out.write(
        *("ISA", "00", " " * 10, "00", " " * 10),
        *(qualifiers[1], addresses[1], qualifiers[0], addresses[0]),
        *(day.date[2:], day.time, REPETITION, "00501", f"{number:09d}", "0"),
        *(usage if usage in ("P", "T", "I") and len(usage) == 1 else "P", COMPONENT),
    )


def write_trailer(out: Spool, groups: int, number: int) -> None:
    out.write("IEA", str(groups), f"{number:09d}")


def write_group_header(
    out: Spool, kind: str, group: tuple[str, str], number: int, day: Day, version: str
) -> None:
    """GS; `group` holds the addresses to write in GS02 and GS03."""
    out.write("GS", kind, *group, day.date, day.time, str(number), "X", version)
