"""The history held to a dict: look-ups, snapshots, voids, merges, drops."""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edi_checker.state import (
    NO_CLAIM,
    Answer,
    Entry,
    HistoryRun,
    Overtaken,
    Secret,
    StateError,
    open_ledger,
)
from edi_checker.state import history as history_room
from edi_checker.state.pages import (
    Filter,
    Line,
    bits_for,
    find_in_page,
    order,
    page_of,
    pages_of,
    probes_of,
    read_page,
    write_pages,
)
from ledgers import Clock

SECRET = Secret(bytes(range(32)))
KEYS = [SECRET.key("day", str(number)) for number in range(12)]
CLAIMS = [NO_CLAIM, *(SECRET.claim(str(number)) for number in range(3))]


@pytest.fixture
def ledger(ledger_url):
    with open_ledger(ledger_url, Clock()) as opened:
        yield opened


_names = iter(range(10**9))


def put(ledger, sha256, entries, *, snapshot=None, asked=(), replay_of=None, secret=SECRET):
    """Answer a file that leaves these entries."""
    ledger.note("acme", name := f"{next(_names)}.837", 1, 1, replay_of=replay_of)
    mine = next(file for file in ledger.list_files(name=name))
    mine = ledger.take("me", 60, mine.id)
    snapshot = ledger.past(sha256).snapshot if snapshot is None else snapshot
    run = HistoryRun(secret.fingerprint, snapshot, frozenset(asked), entries)
    return ledger.finish(ledger.answer(mine, Answer(sha256, (), (), "set", "{}", history=run)))


def texts(found):
    return {key: [line.packed for line in lines] for key, lines in found.items()}


def test_lines_are_found_in_the_order_in_which_they_were_committed(ledger):
    put(ledger, "a", [Entry(KEYS[0], 7, NO_CLAIM, b"second"), Entry(KEYS[0], 3, NO_CLAIM, b"first")])
    put(ledger, "b", [Entry(KEYS[0], 1, NO_CLAIM, b"third"), Entry(KEYS[1], 1, NO_CLAIM, b"")])
    found = ledger.find_history(ledger.past("c"), KEYS)
    assert texts(found) == {KEYS[0]: [b"first", b"second", b"third"], KEYS[1]: [b""]}


def test_a_file_does_not_accuse_itself(ledger):
    first = put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"x")])
    assert ledger.find_history(ledger.past("a"), KEYS) == {}
    put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"y")], replay_of=first.id)
    assert texts(ledger.find_history(ledger.past("b"), KEYS)) == {KEYS[0]: [b"y"]}


def test_a_snapshot_does_not_see_what_came_after_it(ledger):
    put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"x")])
    past = ledger.past("z")
    for number in range(8):
        put(ledger, f"b{number}", [Entry(KEYS[0], 1, NO_CLAIM, b"y")])
    while ledger.merge_history():
        pass
    assert texts(ledger.find_history(past, KEYS)) == {KEYS[0]: [b"x"]}


def test_an_answer_that_was_overtaken_is_refused_whole(ledger):
    past = ledger.past("b")
    put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"x")])
    with pytest.raises(Overtaken) as caught:
        put(ledger, "b", [Entry(KEYS[1], 1, NO_CLAIM, b"y")], snapshot=past.snapshot, asked=KEYS[:3])
    assert caught.value.keys == {KEYS[0]}
    assert ledger.find_history(ledger.past("c"), KEYS[1:]) == {}
    put(ledger, "b", [Entry(KEYS[1], 1, NO_CLAIM, b"y")], snapshot=past.snapshot, asked=KEYS[1:])
    assert texts(ledger.find_history(ledger.past("c"), KEYS[1:])) == {KEYS[1]: [b"y"]}


def test_an_overtaken_answer_is_refused_after_a_merge_too(ledger):
    past = ledger.past("z")
    for number in range(4):
        put(ledger, f"a{number}", [Entry(KEYS[number], 1, NO_CLAIM, b"x")])
    assert ledger.merge_history()
    with pytest.raises(Overtaken) as caught:
        put(ledger, "z", [], snapshot=past.snapshot + 2, asked=KEYS)
    assert caught.value.keys == {KEYS[2], KEYS[3]}


@pytest.mark.parametrize(
    ("void", "left"),
    [(CLAIMS[1], [b"two"]), (CLAIMS[3], [b"one", b"two"])],
)
def test_a_void_takes_back_what_came_before_it(ledger, void, left):
    put(ledger, "a", [Entry(KEYS[0], 1, CLAIMS[1], b"one"), Entry(KEYS[0], 2, CLAIMS[2], b"two")])
    put(ledger, "b", [Entry(KEYS[0], 1, void, b"", void=True), Entry(KEYS[0], 2, CLAIMS[1], b"new")])
    assert texts(ledger.find_history(ledger.past("c"), KEYS)) == {KEYS[0]: [*left, b"new"]}


def test_a_void_that_names_no_claim_leaves_all_before_it_in_doubt(ledger):
    put(ledger, "a", [Entry(KEYS[0], 1, CLAIMS[1], b"one"), Entry(KEYS[0], 2, CLAIMS[2], b"two")])
    put(ledger, "b", [Entry(KEYS[0], 1, NO_CLAIM, b"", void=True), Entry(KEYS[0], 2, CLAIMS[1], b"new")])
    put(ledger, "c", [Entry(KEYS[0], 1, CLAIMS[2], b"", void=True)])
    found = ledger.find_history(ledger.past("d"), KEYS)[KEYS[0]]
    assert [(line.packed, line.doubtful) for line in found] == [(b"one", True), (b"new", False)]


def test_another_key_is_refused_with_words(ledger):
    ledger.adopt_secret(SECRET)
    ledger.adopt_secret(SECRET)
    other = Secret(bytes(32))
    with pytest.raises(StateError, match="secret key is not the one"):
        ledger.adopt_secret(other)
    with pytest.raises(StateError, match="secret key is not the one"):
        put(ledger, "a", [], secret=other)


def test_dropped_lines_are_gone_from_the_store(ledger, ledger_url, tmp_path):
    kept = put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"stays-here")])
    for number in range(3):
        gone = put(ledger, f"b{number}", [Entry(KEYS[0], 1, NO_CLAIM, b"goes-away")])
    assert ledger.merge_history()
    assert ledger.drop_history(gone.id)
    assert not ledger.drop_history(gone.id)
    assert texts(ledger.find_history(ledger.past("c"), KEYS)) == {
        KEYS[0]: [b"stays-here"] + 2 * [b"goes-away"]
    }
    ledger._clock.now += 100
    fresh = put(ledger, "c", [Entry(KEYS[1], 1, NO_CLAIM, b"fresh")])
    assert ledger.purge(50) == (4, 3)
    assert [file.id for file in ledger.list_files()] == [fresh.id]
    assert kept.id != fresh.id
    assert texts(ledger.find_history(ledger.past("d"), KEYS)) == {KEYS[1]: [b"fresh"]}
    with ledger._store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM history_page").scalar() == 1
    if ledger_url.startswith("sqlite"):
        for file in tmp_path.iterdir():
            assert b"goes-away" not in file.read_bytes()
            assert KEYS[0] not in file.read_bytes()


def test_what_no_filter_knows_is_asked_of_no_database(ledger, monkeypatch):
    put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"x")])
    past = ledger.past("b")
    assert texts(ledger.find_history(past, KEYS)) == {KEYS[0]: [b"x"]}
    with monkeypatch.context() as patch:
        for way in ("reading", "looking"):
            patch.setattr(ledger._store, way, lambda: 1 // 0)
        assert ledger.find_history(past, KEYS[1:]) == {}
        with pytest.raises(ZeroDivisionError):
            ledger.find_history(past, KEYS)
    put(ledger, "c", [Entry(KEYS[1], 1, NO_CLAIM, b"new")])
    assert texts(ledger.find_history(ledger.past("b"), KEYS[1:])) == {KEYS[1]: [b"new"]}
    assert ledger.find_history(past, KEYS[1:]) == {}


@pytest.mark.parametrize("between", ["merge", "drop", "purge"])
def test_others_may_merge_and_drop_while_a_file_is_held_against_its_past(ledger, ledger_url, between):
    """The runs that one ledger knows are gone by the time at which it looks again."""
    names = [put(ledger, f"a{number}", [Entry(KEYS[0], 1, NO_CLAIM, b"%d" % number)]) for number in range(4)]
    past = ledger.past("z")
    whole = [b"0", b"1", b"2", b"3"]
    assert texts(ledger.find_history(past, KEYS)) == {KEYS[0]: whole}
    with open_ledger(ledger_url, Clock()) as other:
        if between != "merge":
            other.drop_history(names[1].id)
            whole.remove(b"1")
        while between != "drop" and other.merge_history():
            pass
    assert texts(ledger.find_history(past, KEYS)) == {KEYS[0]: whole}


def test_a_look_up_that_fails_is_told_without_the_statement(ledger):
    put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"x")])
    past = ledger.past("b")
    assert ledger.find_history(past, KEYS)
    with ledger._store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE history_page RENAME TO elsewhere")
    for _ in range(2):
        with pytest.raises(StateError, match="history_page") as caught:
            ledger.find_history(past, KEYS)
        assert "SELECT" not in str(caught.value)
    with ledger._store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO history_page")
    assert texts(ledger.find_history(past, KEYS)) == {KEYS[0]: [b"x"]}


def test_history_is_kept_longer_than_files_where_that_is_wanted(ledger):
    put(ledger, "a", [Entry(KEYS[0], 1, NO_CLAIM, b"x")])
    ledger._clock.now += 100
    assert ledger.purge(50, 200) == (1, 0)
    assert texts(ledger.find_history(ledger.past("b"), KEYS)) == {KEYS[0]: [b"x"]}


def test_what_a_dead_merge_left_is_swept(ledger, monkeypatch):
    for number in range(4):
        put(ledger, f"a{number}", [Entry(KEYS[number], 1, NO_CLAIM, b"x")])
    whole = ledger.find_history(ledger.past("z"), KEYS)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(history_room, "_remove_dropped", die)
        with pytest.raises(KeyboardInterrupt):
            ledger.merge_history()
    assert not ledger.merge_history()  # it may still be at work
    assert ledger.find_history(ledger.past("z"), KEYS) == whole
    ledger._clock.now += 700
    assert ledger.merge_history()
    assert ledger.find_history(ledger.past("z"), KEYS) == whole
    with ledger._store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM history_run").scalar() == 1


_lines = st.lists(
    st.tuples(
        st.sampled_from(KEYS),
        st.integers(0, 5),
        st.sampled_from(CLAIMS),
        st.binary(max_size=4),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda line: line[:2],
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), _lines),
        st.tuples(st.just("drop"), st.integers(0, 20)),
        st.tuples(st.just("merge"), st.none()),
        st.tuples(st.just("look"), st.integers(0, 20)),
    ),
    max_size=25,
)


@pytest.mark.long
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(_steps)
def test_look_ups_are_those_of_a_dict(ledger, steps):
    base = ledger.past("none").snapshot
    prefix = f"{base}-{random.getrandbits(40)}"
    secret = Secret(SECRET._secret)
    own = {key: secret.key("own", prefix, key.hex()) for key in KEYS}  # examples share a ledger
    written, dropped, pasts = [], set(), []
    for step, what in steps:
        if step == "put":
            entries = [Entry(own[key], place, claim, text, void) for key, place, claim, text, void in what]
            pasts.append((ledger.past(f"{prefix}-{len(written)}"), len(written)))
            file = put(ledger, f"{prefix}-{len(written)}", entries)
            written.append((file, entries))
        elif step == "drop" and what < len(written):
            ledger.drop_history(written[what][0].id)
            dropped.add(what)
        elif step == "merge":
            ledger.merge_history()
        elif step == "look" and what < len(pasts):
            past, seen = pasts[what]
            expected = defaultdict(list)
            for number, (_, entries) in enumerate(written[:seen]):
                if number in dropped:
                    continue
                for entry in sorted(entries, key=lambda entry: (entry.key, entry.place)):
                    if not entry.void:
                        expected[entry.key].append((entry, False))
                    elif entry.claim == NO_CLAIM:
                        expected[entry.key] = [(each, True) for each, _ in expected[entry.key]]
                    else:
                        expected[entry.key] = [
                            each for each in expected[entry.key] if each[0].claim != entry.claim
                        ]
            found = ledger.find_history(past, own.values())
            assert {
                key: [(line.place, line.packed, line.doubtful) for line in lines]
                for key, lines in found.items()
            } == {
                key: [(entry.place, entry.packed, doubtful) for entry, doubtful in entries]
                for key, entries in expected.items()
                if entries
            }


def test_pages_hold_what_was_written_and_the_filter_knows_all_keys():
    keys = sorted(os.urandom(16) for _ in range(3000))
    lines = sorted(
        (
            Line(random.choice(keys[:2000]), n % 7, n, NO_CLAIM, n % 5 == 0, b"x" * (n % 9))
            for n in range(5000)
        ),
        key=order,
    )
    bits, seen = bits_for(len(lines)), Filter.empty(len(lines))
    pages = dict(write_pages(lines, bits, seen))
    assert [line for page in sorted(pages) for line in read_page(pages[page])] == lines
    for key in keys[:2000]:
        expected = [line for line in lines if line.key == key]
        data = pages.get(page_of(key, bits))
        assert (find_in_page(data, key) if data else []) == expected
        assert not expected or seen.sift(probes_of([key]))
    assert len(seen.sift(probes_of(keys[2000:]))) < 60


_keys = st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=40)


@settings(deadline=None)
@given(_keys, _keys, st.integers(1, 100))
def test_a_filter_never_hides_a_key_that_is_there(there, others, room):
    seen = Filter.empty(room)
    for key in there:
        seen.add(key)
    probes = probes_of(list({*there, *others}))
    sifted = seen.sift(probes)
    assert set(there) <= {key for key, *_ in sifted}
    assert set(sifted) <= set(probes)
    if not there:
        assert sifted == []


@settings(deadline=None)
@given(_keys, st.integers(0, 24), st.integers(0, 2**20))
def test_the_page_of_many_keys_is_that_of_each(keys, bits, run):
    first = run << 32
    assert list(pages_of(probes_of(keys), bits, first)) == [(first + page_of(key, bits), key) for key in keys]


@given(st.lists(st.text()), st.sampled_from(["day", "year"]))
def test_keys_made_at_once_are_those_made_one_by_one(words, kind):
    assert SECRET.keys(kind, words) == [SECRET.key(kind, word) for word in words]
    assert len(set(SECRET.keys(kind, words))) == len(set(words))


def test_keys_of_ledgers_that_are_in_use_stay_as_they_are():
    assert SECRET.key("year", "a", "b").hex() == "107676c76c0e510d701dbe704126e0cc"
    assert SECRET.claim("a", "b").hex() == "2ae6139e5678fae9"


def test_an_entry_of_the_wrong_size_is_refused(ledger):
    with pytest.raises(StateError, match="16 bytes"):
        put(ledger, "a", [Entry(b"short", 1, NO_CLAIM, b"")])
