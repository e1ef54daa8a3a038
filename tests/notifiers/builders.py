"""Settings of a fake Slack and deliveries to send to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.model.alert import Delivery, Message
from eventwatch.model.settings import Secret, SlackSettings
from eventwatch.notifiers.slack import SlackNotifier
from eventwatch.notifiers.slack_webhook import SlackWebhookNotifier
from tests.fakes.slack import FakeSlack

NOW = datetime(2026, 5, 17, 15, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BLOCKS = '[{"type":"section","text":{"type":"mrkdwn","text":"*late*","verbatim":true}}]'


def delivery(key: str = "k1", **changes: Any) -> Delivery:
    """As the store hands it to a sender: claimed just now, first attempt."""
    made = Delivery(
        key=key,
        channel="#growth-alerts",
        team="growth",
        message=Message("growth: 1 new problem", BLOCKS, "growth: 1 new problem"),
        alert_ids=("a1",),
        created_at=NOW,
        attempts=1,
        claimed_at=NOW,
    )
    return replace(made, **changes)


def settings_of(slack: FakeSlack, timeout: float = 5.0, **changes: Any) -> SlackSettings:
    made = SlackSettings(
        token=Secret(slack.token),
        webhook_url=Secret(slack.webhook_url),
        base_url=slack.base_url,
        timeout=timedelta(seconds=timeout),
    )
    return replace(made, **changes)


def by_token(slack: FakeSlack, timeout: float = 5.0, **changes: Any) -> SlackNotifier:
    return SlackNotifier(settings_of(slack, timeout, **changes))


def by_webhook(slack: FakeSlack, timeout: float = 5.0, **changes: Any) -> SlackWebhookNotifier:
    return SlackWebhookNotifier(settings_of(slack, timeout, **changes))
