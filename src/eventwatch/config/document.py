"""What config.yaml may hold, section by section: names, defaults and their descriptions.

The descriptions are the documentation that editors show; ``schema`` writes them out. Rules that
involve two settings are in ``rules``, so that they are checked even while another setting is wrong.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from eventwatch.config import fields as f
from eventwatch.config.document_notify import MaintenanceSection, NotifySection
from eventwatch.config.document_web import HeartbeatUrl, WebSection
from eventwatch.config.strict import Section


class MappingSection(Section):
    """How contracts that use other options than eventwatch's own are read. Each key is the full name
    of one of your options (with a path of fields, where the option is a message), each value the
    contract field that it sets."""

    message: dict[str, str] = Field(
        default_factory=dict, description="Options on event messages → contract field."
    )
    file: dict[str, str] = Field(
        default_factory=dict, description="Options on files, as defaults for their events."
    )
    envelope_field: dict[str, str] = Field(
        default_factory=dict, description="Options on the fields of the envelope's oneof."
    )
    enum_value: dict[str, str] = Field(
        default_factory=dict, description="Options on the team enum's values → field of the team."
    )


class ContractsSection(Section):
    """Where the contracts of the event types are read."""

    source: f.Text = Field(
        description="Folder of .proto files, or a descriptor set (.binpb, .binpb.gz, .json). "
        "Relative to this file."
    )
    compiler: Literal["protoc", "buf"] = Field(
        "protoc", description="What compiles .proto files; buf is an optional extra."
    )
    envelope: str = Field(
        "",
        description="Full name of the envelope message whose oneof holds the events. Empty: the one "
        "message that looks like one.",
    )
    include: list[f.Text] = Field(
        default_factory=list, description="Further folders that imports are looked up in."
    )
    mapping: MappingSection = Field(
        default_factory=MappingSection, description="Reads vocabularies that are not eventwatch's."
    )


class ColumnsSection(Section):
    """Which column of the exposure is what."""

    event_type: f.Text = Field("event_type", description="Holds the name of the event type.")
    occurred_at: f.Text = Field(
        "occurred_at",
        description="When it happened: timestamp with or without zone, date, or epoch seconds, "
        "milliseconds or microseconds.",
    )
    loaded_at: f.Text | None = Field(
        "loaded_at",
        description="When the row arrived in the exposure. null: the exposure does not say; lag and "
        "completeness are then unknown.",
    )
    event_id: f.Text | None = Field(
        None, description="Unique per event; without it, duplicates are not checked."
    )
    payload: f.Text | None = Field(None, description="The rest of the event.")


class PartitionSection(Section):
    """A column that lets the engine skip what is not needed; it goes into every filter."""

    column: f.Text = Field(description="The partition column, a date or a timestamp.")
    of: Literal["loaded_at", "occurred_at"] = Field(
        "loaded_at", description="Which of the two times it is made from."
    )


class DimensionSection(Section):
    """A column whose values are watched per event type."""

    column: f.Text = Field(description="The column.")
    name: f.Text | None = Field(
        None, description="The word used in contracts and messages; the column's name if absent."
    )
    cap: int = Field(
        50, ge=1, le=1000, description="Most values followed; rarer ones are counted as other."
    )
    owners: dict[str, f.TeamKey] = Field(
        default_factory=dict,
        description="Value → team that is told of trouble of that value alone.",
    )


DimensionItem = Annotated[
    DimensionSection,
    BeforeValidator(lambda value: {"column": value} if isinstance(value, str) else value),
]


class ExposureSection(Section):
    """One watched table of events."""

    connection: f.Connection | None = Field(
        None,
        description="Connection URL of any engine that Ibis reads: duckdb://file.duckdb, "
        "postgresql://…, snowflake://…, bigquery://…. Secrets as ${NAME}. May be left out where "
        "parquet is set.",
    )
    table: f.Text | None = Field(None, description="table, schema.table or catalog.schema.table.")
    parquet: f.Text | None = Field(
        None,
        description="Parquet file or pattern of files, instead of table. ** goes through folders.",
    )
    columns: ColumnsSection = Field(
        default_factory=lambda: ColumnsSection.model_validate({}),
        description="Which column is what.",
    )
    dimensions: list[DimensionItem] = Field(
        default_factory=list,
        max_length=20,
        description="Watched columns, e.g. [platform, app_version]: their values are followed per "
        "event type.",
    )
    partition: PartitionSection | None = Field(
        None, description="Partition column, so that the engine reads only what is new."
    )
    time_zone: f.Zone = Field("UTC", description="Whose days and hours the rhythm follows.")
    holidays: list[f.Place] = Field(
        default_factory=list,
        max_length=100,
        description="Places whose public holidays are not like other days, by their codes of ISO "
        "3166: [DE, US-CA]. Needs the extra `holidays`.",
    )
    naive_time_zone: f.Zone = Field("UTC", description="How times without a zone are read.")
    owner: f.TeamKey | None = Field(
        None, description="Team that answers for the table itself; absent: the fallback team."
    )
    every: f.Every = Field(timedelta(minutes=5), description="How often the daemon looks.")
    cron: f.Cron | None = Field(
        None, description="When the daemon looks, in time_zone, instead of every: five cron fields."
    )
    bucket: f.Bucket = Field(
        timedelta(hours=1),
        description="Grain of the volume check: 5m, 10m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h "
        "or 1d.",
    )
    look_back: f.LookBack = Field(
        timedelta(days=60), description="How much history the checks compare with."
    )
    overlap: f.Overlap = Field(
        timedelta(minutes=10), description="How far behind the last look every look reads again."
    )
    late_window: f.LateWindow = Field(
        timedelta(days=2),
        description="Without loaded_at: how far back occurrences are counted again each time.",
    )
    query_timeout: f.QueryTimeout = Field(
        timedelta(seconds=60), description="A statement that takes longer is cancelled."
    )
    lock_wait: f.LockWait = Field(
        timedelta(seconds=60),
        description="How long a locked DuckDB file or a changing Parquet file is tried again.",
    )


class TeamSection(Section):
    """How a team is reached. Overrides and completes what the contracts say of it."""

    slack_channel: f.Channel | None = Field(None, description="Where its messages go.")
    slack_group_id: f.GroupId | None = Field(
        None, description="Slack user group that is mentioned; an id, never a name."
    )
    oncall: f.Text | None = Field(None, description="Name of its on-call schedule.")
    email: f.Text | None = Field(None, description="Mail address.")
    escalate_to: f.TeamKey | None = Field(
        None, description="Team to tell when nobody acknowledges."
    )


class Document(Section):
    """The whole of config.yaml. Only the schema is made from it: sections are checked one by one, so
    that a fault in one hides none in another."""

    contracts: ContractsSection
    exposures: dict[str, ExposureSection] = Field(
        min_length=1, description="The watched tables, by a name of your choice."
    )
    teams: dict[str, TeamSection | None] = Field(
        default_factory=dict, description="Teams by key; completes the contracts' directory."
    )
    notify: NotifySection
    maintenance: list[MaintenanceSection] = Field(
        default_factory=list,
        max_length=200,
        description="Planned times in which nobody is told.",
    )
    state: f.StateUrl = Field(
        "sqlite:///var/eventwatch/state.db",  # type: ignore[assignment]
        description="Where alerts, silences and sent messages are remembered: a SQLite file, or "
        "postgresql://… for several daemons.",
    )
    history: f.Text = Field(
        "var/eventwatch/history",
        description="Folder for measurements. A cache: it can be deleted at any time.",
    )
    checks: f.Text = Field("checks", description="Folder of the check definitions.")
    web: WebSection | None = Field(
        None, description="Where health and metrics are shown. Absent: nothing listens."
    )
    heartbeat_url: HeartbeatUrl | None = Field(
        None,
        description="Fetched after each cycle that was recorded, at most once a minute, so that a "
        "service like healthchecks.io notices when there are none.",
    )
