"""The reader of exposures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from eventwatch.model.errors import Fault
from eventwatch.model.measurement import Recount, Scan, ScanRequest
from eventwatch.model.settings import Exposure

Progress = Callable[[float, str], None]
"""Called with a share done (0 to 1, NaN when unknown) and a word on what is being done."""


class Warehouse(Protocol):
    """Measures exposures. Opens, asks and closes; holds nothing between calls. Thread-safe: each
    call has a connection of its own."""

    def verify(self, exposure: Exposure) -> tuple[Fault, ...]:
        """Every difference between the config and the table (missing columns with the nearest
        names, types that cannot be what they are mapped to). Raises WarehouseError when it cannot
        be reached."""
        ...

    def scan(
        self, exposure: Exposure, request: ScanRequest, progress: Progress | None = None
    ) -> Scan:
        """One grouped statement (and one more for repeated ids, when asked for).

        Raises ExposureBusy, ExposureTimeout, ExposureInvalid or WarehouseError.
        """
        ...

    def recount(self, exposure: Exposure, first_day: datetime, end_day: datetime) -> Recount:
        """Rows per event type and loaded UTC day in [first_day, end_day), one statement. Raises as
        scan. Days are by occurrence where there is no load time."""
        ...
