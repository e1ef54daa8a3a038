"""What a measurement makes of the time that passes while it is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from eventwatch import app
from eventwatch.model.measurement import ScanRequest
from eventwatch.model.settings import Exposure
from eventwatch.model.state import ExposureState
from eventwatch.pipeline.measure import Job, Measured, measure
from eventwatch.ports.warehouse import Warehouse
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("ahead", "paused", "future"),
    [
        # A loader's clock may be a little ahead of ours.
        (3 * MINUTE, 0 * MINUTE, 0),
        (9 * MINUTE, 0 * MINUTE, 100),
        (9 * MINUTE, 4 * MINUTE, 100),
        # The machine slept after it had read the clock, and the rows came meanwhile.
        (9 * MINUTE, 10 * MINUTE, 0),
    ],
)
def test_rows_of_the_future_are_those_that_no_pause_explains(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ahead: timedelta,
    paused: timedelta,
    future: int,
) -> None:
    project = Project(tmp_path / "shop")
    project.declare("a")
    project.config("    look_back: 6d\n")
    loaded = [NOW - MINUTE] * 100 + [NOW + ahead] * 100
    project.rows(
        pd.DataFrame(
            {
                "event_id": [str(k) for k in range(200)],
                "event_type": "a",
                "occurred_at": NOW - MINUTE,
                "loaded_at": loaded,
                "platform": "web",
            }
        )
    )
    house = app.load(project.folder / "config.yaml")
    clock = FakeClock(NOW)

    scan = type(house.warehouse).scan

    def sleeps(warehouse: Warehouse, exposure: Exposure, request: ScanRequest, *rest: Any) -> Any:
        clock.step(paused)
        return scan(warehouse, exposure, request, *rest)

    monkeypatch.setattr(type(house.warehouse), "scan", sleeps)
    job = Job(
        house.settings.exposures[0], house.catalog, ExposureState(), NOW, False, None, clock=clock
    )
    found = measure(job, house.warehouse, app.adapter("memory")())
    assert isinstance(found, Measured)
    assert (found.scan.rows, found.view.future_loaded) == (100, future)
