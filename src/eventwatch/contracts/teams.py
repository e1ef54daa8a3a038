"""The team directory: the values of the organisation's team enum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from eventwatch.contracts.events import EnumAt, Reader
from eventwatch.contracts.places import OPTIONS_OF_VALUE, VALUE, OptionPlaces
from eventwatch.contracts.promise import Reading
from eventwatch.contracts.saying import enum_words
from eventwatch.model.contract import Team
from eventwatch.model.errors import Fault
from eventwatch.model.names import team_key


@dataclass(frozen=True)
class Directory:
    """Teams, and the other ways in which a contract may spell their keys."""

    teams: Mapping[str, Team]
    aliases: Mapping[str, str]
    """``team-data-platform`` (the whole name of the enum value) → ``data-platform``; where the
    option gives a team another key, the short name of its value leads to it too."""

    def key(self, text: str) -> str:
        """The key that a contract means; the text itself, as a key, when it is of no team here."""
        key = team_key(text)
        return key if key in self.teams else self.aliases.get(key, key)


def read_directory(reader: Reader, enums: Iterable[EnumAt]) -> tuple[Directory, list[Fault]]:
    """Every value of each enum in which at least one value says how to reach a team; a value that
    says nothing is a team that the config may complete. "Unspecified" is none."""
    teams: dict[str, Team] = {}
    aliases: dict[str, str] = {}
    faults: list[Fault] = []
    level = reader.vocabulary.enum_value
    for each in enums:
        if not any(level.speaks_in(value.options) for value in each.enum.value):
            continue
        places = reader.places(each.file)
        words = enum_words(each.enum.name, [value.name for value in each.enum.value])
        for index, (value, word) in enumerate(zip(each.enum.value, words, strict=True)):
            path = (*each.path, VALUE, index)
            where = OptionPlaces(places, path, OPTIONS_OF_VALUE)
            said = level.said_by(value.options, reader.options, where)
            if not said and value.number == 0 and word in ("unspecified", "unknown", "none"):
                continue
            read = Reading(said, places.of(path), value.name)
            team = _team(read, word)
            faults.extend(read.faults)
            if team.key in teams:
                other = teams[team.key].location
                at = read.at("key")
                message = f"team {team.key!r} is described twice, also at {other}."
                faults.append(Fault(at.path, at.line, message))
                continue
            teams[team.key] = team
            aliases[team_key(value.name)] = aliases[team_key(word)] = team.key
    directory = Directory(dict(sorted(teams.items())), aliases)
    resolved = {
        key: replace(team, escalate_to=directory.key(team.escalate_to))
        for key, team in directory.teams.items()
    }
    return Directory(resolved, aliases), faults


def _team(read: Reading, word: str) -> Team:
    return Team(
        key=team_key(read.text("key") or word),
        slack_channel=read.channel("slack_channel"),
        slack_group_id=read.group("slack_group_id"),
        oncall=read.text("oncall"),
        email=read.text("email"),
        escalate_to=read.text("escalate_to"),
        location=read.at(""),
    )
