"""A copy of a state in use is whole, checked, and there only when it is complete."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.store.backup import backup
from eventwatch.store.sql import SqlStore, open_store
from tests.store import older
from tests.store.samples import NOW, alert, record


def url_of(path: Path) -> Secret:
    return Secret(f"sqlite:///{path}")


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    opened = open_store(url_of(tmp_path / "state.db"))
    opened.commit_cycle(record())
    return opened


def test_a_copy_is_the_state(tmp_path: Path, store: SqlStore) -> None:
    made = backup(url_of(tmp_path / "state.db"), tmp_path / "copy.db")
    assert made.path == tmp_path / "copy.db"
    assert made.size == made.path.stat().st_size
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    copy = open_store(url_of(made.path))
    assert copy.exposure_state("events", NOW) == store.exposure_state("events", NOW)
    assert copy.deliveries() == store.deliveries()


def test_it_is_one_file_whatever_the_journal(tmp_path: Path, store: SqlStore) -> None:
    with sqlite3.connect(tmp_path / "state.db") as plain:
        plain.execute("PRAGMA journal_mode = WAL").fetchone()
    store.commit_cycle(record(run_id="r2", alerts=(alert("a2", "b"),)))
    folder = tmp_path / "copies"
    folder.mkdir()
    backup(url_of(tmp_path / "state.db"), folder / "copy.db")
    assert [p.name for p in folder.iterdir()] == ["copy.db"]
    copy = open_store(url_of(folder / "copy.db"))
    assert len(copy.exposure_state("events", NOW).alerts) == 2


def test_cycles_go_on_meanwhile_and_every_copy_is_of_one_instant(
    tmp_path: Path, store: SqlStore
) -> None:
    stop = threading.Event()

    def commit() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            one = alert(f"n{number}", f"type {number}")
            store.commit_cycle(record(run_id=f"n{number}", alerts=(one,), deliveries=()))

    writer = threading.Thread(target=commit)
    writer.start()
    try:
        for number in range(5):
            made = backup(url_of(tmp_path / "state.db"), tmp_path / f"copy{number}.db")
            with sqlite3.connect(made.path) as plain:
                counts = plain.execute(
                    "SELECT (SELECT count(*) FROM eventwatch_alert),"
                    " (SELECT count(*) FROM eventwatch_cycle)"
                ).fetchone()
            assert counts[0] == counts[1]
    finally:
        stop.set()
        writer.join()


def test_nothing_is_ever_overwritten(tmp_path: Path, store: SqlStore) -> None:
    taken = tmp_path / "taken.db"
    taken.write_bytes(b"precious")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for target in (taken, tmp_path, tmp_path / "dangling", tmp_path / "state.db"):
        with pytest.raises(StoreError, match="never replaces"):
            backup(url_of(tmp_path / "state.db"), target)
    assert taken.read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


def test_a_copy_that_cannot_be_made_leaves_nothing(tmp_path: Path, store: SqlStore) -> None:
    with pytest.raises(StoreError, match=r"absent/copy\.db"):
        backup(url_of(tmp_path / "state.db"), tmp_path / "absent" / "copy.db")
    content = (tmp_path / "state.db").read_bytes()
    (tmp_path / "state.db").write_bytes(content[: len(content) // 2])
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(StoreError, match="Restore a backup"):
        backup(url_of(tmp_path / "state.db"), tmp_path / "copy.db")
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_where_there_is_nothing_to_copy_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing to copy"):
        backup(url_of(tmp_path / "state.db"), tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_a_state_that_was_not_upgraded_yet_is_copied_as_it_is(tmp_path: Path) -> None:
    older.make(url_of(tmp_path / "state.db"), "0002", alert=[older.alert_row(alert())])
    made = backup(url_of(tmp_path / "state.db"), tmp_path / "copy.db")
    with sqlite3.connect(made.path) as plain:
        assert plain.execute("SELECT version_num FROM eventwatch_schema").fetchone() == ("0002",)
    assert open_store(url_of(made.path)).exposure_state("events", NOW).alerts == (alert(),)


def test_a_name_of_any_bytes_will_do(tmp_path: Path, store: SqlStore) -> None:
    target = tmp_path / os.fsdecode(b"a %41?#\xff.db")
    assert backup(url_of(tmp_path / "state.db"), target).path.exists()


def test_a_server_is_left_to_its_own_tools() -> None:
    url = Secret("postgresql://ana:canary@db/state?sslmode=require&password=canary")
    with pytest.raises(StoreError) as caught:
        backup(url, Path("/backups/it's.dump"))
    assert "canary" not in str(caught.value)
    assert "pg_dump --format=custom '--table=eventwatch_*'" in str(caught.value)
    assert "postgresql://ana@db/state" in str(caught.value)
