"""duplicates: rows whose event id came before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from pydantic import Field

from eventwatch.kinds.definition import Check, Duration, Rules
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView


class DuplicatesCheck(Check):
    """How many repeated ids are too many."""

    kind: Literal[KindName.DUPLICATES] = KindName.DUPLICATES
    max_share: float = Field(
        0.001, ge=0, le=1, description="Largest accepted share of rows with a repeated id."
    )
    over: Duration = Field(
        timedelta(hours=24), description="Span of loaded time the share is taken over."
    )


def judge(view: ExposureView, rules: Rules[DuplicatesCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    yield from ()
