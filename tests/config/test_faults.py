"""Each line of the table is one mistake in a config that is right otherwise, and what is said of it."""

from __future__ import annotations

import pytest

from .conftest import GOOD, Try

EXPOSURE = [
    ("every: 5", "exposures.events.every", "write a span with its unit"),
    ("every: 1s", "exposures.events.every", "between 10 s and 7 d"),
    ("every: 5m\n    cron: '* * * * *'", "exposures.events.cron", "not both"),
    ("cron: '* * * *'", "exposures.events.cron", "five fields"),
    ("cron: '0 0 30 2 *'", "exposures.events.cron", "would never run"),
    ("bucket: 7m", "exposures.events.bucket", "must be 5m, 10m"),
    ("bucket: 2d", "exposures.events.bucket", "must be 5m, 10m"),
    ("bucket: 12h\n    look_back: 23h", "exposures.events.look_back", "between 24 h and 3650 d"),
    ("bucket: 1d\n    look_back: 1d", "exposures.events.look_back", "at least two buckets"),
    ("time_zone: America/Los_Angles", "exposures.events.time_zone", "like America/Los_Angeles"),
    ("every: '*/5 * * * *'", "exposures.events.every", "cron fields go under cron"),
    ("every: '@daily'", "exposures.events.every", "cron fields go under cron"),
    ("every: five minutes", "exposures.events.every", "write a span with its unit"),
    ("time_zone: Berlin", "exposures.events.time_zone", "like Europe/Berlin"),
    ("parquet: x.parquet", "exposures.events.parquet", "either table or parquet"),
    ("partition: {of: loaded_at}", "exposures.events.partition.column", "column is missing"),
    (
        "partition: {column: d, of: loadet_at}",
        "exposures.events.partition.of",
        "did you mean loaded_at?",
    ),
    ("lok_back: 60d", "exposures.events.lok_back", "did you mean look_back?"),
    ("frobnicate: 1", "exposures.events.frobnicate", "known here: connection, table"),
    ("query_timeout: 0", "exposures.events.query_timeout", "between"),
    ("naive_time_zone: 5", "exposures.events.naive_time_zone", "must be text, not a number"),
]


@pytest.mark.parametrize(("line", "key", "message"), EXPOSURE, ids=[e[0] for e in EXPOSURE])
def test_a_mistake_in_an_exposure(faults_of: Try, line: str, key: str, message: str) -> None:
    found = faults_of(GOOD.replace("    owner: data\n", f"    owner: data\n    {line}\n"))
    assert len(found) == 1, found
    assert f" {key}: " in found[0]
    assert message in found[0]


CHANGES = [
    ("event_type: type", "event_typ: type", 8, "did you mean event_type?"),
    ("event_id: id", "event_id: type", 9, "already is the event_type"),
    ("event_id: id", "event_id: ''", 9, "must not be empty"),
    ("dimensions: [platform]", "dimensions: platform", 10, "must be a list, not text"),
    ("dimensions: [platform]", "dimensions: [platform, platform]", 10, "stands twice"),
    ("dimensions: [platform]", "dimensions: [{colum: platform}]", 10, "column is missing"),
    ("dimensions: [platform]", "dimensions: [{column: p, cap: 0}]", 10, "must be at least 1"),
    ("dimensions: [platform]", "dimensions: [{column: p, cap: 1.5}]", 10, "must be a whole number"),
    ("dimensions: [platform]", "dimensions: ['@delay']", 10, "must not begin with @"),
    ("    connection: duckdb://warehouse.duckdb\n", "", 4, "connection is missing"),
    ("    table: analytics.events\n", "", 4, "set table (with connection) or parquet"),
    ("connection: duckdb://warehouse.duckdb", "connection: warehouse.duckdb", 5, "connection URL"),
    (
        "connection: duckdb://warehouse.duckdb",
        "connection: postgers://h/d",
        5,
        "did you mean postgres://?",
    ),
    ("connection: duckdb://warehouse.duckdb", "connection: mongodb://h/d", 5, "does not know"),
    (
        "connection: duckdb://warehouse.duckdb",
        "connection: postgres://u:a/b@h:x/d",
        5,
        "percent-encoded",
    ),
    ("  events:\n", "  'ev ents':\n", 4, "made of letters, digits"),
    ("  data: {slack", "  data: {slak", 13, "did you mean slack_channel?"),
    ('"#data"', '"#Data Team"', 13, 'must be "#channel-name"'),
    ('"#data"', "https://hooks.slack.com/services/T/B/x", 13, 'must be "#channel-name"'),
    (
        '{slack_channel: "#data"}',
        '{slack_channel: "#data", slack_group_id: growth}',
        13,
        "never its name",
    ),
    ("fallback_team: data", "fallback_team: ''", 15, "must not be empty"),
    ("  fallback_team: data", "  fallback: data", 14, "fallback_team is missing"),
    ("source: contracts/", "source: contracts/\n  compiler: protocol", 3, "did you mean protoc?"),
    (
        "source: contracts/",
        "source: contracts/\n  mapping: {mesage: {}}",
        3,
        "did you mean message?",
    ),
    (
        "source: contracts/",
        "source: contracts/\n  include: third_party",
        3,
        "must be a list, not text",
    ),
]


@pytest.mark.parametrize(("old", "new", "line", "message"), CHANGES, ids=[c[1] for c in CHANGES])
def test_a_mistake_in_the_config(
    faults_of: Try, old: str, new: str, line: int, message: str
) -> None:
    assert old in GOOD
    found = faults_of(GOOD.replace(old, new))
    assert [f for f in found if f.startswith(f"config.yaml:{line}: ") and message in f], found


APPENDED = [
    ("slack: {}", "set token or webhook_url"),
    ("slack: {token: abc}", "must be a token"),
    ("slack: {token: 'xoxb-1 2 3 4 5'}", "must be a token"),
    ("slack: {token: 'https://hooks.slack.com/x'}", "belongs in webhook_url"),
    (
        "slack: {token: xoxb-12345678, webhook_url: 'https://hooks.slack.com/x'}",
        "either token or webhook",
    ),
    ("slack: {webhook_url: 'http://hooks.slack.com/x'}", "must begin with https://"),
    ("slack: {webhook_url: 'https://u:p@hooks.slack.com/x'}", "must not hold a user"),
    ("slack: {token: xoxb-12345678, base_url: 'http://slack.com/'}", "must begin with https://"),
    ("slack: {token: xoxb-12345678, base_url: 'ftp://localhost/'}", "must begin with https://"),
    (
        "slack: {token: xoxb-12345678, base_url: 'http://169.254.169.254/'}",
        "must begin with https://",
    ),
    ("slack: xoxb-12345678", "must be a mapping of keys to values, not text"),
    ("reminder: {critical: 5s}", "must be between"),
    ("reminder: {criticl: 5h}", "did you mean critical?"),
    ("links: {contract: 'https://h/{file}'}", "may hold {path} and {line}"),
    ("links: {contract: 'javascript:alert(1)'}", "must begin with https://"),
    ("links: {contract: 'https://h/ <x>|{path}'}", "must not hold blanks"),
]


@pytest.mark.parametrize(("line", "message"), APPENDED, ids=[a[0] for a in APPENDED])
def test_a_mistake_in_notify(faults_of: Try, line: str, message: str) -> None:
    found = faults_of(f"{GOOD}  {line}\n")
    assert len(found) == 1, found
    assert message in found[0]
    assert found[0].startswith("config.yaml:16: notify.")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("state: sqlite://state.db", "three slashes"),
        ("state: 'sqlite:///:memory:'", "must name a file"),
        ("state: 'sqlite:///'", "must name a file"),
        ("state: mysql://h/d", "must begin with sqlite:/// or postgresql://"),
        ("state: 5", "must be a URL"),
        ("state: postgresql://u:a#b@h:x/d", "percent-encoded"),
        ("history: ''", "must be the path of a folder"),
        ("checks: [a]", "must be the path of a folder"),
    ],
)
def test_a_mistake_at_the_top(faults_of: Try, line: str, message: str) -> None:
    (found,) = faults_of(GOOD + line + "\n")
    assert message in found


@pytest.mark.parametrize("section", ["contracts", "exposures", "notify"])
def test_a_missing_section_is_named_with_what_it_is_for(faults_of: Try, section: str) -> None:
    lines, keep = [], True
    for line in GOOD.splitlines():
        keep = not line.startswith(section) if not line.startswith(" ") else keep
        lines += [line] if keep else []
    (found,) = faults_of("\n".join(lines))
    assert f"{section}: {section} is missing: " in found


def test_exposures_without_any_are_called_empty_and_not_missing(faults_of: Try) -> None:
    (found,) = faults_of(
        "contracts: {source: contracts/}\nexposures: {}\nnotify: {fallback_team: data}\n"
    )
    assert ":2: exposures: exposures is empty: The watched tables" in found


@pytest.mark.parametrize("text", ["", "[]", "x", "5"])
def test_a_config_that_is_no_mapping_is_one_fault(faults_of: Try, text: str) -> None:
    (found,) = faults_of(text)
    assert "must be a mapping with contracts, exposures and notify" in found


def test_rules_are_checked_even_where_another_setting_is_wrong(faults_of: Try) -> None:
    text = GOOD.replace("    owner: data", "    every: 5m\n    cron: '* * * * *'\n    bucket: 7m")
    found = faults_of(text)
    assert any("either every or cron" in f for f in found)
    assert any("must be 5m, 10m" in f for f in found)


def test_two_spellings_of_one_team_are_refused(faults_of: Try) -> None:
    (found,) = faults_of(GOOD.replace("teams:\n", "teams:\n  DATA:\n"))
    assert "is the same team as 'data' above" in found


CANARY = "hunter22canary"


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("duckdb://warehouse.duckdb", f"postgers://u:{CANARY}@h/d"),
        GOOD.replace("duckdb://warehouse.duckdb", f"postgres://u:{CANARY}@h:x/d"),
        GOOD.replace("duckdb://warehouse.duckdb", f"u:{CANARY}@h/d"),
        GOOD.replace("duckdb://warehouse.duckdb", f"[u:{CANARY}]"),
        GOOD.replace("duckdb://warehouse.duckdb", "${PW}"),
        GOOD.replace("owner: data", "partition: {column: a, of: '${PW}'}"),
        GOOD + "  slack: {token: '${PW} x'}\n",
        GOOD + f"  slack: {CANARY}\n",
        GOOD + f"  slack: {{webhook_url: 'http://h/{CANARY}'}}\n",
        GOOD + f"  slack: {{token: [{CANARY}]}}\n",
        GOOD + f"state: mysql://u:{CANARY}@h/d\n",
        GOOD + f"state: {{a: {CANARY}}}\n",
        GOOD + f"notify: {CANARY}\n",
        GOOD + f"  slack: {{token: '{CANARY}\n",
    ],
)
def test_faults_never_hold_a_secret(faults_of: Try, text: str) -> None:
    found = faults_of(text, env={"PW": CANARY})
    assert found
    assert CANARY not in "\n".join(found)


def test_an_unset_variable_is_one_fault_and_not_two(faults_of: Try) -> None:
    (found,) = faults_of(GOOD + "  slack: {token: '${SLACK_BOT_TOKEN}'}\n")
    assert "SLACK_BOT_TOKEN is not set" in found
