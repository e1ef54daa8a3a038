"""What a pass has said, over all buckets of a panel, as far back as a verdict may ask.

Of old buckets only the alarms stay, and everything of the series that had one: a verdict asks how far
an alarm reaches back, how high it was and what was expected before it. All else is 0 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.engine import Pass
from eventwatch.detect.panel import Scored
from eventwatch.detect.settings import DAY, Grain

_WHOLE = ("alarm", "common", "common_hot")
_NEAR = ("season", "level", "one_expected", "one_spread")
_FAR = ("score", "window", "season", "level")
_OTHER = tuple(f.name for f in fields(Scored) if f.name not in (*_WHOLE, "accepted"))
NEW_LEVEL_DAYS = 7
"""So long a new level is told, with the alarm that came before it."""


def far_buckets(grain: Grain) -> int:
    """How far back what was said of a series in trouble is kept."""
    per_day = grain.per_day
    days = NEW_LEVEL_DAYS * max(per_day, 1) if grain.seconds <= DAY else NEW_LEVEL_DAYS
    least = days + max(grain.accept, grain.accept_zero) + max(grain.windows) + 2 * per_day
    return -(-least // per_day) * per_day


class Said:
    """Arrays over all buckets of a panel, filled while a pass goes on. What lies too far back for any
    verdict is never touched, so it costs no memory."""

    def __init__(self, total: int, series: int, grain: Grain) -> None:
        self.far = far_buckets(grain)
        # A few days more than that: states are kept as of some days ago.
        self.first = max(total - self.far - 5 * grain.per_day, 0)
        shape = (total, series)
        self.arrays: dict[str, NDArray[Any]] = {name: np.zeros(shape) for name in _OTHER}
        self.arrays["window"] = np.zeros(shape, dtype=np.int16)
        self.arrays["alarm"] = np.zeros(shape, dtype=bool)
        self.arrays["common"] = np.zeros(total)
        self.arrays["common_hot"] = np.zeros(total, dtype=bool)

    def take(self, made: Pass, cut: int, begin: int, end: int) -> None:
        """What a pass over a panel without its first ``cut`` buckets says of [begin, end)."""
        for name in _WHOLE:
            self.arrays[name][begin:end] = getattr(made.out, name)[begin - cut : end - cut]
        self.arrays["season"][begin:end] = made.out.season[begin - cut : end - cut]
        # An alarm takes back the levels of the window that spoke.
        back = max(begin - int(made.windows.max()), cut)
        self.arrays["level"][back:end] = made.levels[back - cut : end - cut]
        begin = max(begin, self.first)
        for name in _OTHER:
            if name not in ("level", "season"):
                self.arrays[name][begin:end] = getattr(made.out, name)[begin - cut : end - cut]

    def recall(self, kept: Mapping[str, NDArray[Any]], stop: int) -> None:
        """What was said before ``stop``, from ``kept``."""
        self.arrays["alarm"][:stop] = self.alarms(kept, stop)
        for name in ("common", "common_hot"):
            self.arrays[name][:stop] = kept[name]
        for name in _NEAR:
            rows = kept["near/" + name]
            self.arrays[name][stop - len(rows) : stop] = rows
        columns = kept["far/columns"]
        for name in _FAR:
            rows = kept["far/" + name]
            self.arrays[name][stop - len(rows) : stop, columns] = rows

    def kept(self, stop: int, near: int, accepted: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """What must be known of the buckets before ``stop`` to go on from there; ``accepted`` [S] are
        the buckets at which a new level was last accepted."""
        arrays = self.arrays
        near, far = max(stop - near, 0), max(stop - self.far, 0)
        found: dict[str, NDArray[Any]] = {"alarm": np.packbits(arrays["alarm"][:stop], axis=0)}
        for name in ("common", "common_hot"):
            found[name] = arrays[name][:stop].copy()
        for name in _NEAR:
            found["near/" + name] = arrays[name][near:stop].copy()
        told = arrays["alarm"][far:stop].any(axis=0) | (accepted >= far)
        if arrays["common_hot"][far:stop].any():
            told = np.ones_like(told)
            calm = np.flatnonzero(~arrays["common_hot"][:stop])
            # What all share is told from its beginning, however long ago.
            far = min(far, int(calm[-1]) if calm.size else 0)
        columns = np.flatnonzero(told)
        found["far/columns"] = columns
        for name in _FAR:
            found["far/" + name] = arrays[name][far:stop][:, columns]
        return found

    @staticmethod
    def alarms(kept: Mapping[str, NDArray[Any]], stop: int) -> NDArray[np.bool_]:
        """[stop, S] which buckets were in alarm."""
        return np.unpackbits(kept["alarm"], axis=0, count=stop).view(np.bool_)

    def scored(self, accepted: NDArray[Any]) -> Scored:
        """All of it."""
        return Scored(**self.arrays, accepted=accepted.astype(np.int32))


class Unsaid:
    """The same for whoever reads what is said while the pass goes on: no more than the pass itself must
    know of earlier buckets."""

    def __init__(self, total: int, series: int) -> None:
        self.alarm = np.zeros((total, series), dtype=bool)
        self.season = np.zeros((0, series))

    def take(self, made: Pass, cut: int, begin: int, end: int) -> None:
        """As of ``Said``."""
        self.alarm[begin:end] = made.out.alarm[begin - cut : end - cut]
        self.season = made.out.season[: end - cut]

    def kept(self, stop: int, near: int, _: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """As of ``Said``."""
        alarm = np.packbits(self.alarm[:stop], axis=0)
        return {"alarm": alarm, "near/season": self.season[-near:].copy()}
