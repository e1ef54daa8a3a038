"""Exposures of one database share a source; no label holds what must not be shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eventwatch.model.settings import Exposure, Secret
from eventwatch.pipeline.source import source_of


def exposure(connection: str, **changes: object) -> Exposure:
    made = Exposure(name="events", connection=Secret(connection), table="events")
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("connection", "label"),
    [
        ("postgres://ada:s3cret@db1.example:5433/analytics?sslmode=require", None),
        ("postgresql://ada:s3cret@db1.example/analytics", "postgresql db1.example/analytics"),
        (
            "snowflake://ada:s3cret@account/db/schema?warehouse=w&role=r",
            "snowflake account/db/schema",
        ),
        ("duckdb:///srv/ada/warehouse.duckdb?access_mode=read_only", "duckdb warehouse.duckdb"),
        ("duckdb://", "duckdb in memory"),
        ("postgres://[bad", None),
    ],
)
def test_a_label_names_the_place_and_nothing_secret(connection: str, label: str | None) -> None:
    found = source_of(exposure(connection))
    for secret in ("ada", "s3cret", "sslmode", "warehouse=", "role"):
        assert secret not in found.label
    assert found.label
    if label is not None:
        assert found.label == label


def test_tables_of_one_database_share_it_whoever_reads_them() -> None:
    one = source_of(exposure("postgres://ada:a@db1/x", name="one"))
    other = source_of(exposure("postgres://ada:a@db1/x", name="other", table="t"))
    assert one == other
    assert source_of(exposure("postgres://ada:a@db2/x")).key != one.key


def test_the_key_is_not_the_connection() -> None:
    found = source_of(exposure("postgres://ada:s3cret@db1/x"))
    assert set(found.key) <= set("0123456789abcdef")


def test_another_password_is_the_same_place() -> None:
    one = source_of(exposure("postgres://ada:a@db1/x?application_name=one"))
    other = source_of(exposure("postgres://bob:b@db1/x"))
    assert one.key == other.key


def test_files_of_one_folder_share_it() -> None:
    one = source_of(exposure("duckdb://", table=None, parquet="/srv/lake/events/*.parquet"))
    other = source_of(exposure("duckdb://", table=None, parquet="/srv/lake/events/2026.parquet"))
    assert one == other
    assert one.label == "parquet files in events"
