"""eventwatch: watches analytics-event tables and tells the team that owns an event."""

__version__ = "0.1.0"
