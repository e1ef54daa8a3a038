"""No token and no webhook address in any text, whatever goes wrong and however much is logged."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import Secret, SlackSettings
from eventwatch.notifiers.slack import SlackNotifier
from eventwatch.notifiers.slack_webhook import SlackWebhookNotifier
from tests.fakes.slack import TOKEN, WEBHOOK_PATH, FakeSlack, Fault
from tests.notifiers.builders import NOW, SECOND, by_token, by_webhook, delivery

CANARIES = (TOKEN, WEBHOOK_PATH, "canary")
FAULTS = [
    Fault(),
    Fault(closes=True),
    Fault(truncated=True),
    Fault(status=429),
    Fault(status=500),
    Fault(status=404),
    Fault(body="<html>"),
    Fault(error="invalid_auth"),
    Fault(error="invalid_blocks"),
    Fault(error="channel_not_found"),
    Fault(status=302, location="http://127.0.0.1:1/x"),
    Fault(body=f'{{"ok": false, "error": "{TOKEN}"}}', content_type="application/json"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_is_logged_told_or_shown(
    slack: FakeSlack, fault: Fault, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("slack_sdk", "slack_sdk.web.base_client", "slack_sdk.webhook.client", "urllib3"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    said = []
    for notifier in (by_token(slack), by_webhook(slack)):
        slack.faults = [fault]
        slack.read_faults = [fault]
        said += [notifier.send(delivery(), NOW), notifier.reconcile(delivery(), NOW + 60 * SECOND)]
        said.append(notifier)  # type: ignore[arg-type]
        said.append(vars(notifier))  # type: ignore[arg-type]
    out, err = capfd.readouterr()
    text = f"{said!r} {said} {caplog.text} {out} {err}"
    for canary in CANARIES:
        assert canary not in text


def test_without_a_connection_no_secret_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    gone = FakeSlack()
    with gone.running():
        notifiers = (by_token(gone), by_webhook(gone))
    text = " ".join(repr(n.send(delivery(), NOW)) for n in notifiers) + caplog.text
    assert not any(canary in text for canary in CANARIES)


@pytest.mark.parametrize(
    "token", ["", "  ", "xoxb-canary\nX-Injected: 1", "xoxb-canäry", "a canary"]
)
def test_a_token_that_is_none_is_refused_without_being_told(token: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        SlackNotifier(SlackSettings(token=Secret(token)))
    assert "notify.slack.token" in str(caught.value)
    assert "can" not in str(caught.value).replace("can be", "")


def test_a_webhook_address_elsewhere_is_refused_without_being_told() -> None:
    with pytest.raises(DeliveryError) as caught:
        SlackWebhookNotifier(SlackSettings(webhook_url=Secret("https://evil.example/canary")))
    assert "canary" not in str(caught.value)


def test_a_token_does_not_go_to_another_host() -> None:
    with pytest.raises(DeliveryError, match=r"notify\.slack\.base_url"):
        SlackNotifier(SlackSettings(token=Secret(TOKEN), base_url="https://evil.example/api/"))


@pytest.mark.parametrize("made", [SlackNotifier, SlackWebhookNotifier])
def test_a_notifier_without_its_secret_cannot_be_made(made: Any) -> None:
    with pytest.raises(DeliveryError, match="is not set"):
        made(SlackSettings())
