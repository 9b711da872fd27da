"""Measures speed and memory of the checker, beside pyx12's validator and others, on files that it makes.

python bench/run.py [--peers] [--full] [--write] [--sections pyx12 size ...] [--profile]

Without options: some minutes of small files, and the tables are printed. `--full` takes the sizes of the
page, a million claims among them: an hour or more, and 3 GB of disk while it lasts. `--write` keeps the
figures in bench/figures.json and writes docs/performance.md, docs/performance.svg and the paragraph of
README.md anew from all that is kept there: sections can be measured one at a time. `--page` only writes, from
what is kept, and `--page --kills FILE` also from what `kills.py --json FILE` wrote. This is no test: nothing
fails because a machine is slow.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import measures
from chart import draw
from figures import Figures, Measured, load, save
from measures import ROOT, Sizes, Wrong
from page import SECTIONS, read_account, tell_goals, write_page, write_readme

KEPT = ROOT / "bench" / "figures.json"
ACCOUNT = ROOT / "bench" / "account.md"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
WORKERS = tuple(sorted({1, 2, CORES}))
SMALL = Sizes(claims=3_000, peer_claims=300, ladder=(1_000, 10_000, 20_000), rounds=3, workers=WORKERS)
FULL = Sizes(
    claims=100_000,
    peer_claims=2_000,
    ladder=(1_000, 10_000, 100_000, 1_000_000),
    rounds=3,
    workers=WORKERS,
)
PLAIN: dict[str, Callable[[Path, Sizes], list[Measured]]] = {
    "pyx12": measures.beside_pyx12,
    "start": measures.start,
    "size": measures.ladder,
    "files": measures.small_files,
    "shapes": measures.shapes,
    "steps": measures.steps,
    "outputs": measures.outputs,
    "workers": measures.workers,
    "rules": measures.rules,
}


def measure(section: str, figures: Figures, scratch: Path, sizes: Sizes) -> None:
    """Measure a section and put it into the figures. Raises Wrong."""
    day = f"{datetime.now().astimezone():%Y-%m-%d}"
    figures.machine = describe_machine()
    if section == "peers":
        measured, figures.skipped = measures.beside_peers(scratch, sizes)
        figures.put(section, day, measured)
    elif section == "stages":
        said = measures.stages(scratch, sizes, "sample")
        assert isinstance(said, dict)
        figures.stages, figures.days[section] = {str(key): float(said[key]) for key in said}, day
    else:
        figures.put(section, day, PLAIN[section](scratch, sizes))


def take_kills(figures: Figures, path: Path) -> None:
    """Take in what `kills.py --json` wrote."""
    figures.kills = json.loads(path.read_text())["runs"]
    figures.days["kills"] = f"{datetime.fromtimestamp(path.stat().st_mtime).astimezone():%Y-%m-%d}"


def write(figures: Figures) -> None:
    """Write the page, the chart and the paragraph of README.md."""
    docs, readme = ROOT / "docs", ROOT / "README.md"
    (docs / "performance.md").write_text(write_page(figures, read_account(ACCOUNT)))
    (docs / "performance.svg").write_text(draw(figures))
    readme.write_text(write_readme(readme.read_text(), figures))


def describe_machine() -> str:
    """The machine in general words: make of the processor, cores, memory, system, Python."""
    make = platform.processor() or platform.machine()
    known = Path("/proc/cpuinfo")
    if known.exists():
        names = [line.partition(":")[2] for line in known.read_text().splitlines() if "model name" in line]
        make = " ".join(names[0].split()[:2]) if names else make
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{CORES} cores of a machine with {make} processors and {memory:.0f} GB of memory, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def choose_sizes(given: argparse.Namespace) -> Sizes:
    usual = FULL if given.full else SMALL
    return Sizes(
        claims=given.claims or usual.claims,
        peer_claims=given.peer_claims or usual.peer_claims,
        ladder=tuple(sorted(given.sizes or usual.ladder)),
        rounds=given.rounds or usual.rounds,
        workers=tuple(sorted({1, *(given.workers or usual.workers)})),
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--full", action="store_true", help="the sizes of the page: an hour or more")
    parser.add_argument("--claims", type=int, help="claims of most runs")
    parser.add_argument("--peer-claims", type=int, help="claims that pyx12 and the others get")
    parser.add_argument("--sizes", type=int, nargs="+", help="claims of the files of growing size")
    parser.add_argument("--rounds", type=int, help="how often each is run")
    parser.add_argument("--workers", type=int, nargs="+", help="numbers of processes")
    parser.add_argument("--peers", action="store_true", help="install other programs and run them too")
    parser.add_argument("--sections", nargs="+", choices=[*PLAIN, "peers", "stages"], help="only these")
    parser.add_argument("--profile", action="store_true", help="print a profile by stage, and do no more")
    parser.add_argument("--kills", type=Path, metavar="FILE", help="take in what kills.py wrote")
    parser.add_argument("--write", action="store_true", help="keep the figures, write page, chart and README")
    parser.add_argument("--page", action="store_true", help="write page, chart and README from what is kept")
    given = parser.parse_args(arguments)

    figures = load(KEPT)
    if given.kills:
        take_kills(figures, given.kills)
    sections = given.sections or [*PLAIN, "stages", *(["peers"] if given.peers else [])]
    with tempfile.TemporaryDirectory(prefix="edi-bench-") as name:
        scratch, sizes = Path(name), choose_sizes(given)
        try:
            if given.profile:
                print(*_lines(measures.stages(scratch, sizes, "profile")), sep="\n")
                return 0
            for section in [] if given.page else sections:
                measure(section, figures, scratch, sizes)
                print(SECTIONS[section](figures), flush=True)
                if given.write:
                    save(figures, KEPT)
        except Wrong as wrong:
            print(f"wrong, so not measured: {wrong}", file=sys.stderr)
            return 2
    print(tell_goals(figures))
    if given.write or given.page:
        save(figures, KEPT)
        write(load(KEPT))  # they are kept rounded, and the page is what they say then
    return 0


def _lines(said: object) -> list[str]:
    assert isinstance(said, list)
    return [str(line) for line in said]


if __name__ == "__main__":
    sys.exit(main())
