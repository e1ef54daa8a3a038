"""F1: the process is killed at any moment, again and again, while there is more and more to tell."""

from __future__ import annotations

import multiprocessing
import random
import sqlite3
import time
from datetime import UTC, datetime

import pytest

from tests.fakes.project import Project
from tests.faults import quick_daemon
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures, Span
from tests.faults.watched import daemon, ran, wait_for

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([quick_daemon.__name__])


def killed_from_the_start(project: Project, env: dict[str, str], times: int, up: list[Span]) -> int:
    """From the first import to the middle of a cycle."""
    chance = random.Random(7)
    for _ in range(times):
        with daemon(project, env=env, up=up) as watched:
            time.sleep(chance.uniform(0.1, 3.2))
            watched.kill()
    return times


def killed_at_work(
    project: Project, env: dict[str, str], times: int, up: list[Span], seed: int
) -> int:
    """Of processes that have everything loaded, so that most kills hit a cycle or a message."""
    chance = random.Random(seed)
    for _ in range(times):
        life = _processes.Process(
            target=quick_daemon.forked, args=(str(project.folder), 1.0, env), daemon=True
        )
        life.start()
        # Not before: the first one waits for the process that has everything loaded.
        born = datetime.now(UTC)
        time.sleep(chance.uniform(0.005, 2.0))
        up.append((born, datetime.now(UTC)))
        life.kill()
        life.join()
    return times


def killed(project: Project, figures: Figures, cold: int, warm: int, seed: int = 1) -> None:
    those = crowd(project, 2 + (cold + warm) // 5, step=5.0, minutes=60)
    up: list[Span] = []
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        times = killed_at_work(project, env, warm, up, seed)
        times += killed_from_the_start(project, env, cold, up)
        with daemon(project, env=env, up=up) as watched:
            before = ran(watched.state)
            assert wait_for(lambda: ran(watched.state) >= before + 3), watched.log.read_text()
            those.all_told(slack)
            assert watched.end() == 0
    figures.tried(times)
    watched.report(figures)
    those.count(figures, slack)
    with sqlite3.connect(project.folder / "var" / "state.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_kills_leave_no_hole_and_nothing_is_told_twice(project: Project, figures: Figures) -> None:
    killed(project, figures, 1, 6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_two_hundred_kills(project: Project, figures: Figures, seed: int) -> None:
    killed(project, figures, 10, 40, seed)
