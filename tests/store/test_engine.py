"""Which journal, which driver, and what an error says."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.store.engine import Limits, choose_journal, on_network, parse_url
from eventwatch.store.sql import open_reader, open_store
from tests.store.samples import NOW, record

QUICK = Limits(lock=timedelta(milliseconds=50), connect=timedelta(seconds=1))


@pytest.mark.parametrize(
    ("version", "journal"),
    [
        ((3, 40, 1), "TRUNCATE"),
        ((3, 44, 5), "TRUNCATE"),
        ((3, 44, 6), "WAL"),
        ((3, 45, 0), "TRUNCATE"),
        ((3, 50, 6), "TRUNCATE"),
        ((3, 50, 7), "WAL"),
        ((3, 51, 2), "TRUNCATE"),
        ((3, 51, 3), "WAL"),
        ((3, 53, 0), "WAL"),
    ],
)
def test_wal_is_used_only_where_sqlite_was_mended(
    version: tuple[int, int, int], journal: str, tmp_path: Path
) -> None:
    assert choose_journal(tmp_path / "state.db", version) == journal


def test_a_network_file_system_is_known_by_the_longest_mount_point(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nhost:/export {tmp_path} nfs4 rw 0 0\n"
        f"tmpfs {tmp_path}/local\\040disk tmpfs rw 0 0\n"
    )
    assert on_network(tmp_path / "state.db", mounts)
    assert not on_network(tmp_path / "local disk" / "state.db", mounts)
    assert not on_network(Path("/var/state.db"), mounts)
    assert not on_network(Path("/var/state.db"), tmp_path / "absent")


def test_the_file_is_in_the_journal_mode_that_was_chosen(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    open_store(Secret(f"sqlite:///{path}")).close()
    wanted = choose_journal(path, sqlite3.sqlite_version_info[:3])
    (mode,) = sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone()
    assert (mode == "wal") == (wanted == "WAL")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:canary@h/db",
        "sqlite://",
        "sqlite:///:memory:",
        "canary",
        "postgresql://u:canary@h:x/d",
    ],
)
def test_a_url_that_cannot_be_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_store(Secret(url), limits=QUICK)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_postgresql_is_read_with_psycopg_3(scheme: str) -> None:
    assert parse_url(Secret(f"{scheme}://u@h/d")).drivername == "postgresql+psycopg"


def test_a_server_that_does_not_answer_is_said_without_the_password() -> None:
    url = Secret("postgresql://ana:canary-secret@127.0.0.1:1/state")
    for opening in (open_store, open_reader):
        with pytest.raises(StoreError) as caught:
            opening(url, limits=QUICK)
        assert "canary" not in str(caught.value)
        assert "Is the server running" in str(caught.value)


def test_an_error_never_shows_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = open_store(Secret(f"sqlite:///{path}"), limits=QUICK)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="Another process holds the state") as caught:
        store.commit_cycle(record())
    assert "growth" not in str(caught.value)
    blocker.execute("ROLLBACK")
    store.commit_cycle(record())


def test_a_state_that_was_deleted_under_us_is_an_error_and_not_an_empty_state(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    store = open_store(Secret(f"sqlite:///{path}"))
    path.unlink()
    with pytest.raises(StoreError, match="The file is gone"):
        store.exposure_state("events", NOW)
    assert not path.exists()


def test_a_full_disk_is_said_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = open_store(Secret(f"sqlite:///{path}"))
    database = store._database

    from sqlalchemy import event

    @event.listens_for(database.engine, "connect")
    def _limit(connection: sqlite3.Connection, _: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match="Free some space"):
        store.commit_cycle(record())
    assert store.exposure_state("events", NOW).watermark is None
