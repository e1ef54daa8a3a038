"""The process that is killed: it sends what the outbox holds until it dies."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection

from eventwatch.alerting.route import Route
from eventwatch.model.alert import Delivery
from eventwatch.model.settings import Secret, SlackSettings, WebhookSettings
from eventwatch.notifiers.pace import Rate
from eventwatch.notifiers.router import RouterNotifier
from eventwatch.notifiers.slack import Rates, SlackNotifier
from eventwatch.notifiers.slack_webhook import SlackWebhookNotifier
from eventwatch.notifiers.webhook import WebhookNotifier
from eventwatch.pipeline.dead_letters import DeadLetters
from eventwatch.pipeline.deliver import Delivering, deliver
from eventwatch.ports.notifier import Notifier
from eventwatch.store.sql import open_store
from tests.delivery_proof.slack_process import SCALE, Slack
from tests.fakes.slack import TOKEN

TIMEOUT = timedelta(seconds=2)
GRACE = timedelta(seconds=1)
_TICK = timedelta(seconds=1) / SCALE
PNG = b"\x89PNG\r\n\x1a\n" + bytes(2_000)


class Clock:
    """The machine's."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never step back."""
        return time.monotonic()


@dataclass(frozen=True)
class Job:
    """What a sender works with; travels to its process."""

    state: str
    slack: Slack
    by_webhook: bool = False
    crash_at: str = ""


def run(job: Job, ready: Connection) -> None:
    """Sends. Says that it is about to by one byte."""
    os.environ["EVENTWATCH_CRASH_AT"] = job.crash_at
    store = open_store(Secret(job.state))
    letters, route = DeadLetters(), Route("operators", "#owner-000")

    def fallback(delivery: Delivery, reason: str, now: datetime) -> Delivery | None:
        return letters.letter(delivery, reason, route, now)

    work = Delivering(store, _notifier(job), Clock(), fallback, TIMEOUT + GRACE)
    ready.send_bytes(b"!")
    while True:
        deliver(work, patience=timedelta(seconds=2), sleep=_nap)
        time.sleep(0.01)


def _nap(seconds: float) -> None:
    # Channels rest for hundredths of a second here; new rows shall not wait for the longest rest.
    time.sleep(min(seconds, 0.05))


def _notifier(job: Job) -> Notifier:
    settings = SlackSettings(
        token=Secret(TOKEN),
        webhook_url=Secret(job.slack.webhook_url),
        base_url=job.slack.base_url,
        timeout=TIMEOUT,
    )
    usual: Notifier
    if job.by_webhook:
        usual = SlackWebhookNotifier(settings, rate=Rate(_TICK, burst=3))
    else:
        rates = Rates(
            posts=Rate(_TICK, burst=3),
            edits=Rate(1.33 * _TICK, burst=5),
            reads=Rate(1.33 * _TICK, burst=5),
        )
        usual = SlackNotifier(settings, draw=lambda _: PNG, rates=rates, grace=GRACE)
    hook = WebhookSettings(Secret(job.slack.hook_url), Secret("proof"), TIMEOUT)
    return RouterNotifier(usual, webhook=WebhookNotifier(hook))
