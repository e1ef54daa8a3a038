"""States as an older eventwatch left them."""

from __future__ import annotations

import sqlite3
from typing import Any

import sqlalchemy as sa

from eventwatch.model.alert import Alert, Delivery, Silence
from eventwatch.model.settings import Secret
from eventwatch.store.encoding import (
    encode_instant,
    encode_result,
    encode_text,
    encode_texts,
    key_of,
)
from eventwatch.store.engine import Database, Limits, open_database, parse_url
from eventwatch.store.migrate import MIGRATIONS


def make(url: Secret, revision: str, **tables: list[dict[str, Any]]) -> None:
    """An older schema, and rows in it by the table's name without prefix."""
    from alembic import command
    from alembic.config import Config

    database = opened(url)
    if database.path is not None:
        database.path.parent.mkdir(parents=True, exist_ok=True)
        sqlite3.connect(database.path).close()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        known = sa.MetaData()
        known.reflect(connection)
        for name, rows in tables.items():
            if rows:
                connection.execute(sa.insert(known.tables[f"eventwatch_{name}"]), rows)
    database.close()


def opened(url: Secret) -> Database:
    """The database, past the port."""
    return open_database(parse_url(url), Limits())


def alert_row(one: Alert) -> dict[str, Any]:
    """Of the schemas before 0003."""
    return {
        "id": one.id,
        "exposure_id": key_of(one.result.exposure),
        "fingerprint": one.fingerprint,
        "is_open": int(one.open),
        "state": one.state.value,
        "result": encode_result(one.result),
        "started_at": encode_instant(one.started_at),
        "seen_at": encode_instant(one.seen_at),
        "end_reason": "",
    }


def delivery_row(one: Delivery) -> dict[str, Any]:
    """Of the schemas before 0003."""
    claimed = one.claimed_at
    return {
        "id": key_of(one.key),
        "key": encode_text(one.key),
        "channel": encode_text(one.channel),
        "team": encode_text(one.team),
        "text": encode_text(one.message.text),
        "blocks": encode_text(one.message.blocks),
        "plain": encode_text(one.message.plain),
        "alert_ids": encode_texts(one.alert_ids),
        "created_at": encode_instant(one.created_at),
        "state": one.state.value,
        "attempts": one.attempts,
        "claimed_at": None if claimed is None else encode_instant(claimed),
        "reference": one.reference,
        "last_error": "",
        "is_fallback": int(one.is_fallback),
    }


def silence_row(one: Silence) -> dict[str, Any]:
    """Of the schemas before 0003."""
    return {
        "id": one.id,
        "event_type": one.event_type,
        "exposure": one.exposure,
        "kind": one.kind,
        "team": one.team,
        "dimension": one.dimension,
        "value": one.value,
        "reason": encode_text(one.reason),
        "author": one.author,
        "starts_at": encode_instant(one.starts_at),
        "ends_at": encode_instant(one.ends_at),
    }
