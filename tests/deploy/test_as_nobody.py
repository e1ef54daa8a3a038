"""The installed wheel as it runs in a container: as nobody, without a home, in a folder that it may
only read."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventwatch import __version__
from tests.fakes.project import Project, steady

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
NOBODY = 65534
SETPRIV = shutil.which("setpriv")
pytestmark = pytest.mark.skipif(
    SETPRIV is None or os.getuid() != 0, reason="needs setpriv, and root to give up"
)


class Container:
    """Folders as a container has them, and the program of the wheel."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.etc = folder / "etc"
        self.data.mkdir()
        os.chown(self.data, NOBODY, NOBODY)
        self.data.chmod(0o750)
        self.site = folder / "site"
        build(folder)
        project = Project(self.etc)
        project.declare("user_a")
        project.config("    every: 10s\n    look_back: 5d\n")
        project.rows(steady(["user_a"], until=datetime.now(UTC), days=5))
        config = self.etc / "config.yaml"
        text = config.read_text().replace(
            "sqlite:///var/state.db", f"sqlite:///{self.data}/state.db"
        )
        config.write_text(text.replace("var/history", f"{self.data}/history"))
        for path in (folder, self.etc, *self.etc.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)

    def command(self, *words: str) -> Sequence[str]:
        return (
            str(SETPRIV), f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
            "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
            *words,
        )  # fmt: skip

    def started_by(self, word: str) -> tuple[str, ...]:
        """What the Dockerfile says of ENTRYPOINT, CMD or HEALTHCHECK."""
        whole = DOCKERFILE.replace("\\\n", " ")
        (said,) = re.findall(rf"(?m)^{word} [^\[\n]*(\[.*\])$", whole)
        return tuple(json.loads(said))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}/venv/bin:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "TMPDIR": str(self.data),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
        }

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.does("eventwatch", *words)

    def does(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            cwd=self.etc,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def python() -> str:
    """An interpreter of our version that nobody may run: one's own often lies in a closed home."""
    name = f"python3.{sys.version_info.minor}"
    here = os.path.realpath(sys.executable)
    for each in (here, *(f"{folder}/{name}" for folder in ("/usr/local/bin", "/usr/bin"))):
        if not Path(each).exists():
            continue
        code = f"import os; assert os.access({each!r}, os.X_OK)"
        probe = subprocess.run(
            [str(SETPRIV), f"--reuid={NOBODY}", "--clear-groups", each, "-c", code],
            capture_output=True,
            check=False,
        )
        if probe.returncode == 0:
            return each
    pytest.skip(f"nobody may run no {name} here")


def build(folder: Path) -> None:
    """The wheel, unpacked into an environment that borrows the packages of this one."""
    wheels = folder / "wheels"
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--disable-pip-version-check", "--wheel-dir", str(wheels), str(ROOT)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = wheels.glob("eventwatch-*.whl")
    subprocess.run(
        [python(), "-m", "venv", "--without-pip", str(folder / "venv")],
        check=True,
        capture_output=True,
    )
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    shutil.unpack_archive(wheel, site, "zip")
    # What an installer makes of the wheel's entry point.
    (points,) = site.glob("eventwatch-*.dist-info/entry_points.txt")
    module, _, name = re.findall(r"(?m)^eventwatch = (.+)$", points.read_text())[0].partition(":")
    script = folder / "venv/bin/eventwatch"
    script.write_text(
        f"#!{folder}/venv/bin/python\nimport sys\nfrom {module} import {name}\nsys.exit({name}())\n"
    )
    script.chmod(0o755)
    # A .pth line of a path adds it behind our own package.
    (borrowed,) = Path(sys.prefix).glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(f"{borrowed}\n")


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    # Not below pytest's folder: nobody may not enter it.
    folder = Path(tempfile.mkdtemp(prefix="ew-nobody-"))
    try:
        try:
            made = Container(folder)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"the wheel cannot be built here: {error.stderr[-300:]!r}")
        if "Permission denied" in made.run("--version").stderr:
            pytest.skip("nobody may not read this checkout")
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_it_is_the_wheel_that_runs_and_not_the_checkout(container: Container) -> None:
    done = container.run("--version")
    assert done.stdout.strip() == f"eventwatch {__version__}", done.stderr
    where = subprocess.run(
        [*container.command("python"), "-c", "import eventwatch; print(eventwatch.__file__)"],
        cwd=container.etc,
        env=container.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(container.folder)), where.stdout


def test_an_audit_and_a_cycle_need_no_home_and_no_working_directory(container: Container) -> None:
    assert container.run("validate").returncode == 0
    for words in (("run-once", "--format", "json"), ("run-once", "--send", "--format", "json")):
        done = container.run(*words)
        assert done.returncode in (0, 1), done.stderr
        assert json.loads(done.stdout)["exposures"][0]["error"] in ("", None)


def test_the_daemon_runs_is_healthy_and_stops_in_time(container: Container, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as file:
        daemon = subprocess.Popen(
            container.command(*container.started_by("ENTRYPOINT"), *container.started_by("CMD")),
            cwd=container.etc,
            env=container.environment,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        until = time.monotonic() + 60
        # A cycle of its own: the heartbeat in the state may be that of the command before.
        while "rows read" not in log.read_text() and time.monotonic() < until:
            assert daemon.poll() is None, log.read_text()
            time.sleep(0.1)
        health = container.does(*container.started_by("HEALTHCHECK"))
        assert health.returncode == 0, health.stderr + log.read_text()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(timeout=20) == 0, log.read_text()
    finally:
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait()
    lines = log.read_text().splitlines()
    assert all(json.loads(line)["event"] for line in lines)
    assert not any("Traceback" in line for line in lines)


def test_nothing_was_written_outside_of_its_folder(container: Container) -> None:
    assert {path.name for path in container.etc.iterdir()} == {
        "config.yaml", "checks", "contracts", "warehouse.duckdb",
    }  # fmt: skip
    state = container.data / "state.db"
    assert state.stat().st_uid == NOBODY
    assert not state.stat().st_mode & 0o077, "others may read the state"


def test_from_another_folder_the_config_is_named(container: Container) -> None:
    """As `docker exec` with a working directory of its own, or a job beside the daemon."""
    done = subprocess.run(
        container.command("eventwatch", "run-once", "--config", str(container.etc)),
        cwd="/",
        env=container.environment | {"HOME": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "rows" in done.stdout


def test_what_cannot_be_written_is_said_in_one_line(container: Container) -> None:
    """A state in the read-only working directory, as a config says it that was not changed for a
    container."""
    folder = container.folder / "unchanged"
    shutil.copytree(container.etc, folder)
    config = folder / "config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace(f"sqlite:///{container.data}/state.db", "sqlite:///var/state.db"), "utf-8"
    )
    done = container.run("run", "--config", str(config))
    assert done.returncode == 3, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("eventwatch: state ")
    assert "must be able to write" in line
    assert not (folder / "var").exists()
