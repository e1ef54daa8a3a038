"""Parquet files that change, drift, are partitioned, or are not there."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eventwatch.model.errors import ExposureBusy, ExposureInvalid, WarehouseError
from eventwatch.model.settings import Dimension, Exposure, Partition
from eventwatch.warehouse.parquet import look, steadily
from eventwatch.warehouse.reader import IbisWarehouse, explain
from tests.warehouse.brute import as_found, to_micros
from tests.warehouse.tables import NOW, Layout, exposure_of, request_of, stored, write_parquet

OLD = 1.7e9


def rows(count: int) -> list[dict[str, Any]]:
    at = to_micros(NOW - timedelta(minutes=3))
    return stored(
        Layout(),
        [
            {
                "event_type": "a",
                "event_id": str(i),
                "platform": "ios",
                "occurred_at": at,
                "loaded_at": at,
            }
            for i in range(count)
        ],
    )


def publish(path: Path, held: list[dict[str, Any]], changed_at: float = OLD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(path.with_suffix(".new"), Layout(), held)
    os.utime(path.with_suffix(".new"), (changed_at, changed_at))
    path.with_suffix(".new").replace(path)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    publish(tmp_path / "lake" / "1.parquet", rows(3))
    publish(tmp_path / "lake" / "2.parquet", rows(4))
    return tmp_path / "lake"


def of(lake: Path, **changes: Any) -> Exposure:
    made = exposure_of(Layout(), "duckdb://", table=None, parquet=str(lake / "**" / "*.parquet"))
    return replace(made, **changes)


def test_a_file_that_is_replaced_during_the_read_is_read_again(lake: Path) -> None:
    seen: list[int] = []

    def read(files: tuple[str, ...]) -> int:
        found = sum(int(pq.read_table(file).num_rows) for file in files)
        seen.append(found)
        if len(seen) == 1:
            publish(lake / "1.parquet", rows(10))
        return found

    assert steadily(of(lake), read) == 14
    assert seen == [7, 14]


def test_a_file_that_is_overwritten_in_place_is_read_again(lake: Path) -> None:
    """Same inode, same size, another time of change: what a hasty copy does."""
    count = 0

    def read(files: tuple[str, ...]) -> int:
        nonlocal count
        count += 1
        if count == 1:
            content = (lake / "1.parquet").read_bytes()
            with (lake / "1.parquet").open("r+b") as file:
                file.write(content)
            os.utime(lake / "1.parquet", (OLD + 1, OLD + 1))
        return count

    assert steadily(of(lake), read) == 2


def test_files_that_never_rest_are_busy(lake: Path) -> None:
    changes = 0

    def read(files: tuple[str, ...]) -> int:
        nonlocal changes
        changes += 1
        publish(lake / "1.parquet", rows(changes), OLD + changes)
        return 0

    with pytest.raises(ExposureBusy, match="were replaced while they were read"):
        steadily(of(lake, lock_wait=timedelta(seconds=0.3)), read)


def test_an_error_from_a_torn_read_is_not_the_answer(lake: Path) -> None:
    calls = 0

    def read(files: tuple[str, ...]) -> str:
        nonlocal calls
        calls += 1
        if calls == 1:
            publish(lake / "1.parquet", rows(10))
            raise WarehouseError("no magic bytes")
        return "read"

    assert steadily(of(lake), read) == "read"


def test_an_error_of_files_that_did_not_change_is_told(lake: Path) -> None:
    def read(files: tuple[str, ...]) -> str:
        raise WarehouseError("no magic bytes")

    with pytest.raises(WarehouseError, match="no magic bytes"):
        steadily(of(lake), read)


def test_a_file_that_was_just_written_is_left_to_rest(lake: Path) -> None:
    publish(lake / "3.parquet", rows(5), time.time())
    with pytest.raises(ExposureBusy, match="are being written"):
        steadily(of(lake, lock_wait=timedelta(seconds=0.2)), lambda files: 0, quiet=60)
    assert steadily(of(lake), len, quiet=0.2) == 3


def test_files_from_the_future_are_read_once_they_were_seen_to_rest(lake: Path) -> None:
    publish(lake / "3.parquet", rows(5), time.time() + 86400)
    assert steadily(of(lake), len, quiet=0.2) == 3


def test_a_file_that_appears_during_the_read_waits_for_the_next_one(lake: Path) -> None:
    def read(files: tuple[str, ...]) -> int:
        publish(lake / "9.parquet", rows(1))
        return len(files)

    assert steadily(of(lake), read) == 2


def test_no_file_at_all_is_a_fault_with_the_pattern(tmp_path: Path) -> None:
    with pytest.raises(ExposureInvalid, match=r"no file matches .*\*\.parquet"):
        IbisWarehouse().scan(of(tmp_path / "none"), request_of())


@pytest.mark.parametrize("pattern", ["lake/*.parquet", "s3://bucket/*.parquet"])
def test_only_absolute_local_paths_are_read(pattern: str, tmp_path: Path) -> None:
    [fault] = IbisWarehouse().verify(of(tmp_path, parquet=pattern))
    assert "absolute path" in fault.message


def test_hidden_files_are_no_data(lake: Path) -> None:
    publish(lake / ".half.parquet", rows(50))
    assert len(look(str(lake / "**" / "*.parquet")).files) == 2


def test_columns_that_came_later_are_null_in_older_files(lake: Path) -> None:
    table = pq.read_table(lake / "1.parquet")
    drifted = table.append_column("app_version", pa.array(["2"] * table.num_rows))
    pq.write_table(drifted.select(drifted.column_names[::-1]), lake / "3.parquet")
    os.utime(lake / "3.parquet", (OLD, OLD))
    exposure = of(lake, dimensions=(Dimension("version", "app_version"),))
    cells = as_found(IbisWarehouse().scan(exposure, request_of())).cells
    assert {k[2]: c.rows for k, c in cells.items() if k[1] == "version"} == {"@null": 7, "2": 3}


def test_folders_named_by_day_are_a_partition_column(tmp_path: Path) -> None:
    for day in range(1, 32):
        publish(tmp_path / f"load_date=2026-03-{day:02}" / "part.parquet", rows(1))
    exposure = of(tmp_path, partition=Partition("load_date"))
    since = NOW.replace(minute=0, second=0)
    request = request_of(rows_from=since, cuts_from=since, delays_from=since, duplicates_from=None)
    # The rows all claim to be loaded today, so what was read shows in the count.
    assert IbisWarehouse().scan(exposure, request).rows == 2
    assert "2/31" in explain(exposure, request, analyze=True).replace(" ", "")


def test_a_name_with_a_quote_is_only_a_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's; SELECT 1 --"
    publish(folder / "a'b.parquet", rows(2))
    assert IbisWarehouse().scan(of(folder), request_of()).rows == 2


def test_parquet_cannot_reach_beyond_its_files(lake: Path) -> None:
    from eventwatch.warehouse.connect import opened

    with opened(of(lake), (str(lake / "1.parquet"),)) as source:
        for statement in (
            "SELECT * FROM read_text('/etc/passwd')",
            f"SELECT * FROM '{lake / '2.parquet'}'",
            f"COPY (SELECT 1) TO '{lake / '3.parquet'}'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                source.con.con.execute(statement).fetchall()
