"""A state that is gone, or that is not what it was, is never taken for a first start."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.store.examine import examine
from eventwatch.store.lost import witness_of
from eventwatch.store.sql import open_reader, open_store
from tests.store.samples import NOW, record


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state that was in use."""
    made = tmp_path / "state.db"
    store = open_store(url_of(made))
    store.commit_cycle(record())
    store.close()
    return made


def url_of(path: Path) -> Secret:
    return Secret(f"sqlite:///{path}")


def refused(path: Path, match: str) -> None:
    """By who writes, by who reads, and by the examination; and nothing is made."""
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    for opening in (open_store, open_reader):
        with pytest.raises(StoreError, match=match):
            opening(url_of(path))
    assert examine(url_of(path), datetime.now(UTC)).trouble
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before


def test_a_state_that_is_gone_is_missed(path: Path) -> None:
    path.unlink()
    refused(path, r"the file is gone, but there was one: .*state\.db\.made is still there")


def test_whoever_removes_what_is_left_starts_anew(path: Path) -> None:
    path.unlink()
    witness_of(path).unlink()
    assert open_reader(url_of(path)) is None
    assert examine(url_of(path), datetime.now(UTC)).trouble == ""
    store = open_store(url_of(path))
    assert store.exposure_state("events", NOW).watermark is None


@pytest.mark.parametrize("end", ["-journal", "-wal"])
def test_a_journal_without_its_file_is_not_played_into_a_new_one(tmp_path: Path, end: str) -> None:
    path = tmp_path / "state.db"
    path.with_name(path.name + end).write_bytes(os.urandom(4096))
    refused(path, f"state.db{end} is still there")


def test_a_state_made_before_witnesses_gets_one(path: Path) -> None:
    witness_of(path).unlink()
    open_store(url_of(path)).close()
    assert stat.S_IMODE(witness_of(path).stat().st_mode) == 0o600
    path.unlink()
    refused(path, "the file is gone")


def test_a_reader_leaves_no_witness(path: Path) -> None:
    witness_of(path).unlink()
    reader = open_reader(url_of(path))
    assert reader is not None
    reader.close()
    assert not witness_of(path).exists()


def test_that_a_state_was_made_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "state.db"
    for said in (1, 0):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            open_store(url_of(path)).close()
        assert [str(path) in line for line in caplog.messages] == [True] * said


def test_an_empty_file_in_its_place_is_refused(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="the file is empty"):
        open_store(url_of(path))
    assert open_reader(url_of(path)) is None or pytest.fail("an empty file was read")


@pytest.mark.parametrize("end", ["-journal", "-wal", "-shm"])
def test_garbage_beside_it_loses_nothing(path: Path, end: str) -> None:
    path.with_name(path.name + end).write_bytes(os.urandom(9000))
    store = open_store(url_of(path))
    assert store.exposure_state("events", NOW).watermark == NOW
    (verdict,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
    assert verdict == "ok"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_said(path: Path) -> None:
    path.chmod(0o400)
    store = open_store(url_of(path))
    with pytest.raises(StoreError, match="Give this user the right"):
        store.heartbeat("daemon", NOW)
