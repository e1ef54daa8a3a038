"""Any of Apprise's services, at least once, for teams that have URLs of theirs.

Apprise says only whether a service took a message, so every failure is tried again and says that it
may repeat. Each URL is a message of its own: what one service took is not sent to it again because
another failed, as long as the process lives. There are no edits; what changes comes as new messages.
Apprise's URLs hold secrets, so nothing of what it says or logs is passed on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any

from eventwatch.alerting.escape import truncate
from eventwatch.model.alert import Action, Delivery, Outcome, Verdict
from eventwatch.model.errors import DeliveryError
from eventwatch.model.settings import AppriseSettings
from eventwatch.notifiers.body import repeat_note
from eventwatch.notifiers.pace import Pace, Rate
from eventwatch.notifiers.retry_after import backoff
from eventwatch.ports.notifier import MAY_REPEAT, NOT_SENT, Abilities

EVERYBODY = "*"
"""The key of URLs for teams without their own."""
_LONGEST = 3_500
_REMEMBERED = 2_000
_SECONDS = 20.0
"""After which the services that are left wait for the next attempt."""
_RATE = Rate(timedelta(seconds=1), burst=3)


class AppriseNotifier:
    """Thread-safe."""

    def __init__(self, settings: AppriseSettings, *, rate: Rate = _RATE) -> None:
        """Raises DeliveryError when Apprise is not installed or a URL is none of its own."""
        try:
            import apprise  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            raise DeliveryError(
                "notify.apprise needs Apprise; install it: pip install 'eventwatch[apprise]'"
            ) from None
        # Its log lines hold parts of URLs and whole bodies.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self._text = str(apprise.NotifyFormat.TEXT.value)
        self._services = {
            team: tuple(_service(apprise, url.reveal(), team, n) for n, url in enumerate(urls, 1))
            for team, urls in settings.urls.items()
        }
        self._pace = Pace(rate)
        self._lock = threading.Lock()
        self._taken: OrderedDict[str, set[int]] = OrderedDict()
        """Row → which services of its team took it already."""

    def __repr__(self) -> str:
        return "AppriseNotifier(********)"

    @property
    def abilities(self) -> Abilities:
        """None: its services only take new messages."""
        return Abilities()

    def serves(self, team: str) -> bool:
        """Whether the team hears by Apprise."""
        return bool(self._of(team))

    def send(self, delivery: Delivery, now: datetime) -> Outcome:
        """One attempt. A reply is a message of its own; edits and charts end here."""
        if delivery.action in (Action.UPDATE, Action.CHART):
            return Outcome(
                Verdict.REFUSED, f"{NOT_SENT}: services of Apprise take new messages only"
            )
        services = self._of(delivery.team)
        if not services:
            return Outcome(Verdict.REFUSED, "the team has no Apprise URL")
        later = self._pace.take(delivery.team, now, delivery.key)
        if later is not None:
            return Outcome(Verdict.RETRY, "one message per second and team", later)
        taken = self._taken_by(delivery.key)
        failed, ends = 0, time.monotonic() + _SECONDS
        for n, service in enumerate(services):
            if n in taken:
                continue
            if time.monotonic() < ends and _told(service, delivery, self._text):
                taken.add(n)
            else:
                failed += 1
        if not failed:
            return Outcome(Verdict.SENT, reference="apprise")
        reason = f"{MAY_REPEAT}: {failed} of {len(services)} services did not take it"
        return Outcome(Verdict.RETRY, reason, backoff(delivery.attempts, now))

    def reconcile(self, delivery: Delivery, now: datetime) -> Outcome:
        """Its services cannot be asked: send again, and say so."""
        reason = f"{MAY_REPEAT}: services of Apprise cannot be asked whether it arrived"
        return Outcome(Verdict.RETRY, reason, backoff(delivery.attempts, now))

    def _of(self, team: str) -> tuple[Any, ...]:
        return self._services.get(team) or self._services.get(EVERYBODY) or ()

    def _taken_by(self, key: str) -> set[int]:
        with self._lock:
            taken = self._taken.setdefault(key, set())
            self._taken.move_to_end(key)
            while len(self._taken) > _REMEMBERED:
                self._taken.popitem(last=False)
            return taken


def _service(apprise: Any, url: str, team: str, number: int) -> Any:
    asset = apprise.AppriseAsset(app_id="eventwatch", app_desc="eventwatch", async_mode=False)
    # Redirects could carry a token elsewhere. Older versions have no such switch.
    if hasattr(apprise.AppriseAsset, "http_redirects"):
        asset.http_redirects = False
    made = apprise.Apprise(asset=asset)
    try:
        added = made.add(url)
    except Exception:
        added = False
    if not added:
        raise DeliveryError(
            f"notify.apprise: URL {number} of {team!r} is none that Apprise knows; see its list of "
            "services"
        )
    return made


def _told(service: Any, delivery: Delivery, text_format: str) -> bool:
    title, _, rest = delivery.message.plain.strip().partition("\n")
    note = repeat_note(delivery)
    body = "\n".join(part for part in (note, rest.strip() or title) if part)
    try:
        return bool(
            service.notify(
                body=_calm(truncate(body, _longest(service))),
                title=_calm(truncate(title, 200)),
                body_format=text_format,
            )
        )
    except Exception:  # a plugin's failure is a failure to tell, whatever it raises
        return False


def _longest(service: Any) -> int:
    """What the service takes at once, less its title and some room for what Apprise adds."""
    limits = [int(getattr(one, "body_maxlen", _LONGEST)) for one in service]
    return max(100, min(_LONGEST, *limits) - 250) if limits else _LONGEST


def _calm(text: str) -> str:
    """Nobody is called by a name from the data: a sign without width follows every @."""
    return text.replace("@", "@\u200b")
