"""What one contract says, as the catalog has it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from eventwatch.model.contract import (
    Consumer,
    Direction,
    FieldContract,
    LifecycleState,
    Location,
    Owner,
    Pattern,
    Suppression,
    Tier,
)
from tests.contracts.conftest import HEADER, Folder, message

TEAM = 'owner: {team: "growth"}'


def test_every_option_reaches_the_contract(folder: Folder) -> None:
    contract = folder.event(
        """
        owner: {team: "growth" slack_channel: "#growth-alerts" oncall: "growth-oncall"
                email: "growth@acme.example"}
        description: "Somebody did it."
        tier: TIER_CRITICAL
        lifecycle: {state: STATE_DEPRECATED since: "2024-02-29" sunset: "2026-12-31"}
        freshness: {max_gap_seconds: 900 max_lag_seconds: 30}
        volume: {min_per_day: 0 max_per_day: 18446744073709551615 z_threshold: 4.5
                 pattern: PATTERN_BURSTY alert_on: DIRECTION_DROP}
        platforms: [PLATFORM_IOS, PLATFORM_BACKEND]
        expected: {dimension: "country" values: ["DE", "FR"]}
        expected: {dimension: "platform" values: ["smart_tv", "ios"]}
        consumers: {name: "finance" slack_channel: "#fin"}
        tags: ["money", "core"]
        runbook_url: "https://wiki.acme.example/it"
        event_type: "user_did_it_v2"
        exposures: ["analytics_events"]
        suppressions: {check: CHECK_VOLUME reason: "launch" until: "2026-11-30"}
        suppressions: {reason: "all of them" until: "2026-12-01"}
        """,
    )
    assert contract.event_type == "user_did_it_v2"
    assert contract.message_name == "acme.UserDidIt"
    assert contract.location == Location("event.proto", 4)
    assert contract.owner == Owner(
        "growth", "#growth-alerts", "growth-oncall", "growth@acme.example"
    )
    assert contract.description == "Somebody did it."
    assert contract.tier is Tier.CRITICAL
    assert contract.state is LifecycleState.DEPRECATED
    assert (contract.since, contract.sunset) == (date(2024, 2, 29), date(2026, 12, 31))
    assert contract.max_gap == timedelta(minutes=15)
    assert contract.max_lag == timedelta(seconds=30)
    assert contract.min_per_day == 0
    assert contract.z_threshold == 4.5
    assert contract.pattern is Pattern.BURSTY
    assert contract.alert_on is Direction.DROP
    assert dict(contract.expected_values) == {
        "platform": ("ios", "backend", "smart_tv"),
        "country": ("DE", "FR"),
    }
    assert contract.consumers == (Consumer("finance", "#fin"),)
    assert contract.tags == ("money", "core")
    assert contract.runbook_url == "https://wiki.acme.example/it"
    assert contract.exposures == ("analytics_events",)
    assert contract.suppressions == (
        Suppression("volume", "launch", date(2026, 11, 30)),
        Suppression("all", "all of them", date(2026, 12, 1)),
    )


def test_a_count_of_twenty_digits_keeps_every_digit(folder: Folder) -> None:
    contract = folder.event(TEAM + " volume: {max_per_day: 18446744073709551615}")
    assert contract.max_per_day == 18446744073709551615


def test_what_is_not_said_is_not_made_up(folder: Folder) -> None:
    contract = folder.event(TEAM)
    assert contract.tier is Tier.STANDARD
    assert contract.state is LifecycleState.ACTIVE
    assert contract.pattern is Pattern.LEARNED
    assert contract.max_gap is None
    assert contract.min_per_day is None
    assert contract.expected_values == {}
    assert contract.lands_in("anything")


def test_a_floor_of_zero_is_a_floor(folder: Folder) -> None:
    assert folder.event(TEAM + " volume: {min_per_day: 0}").min_per_day == 0


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("UserFollowedUser", "user_followed_user"),
        ("HTTPRequestSent", "http_request_sent"),
        ("ItemAddedToCartV2", "item_added_to_cart_v2"),
        ("already_snake", "already_snake"),
    ],
)
def test_without_a_name_of_its_own_an_event_is_called_after_its_message(
    folder: Folder, name: str, event_type: str
) -> None:
    assert folder.event(TEAM, name=name).event_type == event_type


def test_the_leading_comment_describes_what_the_option_does_not(folder: Folder) -> None:
    text = HEADER + "// Somebody did it,\n// and meant it.\n//\n// Rarely.\n" + message(TEAM)
    (contract,) = folder.write({"a.proto": text}).load().contracts.values()
    assert contract.description == "Somebody did it, and meant it.\nRarely."
    assert contract.location.line == 8


def test_a_description_in_the_option_wins_over_the_comment(folder: Folder) -> None:
    text = HEADER + "// A comment.\n" + message(TEAM + ' description: "An option."')
    (contract,) = folder.write({"a.proto": text}).load().contracts.values()
    assert contract.description == "An option."


def test_fields_carry_their_types_and_promises(folder: Folder) -> None:
    body = """
      // Who did it.
      string user_id = 1 [(eventwatch.contract.v1.field) = {
        required: true pii: PII_PSEUDONYMOUS max_null_ratio: 0 entity: "user"}];
      repeated Item items = 2 [(eventwatch.contract.v1.field).unit = "cents"];
      map<string, int64> counts = 3;
      optional int32 maybe = 4 [(eventwatch.contract.v1.field) = {description: "Perhaps."}];
      message Item { string sku = 1; }
    """
    contract = folder.event(TEAM, body)
    assert contract.fields == (
        FieldContract("user_id", "string", "Who did it.", True, "pseudonymous", 0.0, "", "user"),
        FieldContract("items", "repeated acme.UserDidIt.Item", unit="cents"),
        FieldContract("counts", "map<string, int64>"),
        FieldContract("maybe", "int32", "Perhaps."),
    )


def test_nested_messages_may_be_events(folder: Folder) -> None:
    text = HEADER + "message Outer {\n message Middle {\n" + message(TEAM) + "}\n}\n"
    (contract,) = folder.write({"deep/er/a.proto": text}).load().contracts.values()
    assert contract.message_name == "acme.Outer.Middle.UserDidIt"
    assert contract.location == Location("deep/er/a.proto", 6)


@pytest.mark.parametrize(
    ("syntax", "field"),
    [
        ('syntax = "proto2";', "required string a = 1;"),
        ('edition = "2023";', "string a = 1 [features.field_presence = LEGACY_REQUIRED];"),
    ],
)
def test_proto2_and_editions_are_read(folder: Folder, syntax: str, field: str) -> None:
    text = HEADER.replace('syntax = "proto3";', syntax) + message(TEAM, field)
    (contract,) = folder.write({"a.proto": text}).load().contracts.values()
    assert contract.fields == (FieldContract("a", "string", required=True),)


def test_a_package_is_no_must(folder: Folder) -> None:
    text = HEADER.replace("package acme;", "") + message(TEAM)
    (contract,) = folder.write({"a.proto": text}).load().contracts.values()
    assert contract.message_name == "UserDidIt"


def test_well_known_types_are_on_the_import_path(folder: Folder) -> None:
    text = (
        HEADER
        + 'import "google/protobuf/timestamp.proto";\n'
        + message(TEAM, "  google.protobuf.Timestamp at = 1;\n")
    )
    (contract,) = folder.write({"a.proto": text}).load().contracts.values()
    assert contract.fields[0].type_name == "google.protobuf.Timestamp"


def test_options_may_be_set_one_by_one(folder: Folder) -> None:
    text = HEADER + (
        "message A {\n"
        '  option (eventwatch.contract.v1.event).owner.team = "growth";\n'
        "  option (eventwatch.contract.v1.event).tier = TIER_CRITICAL;\n"
        '  option (eventwatch.contract.v1.event).lifecycle.since = "soon";\n'
        "}\n"
    )
    folder.write({"a.proto": text})
    (fault,) = folder.faults()
    assert fault.line in (5, 6, 7)
    assert fault.key == "lifecycle.since"


class TestFileDefaults:
    """``event_defaults`` speaks for every event of its file."""

    DEFAULTS = """
    option (eventwatch.contract.v1.event_defaults) = {
      owner: {team: "growth" slack_channel: "#growth"}
      tier: TIER_CRITICAL
      tags: ["a", "b"]
      freshness: {max_gap_seconds: 60 max_lag_seconds: 5}
      platforms: [PLATFORM_IOS, PLATFORM_ANDROID]
    };
    """

    def test_an_event_inherits_all_of_it(self, folder: Folder) -> None:
        folder.write({"a.proto": HEADER + self.DEFAULTS + message("")})
        (contract,) = folder.load().contracts.values()
        assert contract.owner == Owner("growth", "#growth")
        assert contract.tier is Tier.CRITICAL
        assert contract.tags == ("a", "b")

    def test_nested_fields_are_merged_one_by_one(self, folder: Folder) -> None:
        own = 'owner: {team: "payments"} freshness: {max_gap_seconds: 10} tier: TIER_STANDARD'
        folder.write({"a.proto": HEADER + self.DEFAULTS + message(own)})
        (contract,) = folder.load().contracts.values()
        assert contract.owner == Owner("payments", "#growth")
        assert contract.max_gap == timedelta(seconds=10)
        assert contract.max_lag == timedelta(seconds=5)
        assert contract.tier is Tier.STANDARD

    def test_lists_are_replaced_and_not_lengthened(self, folder: Folder) -> None:
        own = 'tags: ["c"] platforms: [PLATFORM_WEB]'
        folder.write({"a.proto": HEADER + self.DEFAULTS + message(own)})
        (contract,) = folder.load().contracts.values()
        assert contract.tags == ("c",)
        assert contract.expected_values == {"platform": ("web",)}

    def test_they_end_with_the_file(self, folder: Folder) -> None:
        folder.write(
            {
                "a.proto": HEADER + self.DEFAULTS + message(""),
                "b.proto": HEADER + message('owner: {team: "b"}', name="Other"),
            }
        )
        contracts = folder.load().contracts
        assert contracts["user_did_it"].tier is Tier.CRITICAL
        assert contracts["other"].tier is Tier.STANDARD

    def test_a_wrong_default_is_one_fault_at_its_own_line(self, folder: Folder) -> None:
        owner = 'owner: {team: "g" slack_channel: "g"}'
        defaults = f"option (eventwatch.contract.v1.event_defaults) = {{{owner}}};\n"
        events = "".join(message("", name=f"Event{i}") for i in range(5))
        folder.write({"a.proto": HEADER + defaults + events})
        assert folder.places() == ["a.proto:4"]


class TestOwnCopyOfTheVocabulary:
    """An organisation may ship the vocabulary itself, changed."""

    OPTIONS = """
    syntax = "proto3";
    package eventwatch.contract.v1;
    import "google/protobuf/descriptor.proto";
    extend google.protobuf.MessageOptions { EventContract event = 61234; }
    message EventContract {
      string event_type = 3;
      Owner owner = 7;
      repeated Platform platforms = 9;
      string not_in_ours = 10;
    }
    message Owner { string team = 2; }
    enum Platform { PLATFORM_UNSPECIFIED = 0; PLATFORM_SMART_TV = 1; PLATFORM_CAR = 2; }
    """
    EVENT = """
    syntax = "proto3";
    import "OPTIONS";
    message A {
      option (eventwatch.contract.v1.event) = {
        owner: {team: "tv"} platforms: [PLATFORM_CAR, PLATFORM_SMART_TV] not_in_ours: "x"
      };
    }
    """

    @pytest.mark.parametrize("path", ["eventwatch/contract/v1/options.proto", "shared/ew.proto"])
    def test_other_numbers_paths_and_values_are_understood(self, folder: Folder, path: str) -> None:
        folder.write({path: self.OPTIONS, "a.proto": self.EVENT.replace("OPTIONS", path)})
        (contract,) = folder.load().contracts.values()
        assert contract.owner.team == "tv"
        assert contract.expected_values == {"platform": ("car", "smart_tv")}

    def test_an_option_of_another_shape_is_a_fault(self, folder: Folder) -> None:
        options = self.OPTIONS.replace("EventContract event = 61234", "string event = 61234")
        event = 'message A { option (eventwatch.contract.v1.event) = "x"; }'
        head = 'syntax = "proto3"; import "o.proto";'
        folder.write({"o.proto": options, "a.proto": head + event})
        assert "must be one message" in folder.faults()[0].message


def test_two_loads_of_one_folder_give_one_digest(folder: Folder) -> None:
    folder.write({"b.proto": HEADER + message(TEAM), "a.proto": HEADER + message(TEAM, name="B")})
    first = folder.load()
    assert first == folder.load()
    assert len(first.digest) == 64


def test_a_changed_contract_changes_the_digest(folder: Folder) -> None:
    before = folder.write({"a.proto": HEADER + message(TEAM)}).load().digest
    after = folder.write({"a.proto": HEADER + message(TEAM + ' tags: "x"')}).load().digest
    assert before != after


def test_contracts_are_sorted_by_event_type(folder: Folder) -> None:
    names = ["Zebra", "Apple", "Mango"]
    folder.write({"a.proto": HEADER + "".join(message(TEAM, name=name) for name in names)})
    assert list(folder.load().contracts) == ["apple", "mango", "zebra"]
