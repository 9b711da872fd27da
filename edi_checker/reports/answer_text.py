"""What answers say, statement by statement, for people at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TextIO

from rich.console import Console
from rich.text import Text

from edi_checker.acks.explain import Statement, whole_outcome
from edi_checker.acks.narrator import About
from edi_checker.acks.words import Outcome

# How far a statement is indented below what it belongs to.
_DEPTH: dict[About, int] = {
    "file": 0,
    "interchange": 0,
    "group": 0,
    "batch": 0,
    "transaction": 1,
    "provider": 1,
    "segment": 2,
    "claim": 2,
    "line": 3,
}
# How an outcome is marked, and the last line.
LABELS: dict[Outcome, tuple[str, str]] = {
    "accepted": ("accepted", "green"),
    "received": ("received", "cyan"),
    "noted": ("noted", "yellow"),
    "unclear": ("unclear", "magenta"),
    "rejected": ("REJECTED", "red"),
}
_LAST: dict[Outcome, str] = {
    "accepted": "Everything that is answered here was accepted.",
    "received": "Nothing was rejected; what was received is not yet said to be accepted.",
    "noted": "Nothing was rejected; some of it is not settled, or needs a look.",
    "unclear": "Not all of this could be explained: do not take it as accepted.",
    "rejected": "Something was rejected.",
}


def open_console(out: TextIO, *, width: int, colour: bool) -> Console:
    return Console(
        file=out,
        width=width,
        height=25,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_wrapped(console: Console, head: Text, text: Text) -> None:
    """The text behind its head, and below itself where it is longer than the line."""
    for line in text.wrap(console, max(console.width - len(head), 20), overflow="fold"):
        line.rstrip()
        console.print(head + line, soft_wrap=True)
        head = Text(" " * len(head))


def write_statements(console: Console, statements: Iterable[Statement]) -> None:
    """Every statement with what to do, and a last line."""
    seen: Counter[tuple[About, Outcome]] = Counter()
    for statement in statements:
        seen[statement.about, statement.outcome] += 1
        label, style = LABELS[statement.outcome]
        text = Text(statement.text)
        if statement.codes:
            text.append(f"  {' '.join(statement.codes)}", "dim")
        if statement.advice:
            text.append(f"\n> {statement.advice}", "bold")
        head = Text(" " * 2 * _DEPTH[statement.about]).append(f"{label} ", style)
        print_wrapped(console, head, text)
    outcome = whole_outcome(seen)
    _, style = LABELS[outcome]
    rejected = seen["claim", "rejected"]
    console.print()
    console.print(Text(_LAST[outcome] + (f" Claims rejected: {rejected}." if rejected else ""), style))
