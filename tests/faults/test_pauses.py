"""F16 and F1: the process stands still, or is killed, at any moment; the ledger has no hole."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import time
from datetime import timedelta

import pytest

from eventwatch.daemon import agenda as words
from eventwatch.model.state import SlotStatus
from tests.fakes.project import Project
from tests.fakes.slack import FakeSlack
from tests.faults.test_stops import with_slack
from tests.faults.watched import daemon, holes, ledger, lively, ran, wait_for


def paused(project: Project, seconds: float) -> None:
    lively(project, minutes=30)
    with FakeSlack().running() as slack:
        env = with_slack(project, slack)
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
            assert wait_for(lambda: slack.messages)
            watched.process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)
            count = ran(watched.state)
            watched.process.send_signal(signal.SIGCONT)
            assert wait_for(lambda: ran(watched.state) >= count + 3, 10)
            assert watched.end() == 0
        assert len(slack.messages) == 1
    slots = ledger(watched.state)
    assert holes(slots, watched.every) == []
    missed = [s for s in slots if words.PAUSED in s.reason or words.BUSY in s.reason]
    assert len(missed) >= seconds - 3
    assert {s.status for s in missed} == {SlotStatus.SKIPPED}


def test_a_pause_is_one_run_and_the_rest_is_skipped(project: Project) -> None:
    paused(project, 8.0)


@pytest.mark.slow
def test_a_pause_of_ten_minutes(project: Project) -> None:
    paused(project, 600.0)


def killed(project: Project, times: int) -> None:
    chance = random.Random(7)
    lively(project, minutes=60)
    with FakeSlack().running() as slack:
        env = with_slack(project, slack)
        for _ in range(times):
            with daemon(project, env=env) as watched:
                # From the first import to the middle of a cycle.
                time.sleep(chance.uniform(0.2, 3.2))
                watched.kill()
        with daemon(project, env=env) as watched:
            before = ran(watched.state)
            assert wait_for(lambda: ran(watched.state) >= before + 3), watched.log.read_text()
            assert wait_for(lambda: slack.messages)
            assert watched.end() == 0
        posts = [json.dumps(m.body) for m in slack.messages if m.thread_ts is None]
        assert len(posts) == 1, "told twice"
        assert "user_x" in posts[0]
    slots = ledger(watched.state)
    assert holes(slots, watched.every) == []
    with sqlite3.connect(project.folder / "var" / "state.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert slots[-1].scheduled_at - slots[0].scheduled_at >= timedelta(seconds=3)


def test_kills_leave_no_hole_and_nothing_is_told_twice(project: Project) -> None:
    killed(project, 8)


@pytest.mark.slow
def test_two_hundred_kills(project: Project) -> None:
    killed(project, 200)
