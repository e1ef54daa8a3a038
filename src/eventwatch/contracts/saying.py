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


class OptionReader:
    """Reads option messages of one load; keeps the words of the enums that it met."""

    def __init__(self) -> None:
        self._words: dict[EnumDescriptor, Mapping[int, str]] = {}

    def flatten(self, message: Message, at: Location) -> dict[str, Said]:
        """Every field that is set, by its path."""
        found: dict[str, Said] = {}
        waiting: list[tuple[str, Message]] = [("", message)]
        while waiting:
            prefix, holder = waiting.pop()
            for field, value in holder.ListFields():
                name = prefix + field.name
                if field.message_type is not None and not field.is_repeated:
                    waiting.append((name + ".", value))
                elif (read := self.value_of(field, value)) is not None:
                    found[name] = Said(read, at)
        return found

    def value_of(self, field: FieldDescriptor, value: object) -> Value | None:
        """A field's value; None for an enum's "unspecified", and for a message, which has no value
        of its own."""
        if not field.is_repeated:
            return None if field.message_type is not None else self._scalar(field, value)
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry:
                return None
            return tuple(self._record(each) for each in _each(value))
        listed = (self._scalar(field, each) for each in _each(value))
        return tuple(each for each in listed if each is not None)

    def _record(self, message: object) -> Record:
        record: dict[str, Scalar | tuple[Scalar, ...]] = {}
        fields = message.ListFields() if isinstance(message, Message) else ()
        for field, value in fields:
            if field.message_type is not None:
                continue  # no list of ours has a message in its elements
            if field.is_repeated:
                listed = (self._scalar(field, each) for each in _each(value))
                record[field.name] = tuple(each for each in listed if each is not None)
            elif (read := self._scalar(field, value)) is not None:
                record[field.name] = read
        return record

    def _scalar(self, field: FieldDescriptor, value: object) -> Scalar | None:
        if field.enum_type is not None:
            word = self._enum(field.enum_type).get(cast(int, value), str(value))
            return None if word == _UNSPECIFIED else word
        if isinstance(value, bytes):
            return value.decode("utf-8", "replace")
        return value if isinstance(value, (str, int, float)) else str(value)

    def _enum(self, enum: EnumDescriptor) -> Mapping[int, str]:
        if enum not in self._words:
            words = enum_words(enum.name, [value.name for value in enum.values])
            # Of two names for one number (allow_alias) the first is the one that protobuf prints.
            pairs = zip(reversed(enum.values), reversed(words), strict=True)
            self._words[enum] = {value.number: word for value, word in pairs}
        return self._words[enum]


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


def _each(value: object) -> list[object]:
    return list(cast(Iterable[object], value))
