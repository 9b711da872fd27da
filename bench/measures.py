"""Runs the checker and others in turn, each time as a process of its own from start to end.

Figures of one machine and one day drift, the ratio of what ran in turn does not drift much. A run that does
not come to the verdict that its file was made for ends the bench: what is wrong has no speed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from claims import CLAIMS_PER_SMALL_FILE, SHAPES, SMALL_FILES, size_of
from figures import Measured, Run
from peers import PEERS, PYX12, Peer, Skipped, command_of, install

ROOT = Path(__file__).resolve().parent.parent
RECEIVED = "2026-11-21"  # every day of service that `claims` makes is before it, but for faults
# Clean and faulty claims of both makers, that are measured beside pyx12.
BESIDE = ("clean", "faulty-5", "faulty-20", "second-clean", "second-noisy", "second-found")
OURS = "edi-checker"
WITHOUT_PAGE = "edi-checker batch"
CHECKER = [sys.executable, "-m", "edi_checker"]
# The least that each step of a check can cost: what plain Python needs, then our own path, a stage more each.
STEPS = {
    "reading the bytes": """
import sys
with open(sys.argv[1], "rb") as file:
    while file.read(1 << 20):
        pass
""",
    "and splitting them into segments": """
import sys
with open(sys.argv[1]) as file:
    while text := file.read(1 << 20):
        text.split("~")
""",
    "and each segment into elements": """
import sys
with open(sys.argv[1]) as file:
    while text := file.read(1 << 20):
        for segment in text.split("~"):
            segment.split("*")
""",
    "ours: blocks": """
import sys
from edi_checker.x12.blocks import read_blocks
with open(sys.argv[1], "rb") as file:
    for block in read_blocks(file):
        pass
""",
    "ours: blocks, held to the guide, as parts": """
import sys
from edi_checker.guide.table import load
from edi_checker.claims.reader import read_parts
from edi_checker.x12.blocks import read_blocks
with open(sys.argv[1], "rb") as file:
    for part in read_parts(read_blocks(file), load()):
        pass
""",
    "ours: the same, judged by all rules, nothing written": """
import datetime, sys
import edi_checker
checker = edi_checker.make_checker(received=datetime.date(2026, 11, 21))
with open(sys.argv[1], "rb") as file:
    for checked in checker.check(file):
        assert checked.outcome == "accepted"
""",
}
# Copies of rules speak of other procedure codes than the originals do.
_PROCEDURE = re.compile(r"\b9(\d{4})\b")


class Wrong(Exception):
    """A program failed, or came to another verdict than the file was made for."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: claims of most runs, of pyx12's and the others' runs, of the ladder of sizes."""

    claims: int
    peer_claims: int
    ladder: tuple[int, ...]
    rounds: int
    workers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A command over so many claims; `judge` looks at what it left behind, and raises Wrong."""

    command: Sequence[str]
    claims: int
    size: int
    count: int = 0
    judge: Callable[[], None] | None = None
    cache: Path | None = None


def run(job: Job) -> Run:
    """Run a command to its end, its output thrown away; exit code 1 (findings) is fine. Raises Wrong."""
    environment = dict(os.environ)
    if job.cache is not None:
        shutil.rmtree(job.cache, ignore_errors=True)
        environment["XDG_CACHE_HOME"] = str(job.cache)
    began = time.perf_counter()
    with subprocess.Popen(
        job.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT, env=environment
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    # Python ends a crash with 1, as the checker ends a check with findings.
    if process.returncode not in (0, 1) or b"Traceback" in said:
        raise Wrong(f"{' '.join(job.command[:5])}: exit {process.returncode}: {said.decode()[-300:]}")
    if job.judge is not None:
        job.judge()
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def in_turn(section: str, jobs: Mapping[str, Job], rounds: int) -> list[Measured]:
    """Run each of the jobs once a round. Raises Wrong."""
    runs: dict[str, list[Run]] = {key: [] for key in jobs}
    for _ in range(rounds):
        for key, job in jobs.items():
            runs[key].append(run(job))
    return [
        Measured(section, key.partition("|")[0], job.claims, job.size, tuple(runs[key]), job.count)
        for key, job in jobs.items()
    ]


def make(scratch: Path, shape: str, claims: int) -> Path:
    """A file of claims, or a folder of files; made by a process of its own, so that this one stays small."""
    path = scratch / f"{shape}-{claims}.837"
    if not path.exists():
        command = [sys.executable, str(ROOT / "bench" / "claims.py"), shape, str(claims), str(path)]
        with _rejected(path).open("w") as out:
            subprocess.run(command, check=True, stdout=out)
    return path


def _rejected(file: Path) -> Path:
    """Where the number of claims is kept that must be rejected."""
    return file.with_suffix(".rejected")


def check(scratch: Path, file: Path, *options: str) -> list[str]:
    """The command that checks a file with the tables that come with the checker."""
    return [*CHECKER, "check", str(file), *_same_for_all(scratch), *options]


def _same_for_all(scratch: Path) -> list[str]:
    tables = scratch / "tables"
    tables.mkdir(exist_ok=True)
    (tables / "manifest.json").write_text('{"schema": "edi-checker/tables/1", "releases": []}')
    return ["--received", RECEIVED, "--tables", str(tables), "--no-progress"]


def everything(scratch: Path) -> list[str]:
    """Options with which all is on: JSON, and the answers with the JSON report and the page of each input."""
    return ["--format", "json", "--acks", "--out-dir", str(scratch / "out")]


def full(scratch: Path, shape: str, claims: int, *options: str, count: int = 0) -> Job:
    """A check with everything on, and a look at its verdict."""
    file = make(scratch, shape, claims)
    command = [*check(scratch, file, *everything(scratch)), *options]
    return Job(command, claims, size_of(file), count, lambda: judge(scratch / "out", file, claims))


def judge(folder: Path, file: Path, claims: int) -> None:
    """Hold the verdicts in the reports to what the file was made for. Raises Wrong."""
    must_be = int(_rejected(file).read_text())
    accepted = rejected = 0
    for name in [one.name for one in file.iterdir()] if file.is_dir() else [file.name]:
        # The counts stand at the head, before what can be as long as the input.
        with (folder / f"{name.removesuffix('.837')}.json").open() as report:
            head = report.read(100_000)
        counts = json.loads(head.partition('"counts": ')[2].partition("}")[0] + "}")
        accepted += counts["claims_accepted"]
        rejected += counts["claims_rejected"]
    if (accepted, rejected) != (claims - must_be, must_be):
        raise Wrong(
            f"{file.stem}: of {claims} claims {accepted} accepted, {rejected} rejected, not {must_be}"
        )


def beside_pyx12(scratch: Path, sizes: Sizes) -> list[Measured]:
    """Everything on, with the HTML page and without, beside pyx12's validator; each on two sizes of a shape.

    The time a claim is what the larger file takes more, by the claims that it has more.
    """
    jobs = {}
    for shape in BESIDE:
        for claims, of_pyx12 in _two_sizes(sizes):
            theirs = make(scratch, shape, of_pyx12)
            command = command_of(PYX12, Path(sys.executable), theirs)
            jobs[f"{OURS} {shape}|{claims}"] = full(scratch, shape, claims)
            jobs[f"{WITHOUT_PAGE} {shape}|{claims}"] = batch(scratch, shape, claims, 1)
            jobs[f"pyx12 {shape}|{of_pyx12}"] = Job(command, of_pyx12, size_of(theirs))
    return in_turn("pyx12", jobs, sizes.rounds)


def _two_sizes(sizes: Sizes) -> tuple[tuple[int, int], tuple[int, int]]:
    """Claims of ours and of pyx12's runs, few and many."""
    few = max(sizes.claims // 10, 1), max(sizes.peer_claims // 10, 1)
    return few, (sizes.claims, sizes.peer_claims)


def beside_peers(scratch: Path, sizes: Sizes) -> tuple[list[Measured], dict[str, str]]:
    """Every other program that can be installed, on the same clean claims; and why one cannot be measured."""
    file, one = make(scratch, "clean", sizes.peer_claims), make(scratch, "clean", 1)
    jobs: dict[str, Job] = {}
    skipped: dict[str, str] = {}
    for peer in (PYX12, *PEERS):
        try:
            found = _jobs_of(peer, scratch, file, one, sizes)
        except (Skipped, Wrong) as why:
            # What pip or a program says at length is of no use in a table.
            skipped[peer.name] = str(why) if isinstance(why, Skipped) else "fails on a clean file"
            continue
        jobs |= found
    jobs[OURS] = full(scratch, "clean", sizes.claims)
    jobs[f"{OURS}|one"] = full(scratch, "clean", 1)
    return in_turn("peers", jobs, sizes.rounds), skipped


def _jobs_of(peer: Peer, scratch: Path, file: Path, one: Path, sizes: Sizes) -> dict[str, Job]:
    python = install(peer, scratch / "peers")
    jobs = {
        peer.name: Job(command_of(peer, python, file), sizes.peer_claims, size_of(file)),
        f"{peer.name}|one": Job(command_of(peer, python, one), 1, size_of(one)),
    }
    run(jobs[f"{peer.name}|one"])
    return jobs


def start(scratch: Path, sizes: Sizes) -> list[Measured]:
    """What somebody waits for who types a command."""
    file = make(scratch, "clean", 1)
    size = size_of(file)
    jobs = {
        "Python itself, doing nothing": Job([sys.executable, "-c", "pass"], 0, 0),
        "`--help`": Job([*CHECKER, "--help"], 0, 0),
        "`explain ncci.mue`": Job([*CHECKER, "explain", "ncci.mue"], 0, 0),
        "`units 97530=25 97110=20`": Job([*CHECKER, "units", "97530=25", "97110=20"], 0, 0),
        "`check` of one claim": Job(check(scratch, file), 1, size),
        "`check` of one claim, everything on": Job(check(scratch, file, *everything(scratch)), 1, size),
        "`check` of one claim, the very first": Job(check(scratch, file), 1, size, cache=scratch / "cache"),
    }
    return in_turn("start", jobs, 2 * sizes.rounds + 1)


def ladder(scratch: Path, sizes: Sizes) -> list[Measured]:
    """Everything on, on clean files of growing size."""
    jobs = {f"clean|{claims}": full(scratch, "clean", claims) for claims in (1, *sizes.ladder)}
    return in_turn("size", jobs, sizes.rounds)


def shapes(scratch: Path, sizes: Sizes) -> list[Measured]:
    """Everything on, on as many claims in files of every shape."""
    jobs = {}
    for shape in SHAPES:
        # A long claim is a dozen ordinary ones.
        claims = sizes.claims // 10 if shape == "fifty-lines" else sizes.claims
        files = -(-claims // CLAIMS_PER_SMALL_FILE) if shape in SMALL_FILES else 1
        jobs[shape] = full(scratch, shape, claims, count=files)
    jobs["one"] = full(scratch, "clean", 1)
    return in_turn("shapes", jobs, sizes.rounds)


def small_files(scratch: Path, sizes: Sizes) -> list[Measured]:
    """The same claims in one file and in files of ten, of both makers, each in two sizes; without pages."""
    jobs = {}
    for small, large in SMALL_FILES.items():
        for shape in (large, small):
            for claims in (max(sizes.claims // 10, 1), sizes.claims):
                files = -(-claims // CLAIMS_PER_SMALL_FILE) if shape == small else 1
                jobs[f"{shape}|{claims}"] = _keep_outputs(batch(scratch, shape, claims, 1), scratch, files)
    return in_turn("files", jobs, sizes.rounds)


def _keep_outputs(job: Job, scratch: Path, files: int) -> Job:
    """The job, whose folder of outputs is new each time: to write over many files is slower, and so it is to
    make new ones where some were just taken away.
    """
    held = job.judge
    assert held is not None

    def judge_and_keep() -> None:
        held()
        kept = scratch / "kept"
        kept.mkdir(exist_ok=True)
        (scratch / "batch").rename(kept / str(len(list(kept.iterdir()))))

    return replace(job, judge=judge_and_keep, count=files)


def outputs(scratch: Path, sizes: Sizes) -> list[Measured]:
    """What each thing that is written costs, on a file with 5 % faulty claims."""
    file = make(scratch, "faulty-5", sizes.claims)
    size = size_of(file)
    ways = {
        "findings as NDJSON": ["--format", "ndjson"],
        "JSON": ["--format", "json"],
        "CSV": ["--format", "csv"],
        "text": ["--format", "text"],
        "HTML page": ["--format", "html"],
        "JSON, answers and page (`--acks --out-dir`)": everything(scratch),
        "the same, and `--split`": [*everything(scratch), "--split"],
        "the same with `--redact` and without `--split`": [*everything(scratch), "--redact"],
        "JSON, `--engine python`": ["--format", "json", "--engine", "python"],
        "JSON, `--no-fast-path`": ["--format", "json", "--no-fast-path"],
    }
    jobs = {name: Job(check(scratch, file, *options), sizes.claims, size) for name, options in ways.items()}
    jobs["JSON and answers (`batch --workers 1`)"] = batch(scratch, "faulty-5", sizes.claims, 1)
    return in_turn("outputs", jobs, sizes.rounds)


def steps(scratch: Path, sizes: Sizes) -> list[Measured]:
    """Each of STEPS on clean claims, then the whole with everything on."""
    jobs = {}
    for claims in (sizes.claims, 1):
        file = make(scratch, "clean", claims)
        for name, code in STEPS.items():
            jobs[f"{name}|{claims}"] = Job([sys.executable, "-c", code, str(file)], claims, size_of(file))
        jobs[f"{OURS}|{claims}"] = full(scratch, "clean", claims)
    return in_turn("steps", jobs, sizes.rounds)


def workers(scratch: Path, sizes: Sizes) -> list[Measured]:
    """The same file on one process and on several; memory is that of the largest of them."""
    # With fewer there is more to share out than to do.
    claims = max(sizes.claims, 20_000)
    jobs = {}
    for shape in ("clean", "faulty-5", "one-set"):
        for number in sizes.workers:
            jobs[f"{shape}|{number}"] = batch(scratch, shape, claims, number)
    return in_turn("workers", jobs, sizes.rounds)


def batch(scratch: Path, shape: str, claims: int, number: int) -> Job:
    """A batch of one file on so many processes: JSON and answers, no page."""
    file, out = make(scratch, shape, claims), scratch / "batch"
    options = ["--out-dir", str(out), "--workers", str(number)]
    command = [*CHECKER, "batch", str(file), *_same_for_all(scratch), *options]
    return Job(command, claims, size_of(file), number, lambda: judge(out, file, claims))


def rules(scratch: Path, sizes: Sizes) -> list[Measured]:
    """The rules that come with the checker, and copies of them beside: none finds more in a clean file."""
    jobs = {}
    known = len(list((ROOT / "rulesets").rglob("*.yaml")))
    for times in (1, 2, 4):
        folder = scratch / f"rules-{times}"
        copy_rules(folder, times - 1)
        options = ["--rules", str(folder)] if times > 1 else []
        jobs[f"rules|{times}"] = full(scratch, "clean", sizes.claims, *options, count=times * known)
        jobs[f"one|{times}"] = full(scratch, "clean", 1, *options, count=times * known)
    return in_turn("rules", jobs, sizes.rounds)


def copy_rules(folder: Path, copies: int) -> None:
    """So many copies of all rules under other ids and of other procedure codes, all of them of lines."""
    for source in sorted((ROOT / "rulesets").rglob("*.yaml")):
        text = source.read_text()
        for copy in range(1, copies + 1):
            target = folder / f"copy{copy}" / source.relative_to(ROOT / "rulesets")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_PROCEDURE.sub(rf"{copy}\1", text))


def stages(scratch: Path, sizes: Sizes, way: str) -> object:
    """What `stages.py` says of a check of clean claims with everything on, by `way` (sample or profile)."""
    file, out = make(scratch, "clean", sizes.claims), scratch / f"{way}.json"
    arguments = check(scratch, file, *everything(scratch))[len(CHECKER) :]
    command = [sys.executable, str(ROOT / "bench" / "stages.py"), way, str(out), *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    return json.loads(out.read_text())
