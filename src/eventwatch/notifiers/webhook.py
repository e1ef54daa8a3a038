"""A JSON document by POST to an address of the user's own, at least once.

docs/webhook.schema.json describes the document. Every attempt of one row carries the same key, in
the document and as ``Idempotency-Key``, so that a receiver which remembers keys hears everything
once. With a secret each request is signed together with its time. The URL may hold a secret as well:
it is in no text, no error and no repr.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from ssl import SSLContext
from urllib.request import Request

from slack_sdk.proxy_env_variable_loader import load_http_proxy_from_env

from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.model.settings import Secret, WebhookSettings
from eventwatch.notifiers.address import checked_hook, may_be_hook
from eventwatch.notifiers.pace import Pace, Rate
from eventwatch.notifiers.retry_after import backoff, retry_at
from eventwatch.notifiers.slack_client import mute_logger
from eventwatch.notifiers.transport import Reply, exchange
from eventwatch.notifiers.verdicts import BROKEN, by_exception
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT, Abilities

VERSION = 1
SIGNATURE = "X-Eventwatch-Signature"
RATE = Rate(timedelta(milliseconds=100), burst=20)
_TRANSIENT = frozenset((401, 403, 404, 407, 408, 421, 423, 424, 425))
"""Somebody mends the receiver or its guards: tried again, not given up at once."""


class WebhookNotifier:
    """Thread-safe."""

    def __init__(
        self, settings: WebhookSettings, *, rate: Rate = RATE, context: SSLContext | None = None
    ) -> None:
        """Raises DeliveryError when the settings are unusable."""
        url = checked_hook(settings.url.reveal(), "notify.webhook.url")
        self._url = settings.url
        self._secret = settings.secret
        self._timeout = settings.timeout
        self._allowed = may_be_hook(url)
        self._context = context
        self._proxy = load_http_proxy_from_env(mute_logger())
        self._pace = Pace(rate)

    def __repr__(self) -> str:
        return "WebhookNotifier(********)"

    @property
    def abilities(self) -> Abilities:
        """An edit and a reply are documents of their own."""
        return Abilities(edits=True, threads=True)

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt: SENT, RETRY (also where it may have arrived) or REFUSED."""
        if delivery.action is Action.CHART:
            return Outcome(Verdict.REFUSED, f"{NOT_SENT}: a webhook takes no charts")
        later = self._pace.take("", now, delivery.key)
        if later is not None:
            return Outcome(Verdict.RETRY, "ten documents per second", later)
        data = json.dumps(document(delivery), ensure_ascii=False).encode("utf-8", "replace")
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "eventwatch",
            "Idempotency-Key": delivery.key,
        }
        if self._secret is not None:
            headers[SIGNATURE] = signature(self._secret, data, now)
        request = Request(self._url.reveal(), data=data, headers=headers, method="POST")
        try:
            reply = exchange(
                request,
                self._timeout.total_seconds(),
                proxy=self._proxy,
                context=self._context,
                peer=self._allowed,
            )
        except BROKEN as error:
            outcome = by_exception(error, now, delivery.attempts, "the webhook")
        else:
            outcome = _answered(reply, delivery, now)
        if outcome.verdict is Verdict.RETRY and outcome.retry_at is not None:
            self._pace.rest("", outcome.retry_at)
        if outcome.verdict is Verdict.UNKNOWN:
            later = outcome.retry_at or backoff(delivery.attempts, now)
            return Outcome(Verdict.RETRY, f"{MAY_REPEAT}: {outcome.reason}", later)
        return outcome

    def reconcile(self, _delivery: Delivery, now: datetime) -> Outcome:
        """A webhook cannot be asked: send again under the same key."""
        reason = f"{MAY_REPEAT}: a webhook cannot be asked whether it arrived"
        return Outcome(Verdict.RETRY, reason, retry_at=now)


def document(delivery: Delivery) -> dict[str, object]:
    """What is sent; see docs/webhook.schema.json."""
    plain = delivery.message.plain.strip()
    return {
        "version": VERSION,
        "key": delivery.key,
        "action": delivery.action.value,
        "message": delivery.post_id or delivery.key,
        "created_at": delivery.created_at.astimezone(UTC).isoformat(),
        "team": delivery.team,
        "incidents": list(delivery.incident_ids),
        "alerts": list(delivery.alert_ids),
        "title": plain.partition("\n")[0].strip(),
        "text": plain,
        "may_repeat": MAY_REPEAT in delivery.last_error,
    }


def signature(secret: Secret, data: bytes, now: datetime) -> str:
    """``t=<seconds>,v1=<hex>``: HMAC-SHA256 over the seconds, a dot and the body, so that a receiver
    can refuse what was recorded and sent again later."""
    seconds = str(int(now.timestamp()))
    made = hmac.new(secret.reveal().encode(), seconds.encode() + b"." + data, hashlib.sha256)
    return f"t={seconds},v1={made.hexdigest()}"


def _answered(reply: Reply, delivery: Delivery, now: datetime) -> Outcome:
    status, later = reply.status, backoff(delivery.attempts, now)
    if 200 <= status < 300:
        return Outcome(Verdict.SENT, reference=f"webhook:{delivery.key}")
    if status == 429:
        reason = "the webhook says there are too many documents (429)"
        return Outcome(Verdict.RETRY, reason, retry_at(reply.retry_after, now))
    if 300 <= status < 400:
        reason = f"redirected (HTTP {status}), which is not followed; configure where it leads to"
        return Outcome(Verdict.RETRY, reason, later)
    if status in _TRANSIENT:
        return Outcome(Verdict.RETRY, f"the webhook says HTTP {status}", later)
    if 400 <= status < 500:
        return Outcome(Verdict.REFUSED, f"the webhook says HTTP {status}")
    asked = reply.retry_after
    return Outcome(
        Verdict.UNKNOWN,
        f"the webhook says HTTP {status}",
        later if asked is None else retry_at(asked, now),
    )
