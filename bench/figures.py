"""What was measured: runs of processes, kept in one file, so that a page can be written anew from it."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of processor time and of the clock, and the peak of memory in MB, of one process."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One thing that was run several times, in turn with the others of its section.

    `size` are the bytes of `claims` claims; `count` is what the section counts beside them: rules, workers,
    files.
    """

    section: str
    name: str
    claims: int
    size: int
    runs: tuple[Run, ...]
    count: int = 0

    @property
    def cpu(self) -> float:
        return statistics.median(run.cpu for run in self.runs)

    @property
    def wall(self) -> float:
        return statistics.median(run.wall for run in self.runs)

    @property
    def peak(self) -> float:
        """Of all runs: memory is not noise."""
        return max(run.peak for run in self.runs)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast: the median of the rounds, and the least and the most of them."""

    middle: float
    least: float
    most: float


@dataclass(slots=True)
class Figures:
    """All that the page tells. `days` says for each section when it was measured, `stages` the part of the
    time (0..1) that each stage takes, `skipped` why a program could not be measured, `kills` the rows of
    kills.py.
    """

    machine: str = ""
    days: dict[str, str] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    kills: list[dict[str, Any]] = field(default_factory=list)

    def put(self, section: str, day: str, measured: list[Measured]) -> None:
        """Put a section in place of what was measured of it before."""
        self.measured = [one for one in self.measured if one.section != section] + measured
        self.days[section] = day

    def of(self, section: str) -> list[Measured]:
        return [one for one in self.measured if one.section == section]

    def pair(self, section: str, name: str) -> tuple[Measured, Measured] | None:
        """The one of that name of the most claims and the one of the fewest; None where it has one size."""
        found = sorted((one for one in self.of(section) if one.name == name), key=lambda one: one.claims)
        return (found[-1], found[0]) if found and found[-1].claims > found[0].claims else None

    def one(self, section: str, name: str, *, claims: int | None = None) -> Measured | None:
        """The one of that name; with `claims` None the one of the most claims."""
        found = [
            one for one in self.of(section) if one.name == name and (claims is None or one.claims == claims)
        ]
        return max(found, key=lambda one: one.claims, default=None)


def rates(many: Measured, few: Measured, clock: str = "cpu") -> list[float]:
    """Claims a second of each round, by what many claims take more than few: start and end fall out.

    Where many took no longer, on a machine that was busy meanwhile, start and end are left in.
    """
    least = statistics.median(getattr(run, clock) for run in few.runs)
    taken = [getattr(run, clock) for run in many.runs]
    more = many.claims - few.claims
    return [more / (each - least) if each > least else many.claims / each for each in taken]


def compare(ours: list[float], theirs: list[float]) -> Ratio:
    """Ratios round by round: what ran in turn had the same machine."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def load(path: Path) -> Figures:
    """Figures of an earlier run; none where there is no such file."""
    if not path.exists():
        return Figures()
    whole = json.loads(path.read_text())
    whole["measured"] = [
        Measured(**{**one, "runs": tuple(Run(*run) for run in one["runs"])}) for one in whole["measured"]
    ]
    found = Figures(**whole)
    if not all(found.pair("pyx12", row.name) for row in found.of("pyx12")):
        # Of a time when not every program ran on two sizes: no ratio can be told from these.
        found.put("pyx12", "", [])
        del found.days["pyx12"]
    return found


def save(figures: Figures, path: Path) -> None:
    whole = asdict(figures)
    for one in whole["measured"]:
        one["runs"] = [[round(run[key], 3) for key in ("cpu", "wall", "peak")] for run in one["runs"]]
    path.write_text(json.dumps(whole, indent=1) + "\n")
