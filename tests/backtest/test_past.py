"""A view of the past holds what an audit of that instant reads from the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.app.house import House
from eventwatch.backtest import recording as recordings
from eventwatch.backtest.past import PastDay, Scene
from eventwatch.backtest.recording import Recording, plan_recording, record
from eventwatch.backtest.span import Span
from eventwatch.model.measurement import Cells, SeriesKey
from eventwatch.model.state import ExposureState
from eventwatch.model.view import ExposureView
from eventwatch.pipeline.measure import Job, Measured, measure
from tests.fakes.project import Project

FIRST = datetime(2026, 3, 10, tzinfo=UTC)
LAST = datetime(2026, 3, 11, 18, tzinfo=UTC)
DUPLICATES = timedelta(hours=24)


def rows() -> pd.DataFrame:
    """Nine days in which types begin and end, some rows are late by days, some have odd times."""
    random = np.random.default_rng(11)
    size = 12_000
    occurred = pd.Timestamp(LAST) - pd.to_timedelta(random.uniform(0, 9 * 86400, size), unit="s")
    late = np.where(random.random(size) < 0.05, random.uniform(0, 4 * 86400, size), 0)
    delay = pd.to_timedelta(random.exponential(400, size) + late, unit="s")
    names = random.choice(["a", "b", "c", "née\ud7ff", ""], size, p=[0.5, 0.3, 0.1, 0.06, 0.04])
    frame = pd.DataFrame(
        {
            "event_id": [str(i if i % 9 else i - 1) for i in range(size)],
            "event_type": names,
            "occurred_at": occurred,
            "loaded_at": (occurred + delay).floor("us"),
            "platform": np.array(["ios", "web", None], dtype=object)[random.integers(0, 3, size)],
        }
    )
    frame.loc[(frame.event_type == "b") & (frame.loaded_at < pd.Timestamp(FIRST)), "event_type"] = (
        "a"
    )
    frame.loc[frame.index % 501 == 0, "occurred_at"] = pd.NaT
    frame.loc[frame.index % 907 == 0, "event_type"] = None
    return frame[frame.loaded_at <= pd.Timestamp(LAST) + pd.Timedelta("3h")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    project = Project(tmp_path_factory.mktemp("past") / "project")
    project.declare("a", "b")
    project.config("    look_back: 6d\n")
    project.rows(rows())
    return app.load(project.folder / "config.yaml")


@pytest.fixture(scope="module")
def recording(house: House) -> Recording:
    exposure = house.settings.exposures[0]
    request = plan_recording(exposure, Span.of(FIRST, LAST, timedelta(hours=1)), DUPLICATES)
    history = app.adapter("memory")()
    history.replace("x", house.warehouse.scan(exposure, request))
    return record(history, "x", exposure, request)


def audited(house: House, at: datetime) -> ExposureView:
    job = Job(house.settings.exposures[0], house.catalog, ExposureState(), at, True, DUPLICATES)
    found = measure(job, house.warehouse, app.adapter("memory")())
    assert isinstance(found, Measured)
    return found.view


def replayed(house: House, recording: Recording, at: datetime) -> ExposureView:
    scene = Scene(house.settings.exposures[0], house.catalog, FIRST)
    return PastDay(scene, recording, at).view(at)


def counts(cells: Cells, by: str, step: int = 3600) -> dict[tuple[SeriesKey, int], int]:
    found: dict[tuple[SeriesKey, int], int] = {}
    for i in range(len(cells.series)):
        name = cells.keys[cells.series[i]], int(getattr(cells, by)[i]) // step
        found[name] = found.get(name, 0) + int(cells.rows[i])
    return found


@pytest.mark.parametrize(
    "at",
    [
        FIRST,
        FIRST + timedelta(hours=1),
        FIRST + timedelta(hours=23),
        FIRST + timedelta(hours=31),
        LAST,
    ],
)
def test_at_a_whole_hour_every_set_is_that_of_an_audit(
    house: House, recording: Recording, at: datetime
) -> None:
    one, other = audited(house, at), replayed(house, recording, at)
    for name in ("rows", "cuts", "delays", "duplicates", "bad_times"):
        a, b = getattr(one, name), getattr(other, name)
        assert set(a.keys) == set(b.keys), name
        if name == "duplicates":
            # An audit looks four days back for them, a daemon remembers those since it began.
            lately = int(at.timestamp()) // 3600 * 3600 - 4 * 86400
            b = b.where(b.loaded >= lately)
        for by in ("occurred",) if name == "cuts" else ("occurred", "loaded"):
            assert counts(a, by) == counts(b, by), (name, by)
    assert one.measured_from == other.measured_from


@pytest.mark.parametrize("minutes", [5, 35, 55, 25 * 60 + 10])
def test_between_hours_the_rows_are_those_of_an_audit_by_five_minutes(
    house: House, recording: Recording, minutes: int
) -> None:
    at = FIRST + timedelta(minutes=minutes)
    one, other = audited(house, at).rows, replayed(house, recording, at).rows
    since = int(at.timestamp()) - 46 * 3600
    for by in ("occurred", "loaded"):
        young = [
            {k: n for k, n in counts(cells, by, 300).items() if k[1] * 300 >= since}
            for cells in (one.where(one.occurred >= since), other.where(other.occurred >= since))
        ]
        assert young[0] == young[1]
    assert int(one.last_loaded.max()) == int(other.last_loaded.max())


def test_cycles_of_a_day_asked_for_in_turn_are_as_those_asked_for_alone(
    house: House, recording: Recording
) -> None:
    scene = Scene(house.settings.exposures[0], house.catalog, FIRST)
    day = PastDay(scene, recording, FIRST)
    for hours in range(24):
        at = FIRST + timedelta(hours=hours)
        one, alone = day.view(at), replayed(house, recording, at)
        assert one.ledger == alone.ledger
        for name in ("rows", "cuts", "delays", "duplicates", "bad_times"):
            a, b = getattr(one, name), getattr(alone, name)
            assert a.keys == b.keys
            assert np.array_equal(a.rows, b.rows)
            assert np.array_equal(a.last_loaded, b.last_loaded)


def test_cells_of_a_series_stand_together_as_in_the_history(
    house: House, recording: Recording
) -> None:
    view = replayed(house, recording, LAST)
    for cells in (view.rows, view.cuts, view.delays):
        # Once for the days before, once for today.
        assert len(cells.runs) <= 2 * len(cells.keys)


def test_nothing_that_came_later_is_seen(house: House, recording: Recording) -> None:
    for hours in (0, 7, 30):
        at = FIRST + timedelta(hours=hours)
        view = replayed(house, recording, at)
        seconds = at.timestamp()
        assert view.rows.last_loaded.max() <= seconds
        assert all(seen.last_at <= at and seen.first_at <= at for seen in view.ledger.values())


def test_the_ledger_holds_all_that_came_since_the_recording_began(
    house: House, recording: Recording
) -> None:
    one, other = audited(house, LAST).ledger, replayed(house, recording, LAST).ledger
    for key, seen in one.items():
        assert other[key].last_at == seen.last_at
        assert other[key].first_at <= seen.first_at


def test_a_recording_comes_back_from_its_folder_as_it_was(
    recording: Recording, tmp_path: Path
) -> None:
    recordings.save(recording, tmp_path)
    back = recordings.opened(tmp_path)
    assert back.keys == recording.keys
    assert (back.first_day, back.day_count) == (recording.first_day, recording.day_count)
    for grain in ("young", "old"):
        for name, days in getattr(recording, grain).items():
            other = getattr(back, grain)[name]
            assert np.array_equal(other.begins, days.begins)
            for column, array in days.columns.items():
                assert np.array_equal(other.columns[column], array)
