from __future__ import annotations

import logging
import re

import pytest

from eventwatch.cli.logs import LogLevel, set_up_logging


def test_a_record_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogLevel.INFO)
    logging.getLogger("eventwatch.x").info("name %s", "a\nb\x1b[2J\u202e")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO eventwatch\.x: name a\\nb\\x1b\[2J\\u202e",
        line,
    )


def test_a_traceback_keeps_its_lines_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogLevel.INFO)
    try:
        raise ValueError("bad \x1b[2J")
    except ValueError:
        logging.getLogger("eventwatch.x").exception("failed")
    text = capsys.readouterr().err
    assert "\x1b" not in text
    assert "bad \\x1b[2J" in text
    assert len(text.splitlines()) > 3


@pytest.mark.parametrize(
    "name", ["slack_sdk", "slack_sdk.web.base_client", "urllib3", "sqlalchemy.engine"]
)
def test_libraries_that_log_secrets_never_log_at_debug(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(LogLevel.DEBUG)
    logging.getLogger(name).debug("https://hooks.slack.com/services/secret")
    logging.getLogger("eventwatch").debug("fine")
    assert "secret" not in capsys.readouterr().err
