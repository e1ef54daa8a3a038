from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eventwatch.backtest.judging import Assignment
from eventwatch.backtest.past import Scene
from eventwatch.backtest.picture import picture
from eventwatch.backtest.pool import processors, workers
from eventwatch.backtest.recording import COLUMNS, SETS, Days, Recording
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.model.contract import Catalog, Contract, Location
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.settings import Exposure, Secret
from eventwatch.pipeline.judge import Restriction
from tests.backtest.incidents import START, incident

FIRST_DAY = int(START.timestamp())
PASSWORD = "correct-horse"


def recording(days: int = 3) -> Recording:
    """One row an hour of ``a`` and two of ``b``."""
    hours = FIRST_DAY + 3600 * np.arange(24 * days)
    size = len(hours)
    columns: dict[str, Any] = {
        "series": np.tile([0, 1], size).astype(np.int32),
        "rows": np.tile([1, 2], size).astype(np.uint32),
    }
    columns |= {name: np.repeat(hours, 2) for name in COLUMNS if name not in columns}
    full = Days(columns, 48 * np.arange(days + 1))
    none = Days({name: columns[name][:0] for name in COLUMNS}, np.zeros(days + 1, dtype=np.int64))
    return Recording(
        first_day=FIRST_DAY,
        day_count=days,
        keys={name: (SeriesKey("a"), SeriesKey("b")) for name in SETS},
        young=dict.fromkeys(SETS, none),
        old={name: full if name == "rows" else none for name in SETS},
    )


def assignment() -> Assignment:
    contract = Contract("a", "a", Location("x.proto", 1))
    exposure = Exposure("events", Secret(f"postgres://me:{PASSWORD}@host/db"))
    scene = Scene(exposure, Catalog({"a": contract}, {}, ""), START)
    return Assignment(scene, ((VolumeCheck(z_threshold=5.0),),), Restriction())


def described(given: Assignment, cells: Recording, task: int) -> tuple[int, str, int, set[str]]:
    return (
        task,
        next(iter(given.scene.catalog.contracts)),
        int(cells.old["rows"].columns["rows"].sum()),
        set(given.checks[0][0].model_fields_set),
    )


def dies(given: Assignment, cells: Recording, task: int) -> None:
    os._exit(9)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_process_has_the_recording_and_answers_keep_their_order(jobs: int) -> None:
    with workers(assignment(), recording(), jobs) as desk:
        found = list(desk.each(described, range(4)))
    assert found == [(task, "a", 216, {"z_threshold"}) for task in range(4)]


def test_no_password_lies_in_the_folder_and_nothing_of_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with workers(assignment(), recording(), 2):
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_dies_is_said_and_nobody_waits_for_it() -> None:
    with pytest.raises(OSError, match="--jobs"), workers(assignment(), recording(), 2) as desk:
        list(desk.each(dies, range(3)))


def test_there_is_at_least_one_processor() -> None:
    assert processors() >= 1


@pytest.mark.parametrize(("name", "rows"), [("a", 1.0), ("b", 2.0)])
def test_a_picture_shows_the_counts_of_its_own_event_type(name: str, rows: float) -> None:
    last_at = datetime.fromtimestamp(FIRST_DAY + 3 * 86400, UTC)
    made = picture(recording(), incident(name, 30, 40), last_at)
    assert made is not None
    assert made.step == timedelta(hours=1)
    shown = {made.start_at + i * made.step: n for i, n in enumerate(made.counts)}
    inside = [n for at, n in shown.items() if START <= at < last_at]
    assert set(inside) == {rows}
    assert {n for at, n in shown.items() if at < START} <= {0.0}


def test_of_what_was_never_counted_there_is_no_picture() -> None:
    assert picture(recording(), incident("unheard_of"), START) is None
