"""On which line of its file a segment stands, where the file has each segment on a line of its own."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

_LONGEST = 1 << 20  # bytes of a line


class FileLines:
    """The lines of a file as it lies on the disk; it is read when a line is first asked for.

    Whoever wraps, indents or packs the segments in another way has no lines that anybody could look up: then
    every segment is on line 1. So is it in what is no plain file: standard input, a member of an archive.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._one_each: bool | None = None

    def line(self, ordinal: int | None) -> int:
        """The line, from 1, of the segment with this count in the file; 1 where that is not known."""
        if ordinal is None:
            return 1
        if self._one_each is None:
            self._one_each = _has_one_each(Path(self._path))
        return ordinal if self._one_each else 1


def _has_one_each(path: Path) -> bool:
    try:
        if not path.is_file():  # a pipe would not end
            return False
        with path.open("rb") as file:
            return _is_segment_a_line(file)
    except (OSError, ValueError):
        return False


def _is_segment_a_line(file: BinaryIO) -> bool:
    """Whether every line is one whole segment; blank lines may follow the last."""
    first = file.readline(_LONGEST).removeprefix(codecs.BOM_UTF8).rstrip(b"\r\n")
    if not first.startswith(b"ISA") or len(first) < 6:
        return False
    # Where ISA16 ends the line, the line break is the terminator.
    end = b"" if first[-2:-1] == first[3:4] else first[-1:]
    if end and first.count(end) != 1:
        return False
    ended = False
    while line := file.readline(_LONGEST):
        text = line.rstrip(b"\r\n")
        if not text.strip():
            ended = True
        elif ended or not _is_whole(text, end) or len(line) == _LONGEST:
            return False
    return True


def _is_whole(text: bytes, end: bytes) -> bool:
    """Whether a line is a segment with its terminator, "" for the line break itself."""
    return not end or (len(text) > 1 and text.endswith(end) and text.count(end) == 1)
