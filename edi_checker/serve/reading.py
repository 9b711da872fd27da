"""The body of a request, read into files without a name: bounded in size, and in how slow it may come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, cast

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from edi_checker.serve.crew import MOST_FILES
from edi_checker.serve.media import CONTENT, FORM, LONGEST_BEGINNING, URLENCODED, is_file, name_of
from edi_checker.serve.problem import Problem

_PATIENCE = 30.0  # seconds that any body may take
_SLOWEST = 8 << 10  # bytes a second, of one that takes longer
_MOST_FIELDS = 20
_MOST_PASTED = 2 << 20  # bytes of all texts of a form, which are held in memory
_LONGEST_NAME = 200  # characters of the name of a file
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Form:
    """What a form says, and its files, each with the name of its field and its own."""

    said: dict[str, str]
    files: list[tuple[str, str, IO[bytes]]]

    def close(self) -> None:
        for _, _, file in self.files:
            file.close()


async def read_content(request: Request, most: int) -> IO[bytes]:
    """The body as it is, at most so many bytes. Raises Problem."""
    media = name_of(request.headers.get("content-type", ""))
    # curl calls everything a form unless it is told otherwise: then the beginning decides.
    if media and media != URLENCODED and media not in CONTENT:
        raise _wrong_type()
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip"):
        raise Problem(415, "the content encoding is gzip, or none", {"accept-encoding": "gzip"})
    file = TemporaryFile()  # noqa: SIM115  # the caller closes it
    try:
        async for chunk in _chunks(request, most):
            file.write(chunk)
        file.seek(0)
        _refuse_what_it_is_not(file.read(LONGEST_BEGINNING), media, packed)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _refuse_what_it_is_not(beginning: bytes, media: str, packed: str) -> None:
    if media == URLENCODED and not is_file(beginning):
        raise _wrong_type()
    if packed == "gzip" and not beginning.startswith(_GZIP):
        raise Problem(400, "the body is not gzip, as its content encoding says")


def _wrong_type() -> Problem:
    types = ", ".join(CONTENT)
    said = f"the body must be the file itself (curl --data-binary @FILE), no form; its type is one of {types}"
    return Problem(415, said, {"accept": types})


async def read_form(request: Request, most: int) -> Form:
    """The fields of a form of a page. Raises Problem."""
    if name_of(request.headers.get("content-type", "")) != FORM:
        raise Problem(415, f"a form is sent as {FORM}")
    parser = _Parser(
        request.headers,
        _chunks(request, most),
        max_files=MOST_FILES - 2,
        max_fields=_MOST_FIELDS,
        max_part_size=_MOST_PASTED,
    )
    try:
        fields = await parser.parse()
    except MultiPartException as error:
        raise Problem(400, f"the form cannot be read: {error.message.lower().rstrip('.')}") from None
    form = Form({}, [])
    for name, value in fields.multi_items():
        if not isinstance(value, UploadFile):
            form.said[name] = value
        elif value.size:
            form.files.append((name, _last_part(value.filename or ""), cast(IO[bytes], value.file)))
        else:
            value.file.close()  # no file was chosen
    return form


def spool(text: str) -> IO[bytes]:
    """A text that was pasted, as a file."""
    file = TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(text.encode("utf-8", "replace"))
    file.seek(0)
    return file


def _last_part(path: str) -> str:
    """The name of a file without the folders that some browsers send along."""
    return path.replace("\\", "/").rpartition("/")[2][-_LONGEST_NAME:] or "claims.837"


class _Parser(MultiPartParser):
    """Writes files to the disk at once, and bounds what all other fields hold together."""

    spool_max_size = 1
    _in_memory = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._current_part.file is None:
            self._in_memory += end - start
            if self._in_memory > _MOST_PASTED:
                raise Problem(413, f"a pasted text has at most {_MOST_PASTED:,} bytes; send a file")
        super().on_part_data(data, start, end)


async def _chunks(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes. Raises Problem."""
    said = request.headers.get("content-length", "")
    if said.isascii() and said.isdigit() and int(said) > most:
        raise _too_large(most)
    began, count = asyncio.get_running_loop().time(), 0
    async with contextlib.aclosing(request.stream()) as stream:
        while True:
            try:
                async with asyncio.timeout_at(began + _PATIENCE + count / _SLOWEST):
                    chunk = await anext(stream, None)
            except TimeoutError:
                raise Problem(408, "the body came too slowly") from None
            if chunk is None:
                return
            count += len(chunk)
            if count > most:
                raise _too_large(most)
            yield chunk


def _too_large(most: int) -> Problem:
    return Problem(413, f"the body has more than {most:,} bytes (--max-body)")
