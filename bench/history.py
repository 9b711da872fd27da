"""What the history costs: a file of returning patients checked with and without a ledger of many lines.

python bench/history.py [--rows 10000000] [--claims 4000] [--url URL] [--keep PATH]

A ledger is filled with rows of other patients, and with the first half of the file; the second half is then
checked in turn without a history and with it. A row is what a claim leaves for a day or a year; a claim of
this file has five lines, and leaves two or three rows. With --keep the ledger stays, and is used again where
it is there. Printed are seconds of the processor (the least of the rounds) and shares, without those of a
PostgreSQL server.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from claims import write_claims  # found beside this file
from edi_checker import rules
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.facts import Setting
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.guide.table import load
from edi_checker.history import HistorySource, InputHistory, Leaving, Opener, remember
from edi_checker.reference.tables import built_in
from edi_checker.run import Files, Watcher, check_input
from edi_checker.state import Entry, HistoryRun, Secret

RECEIVED = 20261121
_RUN = 250_000  # rows of one earlier file
_SECRET = Secret(bytes(range(32)))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    words.add_argument("--rows", type=int, default=10_000_000)
    words.add_argument("--claims", type=int, default=4_000)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--url")
    words.add_argument("--keep", type=Path)
    said = words.parse_args()
    with tempfile.TemporaryDirectory(dir=said.keep.parent if said.keep else None) as scratch:
        url = said.url or str(said.keep or Path(scratch) / "history.db")
        measure(
            HistorySource(url, _SECRET, True, time.time), Path(scratch), said.rows, said.claims, said.rounds
        )


def measure(source: HistorySource, scratch: Path, rows: int, claims: int, rounds: int) -> None:
    first, second = write_halves(scratch, claims)
    gc.freeze()  # as the command does
    gc.set_threshold(50_000, 20, 100)
    checker = Checker(load(), Engine(rules.load(), "durable"), Setting(RECEIVED, built_in()))
    with Opener(source) as ledger:
        begin = time.process_time()
        run = check(checker, first, scratch, source.begin(ledger, RECEIVED))
        assert run is not None
        made = list(run.entries)
        leave(ledger, "first half", made)
        fill(ledger, made, rows)
        print(f"{rows:,} rows: made and merged in {time.process_time() - begin:.0f} s")
        digest = hashlib.sha256(second.read_bytes()).hexdigest()
        without: list[float] = []
        with_it: list[float] = []
        kept: list[float] = []
        # What the second half leaves is committed once, at the end: the next round would meet it.
        for number in range(rounds + 1):
            times = (
                timed(checker, second, scratch, None),
                timed(checker, second, scratch, InputHistory(_SECRET, ledger, RECEIVED)),
                timed(checker, second, scratch, history := source.begin(ledger, RECEIVED)),
            )
            if number:  # the first round warms up
                for taken, one in zip((without, with_it, kept), times, strict=True):
                    taken.append(one)
        asked = len(history.asked or ())
        begin = time.process_time()
        leave(ledger, "second half", list(history.run().entries), digest)
        committed = time.process_time() - begin
    base = min(without)
    print(f"{claims // 2:,} claims without a history: {base:.2f} s; {asked / (claims // 2):.2f} keys a claim")
    for name, taken in (("looked up", with_it), ("looked up and collected", kept)):
        print(f"{name}: {min(taken):.2f} s, {100 * (min(taken) / base - 1):.1f} % more")
    print(f"committed: {committed:.2f} s, {100 * committed / base:.1f} % more")


def write_halves(scratch: Path, claims: int) -> tuple[Path, Path]:
    """A file of returning patients as two, each with half of the transaction sets."""
    whole = scratch / "whole.837"
    write_claims("second-returning", claims, whole)
    text = whole.read_text()
    head, *sets = text.split("ST*837*")
    *sets, last = sets
    last, _, end = last.partition("\nGE*")
    sets.append(f"{last}\n")
    half = len(sets) // 2
    paths = scratch / "one.837", scratch / "two.837"
    for path, some in zip(paths, (sets[:half], sets[half:]), strict=True):
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


def timed(checker: Checker, path: Path, scratch: Path, history: InputHistory | None) -> float:
    begin = time.process_time()
    check(checker, path, scratch, history)
    return time.process_time() - begin


def fill(ledger: Opener, like: list[Entry], rows: int) -> None:
    """Files of other patients: the same rows under keys that are nobody's."""
    for number in range(len(ledger().list_files(limit=10_000)), -(-rows // _RUN) + 1):
        leave(ledger, f"filler {number}", list(_others(like, min(rows, _RUN))))
    while ledger().merge_history():
        pass


def _others(like: list[Entry], rows: int) -> Iterator[Entry]:
    noise = os.urandom(16 * rows)
    for number in range(rows):
        yield like[number % len(like)]._replace(key=noise[16 * number : 16 * number + 16], place=number)


def leave(ledger: Opener, name: str, entries: list[Entry], sha256: str = "") -> None:
    past = ledger().past(sha256)
    run = HistoryRun(_SECRET.fingerprint, past.snapshot, frozenset(), entries)
    digest = sha256 or hashlib.sha256(name.encode()).hexdigest()
    remember(ledger(), "bench", Leaving(name, 0, digest, "bench", run))


if __name__ == "__main__":
    main()
