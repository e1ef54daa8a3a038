"""What config and contracts say together: likely mistakes, and what nobody would be told of."""

from __future__ import annotations

from collections.abc import Sequence

from eventwatch.alerting.routing import Directory, usable_channel
from eventwatch.app.adapters import adapter
from eventwatch.app.doctor import Area, Finding, Level, Patient, fault_findings
from eventwatch.model.contract import Contract
from eventwatch.model.counting import counted
from eventwatch.model.errors import ConfigError, Fault

_SHOWN = 3


def config_findings(patient: Patient) -> Sequence[Finding]:
    """The file as a whole, and one line per fault or warning."""
    loaded = patient.loaded
    warnings, faults = list(loaded.warnings), list[Fault]()
    if patient.catalog is not None:
        faults.extend(adapter("cross_check")(loaded, patient.catalog))
        warnings.extend(adapter("cross_warnings")(loaded, patient.catalog))
    settings = loaded.settings
    summary = (
        f"{counted(len(settings.exposures), 'exposure')}, {counted(len(settings.teams), 'team')}, "
        f"{counted(len(loaded.checks), 'check definition')}"
    )
    found = [] if faults else [Finding(Area.CONFIG, loaded.file, Level.OK, summary)]
    found.extend(fault_findings(Area.CONFIG, ConfigError(faults)))
    found.extend(_warning(each) for each in sorted(set(warnings)))
    return found


def _warning(fault: Fault) -> Finding:
    place = fault.path if fault.line is None else f"{fault.path}:{fault.line}"
    key = f"{fault.key}: " if fault.key else ""
    return Finding(Area.CONFIG, place, Level.WARNING, key + fault.message)


def routing(patient: Patient) -> Sequence[Finding]:
    """Event types that nobody owns, and owners that cannot be told."""
    if patient.catalog is None:
        return ()
    directory = patient.directory
    contracts = list(patient.catalog.contracts.values())
    unowned = sorted(c.event_type for c in contracts if not _owned(c, directory))
    silent = sorted(_without_channel(patient, directory))
    fallback = directory.fallback
    there = fallback.channel or "no channel"
    found = []
    if unowned:
        found.append(
            Finding(
                Area.ROUTING,
                "owners",
                Level.WARNING,
                f"{counted(len(unowned), 'event type')} of a team that nobody declared "
                f"({some(unowned)}); what is wrong with them goes to the fallback team "
                f"{fallback.team} in {there}",
                "correct owner.team, or add the team to the contracts' team enum or to config.yaml",
            )
        )
    if silent:
        verbs = "owns something and has" if len(silent) == 1 else "own something and have"
        found.append(
            Finding(
                Area.ROUTING,
                "channels",
                Level.WARNING,
                f"{some(silent)} {verbs} no Slack channel; the fallback team {fallback.team} is told "
                "instead",
                "set teams.NAME.slack_channel in config.yaml",
            )
        )
    exposed = [e.name for e in patient.loaded.settings.exposures if not e.owner]
    if exposed:
        found.append(
            Finding(
                Area.ROUTING,
                "exposures",
                Level.WARNING,
                f"nobody owns {some(exposed)}: when it is late as a whole, the fallback team is told",
                "set exposures.NAME.owner in config.yaml",
            )
        )
    if not found:
        said = f"all {counted(len(contracts), 'event type')} have an owner who can be told"
        found.append(Finding(Area.ROUTING, "owners", Level.OK, said))
    return found


def _owned(contract: Contract, directory: Directory) -> bool:
    known = bool(contract.owner.team) and directory.team(contract.owner.team) is not None
    return known or bool(usable_channel(contract.owner.slack_channel))


def owners(patient: Patient) -> dict[str, list[str]]:
    """Team → what it owns or hears of, for people."""
    found: dict[str, list[str]] = {}
    settings = patient.loaded.settings
    contracts = () if patient.catalog is None else patient.catalog.contracts.values()
    for contract in contracts:
        if contract.owner.team and not usable_channel(contract.owner.slack_channel):
            found.setdefault(contract.owner.team, []).append(contract.event_type)
    for exposure in settings.exposures:
        if exposure.owner:
            found.setdefault(exposure.owner, []).append(f"exposure {exposure.name}")
        for dimension in exposure.dimensions:
            for value, team in dimension.owners.items():
                found.setdefault(team, []).append(f"{dimension.name} {value}")
    for team in [*found]:
        known = patient.directory.team(team)
        if known is not None and known.escalate_to:
            found.setdefault(known.escalate_to, []).append(f"what {team} does not acknowledge")
    found.setdefault(settings.notify.fallback_team, []).append("what nobody owns")
    return found


def _without_channel(patient: Patient, directory: Directory) -> list[str]:
    found = []
    for key in owners(patient):
        team = directory.team(key)
        if team is not None and not usable_channel(team.slack_channel):
            found.append(key)
    return found


def some(names: Sequence[str]) -> str:
    """The first few, and how many more."""
    more = len(names) - _SHOWN
    listed = ", ".join(name[:60] for name in names[:_SHOWN])
    return f"{listed} and {more} more" if more > 0 else listed
