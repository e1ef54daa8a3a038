"""Posts: which message shows which incident, when it is made, when it is edited, what its thread says.

Whatever happens, a channel and team get at most one new message per flush window; the first of them at
once. What waits is written when the window is over, all of it in one message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch.alerting import live
from eventwatch.alerting.incident_group import digest, rank
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Action, Alert, Delivery, Message
from eventwatch.model.incident import (
    Board,
    Entry,
    Incident,
    Moment,
    MomentKind,
    Post,
    Recipient,
    Role,
)
from eventwatch.ports.notifier import WEBHOOK_CHANNEL

_TALKS = (Role.OWNER, Role.ESCALATION)
"""Roles whose channels get the thread."""
_QUIET = (MomentKind.OPENED,)


@dataclass(frozen=True)
class Story:
    """One incident after this step, with what the messages need."""

    incident: Incident
    alerts: tuple[Alert, ...]
    """All its members that are known."""
    moments: tuple[Moment, ...]
    """New ones, and those that people made since the step before."""
    tellable: bool
    """Nothing holds it back."""


class Desk:
    """Writes the posts of one step."""

    def __init__(
        self, board: Board, office: Office, stories: Sequence[Story], now: datetime
    ) -> None:
        self._board, self._office, self._now = board, office, now
        self._stories: Mapping[str, Story] = {s.incident.id: s for s in stories}
        self._last = dict(board.last_posts)
        self.told: dict[str, Incident] = {}
        """Incidents whose owner is told by a new post of this step."""
        self.posts: list[Post] = []
        self.deliveries: list[Delivery] = []

    def write(self) -> None:
        """Edits and threads of the posts that are there, then new posts."""
        shown: set[tuple[str, str, str]] = set()
        for post in self._board.posts:
            for entry in post.entries:
                shown.add((entry.incident_id, post.channel, post.team))
        for post in self._board.posts:
            if not post.dead:
                self._edit(post)
                self._thread(post)
            self._close(post)
        for (channel, team), wanted in self._wanted(shown).items():
            last = self._last.get((channel, team))
            # Either way: a clock that stepped back must not keep a channel waiting for hours.
            if last is not None and abs(self._now - last) < self._office.notify.incidents.flush:
                continue
            self._post(channel, team, wanted)
        if self._office.notify.webhook is not None:
            for story in self._stories.values():
                self._webhook(story)

    def _wanted(
        self, shown: set[tuple[str, str, str]]
    ) -> dict[tuple[str, str], list[tuple[Incident, Recipient]]]:
        wanted: dict[tuple[str, str], list[tuple[Incident, Recipient]]] = {}
        for story in self._stories.values():
            incident = story.incident
            if not story.tellable or not incident.open or incident.good_since is not None:
                continue
            for who in (incident.owner, *incident.others):
                if (incident.id, who.channel, who.team) not in shown:
                    wanted.setdefault((who.channel, who.team), []).append((incident, who))
        return dict(sorted(wanted.items()))

    def _post(self, channel: str, team: str, wanted: Sequence[tuple[Incident, Recipient]]) -> None:
        ordered = sorted(wanted, key=lambda w: _worst_first(w[0], w[1].role))
        views = [self._shown(incident, who) for incident, who in ordered]
        entries = tuple(Entry(i.id, who.role) for i, who in ordered)
        # How often an incident was opened is part of it: one that came back is told anew.
        what = [f"{i.id}/{i.reopened}/{who.role.value}" for i, who in ordered]
        post_id = digest("post", channel, team, *what)[:24]
        essence = live.essence(views, self._office)
        self.posts.append(
            Post(post_id, channel, team, entries, self._now, shown=essence, refreshed_at=self._now)
        )
        self._say(
            Action.POST,
            (post_id, channel, team),
            live.live(views, self._office, self._now),
            digest("post", post_id),
            [i.id for i, _ in ordered],
        )
        for incident, who in ordered:
            if who.role is Role.OWNER:
                self.told[incident.id] = incident
                if self._office.abilities.charts:
                    self._chart(post_id, channel, team, incident)

    def _edit(self, post: Post) -> None:
        views = self._views(post)
        if not views:
            return
        essence = live.essence(views, self._office)
        due = post.refreshed_at is None or (
            abs(self._now - post.refreshed_at) >= self._office.notify.incidents.refresh
        )
        running = any(v.incident.open and v.incident.good_since is None for v in views)
        changed = essence != post.shown
        if not changed and not (due and running and self._office.abilities.edits):
            return
        if not self._office.abilities.edits:
            self._again(post, views, essence)
            return
        stamp = "" if post.refreshed_at is None else post.refreshed_at.isoformat()
        self._say(
            Action.UPDATE,
            (post.id, post.channel, post.team),
            live.live(views, self._office, self._now),
            digest("update", post.id, stamp, essence, "" if changed else self._now.isoformat()),
            [v.incident.id for v in views],
        )
        self.posts.append(replace(post, shown=essence, refreshed_at=self._now))

    def _again(self, post: Post, views: Sequence[Shown], essence: str) -> None:
        """A service that cannot edit gets a new message for what matters, in the flush window."""
        last = self._last.get((post.channel, post.team))
        if last is not None and abs(self._now - last) < self._office.notify.incidents.flush:
            return
        self._last[post.channel, post.team] = self._now
        self._say(
            Action.POST,
            ("", post.channel, post.team),
            live.live(views, self._office, self._now),
            digest("again", post.id, post.shown, essence, str(post.refreshed_at)),
            [v.incident.id for v in views],
        )
        self.posts.append(replace(post, shown=essence, refreshed_at=self._now))

    def _thread(self, post: Post) -> None:
        if not self._office.abilities.threads:
            return
        for entry in post.entries:
            story = self._stories.get(entry.incident_id)
            if story is None or entry.role not in _TALKS:
                continue
            moments = [m for m in story.moments if m.kind not in _QUIET]
            if not moments or (not story.tellable and story.incident.told_at is None):
                continue
            who = self._recipient(story.incident, post)
            self._say(
                Action.REPLY,
                (post.id, post.channel, post.team),
                live.reply(self._shown(story.incident, who), moments, self._office, self._now),
                digest("reply", post.id, *(m.id for m in moments)),
                [story.incident.id],
            )

    def _close(self, post: Post) -> None:
        """Nothing in it can open again."""
        window = self._office.notify.incidents.reopen_within
        for entry in post.entries:
            story = self._stories.get(entry.incident_id)
            if story is None:
                continue
            ended = story.incident.resolved_at
            if story.incident.open or ended is None or self._now - ended < window:
                return
        if abs(self._now - post.created_at) < timedelta(minutes=1):
            return
        known = next((p for p in reversed(self.posts) if p.id == post.id), post)
        self.posts.append(replace(known, closed_at=self._now))

    def _views(self, post: Post) -> list[Shown]:
        return [
            self._shown(story.incident, replace(self._recipient(story.incident, post), role=e.role))
            for e in post.entries
            if (story := self._stories.get(e.incident_id)) is not None
        ]

    def _recipient(self, incident: Incident, post: Post) -> Recipient:
        for who in (incident.owner, *incident.others):
            if (who.channel, who.team) == (post.channel, post.team):
                return who
        # Its message went to the fallback route.
        return replace(incident.owner, channel=post.channel, team=post.team)

    def _shown(self, incident: Incident, who: Recipient) -> Shown:
        return Shown(incident, self._stories[incident.id].alerts, who)

    def _chart(self, post_id: str, channel: str, team: str, incident: Incident) -> None:
        text = f"Counts of the last days: {incident.cause.subject}"
        self._say(
            Action.CHART,
            (post_id, channel, team),
            Message(text, "", text),
            digest("chart", post_id, incident.id),
            [incident.id],
        )

    def _webhook(self, story: Story) -> None:
        if not story.moments or not (story.tellable or story.incident.told_at):
            return
        view = self._shown(story.incident, story.incident.owner)
        self._say(
            Action.POST,
            ("", WEBHOOK_CHANNEL, ""),
            live.live([view], self._office, self._now),
            digest("webhook", *(m.id for m in story.moments)),
            [story.incident.id],
        )

    def _say(
        self,
        action: Action,
        place: tuple[str, str, str],
        message: Message,
        key: str,
        incident_ids: Iterable[str],
    ) -> None:
        """``place``: post, channel, team."""
        post_id, channel, team = place
        ids = tuple(incident_ids)
        alert_ids = [m.alert_id for i in ids for m in self._stories[i].incident.members]
        self.deliveries.append(
            Delivery(
                key=key,
                channel=channel,
                team=team,
                message=message,
                alert_ids=tuple(alert_ids[:200]),
                created_at=self._now,
                action=action,
                post_id=post_id,
                incident_ids=ids,
            )
        )


def _worst_first(incident: Incident, role: Role) -> tuple[object, ...]:
    return (list(Role).index(role), -rank(incident.severity), incident.began_at, incident.id)
