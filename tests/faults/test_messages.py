"""F2, F3 and F4: senders that are killed, answers that are lost or broken, a storm while limited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.delivery_proof.proof import (
    Figures as Proof,
)
from tests.delivery_proof.proof import (
    by_token,
    by_token_unharmed,
    by_webhook,
    postgres_on,
    sqlite_in,
)
from tests.delivery_proof.storm import storm
from tests.faults.figures import Figures
from tests.faults.server import Server

ODD = {"dropped": 0.03, "broken": 0.01, "limited": 0.01, "unread": 0.02, "odd": 0.02}
pytestmark = pytest.mark.slow


def judged(figures: Figures, tried: int, of: Proof) -> None:
    figures.tried(tried)
    assert (of.unfinished[:5], of.integrity) == ([], "ok")
    figures.messages(of.lost, of.duplicated)


def test_senders_killed_at_every_named_point(tmp_path: Path, figures: Figures) -> None:
    of = by_token(sqlite_in(tmp_path), 300)
    assert of.missed == []
    judged(figures, of.kills, of)


def test_senders_to_a_webhook_killed_at_random(tmp_path: Path, figures: Figures) -> None:
    """It cannot be asked what it took: what is there twice says that it may be, or is unfinished."""
    of = by_webhook(sqlite_in(tmp_path), 30)
    figures.tried(of.kills)
    assert of.unfinished[:5] == []
    figures.messages(of.lost, [])


def test_senders_killed_on_a_server(server: Server, figures: Figures) -> None:
    with postgres_on(server.url) as state:
        of = by_token(state, 60)
    assert of.missed == []
    judged(figures, of.kills, of)


def test_every_sort_of_bad_answer(tmp_path: Path, figures: Figures) -> None:
    of = by_token_unharmed(sqlite_in(tmp_path), 1_200, ODD)
    assert {"truncated", "HTML", "empty", "hanging", "dropped", "broken"} <= set(of.faults)
    assert of.rows >= 2_000
    judged(figures, sum(of.faults.values()), of)


def test_ten_thousand_messages_at_once(tmp_path: Path, figures: Figures) -> None:
    of = storm(sqlite_in(tmp_path), 10_000)
    figures.tried(of.size)
    assert (of.rejected, of.misrouted) == (0, 0)
    assert of.while_limited / max(1, of.asked) <= 0.01
    assert of.slowest >= 0.8, "a channel waited for another's limit"
    figures.messages(of.lost, of.duplicated)
