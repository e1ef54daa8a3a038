"""Measurements of exposures as they were configured before are deleted; nothing else ever is."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.store.history import ParquetHistory, folder_name
from eventwatch.store.orphans import UNUSED, sweep
from tests.store.scans import DAY, START, Event, request, scan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A history of two exposures that nobody has written to for long."""
    made = ParquetHistory(tmp_path)
    events = [Event("a", "ios", at, at) for at in range(START, START + DAY, 3600)]
    asked = request(START + DAY, START)
    for name in ("old@1", "new@2"):
        made.replace(name, scan(events, asked))
        aged(tmp_path / folder_name(name), UNUSED + timedelta(days=1))
    return tmp_path


def aged(folder: Path, age: timedelta) -> None:
    at = (NOW - age).timestamp()
    for path in (*folder.iterdir(), folder):
        os.utime(path, (at, at))


def left(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


def test_a_folder_that_no_exposure_uses_goes_and_one_in_use_stays(root: Path) -> None:
    assert sweep(root, ["new@2"], NOW) == (folder_name("old@1"),)
    assert left(root) == {folder_name("new@2")}
    assert sweep(root, ["new@2"], NOW) == ()


def test_a_folder_that_was_written_lately_stays_for_another_config_may_use_it(root: Path) -> None:
    aged(root / folder_name("old@1"), UNUSED - timedelta(days=1))
    assert sweep(root, ["new@2"], NOW) == ()


def test_a_folder_with_anything_of_others_in_it_stays_whole(root: Path) -> None:
    folder = root / folder_name("old@1")
    (folder / "thesis.txt").write_text("mine")
    aged(folder, UNUSED + timedelta(days=1))
    before = left(folder)
    assert sweep(root, ["new@2"], NOW) == ()
    assert left(folder) == before


def test_folders_of_others_and_links_are_not_touched(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "photos"
    (elsewhere / "2026").mkdir(parents=True)
    os.utime(elsewhere, (0, 0))
    link = root / folder_name("link@3")
    link.symlink_to(root / folder_name("old@1"))
    assert sweep(root, ["new@2", "old@1"], NOW) == ()
    assert link.is_symlink()
    assert elsewhere.is_dir()


def test_a_history_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert sweep(tmp_path / "none", [], NOW) == ()
