"""Supervisors that close the standard streams; a disk that is full behind them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(script: str, folder: Path) -> int:
    """The exit code of a shell script in which $E is the program."""
    program = f"{sys.executable} -m eventwatch"
    done = subprocess.run(
        ["sh", "-c", script], cwd=folder, env={**os.environ, "E": program}, check=False, timeout=120
    )
    return done.returncode


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_does_its_work_with_streams_that_are_closed(tmp_path: Path, closed: str) -> None:
    assert run(f"$E init monitoring {closed}", tmp_path) == 0
    assert (tmp_path / "monitoring" / "config.yaml").is_file()
    assert run(f"$E validate --config nowhere.yaml {closed}", tmp_path) == 2


def test_no_file_ever_gets_the_number_of_a_standard_stream(tmp_path: Path) -> None:
    script = (
        f"{sys.executable} -c 'from eventwatch.cli.streams import keep_streams; keep_streams();"
        ' import os; assert os.open("state", os.O_RDWR | os.O_CREAT) > 2;'
        ' os.write(2, b"noise"); print("noise")\' <&- >&- 2>&-; rc=$?;'
        " [ $rc -eq 0 ] && [ -e state ] && [ ! -s state ]"
    )
    assert run(script, tmp_path) == 0
