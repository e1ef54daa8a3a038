"""Adapters are imported on first use, whoever asks, and from however many threads."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from eventwatch.app import adapters


class SlowPackage(SourceFileLoader):
    """A package that was found and takes its time to begin."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name, str(folder / name / "__init__.py"))
        self.begins = Event()

    def find_spec(self, name: str, _path: object = None, _: object = None) -> ModuleSpec | None:
        """Its own; nothing of others."""
        if name != self.name:
            return None

        return spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=[str(Path(self.path).parent)]
        )

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As usual, late."""
        self.begins.set()
        time.sleep(0.4)
        return super().create_module(spec)


def test_a_package_and_its_module_are_imported_from_two_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "entangled").mkdir()
    (tmp_path / "entangled" / "__init__.py").write_text("from entangled.part import made\n")
    (tmp_path / "entangled" / "part.py").write_text("made = 'here'\n")
    slow = SlowPackage("entangled", tmp_path)
    monkeypatch.setattr(sys, "meta_path", [slow, *sys.meta_path])
    monkeypatch.setitem(adapters.ADAPTERS, "whole", "entangled:made")
    monkeypatch.setitem(adapters.ADAPTERS, "part", "entangled.part:made")
    with ThreadPoolExecutor(2) as pool:
        whole = pool.submit(adapters.adapter, "whole")
        assert slow.begins.wait(60)
        part = pool.submit(adapters.adapter, "part")
        assert (whole.result(), part.result()) == ("here", "here")
