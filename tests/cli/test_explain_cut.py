"""``eventwatch explain`` of one value of a dimension, and of rows without an event type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from eventwatch.app.explain_rows import of_the_unnamed
from eventwatch.cli.explain_schema import explain_schema
from eventwatch.cli.main import run_command
from eventwatch.model.trace import Trace
from tests.fakes.project import Done, Project, steady

NOW = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
AT = ("--at", "2026-03-02T12:10")
TYPES = ("order_placed", "order_paid", "cart_opened", "page_seen")
HOSTILE = "an\x1b[31mdroid=\u202e<script>"
Ask = Callable[..., Done]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four types on three platforms; of one of them android brings a quarter since seven hours. Some
    rows have no type."""
    made = Project(tmp_path_factory.mktemp("cuts") / "shop")
    made.declare(*TYPES)
    made.config()
    frame = steady(
        TYPES, until=NOW, days=16, per_hour=240, platforms=("ios", "web", "android", HOSTILE)
    )
    hit = (frame.event_type == "order_paid") & (frame.platform == "android")
    hit &= frame.occurred_at >= NOW - timedelta(hours=7)
    number = frame.event_id.str.split("-").str[1].astype(int)
    frame = frame[~(hit & (number % 16 != 2))]
    nameless = frame[frame.event_type == "page_seen"].iloc[::40].assign(event_type=None)
    nameless["event_id"] = "n" + nameless.event_id
    made.rows(pd.concat([frame, nameless], ignore_index=True))
    return made


@pytest.fixture
def ask(shop: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """A command in the folder of the project, in this process."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("EVENTWATCH_CONFIG", raising=False)
    monkeypatch.chdir(shop.folder)

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        code = run_command(arguments)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


def cut_of(done: Done) -> dict[str, Any]:
    assert done.code == 0, done.err
    cut: dict[str, Any] = done.report["cut"]
    return cut


def test_a_cut_that_fails_is_explained_with_the_numbers_of_the_run(ask: Ask) -> None:
    run = ask("run-once", *AT, "--format", "json", "--check", "volume")
    (finding,) = run.findings(event_type="order_paid", aspect="cut")
    assert finding["cut"] == {"dimension": "platform", "value": "android"}
    done = ask("explain", "order_paid", "--only", "platform=android", *AT, "-f", "json")
    cut = cut_of(done)
    assert cut["status"] == "fail"
    assert cut["result"] == {key: finding[key] for key in cut["result"]}
    for key in ("observed", "expected", "lower", "upper", "z"):
        assert cut[key] == finding["amount"][key]
    assert cut["score"] > cut["threshold"]
    assert cut["trace"]["bad"]
    assert done.report["team"] == "growth"
    Draft202012Validator(explain_schema()).validate(done.report)


@pytest.mark.parametrize(
    ("name", "value"), [("order_paid", "ios"), ("order_placed", "android"), ("page_seen", HOSTILE)]
)
def test_a_cut_that_is_as_usual_has_its_numbers_too(ask: Ask, name: str, value: str) -> None:
    cut = cut_of(ask("explain", name, "--only", f"platform={value}", *AT, "-f", "json"))
    assert cut["status"] == "pass"
    assert cut["observed"] > 0
    assert cut["score"] < cut["threshold"]
    assert cut["trace"]["bad"] == []
    assert len(cut["trace"]["expected"]) == len(cut["trace"]["observed"])


def test_the_table_shows_the_picture_the_share_and_the_event_type(ask: Ask) -> None:
    done = ask("explain", "order_paid", "--only", "platform=android", *AT)
    assert done.code == 0
    text = " ".join(done.out.split())
    for word in (
        "FAIL platform android:",
        "reaches the threshold",
        "share",
        "event type",
        "░ usual",
    ):
        assert word in text
    hostile = ask("explain", "order_paid", "--only", f"platform={HOSTILE}", *AT)
    assert "\x1b" not in hostile.out
    assert "\u202e" not in hostile.out


def test_its_chart_is_written(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "cut.svg"
    only = ("--only", "platform=android")
    done = ask("explain", "order_paid", *only, *AT, "--chart", str(path))
    assert done.code == 0, done.err
    assert path.read_text("utf-8").startswith("<svg")


def test_rows_without_a_type_are_counted_and_drawn(ask: Ask) -> None:
    done = ask("explain", "--null-type", *AT, "-f", "json")
    assert done.code == 0, done.err
    told = done.report
    Draft202012Validator(explain_schema()).validate(told)
    assert told["event_type"] is None
    assert told["volume"] is None
    assert "144 rows without an event type in the last 24 h" in told["nameless"]["sentence"]
    assert sum(v or 0 for v in told["nameless"]["trace"]["observed"]) > 500
    assert ("drift", "null_type", "fail") in {
        (r["kind"], r["aspect"], r["status"]) for r in told["others"]
    }
    table = ask("explain", "--null-type", *AT)
    assert "rows without an event type" in table.out
    assert any("⠀" < c <= "⣿" for c in table.out)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say which EVENT_TYPE"),
        (("order_paid", "--null-type"), "leave out EVENT_TYPE"),
        (("order_paid", "--only", "platform"), "DIMENSION=VALUE"),
        (("order_paid", "--only", "=ios"), "DIMENSION=VALUE"),
        (("order_paid", "--only", "country=DE"), "watched dimensions are: platform"),
        (("order_paid", "--only", "platform=andriod"), "did you mean android"),
        (("order_payed", "--only", "platform=ios"), "order_paid"),
    ],
)
def test_what_is_unclear_is_refused(ask: Ask, arguments: tuple[str, ...], said: str) -> None:
    done = ask("explain", *arguments, *AT)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_of_rows_without_a_type_that_just_began_nothing_is_said_to_be_usual() -> None:
    """Of a few hours a range would be a guess, and nobody judges by it."""
    hours = (None,) * 20 + (2.0,) * 4
    young = Trace("", "", NOW, timedelta(hours=1), "UTC", hours, hours, hours, hours, common=hours)
    made = of_the_unnamed(young)
    assert made.observed == (0.0,) * 20 + (2.0,) * 4
    assert (made.expected, made.lower, made.upper, made.common) == ((), (), (), ())
    days = (2.0,) * 72
    old = replace(young, observed=days, expected=days, lower=days, upper=days, common=days)
    assert of_the_unnamed(old) == old
