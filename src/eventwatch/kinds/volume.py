"""volume: did counts rise or fall as they should not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from eventwatch.kinds.definition import Check, Rules
from eventwatch.model.contract import Direction
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView


class VolumeCheck(Check):
    """How sensitive the rolling z-score is."""

    kind: Literal[KindName.VOLUME] = KindName.VOLUME
    false_alerts_per_team_and_week: float = Field(
        1.0, gt=0, le=1000, description="Budget of false alerts that the threshold is made for."
    )
    z_threshold: float | None = Field(
        None, gt=0, le=1000, description="A plain |z| to alert from, instead of the budget."
    )
    alert_on: Direction | None = Field(
        None, description="Which way counts; null: as the contract says, else both."
    )


def judge(view: ExposureView, rules: Rules[VolumeCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    yield from ()
