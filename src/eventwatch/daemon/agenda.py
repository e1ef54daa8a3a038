"""What is due, and what every slot came to. Decides only: no clock, no thread, no store.

Every slot of the schedule gets exactly one end. Of those that came while nothing could run, the newest
is run and the others are skipped for a reason; after a long absence the oldest of them share one row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from eventwatch.model.schedule import Schedule
from eventwatch.model.state import Slot, SlotStatus

LISTED = 500
"""Slots of one absence that get a row each; what is older is one row that says how many."""
ABSENCE = timedelta(days=30)
"""So far back an absence is counted slot by slot."""
AGAIN = "run again: the process ended in the middle of it"
CUT = "the process ended in the middle of it"
DOWN = "the daemon was not running"
BUSY = "the run before had not ended"
WAITED = "no worker was free until the next one was due"
PAUSED = "the process stood still"
NEWER = "a newer one was due as well, so one run stands for both"


@dataclass(frozen=True)
class Due:
    """A slot to run now."""

    slot: Slot
    skipped: tuple[Slot, ...]
    """Those before it that never will."""


class Agenda:
    """One exposure's slots. For one thread at a time."""

    def __init__(self, exposure: str, schedule: Schedule) -> None:
        self.exposure, self.schedule = exposure, schedule
        self.last: datetime | None = None
        """The newest slot that has, or will get, an end."""
        self.reason = DOWN
        """Why slots that come now would be missed."""
        self._again: Slot | None = None

    def resume(self, known: Iterable[Slot], now: datetime) -> tuple[Slot, ...]:
        """Takes up where the process before left off; ``known`` are the exposure's newest slots.
        Gives the rows to write: those that were left in the middle."""
        ended = []
        self.last, self._again, self.reason = None, None, DOWN
        for slot in sorted(known, key=lambda s: s.scheduled_at):
            # A slot of the future was written by a clock that was wrong.
            if slot.scheduled_at > now:
                continue
            self.last = slot.scheduled_at
            self._again = None
            if slot.status in (SlotStatus.DUE, SlotStatus.RUNNING):
                if slot.reason != AGAIN:
                    self._again = slot
                ended.append(replace(slot, status=SlotStatus.FAILED, reason=CUT, ended_at=now))
        if self._again is not None:
            # It is the newest: it gets its end from the second attempt.
            ended.pop()
        return tuple(ended)

    def next_at(self, now: datetime) -> datetime | None:
        """When ``due`` is to be asked again at the latest."""
        if self._again is not None:
            return now
        after = now if self.last is None else self.last
        slot = self.schedule.next(after)
        if self.last is None or slot is None:
            return now if self.last is None else None
        return max(now, slot + self.schedule.spread)

    def due(self, now: datetime) -> Due | None:
        """The newest slot that has come, if there is one that was not dealt with."""
        again, self._again = self._again, None
        if self.last is None:
            return self._first(now)
        missed = self.schedule.missed(max(self.last, now - ABSENCE), now, LISTED)
        if not missed.count and self.last < now - ABSENCE:
            # Once a month or a year: there are few.
            missed = self.schedule.missed(self.last, now, LISTED)
        if not missed.count:
            if again is None:
                return None
            return Due(replace(again, status=SlotStatus.RUNNING, reason=AGAIN, started_at=now), ())
        skipped: list[Slot] = []
        if again is not None:
            skipped.append(replace(again, status=SlotStatus.FAILED, reason=CUT, ended_at=now))
        why = f"{self.reason}; {NEWER}"
        *older, newest = missed.listed
        skipped.extend(self._merged(missed.count - len(missed.listed), missed.first, now))
        skipped.extend(self._skipped(at, why, now) for at in older)
        self.last = newest
        return Due(Slot(self.exposure, newest, SlotStatus.RUNNING, started_at=now), tuple(skipped))

    def pass_over(self, now: datetime, reason: str) -> tuple[Slot, ...]:
        """Every slot that has come is given up, the newest too."""
        due = self.due(now)
        if due is None:
            return ()
        newest = replace(due.slot, status=SlotStatus.SKIPPED, reason=reason, ended_at=now)
        return (*due.skipped, replace(newest, started_at=None))

    def wanted(self, slot: datetime) -> None:
        """It is in the ledger as one that waits: it gets an end, also where nothing was ever run."""
        if self.last is None:
            self.last = slot - timedelta(microseconds=1)
            self.reason = WAITED

    def set_back(self, now: datetime) -> None:
        """The clock went back to ``now`` and that is believed: what comes is due once more."""
        if self.last is not None and self.last > now:
            self.last = self.schedule.latest(now)

    def _first(self, now: datetime) -> Due | None:
        """Nothing was ever run: the slot before now is, so that a start shows something at once."""
        slot = self.schedule.latest(now)
        if slot is None:
            self.last = now
            return None
        self.last = slot
        return Due(Slot(self.exposure, slot, SlotStatus.RUNNING, started_at=now), ())

    def _merged(self, count: int, first: datetime | None, now: datetime) -> Iterable[Slot]:
        assert self.last is not None
        start = self.schedule.next(self.last)
        if start is not None and first is not None and start < first:
            reason = f"{self.reason}: this row stands for every slot before {first:%Y-%m-%dT%H:%MZ}"
            yield self._skipped(start, reason, now)
        if count > 0 and first is not None:
            yield self._skipped(
                first, f"{self.reason}: this row stands for the oldest {count:,} slots missed", now
            )

    def _skipped(self, at: datetime, reason: str, now: datetime) -> Slot:
        return Slot(self.exposure, at, SlotStatus.SKIPPED, reason, ended_at=now)
