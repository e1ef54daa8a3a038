"""Writes the demo marketplace into a directory: its table, its contracts, its config and checks.

What a person has changed is theirs: a file that differs from the demo's stays as it is, and the
summary says so. The table is the demo's own and is always made anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from eventwatch.demo.database import TABLE, write_database
from eventwatch.demo.incidents import Planted, planted
from eventwatch.demo.rows import draw

DATABASE = Path("var/demo/marketplace.duckdb")
_HISTORY = Path("var/eventwatch/history")


@dataclass(frozen=True)
class DemoSummary:
    """What ``write`` did."""

    written: tuple[Path, ...]
    """Files that were not there and are now."""
    unchanged: tuple[Path, ...]
    """Files that were there and are the demo's, byte for byte."""
    kept: tuple[Path, ...]
    """Files that were there and differ from the demo's: left alone."""
    database: Path
    row_count: int
    now: datetime
    planted: tuple[Planted, ...]


def demo_files() -> Iterator[tuple[str, bytes]]:
    """Relative path (with ``/``) and content of every file that belongs to the marketplace."""
    yield from _walk(files("eventwatch.demo") / "files", "")


def write(directory: Path, *, rows: int = 1_000_000, seed: int = 7, now: datetime) -> DemoSummary:
    """Makes the marketplace in ``directory``, with about ``rows`` rows up to ``now`` (aware).

    Equal arguments make an equal table. Raises OSError when the directory cannot be written.
    """
    written, unchanged, kept = [], [], []
    for name, content in demo_files():
        path = directory / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written.append(path)
        elif path.read_bytes() == content:
            unchanged.append(path)
        else:
            kept.append(path)
    now = now.astimezone(UTC)
    database = directory / DATABASE
    row_count = write_database(draw(rows, seed, now), database, seed)
    # Measurements of the table that was there before are not those of this one.
    for folder in (directory / _HISTORY).glob(f"{TABLE}-*"):
        shutil.rmtree(folder, ignore_errors=True)
    return DemoSummary(
        tuple(written), tuple(unchanged), tuple(kept), database, row_count, now, planted(now)
    )


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_bytes()
