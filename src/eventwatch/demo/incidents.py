"""What goes wrong in the demo marketplace, on purpose: the stated list, and nothing beside it.

Every incident begins on a whole hour so that it can be said in one sentence, at an event type whose
rate makes it visible at any hour of the day. Some have a true consequence that another check may
name as well: an event type that lost android has also lost a third of its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from eventwatch.demo.streams import APPS, NIGHTLY_HOUR, TIME_ZONE, Payload, Rhythm, Stream
from eventwatch.model.result import Cut
from eventwatch.model.status import KindName

SPAN = timedelta(days=60)
"""How much history the marketplace has."""
FALLBACK = "data-platform"
"""Who hears of what nobody declared."""

STOPPED = "bank_captured_payment"
HALVED = "buyer_messaged_seller"
TRIPLED = "visitor_created_account"
LOST_ANDROID = "seller_uploaded_photo"
LATE = "courier_scanned_parcel"
SILENT = "seller_imported_catalog"
REPEATED = "buyer_viewed_listing"
BAD_TIMES = "buyer_reviewed_seller"
NEW_PLATFORM = "visitor_opened_page"
NEVER_CAME = "buyer_rated_courier"

UNDECLARED = Stream("buyer_joined_livestream", 16, Payload.LISTING, ("ios", "android"))
MISSPELLED = Stream("seller_publshed_listing", 48, Payload.LISTING, ("android",), Rhythm.OFFICE)
RETIRED = Stream("buyer_bookmarked_listing", 62, Payload.LISTING, ("android",))
DRAFT = Stream("buyer_compared_listing", 45, Payload.LISTING, APPS)


@dataclass(frozen=True)
class Planted:
    """One incident of the stated list."""

    kind: KindName
    """The check kind that is to find it."""
    event_type: str | None
    """None: rows without an event type."""
    cut: Cut | None
    start_at: datetime
    """Aware UTC; when it begins in the data."""
    owner: str
    """Key of the team that is to be told."""
    sentence: str
    """What happened, for people."""


@dataclass(frozen=True)
class Starts:
    """When each incident begins, for one instant; all aware UTC and on the hour."""

    stopped: datetime
    halved: datetime
    tripled: datetime
    lost_android: datetime
    late: datetime
    silent: datetime
    repeated: datetime
    bad_times: datetime
    new_platform: datetime
    undeclared: datetime
    misspelled: datetime
    draft: datetime
    untyped: datetime
    first: datetime
    """Where the table begins."""


def starts(now: datetime) -> Starts:
    """The beginnings as seen from ``now`` (aware)."""
    hour = now.replace(minute=0, second=0, microsecond=0)

    def ago(hours: int) -> datetime:
        return hour - timedelta(hours=hours)

    return Starts(
        stopped=ago(8),
        halved=ago(24),
        tripled=ago(6),
        lost_android=ago(26),
        late=ago(5),
        silent=_last_batch(ago(30)),
        repeated=ago(20),
        bad_times=ago(12),
        new_platform=ago(7),
        undeclared=ago(5),
        misspelled=ago(10),
        draft=ago(48),
        untyped=ago(4),
        first=hour - SPAN,
    )


def _last_batch(before: datetime) -> datetime:
    """The end of the last nightly batch that began before an hour.

    Thirty hours back, the silence since then is longer than the 26 hours that the contract allows,
    whatever the hour of the day.
    """
    hour = before
    while hour.astimezone(TIME_ZONE).hour != NIGHTLY_HOUR:
        hour -= timedelta(hours=1)
    return hour + timedelta(hours=1)


def planted(now: datetime) -> tuple[Planted, ...]:
    """The stated list as of ``now``."""
    at = starts(now)
    volume, drift, freshness = KindName.VOLUME, KindName.DRIFT, KindName.FRESHNESS
    rows: tuple[tuple[KindName, str | None, Cut | None, datetime, str, str], ...] = (
        (volume, STOPPED, None, at.stopped, "checkout", "stops altogether"),
        (volume, HALVED, None, at.halved, "messaging", "falls to half"),
        (volume, TRIPLED, None, at.tripled, "growth", "comes three times as often"),
        (
            drift,
            UNDECLARED.event_type,
            None,
            at.undeclared,
            FALLBACK,
            "begins to come; no contract declares it",
        ),
        (
            drift,
            MISSPELLED.event_type,
            None,
            at.misspelled,
            FALLBACK,
            "begins to come: a misspelling of seller_published_listing",
        ),
        (drift, NEVER_CAME, None, at.first, "logistics", "is declared and active but never came"),
        (drift, RETIRED.event_type, None, at.first, "discovery", "is retired and still comes"),
        (drift, DRAFT.event_type, None, at.draft, "discovery", "is a draft and begins to come"),
        (
            drift,
            LOST_ANDROID,
            Cut("platform", "android"),
            at.lost_android,
            "listings",
            "comes no longer from android",
        ),
        (
            drift,
            NEW_PLATFORM,
            Cut("platform", "smart_tv"),
            at.new_platform,
            "growth",
            "comes from smart_tv, which its contract does not name",
        ),
        (drift, None, None, at.untyped, FALLBACK, "some rows have no event type"),
        (
            freshness,
            LATE,
            None,
            at.late,
            "logistics",
            "arrives about an hour late; its contract allows 30 minutes",
        ),
        (
            freshness,
            SILENT,
            None,
            at.silent,
            "listings",
            "is silent for longer than the 26 hours that its contract allows",
        ),
        (
            freshness,
            BAD_TIMES,
            None,
            at.bad_times,
            "trust",
            "comes with times that are null or in the future",
        ),
        (
            KindName.DUPLICATES,
            REPEATED,
            None,
            at.repeated,
            "discovery",
            "repeats the ids of 1 % of its rows",
        ),
    )
    return tuple(Planted(*row) for row in rows)
