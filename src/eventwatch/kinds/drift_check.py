"""What a drift definition may say."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from eventwatch.kinds.definition import Check, Duration, Globs
from eventwatch.model.status import KindName


class DriftCheck(Check):
    """What may come and what must."""

    kind: Literal[KindName.DRIFT] = KindName.DRIFT
    grace: Duration = Field(
        timedelta(hours=24),
        description="How long a declared event type or value may take to come for the first time.",
    )
    dimensions: Globs = Field(("*",), description="Watched dimensions whose values are checked.")
    recent: Duration = Field(
        timedelta(hours=24),
        description="What counts as coming now: retired types, drafts, null types, unexpected values "
        "with rows loaded in this span. Longer where loads are days apart.",
    )
    new_for: Duration = Field(
        timedelta(days=7),
        description="How long an event type that nobody declared is called new; after that it is "
        "known but undeclared, and only a note (info) once it no longer comes.",
    )
    max_untyped: float = Field(
        0.0, ge=0, le=1, description="Largest accepted share of rows with a null or an empty type."
    )
    max_unexpected: float = Field(
        0.001,
        ge=0,
        le=1,
        description="Largest accepted share of an event type's rows with a value that its contract "
        "does not name, where it names values.",
    )

    @field_validator("recent")
    @classmethod
    def _some_time(cls, span: timedelta) -> timedelta:
        if span < timedelta(hours=1):
            raise ValueError("must be 1h or longer: loads are counted by the hour")
        return span
