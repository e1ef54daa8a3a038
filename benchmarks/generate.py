"""Makes tables for benchmarks/scan.py: event types by Zipf's law, constant rows per hour.

``python benchmarks/generate.py --rows 10000000 --days 60 --out /var/tmp/ten.duckdb``

The rate is constant so that a longer history differs from a shorter one in nothing but its length.
Rows are appended in the order of their load, as a loader does; numbers come from hashes of the row
number, so that the same arguments give the same table.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

EVENT_TYPES = 300
TABLE = "analytics_events"


def generate(path: Path, rows: int, days: int, end: datetime) -> None:
    """Writes a DuckDB file with about ``rows`` rows loaded in the ``days`` before ``end``."""
    path.unlink(missing_ok=True)
    con = duckdb.connect(
        str(path), config={"memory_limit": "2GB", "preserve_insertion_order": "true"}
    )
    con.execute("SET TimeZone = 'UTC'")
    con.execute(
        f"CREATE TABLE {TABLE} (event_id UUID, event_type VARCHAR, occurred_at TIMESTAMP, "
        "loaded_at TIMESTAMP, actor_id VARCHAR, platform VARCHAR, app_version VARCHAR, payload VARCHAR)"
    )
    per_day = rows // days
    for day in range(days):
        start = end - timedelta(days=days - day)
        con.execute(_day(start.astimezone(UTC).replace(tzinfo=None), day * per_day, per_day))
    con.execute("CHECKPOINT")
    con.close()


def _day(start: datetime, first: int, count: int) -> str:
    def chance(salt: int) -> str:
        return f"((hash(i * 31 + {salt}) % 1000000007) / 1000000007.0)"

    return f"""
        INSERT INTO {TABLE}
        WITH raw AS (
            SELECT i, {chance(1)} AS u1, {chance(2)} AS u2, {chance(3)} AS u3, {chance(4)} AS u4,
                   {chance(5)} AS u5, {chance(6)} AS u6
            FROM range({first}, {first + count}) AS r(i)
        ), timed AS (
            SELECT *, TIMESTAMP '{start}' + to_microseconds((u1 * 86400e6)::BIGINT) AS loaded_at,
                   exp(ln(300.0) + 0.8 * sqrt(-2 * ln(greatest(u2, 1e-9))) * cos(2 * pi() * u3)) AS delay
            FROM raw
        )
        SELECT md5(i::VARCHAR)::UUID,
               'evt_' || lpad(floor(pow({EVENT_TYPES + 1}, u4))::INT::VARCHAR, 3, '0'),
               loaded_at - to_microseconds((delay * 1e6)::BIGINT), loaded_at,
               'u' || (u5 * u5 * 200000)::INT,
               CASE WHEN u5 < 0.45 THEN 'ios' WHEN u5 < 0.8 THEN 'android' ELSE 'web' END,
               '4.' || (u6 * 8)::INT || '.0',
               '{{"v":' || (u6 * 1000)::INT || '}}'
        FROM timed ORDER BY loaded_at
    """


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Makes a table for benchmarks/scan.py.")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--end", type=datetime.fromisoformat, default=datetime.now(UTC))
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    end = arguments.end.replace(tzinfo=arguments.end.tzinfo or UTC)
    generate(arguments.out, arguments.rows, arguments.days, end)


if __name__ == "__main__":
    main()
