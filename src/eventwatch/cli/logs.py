"""Logging of the process: one line per record on standard error, foreign text made harmless."""

from __future__ import annotations

import logging
import sys
import time
from enum import StrEnum

from eventwatch.alerting.escape import terminal


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _OneLine(logging.Formatter):
    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = terminal(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:  # noqa: N802
        # A traceback keeps its lines; what it quotes cannot do harm.
        text = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join(terminal(line) for line in text.splitlines())


def set_up_logging(level: LogLevel) -> None:
    """Replaces whatever was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.value.upper(), handlers=[handler], force=True)
    # These libraries log URLs with secrets and the bodies of requests at DEBUG.
    for name in ("slack_sdk", "urllib3", "sqlalchemy", "snowflake", "google", "botocore"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
    # It says at INFO that it did what the daemon says itself.
    scheduler = logging.INFO if level is LogLevel.DEBUG else logging.WARNING
    logging.getLogger("apscheduler").setLevel(max(scheduler, logging.getLogger().level))
