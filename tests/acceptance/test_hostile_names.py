"""Names and texts from data and contracts do nothing but stand there, and none of them is lost."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from eventwatch.model.names import team_key
from tests.fakes.hostile_names import HOSTILE
from tests.fakes.project import Done, Project, steady

NOW = datetime(2026, 11, 20, 10, 2, tzinfo=UTC)
BIDI = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def encodable(name: str) -> bool:
    """Whether a table or a contract can hold it at all: both are UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


NAMES = tuple(dict.fromkeys(name for name in HOSTILE if encodable(name)))


def literal(text: str) -> str:
    """A protobuf string literal of any text, byte by byte."""
    return '"' + "".join(f"\\{byte:03o}" for byte in text.encode()) + '"'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Every hostile name as an undeclared event type, as a platform, as a team and as a text."""
    project = Project(tmp_path_factory.mktemp("hostile") / "shop")
    good = steady(["user_a"], until=NOW, days=5, per_hour=60)
    good["platform"] = [NAMES[i % len(NAMES)] for i in range(len(good))]
    bad = pd.concat([good.head(3).assign(event_type=name) for name in NAMES])
    bad["event_id"] = [f"bad-{i}" for i in range(len(bad))]
    project.rows(pd.concat([good, bad], ignore_index=True))
    project.contracts(
        "".join(
            f"message M{i} {{ option (eventwatch.contract.v1.event) = {{ owner {{ team:"
            f' {literal(name)} }} event_type: "declared_{i}" description: {literal(name)} '
            f"tags: {literal(name)} }}; }}\n"
            for i, name in enumerate(NAMES)
            if team_key(name)
        )
        + 'message Good { option (eventwatch.contract.v1.event) = { owner { team: "growth" }'
        ' event_type: "user_a" description: "d" }; }\n'
    )
    project.config("    look_back: 20d\n")
    return project


@pytest.fixture(scope="module")
def audited(hostile: Project) -> Done:
    return hostile.audit("--at", NOW.isoformat(), "--preview")


def test_there_are_150_of_them() -> None:
    assert len(set(HOSTILE)) >= 150


def test_the_audit_ends_well(audited: Done) -> None:
    assert audited.code in (1, 3), audited.err
    assert audited.report["exposures"][0]["error"] is None


def test_no_event_type_is_lost(audited: Done) -> None:
    """Every undeclared name is a finding of its own, except those that are declared."""
    told = {f["event_type"] for f in audited.findings(kind="drift", aspect="unseen")}
    plain = {n for n in NAMES if n.strip() and len(n) <= 300}
    assert plain <= told
    long = {n for n in NAMES if len(n) > 1000}
    assert sum(t is not None and len(t) > 300 for t in told) >= len(long) > 0


def test_every_message_is_inert(audited: Done) -> None:
    messages = audited.report["messages"]
    assert messages
    for message in messages:
        # ``plain`` is for terminals, where no mention is active.
        text = message["text"] + json.dumps(message["blocks"], ensure_ascii=False)
        # Only the router may write an active form, and only for a group of the team directory.
        for active in re.findall(r"<[!@#][^>]*>", text):
            assert active == "<!subteam^S0123ABCDE>"
        assert "\x1b" not in text
        assert not set(text) & BIDI


def test_the_terminal_sees_no_control_characters(hostile: Project) -> None:
    done = hostile.run("run-once", "--at", NOW.isoformat(), "--preview")
    assert done.code in (1, 3), done.err
    control = {c for c in done.out if (ord(c) < 32 and c != "\n") or ord(c) in range(127, 160)}
    assert not control
    assert not set(done.out) & BIDI


def test_junit_is_well_formed_xml(hostile: Project) -> None:
    from xml.etree import ElementTree

    done = hostile.run("run-once", "--at", NOW.isoformat(), "--format", "junit")
    root = ElementTree.fromstring(done.out)
    assert root.tag in ("testsuites", "testsuite")


def test_a_recorded_cycle_keeps_every_name(hostile: Project) -> None:
    """The state takes what the table holds, whatever it is."""
    done = hostile.run("run-once", "--send", "--format", "json")
    assert done.code in (1, 3), done.err
    assert "Traceback" not in done.err
