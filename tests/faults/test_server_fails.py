"""F18, and F14 on a server: PostgreSQL ends connections, restarts, dies; a leader freezes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.fakes.project import Project
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures, stalled
from tests.faults.server import Server
from tests.faults.test_several import leaders
from tests.faults.watched import WITHIN, daemon, holes, ledger, more, on_server, ran, wait_for


def end_connections(server: Server) -> None:
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        "AND application_name = 'eventwatch'"
    )


def restart(server: Server) -> None:
    server.stop()
    server.start()


def kill(server: Server) -> None:
    server.kill()
    server.start()


BREAK: dict[str, Callable[[Server], None]] = {
    "every connection is ended": end_connections,
    "it is restarted": restart,
    "its postmaster is killed": kill,
}


def broken(project: Project, server: Server, figures: Figures, kinds: list[str]) -> None:
    """One after another, while team after team has something to be told."""
    those = crowd(project, min(12, 4 + len(kinds)), step=max(2.0, len(kinds) * 2.2 / 12))
    on_server(project, server.url)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, state=server.url, env=env) as watched:
            assert wait_for(lambda: ran(watched.state) >= 2), watched.log.read_text()
            for kind in kinds:
                with watched.away():
                    BREAK[kind](server)
                two_more = more(watched, 2)
                assert wait_for(two_more, 40), (kind, watched.log.read_text()[-3000:])
            assert those.all_told(slack), watched.log.read_text()[-3000:]
            assert watched.end() == 0
    figures.tried(len(kinds))
    watched.report(figures)
    those.count(figures, slack)


@pytest.mark.slow
def test_a_server_that_ends_every_connection_costs_nothing(
    project: Project, server: Server, figures: Figures
) -> None:
    broken(project, server, figures, ["every connection is ended"])


@pytest.mark.slow
def test_a_server_that_fails_fifty_times(
    project: Project, server: Server, figures: Figures
) -> None:
    broken(project, server, figures, [list(BREAK)[n % 3] for n in range(51)])


@pytest.mark.slow
def test_a_leader_that_was_frozen_writes_nothing_and_stands_by(
    project: Project, server: Server, figures: Figures
) -> None:
    those = crowd(project, 6, first=8.0, step=5.0)
    on_server(project, server.url)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, state=server.url, name="one", env=env) as one:
            assert wait_for(lambda: ran(one.state) >= 3), one.log.read_text()
            with daemon(project, state=server.url, name="two", env=env) as two:
                assert wait_for(lambda: two.told("standing by: daemon on")), two.log.read_text()
                one.down()
                one.process.send_signal(signal.SIGSTOP)
                # As if its lease had run out meanwhile.
                server.execute("UPDATE eventwatch_lease SET expires_at = 0 WHERE name = 'daemon'")
                assert wait_for(lambda: leaders(two), 30), two.log.read_text()
                # Frozen in a transaction it holds rows until the server ends that, after 30 s.
                count = ran(two.state)
                assert wait_for(lambda: ran(two.state) >= count + 2, 90), two.log.read_text()
                two.back()
                one.process.send_signal(signal.SIGCONT)
                assert wait_for(lambda: one.told("the right to run was lost"), 40)
                assert wait_for(lambda: one.told("standing by: daemon on"), 40)
                assert those.all_told(slack), two.log.read_text()[-3000:]
                assert two.end() == 0
                handed_over_at = two.up[-1][1]
                twice = "watching 1 exposure"
                assert wait_for(lambda: one.log.read_text().count(twice) == 2, 40)
                count = ran(one.state)
                assert wait_for(lambda: ran(one.state) > count, 40)
                one.up.append((handed_over_at, datetime.now(UTC)))
                assert one.process.poll() is None
                one.process.send_signal(signal.SIGTERM)
                assert one.process.wait(timeout=WITHIN) == 0
    figures.tried(1)
    slots = ledger(one.state)
    figures.slots(holes(slots, one.every), stalled(slots, [*one.up, *two.up]))
    those.count(figures, slack)


@pytest.mark.slow
def test_a_state_that_was_emptied_under_a_daemon_is_not_begun_anew(
    project: Project, server: Server, figures: Figures
) -> None:
    """Neither by the daemon that runs, nor by the next one: all that was told would be told again."""
    those = crowd(project, 2, first=6.0, step=1.0)
    on_server(project, server.url)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack)
        with daemon(project, state=server.url, env=env) as watched:
            assert those.all_told(slack), watched.log.read_text()
            server.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            assert wait_for(lambda: watched.told("does not exist"), 40), watched.log.read_text()
            time.sleep(3.0)
            assert watched.process.poll() is None
            assert watched.end() == 0
        again = project.run("run", env=env)
        assert (again.code, "Traceback" in again.err) == (3, False), again.err
        assert "there was one" in again.err
        by_hand = project.run("run-once", "--send", env=env)
        assert by_hand.code == 3, by_hand.err
    figures.tried(3)
    those.count(figures, slack)
