"""States to run the suite of the store on."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from eventwatch.model.settings import Secret
from eventwatch.store.sql import SqlStore, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Secret]:
    """A place where no state is yet."""
    if request.param == "sqlite":
        yield Secret(f"sqlite:///{tmp_path}/fo%lder/state.db")
        return
    server = sa.make_url(request.getfixturevalue("postgres_url")).set(
        drivername="postgresql+psycopg"
    )
    name = f"state_{secrets.token_hex(6)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield Secret(
        server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def store(url: Secret) -> Iterator[SqlStore]:
    """An empty state."""
    opened = open_store(url)
    yield opened
    opened.close()
