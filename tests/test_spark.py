"""Spark as the crew of a batch, and tables of a lake: what comes out is what one machine makes.

One session for all tests: two executors of one core each, which are processes of their own.
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from edi_checker.batch.session import Settings, name_all, run_session
from edi_checker.batch.tasks import Equipment, Task
from edi_checker.batch.workers import Died, Done
from edi_checker.check.redact import Redactor
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.reports.fact_tables import TABLES
from edi_checker.run.history import HistorySource
from edi_checker.run.one_input import Files, Limits
from edi_checker.run.setting import CheckSetting
from edi_checker.state import Secret
from generate_claims import generate
from kills import compare_folders
from make_cms_files import mue_text
from paths import CORPUS, DATA, ROOT
from small_tables import import_as_whole
from test_batch import Inline
from transcripts import blocks

pytest.importorskip("pyspark", reason="pyspark is not installed")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("there is no Java", allow_module_level=True)

import edi_checker.spark
from edi_checker.spark import crew as crews
from edi_checker.spark import lake
from edi_checker.spark.carried import carry
from edi_checker.spark.crew import SparkCrew
from edi_checker.spark.session import SparkUnusable, open_session

SIZE = 30_000  # characters of a range: some forty claims
DAY = 20261121
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # pyspark leaves its sockets to the collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def spark():
    with open_session("local-cluster[2,1,1024]") as context:
        yield context


@pytest.fixture(scope="module")
def lakes(spark):
    from pyspark.sql import SparkSession

    return SparkSession.getActiveSession()


@pytest.fixture(scope="module")
def setting():
    return CheckSetting(received=DAY, engine="python")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """What a batch is given: files of many sets, of one set, small ones, packed ones, irregular ones."""
    folder = tmp_path_factory.mktemp("in")
    claims = "".join(generate(240, seed=3, invalid=0.1, per_transaction=3))
    one_set = "".join(generate(300, seed=4, invalid=0.1, per_transaction=300))
    (folder / "sets.837").write_text(claims)
    (folder / "one.837").write_text(one_set)
    for number in range(6):
        (folder / f"small-{number}.837").write_text("".join(generate(20, seed=20 + number, invalid=0.2)))
    (folder / "packed.837.gz").write_bytes(gzip.compress(claims.encode()))
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.837", "".join(generate(10, seed=40 + number)))
    # Control numbers that come twice, levels out of order, claims sent twice, an end too soon.
    (folder / "repeated.837").write_text(claims.replace("ST*837*0002", "ST*837*0001"))
    (folder / "levels.837").write_text(one_set.replace("~HL*7*", "~HL*70*"))
    (folder / "twice.837").write_text(claims + claims)
    (folder / "short.837").write_text(one_set[: len(one_set) * 2 // 3])
    (folder / "letter.txt").write_text("Dear payer")
    with_minutes = (ROOT / "samples/837p/97530").glob("eight-minutes.fail*")
    for file in with_minutes:
        shutil.copy(file, folder)
    return folder


def batch(setting, sources, folder, hire, *, size=SIZE, **more):
    """A batch into the folder, whose tasks are done by whom `hire` gives."""
    inputs = list(find_inputs(sorted(map(str, sources))))
    made = setting.make()
    with OutputFolder(folder, alone=True) as out:
        files = Files(out, True, "1", made.rulebook.rules, page=more.pop("page", False), split=not more)
        settings = Settings(2, "ndjson", False, {}, range_size=size, limits=Limits(), **more)
        return run_session(
            made, inputs, name_all(inputs), files, settings,
            look=lambda *_: None, clock=time.monotonic, hire=hire(made),
        )  # fmt: skip


def inline(_made):
    return lambda size, equipment: Inline(size, equipment.make_work)


def by_spark(spark, setting):
    return lambda made: partial(SparkCrew, spark, carry(spark, setting, made))


def both(spark, setting, sources, tmp_path, **more):
    """The names of files that differ between one process and Spark, and what Spark came to."""
    sources = list(sources)
    batch(setting, sources, tmp_path / "inline", inline, **more)
    outcome = batch(setting, sources, tmp_path / "spark", by_spark(spark, setting), **more)
    return compare_folders(tmp_path / "inline", tmp_path / "spark"), outcome


def test_it_writes_the_same_bytes(spark, setting, inputs, tmp_path):
    different, outcome = both(spark, setting, inputs.iterdir(), tmp_path)
    assert different == []
    assert outcome.work.deaths == 0
    assert len(list((tmp_path / "spark").glob("*.999"))) > 10
    assert {record.outcome for record in outcome.records} >= {"accepted_with_errors", "not_checked"}


def test_paths_are_those_of_the_command(spark, setting, inputs, tmp_path, monkeypatch):
    """A relative path means the same to the executors, which stand in other folders."""
    monkeypatch.chdir(inputs)
    different, outcome = both(spark, setting, [Path("small-1.837"), Path("sets.837")], tmp_path)
    assert (different, [record.path for record in outcome.records]) == ([], ["sets.837", "small-1.837"])
    assert all(record.sha256 for record in outcome.records)


def test_pages_and_tokens_are_the_same(spark, setting, inputs, tmp_path):
    sources = [inputs / "small-1.837", inputs / "sets.837"]
    more = {"redactor": Redactor(bytes(32)), "page": True}
    different, _ = both(spark, setting, sources, tmp_path, **more)
    assert different == []
    assert "PATIENT" in (tmp_path / "spark" / "small-1.html").read_text() or list(
        (tmp_path / "spark").glob("*.html")
    )


def test_tables_minutes_rules_and_profile_go_along(spark, setting, inputs, tmp_path):
    """None of them lies where an executor would look for it: they are gone when the work begins."""
    away = tmp_path / "away"
    away.mkdir()
    (away / "rules" / "our").mkdir(parents=True)
    rule = (ROOT / "rulesets/code/npi.yaml").read_text()
    (away / "rules" / "our" / "npi.yaml").write_text(rule)
    (away / "minutes.csv").write_text(
        (ROOT / "samples/837p/97530/eight-minutes.fail.minutes.csv").read_text()
    )
    table = away / "MCR_MUE_PractitionerServices_Eff_07-01-2026.csv"
    table.write_text(mue_text([("97530", "1", "3", "why"), ("97110", "1", "3", "why")]), newline="")
    import_as_whole(away / "tables", [str(table)])
    full = replace(
        setting,
        rules=(away / "rules",),
        tables=away / "tables",
        minutes=away / "minutes.csv",
        tables_named=True,
    )
    sources = [inputs / "eight-minutes.fail.837", inputs / "sets.837"]
    batch(full, sources, tmp_path / "inline", inline)
    hire = by_spark(spark, full)

    def and_take_away(made):
        hired = hire(made)
        away.rename(tmp_path / "gone")
        return hired

    batch(full, sources, tmp_path / "spark", and_take_away)
    # The notes for --resume have a digest of the rule files, which are gone.
    assert set(compare_folders(tmp_path / "inline", tmp_path / "spark")) <= {".edi-checker-batch.jsonl"}
    assert "our.npi" in (tmp_path / "spark" / "findings.ndjson").read_text()


def test_the_history_is_the_same(spark, setting, inputs, tmp_path):
    for name, hire in (("inline", inline), ("spark", by_spark(spark, setting))):
        source = HistorySource(str(tmp_path / f"{name}.db"), Secret(bytes(range(32))), True, time.time)
        batch(
            setting,
            [inputs / "small-1.837", inputs / "sets.837"],
            tmp_path / f"{name}-1",
            hire,
            history=source,
        )
        batch(setting, [inputs / "twice.837"], tmp_path / name, hire, history=source)
    assert compare_folders(tmp_path / "inline", tmp_path / "spark") == []
    assert "history.claim" in (tmp_path / "spark" / "findings.ndjson").read_text()


def executors() -> list[int]:
    """The processes of the executors below this one."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"CoarseGrainedExecutorBackend" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return [pid for pid in found if os.getpid() in ancestors(pid)]


def ancestors(pid: int) -> list[int]:
    found = []
    with suppress(OSError, ValueError):
        while pid > 1:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            found.append(pid)
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the executors in /proc")
def test_executors_that_are_killed_cost_only_time(spark, setting, inputs, tmp_path):
    large = tmp_path / "in"
    large.mkdir()
    (large / "one.837").write_text("".join(generate(3000, seed=8, invalid=0.05, per_transaction=3000)))
    for number in range(8):
        (large / f"{number}.837").write_text("".join(generate(300, seed=60 + number, invalid=0.05)))
    batch(setting, large.iterdir(), tmp_path / "inline", inline)
    ended, kills = threading.Event(), []

    def kill():
        chance = random.Random(1)
        while len(kills) < 10 and not ended.wait(chance.uniform(1, 4)):
            there = executors()
            if there:
                with suppress(ProcessLookupError):
                    os.kill(chance.choice(there), signal.SIGKILL)
                    kills.append(time.monotonic())

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        round_ = 0
        while len(kills) < 10:  # as often as it takes on a fast machine
            round_ += 1
            batch(setting, large.iterdir(), tmp_path / f"spark-{round_}", by_spark(spark, setting))
            assert compare_folders(tmp_path / "inline", tmp_path / f"spark-{round_}") == []
    finally:
        ended.set()
        killer.join()
    assert len(kills) == 10


class Deadly:
    """Ends the process that reads it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_task_that_ends_its_process_does_not_take_others_with_it(spark, setting, inputs, tmp_path):
    made = setting.make()
    (source,) = find_inputs([str(inputs / "small-1.837")])
    with OutputFolder(tmp_path, alone=True) as out:
        files = Files(out, True, "1", made.rulebook.rules, page=False)
        equipment = Equipment(made, files, Settings(2, "ndjson", False, {}))
        with SparkCrew(spark, carry(spark, setting, made), 2, equipment) as crew:
            good, bad = Task(0, source, "good"), Task(1, Deadly(), "bad")
            crew.give(good)
            crew.give(bad)
            events = []
            while crew.busy:
                events += crew.events(1)
            assert [type(event) for event in events] == [Died, Died]
            good.deaths = bad.deaths = 1
            crew.give(bad)
            crew.give(good)
            while crew.busy:
                events += crew.events(1)
    assert {(type(event), event.task.name) for event in events[2:]} == {(Died, "bad"), (Done, "good")}
    assert (tmp_path / "good.json").exists()


def test_what_executors_lack_is_said_before_the_work(spark, setting, inputs, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(crews, "version", lambda _: "0.0.1")
        with pytest.raises(SparkUnusable, match=r"have version \S+ of the program, and this is 0\.0\.1"):
            batch(setting, [inputs / "small-1.837"], tmp_path / "a", by_spark(spark, setting))
    lost = replace(setting, tables=tmp_path)
    carried = carry(spark, lost, setting.make())
    broken = replace(carried, archive="never-sent.zip", setting=replace(carried.setting, tables_named=True))
    with pytest.raises(SparkUnusable, match=r"executors cannot run the program: SettingError: .*no tables"):
        batch(setting, [inputs / "small-1.837"], tmp_path / "b", lambda _: partial(SparkCrew, spark, broken))


@pytest.mark.parametrize("with_phi", [False, True])
def test_the_tables_of_a_lake_are_those_of_facts(lakes, setting, inputs, tmp_path, with_phi):
    parquet = pytest.importorskip("pyarrow.parquet")
    names = ["sets.837", "levels.837", "short.837", "packed.837.gz", "letter.txt"]
    tables = edi_checker.spark.check(
        lakes, [str(inputs / name) for name in names], setting, with_phi=with_phi
    )
    words = ["facts", *names, "--out-dir", tmp_path, "--received", "2026-11-21"]
    subprocess.run(
        [sys.executable, "-m", "edi_checker", *words, *(["--with-phi"] if with_phi else [])],
        cwd=inputs, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    for name in TABLES:
        own = [row.asDict() for row in getattr(tables, name).collect()]
        for row in own:
            row["file"] = row["file"].rpartition("/")[2]
        theirs = parquet.read_table(tmp_path / f"{name}.parquet").to_pylist()
        assert sorted(map(repr, own)) == sorted(map(repr, theirs))
    assert getattr(tables.claims.schema["charge"].dataType, "scale", None) == 2
    assert tables.claims.schema["charge"].metadata == {
        "comment": "CLM02; empty if it cannot be read",
        "phi": "no",
    }
    tables.source.unpersist()


def test_a_file_that_no_task_can_hold_is_not_checked(lakes, setting, inputs, monkeypatch):
    monkeypatch.setattr(lake, "LARGEST", 100_000)
    tables = edi_checker.spark.check(lakes, str(inputs / "s*.837"), setting)
    rows = {row.file.rpartition("/")[2]: row for row in tables.files.collect()}
    assert rows["small-1.837"].outcome == "accepted_with_errors"
    assert rows["sets.837"].outcome == "not_checked"
    assert "larger than" in rows["sets.837"].reason


def test_published_files_and_cases_of_the_field_give_the_same_bytes(spark, setting, tmp_path):
    """The published files where they are at hand."""
    sources = [*CORPUS.rglob("*"), *(DATA / "field").rglob("*")]
    different, outcome = both(
        spark, setting, [file for file in sources if file.is_file()], tmp_path, size=5_000
    )
    assert different == []
    assert len(outcome.records) > 300


def command(tmp_path, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "edi_checker", "batch", *words, "--out-dir", tmp_path / "out"],
        cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_command_starts_spark_itself(inputs, tmp_path):
    words = (inputs / "small-1.837", "--received", "2026-11-21")
    done = command(tmp_path, *words, "--engine", "spark", "--master", "local[1]")
    assert done.returncode == 1, done.stderr
    assert "20 claims in" in done.stdout
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 4, done.stderr
    local = tmp_path / "local"
    local.mkdir()
    assert command(local, *words).returncode == 1
    assert compare_folders(local / "out", tmp_path / "out") == []


def test_without_java_it_says_what_is_missing(inputs, tmp_path):
    done = command(tmp_path, inputs / "small-1.837", "--engine", "spark", JAVA_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "--engine spark: Spark cannot be started (JAVA_GATEWAY_EXITED); is Java 17 there?" in done.stderr


def test_without_pyspark_it_says_what_to_install(inputs, tmp_path):
    (tmp_path / "pyspark.py").write_text("raise ModuleNotFoundError('pyspark')")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    done = command(tmp_path, inputs / "small-1.837", "--engine", "spark", PYTHONPATH=path)
    assert done.returncode == 2
    assert "it needs pyspark and Java 17: pip install 'edi-checker[spark]'" in done.stderr


def test_a_master_goes_with_spark_alone(inputs, tmp_path):
    done = command(tmp_path, inputs / "small-1.837", "--master", "local[2]")
    assert done.returncode == 2
    assert "--master goes with --engine spark." in done.stderr


def test_the_program_of_the_page_runs(lakes, inputs, tmp_path, capfd):
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    (program,) = blocks(page, "python")
    program = program.replace("s3a://claims/2026/11/*.837", str(inputs / "small-*.837"))
    program = program.replace("s3a://lake", str(tmp_path))
    exec(program, {"spark": lakes})
    assert "|" in capfd.readouterr().out
    assert lakes.read.parquet(str(tmp_path / "claims")).count() == 120


@pytest.mark.long
def test_the_notebook_of_the_docs_says_the_same_both_ways(inputs, tmp_path):
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    (tmp_path / "samples/837p").mkdir(parents=True)
    folder = tmp_path / "samples/837p/faulty"
    folder.mkdir()
    for file in inputs.glob("small-*.837"):
        shutil.copy(file, folder)
    (folder / "letter.txt").write_text("Dear payer")
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "howto" / "findings_of_a_folder.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "the same: True" in done.stdout
    assert done.stdout.count("guide.") >= 2  # in both
    assert "letter.txt" in done.stdout
    assert "it is plain text" in done.stdout
