"""The team directory, read from an enum."""

from __future__ import annotations

from eventwatch.model.contract import Location
from tests.contracts.conftest import HEADER, Folder, message

TEAMS = """
enum Team {
  TEAM_UNSPECIFIED = 0;
  TEAM_GROWTH = 1 [(eventwatch.contract.v1.team) = {
    slack_channel: "#growth" slack_group_id: "S0123ABCD" oncall: "growth-oncall"
    email: "growth@acme.example" escalate_to: "data_platform"
  }];
  TEAM_DATA_PLATFORM = 2 [(eventwatch.contract.v1.team).slack_channel = "#data"];
  TEAM_SILENT = 3;
}
"""
EVENT = message('owner: {team: "growth"}')


def test_each_value_is_a_team_under_its_short_name(folder: Folder) -> None:
    teams = folder.write({"a.proto": HEADER + TEAMS + EVENT}).load().teams
    assert list(teams) == ["data-platform", "growth", "silent"]
    growth = teams["growth"]
    assert growth.slack_channel == "#growth"
    assert growth.slack_group_id == "S0123ABCD"
    assert growth.oncall == "growth-oncall"
    assert growth.email == "growth@acme.example"
    assert growth.escalate_to == "data-platform"
    assert growth.location == Location("a.proto", 7)
    assert teams["silent"].slack_channel == ""


def test_an_owner_may_be_spelled_in_any_of_the_usual_ways(folder: Folder) -> None:
    spellings = ["data-platform", "data_platform", "Data_Platform", "TEAM_DATA_PLATFORM"]
    events = "".join(
        message(f'owner: {{team: "{text}"}}', name=f"E{i}") for i, text in enumerate(spellings)
    )
    catalog = folder.write({"a.proto": HEADER + TEAMS + events}).load()
    assert {c.owner.team for c in catalog.contracts.values()} == {"data-platform"}


def test_values_without_the_name_of_the_enum_lose_what_they_share(folder: Folder) -> None:
    teams = """
    enum Squads {
      SQ_NONE = 0;
      SQ_ALPHA = 1 [(eventwatch.contract.v1.team).email = "a@acme.example"];
      SQ_BETA_TWO = 2;
    }
    """
    catalog = folder.write({"a.proto": HEADER + teams + EVENT}).load()
    assert list(catalog.teams) == ["alpha", "beta-two"]


def test_an_enum_inside_a_message_will_do(folder: Folder) -> None:
    text = HEADER + "message Org {" + TEAMS + "}" + EVENT
    assert "growth" in folder.write({"a.proto": text}).load().teams


def test_other_enums_are_no_teams(folder: Folder) -> None:
    text = HEADER + "enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_RED = 1; }" + EVENT
    assert folder.write({"a.proto": text}).load().teams == {}


def test_wrong_ways_to_reach_a_team_are_faults(folder: Folder) -> None:
    teams = TEAMS.replace('"#growth"', '"growth"').replace("S0123ABCD", "@growth")
    folder.write({"a.proto": HEADER + teams + EVENT})
    faults = folder.faults()
    assert [(f.line, f.key) for f in faults] == [(7, "slack_channel"), (7, "slack_group_id")]


def test_a_team_that_is_described_twice_is_a_fault_with_both_places(folder: Folder) -> None:
    again = (
        'enum Again { AGAIN_X = 0; AGAIN_GROWTH = 1 [(eventwatch.contract.v1.team).email = "e"]; }'
    )
    folder.write({"a.proto": HEADER + TEAMS + EVENT, "b.proto": HEADER + again})
    (fault,) = folder.faults()
    assert fault.path.endswith("b.proto")
    assert "a.proto:7" in fault.message
