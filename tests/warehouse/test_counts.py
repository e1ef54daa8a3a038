"""A scan counts what a loop over the rows counts, whatever the types of the columns."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventwatch.model.settings import Dimension
from eventwatch.warehouse.reader import IbisWarehouse
from tests.warehouse.brute import as_found, brute_recount, brute_scan, to_micros
from tests.warehouse.tables import (
    NOW,
    TIME_TYPES,
    UTC_ZONE,
    Layout,
    exposure_of,
    hour,
    request_of,
    stored,
    write_duckdb,
)

BERLIN = ZoneInfo("Europe/Berlin")
EDGES = [
    NOW,
    NOW + timedelta(minutes=5),
    hour(NOW),
    hour(NOW - timedelta(hours=48)),
    hour(NOW - timedelta(days=10)),
    hour(NOW - timedelta(days=7)),
    NOW - timedelta(days=30),
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin goes to summer time
    datetime(2026, 3, 28, tzinfo=UTC),
    datetime(1969, 12, 31, 23, tzinfo=UTC),
    datetime(2140, 1, 1, tzinfo=UTC),
]
instants = st.one_of(
    st.none(),
    st.sampled_from([to_micros(at) for at in EDGES]),
    st.builds(
        lambda at, by: to_micros(at) + by,
        st.sampled_from(EDGES[:-2]),
        st.sampled_from([-1, 1, -(10**6), 10**6, -(3600 * 10**6), 999_999, 1800 * 10**6]),
    ),
    st.integers(to_micros(NOW - timedelta(days=11)), to_micros(NOW + timedelta(hours=1))),
)
loads = st.one_of(instants, st.integers(to_micros(NOW - timedelta(hours=3)), to_micros(NOW)))
names = st.sampled_from(
    ["a", "b", "", None, "x" * 1001, "it's; DROP TABLE events;--", "é\u202e\x00"]
)
values = st.sampled_from(
    [
        None,
        "ios",
        "web",
        "",
        "@other",
        "@null",
        "@@other",
        "@nullable",
        "A",
        "B",
        "v" * 501,
        "v" * 502,
    ]
)
table_rows = st.lists(
    st.fixed_dictionaries(
        {
            "event_type": names,
            "event_id": st.sampled_from([None, "1", "2"]),
            "platform": values,
            "occurred_at": loads,
            "loaded_at": loads,
        }
    ),
    max_size=40,
)
layouts = st.builds(
    lambda occurred, loaded, zone, cap: Layout(
        occurred, loaded, zone, (Dimension("platform", "platform", cap=cap),)
    ),
    st.sampled_from(sorted(TIME_TYPES)),
    st.one_of(st.none(), st.sampled_from(sorted(TIME_TYPES))),
    st.sampled_from([UTC_ZONE, BERLIN]),
    st.integers(1, 4),
)
KNOWN: list[tuple[str, ...]] = [
    (),
    ("web",),
    ("gone", "@@other", "ios", "\x00"),
    ("a", "b", "c", "d", "e"),
]


def fits(layout: Layout, row: dict[str, Any]) -> dict[str, Any]:
    """32-bit seconds end in 2038: the row without what its type cannot hold."""
    cut = dict(row)
    for name, kind in (("occurred_at", layout.occurred), ("loaded_at", layout.loaded)):
        if kind == "epoch_s" and cut[name] is not None:
            cut[name] = min(cut[name], (2**31 - 1) * 10**6)
    return cut


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(layout=layouts, rows=table_rows, known=st.sampled_from(KNOWN), as_of=st.booleans())
def test_a_scan_and_a_recount_count_what_a_loop_counts(
    tmp_path: Path, layout: Layout, rows: list[dict[str, Any]], known: tuple[str, ...], as_of: bool
) -> None:
    held = stored(layout, [fits(layout, row) for row in rows])
    url = write_duckdb(tmp_path / "warehouse.duckdb", layout, held)
    exposure = exposure_of(layout, url)
    request = request_of(known_values={"platform": known}, as_of=as_of)

    scan = IbisWarehouse().scan(exposure, request)
    assert as_found(scan) == brute_scan(held, exposure, request)

    first, end = datetime(2026, 3, 22, tzinfo=UTC), datetime(2026, 3, 31, tzinfo=UTC)
    recount = IbisWarehouse().recount(exposure, first, end)
    expected, missing = brute_recount(held, exposure, first, end)
    assert (dict(recount.rows), recount.null_loaded) == (expected, missing)
    assert recount.days == tuple(range(int(first.timestamp()), int(end.timestamp()), 86400))

    held_apart: Counter[tuple[int, str | None]] = Counter()
    for (event_type, dimension, _, _, loaded), cell in as_found(scan).cells.items():
        if dimension in ("", "@time") and loaded < int(end.timestamp()):
            held_apart[loaded // 86400 * 86400, event_type] += cell.rows
    assert {k: n for k, n in held_apart.items() if k[0] >= int(first.timestamp())} == recount.rows


@pytest.mark.parametrize("kind", sorted(TIME_TYPES))
def test_every_time_type_is_read_to_the_second(tmp_path: Path, kind: str) -> None:
    at = datetime(2026, 3, 31, 11, 59, 59, 900_000, tzinfo=UTC)
    layout = Layout(kind, kind)
    held = stored(
        layout, [{"event_type": "a", "occurred_at": to_micros(at), "loaded_at": to_micros(at)}]
    )
    exposure = exposure_of(layout, write_duckdb(tmp_path / "w.duckdb", layout, held))
    [cell] = [
        c
        for c in IbisWarehouse().scan(exposure, request_of()).cells.to_pylist()
        if c["dimension"] == ""
    ]
    exact = datetime(2026, 3, 31, tzinfo=UTC) if kind == "date" else at.replace(microsecond=0)
    assert cell["first_loaded"] == cell["last_loaded"] == int(exact.timestamp())
    assert cell["occurred"] == int(exact.timestamp()) // 300 * 300
