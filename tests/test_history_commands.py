"""`check --history` and `batch --history`: what they make, remember and refuse, and what workers change."""

from __future__ import annotations

import itertools
import json
import sqlite3
import time

import pytest
from click.testing import CliRunner

from edi_checker import rules
from edi_checker.batch.session import Settings, name_all, run_session
from edi_checker.check.checker import Checker
from edi_checker.check.engine import Engine
from edi_checker.cli import commands
from edi_checker.facts import Setting
from edi_checker.files.folder import OutputFolder
from edi_checker.files.inputs import find_inputs
from edi_checker.guide.table import load as load_guide
from edi_checker.reference.tables import built_in
from edi_checker.run.history import HistorySource, InputHistory, Opener
from edi_checker.run.one_input import Files, Watcher, check_input
from edi_checker.run.setting import Made
from edi_checker.state import Secret, State, StateError, open_ledger
from report_schema import validate
from test_history import DAY, claims, digest, named, patient

SECRET = Secret(bytes(range(32)))
PAIR = claims(named(["97530:GP x2"], "FIRST")), claims(["97750:GP x1"])


def run(command, *words):
    given = [command, *map(str, words), "--received", "2026-03-02", "--no-progress"]
    return CliRunner().invoke(commands, given, catch_exceptions=False)


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / "first.837", tmp_path / "second.837"]
    for path, text in zip(paths, PAIR, strict=True):
        path.write_text(text)
    return paths


def remember(tmp_path, *paths, more=()):
    """What the claims of these files become in the history, as `batch --remember` does it."""
    return run(
        *("batch", *paths, "--out-dir", tmp_path / "out", "--workers", 1),
        *("--history", tmp_path / "h.db", "--remember", *more),
    )


def test_a_check_looks_and_a_batch_remembers(tmp_path, files):
    history = tmp_path / "h.db"
    first = run("check", files[1], "--history", history)
    assert first.exit_code == 0
    assert f"the history {history} is made" in first.stderr
    assert f"the secret key {history}.key is made" in first.stderr
    assert (tmp_path / "h.db.key").stat().st_mode & 0o777 == 0o600
    assert run("check", files[0], "--history", history).exit_code == 0
    assert run("check", files[1], "--history", history).exit_code == 0  # a check leaves nothing
    assert remember(tmp_path, files[0]).exit_code == 0
    found = run("check", files[1], "--history", history, "--format", "json")
    assert found.exit_code == 1
    report = json.loads(found.stdout)
    validate(report)
    [finding] = [f for f in report["files"][0]["findings"] if f["rule"] == "history.ptp"]
    assert finding["related"][0]["received"] == "2026-03-02"
    assert finding["related"][0]["claim"] == "FIRST"
    assert run("check", files[1]).exit_code == 0


@pytest.mark.parametrize("form", ["text", "csv", "html", "ndjson"])
def test_each_report_names_the_other_file(tmp_path, files, form):
    remember(tmp_path, files[0])
    said = run("check", files[1], "--history", tmp_path / "h.db", "--format", form).stdout
    assert "2026-03-02" in said
    assert "FIRST" in said


def test_paths_of_one_input_say_the_same(tmp_path, files):
    remember(tmp_path, files[0])
    said = [
        run("check", files[1], "--history", tmp_path / "h.db", *more).stdout
        for more in ((), ("--no-fast-path",), ("--engine", "python"))
    ]
    assert len(set(said)) == 1
    assert "history.ptp" in said[0]


def test_a_batch_without_remember_looks_only(tmp_path, files):
    words = ("batch", *files, "--out-dir", tmp_path / "out", "--workers", 1, "--history", tmp_path / "h.db")
    assert run(*words).exit_code == 0
    assert run(*words).exit_code == 0
    with open_ledger(str(tmp_path / "h.db"), time.time) as ledger:
        assert ledger.list_files() == []


def test_what_is_remembered_is_done_in_the_ledger(tmp_path, files):
    assert remember(tmp_path, *files).exit_code == 1  # the second file meets the first of the same batch
    assert remember(tmp_path, *files).exit_code == 1  # and again: a file gives way to itself
    with open_ledger(str(tmp_path / "h.db"), time.time) as ledger:
        found = ledger.list_files()
    assert {(file.name, file.state, file.partner) for file in found} == {("first.837", State.DONE, "")}
    assert len(found) == 2
    assert found[0].replay_of == found[1].id


# -- refusals


def test_another_key_is_refused(tmp_path, files):
    remember(tmp_path, files[0])
    other = tmp_path / "other.key"
    Secret.create(other)
    refused = run("check", files[1], "--history", tmp_path / "h.db", "--history-key", other)
    assert refused.exit_code == 2
    assert "the secret key is not the one" in refused.stderr


def test_a_lost_key_is_not_made_anew(tmp_path, files):
    remember(tmp_path, files[0])
    (tmp_path / "h.db.key").unlink()
    refused = run("check", files[1], "--history", tmp_path / "h.db")
    assert refused.exit_code == 2
    assert "its secret key is not there" in refused.stderr
    assert not (tmp_path / "h.db.key").exists()


def test_a_key_that_others_can_read_is_refused(tmp_path, files):
    remember(tmp_path, files[0])
    (tmp_path / "h.db.key").chmod(0o644)
    assert run("check", files[1], "--history", tmp_path / "h.db").exit_code == 2


@pytest.mark.parametrize("command", ["check", "batch"])
def test_a_database_that_cannot_be_reached_is_refused(tmp_path, files, command):
    url = "postgresql://nobody@/none?host=/nowhere"
    words = ("--out-dir", tmp_path / "out", "--history", url, "--history-key", tmp_path / "key")
    refused = run(command, *files, *words)
    assert refused.exit_code == 2
    assert "the history cannot be used" in refused.stderr


def test_what_is_no_ledger_is_refused(tmp_path, files):
    for text in (b"no database at all, only text\n" * 400, b"SQLite format 3\0" + bytes(5000)):
        (tmp_path / "h.db").write_bytes(text)
        assert run("check", files[1], "--history", tmp_path / "h.db").exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--history", "postgresql://a/b"), "needs --history-key"),
        (("--history-key", "k"), "needs --history"),
    ],
)
def test_options_that_lack_one(files, words, said):
    refused = run("check", files[0], *words)
    assert refused.exit_code == 2
    assert said in refused.stderr


def test_standard_input_cannot_be_read_twice(tmp_path):
    refused = run("check", "-", "--history", tmp_path / "h.db")
    assert refused.exit_code == 2
    assert not (tmp_path / "h.db").exists()


@pytest.mark.parametrize("damage", ["bytes", "end", "tables", "filter"])
@pytest.mark.parametrize("command", ["check", "batch"])
def test_a_damaged_history_is_never_silent(tmp_path, files, command, damage):
    remember(tmp_path, files[0])
    file = tmp_path / "h.db"
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        if damage == "tables":
            connection.execute("DROP TABLE history_page")
        if damage == "filter":
            connection.execute("UPDATE history_run SET filter = x''")
    connection.close()
    whole = file.read_bytes()
    if damage == "bytes":
        file.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    if damage == "end":
        file.write_bytes(whole[: len(whole) // 3])
    found = run(command, files[1], "--history", file, "--out-dir", tmp_path / "new")
    assert found.exit_code == 2
    assert "history" in found.stdout + found.stderr


def test_a_history_that_is_lost_on_the_way_is_not_checked(tmp_path, files, monkeypatch):
    def fail(*_):
        raise StateError("the disk is gone")

    remember(tmp_path, files[0])
    monkeypatch.setattr("edi_checker.state.ledger.Ledger.find_history", fail)
    for command in ("check", "batch"):
        out = tmp_path / command
        found = run(command, files[1], "--history", tmp_path / "h.db", "--out-dir", out)
        assert found.exit_code == 2
        [said] = json.loads((out / "second.json").read_text())["files"]
        assert said["outcome"] == "not_checked"
        assert said["reason"] == "the history cannot be read: the disk is gone"


# -- batches


def session(tmp_path, name, paths, *, workers, size, keeps=True):
    """A batch over these paths; all that is written of the inputs."""
    checker = Checker(load_guide(), Engine(rules.load(), "python"), Setting(DAY, built_in()))
    source = HistorySource(str(tmp_path / f"{name}.db"), SECRET, keeps, time.time)
    out = tmp_path / name
    inputs = list(find_inputs(list(map(str, paths)), None))
    with OutputFolder(out, alone=True, inputs=set()) as folder:
        files = Files(folder, acks=True, version="1", page=False)
        settings = Settings(workers, "ndjson", False, {}, range_size=size, history=source)
        done = run_session(
            Made(checker, rules.load()),
            inputs,
            name_all(inputs),
            files,
            settings,
            look=lambda *_: None,
            clock=time.monotonic,
        )
    assert [record.troubles for record in done.records] == [[]] * len(inputs)
    kept = {path.name: path.read_bytes() for path in out.iterdir() if path.suffix in (".json", ".277ca")}
    kept.pop("summary.json")
    return kept


def _days(lines, days):
    return [[f"{line} on 2026-02-0{day}" for line in lines] for day in days]


def _many_files(tmp_path):
    """Files of two patients whose claims meet in every pair of files."""
    folder = tmp_path / "in"
    folder.mkdir()
    lines = [["97530:GP x2"], ["97750:GP x1"], ["97530:GP:76 x3"], ["97116:GP x1", "97530:GP:76 x2"]]
    for number, (chosen, who) in enumerate(itertools.product(lines, (1, 2))):
        said = [*_days(chosen, (3, 4, 5)), named(["97110:GP:76 x1"], f"N{number}")]
        (folder / f"f{number}.837").write_text(claims(*said, edit=patient(who)))
    return sorted(folder.iterdir())


@pytest.mark.long
def test_workers_and_ranges_change_nothing(tmp_path):
    paths = _many_files(tmp_path)
    one = session(tmp_path, "one", paths, workers=1, size=1 << 19)
    assert sum(text.count(b'"history.') for text in one.values()) > 10
    assert session(tmp_path, "many", paths, workers=3, size=1 << 19) == one
    assert session(tmp_path, "cut", paths, workers=3, size=300) == one


@pytest.mark.long
def test_a_cut_input_looks_as_one_process_does(tmp_path):
    *before, last = _many_files(tmp_path)
    session(tmp_path, "h", before, workers=1, size=1 << 19)
    source = HistorySource(str(tmp_path / "h.db"), SECRET, False, time.time)
    checker = Checker(load_guide(), Engine(rules.load(), "python"), Setting(DAY, built_in()))
    [given] = find_inputs([str(last)], None)
    with OutputFolder(tmp_path / "alone", alone=True, inputs=set()) as folder, Opener(source) as ledger:
        files = Files(folder, acks=True, version="1", page=False)
        check_input(
            checker,
            given,
            last.stem,
            report=None,
            files=files,
            watcher=Watcher(lambda _: None, lambda: None, lambda _: None),
            history=source.begin(ledger, DAY),
        )
        alone = (folder.path / f"{last.stem}.json").read_bytes()
    (tmp_path / "h").rename(tmp_path / "before")
    cut = session(tmp_path, "h", [last], workers=2, size=300, keeps=False)
    assert cut[f"{last.stem}.json"] == alone
    assert b"history." in alone


def test_a_ledger_that_fails_at_the_end_is_said(tmp_path, files, monkeypatch):
    def fail(*_):
        raise StateError("the disk is full")

    monkeypatch.setattr("edi_checker.batch.remembering.remember", fail)
    said = remember(tmp_path, files[0])
    assert said.exit_code == 2
    assert "its claims are not remembered: the disk is full" in said.stderr


def test_who_is_overtaken_again_and_again_is_said(tmp_path, files, monkeypatch):
    from edi_checker.batch import remembering

    def overtaken(*_):
        raise remembering.Overtaken(())

    monkeypatch.setattr(remembering, "remember", overtaken)
    said = remember(tmp_path, files[0])
    assert said.exit_code == 2
    assert "others changed the history each time" in said.stderr


def test_old_history_goes_by_its_age(tmp_path, files):
    remember(tmp_path, files[0])
    later = time.time() + 100 * 86400
    with open_ledger(str(tmp_path / "h.db"), lambda: later) as ledger:
        ledger.purge(older_than=400 * 86400, history_older_than=90 * 86400)
        secret = Secret.read(tmp_path / "h.db.key")
        history = InputHistory(secret, lambda: ledger, DAY, past=ledger.past(digest("")))
        assert history.past.left_out == frozenset()
    assert run("check", files[1], "--history", tmp_path / "h.db").exit_code == 0
