"""What is wrong with contracts is said all at once, with file and line."""

from __future__ import annotations

import pytest

from tests.contracts.conftest import HEADER, Folder, message

TEAM = 'owner: {team: "growth"}'


def test_an_event_without_a_team_is_told_how_to_get_one(folder: Folder) -> None:
    folder.write({"sub/a.proto": HEADER + "\n\n" + message("")})
    (fault,) = folder.faults()
    assert fault.path == f"{folder.root}/sub/a.proto"
    assert fault.line == 6
    assert fault.key == "owner.team"
    assert "UserDidIt" in fault.message
    assert "event_defaults" in fault.message


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ('lifecycle: {since: "yesterday"}', "'yesterday' is not a day"),
        ('lifecycle: {since: "2024-02-30"}', "'2024-02-30' is not a day"),
        ('lifecycle: {since: "20240201"}', "is not a day"),
        ("lifecycle: {state: STATE_DEPRECATED}", "lifecycle.sunset"),
        ('lifecycle: {since: "2024-02-02" sunset: "2024-02-01"}', "lies before since"),
        ('lifecycle: {replaced_by: "nobody"}', "no contract declares its successor 'nobody'"),
        ('lifecycle: {replaced_by: "user_did_it"}', "names the event type itself"),
        ("freshness: {max_gap_seconds: 0}", "longer than zero"),
        ("freshness: {max_lag_seconds: 0}", "longer than zero"),
        ("volume: {min_per_day: 5 max_per_day: 4}", "5 is more than max_per_day, 4"),
        ("volume: {z_threshold: 0}", "above 0"),
        ("volume: {z_threshold: nan}", "is not a number"),
        ("volume: {z_threshold: inf}", "is not a number"),
        ('event_type: "  "', "is blank"),
        ('runbook_url: "javascript:alert(1)"', "is not a web address"),
        ('runbook_url: "https://a b"', "is not a web address"),
        ('consumers: {name: " "}', "has no name"),
        ('consumers: {name: "bi" slack_channel: "bi"}', "is not a Slack channel"),
        ('expected: {values: "a"}', "names no dimension"),
        ('expected: {dimension: "country"}', "has no values"),
        ('suppressions: {until: "2026-01-01"}', "has no reason"),
        ('suppressions: {reason: "x"}', "has no last day"),
        ('suppressions: {reason: "x" until: "never"}', "'never' is no day"),
    ],
)
def test_a_wrong_value_is_a_fault(folder: Folder, options: str, words: str) -> None:
    (fault,) = folder.event_faults(f"{TEAM} {options}")
    assert words in fault


@pytest.mark.parametrize(
    "channel",
    [
        "growth",
        "#",
        "# growth",
        "#a b",
        "@growth",
        "#a<!channel>",
        "#a\\n#b",
        "#a\\000",
        "<#C0123ABCD>",
    ],
)
def test_a_channel_is_a_name_with_its_hash(folder: Folder, channel: str) -> None:
    options = f'owner: {{team: "growth" slack_channel: "{channel}"}}'
    (fault,) = folder.event_faults(options)
    assert "is not a Slack channel" in fault


@pytest.mark.parametrize("channel", ["#growth-alerts", "#größe", "#日本", "C0123ABCDEF"])
def test_a_channel_may_be_any_that_slack_knows(folder: Folder, channel: str) -> None:
    contract = folder.event(f'owner: {{team: "growth" slack_channel: "{channel}"}}')
    assert contract.owner.slack_channel == channel


def test_a_webhook_in_place_of_a_channel_is_not_repeated(folder: Folder) -> None:
    url = "https://hooks.slack.example/services/T0/B0/verysecret"
    options = f'owner: {{team: "growth" slack_channel: "{url}"}}'
    (fault,) = folder.event_faults(options)
    assert "verysecret" not in fault
    assert "secret" in fault


def test_every_fault_of_every_file_is_told_at_once(folder: Folder) -> None:
    folder.write(
        {
            "a.proto": HEADER + message(""),
            "b.proto": HEADER
            + message('lifecycle: {since: "x" sunset: "y"}', name="B")
            + message('volume: {z_threshold: -1} owner: {team: "t" slack_channel: "t"}', name="C"),
        }
    )
    keys = [(fault.path.rsplit("/", 1)[-1], fault.key) for fault in folder.faults()]
    assert keys == [
        ("a.proto", "owner.team"),
        ("b.proto", "owner.team"),
        ("b.proto", "lifecycle.since"),
        ("b.proto", "lifecycle.sunset"),
        ("b.proto", "owner.slack_channel"),
        ("b.proto", "volume.z_threshold"),
    ]


def test_two_contracts_for_one_event_type_name_both_places(folder: Folder) -> None:
    folder.write(
        {
            "a.proto": HEADER + message(TEAM, name="UserDidIt"),
            "b.proto": HEADER + "\n" + message(TEAM + ' event_type: "user_did_it"', name="Other"),
        }
    )
    (fault,) = folder.faults()
    assert (fault.path, fault.line) == (f"{folder.root}/b.proto", 5)
    assert "acme.Other" in fault.message
    assert "acme.UserDidIt at a.proto:4" in fault.message


def test_a_successor_that_exists_is_fine(folder: Folder) -> None:
    folder.write(
        {
            "a.proto": HEADER
            + message(TEAM + ' lifecycle: {replaced_by: "new"}', name="Old")
            + message(TEAM, name="New")
        }
    )
    assert folder.load().contracts["old"].replaced_by == "new"


def test_a_misspelled_successor_is_told_what_was_meant(folder: Folder) -> None:
    folder.write(
        {
            "a.proto": HEADER
            + message(TEAM + ' lifecycle: {replaced_by: "user_folowed"}', name="Old")
            + message(TEAM, name="UserFollowed")
        }
    )
    assert "Did you mean user_followed?" in folder.faults()[0].message


def test_a_team_that_is_in_no_directory_is_not_the_contracts_fault(folder: Folder) -> None:
    assert folder.event('owner: {team: "known-to-the-config"}').owner.team == "known-to-the-config"


def test_a_folder_without_events_says_what_an_event_is(folder: Folder) -> None:
    folder.write({"a.proto": 'syntax = "proto3"; message A {}'})
    (fault,) = folder.faults()
    assert fault.path == str(folder.root)
    assert "declares no event" in fault.message


def test_an_empty_folder_is_a_fault(folder: Folder) -> None:
    assert "holds no .proto file" in folder.faults()[0].message


def test_a_source_that_is_not_there_is_a_fault(folder: Folder) -> None:
    settings = folder.settings(source=folder.root / "nowhere")
    (fault,) = folder.faults(settings)
    assert fault.key == "contracts.source"
    assert fault.message.startswith("there is no such folder or file. Make the folder")


def test_one_proto_file_is_no_source(folder: Folder) -> None:
    folder.write({"a.proto": HEADER})
    assert (
        "name the folder"
        in folder.faults(folder.settings(source=folder.root / "a.proto"))[0].message
    )


def test_a_syntax_error_has_the_compilers_position_and_words(folder: Folder) -> None:
    folder.write({"a/b.proto": 'syntax = "proto3";\nmessage A {\n  strin x = 1\n}\n'})
    (fault,) = folder.faults()
    assert fault.path == f"{folder.root}/a/b.proto"
    assert fault.line == 4
    assert fault.message == 'Expected ";".'


def test_every_broken_file_is_told_of_and_nothing_twice(folder: Folder) -> None:
    broken = 'syntax = "proto3";\nmessage A {\n  strin x = 1\n}\n'
    folder.write(
        {
            "a.proto": broken,
            "b.proto": broken.replace("A", "B"),
            "c.proto": 'syntax = "proto3";\nimport "a.proto";\nmessage C { A a = 1; }\n',
            "d.proto": 'syntax = "proto3";\nmessage D { int32 a = 1; int32 b = 1; }\n',
        }
    )
    assert folder.places() == ["a.proto:4", "b.proto:4", "d.proto:2"]


def test_an_option_that_does_not_exist_is_the_compilers_fault(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message('owner: {teem: "growth"}')})
    (fault,) = folder.faults()
    assert "teem" in fault.message
    assert fault.line == 5


def test_an_import_that_is_not_there_says_where_it_was_looked_for(folder: Folder) -> None:
    folder.write({"a.proto": 'syntax = "proto3";\nimport "nope.proto";\n'})
    (fault,) = folder.faults()
    assert (fault.line, "contracts.include" in fault.message) == (2, True)


def test_an_include_folder_that_is_not_there_is_a_fault(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message(TEAM)})
    (fault,) = folder.faults(folder.settings(include=(folder.root / "gone",)))
    assert fault.key == "contracts.include"
    assert fault.path == str(folder.root)


@pytest.mark.parametrize("ratio", ["1.1", "-0.1", "nan"])
def test_a_share_of_nulls_lies_from_zero_to_one(folder: Folder, ratio: str) -> None:
    field = f"  string a = 1 [(eventwatch.contract.v1.field).max_null_ratio = {ratio}];\n"
    folder.write({"a.proto": HEADER + message(TEAM, field)})
    (fault,) = folder.faults()
    assert (fault.line, fault.key) == (4, "fields.a")


def test_a_compiler_that_nobody_knows_is_a_fault(folder: Folder) -> None:
    folder.write({"a.proto": HEADER + message(TEAM)})
    assert "protoc or buf" in folder.faults(folder.settings(compiler="gcc"))[0].message


def test_a_threshold_may_be_narrower_than_one(folder: Folder) -> None:
    assert folder.event(f"{TEAM} volume: {{z_threshold: 0.5}}").z_threshold == 0.5
