"""A YAML file as plain values that know their lines.

Composed from parser events and not by a ready-made constructor, so that the limits hold while the file
is read: a file of nested brackets or of aliases of aliases ends at the limit, not after it. Values are
those of the core schema of YAML 1.2: ``no``, ``on``, ``12:30`` and dates are text.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eventwatch.model.errors import ConfigError, Fault, path_text

Key = tuple[str | int, ...]
"""Where a value stands in its file: mapping keys and 0-based list positions."""

LARGEST = 1_000_000
"""Bytes."""
DEEPEST = 50
MOST_NODES = 10_000
"""Scalars, lists and mappings, each alias counted as what it stands for."""

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_ODD_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Tree:
    """What one file says."""

    file: str
    """As the user named it."""
    value: Any
    """dict, list, str, int, float, bool or None."""
    lines: Mapping[Key, int]
    """1-based, of every key and list item."""
    written: Mapping[Key, str] = field(default_factory=dict)
    """Texts as they stand in the file, where ``value`` holds what ``${…}`` was replaced by."""

    def line(self, key: Key) -> int | None:
        """The line of a value, or of the nearest thing around it that has one."""
        for end in range(len(key), -1, -1):
            if key[:end] in self.lines:
                return self.lines[key[:end]]
        return None

    def fault(self, key: Key, message: str, *, shown: Key | None = None) -> Fault:
        """A fault at a value; ``shown`` is another name for where it stands."""
        return Fault(self.file, self.line(key), message, dotted(key if shown is None else shown))

    def at(self, key: Key) -> Any:
        """The value there; None when there is none."""
        value = self.value
        for step in key:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def dotted(key: Key) -> str:
    """``exposures.events.dimensions[1]``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in key)
    return text.removeprefix(".")


def read_yaml(path: Path, shown: str | None = None) -> Tree:
    """Reads one file. Raises ConfigError with every fault of its form."""
    name = path_text(path) if shown is None else shown
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise ConfigError([Fault(name, None, "there is no such file")]) from None
    except OSError as error:
        raise ConfigError([Fault(name, None, f"cannot be read: {error.strerror}")]) from None
    if len(data) > LARGEST:
        raise ConfigError([Fault(name, None, f"is larger than {LARGEST:,} bytes")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError([Fault(name, line, "is not UTF-8 text; save it as UTF-8")]) from None
    return compose(text, name)


def compose(text: str, name: str) -> Tree:
    """The tree of a text. Raises ConfigError."""
    composer = _Composer(name)
    composer.run(text)
    if composer.faults:
        raise ConfigError(composer.faults)
    return Tree(name, composer.root, composer.lines)


@dataclass
class _Open:
    """A list or mapping that has not ended."""

    value: list[Any] | dict[str, Any]
    key: Key
    anchor: str | None
    nodes_before: int
    deepest: int
    name: str | None = None
    """Mapping: the key whose value comes next."""
    skip: bool = False
    """The value that comes next belongs to a refused key."""


@dataclass(frozen=True)
class _Anchor:
    value: Any
    nodes: int
    height: int


class _Stop(Exception):  # noqa: N818 - not an error: the rest of the file is not looked at
    pass


class _Composer:
    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Any = None
        self.lines: dict[Key, int] = {}
        self.faults: list[Fault] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, _Anchor | None] = {}
        self._nodes = 0
        self._documents = 0

    def run(self, text: str) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
                self._take(type(event).__name__, event)
        except _Stop:
            pass
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            why = " ".join(part for part in (error.context, error.problem) if part)
            # Never the mark's snippet: the line may hold a secret.
            hint = "" if mark is None else _hint(why, text.splitlines()[: mark.line + 1])
            self._fault(None if mark is None else mark.line, f"is not YAML: {why}{hint}")
        except (YAMLError, ValueError, OverflowError, RecursionError) as error:
            character = getattr(error, "character", None)
            position = getattr(error, "position", None)
            if isinstance(character, int) and isinstance(position, int):
                line = text[:position].count("\n")
                self._fault(line, f"holds the control character U+{character:04X}")
            else:
                self._fault(None, "is not YAML: a character or number is out of range")

    def _take(self, kind: str, event: Any) -> None:
        match kind:
            case "ScalarEvent":
                self._count(event)
                self._refuse_tag(event)
                value = self._scalar(event)
                self._anchor(event.anchor, _Anchor(value, 1, 1))
                self._place(value, event, is_key_text=True)
            case "AliasEvent":
                self._alias(event)
            case "SequenceStartEvent" | "MappingStartEvent":
                self._count(event)
                self._refuse_tag(event)
                self._open(event, {} if kind == "MappingStartEvent" else [])
            case "SequenceEndEvent" | "MappingEndEvent":
                self._close()
            case "DocumentStartEvent":
                self._documents += 1
                if self._documents > 1:
                    self._fault(event.start_mark.line, "only one YAML document is read per file")
                    raise _Stop
            case _:
                pass

    # -- containers ------------------------------------------------------------------------------

    def _open(self, event: Any, value: list[Any] | dict[str, Any]) -> None:
        if len(self._stack) >= DEEPEST:
            self._fault(event.start_mark.line, f"is nested deeper than {DEEPEST} levels")
            raise _Stop
        if event.anchor:
            self._anchors[event.anchor] = None
        key = self._place(value, event)
        self._stack.append(_Open(value, key, event.anchor, self._nodes - 1, 1))

    def _close(self) -> None:
        ended = self._stack.pop()
        height = ended.deepest
        if self._stack:
            self._stack[-1].deepest = max(self._stack[-1].deepest, height + 1)
        self._anchor(ended.anchor, _Anchor(ended.value, self._nodes - ended.nodes_before, height))

    def _alias(self, event: Any) -> None:
        line = event.start_mark.line
        if event.anchor not in self._anchors:
            self._fault(line, f"there is no anchor &{event.anchor} before this alias")
            self._count(event)
            self._place(None, event)
            return
        anchor = self._anchors[event.anchor]
        if anchor is None:
            self._fault(line, f"the alias *{event.anchor} stands inside what it stands for")
            raise _Stop
        self._nodes += anchor.nodes - 1
        self._count(event)
        if len(self._stack) + anchor.height > DEEPEST:
            self._fault(line, f"is nested deeper than {DEEPEST} levels")
            raise _Stop
        if self._stack:
            self._stack[-1].deepest = max(self._stack[-1].deepest, anchor.height + 1)
        self._place(anchor.value, event, is_key_text=True)

    def _anchor(self, name: str | None, anchor: _Anchor) -> None:
        if name:
            self._anchors[name] = anchor

    def _place(self, value: Any, event: Any, *, is_key_text: bool = False) -> Key:
        """Puts a value where it belongs and says where that is."""
        line = event.start_mark.line + 1
        if not self._stack:
            self.root = value
            self.lines[()] = line
            return ()
        parent = self._stack[-1]
        if isinstance(parent.value, list):
            parent.value.append(value)
            key: Key = (*parent.key, len(parent.value) - 1)
            self.lines[key] = line
            return key
        if parent.name is None and not parent.skip:
            self._name(parent, value, line, is_text=is_key_text)
            return parent.key
        key = (*parent.key, parent.name or "")
        if not parent.skip and parent.name is not None:
            parent.value[parent.name] = value
        parent.name, parent.skip = None, False
        return key

    def _name(self, parent: _Open, value: Any, line: int, *, is_text: bool) -> None:
        """Takes the next key of a mapping."""
        parent.skip = True
        if not is_text or not isinstance(value, str):
            what = "a list or mapping" if isinstance(value, list | dict) else _as_yaml(value)
            hint = "cannot be a key" if isinstance(value, list | dict) else "put it in quotes"
            self.faults.append(
                Fault(
                    self.name, line, f"a key must be text, not {what}; {hint}", dotted(parent.key)
                )
            )
        elif value == "<<":
            message = "merge keys (<<) are not part of YAML 1.2; write the keys out"
            self.faults.append(Fault(self.name, line, message, dotted(parent.key)))
        elif value in parent.value:
            first = self.lines.get((*parent.key, value))
            message = f"{value!r} stands twice in one mapping, first on line {first}"
            self.faults.append(Fault(self.name, line, message, dotted((*parent.key, value))))
        else:
            parent.skip = False
            parent.name = value
            self.lines[(*parent.key, value)] = line

    # -- scalars and limits ----------------------------------------------------------------------

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if any("\ud800" <= c <= "\udfff" for c in text):
            self._fault(event.start_mark.line, "holds half of a surrogate pair, which is no text")
            return ""
        if not event.implicit[0] or event.style not in (None, ""):
            return text
        if text in _NULL:
            return None
        if text in _TRUE or text in _FALSE:
            return text in _TRUE
        try:
            number = _number(text)
        except ValueError:
            self._fault(event.start_mark.line, "is a number that is too long or not finite")
            return 0
        return text if number is None else number

    def _refuse_tag(self, event: Any) -> None:
        tag = getattr(event, "tag", None)
        if tag:
            self._fault(event.start_mark.line, f"tags are not read here: {str(tag)[:80]}")

    def _count(self, event: Any) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            message = (
                f"holds more than {MOST_NODES:,} values (each alias counts as what it repeats)"
            )
            self._fault(event.start_mark.line, message)
            raise _Stop

    def _fault(self, line: int | None, message: str) -> None:
        self.faults.append(Fault(self.name, None if line is None else line + 1, message))


def _hint(why: str, until: list[str]) -> str:
    """What newcomers meet: ``until`` are the lines up to the one that could not be read."""
    if "'\\t'" in why:
        return "; indent with spaces, never with tabs"
    # The comment swallows the end of its own line, so the reader stumbles over the next.
    if any(re.search(r"[{,][^\"']*:\s+#", line) for line in until[-2:]):
        return '; # begins a comment: put a channel in quotes, "#like-this"'
    return ""


def _number(text: str) -> int | float | None:
    """The number that a plain scalar is; None: it is text. Raises ValueError."""
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _ODD_FLOAT.fullmatch(text):
        raise ValueError(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise ValueError(text)
        return value
    return None


def _as_yaml(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
