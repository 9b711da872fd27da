"""The tables of the ledger as they are today; how they came to be so is in migrations/.

Nothing in them identifies a person: names of files and partners, control numbers, counts, hashes, and the
history under keyed hashes. The hashes are still made from what is protected: guard and purge them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from edi_checker.state.records import State

APPLICATION = "edi-checker ledger"
VERSION_TABLE = "edi_checker_version"
# States in which a partner's file name belongs to one file.
OPEN = (State.SEEN, State.CLAIMED, State.ANSWERED)

METADATA = MetaData()

# SQLite finds a row by its number alone only where the type is INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")

# What the store says of itself: `application`, and the `fingerprint` of the secret of the history.
about = Table(
    "about", METADATA, Column("name", String, primary_key=True), Column("value", String, nullable=False)
)

# Numbers that rise and never fall: `file` the last id given; `history` the last number in the order of
# commits; `history_run` the last run; `floor` where the counters of new pairs start.
rising = Table(
    "rising",
    METADATA,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)

file = Table(
    "file",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("partner", String, nullable=False),
    Column("name", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("owner", String),
    Column("lease_until", Double),
    Column("tries", Integer, nullable=False),
    Column("not_before", Double),
    Column("reason", Text),
    Column("sha256", String),
    Column("duplicate_of", BigInteger),
    Column("duplicate_by", String),
    Column("replay_of", BigInteger),
    Column("setting", String),
    Column("history", BigInteger),
    Column("settled_by", String),
    Column("seen_at", Double, nullable=False),
    Column("answered_at", Double),
    Column("finished_at", Double),
    # When anything of the row was last written: the newest is the latest time that the ledger has seen.
    Column("touched_at", Double, nullable=False),
    Column("record", Text),
    Index("file_by_state", "state", "id"),
    Index("file_by_sha256", "sha256"),
    Index("file_by_touch", "touched_at"),
    Index(
        "file_open_once",
        "partner",
        "name",
        unique=True,
        sqlite_where=text("state IN ('seen', 'claimed', 'answered')"),
        postgresql_where=text("state IN ('seen', 'claimed', 'answered')"),
    ),
)

output = Table(
    "output",
    METADATA,
    Column("file_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", BigInteger, nullable=False),
)

interchange = Table(
    "interchange",
    METADATA,
    Column("file_id", BigInteger, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("sender_qualifier", String, nullable=False),
    Column("sender", String, nullable=False),
    Column("receiver_qualifier", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("control", String, nullable=False),
    Column("verdict", String, nullable=False),
    Index("interchange_by_key", "control", "sender", "receiver", "sender_qualifier", "receiver_qualifier"),
)

functional_group = Table(
    "functional_group",
    METADATA,
    Column("file_id", BigInteger, primary_key=True, autoincrement=False),
    Column("interchange", Integer, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("sender", String, nullable=False),
    Column("receiver", String, nullable=False),
    Column("control", String, nullable=False),
    Column("transactions", Integer, nullable=False),
    Column("accepted", Integer, nullable=False),
    Column("verdict", String, nullable=False),
)

counter = Table(
    "counter",
    METADATA,
    Column("sender", String, primary_key=True),
    Column("receiver", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

drawn = Table(
    "drawn",
    METADATA,
    Column("file_id", BigInteger, primary_key=True, autoincrement=False),
    Column("sender", String, primary_key=True),
    Column("receiver", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)

# A file that left lines in the history: its number in the order of commits, and the run where its lines are.
history_file = Table(
    "history_file",
    METADATA,
    Column("number", _ID, primary_key=True, autoincrement=False),
    Column("file_id", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("answered_at", Double, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("dropped", Boolean, nullable=False),
    Index("history_file_by_sha256", "sha256"),
    Index("history_file_by_run", "run_id"),
)

# state: `building` (a merge is writing it), `live`, `gone` (its pages are being deleted).
# base: what is added to the numbers in its pages. bits: how many first bits of a key name its page.
history_run = Table(
    "history_run",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("state", String, nullable=False),
    Column("base", BigInteger, nullable=False),
    Column("period", Integer, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("bits", Integer, nullable=False),
    Column("filter", LargeBinary, nullable=False),
    Column("touched_at", Double, nullable=False),
    Index(
        "history_run_built_once",
        "state",
        unique=True,
        sqlite_where=text("state = 'building'"),
        postgresql_where=text("state = 'building'"),
    ),
)

# id: that of its run times 2**32, and the number of the page.
history_page = Table(
    "history_page",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
)
