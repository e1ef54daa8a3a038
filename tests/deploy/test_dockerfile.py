"""The Dockerfile, by the rules that linters have for such files, and against the program it starts."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from eventwatch.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


@dataclass(frozen=True)
class Line:
    word: str
    rest: str


def lines(text: str) -> list[Line]:
    whole = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^\s*#.*\n", "", text))
    return [Line(*line.split(" ", 1)) for line in whole.splitlines() if line.strip()]


LINES = lines((ROOT / "Dockerfile").read_text())
LAST = LINES[max(i for i, line in enumerate(LINES) if line.word == "FROM") :]


def said(word: str, of: list[Line] = LAST) -> list[str]:
    return [line.rest for line in of if line.word == word]


def test_every_base_has_a_tag_that_is_not_latest() -> None:
    bases = [rest.split()[0] for rest in said("FROM", LINES)]
    assert len(set(bases)) == 1, "two bases may differ in their C library"
    assert all(re.fullmatch(r"[a-z/]+:(?!latest)[\w.-]+(@sha256:[0-9a-f]{64})?", b) for b in bases)


def test_it_runs_as_a_number_that_is_not_root() -> None:
    assert LAST[-1].word == "CMD"
    (user,) = said("USER")
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)
    # Nothing that follows needs to be root.
    after = LAST[[line.word for line in LAST].index("USER") :]
    assert {line.word for line in after} <= {"USER", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


def test_the_only_folder_that_is_written_is_its_own() -> None:
    (user,) = said("USER")
    owner = user.split(":")[0]
    (volume,) = said("VOLUME")
    (made,) = said("RUN")
    assert shlex.split(made) == [
        *("install", "-d", "-o", owner, "-g", owner, "-m", "0750"),
        volume,
    ]
    env = " ".join(said("ENV"))
    assert f"HOME={volume}" in env
    assert f"TMPDIR={volume}" in env
    assert "PYTHONDONTWRITEBYTECODE=1" in env


def test_process_1_hears_signals_and_every_command_is_one_of_ours() -> None:
    names = {c.name or "" for c in app.registered_commands} | {"run", "health"}
    (entry,), (command,), (check,) = said("ENTRYPOINT"), said("CMD"), said("HEALTHCHECK")
    assert json.loads(entry) == ["eventwatch"]
    assert json.loads(command) == ["run"]
    options, _, run = check.partition("CMD ")
    assert json.loads(run) == ["eventwatch", "health"]
    assert {"run", "health"} <= names
    for option in ("interval", "timeout", "start-period", "retries"):
        assert f"--{option}=" in options


def test_packages_come_with_hashes_and_leave_no_cache() -> None:
    installs = [i for rest in said("RUN", LINES) for i in rest.split("&&") if "pip " in i]
    assert len(installs) >= 3
    for install in installs:
        assert "--no-cache-dir" in install
        assert "--no-deps" in install
        assert "--require-hashes" in install or "--no-index" in install or "pip wheel" in install
    assert all("apt" not in rest and "curl" not in rest for rest in said("RUN", LINES))


def test_what_is_copied_exists_and_is_let_through() -> None:
    copied = [rest for rest in said("COPY", LINES) if not rest.startswith("--from")]
    sources = [source for rest in copied for source in rest.split()[:-1]]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in IGNORED, source
    assert "*" in IGNORED
    assert all(line.word != "ADD" for line in LINES)


def test_no_secret_is_baked_in() -> None:
    assert not said("ARG", LINES)
    for rest in said("ENV", LINES):
        assert not re.search(r"(?i)token|secret|password|key", rest)


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="no hadolint here")
def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run(
        ["hadolint", str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
