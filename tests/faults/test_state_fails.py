"""F13 and F14 as processes: a state that is lost, damaged or full is said, and never begun anew."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from eventwatch.store.schema import VERSION_TABLE
from tests.fakes.project import Project, steady
from tests.fakes.slack import FakeSlack
from tests.faults.test_stops import with_slack
from tests.faults.watched import daemon, holes, ledger, lively, ran, wait_for


def overwrite(at: int, data: bytes) -> Callable[[Path], None]:
    """Damage somewhere in the file."""

    def damage(path: Path) -> None:
        with path.open("r+b") as stream:
            stream.seek(at)
            stream.write(data)

    return damage


def replaced(data: bytes) -> Callable[[Path], None]:
    """Something else in its place."""

    def damage(path: Path) -> None:
        path.write_bytes(data)

    return damage


def shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def version(value: str) -> Callable[[Path], None]:
    """Another version of the schema than any that this program knows."""

    def damage(path: Path) -> None:
        with sqlite3.connect(path) as connection:
            changed = connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = ?", (value,))
            assert changed.rowcount == 1

    return damage


LOST: dict[str, Callable[[Path], None]] = {
    "no header": overwrite(0, b"\0" * 100),
    "pages overwritten": overwrite(4096, b"\xa5" * 5 * 4096),
    "cut in half": shorten,
    "empty": replaced(b""),
    "deleted": lambda path: path.unlink(),
    "another program's file": replaced(b"not a database at all\n" * 400),
    "an unknown version": version("who_knows"),
    "a newer version": version("9999"),
}


@pytest.fixture
def used(project: Project) -> Path:
    """A state that was in use, and a table with something to tell."""
    project.declare("user_a", "user_b")
    rows = steady(["user_a", "user_b", "user_x"], until=datetime.now(UTC), days=3)
    project.rows(rows[rows.event_type != "user_x"])
    project.config("    look_back: 20d\n")
    with FakeSlack().running() as slack:
        done = project.run("run-once", "--send", env=with_slack(project, slack))
    assert done.code in (0, 1), done.err
    return project.folder / "var" / "state.db"


@pytest.mark.parametrize("case", LOST)
def test_a_state_that_is_not_what_it_was_stops_everything(
    project: Project, used: Path, case: str
) -> None:
    LOST[case](used)
    before = used.read_bytes() if used.exists() else None
    with FakeSlack().running() as slack:
        config = project.folder / "config.yaml"
        text = config.read_text()
        start = text.index("base_url: ") + len("base_url: ")
        config.write_text(text[:start] + f'"{slack.base_url}"' + text[text.index("}", start) :])
        done = project.run("run-once", "--send", env={"SLACK_BOT_TOKEN": slack.token})
        assert slack.messages == []
    assert done.code == 3, done.out + done.err
    assert "state" in done.err
    assert "Traceback" not in done.err
    assert (used.read_bytes() if used.exists() else None) == before


def test_a_full_disk_is_said_and_survived(project: Project) -> None:
    lively(project, minutes=30)
    with FakeSlack().running() as slack:
        with daemon(project, env=with_slack(project, slack)) as watched:
            assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
            assert wait_for(lambda: slack.messages)
            full = (project.folder / "var" / "state.db").stat().st_size // 2
            _, most = resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE, (full, most))
            assert wait_for(lambda: watched.told("state.db") and watched.told('"error"'), 30)
            assert watched.process.poll() is None, watched.log.read_text()[-3000:]
            count = ran(watched.state)
            resource.prlimit(watched.process.pid, resource.RLIMIT_FSIZE, (most, most))
            assert wait_for(lambda: ran(watched.state) >= count + 3, 30), watched.log.read_text()
            assert watched.end() == 0
        assert len([m for m in slack.messages if m.thread_ts is None]) == 1
    assert holes(ledger(watched.state), watched.every) == []
    with sqlite3.connect(project.folder / "var" / "state.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    newest = ledger(watched.state)[-1].scheduled_at
    assert datetime.now(UTC) - newest < timedelta(seconds=30)
