"""The reader of exposures, with its faults at the lines of the settings that they name.

The reader knows of each exposure only where it begins; which line of config.yaml says
``columns.loaded_at`` only the config knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from eventwatch.config.load import Loaded
from eventwatch.model.errors import ExposureInvalid, Fault
from eventwatch.model.measurement import Recount, Scan, ScanRequest
from eventwatch.model.settings import Exposure
from eventwatch.ports.warehouse import Progress, Warehouse

T = TypeVar("T")


@dataclass(frozen=True)
class Placed:
    """Implements ``ports.warehouse.Warehouse`` over another one."""

    reader: Warehouse
    loaded: Loaded

    def verify(self, exposure: Exposure) -> tuple[Fault, ...]:
        """As the reader's, at the lines of the settings."""
        found = self._asked(lambda: self.reader.verify(exposure))
        return tuple(self.loaded.located(fault) for fault in found)

    def scan(
        self, exposure: Exposure, request: ScanRequest, progress: Progress | None = None
    ) -> Scan:
        """As the reader's; what it raises is at the lines of the settings."""
        return self._asked(lambda: self.reader.scan(exposure, request, progress))

    def recount(self, exposure: Exposure, first_day: datetime, end_day: datetime) -> Recount:
        """As the reader's; what it raises is at the lines of the settings."""
        return self._asked(lambda: self.reader.recount(exposure, first_day, end_day))

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except ExposureInvalid as error:
            raise ExposureInvalid([self.loaded.located(fault) for fault in error.faults]) from error
