"""A process that is killed in the middle of commits leaves whole cycles."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from eventwatch.model.errors import StoreError
from eventwatch.model.incident import Board
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_reader, open_store
from tests.store.samples import NOW, record

ROOT = Path(__file__).parents[2]
COMMIT_FOR_EVER = """
import sys
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_store
from tests.store.samples import *
store = open_store(Secret(sys.argv[1]))
for i in range(10**9):
    name = f'{sys.argv[2]}-{i}'
    ledger = {SeriesKey(f'{name}-{k}'): Seen(NOW, NOW) for k in range(50)}
    store.commit_cycle(record(
        run_id=name, ledger=ledger, alerts=(alert(name, name),), deliveries=(delivery(name),),
    ))
    print(name, flush=True)
"""


def test_a_cycle_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    url = Secret(f"sqlite:///{path}")
    open_store(url).close()
    said: list[str] = []
    for turn in range(6):
        said += killed(COMMIT_FOR_EVER, url, turn)
        store = open_store(url)
        state = store.exposure_state("events", NOW)
        found = {alert.id for alert in state.alerts}
        assert found >= set(said)
        assert {delivery.key for delivery in store.deliveries(10**6)} == found
        series = {str(key.event_type).rsplit("-", 1)[0] for key in state.ledger}
        assert series == found
        assert len(state.ledger) == 50 * len(found)
        (verdict,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
        assert verdict == "ok"
        store.close()


TELL_FOR_EVER = """
import sys
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_store
from tests.store.incident_samples import *
store = open_store(Secret(sys.argv[1]))
for i in range(10**9):
    name = f'{sys.argv[2]}-{i}'
    one = incident(name, cause=cause(name), members=tuple(member(f'{name}-{k}') for k in range(30)))
    store.tell(NOW, lambda board: Changes(
        incidents=(one,),
        moments=(moment(name, incident_id=name),),
        posts=(post(name, entries=(Entry(name, Role.OWNER),)),),
        deliveries=(said(name, post_id=name, incident_ids=(name,)),),
        hidden={'s1': (name,)},
        digests={name: NOW},
    ))
    print(name, flush=True)
"""


def test_a_telling_step_is_there_whole_or_not_at_all_and_an_audit_may_look_at_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "state.db"
    url = Secret(f"sqlite:///{path}")
    open_store(url).close()
    said: list[str] = []
    for turn in range(6):
        said += killed(TELL_FOR_EVER, url, turn)
        board = board_at_once(url)
        found = {one.id for one in board.incidents}
        assert found >= set(said)
        assert {one.id for one in board.posts} == found
        assert set(board.digests) == found
        assert set(board.hidden.get("s1", ())) == found
        store = open_store(url)
        assert {delivery.key for delivery in store.deliveries(10**6)} == found
        for one in board.incidents:
            assert len(one.members) == 30
            assert len(store.moments(one.id)) == len(store.posts_of(one.id)) == 1
        store.close()
    (verdict,) = sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()
    assert verdict == "ok"


def board_at_once(url: Secret) -> Board:
    """As an audit sees it, with no daemon in between to mend anything."""
    reader = open_reader(url)
    assert reader is not None
    return reader.board(NOW)


def killed(code: str, url: Secret, turn: int) -> list[str]:
    """Runs it until it has said a few names, then kills it; all that it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, url.reveal(), str(turn)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    said = [process.stdout.readline().decode().strip() for _ in range(turn + 1)]
    process.send_signal(signal.SIGKILL)
    # What it had committed and not yet said.
    said += process.stdout.read().decode().split()
    process.wait()
    process.stdout.close()
    return said


def cut_off(tmp_path: Path) -> Path:
    """A state as it lies after a process died with half a commit in the file."""
    path, left = tmp_path / "state.db", tmp_path / "left.db"
    open_store(Secret(f"sqlite:///{path}")).commit_cycle(record())
    # A transaction larger than its cache has changed the file before it is committed.
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("PRAGMA journal_mode = DELETE")
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("BEGIN IMMEDIATE")
    writer.executemany(
        "INSERT INTO eventwatch_meta VALUES (?, ?)", [(str(i), "x" * 200) for i in range(2000)]
    )
    shutil.copy(path, left)
    shutil.copy(f"{path}-journal", f"{left}-journal")
    writer.close()
    return left


def test_an_audit_reads_the_last_whole_commit_where_one_was_cut_off(tmp_path: Path) -> None:
    left = cut_off(tmp_path)
    reader = open_reader(Secret(f"sqlite:///{left}"))
    assert reader is not None
    assert reader.exposure_state("events", NOW).watermark == NOW
    with sqlite3.connect(left) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (rows,) = connection.execute("SELECT count(*) FROM eventwatch_meta").fetchone()
    assert rows < 100


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_who_may_not_write_is_told_that_a_commit_was_cut_off(tmp_path: Path) -> None:
    left = cut_off(tmp_path)
    left.chmod(0o400)
    with pytest.raises(StoreError, match="died in the middle of a commit"):
        open_reader(Secret(f"sqlite:///{left}"))
