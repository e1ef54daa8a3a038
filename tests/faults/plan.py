"""The fault plan: each fault, and the tests that try it.

Every entry of ``tries`` is one pytest of its own, so that several run side by side; ``seconds`` is
about how long it takes, and only says which are begun first.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Try:
    """What one pytest is asked to run."""

    tests: tuple[str, ...]
    seconds: float = 10.0
    never_as_root: tuple[str, ...] = ()
    """Root may write everywhere: these are about somebody who may not."""
    steps_back: bool = False
    """Its numbers are not times, so it leaves the cores to those whose numbers are."""


@dataclass(frozen=True)
class Fault:
    """One line of the table."""

    key: str
    words: str
    tries: tuple[Try, ...]
    long: tuple[Try, ...] = ()
    """Run as well where time does not matter."""


def _here(name: str, seconds: float = 10.0, *, steps_back: bool = False) -> Try:
    return Try((f"tests/faults/{name}",), seconds, steps_back=steps_back)


def _also(*names: str, seconds: float = 10.0) -> Try:
    return Try(tuple(f"tests/{name}" for name in names), seconds, steps_back=True)


def _sent(name: str, seconds: float) -> Try:
    return _here(f"test_messages.py::test_{name}", seconds, steps_back=True)


_KILLS = "test_kills.py::test_two_hundred_kills"
_SLACK = "test_slack_away.py::test_"
_SOURCE = "test_sources_away.py::test_"
_SERVER = "test_server_fails.py::test_"
_WRITTEN = "test_tables_while_written.py::test_"
_STATE = "test_state_fails.py::test_"
PLAN = (
    Fault("F1", "killed at any moment", tuple(_here(f"{_KILLS}[{n}]", 70) for n in (1, 2, 3, 4))),
    Fault(
        "F2",
        "killed at every named point",
        (
            _sent("senders_killed_at_every_named_point", 120),
            _sent("senders_to_a_webhook_killed_at_random", 100),
        ),
    ),
    Fault("F3", "answers of Slack lost or broken", (_sent("every_sort_of_bad_answer", 75),)),
    Fault(
        "F4",
        "a storm while limited",
        (
            _sent("ten_thousand_messages_at_once", 130),
            _also("acceptance/test_storm.py", seconds=20),
        ),
    ),
    Fault(
        "F5",
        "Slack is away",
        (
            _here(f"{_SLACK}slack_is_away_for_a_minute", 130),
            _also("pipeline/test_deliver_channels.py"),
        ),
    ),
    Fault(
        "F6",
        "channel gone, token ended",
        (
            _here(f"{_SLACK}channels_that_take_nothing_are_told_of_elsewhere", 60),
            _here(f"{_SLACK}a_token_that_ended_and_is_mended_loses_nothing", 200),
            _also("pipeline/test_deliver_dead_letters.py"),
        ),
    ),
    Fault(
        "F7",
        "source is away",
        (
            _here(
                f"{_SOURCE}a_server_that_stops_or_hangs_is_one_incident_and_holds_nobody_up", 150
            ),
            _here(f"{_SOURCE}a_file_that_cannot_be_read_is_one_incident", 25),
            _also("acceptance/test_dead_source.py", seconds=45),
        ),
    ),
    Fault(
        "F8",
        "queries that hang",
        (
            _here(f"{_SOURCE}twenty_queries_that_hang_end_at_their_limit_and_hold_nobody_up", 35),
            _also("daemon/test_workers.py"),
        ),
    ),
    Fault(
        "F9",
        "table locked by its writer",
        (
            _here(f"{_WRITTEN}a_loader_that_locks_its_table_is_waited_for_and_not_kept_out", 50),
            _also("warehouse/test_connect.py"),
        ),
    ),
    Fault(
        "F10",
        "Parquet while written",
        (
            _here(
                f"{_WRITTEN}no_number_comes_from_files_that_were_being_written", 55, steps_back=True
            ),
            _also("warehouse/test_parquet.py"),
        ),
    ),
    Fault(
        "F11",
        "clock jumps",
        (
            _here("test_clock_jumps.py::test_each_jump_three_times", 150),
            _also("daemon/test_steady.py"),
        ),
    ),
    Fault("F12", "summer and winter time", (_here("test_clocks_are_turned.py"),)),
    Fault(
        "F13",
        "disk full",
        (
            _here(f"{_STATE}a_disk_that_fills_to_every_level", 90),
            _also("store/test_engine.py", "store/test_history_files.py"),
        ),
    ),
    Fault(
        "F14",
        "state lost or corrupt",
        (
            _here(f"{_STATE}a_state_that_is_not_what_it_was_stops_everything", 40, steps_back=True),
            _here(
                f"{_SERVER}a_state_that_was_emptied_under_a_daemon_is_not_begun_anew",
                15,
                steps_back=True,
            ),
            _also("conformance/test_state_examined.py", "store/test_emptied.py"),
            Try(
                ("tests/store/test_lost.py", "tests/store/test_killed.py"),
                20,
                (
                    "tests/store/test_lost.py::test_a_file_that_may_not_be_written_is_said",
                    "tests/store/test_killed.py::test_who_may_not_write_is_told_that_a_commit_was_cut_off",
                ),
            ),
        ),
    ),
    Fault(
        "F15",
        "asked to stop",
        (
            *(_here(f"test_stops.py::test_at_fifty_moments[{seed}]", 110) for seed in (1, 2)),
            Try(
                tuple(
                    f"tests/faults/test_stops.py::test_{name}"
                    for name in (
                        "a_query_is_cancelled_and_its_slot_is_run_again_at_the_next_start",
                        "a_message_that_slack_takes_slowly_is_left_to_the_next_start",
                        "a_message_that_was_accepted_is_not_in_doubt",
                        "in_the_middle_of_loading_a_compiled_module",
                        "in_the_middle_of_a_start_that_hangs",
                        "who_asks_twice_does_not_wait",
                    )
                ),
                30,
            ),
        ),
    ),
    Fault(
        "F16",
        "paused",
        (
            _here("test_pauses.py::test_three_pauses_of_half_a_minute", 110),
            _here("test_pauses.py::test_a_machine_that_sleeps_for_ten_minutes", 30),
        ),
        long=(_here("test_pauses.py::test_a_pause_of_ten_minutes", 620),),
    ),
    Fault(
        "F17",
        "several at a time",
        (
            _here("test_several.py::test_64_cycles_by_hand", 120),
            _here("test_several.py::test_40_cycles_by_hand_on_a_server", 80),
            Try(
                tuple(
                    f"tests/faults/test_several.py::test_{name}"
                    for name in (
                        "a_second_daemon_on_a_file_refuses_and_names_the_owner",
                        "another_daemon_stands_by_and_takes_over_when_the_first_is_killed",
                        "a_stopped_daemon_hands_over_at_once",
                    )
                ),
                75,
            ),
        ),
    ),
    Fault(
        "F18",
        "PostgreSQL state fails",
        (
            _here(f"{_SERVER}a_server_that_fails_fifty_times", 150),
            _here(f"{_SERVER}a_leader_that_was_frozen_writes_nothing_and_stands_by", 45),
            _sent("senders_killed_on_a_server", 40),
            _also("conformance/test_store_fence.py"),
        ),
    ),
    Fault("F19", "a thread dies", (_here("test_threads_die.py", 85, steps_back=True),)),
    Fault("F20", "threads run short", (_here("test_workers_starve.py"),)),
    Fault("F21", "hostile names", (_also("acceptance/test_hostile_names.py", seconds=20),)),
    Fault("F22", "very large messages", (_also("alerting/test_live_sizes.py", seconds=45),)),
    Fault("F23", "a long run", (_here("test_long_run.py", 195),)),
    Fault("F24", "upgrade killed", (_also("conformance/test_store_upgrade.py", seconds=30),)),
    Fault(
        "F25",
        "against a model",
        (
            _also("alerting/test_conduct_model.py", seconds=45),
            _also("alerting/test_state_model.py", "daemon/test_agenda.py"),
        ),
    ),
)
