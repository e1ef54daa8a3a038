"""What several exposures may share: the database, or the folder, where their rows are read."""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from urllib.parse import urlsplit

from eventwatch.alerting.causes import Source
from eventwatch.model.settings import Exposure


def source_of(exposure: Exposure) -> Source:
    """The source of an exposure. Its label never holds a user, a password or an option."""
    url = exposure.connection.reveal()
    try:
        parts = urlsplit(url)
        scheme, host, path = parts.scheme, parts.hostname or "", parts.path
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        scheme, host, path, port = "database", "", "", ""
    if exposure.parquet is not None:
        # ``/lake/events/*.parquet`` and ``/lake/events/2026.parquet`` lie in the same folder.
        folder = PurePath(exposure.parquet.partition("*")[0] + "x").parent
        return Source(_key("parquet", str(folder)), f"parquet files in {folder.name or folder}")
    engine = scheme.partition("+")[0] or "database"
    if engine == "duckdb":
        name = PurePath(f"{host}{path}").name or "in memory"
        return Source(_key(engine, host, path), f"duckdb {name}")
    # Who reads it, and how, is not the place. What cannot be parsed is its own place.
    key = _key(engine, host, port, path) if host else _key(url)
    return Source(key, f"{engine} {host}{port}{path.rstrip('/')}".strip())


def _key(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
