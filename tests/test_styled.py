"""Styled text is wrapped, and shown in colour, exactly as rich does it."""

import io

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as RichText

from edi_checker.reports import styled
from edi_checker.reports.styled import Text, Writer

# No line feeds and tabs: what is shown has none. Wide, combining and odd characters take other cells.
CHARACTERS = st.sampled_from("aaaaab-.,é✓…日本👩\u200d\u0301\u00a0\u3000     \u2003")
PARTS = st.lists(
    st.tuples(st.text(CHARACTERS, max_size=60), st.sampled_from(["", "dim", "bold", "bold red"])), max_size=6
)


@given(PARTS, st.integers(4, 130))
@example([("", "")], 40)
@example([("   ", "dim")], 40)
@example([("a" * 40, "")], 40)
@example([("a" * 41 + "  b", "")], 40)
@example([("a " * 100, "bold")], 40)
def test_lines_break_where_rich_breaks_them(parts, width):
    rich = RichText.assemble(*parts).wrap(Console(width=width), width)
    for line in rich:
        line.rstrip()
    ours = Text.assemble(*parts).wrap(width)
    assert [line.plain for line in ours] == [line.plain for line in rich]
    shown = [shown_in_colour(line) for line in ours]
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system="standard", highlight=False)
    for line in rich:
        console.print(line, soft_wrap=True)
    assert "".join(shown) == out.getvalue()


def shown_in_colour(line):
    out = io.StringIO()
    Writer(out, width=40, colour=True).write(line)
    return out.getvalue()


@given(PARTS)
def test_without_colour_the_text_alone_is_written(parts):
    out = io.StringIO()
    writer = Writer(out, width=40, colour=False)
    line = Text.assemble(*parts)
    line.append("end", "bold")
    writer.write(line)
    assert out.getvalue() == "".join(text for text, _ in parts) + "end\n"
    assert line.rstrip().plain == line.plain.rstrip()


def test_what_is_narrow_by_itself_is_so_for_rich():
    narrow = [char for char in map(chr, range(0x30000)) if styled._NARROW.fullmatch(char)]
    assert len(narrow) > 600
    assert {cell_len(char) for char in narrow} == {1}
    assert cell_len("".join(narrow)) == styled.cell_len("".join(narrow)) == len(narrow)
