"""The first ledger."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table("about", _key("name", sa.String()), _set("value", sa.String()))
    op.create_table("rising", _key("name", sa.String()), _set("value", sa.BigInteger()))
    _make_files()
    _make_numbers()
    _make_history()
    rising = sa.table("rising", sa.column("name"), sa.column("value"))
    op.bulk_insert(
        rising, [{"name": name, "value": 0} for name in ("file", "history", "history_run", "floor")]
    )
    about = sa.table("about", sa.column("name"), sa.column("value"))
    op.bulk_insert(about, [{"name": "application", "value": "edi-checker ledger"}])


def _make_files() -> None:
    op.create_table(
        "file",
        _key("id", _ID),
        *(_set(name, sa.String()) for name in ("partner", "name")),
        *(_set(name, sa.BigInteger()) for name in ("size", "mtime_ns")),
        _set("state", sa.String()),
        _set("token", sa.BigInteger()),
        sa.Column("owner", sa.String()),
        sa.Column("lease_until", sa.Double()),
        _set("tries", sa.Integer()),
        sa.Column("not_before", sa.Double()),
        sa.Column("reason", sa.Text()),
        sa.Column("sha256", sa.String()),
        sa.Column("duplicate_of", sa.BigInteger()),
        sa.Column("duplicate_by", sa.String()),
        sa.Column("replay_of", sa.BigInteger()),
        sa.Column("setting", sa.String()),
        sa.Column("history", sa.BigInteger()),
        sa.Column("settled_by", sa.String()),
        _set("seen_at", sa.Double()),
        sa.Column("answered_at", sa.Double()),
        sa.Column("finished_at", sa.Double()),
        _set("touched_at", sa.Double()),
        sa.Column("record", sa.Text()),
    )
    op.create_index("file_by_state", "file", ["state", "id"])
    op.create_index("file_by_sha256", "file", ["sha256"])
    op.create_index("file_by_touch", "file", ["touched_at"])
    _make_unique_where(
        "file_open_once", "file", ["partner", "name"], "state IN ('seen', 'claimed', 'answered')"
    )
    op.create_table(
        "output",
        _key("file_id", sa.BigInteger()),
        _key("ordinal", sa.Integer()),
        *(_set(name, sa.String()) for name in ("name", "sha256")),
        _set("size", sa.BigInteger()),
    )
    parties = ("sender_qualifier", "sender", "receiver_qualifier", "receiver")
    op.create_table(
        "interchange",
        _key("file_id", sa.BigInteger()),
        _key("ordinal", sa.Integer()),
        *(_set(name, sa.String()) for name in (*parties, "control", "verdict")),
    )
    columns = ["control", "sender", "receiver", "sender_qualifier", "receiver_qualifier"]
    op.create_index("interchange_by_key", "interchange", columns)
    op.create_table(
        "functional_group",
        _key("file_id", sa.BigInteger()),
        *(_key(name, sa.Integer()) for name in ("interchange", "ordinal")),
        *(_set(name, sa.String()) for name in ("sender", "receiver", "control")),
        *(_set(name, sa.Integer()) for name in ("transactions", "accepted")),
        _set("verdict", sa.String()),
    )


def _make_numbers() -> None:
    pair = ("sender", "receiver", "kind")
    op.create_table("counter", *(_key(name, sa.String()) for name in pair), _set("last", sa.BigInteger()))
    op.create_table(
        "drawn",
        _key("file_id", sa.BigInteger()),
        *(_key(name, sa.String()) for name in pair),
        _key("ordinal", sa.Integer()),
        _set("number", sa.BigInteger()),
    )


def _make_history() -> None:
    op.create_table(
        "history_file",
        _key("number", _ID),
        _set("file_id", sa.BigInteger()),
        _set("sha256", sa.String()),
        _set("answered_at", sa.Double()),
        _set("run_id", sa.BigInteger()),
        _set("dropped", sa.Boolean()),
    )
    op.create_index("history_file_by_sha256", "history_file", ["sha256"])
    op.create_index("history_file_by_run", "history_file", ["run_id"])
    op.create_table(
        "history_run",
        _key("id", _ID),
        _set("state", sa.String()),
        _set("base", sa.BigInteger()),
        _set("period", sa.Integer()),
        _set("entries", sa.BigInteger()),
        _set("bits", sa.Integer()),
        _set("filter", sa.LargeBinary()),
        _set("touched_at", sa.Double()),
    )
    _make_unique_where("history_run_built_once", "history_run", ["state"], "state = 'building'")
    op.create_table("history_page", _key("id", _ID), _set("data", sa.LargeBinary()))


def _make_unique_where(name: str, table: str, columns: list[str], where: str) -> None:
    text = sa.text(where)
    op.create_index(name, table, columns, unique=True, sqlite_where=text, postgresql_where=text)


def _key(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _set(name: str, kind: TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
