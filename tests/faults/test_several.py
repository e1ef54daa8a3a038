"""F17 and F18: more than one process on one state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from eventwatch.daemon.right import LEASE_TIME
from eventwatch.model.state import SlotStatus
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack
from tests.faults.test_stops import with_slack
from tests.faults.watched import (
    Watched,
    daemon,
    holes,
    ledger,
    lively,
    longest_stall,
    more,
    ran,
    reading,
    wait_for,
)


def on_server(project: Project, url: str) -> None:
    config = project.folder / "config.yaml"
    config.write_text(config.read_text().replace("sqlite:///var/state.db", f'"{url}"'))


def test_a_second_daemon_on_a_file_refuses_and_names_the_owner(project: Project) -> None:
    lively(project)
    with daemon(project) as first:
        assert wait_for(lambda: ran(first.state) > 0), first.log.read_text()
        done = project.run("run")
        assert done.code == 4
        assert f"owned by pid {first.process.pid}" in done.err
        count = ran(first.state)
        assert wait_for(lambda: ran(first.state) > count), "the first goes on"
        first.kill()
    with daemon(project) as next_one:
        count = ran(next_one.state)
        assert wait_for(lambda: ran(next_one.state) > count, 20), next_one.log.read_text()
        assert next_one.end() == 0


def beside(project: Project, rounds: int) -> None:
    """One daemon, and eight full cycles by hand at a time."""
    lively(project, minutes=30)
    with FakeSlack().running() as slack:
        env = with_slack(project, slack)
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: ran(watched.state) > 0), watched.log.read_text()
            for _ in range(rounds):
                hands = [
                    subprocess.Popen(
                        [sys.executable, "-m", "eventwatch", "run-once", "--send"],
                        cwd=project.folder,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                        env={**os.environ, **env},
                    )
                    for _ in range(8)
                ]
                for hand in hands:
                    said = hand.communicate(timeout=120)[1].decode()
                    assert hand.returncode in (1, 3), said
                    assert "Traceback" not in said
            assert wait_for(lambda: slack.messages)
            assert watched.end() == 0
        assert len([m for m in slack.messages if m.thread_ts is None]) == 1
    slots = ledger(watched.state)
    assert holes(slots, watched.every) == []
    skipped = [s for s in slots if "is running it" in s.reason]
    assert {s.status for s in skipped} <= {SlotStatus.SKIPPED}
    with reading(watched.state) as reader:
        assert len(reader.incidents(open_only=False)) == 1


def test_cycles_by_hand_beside_a_daemon_make_one_incident_and_one_message(
    project: Project,
) -> None:
    beside(project, 1)


@pytest.mark.slow
def test_a_hundred_cycles_by_hand(project: Project) -> None:
    beside(project, 13)


def leaders(watched: Watched) -> bool:
    return watched.told("watching 1 exposures")


@pytest.mark.slow
def test_another_daemon_stands_by_and_takes_over_when_the_first_is_killed(
    project: Project, server_state: str
) -> None:
    lively(project, minutes=30)
    on_server(project, server_state)
    with daemon(project, state=server_state, name="one") as one:
        assert wait_for(lambda: leaders(one)), one.log.read_text()
        assert wait_for(lambda: ran(one.state) >= 2)
        with daemon(project, state=server_state, name="two") as two:
            assert wait_for(lambda: two.told("standing by: daemon on")), two.log.read_text()
            one.kill()
            began = time.monotonic()
            assert wait_for(lambda: leaders(two), LEASE_TIME.total_seconds() + 5)
            count = ran(two.state)
            assert wait_for(lambda: ran(two.state) > count, 5), two.log.read_text()
            assert time.monotonic() - began < LEASE_TIME.total_seconds() + 5
            assert two.end() == 0
    assert holes(ledger(two.state), two.every) == []


def test_a_stopped_daemon_hands_over_at_once(project: Project, server_state: str) -> None:
    lively(project, minutes=30)
    on_server(project, server_state)
    with (
        daemon(project, state=server_state, name="one") as one,
        daemon(project, state=server_state, name="two") as two,
    ):
        assert wait_for(lambda: leaders(one) or leaders(two))
        first, second = (one, two) if leaders(one) else (two, one)
        assert wait_for(lambda: ran(one.state) >= 2)
        assert first.end() == 0
        assert wait_for(lambda: leaders(second), 10), second.log.read_text()
        count = ran(one.state)
        assert wait_for(lambda: ran(one.state) > count, 10), second.log.read_text()
        assert second.end() == 0
    assert longest_stall(ledger(one.state)) < timedelta(seconds=12)


def test_a_leader_that_was_frozen_writes_nothing_and_stands_by(
    project: Project, server_state: str
) -> None:
    lively(project, minutes=30)
    on_server(project, server_state)
    engine = sa.create_engine(server_state.replace("postgresql:", "postgresql+psycopg:"))
    with daemon(project, state=server_state, name="one") as one:
        assert wait_for(lambda: ran(one.state) >= 3), one.log.read_text()
        with daemon(project, state=server_state, name="two") as two:
            assert wait_for(lambda: two.told("standing by: daemon on")), two.log.read_text()
            one.process.send_signal(signal.SIGSTOP)
            with engine.begin() as connection:  # as if its lease had run out meanwhile
                connection.exec_driver_sql(
                    "UPDATE eventwatch_lease SET expires_at = 0 WHERE name = 'daemon'"
                )
            assert wait_for(lambda: leaders(two), 15), two.log.read_text()
            count = ran(two.state)
            # Frozen in the middle of a transaction it holds rows until the server ends that, after 30 s.
            assert wait_for(lambda: ran(two.state) >= count + 2, 50), two.log.read_text()
            one.process.send_signal(signal.SIGCONT)
            assert wait_for(lambda: one.told("the right to run was lost"), 20)
            assert wait_for(lambda: one.told("standing by: daemon on"), 20), one.log.read_text()
            assert two.end() == 0
            assert wait_for(lambda: one.log.read_text().count("watching 1 exposures") == 2, 15)
            assert one.end() == 0
    assert holes(ledger(one.state), one.every) == []
    engine.dispose()


def test_a_server_that_ends_every_connection_costs_nothing(
    project: Project, server_state: str
) -> None:
    lively(project, minutes=30)
    on_server(project, server_state)
    engine = sa.create_engine(server_state.replace("postgresql:", "postgresql+psycopg:"))
    with daemon(project, state=server_state) as watched:
        assert wait_for(lambda: ran(watched.state) >= 2), watched.log.read_text()
        for _ in range(3):
            two_more = more(watched, 2)
            with engine.begin() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            assert wait_for(two_more, 15)
        assert watched.end() == 0, watched.log.read_text()
    assert holes(ledger(watched.state), watched.every) == []
    engine.dispose()
