"""What ``eventwatch init`` writes for a newcomer: the one place these texts are rendered from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from eventwatch.config.schema import checks_schema, config_schema, schema_text

SAMPLE = "sample/events.parquet"
"""Where the config looks for the sample."""
EVENT_TYPE = "user_followed_user"
"""What the sample's contract declares."""
PLATFORMS = ("ios", "android", "web")


def template_files() -> Iterator[tuple[str, str]]:
    """Relative path (with ``/``) and text of every file, config.yaml first."""
    root = files("eventwatch.config") / "files"
    yield "config.yaml", (root / "config.yaml").read_text(encoding="utf-8")
    for name, text in _walk(root, ""):
        if name != "config.yaml":
            yield name, text
    yield "schema/config.schema.json", schema_text(config_schema())
    yield "schema/checks.schema.json", schema_text(checks_schema())


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, entry.read_text(encoding="utf-8")
