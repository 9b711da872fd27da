"""A watcher that is killed, or whose power fails, answers every input once: a sample of tests/crash."""

from __future__ import annotations

import hashlib
import random
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edi_checker.files.output import flush_folder
from edi_checker.state import Details, Draw, File, Output, State
from edi_checker.watch import places
from edi_checker.watch.places import make_folder, move
from forgetful_disk import ROOT, Disk
from fuse_mount import Cut, Mount, can_mount
from judge import Places, judge
from ledgers import find_postgresql
from partner import Collected, Sent

HARNESS = Path(__file__).parent / "crash" / "harness.py"

FILE, FOLDER = stat.S_IFREG | 0o600, stat.S_IFDIR | 0o700


# -- the disk that forgets


def see(disk, folder=ROOT, before=""):
    """All files by path, with their contents."""
    seen = {}
    for name, number in disk.folder(folder).live.items():
        node = disk.nodes[number]
        if node.is_folder:
            seen |= {f"{before}{name}/": b""} | see(disk, number, f"{before}{name}/")
        else:
            seen[before + name] = bytes(node.live)
    return seen


def cuts(play):
    """All that may be left of a disk on which this was done."""
    left = []
    for seed in range(400):
        disk = Disk()
        play(disk)
        disk.cut(random.Random(seed))
        if (found := see(disk)) not in left:
            left.append(found)
    return sorted(left, key=repr)


def put(disk, name, content=b"x", folder=ROOT):
    number = disk.make(folder, name, FILE)
    disk.write(number, 0, content)
    return number


def flushed(disk, *numbers):
    for number in numbers:
        disk.flush(number)


def test_what_was_flushed_stays():
    assert cuts(lambda disk: flushed(disk, put(disk, "a"), ROOT)) == [{"a": b"x"}]


def test_what_was_not_flushed_may_be_gone_or_there():
    assert cuts(lambda disk: put(disk, "a")) == [{"a": b""}, {"a": b"x"}, {}]
    assert cuts(lambda disk: flushed(disk, put(disk, "a"))) == [{"a": b"x"}, {}]
    assert cuts(lambda disk: (put(disk, "a"), disk.flush(ROOT))) == [{"a": b""}, {"a": b"x"}]


def test_any_of_the_writes_may_stay():
    def play(disk):
        number = put(disk, "a", b"..")
        flushed(disk, number, ROOT)
        disk.write(number, 0, b"1")
        disk.write(number, 1, b"2")

    assert cuts(play) == [{"a": content} for content in (b"..", b".2", b"1.", b"12")]


def test_a_folder_that_is_lost_takes_its_files_along():
    def play(disk):
        folder = disk.make(ROOT, "d", FOLDER)
        flushed(disk, put(disk, "a", folder=folder), folder)

    assert cuts(play) == [{"d/": b"", "d/a": b"x"}, {}]


def moved(disk, *after):
    one, two = disk.make(ROOT, "1", FOLDER), disk.make(ROOT, "2", FOLDER)
    flushed(disk, put(disk, "a", folder=one), one, ROOT)
    disk.rename(one, "a", two, "b")
    flushed(disk, *({"1": one, "2": two}[name] for name in after))


@pytest.mark.parametrize(
    ("after", "left"),
    [
        ("", [{"1/a", "2/b"}, {"1/a"}, {"2/b"}]),
        ("2", [{"1/a", "2/b"}, {"2/b"}]),
        ("21", [{"2/b"}]),
        ("1", [{"2/b"}, set()]),
        ("12", [{"2/b"}]),
    ],
)
def test_what_was_moved_is_at_one_end_or_at_both_until_the_old_end_is_flushed(after, left):
    found = cuts(lambda disk: moved(disk, *after))
    assert [{name for name in each if not name.endswith("/")} for each in found] == left


def test_a_rename_in_one_folder_is_the_old_file_or_the_new():
    def play(disk):
        flushed(disk, put(disk, "a", b"old"), put(disk, "b", b"new"), ROOT)
        disk.rename(ROOT, "b", ROOT, "a")

    assert cuts(play) == [{"a": b"new"}, {"a": b"old", "b": b"new"}]


def test_two_names_of_one_file_stay_both():
    disk = Disk()
    number = put(disk, "a")
    disk.link(ROOT, "b", number)
    disk.rename(ROOT, "a", ROOT, "b")
    assert see(disk) == {"a": b"x", "b": b"x"}
    assert disk.nodes[number].links == 2
    disk.remove(ROOT, "a")
    assert disk.nodes[number].links == 1


# -- mounted


@pytest.fixture(scope="session")
def mounted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("power") / "mounted"
    folder.mkdir()
    if not can_mount(folder):
        pytest.skip("no FUSE file system can be mounted here")
    return folder


@pytest.mark.long
def test_programs_find_a_file_system(mounted):
    mount = Mount(mounted, Disk())
    try:
        (mounted / "a").write_bytes(b"hello" * 100_000)
        (mounted / "d").mkdir()
        (mounted / "d" / "b").hardlink_to(mounted / "a")
        (mounted / "d" / "b").rename(mounted / "d" / "c")
        with (mounted / "d" / "c").open("r+b") as file:
            file.truncate(3)
        assert (mounted / "a").read_bytes() == b"hel"
        assert (mounted / "a").samefile(mounted / "d" / "c")
        (mounted / "a").write_bytes(b"new")
        with (mounted / "a").open("rb") as file:
            (mounted / "a").unlink()
            (mounted / "d" / "c").rename(mounted / "e")
            (mounted / "d").rmdir()
            (mounted / "e").unlink()
            assert file.read() == b"new"
        for number in range(300):
            (mounted / f"a long name, so that a list takes several calls {number}").touch()
        assert len(list(mounted.iterdir())) == 300
    finally:
        disk, _ = mount.end()
    assert len(see(disk)) == 300


def commit_until_the_power_fails(mounted, synchronous, cut):
    """How many rows were committed, how many are there afterwards, and the calls that it took."""
    committed = 0
    mount = Mount(mounted, Disk(), cut)
    try:
        connection = sqlite3.connect(mounted / "a.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA wal_autocheckpoint = 10")
        connection.execute("CREATE TABLE t (x, y)")
        for committed in range(1, 41):
            connection.execute("INSERT INTO t VALUES (?, ?)", (committed, "x" * 500))
        connection.close()
    except sqlite3.Error:
        committed -= 1
        connection.close()
    disk, calls = mount.end()
    mount = Mount(mounted, disk)
    try:
        connection = sqlite3.connect(mounted / "a.db")
        try:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            [(found,)] = connection.execute("SELECT count(*) FROM t")
        except sqlite3.OperationalError:
            found = 0
        connection.close()
    finally:
        mount.end()
    return committed, found, calls


@pytest.mark.long
@pytest.mark.parametrize(("synchronous", "loses"), [("FULL", False), ("NORMAL", True)])
def test_sqlite_keeps_what_it_committed_where_it_flushes_it(mounted, synchronous, loses):
    _, _, calls = commit_until_the_power_fails(mounted, synchronous, None)
    lost = 0
    for seed in range(15):
        chance = random.Random(seed)
        kind = chance.choice(["write", "fsync"])
        committed, found, _ = commit_until_the_power_fails(
            mounted, synchronous, Cut(kind, chance.randint(1, calls[kind]), seed)
        )
        lost += found < committed
    assert (lost > 0) == loses


# -- what a watcher left that was killed before it had flushed


def go_on(base):
    """A watcher is killed before a folder and a file that it moved would last; another one goes on."""
    archive = base / "archive"
    for folder in (base / "in", archive / ".work" / "1."):
        folder.mkdir(parents=True)
    (base / "in" / "a").write_bytes(b"x")
    for path in (base / "in" / "a", base / "in", base, archive, archive / ".work"):
        flush_folder(path)
    (archive / "accepted").mkdir()
    (base / "in" / "a").rename(archive / ".work" / "1." / "a")
    make_folder(archive / "accepted" / "2026", archive)
    move(base / "in" / "a", archive / ".work" / "1." / "a")
    (base / "one call more").mkdir()


@pytest.mark.long
def test_what_a_watcher_left_that_was_killed_is_made_to_last(mounted, monkeypatch):
    monkeypatch.setattr(places, "_lasting", set())
    mount = Mount(mounted, Disk())
    go_on(mounted)
    _, calls = mount.end()
    for seed in range(20):
        places._lasting.clear()
        mount = Mount(mounted, Disk(), Cut("name", calls["name"], seed))
        with pytest.raises(OSError, match="one call more"):
            go_on(mounted)
        left = see(mount.end()[0])
        assert left.keys() == {
            *("in/", "archive/", "archive/.work/", "archive/.work/1./", "archive/.work/1./a"),
            *("archive/accepted/", "archive/accepted/2026/"),
        }


# -- the judge


def details(file_id, name, state="done", outputs=(), numbers=()):
    file = File(
        *(file_id, "", name, 1, 1, State(state), 1, None, None, 0, None, None, "a" * 64),
        *(None, None, None, None, None, None, 1.0, 2.0, 3.0),
    )
    return Details(file, tuple(outputs), (), tuple(numbers), "{}")


def output(name, content=b"answer"):
    return Output(name, hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture
def answered(tmp_path):
    """What is there when all went well: one input, one answer, which nobody has collected."""
    places = Places(tmp_path)
    day = places.archive / "accepted" / "2026" / "01" / "01"
    for folder in (places.inbox, places.out, day, places.archive / ".work", places.archive / ".stage"):
        folder.mkdir(parents=True)
    (day / "1-a.837").write_bytes(b"input")
    (day / "1-a.json").write_bytes(b"answer")
    (places.out / "a.json").write_bytes(b"answer")
    return places


SENT = Sent("", "a.837", b"input")
ROW = details(1, "a.837", outputs=[output("a.json")])


def judged(places, *, sent=(SENT,), rows=(ROW,), seen=(), taken=()):
    collected = Collected()
    for name, content in (*seen, *taken):
        digest = hashlib.sha256(content).hexdigest()
        collected.contents[digest] = content
        collected.seen[name].add(digest)
    for name, content in taken:
        collected.taken[name].append(hashlib.sha256(content).hexdigest())
    return judge(places, sent, rows, collected).kinds


def test_an_answer_that_lies_there_or_was_taken_is_one_answer(answered):
    assert judged(answered) == set()
    assert judged(answered, seen=[("a.json", b"answer")]) == set()
    (answered.out / "a.json").unlink()
    assert judged(answered, taken=[("a.json", b"answer")]) == set()


ISA = b"*".join(
    [
        b"ISA*00*          *00*          *ZZ*R              *ZZ*S              *260101*0930",
        b"^*00501*000000007*0*P*:~",
    ]
)

NUMBER = Draw("R", "S", "ISA", 0)


@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        ("lost", {"rows": ()}),
        ("lost", {"rows": (details(1, "a.837", "claimed"),)}),
        ("twice", {"taken": [("a.json", b"answer")]}),
        ("different", {"seen": [("a.json", b"other")]}),
        ("different", {"taken": [("b.json", b"answer")]}),
        ("different", {"rows": (ROW, details(2, "a.837", "duplicate"))}),
        ("wrong", {"rows": (details(1, "a.837", outputs=[output("a.json", b"whole")]),)}),
        ("wrong", {"sent": ()}),
        ("numbers", {"taken": [("a.999", ISA), ("a.277ca", ISA + b"x")]}),
        ("numbers", {"rows": (details(1, "a.837", numbers=[(NUMBER, 7), (NUMBER._replace(ordinal=1), 7)]),)}),
        ("archive", {"sent": (SENT._replace(content=b"other"),)}),
        ("archive", {"rows": (details(3, "a.837", outputs=[output("a.json")]),)}),
    ],
)
def test_the_judge_sees_each_broken_promise(answered, promise, broken):
    assert promise in judged(answered, **broken)


@pytest.mark.parametrize(
    ("promise", "place"),
    [
        ("left", "in/b.837"),
        ("left", "archive/.work/1./a.837"),
        ("left", "archive/.stage/1.1/a.json"),
        ("left", "out/.a.json.part"),
        ("archive", "archive/accepted/2026/01/01/9-z.837"),
    ],
)
def test_the_judge_sees_what_should_not_be_there(answered, promise, place):
    (answered.base / place).parent.mkdir(parents=True, exist_ok=True)
    (answered.base / place).write_bytes(b"")
    assert promise in judged(answered)


def test_the_judge_misses_an_answer_that_nobody_got(answered):
    (answered.out / "a.json").unlink()
    assert judged(answered) == {"lost"}


# -- a sample of blows


def harness(*words):
    """In a process of its own: what it changes in the program must not reach other tests."""
    done = subprocess.run(
        [sys.executable, HARNESS, *words], capture_output=True, text=True, check=False, timeout=600
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize(
    "words",
    [
        ("--blows", "8"),
        ("--blows", "3", "--store", "postgresql", "--watchers", "2"),
        ("--blows", "3", "--power"),
    ],
    ids=" ".join,
)
def test_every_input_is_answered_once(request, words):
    if "--power" in words:
        request.getfixturevalue("mounted")
    if "postgresql" in words and find_postgresql() is None:
        pytest.skip("PostgreSQL is not installed")
    code, said = harness(*words)
    assert code == 0, said


@pytest.mark.long
def test_a_wrong_order_is_found(mounted):
    code, said = harness("--blows", "10", "--power", "--wrong", "nosync", "--stop")
    assert code == 1, said
    assert "| power cut | folders not flushed | sqlite | 1 |" in said, said
