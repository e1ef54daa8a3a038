"""Vocabularies that are not ours, read through the config's mapping."""

from __future__ import annotations

from datetime import timedelta

import pytest

from eventwatch.model.contract import Consumer, LifecycleState, Tier
from eventwatch.model.settings import ContractMapping
from tests.contracts.conftest import HEADER, Folder, message

META = """
syntax = "proto3";
package acme.meta;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FileOptions { string file_owner = 50001; }
extend google.protobuf.MessageOptions {
  string owner = 50001;
  Info info = 50002;
  repeated string labels = 50003;
  repeated Screen screens = 50004;
}
extend google.protobuf.FieldOptions { Squad squad = 50001; }
extend google.protobuf.EnumValueOptions { Contact contact = 50001; }
message Info {
  string why = 1;
  Priority priority = 2;
  Times times = 3;
  repeated string readers = 4;
}
message Times { string silence = 1; int64 lag_seconds = 2; }
message Contact { string chat = 1; string group = 2; string short_name = 3; }
enum Priority { PRIORITY_UNSPECIFIED = 0; PRIORITY_CRITICAL = 1; PRIORITY_BEST_EFFORT = 2; P_ODD = 3; }
enum Screen { SCREEN_UNSPECIFIED = 0; SCREEN_PHONE = 1; SCREEN_CAR = 2; }
enum Squad {
  SQUAD_UNSPECIFIED = 0;
  SQUAD_GROWTH = 1 [(contact) = {chat: "growth-alerts" group: "S0123ABCD"}];
  SQUAD_ADS = 2 [(contact) = {chat: "C0123ABCDEF" short_name: "advertising"}];
}
"""
EVENTS = """
syntax = "proto3";
package acme;
import "meta.proto";
option (acme.meta.file_owner) = "from-the-file";
message A {
  option (acme.meta.owner) = "growth";
  option (acme.meta.info) = {
    why: "Because." priority: PRIORITY_CRITICAL
    times: {silence: "90m" lag_seconds: 30} readers: ["bi", "ml"]
  };
  option (acme.meta.labels) = "x";
  option (acme.meta.labels) = "y";
  option (acme.meta.screens) = SCREEN_CAR;
}
message B { option (acme.meta.owner) = ""; }
message Plain {}
message Env { oneof e { A a_happened = 1; B b_happened = 2 [(acme.meta.squad) = SQUAD_ADS]; } }
"""
MAPPING = ContractMapping(
    file={"acme.meta.file_owner": "owner.team"},
    message={
        "acme.meta.owner": "owner.team",
        "acme.meta.info.why": "description",
        "acme.meta.info.priority": "tier",
        "acme.meta.info.times.silence": "freshness.max_gap_seconds",
        "acme.meta.info.times.lag_seconds": "freshness.max_lag_seconds",
        "acme.meta.info.readers": "consumers",
        "acme.meta.labels": "tags",
        "acme.meta.screens": "expected.screen",
    },
    envelope_field={"acme.meta.squad": "owner.team"},
    enum_value={
        "acme.meta.contact.chat": "slack_channel",
        "acme.meta.contact.group": "slack_group_id",
        "acme.meta.contact.short_name": "key",
    },
)


@pytest.fixture
def foreign(folder: Folder) -> Folder:
    return folder.write({"meta.proto": META, "events.proto": EVENTS})


def test_options_of_a_message_reach_the_contract(foreign: Folder) -> None:
    contract = foreign.load(mapping=MAPPING).contracts["a_happened"]
    assert contract.owner.team == "growth"
    assert contract.description == "Because."
    assert contract.tier is Tier.CRITICAL
    assert contract.max_gap == timedelta(minutes=90)
    assert contract.max_lag == timedelta(seconds=30)
    assert contract.consumers == (Consumer("bi"), Consumer("ml"))
    assert contract.tags == ("x", "y")
    assert contract.expected_values == {"screen": ("car",)}


def test_the_envelopes_field_wins_over_the_file_and_an_empty_text_says_nothing(
    foreign: Folder,
) -> None:
    assert foreign.load(mapping=MAPPING).contracts["b_happened"].owner.team == "advertising"


def test_messages_without_a_word_are_no_events(foreign: Folder) -> None:
    assert list(foreign.load(mapping=MAPPING).contracts) == ["a_happened", "b_happened"]


def test_teams_come_from_the_mapped_enum_and_channels_get_their_hash(foreign: Folder) -> None:
    teams = foreign.load(mapping=MAPPING).teams
    assert teams["growth"].slack_channel == "#growth-alerts"
    assert teams["growth"].slack_group_id == "S0123ABCD"
    assert teams["advertising"].slack_channel == "C0123ABCDEF"


def test_ours_wins_over_a_mapped_option_at_the_same_message(folder: Folder) -> None:
    both = message('owner: {team: "ours"}', '  option (acme.meta.owner) = "theirs";\n')
    folder.write({"meta.proto": META, "a.proto": HEADER + 'import "meta.proto";\n' + both})
    mapping = ContractMapping(message={"acme.meta.owner": "owner.team"})
    assert folder.load(mapping=mapping).contracts["user_did_it"].owner.team == "ours"


@pytest.mark.parametrize(
    ("option", "target", "words"),
    [
        ("acme.meta.ownr", "owner.team", "Did you mean acme.meta.owner"),
        ("acme.meta.owner", "owner.tem", "Did you mean owner.team"),
        ("acme.meta.info", "description", "is a message: name one of its fields (why"),
        ("acme.meta.info.whi", "description", "has no field 'whi'"),
        ("acme.meta.owner.name", "owner.team", "which is no message"),
        ("acme.meta.squad", "owner.team", "at this level"),
    ],
)
def test_a_line_that_fits_nothing_is_a_fault(
    foreign: Folder, option: str, target: str, words: str
) -> None:
    (fault,) = foreign.faults(mapping=ContractMapping(message={option: target}))
    assert fault.key == "contracts.mapping.message"
    assert words in fault.message


def test_every_wrong_line_is_told_at_once(foreign: Folder) -> None:
    mapping = ContractMapping(message={"a": "b"}, file={"c": "tier"}, enum_value={"d": "oncall"})
    assert len(foreign.faults(mapping=mapping)) == 4


def test_a_word_that_is_none_of_ours_is_a_fault_with_the_choice(foreign: Folder) -> None:
    text = EVENTS.replace("PRIORITY_CRITICAL", "P_ODD")
    (fault,) = foreign.write({"events.proto": text}).faults(mapping=MAPPING)
    assert "is not one of: critical, standard, best_effort" in fault.message


def test_two_values_where_one_is_expected_are_a_fault(foreign: Folder) -> None:
    mapping = ContractMapping(
        message={"acme.meta.labels": "description", "acme.meta.owner": "owner.team"},
        file={"acme.meta.file_owner": "owner.team"},
    )
    (fault,) = foreign.faults(mapping=mapping)
    assert "holds 2 values" in fault.message


def test_a_state_is_understood_in_the_usual_spellings(folder: Folder) -> None:
    event = 'message A { option (acme.meta.owner) = "t"; option (acme.meta.info).why = "WORD"; }'
    mapping = ContractMapping(
        message={"acme.meta.owner": "owner.team", "acme.meta.info.why": "lifecycle.state"}
    )
    head = 'syntax = "proto3"; import "meta.proto";'
    for word in ("retired", "RETIRED", "STATE_RETIRED", " Retired "):
        folder.write({"meta.proto": META, "a.proto": head + event.replace("WORD", word)})
        assert folder.load(mapping=mapping).contracts["a"].state is LifecycleState.RETIRED


def test_the_mapping_is_part_of_the_digest(foreign: Folder) -> None:
    less = ContractMapping(message={"acme.meta.owner": "owner.team"}, file=MAPPING.file)
    assert foreign.load(mapping=MAPPING).digest != foreign.load(mapping=less).digest
