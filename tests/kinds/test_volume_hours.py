"""Event types that do not come evenly within the hour: jobs of a fixed minute, bursts at the full."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eventwatch.model.measurement import FINE, HOUR
from tests.kinds.test_volume import RATES, Change, during, failing, view_of

AT = datetime(2026, 9, 16, 14, tzinfo=UTC)


def job(*minutes: int, every: int = 1) -> Change:
    """All of some hours' rows within five minutes of each."""
    bins = [minute * 60 // FINE for minute in minutes]

    def change(at: np.ndarray) -> np.ndarray:
        runs = np.isin(at % HOUR // FINE, bins) & (at // HOUR % every == 0)
        return np.where(runs, 12.0 * every / len(bins), 0.0)

    return change


def unpunctual(at: np.ndarray) -> np.ndarray:
    """At half past, give or take five minutes."""
    shift = (at // HOUR * 2_654_435_761 >> 7) % 3 - 1
    return np.where(at % HOUR // FINE == 6 + shift, 12.0, 0.0)


def early(at: np.ndarray) -> np.ndarray:
    """All within the first quarter."""
    return np.where(at % HOUR < 900, 4.0, 0.0)


JOBS = {
    "at_05": job(5),
    "at_30": job(30),
    "at_55": job(55),
    "twice": job(15, 45),
    "every_other_hour": job(30, every=2),
    "unpunctual": unpunctual,
    "early": early,
}
ALL = {**RATES, **dict.fromkeys(JOBS, 300.0)}


@pytest.mark.parametrize("minute", [2, 17, 32, 38, 47, 58])
def test_a_job_is_not_missed_before_its_minute(minute: int) -> None:
    assert failing(view_of(ALL, JOBS, now=AT + timedelta(minutes=minute))) == {}


def told_after(name: str, stop: datetime, minutes: int) -> bool:
    """Whether a stop of one event type is told so many minutes later."""
    usual = JOBS.get(name, np.ones_like)
    now = stop + timedelta(minutes=minutes)
    ends = during(stop, 0.0, now + timedelta(hours=1))
    changes = {**JOBS, name: lambda at: usual(at) * ends(at)}
    return name in failing(view_of(ALL, changes, now=now))


@pytest.mark.parametrize(
    ("name", "quiet", "told"), [("at_30", 35, 55), ("at_05", 10, 35), ("type_00", 5, 20)]
)
def test_a_job_that_does_not_run_is_told_soon_after_its_minute(
    name: str, quiet: int, told: int
) -> None:
    stop = AT - timedelta(minutes=10)
    assert not told_after(name, stop, quiet)
    assert told_after(name, stop, told)


def test_rows_of_an_even_stream_are_counted_on_from_the_first_minutes() -> None:
    now = AT + timedelta(minutes=25)
    halved = {**JOBS, "type_00": during(AT, 0.2, AT + timedelta(hours=1))}
    assert "type_00" in failing(view_of(ALL, halved, now=now))
