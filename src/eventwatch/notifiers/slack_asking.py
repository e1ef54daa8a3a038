"""Asking Slack whether a message arrived, when our attempt ended without an answer.

Not before a request that is still under way must have ended; and where it cannot be asked, the
message is sent again and says that it may repeat: a repetition is better than a loss.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta

from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.model.faultpoint import faultpoint
from eventwatch.notifiers import slack_history
from eventwatch.notifiers.pace import Pace
from eventwatch.notifiers.slack_body import Place, place_of
from eventwatch.notifiers.slack_client import Answered, SlackClient
from eventwatch.notifiers.slack_history import TooLong
from eventwatch.notifiers.verdicts import BROKEN, by_answer, by_exception, code_of
from eventwatch.ports.notifier import MAY_REPEAT

_SKEW = timedelta(minutes=15)
"""How far our clock and Slack's may differ."""
_LOOK_BACK = timedelta(hours=1)
"""Earlier attempts of the same row are looked for as well, up to here."""
_ASKED_FOR = timedelta(hours=1)
"""When it could not be asked for so long, waiting any longer is a loss."""
_CANNOT_TELL = frozenset(
    (
        *("missing_scope", "not_in_channel", "channel_not_found", "no_permission"),
        *("not_allowed_token_type", "method_not_supported_for_channel_type"),
    )
)
_NO_THREAD = frozenset(("thread_not_found", "message_not_found"))


class Asking:
    """Thread-safe. Knows the ids of channels that were met by name."""

    def __init__(self, client: SlackClient, settled_after: timedelta, pace: Pace) -> None:
        """``settled_after``: so long after its claim no request can be under way any more."""
        self._client = client
        self._settled_after = settled_after
        self._pace = pace
        self._ids: dict[str, str] = {}
        self._lock = threading.Lock()

    def learn(self, channel: str, channel_id: str) -> None:
        """The id of a channel, as an answer told it."""
        with self._lock:
            self._ids[channel] = channel_id

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """SENT, RETRY or UNKNOWN; REFUSED for a chart, which is tried once."""
        if delivery.action is Action.CHART:
            return Outcome(Verdict.REFUSED, "whether the chart arrived is not known; tried once")
        began = _began(delivery)
        soonest = began + self._settled_after
        # A claim from the future is a clock that stepped back; it need not be waited for.
        if began <= now < soonest:
            return Outcome(Verdict.UNKNOWN, "too early to ask", retry_at=soonest)
        if delivery.action is Action.UPDATE:
            return Outcome(Verdict.RETRY, "an edit may be made twice", retry_at=now)
        outcome = self.look(delivery, now)
        if outcome.verdict is Verdict.UNKNOWN and now - began > _ASKED_FOR:
            return _cannot_tell(outcome.reason, now)
        return outcome

    def look(self, delivery: Delivery, now: datetime) -> Outcome:
        """Reads the channel, for a REPLY the thread: SENT, RETRY (it is not there, or that cannot be
        told, which the reason says) or UNKNOWN (the answer failed; ask again)."""
        later = self._pace.take("", now, delivery.key)
        if later is not None:
            return Outcome(Verdict.UNKNOWN, "fifty questions per minute", retry_at=later)
        faultpoint("ask.before")
        try:
            place = self._find(delivery, now)
        except _NotThere:
            return _cannot_tell(f"the app is not in {delivery.channel}", now)
        except TooLong:
            return _cannot_tell("the channel's history is too long", now)
        except Answered as answered:
            code = code_of(answered.data)
            if answered.status == 200 and code in _CANNOT_TELL:
                return _cannot_tell(f"Slack says {code}", now)
            if answered.status == 200 and code in _NO_THREAD:
                place = None
            else:
                end = by_answer(
                    answered.status, answered.data, answered.retry_after, now, delivery.attempts
                )
                if end.limited and end.outcome.retry_at is not None:
                    self._pace.rest("", end.outcome.retry_at)
                return _unknown(end.outcome, now)
        except BROKEN as error:
            return _unknown(by_exception(error, now, delivery.attempts), now)
        faultpoint("ask.after")
        if place is None:
            return Outcome(Verdict.RETRY, "it did not arrive", retry_at=now)
        return Outcome(Verdict.SENT, "found in the channel", reference=str(place))

    def _find(self, delivery: Delivery, now: datetime) -> Place | None:
        since = min(max(delivery.created_at, _began(delivery) - _LOOK_BACK), now) - _SKEW
        thread = place_of(delivery.parent) if delivery.action is Action.REPLY else None
        if thread is not None:
            ts = slack_history.find_reply(
                self._client, thread.channel, thread.ts, delivery.key, since
            )
            return None if ts is None else Place(thread.channel, ts)
        channel = self._channel_id(delivery.channel)
        if channel is None:
            raise _NotThere
        ts = slack_history.find(self._client, channel, delivery.key, since)
        return None if ts is None else Place(channel, ts)

    def _channel_id(self, channel: str) -> str | None:
        if not channel.startswith("#"):
            return channel
        with self._lock:
            known = self._ids.get(channel)
        if known is None:
            known = slack_history.channel_id(self._client, channel)
            if known is not None:
                self.learn(channel, known)
        return known


class _NotThere(Exception):  # noqa: N818 - a state of the world
    """The app is in no channel of that name."""


def _began(delivery: Delivery) -> datetime:
    return delivery.created_at if delivery.claimed_at is None else delivery.claimed_at


def _cannot_tell(why: str, now: datetime) -> Outcome:
    reason = f"{MAY_REPEAT}: whether it arrived cannot be told ({why})"
    return Outcome(Verdict.RETRY, reason, retry_at=now)


def _unknown(outcome: Outcome, now: datetime) -> Outcome:
    """Asking failed: whatever that means for asking, the message's end stays unknown."""
    later = outcome.retry_at or now + timedelta(minutes=1)
    return replace(outcome, verdict=Verdict.UNKNOWN, retry_at=later)
