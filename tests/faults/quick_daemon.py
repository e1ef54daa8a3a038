"""The daemon with a schedule that no config allows: ``quick_daemon.py CONFIG SECONDS``.

``QUICK_BREAK`` names something to go wrong in it: ``scheduler``, ``worker``, ``sender`` (its thread
dies), ``stuck`` (the scheduler stands still) or ``start`` (which never ends). ``QUICK_PERSISTS`` is
after how many seconds a source that cannot be read is told, instead of ten minutes; ``QUICK_OUTCRY``
the same of a state that cannot be written, instead of two.
"""

# ruff: noqa: E402
from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

# As the console script has it, which loads the same only after it began.
gc.set_threshold(50_000)

from eventwatch import app
from eventwatch.alerting import state
from eventwatch.app import outcry
from eventwatch.cli.leaving import leave
from eventwatch.cli.logs import LogLevel, set_up_logging
from eventwatch.daemon import StateOwned, timer
from eventwatch.daemon.desk import Desk
from eventwatch.daemon.process import Daemon
from eventwatch.daemon.rounds import Rounds
from eventwatch.daemon.signals import stoppable
from eventwatch.daemon.tenure import Tenure


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
    elif what == "start":
        Tenure.start = lambda *_: time.sleep(600)  # type: ignore[method-assign]
    elif what == "worker":
        Rounds.run = fail  # type: ignore[method-assign,assignment]
    elif what == "sender":
        Desk._send_once = fail  # type: ignore[method-assign,assignment]


def serve(path: Path, seconds: float) -> int:
    set_up_logging(LogLevel.INFO)
    # What hangs can be asked where.
    faulthandler.register(signal.SIGUSR1)
    break_down(os.environ.get("QUICK_BREAK", ""))
    if os.environ.get("QUICK_PERSISTS"):
        vars(state)["PERSISTS"] = timedelta(seconds=float(os.environ["QUICK_PERSISTS"]))
    if os.environ.get("QUICK_OUTCRY"):
        outcry.AFTER = timedelta(seconds=float(os.environ["QUICK_OUTCRY"]))
    with stoppable():
        try:
            return Daemon(quick(path, seconds), load=lambda: quick(path, seconds)).serve()
        except StateOwned as error:
            print(error, file=sys.stderr)
            return 4


def forked(folder: str, seconds: float, env: dict[str, str]) -> None:
    """For a process that has everything loaded: most kills of it hit what matters."""
    os.chdir(folder)
    os.environ.update(env)
    log = os.open("daemon.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    leave(serve(Path("config.yaml"), seconds))


if __name__ == "__main__":
    leave(serve(Path(sys.argv[1]), float(sys.argv[2])))
