"""What options say, as flat paths: ``owner.team`` → "growth", and where it was said.

Both vocabularies end here, ours and mapped ones, so that merging is one rule: later sayings win path
by path. A nested message is therefore merged field by field, and a list, which is one path, is
replaced. Fields are found by name, never by number: an organisation's own copy of the vocabulary may
be older, newer or numbered in another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import cast

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from eventwatch.model.contract import Location

Scalar = str | int | float | bool
Record = Mapping[str, Scalar | tuple[Scalar, ...]]
"""One element of a list of messages: its fields by name."""
Value = Scalar | tuple[Scalar, ...] | tuple[Record, ...]

_SNAKE = (
    re.compile(r"([A-Z]+)([A-Z][a-z])"),
    re.compile(r"([a-z0-9])([A-Z])"),
)
_UNSPECIFIED = "unspecified"


@dataclass(frozen=True)
class Said:
    """One value and where it stands."""

    value: Value
    at: Location


Saying = Mapping[str, Said]


@dataclass(frozen=True)
class _Shape:
    """What must be known of a field to read it; asking its descriptor each time is slow."""

    name: str
    is_list: bool
    is_message: bool
    is_map: bool
    words: Mapping[int, str] | None
    """Of an enum's numbers."""


class OptionReader:
    """Reads option messages of one load; keeps the shapes of the fields that it met."""

    def __init__(self) -> None:
        self._shapes: dict[FieldDescriptor, _Shape] = {}

    def flatten(self, message: Message, at: Location) -> dict[str, Said]:
        """Every field that is set, by its path."""
        found: dict[str, Said] = {}
        waiting: list[tuple[str, Message]] = [("", message)]
        while waiting:
            prefix, holder = waiting.pop()
            for field, value in holder.ListFields():
                shape = self._shapes.get(field) or self._shape(field)
                name = prefix + shape.name
                if shape.is_message and not shape.is_list:
                    waiting.append((name + ".", value))
                elif (read := self._value(shape, value)) is not None:
                    found[name] = Said(read, at)
        return found

    def values(self, message: Message) -> dict[str, Value]:
        """Fields that are set, by name, without those of nested messages."""
        found: dict[str, Value] = {}
        for field, value in message.ListFields():
            shape = self._shapes.get(field) or self._shape(field)
            if (read := self._value(shape, value)) is not None:
                found[shape.name] = read
        return found

    def value_of(self, field: FieldDescriptor, value: object) -> Value | None:
        """A field's value; None for an enum's "unspecified", and for a message, which has no value
        of its own."""
        return self._value(self._shape(field), value)

    def _value(self, shape: _Shape, value: object) -> Value | None:
        if not shape.is_list:
            return None if shape.is_message else _scalar(shape, value)
        if shape.is_map:
            return None
        each = list(cast(Iterable[object], value))
        if shape.is_message:
            return tuple(self._record(cast(Message, element)) for element in each)
        listed = (_scalar(shape, element) for element in each)
        return tuple(element for element in listed if element is not None)

    def _record(self, message: Message) -> Record:
        record: dict[str, Scalar | tuple[Scalar, ...]] = {}
        for field, value in message.ListFields():
            shape = self._shape(field)
            if shape.is_message:
                continue  # no list of ours has a message in its elements
            if shape.is_list:
                listed = (_scalar(shape, each) for each in cast(Iterable[object], value))
                record[shape.name] = tuple(each for each in listed if each is not None)
            elif (read := _scalar(shape, value)) is not None:
                record[shape.name] = read
        return record

    def _shape(self, field: FieldDescriptor) -> _Shape:
        if field not in self._shapes:
            inner, enum = field.message_type, field.enum_type
            self._shapes[field] = _Shape(
                name=field.name,
                is_list=field.is_repeated,
                is_message=inner is not None,
                is_map=inner is not None and inner.GetOptions().map_entry,
                words=None if enum is None else _words(enum),
            )
        return self._shapes[field]


def _words(enum: EnumDescriptor) -> Mapping[int, str]:
    words = enum_words(enum.name, [value.name for value in enum.values])
    # Of two names for one number (allow_alias) the first is the one that protobuf prints.
    pairs = zip(reversed(enum.values), reversed(words), strict=True)
    return {value.number: word for value, word in pairs}


def _scalar(shape: _Shape, value: object) -> Scalar | None:
    if shape.words is not None:
        word = shape.words.get(cast(int, value), str(value))
        return None if word == _UNSPECIFIED else word
    if isinstance(value, (str, int, float)):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def enum_words(enum_name: str, value_names: Sequence[str]) -> list[str]:
    """Enum values as words: in lower case, without what they begin with.

    That is the enum's own name (``TIER_CRITICAL`` of ``Tier``: "critical") or, where no value has
    it, the whole words that all values share (``SQ_ALPHA``, ``SQ_BETA`` of ``Squads``).
    """
    prefix = snake_case(enum_name).upper() + "_"
    if not any(name.upper().startswith(prefix) for name in value_names):
        words = [name.upper().split("_")[:-1] for name in value_names]
        shared = takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False))
        prefix = "".join(f"{column[0]}_" for column in shared) if len(value_names) > 1 else ""
    size = len(prefix)
    return [
        (name[size:] if name.upper().startswith(prefix) and len(name) > size else name).lower()
        for name in value_names
    ]


def snake_case(name: str) -> str:
    """``UserFollowedUser`` → ``user_followed_user``, ``HTTPRequestSent`` → ``http_request_sent``."""
    for pattern in _SNAKE:
        name = pattern.sub(r"\1_\2", name)
    return name.lower()
