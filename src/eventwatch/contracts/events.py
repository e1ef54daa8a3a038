"""Which messages are events, under which name, and what is said of each.

An event is a message that speaks of a contract, or a message in the oneof of the envelope. One
message may stand in the envelope under several names: each of them is an event of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from eventwatch.contracts.fields import fields_of
from eventwatch.contracts.image import Image
from eventwatch.contracts.places import (
    ENUM,
    FIELD,
    MESSAGE,
    NESTED,
    NESTED_ENUM,
    OPTIONS_OF_FIELD,
    OPTIONS_OF_FILE,
    OPTIONS_OF_MESSAGE,
    OptionPlaces,
    Path,
    Places,
)
from eventwatch.contracts.promise import Event
from eventwatch.contracts.saying import OptionReader, Said, snake_case
from eventwatch.contracts.vocabulary import Vocabulary
from eventwatch.model.errors import Fault
from eventwatch.model.names import nearest


@dataclass(frozen=True)
class MessageAt:
    """One message and where it stands in the set."""

    full_name: str
    file: FileDescriptorProto
    path: Path
    message: DescriptorProto


@dataclass(frozen=True)
class EnumAt:
    """One enum and where it stands in the set."""

    file: FileDescriptorProto
    path: Path
    enum: EnumDescriptorProto


@dataclass
class Reader:
    """One load: the set, the vocabulary, and the places found so far."""

    image: Image
    vocabulary: Vocabulary
    shown: Mapping[str, str]
    """Name of a file in the set → path in locations."""
    options: OptionReader = field(default_factory=OptionReader)
    _places: dict[str, Places] = field(default_factory=dict)
    _defaults: dict[str, dict[str, Said]] = field(default_factory=dict)

    def places(self, file: FileDescriptorProto) -> Places:
        """Positions of a file."""
        if file.name not in self._places:
            self._places[file.name] = Places(file, self.shown.get(file.name, file.name))
        return self._places[file.name]

    def defaults(self, file: FileDescriptorProto) -> dict[str, Said]:
        """What a file says for every event in it."""
        if file.name not in self._defaults:
            where = OptionPlaces(self.places(file), (), OPTIONS_OF_FILE)
            self._defaults[file.name] = self.vocabulary.file.said_by(
                file.options, self.options, where
            )
        return self._defaults[file.name]

    def said_by_message(self, at: MessageAt) -> dict[str, Said]:
        """What a message's own options say."""
        where = OptionPlaces(self.places(at.file), at.path, OPTIONS_OF_MESSAGE)
        return self.vocabulary.message.said_by(at.message.options, self.options, where)

    def said_by_member(self, envelope: MessageAt, index: int) -> dict[str, Said]:
        """What the options on a field of the envelope say."""
        path = (*envelope.path, FIELD, index)
        where = OptionPlaces(self.places(envelope.file), path, OPTIONS_OF_FIELD)
        member = envelope.message.field[index]
        return self.vocabulary.envelope_field.said_by(member.options, self.options, where)


def messages_of(image: Image) -> dict[str, MessageAt]:
    """Every message of the set by full name, map entries left out."""
    found: dict[str, MessageAt] = {}
    for file in image.files:
        waiting: list[tuple[str, Path, DescriptorProto]] = [
            (f"{file.package}.{message.name}".lstrip("."), (MESSAGE, index), message)
            for index, message in enumerate(file.message_type)
        ]
        while waiting:
            name, path, message = waiting.pop()
            if message.options.map_entry:
                continue
            found[name] = MessageAt(name, file, path, message)
            for index, nested in enumerate(message.nested_type):
                waiting.append((f"{name}.{nested.name}", (*path, NESTED, index), nested))
    return found


def enums_of(image: Image, messages: Mapping[str, MessageAt]) -> Iterator[EnumAt]:
    """Every enum of the set."""
    for file in image.files:
        for index, enum in enumerate(file.enum_type):
            yield EnumAt(file, (ENUM, index), enum)
    for at in messages.values():
        for index, enum in enumerate(at.message.enum_type):
            yield EnumAt(at.file, (*at.path, NESTED_ENUM, index), enum)


def find_events(
    reader: Reader, messages: Mapping[str, MessageAt], envelope: str
) -> tuple[list[tuple[Event, dict[str, Said]]], list[Fault]]:
    """Every event with what is said of it. ``envelope`` is a full name, or empty: looked for."""
    speaking = {
        name: at
        for name, at in messages.items()
        if reader.vocabulary.message.speaks_in(at.message.options)
    }
    holder, faults = _envelope(reader, messages, speaking, envelope)
    members = _members(holder, speaking, reader) if holder else []
    found = []
    for holder_at, index in members:
        member = holder_at.message.field[index]
        at = messages.get(member.type_name.lstrip("."))
        if at is not None:
            found.append(_event_of_member(reader, holder_at, index, at))
    in_envelope = {at.message.field[index].type_name.lstrip(".") for at, index in members}
    for name, at in speaking.items():
        if name not in in_envelope:
            said = {**reader.defaults(at.file), **reader.said_by_message(at)}
            found.append((_event(reader, at, snake_case(at.message.name)), said))
    return found, faults


def _event_of_member(
    reader: Reader, envelope: MessageAt, index: int, at: MessageAt
) -> tuple[Event, dict[str, Said]]:
    member = envelope.message.field[index]
    event = _event(reader, at, member.name)
    home = at.file
    if at.file.name.startswith("google/protobuf/"):
        # An event without a payload: what stands for it is its line in the envelope.
        path = (*envelope.path, FIELD, index)
        places, home = reader.places(envelope.file), envelope.file
        event = Event(at.full_name, places.of(path), member.name, places.comment(path), ())
    said = {
        **reader.defaults(home),
        **reader.said_by_member(envelope, index),
        **reader.said_by_message(at),
    }
    return event, said


def _event(reader: Reader, at: MessageAt, default_name: str) -> Event:
    places = reader.places(at.file)
    return Event(
        message_name=at.full_name,
        location=places.of(at.path),
        default_name=default_name,
        comment=places.comment(at.path),
        fields=fields_of(at.message, at.path, places, reader.vocabulary.field, reader.options),
    )


def _envelope(
    reader: Reader,
    messages: Mapping[str, MessageAt],
    speaking: Mapping[str, MessageAt],
    name: str,
) -> tuple[MessageAt | None, list[Fault]]:
    """The envelope: the one that the config names, or the only one that there is."""
    key = "contracts.envelope"
    if name:
        at = messages.get(name.lstrip("."))
        if at is None:
            close = nearest(name, messages)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            return None, [Fault("", None, f"no message has the full name {name!r}.{hint}", key)]
        if not any(_in_oneof(member) for member in at.message.field):
            return None, [Fault("", None, f"{name!r} has no oneof that holds messages.", key)]
        return at, []
    found = [
        at
        for full_name, at in messages.items()
        if full_name not in speaking and _contracted(at, speaking, reader)
    ]
    if len(found) > 1:
        names = ", ".join(sorted(at.full_name for at in found)[:5])
        message = f"{len(found)} messages look like the envelope: {names}. Name the one to use."
        return None, [Fault("", None, message, key)]
    return (found[0] if found else None), []


def _members(
    envelope: MessageAt, speaking: Mapping[str, MessageAt], reader: Reader
) -> list[tuple[MessageAt, int]]:
    """Indices of the envelope's fields that are events: of the oneofs in which some speak of a
    contract, or of all its oneofs when none does."""
    contracted = _contracted(envelope, speaking, reader)
    return [
        (envelope, index)
        for index, member in enumerate(envelope.message.field)
        if _in_oneof(member) and (not contracted or member.oneof_index in contracted)
    ]


def _contracted(at: MessageAt, speaking: Mapping[str, MessageAt], reader: Reader) -> frozenset[int]:
    """Indices of the oneofs in which a message, or a field, speaks of a contract."""
    return frozenset(
        member.oneof_index
        for member in at.message.field
        if _in_oneof(member)
        and (
            member.type_name.lstrip(".") in speaking
            or reader.vocabulary.envelope_field.speaks_in(member.options)
        )
    )


def _in_oneof(member: FieldDescriptorProto) -> bool:
    """Whether a field is a message in a oneof that was written as one (proto3's ``optional`` makes
    a oneof of one field behind the scenes)."""
    return (
        member.HasField("oneof_index")
        and not member.proto3_optional
        and member.type in (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP)
    )
