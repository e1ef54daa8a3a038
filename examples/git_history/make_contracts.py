"""Writes contracts/ from data/: one message per event type, one file per team that answers.

Run once by hand (`python make_contracts.py`, needs duckdb) and kept, so that a reader can see where
219 contracts come from. What is wrong in them on purpose stands in ``UNDECLARED``, ``MISSPELLED`` and
``RETIRED`` below; nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

HERE = Path(__file__).parent

UNDECLARED = ("contributor_modified_template", "contributor_modified_reqs")
"""They come, and nobody declared them."""
MISSPELLED = {"contributor_modified_featurecontrol": "contributor_modified_feature_control"}
"""Event type → the name that its contract gives it: a capital too many in the message's name."""
RETIRED = {"contributor_modified_templates": date(2024, 6, 30)}
"""They still come after the last day that their contract allows."""
QUIET = timedelta(days=200)
"""An event type that did not come for longer, up to the end of its streams, was given up."""
SPARSE = 20
"""Days a year. What comes on fewer is declared sparse: too rare to judge its counts."""

TEAMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "core": (
        "What the program itself is made of.",
        (
            *(
                "alert",
                "app",
                "bin",
                "cmd",
                "crdt",
                "great_expectations",
                "hc",
                "internal",
                "limit",
            ),
            *("marker", "pkg", "proto", "root", "src", "store", "types", "version"),
        ),
    ),
    "alerting": (
        "From an alert to a message.",
        (
            *("cluster", "dispatch", "eventrecorder", "inhibit", "kafka", "manager", "matcher"),
            *("matchers", "nflog", "notify", "provider", "silence", "template", "timeinterval"),
        ),
    ),
    "api": ("What other programs talk to.", ("api", "cli", "client", "httpserver")),
    "ui": (
        "What people see.",
        ("asset", "assets", "locale", "static", "templates", "ui", "web"),
    ),
    "docs": (
        "What people read.",
        (*("doc", "docs", "docs_pending", "docs_rtd", "examples", "readme_assets", "scratch"),),
    ),
    "tests": ("What keeps it right.", ("constraints_test", "test", "tests")),
    "infra": (
        "What it is built and run with.",
        (
            *("artifacts", "azure", "ci", "circleci", "config", "config_new", "docker"),
            *("featurecontrol", "github", "gx_venv", "reqs", "scripts", "stuff", "tracing"),
            "vendor",
        ),
    ),
    "contrib": (
        "What others add.",
        ("contrib", "great_expectations_airflow"),
    ),
}
DOES = {"added": "adds", "modified": "changes", "deleted": "deletes", "renamed": "renames"}


@dataclass(frozen=True)
class Found:
    """One event type as the data has it."""

    event_type: str
    first: date
    last: date
    platforms: tuple[str, ...]
    end: date
    """Newest row of the streams it comes in."""
    days: int
    """On how many days it came."""

    @property
    def verb(self) -> str:
        """``added``, ``modified``, ``deleted`` or ``renamed``."""
        return self.event_type.split("_", 2)[1]

    @property
    def is_sparse(self) -> bool:
        """Nobody owes the next one: files are added, deleted and renamed when somebody needs it."""
        years = (self.last - self.first) / timedelta(days=365)
        return self.verb != "modified" or self.days < SPARSE * max(years, 1.0)

    @property
    def component(self) -> str:
        """The top-level folder."""
        return self.event_type.split("_", 2)[2]


def found() -> list[Found]:
    """Every event type of data/, sorted."""
    query = """
        WITH rows AS (SELECT * FROM read_parquet(?)),
        ends AS (SELECT platform, max(loaded_at) AS stream_end FROM rows GROUP BY platform)
        SELECT event_type, min(loaded_at)::DATE, max(loaded_at)::DATE,
            list_sort(list_distinct(list(platform))), max(stream_end)::DATE,
            count(DISTINCT loaded_at::DATE)
        FROM rows JOIN ends USING (platform) GROUP BY event_type ORDER BY event_type
    """
    rows = duckdb.execute(query, [str(HERE / "data/*.parquet")]).fetchall()
    return [
        Found(name, first, last, tuple(where), *more) for name, first, last, where, *more in rows
    ]


def message(each: Found) -> str:
    """The message of one event type, with what it says beside its file's defaults."""
    name = MISSPELLED.get(each.event_type, each.event_type)
    lines = []
    if each.verb != "modified":
        lines.append("tier: TIER_BEST_EFFORT")
    since = f'since: "{each.first}"'
    if each.event_type in RETIRED:
        sunset = RETIRED[each.event_type]
        lines.append(f'lifecycle: {{state: STATE_RETIRED {since} sunset: "{sunset}"}}')
    elif each.end - each.last > QUIET:
        lines.append(f'lifecycle: {{state: STATE_RETIRED {since} sunset: "{each.last}"}}')
    else:
        lines.append(f"lifecycle: {{state: STATE_ACTIVE {since}}}")
    if each.is_sparse:
        lines.append("volume: {pattern: PATTERN_SPARSE}")
    lines += [f'tags: "{platform}"' for platform in each.platforms]
    place = "in the top folder" if each.component == "root" else f"below {each.component}/"
    camel = "".join(word.capitalize() for word in name.split("_"))
    said = "\n".join(f"    {line}" for line in lines)
    return (
        f"// A contributor {DOES[each.verb]} a file {place}.\n"
        f"message {camel} {{\n"
        f"  option (eventwatch.contract.v1.event) = {{\n{said}\n  }};\n"
        f"  // The ending of the file's name.\n"
        f"  string file_extension = 1;\n"
        f"}}\n"
    )


def team_file(team: str, title: str, events: Iterable[Found]) -> str:
    """The .proto of one team."""
    head = f"""// {title}
syntax = "proto3";

package git_history.{team};

import "eventwatch/contract/v1/options.proto";

option (eventwatch.contract.v1.event_defaults) = {{
  owner: {{team: "{team}"}}
  tier: TIER_STANDARD
  exposures: "git_history"
}};
"""
    return "\n".join([head, *(message(each) for each in events)])


def teams_file() -> str:
    """The team directory."""
    values = "".join(
        f"  // {title}\n"
        f"  TEAM_{team.upper()} = {number} [(eventwatch.contract.v1.team) = {{\n"
        f'    slack_channel: "#{team}"\n'
        f"  }}];\n"
        for number, (team, (title, _)) in enumerate(TEAMS.items(), 1)
    )
    return f"""// Who answers for which part of the repositories.
syntax = "proto3";

package git_history;

import "eventwatch/contract/v1/options.proto";

enum Team {{
  TEAM_UNSPECIFIED = 0;
{values}}}
"""


def main() -> None:
    """Replaces contracts/."""
    target = HERE / "contracts"
    target.mkdir(exist_ok=True)
    events = [each for each in found() if each.event_type not in UNDECLARED]
    owned = {component for _, components in TEAMS.values() for component in components}
    strays = sorted({each.component for each in found()} - owned)
    if strays:
        raise SystemExit(f"no team answers for {', '.join(strays)}: add them to TEAMS")
    for team, (title, components) in TEAMS.items():
        mine = [each for each in events if each.component in components]
        (target / f"{team}.proto").write_text(team_file(team, title, mine), encoding="utf-8")
    (target / "teams.proto").write_text(teams_file(), encoding="utf-8")


if __name__ == "__main__":
    main()
