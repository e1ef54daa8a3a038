"""Every planted incident of the demo is found, by its kind, for its owner, at its time; little else."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch.demo import DemoSummary, Planted, write
from tests.fakes.project import Done

NOW = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
NEAR = timedelta(hours=3)
BUDGET = 1
"""Volume alerts that nobody planted: the default allows one per team and week."""


class Demo:
    """The marketplace and its audit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.summary: DemoSummary = write(folder, rows=1_000_000, seed=7, now=NOW)
        done = self.run("--format", "json")
        self.done = done
        self.findings: list[dict[str, Any]] = done.findings(disposition="firing")

    def run(self, *arguments: str) -> Done:
        """``eventwatch run-once`` as of the instant the demo was made for."""
        done = subprocess.run(
            [sys.executable, "-m", "eventwatch", "run-once", "--at", NOW.isoformat(), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return Demo(tmp_path_factory.mktemp("marketplace"))


def is_of(finding: dict[str, Any], planted: Planted) -> bool:
    return bool(
        finding["kind"] == planted.kind.value
        and finding["event_type"] == planted.event_type
        and finding["owner"]["team"] == planted.owner
        and (planted.cut is None or (finding["cut"] or {}).get("value") == planted.cut.value)
    )


def test_every_planted_incident_is_found_with_its_kind_owner_and_time(demo: Demo) -> None:
    missed = []
    for planted in demo.summary.planted:
        hits = [f for f in demo.findings if is_of(f, planted)]
        near = [
            f
            for f in hits
            if abs(datetime.fromisoformat(f["since"]) - planted.start_at) <= NEAR
            or planted.start_at < NOW - timedelta(days=30)
        ]
        if not near:
            missed.append((planted.sentence, planted.event_type, [f["since"] for f in hits]))
    assert missed == []


def test_what_was_not_planted_is_not_alerted(demo: Demo) -> None:
    about = {p.event_type for p in demo.summary.planted if p.event_type is not None}
    cuts = {p.cut.value for p in demo.summary.planted if p.cut is not None}
    others = [
        f
        for f in demo.findings
        if f["event_type"] not in about
        and f["aspect"] not in ("null_type",)
        and (f["cut"] or {}).get("value") not in cuts
    ]
    volume = [f for f in others if f["kind"] == "volume"]
    assert [f for f in others if f["kind"] != "volume"] == []
    assert len(volume) <= BUDGET, volume


def test_every_kind_of_check_shows(demo: Demo) -> None:
    assert {f["kind"] for f in demo.findings} == {"freshness", "drift", "volume", "duplicates"}


def test_the_preview_has_one_message_per_owner(demo: Demo) -> None:
    report = demo.run("--format", "json", "--preview").report
    told = [m for m in report["messages"] if m["state"] != "withheld"]
    channels = [m["channel"] for m in told]
    assert len(channels) == len(set(channels))
    teams = {m["team"] for m in told}
    # Consumers that a contract names are told as well; best-effort types wait for the daily digest.
    assert {p.owner for p in demo.summary.planted} <= teams | {
        m["team"] for m in report["messages"]
    }
    assert teams - {p.owner for p in demo.summary.planted} <= {"ranking-model", "revenue-dashboard"}


def test_the_table_names_owner_and_contract(demo: Demo) -> None:
    text = demo.run().out
    for planted in demo.summary.planted:
        assert planted.event_type is None or planted.event_type in text
        assert planted.owner in text
    assert ".proto:" in text


def test_it_ends_with_1_because_the_data_is_wrong(demo: Demo) -> None:
    assert demo.done.code == 1
