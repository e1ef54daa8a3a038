"""The few places where one engine needs other words than the next.

Everything else is plain Ibis. An engine that is not named here takes the general way, which uses
only what every Ibis backend compiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import ibis
import ibis.expr.datatypes as dt

MICRO = 1_000_000
_Function = Callable[..., Any]


def _named(name: str) -> Callable[[_Function], _Function]:
    """A function that the engine has and Ibis does not know."""
    return cast("Callable[[_Function], _Function]", ibis.udf.scalar.builtin(name=name))


@_named("epoch_us")
def _epoch_us(at: dt.timestamp) -> dt.int64:
    """DuckDB: microseconds since 1970, no floating point on the way."""


@_named("divide")
def _divide(a: dt.int64, b: dt.int64) -> dt.int64:
    """DuckDB: integer division; Ibis' own goes through a double."""


@_named("md5")
def _md5(text: str) -> str:
    """Lower-case hex, the same on DuckDB, PostgreSQL, MySQL, Snowflake and Spark."""
    raise NotImplementedError


@_named("md5")
def _md5_bytes(data: bytes) -> bytes:
    """BigQuery and Trino: bytes in, bytes out."""
    raise NotImplementedError


@_named("to_utf8")
def _to_utf8(text: str) -> bytes:
    """Trino: a string's bytes."""
    raise NotImplementedError


@_named("to_hex")
def _to_hex(data: bytes) -> str:
    """BigQuery (lower case) and Trino (upper case)."""
    raise NotImplementedError


@_named("unix_micros")
def _unix_micros(at: dt.timestamp) -> dt.int64:
    """Spark: microseconds since 1970."""


_MD5 = ("duckdb", "postgres", "mysql", "snowflake", "pyspark", "databricks", "risingwave")
"""Engines whose ``md5`` gives hex."""


@dataclass(frozen=True)
class Dialect:
    """How one engine says it. ``name`` is Ibis' name of the backend."""

    name: str

    @property
    def tick(self) -> int:
        """Ticks per second of ``ticks`` for timestamps: whole seconds where the engine knows no
        cheap integer of microseconds."""
        return MICRO if self.name == "duckdb" else 1

    def ticks(self, at: Any) -> Any:
        """A timestamp or date as integer ticks since 1970 UTC, rounded down."""
        if self.name == "duckdb":
            return _epoch_us(at)
        # Rounding down comes first: the engines' conversions to an integer round to the nearest.
        if not at.type().is_timestamp():
            at = at.cast(dt.Timestamp())
        return at.truncate("s").epoch_seconds().cast("int64")

    def micros(self, at: Any) -> Any:
        """A timestamp or date as integer microseconds since 1970 UTC, rounded down."""
        if self.name == "duckdb":
            return _epoch_us(at)
        if self.name in ("pyspark", "databricks"):
            return _unix_micros(at.cast(dt.Timestamp(timezone="UTC")))
        seconds = self.ticks(at) * MICRO
        if not at.type().is_timestamp():
            return seconds
        return seconds + at.microsecond().cast("int64")

    def divide(self, value: Any, by: int) -> Any:
        """Integer division of what is not negative."""
        if by == 1:
            return value
        if self.name == "duckdb":
            return _divide(value, ibis.literal(by, "int64"))
        # The remainder goes first: what is left divides exactly, in integers as in doubles.
        return ((value - value % by) / by).cast("int64")

    def md5(self, text: Any) -> Any:
        """Lower-case hex digest of a string."""
        if self.name in _MD5:
            return _md5(text)
        if self.name == "bigquery":
            return _to_hex(_md5_bytes(text.cast("binary")))
        if self.name in ("trino", "athena"):
            return _to_hex(_md5_bytes(_to_utf8(text))).lower()
        return text.hexdigest("md5")


def md5(text: str) -> str:
    """What ``Dialect.md5`` gives for the same string."""
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
