"""``eventwatch feedback`` from the command line to what the next cycle does with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventwatch.cli.main import run_command
from eventwatch.model.settings import Secret
from eventwatch.store.sql import open_store
from tests.fakes.project import Project, steady

TYPES = ("order_placed", "order_paid", "cart_opened", "item_seen", "page_seen", "user_met")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Six types at an even pace; one of them stopped five hours ago, and a cycle told so."""
    project = Project(tmp_path_factory.mktemp("feedback") / "shop")
    project.declare(*TYPES)
    project.config()
    now = datetime.now(UTC)
    frame = steady(TYPES, until=now, days=12, per_hour=60)
    stopped = (frame.event_type == "order_paid") & (frame.occurred_at > now - timedelta(hours=5))
    project.rows(frame[~stopped])
    first = project.run("run-once", "--send", "--check", "volume")
    assert first.code == 1, first.err
    assert "order_paid" in first.out
    return project


def alerts(project: Project) -> list[Any]:
    """Open ones."""
    store = open_store(Secret(f"sqlite:///{project.folder}/var/state.db"))
    try:
        return list(store.exposure_state("events", datetime.now(UTC)).alerts)
    finally:
        store.close()


def test_what_is_not_understood_is_refused_with_what_to_do(
    shop: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shop.folder)
    said = ("--verdict", "was-real", "--reason", "x")
    for arguments, words in (
        (("order_plced", *said), "did you mean order_placed"),
        (("deadbeef99", *said), "no alert and no event type"),
        (("order_placed", *said), "--at, or --from and --to"),
        (("order_placed", "--at", "1h ago", "--from", "2h ago", *said), "either --at or --from"),
        (("order_placed", "--to", "2h ago", *said), "--to needs --from"),
        (("order_placed", "--from", "1h ago", "--to", "2h ago", *said), "end after it begins"),
        (("order_placed", "--from", "200d ago", *said), "at most 90 days"),
        (("order_placed", "--at", "2099-01-01", *said), "has not come yet"),
        (("order_placed", "--at", "soon", *said), "write an instant"),
        (("order_placed", "--at", "1h ago", "--exposure", "evnts", *said), "did you mean events"),
        (("order_placed", "--at", "1h ago", "--verdict", "was-real", "--reason", " "), "say why"),
    ):
        assert run_command(["feedback", "add", *arguments]) == 2, arguments
        assert words in capsys.readouterr().err, arguments
    assert run_command(["feedback", "list"]) == 0
    assert capsys.readouterr().out == "nobody said anything yet\n"
    assert run_command(["feedback", "end", "00000000"]) == 2
    assert "no label" in capsys.readouterr().err


def test_not_a_problem_ends_the_alert_in_the_next_cycle(shop: Project) -> None:
    """Said of the event type, then taken back, then said of the alert by its fingerprint. Before that
    it was said to be real, which leaves the alert as it is."""
    (alert,) = alerts(shop)
    assert alert.result.event_type == "order_paid"
    real = ("--verdict", "was-real", "--reason", "release 4.2")
    done = shop.run("feedback", "add", alert.id, *real)
    assert done.code == 0, done.err
    shop.run("run-once", "--send", "--check", "volume")
    assert [each.id for each in alerts(shop)] == [alert.id]
    assert shop.run("feedback", "end", re.findall(r"feedback end (\w+)", done.out)[0]).code == 0
    said = ("--verdict", "not-a-problem", "--reason", "moved to \x1b[31mbilling")
    done = shop.run("feedback", "add", "order_paid", *said)
    assert done.code == 0, done.err
    assert "not a problem: order_paid in events" in done.out
    label = re.findall(r"feedback end (\w+)", done.out)[0]
    listed = shop.run("feedback", "list", env={"COLUMNS": "200"}).out
    assert label in listed
    assert "\x1b" not in listed
    assert shop.run("feedback", "end", label).out == "taken back\n"
    assert label not in shop.run("feedback", "list").out
    done = shop.run("feedback", "add", alert.fingerprint[:10], *said)
    assert done.code == 0, done.err
    audit = shop.audit("--check", "volume")
    assert audit.findings(event_type="order_paid") == []
    shop.run("run-once", "--send", "--check", "volume")
    assert alerts(shop) == []
    store = open_store(Secret(f"sqlite:///{shop.folder}/var/state.db"))
    (ended,) = store.alerts_like(alert.fingerprint)
    store.close()
    assert ended.end_reason.startswith("not a problem, says")
    assert "billing" in ended.end_reason
