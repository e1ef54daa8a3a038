"""Slack by bot token: posts, and can ask afterwards whether a message arrived.

One attempt is one request, or two when Slack refuses the blocks for their form: then the summary
alone is posted, so that a fault of ours in a block never loses an alert. Which end of an attempt
means what stands in ``verdicts``.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from ssl import SSLContext
from typing import Any

from eventwatch.model.alert import Delivery, Outcome, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import SlackSettings
from eventwatch.notifiers import slack_history
from eventwatch.notifiers.body import with_note
from eventwatch.notifiers.pace import Pace
from eventwatch.notifiers.slack_client import Answered, SlackClient, Stopwatch
from eventwatch.notifiers.slack_history import EVENT_TYPE, TooLong
from eventwatch.notifiers.verdicts import (
    BROKEN,
    MAY_REPEAT,
    Answer,
    answer,
    by_code,
    by_exception,
    by_status,
    code_of,
    detail_of,
)

_GRACE = timedelta(seconds=5)
"""After our time limit, until history is asked: the request may still be under way."""
_SKEW = timedelta(minutes=15)
"""How far our clock and Slack's may differ."""
_LOOK_BACK = timedelta(hours=1)
"""Earlier attempts of the same row are looked for as well, up to here."""
_CANNOT_TELL = frozenset(
    (
        *("missing_scope", "not_in_channel", "channel_not_found", "no_permission"),
        *("not_allowed_token_type", "method_not_supported_for_channel_type"),
    )
)


class SlackNotifier:
    """Thread-safe. Scopes: ``chat:write``; to tell what arrived also ``channels:history``,
    ``groups:history`` and, for channels given by name, ``channels:read``, ``groups:read``."""

    def __init__(self, settings: SlackSettings, *, context: SSLContext | None = None) -> None:
        """``context`` is for tests and private certificate authorities. Raises DeliveryError when
        the settings are unusable."""
        if settings.token is None:
            raise DeliveryError("notify.slack.token is not set")
        self._client = SlackClient(settings.token, settings.base_url, settings.timeout, context)
        self._timeout = settings.timeout
        self._pace = Pace()
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SlackNotifier({self._client.base_url!r})"

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt: SENT with ``channel id:ts``, or why not."""
        if not delivery.channel:
            return Outcome(Verdict.REFUSED, "the team has no Slack channel")
        later = self._pace.take(delivery.channel, now)
        if later is not None:
            reason = "one message per second and channel"
            return Outcome(Verdict.RETRY, reason, retry_at=later)
        watch = Stopwatch(self._timeout)
        outcome, is_form = self._post(delivery, now, watch, blocks=True)
        if is_form:
            plain, _ = self._post(delivery, now, watch, blocks=False)
            if plain.verdict is not Verdict.REFUSED:
                # Sent or not, that the blocks were refused is a defect somebody should see.
                outcome = replace(
                    plain, reason=f"{plain.reason} (short form, since {outcome.reason})".strip()
                )
        if outcome.verdict is Verdict.RETRY and outcome.retry_at is not None:
            self._pace.rest(delivery.channel, outcome.retry_at)
        return outcome

    def _post(
        self, delivery: Delivery, now: datetime, watch: Stopwatch, *, blocks: bool
    ) -> tuple[Outcome, bool]:
        """The end of one request, and whether it was refused for its form."""
        note = "This may repeat an earlier message." if MAY_REPEAT in delivery.last_error else ""
        message = with_note(delivery.message, note)
        body: dict[str, Any] = {
            "channel": delivery.channel,
            "text": message.text,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": {"key": delivery.key}},
            "link_names": False,
            "parse": "none",
            "unfurl_links": False,
            "unfurl_media": False,
        }
        try:
            if blocks and message.blocks:
                body["blocks"] = json.loads(message.blocks)
            data = self._client.post(body, watch.left)
            channel, ts = str(data["channel"]), str(data["ts"])
        except Answered as answered:
            return self._answered(answered, now, delivery.attempts)
        except BROKEN as error:
            return by_exception(error, now, delivery.attempts), False
        with self._lock:
            self._ids[delivery.channel] = channel
        return Outcome(Verdict.SENT, reference=f"{channel}:{ts}"), False

    def _answered(self, answered: Answered, now: datetime, attempts: int) -> tuple[Outcome, bool]:
        code = code_of(answered.data)
        if answered.status == 429 or not code or answered.status >= 500:
            return by_status(answered.status, answered.retry_after, now, attempts), False
        outcome = by_code(code, now, attempts, detail_of(answered.data), answered.retry_after)
        return outcome, answer(code) is Answer.SHORTEN

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """Asks the channel's history for the row's key. Where that cannot be asked, the message is
        sent again and says that it may repeat: a repetition is better than a loss."""
        began = delivery.created_at if delivery.claimed_at is None else delivery.claimed_at
        soonest = began + self._timeout + _GRACE
        # A claim from the future is a clock that stepped back; it need not be waited for.
        if began <= now < soonest:
            return Outcome(Verdict.UNKNOWN, "too early to ask", retry_at=soonest)
        since = min(max(delivery.created_at, began - _LOOK_BACK), now) - _SKEW
        try:
            channel = self._channel_id(delivery.channel)
            if channel is None:
                return _cannot_tell(f"the app is not in {delivery.channel}", now)
            ts = slack_history.find(self._client, channel, delivery.key, since)
        except TooLong:
            return _cannot_tell("the channel's history is too long", now)
        except Answered as answered:
            code = code_of(answered.data)
            if answered.status == 200 and code in _CANNOT_TELL:
                return _cannot_tell(f"Slack says {code}", now)
            outcome, _ = self._answered(answered, now, delivery.attempts)
            return _unknown(outcome, now)
        except BROKEN as error:
            return _unknown(by_exception(error, now, delivery.attempts), now)
        if ts is None:
            return Outcome(Verdict.RETRY, "it did not arrive", retry_at=now)
        return Outcome(Verdict.SENT, "found in the channel", reference=f"{channel}:{ts}")

    def _channel_id(self, channel: str) -> str | None:
        if not channel.startswith("#"):
            return channel
        with self._lock:
            known = self._ids.get(channel)
        if known is None:
            known = slack_history.channel_id(self._client, channel)
            if known is not None:
                with self._lock:
                    self._ids[channel] = known
        return known


def _cannot_tell(why: str, now: datetime) -> Outcome:
    reason = f"whether it arrived cannot be told ({why}), so {MAY_REPEAT}"
    return Outcome(Verdict.RETRY, reason, retry_at=now)


def _unknown(outcome: Outcome, now: datetime) -> Outcome:
    """Asking failed: whatever that means for asking, the message's end stays unknown."""
    later = outcome.retry_at or now + timedelta(minutes=1)
    return Outcome(Verdict.UNKNOWN, outcome.reason, retry_at=later)
