"""Rows of .xlsx workbooks, read as a stream: no formulas, no entities, and a bound for everything."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

MAX_COLUMNS = 256  # cells further right are left out
MAX_STRINGS = 1 << 26  # characters of shared strings
_CHUNK = 1 << 18
# A sheet of repeated codes shrinks well; what shrinks further is made to fill a disk or a day.
_BOMB_RATIO = 200
_BOMB_FLOOR = 1 << 28

Row = tuple[int, list[str]]


class BadWorkbook(Exception):
    """A workbook cannot be read; the message says why."""


def read_sheets(
    stream: BinaryIO, watch: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[str, Iterator[Row]]]:
    """Name and rows of each sheet: the row's number and its cells as text, gaps as "".

    Whole numbers come without a point (`20260701`), however the workbook keeps them. The rows of a sheet
    must be taken before the next sheet is asked for. `watch` is told the bytes of the workbook done so far.
    Raises BadWorkbook, also while rows are taken.
    """
    try:
        with zipfile.ZipFile(stream) as book:
            sheets = [
                each
                for each in book.infolist()
                if each.filename.startswith("xl/worksheets/") and each.filename.endswith(".xml")
            ]
            if not sheets:
                raise BadWorkbook("the workbook holds no sheet")
            strings = _read_strings(book)
            for each in sorted(sheets, key=lambda sheet: (len(sheet.filename), sheet.filename)):
                yield each.filename.rpartition("/")[2], _read_rows(book, each, strings, watch)
    except (
        zipfile.BadZipFile,
        EOFError,
        zlib.error,
        OSError,
        NotImplementedError,
        RuntimeError,
        UnicodeError,
    ):
        raise BadWorkbook("the workbook is damaged") from None


def _pieces(book: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    if member.flag_bits & 1:
        raise BadWorkbook("the workbook is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The other methods unpack a piece whole, whatever size is asked for.
        raise BadWorkbook("the workbook is packed by a method that is not read")
    bound = max(_BOMB_FLOOR, member.compress_size * _BOMB_RATIO)
    done = 0
    try:
        with book.open(member) as stream:
            while piece := stream.read(_CHUNK):
                done += len(piece)
                if done > bound:
                    raise BadWorkbook(f"the workbook unpacks to more than {_BOMB_RATIO} times its size")
                yield piece
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError, NotImplementedError, RuntimeError):
        raise BadWorkbook("the workbook is damaged") from None


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise BadWorkbook("the workbook declares a document type, which none that CMS publishes does")

    # Without a document type there are no entities, and so none that grow.
    parser.StartDoctypeDeclHandler = refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    return parser


def _feed(parser: expat.XMLParserType, piece: bytes, last: bool) -> None:
    try:
        parser.Parse(piece, last)
    except expat.ExpatError as error:
        raise BadWorkbook(f"the workbook is damaged: {expat.errors.messages[error.code]}") from None


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _Strings:
    """Collects the shared strings of a workbook."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._parts: list[str] = []
        self._in_text = False
        self._in_phonetic = False
        self._size = 0

    def start(self, name: str, _: dict[str, str]) -> None:
        match _local(name):
            case "si":
                self._parts = []
            case "rPh":
                self._in_phonetic = True
            case "t":
                self._in_text = not self._in_phonetic

    def end(self, name: str) -> None:
        match _local(name):
            case "si":
                text = "".join(self._parts)
                # An entry costs memory even where it is empty.
                self._size += len(text) + 16
                if self._size > MAX_STRINGS:
                    raise BadWorkbook("the workbook holds too much text")
                self.all.append(text)
            case "rPh":
                self._in_phonetic = False
            case "t":
                self._in_text = False

    def text(self, data: str) -> None:
        if self._in_text:
            self._parts.append(data)


def _read_strings(book: zipfile.ZipFile) -> list[str]:
    try:
        member = book.getinfo("xl/sharedStrings.xml")
    except KeyError:
        return []
    strings, parser = _Strings(), _parser()
    parser.StartElementHandler = strings.start
    parser.EndElementHandler = strings.end
    parser.CharacterDataHandler = strings.text
    for piece in _pieces(book, member):
        _feed(parser, piece, False)
    _feed(parser, b"", True)
    return strings.all


class _Rows:
    """Collects the rows of a sheet until they are taken."""

    def __init__(self, strings: list[str]) -> None:
        self.ready: list[Row] = []
        self._strings = strings
        self._number = 0
        self._cells: list[str] = []
        self._column = 0
        self._type = ""
        self._parts: list[str] = []
        self._wanted = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            place = attributes.get("r")
            self._column = _column(place) if place else len(self._cells)
            self._type = attributes.get("t", "n")
            self._parts = []
        elif name in ("v", "t"):
            self._wanted = True
        elif name == "row":
            given = attributes.get("r", "")
            self._number = int(given) if given.isascii() and given.isdigit() else self._number + 1
            self._cells = []
        elif ":" in name:
            self.start(_local(name), attributes)

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._wanted = False
        elif name == "c":
            cells = self._cells
            if self._column >= MAX_COLUMNS:
                return
            while len(cells) < self._column:
                cells.append("")
            if len(cells) == self._column:
                cells.append(self._value())
        elif name == "row":
            self.ready.append((self._number, self._cells))
        elif ":" in name:
            self.end(_local(name))

    def text(self, data: str) -> None:
        if self._wanted:
            self._parts.append(data)

    def _value(self) -> str:
        text = "".join(self._parts)
        if self._type == "s":
            try:
                return self._strings[int(text)] if text else ""
            except (ValueError, IndexError):
                raise BadWorkbook(f"row {self._number}: a text is missing in the workbook") from None
        if self._type == "n" and not text.isdigit():
            return _whole(text)
        return text


def _column(place: str) -> int:
    """Index of the column of a cell: 0 for `A1`, 27 for `AB7`."""
    index = 0
    for letter in place:
        if not "A" <= letter <= "Z":
            break
        index = index * 26 + ord(letter) - 64
        if index > MAX_COLUMNS:
            break
    return max(index, 1) - 1


def _whole(text: str) -> str:
    """A number as people write it: `20260701` for `2.0260701E7`."""
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else text


def _read_rows(
    book: zipfile.ZipFile, member: zipfile.ZipInfo, strings: list[str], watch: Callable[[int], None]
) -> Iterator[Row]:
    rows, parser = _Rows(strings), _parser()
    parser.StartElementHandler = rows.start
    parser.EndElementHandler = rows.end
    parser.CharacterDataHandler = rows.text
    done = 0
    for piece in _pieces(book, member):
        _feed(parser, piece, False)
        if rows.ready:
            yield from rows.ready
            rows.ready = []
        done += len(piece)
        watch(done * member.compress_size // max(member.file_size, 1))
    _feed(parser, b"", True)
    yield from rows.ready
