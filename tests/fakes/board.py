"""The store of the telling step, in memory: what a step changes becomes what the next one reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from eventwatch.model.alert import Action, Alert, Delivery, DeliveryState
from eventwatch.model.incident import Board, Changes

EMPTY = Board({}, (), (), ())


def with_alerts(board: Board, alerts: Iterable[Alert]) -> Board:
    """The board after a cycle wrote these alerts, open and closed ones."""
    return replace(board, alerts={**board.alerts, **{a.id: a for a in alerts}})


def apply(board: Board, changes: Changes) -> Board:
    """The board that the next step reads."""
    incidents = {i.id: i for i in board.incidents} | {i.id: i for i in changes.incidents}
    posts = {p.id: p for p in board.posts} | {p.id: p for p in changes.posts}
    last = dict(board.last_posts)
    for delivery in changes.deliveries:
        if delivery.action is Action.POST and delivery.state is not DeliveryState.WITHHELD:
            last[delivery.channel, delivery.team] = delivery.created_at
    hidden = {k: tuple(v) for k, v in board.hidden.items()}
    for silence, ids in changes.hidden.items():
        hidden[silence] = tuple(dict.fromkeys((*hidden.get(silence, ()), *ids)))
    told = set(changes.moments_told)
    return replace(
        board,
        incidents=tuple(incidents.values()),
        posts=tuple(p for p in posts.values() if p.closed_at is None),
        silences=tuple(s for s in board.silences if s.id not in changes.silences_told),
        moments=tuple(m for m in board.moments if m.id not in told),
        last_posts=last,
        hidden=hidden,
        digests={**board.digests, **changes.digests},
    )


class Outbox:
    """The rows that steps made; a key that is known is not made again."""

    def __init__(self) -> None:
        self.rows: dict[str, Delivery] = {}

    def add(self, changes: Changes) -> list[Delivery]:
        """The new ones."""
        new = [d for d in changes.deliveries if d.key not in self.rows]
        self.rows.update({d.key: d for d in new})
        return new

    def posts(self, since: datetime | None = None) -> list[Delivery]:
        """New messages, without those that were held back."""
        return [
            d
            for d in self.rows.values()
            if d.action is Action.POST
            and d.state is not DeliveryState.WITHHELD
            and (since is None or d.created_at >= since)
        ]
