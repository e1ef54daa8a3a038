"""freshness: did it arrive, and on time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from pydantic import Field

from eventwatch.kinds.definition import Check, Duration, Rules
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView


class FreshnessCheck(Check):
    """How late the exposure may be, how slow its loads, how silent an event type."""

    kind: Literal[KindName.FRESHNESS] = KindName.FRESHNESS
    max_staleness: Duration | None = Field(
        None, description="Oldest the newest arrival of the exposure may be; null: learned."
    )
    max_lag: Duration | None = Field(
        timedelta(minutes=15), description="p95 of loaded - occurred; null: not checked."
    )


def judge(view: ExposureView, rules: Rules[FreshnessCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    yield from ()
