"""Short ways to make the records that alerting works on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from eventwatch.model.alert import Alert, AlertState, Silence
from eventwatch.model.contract import Catalog, Contract, Location, Owner, Team
from eventwatch.model.result import Amount, Cut, Fact, Result, Spark
from eventwatch.model.settings import Exposure, NotifySettings, Secret
from eventwatch.model.status import KindName, Severity, Status
from tests.fakes.hostile_names import HOSTILE

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EXPOSURE = Exposure(name="analytics_events", connection=Secret("duckdb://"), owner="data-platform")
TEAMS = {
    "growth": Team("growth", "#growth-alerts", "S0123ABCD"),
    "data-platform": Team("data-platform", "#data-platform"),
}
NOTIFY = NotifySettings(
    fallback_team="data-platform",
    contract_link="https://git.example.com/events/blob/main/{path}#L{line}",
)


def result(event_type: str | None = "user_followed_user", **changes: Any) -> Result:
    """A FAIL of volume, unless told otherwise."""
    values: dict[str, Any] = {
        "exposure": "analytics_events",
        "kind": KindName.VOLUME,
        "aspect": "bucket",
        "status": Status.FAIL,
        "summary": "1,240 events, usually 9,800 to 11,600",
    }
    return Result(event_type=event_type, **(values | changes))


def unreadable(**changes: Any) -> Result:
    """An exposure that could not be measured."""
    values: dict[str, Any] = {
        "kind": KindName.FRESHNESS,
        "aspect": "unreadable",
        "status": Status.ERROR,
        "summary": "could not be measured: the file is locked",
    }
    return result(None, **(values | changes))


def alert(of: Result | None = None, **changes: Any) -> Alert:
    """A firing alert that nobody was told about yet."""
    of = result() if of is None else of
    made = Alert(
        id=of.fingerprint[:12],
        fingerprint=of.fingerprint,
        state=AlertState.FIRING,
        result=of,
        started_at=NOW - HOUR,
        seen_at=NOW,
        fired_at=NOW - HOUR,
    )
    return replace(made, **changes)


def told(of: Result | None = None, **changes: Any) -> Alert:
    """A firing alert that its owner heard of half an hour ago."""
    made = alert(of)
    heard: dict[str, Any] = {
        "notified_at": NOW - 30 * MINUTE,
        "notified_severity": made.result.severity,
    }
    return replace(made, **(heard | changes))


def contract(event_type: str = "user_followed_user", **changes: Any) -> Contract:
    """A contract owned by growth."""
    made = Contract(
        event_type=event_type,
        message_name="acme.events.UserFollowedUser",
        location=Location("growth/follow.proto", 12),
        owner=Owner("growth"),
        description="A user follows another one.",
        runbook_url="https://wiki.example.com/follow?a=1&b=2",
    )
    return replace(made, **changes)


def catalog(*contracts: Contract) -> Catalog:
    """A catalog of these."""
    return Catalog({c.event_type: c for c in contracts}, TEAMS, "digest")


def silence(**changes: Any) -> Silence:
    """Mutes everything now."""
    values: dict[str, Any] = {
        "id": "s1",
        "event_type": "",
        "exposure": "",
        "kind": "",
        "team": "",
        "reason": "planned work",
        "author": "ada",
        "starts_at": NOW - HOUR,
        "ends_at": NOW + HOUR,
    }
    return Silence(**(values | changes))


hostile = st.sampled_from(HOSTILE) | st.text(max_size=400)
"""Names of the corpus, and what Hypothesis thinks of."""


@st.composite
def hostile_result(draw: st.DrawFn) -> Result:
    """A result whose every text is hostile."""
    return Result(
        exposure=draw(hostile),
        kind=draw(st.sampled_from(KindName)),
        aspect=draw(st.sampled_from(("bucket", "silence", "unseen", "unreadable", "judging"))),
        status=draw(st.sampled_from((Status.FAIL, Status.ERROR))),
        event_type=draw(st.none() | hostile),
        cut=draw(st.none() | st.builds(Cut, hostile, hostile)),
        severity=draw(st.sampled_from(Severity)),
        summary=draw(hostile),
        amount=draw(
            st.none()
            | st.builds(
                Amount,
                st.sampled_from(("events", "seconds", "share", "values")),
                st.floats(),
                st.none() | st.floats(),
                st.none() | st.floats(),
                st.none() | st.floats(),
                st.none() | st.just(NOW - 2 * HOUR),
                st.none() | st.just(NOW - HOUR),
            )
        ),
        since=draw(st.none() | st.just(NOW - 3 * HOUR)),
        facts=tuple(draw(st.lists(st.builds(Fact, hostile, hostile), max_size=8))),
        spark=draw(
            st.none()
            | st.builds(
                Spark, st.just(NOW), st.just(HOUR), st.lists(st.floats(), max_size=40).map(tuple)
            )
        ),
        check=draw(hostile),
    )


@st.composite
def hostile_contract(draw: st.DrawFn, event_type: str) -> Contract:
    """A contract whose every text is hostile."""
    return contract(
        event_type,
        message_name=draw(hostile),
        location=Location(draw(hostile), draw(st.none() | st.integers(1, 10**6))),
        owner=Owner(draw(hostile), draw(hostile)),
        description=draw(hostile),
        runbook_url=draw(hostile | st.just("https://wiki.example.com/x")),
    )
