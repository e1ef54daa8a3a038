"""How the process is left.

A thread that was left behind in the middle of a query ends inside of compiled code when the interpreter
is taken down, and that aborts the process. Who left one behind goes without taking it down.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from contextlib import suppress
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """Ends the process with this exit code; what was written is written out first."""
    others = (thread for thread in threading.enumerate() if thread is not threading.main_thread())
    if not any(thread.daemon for thread in others):
        sys.exit(code)
    atexit._run_exitfuncs()
    logging.shutdown()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
