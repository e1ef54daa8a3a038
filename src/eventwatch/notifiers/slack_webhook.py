"""Slack by incoming webhook: at least once, into the one channel that the webhook belongs to.

A webhook gives no name back and cannot be asked, so an end without an answer is tried again and the
message says that it may repeat. Because every message lands in the same channel, each names the one
it was meant for. The URL is the secret: it is in no text, no error and no repr.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta
from ssl import SSLContext
from typing import Any
from urllib.request import Request

from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from eventwatch.model.alert import Action, Delivery, Message, Outcome, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import SlackSettings
from eventwatch.notifiers.address import checked_url
from eventwatch.notifiers.body import repeat_note, with_note
from eventwatch.notifiers.pace import Pace, Rate
from eventwatch.notifiers.retry_after import backoff
from eventwatch.notifiers.slack_client import Stopwatch, mute_logger
from eventwatch.notifiers.transport import Reply, exchange
from eventwatch.notifiers.verdicts import (
    BROKEN,
    Answer,
    answer,
    by_code,
    by_exception,
    by_status,
)
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT, Abilities

_CODE = re.compile(r"[a-z0-9_]{1,60}")
RATE = Rate(timedelta(seconds=1), burst=3)
_GONE = frozenset(("channel_not_found", "channel_is_archived", "is_archived", "action_prohibited"))
"""Of a webhook these end everything: it has no other channel, also not for the fallback."""


class SlackWebhookNotifier:
    """Thread-safe."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        rate: Rate = RATE,
        context: SSLContext | None = None,
    ) -> None:
        """Raises DeliveryError when the settings are unusable."""
        if settings.webhook_url is None:
            raise DeliveryError("notify.slack.webhook_url is not set")
        checked_url(settings.webhook_url.reveal(), "notify.slack.webhook_url")
        self._url = settings.webhook_url
        self._timeout = settings.timeout
        self._context = context
        self._proxy = load_http_proxy_from_env(mute_logger())
        self._pace = Pace(rate)

    def __repr__(self) -> str:
        return "SlackWebhookNotifier(********)"

    @property
    def abilities(self) -> Abilities:
        """None: a webhook only takes new messages."""
        return Abilities()

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt. SENT, RETRY (also where it may have arrived), REFUSED or HALT."""
        if delivery.action in (Action.UPDATE, Action.CHART):
            return Outcome(
                Verdict.REFUSED, f"{NOT_SENT}: an incoming webhook takes new messages only"
            )
        later = self._pace.take("", now, delivery.key)
        if later is not None:
            return Outcome(Verdict.RETRY, "one message per second", retry_at=later)
        watch = Stopwatch(self._timeout)
        message = with_note(delivery.message, _note(delivery))
        outcome, is_form = self._post(message, now, watch, delivery.attempts)
        if is_form:
            short = Message(message.text, "", message.plain)
            plain, _ = self._post(short, now, watch, delivery.attempts)
            if plain.verdict is not Verdict.REFUSED:
                # Sent or not, that the blocks were refused is a defect somebody should see.
                outcome = replace(
                    plain, reason=f"{plain.reason} (short form, since {outcome.reason})".strip()
                )
        if outcome.verdict is Verdict.RETRY and outcome.retry_at is not None:
            self._pace.rest("", outcome.retry_at)
        return self._at_least_once(outcome, delivery, now)

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """A webhook cannot be asked: send again, and say so."""
        reason = f"{MAY_REPEAT}: a webhook cannot be asked whether it arrived"
        return Outcome(Verdict.RETRY, reason, retry_at=backoff(delivery.attempts, now))

    def _post(
        self, message: Message, now: datetime, watch: Stopwatch, attempts: int
    ) -> tuple[Outcome, bool]:
        body: dict[str, Any] = {
            "text": message.text,
            "link_names": False,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            if message.blocks:
                body["blocks"] = json.loads(message.blocks)
            request = Request(
                self._url.reveal(),
                data=json.dumps(body).encode(),
                headers={"Content-Type": "application/json; charset=utf-8"},
                method="POST",
            )
            reply = exchange(request, watch.left, proxy=self._proxy, context=self._context)
        except BROKEN as error:
            return by_exception(error, now, attempts), False
        return self._answered(reply, now, attempts)

    def _answered(self, reply: Reply, now: datetime, attempts: int) -> tuple[Outcome, bool]:
        word = reply.body.strip()
        if reply.status == 200 and word == "ok":
            return Outcome(Verdict.SENT, reference="webhook"), False
        code = word if _CODE.fullmatch(word) else ""
        if reply.status == 429 or reply.status >= 500 or reply.status < 400 or not code:
            return by_status(reply.status, reply.retry_after, now, attempts), False
        if code in _GONE:
            reason = f"Slack says {code}: the webhook's channel is gone; make a new webhook"
            return Outcome(Verdict.HALT, reason, retry_at=now + timedelta(minutes=5)), False
        return by_code(code, now, attempts), answer(code) is Answer.SHORTEN

    def _at_least_once(self, outcome: Outcome, delivery: Delivery, now: datetime) -> Outcome:
        if outcome.verdict is Verdict.UNKNOWN:
            later = outcome.retry_at or backoff(delivery.attempts, now)
            return Outcome(Verdict.RETRY, f"{MAY_REPEAT}: {outcome.reason}", retry_at=later)
        return outcome


def _note(delivery: Delivery) -> str:
    meant = f"For {delivery.channel}" if delivery.channel else ""
    return ". ".join(part for part in (meant, repeat_note(delivery)) if part)
