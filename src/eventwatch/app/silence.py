"""What is muted, was, or will be: silences of people, and the maintenance windows of the config."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch.alerting.silence import MAINTENANCE, maintenance_next, maintenance_silences
from eventwatch.app.feedback import Unclear
from eventwatch.model.alert import Silence
from eventwatch.model.incident import Incident
from eventwatch.model.settings import Maintenance
from eventwatch.ports.store import StateReader, Store

LONGEST = timedelta(days=90)
"""What is to be muted for longer belongs into the contract or into checks/."""
SAME = timedelta(minutes=30)
"""A silence that ends no earlier than this before the one asked for is that one."""
MOST = 5
"""Incidents of one silence that are looked up."""
SHORTEST = 4
"""Characters of an id that are enough where they fit one."""


@dataclass(frozen=True)
class Muting:
    """One silence, or one opening of a maintenance window, and what it held back."""

    silence: Silence
    hid: tuple[Incident, ...]
    """Incidents that were not told because of it, as far as they are remembered."""
    hid_count: int
    """All of them."""

    @property
    def is_planned(self) -> bool:
        """Whether it is a maintenance window of the config: it cannot be ended by hand."""
        return self.silence.id.startswith(MAINTENANCE)

    def state(self, now: datetime) -> str:
        """``muted``, ``to come`` or ``ended``."""
        if now < self.silence.starts_at:
            return "to come"
        return "muted" if now < self.silence.ends_at else "ended"


def listed(
    reader: StateReader | None,
    windows: Sequence[Maintenance],
    now: datetime,
    *,
    ended_since: datetime | None = None,
) -> tuple[Muting, ...]:
    """What mutes now, the first to end first; the next opening of each window that is closed; and what
    ended since an instant, if one is given, the latest first."""
    known = () if reader is None else reader.silences(now, ended_since=ended_since)
    open_now = (*(s for s in known if s.ends_at > now), *maintenance_silences(windows, now))
    over = [s for s in known if s.ends_at <= now]
    rows = (
        *sorted(open_now, key=lambda s: (s.ends_at, s.id)),
        *maintenance_next(windows, now),
        *over,
    )
    if reader is None:
        return tuple(Muting(s, (), 0) for s in rows)
    hidden = reader.hidden_by([s.id for s in rows])
    return tuple(
        Muting(s, _incidents(reader, hidden.get(s.id, ())), len(hidden.get(s.id, ()))) for s in rows
    )


def _incidents(reader: StateReader, ids: Sequence[str]) -> tuple[Incident, ...]:
    found = (
        next((i for i in reader.incidents_like(id_) if i.id == id_), None) for id_ in ids[:MOST]
    )
    return tuple(incident for incident in found if incident is not None)


def add(store: Store, wanted: Sequence[Silence], now: datetime) -> tuple[Silence, ...]:
    """Remembers those that do not run already, and gives them with their ids."""
    running = store.silences(now)
    made = []
    for one in wanted:
        if not any(_is_same(each, one) for each in running):
            made.append(replace(one, id=secrets.token_hex(4)))
            store.add_silence(made[-1])
    return tuple(made)


def _is_same(running: Silence, wanted: Silence) -> bool:
    """Whether it mutes the same and ends about then, or later."""
    return (
        running.ends_at >= wanted.ends_at - SAME
        and running.starts_at <= wanted.starts_at
        and replace(
            running,
            id=wanted.id,
            reason=wanted.reason,
            author=wanted.author,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
        )
        == wanted
    )


def can_be_ended(beginning: str) -> str:
    """How an id begins, without what surrounds it. Raises Unclear for a maintenance window."""
    wanted = beginning.strip()
    if wanted.startswith(MAINTENANCE):
        raise Unclear(
            f"{wanted} is a maintenance window: it ends with its hours, or in config.yaml"
        )
    return wanted


def end(store: Store, beginning: str, now: datetime) -> Silence:
    """Ends the one whose id begins so. Raises Unclear with what to do instead."""
    wanted = can_be_ended(beginning)
    known = store.silences(now, ended_since=now - LONGEST)
    found = [s for s in known if s.id == wanted] or [
        s for s in known if len(wanted) >= SHORTEST and s.id.startswith(wanted)
    ]
    running = [s for s in found if s.ends_at > now]
    if len(running) > 1:
        ids = ", ".join(s.id for s in running)
        raise Unclear(f"{beginning!r} may be any of {ids}; give more of the id")
    if not running and found:
        raise Unclear(f"{found[0].id} ended already at {found[0].ends_at:%Y-%m-%d %H:%M} UTC")
    if not running or not store.end_silence(running[0].id, now):
        open_ids = ", ".join(s.id for s in known if s.ends_at > now) or "none"
        raise Unclear(f"there is no silence {beginning!r}; running: {open_ids}")
    return running[0]
