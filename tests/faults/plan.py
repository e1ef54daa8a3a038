"""The fault plan: each fault, the tests that try it, and what no test tries yet.

``missing`` is part of the answer: a fault with something missing is never shown as proved.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One line of the table. ``tests``: what pytest is asked to run."""

    key: str
    words: str
    tests: tuple[str, ...] = ()
    missing: str = ""
    long: tuple[str, ...] = ()
    """Run as well where time does not matter."""


_HERE = "tests/faults/"
_DELIVER = "tests/pipeline/test_deliver_"
PLAN = (
    Fault("F1", "killed at any moment", (_HERE + "test_pauses.py::test_two_hundred_kills",)),
    Fault("F2", "killed at every named point"),
    Fault("F3", "answers of Slack lost or broken"),
    Fault("F4", "a storm while limited"),
    Fault("F5", "Slack is away", (_DELIVER + "channels.py",), "an outage of an hour as a process"),
    Fault("F6", "channel gone, token ended", (_DELIVER + "dead_letters.py",), "each 3 times"),
    Fault(
        "F7",
        "source is away",
        ("tests/acceptance/test_dead_source.py",),
        "unreadable files, a stopped server, a hanging port",
    ),
    Fault(
        "F8",
        "queries that hang",
        ("tests/daemon/test_workers.py", "tests/conformance/test_warehouse.py"),
        "20 exposures at a time",
    ),
    Fault("F9", "table locked by its writer", ("tests/warehouse/test_connect.py",), "40 s of it"),
    Fault("F10", "Parquet while written", ("tests/warehouse/test_parquet.py",)),
    Fault("F11", "clock jumps", (_HERE + "test_clock_jumps.py::test_each_jump_three_times",)),
    Fault("F12", "summer and winter time", (_HERE + "test_clocks_are_turned.py",)),
    Fault(
        "F13",
        "disk full",
        (
            _HERE + "test_state_fails.py::test_a_full_disk_is_said_and_survived",
            "tests/store/test_engine.py",
            "tests/store/test_history_files.py",
        ),
        "fill levels one by one; the fallback channel is not told",
    ),
    Fault(
        "F14",
        "state lost or corrupt",
        (
            _HERE + "test_state_fails.py::test_a_state_that_is_not_what_it_was_stops_everything",
            "tests/conformance/test_state_examined.py",
            "tests/store/test_killed.py",
            "tests/store/test_lost.py",
        ),
        "an emptied server",
    ),
    Fault("F15", "asked to stop", (_HERE + "test_stops.py",)),
    Fault(
        "F16",
        "paused",
        (_HERE + "test_pauses.py::test_a_pause_is_one_run_and_the_rest_is_skipped",),
        long=(_HERE + "test_pauses.py::test_a_pause_of_ten_minutes",),
    ),
    Fault("F17", "several at a time", (_HERE + "test_several.py",)),
    Fault(
        "F18",
        "PostgreSQL state fails",
        ("tests/conformance/test_store_fence.py",),
        "restart and kill of the server",
    ),
    Fault("F19", "a thread dies", (_HERE + "test_threads_die.py",)),
    Fault("F20", "threads run short", (_HERE + "test_workers_starve.py",)),
    Fault("F21", "hostile names", ("tests/acceptance/test_hostile_names.py",)),
    Fault("F22", "very large messages", ("tests/alerting/test_live_sizes.py",)),
    Fault("F23", "a long run", (), "the soak is a run of its own"),
    Fault("F24", "upgrade killed", ("tests/conformance/test_store_upgrade.py",)),
    Fault(
        "F25",
        "against a model",
        ("tests/alerting/test_conduct_model.py", "tests/alerting/test_state_model.py"),
    ),
)
