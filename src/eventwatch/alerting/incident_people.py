"""Who hears of an incident, in which role, and how loud it is.

An owner is found for every incident: where nobody is named, the fallback team, with what to write
where so that it is somebody else's the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from eventwatch.alerting.office import Office
from eventwatch.alerting.route import Route
from eventwatch.alerting.routing import fallback, route, route_to, route_to_owner, usable_channel
from eventwatch.model.alert import Alert
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Contract, LifecycleState, Tier
from eventwatch.model.incident import Incident, Recipient, Role
from eventwatch.model.status import Severity

MANY = 0.25
"""Part of the declared event types that, when they move together, make an incident critical."""
MANY_AT_LEAST = 5
_ORDER = tuple(Role)
_WIDE = (CauseKind.EXPOSURE, CauseKind.CUT)


@dataclass(frozen=True)
class Audience:
    """Everybody who hears of an incident."""

    owner: Recipient
    others: tuple[Recipient, ...]


def audience(cause: Cause, alerts: Sequence[Alert], office: Office) -> Audience:
    """Who answers for the cause, whose event types it moved, and who reads them."""
    if cause.kind is CauseKind.SOURCE:
        operators = office.directory.fallback
        reason = "eventwatch's own trouble goes to its operators"
        return Audience(_recipient(Role.OWNER, replace(operators, reason=reason)), ())
    routes = [_route(alert, office) for alert in alerts]
    touched = _touched(cause, alerts, office)
    where = _owner(cause, alerts, routes, touched, office)
    owner = replace(_recipient(Role.OWNER, where), oncall=_oncall(where, alerts, routes, office))
    if cause.kind in _WIDE:
        pairs = zip(alerts, routes, strict=True)
        routes = [each for alert, each in pairs if alert.result.event_type is not None]
    routes += [route_to_owner(contract, office.directory) for contract in touched]
    # Who has nothing declared has nobody to be told besides the owner of the incident.
    others = [
        replace(_recipient(Role.AFFECTED, each), group_id="")
        for each in dict.fromkeys(routes)
        if not each.is_fallback
    ]
    for name in dict.fromkeys(alert.result.event_type for alert in alerts):
        contract = office.catalog.of(name)
        if contract is not None:
            others += _consumers(contract)
    for contract in touched:
        others += _consumers(contract)
    return Audience(owner, joined((), others, owner))


def joined(
    before: Iterable[Recipient], more: Iterable[Recipient], owner: Recipient
) -> tuple[Recipient, ...]:
    """One entry per channel and team, the most concerned role of each, without the owner. A consumer
    whose channel hears of it anyway is not told again."""
    kept: dict[tuple[str, str], Recipient] = {}
    for one in (*before, *more):
        at = (one.channel, one.team)
        if at == (owner.channel, owner.team) or not one.channel:
            continue
        known = kept.get(at)
        if known is None or _ORDER.index(one.role) < _ORDER.index(known.role):
            kept[at] = one
    hear = {owner.channel} | {r.channel for r in kept.values() if r.role is not Role.CONSUMER}
    found = (r for r in kept.values() if r.role is not Role.CONSUMER or r.channel not in hear)
    return tuple(sorted(found, key=lambda r: (_ORDER.index(r.role), r.channel, r.team)))


def escalation(incident: Incident, office: Office) -> Recipient | None:
    """Who is told when nobody acknowledges; None: nobody is named, or it is the owner."""
    team = office.directory.team(incident.owner.team)
    if team is None or not team.escalate_to:
        return None
    where = route_to(team.escalate_to, office.directory, "nobody acknowledged it in time")
    if (where.channel, where.team) == (incident.owner.channel, incident.owner.team):
        return None
    return _recipient(Role.ESCALATION, where)


def severity(cause: Cause, alerts: Sequence[Alert], office: Office) -> Severity:
    """The highest of its alerts; critical where an event type of the critical tier moved, or so many
    at once that it is everybody's trouble. What is only for information stays so."""
    highest = max((a.result.severity for a in alerts), key=lambda s: s.rank)
    if highest is Severity.INFO:
        return highest
    moved = {a.result.event_type for a in alerts if a.result.event_type is not None}
    moved |= {contract.event_type for contract in _touched(cause, alerts, office)}
    if any(_tier(name, office) is Tier.CRITICAL for name in moved):
        return Severity.CRITICAL
    if cause.kind in _WIDE:
        declared = len(office.catalog.declared_in(cause.exposure))
        if len(moved) >= max(MANY_AT_LEAST, MANY * declared):
            return Severity.CRITICAL
    return highest


def best_effort(alerts: Iterable[Alert], office: Office) -> bool:
    """Whether all that moved is of the best-effort tier: it goes into the daily digest."""
    tiers = {_tier(alert.result.event_type, office) for alert in alerts}
    return tiers == {Tier.BEST_EFFORT}


def _tier(event_type: str | None, office: Office) -> Tier | None:
    contract = office.catalog.of(event_type)
    return None if contract is None else contract.tier


def _touched(cause: Cause, alerts: Sequence[Alert], office: Office) -> tuple[Contract, ...]:
    """Contracts of the event types that a wide cause moved, whether or not they have alerts: what
    moves together is often told once."""
    if cause.kind is CauseKind.EXPOSURE:
        stopped = any(
            a.result.event_type is None and a.result.aspect in ("staleness", "common")
            for a in alerts
        )
        declared = office.catalog.declared_in(cause.exposure) if stopped else ()
        return tuple(c for c in declared if c.state is LifecycleState.ACTIVE)
    found = (office.catalog.of(name) for name in cause.affected)
    return tuple(contract for contract in found if contract is not None)


def _owner(
    cause: Cause,
    alerts: Sequence[Alert],
    routes: Sequence[Route],
    touched: Sequence[Contract],
    office: Office,
) -> Route:
    if cause.kind not in _WIDE:
        return _of_event_type(cause, alerts, routes, office)
    exposure = office.exposures.get(cause.exposure)
    if cause.team:
        what = "value" if cause.cut is not None else "exposure"
        return route_to(cause.team, office.directory, f"owner of this {what} in the config")
    if exposure is not None and cause.cut is not None:
        for dimension in exposure.dimensions:
            team = dimension.owners.get(cause.cut.value)
            if dimension.name == cause.cut.dimension and team:
                reason = f"owner of this {dimension.name} in the config"
                return route_to(team, office.directory, reason)
    if exposure is not None and exposure.owner:
        reason = "owner of the exposure in the config"
        return route_to(exposure.owner, office.directory, reason)
    declared = {
        (each.team, each.channel): each
        for alert, each in zip(alerts, routes, strict=True)
        if alert.result.event_type is not None
    }
    for contract in touched:
        each = route_to_owner(contract, office.directory)
        declared.setdefault((each.team, each.channel), each)
    if len(declared) == 1:
        (only,) = declared.values()
        if not only.is_fallback:
            return replace(only, reason=f"{only.reason}; it owns everything that moved")
    key = f"exposures.{cause.exposure}.owner"
    if cause.cut is not None:
        key = f"owners of the dimension {cause.cut.dimension}, or {key},"
    return fallback(
        office.directory,
        f"nobody is named for the cause and no one team owns what moved; set {key} in the config",
    )


def _of_event_type(
    cause: Cause, alerts: Sequence[Alert], routes: Sequence[Route], office: Office
) -> Route:
    """The owner of the event type that the cause names; a check that names a team of its own only
    where no other alert speaks."""
    pairs = list(zip(alerts, routes, strict=True))
    about = [p for p in pairs if p[0].result.event_type == cause.event_type]
    if not about and cause.kind is CauseKind.RENAME:
        # The new name came first; what it takes over is not told by itself yet.
        contract = office.catalog.of(cause.event_type)
        if contract is not None:
            owner = route_to_owner(contract, office.directory)
            reason = f"owner of {contract.event_type}, which it looks like"
            return owner if owner.is_fallback else replace(owner, reason=reason)
    about = about or pairs
    plain = [p for p in about if not p[0].result.runs_to] or about
    return plain[0][1]


def _route(alert: Alert, office: Office) -> Route:
    exposure = office.exposures.get(alert.result.exposure)
    if exposure is None:
        return fallback(office.directory, "the config no longer names its exposure")
    contract = office.catalog.of(alert.result.event_type)
    return route(alert.result, contract, exposure, office.directory)


def _oncall(where: Route, alerts: Sequence[Alert], routes: Sequence[Route], office: Office) -> str:
    """Who is on call, where the critical tier moved; else nobody is."""
    critical = [
        (contract, each)
        for alert, each in zip(alerts, routes, strict=True)
        if (contract := office.catalog.of(alert.result.event_type)) is not None
        and contract.tier is Tier.CRITICAL
    ]
    if not critical:
        return ""
    own = (c.owner.oncall for c, each in critical if c.owner.oncall and each.team == where.team)
    team = office.directory.team(where.team)
    return next(own, "" if team is None else team.oncall)


def _recipient(role: Role, where: Route) -> Recipient:
    return Recipient(
        role=role,
        team=where.team,
        channel=where.channel,
        group_id=where.group_id,
        reason=where.reason,
        is_fallback=where.is_fallback,
    )


def _consumers(contract: Contract) -> Iterable[Recipient]:
    for consumer in contract.consumers:
        channel = usable_channel(consumer.slack_channel)
        if channel:
            reason = "a consumer in the contract"
            yield Recipient(Role.CONSUMER, consumer.name, channel, reason=reason)
