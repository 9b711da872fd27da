"""How fast the checker is, beside pyx12's validator on the same files.

python bench/run.py [--claims 1000 10000] [--rounds 3] [--pyx12-claims 1000]

Each run is a process of its own, from start to end, and the two alternate: figures of one machine and one day
drift, their ratio does not drift much. This is no test: nothing fails because a machine is slow.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What pyx12's own command does with a file, without the acknowledgement that it would write.
PYX12 = """
import io, logging, sys
import pyx12.params, pyx12.x12n_document
logging.disable(logging.CRITICAL)
pyx12.x12n_document.x12n_document(pyx12.params.ParamsBase(), sys.argv[1], None, None)
"""

# A process that does nothing but start the interpreter: taken off the times of both.
NOTHING = "pass"


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of processor time and of the clock, and the peak of memory in MB, of one process."""

    cpu: float
    wall: float
    peak: float


def run(command: Sequence[str]) -> Run:
    """Run a command to its end, its output thrown away; exit code 1 (findings) is fine."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{' '.join(command[:6])} ended with {process.returncode}: {said.decode()[-500:]}")
    return Run(usage.ru_utime + usage.ru_stime, time.perf_counter() - began, usage.ru_maxrss / 1024)


def checker(path: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "edi_checker", "check", str(path), "--format", "json", "--no-progress"]
    return [*command, "--received", "2026-11-21", *options]


def make(folder: Path, claims: int, invalid: float) -> Path:
    path = folder / f"{claims}-{invalid:g}.837"
    with path.open("w") as out:
        command = [
            sys.executable,
            str(ROOT / "tests" / "generate_claims.py"),
            str(claims),
            "--invalid",
            str(invalid),
        ]
        subprocess.run(command, stdout=out, check=True)
    return path


def middle(runs: list[Run]) -> Run:
    return Run(
        statistics.median(r.cpu for r in runs),
        statistics.median(r.wall for r in runs),
        max(r.peak for r in runs),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--claims", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pyx12-claims", type=int, default=1000, help="claims that pyx12 gets in a round")
    given = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        idle = middle([run([sys.executable, "-c", NOTHING]) for _ in range(5)])
        cold = [run([sys.executable, "-m", "edi_checker", "--help"]) for _ in range(5)]
        one = make(folder, 1, 0.0)
        run(checker(one))  # fills the cache of the guide
        single = [run(checker(one)) for _ in range(5)]
        print(f"start of --help       {middle(cold).wall:8.3f} s")
        print(f"one claim, cold       {middle(single).wall:8.3f} s")
        print()
        print("  claims  faulty      MB  checker/s   pyx12/s   ratio  peak MB")
        for claims in given.claims:
            for invalid in (0.0, 0.05):
                path = make(folder, claims, invalid)
                reference = make(folder, min(claims, given.pyx12_claims), invalid)
                ours: list[Run] = []
                theirs: list[Run] = []
                for _ in range(given.rounds):
                    ours.append(run(checker(path)))
                    theirs.append(run([sys.executable, "-c", PYX12, str(reference)]))
                fast = claims / (middle(ours).cpu - idle.cpu)
                slow = min(claims, given.pyx12_claims) / (middle(theirs).cpu - idle.cpu)
                size = path.stat().st_size / 1e6
                print(
                    f"{claims:>8} {invalid:>7.0%} {size:>7.2f} {fast:>10.0f} {slow:>9.0f} {fast / slow:>7.1f}"
                    f" {middle(ours).peak:>8.0f}"
                )


if __name__ == "__main__":
    main()
