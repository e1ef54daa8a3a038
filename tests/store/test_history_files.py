"""What only files can do: be damaged, be shared between processes, and fill a disk."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from eventwatch.model.errors import StoreError
from eventwatch.model.measurement import CELL_SCHEMA, HOUR, HistoryNote
from eventwatch.store.history import ParquetHistory, folder_name
from tests.fakes.hostile_names import HOSTILE
from tests.store.scans import (
    DAY,
    START,
    Event,
    counted,
    counted_table,
    instant,
    request,
    scan,
)

NOW = START + 3 * DAY + 12 * HOUR
EVENTS = [Event(("a", "b")[i % 2], "ios", at, at) for i, at in enumerate(range(START, NOW, 900))]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A history of three days and a half."""
    root = tmp_path / "history"
    ParquetHistory(root).replace("events", scan(EVENTS, request(NOW, START)))
    return root


def days(root: Path) -> list[Path]:
    """The files, oldest first."""
    return sorted(root.glob("*/*.parquet"))


def row_count(history: ParquetHistory) -> int:
    """Rows of the ``""`` set."""
    return int(history.cells("events", ("",), instant(START), instant(NOW * 2)).rows.sum())


def test_a_day_is_a_parquet_file_that_any_tool_reads(root: Path) -> None:
    assert [path.name for path in days(root)] == [f"2026-03-0{d}.parquet" for d in range(2, 6)]
    assert pq.read_schema(days(root)[0]).remove_metadata().equals(CELL_SCHEMA)
    question = f"SELECT sum(rows) FROM read_parquet('{root}/*/*.parquet') WHERE dimension = ''"
    with duckdb.connect() as connection:
        found = connection.execute(question).fetchone()
    assert found == (len(EVENTS),)


def test_only_the_owner_may_look_into_it(root: Path) -> None:
    assert stat.S_IMODE(days(root)[0].parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "version", "foreign", "renamed"])
@pytest.mark.parametrize("warm", [True, False])
def test_a_damaged_day_is_a_hole_that_the_next_scan_fills(
    root: Path, damage: str, *, warm: bool
) -> None:
    history = ParquetHistory(root)
    if warm:
        assert row_count(history) == len(EVENTS)
    path = days(root)[1]
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[:-100])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "flip":
        # Inside the first page: the checksum of the page must tell.
        path.write_bytes(content[:60] + bytes([content[60] ^ 0xFF]) + content[61:])
    elif damage == "version":
        table = pq.read_table(path)
        described = {**json.loads(table.schema.metadata[b"eventwatch"]), "format": 2}
        pq.write_table(
            table.replace_schema_metadata({b"eventwatch": json.dumps(described).encode()}), path
        )
    elif damage == "foreign":
        pq.write_table(pq.read_table(path).select(["rows"]), path)
    else:
        path.replace(days(root)[2])
    row_count(history)
    assert history.covered_from("events") == instant(
        START + (3 if damage == "renamed" else 2) * DAY
    )
    history.replace("events", scan(EVENTS, request(NOW, START)))
    assert history.covered_from("events") == instant(START)
    assert row_count(history) == len(EVENTS)


def test_a_damaged_newest_day_is_read_again_from_the_end_of_the_one_before(root: Path) -> None:
    days(root)[-1].write_bytes(b"PAR1")
    history = ParquetHistory(root)
    assert history.covered_until("events") == instant(START + 3 * DAY)
    history.replace("events", scan(EVENTS, request(NOW, START + 3 * DAY - 600)))
    assert row_count(history) == len(EVENTS)
    assert history.covered_from("events") == instant(START)


def test_a_damaged_note_is_no_note(root: Path) -> None:
    history = ParquetHistory(root)
    history.write_note("events", HistoryNote(changed_at=instant(NOW)))
    for content in (b"{", b"\xff\xfe", b"[]", b'{"changed": 1}'):
        (days(root)[0].parent / "note.json").write_bytes(content)
        assert history.note("events") == HistoryNote()


def test_what_another_process_wrote_is_seen_at_once(root: Path) -> None:
    reader, writer = ParquetHistory(root), ParquetHistory(root)
    assert row_count(reader) == len(EVENTS)
    writer.replace("events", scan([], request(NOW, NOW - HOUR)))
    assert row_count(reader) == len(EVENTS) - 4
    writer.forget_before("events", instant(START + 2 * DAY))
    assert row_count(reader) == len(EVENTS) - 4 - 2 * 96
    assert reader.covered_from("events") == instant(START + 2 * DAY)


def test_any_exposure_name_stays_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "history"
    history = ParquetHistory(root)
    names = [*HOSTILE, "..", "../../up", "/etc", "a/b", "a" * 5000, "", "A", "a"]
    found = scan(EVENTS[:5], request(NOW, START + 3 * DAY))
    for name in names:
        history.write_note(name, HistoryNote(changed_at=instant(NOW)))
    history.replace("../../up", found)
    assert len({folder_name(name) for name in names}) == len(set(names))
    assert sorted(p.name for p in root.iterdir()) == sorted({folder_name(n) for n in names})
    assert [p.name for p in tmp_path.iterdir()] == ["history"]


def test_a_writer_that_goes_on_for_long_is_waited_for(root: Path) -> None:
    hasty = ParquetHistory(root, lock_wait=timedelta(milliseconds=50))
    shelf = hasty._shelf("events")
    other = ParquetHistory(root)._shelf("events")
    with other.writing():
        with pytest.raises(StoreError, match="another process has been writing"):
            hasty.replace("events", scan([], request(NOW, START)))
        assert row_count(hasty) == len(EVENTS)
    with shelf.writing():
        pass


STEP_BY_STEP = """
shelf = history._shelf('events')
with shelf.writing():
    print('ready', flush=True)
    for step in sys.stdin:
        try:
            shelf.drop(START)
        except Exception as error:
            print(error, flush=True)
        else:
            print('done', flush=True)
"""


def test_a_writer_that_is_frozen_is_left_behind_and_finds_that_out(root: Path) -> None:
    """Its lock is never given back as long as it lives: a stopped process, a paused container."""
    with start(STEP_BY_STEP, root, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        history = ParquetHistory(root, given_up=timedelta(seconds=0.5))
        history.replace("events", scan(EVENTS[:-40], request(NOW, NOW - DAY)))
        left = row_count(history)
        assert left < len(EVENTS)
        process.send_signal(signal.SIGCONT)
        process.stdin.write(b"go on\n")
        process.stdin.flush()
        said = process.stdout.readline().decode()
        assert "another one took over" in said
        assert str(root.name) in said
        assert row_count(history) == row_count(ParquetHistory(root)) == left
        process.stdin.close()
        assert process.wait() == 0
    assert {path.suffix for path in root.glob("*/*")} == {".parquet", ""}
    history.replace("events", scan(EVENTS, request(NOW, START)))
    assert row_count(history) == len(EVENTS)


def test_a_writer_that_shows_its_steps_keeps_its_turn(root: Path) -> None:
    with start(STEP_BY_STEP, root, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        process.stdout.readline()
        history = ParquetHistory(
            root, lock_wait=timedelta(seconds=4), given_up=timedelta(seconds=2.5)
        )
        refused: list[str] = []

        def write() -> None:
            try:
                history.replace("events", scan([], request(NOW, START)))
            except StoreError as error:
                refused.append(str(error))

        writer = threading.Thread(target=write)
        writer.start()
        while writer.is_alive():
            process.stdin.write(b"go on\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"done\n"
            writer.join(0.2)
        assert len(refused) == 1
        assert "has been writing it for more than 4 s" in refused[0]
        process.stdin.close()
        assert process.wait() == 0


def test_a_disk_that_is_full_is_said_and_what_was_there_stays(root: Path) -> None:
    # A limit on the size of files is the full disk that needs no privileges.
    code = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        "try:\n    history.replace('events', scan(EVENTS, request(NOW, START)))\n"
        "except StoreError as error:\n    assert 'Free some space' in str(error), error\n"
        "else:\n    raise SystemExit('not refused')\n"
    )
    before = [path.read_bytes() for path in days(root)]
    run(code, root)
    assert [path.read_bytes() for path in days(root)] == before
    assert not list(root.glob("*/.*"))


def test_a_place_that_may_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"history .*file"):
        ParquetHistory(tmp_path / "file").replace("events", scan([], request(NOW, START)))


def test_the_cache_is_bounded_and_gives_back_what_is_gone(root: Path) -> None:
    history = ParquetHistory(root, cache_bytes=3000)
    for _ in range(3):
        assert row_count(history) == len(EVENTS)
    shelf = history._shelf("events")
    cache = shelf._cache  # type: ignore[attr-defined]
    assert 0 <= cache._room < 3000
    history.forget_before("events", instant(NOW + 9 * DAY))
    row_count(history)
    assert cache._room == 3000


def test_what_a_day_does_not_hold_is_not_looked_for_again(root: Path) -> None:
    history, span = ParquetHistory(root), (instant(START), instant(NOW + DAY))
    sets = ("nobody watches this", "@times")
    assert not len(history.cells("events", sets, *span).rows)
    for path in days(root):
        kept = path.stat()
        with path.open("r+b") as file:
            file.write(bytes(kept.st_size))
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    # The files are no longer readable; who opened one would read the history as lost.
    assert not len(history.cells("events", sets, *span).rows)
    assert history.covered_until("events") == instant(NOW)


def test_a_book_of_too_many_names_is_begun_anew(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = ParquetHistory(root)
    before = counted(history.cells("events", ("",), instant(START), instant(NOW)))
    monkeypatch.setattr("eventwatch.store.shelf._MOST_SERIES", 1)
    for _ in range(2):
        assert counted(history.cells("events", ("",), instant(START), instant(NOW))) == before


PRELUDE = """
import sys
from pathlib import Path
from eventwatch.model.errors import StoreError
from eventwatch.store.history import ParquetHistory
from tests.store.scans import *
from tests.store.test_history_files import EVENTS, NOW
history = ParquetHistory(Path(sys.argv[1]))
"""


def start(code: str, root: Path, stdin: int | None = None) -> subprocess.Popen[bytes]:
    """A process with a history of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", PRELUDE + code, str(root)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=stdin,
        stdout=subprocess.PIPE,
    )


def run(code: str, root: Path) -> None:
    """The same to its end."""
    process = start(code, root)
    process.communicate(timeout=60)
    assert process.returncode == 0


WRITE_HOURS = """
day = {day}
for hour in range(24):
    now = day + (hour + 1) * 3600 - 1
    mine = [Event(t, 'ios', at, at) for t in 'ab' for at in range(day, now, 600)]
    history.replace('events', scan(mine, request(now, now // 300 * 300 - 7200)))
"""


def test_writers_at_once_lose_nothing_and_readers_see_whole_days(tmp_path: Path) -> None:
    root = tmp_path / "history"
    day = START + 20 * DAY
    ParquetHistory(root).replace("events", scan([], request(day, START)))
    writers = [start(WRITE_HOURS.format(day=day), root) for _ in range(2)]
    reader, torn = ParquetHistory(root), []
    while any(writer.poll() is None for writer in writers):
        cells = reader.cells("events", ("",), instant(day), instant(day + DAY))
        per_hour = {
            hour: int(cells.rows[cells.loaded // HOUR == hour].sum())
            for hour in set((cells.loaded // HOUR).tolist())
        }
        # Whole hours hold 6 rows of each type; only the hour of the newest scan may hold fewer.
        torn += [n for hour, n in sorted(per_hour.items())[:-1] if n != 12]
    for writer in writers:
        assert writer.wait() == 0
        if writer.stdout:
            writer.stdout.close()
    assert torn == []
    now = day + DAY - 1
    events = [Event(t, "ios", at, at) for t in "ab" for at in range(day, now, 600)]
    whole = counted_table(scan(events, request(now, START)).cells)
    found = counted(reader.cells("events", ("",), instant(START), instant(now + DAY)))
    assert found == {name: c for name, c in whole.items() if name[0].dimension == ""}


WRITE_FOR_EVER = """
print('ready', flush=True)
for i in range(10**9):
    history.replace('events', scan(EVENTS, request(NOW, START if i % 2 else START + 2 * 86400)))
"""


def test_a_writer_that_is_killed_leaves_whole_days_and_no_lock(root: Path) -> None:
    for turn in range(4):
        process = start(WRITE_FOR_EVER, root)
        assert process.stdout is not None
        process.stdout.readline()
        seen, waited = days(root)[turn % 4].stat().st_mtime_ns, threading.Event()
        while days(root)[turn % 4].stat().st_mtime_ns == seen:
            waited.wait(0.001)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        history = ParquetHistory(root, lock_wait=timedelta(seconds=1))
        assert row_count(history) == len(EVENTS)
        assert history.covered_from("events") == instant(START)
        history.replace("events", scan(EVENTS, request(NOW, NOW - HOUR)))
        assert not list(root.glob("*/.*"))
        assert row_count(history) == len(EVENTS)


def test_a_large_first_scan_is_written_day_by_day(tmp_path: Path) -> None:
    code = (
        "import resource, numpy as np, pyarrow as pa\n"
        "from eventwatch.model.measurement import CELL_SCHEMA, Scan\n"
        "n = 2_000_000\n"
        "loaded = START + (np.arange(n) * 60 * 86400 // n) // 3600 * 3600\n"
        "code = lambda k, words: pa.DictionaryArray.from_arrays("
        "(np.arange(n) % k).astype('int32'), pa.array(words))\n"
        "names = [f'type_{i}' for i in range(300)]\n"
        "cells = pa.table([code(300, names), code(1, ['platform']),"
        " code(7, [f'v{i}' for i in range(7)]), loaded, loaded, np.ones(n, 'int64'), loaded,"
        " loaded + 9], schema=CELL_SCHEMA)\n"
        "now = START + 60 * 86400\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "before = peak()\n"
        "history.replace('events', Scan(request(now, START), cells, n, 0, 0, 1, timedelta(0)))\n"
        "more = peak() - before\n"
        "assert more < cells.nbytes, (more, cells.nbytes)\n"
        "found = history.cells('events', ('platform',), instant(START), instant(now))\n"
        "assert found.rows.sum() == n\n"
    )
    run(code, tmp_path / "history")
