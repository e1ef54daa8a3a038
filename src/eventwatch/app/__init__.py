"""Wires the parts together. Only ``adapters`` names concrete ones."""

from eventwatch.app.adapters import adapter
from eventwatch.app.house import House, RunOptions, keeper, load, notifier, reader, store
from eventwatch.app.pulse import late_exposures
from eventwatch.app.runs import Workplace, audit, cycle, new_run_id, run_cycle, send_due
from eventwatch.app.telling import tell
from eventwatch.app.validation import Validation, validate

__all__ = [
    "House",
    "RunOptions",
    "Validation",
    "Workplace",
    "adapter",
    "audit",
    "cycle",
    "keeper",
    "late_exposures",
    "load",
    "new_run_id",
    "notifier",
    "reader",
    "run_cycle",
    "send_due",
    "store",
    "tell",
    "validate",
]
