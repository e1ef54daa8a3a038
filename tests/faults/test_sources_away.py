"""F7 and F8: sources that stop, hang or cannot be read, beside others that are well."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from eventwatch.model.cause import CauseKind
from eventwatch.model.state import Slot, SlotStatus
from tests.fakes.project import HEAD, Project, steady
from tests.fakes.slack import FakeSlack
from tests.faults.crowd import with_slack
from tests.faults.figures import Figures, stalled
from tests.faults.server import Server
from tests.faults.watched import Watched, daemon, holes, ledger, ran, reading, wait_for

COLUMNS = "{event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at}"
TYPES = 25


def named(count: int) -> list[str]:
    return [f"user_did_{n:02}" for n in range(count)]


def rows(until: datetime, types: int = TYPES) -> pd.DataFrame:
    frame = steady(named(types), until=until, days=1, per_hour=60)
    return frame[frame.loaded_at > pd.Timestamp(datetime.now(UTC) - timedelta(hours=3))]


def on_server(server: Server, until: datetime) -> None:
    """A table there, and a view of it that shows what has come by now."""
    url = sa.make_url(server.url).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        rows(until).to_sql("everything", connection, index=False, chunksize=5000, method="multi")
        connection.exec_driver_sql(
            "CREATE VIEW events AS SELECT * FROM everything WHERE loaded_at <= now()"
        )
    engine.dispose()


def exposures(project: Project, *each: tuple[str, str, str]) -> None:
    """Writes the config: one exposure of its own file that is well, and ``each`` as name, connection
    and further keys."""
    project.declare(*named(TYPES))
    now = datetime.now(UTC)
    project.rows(rows(now + timedelta(minutes=20)))
    project.sql("ALTER TABLE events RENAME TO everything")
    project.sql("CREATE VIEW events AS SELECT * FROM everything WHERE loaded_at <= now()")
    more = "".join(
        f"  {name}:\n    connection: {connection}\n    table: events\n    columns: {COLUMNS}\n{keys}"
        for name, connection, keys in each
    )
    project.config(more)
    assert HEAD


@contextlib.contextmanager
def silent_port(port: int) -> Iterator[None]:
    """Takes connections and says nothing, until the block ends."""
    listener, over, taken = socket.socket(), threading.Event(), []

    def take() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                taken.append(listener.accept()[0])

    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(200)
    listener.settimeout(0.2)
    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        listener.close()
        for each in taken:
            each.close()


def each_fails(watched: Watched, names: list[str], seconds: float = 150) -> bool:
    """Whether each of these exposures has a cycle from now on that fails."""
    return _each(watched, names, SlotStatus.FAILED, seconds)


def each_runs(watched: Watched, names: list[str], seconds: float = 60) -> bool:
    """Whether each of these exposures has a cycle from now on that ends well."""
    return _each(watched, names, SlotStatus.RAN, seconds)


def _each(watched: Watched, names: list[str], status: SlotStatus, seconds: float) -> bool:
    now = datetime.now(UTC)

    def one(slots: tuple[Slot, ...]) -> bool:
        return any(s.status is status and s.started_at and s.started_at > now for s in slots)

    return wait_for(lambda: all(one(ledger(watched.state, name)) for name in names), seconds)


@pytest.mark.slow
def test_a_server_that_stops_or_hangs_is_one_incident_and_holds_nobody_up(
    project: Project, server: Server, figures: Figures
) -> None:
    """Twenty exposures with 500 event types on a server, and one elsewhere."""
    every = 4.0
    on_server(server, datetime.now(UTC) + timedelta(minutes=20))
    names = [f"far_{n:02}" for n in range(20)]
    exposures(project, *((name, server.url, "    query_timeout: 5s\n") for name in names))
    slack = FakeSlack(keeps_requests=False, ticks=True)
    with slack.running():
        env = with_slack(project, slack) | {"QUICK_PERSISTS": "3"}
        with daemon(project, every=every, env=env) as watched:
            assert wait_for(lambda: all(ran(watched.state, n) for n in names), 90), watched.log
            for hangs in (False, True):
                with watched.away():
                    server.stop()
                    with silent_port(server.port) if hangs else contextlib.nullcontext():
                        assert each_fails(watched, names)
                        assert hangs or wait_for(lambda: slack.messages, 60)
                        # The one that is well goes on meanwhile.
                        assert each_runs(watched, ["events"])
                    server.start()
                # Two further cycles: nothing of the data may flap.
                for _ in range(3):
                    assert each_runs(watched, names)
            assert watched.end() == 0
    figures.tried(2 * len(names))
    all_slots = [ledger(watched.state, name) for name in (*names, "events")]
    gaps = [hole for slots in all_slots for hole in holes(slots, every)]
    longest = max(stalled(slots, watched.up[1:-1]) for slots in all_slots)
    figures.slots(gaps, max(timedelta(0), longest - timedelta(seconds=every)))
    with reading(watched.state) as reader:
        found = reader.incidents(open_only=False)
    assert [i.cause.kind for i in found] == [CauseKind.SOURCE], [i.cause for i in found]
    posts = [m for m in slack.messages if m.thread_ts is None]
    figures.messages([] if posts else ["the source"], [str(m.body)[:200] for m in posts[1:]])


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_one_incident(project: Project, figures: Figures) -> None:
    """It is gone, is a folder, holds something else, is empty: one after another."""
    other = project.folder / "other.duckdb"
    exposures(project, ("other", f"duckdb://{other}", ""))
    other.write_bytes(project.database.read_bytes())
    good = other.read_bytes()
    slack = FakeSlack(keeps_requests=False, ticks=True)

    def unreadable(kind: str) -> None:
        other.unlink()
        if kind == "a folder":
            other.mkdir()
        elif kind != "gone":
            other.write_bytes(b"" if kind == "empty" else b"\xa5" * 40_000)

    with slack.running():
        env = with_slack(project, slack) | {"QUICK_PERSISTS": "3"}
        with daemon(project, env=env) as watched:
            assert wait_for(lambda: ran(watched.state, "other") > 1), watched.log.read_text()
            kinds = ("gone", "a folder", "something else", "empty")
            for kind in kinds:
                with watched.away():
                    unreadable(kind)
                    assert each_fails(watched, ["other"]), kind
                    # What lasts no longer than a moment is told to nobody.
                    assert kind != "gone" or wait_for(lambda: slack.messages, 60)
                    if other.is_dir():
                        other.rmdir()
                    draft = other.with_suffix(".new")
                    draft.write_bytes(good)
                    draft.replace(other)
                assert each_runs(watched, ["other"]), kind
            time.sleep(2.5)
            assert watched.end() == 0
    figures.tried(len(kinds))
    slots = ledger(watched.state, "other")
    figures.slots(holes(slots, watched.every), stalled(slots, watched.up))
    watched.up = [(watched.up[0][0], watched.up[-1][1])]
    watched.report(figures)
    with reading(watched.state) as reader:
        found = reader.incidents(open_only=False)
    assert [i.cause.kind for i in found] == [CauseKind.SOURCE], [i.cause for i in found]
    posts = [m for m in slack.messages if m.thread_ts is None]
    figures.messages([] if posts else ["the source"], [str(m.body)[:200] for m in posts[1:]])


@pytest.mark.slow
def test_twenty_queries_that_hang_end_at_their_limit_and_hold_nobody_up(
    project: Project, tmp_path: Path, figures: Figures
) -> None:
    """More of them than the daemon has threads."""
    every, limit = 15.0, 2.0
    names = [f"stuck_{n:02}" for n in range(20)]
    link = f"duckdb://{project.folder}/stuck.duckdb?threads=1"
    exposures(project, *((n, link, f"    query_timeout: {limit:.0f}s\n") for n in names))
    stuck = Project(tmp_path / "stuck")
    stuck.rows(rows(datetime.now(UTC)))
    stuck.sql("ALTER TABLE events RENAME TO everything")
    stuck.sql(
        "CREATE VIEW events AS SELECT e.* FROM everything e, range(3000000) a, range(3000000) b"
    )
    stuck.database.replace(project.folder / "stuck.duckdb")
    with daemon(project, every=every) as watched:
        for _ in range(2):
            assert each_fails(watched, names), watched.log.read_text()
        assert wait_for(lambda: ran(watched.state) >= 2, 60)
        assert watched.end() == 0
    figures.tried(len(names))
    late, slow, gaps = [], [], []
    for name in names:
        slots = ledger(watched.state, name)
        gaps += holes(slots, every)
        for slot in slots:
            if slot.status is SlotStatus.FAILED and slot.started_at and slot.ended_at:
                slow.append((slot.ended_at - slot.started_at).total_seconds())
                assert "time" in slot.reason or "limit" in slot.reason, slot.reason
    for slot in ledger(watched.state):
        if slot.started_at and slot.status is SlotStatus.RAN:
            late.append((slot.started_at - slot.scheduled_at).total_seconds())
    print("slowest", max(slow), "latest", max(late[1:], default=0))
    # A lone long call cannot be cut in the middle, and two of these share a core.
    assert max(slow) <= 4 * limit
    assert max(late[1:], default=0.0) <= every
    figures.slots(gaps + holes(ledger(watched.state), every), timedelta(seconds=max(late[1:])))
