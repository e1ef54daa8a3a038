"""Runs the migrations on the connection and in the transaction that ``migrate.upgrade`` opened."""

from alembic import context

from eventwatch.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # The caller's transaction holds it all, on SQLite too: its DDL is transactional, and the
    # connection begins transactions itself instead of leaving that to the driver.
    transactional_ddl=False,
)
context.run_migrations()
