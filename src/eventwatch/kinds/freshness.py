"""freshness: did it arrive, and on time.

Aspects: ``staleness``, ``lag``, ``times``, ``load_times`` and ``changed`` of the exposure;
``silence``, ``lag`` and ``times`` of an event type. Whether an event type came at all is asked by
drift, and how much came by volume.
"""

from __future__ import annotations

from collections.abc import Iterator

from eventwatch.kinds.arrivals import arrivals_of
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.freshness_check import FreshnessCheck
from eventwatch.kinds.freshness_lag import judge_lags
from eventwatch.kinds.freshness_silence import judge_silences
from eventwatch.kinds.freshness_table import Scene, judge_staleness
from eventwatch.kinds.freshness_times import judge_changes, judge_times
from eventwatch.kinds.results import Maker
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView

__all__ = ["FreshnessCheck", "judge"]


def judge(view: ExposureView, rules: Rules[FreshnessCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    maker = Maker(view.exposure.name, KindName.FRESHNESS)
    check = rules.for_exposure()
    arrivals = arrivals_of(view)
    scene = Scene(view, arrivals, maker)
    # Also where the exposure's own result is switched off: a late table explains silent types.
    staleness, table = judge_staleness(scene, check)
    if check.enabled:
        yield staleness
        yield from judge_changes(view, check, maker)
    yield from judge_lags(view, rules, maker)
    yield from judge_times(view, rules, arrivals, maker)
    yield from judge_silences(scene, rules, table)
