"""A total outage of a busy event type is told within twenty minutes, also at night, and nothing is told
before it: real cycles over a real table, five minutes apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from eventwatch import app
from eventwatch.model.alert import Alert, AlertState
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project

DAY = datetime(2026, 3, 18, tzinfo=UTC)
"""A Wednesday."""
OUTAGES = {
    "order_paid": DAY + timedelta(hours=2, minutes=1),  # the night's minimum
    "page_viewed": DAY + timedelta(hours=9, minutes=33),
    "cart_opened": DAY + timedelta(hours=17, minutes=58),
}
"""Each of 1,000 rows an hour on average over the day."""
OTHERS = {f"other_{i:02d}": 400 / (1 + i) for i in range(17)}
HISTORY = timedelta(days=12)
CYCLE = timedelta(minutes=5)
AT_MOST = timedelta(minutes=20)
BEFORE = timedelta(minutes=30)


def season(at: np.ndarray) -> np.ndarray:
    """Mean 1 over a weekday; 0.39 at two at night, 1.9 at two in the afternoon."""
    hour = at % 86400 / 3600
    weekend = np.where((at // 86400 + 3) % 7 >= 5, 0.6, 1.0)
    return np.exp(0.8 * np.sin((hour - 8) / 24 * 2 * np.pi)) / 1.166 * weekend


def rows() -> pd.DataFrame:
    """Twenty event types whose rows come five minutes late in the median, some an hour."""
    random = np.random.default_rng(11)
    start, end = DAY - HISTORY, DAY + timedelta(days=1)
    hours = np.arange(int(start.timestamp()), int(end.timestamp()), 3600)
    frames = []
    for name, rate in {**dict.fromkeys(OUTAGES, 1000.0), **OTHERS}.items():
        mean = rate * season(hours + 1800) * random.gamma(40, 1 / 40, len(hours))
        counts = random.poisson(mean)
        occurred = np.repeat(hours, counts) + random.uniform(0, 3600, counts.sum())
        if name in OUTAGES:
            occurred = occurred[occurred < OUTAGES[name].timestamp()]
        delay = np.exp(random.normal(np.log(300), 0.8, len(occurred)))
        frames.append(
            pd.DataFrame(
                {
                    "event_id": np.char.add(f"{name}-", np.arange(len(occurred)).astype(str)),
                    "event_type": name,
                    "occurred_at": pd.to_datetime(occurred, unit="s", utc=True).floor("us"),
                    "loaded_at": pd.to_datetime(occurred + delay, unit="s", utc=True).floor("us"),
                    "platform": random.choice(["ios", "android", "web"], len(occurred)),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class Lived:
    """What a daemon told in a day."""

    first: Mapping[str, Alert]
    """The first firing alert of each event type (or ``""``: the exposure)."""
    cycles: int


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    made = Project(tmp_path_factory.mktemp("outage") / "project")
    made.declare(*OUTAGES, *OTHERS)
    made.config("    look_back: 12d\n")
    made.rows(rows())
    _behind_a_clock(made.database)
    clock = FakeClock(min(OUTAGES.values()).replace(minute=0) - BEFORE)
    house = replace(app.load(made.folder / "config.yaml"), clock=clock)
    opened = app.store(house)
    history = app.adapter("history")(house.settings.history)
    place = app.Workplace(house, opened, history, house.catalog)
    fired: dict[str, Alert] = {}
    cycles = 0
    while clock.now() <= max(OUTAGES.values()) + AT_MOST + CYCLE:
        with duckdb.connect(str(made.database)) as connection:
            connection.execute("UPDATE instant SET moment = ?", [clock.now()])
        exposure = house.settings.exposures[0]
        report = app.run_cycle(place, exposure, app.RunOptions(), app.new_run_id(clock.now()))
        assert not report.error
        cycles += 1
        for alert in opened.exposure_state("events", clock.now()).alerts:
            if alert.state is AlertState.FIRING:
                fired.setdefault(alert.result.event_type or "", alert)
        near = any(
            o - BEFORE <= clock.now() + CYCLE <= o + AT_MOST + CYCLE for o in OUTAGES.values()
        )
        clock.step(CYCLE if near else timedelta(minutes=30))
    opened.close()
    return Lived(fired, cycles)


def _behind_a_clock(database: Path) -> None:
    """The table as it is at an instant: rows that are not loaded yet are not there."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("ALTER TABLE events RENAME TO every_event")
        connection.execute(
            "CREATE TABLE instant AS SELECT TIMESTAMPTZ '2026-01-01 00:00:00Z' AS moment"
        )
        connection.execute(
            "CREATE VIEW events AS SELECT * FROM every_event"
            " WHERE loaded_at <= (SELECT moment FROM instant)"
        )


@pytest.mark.parametrize("event_type", OUTAGES)
def test_a_total_outage_is_told_within_twenty_minutes(lived: Lived, event_type: str) -> None:
    alert = lived.first[event_type]
    assert alert.fired_at is not None
    latency = alert.fired_at - OUTAGES[event_type]
    print(f"{event_type}: {latency} ({alert.result.kind}: {alert.result.summary})")
    assert timedelta(0) < latency <= AT_MOST


def test_nothing_else_is_told_all_day(lived: Lived) -> None:
    told = {
        name: alert.result.summary for name, alert in lived.first.items() if name not in OUTAGES
    }
    assert told == {}
    assert lived.cycles > 30
