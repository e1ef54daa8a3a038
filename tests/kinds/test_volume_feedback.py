"""What people said of an incident changes what is told next, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from eventwatch.kinds import volume
from eventwatch.kinds.definition import rules_for
from eventwatch.kinds.volume import VolumeCheck, judge
from eventwatch.kinds.volume_calendar import label_marks
from eventwatch.kinds.volume_panel import grid_of, panel_of
from eventwatch.model.label import Label, Opinion
from eventwatch.model.measurement import SeriesKey
from eventwatch.model.result import Result
from eventwatch.model.status import Status
from eventwatch.model.view import ExposureView
from tests.fakes.streams import NOW, UTC_ZONE, Change, Rows, Table, during, product

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SUNDAY = datetime(2026, 9, 13, 3, tzinfo=UTC)
BEFORE = SUNDAY - 7 * DAY
FINE, REAL = Opinion.NOT_A_PROBLEM, Opinion.WAS_REAL


def label(opinion: Opinion, start: datetime, end: datetime, **changes: object) -> Label:
    """Of ``type_3``, given when it was over."""
    made = Label("l1", "events", "type_3", opinion, start, end, "weekly batch", "ana", end)
    return replace(made, **changes)  # type: ignore[arg-type]


def results(view: ExposureView) -> dict[str | None, Result]:
    """Of the buckets, by event type."""
    found = judge(view, rules_for(VolumeCheck(), (), "events", view.catalog))
    return {r.event_type: r for r in found if r.aspect in ("bucket", "common")}


def failing(view: ExposureView) -> set[str | None]:
    """Event types."""
    return {name for name, r in results(view).items() if r.status is Status.FAIL}


def batches(*factors: float, hours: int = 1) -> Change:
    """A batch on this Sunday, the one before, and so on back."""
    return product(
        *(
            during(SUNDAY - 7 * k * DAY, SUNDAY - 7 * k * DAY + hours * HOUR, factor)
            for k, factor in enumerate(factors)
        )
    )


class TestNotAProblem:
    @pytest.mark.parametrize(
        ("hours", "after"),
        [
            (1, timedelta(minutes=40)),
            (1, timedelta(minutes=70)),
            (3, timedelta(minutes=40)),
            (3, timedelta(minutes=70)),
            (3, 3 * HOUR),
        ],
    )
    def test_the_next_weekly_batch_of_that_size_is_no_alert(
        self, hours: int, after: timedelta
    ) -> None:
        table = Table(now=SUNDAY + after, changes={"type_3": batches(10.0, 10.0, hours=hours)})
        assert failing(table.view()) == {"type_3"}
        said = (label(FINE, BEFORE, BEFORE + hours * HOUR),)
        assert failing(table.view(labels=said)) == set()

    def test_a_batch_that_does_not_come_is_no_alert_either(self) -> None:
        table = Table(now=SUNDAY + 2 * HOUR, changes={"type_3": batches(1.0, 10.0)})
        assert failing(table.view(labels=(label(FINE, BEFORE, BEFORE + HOUR),))) == set()

    def test_a_batch_three_times_as_large_is_told(self) -> None:
        table = Table(now=SUNDAY + timedelta(minutes=50), changes={"type_3": batches(30.0, 10.0)})
        assert failing(table.view(labels=(label(FINE, BEFORE, BEFORE + HOUR),))) == {"type_3"}

    def test_the_same_at_another_hour_is_told(self) -> None:
        later = during(SUNDAY + DAY, SUNDAY + DAY + HOUR, 10.0)
        table = Table(
            now=SUNDAY + DAY + timedelta(minutes=50),
            changes={"type_3": product(batches(1.0, 10.0), later)},
        )
        assert failing(table.view(labels=(label(FINE, BEFORE, BEFORE + HOUR),))) == {"type_3"}

    def test_the_same_of_another_type_is_told(self) -> None:
        table = Table(
            now=SUNDAY + timedelta(minutes=50),
            changes={"type_3": batches(1.0, 10.0), "type_2": batches(10.0, 10.0)},
        )
        assert failing(table.view(labels=(label(FINE, BEFORE, BEFORE + HOUR),))) == {"type_2"}

    @pytest.mark.parametrize("factor", [0.0, 0.3, 3.0])
    @pytest.mark.parametrize("ago", [0, 1, 2, 5, 20])
    def test_an_incident_that_goes_on_ends_when_it_is_said(self, factor: float, ago: int) -> None:
        began, said_at = NOW - 30 * HOUR, NOW - ago * HOUR
        table = Table(changes={"type_3": during(began, NOW, factor)})
        assert failing(table.view()) == {"type_3"}
        said = label(FINE, began, said_at, given_at=said_at)
        found = results(table.view(labels=(said,)))
        assert {n for n, r in found.items() if r.status is Status.FAIL} == set()

    def test_what_was_accepted_may_go_back_without_a_word_and_a_stop_is_told_then(self) -> None:
        began, said_at, back = NOW - 60 * HOUR, NOW - 50 * HOUR, NOW - 30 * HOUR
        said = (label(FINE, began, said_at, given_at=said_at),)
        there = during(began, back, 2.5)
        assert failing(Table(changes={"type_3": there}).view(labels=said)) == set()
        stops = product(there, during(NOW - 4 * HOUR, NOW, 0.0))
        assert failing(Table(changes={"type_3": stops}).view(labels=said)) == {"type_3"}

    def test_it_may_be_said_of_the_whole_exposure(self) -> None:
        table = Table(changes={"*": during(NOW - 6 * HOUR, NOW, 0.4)})
        assert None in failing(table.view())
        said = label(FINE, NOW - 6 * HOUR, NOW, event_type=None)
        assert failing(table.view(labels=(said,))) == set()

    def test_what_was_not_yet_said_is_not_known(self) -> None:
        table = Table(now=SUNDAY + HOUR, changes={"type_3": batches(10.0, 10.0)})
        late = label(FINE, BEFORE, BEFORE + HOUR, given_at=SUNDAY + 2 * HOUR)
        gone = label(FINE, BEFORE, BEFORE + HOUR, withdrawn_at=SUNDAY)
        assert failing(table.view(labels=(late, gone))) == {"type_3"}


def scored(rows: Rows, *labels: Label) -> volume.Pass:
    """The pass over the hours of these rows."""
    view = Table().view(rows, labels=labels)
    return volume._score(view, panel_of(view, 3600, int(NOW.timestamp())))


def usual(of: volume.Pass) -> NDArray[np.float64]:
    """What is expected of ``type_3`` in the last day."""
    return np.asarray((of.scored.level * of.scored.season)[-25:-1, 3], dtype=np.float64)


class TestWasReal:
    BEGAN = NOW - 9 * DAY

    @pytest.mark.parametrize(("factor", "hours"), [(0.75, 36), (1.3, 36), (0.0, 5), (6.0, 5)])
    def test_its_buckets_change_nothing_in_the_expectation(self, factor: float, hours: int) -> None:
        rows = Table().rows()
        end = self.BEGAN + hours * HOUR
        spoilt = rows.scaled(rows.of_series(3) & rows.occurred_in(self.BEGAN, end), factor)
        said = label(REAL, self.BEGAN, end)
        # The same label on unspoilt rows: only the spoilt counts themselves differ, and the alarm that
        # they make for a day, in which nothing is learned.
        np.testing.assert_allclose(usual(scored(spoilt, said)), usual(scored(rows, said)), rtol=0.1)

    def test_without_it_an_incident_too_mild_to_be_told_is_learned(self) -> None:
        """So the test above can fail."""
        rows = Table().rows()
        began, end = NOW - 40 * HOUR, NOW - 2 * HOUR
        spoilt = rows.scaled(rows.of_series(3) & rows.occurred_in(began, end), 1.3)
        said = label(REAL, began, end)
        plain = usual(scored(rows, said))
        assert np.abs(usual(scored(spoilt, said)) / plain - 1.0).max() < 0.02
        assert np.abs(usual(scored(spoilt)) / usual(scored(rows)) - 1.0).max() > 0.08

    def test_what_goes_on_stays_an_alert(self) -> None:
        began = NOW - 6 * HOUR
        table = Table(changes={"type_3": during(began, NOW, 0.0)})
        assert failing(table.view(labels=(label(REAL, began, NOW),))) == {"type_3"}

    def test_it_does_not_deafen_the_series(self) -> None:
        """The largest days of a series say what a large score means: this one does not count."""
        rows = Table().rows()
        end = self.BEGAN + 5 * HOUR
        spoilt = rows.scaled(rows.of_series(3) & rows.occurred_in(self.BEGAN, end), 6.0)
        with_it, without = scored(spoilt, label(REAL, self.BEGAN, end)), scored(rows)
        np.testing.assert_allclose(
            with_it.scored.scale[-1, 3], without.scored.scale[-1, 3], rtol=0.05
        )


def test_marks_lie_on_the_buckets_a_span_touches_and_the_newest_word_counts() -> None:
    view = Table().view()
    grid = grid_of(int((NOW - DAY).timestamp()), int(NOW.timestamp()), 3600, UTC_ZONE)
    keys = (SeriesKey("type_3"), SeriesKey("type_3", "platform", "ios"), SeriesKey("other"))
    start = NOW.replace(hour=2, minute=30)
    first = label(FINE, start, start + HOUR)
    second = label(REAL, start + HOUR, start + HOUR, id="l2")
    third = label(REAL, start, start + HOUR, id="l3", dimension="platform", value="ios")
    marks = label_marks(replace(view, labels=(third, second, first)), grid, keys)
    assert marks is not None
    hour = np.flatnonzero(marks[:, 0])
    at = [datetime.fromtimestamp(int(grid.edges[t]), UTC).hour for t in hour]
    assert at == [2, 3]
    assert marks[hour, 0].tolist() == [-1, -1]
    assert marks[hour, 1].tolist() == [1, 1]
    assert not marks[:, 2].any()
    later = label(REAL, start, start + timedelta(minutes=5), given_at=NOW, id="l4")
    again = label_marks(replace(view, labels=(later, first)), grid, keys)
    assert again is not None
    assert again[hour, 0].tolist() == [1, -1]
    assert label_marks(replace(view, labels=(second,)), grid, keys) is None
