"""The crew of Spark without Spark: jobs that end, fail or never begin; test_spark.py has the real one."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from edi_checker.batch.session import Settings, name_all, run_session
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.run.one_input import Files
from edi_checker.run.setting import CheckSetting
from edi_checker.spark import crew
from edi_checker.spark.carried import carry
from edi_checker.spark.crew import SparkCrew
from edi_checker.spark.session import SparkUnusable, say_error
from generate_claims import generate
from kills import compare_folders
from test_batch import Inline


class Spark:
    """Does the jobs of a SparkContext in this process, but for those of which the number is in `failing`."""

    def __init__(self, failing=()):
        self.jobs = []
        self._failing = failing
        self._one_at_a_time = threading.Lock()
        self.cancelled = False

    def broadcast(self, value):
        return type("Broadcast", (), {"value": value})

    def parallelize(self, items, slices):
        assert len(items) == slices
        return Job(self, items)

    def run(self, work, items):
        self.jobs.append(len(items))
        if len(self.jobs) - 1 in self._failing:
            raise RuntimeError("An error occurred\nOSError: no room")
        # A process of an executor does one task at a time.
        with self._one_at_a_time:
            return [work(item) for item in items]

    def cancelAllJobs(self):  # noqa: N802  # Spark's own name
        self.cancelled = True


class Job:
    def __init__(self, spark, items):
        self._spark, self._items = spark, items

    def map(self, work):
        self.collect = lambda: self._spark.run(work, self._items)
        return self


@pytest.fixture
def sources(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "large.837").write_text("".join(generate(120, seed=3, invalid=0.1, per_transaction=120)))
    for number in range(3):
        (folder / f"{number}.837").write_text("".join(generate(10, seed=number, invalid=0.2)))
    return sorted(map(str, folder.iterdir()))


def batch(sources, folder, hire):
    setting = CheckSetting(received=20261121, engine="python", tables=folder / "none")
    made = setting.make()
    inputs = list(find_inputs(sources))
    with OutputFolder(folder, alone=True) as out:
        return run_session(
            made,
            inputs,
            name_all(inputs),
            Files(out, True, "1", made.rulebook.rules, page=False),
            Settings(2, "ndjson", False, {}, range_size=20_000),
            look=lambda *_: None,
            clock=time.monotonic,
            hire=hire(setting, made),
        )


def inline(_setting, _made):
    return lambda size, equipment: Inline(size, equipment.make_work)


def by(spark):
    return lambda setting, made: partial(SparkCrew, spark, carry(spark, setting, made))


@pytest.mark.parametrize("failing", [(), (1,), (1, 2, 3)])
def test_what_it_writes_is_what_one_process_writes(sources, tmp_path, failing, monkeypatch):
    monkeypatch.setattr(crew, "_is_stopped", lambda _: False)
    spark = Spark(failing)
    batch(sources, tmp_path / "inline", inline)
    outcome = batch(sources, tmp_path / "spark", by(spark))
    assert compare_folders(tmp_path / "inline", tmp_path / "spark") == []
    assert bool(outcome.work.deaths) == bool(failing)
    assert spark.cancelled


def test_tasks_of_a_job_that_failed_are_tried_one_by_one(sources, tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "_is_stopped", lambda _: False)
    spark = Spark((1,))
    outcome = batch(sources, tmp_path / "spark", by(spark))
    lost = spark.jobs[1]
    assert outcome.work.deaths == lost > 1
    assert spark.jobs[2:].count(1) >= lost


def test_spark_that_has_ended_ends_the_batch(sources, tmp_path):
    """What stands for Spark here cannot be asked, as one whose Java is gone."""
    with pytest.raises(SparkUnusable, match="Spark has ended before the batch"):
        batch(sources, tmp_path / "spark", by(Spark((1,))))


def test_executors_that_cannot_begin_are_refused(sources, tmp_path, monkeypatch):
    with pytest.raises(SparkUnusable, match="its executors cannot run the program: OSError: no room"):
        batch(sources, tmp_path / "a", by(Spark((0,))))
    monkeypatch.setattr(crew, "_look", lambda *_: ("0.0.1", True))
    with pytest.raises(SparkUnusable, match=r"executors have version 0\.0\.1 of the program, and this is"):
        batch(sources, tmp_path / "b", by(Spark()))
    monkeypatch.setattr(crew, "_look", lambda *_: (crew.version("edi-checker"), False))
    with pytest.raises(SparkUnusable, match=r"do not see .*: it must lie where all machines see it"):
        batch(sources, tmp_path / "c", by(Spark()))


def test_an_error_is_said_in_the_words_of_python():
    said = "An error occurred.\n: org.apache.spark.SparkException: Job aborted\n  at Scala\nOSError: No room"
    assert say_error(Exception(said)) == "OSError: No room"
    of_java = (
        "An error occurred while calling None.\n: org.apache.spark.SparkException: No master\n\tat org.apache"
    )
    assert say_error(Exception(of_java)) == "SparkException: No master"
    assert say_error(Exception("Java said no")) == "Java said no"
    assert say_error(ValueError()) == "ValueError"
