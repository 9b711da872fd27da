"""The interchange that carries an answer: envelope, control numbers, and values made fit to stand in it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple

from edi_checker.claims.claim import Interchange

ELEMENT, COMPONENT, REPETITION, TERMINATOR = "*", ":", "^", "~"

_IN_MEMORY = 1 << 20  # bytes of an unfinished answer held in memory; what is more goes to a temporary file
_PIECE = 1 << 16
_WAITING = 1_000  # segments
_ALL_WAIT = -1  # in place of bytes, of a place before which nothing is in the file
BEGIN = 0, 0  # the mark before the first segment
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


class Day(NamedTuple):
    """The date (CCYYMMDD) and time (HHMM) at which the answers say they were made."""

    date: str
    time: str


class Spool:
    """Segments on their way into an answer, counted; in memory while few, on disk when many."""

    def __init__(self) -> None:
        # Made when the segments are many: most answers to small files never need it.
        self._file: IO[bytes] | None = None
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

    def _flush(self) -> IO[bytes]:
        """The file, with everything in it."""
        if self._file is None:
            self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by close()
        self._file.write(self._written())
        self._waiting.clear()
        return self._file

    def _written(self) -> bytes:
        """What waits, as it is written."""
        return f"{TERMINATOR}\n".join([*self._waiting, ""]).encode()

    def mark(self) -> tuple[int, int]:
        """This place, to come back to: bytes, _ALL_WAIT while nothing is in the file, and segments."""
        return (_ALL_WAIT if self._file is None else self._flush().tell()), self.segments

    def cut_back(self, mark: tuple[int, int]) -> None:
        """Forget what was written after the mark."""
        offset, self.segments = mark
        if self._file is None:
            del self._waiting[self.segments :]
            return
        self._waiting.clear()  # a mark never stands behind what waits beside a file
        if offset == _ALL_WAIT:
            self._file.seek(0)
            offset = sum(len(self._file.readline()) for _ in range(self.segments))
        self._file.seek(offset)
        self._file.truncate()

    def pour(self, into: Spool) -> None:
        """Move everything to the end of another spool; this one is empty after."""
        if self._file is None:
            into.write_all(self._waiting)
        else:
            own, other = self._flush(), into._flush()
            own.seek(0)
            while piece := own.read(_PIECE):
                other.write(piece)
            into.segments += self.segments
        self.cut_back(BEGIN)

    def read(self, number: Callable[[bytes], bytes]) -> IO[bytes] | None:
        """The bytes from the start, with numbers in place of their marks; None where nothing was written.

        The spool is closed by it.
        """
        if not self.segments:
            self.close()
            return None
        if self._file is None:
            return BytesIO(_with_numbers(self._written(), number))
        file = self._flush()
        file.seek(0)
        answer: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  # closed by who reads it
        try:
            while piece := file.read(_PIECE):
                # A piece ends with its segment, and no mark is cut in two.
                answer.write(_with_numbers(piece + file.readline(), number))
            answer.seek(0)
        except BaseException:
            answer.close()
            raise
        finally:
            self.close()
        return answer

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _with_numbers(written: bytes, number: Callable[[bytes], bytes]) -> bytes:
    texts = written.split(_MARK.encode())
    texts[1::2] = map(number, texts[1::2])
    return b"".join(texts)


@dataclass(slots=True)
class Room:
    """How many more errors of an input are answered one by one."""

    left: int

    def take(self, count: int = 1) -> bool:
        """Take the places of so many; False where there is not room for all of them."""
        self.left -= count
        return self.left >= 0


class Wanted(NamedTuple):
    """So many control numbers of one kind (`ISA`, `GS`) in answers from `sender` to `receiver`."""

    sender: str
    receiver: str
    kind: str
    many: int


# Gives the numbers, 1 to 999,999,999, for each that is wanted.
Draw = Callable[[Sequence[Wanted]], Sequence[Sequence[int]]]


class ControlNumber(NamedTuple):
    """A control number that is not drawn yet: in its place stands a mark that no value can hold."""

    pair: int
    ordinal: int

    @property
    def plain(self) -> str:
        return f"{_MARK}{self.pair}.{self.ordinal}{_MARK}"

    @property
    def padded(self) -> str:
        """With nine digits."""
        return f"{_MARK}{self.pair}.{self.ordinal}.{_MARK}"


_MARK = "\0"  # clean() leaves none


class Numbers:
    """The control numbers of the answers to one input. They are drawn when all of it has passed, so that they
    come from a counter of the partners, or from all that the input holds.

    Partners beyond MOST_PAIRS, of which no file has so many, share counters without names.
    """

    MOST_PAIRS = 10_000

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str, str], int] = {}
        self._counts: list[int] = []

    def want(self, sender: str, receiver: str, kind: str) -> ControlNumber:
        """One more number."""
        if len(self._pairs) >= self.MOST_PAIRS and (sender, receiver, kind) not in self._pairs:
            sender = receiver = ""
        pair = self._pairs.setdefault((sender, receiver, kind), len(self._pairs))
        if pair == len(self._counts):
            self._counts.append(0)
        self._counts[pair] += 1
        return ControlNumber(pair, self._counts[pair] - 1)

    def draw(self, draw: Draw) -> Callable[[bytes], bytes]:
        """Draw them; gives what puts a number in the place of its mark."""
        drawn = draw([Wanted(*pair, self._counts[at]) for pair, at in self._pairs.items()])

        def write(mark: bytes) -> bytes:
            pair, ordinal, *nine = mark.split(b".")
            number = drawn[int(pair)][int(ordinal)]
            return b"%09d" % number if nine else b"%d" % number

        return write


def numbers_of(content: str) -> Draw:
    """Numbers that count up from a checksum of what is answered: the same again in every run, and hardly ever
    those of another input.
    """

    def draw(wanted: Sequence[Wanted]) -> list[list[int]]:
        begin = zlib.crc32(content.encode())
        drawn: list[list[int]] = []
        for each in wanted:
            drawn.append([(begin + ordinal) % _NUMBERS + 1 for ordinal in range(each.many)])
            begin += each.many
        return drawn

    return draw


_NUMBERS = 999_999_999


def partners_of(answered: Interchange) -> tuple[str, str]:
    """Sender and receiver of an answer, each a qualifier and an id as wide as in an ISA."""
    qualifiers = [clean(answered.value(i), 2).ljust(2) if answered.value(i) else "ZZ" for i in (5, 7)]
    addresses = [clean(answered.value(i), 15).ljust(15) for i in (6, 8)]
    return qualifiers[1] + addresses[1], qualifiers[0] + addresses[0]


def write_header(out: Spool, answered: Interchange, number: ControlNumber, day: Day) -> None:
    """ISA, back to the sender of the interchange that is answered."""
    sender, receiver = partners_of(answered)
    usage = answered.value(15)
    out.write(
        *("ISA", "00", " " * 10, "00", " " * 10),
        *(sender[:2], sender[2:], receiver[:2], receiver[2:]),
        *(day.date[2:], day.time, REPETITION, "00501", number.padded, "0"),
        *(usage if usage in ("P", "T", "I") and len(usage) == 1 else "P", COMPONENT),
    )


def write_trailer(out: Spool, groups: int, number: ControlNumber) -> None:
    out.write("IEA", str(groups), number.padded)


def write_group_header(
    out: Spool, kind: str, group: tuple[str, str], number: ControlNumber, day: Day, version: str
) -> None:
    """GS; `group` holds the addresses to write in GS02 and GS03."""
    out.write("GS", kind, *group, day.date, day.time, number.plain, "X", version)
