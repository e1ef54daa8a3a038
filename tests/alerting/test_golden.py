"""Messages word by word. ``EVENTWATCH_GOLDEN=write pytest tests/alerting/test_golden.py`` writes the
files anew; look at the ``.txt`` beside each before it goes in."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.alerting.card import News
from eventwatch.alerting.message import compose
from eventwatch.alerting.route import Route
from eventwatch.model.alert import AlertState, Change
from eventwatch.model.result import Amount, Cut, Fact, Spark
from eventwatch.model.status import KindName, Severity
from tests.alerting.builders import (
    GROWTH,
    HOUR,
    MINUTE,
    NOTIFY,
    NOW,
    alert,
    contract,
    news,
    result,
    told,
    unreadable,
)
from tests.alerting.slack_view import picture

FOLDER = Path(__file__).parent / "golden"
FALLBACK = Route(
    "data-platform",
    "#data-platform",
    "",
    "no contract declares this event type; to send it to its team, declare it with owner.team in "
    "the contracts",
    is_fallback=True,
)


def _drop() -> News:
    thirteen = NOW.replace(hour=13, minute=0)
    return news(
        alert(
            result(
                severity=Severity.CRITICAL,
                cut=Cut("platform", "android"),
                since=thirteen,
                amount=Amount("events", 1240, 10_600, 9_800, 11_600, thirteen, thirteen + HOUR),
                facts=(Fact("versions", "7.2.0 and 7.2.1 only"),),
                spark=Spark(NOW - 24 * HOUR, HOUR, (*(9_000.0 + 90 * i for i in range(22)), 1_240)),
                check="checks/growth.yaml:3",
            )
        )
    )


def _silent(change: Change = Change.FIRED) -> News:
    of = result(
        "user_blocked_user",
        kind=KindName.FRESHNESS,
        aspect="silence",
        summary="silent for 3 h 10 min, at most 15 min are promised",
        since=NOW - 3 * HOUR - 10 * MINUTE,
        amount=Amount("seconds", 11_400, upper=900),
    )
    return news(told(of), change, contract=contract("user_blocked_user", runbook_url=""))


def _over() -> News:
    of = result("invite_sent", kind=KindName.DUPLICATES, aspect="share", since=NOW - 5 * HOUR)
    ended = told(of, state=AlertState.RESOLVED, ended_at=NOW, end_reason="back to normal")
    return news(ended, Change.RESOLVED)


def _unseen() -> News:
    of = result(
        "user_folowed_user",
        kind=KindName.DRIFT,
        aspect="unseen",
        summary="412 rows of an event type that no contract declares, probably a misspelling of "
        "user_followed_user",
        since=NOW - timedelta(days=2),
        facts=(
            Fact("first row", "Fri 15 May 15:05 UTC"),
            Fact("platforms", "android"),
            Fact("nearest names", "user_followed_user, user_unfollowed_user"),
        ),
    )
    return News(alert(of), Change.FIRED, FALLBACK)


CASES: dict[str, tuple[Route, list[News]]] = {
    "one_drop": (GROWTH, [_drop()]),
    "mixed": (GROWTH, [_over(), _silent(Change.REMIND), _drop()]),
    "worse": (
        GROWTH,
        [
            news(
                told(result(severity=Severity.CRITICAL), notified_severity=Severity.WARNING),
                Change.WORSE,
            )
        ],
    ),
    "only_over": (GROWTH, [_over()]),
    "undeclared": (FALLBACK, [_unseen()]),
    "unreadable": (
        replace(FALLBACK, reason="eventwatch's own trouble goes to its operators"),
        [News(alert(unreadable()), Change.FIRED, FALLBACK)],
    ),
    "storm": (GROWTH, [_drop(), *(news(alert(result(f"event_{i:03}"))) for i in range(60))]),
    "hostile": (
        replace(GROWTH, team="<!here>"),
        [
            news(
                alert(
                    result("<!channel>`\x1b[31m\u202e", summary="*<https://evil.example|x>* & &lt;")
                ),
                contract=contract(
                    "x", description="<!everyone>\n> quoted", runbook_url="javascript:x"
                ),
            )
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_message_reads_as_its_golden_file(name: str) -> None:
    route, items = CASES[name]
    message = compose(route, items, NOW, contract_link=NOTIFY.contract_link)
    made = {
        "text": message.text,
        "blocks": json.loads(message.blocks),
        "plain": message.plain.split("\n"),
    }
    file = FOLDER / f"{name}.json"
    if os.environ.get("EVENTWATCH_GOLDEN") == "write":
        file.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        file.with_suffix(".txt").write_text(picture(message), encoding="utf-8")
    assert made == json.loads(file.read_text(encoding="utf-8"))
    assert picture(message) == file.with_suffix(".txt").read_text(encoding="utf-8")
