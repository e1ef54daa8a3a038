from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len

from eventwatch.cli.console import console_for
from eventwatch.cli.table import Page, report_for_people, table_text
from eventwatch.model.result import Fact
from eventwatch.model.status import Severity, Status

from .reports import HOSTILE, NOW, delivery, exposure, finding, full, hostile, report, result

GOLDEN = Path(__file__).parent / "golden"
PAGE = Page(contracts_root="contracts", messages=True)


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_is_the_golden_one(width: int) -> None:
    """After a change that is meant, write the file anew and look at the difference."""
    path = GOLDEN / f"table-{width}.txt"
    assert table_text(full(), PAGE, width) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("made", [full(), hostile()], ids=["full", "hostile"])
def test_no_line_is_wider_than_the_terminal(made: object, width: int) -> None:
    text = table_text(made, PAGE, width)  # type: ignore[arg-type]
    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = table_text(hostile(), PAGE, 120)
    odd = {c for c in text if not c.isprintable() and c != "\n"}
    assert odd == set()
    for shown in ("<!channel>", "[bold red]x[/]", ":smile:", "\\x1b[2J", "\\u202eevil", "\\ud800"):
        assert shown in text


def test_there_is_no_colour_in_a_pipe_and_none_with_no_color(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "\x1b" not in table_text(full(), PAGE, 80)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    console = console_for(stream, width=80)
    console.print(report_for_people(full(), PAGE))
    assert "\x1b[31m" not in stream.getvalue()
    assert "38;5" not in stream.getvalue()


def test_a_terminal_gets_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    console_for(stream, width=80).print(report_for_people(full(), PAGE))
    assert "\x1b[" in stream.getvalue()


def test_a_terminal_without_unicode_gets_ascii() -> None:
    made = report(exposure(finding()), messages=(delivery("plain"),))
    buffer = io.StringIO()
    console_for(buffer, width=80).print(report_for_people(made, PAGE, unicode=False))
    assert buffer.getvalue().isascii()


def test_findings_keep_their_order_and_name_owner_place_and_time() -> None:
    text = table_text(full(), PAGE, 120)
    assert text.index("user_folowed_user") < text.index("user_followed_user [platform=android]")
    for part in (
        "growth #growth-alerts",
        "contracts/social/follow.proto:12",
        "about 480 events (410 to 560 events)",
        "12 events",
        "2026-03-02 10:00 UTC",
        "at most 15 min",
        "checks/defaults.yaml:9",
        "█",
    ):
        assert part in text


def test_what_passed_is_a_count_and_learning_has_its_date() -> None:
    assert "240 passed · 1 learning until 2026-03-04 · 3 skipped" in table_text(full(), PAGE, 120)


def test_messages_are_shown_only_when_asked_for() -> None:
    made = report(exposure(), messages=(delivery("hello there"),))
    assert "hello there" in table_text(made, PAGE, 80)
    assert "hello there" not in table_text(made, Page(), 80)


def test_the_last_line_says_the_exit_code_and_what_it_means() -> None:
    assert (
        table_text(report(exposure()), Page(), 80).splitlines()[-1] == "exit code 0: nothing wrong"
    )
    wrong = table_text(report(exposure(finding())), Page(), 80).splitlines()[-1]
    assert wrong == "exit code 1: something is wrong with the data"
    below = table_text(report(exposure(finding())), Page(fail_on=Severity.CRITICAL), 80)
    assert below.splitlines()[-1] == (
        "exit code 0: nothing wrong (the worst is warning, --fail-on is critical)"
    )


def test_an_exposure_that_never_had_a_row_says_so() -> None:
    made = report(exposure(row_count=0, event_type_count=0, last_arrival_at=None))
    assert "0 rows · 0 event types · nothing ever arrived" in table_text(made, Page(), 80)


def test_of_thousands_alike_the_first_are_told_in_full_and_the_rest_counted() -> None:
    many = [finding(result(f"type_{i:04}")) for i in range(3_000)]
    other = finding(result("order_paid", severity=Severity.CRITICAL))
    shown = table_text(report(exposure(*many, other)), Page(), 100)
    assert len(shown.splitlines()) < 400
    assert "CRITICAL  volume  order_paid" in shown
    assert "WARNING  volume  type_0019\n" in shown
    assert "WARNING  volume  type_0020\n" not in shown
    assert "and 2,980 more WARNING  volume like these of growth (--format json has them" in shown
    assert "type_0020, type_0021, " in shown
    assert "3,001 wrong" in shown


def test_learning_over_several_days_gives_both_dates() -> None:
    learning = tuple(
        result(status=Status.LEARNING, learning_until=NOW.replace(day=day)) for day in (5, 9)
    )
    made = report(exposure(learning=learning))
    assert "2 learning until 2026-03-05 to 2026-03-09" in table_text(made, Page(), 80)


def test_nothing_of_a_hostile_report_is_lost() -> None:
    text = table_text(hostile(), PAGE, 120)
    assert text.count("as of 2026-03-02 12:00 UTC") == 2 * len(HOSTILE)


def test_places_are_as_the_reader_would_type_them() -> None:
    page = Page(contracts_root="shop/contracts", folder="shop")
    text = table_text(report(exposure(finding())), page, 120)
    assert "shop/contracts/social/follow.proto:12" in text
    assert "shop/checks/defaults.yaml:9" in text
    here = table_text(report(exposure(finding())), Page(contracts_root=".", folder="."), 120)
    assert " social/follow.proto:12" in here


def test_a_long_label_does_not_push_the_values_to_the_right() -> None:
    made = result(facts=(Fact("longest silence before", "9 d"), Fact("platform", "ios")))
    lines = table_text(report(exposure(finding(made))), Page(), 80).splitlines()
    assert "                longest silence before: 9 d" in lines
    assert "    platform    ios" in lines
