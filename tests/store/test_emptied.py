"""A state on a server that was emptied is missed by every machine that used it."""

from __future__ import annotations

import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from eventwatch.model.errors import StoreError
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_store


@pytest.fixture
def url(postgres_url: str) -> Iterator[Secret]:
    """A database where no state is yet."""
    name = f"emptied_{secrets.token_hex(6)}"
    execute(postgres_url, f"CREATE DATABASE {name}")
    made = sa.make_url(postgres_url).set(drivername="postgresql", database=name)
    yield Secret(made.render_as_string(hide_password=False))
    execute(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


def execute(server: str, statement: str) -> None:
    url = sa.make_url(server).set(drivername="postgresql+psycopg")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()


def empty(url: Secret) -> None:
    execute(url.reveal(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def test_a_database_that_is_empty_afterwards_is_no_first_start(url: Secret, tmp_path: Path) -> None:
    history = tmp_path / "var" / "history"
    open_store(url, beside=history).close()
    open_store(url, beside=history).close()
    (note,) = history.iterdir()
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    empty(url)
    for _ in range(2):
        with pytest.raises(StoreError, match="the database is empty, but there was one") as caught:
            open_store(url, beside=history)
        assert note.name in str(caught.value)
    note.unlink()
    open_store(url, beside=history).close()
    assert note.exists()


def test_another_database_and_another_machine_begin_as_ever(url: Secret, tmp_path: Path) -> None:
    open_store(url, beside=tmp_path / "one").close()
    empty(url)
    open_store(url, beside=tmp_path / "two").close()


def test_a_place_that_cannot_be_written_stops_nothing(url: Secret, tmp_path: Path) -> None:
    (tmp_path / "history").write_text("a file where a folder should be")
    open_store(url, beside=tmp_path / "history").close()
