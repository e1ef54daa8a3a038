"""What incidents should do, written anew in the words of docs/incidents.md, for one small world.

It knows causes, alerts and silences only by what a reader of the document would: nothing of it is taken
from the code under test but the records that both speak in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from eventwatch.model.alert import Alert, AlertState, Silence

MINUTE = timedelta(minutes=1)
RESOLVE, REOPEN, FLUSH = 30 * MINUTE, 360 * MINUTE, 5 * MINUTE
REMIND = {"critical": 60 * MINUTE, "warning": 120 * MINUTE}
ESCALATE = {"critical": 45 * MINUTE}
LOUD = ("info", "warning", "critical")
OWNER = {"a": "#growth", "b": "#growth", "c": "#search", "table": "#data"}
ABOVE = {"#growth": "#leads"}


@dataclass
class Case:
    """One incident."""

    cause: str
    state: str = "open"
    here: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    severity: str = ""
    channels: list[str] = field(default_factory=list)
    told: datetime | None = None
    told_as: str = ""
    good: datetime | None = None
    ended: datetime | None = None
    nudged: datetime | None = None
    escalated: bool = False
    mute: str = ""
    times: int = 0
    posts: dict[str, set[str]] = field(default_factory=dict)
    """Channel → ids of the posts that show it there."""
    said: list[str] = field(default_factory=list)
    """What happened in this step."""


@dataclass
class Model:
    """Everything that is remembered."""

    cases: dict[str, Case] = field(default_factory=dict)
    last: dict[str, datetime] = field(default_factory=dict)
    hid: dict[str, list[Case]] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    """Silence that is over → channels that are still to hear of it."""
    dead: set[str] = field(default_factory=set)

    def step(
        self, now: datetime, alerts: Mapping[str, Alert], silences: Sequence[Silence]
    ) -> tuple[dict[str, list[Case]], list[str]]:
        """New messages of incidents by channel, and the channels that hear of a silence's end."""
        firing: dict[str, list[Alert]] = {}
        for alert in alerts.values():
            if alert.state is AlertState.FIRING:
                cause = "table" if alert.cause is not None else str(alert.result.event_type)
                firing.setdefault(cause, []).append(alert)
        running = [s for s in silences if s.starts_at <= now < s.ends_at]
        for case in self.cases.values():
            case.said = []
            for name in ("told", "good", "ended", "nudged"):
                at = getattr(case, name)
                setattr(case, name, at and min(at, now))
        for cause in sorted(firing.keys() | self.cases.keys()):
            here = firing.get(cause, [])
            self._live(cause, here, now)
            if cause in self.cases:
                self._mute_and_urge(self.cases[cause], here, alerts, running, now)
        return self._speak(now), self._lines(now, silences)

    def _live(self, cause: str, here: list[Alert], now: datetime) -> None:
        case = self.cases.get(cause)
        if case is not None and case.ended is not None and now - case.ended >= REOPEN:
            case = None
        if case is None and not here:
            return
        if case is None:
            case = self.cases[cause] = Case(cause)
            case.said.append("opened")
        loudest = max((a.result.severity.value for a in here), key=LOUD.index, default="")
        ids = {a.id for a in here}
        if case.state == "resolved":
            new = ids - case.here or (here and LOUD.index(loudest) > LOUD.index(case.severity))
            case.here &= ids
            if not new:
                return
            case.state, case.ended, case.escalated, case.nudged = "open", None, False, None
            case.times += 1
            case.said.append("reopened")
            if case.told is not None:
                case.told, case.told_as = now, loudest
        case.here, case.ever = ids, case.ever | ids
        if here:
            case.good, case.severity = None, loudest
            for alert in here:
                for to in (OWNER[cause], OWNER.get(str(alert.result.event_type), OWNER[cause])):
                    if to not in case.channels:
                        case.channels.append(to)
        else:
            case.good = case.good or now
            if now - case.good >= RESOLVE:
                case.state, case.ended = "resolved", now
                case.said.append("resolved")

    def _mute_and_urge(
        self,
        case: Case,
        here: list[Alert],
        alerts: Mapping[str, Alert],
        running: list[Silence],
        now: datetime,
    ) -> None:
        about = [] if case.state == "resolved" else here
        about = about or [alerts[i] for i in case.ever if self._is_of(alerts[i], case.cause)]
        speak = [a for a in about if not a.explained] or about
        hits = [
            max(
                (s for s in running if s.event_type in ("", a.result.event_type)),
                key=lambda s: (s.ends_at, s.id),
                default=None,
            )
            for a in speak
        ]
        mute = "" if None in hits or not hits else max((s.ends_at, s.id) for s in hits if s)[1]
        if case.state == "resolved" and not case.said and not case.mute:
            return
        if case.state == "resolved" and not case.said and mute != case.mute:
            # What is over is not muted anew.
            mute = case.mute if mute and any(s.id == case.mute for s in running) else ""
        if mute and mute != case.mute:
            case.said.append("muted")
            self.hid.setdefault(mute, []).append(case)
        if case.mute and not mute:
            if case.state != "resolved":
                case.said.append("unmuted")
            case.nudged = now if case.told else case.nudged
        case.mute = mute
        if mute or not here or case.told is None or case.state == "resolved":
            return
        if LOUD.index(case.severity) > LOUD.index(case.told_as):
            case.told_as = case.severity
            case.said.append("worse")
        if case.state == "acknowledged":
            return
        above, after = ABOVE.get(OWNER[case.cause]), ESCALATE.get(case.severity)
        if above and after and not case.escalated and now - case.told >= after:
            case.escalated = True
            case.said.append("escalated")
            if above not in case.channels:
                case.channels.append(above)
        last = max(case.nudged or case.told, case.told)
        if case.severity in REMIND and now - last >= REMIND[case.severity]:
            case.nudged = now
            case.said.append("reminded")

    @staticmethod
    def _is_of(alert: Alert, cause: str) -> bool:
        now_of = "table" if alert.cause is not None else alert.result.event_type
        return not alert.open or now_of == cause

    def _speak(self, now: datetime) -> dict[str, list[Case]]:
        wanted: dict[str, list[Case]] = {}
        for case in self.cases.values():
            if case.mute or case.state == "resolved" or case.good is not None:
                continue
            again = {"worse", "reminded", "reopened"} & set(case.said)
            for channel in case.channels:
                posts = case.posts.get(channel, set())
                if not posts or (posts <= self.dead and again):
                    wanted.setdefault(channel, []).append(case)
        made = {c: cases for c, cases in wanted.items() if self._free(c, now)}
        for channel, cases in made.items():
            self.last[channel] = now
            for case in cases:
                if channel == OWNER[case.cause] and case.told is None:
                    case.told, case.told_as = now, case.severity
        return made

    def _lines(self, now: datetime, silences: Sequence[Silence]) -> list[str]:
        said = []
        for silence in sorted(silences, key=lambda s: (s.ends_at, s.id)):
            if silence.ends_at > now:
                continue
            hid = {OWNER[case.cause] for case in self.hid.get(silence.id, [])}
            for channel in sorted(self.lines.setdefault(silence.id, sorted(hid))):
                if self._free(channel, now):
                    self.last[channel] = now
                    self.lines[silence.id].remove(channel)
                    said.append(channel)
        return said

    def _free(self, channel: str, now: datetime) -> bool:
        return channel not in self.last or abs(now - self.last[channel]) >= FLUSH
