"""What a silence of an incident mutes is what its words say, for any names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventwatch.alerting.silence import silenced_by
from eventwatch.alerting.silence_scope import hides, is_wide, scopes
from eventwatch.model.alert import Alert, AlertState, Silence
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut, Result
from eventwatch.model.status import KindName, Status

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
IOS = Cut("platform", "ios")
EVENT = Cause(CauseKind.EVENT_TYPE, "k", "events", "a")
NAMES = st.text(st.characters(codec="utf-8") | st.sampled_from("[]*?!-"), min_size=1, max_size=12)


def alert(event_type: str | None = "a", kind: KindName = KindName.VOLUME, **more: object) -> Alert:
    made = Result("events", kind, "bucket", Status.FAIL, event_type)
    result = replace(made, **more)  # type: ignore[arg-type]
    return Alert("i", result.fingerprint, AlertState.FIRING, result, NOW, NOW)


def running(*found: Silence) -> tuple[Silence, ...]:
    return tuple(
        replace(each, id=str(i), starts_at=NOW, ends_at=NOW + timedelta(hours=4))
        for i, each in enumerate(found)
    )


@given(NAMES, NAMES, NAMES, NAMES, st.sampled_from(KindName))
def test_a_silence_of_an_alert_mutes_it_and_no_other_name(
    exposure: str, event_type: str, value: str, other: str, kind: KindName
) -> None:
    cut = Cut("platform", value)
    one = alert(event_type, kind, exposure=exposure, cut=cut)
    active = running(*scopes([one], EVENT))
    assert silenced_by(one.result, "any", active, NOW) is not None
    for beside in (
        replace(one.result, exposure=exposure + other),
        replace(one.result, event_type=event_type + other),
        replace(one.result, cut=Cut("platform", value + other)),
        replace(one.result, event_type=None),
        replace(one.result, cut=None),
    ):
        assert silenced_by(beside, "any", active, NOW) is None


@given(st.lists(NAMES, min_size=1, max_size=9))
def test_its_words_are_short_and_name_what_they_can(names: list[str]) -> None:
    said = hides(scopes([alert(name) for name in names], EVENT))
    assert 0 < len(said) < 600
    assert names[0].strip("\0") in said or not names[0].strip("\0")


@pytest.mark.parametrize(
    ("alerts", "cause", "words"),
    [
        ([alert()], EVENT, "everything about a in events"),
        ([alert("a[b]*")], EVENT, "everything about a[b]* in events"),
        (
            [alert(cut=IOS), alert("b", cut=IOS)],
            Cause(CauseKind.CUT, "k", "events", "ios", cut=IOS),
            "everything about every event type with platform ios in events",
        ),
        (
            [alert(None, KindName.FRESHNESS)],
            Cause(CauseKind.EXPOSURE, "k", "events", "events"),
            "freshness and volume of events, the table itself and all its event types",
        ),
        (
            [alert(None, KindName.DRIFT)],
            Cause(CauseKind.ALONE, "k", "events", "events"),
            "drift of events, the table itself and all its event types",
        ),
        (
            [
                alert(None, KindName.FRESHNESS, status=Status.ERROR, exposure=name)
                for name in ("a", "b", "c", "d", "e")
            ],
            Cause(CauseKind.SOURCE, "k", "", "the source"),
            "freshness of a, b, c and 2 more, the tables themselves and all their event types",
        ),
        (
            [alert(name) for name in "abcde"],
            Cause(CauseKind.ALONE, "k", "events", "events"),
            "everything about a in events; everything about b in events; everything about c in "
            "events; and 2 more of this incident",
        ),
    ],
)
def test_its_words_say_what_it_mutes(alerts: list[Alert], cause: Cause, words: str) -> None:
    found = scopes(alerts, cause)
    assert hides(found) == words
    # One event type is muted without a question.
    assert is_wide(found) == (cause is not EVENT)
