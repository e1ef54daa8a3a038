"""Says what the outbox holds: claim, send, settle; and clears up what a dead process left behind.

The state was changed before; this step may run twice, be killed between any two lines, or run in
several processes at once. What ended without an answer is asked about (reconcile), never just sent
again. Each channel has at most one row under way, and its trouble is its own: a channel that hangs,
rests or is limited keeps at most some of the threads busy, never the others' turns.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.model.faultpoint import faultpoint
from eventwatch.pipeline.crew import Crew
from eventwatch.ports.clock import Clock
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT, Notifier
from eventwatch.ports.store import Store
from eventwatch.ports.tracing import span

log = logging.getLogger(__name__)

WORKERS = 8
TROUBLED = WORKERS // 2
"""Most threads for channels whose last attempt went wrong, and for asking what arrived."""
MAX_ATTEMPTS = 50
"""About two days of trying, by the notifiers' growing delays; then the fallback route is told."""
GIVE_UP_AFTER = timedelta(days=2)
"""Not before, however often a channel said "later"."""
HELD_UP = timedelta(seconds=3)
"""A process that was frozen between its claim and its sending does not send: by now another one may
have taken the row for a dead one's."""
REFUSED_BEAT, SENT_BEAT = "messages:refused", "messages:sent"
"""Heartbeats: when notifications were last refused as a whole, and when one was last accepted. Health
is degraded while the first is the newer one."""
_NAP = timedelta(seconds=1)
_PARTING = timedelta(seconds=3)
"""How long attempts under way are waited for when everything has to stop."""

Attempt = tuple[Delivery, Outcome]
Fallback = Callable[[Delivery, str, datetime], Delivery | None]
"""Makes the message that tells the fallback route that a delivery was refused, or None."""


@dataclass(frozen=True)
class Delivering:
    """What one delivery run works with."""

    store: Store
    notifier: Notifier
    clock: Clock
    fallback: Fallback
    stuck_after: timedelta
    """A row in sending for longer was left by a process that died: the service's time limit and a
    little more."""


def deliver(
    work: Delivering,
    *,
    patience: timedelta = timedelta(0),
    sleep: Callable[[float], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Attempt, ...]:
    """Sends what is due and returns each attempt with its end.

    With ``patience`` and ``sleep`` it waits for channels that were told to come back soon: a command
    that ends has no next round. When ``stop`` says so, nothing further is claimed, and what is under
    way has a few seconds to end.
    """
    shift = _Shift(work)
    give_up_at = work.clock.now() + patience
    try:
        while not stop():
            shift.fill()
            if shift.busy:
                shift.wait(0.1)
                continue
            now, soonest = work.clock.now(), shift.soonest()
            if shift.halted or sleep is None or soonest is None or soonest > give_up_at:
                break
            sleep(min(max(soonest - now, timedelta(0)), _NAP).total_seconds())
        left = int(_PARTING / timedelta(seconds=0.1))
        while shift.busy and left:
            shift.wait(0.1)
            left -= 1
    finally:
        shift.crew.dismiss()
    if shift.halted:
        work.store.heartbeat(REFUSED_BEAT, work.clock.now())
    elif any(outcome.verdict is Verdict.SENT for _, outcome in shift.done):
        work.store.heartbeat(SENT_BEAT, work.clock.now())
    return tuple(shift.done)


class _Shift:
    """One run: who is spoken to now, who rests until when, what was done."""

    def __init__(self, work: Delivering) -> None:
        self.crew: Crew[list[Attempt]] = Crew(WORKERS)
        self.done: list[Attempt] = []
        self.halted = ""
        self._work = work
        self._under_way: dict[str, bool] = {}
        """Channel → whether it counts as troubled."""
        self._rests: dict[str, datetime] = {}
        self._awaited: set[datetime] = set()
        """When rows come back whose channel does not rest."""
        self._troubled: set[str] = set()
        self._stuck: dict[str, list[Delivery]] = {}
        self._asked_at: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._under_way)

    def soonest(self) -> datetime | None:
        """When the first resting channel, or row, comes back."""
        return min((*self._rests.values(), *self._awaited), default=None)

    def fill(self) -> None:
        """Gives every free thread something to do, as far as there is something."""
        if self.halted or not self.crew.free:
            return
        now = self._work.clock.now()
        self._rests = {c: at for c, at in self._rests.items() if at > now}
        self._awaited = {at for at in self._awaited if at > now}
        self._ask(now)
        if not self.crew.free:
            return
        while self.crew.free and self._claim(now):
            pass

    def _claim(self, now: datetime) -> bool:
        """Whether anything was there to be said. Of channels in trouble no more at once than may be
        under way, or one look into the outbox could give them every thread."""
        closed = {*self._under_way, *self._rests, *self._stuck}
        room, most = TROUBLED - sum(self._under_way.values()), self.crew.free
        if room <= 0:
            closed |= self._troubled
        elif self._troubled - closed:
            most = min(most, room)
        faultpoint("claim.before")
        claimed = self._work.store.claim_deliveries(now, most, busy=closed)
        faultpoint("claim.after")
        for delivery in claimed:
            self._under_way[delivery.channel] = delivery.channel in self._troubled
            self.crew.start(partial(_send, self._work, delivery))
        return bool(claimed)

    def wait(self, seconds: float) -> None:
        """Until something ended, at most so long."""
        for attempts in self.crew.ended(seconds):
            for delivery, outcome in attempts:
                self._ended(delivery, outcome)
            self.done.extend(attempts)

    def _ask(self, now: datetime) -> None:
        """Rows that were left in sending, channel by channel, now and whenever new ones may be."""
        if self._asked_at is None or now >= self._asked_at + self._work.stuck_after:
            self._asked_at = now
            for row in self._work.store.stuck_deliveries(now - self._work.stuck_after):
                if row.channel not in self._under_way:
                    self._stuck.setdefault(row.channel, []).append(row)
        for channel in [c for c in self._stuck if c not in self._under_way]:
            if not self.crew.free or sum(self._under_way.values()) >= TROUBLED:
                return
            rows = self._stuck.pop(channel)
            self._under_way[channel] = True
            self.crew.start(partial(_reconcile, self._work, rows))

    def _ended(self, delivery: Delivery, outcome: Outcome) -> None:
        channel = delivery.channel
        self._under_way.pop(channel, None)
        if outcome.verdict is Verdict.HALT:
            self.halted = outcome.reason
            log.error(
                "notifications are refused as a whole: %s; `eventwatch doctor` says what to do",
                outcome.reason,
            )
        if outcome.verdict is Verdict.SENT:
            self._troubled.discard(channel)
        else:
            self._troubled.add(channel)
        # Edits and charts have limits of their own; the channel itself may hear the next message.
        own_limit = delivery.action in (Action.UPDATE, Action.CHART)
        if outcome.retry_at is None or outcome.verdict in (Verdict.UNKNOWN, Verdict.HALT):
            return
        if outcome.verdict is Verdict.SENT or not own_limit:
            self._rests[channel] = outcome.retry_at
        else:
            self._awaited.add(outcome.retry_at)


def _send(work: Delivering, delivery: Delivery) -> list[Attempt]:
    now = work.clock.now()
    if delivery.claimed_at is not None and now - delivery.claimed_at > HELD_UP:
        outcome = Outcome(Verdict.RETRY, "held up before it could be sent", retry_at=now)
    else:
        faultpoint("send.before")
        with span("deliver", action=delivery.action.value):
            outcome = _given_up(_safely(work.notifier.send, delivery, now), delivery, now)
        faultpoint("send.after")
    return [_settle(work, delivery, outcome)]


def _reconcile(work: Delivering, rows: list[Delivery]) -> list[Attempt]:
    done = []
    for delivery in rows:
        faultpoint("reconcile.before")
        outcome = _safely(work.notifier.reconcile, delivery, work.clock.now())
        faultpoint("reconcile.after")
        done.append(_settle(work, delivery, outcome))
    return done


def _settle(work: Delivering, delivery: Delivery, outcome: Outcome) -> Attempt:
    now = work.clock.now()
    fallback = None
    if outcome.verdict is Verdict.REFUSED:
        fallback = _refused(work, delivery, outcome, now)
    elif MAY_REPEAT in delivery.last_error and MAY_REPEAT not in outcome.reason:
        # Whatever happens to it since, its reader is to be told.
        outcome = replace(outcome, reason=f"{MAY_REPEAT}: {outcome.reason}")
    faultpoint("settle.before")
    work.store.settle_delivery(delivery, outcome, now, fallback)
    faultpoint("settle.after")
    return delivery, outcome


def _refused(
    work: Delivering, delivery: Delivery, outcome: Outcome, now: datetime
) -> Delivery | None:
    if delivery.action is Action.CHART or outcome.reason.startswith(NOT_SENT):
        log.info("%s for %r ended: %s", delivery.action, delivery.channel, outcome.reason)
        return None
    log.error(
        "message to %r was refused (%s): %s; `eventwatch doctor` looks at every channel",
        delivery.channel,
        delivery.action,
        outcome.reason,
    )
    return work.fallback(delivery, outcome.reason, now)


def _given_up(outcome: Outcome, delivery: Delivery, now: datetime) -> Outcome:
    tried = delivery.attempts >= MAX_ATTEMPTS and now - delivery.created_at >= GIVE_UP_AFTER
    if outcome.verdict is Verdict.RETRY and tried:
        return Outcome(
            Verdict.REFUSED, f"gave up after {delivery.attempts} tries: {outcome.reason}"
        )
    return outcome


def _safely(
    call: Callable[[Delivery, datetime], Outcome], delivery: Delivery, now: datetime
) -> Outcome:
    """A notifier that raises may have spoken already, so its end is unknown."""
    try:
        return call(delivery, now)
    except Exception as error:
        log.exception("the notifier failed")
        return Outcome(Verdict.UNKNOWN, f"the notifier failed: {type(error).__name__}")
