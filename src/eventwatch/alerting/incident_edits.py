"""What becomes of a message that is there: its edits, its thread, its end; and what is not sent.

A message is edited at once where it says something else by now, and once in a while where only numbers
moved. Its thread says what happened, to those who answer for it; everybody else's line is only edited.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from eventwatch.alerting import incident_words as words
from eventwatch.alerting import live
from eventwatch.alerting.causes_own import key_of
from eventwatch.alerting.incident_posts import MAIN, Tray, place
from eventwatch.alerting.incident_story import Story
from eventwatch.alerting.live import Shown
from eventwatch.model.alert import Action
from eventwatch.model.incident import Incident, Moment, MomentKind, Post, Recipient
from eventwatch.ports.notifier import WEBHOOK_CHANNEL

REPLIES_PER_POST = 10
"""A message about many incidents says of so many at once what happened; it shows the others'."""
TOO_MANY = f"more than {REPLIES_PER_POST} changes at once: the message itself shows them"
BEST_EFFORT = "best effort: it goes into the daily digest"
_NOT_REPLIED = frozenset((MomentKind.OPENED,))
_LOUD = frozenset((MomentKind.RESOLVED, MomentKind.REOPENED))


def edit_posts(tray: Tray, stories: Mapping[str, Story]) -> None:
    """Edits and threads of the posts that were there before this step."""
    for post in tray.board.posts:
        if post.entries and not post.dead:
            if tray.office.abilities.edits:
                _edit(tray, post, stories)
            if tray.office.abilities.threads:
                _thread(tray, post, stories)


def close_posts(tray: Tray, stories: Mapping[str, Story]) -> None:
    """Ends the posts in which nothing can change any more."""
    within = tray.office.notify.incidents.reopen_within
    for post in tray.board.posts:
        incidents = [
            stories[e.incident_id].incident for e in post.entries if e.incident_id in stories
        ]
        over = all(
            not i.open and i.resolved_at is not None and tray.now - i.resolved_at >= within
            for i in incidents
        )
        if post.entries and over:
            known = tray.posts.get(post.id, post)
            tray.posts[post.id] = replace(known, closed_at=tray.now)


def withheld(tray: Tray, story: Story) -> None:
    """Rows for what nobody was told of an incident in this step, with the reason."""
    incident, kinds = story.incident, {m.kind for m in story.new}
    held = story.held
    if held is not None and MomentKind.MUTED in kinds and incident.told_at is None:
        for who in (incident.owner, *incident.others):
            _not_posted(tray, story, who, incident.muted_because, held.id)
    if held is not None and incident.told_at is not None and not tray.office.abilities.threads:
        loud = [m for m in story.new if m.kind in _LOUD]
        if loud:
            _not_posted(tray, story, incident.owner, incident.muted_because, loud[0].id)
    if story.best_effort and held is None and _begins(kinds):
        _not_posted(tray, story, incident.owner, BEST_EFFORT, "best effort")
    if story.free and MomentKind.RESOLVED in kinds and incident.told_at is None:
        _not_posted(tray, story, incident.owner, words.OVERTAKEN, "overtaken")
    if any(m.explained for m in incident.members) and not _explained_before(story):
        reason = f"explained by {incident.cause.subject}"
        _not_posted(tray, story, incident.owner, reason, "explained")


def webhook(tray: Tray, story: Story) -> None:
    """A document of everything that happened to an incident, for the webhook of the user's own."""
    if tray.office.notify.webhook is None or not story.moments or story.held is not None:
        return
    incident = story.incident
    row = tray.row(
        Post("", WEBHOOK_CHANNEL, incident.owner.team, (), tray.now),
        [incident],
        live.live([story.seen_by(incident.owner)], tray.office, tray.now),
        key_of("webhook", *(m.id for m in story.moments)),
    )
    tray.rows.append(row)


def _edit(tray: Tray, post: Post, stories: Mapping[str, Story]) -> None:
    views = _views(post, stories)
    if not views:
        return
    essence = live.essence(views, tray.office)
    count, _, before = post.shown.partition(":")
    running = any(v.incident.open and v.incident.good_since is None for v in views)
    # Either way: a clock that was ahead and stepped back must not stop it.
    since = None if post.refreshed_at is None else abs(tray.now - post.refreshed_at)
    due = running and (since is None or since >= tray.office.notify.incidents.refresh)
    if essence == before and not due:
        return
    number = int(count) + 1 if count.isdecimal() else 1
    message = live.live(views, tray.office, tray.now)
    incidents = [v.incident for v in views]
    row = tray.row(post, incidents, message, key_of("update", post.id, str(number)))
    tray.rows.append(replace(row, action=Action.UPDATE))
    tray.posts[post.id] = replace(post, shown=f"{number}:{essence}", refreshed_at=tray.now)


def _thread(tray: Tray, post: Post, stories: Mapping[str, Story]) -> None:
    talked = 0
    for entry in post.entries:
        story = stories.get(entry.incident_id)
        if story is None or entry.role not in MAIN:
            continue
        moments = [m for m in story.moments if m.kind not in _NOT_REPLIED]
        loud = [m for m in moments if _is_told(m, story)]
        quiet = [m for m in moments if not _is_told(m, story)]
        if loud:
            talked += 1
            _reply(tray, post, story, loud, "" if talked <= REPLIES_PER_POST else TOO_MANY)
        if quiet:
            _reply(tray, post, story, quiet, story.incident.muted_because)


def _is_told(moment: Moment, story: Story) -> bool:
    """Of what is muted, that it is, and what people themselves did."""
    return story.held is None or bool(moment.author) or moment.kind is MomentKind.MUTED


def _reply(
    tray: Tray, post: Post, story: Story, moments: Sequence[Moment], withheld_because: str
) -> None:
    view = story.seen_by(_recipient(post, story.incident))
    message = live.reply(view, moments, tray.office, tray.now)
    key = key_of("reply", post.id, *(m.id for m in moments))
    row = replace(tray.row(post, [story.incident], message, key), action=Action.REPLY)
    if withheld_because:
        tray.withhold(row, withheld_because)
    else:
        tray.rows.append(row)


def _views(post: Post, stories: Mapping[str, Story]) -> list[Shown]:
    return [
        story.seen_by(replace(_recipient(post, story.incident), role=entry.role))
        for entry in post.entries
        if (story := stories.get(entry.incident_id)) is not None
    ]


def _recipient(post: Post, incident: Incident) -> Recipient:
    """For whom the post is; one that was refused stands on the fallback route."""
    for who in (incident.owner, *incident.others):
        if place(who.channel, who.team) == post.id[-8:]:
            if (who.channel, who.team) == (post.channel, post.team):
                return who
            return replace(who, channel=post.channel, team=post.team, is_fallback=True)
    return replace(incident.owner, channel=post.channel, team=post.team)


def _not_posted(tray: Tray, story: Story, who: Recipient, reason: str, mark: str) -> None:
    incident = story.incident
    row = tray.row(
        Post("", who.channel, who.team, (), tray.now),
        [incident],
        live.live([story.seen_by(who)], tray.office, tray.now),
        key_of("withheld", incident.id, str(incident.reopened), mark, who.channel, who.team),
    )
    if mark == "explained":
        ids = tuple(m.alert_id for m in incident.members if m.explained)
        row = replace(row, alert_ids=ids[:200])
    tray.withhold(row, reason)


def _begins(kinds: set[MomentKind]) -> bool:
    return bool(kinds & {MomentKind.OPENED, MomentKind.REOPENED})


def _explained_before(story: Story) -> bool:
    before = story.before
    return (
        before is not None
        and before.reopened == story.incident.reopened
        and any(member.explained for member in before.members)
    )
