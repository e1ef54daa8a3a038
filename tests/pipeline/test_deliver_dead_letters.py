"""A refused message is told to somebody, and its cause once a day."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from eventwatch.alerting.route import Route
from eventwatch.model.alert import Action, Delivery, DeliveryState, Message
from eventwatch.pipeline.dead_letters import DeadLetters
from eventwatch.ports.notifier import NOT_SENT, WEBHOOK_CHANNEL
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack_rules import size_error

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
ROUTE = Route("data-platform", "#data-platform")
BLOCKS = '[{"type":"section","text":{"type":"mrkdwn","text":"*fell*"}}]'
REASON = "Slack says is_archived"


def row(key: str = "a", **changes: object) -> Delivery:
    made = Delivery(
        key,
        "#growth",
        "growth",
        Message("growth: 1 problem", BLOCKS, "growth: 1 problem"),
        ("alert",),
        NOW,
        state=DeliveryState.SENDING,
        attempts=3,
        claimed_at=NOW,
        post_id="p1",
        incident_ids=("i1",),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def letter(of: Delivery, letters: DeadLetters | None = None, now: datetime = NOW) -> Delivery:
    made = (letters or DeadLetters()).letter(of, REASON, ROUTE, now)
    assert made is not None
    return made


def test_a_new_message_moves_to_the_fallback_route_with_its_post() -> None:
    made = letter(row())
    assert (made.channel, made.team, made.is_fallback) == ("#data-platform", "data-platform", True)
    assert (made.post_id, made.incident_ids, made.action) == ("p1", ("i1",), Action.POST)
    assert (made.state, made.attempts, made.claimed_at) == (DeliveryState.PENDING, 0, None)
    assert "fell" in made.message.blocks
    # Slack makes no links and mentions of its own out of what is said above the old message.
    assert json.loads(made.message.blocks)[0]["text"]["verbatim"] is True
    assert "#growth" in made.message.text
    assert "is_archived" in made.message.plain


def test_the_same_refusal_twice_is_the_same_row() -> None:
    assert (
        letter(row()).key == letter(row(), now=NOW + timedelta(hours=1)).key != letter(row("b")).key
    )


def test_only_the_first_of_a_cause_and_day_says_what_to_mend() -> None:
    letters = DeadLetters()
    told = [letter(row(f"k{n}"), letters).message.text for n in range(5)]
    assert "Mend the channel" in told[0]
    assert not any("Mend the channel" in text for text in told[1:])
    assert "5 today" in told[-1]
    assert all("growth: 1 problem" in text for text in told), "what it says is lost for nobody"
    tomorrow = letter(row("k9"), letters, NOW + timedelta(days=1))
    assert "Mend the channel" in tomorrow.message.text


@pytest.mark.parametrize("action", [Action.UPDATE, Action.REPLY])
def test_refused_edits_and_replies_make_one_row_per_cause_and_day(action: Action) -> None:
    rows = [letter(row(f"k{n}", action=action, parent="C1:1")) for n in range(4)]
    assert len({made.key for made in rows}) == 1
    made = rows[0]
    assert (made.action, made.post_id, made.parent) == (Action.POST, "", "")
    assert letter(row(action=action), now=NOW + timedelta(days=1)).key != made.key
    assert letter(row(action=action, channel="#other")).key != made.key


def test_a_refused_webhook_is_told_once_a_day_and_moves_nothing() -> None:
    rows = [letter(row(f"k{n}", channel=WEBHOOK_CHANNEL)) for n in range(4)]
    assert len({made.key for made in rows}) == 1
    assert rows[0].post_id == ""
    assert "webhook" in rows[0].message.text


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        (row(is_fallback=True), REASON),
        (row(channel="#data-platform"), REASON),
        (row(action=Action.REPLY), f"{NOT_SENT}: the message is gone"),
    ],
)
def test_where_nothing_further_can_be_said_there_is_no_letter(of: Delivery, reason: str) -> None:
    assert DeadLetters().letter(of, reason, ROUTE, NOW) is None
    assert DeadLetters().letter(row(), REASON, replace(ROUTE, channel=""), NOW) is None


def test_hostile_channels_and_reasons_are_only_text() -> None:
    for name in HOSTILE:
        of = row(channel=f"#{name}", team=name)
        made = DeadLetters().letter(of, name, ROUTE, NOW)
        if made is None:
            continue
        blocks = json.loads(made.message.blocks)
        first = blocks[0]["text"]["text"]
        assert not set("<>") & set(first), name
        assert not size_error({"text": made.message.text, "blocks": blocks}), name
