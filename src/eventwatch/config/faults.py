"""What pydantic found, as faults: each with its line and in words for whoever wrote the file.

A value is quoted only where it is one of a few words (an enumeration) and was not interpolated: any
other text in a config may be a secret, also one that was put under the wrong key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from eventwatch.config.tree import Key, Tree
from eventwatch.model.errors import Fault
from eventwatch.model.names import nearest

M = TypeVar("M", bound=BaseModel)

_WANTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_BOUNDS = {
    "greater_than": ("must be more than", "gt"),
    "greater_than_equal": ("must be at least", "ge"),
    "less_than": ("must be less than", "lt"),
    "less_than_equal": ("must be at most", "le"),
}


def validated(
    model: type[M], tree: Tree, key: Key, *, shown: Key | None = None
) -> tuple[M | None, tuple[Fault, ...]]:
    """The section at ``key`` and its faults. Where single settings are wrong, what is left is still
    given back if it makes a section, so that rules on the others can be checked."""
    value = tree.at(key)
    faults: list[Fault] = []
    try:
        return model.model_validate_json(_json(value), strict=True), ()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        for detail in details:
            faults.append(_fault(model, tree, key, detail, key if shown is None else shown))
    wrong = {detail["loc"][0] for detail in details if detail["loc"]}
    if not isinstance(value, dict) or not wrong:
        return None, tuple(faults)
    rest = {name: each for name, each in value.items() if name not in wrong}
    try:
        return model.model_validate_json(_json(rest), strict=True), tuple(faults)
    except ValidationError:
        return None, tuple(faults)


def unknown_key(tree: Tree, key: Key, known: Sequence[str], *, shown: Key | None = None) -> Fault:
    """The fault of a key that nobody reads."""
    name = str(key[-1])
    close = nearest(name, known, limit=1)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    return tree.fault(key, f"there is no setting {name[:80]!r}; {hint}", shown=shown)


def one_of(text: str, known: Sequence[str]) -> str:
    """What to say of a word that is not one of those that are known."""
    close = nearest(text, known, limit=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return f"{text[:80]!r} is not one of {', '.join(known)}{meant}"


def _json(value: Any) -> str:
    # JSON is where pydantic's strict mode takes lists for tuples and texts for enumerations.
    return json.dumps(value)


def _fault(model: type[BaseModel], tree: Tree, base: Key, detail: Any, shown: Key) -> Fault:
    loc: Key = tuple(step for step in detail["loc"] if step != "[key]")
    key, name = (*base, *loc), (*shown, *loc)
    kind: str = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    value = tree.at(key)
    secret = key in tree.written
    if kind == "extra_forbidden":
        return unknown_key(tree, key, _settings(_model_at(model, loc[:-1])), shown=name)
    if kind == "missing":
        what = _described(model, loc)
        message = f"{loc[-1]} is missing" + (f": {what}" if what else "")
        return tree.fault(key[:-1], message, shown=name)
    if kind == "value_error":
        message = str(context["error"])
    elif kind in ("enum", "literal_error"):
        known = [w.strip(" '") for w in context["expected"].replace(" or ", ", ").split(",")]
        plain = isinstance(value, str) and not secret
        message = one_of(value, known) if plain else f"must be one of {', '.join(known)}"
    elif kind in _WANTED:
        message = f"must be {_WANTED[kind]}, not {_found(kind, value)}"
    elif kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        message = f"{words} {context[bound]}"
    elif kind == "too_short":
        message = "must not be empty"
    elif kind == "too_long":
        message = f"holds more than {context['max_length']} entries"
    else:
        message = str(detail["msg"])
    return tree.fault(key, message, shown=name)


def _found(kind: str, value: Any) -> str:
    if kind == "bool_type" and isinstance(value, str):
        return "text (since YAML 1.2, yes, no, on and off are text)"
    if value is None:
        return "nothing; leave the key out or give it a value"
    if kind == "string_type" and isinstance(value, int | float):
        what = "true or false" if isinstance(value, bool) else "a number"
        return f"{what}; put it in quotes"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list) else "a mapping"


def _settings(model: type[BaseModel] | None) -> list[str]:
    """The keys that a section knows, as users write them."""
    if model is None:
        return []
    return [each.alias or name for name, each in model.model_fields.items() if not each.exclude]


def _described(model: type[BaseModel], loc: Key) -> str:
    parent = _model_at(model, loc[:-1])
    if parent is None:
        return ""
    for name, each in parent.model_fields.items():
        if loc[-1] in (name, each.alias):
            return (each.description or "").rstrip(".")
    return ""


def _model_at(model: type[BaseModel], loc: Key) -> type[BaseModel] | None:
    """The section that a place inside ``model`` belongs to."""
    found: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, int) or found is None:
            continue
        annotation = next(
            (e.annotation for n, e in found.model_fields.items() if step in (n, e.alias)), None
        )
        found = _model_in(annotation)
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := _model_in(a)) is not None), None)


def place(fault: Fault) -> tuple[str, int, str, str]:
    """Faults in the order in which a person goes through the files."""
    return fault.path, fault.line or 0, fault.key, fault.message


def without_echoes(faults: Sequence[Fault], interpolation: Sequence[Fault]) -> list[Fault]:
    """Leaves out what is only wrong because a ``${…}`` in it could not be replaced."""
    places = {(fault.path, fault.key) for fault in interpolation}
    return [fault for fault in faults if (fault.path, fault.key) not in places]
