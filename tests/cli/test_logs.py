from __future__ import annotations

import json
import logging
import re
import subprocess
import sys

import pytest
import structlog

from eventwatch.cli.logs import LogFormat, LogLevel, set_up_logging
from eventwatch.model.secret import Secret

HOSTILE = "a\nb\x1b[2J\u202e"


def test_a_record_for_people_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogLevel.INFO, LogFormat.TEXT)
    logging.getLogger("eventwatch.x").info("name %s", HOSTILE)
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z INFO eventwatch\.x: name a\\nb\\x1b\[2J\\u202e",
        line,
    )


def test_where_nobody_looks_a_record_is_one_json_object(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging(LogLevel.INFO)
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("eventwatch.x").exception("name %s", HOSTILE)
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line)
    assert record["level"] == "error"
    assert record["logger"] == "eventwatch.x"
    assert record["event"] == "name a\nb\\x1b[2J\\u202e"
    assert record["exception"].startswith("Traceback")
    assert "\x1b" not in record["exception"]


def test_a_warning_of_a_library_is_one_line_like_all_others() -> None:
    script = (
        "import warnings; from eventwatch.cli.logs import LogLevel, set_up_logging;"
        "set_up_logging(LogLevel.INFO); warnings.warn('divide by zero', RuntimeWarning)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    (line,) = done.stderr.splitlines()
    record = json.loads(line)
    assert record["level"] == "warning"
    assert "RuntimeWarning: divide by zero" in record["event"]


def test_the_run_stands_on_every_line_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(LogLevel.INFO)
    with structlog.contextvars.bound_contextvars(run_id="r1", exposure="web"):
        logging.getLogger("eventwatch.x").info("inside")
    logging.getLogger("eventwatch.x").info("outside")
    inside, outside = map(json.loads, capsys.readouterr().err.splitlines())
    assert (inside["run_id"], inside["exposure"]) == ("r1", "web")
    assert "run_id" not in outside


def test_a_traceback_for_people_keeps_its_lines_and_does_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logging(LogLevel.INFO, LogFormat.TEXT)
    try:
        raise ValueError("bad \x1b[2J")
    except ValueError:
        logging.getLogger("eventwatch.x").exception("failed")
    text = capsys.readouterr().err
    assert "\x1b" not in text
    assert "bad \\x1b[2J" in text
    assert len(text.splitlines()) > 3


@pytest.mark.parametrize("form", [LogFormat.JSON, LogFormat.TEXT])
def test_no_secret_is_written_wherever_it_comes_from(
    form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    token = Secret("canary-token-1")
    url = Secret("postgresql://me:canary-pass-2@host/db")
    set_up_logging(LogLevel.DEBUG, form)
    logger = logging.getLogger("eventwatch.x")
    logger.info("plain %s", token.reveal())
    logger.info({"nested": [token.reveal()]})
    with structlog.contextvars.bound_contextvars(where=url.reveal()):
        logger.info("bound")
    try:
        raise ValueError(f"server says: wrong password canary-pass-2 for {url.reveal()}")
    except ValueError:
        logger.exception("failed")
    text = capsys.readouterr().err
    assert "canary" not in text
    assert text.count("********") >= 5


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
