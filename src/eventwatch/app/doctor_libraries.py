"""Libraries with known faults, and extras that the config needs."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from eventwatch.app.adapters import adapter
from eventwatch.app.doctor import Area, Finding, Level, Patient

Version = tuple[int, ...]


@dataclass(frozen=True)
class _Known:
    """A library, from which version on it does and up to which it is tried, and what is wrong
    outside of them."""

    name: str
    least: Version
    below: Version
    older: str


_KNOWN = (
    _Known("duckdb", (1, 5), (3,), "cannot open files of newer versions"),
    _Known("ibis-framework", (12,), (13,), "compiles other SQL than what was tried"),
    _Known("apscheduler", (3, 11, 2), (4,), "loops or fires twice when clocks go back"),
    _Known("slack-sdk", (3, 40), (4,), "has no place for a transport that follows no redirects"),
    _Known("sqlalchemy", (2, 0, 40), (3,), "was not tried"),
    _Known("protobuf", (6, 30), (8,), "was not tried"),
    _Known("pandas", (3,), (4,), "was not tried"),
)
_TRANSPORT = "_perform_urllib_http_request_internal"


def libraries(patient: Patient | None) -> Sequence[Finding]:
    """All of them; ``patient``: also what its config needs."""
    found = [_judged(known) for known in _KNOWN]
    bad = [finding for finding in found if finding.level is not Level.OK]
    fine = [f"{f.subject} {f.said}" for f in found if f.level is Level.OK]
    python = ".".join(str(part) for part in sys.version_info[:3])
    said = f"Python {python}, {', '.join(fine)}: no known faults"
    made = [
        Finding(Area.LIBRARIES, "versions", Level.OK, said),
        *bad,
    ]
    if patient is None or patient.loaded.settings.state.reveal().startswith("sqlite"):
        made.append(sqlite_finding(sqlite3.sqlite_version))
    if (hook := _transport()) is not None:
        made.append(hook)
    return [*made, *(() if patient is None else _extras(patient))]


def parts_of(text: str) -> Version:
    """The numbers at the beginning of a version."""
    found = re.match(r"[0-9]+(\.[0-9]+)*", text)
    return () if found is None else tuple(int(part) for part in found[0].split("."))


def _judged(known: _Known) -> Finding:
    try:
        there = version(known.name)
    except PackageNotFoundError:
        return _fails(known, "is not installed")
    return judged(known.name, there) or Finding(Area.LIBRARIES, known.name, Level.OK, there)


def judged(name: str, there: str) -> Finding | None:
    """What is wrong with a version of a library that is known here; None: nothing."""
    known = next(each for each in _KNOWN if each.name == name)
    if parts_of(there) < known.least:
        return _fails(known, f"{there} {known.older}")
    if parts_of(there) >= known.below:
        return Finding(
            Area.LIBRARIES,
            known.name,
            Level.WARNING,
            f"{there} is newer than what eventwatch was tried with",
            f"install {_wanted(known)}",
        )
    return None


def _fails(known: _Known, said: str) -> Finding:
    return Finding(Area.LIBRARIES, known.name, Level.FAIL, said, f"install {_wanted(known)}")


def _wanted(known: _Known) -> str:
    least, below = (".".join(str(n) for n in each) for each in (known.least, known.below))
    return f"'{known.name}>={least},<{below}'"


def sqlite_finding(there: str) -> Finding:
    """What is to be known of a version of SQLite; the state's file avoids its fault."""
    if wal_is_safe(parts_of(there)):
        return Finding(Area.LIBRARIES, "sqlite", Level.OK, f"{there}: no known faults")
    return Finding(
        Area.LIBRARIES,
        "sqlite",
        Level.OK,
        f"{there} can damage a file in WAL mode when two processes write back at once (mended in "
        "3.51.3, 3.50.7, 3.44.6); the state is kept in journal mode TRUNCATE instead, which is safe",
    )


def wal_is_safe(there: Version) -> bool:
    """Whether this SQLite has no WAL-reset fault."""
    return (
        there >= (3, 51, 3)
        or (3, 50, 7) <= there < (3, 51)
        or (3, 44, 6) <= there < (3, 45)
        or there < (3, 7)
    )


def _transport() -> Finding | None:
    try:
        client = adapter("slack-client")
    except ImportError:
        return None
    if callable(getattr(client, _TRANSPORT, None)):
        return None
    return Finding(
        Area.LIBRARIES,
        "slack-sdk",
        Level.FAIL,
        "its transport cannot be replaced, so it would follow redirects with the token",
        "install 'slack-sdk>=3.40,<4'",
    )


def _extras(patient: Patient) -> Sequence[Finding]:
    notify, made = patient.loaded.settings.notify, []
    slack = notify.slack
    if slack is not None and slack.token is not None and slack.charts:
        missing = [name for name in ("altair", "vl_convert") if find_spec(name) is None]
        if missing:
            made.append(
                Finding(
                    Area.LIBRARIES,
                    "charts",
                    Level.WARNING,
                    f"messages come without charts: {' and '.join(missing)} not installed",
                    "pip install 'eventwatch[charts]', or set notify.slack.charts to false",
                )
            )
    if notify.apprise is not None and find_spec("apprise") is None:
        made.append(
            Finding(
                Area.LIBRARIES,
                "apprise",
                Level.FAIL,
                "notify.apprise is set and Apprise is not installed",
                "pip install 'eventwatch[apprise]'",
                is_setting=True,
            )
        )
    return made
