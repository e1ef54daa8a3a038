"""The telling step: what alerts, people's words and the passing of time do to incidents and posts.

In this order: the alerts are grouped by cause, each incident is followed, what holds it back is found,
reminders and escalations become due, posts are written. Every key is made of what happened, never of
when or by whom it was noticed, so a step that is done twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from eventwatch.alerting import incident_digests as digests
from eventwatch.alerting import incident_people as people
from eventwatch.alerting import live
from eventwatch.alerting.incident_group import Followed, digest, follow, moment, rank
from eventwatch.alerting.incident_mute import Muted, muted, mutes
from eventwatch.alerting.incident_posts import Desk, Story
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Alert, Delivery, DeliveryState, Silence
from eventwatch.model.incident import (
    Board,
    Changes,
    Incident,
    IncidentState,
    Moment,
    MomentKind,
)

BEST_EFFORT = "best effort: it goes into the daily digest"


def conduct(board: Board, office: Office, now: datetime) -> Changes:
    """Everything that is to be remembered and said. Pure; with its changes applied, a second call at
    the same instant changes nothing."""
    step = _Step(board, office, now)
    return step.changes()


@dataclass
class _Step:
    board: Board
    office: Office
    now: datetime
    moments: list[Moment] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    hidden: dict[str, list[str]] = field(default_factory=dict)

    def changes(self) -> Changes:
        """All of one step."""
        board, office, now = self.board, self.office, self.now
        before = {incident.id: incident for incident in board.incidents}
        active = mutes(board.silences, office, now)
        stories = [self._story(each, active) for each in follow(board, office, now)]
        followed = {s.incident.id for s in stories}
        # Those that are over are still shown by their posts.
        rest = [i for i in board.incidents if i.id not in followed]
        stories += [Story(i, self._alerts(i), self._said(i), i.told_at is not None) for i in rest]
        desk = Desk(board, office, stories, now)
        desk.write()
        incidents = {s.incident.id: s.incident for s in stories}
        for incident_id in desk.told:
            one = incidents[incident_id]
            incidents[incident_id] = replace(one, told_at=now, told_severity=one.severity)
        ended = self._ended_silences(incidents)
        daily = digests.due(stories, board, office, now)
        posts = {post.id: post for post in desk.posts}
        return Changes(
            incidents=tuple(i for i in incidents.values() if before.get(i.id) != i),
            moments=tuple(self.moments),
            posts=tuple(posts.values()),
            deliveries=(*desk.deliveries, *self.deliveries, *daily.deliveries),
            silences_told=ended,
            hidden={k: tuple(v) for k, v in self.hidden.items()},
            digests=daily.made,
            moments_told=tuple(m.id for m in board.moments),
        )

    def _story(self, each: Followed, active: Sequence[Silence]) -> Story:
        incident, now, office = each.incident, self.now, self.office
        moments = list(each.moments)
        held: Muted | None = None
        best_effort = False
        if each.alerts:
            held = muted(incident, each.alerts, active, now)
            best_effort = people.best_effort(each.alerts, office)
            incident = self._held_back(incident, held, moments)
        if best_effort and incident.told_at is None and each.is_new:
            self._withhold(incident, BEST_EFFORT, "best_effort")
        free = held is None and not best_effort
        if free and each.alerts and incident.told_at is not None:
            incident = self._louder(incident, moments)
            incident = self._unanswered(incident, moments)
        explained = [m for m in incident.members if m.explained]
        if each.is_new and explained and len(explained) < len(incident.members):
            self._withhold(incident, f"explained by {incident.cause.subject}", "explained")
        self.moments.extend(moments)
        told = incident.told_at is not None
        return Story(
            incident,
            self._alerts(incident),
            (*self._said(incident), *moments),
            (free if each.alerts else told) or (told and not incident.open),
        )

    def _said(self, incident: Incident) -> tuple[Moment, ...]:
        """What people did since the step before."""
        return tuple(m for m in self.board.moments if m.incident_id == incident.id)

    def _alerts(self, incident: Incident) -> tuple[Alert, ...]:
        known = self.board.alerts
        return tuple(known[m.alert_id] for m in incident.members if m.alert_id in known)

    def _held_back(self, incident: Incident, held: Muted | None, moments: list[Moment]) -> Incident:
        if held is None:
            if not incident.muted_by:
                return incident
            moments.append(moment(incident, MomentKind.UNMUTED, self.now, mark=incident.muted_by))
            return replace(incident, muted_by="", muted_because="")
        if incident.muted_by == held.silence.id:
            return incident
        self.hidden.setdefault(held.silence.id, []).append(incident.id)
        self._withhold(incident, held.because, held.silence.id)
        moments.append(
            moment(incident, MomentKind.MUTED, self.now, text=held.because, mark=held.silence.id)
        )
        return replace(incident, muted_by=held.silence.id, muted_because=held.because)

    def _louder(self, incident: Incident, moments: list[Moment]) -> Incident:
        """A rise above what was told is told; a fall is only shown."""
        if rank(incident.severity) <= rank(incident.told_severity):
            return incident
        told = incident.told_severity
        text = f"now {incident.severity.value}, was {told.value if told else 'untold'}"
        moments.append(
            moment(incident, MomentKind.WORSE, self.now, text=text, mark=incident.severity.value)
        )
        return replace(incident, told_severity=incident.severity)

    def _unanswered(self, incident: Incident, moments: list[Moment]) -> Incident:
        if incident.state is not IncidentState.OPEN or incident.told_at is None:
            return incident
        notify, now = self.office.notify, self.now
        after = notify.incidents.escalate_after.get(incident.severity)
        if after is not None and incident.escalated_at is None and now - incident.told_at >= after:
            who = people.escalation(incident, self.office)
            if who is not None:
                text = f"to {who.team or who.channel}"
                moments.append(moment(incident, MomentKind.ESCALATED, now, text=text))
                others = people.joined(incident.others, (who,), incident.owner)
                incident = replace(incident, escalated_at=now, others=others)
        interval = notify.reminder.get(incident.severity)
        last = incident.reminded_at or incident.told_at
        if interval is not None and last is not None and now - last >= interval:
            moments.append(moment(incident, MomentKind.REMINDED, now, mark=last.isoformat()))
            incident = replace(incident, reminded_at=now)
        return incident

    def _withhold(self, incident: Incident, reason: str, mark: str) -> None:
        view = Shown(incident, self._alerts(incident), incident.owner)
        self.deliveries.append(
            Delivery(
                key=digest("withheld", incident.id, str(incident.reopened), mark),
                channel=incident.owner.channel,
                team=incident.owner.team,
                message=live.live([view], self.office, self.now),
                alert_ids=tuple(m.alert_id for m in incident.members)[:200],
                created_at=self.now,
                state=DeliveryState.WITHHELD,
                last_error=reason[:400],
                incident_ids=(incident.id,),
            )
        )

    def _ended_silences(self, incidents: Mapping[str, Incident]) -> tuple[str, ...]:
        """One line per channel about what a silence hid, once it has ended."""
        ended = [s for s in self.board.silences if s.ends_at <= self.now]
        for silence in ended:
            by_channel: dict[tuple[str, str], list[Shown]] = {}
            for incident_id in self.board.hidden.get(silence.id, ()):
                incident = incidents.get(incident_id)
                if incident is None:
                    continue
                owner = incident.owner
                view = Shown(incident, self._alerts(incident), owner)
                by_channel.setdefault((owner.channel, owner.team), []).append(view)
            for (channel, team), views in sorted(by_channel.items()):
                self.deliveries.append(
                    Delivery(
                        key=digest("silence over", silence.id, channel, team),
                        channel=channel,
                        team=team,
                        message=live.silence_over(silence, views, self.office, self.now),
                        alert_ids=(),
                        created_at=self.now,
                        incident_ids=tuple(v.incident.id for v in views),
                    )
                )
        return tuple(s.id for s in ended)
