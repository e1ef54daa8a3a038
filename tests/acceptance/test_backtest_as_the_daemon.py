"""A backtest tells what the daemon told: the same alerts, opened and resolved at the same cycles."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.app.backtest import BacktestOptions, backtest
from eventwatch.backtest.incident import Incident
from eventwatch.backtest.span import Span
from tests.fakes.clock import FakeClock
from tests.fakes.notifier import FakeNotifier
from tests.fakes.project import Project

FIRST = datetime(2026, 3, 10, 9, tzinfo=UTC)
HOURS = 37
LAST = FIRST + timedelta(hours=HOURS)
DECLARED = [f"user_did_{i}" for i in range(8)]
CHECKS = """
- kind: freshness
  events: user_did_3
  for: 2h
- kind: volume
  keep: 3h
"""

Told = tuple[str, datetime | None, datetime | None]
"""Fingerprint, first bad cycle, cycle that fired, cycle that ended it."""


def rows() -> pd.DataFrame:
    """Seventeen days of eight event types with a daily rhythm, and trouble in the last three days."""
    random = np.random.default_rng(5)
    start = LAST - timedelta(days=17)
    frames = []
    for i, name in enumerate([*DECLARED, "user_did_unheard_of"]):
        hours = pd.date_range(start, LAST, freq="1h", tz="UTC", inclusive="left")
        rate = (20 + 6 * i) * (1 + 0.5 * np.sin((hours.hour - 8) / 24 * 2 * np.pi))
        begin = pd.Timestamp(FIRST)
        if i == 0:  # silent for eleven hours
            rate = np.where(
                (hours >= begin + pd.Timedelta("6h")) & (hours < begin + pd.Timedelta("17h")),
                0,
                rate,
            )
        if i == 1:  # far too many for five hours
            rate = np.where(
                (hours >= begin + pd.Timedelta("20h")) & (hours < begin + pd.Timedelta("25h")),
                rate * 5,
                rate,
            )
        if i == 2:  # gone for good
            rate = np.where(hours >= begin + pd.Timedelta("30h"), 0, rate)
        if i == 3:  # a short silence, shorter than its hold
            rate = np.where(
                (hours >= begin + pd.Timedelta("9h")) & (hours < begin + pd.Timedelta("10h")),
                0,
                rate,
            )
        if name not in DECLARED:
            rate = np.where(hours >= begin + pd.Timedelta("12h"), 3, 0)
        counts = random.poisson(np.asarray(rate, dtype=float))
        occurred = hours.repeat(counts) + pd.to_timedelta(
            random.uniform(0, 3600, counts.sum()), unit="s"
        )
        platform = random.choice(["ios", "android", "web"], len(occurred), p=[0.5, 0.3, 0.2])
        if i == 4:  # android stops
            late = np.asarray(occurred >= begin + pd.Timedelta("15h")) & (platform == "android")
            occurred, platform = occurred[~late], platform[~late]
        ids = [f"{i}-{k}" for k in range(len(occurred))]
        if i == 5:  # a tenth of the ids twice
            ids = [
                f"{i}-{k - 1}"
                if k % 10 == 0 and occurred[k] >= begin + pd.Timedelta("22h")
                else each
                for k, each in enumerate(ids)
            ]
        delay = pd.to_timedelta(random.gamma(2.0, 60.0, len(occurred)), unit="s")
        frames.append(
            pd.DataFrame(
                {
                    "event_id": ids,
                    "event_type": name,
                    "occurred_at": occurred,
                    "loaded_at": (occurred + delay).floor("us"),
                    "platform": platform,
                }
            )
        )
    frame = pd.concat(frames, ignore_index=True)
    return frame[frame.loaded_at <= pd.Timestamp(LAST)].sort_values("loaded_at")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("backtest") / "project")
    made.declare(*DECLARED)
    made.config("    look_back: 14d\n")
    (made.folder / "checks" / "growth.yaml").write_text(CHECKS)
    return made


@pytest.fixture(scope="module")
def lived(project: Project) -> Path:
    """The state of a daemon that ran through those days."""
    frame = rows()
    clock = FakeClock(FIRST)
    project.rows(frame.iloc[:0])
    house = replace(app.load(project.folder / "config.yaml"), clock=clock)
    opened = app.store(house)
    history = app.adapter("history")(house.settings.history)
    place = app.Workplace(house, opened, history, house.catalog)
    speaker = FakeNotifier()
    done = pd.Timestamp("2000-01-01", tz="UTC")
    while clock.now() <= LAST:
        now = pd.Timestamp(clock.now())
        new = frame[(frame.loaded_at > done) & (frame.loaded_at <= now)]
        with duckdb.connect(str(project.database)) as connection:
            connection.register("new", new)
            connection.execute("INSERT INTO events SELECT * FROM new")
        report = app.run_cycle(
            place, house.settings.exposures[0], app.RunOptions(), app.new_run_id(clock.now())
        )
        assert not report.error
        app.tell(house, opened, speaker)
        done = now
        clock.step(timedelta(hours=1))
    opened.close()
    return project.folder / "var" / "state.db"


def _at(micros: int | None) -> datetime | None:
    if micros is None:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def remembered(state: Path) -> Iterator[Told]:
    """Every incident of the daemon."""
    with sqlite3.connect(state) as connection:
        found = connection.execute(
            "SELECT id, told_at, good_since FROM eventwatch_incident"
        ).fetchall()
    for incident_id, told_at, good_since in found:
        yield incident_id, _at(told_at), _at(good_since)


def expired(state: Path) -> int:
    """Alerts that ended before they fired."""
    with sqlite3.connect(state) as connection:
        (count,) = connection.execute(
            "SELECT count(*) FROM eventwatch_alert WHERE fired_at IS NULL AND ended_at IS NOT NULL"
        ).fetchone()
    return int(count)


def posts(state: Path) -> set[str]:
    """Every message that the daemon made."""
    with sqlite3.connect(state) as connection:
        return {key for (key,) in connection.execute("SELECT id FROM eventwatch_post")}


def told(incident: Incident) -> Told:
    return incident.id, incident.told_at, incident.ended_at


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_same_incidents_are_told_and_end_at_the_same_cycles(
    project: Project, lived: Path, jobs: int
) -> None:
    house = app.load(project.folder / "config.yaml")
    options = BacktestOptions(app.RunOptions(), Span.of(FIRST, LAST, timedelta(hours=1)), jobs=jobs)
    found = backtest(house, options)
    lived_through = sorted(remembered(lived), key=str)
    assert len(lived_through) >= 5
    assert sorted(map(told, found.incidents()), key=str) == lived_through
    replayed = found.exposures[0].now
    assert replayed is not None
    assert replayed.untold == expired(lived)
    said = {i.message for i in found.incidents()}
    assert len(said) > 2
    assert said <= posts(lived)
