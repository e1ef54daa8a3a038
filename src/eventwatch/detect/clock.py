"""Slots of consecutive buckets, and tables by slot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.calendar import slots
from eventwatch.detect.settings import DAY, DetectSettings, Grain

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def pick(table: FloatArray, slots: IntArray) -> FloatArray:
    """Rows of [slot, S] by slots [n] that all series share, or [n, S] of their own."""
    if slots.ndim == 1:
        return np.asarray(table[slots], dtype=np.float64)
    return np.asarray(np.take_along_axis(table, slots, axis=0), dtype=np.float64)


def scatter(table: FloatArray, slots: IntArray, values: FloatArray) -> None:
    """Adds values [n, S] to the rows of [slot, S]; a slot may come twice."""
    if slots.ndim > 1:
        flat = slots * table.shape[1] + np.arange(table.shape[1])
        table += np.bincount(flat.ravel(), values.ravel(), table.size).reshape(table.shape)
        return
    # Buckets that follow each other and share a slot are one.
    starts = np.concatenate([[True], slots[1:] != slots[:-1]]).nonzero()[0]
    if len(starts) < len(slots):
        values, slots = np.add.reduceat(values, starts, axis=0), slots[starts]
    if len(set(slots.tolist())) == len(slots):
        table[slots] += values
        return
    for slot, row in zip(slots.tolist(), values, strict=True):
        table[slot] += row


@dataclass
class Clock:
    """Slots of consecutive buckets: [n], or [n, S] where series start at different times."""

    slot: IntArray
    """Slot of the day, 0 to ``slots_per_day`` - 1."""
    weekday: IntArray
    slots_per_day: int

    @property
    def week(self) -> IntArray:
        """Slot of the week."""
        return np.asarray(self.weekday * self.slots_per_day + self.slot, dtype=np.int64)

    @property
    def shape(self) -> IntArray:
        """Slot of the day, Saturday's and Sunday's apart from the other days'."""
        return np.asarray((self.weekday >= 5) * self.slots_per_day + self.slot, dtype=np.int64)

    def part(self, start: int, stop: int) -> Clock:
        """Buckets [start, stop)."""
        return Clock(self.slot[start:stop], self.weekday[start:stop], self.slots_per_day)

    def of(self, columns: IntArray) -> Clock:
        """The same for some of the series."""
        if self.slot.ndim == 1:
            return self
        return Clock(self.slot[:, columns], self.weekday[:, columns], self.slots_per_day)


def clock_of(epochs: NDArray[np.int64], of: Grain, settings: DetectSettings) -> Clock:
    """The slots of bucket starts (epoch seconds, any shape)."""
    # A bucket of a day and more is named by its middle: local midnight need not be UTC's.
    when = slots(epochs + (of.seconds // 2 if of.seconds >= DAY else 0), settings.time_zone)
    if of.seconds >= DAY:
        return Clock(np.zeros_like(epochs), when.weekday, 1)
    return Clock(when.second // of.seconds, when.weekday, of.slots_per_day)
