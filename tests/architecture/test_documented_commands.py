"""Every `eventwatch …` line in the pages can be typed: its command and options exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from eventwatch.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)
FENCE = re.compile(r"^ *```.*?\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`(eventwatch [^`\n]+)`")
LINE = re.compile(r"^[\s│|*]*(?:[\w ]+: )?(?:\$ )?(?:\S+ && |[\d*/]+ .* && )?(eventwatch .*)$")


def typed(text: str) -> Iterator[str]:
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            found = LINE.match(line)
            if found:
                yield found[1]
    yield from CODE.findall(FENCE.sub("", text))


def of_shell(line: str) -> list[str]:
    """The words, without what follows a pipe, a comment or a second command."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|;&<>"):
            break
        words.append(word)
    return words[1:]


def wrong(line: str) -> str:
    """What cannot be typed about it, or empty."""
    try:
        words = of_shell(line)
    except ValueError as error:
        return f"{error}"
    command: Any = typer.main.get_command(app)
    options = {o for p in command.params for o in p.opts} | {"--help", "-h", "--version"}
    given: set[str] = set()
    arguments = 0
    while words:
        word = words.pop(0)
        if word in ("…", "..."):
            continue
        inner = getattr(command, "commands", None)
        if word.startswith("-") and len(word) > 1:
            name = word.split("=")[0]
            if name not in options:
                return f"no option {name}"
            given.add(name)
            taken = next((p for p in command.params if name in p.opts), None)
            if taken is not None and not taken.is_flag and "=" not in word and words:
                words.pop(0)
        elif inner is not None:
            if word not in inner:
                return f"no command {word}"
            command = inner[word]
            options = {o for p in command.params for o in p.opts} | {"--help", "-h"}
        else:
            arguments += 1
    # Prose names a command by its words alone; what stands with options is to be typed as it is.
    if "…" in line.split() or not given or given & {"--help", "-h"}:
        return ""
    for param in command.params:
        if param.required and param.param_type_name == "option" and not given & set(param.opts):
            return f"{param.opts[0]} is needed"
    needed = sum(p.required for p in command.params if p.param_type_name == "argument")
    return "" if arguments >= needed else "an argument is needed"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_of_a_page_can_be_typed(page: Path) -> None:
    found = {line: wrong(line) for line in typed(page.read_text(encoding="utf-8"))}
    assert {line: why for line, why in found.items() if why} == {}


def test_what_cannot_be_typed_is_found() -> None:
    assert wrong("eventwatch run-once --nope") == "no option --nope"
    assert wrong("eventwatch incidents lst") == "no command lst"
    assert wrong("eventwatch run --once --send  # a comment") == "no option --once"
    assert wrong("eventwatch silence add --event-type 'a_*' --for 4h") == "--reason is needed"
    assert wrong("eventwatch feedback add --verdict was-real --reason x") == "an argument is needed"
    assert wrong("eventwatch silence add --event-type 'a_*' --for 4h --reason x | head") == ""
    lines = list(typed((ROOT / "docs" / "cli.md").read_text(encoding="utf-8")))
    assert len(lines) > 20
