"""JSON images made small before protobuf reads them: its JSON parser takes 100 times as long as the
binary one, and most of an image is positions that nobody asks for.

Pure functions on parsed JSON. Whatever does not look as expected is left alone, for the parser to
complain of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from eventwatch.contracts.places import is_wanted


def document_of(content: bytes) -> object:
    """The JSON document of an image, without the positions of what no contract speaks of.

    Raises ValueError and RecursionError.
    """
    # Dropped while it is read: kept whole, the positions take half of all the memory.
    document: object = json.loads(content.decode("utf-8-sig"), object_hook=_kept)
    if not isinstance(document, dict):
        raise ValueError("the document is no object.")
    return document


def _kept(item: dict[str, object]) -> dict[str, object]:
    """An object of the document; a list of positions without those that are not wanted."""
    positions = item.get("location")
    if isinstance(positions, list):
        item["location"] = [
            position
            for position in positions
            if not isinstance(position, dict) or _is_wanted(position.get("path"))
        ]
    elif "span" in item and "path" in item and not _is_wanted(item["path"]):
        return _UNWANTED
    return item


_UNWANTED: dict[str, object] = {"path": [0]}
"""Stands for a position until its list is complete."""


def only_declaring(document: object) -> object:
    """The part of the document that declares options, with the files that this part imports."""
    by_name = {str(file.get("name")): file for file in _files(document)}
    waiting = [name for name, file in by_name.items() if _declares(file)]
    kept: dict[str, dict[str, object]] = {}
    while waiting:
        name = waiting.pop()
        if name in by_name and name not in kept:
            kept[name] = by_name[name]
            imports = by_name[name].get("dependency")
            waiting.extend(map(str, imports if isinstance(imports, list) else ()))
    if not isinstance(document, dict):
        return document
    return {**document, "file": list(kept.values())}


def _files(document: object) -> Iterator[dict[str, object]]:
    files = document.get("file") if isinstance(document, dict) else None
    for file in files if isinstance(files, list) else ():
        if isinstance(file, dict):
            yield file


def _declares(file: dict[str, object]) -> bool:
    waiting: list[object] = [file]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            if holder.get("extension"):
                return True
            for key in ("messageType", "message_type", "nestedType", "nested_type"):
                nested = holder.get(key)
                waiting.extend(nested if isinstance(nested, list) else ())
    return False


def _is_wanted(path: object) -> bool:
    if not isinstance(path, list) or not all(isinstance(step, int) for step in path):
        return True
    return is_wanted(path)
