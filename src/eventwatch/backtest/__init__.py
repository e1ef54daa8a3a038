"""Replays the past cycle by cycle: what would have been told, to whom, and for how long."""
