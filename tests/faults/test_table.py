"""The table of the fault plan says no more than was tried."""

from __future__ import annotations

from pathlib import Path

from tests.faults.__main__ import Tally, counted, table
from tests.faults.plan import PLAN, Fault

_ROOT = Path(__file__).parents[2]


def test_every_fault_has_one_line_and_its_tests_exist() -> None:
    assert [fault.key for fault in PLAN] == [f"F{n}" for n in range(1, 26)]
    for fault in PLAN:
        for test in fault.tests + fault.long:
            path, _, name = test.partition("::")
            assert f"def {name}" in (_ROOT / path).read_text("utf-8")


def test_a_run_that_tried_nothing_or_broke_off_is_a_failure() -> None:
    report = '<testsuites><testsuite tests="{}" skipped="2" failures="0" errors="0"/></testsuites>'
    assert counted(report.format(5), 0) == Tally(tried=3, skipped=2)
    assert not counted(report.format(2), 0).good
    assert not counted(report.format(5), 2).good


def test_a_fault_that_is_tried_in_part_is_no_pass() -> None:
    lines = table([Fault("F7", "source", ("x",), "a port")], {"F7": Tally(tried=4)})
    assert "in part; missing: a port" in lines[1]
    assert lines[-1] == "1 faults: 0 failed, 1 not or only partly tried"
    assert "FAILED" in table([Fault("F1", "killed")], {"F1": Tally(tried=9, lost=1)})[1]
