"""What the buttons do to a real state: done once, said again when it is done already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from eventwatch.alerting.silence import silenced_by
from eventwatch.app.button_acts import ACTS, SILENCE_FOR
from eventwatch.app.house import House
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import (
    Changes,
    Incident,
    IncidentState,
    Member,
    MomentKind,
    Recipient,
    Role,
)
from eventwatch.model.label import Opinion
from eventwatch.model.result import Cut, Result
from eventwatch.model.settings import Secret
from eventwatch.model.state import CycleRecord
from eventwatch.model.status import KindName, Severity, Status
from eventwatch.store.sql import SqlStore, open_store

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
HOUSE = cast(House, None)
"""These acts need the state alone."""
CAUSE = Cause(CauseKind.EVENT_TYPE, "ab", "events", "user_followed_user")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(Secret(f"sqlite:///{tmp_path}/state.db"))
    yield opened
    opened.close()


def result(event_type: str | None = "user_followed_user", **changes: object) -> Result:
    made = Result(
        "events",
        KindName.VOLUME,
        "bucket",
        Status.FAIL,
        event_type,
        severity=Severity.CRITICAL,
        since=NOW - timedelta(hours=2),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def with_incident(
    store: SqlStore, *results: Result, explained: int = 0, cause: Cause = CAUSE
) -> Incident:
    """An incident of these; the last ``explained`` ones do not speak for themselves."""
    alerts = tuple(
        Alert(
            f"{i:032x}",
            each.fingerprint,
            AlertState.FIRING,
            each,
            NOW - timedelta(hours=1),
            NOW,
            fired_at=NOW - timedelta(hours=1),
            cause=cause,
        )
        for i, each in enumerate(results)
    )
    store.commit_cycle(CycleRecord("events", "r", NOW, None, NOW, None, {}, alerts, ()))
    quiet = len(alerts) - explained
    incident = Incident(
        "0123456789ab",
        cause,
        IncidentState.OPEN,
        Severity.CRITICAL,
        Recipient(Role.OWNER, "growth", "#growth"),
        NOW,
        NOW - timedelta(hours=2),
        tuple(Member(a.id, i >= quiet, NOW) for i, a in enumerate(alerts)),
    )
    store.tell(NOW, lambda _: Changes(incidents=(incident,)))
    return incident


def do(store: SqlStore, button: str, at: datetime = NOW, author: str = "anna") -> str:
    (incident,) = store.incidents_like("0123456789ab")
    return ACTS[f"eventwatch_{button}"](HOUSE, store, incident, author, at)


def test_acknowledging_is_noted_once_with_who_did_it(store: SqlStore) -> None:
    with_incident(store, result())
    assert do(store, "ack").startswith("Acknowledged")
    assert do(store, "ack", NOW + timedelta(minutes=1), "bert") == (
        "0123456789ab was acknowledged already by anna, so nothing was changed."
    )
    (incident,) = store.incidents_like("0123456789ab")
    assert (incident.state, incident.acknowledged_by) == (IncidentState.ACKNOWLEDGED, "anna")
    assert incident.acknowledged_at == NOW
    noted = [(m.kind, m.author) for m in store.moments(incident.id)]
    assert noted == [(MomentKind.ACKNOWLEDGED, "anna")]


def test_a_resolved_incident_cannot_be_acknowledged(store: SqlStore) -> None:
    incident = with_incident(store, result())
    over = replace(incident, state=IncidentState.RESOLVED, resolved_at=NOW)
    store.tell(NOW, lambda _: Changes(incidents=(over,)))
    assert "resolved already" in do(store, "ack")
    assert store.moments(incident.id) == ()


def test_a_silence_mutes_the_incident_and_nothing_beside_it(store: SqlStore) -> None:
    with_incident(store, result("odd[a]*"), result("other", aspect="x"), explained=1)
    assert "Silenced for 4 h" in do(store, "silence")
    (silence,) = store.silences(NOW)
    assert (silence.author, silence.ends_at) == ("anna", NOW + SILENCE_FOR)
    assert "0123456789ab" in silence.reason
    assert silenced_by(result("odd[a]*"), "growth", (silence,), NOW) == silence
    for beside in ("odda", "odd[a]x", "other", None):
        assert silenced_by(result(beside), "growth", (silence,), NOW) is None


@pytest.mark.parametrize(
    ("of", "muted", "heard"),
    [
        (
            result(None, cut=Cut("platform", "ios")),
            result("any", cut=Cut("platform", "ios")),
            result("any", cut=Cut("platform", "web")),
        ),
        (
            result(None, kind=KindName.DRIFT),
            result(None, kind=KindName.DRIFT, aspect="other"),
            result("any"),
        ),
        (
            result(None, status=Status.ERROR, kind=KindName.FRESHNESS),
            result(None, status=Status.ERROR, kind=KindName.FRESHNESS),
            result("any"),
        ),
    ],
)
def test_a_silence_is_as_wide_as_what_it_is_about(
    store: SqlStore, of: Result, muted: Result, heard: Result
) -> None:
    with_incident(store, of)
    do(store, "silence")
    assert silenced_by(muted, "growth", store.silences(NOW), NOW) is not None
    assert silenced_by(heard, "growth", store.silences(NOW), NOW) is None


def test_a_value_that_fell_for_many_event_types_is_one_silence(store: SqlStore) -> None:
    ios = Cut("platform", "ios")
    of = [result(name, cut=ios) for name in ("a", "b", "c")]
    cause = Cause(CauseKind.CUT, "cd", "events", "ios", cut=ios)
    with_incident(store, *of, result("d"), explained=4, cause=cause)
    do(store, "silence")
    silences = store.silences(NOW)
    # What is told of an event type as a whole is no trouble of the value, and is muted by itself.
    assert sorted((s.event_type, s.value) for s in silences) == [("", "ios"), ("d", "")]
    assert silenced_by(result("new", cut=ios), "growth", silences, NOW) is not None
    assert silenced_by(result("new"), "growth", silences, NOW) is None


def test_a_late_exposure_is_muted_in_what_a_stop_fails_whatever_is_listed_under_it(
    store: SqlStore,
) -> None:
    cause = Cause(CauseKind.EXPOSURE, "ef", "events", "events")
    with_incident(store, result("a"), result("b", cut=Cut("platform", "ios")), cause=cause)
    said = do(store, "silence")
    assert "freshness and volume of events, the table itself and all its event types" in said
    silences = store.silences(NOW)
    assert {(s.exposure, s.kind, s.event_type) for s in silences} == {
        ("events", "freshness", ""),
        ("events", "volume", ""),
    }
    for kind in KindName:
        muted = silenced_by(result("new", kind=kind), "growth", silences, NOW) is not None
        assert muted == (kind in (KindName.FRESHNESS, KindName.VOLUME))


def test_silencing_twice_makes_one_silence_and_later_another(store: SqlStore) -> None:
    with_incident(store, result())
    do(store, "silence")
    assert "silenced already" in do(store, "silence", NOW + timedelta(minutes=5), "bert")
    assert len(store.silences(NOW)) == 1
    later = NOW + timedelta(hours=2)
    assert "Silenced for" in do(store, "silence", later)
    assert {s.ends_at for s in store.silences(later)} == {NOW + SILENCE_FOR, later + SILENCE_FOR}


def test_not_a_problem_is_feedback_on_what_speaks_once(store: SqlStore) -> None:
    with_incident(store, result(), result("explained"), explained=1)
    assert "Recorded" in do(store, "not_a_problem")
    assert "recorded already" in do(store, "not_a_problem", NOW + timedelta(minutes=1), "bert")
    (label,) = store.labels(NOW + timedelta(minutes=2))
    assert (label.opinion, label.author) == (Opinion.NOT_A_PROBLEM, "anna")
    assert label.fingerprint == result().fingerprint
    assert label.event_type == "user_followed_user"


def test_trouble_of_ours_is_nothing_to_learn_from(store: SqlStore) -> None:
    with_incident(store, result(None, status=Status.ERROR))
    assert "nothing to learn from it" in do(store, "not_a_problem")
    assert store.labels(NOW) == ()


def test_an_incident_whose_alerts_are_over_has_nothing_to_silence(store: SqlStore) -> None:
    incident = with_incident(store, result())
    over = tuple(replace(member, over_at=NOW) for member in incident.members)
    store.tell(NOW, lambda _: Changes(incidents=(replace(incident, members=over),)))
    assert "nothing was changed" in do(store, "silence")
    assert store.silences(NOW) == ()
