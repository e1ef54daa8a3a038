"""The daemon's catalog follows its source, and outlives a source that breaks."""

from __future__ import annotations

from pathlib import Path

from eventwatch.contracts.keeper import CatalogKeeper
from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.model.settings import ContractSettings

HEAD = 'syntax = "proto3";\npackage shop;\nimport "eventwatch/contract/v1/options.proto";\n'


def declare(folder: Path, *event_types: str, broken: str = "") -> None:
    """Rewrites the contracts."""
    text = "".join(
        f"message M{i} {{ option (eventwatch.contract.v1.event) = "
        f'{{ owner {{ team: "growth" }} event_type: "{name}" description: "d" }}; }}\n'
        for i, name in enumerate(event_types)
    )
    (folder / "events.proto").write_text(HEAD + text + broken)


def keeper(folder: Path) -> tuple[CatalogKeeper, list[int]]:
    """A keeper and how often it read the source."""
    source = ProtobufSource(ContractSettings(folder))
    reads: list[int] = []

    def load() -> object:
        reads.append(1)
        return source.load()

    return CatalogKeeper(load, (folder,), source.load()), reads  # type: ignore[arg-type]


def test_an_unchanged_source_is_not_read_again(tmp_path: Path) -> None:
    declare(tmp_path, "user_a")
    kept, reads = keeper(tmp_path)
    assert set(kept.current()[0].contracts) == {"user_a"}
    assert reads == []


def test_a_changed_contract_counts_from_the_next_cycle(tmp_path: Path) -> None:
    declare(tmp_path, "user_a")
    kept, _ = keeper(tmp_path)
    declare(tmp_path, "user_a", "user_b")
    assert set(kept.current()[0].contracts) == {"user_a", "user_b"}


def test_a_source_that_breaks_keeps_the_last_good_catalog_and_says_so(tmp_path: Path) -> None:
    declare(tmp_path, "user_a")
    kept, _ = keeper(tmp_path)
    declare(tmp_path, "user_a", broken="message Broken { nonsense }\n")
    catalog, trouble = kept.current()
    assert set(catalog.contracts) == {"user_a"}
    assert "events.proto:5" in trouble
    declare(tmp_path, "user_c")
    assert kept.current()[1] == ""
