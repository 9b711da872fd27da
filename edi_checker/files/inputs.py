"""What is named on the command line as inputs to open: files, folders, archives, standard input."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_bytes
from types import TracebackType
from typing import IO, BinaryIO, Self, cast

from edi_checker.files.names import escape

STDIN = "-"
MINUTES = ".minutes.csv"  # NAME.minutes.csv belongs to NAME.ext and is no input by itself
MAX_MEMBERS = 10_000
MAX_DIRECTORY = 1 << 24  # bytes of a zip's central directory, which zipfile reads whole
_LOCAL_HEADER = 30  # bytes before each file of a zip, and its name and more behind them
MAX_DRAIN = 1 << 26  # bytes read on for the digest after the reader gave up
_CHUNK = 1 << 20

# No text of claims shrinks so far; what does is made to fill a disk or a day.
_BOMB_RATIO = 500
_BOMB_FLOOR = 1 << 28

_LONGEST_NAME = 100  # characters of the name of outputs before their ending
_DIGEST = 12  # of them, where it is cut, of the digest of the whole name
_CLAIMS = (".837", ".837p", ".x12", ".edi", ".clm")
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


class Unreadable(Exception):
    """An input cannot be read; the message says why in words for the user."""


class Reading:
    """One pass over an input: counts and hashes what is read; every fault of the source comes as Unreadable.

    `stream` gives the content; `packed`, where given, is the file below it, whose position is the progress.
    `bound` is the number of bytes after which an archive is taken for a bomb.
    """

    def __init__(self, stream: BinaryIO, packed: BinaryIO | None = None, bound: int | None = None) -> None:
        self._stream = stream
        # What a pipe has so far is taken, and not waited for until a chunk is full.
        self._take = stream.read1 if isinstance(stream, io.BufferedReader) else stream.read
        self._packed = packed
        self._bound = bound
        self._digest = hashlib.sha256()
        self._count = 0
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, at most one chunk; b"" at the end."""
        if size < 0 or size > _CHUNK:
            size = _CHUNK
        with _faults():
            data = self._take(size)
        if not data and size:
            self._ended = True
        self._digest.update(data)
        self._count += len(data)
        if self._bound is not None and self._count > self._bound:
            raise Unreadable(f"the archive unpacks to more than {self._bound:,} bytes")
        return data

    def position(self) -> int:
        """Bytes done, in the measure of `Input.size`."""
        packed = self._packed
        return packed.tell() if packed is not None and packed.seekable() else self._count

    @property
    def packed(self) -> bool:
        """Whether what is read is unpacked on the way."""
        return self._packed is not None

    def digest(self) -> str | None:
        """SHA-256 of the content (unpacked, for an archive), None where its end was not reached.

        Where the reader stopped early, the rest is read up to a bound.
        """
        last = self._count + MAX_DRAIN
        try:
            while not self._ended and self._count < last:
                self.read()
        except Unreadable:
            return None
        return self._digest.hexdigest() if self._ended else None

    def close(self) -> None:
        self._stream.close()
        if self._packed is not None:
            self._packed.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Input:
    """One input to check.

    path     as it is shown: `claims.837`, `batch.zip!claims.837`, `-`
    name     stem for the names of output files; safe in any folder, but not unique among inputs
    file     the file on disk that holds it, None for standard input
    size     bytes to be read, in the measure of `Reading.position`; None where not known before reading
    minutes  `NAME.minutes.csv` beside the file, None where there is none
    start    opens the source, in any process that sees the file; `open` is the way to call it
    reason   why it cannot be read, "" where it can be tried
    found    whether it was found in a folder, not named: there, what is no claim file is passed over
    other    whether `reason` is that it is known for something else than a claim file
    """

    path: str
    name: str
    file: Path | None
    size: int | None
    minutes: Path | None
    start: Callable[[], Reading]
    reason: str = ""
    found: bool = False
    other: bool = False

    @property
    def named_as_claims(self) -> bool:
        """Whether its name says that it holds claims."""
        return self.path.lower().removesuffix(".gz").endswith(_CLAIMS)

    def open(self) -> Reading:
        """Open for one pass from begin to end; raises Unreadable."""
        if self.reason:
            raise Unreadable(self.reason)
        with _faults():
            return self.start()


def find_inputs(paths: Iterable[str], unpacked: int | None = None) -> Iterator[Input]:
    """The inputs that the paths stand for, in order; a folder's files sorted by name, hidden ones left out.

    `unpacked` is the number of bytes to which an archive may unpack, all its files together, None to go by
    its size.
    A path that cannot be read gives an input with a reason; nothing is raised.
    """
    for path in paths:
        if path == STDIN:
            yield Input(STDIN, "stdin", None, None, None, partial(_open_stdin, unpacked))
            continue
        if not path:
            # Path("") is the current folder; a variable that is not set must not mean all files in it.
            yield replace(_refused(Path(), "the name of the file is empty"), path="")
            continue
        file = Path(path)
        try:
            mode = file.stat().st_mode
            if stat.S_ISDIR(mode):
                yield from (replace(each, found=True) for each in _folder(file, unpacked))
            else:
                yield from _file(file, stat.S_ISREG(mode), unpacked)
        except OSError as error:
            yield _refused(file, _why(error))
        except ValueError:
            yield _refused(file, "the name of the file cannot be used")


def name_outputs(inputs: Iterable[Input]) -> list[str]:
    """A name for the outputs of each input, in order: its own, or `NAME-2` where that is taken already."""
    taken: set[str] = set()
    names = []
    for each in inputs:
        name, count = each.name, 1
        # Some file systems treat `A` and `a` as the same.
        while name.casefold() in taken:
            count += 1
            name = f"{each.name}-{count}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _folder(folder: Path, unpacked: int | None) -> Iterator[Input]:
    found = False
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.name.endswith(MINUTES) or file.is_dir():
            continue
        found = True
        try:
            if file.is_file():
                yield from _file(file, True, unpacked)
            else:
                # Opening a pipe or a device that was not named could wait without end.
                yield _refused(file, "not a regular file")
        except OSError as error:
            yield _refused(file, _why(error))
    if not found:
        yield _refused(folder, "the folder holds no files")


def _file(file: Path, is_regular: bool, unpacked: int | None) -> Iterator[Input]:
    size = None
    if is_regular:
        with file.open("rb") as stream:
            archive = stream.read(4) in _ZIP
            size = stream.seek(0, os.SEEK_END)
        if archive:
            yield from _archive(file, unpacked)
            return
    minutes = file.with_name(minutes_name(file.name))
    there = os.path.lexists(minutes)  # never with a name that is too long for one
    # To open a pipe could wait without end.
    regular = there and minutes.is_file()
    yield Input(
        path=readable(str(file)),
        name=_safe(_stem(file.name)),
        file=file,
        size=size,
        minutes=minutes if regular else None,
        start=partial(_open_file, file, size, unpacked),
        reason="its minutes file is not a regular file" if there and not regular else "",
    )


# The archive that was opened last, with what stands for it.
_last: list[tuple[tuple[Path, bytes, int], zipfile.ZipFile]] = []


def _reopen(file: Path, listing: bytes) -> zipfile.ZipFile:
    """The archive with its list of files, which is read once however many of them are opened in turn.

    `listing` stands for the archive as it was found, in any process. Processes that shared one descriptor
    would move each other's place in the file: each opens its own.
    """
    key = file, listing, os.getpid()
    if not _last or _last[0][0] != key:
        archive = zipfile.ZipFile(file)
        # Closed and not only let go: an error may still hold it.
        for _, before in _last:
            before.close()
        _last[:] = [(key, archive)]
    return _last[0][1]


def _archive(file: Path, unpacked: int | None) -> Iterator[Input]:
    try:
        if _directory_size(file) > MAX_DIRECTORY:
            yield _refused(file, "the archive lists too many files")
            return
        with zipfile.ZipFile(file) as archive:
            office = _name_office(archive)
            files = [m for m in archive.infolist() if not m.filename.endswith("/")]
            members = [m for m in files if not _hidden(m.filename)]
    except (*_DAMAGE, *_METHOD):
        yield _refused(file, "the archive is damaged")
        return
    if office:
        reason = f"the input is {office}, not X12 text; export the claims as an 837P file"
        yield replace(_refused(file, reason), other=True)
        return
    most = unpacked or _bound(file.stat().st_size)
    if _overlap(files):
        yield _refused(file, "files in the archive overlap")
        return
    # More than is listed here of a file is not unpacked.
    if sum(member.file_size for member in members) > most:
        yield _refused(file, f"the archive unpacks to more than {most:,} bytes")
        return
    if len(members) > MAX_MEMBERS:
        yield _refused(file, f"the archive holds more than {MAX_MEMBERS:,} files")
        return
    if not members:
        yield _refused(file, "the archive holds no files")
    listing = token_bytes(8)
    for member in members:
        yield _member(file, listing, member)


def _overlap(members: Iterable[zipfile.ZipInfo]) -> bool:
    """Whether two files of an archive share bytes, by which a small one could unpack to any size."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            return True
        end = member.header_offset + _LOCAL_HEADER + member.compress_size
    return False


# What a zip archive is of which a member has a name that begins so, or that says so in its member `mimetype`.
_OFFICE = (
    ("xl/", "a spreadsheet (xlsx)"),
    ("word/", "a Word document (docx)"),
    ("ppt/", "a presentation (pptx)"),
)
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


def _name_office(archive: zipfile.ZipFile) -> str:
    """What document the archive is, "" where it is none."""
    names = archive.namelist()
    if "[Content_Types].xml" in names:
        found = (kind for start, kind in _OFFICE if any(name.startswith(start) for name in names))
        return next(found, "an Office document")
    if names[:1] == ["mimetype"] and archive.infolist()[0].file_size < len(_OPEN_DOCUMENT) + 50:
        kind = archive.read("mimetype").decode("ascii", "replace")
        if kind.startswith(_OPEN_DOCUMENT):
            return "a spreadsheet (ods)" if "spreadsheet" in kind else "an OpenDocument document"
    return ""


def _member(file: Path, listing: bytes, member: zipfile.ZipInfo) -> Input:
    reason = ""
    if member.flag_bits & 0x1:
        reason = "encrypted in the archive"
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # Those of the other methods unpack without a bound: some bytes of them can fill the memory.
        reason = "the archive uses a method that is not read; pack it again with the usual one (deflate)"
    elif member.filename.endswith(MINUTES):
        reason = "a minutes file inside an archive is not read; name it with --minutes"

    return Input(
        path=readable(f"{file}!{member.filename}"),
        name=_safe(_stem(re.split(r"[/\\]", member.filename)[-1])),
        file=file,
        size=member.file_size,
        minutes=None,
        start=partial(_open_member, file, listing, member),
        reason=reason,
    )


def _open_member(file: Path, listing: bytes, member: zipfile.ZipInfo) -> Reading:
    stream = cast(zipfile.ZipExtFile, _reopen(file, listing).open(member))
    try:
        head = stream.peek(4)[:4]
    except BaseException:
        stream.close()
        raise
    if head[:2] == _GZIP or head in _ZIP:
        stream.close()
        raise Unreadable("an archive inside an archive is not read")
    return Reading(cast(BinaryIO, stream))


def _directory_size(file: Path) -> int:
    """Bytes of the central directory as the archive's end record gives them."""
    with file.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, end - 65_557))  # the end record with the longest comment
        tail = stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise zipfile.BadZipFile
    size: int = struct.unpack_from("<L", tail, at + 12)[0]
    return size


def _open_file(file: Path, size: int | None, unpacked: int | None) -> Reading:
    return _unpack(file.open("rb"), size, unpacked)


def _open_stdin(unpacked: int | None) -> Reading:
    if sys.stdin is None:
        raise Unreadable("there is no standard input")
    # A copy of the descriptor, so that closing the reading leaves the process its standard input.
    return _unpack(os.fdopen(os.dup(sys.stdin.fileno()), "rb"), None, unpacked)


def _unpack(stream: io.BufferedReader, size: int | None, most: int | None) -> Reading:
    """The stream itself, or what is inside where it is gzip, whatever its name says."""
    try:
        head = stream.peek(4)[:4]
    except BaseException:
        stream.close()
        raise
    if head in _ZIP:
        stream.close()
        raise Unreadable("a zip archive must be named as a file")
    if head[:2] != _GZIP:
        return Reading(stream)
    unpacked = cast(BinaryIO, gzip.GzipFile(fileobj=stream))
    return Reading(unpacked, stream, most or (_bound(size) if size is not None else None))


def take_stream(stream: io.RawIOBase, size: int | None, unpacked: int | None = None) -> Input:
    """A stream as an input that can be opened once, with the name of standard input.

    `size` is its length in bytes where it is known; `unpacked` as of find_inputs.
    """
    return Input(STDIN, "stdin", None, size, None, lambda: _unpack(io.BufferedReader(stream), size, unpacked))


@contextlib.contextmanager
def inputs_in(stream: IO[bytes], name: str, unpacked: int | None = None) -> Iterator[list[Input]]:
    """The inputs in an open file, until the block ends; `name` is shown in place of the path that it lacks.

    `unpacked` as of find_inputs. Works where an open file has a path (/dev/fd).
    """
    file = Path(f"/dev/fd/{stream.fileno()}")
    shown = readable(name)
    try:
        found = list(_file(file, True, unpacked))
    except OSError as error:
        found = [_refused(file, _why(error))]
    try:
        yield [_renamed(each, str(file), shown) for each in found]
    finally:
        # An archive that stays open stays on the disk.
        for _, archive in _last:
            archive.close()
        _last.clear()


def _renamed(each: Input, path: str, shown: str) -> Input:
    """The input with the name that is shown in place of its path."""
    path_shown = shown + each.path.removeprefix(path)
    is_member = path_shown != shown
    stem = each.name if is_member else _safe(_stem(re.split(r"[/\\]", shown)[-1]))
    return replace(each, path=path_shown, name=stem, file=None)


def _bound(packed: int) -> int:
    return max(_BOMB_FLOOR, _BOMB_RATIO * packed)


_DAMAGE = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, struct.error, UnicodeError, ValueError)
_METHOD = (NotImplementedError, RuntimeError)


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turn what the standard library raises on a bad source into Unreadable."""
    try:
        yield
    except EOFError as error:
        raise Unreadable("the archive ends too early") from error
    except _METHOD as error:
        raise Unreadable("the archive uses a method that cannot be read") from error
    except _DAMAGE as error:
        raise Unreadable("the archive is damaged") from error
    except OSError as error:
        raise Unreadable(_why(error)) from error


def _refused(file: Path, reason: str) -> Input:
    start = partial(_refuse, reason)
    return Input(readable(str(file)), _safe(_stem(file.name)), file, None, None, start, reason)


def _refuse(reason: str) -> Reading:
    raise Unreadable(reason)


def _why(error: OSError) -> str:
    # strerror alone: the file's name stands in the report already.
    return (error.strerror or "it cannot be read").lower()


def minutes_name(name: str) -> str:
    """The name of the minutes file that belongs to an input of this name."""
    return _stem(name) + MINUTES


def _stem(name: str) -> str:
    """`claims` of `claims.837` and of `claims.837.gz`."""
    if name.lower().endswith((".gz", ".zip")):
        name = name.rpartition(".")[0]
    return name.rpartition(".")[0] or name


def _hidden(name: str) -> bool:
    parts = re.split(r"[/\\]", name)
    return parts[-1].startswith(".") or parts[0] == "__MACOSX"


def _safe(name: str) -> str:
    """The name without what some file system or shell would take amiss; a long one ends with its digest."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name).lstrip(".-") or "input"
    if len(safe) <= _LONGEST_NAME:
        return safe
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST]
    return f"{safe[: _LONGEST_NAME - _DIGEST - 1]}-{digest}"


def readable(name: str) -> str:
    """The name as text; undecodable bytes, controls and marks of direction become escapes."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace") if os.sep == "/" else name
    return escape(text)
