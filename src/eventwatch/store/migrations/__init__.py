"""Alembic's folder: the schema's history, run by ``eventwatch.store.migrate``."""
