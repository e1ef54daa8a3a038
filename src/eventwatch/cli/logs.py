"""Logging of the process: one line per event on standard error, foreign text made harmless.

Code logs through ``logging`` as anywhere; structlog writes the lines. On a terminal they are for
people; otherwise, as in a container, each is a JSON object. What is bound with ``structlog.contextvars``
(the run id, the exposure) stands on every line of that run. No secret of this process is ever written.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Mapping, MutableMapping
from enum import StrEnum
from typing import Any

import structlog

from eventwatch.alerting.escape import terminal
from eventwatch.model.secret import redacted

Event = MutableMapping[str, Any]


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line looks."""

    AUTO = "auto"
    """``text`` on a terminal, else ``json``."""
    JSON = "json"
    TEXT = "text"


_QUIET = (
    "slack_sdk",
    "urllib3",
    "sqlalchemy",
    "snowflake",
    "google",
    "botocore",
    "alembic",
    "opentelemetry",
)
"""These libraries log URLs with secrets and the bodies of requests at DEBUG, or much at INFO."""


def set_up_logging(level: LogLevel, form: LogFormat = LogFormat.AUTO) -> None:
    """Replaces whatever was set up before."""
    as_json = form is LogFormat.JSON or (form is LogFormat.AUTO and not sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _harmless,
                structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _for_people,
            ],
        )
    )
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)
    # What libraries warn of would else be written past this, over several lines that are no JSON.
    logging.captureWarnings(capture=True)
    # What a library will change one day is nothing that who runs this could mend.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # It says at INFO that it did what the daemon says itself.
    scheduler = logging.INFO if level is LogLevel.DEBUG else logging.WARNING
    logging.getLogger("apscheduler").setLevel(max(scheduler, logging.getLogger().level))


def _harmless(_logger: object, _method: str, event: Event) -> Event:
    """No secret, no control character; a traceback keeps its lines for whoever renders them."""
    return {key: _clean(value) for key, value in event.items()}


def _clean(value: object) -> object:
    if isinstance(value, str):
        return "\n".join(terminal(line) for line in redacted(value).split("\n"))
    if isinstance(value, bool | int | float) or value is None:
        return value
    return terminal(redacted(str(value)))


_HEAD = ("timestamp", "level", "logger", "event", "exception", "stack")


def _for_people(_logger: object, _method: str, event: Mapping[str, Any]) -> str:
    """``2026-11-02T09:00:00.123Z INFO eventwatch.daemon: what happened (run_id=…)``; a traceback
    below, its lines indented."""
    said = str(event.get("event", "")).replace("\n", "\\n")
    more = " ".join(f"{key}={event[key]}" for key in event if key not in _HEAD)
    stamp, level = str(event.get("timestamp", "")), str(event.get("level", "")).upper()
    line = f"{stamp} {level} {event.get('logger', '')}: {said}"
    if more:
        line += f" ({more})".replace("\n", "\\n")
    below = "\n".join(str(event[key]) for key in ("exception", "stack") if event.get(key))
    return line + "".join("\n    " + each for each in below.split("\n") if each)
