"""From the sections of config.yaml to the records that the rest of the house knows.

Every relative path is taken from the folder of config.yaml, never from the working directory: the
daemon, cron and a person in another folder must all mean the same file.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from eventwatch.config.document import (
    ContractsSection,
    ExposureSection,
    TeamSection,
)
from eventwatch.config.document_notify import MaintenanceSection, NotifySection
from eventwatch.config.document_web import WebSection
from eventwatch.config.records_notify import maintenance_of, notify_of
from eventwatch.config.rules_web import web_of
from eventwatch.config.tree import Tree
from eventwatch.model.contract import Location, Team
from eventwatch.model.names import team_key
from eventwatch.model.settings import (
    Columns,
    ContractMapping,
    ContractSettings,
    Dimension,
    Exposure,
    Partition,
    Secret,
    Settings,
)

_FILE_ENGINES = ("duckdb", "sqlite")


@dataclass(frozen=True)
class Sections:
    """All sections, each of them right in itself."""

    contracts: ContractsSection
    exposures: dict[str, ExposureSection]
    teams: dict[str, TeamSection]
    notify: NotifySection
    state: str
    history: str
    checks: str
    maintenance: tuple[MaintenanceSection, ...] = ()
    web: WebSection | None = None
    heartbeat_url: str | None = None

    def __repr__(self) -> str:
        return "Sections(…)"


def settings_of(sections: Sections, tree: Tree, path: Path) -> Settings:
    """The settings. ``path`` is config.yaml itself, absolute."""
    folder = path.parent
    return Settings(
        path=path,
        contracts=_contracts(sections.contracts, folder),
        exposures=tuple(
            _exposure(name, section, tree, folder) for name, section in sections.exposures.items()
        ),
        teams={key: _team(key, section, tree) for key, section in sections.teams.items()},
        notify=notify_of(sections.notify),
        state=Secret(state_url(sections.state, folder)),
        history=absolute(folder, sections.history),
        checks=absolute(folder, sections.checks),
        maintenance=tuple(maintenance_of(section) for section in sections.maintenance),
        web=None if sections.web is None else web_of(sections.web, tree),
        heartbeat_url=None if sections.heartbeat_url is None else Secret(sections.heartbeat_url),
    )


def absolute(folder: Path, text: str) -> Path:
    """A path of config.yaml; ``~`` is not a home directory here."""
    return Path(os.path.normpath(folder / text))


def connection_url(url: str, folder: Path) -> str:
    """The URL with the path of a database file made absolute."""
    scheme, _, rest = url.partition("://")
    path, mark, query = rest.partition("?")
    if scheme not in _FILE_ENGINES or unquote(path) in ("", ":memory:"):
        return url
    # Both engines read what stands after the two slashes as the path: three are an absolute one.
    return f"{scheme}://{quote(str(absolute(folder, unquote(path))))}{mark}{query}"


def state_url(url: str, folder: Path) -> str:
    """The URL of the state with an absolute path, as SQLAlchemy writes it: three slashes are
    relative, four absolute."""
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        return url
    path, mark, query = rest.removeprefix("/").partition("?")
    return f"sqlite:///{absolute(folder, path)}{mark}{query}"


def parquet_glob(pattern: str, folder: Path) -> str:
    """The pattern, absolute. Special characters in the folder's own name are no pattern."""
    return os.path.normpath(Path(glob.escape(str(folder))) / pattern)


def _contracts(section: ContractsSection, folder: Path) -> ContractSettings:
    mapping = section.mapping
    return ContractSettings(
        source=absolute(folder, section.source),
        compiler=section.compiler,
        envelope=section.envelope,
        mapping=ContractMapping(
            mapping.message, mapping.file, mapping.envelope_field, mapping.enum_value
        ),
        include=tuple(absolute(folder, text) for text in section.include),
    )


def _exposure(name: str, section: ExposureSection, tree: Tree, folder: Path) -> Exposure:
    line = tree.line(("exposures", name))
    url = "duckdb://" if section.connection is None else section.connection.get_secret_value()
    columns = section.columns
    return Exposure(
        name=name,
        connection=Secret(connection_url(url, folder)),
        table=section.table,
        parquet=None if section.parquet is None else parquet_glob(section.parquet, folder),
        columns=Columns(
            columns.event_type,
            columns.occurred_at,
            columns.loaded_at,
            columns.event_id,
            columns.payload,
        ),
        dimensions=tuple(
            Dimension(each.name or each.column, each.column, each.cap, each.owners)
            for each in section.dimensions
        ),
        partition=None
        if section.partition is None
        else Partition(section.partition.column, section.partition.of),
        time_zone=ZoneInfo(section.time_zone),
        naive_time_zone=ZoneInfo(section.naive_time_zone),
        holidays=tuple(dict.fromkeys(section.holidays)),
        owner=section.owner or "",
        every=section.every,
        cron=section.cron,
        bucket=section.bucket,
        look_back=section.look_back,
        overlap=section.overlap,
        late_window=section.late_window,
        query_timeout=section.query_timeout,
        lock_wait=section.lock_wait,
        location=f"{tree.file}:{line}",
    )


def _team(key: str, section: TeamSection, tree: Tree) -> Team:
    names = [name for name in tree.at(("teams",)) if team_key(name) == key]
    return Team(
        key=key,
        slack_channel=section.slack_channel or "",
        slack_group_id=section.slack_group_id or "",
        oncall=section.oncall or "",
        email=section.email or "",
        escalate_to=section.escalate_to or "",
        location=Location(tree.file, tree.line(("teams", *names[:1]))),
    )
