"""Every kind of message, each of an incident as it happens: for golden files and for looking at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from eventwatch.alerting import live
from eventwatch.alerting.live import Shown
from eventwatch.alerting.office import Office
from eventwatch.model.alert import Message
from eventwatch.model.incident import IncidentState, Moment, MomentKind, Role
from eventwatch.model.result import LATE
from eventwatch.model.status import Severity
from eventwatch.ports.notifier import Abilities
from tests.alerting.builders import MINUTE, NOW, silence
from tests.alerting.live_scenes import (
    DATA,
    FOLLOW,
    GROWTH,
    KNOWN,
    RANKING,
    READ,
    SEARCH,
    TYPES,
    cut,
    drop,
    hostile,
    late,
    moment,
    office,
    one_type,
    rename,
    resolved,
    several,
    shown,
    single,
    source,
    table,
    undeclared,
)


def _live(*views: Shown, known: Office = KNOWN) -> Callable[[], Message]:
    return lambda: live.live(views, known, NOW)


def _reply(one: Shown, *moments: Moment) -> Callable[[], Message]:
    return lambda: live.reply(one, moments, KNOWN, NOW)


def _acknowledged() -> Shown:
    return single(
        state=IncidentState.ACKNOWLEDGED, acknowledged_by="ada", acknowledged_at=NOW - 5 * MINUTE
    )


_ALERTS = [drop(name) for name in TYPES[:9]]
_WIDE = shown(one_type(), drop(), *_ALERTS)
_IDS = [a.id for a in _ALERTS]
_LATE_REPLY = moment(MomentKind.RESOLVED, f"{LATE}: 3 h 10 min")

SCENES: Mapping[str, Callable[[], Message]] = {
    "01_open": _live(single()),
    "02_worse": _live(single(told_severity=Severity.CRITICAL, reopened=1)),
    "03_acknowledged": _live(_acknowledged()),
    "04_good_again": _live(single(good_since=NOW - 10 * MINUTE)),
    "05_muted": _live(
        single(muted_by="s1", muted_because="silenced by ada until 2026-05-17 19:05 UTC: migration")
    ),
    "06_resolved": _live(resolved()),
    "07_late_not_lost": _live(late()),
    "10_cut": _live(cut()),
    "11_cut_for_who_is_affected": _live(cut(who=SEARCH)),
    "12_cut_over_for_who_is_affected": _live(
        cut(
            who=SEARCH,
            state=IncidentState.RESOLVED,
            resolved_at=NOW,
            end_reason="back to normal",
        )
    ),
    "13_exposure": _live(table()),
    "14_source": _live(source()),
    "15_rename": _live(rename()),
    "16_fallback": _live(undeclared()),
    "17_refused_elsewhere": _live(
        single(who=replace(GROWTH, team="data-platform", channel="#data-platform", group_id=""))
    ),
    "18_escalated": _live(
        single(who=replace(DATA, role=Role.ESCALATION, reason="nobody acknowledged it in time"))
    ),
    "19_consumer": _live(single(who=RANKING), known=READ),
    "20_no_edits": _live(single(), known=office(FOLLOW, abilities=Abilities())),
    "30_digest": _live(*several(5)),
    "31_storm": _live(*several(60)),
    "40_reply_worse": _reply(single(), moment(MomentKind.WORSE, "now critical, was warning")),
    "41_reply_joined": _reply(_WIDE, moment(MomentKind.JOINED, "", "", *_IDS)),
    "42_reply_left": _reply(_WIDE, moment(MomentKind.LEFT, "", "", *_IDS[:2])),
    "43_reply_acknowledged": _reply(_acknowledged(), moment(MomentKind.ACKNOWLEDGED, author="ada")),
    "44_reply_reminded": _reply(single(), moment(MomentKind.REMINDED)),
    "45_reply_escalated": _reply(single(), moment(MomentKind.ESCALATED, "to platform-leads")),
    "46_reply_resolved": _reply(resolved(), moment(MomentKind.RESOLVED, "back to normal")),
    "47_reply_late": _reply(late(), _LATE_REPLY),
    "48_reply_reopened": _reply(single(reopened=1), moment(MomentKind.REOPENED)),
    "49_reply_note": _reply(single(), moment(MomentKind.NOTE, "release 7.2.0 rolled back", "ada")),
    "50_reply_muted": _reply(
        single(), moment(MomentKind.MUTED, "silenced by ada until 2026-05-17 19:05 UTC: migration")
    ),
    "51_reply_unmuted": _reply(single(), moment(MomentKind.UNMUTED)),
    "52_reply_several": _reply(
        _acknowledged(),
        moment(MomentKind.ACKNOWLEDGED, author="ada"),
        moment(MomentKind.NOTE, "release 7.2.0 rolled back", "ada"),
        moment(MomentKind.WORSE, "now critical, was warning"),
    ),
    "60_silence_over": lambda: live.silence_over(
        silence(reason="migration", ends_at=NOW), several(9), KNOWN, NOW
    ),
    "61_maintenance_over": lambda: live.silence_over(
        silence(
            id="maintenance:nightly@2026-05-17T13:00:00",
            author="maintenance nightly",
            reason="reload of the warehouse",
            ends_at=NOW,
        ),
        [resolved()],
        KNOWN,
        NOW,
    ),
    "62_daily": lambda: live.daily("Broken now", [*several(5)[:3], undeclared()], KNOWN, NOW),
    "63_daily_best_effort": lambda: live.daily(
        "Best effort, in the last day", [late(), single(), resolved()], KNOWN, NOW
    ),
    "70_hostile": _live(hostile()),
}
"""Name of the golden file → its message."""
