"""The state of the telling step in memory: what a step changes becomes what the next one reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from eventwatch.model.alert import Action, DeliveryState
from eventwatch.model.incident import Board, Changes

REMEMBERED = timedelta(days=7)
"""How long resolved incidents stay on the board."""


def applied(board: Board, changes: Changes, now: datetime) -> Board:
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
        incidents=tuple(
            i
            for i in incidents.values()
            if i.resolved_at is None or now - i.resolved_at < REMEMBERED
        ),
        posts=tuple(p for p in posts.values() if p.closed_at is None),
        silences=tuple(s for s in board.silences if s.id not in changes.silences_told),
        moments=tuple(m for m in board.moments if m.id not in told),
        last_posts=last,
        hidden=hidden,
        digests={**board.digests, **changes.digests},
    )
