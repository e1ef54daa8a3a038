"""The store of the telling step, in memory: what a step changes becomes what the next one reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from eventwatch.model.alert import Action, Alert, Delivery, DeliveryState
from eventwatch.model.incident import Board, Changes, Incident, Moment

EMPTY = Board({}, (), (), ())


def with_alerts(board: Board, alerts: Iterable[Alert]) -> Board:
    """The board after a cycle wrote these alerts, open and closed ones."""
    return replace(board, alerts={**board.alerts, **{a.id: a for a in alerts}})


def with_incident(board: Board, incident: Incident, *moments: Moment) -> Board:
    """The board after a person changed an incident."""
    others = tuple(i for i in board.incidents if i.id != incident.id)
    return replace(board, incidents=(*others, incident), moments=(*board.moments, *moments))


def apply(board: Board, changes: Changes) -> Board:
    """The board that the next step reads."""
    incidents = {i.id: i for i in board.incidents} | {i.id: i for i in changes.incidents}
    posts = {p.id: p for p in board.posts} | {p.id: p for p in changes.posts}
    known = {p.id for p in board.posts}
    last = dict(board.last_posts)
    for post in changes.posts:
        if post.id not in known:
            last[post.channel, post.team] = post.created_at
    hidden = {k: tuple(v) for k, v in board.hidden.items()}
    for silence, ids in changes.hidden.items():
        hidden[silence] = tuple(dict.fromkeys((*hidden.get(silence, ()), *ids)))
    told, over = set(changes.moments_told), set(changes.silences_told)
    return replace(
        board,
        incidents=tuple(incidents.values()),
        posts=tuple(p for p in posts.values() if p.closed_at is None),
        silences=tuple(s for s in board.silences if s.id not in over),
        moments=tuple(m for m in board.moments if m.id not in told),
        last_posts=last,
        hidden={k: v for k, v in hidden.items() if k not in over},
        digests={**board.digests, **changes.digests},
    )


@dataclass
class Rows:
    """The outbox: a key that is known is not made again."""

    by_key: dict[str, Delivery] = field(default_factory=dict)

    def add(self, changes: Changes) -> list[Delivery]:
        """The new ones."""
        new = [d for d in changes.deliveries if d.key not in self.by_key]
        self.by_key.update({d.key: d for d in new})
        return new

    def of(
        self, action: Action, *, withheld: bool = False, since: datetime | None = None
    ) -> list[Delivery]:
        """Rows of an action, in the order in which they were made."""
        return [
            d
            for d in self.by_key.values()
            if d.action is action
            and (d.state is DeliveryState.WITHHELD) == withheld
            and (since is None or d.created_at >= since)
        ]


def refused(board: Board, post_id: str, channel: str, team: str) -> Board:
    """The board after a message was refused for good and its post moved to the fallback route."""
    moved = [replace(p, channel=channel, team=team) if p.id == post_id else p for p in board.posts]
    return replace(board, posts=tuple(moved))


def dead(board: Board, post_id: str) -> Board:
    """The board after a message was refused everywhere."""
    ended = [replace(p, dead=True) if p.id == post_id else p for p in board.posts]
    return replace(board, posts=tuple(ended))
