"""One suite for every engine that exposures are read from: DuckDB, Parquet files, PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from eventwatch.model.errors import ExposureInvalid, ExposureTimeout, WarehouseError
from eventwatch.model.measurement import Scan
from eventwatch.model.settings import Columns, Dimension, Exposure, Partition, Secret
from eventwatch.ports.warehouse import Warehouse
from eventwatch.warehouse.reader import IbisWarehouse
from tests.fakes.engines import DuckDBFile, Engine, ParquetFiles, PostgreSQL
from tests.warehouse.brute import as_found, brute_recount, brute_scan, to_micros
from tests.warehouse.tables import (
    NOW,
    Layout,
    request_of,
    stored,
)

BERLIN = ZoneInfo("Europe/Berlin")
Stored = list[dict[str, Any]]


@pytest.fixture(params=["duckdb", "parquet", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "duckdb":
        return DuckDBFile(tmp_path)
    if request.param == "parquet":
        return ParquetFiles(tmp_path)
    return PostgreSQL(request.getfixturevalue("postgres_url"))


@pytest.fixture
def warehouse() -> Warehouse:
    return IbisWarehouse()


def some_rows(seed: int, count: int = 400) -> list[dict[str, Any]]:
    """Rows of the last twelve days with everything that goes wrong in such tables."""
    draw = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for _ in range(count):
        loaded = to_micros(NOW) - int(draw.uniform(-0.02, 12) * 86400 * 10**6)
        if draw.random() < 0.3:
            loaded = to_micros(NOW) - draw.randrange(3 * 3600 * 10**6)
        occurred = loaded - int(draw.lognormvariate(5, 3) * 10**6) % (40 * 86400 * 10**6)
        rows.append(
            {
                "event_type": draw.choice(
                    ["user_followed_user", "a", "", None, "y" * 1200, "it's"]
                ),
                "event_id": draw.choice([None, *map(str, range(40))]),
                "platform": draw.choice(
                    [None, "ios", "ios", "web", "tv", "x", "@other", "w" * 600]
                ),
                "occurred_at": None if draw.random() < 0.05 else occurred,
                "loaded_at": None if draw.random() < 0.05 else loaded,
            }
        )
        if draw.random() < 0.05:
            rows[-1]["occurred_at"] = to_micros(NOW) + draw.randrange(3 * 86400 * 10**6)
    return rows


LAYOUTS = [
    Layout(),
    Layout("timestamptz", "timestamptz"),
    Layout("timestamp", "timestamp", BERLIN),
    Layout("double_s", "epoch_us"),
    Layout("epoch_s", "date", BERLIN),
    Layout("epoch_ms", None),
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda x: f"{x.occurred}-{x.loaded}-{x.zone.key}")
def test_counts_are_those_of_a_loop_over_the_rows(
    engine: Engine, warehouse: Warehouse, layout: Layout
) -> None:
    held = stored(layout, some_rows(1))
    exposure = engine.create(layout, held)
    request = request_of(known_values={"platform": ("tv",)})
    scan = warehouse.scan(exposure, request)
    assert as_found(scan) == brute_scan(held, exposure, request)
    assert scan.statements == 2
    first, end = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    recount = warehouse.recount(exposure, first, end)
    assert (dict(recount.rows), recount.null_loaded) == brute_recount(held, exposure, first, end)


def test_the_same_scan_twice_says_the_same(engine: Engine, warehouse: Warehouse) -> None:
    exposure = engine.create(Layout(), stored(Layout(), some_rows(2)))
    first, second = (warehouse.scan(exposure, request_of()) for _ in range(2))
    assert as_found(first) == as_found(second)


def test_an_empty_table_has_no_cells(engine: Engine, warehouse: Warehouse) -> None:
    exposure = engine.create(Layout(), [])
    scan = warehouse.scan(exposure, request_of())
    assert (scan.cells.num_rows, scan.rows, scan.future_loaded, scan.null_loaded) == (0, 0, 0, 0)
    day = datetime(2026, 3, 30, tzinfo=UTC)
    assert warehouse.recount(exposure, day, day + timedelta(days=1)).rows == {}


class Kept:
    """Cells as a cache keeps them: the loaded buckets that were read are replaced whole."""

    def __init__(self) -> None:
        self.rows: dict[tuple[Any, ...], int] = {}

    def take(self, scan: Scan) -> None:
        since = int(scan.request.rows_from.timestamp())
        self.rows = {key: n for key, n in self.rows.items() if key[-1] < since}
        self.rows |= {k: c.rows for k, c in as_found(scan).cells.items() if k[1] == ""}

    def by_day(self) -> dict[tuple[int, str | None], int]:
        days: dict[tuple[int, str | None], int] = {}
        for (event_type, _, _, _, loaded), n in self.rows.items():
            day = (loaded // 86400 * 86400, event_type)
            days[day] = days.get(day, 0) + n
        return days


def row(event_type: str, loaded: datetime, event_id: str = "1") -> dict[str, Any]:
    micros = to_micros(loaded)
    return {
        "event_type": event_type,
        "event_id": event_id,
        "platform": "ios",
        "occurred_at": micros - 10**6,
        "loaded_at": micros,
    }


def incremental(at: datetime, back: timedelta) -> Any:
    since = at - back
    since = since.replace(minute=since.minute // 5 * 5, second=0, microsecond=0)
    return request_of(at, rows_from=since, duplicates_from=None)


def test_rows_that_arrive_between_two_cycles_are_added_once(
    engine: Engine, warehouse: Warehouse
) -> None:
    """Two writers whose commits interleave: the overlap reads again what the other one added."""
    layout, kept = Layout(), Kept()
    rows = [row("a", NOW - timedelta(minutes=m)) for m in range(60)]
    exposure = engine.create(layout, stored(layout, rows))
    kept.take(warehouse.scan(exposure, request_of()))
    late_writer = [row("b", NOW - timedelta(minutes=3)), row("b", NOW - timedelta(minutes=8))]
    early_writer = [row("a", NOW + timedelta(minutes=m)) for m in range(1, 5)]
    engine.replace(layout, stored(layout, [*rows, *late_writer, *early_writer]))
    kept.take(
        warehouse.scan(exposure, incremental(NOW + timedelta(minutes=5), timedelta(minutes=15)))
    )
    assert kept.by_day() == {
        (int(datetime(2026, 3, 31, tzinfo=UTC).timestamp()), "a"): 64,
        (int(datetime(2026, 3, 31, tzinfo=UTC).timestamp()), "b"): 2,
    }


@pytest.mark.parametrize("change", ["deleted", "moved", "late"])
def test_what_an_incremental_read_cannot_see_shows_in_the_recount(
    engine: Engine, warehouse: Warehouse, change: str
) -> None:
    layout, kept = Layout(), Kept()
    rows = [row("a", NOW - timedelta(days=d, minutes=m)) for d in range(4) for m in range(10)]
    exposure = engine.create(layout, stored(layout, rows))
    kept.take(warehouse.scan(exposure, request_of()))

    if change == "deleted":
        rows = rows[:20] + rows[25:]
    elif change == "moved":  # an upsert gives old rows a new load time
        rows = rows[:20] + [row("a", NOW + timedelta(seconds=s)) for s in range(5)] + rows[25:]
    else:  # a transaction that began two days ago commits now
        rows = rows + [row("a", NOW - timedelta(days=2, minutes=30)) for _ in range(5)]
    engine.replace(layout, stored(layout, rows))
    later = NOW + timedelta(minutes=5)
    kept.take(warehouse.scan(exposure, incremental(later, timedelta(minutes=15))))

    first, end = datetime(2026, 3, 25, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    recount = warehouse.recount(exposure, first, end)
    before = {k: n for k, n in kept.by_day().items() if k[0] < int(end.timestamp())}
    differing = {day for day, _ in set(before.items()) ^ set(recount.rows.items())}
    changed = int(datetime(2026, 3, 29, tzinfo=UTC).timestamp())
    assert differing == {(changed, "a")}
    assert recount.rows[changed, "a"] - before[changed, "a"] == (5 if change == "late" else -5)

    kept.take(warehouse.scan(exposure, request_of(later, duplicates_from=None)))
    after = {k: n for k, n in kept.by_day().items() if k[0] < int(end.timestamp())}
    assert after == dict(recount.rows)


def test_a_load_from_the_future_is_counted_and_blinds_nothing(
    engine: Engine, warehouse: Warehouse
) -> None:
    rows = stored(Layout(), [row("a", NOW + timedelta(days=400)), row("a", NOW)])
    exposure = engine.create(Layout(), rows)
    scan = warehouse.scan(exposure, request_of())
    assert (scan.rows, scan.future_loaded) == (1, 1)
    past = warehouse.scan(exposure, request_of(as_of=True))
    assert (past.rows, past.future_loaded) == (1, 0)


def test_a_missing_table_is_a_fault_of_the_config(engine: Engine, warehouse: Warehouse) -> None:
    made = engine.create(Layout(), [])
    if isinstance(engine, ParquetFiles):
        broken = replace(made, parquet="/nowhere/*.parquet")
    else:
        broken = replace(made, table="evnts")
    [fault] = warehouse.verify(broken)
    assert (fault.path, fault.line) == ("config.yaml", 7)
    with pytest.raises(ExposureInvalid):
        warehouse.scan(broken, request_of())


def test_every_wrong_column_is_a_fault_with_the_nearest_name(
    engine: Engine, warehouse: Warehouse
) -> None:
    made = engine.create(Layout(), [])
    assert warehouse.verify(made) == ()
    broken = replace(
        made,
        columns=Columns("event_tpye", "platform", "loaded_at", "event_id"),
        dimensions=(Dimension("platform", "Platform"), Dimension("version", "nope")),
    )
    found = {
        fault.key.removeprefix("exposures.events."): fault for fault in warehouse.verify(broken)
    }
    assert set(found) == {
        "columns.event_type",
        "columns.occurred_at",
        "dimensions.platform",
        "dimensions.version",
    }
    assert "did you mean 'event_type'" in found["columns.event_type"].message
    assert "did you mean 'platform'" in found["dimensions.platform"].message
    assert "must be a timestamp" in found["columns.occurred_at"].message


def test_a_query_over_its_limit_is_cancelled(engine: Engine, warehouse: Warehouse) -> None:
    if engine.slow_view is None:
        pytest.skip("files have no views")
    made = engine.create(Layout(), stored(Layout(), some_rows(3, 50)))
    cast("DuckDBFile | PostgreSQL", engine).execute(engine.slow_view)
    table = "slow" if isinstance(engine, DuckDBFile) else f"{cast(PostgreSQL, engine).schema}.slow"
    slow = replace(made, table=table, query_timeout=timedelta(seconds=1))
    started = datetime.now(UTC)
    with pytest.raises(ExposureTimeout, match="cancelled after 1 s"):
        warehouse.scan(slow, request_of())
    assert datetime.now(UTC) - started < timedelta(seconds=10)
    assert warehouse.scan(made, request_of()).rows > 0, "the engine is free again"


def test_times_beyond_every_calendar_are_counted_apart(
    engine: Engine, warehouse: Warehouse
) -> None:
    if isinstance(engine, ParquetFiles):
        pytest.skip("Parquet has no infinite times")
    made = engine.create(Layout(), stored(Layout(), [row("a", NOW)]))
    insert = "INSERT INTO events (event_type, occurred_at, loaded_at) VALUES "
    at = f"TIMESTAMP '{NOW.replace(tzinfo=None)}'"
    cast("DuckDBFile | PostgreSQL", engine).execute(
        insert + f"('a', 'infinity', {at}), ('a', '-infinity', {at}), ('a', {at}, 'infinity'), "
        f"('a', {at}, '-infinity')"
    )
    scan = warehouse.scan(made, request_of())
    cells = as_found(scan).cells
    assert {k[2]: c.rows for k, c in cells.items() if k[1] == "@time"} == {"future": 1, "old": 1}
    assert (scan.rows, scan.future_loaded, scan.null_loaded) == (3, 1, 0)
    day = NOW.replace(hour=0, minute=0, second=0)
    assert sum(warehouse.recount(made, day, day + timedelta(days=1)).rows.values()) == 3


@pytest.mark.parametrize("of", ["loaded_at", "occurred_at"])
@pytest.mark.parametrize("kind", [date, str])
def test_a_partition_column_bounds_every_read_and_changes_no_count(
    engine: Engine, warehouse: Warehouse, of: str, kind: type
) -> None:
    if isinstance(engine, ParquetFiles):
        pytest.skip("hive partitions have tests of their own")
    rows = [r for r in some_rows(4) if r["loaded_at"] and r["occurred_at"]]
    held = stored(Layout(), rows)
    made = engine.create(Layout(), held)
    value = "left(cast({0} as text), 10)" if kind is str else "cast({0} as date)"
    cast("DuckDBFile | PostgreSQL", engine).execute(
        f"CREATE VIEW parted AS SELECT *, {value.format(of)} AS part FROM events"
    )
    table = (
        "parted" if isinstance(engine, DuckDBFile) else f"{cast(PostgreSQL, engine).schema}.parted"
    )
    parted = replace(made, table=table, partition=Partition("part", of))
    expected = as_found(warehouse.scan(made, request_of()))
    found = as_found(warehouse.scan(parted, request_of()))
    found.future_loaded = expected.future_loaded
    assert found == expected
    first, end = datetime(2026, 3, 22, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    assert warehouse.recount(parted, first, end).rows == warehouse.recount(made, first, end).rows


def test_hostile_names_are_counted_like_any_other(engine: Engine, warehouse: Warehouse) -> None:
    from tests.fakes import hostile_names

    names = [
        n for n in _texts(hostile_names) if "\x00" not in n or not isinstance(engine, PostgreSQL)
    ]
    layout = Layout(dimensions=(Dimension("platform", "platform", cap=500),))
    rows = [{**row(n, NOW - timedelta(minutes=5)), "platform": n} for n in names for _ in range(2)]
    held = stored(layout, rows)
    exposure = engine.create(layout, held)
    request = request_of(known_values={"platform": tuple(n for n in names if len(n) < 400)[:50]})
    assert as_found(warehouse.scan(exposure, request)) == brute_scan(held, exposure, request)
    day = NOW.replace(hour=0, minute=0, second=0)
    expected, _ = brute_recount(held, exposure, day, day + timedelta(days=1))
    assert dict(warehouse.recount(exposure, day, day + timedelta(days=1)).rows) == expected


def _texts(module: Any) -> list[str]:
    """Every hostile text that every engine can store (no lone surrogates)."""
    found: list[str] = []
    for value in vars(module).values():
        items: Any = value.values() if isinstance(value, Mapping) else value
        if isinstance(items, list | tuple):
            found += [item for item in items if isinstance(item, str)]
    assert len(found) >= 100
    return sorted({t for t in found if t.isprintable() or _storable(t)})


def _storable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def test_secrets_are_in_no_error(warehouse: Warehouse) -> None:
    url = "postgresql://watcher:s3cr3t-w0rd@127.0.0.1:9/events"
    exposure = Exposure("events", Secret(url), table="events")
    with pytest.raises(WarehouseError) as caught:
        warehouse.verify(exposure)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cr3t-w0rd" not in f"{error} {error!r}"
        error = error.__cause__
