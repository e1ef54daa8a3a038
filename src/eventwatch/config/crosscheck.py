"""Config and contracts held against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from eventwatch.alerting.routing import Directory, usable_channel
from eventwatch.config.crosscheck_notify import (
    apprise_teams,
    buttons,
    escalation,
    unknown_team,
    windows,
)
from eventwatch.kinds.definition import Check
from eventwatch.model.contract import Catalog, Contract
from eventwatch.model.errors import Fault, path_text
from eventwatch.model.names import is_misspelling, nearest

if TYPE_CHECKING:
    from eventwatch.config.load import Loaded


def cross_check(loaded: Loaded, catalog: Catalog) -> Iterator[Fault]:
    """Faults: without these being put right, somebody would not be told."""
    settings = loaded.settings
    directory = Directory(catalog.teams, settings.teams, settings.notify.fallback_team)
    known = directory.known()
    fallback = directory.team(settings.notify.fallback_team)
    key = ("notify", "fallback_team")
    if fallback is None:
        yield loaded.fault(key, unknown_team(settings.notify.fallback_team, known))
    elif not usable_channel(fallback.slack_channel):
        yield loaded.fault(
            key,
            f"the team {fallback.key} has no Slack channel; set teams.{fallback.key}.slack_channel, "
            'like "#data-platform"',
        )
    for exposure in settings.exposures:
        if exposure.owner and exposure.owner not in known:
            yield loaded.fault(
                ("exposures", exposure.name, "owner"), unknown_team(exposure.owner, known)
            )
        for i, dimension in enumerate(exposure.dimensions):
            for value, team in dimension.owners.items():
                if team not in known:
                    yield loaded.fault(
                        ("exposures", exposure.name, "dimensions", i, "owners", value),
                        unknown_team(team, known),
                    )
    for each in settings.teams.values():
        if each.escalate_to and each.escalate_to not in known:
            line = None if each.location is None else each.location.line
            message = unknown_team(each.escalate_to, known)
            yield Fault(loaded.file, line, message, f"teams.{each.key}.escalate_to")
    yield from apprise_teams(loaded, known)
    yield from _exposures_of_contracts(loaded, catalog, wrong=True)


def cross_warnings(loaded: Loaded, catalog: Catalog) -> Iterator[Fault]:
    """Likely mistakes."""
    settings = loaded.settings
    directory = Directory(catalog.teams, settings.teams, settings.notify.fallback_team)
    known = directory.known()
    yield from _exposures_of_contracts(loaded, catalog, wrong=False)
    yield from windows(loaded, catalog, known)
    yield from escalation(loaded, directory)
    yield from buttons(loaded, directory)
    for each in settings.teams.values():
        key = ("teams", each.key, "slack_channel")
        if key in loaded.lines and not each.slack_channel:
            yield loaded.fault(
                key, 'is empty: put the name in quotes, "#like-this", since # begins a comment'
            )
    for contract in catalog.contracts.values():
        team = contract.owner.team
        if team and team not in known:
            said = unknown_team(team, known) + "; until then the fallback team is told"
            yield _at(contract, loaded, said)
    watched = {d.name for e in settings.exposures for d in e.dimensions}
    for check in loaded.checks:
        yield from _patterns(
            check, "exposures", check.exposures, [e.name for e in settings.exposures]
        )
        yield from _patterns(check, "teams", check.teams, known)
        yield from _patterns(check, "events", check.events, list(catalog.contracts))
        dimensions = getattr(check, "dimensions", ("*",))
        if "dimensions" in check.model_fields_set:
            yield from _patterns(check, "dimensions", dimensions, sorted(watched))
    for exposure in settings.exposures:
        names = {d.name for d in exposure.dimensions}
        expecting: dict[str, int] = {}
        for contract in catalog.declared_in(exposure.name):
            for dimension in contract.expected_values:
                expecting[dimension] = expecting.get(dimension, 0) + 1
        for dimension, count in expecting.items():
            if dimension not in names:
                what = "1 contract names" if count == 1 else f"{count} contracts name"
                yield loaded.fault(
                    ("exposures", exposure.name, "dimensions"),
                    f"{what} values of {dimension}, which is not watched here; add {dimension} to "
                    "dimensions",
                )


def _exposures_of_contracts(loaded: Loaded, catalog: Catalog, *, wrong: bool) -> Iterator[Fault]:
    """Exposures that contracts name and the config does not have: a misspelling is a fault. Anything
    else may be an exposure that another installation watches."""
    names = [e.name for e in loaded.settings.exposures]
    for contract in catalog.contracts.values():
        for name in contract.exposures:
            if name in names:
                continue
            meant = is_misspelling(name, names)
            if wrong and meant is not None:
                yield _at(contract, loaded, f"there is no exposure {name!r}; did you mean {meant}?")
            elif not wrong and meant is None:
                some = ", ".join(names[:5])
                yield _at(
                    contract,
                    loaded,
                    f"names the exposure {name!r}, which {loaded.file} does not have (it has {some})",
                )


def _at(contract: Contract, loaded: Loaded, message: str) -> Fault:
    """At the contract as a person finds it: its path from the working directory, where files are
    read; a descriptor set only knows the paths inside."""
    at, source = contract.location, loaded.settings.contracts.source
    path = path_text(source / at.path) if source.is_dir() else at.path
    return Fault(path, at.line, message, contract.event_type)


def _patterns(
    check: Check, key: str, globs: Sequence[str], known: Sequence[str]
) -> Iterator[Fault]:
    path, _, line = check.source.rpartition(":")
    for pattern in globs:
        if pattern == "*" or any(fnmatchcase(name, pattern) for name in known):
            continue
        close = nearest(pattern.strip("*"), known, limit=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        what = {"events": "declared event type", "teams": "team", "exposures": "exposure"}
        yield Fault(
            path or check.source,
            int(line) if line.isdigit() else None,
            f"{pattern!r} matches no {what.get(key, 'watched dimension')}{meant}",
            key,
        )
