"""What eventwatch says of the real stream: what is wrong on purpose, what really happened, no more."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "git_history"
PLANTED = {
    ("drift", "unseen", "contributor_modified_featurecontrol"),
    ("drift", "unseen", "contributor_modified_reqs"),
    ("drift", "unseen", "contributor_modified_template"),
    ("drift", "missing", "contributor_modified_feature_control"),
    ("drift", "retired", "contributor_modified_templates"),
}
STOPPED = ("freshness", "silence", "contributor_modified_great_expectations")


def audit(at: str) -> set[tuple[str, str, str | None]]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "eventwatch", "run-once", "--format", "json"),
            *("--config", str(EXAMPLE / "config.yaml"), "--at", at),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    findings = report["exposures"][0]["findings"]
    return {(f["kind"], f["aspect"], f["event_type"]) for f in findings}


def test_the_instant_of_the_demo_shows_what_is_planted_and_what_really_stopped() -> None:
    found = audit("2024-11-20T09:00:00Z")
    assert found >= PLANTED | {STOPPED}
    # The same stop, seen at other event types of the same repository, is no noise.
    others = {f for f in found - PLANTED if f[:2] != ("freshness", "silence")}
    assert {f for f in others if f[0] != "drift" or not f[1].startswith("value")} == set()


def test_a_usual_week_shows_nothing_but_what_nobody_declared() -> None:
    found = audit("2023-11-15T12:00:00Z")
    assert {f for f in found if f not in PLANTED} == set()


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_contracts", EXAMPLE / "make_contracts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_contracts_are_those_that_the_script_writes(
    maker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").symlink_to(EXAMPLE / "data")
    monkeypatch.setattr(maker, "HERE", tmp_path)
    maker.main()
    kept = {path.name: path.read_text() for path in (EXAMPLE / "contracts").glob("*.proto")}
    made = {path.name: path.read_text() for path in (tmp_path / "contracts").glob("*.proto")}
    assert made == kept
