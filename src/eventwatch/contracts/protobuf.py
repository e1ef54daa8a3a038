"""The contract source that reads Protobuf: a folder of .proto files, or a compiled descriptor set.

One load reads everything anew and keeps nothing: contracts are small, and what is not kept cannot be
stale. Every fault of every event is reported at once; only what makes reading impossible (a syntax
error, a broken set) hides the faults behind it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from eventwatch.contracts.advice import options_proto_text
from eventwatch.contracts.compiler import compile_folder
from eventwatch.contracts.events import Reader, enums_of, find_events, messages_of
from eventwatch.contracts.image import Image, read_bytes, read_image
from eventwatch.contracts.promise import contract_of
from eventwatch.contracts.teams import read_directory
from eventwatch.contracts.vocabulary import resolve
from eventwatch.model.contract import Catalog, Contract
from eventwatch.model.errors import ContractError, Fault, path_text
from eventwatch.model.names import nearest
from eventwatch.model.settings import ContractSettings

__all__ = ["ProtobufSource", "options_proto_text"]


class ProtobufSource:
    """Reads contracts as the settings say."""

    def __init__(self, settings: ContractSettings) -> None:
        self._settings = settings

    def load(self) -> Catalog:
        """The catalog. Raises ContractError with every fault found."""
        source = self._settings.source
        shown = path_text(source)
        try:
            return self._load(source, shown)
        except ContractError as error:
            is_folder = source.is_dir()
            faults = {_placed(fault, shown, source.name, is_folder) for fault in error.faults}
            in_order = sorted(faults, key=lambda f: (f.path, f.line or 0, f.key, f.message))
            raise ContractError(in_order) from error

    def _load(self, source: Path, shown: str) -> Catalog:
        settings = self._settings
        if source.is_dir():
            compiled = compile_folder(source, settings.include, settings.compiler)
            image = read_image(compiled.content, "the compiler's output")
            paths = {file.name: compiled.tree.locate(file.name) for file in image.files}
        else:
            image, paths = read_image(_content(source), source.name), {}
        vocabulary, faults = resolve(settings.mapping, image.extensions)
        if faults:
            raise ContractError(faults)
        reader = Reader(image, vocabulary, paths)
        messages = messages_of(image)
        directory, faults = read_directory(reader, enums_of(image, messages))
        events, more = find_events(reader, messages, settings.envelope)
        faults.extend(more)
        contracts = []
        for event, said in events:
            contract, more = contract_of(event, said)
            team = directory.key(contract.owner.team)
            if team != contract.owner.team:
                contract = replace(contract, owner=replace(contract.owner, team=team))
            contracts.append(contract)
            faults.extend(more)
        by_type, more = _by_event_type(contracts)
        faults.extend(more)
        faults.extend(_dangling(by_type))
        if not events and not faults:
            faults.append(Fault("", None, _NO_EVENTS))
        if faults:
            raise ContractError(faults)
        return Catalog(
            contracts=MappingProxyType(by_type),
            teams=MappingProxyType(dict(directory.teams)),
            digest=_digest(image, settings),
            source=shown,
        )


_NO_EVENTS = (
    "declares no event. Mark a message with option (eventwatch.contract.v1.event), or map your own "
    "options under contracts.mapping, or name the envelope under contracts.envelope."
)


def _content(source: Path) -> bytes:
    if not source.exists():
        message = (
            "there is no such folder or file. Make the folder and write one .proto file per area into "
            "it (`eventwatch init` writes an example), or name the right one in the config."
        )
        raise ContractError([Fault("", None, message, "contracts.source")])
    if source.suffix == ".proto":
        message = "is one .proto file: name the folder that its imports are relative to."
        raise ContractError([Fault("", None, message, "contracts.source")])
    return read_bytes(source)


def _by_event_type(contracts: Iterable[Contract]) -> tuple[dict[str, Contract], list[Fault]]:
    """Contracts by event type, sorted; a fault for each second contract of one type."""
    found: dict[str, Contract] = {}
    faults = []
    for contract in sorted(contracts, key=_order):
        other = found.setdefault(contract.event_type, contract)
        if other is not contract:
            faults.append(
                Fault(
                    contract.location.path,
                    contract.location.line,
                    f"{contract.message_name} is the second contract for event type "
                    f"{contract.event_type!r}; the first is {other.message_name} at "
                    f"{other.location}. Remove one, or give it an event_type of its own.",
                )
            )
    return dict(sorted(found.items())), faults


def _order(contract: Contract) -> tuple[str, int, str]:
    return contract.location.path, contract.location.line or 0, contract.message_name


def _dangling(contracts: Mapping[str, Contract]) -> Iterable[Fault]:
    """Successors that nobody declares."""
    for contract in contracts.values():
        name = contract.replaced_by
        if name and name not in contracts:
            close = nearest(name, contracts)
            hint = f" Did you mean {' or '.join(close)}?" if close else ""
            yield Fault(
                contract.location.path,
                contract.location.line,
                f"{contract.event_type}: no contract declares its successor {name!r}.{hint}",
                "lifecycle.replaced_by",
            )


def _digest(image: Image, settings: ContractSettings) -> str:
    """Of what was read and how, not of where it lies: replicas may keep it at different paths."""
    how = {"envelope": settings.envelope, "mapping": {k: dict(v) for k, v in _levels(settings)}}
    digest = hashlib.sha256(image.canonical)
    digest.update(json.dumps(how, sort_keys=True).encode())
    return digest.hexdigest()


def _levels(settings: ContractSettings) -> Iterable[tuple[str, Mapping[str, str]]]:
    mapping = settings.mapping
    yield from (
        ("file", mapping.file),
        ("message", mapping.message),
        ("envelope_field", mapping.envelope_field),
        ("enum_value", mapping.enum_value),
    )


def _placed(fault: Fault, shown: str, name: str, is_folder: bool) -> Fault:
    """A fault as a person finds it: its path from the working directory."""
    if fault.path in ("", name):
        return replace(fault, path=shown)
    return replace(fault, path=f"{shown}/{fault.path}") if is_folder else fault
