"""Slack by bot token: posts, edits, answers in threads, and can ask afterwards what arrived.

One attempt is one request, or two when Slack refuses the blocks for their form: then the summary
alone is sent, so that a fault of ours in a block never loses an alert. Which end of an attempt means
what stands in ``verdicts``; asking afterwards in ``slack_asking``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ssl import SSLContext
from typing import Any

from eventwatch.alerting.escape import plain, truncate
from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.model.faultpoint import faultpoint
from eventwatch.model.settings import SlackSettings
from eventwatch.notifiers import slack_chart
from eventwatch.notifiers.body import repeat_note, with_note
from eventwatch.notifiers.pace import Pace, Rate
from eventwatch.notifiers.slack_asking import Asking
from eventwatch.notifiers.slack_body import Place, edit, new_message, place_of
from eventwatch.notifiers.slack_client import Answered, SlackClient, Stopwatch
from eventwatch.notifiers.verdicts import BROKEN, Answer, answer, by_answer, by_exception
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT, Abilities

_GONE_REASON = f"{NOT_SENT}: the message it belongs to is gone"

Draw = Callable[[Delivery], bytes | None]
"""The PNG of a CHART row; None: there is nothing to draw."""

GRACE = timedelta(seconds=5)
"""After our time limit, until Slack is asked: the request may still be under way."""
_CHART_TIME = timedelta(seconds=5)
_GONE = frozenset(("message_not_found", "thread_not_found", "cannot_reply_to_message"))


@dataclass(frozen=True)
class Rates:
    """What Slack allows: messages per channel; edits and reading per workspace (tier 3: 50 a
    minute)."""

    posts: Rate
    edits: Rate
    reads: Rate


RATES = Rates(
    posts=Rate(timedelta(seconds=1), burst=3),
    edits=Rate(timedelta(seconds=1.33), burst=5),
    reads=Rate(timedelta(seconds=1.33), burst=5),
)


@dataclass(frozen=True)
class _Call:
    """A method, and what its fault points are called."""

    method: str
    point: str


_POST = _Call("chat.postMessage", "post")
_REPLY = _Call("chat.postMessage", "reply")
_UPDATE = _Call("chat.update", "update")


@dataclass(frozen=True)
class _End:
    """Of one exchange; ``code`` is Slack's error code or empty."""

    outcome: Outcome
    code: str = ""
    place: Place | None = None
    limited: bool = False
    """Slack said that there were too many."""


class SlackNotifier:
    """Thread-safe. Scopes: ``chat:write``; for charts ``files:write``; to tell what arrived also
    ``channels:history``, ``groups:history`` and, for channels given by name, ``channels:read``,
    ``groups:read``."""

    def __init__(
        self,
        settings: SlackSettings,
        *,
        draw: Draw | None = None,
        rates: Rates = RATES,
        grace: timedelta = GRACE,
        context: SSLContext | None = None,
    ) -> None:
        """``context`` is for tests and private certificate authorities. Raises DeliveryError when
        the settings are unusable."""
        if settings.token is None:
            raise DeliveryError("notify.slack.token is not set")
        self._client = SlackClient(settings.token, settings.base_url, settings.timeout, context)
        self._timeout = settings.timeout
        self._draw = draw if settings.charts else None
        self._posts, self._edits = Pace(rates.posts), Pace(rates.edits)
        self._asking = Asking(self._client, settings.timeout + grace, Pace(rates.reads))
        self._abilities = Abilities(
            edits=True,
            threads=True,
            charts=self._draw is not None,
            buttons=settings.app_token is not None,
        )

    def __repr__(self) -> str:
        return f"SlackNotifier({self._client.base_url!r})"

    @property
    def abilities(self) -> Abilities:
        """All of them, where charts can be drawn and buttons be heard."""
        return self._abilities

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt: SENT with ``channel id:ts``, or why not."""
        match delivery.action:
            case Action.UPDATE:
                return self._update(delivery, now)
            case Action.CHART:
                return self._chart(delivery, now)
            case Action.REPLY:
                thread = place_of(delivery.parent)
                if thread is None:
                    return Outcome(Verdict.REFUSED, _GONE_REASON)
                end = self._say(delivery, thread, now)
                return Outcome(Verdict.REFUSED, _GONE_REASON) if end.code in _GONE else end.outcome
        if not delivery.channel:
            return Outcome(Verdict.REFUSED, "the team has no Slack channel")
        return self._say(delivery, None, now).outcome

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """What became of an attempt of unknown end. Edits are made again, charts are not."""
        return self._asking.reconcile(delivery, now)

    def _say(self, delivery: Delivery, thread: Place | None, now: datetime) -> _End:
        """A new message in the channel or in a thread."""
        later = self._posts.take(delivery.channel, now, delivery.key)
        if later is not None:
            return _End(Outcome(Verdict.RETRY, "one message per second and channel", later))
        message = with_note(delivery.message, repeat_note(delivery))
        end = self._twice(
            _POST if thread is None else _REPLY,
            lambda blocks: new_message(delivery, message, thread, blocks=blocks),
            delivery,
            now,
        )
        if end.outcome.verdict is Verdict.RETRY and end.outcome.retry_at is not None:
            self._posts.rest(delivery.channel, end.outcome.retry_at)
        if end.place is None:
            return end
        self._asking.learn(delivery.channel, end.place.channel)
        next_at = self._posts.next(delivery.channel, now)
        return replace(end, outcome=replace(end.outcome, retry_at=next_at))

    def _update(self, delivery: Delivery, now: datetime) -> Outcome:
        place = place_of(delivery.parent)
        if place is None:
            return self._again(delivery, now)
        later = self._edits.take("", now, delivery.key)
        if later is not None:
            return Outcome(Verdict.RETRY, "fifty edits per minute", later)
        end = self._twice(
            _UPDATE,
            lambda blocks: edit(place, delivery.message, blocks=blocks),
            delivery,
            now,
        )
        if end.limited and end.outcome.retry_at is not None:
            self._edits.rest("", end.outcome.retry_at)
        return self._again(delivery, now) if end.code in _GONE else end.outcome

    def _again(self, delivery: Delivery, now: datetime) -> Outcome:
        """Somebody deleted the live message, or another service has it: what would be edited is
        posted once more and is the live message from then on. It is looked for first, since an
        earlier try of this may have arrived."""
        if not delivery.channel:
            return Outcome(Verdict.REFUSED, _GONE_REASON)
        found = self._asking.look(delivery, now)
        if found.verdict is not Verdict.RETRY:
            # SENT; or nobody can tell yet, and then nothing is posted either.
            is_there = found.verdict is Verdict.SENT
            return found if is_there else replace(found, verdict=Verdict.RETRY)
        if delivery.attempts > 1 and MAY_REPEAT in found.reason:
            delivery = replace(delivery, last_error=found.reason)
        end = self._say(delivery, None, now)
        return replace(
            end.outcome, reason=f"{end.outcome.reason} (anew, since the message is gone)"
        )

    def _chart(self, delivery: Delivery, now: datetime) -> Outcome:
        place = place_of(delivery.parent)
        if place is None or self._draw is None:
            return Outcome(Verdict.REFUSED, f"{NOT_SENT}: no chart can be put there")
        later = self._posts.take(delivery.channel, now, delivery.key)
        if later is not None:
            return Outcome(Verdict.RETRY, "one message per second and channel", later)
        try:
            png = self._draw(delivery)
        except Exception as error:  # drawing is another's code, and best effort
            return Outcome(Verdict.REFUSED, f"the chart could not be drawn: {type(error).__name__}")
        if png is None:
            return Outcome(Verdict.REFUSED, f"{NOT_SENT}: there is nothing to draw")
        title = plain(truncate(delivery.message.plain.strip().partition("\n")[0], 120)) or "Chart"
        watch = Stopwatch(min(self._timeout, _CHART_TIME))
        try:
            file_id = slack_chart.put(self._client, place, png, title, watch)
        except DeliveryError as error:
            return Outcome(Verdict.REFUSED, f"the chart was not put there: {error}")
        except Answered as answered:
            why = by_answer(answered.status, answered.data, answered.retry_after, now, 1)
            return Outcome(Verdict.REFUSED, f"the chart was not put there: {why.outcome.reason}")
        except BROKEN as error:
            why_not = by_exception(error, now, 1).reason
            return Outcome(Verdict.REFUSED, f"the chart was not put there: {why_not}")
        return Outcome(Verdict.SENT, "", self._posts.next(delivery.channel, now), file_id)

    def _twice(
        self,
        call: _Call,
        body_of: Callable[[bool], dict[str, Any]],
        delivery: Delivery,
        now: datetime,
    ) -> _End:
        """One request, and a second one in the short form where the first was refused for its
        form."""
        watch = Stopwatch(self._timeout)
        try:
            full = body_of(True)
        except (ValueError, RecursionError):
            full = body_of(False)
        end = self._once(call, full, delivery, now, watch)
        if answer(end.code) is not Answer.SHORTEN:
            return end
        short = self._once(call, body_of(False), delivery, now, watch)
        if short.outcome.verdict is Verdict.REFUSED and short.code not in _GONE:
            return end
        # Sent or not, that the blocks were refused is a defect somebody should see.
        why = f"{short.outcome.reason} (short form, since {end.outcome.reason})".strip()
        return replace(short, outcome=replace(short.outcome, reason=why))

    def _once(
        self,
        call: _Call,
        body: dict[str, Any],
        delivery: Delivery,
        now: datetime,
        watch: Stopwatch,
    ) -> _End:
        faultpoint(f"{call.point}.before")
        try:
            data = self._client.post(call.method, body, watch.left)
            place = Place(str(data["channel"]), str(data["ts"]))
        except Answered as answered:
            end = by_answer(
                answered.status, answered.data, answered.retry_after, now, delivery.attempts
            )
            return _End(end.outcome, end.code, limited=end.limited)
        except BROKEN as error:
            return _End(by_exception(error, now, delivery.attempts))
        faultpoint(f"{call.point}.after")
        return _End(Outcome(Verdict.SENT, reference=str(place)), place=place)
