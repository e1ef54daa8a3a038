"""The table of the fault plan says no more than was tried."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.model.state import Slot, SlotStatus
from tests.faults.__main__ import table, verdict, verdict_of_all
from tests.faults.figures import Figures, Tally, counted, stalled
from tests.faults.plan import PLAN, Fault, Try

_ROOT = Path(__file__).parents[2]
_REPORT = (
    '<testsuites><testsuite tests="{}" skipped="2" failures="0" errors="0" time="3">{}</testsuite>'
    "</testsuites>"
)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def case(**noted: object) -> str:
    properties = "".join(f'<property name="{k}" value="{v}"/>' for k, v in noted.items())
    return f"<testcase><properties>{properties}</properties></testcase>"


def _named(of: Try) -> tuple[str, ...]:
    return of.tests + of.never_as_root


def test_every_fault_has_one_line_and_its_tests_exist() -> None:
    assert [fault.key for fault in PLAN] == [f"F{n}" for n in range(1, 26)]
    for fault in PLAN:
        assert fault.tries
        for test in (test for each in fault.tries + fault.long for test in _named(each)):
            path, _, name = test.partition("::")
            assert f"def {name.partition('[')[0]}" in (_ROOT / path).read_text("utf-8")


def test_a_run_that_tried_nothing_or_broke_off_is_a_failure() -> None:
    assert counted(_REPORT.format(5, ""), 0) == Tally(tried=3, skipped=2, seconds=3.0)
    assert not counted(_REPORT.format(2, ""), 0).good
    assert not counted(_REPORT.format(5, ""), 2).good


def test_what_the_cases_noted_is_added_up_and_the_longest_stall_kept() -> None:
    one = case(tried=50, lost=0, duplicated=1, holes=0, stall=1.5)
    tally = counted(_REPORT.format(4, one + case(lost=2, stall=4.5)), 0)
    assert tally == Tally(51, 0, 2, 2, 1, 0, 4.5, 3.0)
    assert not tally.good


@pytest.mark.parametrize(
    "wrong", [{"lost": 1}, {"duplicated": 1}, {"holes": 1}, {"stall": 5.1}, {"failed": 1}]
)
def test_each_number_that_is_wrong_fails_the_fault(wrong: dict[str, int]) -> None:
    well = Tally(9, lost=0, duplicated=0, holes=0, stall=5.0)
    assert verdict(well) == "ok"
    tallies = {"F1": well, "F2": well + Tally(**wrong)}
    assert verdict(tallies["F2"]) == "FAILED"
    assert not verdict_of_all(tallies)
    assert "FAILED" in table([Fault("F2", "killed", ())], tallies)[1]


def test_what_was_skipped_is_no_pass() -> None:
    tallies = {"F7": Tally(tried=4, skipped=1)}
    assert "skipped" in table([Fault("F7", "source", ())], tallies)[1]
    assert not verdict_of_all(tallies)


def test_a_stall_is_counted_only_while_a_cycle_could_run() -> None:
    def at(second: float) -> datetime:
        return NOW + timedelta(seconds=second)

    slots = [Slot("e", at(s), SlotStatus.RAN, started_at=at(s)) for s in (1, 2, 9)]
    assert stalled(slots, [(at(0), at(10))]) == timedelta(seconds=7)
    assert stalled(slots, [(at(0), at(3)), (at(8.5), at(9.5))]) == timedelta(seconds=1)
    assert stalled(slots, [(at(0), at(10))], [at(5)]) == timedelta(seconds=4)
    assert stalled([], [(at(0), at(3))]) == timedelta(seconds=3), "nothing ran at all"


def test_a_test_fails_on_what_it_notes() -> None:
    noted: dict[str, object] = {}
    figures = Figures(lambda name, value: noted.update({name: value}))
    with pytest.raises(AssertionError):
        figures.messages(["team 1"], [])
    with pytest.raises(AssertionError):
        figures.slots([NOW], timedelta(seconds=1))
    assert noted == {"lost": 1, "duplicated": 0, "holes": 1, "stall": 1.0}
