"""What the history costs: a file of returning patients checked with and without a ledger of many lines.

python bench/history.py [--rows 4300000] [--claims 4000] [--rounds 5] [--strangers] [--url URL] [--keep PATH]

A ledger is filled with rows of other patients, and with the first half of the file (not with --strangers);
the second half, of the same patients on other days, is then checked in turn without a history and with it. A
row is what a claim leaves for a day or a year; a claim of this file has five lines, and leaves two or three
rows: 4,300,000 are some ten million lines. CLAIMS is a multiple of 1,000.

With --keep, or a URL, the ledger stays, and is used again where it is there.

Printed are seconds of this process's processor, for PostgreSQL without those of its server, and of the clock.
The file is checked in pieces, of each of which the least of the rounds counts: so what else the machine does
matters little. Behind it stands the median of the rounds as wholes.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.claims.checked import Checked
from edi_checker.facts import InputMemory, Setting
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.guide.table import load
from edi_checker.reference.tables import built_in
from edi_checker.run.history import HistorySource, InputHistory, Leaving, Opener, remember
from edi_checker.run.one_input import Files, Watcher, check_input
from edi_checker.state import Entry, HistoryRun, Secret
from second_maker import make  # found beside this file

RECEIVED = 20261121
_RUN = 250_000  # rows of one earlier file
_HALF_A_BLOCK = 500  # claims: the patients of 1,000 are the same, who come again in each half
_PIECE = 40  # parts of the input that are measured together
_SECRET = Secret(bytes(range(32)))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words.add_argument("--rows", type=int, default=4_300_000)
    words.add_argument("--claims", type=int, default=4_000)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--strangers", action="store_true")
    words.add_argument("--url")
    words.add_argument("--keep", type=Path)
    said = words.parse_args()
    with tempfile.TemporaryDirectory(dir=said.keep.parent if said.keep else None) as scratch:
        url = said.url or str(said.keep or Path(scratch) / "history.db")
        source = HistorySource(url, _SECRET, True, time.time)
        with Opener(source) as ledger:
            measure(source, ledger, Path(scratch), said)


def measure(source: HistorySource, ledger: Opener, scratch: Path, said: argparse.Namespace) -> None:
    first, second = write_halves(scratch, said.claims)
    gc.freeze()  # as the command does
    gc.set_threshold(50_000, 20, 100)
    checker = Marking(load(), Engine(rules.load(), "durable"), Setting(RECEIVED, built_in()))
    begin = time.process_time()
    run = check(checker, first, scratch, source.begin(ledger, RECEIVED))
    assert run is not None
    made = list(run.entries)
    known = leave(ledger, "first half", made, digest_of(first))
    if said.strangers:
        ledger().drop_history(known)
    fill(ledger, made, said.rows)
    print(f"{said.rows:,} rows: made and merged in {time.process_time() - begin:.0f} s")
    ways: dict[str, Callable[[], InputHistory | None]] = {
        "without a history": lambda: None,
        "looked up": lambda: InputHistory(_SECRET, ledger, RECEIVED),
        "looked up and collected": lambda: source.begin(ledger, RECEIVED),
    }
    # What the second half leaves is committed once, at the end: the next round would meet it.
    taken: dict[str, list[list[Spent]]] = {name: [] for name in ways}
    for number in range(said.rounds + 1):
        for name, begun in ways.items():
            check(checker, second, scratch, history := begun())
            if number:  # the first round warms up
                taken[name].append(list(checker.spent))
    assert history is not None
    begin = time.process_time()
    file = leave(ledger, "second half", list(history.run().entries), digest_of(second))
    committed = time.process_time() - begin
    ledger().drop_history(file)
    merge(ledger)
    claims = said.claims // 2
    base = least(taken["without a history"])
    print(f"{claims:,} claims, {len(history.asked or ()) / claims:.2f} keys a claim")
    for name, rounds in taken.items():
        print(f"{name}: {told(least(rounds), base, claims)}; {middle(rounds, taken['without a history'])}")
    print(f"committed: {1e6 * committed / claims:.0f} us a claim")


def digest_of(path: Path) -> str:
    """Under which a file is known again, so that it is not held against itself where the ledger has it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Spent(NamedTuple):
    """Seconds of the processor and of the clock."""

    processor: float
    clock: float


class Marking(Checker):
    """A checker that notes what each piece of an input takes, with all that is done about it."""

    spent: ClassVar[list[Spent]] = []  # of the last input

    def check(self, stream: BinaryIO, memory: InputMemory | None = None) -> Iterator[Checked]:
        self.spent.clear()
        begin = Spent(time.process_time(), time.perf_counter())
        for number, part in enumerate(super().check(stream, memory), 1):
            yield part
            if number % _PIECE == 0:
                now = Spent(time.process_time(), time.perf_counter())
                self.spent.append(Spent(*(after - before for after, before in zip(now, begin, strict=True))))
                begin = now


def least(rounds: list[list[Spent]]) -> Spent:
    pieces = list(zip(*rounds, strict=True))
    return Spent(*(sum(min(each[way] for each in piece) for piece in pieces) for way in range(2)))


def middle(rounds: list[list[Spent]], bases: list[list[Spent]]) -> str:
    """How much more processor a round took than the one without a history beside it: the median."""
    sums = [[sum(piece.processor for piece in each) for each in all_of] for all_of in (rounds, bases)]
    more = statistics.median(one / of - 1 for one, of in zip(*sums, strict=True))
    return f"median of rounds {100 * more:+.1f} %"


def told(spent: Spent, base: Spent, claims: int) -> str:
    said = [f"{1e6 * one / claims:.0f} us a claim" for one in spent]
    more = [
        f"{1e6 * (one - of) / claims:+.0f} us, {100 * (one / of - 1):+.1f} %"
        for one, of in zip(spent, base, strict=True)
    ]
    return f"processor {said[0]} ({more[0]}), clock {said[1]} ({more[1]})"


def write_halves(scratch: Path, claims: int) -> tuple[Path, Path]:
    """A file of returning patients as two: the patients of each come in the other too."""
    text = "".join(piece.text for piece in make("returning", claims, per_transaction=_HALF_A_BLOCK))
    head, *sets = text.split("ST*837*")
    *sets, last = sets
    last, _, end = last.partition("\nGE*")
    sets.append(f"{last}\n")
    paths = scratch / "one.837", scratch / "two.837"
    for path, some in zip(paths, (sets[::2], sets[1::2]), strict=True):
        counted = f"GE*{len(some)}{end[end.index('*') :]}"
        path.write_text(head + "".join(f"ST*837*{each}" for each in some) + counted)
    return paths


def check(checker: Checker, path: Path, scratch: Path, history: InputHistory | None) -> HistoryRun | None:
    [source] = find_inputs([str(path)], None)
    with OutputFolder(scratch / "out", alone=False, inputs={str(path)}) as folder:
        files = Files(folder, acks=True, version="bench", page=False)
        watcher = Watcher(lambda _: None, lambda: None, lambda _: None)
        result = check_input(
            checker, source, "out", report=None, files=files, watcher=watcher, history=history
        )
    assert result.summary.outcome == "accepted", result
    return history.run() if history is not None and history.keeps else None


def fill(ledger: Opener, like: list[Entry], rows: int) -> None:
    """Files of other patients: the same rows under keys that are nobody's."""
    there = {file.name for file in ledger().list_files(limit=10_000)}
    for number in range(-(-rows // _RUN)):
        if (name := f"filler {number}") not in there:
            leave(ledger, name, list(_others(like, min(rows, _RUN))))
    merge(ledger)


def merge(ledger: Opener) -> None:
    while ledger().merge_history():
        pass


def _others(like: list[Entry], rows: int) -> Iterator[Entry]:
    noise = os.urandom(16 * rows)
    for number in range(rows):
        yield like[number % len(like)]._replace(key=noise[16 * number : 16 * number + 16], place=number)


def leave(ledger: Opener, name: str, entries: list[Entry], sha256: str = "") -> int:
    """Put a file into the ledger; its id."""
    digest = sha256 or hashlib.sha256(name.encode()).hexdigest()
    past = ledger().past(digest)
    run = HistoryRun(_SECRET.fingerprint, past.snapshot, frozenset(), entries)
    remember(ledger(), "bench", Leaving(name, 0, digest, "bench", run))
    return ledger().list_files(sha256=digest, limit=1)[0].id


if __name__ == "__main__":
    main()
