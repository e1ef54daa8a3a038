"""A descriptor set whose custom options can be read: parsed with the classes of a private pool.

The pool lives as long as one load, so schemas of users never enter the process-wide pool and two
versions of one schema never meet. It holds only the files that declare options and what they
import: the events themselves are read as data. ``google/protobuf/descriptor.proto`` is always the
one of the runtime, whatever the set holds: the classes must be able to read what the set says.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    json_format,
    message_factory,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from eventwatch.contracts.json_image import document_of, only_declaring
from eventwatch.model.errors import ContractError, Fault

MAX_BYTES = 256 * 2**20

_DESCRIPTOR = "google/protobuf/descriptor.proto"
_RUNTIME_FILES: Mapping[str, bytes] = {
    module.DESCRIPTOR.name: module.DESCRIPTOR.serialized_pb
    for module in (
        any_pb2,
        descriptor_pb2,
        duration_pb2,
        empty_pb2,
        field_mask_pb2,
        struct_pb2,
        timestamp_pb2,
        wrappers_pb2,
    )
}
_OPTION_MESSAGES = frozenset(
    f".google.protobuf.{level}Options" for level in ("File", "Message", "Field", "EnumValue")
)
# The JSON parser of protobuf lets errors of Python through when a value has the wrong shape.
_UNREADABLE = (
    *(DecodeError, json_format.Error, ValueError, RecursionError),
    *(TypeError, AttributeError, KeyError),
)
_REBUILD = (
    "Build it with protoc --include_imports --include_source_info --descriptor_set_out=…, or with "
    "buf build -o …"
)


@dataclass(frozen=True)
class Image:
    """Every file of a set, with its options readable."""

    files: tuple[descriptor_pb2.FileDescriptorProto, ...]
    """Sorted by name. Of a class of the private pool, with the fields of the named one."""
    extensions: Mapping[str, FieldDescriptor]
    """Options on files, messages, fields and enum values, by full name."""
    canonical: bytes
    """Equal for equal sets, whatever the order of their files."""


def read_bytes(path: Path) -> bytes:
    """Content of a descriptor set, unpacked. Raises ContractError."""
    if path.name.endswith(".zst"):
        raise _fault(path.name, "is packed with zstd, which is not read: use gzip or no packing.")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if content[:2] == b"\x1f\x8b":
            with gzip.open(path) as packed:
                content = packed.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or "it is not whole"
        raise _fault(path.name, f"cannot be read: {reason.lower()}.") from error
    if len(content) > MAX_BYTES:
        raise _fault(path.name, f"is larger than {MAX_BYTES // 2**20} MiB.")
    if not content.strip():
        raise _fault(path.name, f"is empty. {_REBUILD}")
    return content


def read_image(content: bytes, name: str) -> Image:
    """Parses a descriptor set; JSON when the name ends in ``.json`` (or ``.json.gz``).

    Raises ContractError, its faults placed at ``name`` or at a file of the set.
    """
    is_json = name.removesuffix(".gz").endswith(".json")
    plain = descriptor_pb2.FileDescriptorSet()
    try:
        if is_json:
            document = document_of(content)
            _merge_json(only_declaring(document), plain)
        else:
            plain.MergeFromString(content)
    except _UNREADABLE as error:
        how = "JSON image" if is_json else "descriptor set"
        said = str(error)[:300].rstrip(". ")
        raise _fault(name, f"is not a {how}: {said}. {_REBUILD}") from error
    pool, extensions = _pool(plain.file, name)
    del plain
    whole = cast(
        descriptor_pb2.FileDescriptorSet,
        message_factory.GetMessageClass(
            pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")
        )(),
    )
    try:
        if is_json:
            _merge_json(document, whole)
        else:
            whole.MergeFromString(content)
    except _UNREADABLE as error:
        # The shape was fine a moment ago: what fails now is the content of an option.
        raise _fault(name, f"holds options that cannot be read: {str(error)[:300]}") from error
    if not whole.file or not all(file.name for file in whole.file):
        raise _fault(name, f"is not a descriptor set: it holds no files. {_REBUILD}")
    for file in whole.file:
        if not all(isinstance(text, str) for text in _texts(file)):
            raise _fault(name, f"holds names that are not UTF-8, in the file {file.name!r}.")
    ordered = sorted(whole.file, key=lambda file: file.name)
    canonical = b"".join(file.SerializeToString(deterministic=True) for file in ordered)
    return Image(tuple(ordered), extensions, canonical)


def _texts(file: descriptor_pb2.FileDescriptorProto) -> Iterator[object]:
    """Every name in a file. descriptor.proto is proto2, whose texts are not checked when they are
    parsed: one that is not UTF-8 comes out as bytes."""
    yield from (file.name, file.package)
    waiting = list(file.message_type)
    enums = list(file.enum_type)
    while waiting:
        message = waiting.pop()
        yield message.name
        for field in message.field:
            yield from (field.name, field.type_name)
        waiting.extend(message.nested_type)
        enums.extend(message.enum_type)
    for enum in enums:
        yield enum.name
        yield from (value.name for value in enum.value)


def _merge_json(document: object, into: descriptor_pb2.FileDescriptorSet) -> None:
    # Unknown keys are what other tools add (buf: "bufExtension") and, in the first of the two
    # readings, the custom options that no class knows yet.
    json_format.ParseDict(cast(dict[str, object], document), into, ignore_unknown_fields=True)


def _pool(
    files: Iterable[descriptor_pb2.FileDescriptorProto], name: str
) -> tuple[descriptor_pool.DescriptorPool, Mapping[str, FieldDescriptor]]:
    """A pool with the files that declare options, and the options by full name."""
    by_name = {file.name: file for file in files}
    pool = descriptor_pool.DescriptorPool()
    names: list[str] = []
    added: set[str] = set()
    for file in by_name.values():
        declared = list(_declared(file))
        if declared:
            _add(file.name, by_name, pool, added, name)
            names.extend(declared)
    _add(_DESCRIPTOR, by_name, pool, added, name)
    return pool, {each: pool.FindExtensionByName(each) for each in names}


def _declared(file: descriptor_pb2.FileDescriptorProto) -> Iterable[str]:
    """Full names of the options that a file declares, also inside messages."""
    waiting: list[tuple[str, descriptor_pb2.FileDescriptorProto | descriptor_pb2.DescriptorProto]]
    waiting = [(file.package, file)]
    while waiting:
        scope, holder = waiting.pop()
        for extension in holder.extension:
            if extension.extendee in _OPTION_MESSAGES:
                yield f"{scope}.{extension.name}".lstrip(".")
        nested = (
            holder.nested_type
            if isinstance(holder, descriptor_pb2.DescriptorProto)
            else holder.message_type
        )
        for message in nested:
            if message.nested_type or message.extension or holder is file:
                waiting.append((f"{scope}.{message.name}", message))


def _add(
    first: str,
    by_name: Mapping[str, descriptor_pb2.FileDescriptorProto],
    pool: descriptor_pool.DescriptorPool,
    added: set[str],
    source: str,
) -> None:
    """Adds a file after all that it imports. Raises ContractError for what does not fit."""
    waiting = [(first, False)]
    open_files: set[str] = set()
    while waiting:
        name, imports_done = waiting.pop()
        if name in added:
            continue
        file = None if name == _DESCRIPTOR else by_name.get(name)
        if not imports_done and file is not None:
            if name in open_files:
                raise _fault(name, "imports itself, through other files or directly.")
            open_files.add(name)
            waiting.append((name, True))
            waiting.extend((each, False) for each in file.dependency if each not in added)
            continue
        content = _RUNTIME_FILES.get(name) if file is None else file.SerializeToString()
        if content is None:
            raise _fault(source, f'lacks the file "{name}", which others import. {_REBUILD}')
        try:
            pool.AddSerializedFile(content)
        except (TypeError, ValueError, KeyError) as error:
            raise _fault(name, f"is not valid: {str(error)[:300]}") from error
        added.add(name)


def _fault(path: str, message: str) -> ContractError:
    return ContractError([Fault(path, None, message)])
