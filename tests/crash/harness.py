"""The crash harness of `edi-checker watch`: kill -9 and power cuts by the hundred, and what they broke.

    python tests/crash/harness.py --blows 500
    python tests/crash/harness.py --blows 500 --store postgresql --watchers 2
    python tests/crash/harness.py --blows 100 --power
    python tests/crash/harness.py --blows 30 --power --wrong normal      exits 1: it must find this

Blow number n of `--seed S` is blow 0 of `--seed S+n`: so one that broke something is repeated alone.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[:0] = [str(TESTS.parent), str(TESTS), str(TESTS / "crash")]

from claim_files import make_inputs  # noqa: E402
from forgetful_disk import ROOT, Disk  # noqa: E402
from fuse_mount import Cut, Mount, can_mount, let_go  # noqa: E402
from judge import PROMISES, Places, Verdict, count, judge  # noqa: E402
from partner import Partner, Sent  # noqa: E402
from run_watch import KINDS, WRONG_ORDERS, Blow  # noqa: E402
from warm_start import prepare  # noqa: E402
from watchers import PATIENCE, Run, Stores  # noqa: E402

_MEMORY = Path("/dev/shm")  # kill -9 needs no disk, and this one is fast
_ORDERS = {
    None: "this order",
    "publish": "published before the commit",
    "normal": "synchronous=NORMAL",
    "nosync": "folders not flushed",
}
_SHOWN = 8  # of what is broken after one blow


@dataclass(frozen=True)
class Job:
    """What is tried; `store` is sqlite or postgresql."""

    store: str = "sqlite"
    watchers: int = 1
    power: bool = False
    wrong: str | None = None


@dataclass
class Clean:
    """What a run without a blow takes: calls of each kind, and seconds."""

    calls: dict[str, int] = field(default_factory=dict)
    seconds: float = 1.0


# -- kill -9


class Harness:
    """Deals blows; what they broke stands in `verdicts`."""

    def __init__(self, job: Job, base: Path, *, keep: bool = False) -> None:
        self.job = job
        self.verdicts: list[Verdict] = []
        self.shares: dict[str, int] = {"second": 0, "not struck": 0, "killed before": 0}
        self._base = base
        self._mounted = base / "mounted"
        self._keep = keep
        self.stores = Stores(job.store, base)
        self._clean = Clean()
        prepare(base)
        self._clean = self._power_clean() if job.power else self._kill_clean()

    def close(self) -> None:
        self.stores.close()
        if self.job.power:
            let_go(self._mounted)

    def blow(self, seed: int) -> Verdict:
        verdict = (self._power_blow if self.job.power else self._kill_blow)(seed)
        self.verdicts.append(verdict)
        return verdict

    @contextlib.contextmanager
    def _run(self, name: str, *, fresh: bool) -> Iterator[Run]:
        base = self._base / name
        for folder in ("in/acme", "out", "archive", "ledger"):
            (base / folder).mkdir(parents=True)
        url = self.stores.make(Places(base), empty=not fresh)
        run = Run(base, url, self._base / f"{name}.log", self.job.wrong)
        try:
            yield run
        finally:
            run.kill()
            if not self._keep:
                shutil.rmtree(base, ignore_errors=True)
                run.log.unlink(missing_ok=True)

    def _kill_clean(self) -> Clean:
        """A run without a blow, which must keep all promises."""
        chance = random.Random(0)
        with self._run("clean", fresh=False) as run:
            sent = [each._replace(wait=0.0) for each in make_inputs(chance, 0)]
            partner = Partner(run.places.inbox, run.places.out, sent, 0, 0.002)
            time.sleep(0.1)
            begun = time.monotonic()
            counts = run.start(once=True)
            codes = run.wait(PATIENCE)
            seconds = time.monotonic() - begun
            verdict = judge(run.places, sent, run.rows(), partner.stop())
            if codes != [0] or verdict.broken:
                raise SystemExit(f"already without a blow: {codes} {verdict.broken} {run.last_words()}")
            return Clean(counts.read(), seconds)

    def _draw(self, chance: random.Random, *, second: bool) -> Blow | None:
        """A blow at a step, an early one where less is to be done than at first; None for one at a moment."""
        if chance.random() < 0.2:
            return None
        kind = chance.choice([kind for kind in KINDS if kind in self._clean.calls])
        number = 1 + int(chance.random() ** (3 if second else 1) * self._clean.calls[kind])
        return Blow(kind, number, chance.random() < 0.5, chance.random() < 0.5)

    def _kill_blow(self, seed: int) -> Verdict:
        chance = random.Random(seed)
        verdict = Verdict()
        with self._run(f"blow{seed}", fresh=chance.random() < 0.1) as run:
            sent = make_inputs(chance, self._clean.seconds)
            partner = Partner(run.places.inbox, run.places.out, sent, seed, 0.002)
            try:
                self._strike(run, chance, second=False)
                if chance.random() < 0.5:
                    self.shares["second"] += 1
                    self._strike(run, chance, second=True)
                run.kill()
                while not partner.has_sent():
                    time.sleep(0.01)
                run.finish(verdict)
            finally:
                time.sleep(0.02)
                collected = partner.stop()
            verdict.broken += judge(run.places, sent, run.rows(), collected).broken
        return verdict

    def _strike(self, run: Run, chance: random.Random, *, second: bool) -> None:
        """Watchers, one of them with a blow; ends when it is dead, or when all is done."""
        blow = self._draw(chance, second=second)
        once = chance.random() < 0.5 and blow is not None
        workers = chance.choice([1, 2])
        counts = run.start(once=once, workers=workers, blow=blow)
        for _ in range(self.job.watchers - 1):
            run.start(once=once, workers=1)
        if blow is None:
            run.wait(chance.uniform(0, 1.3 * self._clean.seconds))
            if self.stores.cluster is not None and chance.random() < 0.5:
                self.stores.cluster.restart()  # the database dies, not the watcher
                run.wait(chance.uniform(0, self._clean.seconds))
            run.kill()
            return
        patience = max(3.0, 4 * self._clean.seconds)
        end = time.monotonic() + patience
        while not counts.struck and run.is_running(counts) and time.monotonic() < end:
            run.wait(0.02)
            if not once and run.is_idle():
                run.tell(signal.SIGTERM)
        if not counts.struck:
            self.shares["not struck"] += 1
        elif once and chance.random() < 0.5:
            run.wait(patience)  # those that are left do the rest
        else:
            run.wait(chance.uniform(0, self._clean.seconds))
        run.kill()
        if self.stores.cluster is not None and chance.random() < 0.2:
            self.stores.cluster.restart()

    # -- power

    def _mounted_run(self, name: str) -> Run:
        url = self.stores.make(Places(self._mounted), empty=False)
        return Run(self._mounted, url, self._base / f"{name}.log", self.job.wrong)

    def _disk(self, sent: Sequence[Sent], *, fresh: bool) -> Disk:
        """A disk on which the partner has put everything already."""
        disk = Disk()
        made = {name: disk.make(ROOT, name, 0o40700) for name in ("in", "out", "archive", "ledger")}
        acme = disk.make(made["in"], "acme", 0o40700)
        contents = [(acme if each.partner else made["in"], each.name, each.content) for each in sent]
        if not fresh and self.stores.cluster is None:
            contents.append((made["ledger"], "ledger.db", self.stores.content()))
        for folder, name, content in contents:
            disk.write(disk.make(folder, name, 0o100600), 0, content)
        disk.settle()
        return disk

    def _power_clean(self) -> Clean:
        self._mounted.mkdir()
        if not can_mount(self._mounted):
            raise SystemExit("no FUSE file system can be mounted here")
        sent = [each._replace(wait=0.0) for each in make_inputs(random.Random(0), 0)]
        mount = Mount(self._mounted, self._disk(sent, fresh=False))
        begun = time.monotonic()
        try:
            run = self._mounted_run("clean")
            partner = Partner(run.places.inbox, run.places.out, [], 0, 0.005)
            run.start(once=True)
            codes = run.wait(PATIENCE)
            seconds = time.monotonic() - begun
            run.kill()
            collected = partner.stop()
            verdict = judge(run.places, sent, run.rows(), collected)
        finally:
            _, calls = mount.end()
        if codes != [0] or not verdict.holds(power=True):
            raise SystemExit(f"already without a cut: {codes} {verdict.broken} {run.last_words()}")
        return Clean(calls, seconds)

    def _power_blow(self, seed: int) -> Verdict:
        chance = random.Random(seed)
        verdict = Verdict()
        sent = [each._replace(wait=0.0) for each in make_inputs(chance, 0)]
        disk = self._disk(sent, fresh=chance.random() < 0.1)
        run = self._mounted_run(f"blow{seed}")
        partner = Partner(run.places.inbox, run.places.out, [], seed, 0.005)
        try:
            disk = self._cut(run, disk, chance)
            if chance.random() < 0.5:
                self.shares["second"] += 1
                disk = self._cut(run, disk, chance)
            mount = Mount(self._mounted, disk)
            try:
                run.finish(verdict)
                run.kill()
                time.sleep(0.02)
                collected = partner.stop()
                partner = None
                verdict.broken += judge(run.places, sent, run.rows(), collected).broken
                if self._keep:
                    shutil.copytree(self._mounted, self._base / f"blow{seed}", dirs_exist_ok=True)
            finally:
                mount.end()
        finally:
            if partner is not None:
                partner.stop()
            if not self._keep:
                run.log.unlink(missing_ok=True)
        return verdict

    def _cut(self, run: Run, disk: Disk, chance: random.Random) -> Disk:
        """Watchers on this disk until the power fails; what is left of the disk."""
        kind = chance.choice(list(self._clean.calls))
        cut = Cut(kind, chance.randint(1, self._clean.calls[kind]), chance.randrange(2**32))
        mount = Mount(self._mounted, disk, cut)
        if chance.random() < 0.4:
            self.shares["killed before"] += 1
            blow = Blow(chance.choice(KINDS), chance.randint(1, 20), after=chance.random() < 0.5, whole=True)
            run.start(once=True, workers=1, blow=blow)
            run.wait(PATIENCE, mount)
        for _ in range(self.job.watchers):
            run.start(once=True, workers=chance.choice([1, 2]))
        run.wait(PATIENCE, mount)
        run.kill()
        if not mount.is_over():
            self.shares["not struck"] += 1
        return mount.end()[0]


# -- the command


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--blows", type=int, default=100)
    words.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    words.add_argument("--watchers", type=int, choices=[1, 2], default=1)
    words.add_argument("--power", action="store_true", help="cuts of the power instead of kill -9")
    words.add_argument("--wrong", choices=WRONG_ORDERS, help="work in a wrong order, which must be found")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--stop", action="store_true", help="stop at the first broken promise")
    words.add_argument("--keep", action="store_true", help="keep folders and logs, and say where they are")
    asked = words.parse_args()
    job = Job(asked.store, asked.watchers, asked.power, asked.wrong)
    if _MEMORY.is_dir():
        tempfile.tempdir = str(_MEMORY)
    base = Path(tempfile.mkdtemp(prefix="edi-crash-"))
    begun = time.monotonic()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    harness = Harness(job, base, keep=asked.keep)
    try:
        for number in range(asked.seed, asked.seed + asked.blows):
            verdict = harness.blow(number)
            if not verdict.holds(power=job.power):
                for promise, said in verdict.broken[:_SHOWN]:
                    print(f"seed {number}: {promise}: {said}", flush=True)
                if asked.stop:
                    break
    finally:
        harness.close()
        if asked.keep:
            print(base)
        else:
            shutil.rmtree(base, ignore_errors=True)
    print(table(job, harness.verdicts, harness.shares, time.monotonic() - begun))
    sys.exit(not all(verdict.holds(power=job.power) for verdict in harness.verdicts))


def table(job: Job, verdicts: Sequence[Verdict], shares: dict[str, int], seconds: float) -> str:
    blow = "power cut" if job.power else "kill -9"
    counted = count(verdicts)
    heads = ["blow", "variant", "store", "watchers", "blows", *PROMISES]
    figures = [job.watchers, len(verdicts), *(counted[promise] for promise in PROMISES)]
    row = [blow, _ORDERS[job.wrong], job.store, *map(str, figures)]
    lines = [heads, ["---"] * len(heads), row]
    said = f"{shares['second']} with a second blow, {shares['not struck']} ended before the blow"
    said += f", {shares['killed before']} cuts after kill -9" if job.power else ""
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), f"{said}, {seconds:.0f} s"])


if __name__ == "__main__":
    main()
