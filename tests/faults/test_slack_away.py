"""F5 and F6: Slack is away, a channel is gone, the token has ended; nobody is told twice for that."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch.model.settings import Secret
from tests.clockshim.clockshim import wall_clock
from tests.fakes.project import Project
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures
from tests.faults.watched import daemon, ran, reading, wait_for


def oldest_unsent(state: Secret) -> float:
    with reading(state) as reader:
        since = reader.tally().oldest_unsent_at
    return 0.0 if since is None else time.time() - since.timestamp()


def outage(project: Project, figures: Figures, teams: int, seconds: float) -> None:
    """Slack answers nobody while one team after another has something to be told."""
    those = crowd(project, teams, first=8.0, step=(seconds - 14.0) / teams)
    slack = those.slack()
    with slack.running():
        env, port = with_slack(project, slack), slack.port
    began = time.monotonic()
    with daemon(project, env=env) as watched:
        assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
        assert wait_for(lambda: oldest_unsent(watched.state) > seconds / 3, 2 * seconds)
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        assert slack.messages == []
        with slack.running(port):
            assert those.all_told(slack, 150), watched.log.read_text()[-3000:]
            time.sleep(3.0)
        assert watched.end() == 0
    figures.tried(teams)
    watched.report(figures)
    those.count(figures, slack)


@pytest.mark.slow
def test_what_was_found_while_slack_was_away_is_told_once(
    project: Project, figures: Figures
) -> None:
    outage(project, figures, 2, 16.0)


@pytest.mark.slow
def test_slack_is_away_for_a_minute(project: Project, figures: Figures) -> None:
    outage(project, figures, 10, 60.0)


CLOSED: dict[str, dict[str, Any]] = {
    "archived": {"archived": True},
    "removed": {"member": False},
    "gone": {},
}


@pytest.mark.slow
def test_channels_that_take_nothing_are_told_of_elsewhere(
    project: Project, figures: Figures
) -> None:
    """Each of three causes three times, between teams whose channels are well."""
    those = crowd(project, 12, first=8.0, step=2.0)
    slack = those.slack()
    causes = [cause for cause in CLOSED for _ in range(3)]
    shut = dict(zip((c.id for c in those.channels), causes, strict=False))
    slack.channels = [
        replace(c, **CLOSED[shut[c.id]]) if c.id in shut else c
        for c in slack.channels
        if shut.get(c.id) != "gone"
    ]
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, env=env) as watched:
            wanted = [name for _, name in zip(shut, those.names, strict=False)]

            def told() -> bool:
                said = json.dumps([m.body for m in slack.messages if m.channel == "C0DATA0001"])
                healthy = {m.channel for m in slack.messages} >= {
                    c.id for c in those.channels if c.id not in shut
                }
                return healthy and all(name in said for name in wanted)

            assert wait_for(told, 120), watched.log.read_text()[-3000:]
            time.sleep(3.0)
            health = project.run("health", env=env)
            assert watched.end() == 0
    posts = [m for m in slack.messages if m.thread_ts is None]
    elsewhere = [str(m.body) for m in posts if m.channel == "C0DATA0001"]
    assert len([text for text in elsewhere if "Mend the channel" in text]) <= len(shut)
    moved = [name for name in wanted if sum(name in text for text in elsewhere) != 1]
    healthy = [m.channel for m in posts if m.channel != "C0DATA0001"]
    figures.tried(len(shut))
    watched.report(figures)
    lost = [name for name in moved if not any(name in text for text in elsewhere)]
    lost += [c.id for c in those.channels if c.id not in shut and c.id not in healthy]
    figures.messages(lost, [n for n in moved if n not in lost] + _twice(healthy))
    assert health.code in (0, 1), health.err


@pytest.mark.slow
@pytest.mark.parametrize("error", ["token_revoked", "invalid_auth", "account_inactive"])
def test_a_token_that_ended_and_is_mended_loses_nothing(
    project: Project, tmp_path: Path, figures: Figures, error: str
) -> None:
    """Such a refusal is asked again after five minutes, which the machine sleeps through here."""
    clock = wall_clock(tmp_path)
    those = crowd(project, 4, first=8.0, step=2.0)
    slack = those.slack()
    slack.auth_error = error
    with slack.running():
        env = with_slack(project, slack) | clock.env
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: watched.told(error), 60), watched.log.read_text()
            time.sleep(8.0)
            health = project.run("health", env=env)
            assert (health.code, slack.messages) == (1, []), health.err
            with watched.away():
                slack.auth_error = ""
                watched.ahead += timedelta(minutes=5, seconds=5)
                clock.sleep_by(int(watched.ahead.total_seconds()))
            assert those.all_told(slack, 90), watched.log.read_text()[-3000:]
            time.sleep(2.0)
            assert watched.end() == 0
    figures.tried(1)
    watched.report(figures)
    those.count(figures, slack)


def _twice(channels: list[str]) -> list[str]:
    return [c for c in set(channels) if channels.count(c) > 1]
