"""The event types of the demo marketplace: how often each comes, from where, and with what payload.

Only what the generator needs. Owners, tiers and promises stand in ``files/contracts``, as they would
in a real house; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

TIME_ZONE = ZoneInfo("America/New_York")
"""Whose days and hours the rhythm follows; config.yaml says the same."""
NIGHTLY_HOUR = 4
"""When the nightly batch comes. Every day has this hour once, those of a clock change too."""
APPS = ("ios", "android", "web")
BACKEND = ("backend",)
PLATFORM_WEIGHTS = {"ios": 0.40, "android": 0.36, "web": 0.24, "backend": 1.0, "smart_tv": 0.05}
"""Relative; those of one stream are scaled to one."""


class Rhythm(StrEnum):
    """When in a day and week an event type comes."""

    EVENING = "evening"
    """Buyers: a peak after work, busy weekends."""
    OFFICE = "office"
    """Sellers, couriers, moderators: working hours, quiet weekends."""
    NIGHTLY = "nightly"
    """One batch a day."""


class Payload(StrEnum):
    """Which fields the payload holds; the messages of the contracts have the same."""

    LISTING = "listing"
    ORDER = "order"
    PARCEL = "parcel"
    MESSAGE = "message"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Stream:
    """One event type as the generator sees it."""

    event_type: str
    rank: int
    """Place by frequency, from 1; rates fall with it as Zipf found for words."""
    payload: Payload
    platforms: tuple[str, ...] = APPS
    rhythm: Rhythm = Rhythm.EVENING


def _streams() -> tuple[Stream, ...]:
    listing, order, parcel = Payload.LISTING, Payload.ORDER, Payload.PARCEL
    message, account = Payload.MESSAGE, Payload.ACCOUNT
    evening, office = Rhythm.EVENING, Rhythm.OFFICE
    table: tuple[tuple[str, int, Payload, tuple[str, ...], Rhythm], ...] = (
        # discovery
        ("buyer_viewed_listing", 1, listing, APPS, evening),
        ("buyer_searched_catalog", 2, listing, APPS, evening),
        ("system_recommended_listing", 3, listing, BACKEND, evening),
        ("buyer_filtered_results", 7, listing, APPS, evening),
        ("buyer_saved_listing", 13, listing, APPS, evening),
        ("buyer_viewed_seller", 15, listing, APPS, evening),
        ("buyer_unsaved_listing", 34, listing, APPS, evening),
        ("buyer_shared_listing", 37, listing, APPS, evening),
        ("buyer_followed_seller", 39, listing, APPS, evening),
        ("buyer_unfollowed_seller", 57, listing, APPS, evening),
        # checkout
        ("buyer_added_item", 22, order, APPS, evening),
        ("buyer_started_checkout", 12, order, APPS, evening),
        ("buyer_selected_delivery", 17, order, APPS, evening),
        ("buyer_placed_order", 18, order, APPS, evening),
        ("bank_authorized_payment", 19, order, BACKEND, evening),
        ("system_sent_receipt", 20, order, BACKEND, evening),
        ("bank_captured_payment", 10, order, BACKEND, evening),
        ("buyer_removed_item", 28, order, APPS, evening),
        ("bank_declined_payment", 44, order, BACKEND, evening),
        ("buyer_redeemed_voucher", 46, order, APPS, evening),
        ("buyer_cancelled_order", 48, order, APPS, evening),
        ("bank_refunded_payment", 50, order, BACKEND, office),
        # listings
        ("seller_uploaded_photo", 11, listing, APPS, office),
        ("seller_edited_listing", 21, listing, APPS, office),
        ("seller_published_listing", 25, listing, APPS, office),
        ("seller_drafted_listing", 26, listing, APPS, office),
        ("seller_viewed_statistics", 29, listing, APPS, office),
        ("seller_priced_listing", 33, listing, APPS, office),
        ("system_expired_listing", 36, listing, BACKEND, office),
        ("seller_promoted_listing", 43, listing, APPS, office),
        ("seller_deleted_listing", 45, listing, APPS, office),
        ("seller_paused_listing", 54, listing, APPS, office),
        ("seller_imported_catalog", 40, listing, BACKEND, Rhythm.NIGHTLY),
        # logistics
        ("courier_scanned_parcel", 16, parcel, BACKEND, office),
        ("buyer_tracked_order", 32, order, APPS, evening),
        ("courier_collected_order", 23, parcel, BACKEND, office),
        ("courier_delivered_order", 24, parcel, BACKEND, office),
        ("seller_packed_order", 27, parcel, APPS, office),
        ("seller_shipped_order", 30, parcel, APPS, office),
        ("buyer_confirmed_delivery", 38, order, APPS, evening),
        ("courier_missed_delivery", 47, parcel, BACKEND, office),
        ("buyer_returned_order", 53, order, APPS, evening),
        # messaging
        ("system_sent_notification", 8, message, BACKEND, evening),
        ("user_read_message", 6, message, APPS, evening),
        ("buyer_messaged_seller", 4, message, APPS, evening),
        ("seller_messaged_buyer", 9, message, APPS, evening),
        ("user_opened_notification", 31, message, APPS, evening),
        ("user_dismissed_notification", 35, message, APPS, evening),
        ("user_muted_conversation", 60, message, APPS, evening),
        # trust
        ("buyer_reviewed_seller", 41, account, APPS, evening),
        ("system_flagged_listing", 42, listing, BACKEND, office),
        ("seller_reviewed_buyer", 49, account, APPS, office),
        ("user_reported_listing", 51, listing, APPS, evening),
        ("user_blocked_user", 55, account, APPS, evening),
        ("moderator_removed_listing", 56, listing, BACKEND, office),
        ("system_flagged_payment", 58, order, BACKEND, evening),
        # growth
        ("visitor_opened_page", 5, account, APPS, evening),
        ("visitor_created_account", 14, account, APPS, evening),
        ("user_invited_friend", 52, account, APPS, evening),
        ("user_updated_profile", 59, account, APPS, evening),
        ("friend_accepted_invitation", 61, account, APPS, evening),
        ("user_deleted_account", 62, account, APPS, evening),
    )
    return tuple(Stream(*row) for row in table)


STREAMS = _streams()
"""Declared, active and coming: what the marketplace sends when nothing is wrong."""
