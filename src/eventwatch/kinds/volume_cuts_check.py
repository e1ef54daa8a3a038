"""What a volume definition may say of cuts."""

from __future__ import annotations

from pydantic import Field

from eventwatch.kinds.definition import Check, Globs


class CutCheck(Check):
    """Which dimensions are judged by value, and how."""

    dimensions: Globs = Field(
        ("*",), description="Watched dimensions whose values are judged within their event type."
    )
    stable_dimensions: Globs | None = Field(
        None,
        description="Dimensions in which rows that moved from one value to another are told too.",
    )
