"""The settings as YAML that can be shared: every default filled in, secrets masked, and interpolated
texts as they stand in the file."""

from __future__ import annotations

import io
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from eventwatch.alerting.escape import plain
from eventwatch.config.show_notify import MASK, notify_shown, spans_shown, window_shown
from eventwatch.config.tree import Key
from eventwatch.model.durations import write_duration
from eventwatch.model.settings import Exposure, Secret, WebSettings

if TYPE_CHECKING:
    from eventwatch.config.load import Loaded


def shown_text(loaded: Loaded) -> str:
    """YAML with a final line end."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    buffer = io.StringIO()
    yaml.dump(_printable(shown(loaded)), buffer)
    return buffer.getvalue()


def shown(loaded: Loaded) -> dict[str, Any]:
    """The same as plain values."""
    settings = loaded.settings
    contracts, notify = settings.contracts, settings.notify
    made: dict[str, Any] = {
        "contracts": {
            "source": str(contracts.source),
            "compiler": contracts.compiler,
            "envelope": contracts.envelope,
            "include": [str(path) for path in contracts.include],
            "mapping": {
                f.name: dict(getattr(contracts.mapping, f.name)) for f in fields(contracts.mapping)
            },
        },
        "exposures": {each.name: _exposure(each) for each in settings.exposures},
        "teams": {
            team.key: {
                f.name: getattr(team, f.name)
                for f in fields(team)
                if f.name not in ("key", "location") and getattr(team, f.name)
            }
            for team in settings.teams.values()
        },
        "notify": {
            "fallback_team": notify.fallback_team,
            **notify_shown(notify),
            "reminder": spans_shown(notify.reminder),
            "links": {"contract": notify.contract_link or None},
        },
        "maintenance": [window_shown(window) for window in settings.maintenance],
        "state": masked_url(settings.state),
        "history": str(settings.history),
        "checks": str(settings.checks),
        "web": None if settings.web is None else _web(settings.web),
        "heartbeat_url": None if settings.heartbeat_url is None else MASK,
    }
    for key, written in loaded.written.items():
        _put(made, key, written)
    return made


def masked_url(url: Secret) -> str:
    """The URL without its password and without the values of its query."""
    scheme, mark, rest = url.reveal().partition("://")
    if not mark:
        return MASK
    rest, asked, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    # A password may hold an @ that nobody encoded, so the last one ends it. A path that holds one
    # may be the rest of such a password.
    if "@" in path:
        return f"{scheme}://{MASK}"
    user, at, host = authority.rpartition("@")
    name, colon, _ = user.partition(":")
    shown_user = name + (f":{MASK}" if colon else "") + at
    values = "&".join(f"{each.partition('=')[0]}={MASK}" for each in query.split("&"))
    return f"{scheme}://{shown_user}{host}{slash}{path}{asked}{values if asked else ''}"


def _web(web: WebSettings) -> dict[str, Any]:
    host = f"[{web.host}]" if ":" in web.host else web.host
    return {
        "listen": f"{host}:{web.port}",
        **({"token": MASK} if web.token is not None else {}),
    }


def _exposure(exposure: Exposure) -> dict[str, Any]:
    return {
        "connection": masked_url(exposure.connection),
        "table": exposure.table,
        "parquet": exposure.parquet,
        "columns": {f.name: getattr(exposure.columns, f.name) for f in fields(exposure.columns)},
        "dimensions": [
            {"name": d.name, "column": d.column, "cap": d.cap, "owners": dict(d.owners)}
            for d in exposure.dimensions
        ],
        "partition": None
        if exposure.partition is None
        else {"column": exposure.partition.column, "of": exposure.partition.of},
        "time_zone": exposure.time_zone.key,
        "holidays": list(exposure.holidays),
        "naive_time_zone": exposure.naive_time_zone.key,
        "owner": exposure.owner or None,
        **(
            {"every": write_duration(exposure.every)}
            if exposure.cron is None
            else {"cron": exposure.cron}
        ),
        **{
            name: write_duration(getattr(exposure, name))
            for name in (
                "bucket",
                "look_back",
                "overlap",
                "late_window",
                "query_timeout",
                "lock_wait",
            )
        },
    }


def _put(made: Any, key: Key, text: str) -> None:
    """Shows a setting as it was written, where it has a place of its own."""
    for step in key[:-1]:
        try:
            made = made[step]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(made, dict) and key[-1] in made:
        made[str(key[-1])] = text
    elif isinstance(made, list) and isinstance(key[-1], int):
        if isinstance(made[key[-1]], dict):
            made[key[-1]].update(name=text, column=text)
        else:
            made[key[-1]] = text


def _printable(value: Any) -> Any:
    if isinstance(value, dict):
        return {plain(str(key)): _printable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_printable(each) for each in value]
    return plain(value) if isinstance(value, str) else value
