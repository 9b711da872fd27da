"""pyx12's validator as an oracle: what it says of a text, and seeded mutations of texts to ask it about."""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyx12.error_handler
import pyx12.map_if
import pyx12.params
import pyx12.x12n_document

_load_map_file = pyx12.map_if.load_map_file
logging.getLogger("pyx12").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One complaint of pyx12: segment (count in the input, from 1; 0 at the end), level, code, element."""

    ordinal: int
    level: str
    code: str
    element: str = ""


class _Recorder(pyx12.error_handler.err_handler):
    """Keeps pyx12's complaints in the order in which they come."""

    pending: list[tuple[str, str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.pending = []
        _recorders.append(self)

    def isa_error(self, err_cde: str, err_str: str) -> None:
        self.pending.append(("isa", err_cde, ""))
        super().isa_error(err_cde, err_str)

    def gs_error(self, err_cde: str, err_str: str) -> None:
        self.pending.append(("gs", err_cde, ""))
        super().gs_error(err_cde, err_str)

    def st_error(self, err_cde: str, err_str: str) -> None:
        self.pending.append(("st", err_cde, ""))
        super().st_error(err_cde, err_str)

    def seg_error(
        self, err_cde: str, err_str: str, err_value: Any = None, src_line: int | None = None
    ) -> None:
        self.pending.append(("seg", err_cde, ""))
        super().seg_error(err_cde, err_str, err_value, src_line)

    def ele_error(self, err_cde: str, err_str: str, bad_value: Any, refdes: str | None = None) -> None:
        self.pending.append(("ele", err_cde, refdes or ""))
        super().ele_error(err_cde, err_str, bad_value, refdes)


_recorders: list[_Recorder] = []


@cache
def _cached_map(map_file: str) -> Any:
    return _load_map_file(map_file, pyx12.params.ParamsBase(), None)


def ask(text: str) -> list[Complaint]:
    """What pyx12 complains of; [] where it accepts the text. A crash of pyx12 counts, as level `crash`."""
    complaints: list[Complaint] = []
    _recorders.clear()

    def stamp(_segment: Any, source: Any, _node: Any, _valid: bool) -> None:
        pending = _recorders[0].pending
        complaints.extend(Complaint(source.get_cur_line(), *entry) for entry in pending)
        pending.clear()

    document = pyx12.x12n_document
    kept = pyx12.map_if.load_map_file, pyx12.error_handler.err_handler
    pyx12.map_if.load_map_file = lambda map_file, _param, _path=None: _cached_map(map_file)
    pyx12.error_handler.err_handler = _Recorder  # type: ignore[misc]
    try:
        accepted = document.x12n_document(
            pyx12.params.ParamsBase(), io.StringIO(text), None, None, callback=stamp
        )
    except Exception as crash:  # noqa: BLE001 - pyx12 raises anything on odd input
        return [*complaints, Complaint(0, "crash", type(crash).__name__)]
    finally:
        pyx12.map_if.load_map_file, pyx12.error_handler.err_handler = kept  # type: ignore[misc]
    if _recorders:
        complaints += [Complaint(0, *entry) for entry in _recorders[0].pending]
    if not accepted and not complaints:
        complaints.append(Complaint(0, "crash", "refused without a reason"))
    return complaints


@dataclass(frozen=True, slots=True)
class Mutation:
    """A text made from a clean one by one change; `what` names it, `at` counts segments from 1."""

    what: str
    at: int
    text: str


ENVELOPE = ("ISA", "GS", "ST", "SE", "GE", "IEA")


def mutate(clean: list[str], count: int, seed: int) -> Iterator[Mutation]:
    """`count` texts, each with one change in a segment between ST and SE of one of the `clean` texts.

    The counts of the envelope are made right again, so that the change is all there is to find. Texts have
    the delimiters `*`, `:`, `~`.
    """
    chance = random.Random(seed)
    for _ in range(count):
        segments = [part.strip() for part in chance.choice(clean).split("~") if part.strip()]
        inner = [at for at, segment in enumerate(segments) if segment.split("*")[0] not in ENVELOPE]
        what = chance.choice(
            ("delete", "duplicate", "swap", "blank", "lengthen", "corrupt", "corrupt", "rename")
        )
        at = chance.choice(inner)
        if what == "delete":
            del segments[at]
        elif what == "duplicate":
            segments.insert(at, segments[at])
        elif what == "swap":
            if at + 1 not in inner:
                continue
            segments[at], segments[at + 1] = segments[at + 1], segments[at]
        elif what == "rename":
            segments[at] = (
                chance.choice(("ZZ1", "N", "nm1", "NM31", "")) + segments[at][segments[at].find("*") :]
            )
        else:
            elements = segments[at].split("*")
            filled = [number for number in range(1, len(elements)) if elements[number]]
            number = chance.choice(filled)
            parts = elements[number].split(":")
            part = chance.randrange(len(parts))
            value = parts[part]
            if what == "blank":
                value = ""
            elif what == "lengthen":
                value = value + value[-1:] * chance.choice((1, 3, 60))
            else:
                place = chance.randrange(len(value)) if value else 0
                value = value[:place] + chance.choice("Z9-. :^a#\t") + value[place + 1 :]
            parts[part] = value
            elements[number] = ":".join(parts)
            segments[at] = "*".join(elements)
        yield Mutation(what, at + 1, "".join(part + "~\n" for part in count_again(segments)))


def count_again(segments: list[str]) -> list[str]:
    """The segments with the count in SE made right."""
    out = []
    start = 0
    for at, segment in enumerate(segments):
        elements = segment.split("*")
        if elements[0] == "ST":
            start = at
        if elements[0] == "SE":
            elements[1] = str(at - start + 1)
        out.append("*".join(elements))
    return out
