"""F15: a signal ends the daemon in eight seconds at most, whatever it is doing."""

from __future__ import annotations

import random
import signal
import time
from datetime import UTC, datetime
from functools import partial

import pytest

from eventwatch.model.alert import DeliveryState
from eventwatch.model.state import SlotStatus
from tests.fakes.project import Project, steady
from tests.fakes.slack import TOKEN, FakeSlack, Fault
from tests.faults.watched import Watched, daemon, ledger, lively, ran, reading, wait_for

ENDLESS = "CREATE VIEW endless AS SELECT e.* FROM events e, range(3000000) a, range(3000000) b"


def with_slack(project: Project, slack: FakeSlack) -> dict[str, str]:
    config = project.folder / "config.yaml"
    where = f'slack: {{token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack.base_url}"}}'
    config.write_text(
        config.read_text().replace("data-platform}\nstate", f"data-platform, {where}}}\nstate")
    )
    return {"SLACK_BOT_TOKEN": TOKEN}


def stuck_in_a_query(project: Project) -> None:
    project.declare("user_a")
    project.rows(steady(["user_a"], until=datetime.now(UTC), days=2))
    project.sql(ENDLESS)
    project.config("    look_back: 20d\n", table="endless")


def running(watched: Watched) -> bool:
    return any(s.status is SlotStatus.RUNNING for s in ledger(watched.state))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
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


def test_at_any_moment_after_the_start(project: Project) -> None:
    moments(project, [0.0, 0.3, 0.9, 1.6, 2.5])


@pytest.mark.slow
def test_at_fifty_moments(project: Project) -> None:
    chance = random.Random(1)
    moments(project, [chance.uniform(0.0, 5.0) for _ in range(50)])


def moments(project: Project, waits: list[float]) -> None:
    lively(project, minutes=30)
    for wait in waits:
        with daemon(project) as watched:
            # Before the handler is there, Python itself dies of the signal.
            handled = f"/proc/{watched.process.pid}/status"
            assert wait_for(partial(_catches, handled, signal.SIGTERM))
            time.sleep(wait)
            assert watched.end() == 0, watched.log.read_text()


def _catches(path: str, number: int) -> bool:
    with open(path) as status:  # noqa: PTH123
        (mask,) = (line.split()[1] for line in status if line.startswith("SigCgt"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def test_who_asks_twice_does_not_wait(project: Project) -> None:
    stuck_in_a_query(project)
    with daemon(project) as watched:
        assert wait_for(lambda: running(watched)), watched.log.read_text()
        watched.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert watched.end(signal.SIGTERM, within=1.0) == 128 + signal.SIGTERM
