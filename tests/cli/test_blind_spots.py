"""``eventwatch blind-spots`` as a person and as a pipeline run it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.fakes.project import Done, Project

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = {"busy": 60.0, "calm": 4.0, "rare": 0.1, "wild": 20.0}
"""Rows an hour; nobody declares wild."""
HOSTILE = "\x1b[31mred[bold]\u202e"


def random_rows(rates: dict[str, float], days: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    frames = []
    for name, rate in rates.items():
        count = rng.poisson(rate * 24 * days)
        age = np.sort(rng.uniform(60, days * 86400, count))[::-1]
        occurred = pd.to_datetime(NOW.timestamp() - age, unit="s", utc=True)
        frames.append(
            pd.DataFrame(
                {
                    "event_id": [f"{name}-{i}" for i in range(count)],
                    "event_type": name,
                    "occurred_at": occurred,
                    "loaded_at": occurred + timedelta(seconds=30),
                    "platform": "web",
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("blind"))
    made.declare("busy", "calm", "rare")
    made.contracts(
        'message Gone { option (eventwatch.contract.v1.event) = { owner { team: "growth" }'
        ' event_type: "gone" description: "d" lifecycle { state: STATE_DRAFT } }; }\n',
        "draft.proto",
    )
    made.config()
    made.rows(random_rows({**RATES, HOSTILE: 0.2}))
    return made


def asked(project: Project, *arguments: str) -> Done:
    return project.run("blind-spots", "--at", "2026-03-01T12:00", *arguments)


@pytest.fixture(scope="module")
def answer(project: Project) -> dict[str, Any]:
    done = asked(project, "--format", "json")
    assert done.code == 0, done.err
    return done.report


@pytest.fixture(scope="module")
def table(project: Project) -> str:
    done = asked(project)
    assert done.code == 0, done.err
    return done.out


def event_types(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {e["event_type"]: e for x in answer["exposures"] for e in x["event_types"]}


def test_what_is_blind_stands_first_with_what_to_do(answer: dict[str, Any]) -> None:
    found = answer["exposures"][0]["event_types"]
    standings = [e["standing"] for e in found]
    assert standings == sorted(standings, key=["blind", "learning", "seen", "off"].index)
    rare = event_types(answer)["rare"]
    assert rare["standing"] == "blind"
    assert rare["within"]["24h"]["drop"] is None
    line = rare["advice"][0]["line"]
    assert line.startswith("freshness { max_gap_seconds: ")
    assert rare["advice"][0]["place"].startswith("events.proto:")
    assert all(e["advice"] == [] for e in found if e["standing"] != "blind")


def test_a_busy_event_type_is_seen_and_told_by_volume(answer: dict[str, Any]) -> None:
    busy = event_types(answer)["busy"]
    assert busy["standing"] == "seen"
    assert busy["judged_by"] == "hour"
    assert busy["rows_per_day"] == pytest.approx(1440, rel=0.05)
    assert 0 < busy["within"]["24h"]["drop"] < 1
    assert busy["within"]["24h"]["rise"] > 1
    assert busy["stop"]["told_after_seconds"] <= 6 * 3600


def test_a_draft_is_not_watched_on_purpose_and_does_not_count_as_blind(
    answer: dict[str, Any],
) -> None:
    gone = event_types(answer)["gone"]
    assert gone["standing"] == "off"
    assert "draft" in gone["off"]
    assert answer["counts"]["off"] == 1


def test_the_written_line_makes_it_seen(project: Project, answer: dict[str, Any]) -> None:
    """The advice is what it says: with the line in the contract the stop is told in that time."""
    calm = event_types(answer)["rare"]
    best = next(a for a in calm["advice"] if "max_gap" in a["line"])
    contracts = project.folder / "contracts" / "events.proto"
    before = contracts.read_text()
    try:
        contracts.write_text(
            before.replace('event_type: "rare"', f'event_type: "rare" {best["line"]}')
        )
        after = event_types(asked(project, "-t", "rare", "-f", "json").report)["rare"]
    finally:
        contracts.write_text(before)
    told = after["stop"]["told_after_seconds"]
    assert after["stop"]["by"] == "freshness"
    # Rounded up to the next silence that is tried.
    assert best["told_after_seconds"] <= told <= 2 * best["told_after_seconds"]


def test_counts_add_up(answer: dict[str, Any]) -> None:
    blind = answer["counts"]["blind"]
    assert blind == sum(e["standing"] == "blind" for e in event_types(answer).values())
    assert answer["event_types"] == len(event_types(answer))
    assert sum(answer["counts"].values()) == answer["event_types"]
    assert answer["exit_code"] == 0


def test_the_last_lines_say_how_many_are_blind(table: str, answer: dict[str, Any]) -> None:
    blind, total = answer["counts"]["blind"], answer["event_types"]
    assert (
        f"{blind} of {total} event types: a drop to zero would not be told within a day." in table
    )
    assert "nine times in ten" in table


def test_the_table_is_harmless_and_holds_every_event_type(table: str) -> None:
    assert "\x1b" not in table
    assert "\u202e" not in table
    for name in RATES:
        assert name in table
    assert "red[bold]" in table


def test_within_decides_what_is_blind_and_what_fails(
    project: Project, answer: dict[str, Any]
) -> None:
    done = asked(project, "-f", "json", "-t", "calm", "--within", "1h", "--fail-on-blind", "1")
    assert done.code == 1
    assert done.out.isascii()
    assert json.loads(done.out)["schema"] == "eventwatch.blind-spots/1"
    assert done.report["within_seconds"] == 3600
    assert event_types(done.report)["calm"]["standing"] == "blind"
    assert event_types(answer)["calm"]["standing"] == "seen"


def test_a_team_is_asked_for_what_it_owns(project: Project) -> None:
    others = asked(project, "-f", "json", "--team", "data-platform", "--fail-on-blind", "5")
    assert others.code == 0
    found = event_types(others.report)
    assert set(found) == {"wild", HOSTILE}
    assert found["wild"]["contract"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--event-type", "bussy"), "busy"),
        (("--team", "growht"), "growth"),
        (("--exposure", "evnts"), "events"),
        (("--at", "soon"), "--at"),
        (("--within", "2h"), "24h"),
        (("--fail-on-blind", "0"), "fail-on-blind"),
    ],
)
def test_what_does_not_exist_is_refused(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    done = project.run("blind-spots", "--at", "2026-03-01T12:00", *arguments)
    assert done.code == 2
    assert said in done.err


def test_an_exposure_that_cannot_be_read_is_said_and_gives_three(tmp_path: Path) -> None:
    made = Project(tmp_path / "p")
    made.declare("busy")
    made.config(connection="duckdb://" + str(tmp_path / "absent" / "no.duckdb"))
    done = made.run("blind-spots")
    assert done.code == 3
    assert "not measured" in done.out


def test_a_young_event_type_is_said_to_be_learned(tmp_path: Path) -> None:
    made = Project(tmp_path / "p")
    made.declare("busy")
    made.config()
    made.rows(random_rows({"busy": 20.0}, days=2))
    found = event_types(asked(made, "-f", "json").report)["busy"]
    assert found["standing"] == "learning"
    assert found["learning_until"] > "2026-03-01"


def test_a_check_that_is_switched_off_is_on_purpose(tmp_path: Path) -> None:
    made = Project(tmp_path / "p")
    made.declare("busy")
    made.config()
    (made.folder / "checks" / "off.yaml").write_text(
        "- {kind: volume, enabled: false}\n- {kind: freshness, enabled: false}\n"
    )
    made.rows(random_rows({"busy": 20.0}))
    done = asked(made, "-f", "json", "--fail-on-blind", "1")
    assert done.code == 0
    found = event_types(done.report)["busy"]
    assert found["standing"] == "off"
    assert "checks/off.yaml" in found["off"]
