"""On the real streams: what is planted is found, and nothing else changes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.fakes.project import Done

EXAMPLE = Path(__file__).parents[2] / "examples" / "git_history"
AT = datetime(2024, 8, 1, tzinfo=UTC)
QUIET = ("2020-05-05", "2021-06-01", "2022-03-15", "2023-02-01", "2025-09-10", "2026-06-01")
"""Instants nobody chose for what happened at them."""


def audit(folder: Path, at: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "eventwatch", "run-once", "--format", "json", "--at", at],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def told(done: Done) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Findings by kind, aspect and event type."""
    return {(f["kind"], f["aspect"], f["event_type"] or str(f["cut"])): f for f in done.findings()}


@pytest.fixture(scope="module")
def before() -> dict[tuple[str, str, str], dict[str, Any]]:
    return told(audit(EXAMPLE, AT.isoformat()))


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The same with one event type renamed, one that nobody declared, and one retired."""
    folder = tmp_path_factory.mktemp("streams") / "git_history"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("var"))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        for file in sorted((folder / "data").glob("*.parquet")):
            connection.execute(f"CREATE OR REPLACE TABLE t AS SELECT * FROM '{file}'")
            connection.execute(
                "UPDATE t SET event_type = 'contributor_modify_tests'"
                " WHERE event_type = 'contributor_modified_tests' AND loaded_at >= '2024-06-10'"
            )
            connection.execute(
                "INSERT INTO t SELECT * REPLACE (uuid() AS event_id, 'robot_closed_ticket' AS"
                " event_type) FROM t WHERE event_type = 'contributor_modified_root'"
                " AND loaded_at >= '2024-07-20' AND loaded_at < '2024-08-01'"
            )
            file.unlink()
            connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    for proto in (folder / "contracts").rglob("*.proto"):
        text = proto.read_text()
        proto.write_text(
            re.sub(
                r'(message ContributorModifiedHc \{.*?)STATE_ACTIVE since: "[^"]*"',
                r'\1STATE_RETIRED sunset: "2024-06-01"',
                text,
                count=1,
                flags=re.DOTALL,
            )
        )
    return told(audit(folder, AT.isoformat()))


def test_the_renamed_type_is_silent_and_its_new_name_unknown(
    after: dict[tuple[str, str, str], dict[str, Any]],
) -> None:
    silent = after["freshness", "silence", "contributor_modified_tests"]
    assert silent["owner"]["team"] == "tests"
    assert silent["since"].startswith("2024-06-0")
    new = after["drift", "unseen", "contributor_modify_tests"]
    assert new["owner"]["is_fallback"]
    assert new["since"].startswith("2024-06-1")
    assert "contributor_modified_tests" in str(new)


def test_the_undeclared_type_is_found_from_its_first_row(
    after: dict[tuple[str, str, str], dict[str, Any]],
) -> None:
    assert after["drift", "unseen", "robot_closed_ticket"]["since"].startswith("2024-07-2")


def test_the_retired_type_that_still_comes_is_found(
    after: dict[tuple[str, str, str], dict[str, Any]],
) -> None:
    assert ("drift", "retired", "contributor_modified_hc") in after


def test_nothing_else_changes(
    before: dict[tuple[str, str, str], dict[str, Any]],
    after: dict[tuple[str, str, str], dict[str, Any]],
) -> None:
    planted = {
        "contributor_modified_tests",
        "contributor_modify_tests",
        "robot_closed_ticket",
        "contributor_modified_hc",
    }
    assert {key for key in before.keys() ^ after.keys() if key[2] not in planted} == set()


@pytest.mark.parametrize("day", QUIET)
def test_an_ordinary_day_has_little_to_say(day: str) -> None:
    """Beside the types left undeclared on purpose, at most two alerts: people commit in bursts."""
    done = audit(EXAMPLE, day)
    assert done.code in (0, 1), done.err
    alerts = [
        f
        for f in done.findings(disposition="firing")
        if f["severity"] != "info"
        and f["aspect"] not in ("unseen", "retired", "missing")
        # What stopped long ago and is still declared is true, and no news.
        and f["since"] > (datetime.fromisoformat(day) - timedelta(days=60)).isoformat()
    ]
    assert len(alerts) <= 2, [(f["event_type"], f["summary"]) for f in alerts]
