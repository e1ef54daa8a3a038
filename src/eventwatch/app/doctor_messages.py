"""Whether messages would arrive: token, scopes, channels, groups, buttons. Nothing is posted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from eventwatch.alerting.routing import usable_channel, usable_group
from eventwatch.app.adapters import adapter
from eventwatch.app.doctor import Area, Finding, Level, Patient
from eventwatch.app.doctor_settings import owners, some
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration
from eventwatch.model.errors import DeliveryError, EventwatchError

if TYPE_CHECKING:
    from eventwatch.notifiers.slack_exam import Identity, Room, SlackExam

_SKEW = timedelta(seconds=30)
_MOST_CHANNELS = 200
"""Asked for by id, one call each; Slack allows some fifty a minute."""
_INVITE = "invite the app: /invite @NAME in the channel"


def messages(patient: Patient) -> Sequence[Finding]:
    """Slack first, then the services beside it."""
    notify = patient.loaded.settings.notify
    found: list[Finding] = []
    if notify.slack is None:
        said = "there is no Slack in the config: messages are printed by whoever sends them"
        found.append(_finding("slack", Level.WARNING, said, "set notify.slack: docs/slack.md"))
    elif notify.slack.token is None:
        found.append(
            _finding(
                "slack",
                Level.WARNING,
                "an incoming webhook: one channel for all, no edits, and a message may come twice; "
                "whether it works cannot be asked without posting",
                "use a bot token: docs/slack.md",
            )
        )
    else:
        found.extend(_slack(patient))
    if notify.webhook is not None:
        found.append(_made("webhook", "webhook", notify.webhook))
    if notify.apprise is not None:
        found.append(_made("apprise", "apprise", notify.apprise))
    return found


def _made(name: str, key: str, settings: object) -> Finding:
    """Whether a service's settings make a notifier; its address is not asked."""
    try:
        adapter(key)(settings)
    except EventwatchError as error:
        return _finding(name, Level.FAIL, str(error), is_setting=True)
    return _finding(name, Level.OK, "set up; whether it answers cannot be asked without posting")


def _slack(patient: Patient) -> Iterator[Finding]:
    settings = patient.loaded.settings.notify.slack
    try:
        exam: SlackExam = adapter("slack-exam")(settings)
        identity = exam.identity()
    except DeliveryError as error:
        advice = "check notify.slack.token; a token is made at the app's page: docs/slack.md"
        if "cannot be reached" in str(error):
            advice = "check network, proxy (HTTPS_PROXY) and notify.slack.base_url"
        yield _finding("slack", Level.FAIL, str(error), advice)
        return
    yield _finding("slack", Level.OK, f"the token is {identity.user}'s in {identity.team}")
    yield from _scopes(patient, identity)
    yield from _channels(patient, exam, identity)
    yield from _groups(patient, exam)
    yield from _buttons(patient, exam)
    yield from _clock(patient, identity)


def _scopes(patient: Patient, identity: Identity) -> Iterator[Finding]:
    lost: dict[str, str] = adapter("slack-scopes")
    if identity.scopes is None:
        said = "Slack did not say which scopes the token has"
        yield _finding("scopes", Level.WARNING, said)
        return
    slack = patient.loaded.settings.notify.slack
    needless = set()
    if slack is not None and not slack.charts:
        needless.add("files:write")
    if slack is not None and slack.app_token is None:
        needless.add("usergroups:read")
    missing = [scope for scope in lost if scope not in identity.scopes | needless]
    for scope in missing:
        level = Level.FAIL if scope == "chat:write" else Level.WARNING
        yield _finding(
            f"scope {scope}",
            level,
            f"the token lacks it: {lost[scope]}",
            "add it to the app (OAuth & Permissions) and install the app again",
        )
    if not missing:
        yield _finding("scopes", Level.OK, "the token has all that are used")


def _channels(patient: Patient, exam: SlackExam, identity: Identity) -> Iterator[Finding]:
    rooms = routed(patient)
    fine = []
    for channel in [*rooms][:_MOST_CHANNELS]:
        try:
            room = exam.room(channel)
        except DeliveryError as error:
            said = f"channels cannot be asked for: {error}"
            yield _finding("channels", Level.WARNING, said)
            return
        finding = _room(room, rooms[channel], identity)
        if finding is None:
            fine.append(channel)
        else:
            yield finding
    if fine:
        said = f"the app is in {some(fine)}"
        yield _finding("channels", Level.OK, said)
    if len(rooms) > _MOST_CHANNELS:
        said = f"{len(rooms) - _MOST_CHANNELS:,} more were not asked for"
        yield _finding("channels", Level.WARNING, said)


def _room(room: Room, what: Sequence[str], identity: Identity) -> Finding | None:
    """What is wrong with a channel; None: nothing."""
    use = f" (for {some(what)})"
    invite = _INVITE.replace("NAME", identity.user or "eventwatch")
    if room.trouble:
        return _finding(room.name, Level.WARNING, f"could not be asked for: {room.trouble}{use}")
    if not room.found:
        said = f"there is no such channel, or it is private and the app is not in it{use}"
        return _finding(room.name, Level.FAIL, said, f"correct its name, or {invite}")
    if room.archived:
        said = f"is archived: messages go to the fallback route{use}"
        return _finding(room.name, Level.FAIL, said, "name another channel for the team")
    if room.member:
        return None
    if not room.private and "chat:write.public" in (identity.scopes or ()):
        said = f"the app is not in it: it can post, and not ask what arrived{use}"
        return _finding(room.name, Level.WARNING, said, invite)
    return _finding(room.name, Level.FAIL, f"the app is not in it{use}", invite)


def routed(patient: Patient) -> dict[str, list[str]]:
    """Channel → what would be told there."""
    found: dict[str, list[str]] = {}
    directory = patient.directory
    for key, what in owners(patient).items():
        team = directory.team(key)
        channel = "" if team is None else usable_channel(team.slack_channel)
        if channel:
            found.setdefault(channel, []).extend(what)
    contracts = () if patient.catalog is None else patient.catalog.contracts.values()
    for contract in contracts:
        channel = usable_channel(contract.owner.slack_channel)
        if channel:
            found.setdefault(channel, []).append(contract.event_type)
    return found


def _groups(patient: Patient, exam: SlackExam) -> Iterator[Finding]:
    wanted: dict[str, str] = {}
    directory = patient.directory
    for key in owners(patient):
        team = directory.team(key)
        group = "" if team is None else usable_group(team.slack_group_id)
        if group:
            wanted.setdefault(group, f"team {key}")
    slack = patient.loaded.settings.notify.slack
    for group in () if slack is None else slack.button_groups:
        wanted.setdefault(group, "notify.slack.button_groups")
    if not wanted:
        return
    try:
        there = exam.groups()
    except DeliveryError as error:
        said = f"user groups cannot be asked for: {error}"
        yield _finding("groups", Level.WARNING, said, "add the scope usergroups:read")
        return
    gone = {group: who for group, who in wanted.items() if not there.get(group)}
    for group, who in gone.items():
        state = "is disabled" if group in there else "does not exist"
        said = f"the user group {state}, so nobody is mentioned ({who})"
        yield _finding(group, Level.WARNING, said, "copy the id of the group from Slack")
    if len(gone) < len(wanted):
        said = f"{len(wanted) - len(gone)} of {counted(len(wanted), 'user group')} found"
        yield _finding("groups", Level.OK, said)


def _buttons(patient: Patient, exam: SlackExam) -> Iterator[Finding]:
    slack = patient.loaded.settings.notify.slack
    if slack is None or slack.app_token is None:
        said = "messages have none, because there is no app-level token"
        yield _finding("buttons", Level.OK, said)
        return
    try:
        exam.socket()
    except DeliveryError as error:
        advice = "turn on Socket Mode for the app, and give its app-level token connections:write"
        yield _finding("buttons", Level.FAIL, str(error), advice)
        return
    yield _finding("buttons", Level.OK, "a connection for them can be opened")


def _clock(patient: Patient, identity: Identity) -> Iterator[Finding]:
    if identity.clock is None:
        return
    apart = patient.now - identity.clock
    # Our instant was taken before Slack was asked.
    if -_SKEW - patient.limit <= apart <= _SKEW:
        yield Finding(Area.CLOCK, "clock", Level.OK, "agrees with Slack's")
        return
    which = "ahead of" if apart > timedelta(0) else "behind"
    yield Finding(
        Area.CLOCK,
        "clock",
        Level.FAIL,
        f"is {format_duration(abs(apart))} {which} Slack's: rows look late or early by as much",
        "let the machine's clock be set by NTP",
    )


def _finding(
    subject: str, level: Level, said: str, advice: str = "", *, is_setting: bool = False
) -> Finding:
    return Finding(Area.MESSAGES, subject, level, said, advice, is_setting)
