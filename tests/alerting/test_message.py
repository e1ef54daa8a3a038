"""One message holds what fits, says what does not, and does nothing but be read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventwatch.alerting.card import News
from eventwatch.alerting.escape import size
from eventwatch.alerting.message import BUDGET, MAX_BLOCKS, compose, worst_first
from eventwatch.alerting.route import Route
from eventwatch.model.alert import AlertState, Change, Delivery, Message
from eventwatch.model.status import Severity
from eventwatch.notifiers.body import with_note
from eventwatch.pipeline.dead_letters import DeadLetters
from tests.alerting.builders import (
    GROWTH,
    NOW,
    alert,
    contract,
    hostile,
    hostile_news,
    news,
    result,
    told,
    unreadable,
)
from tests.alerting.slack_view import assert_inert, blocks, objects, picture
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.slack_rules import size_error

LINK = "https://git.example.com/events/blob/main/{path}#L{line}"


def assert_fits(message: Message, budget: int = BUDGET, most: int = MAX_BLOCKS) -> None:
    assert size(message.text) + size(message.blocks) <= budget
    assert len(blocks(message)) <= most
    assert size_error({"text": message.text, "blocks": blocks(message)}) == ""
    assert sum(size(o["text"]) for o in objects(message)) + size(message.text) <= 9_000


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(hostile_news(), min_size=1, max_size=12), st.integers(1, 42), hostile)
def test_any_number_of_hostile_alerts_fits_and_is_inert(
    some: list[News], times: int, team: str
) -> None:
    many = [
        replace(item, alert=replace(item.alert, id=f"{i}-{j}"))
        for i in range(times)
        for j, item in enumerate(some)
    ]
    route = Route(team, "#c", "S0123ABCD")
    message = compose(route, many, NOW, contract_link=LINK)
    assert_fits(message)
    assert_inert(message)
    row = Delivery("k", team, team, message, (), NOW)
    second = DeadLetters().letter(
        row, "channel_not_found", replace(route, channel="#elsewhere"), NOW
    )
    assert second is not None
    noted = with_note(second.message, "For #growth-alerts. This may repeat an earlier message.")
    assert_fits(noted, budget=9_000, most=50)
    assert_inert(noted)


@pytest.mark.parametrize("change", [Change.FIRED, Change.RESOLVED])
def test_every_hostile_name_is_told_inertly(change: Change) -> None:
    for name in HOSTILE:
        of = told(result(name, summary=name, check=name))
        message = compose(GROWTH, [news(of, change, contract=contract(name))], NOW)
        assert_fits(message)
        assert_inert(message)


def test_a_mention_in_a_name_pings_nobody() -> None:
    message = compose(GROWTH, [news(alert(result("<!channel>")))], NOW)
    assert "<!channel>" not in message.blocks + message.text
    assert "`&lt;!channel&gt;`" in message.blocks
    assert "<!subteam^S0123ABCD>" in message.blocks


def test_five_hundred_alerts_are_counted_and_the_command_that_shows_them_is_told() -> None:
    many = [news(alert(result(f"event_{i:03}"))) for i in range(500)]
    message = compose(GROWTH, many, NOW)
    assert_fits(message)
    shown = sum(f"event_{i:03}" in message.blocks for i in range(500))
    assert f"+{500 - shown} more ({500 - shown} warning)" in message.blocks
    assert "eventwatch run-once --team growth" in message.blocks
    assert shown >= 20
    assert message.text.startswith("growth: 500 new problems")
    assert "+497 more" in message.text


def test_every_alert_is_shown_or_counted() -> None:
    for n in (1, 2, 7, 13, 23, 24, 40):
        many = [news(alert(result(f"event_{i:03}"))) for i in range(n)]
        message = compose(GROWTH, many, NOW)
        shown = sum(f"event_{i:03}" in message.blocks for i in range(n))
        left = f"+{n - shown} more" in message.blocks
        assert left == (shown < n)


def test_the_worst_comes_first_and_what_is_over_last() -> None:
    ordered = worst_first(
        [
            news(told(result("over", severity=Severity.CRITICAL)), Change.RESOLVED),
            news(alert(unreadable())),
            news(told(result("still", severity=Severity.CRITICAL)), Change.REMIND),
            news(alert(result("mild", severity=Severity.INFO))),
            news(alert(result("usual"))),
            news(alert(result("bad", severity=Severity.CRITICAL))),
            news(told(result("worse", severity=Severity.CRITICAL)), Change.WORSE),
            news(alert(result("dead", severity=Severity.CRITICAL, total=True))),
        ]
    )
    names = [n.alert.result.event_type for n in ordered]
    assert names == ["worse", "dead", "bad", "still", "usual", None, "mild", "over"]


def test_nobody_is_mentioned_for_good_news_or_information_alone() -> None:
    good = news(told(state=AlertState.RESOLVED, ended_at=NOW), Change.RESOLVED)
    mild = news(alert(result("mild", severity=Severity.INFO)))
    assert "subteam" not in compose(GROWTH, [good, mild], NOW).blocks
    assert "subteam" in compose(GROWTH, [good, news()], NOW).blocks


def test_a_route_without_a_group_mentions_nobody() -> None:
    assert "subteam" not in compose(replace(GROWTH, group_id=""), [news()], NOW).blocks


def test_the_fallback_team_reads_why_it_is_told() -> None:
    route = Route("data-platform", "#data", "", "no contract declares this event type", True)
    message = compose(route, [news(route=route, contract=None)], NOW)
    assert "Sent here because no contract declares this event type." in message.plain


def test_our_own_trouble_is_not_called_a_fault_of_the_data() -> None:
    message = compose(GROWTH, [news(alert(unreadable()), contract=None)], NOW)
    assert "says nothing of the data" in message.plain
    assert message.plain.startswith("analytics_events could not be measured")


def test_the_plain_form_has_no_markup() -> None:
    message = compose(GROWTH, [news()], NOW, contract_link=LINK)
    assert "*" not in message.plain
    assert "`" not in message.plain
    assert "&amp;" not in message.plain
    assert "subteam" not in message.plain


def test_the_same_alerts_in_another_order_make_the_same_message() -> None:
    many = [news(alert(result(f"event_{i}"))) for i in range(30)]
    assert compose(GROWTH, many, NOW) == compose(GROWTH, many[::-1], NOW)


def test_ten_thousand_alerts_are_one_message() -> None:
    many: Sequence[News] = [news(alert(result(f"event_{i}"))) for i in range(10_000)]
    message = compose(GROWTH, many, NOW)
    assert_fits(message)
    assert "growth: 10,000 new problems" in message.blocks


def test_the_picture_shows_what_a_reader_needs() -> None:
    over = told(
        result("invite_sent"), state=AlertState.RESOLVED, ended_at=NOW, end_reason="back to normal"
    )
    shown = picture(compose(GROWTH, [news(), news(over, Change.RESOLVED)], NOW, contract_link=LINK))
    for wanted in (
        "growth: 1 new problem, 1 over",
        "@group-S0123ABCD",
        "`user_followed_user`",
        "1,240 events, usually 9,800 to 11,600.",
        "*Since*",
        "[growth/follow.proto:12](https://git.example.com/events/blob/main/growth/follow.proto#L12)",
        "[Runbook](https://wiki.example.com/follow?a=1&b=2)",
        "eventwatch run-once --event-type user_followed_user",
        "eventwatch silence add --event-type user_followed_user",
        "suppressions {",
        "✅ `invite_sent` had an unusual volume for 1 h: back to normal",
    ):
        assert wanted in shown


def test_blocks_are_json_with_names_as_they_are_written() -> None:
    message = compose(GROWTH, [news(alert(result("событие")))], NOW)
    assert "событие" in message.blocks
    assert json.loads(message.blocks)
