"""What a killed process spilled is deleted by the next; what a living one spills never is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventwatch.warehouse.spill import PREFIX

SPILL = (
    "from eventwatch.warehouse.spill import spill_directory; import sys, time;"
    "where = spill_directory(); open(where + '/big.tmp', 'w').write('x' * 1000);"
    "assert spill_directory() == where; print(where, flush=True);"
)


def start(temporary: Path, then: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SPILL + then],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )


def said(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())


@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_what_a_process_left_is_deleted_by_the_next(
    tmp_path: Path, end: signal.Signals | None
) -> None:
    with start(tmp_path, "time.sleep(100)" if end else "import os; os._exit(70)") as killed:
        left = said(killed)
        if end is not None:
            killed.send_signal(end)
    assert (left / "big.tmp").exists()
    with start(tmp_path, "") as following:
        assert said(following) != left
    assert list(tmp_path.iterdir()) == []


def test_what_a_living_process_spills_stays(tmp_path: Path) -> None:
    with start(tmp_path, "time.sleep(100)") as living:
        its = said(living)
        with start(tmp_path, "") as following:
            said(following)
        assert (its / "big.tmp").exists()
        living.kill()


def test_links_and_folders_without_a_lock_are_not_touched(tmp_path: Path) -> None:
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "lock").write_text("")
    (tmp_path / f"{PREFIX}link").symlink_to(mine)
    (tmp_path / f"{PREFIX}other").mkdir()
    with start(tmp_path, "") as following:
        said(following)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{PREFIX}link",
        f"{PREFIX}other",
        "thesis",
    ]
    assert (mine / "lock").exists()
