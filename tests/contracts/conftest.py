"""A folder of contracts that a test writes, and ways to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from eventwatch.contracts.compiler import compile_folder
from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.model.contract import Catalog, Contract
from eventwatch.model.errors import ContractError, Fault
from eventwatch.model.settings import ContractMapping, ContractSettings

HEADER = """\
syntax = "proto3";
package acme;
import "eventwatch/contract/v1/options.proto";
"""


@dataclass(frozen=True)
class Folder:
    """A contract folder; paths are relative to it."""

    root: Path

    def write(self, files: Mapping[str, str]) -> Folder:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def settings(
        self,
        *,
        compiler: str = "protoc",
        envelope: str = "",
        mapping: ContractMapping | None = None,
        include: tuple[Path, ...] = (),
        source: Path | None = None,
    ) -> ContractSettings:
        return ContractSettings(
            source or self.root, compiler, envelope, mapping or ContractMapping(), include
        )

    def load(
        self,
        *,
        envelope: str = "",
        mapping: ContractMapping | None = None,
        include: tuple[Path, ...] = (),
    ) -> Catalog:
        settings = self.settings(envelope=envelope, mapping=mapping, include=include)
        return ProtobufSource(settings).load()

    def event(self, options: str, body: str = "", name: str = "UserDidIt") -> Contract:
        """The contract of one message with these fields of the event option."""
        self.write({"event.proto": HEADER + message(options, body, name)})
        (contract,) = self.load().contracts.values()
        return contract

    def event_faults(self, options: str) -> list[str]:
        """What is wrong with one message with these fields of the event option."""
        self.write({"event.proto": HEADER + message(options)})
        return [fault.message for fault in self.faults()]

    def faults(
        self, settings: ContractSettings | None = None, mapping: ContractMapping | None = None
    ) -> tuple[Fault, ...]:
        with pytest.raises(ContractError) as raised:
            ProtobufSource(settings or self.settings(mapping=mapping)).load()
        return raised.value.faults

    def places(self) -> list[str]:
        """``path:line`` of every fault, the path relative to the folder."""
        prefix = f"{self.root}/"
        return [f"{f.path.removeprefix(prefix)}:{f.line}" for f in self.faults()]

    def compiled(self, name: str = "set.binpb") -> Path:
        path = self.root.parent / name
        path.write_bytes(compile_folder(self.root, (), "protoc").content)
        return path


def message(options: str, body: str = "", name: str = "UserDidIt") -> str:
    return (
        f"message {name} {{\n  option (eventwatch.contract.v1.event) = {{{options}}};\n{body}}}\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty contract folder."""
    root = tmp_path / "contracts"
    root.mkdir()
    return Folder(root)
