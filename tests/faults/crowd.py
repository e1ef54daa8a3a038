"""Teams whose events stop one after another, so that there is something new to tell all the time.

Each team has one event type and a channel of its own, and is to get one message: whatever is missing
was lost, whatever is there once more was told twice. One more event type never stops; without it the
table itself would be silent, which is one message and not many. A few dozen at most: where nearly all
of a table is silent, that is one message as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from tests.fakes.project import Project, steady
from tests.fakes.slack import TOKEN, Channel, FakeSlack
from tests.faults.figures import Figures
from tests.faults.watched import wait_for

SILENT_AFTER = 20
"""Seconds: what the contracts allow."""


@dataclass(frozen=True)
class Crowd:
    """The channels, and when the last of them has something to be told."""

    channels: tuple[Channel, ...]
    names: tuple[str, ...]
    all_late_at: datetime

    def slack(self) -> FakeSlack:
        """A Slack with their channels."""
        return FakeSlack(
            channels=[*self.channels, Channel("C0DATA0001", "data-platform")],
            # Whoever asks what became of a message asks by time.
            ticks=True,
            keeps_requests=False,
        )

    def told(self, slack: FakeSlack) -> set[str]:
        """Ids of the channels that have heard something."""
        return {m.channel for m in slack.messages} & {c.id for c in self.channels}

    def all_told(self, slack: FakeSlack, seconds: float = 90) -> bool:
        """Whether each has, so long after the last one had reason to."""
        left = (self.all_late_at - datetime.now(UTC)).total_seconds()
        return wait_for(
            lambda: len(self.told(slack)) == len(self.channels), max(0.0, left) + seconds
        )

    def count(self, figures: Figures, slack: FakeSlack, beside: str = "") -> None:
        """One message in each channel that is about its team's event type, and no other anywhere, save
        those with ``beside`` in them."""
        posts = [m for m in slack.messages if m.thread_ts is None]
        posts = [m for m in posts if not beside or beside not in str(m.body)]
        wanted = dict(zip((c.id for c in self.channels), self.names, strict=True))
        right = [m for m in posts if wanted.get(m.channel, "nobody's") in str(m.body)]
        heard = [m.channel for m in right]
        lost = [name for channel, name in wanted.items() if channel not in heard]
        twice = [wanted[channel] for channel in set(heard) if heard.count(channel) > 1]
        twice += [f"{m.channel}: {str(m.body)[:200]}" for m in posts if m not in right]
        figures.messages(lost, twice)


def crowd(
    project: Project, teams: int = 8, *, first: float = 10.0, step: float = 5.0, minutes: int = 30
) -> Crowd:
    """Writes table, contracts and config. The first team is to be told after ``first`` seconds, each
    other ``step`` later."""
    now = datetime.now(UTC)
    names = tuple(f"user_did_{k:02}" for k in range(teams))
    promise = f"freshness: {{max_gap_seconds: {SILENT_AFTER}}}"
    project.contracts(
        "".join(_contract(k, name, f"team{k:02}", promise) for k, name in enumerate(names))
        + _contract(teams, "user_keeps_on", "growth", "")
    )
    late = [now + timedelta(seconds=first + k * step) for k in range(teams)]
    frames = [
        _rows(name, at - timedelta(seconds=SILENT_AFTER))
        for name, at in zip(names, late, strict=True)
    ]
    frames.append(_rows("user_keeps_on", now + timedelta(minutes=minutes)))
    project.rows(pd.concat(frames, ignore_index=True))
    # Rows of the future would be a finding of their own.
    project.sql("ALTER TABLE events RENAME TO everything")
    project.sql("CREATE VIEW events AS SELECT * FROM everything WHERE loaded_at <= now()")
    project.config("    look_back: 20d\n")
    config = project.folder / "config.yaml"
    channels = "".join(f"  team{k:02}: {{slack_channel: '#team{k:02}'}}\n" for k in range(teams))
    config.write_text(config.read_text().replace("teams:\n", f"teams:\n{channels}"))
    made = tuple(Channel(f"C0TEAM{k:04}", f"team{k:02}") for k in range(teams))
    return Crowd(made, names, late[-1])


def with_slack(project: Project, slack: FakeSlack) -> dict[str, str]:
    """The environment of a daemon that speaks to it."""
    config = project.folder / "config.yaml"
    where = f'slack: {{token: "${{SLACK_BOT_TOKEN}}", base_url: "{slack.base_url}"}}'
    config.write_text(
        config.read_text().replace("data-platform}\nstate", f"data-platform, {where}}}\nstate")
    )
    return {"SLACK_BOT_TOKEN": TOKEN}


def _contract(number: int, name: str, team: str, promise: str) -> str:
    return (
        f"message M{number} {{ option (eventwatch.contract.v1.event) = {{"
        f' owner {{ team: "{team}" }} event_type: "{name}" description: "d" {promise} }}; }}\n'
    )


def _rows(name: str, until: datetime) -> pd.DataFrame:
    """Two hours of them up to then, one each five seconds."""
    frame = steady([name], until=until, days=1, per_hour=720, delay=timedelta(seconds=1))
    frame["event_id"] = f"{name}-" + frame["event_id"]
    return frame[frame.loaded_at > pd.Timestamp(until - timedelta(hours=2))]
