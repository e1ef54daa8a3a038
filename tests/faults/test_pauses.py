"""F16: the process, or the machine under it, stands still for a while."""

from __future__ import annotations

import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.daemon import agenda as words
from eventwatch.daemon.ledger import CLOCK
from eventwatch.model.state import SlotStatus
from tests.clockshim.clockshim import wall_clock
from tests.fakes.project import Project
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures
from tests.faults.watched import Watched, daemon, ledger, ran, wait_for


def skipped_for_it(watched: Watched) -> int:
    """Slots that say why they were left out, of those that came while nothing ran."""
    slots = ledger(watched.state)
    missed = [s for s in slots if words.PAUSED in s.reason or words.BUSY in s.reason]
    assert {s.status for s in missed} <= {SlotStatus.SKIPPED}
    return len(missed)


def paused(project: Project, figures: Figures, seconds: float, times: int) -> None:
    """While it stands still, team after team gets something to be told."""
    those = crowd(project, 4 * times, first=6.0, step=(seconds + 3) / 4)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
            for _ in range(times):
                # Stopped in the middle of a commit, it keeps readers out; so count before.
                count = ran(watched.state)
                with watched.away():
                    watched.process.send_signal(signal.SIGSTOP)
                    time.sleep(seconds)
                    watched.process.send_signal(signal.SIGCONT)
                assert wait_for(lambda n=count: ran(watched.state) >= n + 3, 40)  # type: ignore[misc]
            assert those.all_told(slack), watched.log.read_text()[-3000:]
            assert watched.end() == 0
    figures.tried(times)
    watched.report(figures)
    those.count(figures, slack)
    assert skipped_for_it(watched) >= times * (seconds - 3)


def test_a_pause_is_one_run_and_the_rest_is_skipped(project: Project, figures: Figures) -> None:
    paused(project, figures, 6.0, 1)


@pytest.mark.slow
def test_three_pauses_of_half_a_minute(project: Project, figures: Figures) -> None:
    paused(project, figures, 30.0, 3)


@pytest.mark.slow
def test_a_pause_of_ten_minutes(project: Project, figures: Figures) -> None:
    paused(project, figures, 600.0, 1)


@pytest.mark.slow
def test_a_machine_that_sleeps_for_ten_minutes(
    project: Project, tmp_path: Path, figures: Figures
) -> None:
    """Its clock goes on, and so does the count of seconds that includes sleep; the process does not."""
    clock = wall_clock(tmp_path)
    those = crowd(project, 4, first=8.0, step=12.0)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack) | clock.env
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
            for _ in range(3):
                count = ran(watched.state)
                with watched.away():
                    watched.process.send_signal(signal.SIGSTOP)
                    time.sleep(0.5)
                    watched.ahead += timedelta(minutes=10)
                    clock.sleep_by(int(watched.ahead.total_seconds()))
                    watched.process.send_signal(signal.SIGCONT)
                assert wait_for(lambda n=count: ran(watched.state) >= n + 3, 40)  # type: ignore[misc]
            assert wait_for(lambda: len(those.told(slack)) == len(those.channels), 60)
            assert watched.end() == 0
    figures.tried(3)
    jumps = [s.reason for s in ledger(watched.state, CLOCK)]
    assert not [reason for reason in jumps if "clock_jump" in reason], "sleep is no jump"
    those.count(figures, slack)
    watched.report(figures)
    # The newest 500 of each absence have a row each; one stands for the others.
    assert skipped_for_it(watched) >= 3 * 500
