"""The short form of ``python -m tests.delivery_proof``: killed senders lose and repeat nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from eventwatch.model.faultpoint import POINTS, faultpoint
from tests.delivery_proof.feed import Feed
from tests.delivery_proof.proof import by_token, sqlite_in

SOURCE = Path(__file__).parents[2] / "src" / "eventwatch"


def test_a_sender_that_is_killed_anywhere_loses_nothing_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    figures = by_token(sqlite_in(tmp_path), 28, webhooks=False, backlog=60, say=lambda _: None)
    assert figures.lost == []
    assert figures.duplicated == []
    assert figures.unfinished == []
    assert figures.integrity == "ok"
    assert figures.missed == [], "a named point that no sender passes"
    assert figures.kills >= 24
    assert figures.expected > 150


def test_the_proof_finds_what_is_lost_twice_or_stale() -> None:
    feed = Feed(1)
    feed.keys |= {"post-0", "post-1", "post-2"}
    feed.newest |= {"post-1": "post-1 v3", "post-2": "post-2 v0"}
    dump = {
        "messages": [
            {"key": "post-1", "text": "post-1 v2"},
            {"key": "post-2", "text": "post-2 v0"},
            {"key": "post-2", "text": "post-2 v0"},
        ],
        "hooked": [],
        "files": [],
    }
    tally = feed.tally(dump)
    assert tally.lost == ("post-0", "post-1 reads 'post-1 v2', not 'post-1 v3'")
    assert tally.duplicated == ("post-2",)


def test_every_named_point_stands_once_in_the_source() -> None:
    text = "".join(
        path.read_text("utf-8")
        for path in sorted(SOURCE.rglob("*.py"))
        if path.name != "faultpoint.py"
    )
    said = [point for point in POINTS if text.count(f'faultpoint("{point}")') == 1]
    by_call = {
        f"{name}.{side}" for name in ("post", "reply", "update") for side in ("before", "after")
    }
    assert set(said) | by_call == set(POINTS)
    assert set(said).isdisjoint(by_call)


def test_without_the_variable_a_named_point_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENTWATCH_CRASH_AT", raising=False)
    for point in POINTS:
        faultpoint(point)
    monkeypatch.setenv("EVENTWATCH_CRASH_AT", "another")
    faultpoint("claim.before")
