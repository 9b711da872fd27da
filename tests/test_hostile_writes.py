"""What cannot be written: each open, write, fsync, rename and unlink fails, alone or with all behind it."""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.facts import Setting
from edi_checker.files.folder import Busy, OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.store import list_releases, open_tables
from edi_checker.reference.tables import built_in
from edi_checker.rules import load
from edi_checker.run.one_input import Files, Watcher, check_input
from generate_claims import generate
from make_cms_files import mue_text
from paths import ROOT

ENDINGS = ("json", "html", "999", "277ca", "clean.837", "rejected.837")
NAMES = ("a", "b")
SOME = 40  # failures of each command


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
        """Ways to fail: the number of the call, and whether those behind it fail too. All of them take a
        quarter of an hour: EDI_CHECKER_ALL_DAMAGE=1.
        """
        self.run()
        every = [(number, on) for on in (False, True) for number in range(1, self.calls() + 1)]
        if os.environ.get("EDI_CHECKER_ALL_DAMAGE"):
            return every
        return random.Random(837).sample(every, min(len(every), SOME))


def sets(out):
    """The files of each input, by name and ending."""
    found = {name: {} for name in NAMES}
    for file in out.iterdir():
        name, _, ending = file.name.partition(".")
        if name in NAMES and ending in ENDINGS and file.is_file():
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
    """Try the failures; `of_run` looks at a run and gives the names of the inputs of which it says that
    something went wrong, None where it says that it cannot begin.
    """
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
            # What says that the input could not be checked is neither.
            other = found[name].keys() - is_new - is_old
            if said is None:
                assert found[name] == old[name], where
            else:
                assert found[name] == new[name] or name in said, where
                # An old file stays only where none can be taken away, and is named.
                assert all(f"{name}.{ending} is not of this run" in done.stderr for ending in is_old), where
                assert not other or name in said, where
            whole += found[name] == new[name]
        assert done.returncode == 2 or found == new, (number, on, done.stderr)
    # Most failures cost nothing or one input alone.
    assert whole > len(failures) // 2


def test_check_answers_every_input_whatever_write_fails(made):
    def of_run(done):
        if not done.stdout:
            assert done.returncode == 2 and done.stderr.startswith("edi-checker: ")
            return None
        files = json.loads(done.stdout)["files"]
        assert [Path(file["path"]).stem for file in files] == list(NAMES)
        unchecked = {Path(file["path"]).stem for file in files if file["outcome"] == "not_checked"}
        return unchecked | {line.split(": ")[1].removesuffix(".837") for line in done.stderr.splitlines()}

    hold(*made("check", "--acks", "--split", "--format", "json"), of_run)


def test_batch_answers_every_input_whatever_write_fails(made):
    def of_run(done):
        if "claims in" not in done.stdout:
            assert done.returncode == 2 and done.stderr.startswith("edi-checker: ")
            return None
        unchecked = {name for name in NAMES if re.search(rf"{name}\.837 .*not checked", done.stdout)}
        return unchecked | {line.split(": ")[1].removesuffix(".837") for line in done.stderr.splitlines()}

    hold(*made("batch", "--split", "--html", "--workers", "2"), of_run)


def test_an_import_leaves_the_old_tables_or_the_new_ones(library, tmp_path):
    store, old_store = tmp_path / "out", tmp_path / "old"
    store.mkdir()
    name = "MCR_MUE_PractitionerServices_Eff_01-01-2026.csv"
    command = ["tables", "import", name, "--tables", store, "--accept-shrinkage", "--no-progress"]
    runs = Runs(library, tmp_path, command, store)

    def put(*rows):
        (tmp_path / name).write_text(mue_text(rows))

    def listed():
        assert {file.suffix for file in store.iterdir()} <= {".table", ".json", "", ".part"}
        releases = list_releases(store)
        tables = open_tables(store, built_in())
        return [release.rows for release in releases], tables.mue("97530", 20260203)

    put(("97530", "5", "3", "Clinical: Data"))
    runs.run()
    shutil.copytree(store, old_store)
    old = listed()
    put(("97530", "7", "3", "Clinical: Data"), ("97110", "6", "3", "Clinical: Data"))
    failures = runs.failures()
    new = listed()
    assert new != old
    for number, on in failures:
        shutil.rmtree(store)
        shutil.copytree(old_store, store)
        done = runs.run(number, on=on)
        assert listed() == (new if done.returncode == 0 else old), (number, on, done.stderr)
        assert (done.returncode, bool(done.stderr)) in ((0, False), (2, True)), done.stderr


def test_what_another_run_left_beside_is_named(made):
    runs, _ = made("check", "--acks", "--split")
    runs.command = [part for part in runs.command if part not in ("--acks", "--split")]
    done = runs.run()
    for name in NAMES:
        [line] = [line for line in done.stderr.splitlines() if f" {name}.837: " in line]
        assert "not of this run" in line
        for ending in ("999", "277ca", "clean.837", "rejected.837"):
            assert f"{name}.{ending}" in line


def test_what_this_run_does_not_make_is_taken_away(made):
    runs, _ = made("check", "--acks", "--split")
    (runs.folder / "a.837").write_text("ISA*00*")
    done = runs.run()
    assert done.returncode == 2
    assert sets(runs.out)["a"].keys() == {"json", "html"}
    assert sets(runs.out)["b"].keys() == set(ENDINGS)


def test_a_report_is_not_written_over_a_file_of_the_folder(made):
    runs, old = made("check", "--acks")
    for where in ("out/a.json", "out/../out/b.html"):
        again = [*runs.command, "--output", where]
        done = Runs(runs.library, runs.folder, again, runs.out).run()
        assert (done.returncode, done.stdout) == (2, "")
        assert "a file of --out-dir has this name too" in done.stderr
    assert sets(runs.out) == sets(old)


@pytest.mark.parametrize("kind", ["link", "broken link", "pipe"])
def test_what_lies_at_a_name_of_ours_is_replaced_and_not_followed(made, kind):
    runs, _ = made("check", "--acks", "--split")
    elsewhere = runs.folder / "elsewhere"
    if kind == "link":
        elsewhere.write_text("mine")
    for ending in ENDINGS:
        place = runs.out / f"a.{ending}"
        place.unlink()
        if kind == "pipe":
            os.mkfifo(place)
        else:
            place.symlink_to(elsewhere)
    done = runs.run()
    assert done.returncode == 1 and done.stderr == ""
    assert sets(runs.out)["a"].keys() == set(ENDINGS)
    assert not any((runs.out / f"a.{ending}").is_symlink() for ending in ENDINGS)
    assert elsewhere.exists() == (kind == "link") and (kind != "link" or elsewhere.read_text() == "mine")


def test_a_folder_at_a_name_of_ours_costs_its_input(made):
    runs, _ = made("check", "--acks", "--split")
    (runs.out / "a.json").unlink()
    (runs.out / "a.json").mkdir()
    done = runs.run()
    assert done.returncode == 2
    assert "a.json and the other files of this input cannot be written" in done.stderr
    assert [file.name for file in runs.out.iterdir() if file.name.startswith("a.")] == ["a.json"]
    assert sets(runs.out)["b"].keys() == set(ENDINGS)


def test_a_folder_that_cannot_be_written_is_said_for_each_input(tmp_path, monkeypatch):
    # The tests may run as root, for whom no folder is closed.
    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with OutputFolder(tmp_path / "out") as folder:
        for name in NAMES:
            source = tmp_path / f"{name}.837"
            source.write_text("".join(generate(2)))
            [given] = find_inputs([str(source)])
            result = check_input(
                Checker(load_guide(), Engine(load()), Setting(20261121, built_in())),
                given,
                name,
                report=None,
                files=Files(folder, acks=True, version="1"),
                watcher=Watcher(lambda _: None, lambda: None, pytest.fail),
            )
            [trouble] = result.troubles
            assert f"{name}.json and the other files of this input cannot be written" in trouble
            assert result.summary.claims == 2


def refuse(*_args, **_named):
    raise PermissionError(13, "Permission denied")


def test_two_runs_share_a_folder_unless_one_wants_it_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("edi_checker.files.folder._PATIENCE", 0.05)
    with OutputFolder(tmp_path), OutputFolder(tmp_path):
        pass
    with OutputFolder(tmp_path, alone=True):
        for alone in (False, True):
            with pytest.raises(Busy):
                OutputFolder(tmp_path, alone=alone)
    with OutputFolder(tmp_path):
        pass


def test_a_set_waits_for_another_that_takes_its_place_and_not_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("edi_checker.files.folder._PATIENCE", 0.05)
    (tmp_path / "a.json").write_text("old")
    with OutputFolder(tmp_path) as folder, folder.stage() as stage:
        with stage.write("json") as out:
            out.write(b"new")
        with OutputFolder(tmp_path, alone=True):
            done = folder.publish(stage, "a", ["json"], [])
        assert "another run is at work" in done.troubles[0]
        assert (tmp_path / "a.json").read_text() == "old"
        assert folder.publish(stage, "a", ["json"], []).troubles == []
        assert (tmp_path / "a.json").read_text() == "new"


def test_stages_of_killed_runs_go_and_those_of_others_stay(tmp_path):
    (tmp_path / ".edi-checker-stage-dead").mkdir()
    with OutputFolder(tmp_path) as folder, folder.stage() as stage:
        with stage.write("json") as out:
            out.write(b"new")
        with OutputFolder(tmp_path):
            assert [file.name for file in tmp_path.iterdir()] == [stage.folder.name]
        assert folder.publish(stage, "a", ["json"], []).troubles == []
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_an_input_is_never_taken_away(tmp_path):
    claims = tmp_path / "a.clean.837"
    claims.write_text("".join(generate(2)))
    with OutputFolder(tmp_path, inputs=[str(claims)]) as folder, folder.stage() as stage:
        assert folder.publish(stage, "a", ["json", "clean.837"], []).troubles == []
    assert claims.exists()


@pytest.mark.parametrize("without", ["locks of the system", "locks of the file system"])
def test_without_locks_the_files_are_written_all_the_same(tmp_path, monkeypatch, without):
    if without == "locks of the system":
        monkeypatch.setattr("edi_checker.files.folder.fcntl", None)
    else:
        monkeypatch.setattr("fcntl.flock", refuse)
    with OutputFolder(tmp_path, alone=True), OutputFolder(tmp_path) as folder, folder.stage() as stage:
        with stage.write("json") as out:
            out.write(b"new")
        assert folder.publish(stage, "a", ["json"], []).troubles == []
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]
