"""The guide's table: complete, corrected where pyx12's map is wrong, and the same from the cache."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from edi_checker.guide import table as guide_table
from edi_checker.guide.table import Composite, Correction, Element, Guide, Loop, Segment

FOLDER = guide_table._locate()
VERSION = guide_table._version(FOLDER)


@pytest.fixture(scope="module")
def fresh() -> Guide:
    return guide_table.compile_guide(FOLDER, VERSION)


def loop_of(table: Guide, id: str) -> Loop:
    return next(
        loop for level in table.levels.values() for loop in guide_table.walk_loops(level) if loop.id == id
    )


def element_of(table: Guide, loop: str, ref: str) -> Element | Composite:
    nodes = [*guide_table.list_segments(table.levels.values()), *table.envelope.values()]
    for node in nodes:
        for item in node.elements if node.loop == loop else ():
            if item.ref == ref:
                return item
            for component in item.components if isinstance(item, Composite) else ():
                if component.ref == ref:
                    return component
    raise LookupError(f"{loop} {ref}")


def plain(table: Guide) -> str:
    return json.dumps(guide_table._to_plain(table))


def test_every_loop_of_the_guide_is_there(fresh: Guide) -> None:
    ids = [loop.id for level in fresh.levels.values() for loop in guide_table.walk_loops(level)]
    named = (
        "header 1000A 1000B 2000A 2010AA 2010AB 2010AC 2000B 2010BA 2010BB 2000C 2010CA 2300 2310A "
        "2310B 2310C 2310D 2310E 2310F 2320 2330A 2330B 2330C 2330D 2330E 2330F 2330G 2400 "
        "2410 2420A 2420B 2420C 2420D 2420E 2420F 2420G 2420H 2430 2440 trailer"
    )
    assert sorted(ids) == sorted(named.split())
    assert set(fresh.envelope) == set(guide_table.ENVELOPE)


def test_a_claim_is_the_same_under_subscriber_and_patient() -> None:
    # one table serves both levels; that holds only as long as the map says the same of both
    from defusedxml import ElementTree

    root = ElementTree.parse(FOLDER / "map" / guide_table.MAP).getroot()
    numbers = {
        entry.get("ele_num"): (entry.get("data_type"), int(entry.get("min_len")), int(entry.get("max_len")))
        for entry in ElementTree.parse(FOLDER / "map" / guide_table.DATA_ELEMENTS).getroot().iter("data_ele")
    }
    both = [loop for loop in root.iter("loop") if loop.get("xid") == "2300"]
    assert len(both) == 2
    compilers = [guide_table._Compiler(numbers) for _ in both]
    for xml, compiler in zip(both, compilers, strict=True):
        compiler.loop(xml, "2300", cut=())
    assert compilers[0].segments == compilers[1].segments


def test_children_stand_in_order_and_the_first_opens_the_loop(fresh: Guide) -> None:
    for level in fresh.levels.values():
        for loop in guide_table.walk_loops(level):
            assert isinstance(loop.children[0], Segment)
            assert loop.opener is loop.children[0]
            positions = [child.position for child in loop.children]
            assert positions == sorted(positions)


def test_numbers_of_nodes(fresh: Guide) -> None:
    assert [node.index for node in fresh.segments] == list(range(len(fresh.segments)))
    loops = [loop.index for level in fresh.levels.values() for loop in guide_table.walk_loops(level)]
    assert len(set(loops)) == len(loops)
    assert all(index < 0 for index in loops)


def test_only_the_two_pwk_nodes_share_a_qualifier(fresh: Guide) -> None:
    shared = []
    for level in fresh.levels.values():
        for loop in guide_table.walk_loops(level):
            openers = [child if isinstance(child, Segment) else child.opener for child in loop.children]
            keys = Counter((node.id, code) for node in openers for code in node.codes or ("",))
            shared += [(loop.id, *key) for key, count in keys.items() if count > 1]
    assert shared == [("2400", "PWK", "CT")]


@pytest.mark.parametrize(
    ("loop", "segment", "usage", "maximum", "key"),
    [
        ("1000A", "PER", "R", 2, (1, 0)),
        ("2010AA", "N3", "R", 1, None),
        ("2000B", "SBR", "R", 1, (1, 0)),
        ("2300", "CLM", "R", 1, None),
        ("2300", "K3", "S", 10, None),
        ("2320", "CAS", "S", 5, (1, 0)),
        ("2400", "SV1", "R", 1, (1, 1)),
        ("2440", "FRM", "R", 99, None),
        ("2000C", "HL", "R", 1, (3, 0)),
    ],
)
def test_segments(
    fresh: Guide, loop: str, segment: str, usage: str, maximum: int, key: tuple[int, int] | None
) -> None:
    node = next(
        child for child in loop_of(fresh, loop).children if isinstance(child, Segment) and child.id == segment
    )
    assert (node.usage, node.maximum, node.key) == (usage, maximum, key)


@pytest.mark.parametrize(
    ("loop", "ref", "number", "usage", "type", "maximum"),
    [
        ("2010BA", "NM109", "67", "S", "AN", 80),
        ("2300", "CLM01", "1028", "R", "AN", 20),
        ("2300", "CLM02", "782", "R", "R", 10),
        ("2400", "SV104", "380", "R", "R", 8),
        ("2300", "CLM05-3", "1325", "R", "ID", 1),
        ("2400", "SV101-3", "1339", "S", "AN", 2),
        ("2400", "SV107-1", "1328", "R", "N0", 2),
        ("2400", "LX01", "554", "R", "N0", 6),
        ("header", "BHT04", "373", "R", "DT", 8),
        ("header", "BHT05", "337", "R", "TM", 8),
        ("", "ISA11", "I65", "R", "AN", 1),
    ],
)
def test_elements(
    fresh: Guide, loop: str, ref: str, number: str, usage: str, type: str, maximum: int
) -> None:
    item = element_of(fresh, loop, ref)
    assert isinstance(item, Element)
    assert (item.number, item.usage, item.type, item.maximum) == (number, usage, type, maximum)


def test_external_lists_are_named_and_never_turned_into_codes(fresh: Guide) -> None:
    place = element_of(fresh, "2300", "CLM05-1")
    assert isinstance(place, Element)
    assert (place.external, place.codes) == ("pos", frozenset())
    for node in fresh.segments:
        for item in node.elements:
            for element in item.components if isinstance(item, Composite) else (item,):
                assert not (element.external and element.codes)


def test_notes(fresh: Guide) -> None:
    n4 = next(
        child
        for child in loop_of(fresh, "2010AA").children
        if isinstance(child, Segment) and child.id == "N4"
    )
    assert n4.notes == (("E", (2, 7)), ("C", (6, 5)), ("C", (7, 4)))


@pytest.mark.long
@pytest.mark.parametrize(
    "wrong", guide_table.CORRECTIONS, ids=lambda c: f"{c.loop} {c.ref or 'loop'} {c.field}"
)
def test_each_correction_changes_the_map(
    wrong: Correction, fresh: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        guide_table, "CORRECTIONS", tuple(c for c in guide_table.CORRECTIONS if c is not wrong)
    )
    assert plain(guide_table.compile_guide(FOLDER, VERSION)) != plain(fresh), wrong
    assert wrong.reason


def test_the_cache_gives_the_same_guide(fresh: Guide, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "guide.json"
    guide_table.write_cache(fresh, path)
    again = guide_table.read_cache(path, VERSION)
    assert again is not None
    assert (again.pyx12, again.segments, again.levels, again.envelope) == (
        fresh.pyx12,
        fresh.segments,
        fresh.levels,
        fresh.envelope,
    )
    assert [entry.name for entry in path.parent.iterdir()] == ["guide.json"]


@pytest.mark.parametrize(
    ("pattern", "to"),
    [
        (r"(?s).*", ""),
        (r"(?s)(.{1000}).*", r"\1"),
        (r"(?s).*", "[]"),
        (r"(?s).*", '{"format": 1}'),
        (r"(?s).*", "[" * 100_000),
        ('"format":', '"format":9'),
        (f'"pyx12":"{VERSION}"', '"pyx12":"0.0"'),
        ('"segments":\\[', '"segments":[3,'),
        ('"2300":\\[', '"2300":[[],'),
        ('"elements":\\[\\[', '"elements":[["",'),
        ('"SE":[0-9]+', '"SE":9999'),
    ],
)
def test_a_damaged_cache_is_no_guide(pattern: str, to: str, fresh: Guide, tmp_path: Path) -> None:
    path = tmp_path / "guide.json"
    guide_table.write_cache(fresh, path)
    _, _, text = path.read_text(encoding="utf-8").partition("\n")
    damaged, count = re.subn(pattern, to, text, count=1)
    assert count == 1
    sign(path, damaged)
    assert guide_table.read_cache(path, VERSION) is None


def sign(path: Path, text: str) -> None:
    """Write a cache with the digest that belongs to it."""
    path.write_text(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}", encoding="utf-8")


def test_a_cache_with_another_digest_is_no_guide(fresh: Guide, tmp_path: Path) -> None:
    path = tmp_path / "guide.json"
    guide_table.write_cache(fresh, path)
    whole = path.read_text(encoding="utf-8")
    changed = re.sub(r'"NM109"', '"NM108"', whole, count=1)
    path.write_text(changed, encoding="utf-8")
    assert guide_table.read_cache(path, VERSION) is None
    sign(path, changed.partition("\n")[2])
    assert guide_table.read_cache(path, VERSION) is not None


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_cache_is_a_regular_file(fresh: Guide, tmp_path: Path, kind: str) -> None:
    path, real = tmp_path / "guide.json", tmp_path / "real.json"
    guide_table.write_cache(fresh, real)
    if kind == "link":
        path.symlink_to(real)
    else:
        os.mkfifo(path)
    assert guide_table.read_cache(path, VERSION) is None
    guide_table.write_cache(fresh, path)
    assert guide_table.read_cache(path, VERSION) is not None


def test_no_cache_is_no_fault(fresh: Guide, tmp_path: Path) -> None:
    assert guide_table.read_cache(tmp_path / "none.json", VERSION) is None
    (tmp_path / "file").write_text("x", encoding="utf-8")
    guide_table.write_cache(fresh, tmp_path / "file" / "guide.json")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def run(code: str, cache: Path) -> str:
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_loading_never_imports_pyx12(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom edi_checker.guide import table as guide_table\n"
        "print(len(guide_table.load().segments), guide_table.load() is guide_table.load(), "
        "any(name.partition('.')[0] == 'pyx12' for name in sys.modules), 'defusedxml' in sys.modules)"
    )
    first, second = run(code, tmp_path), run(code, tmp_path)
    count = len(guide_table.load().segments)
    assert first == f"{count} True False True"
    # from the cache no XML is read
    assert second == f"{count} True False False"


def test_a_damaged_cache_is_written_anew(tmp_path: Path) -> None:
    code = "from edi_checker.guide import table as guide_table\nprint(len(guide_table.load().segments))"
    count = run(code, tmp_path)
    (cached,) = tmp_path.rglob("guide-*.json")
    whole = cached.read_bytes()
    cached.write_bytes(whole[:1000])
    assert run(code, tmp_path) == count
    assert cached.read_bytes() == whole


def test_a_cache_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "edi-checker").write_text("a file where the folder should be", encoding="utf-8")
    assert (
        int(
            run(
                "from edi_checker.guide import table as guide_table\nprint(len(guide_table.load().segments))",
                tmp_path,
            )
        )
        > 200
    )
