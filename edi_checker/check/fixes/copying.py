"""The copy of an input by which it is repaired: it does not change while it is read more than once."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO

from edi_checker.files.inputs import Input, Unreadable
from edi_checker.x12.blocks import CHUNK, read_blocks


def copy_input(source: Input, copy: IO[bytes], look: Callable[[], None], *, unpack: bool = False) -> None:
    """Copy the input, one that is packed only with `unpack`; `look` is called for each chunk.

    Raises Unreadable, NotX12.
    """
    with source.open() as reading:
        if reading.packed and not unpack:
            raise Unreadable("it is an archive: unpack it, fix takes one file as it is sent")
        data = reading.read(CHUNK)
        # What is no interchange is not copied first: a device can give bytes without end.
        next(read_blocks(io.BytesIO(data)), None)
        while data:
            copy.write(data)
            look()
            data = reading.read(CHUNK)
