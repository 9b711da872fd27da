"""The drop folder: what arrives is answered once and archived, whatever its name, its content and the day."""

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from drop_folder import run as command_line
from edi_checker.batch.workers import Done
from edi_checker.check.checker import Checker
from edi_checker.check.examples import write_example
from edi_checker.cli import watch as command
from edi_checker.cli.options import Checking
from edi_checker.reports.findings_log import FindingsLog
from edi_checker.state import Secret, State, StateError, open_ledger
from edi_checker.watch import job, loop
from edi_checker.watch.filing import belong_together, tidy
from edi_checker.watch.inbox import Arrival, Inbox
from edi_checker.watch.job import Clerk, Report
from edi_checker.watch.log import Log
from edi_checker.watch.partners import read_partners
from edi_checker.watch.places import MARK, Places
from generate_claims import generate
from paths import ROOT

CLEAN = (ROOT / "samples" / "837p" / "clean" / "pt-clinic.837").read_text()
NUMBER = CLEAN[90:99]
CHECKING = Checking("auto", (), None, (), (), None, None, None, None, 10_000, 600.0)
FAULTY = "".join(line.replace("HC:97530:GP", "HC:97530") for line in CLEAN.splitlines(keepends=True))


def claims(number, text=CLEAN):
    """A claim file under a control number of its own."""
    return text.replace(NUMBER, f"{number:09d}")


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def archived(root):
    """The archive's files without the day, and without what says whose it is."""
    names = [name for name in files_in(root / "archive") if name != MARK]
    return [re.sub(r"\d{4}/\d\d/\d\d/", "", name) for name in names]


def isa13(path):
    return path.read_text()[90:99]


@pytest.fixture(scope="session")
def desk_of():
    """The desk of some places; rules are read once."""
    made = {}

    def make(places, partners=None):
        if not made:
            first = command._make_desk(places, None, CHECKING, (False, False), (60.0, 0.0, ".done"), None)
            made["desk"] = first
        desk = replace(made["desk"], places=places)
        if partners is not None:
            found = read_partners(partners, desk.partners.default)
            settings = {way.setting for way in found.ways()} - set(desk.made)
            new = {setting: (setting.make(), "digest") for setting in settings}
            desk = replace(desk, partners=found, made={**desk.made, **new})
        return desk

    return make


class Office:
    """A drop folder whose clerk works in this process."""

    def __init__(self, root, desk_of, partners=None):
        self.root = root
        (root / "in").mkdir(exist_ok=True)
        self.places = Places(root / "in", root / "out", root / "archive")
        self.places.prepare()
        self.now = 1_795_000_000.0
        self.ledger = open_ledger(str(root / "ledger.db"), lambda: self.now)
        self.clerk = Clerk(desk_of(self.places, partners), self.ledger)
        self.owners = 0

    def put(self, name, data, partner=""):
        folder = self.root / "in" / partner
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    def ready(self):
        return Inbox(self.places, 0.0, ".done", time.monotonic).look().ready

    def work(self):
        """Do all that is ready or waits; the reports."""
        reports = []
        for task in (*self.ledger.list_waiting(100), *self.ready()):
            self.owners += 1
            self.now += 1
            reports.append(self.clerk.do(task, f"owner {self.owners}"))
        return reports


@pytest.fixture
def office(tmp_path, desk_of):
    found = Office(tmp_path, desk_of)
    with found.ledger:
        yield found


def test_a_file_is_answered_and_archived(office):
    office.put("claims.837", claims(1), "clinic")
    [report] = office.work()
    assert (report.event, report.kind, report.claims) == ("answered", "accepted", 3)
    assert files_in(office.root / "out") == [f"clinic/claims.{ending}" for ending in ("277ca", "999", "json")]
    assert archived(office.root) == [
        f"accepted/clinic/1-claims.{ending}" for ending in ("277ca", "837", "999", "json")
    ]
    assert json.loads((office.root / "out/clinic/claims.json").read_text())["files"][0]["path"] == (
        "clinic/claims.837"
    )
    details = office.ledger.show(1)
    assert details.file.state == State.DONE
    assert {output.name for output in details.outputs} == {"claims.277ca", "claims.999", "claims.json"}
    assert isa13(office.root / "out/clinic/claims.999") == "000000001"
    assert details.interchanges[0].key.control == "000000001"
    assert not files_in(office.root / "in")


@pytest.mark.parametrize(
    ("folder", "answer", "made"), [(0o2770, 0o640, 0o2770), (0o755, 0o600, 0o750), (0o700, 0o600, 0o700)]
)
def test_who_may_take_an_answer_away_may_read_it(office, folder, answer, made):
    """The group, where it may write in the folder of answers; nobody else in any case."""
    before = os.umask(0o007)
    try:
        (office.root / "out").chmod(folder)
        office.put("claims.837", claims(1), "clinic")
        office.work()
    finally:
        os.umask(before)
    out = office.root / "out" / "clinic"
    assert out.stat().st_mode & 0o7777 == made
    for path in out.iterdir():
        assert path.stat().st_mode & 0o7777 == answer, path.name
        assert path.stat().st_gid == out.stat().st_gid


def test_who_writes_to_an_answer_does_not_change_the_archive(office):
    office.put("claims.837", claims(1))
    office.work()
    for path in (office.root / "out").iterdir():
        (kept,) = (office.root / "archive").glob(f"accepted/*/*/*/1-{path.name}")
        assert not kept.samefile(path)
        assert kept.read_bytes() == path.read_bytes()
        assert kept.stat().st_mode & 0o7777 == 0o600


def test_a_rejected_file_is_answered_too(office):
    office.put("claims.837", claims(1, FAULTY))
    [report] = office.work()
    assert (report.kind, report.rejected) == ("rejected", 1)
    assert "rejected/1-claims.837" in archived(office.root)


def test_numbers_are_never_drawn_twice(office):
    for number in range(1, 6):
        office.put(f"{number}.837", claims(number))
    office.work()
    answers = [*(office.root / "out").glob("*.999"), *(office.root / "out").glob("*.277ca")]
    counted = Counter(isa13(path) for path in answers)
    assert len(counted) == 10
    assert set(counted.values()) == {1}


def test_the_same_bytes_again_are_a_duplicate(office):
    office.put("claims.837", claims(1))
    office.work()
    office.put("other name.837", claims(1))
    [report] = office.work()
    assert report.event == "duplicate"
    answer = (office.root / "out" / "other_name.ta1").read_text()
    assert re.search(r"TA1\*000000001\*\d{6}\*\d{4}\*R\*025~", answer)
    assert (
        "file 1, claims.837, with the same content"
        in (office.root / "out" / "other_name.duplicate.txt").read_text()
    )
    assert office.ledger.show(2).file.state == State.DUPLICATE


def test_another_content_under_the_same_number_is_a_duplicate_within_the_window(office):
    office.put("claims.837", claims(1))
    office.work()
    office.put("corrected.837", claims(1).replace("*HAZEL*", "*HASEL*"))
    [report] = office.work()
    assert report.event == "duplicate"
    assert office.ledger.counts().other_content == 1
    office.now += 31 * 86400
    office.put("later.837", claims(1).replace("*HAZEL*", "*HASELL*"))
    [report] = office.work()
    assert report.event == "answered"


def test_a_file_that_repeats_some_numbers_only_is_left_to_a_person(office):
    office.put("one.837", claims(1))
    office.work()
    office.put("two.837", claims(1).replace("*HAZEL*", "*HASEL*") + claims(2))
    [report] = office.work()
    assert report.event == "failed"
    assert "interchange 000000001 was answered in file 1" in report.reason
    assert files_in(office.root / "out") == [f"one.{ending}" for ending in ("277ca", "999", "json")]


def test_partners_are_checked_each_in_its_way(tmp_path, desk_of):
    (tmp_path / "partners.yaml").write_text(
        "clinic:\n  ignore: [therapy, modifier]\n  split: true\n  page: true\n  duplicate-window: 1h\n"
    )
    office = Office(tmp_path, desk_of, tmp_path / "partners.yaml")
    with office.ledger:
        office.put("a.837", claims(1, FAULTY))
        office.put("b.837", claims(2, FAULTY), "clinic")
        assert [report.kind for report in office.work()] == ["rejected", "accepted"]
        endings = ("277ca", "999", "clean.837", "html", "json")
        assert files_in(tmp_path / "out" / "clinic") == [f"b.{ending}" for ending in endings]
        office.now += 3601
        office.put("c.837", claims(2, FAULTY).replace("*HAZEL*", "*HASEL*"), "clinic")
        assert office.work()[0].event == "answered"


def test_a_partner_may_have_any_name(tmp_path, desk_of):
    (tmp_path / "partners.yaml").write_text('"50% clinic":\n  page: true\n')
    office = Office(tmp_path, desk_of, tmp_path / "partners.yaml")
    with office.ledger:
        office.put("a.837", claims(1), "50% clinic")
        office.work()
        assert (tmp_path / "out" / "50% clinic" / "a.html").is_file()


@pytest.mark.long
def test_an_entry_for_a_partner_without_a_folder_is_said_at_the_start(tmp_path):
    (tmp_path / "in" / "50% clinic").mkdir(parents=True)
    (tmp_path / "partners.yaml").write_text('"50% clinic":\n  page: true\nclinc:\n  page: true\n')
    code, log = run(tmp_path, "--partners", "partners.yaml", "--log-format", "json")
    assert code == 0
    said = [each for each in log_of(log) if each["event"] == "partner without a folder"]
    assert [each["partner"] for each in said] == ["clinc"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe.837",
        "Ärzte - Müller.837".encode(),
        b"line\nbreak.837",
        b"-rf.837",
        b"100%.837",
        b"a" * 240 + b".837",
        b"a" * 244 + b".837",
        b"a" * 251 + b".837",
        b"a" * 255,
        b"a." * 127 + b"a",
        b"\xff" * 251 + b".837",
        "ä".encode() * 125 + b".837",
        b"no ending",
        b"'; drop table file; --.837",
        b"$(reboot).837",
        b"\x1b[2J.837",
    ],
)
def test_a_file_may_have_any_name(office, raw):
    name = os.fsdecode(raw)
    office.put(name, claims(1))
    [report] = office.work()
    assert report.event == "answered"
    assert len(files_in(office.root / "out")) == 3
    kept = [path for path in (office.root / "archive").rglob("1-*") if not path.name.endswith("json")]
    assert len(kept) == 3
    for path in (office.root / "out").iterdir():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", path.name)


@pytest.mark.parametrize("raw", [b"a" * 255, "ä".encode() * 127, b"\xff" * 255, b"\n" * 255, b"a." * 127])
def test_a_partner_may_have_a_long_name(office, raw):
    partner = os.fsdecode(raw)
    office.put("claims.837", claims(1), partner)
    office.put("letter.837", "letter", partner)
    assert [report.event for report in office.work()] == ["answered", "failed"]
    assert len(files_in(office.root / "out" / partner)) == 3
    assert len(files_in(office.root / "archive")) == 6
    assert not files_in(office.root / "in")


def test_what_belongs_to_a_file_with_a_long_name_is_kept_beside_it(office):
    stem = "a" * 230
    office.put(f"{stem}.csv", claims(1))
    office.put(f"{stem}.minutes.csv", "claim,line,minutes\n")
    office.put(f"{stem}.csv.done", "")
    office.work()
    kept = [re.sub("1-a{80,}-[0-9a-f]{12}", "a", name) for name in archived(office.root)]
    assert sorted(kept) == [
        f"accepted/a.{ending}" for ending in ("277ca", "999", "csv", "csv.done", "json", "minutes.csv")
    ]


def test_a_name_that_comes_again_gets_answers_of_its_own(office):
    office.put("claims.837", claims(1))
    office.work()
    office.put("claims.837", claims(2))
    office.work()
    assert files_in(office.root / "out") == sorted(
        f"claims.{stem}{ending}" for stem in ("", "2.") for ending in ("277ca", "999", "json")
    )


def test_two_names_with_one_stem_do_not_meet(office):
    office.put("claims.837", claims(1))
    office.put("claims.txt", claims(2))
    office.work()
    assert len(files_in(office.root / "out")) == 6


def test_what_was_collected_leaves_its_name_free(office):
    office.put("claims.837", claims(1))
    office.work()
    for path in (office.root / "out").iterdir():
        path.unlink()
    office.put("claims.837", claims(2))
    office.work()
    assert "claims.json" in files_in(office.root / "out")


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7", b"\0" * 1000, b"ISA"], ids=range(5))
def test_what_is_no_claim_file_fails_once_with_a_reason(office, data):
    office.put("letter.txt", data)
    [report] = office.work()
    assert report.event == "failed"
    assert archived(office.root) == ["failed/1-letter.txt", "failed/1-letter.txt.reason.txt"]
    [reason] = (office.root / "archive").rglob("*.reason.txt")
    assert len(reason.read_text()) > 10
    assert office.work() == []
    assert files_in(office.root / "out") == []


def test_a_file_that_breaks_off_is_rejected(office):
    office.put("claims.837", claims(1)[:300])
    [report] = office.work()
    assert (report.event, report.kind) == ("answered", "rejected")
    assert "*R*" in (office.root / "out" / "claims.ta1").read_text()


def test_a_file_that_failed_can_be_opened_again(office):
    office.put("letter.txt", b"hello")
    office.work()
    office.ledger.reopen(1, "try again", "me")
    [report] = office.work()
    assert report.event == "failed"
    assert "failed/1-letter.txt" in archived(office.root)


def test_an_archive_is_answered_member_by_member(office, tmp_path):
    with zipfile.ZipFile(tmp_path / "batch.zip", "w") as packed:
        packed.writestr("a.837", claims(1))
        packed.writestr("b.837", claims(2, FAULTY))
    office.put("batch.zip", (tmp_path / "batch.zip").read_bytes())
    [report] = office.work()
    assert (report.event, report.kind, report.claims) == ("answered", "rejected", 6)
    assert {name.partition(".")[0] for name in files_in(office.root / "out")} == {"a", "b"}


def test_minutes_and_marker_go_with_their_file(office):
    office.put("claims.837", claims(1))
    office.put("claims.minutes.csv", "claim,line,minutes\n")
    office.put("claims.837.done", "")
    office.work()
    assert not files_in(office.root / "in")
    assert {"accepted/1-claims.minutes.csv", "accepted/1-claims.837.done"} <= set(archived(office.root))


def test_a_file_that_is_written_to_while_it_is_checked_is_checked_again(office, monkeypatch):
    office.put("claims.837", claims(1))
    real, late = job.check_input, [True]

    def slow(*arguments, **named):
        result = real(*arguments, **named)
        if late:
            late.clear()
            [work] = office.places.works()
            with (work / "claims.837").open("a") as out:
                out.write("\n" + claims(2, FAULTY))
        return result

    monkeypatch.setattr(job, "check_input", slow)
    [report] = office.work()
    assert report.event == "again"
    assert files_in(office.root / "out") == []
    [report] = office.work()
    assert (report.event, report.claims) == ("answered", 6)


@pytest.mark.parametrize("late", [1, 12])
def test_a_full_temporary_folder_fails_no_file(office, monkeypatch, late):
    """However long it stays full."""
    office.put("claims.837", claims(1))

    real = FindingsLog.end

    def full(log, **said):
        if said.get("failure"):
            return real(log, **said)
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(FindingsLog, "end", full)
        for _ in range(late):
            [report] = office.work()
            assert report.event == "again"
            assert "No space left" in report.reason
            office.now += 3600
    assert [report.event for report in office.work()] == ["answered"]


def test_no_reason_names_the_file(office, monkeypatch):
    """Not by way of its minutes, nor of what could not be written."""
    office.put("HAZEL.837", claims(1))
    office.put("HAZEL.minutes.csv", "claim,line,minutes\nA-1,1,-5\n")
    [report] = office.work()
    assert (report.event, report.reason.partition(":")[0]) == ("failed", "its minutes file, row 2")
    office.put("TOM.837", claims(2))
    for error, said in (
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "the disk cannot be used: No space left on device",
        ),
        (ZeroDivisionError(), "internal error (ZeroDivisionError)"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr("edi_checker.run.one_input._json_of", lambda *_, error=error: _raising(error))
            [report] = office.work()
        assert (report.event, report.reason) == ("again", said)
        office.now += 3600


def _raising(error):
    def write(_):
        raise error

    return write


def test_an_error_of_ours_fails_a_file_after_some_tries(office, monkeypatch):
    office.put("claims.837", claims(1))
    monkeypatch.setattr(Checker, "check", lambda *_: 1 // 0)
    events = []
    for _ in range(job.MOST_TRIES + 1):
        [report] = office.work()
        events.append(report.event)
        office.now += 3600
    assert events == ["again"] * job.MOST_TRIES + ["failed"]
    assert report.reason == "internal error (ZeroDivisionError)"


@pytest.mark.parametrize(
    ("folder", "said"), [("out", "folder of answers"), ("in", "inbox"), ("archive", "archive")]
)
def test_a_folder_that_is_gone_for_a_while_fails_no_file(office, folder, said):
    """It may be a volume that is not mounted: it is waited for, and not made."""
    office.put("claims.837", claims(1), "clinic")
    [task] = office.ready()
    (office.root / folder).rename(office.root / "elsewhere")
    for turn in range(7):
        report = office.clerk.do(task if not turn else 1, f"owner {turn}")
        assert (report.event, report.reason) == ("again", f"the {said} is gone")
        office.now += 60
    assert office.ledger.show(1).file.tries == 0
    assert not (office.root / folder).exists()
    (office.root / "elsewhere").rename(office.root / folder)
    assert office.clerk.do(1, "owner 8").event == "answered"
    assert files_in(office.root / "out") == [f"clinic/claims.{ending}" for ending in ("277ca", "999", "json")]


@pytest.mark.parametrize("step", ["_commit", "_publish", "share", "put_out", "file_away"])
def test_a_folder_of_answers_that_goes_at_any_step_costs_no_answer(office, monkeypatch, step):
    office.put("claims.837", claims(1), "clinic")
    where = job if hasattr(job, step) else Clerk
    whole, away = getattr(where, step), office.root / "elsewhere"

    def go(*words):
        (office.root / "out").rename(away)
        monkeypatch.undo()
        return whole(*words)

    monkeypatch.setattr(where, step, go)
    [report] = office.work()
    if step != "file_away":  # what is left to do then is in the archive
        assert (report.event, report.reason) == ("again", "the folder of answers is gone")
    assert not (office.root / "out").exists()
    away.rename(office.root / "out")
    office.now += 60
    office.work()
    assert office.ledger.show(1).file.state == State.DONE
    assert files_in(office.root / "out") == [f"clinic/claims.{ending}" for ending in ("277ca", "999", "json")]
    assert len(archived(office.root)) == 4


def test_a_file_that_vanishes_is_no_failure(office):
    office.put("claims.837", claims(1))
    [task] = office.ready()
    (office.root / "in" / "claims.837").unlink()
    assert office.clerk.do(task, "me").event == "vanished"
    assert office.ledger.show(1).file.state == State.VANISHED
    assert archived(office.root) == []


def test_a_file_that_was_replaced_since_it_was_seen_is_seen_again(office):
    office.put("claims.837", claims(1))
    [task] = office.ready()
    office.put("claims.837", claims(2)[:200])
    assert office.clerk.do(task, "me").event == "vanished"
    assert files_in(office.root / "in") == ["claims.837"]


def test_an_owner_who_was_fenced_out_publishes_nothing(office, desk_of, monkeypatch):
    """As if it had slept past its lease while another one took the file."""
    office.put("claims.837", claims(1))
    [task] = office.ready()
    other = Clerk(desk_of(office.places), office.ledger)
    real = job.check_input
    reports = []

    def sleep(*arguments, **named):
        result = real(*arguments, **named)
        monkeypatch.setattr(job, "check_input", real)
        office.now += 100
        reports.append(other.do(1, "other"))
        return result

    monkeypatch.setattr(job, "check_input", sleep)
    assert office.clerk.do(task, "me").event == "lost"
    assert [report.event for report in reports] == ["answered"]
    details = office.ledger.show(1)
    for output in details.outputs:
        assert hashlib.sha256((office.root / "out" / output.name).read_bytes()).hexdigest() == output.sha256
    assert tidy(office.places, office.ledger) == []
    assert not files_in(office.root / "archive" / ".stage")


def test_a_process_that_dies_at_one_file_every_time_does_not_go_round_and_round(office):
    office.put("claims.837", claims(1))
    [task] = office.ready()
    office.ledger.begin(task.partner, task.name, task.size, task.mtime_ns, "dead", 60)
    for _ in range(job.MOST_TRIES - 1):
        assert office.ledger.give_up("dead", "it ended", 10, job.MOST_TRIES) == []
        assert office.ledger.list_waiting(10) == []
        office.now += 11
        assert office.ledger.take("dead", 60, 1) is not None
    [failed] = office.ledger.give_up("dead", "it ended", 10, job.MOST_TRIES)
    assert failed.state == State.FAILED


def test_a_restored_ledger_takes_in_again_what_it_does_not_know(office, desk_of):
    office.put("claims.837", claims(1), "clinic")
    [task] = office.ready()
    mine = office.ledger.begin(task.partner, task.name, task.size, task.mtime_ns, "me", 60)
    office.clerk._move_in(mine)
    assert not files_in(office.root / "in")
    office.ledger.close()
    for path in office.root.glob("ledger.db*"):
        path.unlink()
    with open_ledger(str(office.root / "ledger.db"), lambda: office.now) as fresh:
        assert tidy(office.places, fresh) == []
    assert files_in(office.root / "in") == ["clinic/claims.837"]


# -- a ledger and its archive


def begin_again(office, *, ledger="ledger.db", archive="archive"):
    """A start with another ledger or archive: what it says, "" where it begins."""
    places = Places(office.root / "in", office.root / "out", office.root / archive)
    places.prepare()
    with open_ledger(str(office.root / ledger), lambda: office.now) as found:
        try:
            belong_together(places, found)
        except StateError as error:
            return str(error)
    return ""


def test_a_ledger_and_an_archive_belong_together(office):
    belong_together(office.places, office.ledger)
    office.put("claims.837", claims(1))
    office.work()
    assert begin_again(office) == ""
    assert "not the archive of this ledger" in begin_again(office, archive="elsewhere")
    assert "files of another ledger" in begin_again(office, ledger="new.db")
    assert begin_again(office, ledger="new.db", archive="new") == ""
    assert "not the archive of this ledger" in begin_again(office, archive="new")
    office.places.archive.rename(office.root / "moved")
    assert begin_again(office, archive="moved") == ""


def test_a_ledger_has_one_watcher(tmp_path):
    (tmp_path / "in").mkdir()
    with (tmp_path / "ledger.db.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, said = run(tmp_path)
    assert (code, said) == (2, "edi-checker: archive: another watcher is at work with this ledger\n")
    assert run(tmp_path)[0] == 0


def test_an_answer_that_cannot_be_published_is_said(office, monkeypatch):
    office.put("claims.837", claims(1))

    def fail(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(job, "put_out", fail)
        [report] = office.work()
    assert (report.event, report.reason) == ("again", "Operation not permitted")
    [stuck] = office.ledger.list_files(stuck=True)
    assert (stuck.state, stuck.reason) == (State.ANSWERED, "Operation not permitted")
    counts = office.ledger.counts()
    assert counts.unpublished == stuck.answered_at
    office.now += 3600
    assert [report.event for report in office.work()] == ["answered"]
    assert office.ledger.list_files(stuck=True) == []
    assert (office.ledger.counts().unpublished, office.ledger.show(1).file.reason) == (None, None)


def test_those_of_before_come_to_know_each_other(office):
    office.put("claims.837", claims(1))
    office.work()  # before there were marks
    assert begin_again(office) == ""
    assert office.ledger.archive() == office.places.mark() != ""


@pytest.mark.parametrize("ending", ["", ".minutes.csv"])
def test_no_input_goes_where_the_archive_has_another_of_its_name(office, ending):
    """A ledger that was restored from a backup gives an id again."""
    for number in (1, 2):
        office.put("claims.837", claims(number), "clinic")
        if ending:
            office.put(f"claims{ending}", f"claim,line,minutes\nC{number},1,15\n", "clinic")
        [report] = office.work()
        assert (report.event, report.file_id) == ("answered", 1)
        mine = office.ledger.show(1).file
        if number == 1:
            office.ledger.close()
            for path in office.root.glob("ledger.db*"):
                path.unlink()
            office.ledger = open_ledger(str(office.root / "ledger.db"), lambda: office.now)
            office.clerk = Clerk(office.clerk._desk, office.ledger)
    texts = {path.read_text() for path in office.places.archive.rglob("*claims.837")}
    assert texts == {claims(1), claims(2)}
    if ending:
        assert len(list(office.places.archive.rglob(f"*claims{ending}"))) == 2
    found = office.places.find_archived(1, "clinic", "claims.837", mine.sha256)
    assert found.read_text() == claims(2)


@pytest.mark.parametrize("there", [True, False])
def test_what_a_restored_ledger_does_not_know_goes_back_to_a_partner_with_a_long_name(office, there):
    partner = os.fsdecode("ä".encode() * 100 + b"\n")
    office.put("claims.837", claims(1), partner)
    [task] = office.ready()
    work = office.places.work(1, task.partner)
    work.mkdir()
    (office.root / "in" / partner / "claims.837").rename(work / "claims.837")
    if not there:
        (office.root / "in" / partner).rmdir()
    said = tidy(office.places, office.ledger)
    if there:
        assert (said, files_in(office.root / "in")) == ([], [f"{partner}/claims.837"])
    else:
        assert "the inbox has no folder of its partner" in said[0]
        assert (work / "claims.837").is_file()


# -- claims of earlier files


@pytest.fixture
def remembering(tmp_path, desk_of):
    """An office that holds claims against those of earlier files."""
    found = Office(tmp_path, desk_of)
    secret = Secret.create(tmp_path / "history.key")
    found.ledger.adopt_secret(secret)
    found.clerk = Clerk(replace(desk_of(found.places), secret=secret), found.ledger)
    with found.ledger:
        yield found


def rules_in(path):
    report = json.loads(path.read_text())
    return {finding["rule"] for each in report["files"] for finding in each["findings"]}


def once_more(number, text=CLEAN):
    """The same services, on claims of other numbers."""
    return claims(number, re.sub(r"CLM\*([^*]+)\*", r"CLM*\1X*", text))


def test_what_an_earlier_file_billed_is_known(remembering):
    remembering.put("first.837", claims(1), "north")
    remembering.put("second.837", once_more(2), "south")
    assert [report.event for report in remembering.work()] == ["answered", "answered"]
    out = remembering.root / "out"
    assert not any(rule.startswith("history.") for rule in rules_in(out / "north" / "first.json"))
    assert "history.claim" in rules_in(out / "south" / "second.json")
    assert remembering.ledger.show(2).file.history == 2


def test_a_replay_asks_what_came_before_the_file(remembering, tmp_path):
    remembering.put("first.837", claims(1), "north")
    remembering.put("second.837", once_more(2), "south")
    remembering.work()

    def replay(*words, code=0):
        places = ("--state", tmp_path / "ledger.db", "--archive", tmp_path / "archive")
        done = command_line("ledger", "replay", 2, *places, *words)
        assert done.exit_code == code, done.output
        return done.output

    key = tmp_path / "history.key"
    assert "0 added, 0 gone, 0 changed" in replay("--history-key", key)
    assert json.loads(replay("--history-key", key, "--json"))["history"] is True
    without = replay("--json")
    assert json.loads(without)["history"] is False
    assert json.loads(without)["reports"][0]["gone"] == []
    assert "History      not asked" in replay()
    other = tmp_path / "other.key"
    Secret.create(other)
    assert "other.key: not the secret key" in replay("--history-key", other, code=2)


def test_a_replay_makes_no_history(office, tmp_path):
    office.put("first.837", claims(1))
    office.work()
    key = tmp_path / "history.key"
    Secret.create(key)
    places = ("--state", tmp_path / "ledger.db", "--archive", tmp_path / "archive")
    done = command_line("ledger", "replay", 1, *places, "--history-key", key)
    assert (done.exit_code, "the ledger has no history" in done.output) == (2, True)
    assert office.ledger.fingerprint() is None


def test_without_a_key_no_earlier_file_is_known(office):
    office.put("first.837", claims(1))
    office.put("second.837", once_more(2))
    office.work()
    assert not any(rule.startswith("history.") for rule in rules_in(office.root / "out" / "second.json"))
    assert office.ledger.show(2).file.history is None


def test_a_file_that_is_overtaken_is_checked_again(remembering, monkeypatch):
    remembering.put("first.837", claims(1))
    remembering.put("second.837", once_more(2))
    first, second = remembering.ready()
    other = Clerk(remembering.clerk._desk, remembering.ledger)
    real = job.check_input
    between = [lambda: other.do(second, "other")]

    def overtaken(*arguments, **named):
        result = real(*arguments, **named)
        if between:
            between.pop()()
        return result

    monkeypatch.setattr(job, "check_input", overtaken)
    assert remembering.clerk.do(first, "me").event == "answered"
    out = remembering.root / "out"
    assert not any(rule.startswith("history.") for rule in rules_in(out / "second.json"))
    assert "history.claim" in rules_in(out / "first.json")


@pytest.mark.parametrize("partner", ["north", "south"])
def test_a_claim_is_rejected_when_what_came_before_it_is_answered(remembering, monkeypatch, partner):
    """Its primary is in a file of the same partner, which another worker has in hand."""
    lines = [(["97129:GN x1"], "north"), (["97130:GN x1"], partner)]
    for number, (line, whose) in enumerate(lines, 1):
        claim = {"payer": "medicare", "taxonomy": "235Z00000X", "set": {"CLM01": f"C{number}"}}
        text = write_example({"lines": line, "claim": claim}).text
        remembering.put(f"{number}.837", text.replace("000000001", f"{number:09}"), whose)
    first, second = remembering.ready()
    other = Clerk(remembering.clerk._desk, remembering.ledger)
    begun = other._take(first, "other")
    waited = []

    def answer_first(_seconds):
        waited.append(other._bring_to_end(begun).event)

    monkeypatch.setattr(job.time, "sleep", answer_first)
    assert remembering.clerk.do(second, "me").event == "answered"
    assert waited == (["answered"] if partner == "north" else [])
    rules = rules_in(remembering.root / "out" / partner / "2.json")
    assert ("ncci.addon" in rules) == (partner == "south")


def test_members_of_an_archive_meet_each_other(remembering):
    """As if they had come one after the other; the file itself is not held against itself."""
    with zipfile.ZipFile(remembering.root / "batch.zip", "w") as packed:
        packed.writestr("a.837", claims(1))
        packed.writestr("b.837", once_more(2))
    remembering.put("batch.zip", (remembering.root / "batch.zip").read_bytes())
    assert [report.event for report in remembering.work()] == ["answered"]
    found = {path.name: rules_in(path) for path in (remembering.root / "out").rglob("*.json")}
    assert ["history.claim" in rules for _, rules in sorted(found.items())] == [False, True], found


def test_a_history_that_cannot_be_read_fails_no_file(remembering, monkeypatch):
    remembering.put("first.837", claims(1))
    real = remembering.ledger.find_history
    monkeypatch.setattr(remembering.ledger, "find_history", lambda *_: 1 // 0)
    [report] = remembering.work()
    assert (report.event, report.reason) == ("again", "the history is damaged (ZeroDivisionError)")
    monkeypatch.setattr(remembering.ledger, "find_history", real)
    remembering.now += 3600
    assert [report.event for report in remembering.work()] == ["answered"]


def test_a_ledger_that_is_deleted_takes_no_answer(office):
    office.put("claims.837", claims(1))
    [task] = office.ready()
    office.clerk.do(task, "me")
    (office.root / "ledger.db").unlink()
    office.put("more.837", claims(2))
    [task] = office.ready()
    report = office.clerk.do(task, "me")
    assert (report.event, "deleted or replaced" in report.reason) == ("trouble", True)
    assert not list((office.root / "out").glob("more.*"))


@pytest.mark.long
def test_a_watcher_ends_when_its_ledger_is_deleted(tmp_path):
    process = run(tmp_path, once=False)
    wait_for((tmp_path / "archive" / ".ledger").exists)
    (tmp_path / "ledger.db").unlink()
    _, log = process.communicate(timeout=60)
    assert (process.returncode, "the ledger was deleted or replaced" in log) == (2, True)
    assert not (tmp_path / "ledger.db").exists()


def test_work_that_another_owner_has_taken_over_is_said(office, monkeypatch):
    office.put("claims.837", claims(1))
    real = job.check_input

    def slow(*arguments, **named):
        office.now += 3600
        office.ledger.take("other", 60, 1)
        return real(*arguments, **named)

    monkeypatch.setattr(job, "check_input", slow)
    [report] = office.work()
    assert (report.event, report.file_id, report.name) == ("lost", 1, "claims.837")
    assert "somebody else has the file now" in report.reason


# -- the command


def run(root, *options, once=True, env=None, **popen):
    (root / "in").mkdir(exist_ok=True)
    words = [sys.executable, "-m", "edi_checker", "watch", "in", "--out-dir", "out", "--archive", "archive"]
    words += ["--state", "ledger.db", "--settle", "0s", "--every", "0.1s", "--workers", "1", *options]
    process = subprocess.Popen(
        words + (["--once"] if once else []),
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (env or {}),
        stdout=subprocess.PIPE,
        text=True,
        **{"stderr": subprocess.PIPE} | popen,
    )
    if not once:
        return process
    said, log = process.communicate(timeout=120)
    assert said == ""
    return process.returncode, log


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def log_of(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.long
def test_once_answers_all_and_says_what_failed(tmp_path):
    (tmp_path / "in" / "clinic").mkdir(parents=True)
    (tmp_path / "in" / "clinic" / "HAZEL TOM.837").write_text(claims(1, FAULTY))
    (tmp_path / "in" / "letter.txt").write_text("HAZEL")
    options = ("--log-format", "json", "--hide-names", "--status-file", "status.json", "--metrics", "m.prom")
    code, log = run(tmp_path, *options)
    assert code == 2
    assert Counter(each["event"] for each in log_of(log)) == Counter(
        ["watching", "answered", "failed", "stopped"]
    )
    # No name of a file or a person is in any of these.
    shown = log + (tmp_path / "status.json").read_text() + (tmp_path / "m.prom").read_text()
    assert "HAZEL" not in shown
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["events"] == {"answered": 1, "failed": 1}
    assert status["ledger"]["failed_and_not_settled"] == 1
    assert 'edi_checker_files_total{event="failed"} 1\n' in (tmp_path / "m.prom").read_text()
    # The ledger holds names of files, and nothing that stands in them.
    ledger = b"".join(path.read_bytes() for path in tmp_path.glob("ledger.db*"))
    for word in (b"1AA0AA0AA01", b"ASPEN", b"19600229"):
        assert word not in ledger
    code, log = run(tmp_path)
    assert code == 0


@pytest.mark.long
def test_once_says_what_could_not_be_taken(tmp_path):
    file = tmp_path / "in" / "a.837"
    file.parent.mkdir()
    (tmp_path / "in" / "b.837.done").touch()
    assert run(tmp_path)[0] == 0
    file.write_text(claims(1))
    with file.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, log = run(tmp_path)
        assert (code, "another program has locked it" in log) == (2, True)
    assert run(tmp_path)[0] == 0
    assert (tmp_path / "out" / "a.json").is_file()


@pytest.mark.long
def test_a_log_that_cannot_be_written_ends_no_watcher(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.837").write_text(claims(1))
    with Path("/dev/full").open("w") as full:
        assert run(tmp_path, stderr=full) == (0, None)
    assert (tmp_path / "out" / "a.json").is_file()
    process = run(tmp_path, once=False)
    process.stderr.readline()
    process.stderr.close()
    for name in ("b", "c"):
        (tmp_path / "in" / f"{name}.837").write_text(claims(ord(name)))
        wait_for((tmp_path / "out" / f"{name}.json").exists)
    process.terminate()
    process.stdout.close()
    assert process.wait(60) == 0


class Disk(io.BytesIO):
    """It takes as many bytes as there is room."""

    room = 0

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "no room")
        count = super().write(data[: self.room])
        self.room -= count
        return count


def test_a_log_is_written_again_when_there_is_room(monkeypatch):
    disk = Disk()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(disk))
    log = Log("json", hide_names=False)
    for room, event in ((1000, "first"), (0, "second"), (10, "third"), (1000, "fourth"), (1000, "fifth")):
        disk.room = room
        log.say(event, name="ä\udcff.837")
    first, part, fourth, fifth = disk.getvalue().splitlines()
    assert len(part) == 10
    said = [json.loads(line) for line in (first, fourth, fifth)]
    assert [each["event"] for each in said] == ["first", "fourth", "fifth"]
    assert [each.get("lines_lost") for each in said] == [None, 2, None]


@pytest.mark.long
def test_a_watcher_ends_after_the_files_in_hand(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(1, 40):
        (tmp_path / "in" / f"{number}.837").write_text(claims(number))
    process = run(tmp_path, once=False)
    wait_for(lambda: list((tmp_path / "out").glob("*.json")))
    # What forks has one thread.
    assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 1
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    left, answered = len(files_in(tmp_path / "in")), len(list((tmp_path / "out").glob("*.json")))
    assert left + answered == 39
    assert left > 0
    assert not files_in(tmp_path / "archive" / ".work")


def test_a_file_that_waited_in_the_inbox_does_not_vanish_when_it_is_answered(office):
    plan = SimpleNamespace(keep=1.0, settle=0.0, once=False, version="0", lock=None)
    watcher = loop._Watcher(plan, Log("json", hide_names=False), office.ledger, loop._Asked(), [])
    other, new = Arrival("", "a.837", 1, 1), Arrival("clinic", "b.837", 1, 1)
    watcher._queue.extend([2, Arrival("clinic", "a.837", 1, 1), other, new])
    watcher._take(Done(loop._Task(1, "me"), Report("answered", 1, "clinic", "a.837")))
    assert list(watcher._queue) == [2, other, new]


@pytest.mark.long
def test_a_watcher_reads_its_setting_again_when_it_is_told(tmp_path):
    partners = tmp_path / "partners.yaml"
    partners.write_text("clinic:\n  page: true\n")
    (tmp_path / "in" / "clinic").mkdir(parents=True)
    process = run(tmp_path, "--partners", "partners.yaml", "--log-format", "json", once=False)
    lines = iter(process.stderr.readline, "")
    first = json.loads(next(lines))
    assert first["event"] == "watching"
    partners.write_text("clinic: [\n")
    process.send_signal(signal.SIGHUP)
    said = [json.loads(next(lines)) for _ in range(2)]
    assert [each["event"] for each in said] == ["not read again", "watching"]
    assert "partners.yaml" in said[0]["reason"]
    assert said[1]["settings"] == first["settings"]
    partners.write_text("default:\n  ignore: [therapy, modifier]\n")
    process.send_signal(signal.SIGHUP)
    second = json.loads(next(lines))
    assert second["settings"] != first["settings"]
    (tmp_path / "in" / "a.837").write_text(claims(1, FAULTY))
    assert json.loads(next(lines))["outcome"] == "accepted"
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.long
def test_a_time_to_keep_below_a_day_is_refused(tmp_path):
    code, log = run(tmp_path, "--keep", "0s")
    assert (code, "--keep is a day at least, such as 400d." in log) == (2, True)
    assert not (tmp_path / "ledger.db").exists()


@pytest.mark.long
def test_a_second_watcher_with_a_ledger_for_one_is_refused(tmp_path):
    process = run(tmp_path, once=False)
    wait_for(lambda: (tmp_path / "ledger.db").exists() and (tmp_path / "archive" / ".stage").exists())
    time.sleep(1)
    code, said = run(tmp_path)
    assert (code, said) == (2, "edi-checker: archive: another watcher is at work with this archive\n")
    process.terminate()
    process.communicate(timeout=60)


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--state", "postgresql://nobody@127.0.0.1:9/none"), "127.0.0.1"),
        (("--state", "mysql://x"), "SQLite or PostgreSQL"),
        (("--archive", "in/archive"), "must not lie in"),
        (("--state", "in/ledger.db"), "in/ledger.db: the ledger must not lie in the inbox"),
        (("--state", "sqlite:///out/ledger.db"), "the ledger must not lie in the folder of answers"),
        (("--state", "state/../archive/state/ledger.db"), "the ledger must not lie in the archive"),
        (("--state", "link.db"), "the ledger must not lie in the inbox"),
        (("--history-key", "in/clinic/key"), "the history key must not lie in the inbox"),
        (("--partners", "partners.yaml"), "partners.yaml:1"),
        (("--settle", "soon"), "no time such as"),
        (("--tables", "none"), "none: no tables are imported there"),
    ],
)
def test_what_cannot_begin_is_refused_in_a_line(tmp_path, options, said):
    (tmp_path / "partners.yaml").write_text("clinic: x\n")
    (tmp_path / "link.db").symlink_to("in/ledger.db")
    code, log = run(tmp_path, *options)
    assert code == 2
    assert not files_in(tmp_path / "in")
    assert said in log
    assert "Traceback" not in log


@pytest.mark.long
def test_a_process_that_is_killed_costs_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(1, 25):
        (tmp_path / "in" / f"{number}.837").write_text(claims(number))
    process = run(tmp_path, once=False)
    for _ in range(3):
        time.sleep(1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
    wait_for(lambda: len(list((tmp_path / "out").glob("*.json"))) == 24, 120)
    process.terminate()
    process.communicate(timeout=60)
    assert len(files_in(tmp_path / "out")) == 72
    assert not files_in(tmp_path / "archive" / ".work")


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_a_disk_that_is_full_at_any_step_costs_no_answer(tmp_path, library, part):
    """Each call that writes fails once, with all behind it; then there is room again."""
    counter = tmp_path / "counter"

    def go(root, number):
        root.mkdir()
        (root / "in").mkdir()
        (root / "in" / "a.837").write_text(claims(1))
        (root / "in" / "b.837").write_text("hello")
        counter.write_bytes(struct.pack("q", 0))
        env = {
            "LD_PRELOAD": str(library),
            "FAIL_UNDER": f"{root / 'out'}:{root / 'archive'}",
            "FAIL_COUNTER": str(counter),
            "FAIL_AT": str(number),
            "FAIL_ON": "1",
        }
        return run(root, env=env)

    go(tmp_path / "whole", 0)
    calls = struct.unpack("q", counter.read_bytes())[0]
    assert calls > 20
    for number in range(1 + part, calls + 1, 12 if not os.environ.get("EDI_CHECKER_ALL_DAMAGE") else 4):
        root = tmp_path / f"{number}"
        code, log = go(root, number)
        assert "Traceback" not in log
        # What waits for its next try is due at once.
        with open_ledger(str(root / "ledger.db"), lambda: time.time() + 3600) as ledger:
            for file_id in ledger.list_waiting(10):
                ledger.take("test", -1, file_id)
        code, log = run(root)
        assert code in (0, 2), log
        assert files_in(root / "out") == ["a.277ca", "a.999", "a.json"], (number, log)
        kept = Counter(re.sub(r"/\d+-", "/", name) for name in archived(root))
        assert kept == {
            "accepted/a.837": 1,
            "accepted/a.277ca": 1,
            "accepted/a.999": 1,
            "accepted/a.json": 1,
            "failed/b.837": 1,
            "failed/b.837.reason.txt": 1,
        }, (number, log)
        shutil.rmtree(root)


def busiest(process):
    """The child of a watcher that has used most of the processor's time."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    def ticks(child):
        return int(Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[11])

    return int(max(children, key=ticks))


@pytest.mark.long
def test_a_process_that_sleeps_past_its_lease_answers_nothing(tmp_path):
    (tmp_path / "in").mkdir()
    process = run(tmp_path, "--workers", "2", "--lease", "1s", "--log-format", "json", once=False)
    (tmp_path / "in" / ".large").write_text("".join(generate(4000, seed=5)))
    (tmp_path / "in" / ".large").rename(tmp_path / "in" / "large.837")
    wait_for(
        lambda: (
            list((tmp_path / "archive" / ".stage").glob("1.1"))
            if (tmp_path / "archive" / ".stage").is_dir()
            else False
        )
    )
    sleeper = busiest(process)
    os.kill(sleeper, signal.SIGSTOP)
    wait_for((tmp_path / "out" / "large.json").exists, 120)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    os.kill(sleeper, signal.SIGCONT)
    (tmp_path / "in" / "next.837").write_text(claims(7))
    wait_for((tmp_path / "out" / "next.json").exists, 120)
    time.sleep(3)
    process.terminate()
    _, log = process.communicate(timeout=120)
    assert {path: path.read_bytes() for path in before} == before
    assert [each["event"] for each in log_of(log) if each.get("id") == 1] == ["answered", "lost"]
    with open_ledger(str(tmp_path / "ledger.db"), time.time) as ledger:
        assert ledger.show(1).file.token > 1


@pytest.mark.long
def test_a_watcher_that_was_killed_alone_keeps_no_other_out(tmp_path):
    """Its processes go on with what they have in hand, and are fenced out."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large.837").write_text("".join(generate(3000, seed=6)))
    process = run(tmp_path, once=False)
    wait_for(lambda: list(tmp_path.glob("archive/.stage/1.1")))
    process.kill()
    code, log = run(tmp_path)
    process.communicate(timeout=120)
    assert code == 0, log
    with open_ledger(str(tmp_path / "ledger.db"), time.time) as ledger:
        details = ledger.show(1)
    assert details.file.state == State.DONE
    assert files_in(tmp_path / "out") == ["large.277ca", "large.999", "large.json"]
    for output in details.outputs:
        assert hashlib.sha256((tmp_path / "out" / output.name).read_bytes()).hexdigest() == output.sha256
