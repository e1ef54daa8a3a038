"""F17: more than one process on one state."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from eventwatch.daemon.right import LEASE_TIME
from eventwatch.model.state import SlotStatus
from tests.fakes.project import Project
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures, stalled
from tests.faults.watched import (
    Watched,
    daemon,
    holes,
    ledger,
    lively,
    on_server,
    ran,
    wait_for,
)

COMMAND = ("-m", "eventwatch", "run-once", "--send")


def test_a_second_daemon_on_a_file_refuses_and_names_the_owner(
    project: Project, figures: Figures
) -> None:
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
    next_one.up += first.up
    next_one.report(figures)


def beside(project: Project, figures: Figures, rounds: int, url: str = "") -> None:
    """One daemon, and eight full cycles by hand at a time, while there is more and more to tell."""
    those = crowd(project, 2 + 2 * rounds, first=8.0, step=3.0)
    on_server(project, url)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, env=env, state=url) as watched:
            assert wait_for(lambda: ran(watched.state) > 0), watched.log.read_text()
            for _ in range(rounds):
                hands = [
                    subprocess.Popen(
                        # Eight at once are a load; what is tried here is who may write.
                        ["nice", "-n", "15", sys.executable, *COMMAND],
                        cwd=project.folder,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.PIPE,
                        env={**os.environ, **env},
                    )
                    for _ in range(8)
                ]
                for hand in hands:
                    said = hand.communicate(timeout=120)[1].decode()
                    assert hand.returncode in (0, 1, 3), said
                    assert "Traceback" not in said
            assert those.all_told(slack), watched.log.read_text()[-3000:]
            assert watched.end() == 0
    figures.tried(8 * rounds)
    # Whoever holds the lease of the exposure runs its cycle: a slot may go to a cycle by hand.
    slots = ledger(watched.state)
    taken = [s.scheduled_at for s in slots if "is running it" in s.reason]
    figures.slots(holes(slots, watched.every), stalled(slots, watched.up, taken))
    those.count(figures, slack)
    skipped = [s for s in slots if "is running it" in s.reason]
    assert {s.status for s in skipped} <= {SlotStatus.SKIPPED}


@pytest.mark.slow
def test_cycles_by_hand_beside_a_daemon_make_one_incident_and_one_message(
    project: Project, figures: Figures
) -> None:
    beside(project, figures, 1)


@pytest.mark.slow
def test_64_cycles_by_hand(project: Project, figures: Figures) -> None:
    beside(project, figures, 8)


@pytest.mark.slow
def test_40_cycles_by_hand_on_a_server(
    project: Project, server_state: str, figures: Figures
) -> None:
    beside(project, figures, 5, server_state)


def leaders(watched: Watched) -> bool:
    return watched.told("watching 1 exposure")


@pytest.mark.slow
def test_another_daemon_stands_by_and_takes_over_when_the_first_is_killed(
    project: Project, server_state: str, figures: Figures
) -> None:
    """A lease that nobody gave back holds for its time: what comes after that is the stall."""
    those = crowd(project, 8, first=8.0, step=5.0)
    on_server(project, server_state)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, state=server_state, name="one", env=env) as one:
            assert wait_for(lambda: leaders(one)), one.log.read_text()
            assert wait_for(lambda: ran(one.state) >= 2)
            with daemon(project, state=server_state, name="two", env=env) as two:
                assert wait_for(lambda: two.told("standing by: daemon on")), two.log.read_text()
                one.kill()
                killed_at = datetime.now(UTC)
                assert wait_for(lambda: leaders(two), 90)
                count = ran(two.state)
                assert wait_for(lambda: ran(two.state) > count, 30), two.log.read_text()
                assert those.all_told(slack)
                two.up.append((killed_at + LEASE_TIME, datetime.now(UTC)))
                assert two.process.poll() is None
                assert wait_for(lambda: two.end() == 0, 1)
    figures.tried(1)
    slots = ledger(two.state)
    figures.slots(holes(slots, two.every), stalled(slots, [*one.up, two.up[0]]))
    those.count(figures, slack)


@pytest.mark.slow
def test_a_stopped_daemon_hands_over_at_once(
    project: Project, server_state: str, figures: Figures
) -> None:
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
        assert wait_for(lambda: ran(one.state) > count, 30), second.log.read_text()
        second.up.append((first.up[-1][1], datetime.now(UTC)))
        assert second.end() == 0
    figures.tried(1)
    slots = ledger(one.state)
    # Who stands by looks every second.
    figures.slots(holes(slots, one.every), stalled(slots, [*first.up, second.up[0]]))
