"""What is kept under version control holds on every machine: none is named, and no registry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MACHINE_PATH = re.compile(r"(?<![\w./:*-])/(?:work|root|home|Users)/\w")
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|proxy\.golang"
    r"|--(?:extra-)?index-url\s|--find-links\s"
)


def tracked() -> list[Path]:
    """Files that are tracked or would be, that are there, and that are text."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [p for p in paths if p.is_file() and b"\0" not in p.read_bytes()[:4096]]


@pytest.mark.parametrize("pattern", [MACHINE_PATH, REGISTRY], ids=["machine path", "registry"])
def test_no_tracked_file_names_one_machine_or_registry(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", ["build.txt", "runtime.txt", "dev.txt"])
def test_every_pin_of_a_lock_has_a_hash(name: str) -> None:
    text = (ROOT / "locks" / name).read_text("utf-8").replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line.strip()]
    assert pins
    assert [p for p in pins if "==" not in p or "--hash=sha256:" not in p] == []
    assert "://" not in text


def test_the_locks_agree_with_each_other() -> None:
    pins: dict[tuple[str, str], set[str]] = {}
    for name in ("build.txt", "runtime.txt", "dev.txt"):
        for line in (ROOT / "locks" / name).read_text("utf-8").splitlines():
            if match := re.match(r"([a-z0-9-]+)==(\S+)(.*?)\s*\\?$", line):
                pins.setdefault((match[1], match[3]), set()).add(match[2])
    assert {key: versions for key, versions in pins.items() if len(versions) > 1} == {}
