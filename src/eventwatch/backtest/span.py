"""Which cycles a replay runs: instants from ``first_at`` to ``last_at``, ``step`` apart.

A daemon's cycles fall wherever its clock puts them. Those of a replay fall on whole five minutes,
because that is how finely loads are known: at such an instant every bucket is over and nothing that
came later can slip in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from eventwatch.model.durations import floor_to, write_duration
from eventwatch.model.measurement import FINE

DAY = 86400
MOST_CYCLES = 200_000
"""More would run for days: it is a typing error."""


@dataclass(frozen=True)
class Span:
    """The cycles of one replay. Both instants are aware UTC, on whole five minutes, and included."""

    first_at: datetime
    last_at: datetime
    step: timedelta

    @staticmethod
    def of(from_at: datetime, to_at: datetime, step: timedelta) -> Span:
        """The cycles between two instants. Raises ValueError with everything that is wrong."""
        faults = []
        if from_at >= to_at:
            faults.append(
                f"--from ({from_at:%Y-%m-%d %H:%M} UTC) must lie before --to ({to_at:%Y-%m-%d %H:%M} UTC)"
            )
        seconds = step.total_seconds()
        if seconds < FINE or seconds % FINE:
            faults.append(
                f"--step {write_duration(step)}: must be a multiple of 5 minutes, since that is how "
                "finely loads are known"
            )
        elif seconds > DAY * 7:
            faults.append(f"--step {write_duration(step)}: must be a week at most")
        elif from_at < to_at and (to_at - from_at) / step > MOST_CYCLES:
            faults.append(
                f"{(to_at - from_at) / step:,.0f} cycles are more than {MOST_CYCLES:,}; take a longer "
                "--step or a shorter span"
            )
        if faults:
            raise ValueError("\n".join(faults))
        first = floor_to(from_at, FINE)
        if first < from_at:
            first += timedelta(seconds=FINE)
        count = max(0, math.floor((floor_to(to_at, FINE) - first) / step))
        return Span(first, first + count * step, step)

    @property
    def cycle_count(self) -> int:
        """How many cycles there are, at least one."""
        return round((self.last_at - self.first_at) / self.step) + 1

    def instants(self) -> tuple[datetime, ...]:
        """All of them, in order."""
        return tuple(self.first_at + i * self.step for i in range(self.cycle_count))

    def by_day(self) -> tuple[tuple[datetime, ...], ...]:
        """The instants of each UTC day that has some: what one task of a replay judges, since all
        cycles of a day share their look-back."""
        days: dict[int, list[datetime]] = {}
        for at in self.instants():
            days.setdefault(int(at.timestamp()) // DAY, []).append(at)
        return tuple(tuple(days[day]) for day in sorted(days))
