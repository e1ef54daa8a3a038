from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.config.load import Loaded, load
from eventwatch.model.errors import ConfigError
from eventwatch.model.settings import Columns, Dimension, Settings
from eventwatch.model.status import Severity

from .conftest import GOOD, Try, Write

Load = Callable[..., Loaded]


def settings(loaded: Load, text: str = GOOD, **env: str) -> Settings:
    return loaded(text, env=env).settings


def test_a_short_config_is_completed_by_defaults(loaded: Load, tmp_path: Path) -> None:
    found = settings(loaded)
    (exposure,) = found.exposures
    assert exposure.table == "analytics.events"
    assert exposure.columns == Columns("type", "occurred_at", "loaded_at", "id", None)
    assert exposure.dimensions == (Dimension("platform", "platform"),)
    assert exposure.every == timedelta(minutes=5)
    assert exposure.location.endswith("config.yaml:4")
    assert found.notify.fallback_team == "data"
    assert found.notify.reminder[Severity.CRITICAL] == timedelta(hours=1)
    assert found.notify.slack is None
    assert found.contracts.source == tmp_path / "contracts"


def test_relative_paths_are_taken_from_the_folder_of_the_config(
    loaded: Load, tmp_path: Path
) -> None:
    found = settings(loaded)
    assert found.exposures[0].connection.reveal() == f"duckdb://{tmp_path}/warehouse.duckdb"
    assert found.state.reveal() == f"sqlite:///{tmp_path}/var/eventwatch/state.db"
    assert found.history == tmp_path / "var/eventwatch/history"
    assert found.checks == tmp_path / "checks"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("duckdb:///data/w.duckdb", "duckdb:///data/w.duckdb"),
        ("duckdb://../w.duckdb?threads=2", "duckdb://{up}/w.duckdb?threads=2"),
        ("duckdb://a%20b/w.duckdb", "duckdb://{here}/a%20b/w.duckdb"),
        ("sqlite://w.db", "sqlite://{here}/w.db"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
    ],
)
def test_database_files_are_found_wherever_one_stands(
    loaded: Load, tmp_path: Path, written: str, read: str
) -> None:
    found = settings(loaded, GOOD.replace("duckdb://warehouse.duckdb", written))
    expected = read.format(here=tmp_path, up=tmp_path.parent)
    assert found.exposures[0].connection.reveal() == expected


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("sqlite:///s.db", "sqlite:///{here}/s.db"),
        ("sqlite:////var/s.db", "sqlite:////var/s.db"),
        ("postgresql://u:p@h/d", "postgresql://u:p@h/d"),
    ],
)
def test_the_state_is_found_wherever_one_stands(
    loaded: Load, tmp_path: Path, written: str, read: str
) -> None:
    found = settings(loaded, GOOD + f"state: {written}\n")
    assert found.state.reveal() == read.format(here=tmp_path)


def test_parquet_needs_no_connection_and_its_folder_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "odd[1]"
    folder.mkdir()
    text = re.sub(r"    connection:.*\n    table:.*\n", "    parquet: lake/**/*.parquet\n", GOOD)
    (folder / "config.yaml").write_text(text)
    (exposure,) = load(folder / "config.yaml", {}).settings.exposures
    assert exposure.connection.reveal() == "duckdb://"
    assert exposure.parquet == f"{tmp_path}/odd[[]1]/lake/**/*.parquet"


def test_a_folder_stands_for_its_config(write: Write) -> None:
    assert load(write().parent, {}).settings.notify.fallback_team == "data"


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="eventwatch init"):
        load(tmp_path / "config.yaml", {})


def test_everything_can_be_set(loaded: Load) -> None:
    text = """\
contracts:
  source: c.binpb
  compiler: buf
  envelope: acme.Envelope
  include: [third_party]
  mapping: {message: {acme.owner: owner.team}}
exposures:
  e:
    connection: postgresql://u:${PW}@h:5432/d?sslmode=require
    table: a.b
    columns: {loaded_at: null, payload: body}
    dimensions:
      - platform
      - {column: app_ver, name: app_version, cap: 10, owners: {"1.0": IOS_Team}}
    partition: {column: day, of: occurred_at}
    time_zone: America/Los_Angeles
    naive_time_zone: Europe/Berlin
    cron: "*/5 * * * *"
    bucket: 15m
    look_back: 30d
    overlap: 1h
    late_window: 3d
    query_timeout: 5m
    lock_wait: 0
teams:
  IOS_Team:
    {slack_channel: C0123ABCDEF, slack_group_id: S0123ABCD, oncall: ios, email: a@b, escalate_to: data}
  data:
notify:
  fallback_team: Data
  slack: {token: "${TOKEN}", timeout: 5s, base_url: "http://127.0.0.1:8080/api"}
  reminder: {critical: null, info: 7d}
  links: {contract: "https://git.example.com/{path}#L{line}"}
state: postgresql://u:${PW}@h/state
history: h
checks: rules
"""
    loaded_all = loaded(text, env={"PW": "p", "TOKEN": "xoxb-12345678"})
    found = loaded_all.settings
    (exposure,) = found.exposures
    assert exposure.connection.reveal() == "postgresql://u:p@h:5432/d?sslmode=require"
    assert not exposure.has_load_time
    assert exposure.dimensions[1] == Dimension("app_version", "app_ver", 10, {"1.0": "ios-team"})
    assert exposure.partition is not None
    assert (exposure.cron, exposure.lock_wait) == ("*/5 * * * *", timedelta(0))
    assert exposure.time_zone.key == "America/Los_Angeles"
    assert set(found.teams) == {"ios-team", "data"}
    assert found.notify.slack is not None
    assert found.notify.slack.token is not None
    assert found.notify.slack.token.reveal() == "xoxb-12345678"
    assert found.notify.slack.base_url == "http://127.0.0.1:8080/api/"
    assert found.notify.reminder == {
        Severity.WARNING: timedelta(hours=24),
        Severity.INFO: timedelta(days=7),
    }
    assert loaded_all.warnings == ()


def test_secrets_in_the_file_are_warned_of_and_not_shown(loaded: Load) -> None:
    text = GOOD.replace("duckdb://warehouse.duckdb", "postgresql://u:hunter22@h/d")
    text += 'state: "postgresql://u@h/d?password=hunter22"\n'
    text = text.replace(
        "fallback_team: data", "fallback_team: data\n  slack: {token: xoxb-hunter22}"
    )
    warnings = loaded(text).warnings
    assert {w.key for w in warnings} == {
        "exposures.events.connection",
        "state",
        "notify.slack.token",
    }
    assert "hunter22" not in str(warnings)


def test_secrets_do_not_show_in_any_repr(loaded: Load) -> None:
    text = GOOD.replace("duckdb://warehouse.duckdb", "postgresql://u:${PW}@h/d")
    assert "hunter22" not in repr(loaded(text, env={"PW": "hunter22"}))


def test_faults_of_every_file_come_at_once_in_the_order_of_file_and_line(faults_of: Try) -> None:
    text = GOOD.replace("table:", "tabel:").replace("fallback_team: data", "fallback_taem: data")
    text += "historie: x\n"
    found = faults_of(
        text, {"a.yaml": "- kind: volum\n- kind: drift\n  grace: 5\n", "b.yaml": "x: ["}
    )
    assert [f.split(": ")[0] for f in found] == [
        "checks/a.yaml:1",
        "checks/a.yaml:3",
        "checks/b.yaml:1",
        "config.yaml:4",
        "config.yaml:6",
        "config.yaml:14",
        "config.yaml:15",
        "config.yaml:16",
    ]


def test_values_of_yaml_1_1_are_not_guessed_at(faults_of: Try) -> None:
    text = GOOD.replace("owner: data", "owner: 0123").replace(
        "table: analytics.events", "table: true"
    )
    found = faults_of(text)
    assert len(found) == 2
    assert all("put it in quotes" in fault for fault in found)
