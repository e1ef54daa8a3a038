"""F9 and F10: a table that its loader holds, and files that are read while somebody writes them."""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eventwatch.model.errors import ExposureBusy, WarehouseError
from eventwatch.model.state import SlotStatus
from eventwatch.warehouse.parquet import steadily
from tests.fakes.project import Project
from tests.faults.figures import Figures
from tests.faults.watched import daemon, ledger, lively, ran, wait_for
from tests.warehouse.tables import Layout, exposure_of

pytestmark = pytest.mark.slow
MOST_HELD = 10.0
"""Seconds that one look may keep a loader out."""


def load_for(project: Project, seconds: float) -> tuple[int, int, float]:
    """A loader that opens its file, writes for a second and a half, and closes it. How often it did,
    how often it was kept out at first, and for how long at most."""
    loads, refused, longest, ends = 0, 0, 0.0, time.monotonic() + seconds
    while time.monotonic() < ends:
        began, kept_out = time.monotonic(), False
        while True:
            try:
                connection = duckdb.connect(str(project.database))
                break
            except duckdb.IOException:
                kept_out = True
                time.sleep(0.02)
        longest = max(longest, time.monotonic() - began)
        refused += kept_out
        with contextlib.closing(connection):
            connection.execute("SET TimeZone='UTC'")
            connection.execute(
                "INSERT INTO events SELECT 'etl-' || uuid(), event_type, now(), now(), platform "
                "FROM events LIMIT 3"
            )
            time.sleep(1.5)
        loads += 1
        time.sleep(1.5)
    return loads, refused, longest


def test_a_loader_that_locks_its_table_is_waited_for_and_not_kept_out(
    project: Project, figures: Figures
) -> None:
    lively(project, minutes=30)
    with daemon(project, every=2.0) as watched:
        assert wait_for(lambda: ran(watched.state) >= 2), watched.log.read_text()
        loads, refused, longest = load_for(project, 40.0)
        assert watched.end() == 0
    figures.tried(loads)
    watched.report(figures)
    failed = [s.reason for s in ledger(watched.state) if s.status is SlotStatus.FAILED]
    assert failed == [], "a lock is no failure"
    assert longest < MOST_HELD, "a look held the file for too long"
    # A look takes a moment every two seconds: the loader may meet a few.
    assert refused <= loads / 2


VALUES = 50_000


def table(value: int) -> pa.Table:
    chance = random.Random(value)
    return pa.table(
        {
            "value": pa.array([value] * VALUES),
            "noise": pa.array([chance.random() for _ in range(VALUES)]),
        }
    )


def rewritten(path: Path, value: int) -> None:
    """Cut to nothing and written again, as most tools do."""
    pq.write_table(table(value), path)


def in_place(path: Path, value: int) -> None:
    """Over the old bytes, bit by bit, as a copying tool does that wants to save space."""
    draft = path.with_suffix(".draft")
    pq.write_table(table(value), draft)
    content = draft.read_bytes()
    draft.unlink()
    with path.open("r+b") as file:
        for start in range(0, len(content), 65536):
            file.write(content[start : start + 65536])
            file.flush()
            time.sleep(0.002)
        file.truncate()


def renamed(path: Path, value: int) -> None:
    draft = path.with_suffix(".draft")
    pq.write_table(table(value), draft)
    draft.replace(path)


def removed(path: Path, value: int) -> None:
    path.unlink()
    time.sleep(0.01)
    pq.write_table(table(value), path)


def emptied(path: Path, value: int) -> None:
    path.write_bytes(b"")
    time.sleep(0.05)
    pq.write_table(table(value), path)


def by_duckdb(path: Path, value: int) -> None:
    """Its own writer; the name is there before the content is."""
    made = table(value)
    with duckdb.connect() as connection:
        connection.register("made", made)
        connection.execute(f"COPY made TO '{path}' (FORMAT parquet)")


WAYS: tuple[Callable[[Path, int], None], ...] = (
    rewritten,
    in_place,
    renamed,
    removed,
    emptied,
    by_duckdb,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(way.__name__))
def test_no_number_comes_from_files_that_were_being_written(
    tmp_path: Path, figures: Figures, way: Callable[[Path, int], None]
) -> None:
    """Three files that always hold the same value, written anew all the time: an answer with two
    values, or of too few rows, is a wrong number."""
    lake = tmp_path / "lake"
    lake.mkdir()
    paths = [lake / f"{n}.parquet" for n in range(3)]
    for path in paths:
        pq.write_table(table(0), path)
        os.utime(path, (1.7e9, 1.7e9))
    over, chance = threading.Event(), random.Random(3)

    def write() -> None:
        value = 0
        while not over.is_set():
            value += 1
            for path in paths:
                way(path, value)
            # Longer than a file has to rest, now and then, so that some looks are taken.
            over.wait(chance.choice((0.0, 0.1, 0.5, 2.5, 3.0)))

    def read(files: tuple[str, ...]) -> list[tuple[Any, ...]]:
        names = ", ".join(f"'{file}'" for file in files)
        query = f"SELECT value, count(*), count(noise) FROM read_parquet([{names}]) GROUP BY 1"
        try:
            with duckdb.connect() as connection:
                return connection.execute(query).fetchall()
        except duckdb.Error as error:
            raise WarehouseError(str(error)) from None

    exposure = exposure_of(Layout(), "duckdb://", table=None, parquet=str(lake / "*.parquet"))
    exposure = replace(exposure, lock_wait=timedelta(seconds=1))
    writer = threading.Thread(target=write)
    writer.start()
    taken, busy, wrong = 0, 0, []
    ends = time.monotonic() + 8.0
    while time.monotonic() < ends or (not taken and time.monotonic() < ends + 30):
        try:
            answer = steadily(exposure, read)
        except ExposureBusy:
            busy += 1
            continue
        except WarehouseError as error:
            wrong.append(f"told as a fault: {error}")
            continue
        taken += 1
        good = len(answer) == 1 and answer[0][1:] in {(VALUES * n, VALUES * n) for n in (1, 2, 3)}
        if answer and not good:
            wrong.append(str(answer))
    over.set()
    writer.join()
    figures.tried(taken + busy)
    assert wrong[:3] == []
    assert taken > 0
