"""Event types born yesterday: judged in wide bounds by their own first hours and the table's rhythm."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from eventwatch.kinds.volume import VolumeCheck
from eventwatch.model.contract import Direction
from eventwatch.model.status import Status
from tests.kinds.test_volume import NOW, RATES, Change, contract, during, results, view_of

NAME = "type_02"
BORN = NOW - timedelta(hours=40)


def result_of(
    *changes: Change,
    others: Change | None = None,
    hours: float = 40.0,
    seed: int = 3,
    declared: bool = True,
    check: VolumeCheck | None = None,
    **terms: object,
) -> tuple[Status, str, bool]:
    """Status, summary and whether nothing came, of a type that is so many hours old."""

    def both(at: np.ndarray) -> np.ndarray:
        factor = np.ones(len(at))
        for change in changes:
            factor = factor * change(at)
        return factor

    moved = {} if others is None else dict.fromkeys(RATES, others)
    view = view_of(
        changes={**moved, NAME: both},
        born={NAME: NOW - timedelta(hours=hours)},
        contracts=(contract(NAME, **terms),) if declared else (),
        seed=seed,
    )
    result = results(view, *(() if check is None else (check,)))[NAME, "bucket"]
    return result.status, result.summary, result.total


def stops(hours: float) -> Change:
    """Nothing more since so many hours."""
    return during(NOW - timedelta(hours=hours), 0.0)


def test_a_total_stop_is_told_in_the_first_days() -> None:
    status, summary, total = result_of(stops(4))
    assert (status, total) == (Status.FAIL, True)
    assert summary.startswith("no events since 2026-09-16 10:")


def test_it_is_told_within_a_few_hours_whatever_the_noise() -> None:
    told = [result_of(stops(3), seed=seed)[0] for seed in range(6)]
    assert told == [Status.FAIL] * 6


@pytest.mark.parametrize("hours", [4, 9, 15, 22, 31, 52, 68])
def test_the_night_is_no_fall(hours: float) -> None:
    for seed in range(4):
        status, summary, _ = result_of(hours=hours, seed=seed)
        assert status is Status.LEARNING
        assert summary.endswith("days of history, 3 are needed")


def test_a_half_is_within_its_bounds() -> None:
    assert result_of(during(NOW - timedelta(hours=5), 0.5))[0] is Status.LEARNING


def test_a_launch_may_grow() -> None:
    grows = during(NOW - timedelta(hours=6), 25.0)
    assert result_of(grows)[0] is Status.LEARNING


def test_what_launches_with_a_burst_may_calm_down() -> None:
    burst = during(BORN, 4.0, BORN + timedelta(hours=6))
    assert result_of(burst)[0] is Status.LEARNING


def test_what_nobody_declared_is_told_by_drift_alone() -> None:
    assert result_of(stops(4), declared=False)[0] is Status.LEARNING


def test_who_wants_only_rises_hears_of_no_fall() -> None:
    assert result_of(stops(4), alert_on=Direction.SPIKE)[0] is Status.LEARNING


def test_an_outage_of_the_whole_table_is_not_told_of_it() -> None:
    assert result_of(stops(3), others=stops(3))[0] is not Status.FAIL


def test_the_bounds_are_said_while_it_is_learned() -> None:
    view = view_of(born={NAME: BORN}, contracts=(contract(NAME),))
    result = results(view)[NAME, "bucket"]
    (fact,) = (f for f in result.facts if f.label == "wide bounds")
    assert "told under" in fact.text
    assert result.learning_until is not None
