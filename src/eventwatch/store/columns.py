"""Types of columns, and the one collection of tables.

An instant is a number that sorts in every engine; a text is any text.
"""
# ruff: noqa: ARG002 - the signatures are those of SQLAlchemy

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, MetaData, String, Text
from sqlalchemy.types import TypeDecorator

from eventwatch.store.encoding import (
    decode_instant,
    decode_text,
    decode_texts,
    encode_instant,
    encode_text,
    encode_texts,
)

PREFIX = "eventwatch_"
metadata = MetaData()
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """Aware UTC as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else encode_instant(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else decode_instant(value)


class Day(TypeDecorator[date]):
    """A day as its ISO text."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


class AnyText(TypeDecorator[str]):
    """Text of any characters, NUL and lone surrogates included."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else encode_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else decode_text(value)


class Id(TypeDecorator[str]):
    """A name that people may type: any text may be asked for, and is then not found."""

    impl = String(200)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else encode_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else decode_text(value)


class Texts(TypeDecorator[tuple[str, ...]]):
    """Several texts."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        return None if value is None else encode_texts(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else decode_texts(value)


class Span(TypeDecorator[timedelta]):
    """A duration as microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:
        return None if value is None else value // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:
        return None if value is None else value * _MICROSECOND
