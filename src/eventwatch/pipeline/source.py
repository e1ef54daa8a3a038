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
        folder = PurePath(exposure.parquet.partition("*")[0])
        where = str(folder if exposure.parquet.endswith("/") else folder.parent)
        return Source(_key("parquet", where), f"parquet files in {PurePath(where).name or where}")
    engine = scheme.partition("+")[0] or "database"
    if engine == "duckdb":
        name = PurePath(f"{host}{path}").name or "in memory"
        return Source(_key(url), f"duckdb {name}")
    return Source(_key(url), f"{engine} {host}{port}{path.rstrip('/')}".strip())


def _key(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
