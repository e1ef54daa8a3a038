"""Goes on where an earlier pass over the same past stood, instead of replaying weeks for five minutes.

A pass is causal: what it knows at the end of a day rests on the buckets up to there and on nothing
else. So that state is kept, named by a digest of everything it rests on, and a later panel with the
very same past starts from it. The result is the same to the bit; when a late row changed the past,
the name differs and everything is run again. This changes what a call costs, never what it returns.
"""

from __future__ import annotations

import copy
import threading
from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from eventwatch.detect.engine import Pass
from eventwatch.detect.panel import Panel, Scored
from eventwatch.detect.settings import DetectSettings

DAYS_BACK = 3
"""Where the state is kept: further back than rows are usually late, near enough to be cheap."""
MOST_KEPT = 8
LARGEST = 1_500_000
"""Buckets of a panel; the kept arrays of a larger one would cost more memory than time."""

_ROWS = ("sum_x", "sum_s", "sum_d", "levels", "doubts")
"""One row more than there are buckets."""
_STATE = (
    "level",
    "doubt",
    "drift",
    "trend",
    "trend_product",
    "trend_power",
    "season",
    "calibration",
    "spread",
    "witness",
    "hot",
    "hot_for",
    "calm_for",
    "zero_for",
    "reset",
    "before",
    "accepted",
    "last_out",
    "table_hot_for",
)


@dataclass(frozen=True)
class _Kept:
    """A pass at the end of a day. Never changed after it was made."""

    rows: dict[str, Any]
    state: dict[str, Any]
    out: dict[str, Any]
    onset: Any
    birth: Any


_kept: OrderedDict[bytes, _Kept] = OrderedDict()
_lock = threading.Lock()


def run_on(panel: Panel, settings: DetectSettings) -> Scored:
    """What ``engine.run`` gives, from a kept state where there is one. Safe for threads."""
    with np.errstate(all="ignore"):
        made = Pass(panel, settings)
        if not panel.counts.size:
            return made.out
        per_day = panel.grain.per_day
        stop = (made.total // per_day - DAYS_BACK) * per_day
        if stop <= 0 or panel.counts.size > LARGEST:
            return made.run()
        name = _digest(panel, settings, stop)
        with _lock:
            kept = _kept.get(name)
            if kept is not None:
                _kept.move_to_end(name)
        if kept is None:
            made.go_on(0, stop)
            kept = _keep(made, stop)
            with _lock:
                _kept[name] = kept
                while len(_kept) > MOST_KEPT:
                    _kept.popitem(last=False)
        else:
            _restore(made, kept, stop)
        made.go_on(stop, made.total)
        return made.finish()


def _digest(panel: Panel, settings: DetectSettings, stop: int) -> bytes:
    """Names everything that the state at ``stop`` rests on."""
    digest = blake2b(digest_size=16)
    digest.update(repr((settings, panel.grain, panel.counts.shape[1])).encode())
    clock = panel.clock.part(0, stop)
    arrays = [panel.counts[:stop], *(getattr(clock, f.name) for f in fields(clock))]
    arrays += [part[:stop] for part in (panel.share, panel.doubt) if part is not None]
    for array in map(np.asarray, arrays):
        digest.update(repr((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.digest()


def _keep(made: Pass, stop: int) -> _Kept:
    return _Kept(
        rows={name: getattr(made, name)[: stop + 1].copy() for name in _ROWS},
        state={name: copy.deepcopy(getattr(made, name)) for name in _STATE},
        out={
            f.name: getattr(made.out, f.name)[:stop].copy()
            for f in fields(Scored)
            if f.name != "accepted"
        },
        onset=made.onset[:stop].copy(),
        birth=made.birth.copy(),
    )


def _restore(made: Pass, kept: _Kept, stop: int) -> None:
    for name, rows in kept.rows.items():
        getattr(made, name)[: stop + 1] = rows
    unborn = kept.birth >= stop
    born_later = made.reset[unborn]
    for name, value in kept.state.items():
        setattr(made, name, copy.deepcopy(value))
    # When an event type is born later than the kept state, that state could not know when.
    made.reset[unborn] = born_later
    for name, rows in kept.out.items():
        getattr(made.out, name)[:stop] = rows
    made.onset[:stop] = kept.onset
    made.out = replace(made.out, accepted=made.accepted)
