"""The daemon with a schedule that no config allows: ``quick_daemon.py CONFIG SECONDS``.

``QUICK_BREAK`` names something to go wrong in it: ``scheduler``, ``worker``, ``sender`` (its thread
dies) or ``stuck`` (the scheduler stands still).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from eventwatch import app
from eventwatch.cli.logs import LogLevel, set_up_logging
from eventwatch.daemon import StateOwned, timer
from eventwatch.daemon.desk import Desk
from eventwatch.daemon.process import Daemon
from eventwatch.daemon.rounds import Rounds
from eventwatch.daemon.signals import stoppable


def quick(path: Path, seconds: float) -> app.House:
    house = app.load(path)
    exposures = tuple(
        replace(e, every=timedelta(seconds=seconds)) for e in house.settings.exposures
    )
    settings = replace(house.settings, exposures=exposures)
    return replace(house, loaded=replace(house.loaded, settings=settings))


class Broken(BaseException):
    """What no handler expects."""


def break_down(what: str) -> None:
    began = time.monotonic()

    def fail(*_: object) -> None:
        if time.monotonic() - began > 3:
            raise Broken(what)

    if what == "scheduler":
        asked = timer.Alarm.get_next_fire_time

        def broken(self: timer.Alarm, *arguments: object) -> object:
            fail()
            return asked(self, *arguments)  # type: ignore[arg-type]

        timer.Alarm.get_next_fire_time = broken  # type: ignore[assignment]
    elif what == "stuck":
        timer.Alarm.get_next_fire_time = lambda *_: threading.Event().wait()  # type: ignore
    elif what == "worker":
        Rounds.run = fail  # type: ignore[method-assign,assignment]
    elif what == "sender":
        Desk._send_once = fail  # type: ignore[method-assign,assignment]


def main() -> int:
    path, seconds = Path(sys.argv[1]), float(sys.argv[2])
    set_up_logging(LogLevel.INFO)
    break_down(os.environ.get("QUICK_BREAK", ""))
    with stoppable():
        try:
            return Daemon(quick(path, seconds), load=lambda: quick(path, seconds)).serve()
        except StateOwned as error:
            print(error, file=sys.stderr)
            return 4


if __name__ == "__main__":
    sys.exit(main())
