"""Statements with other instants filled in are what the compiler would make of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.model.measurement import ScanRequest
from eventwatch.model.settings import Columns, Dimension, Exposure, Partition, Secret
from eventwatch.warehouse import columns as mapped
from eventwatch.warehouse.connect import Source, opened
from eventwatch.warehouse.grouped import Spans, grouped
from eventwatch.warehouse.repeats import repeats
from eventwatch.warehouse.template import Statements

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "events.duckdb"
    with duckdb.connect(str(path)) as con:
        for name, kind in (("aware", "TIMESTAMPTZ"), ("naive", "TIMESTAMP"), ("number", "BIGINT")):
            con.execute(
                f"CREATE TABLE {name} (id VARCHAR, event_type VARCHAR, occurred_at {kind}, "
                f"loaded_at {kind}, platform VARCHAR, day DATE)"
            )
    return path


def exposure(database: Path, table: str, partition: Partition | None = None) -> Exposure:
    return Exposure(
        "events",
        Secret(f"duckdb://{database}"),
        table=table,
        columns=Columns(event_id="id"),
        dimensions=(Dimension("platform", "platform"),),
        partition=partition,
    )


@st.composite
def requests(draw: st.DrawFn) -> ScanRequest:
    """Windows as cycles ask for them, short and long, now and then with equal ends."""
    now = START + timedelta(microseconds=draw(st.integers(0, 200 * 86_400_000_000)))
    hour = now.replace(minute=0, second=0, microsecond=0)
    back = draw(st.sampled_from([0, 1, 30, 60 * 24]))
    return ScanRequest(
        now=now,
        rows_from=hour - timedelta(hours=back) + timedelta(minutes=draw(st.sampled_from([0, 5]))),
        cuts_from=hour - timedelta(hours=back),
        delays_from=hour - timedelta(hours=min(back, 48)),
        fine_from=hour - timedelta(hours=48),
        oldest_occurred=hour - timedelta(days=90),
        duplicates_from=draw(st.sampled_from([None, hour, hour - timedelta(days=1)])),
        known_values={"platform": draw(st.sampled_from([(), ("web", "ios"), ("ios", "web")]))},
    )


def compiled(source: Source, request: ScanRequest, statement: object) -> str:
    columns = columns_of(source, request)
    assert callable(statement)
    return str(source.con.compile(statement(source.table, columns, request)))


def columns_of(source: Source, request: ScanRequest) -> mapped.Columns:
    return mapped.Columns.of(
        source.exposure,
        source.table.schema(),
        source.dialect,
        Spans.of(request).first,
        request.now,
    )


@settings(max_examples=12, deadline=None)
@given(asked=st.lists(requests(), min_size=3, max_size=5))
@pytest.mark.parametrize("table", ["aware", "naive", "number"])
def test_what_is_filled_in_is_what_would_be_compiled(
    table: str, asked: list[ScanRequest], database: Path
) -> None:
    statements = Statements()
    with opened(exposure(database, table)) as source:
        for request in asked:
            columns = columns_of(source, request)
            for build in (grouped, repeats) if request.duplicates_from else (grouped,):
                text = statements.text(source, columns, request, build)
                assert text == compiled(source, request, build)


@pytest.mark.parametrize("table", ["aware", "naive"])
def test_a_third_cycle_compiles_nothing(
    table: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = Statements()
    first = ScanRequest(
        now=START + timedelta(hours=5, microseconds=17),
        rows_from=START + timedelta(hours=4),
        cuts_from=START + timedelta(hours=4),
        delays_from=START + timedelta(hours=4),
        fine_from=START - timedelta(hours=40),
        oldest_occurred=START - timedelta(days=90),
        duplicates_from=START + timedelta(hours=4),
    )
    with opened(exposure(database, table)) as source:
        for _ in range(2):
            statements.text(source, columns_of(source, first), first, grouped)
        monkeypatch.setattr(type(source.con), "compile", lambda *_: pytest.fail("compiled"))
        statements.text(source, columns_of(source, first), first, grouped)


def test_a_partition_by_days_is_compiled_each_time(database: Path) -> None:
    statements = Statements()
    shown = exposure(database, "aware", Partition("day"))
    with opened(shown) as source:
        for days in range(4):
            now = START + timedelta(days=days, hours=23, minutes=30)
            request = ScanRequest(
                now=now,
                rows_from=now - timedelta(minutes=30),
                cuts_from=now - timedelta(minutes=30),
                delays_from=now - timedelta(minutes=30),
                fine_from=now - timedelta(hours=48),
                oldest_occurred=now - timedelta(days=90),
                duplicates_from=None,
            )
            text = statements.text(source, columns_of(source, request), request, grouped)
            assert text == compiled(source, request, grouped)
