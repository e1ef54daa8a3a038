"""A wall clock that a test sets for a process that is running."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("shim.c")


@dataclass(frozen=True)
class WallClock:
    """``env`` is for the process; ``set_by`` moves its wall clock from now on."""

    library: Path
    file: Path

    @property
    def env(self) -> dict[str, str]:
        """What the process must be started with."""
        return {
            "LD_PRELOAD": str(self.library),
            "CLOCKSHIM": str(self.file),
            "CLOCKSHIM_SLEPT": str(self._slept),
        }

    @property
    def _slept(self) -> Path:
        return self.file.with_suffix(".slept")

    def set_by(self, seconds: int) -> None:
        """Seconds ahead of the truth."""
        _replace(self.file, seconds)

    def sleep_by(self, seconds: int) -> None:
        """How long the machine has slept so far; its clock is right."""
        _replace(self._slept, seconds)


def _replace(file: Path, seconds: int) -> None:
    # By a rename, so that nobody reads half a number.
    draft = file.with_suffix(".new")
    draft.write_text(str(seconds))
    draft.replace(file)


def wall_clock(folder: Path) -> WallClock:
    """Compiles the shim; skips the test where there is no compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    library = folder / "clockshim.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"],
        check=True,
        timeout=60,
    )
    made = WallClock(library, folder / "clockshim.txt")
    made.set_by(0)
    return made
