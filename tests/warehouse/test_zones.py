"""Pieces of constant offset say what ``datetime`` says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eventwatch.warehouse.zones import pieces

ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]
FIRST = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
EPOCH = datetime(1970, 1, 1)


@pytest.mark.parametrize("name", ZONES)
@given(st.data())
@example(None)
def test_a_local_time_is_read_as_datetime_reads_it(name: str, data: st.DataObject | None) -> None:
    zone = ZoneInfo(name)
    cut = pieces(zone, FIRST, LAST)
    edges = [
        p.start + by for p in cut if p.start is not None for by in (-7200, -1801, -1, 0, 1, 1800)
    ]
    drawn = [] if data is None else [data.draw(st.integers(FIRST + 2 * 86400, LAST - 2 * 86400))]
    for local in drawn or edges:
        [offset] = [
            p.offset
            for p, after in zip(cut, [*cut[1:], None], strict=True)
            if (p.start is None or p.start <= local) and (after is None or local < after.start)  # type: ignore[operator]
        ]
        naive = EPOCH + timedelta(seconds=local)
        assert local - offset == int(naive.replace(tzinfo=zone).timestamp())


def test_a_zone_without_changes_is_one_piece() -> None:
    [piece] = pieces(ZoneInfo("Asia/Kathmandu"), FIRST, LAST)
    assert (piece.start, piece.offset) == (None, 20700)
