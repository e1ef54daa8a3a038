"""Every way in which contracts can be given reads as the same contracts."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import json_format

from eventwatch.contracts.compiler import compile_folder
from eventwatch.contracts.image import read_image
from eventwatch.contracts.protobuf import ProtobufSource
from eventwatch.model.contract import Catalog, Contract
from eventwatch.model.errors import ContractError
from eventwatch.model.settings import ContractSettings
from eventwatch.ports.contract_source import ContractSource

TEAMS = """syntax = "proto3";
package acme;
import "eventwatch/contract/v1/options.proto";
enum Team {
  TEAM_UNSPECIFIED = 0;
  // The growth team.
  TEAM_GROWTH = 1 [(eventwatch.contract.v1.team) = {slack_channel: "#growth"}];
}
"""
EVENTS = """syntax = "proto3";
package acme;
import "eventwatch/contract/v1/options.proto";
option (eventwatch.contract.v1.event_defaults) = {owner: {team: "growth"} tags: "all"};

// Somebody followed somebody.
message UserFollowedUser {
  option (eventwatch.contract.v1.event) = {
    tier: TIER_CRITICAL
    platforms: [PLATFORM_IOS, PLATFORM_WEB]
    expected: {dimension: "country" values: ["DE", "FR"]}
    suppressions: {check: CHECK_DRIFT reason: "launch" until: "2026-01-31"}
  };
  // Who.
  string user_id = 1 [(eventwatch.contract.v1.field) = {required: true pii: PII_PSEUDONYMOUS}];
}
message UserLeft {}
message Envelope { oneof payload { UserFollowedUser followed = 1; UserLeft left = 2; } }
"""

Prepare = Callable[[Path], ContractSettings]


def folder(root: Path) -> ContractSettings:
    return ContractSettings(root)


def folder_with_buf(root: Path) -> ContractSettings:
    if not Path(sys.executable).with_name("buf").exists():
        pytest.skip("the extra buf is not installed")
    return ContractSettings(root, compiler="buf")


def _content(root: Path) -> bytes:
    return compile_folder(root, (), "protoc").content


def descriptor_set(root: Path) -> ContractSettings:
    path = root.parent / "set.binpb"
    path.write_bytes(_content(root))
    return ContractSettings(path)


def packed_set(root: Path) -> ContractSettings:
    path = root.parent / "set.binpb.gz"
    path.write_bytes(gzip.compress(_content(root)))
    return ContractSettings(path)


def set_called_pb(root: Path) -> ContractSettings:
    path = root.parent / "set.pb"
    path.write_bytes(_content(root))
    return ContractSettings(path)


def json_image(root: Path) -> ContractSettings:
    files = [json_format.MessageToDict(f) for f in read_image(_content(root), "set").files]
    path = root.parent / "image.json"
    path.write_text(json.dumps({"file": files}))
    return ContractSettings(path)


def json_image_with_field_names(root: Path) -> ContractSettings:
    files = [
        json_format.MessageToDict(f, preserving_proto_field_name=True)
        for f in read_image(_content(root), "set").files
    ]
    path = root.parent / "image.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"file": files}).encode()))
    return ContractSettings(path)


SOURCES: tuple[Prepare, ...] = (
    folder,
    folder_with_buf,
    descriptor_set,
    packed_set,
    set_called_pb,
    json_image,
    json_image_with_field_names,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "contracts"
    (path / "acme").mkdir(parents=True)
    (path / "acme/teams.proto").write_text(TEAMS)
    (path / "acme/events.proto").write_text(EVENTS)
    return path


@pytest.fixture(params=SOURCES, ids=lambda each: each.__name__)
def prepare(request: pytest.FixtureRequest) -> Prepare:
    chosen: Prepare = request.param
    return chosen


def load(settings: ContractSettings) -> Catalog:
    source: ContractSource = ProtobufSource(settings)
    return source.load()


def test_the_same_contracts_come_out(root: Path, prepare: Prepare) -> None:
    catalog = load(prepare(root))
    expected = load(folder(root))
    assert dict(catalog.contracts) == dict(expected.contracts)
    assert dict(catalog.teams) == dict(expected.teams)


def test_every_part_of_a_contract_is_there(root: Path, prepare: Prepare) -> None:
    catalog = load(prepare(root))
    followed = catalog.contracts["followed"]
    assert followed.description == "Somebody followed somebody."
    assert followed.location.path == "acme/events.proto"
    assert followed.location.line == 7
    assert followed.tags == ("all",)
    assert followed.expected_values == {"platform": ("ios", "web"), "country": ("DE", "FR")}
    assert followed.fields[0].description == "Who."
    assert catalog.contracts["left"].owner.team == "growth"
    assert catalog.teams["growth"].slack_channel == "#growth"


def test_a_second_load_is_equal_to_the_first(root: Path, prepare: Prepare) -> None:
    source = ProtobufSource(prepare(root))
    assert source.load() == source.load()


def test_a_catalog_cannot_be_changed(root: Path, prepare: Prepare) -> None:
    catalog = load(prepare(root))
    with pytest.raises(TypeError):
        catalog.contracts["new"] = catalog.contracts["left"]  # type: ignore[index]


def test_a_source_that_is_gone_is_a_contract_error(root: Path, prepare: Prepare) -> None:
    settings = prepare(root)
    gone = replace(settings, source=settings.source.with_name("gone"))
    with pytest.raises(ContractError) as raised:
        load(gone)
    assert raised.value.faults


def test_what_changes_between_two_loads_is_seen(root: Path, prepare: Prepare) -> None:
    def left(catalog: Catalog) -> Contract | None:
        return catalog.of("left")

    before = load(prepare(root))
    text = EVENTS.replace("UserLeft left = 2;", "UserLeft went = 2;")
    (root / "acme/events.proto").write_text(text)
    after = load(prepare(root))
    assert left(before) is not None
    assert left(after) is None
    assert before.digest != after.digest
