"""What the whole practitioner PTP set costs: to import, to have ready, to look up in, to check claims with.

python bench/tables.py [--claims 2000]

Needs the reference data (EDI_CHECKER_SHARED, or ../shared beside the checkout). This is no test: nothing
fails because a machine is slow.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

IMPORT = """
import resource, sys, time
from pathlib import Path
from edi_checker.reference.store import plan_import, run_import
began = time.perf_counter()
(release,) = run_import(Path(sys.argv[1]), plan_import(sys.argv[2:]))
seconds = time.perf_counter() - began
print(release.rows, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def look_up(folder: Path, count: int) -> None:
    from edi_checker.reference.store import open_tables
    from edi_checker.reference.tables import built_in

    built_in()
    chance = random.Random(1)
    many = [f"{chance.randrange(10_000, 99_999)}" for _ in range(2000)]
    usual = [f"{97000 + chance.randrange(10, 799)}" for _ in range(40)]
    kinds = {
        name: [(chance.choice(codes), chance.choice(codes)) for _ in range(count)]
        for name, codes in (("codes of a clinic", usual), ("codes of all kinds", many))
    }
    before = peak()
    began = time.perf_counter()
    tables = open_tables(folder, built_in())
    tables.ptp("97530", "97150", 20240203)
    print(f"ready                {time.perf_counter() - began:8.3f} s   {peak() - before:6.0f} MB more")
    for name, pairs in kinds.items():
        began = time.perf_counter()
        for one, two in pairs:
            tables.ptp(one, two, 20240203)
        seconds = time.perf_counter() - began
        print(f"{name:<20} {seconds / count * 1e6:8.2f} us a pair   {peak() - before:6.0f} MB more")


def check(folder: Path, store: Path, claims: int) -> None:
    """The same claims with the built-in and with the imported tables, alternating."""
    claims_file = folder / "claims.837"
    with claims_file.open("w") as out:
        command = [sys.executable, str(ROOT / "tests" / "generate_claims.py"), str(claims)]
        subprocess.run(command, stdout=out, check=True)
    empty = folder / "nothing"
    empty.mkdir()
    (empty / "manifest.json").write_text('{"schema": "edi-checker/tables/1", "releases": []}')
    base = [sys.executable, "-m", "edi_checker", "check", str(claims_file), "--format", "json"]
    best = {empty: 1e9, store: 1e9}
    for _ in range(5):
        for tables in (empty, store):
            began = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = [*base, "--received", "2026-11-21", "--no-progress", "--tables", str(tables)]
            subprocess.run(command, stdout=subprocess.DEVNULL, cwd=ROOT, check=False)
            ended = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
            best[tables] = min(best[tables], spent)
    print(f"check, built-in      {best[empty]:8.2f} s of processor for {claims:,} claims")
    print(f"check, whole table   {best[store]:8.2f} s   {best[store] / best[empty] - 1:+6.1%}")


def main() -> None:
    from make_cms_files import write_whole_ptp

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--claims", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=200_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_whole_ptp(folder)
        store = folder / "store"
        command = [sys.executable, "-c", IMPORT, str(store), *map(str, paths)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        rows, seconds, megabytes = done.stdout.split()
        print(
            f"import               {float(seconds):8.2f} s   {float(megabytes):6.0f} MB   {int(rows):,} rows"
        )
        look_up(store, given.pairs)
        check(folder, store, given.claims)


if __name__ == "__main__":
    main()
