"""The reader of segments: delimiters, field quirks, positions, bounds."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edi_checker.x12 import blocks
from edi_checker.x12.blocks import Block, Delimiters, NotX12, read_blocks

ISA = (
    "ISA*00*          *00*          *ZZ*SUBMITTER      *ZZ*RECEIVER       "
    "*260301*1200*^*00501*000000001*0*T*:"
)
BODY = [
    "GS*HC*SUBMITTER*RECEIVER*20260301*1200*1*X*005010X222A1",
    "ST*837*0001*005010X222A1",
    "BHT*0019*00*BATCH*20260301*1200*CH",
    "HL*1**20*1",
    "NM1*85*2*ALDER THERAPY*****XX*1234567893",
    "HL*2*1*22*0",
    "SBR*P*18*******MB",
    "CLM*A1*100***11:B:1*Y*A*Y*Y",
    "LX*1",
    "CLM*A2*100***11:B:1*Y*A*Y*Y",
    "SE*10*0001",
    "GE*1*1",
    "IEA*1*000000001",
]


def blocks_of(data: str | bytes) -> list[Block]:
    return list(read_blocks(io.BytesIO(data.encode() if isinstance(data, str) else data)))


def told(blocks: list[Block]) -> list[tuple[str, str, int]]:
    return [(b.kind, b.text, b.position) for b in blocks]


PLAIN = told(blocks_of("".join(s + "~" for s in [ISA, *BODY])))


def test_blocks_begin_at_headers_and_positions_count_from_st() -> None:
    assert [(kind, position) for kind, _, position in PLAIN] == [
        ("ISA", 0),
        ("GS", 0),
        ("ST", 1),
        ("HL", 3),
        ("HL", 5),
        ("CLM", 7),
        ("CLM", 9),
        ("SE", 10),
        ("GE", 0),
        ("IEA", 0),
    ]
    assert PLAIN[5][1] == "CLM*A1*100***11:B:1*Y*A*Y*Y~LX*1"


@pytest.mark.parametrize(
    "between",
    ["\n", "\r\n", "\r", "  \n", "\n\n\n", "\n   ", " ", "\t\r\n"],
)
def test_blanks_and_line_breaks_behind_terminators_are_passed_over(between: str) -> None:
    assert told(blocks_of("".join(s + "~" + between for s in [ISA, *BODY]))) == PLAIN


def test_line_breaks_before_terminators_are_passed_over() -> None:
    text = ISA + "~" + "".join(s + "\n~" for s in BODY)
    assert told(blocks_of(text)) == PLAIN


@pytest.mark.parametrize("head", ["\ufeff", "\n\n", "   ", "\r\n \r\n"])
def test_what_stands_before_the_isa_is_passed_over_where_it_is_blank(head: str) -> None:
    assert told(blocks_of(head + "".join(s + "~" for s in [ISA, *BODY]))) == PLAIN


@pytest.mark.parametrize("tail", ["", "~", "~\n\n\n", "~\x1a", "~\x00\x00\x00", "\n"])
def test_the_last_terminator_and_padding_do_not_matter(tail: str) -> None:
    assert told(blocks_of("~".join([ISA, *BODY]) + tail)) == PLAIN


@pytest.mark.parametrize("terminator", ["\n", "\r\n", "\r", "'", "|", "\x1c", "!"])
def test_any_terminator(terminator: str) -> None:
    found = blocks_of(terminator.join([ISA, *BODY]) + terminator)
    assert [(b.kind, b.segments()) for b in found] == [
        (k, [s.split("*") for s in t.split("~")]) for k, t, _ in PLAIN
    ]
    assert not any(b.faults for b in found)


def test_other_delimiters_are_taken_from_the_isa() -> None:
    swap = str.maketrans({"*": "|", ":": ">", "~": "\\", "^": "!"})
    found = blocks_of("".join(s + "~" for s in [ISA, *BODY]).translate(swap))
    assert found[0].delimiters == Delimiters("|", ">", "!", "\\")
    assert found[5].segments()[0][5] == "11>B>1"


@pytest.mark.parametrize(("separator", "blank"), [(":", ": "), (":", " :")])
def test_a_blank_beside_the_component_separator_is_one_fault(separator: str, blank: str) -> None:
    head = ISA.removesuffix(separator) + blank
    found = blocks_of("".join(s + "~" for s in [head, *BODY]))
    assert found[0].delimiters == Delimiters("*", ":", "^", "~")
    assert [fault.element for block in found for fault in block.faults] == ["ISA16"]
    assert told(found)[1:] == PLAIN[1:]


@pytest.mark.parametrize("tail", ["", "END OF FILE"])
def test_the_separators_of_mainframes_are_no_blanks(tail: str) -> None:
    swap = str.maketrans({"*": "\x1d", ":": "\x1f", "~": "\x1c", "^": "\x1e"})
    text = "".join(s + "~" for s in [ISA, *BODY])
    found = blocks_of((text + tail + text).translate(swap))
    assert [b.delimiters for b in found if b.kind == "ISA"] == [
        Delimiters("\x1d", "\x1f", "\x1e", "\x1c")
    ] * 2
    assert found[5].segments()[0][5] == "11\x1fB\x1f1"
    assert [f.kind for b in found for f in b.faults] == ["stray-text"] * bool(tail)


def test_a_collapsed_isa_is_read_by_counting_its_elements() -> None:
    collapsed = "*".join(part.strip() for part in ISA.split("*"))
    found = told(blocks_of("".join(s + "~" for s in [collapsed, *BODY])))
    assert found[1:] == PLAIN[1:]


@pytest.mark.parametrize("width", [80, 110, 132])
@pytest.mark.parametrize("end", ["", "\r\n"])
def test_a_file_wrapped_at_some_column_is_put_together(width: int, end: str) -> None:
    text = "".join(s + "~" for s in [ISA, *BODY])
    wrapped = "\r\n".join(text[i : i + width] for i in range(0, len(text), width))
    assert told(blocks_of(wrapped + end)) == PLAIN


def test_interchanges_may_use_different_delimiters() -> None:
    one = "".join(s + "~\n" for s in [ISA, *BODY])
    two = one.translate(str.maketrans({"*": "|", "~": "!", ":": ">"}))
    found = blocks_of(one + two + one)
    assert [b.kind for b in found].count("IEA") == 3
    assert [b.delimiters.element for b in found if b.kind == "CLM"] == ["*", "*", "|", "|", "*", "*"]


def test_the_component_separator_that_the_claims_use_wins_and_is_noted_once() -> None:
    found = blocks_of("".join(s + "~" for s in [ISA, *BODY]).replace("11:B:1", "11>B>1"))
    assert [f.kind for b in found for f in b.faults] == ["delimiter"]
    assert found[5].delimiters.component == ">"


def test_bytes_that_are_not_utf8_are_read_as_latin1() -> None:
    data = "".join(s + "~" for s in [ISA, *BODY]).replace("ALDER", "ÄLDER")
    assert "ÄLDER THERAPY" in blocks_of(data.encode("latin-1"))[3].text
    assert "ÄLDER THERAPY" in blocks_of(data.encode("utf-8"))[3].text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t ", "empty"),
        (b"Dear sir or madam,\nplease find attached", "does not begin with an ISA"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "binary"),
        (b"ISA*00*", "16 elements"),
        (ISA[:60].encode(), "16 elements"),
        (ISA.encode("utf-16"), "UTF-16"),
        (ISA.encode("utf-16-le"), "UTF-16"),
        (ISA.encode("cp037"), "EBCDIC"),
        (b"ISAAC NEWTON", "does not begin with an ISA"),
        (b"Q" * 5_000_000, "does not begin with an ISA"),
    ],
)
def test_what_is_not_x12_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(NotX12, match=reason):
        blocks_of(data)


def test_text_behind_the_interchange_is_noted_and_the_next_interchange_read() -> None:
    one = "".join(s + "~" for s in [ISA, *BODY])
    found = blocks_of(one + "\nTRAILING NOTE FROM THE MAIL GATEWAY\n" + one)
    assert [b.kind for b in found].count("IEA") == 2
    assert sum(bool(b.faults) for b in found) == 1


class Endless(io.RawIOBase):
    """A stream that repeats a piece for ever, up to a bound, without ever being held whole."""

    def __init__(self, head: bytes, piece: bytes, size: int) -> None:
        self.left = size
        self.head = head
        self.piece = piece

    def read(self, size: int = -1) -> bytes:
        if self.head:
            head, self.head = self.head, b""
            return head
        take = min(size, self.left)
        self.left -= take
        return (self.piece * (take // len(self.piece) + 1))[:take]


@pytest.mark.parametrize("before", [[], BODY[:1], BODY[:2], BODY[:4], BODY[:8], BODY])
def test_a_line_of_200_megabytes_without_a_terminator_ends_in_one_fault_after_a_bounded_read(
    before: list[str],
) -> None:
    stream = Endless("".join(s + "~" for s in [ISA, *before]).encode(), b"X", 200_000_000)
    found = list(read_blocks(stream))  # type: ignore[arg-type]  # read() is all that is used
    assert found[0].kind == "ISA"
    assert [f.kind for b in found for f in b.faults] == ["segment"]
    assert "".join(b.text + "~" for b in found if b.text) == "".join(s + "~" for s in [ISA, *before])
    assert stream.left > 190_000_000


def test_a_claim_without_end_is_cut_and_the_count_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds = blocks.Bounds(block=50_000)
    monkeypatch.setattr(blocks, "CHUNK", 10_000)
    many = ["K3*FILLER"] * 20_000
    text = "".join(s + "~" for s in [ISA, *BODY[:8], *many, *BODY[8:]])
    found = list(read_blocks(io.BytesIO(text.encode()), bounds))
    assert max(len(b.text) for b in found) < 80_000
    assert [f.kind for b in found for f in b.faults] == ["segment"]
    assert next(b.position for b in found if b.kind == "SE") == 20_010


@settings(max_examples=200)
@given(st.integers(1, 400), st.sampled_from(["", "\n", "\r\n", " \n"]), st.integers(1, 3))
def test_where_the_chunks_end_makes_no_difference(chunk: int, between: str, copies: int) -> None:
    data = "".join(s + "~" + between for s in [ISA, *BODY] * copies).encode()
    before = blocks.CHUNK
    whole = told(blocks_of(data))
    try:
        blocks.CHUNK = chunk
        assert told(blocks_of(data)) == whole
    finally:
        blocks.CHUNK = before


@settings(max_examples=300)
@given(st.binary(max_size=400), st.integers(0, 600))
def test_no_bytes_raise_anything_but_not_x12(noise: bytes, at: int) -> None:
    data = "".join(s + "~" for s in [ISA, *BODY]).encode()
    for hostile in (noise, data[:at] + noise + data[at:], data[:at] + noise):
        try:
            list(read_blocks(io.BytesIO(hostile)))
        except NotX12:
            continue


def test_reading_is_streamed() -> None:
    def claims() -> Iterator[bytes]:
        yield ("".join(s + "~" for s in [ISA, *BODY[:7]])).encode()
        for _ in range(3000):
            yield b"CLM*A1*100***11:B:1*Y*A*Y*Y~" + b"K3*X~" * 100

    class Piecewise(io.RawIOBase):
        source = claims()
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += 1
            return next(self.source, b"")

    stream = Piecewise()
    seen = 0
    for block in read_blocks(stream):  # type: ignore[arg-type]
        seen += block.kind == "CLM"
        if seen == 1000:
            break
    assert stream.given < 1200
