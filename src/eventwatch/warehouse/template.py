"""Statements that were compiled before, with other instants in them: compiling takes longer than asking.

Between two cycles nothing changes in a statement but its instants. So it is compiled once more with
instants that occur nowhere else, and where those stand in the text are the places to fill. That is only
believed when filling in the present instants gives the very text that compiling for them gives, and
held against the compiler once more at its first use; whatever differs otherwise (a partition by days,
a zone with clock changes) is compiled each time, as before.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from eventwatch.model.measurement import ScanRequest
from eventwatch.model.settings import UTC_ZONE
from eventwatch.warehouse.columns import Columns
from eventwatch.warehouse.connect import Source
from eventwatch.warehouse.grouped import Spans, kept_names
from eventwatch.warehouse.times import Form

log = logging.getLogger(__name__)

MOST_KEPT = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE = datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC)
_APART = timedelta(days=41, hours=3, minutes=7, seconds=11)


def _parts(at: datetime) -> str:
    second = at.second + at.microsecond / 1e6
    return f"{at.year}, {at.month}, {at.day}, {at.hour}, {at.minute}, {second!r}"


def _naive(at: datetime) -> str:
    return f"MAKE_TIMESTAMP({_parts(at)})"


def _aware(at: datetime) -> str:
    return f"MAKE_TIMESTAMPTZ({_parts(at)}, 'UTC')"


def _ticks(at: datetime) -> str:
    return str((at - _EPOCH) // timedelta(microseconds=1))


_WRITTEN: tuple[Callable[[datetime], str], ...] = (_naive, _aware, _ticks)
"""How DuckDB's instants are written by the compiler."""


@dataclass(frozen=True)
class Template:
    """A statement whose instants are left open."""

    texts: tuple[str, ...]
    """What stands before, between and after the places."""
    places: tuple[tuple[int, int], ...]
    """For each place, the number of its instant and of how it is written."""

    @staticmethod
    def of(sql: str, instants: Sequence[datetime]) -> Template:
        """Of a statement in which each of these instants is unlike anything else."""
        known = {
            write(at): (number, way)
            for number, at in enumerate(instants)
            for way, write in enumerate(_WRITTEN)
        }
        parts = re.split("(" + "|".join(map(re.escape, known)) + ")", sql)
        return Template(tuple(parts[::2]), tuple(known[part] for part in parts[1::2]))

    def filled(self, instants: Sequence[datetime]) -> str:
        """The statement for these instants."""
        parts = [self.texts[0]]
        for (number, way), text in zip(self.places, self.texts[1:], strict=True):
            parts += [_WRITTEN[way](instants[number]), text]
        return "".join(parts)


@dataclass
class _Known:
    template: Template | None
    """None: this statement cannot be filled in."""
    tried: bool = False


class Statements:
    """Compiled statements of a process. Safe for threads."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def text(
        self,
        source: Source,
        columns: Columns,
        request: ScanRequest,
        build: Callable[[Any, Columns, ScanRequest], Any],
    ) -> str:
        """The SQL of what ``build`` makes for a request, on DuckDB."""

        def compiled(wanted: ScanRequest) -> str:
            return str(source.con.compile(build(source.table, columns, wanted)))

        if not _may_be_filled(columns):
            return compiled(request)
        instants = _instants(request)
        name = _name(source, request, f"{build.__module__}.{build.__name__}")
        known = self._find(name)
        if known is None:
            sql = compiled(request)
            probe = _probe(request)
            template: Template | None = Template.of(compiled(probe), _instants(probe))
            if template is not None and template.filled(instants) != sql:
                template = None
            self._keep(name, _Known(template))
            return sql
        if known.template is None:
            return compiled(request)
        sql = known.template.filled(instants)
        if not known.tried:
            known.tried = True
            expected = compiled(request)
            if sql != expected:
                log.debug("%s: its statement is compiled each time", columns.exposure.name)
                known.template = None
            return expected
        return sql

    def _find(self, name: str) -> _Known | None:
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
            return known

    def _keep(self, name: str, known: _Known) -> None:
        with self._lock:
            self._known[name] = known
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)


def _may_be_filled(columns: Columns) -> bool:
    """Whether the statement's form does not depend on the instants in it but by ``_name``."""
    return all(
        time.form is Form.AWARE or (time.form is Form.NAIVE and time.zone.key == UTC_ZONE.key)
        for time in (columns.occurred, columns.loaded)
    )


def _instants(request: ScanRequest) -> tuple[datetime, ...]:
    """All instants that a statement may hold."""
    spans = Spans.of(request)
    found = [getattr(spans, f.name) for f in fields(spans)]
    if request.duplicates_from is not None:
        found += [request.duplicates_from, request.duplicates_from - request.duplicates_window]
    return tuple(at.astimezone(UTC) for at in found)


_FIELDS = (
    "now",
    "rows_from",
    "cuts_from",
    "delays_from",
    "fine_from",
    "oldest_occurred",
    "duplicates_from",
)


def _probe(request: ScanRequest) -> ScanRequest:
    """The same request at instants that are all different, in the same order."""
    given = [name for name in _FIELDS if getattr(request, name) is not None]
    given.sort(key=lambda name: getattr(request, name))
    return replace(request, **{name: _PROBE + k * _APART for k, name in enumerate(given)})  # type: ignore[arg-type]


def _name(source: Source, request: ScanRequest, statement: str) -> str:
    """All that decides the form of a statement; of the instants, what ``grouped`` asks of them."""
    spans = Spans.of(request)
    return repr(
        (
            statement,
            source.exposure,
            [(name, str(kind)) for name, kind in source.table.schema().items()],
            spans.rows_from < spans.fine_from,
            max(spans.fine_from, spans.rows_from) <= spans.now,
            request.duplicates_from is None,
            request.duplicates_window,
            request.as_of,
            [(d.name, kept_names(d, request)) for d in source.exposure.dimensions],
        )
    )
