"""The life of a file in the ledger, on both databases."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import subprocess
import sys

import pytest

from edi_checker.state import (
    AlreadyAnswered,
    Answer,
    Draw,
    Fenced,
    Group,
    Interchange,
    InterchangeKey,
    Output,
    State,
    StateError,
    open_ledger,
)
from ledgers import Clock

KEY = InterchangeKey("ZZ", "SENDER", "ZZ", "RECEIVER", "000000001")
DRAWS = [Draw("ZZ*R", "ZZ*S", "ISA", 0), Draw("ZZ*R", "ZZ*S", "ISA", 1), Draw("ZZ*R", "ZZ*S", "GS", 0)]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(ledger_url, clock):
    with open_ledger(ledger_url, clock) as opened:
        yield opened


def answer(sha256="a" * 64, key=KEY, **changes):
    said = Answer(
        sha256,
        (Output("x.999", "b" * 64, 300), Output("x.277ca", "c" * 64, 400)),
        (Interchange(key, "A", (Group("S", "R", "1", 3, 2, "P"), Group("S", "R", "2", 1, 1, "A"))),),
        "digest",
        '{"claims": 4}',
        window=3600,
    )
    return dataclasses.replace(said, **changes)


def begin(ledger, name="x.837", owner="me", lease=60.0):
    return ledger.begin("acme", name, 10, 5, owner, lease)


def repeat(ledger, mine, found, sha256):
    """The file is answered as one that came before."""
    said = answer(sha256, interchanges=(), outputs=(), duplicate_of=found)
    return ledger.finish(ledger.answer(mine, said))


def finish(ledger, name="x.837", **changes):
    return ledger.finish(ledger.answer(begin(ledger, name), answer(**changes)))


def other(number):
    return KEY._replace(control=f"{number:09d}")


# -- the ordinary way


def test_a_file_goes_from_seen_to_done(ledger, clock):
    noted = ledger.note("acme", "x.837", 10, 5)
    assert (noted.state, noted.token, noted.owner, noted.seen_at) == (State.SEEN, 0, None, clock.now)
    mine = ledger.take("me", 60)
    assert (mine.id, mine.state, mine.token, mine.owner) == (noted.id, State.CLAIMED, 1, "me")
    assert mine.lease_until == clock.now + 60
    clock.now += 5
    mine = ledger.renew(mine, 60)
    assert mine.lease_until == clock.now + 60
    answered = ledger.answer(mine, answer())
    assert (answered.state, answered.sha256, answered.answered_at) == (State.ANSWERED, "a" * 64, clock.now)
    done = ledger.finish(answered)
    assert (done.state, done.owner, done.finished_at) == (State.DONE, None, clock.now)
    details = ledger.show(done.id)
    assert details.file == done
    assert (details.outputs, details.interchanges) == (answer().outputs, answer().interchanges)
    assert details.record == answer().record
    assert ledger.take("me", 60) is None
    assert ledger.show(99) is None


def test_a_name_that_is_not_finished_is_not_noted_twice(ledger):
    noted = ledger.note("acme", "x.837", 10, 5)
    again = ledger.note("acme", "x.837", 12, 6)
    assert (again.id, again.size, again.mtime_ns) == (noted.id, 12, 6)
    mine = begin(ledger)
    assert mine.id == noted.id
    assert begin(ledger, owner="you") is None
    assert ledger.note("acme", "x.837", 14, 7) == mine
    assert ledger.note("other", "x.837", 14, 7).id != mine.id
    ledger.finish(ledger.answer(mine, answer()))
    assert begin(ledger).id > mine.id


def test_a_failed_file_can_be_tried_again_later(ledger, clock):
    mine = ledger.fail(begin(ledger), "disk full", again_in=30)
    assert (mine.state, mine.tries, mine.reason) == (State.SEEN, 1, "disk full")
    assert ledger.take("me", 60) is None
    clock.now += 30
    mine = ledger.fail(ledger.take("me", 60), "no X12")
    assert (mine.state, mine.tries, mine.reason) == (State.FAILED, 2, "no X12")
    assert ledger.take("me", 60) is None
    assert [file.id for file in ledger.list_files(stuck=True)] == [mine.id]
    assert ledger.reopen(mine.id, "sent whole", "jo").state == State.SEEN
    assert ledger.take("me", 60).id == mine.id


@pytest.mark.parametrize("how", ["fail", "give_up"])
def test_a_file_that_fails_again_needs_somebody_again(ledger, how):
    failed = ledger.fail(begin(ledger), "no X12")
    ledger.settle(failed.id, State.FAILED, "known", "jo")
    assert ledger.list_files(stuck=True) == []
    ledger.reopen(failed.id, "sent whole", "jo")
    mine = ledger.take("me", 60)
    if how == "fail":
        ledger.fail(mine, "no X12")
    else:
        ledger.give_up("me", "the process died", 10, 1)
    assert [file.id for file in ledger.list_files(stuck=True)] == [failed.id]
    assert ledger.counts().unsettled == 1


def test_release_and_vanish(ledger):
    mine = ledger.release(begin(ledger))
    assert (mine.state, mine.tries, mine.owner) == (State.SEEN, 0, None)
    gone = ledger.vanish(ledger.take("me", 60))
    assert gone.state == State.VANISHED
    assert ledger.take("me", 60) is None


# -- leases


def test_a_lease_that_is_over_is_taken_over_and_its_owner_is_fenced_out(ledger, clock):
    mine = begin(ledger)
    assert ledger.take("you", 60) is None
    clock.now += 61
    theirs = ledger.take("you", 60)
    assert (theirs.id, theirs.token, theirs.owner) == (mine.id, 2, "you")
    for step in (
        lambda: ledger.renew(mine, 60),
        lambda: ledger.draw_numbers(mine, DRAWS),
        lambda: ledger.answer(mine, answer()),
        lambda: ledger.fail(mine, "no"),
        lambda: ledger.fail(mine, "no", again_in=1),
        lambda: ledger.release(mine),
        lambda: ledger.vanish(mine),
    ):
        with pytest.raises(Fenced, match="changed hands"):
            step()
    answered = ledger.answer(theirs, answer())
    clock.now += 61
    again = ledger.take("me", 60)
    assert (again.state, again.token) == (State.ANSWERED, 3)
    with pytest.raises(Fenced):
        ledger.finish(answered)
    assert ledger.finish(again).state == State.DONE


def test_a_step_out_of_order_is_refused(ledger):
    mine = begin(ledger)
    with pytest.raises(Fenced, match="is claimed"):
        ledger.finish(mine)
    answered = ledger.answer(mine, answer())
    for step in (
        lambda: ledger.answer(mine, answer()),
        lambda: ledger.fail(answered, "no"),
        lambda: ledger.vanish(answered),
        lambda: ledger.draw_numbers(answered, DRAWS),
    ):
        with pytest.raises(Fenced, match="is answered"):
            step()


def test_a_clock_that_is_set_back_ends_no_lease_and_keeps_none(ledger, clock):
    mine = begin(ledger)
    clock.now -= 3600
    assert ledger.now() == clock.now + 3600
    assert ledger.take("you", 60) is None
    mine = ledger.renew(mine, 60)
    assert mine.lease_until == clock.now + 3600 + 60
    clock.now += 3661
    assert ledger.take("you", 60).id == mine.id


def test_a_clock_that_was_far_ahead_once_holds_up_nothing(ledger, clock):
    right = clock.now
    clock.now += 401 * 86_400
    ledger.release(begin(ledger, "late"), again_in=60)
    finish(ledger)
    clock.now = right
    counts = ledger.counts()
    assert (ledger.latest_time(), ledger.latest_time(right)) == (right + 401 * 86_400, 0)
    assert (counts.now, round(counts.ahead / 86_400)) == (right, 401)
    mine = begin(ledger, "y")
    assert (mine.seen_at, mine.lease_until) == (right, right + 60)
    mine = ledger.answer(mine, answer(sha256="b" * 64, key=other(7)))
    assert mine.answered_at == right
    again = begin(ledger, "z")
    assert ledger.find_duplicate(again, "c" * 64, [other(7)], 60).of == mine.id
    ledger.release(again, again_in=30)
    assert ledger.take("you", 60).name == "late"
    assert ledger.take("you", 60) is None
    clock.now += 31
    assert ledger.take("you", 60).id == again.id


def test_the_day_of_receipt_is_that_of_the_clock(ledger, clock):
    begin(ledger)
    clock.now -= 1800
    mine = begin(ledger, "y")
    assert (mine.seen_at, mine.lease_until) == (clock.now, clock.now + 1800 + 60)
    assert ledger.counts().ahead == 0


def test_a_watcher_that_is_alone_ends_the_leases_of_the_dead(ledger):
    begin(ledger, "a"), begin(ledger, "b", owner="dead")
    assert ledger.end_leases(but="me") == 1
    assert ledger.take("me", 60).name == "b"
    assert ledger.take("me", 60) is None


def test_the_leases_of_one_owner_alone_are_ended(ledger):
    begin(ledger, "a"), begin(ledger, "b", owner="dead"), begin(ledger, "c", owner="you")
    assert ledger.end_leases(only="dead") == 1
    assert ledger.take("me", 60).name == "b"
    assert ledger.take("me", 60) is None


# -- duplicates


def test_the_same_content_is_a_duplicate_whenever_it_comes(ledger, clock):
    first = finish(ledger)
    clock.now += 10_000
    mine = begin(ledger, "y")
    found = ledger.find_duplicate(mine, "a" * 64, [other(9)], 3600)
    assert (found.of, found.by, found.same_content) == (first.id, "content", True)
    with pytest.raises(AlreadyAnswered) as caught:
        ledger.answer(mine, answer(key=other(9)))
    assert caught.value.duplicate == found
    done = ledger.finish(ledger.answer(mine, answer(duplicate_of=found)))
    assert (done.state, done.duplicate_of, done.duplicate_by) == (State.DUPLICATE, first.id, "content")
    third = begin(ledger, "z")
    assert ledger.find_duplicate(third, "a" * 64, [], 3600).of == first.id
    assert repeat(ledger, third, found, "a" * 64).state == State.DUPLICATE
    assert ledger.counts().other_content == 0


@pytest.mark.parametrize(("later", "expected"), [(3600, True), (3601, False)])
def test_the_same_control_number_is_a_duplicate_within_the_window(ledger, clock, later, expected):
    first = finish(ledger)
    clock.now += later
    mine = begin(ledger, "y")
    found = ledger.find_duplicate(mine, "d" * 64, [other(9), KEY], 3600)
    assert (found is not None) == expected
    if not expected:
        assert ledger.answer(mine, answer("d" * 64)).state == State.ANSWERED
        return
    assert (found.of, found.by, found.same_content) == (first.id, "control number", False)
    with pytest.raises(AlreadyAnswered):
        ledger.answer(mine, answer("d" * 64))
    ledger.finish(ledger.answer(mine, answer("d" * 64, duplicate_of=found)))
    assert ledger.counts().other_content == 1


@pytest.mark.parametrize("field", range(5))
def test_another_party_or_number_is_no_duplicate(ledger, field):
    finish(ledger)
    key = InterchangeKey(*("other" if at == field else value for at, value in enumerate(KEY)))
    assert ledger.find_duplicate(begin(ledger, "y"), "d" * 64, [key], 3600) is None


def test_what_was_never_answered_has_no_duplicates(ledger):
    ledger.fail(begin(ledger), "no X12")
    assert ledger.find_duplicate(begin(ledger, "y"), "a" * 64, [KEY], 3600) is None


def test_a_replay_is_no_duplicate_of_what_it_replays(ledger):
    first = finish(ledger)
    for _ in range(2):
        noted = ledger.note("acme", "replay of x.837", 10, 5, replay_of=first.id)
        mine = ledger.take("me", 60, noted.id)
        assert ledger.find_duplicate(mine, "a" * 64, [KEY], 3600) is None
        assert ledger.finish(ledger.answer(mine, answer())).state == State.DONE
    assert ledger.find_duplicate(begin(ledger, "y"), "a" * 64, [], 3600).of == first.id


# -- control numbers


def test_numbers_never_repeat_and_a_redo_gets_the_same(ledger, clock):
    mine = begin(ledger)
    assert ledger.draw_numbers(mine, DRAWS) == [1, 2, 1]
    clock.now += 100
    mine = ledger.take("you", 60)
    assert ledger.draw_numbers(mine, DRAWS[:1]) == [1]
    assert ledger.draw_numbers(mine, [*DRAWS, DRAWS[0]._replace(ordinal=2)]) == [1, 2, 1, 3]
    assert ledger.draw_numbers(mine, []) == []
    assert ledger.draw_numbers(begin(ledger, "y"), DRAWS) == [4, 5, 2]
    assert ledger.list_numbers() == [("ZZ*R", "ZZ*S", "GS", 2), ("ZZ*R", "ZZ*S", "ISA", 5)]
    assert ledger.show(mine.id).numbers == (
        (DRAWS[2], 1),
        (DRAWS[0], 1),
        (DRAWS[1], 2),
        (DRAWS[0]._replace(ordinal=2), 3),
    )


def test_skipping_moves_all_counters_those_to_come_too(ledger):
    mine = begin(ledger)
    ledger.draw_numbers(mine, DRAWS)
    assert ledger.skip_numbers(1000) == 2
    later = begin(ledger, "y")
    assert later.id > mine.id + 1000
    new = Draw("ZZ*R", "ZZ*NEW", "ISA", 0)
    assert ledger.draw_numbers(later, [*DRAWS, new]) == [1003, 1004, 1002, 1001]
    assert ledger.draw_numbers(mine, DRAWS) == [1, 2, 1]
    with pytest.raises(StateError, match="forward"):
        ledger.skip_numbers(0)


def test_after_the_largest_number_comes_one(ledger):
    ledger.skip_numbers(999_999_998)
    assert ledger.draw_numbers(begin(ledger), DRAWS[:2]) == [999_999_999, 1]
    assert ledger.list_numbers() == [("ZZ*R", "ZZ*S", "ISA", 1)]


# -- by hand


def test_settling_takes_the_file_from_its_owner(ledger):
    mine = begin(ledger)
    settled = ledger.settle(mine.id, State.FAILED, "answered by phone", "jo")
    assert (settled.state, settled.reason, settled.settled_by) == (State.FAILED, "answered by phone", "jo")
    with pytest.raises(Fenced):
        ledger.answer(mine, answer())
    assert ledger.list_files(stuck=True) == []
    assert ledger.settle(mine.id, State.DONE, "fine after all", "jo").state == State.DONE
    with pytest.raises(StateError, match="is done already"):
        ledger.settle(mine.id, State.FAILED, "no", "jo")
    with pytest.raises(StateError, match="no file 99"):
        ledger.settle(99, State.DONE, "no", "jo")
    with pytest.raises(StateError, match="done or as failed"):
        ledger.settle(mine.id, State.SEEN, "no", "jo")


def test_a_duplicate_with_other_content_needs_somebody_until_it_is_settled(ledger):
    first = finish(ledger)
    mine = begin(ledger, "y")
    again = repeat(ledger, mine, ledger.find_duplicate(mine, "d" * 64, [KEY], 3600), "d" * 64)
    same = begin(ledger, "z")
    same = repeat(ledger, same, ledger.find_duplicate(same, "a" * 64, [KEY], 3600), "a" * 64)
    assert ledger.counts().other_content == 1
    assert [file.id for file in ledger.list_files(stuck=True)] == [again.id]
    assert {file.id for file in ledger.list_files(duplicate_of=first.id)} == {again.id, same.id}
    with pytest.raises(StateError, match="is a duplicate; settle it as done"):
        ledger.settle(again.id, State.FAILED, "no", "jo")
    with pytest.raises(StateError, match="is duplicate already"):
        ledger.settle(same.id, State.DONE, "no", "jo")
    settled = ledger.settle(again.id, State.DONE, "a corrected file", "jo")
    assert (settled.state, settled.duplicate_of) == (State.DONE, first.id)
    assert ledger.counts().other_content == 0
    assert ledger.list_files(stuck=True) == []
    later = begin(ledger, "later")
    assert ledger.find_duplicate(later, "d" * 64, [], 3600) is None, "it was not answered"


def test_an_answer_is_not_taken_back(ledger):
    answered = ledger.answer(begin(ledger), answer())
    for state in (State.FAILED, State.DONE):
        with pytest.raises(StateError, match=r"not published yet and is not taken back: a watcher"):
            ledger.settle(answered.id, state, "no", "jo")
    assert ledger.take("you", 60, answered.id) is None, "who publishes it goes on"
    assert ledger.finish(answered).state == State.DONE
    with pytest.raises(StateError, match="cannot wait again"):
        ledger.reopen(answered.id, "no", "jo")


def test_a_file_is_not_reopened_beside_another_of_its_name(ledger):
    failed = ledger.fail(begin(ledger), "no X12")
    begin(ledger)
    with pytest.raises(StateError, match="not finished"):
        ledger.reopen(failed.id, "again", "jo")


def test_files_are_listed_by_what_is_asked(ledger, clock):
    finish(ledger, "a_1.837")
    clock.now += 10
    ledger.fail(begin(ledger, "a%1.837"), "bad")
    ledger.note("other", "b.837", 1, 1)

    def names(**wanted):
        return [file.name for file in ledger.list_files(**wanted)]

    assert names() == ["b.837", "a%1.837", "a_1.837"]
    assert names(limit=1) == ["b.837"]
    assert names(before_id=ledger.list_files(limit=1)[0].id) == ["a%1.837", "a_1.837"]
    assert names(states=[State.DONE, State.SEEN]) == ["b.837", "a_1.837"]
    assert names(partner="other") == ["b.837"]
    assert names(name="a_*") == ["a_1.837"]
    assert names(name="a?1.837") == ["a%1.837", "a_1.837"]
    assert names(sha256="a" * 64) == ["a_1.837"]
    assert names(seen_since=clock.now) == ["b.837", "a%1.837"]
    assert names(seen_until=clock.now) == ["a_1.837"]
    assert names(stuck=True) == ["a%1.837"]


def test_the_export_is_all_of_it_as_json(ledger):
    first = finish(ledger)
    for number in range(250):
        ledger.note("acme", f"{number}", 1, 1)
    lines = [json.loads(json.dumps(each)) for each in ledger.export()]
    assert len(lines) == 251
    assert (lines[0]["id"], lines[0]["state"], lines[0]["outputs"][0]["name"]) == (first.id, "done", "x.999")
    assert lines[0]["interchanges"][0]["groups"][1]["control"] == "2"
    assert lines[-1]["name"] == "249"


def test_what_is_finished_is_purged_and_numbers_stay(ledger, clock):
    mine = begin(ledger)
    ledger.draw_numbers(mine, DRAWS)
    ledger.finish(ledger.answer(mine, answer()))
    failed = ledger.fail(begin(ledger, "y"), "bad")
    settled = ledger.settle(ledger.fail(begin(ledger, "z"), "bad").id, State.FAILED, "known", "jo")
    clock.now += 100
    recent = finish(ledger, "v", sha256="d" * 64, key=other(2))
    waiting = begin(ledger, "w")
    assert ledger.purge(101).files == 0
    assert ledger.purge(100).files == 2
    assert [file.id for file in ledger.list_files()] == [waiting.id, recent.id, failed.id]
    assert settled.id not in {each["id"] for each in ledger.export()}
    assert ledger.draw_numbers(waiting, DRAWS) == [3, 4, 2]
    assert ledger.now() == clock.now


def test_what_is_old_goes_by_a_clock_that_is_trusted(ledger, clock):
    finish(ledger)
    right = clock.now
    clock.now += 401 * 86_400
    assert ledger.purge(400 * 86_400, now=right) == (0, 0)
    begin(ledger, "w")
    clock.now = right + 100
    assert (ledger.count_purged(101), ledger.purge(101).files) == (0, 0)
    assert (ledger.count_purged(100), ledger.purge(100).files) == (1, 1)


def test_the_counts_say_how_things_are(ledger, clock):
    assert ledger.counts().last_answered is None
    finish(ledger)
    ledger.note("acme", "waits", 1, 1)
    seen_at = clock.now
    begin(ledger, "late")
    clock.now += 61
    ledger.fail(begin(ledger, "bad"), "bad")
    counts = ledger.counts()
    assert {state: number for state, number in counts.states.items() if number} == {
        State.DONE: 1,
        State.SEEN: 1,
        State.CLAIMED: 1,
        State.FAILED: 1,
    }
    assert (counts.oldest_seen, counts.expired, counts.unsettled) == (seen_at, 1, 1)
    assert (counts.last_answered, counts.now) == (seen_at, clock.now)


def test_answers_are_counted_by_partner(ledger, clock):
    finish(ledger)
    clock.now += 100
    since = clock.now
    finish(ledger, "y", sha256="d" * 64, key=other(2))
    mine = begin(ledger, "z")
    first = ledger.find_duplicate(mine, "a" * 64, [], 0)
    ledger.answer(mine, answer(interchanges=(), outputs=(), duplicate_of=first))
    mine = ledger.begin("other", "v", 1, 1, "me", 60)
    clock.now += 5
    ledger.answer(mine, answer(sha256="e" * 64, interchanges=(), outputs=()))
    assert ledger.answered_since(since) == [
        ("acme", 2, 1, 4, 3, since),
        ("other", 1, 0, 0, 0, since + 5),
    ]
    assert ledger.answered_since(clock.now + 1) == []


def test_what_would_be_purged_is_counted(ledger, clock):
    finish(ledger)
    ledger.fail(begin(ledger, "bad"), "bad")
    clock.now += 100
    finish(ledger, "y", sha256="d" * 64, key=other(2))
    assert (ledger.count_purged(101), ledger.count_purged(100), ledger.count_purged(0)) == (0, 1, 2)
    assert ledger.purge(100).files == 1
    assert ledger.count_purged(100) == 0


def test_a_file_is_not_taken_before_it_has_waited(ledger, clock):
    first = finish(ledger)
    noted = ledger.note_again(first, 30)
    assert (noted.replay_of, ledger.note_again(first, 30).id) == (first.id, noted.id)
    assert ledger.take("me", 60) is None
    clock.now += 30
    assert ledger.take("me", 60).id == noted.id


# -- backup


def test_a_backup_is_a_whole_ledger(ledger, ledger_url, tmp_path, clock):
    done = finish(ledger)
    target = tmp_path / "backup.db"
    if ledger_url.startswith("postgresql"):
        with pytest.raises(StateError, match="pg_dump"):
            ledger.backup(target)
        return
    ledger.backup(target)
    assert target.stat().st_mode & 0o777 == 0o600
    with pytest.raises(StateError, match="there already"):
        ledger.backup(target)
    assert {file.name for file in tmp_path.iterdir() if "backup" in file.name} == {"backup.db"}
    with open_ledger(str(target), clock, thorough=True) as copy:
        assert copy.show(done.id) == ledger.show(done.id)


def test_a_backup_that_cannot_be_written_says_so(tmp_path, clock):
    with open_ledger(str(tmp_path / "ledger.db"), clock) as ledger:
        with pytest.raises(StateError, match="cannot be written"):
            ledger.backup(tmp_path / "nowhere" / "backup.db")
        assert ledger.check() is None


# -- without the extra


def test_the_program_runs_without_the_extra_and_says_what_to_install():
    code = """
import sys
for name in ("sqlalchemy", "alembic", "psycopg"):
    sys.modules[name] = None
import edi_checker.cli
from edi_checker.state import Secret, StateError, open_ledger
try:
    open_ledger("x.db", float)
except StateError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.strip().endswith("which is not installed: pip install 'edi-checker[watch]'")


def test_sqlite_waits_for_the_disk(tmp_path, clock):
    with open_ledger(str(tmp_path / "ledger.db"), clock) as ledger, ledger._store.writing() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite3.connect(tmp_path / "ledger.db", timeout=0).execute("BEGIN IMMEDIATE")
