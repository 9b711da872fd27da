"""Whether a batch whose workers are killed all the time ends with the same files, and what it costs.

python bench/kills.py [--claims 20000 100000] [--shape sets one files] [--workers 2] [--every 4] [--json FILE]

Everything is checked twice: undisturbed, and while a worker taken at random is killed (SIGKILL) every few
seconds. All files written are compared byte for byte. Exit code 1 where any differs, 2 where a run fails.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# One file of sets of 1,000 claims, one file that is a single set, many files of a single set each.
SHAPES = ("sets", "one", "files")
_OF_SET = 1000
_OF_FILE = 250
_BETWEEN = 0.5  # seconds between two looks at the memory


@dataclass(frozen=True, slots=True)
class Plan:
    """How each batch is run: `every` in seconds between two kills, `options` for the command."""

    workers: int
    every: float
    options: tuple[str, ...]


@dataclass(slots=True)
class Seen:
    """What was seen of a run: kills, and the peaks of memory in MB of the parent and of all its workers.

    Memory is the proportional set size: what processes share is counted once over all of them.
    """

    kills: int = 0
    parent: float = 0.0
    workers: float = 0.0
    together: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One batch: seconds of the clock from start to end, and what was seen."""

    seconds: float
    seen: Seen
    said: dict[str, object] = field(default_factory=dict)


def make_input(folder: Path, claims: int, shape: str, invalid: float) -> Path:
    """A file of invented claims, or a folder of them; `invalid` of them (0..1) have a fault."""
    sys.path.insert(0, str(ROOT / "tests"))
    from generate_claims import generate

    of_file = _OF_FILE if shape == "files" else claims
    of_set = _OF_SET if shape == "sets" else of_file
    folder.mkdir()
    for number, first in enumerate(range(0, claims, of_file)):
        with (folder / f"{number:06}.837").open("w") as out:
            count = min(of_file, claims - first)
            out.writelines(generate(count, seed=number, invalid=invalid, per_transaction=of_set))
    return folder


def run_batch(source: Path, folder: Path, plan: Plan, *, kill: bool) -> Outcome:
    """Run a batch to its end; with `kill`, with workers killed on the way."""
    command = [sys.executable, "-m", "edi_checker", "batch", str(source), "--out-dir", str(folder)]
    command += ["--workers", str(plan.workers), "--received", "2026-11-21", "--no-progress", *plan.options]
    chance, seen = random.Random(1), Seen()
    began = time.monotonic()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, ended, seen))
        watcher.start()
        killer = threading.Thread(target=_kill, args=(process.pid, ended, seen, plan.every, chance))
        if kill:
            killer.start()
        _, said = process.communicate()
        seconds = time.monotonic() - began
        ended.set()
        watcher.join()
        if kill:
            killer.join()
    if process.returncode not in (0, 1):
        print(f"{' '.join(command[2:5])} ended with {process.returncode}: {said[-500:]}", file=sys.stderr)
        sys.exit(2)
    run = json.loads((folder / "summary.json").read_text())["run"]
    return Outcome(seconds, seen, run)


def compare_folders(one: Path, other: Path) -> list[str]:
    """Names of the files that are not the same in both; how long the run took is no matter."""
    names = {file.name for folder in (one, other) for file in folder.iterdir()}
    return sorted(name for name in names if not _same(one / name, other / name))


def _same(one: Path, other: Path) -> bool:
    if not (one.exists() and other.exists()):
        return False
    if one.name == "summary.json":
        wholes = [json.loads(file.read_text()) for file in (one, other)]
        for whole in wholes:
            del whole["run"]
        return bool(wholes[0] == wholes[1])
    if one.name.startswith("."):  # inputs are noted as they are done
        return sorted(one.read_bytes().splitlines()) == sorted(other.read_bytes().splitlines())
    with one.open("rb") as first, other.open("rb") as second:
        while True:
            piece = first.read(1 << 20)
            if piece != second.read(1 << 20):
                return False
            if not piece:
                return True


def _watch(parent: int, ended: threading.Event, seen: Seen) -> None:
    while True:
        own, others = _memory_of(parent), sum(_memory_of(worker) for worker in _workers_of(parent))
        seen.parent = max(seen.parent, own)
        seen.workers = max(seen.workers, others)
        seen.together = max(seen.together, own + others)
        if ended.wait(_BETWEEN):
            return


def _kill(parent: int, ended: threading.Event, seen: Seen, every: float, chance: random.Random) -> None:
    while not ended.wait(every * chance.uniform(0.5, 1.5)):
        workers = _workers_of(parent)
        if workers:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
                seen.kills += 1


def _workers_of(parent: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def _memory_of(process: int) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def measure(claims: int, shape: str, invalid: float, plan: Plan, scratch: Path) -> dict[str, object]:
    """Both runs over one file, and whether they came to the same."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        source = make_input(folder / "in", claims, shape, invalid)
        quiet = run_batch(source, folder / "quiet", plan, kill=False)
        killed = run_batch(source, folder / "killed", plan, kill=True)
        return {
            "claims": claims,
            "shape": shape,
            "faulty": invalid,
            "megabytes": round(sum(file.stat().st_size for file in source.iterdir()) / 1e6, 1),
            "workers": plan.workers,
            "different": compare_folders(folder / "quiet", folder / "killed"),
            **{
                name: {"claims_per_second": round(claims / run.seconds), **asdict(run)}
                for name, run in (("quiet", quiet), ("killed", killed))
            },
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--claims", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--faulty", type=float, default=0.05, help="part of the claims with a fault, 0..1")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two kills, on average")
    parser.add_argument("--tables", help="a store of imported tables")
    parser.add_argument("--scratch", type=Path, help="where files are made and taken away again")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args(arguments)

    options = ("--tables", given.tables) if given.tables else ()
    plan = Plan(given.workers, given.every, options)
    rows = []
    print("   claims shape      MB   claims/s    killed  kills  parent MB  workers MB  together MB  files")
    for claims in given.claims:
        for shape in given.shape:
            row = measure(claims, shape, given.faulty, plan, given.scratch or Path(tempfile.gettempdir()))
            rows.append(row)
            print(_line(row), flush=True)
            if given.json is not None:
                given.json.write_text(json.dumps({"runs": rows}, indent=1) + "\n")
    return 1 if any(row["different"] for row in rows) else 0


def _line(row: dict[str, object]) -> str:
    quiet, killed = row["quiet"], row["killed"]
    assert isinstance(quiet, dict)
    assert isinstance(killed, dict)
    peaks = [max(quiet["seen"][name], killed["seen"][name]) for name in ("parent", "workers", "together")]
    same = f"differ: {row['different']}" if row["different"] else "the same"
    return (
        f"{row['claims']:>9} {row['shape']:<5} {row['megabytes']:>7}"
        f" {quiet['claims_per_second']:>10} {killed['claims_per_second']:>9} {killed['seen']['kills']:>6}"
        f" {peaks[0]:>10.0f} {peaks[1]:>11.0f} {peaks[2]:>12.0f}  {same}"
    )


if __name__ == "__main__":
    sys.exit(main())
