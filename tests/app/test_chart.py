"""The picture in the thread: what counts show is drawn from what is stored, everything else is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch.app import chart
from eventwatch.app.house import House, RunOptions, load, store
from eventwatch.app.runs import cycle
from eventwatch.charts.render import png
from eventwatch.charts.spec import WIDTH
from eventwatch.model.alert import Action, Alert, AlertState, Delivery, Message
from eventwatch.model.result import Amount, Cut, Result, Spark
from eventwatch.model.settings import Secret, SlackSettings
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.model.trace import Trace
from eventwatch.ports.store import Store
from tests.fakes.clock import FakeClock
from tests.fakes.project import Project, steady

NOW = datetime(2026, 5, 20, 12, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Shop:
    """A project whose history was filled by one cycle, and whose warehouse is gone since."""

    def __init__(self, folder: Path) -> None:
        project = Project(folder)
        project.declare("user_followed_user", "user_left")
        project.config()
        rows = steady(["user_followed_user", "user_left"], until=NOW, days=21)
        gone = (rows.event_type == "user_followed_user") & (rows.occurred_at > NOW - 6 * HOUR)
        project.rows(rows[~gone])
        loaded = load(folder / "config.yaml")
        self.house: House = replace(loaded, clock=FakeClock(NOW))
        cycle(self.house, RunOptions())
        project.database.unlink()
        self.store: Store = store(self.house)

    def trace(self, *alerts: Alert) -> Trace | None:
        """What is drawn of these alerts."""
        return chart.trace_of(self.house, self.store, alerts)

    def chart(self) -> Delivery:
        """The row of the picture, as the telling step made it."""
        (incident,) = self.store.incidents()
        ids = tuple(member.alert_id for member in incident.members)
        return Delivery("k", "#c", "t", Message("", "", ""), ids, NOW, action=Action.CHART)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    made = Shop(tmp_path_factory.mktemp("shop") / "project")
    yield made
    made.store.close()


def alert(event_type: str | None = "user_followed_user", **changes: Any) -> Alert:
    values: dict[str, Any] = {
        "exposure": "events",
        "kind": KindName.VOLUME,
        "aspect": "bucket",
        "status": Status.FAIL,
        "summary": "no events since 06:00 UTC, usually 60 to 84",
        "since": NOW - 6 * HOUR,
        "amount": Amount("events", 0.0, 72.0, 60.0, 84.0, NOW - 6 * HOUR, NOW),
    }
    of = Result(event_type=event_type, **(values | changes))
    return Alert(of.fingerprint[:12], of.fingerprint, AlertState.FIRING, of, NOW, NOW)


def value(**changes: Any) -> Alert:
    """About one value, of which only the alert itself keeps counts."""
    spark = Spark(NOW - 24 * HOUR, HOUR, (*([9.0] * 18), *([0.0] * 6)), ())
    known: dict[str, Any] = {"kind": KindName.DRIFT, "aspect": "value_missing", "spark": spark}
    known |= {"cut": Cut("platform", "web"), "amount": None}
    return alert(**(known | changes))


def test_the_alert_of_a_cycle_is_drawn_though_the_warehouse_is_gone(shop: Shop) -> None:
    made = chart.draw(shop.house, shop.store, shop.chart())
    assert made is not None
    assert made.startswith(b"\x89PNG")
    assert int.from_bytes(made[16:20], "big") == 2 * WIDTH


def test_the_counts_of_an_event_type_stand_in_their_usual_range(shop: Shop) -> None:
    trace = shop.trace(alert())
    assert trace is not None
    assert trace.observed[-1] == 0.0
    assert max(v for v in trace.upper if v is not None) > 12
    assert trace.sentence == "No events since 06:00 UTC, usually 60 to 84."
    (bad,) = trace.bad
    assert abs(bad.start_at - (NOW - 6 * HOUR)) <= HOUR
    assert bad.end_at == trace.end_at


def test_what_is_about_a_value_is_drawn_from_what_the_alert_keeps(shop: Shop) -> None:
    trace = shop.trace(value())
    assert trace is not None
    assert trace.title == "user_followed_user on platform web"
    assert trace.observed == (*([9.0] * 18), *([0.0] * 6))
    whole = shop.trace(value(event_type=None, aspect="value_stopped"))
    assert whole is not None
    assert whole.title == "events on platform web"


def test_the_worst_that_counts_can_show_is_drawn(shop: Shop) -> None:
    mild = value(severity=Severity.WARNING)
    lag = alert(kind=KindName.FRESHNESS, aspect="lag", severity=Severity.CRITICAL)
    severe = value(severity=Severity.CRITICAL, cut=Cut("platform", "ios"))
    assert shop.trace(lag, mild) == shop.trace(mild)
    assert shop.trace(mild, severe) == shop.trace(severe)
    assert shop.trace(mild, replace(severe, explained=True)) == shop.trace(mild)


@pytest.mark.parametrize(
    "one",
    [
        alert(kind=KindName.FRESHNESS, aspect="lag"),
        alert(kind=KindName.DUPLICATES, aspect="repeated"),
        alert("never_came", kind=KindName.DRIFT, aspect="missing"),
        alert("never_came"),
        alert(exposure="elsewhere"),
        value(spark=None),
        value(spark=Spark(NOW, HOUR, (float("nan"),) * 5)),
    ],
)
def test_what_counts_cannot_show_is_not_drawn(shop: Shop, one: Alert) -> None:
    assert shop.trace(one) is None


def test_no_alert_is_no_picture(shop: Shop) -> None:
    assert shop.trace() is None


def test_a_new_event_type_is_drawn_without_a_usual_range(shop: Shop) -> None:
    trace = shop.trace(alert(kind=KindName.DRIFT, aspect="unseen", since=None))
    assert trace is not None
    assert trace.expected == trace.lower == trace.upper == ()
    assert trace.observed


@pytest.mark.parametrize(
    "name", ["<script>", "\x1b[31m\u202e\x00\ud800", "x" * 5_000, "", "größe 中文"]
)
def test_names_are_only_letters(shop: Shop, name: str) -> None:
    trace = shop.trace(value(event_type=name, summary=name, cut=Cut(name, name)))
    assert trace is not None
    assert png(trace, scale=0.5).startswith(b"\x89PNG")


def test_a_fault_is_said_once_and_raises_nothing(
    shop: Shop, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "file"
    elsewhere.write_text("no folder")
    settings = replace(shop.house.settings, history=elsewhere)
    broken = replace(shop.house, loaded=replace(shop.house.loaded, settings=settings))
    chart._say.cache_clear()
    with caplog.at_level(logging.WARNING, "eventwatch.app.chart"):
        for _ in range(3):
            assert chart.draw(broken, shop.store, shop.chart()) is None
    said = [r.levelname for r in caplog.records if r.name == "eventwatch.app.chart"]
    assert said == ["WARNING"]


def test_nobody_draws_where_no_thread_could_show_it(shop: Shop) -> None:
    def with_slack(slack: SlackSettings | None) -> House:
        notify = replace(shop.house.settings.notify, slack=slack)
        loaded = replace(shop.house.loaded, settings=replace(shop.house.settings, notify=notify))
        return replace(shop.house, loaded=loaded)

    token = Secret("xoxb-1")
    assert chart.drawer(with_slack(None), shop.store) is None
    assert chart.drawer(with_slack(SlackSettings(webhook_url=token)), shop.store) is None
    assert chart.drawer(with_slack(SlackSettings(token=token, charts=False)), shop.store) is None
    assert chart.drawer(with_slack(SlackSettings(token=token)), shop.store) is not None
