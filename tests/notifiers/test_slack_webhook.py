"""A webhook says everything at least once, and says when it may say it twice."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from eventwatch.model.alert import Outcome, Verdict
from eventwatch.ports.notifier import MAY_REPEAT
from tests.fakes.slack import FakeSlack, Fault
from tests.notifiers.builders import NOW, SECOND, by_webhook, delivery


def test_a_message_arrives_and_names_the_channel_it_was_meant_for(slack: FakeSlack) -> None:
    assert by_webhook(slack).send(delivery(), NOW) == Outcome(Verdict.SENT, reference="webhook")
    (posted,) = slack.messages
    assert posted.channel == "webhook"
    assert posted.body["blocks"][0]["elements"][0]["text"] == "For #growth-alerts"
    assert posted.body["blocks"][1]["text"]["text"] == "*late*"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(closes=True, stored=True),
        Fault(truncated=True, stored=True),
        Fault(status=500),
        Fault(body="<html>maintenance</html>"),
        Fault(body=""),
        Fault(status=302, location="http://127.0.0.1:1/"),
    ],
)
def test_an_unclear_end_is_tried_again_and_says_that_it_may_repeat(
    slack: FakeSlack, fault: Fault
) -> None:
    slack.faults = [fault]
    notifier = by_webhook(slack)
    outcome = notifier.send(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert MAY_REPEAT in outcome.reason
    assert len(slack.requests) == 1
    later = outcome.retry_at
    assert later is not None
    again = delivery(attempts=2, last_error=outcome.reason)
    assert notifier.send(again, later).verdict is Verdict.SENT
    assert "This may repeat an earlier message." in json.dumps(slack.messages[-1].body["blocks"])


def test_a_row_found_half_sent_is_sent_again(slack: FakeSlack) -> None:
    outcome = by_webhook(slack).reconcile(delivery(), NOW + timedelta(minutes=1))
    assert outcome.verdict is Verdict.RETRY
    assert MAY_REPEAT in outcome.reason
    assert slack.requests == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "no_service"), (403, "invalid_token"), (410, "channel_is_archived"), (404, "no_team")],
)
def test_a_webhook_that_is_gone_stops_everything(slack: FakeSlack, status: int, code: str) -> None:
    slack.faults = [Fault(status=status, error=code)]
    outcome = by_webhook(slack).send(delivery(), NOW)
    assert outcome.verdict is Verdict.HALT
    assert code in outcome.reason


def test_refused_blocks_are_sent_once_more_as_plain_text(slack: FakeSlack) -> None:
    slack.faults = [Fault(error="invalid_blocks")]
    assert by_webhook(slack).send(delivery(), NOW).verdict is Verdict.SENT
    assert "blocks" not in slack.messages[0].body


def test_what_is_refused_in_both_forms_is_refused(slack: FakeSlack) -> None:
    slack.faults = [Fault(error="invalid_payload"), Fault(error="invalid_payload")]
    assert by_webhook(slack).send(delivery(), NOW).verdict is Verdict.REFUSED


def test_the_one_channel_gets_one_message_a_second(slack: FakeSlack) -> None:
    notifier = by_webhook(slack)
    for n in range(3):
        notifier.send(delivery(f"k{n}", channel=f"#c{n}"), NOW)
    waits = notifier.send(delivery("k9", channel="#other"), NOW)
    assert (waits.verdict, waits.retry_at) == (Verdict.RETRY, NOW + SECOND)


def test_whatever_happens_each_message_arrives_at_least_once(slack: FakeSlack) -> None:
    faults = [
        *(Fault(closes=True, stored=True), Fault(closes=True), Fault(status=503, stored=True)),
        *(Fault(status=429), Fault(truncated=True), Fault(), Fault()),
    ]
    notifier, now = by_webhook(slack), NOW
    for i in range(60):
        slack.faults = [faults[i % len(faults)]]
        of = delivery(f"k{i}", channel=f"#c{i}")
        outcome = notifier.send(of, now)
        while outcome.verdict is not Verdict.SENT:
            now = outcome.retry_at or now
            of = replace(of, last_error=outcome.reason, attempts=of.attempts + 1)
            outcome = notifier.send(of, now)
        now += 2 * SECOND
    told = [m.body["blocks"][0]["elements"][0]["text"].split(".")[0] for m in slack.messages]
    assert set(told) == {f"For #c{i}" for i in range(60)}
