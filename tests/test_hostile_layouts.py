"""The same segments say the same however they are laid out, and however the source cuts them up."""

import io
from dataclasses import replace

import pytest

from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.check.split import Splitter
from edi_checker.facts import Setting
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.rules import load as load_rules
from edi_checker.x12.blocks import Bounds, read_blocks
from generate_claims import generate
from paths import DATA

HOSTILE = DATA / "hostile"
MIB = 1 << 20


def mixed(segments):
    ends = ("", "\n", "\r\n", "\r", "\n\n", "~", "\r\n~\n", "")
    return "".join(f"{segment}~{ends[number % len(ends)]}" for number, segment in enumerate(segments))


LAYOUTS = {
    "none": lambda segments: "~".join(segments) + "~",
    "LF": lambda segments: "~\n".join(segments) + "~\n",
    "CRLF": lambda segments: "~\r\n".join(segments) + "~\r\n",
    "CR": lambda segments: "~\r".join(segments) + "~\r",
    "mixed": mixed,
    "only behind ISA": lambda segments: f"{segments[0]}~\n" + "~".join(segments[1:]) + "~",
    "only at the end": lambda segments: "~".join(segments) + "~\n",
    "empty segments": lambda segments: "~~".join(segments) + "~~",
    "blank segments": lambda segments: "~ ~\t~".join(segments) + "~ ~",
    "empty lines": lambda segments: "~\n~\n".join(segments) + "~\n~\n",
    "no last terminator": "~".join,
}


@pytest.fixture(scope="module")
def checker():
    return Checker(load_guide(), Engine(load_rules(()), "python"), Setting(20261121, built_in()))


class Drops(io.RawIOBase):
    """A source that gives its bytes up to the first cut, then up to the next, and so on."""

    def __init__(self, data, *cuts):
        self._data, self._cuts, self._at = data, [*cuts, len(data)], 0

    def read(self, size=-1):
        while self._cuts and self._cuts[0] <= self._at:
            self._cuts.pop(0)
        if not self._cuts:
            return b""
        end = min(self._cuts[0], self._at + size)
        given, self._at = self._data[self._at : end], end
        return given


def segments_of(text):
    return [each.strip() for each in text.split("~") if each.strip()]


def blocks_of(data, *cuts, bounds=None):
    return list(read_blocks(Drops(data, *cuts), bounds))


def findings_of(checker, data):
    """Each part's findings, outcome and place, and the two files of the split."""
    splitter = Splitter()
    found = []
    for checked in checker.check(io.BytesIO(data)):
        splitter.add(checked)
        found.append((type(checked.part).__name__, checked.findings, checked.outcome))
    split = splitter.finish()
    sides = [side.read() if side is not None else None for side in (split.clean, split.rejected)]
    split.close()
    return found, sides


@pytest.fixture(scope="module")
def claims():
    """Some 50 KB: more than is read before the first block."""
    return segments_of("".join(generate(56, seed=5, invalid=0.4, per_transaction=7)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_gives_the_same_blocks_findings_and_counts(checker, claims, layout):
    plain = LAYOUTS["none"](claims).encode()
    laid = LAYOUTS[layout](claims).encode()
    assert blocks_of(laid) == blocks_of(plain)
    expected = findings_of(checker, plain)
    assert any(findings for _, findings, _ in expected[0]) and all(expected[1])
    assert findings_of(checker, laid) == expected
    assert findings_of(replace(checker, fast=False), laid) == expected


@pytest.mark.long
@pytest.mark.parametrize("layout", ["none", "CRLF", "mixed", "empty segments", "blank segments"])
def test_each_byte_may_be_the_edge_of_a_chunk(claims, layout):
    # What is before is read before the first block is made, wherever it is cut.
    lead = claims[:-8]
    whole = LAYOUTS[layout]([*lead, *claims[-8:], *claims[:12], *claims[-3:]]).encode()
    begin = len(LAYOUTS[layout](lead))
    expected = blocks_of(whole)
    assert begin > 1 << 15 and {"CLM", "SE", "GE", "IEA", "ISA", "HL"} <= {block.kind for block in expected}
    for cut in range(begin, len(whole)):
        assert blocks_of(whole, cut) == expected, cut
    assert blocks_of(whole, *range(begin, len(whole))) == expected
    assert blocks_of(whole, *range(1, 3000)) == expected


@pytest.mark.parametrize("indent", ["  ", "\t", "\n  "])
def test_an_indented_segment_is_noted_wherever_a_chunk_ends(claims, indent):
    number = len(claims) - 30
    text = "~".join(claims[:number]) + "~" + indent
    whole = (text + "~".join(claims[number:]) + "~").encode()
    expected = blocks_of(whole)
    assert any(fault.kind == "layout" for block in expected for fault in block.faults)
    for cut in range(len(text) - 10, len(text) + 10):
        assert blocks_of(whole, cut) == expected, cut


@pytest.mark.parametrize("name", ["empty-seg.837", "empty-seg-nl.837"])
def test_empty_segments_are_no_fault_in_any_layout(checker, name):
    data = (HOSTILE / name).read_bytes()
    segments = segments_of(data.decode())
    assert b"~~" in data.replace(b"\n", b"") and "" not in segments
    plain = findings_of(checker, LAYOUTS["none"](segments).encode())
    assert findings_of(checker, data) == plain
    for layout in LAYOUTS.values():
        assert findings_of(checker, layout(segments).encode()) == plain


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_split_counts_segments_as_the_reader_does(checker, claims, layout):
    _, sides = findings_of(checker, LAYOUTS[layout](claims).encode())
    for side in sides:
        found, _ = findings_of(checker, side)
        assert "x12.count" not in {each.rule for _, findings, _ in found for each in findings}
        sets = [part.split("~\nSE*")[0] for part in side.decode().split("~\nST*")[1:]]
        counts = [int(part.split("~\nSE*")[1].split("*")[0]) for part in side.decode().split("~\nST*")[1:]]
        assert counts == [part.count("~\n") + 2 for part in sets]


@pytest.mark.parametrize("length", [MIB - 3000, MIB + 9, MIB + MIB // 2, 2 * MIB + 9])
def test_a_bound_is_one_wherever_a_chunk_ends(claims, length):
    """A segment, or a claim, is too long or not by itself, not by where it lies in the file."""
    at = len(claims) - 20
    for bounds, long in (
        (Bounds(), ["NTE*ADD*" + "X" * length]),
        (Bounds(block=MIB), ["K3*" + "X" * 996] * (length // 1000)),
    ):
        whole = "~".join([*claims[:at], *long, *claims[at:]]).encode()
        expected = blocks_of(whole, bounds=bounds)
        noted = {fault.kind for block in expected for fault in block.faults}
        assert ("segment" in noted) == (length > MIB)
        begin = sum(len(each) + 1 for each in claims[:at])
        for cut in (begin, begin + 1, begin + 999, begin + MIB - 1, begin + MIB, begin + MIB + 1):
            assert blocks_of(whole, cut, bounds=bounds) == expected, cut
