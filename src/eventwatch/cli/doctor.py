"""``eventwatch doctor``: would anybody be told?"""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eventwatch.cli.options import ConfigOption, OutputOption

if TYPE_CHECKING:
    from rich.text import Text

    from eventwatch.app.doctor import Diagnosis, Finding

EPILOG = (
    "Exit codes: 0 nothing fails, warnings or not; 2 the configuration or the contracts are wrong; "
    "3 something else fails: an exposure, Slack, the state. 2 wins over 3."
)
_COLOURS = {"ok": "green", "warning": "yellow", "fail": "bold red"}


class Format(StrEnum):
    """How the answer is given."""

    TABLE = "table"
    JSON = "json"


def doctor(
    format_: Annotated[
        Format, typer.Option("--format", "-f", help="table for people, json for machines.")
    ] = Format.TABLE,
    output: OutputOption = None,
    config: ConfigOption = Path("config.yaml"),
) -> None:
    """Say whether everything works that telling somebody depends on.

    Looks at config, contracts and owners, the exposures, Slack's token, scopes, channels and
    groups, the state, versions with known faults, and the clock. It reads no events, posts
    nothing and changes nothing. One line per check, and what to do about it.

    Examples:

        eventwatch doctor

        eventwatch doctor --format json --config /etc/eventwatch/config.yaml
    """
    from eventwatch.app.doctor import doctor as look
    from eventwatch.cli.output import write_answer
    from eventwatch.cli.progress import progress_line
    from eventwatch.daemon import longest_wait

    with progress_line(sys.stderr) as progress:
        progress(float("nan"), "looking at config, exposures, Slack and the state")
        found = look(config, longest_wait)
    if format_ is Format.JSON:
        write_answer(as_json(found), output)
    elif output is not None:
        write_answer(as_table(found), output)
    else:
        _show(found)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def as_json(found: Diagnosis) -> str:
    """The schema ``eventwatch.doctor/1``; it only ever gains keys."""
    from eventwatch.app.doctor import Level

    made = {
        "schema": "eventwatch.doctor/1",
        "exit_code": found.exit_code,
        "counts": {level.value: found.count(level) for level in Level},
        "seconds": round(found.seconds, 3),
        "checks": [
            {
                "area": each.area.value,
                "subject": each.subject,
                "level": each.level.value,
                "said": each.said,
                "advice": each.advice or None,
            }
            for each in found.findings
        ],
    }
    return json.dumps(made, indent=2, ensure_ascii=True) + "\n"


def as_table(found: Diagnosis) -> str:
    """Plain lines, nothing cut off."""
    width = _subject_width(found)
    return "".join(f"{_line(each, width).plain}\n" for each in found.findings) + f"{_end(found)}\n"


def _show(found: Diagnosis) -> None:
    from eventwatch.cli.console import console_for

    if not sys.stdout.isatty():
        print(as_table(found), end="")
        return
    console = console_for(sys.stdout)
    width = _subject_width(found)
    for each in found.findings:
        console.print(_line(each, width), soft_wrap=True)
    console.print(_end(found))


def _line(finding: Finding, width: int) -> Text:
    from rich.text import Text

    from eventwatch.alerting.escape import terminal

    subject = terminal(finding.subject)
    said = terminal(finding.said)
    advice = f" → {terminal(finding.advice)}" if finding.advice else ""
    return Text.assemble(
        (f"{finding.level.value:<8}", _COLOURS[finding.level.value]),
        f"{finding.area.value:<11}",
        (f"{subject:<{width}}  ", "bold"),
        said,
        advice,
    )


def _subject_width(found: Diagnosis) -> int:
    return min(max((len(each.subject) for each in found.findings), default=0), 28)


def _end(found: Diagnosis) -> str:
    from eventwatch.app.doctor import Level
    from eventwatch.model.counting import counted

    failed, warned = found.count(Level.FAIL), found.count(Level.WARNING)
    if not failed and not warned:
        return f"Everything works ({counted(len(found.findings), 'check')})."
    parts = []
    if failed:
        parts.append(f"{counted(failed, 'check')} failed")
    if warned:
        parts.append(counted(warned, "warning"))
    return f"{' and '.join(parts)} of {counted(len(found.findings), 'check')}."
