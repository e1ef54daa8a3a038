"""Renews locks/ from pyproject.toml with uv: pinned, hashed, for every platform, no addresses."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def extras(*names: str) -> tuple[str, ...]:
    """Options that take these extras in."""
    return tuple(word for name in names for word in ("--extra", name))


LOCKS = {
    "runtime.txt": extras("postgres", "charts", "holidays"),
    "dev.txt": (
        "--group",
        "dev",
        *extras("postgres", "charts", "holidays", "buf", "apprise", "otel"),
    ),
}
QUIET = (
    *("--quiet", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
)


def main() -> None:
    """``lock.py UV [--upgrade]``"""
    uv, *more = sys.argv[1:]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    builder = "\n".join(project["build-system"]["requires"])
    lock(uv, "build.txt", [*more, "-"], builder)
    for name, wants in LOCKS.items():
        lock(uv, name, [*more, *wants, "pyproject.toml"])


def lock(uv: str, name: str, arguments: list[str], standard_input: str = "") -> None:
    """Writes one lock; pins that it holds already stay, where they still fit."""
    out = ROOT / "locks" / name
    command = [uv, "pip", "compile", *QUIET, *arguments, "-o", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, input=standard_input, text=True)
    if "://" in out.read_text(encoding="utf-8"):
        raise SystemExit(f"{out} holds an address: look at the options of uv")


if __name__ == "__main__":
    main()
