"""Carries alerts from cycle to cycle, as the daemon's state would, and keeps what fired.

The deciding is not done here: ``assess`` and the outbox decide, the same code as in a live cycle. This
is what remembers between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from eventwatch.alerting.outbox import Outbox, deliveries_for
from eventwatch.alerting.routing import Directory
from eventwatch.alerting.trouble import is_trouble
from eventwatch.backtest.incident import Ending, Incident, Replay
from eventwatch.backtest.judging import Calm, Key, Said, key_of
from eventwatch.backtest.past import Scene
from eventwatch.backtest.worse import badness
from eventwatch.model.alert import Alert, AlertState, Change, DeliveryState, Silence
from eventwatch.model.result import Result
from eventwatch.model.settings import NotifySettings
from eventwatch.model.status import Status
from eventwatch.pipeline.assess import Assessment, Knowledge, assess
from eventwatch.pipeline.judge import Restriction

NOT_JUDGED = "not judged"
"""How the reason begins of an alert that was let go because nothing could be said."""


@dataclass(frozen=True)
class Setting:
    """What the daemon would have known besides the measurements."""

    scene: Scene
    directory: Directory
    notify: NotifySettings
    silences: tuple[Silence, ...]
    restriction: Restriction


class Follower:
    """The alerts of one exposure under one set of checks. Cycles must come in their order."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._open: tuple[Alert, ...] = ()
        self._calm: dict[Key, Calm] = {}
        self._story: dict[str, _Story] = {}
        self._incidents: list[Incident] = []
        self._errors: dict[str, Result] = {}
        self._untold = 0

    def cycle(self, at: datetime, said: Said, *, new_day: bool) -> None:
        """One cycle. ``new_day``: what is said is the whole, not what changed."""
        if new_day:
            self._calm = {}
        for key, calm in said.calm.items():
            if calm is None:
                self._calm.pop(key, None)
            else:
                self._calm[key] = calm
        for result in said.bad:
            if result.status is Status.ERROR and result.summary:
                self._errors.setdefault(result.fingerprint, result)
        setting, scene = self._setting, self._setting.scene
        known = Knowledge(
            exposure=scene.exposure,
            catalog=scene.catalog,
            directory=setting.directory,
            open_alerts=self._open,
            silences=setting.silences,
            reminders=setting.notify.reminder,
            now=at,
            measured=True,
            restriction=setting.restriction,
            labels=scene.labels_at(at),
        )
        seen = assess((*said.bad, *self._good()), known)
        outbox = deliveries_for(
            seen.transitions,
            routes=seen.routes,
            muted=seen.muted,
            catalog=scene.catalog,
            exposure=scene.exposure,
            notify=setting.notify,
            now=at,
        )
        self._open = tuple(alert for alert in outbox.alerts if alert.open)
        self._write(at, seen, outbox)

    def replay(self) -> Replay:
        """What was found so far; what is open stays so."""
        still = [self._incident(alert, None) for alert in self._open if self._fired(alert)]
        found = [*self._incidents, *still]
        found.sort(key=lambda i: (i.told_at, i.team, i.opened.event_type or "", i.fingerprint))
        return Replay(
            self._setting.scene.exposure.name,
            tuple(found),
            self._untold,
            tuple(self._errors.values()),
        )

    def _good(self) -> list[Result]:
        """What is good about things that have an open alert; nothing else can change anything."""
        found = []
        for alert in self._open:
            for status, keep, severity in self._calm.get(key_of(alert.result), ()):
                # Made anew, since what an alert holds is a failure with its story.
                found.append(
                    replace(alert.result, status=status, keep=keep, severity=severity, total=False)
                )
        return found

    def _write(self, at: datetime, seen: Assessment, outbox: Outbox) -> None:
        told = {
            alert_id: delivery.key
            for delivery in outbox.deliveries
            if delivery.state is not DeliveryState.WITHHELD
            for alert_id in delivery.alert_ids
        }
        for transition in seen.transitions:
            alert = transition.alert
            story = self._story.get(alert.id)
            if story is None:
                route = seen.routes[alert.fingerprint]
                story = self._story[alert.id] = _Story(alert.result, route.team, route.channel)
            if alert.seen_at == at:
                story.add(alert.result)
            if transition.change is Change.FIRED and not story.message:
                story.message = told.get(alert.id, "")
                story.muted = _muted(seen.muted, alert)
            if transition.change is Change.EXPIRED:
                self._untold += not is_trouble(alert.result)
                self._story.pop(alert.id)
            elif transition.change is Change.RESOLVED:
                if self._fired(alert):
                    self._incidents.append(self._incident(alert, at))
                self._story.pop(alert.id)

    @staticmethod
    def _fired(alert: Alert) -> bool:
        """Failures that were told; our own trouble is no incident of the data."""
        return alert.fired_at is not None and not is_trouble(alert.result)

    def _incident(self, alert: Alert, ended_at: datetime | None) -> Incident:
        story = self._story[alert.id]
        ending = Ending.OPEN
        if alert.state is AlertState.RESOLVED:
            let_go = alert.end_reason.startswith(NOT_JUDGED)
            ending = Ending.NOT_JUDGED if let_go else Ending.RESOLVED
        assert alert.fired_at is not None
        return Incident(
            id=alert.id,
            fingerprint=alert.fingerprint,
            exposure=self._setting.scene.exposure.name,
            team=story.team,
            channel=story.channel,
            opened=story.opened,
            worst=story.worst,
            began_at=alert.started_at,
            told_at=alert.fired_at,
            ended_at=ended_at,
            ending=ending,
            reason=alert.end_reason,
            at_start=alert.started_at <= self._setting.scene.first_at,
            message=story.message,
            muted=story.muted,
        )


class _Story:
    """What is remembered of one alert for showing it."""

    def __init__(self, opened: Result, team: str, channel: str) -> None:
        self.opened = self.worst = opened
        self.team, self.channel = team, channel
        self.message = self.muted = ""

    def add(self, result: Result) -> None:
        """One more bad cycle; one without a sentence is not worse than those before it."""
        if result.summary and badness(result) > badness(self.worst):
            self.worst = result


def _muted(muted: Mapping[str, Silence], alert: Alert) -> str:
    silence = muted.get(alert.fingerprint)
    return "" if silence is None else f"muted by {silence.author}: {silence.reason}"
