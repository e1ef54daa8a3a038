"""What the long forms need."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.fakes.project import Project
from tests.faults.figures import Figures
from tests.faults.server import Server, running_server


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Figures:
    """What the test measures, for the table."""
    return Figures(record_property)


@pytest.fixture
def server() -> Iterator[Server]:
    """A PostgreSQL server that the test may stop and kill."""
    with running_server() as made:
        yield made


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


@pytest.fixture
def server_state(postgres_url: str) -> Iterator[str]:
    """URL of an empty database for a state."""
    server = sa.make_url(postgres_url).set(drivername="postgresql+psycopg")
    name = f"faults_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()
