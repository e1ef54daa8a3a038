"""``eventwatch init``: a folder to start from, in which the next command already works."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

OPTIONS_PATH = "contracts/eventwatch/contract/v1/options.proto"
EXAMPLES = "contracts/social/"


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to write to; made if it is not there.")
    ] = Path(),
    force: Annotated[
        bool, typer.Option("--force", help="Write over files that are there and differ.")
    ] = False,
) -> None:
    """Write a folder to start from.

    A commented config.yaml, checks/, contracts/ with one event, and a small sample of rows.
    Everything works at once: `eventwatch run-once` in that folder audits the sample. Then replace
    the sample by your own table and the one contract by your own. Files that are there are never
    overwritten unless you say --force.

    Examples:

        eventwatch init

        eventwatch init monitoring
    """
    from eventwatch.cli.output import write_file
    from eventwatch.config.template import SAMPLE

    written: list[Path] = []
    kept: list[Path] = []
    for name, text in _files():
        path = directory / name
        if name.startswith(EXAMPLES) and kept and kept[0].name == "config.yaml":
            # Somebody's own config: an event that their table never held would be missed in it.
            continue
        if path.exists() and path.read_bytes() == text.encode():
            continue
        if path.exists() and not force:
            kept.append(path)
            continue
        write_file(path, text)
        written.append(path)
    sample = _sample(directory, force=force)
    for path in (*written, *sample):
        print(f"wrote  {_shown(path)}")
    for path in kept:
        print(f"kept   {_shown(path)} (it is there and differs; --force writes over it)")
    if sample:
        print("\nThe sample is made up: 35 days of one event type, up to now.")
    audits = "audit the sample" if (directory / SAMPLE).exists() else "audit once; sends nothing"
    here = directory.resolve() == Path.cwd()
    print("\nNext:")
    for command in (
        *(() if here else (f"cd {shlex.quote(str(directory))}",)),
        f"eventwatch run-once               {audits}",
        "eventwatch validate               after every change: lists every fault at once",
        "eventwatch run                    watch all the time",
    ):
        print(f"  {command}")
    if not kept:
        print("\nThen put your own table into config.yaml and your contracts into contracts/.")


def _files() -> Iterator[tuple[str, str]]:
    from eventwatch.config.template import template_files
    from eventwatch.contracts.advice import options_proto_text

    yield from template_files()
    yield OPTIONS_PATH, options_proto_text()


def _sample(directory: Path, *, force: bool) -> list[Path]:
    """The sample is only of use to a config that names it."""
    from eventwatch.cli.sample import write_sample
    from eventwatch.config.template import SAMPLE

    path = directory / SAMPLE
    config = directory / "config.yaml"
    if (path.exists() and not force) or "sample/" not in config.read_text(encoding="utf-8"):
        return []
    write_sample(path, datetime.now(UTC))
    return [path]


def _shown(path: Path) -> str:
    from eventwatch.alerting.escape import terminal

    return terminal(os.path.normpath(path))
