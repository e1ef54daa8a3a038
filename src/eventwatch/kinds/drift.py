"""drift: event types and dimension values that nobody declared, or that should come and do not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from pydantic import Field

from eventwatch.kinds.definition import Check, Duration, Globs, Rules
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView


class DriftCheck(Check):
    """What may come and what must."""

    kind: Literal[KindName.DRIFT] = KindName.DRIFT
    grace: Duration = Field(
        timedelta(hours=24),
        description="How long a declared event type or value may take to come for the first time.",
    )
    dimensions: Globs = Field(("*",), description="Watched dimensions whose values are checked.")


def judge(view: ExposureView, rules: Rules[DriftCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    yield from ()
