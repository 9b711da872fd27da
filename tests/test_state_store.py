"""What is no ledger, is damaged, is too new or may lose answers is refused with words."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from edi_checker.state import Secret, StateError, open_ledger
from edi_checker.state import store as store_room
from edi_checker.state.schema import METADATA, VERSION_TABLE
from ledgers import Clock


def refusal(url, **options):
    with pytest.raises(StateError) as caught:
        open_ledger(url, Clock(), **options)
    return str(caught.value)


def change(url, *statements):
    url = url.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def made(ledger_url):
    with open_ledger(ledger_url, Clock()) as ledger:
        ledger.note("acme", "x.837", 1, 1)
    return ledger_url


def test_the_steps_of_the_migration_make_the_tables_of_today(made):
    with open_ledger(made, Clock()) as ledger, ledger._store.reading() as connection:
        options = {"version_table": VERSION_TABLE, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []


def test_a_ledger_is_opened_again(made):
    with open_ledger(made, Clock(), thorough=True, upgrade=False) as ledger:
        assert [file.name for file in ledger.list_files()] == ["x.837"]
        ledger.check()


def test_a_database_of_another_program_is_refused_and_left_as_it_is(ledger_url):
    change(ledger_url, "CREATE TABLE person (id INTEGER)")
    before = Path(ledger_url[10:]).read_bytes() if ledger_url.startswith("sqlite") else b""
    assert "another program" in refusal(ledger_url)
    if before:
        assert Path(ledger_url[10:]).read_bytes() == before


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE about (name VARCHAR, value VARCHAR)"],
        ["CREATE TABLE about (id INTEGER)", f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR)"],
        ["CREATE TABLE about (name VARCHAR, value VARCHAR)", f"CREATE TABLE {VERSION_TABLE} (n VARCHAR)"],
    ],
)
def test_what_only_resembles_a_ledger_is_refused(ledger_url, statements):
    change(ledger_url, *statements)
    assert "another program" in refusal(ledger_url)


def test_a_newer_ledger_is_refused(made):
    change(made, f"UPDATE {VERSION_TABLE} SET version_num = '0999'")
    assert "written by a newer edi-checker (tables 0999); this one knows tables up to 0001" in refusal(made)


def test_a_missing_table_is_damage(made):
    change(made, "DROP TABLE drawn")
    assert "is damaged: drawn missing" in refusal(made)


def test_a_url_that_is_none_is_refused():
    assert "cannot be read" in refusal("://")
    assert "SQLite or PostgreSQL, not in mysql" in refusal("mysql://u@h/d")
    assert "is a file" in refusal("sqlite://")
    assert "is a file" in refusal("sqlite:///:memory:")


def test_passwords_are_not_shown():
    said = refusal("postgresql://jo:geheim@127.0.0.1:1/x")
    assert "geheim" not in said
    assert "jo:***@127.0.0.1" in said


# -- SQLite


def test_a_file_that_is_no_database_is_refused(tmp_path):
    path = tmp_path / "ledger.db"
    path.write_bytes(b"ISA*00*" * 1000)
    assert "no ledger, or a damaged one" in refusal(str(path))
    assert path.read_bytes() == b"ISA*00*" * 1000


@pytest.mark.parametrize("begin", [24, 100, 5000])
def test_damage_is_found_when_it_is_looked_for(tmp_path, begin):
    path = tmp_path / "ledger.db"
    with open_ledger(str(path), Clock()) as ledger:
        for number in range(300):
            ledger.note("acme", f"{number}", 1, 1)
        ledger._store.forget()
    data = bytearray(path.read_bytes())
    data[begin:] = os.urandom(len(data) - begin)
    path.write_bytes(data)
    said = refusal(str(path), thorough=True)
    assert str(path) in said
    assert any(word in said for word in ("damaged", "malformed", "file format", "not a database"))


def test_a_ledger_that_is_cut_short_is_refused(tmp_path):
    path = tmp_path / "ledger.db"
    with open_ledger(str(path), Clock()) as ledger:
        for number in range(300):
            ledger.note("acme", f"{number}", 1, 1)
        ledger._store.forget()
    path.write_bytes(path.read_bytes()[:20_000])
    assert str(path) in refusal(str(path), thorough=True)


def test_the_file_is_its_owners_alone(tmp_path):
    with open_ledger(str(tmp_path / "ledger.db"), Clock()) as ledger:
        ledger.note("acme", "x", 1, 1)
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    assert "cannot be made: No such file" in refusal(str(tmp_path / "none" / "ledger.db"))
    assert "unable to open" in refusal(str(tmp_path)) or "is a directory" in refusal(str(tmp_path)).lower()


def test_a_network_file_system_is_refused(tmp_path, monkeypatch):
    mounts = f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:5 / {tmp_path} rw shared:1 - nfs4 host:/x rw\n"
    monkeypatch.setattr(store_room, "_read_mounts", lambda: mounts)
    assert "this is nfs4" in refusal(str(tmp_path / "ledger.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_stays_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(store_room, "_BUSY_SECONDS", 0.1)
    path = tmp_path / "ledger.db"
    with open_ledger(str(path), Clock()) as ledger:
        holder = sqlite3.connect(path)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateError, match="locked"):
            ledger.note("acme", "x", 1, 1)
        holder.rollback()
        holder.close()
        assert ledger.note("acme", "x", 1, 1).id == 1


# -- PostgreSQL


@pytest.mark.long
def test_a_server_that_does_not_wait_for_its_disk_is_refused(postgresql):
    url = postgresql.make()
    database = url.partition("?")[0].rpartition("/")[2]
    change(url, f"ALTER DATABASE {database} SET synchronous_commit = off")
    assert "synchronous_commit is off" in refusal(url)


def test_a_ledger_is_not_made_where_it_is_only_looked_at(ledger_url, tmp_path):
    for _ in range(2):
        assert "there is no ledger" in refusal(ledger_url, make=False)
    assert list(tmp_path.iterdir()) == []
    with open_ledger(ledger_url, Clock()):
        pass
    with open_ledger(ledger_url, Clock(), make=False) as ledger:
        assert ledger.list_files() == []


def test_an_older_ledger_is_refused_where_it_is_not_to_be_upgraded(made, monkeypatch):
    monkeypatch.setattr(store_room, "known_versions", lambda: ["0002", "0001"])
    assert "of an older edi-checker" in refusal(made, upgrade=False)


def test_the_versions_are_those_of_the_steps():
    config = Config()
    config.set_main_option("script_location", str(Path(store_room.__file__).parent / "migrations"))
    steps = list(ScriptDirectory.from_config(config).walk_revisions())
    assert store_room.known_versions() == [step.revision for step in steps]


def test_a_ledger_that_is_there_is_opened_without_what_upgrades_it(made):
    script = (
        "import sys, time\n"
        "from edi_checker.state import open_ledger\n"
        "open_ledger(sys.argv[1], time.time).close()\n"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, made],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"


# -- the secret


def test_a_secret_is_made_once_and_read_again(tmp_path):
    path = tmp_path / "history.key"
    secret = Secret.create(path)
    assert (path.stat().st_mode & 0o777, path.stat().st_size) == (0o600, 32)
    assert Secret.read(path) == secret
    assert Secret.read(path).fingerprint == secret.fingerprint
    with pytest.raises(StateError, match="File exists"):
        Secret.create(path)
    assert path.read_bytes().hex() not in repr(secret)


def test_a_key_is_one_hash_of_its_parts_each_behind_its_length(tmp_path):
    path = tmp_path / "history.key"
    secret = Secret.create(path)
    parts = ("", "Ä", "a.b", "x" * 300)
    text = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
    for _ in range(2):
        said = hashlib.blake2b(text, digest_size=16, key=path.read_bytes(), person=b"day")
        assert secret.key("day", *parts) == said.digest()
        said = hashlib.blake2b(text, digest_size=8, key=path.read_bytes(), person=b"claim")
        assert secret.claim(*parts) == said.digest()
    assert secret.key("day", "ab", "c") != secret.key("day", "a", "bc")
    assert Secret(bytes(32)).key("day", *parts) != secret.key("day", *parts)


def test_a_secret_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "history.key"
    Secret.create(path)
    path.chmod(0o640)
    with pytest.raises(StateError, match="chmod 600"):
        Secret.read(path)
    path.chmod(0o400)
    assert Secret.read(path)
    path.chmod(0o600)
    for wrong in (b"x" * 31, b"x" * 33, b""):
        path.write_bytes(wrong)
        with pytest.raises(StateError, match="not a secret key"):
            Secret.read(path)
    with pytest.raises(StateError, match="cannot be read: No such file"):
        Secret.read(tmp_path / "none")


def test_keys_tell_kinds_parts_and_secrets_apart():
    one, two = Secret(bytes(32)), Secret(b"x" * 32)
    keys = [
        one.key("day", "A", "1"),
        one.key("year", "A", "1"),
        one.key("day", "A1", ""),
        one.key("day", "", "A1"),
        one.key("day", "A", "1", ""),
        two.key("day", "A", "1"),
    ]
    assert len(set(keys)) == len(keys)
    assert {len(key) for key in keys} == {16}
    assert one.key("day", "A", "1") == keys[0]
    assert len(one.claim("A")) == 8
    assert one.fingerprint != two.fingerprint
