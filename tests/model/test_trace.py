"""What a chart is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.fakes import traces


def test_values_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="upper"):
        replace(traces.trace(), upper=(1.0,))
    assert replace(traces.trace(), upper=()).upper == ()


def test_hours_follow_the_clock_that_never_changes() -> None:
    edges = traces.trace(hours=240).edges()
    assert {b - a for a, b in pairwise(edges)} == {timedelta(hours=1)}


def test_days_begin_at_local_midnight_also_after_the_clocks_changed() -> None:
    edges = traces.by_day().edges()
    local = [at.astimezone(ZoneInfo(traces.ZONE)) for at in edges]
    assert {(at.hour, at.minute) for at in local} == {(0, 0)}
    assert len(edges) == 41
    assert min(b - a for a, b in pairwise(edges)) == timedelta(hours=23)


def test_the_picture_ends_where_the_open_bucket_has_come_to_or_later() -> None:
    made = traces.trace()
    assert made.end_at == made.open_until
    assert made.last_at == made.end_at
    later = datetime(2026, 3, 8, tzinfo=UTC)
    assert replace(made, shown_until=later).last_at == later
    assert replace(made, open_until=None).end_at == made.edges()[-1]
