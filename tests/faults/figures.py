"""What a scenario measured, on its way into the table.

A test that notes something puts it into pytest's report as properties of its case; the runner adds up
the cases of a fault. A case that notes no ``tried`` counts as one try.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

from eventwatch.model.state import Slot, SlotStatus

MOST_STALL = timedelta(seconds=5)
"""Judged by the table only: a machine that does other things as well may take longer."""
_COUNTS = ("tried", "lost", "duplicated", "holes")
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Tally:
    """What came of one fault. None: the number has no meaning there, or nobody got as far."""

    tried: int = 0
    failed: int = 0
    skipped: int = 0
    lost: int | None = None
    duplicated: int | None = None
    holes: int | None = None
    stall: float | None = None
    """Seconds."""
    seconds: float = 0.0
    """How long its tests took, one after the other."""

    @property
    def good(self) -> bool:
        """Nothing that was tried went wrong."""
        wrong = self.failed or self.lost or self.duplicated or self.holes
        return not wrong and (self.stall or 0.0) <= MOST_STALL.total_seconds()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.tried + other.tried,
            self.failed + other.failed,
            self.skipped + other.skipped,
            _sum(self.lost, other.lost),
            _sum(self.duplicated, other.duplicated),
            _sum(self.holes, other.holes),
            max((s for s in (self.stall, other.stall) if s is not None), default=None),
            self.seconds + other.seconds,
        )


class Figures:
    """For a test: each method notes, and fails where the number is not what it must be."""

    def __init__(self, note: Callable[[str, object], None]) -> None:
        self._note = note

    def tried(self, count: int) -> None:
        """How many times the fault happened."""
        self._note("tried", count)

    def messages(self, lost: Sequence[object], duplicated: Sequence[object]) -> None:
        """What was to be told and was not, and what was told once more than that."""
        self._note("lost", len(lost))
        self._note("duplicated", len(duplicated))
        assert (list(lost)[:5], list(duplicated)[:5]) == ([], [])

    def holes(self, count: int) -> None:
        """Of ledgers whose stalls say nothing."""
        self._note("holes", count)
        assert count == 0

    def slots(self, holes: Sequence[object], stall: timedelta) -> None:
        """Of one ledger."""
        self._note("holes", len(holes))
        self._note("stall", round(stall.total_seconds(), 2))
        assert list(holes)[:5] == []
        # Only what is dead for good fails here; what is slow, the table says.
        assert stall < 12 * MOST_STALL


def stalled(
    slots: Iterable[Slot], up: Iterable[Span], elsewhere: Iterable[datetime] = ()
) -> timedelta:
    """The longest time, within spans in which cycles could run, in which none began. ``elsewhere``:
    when others ran one."""
    began = [s.started_at for s in slots if s.status is SlotStatus.RAN and s.started_at]
    began = sorted([*began, *elsewhere])
    longest = timedelta(0)
    for start, end in up:
        instants = [start, *(at for at in began if start < at < end), end]
        longest = max(longest, *(b - a for a, b in pairwise(instants)))
    return longest


def counted(report: str, code: int) -> Tally:
    """The figures of a JUnit report. An exit code that no case explains is a failure."""
    suites = list(ElementTree.fromstring(report).iter("testsuite"))

    def total(name: str) -> int:
        return sum(int(suite.get(name, "0")) for suite in suites)

    failed, skipped = total("failures") + total("errors"), total("skipped")
    ran = total("tests") - skipped
    if not failed and (code or not ran):
        failed = 1
    seconds = sum(float(suite.get("time", "0")) for suite in suites)
    tally = Tally(failed=failed, skipped=skipped, seconds=seconds)
    for case in (case for suite in suites for case in suite.iter("testcase")):
        noted = [(str(p.get("name")), str(p.get("value"))) for p in case.iter("property")]
        ran -= any(name == "tried" for name, _ in noted)
        for name, value in noted:
            tally += _noted(name, value)
    return tally + Tally(tried=max(0, ran))


def _noted(name: str, value: str) -> Tally:
    if name == "stall":
        return Tally(stall=float(value))
    return Tally(**{name: int(value)}) if name in _COUNTS else Tally()


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
