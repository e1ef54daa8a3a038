"""Commands in messages do in a shell what they say, whatever the names are."""

from __future__ import annotations

import shlex
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

from hypothesis import given

from eventwatch.alerting import commands
from eventwatch.alerting.escape import code
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut
from tests.alerting.builders import hostile, result, unreadable
from tests.fakes.hostile_names import HOSTILE


def test_an_ordinary_name_is_left_as_it_is() -> None:
    assert (
        commands.silence(result("user_followed_user"))
        == "eventwatch silence add --event-type user_followed_user --for 4h --reason '…'"
    )
    assert commands.list_team("growth") == "eventwatch incidents list --team growth"


def test_the_exposure_and_its_values_are_named_where_there_is_no_event_type() -> None:
    whole = commands.silence(result(None, cut=Cut("platform", "android")))
    assert "--exposure analytics_events --dimension platform --value android" in whole
    assert "--exposure analytics_events --kind volume" in commands.silence(result(None))


def test_what_a_wide_cause_explains_is_muted_as_a_whole() -> None:
    one = result("user_followed_user")
    table = Cause(CauseKind.EXPOSURE, "k", "analytics_events", "analytics_events")
    assert "add --exposure analytics_events --for" in commands.silence(one, table)
    cut = Cut("platform", "android")
    android = Cause(CauseKind.CUT, "k", "analytics_events", "android", cut=cut)
    assert (
        "--exposure analytics_events --dimension platform --value android --for"
        in commands.silence(one, android)
    )


def test_trouble_of_ours_mutes_its_own_kind_only() -> None:
    assert "--kind freshness" in commands.silence(unreadable())


def test_a_leading_dash_is_no_option() -> None:
    assert "--event-type=--help" in commands.silence(result("--help"))
    assert commands.list_team("--all") == "eventwatch incidents list --team=--all"


def test_a_team_that_cannot_stand_in_a_command_is_left_out() -> None:
    assert commands.list_team("<!here>") == "eventwatch incidents list"
    assert commands.list_team("") == "eventwatch incidents list"


@given(hostile)
def test_the_glob_matches_the_name_it_was_made_for(name: str) -> None:
    assert fnmatchcase(name, commands.glob_for(name))


@given(hostile, hostile)
def test_a_command_is_one_line_and_survives_the_code_span(name: str, team: str) -> None:
    cut = Cut(team, name)
    cause = Cause(CauseKind.CUT, "k", team, name, cut=cut)
    for text in (
        commands.silence(result(name)),
        commands.silence(result(None, exposure=team, cut=cut)),
        commands.silence(result(name), cause),
        commands.list_team(team),
    ):
        assert text.isprintable()
        assert len(text) < 300
        assert code(text) == text
        shlex.split(text)


def test_a_shell_that_runs_the_commands_does_nothing_but_call_us(tmp_path: Path) -> None:
    script = ["eventwatch() { printf '%s\\n' \"$#\"; }"]
    expected = []
    for name in HOSTILE:
        for text in (commands.silence(result(name)), commands.list_team(name)):
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
