"""Names that come out of data: cut to a length, and kept apart from our own marks.

A name longer than its limit keeps its beginning and gets a digest of the whole, so that two long
names never become one. A dimension's value that reads like OTHER or NULL_VALUE gets one more ``@``
in front; the rule maps different values to different names (a value is changed only when it begins
with ``@`` and ends like a mark, and then the result does too).
"""

from __future__ import annotations

from typing import Any

import ibis

from eventwatch.model.measurement import NULL_VALUE, OTHER
from eventwatch.warehouse.dialect import Dialect, md5

EVENT_TYPE_LIMIT = 1000
"""Most characters of an event type."""
VALUE_LIMIT = 500
"""Most characters of a dimension's value."""
_SIGN = "…#"
_TAIL = len(_SIGN) + 32


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters; longer ones end in a digest of the whole."""
    if len(text) <= limit:
        return text
    return text[: limit - _TAIL] + _SIGN + md5(text)


def shorten_expr(text: Any, limit: int, dialect: Dialect) -> Any:
    """``shorten`` as an expression; null stays null."""
    return ibis.ifelse(text.length() > limit, _cut(text, limit, dialect), text)


def value_expr(value: Any, dialect: Dialect) -> Any:
    """The name of a dimension's value: short, and not to be taken for a mark of ours; null stays null."""
    marked = value.startswith("@") & (value.endswith(OTHER) | value.endswith(NULL_VALUE))
    return ibis.cases(
        (value.length() > VALUE_LIMIT, _cut(value, VALUE_LIMIT, dialect)),
        (marked, ibis.literal("@") + value),
        else_=value,
    )


def _cut(text: Any, limit: int, dialect: Dialect) -> Any:
    return text.substr(0, limit - _TAIL) + _SIGN + dialect.md5(text)
