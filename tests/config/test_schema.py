from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from eventwatch.config.schema import checks_schema, config_schema, schema_text
from eventwatch.config.tree import read_yaml
from eventwatch.kinds.registry import KINDS

from .conftest import GOOD

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "schema"), [("config", config_schema()), ("checks", checks_schema())]
)
def test_the_files_in_docs_are_what_the_code_says(name: str, schema: dict[str, Any]) -> None:
    """After a change: eventwatch config schema --of config --output docs/config.schema.json"""
    path = ROOT / "docs" / f"{name}.schema.json"
    assert path.read_text(encoding="utf-8") == schema_text(schema)
    Draft202012Validator.check_schema(schema)


def test_the_configs_that_ship_keep_to_the_schema() -> None:
    validator = Draft202012Validator(config_schema())
    checks = Draft202012Validator(checks_schema())
    found = 0
    for folder in (ROOT / "examples", ROOT / "src/eventwatch"):
        for path in folder.rglob("config.yaml"):
            found += 1
            validator.validate(read_yaml(path).value)
            for each in path.parent.glob("checks/*.yaml"):
                checks.validate(read_yaml(each).value)
    assert found >= 3


def test_a_misspelled_key_is_seen_by_editors_too() -> None:
    validator = Draft202012Validator(config_schema())
    value = YAML(typ="safe").load(GOOD)
    validator.validate(value)
    value["exposures"]["events"]["lok_back"] = "1d"
    assert not validator.is_valid(value)


@pytest.mark.parametrize(
    ("check", "right"),
    [
        ({"kind": "volume", "events": "a*"}, True),
        ({"kind": "volume", "events": ["a", "b"]}, True),
        ({"kind": "volume", "for": 0}, True),
        ({"kind": "freshness", "max_lag": "1d12h"}, True),
        ({"kind": "freshness", "max_lag": None}, True),
        ({"kind": "volume", "for": 5}, False),
        ({"kind": "volume", "for": "5"}, False),
        ({"kind": "volume", "hold": "5m"}, False),
        ({"kind": "volume", "source": "x"}, False),
        ({"kind": "volum"}, False),
        ({"events": "a"}, False),
    ],
)
def test_definitions_are_judged_as_the_loader_judges_them(check: object, right: bool) -> None:
    assert Draft202012Validator(checks_schema()).is_valid([check]) is right


def test_every_setting_is_described() -> None:
    missing: list[str] = []

    def walk(node: Any, place: str) -> None:
        if isinstance(node, dict):
            for name, each in node.get("properties", {}).items():
                if "description" not in each and "$ref" not in each:
                    missing.append(f"{place}.{name}")
            for name, each in node.items():
                walk(each, f"{place}.{name}")
        elif isinstance(node, list):
            for each in node:
                walk(each, place)

    walk(config_schema(), "config")
    walk(checks_schema(), "checks")
    assert missing == []


def test_spans_are_written_as_people_write_them() -> None:
    text = json.dumps([config_schema(), checks_schema()])
    assert "PT" not in text
    assert '"duration"' not in text
    assert '"default": "5m"' in text


def test_internal_fields_are_not_in_it() -> None:
    definitions = checks_schema()["$defs"]
    for kind in KINDS.values():
        assert "source" not in definitions[type(kind.defaults).__name__]["properties"]
