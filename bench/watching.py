"""How many files a second the drop folder answers: `watch --once` over small files of the second maker.

python bench/watching.py [--files 1000] [--claims 10] [--workers N] [--url URL ...]

Each URL is a ledger of its own, emptied by nobody: name a new database. Without one a new file in SQLite is
taken. All places lie in a temporary folder of TMPDIR; its disk decides how long the flushes take.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from second_maker import make  # found beside this file

ROOT = Path(__file__).resolve().parent.parent


def write_files(folder: Path, files: int, claims: int) -> None:
    """Files of so many claims each, under control numbers of their own."""
    folder.mkdir(parents=True)
    for number in range(files):
        text = "".join(piece.text for piece in make("noisy", claims, seed=number))
        (folder / f"{number:06d}.837").write_text(text)


def measure(files: int, claims: int, workers: int, url: str) -> tuple[float, int]:
    """Seconds, and the files that were answered."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        write_files(root / "in", files, claims)
        words = [
            sys.executable,
            "-m",
            "edi_checker",
            "watch",
            "in",
            "--out-dir",
            "out",
            "--archive",
            "archive",
        ]
        words += ["--state", url or "ledger.db", "--once", "--settle", "0s", "--workers", str(workers)]
        begin = time.perf_counter()
        subprocess.run(
            words,
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        return time.perf_counter() - begin, len(list((root / "out").glob("*.json")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--claims", type=int, default=10)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--url", action="append", default=[])
    given = parser.parse_args()
    for url in ("", *given.url):
        seconds, answered = measure(given.files, given.claims, given.workers, url)
        store = url.partition(":")[0] or "sqlite"
        print(f"{store:12} {answered} files of {given.claims} claims, {answered / seconds:.1f} a second")


if __name__ == "__main__":
    main()
