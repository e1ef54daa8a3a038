"""The check kinds that ship, as one static table: the parser, the planner and the types read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from eventwatch.kinds import drift, duplicates, freshness, volume
from eventwatch.kinds.definition import Check, Rules
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView

AnyCheck = Annotated[
    freshness.FreshnessCheck | drift.DriftCheck | volume.VolumeCheck | duplicates.DuplicatesCheck,
    Field(discriminator="kind"),
]
"""Any definition; ``kind`` decides which."""


@dataclass(frozen=True)
class Kind:
    """One check kind: its built-in defaults and its pure judge."""

    defaults: Check
    judge: Callable[[ExposureView, Rules[Any]], Iterable[Result]]


KINDS: Mapping[KindName, Kind] = {
    KindName.FRESHNESS: Kind(freshness.FreshnessCheck(), freshness.judge),
    KindName.DRIFT: Kind(drift.DriftCheck(), drift.judge),
    KindName.VOLUME: Kind(volume.VolumeCheck(), volume.judge),
    KindName.DUPLICATES: Kind(duplicates.DuplicatesCheck(), duplicates.judge),
}
