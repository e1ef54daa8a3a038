"""Standard output says it all, to any stream, and survives a broken one."""

from __future__ import annotations

import io

from eventwatch.model.alert import Message, Verdict
from eventwatch.notifiers.stdout import StdoutNotifier
from tests.notifiers.builders import NOW, delivery


def test_a_message_is_written_with_whom_it_is_for() -> None:
    stream = io.StringIO()
    assert StdoutNotifier(stream).send(delivery(), NOW).verdict is Verdict.SENT
    assert stream.getvalue() == "--- to #growth-alerts (growth) ---\ngrowth: 1 new problem\n\n"


def test_a_stream_that_knows_only_ascii_gets_escapes() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    of = delivery(message=Message("", "", "🔴 событие"))
    assert StdoutNotifier(stream).send(of, NOW).verdict is Verdict.SENT
    assert b"\\U0001f534 \\u0441" in raw.getvalue()


def test_a_closed_stream_is_tried_again_later() -> None:
    stream = io.StringIO()
    stream.close()
    outcome = StdoutNotifier(stream).send(delivery(), NOW)
    assert outcome.verdict is Verdict.RETRY
    assert outcome.retry_at is not None


def test_hostile_channels_and_teams_do_not_reach_the_terminal() -> None:
    stream = io.StringIO()
    StdoutNotifier(stream).send(delivery(channel="#\x1b[2J", team="\u202e\n"), NOW)
    assert stream.getvalue().startswith("--- to #\\x1b[2J (\\u202e\\n) ---\n")
