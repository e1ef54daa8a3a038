"""``eventwatch explain`` as a person runs it, on the demo and on hostile names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from eventwatch.charts.spec import DARK
from eventwatch.cli.explain_schema import explain_schema, explain_schema_text
from eventwatch.cli.main import run_command
from eventwatch.demo import write
from tests.fakes.project import Done, Project, steady

DOCS = Path(__file__).parents[2] / "docs"
NOW = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
AT = ("--at", "2026-03-02T12:10")
HOSTILE = "\x1b[31mred[bold]\u202e</title><script>"
Ask = Callable[..., Done]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The demo, with its planted trouble."""
    made = Project.__new__(Project)
    made.folder = tmp_path_factory.mktemp("demo") / "shop"
    write(made.folder, rows=250_000, seed=7, now=NOW)
    return made


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """A command in the folder of a project, in this process: half as long as one of its own."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("EVENTWATCH_CONFIG", raising=False)

    def run(project: Project, *arguments: str) -> Done:
        monkeypatch.chdir(project.folder)
        capsys.readouterr()
        code = run_command(arguments)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.fixture(scope="module")
def told(shop: Project) -> dict[str, Any]:
    done = shop.run("explain", "bank_captured_payment", *AT, "--format", "json")
    assert done.code == 0, done.err
    return done.report


def test_it_says_of_a_planted_stop_what_run_once_says(
    ask: Ask, shop: Project, told: dict[str, Any]
) -> None:
    audit = ask(shop, "run-once", *AT, "--format", "json", "--check", "volume")
    finding = next(
        f
        for f in audit.findings(event_type="bank_captured_payment", aspect="bucket")
        if f["cut"] is None
    )
    volume = told["volume"]
    assert volume["status"] == "fail"
    assert volume["result"] == {key: finding[key] for key in volume["result"]}
    for key in ("observed", "expected", "lower", "upper", "z", "p_value"):
        assert volume[key] == finding["amount"][key]
    assert volume["expected"] > 3
    assert told["team"] == finding["owner"]["team"]


def test_the_json_keeps_to_its_schema(ask: Ask, shop: Project, told: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(explain_schema())
    validator = Draft202012Validator(explain_schema())
    validator.validate(told)
    never = ask(shop, "explain", "buyer_rated_courier", *AT, "-f", "json")
    assert never.report["volume"] is None
    validator.validate(never.report)


def test_the_schema_in_docs_is_the_schema() -> None:
    text = (DOCS / "explain.schema.json").read_text(encoding="utf-8")
    assert text == explain_schema_text()


def test_the_other_kinds_say_what_they_say_of_it(told: dict[str, Any]) -> None:
    kinds = {(r["kind"], r["status"]) for r in told["others"]}
    assert ("freshness", "fail") in kinds
    assert {r["event_type"] for r in told["others"]} <= {"bank_captured_payment", None}


def test_the_table_has_the_sentence_the_plot_the_windows_and_the_threshold(
    ask: Ask, shop: Project, told: dict[str, Any]
) -> None:
    table = ask(shop, "explain", "bank_captured_payment", *AT)
    assert table.code == 0
    text = " ".join(table.out.split())
    assert told["volume"]["sentence"] in text
    assert told["volume"]["why"] in text
    for word in ("░ usual", "━ bad", "calibrated", "spoke", "false alert", "other checks"):
        assert word in text
    assert any("⠀" < c <= "⣿" for c in table.out)
    assert "\x1b" not in table.out


def test_a_terminal_without_unicode_gets_ascii(shop: Project) -> None:
    latin = {"PYTHONIOENCODING": "latin-1"}
    done = shop.run("explain", "bank_captured_payment", *AT, "--days", "2", env=latin)
    assert done.code == 0
    assert done.out.isascii()
    assert "= bad" in done.out


@pytest.mark.parametrize(
    ("name", "begins"), [("a.PNG", b"\x89PNG"), ("a.svg", b"<svg"), ("a.json", b"{")]
)
def test_a_chart_is_written_in_each_form(
    ask: Ask, shop: Project, tmp_path: Path, name: str, begins: bytes
) -> None:
    path = tmp_path / name
    dark = ("--chart", str(path), "--theme", "dark")
    done = ask(shop, "explain", "bank_captured_payment", *AT, *dark)
    assert done.code == 0, done.err
    assert path.read_bytes().startswith(begins)
    assert "░" not in done.out
    if name != "a.PNG":
        assert DARK.ground in path.read_text("utf-8")


def test_a_name_nobody_knows_ends_with_the_nearest_and_2(ask: Ask, shop: Project) -> None:
    done = ask(shop, "explain", "bank_captured_paymant", *AT)
    assert done.code == 2
    assert "did you mean bank_captured_payment" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--chart", "a.gif"), "must end in .png, .svg or .json"),
        (("--exposure", "evnts"), "no exposure matches"),
        (("--at", "some day"), "write an instant"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_read(
    ask: Ask, shop: Project, arguments: tuple[str, ...], said: str
) -> None:
    done = ask(shop, "explain", "bank_captured_payment", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_what_was_loaded_later_is_not_seen(ask: Ask, shop: Project, told: dict[str, Any]) -> None:
    before = ask(shop, "explain", "bank_captured_payment", "--at", "2026-03-01T12:00", "-f", "json")
    assert before.report["volume"]["status"] == "pass"
    assert before.report["volume"]["judged_at"] < told["volume"]["judged_at"]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("hostile"))
    made.declare("calm")
    columns = "{event_type: event_type, occurred_at: occurred_at, loaded_at: loaded_at}"
    made.config(
        f"  copies:\n    connection: duckdb://{made.database}\n    table: events\n"
        f"    columns: {columns}\n"
    )
    made.rows(
        pd.concat(
            [
                steady(["calm"], until=NOW, days=9),
                steady([HOSTILE], until=NOW - timedelta(hours=5), days=9),
            ],
            ignore_index=True,
        )
    )
    return made


def test_hostile_names_are_shown_and_never_act(ask: Ask, hostile: Project, tmp_path: Path) -> None:
    only = ("explain", HOSTILE, "--exposure", "events", *AT)
    table = ask(hostile, *only)
    assert table.code == 0, table.err
    assert "\x1b" not in table.out
    assert "\u202e" not in table.out
    assert "\\x1b[31mred[bold]\\u202e" in table.out
    document = ask(hostile, *only, "-f", "json", "--chart", str(tmp_path / "h.svg"))
    assert document.out.isascii()
    assert document.report["event_type"] == HOSTILE
    assert "<script" not in (tmp_path / "h.svg").read_text("utf-8")


def test_an_event_type_of_two_exposures_needs_the_one_that_is_meant(
    ask: Ask, hostile: Project
) -> None:
    done = ask(hostile, "explain", "calm", *AT)
    assert done.code == 2
    assert "is in events, copies: choose one with --exposure" in done.err


def test_an_exposure_that_cannot_be_measured_is_no_answer(ask: Ask, tmp_path: Path) -> None:
    made = Project(tmp_path / "gone")
    made.declare("calm")
    made.config(table="missing")
    made.rows(steady(["calm"], until=NOW, days=1))
    done = ask(made, "explain", "calm", *AT)
    assert done.code == 3
    assert "events could not be measured" in done.err


def test_the_place_of_the_contract_is_one_that_can_be_opened(ask: Ask, shop: Project) -> None:
    """As it stands in the source it would be a path that is not there."""
    done = ask(shop, "explain", "bank_captured_payment", *AT)
    place = re.search(r"contract (\S+?):\d+", done.out)
    assert place is not None
    assert (shop.folder / place[1]).is_file()
    owners = ask(shop, "contracts", "owners").out
    places = set(re.findall(r"(\S+\.proto):\d+", owners))
    assert places
    assert all((shop.folder / each).is_file() for each in places)
