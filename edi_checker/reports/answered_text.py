"""A list of answered claims for people at a terminal: what must be fixed, what waits, what was accepted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import TextIO

from rich.console import Console
from rich.text import Text

from edi_checker.acks.answered import Row, WorkList
from edi_checker.acks.explain import Statement
from edi_checker.acks.heaps import HEAPS, Heap
from edi_checker.reports.answer_text import LABELS, open_console, print_wrapped, write_statements
from edi_checker.reports.answered_json import say_before, say_days, say_heap, say_top
from edi_checker.x12.money import show_dollars

MOST_ROWS = 10_000  # of one heap
_STYLES: dict[Heap, str] = {"fix": "red", "wait": "yellow", "unanswered": "cyan", "leave": "green"}


def write_text(work: WorkList, out: TextIO, *, width: int, colour: bool) -> None:
    """Claim by claim where files of claims are known, otherwise answer by answer."""
    console = open_console(out, width=width, colour=colour)
    top = say_top(work)
    for sentence in top:
        print_wrapped(console, Text(""), Text(sentence, "bold"))
    if not work.has_claims:
        if top:
            console.print()
        _write_answers(console, work)
        return
    for known in (True, False):
        sums = work.sums(known=known)
        if not known and sums.claims:
            console.print()
            console.print(Text("Not found in the claim files", "bold underline"))
        for heap, title in HEAPS.items():
            if sums.claims[heap]:
                console.print()
                head = Text(title, f"bold {_STYLES[heap]}")
                console.print(head.append(f"   {say_heap(heap, sums)}", "not bold"))
                _write_rows(console, heap, work.rows(heap, known=known), sums.claims[heap])
    _write_loose(console, work)


def _write_answers(console: Console, work: WorkList) -> None:
    answers = [source for source in work.sources() if source.role == "answer" and not source.reason]
    write_statements(console, _under_headings(console, work, several=len(answers) > 1))


def _under_headings(console: Console, work: WorkList, *, several: bool) -> Iterator[Statement]:
    """Each statement; the path of a file is printed before its first."""
    last = None
    for file, path, said in work.statements():
        if several and file != last:
            console.print(*([] if last is None else [""]), Text(path, "bold underline"), sep="\n")
        last = file
        yield said


def _write_rows(console: Console, heap: Heap, rows: Iterator[Row], count: int) -> None:
    """Claims of which the same is said stand above what is said of them."""
    shown = 0
    for _, group in groupby(islice(rows, MOST_ROWS), _reason_of):
        last = None
        if shown and heap != "leave":
            console.print()
        for last in group:
            parts = (last.claim or "(not named)", last.patient, say_days(last), _charge(last))
            console.print(Text("  ").append("   ".join(filter(None, parts)), "bold"), soft_wrap=True)
            shown += 1
        if last is not None and (heap != "leave" or last.outcome == "rejected"):
            _write_reason(console, last)
    if shown < count:
        console.print(f"  and {count - shown:,} more; the other formats have all of them")


def _reason_of(row: Row) -> tuple[object, ...]:
    if row.heap == "leave" and row.outcome != "rejected":
        return (row.outcome, "", "", "", "")
    return row.says, row.advice, row.codes, row.source, row.before


def _write_reason(console: Console, row: Row) -> None:
    indent = Text("    ")
    for number, sentence in enumerate(row.says):
        text = Text(sentence)
        if number == len(row.says) - 1 and row.codes:
            text.append(f"  {' '.join(row.codes)}", "dim")
        print_wrapped(console, indent, text)
    for advice in row.advice:
        print_wrapped(console, indent, Text(f"> {advice}", "bold"))
    if row.source:
        said = f"{row.kind}, {row.source}. {say_before(row)}".rstrip()
        print_wrapped(console, indent, Text(said, "dim"))


def _charge(row: Row) -> str:
    return "charge not known" if row.charge is None else show_dollars(row.charge)


def _write_loose(console: Console, work: WorkList) -> None:
    """What is said of no claim of the list."""
    for number, said in enumerate(work.loose()):
        if number == 0:
            console.print()
            console.print(Text("Also said", "bold underline"))
        label, style = LABELS[said.outcome]
        text = Text(said.text).append(f"  {' '.join(said.codes)}" if said.codes else "", "dim")
        if said.advice:
            text.append(f"\n> {said.advice}", "bold")
        text.append(f"\n{said.source}", "dim")
        print_wrapped(console, Text("  ").append(f"{label} ", style), text)
