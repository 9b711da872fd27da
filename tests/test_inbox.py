"""The inbox: what is ready, what is still written, what is left; names and moves of the drop folder."""

import errno
import fcntl
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edi_checker.files.inputs import minutes_name
from edi_checker.run.setting import AUTO, CheckSetting, SettingError
from edi_checker.watch.inbox import Inbox, companions
from edi_checker.watch.partners import WINDOW, Way, read_partners, seconds_of
from edi_checker.watch.places import (
    Places,
    PlacesError,
    archive_name,
    free_stem,
    from_text,
    move,
    owner_of,
    to_text,
)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def places(tmp_path):
    (tmp_path / "in" / "clinic").mkdir(parents=True)
    found = Places(tmp_path / "in", tmp_path / "out", tmp_path / "archive")
    found.prepare()
    return found


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(places, clock):
    return Inbox(places, 10.0, ".done", clock)


def ready(inbox):
    return sorted((each.partner, each.name) for each in inbox.look().ready)


def test_a_file_that_does_not_change_is_ready_after_its_time(places, inbox, clock):
    file = places.inbox / "clinic" / "a.837"
    file.write_text("ISA")
    assert ready(inbox) == []
    clock.now += 9.9
    assert ready(inbox) == []
    assert inbox.look().waiting == 1
    clock.now += 0.1
    assert ready(inbox) == [("clinic", "a.837")]


def test_a_file_that_grows_is_not_ready(places, inbox, clock):
    file = places.inbox / "a.837"
    for piece in range(5):
        with file.open("a") as out:
            out.write("x" * (piece + 1))
        assert ready(inbox) == []
        clock.now += 9
    clock.now += 1
    assert ready(inbox) == [("", "a.837")]


def test_a_file_that_is_written_over_with_as_many_bytes_begins_again(places, inbox, clock):
    file = places.inbox / "a.837"
    file.write_text("one")
    ready(inbox)
    clock.now += 9
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    ready(inbox)
    clock.now += 9
    assert ready(inbox) == []
    clock.now += 1
    assert ready(inbox) == [("", "a.837")]


def test_a_clock_of_the_wall_that_is_set_back_delays_nothing(places, inbox, clock):
    """The time of a file may lie in the future: only its changing counts."""
    file = places.inbox / "a.837"
    file.write_text("x")
    os.utime(file, (4e9, 4e9))
    ready(inbox)
    clock.now += 10
    assert ready(inbox) == [("", "a.837")]


def test_a_marker_says_that_a_file_is_whole(places, inbox):
    file = places.inbox / "a.837"
    file.write_text("x")
    marker = places.inbox / "a.837.done"
    marker.touch()
    assert ready(inbox) == [("", "a.837")]


def test_a_marker_that_came_first_says_nothing(places, inbox, clock):
    marker = places.inbox / "a.837.done"
    marker.touch()
    os.utime(marker, (1, 1))
    assert inbox.look().left == [("", "a.837.done", "a marker without its file")]
    (places.inbox / "a.837").write_text("half")
    assert ready(inbox) == []
    clock.now += 10
    assert ready(inbox) == [("", "a.837")]


@pytest.mark.parametrize(
    "name", [".a.837.Xy1", "~a.837", "a.837.tmp", "a.837.part", "a.837.filepart", "a.CRDOWNLOAD", "a.swp"]
)
def test_what_is_still_under_way_is_not_looked_at(places, inbox, clock, name):
    (places.inbox / name).write_text("x")
    inbox.look()
    clock.now += 100
    look = inbox.look()
    assert (look.ready, look.ignored, look.left) == ([], 1, [])


def test_minutes_belong_to_their_file(places, inbox, clock):
    (places.inbox / "a.837").write_text("x")
    (places.inbox / "a.minutes.csv").write_text("x")
    (places.inbox / "b.minutes.csv").write_text("x")
    inbox.look()
    clock.now += 10
    look = inbox.look()
    assert [each.name for each in look.ready] == ["a.837"]
    assert look.left == [("", "b.minutes.csv", "minutes without their file")]
    assert not look.is_hindered
    assert companions("a.837.gz", ".done") == ["a.minutes.csv", "a.837.gz.done"]


def test_many_files_with_minutes_are_looked_at_each_once(places, inbox, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "edi_checker.watch.inbox.minutes_name", lambda name: asked.append(name) or minutes_name(name)
    )
    for number in range(50):
        (places.inbox / "clinic" / f"{number}.837").touch()
        (places.inbox / "clinic" / f"{number}.minutes.csv").touch()
    assert inbox.look().left == []
    assert len(asked) == 51  # and the folder itself


def test_what_is_no_file_is_left_and_named(places, inbox, clock):
    os.mkfifo(places.inbox / "pipe")
    (places.inbox / "link").symlink_to("/etc/passwd")
    (places.inbox / "clinic" / "deep").mkdir()
    inbox.look()
    clock.now += 10
    assert sorted(inbox.look().left) == [
        ("", "link", "not a regular file"),
        ("", "pipe", "not a regular file"),
        ("clinic", "deep", "a folder within a partner's folder"),
    ]


def test_a_locked_file_waits(places, inbox, clock):
    file = places.inbox / "a.837"
    file.write_text("x")
    inbox.look()
    clock.now += 10
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        look = inbox.look()
        assert look.left == [("", "a.837", "another program has locked it")]
        assert look.is_hindered
    assert ready(inbox) == [("", "a.837")]


def test_a_look_opens_no_pipe_that_takes_the_place_of_a_file(places, inbox, clock):
    file = places.inbox / "a.837"
    file.write_text("x")
    inbox.look()
    file.unlink()
    os.mkfifo(file)
    clock.now += 10
    assert inbox.look().ready == []


@given(st.binary(min_size=1, max_size=60).filter(lambda raw: b"/" not in raw and b"\0" not in raw))
def test_any_name_comes_back_from_its_text(raw):
    name = os.fsdecode(raw)
    text = to_text(name)
    assert text.isprintable()
    text.encode()  # a database takes no halves of pairs
    assert from_text(text) == name


def test_plain_names_stay_as_they_are():
    for name in ("claims 2026.837", "Ärzte.837", "a#b;c'd.837"):
        assert to_text(name) == name
    assert to_text("100%.837") == "100%25.837"


def test_a_long_name_is_cut_in_the_archive():
    names = [
        archive_name(12, "ä" * 120 + ending)
        for ending in (".837", "b.837", ".minutes.csv", ".csv", ".837.gz", ".837.gz.done", "")
    ]
    assert all(len(os.fsencode(name)) < 200 for name in names)
    assert len(set(names)) == len(names)
    assert [name.partition(".")[2] for name in names] == [
        "837",
        "837",
        "minutes.csv",
        "csv",
        "837.gz",
        "837.gz.done",
        "",
    ]


def test_a_short_name_is_kept_in_the_archive():
    assert archive_name(12, "ä" * 88 + ".837") == "12-" + "ä" * 88 + ".837"


def test_folders_that_lie_in_each_other_are_refused(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(PlacesError, match="must not lie in"):
        Places(tmp_path / "in", tmp_path / "in" / "out", tmp_path / "archive").prepare()
    with pytest.raises(PlacesError, match="no such folder"):
        Places(tmp_path / "none", tmp_path / "out", tmp_path / "archive").prepare()


def test_a_move_that_a_loss_of_power_half_undid_is_finished(tmp_path):
    (tmp_path / "a").write_text("x")
    os.link(tmp_path / "a", tmp_path / "b")
    move(tmp_path / "a", tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_move_writes_over_nothing(tmp_path):
    (tmp_path / "a").write_text("new")
    (tmp_path / "b").write_text("old")
    with pytest.raises(FileExistsError):
        move(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "old"
    assert (tmp_path / "a").read_text() == "new"


def across_mounts(monkeypatch, *folders):
    """As if each of these folders were mounted by itself, from one file system."""
    real = Path.rename

    def rename(source, target):
        if any(source.is_relative_to(folder) != Path(target).is_relative_to(folder) for folder in folders):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(source, target)

    monkeypatch.setattr(Path, "rename", rename)


@pytest.mark.parametrize("folder", ["in", "out", "archive"])
def test_folders_that_are_mounted_one_by_one_are_refused(places, tmp_path, monkeypatch, folder):
    across_mounts(monkeypatch, tmp_path / folder)
    with pytest.raises(PlacesError, match="different file systems or mounts"):
        places.prepare()
    assert not list(places.inbox.glob(".*"))


@pytest.mark.parametrize("folder", ["in/clinic", "out/clinic"])
def test_a_partner_on_another_mount_is_left_with_a_reason(
    places, inbox, clock, tmp_path, monkeypatch, folder
):
    (tmp_path / "out" / "clinic").mkdir()
    (places.inbox / "clinic" / "a.837").write_text("ISA")
    ready(inbox)
    clock.now += 10
    assert len(ready(inbox)) == 1
    across_mounts(monkeypatch, tmp_path / folder)
    look = inbox.look()
    why = "its folders lie on another file system or mount than the archive"
    assert (look.ready, look.left, look.is_hindered) == ([], [("clinic", "", why)], True)


def test_a_stem_that_is_taken_gets_the_id(tmp_path):
    assert free_stem(tmp_path, "claims", [], 7) == "claims"
    assert free_stem(tmp_path, "claims", ["Claims.json"], 7) == "claims.7"
    (tmp_path / "claims.999").touch()
    assert free_stem(tmp_path, "claims", [], 7) == "claims.7"
    assert free_stem(tmp_path, "claim", [], 7) == "claim"


def test_work_folders_say_whose_they_are(places):
    folder = places.work(12, "clinic.a")
    folder.mkdir()
    assert [owner_of(path) for path in places.works()] == [(12, "clinic.a")]


# -- partners


def partners_of(tmp_path, text):
    path = tmp_path / "partners.yaml"
    path.write_text(text)
    return read_partners(path, Way(CheckSetting(ignore=("code.npi",))))


def test_each_partner_has_its_way(tmp_path):
    found = partners_of(
        tmp_path,
        "default:\n  profile: medicare\nclinic:\n  profile: commercial\n  duplicate-window: 2h\n"
        "  split: true\n  isolation: transaction\n  ignore: [code.npi, code.taxonomy]\n  rules: own\n",
    )
    clinic, other = found.of("clinic"), found.of("other")
    assert (other.setting.profile, other.window, other.split) == ("medicare", WINDOW, False)
    assert (clinic.setting.profile, clinic.window, clinic.split) == ("commercial", 7200, True)
    assert clinic.setting.isolation == "transaction"
    assert clinic.setting.ignore == ("code.npi", "code.taxonomy")
    assert clinic.setting.rules == (tmp_path / "own",)
    assert other.setting.ignore == ("code.npi",)


def test_the_profile_of_all_may_stay_as_the_command_says(tmp_path):
    assert partners_of(tmp_path, "clinic:\n  page: true\n").default.setting.profile == AUTO


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clinic: medicare\n", ":1: a partner has entries"),
        ("clinic:\n  profil: medicare\n", ":2: 'profil' is none of"),
        ("clinic:\n  split: perhaps\n", ":2: true or false"),
        ("clinic:\n  duplicate-window: soon\n", ":2: 'soon' is no time"),
        ("clinic:\n  isolation: all\n", ":2: isolation is"),
        ("clinic: [\n", ":"),
    ],
)
def test_what_is_wrong_with_partners_is_said_with_its_line(tmp_path, text, said):
    with pytest.raises(SettingError, match=r"partners\.yaml") as error:
        partners_of(tmp_path, text)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("1.5m", 90), ("2h", 7200), ("400d", 400 * 86400), ("7", 7)]
)
def test_times_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1w", "1e3", "1:30"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="no time"):
        seconds_of(text)
