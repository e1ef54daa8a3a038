"""Event types that do not come evenly within the hour: jobs of a fixed minute, bursts at the full."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eventwatch.kinds.volume_hours import REACH, Hours
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


def hours_of(*came: float) -> Hours:
    """24 hours of 100 rows; of each, so many had come after half an hour, in turn."""
    come = np.zeros((24, REACH + 2, 1))
    for hour in range(24):
        come[hour, 5:, 0] = came[hour % len(came)]
        come[hour, 11:, 0] = 100.0
    return Hours(come)


def shared(of: Hours, age: int, even: float) -> tuple[float, float]:
    share, doubt = of.share(age, np.array([even]), np.array([0.001]))
    return float(share[0]), float(doubt[0])


def test_hours_that_fill_unlike_each_other_make_their_share_doubtful() -> None:
    share, doubt = shared(hours_of(40.0, 80.0), 31 * 60, 0.1)
    assert share == pytest.approx(0.6, abs=0.01)
    # Off by 20 rows of 60, less what counts of 60 of 100 are off by themselves.
    assert doubt == pytest.approx((20.0**2 - 60.0 * 0.4) / 60.0**2, rel=0.05)
    assert shared(hours_of(60.0), 31 * 60, 0.1)[1] == 0.001


def test_an_hour_that_has_just_begun_says_nothing_of_how_it_fills() -> None:
    assert shared(hours_of(40.0, 80.0), FINE - 1, 0.02) == (0.02, 0.001)


def test_after_its_reach_an_hour_is_taken_for_even() -> None:
    assert shared(hours_of(40.0, 80.0), REACH * FINE, 0.9) == (0.9, 0.001)
    assert shared(hours_of(40.0, 80.0), REACH * FINE - 1, 0.9)[0] > 0.95
