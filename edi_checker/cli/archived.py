"""What the archive of a drop folder keeps of a file: its input, its answers, each held to its hash."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edi_checker.cli.refusal import Refusal
from edi_checker.files.output import flush_folder
from edi_checker.watch.places import STAGE, Places, archive_name, make_folder, remove_folder, share

if TYPE_CHECKING:
    from edi_checker.state import Details, File, Output

_CHUNK = 1 << 20


def find_input(archive: Path, file: File) -> Path:
    """The input as it was checked. Refused where it is gone or changed."""
    path = _find(archive, file)
    if file.sha256 is not None and _digest(path) != file.sha256:
        raise Refusal(f"{path}: not the file that was checked: it has another SHA-256")
    return path


def find_answer(archive: Path, file: File, answer: Output) -> Path:
    """A file of the answer. Refused where it is gone or changed."""
    path = _find(archive, file).with_name(archive_name(file.id, answer.name))
    _hold(path, answer, _digest(path))
    return path


def resend(details: Details, archive: Path, out: Path, *, with_id: bool) -> list[Path]:
    """Put the answers of a file into `out` again; where. All of them, or none; none over another file."""
    file = details.file
    places = Places(archive, out, archive)
    folder = places.outgoing(file.partner)
    names = [archive_name(file.id, each.name) if with_id else each.name for each in details.outputs]
    targets = [folder / name for name in names]
    for target in targets:
        _refuse_present(target)
    try:
        make_folder(folder, out)
        make_folder(archive / STAGE, archive)
        stage = Path(tempfile.mkdtemp(prefix=f"resend-{file.id}-", dir=archive / STAGE))
        try:
            copies = [_copy(archive, file, each, stage / str(at)) for at, each in enumerate(details.outputs)]
            for copy in copies:
                share(copy, folder)
            _publish(copies, targets)
        finally:
            remove_folder(stage)
        flush_folder(folder)
    except OSError as error:
        raise Refusal(f"{error.filename2 or error.filename}: {error.strerror}") from None
    return targets


def _publish(copies: Sequence[Path], targets: Sequence[Path]) -> None:
    """A link, for a rename would go over what came there meanwhile. Raises OSError."""
    done: list[Path] = []
    try:
        for copy, target in zip(copies, targets, strict=True):
            try:
                os.link(copy, target)
            except FileExistsError:
                _refuse_present(target)
                raise
            done.append(target)
    except BaseException:
        for target in done:
            with contextlib.suppress(OSError):
                target.unlink()
        raise


def _refuse_present(target: Path) -> None:
    if os.path.lexists(target):
        raise Refusal(f"{target}: a file of this name is there; --with-id sends the answer under another")


def _copy(archive: Path, file: File, answer: Output, target: Path) -> Path:
    """A copy, so that whoever changes what was sent does not change the archive. Raises OSError."""
    source = _find(archive, file).with_name(archive_name(file.id, answer.name))
    digest = hashlib.sha256()
    with target.open("xb") as out:
        target.chmod(0o600)
        for piece in _pieces(source):
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    _hold(source, answer, digest.hexdigest())
    return target


def _hold(path: Path, answer: Output, found: str) -> None:
    if found != answer.sha256:
        raise Refusal(f"{path}: not the answer that was given: it has another SHA-256")


def _find(archive: Path, file: File) -> Path:
    """Its input, beside which its answers lie."""
    found = Places(archive, archive, archive).find_archived(file.id, file.partner, file.name, file.sha256)
    if found is None:
        raise Refusal(f"file {file.id} is not in the archive {archive}")
    return found


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_CHUNK):
                yield piece
    except FileNotFoundError:
        raise Refusal(f"{path}: not in the archive any more") from None
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
