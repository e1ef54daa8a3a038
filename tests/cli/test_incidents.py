"""``eventwatch incidents``, ``why-not`` and ``drill`` as a person uses them, on real files."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from eventwatch.cli.incidents_schema import incidents_schema, incidents_schema_text
from eventwatch.cli.main import run_command
from tests.fakes.project import Project, steady

DOCS = Path(__file__).parents[2] / "docs"
TYPES = ("order_placed", "order_paid", "cart_opened", "item_seen", "page_seen", "user_met")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Six types at an even pace; one of them stopped five hours ago, and a cycle told so."""
    project = Project(tmp_path_factory.mktemp("incidents") / "shop")
    project.declare(*TYPES)
    project.config()
    now = datetime.now(UTC)
    frame = steady(TYPES, until=now, days=12, per_hour=60)
    stopped = (frame.event_type == "order_paid") & (frame.occurred_at > now - timedelta(hours=5))
    project.rows(frame[~stopped])
    first = project.run("run-once", "--send")
    assert first.code == 1, first.err
    return project


@pytest.fixture(autouse=True)
def _there(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.folder)
    monkeypatch.setenv("USER", "ada")


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_command(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def listed(capsys: pytest.CaptureFixture[str], *more: str) -> list[dict[str, Any]]:
    code, out, err = asked(capsys, "incidents", "list", "--format", "json", *more)
    assert code == 0, err
    found: list[dict[str, Any]] = json.loads(out)
    return found


def digest_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".lock",)
    }


def test_one_cause_is_one_incident_with_its_owner(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = listed(capsys)
    assert one["cause"]["event_type"] == "order_paid"
    assert one["owner"]["team"] == "growth"
    assert one["told_at"]
    code, out, _ = asked(capsys, "incidents", "list", "--team", "growth")
    assert code == 0
    assert one["id"] in out
    assert "order_paid" in out
    code, out, error = asked(capsys, "incidents", "list", "--team", "data-platform")
    assert (code, out) == (0, "no incidents\n")
    code, _, error = asked(capsys, "incidents", "list", "--team", "grwth")
    assert code == 2
    assert "did you mean growth?" in error


def test_the_list_says_what_is_wrong_and_not_only_with_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = asked(capsys, "incidents", "list")
    assert "order_paid stopped coming" in " ".join(out.split())


def test_its_story_says_who_was_told_and_what_happened(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (one,) = listed(capsys)
    code, out, _ = asked(capsys, "incidents", "show", one["id"][:5])
    assert code == 0
    assert "owner named in the contract" in out
    assert "opened" in out
    assert "sent" in out
    code, out, _ = asked(capsys, "incidents", "show", one["id"], "--format", "json")
    record = json.loads(out)
    assert record["alerts"][0]["event_type"] == "order_paid"
    assert {row["state"] for row in record["deliveries"]} == {"sent"}


def test_the_decision_is_judged_again_from_what_was_measured(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (one,) = listed(capsys)
    code, out, _ = asked(capsys, "incidents", "explain", one["id"])
    assert code == 0
    assert "decided on" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["decided", "judged", "again"] in rows
    seen = next(row for row in rows if row[:1] == ["seen"] and len(row) == 3)
    assert seen[1] == seen[2]
    assert "again     the same comes out" in out
    assert "told from" in out
    assert "owner: growth" in out
    assert "post to" in out


def test_the_explanation_as_json_keeps_to_its_schema(capsys: pytest.CaptureFixture[str]) -> None:
    Draft202012Validator.check_schema(incidents_schema())
    (one,) = listed(capsys)
    code, out, _ = asked(capsys, "incidents", "explain", one["id"], "--format", "json")
    assert code == 0
    told = json.loads(out)
    Draft202012Validator(incidents_schema()).validate(told)
    assert {each["again"]["agreement"] for each in told["decisions"]} == {"same"}
    volume = next(each for each in told["decisions"] if each["decided"]["kind"] == "volume")
    assert volume["again"]["result"]["amount"] == volume["decided"]["amount"]
    assert volume["again"]["score"] > volume["again"]["threshold"]["score"]
    (owner,) = told["told"]
    assert owner["team"] == "growth"
    assert owner["messages"][0]["state"] == "sent"


def test_the_schema_in_docs_is_the_schema() -> None:
    text = (DOCS / "incident.schema.json").read_text(encoding="utf-8")
    assert text == incidents_schema_text()


def test_people_acknowledge_note_and_resolve(capsys: pytest.CaptureFixture[str]) -> None:
    (one,) = listed(capsys)
    assert asked(capsys, "incidents", "ack", one["id"])[0] == 0
    code, _, err = asked(capsys, "incidents", "ack", one["id"])
    assert code == 2
    assert "acknowledged already by ada" in err
    assert asked(capsys, "incidents", "note", one["id"], "ticket 812")[0] == 0
    code, out, _ = asked(capsys, "incidents", "show", one["id"])
    assert "acknowledged by ada" in out
    assert "note by ada: ticket 812" in out
    assert asked(capsys, "incidents", "resolve", one["id"], "--reason", "mended")[0] == 0
    assert listed(capsys) == []
    (over,) = listed(capsys, "--all")
    assert over["end_reason"] == "resolved by ada: mended"
    assert asked(capsys, "incidents", "resolve", one["id"], "--reason", "again")[0] == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "zzzz"), "no incident has an id"),
        (("show", "a"), "too short"),
        (("ack", "ffffffffffff"), "no incident has an id"),
        (("list", "--exposure", "evnts"), "did you mean events"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_to_do(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = asked(capsys, "incidents", *arguments)
    assert code == 2
    assert words in err


class TestWhyNot:
    def test_a_type_that_is_as_usual_stops_at_its_judgement(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, _ = asked(capsys, "why-not", "--event-type", "page_seen")
        assert code == 0
        assert "stopped at: judged" in out
        assert "told from" in out

    def test_a_type_that_was_told_goes_through_to_the_delivery(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, _ = asked(capsys, "why-not", "-t", "order_paid", "--format", "json")
        assert code == 0
        answer = json.loads(out)
        assert answer["schema"] == "eventwatch.why-not/1"
        (one,) = answer["found"]
        names = [link["name"] for link in one["links"]]
        assert names[0] == "contract"
        assert "alert" in names
        assert "incident" in names
        assert one["stopped_at"] is None

    def test_a_silence_is_named(self, capsys: pytest.CaptureFixture[str]) -> None:
        said = ("--for", "1h", "--reason", "planned")
        _, out, _ = asked(capsys, "silence", "add", "--event-type", "order_paid", *said)
        ended = out.strip().rsplit(" ", 1)[1]
        try:
            _, out, _ = asked(capsys, "why-not", "--event-type", "order_paid")
            assert "stopped at: muted" in out
            assert "planned" in out
        finally:
            asked(capsys, "silence", "end", ended)

    def test_before_it_stopped_nothing_was_wrong(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = asked(capsys, "why-not", "-t", "order_paid", "--at", "8h ago")
        assert code == 0
        assert "stopped at: judged" in out

    def test_a_name_that_nobody_knows_is_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = asked(capsys, "why-not", "--event-type", "order_payed")
        assert code == 2
        assert "did you mean" in err
        assert "order_paid" in err


class TestDrill:
    def test_a_stop_is_told_to_the_owner_and_leaves_no_trace(
        self, shop: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = digest_of(shop.folder)
        code, out, err = asked(
            capsys, *("drill", "-t", "page_seen", "--for", "90m", "--format", "json")
        )
        assert code == 0, err
        assert digest_of(shop.folder) == before
        done = json.loads(out)
        assert done["schema"] == "eventwatch.drill/1"
        assert done["rows_after"] == 0
        assert done["rows_before"] > 60
        assert 0 < done["told_after_seconds"] <= 90 * 60
        assert done["messages"][0]["team"] == "growth"
        assert all("order_paid" not in event["what"] for event in done["events"])

    def test_the_timeline_is_shown_with_the_message(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, out, _ = asked(capsys, "drill", "-t", "item_seen", "--drop", "80%", "--for", "2h")
        assert code == 0
        assert "the fault begins" in out
        assert "the fault ends" in out
        assert "told after" in out
        assert "│" in out

    def test_what_nobody_would_see_is_said_so(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, out, _ = asked(capsys, "drill", "-t", "item_seen", "--drop", "2%", "--for", "30m")
        assert code == 1
        assert "nobody would be told" in out

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (("--drop", "0%"), "from 1% to 100%"),
            (("--drop", "half"), "from 1% to 100%"),
            (("--rise", "0.5"), "more than 1"),
            (("--for", "9d"), "at most 2 days"),
            (("--for", "soon"), "--for"),
            (("--only", "platform"), "DIMENSION=VALUE"),
            (("--only", "country=DE"), "is not watched"),
        ],
    )
    def test_nonsense_is_refused(
        self, more: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, _, err = asked(capsys, "drill", "-t", "item_seen", *more)
        assert code == 2
        assert words in err


def test_a_copy_of_the_state_can_be_used_like_the_state(
    shop: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = asked(capsys, "backup", "copy.db")
    assert code == 0
    assert "copied" in out
    assert asked(capsys, "backup", "copy.db")[0] == 3, "it never writes over a file"
    config = shop.folder / "config.yaml"
    other = shop.folder / "from_copy.yaml"
    other.write_text(config.read_text().replace("sqlite:///var/state.db", "sqlite:///copy.db"))
    code, out, _ = asked(capsys, "incidents", "list", "--all", "-c", str(other))
    assert code == 0
    assert "order_paid" in out
