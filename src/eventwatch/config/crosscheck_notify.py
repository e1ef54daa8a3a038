"""Teams, windows and buttons of the config held against contracts and each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from eventwatch.alerting.routing import Directory, usable_channel, usable_group
from eventwatch.config.fields_notify import EVERY_TEAM
from eventwatch.model.contract import Catalog
from eventwatch.model.errors import Fault
from eventwatch.model.names import nearest, team_key
from eventwatch.model.settings import Maintenance
from eventwatch.model.status import KindName

if TYPE_CHECKING:
    from eventwatch.config.load import Loaded


def unknown_team(team: str, known: Sequence[str]) -> str:
    """What to say of a team that nobody declared."""
    close = nearest(team, known, limit=1)
    if close:
        return f"there is no team {team!r}; did you mean {close[0]}?"
    return (
        f"there is no team {team!r}; add it to teams in config.yaml or to the contracts' team enum"
    )


def apprise_teams(loaded: Loaded, known: Sequence[str]) -> Iterator[Fault]:
    """Faults: teams with Apprise URLs that nobody declared."""
    apprise = loaded.settings.notify.apprise
    for team in () if apprise is None else apprise.urls:
        if team != EVERY_TEAM and team not in known:
            key = ("notify", "apprise", "urls", team)
            yield loaded.fault(key, unknown_team(team, known))


def windows(loaded: Loaded, catalog: Catalog, known: Sequence[str]) -> Iterator[Fault]:
    """Warnings: filters of maintenance windows that match nothing."""
    exposures = loaded.settings.exposures
    names = {
        "event_type": ("declared event type", list(catalog.contracts)),
        "exposure": ("exposure", [e.name for e in exposures]),
        "kind": ("kind of check", [kind.value for kind in KindName]),
        "team": ("team", known),
        "dimension": (
            "watched dimension",
            sorted({d.name for e in exposures for d in e.dimensions}),
        ),
    }
    for i, window in enumerate(loaded.settings.maintenance):
        for name, (what, there) in names.items():
            pattern: str = getattr(window, name)
            if pattern and not any(fnmatchcase(each, pattern) for each in there):
                yield loaded.fault(("maintenance", i, name), _nothing(pattern, what, there))
        if not _filtered(window) and window.weekdays == tuple(range(7)):
            yield loaded.fault(
                ("maintenance", i), "mutes everything, every day; name an exposure or a team in it"
            )


def escalation(loaded: Loaded, directory: Directory) -> Iterator[Fault]:
    """Warnings: teams that would be escalated to and cannot be told."""
    for team in loaded.settings.teams.values():
        boss = directory.team(team.escalate_to) if team.escalate_to else None
        key = next((k for k in loaded.lines if _is_escalate_to(k, team.key)), ("teams",))
        if team.escalate_to == team.key:
            yield loaded.fault(key, "names the team itself, so nobody else is told")
        elif boss is not None and not usable_channel(boss.slack_channel):
            yield loaded.fault(
                key,
                f"the team {boss.key} has no Slack channel, so the fallback team is told instead; "
                f"set teams.{boss.key}.slack_channel",
            )


def buttons(loaded: Loaded, directory: Directory) -> Iterator[Fault]:
    """Warnings: buttons that hardly anybody may press."""
    slack = loaded.settings.notify.slack
    if slack is None or slack.app_token is None or slack.button_groups:
        return
    fallback = directory.team(loaded.settings.notify.fallback_team)
    if fallback is not None and not usable_group(fallback.slack_group_id):
        yield loaded.fault(
            ("notify", "slack", "app_token"),
            "only the group of an incident's owner may press its buttons, because the fallback team "
            f"has none; set button_groups here, or teams.{fallback.key}.slack_group_id",
        )


def _is_escalate_to(key: tuple[str | int, ...], team: str) -> bool:
    return (
        len(key) == 3
        and key[0] == "teams"
        and key[2] == "escalate_to"
        and team_key(str(key[1])) == team
    )


def _filtered(window: Maintenance) -> bool:
    return any(
        (
            window.event_type,
            window.exposure,
            window.kind,
            window.team,
            window.dimension,
        )
    )


def _nothing(pattern: str, what: str, there: Sequence[str]) -> str:
    close = nearest(pattern.strip("*"), there, limit=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{pattern!r} matches no {what}{meant}"
