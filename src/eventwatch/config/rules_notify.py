"""Rules on ``notify`` and ``maintenance`` that involve more than one setting. Like ``rules``, they
look at what was written, so that a setting that is wrong in itself is still seen as given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from eventwatch.config.document_notify import MaintenanceSection
from eventwatch.config.records_notify import local_instant
from eventwatch.config.tree import Key, Tree
from eventwatch.model.errors import Fault
from eventwatch.model.names import team_key

LONGEST_WINDOW = timedelta(days=90)
_SLACK: Key = ("notify", "slack")


def notify(tree: Tree) -> Iterator[Fault]:
    """Faults of notify as a whole."""
    slack = tree.at(_SLACK)
    if isinstance(slack, dict):
        given = _given(slack)
        if not {"token", "webhook_url"} & given:
            yield tree.fault(
                _SLACK,
                "set token or webhook_url; without Slack leave the section out, and messages are "
                "printed",
            )
        if {"token", "webhook_url"} <= given:
            yield tree.fault((*_SLACK, "webhook_url"), "set either token or webhook_url")
        if "app_token" in given and "token" not in given:
            yield tree.fault(
                (*_SLACK, "app_token"),
                "buttons also need token: a webhook's messages cannot have any",
            )
    yield from _apprise_teams(tree)


def _apprise_teams(tree: Tree) -> Iterator[Fault]:
    key: Key = ("notify", "apprise", "urls")
    urls = tree.at(key)
    seen: dict[str, str] = {}
    for name in urls if isinstance(urls, dict) else ():
        team = team_key(name)
        if team in seen:
            yield tree.fault((*key, name), f"is the same team as {seen[team]!r} above")
        seen.setdefault(team, name)


def maintenance(tree: Tree, key: Key, section: MaintenanceSection) -> Iterator[Fault]:
    """Faults of one window as a whole."""
    given = _given(tree.at(key))
    once, weekly = {"from", "to"} & given, {"from_time", "to_time"} & given
    if once and (weekly or "weekdays" in given):
        yield tree.fault(
            key, "set either from and to (once) or from_time and to_time (every week), not both"
        )
    elif not once and not weekly:
        yield tree.fault(
            key, "says no time: set from and to (once), or from_time and to_time (every week)"
        )
    elif len(once) == 1 or len(weekly) == 1:
        (there,) = once or weekly
        missing = {"from": "to", "to": "from", "from_time": "to_time", "to_time": "from_time"}
        yield tree.fault(key, f"{missing[there]} is missing beside {there}")
    yield from _order(tree, key, section)
    if "value" in given and "dimension" not in given:
        yield tree.fault((*key, "value"), "needs dimension beside it: whose value it is")
    days = section.weekdays
    for i, day in enumerate(days):
        if day in days[:i]:
            yield tree.fault((*key, "weekdays", i), "stands twice in the list")


def _order(tree: Tree, key: Key, section: MaintenanceSection) -> Iterator[Fault]:
    if section.from_ is not None and section.to is not None:
        zone = ZoneInfo(section.time_zone)
        starts_at, ends_at = local_instant(section.from_, zone), local_instant(section.to, zone)
        if ends_at <= starts_at:
            yield tree.fault((*key, "to"), "must be later than from")
        elif ends_at - starts_at > LONGEST_WINDOW:
            yield tree.fault(
                (*key, "to"),
                "is more than 90 days after from; what is never to be told belongs into the contract "
                "(suppressions) or into checks/ (enabled: false)",
            )
    if section.from_time is not None and section.from_time == section.to_time:
        yield tree.fault((*key, "to_time"), "is the same as from_time, so the window is empty")


def warnings(tree: Tree) -> Iterator[Fault]:
    """Secrets that stand in the file itself, and settings without effect."""
    secrets: list[Key] = [(*_SLACK, name) for name in ("token", "webhook_url", "app_token")]
    secrets.append(("notify", "webhook", "secret"))
    urls: Key = ("notify", "apprise", "urls")
    written = tree.at(urls)
    for team, value in written.items() if isinstance(written, dict) else ():
        if isinstance(value, list):
            secrets.extend((*urls, team, i) for i in range(len(value)))
        else:
            secrets.append((*urls, team))
    for key in secrets:
        if tree.at(key) and key not in tree.written:
            yield tree.fault(
                key,
                "a secret stands in the file; put it into an environment variable "
                "and write ${NAME}, or into a file and write ${file:PATH}",
            )
    slack = tree.at(_SLACK)
    if isinstance(slack, dict) and slack.get("button_groups") and not slack.get("app_token"):
        yield tree.fault(
            (*_SLACK, "button_groups"),
            "has no effect: without app_token messages have no buttons",
        )


def _given(section: Any) -> set[str]:
    if not isinstance(section, dict):
        return set()
    return {name for name, value in section.items() if value is not None}
