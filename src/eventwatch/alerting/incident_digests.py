"""Daily messages: best-effort trouble, and, where wanted, all that is broken, per team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from eventwatch.alerting import incident_people as people
from eventwatch.alerting import live
from eventwatch.alerting.incident_group import digest
from eventwatch.alerting.incident_posts import Story
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Delivery
from eventwatch.model.incident import Board

BEST_EFFORT = "best_effort"
BROKEN = "broken"
TITLES = {BEST_EFFORT: "Best effort, in the last day", BROKEN: "Broken now"}


@dataclass(frozen=True)
class Daily:
    """What is due now."""

    deliveries: tuple[Delivery, ...] = ()
    made: Mapping[str, datetime] = field(default_factory=dict)


def due(stories: Sequence[Story], board: Board, office: Office, now: datetime) -> Daily:
    """The digests whose time has come and that were not made on this local day."""
    settings = office.notify.digest
    local = now.astimezone(settings.time_zone)
    # A time that the clock skips comes with the hour after it, one that comes twice counts once.
    if local.time().replace(tzinfo=None) < settings.at:
        return Daily()
    names = [BEST_EFFORT] + ([BROKEN] if settings.broken else [])
    deliveries: list[Delivery] = []
    made: dict[str, datetime] = {}
    for name in names:
        last = board.digests.get(name)
        if last is not None and last.astimezone(settings.time_zone).date() >= local.date():
            continue
        groups = _by_team(name, stories, office, now)
        made[name] = now
        for (channel, team), views in sorted(groups.items()):
            deliveries.append(
                Delivery(
                    key=digest("daily", name, local.date().isoformat(), channel, team),
                    channel=channel,
                    team=team,
                    message=live.daily(TITLES[name], views, office, now),
                    alert_ids=(),
                    created_at=now,
                    incident_ids=tuple(v.incident.id for v in views)[:200],
                )
            )
    return Daily(tuple(deliveries), made)


def _by_team(
    name: str, stories: Sequence[Story], office: Office, now: datetime
) -> dict[tuple[str, str], list[Shown]]:
    groups: dict[tuple[str, str], list[Shown]] = {}
    for story in stories:
        incident = story.incident
        if not story.alerts or incident.muted_by:
            continue
        best_effort = people.best_effort(story.alerts, office)
        ended = incident.resolved_at or datetime.max.replace(tzinfo=UTC)
        recent = incident.open or now - ended < timedelta(days=1)
        wanted = best_effort and recent if name == BEST_EFFORT else incident.open
        if wanted:
            view = Shown(incident, story.alerts, incident.owner)
            groups.setdefault((incident.owner.channel, incident.owner.team), []).append(view)
    return groups
