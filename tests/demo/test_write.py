"""Writing the marketplace respects what is there, and what stands in the root is what it writes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb

from eventwatch import demo
from eventwatch.model.measurement import HistoryNote
from eventwatch.store.history import ParquetHistory

NOW = datetime(2026, 3, 12, 9, 41, 7, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def write(directory: Path) -> demo.DemoSummary:
    return demo.write(directory, rows=5_000, now=NOW)


def test_what_stands_in_the_root_is_what_the_demo_writes() -> None:
    wanted = dict(demo.demo_files())
    there = {
        str(path.relative_to(ROOT)): path.read_bytes()
        for folder in ("checks", "contracts")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    there["config.yaml"] = (ROOT / "config.yaml").read_bytes()
    assert there == wanted


def test_the_config_names_its_schema_for_editors() -> None:
    first = dict(demo.demo_files())["config.yaml"].decode().splitlines()[0]
    assert first == "# yaml-language-server: $schema=docs/config.schema.json"


def test_an_empty_directory_gets_every_file(tmp_path: Path) -> None:
    summary = write(tmp_path / "new")
    assert len(summary.written) == len(dict(demo.demo_files()))
    assert summary.unchanged == summary.kept == ()
    assert summary.database.is_file()


def test_identical_files_are_not_written_again(tmp_path: Path) -> None:
    first = write(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in first.written}
    second = write(tmp_path)
    assert second.written == ()
    assert set(second.unchanged) == set(first.written)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_file_that_a_person_changed_is_kept_and_named(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "config.yaml").write_text("mine: true\n")
    summary = write(tmp_path)
    assert summary.kept == (tmp_path / "config.yaml",)
    assert (tmp_path / "config.yaml").read_text() == "mine: true\n"


def test_a_table_that_somebody_reads_can_be_replaced(tmp_path: Path) -> None:
    first = write(tmp_path)
    with duckdb.connect(str(first.database), read_only=True) as reader:
        write(tmp_path)
        assert reader.execute("SELECT count(*) FROM analytics_events").fetchone() is not None
    assert [path.name for path in first.database.parent.iterdir()] == [first.database.name]


def test_measurements_of_the_table_before_are_forgotten(tmp_path: Path) -> None:
    history = ParquetHistory(tmp_path / "var/eventwatch/history")
    for exposure in ("analytics_events", "another"):
        history.write_note(exposure, HistoryNote(recounted_on=NOW.date()))
    write(tmp_path)
    assert history.note("analytics_events") == HistoryNote()
    assert history.note("another") == HistoryNote(recounted_on=NOW.date())
