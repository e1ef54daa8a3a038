"""What is shown of an exception that nobody expected: where it happened, without what may be secret.

Messages of drivers and HTTP clients may hold connection strings and tokens, so those are taken out.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Mapping

from eventwatch.alerting.escape import terminal, truncate
from eventwatch.model import secret

MASK = "********"
_USERINFO = re.compile(r"(?<=://)[^\s/@]*:[^\s@]*@")
_TOKEN = re.compile(r"\bxox[a-z]-[\w-]+|(?<=hooks\.slack\.com/)\S+", re.IGNORECASE)
_PAIR = re.compile(r"(?i)\b(password|passwd|pwd|token|secret|api_?key)(\s*[=:]\s*)\S+")
_SECRET_NAME = re.compile(r"(?i)pass|token|secret|key|credential|url|dsn")


def redacted(text: str, env: Mapping[str, str]) -> str:
    """The text without passwords in URLs, tokens, and values of variables that are named like secrets."""
    values = {v for name, v in env.items() if _SECRET_NAME.search(name) and len(v) >= 6}
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    text = _USERINFO.sub(f"{MASK}@", text)
    return _PAIR.sub(rf"\1\2{MASK}", _TOKEN.sub(MASK, text))


def report_defect(error: BaseException) -> None:
    """To standard error: the way to the place and the message, in lines that are safe to paste."""
    print("eventwatch: this is a defect of eventwatch, please report it:", file=sys.stderr)
    for frame in traceback.extract_tb(error.__traceback__):
        print(f"  {frame.filename}:{frame.lineno} in {frame.name}", file=sys.stderr)
    # First whole values that the settings called secret, while they still stand as they were.
    message = redacted(secret.redacted(str(error)), os.environ)
    text = f"  {type(error).__name__}: {truncate(message, 2000)}"
    print(terminal(text), file=sys.stderr)
