"""Who is told: from a result to a team and its channel.

Nothing is ever unrouted. Whatever has no owner, no known team or no usable channel goes to the
fallback team, and ``Route.reason`` says why and what would change that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cached_property

from eventwatch.alerting.escape import truncate
from eventwatch.alerting.route import Route
from eventwatch.model.contract import Contract, Owner, Team
from eventwatch.model.result import Result
from eventwatch.model.settings import Exposure
from eventwatch.model.status import Status

_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{8,20}")
_CHANNEL_NAME = re.compile(r"#[\w-]{1,80}")
_GROUP_ID = re.compile(r"S[A-Z0-9]{8,20}")


@dataclass(frozen=True)
class Directory:
    """Every team that is known: the contracts' enum, overridden and completed by the config."""

    catalog_teams: Mapping[str, Team]
    config_teams: Mapping[str, Team]
    fallback_team: str

    def team(self, key: str) -> Team | None:
        """One team; what config.yaml says of it wins field by field. None: nobody knows it."""
        declared, configured = self.catalog_teams.get(key), self.config_teams.get(key)
        if declared is None or configured is None:
            return declared if configured is None else configured
        return Team(
            **{
                f.name: getattr(configured, f.name) or getattr(declared, f.name)
                for f in fields(Team)
            }
        )

    @cached_property
    def fallback(self) -> Route:
        """Where everything goes that has nowhere to go. Its channel is empty only where the config
        names none: then only standard output can say it."""
        team = self.team(self.fallback_team)
        channel = "" if team is None else usable_channel(team.slack_channel)
        group = "" if team is None else usable_group(team.slack_group_id)
        return Route(self.fallback_team, channel, group, "fallback team", is_fallback=True)

    def known(self) -> list[str]:
        """Every team key, sorted."""
        return sorted(self.catalog_teams.keys() | self.config_teams.keys())


def usable_channel(channel: str) -> str:
    """The channel if it is ``#name`` or a channel id, else the empty string: never a URL, a user or
    a direct message."""
    name = _CHANNEL_NAME.fullmatch(channel) and channel == channel.lower()
    return channel if name or _CHANNEL_ID.fullmatch(channel) else ""


def usable_group(group_id: str) -> str:
    """The id of a user group, else the empty string: nobody is mentioned by a name."""
    return group_id if _GROUP_ID.fullmatch(group_id) else ""


def route(
    result: Result, contract: Contract | None, exposure: Exposure, directory: Directory
) -> Route:
    """Where a result goes. ``contract`` is that of its event type; None: nobody declared it."""
    if result.status is Status.ERROR:
        return fallback(directory, "eventwatch's own trouble goes to its operators")
    if result.runs_to:
        return route_to(result.runs_to, directory, "the check names this team")
    if result.event_type is None:
        return _of_exposure(result, exposure, directory)
    if contract is None:
        return fallback(
            directory,
            "no contract declares this event type; to send it to its team, declare it with "
            "owner.team in the contracts",
        )
    return route_to_owner(contract, directory)


def _of_exposure(result: Result, exposure: Exposure, directory: Directory) -> Route:
    if result.cut is not None:
        for dimension in exposure.dimensions:
            team = dimension.owners.get(result.cut.value)
            if dimension.name == result.cut.dimension and team:
                return route_to(team, directory, f"owner of this {dimension.name} in the config")
    if exposure.owner:
        return route_to(exposure.owner, directory, "owner of the exposure in the config")
    return fallback(
        directory,
        f"nobody owns the exposure; set exposures.{exposure.name}.owner in the config",
    )


def route_to_owner(contract: Contract, directory: Directory) -> Route:
    """Where the owner that a contract names is reached."""
    owner: Owner = contract.owner
    own_channel = usable_channel(owner.slack_channel)
    if not owner.team:
        if own_channel:
            reason = "channel named in the contract, which names no team; set owner.team"
            return Route("", own_channel, "", reason)
        return fallback(
            directory,
            f"the contract names no owner; set owner.team of {_short(contract.message_name)} "
            f"in {contract.location}",
        )
    team = directory.team(owner.team)
    if own_channel:
        group = "" if team is None else usable_group(team.slack_group_id)
        return Route(owner.team, own_channel, group, "owner and channel named in the contract")
    return route_to(owner.team, directory, "owner named in the contract")


def route_to(key: str, directory: Directory, reason: str) -> Route:
    """Where a team is reached; the fallback where nobody declared it or it has no usable channel."""
    team = directory.team(key)
    if team is None:
        close = get_close_matches(key[:80], [k[:80] for k in directory.known()], n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        return fallback(
            directory,
            f"the owner is {_short(key)}, a team that nobody declared{meant}; add it to the "
            "team enum of the contracts or to teams in the config",
        )
    channel = usable_channel(team.slack_channel)
    if not channel:
        fault = "no Slack channel" if not team.slack_channel else "a Slack channel of no known form"
        return fallback(
            directory,
            f"the owner is {_short(key)}, a team with {fault}; set teams.{_short(key)}."
            'slack_channel in the config to "#name" or a channel id',
        )
    return Route(key, channel, usable_group(team.slack_group_id), reason)


def fallback(directory: Directory, reason: str) -> Route:
    """The fallback team; ``reason`` says what would send it elsewhere the next time."""
    found = directory.fallback
    return Route(found.team, found.channel, found.group_id, reason, is_fallback=True)


def _short(name: str) -> str:
    return truncate(name, 60)
