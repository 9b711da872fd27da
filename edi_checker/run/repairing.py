"""One input with its faults of form repaired, from a copy that does not change while it is read again."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import IO

from edi_checker.check.checker import Checker
from edi_checker.check.fixes import CannotFix, Fixed, fix
from edi_checker.files.inputs import Input, Unreadable
from edi_checker.x12.blocks import CHUNK, NotX12, read_blocks


def repair_input(
    checker: Checker,
    source: Input,
    copy: IO[bytes],
    look: Callable[[], None],
    *,
    unsafe: bool,
    unpack: bool = False,
) -> Fixed:
    """Copy the input, one that is packed only with `unpack`, and repair the copy; `look` is called often.

    Raises CannotFix, and what `look` raises.
    """
    try:
        _copy_input(source, copy, look, unpack=unpack)
        return fix(checker, copy, unsafe=unsafe, look=look)
    except (NotX12, Unreadable) as error:
        raise CannotFix(str(error)) from None


def _copy_input(source: Input, copy: IO[bytes], look: Callable[[], None], *, unpack: bool) -> None:
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
