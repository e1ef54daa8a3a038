"""Rules on config.yaml that involve more than one setting. They look at what was written, so that a
setting that is wrong in itself is still seen as given."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from eventwatch.config.document import ExposureSection
from eventwatch.config.records import Sections
from eventwatch.config.tree import Key, Tree
from eventwatch.model.errors import Fault

_SECRET_WORDS = ("password", "passwd", "pwd", "token", "secret", "key")


def exposure(tree: Tree, key: Key, section: ExposureSection) -> Iterator[Fault]:
    """Faults of one exposure as a whole."""
    given = {name for name, value in tree.at(key).items() if value is not None}
    if {"table", "parquet"} <= given:
        yield tree.fault((*key, "parquet"), "set either table or parquet, not both")
    if not {"table", "parquet"} & given:
        yield tree.fault(key, "set table (with connection) or parquet: what is to be read")
    if "table" in given and "connection" not in given:
        yield tree.fault(
            key, "connection is missing: where the table is, like duckdb://warehouse.duckdb"
        )
    if {"every", "cron"} <= given:
        yield tree.fault((*key, "cron"), "set either every or cron, not both")
    url = "" if section.connection is None else section.connection.get_secret_value()
    if section.parquet is not None and url and not url.startswith("duckdb://"):
        yield tree.fault(
            (*key, "connection"), "Parquet files are read by DuckDB: leave connection out"
        )
    if section.parquet is not None and "://" in section.parquet:
        yield tree.fault(
            (*key, "parquet"),
            "must be a path or a pattern on this machine; for files elsewhere, name "
            "a view of them in an engine as table",
        )
    if section.look_back < 2 * section.bucket:
        yield tree.fault((*key, "look_back"), "must be at least two buckets long")
    yield from _columns(tree, key, section)


def _columns(tree: Tree, key: Key, section: ExposureSection) -> Iterator[Fault]:
    columns = section.columns
    used: dict[str, str] = {}
    for role in ("event_type", "occurred_at", "loaded_at", "event_id"):
        column = getattr(columns, role)
        # One column may be both times: rows that are dated by their load.
        if column is not None and used.get(column, "") not in ("", "occurred_at"):
            yield tree.fault(
                (*key, "columns", role), f"is the column that already is the {used[column]}"
            )
        elif column is not None:
            used[column] = role
    names: set[str] = set()
    for i, dimension in enumerate(section.dimensions):
        name = dimension.name or dimension.column
        if name in names:
            yield tree.fault((*key, "dimensions", i), "stands twice in the list of dimensions")
        if name.startswith("@"):
            yield tree.fault(
                (*key, "dimensions", i), "must not begin with @; give it another name with `name`"
            )
        names.add(name)
    if (
        section.partition is not None
        and section.partition.of == "loaded_at"
        and columns.loaded_at is None
    ):
        yield tree.fault(
            (*key, "partition"), "there is no loaded_at to follow; set of: occurred_at"
        )


def warnings(tree: Tree, sections: Sections) -> Iterator[Fault]:
    """Passwords that stand in the file itself."""
    urls: list[tuple[Key, str]] = [(("state",), sections.state)]
    for exposure_name, section in sections.exposures.items():
        if section.connection is not None:
            key: Key = ("exposures", exposure_name, "connection")
            urls.append((key, section.connection.get_secret_value()))
    for place, url in urls:
        if place not in tree.written and _holds_secret(url):
            yield tree.fault(
                place,
                "a password stands in the file; put it into an environment variable and write "
                "${NAME} in its place, percent-encoded where it holds special characters",
            )


def _holds_secret(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.password) or any(
        value and any(word in name.lower() for word in _SECRET_WORDS)
        for name, value in parse_qsl(parts.query)
    )
