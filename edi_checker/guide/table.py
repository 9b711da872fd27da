"""The implementation guide as a table, compiled from pyx12's maps, cached."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from edi_checker.files.kept import cache_folder, keep, read_kept

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element as Xml  # nosec B405  # the type alone; defusedxml reads

FORMAT = 3  # of the cached table; raise it whenever the compiled form or a correction changes

Usage = Literal["R", "S", "N"]
Level = Literal["header", "2000A", "2000B", "2000C", "2300", "trailer"]

LEVELS: tuple[Level, ...] = ("header", "2000A", "2000B", "2000C", "2300", "trailer")
ENVELOPE = ("ISA", "TA1", "GS", "ST", "SE", "GE", "IEA")

MAP = "837.5010.X222.A1.xml"
DATA_ELEMENTS = "dataele.xml"


class Element(NamedTuple):
    """A simple element, or a component of a composite.

    ref       `NM109`, or `SV101-3` for a component
    number    X12 data element number (IK402), `67`
    usage     R required, S situational, N not used
    type      ID, AN, N0, R, DT, TM
    minimum, maximum   length in characters; digits alone count where the type is numeric
    codes     the values the guide lists; empty where it lists none
    external  name of the external list (`states`, `pos`, ...), which is never checked from here: pyx12's
              copies are years old
    pattern   a regular expression for the whole value, or ""
    """

    ref: str
    number: str
    name: str
    usage: Usage
    type: str
    minimum: int
    maximum: int
    codes: frozenset[str]
    external: str
    pattern: str


class Composite(NamedTuple):
    """A composite element: its components in order; `repeat` is the count of repetitions allowed."""

    ref: str
    number: str
    name: str
    usage: Usage
    repeat: int
    components: tuple[Element, ...]

    @property
    def used(self) -> int:
        """The number of the last component that the guide uses."""
        return max((at for at, part in enumerate(self.components, 1) if part.usage != "N"), default=0)


Item: TypeAlias = Element | Composite


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment at one place in the guide.

    index     its number in Guide.segments
    position  order within its loop; nodes of one position may stand in any order
    maximum   times it may stand in one instance of its loop; 0 is no limit
    key       (element, component) counted from 1 (component 0: a simple element) whose code tells this
              node from others of the same id; None where the id alone decides
    codes     the codes of `key`
    notes     relational notes as (letter, element numbers): P paired, R required, E exclusion, C conditional,
              L list conditional
    """

    index: int
    id: str
    loop: str
    name: str
    usage: Usage
    position: int
    maximum: int
    key: tuple[int, int] | None
    codes: frozenset[str]
    elements: tuple[Item, ...]
    notes: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop. `children` stand in order of position; the first one is the segment that opens the loop.

    index     negative, so that it never meets a segment's
    maximum   times it may stand in one instance of its parent; 0 is no limit
    """

    index: int
    id: str
    name: str
    usage: Usage
    position: int
    maximum: int
    children: tuple[Segment | Loop, ...]

    @property
    def opener(self) -> Segment:
        """The segment that opens the loop."""
        first = self.children[0]
        assert isinstance(first, Segment)
        return first


@dataclass(frozen=True, slots=True, eq=False)
class Guide:
    """The guide cut at the seams of its hierarchy.

    levels    a loop for each level, without the levels below it: `header` (ST, BHT, 1000A, 1000B), `2000A`,
              `2000B`, `2000C`, `2300` (the claim with all its lines), `trailer` (SE)
    segments  every segment node of the levels and the envelope, by index
    envelope  ISA, TA1, GS, ST, SE, GE, IEA by id
    """

    pyx12: str
    levels: dict[Level, Loop]
    segments: tuple[Segment, ...]
    envelope: dict[str, Segment]


class Correction(NamedTuple):
    """One place where pyx12's map is not the published guide.

    `loop` is the loop's id ("" any). `ref` is an element (`NM108`), one of a segment with this qualifier
    (`REF02 6R`), all elements with a data element number (`782`), a segment (`HI`), or "" for the loop
    itself. `value` is what `field` should be.
    """

    loop: str
    ref: str
    field: Literal["usage", "codes", "position", "type", "number", "pattern", "maximum", "notes"]
    value: Any
    reason: str


CORRECTIONS: tuple[Correction, ...] = (
    *(
        Correction(loop, "", "position", 3250, "the 2330 loops are one X12 loop and share its position")
        for loop in ("2330D", "2330E", "2330F", "2330G")
    ),
    *(
        Correction(loop, "", "position", 5000, "the 2420 loops are one X12 loop and share its position")
        for loop in ("2420G", "2420H")
    ),
    Correction("2410", "", "position", 4930, "a loop is where its first segment is"),
    Correction("ISA_LOOP", "ISA11", "codes", (), "since 5010 the repetition separator, any character"),
    Correction("ISA_LOOP", "ISA11", "number", "I65", "since 5010 the repetition separator"),
    Correction("ISA_LOOP", "ISA11", "type", "AN", "since 5010 the repetition separator"),
    Correction(
        "GS_LOOP", "GS08", "codes", (), "X222, X222A1 and X222A2 are read alike; the version is the reader's"
    ),
    Correction("HEADER", "BHT06", "codes", ("31", "CH", "RP"), "31, subrogation demand, is in the guide"),
    Correction("2010BA", "NM108", "usage", "S", "required for a person only"),
    Correction("2010BA", "NM109", "usage", "S", "required for a person only"),
    Correction("", "782", "maximum", 10, "the guide bounds amounts below X12's own limit"),
    Correction("", "SV104", "maximum", 8, "as 782; the guide bounds units too, with three decimals"),
    Correction("", "SV104", "pattern", r"[^.]*(\.[0-9]{0,3})?", "as SV104"),
    Correction("", "SVD05", "maximum", 8, "as SV104"),
    Correction("", "SVD05", "pattern", r"[^.]*(\.[0-9]{0,3})?", "as SV104"),
    Correction("", "CLM01", "maximum", 20, "a receiver need not keep more"),
    Correction("2400", "REF02 6R", "maximum", 30, "a receiver need not keep more"),
    Correction(
        "",
        "HI",
        "notes",
        tuple(("C", (at, at - 1)) for at in range(3, 13)),
        "SV107 counts the codes: none is left out between two",
    ),
    Correction("", "SV107-1", "codes", (), "which pointers are right depends on HI: a later rule's matter"),
    Correction("", "SV107-2", "codes", (), "as SV107-1"),
    Correction("", "SV107-3", "codes", (), "as SV107-1"),
    Correction("", "SV107-4", "codes", (), "as SV107-1"),
)


@cache
def load() -> Guide:
    """The guide, from the cache where that is whole, else compiled and cached.

    Raises FileNotFoundError where pyx12 is not installed.
    """
    folder = _locate()
    version = _version(folder)
    kept = cache_folder()
    if kept is None:
        return compile_guide(folder, version)
    cached = kept / f"guide-{version}-{FORMAT}.json"
    guide = read_cache(cached, version)
    if guide is None:
        guide = compile_guide(folder, version)
        write_cache(guide, cached)
    return guide


# Segments of other transaction sets of health care that have no digit in their name.
_OF_OTHER_SETS = frozenset(
    "AAA ACT AIN BGN BPR CLP COB DTM EB EQ FAC HD HSD ICM IDC III INS LE LS LUI MIA MPI MSG OTI "  # noqa: SIM905
    "PLB PLD RDM RMR STC SVC TOO TRN UM".split()
)
_NAME_WITH_DIGIT = re.compile(r"[A-Z]{1,2}[0-9][0-9A-Z]?|[A-Z][0-9A-Z][0-9]", re.ASCII)


@cache
def _segment_ids() -> frozenset[str]:
    guide = load()
    return _OF_OTHER_SETS.union(guide.envelope, (segment.id for segment in guide.segments))


def is_segment_id(text: str) -> bool:
    """Whether a text is surely the name of a segment: three letters may be a name that slipped there."""
    return text in _segment_ids() or _NAME_WITH_DIGIT.fullmatch(text) is not None


def read_cache(path: Path, version: str) -> Guide | None:
    """The guide that `write_cache` wrote; None where there is none, a damaged one or another version."""
    text = read_kept(path)
    try:
        return _from_plain(json.loads(text), version) if text is not None else None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
        return None


def write_cache(guide: Guide, path: Path) -> None:
    """Keep the guide at `path`."""
    keep(path, json.dumps(_to_plain(guide), separators=(",", ":")).encode())


def _locate() -> Path:
    # find_spec reads no code of a top-level package, so pyx12 itself is never imported
    spec = importlib.util.find_spec("pyx12")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("pyx12 is not installed: the guide's map is part of it")
    return Path(next(iter(spec.submodule_search_locations)))


def _version(folder: Path) -> str:
    try:
        found = re.search(
            r"""__version__\s*=\s*["']([\w.+-]+)["']""", (folder / "version.py").read_text("utf-8")
        )
    except OSError:
        found = None
    if found:
        return found.group(1)
    import importlib.metadata

    return importlib.metadata.version("pyx12")


# ---- compiling


def compile_guide(folder: Path, version: str) -> Guide:
    """Compile the map in pyx12's `folder` to a Guide; OSError or ValueError where it cannot be read."""
    from defusedxml import ElementTree  # type: ignore[import-untyped]

    numbers: dict[str, tuple[str, int, int]] = {
        entry.get("ele_num"): (entry.get("data_type"), int(entry.get("min_len")), int(entry.get("max_len")))
        for entry in ElementTree.parse(folder / "map" / DATA_ELEMENTS).getroot().iter("data_ele")
    }
    root: Xml = ElementTree.parse(folder / "map" / MAP).getroot()
    loops = {loop.get("xid", ""): loop for loop in root.iter("loop")}
    compiler = _Compiler(numbers)

    levels: dict[Level, Loop] = {}
    envelope: dict[str, Segment] = {}
    for id in ENVELOPE:
        where, segment = next(
            (w, s) for w in loops.values() for s in w.findall("segment") if s.get("xid") == id
        )
        envelope[id] = compiler.segment(segment, where.get("xid", ""))
    header = compiler.loop(loops["HEADER"], "header", cut=())
    levels["header"] = replace(header, children=(envelope["ST"], *header.children))
    for level, below in (
        ("2000A", ("2000B",)),
        ("2000B", ("2300", "2000C")),
        ("2000C", ("2300",)),
        ("2300", ()),
    ):
        levels[level] = compiler.loop(loops[level], level, cut=below)  # type: ignore[index]
    levels["trailer"] = Loop(
        compiler.next_loop(), "trailer", "Transaction Set Trailer", "R", 0, 1, (envelope["SE"],)
    )
    return Guide(version, levels, tuple(compiler.segments), envelope)


class _Compiler:
    """Holds the numbering while one map is compiled."""

    def __init__(self, numbers: dict[str, tuple[str, int, int]]) -> None:
        self.numbers = numbers
        self.segments: list[Segment] = []
        self.loops = 0

    def next_loop(self) -> int:
        self.loops -= 1
        return self.loops

    def loop(self, xml: Xml, id: str, cut: tuple[str, ...]) -> Loop:
        index = self.next_loop()
        children: list[Segment | Loop] = []
        for child in xml:
            if child.tag == "segment":
                children.append(self.segment(child, id))
            elif child.tag == "loop" and child.get("xid") not in cut:
                children.append(self.loop(child, child.get("xid", ""), cut))
        # a stable sort: nodes of one position keep the guide's order
        children.sort(key=lambda child: child.position)
        position = _corrected(id, "", "position", int(_text(xml, "pos")))
        return Loop(
            index,
            id,
            _text(xml, "name"),
            _usage(xml),
            position,
            _limit(_text(xml, "repeat")),
            tuple(children),
        )

    def segment(self, xml: Xml, loop: str) -> Segment:
        items = [item for item in xml if item.tag in ("element", "composite")]
        items.sort(key=lambda item: int(_text(item, "seq")))
        where = "HEADER" if loop == "header" else loop
        elements = tuple(
            self.composite(item, where)
            if item.tag == "composite"
            else self.element(item, where, item.get("xid", ""))
            for item in items
        )
        key, codes = _key(xml.get("xid", ""), elements)
        if len(codes) == 1:
            [qualifier] = codes
            elements = tuple(_of_qualifier(item, where, qualifier) for item in elements)
        segment = Segment(
            index=len(self.segments),
            id=xml.get("xid", ""),
            loop="" if loop.endswith("_LOOP") else loop,
            name=_text(xml, "name"),
            usage=_usage(xml),
            position=int(_text(xml, "pos")),
            maximum=_limit(_text(xml, "max_use")),
            key=key,
            codes=codes,
            elements=elements,
            notes=_corrected(
                where,
                xml.get("xid", ""),
                "notes",
                tuple(_note(note.text or "") for note in xml.findall("syntax") if note.text),
            ),
        )
        self.segments.append(segment)
        return segment

    def composite(self, xml: Xml, loop: str) -> Composite:
        ref = xml.get("xid", "")
        components = tuple(
            self.element(item, loop, f"{ref}-{number}")
            for number, item in enumerate(xml.findall("element"), 1)
        )
        usage = _corrected(loop, ref, "usage", _usage(xml))
        repeat = int(_text(xml, "repeat") or "1")
        return Composite(ref, _text(xml, "data_ele"), _text(xml, "name"), usage, repeat, components)

    def element(self, xml: Xml, loop: str, ref: str) -> Element:
        number = _text(xml, "data_ele")
        type, minimum, maximum = self.numbers[number]
        codes = xml.find("valid_codes")
        listed = [code.text.strip() for code in codes if code.text] if codes is not None else []
        return Element(
            ref=ref,
            number=_corrected(loop, ref, "number", number),
            name=_text(xml, "name"),
            usage=_corrected(loop, ref, "usage", _usage(xml)),
            type=_corrected(loop, ref, "type", type),
            minimum=minimum,
            maximum=_corrected(loop, ref, "maximum", _corrected(loop, number, "maximum", maximum)),
            codes=frozenset(_corrected(loop, ref, "codes", listed)),
            external=(codes.get("external") or "") if codes is not None else "",
            pattern=_corrected(loop, ref, "pattern", _text(xml, "regex")),
        )


def _text(xml: Xml, tag: str) -> str:
    return " ".join((xml.findtext(tag) or "").split())


def _usage(xml: Xml) -> Usage:
    usage = _text(xml, "usage")
    if usage not in ("R", "S", "N"):
        raise ValueError(f"usage of {xml.get('xid')} is {usage!r}")
    return usage  # type: ignore[return-value]


def _limit(text: str) -> int:
    return 0 if text.startswith(">") else int(text)


def _note(text: str) -> tuple[str, tuple[int, ...]]:
    return text[0], tuple(int(text[at : at + 2]) for at in range(1, len(text), 2))


def _corrected(loop: str, ref: str, field: str, value: Any) -> Any:
    for correction in CORRECTIONS:
        if correction.ref == ref and correction.field == field and correction.loop in ("", loop):
            return correction.value
    return value


def _of_qualifier(item: Item, loop: str, qualifier: str) -> Item:
    """An element of a segment that is known by this qualifier."""
    if isinstance(item, Composite):
        return item
    return item._replace(maximum=_corrected(loop, f"{item.ref} {qualifier}", "maximum", item.maximum))


def _key(id: str, elements: tuple[Item, ...]) -> tuple[tuple[int, int] | None, frozenset[str]]:
    if id == "HL":
        level = elements[2]
        assert isinstance(level, Element)
        return (3, 0), level.codes
    first = elements[0] if elements else None
    if isinstance(first, Element) and first.type == "ID" and first.usage == "R" and first.codes:
        return (1, 0), first.codes
    if isinstance(first, Composite) and first.components and first.components[0].codes:
        return (1, 1), first.components[0].codes
    return None, frozenset()


# ---- the cached form: plain lists, each different element once


def _to_plain(guide: Guide) -> dict[str, Any]:
    elements: dict[Element, int] = {}

    def number(element: Element) -> int:
        return elements.setdefault(element, len(elements))

    def plain_item(item: Item) -> Any:
        if isinstance(item, Element):
            return number(item)
        inside = [number(component) for component in item.components]
        return [item.ref, item.number, item.name, item.usage, item.repeat, inside]

    def plain_segment(node: Segment) -> list[Any]:
        return [
            node.id,
            node.loop,
            node.name,
            node.usage,
            node.position,
            node.maximum,
            node.key,
            sorted(node.codes),
            [plain_item(item) for item in node.elements],
            node.notes,
        ]

    def plain_loop(loop: Loop) -> list[Any]:
        children = [
            child.index if isinstance(child, Segment) else plain_loop(child) for child in loop.children
        ]
        return [loop.index, loop.id, loop.name, loop.usage, loop.position, loop.maximum, children]

    segments = [plain_segment(node) for node in guide.segments]
    return {
        "format": FORMAT,
        "pyx12": guide.pyx12,
        "elements": [
            [
                e.ref,
                e.number,
                e.name,
                e.usage,
                e.type,
                e.minimum,
                e.maximum,
                sorted(e.codes),
                e.external,
                e.pattern,
            ]
            for e in elements
        ],
        "segments": segments,
        "levels": {level: plain_loop(loop) for level, loop in guide.levels.items()},
        "envelope": {id: node.index for id, node in guide.envelope.items()},
    }


def _from_plain(plain: dict[str, Any], version: str) -> Guide:
    if plain["format"] != FORMAT or plain["pyx12"] != version:
        raise ValueError("the cached guide is of another version")
    elements = [
        Element(ref, number, name, usage, type, minimum, maximum, frozenset(codes), external, pattern)
        for ref, number, name, usage, type, minimum, maximum, codes, external, pattern in plain["elements"]
    ]

    def item(entry: Any) -> Item:
        if isinstance(entry, int):
            return elements[entry]
        ref, number, name, usage, repeat, inside = entry
        return Composite(ref, number, name, usage, repeat, tuple(elements[at] for at in inside))

    segments = tuple(
        Segment(
            index,
            id,
            loop,
            name,
            usage,
            position,
            maximum,
            (key[0], key[1]) if key else None,
            frozenset(codes),
            tuple(item(entry) for entry in items),
            tuple((letter, tuple(numbers)) for letter, numbers in notes),
        )
        for index, (id, loop, name, usage, position, maximum, key, codes, items, notes) in enumerate(
            plain["segments"]
        )
    )

    def read_loop(entry: list[Any]) -> Loop:
        index, id, name, usage, position, maximum, children = entry
        inside = tuple(segments[child] if isinstance(child, int) else read_loop(child) for child in children)
        return Loop(index, id, name, usage, position, maximum, inside)

    levels: dict[Level, Loop] = {level: read_loop(plain["levels"][level]) for level in LEVELS}
    envelope = {id: segments[plain["envelope"][id]] for id in ENVELOPE}
    return Guide(version, levels, segments, envelope)


def walk_loops(loop: Loop) -> Iterator[Loop]:
    """The loop and every loop inside it, in the guide's order."""
    yield loop
    for child in loop.children:
        if isinstance(child, Loop):
            yield from walk_loops(child)


def list_segments(loops: Iterable[Loop]) -> Iterator[Segment]:
    """Every segment node of the loops and the loops inside them, in the guide's order."""
    for outer in loops:
        for loop in walk_loops(outer):
            for child in loop.children:
                if isinstance(child, Segment):
                    yield child
