"""Puts the drawn rows into a DuckDB file as the table that the marketplace's consumers read.

The file appears whole or not at all: it is written beside its place and moved there.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import duckdb
import pyarrow as pa

TABLE = "analytics_events"

# Every further column is a hash of the row's number: the same event, sent twice, is the same row.
_ROWS = """
CREATE TABLE analytics_events AS
WITH drawn AS (
    SELECT *,
        (hash(number * 7 + {seed}) >> 1)::BIGINT AS a,
        (hash(number * 11 + {seed}) >> 1)::BIGINT AS b
    FROM drawn_rows
)
SELECT
    md5(number::VARCHAR || '-{seed}')::UUID AS event_id,
    event_type::VARCHAR AS event_type,
    occurred_at,
    loaded_at,
    'user_' || (a % 40000)::VARCHAR AS actor_id,
    payload::VARCHAR || '_' || (b % 90000)::VARCHAR AS object_id,
    platform::VARCHAR AS platform,
    CASE platform::VARCHAR
        WHEN 'backend' THEN '2.0'
        ELSE '5.' || (week - CASE WHEN a % 100 < 70 THEN 0 WHEN a % 100 < 90 THEN 1 ELSE 2 END)
    END AS app_version,
    (CASE payload::VARCHAR
        WHEN 'listing' THEN
            '{{"price_cents":' || (a % 30000 + 100) || ',"surface":"'
            || (['home', 'search', 'profile', 'link'])[b % 4 + 1] || '"}}'
        WHEN 'order' THEN
            '{{"amount_cents":' || (a % 90000 + 100) || ',"currency":"'
            || (['EUR', 'GBP', 'USD'])[b % 3 + 1] || '"}}'
        WHEN 'parcel' THEN
            '{{"depot":"' || (['east', 'north', 'south', 'west'])[a % 4 + 1]
            || '","attempt":' || (b % 3 + 1) || '}}'
        WHEN 'message' THEN
            '{{"length":' || (a % 400 + 1) || ',"has_photo":'
            || CASE WHEN b % 5 = 0 THEN 'true' ELSE 'false' END || '}}'
        ELSE
            '{{"channel":"' || (['ads', 'direct', 'friend', 'search'])[a % 4 + 1]
            || '","country":"' || (['DE', 'FR', 'GB', 'US'])[b % 4 + 1] || '"}}'
    END)::JSON AS payload
FROM (SELECT *, (epoch(loaded_at)::BIGINT // 604800) % 100 + 100 AS week FROM drawn)
"""


def write_database(rows: pa.Table, path: Path, seed: int) -> int:
    """Replaces the file at ``path`` by one with these rows; gives back how many it holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with duckdb.connect(str(beside)) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("drawn_rows", rows)
            connection.execute(_ROWS.format(seed=int(seed)))
            connection.unregister("drawn_rows")
            found = connection.execute("SELECT count(*) FROM analytics_events").fetchone()
        # A log that an earlier writer left would be replayed into the new file.
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        os.replace(beside, path)  # noqa: PTH105 - the pair of names reads best as one call
    finally:
        beside.unlink(missing_ok=True)
        beside.with_name(beside.name + ".wal").unlink(missing_ok=True)
    return 0 if found is None else int(found[0])
