"""What the pages say of commands, options and settings is held to the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import typer.main

from eventwatch.cli.codes import MEANINGS
from eventwatch.cli.main import app
from eventwatch.config.schema import config_schema

DOCS = Path(__file__).parents[2] / "docs"


def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        if inner:
            found |= {f"{name} {each}": made for each, made in inner.items()}
        else:
            found[name] = command
    return found


def test_every_command_is_on_the_page_and_none_beside() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    said = {
        re.sub(r"( \[?[A-Z_]+\]?)+$", "", each)
        for each in re.findall(r"^\| `eventwatch ([^`]+)`", text, re.MULTILINE)
    }
    assert said == set(commands())


def test_every_option_of_run_once_is_on_the_page() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    options = {o for p in commands()["run-once"].params for o in p.opts} - {"--help", "-h", "-c"}
    assert {o for o in options if o not in text} == set()


def test_every_exit_code_is_on_the_page() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    for code, meaning in MEANINGS.items():
        assert re.search(rf"^\| {code} \| {meaning}", text, re.MULTILINE), code


def test_every_setting_is_on_the_page() -> None:
    text = (DOCS / "config.md").read_text(encoding="utf-8")
    schema = config_schema()
    names = set(schema["properties"])
    for name, section in schema["$defs"].items():
        if name not in ("MappingSection", "LinksSection"):
            names |= set(section["properties"])
    assert {n for n in names if not re.search(rf"\b{n}\b", text)} == set()


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    text = (DOCS / "config.md").read_text(encoding="utf-8")
    exposure = config_schema()["$defs"]["ExposureSection"]["properties"]
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", text, re.MULTILINE))
    checked = {name: default for name, default in rows.items() if name in exposure}
    assert len(checked) >= 8
    assert {n: exposure[n]["default"] for n in checked} == checked
