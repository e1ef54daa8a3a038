"""The health of what cannot be rebuilt, and of the folder of what can."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from eventwatch.app.adapters import adapter
from eventwatch.app.doctor import Area, Finding, Level, Patient
from eventwatch.app.doctor_libraries import wal_is_safe
from eventwatch.app.doctor_settings import some
from eventwatch.app.pulse import late_in
from eventwatch.model.counting import counted
from eventwatch.model.durations import format_duration
from eventwatch.ports.store import StateReader

if TYPE_CHECKING:
    from eventwatch.store.examine import StateExam

LEAST_FREE = 50 * 1024 * 1024
LOW = 500 * 1024 * 1024
UNSENT = timedelta(minutes=15)
"""A message that waits longer than any pause of Slack's."""
LATELY = timedelta(days=7)
_MIB = 1024 * 1024


def state(patient: Patient) -> Sequence[Finding]:
    """The database, what waits in it, the heartbeats, the disks."""
    settings = patient.loaded.settings
    exam: StateExam = adapter("state-exam")(settings.state, patient.now)
    found = [*_database(exam), *_disk("state", exam.free_bytes)]
    if exam.exists and not exam.trouble and not exam.older:
        found.extend(_waiting(patient, exam))
        found.extend(_beats(patient, exam))
    found.extend(_history(settings.history))
    return found


def _database(exam: StateExam) -> Iterator[Finding]:
    if exam.trouble:
        yield _finding("state", Level.FAIL, exam.trouble)
    elif not exam.exists:
        said = f"{exam.place}: there is none yet; `eventwatch run` makes it"
        yield _finding("state", Level.OK, said)
    elif exam.older:
        said = f"{exam.place}: an older eventwatch wrote it"
        yield _finding("state", Level.WARNING, said, "the next `eventwatch run` upgrades it")
    else:
        journal = f", journal mode {exam.journal}" if exam.journal else ""
        yield _finding("state", Level.OK, f"{exam.place}: readable, its schema is current{journal}")
    if exam.exists and exam.pages not in ("", "ok"):
        yield _finding(
            "integrity",
            Level.FAIL,
            f"the file is damaged: {exam.pages}",
            "restore a backup, or move the file away to start without memory of what was told",
        )
    elif exam.pages == "ok":
        yield _finding("integrity", Level.OK, "every page of the file is sound")
    if exam.on_network:
        wal = exam.journal == "wal"
        yield _finding(
            "file system",
            Level.FAIL if wal else Level.WARNING,
            "the state lies on a network file system, where locks are not to be relied on",
            "keep it on a local disk, or in PostgreSQL",
        )
    elif exam.journal == "wal" and not wal_is_safe(sqlite3.sqlite_version_info):
        yield _finding(
            "journal",
            Level.WARNING,
            "the file is in WAL mode, which this version of SQLite can damage",
            "stop every eventwatch and start one: it changes the mode when nobody else has it open",
        )


def _disk(name: str, free: int | None) -> Iterator[Finding]:
    if free is None:
        return
    said = f"{free / _MIB:,.0f} MiB free where the {name} lies"
    if free < LEAST_FREE:
        yield _finding(
            "free space", Level.FAIL, said, "free some: without it nothing is remembered"
        )
    elif free < LOW:
        yield _finding("free space", Level.WARNING, said, "free some before it runs out")
    else:
        yield _finding("free space", Level.OK, said)


def _waiting(patient: Patient, exam: StateExam) -> Iterator[Finding]:
    if exam.oldest_unsent is not None:
        age = patient.now - exam.oldest_unsent
        said = (
            f"{counted(exam.unsent_count, 'message')} unsent, the oldest for {format_duration(age)}"
        )
        late = age > UNSENT
        yield _finding(
            "outbox",
            Level.FAIL if late else Level.OK,
            said,
            "is `eventwatch run` running, and does Slack answer (above)?" if late else "",
        )
    else:
        yield _finding("outbox", Level.OK, "every message was sent")
    if exam.dead_count:
        yield _finding(
            "dead letters",
            Level.WARNING,
            f"{counted(exam.dead_count, 'message')} refused for good within a week; each went to the "
            "fallback route",
            "mend its channel (above)",
        )


def _beats(patient: Patient, exam: StateExam) -> Iterator[Finding]:
    if exam.newest_beat is None:
        yield _finding(
            "daemon", Level.WARNING, "no cycle was ever recorded", "start `eventwatch run`"
        )
        return
    ahead = exam.newest_beat - patient.now
    if ahead > timedelta(minutes=1):
        said = f"the newest heartbeat is {format_duration(ahead)} in the future"
        advice = "the clock went back, or another machine's clock is ahead; set both by NTP"
        yield Finding(Area.CLOCK, "clock", Level.FAIL, said, advice)
    reader: StateReader | None = adapter("reader")(patient.loaded.settings.state)
    if reader is None:
        return
    try:
        yield from _undeclared(patient, reader)
        late = late_in(patient.loaded, reader, patient.now, patient.longest_wait)
    finally:
        reader.close()
    for line in late:
        name, _, said = line.partition(": ")
        yield _finding("daemon", Level.FAIL, f"{name}: {said}", "is `eventwatch run` running?")
    if not late:
        age = format_duration(max(patient.now - exam.newest_beat, timedelta(0)))
        said = f"every exposure had a cycle lately, the last {age} ago"
        yield _finding("daemon", Level.OK, said)


def _undeclared(patient: Patient, reader: StateReader) -> Iterator[Finding]:
    """Event types that come lately and that no contract names, so that nobody owns them."""
    if patient.catalog is None:
        return
    for exposure in patient.loaded.settings.exposures:
        ledger = reader.exposure_state(exposure.name, patient.now).ledger
        names = sorted(
            key.event_type
            for key, seen in ledger.items()
            if key.event_type is not None
            and not key.dimension
            and seen.last_at > patient.now - LATELY
            and key.event_type not in patient.catalog.contracts
        )
        if names:
            said = (
                f"{counted(len(names), 'event type')} without a contract came in the last days "
                f"({some(names)}); nobody owns them, the fallback team is told"
            )
            advice = "declare them in the contracts, with owner.team"
            yield Finding(Area.ROUTING, exposure.name, Level.WARNING, said, advice)


def _history(folder: Path) -> Iterator[Finding]:
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield _finding(
            "history",
            Level.FAIL,
            f"{there} is no folder that this user may write to",
            "give the right to it, or name another folder as history",
        )
        return
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return
    if free < LOW:
        said = f"{free / _MIB:,.0f} MiB free where the history lies"
        yield _finding("history", Level.WARNING, said, "free some, or lower look_back")


def _finding(subject: str, level: Level, said: str, advice: str = "") -> Finding:
    return Finding(Area.STATE, subject, level, said, advice)
