"""Runs the steps on the connection that store.py gives, inside its transaction."""

from alembic import context

from edi_checker.state.schema import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
