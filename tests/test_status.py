"""The command `status`: what an operator reads in the morning."""

from __future__ import annotations

import json

import pytest

from drop_folder import HOUR, NOW, fill, key, repeat, run, say
from edi_checker.state import State, open_ledger


@pytest.fixture
def clock(office):
    return office


@pytest.fixture
def ledger(ledger_url, clock):
    with open_ledger(ledger_url, clock) as opened:
        yield opened


def status(url, *options):
    done = run("status", "--state", url, *options)
    assert "Traceback" not in done.output
    return done


def as_json(url, *options):
    return json.loads(status(url, "--json", *options).stdout)


def test_a_ledger_without_files_needs_nobody(ledger, ledger_url):
    done = status(ledger_url)
    assert done.exit_code == 0
    assert "nothing needs attention" in done.stdout
    said = as_json(ledger_url)
    assert (said["needs"], said["answered"]["newest"], said["waiting"]["oldest"]) == ([], None, None)


def test_a_morning_is_one_screen(ledger, ledger_url, clock, golden):
    fill(ledger, clock)
    done = status(ledger_url)
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) <= 24
    golden("status.txt", done.stdout)
    golden("status.json", status(ledger_url, "--json").stdout)


def test_names_are_hidden_where_that_is_asked(ledger, ledger_url, clock):
    fill(ledger, clock)
    for options in (["--hide-names"], ["--hide-names", "--json"]):
        done = status(ledger_url, *options)
        assert done.exit_code == 1
        assert ".837" not in done.stdout
        assert "acme" in done.stdout
    assert as_json(ledger_url, "--hide-names")["failed"]["listed"][0]["id"] == 3


def test_each_thing_that_needs_somebody_gives_1_until_it_is_settled(ledger, ledger_url, clock):
    def needs():
        done = status(ledger_url, "--json")
        said = json.loads(done.stdout)["needs"]
        assert done.exit_code == (1 if said else 0)
        return said

    ledger.finish(ledger.answer(ledger.begin("acme", "a", 1, 0, "me", 60), say(1, "a")))
    assert needs() == []
    failed = ledger.fail(ledger.begin("acme", "b", 1, 0, "me", 60), "no X12")
    assert needs() == ["1 failed"]
    ledger.settle(failed.id, State.FAILED, "sent again", "jo")
    assert needs() == []
    again = ledger.begin("acme", "c", 1, 0, "me", 60)
    repeat(ledger, again, ledger.find_duplicate(again, "f" * 64, [key(1)], HOUR), "f" * 64)
    assert needs() == ["1 duplicate with other content"]
    ledger.settle(again.id, State.DONE, "a corrected file", "jo")
    assert needs() == []
    mine = ledger.begin("acme", "d", 1, 0, "me", 60)
    assert needs() == []
    clock.now += 61
    assert needs() == ["1 lease over"]
    ledger.finish(ledger.answer(ledger.take("me", 60, mine.id), say(2, "d")))
    assert needs() == []


def test_a_ledger_that_is_ahead_of_the_clock_needs_somebody(ledger, ledger_url, clock):
    clock.now += 401 * 24 * HOUR
    ledger.finish(ledger.answer(ledger.begin("acme", "a", 1, 0, "me", 60), say(1, "a")))
    clock.now -= 401 * 24 * HOUR
    done = status(ledger_url)
    assert (done.exit_code, done.stdout.partition(" UTC: ")[2].partition("\n")[0]) == (
        1,
        "times in the ledger are 401 days ahead of the clock",
    )
    assert as_json(ledger_url)["ahead_of_clock_seconds"] == 401 * 24 * 3600


def test_the_same_content_again_needs_nobody(ledger, ledger_url):
    ledger.finish(ledger.answer(ledger.begin("acme", "a", 1, 0, "me", 60), say(1, "a")))
    again = ledger.begin("acme", "b", 1, 0, "me", 60)
    found = ledger.find_duplicate(again, say(1, "a").sha256, [key(1)], HOUR)
    repeat(ledger, again, found, say(1, "a").sha256)
    assert status(ledger_url).exit_code == 0


@pytest.mark.parametrize(("waited", "late", "code"), [(3599, "1h", 0), (3601, "1h", 1), (61, "60s", 1)])
def test_a_file_that_waits_too_long_needs_somebody(ledger, ledger_url, clock, waited, late, code):
    ledger.note("acme", "a", 1, 0)
    clock.now += waited
    done = status(ledger_url, "--late", late)
    assert done.exit_code == code
    assert ("has waited for" in done.stdout) == bool(code)


@pytest.mark.parametrize(("waited", "code"), [(3599, 0), (3601, 1)])
def test_an_answer_that_is_not_published_needs_somebody(ledger, ledger_url, clock, waited, code):
    mine = ledger.answer(ledger.begin("acme", "a", 1, 0, "me", 60), say(1, "a"))
    ledger.renew(mine, 10 * HOUR, "Operation not permitted")
    clock.now += waited
    done = status(ledger_url)
    assert done.exit_code == code
    assert ("an answer is not published for 60 min" in done.stdout) == bool(code)
    assert "Operation not permitted" in done.stdout


def test_answers_count_since_the_day_before(ledger, ledger_url, clock):
    for name, at in (("a", NOW - 33 * HOUR), ("b", NOW - 31 * HOUR), ("c", NOW)):
        clock.now = at
        ledger.finish(ledger.answer(ledger.begin("acme", name, 1, 0, "me", 60), say(ord(name), name)))
    said = as_json(ledger_url)["answered"]
    assert (said["since"], said["files"], said["newest"]) == (
        "2026-11-25T00:00:00Z",
        2,
        "2026-11-26T08:00:00Z",
    )
    clock.now += 72 * HOUR
    assert "the newest on 2026-11-26 08:00:00, 3 days ago" in status(ledger_url).stdout


def test_a_long_list_is_cut_and_its_number_is_not(ledger, ledger_url):
    for number in range(23):
        ledger.fail(ledger.begin("acme", f"{number}", 1, 0, "me", 60), "no X12")
    assert "and 3 more" in status(ledger_url).stdout
    said = as_json(ledger_url)["failed"]
    assert (said["files"], len(said["listed"])) == (23, 20)


def test_text_of_others_moves_no_cursor(ledger, ledger_url):
    ledger.fail(ledger.begin("acme", "a\x1b[2Jb", 1, 0, "me", 60), "bad \x1b[31m")
    assert "\x1b" not in status(ledger_url).stdout


# -- what cannot be opened


def test_a_look_makes_no_ledger(tmp_path, monkeypatch):
    for command in (["status"], ["ledger", "list"], ["ledger", "upgrade"], ["ledger", "check"]):
        done = run(*command, "--state", tmp_path / "none.db")
        assert (done.exit_code, done.stderr) == (2, f"edi-checker: {tmp_path}/none.db: there is no ledger\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_ledger_is_refused_in_one_line(tmp_path):
    (tmp_path / "words.db").write_text("Good morning\n" * 1000)
    done = run("status", "--state", tmp_path / "words.db")
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "no ledger" in done.stderr


@pytest.mark.long
def test_an_empty_database_is_no_ledger_and_stays_empty(postgresql):
    url = postgresql.make()
    for _ in range(2):
        done = run("status", "--state", url)
        assert done.exit_code == 2
        assert "there is no ledger" in done.stderr


def test_a_password_is_not_shown():
    done = run("status", "--state", "postgresql://jo:secret@127.0.0.1:1/none")
    assert done.exit_code == 2
    assert "secret" not in done.output


def test_the_configuration_file_says_where_the_ledger_is(ledger, ledger_url, clock, tmp_path, monkeypatch):
    fill(ledger, clock)
    url = "ledger.db" if ledger_url.startswith("sqlite") else ledger_url
    (tmp_path / "edi-checker.toml").write_text(
        f'[status]\nstate = "{url}"\n[ledger]\nstate = "{url}"\nhide-names = true\nprofile = "medicare"\n'
    )
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert run("status").exit_code == 1
    listed = run("ledger", "list")
    assert listed.exit_code == 0
    assert "file 7" in listed.stdout
    assert "tuesday" not in listed.stdout
    (tmp_path / "edi-checker.toml").write_text('[ledger]\nsate = "x"\n')
    assert "[ledger] sate: no such option" in run("ledger", "list").stderr
