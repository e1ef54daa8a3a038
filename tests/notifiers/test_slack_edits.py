"""Edits of live messages and answers in their threads."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.model.alert import Action, Delivery, Message, Outcome, Verdict
from eventwatch.ports.notifier import NOT_SENT
from tests.fakes.slack import ALL_SCOPES, FakeSlack, Fault
from tests.notifiers.builders import BLOCKS, NOW, SECOND, by_token, delivery

LATER = NOW + timedelta(minutes=1)
NEWS = Message("growth: over", BLOCKS.replace("late", "over"), "growth: over")


def posted(slack: FakeSlack) -> str:
    """A live message; its reference."""
    return by_token(slack).send(delivery("post"), NOW).reference


def edit(parent: str, key: str = "e1", **changes: object) -> Delivery:
    return delivery(key, action=Action.UPDATE, parent=parent, message=NEWS, **changes)


def reply(parent: str, key: str = "r1", **changes: object) -> Delivery:
    return delivery(key, action=Action.REPLY, parent=parent, message=NEWS, **changes)


def test_an_edit_changes_the_message_and_keeps_its_key(slack: FakeSlack) -> None:
    parent = posted(slack)
    outcome = by_token(slack).send(edit(parent), NOW)
    assert outcome == Outcome(Verdict.SENT, reference=parent)
    (message,) = slack.messages
    assert message.body["text"] == "growth: over"
    assert "over" in json.dumps(message.body["blocks"])
    assert (message.key, message.edits) == ("post", 1)


def test_an_edit_without_blocks_takes_the_old_ones_away(slack: FakeSlack) -> None:
    parent = posted(slack)
    bare = replace(edit(parent), message=Message("over", "", "over"))
    assert by_token(slack).send(bare, NOW).verdict is Verdict.SENT
    assert slack.messages[0].body["blocks"] == []


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long"])
@pytest.mark.parametrize("of", [edit, reply])
def test_refused_blocks_of_an_edit_or_a_reply_are_sent_once_in_the_short_form(
    slack: FakeSlack, code: str, of: Callable[[str], Delivery]
) -> None:
    row = of(posted(slack))
    slack.faults = [Fault(error=code)]
    outcome = by_token(slack).send(row, NOW)
    assert outcome.verdict is Verdict.SENT
    assert code in outcome.reason
    assert not slack.messages[-1].body.get("blocks")


def test_an_edit_of_unknown_end_is_made_again_without_asking(slack: FakeSlack) -> None:
    row, notifier = edit(posted(slack)), by_token(slack)
    slack.faults = [Fault(closes=True, stored=True)]
    assert notifier.send(row, NOW).verdict is Verdict.UNKNOWN
    before = len(slack.requests)
    assert notifier.reconcile(row, NOW + SECOND).verdict is Verdict.UNKNOWN, "it may be under way"
    assert notifier.reconcile(row, LATER).verdict is Verdict.RETRY
    assert len(slack.requests) == before
    assert notifier.send(row, LATER).verdict is Verdict.SENT
    assert [m.body["text"] for m in slack.messages] == ["growth: over"]


def test_edits_have_a_limit_of_their_own_that_no_message_waits_for(slack: FakeSlack) -> None:
    parent, notifier = posted(slack), by_token(slack)
    outcomes = [notifier.send(edit(parent, f"e{n}"), NOW) for n in range(8)]
    assert [o.verdict for o in outcomes] == [Verdict.SENT] * 5 + [Verdict.RETRY] * 3
    turns = [o.retry_at for o in outcomes[5:]]
    assert turns == sorted(set(turns), key=str)
    assert notifier.send(delivery("news"), NOW).verdict is Verdict.SENT


def test_a_limit_of_edits_is_the_workspace_s_and_not_the_channel_s(slack: FakeSlack) -> None:
    parent, notifier = posted(slack), by_token(slack)
    slack.faults = [Fault(status=429, retry_after="30")]
    assert notifier.send(edit(parent), NOW).retry_at == NOW + 30 * SECOND
    other = notifier.send(edit(parent, "e2", channel="#data-platform"), NOW)
    assert (other.verdict, other.retry_at) == (Verdict.RETRY, NOW + 30 * SECOND)
    assert notifier.send(delivery("news"), NOW).verdict is Verdict.SENT
    assert sum(path.endswith("chat.update") for path, _, _ in slack.requests) == 1


def test_a_deleted_message_is_posted_once_more_and_lives_on_there(slack: FakeSlack) -> None:
    parent = posted(slack)
    slack.delete(slack.messages[0])
    outcome = by_token(slack).send(edit(parent), NOW)
    (message,) = slack.messages
    assert outcome.verdict is Verdict.SENT
    assert outcome.reference == f"{message.channel}:{message.ts}" != parent
    assert (message.body["text"], message.key) == ("growth: over", "e1")


def test_a_repost_of_unknown_end_is_looked_for_before_it_is_made_again(slack: FakeSlack) -> None:
    parent = posted(slack)
    slack.delete(slack.messages[0])
    slack.faults = [Fault(), Fault(closes=True, stored=True)]
    notifier, row = by_token(slack), edit(parent)
    assert notifier.send(row, NOW).verdict is Verdict.UNKNOWN
    assert notifier.reconcile(row, LATER).verdict is Verdict.RETRY
    again = notifier.send(replace(row, attempts=2, claimed_at=LATER), LATER)
    assert again.verdict is Verdict.SENT
    assert slack.keys() == ["e1"]


def test_a_live_message_of_another_service_is_posted_anew(slack: FakeSlack) -> None:
    assert by_token(slack).send(edit("webhook"), NOW).verdict is Verdict.SENT
    assert slack.keys() == ["e1"]


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed", "is_inactive"])
def test_an_edit_that_is_not_allowed_is_refused_for_good(slack: FakeSlack, code: str) -> None:
    row = edit(posted(slack))
    slack.faults = [Fault(error=code)]
    assert by_token(slack).send(row, NOW) == Outcome(Verdict.REFUSED, f"Slack says {code}")


def test_a_reply_stands_in_the_thread_with_its_key(slack: FakeSlack) -> None:
    outcome = by_token(slack).send(reply(posted(slack)), NOW)
    parent, answer = slack.messages
    assert outcome.verdict is Verdict.SENT
    assert slack.replies(parent) == [answer]
    assert answer.key == "r1"
    assert answer.channel == parent.channel


@pytest.mark.parametrize("stored", [True, False])
def test_a_reply_of_unknown_end_is_looked_for_in_its_thread(slack: FakeSlack, stored: bool) -> None:
    row, notifier = reply(posted(slack)), by_token(slack)
    slack.faults = [Fault(closes=True, stored=stored)]
    assert notifier.send(row, NOW).verdict is Verdict.UNKNOWN
    found = notifier.reconcile(row, LATER)
    assert found.verdict is (Verdict.SENT if stored else Verdict.RETRY)
    assert slack.requests[-1][0].endswith("conversations.replies")


def test_a_reply_to_a_deleted_message_ends_and_troubles_nobody(slack: FakeSlack) -> None:
    row, notifier = reply(posted(slack)), by_token(slack)
    slack.delete(slack.messages[0])
    outcome = notifier.send(row, NOW)
    assert outcome.verdict is Verdict.REFUSED
    assert outcome.reason.startswith(NOT_SENT)
    assert notifier.reconcile(row, LATER).verdict is Verdict.RETRY
    assert slack.messages == []


def test_without_the_history_scope_a_reply_is_sent_again_and_says_so(slack: FakeSlack) -> None:
    row, notifier = reply(posted(slack)), by_token(slack)
    slack.scopes = ALL_SCOPES - {"channels:history"}
    found = notifier.reconcile(row, LATER)
    assert found.verdict is Verdict.RETRY
    notifier.send(replace(row, last_error=found.reason), LATER)
    assert "may repeat" in slack.messages[-1].body["text"]


def test_questions_are_as_rare_as_slack_allows(slack: FakeSlack) -> None:
    slack.limited = True
    notifier = by_token(slack)
    rows = [delivery(f"k{n}", channel="C0GROWTH01") for n in range(20)]
    outcomes = [notifier.reconcile(row, LATER) for row in rows]
    assert [o.verdict for o in outcomes] == [Verdict.RETRY] * 5 + [Verdict.UNKNOWN] * 15
    assert len(slack.requests) == 5


def test_what_cannot_be_asked_for_an_hour_is_sent_again(slack: FakeSlack) -> None:
    notifier, row = by_token(slack), delivery(channel="C0GROWTH01")
    slack.read_faults = [Fault(status=500)] * 2
    assert notifier.reconcile(row, LATER).verdict is Verdict.UNKNOWN
    late = notifier.reconcile(row, NOW + timedelta(minutes=61))
    assert late.verdict is Verdict.RETRY
    assert "it may repeat" in late.reason
