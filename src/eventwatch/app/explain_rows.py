"""Rows without an event type: no check judges their counts, yet they can be looked at like others.

Drift tells that there are any. Here is how many came, hour by hour, beside what was usual.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from eventwatch.detect.aloud import run_aloud
from eventwatch.kinds import volume
from eventwatch.kinds.volume_lived import lived
from eventwatch.kinds.volume_panel import DAY, judged_at, panel_of
from eventwatch.kinds.volume_trace import trace_of
from eventwatch.model.counting import counted
from eventwatch.model.measurement import HOUR
from eventwatch.model.trace import Trace
from eventwatch.model.view import ExposureView


@dataclass(frozen=True)
class Nameless:
    """The rows of an exposure whose event type is null."""

    sentence: str
    trace: Trace | None
    """None: there is no whole bucket yet."""


def nameless(view: ExposureView, *, days: float | None = None) -> Nameless | None:
    """None where no such row ever came."""
    if all(key.event_type is not None for key in view.rows.keys):
        return None
    at = judged_at(view)
    view = replace(view, rows=lived(view))
    panel = panel_of(view, max(int(view.exposure.bucket.total_seconds()), HOUR), at)
    if None not in panel.names or panel.grid.size < 2:
        return Nameless("rows without an event type came, but no hour of them is over yet", None)
    column = panel.names.index(None)
    whole = volume.scorable(view, panel)
    aloud = run_aloud(whole, volume.settings_of(view))
    cells = view.rows
    recent = (cells.occurred >= at - DAY) & (cells.occurred < at)
    bare = np.array([key.event_type is None for key in cells.keys])[cells.series]
    came, of_all = int(cells.rows[recent & bare].sum()), int(cells.rows[recent].sum())
    share = f", {came / of_all * 100:.2f} % of all rows" if of_all else ""
    trace = trace_of(
        panel,
        aloud.scored,
        column,
        zone=view.exposure.time_zone.key,
        days=days,
        scale=aloud.scale[:, :, column],
    )
    sentence = f"{counted(came, 'row')} without an event type in the last 24 h{share}"
    trace = replace(trace, title="rows without an event type", sentence=sentence)
    return Nameless(sentence, of_the_unnamed(trace))


def of_the_unnamed(trace: Trace) -> Trace:
    """With a count of 0 before the first of them, and with what is usual only where there was time to
    learn it: of a few hours it would be a guess that nobody judges by."""
    first = next((i for i, value in enumerate(trace.observed) if value is not None), 0)
    known = sum(value is not None for value in trace.observed)
    trace = replace(trace, observed=(0.0,) * first + trace.observed[first:])
    if known * trace.step < volume.LEARNING:
        trace = replace(trace, expected=(), lower=(), upper=(), common=())
    return trace
