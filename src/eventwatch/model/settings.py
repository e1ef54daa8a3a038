"""What config.yaml says, typed. Parsing it is the work of ``eventwatch.config``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from eventwatch.model.contract import Team
from eventwatch.model.secret import Secret as Secret  # noqa: PLC0414 - most ask for it here
from eventwatch.model.status import Severity

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class Columns:
    """Which column of the exposure is what; None: the exposure has none."""

    event_type: str = "event_type"
    occurred_at: str = "occurred_at"
    loaded_at: str | None = "loaded_at"
    event_id: str | None = None
    payload: str | None = None


@dataclass(frozen=True)
class Partition:
    """A column that lets the engine prune; it goes into every filter."""

    column: str
    of: str = "loaded_at"
    """Which time it follows: ``loaded_at`` or ``occurred_at``."""


@dataclass(frozen=True)
class Dimension:
    """A watched dimension: a column whose values are followed per event type."""

    name: str
    """The word used in results, contracts and messages."""
    column: str
    cap: int = 50
    """Most values followed; rarer ones count as OTHER."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """Value → team key, for trouble of one value."""


@dataclass(frozen=True)
class Exposure:
    """One watched table."""

    name: str
    connection: Secret
    """Ibis connection URL; ``duckdb://`` (in memory) where only Parquet files are read."""
    table: str | None = None
    """``table``, ``schema.table`` or ``catalog.schema.table``."""
    parquet: str | None = None
    """Absolute path or glob of Parquet files, instead of ``table``."""
    columns: Columns = Columns()
    dimensions: tuple[Dimension, ...] = ()
    partition: Partition | None = None
    time_zone: ZoneInfo = UTC_ZONE
    """Whose days and hours the rhythm follows."""
    holidays: tuple[str, ...] = ()
    """Places whose public holidays are not like other days: ``DE``, ``US-CA``."""
    naive_time_zone: ZoneInfo = UTC_ZONE
    """How times without a zone are read."""
    owner: str = ""
    """Team key that answers for the table itself; empty: the fallback team."""
    every: timedelta = timedelta(minutes=5)
    cron: str | None = None
    """Instead of ``every``."""
    bucket: timedelta = timedelta(hours=1)
    """Grain of the volume check: a divisor or multiple of one hour up to a day."""
    look_back: timedelta = timedelta(days=60)
    overlap: timedelta = timedelta(minutes=10)
    """How far behind the last finished cycle every cycle reads again."""
    late_window: timedelta = timedelta(days=2)
    """Without a load time: how far back occurrences are counted again each cycle."""
    query_timeout: timedelta = timedelta(seconds=60)
    lock_wait: timedelta = timedelta(seconds=60)
    """How long a locked DuckDB file or a changing Parquet file is tried again before BUSY."""
    location: str = ""
    """``config.yaml:12``, for faults."""

    @property
    def has_load_time(self) -> bool:
        """False: completeness and lag are unknown, and audits of the past are approximate."""
        return self.columns.loaded_at is not None


@dataclass(frozen=True)
class ContractMapping:
    """How a vocabulary that is not ours is read: option full name → contract field."""

    message: Mapping[str, str] = field(default_factory=dict)
    file: Mapping[str, str] = field(default_factory=dict)
    envelope_field: Mapping[str, str] = field(default_factory=dict)
    """Options on the fields of the envelope's oneof."""
    enum_value: Mapping[str, str] = field(default_factory=dict)
    """Options on the values of the team enum → field of Team."""


@dataclass(frozen=True)
class ContractSettings:
    """Where contracts are read and how."""

    source: Path
    """Absolute: a folder of .proto files or a descriptor set (.binpb, .binpb.gz, .json)."""
    compiler: str = "protoc"
    """``protoc`` (grpcio-tools) or ``buf`` (optional extra)."""
    envelope: str = ""
    """Full name of the envelope message; empty: the one message whose oneof holds event messages."""
    mapping: ContractMapping = ContractMapping()
    include: tuple[Path, ...] = ()
    """Further import roots, each absolute."""


@dataclass(frozen=True)
class SlackSettings:
    """How Slack is reached; neither token nor webhook: standard output is used."""

    token: Secret | None = None
    webhook_url: Secret | None = None
    base_url: str = "https://slack.com/api/"
    timeout: timedelta = timedelta(seconds=10)
    app_token: Secret | None = None
    """App-level token of Socket Mode; None: no buttons."""
    button_groups: tuple[str, ...] = ()
    """Ids of the user groups whose members may press buttons; empty: the group of the incident's
    owner and that of the fallback team."""
    charts: bool = True
    """Whether a chart is put into the thread (needs ``files:write`` and the extra ``charts``)."""


@dataclass(frozen=True)
class WebhookSettings:
    """A JSON webhook of the user's own."""

    url: Secret
    secret: Secret | None = None
    """Key of the HMAC-SHA256 signature in the header; None: unsigned."""
    timeout: timedelta = timedelta(seconds=10)


@dataclass(frozen=True)
class AppriseSettings:
    """Other services through Apprise."""

    urls: Mapping[str, tuple[Secret, ...]]
    """Team key → Apprise URLs; the key ``*`` is for every team without its own."""


@dataclass(frozen=True)
class IncidentSettings:
    """The life of incidents and the pace of messages."""

    resolve_after: timedelta = timedelta(minutes=30)
    """All members must have been over for so long before an incident is resolved."""
    reopen_within: timedelta = timedelta(days=1)
    """The same cause again within this time after the end opens the same incident again."""
    flush: timedelta = timedelta(minutes=5)
    """At most one new message per channel and team in this time."""
    refresh: timedelta = timedelta(minutes=15)
    """How often numbers alone may lead to an edit."""
    escalate_after: Mapping[Severity, timedelta] = field(default_factory=dict)
    """Without acknowledgement for so long: the team's ``escalate_to`` is told. Absent: never."""


@dataclass(frozen=True)
class DigestSettings:
    """Daily messages."""

    at: time = time(9, 0)
    """Local time of day."""
    time_zone: ZoneInfo = UTC_ZONE
    broken: bool = False
    """Per team, what has been broken for how long."""


@dataclass(frozen=True)
class Maintenance:
    """A planned time in which nobody is told. Empty patterns match everything."""

    name: str
    reason: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """One window; or, instead, a weekly one:"""
    weekdays: tuple[int, ...] = ()
    """Monday is 0; with ``from_time`` and ``to_time``; every day where all seven stand."""
    from_time: time | None = None
    to_time: time | None = None
    """Earlier than ``from_time``: over midnight."""
    time_zone: ZoneInfo = UTC_ZONE
    event_type: str = ""
    exposure: str = ""
    kind: str = ""
    team: str = ""
    dimension: str = ""
    value: str = ""


@dataclass(frozen=True)
class NotifySettings:
    """Where messages go."""

    fallback_team: str
    """Team key for unseen event types, unowned contracts and our own trouble. Mandatory."""
    slack: SlackSettings | None = None
    reminder: Mapping[Severity, timedelta] = field(default_factory=dict)
    contract_link: str = ""
    """Template with ``{path}`` and ``{line}``; empty: no link."""
    incidents: IncidentSettings = IncidentSettings()
    digest: DigestSettings = DigestSettings()
    webhook: WebhookSettings | None = None
    """Hears of every incident, whoever owns it, besides where the messages go."""
    apprise: AppriseSettings | None = None


@dataclass(frozen=True)
class WebSettings:
    """Where the daemon shows health and metrics."""

    host: str = "127.0.0.1"
    port: int = 9464
    token: Secret | None = None
    """Needed for everything but yes-or-no health where ``host`` is not loopback."""
    location: str = ""
    """``config.yaml:12``, for faults."""


@dataclass(frozen=True)
class Settings:
    """All of config.yaml except checks."""

    path: Path
    """The file itself, absolute; relative paths in it are relative to its folder."""
    contracts: ContractSettings
    exposures: tuple[Exposure, ...]
    teams: Mapping[str, Team]
    """Overrides and completes the contracts' directory."""
    notify: NotifySettings
    state: Secret
    """SQLAlchemy URL of the state, e.g. sqlite:///…/state.db with an absolute path."""
    history: Path
    checks: Path
    """Folder of check definitions; it need not exist."""
    maintenance: tuple[Maintenance, ...] = ()
    web: WebSettings | None = None
    """None: nothing listens."""
    heartbeat_url: Secret | None = None
    """Fetched after each cycle that was committed, so that a service notices when there are none."""

    def exposure(self, name: str) -> Exposure | None:
        """The exposure of that name, or None."""
        return next((e for e in self.exposures if e.name == name), None)
