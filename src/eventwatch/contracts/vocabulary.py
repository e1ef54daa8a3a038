"""Which options speak of contracts: ours, found by full name, and those that the config maps.

A mapped option gives one value, so it leads to one path of a contract; ours gives a whole message.
At one level ours wins over a mapped one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from eventwatch.contracts.places import OptionPlaces
from eventwatch.contracts.saying import OptionReader, Said, Value
from eventwatch.model.errors import Fault
from eventwatch.model.names import nearest
from eventwatch.model.settings import ContractMapping

PACKAGE = "eventwatch.contract.v1"

CONTRACT_PATHS = (
    *("owner.team", "owner.slack_channel", "owner.oncall", "owner.email"),
    *("description", "tier", "event_type", "runbook_url", "tags", "exposures", "platforms"),
    *("lifecycle.state", "lifecycle.since", "lifecycle.sunset", "lifecycle.replaced_by"),
    *("freshness.max_gap_seconds", "freshness.max_lag_seconds"),
    *("volume.min_per_day", "volume.max_per_day", "volume.z_threshold"),
    *("volume.pattern", "volume.alert_on", "consumers"),
)
TEAM_PATHS = ("key", "slack_channel", "slack_group_id", "oncall", "email", "escalate_to")
_EXPECTED = re.compile(r"expected\.\S+")

_BARE_CHANNEL = re.compile(r"(?![CG][A-Z0-9]{8,}$)[\w.-]{1,80}")


@dataclass(frozen=True)
class _Mapped:
    """One line of the mapping, understood."""

    option: str
    inner: tuple[str, ...]
    """Fields to go through inside the option's message."""
    target: str


@dataclass(frozen=True)
class Level:
    """What is looked for among the options of one sort of thing."""

    own: str
    """Full name of our option at this level; empty: there is none."""
    mapped: tuple[_Mapped, ...]

    def said_by(
        self, options: Message, reader: OptionReader, where: OptionPlaces
    ) -> dict[str, Said]:
        """Everything that these options say; empty when none of them is ours."""
        fields = {field.full_name: (field, value) for field, value in options.ListFields()}
        found: dict[str, Said] = {}
        for line in self.mapped:
            if line.option in fields:
                field, value = fields[line.option]
                read = _inner(field, value, line.inner, reader)
                if read is not None and read not in ("", ()):
                    found[line.target] = Said(_ours(line.target, read), where.at(field.number))
        if self.own in fields:
            field, value = fields[self.own]
            if isinstance(value, Message):
                found.update(reader.flatten(value, where.at(field.number)))
        return found

    def own_values(self, options: Message, reader: OptionReader) -> dict[str, Value]:
        """What our option says, without places: for fields, of which there are many."""
        for field, value in options.ListFields():
            if field.full_name == self.own and isinstance(value, Message):
                return reader.values(value)
        return {}

    def speaks_in(self, options: Message) -> bool:
        """Whether one of these options is set, even if it says nothing."""
        names = {self.own, *(line.option for line in self.mapped)}
        return any(field.full_name in names for field, _ in options.ListFields())


@dataclass(frozen=True)
class Vocabulary:
    """The levels at which contracts are spoken of."""

    file: Level
    message: Level
    envelope_field: Level
    field: Level
    enum_value: Level


def resolve(
    mapping: ContractMapping, extensions: Mapping[str, FieldDescriptor]
) -> tuple[Vocabulary, list[Fault]]:
    """The vocabulary of one set, and a fault for each line of the mapping that fits nothing in it."""
    faults: list[Fault] = []

    def level(
        own: str, options: str, lines: Mapping[str, str], name: str, paths: tuple[str, ...]
    ) -> Level:
        known = {n: e for n, e in extensions.items() if extends(e) == options}
        key = f"contracts.mapping.{name}"
        mapped = []
        for option, target in lines.items():
            expected = paths is CONTRACT_PATHS and _EXPECTED.fullmatch(target)
            if target not in paths and not expected:
                what = f"a {'team' if paths is TEAM_PATHS else 'contract'} has no field {target!r}"
                faults.append(Fault("", None, f"{what}.{_or(nearest(target, paths))}", key))
            found = _find(option, known)
            if isinstance(found, str):
                faults.append(Fault("", None, f"{option!r} {found}", key))
            else:
                mapped.append(_Mapped(found[0], found[1], target))
        return Level(f"{PACKAGE}.{own}" if own else "", tuple(mapped))

    one, team, in_field = CONTRACT_PATHS, TEAM_PATHS, mapping.envelope_field
    vocabulary = Vocabulary(
        file=level("event_defaults", "FileOptions", mapping.file, "file", one),
        message=level("event", "MessageOptions", mapping.message, "message", one),
        envelope_field=level("", "FieldOptions", in_field, "envelope_field", one),
        field=level("field", "FieldOptions", {}, "", ()),
        enum_value=level("team", "EnumValueOptions", mapping.enum_value, "enum_value", team),
    )
    for each in (vocabulary.file, vocabulary.message, vocabulary.field, vocabulary.enum_value):
        extension = extensions.get(each.own)
        if extension is not None and (extension.message_type is None or extension.is_repeated):
            message = f"the option {each.own} must be one message, as in the shipped options.proto."
            faults.append(Fault("", None, message))
    return vocabulary, faults


def extends(extension: FieldDescriptor) -> str:
    """The option message that an extension is of, e.g. ``FieldOptions``."""
    return "" if extension.containing_type is None else extension.containing_type.name


def _find(option: str, known: Mapping[str, FieldDescriptor]) -> tuple[str, tuple[str, ...]] | str:
    """The option's full name and the fields inside it, or what is wrong."""
    words = option.strip("() ").split(".")
    for cut in range(len(words), 0, -1):
        name = ".".join(words[:cut])
        if name not in known:
            continue
        field = known[name]
        for step in words[cut:]:
            inner: Descriptor | None = None if field.is_repeated else field.message_type
            if inner is None:
                return f"goes into {field.name!r}, which is no message."
            if step not in inner.fields_by_name:
                return f"has no field {step!r}.{_or(nearest(step, inner.fields_by_name))}"
            field = inner.fields_by_name[step]
        if field.message_type is not None and not field.is_repeated:
            names = ", ".join(field.message_type.fields_by_name)
            return f"is a message: name one of its fields ({names})."
        return name, tuple(words[cut:])
    return f"is no option that the contracts declare at this level.{_or(nearest(option, known))}"


def _inner(
    field: FieldDescriptor, value: object, steps: tuple[str, ...], reader: OptionReader
) -> Value | None:
    for step in steps:
        listed = value.ListFields() if isinstance(value, Message) else ()
        following = [(f, v) for f, v in listed if f.name == step]
        if not following:
            return None
        field, value = following[0]
    return reader.value_of(field, value)


def _ours(target: str, value: Value) -> Value:
    """A foreign value in our way of writing: channels there often lack their ``#``."""
    bare = target.endswith("slack_channel") and isinstance(value, str)
    return f"#{value}" if bare and _BARE_CHANNEL.fullmatch(str(value)) else value


def _or(names: tuple[str, ...]) -> str:
    return f" Did you mean {' or '.join(names)}?" if names else ""
