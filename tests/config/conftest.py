"""A folder with a config that is right, to be made wrong in one place at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from eventwatch.config.load import Loaded, load
from eventwatch.model.errors import ConfigError

GOOD = """\
contracts:
  source: contracts/
exposures:
  events:
    connection: duckdb://warehouse.duckdb
    table: analytics.events
    columns:
      event_type: type
      event_id: id
    dimensions: [platform]
    owner: data
teams:
  data: {slack_channel: "#data"}
notify:
  fallback_team: data
"""

Write = Callable[..., Path]
Try = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes config.yaml and checks/NAME files; gives the config's path."""

    def make(text: str = GOOD, checks: Mapping[str, str] | None = None) -> Path:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        for name, content in (checks or {}).items():
            path = tmp_path / "checks" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return tmp_path / "config.yaml"

    return make


@pytest.fixture
def loaded(write: Write) -> Callable[..., Loaded]:
    """Loads what is written."""

    def make(
        text: str = GOOD,
        checks: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Loaded:
        return load(write(text, checks), env or {})

    return make


@pytest.fixture
def faults_of(write: Write) -> Try:
    """The faults of what is written, without the folder in front; an empty list: it loads."""

    def make(
        text: str = GOOD,
        checks: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> list[str]:
        path = write(text, checks)
        try:
            load(path, env or {})
        except ConfigError as error:
            return [str(f).replace(f"{path.parent}/", "") for f in error.faults]
        return []

    return make
