"""Whether Spark writes what local workers write, and how much faster two executors are than one.

python bench/lake.py [--claims 200000] [--shape sets one files] [--rounds 1] [--json FILE]

Each shape is checked by local workers, by one executor and by two, in turn. All files written are compared
byte for byte. Seconds are those of the batch, without the start of Spark. Exit code 1 where files differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kills import ROOT, SHAPES, compare_folders, make_input

WAYS = {
    "local": ("--workers", "2"),
    "one": ("--engine", "spark", "--master", "local-cluster[1,1,1024]", "--workers", "1"),
    "two": ("--engine", "spark", "--master", "local-cluster[2,1,1024]", "--workers", "2"),
}


def run_batch(source: Path, folder: Path, way: str) -> float:
    """Run a batch to its end; gives its seconds."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "edi_checker", "batch", str(source), "--out-dir", str(folder)]
    command += ["--received", "2026-11-21", "--no-progress", *WAYS[way]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        print(f"{way} ended with {done.returncode}: {done.stderr[-500:]}", file=sys.stderr)
        sys.exit(2)
    return float(json.loads((folder / "summary.json").read_text())["run"]["seconds"])


def measure(claims: int, shape: str, rounds: int, scratch: Path) -> dict[str, object]:
    """The median seconds of each way over the same input, and which files differ from the local ones."""
    with tempfile.TemporaryDirectory(dir=scratch) as work:
        folder = Path(work)
        source = make_input(folder / "in", claims, shape, 0.05)
        seconds: dict[str, list[float]] = {way: [] for way in WAYS}
        different: set[str] = set()
        for _ in range(rounds):
            for way in WAYS:
                seconds[way].append(run_batch(source, folder / way, way))
                different.update(compare_folders(folder / "local", folder / way))
        medians = {way: statistics.median(each) for way, each in seconds.items()}
        return {
            "claims": claims,
            "shape": shape,
            "load": round(os.getloadavg()[0], 1),
            **{way: round(each, 1) for way, each in medians.items()},
            "efficiency": round(medians["one"] / medians["two"] / 2, 2),
            "different": sorted(different),
        }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--claims", type=int, nargs="+", default=[200_000])
    parser.add_argument("--shape", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args(arguments)

    rows = []
    print("   claims shape  local s    one s    two s  efficiency   load  files")
    for claims in given.claims:
        for shape in given.shape:
            row = measure(claims, shape, given.rounds, given.scratch)
            rows.append(row)
            files = f"differ: {row['different']}" if row["different"] else "the same"
            print(
                f"{row['claims']:>9} {shape:<5} {row['local']:>8} {row['one']:>8} {row['two']:>8}"
                f" {row['efficiency']:>11} {row['load']:>6}  {files}",
                flush=True,
            )
            if given.json is not None:
                given.json.write_text(json.dumps({"runs": rows}, indent=1) + "\n")
    return 1 if any(row["different"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
