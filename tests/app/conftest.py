"""A project that works, to be broken in one place at a time, and how the doctor looks at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from eventwatch.app.doctor import Area, Diagnosis, Finding, Level, doctor
from eventwatch.model.settings import Exposure
from tests.fakes.project import Project


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """Its exposure, contract and teams fit together."""
    made = Project(tmp_path)
    made.config("    owner: growth\n")
    made.declare("user_followed_user")
    made.sql(
        "CREATE TABLE events (event_type VARCHAR, occurred_at TIMESTAMP, loaded_at TIMESTAMP, "
        "event_id VARCHAR, platform VARCHAR)"
    )
    return made


def every(_: Exposure, __: datetime) -> timedelta:
    """The schedule."""
    return timedelta(minutes=5)


def look(shop: Project, **changes: Any) -> Diagnosis:
    """What the doctor says of it."""
    return doctor(shop.folder / "config.yaml", every, **changes)


def of(found: Diagnosis, area: Area, subject: str) -> Finding:
    """The one line about something."""
    (one,) = [f for f in found.findings if (f.area, f.subject) == (area, subject)]
    return one


def about(found: Diagnosis, area: Area) -> list[Finding]:
    """What is not as it should be in an area."""
    return [f for f in found.findings if f.area is area and f.level is not Level.OK]
