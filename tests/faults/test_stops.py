"""F15: a signal ends the daemon in eight seconds at most, whatever it is doing."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from eventwatch.model.alert import DeliveryState
from eventwatch.model.state import SlotStatus
from tests.fakes.project import Project, steady
from tests.fakes.slack import FakeSlack, Fault
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures, Span
from tests.faults.watched import Watched, daemon, ledger, lively, more, ran, reading, wait_for

ENDLESS = "CREATE VIEW endless AS SELECT e.* FROM events e, range(3000000) a, range(3000000) b"


def stuck_in_a_query(project: Project) -> None:
    project.declare("user_a")
    project.rows(steady(["user_a"], until=datetime.now(UTC), days=2))
    project.sql(ENDLESS)
    project.config("    look_back: 20d\n", table="endless")


def running(watched: Watched) -> bool:
    return any(s.status is SlotStatus.RUNNING for s in ledger(watched.state))


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)]
)
def test_a_query_is_cancelled_and_its_slot_is_run_again_at_the_next_start(
    project: Project, number: int
) -> None:
    stuck_in_a_query(project)
    with daemon(project) as watched:
        assert wait_for(lambda: running(watched)), watched.log.read_text()
        assert watched.end(number) == 0
        newest = ledger(watched.state)[-1]
        assert (newest.status, "stopped" in newest.reason) == (SlotStatus.DUE, True)
        assert watched.told("stopped")
    project.config("    look_back: 20d\n")
    with daemon(project, every=3600) as again:
        assert wait_for(lambda: ran(again.state) > 0), again.log.read_text()
        assert again.end() == 0


@pytest.mark.slow
def test_a_message_that_slack_takes_slowly_is_left_to_the_next_start(project: Project) -> None:
    lively(project)
    with FakeSlack(faults=[Fault(hangs=True)]).running() as slack:
        env = with_slack(project, slack)
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: slack.faults == []), watched.log.read_text()
            assert watched.end() == 0


def test_a_message_that_was_accepted_is_not_in_doubt(project: Project) -> None:
    lively(project)
    with FakeSlack().running() as slack:
        env = with_slack(project, slack)
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: slack.messages), watched.log.read_text()
            assert watched.end() == 0
        with reading(watched.state) as reader:
            posts = [d for i in reader.incidents() for d in reader.deliveries_of(i.id)]
        assert [d.state for d in posts if d.state is DeliveryState.SENDING] == []


def test_at_any_moment_after_the_start(project: Project, figures: Figures) -> None:
    moments(project, figures, [0.0, 1.5])


def test_in_the_middle_of_loading_a_compiled_module(tmp_path: Path) -> None:
    """As such a module does: an exception that comes out of Python there ends it with SIGABRT."""
    (tmp_path / "compiled.py").write_text(
        "import os, signal, time\n"
        "try:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(20)\n"
        "except BaseException:\n"
        "    os.abort()\n"
    )
    code = (
        "from eventwatch.daemon.signals import stoppable\nwith stoppable():\n    import compiled\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False, timeout=60)
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_at_fifty_moments(project: Project, figures: Figures, seed: int) -> None:
    chance = random.Random(seed)
    moments(project, figures, [chance.uniform(0.0, 4.0) for _ in range(25)])


def moments(project: Project, figures: Figures, waits: list[float]) -> None:
    those = crowd(project, min(12, 1 + len(waits)), first=8.0, step=len(waits) / 4)
    slack, up = those.slack(), list[Span]()
    with slack.running():
        env = with_slack(project, slack)
        for wait in waits:
            with daemon(project, env=env, up=up) as watched:
                # Before the handler is there, Python itself dies of the signal.
                handled = f"/proc/{watched.process.pid}/status"
                assert wait_for(partial(_catches, handled, signal.SIGTERM))
                time.sleep(wait)
                assert watched.end() == 0, watched.log.read_text()
        with daemon(project, env=env, up=up) as last:
            assert wait_for(more(last, 2)), last.log.read_text()
            assert those.all_told(slack), last.log.read_text()
            assert last.end() == 0
    figures.tried(len(waits))
    last.report(figures)
    those.count(figures, slack)


def _catches(path: str, number: int) -> bool:
    with open(path) as status:  # noqa: PTH123
        (mask,) = (line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)


@pytest.mark.slow
def test_in_the_middle_of_a_start_that_hangs(project: Project) -> None:
    """The time is counted from the signal, not from when somebody looks for it."""
    lively(project)
    with daemon(project, env={"QUICK_BREAK": "start"}) as watched:
        assert wait_for((project.folder / "var" / "state.lock").exists), watched.log.read_text()
        time.sleep(1.0)
        assert watched.end(within=20.0) == 0
        assert watched.told("was cut")


def test_who_asks_twice_does_not_wait(project: Project) -> None:
    stuck_in_a_query(project)
    with daemon(project) as watched:
        assert wait_for(lambda: running(watched)), watched.log.read_text()
        watched.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert watched.end(signal.SIGTERM, within=1.0) == 128 + signal.SIGTERM
