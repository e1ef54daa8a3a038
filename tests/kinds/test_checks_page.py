"""The page on checks is held to the code."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.kinds.definition import Check
from eventwatch.kinds.registry import KINDS
from eventwatch.model.durations import write_duration
from eventwatch.model.status import KindName

PAGE = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def written(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, timedelta):
        return f"`{write_duration(value)}`"
    if isinstance(value, tuple):
        return f"`{value[0]}`"
    return f"`{value:g}`" if isinstance(value, int | float) else f"`{value}`"


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_stands_on_the_page_with_its_default(kind: KindName) -> None:
    fields = type(KINDS[kind].defaults).model_fields
    for name in fields.keys() - Check.model_fields.keys():
        row = f"| `{name}` | {written(fields[name].default)} |"
        assert row in SECTIONS[kind.value], f"docs/checks.md lacks {row}"


def test_every_common_setting_stands_on_the_page() -> None:
    for name, field in Check.model_fields.items():
        if name not in ("kind", "source"):
            assert f"| `{field.alias or name}` |" in SECTIONS["Definitions"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_explains_itself(kind: KindName) -> None:
    for name, field in type(KINDS[kind].defaults).model_fields.items():
        assert field.description or name in ("kind", "source"), name


@pytest.mark.parametrize("kind", KINDS)
def test_every_aspect_in_the_code_stands_on_the_page(kind: KindName) -> None:
    folder = Path(__file__).parents[2] / "src" / "eventwatch" / "kinds"
    code = "".join(p.read_text() for p in sorted(folder.glob(f"{kind.value}*.py")))
    found = set(re.findall(r'make\(\s*[\w.]+,\s*"(\w+)",', code))
    found |= set(re.findall(r'_make\(\s*"(\w+)",', code))
    assert found
    for aspect in found:
        assert f"`{aspect}`" in SECTIONS[kind.value], aspect
