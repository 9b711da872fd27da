"""Inputs put away in the archive, and what was left between two steps when a watcher was killed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from edi_checker import state
from edi_checker.files.names import escape
from edi_checker.files.output import flush_folder, write_whole
from edi_checker.state import State, StateError
from edi_checker.state.ledger import Ledger
from edi_checker.watch.places import (
    FAILED,
    MARK,
    Places,
    archive_name,
    from_text,
    make_folder,
    move,
    name_in,
    owner_of,
    remove_empty,
    remove_folder,
)


def file_away(places: Places, mine: state.File, kind: str, reason: str = "") -> None:
    """Step 8: move an input, with what belongs to it, into the archive, and take away what it was done with.

    Raises OSError.
    """
    work = places.work(mine.id, mine.partner)
    when = datetime.fromtimestamp(mine.answered_at or mine.finished_at or 0)  # noqa: DTZ006  # the office's day
    kept = places.archived(kind, when, mine.partner)
    left = sorted(work.iterdir()) if work.is_dir() else []
    if left:
        make_folder(kept, places.archive)
        if reason:
            with write_whole(kept / f"{archive_name(mine.id, from_text(mine.name))}.reason.txt") as out:
                out.write(f"{escape(reason)}\n".encode())
        for path in left:
            with contextlib.suppress(FileNotFoundError):  # another owner has moved it
                move(path, name_in(kept, mine.id, path))
    elif kept.is_dir():
        flush_folder(kept)  # who moved it all may have been killed before it would last
    for stage in places.stages(mine.id):
        remove_folder(stage)
    remove_empty(work)


def belong_together(places: Places, ledger: Ledger) -> None:
    """Hold the archive against the ledger, which know each other from the first start on.

    With the archive of another ledger ids would come twice; with an empty folder in place of a volume, what
    is at work would be nowhere. Raises StateError and OSError.
    """
    known, there = ledger.archive(), places.mark()
    is_new = not ledger.list_files(limit=1)
    if known is None:
        if is_new and places.is_used():
            raise StateError(
                f"{places.archive}: it has files of another ledger, whose numbers this new one would give "
                "again; use that ledger, or an archive that is empty"
            )
        known = ledger.adopt_archive(there or secrets.token_hex(16))
        is_new = True
    if not there and is_new:
        places.write_mark(known)
    elif there != known:
        raise StateError(
            f"{places.archive}: not the archive of this ledger. Is its volume mounted? An archive moves as a "
            f"whole, with the file {MARK} in it, which says {known}"
        )


def tidy(places: Places, ledger: Ledger) -> list[str]:
    """Put away what was left between two steps when a watcher was killed; gives what needs a person.

    Raises OSError, StateError.
    """
    said: list[str] = []
    for work in places.works():
        file_id, partner = owner_of(work)
        details = ledger.show(file_id)
        if details is None:
            # A ledger that was restored from a backup does not know it: it comes in again.
            said += _bring_back(places, work, partner)
        elif details.file.state in (State.FAILED, State.VANISHED):
            file_away(places, details.file, FAILED, details.file.reason or "its file vanished from the inbox")
        elif details.file.state in (State.DONE, State.DUPLICATE):
            kind = json.loads(details.record or "{}").get("kind", FAILED)
            file_away(places, details.file, kind)
    for stage in places.stages():
        details = ledger.show(owner_of(stage)[0])
        if details is None or details.file.state not in (State.CLAIMED, State.ANSWERED):
            remove_folder(stage)
    return said


def _bring_back(places: Places, work: Path, named: str) -> Iterator[str]:
    partner = places.find_partner(named)
    if partner is None:
        yield f"{work.name}: the ledger does not know it, and the inbox has no folder of its partner"
        return
    for path in sorted(work.iterdir()):
        target = places.incoming(partner, "x").with_name(path.name)
        make_folder(target.parent, places.inbox)
        if os.path.lexists(target):
            yield f"{work.name}: the ledger does not know it, and the inbox has a file of its name"
            return
        move(path, target)
    remove_empty(work)
