from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from rich.text import Text

from eventwatch.cli.console import show
from eventwatch.cli.output import write_file


def test_a_file_is_written_whole_with_the_folders_on_the_way(tmp_path: Path) -> None:
    write_file(tmp_path / "a/b/report.json", "x\n")
    assert (tmp_path / "a/b/report.json").read_text() == "x\n"
    assert [p.name for p in (tmp_path / "a/b").iterdir()] == ["report.json"]


def test_the_old_file_stays_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.json"]


def test_it_is_as_readable_as_any_new_file(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "x")
    (tmp_path / "b").write_text("x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_link_keeps_pointing_where_it_pointed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_half_pairs_do_not_stop_it(tmp_path: Path) -> None:
    write_file(tmp_path / "a", "\ud800")
    assert (tmp_path / "a").read_text() == "\\ud800"


def test_a_terminal_that_knows_ascii_only_gets_signs_it_can_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, "ascii", "backslashreplace"))
    show(Text("change −49 % · 5 to 7 … caf\u00e9"))
    sys.stdout.flush()
    assert shown.getvalue() == b"change -49 % - 5 to 7 ... caf\\xe9\n"
