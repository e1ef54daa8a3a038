"""Every slot of the schedule gets exactly one end, whatever happens to the process and the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventwatch.daemon import agenda as words
from eventwatch.daemon.agenda import ABSENCE, LISTED, Agenda
from eventwatch.model.schedule import Schedule
from eventwatch.model.state import Slot, SlotStatus

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
ENDED = {SlotStatus.RAN, SlotStatus.FAILED, SlotStatus.SKIPPED}


def agenda(every: timedelta = FIVE, cron: str | None = None, zone: str = "UTC") -> Agenda:
    return Agenda("events", Schedule(every, cron, ZoneInfo(zone), timedelta(0)))


def ran(at: datetime, status: SlotStatus = SlotStatus.RAN, reason: str = "") -> Slot:
    return Slot("events", at, status, reason)


def resumed(*known: Slot, at: datetime = NOW, **more: object) -> Agenda:
    made = agenda(**more)  # type: ignore[arg-type]
    made.resume(known, at)
    return made


def test_a_first_start_runs_the_slot_before_it_at_once() -> None:
    due = resumed(at=NOW + MINUTE).due(NOW + MINUTE)
    assert due is not None
    assert (due.slot.scheduled_at, due.slot.status) == (NOW, SlotStatus.RUNNING)
    assert due.skipped == ()


def test_a_restart_runs_nothing_that_was_run() -> None:
    made = resumed(ran(NOW), at=NOW + MINUTE)
    assert made.due(NOW + MINUTE) is None
    due = made.due(NOW + FIVE)
    assert due is not None
    assert due.slot.scheduled_at == NOW + FIVE


def test_slots_that_were_missed_are_one_run_and_the_others_are_skipped_with_the_reason() -> None:
    due = resumed(ran(NOW - 4 * FIVE)).due(NOW)
    assert due is not None
    assert due.slot.scheduled_at == NOW
    assert [s.scheduled_at for s in due.skipped] == [NOW - k * FIVE for k in (3, 2, 1)]
    assert {s.status for s in due.skipped} == {SlotStatus.SKIPPED}
    assert all(words.DOWN in s.reason for s in due.skipped)


def test_a_slot_that_was_cut_is_run_again_once_and_then_given_up() -> None:
    made = agenda()
    assert made.resume([ran(NOW, SlotStatus.RUNNING)], NOW + MINUTE) == ()
    due = made.due(NOW + MINUTE)
    assert due is not None
    assert (due.slot.scheduled_at, due.slot.reason) == (NOW, words.AGAIN)
    left = agenda().resume([due.slot], NOW + 2 * MINUTE)
    assert [(s.status, s.reason) for s in left] == [(SlotStatus.FAILED, words.CUT)]


def test_a_slot_that_was_cut_is_failed_where_a_newer_one_is_due() -> None:
    due = resumed(ran(NOW - FIVE, SlotStatus.RUNNING)).due(NOW)
    assert due is not None
    assert due.slot.scheduled_at == NOW
    assert [(s.scheduled_at, s.status) for s in due.skipped] == [(NOW - FIVE, SlotStatus.FAILED)]


def test_months_of_absence_are_few_rows() -> None:
    last = NOW - timedelta(days=200)
    due = resumed(ran(last), every=MINUTE).due(NOW)
    assert due is not None
    assert len(due.skipped) == LISTED + 1
    beyond, oldest = due.skipped[:2]
    assert beyond.scheduled_at == last + MINUTE
    assert "this row stands for every slot before" in beyond.reason
    assert f"stands for the oldest {ABSENCE // MINUTE - LISTED:,} slots" in oldest.reason


@pytest.mark.parametrize("cron", ["0 9 1 * *", "0 0 1 1 *"])
def test_a_rare_slot_is_not_lost_in_a_long_absence(cron: str) -> None:
    start = NOW - timedelta(days=400)
    due = resumed(ran(start), cron=cron).due(NOW)
    assert due is not None
    assert due.slot.scheduled_at == agenda(cron=cron).schedule.latest(NOW)


def test_what_comes_while_a_cycle_runs_is_skipped_for_that_reason() -> None:
    made = resumed(ran(NOW - FIVE))
    assert made.due(NOW) is not None
    skipped = made.pass_over(NOW + 2 * FIVE, words.BUSY)
    assert [s.scheduled_at for s in skipped] == [NOW + FIVE, NOW + 2 * FIVE]
    assert skipped[-1].reason == words.BUSY
    assert skipped[-1].started_at is None
    assert made.due(NOW + 2 * FIVE) is None


def test_a_clock_that_went_back_for_good_does_not_stop_the_schedule() -> None:
    made = resumed(ran(NOW))
    made.set_back(NOW - timedelta(hours=3))
    due = made.due(NOW - timedelta(hours=3) + FIVE)
    assert due is not None
    assert due.slot.scheduled_at == NOW - timedelta(hours=3) + FIVE


def test_a_clock_that_is_put_back_to_after_the_last_slot_forgets_no_slot() -> None:
    made = resumed(ran(NOW - 4 * FIVE))
    made.set_back(NOW)
    due = made.due(NOW)
    assert due is not None
    assert [s.scheduled_at for s in due.skipped] == [NOW - k * FIVE for k in (3, 2, 1)]


def test_rows_of_a_future_that_never_was_do_not_stop_the_schedule() -> None:
    due = resumed(ran(NOW - FIVE), ran(NOW + timedelta(days=3650))).due(NOW)
    assert due is not None
    assert due.slot.scheduled_at == NOW


class Life:
    """A daemon with a ledger, as the store keeps it: an ended row stays as it is."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rows: dict[datetime, Slot] = {}
        self.agenda = Agenda("events", schedule)
        self.runs: list[datetime] = []

    def write(self, *slots: Slot) -> None:
        for slot in slots:
            known = self.rows.get(slot.scheduled_at)
            if known is None or known.status not in ENDED:
                self.rows[slot.scheduled_at] = slot
            else:
                assert slot.status is not SlotStatus.RAN, "one slot ran twice"

    def start(self, now: datetime) -> None:
        self.agenda = Agenda("events", self.schedule)
        self.write(*self.agenda.resume(tuple(self.rows.values()), now))

    def wake(self, now: datetime, *, takes: timedelta, dies: bool) -> None:
        due = self.agenda.due(now)
        if due is None:
            return
        self.write(*due.skipped, due.slot)
        if dies:
            return
        self.runs.append(due.slot.scheduled_at)
        self.write(replace(due.slot, status=SlotStatus.RAN, ended_at=now + takes))
        self.write(*self.agenda.pass_over(now + takes, words.BUSY))


STEPS = st.lists(
    st.tuples(
        st.timedeltas(timedelta(seconds=1), timedelta(hours=2)),
        st.timedeltas(timedelta(0), timedelta(minutes=20)),
        st.sampled_from(["run", "run", "run", "dies", "restart"]),
    ),
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(
    STEPS,
    st.sampled_from([(FIVE, None), (MINUTE, None), (FIVE, "30 2 * * *"), (FIVE, "*/30 * * * *")]),
    st.sampled_from([NOW, datetime(2026, 10, 24, 23, tzinfo=UTC)]),
)
def test_the_ledger_has_no_hole_and_no_slot_runs_twice(
    steps: list[tuple[timedelta, timedelta, str]],
    kind: tuple[timedelta, str | None],
    start: datetime,
) -> None:
    schedule = Schedule(*kind, ZoneInfo("Europe/Berlin"), timedelta(seconds=2))
    life, now = Life(schedule), start
    life.start(now)
    life.wake(now, takes=timedelta(0), dies=False)
    first = min(life.rows, default=now)
    for wait, takes, what in steps:
        now += wait
        if what == "restart":
            life.start(now)
        life.wake(now, takes=takes, dies=what == "dies")
        if what == "dies":
            life.start(now)
        else:
            now += takes
    now += 2 * FIVE
    # A process that died leaves one row in the middle, which the next one ends.
    for _ in range(3):
        life.wake(now, takes=timedelta(0), dies=False)
    wanted = takewhile(lambda at: at <= now - schedule.spread, schedule.after(first))
    missing = [at for at in wanted if at not in life.rows]
    assert missing == []
    assert {row.status for row in life.rows.values()} <= ENDED
    assert len(life.runs) == len(set(life.runs))
