"""The telling step: what alerts, people's words and the passing of time do to incidents and posts.

In this order: alerts are grouped by cause and each incident is followed; what holds it back is found,
reminders and escalations fall due; messages that are there are edited, new ones are made; what was not
sent is recorded. Every key is made of what happened, never of when or by whom it was noticed, so a
step that is done twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from eventwatch.alerting import incident_edits as edits
from eventwatch.alerting.incident_group import follow
from eventwatch.alerting.incident_mute import holding
from eventwatch.alerting.incident_notices import notices
from eventwatch.alerting.incident_posts import Tray, adopt, new_posts
from eventwatch.alerting.incident_story import Story, stories
from eventwatch.alerting.office import Office
from eventwatch.model.incident import Board, Changes


def conduct(board: Board, office: Office, now: datetime) -> Changes:
    """Everything that is to be remembered and said. Pure; with its changes applied, a second call at
    the same instant changes nothing."""
    active = holding(board, office, now)
    told = {
        s.incident.id: s for s in stories(board, office, follow(board, office, now), active, now)
    }
    tray = Tray(board, office, now)
    edits.edit_posts(tray, told)
    adopt(tray, told)
    for incident_id, incident in new_posts(tray, told).items():
        told[incident_id] = replace(told[incident_id], incident=incident)
    for story in told.values():
        edits.withheld(tray, story)
        edits.webhook(tray, story)
    said = notices(tray, told)
    edits.close_posts(tray, told)
    before = {post.id: post for post in board.posts}
    return Changes(
        incidents=tuple(s.incident for s in told.values() if s.before != s.incident),
        moments=tuple(moment for s in told.values() for moment in s.new),
        moments_told=tuple(moment.id for moment in board.moments),
        posts=tuple(post for post in tray.posts.values() if before.get(post.id) != post),
        deliveries=tuple(tray.rows),
        silences_told=said.silences,
        hidden=_hidden(told.values()),
        digests=said.digests,
    )


def _hidden(told: Iterable[Story]) -> dict[str, tuple[str, ...]]:
    """What each silence began to hold back in this step."""
    found: dict[str, tuple[str, ...]] = {}
    for story in told:
        held, before = story.held, story.before
        if held is not None and (before is None or before.muted_by != held.id):
            found[held.id] = (*found.get(held.id, ()), story.incident.id)
    return found
