"""What is opened: nothing, ours, somebody else's, a damaged one."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.store.migrate import MIGRATIONS
from eventwatch.store.schema import REVISION
from eventwatch.store.sql import open_reader, open_store
from tests.store.samples import NOW, record

OPEN = """
import sys
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_store
sys.stdin.readline()
open_store(Secret(sys.argv[1])).close()
"""


def url_of(path: Path) -> Secret:
    """The URL of a file."""
    return Secret(f"sqlite:///{path}")


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_the_code_knows_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]


def test_only_the_owner_may_read_what_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "state.db"
    open_store(url_of(path)).close()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names(path.parent) == ["state.db", "state.db.made"]


def test_processes_that_start_at_once_agree_on_one_state(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, url_of(path).reveal()],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
    for process in started:
        assert process.wait(30) == 0, process.stderr.read().decode() if process.stderr else ""
        if process.stderr:
            process.stderr.close()
    store = open_store(url_of(path))
    store.commit_cycle(record())
    assert names(tmp_path) == ["state.db", "state.db.made"]


def test_an_empty_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    path.touch()
    with pytest.raises(StoreError, match="Restore a backup, or remove it"):
        open_store(url_of(path))
    assert path.stat().st_size == 0


def test_the_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE albums (title TEXT)")
    before = path.read_bytes()
    for opening in (open_store, open_reader):
        with pytest.raises(StoreError, match="'albums'"):
            opening(url_of(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["garbage", "cut", "header", "pages", "marker", "tables"])
def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.db"
    store = open_store(url_of(path))
    for number in range(20):
        store.commit_cycle(record(run_id=f"r{number}"))
    content = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(os.urandom(len(content)))
    elif damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "header":
        path.write_bytes(b"\x00" * 100 + content[100:])
    elif damage == "pages":
        path.write_bytes(content[:4096] + b"\xff" * 4096 * 5 + content[4096 * 6 :])
    else:
        table = "eventwatch_meta"
        statement = f"DROP TABLE {table}" if damage == "tables" else f"DELETE FROM {table}"
        with sqlite3.connect(path) as other:
            other.execute(statement)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="Restore a backup"):
        open_store(url_of(path))
    assert path.read_bytes() == before


def test_a_folder_that_may_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"state .*file/state\.db"):
        open_store(url_of(tmp_path / "file" / "state.db"))


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    assert open_reader(url_of(path)) is None
    assert list(tmp_path.iterdir()) == []
    store = open_store(url_of(path))
    store.commit_cycle(record())
    before = path.read_bytes(), path.stat().st_mtime_ns
    reader = open_reader(url_of(path))
    assert reader is not None
    assert reader.exposure_state("events", NOW).watermark == NOW
    assert reader.silences(NOW) == ()
    reader.close()
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert names(tmp_path) == ["state.db", "state.db.made"]


def test_the_migrations_ship_with_the_package() -> None:
    assert MIGRATIONS.parent.name == "store"
    assert (MIGRATIONS / "env.py").is_file()
    assert list((MIGRATIONS / "versions").glob("0001_*.py"))


def test_opening_a_current_state_does_not_import_alembic(tmp_path: Path) -> None:
    url = url_of(tmp_path / "state.db")
    open_store(url).close()
    code = (
        "import sys\nfrom eventwatch.model.settings import Secret\n"
        "from eventwatch.store.sql import open_store\n"
        "open_store(Secret(sys.argv[1])).close()\nassert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, url.reveal()], check=True)
