"""What a watcher deletes from its ledger, and when the clock is not trusted with it."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest

from drop_folder import say
from edi_checker.batch.workers import Done
from edi_checker.state import Purged, open_ledger
from edi_checker.watch import loop
from edi_checker.watch.forgetting import Trust
from edi_checker.watch.log import Log
from ledgers import Clock

HOUR = 3600.0
DAY = 24 * HOUR
NOW = 1_800_000_000.0


def test_a_clock_that_moves_as_time_does_is_trusted():
    trust = Trust(400 * DAY, NOW - 3 * DAY, NOW - 3 * DAY, NOW, 50.0)
    assert (trust.doubt, trust.look(NOW + 600 * DAY + 2000, 50 + 600 * DAY)) == ("", "")
    assert trust.allows(50.0)


def test_an_empty_ledger_says_nothing_of_the_clock():
    trust = Trust(400 * DAY, 0.0, 0.0, NOW, 50.0)
    assert (trust.doubt, trust.allows(50.0)) == ("", True)


@pytest.mark.parametrize(
    ("moved", "said"), [(401 * DAY, "forward by 9,624 hours"), (-2 * HOUR, "back by 2 h")]
)
def test_a_clock_that_jumps_waits_a_day_and_is_said_once(moved, said):
    trust = Trust(400 * DAY, NOW, NOW - DAY, NOW, 50.0)
    assert said in trust.look(NOW + moved + 60, 110.0)
    assert trust.look(NOW + moved + 120, 170.0) == ""
    assert not trust.allows(170.0)
    assert trust.look(NOW + moved + DAY + 60, 110 + DAY) == ""
    assert trust.allows(110 + DAY)


def test_a_jump_that_is_taken_back_waits_again():
    trust = Trust(400 * DAY, NOW, NOW - DAY, NOW, 0.0)
    assert trust.look(NOW + 401 * DAY, 0.0)
    assert trust.look(NOW + HOUR, HOUR)
    assert not trust.allows(DAY)
    assert trust.allows(DAY + HOUR)


@pytest.mark.parametrize(
    ("newest", "before", "said"),
    [
        (NOW - 401 * DAY, NOW - 401 * DAY, "the clock is 9,624 hours ahead of what the ledger knows"),
        # A watcher that was started again after it had answered a file under the wrong clock.
        (NOW - 5, NOW - 401 * DAY, "the clock is 9,624 hours ahead of what the ledger knows"),
        (NOW + 2 * DAY, NOW - DAY, "times in the ledger are 48 hours ahead of the clock"),
    ],
)
def test_a_start_far_from_the_newest_time_is_said(newest, before, said):
    trust = Trust(400 * DAY, newest, before, NOW, 50.0)
    assert said in trust.doubt
    assert trust.allows(50.0) == (newest > NOW)
    assert trust.allows(50.0 + DAY)


def test_a_log_without_names_has_whole_reasons(capsys):
    Log("json", hide_names=True).say("failed", name="a.837", reason="a text without X12 in it", id=1)
    said = json.loads(capsys.readouterr().err)
    assert (said["reason"], "name" in said) == ("a text without X12 in it", False)


@pytest.fixture
def ledger(tmp_path):
    clock = Clock(NOW)
    with open_ledger(str(tmp_path / "ledger.db"), clock) as opened:
        opened.finish(opened.answer(opened.begin("acme", "a", 1, 0, "me", 60), say(1, "a")))
        clock.now += 401 * DAY
        yield opened


def test_nothing_is_deleted_by_a_clock_that_is_not_trusted(ledger):
    assert loop._tidy_ledger(ledger, 400 * DAY, None) is None
    assert len(ledger.list_files()) == 1
    assert loop._tidy_ledger(ledger, 400 * DAY, NOW + 401 * DAY) == (1, 0)


def test_a_step_of_the_clock_empties_no_ledger(ledger, monkeypatch, capsys):
    """What a watcher asks of its process when it has nothing else to do, as the clock is set under it."""
    monkeypatch.setattr("time.time", lambda: NOW + 60)
    plan = SimpleNamespace(keep=400 * DAY, settle=0.0, once=False, version="0", shared=True)
    watcher = loop._Watcher(plan, Log("json", hide_names=False), ledger, loop._Asked(), -1)
    begin = time.monotonic()
    idle = SimpleNamespace(busy=False)
    assert watcher._next(idle, begin) is None
    assert watcher._next(idle, begin + 61) == loop.Tidy(NOW + 60)
    monkeypatch.setattr("time.time", lambda: NOW + 401 * DAY)
    assert watcher._next(idle, begin + 122) == loop.Tidy(None)
    assert watcher._next(idle, begin + 183) == loop.Tidy(None)
    watcher._take(Done(loop._Task(loop.Tidy(NOW), "me"), Purged(2, 1)))
    watcher._take(Done(loop._Task(loop.Tidy(NOW), "me"), Purged(0, 0)))
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [each["event"] for each in said] == ["clock in doubt", "deleted from the ledger"]
    assert (said[1]["files"], said[1]["history"]) == (2, 1)
