"""drift: event types and dimension values that nobody declared, or that should come and do not.

Aspects of an event type: ``unseen`` (no contract declares it), ``missing``, ``retired``, ``draft``,
``misplaced`` (declared for other exposures), ``value_missing``, ``value_unexpected``. Of the
exposure: ``null_type``, ``empty_type``, ``value_unknown``, ``value_stopped``. ``value_all`` says that
nothing is wrong with a dimension. That an event type fell
silent is freshness' business; that it comes at all, or should not, is this kind's.
"""

from __future__ import annotations

from collections.abc import Iterator

from eventwatch.kinds.arrivals import arrivals_of
from eventwatch.kinds.definition import Rules
from eventwatch.kinds.drift_check import DriftCheck
from eventwatch.kinds.drift_types import judge_types
from eventwatch.kinds.drift_values import judge_values
from eventwatch.kinds.results import Maker
from eventwatch.model.result import Result
from eventwatch.model.status import KindName
from eventwatch.model.view import ExposureView

__all__ = ["DriftCheck", "judge"]


def judge(view: ExposureView, rules: Rules[DriftCheck]) -> Iterator[Result]:
    """Results of the exposure and of each event type."""
    maker = Maker(view.exposure.name, KindName.DRIFT)
    yield from judge_types(view, rules, arrivals_of(view), maker)
    yield from judge_values(view, rules, maker)
