"""Posts: which message shows which incident, and when a new one is made.

Whatever happens, a channel and team get at most one new message per flush window, the first of them at
once. What waits is told when the window is over, all of it in one message. How a message that is there
changes is in ``incident_edits``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from eventwatch.alerting import live
from eventwatch.alerting.causes_own import key_of
from eventwatch.alerting.escape import plain, truncate
from eventwatch.alerting.incident_group import rank
from eventwatch.alerting.incident_story import Story
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Action, Delivery, DeliveryState, Message
from eventwatch.model.incident import Board, Entry, Incident, MomentKind, Post, Recipient, Role

CHARTS_PER_POST = 3
"""A message about many incidents has pictures of its worst."""
_ALERTS_PER_ROW = 200
_ORDER = tuple(Role)
MAIN = (Role.OWNER, Role.ESCALATION)
"""Roles whose channels hear the whole story."""
_LOUD = frozenset((MomentKind.WORSE, MomentKind.REMINDED, MomentKind.REOPENED))
"""What is told anew where the message about it was refused everywhere."""
_MARKS = "marks:"


def place(channel: str, team: str) -> str:
    """Names where a post was meant to be; its id ends with it, since a refused one may move."""
    return key_of("place", channel, team)[:8]


@dataclass
class Tray:
    """Rows of the outbox and posts that a step makes, and the flush windows."""

    board: Board
    office: Office
    now: datetime
    posts: dict[str, Post] = field(default_factory=dict)
    """New and changed ones, by id."""
    rows: list[Delivery] = field(default_factory=list)
    made: dict[tuple[str, str], datetime] = field(init=False)

    def __post_init__(self) -> None:
        self.made = dict(self.board.last_posts)

    def free(self, channel: str, team: str) -> bool:
        """Whether the flush window is over."""
        last = self.made.get((channel, team))
        # Either way: a clock that was ahead and stepped back must not keep a channel waiting.
        return last is None or abs(self.now - last) >= self.office.notify.incidents.flush

    def post(self, made: Post, message: Message, incidents: Sequence[Incident]) -> None:
        """A new message, which closes the window."""
        self.made[made.channel, made.team] = self.now
        self.posts[made.id] = made
        self.rows.append(self.row(made, incidents, message, key_of("post", made.id)))

    def row(
        self, post: Post, incidents: Sequence[Incident], message: Message, key: str
    ) -> Delivery:
        """A row of the outbox about some incidents, where a post is."""
        alert_ids = [m.alert_id for i in incidents for m in i.members[:_ALERTS_PER_ROW]]
        return Delivery(
            key=key,
            channel=post.channel,
            team=post.team,
            message=message,
            alert_ids=tuple(alert_ids[:_ALERTS_PER_ROW]),
            created_at=self.now,
            post_id=post.id,
            incident_ids=tuple(i.id for i in incidents),
        )

    def withhold(self, row: Delivery, reason: str) -> None:
        """Records what is not sent, and why."""
        why = plain(truncate(reason, 400))
        self.rows.append(replace(row, state=DeliveryState.WITHHELD, last_error=why))


@dataclass(frozen=True)
class _Wanted:
    story: Story
    who: Recipient
    seen: int
    """By how many posts it was shown there before."""


def new_posts(tray: Tray, stories: Mapping[str, Story]) -> dict[str, Incident]:
    """Makes the posts that are due. Returns the incidents whose owner is told by one, as they are
    then."""
    told: dict[str, Incident] = {}
    for (channel, team), wanted in sorted(_wanted(tray, stories).items()):
        if tray.free(channel, team):
            told.update(_post(tray, channel, team, wanted))
    return told


def adopt(tray: Tray, stories: Mapping[str, Story]) -> None:
    """Posts of a service that could edit, where it no longer can: what they show counts as told."""
    if tray.office.abilities.edits:
        return
    for post in tray.board.posts:
        if post.entries and not post.shown.startswith(_MARKS):
            marks = [
                (e, _mark(s.incident, e.role))
                for e in post.entries
                if (s := stories.get(e.incident_id)) is not None
            ]
            tray.posts[post.id] = replace(tray.posts.get(post.id, post), shown=_shown_marks(marks))


def _wanted(tray: Tray, stories: Mapping[str, Story]) -> dict[tuple[str, str], list[_Wanted]]:
    shown = _Shown(tray.posts.get(p.id, p) for p in tray.board.posts)
    found: dict[tuple[str, str], list[_Wanted]] = {}
    for story in stories.values():
        incident = story.incident
        if not story.free:
            continue
        running = incident.open and incident.good_since is None
        for who in (incident.owner, *incident.others):
            at = (incident.id, place(who.channel, who.team))
            roles = shown.roles.get(at, set())
            enough = bool(roles) and (who.role not in MAIN or bool(roles & set(MAIN)))
            if enough and at in shown.dead:
                enough = not any(m.kind in _LOUD for m in story.moments)
            if enough and not tray.office.abilities.edits:
                mark = _mark(incident, who.role)
                enough = mark in shown.marks.get(at, set())
                wanted = not enough
            else:
                wanted = not enough and running
            if wanted:
                each = _Wanted(story, who, len(shown.posts.get(at, ())))
                found.setdefault((who.channel, who.team), []).append(each)
    return found


class _Shown:
    """What the posts show, by incident and place."""

    def __init__(self, posts: Iterable[Post]) -> None:
        self.roles: dict[tuple[str, str], set[Role]] = {}
        self.marks: dict[tuple[str, str], set[str]] = {}
        self.posts: dict[tuple[str, str], set[str]] = {}
        self.dead: set[tuple[str, str]] = set()
        alive: set[tuple[str, str]] = set()
        for post in posts:
            marks = _marks_of(post)
            for entry in post.entries:
                at = (entry.incident_id, post.id[-8:])
                self.roles.setdefault(at, set()).add(entry.role)
                self.posts.setdefault(at, set()).add(post.id)
                self.marks.setdefault(at, set()).add(marks.get(entry.incident_id, ""))
                (self.dead if post.dead else alive).add(at)
        self.dead -= alive


def _post(tray: Tray, channel: str, team: str, wanted: Sequence[_Wanted]) -> dict[str, Incident]:
    ordered = sorted(wanted, key=_worst_first)
    incidents = [_as_told(w.story.incident, w.who.role, tray.now) for w in ordered]
    # How often an incident was opened, and shown here, is part of it: one may be told anew.
    what = [
        f"{i.id}/{i.reopened}/{w.who.role.value}/{w.seen}"
        for i, w in zip(incidents, ordered, strict=True)
    ]
    post_id = key_of("post", channel, team, *what)[:24] + place(channel, team)
    views = [Shown(i, w.story.alerts, w.who) for i, w in zip(incidents, ordered, strict=True)]
    entries = tuple(Entry(i.id, w.who.role) for i, w in zip(incidents, ordered, strict=True))
    if tray.office.abilities.edits:
        shown = f"0:{live.essence(views, tray.office)}"
    else:
        pairs = zip(entries, incidents, strict=True)
        shown = _shown_marks([(e, _mark(i, e.role)) for e, i in pairs])
    made = Post(post_id, channel, team, entries, tray.now, shown=shown, refreshed_at=tray.now)
    tray.post(made, live.live(views, tray.office, tray.now), incidents)
    charts = 0
    for incident, each in zip(incidents, ordered, strict=True):
        first = each.who.role is Role.OWNER and not each.seen
        if first and charts < CHARTS_PER_POST and _with_charts(tray.office):
            _chart(tray, made, incident, each.story)
            charts += 1
    return {
        i.id: i
        for i, w in zip(incidents, ordered, strict=True)
        if w.who.role is Role.OWNER and i != w.story.incident
    }


def _as_told(incident: Incident, role: Role, now: datetime) -> Incident:
    if role is not Role.OWNER or incident.told_at is not None:
        return incident
    return replace(incident, told_at=now, told_severity=incident.severity)


def _with_charts(office: Office) -> bool:
    slack = office.notify.slack
    return office.abilities.charts and (slack is None or slack.charts)


def _chart(tray: Tray, post: Post, incident: Incident, story: Story) -> None:
    """The picture of what speaks loudest; its text is read where it cannot be seen."""
    speaking = [a for a in story.firing if not a.explained] or list(story.firing)
    speaking.sort(key=lambda a: (-a.result.severity.rank, a.started_at, a.fingerprint, a.id))
    said = "; ".join(a.result.summary for a in speaking[:1] if a.result.summary)
    text = plain(truncate(f"{incident.cause.subject}: {said or 'counts of the last days'}", 250))
    row = tray.row(post, [incident], Message(text, "", text), key_of("chart", incident.id))
    ids = tuple(alert.id for alert in speaking)
    tray.rows.append(replace(row, action=Action.CHART, alert_ids=ids[:_ALERTS_PER_ROW]))


def _mark(incident: Incident, role: Role) -> str:
    """What is told of an incident by a new message, where none can be edited."""
    facts = [str(incident.open), str(incident.reopened)]
    if role in MAIN:
        told = incident.told_severity
        facts += ["" if told is None else told.value, str(incident.reminded_at)]
    return key_of("mark", *facts)[:8]


def _shown_marks(marks: Iterable[tuple[Entry, str]]) -> str:
    return _MARKS + ",".join(f"{entry.incident_id}={mark}" for entry, mark in marks)


def _marks_of(post: Post) -> dict[str, str]:
    if not post.shown.startswith(_MARKS):
        return {}
    pairs = (each.partition("=") for each in post.shown.removeprefix(_MARKS).split(","))
    return {incident_id: mark for incident_id, _, mark in pairs}


def _worst_first(wanted: _Wanted) -> tuple[object, ...]:
    incident = wanted.story.incident
    return (
        _ORDER.index(wanted.who.role),
        -rank(incident.severity),
        incident.began_at,
        incident.id,
    )
