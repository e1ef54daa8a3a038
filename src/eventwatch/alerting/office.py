"""What the telling step knows besides the board: contracts, teams, settings, abilities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eventwatch.alerting.routing import Directory
from eventwatch.model.contract import Catalog
from eventwatch.model.settings import Exposure, Maintenance, NotifySettings
from eventwatch.ports.notifier import Abilities


@dataclass(frozen=True)
class Office:
    """Everything is as of one instant and never changes within a step."""

    catalog: Catalog
    directory: Directory
    notify: NotifySettings
    exposures: Mapping[str, Exposure]
    """By name."""
    maintenance: tuple[Maintenance, ...] = ()
    abilities: Abilities = field(default_factory=Abilities)
