"""What Slack does to a message, and what we then know."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from eventwatch.model.alert import Delivery, Outcome, Verdict
from eventwatch.notifiers.slack import SlackNotifier
from eventwatch.ports.notifier import MAY_REPEAT
from tests.fakes.slack import ALL_SCOPES, Channel, FakeSlack, Fault
from tests.notifiers.builders import NOW, SECOND, by_token, delivery

LATER = NOW + timedelta(minutes=1)


def sent_body(slack: FakeSlack, n: int = -1) -> dict[str, object]:
    body: dict[str, object] = json.loads(slack.requests[n][2])
    return body


def test_a_message_arrives_once_with_its_key_and_says_where(slack: FakeSlack) -> None:
    outcome = by_token(slack).send(delivery(), NOW)
    (posted,) = slack.messages
    assert outcome == Outcome(Verdict.SENT, reference=f"C0GROWTH01:{posted.ts}")
    assert posted.key == "k1"
    assert posted.body["blocks"][0]["text"]["text"] == "*late*"
    assert posted.body["text"] == "growth: 1 new problem"


def test_slack_is_told_to_link_and_unfurl_nothing(slack: FakeSlack) -> None:
    by_token(slack).send(delivery(), NOW)
    body = sent_body(slack)
    assert body["parse"] == "none"
    assert body["link_names"] in (False, 0)
    assert body["unfurl_links"] is False
    assert body["unfurl_media"] is False


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30),
        ("1", 1),
        ("1.5", 1.5),
        ("0", 1),
        ("-5", 1),
        (None, 30),
        ("soon", 30),
        ("", 30),
        ("nan", 30),
        ("999999", 3600),
        ("1e400", 3600),
        ("Sun, 17 May 2026 15:06:00 GMT", 60),
        ("Sun, 17 May 2020 15:06:00 GMT", 1),
    ],
)
def test_retry_after_is_honoured_in_every_form(
    slack: FakeSlack, header: str | None, seconds: float
) -> None:
    slack.faults = [Fault(status=429, retry_after=header)]
    outcome = by_token(slack).send(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert outcome.retry_at == NOW + timedelta(seconds=seconds)
    assert slack.messages == []


def test_a_limited_channel_is_left_alone_and_others_are_not(slack: FakeSlack) -> None:
    slack.faults = [Fault(status=429, retry_after="30")]
    notifier = by_token(slack)
    notifier.send(delivery("k1"), NOW)
    waits = notifier.send(delivery("k2"), NOW + 10 * SECOND)
    assert (waits.verdict, waits.retry_at) == (Verdict.RETRY, NOW + 30 * SECOND)
    other = notifier.send(delivery("k3", channel="#data-platform"), NOW + 10 * SECOND)
    assert other.verdict is Verdict.SENT
    assert len(slack.requests) == 2
    assert notifier.send(delivery("k2"), NOW + 30 * SECOND).verdict is Verdict.SENT
    after = notifier.send(delivery("k4"), NOW + 30 * SECOND)
    assert after.retry_at == NOW + 31 * SECOND, "no burst after a limit"


def test_a_channel_gets_a_few_at_once_and_then_one_a_second(slack: FakeSlack) -> None:
    slack.limited, slack.burst = True, 3
    notifier = by_token(slack)
    for n in range(3):
        assert notifier.send(delivery(f"k{n}"), NOW).verdict is Verdict.SENT
    waiting = [notifier.send(delivery(f"w{n}"), NOW + SECOND / 2) for n in range(3)]
    assert [w.verdict for w in waiting] == [Verdict.RETRY] * 3
    assert [w.retry_at for w in waiting] == [NOW + SECOND * n for n in (1, 2, 3)]
    for n in range(3):
        slack.clock += 1
        sent = notifier.send(delivery(f"w{n}"), NOW + SECOND * (n + 1))
        assert sent.verdict is Verdict.SENT
    assert sent.retry_at == NOW + 4 * SECOND
    assert len(slack.requests) == 6


def test_a_clock_that_stepped_back_does_not_silence_a_channel(slack: FakeSlack) -> None:
    notifier = by_token(slack)
    notifier.send(delivery("k1"), NOW + timedelta(days=3650))
    assert notifier.send(delivery("k2"), NOW).verdict is Verdict.SENT


AMBIGUOUS = {
    "closed": Fault(closes=True),
    "closed after it was taken": Fault(closes=True, stored=True),
    "cut off": Fault(truncated=True, stored=True),
    "500": Fault(status=500),
    "500 after it was taken": Fault(status=500, stored=True),
    "502": Fault(status=502, body="<html>bad gateway</html>"),
    "503": Fault(status=503),
    "504": Fault(status=504),
    "408": Fault(status=408),
    "html": Fault(body="<html>maintenance</html>"),
    "empty": Fault(body=""),
    "null": Fault(body="null", content_type="application/json"),
    "list": Fault(body="[1]", content_type="application/json"),
    "string": Fault(body='"ok"', content_type="application/json"),
    "deep": Fault(body="[" * 100_000, content_type="application/json"),
    "ok without a ts": Fault(body='{"ok": true}', content_type="application/json"),
    "odd charset": Fault(body="x", content_type="text/html; charset=no-such-thing"),
    "internal_error": Fault(error="internal_error", stored=True),
    "fatal_error": Fault(error="fatal_error"),
    "service_unavailable": Fault(error="service_unavailable"),
}


@pytest.mark.parametrize("fault", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_an_end_that_proves_nothing_is_unknown_and_asked_about(
    slack: FakeSlack, fault: Fault
) -> None:
    slack.faults = [fault]
    notifier = by_token(slack)
    outcome = notifier.send(delivery(), NOW)
    assert outcome.verdict is Verdict.UNKNOWN
    assert len(slack.requests) == 1
    found = notifier.reconcile(delivery(), LATER)
    assert found.verdict is (Verdict.SENT if fault.stored else Verdict.RETRY)
    if found.verdict is Verdict.RETRY:
        assert notifier.send(delivery(attempts=2), LATER + SECOND * 20).verdict is Verdict.SENT
    assert slack.keys() == ["k1"]


@pytest.mark.parametrize("fault", [Fault(hangs=True, stored=True), Fault(drips=True, stored=True)])
def test_a_peer_that_does_not_end_is_left_at_the_deadline(slack: FakeSlack, fault: Fault) -> None:
    slack.faults = [fault]
    notifier = by_token(slack, timeout=0.3)
    assert notifier.send(delivery(), NOW).verdict is Verdict.UNKNOWN
    assert notifier.reconcile(delivery(), LATER).verdict is Verdict.SENT


def test_without_a_connection_nothing_was_sent(slack: FakeSlack) -> None:
    gone = FakeSlack()
    with gone.running():
        notifier = by_token(gone)
    outcome = notifier.send(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert outcome.retry_at == NOW + 15 * SECOND
    assert "connection refused" in outcome.reason
    patient = notifier.send(delivery(attempts=30), NOW + SECOND * 20)
    assert patient.retry_at == NOW + SECOND * 20 + timedelta(minutes=5)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(slack: FakeSlack, status: int) -> None:
    thief = FakeSlack()
    with thief.running():
        slack.faults = [Fault(status=status, location=thief.base_url + "chat.postMessage")]
        outcome = by_token(slack).send(delivery(), NOW)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "redirected" in outcome.reason
    assert thief.requests == []
    assert len(slack.requests) == 1


@pytest.mark.parametrize(
    "code", ["restricted_action", "posting_to_channel_denied", "some_new_error"]
)
def test_a_definite_refusal_is_not_tried_again(slack: FakeSlack, code: str) -> None:
    slack.faults = [Fault(error=code)]
    outcome = by_token(slack).send(delivery(), NOW)
    assert outcome == Outcome(Verdict.REFUSED, f"Slack says {code}")
    assert len(slack.requests) == 1


def test_a_channel_that_is_gone_archived_or_closed_to_us_refuses(slack: FakeSlack) -> None:
    slack.channels += [
        Channel("C0OLD00001", "old", archived=True),
        Channel("C0SECRET01", "secret", member=False),
    ]
    notifier = by_token(slack)
    for channel, code in (
        ("#nowhere", "channel_not_found"),
        ("#old", "is_archived"),
        ("#secret", "not_in_channel"),
    ):
        outcome = notifier.send(delivery(channel=channel), NOW)
        assert outcome == Outcome(Verdict.REFUSED, f"Slack says {code}")
    nowhere = notifier.send(delivery(channel=""), NOW)
    assert nowhere == Outcome(Verdict.REFUSED, "the team has no Slack channel")


@pytest.mark.parametrize(
    "code",
    ["invalid_auth", "token_revoked", "token_expired", "account_inactive", "org_login_required"],
)
def test_a_refused_token_stops_everything(slack: FakeSlack, code: str) -> None:
    slack.auth_error = code
    outcome = by_token(slack).send(delivery(), NOW)
    assert (outcome.verdict, outcome.reason) == (Verdict.HALT, f"Slack says {code}")


def test_a_missing_scope_stops_everything(slack: FakeSlack) -> None:
    slack.scopes = ALL_SCOPES - {"chat:write"}
    assert by_token(slack).send(delivery(), NOW).verdict is Verdict.HALT


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
def test_refused_blocks_are_sent_once_more_as_plain_text(slack: FakeSlack, code: str) -> None:
    slack.faults = [Fault(error=code)]
    outcome = by_token(slack).send(delivery(), NOW)
    assert outcome.verdict is Verdict.SENT
    assert code in outcome.reason
    (posted,) = slack.messages
    assert "blocks" not in posted.body
    assert posted.key == "k1"


def test_a_message_that_is_refused_in_both_forms_is_refused(slack: FakeSlack) -> None:
    slack.faults = [Fault(error="invalid_blocks"), Fault(error="msg_too_long")]
    outcome = by_token(slack).send(delivery(), NOW)
    assert outcome == Outcome(Verdict.REFUSED, "Slack says invalid_blocks")
    assert len(slack.requests) == 2


def test_blocks_that_break_slacks_rules_still_reach_the_reader(slack: FakeSlack) -> None:
    wrong = json.dumps([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}])
    of = delivery()
    outcome = by_token(slack).send(replace(of, message=replace(of.message, blocks=wrong)), NOW)
    assert outcome.verdict is Verdict.SENT
    assert slack.rejected == ["invalid_blocks"]


# Asking afterwards


def lost(
    slack: FakeSlack, notifier: SlackNotifier, key: str = "k1", stored: bool = True
) -> Delivery:
    """A delivery whose answer was lost."""
    slack.faults = [Fault(closes=True, stored=stored)]
    of = delivery(key)
    assert notifier.send(of, NOW).verdict is Verdict.UNKNOWN
    return of


def test_it_is_not_asked_before_a_late_request_must_have_ended(slack: FakeSlack) -> None:
    notifier = by_token(slack, timeout=10)
    of = lost(slack, notifier)
    asked = notifier.reconcile(of, NOW + 14 * SECOND)
    assert (asked.verdict, asked.retry_at) == (Verdict.UNKNOWN, NOW + 15 * SECOND)
    assert len(slack.requests) == 1
    assert notifier.reconcile(of, NOW + 15 * SECOND).verdict is Verdict.SENT


def test_a_message_deep_in_the_history_is_found(slack: FakeSlack) -> None:
    slack.page = 7
    notifier = by_token(slack)
    of = lost(slack, notifier)
    for _ in range(50):
        slack.store("C0GROWTH01", {"text": "chatter"})
    found = notifier.reconcile(of, LATER)
    assert (found.verdict, found.reference) == (
        Verdict.SENT,
        f"C0GROWTH01:{slack.messages[0].ts}",
    )


def test_a_message_of_another_key_or_kind_is_not_taken_for_ours(slack: FakeSlack) -> None:
    notifier = by_token(slack)
    of = lost(slack, notifier, stored=False)
    for body in (
        {"metadata": {"event_type": "eventwatch_notification", "event_payload": {"key": "k2"}}},
        {"metadata": {"event_type": "other", "event_payload": {"key": "k1"}}},
        {"text": "k1"},
    ):
        slack.store("C0GROWTH01", body)
    slack.store(
        "C0DATA0001",
        {"metadata": {"event_type": "eventwatch_notification", "event_payload": {"key": "k1"}}},
    )
    assert notifier.reconcile(of, LATER).verdict is Verdict.RETRY


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_that_differ_do_not_hide_the_message(slack: FakeSlack, minutes: int) -> None:
    slack.clock += minutes * 60
    notifier = by_token(slack)
    assert notifier.reconcile(lost(slack, notifier), LATER).verdict is Verdict.SENT


def test_an_earlier_attempt_of_the_same_row_is_found_as_well(slack: FakeSlack) -> None:
    notifier = by_token(slack)
    of = lost(slack, notifier)
    again = replace(of, claimed_at=NOW + timedelta(minutes=40), attempts=4)
    assert notifier.reconcile(again, NOW + timedelta(hours=1)).verdict is Verdict.SENT


def test_a_new_process_finds_the_channel_of_a_name_by_itself(slack: FakeSlack) -> None:
    slack.channels += [Channel(f"C0OTHER{i:03}", f"other-{i}") for i in range(9)]
    slack.channels.append(slack.channels.pop(0))
    of = lost(slack, by_token(slack))
    assert by_token(slack).reconcile(of, LATER).verdict is Verdict.SENT


@pytest.mark.parametrize("scope", ["channels:history", "channels:read"])
def test_without_the_scopes_it_is_sent_again_and_says_so(slack: FakeSlack, scope: str) -> None:
    slack.scopes = ALL_SCOPES - {scope}
    of = lost(slack, by_token(slack))
    notifier = by_token(slack)
    outcome = notifier.reconcile(of, LATER)
    assert outcome.verdict is Verdict.RETRY
    assert MAY_REPEAT in outcome.reason
    notifier.send(replace(of, last_error=outcome.reason), LATER)
    assert "may repeat" in slack.messages[-1].body["text"]
    assert "may repeat" in json.dumps(slack.messages[-1].body["blocks"])


def test_history_that_is_too_long_to_read_ends_in_a_repetition(slack: FakeSlack) -> None:
    slack.page = 1
    notifier = by_token(slack)
    of = lost(slack, notifier)
    for _ in range(60):
        slack.store("C0GROWTH01", {"text": "chatter"})
    assert MAY_REPEAT in notifier.reconcile(of, LATER).reason


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=429, retry_after="7"),
        Fault(status=500),
        Fault(closes=True),
        Fault(body="<html>"),
        Fault(error="invalid_auth"),
        Fault(status=302, location="http://127.0.0.1:1/"),
    ],
)
def test_while_asking_fails_nothing_is_sent_again(slack: FakeSlack, fault: Fault) -> None:
    notifier = by_token(slack)
    of = replace(lost(slack, notifier), channel="C0GROWTH01")
    slack.read_faults = [fault]
    outcome = notifier.reconcile(of, LATER)
    assert outcome.verdict is Verdict.UNKNOWN
    assert outcome.retry_at is not None
    assert outcome.retry_at > LATER
    assert notifier.reconcile(of, outcome.retry_at).verdict is Verdict.SENT


def test_a_claim_from_the_future_is_asked_about_at_once(slack: FakeSlack) -> None:
    notifier = by_token(slack)
    of = replace(lost(slack, notifier), claimed_at=NOW + timedelta(days=3650))
    assert notifier.reconcile(of, LATER).verdict is Verdict.SENT


def test_three_hundred_faulty_answers_lose_nothing_and_repeat_nothing(slack: FakeSlack) -> None:
    faults = [*AMBIGUOUS.values(), Fault(status=429), Fault(error="ratelimited"), Fault()]
    notifier, now = by_token(slack), NOW
    faults = [f for f in faults if not (f.body or "").startswith("[[")]
    for i in range(300):
        now = _deliver(slack, notifier, f"k{i}", faults[i * 7 % len(faults)], now)
    assert sorted(map(str, slack.keys())) == sorted(f"k{i}" for i in range(300))


def _deliver(
    slack: FakeSlack, notifier: SlackNotifier, key: str, fault: Fault, now: datetime
) -> datetime:
    """One row until it is sent, by the rules of the outbox."""
    slack.faults = [fault]
    of = delivery(key, created_at=now, claimed_at=now)
    slack.clock = now.timestamp()
    outcome = notifier.send(of, now)
    while outcome.verdict is not Verdict.SENT:
        now = max(outcome.retry_at or now, now + 60 * SECOND)
        if outcome.verdict is Verdict.UNKNOWN:
            outcome = notifier.reconcile(of, now)
        else:
            of = replace(of, claimed_at=now, attempts=of.attempts + 1)
            slack.clock = now.timestamp()
            outcome = notifier.send(of, now)
    return now + 2 * SECOND
