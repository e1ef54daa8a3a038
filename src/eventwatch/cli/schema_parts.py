"""Pieces that the JSON Schemas of explanations are made of."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def described(**properties: tuple[Schema, str]) -> Schema:
    """An object that has all of these keys and no other, each with its schema and what it says."""
    return {
        "type": "object",
        "properties": {
            name: {**schema, "description": text} for name, (schema, text) in properties.items()
        },
        "required": list(properties),
        "additionalProperties": False,
    }


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def listed(items: Schema) -> Schema:
    """An array of these."""
    return {"type": "array", "items": items}
