"""The long-running process: every exposure on its own schedule, and a clean stop.

The only package that knows a scheduler. It wakes; what is due, what was done and who may do it are
decided beside it: ``agenda`` and ``ledger`` keep the slots, ``right`` keeps other daemons away,
``steady`` keeps a clock that does not jump.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from eventwatch.model.errors import StateOwned
from eventwatch.model.schedule import longest_wait

if TYPE_CHECKING:
    from eventwatch.app import House

__all__ = ["StateOwned", "longest_wait", "serve"]


def serve(house: House, load: Callable[[], House] | None = None, *, watch: bool = False) -> int:
    """Runs the daemon in this thread until it is told to stop, and gives the exit code. ``load``
    reads the configuration again, on SIGHUP, and whenever it changes with ``watch``.

    Raises StateOwned where another daemon runs on the state, StoreError where it cannot be used.
    """
    # Imported late: ``longest_wait`` is all that most commands ask for.
    from eventwatch.daemon.process import Daemon

    return Daemon(house, load=load, watch=watch).serve()
