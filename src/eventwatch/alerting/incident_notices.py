"""Messages that are about many incidents and show none live: what a silence hid, and daily digests.

They keep to the flush window as everything does, behind the posts of incidents. Which of several
channels heard one already is known by its posts, which stay open until all of them did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from eventwatch.alerting import incident_people as people
from eventwatch.alerting import live
from eventwatch.alerting.causes_own import key_of
from eventwatch.alerting.incident_mute import ended
from eventwatch.alerting.incident_posts import Tray, place
from eventwatch.alerting.incident_story import Story
from eventwatch.alerting.live import Shown
from eventwatch.model.alert import Message
from eventwatch.model.incident import Post
from eventwatch.model.settings import DigestSettings

BEST_EFFORT = "best_effort"
BROKEN = "broken"
TITLES = {BEST_EFFORT: "Best effort, in the last day", BROKEN: "Broken now"}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Notices:
    """What was said to everybody by now."""

    silences: tuple[str, ...]
    digests: Mapping[str, datetime]


@dataclass(frozen=True)
class _Notice:
    """One message to one channel."""

    post_id: str
    channel: str
    team: str
    message: Message
    shown: tuple[Shown, ...]


def notices(tray: Tray, stories: Mapping[str, Story]) -> Notices:
    """Says what can be said now, and tells which are said whole."""
    in_work: set[str] = set()
    silences = []
    for silence in ended(tray.board, tray.office, tray.now):
        hidden = [stories[i] for i in tray.board.hidden.get(silence.id, ()) if i in stories]
        made = [
            _notice(
                ("silence over", silence.id),
                views,
                live.silence_over(silence, views, tray.office, tray.now),
            )
            for views in _by_owner(hidden)
        ]
        if _said(tray, made, in_work):
            silences.append(silence.id)
    digests: dict[str, datetime] = {}
    for name, day in _due(tray, digests):
        wanted = [s for s in stories.values() if _belongs(name, s, tray)]
        made = [
            _notice(
                ("daily", name, day),
                views,
                live.daily(TITLES[name], views, tray.office, tray.now),
            )
            for views in _by_owner(wanted)
        ]
        if _said(tray, made, in_work):
            digests[name] = tray.now
    for post in tray.board.posts:
        # What is dated later than now is of a clock that stepped back, and may be in work again.
        if not post.entries and post.id not in in_work and post.created_at <= tray.now:
            tray.posts[post.id] = replace(post, closed_at=tray.now)
    return Notices(tuple(silences), digests)


def _notice(what: tuple[str, ...], views: tuple[Shown, ...], message: Message) -> _Notice:
    owner = views[0].incident.owner
    at = place(owner.channel, owner.team)
    post_id = key_of("notice", *what, owner.channel, owner.team)[:24] + at
    return _Notice(post_id, owner.channel, owner.team, message, views)


def _said(tray: Tray, made: Iterable[_Notice], in_work: set[str]) -> bool:
    """Says those whose channel is free. Whether all of them are said; then their posts are closed."""
    known = {post.id: post for post in tray.board.posts}
    whole, posts = True, []
    for notice in made:
        post = known.get(notice.post_id)
        if post is None and not tray.free(notice.channel, notice.team):
            whole = False
            continue
        if post is None:
            post = Post(
                notice.post_id, notice.channel, notice.team, (), tray.now, refreshed_at=tray.now
            )
            tray.post(post, notice.message, [view.incident for view in notice.shown][:200])
        posts.append(post)
    in_work.update(post.id for post in posts)
    for post in posts if whole else ():
        tray.posts[post.id] = replace(post, closed_at=tray.now)
    return whole


def _due(tray: Tray, made: dict[str, datetime]) -> list[tuple[str, str]]:
    """The daily digests whose time has come since they were made last, and of which day they are. One
    that was never made begins with the next time."""
    settings = tray.office.notify.digest
    today = _day(tray.now, settings)
    found = []
    for name in [BEST_EFFORT, *([BROKEN] if settings.broken else [])]:
        last = tray.board.digests.get(name)
        # A clock that was years ahead must not stop it for years.
        if last is None or last - tray.now > _DAY:
            made[name] = tray.now
        elif _day(last, settings) < today:
            found.append((name, today.isoformat()))
    return found


def _day(at: datetime, settings: DigestSettings) -> date:
    """The local day whose digest is the latest at an instant. A time that the clock skips comes with
    the hour after it; one that comes twice counts once, since days are compared."""
    local = at.astimezone(settings.time_zone)
    return local.date() if local.time() >= settings.at else local.date() - _DAY


def _belongs(name: str, story: Story, tray: Tray) -> bool:
    incident = story.incident
    if incident.muted_by:
        return False
    if name == BROKEN:
        return incident.open
    ended_at = incident.resolved_at or datetime.min.replace(tzinfo=UTC)
    recent = incident.open or tray.now - ended_at < _DAY
    return recent and incident.told_at is None and people.best_effort(story.alerts, tray.office)


def _by_owner(stories: Iterable[Story]) -> list[tuple[Shown, ...]]:
    """What each owner's channel is told of."""
    groups: dict[tuple[str, str], list[Shown]] = {}
    for story in stories:
        owner = story.incident.owner
        groups.setdefault((owner.channel, owner.team), []).append(story.seen_by(owner))
    return [tuple(views) for _, views in sorted(groups.items())]
