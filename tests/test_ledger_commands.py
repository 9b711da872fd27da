"""The command `ledger`: looks at files, acts on them by hand, sends answers and checks inputs again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from drop_folder import HOUR, SAMPLE, archive, digest, fill, key, repeat, run, say
from edi_checker.state import Draw, State, StateError, open_ledger
from edi_checker.watch.places import archive_name

DAY = 24 * HOUR


@pytest.fixture
def clock(office):
    return office


@pytest.fixture
def ledger(ledger_url, clock):
    with open_ledger(ledger_url, clock) as opened:
        yield opened


@pytest.fixture
def command(ledger, ledger_url):
    def call(*words, code=0, form=None):
        done = run("ledger", *words, "--state", ledger_url, *(["--json"] if form == "json" else ()))
        assert "Traceback" not in done.output
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if form == "json" else done.stdout + done.stderr

    return call


# -- looking


def test_files_are_listed_by_what_is_asked(ledger, command, clock, golden):
    fill(ledger, clock)
    golden("ledger-list.txt", command("list"))

    def ids(*options):
        return [each["id"] for each in command("list", *options, form="json")["files"]]

    assert ids() == [7, 6, 5, 4, 3, 2, 1]
    assert ids("--state-of", "failed,seen") == [7, 3]
    assert ids("--partner", "acme", "--name", "*day*.837") == [7, 2, 1]
    assert ids("--stuck") == [4, 3, 2]
    assert ids("--since", "2026-11-26") == [7, 6, 5, 4]
    assert ids("--since", "2026-11-27") == []
    assert "no such file" in command("list", "--since", "2026-11-27")
    cut = command("list", "--limit", 2, form="json")
    assert ([each["id"] for each in cut["files"]], cut["more"]) == ([7, 6], True)
    assert "there are more" in command("list", "--limit", 2)
    assert "'gone' is none of seen, claimed" in command("list", "--state-of", "gone", code=2)
    for options in ((), ("--json",)):
        assert ".837" not in command("list", "--hide-names", *options)


def test_a_file_is_shown_with_all_that_is_known_of_it(ledger, command, clock, golden):
    fill(ledger, clock)
    golden("ledger-show.txt", command("show", 1))
    shown = command("show", 1, form="json")
    assert (shown["schema"], shown["state"], shown["duplicates"]) == (
        "edi-checker/ledger-file/1",
        "done",
        [2],
    )
    assert (shown["answered_at"], shown["record"]) == (
        "2026-11-25T18:00:04Z",
        {"kind": "rejected", "token": 1, "claims": 12, "rejected": 1, "findings": 3},
    )
    assert [each["name"] for each in shown["outputs"]] == ["monday.json", "monday.999", "monday.277ca"]
    assert [(each["kind"], each["number"]) for each in shown["numbers"]] == [
        ("GS", 1),
        ("ISA", 1),
        ("TA1", 1),
    ]
    assert shown["interchanges"][0]["groups"][0]["accepted"] == 2
    for options in ((), ("--json",)):
        said = command("show", 1, "--hide-names", *options)
        assert "monday" not in said
        assert shown["outputs"][0]["sha256"] in said
    assert "lease until" in command("show", 4)
    assert "a text without X12" in command("show", 3)
    assert "duplicate of 1 (other content, the same control number)" in command("show", 2)
    assert command("show", 99, code=2) == "edi-checker: there is no file 99\n"
    assert "'x' is not a valid integer" in command("show", "x", code=2)


def test_all_files_are_exported_line_by_line(ledger, command, clock, tmp_path):
    fill(ledger, clock)
    lines = [json.loads(line) for line in command("export").splitlines()]
    assert [each["id"] for each in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert lines[0] == {
        name: value
        for name, value in command("show", 1, form="json").items()
        if name not in ("schema", "duplicates")
    }
    assert command("export", "--output", tmp_path / "all.ndjson") == ""
    assert (tmp_path / "all.ndjson").read_text() == command("export")
    assert (tmp_path / "all.ndjson").stat().st_mode & 0o777 == 0o600
    assert ".837" not in command("export", "--hide-names")


# -- by hand


def test_a_file_is_settled_with_a_reason_and_a_name(ledger, command, clock):
    fill(ledger, clock)
    assert command("settle", 3, "--as", "failed", "--reason", "told by phone") == "file 3 is failed\n"
    assert "by hand: jo" in command("show", 3)
    said = command("settle", 2, "--as", "done", "--reason", "corrected", form="json")
    assert (said["state"], said["reason"], said["settled_by"]) == ("done", "corrected", "jo")
    assert "file 1 is done already" in command("settle", 1, "--as", "failed", "--reason", "no", code=2)
    assert "--reason needs words" in command("settle", 4, "--as", "failed", "--reason", " ", code=2)
    assert "there is no file 99" in command("settle", 99, "--as", "done", "--reason", "no", code=2)
    again = ledger.begin("acme", "again.837", 1, 0, "me", 60)
    repeat(ledger, again, ledger.find_duplicate(again, "f" * 64, [key(1)], DAY), "f" * 64)
    said = command("settle", again.id, "--as", "failed", "--reason", "no", code=2)
    assert said.endswith("is a duplicate; settle it as done\n"), "replay would refuse it"
    # Who works on it is stopped.
    command("settle", 6, "--as", "failed", "--reason", "too large")
    assert ledger.take("edi1", 60, 6) is None


def test_a_file_waits_again(ledger, command, clock):
    fill(ledger, clock)
    said = command("reopen", 3, "--reason", "sent whole")
    assert said == "file 3 waits again\n"
    said = command("reopen", 2, "--reason", "it has an answer", code=2)
    assert said.endswith("file 2 is duplicate and cannot wait again\n"), "replay would refuse it"
    assert "cannot wait again; replay" in command("reopen", 1, "--reason", "it has an answer", code=2)
    bad = ledger.fail(ledger.begin("", "bad.837", 1, 0, "me", 60), "no X12")
    assert command("reopen", bad.id, "--reason", "x", "--hide-names", form="json")["name"] is None
    gone = ledger.vanish(ledger.begin("", "gone.837", 1, 0, "me", 60))
    assert command("reopen", gone.id, "--reason", "x").endswith("it must lie in the inbox as gone.837\n")
    assert "cannot wait again" in command("reopen", 1, "--reason", "no", code=2)
    assert ledger.take("edi1", 60, 3).id == 3


# -- the whole ledger


def test_numbers_are_listed_and_skipped(ledger, command, clock):
    fill(ledger, clock)
    rows = [line.split() for line in command("numbers").splitlines()]
    assert rows == [
        ["sender", "receiver", "kind", "last"],
        *(["ZZ*PAYER", "ZZ*ACME", kind, "1"] for kind in ("GS", "ISA", "TA1")),
    ]
    assert command("numbers", "skip", 1000) == "3 counters and the ids of files moved on by 1,000\n"
    assert command("numbers", "list", form="json")["numbers"][0]["last"] == 1001
    mine = ledger.begin("new", "x", 1, 0, "me", 60)
    assert mine.id == 1008
    assert ledger.draw_numbers(
        mine, [Draw("ZZ*PAYER", "ZZ*ACME", "ISA", 0), Draw("ZZ*PAYER", "ZZ*NEW", "ISA", 0)]
    ) == [
        1002,
        1001,
    ]
    for words in (("skip",), ("list", 5), ("skip", 0)):
        command("numbers", *words, code=2)
    for by in (999_999_999, 10**30):
        assert "1<=x<=999999998" in command("numbers", "skip", by, code=2)
    assert command("numbers", "list", form="json")["numbers"][1]["last"] == 1002
    with pytest.raises(StateError, match="by 1 to 999,999,998 at once"):
        ledger.skip_numbers(999_999_999)


@pytest.mark.parametrize(
    "words",
    [
        ("show", 10**30),
        ("settle", 10**30, "--as", "done", "--reason", "no"),
        ("list", "--limit", 2**63 - 1),
        ("list", "--since", "0001-01-01"),
    ],
)
def test_numbers_and_days_beyond_measure_are_refused(command, words):
    said = command(*words, code=2)
    assert "internal error" not in said
    assert "is not in the range" in said or "too far away" in said


def test_a_name_that_the_terminal_cannot_show_ends_no_command(tmp_path):
    url = str(tmp_path / "ledger.db")
    with open_ledger(url, time.time) as ledger:
        ledger.fail(ledger.begin("acme", "\N{SLIGHTLY SMILING FACE}.837", 1, 0, "me", 60), "no X12")
    for words, code in ((("status",), 1), (("ledger", "list"), 0), (("ledger", "show", "1"), 0)):
        done = subprocess.run(
            [sys.executable, "-m", "edi_checker", *words, "--state", url],
            env=os.environ | {"PYTHONIOENCODING": "latin-1"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (code, b"")
        assert b"acme/?.837" in done.stdout


def test_a_backup_is_checked_and_listed_as_the_ledger(ledger, command, ledger_url, clock, tmp_path):
    fill(ledger, clock)
    if ledger_url.startswith("postgresql"):
        assert "pg_dump" in command("backup", tmp_path / "copy.db", code=2)
        return
    assert command("backup", tmp_path / "copy.db").startswith(f"{tmp_path}/copy.db: ")
    assert "is there already" in command("backup", tmp_path / "copy.db", code=2)
    assert command("backup", tmp_path / "two.db", form="json")["size"] == (tmp_path / "two.db").stat().st_size
    assert run("ledger", "list", "--state", tmp_path / "copy.db").stdout == command("list")


def test_a_ledger_is_whole_or_damaged(ledger, command, ledger_url, clock, tmp_path):
    fill(ledger, clock)
    assert command("check") == "the ledger is whole: 7 files\n"
    assert command("check", form="json")["whole"] is True
    assert "7 files" in command("upgrade")
    if ledger_url.startswith("postgresql"):
        return
    command("backup", tmp_path / "copy.db")
    with (tmp_path / "copy.db").open("r+b") as file:
        file.seek(-8192, os.SEEK_END)
        file.write(b"x" * 8192)
    done = run("ledger", "check", "--state", tmp_path / "copy.db")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)


def test_an_older_ledger_is_upgraded_when_that_is_said(command, monkeypatch):
    asked = []

    def refuse(_store, *, make, upgrade):
        asked.append((make, upgrade))

    monkeypatch.setattr("edi_checker.state.store._bring_up", refuse)
    command("list"), command("check"), command("numbers"), command("upgrade")
    assert asked == [(False, False), (False, False), (False, False), (False, True)]


def test_what_is_old_is_purged_after_a_question(ledger, command, ledger_url, clock, monkeypatch):
    fill(ledger, clock)
    clock.now += 500 * DAY
    ledger.finish(ledger.answer(ledger.begin("acme", "new.837", 1, 0, "me", 60), say(3, "new.837")))
    assert "--yes is needed" in command("purge", "--older-than", "400d", code=2)
    monkeypatch.setattr("edi_checker.cli.ledger._is_asked", lambda: True)
    words = ("ledger", "purge", "--older-than", "400d", "--state", ledger_url)
    monkeypatch.setattr("click.confirm", lambda question, **_: asked.append(question))
    asked = []
    done = run(*words)
    assert (done.exit_code, done.stderr) == (2, "edi-checker: nothing is deleted\n")
    assert asked == ["Delete 3 files that were finished 400 days ago or longer?"]
    assert command("purge", "--older-than", "400d", "--yes") == "3 files deleted from the ledger\n"
    assert command("purge", "--older-than", "400d", "--yes", form="json")["purged"] == 0
    assert [file.state for file in ledger.list_files()] == [
        State.DONE,
        State.SEEN,
        State.CLAIMED,
        State.CLAIMED,
        State.FAILED,
    ]
    assert "such as 400d" in command("purge", "--older-than", "400", code=2)


# -- answers again


@pytest.fixture
def sent(ledger, tmp_path):
    """A file that was answered while a rule did not apply, and the folder of the archive where it lies."""
    return archive(ledger, tmp_path, "--ignore", "therapy.discipline")


def resend(command, file, tmp_path, *options, **how):
    places = ("--archive", tmp_path / "archive", "--out-dir", tmp_path / "out")
    return command("resend", file.id, *places, *options, **how)


def test_an_answer_is_sent_again_byte_by_byte(command, sent, tmp_path):
    file, kept = sent
    out = tmp_path / "out" / "acme"
    out.mkdir()
    out.chmod(0o2770)
    names = ["discipline.fail.json", "discipline.fail.999", "discipline.fail.277ca"]
    assert resend(command, file, tmp_path).splitlines() == [str(out / name) for name in names]
    for name in names:
        copy = kept / archive_name(file.id, name)
        assert (out / name).read_bytes() == copy.read_bytes()
        assert not (out / name).samefile(copy), "who changes what was sent must not change the archive"
        assert (out / name).stat().st_mode & 0o777 == 0o640, "as the watcher gives it to the group"
    assert list((tmp_path / "archive" / ".stage").iterdir()) == []


def test_nothing_is_sent_over_a_file_that_lies_there(command, sent, tmp_path):
    file, _ = sent
    out = tmp_path / "out" / "acme"
    out.mkdir()
    (out / "discipline.fail.277ca").write_text("mine")
    assert "--with-id" in resend(command, file, tmp_path, code=2)
    assert [(each.name, each.read_text()) for each in out.iterdir()] == [("discipline.fail.277ca", "mine")]
    said = resend(command, file, tmp_path, "--with-id", form="json")
    assert sorted(each.name for each in out.iterdir()) == sorted(
        ["discipline.fail.277ca", *(path.rpartition("/")[2] for path in said["sent"])]
    )
    assert said["sent"][0].endswith(f"/{file.id}-discipline.fail.json")


def test_a_file_that_comes_between_is_not_written_over_either(command, sent, tmp_path, monkeypatch):
    file, _ = sent
    out, real = tmp_path / "out" / "acme", os.link

    def link(source, target):
        if str(target).endswith(".999"):
            target.write_text("mine")
        real(source, target)

    monkeypatch.setattr("os.link", link)
    assert "a file of this name is there" in resend(command, file, tmp_path, code=2)
    assert [(each.name, each.read_text()) for each in out.iterdir()] == [("discipline.fail.999", "mine")]
    assert list((tmp_path / "archive" / ".stage").iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda copy: copy.write_bytes(copy.read_bytes()[:-1] + b"x"), "another SHA-256"),
        (lambda copy: copy.unlink(), "not in the archive any more"),
    ],
)
def test_a_copy_that_is_gone_or_changed_is_not_sent_nor_any_other(command, sent, tmp_path, damage, said):
    file, kept = sent
    damage(kept / archive_name(file.id, "discipline.fail.277ca"))
    assert said in resend(command, file, tmp_path, code=2)
    assert list((tmp_path / "out").rglob("*.*")) == []


def test_what_has_no_answer_is_not_sent(ledger, command, sent, tmp_path):
    failed = ledger.fail(ledger.begin("acme", "b", 1, 0, "me", 60), "no X12")
    assert "it has no answer" in resend(command, failed, tmp_path, code=2)
    mine = ledger.answer(ledger.begin("acme", "c", 1, 0, "me", 60), say(77, "c"))
    assert "not published yet" in resend(command, mine, tmp_path, code=2)
    assert "is not in the archive" in resend(command, ledger.finish(mine), tmp_path, code=2)


# -- checked again


def replay(command, file, tmp_path, *options, **how):
    return command("replay", file.id, "--archive", tmp_path / "archive", *options, **how)


def test_the_same_setting_gives_the_same_answer(command, sent, tmp_path):
    file, _ = sent
    (said,) = replay(command, file, tmp_path, "--ignore", "therapy.discipline", form="json")["reports"]
    assert (said["differs"], said["added"], said["gone"], said["changed"], said["claims"]) == (
        False,
        [],
        [],
        [],
        [],
    )
    assert said["before"] == said["now"]


def test_another_setting_shows_what_is_other(command, sent, tmp_path, golden):
    file, _ = sent
    golden("ledger-replay.txt", replay(command, file, tmp_path, code=1))
    (said,) = replay(command, file, tmp_path, code=1, form="json")["reports"]
    assert said["name"] == "discipline.fail.json"
    assert [each["rule"] for each in said["added"]] == ["therapy.discipline"]
    assert [(each["before"]["outcome"], each["now"]["outcome"]) for each in said["claims"]] == [
        ("accepted", "rejected")
    ]


def test_the_day_of_receipt_is_that_of_the_answer_or_today(command, sent, tmp_path):
    file, _ = sent

    def received(*options):
        words = ("--ignore", "therapy.discipline", *options)
        return replay(command, file, tmp_path, *words, form="json")["reports"][0]["now"]["received"]

    assert (received(), received("--day", "today")) == ("2026-11-25", time.strftime("%Y-%m-%d"))


def test_what_was_changed_in_the_archive_is_not_checked_again(command, sent, tmp_path):
    file, kept = sent
    source = kept / archive_name(file.id, file.name)
    source.write_bytes(source.read_bytes().replace(b"97530", b"97112"))
    assert "another SHA-256" in replay(command, file, tmp_path, code=2)
    source.unlink()
    assert "is not in the archive" in replay(command, file, tmp_path, code=2)


def test_what_has_no_report_is_not_checked_again(ledger, command, tmp_path):
    failed = ledger.fail(ledger.begin("acme", "b", 1, 0, "me", 60), "no X12")
    (tmp_path / "archive").mkdir()
    assert "has no report" in replay(command, failed, tmp_path, code=2)


def test_what_cannot_be_checked_any_more_gives_2(command, sent, tmp_path):
    file, _ = sent
    said = replay(command, file, tmp_path, "--max-seconds", "0.000001", code=2)
    assert "cannot be checked now: it takes longer" in said


def test_partners_are_checked_as_their_file_says(command, sent, tmp_path):
    file, _ = sent
    (tmp_path / "partners.yaml").write_text("acme:\n  ignore: [therapy.discipline]\n")
    replay(command, file, tmp_path, "--partners", tmp_path / "partners.yaml")
    (tmp_path / "partners.yaml").write_text("beta:\n  ignore: [therapy.discipline]\n")
    replay(command, file, tmp_path, "--partners", tmp_path / "partners.yaml", code=1)
    (tmp_path / "partners.yaml").write_text("beta: 5\n")
    assert "partners.yaml:1" in replay(
        command, file, tmp_path, "--partners", tmp_path / "partners.yaml", code=2
    )


def test_what_is_published_again_waits_for_the_watcher(ledger, command, sent, tmp_path, clock):
    file, kept = sent
    said = replay(command, file, tmp_path, "--publish", "--ignore", "therapy.discipline")
    new = ledger.list_files()[0]
    assert said.endswith(f"file {new.id} waits to be answered\n")
    assert (new.replay_of, new.state) == (file.id, State.SEEN)
    work = tmp_path / "archive" / ".work" / f"{new.id}.acme"
    assert (work / file.name).samefile(kept / archive_name(file.id, file.name))
    assert ledger.take("edi1", 60) is None, "not before its input is where it is taken from"
    clock.now += 31
    mine = ledger.take("edi1", 60)
    assert mine.id == new.id
    assert ledger.find_duplicate(mine, file.sha256, [], DAY) is None
    other = ledger.begin("acme", "x.837", 1, 0, "me", 60)
    assert "is not finished" not in replay(command, file, tmp_path, "--publish", code=1)
    ledger.release(other)


def test_nothing_is_published_beside_a_file_of_the_same_name(ledger, command, sent, tmp_path):
    file, _ = sent
    waiting = ledger.note("acme", file.name, 1, 0)
    said = replay(command, file, tmp_path, "--publish", code=2)
    assert f"file {waiting.id} of the same partner and name is not finished" in said


def test_two_files_of_one_name_are_answered_again_one_after_the_other(ledger, command, sent, tmp_path, clock):
    file, kept = sent
    again = kept / archive_name(file.id + 1, file.name)
    again.write_bytes(
        (kept / archive_name(file.id, file.name)).read_bytes().replace(b"EXAMPLE1", b"EXAMPLE2")
    )
    mine = ledger.begin("acme", file.name, 7, 5, "me", 60)
    assert mine.id == file.id + 1
    outputs = ledger.show(file.id).outputs[:1]
    shutil.copy(kept / archive_name(file.id, outputs[0].name), kept / archive_name(mine.id, outputs[0].name))
    said = say(10, "a", outputs=outputs, sha256=digest(again.read_bytes()))
    second = ledger.finish(ledger.answer(mine, said))
    replay(command, second, tmp_path, "--publish", code=1)
    waiting = ledger.list_files()[0]
    assert waiting.replay_of == second.id
    refused = replay(command, file, tmp_path, "--publish", code=2)
    assert f"file {waiting.id} of the same partner and name is not finished" in refused
    assert ledger.list_files()[0] == waiting, "nothing of it is changed"


@pytest.mark.long
def test_with_a_watcher_from_its_answer_to_the_next_one(tmp_path, monkeypatch):
    monkeypatch.setattr("edi_checker.cli.replay._WAIT", 0.0)
    inbox, out, kept = (tmp_path / name for name in ("in", "out", "archive"))
    (inbox / "acme").mkdir(parents=True)
    shutil.copy(SAMPLE / "discipline.fail.837", inbox / "acme" / "a.837")
    shutil.copy(SAMPLE / "eight-minutes.fail.minutes.csv", inbox / "acme" / "a.minutes.csv")
    (inbox / "words.837").write_text("Good morning\n")
    url = str(tmp_path / "ledger.db")
    watch = ["watch", inbox, "--out-dir", out, "--archive", kept, "--state", url, "--once", "--settle", "0s"]

    def by_hand(*words):
        return run(*words, "--state", url)

    def answer():
        command = [sys.executable, "-m", "edi_checker", *map(str, watch), "--workers", "1"]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
        return json.loads(by_hand("ledger", "list", "--json").stdout)["files"]

    ids = {file["name"]: file["id"] for file in answer()}
    answered, failed = ids["a.837"], ids["words.837"]
    assert by_hand("status").exit_code == 1
    before = {path.name: path.read_bytes() for path in (out / "acme").iterdir()}
    for name in before:
        (out / "acme" / name).unlink()
    assert by_hand("ledger", "resend", answered, "--archive", kept, "--out-dir", out).exit_code == 0
    assert {path.name: path.read_bytes() for path in (out / "acme").iterdir()} == before
    done = by_hand("ledger", "replay", answered, "--archive", kept, "--publish")
    assert (done.exit_code, "0 added, 0 gone, 0 changed, 0 in other words" in done.stdout) == (0, True)
    assert by_hand("ledger", "reopen", failed, "--reason", "again").exit_code == 0
    again = answer()
    assert [(file["id"], file["state"]) for file in again] == [
        (again[0]["id"], "done"),
        *sorted(((answered, "done"), (failed, "failed")), reverse=True),
    ]
    assert again[0]["replay_of"] == answered
    assert by_hand("status").exit_code == 1, "what failed again is not settled"
    new = json.loads(by_hand("ledger", "show", again[0]["id"], "--json").stdout)
    old = json.loads(by_hand("ledger", "show", answered, "--json").stdout)
    numbers = [{(each["kind"], each["number"]) for each in file["numbers"]} for file in (old, new)]
    assert len(numbers[0]) == len(numbers[1]) > 0
    assert not numbers[0] & numbers[1]
    assert len(list((out / "acme").iterdir())) == 2 * len(before)
