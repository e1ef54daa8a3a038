"""Named places at which a test may end the process, as ``kill -9`` would.

``EVENTWATCH_CRASH_AT=name`` ends it the first time that place is passed, ``name:3`` the third time.
Without the variable nothing happens. The names stand here, so that a proof can go through all of
them; each is passed before and after something that the outside sees.
"""

from __future__ import annotations

import os
import threading

POINTS = (
    "claim.before",
    "claim.after",
    "send.before",
    "send.after",
    "settle.before",
    "settle.after",
    "reconcile.before",
    "reconcile.after",
    "post.before",
    "post.after",
    "reply.before",
    "reply.after",
    "update.before",
    "update.after",
    "ask.before",
    "ask.after",
    "upload.before",
    "upload.reserved",
    "upload.sent",
    "upload.after",
)
"""``claim`` and ``settle`` are the commits of the sender; ``upload`` has three requests."""

_passed: dict[str, int] = {}
_lock = threading.Lock()


def faultpoint(name: str) -> None:
    """Ends the process here, if it is told to; no handler and no clean-up runs."""
    wanted, _, count = os.environ.get("EVENTWATCH_CRASH_AT", "").partition(":")
    if wanted != name:
        return
    with _lock:
        _passed[name] = _passed.get(name, 0) + 1
        if _passed[name] >= int(count or 1):
            os._exit(137)
