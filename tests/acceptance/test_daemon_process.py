"""The daemon as a process: it runs cycles, tells once, and stops cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from eventwatch.model.settings import Secret
from tests.fakes.project import Project, steady


def start(project: Project, log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "eventwatch", "run"],
            cwd=project.folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=dict(os.environ),
        )


def wait_for(condition: object, seconds: float = 40) -> bool:
    assert callable(condition)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


def test_a_cycle_runs_its_message_is_sent_and_a_signal_ends_it_cleanly(
    project: Project, tmp_path: Path
) -> None:
    from eventwatch.store.sql import open_store

    now = datetime.now(UTC)
    project.declare("user_a", "user_b")
    project.config("    look_back: 20d\n    every: 10s\n")
    project.rows(steady(["user_a", "user_b", "user_c"], until=now, days=5))
    log = tmp_path / "log"
    process = start(project, log)
    try:
        assert wait_for(lambda: b"user_c" in log.read_bytes()), log.read_text()
        # One more cycle: what was told is not told again.
        time.sleep(11)
        assert project.run("health").code == 0
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0, log.read_text()
        assert time.monotonic() - began < 8
    finally:
        process.kill()
    store = open_store(Secret(f"sqlite:///{project.folder}/var/state.db"))
    try:
        rows = store.deliveries()
        assert [(d.channel, d.state.value) for d in rows] == [("#data-platform", "sent")]
        assert store.last_heartbeat("exposure:events") is not None
    finally:
        store.close()


def test_health_says_what_is_missing_before_the_first_cycle(project: Project) -> None:
    project.declare("user_a")
    project.config()
    done = project.run("health")
    assert done.code == 1
    assert "no cycle was ever recorded" in done.err
