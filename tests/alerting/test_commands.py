"""Commands in messages do in a shell what they say, whatever the names are."""

from __future__ import annotations

import shlex
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path

from hypothesis import given

from eventwatch.alerting import commands
from eventwatch.alerting.escape import code
from eventwatch.alerting.silence_scope import of_value, scopes
from eventwatch.model.cause import Cause, CauseKind
from eventwatch.model.result import Cut, Result
from eventwatch.model.status import KindName
from tests.alerting.builders import alert, hostile, result, unreadable
from tests.fakes.hostile_names import HOSTILE

EVENT = Cause(CauseKind.EVENT_TYPE, "k", "analytics_events", "user_followed_user")
ADD = "eventwatch silence add --exposure analytics_events"


def silence(of: Result, cause: Cause = EVENT) -> str:
    return commands.silence(scopes([alert(of)], cause))


def test_an_ordinary_name_is_left_as_it_is() -> None:
    assert (
        silence(result("user_followed_user"))
        == f"{ADD} --event-type user_followed_user --for 4h --reason '…'"
    )
    assert commands.list_team("growth") == "eventwatch incidents list --team growth"


def test_the_exposure_and_its_values_are_named_where_there_is_no_event_type() -> None:
    whole = silence(result(None, cut=Cut("platform", "android")))
    assert f"{ADD} --dimension platform --value android" in whole
    assert f"{ADD} --kind volume --for" in silence(result(None))


def test_a_late_table_mutes_what_stands_still_and_nothing_else_of_it() -> None:
    table = Cause(CauseKind.EXPOSURE, "k", "analytics_events", "analytics_events")
    for one in (result("user_followed_user"), result(None, kind=KindName.FRESHNESS)):
        assert f"{ADD} --kind freshness --kind volume --for" in silence(one, table)


def test_one_value_mutes_that_value() -> None:
    cut = Cut("platform", "android")
    android = Cause(CauseKind.CUT, "k", "analytics_events", "android", cut=cut)
    said = f"{ADD} --dimension platform --value android --for"
    assert said in silence(result("user_followed_user", cut=cut), android)
    assert said in commands.silence(of_value(android))
    assert of_value(EVENT) == ()


def test_several_of_one_incident_are_one_command_as_long_as_it_mutes_nothing_else() -> None:
    renamed = [alert(result("old")), alert(result("new"))]
    said = f"{ADD} --event-type old --event-type new --for"
    assert said in commands.silence(scopes(renamed, EVENT))
    mixed = [*renamed, alert(result("new", exposure="other"))]
    assert commands.silence(scopes(mixed, EVENT)) == ""
    many = [alert(result(f"a_long_name_of_an_event_type_{i}")) for i in range(9)]
    assert commands.silence(scopes(many, EVENT)) == ""
    assert commands.silence([]) == ""


def test_an_event_type_without_a_name_mutes_one_check_and_not_the_table() -> None:
    assert f"{ADD} --kind volume --for" in silence(result(""))


def test_trouble_of_ours_mutes_its_own_kind_only() -> None:
    assert "--kind freshness" in silence(unreadable())


def test_a_leading_dash_is_no_option() -> None:
    assert "--event-type=--help" in silence(result("--help"))
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
        silence(result(name)),
        silence(result(None, exposure=team, cut=cut)),
        silence(result(name), cause),
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
        for text in (silence(result(name)), commands.list_team(name)):
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
