"""Incidents as they happen, each with the message about it: for golden files and for looking at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.alerting.routing import Directory
from eventwatch.model.alert import Alert, AlertState
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.contract import Consumer, Contract, Location, Owner, Tier
from eventwatch.model.incident import (
    Incident,
    IncidentState,
    Member,
    Moment,
    MomentKind,
    Recipient,
    Role,
)
from eventwatch.model.result import LATE, Amount, Cut, Fact, Spark
from eventwatch.model.status import KindName, Severity
from eventwatch.ports.notifier import Abilities
from tests.alerting.builders import (
    EXPOSURE,
    HOUR,
    MINUTE,
    NOTIFY,
    NOW,
    TEAMS,
    alert,
    catalog,
    contract,
    result,
    unreadable,
)

ALL = Abilities(edits=True, threads=True, charts=True, buttons=True)
GROWTH = Recipient(
    Role.OWNER, "growth", "#growth-alerts", "S0123ABCD", reason="owner in the contract"
)
DATA = Recipient(Role.OWNER, "data-platform", "#data-platform", reason="owner of the exposure")
SEARCH = Recipient(Role.AFFECTED, "search", "#search-alerts")
THIRTEEN = NOW.replace(hour=13, minute=0)
HOURS = (5_100.0, 4_800, 5_300, 6_200, 7_100, 8_300, 9_400, 10_100, 10_600, 10_900, 10_700, 10_500)
TYPES = tuple(
    f"{noun}_{verb}"
    for noun in ("user", "invite", "post", "comment", "search", "cart")
    for verb in ("created", "opened", "shared", "deleted", "viewed", "failed", "closed")
)[:41]


def office(*contracts: Contract, abilities: Abilities = ALL) -> Office:
    """Knows these contracts, growth and data-platform."""
    return Office(
        catalog=catalog(*contracts),
        directory=Directory(TEAMS, {}, "data-platform"),
        notify=NOTIFY,
        exposures={EXPOSURE.name: EXPOSURE},
        abilities=abilities,
    )


def incident(cause: Cause, alerts: tuple[Alert, ...], **changes: Any) -> Incident:
    """An open one that its owner was told of an hour ago."""
    made = Incident(
        id="4f2a91c07bd3",
        cause=cause,
        state=IncidentState.OPEN,
        severity=max((a.result.severity for a in alerts), key=lambda s: s.rank),
        owner=GROWTH,
        opened_at=NOW - HOUR,
        began_at=THIRTEEN,
        members=tuple(Member(a.id, a.explained, NOW - HOUR) for a in alerts),
        told_severity=Severity.WARNING,
        told_at=NOW - HOUR,
    )
    return replace(made, **changes)


def shown(cause: Cause, *alerts: Alert, who: Recipient | None = None, **changes: Any) -> Shown:
    """As its owner sees it, or somebody else."""
    made = incident(cause, alerts, **changes)
    return Shown(made, alerts, made.owner if who is None else who)


def drop(event_type: str | None = "user_followed_user", **changes: Any) -> Alert:
    """An event type of which much less came in an hour."""
    values: dict[str, Any] = {
        "severity": Severity.CRITICAL,
        "since": THIRTEEN,
        "amount": Amount("events", 1_240, 10_600, 9_812, 11_634, THIRTEEN, THIRTEEN + HOUR),
        "summary": "1,240 events between 13:00 and 14:00 UTC, usually 9,810 to 11,600 at this hour",
        "facts": (
            Fact("spoke", "the hour (z -19.2)"),
            Fact("change", "-88%"),
            Fact("explained by", "app version 7.2.0 −97 %, app version 7.2.1 −96 %"),
        ),
        "spark": Spark(NOW - 24 * HOUR, HOUR, (*HOURS, *reversed(HOURS[1:]), 1_240.0)),
        "check": "checks/growth.yaml:3",
    }
    return alert(result(event_type, **(values | changes)))


def silent(event_type: str = "user_blocked_user", **changes: Any) -> Alert:
    """An event type of which nothing comes."""
    values: dict[str, Any] = {
        "kind": KindName.FRESHNESS,
        "aspect": "silence",
        "summary": "silent for 3 h 10 min; the contract allows 15 min",
        "since": NOW - 3 * HOUR - 10 * MINUTE,
        "amount": Amount("seconds", 11_400, upper=900),
        "facts": (Fact("longest silence before", "42 min"),),
    }
    return alert(result(event_type, **(values | changes)))


def one_type(event_type: str = "user_followed_user", detail: str = "") -> Cause:
    """Nothing bigger."""
    return Cause(
        CauseKind.EVENT_TYPE, "k", EXPOSURE.name, event_type, None, event_type, None, detail
    )


ANDROID_ONLY = "android: −96 %, other platforms normal"
FOLLOW = contract(tier=Tier.CRITICAL, owner=Owner("growth", oncall="growth-primary"))


def single(who: Recipient | None = None, **changes: Any) -> Shown:
    """The usual one: an event type of growth's fell on android."""
    called = {"owner": replace(GROWTH, oncall="growth-primary")}
    return shown(one_type(detail=ANDROID_ONLY), drop(), who=who, **(called | changes))


def ended(*alerts: Alert, reason: str = "back to normal") -> tuple[Alert, ...]:
    """They are over."""
    return tuple(
        replace(a, state=AlertState.RESOLVED, ended_at=NOW, good_since=NOW, end_reason=reason)
        for a in alerts
    )


def resolved(**changes: Any) -> Shown:
    """The usual one, two hours later."""
    (over,) = ended(drop())
    values: dict[str, Any] = {
        "state": IncidentState.RESOLVED,
        "resolved_at": NOW,
        "good_since": NOW - 30 * MINUTE,
        "end_reason": "back to normal",
        "acknowledged_by": "ada",
        "acknowledged_at": NOW - 50 * MINUTE,
    }
    return shown(one_type(detail=ANDROID_ONLY), over, **(values | changes))


def late() -> Shown:
    """The rows came after all."""
    reason = f"{LATE}: 3 h 10 min"
    (over,) = ended(silent(), reason=reason)
    return shown(
        one_type("user_blocked_user"),
        over,
        state=IncidentState.RESOLVED,
        resolved_at=NOW,
        end_reason=reason,
        late=3 * HOUR + 10 * MINUTE,
        began_at=NOW - 3 * HOUR - 10 * MINUTE,
    )


def cut(who: Recipient | None = None, **changes: Any) -> Shown:
    """Android broke across event types."""
    android = Cut("platform", "android")
    cause = Cause(
        CauseKind.CUT,
        "cut",
        EXPOSURE.name,
        "android",
        cut=android,
        detail="android: 41 event types at −96 %, other platforms normal",
        affected=TYPES,
    )
    root = alert(
        result(
            None,
            aspect="cut_all",
            cut=android,
            severity=Severity.CRITICAL,
            since=THIRTEEN,
            amount=Amount("events", 4_310, 108_000, 99_400, 117_000, THIRTEEN, THIRTEEN + HOUR),
            summary="in most event types, platform android: 4,310 of 248,000 events between 13:00 "
            "and 14:00 UTC, usually 99,400 to 117,000 of so many",
            facts=(Fact("scope", "41 of 44 event types moved alike"),),
        ),
        cause=cause,
    )
    under = [
        replace(drop(name, severity=Severity.WARNING), cause=cause, explained=True)
        for name in TYPES[:30]
    ]
    others = (replace(GROWTH, role=Role.AFFECTED), SEARCH)
    values: dict[str, Any] = {"owner": DATA, "others": others, "severity": Severity.CRITICAL}
    values |= changes
    return shown(cause, root, *under, who=who, **values)


def table(**changes: Any) -> Shown:
    """The exposure stopped."""
    said = "nothing arrived for 2 h 5 min; its arrivals are hardly ever more than 6 min apart"
    cause = Cause(
        CauseKind.EXPOSURE,
        "table",
        EXPOSURE.name,
        EXPOSURE.name,
        detail=f"{said}; it explains 44 event types",
    )
    root = alert(
        result(
            None,
            kind=KindName.FRESHNESS,
            aspect="staleness",
            severity=Severity.CRITICAL,
            summary=said,
            since=THIRTEEN,
            amount=Amount("seconds", 7_500, upper=360),
        ),
        cause=cause,
    )
    under = [replace(silent(name), cause=cause, explained=True) for name in TYPES]
    return shown(cause, root, *under, **({"owner": DATA} | changes))


def source() -> Shown:
    """A database cannot be read, which three exposures need."""
    label = "postgres db.example.com/analytics"
    cause = Cause(
        CauseKind.SOURCE,
        "source",
        "",
        label,
        detail=f"{label} cannot be read; what was known is held as it is until it can",
    )
    alerts = [
        alert(unreadable(exposure=name, summary="could not be measured: connection refused"))
        for name in ("analytics_events", "billing_events", "search_events")
    ]
    return shown(cause, *alerts, owner=DATA)


def rename() -> Shown:
    """A declared type goes on under a name that nobody declared."""
    cause = Cause(
        CauseKind.RENAME,
        "rename",
        EXPOSURE.name,
        "user_followed_user",
        event_type="user_followed_user",
        other="user_follow",
        detail="user_followed_user fell as user_follow began, which no contract declares: perhaps its "
        "new name (name, time, rows and platforms agree)",
    )
    unseen = alert(
        result(
            "user_follow",
            kind=KindName.DRIFT,
            aspect="unseen",
            summary="9,912 rows of an event type that no contract declares",
            since=THIRTEEN,
            facts=(Fact("first row", "Sun 17 May 2026 13:02 UTC"),),
        )
    )
    gone = drop(
        severity=Severity.WARNING,
        amount=Amount("events", 0, 10_600, 9_812, 11_634, THIRTEEN, THIRTEEN + HOUR),
        total=True,
        summary="no events since 2026-05-17 13:02 UTC; the last 1 h usually bring 9,810 to 11,600",
        facts=(),
    )
    return shown(cause, gone, unseen)


def undeclared() -> Shown:
    """Nobody owns it."""
    reason = (
        "no contract declares this event type; to send it to its team, declare it with owner.team "
        "in the contracts"
    )
    unseen = alert(
        result(
            "user_folowed_user",
            kind=KindName.DRIFT,
            aspect="unseen",
            summary="412 rows of an event type that no contract declares, probably a misspelling of "
            "user_followed_user",
            since=NOW - 50 * HOUR,
            facts=(
                Fact("first row", "Fri 15 May 2026 13:05 UTC"),
                Fact("platform", "android 100 %"),
                Fact("declared names like it", "user_followed_user, user_unfollowed_user"),
            ),
        )
    )
    owner = replace(DATA, is_fallback=True, reason=reason, group_id="S0999DATA")
    return shown(one_type("user_folowed_user"), unseen, owner=owner, began_at=NOW - 50 * HOUR)


def several(count: int) -> list[Shown]:
    """Different ones of one team, and some that only affect it."""
    made = [
        single(id="a00000000001"),
        shown(one_type("user_blocked_user"), silent(), id="a00000000002"),
        shown(
            one_type("invite_sent"),
            drop("invite_sent", severity=Severity.WARNING),
            id="a00000000003",
            state=IncidentState.ACKNOWLEDGED,
            acknowledged_by="grace",
            acknowledged_at=NOW - 20 * MINUTE,
        ),
        resolved(id="a00000000004"),
        cut(who=replace(GROWTH, role=Role.AFFECTED), id="a00000000005"),
    ]
    made += [
        shown(
            one_type(f"event_{i:03}"),
            drop(f"event_{i:03}", severity=Severity.WARNING),
            id=f"b{i:011}",
        )
        for i in range(count - len(made))
    ]
    return made


def hostile() -> Shown:
    """Every text is."""
    name = "<!channel>`\x1b[31m\u202e*b*"
    of = alert(
        result(
            name,
            summary="*<https://evil.example|x>* & &lt; ```",
            facts=(Fact("<@U012ABCDEF>", "<!here>"),),
            check="`<!everyone>`",
        )
    )
    who = replace(GROWTH, team="<!here>", oncall="<@U012ABCDEF>")
    return shown(one_type(name, "<!subteam^S0123ABCD> _fell_"), of, owner=who)


def moment(kind: MomentKind, text: str = "", author: str = "", *alert_ids: str) -> Moment:
    """Ten minutes ago."""
    return Moment(f"m-{kind}", "4f2a91c07bd3", NOW - 10 * MINUTE, kind, text, author, alert_ids)


KNOWN = office(
    FOLLOW,
    contract("user_blocked_user", runbook_url="", location=Location("growth/block.proto", 7)),
    contract("invite_sent", owner=Owner("growth")),
    *(contract(name, owner=Owner("search" if "search" in name else "growth")) for name in TYPES),
)
READ = office(contract(owner=Owner("growth"), consumers=(Consumer("ranking", "#ranking"),)))
RANKING = Recipient(Role.CONSUMER, "ranking", "#ranking", reason="a consumer in the contract")
