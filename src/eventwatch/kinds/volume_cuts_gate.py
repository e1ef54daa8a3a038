"""Which cuts are worth a close look, by sums over the last hours alone; pure and cheap.

Three questions for each window: is the share off by far more than chance, against the share of weeks
and of some days ago; are the cut's own rows off the same way from what the event type usually brings;
and did the rows go, or only move to other values of the dimension. The gate is wide: what it lets
through is scored with care, what it stops could not have reached a threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eventwatch.detect.panel import Scored
from eventwatch.detect.transform import z_of
from eventwatch.kinds.volume_cuts_counts import RECENT, WINDOWS, CutSums
from eventwatch.kinds.volume_panel import VolumePanel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

FAR = 3.5
"""Standard deviations of chance alone; thresholds are about twice that."""
WORTH = 0.1
"""Relative change of a share that is worth telling at all."""
FEWEST = 8.0
"""Rows that must be expected, or have come."""
OWN_Z = 2.0
"""By how much its own rows must be off the same way."""
MOVED = 0.5
"""Part of the missing rows of a value that the others must not have taken over."""
RESOLVED = 2.0
"""Standard deviations of the event type's rows from which on it can be said whether rows moved."""
BROAD = 0.6
"""Weighted part of event types in which a value must move for the exposure to tell it."""
FEWEST_SIBLINGS = 20.0
"""Rows of a value from which on it says how the others fare."""
FEWEST_TYPES = 4
LARGEST_VOICE = 0.2
"""No event type has more than this part of the say in what "most" is."""


@dataclass(frozen=True)
class Judged:
    """J cuts that are judged; arrays [J]."""

    series: IntArray
    """In the cells."""
    owner: IntArray
    """Whose rules."""
    column: IntArray
    """Event type in the panel."""
    steady: BoolArray
    """Told also where rows only moved to other values."""
    drops: BoolArray
    rises: BoolArray


@dataclass(frozen=True)
class Gate:
    """What was found of J cuts over W windows; arrays [J, W] unless said otherwise."""

    share: FloatArray
    """[J] over the weeks before."""
    observed: FloatArray
    by_share: FloatArray
    """Expected by the share of weeks alone."""
    passes: BoolArray
    """Own rows off the same way as the share, and rows not only moved."""
    falls: BoolArray
    far: FloatArray
    """[J] largest |z| among the windows that are open."""
    own_expected: FloatArray
    """Rows the cut should have had by the event type's usual number."""

    @property
    def open(self) -> BoolArray:
        """[J] worth a close look."""
        return self.far > 0

    def agrees(self, j: int, window: int, falls: bool) -> bool:
        """Whether the cut's own rows say the same in the window that spoke."""
        w = WINDOWS.index(window)
        return bool(self.passes[j, w] and self.falls[j, w] == falls)

    def together(self, own: IntArray) -> tuple[int, int] | None:
        """For the cuts of one value: in how many of how many event types it moves the same way, where
        that is most of them; None: it is not."""
        if len(own) < FEWEST_TYPES:
            return None
        observed, due = self.observed[own], self.by_share[own]
        total, sum_due = observed.sum(axis=0), due.sum(axis=0)
        change = total / np.maximum(sum_due, 1e-9) - 1.0
        far = np.abs(total - sum_due) >= FAR * np.sqrt(sum_due + 1.0)
        by_own = self.own_expected[own].sum(axis=0)
        alike = np.sign(total - by_own) == np.sign(change)
        far &= (np.abs(change) >= WORTH) & (sum_due >= FEWEST) & alike
        best: tuple[int, int] | None = None
        for w in np.flatnonzero(far):
            known = due[:, w] >= 1.0
            if known.sum() < FEWEST_TYPES:
                continue
            ratio = observed[known, w] / due[known, w] - 1.0
            moved = ratio * np.sign(change[w]) >= abs(change[w]) / 2.0
            voice = np.minimum(due[known, w], LARGEST_VOICE * due[known, w].sum())
            if (voice * moved).sum() >= BROAD * voice.sum():
                found = int(moved.sum()), int(known.sum())
                best = found if best is None or found[0] > best[0] else best
        return best


def gate_of(sums: CutSums, judged: Judged, panel: VolumePanel, scored: Scored) -> Gate:
    """The gate of all judged cuts, as of the newest closed hour."""
    mine = judged.series
    group = sums.group[mine]
    all_rows = sums.windows(sums.of_group(sums.recent))[group]
    observed = sums.windows(sums.recent[mine])
    share = _share(sums.before, sums)[mine]
    settled_rows = sums.of_group(sums.settled)[group]
    settled = np.where(settled_rows >= FEWEST, _share(sums.settled, sums)[mine], share)
    low, high = np.minimum(share, settled)[:, None], np.maximum(share, settled)[:, None]
    base = np.clip(observed / np.maximum(all_rows, 1e-9), low, high)
    expected = base * all_rows
    z = (observed - expected) / np.sqrt(expected * (1.0 - base) + 1.0)
    falls = observed < expected
    far = (np.abs(z) >= FAR) & (np.abs(observed - expected) >= WORTH * expected)
    far &= np.where(falls, expected, observed) >= FEWEST
    far &= np.where(falls, judged.drops[:, None], judged.rises[:, None])
    usual = _usual(panel, scored)[judged.column]
    # Of closed hours: that of the open one is mostly about what has not come yet.
    last = panel.grid.size - 1
    spread = np.median(scored.one_spread[last - 24 : last, judged.column], axis=0)[:, None]
    # How far a type strays by itself averages out over a window, but not as chance does.
    phi = np.maximum(spread, 1e-4) / np.sqrt(np.array(WINDOWS))
    own = np.maximum(base * usual, 1e-9)
    own_z = z_of(observed, own, phi)
    passes = np.where(falls, -own_z, own_z) >= OWN_Z
    gone = np.where(falls, own - observed, observed - own)
    of_type = np.where(falls, usual - all_rows, all_rows - usual)
    resolved = gone >= RESOLVED * np.sqrt(usual + phi * usual**2)
    stayed = of_type < MOVED * gone
    # Where nobody can say whether rows went or moved, they went.
    passes &= ~(resolved & stayed) | judged.steady[:, None]
    return Gate(
        share=share,
        observed=observed,
        by_share=share[:, None] * all_rows,
        passes=passes,
        falls=falls,
        far=np.where(far & passes, np.abs(z), 0.0).max(axis=1),
        own_expected=own,
    )


def _share(rows: FloatArray, sums: CutSums) -> FloatArray:
    """[S] of the group's."""
    total = sums.of_group(rows)[sums.group]
    return np.asarray((rows + 1e-3) / np.maximum(total, 1.0), dtype=np.float64)


def _usual(panel: VolumePanel, scored: Scored) -> FloatArray:
    """[S, W] rows that event types usually have in the last closed hours, as far as they have come."""
    last = panel.grid.size - 1
    hours = np.nan_to_num(scored.one_expected[last - RECENT : last])[::-1]
    return np.asarray(np.cumsum(hours, axis=0)[np.array(WINDOWS) - 1].T, dtype=np.float64)


def only_moved(sums: CutSums, cut: int, window: int, *, falls: bool) -> bool:
    """Whether the rows of one cut (a series) went to other values, or came from them, by these values
    alone: of what is lost without a trace all the others grow alike in share; what moves makes one of
    them grow and leaves the rest as it is. With a single sibling nothing can be said."""
    members = np.flatnonzero(sums.group == sums.group[cut])
    before = sums.settled[members]
    before = before if before.sum() >= 5 * FEWEST_SIBLINGS else sums.before[members]
    came = sums.recent[members, :window].sum(axis=1)
    due = before / max(before.sum(), 1.0) * came.sum()
    own = members == cut
    told = ~own & (due >= FEWEST_SIBLINGS)
    if told.sum() < 2:
        return False
    ratio = came[told] / due[told]
    level = float(ratio.min() if falls else ratio.max())
    change = float((came[own] - level * due[own]).sum())
    taken = float(np.clip((came - level * due)[~own] * (1 if falls else -1), 0.0, None).sum())
    if (change >= 0) == falls or abs(change) < WORTH * float(due[own].sum()):
        return True  # it is the others that changed
    return taken >= MOVED * abs(change)
