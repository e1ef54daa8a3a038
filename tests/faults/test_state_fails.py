"""F13 and F14 as processes: a state that is lost, damaged or full is said, and never begun anew."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from eventwatch.store.schema import VERSION_TABLE
from tests.fakes.project import Project, steady
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import crowd, with_slack
from tests.faults.figures import Figures
from tests.faults.watched import daemon, more, ran, wait_for


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


EVERY_DAY = ("no header", "deleted")
"""The others are tried with the whole plan."""
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


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=() if c in EVERY_DAY else pytest.mark.slow) for c in LOST],
)
def test_a_state_that_is_not_what_it_was_stops_everything(
    project: Project, used: Path, figures: Figures, case: str
) -> None:
    LOST[case](used)
    before = used.read_bytes() if used.exists() else None
    with FakeSlack().running() as slack:
        config = project.folder / "config.yaml"
        text = config.read_text()
        start = text.index("base_url: ") + len("base_url: ")
        config.write_text(text[:start] + f'"{slack.base_url}"' + text[text.index("}", start) :])
        done = project.run("run-once", "--send", env={"SLACK_BOT_TOKEN": slack.token})
    # All of it was told before.
    figures.messages([], slack.messages)
    assert done.code == 3, done.out + done.err
    assert "state" in done.err
    assert "Traceback" not in done.err
    assert (used.read_bytes() if used.exists() else None) == before


class Disk(Protocol):
    """Where the state lies."""

    def fill(self, pid: int, left: int) -> None:
        """So many bytes are left."""

    def free(self, pid: int) -> None:
        """There is room again."""


@dataclass
class Limited:
    """No file of the process may grow beyond the state's size: for whom may not mount anything."""

    folder: Path

    def fill(self, pid: int, left: int) -> None:
        size = (self.folder / "state.db").stat().st_size
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        # At nothing left, what is there may not be written again either.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + left if left else size // 2, most))

    def free(self, pid: int) -> None:
        _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


@dataclass
class Mounted:
    """A disk of its own, with somebody else's file on it."""

    folder: Path

    def fill(self, pid: int, left: int) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            with suppress(OSError):
                while True:
                    file.write(bytes(4096))
            file.truncate(max(0, file.tell() - left))

    def free(self, pid: int) -> None:
        (self.folder / "ballast").unlink()


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Disk]:
    """Mounted, where that is allowed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "eventwatch-faults", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0
    if not mounted:
        yield Limited(folder)
        return
    try:
        yield Mounted(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


WRITES = "write its state"
CANNOT, CAN_AGAIN = f"has not been able to {WRITES}", f"can {WRITES} again"


def slack_heard(slack: FakeSlack, words: str) -> list[str]:
    """What the operators' channel was told in these words."""
    return [str(m.body) for m in slack.messages if words in str(m.body)]


def filled(project: Project, figures: Figures, levels: list[int], disk: Disk) -> None:
    """At each level so many bytes are left; then there is room again."""
    those = crowd(project, 2 + 2 * len(levels), first=8.0, step=4.0)
    slack = those.slack()
    with slack.running():
        env = with_slack(project, slack) | {"QUICK_OUTCRY": "5"}
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: ran(watched.state) >= 3), watched.log.read_text()
            for left in levels:
                three_more = more(watched, 3)
                said = watched.log.read_text().count("state.db")
                with watched.away():
                    disk.fill(watched.process.pid, left)
                    # A little room may last for a while.
                    told = wait_for(
                        lambda n=said: watched.log.read_text().count("state.db") > n,  # type: ignore[misc]
                        20 if left == 0 else 5,
                    )
                    assert told or left, watched.log.read_text()[-3000:]
                    # To whom no row can be written, the notifier is all that is left.
                    assert left or wait_for(lambda: slack_heard(slack, CANNOT), 60)
                    assert watched.process.poll() is None, watched.log.read_text()[-3000:]
                    disk.free(watched.process.pid)
                assert wait_for(three_more, 40), watched.log.read_text()[-3000:]
            assert those.all_told(slack, 120), watched.log.read_text()[-3000:]
            assert wait_for(lambda: slack_heard(slack, CAN_AGAIN), 60)
            assert watched.end() == 0
        with sqlite3.connect(project.folder / "var" / "state.db") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        figures.tried(len(levels))
        watched.report(figures)
        those.count(figures, slack, WRITES)
        assert 1 <= len(slack_heard(slack, CANNOT)) <= levels.count(0)
        assert len(slack_heard(slack, CANNOT)) == len(slack_heard(slack, CAN_AGAIN))


@pytest.mark.slow
def test_a_full_disk_is_said_and_survived(project: Project, figures: Figures) -> None:
    filled(project, figures, [0], Limited(project.folder / "var"))


@pytest.mark.slow
def test_a_disk_that_fills_to_every_level(project: Project, figures: Figures) -> None:
    levels = [0, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16, 1 << 18, 3 << 12, 5 << 12, 6 << 12]
    with small_disk(project.folder / "var", "24m") as disk:
        filled(project, figures, levels, disk)
