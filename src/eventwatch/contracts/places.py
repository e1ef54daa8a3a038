"""Where a file says what it says, and the comments that stand before it.

Positions come from ``source_code_info``; a path in it is a list of field numbers of descriptor.proto
and indices, e.g. ``[4, 0, 2, 3]`` for the fourth field of the first message. A set that was built
without source information has none: lines are then unknown and comments empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import FileDescriptorProto

from eventwatch.model.contract import Location

Path = tuple[int, ...]

MESSAGE, NESTED, FIELD = 4, 3, 2
ENUM, NESTED_ENUM, VALUE = 5, 4, 2
OPTIONS_OF_FILE, OPTIONS_OF_MESSAGE, OPTIONS_OF_FIELD, OPTIONS_OF_VALUE = 8, 7, 8, 3


def is_wanted(path: Sequence[int]) -> bool:
    """Whether a position is of something that contracts speak of: a message, a field, an enum
    value, or an option on one of them or on the file; not names, types, numbers and the options of
    fields, which stand on the field's line."""
    length = len(path)
    if length == 0:
        return False
    if path[0] == OPTIONS_OF_FILE:
        return length <= 4
    if path[0] == MESSAGE:
        at = 2
        while at < length and path[at] == NESTED:
            at += 2
        rest = length - at
        if rest <= 0:
            return length == at
        if path[at] == NESTED_ENUM:
            return _of_enum(path, at + 2)
        if path[at] == FIELD:
            return rest == 2
        return path[at] == OPTIONS_OF_MESSAGE and rest <= 4
    return path[0] == ENUM and _of_enum(path, 2)


def _of_enum(path: Sequence[int], at: int) -> bool:
    rest = len(path) - at
    if rest < 2 or path[at] != VALUE:
        return rest == 0
    return rest == 2 or (rest <= 5 and path[at + 2] == OPTIONS_OF_VALUE)


class Places:
    """Positions and comments of one file. Made when it is asked for: most files hold no events."""

    def __init__(self, file: FileDescriptorProto, shown_as: str) -> None:
        self._path = shown_as
        self._lines: dict[Path, int] = {}
        self._inside: dict[Path, int] | None = None
        self._comments: dict[Path, str] = {}
        for location in file.source_code_info.location:
            steps = location.path
            length = len(steps)
            # Told at a glance, since making a tuple of each position takes longer than parsing it:
            # names of messages; names, types, numbers and options of fields. Two thirds of all.
            if (length == 3 and steps[0] != OPTIONS_OF_FILE) or (
                length in (5, 6) and steps[2] == FIELD and steps[0] == MESSAGE
            ):
                continue
            path = tuple(steps)
            if is_wanted(path):
                self._lines.setdefault(path, location.span[0] + 1 if location.span else 1)
                comment = location.leading_comments
                if comment:
                    self._comments.setdefault(path, _text(comment))

    def of(self, *paths: Path) -> Location:
        """The first of these paths whose position is known; the file when none is."""
        for path in paths:
            if path in self._lines:
                return Location(self._path, self._lines[path])
        return Location(self._path, None)

    def option(self, holder: Path, options: int, number: int) -> Location:
        """Where an option stands, or its holder for an option of a field; the compiler knows
        ``option (x) = {…}`` by its number and ``option (x).y = …`` by the one of ``y`` behind it."""
        whole = (*holder, options, number)
        if whole in self._lines:
            return Location(self._path, self._lines[whole])
        if self._inside is None:
            self._inside = {}
            for path, line in self._lines.items():
                self._inside.setdefault(path[:-1], line)
                self._inside.setdefault(path[:-2], line)
        inside = self._inside.get(whole)
        return self.of(holder) if inside is None else Location(self._path, inside)

    def comment(self, path: Path) -> str:
        """The leading comment as running text: a line per paragraph."""
        text = self._comments.get(path, "").strip()
        return "\n".join(_paragraphs(text)) if "\n" in text else text


@dataclass(frozen=True)
class OptionPlaces:
    """Where the options of one thing stand."""

    places: Places
    holder: Path
    options: int
    """Number of the options field in the thing's descriptor."""

    def at(self, number: int) -> Location:
        """The place of the option with this number."""
        return self.places.option(self.holder, self.options, number)


def _text(comment: str | bytes) -> str:
    """A comment that is not UTF-8 comes out of protobuf as bytes, whatever its types say."""
    return comment if isinstance(comment, str) else comment.decode("utf-8", "replace")


def _paragraphs(comment: str) -> list[str]:
    paragraphs: list[list[str]] = [[]]
    for line in comment.splitlines():
        words = line.strip().removeprefix("*").strip()
        if words:
            paragraphs[-1].append(words)
        elif paragraphs[-1]:
            paragraphs.append([])
    return [" ".join(lines) for lines in paragraphs if lines]
