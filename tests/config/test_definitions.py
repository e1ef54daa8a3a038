from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from eventwatch.config.load import Loaded, load
from eventwatch.kinds.definition import Check
from eventwatch.kinds.registry import KINDS
from eventwatch.kinds.volume import VolumeCheck
from eventwatch.model.durations import write_duration
from eventwatch.model.status import Severity

from .conftest import Try, Write

Load = Callable[..., Loaded]


def test_only_what_was_written_counts_as_set(loaded: Load) -> None:
    text = "- {kind: volume, events: user_followed_*, z_threshold: 4, for: 10m, severity: critical}"
    (check,) = loaded(checks={"growth.yaml": text}).checks
    assert isinstance(check, VolumeCheck)
    assert check.model_fields_set == {"kind", "events", "z_threshold", "hold", "severity"}
    assert check.events == ("user_followed_*",)
    assert (check.hold, check.severity) == (timedelta(minutes=10), Severity.CRITICAL)
    assert check.source == "checks/growth.yaml:1"


def test_definitions_keep_the_order_of_file_and_line(loaded: Load) -> None:
    found = loaded(
        checks={
            "b.yaml": "\n- kind: drift\n- kind: volume\n",
            "a.yml": "- kind: freshness\n",
            "team/z.yaml": "- kind: duplicates\n",
            ".hidden.yaml": "- kind: nope\n",
            "notes.txt": "- kind: nope\n",
        }
    ).checks
    assert [c.source for c in found] == [
        "checks/a.yml:1",
        "checks/b.yaml:2",
        "checks/b.yaml:3",
        "checks/team/z.yaml:1",
    ]


def test_no_folder_and_empty_files_are_fine(loaded: Load) -> None:
    assert loaded(checks={"a.yaml": "# nothing yet\n"}).checks == ()
    assert loaded().checks == ()


MISTAKES = [
    ("- kind: volum", 1, "kind", "did you mean volume?"),
    ("- kind: 5", 1, "kind", "is not one of freshness, drift, volume, duplicates"),
    ("- kind: [a]", 1, "kind", "is not one of"),
    ("- events: x", 1, "kind", "kind is missing"),
    ("- volume", 1, "", "must be a mapping that begins with kind"),
    ("kind: volume", 1, "", "must be a list of definitions"),
    ("- kind: volume\n  z_treshold: 3", 2, "z_treshold", "did you mean z_threshold?"),
    ("- kind: volume\n  z_threshold: '3'", 2, "z_threshold", "must be a number, not text"),
    ("- kind: volume\n  z_threshold: 0", 2, "z_threshold", "must be more than 0"),
    (
        "- kind: volume\n  enabled: no",
        2,
        "enabled",
        "must be true or false, not text (since YAML 1.2",
    ),
    ("- kind: volume\n  severity: critcal", 2, "severity", "did you mean critical?"),
    ("- kind: volume\n  events: []", 2, "events", "must not be empty"),
    (
        "- kind: volume\n  events: [a, 5]",
        2,
        "events[1]",
        "must be text, not a number; put it in quotes",
    ),
    ("- kind: volume\n  for: 10", 2, "for", "write a span with its unit"),
    ("- kind: volume\n  hold: 10m", 2, "hold", "is written for here"),
    ("- kind: volume\n  source: x", 2, "source", "there is no setting 'source'"),
    ("- kind: duplicates\n  max_share: 2", 2, "max_share", "must be at most 1"),
    ("- kind: volume\n  alert_on: drops", 2, "alert_on", "did you mean drop?"),
    ("- kind: volume\n  events: a\n  events: b", 3, "[0].events", "stands twice"),
]


@pytest.mark.parametrize(("text", "line", "key", "message"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_in_a_definition(
    faults_of: Try, text: str, line: int, key: str, message: str
) -> None:
    (found,) = faults_of(checks={"a.yaml": text})
    assert found.startswith(f"checks/a.yaml:{line}: {key + ': ' if key else ''}")
    assert message in found


def test_nothing_is_interpolated_in_checks(loaded: Load) -> None:
    (check,) = loaded(
        checks={"a.yaml": "- {kind: drift, name: '${HOME}'}"}, env={"HOME": "h"}
    ).checks
    assert check.name == "${HOME}"


def test_a_link_out_of_the_folder_is_refused(write: Write, faults_of: Try, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("- kind: drift\n")
    write(checks={"a.yaml": "- kind: volume\n"})
    (tmp_path / "checks" / "link.yaml").symlink_to(outside)
    (found,) = faults_of()
    assert found == "checks/link.yaml: is a link to a file outside the folder of checks"


def test_a_link_inside_the_folder_is_read(write: Write, tmp_path: Path) -> None:
    path = write(checks={"..data/a.yaml": "- kind: volume\n"})
    (tmp_path / "checks" / "a.yaml").symlink_to("..data/a.yaml")
    assert [c.source for c in load(path, {}).checks] == ["checks/a.yaml:1"]


@pytest.mark.parametrize("kind", KINDS.values(), ids=[k.value for k in KINDS])
def test_every_field_of_every_kind_can_be_written_and_is_read_back(
    loaded: Load, kind: object
) -> None:
    """Strict parsing must not refuse a field that a kind declares."""
    defaults: Check = kind.defaults  # type: ignore[attr-defined]
    lines = [f"- kind: {defaults.kind.value}"]
    for name, field in type(defaults).model_fields.items():
        if name == "kind" or field.exclude:
            continue
        lines.append(f"  {field.alias or name}: {_yaml(getattr(defaults, name))}")
    (check,) = loaded(checks={"a.yaml": "\n".join(lines)}).checks
    assert check.model_copy(update={"source": ""}) == defaults


def _yaml(value: object) -> str:
    if isinstance(value, timedelta):
        return write_duration(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{v}"' for v in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f'"{value}"' if isinstance(value, str) else str(value)
