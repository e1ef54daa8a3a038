"""Opening and closing: locks, hardening, names, time limits."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
import sqlglot

from eventwatch.model.errors import (
    ExposureBusy,
    ExposureInvalid,
    ExposureTimeout,
    WarehouseError,
)
from eventwatch.model.settings import Columns, Dimension, Exposure, Secret
from eventwatch.warehouse.connect import redact, table_path
from eventwatch.warehouse.deadline import Deadline
from eventwatch.warehouse.embedded import duckdb_config
from eventwatch.warehouse.reader import IbisWarehouse, explain
from tests.warehouse.brute import as_found, brute_scan, to_micros
from tests.warehouse.tables import (
    NOW,
    Layout,
    exposure_of,
    quoted,
    request_of,
    stored,
    write_duckdb,
)

HOSTILE = [
    'a"b',
    "a; DROP TABLE events;--",
    "select",
    "a.b",
    "🙂",
    "na\x00me",
    "'",
    "a b\n",
    "%s {0} $1 ?",
    "rows",
    "part",
    "\u202egnp.exe",
]


@pytest.fixture
def warehouse() -> IbisWarehouse:
    return IbisWarehouse()


def one_row(at: datetime = NOW - timedelta(minutes=3)) -> dict[str, object]:
    micros = to_micros(at)
    return {
        "event_type": "a",
        "event_id": "1",
        "platform": "ios",
        "occurred_at": micros,
        "loaded_at": micros,
    }


@pytest.fixture
def exposure(tmp_path: Path) -> Exposure:
    held = stored(Layout(), [one_row()])
    return exposure_of(Layout(), write_duckdb(tmp_path / "w.duckdb", Layout(), held))


WRITER = """
import duckdb, sys
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
con.close()
print("free", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def writer(tmp_path: Path, exposure: Exposure) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "w.duckdb")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate("\n\n", timeout=20)


def test_a_file_that_another_process_writes_is_busy_and_names_the_process(
    warehouse: IbisWarehouse, exposure: Exposure, writer: subprocess.Popen[str]
) -> None:
    hasty = replace(exposure, lock_wait=timedelta(seconds=0.3))
    try:
        with pytest.raises(ExposureBusy, match=f"process {writer.pid}"):
            warehouse.scan(hasty, request_of())
    finally:
        finish(writer)
    assert warehouse.scan(hasty, request_of()).rows == 1


def test_a_lock_that_is_given_back_in_time_is_waited_for(
    warehouse: IbisWarehouse, exposure: Exposure, writer: subprocess.Popen[str]
) -> None:
    patient = replace(exposure, lock_wait=timedelta(seconds=30))
    release = threading.Timer(0.5, lambda: finish(writer))
    release.start()
    assert warehouse.scan(patient, request_of()).rows == 1
    release.join()


def test_a_writer_in_this_process_is_busy_too(
    warehouse: IbisWarehouse, exposure: Exposure, tmp_path: Path
) -> None:
    hasty = replace(exposure, lock_wait=timedelta(seconds=0.2))
    with (
        duckdb.connect(str(tmp_path / "w.duckdb")),
        pytest.raises(ExposureBusy, match="another connection of this process"),
    ):
        warehouse.scan(hasty, request_of())


def test_a_scan_gives_the_file_back_to_its_writer(
    warehouse: IbisWarehouse, exposure: Exposure, tmp_path: Path
) -> None:
    warehouse.scan(exposure, request_of())
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute("INSERT INTO events SELECT * FROM events")
    assert warehouse.scan(exposure, request_of()).rows == 2


def test_two_exposures_of_one_file_are_read_at_the_same_time(
    warehouse: IbisWarehouse, exposure: Exposure
) -> None:
    found: list[int] = []

    def read() -> None:
        found.extend(warehouse.scan(exposure, request_of()).rows for _ in range(3))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 12


def test_a_view_cannot_read_files_beside_the_exposure(
    warehouse: IbisWarehouse, exposure: Exposure, tmp_path: Path
) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute(f"COPY events TO '{tmp_path / 'other.parquet'}'")
        con.execute(f"CREATE VIEW out AS SELECT * FROM '{tmp_path / 'other.parquet'}'")
    with pytest.raises(WarehouseError, match="disabled by configuration"):
        warehouse.scan(replace(exposure, table="out"), request_of())


def test_a_scan_spills_where_it_may_write_nowhere_else(
    warehouse: IbisWarehouse, tmp_path: Path
) -> None:
    path = tmp_path / "big.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TABLE events AS SELECT 'e' || (i % 50) AS event_type, md5(i::VARCHAR) AS event_id, "
            "'ios' AS platform, TIMESTAMP '2026-03-31 12:00:00' - to_seconds(i % 80000) AS occurred_at, "
            "occurred_at AS loaded_at FROM range(600000) r(i)"
        )
    made = exposure_of(Layout(), f"duckdb://{path}?memory_limit=40MB&threads=2")
    assert warehouse.scan(made, request_of()).rows == 600_000


def test_a_view_and_a_table_of_another_schema_are_read_by_name(
    warehouse: IbisWarehouse, exposure: Exposure, tmp_path: Path
) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute("CREATE SCHEMA lake")
        con.execute("CREATE TABLE lake.raw AS SELECT * FROM events")
        con.execute('CREATE VIEW lake."latest.v1" AS SELECT * FROM lake.raw')
    for table in ("lake.raw", "w.lake.raw", 'lake."latest.v1"', "main.events"):
        assert warehouse.scan(replace(exposure, table=table), request_of()).rows == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_tables_and_columns_are_only_names(
    warehouse: IbisWarehouse, tmp_path: Path, name: str
) -> None:
    if "\0" in name and duckdb.__version__ < "2":
        pytest.skip("DuckDB 1.5 ends a statement at a NUL, so nobody can make such a table")
    path = tmp_path / "w.duckdb"
    other = name + "2"
    with duckdb.connect(str(path)) as con:
        con.execute(
            f"CREATE TABLE {quoted(name)} ({quoted(name)} VARCHAR, {quoted(other)} TIMESTAMP, id VARCHAR)"
        )
        con.execute(
            f"INSERT INTO {quoted(name)} VALUES (?, ?, '1')", [name, NOW.replace(tzinfo=None)]
        )
    made = Exposure(
        "events",
        Secret(f"duckdb://{path}"),
        table=quoted(name),
        columns=Columns(name, other, other, "id"),
        dimensions=(Dimension(name, name),),
    )
    assert warehouse.verify(made) == ()
    request = request_of()
    expected = brute_scan([{name: name, other: NOW, "id": "1"}], made, request)
    assert as_found(warehouse.scan(made, request)) == expected
    told = (part.strip() for part in explain(made, request).split("\n\n"))
    statements = [part for part in told if part.startswith(("SELECT", "WITH"))]
    assert len(statements) == 2
    for sql in statements:
        assert len(duckdb.extract_statements(sql)) == 1
        assert len(sqlglot.parse(sql, dialect="duckdb")) == 1


def test_enumerations_numbers_and_identifiers_serve_as_names(
    warehouse: IbisWarehouse, tmp_path: Path
) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TABLE events (kind INTEGER, happened TIMESTAMP_NS, seen TIMESTAMP_S, id UUID, "
            "os ENUM('ios', 'web'), beta BOOLEAN, version DECIMAL(4, 1), day DATE)"
        )
        con.execute(
            "INSERT INTO events SELECT 7, TIMESTAMP_NS '2026-03-31 12:00:00.999999999', "
            "TIMESTAMP_S '2026-03-31 12:00:01', uuid(), 'ios', true, 4.5, DATE '2026-03-31'"
        )
    dimensions = tuple(Dimension(n, n) for n in ("os", "beta", "version", "day"))
    made = Exposure(
        "events",
        Secret(f"duckdb://{path}"),
        table="events",
        columns=Columns("kind", "happened", "seen", "id"),
        dimensions=dimensions,
    )
    request = request_of(known_values={"os": ("not in the enumeration",)})
    cells = as_found(warehouse.scan(made, request)).cells
    assert {k[:3] for k in cells} == {
        ("7", "", ""),
        ("7", "@delay", "0"),
        ("7", "os", "ios"),
        ("7", "beta", "true"),
        ("7", "version", "4.5"),
        ("7", "day", "2026-03-31"),
    }


def test_a_number_of_a_day_is_a_partition(warehouse: IbisWarehouse, tmp_path: Path) -> None:
    from eventwatch.model.settings import Partition

    path = tmp_path / "w.duckdb"
    write_duckdb(path, Layout(), stored(Layout(), [one_row(), one_row(NOW - timedelta(days=6))]))
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE VIEW parted AS SELECT *, strftime(loaded_at, '%Y%m%d')::INTEGER AS part FROM events"
        )
    made = exposure_of(Layout(), f"duckdb://{path}", table="parted", partition=Partition("part"))
    assert warehouse.scan(made, request_of()).rows == 2
    assert '"part" >= 20260330' in explain(made, request_of(rows_from=NOW - timedelta(minutes=5)))


@pytest.mark.parametrize(
    "kind", ["{}", "timezone('UTC', {})", "epoch_ms({})", "epoch({})", "epoch_us({}) * 1000"]
)
def test_an_incremental_read_opens_only_the_newest_row_groups(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(
            "CREATE TABLE events AS SELECT 'e' AS event_type, i::VARCHAR AS event_id, 'ios' AS platform, "
            + kind.format("TIMESTAMP '2026-03-31 12:07:00' - to_seconds(1000000 - i)")
            + " AS occurred_at, occurred_at AS loaded_at FROM range(1000000) r(i)"
        )
    if duckdb.__version__ < "2":
        pytest.skip("DuckDB 1.5 does not say in its plan how many row groups it reads")
    made = exposure_of(Layout(), f"duckdb://{path}")
    since = NOW.replace(minute=5, second=0)
    recent = request_of(rows_from=since, cuts_from=since, delays_from=since, duplicates_from=since)
    scanned = [
        tuple(int(n) for n in line.split("Scanned:")[1].split("│")[0].split("/"))
        for line in explain(made, recent, analyze=True).split("│ Row Groups")
        if "Scanned:" in line
    ]
    assert scanned, "the plan no longer says how many row groups were read"
    assert {total for _, total in scanned} == {9}
    assert max(read for read, _ in scanned) <= 1


def test_the_wait_for_a_query_ends_at_its_limit(
    warehouse: IbisWarehouse, exposure: Exposure, tmp_path: Path
) -> None:
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        con.execute(
            "CREATE VIEW slow AS SELECT e.* FROM events e, range(3000000) a, range(3000000) b"
        )
    slow = replace(exposure, table="slow", query_timeout=timedelta(seconds=0.5))
    started = time.monotonic()
    day = datetime(2026, 3, 30, tzinfo=UTC)
    with pytest.raises(ExposureTimeout, match="query_timeout"):
        warehouse.recount(slow, day, day + timedelta(days=2))
    assert time.monotonic() - started < 8
    with duckdb.connect(str(tmp_path / "w.duckdb")) as con:
        assert con.execute("SELECT count(*) FROM events").fetchall() == [(1,)], "the lock is free"


def test_a_lost_cancel_is_repeated() -> None:
    calls: list[float] = []
    enough = threading.Event()

    def cancel() -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise RuntimeError("nothing runs yet")
        enough.set()

    with Deadline(0.01, cancel) as deadline:
        assert enough.wait(10)
    assert deadline.expired
    assert len(calls) >= 2


def test_progress_is_told_from_start_to_end(warehouse: IbisWarehouse, exposure: Exposure) -> None:
    told: list[tuple[float, str]] = []
    warehouse.scan(exposure, request_of(), lambda share, word: told.append((share, word)))
    assert {word for _, word in told} == {"counting rows", "looking for repeats"}
    assert told[0][0] == 0


def test_a_missing_file_is_an_error_and_is_not_made(
    warehouse: IbisWarehouse, tmp_path: Path
) -> None:
    made = exposure_of(Layout(), f"duckdb://{tmp_path}/gone.duckdb")
    with pytest.raises(WarehouseError, match="no DuckDB file"):
        warehouse.verify(made)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_without_its_driver_says_what_to_install(warehouse: IbisWarehouse) -> None:
    with pytest.raises(WarehouseError, match=r"pip install 'ibis-framework\[snowflake\]'"):
        warehouse.verify(Exposure("e", Secret("snowflake://u:p4ssw0rd@a/b/c"), table="t"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("events", ("events",)),
        ("lake.events", ("lake", "events")),
        ('c."a.b".t', ("c", "a.b", "t")),
        ('"a""b"', ('a"b',)),
        ('a"b', ('a"b',)),
    ],
)
def test_table_names_split_at_dots_outside_of_quotes(text: str, parts: tuple[str, ...]) -> None:
    assert table_path(text) == parts


def test_settings_of_duckdb_come_from_the_url_and_only_harmless_ones() -> None:
    path, config = duckdb_config("duckdb:///data/my%20events.duckdb?memory_limit=2GB&threads=8")
    assert (path, config["memory_limit"], config["threads"]) == (
        "/data/my events.duckdb",
        "2GB",
        "8",
    )
    with pytest.raises(ValueError, match="allow_unsigned_extensions"):
        duckdb_config("duckdb:///x.duckdb?allow_unsigned_extensions=true")


def test_a_setting_of_duckdb_that_is_not_ours_is_a_fault(warehouse: IbisWarehouse) -> None:
    [fault] = warehouse.verify(Exposure("e", Secret("duckdb:///x?custom_user_agent=a"), table="t"))
    assert fault.key == "exposures.e.connection"


def test_a_password_is_taken_out_of_any_text() -> None:
    exposure = Exposure("e", Secret("postgresql://u:p%40ss-word@h/db?options=s3cret"), table="t")
    text = redact("u p%40ss-word p@ss-word s3cret postgresql://u:p%40ss-word@h/db", exposure)
    assert "ss-word" not in text
    assert "s3cret" not in text


def test_nothing_is_asked_of_a_url_that_names_no_file(warehouse: IbisWarehouse) -> None:
    with pytest.raises(ExposureInvalid, match="empty database"):
        warehouse.scan(Exposure("e", Secret("duckdb://"), table="t"), request_of())
