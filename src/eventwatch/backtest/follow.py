"""Carries alerts and incidents from cycle to cycle, as the daemon's state would, and keeps what was told.

The deciding is not done here: ``assess``, ``attribute`` and ``conduct`` decide, the same code as in a
live cycle. This is what remembers between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch.alerting.causes import Scene as Causes
from eventwatch.alerting.causes import attribute
from eventwatch.alerting.conduct import conduct
from eventwatch.alerting.incident_words import ending as over_because
from eventwatch.alerting.live_view import subject
from eventwatch.alerting.office import Office
from eventwatch.alerting.routing import Directory
from eventwatch.alerting.trouble import is_trouble
from eventwatch.backtest.board import applied
from eventwatch.backtest.incident import Ending, Incident, Replay
from eventwatch.backtest.judging import Calm, Key, Said, key_of
from eventwatch.backtest.past import Scene
from eventwatch.backtest.worse import badness
from eventwatch.model.alert import Alert, Change, Silence
from eventwatch.model.cause import CauseKind
from eventwatch.model.incident import Board, Changes
from eventwatch.model.incident import Incident as Live
from eventwatch.model.result import Result
from eventwatch.model.settings import NotifySettings
from eventwatch.model.status import Status
from eventwatch.pipeline.assess import Assessment, Knowledge, assess
from eventwatch.pipeline.judge import Restriction
from eventwatch.pipeline.source import source_of
from eventwatch.ports.notifier import Abilities

NOT_JUDGED = "not judged"
"""How the reason begins of an alert that was let go because nothing could be said."""
NEVER = timedelta(days=10_000)


@dataclass(frozen=True)
class Setting:
    """What the daemon would have known besides the measurements."""

    scene: Scene
    directory: Directory
    notify: NotifySettings
    silences: tuple[Silence, ...]
    restriction: Restriction


class Follower:
    """The alerts and incidents of one exposure under one set of checks. Cycles must come in order."""

    def __init__(
        self, setting: Setting, heard: Callable[[datetime, Changes], None] | None = None
    ) -> None:
        """``heard`` is told what each telling step changes."""
        scene = setting.scene
        # Edits for numbers alone tell nobody anything.
        incidents = replace(setting.notify.incidents, refresh=NEVER)
        self._setting, self._heard = setting, heard
        self._office = Office(
            catalog=scene.catalog,
            directory=setting.directory,
            notify=replace(setting.notify, incidents=incidents, webhook=None),
            exposures={scene.exposure.name: scene.exposure},
            abilities=Abilities(edits=True),
        )
        self._source = source_of(scene.exposure)
        self._open: tuple[Alert, ...] = ()
        self._board = Board({}, (), (), setting.silences)
        self._calm: dict[Key, Calm] = {}
        self._story: dict[str, _Story] = {}
        self._errors: dict[str, Result] = {}
        self._worded: dict[str, Result] = {}
        """Fingerprint → what was said of it last with a sentence: what goes on unchanged has none."""
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
            if result.summary:
                self._worded[result.fingerprint] = result
            if result.status is Status.ERROR and result.summary:
                self._errors.setdefault(result.fingerprint, result)
        seen = self._assessed(at, said)
        self._untold += sum(
            t.change is Change.EXPIRED and not is_trouble(t.alert.result) for t in seen.transitions
        )
        found = tuple(t.alert for t in seen.transitions)
        current = tuple(alert for alert in found if alert.open)
        self._open = attribute(
            Causes(
                exposure=self._setting.scene.exposure,
                source=self._source,
                alerts=current,
                results=seen.results,
                catalog=self._setting.scene.catalog,
                evidence=said.evidence,
                now=at,
            )
        )
        self._tell(at, (*(a for a in found if not a.open), *self._open))

    def replay(self) -> Replay:
        """What was found so far; what is open stays so."""
        found = [self._incident(story) for story in self._story.values()]
        found.sort(key=lambda i: (i.told_at, i.team, i.opened.event_type or "", i.fingerprint))
        return Replay(
            self._setting.scene.exposure.name,
            tuple(found),
            self._untold,
            tuple(self._errors.values()),
        )

    def _assessed(self, at: datetime, said: Said) -> Assessment:
        setting, scene = self._setting, self._setting.scene
        known = Knowledge(
            exposure=scene.exposure,
            catalog=scene.catalog,
            directory=setting.directory,
            open_alerts=self._open,
            silences=setting.silences,
            now=at,
            measured=True,
            restriction=setting.restriction,
            labels=scene.labels_at(at),
        )
        return assess((*said.bad, *self._good()), known)

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

    def _tell(self, at: datetime, alerts: Iterable[Alert]) -> None:
        """The telling step, and what is remembered of it."""
        board = self._board
        members = {m.alert_id for i in board.incidents for m in i.members}
        kept = {i: a for i, a in board.alerts.items() if i in members and not a.open}
        new = {alert.id: alert for alert in alerts}
        self._board = replace(board, alerts={**kept, **new})
        changes = conduct(self._board, self._office, at)
        self._board = applied(self._board, changes, at)
        self._note(at, changes)
        if self._heard is not None:
            self._heard(at, changes)

    def _note(self, at: datetime, changes: Changes) -> None:
        posts = {e.incident_id: post.id for post in changes.posts for e in post.entries}
        for live in changes.incidents:
            if live.cause.kind is CauseKind.SOURCE:
                continue
            story = self._story.get(live.id)
            if story is None:
                story = self._story[live.id] = _Story(live, self._spoken(live), self._worded)
            story.live = live
            story.message = story.message or posts.get(live.id, "")
        for live in self._board.incidents:
            story = self._story.get(live.id)
            if story is not None and live.open:
                for alert in self._spoken(live):
                    if alert.seen_at == at:
                        story.add(alert.result)

    def _spoken(self, live: Live) -> list[Alert]:
        """The alerts that speak for an incident, the worst first."""
        known = self._board.alerts
        members = [(m, known[m.alert_id]) for m in live.members if m.alert_id in known]
        spoken = [a for m, a in members if not m.explained] or [a for _, a in members]
        return sorted(spoken, key=lambda a: (-a.result.severity.rank, a.started_at, a.id))

    def _incident(self, story: _Story) -> Incident:
        live = story.live
        ending, reason = Ending.OPEN, live.end_reason
        if live.good_since is not None:
            # Whether it is settled yet is a matter of minutes, and of the last cycles.
            reason = reason or over_because(self._spoken(live))[0]
            let_go = reason.startswith(NOT_JUDGED)
            ending = Ending.NOT_JUDGED if let_go else Ending.RESOLVED
        muted = live.muted_because if live.told_at is None else ""
        if live.told_at is None and not muted:
            muted = "not told at once: best effort, or over before its turn"
        return Incident(
            id=live.id,
            fingerprint=live.cause.key,
            exposure=self._setting.scene.exposure.name,
            team=live.owner.team,
            channel=live.owner.channel,
            opened=story.opened,
            worst=story.worst,
            began_at=story.began_at,
            told_at=live.told_at or live.opened_at,
            ended_at=live.good_since,
            ending=ending,
            reason=reason,
            at_start=story.began_at <= self._setting.scene.first_at,
            message=story.message,
            muted=muted,
            cause=live.cause,
            part_of=_part_of(live),
            reopened=live.reopened,
        )


def _part_of(live: Live) -> str:
    if live.cause.kind in (CauseKind.EVENT_TYPE, CauseKind.ALONE):
        return ""
    about, detail = subject(live), live.cause.detail
    # That of a value begins with the value.
    short = live.cause.subject + ":"
    return ": ".join(filter(None, (about, detail.removeprefix(short).lstrip())))


class _Story:
    """What is remembered of one incident for showing it."""

    def __init__(self, live: Live, spoken: Sequence[Alert], worded: Mapping[str, Result]) -> None:
        self.live = live
        first = spoken[0].result
        self.opened = first if first.summary else worded.get(first.fingerprint, first)
        self.worst = self.opened
        self.began_at = min(alert.started_at for alert in spoken)
        self.message = ""

    def add(self, result: Result) -> None:
        """One more bad cycle; one without a sentence is not worse than those before it."""
        if result.summary and badness(result) > badness(self.worst):
            self.worst = result
