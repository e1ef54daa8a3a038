"""What to do about a fault, added to words of the compiler that leave it open.

The compiler says what it could not read. It does not know the vocabulary of the options, so it cannot
say what was meant. Words that are not known here stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from eventwatch.model.names import nearest

OPTIONS_PATH = "eventwatch/contract/v1/options.proto"
OWN = Path(__file__).with_name("options")
"""The root of the vocabulary that ships with eventwatch."""
_UNKNOWN_OPTION = re.compile(r'^Option "\(eventwatch\.contract\.v1\.\w+\)" unknown')
_UNKNOWN_FIELD = re.compile(
    r'Message type "eventwatch\.contract\.v1\.(?P<type>\w+)" has no field named "(?P<name>[^"]+)"'
)
_UNKNOWN_VALUE = re.compile(r'Unknown enumeration value of "(?P<name>[^"]+)"')
_LABEL_EXPECTED = 'Expected "required", "optional", or "repeated".'
_MESSAGE = re.compile(r"^message (?P<name>\w+) \{\n(?P<body>.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (?:repeated |optional )?[\w.]+ (\w+) = \d+", re.MULTILINE)
_ENUM_VALUE = re.compile(r"^ +([A-Z][A-Z0-9_]*) = \d+;", re.MULTILINE)


def options_proto_text() -> str:
    """The vocabulary that ships with eventwatch, as the text of its .proto file."""
    return (OWN / OPTIONS_PATH).read_text(encoding="utf-8")


def advised(message: str) -> str:
    """The compiler's message, with what to do where it does not say so."""
    if match := _UNKNOWN_OPTION.search(message):
        return f'{match[0]}: add import "{OPTIONS_PATH}"; above it.'
    if match := _UNKNOWN_FIELD.search(message):
        known = _fields().get(match["type"], ())
        close = nearest(match["name"], known, limit=1)
        has = f" It has {', '.join(known)}." if known else ""
        return message + (f" Did you mean {close[0]}?" if close else has)
    if match := _UNKNOWN_VALUE.search(message):
        close = nearest(match["name"], _ENUM_VALUE.findall(options_proto_text()), limit=1)
        return f"{message} Did you mean {close[0]}?" if close else message
    if message == _LABEL_EXPECTED:
        return f'{message} Fields need none when the file begins with syntax = "proto3";'
    return message


@cache
def _fields() -> Mapping[str, tuple[str, ...]]:
    """Message of the vocabulary → its fields."""
    blocks = _MESSAGE.finditer(options_proto_text())
    return {block["name"]: tuple(_FIELD.findall(block["body"])) for block in blocks}
