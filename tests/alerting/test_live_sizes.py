"""However many, however long and whatever the names: a message is taken, inert, and counts the rest."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventwatch.alerting import live
from eventwatch.alerting.escape import size
from eventwatch.alerting.live import Shown
from eventwatch.alerting.live_view import MAIN
from eventwatch.alerting.page import BUDGET, MAX_BLOCKS
from eventwatch.model.alert import AlertState, Delivery, Message
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.incident import IncidentState, Moment, MomentKind, Recipient, Role
from eventwatch.model.result import Cut
from eventwatch.model.status import Severity
from eventwatch.notifiers.body import with_note
from eventwatch.pipeline.dead_letters import DeadLetters
from tests.alerting.builders import (
    HOUR,
    NOW,
    alert,
    hostile,
    hostile_contract,
    hostile_result,
    result,
    silence,
)
from tests.alerting.live_scenes import (
    DATA,
    KNOWN,
    SEARCH,
    cut,
    drop,
    incident,
    office,
    one_type,
    several,
    shown,
    single,
)
from tests.alerting.slack_view import assert_inert, blocks, objects
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack_rules import size_error

COUNTS = (1, 2, 3, 4, 7, 12, 25, 29, 60, 200)


def assert_fits(message: Message, budget: int = BUDGET, most: int = MAX_BLOCKS) -> None:
    assert size(message.text) + size(message.blocks) <= budget
    assert len(blocks(message)) <= most
    assert 0 < size(message.text) <= 4_000
    assert size_error({"text": message.text, "blocks": blocks(message)}) == ""
    assert sum(size(o["text"]) for o in objects(message)) + size(message.text) <= 9_000


@st.composite
def hostile_shown(draw: st.DrawFn) -> Shown:
    """An incident whose every text is hostile."""
    alerts = tuple(
        replace(alert(of), id=f"{i}", explained=draw(st.booleans()), end_reason=draw(hostile))
        for i, of in enumerate(draw(st.lists(hostile_result(), max_size=4)))
    )
    closed = draw(st.booleans())
    if closed:
        alerts = tuple(replace(a, state=AlertState.RESOLVED, ended_at=NOW) for a in alerts)
    name, other = draw(hostile), draw(hostile)
    cause = Cause(
        draw(st.sampled_from(CauseKind)),
        "k",
        draw(hostile),
        name,
        cut=draw(st.none() | st.builds(Cut, hostile, hostile)),
        event_type=name,
        other=other,
        detail=draw(hostile),
        affected=tuple(draw(st.lists(hostile, max_size=5))),
    )
    who = Recipient(
        draw(st.sampled_from(Role)),
        draw(hostile),
        draw(hostile),
        draw(st.sampled_from(("", "S0123ABCD"))),
        oncall=draw(hostile),
        reason=draw(hostile),
        is_fallback=draw(st.booleans()),
    )
    made = incident(
        cause,
        alerts or (alert(result()),),
        severity=draw(st.sampled_from(Severity)),
        state=IncidentState.RESOLVED if closed else draw(st.sampled_from(IncidentState)),
        owner=replace(who, role=Role.OWNER, team=draw(hostile)),
        others=(replace(who, team=draw(hostile)),),
        end_reason=draw(hostile),
        acknowledged_by=draw(hostile),
        acknowledged_at=NOW,
        muted_by=draw(st.sampled_from(("", "s"))),
        muted_because=draw(hostile),
        late=draw(st.none() | st.just(3 * HOUR)),
    )
    return Shown(made, alerts, who)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(hostile_shown(), min_size=1, max_size=6), st.integers(1, 40), st.data())
def test_any_number_of_hostile_incidents_fits_and_is_inert(
    some: list[Shown], times: int, data: st.DataObject
) -> None:
    many = [
        replace(s, incident=replace(s.incident, id=f"{i:06x}{j:06x}"))
        for i in range(times)
        for j, s in enumerate(some)
    ]
    names = [a.result.event_type for s in some for a in s.alerts if a.result.event_type]
    known = office(*(data.draw(hostile_contract(name)) for name in names[:2]))
    message = live.live(many, known, NOW)
    assert_fits(message)
    assert_inert(message)
    # The room for the line about the rest is kept.
    rest = "more. Show them: "
    assert (rest in message.blocks) or (rest not in message.plain)
    assert "as of " in message.blocks or all(s.recipient.role not in MAIN for s in many)
    team = data.draw(hostile)
    row = Delivery("k", team, team, message, (), NOW)
    second = DeadLetters().letter(
        row, "channel_not_found", replace(known.directory.fallback, channel="#elsewhere"), NOW
    )
    assert second is not None
    noted = with_note(second.message, "For #growth-alerts. This may repeat an earlier message.")
    assert_fits(noted, budget=9_000, most=50)
    assert_inert(noted)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile_shown(), st.lists(hostile_shown(), max_size=8), hostile, hostile, st.data())
def test_whatever_is_replied_or_summed_up_fits_and_is_inert(
    one: Shown, others: list[Shown], text: str, author: str, data: st.DataObject
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(MomentKind), min_size=1, max_size=30))
    moments = [
        Moment(f"m{i}", one.incident.id, NOW, kind, text, author, tuple(a.id for a in one.alerts))
        for i, kind in enumerate(kinds)
    ]
    said = silence(author=author, reason=text)
    for made in (
        live.reply(one, moments, KNOWN, NOW),
        live.silence_over(said, others, KNOWN, NOW),
        live.daily("Broken now", [one, *others], KNOWN, NOW),
    ):
        assert_fits(made)
        assert_inert(made)


@pytest.mark.parametrize("name", HOSTILE)
def test_every_hostile_name_is_told_inertly(name: str) -> None:
    of = drop(name, summary=name, check=name)
    for made in (
        live.live([shown(one_type(name, name), of)], KNOWN, NOW),
        live.live([shown(one_type(name, name), of, who=SEARCH)], KNOWN, NOW),
        live.reply(
            shown(one_type(name), of), [Moment("m", "i", NOW, MomentKind.WORSE)], KNOWN, NOW
        ),
    ):
        assert_fits(made)
        assert_inert(made)


@pytest.mark.parametrize("count", COUNTS)
def test_every_incident_of_a_message_is_shown_or_counted(count: int) -> None:
    many = [
        shown(one_type(f"event_{i:03}"), drop(f"event_{i:03}"), id=f"{i:012}") for i in range(count)
    ]
    message = live.live(many, KNOWN, NOW)
    assert_fits(message)
    told = sum(f"`event_{i:03}`" in message.blocks for i in range(count))
    left = re.search(r"\+([\d,]+) more\. Show them: `eventwatch incidents list", message.blocks)
    assert told + (int(left[1].replace(",", "")) if left else 0) == count
    assert told >= min(count, 12)


@pytest.mark.parametrize("count", [0, 1, 2, 40, 200, 10_000])
def test_every_alert_of_an_incident_is_named_or_counted(count: int) -> None:
    names = [f"event_{i:05}" for i in range(count)]
    under = [replace(drop(n, spark=None, facts=()), explained=True) for n in names]
    cause = Cause(CauseKind.EXPOSURE, "k", "analytics_events", "analytics_events")
    message = live.live([shown(cause, drop(None), *under, owner=DATA)], KNOWN, NOW)
    assert_fits(message)
    told = sum(n in message.blocks for n in names[:300])
    left = re.search(r"and ([\d,]+) more", message.blocks)
    assert told + (int(left[1].replace(",", "")) if left else 0) == count


@pytest.mark.parametrize("letter", ["x", "ж", "😀", '"', "\\", "&", "<", "\x07", "\u202e"])
def test_names_of_five_thousand_characters_give_way(letter: str) -> None:
    name = letter * 5_000
    of = drop(name, summary=name, check=name)
    cause = replace(one_type(name, name), affected=tuple(f"{name}{i}" for i in range(50)))
    one = shown(cause, of, *(drop(f"{name}{i}") for i in range(5)), id="4f2a91c07bd3")
    for views in (
        [one],
        [replace(one, incident=replace(one.incident, id=f"{i}")) for i in range(9)],
    ):
        message = live.live(views, KNOWN, NOW)
        assert_fits(message)
        assert_inert(message)
        assert "eventwatch incidents explain" in message.blocks


def test_only_those_who_are_told_fit_as_well() -> None:
    many = [
        replace(cut(who=SEARCH), incident=replace(cut().incident, id=f"{i:012}"))
        for i in range(200)
    ]
    message = live.live(many, KNOWN, NOW)
    assert_fits(message)
    assert "more. Show them: `eventwatch incidents list --team search`" in message.blocks
    assert "subteam" not in message.blocks


def test_a_daily_message_of_very_many_counts_the_rest() -> None:
    message = live.daily("Broken now", several(200), KNOWN, NOW)
    assert_fits(message)
    assert message.plain.startswith("Broken now: 200 incidents\n")
    assert "more. Show them: eventwatch incidents list" in message.plain


def test_the_plain_form_has_no_markup() -> None:
    for plain in (live.live([single()], KNOWN, NOW).plain, live.live(several(9), KNOWN, NOW).plain):
        for mark in ("*", "`", "&amp;", "subteam", "<http"):
            assert mark not in plain
