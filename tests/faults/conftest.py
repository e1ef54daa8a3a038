"""What the long forms need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path / "shop")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without EVENTWATCH_SLOW=1 the long forms wait for another day."""
    if os.environ.get("EVENTWATCH_SLOW") == "1":
        return
    for item in items:
        if "slow" in item.keywords and "faults" in item.path.parts:
            item.add_marker(pytest.mark.skip(reason="slow; EVENTWATCH_SLOW=1 runs it"))
