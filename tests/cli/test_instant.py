from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.cli.instant import parse_coming, parse_instant

WRONG_ZONES = (
    "2026-03-01 12:00 Europe/Pairs",
    "2026-03-01T12:00Z UTC",
    "2026-03-01T12:00 ../etc/x",
)
NOW = datetime(2026, 3, 2, 12, 34, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01 12:00:30", datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)),
        ("2026-03-01T12:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00+02:00", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026-03-01 12:00 Europe/Paris", datetime(2026, 3, 1, 11, tzinfo=UTC)),
        ("2026-03-01T12:00 America/Argentina/Buenos_Aires", datetime(2026, 3, 1, 15, tzinfo=UTC)),
        ("2026-03-01 12:00 UTC", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("yesterday", datetime(2026, 3, 1, tzinfo=UTC)),
        ("Today", datetime(2026, 3, 2, tzinfo=UTC)),
        ("now", NOW),
        ("2h ago", NOW - timedelta(hours=2)),
        ("  1d12h  AGO ", NOW - timedelta(hours=36)),
        ("0 ago", NOW),
    ],
)
def test_instants_as_people_type_them(text: str, at: datetime) -> None:
    assert parse_instant(text, NOW) == at


@pytest.mark.parametrize(
    "text", ["", "soon", "12:00", "2026-13-01", "ago", "2 ago", "-2h ago", *WRONG_ZONES]
)
def test_anything_else_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="write a"):
        parse_instant(text, NOW)


@pytest.mark.parametrize("text", ["2026-03-03", "2026-03-02T12:34:57", "2026-03-02T12:00-05:00"])
def test_the_future_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="has not come yet"):
        parse_instant(text, NOW)


@given(st.datetimes(max_value=datetime(2026, 2, 28)), st.integers(-12, 12))
def test_what_python_writes_is_read_back(at: datetime, hours: int) -> None:
    if at.year < 2:
        return
    whole = at.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert parse_instant(whole.isoformat(), NOW) == whole


@pytest.mark.parametrize("read", [parse_instant, parse_coming])
def test_a_zone_that_nobody_knows_is_named(read: Callable[[str, datetime], datetime]) -> None:
    with pytest.raises(ValueError, match="there is no time zone Europe/Pairs"):
        read("2026-03-01 12:00 Europe/Pairs", NOW)
