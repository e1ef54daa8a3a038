"""Commands in messages do in a shell what they say, whatever the names are."""

from __future__ import annotations

import shlex
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

from hypothesis import given

from eventwatch.alerting import commands
from eventwatch.alerting.escape import code
from eventwatch.model.result import Cut
from tests.alerting.builders import hostile, result, unreadable
from tests.fakes.hostile_names import HOSTILE


def test_an_ordinary_name_is_left_as_it_is() -> None:
    assert (
        commands.see(result("user_followed_user"))
        == "eventwatch run-once --event-type user_followed_user --check volume"
    )
    assert commands.silence(result("user_followed_user")).startswith(
        "eventwatch silence add --event-type user_followed_user --kind volume --for 4h --reason "
    )


def test_the_exposure_and_its_values_are_named_where_there_is_no_event_type() -> None:
    whole = result(None, cut=Cut("platform", "android"))
    assert "--exposure analytics_events" in commands.see(whole)
    assert "--dimension platform --value android" in commands.silence(whole)


def test_our_own_trouble_is_looked_at_with_validate() -> None:
    assert commands.see(unreadable()) == "eventwatch validate"


def test_a_leading_dash_is_no_option() -> None:
    assert "--event-type=--help" in commands.see(result("--help"))


@given(hostile)
def test_the_glob_matches_the_name_it_was_made_for(name: str) -> None:
    assert fnmatchcase(name, commands.glob_for(name))


@given(hostile, hostile)
def test_a_command_is_one_line_and_survives_the_code_span(name: str, team: str) -> None:
    for text in (
        commands.see(result(name)),
        commands.silence(result(name)),
        commands.see_team(team, name),
    ):
        assert text.isprintable()
        assert len(text) < 250
        assert code(text) == text
        shlex.split(text)


def test_a_shell_that_runs_the_commands_does_nothing_but_call_us(tmp_path: Path) -> None:
    script = ["eventwatch() { printf '%s\\n' \"$#\"; }"]
    expected = []
    for name in HOSTILE:
        for text in (commands.see(result(name)), commands.silence(result(name))):
            script.append(text)
            expected.append(str(len(shlex.split(text)) - 1))
    done = subprocess.run(
        ["/bin/sh"],
        input="\n".join(script).encode(),
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stderr == b""
    assert done.stdout.decode().split() == expected
    assert list(tmp_path.iterdir()) == []
