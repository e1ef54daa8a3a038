"""What a freshness definition may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from eventwatch.kinds.definition import Check, Duration
from eventwatch.model.status import KindName


def _above_zero(span: timedelta) -> timedelta:
    if span <= timedelta(0):
        raise ValueError("must be longer than 0")
    return span


Limit = Annotated[Duration, AfterValidator(_above_zero)]
"""A span that cannot be zero: everything would always be late."""


class FreshnessCheck(Check):
    """How late the exposure may be, how slow its loads, how silent an event type."""

    kind: Literal[KindName.FRESHNESS] = KindName.FRESHNESS
    max_staleness: Limit | None = Field(
        None,
        description="Oldest the newest arrival of the exposure may be; null: learned from the pauses "
        "between its own arrivals, never under 15m or two cycles.",
    )
    max_lag: Limit | None = Field(
        None,
        description="Largest accepted p95 of loaded - occurred of the whole exposure; null: learned "
        "from the last two weeks. max_lag in a contract rules its event type.",
    )
    false_silences_per_week: float = Field(
        0.1,
        gt=0,
        le=1000,
        description="How many event types a week, in the whole exposure, may be called silent by "
        "chance where silence is learned. Smaller is slower and surer.",
    )
    max_bad_times: float = Field(
        0.005,
        ge=0,
        le=1,
        description="Largest accepted share of rows whose times are null, in the future or absurdly "
        "old.",
    )
    max_changed: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Largest accepted share of a past day's rows that were deleted or added after the "
        "day was measured; up to 100 rows are never told.",
    )
