"""The detector's states beside the measurements: another process goes on from them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from eventwatch.detect import DetectSettings
from eventwatch.detect.clock import clock_of
from eventwatch.detect.engine import Pass, run
from eventwatch.detect.panel import Panel
from eventwatch.detect.resume import run_on
from eventwatch.detect.settings import grain
from eventwatch.store import standings as store
from eventwatch.store.standings import Standings

HOUR = 3600
SETTINGS = DetectSettings(witness=True)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def panel(hours: int, seed: int = 0) -> Panel:
    counts = np.random.default_rng(seed).poisson(50.0, (500, 4)).astype(np.float64)[:hours]
    of = grain(HOUR)
    edges = 1_790_000_000 // HOUR * HOUR + HOUR * np.arange(hours, dtype=np.int64)
    return Panel(counts, clock_of(edges, of, SETTINGS), of)


def written(root: Path, hours: int = 400) -> Path:
    """A file as a process leaves it."""
    kept = Standings(root)
    with kept.remembered("events"):
        run_on(panel(hours), SETTINGS)
    kept.save("events", NOW)
    return next(root.rglob("detector.state"))


@contextmanager
def steps_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Buckets that are scored inside."""
    scored: list[int] = []
    day = Pass._day

    def noted(self: Pass, start: int, stop: int) -> None:
        scored.append(stop - start)
        day(self, start, stop)

    with monkeypatch.context() as patch:
        patch.setattr(Pass, "_day", noted)
        yield scored


def last_scores(hours: int, seed: int = 0) -> NDArray[np.float64]:
    return np.asarray(run(panel(hours, seed), SETTINGS).score[-1])


def test_another_process_goes_on_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    with steps_of(monkeypatch) as scored, Standings(tmp_path).remembered("events"):
        found = run_on(panel(403), SETTINGS)
    assert sum(scored) == 403 - 384
    np.testing.assert_array_equal(found.score[-1], last_scores(403))


def test_each_exposure_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path)
    with steps_of(monkeypatch) as scored, Standings(tmp_path).remembered("others"):
        run_on(panel(400), SETTINGS)
    assert sum(scored) == 400


@pytest.mark.parametrize(
    "harm",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: content[:2000] + b"\x01" + content[2001:],
        lambda content: b"something else entirely\n" + content,
    ],
    ids=["cut off", "empty", "one byte differs", "not ours"],
)
def test_a_damaged_file_is_left_aside_with_one_warning_and_replaced(
    harm: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = written(tmp_path)
    whole = path.read_bytes()
    assert callable(harm)
    path.write_bytes(harm(whole))
    with caplog.at_level(logging.WARNING):
        kept = Standings(tmp_path)
        for _ in range(2):
            with kept.remembered("events"):
                found = run_on(panel(400), SETTINGS)
            kept.save("events", NOW)
    assert len(caplog.records) == 1
    np.testing.assert_array_equal(found.score[-1], last_scores(400))
    assert path.read_bytes() == whole


def test_a_file_of_another_version_is_left_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written(tmp_path)
    monkeypatch.setattr(store, "written_by", lambda: "a later version")
    with (
        steps_of(monkeypatch) as scored,
        Standings(tmp_path).remembered("events"),
    ):
        run_on(panel(400), SETTINGS)
    assert sum(scored) == 400
    assert "another version" in caplog.text


def test_settings_and_the_past_are_part_of_what_a_state_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    with steps_of(monkeypatch) as scored, Standings(tmp_path).remembered("events"):
        run_on(panel(400, seed=1), SETTINGS)
        run_on(panel(400), DetectSettings(witness=False))
    assert sum(scored) == 800


def test_the_file_is_written_again_only_when_nothing_in_it_is_of_use(tmp_path: Path) -> None:
    path = written(tmp_path)
    kept = Standings(tmp_path)

    def cycle(hours: int, seed: int, at: datetime) -> bool:
        before = path.stat().st_ino
        with kept.remembered("events"):
            run_on(panel(hours, seed), SETTINGS)
        kept.save("events", at)
        return path.stat().st_ino != before

    assert not cycle(401, 0, NOW + timedelta(hours=1))
    assert not cycle(401, 1, NOW + timedelta(minutes=5))
    assert cycle(401, 1, NOW + timedelta(hours=2))


def test_a_folder_that_cannot_be_written_costs_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "root").write_text("a file where the folder should be")
    kept = Standings(tmp_path / "root")
    with kept.remembered("events"):
        run_on(panel(100), SETTINGS)
    kept.save("events", NOW)
    assert "could not be written" in caplog.text


def test_a_draft_that_was_left_behind_is_no_state(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert [each.name for each in path.parent.iterdir()] == ["detector.state"]
