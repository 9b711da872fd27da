"""The ledger among several processes: races, blows with kill -9, and a server that falls over."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from edi_checker.state import (
    NO_CLAIM,
    Answer,
    Draw,
    Entry,
    Fenced,
    HistoryRun,
    Interchange,
    InterchangeKey,
    Output,
    Secret,
    State,
    StateError,
    open_ledger,
)

SECRET = Secret(bytes(32))
KEY = SECRET.key("day", "1")
DRAWS = [Draw("R", "S", "ISA", 0), Draw("R", "S", "GS", 0)]
PARTIES = ("ZZ", "S", "ZZ", "R")


def work(url, owner, files, lease):
    """Note and check files as a watcher would; each acknowledged step is a line on the standard output."""
    ledger = open_ledger(url, time.time)
    if sys.stdin.readline():  # the race begins when all are there
        print("{}", flush=True)
        sys.stdin.readline()

    def say(step, file, **more):
        print(json.dumps({"step": step, "id": file.id, "token": file.token, **more}), flush=True)

    for name in files:
        say("noted", ledger.note("acme", name, 1, 1))
    while owner and (mine := ledger.take(owner, lease)) is not None:
        say("taken", mine, state=mine.state)
        try:
            if mine.state == State.CLAIMED:
                mine = ledger.renew(mine, lease)
                say("drawn", mine, numbers=ledger.draw_numbers(mine, DRAWS))
                sha256 = f"{mine.name:>064}"
                run = HistoryRun(
                    SECRET.fingerprint,
                    ledger.past(sha256).snapshot,
                    frozenset(),
                    [Entry(KEY, 1, NO_CLAIM, mine.name.encode())],
                )
                interchange = Interchange(InterchangeKey(*PARTIES, mine.name), "A")
                said = Answer(sha256, (Output("x", "y", 1),), (interchange,), "s", "{}", history=run)
                mine = ledger.answer(mine, said)
                say("answered", mine)
            say("done", ledger.finish(mine))
        except Fenced:
            say("fenced", mine)
        ledger.merge_history()
        time.sleep(0.01)


def start(url, owner, files, lease=60.0, stdin=subprocess.DEVNULL):
    return subprocess.Popen(
        [sys.executable, __file__, url, owner, json.dumps(files), str(lease)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def read(text):
    """What was acknowledged; a last line that was cut off was not."""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def hold_to_what_was_said(ledger, said, names):
    """Nothing that was acknowledged is lost, nothing is done twice, no number is given to two files."""
    files = {file.id: file for file in ledger.list_files(limit=10_000)}
    for line in said:
        file = files[line["id"]]
        assert file.token >= line["token"]
        if line["step"] == "drawn":
            assert [number for _, number in sorted(ledger.show(file.id).numbers)] == sorted(line["numbers"])
        if line["step"] in ("answered", "done"):
            assert file.answered_at is not None
        if line["step"] == "done":
            assert file.state == State.DONE
    assert sorted(file.name for file in files.values()) == sorted(names)
    assert {file.state for file in files.values()} == {State.DONE}
    numbers = [drawn for file in files for drawn in ledger.show(file).numbers]
    assert max(Counter((draw.kind, number) for draw, number in numbers).values()) == 1
    taken = Counter((line["id"], line["token"]) for line in said if line["step"] == "taken")
    assert max(taken.values()) == 1
    lines = ledger.find_history(ledger.past("none"), [KEY])[KEY]
    assert sorted(line.packed.decode() for line in lines) == sorted(names)
    for file in files:
        details = ledger.show(file)
        assert (len(details.outputs), len(details.interchanges)) == (1, 1)
    ledger.check()


@pytest.mark.long
def test_no_file_is_taken_twice_by_two_that_race(ledger_url):
    names = [f"{number}" for number in range(1, 31)]
    with open_ledger(ledger_url, time.time) as ledger:
        for name in names:
            ledger.note("acme", name, 1, 1)
        both = [start(ledger_url, owner, [], stdin=subprocess.PIPE) for owner in ("one", "two")]
        said = []
        for each in both:
            each.stdin.write("ready?\n")
            each.stdin.flush()
            assert each.stdout.readline() == "{}\n"
        for each in both:
            each.stdin.write("go\n")
            each.stdin.flush()
        for each in both:
            out, err = each.communicate(timeout=120)
            assert each.returncode == 0, err
            said.append(read(out))
        assert Counter(line["step"] for line in said[0] + said[1])["answered"] == 30
        assert all(said)
        hold_to_what_was_said(ledger, said[0] + said[1], names)


@pytest.mark.long
def test_two_that_note_the_same_names_make_one_file_of_each(ledger_url):
    names = [f"{number}" for number in range(20)]
    both = [start(ledger_url, "", names) for _ in range(2)]
    said = []
    for each in both:
        out, err = each.communicate(timeout=120)
        assert each.returncode == 0, err
        said += read(out)
    assert Counter(line["step"] for line in said) == {"noted": 40}
    assert len({line["id"] for line in said}) == 20


@pytest.mark.long
def test_processes_that_are_killed_leave_the_ledger_whole(ledger_url):
    names = [f"{number}" for number in range(1, 41)]
    dice = random.Random(837)
    said = []
    with open_ledger(ledger_url, time.time) as ledger:
        for name in names:
            ledger.note("acme", name, 1, 1)
    for blow in range(12):
        worker = start(ledger_url, f"owner{blow}", [], lease=0.2)
        line = worker.stdout.readline()
        time.sleep(dice.random() * 0.3)
        worker.send_signal(signal.SIGKILL)
        out, _ = worker.communicate(timeout=60)
        said += read(line + out)
        time.sleep(0.2)
    out, err = start(ledger_url, "last", []).communicate(timeout=120)
    assert not err
    with open_ledger(ledger_url, time.time, thorough=True) as ledger:
        hold_to_what_was_said(ledger, said + read(out), names)


# A place in the middle of each operation: the statement after which the process is killed.
_OPERATIONS = {
    "note": lambda ledger, mine: ledger.note("acme", "new", 1, 1),
    "begin": lambda ledger, mine: ledger.begin("acme", "new", 1, 1, "me", 60),
    "renew": lambda ledger, mine: ledger.renew(mine, 600),
    "draw_numbers": lambda ledger, mine: ledger.draw_numbers(mine, DRAWS),
    "answer": lambda ledger, mine: ledger.answer(mine, _whole_answer(ledger)),
    "fail": lambda ledger, mine: ledger.fail(mine, "bad"),
    "settle": lambda ledger, mine: ledger.settle(mine.id, State.DONE, "ok", "jo"),
    "skip_numbers": lambda ledger, mine: ledger.skip_numbers(10),
    "end_leases": lambda ledger, mine: ledger.end_leases(),
    "purge": lambda ledger, mine: ledger.purge(0),
}


def _whole_answer(ledger):
    run = HistoryRun(
        SECRET.fingerprint, ledger.past("a").snapshot, frozenset(), [Entry(KEY, 1, NO_CLAIM, b"x")]
    )
    interchange = Interchange(InterchangeKey(*PARTIES, "1"), "A")
    return Answer("a", (Output("x", "y", 1),), (interchange,), "s", "{}", history=run)


def die_within(url, operation, statement):
    """Do one operation, and die after so many statements that write, before its commit."""
    from sqlalchemy import event

    ledger = open_ledger(url, time.time)
    mine = ledger.take("me", 60)
    left = statement

    @event.listens_for(ledger._store.engine, "after_cursor_execute")
    def _count(_connection, _cursor, text, *_):
        nonlocal left
        left -= text.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _OPERATIONS[operation](ledger, mine)


@pytest.mark.long
@pytest.mark.parametrize("operation", _OPERATIONS)
def test_a_blow_inside_an_operation_undoes_it_whole(ledger_url, operation):
    # Each is a process of its own, forked from one in which all is loaded.
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__, "sqlalchemy", "edi_checker.state.ledger"])
    with open_ledger(ledger_url, time.time) as ledger:
        ledger.finish(
            ledger.answer(ledger.begin("acme", "done", 1, 1, "me", 60), Answer("z", (), (), "s", "{}"))
        )
        ledger.note("acme", "x", 1, 1)
        ledger.draw_numbers(mine := ledger.take("me", 60), [Draw("A", "B", "ISA", 0)])
        ledger.release(mine)
        mine = None
        for statement in range(1, 20):
            if mine is not None:
                ledger.end_leases()
            before = _picture(ledger)
            child = processes.Process(target=die_within, args=(ledger_url, operation, statement))
            child.start()
            child.join(120)
            if child.exitcode == 0:
                break
            assert child.exitcode == -signal.SIGKILL
            mine = next(file for file in ledger.list_files() if file.name == "x")
            assert mine.state == State.CLAIMED
            after = _picture(ledger)
            if operation != "purge":  # which goes in several transactions
                assert after == before
        assert statement > 1
        ledger.check()


def _picture(ledger):
    files = [{**each, "token": 0, "owner": "", "lease_until": 0, "state": ""} for each in ledger.export()]
    return files, ledger.list_numbers(), ledger.find_history(ledger.past("none"), [KEY])


@pytest.mark.long
def test_a_server_that_falls_over_loses_nothing_that_was_acknowledged(postgresql):
    url = postgresql.make()
    stop = threading.Event()

    def restart():
        while not stop.wait(1.0):
            postgresql.restart()

    names = [f"{number}" for number in range(1, 61)]
    said, left = [], names
    shaker = threading.Thread(target=restart)
    start(url, "first", []).communicate(timeout=60)
    shaker.start()
    try:
        for attempt in range(8):
            worker = start(url, f"owner{attempt}", left, lease=0.5)
            out, err = worker.communicate(timeout=120)
            said += read(out)
            assert worker.returncode == 0 or "StateError" in err, err
            noted = [line for line in read(out) if line["step"] == "noted"]
            left = left[len(noted) :]
    finally:
        stop.set()
        shaker.join()
    time.sleep(0.6)
    with open_ledger(url, time.time) as ledger:
        there = {file.name for file in ledger.list_files(limit=1000)}
    out, err = start(url, "last", sorted(set(names) - there)).communicate(timeout=120)
    with open_ledger(url, time.time) as ledger:
        hold_to_what_was_said(ledger, said + read(out), names)


@pytest.mark.long
def test_a_connection_that_was_lost_is_made_again(postgresql):
    with open_ledger(postgresql.make(), time.time) as ledger:
        mine = ledger.begin("acme", "x", 1, 1, "me", 60)
        postgresql.restart()
        try:
            mine = ledger.renew(mine, 60)
        except StateError:
            mine = ledger.renew(mine, 60)
        assert mine.state == State.CLAIMED


@pytest.mark.long
def test_many_that_open_a_new_ledger_at_once_make_one(ledger_url):
    children = [start(ledger_url, f"{number}", [f"{number}"]) for number in range(4)]
    for child in children:
        _, err = child.communicate(timeout=120)
        assert child.returncode == 0, err
    with open_ledger(ledger_url, time.time) as ledger:
        assert {file.name for file in ledger.list_files()} == {"0", "1", "2", "3"}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    work(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), float(sys.argv[4]))
