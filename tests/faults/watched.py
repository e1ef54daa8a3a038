"""A daemon as a process, and what can be told of it from its state: holes, stalls, incidents."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from eventwatch.model.schedule import Schedule
from eventwatch.model.settings import Secret
from eventwatch.model.state import Slot, SlotStatus
from eventwatch.store.reading import SqlReader
from eventwatch.store.sql import open_reader
from tests.fakes.project import Project, steady
from tests.faults.figures import Figures, Span, stalled

ROOT = Path(__file__).parents[2]
QUICK = Path(__file__).with_name("quick_daemon.py")
_RANGE = re.compile(r"this row stands for (?:the oldest|every slot before)")
WITHIN = 8.0 if os.environ.get("EVENTWATCH_SLOW") == "1" else 40.0
"""Seconds for a clean stop. Eight are promised; where the whole suite runs, nothing is timed."""
ENDED = {SlotStatus.RAN, SlotStatus.FAILED, SlotStatus.SKIPPED}


def _now() -> datetime:
    return datetime.now(UTC)


def wait_for(condition: Callable[[], object], seconds: float = 40) -> bool:
    """Whether it came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def lively(project: Project, *, minutes: int = 10) -> None:
    """A table whose rows go on coming for a while after now, and one type that nobody declared."""
    project.declare("user_a", "user_b")
    project.config("    look_back: 20d\n")
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    steady_rows = steady(["user_a", "user_b"], until=until, days=6, per_hour=120)
    odd = steady(["user_x"], until=datetime.now(UTC) - timedelta(minutes=5), days=2)
    odd["event_id"] = "x" + odd["event_id"]
    project.rows(pd.concat([steady_rows, odd], ignore_index=True))


def on_server(project: Project, url: str) -> None:
    """Its state is kept there; empty: left as it is."""
    config = project.folder / "config.yaml"
    if url:
        config.write_text(config.read_text().replace("sqlite:///var/state.db", f'"{url}"'))


@dataclass
class Watched:
    """One daemon."""

    process: subprocess.Popen[bytes]
    log: Path
    state: Secret
    every: float
    up: list[Span] = field(default_factory=list)
    """When cycles could run. The start counts; what ``away`` takes out does not."""
    ahead: timedelta = timedelta(0)
    """Of ours is the clock that its machine is made to believe in."""
    _since: datetime = field(default_factory=_now)

    def told(self, text: str) -> bool:
        """Whether the log says so."""
        return text in self.log.read_text("utf-8", "replace")

    def end(self, number: int = signal.SIGTERM, within: float = WITHIN) -> int:
        """Its exit code. Longer than ``within`` is a failure."""
        self.down()
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout=within)
        except subprocess.TimeoutExpired as error:
            self.process.send_signal(signal.SIGUSR1)
            time.sleep(1.0)
            raise AssertionError(f"{error}\n{self.log.read_text('utf-8', 'replace')}") from None

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self.down()
        self.process.kill()
        self.process.wait()

    def down(self) -> None:
        """From now on no cycle can run."""
        self.up.append((self._since, _now() + self.ahead))

    def back(self) -> None:
        """From now on cycles can run again."""
        self._since = _now() + self.ahead

    @contextmanager
    def away(self) -> Iterator[None]:
        """What cycles need is away for as long as the block lasts."""
        self.down()
        yield
        self.back()

    def report(self, figures: Figures) -> None:
        """Holes and stalls of its ledger, of all its lives in the list ``up``."""
        slots = ledger(self.state)
        figures.slots(holes(slots, self.every), stalled(slots, self.up))


@contextmanager
def daemon(
    project: Project,
    *arguments: str,
    every: float = 1.0,
    env: dict[str, str] | None = None,
    name: str = "daemon",
    state: str = "",
    up: list[Span] | None = None,
) -> Iterator[Watched]:
    """Starts it, and kills what is left of it. ``up``: of the lives before this one."""
    log = project.folder / f"{name}.log"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [sys.executable, str(QUICK), "config.yaml", str(every), *arguments],
            cwd=project.folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **(env or {})},
        )
    kept = Secret(state or f"sqlite:///{project.folder}/var/state.db")
    made = Watched(process, log, kept, every, [] if up is None else up)
    try:
        yield made
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@contextmanager
def reading(state: Secret) -> Iterator[SqlReader]:
    """The state as anybody may read it."""
    reader = open_reader(state)
    assert reader is not None
    try:
        yield reader
    finally:
        reader.close()


def ledger(state: Secret, exposure: str = "events") -> tuple[Slot, ...]:
    """All of it; empty where there is no state yet."""
    reader = open_reader(state)
    if reader is None:
        return ()
    try:
        return reader.slots(exposure, datetime(2000, 1, 1, tzinfo=UTC))
    finally:
        reader.close()


def ran(state: Secret, exposure: str = "events") -> int:
    """How many slots ran."""
    return sum(s.status is SlotStatus.RAN for s in ledger(state, exposure))


def more(watched: Watched, count: int) -> Callable[[], bool]:
    """Whether so many slots have run since now."""
    wanted = ran(watched.state) + count
    return lambda: ran(watched.state) >= wanted


def holes(slots: tuple[Slot, ...], every: float) -> list[datetime]:
    """Slots of the schedule between the first and the last row that have no row, and those without
    an end, save the newest."""
    if not slots:
        return []
    schedule = Schedule(timedelta(seconds=every), None, ZoneInfo("UTC"), timedelta(0))
    known = {slot.scheduled_at: slot for slot in slots}
    found = [s.scheduled_at for s in slots[:-1] if s.status not in ENDED]
    stands_for_more = False
    for at in schedule.after(slots[0].scheduled_at - timedelta(microseconds=1)):
        if at > slots[-1].scheduled_at:
            return found
        row = known.get(at)
        if row is not None:
            stands_for_more = bool(_RANGE.search(row.reason))
        elif not stands_for_more:
            found.append(at)
    return found


def longest_stall(slots: tuple[Slot, ...], since: datetime | None = None) -> timedelta:
    """The longest time between two cycles that began."""
    began = sorted(s.started_at for s in slots if s.status is SlotStatus.RAN and s.started_at)
    began = [at for at in began if since is None or at >= since]
    return max((b - a for a, b in pairwise(began)), default=timedelta(0))
