"""A chart in the thread: put there, or quietly not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.notifiers.address import checked_upload
from eventwatch.notifiers.slack import SlackNotifier
from tests.fakes.slack import ALL_SCOPES, TOKEN, FakeSlack, Fault
from tests.notifiers.builders import NOW, delivery, settings_of

PNG = b"\x89PNG\r\n\x1a\nnot really"


def notifier(
    slack: FakeSlack, draw: Callable[[Delivery], bytes | None] = lambda _: PNG
) -> SlackNotifier:
    return SlackNotifier(settings_of(slack), draw=draw)


def put(slack: FakeSlack, by: SlackNotifier) -> Outcome:
    parent = by.send(delivery("post"), NOW).reference
    return by.send(delivery("c1", action=Action.CHART, parent=parent), NOW)


def test_a_chart_stands_in_the_thread_of_its_message(slack: FakeSlack) -> None:
    outcome = put(slack, notifier(slack))
    (file_id, file), (message,) = next(iter(slack.files.items())), slack.messages
    assert outcome.verdict is Verdict.SENT
    assert outcome.reference == file_id
    assert file["bytes"] == PNG
    assert file["shared"] == (message.channel, message.ts)


def test_the_token_does_not_go_along_with_the_bytes(slack: FakeSlack) -> None:
    put(slack, notifier(slack))
    ((_, headers, body),) = [r for r in slack.requests if r[0].startswith("/upload/")]
    assert "Authorization" not in headers
    assert TOKEN not in body


FAULTS = {
    "429": Fault(status=429, retry_after="1"),
    "500": Fault(status=500),
    "closed": Fault(closes=True),
    "not json": Fault(body="<html>"),
    "no scope": Fault(error="missing_scope"),
    "revoked": Fault(error="token_revoked"),
    "without a url": Fault(body='{"ok": true}', content_type="application/json"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("step", [0, 1, 2])
def test_whatever_fails_the_row_ends_and_nothing_else_is_stopped(
    slack: FakeSlack, fault: Fault, step: int
) -> None:
    slack.read_faults = [Fault()] * step + [fault]
    outcome = put(slack, notifier(slack))
    if step == 1 and fault.status == 200 and not fault.closes:
        assert outcome.verdict in (Verdict.SENT, Verdict.REFUSED), "an upload's body means nothing"
    elif step == 2 and fault.body == '{"ok": true}':
        assert outcome.verdict is Verdict.SENT
    else:
        assert outcome.verdict is Verdict.REFUSED
        assert outcome.reason
    assert notifier(slack).send(delivery("next"), NOW).verdict is Verdict.SENT


def test_a_chart_is_tried_once_and_never_asked_about(slack: FakeSlack) -> None:
    by = notifier(slack)
    before = len(slack.requests)
    outcome = by.reconcile(delivery("c1", action=Action.CHART, parent="C0GROWTH01:1.1"), NOW)
    assert outcome.verdict is Verdict.REFUSED
    assert len(slack.requests) == before


def test_nothing_to_draw_and_a_drawing_that_fails_end_the_row(slack: FakeSlack) -> None:
    def broken(_: Delivery) -> bytes:
        raise RuntimeError("no fonts")

    assert put(slack, notifier(slack, lambda _: None)).verdict is Verdict.REFUSED
    assert put(slack, notifier(slack, broken)).verdict is Verdict.REFUSED
    assert put(slack, notifier(slack, lambda _: b"")).verdict is Verdict.REFUSED
    assert put(slack, notifier(slack, lambda _: bytes(5 * 1024 * 1024))).verdict is Verdict.REFUSED
    assert slack.files == {}


def test_without_the_scope_no_bytes_are_sent(slack: FakeSlack) -> None:
    slack.scopes = ALL_SCOPES - {"files:write"}
    assert put(slack, notifier(slack)).verdict is Verdict.REFUSED
    assert not [r for r in slack.requests if r[0].startswith("/upload/")]


def test_charts_are_an_ability_only_where_they_can_be_drawn_and_are_wanted(
    slack: FakeSlack,
) -> None:
    assert notifier(slack).abilities.charts
    assert not SlackNotifier(settings_of(slack)).abilities.charts
    off = SlackNotifier(settings_of(slack, charts=False), draw=lambda _: PNG)
    assert not off.abilities.charts


SLACK = "https://slack.com/api/"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/upload",
        "https://files.slack.com.evil.example/upload",
        "https://files.slack.com@evil.example/upload",
        "http://files.slack.com/upload",
        "https://files.slack.com:8443/upload",
        "http://127.0.0.1/upload",
        "https://localhost/upload",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "https://files.slack.com/a b",
        "",
    ],
)
def test_bytes_go_to_no_foreign_address(url: str) -> None:
    with pytest.raises(DeliveryError):
        checked_upload(url, SLACK)


def test_bytes_go_to_slack_s_own_hosts_and_here_only_to_a_slack_that_is_here() -> None:
    assert checked_upload("https://files.slack.com/upload/v1/abc", SLACK)
    assert checked_upload("http://127.0.0.1:9/upload/x", "http://127.0.0.1:9/api/")
    with pytest.raises(DeliveryError):
        checked_upload("http://10.0.0.7/upload/x", "http://127.0.0.1:9/api/")


def test_an_upload_address_that_is_not_slack_s_ends_the_row(slack: FakeSlack) -> None:
    with FakeSlack().running() as thief:
        slack.upload_url = f"http://thief.example:{thief.port}/upload/{{id}}"
        outcome = put(slack, notifier(slack))
    assert outcome.verdict is Verdict.REFUSED
    assert thief.requests == []


def test_a_redirect_of_the_upload_is_not_followed(slack: FakeSlack) -> None:
    with FakeSlack().running() as thief:
        elsewhere = Fault(status=307, location=f"http://127.0.0.1:{thief.port}/upload/x")
        slack.read_faults = [Fault(), elsewhere]
        outcome = put(slack, notifier(slack))
    assert outcome.verdict is Verdict.REFUSED
    assert thief.requests == []
