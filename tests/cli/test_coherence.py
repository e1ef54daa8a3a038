"""Commands say the same of the same thing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eventwatch.cli.main import run_command
from tests.fakes.project import Project, steady


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """One small table, as the config says."""
    project = Project(tmp_path / "shop")
    project.declare("order_paid")
    project.config()
    project.rows(steady(("order_paid",), until=datetime.now(UTC), days=2, per_hour=4))
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.delenv("EVENTWATCH_CONFIG", raising=False)
    return project


def test_every_command_names_the_line_of_the_setting_that_is_wrong(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop.folder / "config.yaml"
    text = file.read_text(encoding="utf-8")
    text = text.replace(
        "columns: {event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at,",
        "columns:\n      event_type: event_type\n      occurred_at: occurred_at\n"
        "      loaded_at: loadedat\n     ",
    ).replace(" event_id: event_id}", " event_id: eventid")
    file.write_text(text, encoding="utf-8")
    lines = text.splitlines()
    wanted = [
        f"config.yaml:{1 + lines.index(next(x for x in lines if word in x))}: "
        for word in ("loadedat", "eventid")
    ]
    for command in (
        ("validate",),
        ("run-once",),
        ("blind-spots",),
        ("explain", "order_paid"),
        ("why-not", "--event-type", "order_paid"),
        ("backtest", "--from", "1d ago"),
    ):
        assert run_command(command) in (2, 3), command
        said = capsys.readouterr()
        both = said.out + said.err
        for place in wanted:
            assert both.count(place) == 1, (command, both)
        assert "\\nconfig.yaml" not in both, command


def test_looking_at_what_is_remembered_makes_no_state(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, code, said in (
        (("incidents", "list"), 0, "no incidents"),
        (("incidents", "list", "--format", "json"), 0, "[]"),
        (("incidents", "show", "abcd"), 2, "nothing is remembered yet"),
        (("incidents", "explain", "abcd"), 2, "nothing is remembered yet"),
        (("incidents", "ack", "abcd"), 2, "nothing is remembered yet"),
        (("silence", "end", "abcd1234"), 2, "nothing is remembered yet"),
        (("feedback", "end", "abcd1234"), 2, "nothing is remembered yet"),
        (("silence", "list"), 0, "nothing is muted"),
        (("feedback", "list"), 0, "nobody said anything yet"),
    ):
        assert run_command(command) == code, command
        both = "".join(capsys.readouterr())
        assert said in both, command
        assert "WARNING" not in both
    assert not (shop.folder / "var").exists()


def test_a_name_like_nothing_says_where_the_names_are(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.declare("order_paid", *(f"seen_{i}" for i in range(30)))
    assert run_command(("explain", "zzz")) == 2
    assert "`eventwatch contracts list`" in capsys.readouterr().err
    assert run_command(("drill", "-t", "order_pait")) == 2
    assert run_command(("run-once", "--format", "xml")) == 2
    assert "Value error" not in capsys.readouterr().err
