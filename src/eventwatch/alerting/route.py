"""Where a result goes. The rules that make one stand in ``routing``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """A team and how it is reached."""

    team: str
    """Team key."""
    channel: str
    """Slack channel, "#" included, or a channel id."""
    group_id: str = ""
    """Slack user group to mention; empty: nobody is mentioned."""
    reason: str = ""
    """Why it goes there, for people: "owner in the contract", "nobody declared it: fallback"."""
    is_fallback: bool = False
