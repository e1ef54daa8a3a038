"""``${NAME}`` and ``${file:PATH}`` inside the texts of config.yaml.

What comes in stays one text: it is never parsed as YAML and never looked at for another ``${``. Only
names in capitals are read, as whole names. Faults name the variable, never its value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from eventwatch.config.tree import Key, Tree
from eventwatch.model.errors import Fault

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)(?P<end>\}?)")
_NAME = re.compile(r"(?P<name>[A-Z][A-Z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)
_LARGEST = 65536


def interpolate(tree: Tree, env: Mapping[str, str], folder: Path) -> tuple[Tree, tuple[Fault, ...]]:
    """The tree with every reference replaced, and what could not be. ``$${`` stands for ``${``."""
    work = _Interpolation(tree, env, folder)
    value = work.replaced(tree.value, ())
    return replace(tree, value=value, written=work.written), tuple(work.faults)


class _Interpolation:
    def __init__(self, tree: Tree, env: Mapping[str, str], folder: Path) -> None:
        self._tree, self._env, self._folder = tree, env, folder
        self.written: dict[Key, str] = {}
        self.faults: list[Fault] = []

    def replaced(self, value: Any, key: Key) -> Any:
        if isinstance(value, dict):
            return {name: self.replaced(each, (*key, name)) for name, each in value.items()}
        if isinstance(value, list):
            return [self.replaced(each, (*key, i)) for i, each in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        self.written[key] = value
        return _REFERENCE.sub(lambda match: self._one(match, key), value)

    def _one(self, match: re.Match[str], key: Key) -> str:
        if match["inside"] is None:
            return "${"
        if not match["end"]:
            return self._wrong(
                key, "${ without a closing }; write $${ for the characters themselves"
            )
        if match["inside"].startswith("file:"):
            return self._file(match["inside"].removeprefix("file:"), key)
        found = _NAME.fullmatch(match["inside"])
        if found is None:
            return self._wrong(
                key,
                "write ${NAME} or ${NAME:-default} with the name of an environment variable in "
                "capitals, or ${file:/path/of/a/secret}",
            )
        name, default = found["name"], found["default"]
        value = self._env.get(name, "")
        if not value and default is not None:
            value = default
        elif not value:
            state = "is empty" if name in self._env else "is not set"
            return self._wrong(
                key, f"the environment variable {name} {state}; set it before starting eventwatch"
            )
        if not _is_text(value):
            return self._wrong(key, f"the environment variable {name} does not hold plain text")
        return value

    def _file(self, name: str, key: Key) -> str:
        path = self._folder / name
        try:
            with path.open("rb") as stream:
                data = stream.read(_LARGEST + 1)
            text = data.decode("utf-8").rstrip("\r\n")
        except OSError as error:
            return self._wrong(key, f"the file {name!r} cannot be read: {error.strerror}")
        except UnicodeDecodeError:
            return self._wrong(key, f"the file {name!r} does not hold UTF-8 text")
        if len(data) > _LARGEST or not text or not _is_text(text):
            return self._wrong(key, f"the file {name!r} is empty, too large or not plain text")
        return text

    def _wrong(self, key: Key, message: str) -> str:
        self.faults.append(self._tree.fault(key, message))
        return ""


def _is_text(value: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" or c == "\0" for c in value)
