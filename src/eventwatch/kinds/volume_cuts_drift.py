"""Which silent cuts volume leaves to drift, so that nobody is told twice.

A value that is gone altogether is drift's question, and drift asks it of declared event types only.
Volume tells what drift leaves alone: a value that still comes but too seldom, and a silent one of an
event type nobody declared, or that is too small a part of it for drift.
"""

from __future__ import annotations

import numpy as np

from eventwatch.kinds.drift_novelty import novelty_of
from eventwatch.kinds.drift_parts import LEARNED_SHARE
from eventwatch.kinds.drift_scene import LEARNED_HISTORY
from eventwatch.kinds.drift_values import WHOLE_SHARE
from eventwatch.model.contract import Contract, LifecycleState
from eventwatch.model.measurement import HOUR, OTHER
from eventwatch.model.result import Cut
from eventwatch.model.view import ExposureView


def drift_watches(view: ExposureView, contract: Contract | None, cut: Cut) -> bool:
    """Whether the silence of a value is one that drift judges; ``contract`` None: over all event types
    (an event type that nobody declared is not watched by drift, and must not be asked for here)."""
    if cut.value == OTHER:
        return False
    named = contract is not None and cut.value in contract.expected_values.get(cut.dimension, ())
    if contract is not None:
        if contract.state not in (LifecycleState.ACTIVE, LifecycleState.DEPRECATED):
            return False
        if contract.sunset is not None and contract.sunset <= view.now.date():
            return False
    if named:
        return True
    if novelty_of(view, cut.dimension).is_usual:
        return False
    if contract is not None and contract.expected_values.get(cut.dimension):
        return False  # a value that the contract does not name may go
    keys = view.cuts.keys
    about = None if contract is None else contract.event_type
    group = np.array(
        [k.dimension == cut.dimension and about in (None, k.event_type) for k in keys], dtype=bool
    )
    own = group & np.array([k.value == cut.value for k in keys], dtype=bool)
    mine, all_of = own[view.cuts.series], group[view.cuts.series]
    rows = float(view.cuts.rows[mine].sum())
    least = WHOLE_SHARE if contract is None else LEARNED_SHARE
    hours = np.unique(view.cuts.occurred[mine] // HOUR)
    if not len(hours) or rows < least * float(view.cuts.rows[all_of].sum()):
        return False
    return bool(hours[-1] - hours[0] >= LEARNED_HISTORY)
