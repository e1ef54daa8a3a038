"""JSON Schemas (draft 2020-12) of config.yaml and checks/*.yaml, for editors.

They are made from the same models that check the files, so they cannot say something else. Rules that
involve two settings are not in them: only ``eventwatch validate`` knows all.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from eventwatch.config.document import Document
from eventwatch.kinds.registry import AnyCheck
from eventwatch.model.durations import write_duration

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SPAN = {
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^\s*(0|(\d+(\.\d+)?(ms|[wdhms])\s*)+)\s*$",
        },
        {"const": 0},
    ]
}
_GLOBS = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}


class _Generator(GenerateJsonSchema):
    """Spans are written as people write them, not as ISO 8601."""

    def timedelta_schema(self, schema: Any) -> JsonSchemaValue:  # noqa: ARG002
        return dict(_SPAN)

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return write_duration(dft)
        return super().encode_default(dft)


def config_schema() -> dict[str, Any]:
    """Of config.yaml."""
    made = Document.model_json_schema(by_alias=True, schema_generator=_Generator)
    return _finished(made, "eventwatch config.yaml", "Where to read, where to send, how often.")


def checks_schema() -> dict[str, Any]:
    """Of one file in checks/."""
    one = TypeAdapter[Any](list[AnyCheck]).json_schema(by_alias=True, schema_generator=_Generator)
    description = (
        "A list of check definitions. Each overrides, for what it rules, only the keys it sets; the "
        "more specific definition wins."
    )
    return _finished({**one, "type": ["array", "null"]}, "eventwatch checks", description)


def schema_text(schema: dict[str, Any]) -> str:
    """As it is written to a file."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _finished(made: dict[str, Any], title: str, description: str) -> dict[str, Any]:
    body = _clean(made)
    body.pop("title", None)
    body.pop("description", None)
    return {"$schema": DIALECT, "title": title, "description": description, **body}


def _clean(node: Any) -> Any:
    """Without what only pydantic needs: internal fields, titles made from names, sets of strings that
    may also be written as one."""
    if isinstance(node, list):
        return [_clean(each) for each in node]
    if not isinstance(node, dict):
        return node
    cleaned: dict[str, Any] = {}
    for name, value in node.items():
        if name == "properties":
            cleaned[name] = {
                key: _property(key, each)
                for key, each in value.items()
                if not (isinstance(each, dict) and each.get("x-internal"))
            }
        elif name == "title" and isinstance(value, str):
            continue
        elif name == "description" and isinstance(value, str):
            cleaned[name] = " ".join(value.split())
        else:
            cleaned[name] = _clean(value)
    if "anyOf" in cleaned:
        # Beside a span, which may also be the number 0.
        cleaned.pop("type", None)
    if "kind" in cleaned.get("properties", {}):
        cleaned["required"] = sorted({*cleaned.get("required", []), "kind"})
    return cleaned


def _property(name: str, node: Any) -> Any:
    cleaned = _clean(node)
    items = cleaned.get("items", {})
    # Fields of globs also take one pattern; lists of config.yaml have no default tuple.
    if items == {"type": "string"} and isinstance(cleaned.get("default"), list):
        kept = {k: v for k, v in cleaned.items() if k not in ("type", "items", "minLength")}
        return {**kept, **_GLOBS}
    if name == "kind" and "const" in cleaned:
        return {"description": "Check kind.", "const": cleaned["const"]}
    if name == "dimensions" and "$ref" in items:
        cleaned["items"] = {"anyOf": [{"type": "string"}, items]}
    return cleaned
