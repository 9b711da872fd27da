"""Sources: what a path stands for, what comes out of it, and that nothing in it can do harm."""

import gzip
import hashlib
import io
import os
import stat
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edi_checker.files import inputs
from edi_checker.files.inputs import Unreadable, find_inputs, name_outputs
from edi_checker.files.output import open_own, open_text, write_named, write_whole

DATA = b"ISA*00*" + b"x" * 3_000_000


def read(each) -> bytes:
    with each.open() as reading:
        return b"".join(iter(reading.read, b""))


def only(path):
    (each,) = find_inputs([str(path)])
    return each


def archive(path, members, **kwargs):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **kwargs) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return path


def test_file_comes_out_as_it_is_with_its_digest(tmp_path):
    (tmp_path / "a.837").write_bytes(DATA)
    each = only(tmp_path / "a.837")
    assert (each.name, each.path, each.size) == ("a", str(tmp_path / "a.837"), len(DATA))
    with each.open() as reading:
        assert b"".join(iter(reading.read, b"")) == DATA
        assert reading.position() == len(DATA)
        assert reading.digest() == hashlib.sha256(DATA).hexdigest()


def test_no_read_gives_more_than_a_chunk(tmp_path):
    (tmp_path / "a.837").write_bytes(DATA)
    with only(tmp_path / "a.837").open() as reading:
        assert len(reading.read()) <= 1 << 20
        assert len(reading.read(1 << 30)) <= 1 << 20


def test_digest_reads_on_to_the_end(tmp_path):
    (tmp_path / "a.837").write_bytes(DATA)
    with only(tmp_path / "a.837").open() as reading:
        reading.read(10)
        assert reading.digest() == hashlib.sha256(DATA).hexdigest()


def test_digest_gives_up_on_what_does_not_end(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "MAX_DRAIN", 1000)
    (tmp_path / "a.837").write_bytes(DATA)
    with only(tmp_path / "a.837").open() as reading:
        assert reading.digest() is None


def test_gzip_is_known_by_its_content(tmp_path):
    (tmp_path / "a.837.gz").write_bytes(gzip.compress(DATA))
    (tmp_path / "b.837").write_bytes(gzip.compress(DATA))
    (tmp_path / "c.837.gz").write_bytes(DATA)
    each = list(find_inputs([str(tmp_path)]))
    assert [one.name for one in each] == ["a", "b", "c"]
    assert [read(one) for one in each] == [DATA] * 3


def test_gzip_position_is_within_the_packed_file(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(DATA))
    each = only(tmp_path / "a.gz")
    with each.open() as reading:
        while reading.read():
            assert reading.position() <= each.size
        assert reading.digest() == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize(
    "damage", [lambda d: d[: len(d) // 2], lambda d: d[:200] + b"\xff" * 50 + d[250:], lambda d: d[:2]]
)
def test_damaged_gzip_says_so(tmp_path, damage):
    packed = gzip.compress(os.urandom(5000))
    (tmp_path / "a.gz").write_bytes(damage(packed))
    with pytest.raises(Unreadable, match="archive"):
        read(only(tmp_path / "a.gz"))


def test_bomb_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "_BOMB_FLOOR", 1 << 20)
    monkeypatch.setattr(inputs, "_BOMB_RATIO", 100)
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(20 << 20)))
    archive(tmp_path / "b.zip", {"b.837": bytes(20 << 20)})
    for each in find_inputs([str(tmp_path)]):
        with pytest.raises(Unreadable, match="unpacks to more than"):
            read(each)


def test_zip_members_are_inputs_of_their_own(tmp_path):
    archive(
        tmp_path / "a.zip",
        {"x.837": b"one", "deep/y.837": b"two", "deep/": b"", "__MACOSX/._x.837": b"no", ".hid": b""},
    )
    each = list(find_inputs([str(tmp_path / "a.zip")]))
    assert [one.path.rpartition("!")[2] for one in each] == ["x.837", "deep/y.837"]
    assert [one.name for one in each] == ["x", "y"]
    assert [read(one) for one in each] == [b"one", b"two"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.837", "/abs/x.837", "..\\..\\x.837", "a\x1b[31m.837", "..", "-rf.837"]
)
def test_hostile_member_names_are_made_safe(tmp_path, name):
    each = only(archive(tmp_path / "a.zip", {name: b"one"}))
    assert each.name
    assert not set(each.name) & set("/\\\x1b")
    assert not each.name.startswith((".", "-"))
    assert each.path.isprintable()


def test_encrypted_member_says_so(tmp_path):
    file = archive(tmp_path / "a.zip", {"x.837": b"one"})
    data = bytearray(file.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark) + offset
        data[at] |= 1
    file.write_bytes(data)
    with pytest.raises(Unreadable, match="encrypted"):
        read(only(file))


def test_damaged_member_leaves_its_neighbour(tmp_path):
    file = archive(tmp_path / "a.zip", {"x.837": os.urandom(3000), "y.837": b"two"})
    data = bytearray(file.read_bytes())
    data[500:520] = bytes(20)
    file.write_bytes(data)
    first, second = find_inputs([str(file)])
    with pytest.raises(Unreadable, match="damaged"):
        read(first)
    assert read(second) == b"two"


def test_damaged_archive_is_one_input_with_a_reason(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04" + os.urandom(1000))
    assert "damaged" in only(tmp_path / "a.zip").reason


@pytest.mark.parametrize("inner", [gzip.compress(b"x"), b"PK\x03\x04rest"], ids=["gzip", "zip"])
def test_archive_within_an_archive_is_not_read(tmp_path, inner):
    with pytest.raises(Unreadable, match="inside an archive"):
        read(only(archive(tmp_path / "a.zip", {"x.gz": inner})))


def test_minutes_inside_an_archive_are_not_silently_dropped(tmp_path):
    file = archive(tmp_path / "a.zip", {"x.837": b"one", "x.minutes.csv": b"claim,line,minutes"})
    assert [bool(each.reason) for each in find_inputs([str(file)])] == [False, True]


def test_empty_archive_says_so(tmp_path):
    assert "no files" in only(archive(tmp_path / "a.zip", {})).reason


def test_archive_of_too_many_members_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "MAX_MEMBERS", 3)
    assert "more than 3" in only(archive(tmp_path / "a.zip", dict.fromkeys("abcd", b""))).reason


def test_archive_that_claims_a_huge_directory_is_not_loaded(tmp_path):
    file = archive(tmp_path / "a.zip", {"x": b""})
    data = bytearray(file.read_bytes())
    struct.pack_into("<L", data, len(data) - 22 + 12, 0xFFFFFFFF)
    file.write_bytes(data)
    assert "too many" in only(file).reason


def test_folder_stands_for_its_visible_files_in_order(tmp_path):
    for name in ("b.837", "a.837", ".hidden", "a.minutes.csv"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "c.837").write_bytes(b"x")
    assert [each.name for each in find_inputs([str(tmp_path)])] == ["a", "b"]


def test_empty_folder_says_so(tmp_path):
    assert "no files" in only(tmp_path).reason


def test_pipe_in_a_folder_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "p")
    assert only(tmp_path).reason == "not a regular file"


def test_missing_file_gives_a_reason_and_the_next_is_read(tmp_path):
    (tmp_path / "a.837").write_bytes(b"x")
    gone, there = find_inputs([str(tmp_path / "gone.837"), str(tmp_path / "a.837")])
    with pytest.raises(Unreadable, match="no such file"):
        gone.open()
    assert read(there) == b"x"


def test_name_with_a_null_byte_gives_a_reason():
    assert "name" in only("a\x00b").reason


def test_file_that_vanishes_gives_a_reason(tmp_path):
    (tmp_path / "a.837").write_bytes(b"x")
    each = only(tmp_path / "a.837")
    (tmp_path / "a.837").unlink()
    with pytest.raises(Unreadable):
        each.open()


def test_minutes_beside_the_input_are_found(tmp_path):
    for name in ("a.837", "b.837.gz", "c.837"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "a.minutes.csv").touch()
    (tmp_path / "b.minutes.csv").touch()
    found = [each.minutes.name if each.minutes else None for each in find_inputs([str(tmp_path)])]
    assert found == ["a.minutes.csv", "b.minutes.csv", None]


def test_output_names_are_distinct_and_safe(tmp_path):
    for folder in ("one", "two", "three"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ("X.837" if folder == "two" else "x.837")).touch()
    (tmp_path / "x-2.837").touch()
    (tmp_path / "ä b.837").touch()
    paths = [tmp_path / p for p in ("one/x.837", "two/X.837", "x-2.837", "three/x.837", "ä b.837")]
    assert name_outputs(list(find_inputs(map(str, paths)))) == ["x", "X-2", "x-2-2", "x-3", "__b"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read(pack):
    script = (
        "import sys; from edi_checker.files.inputs import find_inputs\n"
        "each, = find_inputs(['-'])\n"
        "with each.open() as r:\n"
        "    n = sum(map(len, iter(r.read, b''))); r.position()\n"
        "print(n, r.digest(), each.name)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=pack(DATA), capture_output=True, check=True)
    assert done.stdout.decode().split() == [str(len(DATA)), hashlib.sha256(DATA).hexdigest(), "stdin"]


def test_undecodable_file_name_is_shown_as_text(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.837")
    try:
        Path(path).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes no such name")
    each = only(path)
    each.path.encode()
    assert read(each) == b"x"


def test_whole_file_appears_at_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "x.999"
    path.write_text("old")
    with write_whole(path) as out:
        out.write(b"new")
        out.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_file_that_fails_leaves_the_old_one_and_no_rest(tmp_path):
    path = tmp_path / "x.999"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_whole(path) as out:
        out.write(b"%d" % (1 // 0))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_that_is_named_is_written_directly(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reading = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with write_named(tmp_path / "pipe") as out:
        out.write(b"x")
    assert os.read(reading, 10) == b"x"
    os.close(reading)
    assert not (tmp_path / "pipe").is_file()


def test_a_link_that_is_named_is_followed_and_one_of_our_own_is_not(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with write_named(tmp_path / "link") as out:
        out.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    with write_whole(tmp_path / "link") as out:
        out.write(b"own")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "device"])
def test_what_is_our_own_is_a_regular_file(tmp_path, kind):
    path = tmp_path / "own"
    if kind == "link":
        (tmp_path / "real").write_text("real")
        path.symlink_to(tmp_path / "real")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path(os.devnull)
    with pytest.raises(OSError, match=r"regular|levels|directory"):
        os.close(open_own(path, os.O_RDWR))


def test_text_over_a_binary_stream_leaves_it_open():
    stream = io.BytesIO()
    with open_text(stream) as text:
        text.write("é\n")
    assert stream.getvalue() == b"\xc3\xa9\n"


def test_a_member_without_a_name_is_an_input_like_another(tmp_path):
    path = tmp_path / "nameless.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Q.837", b"ISA")
    # A name that begins with NUL is cut to nothing when the archive is read.
    path.write_bytes(path.read_bytes().replace(b"Q.837", b"\x00.837"))
    (given,) = find_inputs([str(path)])
    with given.open() as reading:
        assert reading.read() == b"ISA"
    assert given.name == "input"
