"""Says what the outbox holds: claim, send, settle; and clears up what a dead process left behind.

The state was changed before; this step may run twice, be killed between any two lines, or run in
several processes at once. What ended without an answer is asked about (reconcile), never just sent
again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from eventwatch.model.alert import Delivery, Outcome, Verdict
from eventwatch.ports.clock import Clock
from eventwatch.ports.notifier import Notifier
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

BATCH = 20
MAX_ATTEMPTS = 50
"""About two days of trying, by the notifiers' growing delays; then the fallback route is told."""

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
) -> tuple[tuple[Delivery, Outcome], ...]:
    """Sends what is due and returns each attempt with its end.

    With ``patience`` and ``sleep`` it waits for rows that were told to come back soon: a command
    that ends has no next round. ``stop`` is asked before every message.
    """
    done = list(_reconcile(work))
    give_up_at = work.clock.now() + patience
    while not stop():
        attempts, halted = _round(work, stop)
        done.extend(attempts)
        soonest = min(
            (o.retry_at for _, o in attempts if o.verdict is Verdict.RETRY and o.retry_at),
            default=None,
        )
        if halted or sleep is None or soonest is None or soonest > give_up_at:
            break
        sleep(max(0.0, (soonest - work.clock.now()).total_seconds()))
    return tuple(done)


def _reconcile(work: Delivering) -> list[tuple[Delivery, Outcome]]:
    done = []
    now = work.clock.now()
    for delivery in work.store.stuck_deliveries(now - work.stuck_after):
        outcome = _safely(work.notifier.reconcile, delivery, now)
        work.store.settle_delivery(delivery, outcome, now)
        done.append((delivery, outcome))
    return done


def _round(
    work: Delivering, stop: Callable[[], bool]
) -> tuple[list[tuple[Delivery, Outcome]], bool]:
    """Everything that is due now, once. A channel that says "later" is not asked again."""
    done: list[tuple[Delivery, Outcome]] = []
    resting: dict[str, datetime] = {}
    halted = ""
    while not halted and not stop():
        claimed = work.store.claim_deliveries(work.clock.now(), BATCH)
        if not claimed:
            break
        for delivery in claimed:
            now = work.clock.now()
            if halted or stop():
                outcome = Outcome(Verdict.HALT, halted or "stopping", retry_at=now)
            elif delivery.channel in resting:
                outcome = Outcome(
                    Verdict.RETRY, "channel is limited", retry_at=resting[delivery.channel]
                )
            else:
                outcome = _attempt(work, delivery, now)
                if outcome.verdict is Verdict.RETRY and outcome.retry_at is not None:
                    resting[delivery.channel] = outcome.retry_at
                if outcome.verdict is Verdict.HALT:
                    halted = outcome.reason
                    log.error("notifications are refused as a whole: %s", outcome.reason)
            done.append((delivery, outcome))
            fallback = None
            if outcome.verdict is Verdict.REFUSED:
                log.error("message to %r was refused: %s", delivery.channel, outcome.reason)
                fallback = work.fallback(delivery, outcome.reason, now)
            work.store.settle_delivery(delivery, outcome, now, fallback)
    return done, bool(halted)


def _attempt(work: Delivering, delivery: Delivery, now: datetime) -> Outcome:
    outcome = _safely(work.notifier.send, delivery, now)
    if outcome.verdict is Verdict.RETRY and delivery.attempts >= MAX_ATTEMPTS:
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
