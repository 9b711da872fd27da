"""What cannot be written: each open, write, fsync, rename and unlink fails, alone or with all behind it."""

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from generate_claims import generate
from paths import ROOT

ENDINGS = ("json", "html", "999", "277ca", "clean.837", "rejected.837")
NAMES = ("a", "b")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("needs gcc on Linux")
    built = tmp_path_factory.mktemp("built") / "failing_writes.so"
    source = ROOT / "tests" / "failing_writes.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


class Runs:
    """Runs of a command into a folder, of which the n-th call that writes there fails."""

    def __init__(self, library, folder, command, out):
        self.library = library
        self.folder = folder
        self.command = command
        self.out = out
        self.counter = folder / "counter"
        self.temporary = folder / "temporary"
        self.cache = folder / "cache"
        for each in (self.temporary, self.cache):
            each.mkdir(exist_ok=True)

    def run(self, number=0, *, on=False):
        self.counter.write_bytes(struct.pack("q", 0))
        given = {
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.temporary),
            "XDG_CACHE_HOME": str(self.cache),
            "LD_PRELOAD": str(self.library),
            "FAIL_UNDER": f"{self.out}:{self.temporary}",
            "FAIL_COUNTER": str(self.counter),
            "FAIL_AT": str(number),
            "FAIL_ON": "1" if on else "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "edi_checker", *map(str, self.command)],
            cwd=self.folder,
            env=os.environ | given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert done.returncode in (0, 1, 2), said
        assert "internal error" not in said and "Traceback" not in said, said
        return done

    def calls(self):
        """Of the last run."""
        return struct.unpack("q", self.counter.read_bytes())[0]

    def failures(self):
        """Each way to fail: the number of the call, and whether those behind it fail too."""
        self.run()
        return [(number, on) for on in (False, True) for number in range(1, self.calls() + 1)]


def sets(out):
    """The files of each input, by name and ending."""
    found = {name: {} for name in NAMES}
    for file in out.iterdir():
        name, _, ending = file.name.partition(".")
        if name in NAMES and ending in ENDINGS:
            found[name][ending] = file.read_text()
    return found


@pytest.fixture
def made(library, tmp_path):
    """Inputs, and what lies in the folder: of other claims, which another run left there."""

    def make(command, *options):
        out = tmp_path / "out"
        for name, seed in zip(NAMES, (1, 2), strict=True):
            (tmp_path / f"{name}.837").write_text("".join(generate(8, seed=seed + 10, invalid=0.5)))
        common = [*options, "--out-dir", out, "--received", "2026-11-21", "--no-progress"]
        whole = [command, *(f"{name}.837" for name in NAMES), *common]
        runs = Runs(library, tmp_path, whole, out)
        runs.run()
        shutil.copytree(out, tmp_path / "old")
        for name, seed in zip(NAMES, (1, 2), strict=True):
            (tmp_path / f"{name}.837").write_text("".join(generate(8, seed=seed, invalid=0.5)))
        return runs, tmp_path / "old"

    return make


def hold(runs, old_folder, of_run):
    """Try every failure; `of_run` looks at a run and gives the names that it says something of."""
    old = sets(old_folder)
    assert all(old.values())
    failures = runs.failures()
    new = sets(runs.out)
    for name in NAMES:
        assert new[name].keys() == old[name].keys() and len(new[name]) > 4
        assert not set(new[name].values()) & set(old[name].values())
    whole = 0
    for number, on in failures:
        shutil.rmtree(runs.out)
        shutil.copytree(old_folder, runs.out)
        done = runs.run(number, on=on)
        said = of_run(done)
        found = sets(runs.out)
        for name in NAMES:
            where = (number, on, name, done.stderr)
            is_new = {ending for ending, text in found[name].items() if text == new[name][ending]}
            is_old = {ending for ending, text in found[name].items() if text == old[name][ending]}
            is_new_or_said = found[name] == new[name] or name in said or done.returncode == 2
            assert is_new_or_said, where
            # What says that the input could not be checked is neither.
            other = found[name].keys() - is_new - is_old
            assert not other or done.returncode == 2, where
            assert not (is_old and (is_new or other)) or f"{name}." in done.stderr, where
            whole += found[name] == new[name]
        assert done.returncode == 2 or found == new, (number, on, done.stderr)
    # Most failures cost nothing or one input alone.
    assert whole > len(failures) // 2


@pytest.mark.long
def test_check_answers_every_input_whatever_write_fails(made):
    def of_run(done):
        if not done.stdout:
            assert done.returncode == 2 and done.stderr
            return set()
        files = json.loads(done.stdout)["files"]
        assert [Path(file["path"]).stem for file in files] == list(NAMES)
        return {line.split(": ")[1].removesuffix(".837") for line in done.stderr.splitlines()}

    hold(*made("check", "--acks", "--split", "--format", "json"), of_run)


@pytest.mark.long
def test_batch_answers_every_input_whatever_write_fails(made):
    def of_run(done):
        if "claims in" not in done.stdout:
            assert done.returncode == 2 and done.stderr
        return {line.split(": ")[1].removesuffix(".837") for line in done.stderr.splitlines()}

    hold(*made("batch", "--split", "--html", "--workers", "2"), of_run)
