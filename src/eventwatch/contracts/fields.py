"""The fields of an event, with what is promised of each."""

from __future__ import annotations

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
)

from eventwatch.contracts.places import FIELD, Path, Places
from eventwatch.contracts.saying import OptionReader
from eventwatch.contracts.vocabulary import Level
from eventwatch.model.contract import FieldContract

_TYPE_NAMES = {
    value.number: value.name.removeprefix("TYPE_").lower()
    for value in FieldDescriptorProto.Type.DESCRIPTOR.values
}


def fields_of(
    message: DescriptorProto, path: Path, places: Places, level: Level, reader: OptionReader
) -> tuple[FieldContract, ...]:
    """Contracts of the fields of a message, in the order of the file."""
    entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
    found = []
    for index, field in enumerate(message.field):
        at = (*path, FIELD, index)
        values = level.own_values(field.options, reader) if field.HasField("options") else {}
        ratio = values.get("max_null_ratio")
        found.append(
            FieldContract(
                name=field.name,
                type_name=_type_name(field, entries),
                description=str(values.get("description", "")) or places.comment(at),
                required=bool(values.get("required", False)) or _must_be_set(field),
                pii=str(values.get("pii", "")),
                max_null_ratio=None if ratio is None else float(str(ratio)),
                unit=str(values.get("unit", "")),
                entity=str(values.get("entity", "")),
            )
        )
    return tuple(found)


def _type_name(field: FieldDescriptorProto, entries: dict[str, DescriptorProto]) -> str:
    """The type as it is written: ``string``, ``repeated acme.Item``, ``map<string, int64>``."""
    name = field.type_name.lstrip(".") or _TYPE_NAMES.get(field.type, "")
    if field.label != FieldDescriptorProto.LABEL_REPEATED:
        return name
    entry = entries.get(name.rsplit(".", 1)[-1])
    if entry is not None and len(entry.field) == 2:
        key, value = (_type_name(each, {}) for each in entry.field)
        return f"map<{key}, {value}>"
    return f"repeated {name}"


def _must_be_set(field: FieldDescriptorProto) -> bool:
    """proto2's ``required``, and its name in the editions."""
    presence = field.options.features.field_presence
    return (
        field.label == FieldDescriptorProto.LABEL_REQUIRED or presence == FeatureSet.LEGACY_REQUIRED
    )
