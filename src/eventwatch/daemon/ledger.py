"""Writes the slot ledger, whole and in order, also when the state is away for a while."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from eventwatch.model.errors import StoreError
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.ports.store import Store

log = logging.getLogger(__name__)

CLOCK = "@clock"
"""Under this name stand jumps of the machine's clock; no exposure can have it."""
MOST_KEPT = 20_000
"""Rows that wait for the state to come back; beyond, the oldest are left to the next start."""
ENDS = (SlotStatus.RAN, SlotStatus.FAILED, SlotStatus.SKIPPED)
RECENT = 100
"""Ends of an exposure's slots that are remembered."""
_SPANS = (timedelta(hours=2), timedelta(days=2), timedelta(days=40), timedelta(days=4000))


class Ledger:
    """For any thread. What could not be written is written with what comes next, so that the rows
    in the state never have a gap that a newer row hides."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting: list[Slot] = []
        self._said = ""
        """Why it waits, as it was logged last; empty: it does not."""
        self._ended: dict[str, deque[datetime]] = {}
        """Exposure → its newest slots that ended here."""

    def write(self, slots: Sequence[Slot]) -> bool:
        """Whether they are in the state now. An error of the state is logged, not raised. That a slot
        is due is no news once it ended: who says so may be slower than the worker that ran it."""
        with self._lock:
            for slot in slots:
                ended = self._ended.setdefault(slot.exposure, deque(maxlen=RECENT))
                if slot.status in ENDS:
                    ended.append(slot.scheduled_at)
                if slot.status is not SlotStatus.DUE or slot.scheduled_at not in ended:
                    self._waiting.append(slot)
            return self._flush()

    def catch_up(self) -> bool:
        """Writes what waits. Whether nothing waits any more."""
        with self._lock:
            return self._flush()

    @property
    def behind(self) -> bool:
        """Whether rows wait for the state."""
        return bool(self._waiting)

    def newest(self, exposure: str, now: datetime) -> tuple[Slot, ...]:
        """The newest rows of one exposure, oldest first; empty: there are none. Raises StoreError."""
        for span in _SPANS:
            found = self._store().slots(exposure, now - span)
            if found:
                return found
        return ()

    def _flush(self) -> bool:
        if not self._waiting:
            return True
        try:
            self._store().write_slots(self._waiting)
        except StoreError as error:
            if len(self._waiting) > MOST_KEPT:
                log.error("the slot ledger cannot be written for so long that rows are dropped")
                del self._waiting[: len(self._waiting) - MOST_KEPT]
            # Asked every ten seconds, for as long as the state is away.
            if str(error) != self._said:
                self._said = str(error)
                log.warning("the slot ledger waits: %s", error)
            return False
        if self._said:
            log.info("the slot ledger is written again")
        self._said = ""
        self._waiting.clear()
        return True
