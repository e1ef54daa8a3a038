"""What config.yaml may hold about telling people: ``notify`` and ``maintenance``."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from eventwatch.config import fields as f
from eventwatch.config import fields_notify as n
from eventwatch.config.strict import Section


class SlackSection(Section):
    """How Slack is reached. Without this section messages go to standard output."""

    token: f.Token | None = Field(None, description="Bot token: ${SLACK_BOT_TOKEN}.")
    webhook_url: f.Webhook | None = Field(
        None,
        description="Incoming webhook instead of a token: one channel for all, no updates of "
        "messages.",
    )
    base_url: f.BaseUrl = Field(
        "https://slack.com/api/", description="Address of Slack's API; for tests and relays."
    )
    timeout: f.SlackTimeout = Field(
        timedelta(seconds=10), description="Longest wait for one answer of Slack."
    )
    app_token: n.AppToken | None = Field(
        None,
        description="App-level token for buttons: ${SLACK_APP_TOKEN}. Absent: messages have none.",
    )
    button_groups: list[f.GroupId] = Field(
        default_factory=list,
        max_length=50,
        description="Ids of the user groups whose members may press buttons. Absent: the group of "
        "the incident's owner, and that of the fallback team.",
    )
    charts: bool = Field(
        True,
        description="Whether a chart goes into the thread; needs the scope files:write and the extra "
        "`charts`.",
    )


class ReminderSection(Section):
    """After how long a team is told again that something is still wrong, per severity."""

    critical: f.Reminder | None = Field(
        timedelta(hours=1), description="For critical trouble; null: said once."
    )
    warning: f.Reminder | None = Field(
        timedelta(hours=24), description="For warnings; null: said once."
    )
    info: f.Reminder | None = Field(None, description="For news; null: said once.")


class EscalateSection(Section):
    """After how long without an acknowledgement a team's escalate_to is told, per severity."""

    critical: n.EscalateAfter | None = Field(
        timedelta(minutes=30), description="For critical incidents; null: never."
    )
    warning: n.EscalateAfter | None = Field(None, description="For warnings; null: never.")
    info: n.EscalateAfter | None = Field(None, description="For news; null: never.")


class IncidentsSection(Section):
    """The life of incidents and the pace of messages."""

    resolve_after: n.ResolveAfter = Field(
        timedelta(minutes=30),
        description="How long everything in it must have been over before an incident is resolved.",
    )
    reopen_within: n.ReopenWithin = Field(
        timedelta(days=1),
        description="The same cause again within this time opens the same incident again, without a "
        "new message.",
    )
    flush: n.Flush = Field(
        timedelta(minutes=5),
        description="At most one new message per channel and team in this time; what comes in "
        "between shares the next one.",
    )
    refresh: n.Refresh = Field(
        timedelta(minutes=15),
        description="How often new numbers alone may lead to an edit of a message.",
    )
    escalate_after: EscalateSection = Field(
        default_factory=lambda: EscalateSection.model_validate({}),
        description="When a team's escalate_to is told of what nobody acknowledged.",
    )


class DigestSection(Section):
    """Daily messages."""

    at: n.TimeOfDay = Field("09:00", description="Local time of day at which they are sent.")
    time_zone: f.Zone = Field("UTC", description="Whose clock `at` is read on.")
    broken: bool = Field(
        False, description="Tells each team daily what has been broken for how long."
    )


class WebhookSection(Section):
    """A JSON webhook of your own. It hears of every incident, besides where messages go."""

    url: n.WebhookUrl = Field(
        description="Where the JSON is posted: https://…; http only to this machine."
    )
    secret: n.SigningKey | None = Field(
        None, description="Key of the signature (HMAC-SHA256) in the header; absent: unsigned."
    )
    timeout: f.SlackTimeout = Field(
        timedelta(seconds=10), description="Longest wait for one answer."
    )


class AppriseSection(Section):
    """Other services, through Apprise (extra `apprise`)."""

    urls: dict[n.TeamOrAll, n.AppriseUrls] = Field(
        min_length=1,
        description="Team → one or several Apprise URLs; the key * is for every team without its own.",
    )


class LinksSection(Section):
    """Links in messages."""

    contract: f.Link | None = Field(
        None, description="Where a contract is shown; {path} and {line} are filled in."
    )


class NotifySection(Section):
    """Who is told, and how."""

    fallback_team: f.TeamKey = Field(
        description="Team that hears of event types that nobody declared, of contracts without an "
        "owner, and of eventwatch's own trouble. It needs a Slack channel."
    )
    slack: SlackSection | None = Field(None, description="Absent: messages are printed.")
    reminder: ReminderSection = Field(
        default_factory=lambda: ReminderSection.model_validate({}),
        description="When a team is told again of what is still wrong.",
    )
    incidents: IncidentsSection = Field(
        default_factory=lambda: IncidentsSection.model_validate({}),
        description="The life of incidents and the pace of messages.",
    )
    digest: DigestSection = Field(
        default_factory=lambda: DigestSection.model_validate({}), description="Daily messages."
    )
    webhook: WebhookSection | None = Field(
        None, description="A JSON webhook of your own that hears of every incident."
    )
    apprise: AppriseSection | None = Field(
        None, description="Other services, through Apprise (extra `apprise`)."
    )
    links: LinksSection = Field(
        default_factory=lambda: LinksSection.model_validate({}), description="Links in messages."
    )


class MaintenanceSection(Section):
    """A planned time in which nobody is told: once (from, to) or every week (from_time, to_time).
    Every filter that is given must match; none: everything."""

    name: f.Text = Field(description="A name for people.")
    reason: f.Text = Field(description="Why; shown with what was not told.")
    from_: n.Instant | None = Field(
        None, alias="from", description="Begin, once: 2026-03-01T02:00, in time_zone."
    )
    to: n.Instant | None = Field(None, description="End, once.")
    weekdays: list[n.Weekday] = Field(
        default_factory=list,
        max_length=7,
        description="Days on which a weekly window begins: [sat, sun]. Absent: every day.",
    )
    from_time: n.TimeOfDay | None = Field(None, description="Begin of a weekly window: 02:00.")
    to_time: n.TimeOfDay | None = Field(
        None, description="Its end; earlier than from_time: on the next day."
    )
    time_zone: f.Zone = Field("UTC", description="Whose clock the times are read on.")
    event_type: f.Text | None = Field(None, description="Only event types that match this pattern.")
    exposure: f.Text | None = Field(None, description="Only exposures that match this pattern.")
    kind: f.Text | None = Field(None, description="Only kinds of checks that match this pattern.")
    team: f.Text | None = Field(
        None, description="Only what teams that match this pattern are told."
    )
    dimension: f.Text | None = Field(None, description="Only trouble of values of this dimension.")
    value: f.Text | None = Field(None, description="Only trouble of dimension values that match.")
