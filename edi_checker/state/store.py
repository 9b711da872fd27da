"""The database under the ledger: opening it safely, its transactions, and its errors in words."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    column,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    table,
    text,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from edi_checker.files.output import flush_folder
from edi_checker.state.errors import StateError
from edi_checker.state.schema import APPLICATION, METADATA, VERSION_TABLE, about

_T = TypeVar("_T")
_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 10
_UPGRADE_LOCK = 837_005_010  # any number that other programs are unlikely to lock on
# File systems of other machines: SQLite's locks and shared memory do not reach across.
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "lustre", "fuse.sshfs", "fuse.glusterfs")


class Store:
    """An open database; `writing` and `reading` are its transactions."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=False)
        self.shown = engine.url.render_as_string()
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._file = Path(engine.url.database or "") if self.is_sqlite else None
        self._opened = _look_of(self._file)

    def hold(self) -> None:
        """Raises StateError where the file of the ledger was deleted or replaced since it was opened: what is
        written to it then is lost.
        """
        if _look_of(self._file) != self._opened:
            raise StateError(f"{self.shown}: the ledger was deleted or replaced while it was in use")

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed, and on the disk, when the block ends well. Raises StateError."""
        with told(self.shown), self.engine.connect() as connection, connection.begin():
            yield connection
            self.hold()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the database as it is now until the block ends, and changes nothing."""
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        if self.is_sqlite:
            options = {"reading": True}
        with told(self.shown), self.engine.connect() as opened:
            connection = opened.execution_options(**options)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def looking(self) -> Iterator[Look]:
        """Each statement by itself, as of `among`, on the connection of the driver: SQLAlchemy takes several
        times as long over one as the database over its rows.
        """
        with _told_of_driver(self.shown, self.engine):
            pooled = self.engine.raw_connection()
            try:
                driver: Any = pooled.driver_connection
                if self.is_sqlite:
                    yield lambda *said: driver.execute(*among(*said, sqlite=True)).fetchall()
                else:
                    driver.autocommit = True
                    yield lambda *said: driver.execute(*among(*said, sqlite=False), binary=True).fetchall()
                    driver.autocommit = False
            except BaseException:
                pooled.invalidate()
                raise
            finally:
                pooled.close()

    def forget(self) -> None:
        """Take what was deleted out of SQLite's log too; PostgreSQL does so by itself."""
        if self.is_sqlite:
            with told(self.shown), self.engine.connect() as opened:
                connection = opened.execution_options(outside=True)
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Let go of all connections; the store opens new ones when it is used again."""
        self.engine.dispose()


# The rows of a statement with these numbers.
Look = Callable[[str, list[int]], list[Any]]


def among(statement: str, numbers: list[int], *, sqlite: bool) -> tuple[str, tuple[Any]]:
    """A statement in which `{among}` says which numbers are meant, and its one parameter: five hundred would
    take longer.
    """
    if sqlite:
        return statement.format(among="IN (SELECT value FROM json_each(?))"), (json.dumps(numbers),)
    return statement.format(among="= ANY(%s)"), (numbers,)


@contextlib.contextmanager
def _told_of_driver(shown: str, engine: Engine) -> Iterator[None]:
    """As `told`, of errors that did not pass through SQLAlchemy."""
    try:
        with told(shown):
            yield
    except engine.dialect.loaded_dbapi.Error as error:
        raise StateError(f"{shown}: {_words_of(error)}") from error


def _words_of(error: BaseException | None) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


@contextlib.contextmanager
def told(shown: str) -> Iterator[None]:
    """Errors of the database as StateError, without what was in the statement."""
    try:
        yield
    except DBAPIError as error:
        raise StateError(f"{shown}: {_words_of(error.orig)}") from error
    except SQLAlchemyError as error:
        raise StateError(f"{shown}: {type(error).__name__}") from error


def in_parts(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The values, so many at a time: what one statement or one transaction takes."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part


def open_store(where: str, *, make: bool, upgrade: bool, thorough: bool) -> Store:
    """As ledger.open_ledger."""
    url = _read_url(where)
    if url.get_backend_name() == "sqlite":
        store = _open_sqlite(url, make=make, thorough=thorough)
    else:
        store = _open_postgresql(url)
    try:
        if not store.is_sqlite:
            _refuse_unsafe(store)
        _bring_up(store, make=make, upgrade=upgrade)
    except BaseException:
        store.close()
        raise
    return store


def _look_of(path: Path | None) -> tuple[int, int] | None:
    """Device and inode, None where there is no such file."""
    with contextlib.suppress(OSError):
        if path is not None:
            there = path.stat()
            return there.st_dev, there.st_ino
    return None


def _read_url(where: str) -> URL:
    try:
        url = make_url(where) if "://" in where else URL.create("sqlite", database=where)
    except ArgumentError as error:
        raise StateError("the ledger's URL cannot be read") from error
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise StateError("a ledger in SQLite is a file, such as sqlite:///var/lib/edi/ledger.db")
        return url.set(drivername="sqlite", query={})
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    raise StateError(f"a ledger is in SQLite or PostgreSQL, not in {url.get_backend_name()}")


# -- SQLite


def _open_sqlite(url: URL, *, make: bool, thorough: bool) -> Store:
    path = Path(os.path.realpath(url.database or ""))
    _refuse_network(path)
    if not make and not path.exists():
        raise StateError(f"{path}: there is no ledger")
    try:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        # Also where the file was there: the power may have failed between making and flushing it.
        flush_folder(path.parent)
    except OSError as error:
        raise StateError(f"{path}: the ledger cannot be made: {error.strerror}") from error
    _look_before(path, thorough=thorough)
    engine = create_engine(url.set(database=str(path)), connect_args={"timeout": _BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Store(engine)


def _look_before(path: Path, *, thorough: bool) -> None:
    """Refuse what is damaged or of another program before anything in it is changed."""
    connection = None
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=_BUSY_SECONDS)
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if tables and "about" not in tables:
            raise StateError(f"{path}: a database of another program, not a ledger")
        if tables and thorough:
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise StateError(
                    f"{path}: the ledger is damaged; restore the backup ({found.splitlines()[-1]})"
                )
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise StateError(f"{path}: {error}") from error
        raise StateError(f"{path}: no ledger, or a damaged one ({error})") from error
    finally:
        if connection is not None:
            connection.close()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin as _begin_sqlite says
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("outside"):
        connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")


def _refuse_network(path: Path) -> None:
    mounts = [line.split() for line in _read_mounts().splitlines()]
    around = [str(path), *map(str, path.parents)]
    found = [(len(words[4]), words[words.index("-") + 1]) for words in mounts if words[4] in around]
    if found and max(found)[1] in _NETWORK:
        raise StateError(
            f"{path}: SQLite needs a disk of this machine, and this is {max(found)[1]}; "
            "several machines share a ledger in PostgreSQL"
        )


def _read_mounts() -> str:
    """What is mounted, as Linux says it (proc_pid_mountinfo(5)); nothing elsewhere."""
    with contextlib.suppress(OSError):
        return Path("/proc/self/mountinfo").read_text("utf-8", "replace")
    return ""


# -- PostgreSQL


def _open_postgresql(url: URL) -> Store:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _BUSY_SECONDS,
            "application_name": "edi-checker",
            # A watcher that hangs inside a transaction must not stop the others.
            "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
        },
    )
    return Store(engine)


def _refuse_unsafe(store: Store) -> None:
    with store.reading() as connection:
        for setting in ("synchronous_commit", "fsync"):
            if connection.execute(text(f"SHOW {setting}")).scalar_one() == "off":
                raise StateError(
                    f"{store.shown}: {setting} is off, so a loss of power can lose answers; turn it on"
                )


# -- the tables


def _bring_up(store: Store, *, make: bool, upgrade: bool) -> None:
    newest = known_versions()[0]
    with store.reading() as connection:
        version = _version(store, connection)
    if version == newest:
        return
    if version is None and not make:
        raise StateError(f"{store.shown}: there is no ledger")
    if version is not None and not upgrade:
        raise StateError(f"{store.shown}: the ledger has the tables of an older edi-checker; upgrade it")
    # It takes as long to load as the rest, and is seldom needed.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with store.writing() as connection:
        if not store.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _UPGRADE_LOCK})
        if _version(store, connection) == newest:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    if store.is_sqlite:
        flush_folder(Path(store.engine.url.database or "").parent)


def known_versions() -> list[str]:
    """The versions of the tables that this program knows, the newest first, by the files that make them."""
    return sorted((step.name[1:5] for step in (_MIGRATIONS / "versions").glob("v*.py")), reverse=True)


def _version(store: Store, connection: Connection) -> str | None:
    """The version of the tables, None where there are none yet. Raises StateError for what is no ledger."""
    names = set(inspect(connection).get_table_names())
    if not names:
        return None
    if not {about.name, VERSION_TABLE} <= names or _application(connection) != APPLICATION:
        raise StateError(
            f"{store.shown}: holds tables of another program; a ledger has a database or schema of its own"
        )
    version = connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()
    known = known_versions()
    if version not in known:
        raise StateError(
            f"{store.shown}: the ledger was written by a newer edi-checker (tables {version}); "
            f"this one knows tables up to {known[0]}"
        )
    if version == known[0] and (missing := set(METADATA.tables) - names):
        raise StateError(
            f"{store.shown}: the ledger is damaged: {', '.join(sorted(missing))} missing; restore the backup"
        )
    return str(version)


def _application(connection: Connection) -> str | None:
    if {column["name"] for column in inspect(connection).get_columns(about.name)} != {"name", "value"}:
        return None
    return connection.execute(select(about.c.value).where(about.c.name == "application")).scalar()
